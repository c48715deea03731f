/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * text.c - the sink `text`: a line per request, as it ends.
 *
 * In:  requests, dials, WebSockets, losses. Out: on a terminal columns under a heading, fitted to its width, where the URL takes what is left
 * and the least important columns go first; behind them what only some have. Elsewhere words with one space between them, nothing cut.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>

#include "text_fmt.h"

enum column {
	COL_TIME,
	COL_PID,
	COL_PROCESS,
	COL_METHOD,
	COL_URL,
	COL_STATUS,
	COL_HTTP,
	COL_DNS,
	COL_CONNECT,
	COL_TLS,
	COL_WAIT,
	COL_RECEIVE,
	COL_TOTAL,
	COL_CNT,
};

#define URL_MIN_COLUMNS  18
/* What leaves the URL less than this is not worth a column of its own. */
#define URL_GOOD_COLUMNS 30
/* Where the terminal does not tell its width. */
#define WIDTH_DEFAULT    120

struct layout {
	unsigned int width[COL_CNT]; /* 0: left out */
};

static const struct {
	const char *title;
	unsigned int width;
	bool is_right;
} columns[COL_CNT] = {
	[COL_TIME] = { "TIME", 12, false },
	[COL_PID] = { "PID", 7, true },
	[COL_PROCESS] = { "PROCESS", 10, false },
	[COL_METHOD] = { "METHOD", 6, false },
	[COL_URL] = { "URL", URL_MIN_COLUMNS, false },
	[COL_STATUS] = { "STATUS", 6, true },
	[COL_HTTP] = { "HTTP", 4, true },
	[COL_DNS] = { "DNS", 6, true },
	[COL_CONNECT] = { "CONNECT", 7, true },
	[COL_TLS] = { "TLS", 6, true },
	[COL_WAIT] = { "WAIT", 6, true },
	[COL_RECEIVE] = { "RECEIVE", 7, true },
	[COL_TOTAL] = { "TOTAL", 6, true },
};

/* What gives way on a narrow terminal, first to last, and the width it keeps. */
static const struct {
	enum column column;
	unsigned int width;
} ways[] = {
	{ COL_RECEIVE, 0 }, { COL_DNS, 0 }, { COL_TLS, 0 },     { COL_TIME, 8 }, { COL_PROCESS, 8 },
	{ COL_CONNECT, 0 }, { COL_PID, 0 }, { COL_PROCESS, 0 }, { COL_TIME, 0 },
};

static unsigned int used_columns(const struct layout *layout)
{
	unsigned int sum = 0, i;

	for (i = 0; i < COL_CNT; i++)
		if (layout->width[i])
			sum += layout->width[i] + 1;
	return sum ? sum - 1 : 0;
}

static struct layout make_layout(unsigned int width)
{
	struct layout layout;
	unsigned int used, i;

	if (!width)
		width = WIDTH_DEFAULT;
	for (i = 0; i < COL_CNT; i++)
		layout.width[i] = columns[i].width;
	if (used_columns(&layout) + URL_GOOD_COLUMNS - URL_MIN_COLUMNS > width)
		layout.width[COL_HTTP] = 0;
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]) && used_columns(&layout) > width; i++)
		layout.width[ways[i].column] = ways[i].width;
	used = used_columns(&layout);
	if (used < width)
		layout.width[COL_URL] += width - used;
	return layout;
}

static bool begin_cell(struct ht_buf *out, const struct layout *layout, enum column column)
{
	unsigned int i;

	if (!layout->width[column])
		return false;
	for (i = 0; i < column; i++)
		if (layout->width[i])
			break;
	if (i < column)
		ht_buf_char(out, ' ');
	return true;
}

static void cell(struct ht_buf *out, const struct ht_sink_opts *opts, const struct layout *layout, enum column column, enum ht_color color,
		 const char *text)
{
	if (!begin_cell(out, layout, column))
		return;
	ht_fmt_color(out, opts, color);
	ht_fmt_cell(out, text, layout->width[column], columns[column].is_right);
	ht_fmt_color_end(out, opts, color);
}

