/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * http2_fields.c - malformed field blocks (RFC 9113 section 8.1.1).
 *
 * In:  the fields of one block, some of which may be unknown. Out: a verdict, which never rests on what is not known.
 * Content-Length against the content is the caller's to compare.
 */
#include "proto/http2_fields.h"

#include <string.h>

enum pseudo {
	PSEUDO_METHOD = 1 << 0,
	PSEUDO_SCHEME = 1 << 1,
	PSEUDO_AUTHORITY = 1 << 2,
	PSEUDO_PATH = 1 << 3,
	PSEUDO_PROTOCOL = 1 << 4, /* RFC 8441 section 4 */
	PSEUDO_STATUS = 1 << 5,
};

/* Of each field of each block several are asked for: their lengths are known beforehand. */
#define WORD(text)                       \
	{                                \
		(text), sizeof(text) - 1 \
	}

static bool is_equal(struct ht_span span, struct ht_span word)
{
	return span.len == word.len && memcmp(span.ptr, word.ptr, word.len) == 0;
}

/* 0: no such pseudo-header. */
static unsigned int pseudo_of(struct ht_span name)
{
	static const struct {
		struct ht_span name;
		enum pseudo pseudo;
	} names[] = {
		{ WORD(":method"), PSEUDO_METHOD }, { WORD(":scheme"), PSEUDO_SCHEME },     { WORD(":authority"), PSEUDO_AUTHORITY },
		{ WORD(":path"), PSEUDO_PATH },     { WORD(":protocol"), PSEUDO_PROTOCOL }, { WORD(":status"), PSEUDO_STATUS },
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (is_equal(name, names[i].name))
			return names[i].pseudo;
	}
	return 0;
}

/* Section 8.2.1: not what is below '!' or above '~', no capitals. The colon of a pseudo-header is not part of name. */
static bool is_name_valid(struct ht_span name)
{
	static const bool is_allowed[256] = { ['!' ... ':' - 1] = true, [':' + 1 ... 'A' - 1] = true, ['Z' + 1 ... '~'] = true };
	size_t i;

	for (i = 0; i < name.len; i++) {
		if (!is_allowed[(unsigned char)name.ptr[i]])
			return false;
	}
	return name.len > 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_value_valid(struct ht_span value)
{
	if (value.len == 0)
		return true;
	if (is_blank(value.ptr[0]) || is_blank(value.ptr[value.len - 1]))
		return false;
	return !memchr(value.ptr, '\0', value.len) && !memchr(value.ptr, '\n', value.len) && !memchr(value.ptr, '\r', value.len);
}

/* Section 8.2.2. */
static bool is_connection_specific(const struct ht_http2_field *field)
{
	static const struct ht_span names[] = { WORD("connection"), WORD("proxy-connection"), WORD("keep-alive"), WORD("transfer-encoding"),
						WORD("upgrade") };
	static const struct ht_span te = WORD("te"), trailers = WORD("trailers");
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (is_equal(field->name, names[i]))
			return true;
	}
	return is_equal(field->name, te) && !is_equal(field->value, trailers);
}

static bool is_status_valid(struct ht_span value)
{
	size_t i;

	for (i = 0; i < value.len; i++) {
		if (value.ptr[i] < '0' || value.ptr[i] > '9')
			return false;
	}
	return value.len == 3 && value.ptr[0] != '0';
}

static unsigned int allowed_pseudos(enum ht_http2_block_kind kind)
{
	if (kind == HT_HTTP2_REQUEST_TRAILERS)
		return 0;
	if (kind == HT_HTTP2_RESPONSE_OR_TRAILERS)
		return PSEUDO_STATUS;
	return PSEUDO_METHOD | PSEUDO_SCHEME | PSEUDO_AUTHORITY | PSEUDO_PATH | PSEUDO_PROTOCOL;
}

/* Section 8.3.1, 8.5, and RFC 8441 section 4. */
static bool is_request_whole(unsigned int seen, bool is_connect)
{
	const unsigned int usual = PSEUDO_METHOD | PSEUDO_SCHEME | PSEUDO_PATH;

	if (is_connect && !(seen & PSEUDO_PROTOCOL))
		return (seen & PSEUDO_AUTHORITY) && !(seen & (PSEUDO_SCHEME | PSEUDO_PATH));
	if (seen & PSEUDO_PROTOCOL && !is_connect)
		return false;
	return (seen & usual) == usual;
}

bool ht_http2_fields_are_valid(enum ht_http2_block_kind kind, const struct ht_http2_headers *headers)
{
	static const struct ht_span connect = WORD("CONNECT");
	unsigned int allowed = allowed_pseudos(kind);
	unsigned int seen = 0;
	bool is_past_pseudos = false, is_connect = false, is_informational = false;
	size_t i;

	for (i = 0; i < headers->field_cnt; i++) {
		const struct ht_http2_field *field = &headers->fields[i];
		unsigned int pseudo;

		if (!field->is_known)
			continue;
		if (!is_value_valid(field->value))
			return false;
		if (field->name.len == 0 || field->name.ptr[0] != ':') {
			if (!is_name_valid(field->name) || is_connection_specific(field))
				return false;
			is_past_pseudos = true;
			continue;
		}
		pseudo = pseudo_of(field->name);
		if (!(pseudo & allowed) || (pseudo & seen) || is_past_pseudos)
			return false;
		if (pseudo == PSEUDO_STATUS && !is_status_valid(field->value))
			return false;
		if (pseudo == PSEUDO_PATH && field->value.len == 0)
			return false;
		seen |= pseudo;
		is_connect = is_connect || (pseudo == PSEUDO_METHOD && is_equal(field->value, connect));
		is_informational = is_informational || (pseudo == PSEUDO_STATUS && field->value.ptr[0] == '1');
	}
	if (is_informational && headers->is_end_stream)
		return false;
	if (!headers->is_complete)
		return true;
	if (kind == HT_HTTP2_RESPONSE_OR_TRAILERS)
		return seen || headers->is_end_stream;
	if (kind == HT_HTTP2_REQUEST_TRAILERS || (kind == HT_HTTP2_REQUEST_OR_TRAILERS && !seen))
		return headers->is_end_stream;
	return is_request_whole(seen, is_connect);
}
