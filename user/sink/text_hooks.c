/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * text_hooks.c - the sink `hooks`: a request's line, and under it its hooks.
 *
 * In:  requests, dials, WebSockets, losses. Out: for each hook its offset from the request's first, a mark (blank: observed, `*`: by the event next to
 * it, `~`: inferred by rule), its name as Go spells it, its arguments. On a terminal lines end at its edge, and what the marks mean is told
 * once, at the top.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <string.h>

#include "text_fmt.h"

#define INDENT       4
#define OFFSET_WIDTH 9
#define NAME_WIDTH   20

static char mark_of(enum httptrace_how how)
{
	switch (how) {
	case HTTPTRACE_OBSERVED:
		return ' ';
	case HTTPTRACE_PROXY:
		return '*';
	case HTTPTRACE_INFERRED:
		return '~';
	}
	return '?';
}

static void word(struct ht_buf *args, const char *text)
{
	if (args->len)
		ht_buf_char(args, ' ');
	ht_buf_puts(args, text ? text : "?");
}

/* name=value; nothing where value is NULL. */
static void pair(struct ht_buf *args, const char *name, const char *value)
{
	if (!value)
		return;
	word(args, name);
	ht_buf_char(args, '=');
	ht_buf_puts(args, value);
}

static void tristate(struct ht_buf *args, const char *name, enum httptrace_tristate value)
{
	pair(args, name, value == HTTPTRACE_NOT_KNOWN ? "unknown" : value == HTTPTRACE_YES ? "true" : "false");
}

static void error_of(struct ht_buf *args, const struct httptrace_error *error)
{
	if (!error)
		return;
	word(args, "error: ");
	ht_fmt_error(args, error);
}

/*
 * A field whose value is not known has no colon: no name has a space in it (RFC 9110 section 5.1), so that no value can be mistaken for this.
 */
static void unknown_field(struct ht_buf *args, const char *name)
{
	word(args, name);
	ht_buf_puts(args, " (value not known)");
}

static void fields(struct ht_buf *args, const struct httptrace_header *headers, size_t cnt)
{
	size_t i;

	for (i = 0; i < cnt; i++) {
		if (headers[i].value) {
			word(args, headers[i].name);
			ht_buf_puts(args, ": ");
			ht_buf_puts(args, headers[i].value);
		} else {
			unknown_field(args, headers[i].name);
		}
		if (i + 1 < cnt)
			ht_buf_char(args, ',');
	}
}

#define AS(type) ((const struct httptrace_##type##_info *)info)

static void put_args(struct ht_buf *args, enum httptrace_hook_id id, const struct httptrace_hook *info, bool with_headers)
{
	char text[HT_DURATION_LEN];
	size_t i;

	switch (id) {
	case HTTPTRACE_GET_CONN:
		word(args, AS(get_conn)->host_port);
		break;
	case HTTPTRACE_DNS_START:
		word(args, AS(dns_start)->host);
		break;
	case HTTPTRACE_DNS_DONE:
		for (i = 0; i < AS(dns_done)->addr_cnt; i++)
			word(args, AS(dns_done)->addrs[i]);
		error_of(args, AS(dns_done)->error);
		if (AS(dns_done)->coalesced)
			word(args, "coalesced");
		break;
	case HTTPTRACE_CONNECT_START:
		word(args, AS(connect_start)->network);
		word(args, AS(connect_start)->addr);
		break;
	case HTTPTRACE_CONNECT_DONE:
		word(args, AS(connect_done)->network);
		word(args, AS(connect_done)->addr);
		error_of(args, AS(connect_done)->error);
		break;
	case HTTPTRACE_TLS_HANDSHAKE_DONE:
		if (AS(tls_handshake_done)->version)
			word(args, AS(tls_handshake_done)->version);
		if (AS(tls_handshake_done)->cipher)
			word(args, AS(tls_handshake_done)->cipher);
		pair(args, "alpn", AS(tls_handshake_done)->alpn);
		pair(args, "server_name", AS(tls_handshake_done)->server_name);
		if (AS(tls_handshake_done)->resumed == HTTPTRACE_YES)
			word(args, "resumed");
		error_of(args, AS(tls_handshake_done)->error);
		break;
	case HTTPTRACE_GOT_CONN:
		tristate(args, "reused", AS(got_conn)->reused);
		tristate(args, "was_idle", AS(got_conn)->was_idle);
		if (AS(got_conn)->idle_ns != HTTPTRACE_UNKNOWN_NS)
			pair(args, "idle", ht_fmt_duration(text, AS(got_conn)->idle_ns));
		break;
	case HTTPTRACE_WROTE_HEADER_FIELD:
		if (AS(wrote_header_field)->value_cnt && !AS(wrote_header_field)->values[0]) {
			unknown_field(args, AS(wrote_header_field)->key);
			break;
		}
		word(args, AS(wrote_header_field)->key);
		ht_buf_char(args, ':');
		for (i = 0; i < AS(wrote_header_field)->value_cnt; i++) {
			if (i)
				ht_buf_char(args, ',');
			word(args, AS(wrote_header_field)->values[i]);
		}
		break;
	case HTTPTRACE_WROTE_REQUEST:
		error_of(args, AS(wrote_request)->error);
		break;
	case HTTPTRACE_GOT_1XX_RESPONSE:
		ht_buf_printf(args, "%d", AS(got_1xx)->code);
		if (with_headers)
			fields(args, AS(got_1xx)->headers, AS(got_1xx)->header_cnt);
		break;
	case HTTPTRACE_GOT_RESPONSE_HEADERS:
		if (AS(got_response_headers)->status)
			ht_buf_int(args, AS(got_response_headers)->status);
		else
			word(args, "(status not known)");
		break;
	case HTTPTRACE_GOT_BODY:
		ht_buf_printf(args, "%" PRIu64 " byte%s", AS(got_body)->bytes, AS(got_body)->bytes == 1 ? "" : "s");
		break;
	case HTTPTRACE_PUT_IDLE_CONN:
		error_of(args, AS(put_idle_conn)->error);
		break;
	case HTTPTRACE_CONN_CLOSED:
		word(args, "by");
		word(args, httptrace_closer__name(AS(conn_closed)->by));
		break;
	case HTTPTRACE_TLS_HANDSHAKE_START:
	case HTTPTRACE_WROTE_HEADERS:
	case HTTPTRACE_WAIT_100_CONTINUE:
	case HTTPTRACE_GOT_FIRST_RESPONSE_BYTE:
	case HTTPTRACE_GOT_100_CONTINUE:
	case HTTPTRACE_HOOK_CNT:
		break;
	}
	ht_buf_char(args, '\0');
}

