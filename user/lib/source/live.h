/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * live.h - the live source: loads the BPF programs, attaches them, follows processes and libraries, and delivers records.
 *
 * In:  the kernel. Out: records by struct ht_source_ops (source.h); first CLOCK and CONFIG, then facts about running processes, then events.
 */
#ifndef HT_LIVE_H
#define HT_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "attach/backend.h"
#include "source/source.h"

struct ht_live_opts {
	const pid_t *pids; /* pid_cnt 0: the whole system */
	size_t pid_cnt;
	bool is_following;       /* children started later, too */
	size_t ring_bytes;       /* 0 = default; else rounded up to a power of two of at least a page */
	unsigned int head_bytes; /* 0 = HT_HEAD_BYTES_DEFAULT */
	bool has_entry_sites;    /* probes on first instructions of public functions only (attach/sites.h) */
	const char *btf_path;    /* types in place of the kernel's own; NULL: that */
	enum ht_backend backend; /* how sockets are heard of (attach/backend.h); AUTO: the first that goes */
	uint32_t without;        /* features taken as missing, for tests (attach/features.h) */
	ht_log_fn log;           /* may be NULL */
	void *log_ctx;
	void (*attached)(void *ctx); /* may be NULL; everything is attached, no thread has been started */
	void *attached_ctx;
	/* Processes that match, now or later, in addition to pids; both given: that match both. NULL: not asked for. */
	const char *comm;   /* glob (util/glob.h) */
	const char *cgroup; /* as in source/cgroup.h */
};

/* Everything attached when it returns. On failure NULL, errno, and one sentence in err (what, on what, why, what next). */
struct ht_source *ht_live_open(const struct ht_live_opts *opts, char *err, size_t err_len);

typedef void (*ht_line_fn)(const char *line, void *ctx);
/* The bodies of httptrace__targets() and httptrace__features(). 0 or -errno. */
int ht_live_targets(const struct ht_live_opts *opts, ht_line_fn fn, void *ctx);
int ht_live_features(const struct ht_live_opts *opts, ht_line_fn fn, void *ctx);

#endif
