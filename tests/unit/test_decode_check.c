/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_decode_check.c - each kind of record sound, cut, and wrong in one point; what is handed on of the sound ones.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode/decode.h"

#define CNT(array) (sizeof(array) / sizeof((array)[0]))

static void keep_time(void *ctx, uint64_t now_ns)
{
	(void)ctx;
	(void)now_ns;
}

static void drop_record(void *ctx, const struct ht_hdr *rec)
{
	(void)rec;
	++*(unsigned int *)ctx;
}

static void drop_lost(void *ctx, uint64_t ts_ns, uint64_t count, const char *where)
{
	(void)ts_ns;
	(void)count;
	(void)where;
	++*(unsigned int *)ctx;
}

static const struct ht_decode_ops drop_ops = { .record = drop_record, .lost = drop_lost, .time = keep_time, .end = keep_time };

union any {
	struct ht_hdr hdr;
	struct ht_rec_sock_state sock_state;
	struct ht_rec_connect_fail connect_fail;
	struct ht_rec_sock_event sock_event;
	struct ht_rec_data data;
	struct ht_rec_tls tls;
	struct ht_rec_dns dns;
	struct ht_rec_proc proc;
	struct ht_rec_clock clock;
	struct ht_rec_target target;
	struct ht_rec_lost lost;
	struct ht_rec_count count;
	struct ht_rec_losing losing;
	struct ht_rec_unix_connect unix_connect;
	struct ht_rec_h2_submit h2_submit;
	struct ht_rec_config config;
	char bytes[2048];
};

/* A sound record of each kind, with all that it can have. */
static void make_sound(union any *any, uint16_t kind)
{
	memset(any, 0, sizeof(*any));
	any->hdr.kind = kind;
	any->hdr.ts_ns = 1000;
	switch (kind) {
	case HT_REC_SOCK_STATE:
		any->hdr.size = sizeof(any->sock_state);
		any->sock_state.cookie = 1;
		any->sock_state.local.family = HT_AF_INET;
		any->sock_state.remote.family = HT_AF_INET6;
		any->sock_state.old_state = HT_TCP_SYN_SENT;
		any->sock_state.new_state = HT_TCP_ESTABLISHED;
		break;
	case HT_REC_CONNECT_FAIL:
		any->hdr.size = sizeof(any->connect_fail);
		any->connect_fail.start_ns = 900;
		any->connect_fail.remote.family = HT_AF_INET;
		any->connect_fail.err = ENETUNREACH;
		break;
	case HT_REC_UNIX_CONNECT:
		any->hdr.size = offsetof(struct ht_rec_unix_connect, path) + 16;
		any->unix_connect.cookie = 1;
		any->unix_connect.start_ns = 900;
		any->unix_connect.done_ns = 950;
		any->unix_connect.path_len = 11;
		memcpy(any->unix_connect.path, "/run/a.sock", 11);
		break;
	case HT_REC_H2_SUBMIT:
		any->hdr.size = offsetof(struct ht_rec_h2_submit, text) + 16;
		any->h2_submit.session = 0x7f0000001000;
		any->h2_submit.stream_id = 3;
		any->h2_submit.field_cnt = 2;
		any->h2_submit.told_cnt = 2;
		any->h2_submit.lens[0].name = 5;
		any->h2_submit.lens[0].value = 2;
		any->h2_submit.lens[1].name = 1;
		any->h2_submit.text_len = 8;
		memcpy(any->h2_submit.text, ":path/1x", 8);
		break;
	case HT_REC_SOCK_ERROR:
	case HT_REC_SOCK_RESET:
	case HT_REC_SOCK_AGAIN:
		any->hdr.size = sizeof(any->sock_event);
		any->sock_event.cookie = 1;
		any->sock_event.err = ECONNRESET;
		break;
	case HT_REC_DATA:
		any->hdr.size = sizeof(any->data) + 8;
		any->data.cookie = 1;
		any->data.start_ns = 900;
		any->data.arrival_ns = 950;
		any->data.captured_len = 6;
		any->data.orig_len = 1000;
		any->data.via = HT_VIA_TLS;
		any->data.dir = HT_DIR_RX;
		any->data.stream = HT_STREAM_SOCKS;
		memcpy(any->bytes + sizeof(any->data), "GET / ", 6);
		break;
	case HT_REC_TLS:
		any->hdr.size = sizeof(any->tls) + 8;
		any->tls.tls_id = 1;
		any->tls.cookie = 1;
		any->tls.start_ns = 900;
		any->tls.op = HT_TLS_SERVER_NAME;
		any->tls.library = HT_TLS_LIB_OPENSSL;
		any->tls.evidence = HT_BIND_NESTED;
		any->tls.text_len = 8;
		memcpy(any->bytes + sizeof(any->tls), "host.exa", 8);
		break;
	case HT_REC_DNS_START:
	case HT_REC_DNS_DONE:
		any->hdr.size = offsetof(struct ht_rec_dns, addrs);
		any->dns.start_ns = 900;
		any->dns.host_len = 4;
		memcpy(any->dns.host, "host", 4);
		any->dns.service_len = 2;
		memcpy(any->dns.service, "80", 2);
		if (kind == HT_REC_DNS_DONE) {
			any->hdr.size += 2 * sizeof(struct ht_addr);
			any->dns.addr_cnt = 2;
			any->dns.addr_total = 3;
			any->dns.addrs[0].family = HT_AF_INET;
			any->dns.addrs[1].family = HT_AF_INET6;
		}
		break;
	case HT_REC_PROC:
		any->hdr.size = offsetof(struct ht_rec_proc, exe) + 9;
		any->proc.op = HT_PROC_EXEC;
		any->proc.exe_len = 9;
		memcpy(any->proc.comm, "0123456789abcdef", 16);
		memcpy(any->proc.exe, "/bin/true", 9);
		break;
	case HT_REC_CLOCK:
		any->hdr.size = sizeof(any->clock);
		any->clock.realtime_ns = 5;
		break;
	case HT_REC_TARGET:
		any->hdr.size = sizeof(any->target) + 16;
		any->target.action = HT_TARGET_REFUSED;
		any->target.text_len = 13;
		memcpy(any->bytes + sizeof(any->target), "library\0/l\0no", 13);
		break;
	case HT_REC_LOST:
		any->hdr.size = sizeof(any->lost);
		any->lost.count = 1;
		memset(any->lost.where, 'x', sizeof(any->lost.where));
		break;
	case HT_REC_COUNT:
		any->hdr.size = sizeof(any->count);
		any->count.count = 1;
		memset(any->count.name, 'x', sizeof(any->count.name));
		break;
	case HT_REC_LOSING:
		any->hdr.size = sizeof(any->losing);
		any->losing.until_ns = 1;
		break;
	case HT_REC_CONFIG:
		any->hdr.size = sizeof(any->config);
		break;
	default:
		any->hdr.size = sizeof(any->hdr);
		break;
	}
}

