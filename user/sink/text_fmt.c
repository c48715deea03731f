/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * text_fmt.c - see text_fmt.h.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "text_fmt.h"
#include "utf8.h"

#define NSEC_PER_SEC 1000000000

/*
 * What "%.*f" makes of ns / unit_ns, which is below 1000. False where the decimal value lies in the middle between two: printf() rounds
 * the binary one, and that may be on either side.
 */
static bool fixed_point(char text[HT_DURATION_LEN], int64_t ns, int64_t unit_ns, int decimal_cnt, const char *unit)
{
	int64_t factor = decimal_cnt == 2 ? 100 : decimal_cnt == 1 ? 10 : 1, scaled, rest;
	char *at = text + 4 + decimal_cnt + !!decimal_cnt; /* 999.7 s are rounded to four digits */

	/* Beyond, a double is no longer exact either; no product below overflows. */
	if (ns < 0 || ns >= 1000 * unit_ns || ns > INT64_MAX / 256)
		return false;
	scaled = ns * factor / unit_ns;
	rest = ns * factor % unit_ns;
	if (2 * rest == unit_ns)
		return false;
	scaled += 2 * rest > unit_ns;
	strcpy(at, unit);
	for (int i = 0; i < decimal_cnt; i++, scaled /= 10)
		*--at = (char)('0' + scaled % 10);
	if (decimal_cnt)
		*--at = '.';
	do
		*--at = (char)('0' + scaled % 10);
	while (scaled /= 10);
	memmove(text, at, strlen(at) + 1);
	return true;
}

const char *ht_fmt_duration(char text[HT_DURATION_LEN], int64_t ns)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = { { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 } };
	size_t i, last = sizeof(units) / sizeof(units[0]) - 1;
	int decimal_cnt;
	double value;

	if (ns == HTTPTRACE_UNKNOWN_NS)
		return strcpy(text, "-");
	if (ns > -1000 && ns < 1000) {
		snprintf(text, HT_DURATION_LEN, ns ? "%dns" : "%d", (int)ns);
		return text;
	}
	/* 999.5 would be rounded to a fourth digit. */
	for (i = 0; i < last; i++)
		if ((double)ns < 999.5 * units[i].ns)
			break;
	value = (double)ns / units[i].ns;
	decimal_cnt = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
	if (!fixed_point(text, ns, (int64_t)units[i].ns, decimal_cnt, units[i].name))
		snprintf(text, HT_DURATION_LEN, "%.*f%s", decimal_cnt, value, units[i].name);
	return text;
}

/* Columns of the character at text, and the bytes it takes. */
static size_t columns_of(const char *text, size_t *len)
{
	return ht_utf8_is_harmful(ht_utf8_next(text, len)) ? 4 * *len : 1;
}

static size_t columns_of_all(const char *text)
{
	size_t columns = 0, len;

	for (; *text; text += len)
		columns += columns_of(text, &len);
	return columns;
}

size_t ht_fmt_safe(struct ht_buf *out, const char *text, size_t max)
{
	bool is_cut = max && columns_of_all(text) > max;
	size_t columns = 0, len, wide, i;

	if (!is_cut) {
		/* Nearly all that is ever shown. */
		while (text[columns] >= 0x20 && text[columns] < 0x7f)
			columns++;
		ht_buf_add(out, text, columns);
		text += columns;
	}
	for (; *text; text += len) {
		wide = columns_of(text, &len);
		if (is_cut && columns + wide > max - 1)
			break;
		if (wide == 1)
			ht_buf_add(out, text, len);
		else
			for (i = 0; i < len; i++)
				ht_buf_printf(out, "\\x%02x", (unsigned char)text[i]);
		columns += wide;
	}
	if (is_cut) {
		ht_buf_puts(out, "\xe2\x80\xa6");
		columns++;
	}
	return columns;
}

void ht_fmt_cell(struct ht_buf *out, const char *text, size_t width, bool is_right)
{
	size_t columns = columns_of_all(text);

	if (is_right && columns < width)
		ht_buf_pad(out, width - columns);
	columns = ht_fmt_safe(out, text, width);
	if (!is_right && columns < width)
		ht_buf_pad(out, width - columns);
}

