/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * probes.h - the libraries that are known, each once, and the probes on them: of every process, or of the traced ones, each with links of its own.
 *
 * In:  files (opened by the caller with O_PATH), processes that begin, exec and end. Out: probes in place; reports by the caller's function.
 * Owns the files' fds (so that no inode number can be reused under it) and the links'. Bounds: HT_PROBES_FILES_MAX files, those refused are forgotten for new ones, then further ones are refused and said;
 * links are as many as fds allow: a process that gets none is refused and said. Not thread-safe.
 */
#ifndef HT_PROBES_H
#define HT_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "attach/reaper.h"
#include "attach/sites.h"
#include "attach/uprobe.h"
#include "source/source.h"

#define HT_PROBES_FILES_MAX   256
/* Names under which the kernel announced files: more than one for a file behind overlay or btrfs, whose device numbers differ from stat()'s. */
#define HT_PROBES_ALIASES_MAX 1024

struct ht_probes_opts {
	enum ht_uprobe_backend backend;
	bool is_filtered;     /* probes in the processes added only */
	bool is_plan;         /* attach nothing */
	int fd_end;           /* links take file descriptors below this only, the rest are for looking around; 0: all */
	bool has_entry_sites; /* ht_sites_plan() */
	/* A loaded program's fd, or -errno. */
	int (*program_fd)(void *ctx, enum ht_site_group group, enum ht_uprobe_side side);
	/* The program for one site where the kernel tells that one no cookie; NULL: it does. A loaded program's fd, or -errno. */
	int (*site_fd)(void *ctx, enum ht_site_group group, int prog_fd, uint64_t cookie);
	/* A library (pid 0) or process was attached, refused, or let go; action is HT_TARGET_*. */
	void (*report)(void *ctx, int action, pid_t pid, const char *path, const char *reason, unsigned int probe_cnt);
	void *ctx;
	struct ht_reaper *reaper; /* the caller's; may be NULL with is_plan */
};

struct ht_probes;

struct ht_probes_file {
	uint64_t dev;
	uint64_t ino;
	char *path; /* as a person would name it */
	int fd;
	bool is_usable;
	bool is_cached;          /* it is where programs started later will look for it */
	unsigned int joined_cnt; /* processes that have joined since it was last reported */
	char reason[160];        /* why it is not usable */
	struct ht_site_plan plan;
	int *link_fds; /* system-wide */
	size_t link_cnt;
};

/* NULL and errno. */
struct ht_probes *ht_probes_new(const struct ht_probes_opts *opts);
/* Hands every link to the reaper, frees. NULL is allowed. */
void ht_probes_free(struct ht_probes *probes);

/* Whether a mapping's device and inode are those of a file that has been added under them. */
bool ht_probes_knows(const struct ht_probes *probes, uint32_t dev_major, uint32_t dev_minor, uint64_t ino);
void ht_probes_alias(struct ht_probes *probes, uint32_t dev_major, uint32_t dev_minor, uint64_t ino);
/*
 * A library: fd is taken over. name: its file name, which says what it is; path: for reports. Probes it system-wide or in every added process.
 * 1 new, 0 known already, -errno refused (and reported).
 */
int ht_probes_add_file(struct ht_probes *probes, int fd, const char *name, const char *path, bool is_cached);

/* Filtered: gives the process probes on every known library. 0; -ESRCH it is gone; -errno: refused (and reported). Known already: 0. */
int ht_probes_add_process(struct ht_probes *probes, pid_t pid, const char *exe);
/* It has called execve, or has the pid of one whose end was not told: makes sure that its links are for it. */
void ht_probes_renew_process(struct ht_probes *probes, pid_t pid);
/* It has ended. Whether it had any probes. */
bool ht_probes_drop_process(struct ht_probes *probes, pid_t pid);
bool ht_probes_has_process(const struct ht_probes *probes, pid_t pid);
size_t ht_probes_process_cnt(const struct ht_probes *probes);
/* The n-th process, from 0; 0 past the end. Order and numbers change with every process added or dropped. */
pid_t ht_probes_process(const struct ht_probes *probes, size_t n);

/*
 * A process that was running already has mapped a library that serves such processes only (ht_sites_match_joined()): probes it there, whatever is_filtered is.
 * fd is taken over, the rest as for ht_probes_add_file(). 0 or -errno.
 */
int ht_probes_join(struct ht_probes *probes, pid_t pid, int fd, const char *name, const char *path);
/* Reports the libraries that were attached so since the last time, once all who are to join have. */
void ht_probes_joined(struct ht_probes *probes);
/* It has ended, or runs another program now. */
void ht_probes_leave(struct ht_probes *probes, pid_t pid);

const struct ht_probes_file *ht_probes_files(const struct ht_probes *probes, size_t *cnt);
/* Whether a process or library was last refused for want of file descriptors. */
bool ht_probes_is_short_of_fds(const struct ht_probes *probes);
/* Entry and return sites that a file's plan comes to. */
unsigned int ht_probes_site_cnt(const struct ht_site_plan *plan);

#endif
