/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_sites.c - the plan of a library: one function serves two public ones, or each its own, never both; what cannot be decoded stays at entries,
 * as does everything where that is asked for.
 *
 * With the installed libssl, and copies of it that have been damaged.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "abi/config.h"
#include "attach/elfsym.h"
#include "attach/sites.h"

/* Not an instruction of x86-64 (push %es). */
#define NO_INSN 0x06

static const char *find_libssl(void)
{
	static const char *const paths[] = { "/usr/lib/x86_64-linux-gnu/libssl.so.3", "/usr/lib64/libssl.so.3", "/usr/lib/libssl.so.3" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (!access(paths[i], R_OK))
			return paths[i];
	}
	print_message("skipped: needs libssl.so.3\n");
	skip();
	return NULL;
}

static const struct ht_site_fn *find_fn(const struct ht_site_plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->fn_cnt; i++) {
		if (!strcmp(plan->fns[i].name, name))
			return &plan->fns[i];
	}
	fail_msg("no row of %s", name);
	return NULL;
}

static bool is_probed(const struct ht_site_fn *fn)
{
	return fn->is_found && (fn->wants_entry || fn->wants_return);
}

/* Of any plan: ids are unique, as a return is matched with its entry by them; a frame's entry has the stack pointer of the call. */
static void check_rows(const struct ht_site_plan *plan, const struct ht_elfsym *first)
{
	for (size_t i = 0; i < plan->fn_cnt; i++) {
		const struct ht_site_fn *fn = &plan->fns[i];

		assert_true(fn->why[0] || !fn->is_found);
		for (size_t j = 0; j < i && fn->id; j++)
			assert_int_not_equal(fn->id, plan->fns[j].id);
		if (!is_probed(fn))
			continue;
		assert_true(fn->entry_off && fn->return_off);
		if (fn->wants_entry && fn->wants_return)
			assert_int_equal(fn->entry_off, fn->return_off);
		if (fn->wants_return && first->file_off && !strcmp(fn->name, first->name))
			assert_int_equal(fn->return_off, first->file_off);
	}
}

static void each_call_has_one_pair(void **state)
{
	static const struct {
		const char *why;
		const char *damaged; /* function whose code is none any more */
		bool has_read_inner;
		bool has_write_inner;
	} table[] = {
		{ "as installed", NULL, true, true },
		{ "SSL_write cannot be decoded", "SSL_write", true, false },
		{ "one of the two forms is enough", "SSL_read_ex", false, true },
		{ "another function's damage is its own", "SSL_do_handshake", true, true },
	};
	static const char *const forms[2][2] = { { "SSL_read", "SSL_read_ex" }, { "SSL_write", "SSL_write_ex" } };
	static const char *const inner_names[2] = { "inside SSL_read[_ex]", "inside SSL_write[_ex]" };
	const char *path = find_libssl();

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int from = open(path, O_RDONLY | O_CLOEXEC), fd = memfd_create("libssl.so.3", MFD_CLOEXEC);
		struct ht_elfsym sym = { .name = table[i].damaged ? table[i].damaged : "SSL_connect" };
		struct ht_site_plan plan;
		char reason[128], bad[64];
		struct stat st;

		assert_true(from >= 0 && fd >= 0);
		assert_int_equal(fstat(from, &st), 0);
		for (off_t off = 0; off < st.st_size;)
			assert_true(sendfile(fd, from, &off, (size_t)(st.st_size - off)) > 0);
		close(from);
		assert_int_equal(ht_elfsym_find(fd, &sym, 1, reason, sizeof(reason)), 1);
		memset(bad, NO_INSN, sizeof(bad));
		if (table[i].damaged)
			assert_int_equal(pwrite(fd, bad, sym.size_bytes < sizeof(bad) ? sym.size_bytes : sizeof(bad), (off_t)sym.file_off),
					 sym.size_bytes < sizeof(bad) ? sym.size_bytes : sizeof(bad));
		assert_int_equal(ht_sites_plan(fd, "libssl.so.3", false, &plan, reason, sizeof(reason)), 0);
		check_rows(&plan, &sym);
		for (size_t j = 0; j < 2; j++) {
			bool has = j ? table[i].has_write_inner : table[i].has_read_inner;
			const struct ht_site_fn *inner = find_fn(&plan, inner_names[j]);

			if (is_probed(inner) != has)
				fail_msg("%s: %s: %s", table[i].why, inner->name, inner->why);
			for (size_t k = 0; k < 2; k++) {
				const struct ht_site_fn *fn = find_fn(&plan, forms[j][k]);

				if (is_probed(fn) == has || (!has && (!fn->wants_entry || !fn->wants_return)))
					fail_msg("%s: %s: %s", table[i].why, fn->name, fn->why);
				assert_int_not_equal(fn->entry_off, inner->entry_off);
			}
		}
		if (table[i].damaged) {
			const struct ht_site_fn *fn = find_fn(&plan, table[i].damaged);

			assert_true(fn->wants_entry && fn->wants_return);
			assert_int_equal(fn->entry_off, sym.file_off);
			assert_int_equal(fn->insn[0], 0);
			assert_non_null(strstr(fn->why, "could not be decoded"));
		}
		assert_true(is_probed(find_fn(&plan, "SSL_peek")) && is_probed(find_fn(&plan, "SSL_peek_ex")));
		close(fd);
	}
}

/* What the two programs of bpf/openssl.bpf.c read of the inner functions goes by the id. */
static void inner_ids(void **state)
{
	struct ht_site_plan plan;
	char reason[128];
	int fd = open(find_libssl(), O_PATH | O_CLOEXEC);
	uint32_t id;

	(void)state;
	assert_int_equal(ht_sites_plan(fd, "libssl.so.3", false, &plan, reason, sizeof(reason)), 0);
	close(fd);
	assert_int_equal(find_fn(&plan, "inside SSL_read[_ex]")->id, HT_FN_SSL_READ_INNER);
	/* OpenSSL 3.3 put the flags before the last argument. */
	id = find_fn(&plan, "inside SSL_write[_ex]")->id;
	assert_true(id == HT_FN_SSL_WRITE_INNER || id == HT_FN_SSL_WRITE_INNER5);
}

/* Each probe sits on its public function's first instruction, and no other function has any. */
static void entries_only(void **state)
{
	const char *path = find_libssl();
	struct ht_site_plan plan;
	size_t public_cnt = 0;
	char reason[128];
	int fd = open(path, O_PATH | O_CLOEXEC);

	(void)state;
	assert_int_equal(ht_sites_plan(fd, "libssl.so.3", true, &plan, reason, sizeof(reason)), 0);
	for (size_t i = 0; i < plan.fn_cnt; i++) {
		const struct ht_site_fn *fn = &plan.fns[i];
		struct ht_elfsym sym = { .name = fn->name };

		if (!is_probed(fn))
			fail_msg("%s: %s", fn->name, fn->why);
		assert_int_equal(ht_elfsym_find(fd, &sym, 1, reason, sizeof(reason)), 1);
		assert_true(sym.file_off > 0);
		assert_int_equal(fn->entry_off, sym.file_off);
		assert_int_equal(fn->return_off, sym.file_off);
		assert_int_equal(fn->moved_bytes, 0);
		assert_true(fn->insn[0]);
		assert_non_null(strstr(fn->why, "as asked for"));
		public_cnt++;
	}
	assert_int_equal(public_cnt, plan.found_cnt);
	find_fn(&plan, "SSL_read_ex");
	close(fd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_call_has_one_pair),
		cmocka_unit_test(inner_ids),
		cmocka_unit_test(entries_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
