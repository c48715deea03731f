/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * http1_head.h - what the bytes of a whole HTTP/1 head say: start line, fields, framing. Private to the HTTP/1 parser.
 *
 * In:  contiguous bytes that http1.c has found the end of. Out: offsets, spans into those bytes, or an error.
 * No state between calls, no allocation but the growth of struct ht_http1_field_list, whose owner frees it.
 */
#ifndef HT_HTTP1_HEAD_H
#define HT_HTTP1_HEAD_H

#include "proto/http1.h"

/* The longest registered method, UPDATEREDIRECTREF, has 17 letters; what has no space within this many bytes is no request. */
#define HT_HTTP1_MAX_METHOD_BYTES 32

/* Offsets, because the head may move to another buffer between its start line and its end. */
struct ht_http1_start_line {
	size_t method_len; /* the method begins at 0 */
	size_t target_off;
	size_t target_len;
	size_t reason_off;
	size_t reason_len;
	int status;
	int version_minor;
};

/* Grown as needed, to HT_HTTP1_MAX_FIELDS, and reused. */
struct ht_http1_field_list {
	struct ht_http1_field *entries;
	size_t cnt;
	size_t cap;
};

/* token: RFC 9110 section 5.6.2. */
bool ht_http1_is_token_char(unsigned char c);

/* line: the start line without its line end. HT_HTTP1_OK, HT_HTTP1_NOT_HTTP or HT_HTTP1_BAD_START_LINE. */
enum ht_http1_error ht_http1_parse_start_line(enum ht_http1_side side, const char *line, size_t len, struct ht_http1_start_line *out);

/*
 * Replaces each obs-fold (RFC 9112 section 5.2), with the white space around it, by one space, in place. block: field lines up to and with
 * the empty line. White space before the first field is no fold and stays, for ht_http1_parse_fields() to refuse. Returns the new length.
 */
size_t ht_http1_unfold(char *block, size_t len);

/*
 * block: unfolded field lines up to and with the empty line. Replaces what list held by spans into block.
 * HT_HTTP1_OK, HT_HTTP1_BAD_FIELD or HT_HTTP1_TOO_MANY_FIELDS (also when there is no memory for one more).
 */
enum ht_http1_error ht_http1_parse_fields(const char *block, size_t len, struct ht_http1_field_list *list);

/*
 * Fills framing, content_length and the booleans of head from its other members. request_method: of the request that a response answers,
 * may be empty. Anything but HT_HTTP1_OK means that the extent of the body is not certain.
 */
enum ht_http1_error ht_http1_parse_framing(struct ht_http1_head *head, struct ht_span request_method);

#endif
