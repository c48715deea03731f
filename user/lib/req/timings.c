/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * timings.c - where a request's time went, from the times of its hooks.
 *
 * In:  a request's hooks, its connection, its end. Out: struct httptrace_timings. Nothing is kept.
 * A phase whose begin or end is missing is unknown. Where a hook stands more than once (a retry inside one request) the first begin and the
 * last end count; but of handshakes, of which one with an HTTPS proxy has one more, with a CONNECT between them: the time that they took. A
 * WebSocket has no phases: its total is all of its time.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "req/request.h"

#define UNKNOWN HTTPTRACE_UNKNOWN_NS

static int64_t first_of(const struct httptrace_request *request, enum httptrace_hook_id id)
{
	const struct httptrace_hook *hook = ht_request_find_hook(request, id, 0);

	return hook ? hook->mono_ns : UNKNOWN;
}

static int64_t last_of(const struct httptrace_request *request, enum httptrace_hook_id id)
{
	size_t i;

	for (i = request->hook_cnt; i > 0; i--)
		if (request->hooks[i - 1].id == id)
			return request->hooks[i - 1].info->mono_ns;
	return UNKNOWN;
}

/* Not below 0: a response may come before the request was written, and clocks of two probes are read one after the other. */
static int64_t between(int64_t from_ns, int64_t to_ns)
{
	if (from_ns == UNKNOWN || to_ns == UNKNOWN)
		return UNKNOWN;
	return to_ns > from_ns ? to_ns - from_ns : 0;
}

/* All handshakes that have an end. */
static int64_t handshakes(const struct httptrace_request *request)
{
	int64_t start_ns = UNKNOWN, sum_ns = UNKNOWN, took_ns;
	size_t i;

	for (i = 0; i < request->hook_cnt; i++) {
		if (request->hooks[i].id == HTTPTRACE_TLS_HANDSHAKE_START && start_ns == UNKNOWN)
			start_ns = request->hooks[i].info->mono_ns;
		if (request->hooks[i].id != HTTPTRACE_TLS_HANDSHAKE_DONE)
			continue;
		took_ns = between(start_ns, request->hooks[i].info->mono_ns);
		if (took_ns != UNKNOWN)
			sum_ns = (sum_ns == UNKNOWN ? 0 : sum_ns) + took_ns;
		start_ns = UNKNOWN;
	}
	return sum_ns;
}

/* When the attempt that gave the connection was through: of several that succeeded, the one to the connection's peer. */
static int64_t winner_done(const struct httptrace_request *request)
{
	const char *remote = request->has_conn ? request->conn.remote : NULL;
	int64_t done_ns = UNKNOWN;
	size_t i;

	for (i = 0; i < request->hook_cnt; i++) {
		const struct httptrace_connect_done_info *info = (const void *)request->hooks[i].info;

		if (request->hooks[i].id != HTTPTRACE_CONNECT_DONE || info->error)
			continue;
		if (remote && info->addr && !strcmp(remote, info->addr))
			return info->hook.mono_ns;
		if (done_ns == UNKNOWN)
			done_ns = info->hook.mono_ns;
	}
	return done_ns;
}

/* Is the end of the connect only known to be no later than what followed it? An upper bound is no time. */
static bool has_unseen_end(const struct httptrace_request *request)
{
	const struct httptrace_hook *done = ht_request_find_hook(request, HTTPTRACE_CONNECT_DONE, 0);

	return done && done->how == HTTPTRACE_INFERRED;
}

/* What lies between GetConn and GotConn and is no known phase. Unknown rather than 0 where nothing does: then no waiting was seen. */
static int64_t blocked(int64_t get_conn_ns, int64_t got_conn_ns, const struct httptrace_timings *t)
{
	const int64_t phases[] = { t->dns_ns, t->connect_ns, t->tls_ns };
	int64_t rest_ns = between(get_conn_ns, got_conn_ns);
	size_t i;

	if (rest_ns == UNKNOWN)
		return UNKNOWN;
	for (i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
		if (phases[i] != UNKNOWN)
			rest_ns -= phases[i];
	return rest_ns > 0 ? rest_ns : UNKNOWN;
}

int httptrace_request__timings(const struct httptrace_request *request, struct httptrace_timings *timings)
{
	struct httptrace_timings t = {
		.blocked_ns = UNKNOWN,
		.dns_ns = UNKNOWN,
		.connect_ns = UNKNOWN,
		.tls_ns = UNKNOWN,
	};
	int64_t get_conn_ns, got_conn_ns, wrote_ns, first_byte_ns;
	size_t sz;

	if (!request || !timings || timings->sz < offsetof(struct httptrace_timings, blocked_ns) + sizeof(t.blocked_ns))
		return -EINVAL;

	get_conn_ns = first_of(request, HTTPTRACE_GET_CONN);
	got_conn_ns = last_of(request, HTTPTRACE_GOT_CONN);
	wrote_ns = last_of(request, HTTPTRACE_WROTE_REQUEST);
	first_byte_ns = first_of(request, HTTPTRACE_GOT_FIRST_RESPONSE_BYTE);

	if (!request->has_conn || request->conn.reused != HTTPTRACE_YES) {
		t.dns_ns = between(first_of(request, HTTPTRACE_DNS_START), last_of(request, HTTPTRACE_DNS_DONE));
		if (!has_unseen_end(request))
			t.connect_ns = between(first_of(request, HTTPTRACE_CONNECT_START), winner_done(request));
		t.tls_ns = handshakes(request);
	}
	/* A connect of unknown length may be all of it. */
	if (!has_unseen_end(request))
		t.blocked_ns = blocked(get_conn_ns, got_conn_ns, &t);
	t.send_ns = between(got_conn_ns, wrote_ns);
	t.wait_ns = between(wrote_ns, first_byte_ns);
	t.receive_ns = between(first_byte_ns, request->end_ns);
	t.total_ns = between(request->kind == HTTPTRACE_WEBSOCKET ? httptrace_request__mono_ns(request) : get_conn_ns, request->end_ns);

	/*
	 * A caller built with a later header keeps what this version does not know as it was; one built with an earlier gets no more than
	 * it has room for.
	 */
	sz = timings->sz < sizeof(t) ? timings->sz : sizeof(t);
	t.sz = timings->sz;
	memcpy(timings, &t, sz);
	return 0;
}