static const uint16_t kinds[] = {
	HT_REC_SOCK_STATE, HT_REC_CONNECT_FAIL, HT_REC_SOCK_ERROR, HT_REC_SOCK_RESET, HT_REC_SOCK_AGAIN,   HT_REC_DATA,      HT_REC_TLS,
	HT_REC_DNS_START,  HT_REC_DNS_DONE,     HT_REC_PROC,       HT_REC_CLOCK,      HT_REC_TICK,         HT_REC_TARGET,    HT_REC_LOST,
	HT_REC_CONFIG,     HT_REC_END,          HT_REC_COUNT,      HT_REC_LOSING,     HT_REC_UNIX_CONNECT, HT_REC_H2_SUBMIT,
};

enum { SOUND = 0, WRONG = -EBADMSG };

static const struct {
	const char *why;
	uint16_t kind;
	size_t off, bytes;
	uint64_t value;
	int expected;
} checks[] = {
#define SET(type, field) offsetof(struct type, field), sizeof(((struct type *)0)->field)
	{ "smaller than its header", HT_REC_TICK, SET(ht_hdr, size), 39, WRONG },
	{ "of no size", HT_REC_TICK, SET(ht_hdr, size), 0, WRONG },
	{ "larger than any record", HT_REC_DATA, SET(ht_hdr, size), 0x20001, WRONG },
	{ "a CPU that cannot be", HT_REC_SOCK_AGAIN, SET(ht_hdr, cpu), 8192, WRONG },
	{ "the last CPU", HT_REC_SOCK_AGAIN, SET(ht_hdr, cpu), 8191, SOUND },
	{ "made in user space", HT_REC_PROC, SET(ht_hdr, cpu), HT_CPU_USER, SOUND },
	{ "a time that cannot be", HT_REC_SOCK_AGAIN, SET(ht_hdr, ts_ns), 1ull << 63, WRONG },
	{ "the same of a tick", HT_REC_TICK, SET(ht_hdr, ts_ns), ~0ull, WRONG },
	{ "no cookie", HT_REC_SOCK_STATE, SET(ht_rec_sock_state, cookie), 0, WRONG },
	{ "state 0", HT_REC_SOCK_STATE, SET(ht_rec_sock_state, old_state), 0, WRONG },
	{ "state 14", HT_REC_SOCK_STATE, SET(ht_rec_sock_state, new_state), 14, WRONG },
	{ "a family unknown", HT_REC_SOCK_STATE, SET(ht_rec_sock_state, local.family), 0, SOUND },
	{ "a family that is none of TCP's", HT_REC_SOCK_STATE, SET(ht_rec_sock_state, remote.family), 1, WRONG },
	{ "errno below 0", HT_REC_SOCK_STATE, SET(ht_rec_sock_state, err), 0xffffff91, WRONG },
	{ "errno above 4095", HT_REC_SOCK_STATE, SET(ht_rec_sock_state, err), 4096, WRONG },
	{ "no cookie, as the socket was not known", HT_REC_CONNECT_FAIL, SET(ht_rec_connect_fail, cookie), 0, SOUND },
	{ "a family", HT_REC_CONNECT_FAIL, SET(ht_rec_connect_fail, remote.family), 3, WRONG },
	{ "errno", HT_REC_CONNECT_FAIL, SET(ht_rec_connect_fail, err), 1 << 20, WRONG },
	{ "no cookie", HT_REC_UNIX_CONNECT, SET(ht_rec_unix_connect, cookie), 0, WRONG },
	{ "a path to the record's end", HT_REC_UNIX_CONNECT, SET(ht_rec_unix_connect, path_len), 16, SOUND },
	{ "a path beyond it", HT_REC_UNIX_CONNECT, SET(ht_rec_unix_connect, path_len), 17, WRONG },
	{ "a path longer than any", HT_REC_UNIX_CONNECT, SET(ht_rec_unix_connect, path_len), 109, WRONG },
	{ "no stream", HT_REC_H2_SUBMIT, SET(ht_rec_h2_submit, stream_id), 0, WRONG },
	{ "a stream that cannot be", HT_REC_H2_SUBMIT, SET(ht_rec_h2_submit, stream_id), 1u << 31, WRONG },
	{ "more fields told than given", HT_REC_H2_SUBMIT, SET(ht_rec_h2_submit, field_cnt), 1, WRONG },
	{ "more given than told", HT_REC_H2_SUBMIT, SET(ht_rec_h2_submit, field_cnt), 0xffff, SOUND },
	{ "more fields than there is room for", HT_REC_H2_SUBMIT, SET(ht_rec_h2_submit, told_cnt), 65, WRONG },
	{ "lengths that do not add up", HT_REC_H2_SUBMIT, SET(ht_rec_h2_submit, lens[1].value), 1, WRONG },
	{ "texts that are not all of a field's", HT_REC_H2_SUBMIT, SET(ht_rec_h2_submit, text_len), 9, WRONG },
	{ "texts beyond the record's end", HT_REC_H2_SUBMIT, SET(ht_hdr, size), offsetof(struct ht_rec_h2_submit, text) + 7, WRONG },
	{ "cut in the table of lengths", HT_REC_H2_SUBMIT, SET(ht_hdr, size), offsetof(struct ht_rec_h2_submit, text) - 1, WRONG },
	{ "no path", HT_REC_UNIX_CONNECT, SET(ht_rec_unix_connect, path_len), 0, SOUND },
	{ "errno", HT_REC_UNIX_CONNECT, SET(ht_rec_unix_connect, err), 4096, WRONG },
	{ "a time that cannot be", HT_REC_UNIX_CONNECT, SET(ht_rec_unix_connect, start_ns), 1ull << 63, WRONG },
	{ "cut in the middle of its fields", HT_REC_UNIX_CONNECT, SET(ht_hdr, size), 71, WRONG },
	{ "no cookie", HT_REC_SOCK_RESET, SET(ht_rec_sock_event, cookie), 0, WRONG },
	{ "errno", HT_REC_SOCK_ERROR, SET(ht_rec_sock_event, err), 0xffffffff, WRONG },
	{ "more captured than there was", HT_REC_DATA, SET(ht_rec_data, orig_len), 5, WRONG },
	{ "all captured", HT_REC_DATA, SET(ht_rec_data, orig_len), 6, SOUND },
	{ "captured over the record's end", HT_REC_DATA, SET(ht_rec_data, captured_len), 9, WRONG },
	{ "captured to the record's end", HT_REC_DATA, SET(ht_rec_data, captured_len), 8, SOUND },
	{ "the largest length", HT_REC_DATA, SET(ht_rec_data, captured_len), 0xffffffff, WRONG },
	{ "size in the middle of the struct", HT_REC_DATA, SET(ht_hdr, size), 95, WRONG },
	{ "an offset that cannot be", HT_REC_DATA, SET(ht_rec_data, off), ~0ull, WRONG },
	{ "a third direction", HT_REC_DATA, SET(ht_rec_data, dir), 2, WRONG },
	{ "a way unknown", HT_REC_DATA, SET(ht_rec_data, via), 5, WRONG },
	{ "a stream unknown", HT_REC_DATA, SET(ht_rec_data, stream), 7, WRONG },
	{ "neither socket nor TLS object", HT_REC_DATA, SET(ht_rec_data, cookie), 0, WRONG },
	{ "failed, but with bytes", HT_REC_DATA, SET(ht_hdr, flags), HT_F_FAILED, WRONG },
	{ "no TLS object", HT_REC_TLS, SET(ht_rec_tls, tls_id), 0, WRONG },
	{ "op 0", HT_REC_TLS, SET(ht_rec_tls, op), 0, WRONG },
	{ "op 10", HT_REC_TLS, SET(ht_rec_tls, op), 10, WRONG },
	{ "a library unknown", HT_REC_TLS, SET(ht_rec_tls, library), 5, WRONG },
	{ "evidence unknown", HT_REC_TLS, SET(ht_rec_tls, evidence), 4, WRONG },
	{ "half a server", HT_REC_TLS, SET(ht_rec_tls, is_server), 2, WRONG },
	{ "text over the end", HT_REC_TLS, SET(ht_rec_tls, text_len), 9, WRONG },
	{ "text longer than any", HT_REC_TLS, SET(ht_rec_tls, text_len), 257, WRONG },
	{ "no text", HT_REC_TLS, SET(ht_rec_tls, text_len), 0, SOUND },
	{ "a binding", HT_REC_TLS, SET(ht_rec_tls, op), HT_TLS_BIND, SOUND },
	{ "more addresses than places", HT_REC_DNS_DONE, SET(ht_rec_dns, addr_cnt), 17, WRONG },
	{ "more addresses than were sent", HT_REC_DNS_DONE, SET(ht_rec_dns, addr_cnt), 3, WRONG },
	{ "fewer in all than here", HT_REC_DNS_DONE, SET(ht_rec_dns, addr_total), 1, WRONG },
	{ "an address of no family", HT_REC_DNS_DONE, SET(ht_rec_dns, addrs[1].family), 0, WRONG },
	{ "host longer than its place", HT_REC_DNS_DONE, SET(ht_rec_dns, host_len), 257, WRONG },
	{ "service longer than its place", HT_REC_DNS_DONE, SET(ht_rec_dns, service_len), 33, WRONG },
	{ "cut in the service", HT_REC_DNS_START, SET(ht_hdr, size), 367, WRONG },
	{ "an answer before the end", HT_REC_DNS_START, SET(ht_rec_dns, eai), 1, WRONG },
	{ "negative EAI", HT_REC_DNS_DONE, SET(ht_rec_dns, eai), 0xfffffffe, SOUND },
	{ "op 0", HT_REC_PROC, SET(ht_rec_proc, op), 0, WRONG },
	{ "op 5", HT_REC_PROC, SET(ht_rec_proc, op), 5, WRONG },
	{ "exe over the record's end", HT_REC_PROC, SET(ht_rec_proc, exe_len), 10, WRONG },
	{ "exe longer than its place", HT_REC_PROC, SET(ht_rec_proc, exe_len), 257, WRONG },
	{ "cut in comm", HT_REC_PROC, SET(ht_hdr, size), 87, WRONG },
	{ "a clock that cannot be", HT_REC_CLOCK, SET(ht_rec_clock, realtime_ns), 1ull << 63, WRONG },
	{ "action 0", HT_REC_TARGET, SET(ht_rec_target, action), 0, WRONG },
	{ "action 4", HT_REC_TARGET, SET(ht_rec_target, action), 4, WRONG },
	{ "text over the end", HT_REC_TARGET, SET(ht_rec_target, text_len), 17, WRONG },
	{ "text of one part", HT_REC_TARGET, SET(ht_rec_target, text_len), 9, WRONG },
	{ "text without its last NUL", HT_REC_TARGET, SET(ht_rec_target, text_len), 13, SOUND },
	{ "cut in where", HT_REC_LOST, SET(ht_hdr, size), 71, WRONG },
	{ "cut in until_ns", HT_REC_LOSING, SET(ht_hdr, size), 40, WRONG },
	{ "cut in name", HT_REC_COUNT, SET(ht_hdr, size), 71, WRONG },
	{ "cut", HT_REC_CONFIG, SET(ht_hdr, size), 47, WRONG },
#undef SET
};

