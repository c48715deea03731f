/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_tls_hello.c - hellos of real connections at every split, made ones that are wrong in one point each, alerts, names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hello_samples.h"
#include "proto/tls_hello.h"

#define SAMPLE(name) name, sizeof(name)

static const struct {
	const char *why;
	const unsigned char *client;
	size_t client_len;
	const unsigned char *server;
	size_t server_len;
	const char *server_name;
	const char *alpn[2];
	unsigned int alpn_cnt;
	bool has_session_id, has_ticket, has_psk;
	uint16_t version, cipher;
	bool is_psk;
	const char *server_alpn;
	bool is_same_id;
} samples[] = {
	{ "TLS 1.2 by choice of the client; the server knows no ALPN",
	  SAMPLE(sample_tls12_client),
	  SAMPLE(sample_tls12_server),
	  "h.test",
	  { "h2", "http/1.1" },
	  2,
	  false,
	  false,
	  false,
	  0x0303,
	  0xc02c,
	  false,
	  "",
	  false },
	{ "TLS 1.2, session by id, the first time",
	  SAMPLE(sample_tls12_id_full_client),
	  SAMPLE(sample_tls12_id_full_server),
	  "h.test",
	  { "h2", "http/1.1" },
	  2,
	  false,
	  false,
	  false,
	  0x0303,
	  0xc02c,
	  false,
	  "http/1.1",
	  false },
	{ "TLS 1.2, the session resumed by its id: the server repeats it",
	  SAMPLE(sample_tls12_id_resumed_client),
	  SAMPLE(sample_tls12_id_resumed_server),
	  "h.test",
	  { "h2", "http/1.1" },
	  2,
	  true,
	  false,
	  false,
	  0x0303,
	  0xc02c,
	  false,
	  "http/1.1",
	  true },
	{ "TLS 1.2, resumed by ticket: the id is the client's, repeated",
	  SAMPLE(sample_tls12_ticket_resumed_client),
	  SAMPLE(sample_tls12_ticket_resumed_server),
	  "h.test",
	  { NULL },
	  0,
	  true,
	  true,
	  false,
	  0x0303,
	  0xc02c,
	  false,
	  "",
	  true },
	{ "TLS 1.3: version from supported_versions, ALPN is encrypted",
	  SAMPLE(sample_tls13_client),
	  SAMPLE(sample_tls13_server),
	  "h.test",
	  { "http/1.1" },
	  1,
	  true,
	  false,
	  false,
	  0x0304,
	  0x1302,
	  false,
	  "",
	  true },
	{ "TLS 1.3, resumed: pre_shared_key on both sides",
	  SAMPLE(sample_tls13_resumed_client),
	  SAMPLE(sample_tls13_resumed_server),
	  "h.test",
	  { "http/1.1" },
	  1,
	  true,
	  false,
	  true,
	  0x0304,
	  0x1302,
	  true,
	  "",
	  true },
	{ "HelloRetryRequest: the first ClientHello and the second ServerHello count",
	  SAMPLE(sample_tls13_retry_client),
	  SAMPLE(sample_tls13_retry_server),
	  "h.test",
	  { NULL },
	  0,
	  true,
	  false,
	  false,
	  0x0304,
	  0x1302,
	  false,
	  "",
	  true },
	{ "curl: padded to 517 bytes, offers HTTP/2",
	  SAMPLE(sample_curl_client),
	  SAMPLE(sample_curl_server),
	  "localhost",
	  { "h2", "http/1.1" },
	  2,
	  true,
	  false,
	  false,
	  0x0304,
	  0x1302,
	  false,
	  "",
	  true },
};

/*
 * Feeds [0, first), [first, second), [second, len); len is given in a buffer of exactly that size, for a sanitizer to see what is read
 * beyond.
 */
static enum ht_hello_state feed_split(struct ht_hello *hello, const unsigned char *data, size_t len, size_t first, size_t second)
{
	const size_t ends[] = { first, second, len };
	enum ht_hello_state state = HT_HELLO_MORE;
	size_t at = 0;

