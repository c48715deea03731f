/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * conn.h - client connections: their states, what they carry, how they end.
 */
#ifndef HT_CONN_H
#define HT_CONN_H

#include "conn/model.h"

struct ht_conn *ht_conn_get(struct ht_engine *engine, uint64_t cookie);

void ht_conn_state(struct ht_engine *engine, const struct ht_rec_sock_state *rec);
void ht_conn_event(struct ht_engine *engine, const struct ht_rec_sock_event *rec);
/* A Unix socket: its connection, or a connect that failed. */
void ht_conn_unix(struct ht_engine *engine, const struct ht_rec_unix_connect *rec);
/* Socket data (tls_id 0). */
void ht_conn_data(struct ht_engine *engine, const struct ht_rec_data *rec);

/* The connection, made if its begin was not seen. NULL when memory is out. */
struct ht_conn *ht_conn_make(struct ht_engine *engine, uint64_t cookie, uint32_t tgid);
/* Application bytes of one direction, in clear or out of TLS: finds out the protocol and hands them on. False: not HTTP, send no more. */
bool ht_conn_plaintext(struct ht_conn *conn, const struct ht_rec_data *rec);
/*
 * What the connection carries: its socket's bytes or, in a tunnel through an HTTPS proxy, those of the proxy's TLS object. Finds out whether that is TLS; if
 * not, it is plaintext.
 */
void ht_conn_carried(struct ht_conn *conn, const struct ht_rec_data *rec);
/* Does what it carries now begin at begin_off, behind a proxy's handshake, rather than with the stream? */
bool ht_conn_begins_at(const struct ht_conn *conn);
/* Its exchange has ended by turning into something else: that takes over. */
void ht_conn_turn(struct ht_conn *conn, uint64_t now_ns);
/* Its exchange ends as incomplete and goes: the protocol above the socket has changed. */
void ht_conn_drop_exchange(struct ht_conn *conn, uint64_t now_ns);
/* n events about it were lost: laid to the requests under way, or to the next. */
void ht_conn_lost(struct ht_conn *conn, uint32_t n);
/* It is no business of ours any more: its dial is forgotten, nothing is told. */
void ht_conn_forget_dial(struct ht_conn *conn);
/* What becomes of it will not be seen: its open requests end as incomplete. */
void ht_conn_abandon(struct ht_conn *conn, uint64_t now_ns);
/* Tracing ends: so does a handshake under way. */
void ht_conn_cut(struct ht_conn *conn, uint64_t now_ns);
/* Its process has exited, and the kernel closes the socket for it. */
void ht_conn_exit(struct ht_conn *conn, uint64_t now_ns);
/* Frees it; an exchange still open has been ended by the caller. */
void ht_conn_free(struct ht_conn *conn);

/* Room for the longest of ht_conn_remote_text(). */
#define HT_REMOTE_TEXT_MAX (HT_UNIX_PATH_MAX + 2)
/* Its peer: "127.0.0.1:80", a Unix socket's path; empty where that is not known. Returns buf. */
const char *ht_conn_remote_text(const struct ht_conn *conn, char *buf, size_t len);
static inline bool ht_conn_is_unix(const struct ht_conn *conn)
{
	return conn->remote.family == HT_AF_UNIX;
}

/* Fills a request's conn and tls parts from what is known now. Strings go to the request's arena. */
void ht_conn_describe(const struct ht_conn *conn, struct httptrace_request *request);
/* TLSHandshakeStart and TLSHandshakeDone of the connection, where it has them. err: NULL or why the handshake failed. */
void ht_conn_add_tls_hooks(const struct ht_conn *conn, struct httptrace_request *request, const struct httptrace_error *err,
			   uint64_t err_ns);
/* When the handshake was done, 0 not known. */
uint64_t ht_conn_tls_done_ns(const struct ht_conn *conn);
/* Did the ClientHello offer HTTP by ALPN? */
bool ht_conn_offers_http(const struct ht_conn *conn);

#endif
