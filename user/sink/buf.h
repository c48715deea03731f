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

struct ht_buf {
	char *data;
	size_t len;
	size_t cap;
	bool is_oom;
};

/* Zeroed is empty. */
void ht_buf_free(struct ht_buf *buf);
void ht_buf_add(struct ht_buf *buf, const void *data, size_t len);
void ht_buf_char(struct ht_buf *buf, char c);
void ht_buf_puts(struct ht_buf *buf, const char *text);
void ht_buf_pad(struct ht_buf *buf, size_t cnt);
void ht_buf_printf(struct ht_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Drops what is behind len, and that memory was out. */
void ht_buf_cut(struct ht_buf *buf, size_t len);

#endif
