/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * privileges.c - see privileges.h. The system call itself, as libcap would only wrap it: capset(2), version 3 of its header, two words a set. Which
 * capabilities tracing needs the library knows.
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

#define BIT(cap) (1ULL << (cap))

static bool has_rt;

struct choice {
	uint64_t kept;
	char text[768]; /* the sentence about it */
	size_t len;
};

static void keep(unsigned int number, const char *name, const char *why, void *ctx)
{
	struct choice *choice = ctx;
	bool stands_in = number == CAP_SYS_ADMIN && strcmp(name, "CAP_SYS_ADMIN") != 0;

	choice->kept |= BIT(number);
	if (choice->len < sizeof(choice->text))
		choice->len += (size_t)snprintf(choice->text + choice->len, sizeof(choice->text) - choice->len, "%s%s%s (%s)",
						choice->len ? ", " : "", stands_in ? "CAP_SYS_ADMIN in place of " : "", name, why);
}

static int set_caps(uint64_t caps)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{ .permitted = (uint32_t)caps, .effective = (uint32_t)caps },
		{ .permitted = (uint32_t)(caps >> 32), .effective = (uint32_t)(caps >> 32) },
	};

	/* What is not inheritable cannot be ambient (capabilities(7)). */
	return syscall(SYS_capset, &head, data) ? -errno : 0;
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
	struct httptrace_open_opts opts = { .sz = sizeof(opts), .btf = run->options->btf, .without = run->options->without };
	struct choice choice = { .kept = 0 };
	int err = 0;

	if (!run->options->read_path)
		err = httptrace__capabilities(&opts, keep, &choice);
	if (!err && run->command.pid && !run->options->read_path) {
		struct choice without_kill = choice;

		keep(CAP_KILL, "CAP_KILL", "signals to COMMAND", &choice);
		if (set_caps(choice.kept)) /* we have not got it */
			choice = without_kill;
	}
	if (!err)
		err = set_caps(choice.kept);
	if (!err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err = -errno;
	if (err)
		ht_say("warning: capabilities that are needed no more cannot be dropped: %s", strerror(-err));
	else if (run->options->verbose && !run->options->read_path)
		ht_say("keeps %s; no other capability", choice.text[0] ? choice.text : "none");
}
