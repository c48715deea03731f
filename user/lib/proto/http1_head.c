/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * http1_head.c - start line, fields and framing of a whole HTTP/1 head (RFC 9110, RFC 9112).
 *
 * In:  contiguous bytes owned by the caller. Out: offsets and spans into them.
 * Each function reads its input a fixed number of times: linear in its length. No message that two recipients could delimit in different
 * ways is accepted.
 */
#include "proto/http1_head.h"

#include <stdlib.h>
#include <string.h>

/* RFC 9110 section 5.6.2. */
static const bool token_chars[256] = {
	['!'] = true, ['#'] = true, ['$'] = true, ['%'] = true,         ['&'] = true,         ['\''] = true,
	['*'] = true, ['+'] = true, ['-'] = true, ['.'] = true,         ['^'] = true,         ['_'] = true,
	['`'] = true, ['|'] = true, ['~'] = true, ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
};

/* A first allocation that holds what browsers and curl send. */
#define FIRST_FIELD_CAP 32

/* What the fields of a head say of its framing, before version, status and method are weighed. */
struct framing_fields {
	enum ht_http1_error error; /* the first one met in Content-Length and Transfer-Encoding */
	bool has_content_length;
	bool has_transfer_encoding;
	bool has_chunked;
	bool is_chunked_last;
	bool has_upgrade;
	bool has_upgrade_option;
	size_t coding_cnt;
	uint64_t content_length;
};

bool ht_http1_is_token_char(unsigned char c)
{
	return token_chars[c];
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* word: in lower case. Not strncasecmp(): in a Turkish locale it takes no 'I' for an 'i'. */
static bool span_is(struct ht_span span, const char *word)
{
	size_t i;

	for (i = 0; i < span.len && word[i]; i++) {
		char c = span.ptr[i];

		if ((c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c) != word[i])
			return false;
	}
	return i == span.len && !word[i];
}

static struct ht_span trim(const char *ptr, const char *end)
{
	while (ptr < end && is_blank(*ptr))
		ptr++;
	while (end > ptr && is_blank(end[-1]))
		end--;
	return (struct ht_span){ ptr, (size_t)(end - ptr) };
}

/* A line's content must have neither: RFC 9112 section 2.2 (bare CR), RFC 9110 section 5.5 (NUL, CR). */
static bool has_nul_or_cr(const char *ptr, size_t len)
{
	return memchr(ptr, '\r', len) || memchr(ptr, '\0', len);
}

static bool is_http_1(const char *ptr, size_t len)
{
	return len >= 7 && !memcmp(ptr, "HTTP/1.", 7);
}

/* "HTTP/1.0" or "HTTP/1.1" and nothing else; -1 otherwise. Other minor versions were never defined. */
static int version_minor(const char *ptr, size_t len)
{
	if (len != 8 || !is_http_1(ptr, len) || (ptr[7] != '0' && ptr[7] != '1'))
		return -1;
	return ptr[7] - '0';
}

static enum ht_http1_error parse_request_line(const char *line, size_t len, struct ht_http1_start_line *out)
{
	const char *first = memchr(line, ' ', len);
	const char *last = line + len;
	size_t i;

	if (!first)
		return HT_HTTP1_NOT_HTTP;
	while (*--last != ' ')
		;
	/* Whoever ends a line with an HTTP/1 version means HTTP; all else (FTP, SMTP, HTTP/0.9, the HTTP/2 preface) does not. */
	if (!is_http_1(last + 1, (size_t)(line + len - last - 1)))
		return HT_HTTP1_NOT_HTTP;
	out->version_minor = version_minor(last + 1, (size_t)(line + len - last - 1));
	if (out->version_minor < 0 || first == last)
		return HT_HTTP1_BAD_START_LINE;
	out->method_len = (size_t)(first - line);
	if (out->method_len == 0)
		return HT_HTTP1_BAD_START_LINE;
	for (i = 0; i < out->method_len; i++) {
		if (!ht_http1_is_token_char((unsigned char)line[i]))
			return HT_HTTP1_BAD_START_LINE;
	}
	out->target_off = out->method_len + 1;
	out->target_len = (size_t)(last - line) - out->target_off;
	if (out->target_len == 0)
		return HT_HTTP1_BAD_START_LINE;
	/* Bytes from 0x80 are no URI characters (RFC 3986), yet clients send raw UTF-8, servers take it, and nothing depends on it here. */
	for (i = out->target_off; i < out->target_off + out->target_len; i++) {
		if ((unsigned char)line[i] <= ' ' || line[i] == 0x7f)
			return HT_HTTP1_BAD_START_LINE;
	}
	return HT_HTTP1_OK;
}

static enum ht_http1_error parse_status_line(const char *line, size_t len, struct ht_http1_start_line *out)
{
	if (!is_http_1(line, len))
		return HT_HTTP1_NOT_HTTP;
	/* The space before an empty reason is required (RFC 9112 section 4), but often left out. */
	if (len < 12 || line[8] != ' ' || (len > 12 && line[12] != ' '))
		return HT_HTTP1_BAD_START_LINE;
	out->version_minor = version_minor(line, 8);
	if (out->version_minor < 0 || line[9] == '0' || !is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11]))
		return HT_HTTP1_BAD_START_LINE;
	out->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
	out->reason_off = len > 12 ? 13 : 12;
	out->reason_len = len - out->reason_off;
	return has_nul_or_cr(line + out->reason_off, out->reason_len) ? HT_HTTP1_BAD_START_LINE : HT_HTTP1_OK;
}

