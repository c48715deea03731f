/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * losses.h - counts of lost events by place.
 *
 * In:  place and count. Out: counters, in the order in which places were first named, "ringbuf" always and first. Limit: HT_LOSSES_MAX
 * places; what has no place of its own is counted as "other".
 */
#ifndef HT_LOSSES_H
#define HT_LOSSES_H

#include <stddef.h>
#include <stdint.h>

#include "httptrace.h"

#define HT_LOSSES_MAX 16

struct ht_losses {
	struct {
		char where[24]; /* as in struct ht_rec_lost */
		uint64_t count;
	} places[HT_LOSSES_MAX];
	size_t place_cnt;
};

/* Zeroed is empty. */
void ht_losses_add(struct ht_losses *losses, const char *where, uint64_t count);
/* Returns how many were filled, at most max. Names live in losses. */
size_t ht_losses_fill(struct ht_losses *losses, struct httptrace_counter *counters, size_t max);

#endif
