/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * script.c - the scenario language of script.h: commands to records, the engine's calls to text.
 *
 * Owns the engine and all it reports. A command that is none aborts with a line on standard error.
 */
#include "script.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hello_samples.h"
#include "req/request.h"
#include "script_report.h"

#define START_NS     1000000000ull
#define STEP_NS      10000ull
#define TOOK_NS      5000ull
#define LINE_MAX     8192
#define WORD_MAX     48
#define STREAM_MAX   64 /* connections and TLS objects whose offsets are kept */
#define REQUEST_MAX  4096
#define REALTIME_NS  1700000000000000000ull

struct stream {
	uint64_t key; /* connection C: C; TLS object T: T | TLS_KEY */
	uint64_t off[2];
	uint64_t cookie; /* of a TLS object: last bound */
	struct ht_addr local, remote;
	bool has_fin, is_up;
};

#define TLS_KEY (1ull << 63)

struct script {
	struct ht_engine *engine;
	struct ht_engine_opts opts;
	bool is_filtered, is_logging;
	struct script_view view;
	struct script_text text;
	size_t told; /* of text */
	uint64_t now_ns, step_ns, seq;
	uint32_t pid, tid;
	struct stream streams[STREAM_MAX];
	uint64_t dns_start_ns[STREAM_MAX];
	char dns_host[STREAM_MAX][64], dns_service[STREAM_MAX][32];
	/* By request id: begun and done. */
	uint8_t state[REQUEST_MAX];
	/* The command being run. */
	char line[LINE_MAX];
	char *words[WORD_MAX];
	unsigned int word_cnt;
	char data[LINE_MAX];
	size_t data_len;
};

enum { SEEN = 1, DONE = 2 };

static void wrong(const struct script *s, const char *what)
{
	fprintf(stderr, "script: %s:", what);
	for (unsigned int i = 0; i < s->word_cnt; i++)
		fprintf(stderr, " %s", s->words[i]);
	fprintf(stderr, "\n");
	abort();
}

/* ---- the engine's calls ---- */

/*
 * Callbacks are called in the order in which hooks are handed over. A send may return behind its response, an attempt may end behind its request: hooks.md
 * A2 gives these no place.
 */
static bool may_come_late(enum httptrace_hook_id id)
{
	return id == HTTPTRACE_WROTE_REQUEST || id == HTTPTRACE_WAIT_100_CONTINUE || id == HTTPTRACE_CONNECT_DONE;
}

static void hand_over(struct script *s, struct httptrace_request *request, bool is_done)
{
	uint64_t id = httptrace_request__id(request);
	const char *fault = script_check(request, is_done);
	bool is_late = false;

	for (size_t i = request->hook_cnt; i-- > 0;) {
		if (request->hooks[i].is_fired)
			is_late = true;
		else if (is_late && !may_come_late(request->hooks[i].id))
			fault = "a hook in front of one that was handed over";
		request->hooks[i].is_fired = true;
	}
	if (id >= REQUEST_MAX)
		return;
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

/* ---- words ---- */

static bool is_word(const struct script *s, unsigned int i, const char *word)
{
	return i < s->word_cnt && !strcmp(s->words[i], word);
}

static const char *word(const struct script *s, unsigned int i)
{
	if (i >= s->word_cnt)
		wrong(s, "a word is missing");
	return s->words[i];
}

static uint64_t number_of(const struct script *s, const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 0);

	if (!isdigit((unsigned char)text[0]) || *end)
		wrong(s, text);
	return n;
}

static uint64_t number(const struct script *s, unsigned int i)
{
	return number_of(s, word(s, i));
}

static uint64_t time_of(const struct script *s, const char *text)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = { { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 } };
	char *end;
	uint64_t n = strtoull(text, &end, 10);

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(end, units[i].name))
			return n * units[i].ns;
	if (n || *end)
		wrong(s, text);
	return 0;
}

/* "ECONNREFUSED" or 0 */
static int errno_of(const struct script *s, const char *name)
{
	for (int err = 1; err < 200; err++)
		if (strerrorname_np(err) && !strcmp(strerrorname_np(err), name))
			return err;
	return (int)number_of(s, name);
}

static struct ht_addr addr_of(const struct script *s, const char *text, bool has_port)
{
	struct ht_addr addr = { .family = HT_AF_INET };
	char host[64];
	const char *colon = has_port ? strrchr(text, ':') : text + strlen(text);

