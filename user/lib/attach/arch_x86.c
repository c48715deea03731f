/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * arch_x86.c - x86-64: which instructions the kernel emulates at a uprobe, and what instructions do to registers.
 *
 * Emulated (arch/x86/kernel/uprobes.c, branch_setup_xol_ops() and push_setup_xol_ops(), Linux 5.10 to 6.18): one-byte nop, jmp, jcc and
 * call with a relative target, push of a register. Not counted, as not every one of these kernels emulates them: nops of more bytes
 * (from 6.16), any of the above behind a prefix (a 66 prefix is even refused, that of a two-byte nop until 6.2 and its stable
 * relatives), endbr64, push of memory or of a constant.
 */
#include <elf.h>

#include "attach/arch.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

#define BIT(reg) (1u << (reg))

static bool is_emulated(const uint8_t *bytes, unsigned int cnt)
{
	switch (bytes[0]) {
	case 0x90: /* nop */
		return cnt == 1;
	case 0x41: /* push r8..r15 */
		return cnt == 2 && bytes[1] >= 0x50 && bytes[1] <= 0x57;
	case 0x0f: /* jcc rel32 */
		return cnt == 6 && bytes[1] >= 0x80 && bytes[1] <= 0x8f;
	case 0xe8: /* call rel32 */
	case 0xe9: /* jmp rel32 */
		return cnt == 5;
	case 0xeb: /* jmp rel8 */
		return cnt == 2;
	default:
		return (cnt == 1 && bytes[0] >= 0x50 && bytes[0] <= 0x57) || (cnt == 2 && bytes[0] >= 0x70 && bytes[0] <= 0x7f);
	}
}

/* The number of a general register, with its width in bytes; HT_REG_NONE for any other. */
static uint8_t number(unsigned int reg, uint8_t *width)
{
	static const struct {
		uint16_t reg[5]; /* 8, 4, 2 bytes, low byte, high byte */
	} table[16] = {
		{ { X86_REG_RAX, X86_REG_EAX, X86_REG_AX, X86_REG_AL, X86_REG_AH } },
		{ { X86_REG_RCX, X86_REG_ECX, X86_REG_CX, X86_REG_CL, X86_REG_CH } },
		{ { X86_REG_RDX, X86_REG_EDX, X86_REG_DX, X86_REG_DL, X86_REG_DH } },
		{ { X86_REG_RBX, X86_REG_EBX, X86_REG_BX, X86_REG_BL, X86_REG_BH } },
		{ { X86_REG_RSP, X86_REG_ESP, X86_REG_SP, X86_REG_SPL } },
		{ { X86_REG_RBP, X86_REG_EBP, X86_REG_BP, X86_REG_BPL } },
		{ { X86_REG_RSI, X86_REG_ESI, X86_REG_SI, X86_REG_SIL } },
		{ { X86_REG_RDI, X86_REG_EDI, X86_REG_DI, X86_REG_DIL } },
		{ { X86_REG_R8, X86_REG_R8D, X86_REG_R8W, X86_REG_R8B } },
		{ { X86_REG_R9, X86_REG_R9D, X86_REG_R9W, X86_REG_R9B } },
		{ { X86_REG_R10, X86_REG_R10D, X86_REG_R10W, X86_REG_R10B } },
		{ { X86_REG_R11, X86_REG_R11D, X86_REG_R11W, X86_REG_R11B } },
		{ { X86_REG_R12, X86_REG_R12D, X86_REG_R12W, X86_REG_R12B } },
		{ { X86_REG_R13, X86_REG_R13D, X86_REG_R13W, X86_REG_R13B } },
		{ { X86_REG_R14, X86_REG_R14D, X86_REG_R14W, X86_REG_R14B } },
		{ { X86_REG_R15, X86_REG_R15D, X86_REG_R15W, X86_REG_R15B } },
	};
	static const uint8_t widths[5] = { 8, 4, 2, 1, 1 };

	for (uint8_t n = 0; reg && n < 16; n++) {
		for (uint8_t i = 0; i < 5; i++) {
			if (table[n].reg[i] != reg)
				continue;
			*width = widths[i];
			return n;
		}
	}
	*width = 0;
	return HT_REG_NONE;
}

struct operand {
	enum { OTHER, REG, IMM, MEM } type;
	uint8_t reg; /* or the base of MEM, HT_REG_NONE: not one register and a displacement */
	uint8_t width;
	int64_t imm;
};

static struct operand operand_of(const cs_x86 *x86, unsigned int n)
{
	struct operand operand = { .reg = HT_REG_NONE };
	const cs_x86_op *op = &x86->operands[n];
	uint8_t width;

