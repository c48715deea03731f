/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * proxy.bpf.c - a client's handshake with a SOCKS proxy: version 5 (RFC 1928, 1929), 4 and 4a.
 *
 * In: a client's stream in clear, from its first byte. Out: the handshake's bytes by ht_emit, but user and password (RFC 1929), which are told as a
 * length. It lasts until the client says what ht_decide knows (payload.bpf.c); what is neither, or more than a handshake has, is HT_STREAM_OTHER.
 */
#include "stream.bpf.h"

#define METHODS_MAX 16 /* that a client offers; there are not that many */

/* Longest request: version 4a's, of a user's and a host's name. No handshake has more in one direction, two names apart. */
#define REQUEST_MAX   528
#define HANDSHAKE_MAX 800

/* What a message begins with. */
#define VERSION_4    4
#define VERSION_5    5
#define VERSION_AUTH 1 /* RFC 1929, 2 */
#define METHOD_NONE  0
#define METHOD_AUTH  2

/* A greeting that offers METHOD_AUTH alone, and RFC 1929's message right behind it. */
#define GREETING_AUTH   (VERSION_5 | 1 << 8 | METHOD_AUTH << 16 | VERSION_AUTH << 24)
#define GREETING_LENGTH 3

/* carry: bytes of the window that came with calls before. */
HT_GLOBAL __noinline int ht_socks_probe(struct ht_scratch *sc, __u32 carry, __u32 cnt)
{
	__u32 total, method_cnt;
	__u8 version, last;
	__u64 w;

	if (!sc)
		return HT_IS_OTHER;
	HT_FORGET(carry, sc->memo);
	HT_FORGET(cnt, sc->memo);
	w = ht_win8(sc, 0);
	version = w;
	method_cnt = w >> 8 & 0xff;
	total = carry + sc->total - sc->pos;
	if (version == VERSION_5) {
		if (total < 3)
			return HT_IS_MORE;
		if (!method_cnt || method_cnt > METHODS_MAX || total < 2 + method_cnt)
			return HT_IS_OTHER;
		if (total == 2 + method_cnt || (__u32)w == GREETING_AUTH)
			return HT_IS_REQUEST;
		/* A request right behind it: version, command, 0, type of the address. */
		w = ht_win8(sc, 2 + method_cnt);
		return cnt >= 6 + method_cnt && (w & 0xff) == VERSION_5 && (w >> 8 & 0xff) - 1 < 3 && !(w >> 16 & 0xff) ? HT_IS_REQUEST
															: HT_IS_OTHER;
	}
	if (version != VERSION_4 || carry || (w >> 8 & 0xff) - 1 > 1 || !(w >> 16 & 0xffff) || total < 9 || total > REQUEST_MAX)
		return HT_IS_OTHER;
	/* A name ends it. */
	if (ht_load(sc, sc->pos + total - 1, HT_PEEK, 1))
		return HT_IS_OTHER;
	last = sc->win[HT_PEEK];
	return last ? HT_IS_OTHER : HT_IS_REQUEST;
}

/* What the server has said so far, cnt bytes: its choice of a method; then, of METHOD_AUTH, whether it accepts (RFC 1929); then the answer to the request. */
static __always_inline __u8 phase_of(__u8 method, __u32 cnt)
{
	__u32 open = method == METHOD_AUTH ? 4 : 2;

	if (method != METHOD_NONE && method != METHOD_AUTH)
		return HT_SOCKS_PRIVATE;
	return cnt < open ? HT_SOCKS_PRIVATE : cnt == open ? HT_SOCKS_OPEN : HT_SOCKS_ANSWERED;
}

HT_GLOBAL __noinline int ht_feed_socks(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st, __u32 rem)
{
	__u8 first, phase, is_greeting;
	__u32 cnt, head_cnt;

	if (!sc || !fl || !st)
		return 0;
	head_cnt = st->head_cnt;
	phase = fl->tx.cphase;
	cnt = ht_least(rem, HANDSHAKE_MAX);
	HT_FORGET(cnt, sc->memo);
	if (ht_load(sc, sc->pos, 0, cnt)) {
		/* What the server has answered is not known. */
		if (sc->dir == HT_DIR_RX && phase == HT_SOCKS_PRIVATE)
			fl->tx.cphase = HT_SOCKS_AHEAD;
		return ht_emit(sc, fl, st, 0, rem);
	}
	HT_FORGET(cnt, sc->memo);
	sc->carry = 0;
	first = sc->win[0];
	if (sc->dir == HT_DIR_TX) {
		is_greeting = rem > GREETING_LENGTH && (__u32)ht_win8(sc, 0) == GREETING_AUTH;
		if (phase == HT_SOCKS_PRIVATE || (phase == HT_SOCKS_AHEAD && (is_greeting || first == VERSION_AUTH))) {
			st->cphase = HT_SOCKS_PRIVATE;
			return ht_emit(sc, fl, st, phase == HT_SOCKS_AHEAD && is_greeting ? GREETING_LENGTH : 0, rem);
		}
		if (phase == HT_SOCKS_ANSWERED)
			goto other;
		if (!head_cnt && first == VERSION_4)
			st->cphase = HT_SOCKS_ANSWERED;
	} else {
		if (head_cnt < 2 && head_cnt + cnt >= 2)
			st->cphase = sc->win[HT_BOUND(1 - head_cnt, 1)];
		if (head_cnt + cnt >= 2 && phase != HT_SOCKS_ANSWERED)
			fl->tx.cphase = phase_of(st->cphase, head_cnt + cnt);
	}
	if (head_cnt + rem > HANDSHAKE_MAX)
		goto other;
	st->head_cnt = head_cnt + cnt;
	return ht_emit(sc, fl, st, cnt, rem);
other:
	ht_flow_turn(fl, HT_STREAM_OTHER);
	return 0;
}
