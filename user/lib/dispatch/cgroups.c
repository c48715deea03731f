/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * cgroups.c - see cgroups.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "dispatch/cgroups.h"
#include "source/cgroup.h"
#include "util/map.h"

/* In a remembered process's bits: which tells an empty set from nothing. */
#define IS_KNOWN ((uintptr_t)1 << HT_CGROUPS_MAX)

static_assert(sizeof(uintptr_t) * 8 > HT_CGROUPS_MAX, "a bit for each filter, and one more");

struct ht_cgroups {
	struct ht_cgroup *filters[HT_CGROUPS_MAX];
	unsigned int cnt;
	struct ht_map pids; /* to bits */
};

struct ht_cgroups *ht_cgroups_new(void)
{
	return calloc(1, sizeof(struct ht_cgroups));
}

void ht_cgroups_free(struct ht_cgroups *cgroups)
{
	if (!cgroups)
		return;
	for (unsigned int i = 0; i < HT_CGROUPS_MAX; i++)
		free(cgroups->filters[i]);
	ht_map_free(&cgroups->pids);
	free(cgroups);
}

static void forget(struct ht_cgroups *cgroups)
{
	ht_map_free(&cgroups->pids);
	cgroups->pids = (struct ht_map){ 0 };
}

int ht_cgroups_add(struct ht_cgroups *cgroups, const char *path)
{
	struct ht_cgroup *filter;
	unsigned int n = 0;
	int err;

	while (n < HT_CGROUPS_MAX && cgroups->filters[n])
		n++;
	if (n == HT_CGROUPS_MAX)
		return -ENOSPC;
	filter = malloc(sizeof(*filter));
	if (!filter)
		return -ENOMEM;
	err = ht_cgroup_find(path, filter);
	if (err) {
		free(filter);
		return err;
	}
	cgroups->filters[n] = filter;
	cgroups->cnt++;
	/* Nobody has been looked up for it. */
	forget(cgroups);
	return (int)n;
}

void ht_cgroups_remove(struct ht_cgroups *cgroups, unsigned int n)
{
	free(cgroups->filters[n]);
	cgroups->filters[n] = NULL;
	cgroups->cnt--;
	forget(cgroups);
}

/* The process's bits, by the id of its cgroup (0: not known) or by /proc; 0: it is gone. */
static uintptr_t look_up(const struct ht_cgroups *cgroups, pid_t pid, uint64_t cgroup_id)
{
	uintptr_t bits = IS_KNOWN;

	for (unsigned int i = 0; i < HT_CGROUPS_MAX; i++) {
		int ret = cgroups->filters[i] ? ht_cgroup_has_id(cgroups->filters[i], cgroup_id) : 0;

		if (ret < 0)
			ret = ht_cgroup_has_pid(cgroups->filters[i], pid);
		if (ret < 0)
			return 0;
		bits |= (uintptr_t)ret << i;
	}
	return bits;
}

static uintptr_t remember(struct ht_cgroups *cgroups, pid_t pid, uintptr_t bits)
{
	if (!bits)
		return 0;
	if (cgroups->pids.cnt >= HT_CGROUPS_PIDS_MAX)
		forget(cgroups);
	/* Without memory it is looked up again. */
	ht_map_put(&cgroups->pids, (uint32_t)pid, (void *)bits);
	return bits;
}

void ht_cgroups_record(struct ht_cgroups *cgroups, const struct ht_rec_proc *rec, bool is_after)
{
	pid_t pid = (pid_t)rec->hdr.tgid;
	uintptr_t bits;

	if (!cgroups->cnt)
		return;
	/* Its requests are reported while the engine has the record. */
	if (rec->op == HT_PROC_EXIT) {
		if (is_after)
			ht_map_take(&cgroups->pids, (uint32_t)pid);
		return;
	}
	if (is_after)
		return;
	/* At fork the id is that of the parent, which may have put it elsewhere. */
	bits = look_up(cgroups, pid, rec->op == HT_PROC_EXEC ? rec->cgroup_id : 0);
	if (!bits && rec->op == HT_PROC_FORK)
		bits = (uintptr_t)ht_map_get(&cgroups->pids, rec->ppid);
	remember(cgroups, pid, bits);
}

bool ht_cgroups_has(void *ctx, pid_t pid, unsigned int n)
{
	struct ht_cgroups *cgroups = ctx;
	uintptr_t bits = (uintptr_t)ht_map_get(&cgroups->pids, (uint32_t)pid);

	if (!bits)
		bits = remember(cgroups, pid, look_up(cgroups, pid, 0));
	return bits >> n & 1;
}
