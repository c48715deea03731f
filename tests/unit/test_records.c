/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_records.c - the record ABI (include/abi/event.h): where each field is. Capture files of earlier versions depend on every number
 * here; a change of one is a new kind, not a new expectation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "abi/config.h"
#include "abi/event.h"
#include "source/capture.h"

struct field {
	const char *name;
	size_t off, bytes; /* as they are */
	size_t expected_off, expected_bytes;
};

#define FIELD(type, field, off, bytes)                                                                        \
	{                                                                                                     \
#type "." #field, offsetof(struct type, field), sizeof(((struct type *)0)->field), off, bytes \
	}
#define SIZE(type, bytes)                                         \
	{                                                         \
		"sizeof " #type, 0, sizeof(struct type), 0, bytes \
	}

static const struct field fields[] = {
	SIZE(ht_hdr, 40),
	FIELD(ht_hdr, size, 0, 4),
	FIELD(ht_hdr, kind, 4, 2),
	FIELD(ht_hdr, flags, 6, 2),
	FIELD(ht_hdr, ts_ns, 8, 8),
	FIELD(ht_hdr, seq, 16, 8),
	FIELD(ht_hdr, cpu, 24, 4),
	FIELD(ht_hdr, lost, 28, 4),
	FIELD(ht_hdr, tgid, 32, 4),
	FIELD(ht_hdr, tid, 36, 4),

	SIZE(ht_addr, 24),
	FIELD(ht_addr, family, 0, 2),
	FIELD(ht_addr, port, 2, 2),
	FIELD(ht_addr, scope_id, 4, 4),
	FIELD(ht_addr, addr, 8, 16),

	SIZE(ht_rec_sock_state, 128),
	FIELD(ht_rec_sock_state, cookie, 40, 8),
	FIELD(ht_rec_sock_state, tx_bytes, 48, 8),
	FIELD(ht_rec_sock_state, rx_bytes, 56, 8),
	FIELD(ht_rec_sock_state, local, 64, 24),
	FIELD(ht_rec_sock_state, remote, 88, 24),
	FIELD(ht_rec_sock_state, netns, 112, 4),
	FIELD(ht_rec_sock_state, err, 116, 4),
	FIELD(ht_rec_sock_state, old_state, 120, 1),
	FIELD(ht_rec_sock_state, new_state, 121, 1),
	FIELD(ht_rec_sock_state, pad, 122, 6),

	SIZE(ht_rec_connect_fail, 88),
	FIELD(ht_rec_connect_fail, cookie, 40, 8),
	FIELD(ht_rec_connect_fail, start_ns, 48, 8),
	FIELD(ht_rec_connect_fail, remote, 56, 24),
	FIELD(ht_rec_connect_fail, err, 80, 4),
	FIELD(ht_rec_connect_fail, pad, 84, 4),

	SIZE(ht_rec_sock_event, 56),
	FIELD(ht_rec_sock_event, cookie, 40, 8),
	FIELD(ht_rec_sock_event, err, 48, 4),
	FIELD(ht_rec_sock_event, pad, 52, 4),

	SIZE(ht_rec_data, 96),
	FIELD(ht_rec_data, cookie, 40, 8),
	FIELD(ht_rec_data, tls_id, 48, 8),
	FIELD(ht_rec_data, off, 56, 8),
	FIELD(ht_rec_data, start_ns, 64, 8),
	FIELD(ht_rec_data, arrival_ns, 72, 8),
	FIELD(ht_rec_data, orig_len, 80, 4),
	FIELD(ht_rec_data, captured_len, 84, 4),
	FIELD(ht_rec_data, err, 88, 4),
	FIELD(ht_rec_data, dir, 92, 1),
	FIELD(ht_rec_data, via, 93, 1),
	FIELD(ht_rec_data, stream, 94, 1),
	FIELD(ht_rec_data, pad, 95, 1),

	SIZE(ht_rec_tls, 96),
	FIELD(ht_rec_tls, tls_id, 40, 8),
	FIELD(ht_rec_tls, cookie, 48, 8),
	FIELD(ht_rec_tls, start_ns, 56, 8),
	FIELD(ht_rec_tls, object, 64, 8),
	FIELD(ht_rec_tls, err_lib, 72, 4),
	FIELD(ht_rec_tls, err_reason, 76, 4),
	FIELD(ht_rec_tls, ret, 80, 4),
	FIELD(ht_rec_tls, op, 84, 2),
	FIELD(ht_rec_tls, library, 86, 2),
	FIELD(ht_rec_tls, evidence, 88, 1),
	FIELD(ht_rec_tls, is_server, 89, 1),
	FIELD(ht_rec_tls, text_len, 90, 2),
	FIELD(ht_rec_tls, verify_result, 92, 4),

	SIZE(ht_rec_dns, 752),
	FIELD(ht_rec_dns, call_id, 40, 8),
	FIELD(ht_rec_dns, start_ns, 48, 8),
	FIELD(ht_rec_dns, eai, 56, 4),
	FIELD(ht_rec_dns, sys_errno, 60, 4),
	FIELD(ht_rec_dns, host_len, 64, 2),
	FIELD(ht_rec_dns, service_len, 66, 2),
	FIELD(ht_rec_dns, addr_cnt, 68, 2),
	FIELD(ht_rec_dns, addr_total, 70, 2),
	FIELD(ht_rec_dns, ai_flags, 72, 4),
	FIELD(ht_rec_dns, pad, 76, 4),
	FIELD(ht_rec_dns, host, 80, 256),
	FIELD(ht_rec_dns, service, 336, 32),
	FIELD(ht_rec_dns, addrs, 368, 384),

	SIZE(ht_rec_proc, 344),
	FIELD(ht_rec_proc, start_ns, 40, 8),
	FIELD(ht_rec_proc, cgroup_id, 48, 8),
	FIELD(ht_rec_proc, ppid, 56, 4),
	FIELD(ht_rec_proc, uid, 60, 4),
	FIELD(ht_rec_proc, op, 64, 2),
	FIELD(ht_rec_proc, exe_len, 66, 2),
	FIELD(ht_rec_proc, exit_code, 68, 4),
	FIELD(ht_rec_proc, comm, 72, 16),
	FIELD(ht_rec_proc, exe, 88, 256),

	SIZE(ht_rec_clock, 56),
	FIELD(ht_rec_clock, mono_ns, 40, 8),
	FIELD(ht_rec_clock, realtime_ns, 48, 8),

	SIZE(ht_rec_tick, 40),

	SIZE(ht_rec_target, 56),
	FIELD(ht_rec_target, action, 40, 4),
	FIELD(ht_rec_target, probe_cnt, 44, 4),
	FIELD(ht_rec_target, text_len, 48, 4),
	FIELD(ht_rec_target, pad, 52, 4),

	SIZE(ht_rec_count, 72),
	FIELD(ht_rec_count, count, 40, 8),
	FIELD(ht_rec_count, name, 48, 24),
	SIZE(ht_rec_losing, 48),
	FIELD(ht_rec_losing, until_ns, 40, 8),
	SIZE(ht_rec_lost, 72),
	FIELD(ht_rec_lost, count, 40, 8),
	FIELD(ht_rec_lost, where, 48, 24),

	SIZE(ht_rec_config, 48),
	FIELD(ht_rec_config, flags, 40, 4),
	FIELD(ht_rec_config, head_bytes, 44, 4),

	SIZE(ht_bpf_config, 20),
	FIELD(ht_bpf_config, flags, 0, 4),
	FIELD(ht_bpf_config, head_bytes, 4, 4),
	FIELD(ht_bpf_config, self_tgid, 8, 4),
	FIELD(ht_bpf_config, wakeup_bytes, 12, 4),
	FIELD(ht_bpf_config, recvmsg_params, 16, 4),

	SIZE(ht_capture_header, 176),
	FIELD(ht_capture_header, magic, 0, 8),
	FIELD(ht_capture_header, byte_order, 8, 4),
	FIELD(ht_capture_header, format, 12, 4),
	FIELD(ht_capture_header, abi_version, 16, 4),
	FIELD(ht_capture_header, header_bytes, 20, 4),
	FIELD(ht_capture_header, created_realtime_ns, 24, 8),
	FIELD(ht_capture_header, created_mono_ns, 32, 8),
	FIELD(ht_capture_header, kernel_release, 40, 72),
	FIELD(ht_capture_header, machine, 112, 24),
	FIELD(ht_capture_header, writer, 136, 32),
	FIELD(ht_capture_header, pad, 168, 4),
	FIELD(ht_capture_header, crc, 172, 4),

	SIZE(ht_capture_part, 16),
	FIELD(ht_capture_part, mark, 0, 4),
	FIELD(ht_capture_part, bytes, 4, 4),
	FIELD(ht_capture_part, crc, 8, 4),
	FIELD(ht_capture_part, record_cnt, 12, 4),

	SIZE(ht_capture_block, 32),
	FIELD(ht_capture_block, block_no, 16, 8),
	FIELD(ht_capture_block, first_ts_ns, 24, 8),

	SIZE(ht_capture_trailer, 56),
	FIELD(ht_capture_trailer, block_cnt, 16, 8),
	FIELD(ht_capture_trailer, record_cnt, 24, 8),
	FIELD(ht_capture_trailer, record_bytes, 32, 8),
	FIELD(ht_capture_trailer, lost_cnt, 40, 8),
	FIELD(ht_capture_trailer, last_ts_ns, 48, 8),
};

