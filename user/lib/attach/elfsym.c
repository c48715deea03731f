/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * elfsym.c - see elfsym.h. By libelf with ELF_C_READ, which checks sizes against the file's; what libelf hands out is checked again here.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach/elfsym.h"

/* A large browser's debug build has some millions of symbols and some tens of segments. */
#define HT_ELFSYM_MAX_FILE_BYTES (4LL << 30)
#define HT_ELFSYM_MAX_SYMBOLS    (8u << 20)
#define HT_ELFSYM_MAX_SEGMENTS   4096u
#define HT_ELFSYM_MAX_SECTIONS   65535u

#if defined(__x86_64__)
#define HT_ELFSYM_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define HT_ELFSYM_MACHINE EM_AARCH64
#else
#error "no ELF machine known for this architecture"
#endif

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
	if (cnt > HT_ELFSYM_MAX_SYMBOLS)
		cnt = HT_ELFSYM_MAX_SYMBOLS;
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

static int search(struct finder *finder, GElf_Word type)
{
	Elf_Scn *scn = NULL;
	unsigned int seen = 0;
	int err = 0;

	while (!err && finder->found_cnt < finder->cnt && seen++ < HT_ELFSYM_MAX_SECTIONS && (scn = elf_nextscn(finder->elf, scn))) {
		GElf_Shdr shdr;

		if (gelf_getshdr(scn, &shdr) && shdr.sh_type == type)
			err = search_table(finder, scn, &shdr);
	}
	return err;
}

static int check_head(struct finder *finder, char *reason, size_t reason_size)
{
	GElf_Ehdr ehdr;

	if (elf_kind(finder->elf) != ELF_K_ELF || !gelf_getehdr(finder->elf, &ehdr)) {
		snprintf(reason, reason_size, "is not an ELF file");
		return -ENOEXEC;
	}
	if (ehdr.e_ident[EI_CLASS] != ELFCLASS64 || ehdr.e_machine != HT_ELFSYM_MACHINE) {
		snprintf(reason, reason_size, "is for another kind of machine (ELF class %d, machine %d)", ehdr.e_ident[EI_CLASS],
			 ehdr.e_machine);
		return -ENOTSUP;
	}
	if (elf_getphdrnum(finder->elf, &finder->segment_cnt) || finder->segment_cnt > HT_ELFSYM_MAX_SEGMENTS) {
		snprintf(reason, reason_size, "is damaged: its program headers cannot be read");
		return -EBADMSG;
	}
	return 0;
}

int ht_elfsym_find(int fd, struct ht_elfsym *syms, size_t cnt, char *reason, size_t reason_size)
{
	struct finder finder = { .syms = syms, .cnt = cnt };
	char path[32];
	struct stat st;
	int own_fd, err;

	for (size_t i = 0; i < cnt; i++)
		syms[i].file_off = syms[i].size_bytes = 0;
	/* fd may be an O_PATH one, which cannot be read. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (own_fd < 0 || fstat(own_fd, &st)) {
		err = -errno;
		snprintf(reason, reason_size, "cannot be read: %s", strerror(-err));
		goto out;
	}
	err = -ENOEXEC;
	snprintf(reason, reason_size, "is not an ELF file");
	if (!S_ISREG(st.st_mode) || st.st_size > HT_ELFSYM_MAX_FILE_BYTES)
		goto out;
	finder.file_bytes = (uint64_t)st.st_size;
	elf_version(EV_CURRENT);
	finder.elf = elf_begin(own_fd, ELF_C_READ, NULL);
	if (!finder.elf)
		goto out;
	err = check_head(&finder, reason, reason_size);
	if (!err)
		err = search(&finder, SHT_DYNSYM);
	if (!err)
		err = search(&finder, SHT_SYMTAB);
	if (err == -EBADMSG)
		snprintf(reason, reason_size, "is damaged: its symbols cannot be read (%s)", elf_errmsg(-1));
	elf_end(finder.elf);
	if (!err) {
		err = (int)finder.found_cnt;
		reason[0] = '\0';
	}
out:
	if (own_fd >= 0)
		close(own_fd);
	return err;
}
