/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * frames.bpf.h - what http2.bpf.c and websocket.bpf.c share: a walk from frame to frame over a window of a call's bytes.
 *
 * A frame is its header, a part that is copied, and a part that is told as a length; either part may be empty. A record ends where a length does, so
 * that frames without one share a record. Of a header that the window ends in, what is there has been sent and is carried in front of the next window.
 *
 * In struct ht_stream: skip bytes are left of the part that is copied, cl behind it of the length; carry.
 */
#ifndef HT_FRAMES_BPF_H
#define HT_FRAMES_BPF_H

#include "stream.bpf.h"

/* sc->found: why a walk ended. */
#define HT_WALK_END    0 /* of the window: what is left begins at sc->at */
#define HT_WALK_HEADER 1 /* the window ends in the header at sc->at */
#define HT_WALK_LENGTH 2 /* at what is not copied */
#define HT_WALK_BAD    3 /* behind what can be no frame of this protocol */
#define HT_WALK_OTHER  4 /* another protocol begins here */

/* Most of an unfinished header that is carried: that of a DATA frame and the first bytes of its payload, less one. A multiple of eight. */
#define HT_FRAME_CARRY 24

#define HT_FRAMES_LOAD HT_LOAD_FIRST

/* The copied part of a payload as far as it is in the window, from at on. Answers where it ends. */
static __always_inline __u32 ht_frame_pass(struct ht_stream *st, __u32 at, __u32 end)
{
	__u32 cnt = ht_least(st->skip, end - at);

	st->skip -= cnt;
	return at + cnt;
}

/* Whether a walk has to end there, and why. */
static __always_inline int ht_frame_ends(struct ht_scratch *sc, struct ht_stream *st)
{
	if (st->skip)
		return 1;
	if (!st->cl)
		return 0;
	sc->found = HT_WALK_LENGTH;
	return 1;
}

/* What a call begins with may be nothing to look at. 1: it has been told. */
static __always_inline int ht_frames_skip(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st, __u32 rem)
{
	if (st->skip || !st->cl)
		return 0;
	if (rem > st->cl)
		rem = st->cl;
	st->cl -= rem;
	ht_emit(sc, fl, st, 0, rem);
	return 1;
}

/* A window of rem bytes, with what is carried in front of them. Answers how many are new, 0: they cannot be read. */
static __always_inline __u32 ht_frames_load(struct ht_scratch *sc, struct ht_stream *st, __u32 rem)
{
	__u32 carry = st->carry_len & (HT_CARRY_MAX - 1), cnt = ht_least(rem, HT_FRAMES_LOAD), i;

	for (i = 0; i < HT_FRAME_CARRY; i += 8)
		*(__u64 *)(sc->win + i) = *(__u64 *)(st->carry + i);
	HT_FORGET(carry, sc->memo);
	HT_FORGET(cnt, sc->memo);
	if (ht_load(sc, sc->pos, carry, cnt))
		return 0;
	HT_FORGET(carry, sc->memo);
	HT_FORGET(cnt, sc->memo);
	sc->carry = carry;
	sc->at = 0;
	sc->end = carry + cnt;
	sc->found = HT_WALK_END;
	return cnt;
}

/* Whether a longer window is worth while: as ht_frames_load had cnt bytes of rem. It has been loaded then. */
static __always_inline int ht_frames_more(struct ht_scratch *sc, __u32 cnt, __u32 rem)
{
	__u32 want = ht_least(rem, HT_LOAD_MAX);

	if (cnt >= want || sc->found > HT_WALK_HEADER || ht_load(sc, sc->pos + cnt, sc->carry + cnt, want - cnt))
		return 0;
	sc->end = sc->carry + want;
	sc->found = HT_WALK_END;
	return 1;
}

/* The walk has ended for one of the first three reasons: sends what it has passed of the rem bytes that are left of the call. */
static __always_inline int ht_frames_emit(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st, __u32 rem)
{
	__u32 at = sc->at, carry = sc->carry, end = sc->end, gap = 0, i;

	st->carry_len = 0;
	if (sc->found == HT_WALK_HEADER) {
		for (i = 0; i < HT_FRAME_CARRY; i += 8)
			*(__u64 *)(st->carry + i) = ht_win8(sc, at + i);
		st->carry_len = end - at;
		at = end;
	} else if (sc->found == HT_WALK_LENGTH) {
		gap = ht_least(st->cl, rem - (at - carry));
		st->cl -= gap;
	}
	return ht_emit(sc, fl, st, at - carry, at - carry + gap);
}

/* rem bytes pass without being looked at. 0, or -1: where the next frame begins is not known any more. */
static __always_inline int ht_frames_unread(struct ht_stream *st, __u32 rem)
{
	__u32 cnt = ht_least(st->skip, rem);

	st->skip -= cnt;
	rem -= cnt;
	cnt = ht_least(st->cl, rem);
	st->cl -= cnt;
	return rem - cnt ? -1 : 0;
}

#endif
