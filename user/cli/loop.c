/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * loop.c - waits for events, signals, the clock and the end of COMMAND, until one of them ends the run.
 *
 * In:  the tracer's fd, signals (blocked, read from a signalfd), a timer for -d, one for progress, standard output if it is a pipe. Out:
 * calls of httptrace__poll() and httptrace__stop(), within which everything is reported.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "run.h"
#include "say.h"

#define NSEC_PER_SEC  1000000000ll
/* A file is read in blocks; between two we look for signals. */
#define FILE_SLICE_MS 0
/* Of requests that are waiting, before we look for signals again. */
#define MAX_POLLS     64

enum { ON_EVENTS, ON_SIGNAL, ON_DURATION, ON_PROGRESS, ON_STDOUT };

struct loop {
	struct ht_run *run;
	int epoll_fd;
	int duration_fd;
	int progress_fd;
	bool is_over;     /* stop tracing */
	bool has_no_more; /* the tracer said so */
};

static void watch(struct loop *loop, int fd, uint32_t what, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.u32 = what };

	/* A regular file or a device cannot be waited for: then it is not. */
	if (fd >= 0)
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static int make_timer(int64_t first_ns, int64_t every_ns)
{
	struct itimerspec spec = {
		.it_value = { .tv_sec = first_ns / NSEC_PER_SEC, .tv_nsec = first_ns % NSEC_PER_SEC },
		.it_interval = { .tv_sec = every_ns / NSEC_PER_SEC, .tv_nsec = every_ns % NSEC_PER_SEC },
	};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd >= 0)
		timerfd_settime(fd, 0, &spec, NULL);
	return fd;
}

static void drain_timer(int fd)
{
	uint64_t expirations;

	while (read(fd, &expirations, sizeof(expirations)) > 0)
		continue;
}

static void on_signal(struct loop *loop, const struct signalfd_siginfo *info)
{
	struct ht_run *run = loop->run;

	if (info->ssi_signo == SIGCHLD)
		return;
	if (!run->command.pid) {
		run->is_asked_to_end = true;
		loop->is_over = true;
		return;
	}
	/* The terminal's Ctrl-C comes from the kernel, to the whole foreground group: COMMAND, which is in ours, has it already. */
	if (info->ssi_code != SI_KERNEL)
		ht_command_signal(&run->command, (int)info->ssi_signo);
}

static void read_signals(struct loop *loop)
{
	struct signalfd_siginfo info;

	while (read(loop->run->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		on_signal(loop, &info);
	if (loop->run->command.pid && ht_command_has_ended(&loop->run->command))
		loop->is_over = true;
}

/* What the tracer said of itself. */
static void note(struct loop *loop, int ret)
{
	struct ht_run *run = loop->run;
	const char *error = httptrace__error(run->tracer);

	if (ret >= 0 || ret == -EINTR)
		return;
	if (ret == -ENODATA) {
		loop->is_over = true;
		loop->has_no_more = true;
		/* A file that is damaged or cut: what is sound has been reported. */
		if (!error[0])
			return;
	}
	if (run->options->read_path)
		ht_say("%s: %s", run->options->read_path, error);
	else if (run->options->write_path && ret == -ENOSPC)
		ht_say("%s: %s", run->options->write_path, error);
	else
		ht_say("%s", error);
	run->has_failed = true;
	loop->is_over = true;
}

static void poll_events(struct loop *loop)
{
	struct ht_run *run = loop->run;
	int i, ret;

	for (i = 0; i < MAX_POLLS && !loop->is_over; i++) {
		ret = httptrace__poll(run->tracer, FILE_SLICE_MS);
		note(loop, ret);
		if (run->is_full || !ht_run_flush(run))
			loop->is_over = true;
		if (ret == 0)
			break;
	}
}

static void wait_once(struct loop *loop, bool is_file)
{
	struct epoll_event events[8];
	int i, n;

	n = epoll_wait(loop->epoll_fd, events, sizeof(events) / sizeof(events[0]), is_file ? 0 : -1);
	for (i = 0; i < n; i++) {
		switch (events[i].data.u32) {
		case ON_SIGNAL:
			read_signals(loop);
			break;
		case ON_DURATION:
			loop->is_over = true;
			break;
		case ON_PROGRESS:
			drain_timer(loop->progress_fd);
			ht_run_say_progress(loop->run);
			break;
		case ON_STDOUT:
			loop->run->is_closed = true;
			loop->is_over = true;
			break;
		default:
			break;
		}
	}
	if (!loop->is_over)
		poll_events(loop);
}

static bool uses_stdout(const struct ht_run *run)
{
	size_t i;

	for (i = 0; i < run->output_cnt; i++)
		if (run->outputs[i].fd == STDOUT_FILENO)
			return true;
	return false;
}

/* COMMAND is not ours to end: where tracing ended before it, it is waited for. */
static void wait_for_command(struct loop *loop)
{
	struct ht_run *run = loop->run;
	struct epoll_event event;

	if (!run->command.pid)
		return;
	if (ht_command_has_ended(&run->command))
		return;
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, httptrace__fd(run->tracer), NULL);
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, STDOUT_FILENO, NULL);
	if (loop->duration_fd >= 0)
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, loop->duration_fd, NULL);
	if (loop->progress_fd >= 0)
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, loop->progress_fd, NULL);
	/* It goes on without our probes. */
	httptrace__close(run->tracer);
	run->tracer = NULL;
	while (!ht_command_has_ended(&run->command)) {
		if (epoll_wait(loop->epoll_fd, &event, 1, -1) > 0)
			read_signals(loop);
	}
}

void ht_run_loop(struct ht_run *run)
{
	const struct ht_options *options = run->options;
	struct loop loop = { .run = run, .duration_fd = -1, .progress_fd = -1 };
	bool is_file = httptrace__fd(run->tracer) < 0;

	loop.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop.epoll_fd < 0) {
		ht_say("cannot wait for events: %s", strerror(errno));
		run->has_failed = true;
		return;
	}
	if (options->duration_ns)
		loop.duration_fd = make_timer(options->duration_ns, 0);
	if (options->write_path && !run->output_cnt && !options->is_quiet && isatty(STDERR_FILENO))
		loop.progress_fd = make_timer(NSEC_PER_SEC, NSEC_PER_SEC);
	watch(&loop, httptrace__fd(run->tracer), ON_EVENTS, EPOLLIN);
	watch(&loop, run->signal_fd, ON_SIGNAL, EPOLLIN);
	watch(&loop, loop.duration_fd, ON_DURATION, EPOLLIN);
	watch(&loop, loop.progress_fd, ON_PROGRESS, EPOLLIN);
	/* No event is asked for: that the reader of a pipe is gone is told all the same. */
	if (uses_stdout(run))
		watch(&loop, STDOUT_FILENO, ON_STDOUT, 0);

	while (!loop.is_over)
		wait_once(&loop, is_file);
	if (!loop.has_no_more)
		note(&loop, httptrace__stop(run->tracer));
	ht_run_flush(run);
	wait_for_command(&loop);

	if (loop.duration_fd >= 0)
		close(loop.duration_fd);
	if (loop.progress_fd >= 0)
		close(loop.progress_fd);
	close(loop.epoll_fd);
}