static const struct httptrace_error *error_in(enum httptrace_hook_id id, const struct httptrace_hook *info)
{
	switch (id) {
	case HTTPTRACE_DNS_DONE:
		return AS(dns_done)->error;
	case HTTPTRACE_CONNECT_DONE:
		return AS(connect_done)->error;
	case HTTPTRACE_TLS_HANDSHAKE_DONE:
		return AS(tls_handshake_done)->error;
	case HTTPTRACE_WROTE_REQUEST:
		return AS(wrote_request)->error;
	case HTTPTRACE_PUT_IDLE_CONN:
		return AS(put_idle_conn)->error;
	default:
		return NULL;
	}
}

static void put_hook(struct ht_buf *out, const struct ht_sink_opts *opts, enum httptrace_hook_id id, const struct httptrace_hook *hook,
		     int64_t first_ns, struct ht_buf *args)
{
	const size_t before_args = INDENT + OFFSET_WIDTH + 3 + NAME_WIDTH + 1;
	const char *name = httptrace_hook__name(id);
	char duration[HT_DURATION_LEN], offset[HT_DURATION_LEN + 1] = "+";
	char mark[] = { ' ', mark_of(hook->how), ' ', 0 };
	enum ht_color color = HT_COLOR_NONE;
	size_t max = 0;

	ht_buf_cut(args, 0);
	put_args(args, id, hook, opts->with_headers);
	if (args->is_oom) {
		out->is_oom = true;
		return;
	}
	ht_buf_pad(out, INDENT);
	ht_fmt_color(out, opts, HT_COLOR_DIM);
	ht_fmt_cell(out, strcat(offset, ht_fmt_duration(duration, hook->mono_ns - first_ns)), OFFSET_WIDTH, true);
	ht_fmt_color_end(out, opts, HT_COLOR_DIM);
	ht_fmt_colored(out, opts, hook->how == HTTPTRACE_OBSERVED ? HT_COLOR_NONE : HT_COLOR_YELLOW, mark);
	if (error_in(id, hook))
		color = HT_COLOR_RED;
	else if (!httptrace_hook__is_ext(id))
		color = HT_COLOR_CYAN;
	ht_fmt_color(out, opts, color);
	if (args->data[0]) {
		ht_fmt_cell(out, name, NAME_WIDTH, false);
		ht_buf_char(out, ' ');
	} else {
		ht_buf_puts(out, name);
	}
	if (color != HT_COLOR_RED)
		ht_fmt_color_end(out, opts, color);
	if (opts->is_terminal && opts->width > before_args && !error_in(id, hook))
		max = opts->width - before_args;
	ht_fmt_safe(out, args->data, max);
	if (color == HT_COLOR_RED)
		ht_fmt_color_end(out, opts, color);
	ht_buf_char(out, '\n');
}

static void hooks_begin(struct ht_buf *out, const struct ht_sink_opts *opts)
{
	if (opts->is_terminal)
		ht_fmt_colored(
			out, opts, HT_COLOR_DIM,
			"offsets are from a request's first hook; ~ inferred by rule, * told by the event next to it, unmarked: observed");
	if (opts->is_terminal)
		ht_buf_puts(out, "\n\n");
}

static void hooks_request(struct ht_buf *out, const struct ht_sink_opts *opts, const struct httptrace_request *request)
{
	size_t n, cnt = httptrace_request__hook_cnt(request);
	int64_t first_ns = httptrace_request__mono_ns(request);
	struct ht_buf args = { 0 };

	ht_fmt_plain_line(out, opts, request);
	for (n = 0; n < cnt; n++) {
		enum httptrace_hook_id id;
		const struct httptrace_hook *hook = httptrace_request__hook(request, n, &id);

		if (id != HTTPTRACE_WROTE_HEADER_FIELD || opts->with_headers)
			put_hook(out, opts, id, hook, first_ns, &args);
	}
	if (opts->is_terminal)
		ht_buf_char(out, '\n');
	ht_buf_free(&args);
}

const struct ht_sink_type ht_sink_hooks = {
	.name = "hooks",
	.begin = hooks_begin,
	.request = hooks_request,
	.notice = ht_fmt_notice,
};
