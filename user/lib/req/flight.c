/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * flight.c - what requests of every HTTP version have in common: what they ask for, how they came to their connection, how they were sent.
 */
#include "req/flight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conn/conn.h"
#include "conn/conn_tls.h"
#include "conn/dial.h"
#include "conn/route.h"
#include "req/hooks.h"
#include "req/filter.h"
#include "req/redact.h"
#include "util/names.h"

struct ht_flight *ht_flight_new(struct ht_exchange *exchange, uint32_t tid)
{
	struct ht_flight *flight = calloc(1, sizeof(*flight));

	if (!flight)
		return NULL;
	flight->tid = tid;
	flight->request = ht_report_new(exchange->engine, HTTPTRACE_REQUEST, exchange->conn->proc, tid);
	if (!flight->request) {
		free(flight);
		return NULL;
	}
	flight->losses = exchange->engine->losses;
	flight->is_kept = true;
	ht_list_init(&flight->node);
	return flight;
}

void ht_flight_free(struct ht_flight *flight)
{
	ht_list_remove(&flight->node);
	free(flight);
}

/* The authority of an absolute-form target (RFC 9112 section 3.2.2), else an empty span. */
static struct ht_span target_authority(struct ht_span target)
{
	struct ht_span authority = { NULL, 0 };
	const char *end, *p, *at;

	if (!target.len || target.ptr[0] == '/')
		return authority;
	end = target.ptr + target.len;
	p = memmem(target.ptr, target.len, "://", 3);
	if (!p)
		return authority;
	authority.ptr = p + 3;
	for (p += 3; p < end && *p != '/' && *p != '?' && *p != '#'; p++)
		;
	authority.len = (size_t)(p - authority.ptr);
	at = memrchr(authority.ptr, '@', authority.len);
	if (at) {
		authority.len -= (size_t)(at + 1 - authority.ptr);
		authority.ptr = at + 1;
	}
	return authority;
}

static bool has_port(struct ht_span authority)
{
	const char *colon = memrchr(authority.ptr, ':', authority.len);
	const char *bracket = memrchr(authority.ptr, ']', authority.len);

	return colon && (!bracket || colon > bracket);
}

/*
 * What is host and port of an authority as clients write it: no user info, which is a credential. Nothing where it cannot be told from a path or a query
 * that somebody has put there.
 */
static struct ht_span host_only(struct ht_span host)
{
	const char *at = memrchr(host.ptr, '@', host.len);
	size_t len = 0;

	while (len < host.len && !strchr("/?#\\", host.ptr[len]))
		len++;
	if (at && at >= host.ptr + len)
		return (struct ht_span){ NULL, 0 };
	host.len = len;
	if (at) {
		host.len -= (size_t)(at + 1 - host.ptr);
		host.ptr = at + 1;
	}
	return host;
}

static bool is_connect(const struct ht_asked *asked)
{
	return asked->method.len == 7 && !memcmp(asked->method.ptr, "CONNECT", 7) && !asked->is_extended;
}

static bool is_tunnel(const struct ht_conn *conn)
{
	return conn->route && conn->route->is_tunnel;
}

/* Without the brackets of an IPv6 address. */
static struct ht_span host_of(struct ht_span authority, unsigned long *port)
{
	struct ht_span host = { NULL, 0 };

	host.ptr = ht_host_of(authority.ptr, authority.len, &host.len);
	if (has_port(authority))
		*port = strtoul((const char *)memrchr(authority.ptr, ':', authority.len) + 1, NULL, 10);
	return host;
}

/*
 * Is a target in absolute-form meant for somebody else than the peer? Clients send it to proxies only, but may send it to the origin itself (RFC 9112
 * section 3.2.2): it is a proxy where port, address, or the name that was looked up differ from the target's. Where there is a name and nothing to hold it
 * against, nobody knows.
 */