	for (size_t i = 0; i < 3; i++) {
		size_t n = ends[i] - at;
		unsigned char *piece = malloc(n ? n : 1);

		assert_non_null(piece);
		memcpy(piece, data + at, n);
		state = ht_hello_feed(hello, piece, n);
		free(piece);
		at = ends[i];
	}
	return state;
}

static void expect_client(size_t i, const struct ht_hello *hello)
{
	const struct ht_client_hello *facts = ht_hello_client(hello);

	assert_non_null(facts);
	assert_null(ht_hello_server(hello));
	assert_string_equal(facts->server_name, samples[i].server_name);
	assert_int_equal(facts->alpn_cnt, samples[i].alpn_cnt);
	for (unsigned int j = 0; j < facts->alpn_cnt; j++)
		assert_string_equal(facts->alpn[j], samples[i].alpn[j]);
	assert_int_equal(facts->has_session_id, samples[i].has_session_id);
	assert_int_equal(facts->session_id_len, samples[i].has_session_id ? 32 : 0);
	assert_int_equal(facts->has_ticket, samples[i].has_ticket);
	assert_int_equal(facts->has_psk, samples[i].has_psk);
	/* The random stands at a fixed place of the first record. */
	assert_memory_equal(facts->random, samples[i].client + 11, 32);
}

static void expect_server(size_t i, const struct ht_hello *hello)
{
	const struct ht_server_hello *facts = ht_hello_server(hello);

	assert_non_null(facts);
	assert_null(ht_hello_client(hello));
	assert_int_equal(facts->version, samples[i].version);
	assert_int_equal(facts->cipher, samples[i].cipher);
	assert_int_equal(facts->is_psk, samples[i].is_psk);
	assert_string_equal(facts->alpn, samples[i].server_alpn);
}

static void samples_at_every_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct ht_hello *hello;

		print_message("%s\n", samples[i].why);
		for (size_t at = 0; at <= samples[i].client_len; at++) {
			size_t second = at + 7 <= samples[i].client_len ? at + 7 : samples[i].client_len;

			hello = ht_hello_new(HT_HELLO_CLIENT);
			assert_non_null(hello);
			assert_int_equal(feed_split(hello, samples[i].client, samples[i].client_len, at, second), HT_HELLO_DONE);
			expect_client(i, hello);
			ht_hello_free(hello);
		}
		for (size_t at = 0; at <= samples[i].server_len; at++) {
			size_t second = at + 3 <= samples[i].server_len ? at + 3 : samples[i].server_len;

			hello = ht_hello_new(HT_HELLO_SERVER);
			assert_non_null(hello);
			assert_int_equal(feed_split(hello, samples[i].server, samples[i].server_len, at, second), HT_HELLO_DONE);
			expect_server(i, hello);
			ht_hello_free(hello);
		}
	}
}

static void byte_by_byte_done_at_the_last(void **state)
{
	const size_t client_end = sizeof(sample_tls13_client);
	struct ht_hello *hello = ht_hello_new(HT_HELLO_CLIENT);

	(void)state;
	for (size_t at = 0; at + 1 < client_end; at++)
		assert_int_equal(ht_hello_feed(hello, sample_tls13_client + at, 1), HT_HELLO_MORE);
	assert_null(ht_hello_client(hello));
	assert_int_equal(ht_hello_feed(hello, sample_tls13_client + client_end - 1, 1), HT_HELLO_DONE);
	/* What follows changes nothing. */
	assert_int_equal(ht_hello_feed(hello, "GET", 3), HT_HELLO_DONE);
	assert_int_equal(ht_hello_skip(hello, 1000), HT_HELLO_DONE);
	expect_client(4, hello);
	ht_hello_free(hello);
}

