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
#define METHOD_AUTH  2

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
		if (total == 2 + method_cnt)
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

HT_GLOBAL __noinline int ht_feed_socks(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st, __u32 rem)
{
	__u32 cnt, head_cnt;
	__u8 first;

	if (!sc || !fl || !st)
		return 0;
	head_cnt = st->head_cnt;
	cnt = ht_least(rem, HANDSHAKE_MAX);
	HT_FORGET(cnt, sc->memo);
	if (ht_load(sc, sc->pos, 0, cnt))
		return ht_emit(sc, fl, st, 0, rem);
	HT_FORGET(cnt, sc->memo);
	sc->carry = 0;
	first = sc->win[0];
	if (sc->dir == HT_DIR_TX) {
		if (st->cphase || first == VERSION_AUTH)
			return ht_emit(sc, fl, st, 0, rem);
		if (first != VERSION_5 && first != VERSION_4)
			goto other;
	} else if (head_cnt >= 2) {
		fl->tx.cphase = 0;
	} else if (head_cnt + cnt >= 2) {
		/* The method chosen is the server's second byte; until it has answered the client then gives its name and password. */
		fl->tx.cphase = sc->win[HT_BOUND(1 - head_cnt, 1)] == METHOD_AUTH;
	}
	if (head_cnt + rem > HANDSHAKE_MAX)
		goto other;
	st->head_cnt = head_cnt + cnt;
	return ht_emit(sc, fl, st, cnt, rem);
other:
	ht_flow_turn(fl, HT_STREAM_OTHER);
	return 0;
}
