/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * arch_arm64.c - arm64: which instructions the kernel simulates at a uprobe, and what those of a function's beginning do to registers.
 *
 * Simulated (arch/arm64/kernel/probes/decode-insn.c, arm_probe_decode_insn(), Linux 5.10 to 6.18): b, bl, b.cond, cbz, cbnz, tbz, tbnz,
 * among others. Not counted: nop and stp of the frame (newer kernels only), ldr of a literal (refused by newer kernels), adr, ret and br
 * (nothing to choose them for).
 * Decoded are the instructions that functions begin with; of every other one all registers count as written.
 */
#include <elf.h>

#include "attach/arch.h"

#define BIT(reg) (1u << (reg))
#define FP       29
#define SP       31 /* the zero register, which has this number too, is never followed */

/* x0..x30, w0..w30 and sp. */
static uint8_t number(unsigned int reg, uint8_t *width)
{
	*width = 8;
	if (reg >= ARM64_REG_X0 && reg <= ARM64_REG_X28)
		return (uint8_t)(reg - ARM64_REG_X0);
	if (reg == ARM64_REG_FP)
		return FP;
	if (reg == ARM64_REG_LR)
		return 30;
	if (reg == ARM64_REG_SP)
		return SP;
	*width = 4;
	if (reg >= ARM64_REG_W0 && reg <= ARM64_REG_W30)
		return (uint8_t)(reg - ARM64_REG_W0);
	*width = 0;
	return HT_REG_NONE;
}

/* Address writes back: `[sp, #-32]!` and `[sp], #32` change the base. */
static uint32_t base_writes(const cs_arm64 *arm64)
{
	for (unsigned int i = 0; i < arm64->op_count && arm64->writeback; i++) {
		uint8_t width, base = arm64->operands[i].type == ARM64_OP_MEM ? number(arm64->operands[i].mem.base, &width) : HT_REG_NONE;

		if (base != HT_REG_NONE)
			return BIT(base);
	}
	return arm64->writeback ? HT_REGS_ALL : 0;
}

static uint32_t first_writes(const cs_arm64 *arm64)
{
	uint8_t width, reg;

	if (!arm64->op_count || arm64->operands[0].type != ARM64_OP_REG)
		return HT_REGS_ALL;
	reg = number(arm64->operands[0].reg, &width);
	return reg == HT_REG_NONE ? HT_REGS_ALL : BIT(reg);
}

static void decode_plain(const cs_insn *from, struct ht_insn *insn)
{
	const cs_arm64 *arm64 = &from->detail->arm64;
	uint8_t to_width = 0, from_width = 0, to = HT_REG_NONE, of = HT_REG_NONE;

	if (arm64->op_count >= 2 && arm64->operands[0].type == ARM64_OP_REG) {
		to = number(arm64->operands[0].reg, &to_width);
		if (arm64->operands[1].type == ARM64_OP_REG)
			of = number(arm64->operands[1].reg, &from_width);
	}
	switch (from->id) {
	case ARM64_INS_NOP:
	case ARM64_INS_HINT: /* bti, paciasp */
	case ARM64_INS_CMP:
	case ARM64_INS_CMN:
	case ARM64_INS_TST:
	case ARM64_INS_CCMP:
		insn->writes = 0;
		return;
	case ARM64_INS_STP:
	case ARM64_INS_STR:
	case ARM64_INS_STUR:
	case ARM64_INS_STRB:
	case ARM64_INS_STRH:
		insn->writes = base_writes(arm64);
		/* stp x29, x30, [sp, #-32]! makes the frame. */
		if (insn->writes == BIT(SP) && arm64->operands[arm64->op_count - 1].type == ARM64_OP_MEM) {
			insn->flow = HT_FLOW_ADD;
			insn->dst = insn->src = SP;
			insn->imm = arm64->operands[arm64->op_count - 1].mem.disp;
		}
		return;
	case ARM64_INS_LDR:
	case ARM64_INS_LDUR:
	case ARM64_INS_LDRB:
	case ARM64_INS_LDRH:
		insn->writes = first_writes(arm64) | base_writes(arm64);
		return;
	case ARM64_INS_MOV:
		if (of != HT_REG_NONE && to != HT_REG_NONE && to_width == from_width) {
			insn->flow = to_width == 8 ? HT_FLOW_COPY : HT_FLOW_ZERO32;
			insn->dst = to;
			insn->src = of;
		}
		insn->writes = first_writes(arm64);
		return;
	case ARM64_INS_SXTW:
		if (of != HT_REG_NONE && to != HT_REG_NONE && to_width == 8) {
			insn->flow = HT_FLOW_SIGN32;
			insn->dst = to;
			insn->src = of;
		}
		insn->writes = first_writes(arm64);
		return;
	case ARM64_INS_ADD:
	case ARM64_INS_SUB:
		if (arm64->op_count == 3 && arm64->operands[2].type == ARM64_OP_IMM && !arm64->operands[2].shift.value && to_width == 8 &&
		    from_width == 8) {
			insn->flow = HT_FLOW_ADD;
			insn->dst = to;
			insn->src = of;
			insn->imm = from->id == ARM64_INS_SUB ? -arm64->operands[2].imm : arm64->operands[2].imm;
		}
		insn->writes = first_writes(arm64);
		return;
	case ARM64_INS_ADRP:
	case ARM64_INS_ADR:
	case ARM64_INS_MOVZ:
	case ARM64_INS_MOVN:
	case ARM64_INS_MOVK:
	case ARM64_INS_AND:
	case ARM64_INS_ORR:
	case ARM64_INS_EOR:
	case ARM64_INS_MRS:
	case ARM64_INS_CSET:
	case ARM64_INS_LSL:
	case ARM64_INS_LSR:
		insn->writes = first_writes(arm64);
		return;
	default:
		insn->writes = HT_REGS_ALL;
		return;
	}
}

