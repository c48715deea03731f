/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * cookies.c - see cookies.h.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "attach/cookies.h"

#define TARGETS_MAX 8
#define SAYERS_MAX  128

struct sayer {
	uint32_t target;
	uint64_t cookie;
	int fd;
};

struct ht_cookies {
	int map_fd;
	int array_fd; /* of the programs jumped to; it empties when its last descriptor is closed (bpf_fd_array_map_clear) */
	int targets[TARGETS_MAX];
	uint32_t target_cnt;
	struct sayer sayers[SAYERS_MAX];
	size_t sayer_cnt;
};

struct ht_cookies *ht_cookies_new(int map_fd)
{
	struct ht_cookies *cookies = calloc(1, sizeof(*cookies));
	int err;

	if (!cookies)
		return NULL;
	cookies->map_fd = map_fd;
	cookies->array_fd = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "ht_targets", sizeof(uint32_t), sizeof(uint32_t), TARGETS_MAX, NULL);
	if (cookies->array_fd >= 0)
		return cookies;
	err = errno;
	free(cookies);
	errno = err;
	return NULL;
}

/* The program's number, as an index of the array. -errno. */
static int target(struct ht_cookies *cookies, int prog_fd)
{
	uint32_t n;

	for (n = 0; n < cookies->target_cnt; n++) {
		if (cookies->targets[n] == prog_fd)
			return (int)n;
	}
	if (n == TARGETS_MAX)
		return -ENOSPC;
	if (bpf_map_update_elem(cookies->array_fd, &n, &prog_fd, BPF_ANY))
		return -errno;
	cookies->targets[n] = prog_fd;
	cookies->target_cnt++;
	return (int)n;
}

#define REG(c, to, from)                                        \
	{                                                       \
		.code = (c), .dst_reg = (to), .src_reg = (from) \
	}
#define IMM(c, to, value)                                             \
	{                                                             \
		.code = (c), .dst_reg = (to), .imm = (int32_t)(value) \
	}
#define STORE(at, from)                                                                                   \
	{                                                                                                 \
		.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .src_reg = (from), .off = (at) \
	}
#define CALL(helper)                                        \
	{                                                   \
		.code = BPF_JMP | BPF_CALL, .imm = (helper) \
	}
#define MOV (BPF_ALU64 | BPF_MOV | BPF_X)
#define SET (BPF_ALU64 | BPF_MOV | BPF_K)
#define ADD (BPF_ALU64 | BPF_ADD | BPF_K)
/* Two instructions. kind: 0, or BPF_PSEUDO_*. */
#define WIDE(to, kind, low, high)                                                                         \
	{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = (to), .src_reg = (kind), .imm = (int32_t)(low) }, \
	{                                                                                                 \
		.imm = (int32_t)(high)                                                                    \
	}

static int load(const struct ht_cookies *cookies, uint32_t n, uint64_t cookie)
{
	const struct bpf_insn insns[] = {
		REG(MOV, BPF_REG_6, BPF_REG_1),
		CALL(BPF_FUNC_get_current_pid_tgid),
		STORE(-8, BPF_REG_0),
		WIDE(BPF_REG_1, 0, cookie, cookie >> 32),
		STORE(-16, BPF_REG_1),
		WIDE(BPF_REG_1, BPF_PSEUDO_MAP_FD, cookies->map_fd, 0),
		REG(MOV, BPF_REG_2, BPF_REG_10),
		IMM(ADD, BPF_REG_2, -8),
		REG(MOV, BPF_REG_3, BPF_REG_10),
		IMM(ADD, BPF_REG_3, -16),
		IMM(SET, BPF_REG_4, BPF_ANY),
		CALL(BPF_FUNC_map_update_elem),
		REG(MOV, BPF_REG_1, BPF_REG_6),
		WIDE(BPF_REG_2, BPF_PSEUDO_MAP_FD, cookies->array_fd, 0),
		IMM(SET, BPF_REG_3, n),
		CALL(BPF_FUNC_tail_call),
		/* It does not come back. */
		IMM(SET, BPF_REG_0, 0),
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "ht_cookie", "Dual BSD/GPL", insns, sizeof(insns) / sizeof(insns[0]), NULL);

	return fd < 0 ? -errno : fd;
}

int ht_cookies_fd(struct ht_cookies *cookies, int prog_fd, uint64_t cookie)
{
	int n = target(cookies, prog_fd), fd;

	if (n < 0)
		return n;
	for (size_t i = 0; i < cookies->sayer_cnt; i++) {
		if (cookies->sayers[i].target == (uint32_t)n && cookies->sayers[i].cookie == cookie)
			return cookies->sayers[i].fd;
	}
	if (cookies->sayer_cnt == SAYERS_MAX)
		return -ENOSPC;
	fd = load(cookies, (uint32_t)n, cookie);
	if (fd >= 0)
		cookies->sayers[cookies->sayer_cnt++] = (struct sayer){ (uint32_t)n, cookie, fd };
	return fd;
}

void ht_cookies_free(struct ht_cookies *cookies)
{
	if (!cookies)
		return;
	for (size_t i = 0; i < cookies->sayer_cnt; i++)
		close(cookies->sayers[i].fd);
	close(cookies->array_fd);
	free(cookies);
}