enum ht_http1_error ht_http1_parse_start_line(enum ht_http1_side side, const char *line, size_t len, struct ht_http1_start_line *out)
{
	*out = (struct ht_http1_start_line){ 0 };
	return side == HT_HTTP1_REQUEST ? parse_request_line(line, len, out) : parse_status_line(line, len, out);
}

size_t ht_http1_unfold(char *block, size_t len)
{
	const char *in = block;
	const char *end = block + len;
	char *out = block;

	while (in < end) {
		const char *lf = memchr(in, '\n', (size_t)(end - in));
		size_t line_bytes = lf ? (size_t)(lf + 1 - in) : (size_t)(end - in);
		const char *line = out;

		memmove(out, in, line_bytes);
		out += line_bytes;
		in += line_bytes;
		if (in == end || !is_blank(*in))
			continue;
		out--;
		if (out > line && out[-1] == '\r')
			out--;
		while (out > line && is_blank(out[-1]))
			out--;
		while (in < end && is_blank(*in))
			in++;
		*out++ = ' ';
	}
	return (size_t)(out - block);
}

static bool add_field(struct ht_http1_field_list *list, const struct ht_http1_field *field)
{
	if (list->cnt == HT_HTTP1_MAX_FIELDS)
		return false;
	if (list->cnt == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : FIRST_FIELD_CAP;
		struct ht_http1_field *grown = realloc(list->entries, cap * sizeof(*grown));

		if (!grown)
			return false;
		list->entries = grown;
		list->cap = cap;
	}
	list->entries[list->cnt++] = *field;
	return true;
}

/* line: without its line end. */
static bool parse_field(const char *line, size_t len, struct ht_http1_field *field)
{
	size_t name_len = 0;

	/* A token cannot hold white space: a space before the colon (RFC 9112 section 5.1) or the name ends here. */
	while (name_len < len && token_chars[(unsigned char)line[name_len]])
		name_len++;
	if (name_len == 0 || name_len == len || line[name_len] != ':')
		return false;
	if (has_nul_or_cr(line + name_len, len - name_len))
		return false;
	field->name = (struct ht_span){ line, name_len };
	field->value = trim(line + name_len + 1, line + len);
	return true;
}

enum ht_http1_error ht_http1_parse_fields(const char *block, size_t len, struct ht_http1_field_list *list)
{
	const char *end = block + len;

	list->cnt = 0;
	while (block < end) {
		const char *lf = memchr(block, '\n', (size_t)(end - block));
		struct ht_http1_field field;
		size_t line_len;

		if (!lf)
			return HT_HTTP1_BAD_FIELD;
		line_len = (size_t)(lf - block);
		if (line_len && block[line_len - 1] == '\r')
			line_len--;
		if (line_len == 0)
			return HT_HTTP1_OK;
		if (!parse_field(block, line_len, &field))
			return HT_HTTP1_BAD_FIELD;
		if (!add_field(list, &field))
			return HT_HTTP1_TOO_MANY_FIELDS;
		block = lf + 1;
	}
	return HT_HTTP1_BAD_FIELD;
}

