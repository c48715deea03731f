/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * elfsym.h - where functions lie in an ELF file.
 *
 * In:  an fd of a file that anybody may have written. Out: file offsets, which is what uprobes want. Read by pread, never mapped (a file cut short
 * while it is read cannot raise SIGBUS); every index and offset is checked. Bounds: elffile.h.
 */
#ifndef HT_ELFSYM_H
#define HT_ELFSYM_H

#include <stddef.h>
#include <stdint.h>

struct ht_elfsym {
	const char *name;    /* in */
	uint64_t file_off;   /* out; 0: not found */
	uint64_t size_bytes; /* out; 0: the file does not say */
};

/*
 * Looks all names up, in .dynsym, then in .symtab: defined functions inside an executable segment only. Returns how many were found,
 * or -errno with a reason: -ENOEXEC no ELF file; -ENOTSUP of another machine or class; -EBADMSG damaged; -errno of reading.
 */
int ht_elfsym_find(int fd, struct ht_elfsym *syms, size_t cnt, char *reason, size_t reason_size);

#endif
