/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_discovery.c - the linker's cache, sound and damaged; what /proc says about ourselves.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "source/discovery.h"
#include "source/procfs.h"

#define HEAD_BYTES  48
#define ENTRY_BYTES 24

static int wants_libssl(const char *name)
{
	return !strcmp(name, "libssl.so.3");
}

struct told {
	int cnt;
	int stop_at;
	char path[128];
};

static int tell(void *ctx, const char *path)
{
	struct told *told = ctx;

	told->cnt++;
	snprintf(told->path, sizeof(told->path), "%s", path);
	return told->cnt == told->stop_at ? -ECANCELED : 0;
}

/* A cache of two entries: libc.so.6, libssl.so.3. */
static size_t make_cache(uint8_t *data)
{
	static const char strings[] = "libc.so.6\0/lib/libc.so.6\0libssl.so.3\0/opt/lib/libssl.so.3";
	const uint32_t base = HEAD_BYTES + 2 * ENTRY_BYTES, offs[4] = { 0, 10, 25, 37 };
	uint32_t cnt = 2, strings_bytes = sizeof(strings);

	memset(data, 0, base);
	memcpy(data, "glibc-ld.so.cache1.1", 20);
	memcpy(data + 20, &cnt, 4);
	memcpy(data + 24, &strings_bytes, 4);
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t key = base + offs[2 * i], value = base + offs[2 * i + 1];

		memcpy(data + HEAD_BYTES + i * ENTRY_BYTES + 4, &key, 4);
		memcpy(data + HEAD_BYTES + i * ENTRY_BYTES + 8, &value, 4);
	}
	memcpy(data + base, strings, sizeof(strings));
	return base + sizeof(strings);
}

