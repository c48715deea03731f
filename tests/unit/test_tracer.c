/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_tracer.c - struct httptrace on sources made by hand: which ticks are recorded, failures of the capture, the end, the summary, what
 * is refused.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
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
#include <unistd.h>

#include <cmocka.h>

#include "dispatch/tracer.h"
#include "source/file.h"

#define CNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- records ------------------------------------------------------------------------------------------------------------------------- */

static struct {
	_Alignas(8) char bytes[65536];
	size_t len;
	uint64_t seq;
} stream;

static void add(void *rec, size_t size, uint16_t kind, uint64_t ts_ns)
{
	struct ht_hdr *hdr = rec;

	hdr->size = (uint32_t)size;
	hdr->kind = kind;
	hdr->ts_ns = ts_ns;
	hdr->cpu = HT_CPU_USER;
	hdr->seq = stream.seq++;
	assert_true(stream.len + size <= sizeof(stream.bytes));
	memcpy(stream.bytes + stream.len, rec, size);
	stream.len += size;
}

static void add_clock(uint64_t ts_ns)
{
	struct ht_rec_clock clock = { .mono_ns = ts_ns, .realtime_ns = 1767323045000000000ull };
	struct ht_rec_config config = { .flags = 0, .head_bytes = 16384 };

	add(&clock, sizeof(clock), HT_REC_CLOCK, ts_ns);
	add(&config, sizeof(config), HT_REC_CONFIG, ts_ns);
}

static void add_tick(uint64_t ts_ns)
{
	struct ht_rec_tick tick = { 0 };

	add(&tick, sizeof(tick), HT_REC_TICK, ts_ns);
}

static void add_end(uint64_t ts_ns)
{
	struct ht_rec_tick end = { 0 };

	add(&end, sizeof(end), HT_REC_END, ts_ns);
}

static void add_lost(uint64_t ts_ns, uint64_t count, const char *where)
{
	struct ht_rec_lost lost = { .count = count };

	strcpy(lost.where, where);
	add(&lost, sizeof(lost), HT_REC_LOST, ts_ns);
}

static int set_up(void **state)
{
	(void)state;
	memset(&stream, 0, sizeof(stream));
	return 0;
}

/* ---- what a tracer tells ------------------------------------------------------------------------------------------------------------- */

static struct {
	int lost, summaries;
	int64_t duration_ns;
	char counters[256];
} told;

static struct httptrace *tracer;
static int poll_inside, stop_inside;

static void on_notice(const struct httptrace_notice *notice, void *ctx)
{
	size_t i;

	assert_ptr_equal(ctx, &told);
	if (notice->kind == HTTPTRACE_NOTICE_LOST)
		told.lost++;
	if (notice->kind != HTTPTRACE_NOTICE_SUMMARY)
		return;
	told.summaries++;
	told.duration_ns = notice->duration_ns;
	told.counters[0] = 0;
	for (i = 0; i < notice->lost_cnt; i++)
		snprintf(told.counters + strlen(told.counters), sizeof(told.counters) - strlen(told.counters), "%s=%llu ",
			 notice->lost[i].name, (unsigned long long)notice->lost[i].count);
	poll_inside = httptrace__poll(tracer, 0);
	stop_inside = httptrace__stop(tracer);
	/* Nothing that its callers use may be freed. */
	httptrace__close(tracer);
}

static struct httptrace_open_opts make_opts(int write_fd)
{
	memset(&told, 0, sizeof(told));
	return (struct httptrace_open_opts){
		.sz = sizeof(struct httptrace_open_opts), .write_fd = write_fd, .notice = on_notice, .notice_ctx = &told
	};
}

static struct httptrace *open_stream(int write_fd, bool is_live)
{
	struct httptrace_open_opts opts = make_opts(write_fd);
	struct ht_source *source = ht_memory_open(stream.bytes, stream.len);

