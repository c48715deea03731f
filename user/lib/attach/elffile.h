/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * elffile.h - opens an ELF file that anybody may have written, so that libelf can be let at it.
 *
 * In:  an fd, also an O_PATH one. Out: libelf's handle, reading by pread, never mapped (a file cut short while it is read cannot raise SIGBUS).
 * libelf checks offsets and sizes against the file's, but takes as much memory as these say, and a file may be sparse: here is the bound of that.
 */
#ifndef HT_ELFFILE_H
#define HT_ELFFILE_H

#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A large browser's debug build has some gigabytes, some tens of segments, and hundreds of sections. */
#define HT_ELFFILE_MAX_BYTES       (4LL << 30)
#define HT_ELFFILE_MAX_SEGMENTS    4096u
#define HT_ELFFILE_MAX_SECTIONS    4096u
/* Of one table of symbols, of strings, of relocations: two millions of symbols. */
#define HT_ELFFILE_MAX_TABLE_BYTES (64ULL << 20)

/* Opens for reading what fd is, if it is a regular file: no device or FIFO is touched. Its own fd, or -errno: -ENOEXEC it is none, or larger than the bound. */
int ht_elffile_reopen(int fd, uint64_t *file_bytes);
/*
 * Of a readable fd, the caller's. NULL and errno: ENOEXEC no ELF file; ENOTSUP of another class or byte order; EBADMSG its head says what cannot be, or
 * what is beyond the bounds.
 */
Elf *ht_elffile_begin(int fd, uint64_t file_bytes);
/* The header of a section whose contents may be asked for: not compressed, within the bounds. */
bool ht_elffile_is_table(Elf_Scn *scn, GElf_Shdr *shdr);
/* Whether the strings that a table names are such a section. */
bool ht_elffile_has_strings(Elf *elf, const GElf_Shdr *shdr);

#endif
