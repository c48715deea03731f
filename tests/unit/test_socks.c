/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_socks.c - SOCKS handshakes: every conversation of the table at every split, byte by byte, and with either direction ahead of the other; the probe.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/socks.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MAX_PIECES    32
#define MAX_BYTES     1200

#define NAME_16   "61616161616161616161616161616161"
#define NAME_128  NAME_16 NAME_16 NAME_16 NAME_16 NAME_16 NAME_16 NAME_16 NAME_16
#define NAME_255  NAME_128 NAME_16 NAME_16 NAME_16 NAME_16 NAME_16 NAME_16 NAME_16 "616161616161616161616161616161"
#define H_TEST    "06 682e74657374" /* "h.test" behind its length */
#define GREETING  "> 050100 < 0500 "
#define GRANTED   "< 05000001 00000000 0000"
#define USER_PASS "> 050102 < 0502 "

/*
 * talk: > client's, < proxy's bytes in hexadecimal, ~N: N bytes that were not captured.
 * expected: state; version, method and host:port where known, the host in quotes if it is a name; code or error; +N-M: bytes that were left to the
 * tunnel by client and proxy.
 */
static const struct talk_case {
	const char *why;
	const char *talk;
	const char *expected;
} cases[] = {
	{ "4: an address, no user", "> 0401 0050 5db8d822 00 < 005a 0000 00000000", "done 4 93.184.216.34:80" },
	{ "4: with a user", "> 0401 01bb 7f000001 666f6f00 < 005a 01bb 7f000001", "done 4 127.0.0.1:443" },
	{ "4a: a name", "> 0401 0050 00000001 666f6f00 682e7465737400 < 005a 0000 00000000", "done 4 'h.test':80" },
	{ "4a: no user", "> 0401 0050 000000ff 00 6800 < 005a 0000 00000000", "done 4 'h':80" },
	{ "4: 0.0.0.0 is an address", "> 0401 0050 00000000 00 < 005a 0000 00000000", "done 4 0.0.0.0:80" },
	{ "4: a user that was not captured", "> 0401 0050 7f000001 ~3 < 005a", "failed 4 gap" },
	{ "4: rejected", "> 0401 0050 7f000001 00 < 005b 0000 00000000", "refused 4 127.0.0.1:80 REJECTED" },
	{ "4: rejected, the rest never comes", "> 0401 0050 7f000001 00 < 005b", "refused 4 127.0.0.1:80 REJECTED" },
	{ "4: no identd", "> 0401 0050 7f000001 00 < 005c000000000000", "refused 4 127.0.0.1:80 IDENTD_UNREACHABLE" },
	{ "4: other user at identd", "> 0401 0050 7f000001 00 < 005d000000000000", "refused 4 127.0.0.1:80 IDENTD_MISMATCH" },
	{ "4: a code of nobody's", "> 0401 0050 7f000001 00 < 0001000000000000", "refused 4 127.0.0.1:80 REPLY_1" },
	{ "4: the reply's version is 0, not 4", "> 0401 0050 7f000001 00 < 045a000000000000", "failed 4 127.0.0.1:80 bad_reply" },
	{ "4: answered as 5", "> 0401 0050 7f000001 00 < 0500", "failed 4 127.0.0.1:80 bad_reply" },
	{ "4: BIND", "> 0402 0050 7f000001 00", "failed 4 unsupported_command" },
	{ "4a: an empty name", "> 0401 0050 00000001 00 00", "failed 4 bad_address" },
	{ "4a: a name of 255", "> 0401 0050 00000001 00 " NAME_255 "00 < 005a000000000000", "done 4 'a*255':80" },
	{ "4a: a name of 256", "> 0401 0050 00000001 00 " NAME_255 "6100", "failed 4 too_long" },
	{ "4: the longest user", "> 0401 0050 7f000001 " NAME_128 NAME_128 NAME_128 NAME_128 "00 < 005a000000000000",
	  "done 4 127.0.0.1:80" },
	{ "4: a user without end", "> 0401 0050 7f000001 " NAME_128 NAME_128 NAME_128 NAME_128 "61", "failed 4 too_long" },
	{ "4: no answer", "> 0401 0050 7f000001 00", "running 4 127.0.0.1:80" },

	{ "5: an address", GREETING "> 05010001 7f000001 01bb < 05000001 7f000001 9c40", "done 5 0 127.0.0.1:443" },
	{ "5: a name", GREETING "> 05010003 " H_TEST " 0050 " GRANTED, "done 5 0 'h.test':80" },
	{ "5: IPv6", GREETING "> 05010004 00000000000000000000000000000001 0050 " GRANTED, "done 5 0 ::1:80" },
	{ "5: the proxy's own address is IPv6", GREETING "> 05010003 0168 0050 < 05000004 fe800000000000000000000000000001 0050",
	  "done 5 0 'h':80" },
	{ "5: the proxy's own address is a name", GREETING "> 05010003 0168 0050 < 05000003 0178 0050", "done 5 0 'h':80" },
	{ "5: the proxy's own address is an empty name", GREETING "> 05010003 0168 0050 < 05000003 00 0050", "done 5 0 'h':80" },
	{ "5: the longest name", GREETING "> 05010003 ff" NAME_255 " 0050 " GRANTED, "done 5 0 'a*255':80" },
	{ "5: several methods offered, as curl does", "> 0502 0002 < 0500 > 05010003 0168 0050 " GRANTED, "done 5 0 'h':80" },
	{ "5: what follows is the tunnel's", GREETING "> 05010003 0168 0050 474554 < 05000001 00000000 0000 485454502f",
	  "done 5 0 'h':80 +3-5" },
	{ "5: the client sends ahead", "> 050100 05010003 0168 0050 474554 < 0500 05000001 00000000 0000", "done 5 0 'h':80 +3-0" },
	{ "5: the client sends ahead, and more is not captured", "> 050100 05010003 0168 0050 474554 ~9 < 0500 05000001 00000000 0000",
	  "done 5 0 'h':80 +12-0" },

	{ "5: user and password as a length", USER_PASS "> ~11 < 0100 > 05010003 0168 0050 " GRANTED, "done 5 2 'h':80" },
	{ "5: the same in two", USER_PASS "> ~4 ~7 < 0100 > 05010003 0168 0050 " GRANTED, "done 5 2 'h':80" },
	{ "5: all sent ahead", "> 050102 ~11 05010003 0168 0050 < 0502 0100 05000001 00000000 0000", "done 5 2 'h':80" },
	{ "5: the message's lengths captured", USER_PASS "> 01 03 ~3 02 ~2 < 0100 > 05010003 0168 0050 " GRANTED, "done 5 2 'h':80" },
	{ "5: its first length captured", USER_PASS "> 01 03 ~6 < 0100 > 05010003 0168 0050 " GRANTED, "done 5 2 'h':80" },
	{ "5: its version captured", USER_PASS "> 01 ~7 < 0100 > 05010003 0168 0050 " GRANTED, "done 5 2 'h':80" },
	{ "5: captured whole", USER_PASS "> 01 03 050105 02 0501 < 0100 > 05010003 0168 0050 " GRANTED, "done 5 2 'h':80" },
	{ "5: empty user and password", USER_PASS "> 01 00 00 < 0100 > 05010003 0168 0050 " GRANTED, "done 5 2 'h':80" },
	{ "5: a proxy that answers with version 5", USER_PASS "> ~5 < 0500 > 05010003 0168 0050 " GRANTED, "done 5 2 'h':80" },
	{ "5: wrong password", USER_PASS "> ~11 < 0101", "refused 5 2 AUTH_FAILED" },
	{ "5: wrong password, 255", USER_PASS "> ~11 < 01ff", "refused 5 2 AUTH_FAILED" },
	{ "5: after the password something else", USER_PASS "> ~11 < 0100 > 474554", "failed 5 2 bad_version" },

	{ "5: no method is taken", "> 050100 < 05ff", "refused 5 255 NO_ACCEPTABLE_METHOD" },
	{ "5: general failure", GREETING "> 05010003 0168 0050 < 05010001000000000000", "refused 5 0 'h':80 GENERAL_FAILURE" },
	{ "5: by rule", GREETING "> 05010003 0168 0050 < 05020001000000000000", "refused 5 0 'h':80 NOT_ALLOWED" },
	{ "5: network", GREETING "> 05010003 0168 0050 < 05030001000000000000", "refused 5 0 'h':80 NETWORK_UNREACHABLE" },
	{ "5: host", GREETING "> 05010003 0168 0050 < 05040001000000000000", "refused 5 0 'h':80 HOST_UNREACHABLE" },
	{ "5: connection", GREETING "> 05010003 0168 0050 < 05050001000000000000", "refused 5 0 'h':80 CONNECTION_REFUSED" },
	{ "5: TTL", GREETING "> 05010003 0168 0050 < 05060001000000000000", "refused 5 0 'h':80 TTL_EXPIRED" },
	{ "5: command", GREETING "> 05010003 0168 0050 < 05070001000000000000", "refused 5 0 'h':80 COMMAND_NOT_SUPPORTED" },
	{ "5: address type", GREETING "> 05010003 0168 0050 < 05080001000000000000", "refused 5 0 'h':80 ADDRESS_TYPE_NOT_SUPPORTED" },
	{ "5: a code of nobody's", GREETING "> 05010003 0168 0050 < 05ff0001000000000000", "refused 5 0 'h':80 REPLY_255" },
	{ "5: refused in two bytes", GREETING "> 05010003 0168 0050 < 0505", "refused 5 0 'h':80 CONNECTION_REFUSED" },
	{ "5: no answer", GREETING "> 05010003 0168 0050 < 0500", "running 5 0 'h':80" },

	{ "5: GSSAPI", "> 05020001 < 0501 > 01010003616263", "failed 5 1 unsupported_method" },
	{ "5: a private method", "> 05020080 < 0580", "failed 5 128 unsupported_method" },
	{ "5: a method that was not offered", "> 050100 < 0502", "failed 5 2 bad_reply" },
	{ "5: BIND", GREETING "> 05020001 7f000001 0050", "failed 5 0 unsupported_command" },
	{ "5: UDP ASSOCIATE", GREETING "> 05030001 7f000001 0050", "failed 5 0 unsupported_command" },
	{ "5: address type 2", GREETING "> 05010002 7f000001 0050", "failed 5 0 bad_address" },
	{ "5: an empty name", GREETING "> 05010003 00 0050", "failed 5 0 bad_address" },
	{ "5: a space in the name", GREETING "> 05010003 03 612062 0050", "failed 5 0 bad_address" },
	{ "5: a NUL in the name", GREETING "> 05010003 03 610062 0050", "failed 5 0 bad_address" },
	{ "5: answered as 4", "> 050100 < 005a000000000000", "failed 5 bad_reply" },
	{ "5: another version in the reply", GREETING "> 05010003 0168 0050 < 04000001", "failed 5 0 'h':80 bad_version" },
	{ "5: missing in the greeting", "> 0502 ~2", "failed 5 gap" },
	{ "5: missing in the request", GREETING "> 05010003 ~5", "failed 5 0 gap" },
	{ "5: missing in the reply", GREETING "> 05010003 0168 0050 < ~10", "failed 5 0 'h':80 gap" },
	{ "not SOCKS", "> 474554", "failed not_socks" },
	{ "the proxy's bytes are none", "> 050100 < 485454502f312e31", "failed 5 bad_reply" },
};

