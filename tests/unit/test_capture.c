/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_capture.c - recorder and replay: round trips; files cut at every byte, damaged at every byte, out of room at many; the memory
 * source.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "source/capture.h"
#include "source/crc32c.h"
#include "source/file.h"

/* --- records and files --- */

/* The i-th record of any capture here: of a size and with contents of its own. */
static struct ht_hdr *make(unsigned int i, uint32_t size)
{
	static union {
		struct ht_hdr hdr;
		unsigned char bytes[HT_CAPTURE_RECORD_MAX_BYTES + 1];
	} rec;

	for (uint32_t at = 0; at < size && at < sizeof(rec); at++)
		rec.bytes[at] = (unsigned char)(at * 7 + i);
	rec.hdr = (struct ht_hdr){ .size = size, .kind = HT_REC_DATA, .ts_ns = 1000 + i, .seq = i, .cpu = i % 3 };
	return &rec.hdr;
}

static uint32_t size_of(unsigned int i)
{
	return (uint32_t)sizeof(struct ht_hdr) + i * 13 % 61;
}

static int new_file(void)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static const char *path_of(int fd)
{
	static char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

static size_t size_of_file(int fd)
{
	struct stat status;

	assert_int_equal(fstat(fd, &status), 0);
	return (size_t)status.st_size;
}

static void fill_file(int fd, const void *data, size_t len)
{
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, data, len, 0), len);
}

/* A capture of record_cnt records, a block for each block_records of them. Where each block ends is put into ends (may be NULL). */
static void record(int fd, unsigned int record_cnt, unsigned int block_records, size_t *ends)
{
	struct ht_recorder *recorder = ht_recorder_new(fd);

	assert_non_null(recorder);
	for (unsigned int i = 0; i < record_cnt; i++) {
		assert_int_equal(ht_recorder_add(recorder, make(i, size_of(i))), 0);
		if (i % block_records == block_records - 1) {
			assert_int_equal(ht_recorder_flush(recorder), 0);
			assert_int_equal(ht_recorder_bytes(recorder), size_of_file(fd));
			if (ends)
				ends[i / block_records] = size_of_file(fd);
		}
	}
	assert_int_equal(ht_recorder_finish(recorder), 0);
	assert_int_equal(ht_recorder_bytes(recorder), size_of_file(fd));
	ht_recorder_free(recorder);
}

struct taken {
	unsigned int cnt;
	unsigned int refuse_at; /* the call that returns an error, 0: none */
	uint16_t last_kind;
	uint64_t last_ts_ns;
	uint32_t (*size_of)(unsigned int i);
};

/* Every record delivered is the next of make(), to the byte. */
static int take(void *ctx, const struct ht_hdr *rec)
{
	struct taken *taken = ctx;

	assert_int_equal((uintptr_t)rec % 8, 0);
	taken->last_kind = rec->kind;
	taken->last_ts_ns = rec->ts_ns;
	if (rec->kind == HT_REC_DATA) {
		uint32_t size = taken->size_of ? taken->size_of(taken->cnt) : size_of(taken->cnt);

		assert_int_equal(rec->size, size);
		assert_memory_equal(rec, make(taken->cnt, size), size);
	}
	taken->cnt++;
	return taken->cnt == taken->refuse_at ? -ECANCELED : 0;
}

/* Polls to the end; records taken. */
static unsigned int take_all(struct ht_source *source, struct taken *taken)
{
	int n;

	while ((n = source->ops->poll(source, -1, take, taken)) > 0)
		;
	assert_int_equal(n, -ENODATA);
	assert_int_equal(source->ops->poll(source, -1, take, taken), -ENODATA);
	return taken->cnt;
}

/* The same of a file that can be opened. Its problem, copied to `problem` (empty: none). */
static unsigned int replay(int fd, char problem[256])
{
	struct taken taken = { 0 };
	char err[256] = "";
	struct ht_source *source = ht_replay_open(path_of(fd), err, sizeof(err));

	assert_non_null(source);
	assert_string_equal(err, "");
	take_all(source, &taken);
	problem[0] = '\0';
	if (ht_replay_problem(source))
		snprintf(problem, 256, "%s", ht_replay_problem(source));
	source->ops->close(source);
	return taken.cnt;
}

