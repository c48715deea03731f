/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * replay.c - the source that reads a capture file.
 *
 * In:  a file, read forwards once (a FIFO will do), every byte of it suspect. Out: its records as they were recorded, up to the end or to
 * the first byte that is not sound. A pure function of the file: no clock, no waiting. Memory: one block, 256 KiB.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source/capture.h"
#include "source/crc32c.h"
#include "source/file.h"

struct replay {
	struct ht_source source;
	int fd;
	uint64_t part_off;   /* in the file, of the part in `block` */
	uint64_t next_off;   /* of the part behind it */
	uint64_t block_cnt;  /* read so far */
	uint64_t record_cnt; /* delivered so far */
	uint64_t max_ts_ns;
	bool is_over;   /* nothing more to deliver */
	bool has_ended; /* an END was delivered */
	size_t at;      /* next record in the block */
	size_t end;     /* of the block; at == end: none is there */
	uint32_t left;  /* records in the block from there on, by its header */
	struct ht_capture_block *block;
	char problem[256];
};

/* Reads until len bytes are there or the file ends. Bytes read, or -errno. */
static ssize_t read_up_to(int fd, void *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(fd, (char *)data + done, len - done);

		if (n == 0)
			break;
		if (n > 0)
			done += (size_t)n;
		else if (errno != EINTR)
			return -errno;
	}
	return (ssize_t)done;
}

/* Ends the replay; the first reason stays. */
__attribute__((format(printf, 2, 3))) static void stop_for(struct replay *replay, const char *format, ...)
{
	va_list args;

	replay->is_over = true;
	replay->left = 0;
	replay->at = replay->end;
	if (replay->problem[0])
		return;
	va_start(args, format);
	vsnprintf(replay->problem, sizeof(replay->problem), format, args);
	va_end(args);
}

static bool crc_matches(void *part, size_t bytes, uint32_t *crc)
{
	uint32_t told = *crc;
	bool matches;

	*crc = 0;
	matches = ht_crc32c(0, part, bytes) == told;
	*crc = told;
	return matches;
}

/* The trailer is in replay->block. */
static void check_trailer(struct replay *replay)
{
	const struct ht_capture_trailer *trailer = (const struct ht_capture_trailer *)replay->block;
	unsigned long long off = replay->part_off;
	char extra;

	if (trailer->block_cnt != replay->block_cnt || trailer->record_cnt != replay->record_cnt)
		stop_for(replay, "trailer at byte %llu: it counts %llu records in %llu blocks, but %llu in %llu were read", off,
			 (unsigned long long)trailer->record_cnt, (unsigned long long)trailer->block_cnt,
			 (unsigned long long)replay->record_cnt, (unsigned long long)replay->block_cnt);
	else if (trailer->part.record_cnt)
		stop_for(replay, "the recording ended early at byte %llu: %s", off, strerror((int)trailer->part.record_cnt));
	else if (read_up_to(replay->fd, &extra, 1) > 0)
		stop_for(replay, "byte %llu: something follows the end of the capture; it was left alone",
			 (unsigned long long)replay->next_off);
	replay->is_over = true;
}

