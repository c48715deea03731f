/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * json.c - see json.h.
 */
#include <assert.h>
#include <inttypes.h>

#include "json.h"
#include "utf8.h"

void ht_json_init(struct ht_json *json, struct ht_buf *out)
{
	*json = (struct ht_json){ .out = out };
}

static void quote(struct ht_buf *out, const char *text)
{
	const char *from = text;
	size_t len;

	ht_buf_char(out, '"');
	while (*text) {
		uint32_t c = ht_utf8_next(text, &len);

		if (c >= 0x20 && c != '"' && c != '\\' && c != HT_UTF8_INVALID) {
			text += len;
			continue;
		}
		ht_buf_add(out, from, (size_t)(text - from));
		text += len;
		from = text;
		switch (c) {
		case '"':
		case '\\':
			ht_buf_char(out, '\\');
			ht_buf_char(out, (char)c);
			break;
		case '\b':
			ht_buf_puts(out, "\\b");
			break;
		case '\f':
			ht_buf_puts(out, "\\f");
			break;
		case '\n':
			ht_buf_puts(out, "\\n");
			break;
		case '\r':
			ht_buf_puts(out, "\\r");
			break;
		case '\t':
			ht_buf_puts(out, "\\t");
			break;
		case HT_UTF8_INVALID:
			ht_buf_puts(out, "\xef\xbf\xbd");
			break;
		default:
			ht_buf_printf(out, "\\u%04x", (unsigned int)c);
		}
	}
	ht_buf_add(out, from, (size_t)(text - from));
	ht_buf_char(out, '"');
}

/* What stands before a value: the comma, the key. */
static void lead(struct ht_json *json, const char *key)
{
	if (json->has_member[json->depth])
		ht_buf_char(json->out, ',');
	json->has_member[json->depth] = true;
	if (key) {
		quote(json->out, key);
		ht_buf_char(json->out, ':');
	}
}

static void enter(struct ht_json *json, const char *key, char c)
{
	lead(json, key);
	ht_buf_char(json->out, c);
	assert(json->depth < HT_JSON_DEPTH);
	json->has_member[++json->depth] = false;
}

static void leave(struct ht_json *json, char c)
{
	assert(json->depth > 0);
	json->depth--;
	ht_buf_char(json->out, c);
}

void ht_json_begin_object(struct ht_json *json, const char *key)
{
	enter(json, key, '{');
}

void ht_json_end_object(struct ht_json *json)
{
	leave(json, '}');
}

void ht_json_begin_list(struct ht_json *json, const char *key)
{
	enter(json, key, '[');
}

void ht_json_end_list(struct ht_json *json)
{
	leave(json, ']');
}

void ht_json_string(struct ht_json *json, const char *key, const char *text)
{
	lead(json, key);
	if (text)
		quote(json->out, text);
	else
		ht_buf_puts(json->out, "null");
}

void ht_json_int(struct ht_json *json, const char *key, int64_t value)
{
	lead(json, key);
	ht_buf_printf(json->out, "%" PRId64, value);
}

void ht_json_uint(struct ht_json *json, const char *key, uint64_t value)
{
	lead(json, key);
	ht_buf_printf(json->out, "%" PRIu64, value);
}

void ht_json_bool(struct ht_json *json, const char *key, bool value)
{
	lead(json, key);
	ht_buf_puts(json->out, value ? "true" : "false");
}

void ht_json_null(struct ht_json *json, const char *key)
{
	lead(json, key);
	ht_buf_puts(json->out, "null");
}
