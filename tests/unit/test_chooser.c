/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_chooser.c - probe sites are cheap where that is proven, and the function's first instruction where it is not.
 *
 * Code by hand for the rules; then the libraries and programs that are installed, against what objdump says of them.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "attach/chooser_impl.h"

#include "test_chooser_cases.h"
#include "test_chooser_words.h"

#define BASE 0x1000

/* ---- Code by hand -------------------------------------------------------------------------------------------------------------------- */

/* "48 89 e1 @400": bytes in hex, and displacements of 32 bits to an offset from BASE. Returns the length. */
static size_t assemble(const char *text, uint8_t *code, size_t off)
{
	size_t at = off;

	while (*text) {
		char *end;

		if (*text == ' ') {
			text++;
			continue;
		}
		if (*text == '@') {
			uint32_t by = (uint32_t)(strtoul(text + 1, &end, 16) - (at + 4));

			memcpy(code + at, &by, 4);
			at += 4;
		} else {
			code[at++] = (uint8_t)strtoul(text, &end, 16);
		}
		text = end;
	}
	return at - off;
}

static void test_sites(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++) {
		struct ht_chooser_want want = { sites[i].abi, sites[i].args, sites[i].flags };
		uint8_t code[256] = { 0 };
		size_t cnt = assemble(sites[i].code, code, 0);
		struct ht_chooser *chooser = ht_chooser_new_memory(EM_X86_64, code, cnt, BASE);
		struct ht_choice entry, ret;
		uint64_t size = sites[i].is_size_unknown ? 0 : cnt;

		assert_non_null(chooser);
		assert_int_equal(ht_chooser_site(chooser, BASE, size, &want, &entry, NULL), 0);
		assert_int_equal(ht_chooser_site(chooser, BASE, size, &want, NULL, &ret), 0);
		if (entry.moved_bytes != sites[i].moved || entry.site_class != sites[i].site_class ||
		    entry.sp_delta_bytes != sites[i].sp_delta)
			fail_msg("%s: entry at +%u (%s), stack %d: %s", sites[i].why, entry.moved_bytes, entry.insn, entry.sp_delta_bytes,
				 entry.why);
		if (sites[i].abi == HT_ABI_GO)
			assert_int_equal(ret.file_off, 0);
		else if (ret.moved_bytes != sites[i].ret_moved || ret.site_class != sites[i].ret_class || ret.sp_delta_bytes)
			fail_msg("%s: return at +%u (%s): %s", sites[i].why, ret.moved_bytes, ret.insn, ret.why);
		assert_int_equal(entry.file_off, BASE + entry.moved_bytes);
		assert_true(entry.args_are_intact && entry.insn[0] && entry.why[0]);
		if (sites[i].abi == HT_ABI_C && ret.site_class == HT_SITE_SINGLE_STEP) {
			struct ht_choice both;

			assert_int_equal(ht_chooser_site(chooser, BASE, size, &want, &both, &ret), 0);
			assert_int_equal(both.file_off, ret.file_off);
		}
		ht_chooser_free(chooser);
	}
}

static void test_arm64_sites(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(arm64_sites) / sizeof(arm64_sites[0]); i++) {
		struct ht_chooser_want want = { HT_ABI_C, 3, CALL };
		uint8_t code[64];
		size_t cnt = assemble(arm64_sites[i].code, code, 0);
		struct ht_chooser *chooser = ht_chooser_new_memory(EM_AARCH64, code, cnt, BASE);
		struct ht_choice entry;

		assert_non_null(chooser);
		assert_int_equal(ht_chooser_site(chooser, BASE, cnt, &want, &entry, NULL), 0);
		if (entry.moved_bytes != arm64_sites[i].moved || entry.site_class != arm64_sites[i].site_class ||
		    entry.sp_delta_bytes != arm64_sites[i].sp_delta)
			fail_msg("%s: +%u (%s), stack %d: %s", arm64_sites[i].why, entry.moved_bytes, entry.insn, entry.sp_delta_bytes,
				 entry.why);
		ht_chooser_free(chooser);
	}
}

