/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * payload.bpf.c - what of a stream is copied: message heads whole, bodies as lengths, chunk size lines, TLS hellos, a first taste of anything else.
 *
 * In: a call's bytes in user memory (buffer or iovec), the stream's state. Out: HT_REC_DATA records whose orig_len add up to the call's bytes.
 * The framing followed here only decides what to copy; user space's parser is the authority. Copying too much is harmless, missing a head is not: so
 * when the direction has turned and the bytes look like a head, they are taken for one, whatever was expected (resync).
 *
 * Loops over bytes are bpf_loop callbacks (5.17) whose state lives in the scratch slot: the verifier sees one step, and the time to load does not grow with
 * the window.
 */
#include "payload.bpf.h"

/*
 * Global functions are verified once each, not at every call: the parts below are global for the time to load, and used nowhere else. What they are given by
 * pointer cannot be proven not to be NULL, so each asks.
 */
int ht_is(struct ht_scratch *sc, __u32 cnt);
int ht_load(struct ht_scratch *sc, __u32 from, __u32 dst, __u32 cnt);
int ht_emit(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st, __u32 cap, __u32 orig);
int ht_field_line(struct ht_scratch *sc, struct ht_stream *st, __u32 line, __u32 len);
int ht_feed_head(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st, __u32 rem);
int ht_feed_chunk(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st, __u32 rem);

/* Phases of the chunked coding, RFC 9112, 7.1. */
#define HT_CHUNK_SIZE    0 /* in the size's digits, none seen */
#define HT_CHUNK_DIGITS  1
#define HT_CHUNK_EXT     2 /* behind them, up to the line's end */
#define HT_CHUNK_DATA    3
#define HT_CHUNK_CRLF    4 /* behind the data */
#define HT_CHUNK_TRAILER 5 /* at the start of a trailer line */
#define HT_CHUNK_FIELD   6 /* inside one */

/* Chunks up to this size are copied with their size lines: one record for many. */
#define HT_CHUNK_SMALL 256
/* Bytes loaded at once while walking chunks. */
#define HT_CHUNK_LOAD 1024

/* Rounds of the outer loop for one call: pipelined heads, chunks. What is left then is told as a length. */
#define HT_ROUNDS 512

/* TLS hellos are captured up to this many bytes a direction; a ClientHello with a post-quantum key share has about 1,800. */
#define HT_HELLO_MAX 4096

#define HT_TASTE_OTHER 32
#define HT_TASTE_HTTP2 64

struct feed {
	struct ht_scratch *sc;
	struct ht_flow *fl;
	struct ht_stream *st;
};

static __always_inline __u64 win8(struct ht_scratch *sc, __u32 at)
{
	return *(__u64 *)(sc->win + (at & (HT_WIN - 1)));
}

/*
 * One record: orig bytes of the call from sc->pos, of which the first cap are in the window behind sc->carry. The header is written right before
 * them, over what is not needed any more. Advances sc->pos.
 * First in this file: clang 14 describes a struct met first behind a member's pointer (struct feed) as a forward declaration only, and the verifier needs its size.
 */
__noinline int ht_emit(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st, __u32 cap, __u32 orig)
{
	struct ht_rec_data *rec;
	__u32 lost, at;
	__u16 flags;
	__u64 size;

	if (!sc || !fl || !st)
		return 0;
	at = sc->carry & (HT_CARRY_MAX - 1);
	if (!cap)
		at = 0;
	rec = (struct ht_rec_data *)((__u8 *)sc + __builtin_offsetof(struct ht_scratch, rec) + at);
	size = HT_BOUND(cap, HT_WIN - 1);
	*(__u64 *)((__u8 *)(rec + 1) + size) = 0;
	size = sizeof(*rec) + ((size + 7) & ~7ULL);
	flags = sc->flags;
	if (fl->quiet)
		flags |= HT_F_LAST;
	if (!st->seen)
		flags |= HT_F_FIRST;
	if (sc->no_buf)
		flags |= HT_F_NOBUF;
	ht_hdr_init(&rec->hdr, size, HT_REC_DATA, flags, sc->ts_ns, 0, sc->tgid, sc->tid);
	rec->cookie = sc->cookie;
	rec->tls_id = sc->tls_id;
	rec->off = st->off + sc->pos;
	rec->start_ns = sc->start_ns;
	rec->arrival_ns = sc->arrival_ns;
	rec->orig_len = orig;
	rec->captured_len = cap;
	rec->err = 0;
	rec->dir = sc->dir;
	rec->via = sc->via;
	rec->stream = fl->kind;
	rec->pad = 0;
	lost = fl->lost;
	rec->hdr.lost = lost;
	rec->hdr.seq = ht_next_seq();
	if (bpf_ringbuf_output(&events, rec, size, ht_wake(size))) {
		ht_lose(&fl->lost);
	} else {
		st->seen = 1;
		if (lost)
			__sync_fetch_and_add(&fl->lost, -lost);
		ht_count(HT_CNT_RECORDS);
	}
	sc->pos += orig;
	return 0;
}

