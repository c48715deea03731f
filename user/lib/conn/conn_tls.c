/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * conn_tls.c - TLS facts of a connection, and how a request is told about its connection.
 */
#include "conn/conn_tls.h"

#include <stdlib.h>
#include <string.h>

#include "conn/conn.h"
#include "conn/route.h"
#include "conn/tls_object.h"
#include "req/hooks.h"
#include "req/request.h"
#include "util/names.h"

#define TLS_1_3                 0x0304
#define TLS_ALERT_RECORD        21
#define TLS_RECORD_HEADER_BYTES 5
#define TLS_ALERT_FATAL         2

void ht_conn_tls_clear(struct ht_conn *conn)
{
	for (int dir = 0; dir < 2; dir++) {
		ht_hello_free(conn->hello[dir]);
		conn->hello[dir] = NULL;
	}
	free(conn->client_hello);
	free(conn->server_hello);
	conn->client_hello = NULL;
	conn->server_hello = NULL;
}

/* Alerts in clear: as one piece, or header and body apart (a client that reads record headers first). */
static void look_for_alert(struct ht_conn *conn, const struct ht_rec_data *rec)
{
	const uint8_t *data = (const uint8_t *)(rec + 1);
	uint8_t level = 0, description = 0;
	bool is_alert = false;

	if (conn->is_alert_next[rec->dir] && rec->captured_len == 2) {
		level = data[0];
		description = data[1];
		is_alert = true;
	} else if (ht_tls_alert(data, rec->captured_len, &level, &description) == 1) {
		is_alert = true;
	}
	conn->is_alert_next[rec->dir] = rec->captured_len == TLS_RECORD_HEADER_BYTES && data[0] == TLS_ALERT_RECORD && data[3] == 0 &&
					data[4] == 2;
	if (is_alert && level == TLS_ALERT_FATAL && !conn->alert_by) {
		conn->alert_by = rec->dir == HT_DIR_TX ? 1 : 2;
		conn->alert = description;
	}
}

static void keep_facts(struct ht_conn *conn, int dir)
{
	const struct ht_client_hello *client = ht_hello_client(conn->hello[dir]);
	const struct ht_server_hello *server = ht_hello_server(conn->hello[dir]);

	if (client && !conn->client_hello) {
		conn->client_hello = malloc(sizeof(*client));
		if (conn->client_hello)
			*conn->client_hello = *client;
	}
	if (server && !conn->server_hello) {
		conn->server_hello = malloc(sizeof(*server));
		if (conn->server_hello)
			*conn->server_hello = *server;
	}
}

void ht_conn_tls_bytes(struct ht_conn *conn, const struct ht_rec_data *rec)
{
	int dir = rec->dir;
	enum ht_hello_state state;

	look_for_alert(conn, rec);
	if (dir == HT_DIR_TX ? conn->client_hello != NULL : conn->server_hello != NULL)
		return;
	if (!conn->hello[dir]) {
		/* Joined in the middle: no hello will come. */
		if (rec->off && !conn->is_whole && !(conn->route && conn->route->is_tunnel))
			return;
		conn->hello[dir] = ht_hello_new(dir == HT_DIR_TX ? HT_HELLO_CLIENT : HT_HELLO_SERVER);
		if (!conn->hello[dir])
			return;
		conn->hello_ns[dir] = rec->hdr.ts_ns;
		conn->hello_off[dir] = rec->hdr.flags & HT_F_HANDSHAKE ? rec->off : conn->begin_off[dir];
	}
	state = HT_HELLO_MORE;
	if (rec->off > conn->hello_off[dir])
		state = ht_hello_skip(conn->hello[dir], rec->off - conn->hello_off[dir]);
	if (state == HT_HELLO_MORE)
		state = ht_hello_feed(conn->hello[dir], rec + 1, rec->captured_len);
	if (state == HT_HELLO_MORE && rec->captured_len < rec->orig_len)
		state = ht_hello_skip(conn->hello[dir], rec->orig_len - rec->captured_len);
	conn->hello_off[dir] = rec->off + rec->orig_len;
	if (state != HT_HELLO_DONE)
		return;
	keep_facts(conn, dir);
	/* Connections are many, and what is read once need not stay. */
	if (dir == HT_DIR_TX ? conn->client_hello != NULL : conn->server_hello != NULL) {
		ht_hello_free(conn->hello[dir]);
		conn->hello[dir] = NULL;
	}
}

bool ht_conn_offers_http(const struct ht_conn *conn)
{
	const struct ht_client_hello *hello = conn->client_hello;

	for (unsigned int i = 0; hello && i < hello->alpn_cnt; i++)
		if (!strcmp(hello->alpn[i], "h2") || !strcmp(hello->alpn[i], "http/1.1") || !strcmp(hello->alpn[i], "http/1.0"))
			return true;
	return false;
}

uint64_t ht_conn_tls_done_ns(const struct ht_conn *conn)
{
	return conn->tls && conn->tls->handshake == HT_HANDSHAKE_DONE ? conn->tls->done_ns : 0;
}

static enum httptrace_tristate is_resumed(const struct ht_conn *conn)
{
	const struct ht_client_hello *client = conn->client_hello;
	const struct ht_server_hello *server = conn->server_hello;

