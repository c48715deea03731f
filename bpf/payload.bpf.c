/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * payload.bpf.c - what of a stream is copied: message heads whole, bodies as lengths, chunk size lines, frames (http2.bpf.c, websocket.bpf.c), TLS hellos,
 * a proxy's handshake (proxy.bpf.c), a first taste of anything else. A connection may turn from one to another: behind a 101, a CONNECT, a handshake.
 *
 * In: a call's bytes in user memory (buffer or iovec), the stream's state. Out: HT_REC_DATA records whose orig_len add up to the
 * call's bytes. The framing followed here only decides what to copy; user space's parser is the authority. Copying too much is
 * harmless, missing a head is not: so when the direction has turned and the bytes look like a head, they are taken for one,
 * whatever was expected (resync).
 *
 * Loops over bytes are bpf_loop callbacks (5.17) whose state lives in the scratch slot: the verifier sees one step, and the time to
 * load does not grow with the window.
 */
#include "frames.bpf.h"

/* Rounds of the outer loop for one call: pipelined heads, chunks. What is left then is told as a length. */
#define ROUNDS        512
#define FRAMES_ROUNDS 2048 /* the same of frames, of which each may have a record of its own */

/* HT_OLD: rounds of each loop. Heads and chunks of one call (then HT_MODE_RAW); windows of frames; TLS records of hellos, six each. */
#define OLD_ROUNDS 3
#define OLD_RAW    3
#define OLD_HELLO  12

/* TLS hellos are captured up to this many bytes a direction; a ClientHello with a post-quantum key share has about 1,800. */
#define HELLO_MAX 4096

#define TASTE_OTHER 32

/*
 * One record: orig bytes of the call from sc->pos, of which the first cap are in the window behind sc->carry. The header is written
 * right before them, over what is not needed any more. Advances sc->pos. First in this file: clang 14 describes a struct met first
 * behind a member's pointer (struct ht_feed) as a forward declaration only, and the verifier needs its size.
 */