static void session_ids_agree(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct ht_hello *client = ht_hello_new(HT_HELLO_CLIENT);
		struct ht_hello *server = ht_hello_new(HT_HELLO_SERVER);
		bool is_same;

		ht_hello_feed(client, samples[i].client, samples[i].client_len);
		ht_hello_feed(server, samples[i].server, samples[i].server_len);
		is_same = ht_hello_client(client)->session_id_len &&
			  ht_hello_client(client)->session_id_len == ht_hello_server(server)->session_id_len &&
			  memcmp(ht_hello_client(client)->session_id, ht_hello_server(server)->session_id, 32) == 0;
		assert_int_equal(is_same, samples[i].is_same_id);
		ht_hello_free(client);
		ht_hello_free(server);
	}
}

/* Every real hello cut into TLS records of n bytes: one message over several records (RFC 8446 section 5.1). */
static void hello_over_several_records(void **state)
{
	(void)state;
	for (size_t n = 1; n < 300; n = n < 20 ? n + 1 : n * 2) {
		unsigned char data[6 * 1024];
		size_t from = 5, to = 0, len = sizeof(sample_tls13_resumed_client);
		struct ht_hello *hello = ht_hello_new(HT_HELLO_CLIENT);

		while (from < len) {
			size_t part = len - from < n ? len - from : n;

			memcpy(data + to, (const unsigned char[]){ 22, 3, 1, (unsigned char)(part >> 8), (unsigned char)part }, 5);
			memcpy(data + to + 5, sample_tls13_resumed_client + from, part);
			to += part + 5;
			from += part;
		}
		assert_int_equal(ht_hello_feed(hello, data, to), HT_HELLO_DONE);
		expect_client(5, hello);
		ht_hello_free(hello);
	}
}

/* A cut hello never is DONE, and a damaged one does no harm. */
static void cut_and_damaged(void **state)
{
	unsigned char data[sizeof(sample_curl_client)];
	size_t done_cnt = 0;

	(void)state;
	for (size_t len = 0; len < sizeof(data); len++) {
		struct ht_hello *hello = ht_hello_new(HT_HELLO_CLIENT);

		assert_int_equal(ht_hello_feed(hello, sample_curl_client, len), HT_HELLO_MORE);
		assert_int_equal(ht_hello_skip(hello, 0), HT_HELLO_MORE);
		assert_int_equal(ht_hello_skip(hello, 1), HT_HELLO_BROKEN);
		assert_int_equal(ht_hello_feed(hello, sample_curl_client + len, sizeof(data) - len), HT_HELLO_BROKEN);
		assert_null(ht_hello_client(hello));
		ht_hello_free(hello);
	}
	for (size_t at = 0; at < sizeof(data); at++) {
		for (unsigned int flip = 1; flip < 256; flip <<= 1) {
			struct ht_hello *hello = ht_hello_new(HT_HELLO_CLIENT);
			bool is_done;

			memcpy(data, sample_curl_client, sizeof(data));
			data[at] ^= (unsigned char)flip;
			is_done = ht_hello_feed(hello, data, sizeof(data)) == HT_HELLO_DONE;
			assert_int_equal(is_done, ht_hello_client(hello) != NULL);
			done_cnt += is_done;
			ht_hello_free(hello);
		}
	}
	/* Most bytes (random, session id, key share, padding) are free; lengths and types are not. */
	assert_in_range(done_cnt, sizeof(data) * 8 / 2, sizeof(data) * 8 - 100);
}

#define RANDOM "0123456789abcdef0123456789abcdef"
#define RETRY \
	"\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"
/* Version to compression of a client's and a server's hello, without a session id. */
#define CLIENT "\x03\x03" RANDOM "\x00\x00\x02\x13\x01\x01\x00"
#define SERVER "\x03\x03" RANDOM "\x00\x13\x01\x00"

