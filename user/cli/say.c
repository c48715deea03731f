/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * say.c - see say.h. The terminal's line that shows progress is wiped before anything else is said.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "say.h"

/* ECMA-48: erase to the end of the line. */
#define WIPE "\r\033[K"

static bool has_progress;

static void put(const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(STDERR_FILENO, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		/* There is nowhere left to complain. */
		if (n <= 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

static void __attribute__((format(printf, 3, 0))) say(const char *begin, const char *end, const char *format, va_list args)
{
	char line[2048];
	int head, len;
	size_t i;

	head = snprintf(line, sizeof(line), "%s%s: ", begin, HT_PROGRAM);
	len = vsnprintf(line + head, sizeof(line) - (size_t)head - 1, format, args);
	if (len < 0)
		return;
	len += head;
	if ((size_t)len > sizeof(line) - 2)
		len = (int)sizeof(line) - 2;
	for (i = (size_t)head; i < (size_t)len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	strcpy(line + len, end);
	put(line, strlen(line));
}

void ht_say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(has_progress ? WIPE : "", "\n", format, args);
	va_end(args);
	has_progress = false;
}

void ht_say_progress(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(WIPE, "", format, args);
	va_end(args);
	has_progress = true;
}

void ht_say_progress_end(void)
{
	if (has_progress)
		put(WIPE, strlen(WIPE));
	has_progress = false;
}
