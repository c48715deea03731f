/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * hpack.c - libnghttp2's inflater, and what keeps it right where blocks were missed.
 *
 * In:  whole blocks. Out: fields, copied, as the inflater's own are valid until its next call only. Memory: hpack.h.
 *
 * A table that is not known begins full of placeholders, entries of the smallest size there is: 33 bytes (a name of one byte that no
 * field name may have, and no value). What is decoded from it is either right or unknown. Let R be the encoder's table and T ours; both
 * add new entries in front, address entries by their distance from the newest one, and lose entries at the old end only (RFC 7541
 * sections 2.3.3 and 4).
 *  1. Each block after the join is decoded, or else T begins anew. So what is added to R since the join is offered to T, in the same order.
 *  2. Suppose one of these is in R and not in T, because it did not fit T. Then T has also lost everything older (section 4.4). Suppose
 *     it is in T and not in R: then R has lost everything older, and no valid index reaches there. So up to the first place where they
 *     differ, R and T agree entry by entry, and beyond it either T has nothing (an index is an error, and T begins anew) or R has nothing
 *     (there is no such index).
 *  3. In T behind the entries added since the join there are placeholders only, which tell that the field is unknown. An entry added with
 *     the name of a placeholder has the placeholder's name: it is unknown likewise.
 * None of this needs to know how large R may grow. If T may grow as large as R, moreover no index is ever an error: an entry in T is
 * never larger than the same in R, so T loses an entry after R does, and at the join T has as many entries as fit into R. And when the
 * last placeholder has left T the entries added since the join fill R, so that the table is known. T is therefore given the size of the
 * largest table that the encoder was seen to be allowed; where an index is an error nevertheless, the largest kept at all.
 *
 * A table is exact where it has been the encoder's since it was empty: from the connection's first block on, or from an update of its
 * size to 0. Then only is an error the peer's.
 */
#include "proto/hpack.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

/* RFC 7541 section 4.1. */
#define ENTRY_OVERHEAD_BYTES  32
#define PLACEHOLDER_BYTES     (ENTRY_OVERHEAD_BYTES + 1)
#define PLACEHOLDER_NAME      '?'
/* RFC 7541 appendix A. */
#define STATIC_TABLE_ENTRIES  61
/* Of RFC 7541 section 6.3: a size update's first byte. */
#define SIZE_UPDATE_MASK      0xe0
#define SIZE_UPDATE           0x20
#define SIZE_UPDATE_MAX_SMALL 0x1f

struct ht_hpack {
	nghttp2_hd_inflater *inflater; /* NULL before the first block, and where the table is to begin anew */
	uint32_t limit_bytes;          /* what a table that begins anew is given */
	bool is_exact;
	bool is_known;
	bool is_bad;
};

/* nghttp2's own does not take NULL. */
static void free_inflater(struct ht_hpack *hpack)
{
	if (hpack->inflater)
		nghttp2_hd_inflate_del(hpack->inflater);
	hpack->inflater = NULL;
}

void ht_hpack_reset(struct ht_hpack *hpack, bool is_known)
{
	free_inflater(hpack);
	*hpack = (struct ht_hpack){ .limit_bytes = HT_HPACK_FIRST_TABLE_BYTES, .is_exact = is_known, .is_known = is_known };
}

struct ht_hpack *ht_hpack_new(bool is_known)
{
	struct ht_hpack *hpack = calloc(1, sizeof(*hpack));

	if (hpack)
		ht_hpack_reset(hpack, is_known);
	return hpack;
}

void ht_hpack_free(struct ht_hpack *hpack)
{
	if (!hpack)
		return;
	free_inflater(hpack);
	free(hpack);
}

void ht_hpack_limit(struct ht_hpack *hpack, uint32_t bytes)
{
	if (bytes > HT_HPACK_MAX_TABLE_BYTES)
		bytes = HT_HPACK_MAX_TABLE_BYTES;
	if (bytes > hpack->limit_bytes)
		hpack->limit_bytes = bytes;
}

void ht_hpack_forget(struct ht_hpack *hpack)
{
	if (hpack->inflater) {
		ht_hpack_limit(hpack, (uint32_t)nghttp2_hd_inflate_get_max_dynamic_table_size(hpack->inflater));
		free_inflater(hpack);
	}
	hpack->is_exact = false;
	hpack->is_known = false;
}

bool ht_hpack_is_known(const struct ht_hpack *hpack)
{
	return hpack->is_known;
}

