/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fuzz_chooser.c - any bytes as a function: a site is an instruction that control comes to straight from the first one, never its middle, never outside.
 *
 * Input: a byte of machine, ABI, flags and what the size is said to be, a byte of arguments, then the code. Bounded time is libFuzzer's own check (-timeout).
 */
#include <capstone/capstone.h>
#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "attach/chooser.h"

#define BASE 0x1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define REQUIRE(claim)           \
	do {                     \
		if (!(claim))    \
			abort(); \
	} while (0)

/* A decoder of our own, without detail: one instruction after the other from the first. Whether `off` is where one begins, and its size. */
static int is_boundary(int is_arm64, const uint8_t *code, size_t len, uint64_t off, uint8_t insn_bytes)
{
	static csh handles[2];
	static cs_insn *insns[2];
	uint64_t at = 0;
	size_t left = len;

	if (!insns[is_arm64]) {
		REQUIRE(cs_open(is_arm64 ? CS_ARCH_ARM64 : CS_ARCH_X86, is_arm64 ? CS_MODE_ARM : CS_MODE_64, &handles[is_arm64]) ==
			CS_ERR_OK);
		insns[is_arm64] = cs_malloc(handles[is_arm64]);
		REQUIRE(insns[is_arm64]);
	}
	while (cs_disasm_iter(handles[is_arm64], &code, &left, &at, insns[is_arm64])) {
		if (at > off)
			return at - insns[is_arm64]->size == off && insns[is_arm64]->size == insn_bytes;
	}
	return 0;
}

static void check(const struct ht_choice *choice, int is_arm64, const uint8_t *code, size_t len, uint64_t size_bytes)
{
	uint64_t off = choice->file_off - BASE;

	REQUIRE(choice->file_off >= BASE && off < len && (!size_bytes || off < size_bytes));
	REQUIRE(off == choice->moved_bytes && off + choice->insn_bytes <= len && choice->insn_bytes);
	REQUIRE(is_boundary(is_arm64, code, len, off, choice->insn_bytes));
	REQUIRE(choice->args_are_intact && choice->sp_delta_bytes <= 0);
	REQUIRE(memchr(choice->insn, 0, sizeof(choice->insn)) && memchr(choice->why, 0, sizeof(choice->why)) && choice->why[0]);
	if (choice->moved_bytes && !is_arm64 && choice->site_class == HT_SITE_EMULATED) {
		uint8_t first = code[off];

		REQUIRE(first == 0x90 || (first >= 0x50 && first <= 0x57) || (first >= 0x70 && first <= 0x7f) || first == 0x41 ||
			first == 0x0f || first == 0xe8 || first == 0xe9 || first == 0xeb);
	}
}

static void check_inner(struct ht_chooser *chooser, size_t len, unsigned int flags, int is_shared)
{
	/* Functions in the thirds; what they call is in the last or anywhere else. */
	struct ht_chooser_pair_at at = { .int_form = { BASE, len / 3 },
					 .ex_form = { BASE + len / 3, len / 3 },
					 .through = { BASE + len / 2, len / 4 } };
	struct ht_inner inner;

	if (is_shared)
		at.others[0] = at.int_form;
	REQUIRE(ht_chooser_inner(chooser, &ht_chooser_ssl_write, &at, flags, &inner) == 0);
	REQUIRE(inner.why[0] && memchr(inner.why, 0, sizeof(inner.why)));
	REQUIRE((inner.semantics == HT_SEM_NONE) == (inner.done_arg == 0));
	if (inner.semantics == HT_SEM_NONE)
		return;
	REQUIRE(inner.done_arg == 3 || inner.done_arg == 4);
	REQUIRE(inner.ret.file_off >= BASE && inner.ret.file_off - BASE < len && inner.ret.sp_delta_bytes == 0);
	REQUIRE(inner.entry.file_off >= BASE && inner.entry.file_off - BASE < len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct ht_chooser_want want = { HT_ABI_C, 0, 0 };
	struct ht_choice entry, ret;
	struct ht_chooser *chooser;
	uint64_t size_bytes;
	uint8_t mode;
	int is_arm64;

	if (len < 3)
		return 0;
	mode = data[0];
	want.args = data[1];
	data += 2;
	len -= 2;
	is_arm64 = mode & 1;
	want.abi = mode & 2 ? HT_ABI_GO : HT_ABI_C;
	want.flags = (mode & 4 ? HT_CHOOSE_CALL : 0) | (mode & 8 ? HT_CHOOSE_RETURN_MOVED : 0);
	size_bytes = mode & 16 ? 0 : mode & 32 ? UINT64_MAX : mode & 64 ? len / 2 : len;
	chooser = ht_chooser_new_memory(is_arm64 ? EM_AARCH64 : EM_X86_64, data, len, BASE);
	REQUIRE(chooser);
	if (!ht_chooser_site(chooser, BASE, size_bytes, &want, &entry, NULL)) {
		check(&entry, is_arm64, data, len, size_bytes);
		REQUIRE(!ht_chooser_site(chooser, BASE, size_bytes, &want, NULL, &ret));
		if (want.abi == HT_ABI_GO) {
			REQUIRE(!ret.file_off);
		} else {
			check(&ret, is_arm64, data, len, size_bytes);
			REQUIRE(!ret.sp_delta_bytes && (!ret.moved_bytes || want.flags & HT_CHOOSE_RETURN_MOVED));
		}
	}
	check_inner(chooser, len, want.flags, mode & 0x80);
	ht_chooser_free(chooser);
	return 0;
}
