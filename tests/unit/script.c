/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * script.c - the scenario language of script.h: its commands, and the engine's calls as text.
 *
 * Owns the engine and all it reports. A command that is none aborts with a line on standard error.
 */
#include "script.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "req/request.h"
#include "script_private.h"

#define START_NS    1000000000ull
#define STEP_NS     10000ull
#define REALTIME_NS 1700000000000000000ull

enum { SEEN = 1, DONE = 2 };

/* ---- the engine's calls ---- */

/*
 * Callbacks are called in the order in which hooks are handed over. A send may return behind its response, an attempt may end behind its request: hooks.md
 * A2 gives these no place.
 */
static bool may_come_late(enum httptrace_hook_id id)
{
	return id == HTTPTRACE_WROTE_REQUEST || id == HTTPTRACE_WAIT_100_CONTINUE || id == HTTPTRACE_CONNECT_DONE;
}

static void make_state_room(struct script *s, uint64_t id)
{
	size_t cnt = 2 * (size_t)id + 64;

	if (id < s->state_cnt)
		return;
	s->state = realloc(s->state, cnt);
	if (!s->state)
		abort();
	memset(s->state + s->state_cnt, 0, cnt - s->state_cnt);
	s->state_cnt = cnt;
}

static void hand_over(struct script *s, struct httptrace_request *request, bool is_done)
{
	uint64_t id = httptrace_request__id(request);
	const char *fault = script_check(request, is_done);
	bool is_late = false;

	for (size_t i = request->hook_cnt; i-- > 0;) {
		if (request->hooks[i].is_fired)
			is_late |= !may_come_late(request->hooks[i].id);
		else if (is_late && !may_come_late(request->hooks[i].id))
			fault = "a hook in front of one that was handed over";
		request->hooks[i].is_fired = true;
	}
	make_state_room(s, id);
	if (s->state[id] & DONE)
		fault = is_done ? "done twice" : "hooks behind done";
	s->state[id] |= is_done ? DONE | SEEN : SEEN;
	if (!fault)
		return;
	script_put(&s->text, "BROKEN %s: ", fault);
	script_put_request(&s->text, request, &(struct script_view){ .time = true });
}

static void on_hooks(void *ctx, struct httptrace_request *request)
{
	hand_over(ctx, request, false);
}

static void on_done(void *ctx, struct httptrace_request *request)
{
	struct script *s = ctx;

	hand_over(s, request, true);
	script_put_request(&s->text, request, &s->view);
}

static void on_notice(void *ctx, const struct httptrace_notice *notice)
{
	struct script *s = ctx;

	if (notice->kind == HTTPTRACE_NOTICE_LOST)
		script_put(&s->text, "lost %" PRIu64 " %s\n", notice->count, notice->where);
	else
		script_put(&s->text, "target %s\n", notice->action);
}

static void on_log(void *ctx, int level, const char *text)
{
	struct script *s = ctx;

	(void)level;
	if (s->is_logging)
		script_put(&s->text, "log %s\n", text);
}

static const struct ht_engine_ops ops = { .hooks = on_hooks, .done = on_done, .notice = on_notice, .log = on_log };

struct ht_engine *script_engine(struct script *s)
{
	if (!s->engine) {
		struct ht_rec_clock clock = { .hdr = { .size = sizeof(clock), .kind = HT_REC_CLOCK, .ts_ns = 1, .cpu = HT_CPU_USER },
					      .mono_ns = START_NS,
					      .realtime_ns = REALTIME_NS };
		struct ht_rec_config config = { .hdr = { .size = sizeof(config), .kind = HT_REC_CONFIG, .ts_ns = 1, .cpu = HT_CPU_USER },
						.flags = s->is_filtered ? HT_CONFIG_FILTERED : 0 };

		s->engine = ht_engine_new(&s->opts, &ops, s);
		if (!s->engine)
			abort();
		ht_engine_record(s->engine, &clock.hdr);
		ht_engine_record(s->engine, &config.hdr);
	}
	return s->engine;
}

