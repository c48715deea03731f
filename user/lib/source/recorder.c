/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * recorder.c - writes the records of a source to a capture file, unchanged and in the order in which they come.
 *
 * In:  records, before anything has looked at them. Out: write(2) of whole parts (header, blocks, trailer) on the caller's fd, never a
 * seek forward, so a pipe will do. Memory: one block, 256 KiB. A part that could not be written whole is taken back (ftruncate) where the
 * file allows it.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "source/capture.h"
#include "source/crc32c.h"
#include "source/file.h"

#define STRINGIFY(x) #x
#define EXPAND(x)    STRINGIFY(x)
#ifdef HT_VERSION
#define WRITER EXPAND(HT_VERSION)
#else
#define WRITER ""
#endif

struct ht_recorder {
	int fd;
	int err;          /* 0, or -errno that ended the recording */
	bool is_finished; /* the trailer was tried */
	bool is_cut;      /* part of a part is in the file and could not be taken back */
	off_t start_off;  /* of the capture in the file, -1: not seekable */
	uint64_t written_bytes;
	uint64_t block_cnt;
	uint64_t record_cnt;
	uint64_t record_bytes;
	uint64_t lost_cnt;
	uint64_t last_ts_ns;
	struct ht_capture_block *block;
	size_t block_bytes; /* filled, its header included */
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Writes all of it. 0 or -errno; *done_bytes tells how far it came. */
static int write_all(int fd, const void *data, size_t len, size_t *done_bytes)
{
	size_t done = 0;
	int err = 0;

	while (done < len) {
		ssize_t n = write(fd, (const char *)data + done, len - done);

		if (n > 0) {
			done += (size_t)n;
		} else if (n == 0) {
			err = -EIO;
			break;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			struct pollfd wait = { .fd = fd, .events = POLLOUT };

			poll(&wait, 1, -1);
		} else if (errno != EINTR) {
			err = -errno;
			break;
		}
	}
	*done_bytes = done;
	return err;
}

/* Writes one part, or takes back what it could write of it. 0 or -errno. */
static int write_part(struct ht_recorder *recorder, const void *part, size_t len)
{
	size_t done;
	int err = write_all(recorder->fd, part, len, &done);

	if (!err) {
		recorder->written_bytes += len;
		return 0;
	}
	if (done) {
		off_t sound_off = recorder->start_off + (off_t)recorder->written_bytes;

		recorder->is_cut = recorder->start_off < 0 || ftruncate(recorder->fd, sound_off) != 0 ||
				   lseek(recorder->fd, sound_off, SEEK_SET) < 0;
	}
	return err;
}

static int write_header(struct ht_recorder *recorder)
{
	struct ht_capture_header header = {
		.byte_order = HT_CAPTURE_BYTE_ORDER,
		.format = HT_CAPTURE_FORMAT,
		.abi_version = HT_ABI_VERSION,
		.header_bytes = sizeof(header),
		.created_realtime_ns = now_ns(CLOCK_REALTIME),
		.created_mono_ns = now_ns(CLOCK_MONOTONIC),
		.writer = WRITER,
	};
	struct utsname name;

	memcpy(header.magic, HT_CAPTURE_MAGIC, sizeof(header.magic));
	if (uname(&name) == 0) {
		snprintf(header.kernel_release, sizeof(header.kernel_release), "%s", name.release);
		snprintf(header.machine, sizeof(header.machine), "%.23s", name.machine);
	}
	header.crc = ht_crc32c(0, &header, sizeof(header));
	return write_part(recorder, &header, sizeof(header));
}

struct ht_recorder *ht_recorder_new(int fd)
{
	struct ht_recorder *recorder = calloc(1, sizeof(*recorder));
	int err = ENOMEM;