	if (!colon || (size_t)(colon - text) >= sizeof(host))
		wrong(s, text);
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	if (has_port)
		addr.port = (uint16_t)number_of(s, colon + 1);
	if (host[0] == '[') {
		host[strlen(host) - 1] = '\0';
		memmove(host, host + 1, strlen(host));
	}
	if (inet_pton(AF_INET, host, addr.addr) == 1)
		return addr;
	addr.family = HT_AF_INET6;
	if (inet_pton(AF_INET6, host, addr.addr) != 1)
		wrong(s, text);
	return addr;
}

static int hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Takes the quoted text at p into s->data; what follows it. */
static char *take_quoted(struct script *s, char *p)
{
	s->data_len = 0;
	for (p++; *p && *p != '\''; p++) {
		char c = *p;

		if (c == '~') {
			s->data[s->data_len++] = '\r';
			c = '\n';
		} else if (c == '\\') {
			c = *++p;
			if (c == 'n') {
				c = '\n';
			} else if (c == 'x') {
				c = (char)(hex_digit(p[1]) << 4 | hex_digit(p[2]));
				p += 2;
			}
		}
		s->data[s->data_len++] = c;
	}
	if (!*p)
		wrong(s, "a quote is not closed");
	return p + 1;
}

/* Splits s->line into words; a quoted text goes to s->data and counts as the word "'". */
static void split(struct script *s)
{
	static char quote[] = "'";
	char *p = s->line;

	s->word_cnt = 0;
	s->data_len = 0;
	for (;;) {
		while (*p == ' ' || *p == '\t')
			p++;
		if (!*p)
			return;
		if (s->word_cnt == WORD_MAX)
			wrong(s, "too many words");
		if (*p == '\'') {
			s->words[s->word_cnt++] = quote;
			p = take_quoted(s, p);
			continue;
		}
		s->words[s->word_cnt++] = p;
		while (*p && *p != ' ' && *p != '\t')
			p++;
		if (*p)
			*p++ = '\0';
	}
}

/* ---- records ---- */

static struct stream *stream_of(struct script *s, uint64_t key)
{
	struct stream *stream = &s->streams[(key & ~TLS_KEY) % (STREAM_MAX / 2) + (key & TLS_KEY ? STREAM_MAX / 2 : 0)];

	if (stream->key != key)
		*stream = (struct stream){ .key = key };
	return stream;
}