	assert_non_null(source);
	tracer = ht_tracer_new(&opts);
	assert_non_null(tracer);
	assert_int_equal(ht_tracer_start(tracer, source, is_live), 0);
	return tracer;
}

static int drain(void)
{
	int ret, i = 0;

	do
		ret = httptrace__poll(tracer, 0);
	while (ret >= 0 && ++i < 1000);
	return ret;
}

/* ---- captures ------------------------------------------------------------------------------------------------------------------------ */

static int count_ticks(void *ctx, const struct ht_hdr *rec)
{
	if (rec->kind == HT_REC_TICK)
		++*(int *)ctx;
	return 0;
}

static int ticks_in(int fd)
{
	struct ht_source *source;
	char path[64], err[256];
	int ticks = 0;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	source = ht_replay_open(path, err, sizeof(err));
	assert_non_null(source);
	while (source->ops->poll(source, 0, count_ticks, &ticks) >= 0)
		continue;
	assert_null(ht_replay_problem(source));
	source->ops->close(source);
	return ticks;
}

static void idle_ticks_are_not_recorded(void **state)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);
	uint64_t t;

	(void)state;
	assert_true(fd >= 0);
	add_clock(1000);
	add_tick(2000); /* lets the first records through */
	for (t = 3000; t < 50000; t += 1000)
		add_tick(t);
	add_lost(60000, 1, "ringbuf"); /* newer than the tick behind it, so the next is needed, too */
	add_tick(55000);
	add_tick(61000);
	add_tick(62000);
	add_end(63000);
	open_stream(fd, true);
	assert_int_equal(drain(), -ENODATA);
	assert_int_equal(ticks_in(fd), 3);
	httptrace__close(tracer);
	close(fd);
}

/* Whoever wrote it had a reason for each. */
static void all_ticks_of_a_replay_count(void **state)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);
	uint64_t t;

	(void)state;
	add_clock(1000);
	for (t = 2000; t <= 6000; t += 1000)
		add_tick(t);
	add_end(7000);
	open_stream(fd, false);
	assert_int_equal(drain(), -ENODATA);
	assert_int_equal(ticks_in(fd), 5);
	httptrace__close(tracer);
	close(fd);
}

static void full_disk_is_told_once(void **state)
{
	const struct rlimit small = { 1024, RLIM_INFINITY };
	struct rlimit before;
	int fd = memfd_create("capture", MFD_CLOEXEC), ret, errors = 0, i;
	uint64_t t;

	(void)state;
	add_clock(1000);
	for (t = 1; t <= 40; t++) {
		add_lost(t * 1000000000, 1, "ringbuf");
		add_tick(t * 1000000000 + 1);
	}
	add_end(50000000000);
	open_stream(fd, true);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (i = 0; i < 1000; i++) {
		ret = httptrace__poll(tracer, 0);
		if (ret == -EFBIG) {
			errors++;
			assert_non_null(strstr(httptrace__error(tracer), "File too large"));
		} else if (ret < 0) {
			break;
		}
	}
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(ret, -ENODATA);
	assert_int_equal(errors, 1);
	/* Tracing went on to its end without it. */
	assert_int_equal(told.summaries, 1);
	assert_string_equal(told.counters, "ringbuf=40 ");
	httptrace__close(tracer);
	close(fd);
}

static void capture_that_cannot_begin(void **state)
{
	struct httptrace_open_opts opts = make_opts(open("/dev/full", O_WRONLY));
	(void)state;
	assert_true(opts.write_fd > 0);
	tracer = ht_tracer_new(&opts);
	assert_non_null(tracer);
	assert_int_equal(ht_tracer_start(tracer, ht_memory_open(stream.bytes, stream.len), true), -ENOSPC);
	assert_non_null(strstr(httptrace__open_error(), "No space left on device"));
	httptrace__close(tracer);
	close(opts.write_fd);
}

/* ---- the end ------------------------------------------------------------------------------------------------------------------------- */