static int add_exact(struct ht_decode *decode, const union any *any)
{
	/* Of exactly its size, for a sanitizer to see what is read beyond. */
	size_t bytes = any->hdr.size < sizeof(*any) ? any->hdr.size : sizeof(*any);
	struct ht_hdr *exact = malloc(bytes < sizeof(any->hdr) ? sizeof(any->hdr) : bytes);
	int err;

	assert_non_null(exact);
	memcpy(exact, any, bytes < sizeof(any->hdr) ? sizeof(any->hdr) : bytes);
	err = ht_decode_add(decode, exact);
	free(exact);
	return err;
}

static void kinds_are_checked(void **state)
{
	unsigned int given_cnt = 0;
	struct ht_decode *decode;
	union any any;

	(void)state;
	for (size_t i = 0; i < CNT(kinds); i++) {
		decode = ht_decode_new(&drop_ops, &given_cnt, 0);
		make_sound(&any, kinds[i]);
		assert_int_equal(add_exact(decode, &any), 0);
		/* A newer writer's record of the kind is longer; one cut anywhere is refused, or never read beyond its end. */
		any.hdr.size += 8;
		assert_int_equal(add_exact(decode, &any), 0);
		for (uint32_t size = 0; size < any.hdr.size; size++) {
			union any cut = any;

			cut.hdr.size = size;
			if (size < sizeof(cut.hdr))
				assert_int_equal(add_exact(decode, &cut), -EBADMSG);
			else
				add_exact(decode, &cut);
		}
		ht_decode_free(decode);
	}
	for (size_t i = 0; i < CNT(checks); i++) {
		int err;

		decode = ht_decode_new(&drop_ops, &given_cnt, 0);
		make_sound(&any, checks[i].kind);
		memcpy(any.bytes + checks[i].off, &checks[i].value, checks[i].bytes);
		err = add_exact(decode, &any);
		if (err != checks[i].expected)
			fail_msg("kind %u, %s: %d, expected %d", checks[i].kind, checks[i].why, err, checks[i].expected);
		assert_int_equal(ht_decode_counts(decode)->malformed, checks[i].expected ? 1 : 0);
		given_cnt = 0;
		ht_decode_flush(decode);
		assert_int_equal(given_cnt, checks[i].expected || checks[i].kind == HT_REC_TICK ? 0 : 1);
		ht_decode_free(decode);
	}
}