/* ht_classify of the window's first cnt bytes. */
__noinline int ht_is(struct ht_scratch *sc, __u32 cnt)
{
	return sc ? ht_classify(sc->win, cnt) : HT_IS_MORE;
}

static long gather_step(__u32 i, struct feed *f)
{
	struct ht_scratch *sc = f->sc;
	__u32 cnt, dst = sc->iov_dst;
	__u64 one[2]; /* struct iovec */
	__u64 left;

	if (!sc->iov_left || sc->iov_at >= sc->iov_cnt)
		return 1;
	if (bpf_probe_read_user(one, sizeof(one), (void *)(sc->buf + sc->iov_at * 16ULL)))
		return 1;
	if (one[1] <= sc->iov_skip) {
		sc->iov_skip -= one[1];
		sc->iov_at++;
		return 0;
	}
	left = one[1] - sc->iov_skip;
	cnt = sc->iov_left;
	if (left < cnt)
		cnt = left;
	if (cnt > HT_GATHER_MAX)
		cnt = HT_GATHER_MAX;
	if (bpf_probe_read_user(sc->win + (dst & (HT_WIN - 1)), HT_BOUND(cnt, HT_GATHER_MAX), (void *)(one[0] + sc->iov_skip)))
		return 1;
	sc->iov_skip += cnt;
	sc->iov_dst = dst + cnt;
	sc->iov_left -= cnt;
	return 0;
}

/* Copies cnt (at most HT_LOAD_MAX) bytes of the call from its byte `from` to the window's `dst` (below 2048). 0, or -1 when memory cannot be read. */
__noinline int ht_load(struct ht_scratch *sc, __u32 from, __u32 dst, __u32 cnt)
{
	struct feed f = { .sc = sc };

	if (!sc)
		return -1;
	if (sc->no_buf)
		return -1;
	if (!sc->iov_cnt) {
		if (!bpf_probe_read_user(sc->win + (dst & 2047), HT_BOUND(cnt, HT_WIN - 1), (void *)(sc->buf + from)))
			return 0;
		goto fault;
	}
	sc->iov_at = 0;
	sc->iov_skip = from;
	sc->iov_dst = dst & 2047;
	sc->iov_left = cnt;
	bpf_loop(1024 + HT_LOAD_MAX / HT_GATHER_MAX + 1, gather_step, &f, 0);
	if (!sc->iov_left)
		return 0;
fault:
	sc->no_buf = 1;
	ht_count(HT_CNT_FAULT);
	return -1;
}

static __always_inline void head_reset(struct ht_stream *st)
{
	st->mode = HT_MODE_HEAD;
	st->skip = 0;
	st->cl = 0;
	st->head_cnt = 0;
	st->status = 0;
	st->cphase = HT_CHUNK_SIZE;
	st->begun = 0;
	st->mid_line = 0;
	st->has_cl = 0;
	st->chunked = 0;
	st->is_head = 0;
	st->is_connect = 0;
	st->carry_len = 0;
}

/* Method or status code from the first bytes of a start line, RFC 9112, 3 and 4. */
static __always_inline void start_line(struct ht_scratch *sc, struct ht_stream *st, __u32 line)
{
	__u64 w = win8(sc, line);

	if (sc->dir == HT_DIR_TX) {
		st->is_head = ht_begins(w, HT_TEXT8('H', 'E', 'A', 'D', ' ', 0, 0, 0), 5);
		st->is_connect = w == HT_TEXT8('C', 'O', 'N', 'N', 'E', 'C', 'T', ' ');
	} else if (ht_begins(w, HT_TEXT8('H', 'T', 'T', 'P', '/', '1', '.', 0), 7)) {
		__u32 code = win8(sc, line + 9); /* "HTTP/1.1 " */
		__u8 a = code - '0', b = (code >> 8) - '0', c = (code >> 16) - '0';

		st->status = a <= 9 && b <= 9 && c <= 9 ? a * 100 + b * 10 + c : 0;
	}
}

