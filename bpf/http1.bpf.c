/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * http1.bpf.c - HTTP/1 framing as far as it decides what is copied: heads whole, bodies as lengths, the chunked coding's own bytes.
 *
 * In: the window of a call's bytes, the stream's state. Out: records by ht_emit, the state advanced. Resumable at every byte: an
 * unfinished line's start is carried to the next call. A head is searched for line ends eight bytes at a time; of its lines only
 * two matter here.
 */
#include "stream.bpf.h"

#ifdef HT_OLD
#define HT_LOAD_AT_ONCE 4096
#else
#define HT_LOAD_AT_ONCE HT_LOAD_FIRST
#endif

/* HT_OLD: bytes of the chunked coding that are looked at in one go. */
#define OLD_CHUNK 20

/* Bytes loaded at once while walking chunks. */
#define CHUNK_LOAD 1024

/* The head is complete: what follows? Message body length, RFC 9112, 6.3. */
HT_GLOBAL int ht_head_done(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st);
HT_GLOBAL int ht_field_line(struct ht_scratch *sc, struct ht_stream *st, __u32 line, __u32 len);

HT_GLOBAL __noinline int ht_head_done(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st)
{
	__u32 bit, status;
	__u64 cl;
	__u8 chunked, has_cl, no_body = 0;

	if (!sc || !fl || !st)
		return 0;
	status = st->status;
	cl = st->cl;
	chunked = st->chunked;
	has_cl = st->has_cl;
	if (sc->dir == HT_DIR_TX) {
		bit = 1U << (fl->req_cnt & 31);
		fl->head_bits = st->is_head ? fl->head_bits | bit : fl->head_bits & ~bit;
		fl->connect_bits = st->is_connect ? fl->connect_bits | bit : fl->connect_bits & ~bit;
		fl->req_cnt++;
		no_body = !has_cl && !chunked;
	} else if (status == 101) {
		/* What it turned to shows (websocket.bpf.c). */
		sc->turns = HT_STREAM_WEBSOCKET + 1;
		no_body = 1;
	} else if (status / 100 == 1) {
		no_body = 1;
	} else {
		bit = 1U << (fl->resp_cnt & 31);
		if (fl->resp_cnt != fl->req_cnt) {
			no_body = !!(fl->head_bits & bit);
			if ((fl->connect_bits & bit) && status / 100 == 2) {
				/* A tunnel: judge again what it carries. */
				sc->turns = HT_STREAM_UNKNOWN + 1;
				no_body = 1;
			}
			fl->resp_cnt++;
		}
		no_body |= status == 204 || status == 304;
	}
	ht_head_reset(st);
	if (no_body)
		return 0;
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
	return 0;
}

/* Method or status code from the first bytes of a start line, RFC 9112, 3 and 4. */
static __always_inline void start_line(struct ht_scratch *sc, struct ht_stream *st, __u32 line)
{
	__u64 w = ht_win8(sc, line);

	if (sc->dir == HT_DIR_TX) {
		st->is_head = ht_begins(w, HT_TEXT8('H', 'E', 'A', 'D', ' ', 0, 0, 0), 5);
		st->is_connect = w == HT_TEXT8('C', 'O', 'N', 'N', 'E', 'C', 'T', ' ');
	} else if (ht_begins(w, HT_TEXT8('H', 'T', 'T', 'P', '/', '1', '.', 0), 7)) {
		__u32 code = ht_win8(sc, line + 9); /* "HTTP/1.1 " */
		__u8 a = code - '0', b = (code >> 8) - '0', c = (code >> 16) - '0';

		st->status = a <= 9 && b <= 9 && c <= 9 ? a * 100 + b * 10 + c : 0;
	}
}

/* The high bit of each byte of w that is '\n', exactly (no carries between bytes). */
static __always_inline __u64 newlines(__u64 w)
{
	w ^= 0x0a0a0a0a0a0a0a0aULL;
	return ~(((w & 0x7f7f7f7f7f7f7f7fULL) + 0x7f7f7f7f7f7f7f7fULL) | w | 0x7f7f7f7f7f7f7f7fULL);
}

#ifdef HT_OLD
#include "http1_old.bpf.h"
#else

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
		if (ht_begins(ht_win8(sc, at + i) | HT_LOWER8, HT_TEXT8('c', 'h', 'u', 'n', 'k', 'e', 'd', 0), 7)) {
			st->chunked = 1;
			break;
		}
	}
}

/* A complete line [line, line + len) of a head, which is not the start line. */
HT_GLOBAL __noinline int ht_field_line(struct ht_scratch *sc, struct ht_stream *st, __u32 line, __u32 len)
{
	__u64 w;

	if (!sc || !st)
		return 0;
	w = ht_win8(sc, line) | HT_LOWER8;
	if (w == HT_TEXT8('c', 'o', 'n', 't', 'e', 'n', 't', '-')) {
		if (ht_begins(ht_win8(sc, line + 8) | HT_LOWER8, HT_TEXT8('l', 'e', 'n', 'g', 't', 'h', ':', 0), 7))
			content_length(sc, st, line + 15, line + len);
	} else if (w == HT_TEXT8('t', 'r', 'a', 'n', 's', 'f', 'e', 'r')) {
		if ((ht_win8(sc, line + 8) | HT_LOWER8) == HT_TEXT8('-', 'e', 'n', 'c', 'o', 'd', 'i', 'n'))
			transfer_encoding(sc, st, line + 18, line + len);
	}
	return 0;
}

/* Index of the lowest set byte of a mask made by newlines(). */
static __always_inline __u32 first_byte(__u64 mask)
{
	return (((mask & -mask) >> 7) * 0x0001020304050607ULL) >> 56;
}