static bool is_for_proxy(const struct ht_conn *conn, const struct ht_asked *asked, struct ht_span authority)
{
	bool is_http = asked->target.len >= 5 && !strncasecmp(asked->target.ptr, "http:", 5);
	unsigned long port = is_http ? 80 : 443;
	struct ht_span host = host_of(authority, &port);
	const char *server_name = ht_conn_tls_server_name(conn);
	struct ht_addr literal;

	if (conn->route || (is_http && asked->is_tls))
		return true;
	if (!conn->remote.family || ht_conn_is_unix(conn))
		return false;
	if (port != conn->remote.port)
		return true;
	if (ht_addr_of_text(host.ptr, host.len, &literal))
		return !ht_addr_is_same_host(&literal, &conn->remote);
	if (conn->dial && conn->dial->lookup)
		return !ht_span_is(host, conn->dial->lookup->host);
	return server_name[0] && !ht_span_is(host, server_name);
}

/* A target in absolute-form may be what tells that there is a proxy. */
static void take_proxy(struct ht_conn *conn, struct httptrace_request *request, const struct ht_asked *asked)
{
	struct ht_span authority = target_authority(asked->target);

	if (!is_tunnel(conn) && authority.len && is_for_proxy(conn, asked, authority) &&
	    ht_route_make(conn, asked->is_tls ? HT_PROXY_HTTPS : HT_PROXY_HTTP))
		ht_route_describe(conn, request);
}

/* The first hop: the proxy where there is one, or the target may be in absolute form for one; else the Host field's, else the address. */
static const char *host_port_of(struct ht_exchange *exchange, struct httptrace_request *request, const struct ht_asked *asked)
{
	struct ht_conn *conn = exchange->conn;
	struct ht_span host = asked->host;
	char text[HT_ROUTE_HOST_PORT_MAX];

	if (is_tunnel(conn) || request->has_proxy || is_connect(asked)) {
		ht_route_proxy_text(conn, text);
		return ht_request_strdup(request, text);
	}
	if (target_authority(asked->target).len)
		host.len = 0;
	if (host.len)
		host = host_only(host);
	if (!host.len) {
		if (conn->dial && conn->dial->lookup)
			return ht_request_printf(request, "%s:%u", conn->dial->lookup->host, conn->remote.port);
		return ht_request_strdup(request, ht_conn_remote_text(conn, text, sizeof(text)));
	}
	if (has_port(host))
		return ht_request_strndup(request, host.ptr, host.len);
	return ht_request_join(
		request, (struct ht_request_piece[]){ { host.ptr, host.len }, { asked->is_tls ? ":443" : ":80", asked->is_tls ? 4 : 3 } },
		2);
}

static const char *url_of(struct ht_exchange *exchange, struct httptrace_request *request, const struct ht_asked *asked)
{
	struct ht_span host = asked->host;
	char remote[HT_ADDR_TEXT_MAX];
	const char *url;
	char *redacted;

	if (!host.len && is_tunnel(exchange->conn))
		host = (struct ht_span){ exchange->conn->route->target, strlen(exchange->conn->route->target) };
	if (is_connect(asked)) {
		url = ht_request_strndup(request, asked->target.ptr, asked->target.len);
	} else if (target_authority(asked->target).len) {
		url = ht_request_strndup(request, asked->target.ptr, asked->target.len);
	} else {
		struct ht_request_piece pieces[3] = { { asked->is_tls ? "https://" : "http://", asked->is_tls ? 8 : 7 } };

		if (!host.len)
			host.len = strlen(host.ptr = ht_addr_port_text(&exchange->conn->remote, remote, sizeof(remote)));
		if (!host.len)
			return NULL;
		pieces[1] = (struct ht_request_piece){ host.ptr, host.len };
		/* RFC 9110 section 7.1: OPTIONS * has a target URI without path. */
		if (asked->target.len != 1 || asked->target.ptr[0] != '*')
			pieces[2] = (struct ht_request_piece){ asked->target.ptr, asked->target.len };
		url = ht_request_join(request, pieces, 3);
	}
	if (!url || exchange->engine->opts.no_redact || !ht_redact_may_change(url, strlen(url)))
		return url;
	redacted = ht_redact_url(url, strlen(url));
	url = ht_request_strdup(request, redacted);
	free(redacted);
	return url;
}

void ht_flight_asks(struct ht_exchange *exchange, struct ht_flight *flight, const struct ht_asked *asked)
{
	struct httptrace_request *request = flight->request;
	size_t method_len = asked->method.len < HT_METHOD_MAX ? asked->method.len : HT_METHOD_MAX;

	if (method_len)
		memcpy(flight->method, asked->method.ptr, method_len);
	flight->method[method_len] = '\0';
	request->method = method_len ? ht_request_strndup(request, asked->method.ptr, asked->method.len) : NULL;
	take_proxy(exchange->conn, request, asked);
	request->host_port = host_port_of(exchange, request, asked);
	request->url = url_of(exchange, request, asked);
}

