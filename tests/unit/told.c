/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * told.c - what a parser told a test (told.h).
 */
#include <stdarg.h>
#include <stdio.h>

#include "told.h"

void tell(struct told *told, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(told->text + told->len, sizeof(told->text) - told->len, format, args);
	va_end(args);
	told->len += (size_t)n;
	if (told->len >= sizeof(told->text))
		told->len = sizeof(told->text) - 1;
}