/* ---- commands; each gets the words of its line ---- */

static void do_show(struct script *s)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = { { "args", &s->view.args },     { "time", &s->view.time }, { "how", &s->view.how },
		      { "fields", &s->view.fields }, { "conn", &s->view.conn }, { "bytes", &s->view.bytes },
		      { "times", &s->view.times },   { "who", &s->view.who },   { "log", &s->is_logging } };

	for (unsigned int i = 1; i < s->word_cnt; i++) {
		size_t k;

		for (k = 0; k < sizeof(flags) / sizeof(flags[0]) && strcmp(flags[k].name, s->words[i]); k++)
			;
		if (k == sizeof(flags) / sizeof(flags[0]))
			script_wrong(s, "nothing to show");
		*flags[k].flag = true;
	}
}

static void do_dials(struct script *s)
{
	if (script_is_word(s, 1, "all"))
		s->opts.dials = HTTPTRACE_DIALS_ALL;
	else if (script_is_word(s, 1, "none"))
		s->opts.dials = HTTPTRACE_DIALS_NONE;
	else
		s->opts.dials = HTTPTRACE_DIALS_AUTO;
}

static void do_filtered(struct script *s)
{
	s->is_filtered = true;
}

static void do_raw(struct script *s)
{
	s->opts.no_redact = true;
}

static void do_noheaders(struct script *s)
{
	s->opts.no_headers = true;
}

static void do_whole(struct script *s)
{
	s->cut = 0;
}

static void do_step(struct script *s)
{
	s->step_ns = script_time_of(s, script_word(s, 1));
}

static void do_pid(struct script *s)
{
	s->pid = (uint32_t)script_number(s, 1);
	s->tid = s->word_cnt > 2 ? (uint32_t)script_number(s, 2) : s->pid;
}

static void do_exec(struct script *s)
{
	s->proc_start_ns = s->word_cnt > 4 ? script_number(s, 4) : 0;
	script_proc(s, HT_PROC_EXEC, (uint32_t)script_number(s, 1), 0, script_word(s, 2), script_word(s, 3));
	s->proc_start_ns = 0;
}

static void do_fact(struct script *s)
{
	script_proc(s, HT_PROC_FACT, (uint32_t)script_number(s, 1), 0, script_word(s, 2), script_word(s, 3));
}

static void do_fork(struct script *s)
{
	script_proc(s, HT_PROC_FORK, (uint32_t)script_number(s, 1), (uint32_t)script_number(s, 2), "forked", "");
}

static void do_exit(struct script *s)
{
	script_proc(s, HT_PROC_EXIT, (uint32_t)script_number(s, 1), 0, "", "");
}

static void dns(struct script *s, bool is_done)
{
	uint64_t d = script_number(s, 1) % SCRIPT_STREAM_MAX;
	struct ht_rec_dns rec = { .hdr = script_header(s, is_done ? HT_REC_DNS_DONE : HT_REC_DNS_START, sizeof(rec)),
				  .call_id = script_number(s, 1) };
	unsigned int i = 3;
	const char *p;

	snprintf(rec.host, sizeof(rec.host), "%s", script_word(s, 2));
	rec.host_len = (uint16_t)strlen(rec.host);
	if (i < s->word_cnt && !script_is_word(s, i, "=") && !strchr(s->words[i], '='))
		snprintf(rec.service, sizeof(rec.service), "%s", s->words[i++]);
	rec.service_len = (uint16_t)strlen(rec.service);
	if (!is_done)
		s->dns_start_ns[d] = rec.hdr.ts_ns;
	rec.start_ns = script_begin_of(s, rec.hdr.ts_ns, rec.hdr.ts_ns - s->dns_start_ns[d]);
	if (is_done) {
		if (!script_is_word(s, i, "="))
			script_wrong(s, "= expected");
		p = script_word(s, i + 1);
		if (p[0] == '-' && isdigit((unsigned char)p[1])) {
			rec.eai = -(int)script_number_of(s, p + 1);
		} else {
			char list[512];
			char *save = NULL;

			snprintf(list, sizeof(list), "%s", p);
			for (char *one = strtok_r(list, ",", &save); one; one = strtok_r(NULL, ",", &save))
				rec.addrs[rec.addr_cnt++] = script_addr_of(s, one, false);
		}
		rec.addr_total = rec.addr_cnt;
	}
	ht_engine_record(script_engine(s), &rec.hdr);
}