/* One line of a head, or 32 bytes without a line's end. */
static __always_inline int scan_line(struct ht_scratch *sc, struct ht_stream *st)
{
	__u32 at = sc->at, end = sc->end, line = sc->line, len;
	__u64 m;
	__u8 c;

	if (at >= end)
		return 1;
	if ((m = newlines(ht_win8(sc, at))))
		at += first_byte(m);
	else if ((m = newlines(ht_win8(sc, at + 8))))
		at += 8 + first_byte(m);
	else if ((m = newlines(ht_win8(sc, at + 16))))
		at += 16 + first_byte(m);
	else if ((m = newlines(ht_win8(sc, at + 24))))
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

/* Several a step: a callback costs as much as a line. */
#define SCAN_LINES 4

static long scan_step(__u32 i, struct ht_feed *f)
{
	struct ht_scratch *sc = f->sc;
	struct ht_stream *st = f->st;
	__u32 n;

	for (n = 0; n < SCAN_LINES; n++) {
		if (scan_line(sc, st))
			return 1;
	}
	return 0;
}

static __always_inline void scan_head(struct ht_feed *f)
{
	bpf_loop(HT_WIN, scan_step, f, 0);
}

#endif

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
		*(__u64 *)(st->carry + i) = ht_win8(sc, line + i);
	st->carry_len = len;
}

HT_GLOBAL __noinline int ht_feed_head(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st, __u32 rem)
{
	struct ht_feed f = { .sc = sc, .fl = fl, .st = st };
	__u32 room = ht_config.head_bytes, carry, want, cnt, cap, gap = 0, i;

	if (!sc || !fl || !st)
		return 0;
	carry = st->carry_len & (HT_CARRY_MAX - 1);
	if (st->head_cnt >= room) {
		st->mode = HT_MODE_CLOSE;
		st->carry_len = 0;
		return ht_emit(sc, fl, st, 0, rem);
	}
	want = ht_least(ht_least(rem, room - st->head_cnt), HT_LOAD_MAX);
	cnt = ht_least(want, HT_LOAD_AT_ONCE);
	/* Everything before was answered; not what stands before it in this very call. */
	if (sc->dir == HT_DIR_TX && !st->head_cnt && !sc->pos && fl->last_dir == HT_DIR_RX + 1)
		fl->resp_cnt = fl->req_cnt;
	for (i = 0; carry && i < HT_CARRY_MAX; i += 8)
		*(__u64 *)(sc->win + i) = *(__u64 *)(st->carry + i);
	HT_FORGET(carry, sc->memo);
	HT_FORGET(cnt, sc->memo);
	if (ht_load(sc, sc->pos, carry, cnt))
		return 0;
	HT_FORGET(carry, sc->memo);
	HT_FORGET(cnt, sc->memo);
	HT_FORGET(rem, sc->memo);
	sc->carry = carry;
	sc->line = 0;
	sc->at = carry;
	sc->end = carry + cnt;
	sc->found = 0;
	scan_head(&f);
#ifndef HT_OLD
	if (!sc->found && cnt < want) {
		if (ht_load(sc, sc->pos + cnt, carry + cnt, want - cnt))
			return 0;
		sc->end = carry + want;
		scan_head(&f);
	}
#endif
	if (!sc->found) {
		cap = sc->end - carry;
		st->head_cnt += cap;
		keep_line(sc, st);
		return ht_emit(sc, fl, st, cap, cap);
	}
	cap = sc->found - carry;
	ht_head_done(sc, fl, st);
	rem -= cap;
	if (st->mode == HT_MODE_LENGTH) {
		gap = ht_least(st->skip, rem);
		st->skip -= gap;
		if (!st->skip)
			ht_head_reset(st);
	} else if (st->mode == HT_MODE_CLOSE) {
		gap = rem;
	}
	ht_emit(sc, fl, st, cap, cap + gap);
	if (sc->turns)
		ht_flow_turn(fl, sc->turns - 1);
	return 0;
}

/*
 * One byte of the chunked coding's own, or a small chunk's data. found: 1 data that is not copied, 2 the message's end, 3 not
 * chunked coding.
 */
HT_STEP long chunk_step(__u32 i, struct ht_feed *f)
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

HT_GLOBAL __noinline int ht_feed_chunk(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st, __u32 rem)
{
	struct ht_feed f = { .sc = sc, .fl = fl, .st = st };
	__u32 cap = 0, gap, cnt;

	if (!sc || !fl || !st)
		return 0;
	sc->carry = 0;
	sc->found = 1;
	if (st->cphase != HT_CHUNK_DATA || st->skip <= HT_CHUNK_SMALL) {
		cnt = ht_least(rem, CHUNK_LOAD);
		HT_FORGET(cnt, sc->memo);
		if (ht_load(sc, sc->pos, 0, cnt))
			return 0;
		HT_FORGET(cnt, sc->memo);
		HT_FORGET(rem, sc->memo);
		sc->at = 0;
		sc->end = cnt;
		sc->found = 0;
		HT_LOOP(CHUNK_LOAD + 1, OLD_CHUNK, chunk_step, &f);
		cap = sc->at;
	}
	if (sc->found == 1) {
		gap = ht_least(st->skip, rem - cap);
		st->skip -= gap;
		if (!st->skip)
			st->cphase = HT_CHUNK_CRLF;
		return ht_emit(sc, fl, st, cap, cap + gap);
	}
	if (sc->found == 2)
		ht_head_reset(st);
	else if (sc->found == 3)
		st->mode = HT_MODE_CLOSE;
	return ht_emit(sc, fl, st, cap, cap);
}
