/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * live_match.c - traces processes by what they are: by name, by cgroup.
 *
 * In:  /proc at the start; then records of processes that fork or execute a program. Out: BPF's `traced` map, kept to those that match, and
 * whom they start; facts and targets queued.
 *
 * Whether a process matches is decided here, but a program may be through with its request before we have looked. So BPF (HT_CFG_JUDGE)
 * puts everyone who executes a program into `traced` and wakes us; we take out who does not match, and what came of it in the meantime is
 * not told. The probes on libraries are on everybody's, for the same reason.
 *
 * A process matches by its name at the start, at fork and at exec, and by its cgroup then and whenever it is found in one (looked at once a
 * second). Who has matched once stays. Memory: two bits for each possible pid.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source/cgroup.h"
#include "source/live_impl.h"
#include "source/procfs.h"
#include "util/glob.h"

/* PID_MAX_LIMIT (include/linux/threads.h). */
#define PIDS_MAX (1u << 22)

struct ht_live_match {
	char *comm; /* NULL: any */
	bool has_cgroup;
	struct ht_cgroup cgroup;
	uint8_t *taken;   /* a bit a pid: matches, or was started by one that does */
	uint8_t *refused; /* what is still told of it is dropped */
};

static bool has_bit(const uint8_t *bits, pid_t pid)
{
	return (uint32_t)pid < PIDS_MAX && bits[(uint32_t)pid / 8] & 1u << (uint32_t)pid % 8;
}

static void set_bit(uint8_t *bits, pid_t pid, bool is_on)
{
	uint8_t mask = (uint8_t)(1u << (uint32_t)pid % 8);

	if ((uint32_t)pid >= PIDS_MAX)
		return;
	if (is_on)
		bits[(uint32_t)pid / 8] |= mask;
	else if (bits[(uint32_t)pid / 8] & mask)
		bits[(uint32_t)pid / 8] &= (uint8_t)~mask;
}

void ht_live_match_free(struct ht_live_match *match)
{
	if (!match)
		return;
	free(match->comm);
	free(match->taken);
	free(match->refused);
	free(match);
}

int ht_live_match_new(const struct ht_live_opts *opts, struct ht_live_match **to)
{
	struct ht_live_match *match;
	int err = -ENOMEM;

	*to = NULL;
	if (!opts->comm && !opts->cgroup)
		return 0;
	match = calloc(1, sizeof(*match));
	if (!match)
		return err;
	match->taken = calloc(1, PIDS_MAX / 8);
	match->refused = calloc(1, PIDS_MAX / 8);
	if (!match->taken || !match->refused)
		goto fail;
	if (opts->comm) {
		match->comm = strdup(opts->comm);
		if (!match->comm)
			goto fail;
	}
	if (opts->cgroup) {
		match->has_cgroup = true;
		err = ht_cgroup_find(opts->cgroup, &match->cgroup);
		if (err)
			goto fail;
	}
	*to = match;
	return 0;
fail:
	ht_live_match_free(match);
	return err;
}

bool ht_live_match_fits(const struct ht_live_match *match, pid_t pid, const char *comm, uint64_t cgroup_id)
{
	int has;

	if (match->comm && !ht_glob_match(match->comm, comm, strnlen(comm, 16), false))
		return false;
	if (!match->has_cgroup)
		return true;
	/* The process may be gone by now; its cgroup rarely is. */
	has = ht_cgroup_has_id(&match->cgroup, cgroup_id);
	if (has < 0)
		has = ht_cgroup_has_pid(&match->cgroup, pid);
	return has == 1;
}

bool ht_live_match_refuses(const struct ht_live_match *match, pid_t pid)
{
	return has_bit(match->refused, pid);
}

/* ---- Into and out of `traced` -------------------------------------------------------------------------------------------------------- */

static void refuse(struct ht_live *live, pid_t pid)
{
	uint32_t key = (uint32_t)pid;

	set_bit(live->match->taken, pid, false);
	set_bit(live->match->refused, pid, true);
	bpf_map_delete_elem(live->traced_fd, &key);
}

static void take(struct ht_live *live, pid_t pid)
{
	uint32_t key = (uint32_t)pid, on = HT_TRACED_ON;

	set_bit(live->match->taken, pid, true);
	set_bit(live->match->refused, pid, false);
	/* Also where BPF has done so: between two programs that a process executed it may have been taken out. */
	if (bpf_map_update_elem(live->traced_fd, &key, &on, BPF_ANY))
		ht_live_queue_target(live, HT_TARGET_REFUSED, "process", pid, NULL, "too many processes are traced", 0);
	/* It may have ended before that, and nobody would take it out. */
	else if (kill(pid, 0) && errno == ESRCH)
		bpf_map_delete_elem(live->traced_fd, &key);
}

