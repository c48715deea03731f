/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_live_stacks.c - programs on users' functions run on their threads' own stacks (bpf/probe.bpf.h): what the kernel made of them is looked at.
 *
 * Needs root. Only x86-64's way to a stack of the CPU's is known here, and a kernel that gives none has nothing to show: both are skipped.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <dirent.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "source/live.h"

/* add %gs:..., %r9: how a program finds the stack of its CPU (arch/x86/net/bpf_jit_comp.c, emit_priv_frame_ptr). */
static const unsigned char to_cpu_stack[] = { 0x65, 0x4c, 0x03, 0x0c, 0x25 };

/* How often a program's machine code has it; -1: it cannot be had. name: room for BPF_OBJ_NAME_LEN, type: or NULL. */
static int cpu_stack_cnt(int prog_fd, char *name, uint32_t *type)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info), code_bytes;
	unsigned char *code, *at;
	int cnt = 0;

	if (bpf_obj_get_info_by_fd(prog_fd, &info, &size))
		return -1;
	memcpy(name, info.name, BPF_OBJ_NAME_LEN);
	if (type)
		*type = info.type;
	code_bytes = info.jited_prog_len;
	code = calloc(1, code_bytes + 1);
	assert_non_null(code);
	memset(&info, 0, sizeof(info));
	info.jited_prog_insns = (uintptr_t)code;
	info.jited_prog_len = code_bytes;
	size = sizeof(info);
	/* 0 comes back for what this process may not see. */
	if (bpf_obj_get_info_by_fd(prog_fd, &info, &size) || !info.jited_prog_insns || !code_bytes)
		cnt = -1;
	for (at = code; cnt >= 0 && (at = memmem(at, (size_t)(code + code_bytes - at), to_cpu_stack, sizeof(to_cpu_stack))); at++)
		cnt++;
	free(code);
	return cnt;
}

/* A program that has no tail call and some stack. */
static int load_control(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .off = -128 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_KPROBE, "control", "GPL", insns, sizeof(insns) / sizeof(insns[0]), NULL);
}

static void own_stacks(void **state)
{
	struct ht_live_opts opts = { .is_following = true };
	char err[512] = "", name[BPF_OBJ_NAME_LEN];
	int control = load_control(), cnt, checked_cnt = 0;
	struct ht_source *source;
	struct dirent *entry;
	uint32_t type;
	DIR *dir;

	(void)state;
	assert_true(control >= 0);
	cnt = cpu_stack_cnt(control, name, NULL);
	close(control);
	if (cnt <= 0) {
		print_message("skipped: %s\n", cnt ? "machine code cannot be read" : "this kernel gives no program a stack of the CPU's");
		skip();
	}
	source = ht_live_open(&opts, err, sizeof(err));
	if (!source)
		fail_msg("open: %s", err);
	dir = opendir("/proc/self/fd");
	while ((entry = readdir(dir))) {
		cnt = cpu_stack_cnt(atoi(entry->d_name), name, &type);
		if (cnt < 0 || type != BPF_PROG_TYPE_KPROBE)
			continue;
		checked_cnt++;
		if (cnt)
			fail_msg("%s keeps something on the CPU's stack, where another thread's call can overwrite it", name);
	}
	closedir(dir);
	source->ops->close(source);
	print_message("%d programs on users' functions\n", checked_cnt);
	assert_true(checked_cnt >= 4);
}

static void cannot_be_seen(void **state)
{
	(void)state;
#ifdef __x86_64__
	print_message("skipped: loading programs needs root\n");
#else
	print_message("skipped: only x86-64's machine code is known here\n");
#endif
	skip();
}

int main(void)
{
	struct CMUnitTest tests[] = { cmocka_unit_test(own_stacks) };

#ifdef __x86_64__
	if (geteuid() != 0)
#endif
		tests[0].test_func = cannot_be_seen;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
