/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * json.h - writes JSON (RFC 8259) into a buffer.
 *
 * In:  values in document order. Out: text without white space, valid UTF-8 whatever the strings are. Limit: HT_JSON_DEPTH levels.
 * A key of NULL is an element of a list (or the document itself); others are plain ASCII without a quote or a backslash, as this
 * program's own are: only ht_json_key() takes any.
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
/* A key from outside, whatever bytes it has; the value follows with a key of NULL. */
void ht_json_key(struct ht_json *json, const char *key);
/* A string's value, without what stands before it. */
void ht_json_put_text(struct ht_buf *out, const char *text);

/* What stands before a value: the comma, the key. Inlined, as the length of a key is then known to the compiler. */
static inline void ht_json_lead(struct ht_json *json, const char *key)
{
	size_t len = key ? strlen(key) : 0;
	char *at = ht_buf_room(json->out, len + 4), *from = at;

	if (!at)
		return;
	if (json->has_member[json->depth])
		*at++ = ',';
	json->has_member[json->depth] = true;
	if (key) {
		*at++ = '"';
		memcpy(at, key, len);
		at += len;
		*at++ = '"';
		*at++ = ':';
	}
	json->out->len += (size_t)(at - from);
}

static inline void ht_json_null(struct ht_json *json, const char *key)
{
	ht_json_lead(json, key);
	ht_buf_add(json->out, "null", 4);
}

/*
 * text NULL: null. Bytes that are no UTF-8 become U+FFFD, one for each maximal part of a character (Unicode 15, 3.9, as browsers and
 * Python do).
 */
static inline void ht_json_string(struct ht_json *json, const char *key, const char *text)
{
	ht_json_lead(json, key);
	if (text)
		ht_json_put_text(json->out, text);
	else
		ht_buf_add(json->out, "null", 4);
}

/* A string that, like a key, is a name of this program's or the library's own. */
static inline void ht_json_word(struct ht_json *json, const char *key, const char *word)
{
	size_t len = strlen(word);
	char *at;

	ht_json_lead(json, key);
	at = ht_buf_room(json->out, len + 2);
	if (!at)
		return;
	*at++ = '"';
	memcpy(at, word, len);
	at[len] = '"';
	json->out->len += len + 2;
}

static inline void ht_json_int(struct ht_json *json, const char *key, int64_t value)
{
	ht_json_lead(json, key);
	ht_buf_int(json->out, value);
}

static inline void ht_json_uint(struct ht_json *json, const char *key, uint64_t value)
{
	ht_json_lead(json, key);
	ht_buf_uint(json->out, value);
}

static inline void ht_json_bool(struct ht_json *json, const char *key, bool value)
{
	ht_json_lead(json, key);
	ht_buf_add(json->out, value ? "true" : "false", value ? 4 : 5);
}

#endif
