/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fuzz_payload.c - libFuzzer target: the BPF programs' choice of what to copy (bpf/payload.bpf.c, bpf/http1.bpf.c), compiled for user
 * space (programs.h).
 *
 * In: four bytes of settings (settings_of), then a conversation (conversation.h). It is cut into calls in four ways, and each call is given to
 * ht_decide and ht_deliver as sock.bpf.h does. What must hold:
 *   every call     records' orig_len add up to the call's bytes, offsets follow one another, captured <= orig, the captured bytes are the
 *                  stream's, padding is 0, sequence numbers and losses are told, nothing outside the caller's memory is read;
 *   every HTTP/1   user space's parser, fed with what was captured and told the rest as lengths, finds the heads, bodies and ends that it finds
 *                  in the whole stream, after every call, however the stream is cut. Where the programs are not made to follow (see
 *                  excuse() and its callers) that direction is no longer compared.
 * With HT_FUZZ_VERBOSE in the environment it tells what it does.
 */
#include <stdio.h>
#include <stdlib.h>

#include "programs.h"
#include "proto/http1.h"

/* What steers the fuzzer is the programs and the parser, not the code that watches them. */
#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)

#include "trace.h"

#define MAX_REQUESTS  1024
#define MAX_BLANK     16   /* bytes of empty lines in front of a request, which count for head_bytes in the programs, not in the parser */
#define ONE_BYTE_MOST 2500 /* bytes of a conversation that is also cut into single ones */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_verbose;

/* What a parser told, as bytes to compare: heads and ends; the content of the body not ended yet apart. */
struct trace {
	struct trace_bytes bytes;
	uint64_t body_bytes;
	bool has_error;
	bool is_open;
	bool has_head;
	struct talk *talk;
	struct side *side;
};

struct side {
	struct ht_http1 *parser[2];
	struct trace trace[2];
	uint32_t response_cnt; /* final ones, at most as many as requests */
};

enum method { METHOD_OTHER, METHOD_HEAD, METHOD_CONNECT };

/* One run of a conversation. */
struct talk {
	struct caller caller; /* comes first: what the helpers know */
	const struct ht_conversation *said;
	struct ht_flow flow;
	struct ht_scratch *sc;
	struct side whole; /* fed with the stream */
	struct side kept;  /* fed with the records */
	bool is_excused[2];
	bool is_over;                 /* nothing more is compared */
	bool is_client;               /* the caller knows */
	bool was_http1;               /* the stream was taken for it */
	bool is_given_up;             /* the caller has: a server's, or nothing was recognised */
	uint32_t from[2];             /* of the stream, what was delivered */
	uint8_t method[MAX_REQUESTS]; /* of the requests in the stream */
	uint32_t request_cnt;
	bool has_begun; /* a request did, in this call */
	uint32_t blank; /* the client's last so many bytes are CR or LF */
	int last_dir;   /* -1 none */

	/* The call being made. */
	int dir;
	const uint8_t *data; /* its bytes */
	uint32_t told;       /* by records so far */
	uint64_t off[2];
	bool is_first[2];
	uint32_t lost;
	uint32_t record_cnt;
};