	if (n >= x86->op_count)
		return operand;
	operand.width = op->size;
	switch (op->type) {
	case X86_OP_REG:
		operand.reg = number(op->reg, &operand.width);
		operand.type = operand.reg == HT_REG_NONE ? OTHER : REG;
		break;
	case X86_OP_IMM:
		operand.type = IMM;
		operand.imm = op->imm;
		break;
	case X86_OP_MEM:
		operand.type = MEM;
		operand.imm = op->mem.disp;
		if (op->mem.index == X86_REG_INVALID && op->mem.segment == X86_REG_INVALID)
			operand.reg = number(op->mem.base, &width);
		if (operand.reg != HT_REG_NONE && width != 8)
			operand.reg = HT_REG_NONE;
		break;
	default:
		break;
	}
	return operand;
}

static void flow(struct ht_insn *insn, enum ht_flow what, uint8_t dst, uint8_t src)
{
	insn->flow = (uint8_t)what;
	insn->dst = dst;
	insn->src = src;
}

static void load(struct ht_insn *insn, enum ht_flow what, const struct operand *dst, const struct operand *from)
{
	flow(insn, what, dst->reg, HT_REG_NONE);
	insn->base = from->reg;
	insn->imm = from->imm;
	insn->width = from->width;
}

static void decode_mov(const struct operand *to, const struct operand *from, struct ht_insn *insn)
{
	if (to->type == MEM && to->reg != HT_REG_NONE) {
		flow(insn, HT_FLOW_STORE, HT_REG_NONE, from->type == REG ? from->reg : HT_REG_NONE);
		insn->base = to->reg;
		insn->imm = to->imm;
		insn->width = to->width;
	} else if (to->type == REG && to->width >= 4) {
		if (from->type == REG)
			flow(insn, to->width == 8 ? HT_FLOW_COPY : HT_FLOW_ZERO32, to->reg, from->reg);
		else if (from->type == MEM && from->reg != HT_REG_NONE)
			load(insn, HT_FLOW_LOAD, to, from);
		else if (from->type == IMM)
			flow(insn, HT_FLOW_CONST, to->reg, HT_REG_NONE), insn->imm = from->imm;
	}
}

/* Instructions whose first operand is their only result; false: not one of them. */
static bool decode_one_result(unsigned int id, const struct operand *to, const struct operand *from, unsigned int cnt, struct ht_insn *insn)
{
	bool is_same = to->type == REG && from->type == REG && to->reg == from->reg && to->width == from->width;

	switch (id) {
	case X86_INS_MOV:
	case X86_INS_MOVABS:
		decode_mov(to, from, insn);
		break;
	case X86_INS_MOVSXD:
		if (to->type == REG && to->width == 8 && from->width == 4) {
			if (from->type == REG)
				flow(insn, HT_FLOW_SIGN32, to->reg, from->reg);
			else if (from->type == MEM && from->reg != HT_REG_NONE)
				load(insn, HT_FLOW_LOAD_SIGN, to, from);
		}
		break;
	case X86_INS_LEA:
		if (to->type == REG && to->width == 8 && from->reg != HT_REG_NONE) {
			flow(insn, HT_FLOW_ADD, to->reg, from->reg);
			insn->imm = from->imm;
		}
		break;
	case X86_INS_ADD:
	case X86_INS_SUB:
		if (to->type == REG && to->width == 8 && from->type == IMM && from->imm != INT64_MIN) {
			flow(insn, HT_FLOW_ADD, to->reg, to->reg);
			insn->imm = id == X86_INS_SUB ? -from->imm : from->imm;
		}
		break;
	case X86_INS_XOR:
		if (is_same && to->width >= 4)
			flow(insn, HT_FLOW_CONST, to->reg, HT_REG_NONE), insn->imm = 0;
		break;
	case X86_INS_CMOVA:
	case X86_INS_CMOVAE:
	case X86_INS_CMOVB:
	case X86_INS_CMOVBE:
	case X86_INS_CMOVE:
	case X86_INS_CMOVG:
	case X86_INS_CMOVGE:
	case X86_INS_CMOVL:
	case X86_INS_CMOVLE:
	case X86_INS_CMOVNE:
	case X86_INS_CMOVNS:
	case X86_INS_CMOVS:
		if (to->type == REG && to->width == 4) {
			if (from->type == REG)
				flow(insn, HT_FLOW_CHOOSE, to->reg, from->reg);
			else if (from->type == MEM && from->reg != HT_REG_NONE)
				load(insn, HT_FLOW_LOAD_CHOOSE, to, from);
		}
		break;
	case X86_INS_MOVZX:
	case X86_INS_MOVSX:
	case X86_INS_AND:
	case X86_INS_OR:
	case X86_INS_NOT:
	case X86_INS_NEG:
	case X86_INS_INC:
	case X86_INS_DEC:
	case X86_INS_SHL:
	case X86_INS_SHR:
	case X86_INS_SAR:
	case X86_INS_SBB:
	case X86_INS_ADC:
	case X86_INS_BTS:
	case X86_INS_BTR:
	case X86_INS_SETA:
	case X86_INS_SETAE:
	case X86_INS_SETB:
	case X86_INS_SETBE:
	case X86_INS_SETE:
	case X86_INS_SETG:
	case X86_INS_SETGE:
	case X86_INS_SETL:
	case X86_INS_SETLE:
	case X86_INS_SETNE:
	case X86_INS_SETNS:
	case X86_INS_SETS:
		break;
	case X86_INS_IMUL:
		if (cnt >= 2)
			break;
		return false;
	default:
		return false;
	}
	insn->writes = to->type == REG ? BIT(to->reg) : to->type == MEM ? 0 : HT_REGS_ALL;
	return true;
}