/* --- tests --- */

static void crc_is_castagnoli(void **state)
{
	unsigned char bytes[64];

	(void)state;
	/* RFC 3720 appendix B.4, and the check value of every CRC catalogue. */
	assert_int_equal(ht_crc32c(0, "123456789", 9), 0xe3069283);
	memset(bytes, 0, 32);
	assert_int_equal(ht_crc32c(0, bytes, 32), 0x8a9136aa);
	memset(bytes, 0xff, 32);
	assert_int_equal(ht_crc32c(0, bytes, 32), 0x62a8ab43);
	for (int i = 0; i < 32; i++)
		bytes[i] = (unsigned char)i;
	assert_int_equal(ht_crc32c(0, bytes, 32), 0x46dd794e);
	assert_int_equal(ht_crc32c(0, bytes, 0), 0);
	for (size_t at = 0; at <= 32; at++)
		assert_int_equal(ht_crc32c(ht_crc32c(0, bytes, at), bytes + at, 32 - at), 0x46dd794e);
}

static void what_goes_in_comes_out(void **state)
{
	static const unsigned int cnts[] = { 0, 1, 2, 100, 20000 };
	char problem[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cnts) / sizeof(cnts[0]); i++) {
		int fd = new_file();

		record(fd, cnts[i], 1000000, NULL);
		assert_int_equal(replay(fd, problem), cnts[i]);
		assert_string_equal(problem, "");
		close(fd);
	}
}

static uint32_t large_size_of(unsigned int i)
{
	return i % 3 == 2 ? (uint32_t)sizeof(struct ht_hdr) : HT_CAPTURE_RECORD_MAX_BYTES - i % 3;
}

static void blocks_are_bounded(void **state)
{
	int fd = new_file();
	struct ht_recorder *recorder = ht_recorder_new(fd);
	struct ht_capture_part part;
	struct taken taken = { .size_of = large_size_of };
	size_t off = sizeof(struct ht_capture_header), block_cnt = 0;
	struct ht_source *source;
	char err[256];

	(void)state;
	for (unsigned int i = 0; i < 20; i++)
		assert_int_equal(ht_recorder_add(recorder, make(i, large_size_of(i))), 0);
	assert_int_equal(ht_recorder_finish(recorder), 0);
	ht_recorder_free(recorder);
	for (; pread(fd, &part, sizeof(part), (off_t)off) == sizeof(part) && part.mark == HT_CAPTURE_BLOCK_MARK; off += part.bytes) {
		assert_in_range(part.bytes, sizeof(struct ht_capture_block), HT_CAPTURE_BLOCK_MAX_BYTES);
		block_cnt++;
	}
	assert_true(block_cnt >= 7);
	assert_int_equal(part.mark, HT_CAPTURE_TRAILER_MARK);
	source = ht_replay_open(path_of(fd), err, sizeof(err));
	assert_int_equal(take_all(source, &taken), 20);
	assert_null(ht_replay_problem(source));
	source->ops->close(source);
	close(fd);
}

