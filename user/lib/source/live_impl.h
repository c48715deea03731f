/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * live_impl.h - what the files of the live source share: its state. Nobody else includes it.
 *
 *   live.c         open, poll, stop, close
 *   live_follow.c  processes and libraries that come and go
 *   live_match.c   which processes are traced by their name or cgroup
 *   live_facts.c   records made in user space
 *   live_clock.c   what the wall clock shows, and when that was set
 *   live_losses.c  what was lost or forgotten and no record tells
 *   live_report.c  --targets and --features
 */
#ifndef HT_LIVE_IMPL_H
#define HT_LIVE_IMPL_H

#include <pthread.h>
#include <sched.h>

#include "attach/features.h"
#include "attach/probes.h"
#include "attach/programs.h"
#include "attach/ready.h"
#include "attach/reaper.h"
#include "attach/trial.h"
#include "source/live.h"
#include "source/live_queue.h"
#include "source/live_ring.h"
#include "source/sideband.h"

#define HT_LIVE_RING_BYTES (8u << 20)

/* Processes that have told their end, but may still close sockets. Only the last of them matters: older ones are forgotten. */
#define HT_LIVE_LEAVING_MAX 64

struct ht_live {
	struct ht_source source;
	bool is_filtered;
	bool has_own_probes; /* filtered, and each traced process has probes of its own; otherwise they are on everybody's libraries */
	bool is_following;
	bool is_stopped;
	bool is_ended; /* filtered, and every traced process has ended */
	ht_log_fn log;
	void *log_ctx;
	struct ht_features features;
	enum ht_uprobe_backend backend;
	struct ht_programs *programs;
	int traced_fd;
	struct ht_live_match *match; /* NULL: processes are traced by pid, or all are */
	struct ht_ring ring;
	struct ht_queue queue;
	struct ht_reaper *reaper;
	struct ht_ready *ready; /* NULL: nobody is followed, or there is no uprobe_multi */
	struct ht_probes *probes;
	struct ht_sideband *sideband; /* NULL: refused */
	pthread_mutex_t
		lock; /* for what the thread and the caller both change: scanning the ring, queue, probes, and the times and lists below */
	pthread_t thread; /* has_thread: gives children their probes (live_thread.c) */
	bool has_thread;
	bool is_thread_ending;
	int thread_epoll_fd;
	int thread_stop_fd;
	int rt_policy; /* of that thread */
	struct sched_param rt_param;
	int fd_end; /* probes' links take file descriptors below this; 0: all */
	int epoll_fd;
	int timer_fd;
	int clock_fd;            /* becomes ready when the wall clock is set; -1: that is not told */
	int64_t clock_offset_ns; /* of the wall clock from CLOCK_MONOTONIC, as last told */
	uint64_t clock_check_ns; /* when that was last looked at */
	uint64_t timer_ns;       /* its interval now */
	uint64_t newest_ns;      /* of the records delivered */
	uint64_t busy_ns;        /* when the last record was delivered */
	uint64_t tick_ns;        /* the time that the last tick told */
	uint64_t fork_ns;        /* when a child was last given probes */
	uint64_t maps_until_ns;  /* a traced process has executed a program, and maps its libraries until then */
	uint64_t reconcile_ns;   /* when BPF's list of processes was last compared with ours */
	uint64_t full_drain_ns;  /* begin of the last turn that delivered everything */
	pid_t leaving[HT_LIVE_LEAVING_MAX];
	size_t leaving_cnt;
	uint64_t leaving_ns; /* when the last of them was added */
	uint64_t left_ns;    /* when the last process was found to be gone for good; 0 not yet */
	uint64_t *next_seq;  /* of each CPU, as far as was delivered */
	uint32_t cpu_cnt;
	uint64_t event_cnt; /* of BPF's records delivered */
	uint64_t looked_ns; /* when BPF's counters were last looked at */
	uint64_t scratch_told_cnt;
	uint64_t call_told_cnt;
	uint64_t queue_told_cnt;
};

