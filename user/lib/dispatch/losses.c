/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * losses.c - see losses.h.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "dispatch/losses.h"

void ht_losses_add(struct ht_losses *losses, const char *where, uint64_t count)
{
	size_t i;

	if (!losses->place_cnt) {
		strcpy(losses->places[0].where, "ringbuf");
		losses->place_cnt = 1;
	}
	for (i = 0; i < losses->place_cnt; i++)
		if (!strncmp(losses->places[i].where, where, sizeof(losses->places[i].where) - 1))
			break;
	if (i == losses->place_cnt) {
		if (i == HT_LOSSES_MAX - 1)
			where = "other";
		if (i == HT_LOSSES_MAX) {
			i--;
		} else {
			snprintf(losses->places[i].where, sizeof(losses->places[i].where), "%s", where);
			losses->place_cnt++;
		}
	}
	losses->places[i].count += count;
}

size_t ht_losses_fill(struct ht_losses *losses, struct httptrace_counter *counters, size_t max)
{
	size_t i;

	ht_losses_add(losses, "ringbuf", 0);
	for (i = 0; i < losses->place_cnt && i < max; i++)
		counters[i] = (struct httptrace_counter){ losses->places[i].where, losses->places[i].count };
	return i;
}