struct ht_engine *script_engine(struct script *s)
{
	if (!s->engine) {
		struct ht_rec_clock clock = { .hdr = { .size = sizeof(clock), .kind = HT_REC_CLOCK, .ts_ns = 1, .cpu = HT_CPU_USER },
					      .mono_ns = START_NS, .realtime_ns = REALTIME_NS };
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

/* The header, at the time of now; options that every record may have. */
static struct ht_hdr header(struct script *s, uint16_t kind, size_t size)
{
	struct ht_hdr hdr = { .size = (uint32_t)size, .kind = kind, .seq = s->seq++, .tgid = s->pid, .tid = s->tid };

	s->now_ns += s->step_ns;
	hdr.ts_ns = s->now_ns;
	for (unsigned int i = 1; i < s->word_cnt; i++) {
		if (!strncmp(s->words[i], "lost=", 5))
			hdr.lost = (uint32_t)number_of(s, s->words[i] + 5);
		else if (!strncmp(s->words[i], "late=", 5))
			hdr.ts_ns -= time_of(s, s->words[i] + 5);
		else if (is_word(s, i, "foreign"))
			hdr.flags |= HT_F_FOREIGN;
	}
	if (hdr.flags & HT_F_FOREIGN)
		hdr.tid = 0;
	return hdr;
}

/* When the call that ends at ts_ns began: `took=`, else usual_ns before. */
static uint64_t begin_of(const struct script *s, uint64_t ts_ns, uint64_t usual_ns)
{
	for (unsigned int i = 1; i < s->word_cnt; i++) {
		if (is_word(s, i, "took=?"))
			return 0;
		if (!strncmp(s->words[i], "took=", 5))
			return ts_ns - time_of(s, s->words[i] + 5);
	}
	return ts_ns - usual_ns;
}

static void state(struct script *s, uint64_t c, uint8_t from, uint8_t to, int err, bool is_foreign)
{
	struct stream *stream = stream_of(s, c);
	struct ht_rec_sock_state rec = { .hdr = header(s, HT_REC_SOCK_STATE, sizeof(rec)) };

	if (is_foreign) {
		rec.hdr.flags |= HT_F_FOREIGN;
		rec.hdr.tid = 0;
	}
	rec.cookie = c;
	rec.tx_bytes = stream->off[HT_DIR_TX];
	rec.rx_bytes = stream->off[HT_DIR_RX];
	rec.remote = stream->remote;
	rec.local = stream->local;
	if (from == HT_TCP_CLOSE)
		rec.local.port = 0;
	rec.err = err;
	rec.old_state = from;
	rec.new_state = to;
	ht_engine_record(script_engine(s), &rec.hdr);
}

static void sock_event(struct script *s, uint64_t c, uint16_t kind, int err)
{
	struct ht_rec_sock_event rec = { .hdr = header(s, kind, sizeof(rec)) };

	rec.cookie = c;
	rec.err = err;
	ht_engine_record(script_engine(s), &rec.hdr);
}

static const struct {
	const char *name;
	const unsigned char *bytes;
	size_t len;
} samples[] = {
#define SAMPLE(name) { #name, sample_##name, sizeof(sample_##name) }
	SAMPLE(tls12_client),	      SAMPLE(tls12_server),	    SAMPLE(tls12_id_full_client), SAMPLE(tls12_id_full_server),
	SAMPLE(tls12_id_resumed_client), SAMPLE(tls12_id_resumed_server), SAMPLE(tls12_ticket_resumed_client), SAMPLE(tls12_ticket_resumed_server),
	SAMPLE(tls13_client),	      SAMPLE(tls13_server),	    SAMPLE(tls13_resumed_client), SAMPLE(tls13_resumed_server),
	SAMPLE(tls13_retry_client),   SAMPLE(tls13_retry_server),   SAMPLE(curl_client),	  SAMPLE(curl_server),
	SAMPLE(alert_version_client), SAMPLE(alert_version_server),
#undef SAMPLE
};

static void take_sample(struct script *s, const char *name)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if (!strcmp(samples[i].name, name)) {
			memcpy(s->data, samples[i].bytes, samples[i].len);
			s->data_len = samples[i].len;
			return;
		}
	wrong(s, "no such sample");
}

struct transfer {
	uint64_t key;
	uint8_t dir;
	uint16_t flags;
	int err;
};

static uint8_t stream_kind(const struct script *s, const char *name)
{
	static const char *const kinds[] = { "unknown", "http1", "http2", "tls", "other" };

	for (uint8_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i], name))
			return i;
	wrong(s, name);
	return 0;
}

static void transfer(struct script *s, const struct transfer *t)
{
	struct stream *stream = stream_of(s, t->key);
	struct ht_rec_data *rec;
	uint64_t more = 0;
	bool is_tls = t->key & TLS_KEY;

	if (t->flags == 0 && s->word_cnt > 2 && !is_word(s, 2, "'"))
		take_sample(s, s->words[2]);
	/* Exactly as long as it is, so that a read behind it is found; decode pads to 8. */
	rec = calloc(1, sizeof(*rec) + ((s->data_len + 7) & ~(size_t)7));
	if (!rec)
		abort();
	rec->hdr = header(s, HT_REC_DATA, sizeof(*rec) + ((s->data_len + 7) & ~(size_t)7));
	rec->hdr.flags |= t->flags;
	rec->dir = t->dir;
	rec->via = is_tls ? HT_VIA_TLS : HT_VIA_SYSCALL;
	rec->err = t->err;
	rec->cookie = is_tls ? stream->cookie : t->key;
	rec->tls_id = is_tls ? t->key & ~TLS_KEY : 0;
	rec->off = stream->off[t->dir];
	for (unsigned int i = 2; i < s->word_cnt; i++) {
		const char *w = s->words[i];

		if (w[0] == '+')
			more = number_of(s, w + 1);
		else if (!strncmp(w, "off=", 4))
			rec->off = number_of(s, w + 4);
		else if (!strncmp(w, "stream=", 7))
			rec->stream = stream_kind(s, w + 7);
		else if (!strncmp(w, "cookie=", 7))
			rec->cookie = number_of(s, w + 7);
		else if (!strcmp(w, "handshake"))
			rec->hdr.flags |= HT_F_HANDSHAKE;
		else if (!strcmp(w, "nobuf"))
			rec->hdr.flags |= HT_F_NOBUF;
	}
	if (t->dir == HT_DIR_TX)
		rec->start_ns = begin_of(s, rec->hdr.ts_ns, TOOK_NS);
	rec->captured_len = rec->hdr.flags & HT_F_NOBUF ? 0 : (uint32_t)s->data_len;
	rec->orig_len = (uint32_t)(s->data_len + more);
	memcpy(rec + 1, s->data, s->data_len);
	stream->off[t->dir] = rec->off + rec->orig_len;
	ht_engine_record(script_engine(s), &rec->hdr);
	free(rec);
}

