/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * live.c - see live.h: opens, polls, stops and closes the live source.
 *
 * In:  options; then the ring, the sideband, a timer. Out: records. The ring is read on a timer (BPF wakes nobody for a record, which would cost the traced
 * program a microsecond; only a fork, and a ring that fills, wake us). Everything runs in the caller's thread but for closing links (reaper.h).
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "httptrace.h"
#include "source/live_impl.h"
#include "source/procfs.h"

#define MSEC_NS 1000000ULL

/* How often the ring is looked at: while records come, and BUSY_FOR_NS longer; and else, which bounds what the first record waits. */
#define BUSY_EVERY_NS (5 * MSEC_NS)
#define IDLE_EVERY_NS (10 * MSEC_NS)
#define BUSY_FOR_NS   (200 * MSEC_NS)

/* A program takes its time stamp, then builds its record: one that was preempted between may come after a tick of a later time. */
#define TICK_SLACK_NS (2 * MSEC_NS)

/*
 * File descriptors: what stays open for the programs, their links, the maps, three libraries, and one process's probes, rounded up; of it FDS_SPARE are for
 * looking into /proc and for the threads of ready.h.
 */
#define FDS_MIN   96
#define FDS_SPARE 24

/* Between two looks for forks. */
#define DRAIN_CHUNK 1024

/* The timer wakes us long before. */
#define WAIT_MAX_MS 60000

/* Turns that wait for a record that is being written when tracing stops. */
#define STOP_TURNS_MAX 1000

enum { WATCH_RING, WATCH_TIMER, WATCH_SIDEBAND, WATCH_CLOCK };

void ht_live_say(const struct ht_live *live, int level, const char *format, ...)
{
	char text[512];
	va_list args;

	/* The caller's function is called in the caller's thread only; a refusal is told by its TARGET record all the same. */
	if (!live->log || (live->has_thread && pthread_equal(pthread_self(), live->thread)))
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	live->log(live->log_ctx, level, text);
}

/* ---- Reading -------------------------------------------------------------------------------------------------------------------------------------- */

struct delivery {
	struct ht_live *live;
	ht_record_fn fn;
	void *ctx;
};

static int deliver(void *ctx, const struct ht_hdr *rec)
{
	const struct delivery *to = ctx;

	if (rec->ts_ns > to->live->newest_ns)
		to->live->newest_ns = rec->ts_ns;
	return to->fn(to->ctx, rec);
}

/*
 * With a match, a record of a process that has turned out not to (live_match.c). Its number is missed if it is left out, as if it had been lost: in its
 * place comes the end of a process that nobody has heard of.
 */
static int deliver_event(void *ctx, const struct ht_hdr *rec)
{
	const struct delivery *to = ctx;
	struct ht_rec_proc stand_in;

	ht_live_note_seq(to->live, rec);
	if (!to->live->match || !ht_live_match_refuses(to->live->match, (pid_t)rec->tgid))
		return deliver(ctx, rec);
	memset(&stand_in, 0, sizeof(stand_in));
	stand_in.hdr = *rec;
	stand_in.hdr.size = offsetof(struct ht_rec_proc, exe);
	stand_in.hdr.kind = HT_REC_PROC;
	stand_in.hdr.flags = 0;
	stand_in.hdr.lost = 0;
	stand_in.op = HT_PROC_EXIT;
	return deliver(ctx, &stand_in.hdr);
}

static int deliver_time(struct delivery *to, uint16_t kind, uint64_t ts_ns)
{
	struct ht_rec_tick tick = { .hdr = { .size = sizeof(tick), .kind = kind, .ts_ns = ts_ns, .cpu = HT_CPU_USER } };

	pthread_mutex_lock(&to->live->lock);
	tick.hdr.seq = to->live->queue.seq++;
	pthread_mutex_unlock(&to->live->lock);
	to->live->tick_ns = ts_ns;
	return to->fn(to->ctx, &tick.hdr);
}

