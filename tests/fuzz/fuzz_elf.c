/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fuzz_elf.c - any bytes as a library's file: what is found lies inside it, and reading it ends.
 *
 * Input: a byte of mode, eight of an address in its offset table, then the file. Mode odd: its identification is made that of this machine first, so
 * that more gets past the first look. libelf itself is not instrumented: an access of its own outside its memory shows where it crashes only.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "attach/elfplt.h"
#include "attach/elfsym.h"
#include "attach/sites.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define REQUIRE(claim)           \
	do {                     \
		if (!(claim))    \
			abort(); \
	} while (0)

static void make_right(uint8_t *file, size_t len)
{
	Elf64_Ehdr head;

	if (len < sizeof(head))
		return;
	memcpy(&head, file, sizeof(head));
	memcpy(head.e_ident, ELFMAG, SELFMAG);
	head.e_ident[EI_CLASS] = ELFCLASS64;
	head.e_ident[EI_DATA] = ELFDATA2LSB;
	head.e_ident[EI_VERSION] = EV_CURRENT;
	head.e_version = EV_CURRENT;
#if defined(__x86_64__)
	head.e_machine = EM_X86_64;
#elif defined(__aarch64__)
	head.e_machine = EM_AARCH64;
#endif
	head.e_ehsize = sizeof(head);
	head.e_phentsize = sizeof(Elf64_Phdr);
	head.e_shentsize = sizeof(Elf64_Shdr);
	memcpy(file, &head, sizeof(head));
}

static void check_symbols(int fd, size_t len)
{
	struct ht_elfsym syms[] = { { .name = "SSL_read" }, { .name = "SSL_write" }, { .name = "getaddrinfo" }, { .name = "f" } };
	size_t cnt = sizeof(syms) / sizeof(syms[0]), found_cnt = 0;
	char reason[160] = "";
	int found = ht_elfsym_find(fd, syms, cnt, reason, sizeof(reason));

	REQUIRE(memchr(reason, 0, sizeof(reason)));
	if (found < 0) {
		REQUIRE(reason[0]);
		return;
	}
	for (size_t i = 0; i < cnt; i++) {
		REQUIRE(syms[i].file_off < len);
		found_cnt += syms[i].file_off != 0;
	}
	REQUIRE((size_t)found == found_cnt);
}

static void check_plan(int fd, size_t len, const char *name, bool has_entry_sites)
{
	static struct ht_site_plan plan;
	char reason[160] = "";

	if (ht_sites_plan(fd, name, has_entry_sites, &plan, reason, sizeof(reason))) {
		REQUIRE(reason[0] && memchr(reason, 0, sizeof(reason)));
		return;
	}
	REQUIRE(plan.fn_cnt <= HT_SITES_MAX && plan.found_cnt && plan.found_cnt <= plan.fn_cnt);
	for (size_t i = 0; i < plan.fn_cnt; i++) {
		const struct ht_site_fn *fn = &plan.fns[i];

		REQUIRE(memchr(fn->insn, 0, sizeof(fn->insn)) && memchr(fn->why, 0, sizeof(fn->why)));
		if (!fn->is_found)
			continue;
		REQUIRE(!fn->wants_entry || (fn->entry_off && fn->entry_off < len));
		REQUIRE(!fn->wants_return || (fn->return_off && fn->return_off < len));
		REQUIRE(!has_entry_sites || !fn->moved_bytes);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static int fd = -1;
	uint64_t slot_addr;
	char name[64];
	uint8_t *file;
	uint8_t mode;

	if (len < 1 + sizeof(slot_addr))
		return 0;
	mode = data[0];
	memcpy(&slot_addr, data + 1, sizeof(slot_addr));
	data += 1 + sizeof(slot_addr);
	len -= 1 + sizeof(slot_addr);
	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	file = malloc(len + 1);
	REQUIRE(fd >= 0 && file);
	memcpy(file, data, len);
	if (mode & 1)
		make_right(file, len);
	REQUIRE(ftruncate(fd, 0) == 0 && pwrite(fd, file, len, 0) == (ssize_t)len);
	free(file);
	check_symbols(fd, len);
	if (!ht_elfplt_name(fd, slot_addr, name, sizeof(name)))
		REQUIRE(name[0] && memchr(name, 0, sizeof(name)));
	check_plan(fd, len, mode & 2 ? "libcrypto.so.3" : "libssl.so.3", mode & 4);
	check_plan(fd, len, "libc.so.6", mode & 4);
	return 0;
}