static void proc(struct script *s, uint16_t op, uint32_t pid, uint32_t ppid, const char *comm, const char *exe)
{
	struct ht_rec_proc rec = { .hdr = header(s, HT_REC_PROC, sizeof(rec)), .op = op, .ppid = ppid };

	rec.hdr.tgid = pid;
	rec.hdr.tid = pid;
	snprintf(rec.comm, sizeof(rec.comm), "%s", comm);
	rec.exe_len = (uint16_t)snprintf(rec.exe, sizeof(rec.exe), "%s", exe);
	ht_engine_record(script_engine(s), &rec.hdr);
}

/* ---- commands; each gets the words of its line ---- */

static void do_show(struct script *s)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {
		{ "args", &s->view.args }, { "time", &s->view.time },	{ "how", &s->view.how }, { "fields", &s->view.fields }, { "conn", &s->view.conn },
		{ "bytes", &s->view.bytes }, { "times", &s->view.times }, { "who", &s->view.who }, { "log", &s->is_logging },
	};

	for (unsigned int i = 1; i < s->word_cnt; i++) {
		size_t k;

		for (k = 0; k < sizeof(flags) / sizeof(flags[0]) && strcmp(flags[k].name, s->words[i]); k++)
			;
		if (k == sizeof(flags) / sizeof(flags[0]))
			wrong(s, "nothing to show");
		*flags[k].flag = true;
	}
}