static void test_inners(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(inners) / sizeof(inners[0]); i++) {
		struct ht_chooser_pair_at at = { .int_form = { BASE + 0x100, 0 }, .ex_form = { BASE + 0x200, 0 } };
		uint8_t code[0x500] = { 0 };
		struct ht_chooser *chooser;
		struct ht_inner inner;

		at.int_form.size_bytes = assemble(inners[i].int_form, code, 0x100);
		at.ex_form.size_bytes = assemble(inners[i].ex_form, code, 0x200);
		if (inners[i].other)
			at.others[1] = (struct ht_chooser_fn){ BASE + 0x300, assemble(inners[i].other, code, 0x300) };
		if (inners[i].through)
			at.through = (struct ht_chooser_fn){ BASE + 0x380, assemble(inners[i].through, code, 0x380) };
		assemble("41 55 c3", code, 0x400);
		assemble("41 55 c3", code, 0x480);
		chooser = ht_chooser_new_memory(EM_X86_64, code, sizeof(code), BASE);
		assert_non_null(chooser);
		assert_int_equal(ht_chooser_inner(chooser, &ht_chooser_ssl_write, &at, 0, &inner), 0);
		if (inner.semantics != (inners[i].done_arg ? HT_SEM_SSL_WRITE : HT_SEM_NONE) || inner.done_arg != inners[i].done_arg)
			fail_msg("%s: %d, done is argument %u: %s", inners[i].why, inner.semantics, inner.done_arg, inner.why);
		assert_true(inner.why[0]);
		if (inners[i].done_arg) {
			assert_int_equal(inner.entry.file_off, BASE + 0x400);
			assert_int_equal(inner.ret.file_off, BASE + 0x400);
			assert_int_equal(inner.ret.site_class, HT_SITE_EMULATED);
		}
		ht_chooser_free(chooser);
	}
}

static void test_bad_places(void **state)
{
	struct ht_chooser_want want = { HT_ABI_C, 7, 0 };
	const uint8_t code[4] = { 0x06, 0x55, 0x5d, 0xc3 };
	struct ht_chooser *chooser = ht_chooser_new_memory(EM_X86_64, code, sizeof(code), BASE);
	struct ht_choice entry;

	(void)state;
	assert_non_null(chooser);
	assert_int_equal(ht_chooser_site(chooser, BASE - 1, 2, &want, &entry, NULL), -ERANGE);
	assert_int_equal(ht_chooser_site(chooser, BASE + 4, 2, &want, &entry, NULL), -ERANGE);
	assert_int_equal(ht_chooser_site(chooser, BASE, 4, &want, &entry, NULL), -EBADMSG);
	/* A size beyond the file's end is a lie: the rest is not known. */
	assert_int_equal(ht_chooser_site(chooser, BASE + 1, UINT64_MAX, &want, &entry, NULL), 0);
	assert_int_equal(entry.moved_bytes, 0);
	ht_chooser_free(chooser);
	ht_chooser_free(NULL);
	assert_null(ht_chooser_new_memory(EM_PPC64, code, sizeof(code), BASE));
	assert_int_equal(errno, ENOTSUP);
}

static void test_bad_files(void **state)
{
	static const struct {
		const char *why;
		size_t bytes;
		uint16_t machine;
		uint64_t phoff;
		uint32_t flags;
		int expected;
	} cases[] = {
		{ "empty", 0, EM_X86_64, 64, PF_X, ENOEXEC },
		{ "cut in its header", 63, EM_X86_64, 64, PF_X, ENOEXEC },
		{ "another machine", 256, EM_S390, 64, PF_X, ENOTSUP },
		{ "program headers beyond the end", 256, EM_X86_64, 4096, PF_X, EBADMSG },
		{ "program headers at the end of all offsets", 256, EM_X86_64, UINT64_MAX - 8, PF_X, EBADMSG },
		{ "nothing executable", 256, EM_X86_64, 64, PF_R, EBADMSG },
		{ "a segment that the file does not hold", 256, EM_X86_64, 64, PF_X, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct {
			Elf64_Ehdr ehdr;
			Elf64_Phdr phdr;
			uint8_t rest[256];
		} file = {
			.ehdr = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB },
				  .e_machine = cases[i].machine,
				  .e_phoff = cases[i].phoff,
				  .e_phnum = 1,
				  .e_phentsize = sizeof(Elf64_Phdr) },
			.phdr = { .p_type = PT_LOAD, .p_flags = cases[i].flags, .p_offset = 4096, .p_filesz = 1 << 20 },
		};
		struct ht_chooser_want want = { HT_ABI_C, 7, 0 };
		int fd = memfd_create("chooser", MFD_CLOEXEC);
		struct ht_chooser *chooser;
		struct ht_choice entry;
		char reason[160];

		assert_true(fd >= 0);
		assert_int_equal(write(fd, &file, cases[i].bytes), cases[i].bytes);
		chooser = ht_chooser_new(fd, reason, sizeof(reason));
		if (cases[i].expected ? chooser || errno != cases[i].expected : !chooser)
			fail_msg("%s: %s", cases[i].why, chooser ? "accepted" : reason);
		if (chooser)
			assert_int_equal(ht_chooser_site(chooser, 4096, 64, &want, &entry, NULL), -EBADMSG);
		else
			assert_true(reason[0]);
		ht_chooser_free(chooser);
		close(fd);
	}
}

