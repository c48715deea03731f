/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * api.c - struct httptrace: one source, and the chain behind it.
 *
 *     source ─► take() ─┬─► recorder (capture file)
 *                       └─► decode ─► engine ─► dispatch ─► callbacks
 *
 * In:  records of the source. Out: callbacks and notices, from inside httptrace__poll() and httptrace__stop() only.
 * Owns all parts of the chain. The clock is read here for time-outs and for the timer that makes httptrace__fd() readable; no report
 * depends on it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "conn/engine.h"
#include "decode/decode.h"
#include "dispatch/cgroups.h"
#include "dispatch/dispatch.h"
#include "dispatch/losses.h"
#include "dispatch/tracer.h"
#include "req/request.h"
#include "source/file.h"

#define NSEC_PER_SEC   1000000000ull
#define NSEC_PER_MSEC  1000000ull
/* A capture that is killed keeps what is older than this. */
#define FLUSH_EVERY_NS NSEC_PER_SEC
#define ERROR_LEN      512

struct httptrace {
	struct httptrace_open_opts opts;
	struct ht_source *source;
	bool is_live; /* ticks come whether there is anything to tell or not */
	bool is_file; /* the source is ht_replay_open()'s */
	struct ht_recorder *recorder;
	struct ht_decode *decode;
	struct ht_engine *engine;
	struct ht_dispatch *dispatch;
	struct ht_cgroups *cgroups; /* NULL until a registration names one */

	int epoll_fd; /* the source's fd and timer_fd; -1: files */
	int timer_fd;

	bool is_inside; /* a callback may be running */
	bool is_over;   /* stopped, or the source has no more */
	int reported;   /* requests and dials that ended in the current call */

	uint64_t tick_ns;    /* the last tick that was let through */
	uint64_t newest_ns;  /* the newest record since */
	bool has_records;    /* records came since */
	uint64_t flushed_ns; /* tick at which the recorder was last flushed */
	bool is_unflushed;
	int recorder_err; /* -errno of the first write that failed */
	bool is_recorder_err_told;

	uint64_t begin_ns; /* of tracing, by the stream's own records; 0 not seen */
	uint64_t end_ns;
	struct ht_losses losses;

	char error[ERROR_LEN];
};

static _Thread_local char open_error[ERROR_LEN];

void ht_open_error_set(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(open_error, sizeof(open_error), format, args);
	va_end(args);
}

const char *httptrace__open_error(void)
{
	return open_error;
}

const char *httptrace__error(const struct httptrace *tracer)
{
	return tracer ? tracer->error : "no tracer was given";
}

static int __attribute__((format(printf, 3, 4))) fail(struct httptrace *tracer, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(tracer->error, sizeof(tracer->error), format, args);
	va_end(args);
	return err;
}

/* ---- from the engine and the decoder ---------------------------------------------------------------------------------------------- */

static void on_hooks(void *ctx, struct httptrace_request *request)
{
	struct httptrace *tracer = ctx;

	ht_dispatch_hooks(tracer->dispatch, request);
}

static void on_done(void *ctx, struct httptrace_request *request)
{
	struct httptrace *tracer = ctx;

	if (tracer->reported < INT_MAX)
		tracer->reported++;
	ht_dispatch_done(tracer->dispatch, request);
}

static void on_notice(void *ctx, const struct httptrace_notice *notice)
{
	struct httptrace *tracer = ctx;

	if (tracer->opts.notice)
		tracer->opts.notice(notice, tracer->opts.notice_ctx);
}

void ht_tracer_log(void *ctx, int level, const char *text)
{
	struct httptrace *tracer = ctx;

	if (tracer->opts.log)
		tracer->opts.log((enum httptrace_log_level)level, text, tracer->opts.log_ctx);
}

static const struct ht_engine_ops engine_ops = {
	.hooks = on_hooks,
	.done = on_done,
	.notice = on_notice,
	.log = ht_tracer_log,
};