static __always_inline void content_length(struct ht_scratch *sc, struct ht_stream *st, __u32 at, __u32 end)
{
	__u64 value = 0;
	__u32 i, digits = 0;

	for (i = 0; i < 40; i++) {
		__u8 c = sc->win[(at + i) & (HT_WIN - 1)];

		if (at + i >= end)
			break;
		if ((c == ' ' || c == '\t') && !digits)
			continue;
		c -= '0';
		if (c > 9)
			break;
		value = value * 10 + c;
		digits = 1;
	}
	st->cl = value;
	st->has_cl = 1;
}

static __always_inline void transfer_encoding(struct ht_scratch *sc, struct ht_stream *st, __u32 at, __u32 end)
{
	__u32 i;

	for (i = 0; i < 40; i++) {
		if (at + i + 7 > end)
			break;
		if (ht_begins(win8(sc, at + i) | HT_LOWER8, HT_TEXT8('c', 'h', 'u', 'n', 'k', 'e', 'd', 0), 7)) {
			st->chunked = 1;
			break;
		}
	}
}

/* A complete line [line, line + len) of a head, which is not the start line. */
__noinline int ht_field_line(struct ht_scratch *sc, struct ht_stream *st, __u32 line, __u32 len)
{
	__u64 w;

	if (!sc || !st)
		return 0;
	w = win8(sc, line) | HT_LOWER8;
	if (w == HT_TEXT8('c', 'o', 'n', 't', 'e', 'n', 't', '-')) {
		if (ht_begins(win8(sc, line + 8) | HT_LOWER8, HT_TEXT8('l', 'e', 'n', 'g', 't', 'h', ':', 0), 7))
			content_length(sc, st, line + 15, line + len);
	} else if (w == HT_TEXT8('t', 'r', 'a', 'n', 's', 'f', 'e', 'r')) {
		if ((win8(sc, line + 8) | HT_LOWER8) == HT_TEXT8('-', 'e', 'n', 'c', 'o', 'd', 'i', 'n'))
			transfer_encoding(sc, st, line + 18, line + len);
	}
	return 0;
}

/* The high bit of each byte of w that is '\n', exactly (no carries between bytes). */
static __always_inline __u64 newlines(__u64 w)
{
	w ^= 0x0a0a0a0a0a0a0a0aULL;
	return ~(((w & 0x7f7f7f7f7f7f7f7fULL) + 0x7f7f7f7f7f7f7f7fULL) | w | 0x7f7f7f7f7f7f7f7fULL);
}

/* Index of the lowest set byte of a mask made by newlines(). */
static __always_inline __u32 first_byte(__u64 mask)
{
	return (((mask & -mask) >> 7) * 0x0001020304050607ULL) >> 56;
}

/* One line of a head, or 32 bytes without a line's end. */
static long scan_step(__u32 i, struct feed *f)
{
	struct ht_scratch *sc = f->sc;
	struct ht_stream *st = f->st;
	__u32 at = sc->at, end = sc->end, line = sc->line, len;
	__u64 m;
	__u8 c;

	if (at >= end)
		return 1;
	if ((m = newlines(win8(sc, at))))
		at += first_byte(m);
	else if ((m = newlines(win8(sc, at + 8))))
		at += 8 + first_byte(m);
	else if ((m = newlines(win8(sc, at + 16))))
		at += 16 + first_byte(m);
	else if ((m = newlines(win8(sc, at + 24))))
		at += 24 + first_byte(m);
	else
		at += 32;
	if (!m || at >= end) {
		sc->at = at < end ? at : end;
		return 0;
	}
	len = at - line;
	if (len && sc->win[(at - 1) & (HT_WIN - 1)] == '\r')
		len--;
	at++;
	sc->at = at;
	sc->line = at;
	if (st->mid_line) {
		st->mid_line = 0;
		st->begun = 1;
	} else if (!st->begun) {
		/* Empty lines before the start line do not count, RFC 9112, 2.2. */
		if (len) {
			start_line(sc, st, line);
			st->begun = 1;
		}
	} else if (!len) {
		sc->found = at;
		return 1;
	} else if (len >= 16) {
		c = sc->win[line & (HT_WIN - 1)] | 0x20;
		if (c == 'c' || c == 't')
			ht_field_line(sc, st, line, len);
	}
	return 0;
}

