/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* filter.bpf.h - which processes are looked at. Asked before anything is copied. */
#ifndef HT_FILTER_BPF_H
#define HT_FILTER_BPF_H

#include "maps.bpf.h"

static __always_inline int ht_allowed(__u32 tgid)
{
	if (tgid == ht_config.self_tgid)
		return 0;
	if (!(ht_config.flags & HT_CFG_FILTERED))
		return 1;
	return bpf_map_lookup_elem(&traced, &tgid) != NULL;
}

#endif