static void on_record(void *ctx, const struct ht_hdr *rec)
{
	struct httptrace *tracer = ctx;

	if (rec->kind == HT_REC_CLOCK && !tracer->begin_ns)
		tracer->begin_ns = ((const struct ht_rec_clock *)rec)->mono_ns;
	if (tracer->cgroups && rec->kind == HT_REC_PROC)
		ht_cgroups_record(tracer->cgroups, (const struct ht_rec_proc *)rec, false);
	ht_engine_record(tracer->engine, rec);
	if (tracer->cgroups && rec->kind == HT_REC_PROC)
		ht_cgroups_record(tracer->cgroups, (const struct ht_rec_proc *)rec, true);
}

static void on_lost(void *ctx, uint64_t ts_ns, uint64_t count, const char *where)
{
	struct httptrace *tracer = ctx;

	ht_losses_add(&tracer->losses, where, count);
	ht_engine_lost(tracer->engine, ts_ns, count, where);
}

static void on_loss_begins(void *ctx, uint64_t from_ns, uint64_t until_ns)
{
	struct httptrace *tracer = ctx;

	ht_engine_loss_begins(tracer->engine, from_ns, until_ns);
}

static void on_time(void *ctx, uint64_t now_ns)
{
	struct httptrace *tracer = ctx;

	if (now_ns > tracer->end_ns)
		tracer->end_ns = now_ns;
	ht_engine_time(tracer->engine, now_ns);
}

static void on_end(void *ctx, uint64_t now_ns)
{
	struct httptrace *tracer = ctx;

	if (now_ns > tracer->end_ns)
		tracer->end_ns = now_ns;
	ht_engine_end(tracer->engine, now_ns);
}

static const struct ht_decode_ops decode_ops = {
	.record = on_record,
	.loss_begins = on_loss_begins,
	.lost = on_lost,
	.time = on_time,
	.end = on_end,
};

/* ---- from the source --------------------------------------------------------------------------------------------------------------- */

static void recorder_result(struct httptrace *tracer, int err)
{
	if (err < 0 && !tracer->recorder_err)
		tracer->recorder_err = err;
}

/*
 * Does this tick make anything happen: are there records that it lets through, or a timer that is due? Others are not told, so that an idle
 * minute takes no room in a capture; a replay, which knows recorded ticks only, therefore sees what was seen live.
 */
static bool is_tick_needed(const struct httptrace *tracer, const struct ht_hdr *rec)
{
	uint64_t deadline_ns;

	if (tracer->has_records || tracer->newest_ns >= tracer->tick_ns)
		return true;
	deadline_ns = ht_engine_deadline_ns(tracer->engine);
	return deadline_ns && rec->ts_ns >= deadline_ns;
}

static void note(struct httptrace *tracer, const struct ht_hdr *rec)
{
	if (rec->kind == HT_REC_TICK || rec->kind == HT_REC_END) {
		tracer->tick_ns = rec->ts_ns;
		tracer->has_records = false;
		return;
	}
	tracer->has_records = true;
	if (rec->ts_ns > tracer->newest_ns)
		tracer->newest_ns = rec->ts_ns;
}

static int take(void *ctx, const struct ht_hdr *rec)
{
	struct httptrace *tracer = ctx;
	bool is_tick = rec->kind == HT_REC_TICK;
	uint64_t now_ns = rec->ts_ns;

	if (!is_tick || !tracer->is_live || is_tick_needed(tracer, rec)) {
		note(tracer, rec);
		if (tracer->recorder && !tracer->recorder_err) {
			recorder_result(tracer, ht_recorder_add(tracer->recorder, rec));
			tracer->is_unflushed = true;
		}
		/* What is malformed is counted there and told in the summary. */
		ht_decode_add(tracer->decode, rec);
	}
	if (is_tick && tracer->is_unflushed && !tracer->recorder_err && now_ns - tracer->flushed_ns >= FLUSH_EVERY_NS) {
		recorder_result(tracer, ht_recorder_flush(tracer->recorder));
		tracer->flushed_ns = now_ns;
		tracer->is_unflushed = false;
	}
	return 0;
}

/* ---- the end ------------------------------------------------------------------------------------------------------------------------ */