/* The window ended inside a head: keep the unfinished line's start, or what matters of it. */
static __always_inline void keep_line(struct ht_scratch *sc, struct ht_stream *st)
{
	__u32 line = sc->line, len = sc->end - line, i;

	st->carry_len = 0;
	if (st->mid_line)
		return;
	if (len >= HT_CARRY_MAX) {
		if (!st->begun)
			start_line(sc, st, line);
		st->mid_line = 1;
		return;
	}
	for (i = 0; i < HT_CARRY_MAX; i += 8)
		*(__u64 *)(st->carry + i) = win8(sc, line + i);
	st->carry_len = len;
}

/* The head is complete: what follows? Message body length, RFC 9112, 6.3. */
static __always_inline void head_done(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st)
{
	__u32 bit, status = st->status;
	__u64 cl = st->cl;
	__u8 chunked = st->chunked, has_cl = st->has_cl, no_body = 0;

	if (sc->dir == HT_DIR_TX) {
		bit = 1U << (fl->req_cnt & 31);
		fl->head_bits = st->is_head ? fl->head_bits | bit : fl->head_bits & ~bit;
		fl->connect_bits = st->is_connect ? fl->connect_bits | bit : fl->connect_bits & ~bit;
		fl->req_cnt++;
		no_body = !has_cl && !chunked;
	} else if (status == 101) {
		fl->quiet = 1;
	} else if (status / 100 == 1) {
		no_body = 1;
	} else {
		bit = 1U << (fl->resp_cnt & 31);
		if (fl->resp_cnt != fl->req_cnt) {
			no_body = !!(fl->head_bits & bit);
			if ((fl->connect_bits & bit) && status / 100 == 2) {
				/* A tunnel: judge again what it carries. */
				fl->kind = HT_STREAM_UNKNOWN;
				no_body = 1;
			}
			fl->resp_cnt++;
		}
		no_body |= status == 204 || status == 304;
	}
	head_reset(st);
	if (no_body)
		return;
	if (chunked) {
		st->mode = HT_MODE_CHUNK;
	} else if (has_cl) {
		if (cl) {
			st->mode = HT_MODE_LENGTH;
			st->skip = cl;
		}
	} else {
		st->mode = HT_MODE_CLOSE;
	}
}

static __always_inline __u32 least(__u64 a, __u32 b)
{
	return a < b ? a : b;
}

__noinline int ht_feed_head(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st, __u32 rem)
{
	struct feed f = { .sc = sc, .fl = fl, .st = st };
	__u32 room = ht_config.head_bytes, carry, want, cnt, cap, gap = 0, i;

	if (!sc || !fl || !st)
		return 0;
	carry = st->carry_len & (HT_CARRY_MAX - 1);
	if (st->head_cnt >= room) {
		st->mode = HT_MODE_CLOSE;
		st->carry_len = 0;
		return ht_emit(sc, fl, st, 0, rem);
	}
	want = least(least(rem, room - st->head_cnt), HT_LOAD_MAX);
	cnt = least(want, HT_LOAD_FIRST);
	if (sc->dir == HT_DIR_TX && !st->head_cnt && fl->last_dir == HT_DIR_RX + 1)
		fl->resp_cnt = fl->req_cnt; /* everything before was answered */
	for (i = 0; carry && i < HT_CARRY_MAX; i += 8)
		*(__u64 *)(sc->win + i) = *(__u64 *)(st->carry + i);
	if (ht_load(sc, sc->pos, carry, cnt))
		return 0;
	sc->carry = carry;
	sc->line = 0;
	sc->at = carry;
	sc->end = carry + cnt;
	sc->found = 0;
	bpf_loop(HT_WIN, scan_step, &f, 0);
	if (!sc->found && cnt < want) {
		if (ht_load(sc, sc->pos + cnt, carry + cnt, want - cnt))
			return 0;
		sc->end = carry + want;
		bpf_loop(HT_WIN, scan_step, &f, 0);
	}
	if (!sc->found) {
		cap = sc->end - carry;
		st->head_cnt += cap;
		keep_line(sc, st);
		return ht_emit(sc, fl, st, cap, cap);
	}
	cap = sc->found - carry;
	head_done(sc, fl, st);
	rem -= cap;
	if (fl->quiet)
		return ht_emit(sc, fl, st, cap, cap + rem);
	if (st->mode == HT_MODE_LENGTH) {
		gap = least(st->skip, rem);
		st->skip -= gap;
		if (!st->skip)
			head_reset(st);
	} else if (st->mode == HT_MODE_CLOSE) {
		gap = rem;
	}
	return ht_emit(sc, fl, st, cap, cap + gap);
}