static uint64_t target_of(uint64_t at, uint32_t word, unsigned int low, unsigned int bits)
{
	int64_t by = (int64_t)((uint64_t)(word >> low) << (64 - bits)) >> (64 - bits);

	return at + (uint64_t)(by * 4);
}

static void decode(const cs_insn *from, struct ht_insn *insn)
{
	uint32_t word = (uint32_t)from->bytes[0] | (uint32_t)from->bytes[1] << 8 | (uint32_t)from->bytes[2] << 16 |
			(uint32_t)from->bytes[3] << 24;

	insn->dst = insn->src = insn->base = HT_REG_NONE;
	insn->is_emulated = true;
	/* Arm ARM C4.1.66, branches. */
	if ((word & 0x7c000000) == 0x14000000) {
		insn->kind = word >> 31 ? HT_INSN_CALL : HT_INSN_JUMP;
		insn->target = target_of(from->address, word, 0, 26);
		return;
	}
	if ((word & 0xff000010) == 0x54000000 || (word & 0x7e000000) == 0x34000000) {
		insn->kind = HT_INSN_BRANCH;
		insn->target = target_of(from->address, word, 5, 19);
		return;
	}
	if ((word & 0x7e000000) == 0x36000000) {
		insn->kind = HT_INSN_BRANCH;
		insn->target = target_of(from->address, word, 5, 14);
		return;
	}
	insn->is_emulated = false;
	if ((word & 0xfe000000) == 0xd6000000) {
		unsigned int opc = word >> 21 & 0xf;

		insn->kind = (opc & 7) == 2 ? HT_INSN_RETURN : (opc & 7) == 1 ? HT_INSN_CALL_UNKNOWN : HT_INSN_JUMP_UNKNOWN;
		insn->writes = insn->kind == HT_INSN_JUMP_UNKNOWN ? HT_REGS_ALL : 0;
		return;
	}
	if ((word & 0xffe0001f) == 0xd4200000) { /* brk */
		insn->kind = HT_INSN_STOP;
		return;
	}
	insn->kind = HT_INSN_PLAIN;
	decode_plain(from, insn);
}

/* A stub is adrp, ldr, add, br: not followed. */
static int64_t jump_slot(const cs_insn *from)
{
	(void)from;
	return 0;
}

const struct ht_arch ht_arch_arm64 = {
	.machine = EM_AARCH64,
	.cs_arch = CS_ARCH_ARM64,
	.cs_mode = CS_MODE_ARM,
	.sp = SP,
	.fp = FP,
	.result = 0,
	.arg_cnt = { 8, 9 },
	.args = { { 0, 1, 2, 3, 4, 5, 6, 7 }, { 0, 1, 2, 3, 4, 5, 6, 7, 8 } },
	.call_writes = 0x7ffff | BIT(30), /* x0..x18 and the link register: AAPCS64 6.1.1 */
	.decode = decode,
	.jump_slot = jump_slot,
};