/* Is word a member of the comma-separated list of tokens? (RFC 9110 section 5.6.1: empty members are nothing.) */
static bool list_has(struct ht_span list, const char *word)
{
	const char *ptr = list.ptr;
	const char *end = list.ptr + list.len;

	while (ptr < end) {
		const char *comma = memchr(ptr, ',', (size_t)(end - ptr));
		const char *stop = comma ? comma : end;

		if (span_is(trim(ptr, stop), word))
			return true;
		ptr = comma ? comma + 1 : end;
	}
	return false;
}

/*
 * RFC 9110 section 8.6: digits, or a list of members that all say the same, in one field or several. Stricter than the list rule: an empty
 * member is an error. More than INT64_MAX is one too: no sum of such lengths could be kept.
 */
static bool parse_content_length(struct ht_span list, struct framing_fields *out)
{
	const char *ptr = list.ptr;
	const char *end = list.ptr + list.len;

	for (;;) {
		const char *comma = memchr(ptr, ',', (size_t)(end - ptr));
		struct ht_span member = trim(ptr, comma ? comma : end);
		uint64_t value = 0;
		size_t i;

		if (member.len == 0)
			return false;
		for (i = 0; i < member.len; i++) {
			if (!is_digit(member.ptr[i]) || value > INT64_MAX / 10)
				return false;
			value = value * 10 + (uint64_t)(member.ptr[i] - '0');
		}
		if (value > INT64_MAX || (out->has_content_length && value != out->content_length))
			return false;
		out->content_length = value;
		out->has_content_length = true;
		if (!comma)
			return true;
		ptr = comma + 1;
	}
}

static const char *skip_blanks(const char *ptr, const char *end)
{
	while (ptr < end && is_blank(*ptr))
		ptr++;
	return ptr;
}

static const char *skip_token(const char *ptr, const char *end)
{
	while (ptr < end && ht_http1_is_token_char((unsigned char)*ptr))
		ptr++;
	return ptr;
}

/* ptr at the opening quote (RFC 9110 section 5.6.4). NULL when it is not closed. */
static const char *skip_quoted(const char *ptr, const char *end)
{
	for (ptr++; ptr < end; ptr++) {
		if (*ptr == '"')
			return ptr + 1;
		if (*ptr == '\\' && ++ptr == end)
			break;
	}
	return NULL;
}

/* ptr behind ';': BWS name BWS "=" BWS (token / quoted-string). NULL on anything else. */
static const char *skip_parameter(const char *ptr, const char *end)
{
	const char *start = skip_blanks(ptr, end);

	ptr = skip_token(start, end);
	if (ptr == start)
		return NULL;
	ptr = skip_blanks(ptr, end);
	if (ptr == end || *ptr != '=')
		return NULL;
	start = skip_blanks(ptr + 1, end);
	if (start < end && *start == '"')
		return skip_quoted(start, end);
	ptr = skip_token(start, end);
	return ptr == start ? NULL : ptr;
}

/* RFC 9112 sections 6.1 and 7; several fields are one list. chunked has no parameters and comes once. */
static bool parse_transfer_encoding(struct ht_span list, struct framing_fields *out)
{
	const char *ptr = list.ptr;
	const char *end = list.ptr + list.len;

	for (;;) {
		struct ht_span coding;
		bool is_chunked;

		while (ptr < end && (is_blank(*ptr) || *ptr == ','))
			ptr++;
		if (ptr == end)
			return true;
		coding.ptr = ptr;
		ptr = skip_token(ptr, end);
		coding.len = (size_t)(ptr - coding.ptr);
		is_chunked = span_is(coding, "chunked");
		if (coding.len == 0 || (is_chunked && out->has_chunked))
			return false;
		out->coding_cnt++;
		out->is_chunked_last = is_chunked;
		out->has_chunked |= is_chunked;
		ptr = skip_blanks(ptr, end);
		while (ptr < end && *ptr == ';') {
			ptr = is_chunked ? NULL : skip_parameter(ptr + 1, end);
			if (!ptr)
				return false;
			ptr = skip_blanks(ptr, end);
		}
		if (ptr < end && *ptr != ',')
			return false;
	}
}

