/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * h2_submit.h - requests as a process gave them to libnghttp2, and which connection each session of it writes to: header fields of a connection of which the
 * header table is not known.
 *
 * In:  HT_REC_H2_SUBMIT; request heads as they were decoded. Out: a head with all its fields, or nothing.
 *
 * Nothing tells to which connection a session belongs. A request head says it where it can be this one session's request only: same process and thread,
 * same stream, the same number of fields, and each field that could be decoded, the path among them, equal to what was given. Two such heads, of which the
 * second was given after the first was sent, bind the session: the first alone could be like another one that was given before we came. A head that
 * contradicts a binding ends it. Where several sessions fit, nothing is told.
 *
 * Memory: of a process at most HT_H2_SUBMITS_MAX requests of at most HT_H2_SUBMITS_BYTES_MAX, for HT_H2_SUBMIT_LIFE_NS, and HT_H2_SESSIONS_MAX sessions; the
 * oldest go first.
 */
#ifndef HT_H2_SUBMIT_H
#define HT_H2_SUBMIT_H

#include "conn/model.h"
#include "proto/http2.h"

#define HT_H2_SUBMITS_MAX       1024
#define HT_H2_SUBMITS_BYTES_MAX (256u << 10)
#define HT_H2_SESSIONS_MAX      128
/* A client that waits for the server to allow further streams may hold a request back; one that is held for longer is not looked for. */
#define HT_H2_SUBMIT_LIFE_NS    (10000 * HT_MS)

/* Without a binding: what is sent later than this after it was given is not taken for it. */
#define HT_H2_SUBMIT_SENT_NS (1000 * HT_MS)
/* What is given before the probes are in place is sent, but for what a client holds back, within so long. */
#define HT_H2_SUBMIT_SEEN_NS (200 * HT_MS)

/* What its messages have as their source (struct httptrace_message). */
#define HT_H2_SUBMIT_SOURCE "nghttp2"

void ht_h2_submit_record(struct ht_engine *engine, const struct ht_rec_h2_submit *rec);

/*
 * The head that thread tid sent on conn at ts_ns, as it was given: every field is known. NULL: not known to be one that was told. To be called for each head
 * of a connection, in their order, also for complete ones. Valid until the next call for that process.
 */
const struct ht_http2_headers *ht_h2_submit_take(struct ht_conn *conn, uint32_t tid, const struct ht_http2_headers *headers,
						 uint64_t ts_ns);

/* NULL is allowed. */
void ht_h2_submits_free(struct ht_h2_submits *submits);

#endif
