/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * programs.h - the BPF programs: which there are, what depends on each, loading them, attaching those that hang on the kernel itself.
 *
 * In:  the object (object.h). Out: fds of maps and programs, owned here; for each program whether it runs or why not. Only a few are indispensable;
 * any other that is refused is turned off, and the rest is loaded again without it (some 20 ms).
 */
#ifndef HT_PROGRAMS_H
#define HT_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "abi/config.h"
#include "attach/backend.h"
#include "attach/features.h"
#include "attach/sites.h"
#include "attach/uprobe.h"
#include "source/source.h"

#define HT_PROGRAM_REASON_MAX 200

/* From ENTRY on in the order of enum ht_uprobe_side. */
enum ht_program_kind {
	HT_PROGRAM_TRACEPOINT, /* typed */
	HT_PROGRAM_RAW,        /* tracepoint, not typed */
	HT_PROGRAM_FENTRY,
	HT_PROGRAM_FEXIT,
	HT_PROGRAM_KPROBE,
	HT_PROGRAM_KRETPROBE,
	HT_PROGRAM_CGROUP,
	HT_PROGRAM_ENTRY,
	HT_PROGRAM_RETURN,
	HT_PROGRAM_BOTH
};

struct ht_program_state {
	const char *name;
	const char *hook_point; /* tracepoint's or kernel function's name, cgroup attach point, group of library functions */
	const char *serves;     /* which hooks and facts come from it */
	enum ht_program_kind kind;
	bool is_mandatory;
	bool is_on;                         /* loaded and, but for those of functions, attached */
	bool is_unused;                     /* not of the backend that was chosen (backend.h), or of no use on this kernel */
	bool is_replaced;                   /* off, and nothing is lost by it: another program does its work */
	char reason[HT_PROGRAM_REASON_MAX]; /* why not */
};

struct ht_programs_opts {
	struct ht_bpf_config config;
	size_t ring_bytes; /* power of two, a page at least */
	enum ht_uprobe_backend backend;
	enum ht_backend socket_backend; /* AUTO: the first that goes */
	const char *btf_path;           /* types in place of the kernel's own; NULL: that */
	const char *returns_refused;    /* why returns of functions must not be probed; NULL: they may */
	ht_log_fn log;                  /* may be NULL */
	void *log_ctx;
};

struct ht_programs;

/*
 * Loads. On failure NULL, errno, and one sentence in err. Where a kernel has all that the programs for recent kernels use, and refuses some of them, those for
 * older ones are tried, and taken if fewer are refused: features then lacks HT_FEATURE_PROGRAMS, and opts->backend may be another one.
 */
struct ht_programs *ht_programs_load(struct ht_programs_opts *opts, struct ht_features *features, char *err, size_t err_size);
/* Attaches tracepoint and cgroup programs. 0, or -errno and a sentence if an indispensable one is refused. */
int ht_programs_attach(struct ht_programs *programs, const struct ht_features *features, char *err, size_t err_size);
/* -ENOENT: there is none. */
int ht_programs_map_fd(const struct ht_programs *programs, const char *name);
/* The program for a group's entries, returns, or both; -ENOENT: there is none, it was refused, or the others do its work. */
int ht_programs_uprobe_fd(const struct ht_programs *programs, enum ht_site_group group, enum ht_uprobe_side side);
/* Whether the kernel tells programs no cookies: each site's program is then ht_programs_site_fd()'s, the fd or -errno. */
bool ht_programs_lack_cookies(const struct ht_programs *programs);
int ht_programs_site_fd(struct ht_programs *programs, enum ht_site_group group, int prog_fd, uint64_t cookie);
/* All programs, for reports. */
const struct ht_program_state *ht_programs_states(const struct ht_programs *programs, size_t *cnt);
/* How many there are, and whether the n-th would be tried here. Loads nothing. */
size_t ht_programs_cnt(void);
struct ht_program_state ht_programs_plan(size_t n, const struct ht_features *features, const struct ht_backend_choice *choice);
/* By what sockets are heard of, and why not by what comes before it. */
const struct ht_backend_choice *ht_programs_backend(const struct ht_programs *programs);
/* How closes of Unix sockets are heard of, for --features. Static. */
const char *ht_programs_unix_closes(const struct ht_programs *programs);
/* Detaches and unloads. NULL is allowed. */
void ht_programs_free(struct ht_programs *programs);

#endif