static bool writes_nothing(unsigned int id)
{
	switch (id) {
	case X86_INS_NOP:
	case X86_INS_ENDBR64:
	case X86_INS_CMP:
	case X86_INS_TEST:
	case X86_INS_BT:
	case X86_INS_PREFETCHT0:
	case X86_INS_PREFETCHW:
	/* Vector registers and memory, as long as no general register is an operand (below). */
	case X86_INS_PXOR:
	case X86_INS_XORPS:
	case X86_INS_MOVAPS:
	case X86_INS_MOVUPS:
	case X86_INS_MOVDQA:
	case X86_INS_MOVDQU:
	case X86_INS_MOVQ:
	case X86_INS_MOVD:
	case X86_INS_MOVHPS:
	case X86_INS_MOVLPS:
	case X86_INS_MOVSS:
	case X86_INS_MOVSD:
	case X86_INS_PUNPCKLQDQ:
		return true;
	default:
		return false;
	}
}

static bool is_compare(unsigned int id)
{
	return id == X86_INS_CMP || id == X86_INS_TEST || id == X86_INS_BT || id == X86_INS_NOP;
}

static void decode_plain(const cs_insn *from, struct ht_insn *insn)
{
	const cs_x86 *x86 = &from->detail->x86;
	struct operand first = operand_of(x86, 0), second = operand_of(x86, 1);

	insn->writes = HT_REGS_ALL;
	if (writes_nothing(from->id)) {
		insn->writes = 0;
		for (unsigned int i = 0; i < x86->op_count && !is_compare(from->id); i++) {
			if (operand_of(x86, i).type == REG)
				insn->writes = HT_REGS_ALL;
		}
		return;
	}
	if (decode_one_result(from->id, &first, &second, x86->op_count, insn))
		return;
	switch (from->id) {
	case X86_INS_PUSH:
		if (x86->prefix[2])
			return;
		insn->writes = BIT(RSP);
		insn->is_push = first.type == REG;
		flow(insn, HT_FLOW_PUSH, HT_REG_NONE, insn->is_push ? first.reg : HT_REG_NONE);
		return;
	case X86_INS_POP:
		if (first.type != REG || first.width != 8)
			return;
		insn->writes = BIT(RSP) | BIT(first.reg);
		flow(insn, HT_FLOW_POP, first.reg, HT_REG_NONE);
		return;
	case X86_INS_LEAVE:
		insn->writes = BIT(RSP) | BIT(RBP);
		flow(insn, HT_FLOW_LEAVE, HT_REG_NONE, HT_REG_NONE);
		return;
	case X86_INS_CDQE:
		insn->writes = BIT(RAX);
		flow(insn, HT_FLOW_SIGN32, RAX, RAX);
		return;
	case X86_INS_CDQ:
	case X86_INS_CQO:
		insn->writes = BIT(RDX);
		return;
	case X86_INS_XCHG:
	case X86_INS_XADD:
		insn->writes = (first.type == REG ? BIT(first.reg) : 0) | (second.type == REG ? BIT(second.reg) : 0);
		return;
	default:
		return;
	}
}

