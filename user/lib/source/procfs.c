/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * procfs.c - see procfs.h. Formats: proc(5); Documentation/filesystems/proc.rst.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "source/procfs.h"

static const char DELETED[] = " (deleted)";

static void cut_deleted(char *path)
{
	size_t len = strlen(path);

	if (len > sizeof(DELETED) - 1 && !strcmp(path + len - (sizeof(DELETED) - 1), DELETED))
		path[len - (sizeof(DELETED) - 1)] = '\0';
}

/* The process is gone, however /proc puts it. */
static int gone(int err)
{
	return err == ENOENT ? -ESRCH : -err;
}

static ssize_t read_small(int dir_fd, const char *name, char *buf, size_t size)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return gone(errno);
	len = read(fd, buf, size - 1);
	if (len < 0)
		len = gone(errno);
	else
		buf[len] = '\0';
	close(fd);
	return len;
}

int ht_procfs_exe(pid_t pid, char *exe, size_t size)
{
	char link[32];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	len = readlink(link, exe, size - 1);
	if (len < 0) {
		exe[0] = '\0';
		return -errno;
	}
	exe[len] = '\0';
	cut_deleted(exe);
	return (int)strlen(exe);
}

int ht_procfs_info(pid_t pid, struct ht_proc_info *info)
{
	char buf[1024], *open_paren, *close_paren, state = 0;
	int dir_fd, ppid = 0, threads = 0, err;
	struct stat st;
	size_t len;

	memset(info, 0, sizeof(*info));
	info->pid = pid;
	snprintf(buf, sizeof(buf), "/proc/%d", (int)pid);
	dir_fd = open(buf, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return gone(errno);
	err = (int)read_small(dir_fd, "stat", buf, sizeof(buf));
	if (err < 0)
		goto out;
	err = -ESRCH;
	/* The name may hold parentheses and blanks: it ends at the last ')'. */
	open_paren = strchr(buf, '(');
	close_paren = strrchr(buf, ')');
	if (!open_paren || !close_paren || close_paren < open_paren)
		goto out;
	/* state ppid pgrp session tty tpgid flags minflt cminflt majflt cmajflt utime stime cutime cstime priority nice num_threads */
	if (sscanf(close_paren + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d", &state, &ppid, &threads) != 3)
		goto out;
	len = (size_t)(close_paren - open_paren - 1);
	if (len >= sizeof(info->comm))
		len = sizeof(info->comm) - 1;
	memcpy(info->comm, open_paren + 1, len);
	info->ppid = ppid;
	info->thread_cnt = threads > 0 ? (unsigned int)threads : 0;
	/* A dead leader with threads that live is a zombie, too. */
	info->is_dead = (state == 'Z' || state == 'X') && threads <= 1;
	if (!fstat(dir_fd, &st))
		info->uid = st.st_uid;
	if (ht_procfs_exe(pid, info->exe, sizeof(info->exe)) == -ENOENT && !info->is_dead && (pid == 2 || ppid == 2))
		info->is_kernel = true;
	err = 0;
out:
	close(dir_fd);
	return err;
}

pid_t ht_procfs_tgid(pid_t tid)
{
	char path[32], buf[4096], *line;
	ssize_t len;
	int tgid;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	len = read_small(AT_FDCWD, path, buf, sizeof(buf));
	if (len < 0)
		return (pid_t)len;
	line = strstr(buf, "\nTgid:");
	if (!line || sscanf(line + 6, "%d", &tgid) != 1 || tgid <= 0)
		return -ESRCH;
	return tgid;
}

bool ht_procfs_is_alive(pid_t pid)
{
	struct ht_proc_info info;
	int err = ht_procfs_info(pid, &info);

	/* Without a file descriptor to ask with, a zombie counts as alive. */
	if (err && err != -ESRCH)
		return !kill(pid, 0) || errno != ESRCH;
	return !err && !info.is_dead;
}

int ht_procfs_each(ht_procfs_pid_fn fn, void *ctx)
{
	struct dirent *entry;
	DIR *dir = opendir("/proc");
	int err = 0;

	if (!dir)
		return -errno;
	while (!err && (entry = readdir(dir))) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);

		if (pid > 0 && pid <= INT32_MAX && !*end)
			err = fn(ctx, (pid_t)pid);
	}
	closedir(dir);
	return err;
}

/* One line of maps: "start-end perms offset major:minor inode   path". The path begins at the first '/' behind the inode. */
static int parse_map(char *line, struct ht_proc_map *map)
{
	unsigned long long start, end, ino;
	unsigned int dev_major, dev_minor;
	int path_off = 0;
	char perms[5];

	if (sscanf(line, "%llx-%llx %4s %*x %x:%x %llu %n", &start, &end, perms, &dev_major, &dev_minor, &ino, &path_off) != 6 || !path_off)
		return -EINVAL;
	if (perms[2] != 'x' || !ino || line[path_off] != '/')
		return -EINVAL;
	cut_deleted(line + path_off);
	*map = (struct ht_proc_map){ start, end, dev_major, dev_minor, ino, line + path_off };
	return 0;
}

int ht_procfs_exec_maps(pid_t pid, ht_procfs_map_fn fn, void *ctx)
{
	struct ht_proc_map map;
	char path[32], buf[16384], *line = NULL;
	size_t size = 0;
	ssize_t len;
	FILE *file;
	int err = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return gone(errno);
	setvbuf(file, buf, _IOFBF, sizeof(buf));
	while (!err && (len = getline(&line, &size, file)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		/* Most lines are not executable: told without the cost of sscanf. */
		char *perms = strchr(line, ' ');

		if (!perms || strnlen(perms, 4) < 4 || perms[3] != 'x')
			continue;
		if (!parse_map(line, &map))
			err = fn(ctx, &map);
	}
	free(line);
	fclose(file);
	return err;
}

int ht_procfs_open_in_root(pid_t pid, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	char root[32];
	int root_fd, fd;

	snprintf(root, sizeof(root), "/proc/%d/root", (int)pid);
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return gone(errno);
	fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
	if (fd < 0)
		fd = -errno;
	close(root_fd);
	return fd;
}

int ht_procfs_open_mapped(pid_t pid, uint64_t start, uint64_t end, const char *path)
{
	char link[80];
	int fd;

	snprintf(link, sizeof(link), "/proc/%d/map_files/%llx-%llx", (int)pid, (unsigned long long)start, (unsigned long long)end);
	fd = open(link, O_PATH | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	/* map_files wants CAP_CHECKPOINT_RESTORE; without it deleted files are out of reach. */
	return ht_procfs_open_in_root(pid, path);
}
