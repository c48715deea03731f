/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * http2.bpf.c - HTTP/2 framing as far as it decides what is copied (RFC 9113): everything but the payloads of DATA frames, and of these the small ones,
 * the first bytes of the others (gRPC's prefix of a message), and those whole that begin with a gRPC message and have another one behind it.
 *
 * In: the window of a call's bytes, the stream's state. Out: records by ht_emit, the state advanced. Resumable at every byte, bounded for any bytes: what can
 * be no frame is sent, and from there on lengths are told until a call begins with what can only be frames. User space's reader is the judge of all of it.
 */
#include "frames.bpf.h"

#define FRAME_HEADER 9 /* RFC 9113, 4.1 */

/* Section 6. */
#define TYPE_DATA          0
#define TYPE_HEADERS       1
#define TYPE_PRIORITY      2
#define TYPE_RST_STREAM    3
#define TYPE_SETTINGS      4
#define TYPE_PUSH_PROMISE  5
#define TYPE_PING          6
#define TYPE_GOAWAY        7
#define TYPE_WINDOW_UPDATE 8
#define TYPE_CONTINUATION  9
#define TYPE_CNT           10
#define FLAG_ACK           0x1
#define FLAG_END_STREAM    0x1
#define FLAG_END_HEADERS   0x4
#define FLAG_PADDED        0x8
#define FLAG_PRIORITY      0x20
#define MAX_FRAME          16384 /* 4.2: of an endpoint that has not said otherwise */
#define PREFACE            24    /* 3.4 */

/* DATA payloads up to this size are copied; of larger ones this much, which is gRPC's prefix of a message (five bytes), padding's length, and some. */
#define DATA_SMALL  256
#define DATA_PREFIX 16
#define GRPC_PREFIX 5
/* Of a payload of several gRPC messages this much is copied. */
#define GRPC_MAX    MAX_FRAME

/* Most of a block of fields, as of any other frame: as much as user space's reader takes. Without all of it no later block could be decoded. */
#define BLOCK_MAX 65536

/* HT_OLD: frames that a call is judged by. */
#define OLD_JUDGED 3

/*
 * What counts as evidence: frames of a fixed length, SETTINGS, blocks that begin with a pseudo-field, others of some length. Headers of the rest may
 * be any bytes, most of them zero. Nor are there streams of such high numbers.
 */
#define EVIDENCE_MIN 16
#define STREAM_BITS  26

/* Frames that a call is judged by, and bytes that they are looked for in. */
#define PROBE_FRAMES 16
#define PROBE_LOAD   4096

/* What type is allowed to have: the flags defined for it, a payload's length if it is fixed, whether it is of a stream. */
#define ANY_LENGTH    0xff
#define STREAM_NONE   0
#define STREAM_ONE    1
#define STREAM_EITHER 2

struct rule {
	__u8 flags;
	__u8 length;
	__u8 stream;
};

static const struct rule rules[16] = {
	[TYPE_DATA] = { FLAG_END_STREAM | FLAG_PADDED, ANY_LENGTH, STREAM_ONE },
	[TYPE_HEADERS] = { FLAG_END_STREAM | FLAG_END_HEADERS | FLAG_PADDED | FLAG_PRIORITY, ANY_LENGTH, STREAM_ONE },
	[TYPE_PRIORITY] = { 0, 5, STREAM_ONE },
	[TYPE_RST_STREAM] = { 0, 4, STREAM_ONE },
	[TYPE_SETTINGS] = { FLAG_ACK, ANY_LENGTH, STREAM_NONE },
	[TYPE_PUSH_PROMISE] = { FLAG_END_HEADERS | FLAG_PADDED, ANY_LENGTH, STREAM_ONE },
	[TYPE_PING] = { FLAG_ACK, 8, STREAM_NONE },
	[TYPE_GOAWAY] = { 0, ANY_LENGTH, STREAM_NONE },
	[TYPE_WINDOW_UPDATE] = { 0, 4, STREAM_EITHER },
	[TYPE_CONTINUATION] = { FLAG_END_HEADERS, ANY_LENGTH, STREAM_ONE },
};

/* A frame's header, of the window. */
struct header {
	__u32 len;
	__u32 type;
	__u32 flags;
	__u32 stream;
};

static __always_inline void header_read(struct ht_scratch *sc, __u32 at, struct header *h)
{
	__u64 w = ht_win8(sc, at);

	h->len = __builtin_bswap32((__u32)w) >> 8;
	h->type = (__u32)w >> 24;
	h->flags = (w >> 32) & 0xff;
	h->stream = ht_win_be32(sc, at + 5);
}

/* What a well-behaved endpoint sends, that has not agreed on anything. */
static __always_inline int is_good(const struct header *h)
{
	const struct rule *rule = &rules[HT_BOUND(h->type & 15, 15)];

	if (h->type >= TYPE_CNT || h->len > MAX_FRAME || h->flags & ~rule->flags)
		return 0;
	if (rule->stream != STREAM_EITHER && rule->stream != (h->stream ? STREAM_ONE : STREAM_NONE))
		return 0;
	if (h->stream >> STREAM_BITS || (rule->length != ANY_LENGTH && rule->length != h->len))
		return 0;
	if (h->type == TYPE_SETTINGS)
		return !(h->len % 6) && !(h->flags && h->len);
	return h->type != TYPE_GOAWAY || h->len >= 8;
}

/* Looks at the frames that the window begins with: sc->at behind the last one, sc->line of them that count; sc->found is HT_HTTP2_*. */
HT_STEP long probe_step(__u32 i, struct ht_feed *f);

HT_GLOBAL __noinline int ht_http2_probe(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st)
{
	struct ht_feed f = { .sc = sc, .fl = fl, .st = st };
	__u32 rem, cnt;

	if (!sc || !fl || !st)
		return HT_HTTP2_NONE;
	rem = sc->total - sc->pos;
	cnt = ht_least(rem, PROBE_LOAD);
	HT_FORGET(cnt, sc->memo);
	if (ht_load(sc, sc->pos, 0, cnt))
		return HT_HTTP2_NONE;
	HT_FORGET(cnt, sc->memo);
	HT_FORGET(rem, sc->memo);
	sc->at = 0;
	sc->line = 0;
	sc->end = cnt;
	sc->found = HT_HTTP2_FRAMES;
	HT_LOOP(PROBE_FRAMES, OLD_JUDGED, probe_step, &f);
	/* One alone, which does not end with the call, is not enough. */
	if (sc->line < 2 && (!sc->line || sc->at != rem))
		return HT_HTTP2_NONE;
	return sc->found;
}

/*
 * Whose block of fields it is, by its first one: HT_HTTP2_*. Pseudo-fields come first (8.3), and the static table has their names (RFC 7541, appendix A):
 * 1 :authority, 2 and 3 :method, 4 and 5 :path, 6 and 7 :scheme, 8 to 14 :status. An update of the table's size may stand before them (6.3).
 */
static __always_inline int probe_fields(struct ht_scratch *sc, __u32 at, const struct header *h)
{
	__u32 end = ht_least(sc->end, at + FRAME_HEADER + h->len), index;
	__u8 c;

	at += FRAME_HEADER + (h->flags & FLAG_PADDED ? 1 : 0) + (h->flags & FLAG_PRIORITY ? 5 : 0);
	c = sc->win[at & (HT_WIN - 1)];
	if ((c & 0xe0) == 0x20) {
		at += 1 + (c == 0x3f) + (c == 0x3f && sc->win[(at + 1) & (HT_WIN - 1)] & 0x80);
		c = sc->win[at & (HT_WIN - 1)];
	}
	if (at >= end)
		return HT_HTTP2_FRAMES;
	index = c & 0x80 ? c & 0x7f : c & 0x40 ? c & 0x3f : c & 0x0f;
	if (!index || index > 14 || (!(c & 0xc0) && c & 0x20))
		return HT_HTTP2_FRAMES;
	return index < 8 ? HT_HTTP2_REQUEST : HT_HTTP2_RESPONSE;
}

HT_STEP long probe_step(__u32 i, struct ht_feed *f)
{
	struct ht_scratch *sc = f->sc;
	__u32 at = sc->at, end = sc->end;
	struct header h;
	int is, counts;

	if (at >= end || end - at < FRAME_HEADER)
		return 1;
	header_read(sc, at, &h);
	if (!is_good(&h)) {
		sc->found = HT_HTTP2_NONE;
		sc->line = 2;
		return 1;
	}
	counts = h.len >= EVIDENCE_MIN;
	if (h.type == TYPE_HEADERS) {
		is = probe_fields(sc, at, &h);
		/* Clients' streams have odd numbers (5.1.1); an answer may be to one that the server has begun. */
		if (is == HT_HTTP2_REQUEST && !(h.stream & 1))
			is = HT_HTTP2_FRAMES;
		if (sc->found == HT_HTTP2_FRAMES)
			sc->found = is;
		counts = is != HT_HTTP2_FRAMES;
	} else if (rules[HT_BOUND(h.type & 15, 15)].length != ANY_LENGTH || h.type == TYPE_SETTINGS) {
		counts = 1;
	}
	sc->line += counts;
	sc->at = at + FRAME_HEADER + h.len;
	return 0;
}

#ifndef HT_OLD

/* A frame, or what is left of one. */
static long http2_walk(__u32 i, struct ht_feed *f)
{
	struct ht_scratch *sc = f->sc;
	struct ht_stream *st = f->st;
	__u32 at = sc->at, end = sc->end, len, copy, message;
	struct header h;

	if (!st->skip) {
		if (end - at < FRAME_HEADER) {
			sc->found = at < end ? HT_WALK_HEADER : HT_WALK_END;
			return 1;
		}
		header_read(sc, at, &h);
		len = h.len;
		if (h.type == TYPE_DATA && len > DATA_SMALL) {
			if (end - at < FRAME_HEADER + DATA_PREFIX) {
				sc->found = HT_WALK_HEADER;
				return 1;
			}
			message = at + FRAME_HEADER + (h.flags >> 3 & 1); /* FLAG_PADDED */
			copy = sc->win[message & (HT_WIN - 1)] <= 1 && ht_win_be32(sc, message + 1) < len - GRPC_PREFIX ? GRPC_MAX : 0;
			at += DATA_PREFIX;
			len -= DATA_PREFIX;
		} else if (h.type >= TYPE_CNT && len > MAX_FRAME) {
			/* Not a frame that anybody sends. The preface looks like one. */
			if (ht_win8(sc, at) != HT_TEXT8('P', 'R', 'I', ' ', '*', ' ', 'H', 'T')) {
				sc->at = at + FRAME_HEADER;
				sc->found = HT_WALK_BAD;
				return 1;
			}
			len = PREFACE - FRAME_HEADER;
			copy = len;
		} else {
			/* Of a block of fields that spans frames, of another frame. */
			if (h.type != TYPE_CONTINUATION)
				st->head_cnt = 0;
			copy = BLOCK_MAX - ht_least(st->head_cnt, BLOCK_MAX);
			if (copy > len)
				copy = len;
			st->head_cnt += copy;
		}
		HT_FORGET(at, sc->memo);
		HT_FORGET(len, sc->memo);
		HT_FORGET(copy, sc->memo);
		if (copy > len)
			copy = len;
		st->skip = copy;
		st->cl = len - copy;
		at += FRAME_HEADER;
	}
	sc->at = ht_frame_pass(st, at, end);
	return ht_frame_ends(sc, st);
}

HT_GLOBAL __noinline int ht_feed_http2(struct ht_scratch *sc, struct ht_flow *fl, struct ht_stream *st, __u32 rem)
{
	struct ht_feed f = { .sc = sc, .fl = fl, .st = st };
	__u32 cnt, cap;

	if (!sc || !fl || !st)
		return 0;
	if (ht_frames_skip(sc, fl, st, rem))
		return 0;
	cnt = ht_frames_load(sc, st, rem);
	if (!cnt)
		return 0;
	bpf_loop(HT_WIN / FRAME_HEADER + 1, http2_walk, &f, 0);
	if (ht_frames_more(sc, cnt, rem))
		bpf_loop(HT_WIN / FRAME_HEADER + 1, http2_walk, &f, 0);
	if (sc->found != HT_WALK_BAD)
		return ht_frames_emit(sc, fl, st, rem);
	cap = sc->at - sc->carry;
	ht_head_reset(st);
	st->mode = HT_MODE_CLOSE;
	return ht_emit(sc, fl, st, cap, rem);
}

#endif