uint64_t ht_live_now_ns(void);
void ht_live_say(const struct ht_live *live, int level, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- live_follow.c ---- */

/* Adds the libraries below / that a program may load. */
void ht_live_add_cached(struct ht_probes *probes);
/* Adds the known libraries that a process has mapped, and with other_root those that a program it starts may load. */
void ht_live_add_mapped(struct ht_probes *probes, pid_t pid);
void ht_live_add_other_root(struct ht_probes *probes, pid_t pid);
/* Probes in a process that was running before us what tells of connections that are older than we. */
void ht_live_join(struct ht_probes *probes, pid_t pid);
void ht_live_join_all(struct ht_probes *probes);
/* The libraries mapped by any process. */
void ht_live_add_all_mapped(struct ht_probes *probes);

/* An HT_REC_PROC as soon as it is in the ring: probes for a child, or taken away. */
int ht_live_follow_record(void *live, const struct ht_hdr *rec);
/* Whether a library that nobody has met may be mapped at any moment: its first call follows within milliseconds. */
bool ht_live_expects_maps(const struct ht_live *live);
/* Handles what the sideband has told. */
void ht_live_follow_maps(struct ht_live *live);
/* Stays ready to give children probes, as one is likely to come; a shell's always is. */
void ht_live_expect_children(struct ht_live *live);
/* Closes links of processes that have ended, when nobody is about to open some. */
void ht_live_reap(struct ht_live *live, uint64_t now_ns);
/* Makes up for lost records about processes; once a second at most. */
void ht_live_reconcile(struct ht_live *live, uint64_t now_ns);
/* Whether every traced process has ended and what it did in its last moments has been delivered. */
bool ht_live_is_over(struct ht_live *live);

/* ---- live_losses.c ---- */

/* 0 or -errno. */
int ht_live_losses_init(struct ht_live *live);
void ht_live_losses_free(struct ht_live *live);
/* Each record of the ring, in the order of delivery. */
static inline void ht_live_note_seq(struct ht_live *live, const struct ht_hdr *rec)
{
	if (rec->cpu < live->cpu_cnt && rec->seq >= live->next_seq[rec->cpu])
		live->next_seq[rec->cpu] = rec->seq + 1;
	live->event_cnt++;
}
/* Queues what was lost since the last look; once a second at most. */
void ht_live_losses_look(struct ht_live *live, uint64_t now_ns);
/* Behind a drain: queues what says that records are missing of which those delivered show nothing yet. */
void ht_live_losses_drained(struct ht_live *live);
/* The last look, when the ring has been emptied: queues also what is missing at its end and what tables forgot. */
void ht_live_losses_end(struct ht_live *live);

/* ---- live_thread.c ---- */

void ht_live_thread_init(struct ht_live *live);
/* 0 or -errno: then children get their probes when the caller polls. */
int ht_live_thread_start(struct ht_live *live, int ring_fd);
void ht_live_thread_end(struct ht_live *live);

/* ---- live_match.c ---- */

/* *match NULL where opts name nothing to match. 0; -ENOENT and the like: there is no such cgroup; -ENOMEM. */
int ht_live_match_new(const struct ht_live_opts *opts, struct ht_live_match **match);
void ht_live_match_free(struct ht_live_match *match);
/*
 * By name and cgroup alone, not by who started it. comm need not end with NUL after 16 bytes. cgroup_id: version 2's, as a record has it; 0 not known.
 */
bool ht_live_match_fits(const struct ht_live_match *match, pid_t pid, const char *comm, uint64_t cgroup_id);
/* Whether what is told of this process is not wanted. */
bool ht_live_match_refuses(const struct ht_live_match *match, pid_t pid);
/* Takes pids and all that match now, as of ts_ns. Everything must be attached, so that whoever begins from now on is told by a record. */
void ht_live_match_start(struct ht_live *live, const pid_t *pids, size_t pid_cnt, uint64_t ts_ns);
void ht_live_match_record(struct ht_live *live, const struct ht_rec_proc *rec);
void ht_live_match_reconcile(struct ht_live *live, uint64_t now_ns);

/* ---- live_clock.c ---- */

/* The first HT_REC_CLOCK. */
void ht_live_clock_start(struct ht_live *live, uint64_t now_ns);
/* The fd to wait for, which belongs to live; or -errno. */
int ht_live_clock_watch(struct ht_live *live);
/* Tells the clocks' distance if it has changed. */
void ht_live_clock_check(struct ht_live *live, uint64_t now_ns);

/* ---- live_facts.c ---- */

void ht_live_queue_start(struct ht_live *live, unsigned int head_bytes, uint64_t now_ns);
/* Facts about a process, as they are at ts_ns. info may be NULL: read here. Nothing is queued for one that is gone. */
void ht_live_queue_fact(struct ht_live *live, pid_t pid, const struct ht_proc_info *info, uint64_t ts_ns);
void ht_live_queue_all_facts(struct ht_live *live, uint64_t ts_ns);
/* kind: "process", "library", "kernel". reason may be NULL. */
void ht_live_queue_target(struct ht_live *live, int action, const char *kind, pid_t pid, const char *path, const char *reason,
			  unsigned int probe_cnt);
void ht_live_queue_lost(struct ht_live *live, const char *where, uint64_t count);

#endif
