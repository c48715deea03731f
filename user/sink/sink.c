/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sink.c - see sink.h.
 *
 * Lines are gathered until ht_sink_flush(), or until the next would make the batch longer than what other writers of the same file cannot
 * cut in two.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sink.h"

/* A regular file takes any length in one go. */
#define FILE_BATCH_BYTES 65536

struct ht_sink {
	const struct ht_sink_type *type;
	struct ht_sink_opts opts;
	struct ht_buf out;
	size_t batch_bytes;
	int err;
};

static const struct ht_sink_type *const types[] = { &ht_sink_text, &ht_sink_hooks, &ht_sink_jsonl };

static const struct ht_sink_type *find_type(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i]->name, name))
			return types[i];
	return NULL;
}

bool ht_sink_exists(const char *name)
{
	return find_type(name);
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			/* Standard output may be non-blocking, as COMMAND or a shell made it so. */
			struct pollfd pollfd = { .fd = fd, .events = POLLOUT };

			poll(&pollfd, 1, -1);
			continue;
		}
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Writes the first len bytes of the buffer and takes them out of it. */
static void write_out(struct ht_sink *sink, size_t len)
{
	if (!sink->err && len)
		sink->err = write_all(sink->opts.fd, sink->out.data, len);
	if (len)
		memmove(sink->out.data, sink->out.data + len, sink->out.len - len);
	ht_buf_cut(&sink->out, sink->out.len - len);
}

/* Lines behind `before` are new. */
static void added(struct ht_sink *sink, size_t before)
{
	if (sink->out.is_oom) {
		ht_buf_cut(&sink->out, before);
		if (!sink->err)
			sink->err = -ENOMEM;
	}
	if (sink->out.len > sink->batch_bytes) {
		write_out(sink, before);
		if (sink->out.len > sink->batch_bytes)
			write_out(sink, sink->out.len);
	}
}

/* A terminal may be resized at any time. */
static struct ht_sink_opts current_opts(const struct ht_sink *sink)
{
	struct ht_sink_opts opts = sink->opts;
	struct winsize size;

	if (opts.is_terminal && !opts.width && !ioctl(opts.fd, TIOCGWINSZ, &size))
		opts.width = size.ws_col;
	return opts;
}

struct ht_sink *ht_sink_new(const char *name, const struct ht_sink_opts *opts)
{
	const struct ht_sink_type *type = find_type(name);
	struct ht_sink_opts now;
	struct ht_sink *sink;
	struct stat st;

	if (!type) {
		errno = EINVAL;
		return NULL;
	}
	sink = calloc(1, sizeof(*sink));
	if (!sink)
		return NULL;
	sink->type = type;
	sink->opts = *opts;
	/* pipe(7): writes of up to PIPE_BUF bytes are not mixed with other writers'. */
	sink->batch_bytes = !fstat(opts->fd, &st) && S_ISREG(st.st_mode) ? FILE_BATCH_BYTES : PIPE_BUF;
	if (type->begin) {
		now = current_opts(sink);
		type->begin(&sink->out, &now);
		added(sink, 0);
	}
	return sink;
}

void ht_sink_request(struct ht_sink *sink, const struct httptrace_request *request)
{
	struct ht_sink_opts opts;
	size_t before = sink->out.len;

	if (sink->err || !sink->type->request)
		return;
	opts = current_opts(sink);
	sink->type->request(&sink->out, &opts, request);
	added(sink, before);
}

void ht_sink_notice(struct ht_sink *sink, const struct httptrace_notice *notice)
{
	struct ht_sink_opts opts;
	size_t before = sink->out.len;

	if (sink->err || !sink->type->notice)
		return;
	opts = current_opts(sink);
	sink->type->notice(&sink->out, &opts, notice);
	added(sink, before);
}

int ht_sink_flush(struct ht_sink *sink)
{
	write_out(sink, sink->out.len);
	return sink->err;
}

void ht_sink_free(struct ht_sink *sink)
{
	if (!sink)
		return;
	ht_buf_free(&sink->out);
	free(sink);
}
