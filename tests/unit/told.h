/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * told.h - what a parser told a test, as text to compare.
 */
#ifndef HT_TOLD_H
#define HT_TOLD_H

#include <stddef.h>

#define TOLD_BYTES 8192

struct told {
	char text[TOLD_BYTES];
	size_t len;
};

/* What has no room is left out: tests of so much look at counts. */
void tell(struct told *told, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
