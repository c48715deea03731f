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
#include "text_fmt.h"

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
	struct ht_buf out = { 0 };
	char text[2048];

	if (vsnprintf(text, sizeof(text), format, args) < 0)
		return;
	ht_buf_printf(&out, "%s%s: ", begin, HT_PROGRAM);
	ht_fmt_safe(&out, text, 0);
	ht_buf_puts(&out, end);
	/* Without memory at least that it was so. */
	if (out.is_oom)
		put(HT_PROGRAM ": out of memory\n", sizeof(HT_PROGRAM ": out of memory\n") - 1);
	else
		put(out.data, out.len);
	ht_buf_free(&out);
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
