/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * hpack.h - the header table of one direction of an HTTP/2 connection (RFC 7541), by libnghttp2's inflater.
 *
 * In:  whole header blocks, in the order in which they were sent; the fact that one was missed.
 * Out: fields. One whose table entry was added before the table was known is unknown, never another's value (hpack.c says why that holds).
 * Memory: the table: HT_HPACK_MAX_TABLE_BYTES at most as RFC 7541 section 4.1 counts (its 32 bytes an entry are 140 here), none before
 * the first block; a struct ht_hpack_block is the caller's, and may grow on the heap until ht_hpack_block_free(), within the two limits
 * below.
 */
#ifndef HT_HPACK_H
#define HT_HPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/span.h"

/* Largest table kept: what browsers announce. An encoder that uses a larger one has unknown fields here. */
#define HT_HPACK_MAX_TABLE_BYTES   65536
/* RFC 9113 section 6.5.2: SETTINGS_HEADER_TABLE_SIZE until it is sent. */
#define HT_HPACK_FIRST_TABLE_BYTES 4096
/*
 * What is kept of one block, whose single bytes may each stand for a field as large as the table: twice HT_HTTP2_MAX_BLOCK_BYTES, as the
 * shortest Huffman codes have five bits; and as HT_HTTP1_MAX_FIELDS.
 */
#define HT_HPACK_MAX_BLOCK_BYTES   131072
#define HT_HPACK_MAX_FIELDS        512

/* Both spans are empty where is_known is false. */
struct ht_http2_field {
	struct ht_span name;
	struct ht_span value;
	bool is_known;
};

enum ht_hpack_result {
	HT_HPACK_OK = 0,
	/* Not decoded, and not the peer's fault: the table is not known well enough, or there is no memory. It is unknown from here on. */
	HT_HPACK_UNKNOWN,
	HT_HPACK_BAD, /* the peer's fault (RFC 9113 section 4.3: COMPRESSION_ERROR); nothing more can be decoded */
};

#define HT_HPACK_INLINE_BYTES  2048
#define HT_HPACK_INLINE_FIELDS 48

/* A decoded block. Begins with ht_hpack_block_init(); the fields are valid until ht_hpack_block_free(). It must not be moved. */
struct ht_hpack_block {
	struct ht_http2_field *fields;
	size_t field_cnt;
	bool is_complete; /* every field of the block is here and known */
	/* Private. */
	bool is_full; /* a field was left out, and so are all behind it */
	char *bytes;
	size_t byte_cnt;
	size_t byte_cap;
	size_t field_cap;
	char inline_bytes[HT_HPACK_INLINE_BYTES];
	struct ht_http2_field inline_fields[HT_HPACK_INLINE_FIELDS];
};

struct ht_hpack; /* opaque: one direction */

/* is_known: the first block that will be decoded is the connection's first. NULL and errno ENOMEM. */
struct ht_hpack *ht_hpack_new(bool is_known);
void ht_hpack_free(struct ht_hpack *hpack);

/* Forget everything, as a new one. */
void ht_hpack_reset(struct ht_hpack *hpack, bool is_known);

/* The decoding side allows a table of this many bytes. Never lowers anything: the encoder says by itself when it uses less. */
void ht_hpack_limit(struct ht_hpack *hpack, uint32_t bytes);

/* A block was missed, or may have been. */
void ht_hpack_forget(struct ht_hpack *hpack);

/*
 * False where a later block may name an entry that is not known. That may last: an encoder that names each new entry by the last one of
 * that name hands on a name that was sent before the join. Blocks are complete all the same where no such field is in them.
 */
bool ht_hpack_is_known(const struct ht_hpack *hpack);

void ht_hpack_block_init(struct ht_hpack_block *block);
void ht_hpack_block_free(struct ht_hpack_block *block);

/* Decodes one whole block into a block that was just initialised. Not HT_HPACK_OK: it has no fields and is not complete. */
enum ht_hpack_result ht_hpack_decode(struct ht_hpack *hpack, const void *data, size_t len, struct ht_hpack_block *block);

#endif