HT_GLOBAL __noinline int ht_emit(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st, __u32 cap, __u32 orig)
{
	struct ht_rec_data *rec;
	__u32 lost, at;
	__u16 flags;
	__u64 size;

	if (!sc || !fl || !st)
		return 0;
	HT_FORGET(cap, sc->memo);
	HT_FORGET(orig, sc->memo);
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
	rec->arrival_ns = 0;
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

/* What a byte of a method is: of a token as methods have them, the space behind it, anything else. */
#define IN_METHOD     0
#define BEHIND_METHOD 1
#define NO_METHOD     2

#define METHOD_MAX 24

/* Tables where a byte is looked at, and no branches: the verifier follows one way. */
static const __u8 method_bytes[256] = {
	[0 ... ' ' - 1] = NO_METHOD,       [' '] = BEHIND_METHOD, [' ' + 1 ... '-' - 1] = NO_METHOD, ['-' + 1 ... 'A' - 1] = NO_METHOD,
	['Z' + 1 ... '_' - 1] = NO_METHOD, ['_' + 1] = NO_METHOD, ['z' + 1 ... 255] = NO_METHOD,
};

/*
 * A request line's beginning: token SP, then origin-form, asterisk-form or absolute-form (RFC 9112, 3.2); CONNECT takes an
 * authority. That is stricter than a method's name and a space, which other protocols' commands share.
 */
static __always_inline int is_request(const __u8 *p, __u32 n)
{
	__u32 spaces = 0, others = 0, end, i;
	__u8 what;

#pragma clang loop unroll(full)
	for (i = 0; i < METHOD_MAX; i++) {
		what = method_bytes[p[i]];
		spaces |= (what & 1U) << i;
		others |= (what >> 1 & 1U) << i;
		/* One after the other: all bytes at once would be kept on the stack, of which all functions together have 512 bytes. */
		asm volatile("" : "+r"(spaces), "+r"(others)::"memory");
	}
	end = spaces | others;
	if (n < METHOD_MAX)
		end &= (1U << n) - 1;
	if (!end)
		return n < METHOD_MAX ? HT_IS_MORE : HT_IS_OTHER;
	if (others & end & -end)
		return HT_IS_OTHER;
	i = ht_lowest_bit(end) & (HT_PEEK - 1);
	if (!i)
		return HT_IS_OTHER;
	if (i == 7 && *(__u64 *)p == HT_TEXT8('C', 'O', 'N', 'N', 'E', 'C', 'T', ' '))
		return HT_IS_REQUEST;
	if (i + 1 >= n)
		return HT_IS_MORE;
	if (p[i + 1] == '/' || p[i + 1] == '*')
		return HT_IS_REQUEST;
	if ((p[i + 1] | 0x20) != 'h')
		return HT_IS_OTHER;
	if (i + 4 >= n)
		return HT_IS_MORE;
	return (p[i + 2] | 0x20) == 't' && (p[i + 3] | 0x20) == 't' && (p[i + 4] | 0x20) == 'p' ? HT_IS_REQUEST : HT_IS_OTHER;
}

/* p: HT_PEEK readable bytes, of which n > 0 count, not on the stack. */
static __always_inline int classify(const __u8 *p, __u32 n)
{
	__u64 w = *(__u64 *)p;

	if (p[0] >= 0x14 && p[0] <= 0x17) { /* TLS record types, RFC 8446, 5.1 */
		if (n < 2)
			return HT_IS_MORE;
		if (p[1] != 3)
			return HT_IS_OTHER;
		if (p[0] != 0x16)
			return HT_IS_TLS;
		if (n < 6)
			return HT_IS_MORE;
		return p[5] == 1 ? HT_IS_CLIENT_HELLO : p[5] == 2 ? HT_IS_SERVER_HELLO : HT_IS_TLS;
	}
	if (ht_begins(w, HT_TEXT8('P', 'R', 'I', ' ', '*', ' ', 'H', 'T'), n))
		return n >= 8 ? HT_IS_HTTP2 : HT_IS_MORE;
	if (ht_begins(w, HT_TEXT8('H', 'T', 'T', 'P', '/', '1', '.', 0), n < 7 ? n : 7))
		return n >= 7 ? HT_IS_RESPONSE : HT_IS_MORE;
	return is_request(p, n);
}

/* HT_IS_*: what the window's first cnt bytes are. */
HT_GLOBAL __noinline int ht_is(struct ht_scratch *sc, __u32 cnt)
{
	if (!sc)
		return HT_IS_MORE;
	HT_FORGET(cnt, sc->memo);
	return classify(sc->win, cnt);
}

/* Behind a tunnel's begin, in the same call: its server speaks first. */
#ifndef HT_OLD
static __always_inline void decide_rest(struct ht_feed *f)
{
	struct ht_scratch *sc = f->sc;

	ht_decide(sc, f->fl, f->st);
	if (f->fl->kind <= HT_STREAM_HTTP1)
		ht_feed_head(sc, f->fl, f->st, sc->total - sc->pos); /* the first bytes of something */
}
#endif

#ifdef HT_OLD
#define IS_RAW(st)           ((st)->mode == HT_MODE_RAW)
#define HT_MODE_AFTER_ROUNDS HT_MODE_RAW
#define RAW_LOAD             HT_LOAD_MAX

static __noinline int feed_raw(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st)
{
	__u32 cnt = ht_least(sc->total - sc->pos, RAW_LOAD);

	sc->carry = 0;
	if (ht_load(sc, sc->pos, 0, cnt))
		return 0;
	HT_FORGET(cnt, sc->memo);
	return ht_emit(sc, fl, st, cnt, cnt);
}
#else
#define IS_RAW(st)           0
#define HT_MODE_AFTER_ROUNDS HT_MODE_CLOSE

static __always_inline int feed_raw(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st)
{
	return 0;
}
#endif

/* One round: a head, a run of body, a run of chunks. */
static long feed_step(__u32 i, struct ht_feed *f)
{
	struct ht_scratch *sc = f->sc;
	struct ht_flow *fl = f->fl;
	struct ht_stream *st = f->st;
	__u32 rem = sc->total - sc->pos, gap;

	if (sc->pos >= sc->total || sc->no_buf || fl->quiet)
		return 1;
	if (st->mode == HT_MODE_HEAD) {
		ht_feed_head(sc, fl, st, rem);
		return sc->turns != 0;
	} else if (st->mode == HT_MODE_CHUNK) {
		ht_feed_chunk(sc, fl, st, rem);
	} else if (st->mode == HT_MODE_LENGTH) {
		gap = ht_least(st->skip, rem);
		st->skip -= gap;
		if (!st->skip)
			ht_head_reset(st);
		ht_emit(sc, fl, st, 0, gap);
	} else if (IS_RAW(st)) {
		feed_raw(sc, fl, st);
	} else {
		ht_emit(sc, fl, st, 0, rem);
	}
	return 0;
}

/* What could not be read, or not in ROUNDS rounds: a length. Framing goes on where it can. */
static __always_inline void feed_rest(struct ht_feed *f)
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
			ht_head_reset(st);
	} else if (st->mode == HT_MODE_CHUNK && st->cphase == HT_CHUNK_DATA && st->skip >= rem) {
		st->skip -= rem;
		if (!st->skip)
			st->cphase = HT_CHUNK_CRLF;
	} else {
		st->mode = HT_MODE_AFTER_ROUNDS;
		st->carry_len = 0;
		if (IS_RAW(st) && !sc->no_buf) {
			feed_raw(sc, fl, st);
			rem = sc->total - sc->pos;
			if (!rem)
				return;
		}
	}
	ht_emit(sc, fl, st, 0, rem);
}

