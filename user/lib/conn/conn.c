/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * conn.c - client connections: the table, their states, and which protocol they carry.
 */
#include "conn/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conn/conn_tls.h"
#include "conn/dial.h"
#include "conn/proc.h"
#include "conn/route.h"
#include "conn/tls_object.h"
#include "proto/http1.h"
#include "req/exchange.h"
#include "req/h1.h"
#include "req/h2.h"
#include "req/ws.h"
#include "req/request.h"
#include "util/names.h"

struct ht_conn *ht_conn_get(struct ht_engine *engine, uint64_t cookie)
{
	struct ht_conn *conn = ht_map_get(&engine->conns, cookie);

	if (conn)
		ht_engine_heard(engine, &engine->conn_order, &conn->order, engine->conns.cnt, HT_MAX_CONNS);
	return conn;
}

static void set_owner(struct ht_conn *conn, uint32_t tgid)
{
	struct ht_proc *proc;

	if (!tgid)
		return;
	if (conn->proc && conn->proc->tgid == tgid) {
		ht_engine_heard(conn->engine, &conn->engine->proc_order, &conn->proc->order, conn->engine->procs.cnt, HT_MAX_PROCS);
		return;
	}
	proc = ht_proc_get(conn->engine, tgid);
	if (!proc)
		return;
	ht_list_remove(&conn->node);
	conn->proc = proc;
	ht_list_append(&proc->conns, &conn->node);
}

struct ht_conn *ht_conn_make(struct ht_engine *engine, uint64_t cookie, uint32_t tgid)
{
	struct ht_conn *conn = ht_conn_get(engine, cookie);

	if (!conn) {
		if (engine->conns.cnt >= HT_MAX_CONNS) {
			struct ht_conn *oldest = ht_container(engine->conn_order.next, struct ht_conn, order);

			ht_engine_evicted(engine, &engine->counts.evicted_conns);
			ht_conn_abandon(oldest, oldest->start_ns);
			ht_conn_free(oldest);
		}
		conn = calloc(1, sizeof(*conn));
		if (!conn || ht_map_put(&engine->conns, cookie, conn)) {
			engine->counts.out_of_memory++;
			free(conn);
			return NULL;
		}
		conn->cookie = cookie;
		conn->engine = engine;
		conn->number = ++engine->next_conn;
		conn->losses = engine->losses;
		ht_list_init(&conn->node);
		ht_list_append(&engine->conn_order, &conn->order);
	}
	set_owner(conn, tgid);
	return conn;
}

void ht_conn_lost(struct ht_conn *conn, uint32_t n)
{
	if (n)
		conn->has_lost = true;
	/* The exchange lays what no request takes to the connection. */
	if (n && conn->exchange)
		ht_exchange_lost(conn->exchange, n);
	else
		conn->lost += n;
}

void ht_conn_forget_dial(struct ht_conn *conn)
{
	struct ht_dial *dial = conn->dial;

	if (!dial)
		return;
	conn->dial = NULL;
	dial->conn_cnt--;
	ht_dial_leave(dial);
}

void ht_conn_free(struct ht_conn *conn)
{
	ht_timer_cancel(&conn->engine->timers, &conn->timer);
	if (conn->dial)
		ht_dial_forget(conn->dial, conn->cookie);
	ht_conn_forget_dial(conn);
	ht_exchange_free(conn->exchange);
	if (conn->tls)
		ht_tls_unbind(conn->tls);
	ht_route_free(conn);
	ht_conn_tls_clear(conn);
	ht_list_remove(&conn->node);
	ht_list_remove(&conn->order);
	ht_map_take(&conn->engine->conns, conn->cookie);
	free(conn->path);
	free(conn);
}

void ht_conn_drop_exchange(struct ht_conn *conn, uint64_t now_ns)
{
	if (!conn->exchange)
		return;
	ht_exchange_abandon(conn->exchange, now_ns);
	ht_exchange_free(conn->exchange);
	conn->exchange = NULL;
}

