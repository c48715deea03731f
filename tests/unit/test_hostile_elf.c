/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_hostile_elf.c - files named as a library that were made to hurt whoever examines them: none may crash us, hang us, or make us take what memory its
 * numbers ask for. Each is examined in a child with little memory and little time.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "attach/elfplt.h"
#include "attach/elfsym.h"
#include "attach/probes.h"
#include "attach/sites.h"

/* Half a gigabyte holds the bounds of elffile.h and the program itself; a second is a hundred times what an honest library takes. */
#define MEMORY_MAX_BYTES (512UL << 20)
#define TIME_MAX_S       5

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define HAS_MEMORY_LIMIT 0 /* its shadow takes terabytes of address space */
#else
#define HAS_MEMORY_LIMIT 1
#endif

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#else
#define MACHINE EM_AARCH64
#endif

#define GB (1ULL << 30)

/* The honest parts of a library: a text segment, one symbol in it, its name. Everything else may be changed by a case. */
struct library {
	Elf64_Ehdr ehdr;
	Elf64_Phdr text;
	Elf64_Shdr sections[4]; /* none, .dynsym, .dynstr, .rela.plt */
	Elf64_Sym syms[2];
	Elf64_Rela rela[2];
	char strings[64];
	uint8_t code[256];
};

static void fill(struct library *lib)
{
	memset(lib, 0, sizeof(*lib));
	memcpy(lib->ehdr.e_ident, ELFMAG, SELFMAG);
	lib->ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	lib->ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	lib->ehdr.e_ident[EI_VERSION] = EV_CURRENT;
	lib->ehdr.e_type = ET_DYN;
	lib->ehdr.e_machine = MACHINE;
	lib->ehdr.e_version = EV_CURRENT;
	lib->ehdr.e_ehsize = sizeof(Elf64_Ehdr);
	lib->ehdr.e_phoff = offsetof(struct library, text);
	lib->ehdr.e_phentsize = sizeof(Elf64_Phdr);
	lib->ehdr.e_phnum = 1;
	lib->ehdr.e_shoff = offsetof(struct library, sections);
	lib->ehdr.e_shentsize = sizeof(Elf64_Shdr);
	lib->ehdr.e_shnum = 4;
	lib->text = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = sizeof(*lib), .p_memsz = sizeof(*lib) };
	lib->sections[1] = (Elf64_Shdr){ .sh_type = SHT_DYNSYM,
					 .sh_offset = offsetof(struct library, syms),
					 .sh_size = sizeof(lib->syms),
					 .sh_link = 2,
					 .sh_entsize = sizeof(Elf64_Sym) };
	lib->sections[2] =
		(Elf64_Shdr){ .sh_type = SHT_STRTAB, .sh_offset = offsetof(struct library, strings), .sh_size = sizeof(lib->strings) };
	lib->sections[3] = (Elf64_Shdr){ .sh_type = SHT_RELA,
					 .sh_offset = offsetof(struct library, rela),
					 .sh_size = sizeof(lib->rela),
					 .sh_link = 1,
					 .sh_entsize = sizeof(Elf64_Rela) };
	strcpy(lib->strings + 1, "SSL_read");
	lib->syms[1] = (Elf64_Sym){ .st_name = 1,
				    .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
				    .st_shndx = 1,
				    .st_value = offsetof(struct library, code),
				    .st_size = 16 };
	lib->rela[1] = (Elf64_Rela){ .r_offset = 0x1000, .r_info = ELF64_R_INFO(1, 0) };
	memset(lib->code, 0xc3, sizeof(lib->code));
}

static char folder[] = "/tmp/test_hostile_elf.XXXXXX";

static int write_file(const void *data, size_t bytes, uint64_t file_bytes)
{
	int fd = open(folder, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, bytes, 0), bytes);
	assert_int_equal(ftruncate(fd, (off_t)(file_bytes > bytes ? file_bytes : bytes)), 0);
	return fd;
}

static int honest(void)
{
	struct library lib;

	fill(&lib);
	return write_file(&lib, sizeof(lib), 0);
}

/* ---- Numbers that lie ---------------------------------------------------------------------------------------------------------------- */

/* The extended form (elf(5)): 60 million sections in a file that takes no room on disk. */
static int many_sections(void)
{
	struct library lib;

	fill(&lib);
	lib.ehdr.e_shnum = 0;
	lib.sections[0].sh_size = (4 * GB - sizeof(lib)) / sizeof(Elf64_Shdr);
	return write_file(&lib, sizeof(lib), 4 * GB - 4096);
}