static void tell_summary(struct httptrace *tracer)
{
	struct httptrace_counter lost[HT_LOSSES_MAX + 2], *skipped = NULL;
	struct httptrace_notice notice = { .sz = sizeof(notice) };
	const struct ht_decode_counts *counts = ht_decode_counts(tracer->decode);
	size_t lost_cnt, skipped_cnt;

	ht_engine_summary(tracer->engine, &notice);
	notice.sz = sizeof(notice);
	notice.kind = HTTPTRACE_NOTICE_SUMMARY;
	notice.mono_ns = tracer->end_ns ? (int64_t)tracer->end_ns : HTTPTRACE_UNKNOWN_NS;
	notice.duration_ns = HTTPTRACE_UNKNOWN_NS;
	if (tracer->begin_ns && tracer->end_ns >= tracer->begin_ns)
		notice.duration_ns = (int64_t)(tracer->end_ns - tracer->begin_ns);

	lost_cnt = ht_losses_fill(&tracer->losses, lost, HT_LOSSES_MAX);
	if (counts->malformed)
		lost[lost_cnt++] = (struct httptrace_counter){ "malformed", counts->malformed };
	if (counts->unknown)
		lost[lost_cnt++] = (struct httptrace_counter){ "unknown_kind", counts->unknown };
	notice.lost = lost;
	notice.lost_cnt = lost_cnt;

	/* These were given all the same, but out of order. */
	if (counts->late || counts->forced) {
		skipped = calloc(notice.skipped_cnt + 2, sizeof(*skipped));
		if (skipped) {
			skipped_cnt = notice.skipped_cnt;
			if (skipped_cnt)
				memcpy(skipped, notice.skipped, skipped_cnt * sizeof(*skipped));
			if (counts->late)
				skipped[skipped_cnt++] = (struct httptrace_counter){ "late_events", counts->late };
			if (counts->forced)
				skipped[skipped_cnt++] = (struct httptrace_counter){ "forced_events", counts->forced };
			notice.skipped = skipped;
			notice.skipped_cnt = skipped_cnt;
		}
	}
	on_notice(tracer, &notice);
	free(skipped);
}

/* Delivers all that is left, once. The tracer must be inside a call. 0, or -errno with the error set. */
static int finish(struct httptrace *tracer)
{
	const char *problem;
	int err;

	tracer->is_over = true;
	err = tracer->source->ops->stop(tracer->source, take, tracer);
	if (err >= 0 || err == -ENODATA)
		err = 0;
	else
		fail(tracer, err, "the last events could not be read: %s", strerror(-err));
	ht_decode_flush(tracer->decode);
	ht_engine_end(tracer->engine, tracer->end_ns > tracer->newest_ns ? tracer->end_ns : tracer->newest_ns);
	if (tracer->recorder && !tracer->recorder_err)
		recorder_result(tracer, ht_recorder_finish(tracer->recorder));
	tell_summary(tracer);
	/* A callback may have made a call that failed. */
	if (!err)
		tracer->error[0] = 0;

	problem = tracer->is_file ? ht_replay_problem(tracer->source) : NULL;
	if (problem)
		fail(tracer, -ENODATA, "%s", problem);
	return err;
}

/* The recorder's failure, told once. */
static int recorder_failure(struct httptrace *tracer)
{
	if (!tracer->recorder_err || tracer->is_recorder_err_told)
		return 0;
	tracer->is_recorder_err_told = true;
	return fail(
		tracer, tracer->recorder_err,
		"the capture cannot be written: %s; what was written before is sound, tracing goes on without it: capture to where there is room",
		strerror(-tracer->recorder_err));
}

int httptrace__stop(struct httptrace *tracer)
{
	int err;

	if (!tracer)
		return -EINVAL;
	if (tracer->is_inside)
		return fail(tracer, -EBUSY,
			    "httptrace__stop() was called from inside a callback: call it when httptrace__poll() has returned");
	if (tracer->is_over)
		return 0;
	tracer->error[0] = 0;
	tracer->is_inside = true;
	tracer->reported = 0;
	err = finish(tracer);
	tracer->is_inside = false;
	if (!err)
		err = recorder_failure(tracer);
	return err ? err : tracer->reported;
}

/* ---- waiting ------------------------------------------------------------------------------------------------------------------------ */

static uint64_t clock_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

/*
 * When there is work even if no event comes: a timer of the engine's, records that wait for the tick behind them, or a capture to be
 * flushed. UINT64_MAX: never.
 */
