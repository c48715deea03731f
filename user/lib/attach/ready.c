/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ready.c - see ready.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "attach/ready.h"
#include "attach/uprobe.h"

/* Well below the 8 ms after which the kernel is no longer ready. */
#define EVERY_NS    3500000ULL
#define PAUSE_NS    6000000ULL
#define STACK_BYTES (64 * 1024)
/* An x86 nop; elsewhere it is as good as any byte: nothing ever runs it. */
#define FILE_BYTE   0x90
#define FILE_BYTES  4096

struct ht_ready {
	int prog_fd;
	int policy;
	struct sched_param param;
	int file_fd;
	char path[32];
	pthread_mutex_t lock;        /* all below */
	pthread_cond_t changed;      /* for the thread that waits for its turn */
	pthread_cond_t changed_idle; /* for the others */
	bool has_leader;
	uint64_t until_ns;
	uint64_t next_ns;
	bool is_ending;
	unsigned int thread_cnt;
	pthread_t threads[HT_READY_THREADS];
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

static int make_file(struct ht_ready *ready)
{
	unsigned char bytes[FILE_BYTES];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = FILE_BYTE;
	ready->file_fd = memfd_create("httptrace-bpf", MFD_CLOEXEC);
	if (ready->file_fd < 0)
		return -errno;
	if (write(ready->file_fd, bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes))
		return -ENOSPC;
	snprintf(ready->path, sizeof(ready->path), "/proc/self/fd/%d", ready->file_fd);
	return 0;
}

struct ht_ready *ht_ready_new(int prog_fd, int policy, int priority)
{
	struct ht_ready *ready = calloc(1, sizeof(*ready));
	pthread_condattr_t attr;
	int err;

	if (!ready)
		return NULL;
	ready->prog_fd = prog_fd;
	ready->policy = policy;
	ready->param.sched_priority = priority;
	pthread_mutex_init(&ready->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&ready->changed, &attr);
	pthread_cond_init(&ready->changed_idle, &attr);
	pthread_condattr_destroy(&attr);
	err = make_file(ready);
	if (!err)
		return ready;
	ht_ready_free(ready);
	errno = -err;
	return NULL;
}

static void touch(const struct ht_ready *ready)
{
	const uint64_t zero = 0;
	struct ht_uprobe_sites sites = { .path = ready->path, .offs = &zero, .cookies = &zero, .cnt = 1 };
	int fd;

	if (ht_uprobe_attach(HT_UPROBE_MULTI, ready->prog_fd, &sites, &fd) == 1)
		close(fd);
}

/* Until next_ns, which may be put off meanwhile. The lock is held. */
static void wait_turn(struct ht_ready *ready)
{
	while (!ready->is_ending && now_ns() < ready->next_ns) {
		uint64_t ns = ready->next_ns;
		struct timespec at = { .tv_sec = (time_t)(ns / 1000000000ULL), .tv_nsec = (long)(ns % 1000000000ULL) };

		pthread_cond_timedwait(&ready->changed, &ready->lock, &at);
	}
}

/* One thread waits for the next turn; it makes another one do so before it takes the turn, as that takes tens of milliseconds. */
static void *run(void *arg)
{
	struct ht_ready *ready = arg;
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	pthread_mutex_lock(&ready->lock);
	while (!ready->is_ending) {
		if (ready->has_leader || now_ns() >= ready->until_ns) {
			pthread_cond_wait(&ready->changed_idle, &ready->lock);
			continue;
		}
		ready->has_leader = true;
		wait_turn(ready);
		ready->has_leader = false;
		if (ready->is_ending)
			break;
		ready->next_ns = now_ns() + EVERY_NS;
		pthread_cond_signal(&ready->changed_idle);
		pthread_mutex_unlock(&ready->lock);
		touch(ready);
		pthread_mutex_lock(&ready->lock);
	}
	pthread_mutex_unlock(&ready->lock);
	return NULL;
}

static void start(struct ht_ready *ready)
{
	pthread_attr_t attr;
	bool is_given;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	is_given = !pthread_attr_setschedpolicy(&attr, ready->policy) && !pthread_attr_setschedparam(&attr, &ready->param) &&
		   !pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	while (ready->thread_cnt < HT_READY_THREADS) {
		if (!pthread_create(&ready->threads[ready->thread_cnt], &attr, run, ready)) {
			ready->thread_cnt++;
		} else if (is_given) { /* not allowed */
			is_given = false;
			pthread_attr_setinheritsched(&attr, PTHREAD_INHERIT_SCHED);
		} else {
			break;
		}
	}
	pthread_attr_destroy(&attr);
}

void ht_ready_pause(struct ht_ready *ready)
{
	pthread_mutex_lock(&ready->lock);
	ready->next_ns = now_ns() + PAUSE_NS;
	pthread_mutex_unlock(&ready->lock);
}

void ht_ready_until(struct ht_ready *ready, uint64_t until_ns)
{
	pthread_mutex_lock(&ready->lock);
	if (until_ns > ready->until_ns) {
		ready->until_ns = until_ns;
		if (!ready->thread_cnt)
			start(ready);
		pthread_cond_signal(&ready->changed_idle);
	}
	pthread_mutex_unlock(&ready->lock);
}

void ht_ready_free(struct ht_ready *ready)
{
	if (!ready)
		return;
	pthread_mutex_lock(&ready->lock);
	ready->is_ending = true;
	pthread_cond_broadcast(&ready->changed);
	pthread_cond_broadcast(&ready->changed_idle);
	pthread_mutex_unlock(&ready->lock);
	for (unsigned int i = 0; i < ready->thread_cnt; i++)
		pthread_join(ready->threads[i], NULL);
	if (ready->file_fd >= 0)
		close(ready->file_fd);
	pthread_cond_destroy(&ready->changed);
	pthread_cond_destroy(&ready->changed_idle);
	pthread_mutex_destroy(&ready->lock);
	free(ready);
}
