/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * report.c - from the library's callbacks to the outputs and to standard error.
 *
 * In:  requests, dials, WebSockets, notices, log lines. Out: sinks; lines for people on standard error.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"
#include "say.h"

/* ---- from the library ---------------------------------------------------------------------------------------------------------------- */

void ht_run_log(enum httptrace_log_level level, const char *text, void *ctx)
{
	const struct ht_run *run = ctx;

	if (level == HTTPTRACE_LOG_WARN ? !run->options->is_quiet : run->options->verbose >= (unsigned int)level)
		ht_say("%s%s", level == HTTPTRACE_LOG_WARN ? "warning: " : "", text);
}

static void say_target(const struct httptrace_notice *notice)
{
	char pid[32] = "", probes[32] = "";

	if (notice->pid)
		snprintf(pid, sizeof(pid), " (pid %ld)", (long)notice->pid);
	if (notice->probe_cnt)
		snprintf(probes, sizeof(probes), ", %u probe%s", notice->probe_cnt, notice->probe_cnt == 1 ? "" : "s");
	ht_say("%s %s%s%s%s%s%s%s", notice->action ? notice->action : "?", notice->target ? notice->target : "?", notice->path ? " " : "",
	       notice->path ? notice->path : "", pid, probes, notice->reason ? ": " : "", notice->reason ? notice->reason : "");
}

static void add_text(char *text, size_t size, const char *name, uint64_t count)
{
	size_t len = strlen(text);

	snprintf(text + len, size - len, "%s%s %" PRIu64, len ? ", " : "", name, count);
}

static void note_summary(struct ht_run *run, const struct httptrace_notice *notice)
{
	char skipped[512] = "", websockets[64] = "";
	size_t i;

	run->events = notice->events;
	for (i = 0; i < notice->lost_cnt; i++) {
		if (!notice->lost[i].count)
			continue;
		run->lost += notice->lost[i].count;
		add_text(run->lost_text, sizeof(run->lost_text), notice->lost[i].name, notice->lost[i].count);
	}
	if (!run->options->verbose)
		return;
	for (i = 0; i < notice->skipped_cnt; i++)
		if (notice->skipped[i].count)
			add_text(skipped, sizeof(skipped), notice->skipped[i].name, notice->skipped[i].count);
	if (notice->websockets)
		snprintf(websockets, sizeof(websockets), "%" PRIu64 " WebSocket%s, ", notice->websockets,
			 notice->websockets == 1 ? "" : "s");
	ht_say("%" PRIu64 " request%s, %" PRIu64 " dial%s, %s%" PRIu64 " event%s%s%s", notice->requests, notice->requests == 1 ? "" : "s",
	       notice->dials, notice->dials == 1 ? "" : "s", websockets, notice->events, notice->events == 1 ? "" : "s",
	       skipped[0] ? "; counted: " : "", skipped);
}

void ht_run_notice(const struct httptrace_notice *notice, void *ctx)
{
	struct ht_run *run = ctx;
	struct httptrace_notice reported;
	size_t i;

	if (notice->kind == HTTPTRACE_NOTICE_SUMMARY) {
		/* The sum of the report: the library counts what filters left out as well. */
		reported = *notice;
		reported.requests = run->requests;
		reported.dials = run->dials;
		reported.websockets = run->websockets;
		notice = &reported;
		note_summary(run, notice);
	} else if (notice->kind == HTTPTRACE_NOTICE_TARGET && run->options->verbose) {
		say_target(notice);
	}
	for (i = 0; i < run->output_cnt; i++)
		ht_sink_notice(run->outputs[i].sink, notice);
}

static void on_request_done(struct httptrace_request *request, void *ctx)
{
	struct ht_run *run = ctx;
	size_t i;

	/* What is still delivered behind the last one that was asked for. */
	if (run->is_full || !ht_filter_passes(&run->options->filter, request))
		return;
	for (i = 0; i < run->output_cnt; i++)
		ht_sink_request(run->outputs[i].sink, request);
	switch (httptrace_request__kind(request)) {
	case HTTPTRACE_REQUEST:
		if (++run->requests == run->options->max_requests)
			run->is_full = true;
		break;
	case HTTPTRACE_DIAL:
		run->dials++;
		break;
	case HTTPTRACE_WEBSOCKET:
		run->websockets++;
		break;
	}
}