/* A record leaves: checked, and given to the parser that sees records only. */
long bpf_ringbuf_output(void *ringbuf, void *data, __u64 size, __u64 flags)
{
	const uint8_t *bytes = (const uint8_t *)data + sizeof(struct ht_rec_data);
	struct ht_rec_data rec; /* it may begin anywhere */
	struct talk *t = (struct talk *)now;
	uint32_t padded, i;

	(void)flags;
	require(ringbuf == &events);
	require(size >= sizeof(rec));
	memcpy(&rec, data, sizeof(rec));
	require(rec.hdr.kind == HT_REC_DATA && rec.hdr.size == size);
	padded = (rec.captured_len + 7) & ~7U;
	require(size == sizeof(rec) + padded);
	require(rec.dir == t->dir && rec.via == HT_VIA_SYSCALL && rec.cookie == 77 && !rec.tls_id && !rec.pad && !rec.err);
	require(rec.stream == t->flow.kind);
	require(rec.captured_len <= rec.orig_len && rec.orig_len);
	require(rec.off == t->off[t->dir]);
	require(rec.hdr.seq == t->caller.seq - 1);
	require(t->told + rec.orig_len <= t->sc->total);
	require(!rec.captured_len || !memcmp(bytes, t->data + t->told, rec.captured_len));
	for (i = rec.captured_len; i < padded; i++)
		require(!bytes[i]);
	require(!(rec.hdr.flags & HT_F_LAST) == !t->flow.quiet);
	require(!(rec.hdr.flags & HT_F_NOBUF) == !t->sc->no_buf);
	require(!(rec.hdr.flags & HT_F_FIRST) == !t->is_first[t->dir]);
	require(rec.hdr.lost == t->lost && t->flow.lost == t->lost);
	t->off[t->dir] += rec.orig_len;
	t->told += rec.orig_len;
	if (is_verbose)
		fprintf(stderr, "    record off %llu orig %u captured %u flags %x\n", (unsigned long long)rec.off, rec.orig_len,
			rec.captured_len, rec.hdr.flags);
	if (++t->record_cnt == t->caller.how->lose_at) {
		t->is_over = true;
		t->lost++;
		return -11; /* EAGAIN */
	}
	t->lost = 0;
	t->is_first[t->dir] = false;
	if (rec.captured_len)
		ht_http1_feed(t->kept.parser[t->dir], bytes, rec.captured_len);
	if (rec.orig_len > rec.captured_len)
		ht_http1_skip(t->kept.parser[t->dir], rec.orig_len - rec.captured_len);
	return 0;
}

/* --- what the parsers tell --------------------------------------------------------------------------------------------------------- */

static void put_fields(struct trace_bytes *bytes, const struct ht_http1_field *fields, size_t cnt)
{
	size_t i;

	put_number(bytes, 'f', cnt);
	for (i = 0; i < cnt; i++) {
		put_span(bytes, fields[i].name);
		put_span(bytes, fields[i].value);
	}
}

static void on_begin(void *ctx)
{
	struct trace *trace = ctx;

	trace->is_open = true;
	trace->has_head = false;
	if (trace == &trace->talk->whole.trace[HT_DIR_TX])
		trace->talk->has_begun = true;
}

static void on_head(void *ctx, const struct ht_http1_head *head)
{
	struct trace *trace = ctx;
	struct talk *t = trace->talk;

	trace->has_head = true;
	put_number(&trace->bytes, 'h', head->head_bytes);
	put_span(&trace->bytes, head->method);
	put_span(&trace->bytes, head->target);
	put_number(&trace->bytes, 'n', (uint64_t)head->status);
	put_span(&trace->bytes, head->reason);
	put_number(&trace->bytes, 'n', head->framing);
	put_number(&trace->bytes, 'n', head->content_length);
	put_fields(&trace->bytes, head->fields, head->field_cnt);
	if (head->status >= 200 && trace->side->response_cnt < t->request_cnt)
		trace->side->response_cnt++;
	if (trace != &t->whole.trace[HT_DIR_TX] || t->request_cnt == MAX_REQUESTS)
		return;
	t->method[t->request_cnt++] = head->method.len == 4 && !memcmp(head->method.ptr, "HEAD", 4)      ? METHOD_HEAD
				      : head->method.len == 7 && !memcmp(head->method.ptr, "CONNECT", 7) ? METHOD_CONNECT
													 : METHOD_OTHER;
}

static void on_body(void *ctx, uint64_t n)
{
	((struct trace *)ctx)->body_bytes += n;
}

static void on_end(void *ctx, const struct ht_http1_field *trailers, size_t cnt)
{
	struct trace *trace = ctx;

	put_number(&trace->bytes, 'b', trace->body_bytes);
	put_fields(&trace->bytes, trailers, cnt);
	trace->body_bytes = 0;
	trace->is_open = false;
}