/* Body of a hello without its header; `in` says whose. */
static const struct {
	const char *why;
	enum ht_hello_side side;
	const char *body;
	size_t len;
	enum ht_hello_state expected;
} bodies[] = {
#define BODY(text) text, sizeof(text) - 1
	{ "no extensions at all: TLS 1.0 times", HT_HELLO_CLIENT, BODY(CLIENT), HT_HELLO_DONE },
	{ "an empty list of extensions", HT_HELLO_CLIENT, BODY(CLIENT "\x00\x00"), HT_HELLO_DONE },
	{ "half a length of extensions", HT_HELLO_CLIENT, BODY(CLIENT "\x00"), HT_HELLO_BROKEN },
	{ "a byte behind the extensions", HT_HELLO_CLIENT, BODY(CLIENT "\x00\x00\x00"), HT_HELLO_BROKEN },
	{ "extensions longer than the message", HT_HELLO_CLIENT, BODY(CLIENT "\x00\x05\x00\x23\x00\x00"), HT_HELLO_BROKEN },
	{ "extension longer than the list", HT_HELLO_CLIENT, BODY(CLIENT "\x00\x04\x00\x23\x00\x01"), HT_HELLO_BROKEN },
	{ "an extension that nobody knows", HT_HELLO_CLIENT, BODY(CLIENT "\x00\x04\x0a\x0a\x00\x00"), HT_HELLO_DONE },
	{ "an extension twice", HT_HELLO_CLIENT, BODY(CLIENT "\x00\x08\x00\x23\x00\x00\x00\x23\x00\x00"), HT_HELLO_BROKEN },
	{ "server name", HT_HELLO_CLIENT,
	  BODY(CLIENT "\x00\x0c\x00\x00\x00\x08\x00\x06\x00\x00\x03"
		      "a.b"),
	  HT_HELLO_DONE },
	{ "server name of no byte", HT_HELLO_CLIENT, BODY(CLIENT "\x00\x09\x00\x00\x00\x05\x00\x03\x00\x00\x00"), HT_HELLO_BROKEN },
	{ "server name with a NUL", HT_HELLO_CLIENT,
	  BODY(CLIENT "\x00\x0c\x00\x00\x00\x08\x00\x06\x00\x00\x03"
		      "a\0b"),
	  HT_HELLO_BROKEN },
	{ "server name with a line feed", HT_HELLO_CLIENT,
	  BODY(CLIENT "\x00\x0c\x00\x00\x00\x08\x00\x06\x00\x00\x03"
		      "a\nb"),
	  HT_HELLO_BROKEN },
	{ "server name longer than its list", HT_HELLO_CLIENT,
	  BODY(CLIENT "\x00\x0c\x00\x00\x00\x08\x00\x06\x00\x00\x04"
		      "a.b"),
	  HT_HELLO_BROKEN },
	{ "two server names", HT_HELLO_CLIENT,
	  BODY(CLIENT "\x00\x0e\x00\x00\x00\x0a\x00\x08\x00\x00\x01"
		      "a\x00\x00\x01"
		      "b"),
	  HT_HELLO_BROKEN },
	{ "ALPN without a name", HT_HELLO_CLIENT, BODY(CLIENT "\x00\x06\x00\x10\x00\x02\x00\x00"), HT_HELLO_BROKEN },
	{ "ALPN with an empty name", HT_HELLO_CLIENT, BODY(CLIENT "\x00\x07\x00\x10\x00\x03\x00\x01\x00"), HT_HELLO_BROKEN },
	{ "ALPN name over the end", HT_HELLO_CLIENT,
	  BODY(CLIENT "\x00\x09\x00\x10\x00\x05\x00\x03\x03"
		      "h2"),
	  HT_HELLO_BROKEN },
	{ "no cipher", HT_HELLO_CLIENT, BODY("\x03\x03" RANDOM "\x00\x00\x00\x01\x00"), HT_HELLO_BROKEN },
	{ "half a cipher", HT_HELLO_CLIENT, BODY("\x03\x03" RANDOM "\x00\x00\x01\x13\x01\x00"), HT_HELLO_BROKEN },
	{ "no compression method", HT_HELLO_CLIENT, BODY("\x03\x03" RANDOM "\x00\x00\x02\x13\x01\x00"), HT_HELLO_BROKEN },
	{ "version 2.3", HT_HELLO_CLIENT, BODY("\x02\x03" RANDOM "\x00\x00\x02\x13\x01\x01\x00"), HT_HELLO_BROKEN },
	{ "session id of 33 bytes", HT_HELLO_CLIENT, BODY("\x03\x03" RANDOM "\x21" RANDOM "x\x00\x02\x13\x01\x01\x00"), HT_HELLO_BROKEN },
	{ "session id of 1 byte", HT_HELLO_CLIENT, BODY("\x03\x03" RANDOM "\x01x\x00\x02\x13\x01\x01\x00"), HT_HELLO_DONE },
	{ "cut in the random", HT_HELLO_CLIENT,
	  BODY("\x03\x03"
	       "0123456789"),
	  HT_HELLO_BROKEN },
	{ "server: no extensions", HT_HELLO_SERVER, BODY(SERVER), HT_HELLO_DONE },
	{ "server: supported_versions too long", HT_HELLO_SERVER, BODY(SERVER "\x00\x07\x00\x2b\x00\x03\x03\x04\x00"), HT_HELLO_BROKEN },
	{ "server: pre_shared_key", HT_HELLO_SERVER, BODY(SERVER "\x00\x06\x00\x29\x00\x02\x00\x00"), HT_HELLO_DONE },
	{ "server: pre_shared_key too short", HT_HELLO_SERVER, BODY(SERVER "\x00\x05\x00\x29\x00\x01\x00"), HT_HELLO_BROKEN },
	{ "server: cut before the compression method", HT_HELLO_SERVER, BODY("\x03\x03" RANDOM "\x00\x13\x01"), HT_HELLO_BROKEN },
	{ "server: a retry is no answer yet", HT_HELLO_SERVER, BODY("\x03\x03" RETRY "\x00\x13\x01\x00"), HT_HELLO_MORE },
#undef BODY
};

