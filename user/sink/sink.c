/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sink.c - see sink.h.
 *
 * Lines are gathered until ht_sink_flush(), or until the next would make the batch longer than goes well into one write; a report that
 * others may write beside is written at once.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "output.h"
#include "sink.h"

struct ht_sink {
	const struct ht_sink_type *type;
	struct ht_sink_opts opts;
	struct ht_buf out;
	struct ht_output output;
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

/* Writes the first len bytes of the buffer and takes them out of it. */
static void write_out(struct ht_sink *sink, size_t len)
{
	if (!len)
		return;
	if (!sink->err)
		sink->err = ht_output_write(&sink->output, sink->out.data, len);
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
	if (sink->out.len > sink->output.batch_bytes)
		write_out(sink, before);
	/* What COMMAND writes stands between our reports in the order of time, as far as that can be. */
	if (sink->out.len > sink->output.batch_bytes || sink->opts.is_shared)
		write_out(sink, sink->out.len);
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

	if (!type) {
		errno = EINVAL;
		return NULL;
	}
	sink = calloc(1, sizeof(*sink));
	if (!sink)
		return NULL;
	sink->type = type;
	sink->opts = *opts;
	ht_output_open(&sink->output, opts->fd, opts->is_shared, opts->is_urgent, opts->ctx);
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

bool ht_sink_is_torn(const struct ht_sink *sink)
{
	return sink->output.is_torn;
}

void ht_sink_free(struct ht_sink *sink)
{
	if (!sink)
		return;
	ht_output_close(&sink->output);
	ht_buf_free(&sink->out);
	free(sink);
}