static void do_dnsstart(struct script *s)
{
	dns(s, false);
}

static void do_dnsdone(struct script *s)
{
	dns(s, true);
}

static void do_dns(struct script *s)
{
	dns(s, false);
	s->now_ns += 100000 - s->step_ns;
	dns(s, true);
}

static void do_connect(struct script *s)
{
	uint64_t c = script_number(s, 1);
	struct script_stream *stream = script_stream_of(s, c);

	script_h2_forget(stream);
	*stream = (struct script_stream){ .key = c, .remote = script_addr_of(s, script_word(s, 2), true) };
	stream->local = script_addr_of(s, stream->remote.family == HT_AF_INET ? "127.0.0.1:0" : "[::1]:0", true);
	stream->local.port = (uint16_t)(40000 + c % 10000);
	script_state(s, c, HT_TCP_CLOSE, HT_TCP_SYN_SENT, 0, false);
}

static void do_up(struct script *s)
{
	script_state(s, script_number(s, 1), HT_TCP_SYN_SENT, HT_TCP_ESTABLISHED, 0, true);
}

static void do_down(struct script *s)
{
	int err = script_errno_of(s, script_word(s, 2));

	script_state(s, script_number(s, 1), HT_TCP_SYN_SENT, HT_TCP_CLOSE, err, err != 0);
}

static void do_nosyn(struct script *s)
{
	struct ht_rec_connect_fail rec = { .hdr = script_header(s, HT_REC_CONNECT_FAIL, sizeof(rec)), .cookie = script_number(s, 1) };

	rec.remote = script_addr_of(s, script_word(s, 2), true);
	rec.start_ns = script_begin_of(s, rec.hdr.ts_ns, SCRIPT_TOOK_NS);
	rec.err = script_errno_of(s, script_word(s, 3));
	ht_engine_record(script_engine(s), &rec.hdr);
}

static void do_old(struct script *s)
{
	uint64_t c = script_number(s, 1);
	struct script_stream *stream = script_stream_of(s, c);

	script_h2_forget(stream);
	*stream = (struct script_stream){ .key = c, .remote = script_addr_of(s, script_word(s, 2), true) };
	stream->local = script_addr_of(s, "127.0.0.1:39999", true);
	script_state(s, c, HT_TCP_ESTABLISHED, HT_TCP_ESTABLISHED, 0, false);
}

static void do_unix(struct script *s)
{
	struct ht_rec_unix_connect rec = { .hdr = script_header(s, HT_REC_UNIX_CONNECT, sizeof(rec)), .cookie = script_number(s, 1) };
	const char *path = script_word(s, 2);

	*script_stream_of(s, rec.cookie) = (struct script_stream){ .key = rec.cookie };
	rec.start_ns = script_begin_of(s, rec.hdr.ts_ns, SCRIPT_TOOK_NS);
	rec.done_ns = rec.start_ns ? rec.start_ns + 1000 : 0;
	rec.path_len = (uint16_t)(strcmp(path, "-") ? strlen(path) : 0);
	memcpy(rec.path, path, rec.path_len);
	for (unsigned int i = 0; rec.path[0] == '@' && i < rec.path_len; i++)
		if (rec.path[i] == '@')
			rec.path[i] = '\0';
	if (s->word_cnt > 3 && script_is_word(s, 3, "undone"))
		rec.done_ns = 0;
	else if (s->word_cnt > 3 && script_word(s, 3)[0] == 'E')
		rec.err = script_errno_of(s, script_word(s, 3));
	ht_engine_record(script_engine(s), &rec.hdr);
}