static void on_error(void *ctx, enum ht_http1_error error)
{
	struct trace *trace = ctx;

	trace->has_error = true;
	if (is_verbose && trace->side == &trace->talk->whole)
		fprintf(stderr, "  the whole stream: %s\n", ht_http1_error_name(error));
}

/* Both sides' parsers are told what the stream's requests were: what they make of the stream is compared, not what they infer. */
static struct ht_span on_request_method(void *ctx)
{
	static const struct ht_span methods[] = { { "GET", 3 }, { "HEAD", 4 }, { "CONNECT", 7 } };
	struct trace *trace = ctx;
	struct talk *t = trace->talk;

	return trace->side->response_cnt < t->request_cnt ? methods[t->method[trace->side->response_cnt]] : (struct ht_span){ NULL, 0 };
}

static const struct ht_http1_events parser_events = {
	.begin = on_begin,
	.head = on_head,
	.body = on_body,
	.end = on_end,
	.error = on_error,
	.request_method = on_request_method,
};

static void side_init(struct side *side, struct talk *t)
{
	int dir;

	for (dir = 0; dir < 2; dir++) {
		side->trace[dir].talk = t;
		side->trace[dir].side = side;
		side->parser[dir] = ht_http1_new(dir == HT_DIR_TX ? HT_HTTP1_REQUEST : HT_HTTP1_RESPONSE, config.head_bytes - MAX_BLANK,
						 &parser_events, &side->trace[dir]);
		require(side->parser[dir]);
	}
}

static void side_free(struct side *side)
{
	int dir;

	for (dir = 0; dir < 2; dir++) {
		ht_http1_free(side->parser[dir]);
		free(side->trace[dir].bytes.ptr);
	}
}

/* --- comparing --------------------------------------------------------------------------------------------------------------------- */

static void excuse(struct talk *t, int dir, const char *why)
{
	if (is_verbose && !t->is_excused[dir])
		fprintf(stderr, "  direction %d is not compared from here: %s\n", dir, why);
	t->is_excused[dir] = true;
}

static bool is_tunnel(const struct side *side, int dir)
{
	return side->trace[dir].has_head && !side->trace[dir].is_open && !side->trace[dir].has_error &&
	       !ht_http1_is_idle(side->parser[dir]);
}

/* Does a stream that begins so have to be taken for HTTP/1? What ht_is_request promises. */
static bool is_plain_request(const uint8_t *data, uint32_t len)
{
	uint32_t i;

	for (i = 0; i < len && i < 24 && data[i] != ' '; i++)
		if ((uint8_t)((data[i] | 0x20) - 'a') > 25 && data[i] != '-' && data[i] != '_')
			return false;
	if (!i || i == 24 || i + 1 >= len)
		return false;
	return data[i + 1] == '/' || data[i + 1] == '*' || (i == 7 && !memcmp(data, "CONNECT", 7)) ||
	       (i + 4 < len && !memcmp(data + i + 1, "http", 4));
}

/* The stream was judged to be none of HTTP/1, by a call in this direction. */
static void check_judgement(struct talk *t, uint32_t end)
{
	const uint8_t *data = t->said->bytes[t->dir] + t->from[t->dir];
	uint32_t len = end - t->from[t->dir];

	if (t->is_excused[t->dir] || t->is_excused[HT_DIR_TX])
		return;
	if (t->dir == HT_DIR_TX)
		require(!is_plain_request(data, len) || (t->flow.kind == HT_STREAM_HTTP2 && !memcmp(data, "PRI * HT", 8)));
	else
		require(len < 7 || memcmp(data, "HTTP/1.", 7));
}