/* The lock is held, and let go. */
static int deliver_queue(struct delivery *to)
{
	struct ht_queue taken;

	ht_queue_take(&to->live->queue, &taken);
	pthread_mutex_unlock(&to->live->lock);
	return ht_queue_drain(&taken, deliver, to);
}

/* All that is there when it begins. Returns records delivered or -errno; *is_whole: none was left because its producer had not finished it. */
static int drain(struct delivery *to, bool *is_whole)
{
	struct ht_live *live = to->live;
	unsigned long end = ht_ring_end(&live->ring);
	int cnt, n;

	pthread_mutex_lock(&live->lock);
	cnt = deliver_queue(to);
	if (cnt < 0)
		return cnt;
	do {
		unsigned long scanned;

		pthread_mutex_lock(&live->lock);
		ht_ring_scan(&live->ring, ht_live_follow_record, live);
		scanned = ht_ring_scanned(&live->ring);
		pthread_mutex_unlock(&live->lock);
		n = ht_ring_drain(&live->ring, scanned < end ? scanned : end, DRAIN_CHUNK, deliver_event, to);
		if (n < 0)
			return n;
		cnt += n;
	} while (n);
	*is_whole = ht_ring_is_drained(&live->ring, end);
	pthread_mutex_lock(&live->lock);
	ht_live_follow_maps(live);
	ht_live_losses_drained(live);
	n = deliver_queue(to);
	return n < 0 ? n : cnt + n;
}

static void set_timer(struct ht_live *live, uint64_t every_ns)
{
	struct itimerspec spec = { .it_interval.tv_nsec = (long)every_ns, .it_value.tv_nsec = (long)every_ns };

	if (live->timer_ns == every_ns)
		return;
	timerfd_settime(live->timer_fd, 0, &spec, NULL);
	live->timer_ns = every_ns;
}

/* One look at everything. Returns records delivered, without the tick, or -errno. *has_told: a tick was. */
static int turn(struct delivery *to, bool wants_tick, bool *has_told)
{
	struct ht_live *live = to->live;
	uint64_t now_ns = ht_live_now_ns(), tick_ns = now_ns - TICK_SLACK_NS;
	bool is_whole = false;
	int cnt, err;

	*has_told = false;
	pthread_mutex_lock(&live->lock);
	ht_live_clock_check(live, now_ns);
	ht_live_reconcile(live, now_ns);
	ht_live_reap(live, now_ns);
	ht_live_losses_look(live, now_ns);
	pthread_mutex_unlock(&live->lock);
	cnt = drain(to, &is_whole);
	if (cnt < 0)
		return cnt;
	if (is_whole)
		live->full_drain_ns = now_ns;
	if (cnt)
		live->busy_ns = now_ns;
	set_timer(live, now_ns - live->busy_ns < BUSY_FOR_NS ? BUSY_EVERY_NS : IDLE_EVERY_NS);
	/* Before a record of an earlier time that is not finished, no time can be told. */
	if (!is_whole || tick_ns <= live->tick_ns)
		return cnt;
	/* Nor is it news to anybody but when it lets more records through. */
	if (!cnt && !wants_tick && (live->newest_ns <= live->tick_ns || live->newest_ns > tick_ns))
		return 0;
	*has_told = true;
	err = deliver_time(to, HT_REC_TICK, tick_ns);
	return err < 0 ? err : cnt;
}

/* Until something is ready or wait_ms are over; 0, or -EINTR. */
static int wait_ready(struct ht_live *live, int wait_ms)
{
	struct epoll_event events[8];
	int cnt = epoll_wait(live->epoll_fd, events, sizeof(events) / sizeof(events[0]), wait_ms);
	uint64_t expired_cnt;

	if (cnt < 0)
		return -errno;
	for (int i = 0; i < cnt; i++) {
		/* Not looked at: a turn looks at everything. Only the timer has to be told that it was seen. */
		if (events[i].data.u64 == WATCH_TIMER && read(live->timer_fd, &expired_cnt, sizeof(expired_cnt)) < 0 && errno != EAGAIN)
			return -errno;
	}
	return 0;
}