/* The server reads the end of what a Unix socket's client sent. */
static void do_gone(struct script *s)
{
	struct script_stream *stream = script_stream_of(s, script_number(s, 1));

	stream->off[HT_DIR_TX] = stream->off[HT_DIR_RX] = 0;
	script_state(s, script_number(s, 1), HT_TCP_ESTABLISHED, HT_TCP_FIN_WAIT1, 0, true);
}

static void do_fin(struct script *s)
{
	script_stream_of(s, script_number(s, 1))->has_fin = true;
	script_state(s, script_number(s, 1), HT_TCP_ESTABLISHED, HT_TCP_CLOSE_WAIT, 0, true);
}

static void do_close(struct script *s)
{
	uint64_t c = script_number(s, 1);

	if (script_stream_of(s, c)->has_fin)
		script_state(s, c, HT_TCP_CLOSE_WAIT, HT_TCP_LAST_ACK, 0, false);
	else
		script_state(s, c, HT_TCP_ESTABLISHED, HT_TCP_FIN_WAIT1, 0, false);
}

/* As tcp_reset() does: the tracepoint, then tcp_done(), then the report. */
static void do_reset(struct script *s)
{
	uint64_t c = script_number(s, 1);
	uint8_t from = script_stream_of(s, c)->has_fin ? HT_TCP_CLOSE_WAIT : HT_TCP_ESTABLISHED;
	int err = script_stream_of(s, c)->has_fin ? EPIPE : ECONNRESET;

	script_sock_event(s, c, HT_REC_SOCK_RESET, 0);
	script_state(s, c, from, HT_TCP_CLOSE, err, true);
	script_sock_event(s, c, HT_REC_SOCK_ERROR, err);
}

/* The client closes with SO_LINGER 0 (tcp_disconnect()). */
static void do_abort(struct script *s)
{
	script_state(s, script_number(s, 1), HT_TCP_ESTABLISHED, HT_TCP_CLOSE, 0, false);
}

/* tcp_write_err() */
static void do_expire(struct script *s)
{
	script_sock_event(s, script_number(s, 1), HT_REC_SOCK_ERROR, ETIMEDOUT);
	script_state(s, script_number(s, 1), HT_TCP_ESTABLISHED, HT_TCP_CLOSE, ETIMEDOUT, true);
}

static void do_again(struct script *s)
{
	script_sock_event(s, script_number(s, 1), HT_REC_SOCK_AGAIN, 0);
}

static void do_error(struct script *s)
{
	script_sock_event(s, script_number(s, 1), HT_REC_SOCK_ERROR, script_errno_of(s, script_word(s, 2)));
}

static void do_tx(struct script *s)
{
	script_transfer(s, &(struct script_transfer){ .key = script_number(s, 1), .dir = HT_DIR_TX });
}

static void do_rx(struct script *s)
{
	script_transfer(s, &(struct script_transfer){ .key = script_number(s, 1), .dir = HT_DIR_RX });
}

static void do_ttx(struct script *s)
{
	script_transfer(s, &(struct script_transfer){ .key = script_number(s, 1) | SCRIPT_TLS_KEY, .dir = HT_DIR_TX });
}

static void do_trx(struct script *s)
{
	script_transfer(s, &(struct script_transfer){ .key = script_number(s, 1) | SCRIPT_TLS_KEY, .dir = HT_DIR_RX });
}

static void do_h2(struct script *s)
{
	script_h2(s, false);
}

static void do_submit(struct script *s)
{
	script_submit(s);
}

static void do_probed(struct script *s)
{
	struct {
		struct ht_rec_target rec;
		char text[16];
	} r = { .text = "library\0lib\0" };

	r.rec.hdr = script_header(s, HT_REC_TARGET, sizeof(r));
	r.rec.hdr.tgid = s->word_cnt > 1 ? (uint32_t)script_number(s, 1) : 0;
	r.rec.action = HT_TARGET_ATTACHED;
	r.rec.text_len = sizeof(r.text);
	ht_engine_record(script_engine(s), &r.rec.hdr);
}

