/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * payload.bpf.h - deciding what a stream is and sending what user space needs of it.
 *
 * Both functions are verified once, by themselves, and serve sockets and TLS objects alike. The caller has filled the first part of
 * the scratch slot; st is the stream of fl that sc->dir names.
 */
#ifndef HT_PAYLOAD_BPF_H
#define HT_PAYLOAD_BPF_H

#include "emit.bpf.h"

/* One of the two streams. HT_OLD: not by a choice, as the verifier would follow each by itself from there on (kernel.bpf.h: HT_FORGET). */
static __always_inline struct ht_stream *ht_stream_of(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st)
{
#ifdef HT_OLD
	HT_ONCE(sc->memo) = st == &fl->rx;
	return &fl->tx + (HT_ONCE(sc->memo) & 1);
#else
	return st;
#endif
}

/* Answers of ht_decide. */
#define HT_SAYS_NOTHING 0 /* not recognised so far; of a stream whose role is known: deliver */
#define HT_SAYS_CLIENT  1 /* the program is the client of this connection */
#define HT_SAYS_SERVER  2
#define HT_SAYS_HELLO   3 /* client, and these bytes are its ClientHello */

/*
 * Looks at the bytes of the call from sc->pos on and sets fl->kind if they tell. With sc->strict (the role is known: client) bytes that are
 * not recognised make it HT_STREAM_OTHER. Call it while ht_is_undecided().
 */
static __always_inline int ht_is_undecided(const struct ht_flow *fl)
{
	return fl->kind == HT_STREAM_UNKNOWN || fl->kind == HT_STREAM_SOCKS;
}

HT_GLOBAL int ht_decide(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st);

/* What the program is, by the first bytes that it is about to send: CLIENT, SERVER or NOTHING. */
HT_GLOBAL int ht_sender(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st);

/* Sends the call's bytes [0, sc->total) as far as they are needed, in one or more data records, and advances the stream. */
HT_GLOBAL int ht_deliver(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st);
/* The same of bytes that are in no memory of the program: lengths. */
HT_GLOBAL int ht_deliver_unread(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st);

/* Whether the call's bytes from sc->pos on are HTTP/2 frames (http2.bpf.c), where that is not known yet. Uses the window. */
#define HT_HTTP2_NONE     0 /* not, or not surely */
#define HT_HTTP2_FRAMES   1 /* they are, and whose is not known */
#define HT_HTTP2_REQUEST  2 /* a client's: among them are the fields of a request */
#define HT_HTTP2_RESPONSE 3 /* a server's */
HT_GLOBAL int ht_http2_probe(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st);

/* What a stream of bytes begins with. */
#define HT_IS_MORE         0 /* cannot tell yet */
#define HT_IS_REQUEST      1
#define HT_IS_RESPONSE     2
#define HT_IS_HTTP2        3
#define HT_IS_CLIENT_HELLO 4
#define HT_IS_SERVER_HELLO 5
#define HT_IS_TLS          6 /* any other TLS record */
#define HT_IS_OTHER        7

#define HT_PEEK 32

/* Eight bytes of text as a little-endian number. */
#define HT_TEXT8(a, b, c, d, e, f, g, h)                                                                                               \
	((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24 | (__u64)(e) << 32 | (__u64)(f) << 40 | (__u64)(g) << 48 | \
	 (__u64)(h) << 56)
#define HT_LOWER8 0x2020202020202020ULL

/* Whether the first n bytes (up to 8) of have and want agree. */
static __always_inline int ht_begins(__u64 have, __u64 want, __u32 n)
{
	return n >= 8 ? have == want : !((have ^ want) & ((1ULL << (n * 8)) - 1));
}

#endif