/* ---- What is installed --------------------------------------------------------------------------------------------------------------- */

struct listing {
	struct line *lines;
	size_t cnt;
	size_t room;
};

struct function {
	char name[160];
	uint64_t addr;
	uint64_t bytes;
};

struct image {
	char path[512];
	int fd;
	struct ht_chooser *chooser;
	const struct words *words;
	struct listing listing;
	struct function *functions;
	size_t function_cnt;
	uint64_t text_addr; /* of the executable segment, less its file offset */
};

static FILE *run(const char *format, ...)
{
	char command[1024];
	va_list args;
	FILE *pipe;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	return pipe;
}

static bool find_library(const char *name, char *path, size_t path_size)
{
	static const char *const dirs[] = {
		"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/lib64", "/usr/bin", ""
	};

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, path_size, "%s%s%s", dirs[i], dirs[i][0] ? "/" : "", name);
		if (!access(path, R_OK))
			return true;
	}
	return false;
}

static void read_listing(FILE *pipe, struct listing *listing)
{
	char text[512];

	while (fgets(text, sizeof(text), pipe)) {
		struct line line = { 0 };
		char *remark;

		if (sscanf(text, " %" SCNx64 ":\t%11s %67[^\n]", &line.addr, line.mnemonic, line.operands) < 2)
			continue;
		/* Remarks, of either architecture. An immediate of arm64 has no blank behind its sign. */
		remark = strstr(line.operands, "# ");
		if (!remark)
			remark = strstr(line.operands, "//");
		if (remark)
			*remark = '\0';
		if (listing->cnt == listing->room) {
			listing->room = listing->room ? 2 * listing->room : 4096;
			listing->lines = realloc(listing->lines, listing->room * sizeof(line));
			assert_non_null(listing->lines);
		}
		listing->lines[listing->cnt++] = line;
	}
	pclose(pipe);
}

static const struct line *line_at(const struct listing *listing, uint64_t addr)
{
	size_t low = 0, high = listing->cnt;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (listing->lines[middle].addr == addr)
			return &listing->lines[middle];
		if (listing->lines[middle].addr < addr)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static void read_functions(struct image *image, const char *nm_flags)
{
	FILE *pipe = run("nm -S --defined-only %s '%s' 2>/dev/null", nm_flags, image->path);
	size_t room = 0;
	char text[1024], type;

	while (fgets(text, sizeof(text), pipe)) {
		struct function function = { 0 };

		if (sscanf(text, "%" SCNx64 " %" SCNx64 " %c %159[^@\n]", &function.addr, &function.bytes, &type, function.name) != 4 ||
		    !function.bytes || !strchr("Tt", type))
			continue;
		if (image->function_cnt == room) {
			room = room ? 2 * room : 1024;
			image->functions = realloc(image->functions, room * sizeof(function));
			assert_non_null(image->functions);
		}
		image->functions[image->function_cnt++] = function;
	}
	pclose(pipe);
}

static const struct function *function_of(const struct image *image, const char *name)
{
	for (size_t i = 0; i < image->function_cnt; i++) {
		if (!strcmp(image->functions[i].name, name))
			return &image->functions[i];
	}
	return NULL;
}

/* One executable segment is what linkers make. */
static uint64_t text_addr(const char *path)
{
	FILE *pipe = run("readelf -lW '%s' 2>/dev/null", path);
	uint64_t found = UINT64_MAX;
	char text[512];

	while (fgets(text, sizeof(text), pipe)) {
		uint64_t off, addr;

		if (strstr(text, " R E ") && sscanf(text, " LOAD %" SCNx64 " %" SCNx64, &off, &addr) == 2)
			found = addr - off;
	}
	pclose(pipe);
	assert_true(found != UINT64_MAX);
	return found;
}

static const struct words *words_of(int fd)
{
	Elf64_Ehdr ehdr;

	assert_int_equal(pread(fd, &ehdr, sizeof(ehdr), 0), sizeof(ehdr));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i].machine == ehdr.e_machine)
			return &words[i];
	}
	fail_msg("machine %d: what objdump says of it is not known here", ehdr.e_machine);
	return NULL;
}

