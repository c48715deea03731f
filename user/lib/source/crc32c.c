/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * crc32c.c - CRC-32C by eight tables ("slicing by 8"), about 1 byte per CPU cycle and no instruction beyond the base architecture.
 *
 * In: bytes. Out: a number. The tables (8 KiB) are made at the first call, once for the process.
 */
#include "source/crc32c.h"

#include <pthread.h>

/* The Castagnoli polynomial, bits reversed. */
#define POLYNOMIAL 0x82f63b78u

static uint32_t tables[8][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void make_tables(void)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t crc = byte;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
		tables[0][byte] = crc;
	}
	for (int slice = 1; slice < 8; slice++)
		for (int byte = 0; byte < 256; byte++)
			tables[slice][byte] = tables[slice - 1][byte] >> 8 ^ tables[0][tables[slice - 1][byte] & 0xff];
}

uint32_t ht_crc32c(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *at = data;

	pthread_once(&tables_once, make_tables);
	crc = ~crc;
	for (; len >= 8; len -= 8, at += 8) {
		/* Byte by byte, so that alignment and the host's byte order do not matter. */
		uint32_t low = crc ^ ((uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24);

		crc = tables[7][low & 0xff] ^ tables[6][low >> 8 & 0xff] ^ tables[5][low >> 16 & 0xff] ^ tables[4][low >> 24] ^
		      tables[3][at[4]] ^ tables[2][at[5]] ^ tables[1][at[6]] ^ tables[0][at[7]];
	}
	for (; len; len--, at++)
		crc = crc >> 8 ^ tables[0][(crc ^ *at) & 0xff];
	return ~crc;
}