static void header_and_trailer_tell(void **state)
{
	struct ht_rec_lost lost = { .hdr = { .size = sizeof(lost), .kind = HT_REC_LOST, .ts_ns = 5 }, .count = 42, .where = "ringbuf" };
	struct ht_capture_header header;
	struct ht_capture_trailer trailer;
	int fd = new_file();
	struct ht_recorder *recorder = ht_recorder_new(fd);
	time_t now = time(NULL);

	(void)state;
	assert_int_equal(ht_recorder_add(recorder, make(9, 41)), 0);
	assert_int_equal(ht_recorder_flush(recorder), 0);
	assert_int_equal(ht_recorder_flush(recorder), 0); /* nothing to write: no empty block */
	assert_int_equal(ht_recorder_add(recorder, &lost.hdr), 0);
	assert_int_equal(ht_recorder_finish(recorder), 0);
	assert_int_equal(ht_recorder_add(recorder, &lost.hdr), -EINVAL);
	assert_int_equal(ht_recorder_finish(recorder), 0);
	ht_recorder_free(recorder);

	assert_int_equal(pread(fd, &header, sizeof(header), 0), sizeof(header));
	assert_memory_equal(header.magic, HT_CAPTURE_MAGIC, 8);
	assert_int_equal(header.abi_version, HT_ABI_VERSION);
	assert_in_range(header.created_realtime_ns / 1000000000u, now - 60, now + 60);
	assert_int_not_equal(header.kernel_release[0], 0);
	assert_int_not_equal(header.machine[0], 0);

	assert_int_equal(pread(fd, &trailer, sizeof(trailer), (off_t)(size_of_file(fd) - sizeof(trailer))), sizeof(trailer));
	assert_int_equal(trailer.part.mark, HT_CAPTURE_TRAILER_MARK);
	assert_int_equal(trailer.part.record_cnt, 0);
	assert_int_equal(trailer.block_cnt, 2);
	assert_int_equal(trailer.record_cnt, 2);
	assert_int_equal(trailer.record_bytes, 41 + sizeof(lost));
	assert_int_equal(trailer.lost_cnt, 42);
	assert_int_equal(trailer.last_ts_ns, 1009);
	close(fd);
}

static void records_that_are_none_are_refused(void **state)
{
	int fd = new_file();
	struct ht_recorder *recorder = ht_recorder_new(fd);
	char problem[256];

	(void)state;
	assert_int_equal(ht_recorder_add(recorder, make(0, sizeof(struct ht_hdr) - 1)), -EINVAL);
	assert_int_equal(ht_recorder_add(recorder, make(0, HT_CAPTURE_RECORD_MAX_BYTES + 1)), -EINVAL);
	/* The recording goes on. */
	assert_int_equal(ht_recorder_add(recorder, make(0, size_of(0))), 0);
	assert_int_equal(ht_recorder_finish(recorder), 0);
	ht_recorder_free(recorder);
	assert_int_equal(replay(fd, problem), 1);
	assert_string_equal(problem, "");
	close(fd);
}

enum { SMALL_CNT = 30, SMALL_BLOCK = 5, SMALL_BLOCKS = SMALL_CNT / SMALL_BLOCK };

/* A capture of SMALL_CNT records in memory. malloc'ed. */
static unsigned char *small_capture(size_t *len, size_t ends[SMALL_BLOCKS])
{
	int fd = new_file();
	unsigned char *bytes;

	record(fd, SMALL_CNT, SMALL_BLOCK, ends);
	*len = size_of_file(fd);
	bytes = malloc(*len);
	assert_non_null(bytes);
	assert_int_equal(pread(fd, bytes, *len, 0), *len);
	close(fd);
	return bytes;
}

static void cut_at_every_byte(void **state)
{
	size_t len, ends[SMALL_BLOCKS];
	unsigned char *bytes = small_capture(&len, ends);
	char problem[256], expected[64];
	int fd = new_file();

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		unsigned int whole = 0;
		char err[256] = "";

		fill_file(fd, bytes, cut);
		if (cut < sizeof(struct ht_capture_header)) {
			assert_null(ht_replay_open(path_of(fd), err, sizeof(err)));
			assert_int_equal(errno, EBADMSG);
			assert_non_null(strstr(err, path_of(fd)));
			continue;
		}
		while (whole < SMALL_BLOCKS && ends[whole] <= cut)
			whole++;
		assert_int_equal(replay(fd, problem), whole * SMALL_BLOCK);
		/* It says the byte: of the cut, or of the end of what is there. */
		snprintf(expected, sizeof(expected), "at byte %zu", cut);
		if (!strstr(problem, expected))
			fail_msg("cut at %zu: %s", cut, problem);
	}
	fill_file(fd, bytes, len);
	assert_int_equal(replay(fd, problem), SMALL_CNT);
	assert_string_equal(problem, "");
	close(fd);
	free(bytes);
}