static void summary_at_the_end(void **state)
{
	(void)state;
	add_clock(1000);
	add_lost(2000, 2, "sideband");
	add_lost(3000, 5, "ringbuf");
	add_tick(4000);
	/* A kind that this version does not know, and a record that is too short for its own. */
	add(&(struct ht_rec_tick){ 0 }, sizeof(struct ht_rec_tick), 60, 4500);
	add(&(struct ht_rec_tick){ 0 }, sizeof(struct ht_rec_tick), HT_REC_PROC, 4600);
	add_end(9000);
	open_stream(-1, true);
	assert_int_equal(drain(), -ENODATA);
	assert_int_equal(told.summaries, 1);
	assert_int_equal(told.duration_ns, 8000);
	assert_string_equal(told.counters, "ringbuf=5 sideband=2 malformed=1 unknown_kind=1 ");
	assert_string_equal(httptrace__error(tracer), "");
	assert_int_equal(httptrace__poll(tracer, -1), -ENODATA);
	assert_int_equal(httptrace__stop(tracer), 0);
	assert_int_equal(told.summaries, 1);
	httptrace__close(tracer);
}

static void stopped_in_the_middle(void **state)
{
	(void)state;
	add_clock(1000);
	add_tick(2000);
	add_lost(3000, 1, "ringbuf");
	add_tick(4000);
	open_stream(-1, true);
	assert_int_equal(httptrace__poll(tracer, 0), 0);
	assert_int_equal(httptrace__stop(tracer), 0);
	assert_int_equal(httptrace__stop(tracer), 0);
	assert_int_equal(httptrace__poll(tracer, 0), -ENODATA);
	assert_int_equal(told.summaries, 1);
	httptrace__close(tracer);
	assert_int_equal(told.summaries, 1);
}

static void closing_stops(void **state)
{
	(void)state;
	add_clock(1000);
	add_tick(2000);
	open_stream(-1, false);
	httptrace__close(tracer);
	assert_int_equal(told.summaries, 1);
	httptrace__close(NULL);
}

static void calls_from_inside_a_callback(void **state)
{
	(void)state;
	add_clock(1000);
	add_end(2000);
	poll_inside = stop_inside = 0;
	open_stream(-1, false);
	assert_int_equal(drain(), -ENODATA);
	assert_int_equal(poll_inside, -EBUSY);
	assert_int_equal(stop_inside, -EBUSY);
	httptrace__close(tracer);
}

/* ---- files --------------------------------------------------------------------------------------------------------------------------- */

static int make_capture(void)
{
	int fd = memfd_create("capture", MFD_CLOEXEC), ticks;

	add_clock(1000);
	add_lost(1500, 4, "ringbuf");
	add_end(2000);
	open_stream(fd, false);
	ticks = drain();
	assert_int_equal(ticks, -ENODATA);
	httptrace__close(tracer);
	return fd;
}

