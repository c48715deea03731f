/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * arch.h - machine instructions in a form that says the same of every architecture: what the choice of probe sites needs to know, and no
 * more.
 *
 * In:  an instruction decoded by libcapstone. Out: its effect. Registers are numbers below 32, as the architecture's encoding numbers them.
 * What an instruction's decoder does not know it says to write every register: a proof built on it fails instead of being wrong.
 * To add an architecture: a table here, a decoder in arch_NAME.c, an entry in ht_arch_find().
 */
#ifndef HT_ARCH_H
#define HT_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#include <capstone/capstone.h>

#define HT_REGS_MAX 32
#define HT_REGS_ALL 0xffffffffu
#define HT_REG_NONE 0xff
#define HT_ARGS_MAX 9

enum ht_insn_kind {
	HT_INSN_PLAIN,  /* the next one follows */
	HT_INSN_JUMP,   /* to target */
	HT_INSN_BRANCH, /* to target, or the next one follows */
	HT_INSN_CALL,   /* of target, then the next one follows */
	HT_INSN_CALL_UNKNOWN,
	HT_INSN_JUMP_UNKNOWN,
	HT_INSN_RETURN,
	HT_INSN_STOP, /* a trap */
};

/* What a plain instruction puts where, as far as it is followed. Registers written in any other way are in `writes` only. */
enum ht_flow {
	HT_FLOW_NONE,
	HT_FLOW_COPY,        /* dst = src */
	HT_FLOW_ZERO32,      /* dst = low half of src, zero-extended */
	HT_FLOW_SIGN32,      /* the same, sign-extended */
	HT_FLOW_ADD,         /* dst = src + imm; dst may be the stack pointer */
	HT_FLOW_CONST,       /* dst = imm */
	HT_FLOW_CHOOSE,      /* dst = either itself or src, 32 bits, zero-extended */
	HT_FLOW_LOAD,        /* dst = memory at base + imm, width bytes, zero-extended */
	HT_FLOW_LOAD_SIGN,   /* the same, sign-extended */
	HT_FLOW_LOAD_CHOOSE, /* dst = either itself or memory */
	HT_FLOW_STORE,       /* memory at base + imm = src, width bytes */
	HT_FLOW_PUSH,        /* stack pointer down by 8, src stored there; src may be HT_REG_NONE */
	HT_FLOW_POP,
	HT_FLOW_LEAVE, /* stack pointer = frame pointer; pop the frame pointer */
};

struct ht_insn {
	uint64_t at;     /* in the caller's address space */
	uint64_t target; /* of HT_INSN_JUMP, _BRANCH and _CALL */
	int64_t imm;
	uint32_t writes; /* registers that it may change, whatever `flow` says of them */
	uint8_t bytes;
	uint8_t kind; /* enum ht_insn_kind */
	uint8_t flow; /* enum ht_flow */
	uint8_t dst;
	uint8_t src;
	uint8_t base;
	uint8_t width;
	bool is_emulated; /* a uprobe here needs no single step: on every kernel from 5.10 */
	bool is_push;     /* of a function's beginning: nothing jumps back to it, as the stack would not be level */
};

struct ht_arch {
	uint16_t machine; /* EM_* */
	cs_arch cs_arch;
	cs_mode cs_mode;
	uint8_t sp;
	uint8_t fp;
	uint8_t result;
	uint8_t arg_cnt[2]; /* of each enum ht_abi */
	uint8_t args[2][HT_ARGS_MAX];
	uint32_t call_writes; /* registers that a function of the C ABI may change */
	/* Fills everything but at and bytes. */
	void (*decode)(const cs_insn *from, struct ht_insn *insn);
	/* For a jump through memory at an address of its own: that, less the instruction's. 0: none. */
	int64_t (*jump_slot)(const cs_insn *from);
};

extern const struct ht_arch ht_arch_x86;
extern const struct ht_arch ht_arch_arm64;

/* NULL: no table for this machine. */
const struct ht_arch *ht_arch_find(uint16_t machine);

#endif
