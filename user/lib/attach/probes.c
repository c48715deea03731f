/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * probes.c - see probes.h. A link with a pid stays with the process across execve, as the kernel compares the task's memory then (uprobe_multi_link_filter(),
 * kernel/trace/bpf_trace.c), unless another thread than the first one calls it: the task of the first is gone then, and the link with it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/config.h"
#include "abi/event.h"
#include "attach/probes.h"

/* One entry and one return for each function. */
#define LINKS_MAX (2 * HT_SITES_MAX)

struct process {
	pid_t pid;
	int *link_fds;
	size_t link_cnt;
	unsigned int probe_cnt;
};

struct alias {
	uint64_t dev;
	uint64_t ino;
};

struct ht_probes {
	struct ht_probes_opts opts;
	struct ht_probes_file files[HT_PROBES_FILES_MAX];
	size_t file_cnt;
	bool is_full_told;
	bool is_short_of_fds;
	struct alias aliases[HT_PROBES_ALIASES_MAX];
	size_t alias_cnt;
	struct process *processes; /* sorted by pid */
	size_t process_cnt;
	size_t process_room;
	struct process *joined; /* not sorted: they are few, and only become fewer */
	size_t joined_cnt;
};

struct ht_probes *ht_probes_new(const struct ht_probes_opts *opts)
{
	struct ht_probes *probes = calloc(1, sizeof(*probes));

	if (probes)
		probes->opts = *opts;
	return probes;
}

static void let_go(struct ht_probes *probes, int **fds, size_t *cnt)
{
	if (*cnt)
		ht_reaper_take(probes->opts.reaper, *fds, *cnt);
	free(*fds);
	*fds = NULL;
	*cnt = 0;
}

void ht_probes_free(struct ht_probes *probes)
{
	if (!probes)
		return;
	for (size_t i = 0; i < probes->process_cnt; i++)
		let_go(probes, &probes->processes[i].link_fds, &probes->processes[i].link_cnt);
	for (size_t i = 0; i < probes->joined_cnt; i++)
		let_go(probes, &probes->joined[i].link_fds, &probes->joined[i].link_cnt);
	for (size_t i = 0; i < probes->file_cnt; i++) {
		struct ht_probes_file *file = &probes->files[i];

		let_go(probes, &file->link_fds, &file->link_cnt);
		close(file->fd);
		free(file->path);
	}
	free(probes->processes);
	free(probes->joined);
	free(probes);
}

unsigned int ht_probes_site_cnt(const struct ht_site_plan *plan)
{
	unsigned int cnt = 0;

	for (size_t i = 0; i < plan->fn_cnt; i++) {
		if (plan->fns[i].is_found)
			cnt += plan->fns[i].wants_entry + plan->fns[i].wants_return;
	}
	return cnt;
}

static void report(const struct ht_probes *probes, int action, pid_t pid, const char *path, const char *reason, unsigned int probe_cnt)
{
	if (probes->opts.report)
		probes->opts.report(probes->opts.ctx, action, pid, path, reason, probe_cnt);
}

/* ---- Links --------------------------------------------------------------------------------------------------------------------------------------- */

/* A new descriptor is the lowest that is free (open(2)): one that is too high leaves too few. */
static bool takes_too_much(const struct ht_probes *probes, const int *fds, int cnt)
{
	for (int i = 0; i < cnt; i++) {
		if (probes->opts.fd_end && fds[i] >= probes->opts.fd_end)
			return true;
	}
	return false;
}

/*
 * The sites of a side; BOTH: of each side, where both of a function are at one instruction as one. Returns how many.
 *
 * The last function first, as the kernel sets them one after another while the program runs: who sees a handshake then sees what is written behind it,
 * and no connection looks unused because its write was too early.
 */
