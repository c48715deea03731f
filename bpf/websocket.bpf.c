/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * websocket.bpf.c - WebSocket framing as far as it decides what is copied (RFC 6455, 5.2): headers, control frames and other small ones whole, larger
 * payloads as lengths.
 *
 * In: the window of a call's bytes behind a 101, the stream's state. Out: records by ht_emit, the state advanced. Resumable at every byte. A 101 may have
 * turned to something else: to HTTP/2, which is told by its first bytes; or to what BPF does not know, which sooner than later violates the RFC, and of
 * which nothing more is told then.
 * HT_OLD: no walk (payload.bpf.c: raw_step).
 */
#include "frames.bpf.h"

#ifndef HT_OLD

#define FIN     0x80
#define RSV     0x30 /* 0x40 is a compressed message's, RFC 7692 */
#define CONTROL 0x08
#define OPCODE  0x0f
#define LEN     0x7f
#define LEN16   126
#define LEN64   127

/* Of what is no frame this much is copied: more than the longest header. */
#define BAD_MOST 16

/* What the stream begins with is HTTP/2's. No WebSocket frame begins so: a client's is masked, and a message's first one has a type. */
static __always_inline int websocket_or_http2(struct ht_scratch *sc, __u32 at, __u32 cnt)
{
	int is = ht_is_http2(sc, at, cnt);

	return is == HT_IS_MORE ? HT_WALK_HEADER : is == HT_IS_HTTP2 ? HT_WALK_OTHER : HT_WALK_BAD;
}

/* A frame, or what is left of one. */
static long websocket_walk(__u32 i, struct ht_feed *f)
{
	struct ht_scratch *sc = f->sc;
	struct ht_stream *st = f->st;
	__u32 at = sc->at, end = sc->end, cnt = end - at, need = 2;
	__u8 first, second, len;
	__u64 n;

	if (!st->skip) {
		if (!cnt) {
			sc->found = HT_WALK_END;
			return 1;
		}
		first = sc->win[at & (HT_WIN - 1)];
		second = sc->win[(at + 1) & (HT_WIN - 1)];
		if (!st->begun && (sc->dir == HT_DIR_TX ? first == 'P' : !first)) {
			sc->found = websocket_or_http2(sc, at, cnt);
			return 1;
		}
		len = second & LEN;
		n = len;
		if (len == LEN16) {
			n = ht_win_be16(sc, at + 2);
			need = 4;
		} else if (len == LEN64) {
			n = __builtin_bswap64(ht_win8(sc, at + 2));
			need = 10;
		}
		need += second >> 5 & 4; /* MASK: four bytes of it */
		HT_FORGET(need, sc->memo);
		if (cnt < 2 || cnt < need) {
			sc->found = HT_WALK_HEADER;
			return 1;
		}
		if ((first & RSV) || (first & OPCODE & ~CONTROL) > 2 || (second >> 7) == sc->dir || n >> 63 ||
		    (first & CONTROL && (!(first & FIN) || len >= LEN16))) {
			sc->found = HT_WALK_BAD;
			return 1;
		}
		st->begun = 1;
		st->skip = n < LEN16 ? n : 0;
		st->cl = n < LEN16 ? 0 : n;
		at += need;
	}
	sc->at = ht_frame_pass(st, at, end);
	return ht_frame_ends(sc, st);
}

HT_GLOBAL __noinline int ht_feed_websocket(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st, __u32 rem)
{
	struct ht_feed f = { .sc = sc, .fl = fl, .st = st };
	__u32 cnt;

	if (!sc || !fl || !st)
		return 0;
	if (ht_frames_skip(sc, fl, st, rem))
		return 0;
	cnt = ht_frames_load(sc, st, rem);
	if (!cnt)
		return 0;
	bpf_loop(HT_WIN / 2 + 1, websocket_walk, &f, 0);
	if (ht_frames_more(sc, cnt, rem))
		bpf_loop(HT_WIN / 2 + 1, websocket_walk, &f, 0);
	if (sc->found == HT_WALK_OTHER) {
		/* What is carried is a header's begin there as well. */
		fl->kind = HT_STREAM_HTTP2;
		return 0;
	}
	if (sc->found != HT_WALK_BAD)
		return ht_frames_emit(sc, fl, st, rem);
	fl->quiet = 1;
	return ht_emit(sc, fl, st, sc->at + ht_least(sc->end - sc->at, BAD_MOST) - sc->carry, rem);
}

#endif
