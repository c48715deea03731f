/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_attach_elfsym.c - functions are found where they are, and files made to hurt do not.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "attach/elfsym.h"
#include "attach/sites.h"

/* A file of our own making, in memory. */
static int make_file(const void *data, size_t bytes)
{
	int fd = memfd_create("elfsym", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, bytes), bytes);
	return fd;
}

/* By dlsym: a sanitizer puts functions of its own before libc's. */
static void *libc_fn(const char *name)
{
	void *libc = dlopen("libc.so.6", RTLD_NOW), *fn;

	assert_non_null(libc);
	fn = dlsym(libc, name);
	assert_non_null(fn);
	return fn;
}

static const char *libc_path(void)
{
	Dl_info info;

	assert_true(dladdr(libc_fn("getaddrinfo"), &info));
	return info.dli_fname;
}

static uint8_t *read_libc(size_t *bytes)
{
	int fd = open(libc_path(), O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *data;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	*bytes = (size_t)st.st_size;
	data = malloc(*bytes);
	assert_non_null(data);
	assert_int_equal(read(fd, data, *bytes), *bytes);
	close(fd);
	return data;
}

/* The code at the offset that was found is the code that runs. */
/* Whether the file's code is what runs: but for a breakpoint, where somebody traces it now. */
static bool is_same_code(const uint8_t *file, const uint8_t *memory, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		if (file[i] != memory[i] && memory[i] != 0xcc)
			return false;
	}
	return true;
}

static void finds_functions(void **state)
{
	struct ht_elfsym syms[] = {
		{ .name = "getaddrinfo" }, { .name = "no_such_function" }, { .name = "freeaddrinfo" }, { .name = "environ" }
	};
	int fd = open(libc_path(), O_PATH | O_CLOEXEC);
	uint8_t code[16];
	char reason[128];

	(void)state;
	assert_int_equal(ht_elfsym_find(fd, syms, 4, reason, sizeof(reason)), 2);
	close(fd);
	fd = open(libc_path(), O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(fd, code, sizeof(code), (off_t)syms[0].file_off), sizeof(code));
	assert_true(is_same_code(code, libc_fn("getaddrinfo"), sizeof(code)));
	assert_int_equal(pread(fd, code, sizeof(code), (off_t)syms[2].file_off), sizeof(code));
	assert_true(is_same_code(code, libc_fn("freeaddrinfo"), sizeof(code)));
	assert_true(syms[0].size_bytes > 0);
	/* Not there; and a variable, which is no function. */
	assert_int_equal(syms[1].file_off, 0);
	assert_int_equal(syms[3].file_off, 0);
	close(fd);
}

static void plans_by_name(void **state)
{
	static const struct {
		const char *why;
		const char *name;
		int expected;
		enum ht_site_group group;
	} table[] = {
		{ "the usual", "libc.so.6", 0, HT_SITES_DNS },
		{ "glibc before 2.34 in a mapping", "libc-2.31.so", 0, HT_SITES_DNS },
		{ "musl", "ld-musl-x86_64.so.1", 0, HT_SITES_DNS },
		{ "named like OpenSSL, but without its functions", "libssl.so.3", -ESRCH, HT_SITES_OPENSSL },
		{ "bundled by a Python wheel", "libssl-9cf12f8b.so.1.1", -ESRCH, HT_SITES_OPENSSL },
		{ "NSS's library of that name is another one", "libssl3.so", -ENOENT, 0 },
		{ "LibreSSL", "libssl.so.48", -ENOENT, 0 },
		{ "probed in processes that run already only", "libnghttp2.so.14.24.1", -ESRCH, HT_SITES_NGHTTP2 },
		{ "its former ABI is another one", "libnghttp2.so.5", -ENOENT, 0 },
		{ "HTTP/3", "libnghttp3.so.3", -ENOENT, 0 },
		{ "no library", "curl", -ENOENT, 0 },
		{ "empty", "", -ENOENT, 0 },
	};
	int fd = open(libc_path(), O_PATH | O_CLOEXEC);

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct ht_site_plan plan;
		char reason[128];
		int err = ht_sites_plan(fd, table[i].name, false, &plan, reason, sizeof(reason));

		if (err != table[i].expected || (err != -ENOENT && plan.group != table[i].group))
			fail_msg("%s: %d, %s", table[i].why, err, reason);
		if (err)
			assert_true(reason[0]);
		assert_int_equal(ht_sites_match(table[i].name), err != -ENOENT && plan.group != HT_SITES_NGHTTP2);
		assert_int_equal(ht_sites_match_joined(table[i].name), err != -ENOENT && plan.group == HT_SITES_NGHTTP2);
		if (!err)
			assert_true(plan.fns[0].is_found && plan.fns[0].entry_off && plan.fns[0].return_off);
	}
	close(fd);
}