static int huge_symbols(void)
{
	struct library lib;

	fill(&lib);
	lib.sections[1].sh_size = 3 * GB;
	return write_file(&lib, sizeof(lib), 4 * GB - 4096);
}

static int huge_strings(void)
{
	struct library lib;

	fill(&lib);
	lib.sections[2].sh_size = 3 * GB;
	return write_file(&lib, sizeof(lib), 4 * GB - 4096);
}

static int huge_relocations(void)
{
	struct library lib;

	fill(&lib);
	lib.sections[3].sh_size = 3 * GB / sizeof(Elf64_Rela) * sizeof(Elf64_Rela);
	return write_file(&lib, sizeof(lib), 4 * GB - 4096);
}

static int strings_compressed(void)
{
	struct library lib;

	fill(&lib);
	lib.sections[2].sh_flags = SHF_COMPRESSED;
	*(Elf64_Chdr *)(void *)lib.strings = (Elf64_Chdr){ .ch_type = ELFCOMPRESS_ZLIB, .ch_size = 1ULL << 40, .ch_addralign = 1 };
	return write_file(&lib, sizeof(lib), 0);
}

/* Four thousand tables that are the same 48 MB of the file. */
static int overlapping_tables(uint32_t type)
{
	enum { CNT = 4000 };
	struct library lib;
	Elf64_Shdr *sections = calloc(CNT, sizeof(*sections));
	int fd;

	assert_non_null(sections);
	fill(&lib);
	for (size_t i = 1; i < CNT; i++) {
		sections[i] = lib.sections[type == SHT_RELA ? 3 : 1];
		sections[i].sh_type = type;
		sections[i].sh_offset = 1 << 20;
		sections[i].sh_size = 48 << 20;
	}
	sections[1] = lib.sections[1];
	sections[2] = lib.sections[2];
	if (type == SHT_DYNSYM)
		sections[1].sh_type = SHT_NULL;
	lib.ehdr.e_shoff = sizeof(lib);
	lib.ehdr.e_shnum = CNT;
	fd = write_file(&lib, sizeof(lib), 64 << 20);
	assert_int_equal(pwrite(fd, sections, CNT * sizeof(*sections), sizeof(lib)), CNT * sizeof(*sections));
	free(sections);
	return fd;
}

static int overlapping_symbols(void)
{
	return overlapping_tables(SHT_DYNSYM);
}

static int overlapping_relocations(void)
{
	return overlapping_tables(SHT_RELA);
}

static int names_past_the_end(void)
{
	struct library lib;

	fill(&lib);
	lib.syms[1].st_name = UINT32_MAX;
	return write_file(&lib, sizeof(lib), 0);
}

static int names_without_end(void)
{
	struct library lib;

	fill(&lib);
	memset(lib.strings, 'S', sizeof(lib.strings));
	return write_file(&lib, sizeof(lib), 0);
}

static int links_to_itself(void)
{
	struct library lib;

	fill(&lib);
	lib.sections[1].sh_link = 1;
	lib.sections[3].sh_link = 3;
	return write_file(&lib, sizeof(lib), 0);
}

static int links_to_nowhere(void)
{
	struct library lib;

	fill(&lib);
	lib.sections[1].sh_link = lib.sections[3].sh_link = UINT32_MAX;
	return write_file(&lib, sizeof(lib), 0);
}

static int offsets_that_overflow(void)
{
	struct library lib;

	fill(&lib);
	lib.sections[1].sh_offset = UINT64_MAX - 8;
	lib.text.p_offset = UINT64_MAX - 8;
	lib.text.p_filesz = UINT64_MAX;
	return write_file(&lib, sizeof(lib), 0);
}

static int entries_of_no_size(void)
{
	struct library lib;

	fill(&lib);
	lib.sections[1].sh_entsize = lib.sections[3].sh_entsize = 0;
	lib.ehdr.e_shentsize = 1;
	lib.ehdr.e_phentsize = 1;
	return write_file(&lib, sizeof(lib), 0);
}

static int function_past_the_end(void)
{
	struct library lib;

	fill(&lib);
	lib.text.p_filesz = lib.text.p_memsz = UINT64_MAX;
	lib.syms[1].st_value = UINT64_MAX - 1;
	return write_file(&lib, sizeof(lib), 0);
}