static size_t side_sites(const struct ht_site_plan *plan, enum ht_uprobe_side side, uint64_t *offs, uint64_t *cookies)
{
	size_t cnt = 0;

	for (size_t i = plan->fn_cnt; i-- > 0;) {
		const struct ht_site_fn *fn = &plan->fns[i];
		bool has_entry = fn->is_found && fn->wants_entry && side != HT_UPROBE_RETURN;
		bool has_return = fn->is_found && fn->wants_return && side != HT_UPROBE_ENTRY;
		bool is_one = has_entry && has_return && fn->entry_off == fn->return_off;

		if (has_entry) {
			offs[cnt] = fn->entry_off;
			cookies[cnt++] = fn->id | (side == HT_UPROBE_BOTH ? HT_SITE_ENTRY : 0) | (is_one ? HT_SITE_RETURN : 0);
		}
		if (has_return && !is_one) {
			offs[cnt] = fn->return_off;
			cookies[cnt++] = fn->id | (side == HT_UPROBE_BOTH ? HT_SITE_RETURN : 0);
		}
	}
	return cnt;
}

/* Attaches one side of a file's functions, or both. Returns links made, or -errno. *site_cnt grows by the probes, a function's entry and return being two. */
static int attach_side(struct ht_probes *probes, const struct ht_probes_file *file, pid_t pid, enum ht_uprobe_side side, int *fds,
		       unsigned int *site_cnt)
{
	int prog_fd = probes->opts.program_fd(probes->opts.ctx, file->plan.group, side), err;
	uint64_t offs[2 * HT_SITES_MAX], cookies[2 * HT_SITES_MAX];
	struct ht_uprobe_sites sites = { .offs = offs, .cookies = cookies, .pid = pid, .side = side };
	int prog_fds[2 * HT_SITES_MAX];
	char path[32];

	sites.cnt = side_sites(&file->plan, side, offs, cookies);
	if (!sites.cnt)
		return 0;
	if (prog_fd < 0)
		return prog_fd;
	for (size_t i = 0; probes->opts.site_fd && i < sites.cnt; i++) {
		prog_fds[i] = probes->opts.site_fd(probes->opts.ctx, file->plan.group, prog_fd, cookies[i]);
		if (prog_fds[i] < 0)
			return prog_fds[i];
		sites.prog_fds = prog_fds;
	}
	/* The way to a file that may lie in another root, or be deleted, is our own fd. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file->fd);
	sites.path = path;
	err = ht_uprobe_attach(probes->opts.backend, prog_fd, &sites, fds);
	if (err > 0 && takes_too_much(probes, fds, err)) {
		ht_reaper_take(probes->opts.reaper, fds, (size_t)err);
		return -EMFILE;
	}
	if (err >= 0)
		*site_cnt += side == HT_UPROBE_BOTH ? ht_probes_site_cnt(&file->plan) : (unsigned int)sites.cnt;
	return err;
}

/*
 * Attaches both sides of a file, by one link or two, and appends them. One side alone is of use (a handshake is seen to begin), so a missing program
 * takes its side only; any other failure takes the file back. 0 or -errno.
 */
static int attach_file(struct ht_probes *probes, const struct ht_probes_file *file, pid_t pid, int **link_fds, size_t *link_cnt,
		       unsigned int *site_cnt)
{
	/* Returns first: of a call that begins meanwhile all is seen, or nothing. */
	static const enum ht_uprobe_side sides[] = { HT_UPROBE_BOTH, HT_UPROBE_RETURN, HT_UPROBE_ENTRY };
	int fds[LINKS_MAX], cnt = 0, err = -ENOENT;
	bool has_any = false;
	unsigned int new_cnt = 0;
	int *grown;

	for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++) {
		err = attach_side(probes, file, pid, sides[i], fds + cnt, &new_cnt);
		if (err == -ENOENT)
			continue;
		if (err < 0)
			goto fail;
		cnt += err;
		has_any = true;
		if (sides[i] == HT_UPROBE_BOTH)
			break;
	}
	err = -ENOENT;
	if (!has_any)
		goto fail;
	err = -ENOMEM;
	grown = realloc(*link_fds, (*link_cnt + (size_t)cnt) * sizeof(*grown) + 1);
	if (!grown)
		goto fail;
	probes->is_short_of_fds = false;
	*link_fds = grown;
	memcpy(grown + *link_cnt, fds, (size_t)cnt * sizeof(*fds));
	*link_cnt += (size_t)cnt;
	*site_cnt += new_cnt;
	return 0;
fail:
	if (err == -EMFILE)
		probes->is_short_of_fds = true;
	if (cnt)
		ht_reaper_take(probes->opts.reaper, fds, (size_t)cnt);
	return err;
}

