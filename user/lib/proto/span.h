/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* span.h - a piece of bytes that someone else owns; how long it is valid is said where one is handed out. */
#ifndef HT_SPAN_H
#define HT_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Not NUL-terminated. */
struct ht_span {
	const char *ptr;
	size_t len;
};

/* Is it that word, in any case? */
static inline bool ht_span_is(struct ht_span span, const char *word)
{
	return span.len == strlen(word) && !strncasecmp(span.ptr, word, span.len);
}

#endif
