/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rights.h - the calling thread's capabilities (capabilities(7)): which there are, and which tracing uses.
 *
 * In:  capget(2). Out: sets as bits 1 << CAP_*; nothing is owned.
 */
#ifndef HT_RIGHTS_H
#define HT_RIGHTS_H

#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>

#include "attach/features.h"

/* Since Linux 5.8 and 5.9: missing in older headers. */
#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif
#ifndef CAP_CHECKPOINT_RESTORE
#define CAP_CHECKPOINT_RESTORE 40
#endif

struct ht_rights {
	uint64_t permitted;
	uint64_t effective;
};

/* 0 or -errno. */
int ht_rights_read(struct ht_rights *rights);

/* number: of what is permitted; name: of what is wanted, for which CAP_SYS_ADMIN may stand. why: what for. Static. */
typedef void (*ht_right_fn)(void *ctx, unsigned int number, const char *name, const char *why);
/*
 * Those of the permitted ones that a live trace uses once it is attached. What perf events take is tried, for which the thread's effective
 * capabilities are others for a moment. 0 or -errno.
 */
int ht_rights_needed(const char *btf_path, uint32_t without, ht_right_fn fn, void *ctx);

#endif