static bool open_image(struct image *image, const char *name, const char *nm_flags, bool is_listed)
{
	char reason[160];

	memset(image, 0, sizeof(*image));
	if (!find_library(name, image->path, sizeof(image->path))) {
		print_message("%s is not installed\n", name);
		return false;
	}
	if (system("command -v nm >/dev/null && command -v readelf >/dev/null")) {
		print_message("nm or readelf is not installed: nothing is known of %s\n", name);
		return false;
	}
	image->fd = open(image->path, O_RDONLY | O_CLOEXEC);
	assert_true(image->fd >= 0);
	image->chooser = ht_chooser_new(image->fd, reason, sizeof(reason));
	if (!image->chooser)
		fail_msg("%s %s", image->path, reason);
	image->words = words_of(image->fd);
	image->text_addr = text_addr(image->path);
	read_functions(image, nm_flags);
	assert_true(image->function_cnt > 0);
	if (is_listed)
		read_listing(run("o=$(command -v %s || command -v %s) && \"$o\" -d --no-show-raw-insn '%s'", image->words->objdumps[0],
				 image->words->objdumps[1], image->path),
			     &image->listing);
	return true;
}

static void close_image(struct image *image)
{
	ht_chooser_free(image->chooser);
	close(image->fd);
	free(image->listing.lines);
	free(image->functions);
}

/* What must be true of any choice in any file, by objdump's account. */
static void check_choice(const struct image *image, const struct function *function, const struct ht_choice *choice, bool is_ret,
			 enum ht_abi abi)
{
	const struct line *line = line_at(&image->listing, function->addr), *end = image->listing.lines + image->listing.cnt, *site;
	uint64_t addr = choice->file_off + image->text_addr;
	int32_t sp_delta = 0;

	site = line_at(&image->listing, addr);
	if (!line || !site || addr - function->addr != choice->moved_bytes || addr >= function->addr + function->bytes)
		fail_msg("%s %s: +%u is no instruction of it", image->path, function->name, choice->moved_bytes);
	if (site + 1 < end && image->words->is_emulated(site, site[1].addr - site->addr) != (choice->site_class == HT_SITE_EMULATED))
		fail_msg("%s %s: +%u is %s %s, which is not what its class says", image->path, function->name, choice->moved_bytes,
			 site->mnemonic, site->operands);
	/* Some of arm64's conditions have two names: b.lo is b.cc. */
	if (choice->site_class == HT_SITE_EMULATED && !(!strncmp(site->mnemonic, "b.", 2) && !strncmp(choice->insn, "b.", 2)) &&
	    (strncmp(choice->insn, site->mnemonic, strlen(site->mnemonic)) || !strchr(" ", choice->insn[strlen(site->mnemonic)])))
		fail_msg("%s %s: +%u is %s, and is said to be %s", image->path, function->name, choice->moved_bytes, site->mnemonic,
			 choice->insn);
	for (; line < site; line++) {
		bool is_first_found = image->words->is_emulated(line, line[1].addr - line->addr) && abi == HT_ABI_C;

		if (is_first_found || (image->words->ends_block(line) && (abi == HT_ABI_C || line->mnemonic[0] != 'j')) ||
		    (abi == HT_ABI_C && image->words->writes_argument(line)))
			fail_msg("%s %s: %s %s lies before +%u", image->path, function->name, line->mnemonic, line->operands,
				 choice->moved_bytes);
		sp_delta += image->words->stack_move(line);
	}
	if (sp_delta != choice->sp_delta_bytes || (is_ret && sp_delta))
		fail_msg("%s %s: the stack at +%u has moved by %d, not %d", image->path, function->name, choice->moved_bytes, sp_delta,
			 choice->sp_delta_bytes);
	if (!choice->moved_bytes)
		return;
	for (; line && line < end && line->addr < function->addr + function->bytes; line++) {
		uint64_t target;

		if (image->words->target(line, &target) && target > function->addr && target <= addr)
			fail_msg("%s %s: a jump at %" PRIx64 " leads behind the beginning and not behind +%u", image->path, function->name,
				 line->addr, choice->moved_bytes);
	}
}