static void scan_fields(struct ht_http1_head *head, struct framing_fields *out)
{
	size_t i;

	for (i = 0; i < head->field_cnt; i++) {
		struct ht_span name = head->fields[i].name;
		struct ht_span value = head->fields[i].value;
		enum ht_http1_error error = HT_HTTP1_OK;

		/* Length first: most fields are none of these. */
		if (name.len == 6 && span_is(name, "expect")) {
			head->is_expect_continue |= head->side == HT_HTTP1_REQUEST && list_has(value, "100-continue");
		} else if (name.len == 7 && span_is(name, "upgrade")) {
			out->has_upgrade |= value.len != 0;
		} else if (name.len == 10 && span_is(name, "connection")) {
			head->is_close |= list_has(value, "close");
			head->is_keep_alive |= list_has(value, "keep-alive");
			out->has_upgrade_option |= list_has(value, "upgrade");
		} else if (name.len == 14 && span_is(name, "content-length")) {
			if (!parse_content_length(value, out))
				error = HT_HTTP1_BAD_CONTENT_LENGTH;
		} else if (name.len == 17 && span_is(name, "transfer-encoding")) {
			out->has_transfer_encoding = true;
			if (!parse_transfer_encoding(value, out))
				error = HT_HTTP1_BAD_TRANSFER_ENCODING;
		}
		if (out->error == HT_HTTP1_OK)
			out->error = error;
	}
	head->is_upgrade = out->has_upgrade && out->has_upgrade_option;
	if (out->error != HT_HTTP1_OK || !out->has_transfer_encoding)
		return;
	/* RFC 9112 section 6.1: in HTTP/1.0 the framing is faulty, whatever the field says. A list without a member says nothing. */
	if (head->version_minor == 0 || out->coding_cnt == 0)
		out->error = HT_HTTP1_BAD_TRANSFER_ENCODING;
}

/* By status and request alone (RFC 9112 section 6.3, items 1 and 2). */
static bool is_response_without_body(const struct ht_http1_head *head, bool is_head)
{
	return is_head || head->status / 100 == 1 || head->status == 204 || head->status == 304;
}

enum ht_http1_error ht_http1_parse_framing(struct ht_http1_head *head, struct ht_span request_method)
{
	/* Methods are case-sensitive (RFC 9110 section 9.1). */
	bool is_head = request_method.len == 4 && !memcmp(request_method.ptr, "HEAD", 4);
	bool is_connect = request_method.len == 7 && !memcmp(request_method.ptr, "CONNECT", 7);
	bool is_response = head->side == HT_HTTP1_RESPONSE;
	struct framing_fields found = { 0 };

	scan_fields(head, &found);
	/* Item 2: a client MUST ignore both fields here. */
	if (is_response && is_connect && head->status / 100 == 2) {
		head->framing = HT_HTTP1_TUNNEL;
		return HT_HTTP1_OK;
	}
	/* A broken field shows a broken sender, even where it does not decide. */
	if (found.error != HT_HTTP1_OK)
		return found.error;
	if (is_response && is_response_without_body(head, is_head)) {
		head->framing = head->status == 101 ? HT_HTTP1_TUNNEL : HT_HTTP1_NO_BODY;
		if (found.has_content_length && (head->status == 304 || (is_head && head->status >= 200 && head->status != 204))) {
			head->has_content_length = true;
			head->content_length = found.content_length;
		}
		return HT_HTTP1_OK;
	}
	if (found.has_transfer_encoding) {
		if (found.has_content_length)
			return HT_HTTP1_LENGTH_AND_CHUNKED;
		if (!found.is_chunked_last && !is_response)
			return HT_HTTP1_BAD_TRANSFER_ENCODING;
		head->framing = found.is_chunked_last ? HT_HTTP1_CHUNKED : HT_HTTP1_UNTIL_CLOSE;
		return HT_HTTP1_OK;
	}
	if (found.has_content_length) {
		head->framing = HT_HTTP1_LENGTH;
		head->has_content_length = true;
		head->content_length = found.content_length;
		return HT_HTTP1_OK;
	}
	head->framing = is_response ? HT_HTTP1_UNTIL_CLOSE : HT_HTTP1_NO_BODY;
	return HT_HTTP1_OK;
}