static int function_of_any_size(void)
{
	struct library lib;

	fill(&lib);
	lib.syms[1].st_size = UINT64_MAX;
	return write_file(&lib, sizeof(lib), 0);
}

static int cut_in_the_head(void)
{
	struct library lib;

	fill(&lib);
	return write_file(&lib, sizeof(Elf64_Ehdr) - 1, 0);
}

static int cut_in_the_sections(void)
{
	struct library lib;

	fill(&lib);
	return write_file(&lib, offsetof(struct library, sections) + 70, 0);
}

static int larger_than_any(void)
{
	struct library lib;

	fill(&lib);
	return write_file(&lib, sizeof(lib), 100 * GB);
}

/* ---- What is no file ----------------------------------------------------------------------------------------------------------------- */

static int open_special(const char *name, mode_t mode, dev_t dev)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(mknod(path, mode | 0600, dev), 0);
	return open(path, O_PATH | O_CLOEXEC);
}

static int fifo(void)
{
	return open_special("fifo", S_IFIFO, 0);
}

static int zeros(void)
{
	return open_special("zeros", S_IFCHR, makedev(1, 5));
}

static int terminal(void)
{
	return open_special("terminal", S_IFCHR, makedev(5, 0));
}

static int directory(void)
{
	return open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int unix_socket(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/socket", folder);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	return open(addr.sun_path, O_PATH | O_CLOEXEC);
}

enum { FOUND = 1, NOT_FOUND = 0, ANYTHING = 1000 };

static const struct {
	const char *why;
	int (*make)(void);
	int expected; /* of ht_elfsym_find() */
} cases[] = {
	{ "what all others are made from", honest, FOUND },
	{ "60 million sections", many_sections, -EBADMSG },
	{ "3 GB of symbols that are a hole in the file", huge_symbols, -EBADMSG },
	{ "3 GB of names", huge_strings, -EBADMSG },
	{ "3 GB of relocations", huge_relocations, FOUND },
	{ "names that become a terabyte when unpacked", strings_compressed, -EBADMSG },
	{ "4,000 symbol tables in one place: the first counts", overlapping_symbols, NOT_FOUND },
	{ "4,000 tables of relocations in one place", overlapping_relocations, FOUND },
	{ "a name past the end of the names", names_past_the_end, NOT_FOUND },
	{ "names that end nowhere", names_without_end, NOT_FOUND },
	{ "a table that is its own names", links_to_itself, -EBADMSG },
	{ "names in a section that is not there", links_to_nowhere, -EBADMSG },
	{ "offsets that overflow", offsets_that_overflow, ANYTHING },
	{ "entries of no size", entries_of_no_size, ANYTHING },
	{ "a function past the end of the file", function_past_the_end, NOT_FOUND },
	{ "a function without an end", function_of_any_size, FOUND },
	{ "cut in its head", cut_in_the_head, -ENOEXEC },
	{ "cut in its sections", cut_in_the_sections, -EBADMSG },
	{ "100 GB that are a hole", larger_than_any, -ENOEXEC },
	{ "a FIFO that nobody writes to", fifo, -ENOEXEC },
	{ "a device that gives zeros without end", zeros, -ENOEXEC },
	{ "a terminal", terminal, -ENOEXEC },
	{ "a directory", directory, -ENOEXEC },
	{ "a socket", unix_socket, -ENOEXEC },
};

/* Exit statuses of the child that examines. */
enum { IS_RIGHT, IS_WRONG };

static int examine(int fd, int expected, const char *why)
{
	struct ht_elfsym sym = { .name = "SSL_read" };
	struct ht_site_plan plan;
	char reason[200] = "", name[64];
	int err = ht_elfsym_find(fd, &sym, 1, reason, sizeof(reason));

	if ((expected != ANYTHING && err != expected) || (err < 0 && !reason[0]) || (err < 1 && sym.file_off)) {
		fprintf(stderr, "%s: %d (%s), expected %d\n", why, err, reason, expected);
		return IS_WRONG;
	}
	ht_elfplt_name(fd, 0x1000, name, sizeof(name));
	err = ht_sites_plan(fd, "libssl.so.3", false, &plan, reason, sizeof(reason));
	return err && !reason[0] ? IS_WRONG : IS_RIGHT;
}

static void none_hurts(void **state)
{
	bool is_root = !geteuid();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct rlimit memory = { MEMORY_MAX_BYTES, MEMORY_MAX_BYTES };
		struct rusage usage;
		int fd, status;
		pid_t pid;

		/* Device nodes are root's to make. */
		if (!is_root && (cases[i].make == zeros || cases[i].make == terminal))
			continue;
		fd = cases[i].make();
		assert_true(fd >= 0);
		fflush(NULL);
		pid = fork();
		if (!pid) {
			if (HAS_MEMORY_LIMIT)
				setrlimit(RLIMIT_AS, &memory);
			alarm(TIME_MAX_S);
			_exit(examine(fd, cases[i].expected, cases[i].why));
		}
		assert_int_equal(wait4(pid, &status, 0, &usage), pid);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != IS_RIGHT)
			fail_msg("%s: %s %d", cases[i].why, WIFEXITED(status) ? "exit status" : "killed by signal",
				 WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
		print_message("# %s: %ld ms, %ld MB\n", cases[i].why, (long)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000,
			      usage.ru_maxrss / 1024);
		close(fd);
	}
}