static int live_poll(struct ht_source *source, int timeout_ms, ht_record_fn fn, void *ctx)
{
	struct ht_live *live = (struct ht_live *)source;
	uint64_t end_ns = timeout_ms < 0 ? UINT64_MAX : ht_live_now_ns() + (uint64_t)timeout_ms * MSEC_NS;
	struct delivery to = { live, fn, ctx };
	int wait_ms = 0, cnt, err;

	if (live->is_stopped || live->is_ended)
		return -ENODATA;
	for (;;) {
		uint64_t now_ns;
		bool has_told;

		/* Also with nothing to wait for: what made the fd ready must not make it so for ever. */
		err = wait_ready(live, wait_ms);
		if (err)
			return err;
		now_ns = ht_live_now_ns();
		cnt = turn(&to, now_ns >= end_ns, &has_told);
		if (cnt < 0)
			return cnt;
		pthread_mutex_lock(&live->lock);
		live->is_ended = ht_live_is_over(live);
		pthread_mutex_unlock(&live->lock);
		if (live->is_ended && !cnt && !has_told)
			return -ENODATA;
		if (now_ns >= end_ns)
			return cnt;
		if (cnt || has_told)
			return cnt + has_told;
		wait_ms = end_ns - now_ns > WAIT_MAX_MS * MSEC_NS ? WAIT_MAX_MS : (int)((end_ns - now_ns + MSEC_NS - 1) / MSEC_NS);
	}
}

static int live_stop(struct ht_source *source, ht_record_fn fn, void *ctx)
{
	struct ht_live *live = (struct ht_live *)source;
	struct delivery to = { live, fn, ctx };
	bool is_whole = false;
	uint64_t now_ns = 0;
	int cnt = 0, n;

	if (live->is_stopped)
		return 0;
	live->is_stopped = true;
	for (int i = 0; i < STOP_TURNS_MAX && !is_whole; i++) {
		if (i)
			sched_yield();
		now_ns = ht_live_now_ns();
		n = drain(&to, &is_whole);
		if (n < 0)
			return n;
		cnt += n;
	}
	pthread_mutex_lock(&live->lock);
	ht_live_losses_end(live);
	n = deliver_queue(&to);
	if (n >= 0)
		n = deliver_time(&to, HT_REC_TICK, now_ns);
	if (n >= 0)
		n = deliver_time(&to, HT_REC_END, now_ns);
	return n < 0 ? n : cnt + 2;
}

static int live_fd(const struct ht_source *source)
{
	return ((const struct ht_live *)source)->epoll_fd;
}

static void live_close(struct ht_source *source)
{
	struct ht_live *live = (struct ht_live *)source;

	ht_live_thread_end(live);
	ht_ready_free(live->ready);
	/* The links first: they close in threads of their own while the rest is taken down. */
	ht_probes_free(live->probes);
	if (live->reaper && live->backend < HT_UPROBE_MULTI)
		ht_reaper_leave(live->reaper);
	else if (live->reaper)
		ht_reaper_run(live->reaper);
	ht_sideband_close(live->sideband);
	ht_ring_close(&live->ring);
	ht_programs_free(live->programs);
	ht_features_free(&live->features);
	ht_reaper_free(live->reaper);
	ht_queue_free(&live->queue);
	ht_live_match_free(live->match);
	ht_live_losses_free(live);
	if (live->timer_fd >= 0)
		close(live->timer_fd);
	if (live->clock_fd >= 0)
		close(live->clock_fd);
	if (live->epoll_fd >= 0)
		close(live->epoll_fd);
	free(live);
}

static const struct ht_source_ops live_ops = { .poll = live_poll, .stop = live_stop, .fd = live_fd, .close = live_close };

/* ---- Opening -------------------------------------------------------------------------------------------------------------------------------------- */

