/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * http1.c - the state machine of one direction: finds the ends of heads, bodies, chunks and trailers. http1_head.c reads what is in a head.
 *
 * In:  pieces of a stream, lengths of missing bytes, its end. Out: the calls of struct ht_http1_events.
 * Memory: a head or trailer section that lies whole in one piece and has no folds is read where it is; otherwise it is gathered in buf. That and the
 * list of fields go with their message: connections are many, and most of them idle. Bounds: max_head_bytes for buf, HT_HTTP1_MAX_FIELDS for fields, MAX_CHUNK_LINE_BYTES for a chunk's line
 * (not kept).
 * Each byte is looked at a fixed number of times, however the stream is cut.
 */
#include "proto/http1.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/http1_head.h"

/* A chunk's size and extensions; as Go's net/http/internal/chunked.go, maxLineLength. */
#define MAX_CHUNK_LINE_BYTES 4096

#define FIRST_BUF_BYTES 1024

enum state {
	ST_IDLE,
	ST_IDLE_CR, /* requests: the CR of an empty line */
	ST_PREFIX,  /* head: until the method's space, or "HTTP/1." */
	ST_START_LINE,
	ST_FIELDS,
	ST_LENGTH,
	ST_UNTIL_CLOSE,
	ST_CHUNK_SIZE,
	ST_CHUNK_SIZE_BLANK,
	ST_CHUNK_EXTENSION,
	ST_CHUNK_LINE_LF, /* CR seen */
	ST_CHUNK_DATA,
	ST_CHUNK_DATA_CR, /* all data seen; a bare LF will do */
	ST_CHUNK_DATA_LF,
	ST_TRAILERS,
	ST_TUNNEL,
	ST_ERROR,
};

/* Where in a line of a head or trailer section the next byte is. */
enum line_pos { LINE_START, LINE_CR, LINE_INSIDE };

struct ht_http1 {
	const struct ht_http1_events *events;
	void *ctx;
	enum ht_http1_side side;
	enum state state;
	enum ht_http1_error error;
	size_t max_head_bytes;

	/* The section being read: its bytes from former pieces. */
	char *buf;
	size_t buf_bytes;
	size_t buf_cap;
	enum line_pos line_pos;
	bool has_fold;
	size_t prefix_bytes;
	size_t start_line_bytes; /* with its line end */
	struct ht_http1_start_line start_line;
	struct ht_http1_field_list fields;

	/* The body being read. */
	uint64_t left_bytes; /* of ST_LENGTH and ST_CHUNK_DATA; ST_CHUNK_SIZE: the size so far */
	size_t chunk_line_bytes;
	uint64_t unreported_body_bytes;
};

static void flush_body(struct ht_http1 *p)
{
	uint64_t n = p->unreported_body_bytes;

	p->unreported_body_bytes = 0;
	if (n && p->events->body)
		p->events->body(p->ctx, n);
}

static void release(struct ht_http1 *p)
{
	p->buf_bytes = 0;
	p->buf_cap = 0;
	free(p->buf);
	p->buf = NULL;
	free(p->fields.entries);
	p->fields = (struct ht_http1_field_list){ 0 };
}

/* States that take all bytes and tell nothing. */
static bool is_deaf(const struct ht_http1 *p)
{
	return p->state == ST_ERROR || p->state == ST_TUNNEL;
}

static void fail(struct ht_http1 *p, enum ht_http1_error error)
{
	flush_body(p);
	release(p);
	p->state = ST_ERROR;
	p->error = error;
	if (p->events->error)
		p->events->error(p->ctx, error);
}

static void begin_message(struct ht_http1 *p)
{
	p->state = ST_PREFIX;
	p->prefix_bytes = 0;
	p->buf_bytes = 0;
	p->has_fold = false;
	if (p->events->begin)
		p->events->begin(p->ctx);
}

static void end_message(struct ht_http1 *p, bool is_tunnel, const struct ht_http1_field *trailers, size_t trailer_cnt)
{
	flush_body(p);
	p->state = is_tunnel ? ST_TUNNEL : ST_IDLE;
	if (p->events->end)
		p->events->end(p->ctx, trailer_cnt ? trailers : NULL, trailer_cnt);
	release(p);
}

static void begin_trailers(struct ht_http1 *p)
{
	p->state = ST_TRAILERS;
	p->line_pos = LINE_START;
	p->has_fold = false;
}

static void begin_chunk_line(struct ht_http1 *p)
{
	p->state = ST_CHUNK_SIZE;
	p->left_bytes = 0;
	p->chunk_line_bytes = 0;
}

