/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * conversation.h - makes of a fuzzer's bytes what a client and a server say to each other: HTTP/1 messages, most of them well formed, in
 * turns or pipelined, and anything else.
 *
 * In: struct ht_fuzz_input, read to its end (then it gives zeros). Out: struct ht_conversation: each direction's bytes and, in time's order,
 * the turns taken. Memory: the caller's; at most CONVERSATION_MAX_BYTES a direction, CONVERSATION_MAX_TURNS turns, what is more is left out.
 */
#ifndef HT_CONVERSATION_H
#define HT_CONVERSATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define CONVERSATION_MAX_BYTES (160 * 1024)
#define CONVERSATION_MAX_TURNS 128

/* As HT_DIR_TX and HT_DIR_RX of abi/event.h. */
enum { SAYS_CLIENT = 0, SAYS_SERVER = 1 };

struct ht_fuzz_input {
	const uint8_t *data;
	size_t len;
};

struct ht_turn {
	int dir;
	uint32_t off;
	uint32_t len;
};

struct ht_conversation {
	uint8_t bytes[2][CONVERSATION_MAX_BYTES];
	uint32_t len[2];
	struct ht_turn turn[CONVERSATION_MAX_TURNS];
	uint32_t turn_cnt;
	bool is_break; /* the next bytes are a turn of their own */
};

static uint32_t next8(struct ht_fuzz_input *in)
{
	if (!in->len)
		return 0;
	in->len--;
	return *in->data++;
}

static uint32_t next16(struct ht_fuzz_input *in)
{
	uint32_t low = next8(in);

	return low | next8(in) << 8;
}

/* Small mostly, up to 65,535. */
static uint32_t next_size(struct ht_fuzz_input *in)
{
	uint32_t n = next8(in);

	return n < 160 ? n : n < 240 ? (n - 150) * 64 : next16(in);
}

static void say(struct ht_conversation *c, int dir, const void *data, size_t len)
{
	struct ht_turn *turn = c->turn_cnt ? &c->turn[c->turn_cnt - 1] : NULL;

	if (len > CONVERSATION_MAX_BYTES - c->len[dir])
		len = CONVERSATION_MAX_BYTES - c->len[dir];
	if (!len)
		return;
	if (!turn || turn->dir != dir || c->is_break) {
		if (c->turn_cnt == CONVERSATION_MAX_TURNS)
			return;
		turn = &c->turn[c->turn_cnt++];
		*turn = (struct ht_turn){ .dir = dir, .off = c->len[dir] };
		c->is_break = false;
	}
	memcpy(c->bytes[dir] + c->len[dir], data, len);
	c->len[dir] += (uint32_t)len;
	turn->len += (uint32_t)len;
}

static void say_text(struct ht_conversation *c, int dir, const char *text)
{
	say(c, dir, text, strlen(text));
}

/* Content that looks like heads and chunks, from its second byte on. */
static void say_content(struct ht_conversation *c, int dir, uint32_t len, uint32_t from)
{
	static const char junk[] = "xHTTP/1.1 200 OK\r\n\r\nGET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n0\r\n\r\n";
	uint32_t n;

	from %= sizeof(junk) - 1;
	if (from && len) {
		say(c, dir, "~", 1);
		len--;
	}
	for (; len; len -= n) {
		n = sizeof(junk) - 1 - from;
		if (n > len)
			n = len;
		say(c, dir, junk + from, n);
		from = 0;
	}
}

/* A field that says nothing of the framing. */
static void say_field(struct ht_conversation *c, int dir, uint32_t how, uint32_t len)
{
	static const char *const names[] = {
		"X", "Content-Type", "Transfer-Mode", "Cookie", "Content-Length-Of-It", "TE", "Trailer", "Host"
	};
	static const char value[] = "abc chunked; Content-Length: 7, Transfer-Encoding: chunked =";

	say_text(c, dir, names[how & 7]);
	say_text(c, dir, how & 8 ? ":" : ": ");
	for (; len >= sizeof(value) - 1; len -= sizeof(value) - 1)
		say(c, dir, value, sizeof(value) - 1);
	say(c, dir, value, len);
	say_text(c, dir, how & 16 ? "\n" : "\r\n");
}

