/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * discovery.c - see discovery.h. Format of the cache: glibc, sysdeps/generic/dl-cache.h (struct cache_file_new).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "source/discovery.h"

/* Also found behind a cache of the old format, where both are kept (glibc: --format=compat). */
static const char MAGIC[] = "glibc-ld.so.cache1.1";

struct cache_head {
	char magic[sizeof(MAGIC) - 1];
	uint32_t lib_cnt;
	uint32_t strings_bytes;
	uint8_t flags;
	uint8_t pad[3];
	uint32_t extension_off;
	uint32_t unused[3];
};

struct cache_entry {
	int32_t flags;
	uint32_t key_off;   /* of the soname, from the head */
	uint32_t value_off; /* of the path, from the head */
	uint32_t unused;
	uint64_t hwcap;
};

/* Where libraries lie when no cache says so: musl's built-in path, and the usual multiarch directories. */
static const char *const standard_dirs[] = { "/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib" };

static const char *string_at(const char *base, size_t bytes, uint32_t off)
{
	return off < bytes && memchr(base + off, 0, bytes - off) ? base + off : NULL;
}

int ht_discovery_cache(const void *data, size_t bytes, ht_discovery_match_fn match, ht_discovery_fn fn, void *ctx)
{
	const char *base = memmem(data, bytes, MAGIC, sizeof(MAGIC) - 1);
	struct cache_entry entry;
	struct cache_head head;
	int err;

	if (!base)
		return -EBADMSG;
	bytes -= (size_t)(base - (const char *)data);
	if (bytes < sizeof(head))
		return -EBADMSG;
	memcpy(&head, base, sizeof(head));
	if (head.lib_cnt > (bytes - sizeof(head)) / sizeof(entry))
		return -EBADMSG;
	for (uint32_t i = 0; i < head.lib_cnt; i++) {
		const char *key, *value;

		memcpy(&entry, base + sizeof(head) + i * sizeof(entry), sizeof(entry));
		key = string_at(base, bytes, entry.key_off);
		value = string_at(base, bytes, entry.value_off);
		if (!key || !value)
			return -EBADMSG;
		if (value[0] != '/' || !match(key))
			continue;
		err = fn(ctx, value);
		if (err)
			return err;
	}
	return 0;
}

static int open_below(int root_fd, const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	int fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

static int read_cache(int root_fd, void **data, size_t *bytes)
{
	/* O_NONBLOCK: a FIFO in a container must not hold us. */
	int fd = open_below(root_fd, "/etc/ld.so.cache", O_RDONLY | O_NONBLOCK), err = -EBADMSG;
	struct stat st;

	if (fd < 0)
		return fd;
	*data = NULL;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > HT_DISCOVERY_CACHE_MAX)
		goto out;
	*bytes = (size_t)st.st_size;
	*data = malloc(*bytes);
	err = -ENOMEM;
	if (!*data)
		goto out;
	for (size_t have = 0; have < *bytes;) {
		ssize_t len = read(fd, (char *)*data + have, *bytes - have);

		if (len <= 0) {
			*bytes = have;
			break;
		}
		have += (size_t)len;
	}
	err = 0;
out:
	close(fd);
	return err;
}

static int each_in_dir(int root_fd, const char *dir_path, int depth, ht_discovery_match_fn match, ht_discovery_fn fn, void *ctx)
{
	int fd = open_below(root_fd, dir_path, O_RDONLY | O_DIRECTORY), err = 0;
	struct dirent *entry;
	char path[512];
	DIR *dir;

	if (fd < 0)
		return 0;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return 0;
	}
	while (!err && (entry = readdir(dir))) {
		if (snprintf(path, sizeof(path), "%s/%s", dir_path, entry->d_name) >= (int)sizeof(path))
			continue;
		if (match(entry->d_name))
			err = fn(ctx, path);
		else if (!depth && !fnmatch("*-linux-*", entry->d_name, 0))
			err = each_in_dir(root_fd, path, depth + 1, match, fn, ctx);
	}
	closedir(dir);
	return err;
}

int ht_discovery_root(int root_fd, ht_discovery_match_fn match, ht_discovery_fn fn, void *ctx)
{
	void *data = NULL;
	size_t bytes = 0;
	int err = read_cache(root_fd, &data, &bytes);

	if (!err) {
		err = ht_discovery_cache(data, bytes, match, fn, ctx);
		free(data);
	}
	if (err != -ENOENT && err != -EBADMSG)
		return err;
	err = 0;
	for (size_t i = 0; !err && i < sizeof(standard_dirs) / sizeof(standard_dirs[0]); i++)
		err = each_in_dir(root_fd, standard_dirs[i], 0, match, fn, ctx);
	return err;
}