void ht_hpack_block_init(struct ht_hpack_block *block)
{
	block->fields = block->inline_fields;
	block->field_cnt = 0;
	block->field_cap = HT_HPACK_INLINE_FIELDS;
	block->is_complete = false;
	block->is_full = false;
	block->bytes = block->inline_bytes;
	block->byte_cnt = 0;
	block->byte_cap = HT_HPACK_INLINE_BYTES;
}

void ht_hpack_block_free(struct ht_hpack_block *block)
{
	if (block->fields != block->inline_fields)
		free(block->fields);
	if (block->bytes != block->inline_bytes)
		free(block->bytes);
	ht_hpack_block_init(block);
}

/* old is kept where it is the block's own. NULL: no memory, and nothing changed. */
static void *grow(void *old, const void *own, size_t used_bytes, size_t new_bytes)
{
	void *grown = realloc(old == own ? NULL : old, new_bytes);

	if (grown && old == own)
		memcpy(grown, old, used_bytes);
	return grown;
}

static bool reserve(struct ht_hpack_block *block, size_t bytes)
{
	if (block->field_cnt == HT_HPACK_MAX_FIELDS || bytes > HT_HPACK_MAX_BLOCK_BYTES - block->byte_cnt)
		return false;
	if (block->field_cnt == block->field_cap) {
		size_t cap = HT_HPACK_MAX_FIELDS;
		void *grown =
			grow(block->fields, block->inline_fields, block->field_cnt * sizeof(*block->fields), cap * sizeof(*block->fields));

		if (!grown)
			return false;
		block->fields = grown;
		block->field_cap = cap;
	}
	if (bytes > block->byte_cap - block->byte_cnt) {
		size_t cap = block->byte_cap;
		void *grown;

		while (bytes > cap - block->byte_cnt)
			cap *= 2;
		grown = grow(block->bytes, block->inline_bytes, block->byte_cnt, cap);
		if (!grown)
			return false;
		block->bytes = grown;
		block->byte_cap = cap;
	}
	return true;
}

static bool is_placeholder(const uint8_t *name, size_t len)
{
	return len == 1 && name[0] == PLACEHOLDER_NAME;
}

/* False: it is left out. Pointers are set when all bytes are at their place. */
static bool add_field(struct ht_hpack_block *block, const nghttp2_nv *nv, bool is_known)
{
	struct ht_http2_field *field;
	size_t bytes = is_known ? nv->namelen + nv->valuelen : 0;

	if (block->is_full || !reserve(block, bytes)) {
		block->is_full = true;
		return false;
	}
	field = &block->fields[block->field_cnt++];
	*field = (struct ht_http2_field){ .is_known = is_known };
	if (!is_known)
		return true;
	field->name.len = nv->namelen;
	field->value.len = nv->valuelen;
	if (nv->namelen)
		memcpy(block->bytes + block->byte_cnt, nv->name, nv->namelen);
	if (nv->valuelen)
		memcpy(block->bytes + block->byte_cnt + nv->namelen, nv->value, nv->valuelen);
	block->byte_cnt += bytes;
	return true;
}

static void set_pointers(struct ht_hpack_block *block)
{
	const char *ptr = block->bytes;
	size_t i;

	for (i = 0; i < block->field_cnt; i++) {
		struct ht_http2_field *field = &block->fields[i];

		if (!field->is_known)
			continue;
		field->name.ptr = ptr;
		ptr += field->name.len;
		field->value.ptr = ptr;
		ptr += field->value.len;
	}
}

/*
 * The size updates that a block begins with, read ahead of the inflater: the smallest and the largest are lowered and raised to. One that
 * is cut or too long for a number is left to the inflater.
 */
static void peek_size_updates(const uint8_t *data, size_t len, uint64_t *smallest, uint64_t *largest)
{
	size_t i = 0;

	while (i < len && (data[i] & SIZE_UPDATE_MASK) == SIZE_UPDATE) {
		uint64_t size = data[i++] & SIZE_UPDATE_MAX_SMALL;
		unsigned int shift = 0;

		/* RFC 7541 section 5.1. */
		if (size == SIZE_UPDATE_MAX_SMALL) {
			uint8_t byte;

			do {
				if (i == len || shift > 28)
					return;
				byte = data[i++];
				size += (uint64_t)(byte & 0x7f) << shift;
				shift += 7;
			} while (byte & 0x80);
		}
		if (size < *smallest)
			*smallest = size;
		if (size > *largest)
			*largest = size;
	}
}

