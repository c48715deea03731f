/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * utf8.h - takes bytes apart into characters.
 *
 * In:  a NUL-terminated string of any bytes. Out: one character at a time. Pure functions.
 */
#ifndef HT_UTF8_H
#define HT_UTF8_H

#include <stdint.h>
#include <stdbool.h>
#include <stddef.h>

#define HT_UTF8_INVALID UINT32_MAX

/*
 * The character at text, which must not be at its NUL; *len: the bytes it takes. HT_UTF8_INVALID for a maximal subpart of an ill-formed
 * sequence (Unicode 15.0, 3.9, table 3-7 and definition D93b).
 */
uint32_t ht_utf8_next(const char *text, size_t *len);

/*
 * Whether a terminal would obey the character, or is not to be trusted with it: C0, DEL and C1 (ECMA-48), line separators, what turns the direction of
 * writing (Unicode 15, 23.2), and what is no UTF-8.
 */
bool ht_utf8_is_harmful(uint32_t c);

#endif