/* One byte of the chunked coding's own, or a small chunk's data. found: 1 data that is not copied, 2 the message's end, 3 not chunked coding. */
static long chunk_step(__u32 i, struct feed *f)
{
	struct ht_scratch *sc = f->sc;
	struct ht_stream *st = f->st;
	__u32 at = sc->at, end = sc->end;
	__u8 c, d;

	if (at >= end)
		return 1;
	if (st->cphase == HT_CHUNK_DATA) {
		__u64 skip = st->skip;

		if (skip > HT_CHUNK_SMALL) {
			sc->found = 1;
			return 1;
		}
		if (skip > end - at)
			skip = end - at;
		st->skip -= skip;
		sc->at = at + skip;
		if (!st->skip)
			st->cphase = HT_CHUNK_CRLF;
		return 0;
	}
	c = sc->win[at & (HT_WIN - 1)];
	sc->at = at + 1;
	switch (st->cphase) {
	case HT_CHUNK_SIZE:
	case HT_CHUNK_DIGITS:
		d = c - '0';
		if (d > 9) {
			d = (c | 0x20) - 'a';
			d = d > 5 ? 0xff : d + 10;
		}
		if (d != 0xff) {
			st->cl = (st->cphase == HT_CHUNK_SIZE ? 0 : st->cl << 4) | d;
			st->cphase = HT_CHUNK_DIGITS;
			return 0;
		}
		if (st->cphase == HT_CHUNK_SIZE) {
			sc->found = 3;
			return 1;
		}
		st->cphase = HT_CHUNK_EXT;
		if (c != '\n')
			return 0;
		/* fallthrough */
	case HT_CHUNK_EXT:
		if (c == '\n') {
			st->skip = st->cl;
			st->cphase = st->cl ? HT_CHUNK_DATA : HT_CHUNK_TRAILER;
		}
		return 0;
	case HT_CHUNK_CRLF:
		if (c == '\n')
			st->cphase = HT_CHUNK_SIZE;
		else if (c != '\r') {
			sc->found = 3;
			return 1;
		}
		return 0;
	case HT_CHUNK_TRAILER:
		if (c == '\n') {
			sc->found = 2;
			return 1;
		}
		if (c != '\r')
			st->cphase = HT_CHUNK_FIELD;
		return 0;
	default:
		if (c == '\n')
			st->cphase = HT_CHUNK_TRAILER;
		return 0;
	}
}

__noinline int ht_feed_chunk(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st, __u32 rem)
{
	struct feed f = { .sc = sc, .fl = fl, .st = st };
	__u32 cap = 0, gap, cnt;

	if (!sc || !fl || !st)
		return 0;
	sc->carry = 0;
	sc->found = 1;
	if (st->cphase != HT_CHUNK_DATA || st->skip <= HT_CHUNK_SMALL) {
		cnt = least(rem, HT_CHUNK_LOAD);
		if (ht_load(sc, sc->pos, 0, cnt))
			return 0;
		sc->at = 0;
		sc->end = cnt;
		sc->found = 0;
		bpf_loop(HT_CHUNK_LOAD + 1, chunk_step, &f, 0);
		cap = sc->at;
	}
	if (sc->found == 1) {
		gap = least(st->skip, rem - cap);
		st->skip -= gap;
		if (!st->skip)
			st->cphase = HT_CHUNK_CRLF;
		return ht_emit(sc, fl, st, cap, cap + gap);
	}
	if (sc->found == 2)
		head_reset(st);
	else if (sc->found == 3)
		st->mode = HT_MODE_CLOSE;
	return ht_emit(sc, fl, st, cap, cap);
}

