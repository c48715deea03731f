/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * privileges.c - see privileges.h. The system call itself, as libcap would only wrap it: capset(2), version 3 of its header, two words a set.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
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

static int set_all(uint64_t caps)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{ .permitted = (uint32_t)caps, .effective = (uint32_t)caps },
		{ .permitted = (uint32_t)(caps >> 32), .effective = (uint32_t)(caps >> 32) },
	};

	/* What is not inheritable cannot be ambient (capabilities(7)). */
	return syscall(SYS_capset, &head, data) ? -errno : 0;
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
	if (!err)
		err = set_all(kept);
	if (!err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err = -errno;
	if (err)
		ht_say("warning: capabilities that are needed no more cannot be dropped: %s", strerror(-err));
	else if (run->options->verbose && !run->options->read_path)
		ht_say("keeps %s; no other capability", text[0] ? text : "none");
}