static void say_fields(struct ht_conversation *c, int dir, struct ht_fuzz_input *in, uint32_t cnt)
{
	while (cnt--) {
		uint32_t how = next8(in);

		say_field(c, dir, how, how & 32 ? next_size(in) : how >> 6);
	}
}

static void say_length(struct ht_conversation *c, int dir, uint32_t how, uint32_t n)
{
	static const char *const forms[] = { "Content-Length: %u\r\n", "content-length:%u\r\n", "CONTENT-LENGTH:\t  %u \r\n",
					     "Content-Length: %010u\n" };
	char line[64];

	snprintf(line, sizeof(line), forms[how & 3], n);
	say_text(c, dir, line);
}

static void say_chunk(struct ht_conversation *c, int dir, uint32_t how, uint32_t n)
{
	static const char *const forms[] = { "%x\r\n", "%X;ext=1\r\n", "%x\n", "000%x \r\n" };
	char line[32];

	snprintf(line, sizeof(line), forms[how & 3], n);
	say_text(c, dir, line);
	if (!n)
		return;
	say_content(c, dir, n, how);
	say_text(c, dir, how & 4 ? "\n" : "\r\n");
}

static void say_chunks(struct ht_conversation *c, int dir, struct ht_fuzz_input *in)
{
	uint32_t cnt = next8(in) & 31, how;

	while (cnt--) {
		how = next8(in);
		say_chunk(c, dir, how, how & 8 ? 1 + next_size(in) : 1 + (how >> 4) * 40);
	}
	how = next8(in);
	say_text(c, dir, how & 1 ? "0;last\r\n" : "0\r\n");
	if (how & 2)
		say_text(c, dir, "Trailer: x\r\nContent-Length: 9\n");
	say_text(c, dir, how & 4 ? "\n" : "\r\n");
}

/* The fields that frame a body, the head's end, the body. kind 0: none. is_bodiless: the fields only. */
static void say_body(struct ht_conversation *c, int dir, struct ht_fuzz_input *in, uint32_t kind, bool is_bodiless)
{
	static const char *const codings[] = { "Transfer-Encoding: chunked\r\n", "transfer-encoding: gzip, Chunked\r\n",
					       "Transfer-encoding:chunked \r\n", "TRANSFER-ENCODING: CHUNKED\n" };
	uint32_t how = next8(in), n = 0;

	if (kind == 1) {
		n = next_size(in);
		say_length(c, dir, how, n);
	} else if (kind == 2) {
		say_text(c, dir, codings[how & 3]);
	}
	say_fields(c, dir, in, how >> 2 & 3);
	say_text(c, dir, how & 16 ? "\n" : "\r\n");
	if (is_bodiless)
		return;
	if (how & 32)
		c->is_break = true;
	if (kind == 1)
		say_content(c, dir, n, how);
	else if (kind == 2)
		say_chunks(c, dir, in);
	else if (kind == 3)
		say_content(c, dir, next_size(in), how);
}

static void say_request(struct ht_conversation *c, struct ht_fuzz_input *in, uint32_t how)
{
	static const char *const lines[] = {
		"GET /", "HEAD /", "POST /a", "PUT http://h/", "GET /?", "OPTIONS *", "PATCH /", "M-SEARCH /"
	};
	uint32_t method = how & 7;

	if (how & 0x80)
		say_text(c, SAYS_CLIENT, "\r\n");
	say_text(c, SAYS_CLIENT, lines[method]);
	if (how & 8 && method != 5) {
		uint32_t n = next_size(in);

		while (n--)
			say(c, SAYS_CLIENT, "p", 1);
	}
	say_text(c, SAYS_CLIENT, how & 16 ? " HTTP/1.1\n" : " HTTP/1.1\r\n");
	say_fields(c, SAYS_CLIENT, in, how >> 5 & 3);
	say_body(c, SAYS_CLIENT, in, method == 2 || method == 3 || method == 6 ? next8(in) % 3 : 0, false);
}

