/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_cgroup.c - which cgroup a path means, and who is in it. Directories below /tmp stand for the mounts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "source/cgroup.h"

#define CNT(array) (sizeof(array) / sizeof((array)[0]))

static char top[] = "/tmp/test_cgroup.XXXXXX";

static void make(const char *name, bool is_dir)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	if (is_dir) {
		assert_int_equal(mkdir(path, 0777), 0);
		return;
	}
	file = fopen(path, "w");
	assert_non_null(file);
	/* No pids: 0 stands for those of another pid namespace. */
	assert_true(fprintf(file, "%d\n0\n%d\n", 11, 12) > 0);
	fclose(file);
}

static int set_up(void **state)
{
	static const char *const dirs[] = { "two", "two/a", "two/a/b", "two/only2", "pids", "pids/a", "pids/only1", "sp ace", "sp ace/s" };

	(void)state;
	if (!mkdtemp(top))
		return -1;
	for (size_t i = 0; i < CNT(dirs); i++)
		make(dirs[i], true);
	make("two/file", false);
	make("two/a/cgroup.procs", false);
	make("two/a/b/cgroup.procs", false);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", top);
	return system(command);
}

/* The mounts above; other file systems and lines that are none around them. */
static char *mountinfo(void)
{
	char *text;

	assert_true(asprintf(&text,
			     "23 1 254:0 / / rw - ext4 /dev/root rw\n"
			     "nonsense\n"
			     "32 31 0:29 / %s/pids rw,relatime shared:5 master:1 - cgroup cgroup rw,pids\n"
			     "33 31 0:30 /inner %s/sp\\040ace rw - cgroup cgroup rw,cpu,cpuacct\n"
			     "41 31 0:38 / %s/two rw,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
			     "42 31 0:39 / /proc rw",
			     top, top, top) > 0);
	return text;
}

static void paths(void **state)
{
	static const struct {
		const char *why;
		const char *path; /* $: the directory of this test */
		int err;
		const char *in_hierarchy;
		const char *controllers;
	} cases[] = {
		{ "below version 2's mount", "a/b", 0, "/a/b", "" },
		{ "with a slash in front", "/a/b", 0, "/a/b", "" },
		{ "whole", "$/two/a", 0, "/a", "" },
		{ "the top", "/", 0, "/", "" },
		{ "the mount itself", "$/two", 0, "/", "" },
		{ "both have it: version 2", "a", 0, "/a", "" },
		{ "whole, in version 1", "$/pids/a", 0, "/a", "rw,pids" },
		{ "only version 1 has it", "only1", 0, "/only1", "rw,pids" },
		{ "a mount of a part, with a blank", "$/sp ace/s", 0, "/inner/s", "rw,cpu,cpuacct" },
		{ "untidy", "a//b/../b/", 0, "/a/b", "" },
		{ "none", "nosuch", -ENOENT, NULL, NULL },
		{ "out of the mount", "..", -ENOENT, NULL, NULL },
		{ "a file", "file", -ENOTDIR, NULL, NULL },
		{ "not a cgroup", "/proc", -ENOENT, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < CNT(cases); i++) {
		struct ht_cgroup cgroup;
		char *text = mountinfo(), path[256];
		int err;

		snprintf(path, sizeof(path), "%s%s", cases[i].path[0] == '$' ? top : "", cases[i].path + (cases[i].path[0] == '$'));
		err = ht_cgroup_find_in(text, path, &cgroup);
		if (err != cases[i].err)
			print_error("%s\n", cases[i].why);
		assert_int_equal(err, cases[i].err);
		if (!err) {
			assert_string_equal(cgroup.path, cases[i].in_hierarchy);
			assert_string_equal(cgroup.controllers, cases[i].controllers);
		}
		free(text);
	}
}

static void membership(void **state)
{
	static const struct {
		const char *why;
		const char *path;
		const char *controllers;
		const char *text;
		bool has;
	} cases[] = {
		{ "itself", "/a", "", "0::/a\n", true },
		{ "below", "/a", "", "0::/a/b/c\n", true },
		{ "above", "/a/b", "", "0::/a\n", false },
		{ "a longer name", "/a", "", "0::/ab\n", false },
		{ "the top has all", "/", "", "0::/\n", true },
		{ "the top has all below", "/", "", "0::/x\n", true },
		{ "the last line, cut", "/a", "", "1:cpu:/\n0::/a", true },
		{ "of version 1 another hierarchy", "/a", "", "4:memory:/a\n0::/\n", false },
		{ "version 1", "/a", "rw,memory", "4:memory:/a\n0::/\n", true },
		{ "another controller", "/a", "rw,pids", "4:memory:/a\n3:pids:/\n0::/a\n", false },
		{ "two controllers", "/a", "rw,cpu,cpuacct", "4:cpu,cpuacct:/a/x\n", true },
		{ "one of them elsewhere", "/a", "rw,cpu", "4:cpu,cpuacct:/a\n", false },
		{ "a name that begins like it", "/a", "rw,cpu", "4:cpuset:/a\n", false },
		{ "named", "/a", "rw,name=systemd", "1:name=systemd:/a\n", true },
		{ "a colon in the path", "/a", "", "0::/a/x:y\n", true },
		{ "nothing", "/a", "", "", false },
		{ "nonsense", "/a", "", "\n:\n::\nx", false },
	};

	(void)state;
	for (size_t i = 0; i < CNT(cases); i++) {
		struct ht_cgroup cgroup = { 0 };

		strcpy(cgroup.path, cases[i].path);
		strcpy(cgroup.controllers, cases[i].controllers);
		if (ht_cgroup_has(&cgroup, cases[i].text) != cases[i].has)
			print_error("%s\n", cases[i].why);
		assert_int_equal(ht_cgroup_has(&cgroup, cases[i].text), cases[i].has);
	}
}

static void add_pid(void *ctx, pid_t pid)
{
	*(int *)ctx += pid;
}

static void members(void **state)
{
	struct ht_cgroup cgroup = { 0 };
	int sum = 0;

	(void)state;
	snprintf(cgroup.dir, sizeof(cgroup.dir), "%s/two", top);
	ht_cgroup_each(&cgroup, add_pid, &sum);
	assert_int_equal(sum, 2 * (11 + 12));
	snprintf(cgroup.dir, sizeof(cgroup.dir), "%s/nosuch", top);
	ht_cgroup_each(&cgroup, add_pid, &sum);
	assert_int_equal(sum, 2 * (11 + 12));
	assert_int_equal(ht_cgroup_has_pid(&cgroup, -1), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),
		cmocka_unit_test(membership),
		cmocka_unit_test(members),
	};

	return cmocka_run_group_tests_name("cgroup", tests, set_up, tear_down);
}
