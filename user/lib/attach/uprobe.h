/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * uprobe.h - puts probes on a file's instructions: by uprobe_multi where the kernel has it, else by perf uprobes, one a site.
 * Those are BPF links where the kernel has such (5.15), else events that have a program (PERF_EVENT_IOC_SET_BPF).
 *
 * In:  a loaded program's fd, a file, offsets, cookies. Out: fds of BPF links, or of events; closing the last of them takes the probes away (slowly: reaper.h).
 */
#ifndef HT_UPROBE_H
#define HT_UPROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "attach/features.h"

/* The kernel's BPF_TRACE_UPROBE_MULTI (6.6); programs are loaded with it as expected_attach_type, or with 0 for perf uprobes. */
#define HT_ATTACH_UPROBE_MULTI   48
/* BPF_TRACE_UPROBE_SESSION (6.13): one program for entry and return, that says at the entry whether it wants the return. */
#define HT_ATTACH_UPROBE_SESSION 57

/* EVENT: PERF without links, and without cookies. SESSION: MULTI, and sessions where a group has a program for them. */
enum ht_uprobe_backend { HT_UPROBE_NONE, HT_UPROBE_EVENT, HT_UPROBE_PERF, HT_UPROBE_MULTI, HT_UPROBE_SESSION };

/* What a link's program sees of the functions. */
enum ht_uprobe_side { HT_UPROBE_ENTRY, HT_UPROBE_RETURN, HT_UPROBE_BOTH, HT_UPROBE_SIDE_CNT };

/*
 * Which one this kernel takes, by trying to attach; what features say is missing is not tried. why: what the ones refused said, for --features; "" if the
 * first was taken.
 */
enum ht_uprobe_backend ht_uprobe_probe(const struct ht_features *features, char *why, size_t why_size);
/* "uprobe_multi with sessions", "uprobe_multi", "perf uprobes", "perf uprobes without links", "none". */
const char *ht_uprobe_backend_name(enum ht_uprobe_backend backend);

struct ht_uprobe_sites {
	const char *path;
	const uint64_t *offs;
	const uint64_t *cookies;
	const int *prog_fds; /* perf uprobes: a program for each site, and no cookies; NULL: one for all */
	size_t cnt;
	pid_t pid; /* 0: every process, also those that start later */
	enum ht_uprobe_side side;
};
/*
 * Attaches. Writes up to sites->cnt fds (uprobe_multi: one) to fds and returns how many. -errno: nothing is left attached. BOTH takes a program
 * loaded for sessions, and SESSION as the backend.
 * -ESRCH: no such process.
 */
int ht_uprobe_attach(enum ht_uprobe_backend backend, int prog_fd, const struct ht_uprobe_sites *sites, int *fds);

/* A program that does nothing, for a backend; its fd is the caller's. -errno. */
int ht_uprobe_load_empty(enum ht_uprobe_backend backend);

/* The process a uprobe_multi link is for now: 0 when its task is gone (another thread of it has called execve), or where the kernel does not say. */
pid_t ht_uprobe_link_pid(int link_fd);

#endif
