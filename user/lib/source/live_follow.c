/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * live_follow.c - keeps the probes where they belong while processes and libraries come and go.
 *
 * In:  process records as they appear in the ring (before their turn, as a child waits for nobody), mappings told by the sideband, /proc.
 * Out: libraries and processes added to and dropped from the probes; facts and targets queued.
 *
 * BPF has put a child of a traced process into `traced` before the child runs; its links are made here, at once: what it calls in the first fraction of a
 * millisecond may be missed. A program it executes later is covered from its first instruction.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "httptrace.h"
#include "source/discovery.h"
#include "source/live_impl.h"
#include "source/procfs.h"

#define RECONCILE_EVERY_NS   1000000000ULL
/* A shell that runs one program after another pauses less. */
#define REAP_QUIET_NS        200000000ULL
/* A quarter of the usual limit of file descriptors. */
#define REAP_PENDING_MAX     256
/* After a fork another is likely; a shell is asked about once a second (RECONCILE_EVERY_NS). */
#define EXPECT_FOR_NS        3000000000ULL
#define LEAVING_MAX_NS       2000000000ULL
/* The dynamic linker's time, on a busy machine. */
#define MAPS_FOR_NS          30000000ULL
/* Of the processes that are known, so many are looked up in /proc each time. */
#define RECONCILE_CHECKS_MAX 64

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* ---- Libraries ------------------------------------------------------------------------------------------------------------------------------------ */

/* A link's name may say what the file's does not, and the other way round (libc.so.6 is libc-2.31.so on older systems). */
static const char *known_name(int fd, const char *path, char *buf, size_t size)
{
	char link[32];
	ssize_t len;

	if (ht_sites_match(base_name(path)))
		return base_name(path);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, buf, size - 1);
	if (len <= 0)
		return base_name(path);
	buf[len] = '\0';
	return base_name(buf);
}

struct root {
	struct ht_probes *probes;
	pid_t pid; /* 0: our own root */
};

static int add_cached_file(void *ctx, const char *path)
{
	const struct root *root = ctx;
	char target[PATH_MAX];
	int fd = root->pid ? ht_procfs_open_in_root(root->pid, path) : open(path, O_PATH | O_CLOEXEC);

	if (fd >= 0)
		ht_probes_add_file(root->probes, fd, known_name(fd, path, target, sizeof(target)), path, true);
	return 0;
}

void ht_live_add_cached(struct ht_probes *probes)
{
	struct root root = { .probes = probes };
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	ht_discovery_root(fd, ht_sites_match, add_cached_file, &root);
	close(fd);
}

void ht_live_add_other_root(struct ht_probes *probes, pid_t pid)
{
	struct root root = { .probes = probes, .pid = pid };
	struct stat ours, theirs;
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	if (stat("/", &ours) || stat(path, &theirs) || (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino))
		return;
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	ht_discovery_root(fd, ht_sites_match, add_cached_file, &root);
	close(fd);
}

/* A mapping of a library by name: is it a file not met before? */
static void add_mapping(struct ht_probes *probes, pid_t pid, const struct ht_proc_map *map)
{
	int fd;

	if (!ht_sites_match(base_name(map->path)) || ht_probes_knows(probes, map->dev_major, map->dev_minor, map->ino))
		return;
	fd = ht_procfs_open_mapped(pid, map->start, map->end, map->path);
	/* Gone again: whoever maps it next is told, too. */
	if (fd < 0)
		return;
	ht_probes_alias(probes, map->dev_major, map->dev_minor, map->ino);
	ht_probes_add_file(probes, fd, base_name(map->path), map->path, false);
}

struct scan {
	struct ht_probes *probes;
	pid_t pid;
};

static int scan_map(void *ctx, const struct ht_proc_map *map)
{
	const struct scan *scan = ctx;

	add_mapping(scan->probes, scan->pid, map);
	return 0;
}

void ht_live_add_mapped(struct ht_probes *probes, pid_t pid)
{
	struct scan scan = { probes, pid };

	ht_procfs_exec_maps(pid, scan_map, &scan);
}

static int scan_process(void *ctx, pid_t pid)
{
	ht_live_add_mapped(ctx, pid);
	return 0;
}

void ht_live_add_all_mapped(struct ht_probes *probes)
{
	ht_procfs_each(scan_process, probes);
}