struct opening {
	const struct ht_live_opts *opts;
	pid_t *pids; /* processes, not threads */
	size_t pid_cnt;
	char *err;
	size_t err_size;
};

static int refuse(const struct opening *opening, int err, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int refuse(const struct opening *opening, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(opening->err, opening->err_size, format, args);
	va_end(args);
	return err;
}

static int check_pids(struct opening *opening)
{
	opening->pids = calloc(opening->opts->pid_cnt ? opening->opts->pid_cnt : 1, sizeof(*opening->pids));
	if (!opening->pids)
		return refuse(opening, -ENOMEM, "out of memory");
	for (size_t i = 0; i < opening->opts->pid_cnt; i++) {
		pid_t pid = opening->opts->pids[i], tgid = pid > 0 ? ht_procfs_tgid(pid) : -ESRCH;

		if (tgid < 0)
			return refuse(opening, -ESRCH, "no process with pid %d", (int)pid);
		if (!ht_procfs_is_alive(tgid))
			return refuse(opening, -ESRCH, "process %d has ended already", (int)pid);
		opening->pids[opening->pid_cnt++] = tgid;
	}
	return 0;
}

/*
 * Checked before anything is loaded: each program, map and library that found no descriptor left would fail for a reason of its own, most of them misleading.
 * Sets the bound of the links.
 */
static int check_fds(struct ht_live *live, const struct opening *opening)
{
	long cpu_cnt = sysconf(_SC_NPROCESSORS_CONF);
	unsigned int wanted = FDS_MIN + (cpu_cnt > 0 ? (unsigned int)cpu_cnt : 0), used = 0;
	struct dirent *entry;
	struct rlimit limit;
	DIR *dir;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > INT_MAX)
		return 0;
	dir = opendir("/proc/self/fd");
	if (!dir && errno != EMFILE)
		return 0;
	if (!dir)
		used = (unsigned int)limit.rlim_cur;
	while (dir && (entry = readdir(dir)))
		used += entry->d_name[0] != '.';
	if (dir) {
		closedir(dir);
		used--;
	}
	if (used + wanted > limit.rlim_cur)
		return refuse(opening, -EMFILE,
			      "out of file descriptors: %u of %u are in use, and tracing takes %u: raise the limit (ulimit -n %u)", used,
			      (unsigned int)limit.rlim_cur, wanted, used + wanted);
	live->fd_end = (int)limit.rlim_cur - FDS_SPARE;
	return 0;
}

static size_t ring_bytes(const struct ht_live_opts *opts)
{
	size_t wanted = opts->ring_bytes ? opts->ring_bytes : HT_LIVE_RING_BYTES, bytes = (size_t)sysconf(_SC_PAGESIZE);

	while (bytes < wanted && bytes < 1u << 30)
		bytes *= 2;
	return bytes;
}

/* Loads; once more, with less, where probes on returns would kill processes, which is tried out meanwhile. -errno, the reason in opening->err. */
static int load_programs(struct ht_live *live, const struct opening *opening, struct ht_programs_opts *opts)
{
	struct ht_trial *trial = ht_trial_start(live->backend);
	enum ht_trial_verdict verdict;
	int err;

	live->programs = ht_programs_load(opts, &live->features, opening->err, opening->err_size);
	err = live->programs ? 0 : -errno;
	verdict = ht_trial_end(trial, live->reaper);
	if (err || verdict == HT_TRIAL_SURVIVES)
		return err;
	if (verdict == HT_TRIAL_UNKNOWN) {
		if (live->backend != HT_UPROBE_NONE)
			ht_live_say(live, HTTPTRACE_LOG_INFO,
				    "whether return probes kill processes under a strict seccomp filter could not be tried");
		return 0;
	}
	ht_live_say(live, HTTPTRACE_LOG_WARN, "%s: names and TLS are told in part only (--features)", ht_trial_refusal);
	opts->returns_refused = ht_trial_refusal;
	ht_programs_free(live->programs);
	live->programs = ht_programs_load(opts, &live->features, opening->err, opening->err_size);
	return live->programs ? 0 : -errno;
}

