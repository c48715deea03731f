/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * capture.h - the layout of capture files, shared by the recorder and the replay; explained in docs/capture-format.md.
 *
 * A header, blocks of records, a trailer; all in the byte order of the machine that wrote them. Every part carries a CRC-32C of itself,
 * computed with its own crc field as 0.
 */
#ifndef HT_CAPTURE_H
#define HT_CAPTURE_H

#include <assert.h>
#include <stdint.h>

#include "abi/event.h"

/* As PNG's signature does: a byte over 127, and CR LF, which a transfer as text would damage. */
#define HT_CAPTURE_MAGIC       "\x89HTBPF\r\n"
#define HT_CAPTURE_MAGIC_BYTES 8
#define HT_CAPTURE_FORMAT      1
#define HT_CAPTURE_BYTE_ORDER  0x01020304u
#define HT_CAPTURE_OTHER_ORDER 0x04030201u

#define HT_CAPTURE_BLOCK_MARK   0x4b4c4248u /* "HBLK" in memory, little endian */
#define HT_CAPTURE_TRAILER_MARK 0x444e4548u /* "HEND" */

/* A block with its header, whatever its records. */
#define HT_CAPTURE_BLOCK_MAX_BYTES  (256u * 1024)
/* A block of this size is written before the next record: large enough to make a write cheap, small enough that a cut costs little. */
#define HT_CAPTURE_BLOCK_FULL_BYTES 4096u
/* A record; the largest the BPF side makes is a DATA of config.h's 65536 head bytes. */
#define HT_CAPTURE_RECORD_MAX_BYTES (128u * 1024)

/* Records start at multiples of 8 within a block; what lies between is 0. */
#define HT_CAPTURE_ALIGN(n) (((n) + 7u) & ~(uint64_t)7)

struct ht_capture_header {
	uint8_t magic[HT_CAPTURE_MAGIC_BYTES];
	uint32_t byte_order;
	uint32_t format;
	uint32_t abi_version;
	uint32_t header_bytes;
	uint64_t created_realtime_ns; /* since the Unix epoch */
	uint64_t created_mono_ns;     /* CLOCK_MONOTONIC of the same instant */
	char kernel_release[72];      /* uname -r, NUL-terminated */
	char machine[24];             /* uname -m */
	char writer[32];              /* version of this library */
	uint32_t pad;
	uint32_t crc;
};

/* What blocks and the trailer begin with. */
struct ht_capture_part {
	uint32_t mark;
	uint32_t bytes; /* of the whole part */
	uint32_t crc;
	uint32_t record_cnt; /* trailer: errno that ended the recording early, 0 none */
};

struct ht_capture_block {
	struct ht_capture_part part;
	uint64_t block_no; /* from 0 */
	uint64_t first_ts_ns;
	/* records */
};

struct ht_capture_trailer {
	struct ht_capture_part part;
	uint64_t block_cnt;
	uint64_t record_cnt;
	uint64_t record_bytes; /* sum of hdr.size */
	uint64_t lost_cnt;     /* sum of the LOST records' counts */
	uint64_t last_ts_ns;   /* greatest ts_ns */
};

static_assert(sizeof(struct ht_capture_header) == 176, "file format");
static_assert(sizeof(struct ht_capture_part) == 16, "file format");
static_assert(sizeof(struct ht_capture_block) == 32, "file format");
static_assert(sizeof(struct ht_capture_trailer) == 56, "file format");
static_assert(HT_CAPTURE_RECORD_MAX_BYTES + sizeof(struct ht_capture_block) <= HT_CAPTURE_BLOCK_MAX_BYTES, "a record fits a block");

#endif