	if (!server)
		return HTTPTRACE_NOT_KNOWN;
	if (server->version >= TLS_1_3)
		return server->is_psk ? HTTPTRACE_YES : HTTPTRACE_NO;
	/* RFC 5246 section 7.4.1.3, RFC 5077 section 3.4: the server echoes the client's session id when it resumes. */
	if (!client)
		return HTTPTRACE_NOT_KNOWN;
	return client->session_id_len && client->session_id_len == server->session_id_len &&
			       !memcmp(client->session_id, server->session_id, server->session_id_len)
		       ? HTTPTRACE_YES
		       : HTTPTRACE_NO;
}

const char *ht_conn_tls_cipher_text(struct httptrace_request *request, uint16_t cipher)
{
	const char *name = ht_tls_cipher_name(cipher);

	return name ? name : ht_request_printf(request, "0x%04X", cipher);
}

void ht_conn_tls_facts(const struct ht_conn *conn, const char **version, uint16_t *cipher, enum httptrace_tristate *resumed)
{
	*version = conn->server_hello ? ht_tls_version_name(conn->server_hello->version) : NULL;
	*cipher = conn->server_hello ? conn->server_hello->cipher : 0;
	*resumed = is_resumed(conn);
}

const char *ht_conn_tls_alpn(const struct ht_conn *conn)
{
	if (conn->tls && conn->tls->alpn[0])
		return conn->tls->alpn;
	return conn->server_hello ? conn->server_hello->alpn : "";
}

const char *ht_conn_tls_server_name(const struct ht_conn *conn)
{
	if (conn->client_hello && conn->client_hello->server_name[0])
		return conn->client_hello->server_name;
	return conn->tls ? conn->tls->server_name : "";
}

static void fill_tls(const struct ht_conn *conn, struct httptrace_request *request)
{
	const struct ht_tls_object *tls = conn->tls;
	struct httptrace_tls *out = &request->tls;
	const char *alpn = ht_conn_tls_alpn(conn), *server_name = ht_conn_tls_server_name(conn);
	uint16_t cipher;

	*out = (struct httptrace_tls){ .sz = sizeof(*out) };
	ht_conn_tls_facts(conn, &out->version, &cipher, &out->resumed);
	if (tls) {
		out->library = ht_tls_library_name(tls->library);
		out->bound_by = ht_tls_evidence_name(tls->evidence);
	}
	if (conn->server_hello)
		out->cipher = ht_conn_tls_cipher_text(request, cipher);
	if (alpn[0])
		out->alpn = ht_request_strdup(request, alpn);
	if (server_name[0])
		out->server_name = ht_request_strdup(request, server_name);
}

void ht_conn_describe(const struct ht_conn *conn, struct httptrace_request *request)
{
	struct httptrace_conn *out = &request->conn;
	char text[HT_REMOTE_TEXT_MAX] = "c-";

	request->has_conn = true;
	out->sz = sizeof(*out);
	out->id = ht_request_strndup(request, text, (size_t)(ht_decimal(text + 2, conn->number) - text));
	out->local = conn->local.family ? ht_request_strdup(request, ht_addr_port_text(&conn->local, text, sizeof(text))) : NULL;
	ht_conn_remote_text(conn, text, sizeof(text));
	out->remote = text[0] ? ht_request_strdup(request, text) : NULL;
	out->request_index = conn->requests;
	if (!conn->requests) {
		out->reused = HTTPTRACE_NOT_KNOWN;
		out->was_idle = HTTPTRACE_NOT_KNOWN;
		out->idle_ns = HTTPTRACE_UNKNOWN_NS;
	}
	if (conn->kind == HT_CONN_TLS) {
		request->has_tls = true;
		fill_tls(conn, request);
		out->tls = &request->tls;
	}
	if (conn->route && (conn->route->is_tunnel || conn->route->socks))
		ht_route_describe(conn, request);
}

void ht_conn_add_tls_hooks(const struct ht_conn *conn, struct httptrace_request *request, const struct httptrace_error *err,
			   uint64_t err_ns)
{
	const struct ht_tls_object *tls = conn->tls;
	uint64_t done_ns = ht_conn_tls_done_ns(conn);
	struct httptrace_tls_handshake_done_info info = { .error = err, .resumed = HTTPTRACE_NOT_KNOWN };
	bool is_told = tls && tls->start_ns;
	uint64_t start_ns = is_told ? tls->start_ns : conn->hello_ns[HT_DIR_TX];

	if (!start_ns)
		return;
	ht_hook_plain(request, HTTPTRACE_TLS_HANDSHAKE_START, start_ns, is_told ? HTTPTRACE_OBSERVED : HTTPTRACE_PROXY);
	/* A reset may be older than the handshake that it puts an end to. */
	if (err)
		done_ns = err_ns > start_ns ? err_ns : start_ns;
	if (!done_ns)
		return;
	if (request->has_tls && !err) {
		info.version = request->tls.version;
		info.cipher = request->tls.cipher;
		info.alpn = request->tls.alpn;
		info.resumed = request->tls.resumed;
	}
	if (request->has_tls)
		info.server_name = request->tls.server_name;
	ht_request_add_hook(request, HTTPTRACE_TLS_HANDSHAKE_DONE, (int64_t)done_ns, HTTPTRACE_OBSERVED, &info);
}
