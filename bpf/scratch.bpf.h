/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * scratch.bpf.h - taking and giving back a per-CPU slot (maps.bpf.h says why they can be taken). Every path that takes one gives it
 * back.
 */
#ifndef HT_SCRATCH_BPF_H
#define HT_SCRATCH_BPF_H

#include "emit.bpf.h"

#ifdef HT_OLD
static __always_inline int ht_scratch_is_busy(struct ht_scratch *sc)
{
	return !ht_try(&sc->busy);
}

static __always_inline void ht_scratch_give(struct ht_scratch *sc)
{
	ht_leave(&sc->busy);
}
#else
static __always_inline int ht_scratch_is_busy(struct ht_scratch *sc)
{
	return __sync_lock_test_and_set(&sc->busy, 1) != 0;
}

static __always_inline void ht_scratch_give(struct ht_scratch *sc)
{
	sc->busy = 0;
}
#endif

static __always_inline struct ht_scratch *ht_scratch_take(void)
{
	struct ht_scratch *sc;
	__u32 i;

	for (i = 0; i < HT_SCRATCH_CNT; i++) {
		__u32 key = i;

		sc = bpf_map_lookup_elem(&scratch, &key);
		if (sc && !ht_scratch_is_busy(sc)) {
#ifdef HT_OLD
			sc->slot = i;
#endif
			return sc;
		}
	}
	ht_count(HT_CNT_LOST_SCRATCH);
	return NULL;
}

#endif
