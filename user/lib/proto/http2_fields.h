/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * http2_fields.h - is a block of fields what RFC 9113 sections 8.2 and 8.3 allow? Private to the HTTP/2 reader. No state, no allocation.
 */
#ifndef HT_HTTP2_FIELDS_H
#define HT_HTTP2_FIELDS_H

#include "proto/http2.h"

enum ht_http2_block_kind {
	HT_HTTP2_REQUEST,
	HT_HTTP2_REQUEST_TRAILERS,
	HT_HTTP2_REQUEST_OR_TRAILERS,  /* the stream's begin was not seen */
	HT_HTTP2_RESPONSE_OR_TRAILERS, /* a server's: which of the two is for the caller to know */
	HT_HTTP2_PROMISE,              /* a request in PUSH_PROMISE */
};

/* False: malformed for certain. Of a block that is not complete only what is there is judged. */
bool ht_http2_fields_are_valid(enum ht_http2_block_kind kind, const struct ht_http2_headers *headers);

#endif
