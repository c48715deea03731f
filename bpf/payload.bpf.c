/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * payload.bpf.c - what of a stream is copied: message heads whole, bodies as lengths, chunk size lines, TLS hellos, a first taste
 * of anything else.
 *
 * In: a call's bytes in user memory (buffer or iovec), the stream's state. Out: HT_REC_DATA records whose orig_len add up to the
 * call's bytes. The framing followed here only decides what to copy; user space's parser is the authority. Copying too much is
 * harmless, missing a head is not: so when the direction has turned and the bytes look like a head, they are taken for one,
 * whatever was expected (resync).
 *
 * Loops over bytes are bpf_loop callbacks (5.17) whose state lives in the scratch slot: the verifier sees one step, and the time to
 * load does not grow with the window.
 */
#include "stream.bpf.h"

/* Rounds of the outer loop for one call: pipelined heads, chunks. What is left then is told as a length. */
#define ROUNDS 512

/* HT_OLD: rounds of each loop. Buffers of one call; heads and chunks of one call (then HT_MODE_RAW); TLS records of hellos, six each. */
#define OLD_GATHER 6
#define OLD_ROUNDS 3
#define OLD_HELLO  12

/* TLS hellos are captured up to this many bytes a direction; a ClientHello with a post-quantum key share has about 1,800. */
#define HELLO_MAX 4096

#define TASTE_OTHER 32
#define TASTE_HTTP2 64

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

/* ht_classify of the window's first cnt bytes. */
HT_GLOBAL __noinline int ht_is(struct ht_scratch *sc, __u32 cnt)
{
	if (!sc)
		return HT_IS_MORE;
	HT_FORGET(cnt, sc->memo);
	return ht_classify(sc->win, cnt);
}

static long gather_step(__u32 i, struct ht_feed *f)
{
	struct ht_scratch *sc = f->sc;
	__u32 cnt, dst = sc->iov_dst;
	__u64 one[2]; /* struct iovec */
	__u64 left;

	if (!sc->iov_left || sc->iov_at >= sc->iov_cnt)
		return 1;
	/* That of a call which is known from its begin has been copied by the kernel already. */
	if (ht_config.flags & HT_CFG_CALLS ? bpf_probe_read_kernel(one, sizeof(one), (void *)(sc->buf + sc->iov_at * 16ULL))
					   : bpf_probe_read_user(one, sizeof(one), (void *)(sc->buf + sc->iov_at * 16ULL)))
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

/*
 * Copies cnt (at most HT_LOAD_MAX) bytes of the call from its byte `from` to the window's `dst` (below 2048). 0, or -1 when memory
 * cannot be read.
 */
HT_GLOBAL __noinline int ht_load(struct ht_scratch *sc, __u32 from, __u32 dst, __u32 cnt)
{
	struct ht_feed f = { .sc = sc };

	if (!sc)
		return -1;
	HT_FORGET(from, sc->memo);
	HT_FORGET(dst, sc->memo);
	HT_FORGET(cnt, sc->memo);
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
	HT_LOOP(1024 + HT_LOAD_MAX / HT_GATHER_MAX + 1, OLD_GATHER, gather_step, &f);
	if (!sc->iov_left)
		return 0;
fault:
	sc->no_buf = 1;
	ht_count(HT_CNT_FAULT);
	return -1;
}

#ifdef HT_OLD
#define IS_RAW(st)           ((st)->mode == HT_MODE_RAW)
#define HT_MODE_AFTER_ROUNDS HT_MODE_RAW
#define RAW_LOAD             8192

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
static long hello_step(__u32 i, struct ht_feed *f)
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
	__u32 cnt, cap, room = HELLO_MAX - ht_least(st->head_cnt, HELLO_MAX);

	cnt = ht_least(sc->total, room);
	if (!cnt || ht_load(sc, 0, 0, cnt)) {
		fl->quiet = 1;
		ht_emit(sc, fl, st, 0, sc->total);
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
	if (sc->found || cap < sc->total || sc->at < cnt)
		fl->quiet = 1;
	sc->flags |= HT_F_HANDSHAKE;
	ht_emit(sc, fl, st, cap, sc->total);
}

/* The first bytes of what is not followed, once. */
static __always_inline void taste(struct ht_feed *f, __u32 most)
{
	struct ht_scratch *sc = f->sc;
	struct ht_flow *fl = f->fl;
	struct ht_stream *st = f->st;
	__u32 cap = ht_least(sc->total, most);

	sc->carry = 0;
	if (ht_load(sc, 0, 0, cap))
		cap = 0;
	fl->quiet = 1;
	ht_emit(sc, fl, st, cap, sc->total);
	ht_count(HT_CNT_SOCK_OTHER);
}

HT_GLOBAL __noinline int ht_deliver(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st)
{
	struct ht_feed f = { .sc = sc, .fl = fl, .st = st };

	if (!sc || !fl || !st)
		return 0;
	sc->pos = 0;
	if (!fl->quiet) {
		if (fl->kind == HT_STREAM_TLS) {
			hello(&f);
		} else if (fl->kind == HT_STREAM_HTTP2) {
			taste(&f, TASTE_HTTP2);
		} else if (fl->kind == HT_STREAM_OTHER) {
			taste(&f, TASTE_OTHER);
		} else {
			if (st->mode == HT_MODE_CLOSE || IS_RAW(st) || (st->mode != HT_MODE_HEAD && fl->last_dir != sc->dir + 1))
				resync(&f);
			HT_LOOP(ROUNDS, OLD_ROUNDS, feed_step, &f);
			feed_rest(&f);
		}
	}
	st->off += sc->total;
	fl->last_dir = sc->dir + 1;
	return 0;
}

HT_GLOBAL __noinline int ht_decide(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st)
{
	__u32 carry, cnt, i;
	int is, tx;

	if (!sc || !fl || !st)
		return HT_SAYS_NOTHING;
	carry = st->carry_len & (HT_CARRY_MAX - 1);
	tx = sc->dir == HT_DIR_TX;
	for (i = 0; i < HT_CARRY_MAX; i += 8)
		*(__u64 *)(sc->win + i) = *(__u64 *)(st->carry + i);
	cnt = ht_least(sc->total, HT_PEEK);
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