static void damaged_at_every_byte(void **state)
{
	size_t len, ends[SMALL_BLOCKS];
	unsigned char *bytes = small_capture(&len, ends);
	char problem[256], expected[64];
	int fd = new_file();

	(void)state;
	for (size_t at = 0; at < len; at++) {
		size_t part_off = sizeof(struct ht_capture_header);
		unsigned int whole = 0;
		char err[256];

		bytes[at] ^= (unsigned char)(1u << at % 8);
		fill_file(fd, bytes, len);
		bytes[at] ^= (unsigned char)(1u << at % 8);
		if (at < sizeof(struct ht_capture_header)) {
			assert_null(ht_replay_open(path_of(fd), err, sizeof(err)));
			assert_int_equal(errno, EBADMSG);
			continue;
		}
		while (whole < SMALL_BLOCKS && ends[whole] <= at)
			part_off = ends[whole++];
		assert_int_equal(replay(fd, problem), whole * SMALL_BLOCK);
		snprintf(expected, sizeof(expected), "byte %zu: ", part_off);
		if (!strstr(problem, expected))
			fail_msg("damage at %zu: %s", at, problem);
	}
	close(fd);
	free(bytes);
}

static void parts_that_do_not_belong(void **state)
{
	size_t len, ends[SMALL_BLOCKS];
	unsigned char *bytes = small_capture(&len, ends);
	unsigned char *other = malloc(2 * len);
	struct ht_capture_trailer *trailer;
	char problem[256];
	int fd = new_file();

	(void)state;
	assert_non_null(other);
	/* The second block is missing. */
	memcpy(other, bytes, ends[0]);
	memcpy(other + ends[0], bytes + ends[1], len - ends[1]);
	fill_file(fd, other, len - (ends[1] - ends[0]));
	assert_int_equal(replay(fd, problem), SMALL_BLOCK);
	assert_non_null(strstr(problem, "blocks are missing"));
	/* The last block is missing, the trailer is there. */
	memcpy(other, bytes, ends[SMALL_BLOCKS - 2]);
	memcpy(other + ends[SMALL_BLOCKS - 2], bytes + ends[SMALL_BLOCKS - 1], len - ends[SMALL_BLOCKS - 1]);
	fill_file(fd, other, len - (ends[SMALL_BLOCKS - 1] - ends[SMALL_BLOCKS - 2]));
	assert_int_equal(replay(fd, problem), SMALL_CNT - SMALL_BLOCK);
	assert_non_null(strstr(problem, "it counts 30 records in 6 blocks, but 25 in 5 were read"));
	/* The trailer counts a record more. */
	memcpy(other, bytes, len);
	trailer = (struct ht_capture_trailer *)(void *)(other + ends[SMALL_BLOCKS - 1]);
	trailer->record_cnt++;
	trailer->part.crc = 0;
	trailer->part.crc = ht_crc32c(0, trailer, sizeof(*trailer));
	fill_file(fd, other, len);
	assert_int_equal(replay(fd, problem), SMALL_CNT);
	assert_non_null(strstr(problem, "it counts 31 records in 6 blocks, but 30 in 6 were read"));
	/* Two captures, one behind the other. */
	memcpy(other, bytes, len);
	memcpy(other + len, bytes, len);
	fill_file(fd, other, 2 * len);
	assert_int_equal(replay(fd, problem), SMALL_CNT);
	assert_non_null(strstr(problem, "something follows"));
	close(fd);
	free(bytes);
	free(other);
}

