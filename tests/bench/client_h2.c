/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * client_h2.c - the benchmark's client of HTTP/2, by libnghttp2, as curl has it: one connection over TLS on loopback (OpenSSL with an fd BIO), one
 * stream after another, and nothing between the requests but the clock.
 *
 * client_h2 PORT CA_FILE. Reads commands from standard input, a line each, and answers each with a line:
 *     run N  makes N requests on a fresh connection after one that is not timed: "N wall_ns cpu_ns", user and system time of this process
 * A failure is one line on standard error and exit status 1.
 */
#include <stdbool.h>

#include <nghttp2/nghttp2.h>

#include "connection.h"

#define FIELD(name, value)                                                                                       \
	{                                                                                                        \
		(uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1, sizeof(value) - 1, NGHTTP2_NV_FLAG_NONE \
	}

/* The fields of client.c's request. */
static const nghttp2_nv fields[] = {
	FIELD(":method", "GET"),          FIELD(":path", "/bench"),     FIELD(":scheme", "https"),
	FIELD(":authority", "localhost"), FIELD("user-agent", "bench"), FIELD("accept", "*/*"),
};

struct session {
	struct connection conn;
	nghttp2_session *h2;
	bool is_ok;   /* the stream's status was 200 */
	bool is_over; /* the stream has ended */
};

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name, size_t name_len, const uint8_t *value,
		     size_t value_len, uint8_t flags, void *ctx)
{
	struct session *session = ctx;

	(void)h2, (void)frame, (void)flags;
	if (name_len == 7 && memcmp(name, ":status", 7) == 0)
		session->is_ok = value_len == 3 && memcmp(value, "200", 3) == 0;
	return 0;
}

static int on_stream_close(nghttp2_session *h2, int32_t stream_id, uint32_t code, void *ctx)
{
	struct session *session = ctx;

	(void)h2;
	if (code || !session->is_ok)
		die("stream %d ended with code %u, or without a 200", stream_id, code);
	session->is_over = true;
	return 0;
}

static void flush(struct session *session)
{
	static uint8_t out[4096];
	const uint8_t *data;
	size_t have = 0;
	ssize_t len;

	/* What is to be sent goes in one write, as curl's and nghttp's does. */
	while ((len = nghttp2_session_mem_send(session->h2, &data)) > 0) {
		if ((size_t)len > sizeof(out) - have)
			die("more to send than was expected");
		memcpy(out + have, data, (size_t)len);
		have += (size_t)len;
	}
	if (len < 0)
		die("libnghttp2: %s", nghttp2_strerror((int)len));
	if (have && SSL_write(session->conn.ssl, out, (int)have) != (int)have)
		die("send: %s", ERR_error_string(ERR_get_error(), NULL));
}

static void one_request(struct session *session)
{
	uint8_t in[4096];

	session->is_ok = session->is_over = false;
	if (nghttp2_submit_request(session->h2, NULL, fields, sizeof(fields) / sizeof(fields[0]), NULL, NULL) < 0)
		die("libnghttp2 takes no request");
	flush(session);
	while (!session->is_over) {
		int len = SSL_read(session->conn.ssl, in, (int)sizeof(in));

		if (len <= 0)
			die("the connection ended within a response");
		if (nghttp2_session_mem_recv(session->h2, in, (size_t)len) != len)
			die("libnghttp2 does not understand the response");
	}
}

static void run(unsigned long request_cnt, uint16_t port, SSL_CTX *ctx, const nghttp2_session_callbacks *callbacks)
{
	struct session session = { .is_over = false };
	struct stopwatch watch;

	open_connection(&session.conn, port, ctx);
	if (nghttp2_session_client_new(&session.h2, callbacks, &session) || nghttp2_submit_settings(session.h2, NGHTTP2_FLAG_NONE, NULL, 0))
		die("libnghttp2 makes no session");
	one_request(&session);
	watch = begin();
	for (unsigned long n = 0; n < request_cnt; n++)
		one_request(&session);
	end(&watch, request_cnt);
	nghttp2_session_del(session.h2);
	close_connection(&session.conn);
}

int main(int argc, char **argv)
{
	static const unsigned char alpn[] = { 2, 'h', '2' };
	unsigned long port = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	nghttp2_session_callbacks *callbacks;
	SSL_CTX *ctx;
	char line[64];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (port == 0 || port > 65535)
		die("usage: client_h2 PORT CA_FILE");
	ctx = new_context(argv[2], alpn, sizeof(alpn));
	if (nghttp2_session_callbacks_new(&callbacks))
		die("libnghttp2: no memory");
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	while (fgets(line, sizeof(line), stdin)) {
		if (strncmp(line, "run ", 4) != 0)
			die("no such command: %s", line);
		run(strtoul(line + 4, NULL, 10), (uint16_t)port, ctx, callbacks);
	}
	nghttp2_session_callbacks_del(callbacks);
	SSL_CTX_free(ctx);
	return 0;
}
