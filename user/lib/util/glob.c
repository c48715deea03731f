/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * glob.c - see glob.h. One star is open at a time: when the rest does not fit, the last star takes one byte more, which is enough, as what
 * stands before it has matched at the earliest place.
 */
#include "util/glob.h"

#include <string.h>

static unsigned char fold(char c, bool ignores_case)
{
	return (unsigned char)(ignores_case && c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Behind the `]` that ends the set at glob[0] == '[', NULL if there is none. A `]` in the first place is a member (POSIX.2, 2.13.1). */
static const char *set_end(const char *glob)
{
	const char *p = glob + 1;

	if (*p == '!' || *p == '^')
		p++;
	if (*p == ']')
		p++;
	for (; *p && *p != ']'; p++)
		if (*p == '\\' && p[1])
			p++;
	return *p ? p + 1 : NULL;
}

static char set_member(const char **p)
{
	if (**p == '\\' && (*p)[1])
		(*p)++;
	return *(*p)++;
}

static bool set_has(const char *set, const char *end, unsigned char c, bool ignores_case)
{
	bool is_negated = set[1] == '!' || set[1] == '^', has = false;
	const char *p = set + 1 + is_negated;

	while (p < end - 1) {
		unsigned char low = fold(set_member(&p), ignores_case), high = low;

		if (p + 1 < end - 1 && *p == '-') {
			p++;
			high = fold(set_member(&p), ignores_case);
		}
		has |= c >= low && c <= high;
	}
	return has != is_negated;
}

/* Matches one byte against what stands at *glob, which is no star, and moves behind it. */
static bool match_one(const char **glob, char text, bool ignores_case)
{
	const char *g = *glob, *end;
	unsigned char c = fold(text, ignores_case);

	if (*g == '?') {
		*glob = g + 1;
		return true;
	}
	if (*g == '[') {
		end = set_end(g);
		if (end) {
			*glob = end;
			return set_has(g, end, c, ignores_case);
		}
	}
	if (*g == '\\' && g[1])
		g++;
	*glob = g + 1;
	return fold(*g, ignores_case) == c;
}

bool ht_glob_match(const char *glob, const char *text, size_t text_len, bool ignores_case)
{
	const char *end = text + text_len, *star = NULL, *star_text = NULL;

	while (text < end) {
		if (*glob == '*') {
			star = ++glob;
			star_text = text;
			continue;
		}
		if (*glob && match_one(&glob, *text, ignores_case)) {
			text++;
			continue;
		}
		if (!star)
			return false;
		glob = star;
		text = ++star_text;
	}
	while (*glob == '*')
		glob++;
	return !*glob;
}
