/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* span.h - a piece of bytes that someone else owns; how long it is valid is said where one is handed out. */
#ifndef HT_SPAN_H
#define HT_SPAN_H

#include <stddef.h>

/* Not NUL-terminated. */
struct ht_span {
	const char *ptr;
	size_t len;
};

#endif
