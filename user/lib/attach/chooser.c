/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * chooser.c - see chooser.h. Files and their code, and the choice within a function's entry block.
 *
 * All addresses here are file offsets: a relative jump means the same in them as long as it stays in its segment, and one that does not
 * is not followed.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/chooser_impl.h"
#include "attach/elffile.h"
#include "attach/elfplt.h"

#define SEGMENTS_MAX 4096u /* as elfsym.c */
/* What a function does when its stack is too small to go on: saves arguments, calls, restores, starts over. */
#define GO_GROW_MAX  40u

struct scan {
	bool is_whole; /* every instruction was seen */
	bool has_unknown_jump;
	bool is_target[HT_CHOOSER_BLOCK_MAX];
};

static int read_at(int fd, void *to, size_t cnt, uint64_t off)
{
	size_t done = 0;

	if (off > INT64_MAX - cnt)
		return -ERANGE;
	while (done < cnt) {
		ssize_t n = pread(fd, (char *)to + done, cnt - done, (off_t)(off + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -EBADMSG;
		done += (size_t)n;
	}
	return 0;
}

static int open_decoder(struct ht_chooser *chooser)
{
	if (cs_open(chooser->arch->cs_arch, chooser->arch->cs_mode, &chooser->cs) != CS_ERR_OK)
		return -ENOTSUP;
	cs_option(chooser->cs, CS_OPT_DETAIL, CS_OPT_ON);
	chooser->cs_insn = cs_malloc(chooser->cs);
	chooser->code = malloc(HT_CHOOSER_CODE_MAX);
	return chooser->cs_insn && chooser->code ? 0 : -ENOMEM;
}

static int read_segments(struct ht_chooser *chooser, const Elf64_Ehdr *ehdr)
{
	for (unsigned int i = 0; i < ehdr->e_phnum && i < SEGMENTS_MAX; i++) {
		struct ht_segment *segment = &chooser->segments[chooser->segment_cnt];
		Elf64_Phdr phdr;
		int err;

		if (ehdr->e_phoff > INT64_MAX - i * sizeof(phdr))
			return -EBADMSG;
		err = read_at(chooser->fd, &phdr, sizeof(phdr), ehdr->e_phoff + i * sizeof(phdr));
		if (err)
			return err == -ERANGE ? -EBADMSG : err;
		if (phdr.p_type != PT_LOAD || !(phdr.p_flags & PF_X) || !phdr.p_filesz || phdr.p_filesz > INT64_MAX ||
		    phdr.p_offset > INT64_MAX)
			continue;
		segment->off = phdr.p_offset;
		segment->bytes = phdr.p_filesz;
		segment->addr = phdr.p_vaddr;
		if (++chooser->segment_cnt == HT_CHOOSER_SEGMENTS_MAX)
			break;
	}
	return chooser->segment_cnt ? 0 : -EBADMSG;
}

static int open_file(struct ht_chooser *chooser, int fd, char *reason, size_t reason_size)
{
	uint64_t file_bytes;
	Elf64_Ehdr ehdr;
	int err;

	chooser->fd = ht_elffile_reopen(fd, &file_bytes);
	if (chooser->fd < 0) {
		err = chooser->fd;
		snprintf(reason, reason_size, "cannot be read: %s", strerror(-err));
		return err;
	}
	err = read_at(chooser->fd, &ehdr, sizeof(ehdr), 0);
	if (err || memcmp(ehdr.e_ident, ELFMAG, SELFMAG)) {
		snprintf(reason, reason_size, "is not an ELF file");
		return -ENOEXEC;
	}
	chooser->arch = ehdr.e_ident[EI_CLASS] == ELFCLASS64 && ehdr.e_ident[EI_DATA] == ELFDATA2LSB ? ht_arch_find(ehdr.e_machine) : NULL;
	if (!chooser->arch) {
		snprintf(reason, reason_size, "is for a machine whose instructions are not known (ELF class %d, machine %d)",
			 ehdr.e_ident[EI_CLASS], ehdr.e_machine);
		return -ENOTSUP;
	}
	if (ehdr.e_phentsize != sizeof(Elf64_Phdr) || read_segments(chooser, &ehdr)) {
		snprintf(reason, reason_size, "is damaged: its program headers cannot be read");
		return -EBADMSG;
	}
	return 0;
}

struct ht_chooser *ht_chooser_new(int fd, char *reason, size_t reason_size)
{
	struct ht_chooser *chooser = calloc(1, sizeof(*chooser));
	int err = -ENOMEM;

	snprintf(reason, reason_size, "memory is short");
	if (chooser) {
		chooser->fd = -1;
		err = open_file(chooser, fd, reason, reason_size);
		if (!err) {
			err = open_decoder(chooser);
			snprintf(reason, reason_size, "%s", err ? "its instructions cannot be decoded" : "");
		}
	}
	if (!err)
		return chooser;
	ht_chooser_free(chooser);
	errno = -err;
	return NULL;
}

struct ht_chooser *ht_chooser_new_memory(uint16_t machine, const void *code, size_t code_bytes, uint64_t base)
{
	struct ht_chooser *chooser = calloc(1, sizeof(*chooser));
	int err = -ENOMEM;

	if (chooser) {
		chooser->fd = -1;
		chooser->memory = code;
		chooser->base = base;
		chooser->segments[0] = (struct ht_segment){ base, code_bytes, base };
		chooser->segment_cnt = 1;
		chooser->arch = ht_arch_find(machine);
		err = chooser->arch ? open_decoder(chooser) : -ENOTSUP;
	}
	if (!err)
		return chooser;
	ht_chooser_free(chooser);
	errno = -err;
	return NULL;
}

void ht_chooser_free(struct ht_chooser *chooser)
{
	if (!chooser)
		return;
	if (chooser->cs_insn)
		cs_free(chooser->cs_insn, 1);
	if (chooser->cs)
		cs_close(&chooser->cs);
	if (chooser->fd >= 0)
		close(chooser->fd);
	free(chooser->code);
	free(chooser);
}

static const struct ht_segment *segment_of(const struct ht_chooser *chooser, uint64_t file_off)
{
	for (size_t i = 0; i < chooser->segment_cnt; i++) {
		const struct ht_segment *segment = &chooser->segments[i];

		if (file_off >= segment->off && file_off - segment->off < segment->bytes)
			return segment;
	}
	return NULL;
}

bool ht_chooser_is_code(const struct ht_chooser *chooser, uint64_t file_off)
{
	return segment_of(chooser, file_off);
}

int ht_chooser_load(struct ht_chooser *chooser, uint64_t file_off, uint64_t size_bytes)
{
	const struct ht_segment *segment = segment_of(chooser, file_off);
	uint64_t room, cnt = size_bytes ? size_bytes : HT_CHOOSER_BLOCK_MAX;
	int err;

	chooser->code_bytes = 0;
	chooser->code_off = file_off;
	if (!segment)
		return -ERANGE;
	room = segment->bytes - (file_off - segment->off);
	if (cnt > room)
		cnt = room;
	if (cnt > HT_CHOOSER_CODE_MAX)
		cnt = HT_CHOOSER_CODE_MAX;
	if (chooser->memory) {
		memcpy(chooser->code, chooser->memory + (file_off - chooser->base), cnt);
	} else {
		err = read_at(chooser->fd, chooser->code, cnt, file_off);
		if (err)
			return err;
	}
	chooser->code_bytes = cnt;
	return size_bytes == cnt;
}

int ht_chooser_decode(struct ht_chooser *chooser, uint64_t file_off, struct ht_insn *insn)
{
	const uint8_t *code;
	uint64_t at = file_off;
	size_t left;

	if (file_off < chooser->code_off || file_off - chooser->code_off >= chooser->code_bytes)
		return -EBADMSG;
	code = chooser->code + (file_off - chooser->code_off);
	left = chooser->code_bytes - (file_off - chooser->code_off);
	if (!cs_disasm_iter(chooser->cs, &code, &left, &at, chooser->cs_insn))
		return -EBADMSG;
	memset(insn, 0, sizeof(*insn));
	insn->at = file_off;
	insn->bytes = (uint8_t)chooser->cs_insn->size;
	chooser->arch->decode(chooser->cs_insn, insn);
	return 0;
}

bool ht_chooser_is_plt_of(struct ht_chooser *chooser, uint64_t file_off, const char *name)
{
	const struct ht_segment *segment = segment_of(chooser, file_off);
	char found[64];
	struct ht_insn insn;
	uint64_t at = file_off;
	int64_t slot;

	if (!segment || chooser->fd < 0 || ht_chooser_load(chooser, file_off, 0) < 0)
		return false;
	/* endbr64 may come first. */
	if (ht_chooser_decode(chooser, at, &insn))
		return false;
	if (insn.kind == HT_INSN_PLAIN && !insn.writes) {
		at += insn.bytes;
		if (ht_chooser_decode(chooser, at, &insn))
			return false;
	}
	slot = insn.kind == HT_INSN_JUMP_UNKNOWN ? chooser->arch->jump_slot(chooser->cs_insn) : 0;
	if (!slot || ht_elfplt_name(chooser->fd, segment->addr + (at - segment->off) + (uint64_t)slot, found, sizeof(found)))
		return false;
	return !strcmp(found, name);
}

/* From the first byte to the last: where do jumps lead to? Data between the instructions ends it. */
static void scan_function(struct ht_chooser *chooser, struct scan *scan)
{
	uint64_t at = chooser->code_off, end = at + chooser->code_bytes;
	struct ht_insn insn;

	while (at < end) {
		if (ht_chooser_decode(chooser, at, &insn)) {
			scan->is_whole = false;
			return;
		}
		at += insn.bytes;
		if (insn.kind == HT_INSN_JUMP_UNKNOWN)
			scan->has_unknown_jump = true;
		if (insn.kind != HT_INSN_JUMP && insn.kind != HT_INSN_BRANCH)
			continue;
		if (insn.target >= chooser->code_off && insn.target - chooser->code_off < HT_CHOOSER_BLOCK_MAX)
			scan->is_target[insn.target - chooser->code_off] = true;
	}
}

static uint32_t arg_regs(const struct ht_arch *arch, const struct ht_chooser_want *want)
{
	uint32_t regs = 0;

	for (unsigned int i = 0; i < arch->arg_cnt[want->abi]; i++) {
		if (want->args >> i & 1)
			regs |= 1u << arch->args[want->abi][i];
	}
	/* Arguments that are not in registers are found by the stack pointer, which the caller is told. */
	return regs;
}

/*
 * Whether a branch is Go's check of its stack: taken, it saves arguments, calls runtime.morestack, restores them and jumps to the
 * function's first instruction. What follows the branch if not taken then runs once a call, and the arguments are as at entry; the
 * instructions before may run twice.
 */
static bool is_stack_check(struct ht_chooser *chooser, const struct ht_insn *branch)
{
	uint64_t at = branch->target;
	struct ht_insn insn;
	bool has_called = false;

	if (branch->target <= branch->at)
		return false;
	for (unsigned int i = 0; i < GO_GROW_MAX; i++) {
		if (ht_chooser_decode(chooser, at, &insn))
			return false;
		at += insn.bytes;
		switch (insn.kind) {
		case HT_INSN_PLAIN:
			break;
		case HT_INSN_CALL:
			if (has_called)
				return false;
			has_called = true;
			break;
		case HT_INSN_JUMP:
			return has_called && insn.target == chooser->code_off;
		default:
			return false;
		}
	}
	return false;
}

/* How far the stack pointer moves; false: nobody knows. */
static bool sp_after(const struct ht_arch *arch, const struct ht_insn *insn, int32_t *delta)
{
	if (!(insn->writes >> arch->sp & 1))
		return true;
	switch (insn->flow) {
	case HT_FLOW_PUSH:
		*delta -= 8;
		return true;
	case HT_FLOW_ADD:
		if (insn->dst != arch->sp || insn->src != arch->sp || insn->imm < -(1 << 24) || insn->imm > (1 << 24))
			return false;
		*delta += (int32_t)insn->imm;
		return *delta <= 0 && *delta > -(1 << 28);
	default:
		return false;
	}
}

static void take(struct ht_chooser *chooser, const struct ht_insn *insn, int32_t sp_delta, struct ht_choice *choice)
{
	*choice = (struct ht_choice){
		.file_off = insn->at,
		.moved_bytes = (uint32_t)(insn->at - chooser->code_off),
		.sp_delta_bytes = sp_delta,
		.site_class = insn->is_emulated ? HT_SITE_EMULATED : HT_SITE_SINGLE_STEP,
		.insn_bytes = insn->bytes,
		.is_call = insn->kind == HT_INSN_CALL,
		.args_are_intact = true,
	};
	snprintf(choice->insn, sizeof(choice->insn), "%.11s%s%.34s", chooser->cs_insn->mnemonic, chooser->cs_insn->op_str[0] ? " " : "",
		 chooser->cs_insn->op_str);
}

struct walk {
	struct ht_chooser *chooser;
	const struct ht_chooser_want *want;
	struct scan scan;
	uint32_t args;
	int32_t sp_delta;
	bool is_idle;    /* nothing but instructions without effect so far */
	bool is_checked; /* behind Go's stack check */
	bool has_entry;
	bool entry_repeats; /* it lies before that check */
	bool has_ret;
	struct ht_choice entry;
	struct ht_choice ret;
	const char *end; /* why no further instruction was looked at */
};

/* Whether control comes to an instruction only from the function's first one. */
static bool is_reached_once(const struct walk *walk, const struct ht_insn *insn, uint64_t moved)
{
	if (!moved)
		return true;
	/* A push that nothing but idle instructions come before is the function's beginning, however little is known of its rest. */
	if (walk->is_idle && insn->is_push)
		return true;
	return walk->scan.is_whole && (!walk->scan.has_unknown_jump || insn->is_push || walk->is_checked);
}

static bool is_allowed(const struct ht_chooser_want *want, const struct ht_insn *insn)
{
	return insn->is_emulated && (insn->kind != HT_INSN_CALL || want->flags & HT_CHOOSE_CALL);
}

/* Looks at one instruction. false: none behind it is in question. */
static bool step(struct walk *walk, const struct ht_insn *insn)
{
	uint64_t moved = insn->at - walk->chooser->code_off;
	bool is_go = walk->want->abi == HT_ABI_GO, is_check, is_open;

	if (moved && walk->scan.is_target[moved]) {
		walk->end = "a jump leads to what follows";
		return false;
	}
	is_check = is_go && !walk->is_checked && insn->kind == HT_INSN_BRANCH && walk->scan.is_whole && is_stack_check(walk->chooser, insn);
	/* Its text again: the check has decoded others. */
	if (is_go && ht_chooser_decode(walk->chooser, insn->at, &(struct ht_insn){ 0 }))
		return false;
	is_open = is_allowed(walk->want, insn);
	if (is_open && !is_reached_once(walk, insn, moved)) {
		walk->end = walk->scan.is_whole ? "a computed jump may lead to what follows" : "not all of the function could be read";
		return false;
	}
	if (is_open && (!walk->has_entry || walk->entry_repeats)) {
		take(walk->chooser, insn, walk->sp_delta, &walk->entry);
		walk->has_entry = true;
		walk->entry_repeats = false;
	}
	if (is_open && !walk->has_ret && !walk->sp_delta) {
		take(walk->chooser, insn, 0, &walk->ret);
		walk->has_ret = true;
	}
	if (is_check) {
		walk->is_checked = true;
		walk->entry_repeats = walk->has_entry;
		walk->is_idle = false;
		return true;
	}
	if (insn->kind != HT_INSN_PLAIN) {
		walk->end = insn->kind == HT_INSN_CALL && insn->is_emulated && !is_open ? "the only emulated instruction is a call"
											: "the entry block ends";
		return false;
	}
	if (insn->writes & walk->args) {
		walk->end = "an argument's register is written";
		return false;
	}
	if (!sp_after(walk->chooser->arch, insn, &walk->sp_delta)) {
		walk->end = "the stack pointer is not known further on";
		return false;
	}
	walk->is_idle = walk->is_idle && !insn->writes;
	return true;
}

static void explain(const struct walk *walk, struct ht_choice *choice, bool is_ret)
{
	if (choice->site_class == HT_SITE_SINGLE_STEP)
		snprintf(choice->why, sizeof(choice->why), "first instruction, single-stepped: no emulated one %sbefore %s",
			 is_ret ? "with the return address on top " : "", walk->end);
	else if (!choice->moved_bytes)
		snprintf(choice->why, sizeof(choice->why), "the first instruction is emulated");
	else if (walk->entry_repeats && !is_ret)
		snprintf(choice->why, sizeof(choice->why),
			 "the stack check itself, which runs again if the stack grows: none emulated before %s", walk->end);
	else if (walk->is_checked && !is_ret)
		snprintf(choice->why, sizeof(choice->why), "first emulated instruction behind the stack check, arguments in place");
	else
		snprintf(choice->why, sizeof(choice->why), "first emulated instruction of the entry block%s, arguments in place",
			 is_ret ? " with the return address on top" : "");
}

int ht_chooser_site(struct ht_chooser *chooser, uint64_t file_off, uint64_t size_bytes, const struct ht_chooser_want *want,
		    struct ht_choice *entry, struct ht_choice *ret)
{
	struct walk walk = { .chooser = chooser, .want = want, .is_idle = true, .end = "the part of the function that is looked at ends" };
	int err = ht_chooser_load(chooser, file_off, size_bytes);
	struct ht_choice first;
	struct ht_insn insn;
	uint64_t at;

	if (err < 0)
		return err;
	walk.scan.is_whole = err;
	walk.args = arg_regs(chooser->arch, want);
	/* Of a first instruction that is emulated nothing more needs to be known. */
	if (ht_chooser_decode(chooser, file_off, &insn))
		return -EBADMSG;
	take(chooser, &insn, 0, &first);
	if (walk.scan.is_whole && (want->abi == HT_ABI_GO || !is_allowed(want, &insn)))
		scan_function(chooser, &walk.scan);
	for (at = file_off; at - file_off < HT_CHOOSER_BLOCK_MAX; at += insn.bytes) {
		if (ht_chooser_decode(chooser, at, &insn)) {
			walk.end = "an instruction that cannot be decoded";
			break;
		}
		if (!step(&walk, &insn) || (walk.has_entry && walk.has_ret && want->abi == HT_ABI_C))
			break;
	}
	if (!walk.has_entry)
		walk.entry = first;
	if (!walk.has_ret || (walk.ret.moved_bytes && !(want->flags & HT_CHOOSE_RETURN_MOVED)))
		walk.ret = first;
	explain(&walk, &walk.entry, false);
	explain(&walk, &walk.ret, true);
	if (walk.ret.site_class == HT_SITE_SINGLE_STEP && walk.has_ret)
		snprintf(walk.ret.why, sizeof(walk.ret.why), "first instruction, single-stepped: a return probe was not to move");
	if (want->abi == HT_ABI_GO) {
		walk.ret = (struct ht_choice){ .file_off = 0 };
		snprintf(walk.ret.why, sizeof(walk.ret.why), "none: Go moves its stacks, with the return address on them");
	} else if (entry && ret && walk.ret.site_class == HT_SITE_SINGLE_STEP) {
		walk.entry = walk.ret;
		snprintf(walk.entry.why, sizeof(walk.entry.why),
			 "shares the trap of the return probe, which has to be single-stepped here");
	}
	if (entry)
		*entry = walk.entry;
	if (ret)
		*ret = walk.ret;
	return 0;
}