/* --- what is handed on --- */

static void keep_record(void *ctx, const struct ht_hdr *rec)
{
	union any *any = ctx;

	assert_true(rec->size <= sizeof(*any));
	assert_int_equal((uintptr_t)rec % 8, 0);
	memset(any, 0x55, sizeof(*any));
	memcpy(any, rec, rec->size);
}

static void keep_lost(void *ctx, uint64_t ts_ns, uint64_t count, const char *where)
{
	union any *any = ctx;

	(void)ts_ns;
	(void)count;
	snprintf(any->bytes, sizeof(any->bytes), "%s", where);
}

static const struct ht_decode_ops keep_ops = { .record = keep_record, .lost = keep_lost, .time = keep_time, .end = keep_time };

static void hand_on(struct ht_decode *decode, union any *any)
{
	assert_int_equal(add_exact(decode, any), 0);
	ht_decode_flush(decode);
}

static void texts_end_and_tails_are_zero(void **state)
{
	union any any, given;
	struct ht_decode *decode = ht_decode_new(&keep_ops, &given, 0);

	(void)state;
	make_sound(&any, HT_REC_DNS_DONE);
	hand_on(decode, &any);
	assert_int_equal(given.hdr.size, sizeof(given.dns));
	assert_string_equal(given.dns.host, "host");
	assert_string_equal(given.dns.service, "80");
	assert_int_equal(given.dns.addrs[1].family, HT_AF_INET6);
	assert_int_equal(given.dns.addrs[2].family, 0);
	assert_int_equal(given.dns.addrs[15].family, 0);

	/* Addresses behind the count are none. */
	make_sound(&any, HT_REC_DNS_DONE);
	any.dns.addr_cnt = 1;
	hand_on(decode, &any);
	assert_int_equal(given.dns.addrs[1].family, 0);

	make_sound(&any, HT_REC_DNS_START);
	memset(any.dns.host, 'x', sizeof(any.dns.host));
	any.dns.host_len = HT_DNS_HOST_MAX;
	memset(any.dns.service, 'y', sizeof(any.dns.service));
	any.dns.service_len = 3;
	hand_on(decode, &any);
	assert_int_equal(given.dns.host_len, HT_DNS_HOST_MAX - 1);
	assert_int_equal(strlen(given.dns.host), HT_DNS_HOST_MAX - 1);
	assert_string_equal(given.dns.service, "yyy");

	/* A NUL within the text ends it. */
	make_sound(&any, HT_REC_DNS_START);
	any.dns.host[2] = '\0';
	hand_on(decode, &any);
	assert_int_equal(given.dns.host_len, 2);

	make_sound(&any, HT_REC_PROC);
	hand_on(decode, &any);
	assert_int_equal(given.hdr.size, sizeof(given.proc));
	assert_string_equal(given.proc.comm, "0123456789abcde");
	assert_string_equal(given.proc.exe, "/bin/true");
	assert_int_equal(given.proc.exe[255], 0);

	make_sound(&any, HT_REC_TLS);
	hand_on(decode, &any);
	assert_string_equal(given.bytes + sizeof(given.tls), "host.exa");

	/* What pads the text is not zero, and the text needs all the room there is. */
	make_sound(&any, HT_REC_TLS);
	any.tls.text_len = 3;
	hand_on(decode, &any);
	assert_string_equal(given.bytes + sizeof(given.tls), "hos");

	make_sound(&any, HT_REC_TARGET);
	hand_on(decode, &any);
	assert_string_equal(given.bytes + sizeof(given.target) + 11, "no");

	make_sound(&any, HT_REC_LOST);
	hand_on(decode, &any);
	assert_string_equal(given.bytes, "xxxxxxxxxxxxxxxxxxxxxxx");

	make_sound(&any, HT_REC_COUNT);
	hand_on(decode, &any);
	assert_string_equal(given.count.name, "xxxxxxxxxxxxxxxxxxxxxxx");

	make_sound(&any, HT_REC_DATA);
	hand_on(decode, &any);
	assert_memory_equal(given.bytes + sizeof(given.data), "GET / ", 6);
	assert_int_equal(given.data.start_ns, 900);
	assert_int_equal(given.data.arrival_ns, 950);
	ht_decode_free(decode);
}