int ht_run_register(struct ht_run *run)
{
	struct httptrace_client_trace trace = { .sz = sizeof(trace), .request_done = on_request_done };
	const struct ht_filter *asked = &run->options->filter;
	struct httptrace_filter filter = { .sz = sizeof(filter), .host = asked->host, .method = asked->method, .path = asked->path };
	int id = httptrace__register_filtered(run->tracer, &trace, &filter, run);

	if (id < 0)
		ht_say("%s", httptrace__error(run->tracer));
	return id < 0 ? id : 0;
}

/* ---- outputs ------------------------------------------------------------------------------------------------------------------------- */

/* no-color.org: set to anything but the empty string. */
static bool wants_color(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(no_color && no_color[0]) && term && strcmp(term, "dumb");
}

/* We are asked to end: who reads our reports has to hurry. */
static bool is_urgent(void *ctx)
{
	const struct ht_run *run = ctx;
	sigset_t pending;

	if (run->is_asked_to_end)
		return true;
	return !sigpending(&pending) && (sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM) || sigismember(&pending, SIGHUP));
}

static bool is_same_file(int fd, int other_fd)
{
	struct stat a, b;

	return !fstat(fd, &a) && !fstat(other_fd, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int open_output(struct ht_run *run, const char *sink, const char *path)
{
	struct ht_run_output *output = &run->outputs[run->output_cnt];
	struct ht_sink_opts opts = { .with_headers = run->options->with_headers, .is_urgent = is_urgent, .ctx = run };
	int err;

	output->name = path ? path : "standard output";
	output->fd = STDOUT_FILENO;
	if (path) {
		output->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
		if (output->fd < 0) {
			err = -errno;
			ht_say("%s: cannot be written: %s; name a file where you may write with -o %s=FILE", path, strerror(-err), sink);
			return err;
		}
	}
	opts.fd = output->fd;
	opts.is_terminal = isatty(output->fd);
	opts.is_shared = run->options->command && (is_same_file(output->fd, STDOUT_FILENO) || is_same_file(output->fd, STDERR_FILENO));
	opts.with_color = opts.is_terminal && wants_color();
	output->sink = ht_sink_new(sink, &opts);
	if (!output->sink) {
		err = -errno;
		ht_say("-o %s: %s", sink, strerror(-err));
		if (path)
			close(output->fd);
		return err;
	}
	run->output_cnt++;
	return 0;
}

int ht_run_open_outputs(struct ht_run *run)
{
	const struct ht_options *options = run->options;
	size_t i;
	int err = 0;

	if (!options->output_cnt && !options->write_path)
		return open_output(run, "text", NULL);
	for (i = 0; i < options->output_cnt && !err; i++)
		err = open_output(run, options->outputs[i].sink, options->outputs[i].path);
	return err;
}

static void say_unwritten(const struct ht_run_output *output, int err)
{
	const char *next = err == -ENOSPC || err == -EDQUOT || err == -EFBIG ? ": make room, or report to where there is" : "";
	const char *state = ht_sink_is_torn(output->sink) ? "its last line is cut" : "its lines are whole, later ones are missing";

	if (err == -ETIMEDOUT)
		ht_say("%s: cannot be written: whoever reads it takes nothing, and we are to end; %s", output->name, state);
	else
		ht_say("%s: cannot be written: %s; %s%s", output->name, strerror(-err), state, next);
}

bool ht_run_flush(struct ht_run *run)
{
	size_t i;
	int err;

	for (i = 0; i < run->output_cnt; i++) {
		err = ht_sink_flush(run->outputs[i].sink);
		if (err == -EPIPE)
			run->is_closed = true;
		if (!err || err == -EPIPE || run->has_failed)
			continue;
		say_unwritten(&run->outputs[i], err);
		run->has_failed = true;
	}
	return !run->is_closed && !run->has_failed;
}

void ht_run_close_outputs(struct ht_run *run)
{
	size_t i;

	for (i = 0; i < run->output_cnt; i++) {
		struct ht_run_output *output = &run->outputs[i];

		ht_sink_free(output->sink);
		/* Some file systems tell only now that there was no room (close(2)). */
		if (output->fd != STDOUT_FILENO && close(output->fd) && !run->has_failed) {
			ht_say("%s: cannot be written: %s", output->name, strerror(errno));
			run->has_failed = true;
		}
	}
	run->output_cnt = 0;
}

/* ---- standard error ------------------------------------------------------------------------------------------------------------------ */

static const char *comm_of(pid_t pid, char *comm, size_t size)
{
	char path[64];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, comm, size - 1);
		close(fd);
	}
	if (n <= 0)
		return "process";
	comm[n] = 0;
	comm[strcspn(comm, "\n")] = 0;
	return comm;
}