void ht_conn_abandon(struct ht_conn *conn, uint64_t now_ns)
{
	if (conn->exchange)
		ht_exchange_abandon(conn->exchange, now_ns);
}

/* ---- how it ends ---- */

/* Do its socket's bytes tell nothing of what it carries? */
static bool is_wrapped(const struct ht_conn *conn)
{
	return conn->route && conn->route->is_wrapped;
}

/* The server agreed to a handshake of which no library's call was seen: by one that is not traced, or before its probes were in place. */
static bool is_opaque(const struct ht_conn *conn)
{
	return (!conn->tls || conn->tls->handshake == HT_HANDSHAKE_UNSEEN) && !conn->exchange && conn->server_hello && !conn->alert_by;
}

/* Were events lost since it began, so that the end of a handshake may be among them? Then its report says so. */
static bool has_losses(struct ht_conn *conn)
{
	uint64_t losses = ht_engine_missed(conn->engine, conn->start_ns, conn->losses);

	if (losses && !conn->lost)
		conn->lost = losses;
	return losses;
}

/* The dial of a connection that ends without having carried a request. */
static void end_unused(struct ht_conn *conn, uint64_t now_ns)
{
	struct ht_tls_object *tls = conn->tls;
	bool is_unsure;

	if (!conn->dial)
		return;
	if (conn->kind == HT_CONN_SOCKS) {
		ht_dial_end(conn->dial, conn, has_losses(conn) ? HT_DIAL_PROXY_CUT : HT_DIAL_PROXY_FAILED, now_ns);
	} else if (conn->kind == HT_CONN_TUNNEL) {
		ht_dial_end(conn->dial, conn, has_losses(conn) ? HT_DIAL_UNSEEN : HT_DIAL_UNUSED, now_ns);
	} else if (conn->kind == HT_CONN_UNDECIDED) {
		/* Its end tells whether anything was sent; without it a loss may have hidden that. */
		is_unsure = conn->is_end_seen ? conn->has_sent : has_losses(conn);
		ht_dial_end(conn->dial, conn, is_unsure ? HT_DIAL_UNSEEN : HT_DIAL_UNUSED, now_ns);
	} else if (conn->kind == HT_CONN_TLS) {
		if (conn->exchange)
			ht_conn_forget_dial(conn); /* plaintext came, of which the request was not seen: counted as unsolicited */
		else if (tls && tls->handshake == HT_HANDSHAKE_DONE)
			ht_dial_end(conn->dial, conn, has_losses(conn) ? HT_DIAL_UNSEEN : HT_DIAL_UNUSED, now_ns);
		else if (is_opaque(conn) || (is_wrapped(conn) && !tls))
			ht_conn_forget_dial(conn); /* nothing says that it failed; it is counted */
		else if (has_losses(conn))
			ht_dial_end(conn->dial, conn, HT_DIAL_TLS_CUT, now_ns);
		else
			ht_dial_end(conn->dial, conn, HT_DIAL_TLS_FAILED, now_ns);
	} else {
		ht_conn_forget_dial(conn);
	}
}

/*
 * A reset may be older than the end of the call that wrote the request which it answers (over TLS the library returns later than its socket call): whether
 * the connection was used is known only a while after.
 */
static void end_unused_reset(struct ht_conn *conn)
{
	if (conn->is_closed && conn->reset_ns)
		end_unused(conn, conn->reset_ns);
}

static void free_late(void *object, uint64_t at_ns)
{
	struct ht_conn *conn = object;

	if (conn->exchange && conn->reset_ns)
		ht_exchange_close(conn->exchange, conn->reset_ns, HTTPTRACE_BY_RESET, conn->sock_err ? conn->sock_err : ECONNRESET);
	end_unused_reset(conn);
	ht_conn_abandon(conn, at_ns);
	ht_conn_free(conn);
}