/* One round: a head, a run of body, a run of chunks. */
static long feed_step(__u32 i, struct feed *f)
{
	struct ht_scratch *sc = f->sc;
	struct ht_flow *fl = f->fl;
	struct ht_stream *st = f->st;
	__u32 rem = sc->total - sc->pos, gap;

	if (sc->pos >= sc->total || sc->no_buf || fl->quiet)
		return 1;
	if (st->mode == HT_MODE_HEAD) {
		ht_feed_head(sc, fl, st, rem);
	} else if (st->mode == HT_MODE_CHUNK) {
		ht_feed_chunk(sc, fl, st, rem);
	} else if (st->mode == HT_MODE_LENGTH) {
		gap = least(st->skip, rem);
		st->skip -= gap;
		if (!st->skip)
			head_reset(st);
		ht_emit(sc, fl, st, 0, gap);
	} else {
		ht_emit(sc, fl, st, 0, rem);
	}
	return 0;
}

/* What could not be read, or not in HT_ROUNDS rounds: a length. Framing goes on where it can. */
static __always_inline void feed_rest(struct feed *f)
{
	struct ht_scratch *sc = f->sc;
	struct ht_flow *fl = f->fl;
	struct ht_stream *st = f->st;
	__u32 rem;

	if (sc->pos >= sc->total)
		return;
	rem = sc->total - sc->pos;
	if (st->mode == HT_MODE_LENGTH && st->skip >= rem) {
		st->skip -= rem;
		if (!st->skip)
			head_reset(st);
	} else if (st->mode == HT_MODE_CHUNK && st->cphase == HT_CHUNK_DATA && st->skip >= rem) {
		st->skip -= rem;
		if (!st->skip)
			st->cphase = HT_CHUNK_CRLF;
	} else {
		st->mode = HT_MODE_CLOSE;
		st->carry_len = 0;
	}
	ht_emit(sc, fl, st, 0, rem);
}

/* A head where none is expected: only after the direction turned, or where nothing is known anyway. */
static __always_inline void resync(struct feed *f)
{
	struct ht_scratch *sc = f->sc;
	__u32 cnt = least(sc->total, HT_PEEK);
	int is;

	if (ht_load(sc, 0, 0, cnt))
		return;
	is = ht_is(sc, cnt);
	if (is == (sc->dir == HT_DIR_TX ? HT_IS_REQUEST : HT_IS_RESPONSE))
		head_reset(f->st);
}

/* One TLS record, or the part of it that is here. found: the ServerHello's record ended. RFC 8446, 5.1 and 4.1.3. */
static long hello_step(__u32 i, struct feed *f)
{
	struct ht_scratch *sc = f->sc;
	struct ht_stream *st = f->st;
	__u32 at = sc->at, end = sc->end, cnt;

	if (at >= end)
		return 1;
	if (!st->skip) { /* in the record's header: five bytes, one a step */
		st->carry[st->carry_len & 7] = sc->win[at & (HT_WIN - 1)];
		sc->at = at + 1;
		st->carry_len++;
		if (st->carry_len < 5)
			return 0;
		st->carry_len = 0;
		st->skip = (__u64)st->carry[3] << 8 | st->carry[4];
		st->begun = 0;
		if (st->carry[1] != 3 || st->carry[0] < 0x14 || st->carry[0] > 0x16) {
			sc->found = end; /* not a hello any more */
			return 1;
		}
		return 0;
	}
	if (!st->begun && st->carry[0] == 0x16) {
		/* HelloRetryRequest is a ServerHello with this random: another pair follows. */
		if (end - at >= 14 && win8(sc, at + 6) == 0x119a5be574ad21cfULL)
			st->is_head = 1;
	}
	st->begun = 1;
	cnt = least(st->skip, end - at);
	st->skip -= cnt;
	sc->at = at + cnt;
	if (st->skip)
		return 0;
	if (sc->dir == HT_DIR_RX && st->carry[0] != 0x14) {
		if (!st->is_head) {
			sc->found = at + cnt;
			return 1;
		}
		st->is_head = 0;
	}
	return 0;
}

static __always_inline void hello(struct feed *f)
{
	struct ht_scratch *sc = f->sc;
	struct ht_flow *fl = f->fl;
	struct ht_stream *st = f->st;
	__u32 cnt, cap, room = HT_HELLO_MAX - least(st->head_cnt, HT_HELLO_MAX);

	cnt = least(sc->total, room);
	if (!cnt || ht_load(sc, 0, 0, cnt)) {
		fl->quiet = 1;
		ht_emit(sc, fl, st, 0, sc->total);
		return;
	}
	sc->carry = 0;
	sc->at = 0;
	sc->end = cnt;
	sc->found = 0;
	bpf_loop(HT_HELLO_MAX, hello_step, f, 0);
	cap = sc->found ? sc->found : cnt;
	st->head_cnt += cap;
	if (sc->found || cap < sc->total)
		fl->quiet = 1;
	sc->flags |= HT_F_HANDSHAKE;
	ht_emit(sc, fl, st, cap, sc->total);
}

