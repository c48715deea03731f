/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * output.c - see output.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"

/* What a pipe holds, if nobody changed it (pipe(7)); a regular file takes any length in one go. */
#define BATCH_BYTES 65536

/* How often a reader that takes nothing is asked after, and how often in vain when we are to end, which is to take a second at most. */
#define ASK_MS  100
#define ASK_CNT 5

void ht_output_open(struct ht_output *output, int fd, bool is_shared, bool (*is_urgent)(void *ctx), void *ctx)
{
	bool is_pipe = false;
	struct stat st;
	char path[32];
	int flags;

	*output = (struct ht_output){ .fd = fd, .pipe_fd = -1, .is_shared = is_shared, .is_urgent = is_urgent, .ctx = ctx };
	if (!fstat(fd, &st)) {
		output->is_file = S_ISREG(st.st_mode);
		is_pipe = S_ISFIFO(st.st_mode);
	}
	/* pipe(7): writes of up to PIPE_BUF bytes are not mixed with other writers'. */
	output->batch_bytes = !is_shared && (output->is_file || is_pipe) ? BATCH_BYTES : PIPE_BUF;
	flags = fcntl(fd, F_GETFL);
	if (!is_pipe || flags < 0 || flags & O_NONBLOCK)
		return;
	/* Where that is refused, a reader that takes nothing holds us until it does. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	output->pipe_fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | (flags & O_DIRECT));
}

void ht_output_close(struct ht_output *output)
{
	if (output->pipe_fd >= 0)
		close(output->pipe_fd);
	output->pipe_fd = -1;
}

/* Until there is room. 0 or -ETIMEDOUT. */
static int wait_for_reader(const struct ht_output *output, int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLOUT };
	int asked_cnt = 0;

	while (!poll(&pollfd, 1, ASK_MS))
		if (output->is_urgent && output->is_urgent(output->ctx) && ++asked_cnt >= ASK_CNT)
			return -ETIMEDOUT;
	return 0;
}

/* 0 or -errno; *done bytes were written in any case. */
static int write_all(const struct ht_output *output, const char *data, size_t len, size_t *done)
{
	int fd = output->pipe_fd >= 0 ? output->pipe_fd : output->fd, err;

	for (*done = 0; *done < len;) {
		ssize_t n = write(fd, data + *done, len - *done);

		if (n >= 0) {
			*done += (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		err = wait_for_reader(output, fd);
		if (err)
			return err;
	}
	return 0;
}

/* The part of a line that stands at the end of what was written. */
static size_t torn_bytes(const char *data, size_t done)
{
	const char *end = done ? memrchr(data, '\n', done) : NULL;

	return end ? (size_t)(data + done - (end + 1)) : done;
}

/* Takes the last bytes of a file back, if they are the last still. */
static bool take_back(const struct ht_output *output, size_t bytes)
{
	off_t end = lseek(output->fd, 0, SEEK_CUR);
	struct stat st;

	if (!output->is_file || output->is_shared || end < (off_t)bytes || fstat(output->fd, &st) || st.st_size != end)
		return false;
	return !ftruncate(output->fd, end - (off_t)bytes) && lseek(output->fd, end - (off_t)bytes, SEEK_SET) >= 0;
}

static int write_batch(struct ht_output *output, const char *data, size_t len)
{
	size_t done, torn;
	int err = write_all(output, data, len, &done);

	if (!err)
		return 0;
	torn = torn_bytes(data, done);
	output->is_torn = torn && !take_back(output, torn);
	return err;
}

int ht_output_write(struct ht_output *output, const char *data, size_t len)
{
	int err = 0;

	/* What another writer could cut in two goes line by line, so that lines at least stay whole. */
	if (!output->is_shared || output->is_file || len <= output->batch_bytes)
		return len ? write_batch(output, data, len) : 0;
	while (len && !err) {
		const char *end = memchr(data, '\n', len);
		size_t line = end ? (size_t)(end + 1 - data) : len;

		err = write_batch(output, data, line);
		data += line;
		len -= line;
	}
	return err;
}