static void replay_and_what_is_wrong_with_it(void **state)
{
	static const struct {
		const char *why;
		off_t cut; /* from the end */
		const char *problem;
		int lost;
	} cases[] = {
		{ "whole", 0, "", 1 },
		{ "the trailer is missing a byte: all records are sound", 1, "cut", 1 },
	};
	struct httptrace_open_opts opts;
	char path[64];
	size_t i;

	(void)state;
	for (i = 0; i < CNT(cases); i++) {
		int fd = make_capture();

		assert_int_equal(ftruncate(fd, lseek(fd, 0, SEEK_END) - cases[i].cut), 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		opts = make_opts(0);
		tracer = httptrace__open_file(path, &opts);
		assert_non_null(tracer);
		assert_int_equal(httptrace__fd(tracer), -1);
		assert_int_equal(drain(), -ENODATA);
		if (cases[i].problem[0] ? !strstr(httptrace__error(tracer), cases[i].problem) : httptrace__error(tracer)[0])
			print_error("%s: %s\n", cases[i].why, httptrace__error(tracer));
		assert_true(cases[i].problem[0] ? strstr(httptrace__error(tracer), cases[i].problem) != NULL
						: !httptrace__error(tracer)[0]);
		assert_int_equal(told.lost, cases[i].lost);
		assert_int_equal(told.summaries, 1);
		httptrace__close(tracer);
		close(fd);
		set_up(NULL);
	}
}

static void refused(void **state)
{
	struct {
		struct httptrace_open_opts opts;
		long later;
	} large = { .opts = make_opts(0) };
	const pid_t pid = -3;
	struct httptrace_open_opts opts;

	(void)state;
	errno = 0;
	assert_null(httptrace__open_file("/nonexistent/file", NULL));
	assert_int_equal(errno, ENOENT);
	assert_non_null(strstr(httptrace__open_error(), "/nonexistent/file"));
	assert_null(httptrace__open_file(NULL, NULL));
	assert_int_equal(errno, EINVAL);

	opts = make_opts(0);
	opts.sz = 0;
	assert_null(httptrace__open_file("/dev/null", &opts));
	assert_int_equal(errno, EINVAL);
	opts = make_opts(0);
	opts.pids = &pid;
	opts.pid_cnt = 1;
	assert_null(httptrace__open_file("/dev/null", &opts));
	assert_string_equal(httptrace__open_error(), "process -3: not a process id");
	opts = make_opts(0);
	opts.probe_sites = HTTPTRACE_PROBE_SITES_ENTRY + 1;
	assert_null(httptrace__open_file("/dev/null", &opts));
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(httptrace__open_error(), "probe_sites is 2"));
	opts = make_opts(0);
	opts.reserved = 1;
	assert_null(httptrace__open_file("/dev/null", &opts));
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(httptrace__open_error(), "reserved is 1"));
	large.opts.sz = sizeof(large);
	assert_null(httptrace__open_file("/dev/null", &large.opts));
	assert_int_equal(errno, EBADMSG);
	large.later = 1;
	assert_null(httptrace__open_file("/dev/null", &large.opts));
	assert_int_equal(errno, EINVAL);

	assert_int_equal(httptrace__poll(NULL, 0), -EINVAL);
	assert_int_equal(httptrace__stop(NULL), -EINVAL);
	assert_int_equal(httptrace__register(NULL, NULL, NULL), -EINVAL);
	assert_non_null(httptrace__error(NULL));
}

static void registering(void **state)
{
	struct httptrace_client_trace trace = { .sz = sizeof(trace) };

	(void)state;
	add_clock(1000);
	open_stream(-1, false);
	assert_int_equal(httptrace__register(tracer, NULL, NULL), -EINVAL);
	assert_non_null(strstr(httptrace__error(tracer), "httptrace__register()"));
	assert_int_equal(httptrace__register(tracer, &trace, NULL), 1);
	assert_int_equal(httptrace__register(tracer, &trace, NULL), 2);
	assert_int_equal(httptrace__unregister(tracer, 1), 0);
	assert_int_equal(httptrace__unregister(tracer, 1), -ENOENT);
	httptrace__close(tracer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(idle_ticks_are_not_recorded, set_up),
		cmocka_unit_test_setup(all_ticks_of_a_replay_count, set_up),
		cmocka_unit_test_setup(full_disk_is_told_once, set_up),
		cmocka_unit_test_setup(capture_that_cannot_begin, set_up),
		cmocka_unit_test_setup(summary_at_the_end, set_up),
		cmocka_unit_test_setup(stopped_in_the_middle, set_up),
		cmocka_unit_test_setup(closing_stops, set_up),
		cmocka_unit_test_setup(calls_from_inside_a_callback, set_up),
		cmocka_unit_test_setup(replay_and_what_is_wrong_with_it, set_up),
		cmocka_unit_test_setup(refused, set_up),
		cmocka_unit_test_setup(registering, set_up),
	};

	return cmocka_run_group_tests_name("tracer", tests, NULL, NULL);
}
