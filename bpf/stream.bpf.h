/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * stream.bpf.h - what payload.bpf.c (any stream), load.bpf.c, http1.bpf.c, http2.bpf.c and websocket.bpf.c (framing) share: the window of a call's bytes, and each
 * other's functions.
 *
 * The functions are global, which means verified once each and not at every call: that keeps the time to load short. What they are
 * given by pointer cannot be proven not to be NULL, so each asks.
 */
#ifndef HT_STREAM_BPF_H
#define HT_STREAM_BPF_H

#include "payload.bpf.h"

/* HT_IS_*: what the window's first cnt bytes are. */
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

/*
 * Send what is next of HTTP/2 frames, of WebSocket frames, of a SOCKS handshake. What turns out to be something else has fl->kind changed, and nothing sent.
 */
HT_GLOBAL int ht_feed_http2(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st, __u32 rem);
HT_GLOBAL int ht_feed_websocket(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st, __u32 rem);
HT_GLOBAL int ht_feed_socks(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st, __u32 rem);

/* What a client says to a SOCKS proxy: cphase of its stream. */
#define HT_SOCKS_AHEAD    0 /* its greeting, or what it says without waiting for an answer */
#define HT_SOCKS_PRIVATE  1 /* user and password, until they are answered */
#define HT_SOCKS_OPEN     2 /* its request */
#define HT_SOCKS_ANSWERED 3 /* what the connection is for */

/* Whether a client's stream, of which the window has the first cnt bytes, begins with a SOCKS handshake: HT_IS_OTHER if not, HT_IS_MORE. */
HT_GLOBAL int ht_socks_probe(struct ht_scratch *sc, __u32 carry, __u32 cnt);

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

/* Two bytes, four, in network byte order. */
static __always_inline __u32 ht_win_be16(struct ht_scratch *sc, __u32 at)
{
	return __builtin_bswap16(*(__u16 *)(sc->win + (at & (HT_WIN - 1))));
}

static __always_inline __u32 ht_win_be32(struct ht_scratch *sc, __u32 at)
{
	return __builtin_bswap32(*(__u32 *)(sc->win + (at & (HT_WIN - 1))));
}

/* Whether the cnt bytes at `at` are what an endpoint of HTTP/2 begins with (RFC 9113, 3.4): the client's preface, the server's SETTINGS. */
static __always_inline int ht_is_http2(struct ht_scratch *sc, __u32 at, __u32 cnt)
{
	__u64 w = ht_win8(sc, at);

	if (sc->dir == HT_DIR_TX) {
		if (!ht_begins(w, HT_TEXT8('P', 'R', 'I', ' ', '*', ' ', 'H', 'T'), cnt))
			return HT_IS_OTHER;
		return cnt < 8 ? HT_IS_MORE : HT_IS_HTTP2;
	}
	if (w & 0xff)
		return HT_IS_OTHER;
	if (cnt < 9)
		return HT_IS_MORE;
	if ((w >> 24 & 0xffff) != 4 || ht_win_be32(sc, at + 5) || (__builtin_bswap32((__u32)w) >> 8) % 6)
		return HT_IS_OTHER;
	return HT_IS_HTTP2;
}

/* Place of the lowest bit set, by a de Bruijn sequence; bits is not 0. */
static const __u8 ht_lowest[64] = {
	0,  1,  48, 2,  57, 49, 28, 3,  61, 58, 50, 42, 38, 29, 17, 4,  62, 55, 59, 36, 53, 51, 43, 22, 45, 39, 33, 30, 24, 18, 12, 5,
	63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21, 44, 32, 23, 11, 46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9,  13, 8,  7,  6,
};

static __always_inline __u32 ht_lowest_bit(__u64 bits)
{
	return ht_lowest[HT_BOUND(((bits & -bits) * 0x03f79d71b4cb0a89ULL) >> 58, 63)];
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

/* What comes next on the connection is another protocol: both streams begin anew. */
static __always_inline void ht_flow_turn(struct ht_flow *fl, __u8 kind)
{
	fl->kind = kind;
	ht_head_reset(&fl->tx);
	ht_head_reset(&fl->rx);
}

#endif