static void refuses_what_is_no_library(void **state)
{
	static const struct {
		const char *why;
		const char *data;
		size_t bytes;
		int expected;
	} table[] = {
		{ "empty", "", 0, -ENOEXEC },
		{ "text", "#!/bin/sh\n", 10, -ENOEXEC },
		{ "the magic alone", "\177ELF", 4, -ENOEXEC },
		{ "an identification and nothing else", "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0", 16, -ENOEXEC },
		{ "an archive", "!<arch>\n", 8, -ENOEXEC },
	};
	struct ht_elfsym sym = { .name = "main" };
	char reason[128];
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int err;

		fd = make_file(table[i].data, table[i].bytes);
		err = ht_elfsym_find(fd, &sym, 1, reason, sizeof(reason));
		close(fd);
		if (err != table[i].expected || !reason[0])
			fail_msg("%s: %d, %s", table[i].why, err, reason);
	}
	fd = open("/", O_PATH | O_CLOEXEC);
	assert_int_equal(ht_elfsym_find(fd, &sym, 1, reason, sizeof(reason)), -ENOEXEC);
	close(fd);
}

static void refuses_other_machines(void **state)
{
	struct ht_elfsym sym = { .name = "getaddrinfo" };
	size_t bytes;
	uint8_t *data = read_libc(&bytes);
	char reason[128];
	int fd;

	(void)state;
	((Elf64_Ehdr *)(void *)data)->e_machine = EM_S390;
	fd = make_file(data, bytes);
	assert_int_equal(ht_elfsym_find(fd, &sym, 1, reason, sizeof(reason)), -ENOTSUP);
	close(fd);
	free(data);
}

/* Whatever was done to the file: an offset that comes out lies within it. */
static void check_sane(int fd, size_t bytes)
{
	struct ht_elfsym sym = { .name = "getaddrinfo" };
	char reason[128];
	int err = ht_elfsym_find(fd, &sym, 1, reason, sizeof(reason));

	assert_true(err <= 1);
	if (err == 1)
		assert_true(sym.file_off > 0 && sym.file_off < bytes);
	else
		assert_int_equal(sym.file_off, 0);
	if (err < 0)
		assert_true(reason[0]);
}

static void survives_cuts(void **state)
{
	size_t bytes;
	uint8_t *data = read_libc(&bytes);

	(void)state;
	for (size_t i = 0; i <= 64; i++) {
		size_t cut = bytes * i / 64;
		int fd = make_file(data, cut);

		check_sane(fd, cut);
		close(fd);
	}
	free(data);
}

/* Bytes of the headers and tables changed, as an enemy would: to all ones, to zero, to anything. */
static void survives_lies(void **state)
{
	size_t bytes;
	uint8_t *data = read_libc(&bytes);
	const Elf64_Ehdr *head = (const void *)data;
	struct {
		size_t off;
		size_t bytes;
	} areas[3] = { { 0, sizeof(*head) },
		       { head->e_phoff, (size_t)head->e_phnum * head->e_phentsize },
		       { head->e_shoff, (size_t)head->e_shnum * head->e_shentsize } };
	int fd = make_file(data, bytes);
	uint32_t random = 1;

	(void)state;
	for (int i = 0; i < 1500; i++) {
		size_t area = (size_t)i % 3, off, width = 1u << (i / 3 % 4);
		uint64_t lie;

		random = random * 1664525 + 1013904223;
		off = areas[area].off + (random >> 8) % (areas[area].bytes - width + 1);
		off &= ~(width - 1);
		lie = i / 12 % 3 == 0 ? UINT64_MAX : i / 12 % 3 == 1 ? 0 : random * 0x9e3779b97f4a7c15ULL;
		assert_int_equal(pwrite(fd, &lie, width, (off_t)off), width);
		check_sane(fd, bytes);
		/* As it was. */
		assert_int_equal(pwrite(fd, data + off, width, (off_t)off), width);
	}
	close(fd);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_functions),        cmocka_unit_test(plans_by_name), cmocka_unit_test(refuses_what_is_no_library),
		cmocka_unit_test(refuses_other_machines), cmocka_unit_test(survives_cuts), cmocka_unit_test(survives_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
