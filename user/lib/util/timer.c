/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * timer.c - a binary heap of pointers; every timer knows its slot, so that cancelling needs no search.
 */
#include "util/timer.h"

#include <errno.h>
#include <stdlib.h>

static bool is_before(const struct ht_timer *a, const struct ht_timer *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void place(struct ht_timers *timers, size_t i, struct ht_timer *timer)
{
	timers->heap[i] = timer;
	timer->slot = i + 1;
}

static void sift(struct ht_timers *timers, size_t i)
{
	struct ht_timer *timer = timers->heap[i];

	while (i && is_before(timer, timers->heap[(i - 1) / 2])) {
		place(timers, i, timers->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= timers->cnt)
			break;
		if (child + 1 < timers->cnt && is_before(timers->heap[child + 1], timers->heap[child]))
			child++;
		if (!is_before(timers->heap[child], timer))
			break;
		place(timers, i, timers->heap[child]);
		i = child;
	}
	place(timers, i, timer);
}

int ht_timer_set(struct ht_timers *timers, struct ht_timer *timer, uint64_t at_ns, void (*fire)(void *object, uint64_t at_ns), void *object)
{
	timer->at_ns = at_ns;
	timer->order = timers->order++;
	timer->fire = fire;
	timer->object = object;
	if (!timer->slot) {
		if (timers->cnt == timers->cap) {
			size_t cap = timers->cap ? timers->cap * 2 : 64;
			struct ht_timer **heap = realloc(timers->heap, cap * sizeof(*heap));

			if (!heap)
				return -ENOMEM;
			timers->heap = heap;
			timers->cap = cap;
		}
		place(timers, timers->cnt++, timer);
	}
	sift(timers, timer->slot - 1);
	return 0;
}

void ht_timer_cancel(struct ht_timers *timers, struct ht_timer *timer)
{
	size_t i = timer->slot - 1;

	if (!timer->slot)
		return;
	timer->slot = 0;
	timers->cnt--;
	if (i < timers->cnt) {
		place(timers, i, timers->heap[timers->cnt]);
		sift(timers, i);
	}
}

void ht_timers_run(struct ht_timers *timers, uint64_t now_ns)
{
	while (timers->cnt && timers->heap[0]->at_ns <= now_ns) {
		struct ht_timer *timer = timers->heap[0];

		ht_timer_cancel(timers, timer);
		timer->fire(timer->object, timer->at_ns);
	}
}

uint64_t ht_timers_next_ns(const struct ht_timers *timers)
{
	return timers->cnt ? timers->heap[0]->at_ns : 0;
}

void ht_timers_free(struct ht_timers *timers)
{
	free(timers->heap);
	*timers = (struct ht_timers){ 0 };
}