	if (!recorder)
		goto fail;
	recorder->block = malloc(HT_CAPTURE_BLOCK_MAX_BYTES);
	if (!recorder->block)
		goto fail;
	recorder->fd = fd;
	recorder->start_off = lseek(fd, 0, SEEK_CUR);
	recorder->block_bytes = sizeof(*recorder->block);
	err = -write_header(recorder);
	if (err)
		goto fail;
	return recorder;
fail:
	ht_recorder_free(recorder);
	errno = err;
	return NULL;
}

static void begin_block(struct ht_recorder *recorder, uint64_t first_ts_ns)
{
	*recorder->block = (struct ht_capture_block){
		.part.mark = HT_CAPTURE_BLOCK_MARK,
		.block_no = recorder->block_cnt,
		.first_ts_ns = first_ts_ns,
	};
}

int ht_recorder_flush(struct ht_recorder *recorder)
{
	struct ht_capture_block *block = recorder->block;

	if (recorder->err)
		return recorder->err;
	if (recorder->block_bytes == sizeof(*block))
		return 0;
	block->part.bytes = (uint32_t)recorder->block_bytes;
	block->part.crc = 0;
	block->part.crc = ht_crc32c(0, block, recorder->block_bytes);
	recorder->err = write_part(recorder, block, recorder->block_bytes);
	recorder->block_bytes = sizeof(*block);
	if (recorder->err)
		return recorder->err;
	recorder->block_cnt++;
	recorder->record_cnt += block->part.record_cnt;
	for (size_t off = sizeof(*block); off < block->part.bytes;) {
		const struct ht_hdr *rec = (const struct ht_hdr *)((const char *)block + off);

		recorder->record_bytes += rec->size;
		if (rec->ts_ns > recorder->last_ts_ns)
			recorder->last_ts_ns = rec->ts_ns;
		if (rec->kind == HT_REC_LOST && rec->size >= sizeof(struct ht_rec_lost))
			recorder->lost_cnt += ((const struct ht_rec_lost *)rec)->count;
		off += HT_CAPTURE_ALIGN(rec->size);
	}
	return 0;
}

int ht_recorder_add(struct ht_recorder *recorder, const struct ht_hdr *rec)
{
	size_t room = HT_CAPTURE_ALIGN(rec->size);
	char *to;

	if (recorder->err)
		return recorder->err;
	if (recorder->is_finished || rec->size < sizeof(*rec) || rec->size > HT_CAPTURE_RECORD_MAX_BYTES)
		return -EINVAL;
	if (recorder->block_bytes + room > HT_CAPTURE_BLOCK_MAX_BYTES || recorder->block_bytes >= HT_CAPTURE_BLOCK_FULL_BYTES) {
		int err = ht_recorder_flush(recorder);

		if (err)
			return err;
	}
	if (recorder->block_bytes == sizeof(*recorder->block))
		begin_block(recorder, rec->ts_ns);
	to = (char *)recorder->block + recorder->block_bytes;
	memcpy(to, rec, rec->size);
	memset(to + rec->size, 0, room - rec->size);
	recorder->block_bytes += room;
	recorder->block->part.record_cnt++;
	return 0;
}

int ht_recorder_finish(struct ht_recorder *recorder)
{
	int err = ht_recorder_flush(recorder);
	struct ht_capture_trailer trailer = {
		.part.mark = HT_CAPTURE_TRAILER_MARK,
		.part.bytes = sizeof(trailer),
		.part.record_cnt = (uint32_t)-err,
		.block_cnt = recorder->block_cnt,
		.record_cnt = recorder->record_cnt,
		.record_bytes = recorder->record_bytes,
		.lost_cnt = recorder->lost_cnt,
		.last_ts_ns = recorder->last_ts_ns,
	};
	int trailer_err;

	if (recorder->is_finished)
		return err;
	recorder->is_finished = true;
	/*
	 * Behind a remnant that could not be taken back a trailer would not be found. A full disk may still have room for one: it tells
	 * why the file ends here.
	 */
	if (recorder->is_cut)
		return err;
	trailer.part.crc = ht_crc32c(0, &trailer, sizeof(trailer));
	trailer_err = write_part(recorder, &trailer, sizeof(trailer));
	if (!recorder->err)
		recorder->err = trailer_err;
	return recorder->err;
}

void ht_recorder_free(struct ht_recorder *recorder)
{
	if (!recorder)
		return;
	free(recorder->block);
	free(recorder);
}

uint64_t ht_recorder_bytes(const struct ht_recorder *recorder)
{
	return recorder->written_bytes;
}