/* The first bytes of what is not followed, once. */
static __always_inline void taste(struct feed *f, __u32 most)
{
	struct ht_scratch *sc = f->sc;
	struct ht_flow *fl = f->fl;
	struct ht_stream *st = f->st;
	__u32 cap = least(sc->total, most);

	sc->carry = 0;
	if (ht_load(sc, 0, 0, cap))
		cap = 0;
	fl->quiet = 1;
	ht_emit(sc, fl, st, cap, sc->total);
	ht_count(HT_CNT_SOCK_OTHER);
}

__noinline int ht_deliver(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st)
{
	struct feed f = { .sc = sc, .fl = fl, .st = st };

	if (!sc || !fl || !st)
		return 0;
	sc->pos = 0;
	if (!fl->quiet) {
		if (fl->kind == HT_STREAM_TLS) {
			hello(&f);
		} else if (fl->kind == HT_STREAM_HTTP2) {
			taste(&f, HT_TASTE_HTTP2);
		} else if (fl->kind == HT_STREAM_OTHER) {
			taste(&f, HT_TASTE_OTHER);
		} else {
			if (st->mode == HT_MODE_CLOSE || (st->mode != HT_MODE_HEAD && fl->last_dir != sc->dir + 1))
				resync(&f);
			bpf_loop(HT_ROUNDS, feed_step, &f, 0);
			feed_rest(&f);
		}
	}
	st->off += sc->total;
	fl->last_dir = sc->dir + 1;
	return 0;
}

__noinline int ht_decide(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st)
{
	__u32 carry, cnt, i;
	int is, tx;

	if (!sc || !fl || !st)
		return HT_SAYS_NOTHING;
	carry = st->carry_len & (HT_CARRY_MAX - 1);
	tx = sc->dir == HT_DIR_TX;
	for (i = 0; i < HT_CARRY_MAX; i += 8)
		*(__u64 *)(sc->win + i) = *(__u64 *)(st->carry + i);
	cnt = least(sc->total, HT_PEEK);
	if (ht_load(sc, 0, carry, cnt))
		is = HT_IS_MORE;
	else
		is = ht_is(sc, carry + cnt);

	switch (is) {
	case HT_IS_REQUEST:
		if (!tx)
			break;
		fl->kind = HT_STREAM_HTTP1;
		return HT_SAYS_CLIENT;
	case HT_IS_HTTP2:
		if (!tx)
			break;
		fl->kind = HT_STREAM_HTTP2;
		return HT_SAYS_CLIENT;
	case HT_IS_CLIENT_HELLO:
		if (!tx)
			break;
		fl->kind = HT_STREAM_TLS;
		return HT_SAYS_HELLO;
	case HT_IS_RESPONSE:
		if (tx)
			break;
		fl->kind = HT_STREAM_HTTP1;
		return HT_SAYS_CLIENT;
	case HT_IS_SERVER_HELLO:
		if (tx)
			break;
		fl->kind = HT_STREAM_TLS;
		return HT_SAYS_CLIENT;
	case HT_IS_TLS:
		/* A client's stream can begin with an alert only when the server sends it. */
		if (sc->strict && tx)
			break;
		fl->kind = HT_STREAM_TLS;
		fl->quiet = !sc->strict;
		return HT_SAYS_NOTHING;
	case HT_IS_MORE:
		if (!sc->strict || sc->no_buf)
			goto undecided;
		return HT_SAYS_NOTHING;
	default:
		if (!sc->strict)
			goto undecided;
		fl->kind = HT_STREAM_OTHER;
		return HT_SAYS_NOTHING;
	}
	/* The right bytes in the wrong direction. */
	if (sc->strict) {
		fl->kind = HT_STREAM_OTHER;
		return HT_SAYS_NOTHING;
	}
	return HT_SAYS_SERVER;

undecided:
	if (fl->undecided < 255)
		fl->undecided++;
	return HT_SAYS_NOTHING;
}
