/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * chooser_impl.h - what chooser.c (files, sites) and chooser_inner.c (the proof of inner functions) share.
 */
#ifndef HT_CHOOSER_IMPL_H
#define HT_CHOOSER_IMPL_H

#include "attach/arch.h"
#include "attach/chooser.h"

#define HT_CHOOSER_SEGMENTS_MAX 8 /* executable ones; linkers make one or two */

struct ht_segment {
	uint64_t off;
	uint64_t bytes;
	uint64_t addr; /* as linked */
};

struct ht_chooser {
	const struct ht_arch *arch;
	csh cs;
	cs_insn *cs_insn;
	int fd;
	const uint8_t *memory; /* instead of fd, for offsets from base */
	uint64_t base;
	struct ht_segment segments[HT_CHOOSER_SEGMENTS_MAX];
	size_t segment_cnt;
	uint8_t *code; /* of the function looked at: room for HT_CHOOSER_CODE_MAX */
	uint64_t code_off;
	size_t code_bytes;
};

/* Reads a function, or as much of it as there is and fits, into chooser->code. Whether all of it: 1, else 0; -ERANGE; -errno of reading. */
int ht_chooser_load(struct ht_chooser *chooser, uint64_t file_off, uint64_t size_bytes);
/* Decodes the instruction at a file offset inside the loaded code. 0, or -EBADMSG. cs_insn holds its text until the next call. */
int ht_chooser_decode(struct ht_chooser *chooser, uint64_t file_off, struct ht_insn *insn);
/* Whether what lies at a file offset does nothing but go on to the function of that name, by way of the global offset table. */
bool ht_chooser_is_plt_of(struct ht_chooser *chooser, uint64_t file_off, const char *name);
bool ht_chooser_is_code(const struct ht_chooser *chooser, uint64_t file_off);

#endif