void ht_flight_got_conn(struct ht_exchange *exchange, struct ht_flight *flight, const char *host_port)
{
	struct httptrace_request *request = flight->request;
	struct ht_conn *conn = exchange->conn;
	struct httptrace_conn *out = &request->conn;
	uint64_t got_ns = flight->begin_ns;

	conn->requests++;
	ht_conn_describe(conn, request);
	request->lost += conn->lost;
	conn->lost = 0;
	out->idle_ns = HTTPTRACE_UNKNOWN_NS;
	if (conn->requests == 1 && (conn->is_whole || is_tunnel(conn))) {
		uint64_t tls_ns = ht_conn_tls_done_ns(conn);
		uint64_t begin_ns = is_tunnel(conn) && conn->route->begin_ns ? conn->route->begin_ns : conn->start_ns;
		uint64_t open_ns = is_tunnel(conn) ? conn->route->open_ns : conn->connected_ns;

		out->reused = HTTPTRACE_NO;
		out->was_idle = HTTPTRACE_NO;
		/* HTTP/1: the dial is the tunnel's. */
		if (conn->dial && !flight->stream_id && !strcmp(flight->method, "CONNECT"))
			ht_dial_show(conn->dial, request, host_port);
		else if (conn->dial)
			ht_dial_give(conn->dial, conn, request, host_port);
		else
			ht_hook_get_conn(request, begin_ns, host_port);
		if (conn->route)
			ht_route_add_tls_hooks(conn->route, request);
		ht_conn_add_tls_hooks(conn, request, NULL, 0);
		got_ns = tls_ns > open_ns ? tls_ns : open_ns;
		/* A connect or handshake whose end was not seen had ended when the first byte was written, and no more is known. */
		if ((conn->tls && !tls_ns) || !got_ns)
			got_ns = flight->begin_ns;
	} else {
		if (conn->requests == 1) { /* older than the tracer: nothing is known of what it did before */
			out->reused = HTTPTRACE_NOT_KNOWN;
			out->was_idle = HTTPTRACE_NOT_KNOWN;
		} else {
			out->reused = HTTPTRACE_YES;
			out->was_idle = flight->was_busy ? HTTPTRACE_NO : HTTPTRACE_YES;
			if (!flight->was_busy && conn->last_end_ns)
				out->idle_ns = got_ns > conn->last_end_ns ? (int64_t)(got_ns - conn->last_end_ns) : 0;
		}
		ht_hook_get_conn(request, got_ns, host_port);
	}
	ht_hook_got_conn(request, got_ns, out->reused, out->was_idle, out->idle_ns);
}

void ht_flight_headless(struct ht_exchange *exchange, struct ht_flight *flight)
{
	const char *host_port = NULL;
	char text[HT_REMOTE_TEXT_MAX];

	if (flight->request->is_identified)
		return;
	if (is_tunnel(exchange->conn))
		host_port = ht_request_strdup(flight->request, exchange->conn->route->host_port);
	else if (ht_conn_remote_text(exchange->conn, text, sizeof(text))[0])
		host_port = ht_request_strdup(flight->request, text);
	flight->request->host_port = host_port;
	ht_flight_got_conn(exchange, flight, host_port);
	flight->request->is_identified = true;
}

void ht_flight_sent_body(struct ht_flight *flight, const struct ht_rec_data *rec, uint64_t n)
{
	uint64_t begin_ns = rec->start_ns ? rec->start_ns : rec->hdr.ts_ns;

	/* hooks.md B3: in the same write as the head, or right behind it, the client did not wait. */
	if (!flight->sent_body_bytes && flight->is_expecting && !flight->is_wait_told) {
		if (begin_ns > flight->head_ns && begin_ns - flight->head_ns > HT_NOT_WAITING_NS)
			ht_flight_wait_continue(flight);
		else
			flight->is_wait_told = true;
	}
	flight->sent_body_bytes += n;
	flight->request->sent.body_bytes = (int64_t)flight->sent_body_bytes;
}

