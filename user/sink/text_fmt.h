/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * text_fmt.h - what the two views for people share: durations, strings from outside made harmless, colours, and the line that describes a
 * request.
 *
 * In:  values. Out: text appended to a buffer. Nothing is kept.
 */
#ifndef HT_TEXT_FMT_H
#define HT_TEXT_FMT_H

#include <stdint.h>

#include "sink.h"

enum ht_color {
	HT_COLOR_NONE,
	HT_COLOR_DIM,
	HT_COLOR_BOLD,
	HT_COLOR_GREEN,
	HT_COLOR_CYAN,
	HT_COLOR_YELLOW,
	HT_COLOR_RED,
};

/* Longest text of a duration, its NUL included. */
#define HT_DURATION_LEN 16

/* Three digits and a unit, e.g. "850ns", "12.3us", "4.51ms", "1.20s"; "-" where unknown. Returns text. */
const char *ht_fmt_duration(char text[HT_DURATION_LEN], int64_t ns);

/*
 * Appends text with control characters and bytes that are no UTF-8 as \xNN: a URL cannot take over a terminal. At most max columns (0: no
 * limit), the last an ellipsis if it was cut. Returns the columns it took; a character counts as one.
 */
size_t ht_fmt_safe(struct ht_buf *out, const char *text, size_t max);
/* The same, padded with spaces to width (before the text, if is_right). */
void ht_fmt_cell(struct ht_buf *out, const char *text, size_t width, bool is_right);

/* Only with opts->with_color. */
void ht_fmt_color(struct ht_buf *out, const struct ht_sink_opts *opts, enum ht_color color);
void ht_fmt_color_end(struct ht_buf *out, const struct ht_sink_opts *opts, enum ht_color color);
/* Text in a colour, made harmless, without limit. */
void ht_fmt_colored(struct ht_buf *out, const struct ht_sink_opts *opts, enum ht_color color, const char *text);

/* "12:03:04.123", local time; without the milliseconds if is_short. Returns text. */
#define HT_CLOCK_LEN 16
const char *ht_fmt_clock(char text[HT_CLOCK_LEN], int64_t realtime_ns, bool is_short);

/* What stands in the columns of a request. */
const char *ht_fmt_method(const struct httptrace_request *request);
const char *ht_fmt_url(const struct httptrace_request *request);
/* "1.1", "2", "-" where not known */
const char *ht_fmt_http(const struct httptrace_request *request);
/* "200", "-" where there is none. Returns text. */
#define HT_STATUS_LEN 12
const char *ht_fmt_status(char text[HT_STATUS_LEN], const struct httptrace_request *request);
enum ht_color ht_fmt_status_color(const struct httptrace_request *request);
/* "failed in connect: Connection refused (ECONNREFUSED)", with colour; nothing where it did not fail. True if something was said. */
bool ht_fmt_failure(struct ht_buf *out, const struct ht_sink_opts *opts, const struct httptrace_request *request);
bool ht_fmt_is_reused(const struct httptrace_request *request);
/*
 * What only some have, each with a space before it: HTTP/2's stream, a proxy, gRPC's status and its messages each way, a WebSocket's frames.
 * " http=2 stream=5 proxy=socks5://127.0.0.1:1080 grpc=OK messages=1/3"; is_brief leaves out the stream.
 */
void ht_fmt_extras(struct ht_buf *out, const struct httptrace_request *request, bool is_brief);
/* message, and code where it says more: "Connection refused (ECONNREFUSED)" */
void ht_fmt_error(struct ht_buf *out, const struct httptrace_error *error);

/* The whole line without columns, its newline included. */
void ht_fmt_plain_line(struct ht_buf *out, const struct ht_sink_opts *opts, const struct httptrace_request *request);
/* Losses have a line of their own in both views. */
void ht_fmt_notice(struct ht_buf *out, const struct ht_sink_opts *opts, const struct httptrace_notice *notice);

#endif