/* The caller has seen to max_head_bytes. */
static bool append(struct ht_http1 *p, const char *data, size_t len)
{
	size_t need = p->buf_bytes + len;

	if (len == 0)
		return true;
	if (need > p->buf_cap) {
		size_t cap = p->buf_cap ? p->buf_cap : FIRST_BUF_BYTES;
		char *grown;

		while (cap < need)
			cap *= 2;
		grown = realloc(p->buf, cap);
		if (!grown)
			return false;
		p->buf = grown;
		p->buf_cap = cap;
	}
	memcpy(p->buf + p->buf_bytes, data, len);
	p->buf_bytes = need;
	return true;
}

static void begin_body(struct ht_http1 *p, const struct ht_http1_head *head)
{
	switch (head->framing) {
	case HT_HTTP1_LENGTH:
		p->left_bytes = head->content_length;
		p->state = ST_LENGTH;
		if (p->left_bytes == 0)
			end_message(p, false, NULL, 0);
		break;
	case HT_HTTP1_CHUNKED:
		begin_chunk_line(p);
		break;
	case HT_HTTP1_UNTIL_CLOSE:
		p->state = ST_UNTIL_CLOSE;
		break;
	case HT_HTTP1_NO_BODY:
	case HT_HTTP1_TUNNEL:
		end_message(p, head->framing == HT_HTTP1_TUNNEL, NULL, 0);
		break;
	}
}

/* bytes: the whole head, unfolded; wire_bytes: what it was long. */
static void finish_head(struct ht_http1 *p, const char *bytes, size_t len, size_t wire_bytes)
{
	const struct ht_http1_start_line *line = &p->start_line;
	struct ht_span request_method = { 0 };
	struct ht_http1_head head = {
		.side = p->side,
		.status = line->status,
		.version_minor = line->version_minor,
		.head_bytes = wire_bytes,
	};
	enum ht_http1_error error;

	error = ht_http1_parse_fields(bytes + p->start_line_bytes, len - p->start_line_bytes, &p->fields);
	if (error != HT_HTTP1_OK) {
		fail(p, error);
		return;
	}
	head.fields = p->fields.entries;
	head.field_cnt = p->fields.cnt;
	if (p->side == HT_HTTP1_REQUEST) {
		head.method = (struct ht_span){ bytes, line->method_len };
		head.target = (struct ht_span){ bytes + line->target_off, line->target_len };
	} else {
		head.reason = (struct ht_span){ bytes + line->reason_off, line->reason_len };
		if (p->events->request_method)
			request_method = p->events->request_method(p->ctx);
	}
	error = ht_http1_parse_framing(&head, request_method);
	if (error != HT_HTTP1_OK) {
		fail(p, error);
		return;
	}
	if (p->events->head)
		p->events->head(p->ctx, &head);
	p->buf_bytes = 0;
	begin_body(p, &head);
}

static void finish_trailers(struct ht_http1 *p, const char *bytes, size_t len)
{
	enum ht_http1_error error = ht_http1_parse_fields(bytes, len, &p->fields);

	if (error != HT_HTTP1_OK)
		fail(p, error);
	else
		end_message(p, false, p->fields.entries, p->fields.cnt);
}

/* All of a section but its last len bytes is in buf; those are at data. */
static void finish_section(struct ht_http1 *p, const char *data, size_t len)
{
	size_t keep_bytes = p->state == ST_FIELDS ? p->start_line_bytes : 0;
	size_t wire_bytes = p->buf_bytes + len;
	const char *bytes = data;

	if (p->buf_bytes || p->has_fold) {
		if (!append(p, data, len)) {
			fail(p, HT_HTTP1_HEAD_TOO_LARGE);
			return;
		}
		bytes = p->buf;
		len = p->buf_bytes;
	}
	if (p->has_fold)
		len = keep_bytes + ht_http1_unfold(p->buf + keep_bytes, len - keep_bytes);
	if (p->state == ST_FIELDS)
		finish_head(p, bytes, len, wire_bytes);
	else
		finish_trailers(p, bytes, len);
}

/*
 * Is that what a message begins with? Byte by byte, to give up on another protocol at once. Returns bytes taken; fails at the first that
 * does not fit.
 */
