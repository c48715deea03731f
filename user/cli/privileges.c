/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * privileges.c - see privileges.h. The system call itself, as libcap would only wrap it: capset(2), version 3 of its header, two words a set.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "privileges.h"
#include "say.h"

/* Since Linux 5.8 and 5.9: missing in older headers. */
#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif
#ifndef CAP_CHECKPOINT_RESTORE
#define CAP_CHECKPOINT_RESTORE 40
#endif

#define BIT(cap) (1ULL << (cap))

static const struct {
	unsigned int cap;
	const char *name;
	const char *why;
	bool is_within_admin; /* CAP_SYS_ADMIN includes it */
	bool is_for_command;  /* needed only where a COMMAND was started */
} needed[] = {
	{ CAP_BPF, "CAP_BPF", "probes in processes and libraries that come later", true, false },
	{ CAP_PERFMON, "CAP_PERFMON", "likewise", true, false },
	{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "what other users' processes run and have mapped", false, false },
	{ CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", "libraries that only their owners may read", false, false },
	{ CAP_CHECKPOINT_RESTORE, "CAP_CHECKPOINT_RESTORE", "libraries that were deleted or replaced", true, false },
	{ CAP_KILL, "CAP_KILL", "signals to COMMAND", false, true },
};

#define NEEDED_CNT (sizeof(needed) / sizeof(needed[0]))

static bool has_rt;

static int get_permitted(uint64_t *caps)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	if (syscall(SYS_capget, &head, data))
		return -errno;
	*caps = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	return 0;
}

static int set_caps(uint64_t permitted, uint64_t effective)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{ .permitted = (uint32_t)permitted, .effective = (uint32_t)effective },
		{ .permitted = (uint32_t)(permitted >> 32), .effective = (uint32_t)(effective >> 32) },
	};

	/* What is not inheritable cannot be ambient (capabilities(7)). */
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

/* Whether probes are set without perf events: from 6.6 on. */
static bool has_uprobe_multi(void)
{
	static const char name[] = "bpf_uprobe_multi_link";
	int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);
	bool found = false;
	struct stat info;
	char *types;

	if (fd < 0)
		return false;
	if (!fstat(fd, &info) && info.st_size > 0) {
		size_t bytes = (size_t)info.st_size, done = 0;

		types = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		for (ssize_t len = 1; types != MAP_FAILED && done < bytes && len > 0; done += len > 0 ? (size_t)len : 0)
			len = read(fd, types + done, bytes - done);
		if (types != MAP_FAILED) {
			found = memmem(types, done, name, sizeof(name));
			munmap(types, bytes);
		}
	}
	close(fd);
	return found;
}

/*
 * Debian's kernels let nobody without CAP_SYS_ADMIN open any perf event where kernel.perf_event_paranoid is 3, their default; CAP_PERFMON does not help.
 * Asked by opening one that counts nothing.
 */
static bool perf_wants_admin(uint64_t permitted, uint64_t kept)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_DUMMY };
	long fd;

	if (!(permitted >> CAP_SYS_ADMIN & 1) || set_caps(permitted, kept))
		return false;
	fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd >= 0)
		close((int)fd);
	set_caps(permitted, permitted);
	return fd < 0 && !has_uprobe_multi();
}

/* Of what is permitted, what is needed; the sentence about it in text. */
static uint64_t choose(uint64_t permitted, bool has_command, char *text, size_t size)
{
	uint64_t kept = 0;
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < NEEDED_CNT; i++) {
		bool is_permitted = permitted >> needed[i].cap & 1;

		if (needed[i].is_for_command && !has_command)
			continue;
		if (!is_permitted && !(needed[i].is_within_admin && permitted >> CAP_SYS_ADMIN & 1))
			continue;
		kept |= is_permitted ? BIT(needed[i].cap) : BIT(CAP_SYS_ADMIN);
		len += (size_t)snprintf(text + len, size - len, "%s%s%s (%s)", len ? ", " : "",
					is_permitted ? "" : "CAP_SYS_ADMIN in place of ", needed[i].name, needed[i].why);
	}
	return kept;
}

void ht_privileges_begin_rt(void)
{
	struct sched_param lowest = { .sched_priority = sched_get_priority_min(SCHED_RR) };

	has_rt = sched_getscheduler(0) == SCHED_OTHER && !sched_setscheduler(0, SCHED_RR, &lowest);
}

void ht_privileges_end_rt(void)
{
	const struct sched_param none = { 0 };

	if (has_rt)
		sched_setscheduler(0, SCHED_OTHER, &none);
	has_rt = false;
}

void ht_privileges_drop(const struct ht_run *run)
{
	char text[768];
	uint64_t permitted = 0, kept = 0;
	int err = get_permitted(&permitted);

	text[0] = '\0';
	if (!err && !run->options->read_path)
		kept = choose(permitted, run->command.pid != 0, text, sizeof(text));
	if (kept && perf_wants_admin(permitted, kept)) {
		size_t len = strlen(text);

		kept |= BIT(CAP_SYS_ADMIN);
		snprintf(text + len, sizeof(text) - len,
			 ", CAP_SYS_ADMIN (probes in later processes: this kernel lets nobody else open perf events)");
	}
	if (!err)
		err = set_caps(kept, kept);
	if (!err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err = -errno;
	if (err)
		ht_say("warning: capabilities that are needed no more cannot be dropped: %s", strerror(-err));
	else if (run->options->verbose && !run->options->read_path)
		ht_say("keeps %s; no other capability", text[0] ? text : "none");
}