/* Before the whole stream's parser gets the call. */
static void check_before(struct talk *t, uint32_t len)
{
	const struct trace *trace = &t->whole.trace[t->dir];
	uint8_t peek[HT_PEEK] = { 0 };
	bool is_turn = t->last_dir != t->dir;
	uint32_t i;
	int is;

	memcpy(peek, t->data, len < HT_PEEK ? len : HT_PEEK);
	is = classify(peek, len < HT_PEEK ? len : HT_PEEK);
	/* The price of finding the way back after a loss. */
	if (is_turn && trace->is_open && trace->has_head && is == (t->dir == HT_DIR_TX ? HT_IS_REQUEST : HT_IS_RESPONSE))
		excuse(t, t->dir, "content that looks like a head where the direction turned");
	for (i = 0; i < len && t->dir == HT_DIR_TX; i++) {
		t->blank = t->data[i] == '\r' || t->data[i] == '\n' ? t->blank + 1 : 0;
		if (t->blank > MAX_BLANK)
			excuse(t, HT_DIR_TX, "empty lines fill the head");
	}
	t->has_begun = ht_http1_is_idle(t->whole.parser[HT_DIR_TX]);
	t->caller.is_exhausted = false;
}

static void check_after(struct talk *t, uint32_t end, uint32_t len, bool was_behind)
{
	const struct trace *whole = &t->whole.trace[t->dir], *kept = &t->kept.trace[t->dir];

	if (t->caller.is_exhausted) {
		require(len >= 4096);
		t->is_over = true;
	}
	if (t->dir == HT_DIR_TX && t->last_dir == HT_DIR_RX && was_behind && (t->has_begun || ht_http1_is_idle(t->whole.parser[HT_DIR_TX])))
		excuse(t, HT_DIR_RX,
		       "a request after some, not all, of those before were answered: which one is HEAD is not known any more");
	if (t->request_cnt - t->whole.response_cnt > 32 || t->request_cnt == MAX_REQUESTS)
		excuse(t, HT_DIR_RX, "more requests in flight than are remembered");
	if (whole->has_error) {
		excuse(t, t->dir, "not HTTP/1");
		if (t->dir == HT_DIR_TX)
			excuse(t, HT_DIR_RX, "the requests are not HTTP/1");
	}
	if (t->is_over || t->caller.has_faulted)
		return;
	/* A response taken for a tunnel's begin: of one that is not compared any more, or is_tunnel() below. */
	if (t->flow.kind == HT_STREAM_UNKNOWN && t->is_excused[HT_DIR_RX] && t->was_http1) {
		t->is_over = true;
		return;
	}
	if (t->flow.kind != HT_STREAM_HTTP1 && t->flow.kind != HT_STREAM_UNKNOWN) {
		/* Behind a 101 or a CONNECT something else begins. */
		if (t->was_http1)
			require(t->is_excused[HT_DIR_RX] || is_tunnel(&t->whole, HT_DIR_RX));
		else
			check_judgement(t, end);
		t->is_over = true;
		return;
	}
	t->was_http1 |= t->flow.kind == HT_STREAM_HTTP1;
	require(!t->flow.quiet);
	t->is_over = is_tunnel(&t->whole, HT_DIR_RX);
	if (t->is_excused[t->dir])
		return;
	require(!kept->has_error);
	require(is_same(&kept->bytes, &whole->bytes));
	require(kept->body_bytes == whole->body_bytes && kept->is_open == whole->is_open);
	require(ht_http1_is_idle(t->kept.parser[t->dir]) == ht_http1_is_idle(t->whole.parser[t->dir]));
}

/* --- a call ------------------------------------------------------------------------------------------------------------------------ */