/* A block whose check sum is right, as somebody who wants us to crash would make it. */
static void records_that_do_not_fit_their_block(void **state)
{
	static const struct {
		const char *why;
		uint32_t size, record_cnt, bytes;
		unsigned int sound_cnt;
		bool has_problem;
	} cases[] = {
		{ "as it should be", 40, 2, 32 + 48 + 40, 2, false },
		{ "of no size", 0, 2, 32 + 48 + 40, 1, true },
		{ "smaller than its header", 39, 2, 32 + 48 + 40, 1, true },
		{ "over the block's end", 41, 2, 32 + 48 + 40, 1, true },
		{ "of the largest size", 0xffffffff, 2, 32 + 48 + 40, 1, true },
		{ "more records than counted", 40, 1, 32 + 48 + 40, 1, true },
		{ "fewer records than counted", 40, 3, 32 + 48 + 40, 2, true },
		{ "half a header behind the last", 40, 2, 32 + 48 + 40 + 20, 2, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct {
			struct ht_capture_block block;
			unsigned char bytes[200];
		} file = { .block.part = { .mark = HT_CAPTURE_BLOCK_MARK, .bytes = cases[i].bytes, .record_cnt = cases[i].record_cnt } };
		struct ht_hdr sound = { .size = 48, .kind = HT_REC_TICK }, suspect = { .kind = HT_REC_TICK };
		char problem[256];
		int fd = new_file();
		unsigned int cnt;

		record(fd, 0, 1, NULL);
		/* A sound record of 48 bytes, and the one in question. */
		memcpy(file.bytes, &sound, sizeof(sound));
		suspect.size = cases[i].size;
		memcpy(file.bytes + 48, &suspect, sizeof(suspect));
		file.block.part.crc = ht_crc32c(0, &file, cases[i].bytes);
		assert_int_equal(pwrite(fd, &file, cases[i].bytes, sizeof(struct ht_capture_header)), cases[i].bytes);
		assert_int_equal(ftruncate(fd, (off_t)(sizeof(struct ht_capture_header) + cases[i].bytes)), 0);
		cnt = replay(fd, problem);
		if (cnt != cases[i].sound_cnt || !strstr(problem, cases[i].has_problem ? "does not fit" : "without a trailer"))
			fail_msg("%s: %u records, %s", cases[i].why, cnt, problem);
		close(fd);
	}
}

static void files_that_are_no_captures(void **state)
{
	static const struct {
		const char *why;
		size_t off;
		uint32_t value;
		const char *expected;
	} cases[] = {
		{ "magic", 0, 0x12345678, "is not a capture file" },
		{ "other byte order", offsetof(struct ht_capture_header, byte_order), HT_CAPTURE_OTHER_ORDER, "other byte order" },
		{ "newer format", offsetof(struct ht_capture_header, format), 2, "capture format 2.1" },
		{ "newer records", offsetof(struct ht_capture_header, abi_version), 7, "capture format 1.7" },
		{ "damaged", offsetof(struct ht_capture_header, created_mono_ns), 7, "damaged header" },
	};
	int fd = new_file();
	char err[256], tiny[8];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		lseek(fd, 0, SEEK_SET);
		record(fd, 3, 1, NULL);
		assert_int_equal(pwrite(fd, &cases[i].value, 4, (off_t)cases[i].off), 4);
		assert_null(ht_replay_open(path_of(fd), err, sizeof(err)));
		assert_int_equal(errno, EBADMSG);
		if (!strstr(err, cases[i].expected))
			fail_msg("%s: %s", cases[i].why, err);
	}
	close(fd);
	assert_null(ht_replay_open("/proc/self/no-such-file", err, sizeof(err)));
	assert_int_equal(errno, ENOENT);
	assert_string_equal(err, "cannot open /proc/self/no-such-file: No such file or directory");
	assert_null(ht_replay_open("/", err, sizeof(err)));
	assert_int_equal(errno, EISDIR);
	assert_null(ht_replay_open("/dev/null", tiny, sizeof(tiny)));
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(strlen(tiny), sizeof(tiny) - 1);
	assert_null(ht_replay_open("/dev/null", NULL, 0));
}

