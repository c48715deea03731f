/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * crc32c.h - CRC-32C (Castagnoli, RFC 3720 appendix B.4): the check sum of capture files.
 *
 * Pure function; of our own because the core library links nothing but libc.
 */
#ifndef HT_CRC32C_H
#define HT_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* crc: 0 for the first piece, else the result for the pieces before. */
uint32_t ht_crc32c(uint32_t crc, const void *data, size_t len);

#endif
