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

/* Room for len more bytes. */
static bool reserve(struct ht_buf *buf, size_t len)
{
	size_t cap = buf->cap ? buf->cap : CAP_MIN;
	char *data;

	if (buf->is_oom)
		return false;
	if (buf->cap - buf->len >= len)
		return true;
	while (cap - buf->len < len && cap <= SIZE_MAX / 4)
		cap *= 2;
	data = cap - buf->len < len ? NULL : realloc(buf->data, cap);
	if (!data) {
		buf->is_oom = true;
		return false;
	}
	buf->data = data;
	buf->cap = cap;
	return true;
}

void ht_buf_add(struct ht_buf *buf, const void *data, size_t len)
{
	if (!len || !reserve(buf, len))
		return;
	memcpy(buf->data + buf->len, data, len);
	buf->len += len;
}

void ht_buf_char(struct ht_buf *buf, char c)
{
	ht_buf_add(buf, &c, 1);
}

void ht_buf_puts(struct ht_buf *buf, const char *text)
{
	ht_buf_add(buf, text, strlen(text));
}

void ht_buf_pad(struct ht_buf *buf, size_t cnt)
{
	if (!cnt || !reserve(buf, cnt))
		return;
	memset(buf->data + buf->len, ' ', cnt);
	buf->len += cnt;
}

void ht_buf_printf(struct ht_buf *buf, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	/* One byte more, as vsnprintf() ends with a NUL. */
	if (len <= 0 || !reserve(buf, (size_t)len + 1))
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