static int load(struct ht_live *live, const struct opening *opening)
{
	const struct ht_live_opts *opts = opening->opts;
	struct ht_programs_opts load_opts = { .ring_bytes = ring_bytes(opts), .log = opts->log, .log_ctx = opts->log_ctx };
	char why[256];
	int err;

	live->reaper = ht_reaper_new();
	if (!live->reaper)
		return refuse(opening, -ENOMEM, "out of memory");
	ht_features_read(&live->features, opts->btf_path, opts->without);
	load_opts.btf_path = opts->btf_path;
	load_opts.socket_backend = opts->backend;
	load_opts.backend = live->backend = ht_uprobe_probe(&live->features, why, sizeof(why));
	load_opts.config.flags = HT_CFG_PROCS | (live->is_filtered ? HT_CFG_FILTERED : 0) | (live->is_following ? HT_CFG_FOLLOW : 0);
	load_opts.config.flags |= live->match ? HT_CFG_JUDGE : 0;
	load_opts.config.head_bytes = opts->head_bytes ? opts->head_bytes : HT_HEAD_BYTES_DEFAULT;
	load_opts.config.self_tgid = (uint32_t)getpid();
	load_opts.config.wakeup_bytes = (uint32_t)(load_opts.ring_bytes / 4);
	err = load_programs(live, opening, &load_opts);
	if (err)
		return err;
	if (live->backend != load_opts.backend)
		live->backend = ht_uprobe_probe(&live->features, why, sizeof(why));
	if (load_opts.backend < HT_UPROBE_MULTI)
		ht_live_say(live, load_opts.backend == HT_UPROBE_NONE ? HTTPTRACE_LOG_WARN : HTTPTRACE_LOG_INFO,
			    "library functions are probed by %s (%s)", ht_uprobe_backend_name(load_opts.backend), why);
	err = ht_live_losses_init(live);
	if (err)
		return refuse(opening, err, "cannot count CPUs: %s", strerror(-err));
	live->traced_fd = ht_programs_map_fd(live->programs, "traced");
	err = ht_ring_open(&live->ring, ht_programs_map_fd(live->programs, "events"), load_opts.ring_bytes);
	if (err)
		return refuse(opening, err, "cannot map the ring buffer of %zu bytes: %s", load_opts.ring_bytes, strerror(-err));
	ht_live_queue_start(live, load_opts.config.head_bytes, ht_live_now_ns());
	return 0;
}

static int watch(struct ht_live *live, const struct opening *opening)
{
	/* The edge: a ring that was woken for and is being filled all the time would else be ready at every look. */
	struct epoll_event ring_event = { .events = EPOLLIN | EPOLLET, .data.u64 = WATCH_RING };
	struct epoll_event timer_event = { .events = EPOLLIN, .data.u64 = WATCH_TIMER };
	struct epoll_event clock_event = { .events = EPOLLIN, .data.u64 = WATCH_CLOCK };
	int err, clock_fd;

	live->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	live->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (live->epoll_fd < 0 || live->timer_fd < 0 ||
	    epoll_ctl(live->epoll_fd, EPOLL_CTL_ADD, ht_programs_map_fd(live->programs, "events"), &ring_event) ||
	    epoll_ctl(live->epoll_fd, EPOLL_CTL_ADD, live->timer_fd, &timer_event)) {
		err = -errno;
		return refuse(opening, err, "cannot wait for events: %s", strerror(-err));
	}
	set_timer(live, BUSY_EVERY_NS);
	clock_fd = ht_live_clock_watch(live);
	if (clock_fd < 0 || epoll_ctl(live->epoll_fd, EPOLL_CTL_ADD, clock_fd, &clock_event))
		ht_live_say(live, HTTPTRACE_LOG_INFO, "a change of the wall clock will be noticed late: %s", strerror(errno));
	live->sideband = ht_sideband_open();
	if (!live->sideband || ht_sideband_watch(live->sideband, live->epoll_fd, WATCH_SIDEBAND))
		ht_live_say(
			live, HTTPTRACE_LOG_WARN,
			"the kernel does not announce mapped libraries to us (perf_event_open: %s): libraries outside the linker's cache that are loaded from now on are not seen",
			strerror(errno));
	return 0;
}