static void do_th2(struct script *s)
{
	script_h2(s, true);
}

static void do_eof(struct script *s)
{
	script_transfer(s, &(struct script_transfer){ .key = script_number(s, 1), .dir = HT_DIR_RX, .flags = HT_F_EOF });
}

static void do_teof(struct script *s)
{
	script_transfer(s, &(struct script_transfer){ .key = script_number(s, 1) | SCRIPT_TLS_KEY, .dir = HT_DIR_RX, .flags = HT_F_EOF });
}

static void do_txfail(struct script *s)
{
	script_transfer(s, &(struct script_transfer){ .key = script_number(s, 1),
						      .dir = HT_DIR_TX,
						      .flags = HT_F_FAILED,
						      .err = script_errno_of(s, script_word(s, 2)) });
}

static void do_rxfail(struct script *s)
{
	script_transfer(s, &(struct script_transfer){ .key = script_number(s, 1),
						      .dir = HT_DIR_RX,
						      .flags = HT_F_FAILED,
						      .err = script_errno_of(s, script_word(s, 2)) });
}

static void do_ttxfail(struct script *s)
{
	script_transfer(s, &(struct script_transfer){ .key = script_number(s, 1) | SCRIPT_TLS_KEY,
						      .dir = HT_DIR_TX,
						      .flags = HT_F_FAILED,
						      .err = script_errno_of(s, script_word(s, 2)) });
}

static void do_trxfail(struct script *s)
{
	script_transfer(s, &(struct script_transfer){ .key = script_number(s, 1) | SCRIPT_TLS_KEY,
						      .dir = HT_DIR_RX,
						      .flags = HT_F_FAILED,
						      .err = script_errno_of(s, script_word(s, 2)) });
}

static void do_gap(struct script *s)
{
	bool is_tls = script_word(s, 1)[0] == 't';
	uint64_t key = is_tls ? script_number_of(s, script_word(s, 1) + 1) | SCRIPT_TLS_KEY : script_number(s, 1);

	script_stream_of(s, key)->off[script_is_word(s, 2, "rx") ? HT_DIR_RX : HT_DIR_TX] += script_number(s, 3);
}

static void do_alert(struct script *s)
{
	const unsigned char bytes[] = { 21, 3, 3, 0, 2, 2, (unsigned char)script_number(s, 3) };
	struct script_transfer t = { .key = script_number(s, 1), .dir = script_is_word(s, 2, "rx") ? HT_DIR_RX : HT_DIR_TX };

	s->word_cnt = 2;
	memcpy(s->data, bytes, sizeof(bytes));
	s->data_len = sizeof(bytes);
	script_transfer(s, &t);
}

static uint8_t evidence_of(const struct script *s, const char *name)
{
	static const char *const names[] = { "none", "bytes", "fd", "nested" };

	for (uint8_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i], name))
			return i;
	script_wrong(s, name);
	return 0;
}

