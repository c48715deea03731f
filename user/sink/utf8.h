/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * utf8.h - takes bytes apart into characters.
 *
 * In:  a NUL-terminated string of any bytes. Out: one character at a time. Pure functions.
 */
#ifndef HT_UTF8_H
#define HT_UTF8_H

#include <stdint.h>
#include <stddef.h>

#define HT_UTF8_INVALID UINT32_MAX

/*
 * The character at text, which must not be at its NUL; *len: the bytes it takes. HT_UTF8_INVALID for a maximal subpart of an ill-formed
 * sequence (Unicode 15.0, 3.9, table 3-7 and definition D93b).
 */
uint32_t ht_utf8_next(const char *text, size_t *len);

#endif
