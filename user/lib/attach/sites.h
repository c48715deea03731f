/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sites.h - which functions of which libraries are probed, and at which instruction: the one place that decides it.
 *
 * In:  a library file. Out: a plan, by value: for each function its id (config.h), its sites (file offset, entry or return) and, where it has none, why.
 * The instruction is the chooser's choice (chooser.h): cheap where that is proven, else the function's first; always that one where the user wants it.
 */
#ifndef HT_SITES_H
#define HT_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attach/chooser.h"

/* Which pair of BPF programs serves a library's functions. */
enum ht_site_group { HT_SITES_OPENSSL, HT_SITES_CRYPTO, HT_SITES_DNS, HT_SITES_NGHTTP2, HT_SITES_GROUP_CNT };

#define HT_SITES_MAX 24 /* functions of a group, with those that are not public */

struct ht_site_fn {
	const char *name; /* static */
	uint32_t id;      /* HT_FN_*: the attach cookie */
	bool is_found;
	bool wants_entry;
	bool wants_return;
	uint64_t entry_off;  /* file offset of the instruction that the entry probe sits on; the same as return_off where both are wanted */
	uint64_t return_off; /* of the function's first instruction: the kernel takes the return address there */
	/* Of the instruction that is probed. */
	uint32_t moved_bytes; /* from the function's first one */
	enum ht_site_class site_class;
	char insn[48]; /* empty: it was not decoded */
	char why[160]; /* of the choice; with neither probe wanted: what serves the function instead */
};

struct ht_site_plan {
	enum ht_site_group group;
	size_t fn_cnt;
	size_t found_cnt;
	struct ht_site_fn fns[HT_SITES_MAX];
};

/* Whether a file of this name (no directory) is a known library that is probed wherever it is used; not 0 if it is. */
int ht_sites_match(const char *name);
/* The same of one that is of use only in processes whose connections may be older than the tracer (ht_probes_join()). */
int ht_sites_match_joined(const char *name);
/* Of the group's programs, for reports: "openssl". */
const char *ht_sites_group_name(enum ht_site_group group);
/*
 * Makes the plan of a library known by its name; has_entry_sites: at the first instructions of public functions only. 0; -ENOENT not a known name; -ESRCH none of the functions is there; else as ht_elfsym_find().
 * reason: why, on failure; always filled.
 */
int ht_sites_plan(int fd, const char *name, bool has_entry_sites, struct ht_site_plan *plan, char *reason, size_t reason_size);

#endif
