/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * route.c - proxies: what is kept of them, the SOCKS handshake, and what requests tell of them.
 */
#include "conn/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn/conn.h"
#include "conn/conn_tls.h"
#include "conn/dial.h"
#include "conn/tls_object.h"
#include "req/hooks.h"
#include "req/request.h"
#include "util/names.h"

void ht_route_proxy_text(const struct ht_conn *conn, char buf[HT_ROUTE_HOST_PORT_MAX])
{
	if (conn->route)
		memcpy(buf, conn->route->host_port, HT_ROUTE_HOST_PORT_MAX);
	else if (conn->dial && conn->dial->lookup)
		snprintf(buf, HT_ROUTE_HOST_PORT_MAX, "%s:%u", conn->dial->lookup->host, conn->remote.port);
	else if (ht_conn_tls_server_name(conn)[0] && conn->remote.port)
		snprintf(buf, HT_ROUTE_HOST_PORT_MAX, "%s:%u", ht_conn_tls_server_name(conn), conn->remote.port);
	else
		ht_conn_remote_text(conn, buf, HT_ROUTE_HOST_PORT_MAX);
}

struct ht_route *ht_route_make(struct ht_conn *conn, enum ht_proxy_type type)
{
	struct ht_route *route = conn->route;
	char text[HT_ROUTE_HOST_PORT_MAX];

	if (!route) {
		route = calloc(1, sizeof(*route));
		if (!route) {
			conn->engine->counts.out_of_memory++;
			return NULL;
		}
		ht_route_proxy_text(conn, text);
		memcpy(route->host_port, text, sizeof(text));
		conn->route = route;
	}
	if (!route->is_tunnel)
		route->type = type;
	return route;
}

void ht_route_free(struct ht_conn *conn)
{
	struct ht_route *route = conn->route;

	if (!route)
		return;
	while (route->tls)
		ht_tls_unbind(route->tls);
	conn->route = NULL;
	free(route->socks);
	free(route);
}

/* ---- the tunnel ---- */

/* What the handshakes so far told is the proxy's. */
static void take_tls(struct ht_conn *conn)
{
	struct ht_route *route = conn->route;
	struct ht_proxy_tls *to = &route->proxy_tls;

	if (!conn->tls)
		return;
	route->is_wrapped = true;
	if (route->tls)
		route->tls->is_ignored = true; /* what it carries now is the next proxy's TLS */
	conn->tls->outer = route->tls;
	route->tls = conn->tls;
	to->start_ns = conn->tls->start_ns ? conn->tls->start_ns : conn->hello_ns[HT_DIR_TX];
	to->how = conn->tls->start_ns ? HTTPTRACE_OBSERVED : HTTPTRACE_PROXY;
	to->done_ns = ht_conn_tls_done_ns(conn);
	ht_conn_tls_facts(conn, &to->version, &to->cipher, &to->resumed);
	snprintf(to->alpn, sizeof(to->alpn), "%s", ht_conn_tls_alpn(conn));
	snprintf(to->server_name, sizeof(to->server_name), "%s", ht_conn_tls_server_name(conn));
	conn->tls = NULL;
}

void ht_route_enter(struct ht_conn *conn, uint64_t now_ns, const uint64_t off[2])
{
	struct ht_route *route = conn->route;

	take_tls(conn);
	ht_conn_tls_clear(conn);
	for (int dir = 0; dir < 2; dir++) {
		conn->begin_off[dir] = off[dir];
		conn->hello_off[dir] = 0;
		conn->hello_ns[dir] = 0;
		conn->is_alert_next[dir] = false;
	}
	conn->alert_by = 0;
	conn->kind = HT_CONN_TUNNEL;
	conn->requests = 0;
	conn->last_end_ns = 0;
	route->is_tunnel = true;
	route->open_ns = now_ns;
	conn->engine->counts.tunnels++;
}

bool ht_route_connected(struct ht_conn *conn, const char *target, uint64_t begin_ns, int status)
{
	struct ht_route *route = ht_route_make(conn, conn->tls || conn->kind == HT_CONN_TLS ? HT_PROXY_HTTPS : HT_PROXY_HTTP);

	if (!route)
		return false;
	snprintf(route->target, sizeof(route->target), "%s", target);
	if (route->is_tunnel)
		return true;
	route->status = status;
	route->begin_ns = conn->dial ? 0 : begin_ns;
	return true;
}

/* ---- SOCKS ---- */

static void set_target(struct ht_route *route, const struct ht_socks *socks)
{
	bool is_v6 = !socks->is_name && strchr(socks->host, ':');

	snprintf(route->target, sizeof(route->target), is_v6 ? "[%s]:%u" : "%s:%u", socks->host, socks->port);
}

static void end_socks(struct ht_route *route)
{
	free(route->socks);
	route->socks = NULL;
}

/* What the record has behind the handshake's end: a record of its own. */
static void pass_on(struct ht_conn *conn, const struct ht_rec_data *rec, uint32_t at)
{
	uint32_t captured = rec->captured_len > at ? rec->captured_len - at : 0;
	struct ht_rec_data *rest = malloc(sizeof(*rest) + captured);

	if (!rest) {
		conn->engine->counts.out_of_memory++;
		return; /* the offsets will tell the gap */
	}
	*rest = *rec;
	rest->off += at;
	rest->orig_len -= at;
	rest->captured_len = captured;
	rest->hdr.lost = 0;
	if (captured)
		memcpy(rest + 1, (const uint8_t *)(rec + 1) + at, captured);
	ht_conn_carried(conn, rest);
	free(rest);
}