/* A file that changes between what is read of it: cut, grown, its numbers set anew. */
static void a_file_that_changes_meanwhile(void **state)
{
	int fd = honest(), status;
	struct library lib;
	pid_t writer;

	(void)state;
	fill(&lib);
	fflush(NULL);
	writer = fork();
	if (!writer) {
		alarm(4 * TIME_MAX_S);
		for (unsigned int i = 0;; i++) {
			uint64_t size = i % 3 ? i % sizeof(lib) : 1 << 20;

			if (ftruncate(fd, i % 2 ? 0 : (off_t)size) || pwrite(fd, &lib, i % 5 ? sizeof(lib) : sizeof(lib) / 2, 0) < 0)
				_exit(1);
			lib.sections[i % 4].sh_size = (uint64_t)i << (i % 40);
			lib.sections[(i + 1) % 4].sh_offset = (uint64_t)i * 7 % sizeof(lib);
		}
	}
	for (int i = 0; i < 3000; i++) {
		struct ht_elfsym sym = { .name = "SSL_read" };
		char reason[200] = "", name[64];
		struct ht_site_plan plan;
		int err = ht_elfsym_find(fd, &sym, 1, reason, sizeof(reason));

		assert_true(err >= 0 || reason[0]);
		ht_elfplt_name(fd, 0x1000, name, sizeof(name));
		ht_sites_plan(fd, "libssl.so.3", false, &plan, reason, sizeof(reason));
	}
	kill(writer, SIGKILL);
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(fd);
}

/* More of them than the table of libraries holds: an honest one is taken in all the same, and none of the others is kept for ever. */
static void junk_takes_no_room(void **state)
{
	struct ht_probes_opts opts = { .is_plan = true };
	struct ht_probes *probes = ht_probes_new(&opts);
	size_t cnt;

	(void)state;
	assert_non_null(probes);
	for (int i = 0; i < HT_PROBES_FILES_MAX + 10; i++)
		assert_true(ht_probes_add_file(probes, write_file("junk", 4, 4096), "libssl.so.3", "/junk", false) < 0);
	assert_int_equal(ht_probes_add_file(probes, honest(), "libssl.so.3", "/honest", false), 1);
	assert_string_equal(ht_probes_files(probes, &cnt)[HT_PROBES_FILES_MAX - 1].path, "/honest");
	assert_int_equal(cnt, HT_PROBES_FILES_MAX);
	for (int i = 0; i < HT_PROBES_FILES_MAX; i++)
		assert_true(ht_probes_add_file(probes, write_file("junk", 4, 4096), "libssl.so.3", "/junk", false) < 0);
	assert_string_equal(ht_probes_files(probes, &cnt)[0].path, "/honest");
	/* Honest ones keep their places. */
	for (int i = 1; i < HT_PROBES_FILES_MAX; i++)
		assert_int_equal(ht_probes_add_file(probes, honest(), "libssl.so.3", "/honest", false), 1);
	assert_int_equal(ht_probes_add_file(probes, honest(), "libssl.so.3", "/honest", false), -ENOSPC);
	ht_probes_free(probes);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const names[] = { "fifo", "zeros", "terminal", "socket" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_hurts),
		cmocka_unit_test(a_file_that_changes_meanwhile),
		cmocka_unit_test(junk_takes_no_room),
	};

	return cmocka_run_group_tests_name("hostile_elf", tests, make_folder, remove_folder);
}