static void end(struct ht_conn *conn, uint64_t now_ns, enum httptrace_closer by)
{
	if (conn->is_closed)
		return;
	conn->is_closed = true;
	if (conn->kind == HT_CONN_TLS && is_opaque(conn))
		conn->engine->counts.opaque_tls++;
	/* What had arrived before a reset can still be read: the program's next receive tells, or the timer does. */
	if (conn->exchange && by == HTTPTRACE_BY_RESET)
		ht_exchange_reset(conn->exchange, now_ns);
	else if (conn->exchange)
		ht_exchange_close(conn->exchange, now_ns, by, conn->sock_err);
	if (by != HTTPTRACE_BY_RESET)
		end_unused(conn, now_ns);
	ht_timer_set(&conn->engine->timers, &conn->timer, now_ns + HT_CLOSED_WAIT_NS, free_late, conn);
}

void ht_conn_exit(struct ht_conn *conn, uint64_t now_ns)
{
	end_unused_reset(conn);
	if (conn->is_closed && conn->exchange && conn->reset_ns)
		ht_exchange_close(conn->exchange, now_ns, HTTPTRACE_BY_RESET, conn->sock_err ? conn->sock_err : ECONNRESET);
	else if (!conn->dial || conn->connected_ns) /* else the dial's end tells */
		end(conn, now_ns, conn->fin_ns ? HTTPTRACE_BY_SERVER : HTTPTRACE_BY_CLIENT);
}

void ht_conn_cut(struct ht_conn *conn, uint64_t now_ns)
{
	end_unused_reset(conn);
	if (conn->dial && conn->kind == HT_CONN_SOCKS)
		ht_dial_end(conn->dial, conn, HT_DIAL_PROXY_CUT, now_ns);
	else if (conn->dial && conn->kind == HT_CONN_TLS && !ht_conn_tls_done_ns(conn) && !is_opaque(conn) &&
		 (conn->tls || !is_wrapped(conn)))
		ht_dial_end(conn->dial, conn, HT_DIAL_TLS_CUT, now_ns);
	ht_conn_abandon(conn, now_ns);
}

/* ---- states ---- */

static void connect_failed(struct ht_conn *conn, const struct ht_rec_sock_state *rec)
{
	int err = rec->err ? rec->err : conn->sock_err;

	/* close() during SYN_SENT leaves no error and has a local port; a connect() that found no free port has none (inet_hash_connect). */
	if (!err && !(rec->hdr.flags & HT_F_FOREIGN) && rec->local.port)
		err = ECANCELED;
	if (conn->dial) {
		struct ht_dial *dial = conn->dial;

		conn->dial = NULL;
		dial->conn_cnt--;
		ht_dial_attempt_done(dial, conn->cookie, rec->hdr.ts_ns, false, err);
	}
	ht_conn_abandon(conn, rec->hdr.ts_ns); /* records that contradict each other */
	ht_conn_free(conn);
}

/* Records of bytes that were lost leave no gap where nothing follows them but the close. */
static void note_lost_bytes(struct ht_conn *conn, const struct ht_rec_sock_state *rec)
{
	if (!conn->has_lost || !conn->exchange || conn->tls || is_wrapped(conn))
		return;
	ht_exchange_reach(conn->exchange, HT_DIR_TX, rec->tx_bytes, rec->hdr.ts_ns);
	ht_exchange_reach(conn->exchange, HT_DIR_RX, rec->rx_bytes, rec->hdr.ts_ns);
}

static void closed(struct ht_conn *conn, const struct ht_rec_sock_state *rec)
{
	uint64_t now_ns = rec->hdr.ts_ns;

	if (rec->err)
		conn->sock_err = rec->err;
	if (conn->reset_ns || (rec->hdr.flags & HT_F_FOREIGN && conn->sock_err)) {
		if (!conn->reset_ns)
			conn->reset_ns = now_ns;
		end(conn, now_ns, HTTPTRACE_BY_RESET);
	} else {
		end(conn, now_ns, conn->fin_ns ? HTTPTRACE_BY_SERVER : HTTPTRACE_BY_CLIENT);
	}
}

