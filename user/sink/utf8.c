/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * utf8.c - see utf8.h.
 */
#include "utf8.h"

uint32_t ht_utf8_next(const char *text, size_t *len)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf; /* bounds of the second byte: no overlong forms, no surrogates, nothing past U+10FFFF */
	uint32_t c = p[0];
	size_t need, i;

	*len = 1;
	if (c < 0x80)
		return c;
	if (c >= 0xc2 && c <= 0xdf) {
		need = 1;
		c &= 0x1f;
	} else if (c >= 0xe0 && c <= 0xef) {
		need = 2;
		if (c == 0xe0)
			low = 0xa0;
		if (c == 0xed)
			high = 0x9f;
		c &= 0x0f;
	} else if (c >= 0xf0 && c <= 0xf4) {
		need = 3;
		if (c == 0xf0)
			low = 0x90;
		if (c == 0xf4)
			high = 0x8f;
		c &= 0x07;
	} else {
		return HT_UTF8_INVALID;
	}
	for (i = 1; i <= need; i++) {
		/* A NUL is out of bounds, too: nothing is read behind it. */
		if (p[i] < low || p[i] > high)
			return HT_UTF8_INVALID;
		c = c << 6 | (p[i] & 0x3f);
		*len = i + 1;
		low = 0x80;
		high = 0xbf;
	}
	return c;
}

bool ht_utf8_is_harmful(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == HT_UTF8_INVALID || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}
