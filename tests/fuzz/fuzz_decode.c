/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fuzz_decode.c - any bytes as records: what is handed on must be sound, ordered and complete.
 *
 * Input: two bytes that choose the bound of memory, then records. To get past the header's checks often, sizes are folded into range.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decode/decode.h"
#include "source/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define REQUIRE(claim)           \
	do {                     \
		if (!(claim))    \
			abort(); \
	} while (0)

struct seen {
	uint64_t given, lost_records, max_ns, told_ns;
	struct ht_decode *decode;
};

static void seen_record(void *ctx, const struct ht_hdr *rec)
{
	struct seen *seen = ctx;
	const struct ht_rec_data *data = (const void *)rec;
	const struct ht_rec_dns *dns = (const void *)rec;
	const struct ht_rec_proc *proc = (const void *)rec;
	const struct ht_rec_tls *tls = (const void *)rec;

	seen->given++;
	/* Out of order only as far as is counted. */
	if (rec->ts_ns < seen->max_ns)
		REQUIRE(ht_decode_counts(seen->decode)->late);
	else
		seen->max_ns = rec->ts_ns;
	switch (rec->kind) {
	case HT_REC_DATA:
		REQUIRE(data->captured_len <= data->orig_len && sizeof(*data) + data->captured_len <= rec->size);
		REQUIRE(data->start_ns <= rec->ts_ns && data->arrival_ns <= rec->ts_ns);
		break;
	case HT_REC_DNS_START:
	case HT_REC_DNS_DONE:
		REQUIRE(rec->size >= sizeof(*dns) && strlen(dns->host) == dns->host_len && strlen(dns->service) == dns->service_len);
		REQUIRE(dns->addr_cnt <= HT_DNS_ADDR_MAX);
		break;
	case HT_REC_PROC:
		REQUIRE(rec->size >= sizeof(*proc) && strlen(proc->exe) == proc->exe_len && strlen(proc->comm) < sizeof(proc->comm));
		break;
	case HT_REC_TLS:
		REQUIRE(sizeof(*tls) + tls->text_len < rec->size && ((const char *)(tls + 1))[tls->text_len] == '\0');
		break;
	case HT_REC_TICK:
	case HT_REC_END:
	case HT_REC_LOST:
	case HT_REC_LOSING:
		abort();
	default:
		break;
	}
}

static void seen_lost(void *ctx, uint64_t ts_ns, uint64_t count, const char *where)
{
	(void)ctx;
	(void)ts_ns;
	REQUIRE(count > 0 && strlen(where) < 24);
}

static void seen_time(void *ctx, uint64_t now_ns)
{
	struct seen *seen = ctx;

	REQUIRE(now_ns >= seen->told_ns);
	seen->told_ns = now_ns;
}

static const struct ht_decode_ops seen_ops = { .record = seen_record, .lost = seen_lost, .time = seen_time, .end = seen_time };

static int add(void *ctx, const struct ht_hdr *rec)
{
	struct seen *seen = ctx;

	if (ht_decode_add(seen->decode, rec) == 0 && (rec->kind == HT_REC_LOST || rec->kind == HT_REC_LOSING))
		seen->lost_records++;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct seen seen = { 0 };
	const struct ht_decode_counts *counts;
	struct ht_decode *decode;
	struct ht_source *source;
	uint8_t *records;

	if (len < 2)
		return 0;
	decode = ht_decode_new(&seen_ops, &seen, (size_t)data[0] << data[1] % 16 | 1);
	REQUIRE(decode);
	seen.decode = decode;
	data += 2;
	len -= 2;
	records = malloc(len + 1);
	REQUIRE(records);
	memcpy(records, data, len);
	for (size_t at = 0; at + sizeof(struct ht_hdr) <= len;) {
		uint32_t size = records[at] | (uint32_t)records[at + 1] << 8;

		if (size < sizeof(struct ht_hdr))
			size = sizeof(struct ht_hdr);
		if (size > len - at)
			size = (uint32_t)(len - at);
		memcpy(records + at, &size, sizeof(size));
		at += size;
	}
	source = ht_memory_open(records, len);
	REQUIRE(source);
	while (source->ops->poll(source, 0, add, &seen) > 0)
		;
	ht_decode_flush(decode);
	source->ops->close(source);
	/* Nothing sound is dropped, nothing is given twice. */
	counts = ht_decode_counts(decode);
	REQUIRE(seen.given + seen.lost_records == counts->records);
	ht_decode_free(decode);
	free(records);
	return 0;
}
