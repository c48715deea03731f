/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fuzz_capture.c - any bytes as a capture file, and any bytes as the inside of a file whose check sums are right.
 *
 * Input: a byte of mode, then the file. Mode odd: its header and the check sums of its parts are made right first.
 */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/capture.h"
#include "source/crc32c.h"
#include "source/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define REQUIRE(claim)           \
	do {                     \
		if (!(claim))    \
			abort(); \
	} while (0)

static int take(void *ctx, const struct ht_hdr *rec)
{
	uint64_t *sum = ctx;
	const uint8_t *bytes = (const uint8_t *)rec;

	REQUIRE(rec->size >= sizeof(*rec) && rec->size <= HT_CAPTURE_RECORD_MAX_BYTES && (uintptr_t)rec % 8 == 0);
	/* Every byte is there, and counts: two replays must agree. */
	for (uint32_t i = 0; i < rec->size; i++)
		*sum = *sum * 31 + bytes[i];
	return 0;
}

static void make_right(uint8_t *file, size_t len)
{
	struct ht_capture_header header = { .byte_order = HT_CAPTURE_BYTE_ORDER,
					    .format = HT_CAPTURE_FORMAT,
					    .abi_version = HT_ABI_VERSION,
					    .header_bytes = sizeof(header) };
	uint64_t block_no = 0;

	if (len < sizeof(header))
		return;
	memcpy(header.magic, HT_CAPTURE_MAGIC, sizeof(header.magic));
	header.crc = ht_crc32c(0, &header, sizeof(header));
	memcpy(file, &header, sizeof(header));
	for (size_t at = sizeof(header); at + sizeof(struct ht_capture_block) <= len;) {
		struct ht_capture_block block;

		memcpy(&block, file + at, sizeof(block));
		if (block.part.mark != HT_CAPTURE_TRAILER_MARK) {
			block.part.mark = HT_CAPTURE_BLOCK_MARK;
			block.part.record_cnt &= 7;
			block.part.bytes = sizeof(block) + (block.part.bytes & 0x3ff);
			block.block_no = block_no++;
		}
		if (block.part.bytes < sizeof(block) || block.part.bytes > len - at)
			return;
		block.part.crc = 0;
		memcpy(file + at, &block, sizeof(block));
		block.part.crc = ht_crc32c(0, file + at, block.part.bytes);
		memcpy(file + at, &block, sizeof(block));
		at += block.part.bytes;
	}
}

static uint64_t replay(const char *path, uint64_t *cnt, int *is_open)
{
	char err[200];
	struct ht_source *source = ht_replay_open(path, err, sizeof(err));
	uint64_t sum = 0;
	int n;

	*cnt = 0;
	*is_open = source != NULL;
	if (!source) {
		REQUIRE(err[0]);
		return 0;
	}
	while ((n = source->ops->poll(source, 0, take, &sum)) > 0)
		*cnt += (uint64_t)n;
	REQUIRE(source->ops->stop(source, take, &sum) == 0);
	if (ht_replay_problem(source))
		sum++;
	source->ops->close(source);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static int fd = -1;
	uint64_t sum, cnt, cnt_again;
	int is_open, is_open_again;
	char path[64];
	uint8_t *file;

	if (len < 1)
		return 0;
	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	REQUIRE(fd >= 0);
	file = malloc(len);
	REQUIRE(file);
	memcpy(file, data + 1, len - 1);
	if (data[0] & 1)
		make_right(file, len - 1);
	REQUIRE(ftruncate(fd, 0) == 0 && pwrite(fd, file, len - 1, 0) == (ssize_t)(len - 1));
	free(file);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	sum = replay(path, &cnt, &is_open);
	REQUIRE(replay(path, &cnt_again, &is_open_again) == sum && cnt_again == cnt && is_open_again == is_open);
	return 0;
}
