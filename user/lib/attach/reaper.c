/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * reaper.c - see reaper.h. Threads end when the queue is empty: an idle tracer has none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Since glibc 2.34; the same number everywhere. */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

#include "attach/reaper.h"

#define THREAD_STACK_BYTES (128 * 1024)

struct ht_reaper {
	pthread_mutex_t lock;
	pthread_cond_t has_ended; /* a thread is about to return */
	pthread_attr_t thread_attr;
	int *fds; /* a stack: the order does not matter */
	size_t fd_cnt;
	size_t fd_room;
	size_t thread_cnt;
	size_t closing_cnt;
	pthread_t ended[HT_REAPER_THREADS_MAX]; /* to be joined */
	size_t ended_cnt;
};

struct ht_reaper *ht_reaper_new(void)
{
	struct ht_reaper *reaper = calloc(1, sizeof(*reaper));

	if (!reaper)
		return NULL;
	pthread_mutex_init(&reaper->lock, NULL);
	pthread_cond_init(&reaper->has_ended, NULL);
	pthread_attr_init(&reaper->thread_attr);
	pthread_attr_setstacksize(&reaper->thread_attr, THREAD_STACK_BYTES);
	return reaper;
}

static void *close_all(void *arg)
{
	struct ht_reaper *reaper = arg;

	pthread_mutex_lock(&reaper->lock);
	while (reaper->fd_cnt) {
		int fd = reaper->fds[--reaper->fd_cnt];

		reaper->closing_cnt++;
		pthread_mutex_unlock(&reaper->lock);
		close(fd);
		pthread_mutex_lock(&reaper->lock);
		reaper->closing_cnt--;
	}
	reaper->thread_cnt--;
	reaper->ended[reaper->ended_cnt++] = pthread_self();
	pthread_cond_signal(&reaper->has_ended);
	pthread_mutex_unlock(&reaper->lock);
	return NULL;
}

/* Called with the lock held, which a thread that is in `ended` wants no more. */
static void join_ended(struct ht_reaper *reaper)
{
	while (reaper->ended_cnt)
		pthread_join(reaper->ended[--reaper->ended_cnt], NULL);
}

/* Called with the lock held. */
static void start_threads(struct ht_reaper *reaper)
{
	size_t wanted = reaper->fd_cnt + reaper->closing_cnt;
	sigset_t all, old;
	pthread_t thread;

	if (wanted > HT_REAPER_THREADS_MAX)
		wanted = HT_REAPER_THREADS_MAX;
	/* Not more threads than there is room for in `ended`. */
	join_ended(reaper);
	/* The program's signal handlers expect its own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (reaper->thread_cnt < wanted && !pthread_create(&thread, &reaper->thread_attr, close_all, reaper))
		reaper->thread_cnt++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void ht_reaper_take(struct ht_reaper *reaper, const int *fds, size_t cnt)
{
	size_t kept_cnt = 0;

	pthread_mutex_lock(&reaper->lock);
	if (reaper->fd_cnt + cnt > reaper->fd_room) {
		size_t room = 2 * (reaper->fd_cnt + cnt);
		int *grown = realloc(reaper->fds, room * sizeof(*grown));

		if (grown) {
			reaper->fds = grown;
			reaper->fd_room = room;
		}
	}
	while (kept_cnt < cnt && reaper->fd_cnt < reaper->fd_room)
		reaper->fds[reaper->fd_cnt++] = fds[kept_cnt++];
	pthread_mutex_unlock(&reaper->lock);
	while (kept_cnt < cnt)
		close(fds[kept_cnt++]);
}

void ht_reaper_run(struct ht_reaper *reaper)
{
	pthread_mutex_lock(&reaper->lock);
	start_threads(reaper);
	if (!reaper->thread_cnt) {
		while (reaper->fd_cnt)
			close(reaper->fds[--reaper->fd_cnt]);
	}
	pthread_mutex_unlock(&reaper->lock);
}

/*
 * In a child: closes all but what is kept, waits until the parent has done so with those, and ends, by which the kernel closes them. System calls only: another
 * thread may have held any lock. kept: of each descriptor below cnt.
 */
static void __attribute__((noreturn)) hold(const bool *kept, int cnt, int wait_fd)
{
	char byte;

	for (int fd = 0; fd < cnt; fd++) {
		if (!kept[fd] && fd != wait_fd)
			close(fd);
	}
	/* 5.9; else those above stay open, too: the program's, until we end. */
	syscall(SYS_close_range, cnt, ~0U, 0);
	while (read(wait_fd, &byte, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

/* A child's child, so that nobody has to wait for it. 0 or -errno. The lock is held. */
static int leave_to_child(const bool *kept, int cnt, const int *pipe_fds)
{
	sigset_t all, old;
	int status, err = 0;
	pid_t pid;

	/* The program's handlers are not for it, nor is a signal to the program's group. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL); /* no SIGCHLD at its end */
	if (pid == 0) {
		pid = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
		if (pid == 0) {
			setsid();
			hold(kept, cnt, pipe_fds[0]);
		}
		_exit(pid < 0);
	}
	if (pid < 0)
		err = -errno;
	while (pid > 0 && waitpid(pid, &status, __WALL) < 0) {
		if (errno != EINTR) {
			err = -errno;
			break;
		}
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err ? err : WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EAGAIN;
}

void ht_reaper_leave(struct ht_reaper *reaper)
{
	int pipe_fds[2] = { -1, -1 }, cnt = 0, err = -ENOMEM;
	bool *kept = NULL;

	pthread_mutex_lock(&reaper->lock);
	for (size_t i = 0; i < reaper->fd_cnt; i++)
		cnt = reaper->fds[i] >= cnt ? reaper->fds[i] + 1 : cnt;
	if (cnt && !pipe2(pipe_fds, O_CLOEXEC)) {
		for (int i = 0; i < 2; i++)
			cnt = pipe_fds[i] >= cnt ? pipe_fds[i] + 1 : cnt;
		kept = calloc((size_t)cnt, sizeof(*kept));
	}
	if (kept) {
		for (size_t i = 0; i < reaper->fd_cnt; i++)
			kept[reaper->fds[i]] = true;
		err = leave_to_child(kept, cnt, pipe_fds);
	}
	/* At once, as the child has them, too. */
	while (!err && reaper->fd_cnt)
		close(reaper->fds[--reaper->fd_cnt]);
	pthread_mutex_unlock(&reaper->lock);
	/* Now it may end. */
	for (int i = 0; i < 2; i++) {
		if (pipe_fds[i] >= 0)
			close(pipe_fds[i]);
	}
	free(kept);
	if (err)
		ht_reaper_run(reaper);
}

size_t ht_reaper_pending(struct ht_reaper *reaper)
{
	size_t cnt;

	pthread_mutex_lock(&reaper->lock);
	cnt = reaper->fd_cnt;
	pthread_mutex_unlock(&reaper->lock);
	return cnt;
}

void ht_reaper_free(struct ht_reaper *reaper)
{
	if (!reaper)
		return;
	ht_reaper_run(reaper);
	pthread_mutex_lock(&reaper->lock);
	while (reaper->thread_cnt)
		pthread_cond_wait(&reaper->has_ended, &reaper->lock);
	join_ended(reaper);
	pthread_mutex_unlock(&reaper->lock);
	pthread_attr_destroy(&reaper->thread_attr);
	pthread_cond_destroy(&reaper->has_ended);
	pthread_mutex_destroy(&reaper->lock);
	free(reaper->fds);
	free(reaper);
}
