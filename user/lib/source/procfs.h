/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * procfs.h - what /proc says about processes: names, threads, executable mappings.
 *
 * In:  /proc. Out: plain structs, calls of the caller's function. Everything read is bounded and may be out of date when it is used: a process that
 * is gone gives -ESRCH or -ENOENT, never a wrong answer about another one within a call. The contents come from other users' processes: no
 * text of theirs is trusted to be short, complete, or free of odd bytes.
 */
#ifndef HT_PROCFS_H
#define HT_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HT_PROCFS_EXE_MAX 256

struct ht_proc_info {
	pid_t pid;
	pid_t ppid;
	uid_t uid;
	unsigned int thread_cnt;
	bool is_dead;   /* zombie, with no thread left that runs */
	bool is_kernel; /* kernel thread: has no executable */
	char comm[16];
	char exe[HT_PROCFS_EXE_MAX + 1]; /* "" not known */
};

/* 0; -ESRCH when there is no such process. pid may be a thread's id: the info is then that thread's. */
int ht_procfs_info(pid_t pid, struct ht_proc_info *info);
/* The executable's path into exe (NUL-terminated, cut at size - 1; without " (deleted)"). Length or -errno. */
int ht_procfs_exe(pid_t pid, char *exe, size_t size);
/* The process that thread tid belongs to, or -ESRCH. */
pid_t ht_procfs_tgid(pid_t tid);
/* Whether pid has a thread that has not ended. */
bool ht_procfs_is_alive(pid_t pid);

typedef int (*ht_procfs_pid_fn)(void *ctx, pid_t pid);
/* Calls fn for every process. 0, -errno, or what fn returned if that was not 0. */
int ht_procfs_each(ht_procfs_pid_fn fn, void *ctx);

struct ht_proc_map {
	uint64_t start;
	uint64_t end;
	uint32_t dev_major; /* as the kernel tells mappings; may differ from stat()'s on overlay and btrfs */
	uint32_t dev_minor;
	uint64_t ino;
	const char *path; /* in the process's own root; without " (deleted)" */
};
typedef int (*ht_procfs_map_fn)(void *ctx, const struct ht_proc_map *map);
/* Calls fn for every executable mapping of a file. 0, -errno, or what fn returned if that was not 0. */
int ht_procfs_exec_maps(pid_t pid, ht_procfs_map_fn fn, void *ctx);

/* Opens (O_PATH) the file behind a mapping, deleted ones and other roots' too: by map_files, else by the path below the process's root. fd or -errno. */
int ht_procfs_open_mapped(pid_t pid, uint64_t start, uint64_t end, const char *path);
/* Opens (O_PATH) path as the process sees it; symbolic links stay inside its root. fd or -errno. */
int ht_procfs_open_in_root(pid_t pid, const char *path);

#endif
