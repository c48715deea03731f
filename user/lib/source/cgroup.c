/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * cgroup.c - see cgroup.h.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source/cgroup.h"

#define MOUNTINFO_MAX (1u << 20)

struct mount {
	char *root;
	char *point;
	char *options; /* of the file system */
	bool is_v1;
};

/* mountinfo writes blanks and backslashes as \040 and so on. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		unsigned int value;

		if (text[0] == '\\' && sscanf(text + 1, "%3o", &value) == 1 && strnlen(text, 4) == 4) {
			*to++ = (char)value;
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

/* "31 23 0:28 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw": false for other file systems. */
static bool parse_mount(char *line, struct mount *mount)
{
	char *fields[6], *rest = line, *type;

	for (size_t i = 0; i < 6; i++)
		fields[i] = strsep(&rest, " ");
	if (!rest)
		return false;
	/* Optional fields end with a lone hyphen. */
	type = strncmp(rest, "- ", 2) ? strstr(rest, " - ") : rest - 1;
	if (!type)
		return false;
	rest = type + 3;
	type = strsep(&rest, " ");
	strsep(&rest, " ");
	if (!rest || (strcmp(type, "cgroup") && strcmp(type, "cgroup2")))
		return false;
	*mount = (struct mount){ .root = fields[3], .point = fields[4], .options = rest, .is_v1 = !strcmp(type, "cgroup") };
	unescape(mount->root);
	unescape(mount->point);
	return true;
}

static bool is_below(const char *path, const char *top)
{
	size_t len = strlen(top);

	if (len && top[len - 1] == '/')
		len--;
	return !strncmp(path, top, len) && (!path[len] || path[len] == '/');
}

/* 0; -ENOENT: not below this mount. */
static int try_mount(const struct mount *mount, const char *path, bool is_whole, struct ht_cgroup *cgroup)
{
	char asked[PATH_MAX], real[PATH_MAX];
	const char *rest, *root = strcmp(mount->root, "/") ? mount->root : "";
	struct stat st;

	if (is_whole && !is_below(path, mount->point))
		return -ENOENT;
	if (snprintf(asked, sizeof(asked), "%s%s%s", is_whole ? "" : mount->point, is_whole ? "" : "/", path) >= (int)sizeof(asked))
		return -ENAMETOOLONG;
	if (!realpath(asked, real) || !is_below(real, mount->point) || stat(real, &st))
		return -ENOENT;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	rest = real + strlen(mount->point);
	memset(cgroup, 0, sizeof(*cgroup));
	if (snprintf(cgroup->dir, sizeof(cgroup->dir), "%s", real) >= (int)sizeof(cgroup->dir) ||
	    snprintf(cgroup->path, sizeof(cgroup->path), "%s%s", root, *rest ? rest : "") >= (int)sizeof(cgroup->path))
		return -ENAMETOOLONG;
	if (!cgroup->path[0])
		strcpy(cgroup->path, "/");
	if (mount->is_v1)
		snprintf(cgroup->controllers, sizeof(cgroup->controllers), "%s", mount->options);
	return 0;
}

int ht_cgroup_find_in(char *mountinfo, const char *path, struct ht_cgroup *cgroup)
{
	/* A whole name first, as that is beyond doubt; then version 2's tree, then version 1's. */
	static const struct {
		bool is_whole;
		bool is_v1;
	} ways[] = { { true, false }, { true, true }, { false, false }, { false, true } };
	struct mount mounts[64];
	size_t mount_cnt = 0;
	int err = -ENOENT, first_err = -ENOENT;
	char *line;

	while ((line = strsep(&mountinfo, "\n")))
		if (mount_cnt < sizeof(mounts) / sizeof(mounts[0]) && parse_mount(line, &mounts[mount_cnt]))
			mount_cnt++;
	for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
		for (size_t i = 0; i < mount_cnt; i++) {
			if (mounts[i].is_v1 != ways[way].is_v1)
				continue;
			err = try_mount(&mounts[i], path, ways[way].is_whole, cgroup);
			if (!err)
				return 0;
			if (first_err == -ENOENT)
				first_err = err;
		}
	}
	return first_err;
}

/* A file of /proc, whole but for what exceeds size. Length or -errno. */
static ssize_t read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = 0, n;

	if (fd < 0)
		return -errno;
	do {
		n = read(fd, text + len, size - 1 - (size_t)len);
		if (n > 0)
			len += n;
	} while (n > 0);
	if (n < 0)
		len = -errno;
	else
		text[len] = '\0';
	close(fd);
	return len;
}

