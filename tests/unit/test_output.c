/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_output.c - output.c: readers that are slow, stuck or gone, and files for which there is no room.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "output.h"

#define CNT(array) (sizeof(array) / sizeof((array)[0]))

/* A line has this many bytes: no power of two, so that writes that are cut short end within one. */
#define LINE_BYTES 99

static char *make_lines(size_t cnt)
{
	char *lines = malloc(cnt * LINE_BYTES + 1);

	assert_non_null(lines);
	for (size_t i = 0; i < cnt; i++)
		sprintf(lines + i * LINE_BYTES, "%0*zu\n", LINE_BYTES - 1, i);
	return lines;
}

/* ---- a slow reader ---- */

struct reader {
	int fd;
	char *got;
	size_t len;
};

/* Some bytes at a time: the pipe is full nearly always. */
static void *read_slowly(void *arg)
{
	struct reader *reader = arg;
	ssize_t n;

	while ((n = read(reader->fd, reader->got + reader->len, 1000)) > 0)
		reader->len += (size_t)n;
	return NULL;
}

static void slow_reader_gets_every_byte(void **state)
{
	static const struct {
		const char *why;
		bool is_shared;
		int flags;
	} cases[] = {
		{ "a pipe of our own", false, 0 },
		{ "a pipe that COMMAND writes into", true, 0 },
		{ "a pipe that somebody made non-blocking", false, O_NONBLOCK },
	};

	(void)state;
	for (size_t i = 0; i < CNT(cases); i++) {
		const size_t cnt = 5000;
		char *lines = make_lines(cnt);
		struct reader reader = { .got = malloc(cnt * LINE_BYTES + 1000) };
		struct ht_output output;
		pthread_t thread;
		int fds[2];

		assert_int_equal(pipe2(fds, cases[i].flags), 0);
		assert_int_equal(fcntl(fds[0], F_SETFL, 0), 0);
		assert_true(fcntl(fds[1], F_SETPIPE_SZ, 4096) >= 0);
		reader.fd = fds[0];
		ht_output_open(&output, fds[1], cases[i].is_shared, NULL, NULL);
		assert_int_equal(pthread_create(&thread, NULL, read_slowly, &reader), 0);
		assert_int_equal(ht_output_write(&output, lines, cnt * LINE_BYTES), 0);
		if (fcntl(fds[1], F_GETFL) != (O_WRONLY | cases[i].flags))
			fail_msg("%s: flags that others share were changed", cases[i].why);
		ht_output_close(&output);
		close(fds[1]);
		pthread_join(thread, NULL);
		if (reader.len != cnt * LINE_BYTES || memcmp(reader.got, lines, reader.len))
			fail_msg("%s: %zu of %zu bytes came, or others", cases[i].why, reader.len, cnt * LINE_BYTES);
		assert_false(output.is_torn);
		close(fds[0]);
		free(reader.got);
		free(lines);
	}
}

static bool is_urgent(void *ctx)
{
	++*(int *)ctx;
	return true;
}

static void stuck_reader_is_given_up_when_we_are_to_end(void **state)
{
	char *lines = make_lines(1000);
	struct ht_output output;
	int fds[2], asked_cnt = 0;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_true(fcntl(fds[1], F_SETPIPE_SZ, 4096) >= 0);
	ht_output_open(&output, fds[1], false, is_urgent, &asked_cnt);
	assert_int_equal(ht_output_write(&output, lines, 1000 * LINE_BYTES), -ETIMEDOUT);
	assert_true(asked_cnt > 1);
	assert_true(output.is_torn);
	ht_output_close(&output);
	close(fds[0]);
	close(fds[1]);
	free(lines);
}

static void reader_that_is_gone(void **state)
{
	char *lines = make_lines(1);
	struct ht_output output;
	int fds[2];

	(void)state;
	for (int is_early = 0; is_early < 2; is_early++) {
		assert_int_equal(pipe(fds), 0);
		if (is_early)
			close(fds[0]);
		ht_output_open(&output, fds[1], false, NULL, NULL);
		if (!is_early)
			close(fds[0]);
		assert_int_equal(ht_output_write(&output, lines, LINE_BYTES), -EPIPE);
		assert_false(output.is_torn);
		ht_output_close(&output);
		close(fds[1]);
	}
	free(lines);
}

/* ---- no room ---- */

static void full_file_ends_with_a_whole_line(void **state)
{
	static const struct {
		const char *why;
		int flags;
		bool is_shared;
		bool is_torn;
		off_t limit, expected;
	} cases[] = {
		{ "lines that were there, then some of the batch", 0, false, false, 2000, 20 * LINE_BYTES },
		{ "opened for appending", O_APPEND, false, false, 2000, 20 * LINE_BYTES },
		{ "room for no line of the batch", 0, false, false, 10 * LINE_BYTES + 50, 10 * LINE_BYTES },
		{ "room ends where a line does", 0, false, false, 15 * LINE_BYTES, 15 * LINE_BYTES },
		{ "no room at all", 0, false, false, 10 * LINE_BYTES, 10 * LINE_BYTES },
		{ "not only ours: nothing is cut off", 0, true, true, 2000, 2000 },
	};
	struct rlimit old, limit;
	char *lines = make_lines(100);

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	for (size_t i = 0; i < CNT(cases); i++) {
		char path[] = "/tmp/httptrace-test-output-XXXXXX";
		struct ht_output output;
		struct stat st;
		int fd = mkostemp(path, cases[i].flags);

		assert_true(fd >= 0);
		unlink(path);
		ht_output_open(&output, fd, cases[i].is_shared, NULL, NULL);
		assert_int_equal(ht_output_write(&output, lines, 10 * LINE_BYTES), 0);
		limit = old;
		limit.rlim_cur = (rlim_t)cases[i].limit;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		if (ht_output_write(&output, lines + 10 * LINE_BYTES, 90 * LINE_BYTES) != -EFBIG)
			fail_msg("%s: no error", cases[i].why);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
		assert_int_equal(fstat(fd, &st), 0);
		if (st.st_size != cases[i].expected || output.is_torn != cases[i].is_torn)
			fail_msg("%s: %lld bytes%s", cases[i].why, (long long)st.st_size, output.is_torn ? ", torn" : "");
		ht_output_close(&output);
		close(fd);
	}
	free(lines);
}

static void batches(void **state)
{
	struct ht_output output;
	int fds[2], fd = memfd_create("file", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(pipe(fds), 0);
	ht_output_open(&output, fds[1], false, NULL, NULL);
	assert_int_equal(output.batch_bytes, 65536);
	ht_output_close(&output);
	ht_output_open(&output, fds[1], true, NULL, NULL);
	assert_int_equal(output.batch_bytes, PIPE_BUF);
	ht_output_close(&output);
	ht_output_open(&output, fd, false, NULL, NULL);
	assert_int_equal(output.batch_bytes, 65536);
	ht_output_close(&output);
	close(fds[0]);
	close(fds[1]);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow_reader_gets_every_byte),
		cmocka_unit_test(stuck_reader_is_given_up_when_we_are_to_end),
		cmocka_unit_test(reader_that_is_gone),
		cmocka_unit_test(full_file_ends_with_a_whole_line),
		cmocka_unit_test(batches),
	};

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
