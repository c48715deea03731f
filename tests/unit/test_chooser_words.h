/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_chooser_words.h - what objdump's words mean: the account of instructions that test_chooser.c holds the decoders against. x86-64 in
 * AT&T's order, arm64 as objdump has it.
 */
#ifndef TEST_CHOOSER_WORDS_H
#define TEST_CHOOSER_WORDS_H

#include <elf.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct line {
	uint64_t addr;
	char mnemonic[12];
	char operands[68];
};

/* One for each architecture. */
struct words {
	uint16_t machine;
	const char *objdumps[2]; /* programs that know it, the first that is there */
	bool (*ends_block)(const struct line *line);
	bool (*is_emulated)(const struct line *line, uint64_t bytes);
	bool (*writes_argument)(const struct line *line); /* a register of the first four */
	int32_t (*stack_move)(const struct line *line);
	bool (*target)(const struct line *line, uint64_t *target); /* of a jump, with a condition or without one */
};

static inline bool x86_ends_block(const struct line *line)
{
	return line->mnemonic[0] == 'j' || !strncmp(line->mnemonic, "call", 4) || !strncmp(line->mnemonic, "ret", 3) ||
	       !strcmp(line->mnemonic, "bnd") || !strcmp(line->mnemonic, "notrack") || !strncmp(line->mnemonic, "loop", 4);
}

/* By objdump's words, with the length told by where the next line begins. */
static inline bool x86_is_emulated(const struct line *line, uint64_t bytes)
{
	if (!strcmp(line->mnemonic, "push"))
		return line->operands[0] == '%' && bytes <= 2 && strcmp(line->operands, "%fs") && strcmp(line->operands, "%gs");
	if (!strcmp(line->mnemonic, "nop"))
		return bytes == 1;
	if (!strcmp(line->mnemonic, "jrcxz") || !strcmp(line->mnemonic, "jecxz") || strchr(line->mnemonic, ','))
		return false;
	return (line->mnemonic[0] == 'j' || !strcmp(line->mnemonic, "call")) && line->operands[0] != '*' && bytes <= 6;
}

/* Whether the last operand, which AT&T's order makes the written one, is a register of the first four arguments. */
static inline bool x86_writes_argument(const struct line *line)
{
	static const char *const names[] = { "%rdi", "%edi", "%di", "%dil", "%rsi", "%esi", "%si", "%sil", "%rdx",
					     "%edx", "%dx",  "%dl", "%dh",  "%rcx", "%ecx", "%cx", "%cl",  "%ch" };
	const char *last = strrchr(line->operands, ',');
	char text[68];
	size_t len;

	last = last ? last + 1 : line->operands;
	snprintf(text, sizeof(text), "%s", last);
	len = strcspn(text, " ");
	text[len] = '\0';
	if (!strncmp(line->mnemonic, "cmp", 3) || !strncmp(line->mnemonic, "test", 4) || !strcmp(line->mnemonic, "push") ||
	    !strncmp(line->mnemonic, "bt", 2))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(text, names[i]) || (!strcmp(line->mnemonic, "xchg") && strstr(line->operands, names[i])))
			return true;
	}
	return false;
}

static inline int32_t x86_stack_move(const struct line *line)
{
	int move = 0;

	if (!strncmp(line->mnemonic, "push", 4))
		return -8;
	if (!strcmp(line->mnemonic, "sub") && strstr(line->operands, ",%rsp") && sscanf(line->operands, "$%i", &move) == 1)
		return -move;
	if (!strcmp(line->mnemonic, "add") && strstr(line->operands, ",%rsp") && sscanf(line->operands, "$%i", &move) == 1)
		return move;
	return 0;
}

static inline bool x86_target(const struct line *line, uint64_t *target)
{
	return line->mnemonic[0] == 'j' && sscanf(line->operands, "%" SCNx64, target) == 1;
}

/* b, b.eq, cbz, cbnz, tbz, tbnz: not bic, bfi, br. */
static inline bool arm64_is_jump(const char *mnemonic)
{
	return !strcmp(mnemonic, "b") || !strncmp(mnemonic, "b.", 2) || !strncmp(mnemonic, "cbz", 3) || !strncmp(mnemonic, "cbnz", 4) ||
	       !strncmp(mnemonic, "tbz", 3) || !strncmp(mnemonic, "tbnz", 4);
}

static inline bool arm64_is_emulated(const struct line *line, uint64_t bytes)
{
	(void)bytes;
	return arm64_is_jump(line->mnemonic) || !strcmp(line->mnemonic, "bl");
}

static inline bool arm64_ends_block(const struct line *line)
{
	return arm64_is_jump(line->mnemonic) || !strncmp(line->mnemonic, "bl", 2) || !strncmp(line->mnemonic, "br", 2) ||
	       !strncmp(line->mnemonic, "ret", 3) || !strcmp(line->mnemonic, "udf");
}

static inline bool arm64_is_argument(const char *text)
{
	return (text[0] == 'x' || text[0] == 'w') && text[1] >= '0' && text[1] <= '3' && (!text[2] || strchr(",]", text[2]));
}

/* The first operand is the written one, of pairs the first two; a base that is written back is one in brackets. */
static inline bool arm64_writes_argument(const struct line *line)
{
	const char *base = strchr(line->operands, '['), *second = strchr(line->operands, ',');

	if (base && (strchr(base, '!') || strstr(base, "],")) && arm64_is_argument(base + 1))
		return true;
	if (!strncmp(line->mnemonic, "st", 2) || !strcmp(line->mnemonic, "cmp") || !strcmp(line->mnemonic, "cmn") ||
	    !strcmp(line->mnemonic, "tst") || !strncmp(line->mnemonic, "ccm", 3) || !strncmp(line->mnemonic, "prf", 3))
		return false;
	return arm64_is_argument(line->operands) ||
	       (!strncmp(line->mnemonic, "ldp", 3) && second && arm64_is_argument(second + 1 + strspn(second + 1, " ")));
}

static inline int32_t arm64_stack_move(const struct line *line)
{
	const char *base = strstr(line->operands, "[sp, #"), *after = strstr(line->operands, "[sp], #");
	int move = 0;

	if (base && strchr(base, '!') && sscanf(base, "[sp, #%i]", &move) == 1)
		return move;
	if (after && sscanf(after, "[sp], #%i", &move) == 1)
		return move;
	if (!strncmp(line->operands, "sp, sp, #", 9) && sscanf(line->operands + 9, "%i", &move) == 1)
		return strstr(line->operands, "lsl #12") ? (!strcmp(line->mnemonic, "sub") ? -move : move) * 4096
		       : !strcmp(line->mnemonic, "sub")  ? -move
							 : move;
	return 0;
}

static inline bool arm64_target(const struct line *line, uint64_t *target)
{
	const char *last = strrchr(line->operands, ',');

	return arm64_is_jump(line->mnemonic) && sscanf(last ? last + 1 : line->operands, " %" SCNx64, target) == 1;
}

static const struct words words[] = {
	{ EM_X86_64,
	  { "objdump", "x86_64-linux-gnu-objdump" },
	  x86_ends_block,
	  x86_is_emulated,
	  x86_writes_argument,
	  x86_stack_move,
	  x86_target },
	{ EM_AARCH64,
	  { "aarch64-linux-gnu-objdump", "objdump" },
	  arm64_ends_block,
	  arm64_is_emulated,
	  arm64_writes_argument,
	  arm64_stack_move,
	  arm64_target },
};

#endif
