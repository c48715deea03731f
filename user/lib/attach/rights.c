/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rights.c - see rights.h. The system calls themselves, as libcap would only wrap them: version 3 of their header, two words a set.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/perf_event.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach/rights.h"
#include "attach/uprobe.h"

#define BIT(cap) (1ULL << (cap))

static const struct {
	unsigned int cap;
	const char *name;
	const char *why;
	bool is_within_admin; /* CAP_SYS_ADMIN includes it */
} needed[] = {
	{ CAP_BPF, "CAP_BPF", "probes in processes and libraries that come later", true },
	{ CAP_PERFMON, "CAP_PERFMON", "likewise", true },
	{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "what other users' processes run and have mapped", false },
	{ CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", "libraries that only their owners may read", false },
	{ CAP_CHECKPOINT_RESTORE, "CAP_CHECKPOINT_RESTORE", "libraries that were deleted or replaced", true },
};

#define NEEDED_CNT (sizeof(needed) / sizeof(needed[0]))

int ht_rights_read(struct ht_rights *rights)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	if (syscall(SYS_capget, &head, data))
		return -errno;
	rights->permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	rights->effective = (uint64_t)data[1].effective << 32 | data[0].effective;
	return 0;
}

/* The inheritable ones stay as they are. */
static int set_effective(uint64_t effective)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	if (syscall(SYS_capget, &head, data))
		return -errno;
	data[0].effective = (uint32_t)effective;
	data[1].effective = (uint32_t)(effective >> 32);
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

/*
 * Debian's kernels let nobody without CAP_SYS_ADMIN open any perf event where kernel.perf_event_paranoid is 3, their default; CAP_PERFMON does not help.
 * Asked by opening one that counts nothing.
 */
static bool perf_wants_admin(const struct ht_rights *rights, uint64_t kept)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_DUMMY };
	long fd;

	if (!(rights->permitted & BIT(CAP_SYS_ADMIN)) || set_effective(kept))
		return false;
	fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd >= 0)
		close((int)fd);
	set_effective(rights->effective);
	return fd < 0;
}

/* Whether probes are set by perf events. */
static bool uses_perf(const char *btf_path, uint32_t without)
{
	struct ht_features features;
	char why[256];
	bool uses;

	ht_features_read(&features, btf_path, without);
	uses = ht_uprobe_probe(&features, why, sizeof(why)) < HT_UPROBE_MULTI;
	ht_features_free(&features);
	return uses;
}

int ht_rights_needed(const char *btf_path, uint32_t without, ht_right_fn fn, void *ctx)
{
	struct ht_rights rights;
	uint64_t kept = 0;
	int err = ht_rights_read(&rights);

	if (err)
		return err;
	for (size_t i = 0; i < NEEDED_CNT; i++) {
		bool is_permitted = rights.permitted & BIT(needed[i].cap);
		unsigned int number = is_permitted ? needed[i].cap : CAP_SYS_ADMIN;

		if (!is_permitted && !(needed[i].is_within_admin && rights.permitted & BIT(CAP_SYS_ADMIN)))
			continue;
		kept |= BIT(number);
		fn(ctx, number, needed[i].name, needed[i].why);
	}
	if (!(kept & BIT(CAP_SYS_ADMIN)) && perf_wants_admin(&rights, kept) && uses_perf(btf_path, without))
		fn(ctx, CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "probes in later processes: this kernel lets nobody else open perf events");
	return 0;
}