static const char *attach_reason(int err, char *buf, size_t size)
{
	if (err == -EMFILE || err == -ENFILE)
		snprintf(buf, size, "cannot be probed: out of file descriptors (raise the limit: ulimit -n)");
	else if (err == -ENOENT)
		snprintf(buf, size, "cannot be probed: its BPF programs are not loaded");
	else
		snprintf(buf, size, "cannot be probed: %s", strerror(-err));
	return buf;
}

/* ---- Files --------------------------------------------------------------------------------------------------------------------------------------- */

/* The kernel's own dev_t, as perf and maps tell it, in one number. */
static uint64_t kernel_dev(uint32_t dev_major, uint32_t dev_minor)
{
	return (uint64_t)dev_major << 32 | dev_minor;
}

bool ht_probes_knows(const struct ht_probes *probes, uint32_t dev_major, uint32_t dev_minor, uint64_t ino)
{
	uint64_t dev = kernel_dev(dev_major, dev_minor);

	for (size_t i = 0; i < probes->alias_cnt; i++) {
		if (probes->aliases[i].ino == ino && probes->aliases[i].dev == dev)
			return true;
	}
	return false;
}

void ht_probes_alias(struct ht_probes *probes, uint32_t dev_major, uint32_t dev_minor, uint64_t ino)
{
	if (ht_probes_knows(probes, dev_major, dev_minor, ino))
		return;
	/* A name that was forgotten costs one more open when it comes back. */
	if (probes->alias_cnt == HT_PROBES_ALIASES_MAX)
		probes->alias_cnt = 0;
	probes->aliases[probes->alias_cnt++] = (struct alias){ kernel_dev(dev_major, dev_minor), ino };
}

static struct ht_probes_file *find_file(struct ht_probes *probes, uint64_t dev, uint64_t ino)
{
	for (size_t i = 0; i < probes->file_cnt; i++) {
		if (probes->files[i].ino == ino && probes->files[i].dev == dev)
			return &probes->files[i];
	}
	return NULL;
}

/* Probes a new file for everybody, or in each process that is traced already. */
static int attach_everywhere(struct ht_probes *probes, struct ht_probes_file *file, unsigned int *site_cnt)
{
	int err = 0, first_err = 0;

	if (!probes->opts.is_filtered)
		return attach_file(probes, file, 0, &file->link_fds, &file->link_cnt, site_cnt);
	for (size_t i = 0; i < probes->process_cnt; i++) {
		struct process *process = &probes->processes[i];

		err = attach_file(probes, file, process->pid, &process->link_fds, &process->link_cnt, &process->probe_cnt);
		if (err && err != -ESRCH && !first_err)
			first_err = err;
	}
	*site_cnt = ht_probes_site_cnt(&file->plan);
	return first_err;
}

/*
 * Makes room by what was refused longest ago: whoever maps files that are none under a library's name must not keep others' from being probed. What its
 * inode is known by goes with it, as its number may be another file's soon.
 */
static bool forget_refused(struct ht_probes *probes)
{
	for (size_t i = 0; i < probes->file_cnt; i++) {
		struct ht_probes_file *file = &probes->files[i];

		if (file->is_usable || file->link_cnt)
			continue;
		close(file->fd);
		free(file->path);
		free(file->link_fds);
		memmove(file, file + 1, (probes->file_cnt - i - 1) * sizeof(*file));
		probes->file_cnt--;
		probes->alias_cnt = 0;
		return true;
	}
	return false;
}

/* The file, which is put into the table and planned if it was not there: then *is_new. fd is taken over. NULL: *err says why, and has been told if need be. */
static struct ht_probes_file *enter_file(struct ht_probes *probes, int fd, const char *name, const char *path, bool *is_new, int *err)
{
	struct ht_probes_file *file;
	struct stat st;