void ht_conn_state(struct ht_engine *engine, const struct ht_rec_sock_state *rec)
{
	uint64_t now_ns = rec->hdr.ts_ns;
	struct ht_conn *conn = ht_conn_get(engine, rec->cookie);

	if (rec->old_state == HT_TCP_CLOSE && rec->new_state == HT_TCP_SYN_SENT) {
		if (conn) { /* a socket may be connected again, after a failure or connect(AF_UNSPEC) */
			ht_conn_abandon(conn, now_ns);
			ht_conn_free(conn);
		}
		conn = ht_conn_make(engine, rec->cookie, rec->hdr.tgid);
		if (!conn)
			return;
		conn->is_whole = true;
		conn->tid = rec->hdr.tid;
		conn->start_ns = now_ns;
		conn->remote = rec->remote;
		conn->lost += rec->hdr.lost;
		if (conn->proc)
			conn->dial = ht_dial_attempt(conn->proc, conn->cookie, &conn->remote, now_ns, conn->tid);
		if (conn->dial)
			conn->dial->conn_cnt++;
		return;
	}
	if (!conn) {
		/* Only what may still carry a request is worth a connection whose begin was not seen. */
		if (rec->new_state != HT_TCP_ESTABLISHED)
			return;
		conn = ht_conn_make(engine, rec->cookie, rec->hdr.tgid);
		if (!conn)
			return;
		conn->start_ns = now_ns;
	}
	ht_conn_lost(conn, rec->hdr.lost);
	if (rec->local.family && rec->local.port)
		conn->local = rec->local;
	if (rec->remote.family)
		conn->remote = rec->remote;
	/* Of a Unix socket's end that was not seen itself nothing tells how many bytes had passed. */
	if ((rec->new_state == HT_TCP_FIN_WAIT1 || rec->new_state == HT_TCP_LAST_ACK || rec->new_state == HT_TCP_CLOSE) &&
	    (!ht_conn_is_unix(conn) || rec->tx_bytes || rec->rx_bytes)) {
		conn->is_end_seen = true;
		conn->has_sent = rec->tx_bytes != 0;
	}
	switch (rec->new_state) {
	case HT_TCP_ESTABLISHED:
		if (rec->old_state != HT_TCP_SYN_SENT)
			break;
		conn->connected_ns = now_ns;
		if (conn->dial)
			ht_dial_attempt_done(conn->dial, conn->cookie, now_ns, true, 0);
		break;
	case HT_TCP_CLOSE_WAIT:
		conn->fin_ns = now_ns;
		if (conn->exchange)
			ht_exchange_fin(conn->exchange, now_ns);
		break;
	case HT_TCP_FIN_WAIT1:
		note_lost_bytes(conn, rec);
		end(conn, now_ns, HTTPTRACE_BY_CLIENT);
		break;
	case HT_TCP_LAST_ACK:
		note_lost_bytes(conn, rec);
		end(conn, now_ns, HTTPTRACE_BY_SERVER);
		break;
	case HT_TCP_CLOSE:
		if (rec->old_state == HT_TCP_SYN_SENT)
			connect_failed(conn, rec);
		else
			closed(conn, rec);
		break;
	}
}

void ht_conn_event(struct ht_engine *engine, const struct ht_rec_sock_event *rec)
{
	struct ht_conn *conn = ht_conn_get(engine, rec->cookie);

	if (!conn)
		return;
	ht_conn_lost(conn, rec->hdr.lost);
	switch (rec->hdr.kind) {
	case HT_REC_SOCK_ERROR:
		conn->sock_err = rec->err;
		break;
	case HT_REC_SOCK_RESET:
		conn->reset_ns = rec->hdr.ts_ns;
		break;
	case HT_REC_SOCK_AGAIN:
		if (conn->exchange)
			ht_exchange_again(conn->exchange, rec->hdr.ts_ns);
		break;
	}
}

/* ---- what it carries ---- */