static void fields_are_where_they_were(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (fields[i].off != fields[i].expected_off || fields[i].bytes != fields[i].expected_bytes)
			fail_msg("%s: %zu bytes at %zu, expected %zu at %zu", fields[i].name, fields[i].bytes, fields[i].off,
				 fields[i].expected_bytes, fields[i].expected_off);
}

/* Struct by struct the fields of the table follow each other without a hole and fill the size: there is no padding that nobody writes. */
static void nothing_is_between_fields(void **state)
{
	size_t next_off = 0, size = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (strncmp(fields[i].name, "sizeof ", 7) == 0) {
			assert_int_equal(next_off, size);
			size = fields[i].bytes;
			/* Records begin with the header, parts of a capture with theirs. */
			next_off = strstr(fields[i].name, "ht_rec_")                                        ? sizeof(struct ht_hdr)
				   : strstr(fields[i].name, "_block") || strstr(fields[i].name, "_trailer") ? sizeof(struct ht_capture_part)
													    : 0;
			continue;
		}
		if (fields[i].off != next_off)
			fail_msg("%s at %zu: %zu was expected, there is a hole", fields[i].name, fields[i].off, next_off);
		next_off += fields[i].bytes;
	}
	assert_int_equal(next_off, size);
}

static const struct {
	const char *name;
	uint64_t is, expected;
} numbers[] = {
#define NUMBER(name, expected)        \
	{                             \
#name, name, expected \
	}
	NUMBER(HT_ABI_VERSION, 1),    NUMBER(HT_REC_SOCK_STATE, 1), NUMBER(HT_REC_CONNECT_FAIL, 2), NUMBER(HT_REC_SOCK_ERROR, 3),
	NUMBER(HT_REC_SOCK_RESET, 4), NUMBER(HT_REC_SOCK_AGAIN, 5), NUMBER(HT_REC_DATA, 6),         NUMBER(HT_REC_TLS, 7),
	NUMBER(HT_REC_DNS_START, 8),  NUMBER(HT_REC_DNS_DONE, 9),   NUMBER(HT_REC_PROC, 10),        NUMBER(HT_REC_CLOCK, 64),
	NUMBER(HT_REC_TICK, 65),      NUMBER(HT_REC_TARGET, 66),    NUMBER(HT_REC_LOST, 67),        NUMBER(HT_REC_CONFIG, 68),
	NUMBER(HT_REC_COUNT, 70),     NUMBER(HT_REC_LOSING, 71),    NUMBER(HT_REC_END, 69),         NUMBER(HT_CPU_USER, 0xffffffff),
	NUMBER(HT_F_FOREIGN, 0x0001), NUMBER(HT_F_EXITING, 0x0002), NUMBER(HT_F_COMPAT, 0x0004),    NUMBER(HT_F_NOBUF, 0x0100),
	NUMBER(HT_F_EOF, 0x0200),     NUMBER(HT_F_FAILED, 0x0400),  NUMBER(HT_F_FIRST, 0x0800),     NUMBER(HT_F_HANDSHAKE, 0x1000),
	NUMBER(HT_F_LAST, 0x2000),    NUMBER(HT_CAPTURE_FORMAT, 1),
#undef NUMBER
};

static void numbers_mean_what_they_meant(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i].is != numbers[i].expected)
			fail_msg("%s is %llu, expected %llu", numbers[i].name, (unsigned long long)numbers[i].is,
				 (unsigned long long)numbers[i].expected);
	assert_memory_equal(HT_CAPTURE_MAGIC, "\x89HTBPF\r\n", HT_CAPTURE_MAGIC_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_where_they_were),
		cmocka_unit_test(nothing_is_between_fields),
		cmocka_unit_test(numbers_mean_what_they_meant),
	};

	return cmocka_run_group_tests_name("records", tests, NULL, NULL);
}
