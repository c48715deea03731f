/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * elfplt.c - see elfplt.h. By libelf with ELF_C_READ, which checks sizes against the file's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>

#include "attach/elfplt.h"

#define HT_ELFPLT_MAX_SECTIONS    65535u
#define HT_ELFPLT_MAX_RELOCATIONS (4u << 20)

static int name_of(Elf *elf, size_t symbols_index, GElf_Word symbol, char *name, size_t name_size)
{
	Elf_Scn *scn = elf_getscn(elf, symbols_index);
	Elf_Data *data = scn ? elf_getdata(scn, NULL) : NULL;
	const char *text;
	GElf_Shdr shdr;
	GElf_Sym sym;

	if (!data || !gelf_getshdr(scn, &shdr) || (shdr.sh_type != SHT_DYNSYM && shdr.sh_type != SHT_SYMTAB))
		return -EBADMSG;
	if (symbol > INT32_MAX || !gelf_getsym(data, (int)symbol, &sym))
		return -EBADMSG;
	text = elf_strptr(elf, shdr.sh_link, sym.st_name);
	if (!text || !text[0] || strlen(text) >= name_size)
		return -ESRCH;
	memcpy(name, text, strlen(text) + 1);
	return 0;
}

static int search(Elf *elf, Elf_Scn *scn, const GElf_Shdr *shdr, uint64_t slot_addr, char *name, size_t name_size)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t bytes = gelf_fsize(elf, ELF_T_RELA, 1, EV_CURRENT), cnt;

	if (!data || !data->d_buf || !bytes)
		return -ESRCH;
	cnt = data->d_size / bytes;
	if (cnt > HT_ELFPLT_MAX_RELOCATIONS)
		cnt = HT_ELFPLT_MAX_RELOCATIONS;
	for (size_t i = 0; i < cnt; i++) {
		GElf_Rela rela;

		if (gelf_getrela(data, (int)i, &rela) && rela.r_offset == slot_addr)
			return name_of(elf, shdr->sh_link, (GElf_Word)GELF_R_SYM(rela.r_info), name, name_size);
	}
	return -ESRCH;
}

int ht_elfplt_name(int fd, uint64_t slot_addr, char *name, size_t name_size)
{
	Elf_Scn *scn = NULL;
	unsigned int seen = 0;
	int err = -ESRCH;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF) {
		elf_end(elf);
		return -EBADMSG;
	}
	while (err == -ESRCH && seen++ < HT_ELFPLT_MAX_SECTIONS && (scn = elf_nextscn(elf, scn))) {
		GElf_Shdr shdr;

		if (gelf_getshdr(scn, &shdr) && shdr.sh_type == SHT_RELA)
			err = search(elf, scn, &shdr, slot_addr, name, name_size);
	}
	elf_end(elf);
	return err;
}