/* The bytes of the record that belong to the handshake; those missing in front of it are told to it. */
static uint32_t feed_socks(struct ht_route *route, const struct ht_rec_data *rec)
{
	enum ht_socks_side side = rec->dir == HT_DIR_TX ? HT_SOCKS_CLIENT : HT_SOCKS_PROXY;
	uint64_t *off = &route->off[rec->dir];
	const uint8_t *data = (const uint8_t *)(rec + 1);
	uint32_t known = *off > rec->off ? (uint32_t)(*off - rec->off) : 0, used;

	/* Not by skip: what no record told need not be a password. */
	if (rec->off > *off) {
		route->socks->state = HT_SOCKS_FAILED;
		route->socks->error = HT_SOCKS_GAP;
	}
	used = known < rec->captured_len ? known : rec->captured_len;
	used += (uint32_t)ht_socks_feed(route->socks, side, data + used, rec->captured_len - used);
	if (used >= rec->captured_len) {
		if (used < known)
			used = known;
		used += (uint32_t)ht_socks_skip(route->socks, side, rec->orig_len - used);
	}
	*off = rec->off + used;
	return used;
}

void ht_route_socks(struct ht_conn *conn, const struct ht_rec_data *rec)
{
	struct ht_route *route = conn->route ? conn->route : ht_route_make(conn, HT_PROXY_SOCKS5);
	struct ht_socks *socks;
	uint64_t off[2];
	uint32_t used;

	if (!route)
		return;
	if (!route->socks) {
		route->socks = malloc(sizeof(*route->socks));
		if (!route->socks) {
			conn->engine->counts.out_of_memory++;
			return;
		}
		ht_socks_init(route->socks);
		if (!conn->dial)
			route->begin_ns = rec->start_ns ? rec->start_ns : rec->hdr.ts_ns;
		conn->kind = HT_CONN_SOCKS;
	}
	socks = route->socks;
	if (rec->off + rec->orig_len <= route->off[rec->dir])
		return; /* told before: the records of a call that was seen twice */
	used = feed_socks(route, rec);
	if (socks->version)
		route->type = socks->version == 4 ? HT_PROXY_SOCKS4 : HT_PROXY_SOCKS5;
	if (socks->has_target && !route->target[0])
		set_target(route, socks);
	switch (socks->state) {
	case HT_SOCKS_RUNNING:
		break;
	case HT_SOCKS_DONE:
		memcpy(off, route->off, sizeof(off));
		end_socks(route);
		ht_route_enter(conn, rec->hdr.ts_ns, off);
		if (used < rec->orig_len)
			pass_on(conn, rec, used);
		break;
	case HT_SOCKS_REFUSED:
		conn->kind = HT_CONN_OTHER;
		if (conn->dial)
			ht_dial_end(conn->dial, conn, HT_DIAL_PROXY_FAILED, rec->hdr.ts_ns);
		end_socks(route);
		break;
	case HT_SOCKS_FAILED:
		conn->kind = HT_CONN_OTHER;
		if (socks->error == HT_SOCKS_GAP) {
			ht_conn_lost(conn, rec->hdr.lost ? 0 : 1);
			if (conn->dial)
				ht_dial_end(conn->dial, conn, HT_DIAL_PROXY_CUT, rec->hdr.ts_ns);
			end_socks(route);
			break;
		}
		ht_engine_log(conn->engine, "connection c-%llu: SOCKS: %s: left alone", (unsigned long long)conn->number,
			      ht_socks_error_name(socks->error));
		conn->engine->counts.not_http++;
		ht_conn_forget_dial(conn);
		end_socks(route);
		break;
	}
}

/* ---- what requests tell ---- */

void ht_route_describe(const struct ht_conn *conn, struct httptrace_request *request)
{
	static const char *const types[] = {
		[HT_PROXY_HTTP] = "http",
		[HT_PROXY_HTTPS] = "https",
		[HT_PROXY_SOCKS4] = "socks4",
		[HT_PROXY_SOCKS5] = "socks5",
	};
	const struct ht_route *route = conn->route;
	char text[HT_REMOTE_TEXT_MAX];

	ht_conn_remote_text(conn, text, sizeof(text));
	request->has_proxy = true;
	request->proxy = (struct httptrace_proxy){
		.sz = sizeof(request->proxy),
		.type = types[route->type],
		.address = text[0] ? ht_request_strdup(request, text) : NULL,
		.status = route->status,
	};
	request->conn.proxy = &request->proxy;
}

void ht_route_add_tls_hooks(const struct ht_route *route, struct httptrace_request *request)
{
	const struct ht_proxy_tls *tls = &route->proxy_tls;
	struct httptrace_tls_handshake_done_info info = { .version = tls->version, .resumed = tls->resumed };

	if (!tls->start_ns)
		return;
	ht_hook_plain(request, HTTPTRACE_TLS_HANDSHAKE_START, tls->start_ns, tls->how);
	if (!tls->done_ns)
		return;
	if (tls->cipher)
		info.cipher = ht_conn_tls_cipher_text(request, tls->cipher);
	if (tls->alpn[0])
		info.alpn = ht_request_strdup(request, tls->alpn);
	if (tls->server_name[0])
		info.server_name = ht_request_strdup(request, tls->server_name);
	ht_request_add_hook(request, HTTPTRACE_TLS_HANDSHAKE_DONE, (int64_t)tls->done_ns, HTTPTRACE_OBSERVED, &info);
}