static size_t make_record(unsigned char *to, unsigned char type, const char *body, size_t len)
{
	const unsigned char header[] = {
		22, 3, 3, (unsigned char)((len + 4) >> 8), (unsigned char)(len + 4), type, 0, (unsigned char)(len >> 8), (unsigned char)len
	};

	memcpy(to, header, sizeof(header));
	memcpy(to + sizeof(header), body, len);
	return sizeof(header) + len;
}

static void bodies_wrong_in_one_point(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		unsigned char data[512];
		size_t len = make_record(data, bodies[i].side == HT_HELLO_CLIENT ? 1 : 2, bodies[i].body, bodies[i].len);
		struct ht_hello *hello = ht_hello_new(bodies[i].side);
		enum ht_hello_state is = feed_split(hello, data, len, 9, len);

		if (is != bodies[i].expected)
			fail_msg("%s: state %d, expected %d", bodies[i].why, is, bodies[i].expected);
		ht_hello_free(hello);
	}
}

static void alpn_names_that_do_not_fit_are_left_out(void **state)
{
	static const char body[] = CLIENT "\x00\x57\x00\x10\x00\x53\x00\x51"
					  "\x02\xfa\xfa"
					  "\x02h2"
					  "\x20"
					  "0123456789abcdef0123456789abcdef"
					  "\x1f"
					  "0123456789abcdef0123456789abcde"
					  "\x01"
					  "1\x01"
					  "2\x01"
					  "3\x01"
					  "4\x01"
					  "5";
	static const char more[] = CLIENT "\x00\x18\x00\x10\x00\x14\x00\x12\x01"
					  "1\x01"
					  "2\x01"
					  "3\x01"
					  "4\x01"
					  "5\x01"
					  "6\x01"
					  "7\x01"
					  "8\x01"
					  "9";
	unsigned char data[512];
	struct ht_hello *hello = ht_hello_new(HT_HELLO_CLIENT);
	const struct ht_client_hello *facts;

	(void)state;
	assert_int_equal(ht_hello_feed(hello, data, make_record(data, 1, body, sizeof(body) - 1)), HT_HELLO_DONE);
	facts = ht_hello_client(hello);
	assert_int_equal(facts->alpn_cnt, 7);
	assert_string_equal(facts->alpn[0], "h2");
	assert_string_equal(facts->alpn[1], "0123456789abcdef0123456789abcde");
	assert_string_equal(facts->alpn[6], "5");
	ht_hello_free(hello);

	hello = ht_hello_new(HT_HELLO_CLIENT);
	assert_int_equal(ht_hello_feed(hello, data, make_record(data, 1, more, sizeof(more) - 1)), HT_HELLO_DONE);
	facts = ht_hello_client(hello);
	assert_int_equal(facts->alpn_cnt, HT_HELLO_ALPN_MAX);
	assert_string_equal(facts->alpn[7], "8");
	ht_hello_free(hello);
}

