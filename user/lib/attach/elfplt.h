/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * elfplt.h - which function a slot of an ELF file's global offset table is for.
 *
 * In:  an fd of a file that anybody may have written, and the slot's address. Out: the function's name. Read by pread, never mapped.
 * Bounds: elffile.h.
 */
#ifndef HT_ELFPLT_H
#define HT_ELFPLT_H

#include <stddef.h>
#include <stdint.h>

/* 0; -ESRCH: no relocation there names a function, or its name does not fit; -EBADMSG: no ELF file, or damaged. */
int ht_elfplt_name(int fd, uint64_t slot_addr, char *name, size_t name_size);

#endif
