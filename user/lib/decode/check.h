/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * check.h - is a record what its kind says? And the form in which it is handed on.
 *
 * Pure functions on one record.
 */
#ifndef HT_CHECK_H
#define HT_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "abi/event.h"

/* Larger than any record that the BPF side makes (config.h: 65536 head bytes). */
#define HT_CHECK_RECORD_MAX_BYTES (128u * 1024)
/* CPU numbers end well below (NR_CPUS is 8192 at most on any architecture's default). */
#define HT_CHECK_CPU_MAX          8192u
/* Times are below it: CLOCK_MONOTONIC counts from boot, so this is 292 years. Sums of a time and a time-out then cannot overflow. */
#define HT_CHECK_TIME_MAX_NS      ((__u64)1 << 63)

enum ht_check { HT_CHECK_SOUND, HT_CHECK_MALFORMED, HT_CHECK_UNKNOWN };

/* Size, cpu and time of any record. The header's bytes must be there. */
bool ht_check_header(const struct ht_hdr *hdr);
/*
 * All the rest, by kind; ht_check_header() has said yes and hdr.size bytes are there. When SOUND *copy_bytes is what ht_check_copy()
 * needs: room for the whole struct, and for a NUL behind each text.
 */
enum ht_check ht_check_record(const struct ht_hdr *rec, size_t *copy_bytes);
/*
 * Copies a SOUND record to `to` (8-aligned, copy_bytes of room): its hdr.size is at least the struct's, what was not sent is 0, every
 * string ends, and a begin later than the record's own time is 0 (unknown).
 */
void ht_check_copy(const struct ht_hdr *rec, struct ht_hdr *to, size_t copy_bytes);

#endif
