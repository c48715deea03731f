/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * http1.h - incremental HTTP/1.0 and HTTP/1.1 message parser (RFC 9110, RFC 9112).
 *
 * In:  the bytes of one direction of one connection, in stream order, in pieces of any size; lengths of bytes that were not captured; the end of the stream.
 * Out: calls of struct ht_http1_events, in stream order, from inside ht_http1_feed(), ht_http1_skip() and ht_http1_eof().
 * No I/O, no clock. Memory: the head being read only, at most max_head_bytes; everything handed to a callback is valid during that call only.
 *
 * A parser that met an error (or a tunnel) takes further bytes silently and reports nothing until ht_http1_reset().
 */
#ifndef HT_HTTP1_H
#define HT_HTTP1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/span.h"

/* Largest head that is kept whole; a longer one is an error (HT_HTTP1_HEAD_TOO_LARGE). Apache allows 100 fields of 8190 bytes, nginx 4 x 8 KiB. */
#define HT_HTTP1_MAX_HEAD_BYTES 65536
#define HT_HTTP1_MAX_FIELDS     512

enum ht_http1_side { HT_HTTP1_REQUEST, HT_HTTP1_RESPONSE };

/* How the body that follows a head is delimited (RFC 9112 section 6.3). */
enum ht_http1_framing {
	HT_HTTP1_NO_BODY,     /* nothing follows: request without either field; response to HEAD, 1xx, 204, 304 */
	HT_HTTP1_LENGTH,      /* content_length bytes */
	HT_HTTP1_CHUNKED,     /* chunks, then trailers */
	HT_HTTP1_UNTIL_CLOSE, /* response only */
	HT_HTTP1_TUNNEL,      /* 101, or 2xx to CONNECT: what follows is not HTTP/1 */
};

enum ht_http1_error {
	HT_HTTP1_OK = 0,
	HT_HTTP1_NOT_HTTP, /* the first bytes are no request line or status line */
	HT_HTTP1_BAD_START_LINE,
	HT_HTTP1_BAD_FIELD,             /* no colon, space before the colon, NUL or bare CR inside, empty or non-token name */
	HT_HTTP1_BAD_CONTENT_LENGTH,    /* not digits, overflow, several different values */
	HT_HTTP1_BAD_TRANSFER_ENCODING, /* chunked not last in a request, chunked twice, unknown version 1.0 use */
	HT_HTTP1_LENGTH_AND_CHUNKED,    /* both fields: smuggling (RFC 9112 section 6.3, item 3) */
	HT_HTTP1_BAD_CHUNK,             /* chunk size or its line end */
	HT_HTTP1_HEAD_TOO_LARGE,
	HT_HTTP1_TOO_MANY_FIELDS,
	HT_HTTP1_GAP,            /* bytes missing where framing needs them (head, chunk line, trailers) */
	HT_HTTP1_UNEXPECTED_EOF, /* stream ended inside a head or body */
};

struct ht_http1_field {
	struct ht_span name;  /* as on the wire */
	struct ht_span value; /* without surrounding white space; folds replaced by one space each */
};

/* A whole head. Valid during the callback. */
struct ht_http1_head {
	enum ht_http1_side side;
	struct ht_span method; /* request, else empty */
	struct ht_span target; /* request-target as on the wire, else empty */
	int status;            /* response: 100..999, else 0 */
	struct ht_span reason; /* response, may be empty */
	int version_minor;     /* 0 or 1 */
	const struct ht_http1_field *fields;
	size_t field_cnt;
	size_t head_bytes; /* start line, fields and blank line as on the wire */
	enum ht_http1_framing framing;
	uint64_t content_length; /* framing LENGTH; or of a response to HEAD or 304 that has the field; else 0 */
	bool has_content_length;
	bool is_close;           /* Connection: close */
	bool is_keep_alive;      /* Connection: keep-alive */
	bool is_upgrade;         /* Connection: upgrade together with an Upgrade field */
	bool is_expect_continue; /* request: Expect: 100-continue */
};

/*
 * Every pointer may be NULL. ctx is the one given to ht_http1_init().
 * Order for each message: begin, head, body*, end; or error at any place, after which nothing.
 * A 1xx response (not 101) is a message of its own: begin, head, end.
 */
struct ht_http1_events {
	/* The first byte of a message was fed. Empty lines before a request line (RFC 9112 section 2.2) are no message. */
	void (*begin)(void *ctx);
	void (*head)(void *ctx, const struct ht_http1_head *head);
	/* n bytes of content (without chunk framing); once per piece, never 0. */
	void (*body)(void *ctx, uint64_t n);
	/* The message is complete. trailers may be NULL. */
	void (*end)(void *ctx, const struct ht_http1_field *trailers, size_t trailer_cnt);
	/* Nothing more can be told of this direction. */
	void (*error)(void *ctx, enum ht_http1_error error);
	/*
	 * Response parsers only, asked once for each final or 1xx head, before head(): the method of the request that this response answers.
	 * An empty span when not known (then the fields decide).
	 */
	struct ht_span (*request_method)(void *ctx);
};

struct ht_http1; /* opaque: a direction of a connection */

/* max_head_bytes 0 = HT_HTTP1_MAX_HEAD_BYTES. events is kept, not copied: it must outlive the parser. NULL and errno ENOMEM. */
struct ht_http1 *ht_http1_new(enum ht_http1_side side, size_t max_head_bytes, const struct ht_http1_events *events, void *ctx);
void ht_http1_free(struct ht_http1 *parser);

/*
 * Takes len bytes. Returns how many it consumed: len, or less where a message's head said TUNNEL (the rest is not HTTP/1), or where an error was
 * met (the rest was not looked at). A callback must not free the parser.
 */
size_t ht_http1_feed(struct ht_http1 *parser, const void *data, size_t len);

/* n bytes were transferred but are not known. Inside a body of known extent they count as content; elsewhere error(HT_HTTP1_GAP). Returns bytes consumed, as feed. */
uint64_t ht_http1_skip(struct ht_http1 *parser, uint64_t n);

/* The stream has ended: ends a close-delimited body; error(HT_HTTP1_UNEXPECTED_EOF) inside a message; nothing between two. */
void ht_http1_eof(struct ht_http1 *parser);

/* Forget everything: the next byte starts a message. For resynchronisation after a gap. */
void ht_http1_reset(struct ht_http1 *parser);

/* True between messages: no byte of a next message seen, no error, no tunnel. */
bool ht_http1_is_idle(const struct ht_http1 *parser);
/* True inside a body whose end is known only by the stream's end. */
bool ht_http1_is_until_close(const struct ht_http1 *parser);
/* The state's error, or HT_HTTP1_OK. */
enum ht_http1_error ht_http1_error_of(const struct ht_http1 *parser);
/* "bad_chunk" and the like: lower case, stable. Never NULL. */
const char *ht_http1_error_name(enum ht_http1_error error);

/*
 * Do these first bytes of a stream look like HTTP/1? 1 yes, 0 no, -1 more bytes needed. For a request: a method token, one space, a target, " HTTP/1."
 * as far as bytes reach; for a response: "HTTP/1.".
 */
int ht_http1_probe(enum ht_http1_side side, const void *data, size_t len);

#endif