struct piece {
	enum ht_socks_side side;
	uint64_t skip;
	uint8_t bytes[MAX_BYTES];
	size_t len;
};

struct talk {
	struct piece pieces[MAX_PIECES];
	size_t cnt;
	size_t longest;
};

static unsigned int digit(char c)
{
	return (unsigned int)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

static void read_talk(const char *text, struct talk *talk)
{
	enum ht_socks_side side = HT_SOCKS_CLIENT;
	bool is_new = true;

	talk->cnt = talk->longest = 0;
	while (*text) {
		struct piece *piece;

		if (strchr("<> ", *text)) {
			is_new |= *text != ' ';
			if (*text != ' ')
				side = *text == '<' ? HT_SOCKS_PROXY : HT_SOCKS_CLIENT;
			text++;
			continue;
		}
		if (is_new || *text == '~' || talk->pieces[talk->cnt - 1].skip) {
			assert_true(talk->cnt < MAX_PIECES);
			piece = &talk->pieces[talk->cnt++];
			piece->side = side;
			piece->skip = 0;
			piece->len = 0;
		}
		is_new = false;
		piece = &talk->pieces[talk->cnt - 1];
		if (*text == '~') {
			char *end;

			piece->len = (size_t)(piece->skip = strtoull(text + 1, &end, 10));
			text = end;
		} else {
			assert_true(piece->len < MAX_BYTES);
			piece->bytes[piece->len++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
			text += 2;
		}
		if (piece->len > talk->longest)
			talk->longest = piece->len;
	}
}

struct run {
	struct ht_socks socks;
	uint64_t left[2];
};

/* Cuts the piece at first, and from there on into pieces of step bytes. */
static void feed_piece(struct run *run, const struct piece *piece, size_t first, size_t step)
{
	size_t at = 0, n = first;

	while (at < piece->len) {
		if (n > piece->len - at)
			n = piece->len - at;
		if (piece->skip) {
			run->left[piece->side] += n - ht_socks_skip(&run->socks, piece->side, n);
		} else {
			uint8_t *copy = malloc(n);
			size_t used;

			assert_non_null(copy);
			memcpy(copy, piece->bytes + at, n);
			used = ht_socks_feed(&run->socks, piece->side, copy, n);
			free(copy);
			assert_true(used <= n);
			/* What is left is the tunnel's, and only that. */
			assert_true(used == n || ht_socks_is_through(&run->socks, piece->side));
			run->left[piece->side] += n - used;
		}
		at += n;
		n = step;
	}
}

static void put_host(const struct ht_socks *socks, char *text, size_t len)
{
	const char *quote = socks->is_name ? "'" : "";

	if (strlen(socks->host) > 100)
		snprintf(text, len, " %s%c*%zu%s:%u", quote, socks->host[0], strlen(socks->host), quote, socks->port);
	else
		snprintf(text, len, " %s%s%s:%u", quote, socks->host, quote, socks->port);
}

static void check(const struct talk_case *c, const struct run *run, const char *how)
{
	static const char *const states[] = { "running", "done", "refused", "failed" };
	const struct ht_socks *socks = &run->socks;
	char text[256], part[160], code[HT_SOCKS_CODE_MAX];

	snprintf(text, sizeof(text), "%s", states[socks->state]);
#define PUT(...) snprintf(text + strlen(text), sizeof(text) - strlen(text), __VA_ARGS__)
	if (socks->version)
		PUT(" %d", socks->version);
	if (socks->method >= 0)
		PUT(" %d", socks->method);
	if (socks->has_target) {
		put_host(socks, part, sizeof(part));
		PUT("%s", part);
	}
	if (ht_socks_code(socks, code))
		PUT(" %s", ht_socks_code(socks, code));
	if (socks->error)
		PUT(" %s", ht_socks_error_name(socks->error));
	if (run->left[0] || run->left[1])
		PUT(" +%llu-%llu", (unsigned long long)run->left[0], (unsigned long long)run->left[1]);
#undef PUT
	if (strcmp(text, c->expected) != 0)
		fail_msg("%s (%s):\n got      %s\n expected %s", c->why, how, text, c->expected);
}

static void run_talk(const struct talk_case *c, const struct talk *talk, size_t first, size_t step)
{
	struct run run = { 0 };
	char how[64];

	ht_socks_init(&run.socks);
	for (size_t i = 0; i < talk->cnt; i++)
		feed_piece(&run, &talk->pieces[i], first, step);
	snprintf(how, sizeof(how), "cut at %zu, then every %zu", first, step);
	check(c, &run, how);
}

static void at_every_split(void **state)
{
	static struct talk talk;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		read_talk(cases[i].talk, &talk);
		for (size_t at = 1; at <= talk.longest; at++)
			run_talk(&cases[i], &talk, at, MAX_BYTES);
		for (size_t step = 1; step <= 7; step += 2)
			run_talk(&cases[i], &talk, step, step);
	}
}

/* Records of the two directions may be told in another order than they passed: nothing depends on it where the handshake succeeds. */
static void either_side_first(void **state)
{
	static struct talk talk;
	size_t done_cnt = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (strncmp(cases[i].expected, "done", 4) != 0)
			continue;
		done_cnt++;
		read_talk(cases[i].talk, &talk);
		for (int first = HT_SOCKS_CLIENT; first <= HT_SOCKS_PROXY; first++) {
			struct run run = { 0 };

			ht_socks_init(&run.socks);
			for (int side = first, n = 0; n < 2; side = !side, n++)
				for (size_t k = 0; k < talk.cnt; k++)
					if ((int)talk.pieces[k].side == side)
						feed_piece(&run, &talk.pieces[k], MAX_BYTES, MAX_BYTES);
			check(&cases[i], &run, first == HT_SOCKS_CLIENT ? "all of the client's first" : "all of the proxy's first");
		}
	}
	assert_true(done_cnt > 15);
}

