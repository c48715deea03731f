/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * elfplt.c - see elfplt.h. By libelf, within the bounds of elffile.h, which here are those of all tables of relocations together.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include <unistd.h>

#include "attach/elffile.h"
#include "attach/elfplt.h"

static int name_of(Elf *elf, size_t symbols_index, GElf_Word symbol, char *name, size_t name_size)
{
	Elf_Scn *scn = elf_getscn(elf, symbols_index);
	const char *text;
	Elf_Data *data;
	GElf_Shdr shdr;
	GElf_Sym sym;

	if (!ht_elffile_is_table(scn, &shdr) || (shdr.sh_type != SHT_DYNSYM && shdr.sh_type != SHT_SYMTAB) ||
	    !ht_elffile_has_strings(elf, &shdr))
		return -EBADMSG;
	data = elf_getdata(scn, NULL);
	if (!data)
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
	for (size_t i = 0; i < cnt; i++) {
		GElf_Rela rela;

		if (gelf_getrela(data, (int)i, &rela) && rela.r_offset == slot_addr)
			return name_of(elf, shdr->sh_link, (GElf_Word)GELF_R_SYM(rela.r_info), name, name_size);
	}
	return -ESRCH;
}

int ht_elfplt_name(int fd, uint64_t slot_addr, char *name, size_t name_size)
{
	uint64_t file_bytes, read_bytes = 0;
	int own_fd = ht_elffile_reopen(fd, &file_bytes), err = -ESRCH;
	Elf_Scn *scn = NULL;
	Elf *elf;

	if (own_fd < 0)
		return -EBADMSG;
	elf = ht_elffile_begin(own_fd, file_bytes);
	if (!elf)
		err = -EBADMSG;
	while (err == -ESRCH && (scn = elf_nextscn(elf, scn))) {
		GElf_Shdr shdr;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_RELA)
			continue;
		read_bytes += shdr.sh_size;
		if (!ht_elffile_is_table(scn, &shdr) || read_bytes > HT_ELFFILE_MAX_TABLE_BYTES)
			err = -EBADMSG;
		else
			err = search(elf, scn, &shdr, slot_addr, name, name_size);
	}
	elf_end(elf);
	close(own_fd);
	return err;
}