	*is_new = false;
	if (fstat(fd, &st)) {
		*err = -errno;
		close(fd);
		return NULL;
	}
	file = find_file(probes, st.st_dev, st.st_ino);
	if (file) {
		close(fd);
		return file;
	}
	if (probes->file_cnt == HT_PROBES_FILES_MAX && !forget_refused(probes)) {
		if (!probes->is_full_told)
			report(probes, HT_TARGET_REFUSED, 0, path, "too many different libraries; further ones are not probed", 0);
		probes->is_full_told = true;
		close(fd);
		*err = -ENOSPC;
		return NULL;
	}
	file = &probes->files[probes->file_cnt];
	memset(file, 0, sizeof(*file));
	file->path = strdup(path);
	if (!file->path) {
		close(fd);
		*err = -ENOMEM;
		return NULL;
	}
	probes->file_cnt++;
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	file->fd = fd;
	*is_new = true;
	*err = ht_sites_plan(fd, name, probes->opts.has_entry_sites, &file->plan, file->reason, sizeof(file->reason));
	file->is_usable = !*err;
	return file;
}

int ht_probes_add_file(struct ht_probes *probes, int fd, const char *name, const char *path, bool is_cached)
{
	unsigned int site_cnt = 0;
	bool is_new;
	int err;
	struct ht_probes_file *file = enter_file(probes, fd, name, path, &is_new, &err);

	if (!file)
		return err;
	file->is_cached |= is_cached;
	if (!is_new)
		return 0;
	if (!err && !probes->opts.is_plan) {
		err = attach_everywhere(probes, file, &site_cnt);
		if (err)
			attach_reason(err, file->reason, sizeof(file->reason));
		file->is_usable = !err;
	}
	/* Libraries of another machine lie in many caches; they are news when a process has mapped one. */
	if (err && (err != -ENOTSUP || !is_cached))
		report(probes, HT_TARGET_REFUSED, 0, path, file->reason, 0);
	if (!err)
		report(probes, HT_TARGET_ATTACHED, 0, path, NULL, site_cnt);
	return err ? err : 1;
}

bool ht_probes_is_short_of_fds(const struct ht_probes *probes)
{
	return probes->is_short_of_fds;
}

const struct ht_probes_file *ht_probes_files(const struct ht_probes *probes, size_t *cnt)
{
	*cnt = probes->file_cnt;
	return probes->files;
}

/* ---- Processes ----------------------------------------------------------------------------------------------------------------------------------- */

