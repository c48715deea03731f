/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * elfsym.c - see elfsym.h. By libelf, within the bounds of elffile.h; what libelf hands out is checked again here.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attach/elffile.h"
#include "attach/elfsym.h"
#include "attach/native.h"

struct finder {
	Elf *elf;
	struct ht_elfsym *syms;
	size_t cnt;
	size_t found_cnt;
	size_t segment_cnt;
	uint64_t file_bytes;
};

/* The file offset of an address in an executable segment; 0 where there is none (offset 0 is the ELF header, never a function). */
static uint64_t offset_of(const struct finder *finder, uint64_t addr)
{
	for (size_t i = 0; i < finder->segment_cnt; i++) {
		GElf_Phdr phdr;

		if (!gelf_getphdr(finder->elf, (int)i, &phdr) || phdr.p_type != PT_LOAD || !(phdr.p_flags & PF_X))
			continue;
		if (addr < phdr.p_vaddr || addr - phdr.p_vaddr >= phdr.p_filesz)
			continue;
		if (phdr.p_offset > finder->file_bytes || addr - phdr.p_vaddr >= finder->file_bytes - phdr.p_offset)
			return 0;
		return phdr.p_offset + (addr - phdr.p_vaddr);
	}
	return 0;
}

static void take_symbol(struct finder *finder, const GElf_Sym *sym, const char *name)
{
	for (size_t i = 0; i < finder->cnt; i++) {
		struct ht_elfsym *wanted = &finder->syms[i];

		if (wanted->file_off || wanted->name[0] != name[0] || strcmp(wanted->name, name))
			continue;
		wanted->file_off = offset_of(finder, sym->st_value);
		wanted->size_bytes = sym->st_size;
		if (wanted->file_off)
			finder->found_cnt++;
	}
}

static int search_table(struct finder *finder, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t sym_bytes = gelf_fsize(finder->elf, ELF_T_SYM, 1, EV_CURRENT), cnt;

	if (!data || !data->d_buf || !sym_bytes)
		return -EBADMSG;
	cnt = data->d_size / sym_bytes;
	for (size_t i = 0; i < cnt && finder->found_cnt < finder->cnt; i++) {
		const char *name;
		GElf_Sym sym;

		if (!gelf_getsym(data, (int)i, &sym) || sym.st_shndx == SHN_UNDEF || !sym.st_value)
			continue;
		/* An IFUNC's address is its resolver's: nothing that is probed is one. */
		if (GELF_ST_TYPE(sym.st_info) != STT_FUNC)
			continue;
		name = elf_strptr(finder->elf, shdr->sh_link, sym.st_name);
		if (name)
			take_symbol(finder, &sym, name);
	}
	return 0;
}

/* Of each type a file has one table (elf(5)): more are not looked at. */
static int search(struct finder *finder, GElf_Word type)
{
	Elf_Scn *scn = NULL;

	if (finder->found_cnt == finder->cnt)
		return 0;
	while ((scn = elf_nextscn(finder->elf, scn))) {
		GElf_Shdr shdr;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != type)
			continue;
		if (!ht_elffile_is_table(scn, &shdr) || !ht_elffile_has_strings(finder->elf, &shdr))
			return -EBADMSG;
		return search_table(finder, scn, &shdr);
	}
	return 0;
}

static int check_head(struct finder *finder, char *reason, size_t reason_size)
{
	GElf_Ehdr ehdr;

	if (!gelf_getehdr(finder->elf, &ehdr) || elf_getphdrnum(finder->elf, &finder->segment_cnt)) {
		snprintf(reason, reason_size, "is damaged: its head cannot be read");
		return -EBADMSG;
	}
	if (ehdr.e_machine != HT_NATIVE_MACHINE) {
		snprintf(reason, reason_size, "is for another kind of machine (%d)", ehdr.e_machine);
		return -ENOTSUP;
	}
	return 0;
}

static const char *refusal(int err)
{
	switch (-err) {
	case ENOEXEC:
		return "is not an ELF file";
	case ENOTSUP:
		return "is for another kind of machine (ELF class or byte order)";
	default:
		return "is damaged: its head cannot be read";
	}
}

int ht_elfsym_find(int fd, struct ht_elfsym *syms, size_t cnt, char *reason, size_t reason_size)
{
	struct finder finder = { .syms = syms, .cnt = cnt };
	int own_fd, err;

	for (size_t i = 0; i < cnt; i++)
		syms[i].file_off = syms[i].size_bytes = 0;
	own_fd = ht_elffile_reopen(fd, &finder.file_bytes);
	if (own_fd < 0) {
		if (own_fd == -ENOEXEC)
			snprintf(reason, reason_size, "%s", refusal(own_fd));
		else
			snprintf(reason, reason_size, "cannot be read: %s", strerror(-own_fd));
		return own_fd;
	}
	finder.elf = ht_elffile_begin(own_fd, finder.file_bytes);
	if (!finder.elf) {
		err = -errno;
		snprintf(reason, reason_size, "%s", refusal(err));
		goto out;
	}
	err = check_head(&finder, reason, reason_size);
	if (err)
		goto out;
	err = search(&finder, SHT_DYNSYM);
	if (!err)
		err = search(&finder, SHT_SYMTAB);
	/* What the one has is right, whatever the other is. */
	if (err && finder.found_cnt)
		err = 0;
	if (err) {
		snprintf(reason, reason_size, "is damaged, or too large: its symbols cannot be read");
	} else {
		err = (int)finder.found_cnt;
		reason[0] = '\0';
	}
out:
	elf_end(finder.elf);
	close(own_fd);
	return err;
}