static void begin_behind_the_end_is_unknown(void **state)
{
	union any any, given;
	struct ht_decode *decode = ht_decode_new(&keep_ops, &given, 0);

	(void)state;
	make_sound(&any, HT_REC_DATA);
	any.data.start_ns = any.data.arrival_ns = 1001;
	hand_on(decode, &any);
	assert_int_equal(given.data.start_ns, 0);
	assert_int_equal(given.data.arrival_ns, 0);
	make_sound(&any, HT_REC_TLS);
	any.tls.start_ns = 1001;
	hand_on(decode, &any);
	assert_int_equal(given.tls.start_ns, 0);
	make_sound(&any, HT_REC_CONNECT_FAIL);
	any.connect_fail.start_ns = 1000;
	hand_on(decode, &any);
	assert_int_equal(given.connect_fail.start_ns, 1000);
	make_sound(&any, HT_REC_DNS_START);
	any.dns.start_ns = 1001;
	hand_on(decode, &any);
	assert_int_equal(given.dns.start_ns, 0);
	ht_decode_free(decode);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_are_checked),
		cmocka_unit_test(texts_end_and_tails_are_zero),
		cmocka_unit_test(begin_behind_the_end_is_unknown),
	};

	return cmocka_run_group_tests_name("decode_check", tests, NULL, NULL);
}