/* RFC 9113 section 3.4: the client's connection preface, or as much of it as a write holds. No method of HTTP/1 begins with three bytes of it. */
static bool begins_preface(const struct ht_rec_data *rec)
{
	static const char preface[] = "PRI * HTTP/2.0";
	size_t len = sizeof(preface) - 1;

	if (rec->captured_len < len)
		len = rec->captured_len;
	return len >= 3 && !memcmp(rec + 1, preface, len);
}

static bool not_http(struct ht_conn *conn, uint64_t *count, const char *what)
{
	char remote[HT_REMOTE_TEXT_MAX];

	++*count;
	ht_engine_log(conn->engine, "connection c-%llu of pid %u to %s: %s: left alone", (unsigned long long)conn->number,
		      conn->proc ? conn->proc->tgid : 0, ht_conn_remote_text(conn, remote, sizeof(remote)), what);
	if (!conn->tls)
		conn->kind = HT_CONN_OTHER;
	ht_conn_drop_exchange(conn, 0);
	ht_conn_forget_dial(conn);
	return false;
}

/* The exchange for a connection that begins with this record's bytes. NULL when memory is out. */
static struct ht_exchange *exchange_for(struct ht_conn *conn, const struct ht_rec_data *rec)
{
	bool has_preface = rec->dir == HT_DIR_TX && begins_preface(rec);

	if (!has_preface && rec->stream != HT_STREAM_HTTP2)
		return ht_h1_new(conn);
	conn->engine->counts.http2++;
	if (!conn->tls)
		conn->kind = HT_CONN_HTTP2;
	else if (has_preface && !conn->tls->alpn[0])
		memcpy(conn->tls->alpn, "h2", sizeof("h2"));
	return ht_h2_new(conn, ht_conn_begins_at(conn) ? conn->begin_off : NULL);
}

bool ht_conn_begins_at(const struct ht_conn *conn)
{
	return conn->route && conn->route->is_tunnel && !conn->tls;
}

/* The exchange that takes over; NULL when memory is out. */
static struct ht_exchange *successor(struct ht_conn *conn, struct ht_turn *turn)
{
	struct ht_exchange *next;

	if (turn->to == HT_TURN_WEBSOCKET)
		return ht_ws_new(conn, turn->request, turn->off, turn->has_extensions, turn->ts_ns);
	next = ht_h2_new(conn, turn->off);
	if (!next)
		return NULL;
	conn->engine->counts.http2++;
	if (!conn->tls)
		conn->kind = HT_CONN_HTTP2;
	ht_h2_adopt(next, turn->flight);
	turn->flight = NULL;
	return next;
}

void ht_conn_turn(struct ht_conn *conn, uint64_t now_ns)
{
	struct ht_exchange *former = conn->exchange, *next = NULL;
	struct ht_turn *turn = former ? former->turn : NULL;
	struct ht_held *held, *next_held;

	if (!turn)
		return;
	former->turn = NULL;
	if (turn->to != HT_TURN_TUNNEL) {
		next = successor(conn, turn);
		if (!next) {
			conn->engine->counts.out_of_memory++;
			return; /* it goes on unread */
		}
	}
	/* What was still under way on it will not be answered any more. */
	ht_exchange_abandon(former, now_ns);
	conn->exchange = next;
	if (turn->to == HT_TURN_TUNNEL)
		ht_route_enter(conn, turn->ts_ns, turn->off);
	ht_list_each(&turn->rest, held, next_held, node) {
		if (turn->to == HT_TURN_TUNNEL)
			ht_conn_carried(conn, &held->rec);
		else
			ht_exchange_data(next, &held->rec);
	}
	ht_exchange_free(former);
}