static void do_dials(struct script *s)
{
	if (is_word(s, 1, "all"))
		s->opts.dials = HTTPTRACE_DIALS_ALL;
	else if (is_word(s, 1, "none"))
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

static void do_step(struct script *s)
{
	s->step_ns = time_of(s, word(s, 1));
}

static void do_pid(struct script *s)
{
	s->pid = (uint32_t)number(s, 1);
	s->tid = s->word_cnt > 2 ? (uint32_t)number(s, 2) : s->pid;
}

static void do_exec(struct script *s)
{
	proc(s, HT_PROC_EXEC, (uint32_t)number(s, 1), 0, word(s, 2), word(s, 3));
}

static void do_fact(struct script *s)
{
	proc(s, HT_PROC_FACT, (uint32_t)number(s, 1), 0, word(s, 2), word(s, 3));
}

static void do_fork(struct script *s)
{
	proc(s, HT_PROC_FORK, (uint32_t)number(s, 1), (uint32_t)number(s, 2), "forked", "");
}

static void do_exit(struct script *s)
{
	proc(s, HT_PROC_EXIT, (uint32_t)number(s, 1), 0, "", "");
}

static void dns(struct script *s, bool is_done)
{
	uint64_t d = number(s, 1) % STREAM_MAX;
	struct ht_rec_dns rec = { .hdr = header(s, is_done ? HT_REC_DNS_DONE : HT_REC_DNS_START, sizeof(rec)), .call_id = number(s, 1) };
	unsigned int i = 3;
	const char *p;

	snprintf(rec.host, sizeof(rec.host), "%s", word(s, 2));
	rec.host_len = (uint16_t)strlen(rec.host);
	if (i < s->word_cnt && !is_word(s, i, "=") && !strchr(s->words[i], '='))
		snprintf(rec.service, sizeof(rec.service), "%s", s->words[i++]);
	rec.service_len = (uint16_t)strlen(rec.service);
	if (!is_done)
		s->dns_start_ns[d] = rec.hdr.ts_ns;
	rec.start_ns = begin_of(s, rec.hdr.ts_ns, rec.hdr.ts_ns - s->dns_start_ns[d]);
	if (is_done) {
		if (!is_word(s, i, "="))
			wrong(s, "= expected");
		p = word(s, i + 1);
		if (p[0] == '-' && isdigit((unsigned char)p[1])) {
			rec.eai = -(int)number_of(s, p + 1);
		} else {
			char list[512];
			char *save = NULL;

			snprintf(list, sizeof(list), "%s", p);
			for (char *one = strtok_r(list, ",", &save); one; one = strtok_r(NULL, ",", &save))
				rec.addrs[rec.addr_cnt++] = addr_of(s, one, false);
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
	uint64_t c = number(s, 1);
	struct stream *stream = stream_of(s, c);

	*stream = (struct stream){ .key = c, .remote = addr_of(s, word(s, 2), true) };
	stream->local = addr_of(s, stream->remote.family == HT_AF_INET ? "127.0.0.1:0" : "[::1]:0", true);
	stream->local.port = (uint16_t)(40000 + c % 10000);
	state(s, c, HT_TCP_CLOSE, HT_TCP_SYN_SENT, 0, false);
}

static void do_up(struct script *s)
{
	stream_of(s, number(s, 1))->is_up = true;
	state(s, number(s, 1), HT_TCP_SYN_SENT, HT_TCP_ESTABLISHED, 0, true);
}

static void do_down(struct script *s)
{
	int err = errno_of(s, word(s, 2));

	state(s, number(s, 1), HT_TCP_SYN_SENT, HT_TCP_CLOSE, err, err != 0);
}

static void do_nosyn(struct script *s)
{
	struct ht_rec_connect_fail rec = { .hdr = header(s, HT_REC_CONNECT_FAIL, sizeof(rec)), .cookie = number(s, 1) };

	rec.remote = addr_of(s, word(s, 2), true);
	rec.start_ns = begin_of(s, rec.hdr.ts_ns, TOOK_NS);
	rec.err = errno_of(s, word(s, 3));
	ht_engine_record(script_engine(s), &rec.hdr);
}

static void do_old(struct script *s)
{
	uint64_t c = number(s, 1);
	struct stream *stream = stream_of(s, c);

	*stream = (struct stream){ .key = c, .remote = addr_of(s, word(s, 2), true), .is_up = true };
	stream->local = addr_of(s, "127.0.0.1:39999", true);
	state(s, c, HT_TCP_ESTABLISHED, HT_TCP_ESTABLISHED, 0, false);
}

static void do_fin(struct script *s)
{
	stream_of(s, number(s, 1))->has_fin = true;
	state(s, number(s, 1), HT_TCP_ESTABLISHED, HT_TCP_CLOSE_WAIT, 0, true);
}

static void do_close(struct script *s)
{
	uint64_t c = number(s, 1);

	if (stream_of(s, c)->has_fin)
		state(s, c, HT_TCP_CLOSE_WAIT, HT_TCP_LAST_ACK, 0, false);
	else
		state(s, c, HT_TCP_ESTABLISHED, HT_TCP_FIN_WAIT1, 0, false);
}

/* As tcp_reset() does: the tracepoint, then tcp_done(), then the report. */
static void do_reset(struct script *s)
{
	uint64_t c = number(s, 1);
	uint8_t from = stream_of(s, c)->has_fin ? HT_TCP_CLOSE_WAIT : HT_TCP_ESTABLISHED;
	int err = stream_of(s, c)->has_fin ? EPIPE : ECONNRESET;

	sock_event(s, c, HT_REC_SOCK_RESET, 0);
	state(s, c, from, HT_TCP_CLOSE, err, true);
	sock_event(s, c, HT_REC_SOCK_ERROR, err);
}

/* The client closes with SO_LINGER 0 (tcp_disconnect()). */
static void do_abort(struct script *s)
{
	state(s, number(s, 1), HT_TCP_ESTABLISHED, HT_TCP_CLOSE, 0, false);
}

/* tcp_write_err() */
static void do_expire(struct script *s)
{
	sock_event(s, number(s, 1), HT_REC_SOCK_ERROR, ETIMEDOUT);
	state(s, number(s, 1), HT_TCP_ESTABLISHED, HT_TCP_CLOSE, ETIMEDOUT, true);
}

static void do_again(struct script *s)
{
	sock_event(s, number(s, 1), HT_REC_SOCK_AGAIN, 0);
}

static void do_error(struct script *s)
{
	sock_event(s, number(s, 1), HT_REC_SOCK_ERROR, errno_of(s, word(s, 2)));
}

static void do_tx(struct script *s)
{
	transfer(s, &(struct transfer){ .key = number(s, 1), .dir = HT_DIR_TX });
}

static void do_rx(struct script *s)
{
	transfer(s, &(struct transfer){ .key = number(s, 1), .dir = HT_DIR_RX });
}

static void do_ttx(struct script *s)
{
	transfer(s, &(struct transfer){ .key = number(s, 1) | TLS_KEY, .dir = HT_DIR_TX });
}

static void do_trx(struct script *s)
{
	transfer(s, &(struct transfer){ .key = number(s, 1) | TLS_KEY, .dir = HT_DIR_RX });
}

static void do_eof(struct script *s)
{
	transfer(s, &(struct transfer){ .key = number(s, 1), .dir = HT_DIR_RX, .flags = HT_F_EOF });
}

static void do_teof(struct script *s)
{
	transfer(s, &(struct transfer){ .key = number(s, 1) | TLS_KEY, .dir = HT_DIR_RX, .flags = HT_F_EOF });
}

static void do_txfail(struct script *s)
{
	transfer(s, &(struct transfer){ .key = number(s, 1), .dir = HT_DIR_TX, .flags = HT_F_FAILED, .err = errno_of(s, word(s, 2)) });
}

static void do_rxfail(struct script *s)
{
	transfer(s, &(struct transfer){ .key = number(s, 1), .dir = HT_DIR_RX, .flags = HT_F_FAILED, .err = errno_of(s, word(s, 2)) });
}

static void do_ttxfail(struct script *s)
{
	transfer(s, &(struct transfer){ .key = number(s, 1) | TLS_KEY, .dir = HT_DIR_TX, .flags = HT_F_FAILED, .err = errno_of(s, word(s, 2)) });
}

static void do_trxfail(struct script *s)
{
	transfer(s, &(struct transfer){ .key = number(s, 1) | TLS_KEY, .dir = HT_DIR_RX, .flags = HT_F_FAILED, .err = errno_of(s, word(s, 2)) });
}

static void do_gap(struct script *s)
{
	bool is_tls = word(s, 1)[0] == 't';
	uint64_t key = is_tls ? number_of(s, word(s, 1) + 1) | TLS_KEY : number(s, 1);

	stream_of(s, key)->off[is_word(s, 2, "rx") ? HT_DIR_RX : HT_DIR_TX] += number(s, 3);
}

static void do_alert(struct script *s)
{
	const unsigned char bytes[] = { 21, 3, 3, 0, 2, 2, (unsigned char)number(s, 3) };
	struct transfer t = { .key = number(s, 1), .dir = is_word(s, 2, "rx") ? HT_DIR_RX : HT_DIR_TX };

	s->word_cnt = 2;
	memcpy(s->data, bytes, sizeof(bytes));
	s->data_len = sizeof(bytes);
	transfer(s, &t);
}

static uint8_t evidence_of(const struct script *s, const char *name)
{
	static const char *const names[] = { "none", "bytes", "fd", "nested" };

	for (uint8_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i], name))
			return i;
	wrong(s, name);
	return 0;
}

static void do_tls(struct script *s)
{
	static const struct {
		const char *name;
		uint16_t op;
	} tls_ops[] = {
		{ "start", HT_TLS_HANDSHAKE_START }, { "done", HT_TLS_HANDSHAKE_DONE }, { "fail", HT_TLS_HANDSHAKE_FAIL }, { "bind", HT_TLS_BIND },
		{ "sni", HT_TLS_SERVER_NAME },	     { "alpn", HT_TLS_ALPN },		{ "shutdown", HT_TLS_SHUTDOWN },   { "free", HT_TLS_FREE },
		{ "error", HT_TLS_ERROR },
	};
	struct stream *stream = stream_of(s, number(s, 1) | TLS_KEY);
	struct {
		struct ht_rec_tls rec;
		char text[HT_TLS_TEXT_MAX + 8];
	} r = { 0 };
	size_t i;

	for (i = 0; i < sizeof(tls_ops) / sizeof(tls_ops[0]) && strcmp(tls_ops[i].name, word(s, 2)); i++)
		;
	if (i == sizeof(tls_ops) / sizeof(tls_ops[0]))
		wrong(s, "no such op");
	r.rec.hdr = header(s, HT_REC_TLS, sizeof(r));
	r.rec.op = tls_ops[i].op;
	r.rec.tls_id = number(s, 1);
	r.rec.library = HT_TLS_LIB_OPENSSL;
	switch (r.rec.op) {
	case HT_TLS_HANDSHAKE_START:
		r.rec.start_ns = r.rec.hdr.ts_ns;
		break;
	case HT_TLS_HANDSHAKE_FAIL:
		r.rec.verify_result = s->word_cnt > 5 && isdigit((unsigned char)s->words[5][0]) ? (uint32_t)number(s, 5) : 0;
		/* fall through */
	case HT_TLS_ERROR:
		r.rec.err_lib = (uint32_t)number(s, 3);
		r.rec.err_reason = (uint32_t)number(s, 4);
		break;
	case HT_TLS_BIND:
		stream->cookie = number(s, 3);
		r.rec.cookie = stream->cookie;
		r.rec.evidence = evidence_of(s, word(s, 4));
		break;
	case HT_TLS_SERVER_NAME:
	case HT_TLS_ALPN:
		r.rec.text_len = (uint16_t)snprintf(r.text, sizeof(r.text), "%s", word(s, 3));
		break;
	}
	for (unsigned int k = 3; k < s->word_cnt; k++) {
		if (is_word(s, k, "server"))
			r.rec.is_server = 1;
		else if (!strncmp(s->words[k], "cookie=", 7))
			r.rec.cookie = number_of(s, s->words[k] + 7);
	}
	ht_engine_record(script_engine(s), &r.rec.hdr);
}

static void do_lost(struct script *s)
{
	ht_engine_lost(script_engine(s), s->now_ns, number(s, 1), word(s, 2));
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
	for (size_t i = 0; i < n.skipped_cnt; i++)
		if (n.skipped[i].count)
			script_put(&s->text, " %s=%" PRIu64, n.skipped[i].name, n.skipped[i].count);
	script_put(&s->text, "\n");
}

static const struct {
	const char *name;
	void (*run)(struct script *s);
} commands[] = {
	{ "show", do_show },	   { "dials", do_dials },     { "filtered", do_filtered }, { "raw", do_raw },	   { "noheaders", do_noheaders },
	{ "step", do_step },	   { "pid", do_pid },	      { "exec", do_exec },	   { "fact", do_fact },	   { "fork", do_fork },
	{ "exit", do_exit },	   { "dns", do_dns },	      { "dnsstart", do_dnsstart }, { "dnsdone", do_dnsdone }, { "connect", do_connect },
	{ "up", do_up },	   { "down", do_down },	      { "nosyn", do_nosyn },	   { "old", do_old },	   { "fin", do_fin },
	{ "close", do_close },	   { "reset", do_reset },     { "abort", do_abort },	   { "expire", do_expire }, { "again", do_again },
	{ "error", do_error },	   { "tx", do_tx },	      { "rx", do_rx },		   { "ttx", do_ttx },	   { "trx", do_trx },
	{ "eof", do_eof },	   { "teof", do_teof },	      { "txfail", do_txfail },	   { "rxfail", do_rxfail }, { "ttxfail", do_ttxfail },
	{ "trxfail", do_trxfail }, { "gap", do_gap },	      { "alert", do_alert },	   { "tls", do_tls },	   { "lost", do_lost },
	{ "end", do_end },	   { "due", do_due },	      { "counts", do_counts },
};

static void run_line(struct script *s)
{
	split(s);
	if (!s->word_cnt)
		return;
	if (s->words[0][0] == '+') {
		s->now_ns += time_of(s, s->words[0] + 1);
		ht_engine_time(script_engine(s), s->now_ns);
		return;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (is_word(s, 0, commands[i].name)) {
			commands[i].run(s);
			return;
		}
	wrong(s, "no such command");
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
			wrong(s, "a line is too long");
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
	for (size_t i = 0; i < REQUEST_MAX; i++)
		open_cnt += s->state[i] == SEEN;
	free(s->text.bytes);
	free(s);
	return open_cnt;
}

char *script_run(const char *text)
{
	struct script *s = script_new();
	char *copy;
	size_t len;

	script_do(s, text);
	len = s->text.len;
	do_end(s);
	for (size_t i = 0; i < REQUEST_MAX; i++)
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
