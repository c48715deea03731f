/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * buf.c - see buf.h.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

#define CAP_MIN 4096

void ht_buf_free(struct ht_buf *buf)
{
	free(buf->data);
	*buf = (struct ht_buf){ 0 };
}

char *ht_buf_grow(struct ht_buf *buf, size_t len)
{
	size_t cap = buf->cap ? buf->cap : CAP_MIN;
	char *data;

	if (buf->is_oom)
		return NULL;
	while (cap - buf->len < len && cap <= SIZE_MAX / 4)
		cap *= 2;
	data = cap - buf->len < len ? NULL : realloc(buf->data, cap);
	if (!data) {
		buf->is_oom = true;
		return NULL;
	}
	buf->data = data;
	buf->cap = cap;
	return data + buf->len;
}

void ht_buf_pad(struct ht_buf *buf, size_t cnt)
{
	char *at = cnt ? ht_buf_room(buf, cnt) : NULL;

	if (!at)
		return;
	memset(at, ' ', cnt);
	buf->len += cnt;
}

/* Writes a number's digits so that they end before `end`. Returns the first. */
static char *digits(char *end, uint64_t value)
{
	static const char pairs[] =
		"000102030405060708091011121314151617181920212223242526272829303132333435363738394041424344454647484950515253"
		"54555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

	while (value >= 100) {
		end -= 2;
		memcpy(end, pairs + value % 100 * 2, 2);
		value /= 100;
	}
	if (value >= 10) {
		end -= 2;
		memcpy(end, pairs + value * 2, 2);
	} else {
		*--end = (char)('0' + value);
	}
	return end;
}

void ht_buf_uint(struct ht_buf *buf, uint64_t value)
{
	char text[HT_BUF_NUMBER_MAX], *end = text + sizeof(text), *begin = digits(end, value);

	ht_buf_add(buf, begin, (size_t)(end - begin));
}

void ht_buf_int(struct ht_buf *buf, int64_t value)
{
	char text[HT_BUF_NUMBER_MAX], *end = text + sizeof(text), *begin;

	begin = digits(end, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
	if (value < 0)
		*--begin = '-';
	ht_buf_add(buf, begin, (size_t)(end - begin));
}

void ht_buf_printf(struct ht_buf *buf, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	/* One byte more, as vsnprintf() ends with a NUL. */
	if (len <= 0 || !ht_buf_room(buf, (size_t)len + 1))
		return;
	va_start(args, format);
	vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
	va_end(args);
	buf->len += (size_t)len;
}

void ht_buf_cut(struct ht_buf *buf, size_t len)
{
	if (len < buf->len)
		buf->len = len;
	buf->is_oom = false;
}