/* A head where none is expected: only after the direction turned, or where nothing is known anyway. */
static __always_inline void resync(struct ht_feed *f)
{
	struct ht_scratch *sc = f->sc;
	__u32 cnt = ht_least(sc->total, HT_PEEK);
	int is;

	if (ht_load(sc, 0, 0, cnt))
		return;
	is = ht_is(sc, cnt);
	if (is == (sc->dir == HT_DIR_TX ? HT_IS_REQUEST : HT_IS_RESPONSE))
		ht_head_reset(f->st);
}

/* One TLS record, or the part of it that is here. found: the ServerHello's record ended. RFC 8446, 5.1 and 4.1.3. */
HT_STEP long hello_step(__u32 i, struct ht_feed *f)
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
		if (end - at >= 14 && ht_win8(sc, at + 6) == 0x11619ae574ad21cfULL)
			st->is_head = 1;
	}
	st->begun = 1;
	cnt = ht_least(st->skip, end - at);
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

static __always_inline void hello(struct ht_feed *f)
{
	struct ht_scratch *sc = f->sc;
	struct ht_flow *fl = f->fl;
	struct ht_stream *st = f->st;
	__u32 cnt, cap, rem = sc->total - sc->pos, room = HELLO_MAX - ht_least(st->head_cnt, HELLO_MAX);

	cnt = ht_least(rem, room);
	if (!cnt || ht_load(sc, sc->pos, 0, cnt)) {
		fl->quiet = 1;
		ht_emit(sc, fl, st, 0, rem);
		return;
	}
	sc->carry = 0;
	sc->at = 0;
	sc->end = cnt;
	sc->found = 0;
	HT_LOOP(HELLO_MAX, OLD_HELLO, hello_step, f);
	cap = sc->found ? sc->found : cnt;
	st->head_cnt += cap;
	/* Also where the rounds did not suffice. */
	if (sc->found || cap < rem || sc->at < cnt)
		fl->quiet = 1;
	sc->flags |= HT_F_HANDSHAKE;
	ht_emit(sc, fl, st, cap, rem);
}

/* The first bytes of what is not followed, once. */
static __always_inline void taste(struct ht_feed *f)
{
	struct ht_scratch *sc = f->sc;
	struct ht_flow *fl = f->fl;
	struct ht_stream *st = f->st;
	__u32 rem = sc->total - sc->pos, cap = ht_least(rem, TASTE_OTHER);

	sc->carry = 0;
	if (ht_load(sc, sc->pos, 0, cap))
		cap = 0;
	fl->quiet = 1;
	ht_emit(sc, fl, st, cap, rem);
	ht_count(HT_CNT_SOCK_OTHER);
}

#ifdef HT_OLD
/* Frames are copied as they are, as far as the rounds go: the verifier would follow each frame of each round by itself. User space walks them. */
static long raw_step(__u32 i, struct ht_feed *f)
{
	struct ht_scratch *sc = f->sc;

	if (sc->pos >= sc->total || sc->no_buf)
		return 1;
	feed_raw(sc, f->fl, f->st);
	return 0;
}

static __always_inline void frames(struct ht_feed *f)
{
	struct ht_scratch *sc = f->sc;

	HT_LOOP(0, OLD_RAW, raw_step, f);
	if (sc->pos < sc->total)
		ht_emit(sc, f->fl, f->st, 0, sc->total - sc->pos);
}
#else
/* One round: frames up to a payload that is not copied, or that payload. */
static long http2_step(__u32 i, struct ht_feed *f)
{
	struct ht_scratch *sc = f->sc;

	if (sc->pos >= sc->total || sc->no_buf || f->st->mode != HT_MODE_HEAD)
		return 1;
	ht_feed_http2(sc, f->fl, f->st, sc->total - sc->pos);
	return 0;
}

static long websocket_step(__u32 i, struct ht_feed *f)
{
	struct ht_scratch *sc = f->sc;

	if (sc->pos >= sc->total || sc->no_buf || f->fl->quiet || f->fl->kind != HT_STREAM_WEBSOCKET || f->st->mode != HT_MODE_HEAD)
		return 1;
	ht_feed_websocket(sc, f->fl, f->st, sc->total - sc->pos);
	return 0;
}