void ht_flight_wait_continue(struct ht_flight *flight)
{
	if (!flight->is_expecting || flight->is_wait_told)
		return;
	flight->is_wait_told = true;
	ht_hook_plain(flight->request, HTTPTRACE_WAIT_100_CONTINUE, flight->head_ns, HTTPTRACE_INFERRED);
}

void ht_flight_written(struct ht_flight *flight, uint64_t ts_ns, const struct httptrace_error *error)
{
	if (flight->is_written)
		return;
	/* A reset may be older than the end of the call that wrote the head. */
	if (ts_ns < flight->head_ns)
		ts_ns = flight->head_ns;
	flight->is_written = true;
	flight->written_ns = ts_ns;
	flight->request->sent.body_bytes = (int64_t)flight->sent_body_bytes;
	ht_hook_wrote_request(flight->request, ts_ns, error);
}

bool ht_flight_keeps_body_back(const struct ht_flight *flight)
{
	return flight->is_answered && !flight->is_written && flight->is_expecting && !flight->sent_body_bytes;
}

void ht_flight_give_up_body(struct ht_flight *flight, uint64_t ts_ns)
{
	ht_flight_wait_continue(flight);
	ht_flight_written(flight, ts_ns,
			  ht_hook_error(flight->request, "body_not_sent",
					"the server answered before the body was sent, and it was not sent"));
}

enum httptrace_phase ht_flight_phase(const struct ht_flight *flight)
{
	if (flight->first_byte_ns)
		return HTTPTRACE_PHASE_RECEIVE;
	return flight->is_written && !flight->is_send_failed ? HTTPTRACE_PHASE_WAIT : HTTPTRACE_PHASE_SEND;
}

/* ---- failures ---- */

static enum httptrace_outcome outcome_of(int err)
{
	return err == ETIMEDOUT ? HTTPTRACE_TIMEOUT : HTTPTRACE_RESET;
}

static void set_errno(struct ht_failure *f, int err)
{
	f->outcome = outcome_of(err);
	f->code = ht_errno_name(err, f->name, sizeof(f->name));
	f->message = ht_errno_text(err);
	f->closer = HTTPTRACE_BY_RESET;
}

void ht_failure_closed(struct ht_failure *f, uint64_t ts_ns, enum httptrace_closer by, int err)
{
	f->ts_ns = ts_ns;
	f->closer = (int)by;
	switch (by) {
	case HTTPTRACE_BY_CLIENT:
		f->outcome = HTTPTRACE_ABORTED;
		f->code = "aborted";
		f->message = "the client closed the connection before the response was whole";
		break;
	case HTTPTRACE_BY_SERVER:
		f->outcome = HTTPTRACE_CLOSED;
		f->code = "closed";
		f->message = "the server closed the connection before the response was whole";
		break;
	case HTTPTRACE_BY_RESET:
		set_errno(f, err ? err : ECONNRESET);
		break;
	}
}

/* The kernel's and the C library's ways to say that a call was only interrupted or found nothing end nothing. */
static bool is_fatal(int err)
{
	return err == ECONNRESET || err == EPIPE || err == ETIMEDOUT || err == ECONNABORTED || err == EHOSTUNREACH || err == ENETUNREACH ||
	       err == ENETDOWN || err == ENETRESET;
}

bool ht_failure_io(struct ht_failure *f, uint64_t ts_ns, int err)
{
	if (!is_fatal(err))
		return false;
	f->ts_ns = ts_ns;
	set_errno(f, err);
	return true;
}

void ht_failure_unseen(struct ht_failure *f, uint64_t ts_ns)
{
	*f = (struct ht_failure){
		.outcome = HTTPTRACE_INCOMPLETE, .code = "incomplete", .message = "its end was not seen", .ts_ns = ts_ns, .closer = -1
	};
}

void ht_failure_gap(struct ht_failure *f, uint64_t ts_ns, const char *message)
{
	*f = (struct ht_failure){ .outcome = HTTPTRACE_INCOMPLETE, .code = "gap", .message = message, .ts_ns = ts_ns, .closer = -1 };
}

static uint64_t later_of(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns > b_ns ? a_ns : b_ns;
}

