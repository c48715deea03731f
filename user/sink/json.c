/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * json.c - see json.h.
 */
#include <assert.h>
#include <string.h>

#include "json.h"
#include "utf8.h"

void ht_json_init(struct ht_json *json, struct ht_buf *out)
{
	*json = (struct ht_json){ .out = out };
}

#define EACH_BYTE(b) (0x0101010101010101ull * (b))

/*
 * Is no byte of a word above 0x7e, below 0x20, a quote or a backslash? (x - n * 0x01..) & ~x & 0x80..: some byte of x is below n, for n
 * up to 0x80; exact as to whether there is one, which is all that is asked.
 */
static bool is_plain_word(uint64_t word)
{
	uint64_t quote = word ^ EACH_BYTE('"'), slash = word ^ EACH_BYTE('\\');
	uint64_t control = (word - EACH_BYTE(0x20)) & ~word, del = word ^ EACH_BYTE(0x7f);

	quote = (quote - EACH_BYTE(1)) & ~quote;
	slash = (slash - EACH_BYTE(1)) & ~slash;
	del = (del - EACH_BYTE(1)) & ~del;
	return !((word | control | quote | slash | del) & EACH_BYTE(0x80));
}

/* Nearly all that is ever written. */
static bool is_plain(const char *text, size_t len)
{
	uint64_t word;

	for (; len >= sizeof(word); text += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, text, sizeof(word));
		if (!is_plain_word(word))
			return false;
	}
	word = EACH_BYTE(' ');
	memcpy(&word, text, len);
	return is_plain_word(word);
}

static void put_escaped(struct ht_buf *out, const char *text)
{
	const char *from = text;
	size_t len;

	ht_buf_char(out, '"');
	while (*text) {
		uint32_t c = ht_utf8_next(text, &len);

		/* JSON asks for less: but it, too, is looked at on terminals. */
		if (c != '"' && c != '\\' && !ht_utf8_is_harmful(c)) {
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

void ht_json_put_text(struct ht_buf *out, const char *text)
{
	size_t len = strlen(text);
	char *at;

	if (!is_plain(text, len)) {
		put_escaped(out, text);
		return;
	}
	at = ht_buf_room(out, len + 2);
	if (!at)
		return;
	*at = '"';
	memcpy(at + 1, text, len);
	at[len + 1] = '"';
	out->len += len + 2;
}

static void enter(struct ht_json *json, const char *key, char c)
{
	ht_json_lead(json, key);
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

void ht_json_key(struct ht_json *json, const char *key)
{
	ht_json_lead(json, NULL);
	ht_json_put_text(json->out, key);
	ht_buf_char(json->out, ':');
	json->has_member[json->depth] = false;
}