static int join_map(void *ctx, const struct ht_proc_map *map)
{
	const struct scan *scan = ctx;
	const char *name = base_name(map->path);
	int fd;

	if (!ht_sites_match_joined(name))
		return 0;
	fd = ht_procfs_open_mapped(scan->pid, map->start, map->end, map->path);
	if (fd >= 0)
		ht_probes_join(scan->probes, scan->pid, fd, name, map->path);
	/* A library has one executable mapping, and a process one such library. */
	return 1;
}

void ht_live_join(struct ht_probes *probes, pid_t pid)
{
	struct scan scan = { probes, pid };
	struct stat ours, theirs;
	struct ht_proc_info info;
	char path[32];

	if (pid == getpid() || ht_procfs_info(pid, &info) || info.is_kernel || info.is_dead)
		return;
	/* A child of ours that is about to execute a COMMAND has our libraries still, and no connections. */
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	if (info.ppid == getpid() && !stat("/proc/self/exe", &ours) && !stat(path, &theirs) && ours.st_dev == theirs.st_dev &&
	    ours.st_ino == theirs.st_ino)
		return;
	ht_procfs_exec_maps(pid, join_map, &scan);
}

static int join_process(void *ctx, pid_t pid)
{
	ht_live_join(ctx, pid);
	return 0;
}

void ht_live_join_all(struct ht_probes *probes)
{
	ht_procfs_each(join_process, probes);
}

static void take_mapping(void *ctx, pid_t pid, const struct ht_proc_map *map)
{
	struct ht_live *live = ctx;

	if (!live->has_own_probes || ht_probes_has_process(live->probes, pid))
		add_mapping(live->probes, pid, map);
}

bool ht_live_expects_maps(const struct ht_live *live)
{
	return ht_live_now_ns() < live->maps_until_ns;
}

void ht_live_follow_maps(struct ht_live *live)
{
	uint64_t lost_cnt;

	if (!live->sideband)
		return;
	lost_cnt = ht_sideband_drain(live->sideband, take_mapping, live);
	if (!lost_cnt)
		return;
	ht_live_queue_lost(live, "sideband", lost_cnt);
	if (!live->has_own_probes)
		ht_live_add_all_mapped(live->probes);
	for (size_t i = 0; live->has_own_probes && i < ht_probes_process_cnt(live->probes); i++)
		ht_live_add_mapped(live->probes, ht_probes_process(live->probes, i));
}

/* ---- Processes ------------------------------------------------------------------------------------------------------------------------------------ */

static bool is_shell(pid_t pid)
{
	static const char *const names[] = { "sh",      "bash", "dash",  "zsh",  "ksh", "mksh",   "fish",
					     "busybox", "make", "xargs", "sudo", "su",  "screen", "tmux" };
	char exe[HT_PROCFS_EXE_MAX + 1];

	if (ht_procfs_exe(pid, exe, sizeof(exe)) < 0)
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(base_name(exe), names[i]))
			return true;
	}
	return false;
}

void ht_live_expect_children(struct ht_live *live)
{
	if (live->ready)
		ht_ready_until(live->ready, ht_live_now_ns() + EXPECT_FOR_NS);
}

static void add_child(struct ht_live *live, pid_t pid)
{
	char exe[HT_PROCFS_EXE_MAX + 1];

	/* Known by its pid: found in BPF's list before its record was read; or another one, whose end was lost. */
	if (ht_probes_has_process(live->probes, pid)) {
		ht_probes_renew_process(live->probes, pid);
		return;
	}
	if (ht_procfs_exe(pid, exe, sizeof(exe)) < 0)
		exe[0] = '\0';
	if (live->ready)
		ht_ready_pause(live->ready);
	ht_probes_add_process(live->probes, pid, exe);
	ht_live_expect_children(live);
	live->left_ns = 0;
	live->fork_ns = ht_live_now_ns();
}

static void drop(struct ht_live *live, pid_t pid)
{
	if (!ht_probes_has_process(live->probes, pid))
		return;
	if (ht_probes_drop_process(live->probes, pid))
		ht_live_queue_target(live, HT_TARGET_DETACHED, "process", pid, NULL, "ended", 0);
	/* Its sockets are closed after its end is told (do_exit(), kernel/exit.c: exit_files() follows the tracepoint). */
	if (live->leaving_cnt == HT_LIVE_LEAVING_MAX) {
		memmove(live->leaving, live->leaving + 1, (HT_LIVE_LEAVING_MAX - 1) * sizeof(live->leaving[0]));
		live->leaving_cnt--;
	}
	live->leaving[live->leaving_cnt++] = pid;
	live->leaving_ns = ht_live_now_ns();
}

