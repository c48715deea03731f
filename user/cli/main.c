/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * main.c - httptrace-bpf, a user of libhttptrace like any other.
 *
 * In:  the command line. Out: reports on standard output or in files, all else on standard error, an exit status.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "privileges.h"
#include "run.h"
#include "say.h"
#include "text_fmt.h"

/* It holds credentials. */
#define CAPTURE_MODE 0600

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Output that must not fail unnoticed: of --help and the like. */
static int print_status(void)
{
	if (!fflush(stdout) || errno == EPIPE)
		return EXIT_DONE;
	ht_say("standard output: %s", strerror(errno));
	return EXIT_FAILED;
}

static void print_line(const char *line, void *ctx)
{
	struct ht_buf out = { 0 };

	(void)ctx;
	ht_fmt_safe(&out, line, 0);
	ht_buf_puts(&out, "\n");
	if (!out.is_oom)
		fwrite(out.data, 1, out.len, stdout);
	ht_buf_free(&out);
}

/* An older file that is not ours takes CAP_FOWNER. Whether it went well is asked by begin_capture(). */
static void make_capture_private(const struct ht_run *run)
{
	struct stat st;

	if (run->capture_fd >= 0 && !run->is_capture_new && !fstat(run->capture_fd, &st) && S_ISREG(st.st_mode))
		fchmod(run->capture_fd, CAPTURE_MODE);
}

/* Called while the tracer is being opened, when everything is attached. */
static void drop_privileges(void *ctx)
{
	make_capture_private(ctx);
	ht_privileges_begin_rt();
	ht_privileges_drop(ctx);
}

static struct httptrace_open_opts open_opts(struct ht_run *run)
{
	const struct ht_options *options = run->options;

	return (struct httptrace_open_opts){
		.sz = sizeof(struct httptrace_open_opts),
		.no_follow = options->no_follow,
		.no_redact = options->no_redact,
		.no_headers = !options->with_headers,
		.dials = options->dials,
		.ring_bytes = options->ring_bytes,
		.head_bytes = options->head_bytes,
		.comm = options->comm,
		.cgroup = options->cgroup,
		.probe_sites = options->probe_sites,
		.btf = options->btf,
		.without = options->without,
		.backend = options->backend,
		.write_fd = run->capture_fd,
		.log = ht_run_log,
		.log_ctx = run,
		.notice = ht_run_notice,
		.notice_ctx = run,
		.attached = drop_privileges,
		.attached_ctx = run,
	};
}

static int report(const struct ht_options *options)
{
	struct ht_run run = { .options = options, .capture_fd = -1 };
	struct httptrace_open_opts opts = open_opts(&run);
	const char *why;
	int err;

	opts.pids = options->pids;
	opts.pid_cnt = options->pid_cnt;
	if (options->mode == HT_MODE_TARGETS)
		err = httptrace__targets(&opts, print_line, NULL);
	else
		err = httptrace__features_with(&opts, print_line, NULL);
	if (err < 0) {
		why = httptrace__open_error();
		fflush(stdout);
		ht_say("%s", why[0] ? why : strerror(-err));
		return EXIT_FAILED;
	}
	return print_status();
}

/*
 * Signals are read from an fd. A shell without job control starts what it puts into the background with SIGINT ignored, and ignored signals
 * are not read.
 */
