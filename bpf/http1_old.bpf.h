/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * http1_old.bpf.h - looking for a head's end where the verifier follows every round of a loop (kernel.bpf.h: HT_LOOP). Part of http1.bpf.c.
 *
 * The same as there, in another shape: a round takes 64 bytes without a branch, and the two lines that matter are only noted, and read
 * behind the loop. What is left after HT_OLD_LINES rounds is looked at by the next step of the caller's loop, and after that is copied as it is
 * (HT_MODE_RAW).
 */

/* Rounds: 64 bytes, or a line. */
#define HT_OLD_LINES 24

/* Longest Content-Length that is read, with what may stand before it: 2^64 has 20 digits. */
#define LENGTH_DIGITS 20
#define LENGTH_SPACES 4

/* Bit n: the n-th byte of the word is '\n'. The product brings the high bits of the bytes side by side. */
static __always_inline __u64 newline_bits(__u64 w)
{
	return ((newlines(w) >> 7) * 0x0102040810204080ULL) >> 56;
}

/* One line of a head, or 64 bytes without a line's end. */
static __noinline int scan_line(struct ht_scratch *sc, struct ht_stream *st)
{
	__u32 at = sc->at, end = sc->end, line = sc->line, len, i;
	__u64 bits = 0, name, rest;

	if (at >= end)
		return 1;
#pragma clang loop unroll(full)
	for (i = 0; i < 8; i++)
		bits |= newline_bits(ht_win8(sc, at + 8 * i)) << (8 * i);
	at += bits ? ht_lowest_bit(bits) : 64;
	if (!bits || at >= end) {
		sc->at = at < end ? at : end;
		return 0;
	}
	len = at - line;
	len -= len && sc->win[(at - 1) & (HT_WIN - 1)] == '\r';
	sc->at = at + 1;
	sc->line = at + 1;
	if (st->mid_line) {
		st->mid_line = 0;
		st->begun = 1;
		return 0;
	}
	if (!st->begun) {
		/* Empty lines before the start line do not count, RFC 9112, 2.2. */
		if (len) {
			start_line(sc, st, line);
			st->begun = 1;
		}
		return 0;
	}
	if (!len) {
		sc->found = at + 1;
		return 1;
	}
	name = ht_win8(sc, line) | HT_LOWER8;
	rest = ht_win8(sc, line + 8) | HT_LOWER8;
	if (name == HT_TEXT8('c', 'o', 'n', 't', 'e', 'n', 't', '-') && !((rest ^ HT_TEXT8('l', 'e', 'n', 'g', 't', 'h', ':', 0)) << 8)) {
		sc->length_at = line + 15;
		sc->length_end = line + len;
	} else if (name == HT_TEXT8('t', 'r', 'a', 'n', 's', 'f', 'e', 'r') && rest == HT_TEXT8('-', 'e', 'n', 'c', 'o', 'd', 'i', 'n')) {
		sc->coding_at = line + 18;
		sc->coding_end = line + len;
	}
	return 0;
}

/* The value is kept in memory, of which the verifier knows nothing: each round is like the one before. */
static __noinline int content_length(struct ht_scratch *sc, struct ht_stream *st)
{
	__u32 at = sc->length_at, end = sc->length_end, i;

	for (i = 0; i < LENGTH_SPACES; i++) {
		__u8 c = sc->win[at & (HT_WIN - 1)];

		if (c != ' ' && c != '\t')
			break;
		at++;
	}
	st->cl = 0;
	for (i = 0; i < LENGTH_DIGITS; i++) {
		__u8 digit = sc->win[at & (HT_WIN - 1)] - '0';

		if (at >= end || digit > 9)
			break;
		HT_ONCE(st->cl) = HT_ONCE(st->cl) * 10 + digit;
		at++;
	}
	st->has_cl = 1;
	return 0;
}

/* It is chunked if that is the last coding (RFC 9112, 6.1), which the line ends with. */
static __noinline int transfer_encoding(struct ht_scratch *sc, struct ht_stream *st)
{
	__u32 end = sc->coding_end, i;

	for (i = 0; i < LENGTH_SPACES; i++) {
		__u8 c = sc->win[(end - 1) & (HT_WIN - 1)];

		if (c != ' ' && c != '\t')
			break;
		end--;
	}
	if (end >= sc->coding_at + 7 && ht_begins(ht_win8(sc, end - 7) | HT_LOWER8, HT_TEXT8('c', 'h', 'u', 'n', 'k', 'e', 'd', 0), 7))
		st->chunked = 1;
	return 0;
}

static __always_inline void scan_head(struct ht_feed *f)
{
	struct ht_scratch *sc = f->sc;
	struct ht_stream *st = f->st;
	__u32 i;

	sc->length_end = 0;
	sc->coding_end = 0;
	for (i = 0; i < HT_OLD_LINES; i++) {
		if (scan_line(sc, st))
			break;
	}
	if (sc->length_end)
		content_length(sc, st);
	if (sc->coding_end)
		transfer_encoding(sc, st);
	/* What was not looked at is the next step's. */
	if (!sc->found)
		sc->end = sc->at;
}
