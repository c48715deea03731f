/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * live_facts.c - records that user space adds to the stream, so that nothing above the source has to ask the system for anything.
 *
 * In:  /proc, the clocks, results of attaching. Out: records in the live source's queue.
 */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "source/live_impl.h"
#include "source/procfs.h"

uint64_t ht_live_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

void ht_live_queue_start(struct ht_live *live, unsigned int head_bytes, uint64_t now_ns)
{
	struct ht_rec_config *config;

	ht_live_clock_start(live, now_ns);
	config = ht_queue_add(&live->queue, HT_REC_CONFIG, sizeof(*config), now_ns, 0);
	if (config) {
		config->flags = live->is_filtered ? HT_CONFIG_FILTERED : 0;
		config->head_bytes = head_bytes;
	}
}

void ht_live_queue_fact(struct ht_live *live, pid_t pid, const struct ht_proc_info *info, uint64_t ts_ns)
{
	struct ht_proc_info own;
	struct ht_rec_proc *rec;
	size_t exe_len;

	if (!info) {
		if (ht_procfs_info(pid, &own))
			return;
		info = &own;
	}
	exe_len = strnlen(info->exe, HT_PROC_EXE_MAX);
	rec = ht_queue_add(&live->queue, HT_REC_PROC, offsetof(struct ht_rec_proc, exe) + exe_len, ts_ns, (uint32_t)pid);
	if (!rec)
		return;
	rec->ppid = (uint32_t)info->ppid;
	rec->uid = info->uid;
	rec->op = HT_PROC_FACT;
	rec->exe_len = (uint16_t)exe_len;
	memcpy(rec->comm, info->comm, sizeof(rec->comm));
	memcpy(rec->exe, info->exe, exe_len);
}

struct all_facts {
	struct ht_live *live;
	uint64_t ts_ns;
};

static int queue_one(void *ctx, pid_t pid)
{
	const struct all_facts *all = ctx;
	struct ht_proc_info info;

	if (!ht_procfs_info(pid, &info) && !info.is_kernel && !info.is_dead)
		ht_live_queue_fact(all->live, pid, &info, all->ts_ns);
	return 0;
}

void ht_live_queue_all_facts(struct ht_live *live, uint64_t ts_ns)
{
	struct all_facts all = { live, ts_ns };

	ht_procfs_each(queue_one, &all);
}

void ht_live_queue_target(struct ht_live *live, int action, const char *kind, pid_t pid, const char *path, const char *reason,
			  unsigned int probe_cnt)
{
	const char *parts[3] = { kind, path ? path : "", reason ? reason : "" };
	char text[HT_TARGET_TEXT_MAX];
	struct ht_rec_target *rec;
	size_t text_len = 0;

	for (size_t i = 0; i < 3; i++) {
		/* The rest needs its NULs. */
		size_t room = sizeof(text) - text_len - (3 - i), len = strnlen(parts[i], room);

		memcpy(text + text_len, parts[i], len);
		text_len += len;
		text[text_len++] = '\0';
	}
	rec = ht_queue_add(&live->queue, HT_REC_TARGET, sizeof(*rec) + text_len, ht_live_now_ns(), (uint32_t)pid);
	if (!rec)
		return;
	rec->action = (uint32_t)action;
	rec->probe_cnt = probe_cnt;
	rec->text_len = (uint32_t)text_len;
	memcpy(rec + 1, text, text_len);
}

void ht_live_queue_lost(struct ht_live *live, const char *where, uint64_t count)
{
	struct ht_rec_lost *rec = ht_queue_add(&live->queue, HT_REC_LOST, sizeof(*rec), ht_live_now_ns(), 0);

	if (!rec)
		return;
	rec->count = count;
	snprintf(rec->where, sizeof(rec->where), "%s", where);
}