/* The relative target of a jump or call. Read from the bytes: all such instructions end in their displacement. */
static bool relative_target(const cs_insn *from, uint64_t *target)
{
	const uint8_t *bytes = from->bytes, *end = bytes + from->size;
	unsigned int skip = 0;
	int64_t by;

	/* bnd and notrack, and branch hints. */
	while (skip < from->size && (bytes[skip] == 0xf2 || bytes[skip] == 0xf3 || bytes[skip] == 0x3e || bytes[skip] == 0x2e))
		skip++;
	bytes += skip;
	if (end - bytes == 2 && (bytes[0] == 0xeb || (bytes[0] >= 0x70 && bytes[0] <= 0x7f) || (bytes[0] >= 0xe0 && bytes[0] <= 0xe3)))
		by = (int8_t)bytes[1];
	else if ((end - bytes == 5 && (bytes[0] == 0xe8 || bytes[0] == 0xe9)) ||
		 (end - bytes == 6 && bytes[0] == 0x0f && bytes[1] >= 0x80 && bytes[1] <= 0x8f))
		by = (int32_t)((uint32_t)end[-4] | (uint32_t)end[-3] << 8 | (uint32_t)end[-2] << 16 | (uint32_t)end[-1] << 24);
	else
		return false;
	*target = from->address + from->size + (uint64_t)by;
	return true;
}

static bool in_group(const cs_insn *from, uint8_t group)
{
	for (unsigned int i = 0; i < from->detail->groups_count; i++) {
		if (from->detail->groups[i] == group)
			return true;
	}
	return false;
}

static void decode(const cs_insn *from, struct ht_insn *insn)
{
	bool is_relative = relative_target(from, &insn->target);

	insn->is_emulated = is_emulated(from->bytes, from->size);
	insn->dst = insn->src = insn->base = HT_REG_NONE;
	switch (from->id) {
	case X86_INS_CALL:
		insn->kind = is_relative ? HT_INSN_CALL : HT_INSN_CALL_UNKNOWN;
		return;
	case X86_INS_JMP:
		insn->kind = is_relative ? HT_INSN_JUMP : HT_INSN_JUMP_UNKNOWN;
		return;
	case X86_INS_RET:
		insn->kind = HT_INSN_RETURN;
		return;
	case X86_INS_UD2:
	case X86_INS_HLT:
	case X86_INS_INT3:
		insn->kind = HT_INSN_STOP;
		return;
	case X86_INS_LOOP:
	case X86_INS_LOOPE:
	case X86_INS_LOOPNE:
		insn->kind = HT_INSN_BRANCH;
		insn->writes = BIT(RCX);
		return;
	default:
		break;
	}
	if (is_relative) {
		insn->kind = HT_INSN_BRANCH;
		return;
	}
	/* Far, system and transaction instructions end what is followed. */
	if (in_group(from, CS_GRP_JUMP) || in_group(from, CS_GRP_CALL) || in_group(from, CS_GRP_RET) || in_group(from, CS_GRP_IRET)) {
		insn->kind = HT_INSN_JUMP_UNKNOWN;
		insn->writes = HT_REGS_ALL;
		return;
	}
	insn->kind = HT_INSN_PLAIN;
	decode_plain(from, insn);
}

/* jmp *disp(%rip), with or without a bnd prefix. */
static int64_t jump_slot(const cs_insn *from)
{
	const cs_x86_op *op = &from->detail->x86.operands[0];

	if (from->id != X86_INS_JMP || from->detail->x86.op_count != 1 || op->type != X86_OP_MEM || op->mem.base != X86_REG_RIP ||
	    op->mem.index != X86_REG_INVALID)
		return 0;
	return op->mem.disp + from->size;
}

const struct ht_arch ht_arch_x86 = {
	.machine = EM_X86_64,
	.cs_arch = CS_ARCH_X86,
	.cs_mode = CS_MODE_64,
	.sp = RSP,
	.fp = RBP,
	.result = RAX,
	.arg_cnt = { 6, 9 },
	/* System V psABI 3.2.3; Go's internal ABI (abi-internal.md). */
	.args = { { RDI, RSI, RDX, RCX, R8, R9 }, { RAX, RBX, RCX, RDI, RSI, R8, R9, R10, R11 } },
	.call_writes = BIT(RAX) | BIT(RCX) | BIT(RDX) | BIT(RSI) | BIT(RDI) | BIT(R8) | BIT(R9) | BIT(R10) | BIT(R11),
	.decode = decode,
	.jump_slot = jump_slot,
};

const struct ht_arch *ht_arch_find(uint16_t machine)
{
	static const struct ht_arch *const all[] = { &ht_arch_x86, &ht_arch_arm64 };

	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i]->machine == machine)
			return all[i];
	}
	return NULL;
}
