/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * live_clock.c - tells the wall clock's distance from CLOCK_MONOTONIC, by which everything is timed: at the beginning, when somebody has set the clock
 * (or the machine has slept), and now and then, as NTP slews it.
 *
 * In:  the clocks, a timer that the kernel cancels when the wall clock is set. Out: HT_REC_CLOCK in the live source's queue.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "source/live_impl.h"

/* NTP slews by 500 ppm at most: 30 ms a minute. */
#define CHECK_EVERY_NS 60000000000ULL
/* Not told: what reports of milliseconds do not show. */
#define DRIFT_MIN_NS   1000000LL
#define READINGS       5

static uint64_t realtime_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

/* Both clocks at one instant: the try with the least time between two readings of the one, the other in their middle. */
static void read_both(uint64_t *mono_ns, uint64_t *realtime_ns)
{
	uint64_t best_ns = UINT64_MAX;

	for (int i = 0; i < READINGS; i++) {
		uint64_t before_ns = ht_live_now_ns(), real_ns = realtime_now_ns(), between_ns = ht_live_now_ns() - before_ns;

		if (between_ns >= best_ns)
			continue;
		best_ns = between_ns;
		*mono_ns = before_ns + between_ns / 2;
		*realtime_ns = real_ns;
	}
}

/* min_change_ns: a smaller one is not told. */
static void tell(struct ht_live *live, uint64_t now_ns, int64_t min_change_ns)
{
	uint64_t mono_ns = now_ns, realtime_ns = 0;
	struct ht_rec_clock *rec;
	int64_t offset_ns, change_ns;

	live->clock_check_ns = now_ns;
	read_both(&mono_ns, &realtime_ns);
	offset_ns = (int64_t)(realtime_ns - mono_ns);
	change_ns = offset_ns - live->clock_offset_ns;
	if (change_ns > -min_change_ns && change_ns < min_change_ns)
		return;
	rec = ht_queue_add(&live->queue, HT_REC_CLOCK, sizeof(*rec), now_ns, 0);
	if (!rec)
		return;
	rec->mono_ns = mono_ns;
	rec->realtime_ns = realtime_ns;
	live->clock_offset_ns = offset_ns;
}

void ht_live_clock_start(struct ht_live *live, uint64_t now_ns)
{
	tell(live, now_ns, 0);
}

int ht_live_clock_watch(struct ht_live *live)
{
	/* Never due. */
	struct itimerspec spec = { .it_value.tv_sec = INT64_MAX };

	live->clock_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (live->clock_fd < 0 || timerfd_settime(live->clock_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec, NULL))
		return -errno;
	return live->clock_fd;
}

void ht_live_clock_check(struct ht_live *live, uint64_t now_ns)
{
	uint64_t expired_cnt;
	bool was_set = live->clock_fd >= 0 && read(live->clock_fd, &expired_cnt, sizeof(expired_cnt)) < 0 && errno == ECANCELED;

	if (was_set || now_ns - live->clock_check_ns > CHECK_EVERY_NS)
		tell(live, now_ns, DRIFT_MIN_NS);
}