/* A process that is met in the middle of its life. */
static void take_running(struct ht_live *live, pid_t pid, const struct ht_proc_info *info, uint64_t ts_ns)
{
	take(live, pid);
	ht_live_join(live->probes, pid);
	ht_live_queue_fact(live, pid, info, ts_ns);
	ht_live_queue_target(live, HT_TARGET_ATTACHED, "process", pid, info->exe, NULL, 0);
}

static void judge_running(struct ht_live *live, pid_t pid, uint64_t ts_ns)
{
	struct ht_proc_info info;

	if (has_bit(live->match->taken, pid) || pid == getpid() || ht_procfs_info(pid, &info) || info.is_kernel || info.is_dead)
		return;
	if (ht_live_match_fits(live->match, pid, info.comm, 0))
		take_running(live, pid, &info, ts_ns);
}

struct judging {
	struct ht_live *live;
	uint64_t ts_ns;
};

static int judge_each(void *ctx, pid_t pid)
{
	const struct judging *judging = ctx;

	judge_running(judging->live, pid, judging->ts_ns);
	return 0;
}

static void judge_member(void *ctx, pid_t pid)
{
	judge_each(ctx, pid);
}

void ht_live_match_start(struct ht_live *live, const pid_t *pids, size_t pid_cnt, uint64_t ts_ns)
{
	struct judging judging = { live, ts_ns };

	for (size_t i = 0; i < pid_cnt; i++) {
		struct ht_proc_info info;

		if (!ht_procfs_info(pids[i], &info) && !info.is_dead)
			take_running(live, pids[i], &info, ts_ns);
	}
	/* Twice: a child of one that is not yet known to match may have been passed over. */
	for (int i = 0; i < 2; i++)
		ht_procfs_each(judge_each, &judging);
}

/* ---- Later --------------------------------------------------------------------------------------------------------------------------- */

static void forked(struct ht_live *live, const struct ht_rec_proc *rec)
{
	pid_t pid = (pid_t)rec->hdr.tgid;

	set_bit(live->match->taken, pid, false);
	if (has_bit(live->match->taken, (pid_t)rec->ppid))
		take(live, pid);
	/* The id in the record is that of the parent, which may have put it elsewhere. */
	else if (ht_live_match_fits(live->match, pid, rec->comm, 0))
		take(live, pid);
	else
		refuse(live, pid);
}

static void executed(struct ht_live *live, const struct ht_rec_proc *rec)
{
	pid_t pid = (pid_t)rec->hdr.tgid;
	char exe[HT_PROC_EXE_MAX + 1] = "";
	size_t len = rec->exe_len <= HT_PROC_EXE_MAX && rec->hdr.size >= offsetof(struct ht_rec_proc, exe) + rec->exe_len ? rec->exe_len
															  : 0;

	if (!has_bit(live->match->taken, pid)) {
		if (!ht_live_match_fits(live->match, pid, rec->comm, rec->cgroup_id)) {
			refuse(live, pid);
			return;
		}
		take(live, pid);
		memcpy(exe, rec->exe, len);
		ht_live_queue_target(live, HT_TARGET_ATTACHED, "process", pid, exe, NULL, 0);
	}
	/* A relative path, or none: /proc knows the whole. */
	if (!len || rec->exe[0] != '/')
		ht_live_queue_fact(live, pid, NULL, ht_live_now_ns());
}

static void ended(struct ht_live *live, pid_t pid)
{
	if (!has_bit(live->match->taken, pid))
		return;
	set_bit(live->match->taken, pid, false);
	ht_live_queue_target(live, HT_TARGET_DETACHED, "process", pid, NULL, "ended", 0);
}

void ht_live_match_record(struct ht_live *live, const struct ht_rec_proc *rec)
{
	if (rec->op == HT_PROC_EXEC)
		executed(live, rec);
	else if (rec->op == HT_PROC_FORK)
		forked(live, rec);
	else if (rec->op == HT_PROC_EXIT)
		ended(live, (pid_t)rec->hdr.tgid);
}

void ht_live_match_reconcile(struct ht_live *live, uint64_t now_ns)
{
	struct judging judging = { live, now_ns };
	uint32_t key, next;
	bool has_next = !bpf_map_get_next_key(live->traced_fd, NULL, &next);

	while (has_next) {
		key = next;
		/* Before it is taken out, as the walk would begin anew behind one that is gone. */
		has_next = !bpf_map_get_next_key(live->traced_fd, &key, &next);
		if (kill((pid_t)key, 0) && errno == ESRCH) {
			ended(live, (pid_t)key);
			bpf_map_delete_elem(live->traced_fd, &key);
			continue;
		}
		if (has_bit(live->match->taken, (pid_t)key))
			continue;
		/* The record of its fork or exec was lost. */
		judge_running(live, (pid_t)key, now_ns);
		if (!has_bit(live->match->taken, (pid_t)key))
			refuse(live, (pid_t)key);
	}
	if (live->match->has_cgroup)
		ht_cgroup_each(&live->match->cgroup, judge_member, &judging);
}
