/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * require.h - what must hold: libFuzzer keeps the input of a program that aborts.
 */
#ifndef HT_REQUIRE_H
#define HT_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

#define require(claim) ((claim) ? (void)0 : fail(#claim, __FILE_NAME__, __LINE__))

static inline void fail(const char *claim, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, claim);
	abort();
}

#endif