/* is_head: it answers a HEAD request. */
static void say_response(struct ht_conversation *c, struct ht_fuzz_input *in, uint32_t how, bool is_head)
{
	static const char *const lines[] = { "HTTP/1.1 200 OK\r\n",       "HTTP/1.1 204 None\r\n", "HTTP/1.1 304 Same\r\n",
					     "HTTP/1.0 200 OK\r\n",       "HTTP/1.1 404 \n",       "HTTP/1.1 200\r\n",
					     "HTTP/1.1 500 x1234567\r\n", "HTTP/1.1 206 Part\r\n" };
	uint32_t line = how & 7, kind = 1 + (how >> 3 & 1);

	if (how & 0x80) {
		say_text(c, SAYS_SERVER, how & 0x40 ? "HTTP/1.1 100 Continue\r\n" : "HTTP/1.1 103 Early Hints\r\n");
		say_fields(c, SAYS_SERVER, in, 1);
		say_text(c, SAYS_SERVER, "\r\n");
	}
	if ((how & 0x30) == 0x30)
		kind = line == 1 || line == 2 ? 0 : 3;
	else if (line == 3)
		kind = 1;
	say_text(c, SAYS_SERVER, lines[line]);
	say_fields(c, SAYS_SERVER, in, how >> 4 & 3);
	say_body(c, SAYS_SERVER, in, kind, is_head || line == 1 || line == 2);
}

static void say_token(struct ht_conversation *c, int dir, uint32_t which)
{
	static const char *const tokens[] = {
		"\r\n",
		"\n",
		"\r",
		" ",
		"0",
		"GET / HTTP/1.1\r\n",
		"HTTP/1.1 200 OK\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
		"CONNECT a:1 HTTP/1.1\r\n\r\n",
		"Content-Length: ",
		"Content-Length: 0\r\n",
		"Transfer-Encoding: ",
		"chunked",
		"Transfer-Encoding: chunked\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"\x16\x03\x01",
		"\x15\x03\x03",
		"HEAD / HTTP/1.1\r\n\r\n",
		"HTTP/1.0 200 OK\r\n",
		"Connection: close\r\n",
		"\r\n\r\n",
		"GET ",
		" HTTP/1.1",
		"ffffffff",
		"Expect: 100-continue\r\n",
		",",
		";",
		":",
		"\t",
		"HTTP/1.",
		"\0",
	};

	which %= sizeof(tokens) / sizeof(tokens[0]);
	say(c, dir, tokens[which], tokens[which][0] ? strlen(tokens[which]) : 1);
}

static inline void converse(struct ht_conversation *c, struct ht_fuzz_input *in)
{
	int dir = SAYS_CLIENT;

	c->len[0] = c->len[1] = c->turn_cnt = 0;
	c->is_break = false;
	while (in->len && c->turn_cnt < CONVERSATION_MAX_TURNS) {
		uint32_t op = next8(in), how;

		switch (op & 31) {
		case 20: {
			size_t n = next8(in);

			if (n > in->len)
				n = in->len;
			say(c, dir, in->data, n);
			in->data += n;
			in->len -= n;
			break;
		}
		case 21:
		case 22:
			say_token(c, dir, next8(in));
			break;
		case 23:
			say_content(c, dir, next_size(in), op >> 5);
			break;
		case 24:
			dir = !dir;
			break;
		case 25:
			say_chunk(c, dir, op >> 5, next_size(in));
			break;
		case 26:
			say_field(c, dir, op >> 5, next_size(in));
			break;
		case 27:
			c->is_break = true;
			break;
		case 28:
			say_length(c, dir, op >> 5, next_size(in));
			break;
		case 29:
			say_chunks(c, dir, in);
			break;
		case 30:
			say_request(c, in, next8(in));
			break;
		case 31:
			how = next8(in);
			say_response(c, in, how, op & 32);
			break;
		default:
			how = next8(in);
			say_request(c, in, how);
			say_response(c, in, next8(in), (how & 7) == 1);
			break;
		}
	}
}

#endif
