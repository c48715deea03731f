/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * elffile.c - see elffile.h.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach/elffile.h"

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NATIVE_DATA ELFDATA2LSB
#else
#define NATIVE_DATA ELFDATA2MSB
#endif

int ht_elffile_reopen(int fd, uint64_t *file_bytes)
{
	char path[32];
	struct stat st;
	int own_fd;

	/* Before it is opened: that alone may wind a tape, or start a watchdog. */
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > HT_ELFFILE_MAX_BYTES)
		return -ENOEXEC;
	*file_bytes = (uint64_t)st.st_size;
	/* fd may be an O_PATH one, which cannot be read. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return own_fd < 0 ? -errno : own_fd;
}

/* More segments or sections than fit their fields are told in the first section (elf(5)): far more than the bounds. */
static bool has_sane_head(const Elf64_Ehdr *ehdr, uint64_t file_bytes)
{
	if (ehdr->e_phnum > HT_ELFFILE_MAX_SEGMENTS || ehdr->e_shnum > HT_ELFFILE_MAX_SECTIONS || (!ehdr->e_shnum && ehdr->e_shoff))
		return false;
	return ehdr->e_shoff <= file_bytes && ehdr->e_shnum * sizeof(Elf64_Shdr) <= file_bytes - ehdr->e_shoff;
}

Elf *ht_elffile_begin(int fd, uint64_t file_bytes)
{
	Elf64_Ehdr ehdr;
	Elf *elf = NULL;

	errno = ENOEXEC;
	if (pread(fd, &ehdr, sizeof(ehdr), 0) != (ssize_t)sizeof(ehdr) || memcmp(ehdr.e_ident, ELFMAG, SELFMAG))
		return NULL;
	errno = ENOTSUP;
	if (ehdr.e_ident[EI_CLASS] != ELFCLASS64 || ehdr.e_ident[EI_DATA] != NATIVE_DATA)
		return NULL;
	if (has_sane_head(&ehdr, file_bytes)) {
		elf_version(EV_CURRENT);
		elf = elf_begin(fd, ELF_C_READ, NULL);
	}
	if (elf && elf_kind(elf) != ELF_K_ELF) {
		elf_end(elf);
		elf = NULL;
	}
	if (!elf)
		errno = EBADMSG;
	return elf;
}

bool ht_elffile_is_table(Elf_Scn *scn, GElf_Shdr *shdr)
{
	return scn && gelf_getshdr(scn, shdr) && !(shdr->sh_flags & SHF_COMPRESSED) && shdr->sh_size <= HT_ELFFILE_MAX_TABLE_BYTES;
}

bool ht_elffile_has_strings(Elf *elf, const GElf_Shdr *shdr)
{
	GElf_Shdr strings;

	return ht_elffile_is_table(elf_getscn(elf, shdr->sh_link), &strings) && strings.sh_type == SHT_STRTAB;
}