static void call(struct talk *t, int dir, uint32_t off, uint32_t len)
{
	static const uint8_t leftovers[] = { 0, '\n', '5', 0xff };
	struct ht_stream *st = dir == HT_DIR_TX ? &t->flow.tx : &t->flow.rx;
	struct ht_scratch *sc = t->sc;
	bool was_quiet = t->flow.quiet, was_behind = t->request_cnt > t->whole.response_cnt;
	__u64 iov[2 * MAX_PIECES];
	int says = HT_SAYS_NOTHING;

	if (len > 64 || !random_below(&t->caller, 64))
		memset(sc, leftovers[random_below(&t->caller, 4)], sizeof(*sc));
	t->dir = dir;
	t->data = t->said->bytes[dir] + off;
	t->told = 0;
	memset(sc, 0, offsetof(struct ht_scratch, carry)); /* the caller's part */
	sc->ts_ns = 1;
	sc->cookie = 77;
	sc->total = len;
	sc->tgid = 1;
	sc->tid = 1;
	sc->dir = (__u8)dir;
	sc->via = HT_VIA_SYSCALL;
	sc->no_buf = t->caller.how->has_holes && !random_below(&t->caller, 16);
	sc->strict = t->is_client;
	sc->is_client = t->is_client;
	place(&t->caller, sc, t->data, len, iov);
	if (sc->iov_cnt)
		iov[2 * sc->iov_cnt - 1] += random_below(&t->caller, 2) * 100000; /* room that was not used */
	if (is_verbose)
		fprintf(stderr, "  call dir %d [%u, %u) kind %u mode %u%s%s: %.*s\n", dir, off, off + len, t->flow.kind, st->mode,
			sc->no_buf ? " hole" : "", sc->iov_cnt ? " iovec" : "", (int)(len < 60 ? len : 60), t->data);
	if (ht_is_undecided(&t->flow)) {
		says = ht_decide(sc, &t->flow, st);
		t->was_http1 |= t->flow.kind == HT_STREAM_HTTP1; /* for the begin of this call, perhaps */
		if (!t->is_client && says != HT_SAYS_NOTHING && says != HT_SAYS_SERVER)
			t->is_client = true;
		else if (!t->is_client && (says == HT_SAYS_SERVER || t->flow.undecided >= HT_UNDECIDED_MAX))
			t->is_given_up = true;
	}
	if (!t->is_client) {
		st->off += len;
		t->off[dir] += len;
		t->from[dir] = off + len;
		return;
	}
	check_before(t, len);
	if (!t->is_over && !t->caller.has_faulted) {
		if (sc->no_buf)
			ht_http1_skip(t->whole.parser[dir], len);
		else
			ht_http1_feed(t->whole.parser[dir], t->data, len);
	}
	ht_deliver(sc, &t->flow, st);
	require(t->told == (was_quiet ? 0 : len));
	require(st->off == t->off[dir] + (was_quiet ? len : 0));
	t->off[dir] = st->off;
	require(t->flow.lost == t->lost);
	check_after(t, off + len, len, was_behind);
	t->last_dir = dir;
}

/* --- runs -------------------------------------------------------------------------------------------------------------------------- */

static void run(const struct ht_conversation *said, const struct settings *how, enum cut cut)
{
	struct talk t = {
		.said = said,
		.last_dir = -1,
		.is_client = !how->is_late,
		.is_first = { true, true },
	};
	uint32_t i, off, n;

	if (is_verbose)
		fprintf(stderr, "cut %d head_bytes %u\n", cut, how->head_bytes);
	begin_calls(&t.caller, how);
	t.sc = malloc(sizeof(*t.sc));
	require(t.sc);
	memset(t.sc, 0, sizeof(*t.sc));
	side_init(&t.whole, &t);
	side_init(&t.kept, &t);
	for (i = 0; i < said->turn_cnt && !t.is_given_up; i++)
		for (off = 0; off < said->turn[i].len && !t.is_given_up; off += n) {
			n = piece_of(&t.caller, cut, said->turn[i].len - off);
			call(&t, said->turn[i].dir, said->turn[i].off + off, n);
		}
	now = NULL;
	side_free(&t.whole);
	side_free(&t.kept);
	free(t.sc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t head_bytes[] = { 16384, 16384, 65536, 16384, 2048, 16384, 65536, 256 };
	static struct ht_conversation said;
	struct ht_fuzz_input in = { data, size };
	uint32_t bits;
	struct settings how = settings_of(&in, &bits);
	enum cut cut;

	how.head_bytes = head_bytes[bits & 7];
	how.is_late = (bits & 24) == 24;
	is_verbose = getenv("HT_FUZZ_VERBOSE");
	converse(&said, &in);
	for (cut = CUT_TURNS; cut < CUT_CNT; cut++)
		if (cut != CUT_BYTES || said.len[0] + said.len[1] <= ONE_BYTE_MOST)
			run(&said, &how, cut);
	return 0;
}

#pragma clang attribute pop