/* Reads the next part. True if a block with records is there; else the replay is over. */
static bool next_block(struct replay *replay)
{
	struct ht_capture_part *part = &replay->block->part;
	unsigned long long off = replay->next_off;
	bool is_block = false;
	ssize_t n;

	if (replay->is_over)
		return false;
	replay->part_off = replay->next_off;
	n = read_up_to(replay->fd, part, sizeof(*part));
	if (n == 0) {
		stop_for(replay, "the file ends at byte %llu without a trailer: it was cut, or its recording did not end in good order",
			 off);
		return false;
	}
	if (n == (ssize_t)sizeof(*part)) {
		is_block = part->mark == HT_CAPTURE_BLOCK_MARK;
		if (!is_block && part->mark != HT_CAPTURE_TRAILER_MARK) {
			stop_for(replay, "byte %llu: neither a block nor the trailer begins here", off);
			return false;
		}
		if (is_block ? part->bytes < sizeof(struct ht_capture_block) || part->bytes > HT_CAPTURE_BLOCK_MAX_BYTES
			     : part->bytes != sizeof(struct ht_capture_trailer)) {
			stop_for(replay, "%s at byte %llu: impossible length %u", is_block ? "block" : "trailer", off, part->bytes);
			return false;
		}
		n = read_up_to(replay->fd, part + 1, part->bytes - sizeof(*part));
		if (n >= 0)
			n += (ssize_t)sizeof(*part);
	}
	if (n < 0) {
		stop_for(replay, "part at byte %llu: cannot read it: %s", off, strerror((int)-n));
		return false;
	}
	if (n < (ssize_t)sizeof(*part) || n < (ssize_t)part->bytes) {
		stop_for(replay, "part at byte %llu: the file is cut at byte %llu, inside of it", off, off + (unsigned long long)n);
		return false;
	}
	if (!crc_matches(part, part->bytes, &part->crc)) {
		stop_for(replay, "%s at byte %llu: its check sum does not match, it is damaged", is_block ? "block" : "trailer", off);
		return false;
	}
	replay->next_off += part->bytes;
	if (!is_block) {
		check_trailer(replay);
		return false;
	}
	if (replay->block->block_no != replay->block_cnt) {
		stop_for(replay, "block at byte %llu: it is number %llu where %llu should be: blocks are missing", off,
			 (unsigned long long)replay->block->block_no, (unsigned long long)replay->block_cnt);
		return false;
	}
	replay->block_cnt++;
	replay->at = sizeof(struct ht_capture_block);
	replay->end = part->bytes;
	replay->left = part->record_cnt;
	return true;
}

/* The next record of the block. NULL at its end, or (replay over) where its framing is wrong. */
static const struct ht_hdr *next_record(struct replay *replay)
{
	const struct ht_hdr *rec = (const struct ht_hdr *)((const char *)replay->block + replay->at);
	size_t room = replay->end - replay->at;

	if (replay->left == 0 && room == 0)
		return NULL;
	if (replay->left == 0 || room < sizeof(*rec) || rec->size < sizeof(*rec) || rec->size > HT_CAPTURE_RECORD_MAX_BYTES ||
	    HT_CAPTURE_ALIGN(rec->size) > room) {
		stop_for(replay, "block at byte %llu: the record at byte %llu does not fit, the block was not written by a sound recorder",
			 (unsigned long long)replay->part_off, (unsigned long long)(replay->part_off + replay->at));
		return NULL;
	}
	replay->at += HT_CAPTURE_ALIGN(rec->size);
	replay->left--;
	return rec;
}

static int deliver_block(struct replay *replay, ht_record_fn fn, void *ctx)
{
	const struct ht_hdr *rec;
	int cnt = 0;

	while ((rec = next_record(replay))) {
		int err;

		replay->record_cnt++;
		if (rec->ts_ns > replay->max_ts_ns)
			replay->max_ts_ns = rec->ts_ns;
		if (rec->kind == HT_REC_END)
			replay->has_ended = true;
		err = fn(ctx, rec);
		if (err < 0)
			return err;
		cnt++;
	}
	return cnt;
}

static int replay_poll(struct ht_source *source, int timeout_ms, ht_record_fn fn, void *ctx)
{
	struct replay *replay = (struct replay *)source;
	int cnt;

	(void)timeout_ms;
	do {
		/* What a consumer's refusal left of the block before comes first. */
		cnt = deliver_block(replay, fn, ctx);
	} while (cnt == 0 && next_block(replay));
	return cnt ? cnt : -ENODATA;
}

/*
 * Everything read has been delivered, and what was not read yet is not pending: a reader who stops in the middle of a file wants no more
 * of it. The end is told unless the file has told it, or has a damage that is no good order.
 */