static __always_inline void http2(struct ht_feed *f)
{
	struct ht_scratch *sc = f->sc;
	struct ht_flow *fl = f->fl;
	struct ht_stream *st = f->st;
	__u32 rem;

	/* Where frames begin is not known: perhaps here. */
	if (st->mode != HT_MODE_HEAD && ht_http2_probe(sc, fl, st) != HT_HTTP2_NONE)
		ht_head_reset(st);
	bpf_loop(FRAMES_ROUNDS, http2_step, f, 0);
	if (sc->pos >= sc->total)
		return;
	rem = sc->total - sc->pos;
	if (st->mode == HT_MODE_HEAD && ht_frames_unread(st, rem)) {
		ht_head_reset(st);
		st->mode = HT_MODE_CLOSE;
	}
	ht_emit(sc, fl, st, 0, rem);
}

static __always_inline void websocket(struct ht_feed *f)
{
	struct ht_scratch *sc = f->sc;
	struct ht_flow *fl = f->fl;
	struct ht_stream *st = f->st;

	bpf_loop(FRAMES_ROUNDS, websocket_step, f, 0);
	if (sc->pos >= sc->total || fl->kind != HT_STREAM_WEBSOCKET)
		return;
	/* Nothing shows where frames begin again. */
	if (st->mode != HT_MODE_HEAD || ht_frames_unread(st, sc->total - sc->pos))
		fl->quiet = 1;
	ht_emit(sc, fl, st, 0, sc->total - sc->pos);
}
#endif

/* What is left of a call, of anything but HTTP/1. */
static __always_inline void deliver_other(struct ht_feed *f)
{
	struct ht_scratch *sc = f->sc;
	struct ht_flow *fl = f->fl;

#ifdef HT_OLD
	if (fl->kind == HT_STREAM_WEBSOCKET || fl->kind == HT_STREAM_HTTP2) {
		frames(f);
		return;
	}
	if (fl->kind == HT_STREAM_SOCKS) {
		ht_feed_socks(sc, fl, f->st, sc->total - sc->pos);
		return;
	}
#else
	if (fl->kind == HT_STREAM_SOCKS)
		ht_feed_socks(sc, fl, f->st, sc->total - sc->pos);
	if (fl->kind == HT_STREAM_WEBSOCKET)
		websocket(f);
	if (sc->pos >= sc->total)
		return;
	if (fl->kind == HT_STREAM_HTTP2)
		http2(f);
	else
#endif
	if (fl->kind == HT_STREAM_TLS)
		hello(f);
	else if (fl->kind == HT_STREAM_OTHER)
		taste(f);
	else
		ht_emit(sc, fl, f->st, 0, sc->total - sc->pos);
}

/* What the rounds of HTTP/1 have left of a call: too much of it, or another protocol, which HT_OLD copies as it is. */
static __always_inline void deliver_rest(struct ht_feed *f)
{
	struct ht_scratch *sc = f->sc;

#ifdef HT_OLD
	if (sc->turns) {
		frames(f);
		f->st->mode = HT_MODE_RAW;
	} else {
		feed_rest(f);
	}
#else
	if (!sc->turns)
		feed_rest(f);
	else if (sc->pos < sc->total && f->fl->kind == HT_STREAM_UNKNOWN)
		decide_rest(f);
	if (sc->pos < sc->total)
		deliver_other(f);
#endif
}

HT_GLOBAL __noinline int ht_deliver(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st)
{
	struct ht_feed f = { .sc = sc, .fl = fl, .st = st };

	if (!sc || !fl || !st)
		return 0;
	sc->turns = 0;
	if (!fl->quiet) {
		if (fl->kind <= HT_STREAM_HTTP1) {
			if (st->mode == HT_MODE_CLOSE || IS_RAW(st) || (st->mode != HT_MODE_HEAD && fl->last_dir != sc->dir + 1))
				resync(&f);
			HT_LOOP(ROUNDS, OLD_ROUNDS, feed_step, &f);
			deliver_rest(&f);
		} else {
			deliver_other(&f);
		}
	}
	st->off += sc->total;
	fl->last_dir = sc->dir + 1;
	return 0;
}

HT_GLOBAL __noinline int ht_deliver_unread(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st)
{
	struct ht_feed f = { .sc = sc, .fl = fl, .st = st };

	if (!sc || !fl || !st)
		return 0;
	sc->no_buf = 1;
	if (!fl->quiet) {
		if (fl->kind <= HT_STREAM_HTTP1) {
			feed_rest(&f);
		} else {
			if (st->mode == HT_MODE_HEAD && ht_frames_unread(st, sc->total))
				st->mode = HT_MODE_CLOSE;
			ht_emit(sc, fl, st, 0, sc->total);
		}
	}
	st->off += sc->total;
	fl->last_dir = sc->dir + 1;
	return 0;
}