static void probe(void **state)
{
	static const struct {
		const char *why;
		const char *bytes;
		size_t len;
		int expected;
		size_t decided_at; /* before, -1 is the answer; 0: at the last byte */
	} rows[] = {
		{ "5, one method", "\5\1\0", 3, 1, 0 },
		{ "5, two methods", "\5\2\0\2", 4, 1, 0 },
		{ "5, a private method", "\5\1\x80", 3, 1, 0 },
		{ "5 and its request sent ahead", "\5\1\0\5\1\0\3\1h\0\x50", 11, 1, 3 },
		{ "5 and the password sent ahead", "\5\1\2\1\1a\1b", 8, 1, 3 },
		{ "5 without methods", "\5\0", 2, 0, 0 },
		{ "5 and a method that none is", "\5\1\x20", 3, 0, 0 },
		{ "255 is no method that a client offers", "\5\1\xff", 3, 0, 0 },
		{ "4", "\4\1\0\x50\x7f\0\0\1\0", 9, 1, 0 },
		{ "4 with a user", "\4\1\0\x50\x7f\0\0\1me\0", 11, 1, 0 },
		{ "4, BIND", "\4\2\0\x50\x7f\0\0\1\0", 9, 1, 0 },
		{ "4 with port 0", "\4\1\0\0\x7f\0\0\1\0", 9, 0, 8 },
		{ "4, another command", "\4\3", 2, 0, 0 },
		{ "4, a user that is none", "\4\1\0\x50\x7f\0\0\1\1", 9, 0, 0 },
		{ "HTTP", "GET", 1, 0, 0 },
		{ "TLS", "\x16\3\1", 1, 0, 0 },
		{ "nothing", "", 0, -1, 0 },
	};
	char endless[8 + HT_SOCKS_USER_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t decided = rows[i].decided_at ? rows[i].decided_at : rows[i].len;

		if (ht_socks_probe(rows[i].bytes, rows[i].len) != rows[i].expected)
			fail_msg("%s", rows[i].why);
		for (size_t len = 0; len < decided; len++)
			if (ht_socks_probe(rows[i].bytes, len) != -1)
				fail_msg("%s: decided after %zu", rows[i].why, len);
	}
	assert_int_equal(ht_socks_probe("\5\1\0GET / HTTP/1.1", 17), 0);
	memset(endless, 'a', sizeof(endless));
	memcpy(endless, "\4\1\0\x50\x7f\0\0\1", 8);
	assert_int_equal(ht_socks_probe(endless, sizeof(endless) - 1), -1);
	assert_int_equal(ht_socks_probe(endless, sizeof(endless)), 0);
}

static void names(void **state)
{
	char code[HT_SOCKS_CODE_MAX];
	struct ht_socks socks;

	(void)state;
	for (int error = HT_SOCKS_OK; error <= HT_SOCKS_GAP; error++)
		assert_string_not_equal(ht_socks_error_name((enum ht_socks_error)error), "unknown");
	assert_string_equal(ht_socks_error_name((enum ht_socks_error)99), "unknown");
	ht_socks_init(&socks);
	assert_null(ht_socks_code(&socks, code));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_every_split),
		cmocka_unit_test(either_side_first),
		cmocka_unit_test(probe),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