static void do_tls(struct script *s)
{
	static const struct {
		const char *name;
		uint16_t op;
	} tls_ops[] = {
		{ "start", HT_TLS_HANDSHAKE_START }, { "done", HT_TLS_HANDSHAKE_DONE },
		{ "fail", HT_TLS_HANDSHAKE_FAIL },   { "bind", HT_TLS_BIND },
		{ "sni", HT_TLS_SERVER_NAME },       { "alpn", HT_TLS_ALPN },
		{ "shutdown", HT_TLS_SHUTDOWN },     { "free", HT_TLS_FREE },
		{ "error", HT_TLS_ERROR },
	};
	struct script_stream *stream = script_stream_of(s, script_number(s, 1) | SCRIPT_TLS_KEY);
	struct {
		struct ht_rec_tls rec;
		char text[HT_TLS_TEXT_MAX + 8];
	} r = { 0 };
	size_t i;

	for (i = 0; i < sizeof(tls_ops) / sizeof(tls_ops[0]) && strcmp(tls_ops[i].name, script_word(s, 2)); i++)
		;
	if (i == sizeof(tls_ops) / sizeof(tls_ops[0]))
		script_wrong(s, "no such op");
	r.rec.hdr = script_header(s, HT_REC_TLS, sizeof(r));
	r.rec.op = tls_ops[i].op;
	r.rec.tls_id = script_number(s, 1);
	r.rec.library = HT_TLS_LIB_OPENSSL;
	switch (r.rec.op) {
	case HT_TLS_HANDSHAKE_START:
		r.rec.start_ns = r.rec.hdr.ts_ns;
		break;
	case HT_TLS_HANDSHAKE_FAIL:
		r.rec.verify_result = s->word_cnt > 5 && isdigit((unsigned char)s->words[5][0]) ? (uint32_t)script_number(s, 5) : 0;
		/* fall through */
	case HT_TLS_ERROR:
		r.rec.err_lib = (uint32_t)script_number(s, 3);
		r.rec.err_reason = (uint32_t)script_number(s, 4);
		break;
	case HT_TLS_BIND:
		stream->cookie = script_number(s, 3);
		r.rec.cookie = stream->cookie;
		r.rec.evidence = evidence_of(s, script_word(s, 4));
		break;
	case HT_TLS_SERVER_NAME:
	case HT_TLS_ALPN:
		r.rec.text_len = (uint16_t)snprintf(r.text, sizeof(r.text), "%s", script_word(s, 3));
		break;
	}
	for (unsigned int k = 3; k < s->word_cnt; k++) {
		if (script_is_word(s, k, "server"))
			r.rec.is_server = 1;
		else if (!strncmp(s->words[k], "cookie=", 7))
			r.rec.cookie = script_number_of(s, s->words[k] + 7);
	}
	ht_engine_record(script_engine(s), &r.rec.hdr);
}

static void do_lost(struct script *s)
{
	ht_engine_lost(script_engine(s), s->now_ns, script_number(s, 1), script_word(s, 2));
}

static void do_losing(struct script *s)
{
	ht_engine_loss_begins(script_engine(s), s->now_ns, s->now_ns + script_time_of(s, script_word(s, 1)));
}

static void do_end(struct script *s)
{
	ht_engine_end(script_engine(s), s->now_ns);
}

static void do_due(struct script *s)
{
	uint64_t at_ns = ht_engine_deadline_ns(script_engine(s));

	if (at_ns)
		script_put(&s->text, "due +%" PRIu64 "us\n", (at_ns - s->now_ns) / 1000);
	else
		script_put(&s->text, "due never\n");
}

/* Those that are not 0. */
static void do_counts(struct script *s)
{
	struct httptrace_notice n = { 0 };

	ht_engine_summary(script_engine(s), &n);
	script_put(&s->text, "requests=%" PRIu64 " dials=%" PRIu64, n.requests, n.dials);
	if (n.websockets)
		script_put(&s->text, " websockets=%" PRIu64, n.websockets);
	for (size_t i = 0; i < n.skipped_cnt; i++)
		if (n.skipped[i].count)
			script_put(&s->text, " %s=%" PRIu64, n.skipped[i].name, n.skipped[i].count);
	script_put(&s->text, "\n");
}