/* Frames whose sender has been at it for longer than we have been looking. Answers HT_SAYS_*, or -1: it is nothing of the kind. */
static __always_inline int decide_late(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st, int tx)
{
	int is = ht_http2_probe(sc, fl, st);

	if (is == HT_HTTP2_NONE)
		return -1;
	if (is == HT_HTTP2_FRAMES) {
		if (!sc->is_client)
			return HT_SAYS_NOTHING;
	} else if (tx != (is == HT_HTTP2_REQUEST)) {
		return HT_SAYS_SERVER;
	}
	ht_flow_turn(fl, HT_STREAM_HTTP2);
	if (tx)
		fl->rx.mode = HT_MODE_CLOSE;
	else
		fl->tx.mode = HT_MODE_CLOSE;
	return HT_SAYS_CLIENT;
}

HT_GLOBAL __noinline int ht_decide(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st)
{
	__u32 carry, cnt, i;
	int is, tx, says;

	if (!sc || !fl || !st)
		return HT_SAYS_NOTHING;
	tx = sc->dir == HT_DIR_TX;
	/* A proxy's handshake ends where the client says what is known here; a password is none of it. */
	if (fl->kind == HT_STREAM_SOCKS && (!tx || st->cphase == HT_SOCKS_PRIVATE))
		return HT_SAYS_NOTHING;
	carry = st->carry_len & (HT_CARRY_MAX - 1);
	for (i = 0; i < HT_CARRY_MAX; i += 8)
		*(__u64 *)(sc->win + i) = *(__u64 *)(st->carry + i);
	cnt = ht_least(sc->total - sc->pos, HT_PEEK);
	if (ht_load(sc, sc->pos, carry, cnt))
		is = HT_IS_MORE;
	else
		is = ht_is(sc, carry + cnt);
	if (fl->kind == HT_STREAM_SOCKS) {
		if (sc->no_buf || is > HT_IS_CLIENT_HELLO || is == HT_IS_RESPONSE || (is == HT_IS_MORE && st->cphase != HT_SOCKS_ANSWERED))
			return HT_SAYS_NOTHING;
		ht_flow_turn(fl, HT_STREAM_UNKNOWN);
	}

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
		st->mode = HT_MODE_HEAD;
		/* What the server has said before may have ended anywhere. */
		if (!sc->strict && fl->rx.off)
			fl->rx.mode = HT_MODE_CLOSE;
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
		if (!sc->strict) {
			says = sc->win[carry] ? -1 : decide_late(sc, fl, st, tx);
			if (says >= 0)
				return says;
			goto undecided;
		}
		/* Where the server's first bytes are not these. */
		if (!tx && st->mode != HT_MODE_HEAD)
			return HT_SAYS_NOTHING;
		is = tx ? (sc->tls_id || st->off != carry ? HT_IS_OTHER : ht_socks_probe(sc, carry, carry + cnt))
			: ht_is_http2(sc, 0, carry + cnt);
		if (is == HT_IS_MORE)
			return HT_SAYS_NOTHING;
		if (is == HT_IS_HTTP2) {
			fl->kind = HT_STREAM_HTTP2;
			return HT_SAYS_CLIENT;
		}
		fl->kind = HT_STREAM_OTHER;
		if (is == HT_IS_REQUEST) {
			fl->kind = HT_STREAM_SOCKS;
			st->carry_len = 0;
		}
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

HT_GLOBAL __noinline int ht_sender(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st)
{
	__u32 cnt;
	int is;

	if (!sc || !fl || !st)
		return HT_SAYS_NOTHING;
	cnt = ht_least(sc->total, HT_PEEK);
	sc->pos = 0;
	if (!cnt || ht_load(sc, 0, 0, cnt))
		return HT_SAYS_NOTHING;
	is = ht_is(sc, cnt);
	if (is == HT_IS_REQUEST || is == HT_IS_HTTP2)
		return HT_SAYS_CLIENT;
	if (is == HT_IS_RESPONSE)
		return HT_SAYS_SERVER;
	if (sc->win[0])
		return HT_SAYS_NOTHING;
	is = ht_http2_probe(sc, fl, st);
	return is == HT_HTTP2_REQUEST ? HT_SAYS_CLIENT : is == HT_HTTP2_RESPONSE ? HT_SAYS_SERVER : HT_SAYS_NOTHING;
}