void ht_run_say_ready(const struct ht_run *run)
{
	const struct ht_options *options = run->options;
	char comm[64], matching[512] = "";

	if (options->is_quiet)
		return;
	if (options->comm || options->cgroup) {
		snprintf(matching, sizeof(matching), "processes%s%s%s%s", options->comm ? " named " : "",
			 options->comm ? options->comm : "", options->cgroup ? " in cgroup " : "", options->cgroup ? options->cgroup : "");
		if (options->command)
			ht_say("tracing %s (pid %ld) and %s", options->command[0], (long)run->command.pid, matching);
		else if (options->pid_cnt)
			ht_say("tracing %zu process%s by pid, and %s", options->pid_cnt, options->pid_cnt == 1 ? "" : "es", matching);
		else
			ht_say("tracing %s", matching);
		return;
	}
	if (options->command && !options->pid_cnt)
		ht_say("tracing %s (pid %ld)", options->command[0], (long)run->command.pid);
	else if (options->command)
		ht_say("tracing %s (pid %ld) and %zu process%s", options->command[0], (long)run->command.pid, options->pid_cnt,
		       options->pid_cnt == 1 ? "" : "es");
	else if (options->pid_cnt == 1)
		ht_say("tracing %s (pid %ld)", comm_of(options->pids[0], comm, sizeof(comm)), (long)options->pids[0]);
	else if (options->pid_cnt)
		ht_say("tracing %zu processes", options->pid_cnt);
	else
		ht_say("tracing the whole system");
}

static const char *size_text(char *text, size_t size, int fd)
{
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return NULL;
	if (st.st_size < 10000)
		snprintf(text, size, "%lld bytes", (long long)st.st_size);
	else if (st.st_size < 10000000)
		snprintf(text, size, "%.1f KB", (double)st.st_size / 1e3);
	else
		snprintf(text, size, "%.1f MB", (double)st.st_size / 1e6);
	return text;
}

/* Of a capture alone. */
void ht_run_say_progress(const struct ht_run *run)
{
	char text[32];
	const char *size = size_text(text, sizeof(text), run->capture_fd);

	ht_say_progress("capturing: %" PRIu64 " request%s%s%s", run->requests, run->requests == 1 ? "" : "s", size ? ", " : "",
			size ? size : "");
}

void ht_run_say_end(const struct ht_run *run)
{
	const struct ht_options *options = run->options;
	char text[32];
	const char *size;

	ht_say_progress_end();
	if (options->is_quiet)
		return;
	if (options->write_path && !run->has_failed) {
		size = size_text(text, sizeof(text), run->capture_fd);
		ht_say("captured %" PRIu64 " request%s in %" PRIu64 " events into %s%s%s", run->requests, run->requests == 1 ? "" : "s",
		       run->events, options->write_path, size ? ", " : "", size ? size : "");
	}
	if (run->lost)
		ht_say("warning: %" PRIu64 " event%s lost (%s): requests may be missing or incomplete%s", run->lost,
		       run->lost == 1 ? " was" : "s were", run->lost_text,
		       options->read_path ? "" : "; a larger --ring-size, or fewer processes (-p), helps");
}