static const struct {
	const char *name;
	void (*run)(struct script *s);
} commands[] = {
	{ "show", do_show },
	{ "dials", do_dials },
	{ "filtered", do_filtered },
	{ "raw", do_raw },
	{ "noheaders", do_noheaders },
	{ "step", do_step },
	{ "whole", do_whole },
	{ "pid", do_pid },
	{ "exec", do_exec },
	{ "fact", do_fact },
	{ "fork", do_fork },
	{ "exit", do_exit },
	{ "dns", do_dns },
	{ "dnsstart", do_dnsstart },
	{ "dnsdone", do_dnsdone },
	{ "connect", do_connect },
	{ "up", do_up },
	{ "down", do_down },
	{ "nosyn", do_nosyn },
	{ "old", do_old },
	{ "unix", do_unix },
	{ "gone", do_gone },
	{ "fin", do_fin },
	{ "close", do_close },
	{ "reset", do_reset },
	{ "abort", do_abort },
	{ "expire", do_expire },
	{ "again", do_again },
	{ "error", do_error },
	{ "tx", do_tx },
	{ "rx", do_rx },
	{ "ttx", do_ttx },
	{ "trx", do_trx },
	{ "h2", do_h2 },
	{ "th2", do_th2 },
	{ "submit", do_submit },
	{ "probed", do_probed },
	{ "eof", do_eof },
	{ "teof", do_teof },
	{ "txfail", do_txfail },
	{ "rxfail", do_rxfail },
	{ "ttxfail", do_ttxfail },
	{ "trxfail", do_trxfail },
	{ "gap", do_gap },
	{ "alert", do_alert },
	{ "tls", do_tls },
	{ "lost", do_lost },
	{ "losing", do_losing },
	{ "end", do_end },
	{ "due", do_due },
	{ "counts", do_counts },
};

static void run_line(struct script *s)
{
	script_split(s);
	if (!s->word_cnt)
		return;
	if (s->words[0][0] == '+') {
		s->now_ns += script_time_of(s, s->words[0] + 1);
		ht_engine_time(script_engine(s), s->now_ns);
		return;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (script_is_word(s, 0, commands[i].name)) {
			commands[i].run(s);
			return;
		}
	script_wrong(s, "no such command");
}

void script_do(struct script *s, const char *text)
{
	bool is_quoted = false, is_comment = false;
	size_t len = 0;

	for (const char *p = text;; p++) {
		if (!*p || *p == '\n' || (*p == ';' && !is_quoted && !is_comment)) {
			s->line[len] = '\0';
			run_line(s);
			if (!*p)
				return;
			len = 0;
			is_quoted = is_comment = false;
			continue;
		}
		if (*p == '#' && !is_quoted)
			is_comment = true;
		if (is_comment)
			continue;
		if (*p == '\'' && (p == text || p[-1] != '\\'))
			is_quoted = !is_quoted;
		if (len == sizeof(s->line) - 1)
			script_wrong(s, "a line is too long");
		s->line[len++] = *p;
	}
}

void script_dof(struct script *s, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	script_do(s, text);
	free(text);
}

const char *script_text(struct script *s)
{
	const char *text;

	script_put(&s->text, "%s", "");
	text = s->text.bytes + s->told;
	s->told = s->text.len;
	return text;
}

struct script *script_new(void)
{
	struct script *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->now_ns = START_NS;
	s->step_ns = STEP_NS;
	s->pid = s->tid = 100;
	s->opts.dials = HTTPTRACE_DIALS_ALL;
	return s;
}

unsigned int script_free(struct script *s)
{
	unsigned int open_cnt = 0;

	ht_engine_free(s->engine);
	for (size_t i = 0; i < s->state_cnt; i++)
		open_cnt += s->state[i] == SEEN;
	script_h2_free(s);
	free(s->state);
	free(s->text.bytes);
	free(s);
	return open_cnt;
}

char *script_run(const char *text, size_t cut)
{
	struct script *s = script_new();
	char *copy;
	size_t len;

	s->cut = cut;
	script_do(s, text);
	len = s->text.len;
	do_end(s);
	for (size_t i = 0; i < s->state_cnt; i++)
		if (s->state[i] == SEEN)
			script_put(&s->text, "BROKEN request %zu was begun and never done\n", i);
	/* What the end of tracing tells is part of the scenario only where it says `end`, but for what is wrong. */
	script_put(&s->text, "%s", "");
	if (!strstr(s->text.bytes + len, "BROKEN"))
		s->text.bytes[len] = '\0';
	copy = strdup(s->text.bytes);
	if (!copy)
		abort();
	script_free(s);
	return copy;
}