static void phase_cell(struct ht_buf *out, const struct ht_sink_opts *opts, const struct layout *layout, enum column column, int64_t ns)
{
	char text[HT_DURATION_LEN];
	enum ht_color color = HT_COLOR_NONE;

	if (ns == HTTPTRACE_UNKNOWN_NS)
		color = HT_COLOR_DIM;
	else if (column == COL_TOTAL)
		color = HT_COLOR_BOLD;
	cell(out, opts, layout, column, color, ht_fmt_duration(text, ns));
}

static void put_total(struct ht_buf *out, int64_t total_ns)
{
	char text[HT_DURATION_LEN];

	if (total_ns != HTTPTRACE_UNKNOWN_NS)
		ht_buf_printf(out, " after %s", ht_fmt_duration(text, total_ns));
}

static void columns_line(struct ht_buf *out, const struct ht_sink_opts *opts, const struct httptrace_request *request)
{
	struct layout layout = make_layout(opts->width);
	struct httptrace_timings t = { .sz = sizeof(t) };
	const char *comm = httptrace_request__comm(request);
	char clock[HT_CLOCK_LEN], pid[24], status[HT_STATUS_LEN];
	bool has_failed;
	size_t at;

	httptrace_request__timings(request, &t);
	snprintf(pid, sizeof(pid), "%ld", (long)httptrace_request__pid(request));
	cell(out, opts, &layout, COL_TIME, HT_COLOR_DIM,
	     ht_fmt_clock(clock, httptrace_request__realtime_ns(request), layout.width[COL_TIME] < 12));
	cell(out, opts, &layout, COL_PID, HT_COLOR_NONE, pid);
	cell(out, opts, &layout, COL_PROCESS, HT_COLOR_NONE, comm ? comm : "?");
	cell(out, opts, &layout, COL_METHOD, HT_COLOR_BOLD, ht_fmt_method(request));
	cell(out, opts, &layout, COL_URL, HT_COLOR_NONE, ht_fmt_url(request));
	cell(out, opts, &layout, COL_STATUS, ht_fmt_status_color(request), ht_fmt_status(status, request));
	cell(out, opts, &layout, COL_HTTP, HT_COLOR_DIM, ht_fmt_http(request));

	/* Why it failed takes the room of the phases and is told whole: a line too long is better than a reason cut. */
	at = out->len;
	ht_buf_char(out, ' ');
	has_failed = ht_fmt_failure(out, opts, request);
	if (has_failed) {
		put_total(out, t.total_ns);
		if (ht_fmt_is_reused(request))
			ht_buf_puts(out, ", reused");
	} else {
		ht_buf_cut(out, at);
		phase_cell(out, opts, &layout, COL_DNS, t.dns_ns);
		if (ht_fmt_is_reused(request))
			cell(out, opts, &layout, COL_CONNECT, HT_COLOR_DIM, "reused");
		else
			phase_cell(out, opts, &layout, COL_CONNECT, t.connect_ns);
		phase_cell(out, opts, &layout, COL_TLS, t.tls_ns);
		phase_cell(out, opts, &layout, COL_WAIT, t.wait_ns);
		phase_cell(out, opts, &layout, COL_RECEIVE, t.receive_ns);
		phase_cell(out, opts, &layout, COL_TOTAL, t.total_ns);
		if (ht_fmt_is_reused(request) && !layout.width[COL_CONNECT])
			ht_fmt_colored(out, opts, HT_COLOR_DIM, " reused");
	}
	ht_fmt_extras(out, request, true);
	if (httptrace_request__lost(request))
		ht_buf_printf(out, " lost=%" PRIu64, httptrace_request__lost(request));
	ht_buf_char(out, '\n');
}

static void text_begin(struct ht_buf *out, const struct ht_sink_opts *opts)
{
	struct layout layout = make_layout(opts->width);
	unsigned int i;

	if (!opts->is_terminal)
		return;
	for (i = 0; i < COL_CNT; i++)
		cell(out, opts, &layout, (enum column)i, HT_COLOR_DIM, columns[i].title);
	ht_buf_char(out, '\n');
}

static void text_request(struct ht_buf *out, const struct ht_sink_opts *opts, const struct httptrace_request *request)
{
	if (opts->is_terminal)
		columns_line(out, opts, request);
	else
		ht_fmt_plain_line(out, opts, request);
}

const struct ht_sink_type ht_sink_text = {
	.name = "text",
	.begin = text_begin,
	.request = text_request,
	.notice = ht_fmt_notice,
};