int ht_cgroup_find(const char *path, struct ht_cgroup *cgroup)
{
	char *text = malloc(MOUNTINFO_MAX);
	ssize_t len;
	int err;

	if (!text)
		return -ENOMEM;
	len = read_text("/proc/self/mountinfo", text, MOUNTINFO_MAX);
	err = len < 0 ? (int)len : ht_cgroup_find_in(text, path, cgroup);
	free(text);
	return err;
}

/* Is every one of a line's controllers ("cpu,cpuacct", "name=systemd") among a mount's options? */
static bool are_options(const char *controllers, size_t len, const char *options)
{
	while (len) {
		const char *comma = memchr(controllers, ',', len), *p = options;
		size_t one = comma ? (size_t)(comma - controllers) : len;

		while (p && (strncmp(p, controllers, one) || (p[one] && p[one] != ','))) {
			p = strchr(p, ',');
			p = p ? p + 1 : NULL;
		}
		if (!p)
			return false;
		controllers += comma ? one + 1 : one;
		len -= comma ? one + 1 : one;
	}
	return true;
}

bool ht_cgroup_has(const struct ht_cgroup *cgroup, const char *text)
{
	size_t path_len = strcmp(cgroup->path, "/") ? strlen(cgroup->path) : 0;

	while (*text) {
		size_t line_len = strcspn(text, "\n"), len;
		const char *name = memchr(text, ':', line_len),
			   *path = name ? memchr(name + 1, ':', line_len - (size_t)(name + 1 - text)) : NULL;

		if (path) {
			name++;
			path++;
			len = line_len - (size_t)(path - text);
			/* "0::/path" is version 2's. */
			if (!cgroup->controllers[0] == (path - name == 1) &&
			    (!cgroup->controllers[0] || are_options(name, (size_t)(path - 1 - name), cgroup->controllers)) &&
			    len >= path_len && !strncmp(path, cgroup->path, path_len) && (len == path_len || path[path_len] == '/'))
				return true;
		}
		text += line_len;
		text += *text == '\n';
	}
	return false;
}

int ht_cgroup_has_pid(const struct ht_cgroup *cgroup, pid_t pid)
{
	char path[32], text[HT_CGROUP_TEXT_MAX];

	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	if (read_text(path, text, sizeof(text)) <= 0)
		return -ESRCH;
	return ht_cgroup_has(cgroup, text);
}

int ht_cgroup_has_id(const struct ht_cgroup *cgroup, uint64_t id)
{
	/* FILEID_KERNFS (include/linux/exportfs.h): the handle is the id. */
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(id)];
	} of = { .handle = { .handle_bytes = sizeof(id), .handle_type = 0xfe } };
	char link[32], path[PATH_MAX];
	ssize_t len;
	int dir_fd, fd, err = 0;

	if (cgroup->controllers[0] || !id)
		return -EOPNOTSUPP;
	memcpy(of.handle.f_handle, &id, sizeof(id));
	dir_fd = open(cgroup->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return -errno;
	fd = open_by_handle_at(dir_fd, &of.handle, O_PATH | O_CLOEXEC);
	if (fd < 0)
		err = -errno;
	close(dir_fd);
	if (err)
		return err;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len < 0)
		err = -errno;
	close(fd);
	if (err)
		return err;
	path[len] = '\0';
	return is_below(path, cgroup->dir);
}

static void tell_procs(int dir_fd, ht_cgroup_pid_fn fn, void *ctx)
{
	int fd = openat(dir_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC), pid;
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;

	if (!file) {
		if (fd >= 0)
			close(fd);
		return;
	}
	/* 0: a process of a pid namespace that is not ours to see. */
	while (fscanf(file, "%d", &pid) == 1)
		if (pid > 0)
			fn(ctx, pid);
	fclose(file);
}

static void walk(int dir_fd, size_t *left, unsigned int depth, ht_cgroup_pid_fn fn, void *ctx)
{
	struct dirent *entry;
	DIR *dir;

	tell_procs(dir_fd, fn, ctx);
	dir = fdopendir(dir_fd);
	if (!dir) {
		close(dir_fd);
		return;
	}
	while (depth && (entry = readdir(dir))) {
		int fd;

		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") || !*left)
			continue;
		--*left;
		fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			walk(fd, left, depth - 1, fn, ctx);
	}
	closedir(dir);
}

void ht_cgroup_each(const struct ht_cgroup *cgroup, ht_cgroup_pid_fn fn, void *ctx)
{
	int fd = open(cgroup->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t left = HT_CGROUP_DIRS_MAX - 1;

	/* Deeper nesting than any manager makes. */
	if (fd >= 0)
		walk(fd, &left, 32, fn, ctx);
}