static int program_fd(void *ctx, enum ht_site_group group, enum ht_uprobe_side side)
{
	const struct ht_live *live = ctx;

	return ht_programs_uprobe_fd(live->programs, group, side);
}

static int site_fd(void *ctx, enum ht_site_group group, int prog_fd, uint64_t cookie)
{
	const struct ht_live *live = ctx;

	return ht_programs_site_fd(live->programs, group, prog_fd, cookie);
}

static void report(void *ctx, int action, pid_t pid, const char *path, const char *reason, unsigned int probe_cnt)
{
	struct ht_live *live = ctx;

	ht_live_queue_target(live, action, pid ? "process" : "library", pid, path, reason, probe_cnt);
	if (action == HT_TARGET_REFUSED)
		ht_live_say(live, pid ? HTTPTRACE_LOG_WARN : HTTPTRACE_LOG_INFO, "%s%s %s", pid ? "process " : "", path, reason);
}

static void report_refused_programs(struct ht_live *live)
{
	size_t cnt;
	const struct ht_program_state *states = ht_programs_states(live->programs, &cnt);

	for (size_t i = 0; i < cnt; i++) {
		if (!states[i].is_on && !states[i].is_replaced && !states[i].is_unused)
			ht_live_queue_target(live, HT_TARGET_REFUSED, "kernel", 0, states[i].hook_point, states[i].reason, 0);
	}
}

static int attach_probes(struct ht_live *live, const struct opening *opening)
{
	struct ht_probes_opts opts = { .is_filtered = live->has_own_probes, .program_fd = program_fd, .report = report, .ctx = live };

	opts.backend = live->backend;
	opts.has_entry_sites = opening->opts->has_entry_sites;
	opts.fd_end = live->fd_end;
	opts.reaper = live->reaper;
	if (ht_programs_lack_cookies(live->programs))
		opts.site_fd = site_fd;
	live->probes = ht_probes_new(&opts);
	if (!live->probes)
		return refuse(opening, -ENOMEM, "out of memory");
	ht_live_add_cached(live->probes);
	for (size_t i = 0; i < opening->pid_cnt; i++) {
		ht_live_add_mapped(live->probes, opening->pids[i]);
		ht_live_add_other_root(live->probes, opening->pids[i]);
	}
	if (!live->has_own_probes)
		ht_live_add_all_mapped(live->probes);
	return 0;
}

static int trace_pids(struct ht_live *live, const struct opening *opening, uint64_t ts_ns)
{
	size_t alive_cnt = 0;

	for (size_t i = 0; i < opening->pid_cnt; i++) {
		struct ht_proc_info info;

		if (ht_procfs_info(opening->pids[i], &info) || info.is_dead) {
			uint32_t pid = (uint32_t)opening->pids[i];

			/* Its end may have come before anybody took note: whoever gets its pid is not meant. */
			bpf_map_delete_elem(live->traced_fd, &pid);
			continue;
		}
		ht_live_queue_fact(live, opening->pids[i], &info, ts_ns);
		ht_live_join(live->probes, opening->pids[i]);
		if (ht_probes_add_process(live->probes, opening->pids[i], info.exe) != -ESRCH && ht_procfs_is_alive(opening->pids[i]))
			alive_cnt++;
	}
	if (!alive_cnt)
		return refuse(opening, -ESRCH,
			      opening->pid_cnt == 1 ? "process %d ended while it was being attached"
						    : "process %d and the others ended while they were being attached",
			      (int)opening->pids[0]);
	return 0;
}