bool ht_conn_plaintext(struct ht_conn *conn, const struct ht_rec_data *rec)
{
	if (!conn->exchange) {
		if (rec->stream == HT_STREAM_OTHER)
			return not_http(conn, &conn->engine->counts.not_http, "not HTTP");
		conn->exchange = exchange_for(conn, rec);
		if (!conn->exchange) {
			conn->engine->counts.out_of_memory++;
			return true;
		}
	}
	if (rec->hdr.lost)
		ht_exchange_lost(conn->exchange, rec->hdr.lost);
	ht_exchange_data(conn->exchange, rec);
	if (conn->exchange->turn) {
		ht_conn_turn(conn, rec->hdr.ts_ns);
		return true;
	}
	if (conn->exchange->is_not_http && rec->stream == HT_STREAM_HTTP2)
		return not_http(conn, &conn->engine->counts.http2_skipped, "HTTP/2 that cannot be read");
	if (conn->exchange->is_not_http)
		return not_http(conn, &conn->engine->counts.not_http, "not HTTP");
	return true;
}

/* The socket's stream has ended. Its offsets are not those of the plaintext. */
static void eof(struct ht_conn *conn, const struct ht_rec_data *rec)
{
	struct ht_rec_data at = *rec;

	if (conn->tls || is_wrapped(conn))
		at.off = 0;
	ht_exchange_eof(conn->exchange, &at);
}

/* Is what BPF did not look into a ClientHello or ServerHello? (RFC 8446 section 5.1) */
static bool is_hello(const struct ht_rec_data *rec)
{
	const uint8_t *data = (const uint8_t *)(rec + 1);

	return rec->captured_len && data[0] == 22 && (rec->captured_len < 2 || data[1] == 3);
}

void ht_conn_carried(struct ht_conn *conn, const struct ht_rec_data *rec)
{
	if (conn->kind == HT_CONN_UNDECIDED || conn->kind == HT_CONN_TUNNEL) {
		if (rec->hdr.flags & HT_F_HANDSHAKE || rec->stream == HT_STREAM_TLS || (is_wrapped(conn) && is_hello(rec)))
			conn->kind = HT_CONN_TLS;
		else
			conn->kind = HT_CONN_HTTP1;
	}
	if (conn->kind == HT_CONN_TLS) {
		ht_conn_lost(conn, rec->hdr.lost);
		ht_conn_tls_bytes(conn, rec);
	} else if (conn->kind == HT_CONN_HTTP1 || conn->kind == HT_CONN_HTTP2) {
		ht_conn_plaintext(conn, rec);
	}
}

static bool is_socks(const struct ht_conn *conn, const struct ht_rec_data *rec)
{
	if (conn->kind != HT_CONN_UNDECIDED)
		return conn->kind == HT_CONN_SOCKS;
	return rec->stream == HT_STREAM_SOCKS && (rec->dir == HT_DIR_RX || ht_socks_probe(rec + 1, rec->captured_len));
}

void ht_conn_data(struct ht_engine *engine, const struct ht_rec_data *rec)
{
	struct ht_conn *conn = ht_conn_make(engine, rec->cookie, rec->hdr.flags & HT_F_FOREIGN ? 0 : rec->hdr.tgid);

	if (!conn)
		return;
	if (rec->hdr.flags & (HT_F_FAILED | HT_F_EOF))
		ht_conn_lost(conn, rec->hdr.lost);
	else if (rec->hdr.lost)
		conn->has_lost = true; /* laid to whom by the exchange */
	if (rec->hdr.flags & HT_F_FAILED) {
		if (conn->exchange)
			ht_exchange_io_failed(conn->exchange, rec->hdr.ts_ns, rec->dir, rec->err);
		return;
	}
	if (rec->hdr.flags & HT_F_EOF) {
		/* No event of its own tells that a Unix socket's server has ended its side. */
		if (ht_conn_is_unix(conn) && !conn->fin_ns) {
			conn->fin_ns = rec->hdr.ts_ns;
			if (conn->exchange)
				ht_exchange_fin(conn->exchange, conn->fin_ns);
		}
		if (conn->exchange)
			eof(conn, rec);
		return;
	}
	if (is_wrapped(conn)) {
		ht_conn_lost(conn, rec->hdr.lost);
	} else if (is_socks(conn, rec)) {
		ht_conn_lost(conn, rec->hdr.lost);
		ht_route_socks(conn, rec);
	} else {
		ht_conn_carried(conn, rec);
	}
}
