/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * live_thread.c - a thread that does nothing but give children their probes: with real-time priority where that is allowed, as the child of a shell on
 * a busy machine makes its first call a few milliseconds after fork, whatever the reports are being delivered meanwhile.
 *
 * In:  the ring's wake-ups (BPF forces one at a followed fork). Out: what ht_live_follow_record() does, under live->lock. It calls none of the caller's
 * functions.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "source/live_impl.h"

/* A record that was not finished at the wake-up may be a fork; it is finished soon. A program that was executed maps its libraries soon, too. */
#define SOON_MS 1

static void *follow(void *arg)
{
	struct ht_live *live = arg;
	struct epoll_event events[2];
	int wait_ms = -1;
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	while (!__atomic_load_n(&live->is_thread_ending, __ATOMIC_ACQUIRE)) {
		if (epoll_wait(live->thread_epoll_fd, events, 2, wait_ms) < 0 && errno != EINTR)
			break;
		pthread_mutex_lock(&live->lock);
		ht_ring_scan(&live->ring, ht_live_follow_record, live);
		if (ht_live_expects_maps(live))
			ht_live_follow_maps(live);
		wait_ms = live->ring.unfinished_cnt || ht_live_expects_maps(live) ? SOON_MS : -1;
		pthread_mutex_unlock(&live->lock);
	}
	return NULL;
}

/* The caller's thread and this one hold the lock in turns: who waits with real-time priority lends it. */
static void init_lock(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	if (pthread_mutex_init(lock, &attr))
		pthread_mutex_init(lock, NULL);
	pthread_mutexattr_destroy(&attr);
}

void ht_live_thread_init(struct ht_live *live)
{
	init_lock(&live->lock);
	live->thread_epoll_fd = live->thread_stop_fd = -1;
}

int ht_live_thread_start(struct ht_live *live, int ring_fd)
{
	struct epoll_event ring = { .events = EPOLLIN | EPOLLET }, stop = { .events = EPOLLIN };
	struct sched_param lowest = { .sched_priority = sched_get_priority_min(SCHED_RR) };
	int err;

	live->thread_epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	live->thread_stop_fd = eventfd(0, EFD_CLOEXEC);
	if (live->thread_epoll_fd < 0 || live->thread_stop_fd < 0 || epoll_ctl(live->thread_epoll_fd, EPOLL_CTL_ADD, ring_fd, &ring) ||
	    epoll_ctl(live->thread_epoll_fd, EPOLL_CTL_ADD, live->thread_stop_fd, &stop))
		return -errno;
	err = pthread_create(&live->thread, NULL, follow, live);
	if (err)
		return -err;
	live->has_thread = true;
	live->rt_policy = pthread_setschedparam(live->thread, SCHED_RR, &lowest) ? SCHED_OTHER : SCHED_RR;
	live->rt_param = live->rt_policy == SCHED_RR ? lowest : (struct sched_param){ 0 };
	return 0;
}

void ht_live_thread_end(struct ht_live *live)
{
	const uint64_t one = 1;

	if (live->has_thread) {
		__atomic_store_n(&live->is_thread_ending, true, __ATOMIC_RELEASE);
		while (write(live->thread_stop_fd, &one, sizeof(one)) < 0 && errno == EINTR)
			continue;
		pthread_join(live->thread, NULL);
		live->has_thread = false;
	}
	if (live->thread_epoll_fd >= 0)
		close(live->thread_epoll_fd);
	if (live->thread_stop_fd >= 0)
		close(live->thread_stop_fd);
	pthread_mutex_destroy(&live->lock);
}