/* Without its thread, or without being ready, children are probed later, and their first calls may be missed. */
static void follow_children(struct ht_live *live)
{
	int err = ht_live_thread_start(live, ht_programs_map_fd(live->programs, "events"));

	if (err)
		ht_live_say(live, HTTPTRACE_LOG_WARN, "no thread to follow children with (%s): their first calls may be missed",
			    strerror(-err));
	pthread_mutex_lock(&live->lock);
	if (live->backend >= HT_UPROBE_MULTI)
		live->ready = ht_ready_new(ht_programs_uprobe_fd(live->programs, HT_SITES_DNS, HT_UPROBE_ENTRY), live->rt_policy,
					   live->rt_param.sched_priority);
	ht_live_expect_children(live);
	pthread_mutex_unlock(&live->lock);
}

static int open_match(struct ht_live *live, const struct opening *opening)
{
	const struct ht_live_opts *opts = opening->opts;
	int err = ht_live_match_new(opts, &live->match);

	if (err == -ENOMEM)
		return refuse(opening, err, "out of memory");
	if (err)
		return refuse(opening, err, "cgroup %s: %s; name one below a cgroup mount (systemd-cgls shows them)", opts->cgroup,
			      err == -ENOENT ? "there is none of this name" : strerror(-err));
	live->has_own_probes = live->is_filtered && !live->match;
	return 0;
}

static int open_live(struct ht_live *live, struct opening *opening)
{
	const uint32_t traced = HT_TRACED_ON;
	uint64_t started_ns;
	int err = check_fds(live, opening);

	if (!err)
		err = check_pids(opening);
	if (!err)
		err = open_match(live, opening);
	if (!err)
		err = load(live, opening);
	for (size_t i = 0; !err && i < opening->pid_cnt; i++) {
		uint32_t pid = (uint32_t)opening->pids[i];

		if (bpf_map_update_elem(live->traced_fd, &pid, &traced, BPF_ANY))
			err = refuse(opening, -errno, "cannot trace process %d: %s", (int)pid, strerror(errno));
	}
	/* Facts are told as of before the first event, which may change them. */
	started_ns = ht_live_now_ns();
	if (!err)
		err = ht_programs_attach(live->programs, &live->features, opening->err, opening->err_size);
	if (!err)
		err = watch(live, opening);
	if (!err)
		err = attach_probes(live, opening);
	if (err)
		return err;
	report_refused_programs(live);
	if (live->has_own_probes)
		err = trace_pids(live, opening, started_ns);
	else if (live->match)
		ht_live_match_start(live, opening->pids, opening->pid_cnt, started_ns);
	else {
		ht_live_queue_all_facts(live, started_ns);
		ht_live_join_all(live->probes);
	}
	ht_probes_joined(live->probes);
	if (err)
		return err;
	if (opening->opts->attached)
		opening->opts->attached(opening->opts->attached_ctx);
	if (live->has_own_probes && live->is_following)
		follow_children(live);
	return 0;
}

struct ht_source *ht_live_open(const struct ht_live_opts *opts, char *err_text, size_t err_size)
{
	struct opening opening = { .opts = opts, .err = err_text, .err_size = err_size };
	struct ht_live *live = calloc(1, sizeof(*live));
	int err;

	if (!live) {
		refuse(&opening, -ENOMEM, "out of memory");
		return NULL;
	}
	live->source.ops = &live_ops;
	live->is_filtered = opts->pid_cnt > 0 || opts->comm || opts->cgroup;
	live->is_following = opts->is_following && live->is_filtered;
	live->log = opts->log;
	live->log_ctx = opts->log_ctx;
	live->epoll_fd = live->timer_fd = live->clock_fd = -1;
	ht_live_thread_init(live);
	err = open_live(live, &opening);
	free(opening.pids);
	if (!err)
		return &live->source;
	live_close(&live->source);
	errno = -err;
	return NULL;
}