static void reads_a_cache(void **state)
{
	static const struct {
		const char *why;
		int prefix_bytes; /* of something else before it */
		int off;          /* a 32-bit number that is overwritten, -1 none */
		uint32_t value;
		int cut_bytes;
		int expected;
		int expected_cnt;
	} table[] = {
		{ "sound", 0, -1, 0, 0, 0, 1 },
		{ "behind a cache of the old format", 64, -1, 0, 0, 0, 1 },
		{ "no cache", 0, 0, 0x41414141, 0, -EBADMSG, 0 },
		{ "more entries than it has room for", 0, 20, 1u << 30, 0, -EBADMSG, 0 },
		{ "a count that overflows", 0, 20, UINT32_MAX, 0, -EBADMSG, 0 },
		{ "a name outside", 0, HEAD_BYTES + ENTRY_BYTES + 4, 1u << 20, 0, -EBADMSG, 0 },
		{ "a path outside", 0, HEAD_BYTES + ENTRY_BYTES + 8, UINT32_MAX, 0, -EBADMSG, 0 },
		{ "a last string without its end", 0, -1, 0, 1, -EBADMSG, 0 },
		{ "no more than its magic", 0, -1, 0, HEAD_BYTES + 2 * ENTRY_BYTES + 38, -EBADMSG, 0 },
		{ "a path that is not absolute", 0, HEAD_BYTES + ENTRY_BYTES + 8, HEAD_BYTES + 2 * ENTRY_BYTES + 25, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct told told = { 0 };
		uint8_t data[512] = { 0 }, *exact;
		size_t bytes = (size_t)table[i].prefix_bytes + make_cache(data + table[i].prefix_bytes) - (size_t)table[i].cut_bytes;
		int err;

		if (table[i].off >= 0)
			memcpy(data + table[i].off, &table[i].value, 4);
		/* Of exactly this size, for the sanitizer to see what is read behind it. */
		exact = malloc(bytes);
		assert_non_null(exact);
		memcpy(exact, data, bytes);
		err = ht_discovery_cache(exact, bytes, wants_libssl, tell, &told);
		free(exact);
		if (err != table[i].expected || told.cnt != table[i].expected_cnt)
			fail_msg("%s: %d, %d told", table[i].why, err, told.cnt);
		if (told.cnt)
			assert_string_equal(told.path, "/opt/lib/libssl.so.3");
	}
}

static void every_cut_of_a_cache_is_survived(void **state)
{
	uint8_t data[512];
	size_t bytes = make_cache(data);

	(void)state;
	for (size_t cut = 0; cut < bytes; cut++) {
		struct told told = { 0 };
		uint8_t *exact = malloc(cut + 1);

		assert_non_null(exact);
		memcpy(exact, data, cut);
		assert_int_equal(ht_discovery_cache(exact, cut, wants_libssl, tell, &told), -EBADMSG);
		assert_int_equal(told.cnt, 0);
		free(exact);
	}
}

static void the_caller_may_stop(void **state)
{
	struct told told = { .stop_at = 1 };
	uint8_t data[512];
	size_t bytes = make_cache(data);

	(void)state;
	assert_int_equal(ht_discovery_cache(data, bytes, wants_libssl, tell, &told), -ECANCELED);
}

/* Without a cache, as with musl: libraries in the standard directories, and in a multiarch one below. */
static void searches_directories_without_a_cache(void **state)
{
	char root[] = "/tmp/test_discovery.XXXXXX", command[256];
	struct told told = { 0 };
	int fd;

	(void)state;
	assert_non_null(mkdtemp(root));
	snprintf(
		command, sizeof(command),
		"mkdir -p %s/usr/lib/x86_64-linux-gnu %s/usr/lib/other && touch %s/usr/lib/x86_64-linux-gnu/libssl.so.3 %s/usr/lib/other/libssl.so.3",
		root, root, root, root);
	assert_int_equal(system(command), 0);
	fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(ht_discovery_root(fd, wants_libssl, tell, &told), 0);
	close(fd);
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
	assert_int_equal(told.cnt, 1);
	assert_string_equal(told.path, "/usr/lib/x86_64-linux-gnu/libssl.so.3");
}

static int note_own_code(void *ctx, const struct ht_proc_map *map)
{
	uint64_t code = (uint64_t)(uintptr_t)note_own_code;

	if (map->start <= code && code < map->end) {
		struct ht_proc_map *found = ctx;

		*found = *map;
		found->path = strdup(map->path);
		return 1;
	}
	return 0;
}

static void proc_knows_us(void **state)
{
	struct ht_proc_map map = { 0 };
	struct ht_proc_info info;
	char exe[HT_PROCFS_EXE_MAX + 1];
	struct stat by_map, by_path;
	int fd;

	(void)state;
	assert_int_equal(ht_procfs_info(getpid(), &info), 0);
	assert_int_equal(info.ppid, getppid());
	assert_int_equal(info.uid, geteuid());
	assert_false(info.is_dead || info.is_kernel);
	assert_true(ht_procfs_exe(getpid(), exe, sizeof(exe)) > 0);
	assert_string_equal(exe, info.exe);
	assert_int_equal(ht_procfs_tgid(getpid()), getpid());
	assert_int_equal(ht_procfs_exec_maps(getpid(), note_own_code, &map), 1);
	assert_string_equal(map.path, exe);
	fd = ht_procfs_open_mapped(getpid(), map.start, map.end, map.path);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &by_map), 0);
	assert_int_equal(stat(exe, &by_path), 0);
	assert_int_equal(by_map.st_ino, by_path.st_ino);
	close(fd);
	free((void *)map.path);
}

static void a_name_may_hold_anything(void **state)
{
	struct ht_proc_info info;
	int ready[2], status;
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		int fd = open("/proc/self/comm", O_WRONLY);

		_exit(write(fd, ") Z 1 (\n", 7) == 7 && write(ready[1], "r", 1) == 1 && pause() ? 0 : 1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(ht_procfs_info(pid, &info), 0);
	assert_string_equal(info.comm, ") Z 1 (");
	assert_false(info.is_dead);
	assert_int_equal(info.ppid, getpid());
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	/* A zombie, then nobody. */
	assert_false(ht_procfs_is_alive(pid));
	assert_int_equal(ht_procfs_info(pid, &info), 0);
	assert_true(info.is_dead);
	waitpid(pid, &status, 0);
	assert_int_equal(ht_procfs_info(pid, &info), -ESRCH);
	assert_int_equal(ht_procfs_tgid(pid), -ESRCH);
	close(ready[0]);
	close(ready[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_cache),       cmocka_unit_test(every_cut_of_a_cache_is_survived),
		cmocka_unit_test(the_caller_may_stop), cmocka_unit_test(searches_directories_without_a_cache),
		cmocka_unit_test(proc_knows_us),       cmocka_unit_test(a_name_may_hold_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