void ht_fmt_color(struct ht_buf *out, const struct ht_sink_opts *opts, enum ht_color color)
{
	static const char *const codes[] = {
		[HT_COLOR_DIM] = "\033[2m",   [HT_COLOR_BOLD] = "\033[1m",    [HT_COLOR_GREEN] = "\033[32m",
		[HT_COLOR_CYAN] = "\033[36m", [HT_COLOR_YELLOW] = "\033[33m", [HT_COLOR_RED] = "\033[31m",
	};

	if (opts->with_color && color != HT_COLOR_NONE)
		ht_buf_puts(out, codes[color]);
}

void ht_fmt_color_end(struct ht_buf *out, const struct ht_sink_opts *opts, enum ht_color color)
{
	if (opts->with_color && color != HT_COLOR_NONE)
		ht_buf_puts(out, "\033[0m");
}

void ht_fmt_colored(struct ht_buf *out, const struct ht_sink_opts *opts, enum ht_color color, const char *text)
{
	ht_fmt_color(out, opts, color);
	ht_fmt_safe(out, text, 0);
	ht_fmt_color_end(out, opts, color);
}

static void put_digits(char *at, unsigned int value, int cnt, char behind)
{
	at[cnt] = behind;
	for (; cnt > 0; value /= 10)
		at[--cnt] = (char)('0' + value % 10);
}

const char *ht_fmt_clock(char text[HT_CLOCK_LEN], int64_t realtime_ns, bool is_short)
{
	time_t sec = (time_t)(realtime_ns / NSEC_PER_SEC);
	struct tm tm;

	if (realtime_ns == HTTPTRACE_UNKNOWN_NS || realtime_ns < 0 || !localtime_r(&sec, &tm))
		return strcpy(text, "-");
	put_digits(text, (unsigned int)tm.tm_hour, 2, ':');
	put_digits(text + 3, (unsigned int)tm.tm_min, 2, ':');
	put_digits(text + 6, (unsigned int)tm.tm_sec, 2, is_short ? '\0' : '.');
	if (!is_short)
		put_digits(text + 9, (unsigned int)(realtime_ns % NSEC_PER_SEC / 1000000), 3, '\0');
	return text;
}

const char *ht_fmt_method(const struct httptrace_request *request)
{
	const char *method = httptrace_request__method(request);

	if (httptrace_request__kind(request) != HTTPTRACE_REQUEST)
		return "-";
	return method ? method : "?";
}

const char *ht_fmt_url(const struct httptrace_request *request)
{
	const char *url = httptrace_request__kind(request) == HTTPTRACE_DIAL ? NULL : httptrace_request__url(request);

	if (!url)
		url = httptrace_request__host_port(request);
	return url ? url : "?";
}

const char *ht_fmt_http(const struct httptrace_request *request)
{
	const char *http = httptrace_request__http(request);

	return http ? http : "-";
}

const char *ht_fmt_status(char text[HT_STATUS_LEN], const struct httptrace_request *request)
{
	int status = httptrace_request__status(request);

	if (!status)
		return strcpy(text, "-");
	if (status < 100 || status > 999)
		snprintf(text, HT_STATUS_LEN, "%d", status);
	else
		put_digits(text, (unsigned int)status, 3, '\0');
	return text;
}

static bool has_failed(const struct httptrace_request *request)
{
	enum httptrace_outcome outcome = httptrace_request__outcome(request);

	return outcome != HTTPTRACE_OK && outcome != HTTPTRACE_UNUSED && outcome != HTTPTRACE_PENDING;
}

enum ht_color ht_fmt_status_color(const struct httptrace_request *request)
{
	int status = httptrace_request__status(request);

	if (!status)
		return HT_COLOR_DIM;
	if (status >= 500)
		return HT_COLOR_RED;
	if (status >= 400)
		return HT_COLOR_YELLOW;
	return status >= 300 ? HT_COLOR_CYAN : HT_COLOR_GREEN;
}