static size_t scan_prefix(struct ht_http1 *p, const char *data, size_t len)
{
	static const char version[] = "HTTP/1.";
	size_t i;

	for (i = 0; i < len; i++) {
		bool fits;

		if (p->side == HT_HTTP1_RESPONSE) {
			fits = data[i] == version[p->prefix_bytes];
		} else if (data[i] == ' ' && p->prefix_bytes) {
			p->state = ST_START_LINE;
			return i + 1;
		} else {
			fits = p->prefix_bytes < HT_HTTP1_MAX_METHOD_BYTES && ht_http1_is_token_char((unsigned char)data[i]);
		}
		if (!fits) {
			fail(p, HT_HTTP1_NOT_HTTP);
			return i + 1;
		}
		p->prefix_bytes++;
		if (p->side == HT_HTTP1_RESPONSE && p->prefix_bytes == sizeof(version) - 1) {
			p->state = ST_START_LINE;
			return i + 1;
		}
	}
	return len;
}

/* line: from the head's first byte, with its line end. */
static void finish_start_line(struct ht_http1 *p, const char *line, size_t len)
{
	enum ht_http1_error error;

	p->start_line_bytes = len--;
	if (line[len - 1] == '\r')
		len--;
	error = ht_http1_parse_start_line(p->side, line, len, &p->start_line);
	if (error != HT_HTTP1_OK) {
		fail(p, error);
		return;
	}
	p->state = ST_FIELDS;
	p->line_pos = LINE_START;
}

/* Looks for the empty line that ends a section. Returns the bytes up to and with it, or 0 when it is not in data. */
static size_t scan_lines(struct ht_http1 *p, const char *data, size_t len)
{
	const char *ptr = data;
	const char *end = data + len;

	while (ptr < end) {
		if (p->line_pos != LINE_INSIDE && *ptr == '\n')
			return (size_t)(ptr + 1 - data);
		if (p->line_pos == LINE_START && *ptr == '\r') {
			p->line_pos = LINE_CR;
			ptr++;
			continue;
		}
		p->has_fold |= p->line_pos == LINE_START && (*ptr == ' ' || *ptr == '\t');
		ptr = memchr(ptr, '\n', (size_t)(end - ptr));
		if (!ptr) {
			p->line_pos = LINE_INSIDE;
			return 0;
		}
		p->line_pos = LINE_START;
		ptr++;
	}
	return 0;
}

/* A head or a trailer section: ST_PREFIX, ST_START_LINE, ST_FIELDS, ST_TRAILERS. len > 0. Returns bytes consumed. */
static size_t feed_section(struct ht_http1 *p, const char *data, size_t len)
{
	size_t room = p->max_head_bytes - p->buf_bytes;
	size_t n = len < room ? len : room;
	size_t done = 0; /* scanned, of n */
	size_t kept = 0; /* of done: already in buf */

	if (p->state == ST_PREFIX) {
		done = scan_prefix(p, data, n);
		if (p->state == ST_ERROR)
			return done;
	}
	if (p->state == ST_START_LINE && done < n) {
		const char *lf = memchr(data + done, '\n', n - done);
		const char *line = data;

		done = lf ? (size_t)(lf + 1 - data) : n;
		if (lf && p->buf_bytes) {
			if (!append(p, data, done)) {
				fail(p, HT_HTTP1_HEAD_TOO_LARGE);
				return done;
			}
			kept = done;
			line = p->buf;
		}
		if (lf)
			finish_start_line(p, line, p->buf_bytes + done - kept);
		if (p->state == ST_ERROR)
			return done;
	}
	if (p->state == ST_FIELDS || p->state == ST_TRAILERS) {
		size_t section_end = scan_lines(p, data + done, n - done);

		if (section_end) {
			done += section_end;
			finish_section(p, data + kept, done - kept);
			return done;
		}
	}
	if (n < len || !append(p, data + kept, n - kept))
		fail(p, HT_HTTP1_HEAD_TOO_LARGE);
	return n;
}

/* Content, seen or missing. Returns how many of n bytes belong to it. */
static uint64_t take_content(struct ht_http1 *p, uint64_t n)
{
	if (p->state != ST_UNTIL_CLOSE) {
		if (n > p->left_bytes)
			n = p->left_bytes;
		p->left_bytes -= n;
	}
	p->unreported_body_bytes += n;
	if (p->state == ST_LENGTH && p->left_bytes == 0)
		end_message(p, false, NULL, 0);
	else if (p->state == ST_CHUNK_DATA && p->left_bytes == 0)
		p->state = ST_CHUNK_DATA_CR;
	return n;
}

