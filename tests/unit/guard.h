/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * guard.h - bytes right before a page that cannot be read: who reads past them faults.
 */
#ifndef HT_GUARD_H
#define HT_GUARD_H

#include <stddef.h>

#define GUARD_BYTES ((size_t)256 * 1024)

/* What a group of tests begins and ends with. */
int guard_set_up(void **state);
int guard_tear_down(void **state);

/* A copy of data, at most GUARD_BYTES, that ends there; the next one takes its place. */
void *guarded(const void *data, size_t len);

#endif