static void follow_exec(struct ht_live *live, const struct ht_rec_proc *rec)
{
	pid_t pid = (pid_t)rec->hdr.tgid;

	live->maps_until_ns = ht_live_now_ns() + MAPS_FOR_NS;
	if (live->is_filtered)
		ht_probes_renew_process(live->probes, pid);
	/* A relative path, or none: /proc knows the whole. */
	if (!rec->exe_len || rec->exe[0] != '/')
		ht_live_queue_fact(live, pid, NULL, ht_live_now_ns());
}

int ht_live_follow_record(void *ctx, const struct ht_hdr *hdr)
{
	const struct ht_rec_proc *rec = (const struct ht_rec_proc *)hdr;
	struct ht_live *live = ctx;

	if (hdr->kind != HT_REC_PROC || hdr->size < offsetof(struct ht_rec_proc, exe))
		return 0;
	if (rec->op == HT_PROC_EXEC || rec->op == HT_PROC_EXIT)
		ht_probes_leave(live->probes, (pid_t)hdr->tgid);
	if (live->match)
		ht_live_match_record(live, rec);
	else if (rec->op == HT_PROC_EXEC)
		follow_exec(live, rec);
	else if (live->is_filtered && rec->op == HT_PROC_FORK && live->is_following)
		add_child(live, (pid_t)hdr->tgid);
	else if (live->is_filtered && rec->op == HT_PROC_EXIT)
		drop(live, (pid_t)hdr->tgid);
	return 0;
}

void ht_live_reap(struct ht_live *live, uint64_t now_ns)
{
	size_t pending = ht_reaper_pending(live->reaper);

	if (pending > REAP_PENDING_MAX || (pending && ht_probes_is_short_of_fds(live->probes)) ||
	    (pending && now_ns - live->fork_ns > REAP_QUIET_NS))
		ht_reaper_run(live->reaper);
}

/* A process that BPF traces and we do not know: the record of its fork was lost. */
static void add_lost_children(struct ht_live *live)
{
	uint32_t key, *previous = NULL;

	while (!bpf_map_get_next_key(live->traced_fd, previous, &key)) {
		previous = &key;
		if (ht_probes_has_process(live->probes, (pid_t)key))
			continue;
		if (kill((pid_t)key, 0) && errno == ESRCH)
			continue;
		add_child(live, (pid_t)key);
		ht_live_queue_fact(live, (pid_t)key, NULL, ht_live_now_ns());
	}
}

void ht_live_reconcile(struct ht_live *live, uint64_t now_ns)
{
	size_t cnt;

	if (!live->is_filtered || now_ns - live->reconcile_ns < RECONCILE_EVERY_NS)
		return;
	live->reconcile_ns = now_ns;
	if (live->match) {
		ht_live_match_reconcile(live, now_ns);
		return;
	}
	if (live->is_following)
		add_lost_children(live);
	cnt = ht_probes_process_cnt(live->probes);
	for (size_t i = 0; live->ready && i < cnt && i < RECONCILE_CHECKS_MAX; i++) {
		if (is_shell(ht_probes_process(live->probes, i))) {
			ht_live_expect_children(live);
			break;
		}
	}
	for (size_t i = cnt; i-- > 0;) {
		pid_t pid = ht_probes_process(live->probes, i);

		if (cnt > RECONCILE_CHECKS_MAX ? kill(pid, 0) && errno == ESRCH : !ht_procfs_is_alive(pid))
			drop(live, pid);
	}
}

bool ht_live_is_over(struct ht_live *live)
{
	/* One that takes longer has had its pid reused, or hangs in the kernel. */
	bool is_recent = ht_live_now_ns() - live->leaving_ns < LEAVING_MAX_NS;
	size_t kept_cnt = 0;

	/* Another one that matches may begin at any time. */
	if (!live->is_filtered || live->match || ht_probes_process_cnt(live->probes))
		return false;
	for (size_t i = 0; i < live->leaving_cnt; i++) {
		if (is_recent && ht_procfs_is_alive(live->leaving[i]))
			live->leaving[kept_cnt++] = live->leaving[i];
	}
	live->leaving_cnt = kept_cnt;
	if (kept_cnt)
		return false;
	if (!live->left_ns)
		live->left_ns = ht_live_now_ns();
	/* A zombie has closed its files: what it did is in the ring, and out of it once a turn that began later has emptied it. */
	return live->full_drain_ns > live->left_ns;
}
