/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sanitizer_check.c - does a sanitized build report what is wrong? Does the one wrong thing that its argument names: leak, overflow, undefined.
 *
 * tests/run expects of each the sanitizers' exit status and a report; a stage that cannot fail would prove nothing.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *volatile kept;

int main(int argc, char **argv)
{
	volatile int number = INT_MAX;
	volatile int past = 14;
	char *bytes;

	if (argc != 2)
		return 2;
	bytes = malloc(16);
	if (!bytes)
		return 2;
	kept = bytes;
	memset(bytes, argc, 16);
	if (!strcmp(argv[1], "overflow"))
		number = bytes[past + argc];
	else if (!strcmp(argv[1], "undefined"))
		number += argc;
	if (strcmp(argv[1], "leak"))
		free(bytes);
	bytes = NULL;
	kept = NULL;
	printf("%d: nobody noticed\n", number);
	return 0;
}
