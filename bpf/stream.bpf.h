/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * stream.bpf.h - what payload.bpf.c (any stream) and http1.bpf.c (HTTP/1 framing) share: the window of a call's bytes, and each
 * other's functions.
 *
 * The functions are global, which means verified once each and not at every call: that keeps the time to load short. What they are
 * given by pointer cannot be proven not to be NULL, so each asks.
 */
#ifndef HT_STREAM_BPF_H
#define HT_STREAM_BPF_H

#include "payload.bpf.h"

/* ht_classify of the window's first cnt bytes. */
HT_GLOBAL int ht_is(struct ht_scratch *sc, __u32 cnt);

/*
 * Copies cnt (at most HT_LOAD_MAX) bytes of the call from its byte `from` to the window's `dst` (below 2048). 0, or -1 when memory
 * cannot be read.
 */
HT_GLOBAL int ht_load(struct ht_scratch *sc, __u32 from, __u32 dst, __u32 cnt);

/* One record: orig bytes of the call from sc->pos, of which the first cap are in the window behind sc->carry. Advances sc->pos. */
HT_GLOBAL int ht_emit(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st, __u32 cap, __u32 orig);

/* Send what is next, rem bytes of the call being left: (part of) a head, or of a chunked body. */
HT_GLOBAL int ht_feed_head(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st, __u32 rem);
HT_GLOBAL int ht_feed_chunk(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st, __u32 rem);

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

/*
 * Context of bpf_loop callbacks. In each file a global function that takes these three pointers stands before the first callback:
 * clang 14 describes a struct met first behind a member's pointer as a forward declaration only, and the verifier needs its size.
 */
struct ht_feed {
	struct ht_scratch *sc;
	struct ht_flow *fl;
	struct ht_stream *st;
};

static __always_inline __u64 ht_win8(struct ht_scratch *sc, __u32 at)
{
	return *(__u64 *)(sc->win + (at & (HT_WIN - 1)));
}

static __always_inline __u32 ht_least(__u64 a, __u32 b)
{
	return a < b ? a : b;
}

/* Before a message. */
static __always_inline void ht_head_reset(struct ht_stream *st)
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

#endif
