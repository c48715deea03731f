/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * guard.c - bytes right before a page that cannot be read (guard.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "guard.h"

static char *map;

static size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

int guard_set_up(void **state)
{
	(void)state;
	map = mmap(NULL, GUARD_BYTES + page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return -1;
	return mprotect(map + GUARD_BYTES, page_bytes(), PROT_NONE);
}

int guard_tear_down(void **state)
{
	(void)state;
	return munmap(map, GUARD_BYTES + page_bytes());
}

void *guarded(const void *data, size_t len)
{
	assert_true(len <= GUARD_BYTES);
	return memcpy(map + GUARD_BYTES - len, data, len);
}
