/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * buf.h - a growing string of bytes that a sink composes its lines in.
 *
 * In:  pieces. Out: data[0, len), not NUL-terminated. Memory: doubled as needed; where there is none is_oom is set, and the buffer takes
 * nothing more until ht_buf_cut().
 */
#ifndef HT_BUF_H
#define HT_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ht_buf {
	char *data;
	size_t len;
	size_t cap;
	bool is_oom;
};

/* Decimal digits of an int64_t or uint64_t, with a sign. */
#define HT_BUF_NUMBER_MAX 21

/* Zeroed is empty. */
void ht_buf_free(struct ht_buf *buf);
/* Room for len more bytes, where the caller writes before it adds to buf->len. NULL: there is no memory. */
char *ht_buf_grow(struct ht_buf *buf, size_t len);
void ht_buf_pad(struct ht_buf *buf, size_t cnt);
void ht_buf_int(struct ht_buf *buf, int64_t value);
void ht_buf_uint(struct ht_buf *buf, uint64_t value);
void ht_buf_printf(struct ht_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Drops what is behind len, and that memory was out. */
void ht_buf_cut(struct ht_buf *buf, size_t len);

/* A report is composed of hundreds of pieces of a few bytes: these are inlined, so that a piece costs no call. */

static inline char *ht_buf_room(struct ht_buf *buf, size_t len)
{
	return buf->cap - buf->len >= len && !buf->is_oom ? buf->data + buf->len : ht_buf_grow(buf, len);
}

static inline void ht_buf_add(struct ht_buf *buf, const void *data, size_t len)
{
	char *at;

	if (!len)
		return;
	at = ht_buf_room(buf, len);
	if (!at)
		return;
	memcpy(at, data, len);
	buf->len += len;
}

static inline void ht_buf_char(struct ht_buf *buf, char c)
{
	char *at = ht_buf_room(buf, 1);

	if (!at)
		return;
	*at = c;
	buf->len++;
}

static inline void ht_buf_puts(struct ht_buf *buf, const char *text)
{
	ht_buf_add(buf, text, strlen(text));
}

#endif
