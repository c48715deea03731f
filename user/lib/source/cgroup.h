/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * cgroup.h - which cgroup is meant, and who is in it.
 *
 * In:  a path as a person gives it, /proc/self/mountinfo, /proc/PID/cgroup. Out: a hierarchy and the path in it. Formats: cgroups(7),
 * proc(5).
 */
#ifndef HT_CGROUP_H
#define HT_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HT_CGROUP_PATH_MAX 1024
/* A line for each hierarchy of version 1, and one for version 2. */
#define HT_CGROUP_TEXT_MAX 8192

struct ht_cgroup {
	char dir[HT_CGROUP_PATH_MAX];  /* in the file system */
	char path[HT_CGROUP_PATH_MAX]; /* in its hierarchy, as /proc/PID/cgroup has it: "/", "/a/b" */
	char controllers[128];         /* of version 1: the options of its mount; "": version 2 */
};

/*
 * path: a directory below the mount of a hierarchy, by its whole name or by that below the mount (version 2's first, then version 1's as
 * mounted). mountinfo: the text of such a file; it is taken apart in place. 0; -ENOENT where there is none, -ENOTDIR, -ENAMETOOLONG.
 */
int ht_cgroup_find_in(char *mountinfo, const char *path, struct ht_cgroup *cgroup);
/* The same, in /proc/self/mountinfo. */
int ht_cgroup_find(const char *path, struct ht_cgroup *cgroup);

/* Is a process whose /proc/PID/cgroup is text in the cgroup, or in one below it? */
bool ht_cgroup_has(const struct ht_cgroup *cgroup, const char *text);
/* The same by pid. 1, 0, or -ESRCH where the process is gone. */
int ht_cgroup_has_pid(const struct ht_cgroup *cgroup, pid_t pid);
/*
 * Is version 2's cgroup of this id (bpf_get_current_cgroup_id()) it, or below it? 1, 0, or -errno where that cannot be told: of version 1,
 * or gone.
 */
int ht_cgroup_has_id(const struct ht_cgroup *cgroup, uint64_t id);

typedef void (*ht_cgroup_pid_fn)(void *ctx, pid_t pid);
/* Calls fn for every process in the cgroup and below; at most HT_CGROUP_DIRS_MAX cgroups are looked at. */
#define HT_CGROUP_DIRS_MAX 1024
void ht_cgroup_each(const struct ht_cgroup *cgroup, ht_cgroup_pid_fn fn, void *ctx);

#endif
