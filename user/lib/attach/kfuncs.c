/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * kfuncs.c - see kfuncs.h.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "abi/config.h"
#include "attach/kfuncs.h"

static uint32_t find(const struct btf *btf, const char *name)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);

	return id > 0 ? (uint32_t)id : 0;
}

struct ht_kfuncs ht_kfuncs_find(const struct btf *btf)
{
	return (struct ht_kfuncs){
		.cast_to_kern_ctx = find(btf, "bpf_cast_to_kern_ctx"),
		.task_work = find(btf, "bpf_task_work_schedule_resume_impl"),
	};
}

int ht_kfuncs_put(const struct ht_kfuncs *kfuncs, struct bpf_program *prog)
{
	size_t cnt = bpf_program__insn_cnt(prog);
	struct bpf_insn *insns = calloc(cnt, sizeof(*insns));
	int err = insns ? 0 : -ENOMEM;

	if (!err)
		memcpy(insns, bpf_program__insns(prog), cnt * sizeof(*insns));
	for (size_t i = 0; !err && i < cnt; i++) {
		uint32_t id;

		if (insns[i].code != (BPF_JMP | BPF_CALL) || insns[i].src_reg ||
		    (insns[i].imm != HT_KFUNC_CAST_TO_KERN_CTX && insns[i].imm != HT_KFUNC_TASK_WORK))
			continue;
		id = insns[i].imm == HT_KFUNC_TASK_WORK ? kfuncs->task_work : kfuncs->cast_to_kern_ctx;
		if (!id)
			err = -ENOENT;
		insns[i].src_reg = BPF_PSEUDO_KFUNC_CALL;
		insns[i].imm = (__s32)id;
	}
	if (!err)
		err = bpf_program__set_insns(prog, insns, cnt);
	free(insns);
	return err;
}
