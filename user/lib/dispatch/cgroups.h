/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * cgroups.h - which processes are in the cgroups that filters of registrations name.
 *
 * In:  paths of filters, records about processes, /proc/PID/cgroup. Out: yes or no, for a request's process, which may have ended by then:
 * so it is looked up when a record says that it began or executed a program, and remembered. Live tracers only. Bounds: HT_CGROUPS_MAX
 * filters, HT_CGROUPS_PIDS_MAX processes remembered; beyond these everything is forgotten, and looked up when it is asked for.
 */
#ifndef HT_CGROUPS_H
#define HT_CGROUPS_H

#include <stdbool.h>
#include <sys/types.h>

#include "abi/event.h"

#define HT_CGROUPS_MAX      32
#define HT_CGROUPS_PIDS_MAX 65536

struct ht_cgroups;

/* NULL and errno. */
struct ht_cgroups *ht_cgroups_new(void);
void ht_cgroups_free(struct ht_cgroups *cgroups);
/* Its number from 0, -ENOENT and the like where there is no such cgroup, -ENOSPC, -ENOMEM. */
int ht_cgroups_add(struct ht_cgroups *cgroups, const char *path);
void ht_cgroups_remove(struct ht_cgroups *cgroups, unsigned int n);
/* Before, and after (is_after), the engine has had the record. */
void ht_cgroups_record(struct ht_cgroups *cgroups, const struct ht_rec_proc *rec, bool is_after);
/* As ht_dispatch_set_in_cgroup() wants it; ctx is the struct ht_cgroups. */
bool ht_cgroups_has(void *cgroups, pid_t pid, unsigned int n);

#endif
