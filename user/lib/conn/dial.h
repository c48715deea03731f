/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * dial.h - lookups and connection attempts: which lookup an attempt follows, which attempts belong together, and what becomes of those that no
 * request ever uses (hooks.md B0 "DNS to connect join", 0a "Dials").
 */
#ifndef HT_DIAL_H
#define HT_DIAL_H

#include "conn/model.h"

void ht_dial_dns_start(struct ht_engine *engine, const struct ht_rec_dns *rec);
void ht_dial_dns_done(struct ht_engine *engine, const struct ht_rec_dns *rec);

/* A connect call began (start_ns) for that socket: joins the dial it belongs to, or begins one. NULL when memory is out. */
struct ht_dial *ht_dial_attempt(struct ht_proc *proc, uint64_t cookie, const struct ht_addr *remote, uint64_t start_ns, uint32_t tid);
/* The same by a Unix socket: path as text, or NULL, remote what stands for it. It follows no lookup and no other attempt. */
struct ht_dial *ht_dial_unix(struct ht_proc *proc, uint64_t cookie, const struct ht_addr *remote, const char *path, uint64_t start_ns,
			     uint32_t tid);
/* The attempt ended: err 0 and is_connected, or why not. */
void ht_dial_attempt_done(struct ht_dial *dial, uint64_t cookie, uint64_t now_ns, bool is_connected, int err);
/* A connect that failed before the socket was of any use. */
void ht_dial_failed_call(struct ht_engine *engine, const struct ht_rec_connect_fail *rec);

struct ht_attempt *ht_dial_find(struct ht_dial *dial, uint64_t cookie);

/*
 * A request takes the dial of its connection: adds GetConn (host_port), DNS* and Connect* hooks. From now on a late attempt's ConnectDone goes to the
 * request, as long as it is open. Returns the time of the first hook.
 */
void ht_dial_give(struct ht_dial *dial, struct ht_conn *winner, struct httptrace_request *request, const char *host_port);

/* Adds the same hooks, and leaves the dial where it is: for a CONNECT, behind which another request takes it. */
void ht_dial_show(const struct ht_dial *dial, struct httptrace_request *request, const char *host_port);

/* The dial's connection ended without having carried a request, or its handshake failed: report it. The dial is freed. */
enum ht_dial_end {
	HT_DIAL_UNUSED,
	HT_DIAL_UNSEEN, /* whether it was used is not known: events were lost */
	HT_DIAL_TLS_FAILED,
	HT_DIAL_TLS_CUT,      /* the handshake's end was not seen: tracing ended, or events were lost */
	HT_DIAL_PROXY_FAILED, /* within a SOCKS handshake, which conn->route holds: refused, or the connection ended */
	HT_DIAL_PROXY_CUT,    /* the same: its end was not seen */
};
void ht_dial_end(struct ht_dial *dial, struct ht_conn *conn, enum ht_dial_end how, uint64_t now_ns);

/* Nothing more will be heard of that attempt: it is not waited for. */
void ht_dial_forget(struct ht_dial *dial, uint64_t cookie);
/* The connection no longer points to the dial: frees it when nothing else needs it. */
void ht_dial_leave(struct ht_dial *dial);
/* Reports every dial of the process that is still waiting for another attempt; lookups that serve nobody are dropped. */
void ht_dial_flush(struct ht_proc *proc, uint64_t now_ns);
void ht_dial_free_all(struct ht_proc *proc);

#endif