void ht_fmt_error(struct ht_buf *out, const struct httptrace_error *error)
{
	ht_fmt_safe(out, error->message, 0);
	if (error->code[0] && !strstr(error->message, error->code)) {
		ht_buf_puts(out, " (");
		ht_fmt_safe(out, error->code, 0);
		ht_buf_char(out, ')');
	}
}

/* The verb to a phase: an outcome that names the phase itself need not say it twice. */
static const char *outcome_verb(const struct httptrace_request *request)
{
	enum httptrace_outcome outcome = httptrace_request__outcome(request);

	if (httptrace_request__is_open(request))
		return "still open";
	switch (outcome) {
	case HTTPTRACE_DNS_ERROR:
	case HTTPTRACE_CONNECT_ERROR:
	case HTTPTRACE_TLS_ERROR:
		return "failed";
	case HTTPTRACE_TIMEOUT:
		return "timed out";
	case HTTPTRACE_RESET:
		return "reset by server";
	case HTTPTRACE_CLOSED:
		return "closed by server";
	case HTTPTRACE_ABORTED:
		return "aborted by client";
	case HTTPTRACE_PROTOCOL_ERROR:
		return "protocol error";
	case HTTPTRACE_GRPC_ERROR:
		return "gRPC error";
	default:
		return httptrace_outcome__name(outcome);
	}
}

bool ht_fmt_failure(struct ht_buf *out, const struct ht_sink_opts *opts, const struct httptrace_request *request)
{
	const struct httptrace_error *error = httptrace_request__error(request);
	enum httptrace_outcome outcome = httptrace_request__outcome(request);
	enum httptrace_phase phase = httptrace_request__error_phase(request);
	enum ht_color color = outcome == HTTPTRACE_INCOMPLETE || outcome == HTTPTRACE_ABORTED ? HT_COLOR_YELLOW : HT_COLOR_RED;

	if (outcome == HTTPTRACE_UNUSED) {
		ht_fmt_colored(out, opts, HT_COLOR_DIM, "unused");
		return true;
	}
	if (!has_failed(request))
		return false;
	ht_fmt_color(out, opts, color);
	ht_buf_puts(out, outcome_verb(request));
	if (phase != HTTPTRACE_PHASE_NONE)
		ht_buf_printf(out, " in %s", httptrace_phase__name(phase));
	if (error) {
		ht_buf_puts(out, ": ");
		ht_fmt_error(out, error);
	}
	ht_fmt_color_end(out, opts, color);
	return true;
}

bool ht_fmt_is_reused(const struct httptrace_request *request)
{
	const struct httptrace_conn *conn = httptrace_request__conn(request);

	return conn && conn->reused == HTTPTRACE_YES;
}

static void put_number(struct ht_buf *out, int64_t value)
{
	if (value < 0)
		ht_buf_char(out, '?');
	else
		ht_buf_int(out, value);
}

static void put_grpc(struct ht_buf *out, const struct httptrace_grpc *grpc)
{
	ht_buf_puts(out, " grpc=");
	if (grpc->status)
		ht_fmt_safe(out, grpc->status, 0);
	else
		put_number(out, grpc->status_code);
	ht_buf_puts(out, " messages=");
	put_number(out, grpc->messages_sent);
	ht_buf_char(out, '/');
	put_number(out, grpc->messages_received);
}

static void put_websocket(struct ht_buf *out, const struct httptrace_websocket *websocket)
{
	ht_buf_puts(out, " websocket frames=");
	put_number(out, websocket->frames_sent);
	ht_buf_char(out, '/');
	put_number(out, websocket->frames_received);
	if (websocket->close_code)
		ht_buf_printf(out, " close=%d", websocket->close_code);
	if (websocket->is_closed)
		ht_buf_printf(out, " by=%s", httptrace_closer__name(websocket->closed_by));
}