/* The file may not grow beyond a limit: as on a full disk a write is short, then fails. What is there stays sound. */
static void no_room_left(void **state)
{
	struct rlimit before, limit;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	for (rlim_t room = 0; room < 2600; room += room < 400 ? 7 : 31) {
		int fd = new_file(), err = 0;
		unsigned int cnt = 0, added = 0;
		struct ht_recorder *recorder;
		char problem[256];

		limit = (struct rlimit){ .rlim_cur = room, .rlim_max = before.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		recorder = ht_recorder_new(fd);
		if (room < sizeof(struct ht_capture_header)) {
			int reason = errno;

			assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
			assert_null(recorder);
			assert_int_equal(reason, EFBIG);
			close(fd);
			continue;
		}
		assert_non_null(recorder);
		for (; !err && added < 100; added++) {
			err = ht_recorder_add(recorder, make(added, size_of(added)));
			if (!err && added % SMALL_BLOCK == SMALL_BLOCK - 1)
				err = ht_recorder_flush(recorder);
			if (!err && added % SMALL_BLOCK == SMALL_BLOCK - 1)
				cnt = added + 1;
		}
		assert_int_equal(err, -EFBIG);
		assert_int_equal(ht_recorder_bytes(recorder), size_of_file(fd));
		assert_int_equal(ht_recorder_add(recorder, make(added, size_of(added))), -EFBIG);
		assert_int_equal(ht_recorder_flush(recorder), -EFBIG);
		assert_int_equal(ht_recorder_finish(recorder), -EFBIG);
		assert_int_equal(ht_recorder_bytes(recorder), size_of_file(fd));
		ht_recorder_free(recorder);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
		assert_int_equal(replay(fd, problem), cnt);
		/* Where a trailer still found room, it tells why. */
		assert_true(strstr(problem, "File too large") || strstr(problem, "without a trailer"));
		close(fd);
	}
	signal(SIGXFSZ, SIG_DFL);
	/* A full disk, from its first byte on. */
	{
		int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

		assert_true(fd >= 0);
		assert_null(ht_recorder_new(fd));
		assert_int_equal(errno, ENOSPC);
		close(fd);
	}
}

struct drain {
	int from_fd, to_fd;
	size_t skip_bytes;
};

static sem_t may_drain;
static volatile sig_atomic_t alarm_cnt;

/* Empties the pipe, once it may, in small pieces. */
static void *drain_pipe(void *arg)
{
	struct drain *drain = arg;
	char bytes[777];
	ssize_t n;

	while (sem_wait(&may_drain) != 0)
		;
	while ((n = read(drain->from_fd, bytes,
			 drain->skip_bytes && drain->skip_bytes < sizeof(bytes) ? drain->skip_bytes : sizeof(bytes))) > 0) {
		if (drain->skip_bytes)
			drain->skip_bytes -= (size_t)n;
		else if (write(drain->to_fd, bytes, (size_t)n) != n)
			break;
	}
	return NULL;
}

/* By the third alarm the writer has been waiting at the full pipe for the time between two of them: its write was interrupted. */
static void on_alarm(int number)
{
	(void)number;
	if (++alarm_cnt == 3)
		sem_post(&may_drain);
}

/* Writes that are short, interrupted, and would block. */
static void through_a_pipe(void **state)
{
	(void)state;
	for (int is_blocking = 0; is_blocking < 2; is_blocking++) {
		struct sigaction action = { .sa_handler = on_alarm };
		struct itimerval often = { { 0, 5000 }, { 0, 5000 } }, never = { { 0, 0 }, { 0, 0 } };
		int fds[2], fd = new_file();
		struct ht_recorder *recorder;
		struct drain drain = { .to_fd = fd };
		pthread_t thread;
		sigset_t alarms, old_mask;
		char problem[256];

		alarm_cnt = 0;
		assert_int_equal(sem_init(&may_drain, 0, 0), 0);
		assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
		while (write(fds[1], "x", 1) == 1)
			drain.skip_bytes++;
		assert_int_equal(fcntl(fds[0], F_SETFL, 0), 0);
		assert_int_equal(fcntl(fds[1], F_SETFL, is_blocking ? 0 : O_NONBLOCK), 0);
		drain.from_fd = fds[0];
		/* The reader takes none of the signals. */
		sigemptyset(&alarms);
		sigaddset(&alarms, SIGALRM);
		pthread_sigmask(SIG_BLOCK, &alarms, &old_mask);
		assert_int_equal(pthread_create(&thread, NULL, drain_pipe, &drain), 0);
		pthread_sigmask(SIG_SETMASK, &old_mask, NULL);
		sigaction(SIGALRM, &action, NULL);
		setitimer(ITIMER_REAL, &often, NULL);
		recorder = ht_recorder_new(fds[1]);
		assert_non_null(recorder);
		for (unsigned int i = 0; i < 20000; i++)
			assert_int_equal(ht_recorder_add(recorder, make(i, size_of(i))), 0);
		assert_int_equal(ht_recorder_finish(recorder), 0);
		setitimer(ITIMER_REAL, &never, NULL);
		signal(SIGALRM, SIG_DFL);
		assert_true(ht_recorder_bytes(recorder) > 1000000);
		ht_recorder_free(recorder);
		close(fds[1]);
		pthread_join(thread, NULL);
		close(fds[0]);
		sem_destroy(&may_drain);
		assert_int_equal(replay(fd, problem), 20000);
		assert_string_equal(problem, "");
		close(fd);
	}
}

static void a_consumer_that_refuses(void **state)
{
	int fd = new_file(), n, sum = 0, refused = 0;
	char err[256];
	struct taken taken = { 0 };
	struct ht_source *source;

	(void)state;
	record(fd, SMALL_CNT, SMALL_BLOCK, NULL);
	source = ht_replay_open(path_of(fd), err, sizeof(err));
	assert_int_equal(source->ops->fd(source), -1);
	for (;;) {
		taken.refuse_at = taken.cnt + 3;
		n = source->ops->poll(source, 0, take, &taken);
		if (n == -ENODATA)
			break;
		if (n == -ECANCELED)
			refused++;
		else
			sum += n;
		assert_true(n > 0 || n == -ECANCELED);
	}
	/* Each record once: take() has compared them. */
	assert_int_equal(taken.cnt, SMALL_CNT);
	assert_int_equal(refused, SMALL_BLOCKS);
	assert_int_equal(sum, SMALL_BLOCKS * 2);
	assert_null(ht_replay_problem(source));
	source->ops->close(source);
	close(fd);
}

static void stop_in_the_middle_and_at_the_end(void **state)
{
	struct ht_rec_tick end = { .hdr = { .size = sizeof(end), .kind = HT_REC_END, .cpu = HT_CPU_USER, .ts_ns = 9000 } };
	int fd = new_file();
	char err[256];
	struct taken taken = { 0 };
	struct ht_recorder *recorder;
	struct ht_source *source;

	(void)state;
	record(fd, SMALL_CNT, SMALL_BLOCK, NULL);
	source = ht_replay_open(path_of(fd), err, sizeof(err));
	assert_int_equal(source->ops->poll(source, 0, take, &taken), SMALL_BLOCK);
	/* A tick and the end, at the time of the last record delivered; nothing more of the file. */
	assert_int_equal(source->ops->stop(source, take, &taken), 2);
	assert_int_equal(taken.cnt, SMALL_BLOCK + 2);
	assert_int_equal(taken.last_kind, HT_REC_END);
	assert_int_equal(taken.last_ts_ns, 1000 + SMALL_BLOCK - 1);
	assert_int_equal(source->ops->stop(source, take, &taken), 0);
	assert_int_equal(source->ops->poll(source, 0, take, &taken), -ENODATA);
	source->ops->close(source);

	/* One that was cut did not end in good order. */
	assert_int_equal(ftruncate(fd, (off_t)(size_of_file(fd) - 1)), 0);
	taken = (struct taken){ 0 };
	source = ht_replay_open(path_of(fd), err, sizeof(err));
	assert_int_equal(take_all(source, &taken), SMALL_CNT);
	assert_int_equal(source->ops->stop(source, take, &taken), 0);
	source->ops->close(source);

	/* A file that ended has no second end, cut behind it or not. */
	assert_int_equal(ftruncate(fd, 0), 0);
	lseek(fd, 0, SEEK_SET);
	recorder = ht_recorder_new(fd);
	assert_int_equal(ht_recorder_add(recorder, &end.hdr), 0);
	assert_int_equal(ht_recorder_finish(recorder), 0);
	ht_recorder_free(recorder);
	for (int cut = 0; cut < 2; cut++) {
		taken = (struct taken){ 0 };
		source = ht_replay_open(path_of(fd), err, sizeof(err));
		assert_int_equal(take_all(source, &taken), 1);
		assert_int_equal(source->ops->stop(source, take, &taken), 0);
		source->ops->close(source);
		assert_int_equal(ftruncate(fd, (off_t)(size_of_file(fd) - 1)), 0);
	}
	close(fd);
}

static void memory_at_any_alignment(void **state)
{
	unsigned char bytes[8 + SMALL_CNT * 128];

	(void)state;
	for (size_t shift = 0; shift < 8; shift++) {
		size_t len = 0;
		struct taken taken = { 0 };
		struct ht_source *source;

		for (unsigned int i = 0; i < SMALL_CNT; i++) {
			memcpy(bytes + shift + len, make(i, size_of(i)), size_of(i));
			len += size_of(i);
		}
		source = ht_memory_open(bytes + shift, len);
		assert_non_null(source);
		assert_int_equal(source->ops->fd(source), -1);
		assert_int_equal(take_all(source, &taken), SMALL_CNT);
		source->ops->close(source);
		/* Cut: what is whole, then the fault. */
		source = ht_memory_open(bytes + shift, len - 1);
		taken = (struct taken){ 0 };
		assert_int_equal(source->ops->poll(source, 0, take, &taken), SMALL_CNT - 1);
		assert_int_equal(source->ops->poll(source, 0, take, &taken), -EBADMSG);
		assert_int_equal(source->ops->stop(source, take, &taken), 2);
		assert_int_equal(source->ops->poll(source, 0, take, &taken), -ENODATA);
		source->ops->close(source);
	}
}

static void memory_by_batches(void **state)
{
	static const uint16_t kinds[] = { HT_REC_CLOCK, HT_REC_TICK, HT_REC_CLOCK, HT_REC_CLOCK, HT_REC_TICK, HT_REC_END };
	static const int expected[] = { 2, 3, 1, -ENODATA };
	struct ht_hdr records[6];
	struct taken taken = { 0 };
	struct ht_source *source;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		records[i] = (struct ht_hdr){ .size = sizeof(records[i]), .kind = kinds[i], .ts_ns = i };
	source = ht_memory_open(records, sizeof(records));
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(source->ops->poll(source, 0, take, &taken), expected[i]);
	assert_int_equal(source->ops->stop(source, take, &taken), 0);
	source->ops->close(source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc_is_castagnoli),
		cmocka_unit_test(what_goes_in_comes_out),
		cmocka_unit_test(blocks_are_bounded),
		cmocka_unit_test(header_and_trailer_tell),
		cmocka_unit_test(records_that_are_none_are_refused),
		cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(damaged_at_every_byte),
		cmocka_unit_test(parts_that_do_not_belong),
		cmocka_unit_test(records_that_do_not_fit_their_block),
		cmocka_unit_test(files_that_are_no_captures),
		cmocka_unit_test(no_room_left),
		cmocka_unit_test(through_a_pipe),
		cmocka_unit_test(a_consumer_that_refuses),
		cmocka_unit_test(stop_in_the_middle_and_at_the_end),
		cmocka_unit_test(memory_at_any_alignment),
		cmocka_unit_test(memory_by_batches),
	};

	return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
