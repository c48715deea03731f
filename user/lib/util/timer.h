/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * timer.h - deadlines of objects, earliest first. Time is whatever the caller passes in: nothing here reads a clock. A timer lives inside its object,
 * which must cancel it before it is freed.
 */
#ifndef HT_TIMER_H
#define HT_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ht_timer {
	uint64_t at_ns;
	uint64_t order; /* of setting: equal deadlines fire in that order, so that a replay does as the live run did */
	size_t slot;    /* place in the heap + 1, 0 = not set */
	void (*fire)(void *object, uint64_t at_ns);
	void *object;
};

struct ht_timers {
	struct ht_timer **heap;
	size_t cnt, cap;
	uint64_t order;
};

/* Sets (or moves) a timer. 0 or -ENOMEM. */
int ht_timer_set(struct ht_timers *timers, struct ht_timer *timer, uint64_t at_ns, void (*fire)(void *object, uint64_t at_ns),
		 void *object);
void ht_timer_cancel(struct ht_timers *timers, struct ht_timer *timer);
static inline bool ht_timer_is_set(const struct ht_timer *timer)
{
	return timer->slot != 0;
}
/* Fires, in order, what is due at now_ns or before. */
void ht_timers_run(struct ht_timers *timers, uint64_t now_ns);
/* The earliest deadline, 0 none. */
uint64_t ht_timers_next_ns(const struct ht_timers *timers);
void ht_timers_free(struct ht_timers *timers);

#endif