static bool is_in_content(const struct ht_http1 *p)
{
	return p->state == ST_LENGTH || p->state == ST_CHUNK_DATA || p->state == ST_UNTIL_CLOSE;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void finish_chunk_line(struct ht_http1 *p)
{
	if (p->left_bytes)
		p->state = ST_CHUNK_DATA;
	else
		begin_trailers(p);
}

/* What may follow a chunk's size and the blanks behind it (RFC 9112 section 7.1; blanks without an extension: old Apache pads so). */
static bool leave_chunk_size(struct ht_http1 *p, char c)
{
	switch (c) {
	case ' ':
	case '\t':
		p->state = ST_CHUNK_SIZE_BLANK;
		return true;
	case ';':
		p->state = ST_CHUNK_EXTENSION;
		return true;
	case '\r':
		p->state = ST_CHUNK_LINE_LF;
		return true;
	case '\n':
		finish_chunk_line(p);
		return true;
	default:
		return false;
	}
}

static bool take_chunk_size(struct ht_http1 *p, char c)
{
	int digit = hex_value(c);

	if (digit < 0)
		return p->chunk_line_bytes > 1 && leave_chunk_size(p, c);
	if (p->left_bytes > INT64_MAX >> 4)
		return false;
	p->left_bytes = p->left_bytes << 4 | (uint64_t)digit;
	return true;
}

/* One byte of a chunk's line, or of the line end behind its data. */
static bool take_chunk_framing(struct ht_http1 *p, char c)
{
	switch (p->state) {
	case ST_CHUNK_DATA_CR:
		if (c == '\r') {
			p->state = ST_CHUNK_DATA_LF;
			return true;
		}
		/* fall through */
	case ST_CHUNK_DATA_LF:
		begin_chunk_line(p);
		return c == '\n';
	case ST_CHUNK_LINE_LF:
		finish_chunk_line(p);
		return c == '\n';
	case ST_CHUNK_EXTENSION:
		if (c == '\n')
			finish_chunk_line(p);
		else if (c == '\r')
			p->state = ST_CHUNK_LINE_LF;
		return c != '\0' && ++p->chunk_line_bytes <= MAX_CHUNK_LINE_BYTES;
	case ST_CHUNK_SIZE_BLANK:
		return ++p->chunk_line_bytes <= MAX_CHUNK_LINE_BYTES && leave_chunk_size(p, c);
	case ST_CHUNK_SIZE:
		return ++p->chunk_line_bytes <= MAX_CHUNK_LINE_BYTES && take_chunk_size(p, c);
	default:
		return false;
	}
}

static bool is_in_chunk_framing(const struct ht_http1 *p)
{
	return p->state >= ST_CHUNK_SIZE && p->state <= ST_CHUNK_DATA_LF && p->state != ST_CHUNK_DATA;
}

static size_t feed_chunk_framing(struct ht_http1 *p, const char *data, size_t len)
{
	size_t i = 0;

	while (i < len && is_in_chunk_framing(p)) {
		if (!take_chunk_framing(p, data[i++]))
			fail(p, HT_HTTP1_BAD_CHUNK);
	}
	return i;
}

/* Between messages. Servers skip empty lines before a request line (RFC 9112 section 2.2); nobody skips them before a status line. */
static size_t feed_idle(struct ht_http1 *p, const char *data)
{
	if (p->side == HT_HTTP1_REQUEST && *data == '\n') {
		p->state = ST_IDLE;
		return 1;
	}
	if (p->state == ST_IDLE_CR) {
		begin_message(p);
		fail(p, HT_HTTP1_NOT_HTTP);
		return 1;
	}
	if (p->side == HT_HTTP1_REQUEST && *data == '\r') {
		p->state = ST_IDLE_CR;
		return 1;
	}
	begin_message(p);
	return 0;
}

static size_t feed_once(struct ht_http1 *p, const char *data, size_t len)
{
	if (is_in_content(p))
		return (size_t)take_content(p, len);
	if (is_in_chunk_framing(p))
		return feed_chunk_framing(p, data, len);
	if (p->state == ST_IDLE || p->state == ST_IDLE_CR)
		return feed_idle(p, data);
	return feed_section(p, data, len);
}

size_t ht_http1_feed(struct ht_http1 *p, const void *data, size_t len)
{
	const char *bytes = data;
	size_t off = 0;

	if (is_deaf(p))
		return len;
	while (off < len && !is_deaf(p))
		off += feed_once(p, bytes + off, len - off);
	flush_body(p);
	return off;
}

uint64_t ht_http1_skip(struct ht_http1 *p, uint64_t n)
{
	uint64_t off = 0;

	if (is_deaf(p))
		return n;
	if (n && is_in_content(p))
		off = take_content(p, n);
	flush_body(p);
	if (off < n)
		fail(p, HT_HTTP1_GAP);
	return off;
}

void ht_http1_eof(struct ht_http1 *p)
{
	if (p->state == ST_UNTIL_CLOSE)
		end_message(p, false, NULL, 0);
	else if (!is_deaf(p) && !ht_http1_is_idle(p))
		fail(p, HT_HTTP1_UNEXPECTED_EOF);
}

void ht_http1_reset(struct ht_http1 *p)
{
	p->state = ST_IDLE;
	p->error = HT_HTTP1_OK;
	p->unreported_body_bytes = 0;
	release(p);
}

bool ht_http1_is_idle(const struct ht_http1 *p)
{
	return p->state == ST_IDLE || p->state == ST_IDLE_CR;
}

bool ht_http1_is_until_close(const struct ht_http1 *p)
{
	return p->state == ST_UNTIL_CLOSE;
}

enum ht_http1_error ht_http1_error_of(const struct ht_http1 *p)
{
	return p->error;
}

const char *ht_http1_error_name(enum ht_http1_error error)
{
	static const char *const names[] = {
		[HT_HTTP1_OK] = "ok",
		[HT_HTTP1_NOT_HTTP] = "not_http",
		[HT_HTTP1_BAD_START_LINE] = "bad_start_line",
		[HT_HTTP1_BAD_FIELD] = "bad_field",
		[HT_HTTP1_BAD_CONTENT_LENGTH] = "bad_content_length",
		[HT_HTTP1_BAD_TRANSFER_ENCODING] = "bad_transfer_encoding",
		[HT_HTTP1_LENGTH_AND_CHUNKED] = "length_and_chunked",
		[HT_HTTP1_BAD_CHUNK] = "bad_chunk",
		[HT_HTTP1_HEAD_TOO_LARGE] = "head_too_large",
		[HT_HTTP1_TOO_MANY_FIELDS] = "too_many_fields",
		[HT_HTTP1_GAP] = "gap",
		[HT_HTTP1_UNEXPECTED_EOF] = "unexpected_eof",
	};

	return (size_t)error < sizeof(names) / sizeof(names[0]) ? names[error] : "unknown";
}

/* Does the stream agree with word as far as it reaches? As ht_http1_probe(). */
static int probe_word(const char *ptr, size_t len, const char *word)
{
	size_t word_len = strlen(word);

	if (memcmp(ptr, word, len < word_len ? len : word_len) != 0)
		return 0;
	return len < word_len ? -1 : 1;
}

static int probe_request(const char *ptr, const char *end)
{
	const char *start;

	while (ptr < end && (*ptr == '\n' || (*ptr == '\r' && (ptr + 1 == end || ptr[1] == '\n'))))
		ptr++;
	start = ptr;
	while (ptr < end && ptr - start <= HT_HTTP1_MAX_METHOD_BYTES && ht_http1_is_token_char((unsigned char)*ptr))
		ptr++;
	if (ptr - start > HT_HTTP1_MAX_METHOD_BYTES)
		return 0;
	if (ptr == end)
		return -1;
	if (ptr == start || *ptr++ != ' ')
		return 0;
	start = ptr;
	while (ptr < end && (unsigned char)*ptr > ' ' && *ptr != 0x7f)
		ptr++;
	if (ptr == end)
		return -1;
	return ptr == start ? 0 : probe_word(ptr, (size_t)(end - ptr), " HTTP/1.");
}

int ht_http1_probe(enum ht_http1_side side, const void *data, size_t len)
{
	const char *ptr = data;

	if (len == 0)
		return -1;
	return side == HT_HTTP1_RESPONSE ? probe_word(ptr, len, "HTTP/1.") : probe_request(ptr, ptr + len);
}

struct ht_http1 *ht_http1_new(enum ht_http1_side side, size_t max_head_bytes, const struct ht_http1_events *events, void *ctx)
{
	struct ht_http1 *p = calloc(1, sizeof(*p));

	if (!p) {
		errno = ENOMEM;
		return NULL;
	}
	p->side = side;
	p->max_head_bytes = max_head_bytes ? max_head_bytes : HT_HTTP1_MAX_HEAD_BYTES;
	p->events = events;
	p->ctx = ctx;
	return p;
}

void ht_http1_free(struct ht_http1 *p)
{
	if (!p)
		return;
	free(p->buf);
	free(p->fields.entries);
	free(p);
}