/* Where pid is, or would have to be put. */
static size_t place_of(const struct ht_probes *probes, pid_t pid)
{
	size_t low = 0, high = probes->process_cnt;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (probes->processes[mid].pid < pid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool ht_probes_has_process(const struct ht_probes *probes, pid_t pid)
{
	size_t place = place_of(probes, pid);

	return place < probes->process_cnt && probes->processes[place].pid == pid;
}

static int attach_process(struct ht_probes *probes, struct process *process)
{
	int err = 0, first_err = 0;

	for (size_t i = 0; i < probes->file_cnt; i++) {
		if (!probes->files[i].is_usable || probes->files[i].plan.group == HT_SITES_NGHTTP2)
			continue;
		err = attach_file(probes, &probes->files[i], process->pid, &process->link_fds, &process->link_cnt, &process->probe_cnt);
		if (err == -ESRCH)
			return err;
		if (err && !first_err)
			first_err = err;
	}
	return first_err;
}

int ht_probes_add_process(struct ht_probes *probes, pid_t pid, const char *exe)
{
	size_t place = place_of(probes, pid);
	struct process *process;
	char reason[128];
	int err;

	if (place < probes->process_cnt && probes->processes[place].pid == pid)
		return 0;
	if (probes->process_cnt == probes->process_room) {
		size_t room = probes->process_room ? 2 * probes->process_room : 64;

		process = realloc(probes->processes, room * sizeof(*process));
		if (!process)
			return -ENOMEM;
		probes->processes = process;
		probes->process_room = room;
	}
	process = &probes->processes[place];
	memmove(process + 1, process, (probes->process_cnt - place) * sizeof(*process));
	*process = (struct process){ .pid = pid };
	probes->process_cnt++;
	err = probes->opts.is_plan ? 0 : attach_process(probes, process);
	if (err == -ESRCH) {
		/* Its end is announced, too: whoever counts processes waits for that. */
		let_go(probes, &process->link_fds, &process->link_cnt);
		return err;
	}
	if (err)
		report(probes, HT_TARGET_REFUSED, pid, exe, attach_reason(err, reason, sizeof(reason)), process->probe_cnt);
	else
		report(probes, HT_TARGET_ATTACHED, pid, exe, NULL, process->probe_cnt);
	return err;
}

void ht_probes_renew_process(struct ht_probes *probes, pid_t pid)
{
	size_t place = place_of(probes, pid);
	struct process *process = &probes->processes[place], old;

	if (place >= probes->process_cnt || process->pid != pid || !process->link_cnt || probes->opts.backend < HT_UPROBE_MULTI)
		return;
	if (ht_uprobe_link_pid(process->link_fds[0]) == pid)
		return;
	old = *process;
	*process = (struct process){ .pid = pid };
	attach_process(probes, process);
	let_go(probes, &old.link_fds, &old.link_cnt);
}

bool ht_probes_drop_process(struct ht_probes *probes, pid_t pid)
{
	size_t place = place_of(probes, pid);
	struct process *process = &probes->processes[place];
	bool had_probes;

	if (place >= probes->process_cnt || process->pid != pid)
		return false;
	had_probes = process->link_cnt;
	let_go(probes, &process->link_fds, &process->link_cnt);
	probes->process_cnt--;
	memmove(process, process + 1, (probes->process_cnt - place) * sizeof(*process));
	return had_probes;
}

size_t ht_probes_process_cnt(const struct ht_probes *probes)
{
	return probes->process_cnt;
}

pid_t ht_probes_process(const struct ht_probes *probes, size_t n)
{
	return n < probes->process_cnt ? probes->processes[n].pid : 0;
}

/* ---- Processes that were running before us ------------------------------------------------------------------------------------------------------- */

/* Its entry, made if need be. NULL: out of memory. */
static struct process *joined_process(struct ht_probes *probes, pid_t pid)
{
	struct process *grown;

	for (size_t i = 0; i < probes->joined_cnt; i++) {
		if (probes->joined[i].pid == pid)
			return &probes->joined[i];
	}
	grown = realloc(probes->joined, (probes->joined_cnt + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	probes->joined = grown;
	grown[probes->joined_cnt] = (struct process){ .pid = pid };
	return &grown[probes->joined_cnt++];
}

int ht_probes_join(struct ht_probes *probes, pid_t pid, int fd, const char *name, const char *path)
{
	struct process *process;
	unsigned int site_cnt = 0;
	bool is_new;
	int err;
	struct ht_probes_file *file = enter_file(probes, fd, name, path, &is_new, &err);

	if (!file)
		return err;
	if (!file->is_usable) {
		if (is_new)
			report(probes, HT_TARGET_REFUSED, 0, path, file->reason, 0);
		return -ENOTSUP;
	}
	if (probes->opts.is_plan)
		return 0;
	/* One side alone tells nothing. */
	for (enum ht_uprobe_side side = HT_UPROBE_ENTRY; side <= HT_UPROBE_RETURN; side++) {
		err = probes->opts.program_fd(probes->opts.ctx, file->plan.group, side);
		if (err < 0)
			return err;
	}
	process = joined_process(probes, pid);
	if (!process)
		return -ENOMEM;
	err = attach_file(probes, file, pid, &process->link_fds, &process->link_cnt, &site_cnt);
	file->joined_cnt += !err;
	if (err && err != -ESRCH && !file->reason[0])
		report(probes, HT_TARGET_REFUSED, 0, path, attach_reason(err, file->reason, sizeof(file->reason)), 0);
	return err;
}

void ht_probes_joined(struct ht_probes *probes)
{
	for (size_t i = 0; i < probes->file_cnt; i++) {
		struct ht_probes_file *file = &probes->files[i];

		if (file->joined_cnt)
			report(probes, HT_TARGET_ATTACHED, 0, file->path, NULL, file->joined_cnt * ht_probes_site_cnt(&file->plan));
		file->joined_cnt = 0;
	}
}

void ht_probes_leave(struct ht_probes *probes, pid_t pid)
{
	for (size_t i = 0; i < probes->joined_cnt; i++) {
		if (probes->joined[i].pid != pid)
			continue;
		let_go(probes, &probes->joined[i].link_fds, &probes->joined[i].link_cnt);
		probes->joined[i] = probes->joined[--probes->joined_cnt];
		return;
	}
}
