/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * json.h - writes JSON (RFC 8259) into a buffer.
 *
 * In:  values in document order. Out: text without white space, valid UTF-8 whatever the strings are. Limit: HT_JSON_DEPTH levels.
 * A key of NULL is an element of a list (or the document itself).
 */
#ifndef HT_JSON_H
#define HT_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

#define HT_JSON_DEPTH 16

struct ht_json {
	struct ht_buf *out;
	unsigned int depth;
	bool has_member[HT_JSON_DEPTH + 1];
};

void ht_json_init(struct ht_json *json, struct ht_buf *out);
void ht_json_begin_object(struct ht_json *json, const char *key);
void ht_json_end_object(struct ht_json *json);
void ht_json_begin_list(struct ht_json *json, const char *key);
void ht_json_end_list(struct ht_json *json);
/*
 * text NULL: null. Bytes that are no UTF-8 become U+FFFD, one for each maximal part of a character (Unicode 15, 3.9, as browsers and Python
 * do).
 */
void ht_json_string(struct ht_json *json, const char *key, const char *text);
void ht_json_int(struct ht_json *json, const char *key, int64_t value);
void ht_json_uint(struct ht_json *json, const char *key, uint64_t value);
void ht_json_bool(struct ht_json *json, const char *key, bool value);
void ht_json_null(struct ht_json *json, const char *key);

#endif