void ht_fmt_extras(struct ht_buf *out, const struct httptrace_request *request, bool is_brief)
{
	const struct httptrace_conn *conn = httptrace_request__conn(request);
	const struct httptrace_proxy *proxy = conn ? conn->proxy : NULL;

	if (!is_brief && conn && conn->stream_id)
		ht_buf_printf(out, " http=%s stream=%" PRIu64, ht_fmt_http(request), conn->stream_id);
	if (proxy) {
		ht_buf_puts(out, " proxy=");
		ht_fmt_safe(out, proxy->type ? proxy->type : "?", 0);
		ht_buf_puts(out, "://");
		ht_fmt_safe(out, proxy->address ? proxy->address : "?", 0);
	}
	if (httptrace_request__grpc(request))
		put_grpc(out, httptrace_request__grpc(request));
	if (httptrace_request__websocket(request))
		put_websocket(out, httptrace_request__websocket(request));
}

static void put_phase(struct ht_buf *out, const struct ht_sink_opts *opts, const char *name, int64_t ns)
{
	char text[HT_DURATION_LEN];

	if (ns == HTTPTRACE_UNKNOWN_NS)
		return;
	ht_buf_char(out, ' ');
	ht_fmt_colored(out, opts, HT_COLOR_DIM, name);
	ht_fmt_colored(out, opts, HT_COLOR_DIM, "=");
	ht_buf_puts(out, ht_fmt_duration(text, ns));
}

void ht_fmt_plain_line(struct ht_buf *out, const struct ht_sink_opts *opts, const struct httptrace_request *request)
{
	struct httptrace_timings t = { .sz = sizeof(t) };
	const char *comm = httptrace_request__comm(request);
	char clock[HT_CLOCK_LEN], status[HT_STATUS_LEN];

	httptrace_request__timings(request, &t);
	ht_fmt_colored(out, opts, HT_COLOR_DIM, ht_fmt_clock(clock, httptrace_request__realtime_ns(request), false));
	ht_buf_char(out, ' ');
	ht_buf_int(out, httptrace_request__pid(request));
	ht_buf_char(out, ' ');
	ht_fmt_safe(out, comm ? comm : "?", 0);
	ht_buf_char(out, ' ');
	ht_fmt_colored(out, opts, HT_COLOR_BOLD, ht_fmt_method(request));
	ht_buf_char(out, ' ');
	ht_fmt_colored(out, opts, HT_COLOR_BOLD, ht_fmt_url(request));
	ht_buf_char(out, ' ');
	ht_fmt_colored(out, opts, ht_fmt_status_color(request), ht_fmt_status(status, request));
	put_phase(out, opts, "dns", t.dns_ns);
	put_phase(out, opts, "connect", t.connect_ns);
	put_phase(out, opts, "tls", t.tls_ns);
	put_phase(out, opts, "wait", t.wait_ns);
	put_phase(out, opts, "receive", t.receive_ns);
	put_phase(out, opts, "total", t.total_ns);
	if (ht_fmt_is_reused(request))
		ht_buf_puts(out, " reused");
	ht_fmt_extras(out, request, false);
	if (httptrace_request__lost(request))
		ht_buf_printf(out, " lost=%" PRIu64, httptrace_request__lost(request));
	if (httptrace_request__outcome(request) == HTTPTRACE_UNUSED || has_failed(request)) {
		ht_buf_char(out, ' ');
		ht_fmt_failure(out, opts, request);
	}
	ht_buf_char(out, '\n');
}

void ht_fmt_notice(struct ht_buf *out, const struct ht_sink_opts *opts, const struct httptrace_notice *notice)
{
	if (notice->kind != HTTPTRACE_NOTICE_LOST)
		return;
	ht_fmt_color(out, opts, HT_COLOR_YELLOW);
	ht_buf_printf(out, "lost %" PRIu64 " event%s (", notice->count, notice->count == 1 ? "" : "s");
	ht_fmt_safe(out, notice->where ? notice->where : "?", 0);
	ht_buf_puts(out, "): requests of this moment may be missing or incomplete");
	ht_fmt_color_end(out, opts, HT_COLOR_YELLOW);
	ht_buf_char(out, '\n');
}