static uint64_t timer_ns(const struct httptrace *tracer)
{
	uint64_t due_ns = ht_engine_deadline_ns(tracer->engine);

	if (!tracer->is_live)
		return UINT64_MAX;
	if (!due_ns)
		due_ns = UINT64_MAX;
	if ((tracer->has_records || tracer->newest_ns >= tracer->tick_ns) && tracer->newest_ns < due_ns)
		due_ns = tracer->newest_ns;
	if (tracer->is_unflushed && !tracer->recorder_err && tracer->flushed_ns + FLUSH_EVERY_NS < due_ns)
		due_ns = tracer->flushed_ns + FLUSH_EVERY_NS;
	return due_ns;
}

/* As the source's time-out: rounded up, so that the tick it ends with is past what was waited for. */
static int wait_ms(uint64_t now_ns, uint64_t until_ns)
{
	uint64_t ms;

	if (until_ns == UINT64_MAX)
		return -1;
	if (until_ns <= now_ns)
		return 0;
	ms = (until_ns - now_ns + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

static void arm_timer(struct httptrace *tracer)
{
	struct itimerspec spec = { 0 };
	uint64_t due_ns = timer_ns(tracer), soonest_ns;

	if (tracer->timer_fd < 0)
		return;
	if (due_ns != UINT64_MAX && !tracer->is_over) {
		/* A tick lags behind the clock: one that is overdue is tried again shortly, not at once for ever. */
		soonest_ns = clock_now_ns() + NSEC_PER_MSEC;
		if (due_ns < soonest_ns)
			due_ns = soonest_ns;
		spec.it_value.tv_sec = (time_t)(due_ns / NSEC_PER_SEC);
		spec.it_value.tv_nsec = (long)(due_ns % NSEC_PER_SEC);
	}
	/* Setting it also takes back that it had expired. */
	timerfd_settime(tracer->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static int pump(struct httptrace *tracer, int timeout_ms)
{
	uint64_t now_ns = clock_now_ns(), until_ns = UINT64_MAX, due_ns;
	int err;

	if (timeout_ms >= 0)
		until_ns = now_ns + (uint64_t)timeout_ms * NSEC_PER_MSEC;
	for (;;) {
		due_ns = timer_ns(tracer);
		if (due_ns <= now_ns)
			due_ns = now_ns + NSEC_PER_MSEC;
		err = tracer->source->ops->poll(tracer->source, wait_ms(now_ns, until_ns < due_ns ? until_ns : due_ns), take, tracer);
		if (err == -ENODATA) {
			err = finish(tracer);
			if (!err)
				err = recorder_failure(tracer);
			if (err)
				return err;
			return tracer->reported ? tracer->reported : -ENODATA;
		}
		if (err == -EINTR)
			return tracer->reported ? tracer->reported : fail(tracer, err, "interrupted by a signal");
		if (err < 0)
			return fail(tracer, err, "events cannot be read: %s", strerror(-err));
		err = recorder_failure(tracer);
		if (err)
			return err;
		now_ns = clock_now_ns();
		if (tracer->reported || now_ns >= until_ns)
			return tracer->reported;
	}
}

int httptrace__poll(struct httptrace *tracer, int timeout_ms)
{
	int ret;

	if (!tracer)
		return -EINVAL;
	if (tracer->is_inside)
		return fail(tracer, -EBUSY, "httptrace__poll() was called from inside a callback");
	if (tracer->is_over) {
		ret = recorder_failure(tracer);
		return ret ? ret : -ENODATA;
	}
	tracer->error[0] = 0;
	tracer->is_inside = true;
	tracer->reported = 0;
	ret = pump(tracer, timeout_ms);
	tracer->is_inside = false;
	arm_timer(tracer);
	return ret;
}

int httptrace__fd(const struct httptrace *tracer)
{
	return tracer ? tracer->epoll_fd : -EINVAL;
}

/* ---- opening and closing ------------------------------------------------------------------------------------------------------------- */

/* The number of a filter's cgroup, 0 where it names none; or -errno with the error set. */
static int add_cgroup(struct httptrace *tracer, const struct httptrace_filter *filter)
{
	int n;

	if (!filter || filter->sz < offsetof(struct httptrace_filter, cgroup) + sizeof(filter->cgroup) || !filter->cgroup)
		return 0;
	if (!tracer->is_live)
		return fail(tracer, -EOPNOTSUPP, "cgroup %s: a capture does not tell cgroups: filter by another property", filter->cgroup);
	if (!tracer->cgroups) {
		tracer->cgroups = ht_cgroups_new();
		if (!tracer->cgroups)
			return fail(tracer, -ENOMEM, "cgroup %s: %s", filter->cgroup, strerror(ENOMEM));
		ht_dispatch_set_in_cgroup(tracer->dispatch, ht_cgroups_has, tracer->cgroups);
	}
	n = ht_cgroups_add(tracer->cgroups, filter->cgroup);
	if (n == -ENOSPC)
		return fail(tracer, n, "cgroup %s: more than %d filters name a cgroup", filter->cgroup, HT_CGROUPS_MAX);
	if (n < 0)
		return fail(tracer, n, "cgroup %s: %s; name one below a cgroup mount", filter->cgroup, strerror(-n));
	return n;
}

int httptrace__register_filtered(struct httptrace *tracer, const struct httptrace_client_trace *trace,
				 const struct httptrace_filter *filter, void *ctx)
{
	bool has_cgroup = filter && filter->sz >= offsetof(struct httptrace_filter, cgroup) + sizeof(filter->cgroup) && filter->cgroup;
	const char *name = filter ? "httptrace__register_filtered()" : "httptrace__register()";
	int id, n;

	if (!tracer)
		return -EINVAL;
	n = add_cgroup(tracer, filter);
	if (n < 0)
		return n;
	id = ht_dispatch_register(tracer->dispatch, trace, filter, (unsigned int)n, ctx);
	if (id < 0 && has_cgroup)
		ht_cgroups_remove(tracer->cgroups, (unsigned int)n);
	if (id == -EINVAL)
		fail(tracer, id, "%s: %s is NULL, its sz is not set, or it has members that this version does not have", name,
		     filter ? "trace or filter" : "trace");
	else if (id < 0)
		fail(tracer, id, "%s: %s", name, strerror(-id));
	return id;
}

int httptrace__register(struct httptrace *tracer, const struct httptrace_client_trace *trace, void *ctx)
{
	return httptrace__register_filtered(tracer, trace, NULL, ctx);
}

int httptrace__unregister(struct httptrace *tracer, int id)
{
	int err, cgroup = -1;

	if (!tracer)
		return -EINVAL;
	err = ht_dispatch_unregister(tracer->dispatch, id, &cgroup);
	if (err)
		fail(tracer, err, "httptrace__unregister(): there is no registration %d", id);
	else if (cgroup >= 0)
		ht_cgroups_remove(tracer->cgroups, (unsigned int)cgroup);
	return err;
}

const char *httptrace__version(void)
{
	return HTTPTRACE_VERSION;
}

int ht_tracer_opts(struct httptrace_open_opts *to, const struct httptrace_open_opts *from)
{
	const char *tail = (const char *)from;
	size_t i;

	memset(to, 0, sizeof(*to));
	if (from) {
		if (from->sz < sizeof(from->sz)) {
			ht_open_error_set("options: sz is not set: set it to sizeof(struct httptrace_open_opts)");
			return -EINVAL;
		}
		for (i = sizeof(*to); i < from->sz; i++) {
			if (tail[i]) {
				ht_open_error_set("options: one is set that libhttptrace " HTTPTRACE_VERSION
						  " does not have: use a later version of it");
				return -EINVAL;
			}
		}
		memcpy(to, from, from->sz < sizeof(*to) ? from->sz : sizeof(*to));
	}
	to->sz = sizeof(*to);
	if (to->probe_sites > HTTPTRACE_PROBE_SITES_ENTRY || to->reserved) {
		ht_open_error_set("options: %s is %u, which libhttptrace " HTTPTRACE_VERSION " does not know: use a later version of it",
				  to->reserved ? "reserved" : "probe_sites", to->reserved ? to->reserved : (unsigned int)to->probe_sites);
		return -EINVAL;
	}
	if (to->pid_cnt && !to->pids) {
		ht_open_error_set("options: pid_cnt is %zu, but pids is NULL", to->pid_cnt);
		return -EINVAL;
	}
	for (i = 0; i < to->pid_cnt; i++) {
		if (to->pids[i] <= 0) {
			ht_open_error_set("process %ld: not a process id", (long)to->pids[i]);
			return -EINVAL;
		}
	}
	return 0;
}

/* All but the source. */
static void free_chain(struct httptrace *tracer)
{
	if (tracer->timer_fd >= 0)
		close(tracer->timer_fd);
	if (tracer->epoll_fd >= 0)
		close(tracer->epoll_fd);
	ht_decode_free(tracer->decode);
	ht_engine_free(tracer->engine);
	ht_recorder_free(tracer->recorder);
	ht_dispatch_free(tracer->dispatch);
	ht_cgroups_free(tracer->cgroups);
	free(tracer);
}

struct httptrace *ht_tracer_new(const struct httptrace_open_opts *opts)
{
	struct ht_engine_opts engine_opts = {
		.no_redact = opts->no_redact,
		.no_headers = opts->no_headers,
		.dials = opts->dials,
	};
	struct httptrace *tracer = calloc(1, sizeof(*tracer));
	int err;

	if (!tracer) {
		ht_open_error_set("a tracer cannot be made: %s", strerror(errno));
		return NULL;
	}
	tracer->opts = *opts;
	tracer->epoll_fd = -1;
	tracer->timer_fd = -1;
	tracer->dispatch = ht_dispatch_new();
	tracer->engine = tracer->dispatch ? ht_engine_new(&engine_opts, &engine_ops, tracer) : NULL;
	tracer->decode = tracer->engine ? ht_decode_new(&decode_ops, tracer, 0) : NULL;
	if (!tracer->decode) {
		err = errno;
		ht_open_error_set("a tracer cannot be made: %s", strerror(err));
		goto fail;
	}
	return tracer;
fail:
	free_chain(tracer);
	errno = err;
	return NULL;
}

static int watch(struct httptrace *tracer, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(tracer->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

int ht_tracer_start(struct httptrace *tracer, struct ht_source *source, bool is_live)
{
	int source_fd = source->ops->fd(source), err = 0;

	/* Not before there is something to capture: a trace that does not begin leaves the file as it was. */
	if (tracer->opts.write_fd > 0) {
		tracer->recorder = ht_recorder_new(tracer->opts.write_fd);
		if (!tracer->recorder) {
			err = -errno;
			ht_open_error_set("the capture cannot be written: %s; capture to where there is room and permission",
					  strerror(-err));
			source->ops->close(source);
			return err;
		}
	}
	tracer->source = source;
	tracer->is_live = is_live;
	if (source_fd < 0)
		return 0;
	tracer->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	tracer->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (tracer->epoll_fd < 0 || tracer->timer_fd < 0)
		err = -errno;
	if (!err)
		err = watch(tracer, source_fd);
	if (!err)
		err = watch(tracer, tracer->timer_fd);
	if (err)
		ht_open_error_set("a tracer cannot be made: %s", strerror(-err));
	return err;
}

void httptrace__close(struct httptrace *tracer)
{
	/* From inside a callback it would free what its callers still use. */
	if (!tracer || tracer->is_inside)
		return;
	/* A start that failed has nothing to tell. */
	if (tracer->source) {
		httptrace__stop(tracer);
		tracer->source->ops->close(tracer->source);
	}
	free_chain(tracer);
}

struct httptrace *httptrace__open_file(const char *path, const struct httptrace_open_opts *opts)
{
	struct httptrace_open_opts checked;
	struct httptrace *tracer;
	struct ht_source *source;
	char text[ERROR_LEN] = "";
	int err;

	err = ht_tracer_opts(&checked, opts);
	if (!err && !path) {
		ht_open_error_set("no file was named");
		err = -EINVAL;
	}
	if (err) {
		errno = -err;
		return NULL;
	}
	source = ht_replay_open(path, text, sizeof(text));
	if (!source) {
		err = errno;
		ht_open_error_set("%s", text[0] ? text : strerror(err));
		errno = err;
		return NULL;
	}
	tracer = ht_tracer_new(&checked);
	if (!tracer) {
		err = errno;
		source->ops->close(source);
		errno = err;
		return NULL;
	}
	err = ht_tracer_start(tracer, source, false);
	if (err) {
		httptrace__close(tracer);
		errno = -err;
		return NULL;
	}
	tracer->is_file = true;
	return tracer;
}
