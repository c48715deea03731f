/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * decode.h - from records in delivery order to validated records in time order.
 *
 * In:  records of a source. Out: calls of struct ht_decode_ops in the order of ts_ns, once a TICK says that time has passed; losses, in that order too.
 * Everything in a record is checked here (size, kind, lengths, counts, strings' terminators), so the layers above may rely on the layout.
 * Memory: copies of records between two ticks, bounded by max_pending_bytes: above it the oldest are let go early (counted).
 */
#ifndef HT_DECODE_H
#define HT_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "abi/event.h"

struct ht_decode_ops {
	/* One sound record (any kind but TICK, END, LOST and LOSING), in time order. Valid during the call. */
	void (*record)(void *ctx, const struct ht_hdr *rec);
	/* count events were lost at `where`, at about ts_ns. */
	void (*lost)(void *ctx, uint64_t ts_ns, uint64_t count, const char *where);
	/* Events between from_ns and until_ns were lost, which lost() tells at until_ns or later. Comes in the order of from_ns. May be NULL. */
	void (*loss_begins)(void *ctx, uint64_t from_ns, uint64_t until_ns);
	/* Time has reached now_ns: all records up to then were given. */
	void (*time)(void *ctx, uint64_t now_ns);
	/* The stream ended in good order. */
	void (*end)(void *ctx, uint64_t now_ns);
};

struct ht_decode;

struct ht_decode_counts {
	uint64_t records;   /* taken */
	uint64_t malformed; /* refused */
	uint64_t unknown;   /* of a kind this version does not know: passed over */
	uint64_t late;      /* arrived after their time had been told; given at once */
	uint64_t forced;    /* let go before their tick, for want of memory */
};

/* ops is kept, not copied. max_pending_bytes 0 = 64 MiB. NULL and errno. */
struct ht_decode *ht_decode_new(const struct ht_decode_ops *ops, void *ctx, size_t max_pending_bytes);
void ht_decode_free(struct ht_decode *decode);
/* Takes a record as the source delivered it; a TICK (or END) releases what it covers. 0, or -EBADMSG where it was malformed (counted). */
int ht_decode_add(struct ht_decode *decode, const struct ht_hdr *rec);
/* Releases everything pending, as at the end of a stream that has no END. */
void ht_decode_flush(struct ht_decode *decode);
const struct ht_decode_counts *ht_decode_counts(const struct ht_decode *decode);

#endif