/* objdump names the function that a stub goes on to. */
static void test_stubs(void **state)
{
	struct image image;
	size_t checked = 0;

	(void)state;
	if (!open_image(&image, "libssl.so.3", "-D", true))
		skip();
	if (image.words->machine != EM_X86_64) {
		print_message("stubs are followed on x86-64 only\n");
		close_image(&image);
		skip();
	}
	for (size_t i = 0; i < image.listing.cnt && checked < 64; i += 7) {
		const struct line *line = &image.listing.lines[i];
		char name[64];
		uint64_t addr;

		if (sscanf(line->operands, "%" SCNx64 " <%63[^@>]@plt>", &addr, name) != 2 || !strstr(line->operands, "@plt>") ||
		    (strcmp(line->mnemonic, "call") && strcmp(line->mnemonic, "jmp")))
			continue;
		if (!ht_chooser_is_plt_of(image.chooser, addr - image.text_addr, name))
			fail_msg("%s: the stub at %" PRIx64 " is not said to be of %s", image.path, addr, name);
		assert_false(ht_chooser_is_plt_of(image.chooser, addr - image.text_addr, "SSL_no_such_function"));
		assert_false(ht_chooser_is_plt_of(image.chooser, line->addr - image.text_addr, name));
		checked++;
	}
	print_message("libssl.so.3: %zu stubs\n", checked);
	assert_true(checked > 0);
	close_image(&image);
}

/* Every function of a file. Returns for how many the site has moved. */
static size_t check_image(struct image *image, enum ht_abi abi)
{
	struct ht_chooser_want want = { abi, abi == HT_ABI_GO ? 0x1ff : 0xf, CALL | MOVE };
	size_t moved = 0;

	for (size_t i = 0; i < image->function_cnt; i++) {
		const struct function *function = &image->functions[i];
		struct ht_choice entry, ret;

		/* Data among the functions, and functions that objdump had nothing to say of. */
		if (!line_at(&image->listing, function->addr))
			continue;
		if (ht_chooser_site(image->chooser, function->addr - image->text_addr, function->bytes, &want, &entry, NULL))
			continue;
		check_choice(image, function, &entry, false, abi);
		moved += entry.moved_bytes && entry.site_class == HT_SITE_EMULATED;
		if (abi == HT_ABI_GO)
			continue;
		assert_int_equal(ht_chooser_site(image->chooser, function->addr - image->text_addr, function->bytes, &want, NULL, &ret), 0);
		check_choice(image, function, &ret, true, abi);
	}
	return moved;
}

static void test_against_objdump(void **state)
{
	static const char *const names[] = { "libssl.so.3", "libcrypto.so.3", "libgnutls.so.30", "libcurl.so.4", "libc.so.6" };
	size_t checked = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct image image;
		size_t moved;

		if (!open_image(&image, names[i], "-D", true))
			continue;
		moved = check_image(&image, HT_ABI_C);
		print_message("%s: %zu functions, in %zu the site moves\n", names[i], image.function_cnt, moved);
		assert_true(moved > 0);
		close_image(&image);
		checked++;
	}
	if (!checked)
		skip();
}

/*
 * The libraries of an arm64 root, where one has been unpacked (tests/vm/root.py). Calls are asked for, and returns that move: with them most
 * functions have an emulated instruction in their entry block.
 */