static void retry_twice_is_broken(void **state)
{
	static const char body[] = "\x03\x03" RETRY "\x00\x13\x01\x00";
	unsigned char data[256];
	size_t len = make_record(data, 2, body, sizeof(body) - 1);
	struct ht_hello *hello = ht_hello_new(HT_HELLO_SERVER);

	(void)state;
	assert_int_equal(ht_hello_feed(hello, data, len), HT_HELLO_MORE);
	assert_int_equal(ht_hello_feed(hello, "\x14\x03\x03\x00\x01\x01", 6), HT_HELLO_MORE);
	assert_int_equal(ht_hello_feed(hello, data, len), HT_HELLO_BROKEN);
	ht_hello_free(hello);
}

/* First bytes that are no hello, or too much of one. */
static const struct {
	const char *why;
	enum ht_hello_side side;
	const void *bytes;
	size_t len;
	enum ht_hello_state expected;
} starts[] = {
#define BYTES(text) text, sizeof(text) - 1
	{ "HTTP: known at its first byte", HT_HELLO_CLIENT, BYTES("G"), HT_HELLO_NOT_TLS },
	{ "an answer of HTTP", HT_HELLO_SERVER, BYTES("HTTP/1.1 400 Bad Request\r\n"), HT_HELLO_NOT_TLS },
	{ "nothing yet", HT_HELLO_CLIENT, BYTES(""), HT_HELLO_MORE },
	{ "type of a handshake record, then something else", HT_HELLO_CLIENT, BYTES("\x16\x04"), HT_HELLO_NOT_TLS },
	{ "a record of no byte", HT_HELLO_CLIENT, BYTES("\x16\x03\x01\x00\x00"), HT_HELLO_NOT_TLS },
	{ "a record of more than 16384 bytes", HT_HELLO_CLIENT, BYTES("\x16\x03\x01\x40\x01"), HT_HELLO_NOT_TLS },
	{ "a record of 16384 bytes", HT_HELLO_CLIENT, BYTES("\x16\x03\x01\x40\x00"), HT_HELLO_MORE },
	{ "application data: joined in the middle", HT_HELLO_CLIENT, BYTES("\x17\x03\x03\x00\x20"), HT_HELLO_NOT_TLS },
	{ "change_cipher_spec in front of a hello", HT_HELLO_SERVER, BYTES("\x14\x03\x03\x00\x01\x01"), HT_HELLO_NOT_TLS },
	{ "the server's alert instead of its hello", HT_HELLO_SERVER, SAMPLE(sample_alert_version_server), HT_HELLO_NOT_TLS },
	{ "the other side's hello", HT_HELLO_SERVER, BYTES("\x16\x03\x01\x00\x40\x01"), HT_HELLO_NOT_TLS },
	{ "hello of 16385 bytes", HT_HELLO_CLIENT, BYTES("\x16\x03\x01\x40\x00\x01\x00\x40\x01"), HT_HELLO_BROKEN },
	{ "hello of 16384 bytes", HT_HELLO_CLIENT, BYTES("\x16\x03\x01\x40\x00\x01\x00\x40\x00"), HT_HELLO_MORE },
	{ "hello of no byte", HT_HELLO_CLIENT, BYTES("\x16\x03\x01\x00\x04\x01\x00\x00\x00"), HT_HELLO_BROKEN },
	{ "alert in the middle of a hello", HT_HELLO_CLIENT, BYTES("\x16\x03\x01\x00\x05\x01\x00\x01\x00\x03\x15"), HT_HELLO_BROKEN },
	{ "SSL 2.0", HT_HELLO_CLIENT, BYTES("\x80\x2e\x01\x03\x01"), HT_HELLO_NOT_TLS },
#undef BYTES
};