/* Decodes a whole block; block NULL: only for what it does to the table. An error code of nghttp2 or 0. */
static int inflate(struct ht_hpack *hpack, const uint8_t *data, size_t len, struct ht_hpack_block *block)
{
	for (;;) {
		nghttp2_nv nv;
		int flags = 0;
		ssize_t n = nghttp2_hd_inflate_hd2(hpack->inflater, &nv, &flags, data, len, 1);

		if (n < 0)
			return (int)n;
		data += n;
		len -= (size_t)n;
		if ((flags & NGHTTP2_HD_INFLATE_EMIT) && block) {
			bool is_known = hpack->is_exact || !is_placeholder(nv.name, nv.namelen);

			if (!add_field(block, &nv, is_known) || !is_known)
				block->is_complete = false;
		}
		if (flags & NGHTTP2_HD_INFLATE_FINAL)
			return nghttp2_hd_inflate_end_headers(hpack->inflater);
	}
}

/* As many as fit. The first has its name with it (literal, added to the table), the others take the name of the newest entry. */
static int add_placeholders(struct ht_hpack *hpack)
{
	static const uint8_t first[] = { 0x40, 1, PLACEHOLDER_NAME, 0 };
	static const uint8_t again[] = { 0x40 | (STATIC_TABLE_ENTRIES + 1), 0 };
	uint8_t block[8 + sizeof(first) + HT_HPACK_MAX_TABLE_BYTES / PLACEHOLDER_BYTES * sizeof(again)];
	size_t cnt = hpack->limit_bytes / PLACEHOLDER_BYTES;
	uint32_t rest = hpack->limit_bytes - SIZE_UPDATE_MAX_SMALL;
	size_t len = 0;
	size_t i;

	block[len++] = SIZE_UPDATE | SIZE_UPDATE_MAX_SMALL;
	for (; rest >= 0x80; rest >>= 7)
		block[len++] = (uint8_t)(rest | 0x80);
	block[len++] = (uint8_t)rest;
	memcpy(block + len, first, sizeof(first));
	len += sizeof(first);
	for (i = 1; i < cnt; i++) {
		memcpy(block + len, again, sizeof(again));
		len += sizeof(again);
	}
	return inflate(hpack, block, len, NULL);
}

static int begin_table(struct ht_hpack *hpack)
{
	int err = nghttp2_hd_inflate_new(&hpack->inflater);

	if (err)
		return err;
	/* The encoder's limit is what the other side sent, which may not have been seen: any size that is kept is accepted. */
	err = nghttp2_hd_inflate_change_table_size(hpack->inflater, HT_HPACK_MAX_TABLE_BYTES);
	if (!err && !hpack->is_exact)
		err = add_placeholders(hpack);
	return err;
}

/* From the oldest on: as long as there is a placeholder, it is among the first looked at. */
static bool has_placeholder(nghttp2_hd_inflater *inflater)
{
	size_t idx;

	for (idx = nghttp2_hd_inflate_get_num_table_entries(inflater); idx > STATIC_TABLE_ENTRIES; idx--) {
		const nghttp2_nv *nv = nghttp2_hd_inflate_get_table_entry(inflater, idx);

		if (is_placeholder(nv->name, nv->namelen))
			return true;
	}
	return false;
}

enum ht_hpack_result ht_hpack_decode(struct ht_hpack *hpack, const void *data, size_t len, struct ht_hpack_block *block)
{
	uint64_t smallest = UINT64_MAX, largest = 0;
	int err = 0;

	if (hpack->is_bad)
		return HT_HPACK_BAD;
	peek_size_updates(data, len, &smallest, &largest);
	if (largest > HT_HPACK_MAX_TABLE_BYTES)
		goto unknown;
	if (!hpack->inflater)
		err = begin_table(hpack);
	if (!err) {
		block->is_complete = true;
		err = inflate(hpack, data, len, block);
	}
	if (err) {
		if (!hpack->is_exact || err == NGHTTP2_ERR_NOMEM)
			goto unknown;
		hpack->is_bad = true;
		ht_hpack_block_free(block);
		return HT_HPACK_BAD;
	}
	if (smallest < ENTRY_OVERHEAD_BYTES)
		hpack->is_exact = true;
	if (!hpack->is_known)
		hpack->is_known = hpack->is_exact || !has_placeholder(hpack->inflater);
	set_pointers(block);
	return HT_HPACK_OK;

unknown:
	ht_hpack_forget(hpack);
	hpack->limit_bytes = HT_HPACK_MAX_TABLE_BYTES;
	ht_hpack_block_free(block);
	return HT_HPACK_UNKNOWN;
}