static int block_signals(struct ht_run *run, sigset_t *old_mask)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, standard = { .sa_handler = SIG_DFL }, old;
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGCHLD);
	/* nohup(1) wants it ignored. */
	if (!sigaction(SIGHUP, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaddset(&mask, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &mask, old_mask))
		return -errno;
	run->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (run->signal_fd < 0)
		return -errno;
	sigaction(SIGINT, &standard, NULL);
	sigaction(SIGTERM, &standard, NULL);
	/* COMMAND gets these two as they are now: they are passed on to it, and would be in vain. All others as we were started with. */
	if (run->options->command && ht_command_start(&run->command, run->options->command, old_mask))
		return -ECHILD;
	sigaction(SIGCHLD, &standard, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	/* A file larger than our limit is a failure to be told like any other (EFBIG). */
	sigaction(SIGXFSZ, &ignore, NULL);
	return 0;
}

/*
 * For a live trace, after COMMAND was started, which keeps what we were given. A link to each probed library of each followed process is a file
 * descriptor. No condition: a failure is passed over.
 */
static void claim_resources(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int refuse_capture(const struct ht_run *run)
{
	int err = -errno;

	ht_say("%s: cannot be written: %s; name a file where you may write with -w FILE", run->options->write_path, strerror(-err));
	return err;
}

/* An older file stays as it is until tracing has begun: see begin_capture(). */
static int open_capture(struct ht_run *run)
{
	const char *path = run->options->write_path;
	const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY;

	if (!path)
		return 0;
	run->capture_fd = open(path, flags | O_EXCL, CAPTURE_MODE);
	run->is_capture_new = run->capture_fd >= 0;
	if (run->capture_fd < 0 && errno == EEXIST)
		run->capture_fd = open(path, flags, CAPTURE_MODE);
	return run->capture_fd < 0 ? refuse_capture(run) : 0;
}

/* The capture's head has been written: what an older file has behind it goes, and its mode is made private, too. */
static int begin_capture(struct ht_run *run)
{
	struct stat st;

	if (run->capture_fd < 0 || run->is_capture_new)
		return 0;
	if (fstat(run->capture_fd, &st))
		return refuse_capture(run);
	if (!S_ISREG(st.st_mode))
		return 0;
	if ((st.st_mode & ALLPERMS) != CAPTURE_MODE && fchmod(run->capture_fd, CAPTURE_MODE))
		return refuse_capture(run);
	if (ftruncate(run->capture_fd, lseek(run->capture_fd, 0, SEEK_CUR)))
		return refuse_capture(run);
	return 0;
}

/* Of a trace that did not begin nothing is left. */
static void close_capture(struct ht_run *run)
{
	if (run->capture_fd < 0)
		return;
	if (run->is_capture_new && !run->has_begun)
		unlink(run->options->write_path);
	if (close(run->capture_fd) && !run->has_failed) {
		ht_say("%s: cannot be written: %s", run->options->write_path, strerror(errno));
		run->has_failed = true;
	}
}

static int open_tracer(struct ht_run *run)
{
	const struct ht_options *options = run->options;
	struct httptrace_open_opts opts = open_opts(run);
	pid_t pids[HT_OPTIONS_MAX_PIDS + 1];

	memcpy(pids, options->pids, options->pid_cnt * sizeof(pids[0]));
	opts.pids = pids;
	opts.pid_cnt = options->pid_cnt;
	if (run->command.pid)
		pids[opts.pid_cnt++] = run->command.pid;
	run->tracer = options->read_path ? httptrace__open_file(options->read_path, &opts) : httptrace__open(&opts);
	ht_privileges_end_rt();
	if (!run->tracer) {
		ht_say("%s", httptrace__open_error());
		return -EIO;
	}
	/* What is in a capture may come from anywhere. */
	if (options->read_path)
		ht_privileges_drop(run);
	run->has_begun = true;
	return ht_run_register(run);
}

static int trace(const struct ht_options *options)
{
	struct ht_run run = { .options = options, .capture_fd = -1, .signal_fd = -1 };
	int status = EXIT_DONE, err;
	bool was_released = false;
	sigset_t old_mask;

	err = block_signals(&run, &old_mask);
	if (err && err != -ECHILD)
		ht_say("signals cannot be handled: %s", strerror(-err));
	if (!err && !options->read_path)
		claim_resources();
	if (!err)
		err = ht_run_open_outputs(&run);
	if (!err)
		err = open_capture(&run);
	if (!err)
		err = open_tracer(&run);
	if (!err)
		err = begin_capture(&run);
	if (!err) {
		if (!options->read_path)
			ht_run_say_ready(&run);
		if (run.command.pid) {
			ht_command_release(&run.command);
			was_released = true;
		}
		ht_run_loop(&run);
		ht_run_say_end(&run);
	}
	if (run.command.pid)
		status = ht_command_status(&run.command);
	httptrace__close(run.tracer);
	ht_run_close_outputs(&run);
	close_capture(&run);
	if (run.signal_fd >= 0)
		close(run.signal_fd);
	/* COMMAND's own, unless that would hide a failure of ours. */
	if (err && !was_released)
		return EXIT_FAILED;
	if (run.has_failed && status == EXIT_DONE)
		return EXIT_FAILED;
	return status;
}

/* Where one of the three is closed, a file that we open would take its place and be written to as if it were it. */
static void fill_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	static struct ht_options options;
	char err[HT_OPTIONS_ERR_LEN];

	fill_standard_fds();
	if (ht_options_parse(&options, argc, argv, ht_sink_exists, err)) {
		ht_say("%s (--help tells more)", err);
		return EXIT_USAGE;
	}
	switch (options.mode) {
	case HT_MODE_HELP:
		fputs(ht_options_help, stdout);
		return print_status();
	case HT_MODE_VERSION:
		puts(HT_PROGRAM " " HTTPTRACE_VERSION);
		return print_status();
	case HT_MODE_TARGETS:
	case HT_MODE_FEATURES:
		return report(&options);
	case HT_MODE_TRACE:
		break;
	}
	return trace(&options);
}