static void first_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		struct ht_hello *hello = ht_hello_new(starts[i].side);
		enum ht_hello_state is = ht_hello_feed(hello, starts[i].bytes, starts[i].len);

		if (is != starts[i].expected)
			fail_msg("%s: state %d, expected %d", starts[i].why, is, starts[i].expected);
		ht_hello_free(hello);
	}
}

static void alerts(void **state)
{
	uint8_t level = 0, description = 0;

	(void)state;
	assert_int_equal(ht_tls_alert(sample_alert_version_server, sizeof(sample_alert_version_server), &level, &description), 1);
	assert_int_equal(level, 2);
	assert_int_equal(description, 70);
	assert_string_equal(ht_tls_alert_name(description), "PROTOCOL_VERSION");
	for (size_t len = 0; len < sizeof(sample_alert_version_server); len++)
		assert_int_equal(ht_tls_alert(sample_alert_version_server, len, &level, &description), 0);
	/* An encrypted one is longer; a level of 3 does not exist; not an alert. */
	assert_int_equal(ht_tls_alert("\x15\x03\x03\x00\x1a\x02\x30", 7, &level, &description), 0);
	assert_int_equal(ht_tls_alert("\x15\x03\x03\x00\x02\x03\x30", 7, &level, &description), 0);
	assert_int_equal(ht_tls_alert("\x16\x03\x03\x00\x02\x02\x30", 7, &level, &description), 0);
	assert_int_equal(ht_tls_alert("\x15\x03\x03\x00\x02\x02\x30 and more", 16, &level, &description), 1);
	assert_int_equal(description, 48);
}

enum name_kind { VERSION, CIPHER, ALERT, REASON, VERIFY };

