/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * glob.h - shell patterns for names that are no paths: `*` any bytes, also '/', `?` one, `[a-z]`, `[!a-z]`, `\` makes the next an ordinary
 * one.
 *
 * Of its own instead of fnmatch(3): independent of the locale, for bytes of any kind, and never slower than pattern times text (fnmatch()
 * of several `*` is exponential; what is matched comes from strangers).
 */
#ifndef HT_GLOB_H
#define HT_GLOB_H

#include <stdbool.h>
#include <stddef.h>

/* Does the whole text match? A `[` without its `]` stands for itself. ignores_case: of ASCII letters. */
bool ht_glob_match(const char *glob, const char *text, size_t text_len, bool ignores_case);

#endif