static void test_arm64_against_objdump(void **state)
{
	static const char *const names[] = { "libssl.so.3", "libcrypto.so.3", "libcurl.so.4", "libc.so.6" };
	const char *cache = getenv("HTTPTRACE_VM_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	size_t checked = 0;

	(void)state;
	if (system("command -v aarch64-linux-gnu-objdump >/dev/null 2>&1")) {
		print_message("aarch64-linux-gnu-objdump is not installed\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct image image;
		char path[512];
		size_t moved;

		if (cache)
			snprintf(path, sizeof(path), "%s/root-arm64/usr/lib/aarch64-linux-gnu/%s", cache, names[i]);
		else
			snprintf(path, sizeof(path), "%s%s/httptrace-bpf/vm/root-arm64/usr/lib/aarch64-linux-gnu/%s",
				 xdg    ? xdg
				 : home ? home
					: "",
				 xdg ? "" : "/.cache", names[i]);
		if (!open_image(&image, path, "-D", true))
			continue;
		assert_int_equal(image.words->machine, EM_AARCH64);
		assert_true(image.listing.cnt > 0);
		moved = check_image(&image, HT_ABI_C);
		print_message("arm64 %s: %zu functions, in %zu the site moves\n", names[i], image.function_cnt, moved);
		assert_true(moved > 0);
		close_image(&image);
		checked++;
	}
	if (!checked)
		skip();
}

static void test_go_against_objdump(void **state)
{
	char dir[] = "/tmp/httptrace-chooser-XXXXXX", path[64];
	struct image image;
	FILE *source;
	size_t moved;

	(void)state;
	if (system("command -v go >/dev/null 2>&1")) {
		print_message("go is not installed\n");
		skip();
	}
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/p.go", dir);
	source = fopen(path, "we");
	assert_non_null(source);
	fputs("package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(len(\"p\")) }\n", source);
	fclose(source);
	pclose(run("cd %s && HOME=${HOME:-/tmp} GO111MODULE=off GOFLAGS= GOTOOLCHAIN=local go build -o p p.go 2>&1", dir));
	snprintf(path, sizeof(path), "%s/p", dir);
	assert_true(open_image(&image, path, "", true));
	moved = check_image(&image, HT_ABI_GO);
	print_message("Go: %zu functions, in %zu the site moves\n", image.function_cnt, moved);
	assert_true(moved > image.function_cnt / 2);
	close_image(&image);
	pclose(run("rm -r %s", dir));
}

static bool has_build_id(const char *path, const char *build_id)
{
	FILE *pipe = run("readelf -n '%s' 2>/dev/null", path);
	bool is_it = false;
	char text[512];

	while (fgets(text, sizeof(text), pipe))
		is_it |= strstr(text, "Build ID: ") && strstr(text, build_id);
	pclose(pipe);
	return is_it;
}

static void check_inner(struct image *image, const struct ht_chooser_pair *pair, uint64_t expected)
{
	struct ht_chooser_pair_at at;
	struct ht_inner inner;
	char reason[160];

	if (ht_chooser_pair_find(image->fd, pair, &at, reason, sizeof(reason)) <= 0)
		return;
	assert_int_equal(ht_chooser_inner(image->chooser, pair, &at, 0, &inner), 0);
	if (expected != (inner.semantics ? inner.entry.file_off : 0))
		fail_msg("%s %s: inner function at %" PRIx64 ": %s", image->path, pair->int_form, inner.entry.file_off, inner.why);
	if (!expected)
		return;
	assert_int_equal(inner.semantics, pair->semantics);
	assert_int_equal(inner.done_arg, 3);
	assert_int_equal(inner.ret.file_off, expected);
	assert_int_equal(inner.ret.site_class, HT_SITE_EMULATED);
}

static void test_installed(void **state)
{
	size_t checked = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(installed) / sizeof(installed[0]); i++) {
		struct image image;

		if (!open_image(&image, installed[i].file, "-D", false))
			continue;
		if (!has_build_id(image.path, installed[i].build_id)) {
			print_message("%s is of a version that nothing is known of\n", image.path);
			close_image(&image);
			continue;
		}
		for (size_t k = 0; k < 16 && installed[i].fns[k].name; k++) {
			const struct function *function = function_of(&image, installed[i].fns[k].name);
			struct ht_chooser_want want = { HT_ABI_C, installed[i].fns[k].args, CALL | MOVE };
			struct ht_choice entry, ret;

			assert_non_null(function);
			assert_int_equal(
				ht_chooser_site(image.chooser, function->addr - image.text_addr, function->bytes, &want, &entry, NULL), 0);
			assert_int_equal(
				ht_chooser_site(image.chooser, function->addr - image.text_addr, function->bytes, &want, NULL, &ret), 0);
			if ((int)entry.moved_bytes != installed[i].fns[k].moved ||
			    (entry.site_class == HT_SITE_SINGLE_STEP) != installed[i].fns[k].is_slow)
				fail_msg("%s: entry at +%u (%s): %s", function->name, entry.moved_bytes, entry.insn, entry.why);
			if ((int)ret.moved_bytes != installed[i].fns[k].ret ||
			    (ret.site_class == HT_SITE_SINGLE_STEP) != installed[i].fns[k].is_ret_slow)
				fail_msg("%s: return at +%u (%s): %s", function->name, ret.moved_bytes, ret.insn, ret.why);
		}
		check_inner(&image, &ht_chooser_ssl_read, installed[i].inner_read);
		check_inner(&image, &ht_chooser_ssl_write, installed[i].inner_write);
		close_image(&image);
		checked++;
	}
	if (!checked)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sites),
		cmocka_unit_test(test_arm64_sites),
		cmocka_unit_test(test_inners),
		cmocka_unit_test(test_bad_places),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_installed),
		cmocka_unit_test(test_stubs),
		cmocka_unit_test(test_against_objdump),
		cmocka_unit_test(test_go_against_objdump),
		cmocka_unit_test(test_arm64_against_objdump),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