static int replay_stop(struct ht_source *source, ht_record_fn fn, void *ctx)
{
	struct replay *replay = (struct replay *)source;
	struct ht_rec_tick tick = { .hdr = { .size = sizeof(tick), .kind = HT_REC_TICK, .cpu = HT_CPU_USER } };
	int cnt = deliver_block(replay, fn, ctx);
	int err;

	if (cnt < 0)
		return cnt;
	if (!replay->has_ended && !replay->is_over) {
		tick.hdr.ts_ns = replay->max_ts_ns;
		err = fn(ctx, &tick.hdr);
		if (err < 0)
			return err;
		tick.hdr.kind = HT_REC_END;
		err = fn(ctx, &tick.hdr);
		if (err < 0)
			return err;
		replay->has_ended = true;
		cnt += 2;
	}
	replay->is_over = true;
	return cnt;
}

static int replay_fd(const struct ht_source *source)
{
	(void)source;
	return -1;
}

static void replay_close(struct ht_source *source)
{
	struct replay *replay = (struct replay *)source;

	if (!replay)
		return;
	if (replay->fd >= 0)
		close(replay->fd);
	free(replay->block);
	free(replay);
}

static const struct ht_source_ops replay_ops = {
	.poll = replay_poll,
	.stop = replay_stop,
	.fd = replay_fd,
	.close = replay_close,
};

/* 0, or a positive errno with the reason in err. */
static int check_header(struct ht_capture_header *header, ssize_t n, const char *path, char *err, size_t err_len)
{
	if (n < 0) {
		snprintf(err, err_len, "cannot read %s: %s", path, strerror((int)-n));
		return (int)-n;
	}
	if (n < HT_CAPTURE_MAGIC_BYTES || memcmp(header->magic, HT_CAPTURE_MAGIC, HT_CAPTURE_MAGIC_BYTES) != 0)
		snprintf(err, err_len, "%s is not a capture file of httptrace-bpf (%s)", path,
			 n == 0 ? "it is empty" : "its first bytes are others; it takes a file written by -w");
	else if (n < (ssize_t)sizeof(*header))
		snprintf(err, err_len, "%s is cut at byte %zd, inside the capture file's header: there is nothing to read", path, n);
	else if (header->byte_order == HT_CAPTURE_OTHER_ORDER)
		snprintf(err, err_len, "%s was captured on a machine of the other byte order: read it on such a machine", path);
	else if (header->format != HT_CAPTURE_FORMAT || header->abi_version != HT_ABI_VERSION)
		snprintf(err, err_len,
			 "%s has capture format %u.%u, but this program reads %u.%u: use the version of httptrace-bpf that wrote it", path,
			 header->format, header->abi_version, HT_CAPTURE_FORMAT, HT_ABI_VERSION);
	else if (header->byte_order != HT_CAPTURE_BYTE_ORDER || header->header_bytes != sizeof(*header) ||
		 !crc_matches(header, sizeof(*header), &header->crc))
		snprintf(err, err_len, "%s has a damaged header (its check sum does not match): it cannot be read", path);
	else
		return 0;
	return EBADMSG;
}

struct ht_source *ht_replay_open(const char *path, char *err, size_t err_len)
{
	struct replay *replay = calloc(1, sizeof(*replay));
	struct ht_capture_header header = { 0 };
	int code = ENOMEM;

	if (err_len)
		err[0] = '\0';
	if (replay) {
		replay->fd = -1;
		replay->block = malloc(HT_CAPTURE_BLOCK_MAX_BYTES);
	}
	if (!replay || !replay->block) {
		snprintf(err, err_len, "cannot read %s: %s", path, strerror(code));
		goto fail;
	}
	replay->source.ops = &replay_ops;
	replay->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (replay->fd < 0) {
		code = errno;
		snprintf(err, err_len, "cannot open %s: %s", path, strerror(code));
		goto fail;
	}
	code = check_header(&header, read_up_to(replay->fd, &header, sizeof(header)), path, err, err_len);
	if (code)
		goto fail;
	replay->next_off = sizeof(header);
	return &replay->source;
fail:
	replay_close(&replay->source);
	errno = code;
	return NULL;
}

const char *ht_replay_problem(const struct ht_source *source)
{
	const struct replay *replay = (const struct replay *)source;

	return replay->problem[0] ? replay->problem : NULL;
}
