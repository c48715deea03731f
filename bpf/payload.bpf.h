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
 * Looks at the first bytes of the call and sets fl->kind if they tell. With sc->strict (the role is known: client) bytes that are
 * not recognised make it HT_STREAM_OTHER. Call it while fl->kind is HT_STREAM_UNKNOWN.
 */
HT_GLOBAL int ht_decide(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st);

/* Sends the call's bytes [0, sc->total) as far as they are needed, in one or more data records, and advances the stream. */
HT_GLOBAL int ht_deliver(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st);

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

/*
 * A request line's beginning: token SP, then origin-form, asterisk-form or absolute-form (RFC 9112, 3.2); CONNECT takes an
 * authority. That is stricter than a method's name and a space, which other protocols' commands share.
 */
static __always_inline int ht_is_request(const __u8 *p, __u32 n)
{
	__u32 i;

	for (i = 0; i < 24; i++) {
		__u8 c = p[i];

		if (i >= n)
			return HT_IS_MORE;
		if (c == ' ')
			break;
		if ((__u8)((c | 0x20) - 'a') > 25 && c != '-' && c != '_')
			return HT_IS_OTHER;
	}
	if (i == 0 || i == 24)
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

/* p: HT_PEEK readable bytes, of which n > 0 count. */
static __always_inline int ht_classify(const __u8 *p, __u32 n)
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
	return ht_is_request(p, n);
}

#endif