/*
 * A socket's end tells how many bytes had passed, so that what is missing shows; of a TLS object nobody tells, nor does a process's exit, which comes before
 * its sockets' ends; and behind a loss of the connection's own its bytes need not be read in their places. Where events were lost meanwhile, its response may
 * have been among them.
 */
static bool may_have_missed_end(const struct ht_exchange *exchange, const struct ht_flight *flight, const struct ht_failure *f)
{
	const struct ht_engine *engine = exchange->engine;
	bool has_losses = ht_engine_missed(engine, flight->begin_ns, flight->losses) ||
			  (engine->losses && f->ts_ns < engine->loss_ns + HT_LOSS_NEAR_NS);

	return (exchange->conn->tls || !exchange->conn->is_end_seen || exchange->conn->has_lost) && has_losses &&
	       (f->outcome == HTTPTRACE_ABORTED || f->outcome == HTTPTRACE_CLOSED);
}

/*
 * The connection was seen from its begin, and the end of its handshake was not, though a request went out: the process's calls were not all probed yet. Its
 * response may have been read by one of those.
 */
static bool may_be_unprobed(const struct ht_exchange *exchange, const struct ht_flight *flight, const struct ht_failure *f)
{
	const struct ht_conn *conn = exchange->conn;

	return conn->is_whole && conn->tls && conn->tls->handshake != HT_HANDSHAKE_DONE && !flight->first_byte_ns &&
	       (f->outcome == HTTPTRACE_ABORTED || f->outcome == HTTPTRACE_CLOSED);
}

void ht_flight_closed(struct ht_flight *flight, const struct ht_failure *f)
{
	/* The cause may be older than what the program still did before it noticed. */
	uint64_t closed_ns = later_of(later_of(f->ts_ns, flight->end_ns), later_of(flight->written_ns, flight->first_byte_ns));

	if (f->closer >= 0)
		ht_hook_conn_closed(flight->request, closed_ns, (enum httptrace_closer)f->closer);
}

/* Tracing ends, and the request goes on: it waits for its response, or that is under way (server-sent events, a long poll). */
static bool is_open(const struct ht_exchange *exchange, const struct ht_flight *flight, const struct ht_failure *f)
{
	const struct ht_conn *conn = exchange->conn;

	return f->outcome == HTTPTRACE_INCOMPLETE && exchange->engine->is_ended && !conn->is_closed && !conn->fin_ns && !conn->reset_ns &&
	       (flight->is_written || flight->first_byte_ns);
}

void ht_flight_fail(struct ht_exchange *exchange, struct ht_flight *flight, const struct ht_failure *failure)
{
	struct httptrace_request *request = flight->request;
	enum httptrace_phase phase = ht_flight_phase(flight);
	uint64_t missed = ht_engine_missed(exchange->engine, flight->begin_ns, flight->losses);
	struct ht_failure unsure = *failure;
	const struct ht_failure *f = failure;

	if (may_have_missed_end(exchange, flight, failure)) {
		unsure.message = "its end may be among the events that were lost";
		if (!request->lost)
			request->lost = missed ? missed : 1;
		f = &unsure;
	} else if (may_be_unprobed(exchange, flight, failure)) {
		unsure.message = "its response may have been read before all calls were probed";
		f = &unsure;
	}
	if (f == &unsure) {
		unsure.outcome = HTTPTRACE_INCOMPLETE;
		unsure.code = "incomplete";
	}
	if (!flight->has_head)
		ht_flight_headless(exchange, flight);
	ht_flight_wait_continue(flight);
	if (flight->has_head && !flight->is_written && f->outcome != HTTPTRACE_INCOMPLETE)
		ht_flight_written(flight, f->ts_ns,
				  ht_hook_error(request, f->code ? f->code : httptrace_outcome__name(f->outcome), f->message));
	if (flight->has_final)
		request->received.body_bytes = (int64_t)flight->got_body_bytes;
	if (flight->got_body_bytes)
		ht_hook_body(request, f->ts_ns, flight->got_body_bytes);
	ht_report_outcome(request, f->outcome, phase, f->code, f->message, f->ts_ns);
	request->is_open = f == failure && is_open(exchange, flight, f) && !missed;
	if (f->outcome == HTTPTRACE_INCOMPLETE && !request->lost)
		request->lost = missed;
	ht_flight_closed(flight, f);
}