static const struct {
	enum name_kind kind;
	uint32_t library, number;
	const char *expected;
} names[] = {
	{ VERSION, 0, 0x0304, "TLSv1.3" },
	{ VERSION, 0, 0x0303, "TLSv1.2" },
	{ VERSION, 0, 0x0302, "TLSv1.1" },
	{ VERSION, 0, 0x0301, "TLSv1" },
	{ VERSION, 0, 0x0300, "SSLv3" },
	{ VERSION, 0, 0x0305, NULL },
	{ CIPHER, 0, 0x1301, "TLS_AES_128_GCM_SHA256" },
	{ CIPHER, 0, 0x1302, "TLS_AES_256_GCM_SHA384" },
	{ CIPHER, 0, 0x1303, "TLS_CHACHA20_POLY1305_SHA256" },
	{ CIPHER, 0, 0x1304, "TLS_AES_128_CCM_SHA256" },
	{ CIPHER, 0, 0x1305, "TLS_AES_128_CCM_8_SHA256" },
	{ CIPHER, 0, 0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
	{ CIPHER, 0, 0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" },
	{ CIPHER, 0, 0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA" },
	{ CIPHER, 0, 0x0a0a, NULL },
	{ ALERT, 0, 0, "CLOSE_NOTIFY" },
	{ ALERT, 0, 40, "HANDSHAKE_FAILURE" },
	{ ALERT, 0, 48, "UNKNOWN_CA" },
	{ ALERT, 0, 120, "NO_APPLICATION_PROTOCOL" },
	{ ALERT, 0, 255, NULL },
	{ REASON, 20, 134, "CERTIFICATE_VERIFY_FAILED" },
	{ REASON, 20, 267, "WRONG_VERSION_NUMBER" },
	{ REASON, 20, 258, "UNSUPPORTED_PROTOCOL" },
	{ REASON, 20, 294, "UNEXPECTED_EOF_WHILE_READING" },
	{ REASON, 20, 1048, "TLSV1_ALERT_UNKNOWN_CA" },
	{ REASON, 20, 1040, "SSLV3_ALERT_HANDSHAKE_FAILURE" },
	{ REASON, 20, 1047, "SSLV3_ALERT_ILLEGAL_PARAMETER" },
	{ REASON, 20, 1070, "TLSV1_ALERT_PROTOCOL_VERSION" },
	{ REASON, 20, 1116, "TLSV13_ALERT_CERTIFICATE_REQUIRED" },
	{ REASON, 20, 0, NULL },
	{ REASON, 20, 9999, NULL },
	{ REASON, 20, 259 | 1 << 18 | 2 << 18, "INTERNAL_ERROR" },
	{ REASON, 6, 256 | 1 << 18 | 2 << 18, "MALLOC_FAILURE" },
	{ REASON, 20, 259, "UNSUPPORTED_SSL_VERSION" },
	{ REASON, 2, 104, "ECONNRESET" },
	{ REASON, 2, 100000, NULL },
	{ REASON, 11, 116, "KEY_VALUES_MISMATCH" },
	{ REASON, 32, 103, "CONNECT_ERROR" },
	{ REASON, 99, 103, NULL },
	{ VERIFY, 0, 0, NULL },
	{ VERIFY, 0, 10, "certificate has expired" },
	{ VERIFY, 0, 18, "self-signed certificate" },
	{ VERIFY, 0, 19, "self-signed certificate in certificate chain" },
	{ VERIFY, 0, 62, "certificate is for another host name" },
	{ VERIFY, 0, 94, "key has its curve's parameters written out" },
	{ VERIFY, 0, 95, NULL },
};

static void numbers_have_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint32_t number = names[i].number;
		const char *is = names[i].kind == VERSION  ? ht_tls_version_name((uint16_t)number)
				 : names[i].kind == CIPHER ? ht_tls_cipher_name((uint16_t)number)
				 : names[i].kind == ALERT  ? ht_tls_alert_name((uint8_t)number)
				 : names[i].kind == REASON ? ht_openssl_reason_name(names[i].library, number)
							   : ht_x509_verify_text(number);

		if (!is != !names[i].expected || (is && strcmp(is, names[i].expected) != 0))
			fail_msg("number %u of kind %d: %s, expected %s", number, names[i].kind, is ? is : "NULL",
				 names[i].expected ? names[i].expected : "NULL");
	}
	/* None between the first and the last of the verify results is without a text. */
	for (uint32_t result = 1; result <= 94; result++)
		assert_non_null(ht_x509_verify_text(result));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_at_every_split),
		cmocka_unit_test(byte_by_byte_done_at_the_last),
		cmocka_unit_test(session_ids_agree),
		cmocka_unit_test(hello_over_several_records),
		cmocka_unit_test(cut_and_damaged),
		cmocka_unit_test(bodies_wrong_in_one_point),
		cmocka_unit_test(alpn_names_that_do_not_fit_are_left_out),
		cmocka_unit_test(retry_twice_is_broken),
		cmocka_unit_test(first_bytes),
		cmocka_unit_test(alerts),
		cmocka_unit_test(numbers_have_names),
	};

	return cmocka_run_group_tests_name("tls_hello", tests, NULL, NULL);
}
