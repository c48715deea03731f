/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * chooser_inner.c - see chooser.h, ht_chooser_inner(): the proof that two public functions are two coats of one internal function.
 *
 * Every path through a public function is followed with what its registers and stack slots hold: an argument as at entry, an address on
 * its own stack, a constant, the internal function's result, or what that one stored at `done`. A call that is given the public
 * function's arguments makes a candidate. It stands if on every path that passed it the public function returns its result, or, in the
 * form that returns bytes, what it stored. OpenSSL has had these shapes since 1.1.1: ssl/ssl_lib.c, SSL_read(), SSL_read_ex(),
 * ssl_read_internal() and the same of writing.
 * Bounds: STEPS_MAX instructions over all paths of a function, PATHS_MAX waiting at once, SLOTS_MAX stack slots; past them nothing is
 * proven.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/chooser_impl.h"
#include "attach/elfsym.h"

#define STEPS_MAX      4096u
#define PATHS_MAX      32u
#define SLOTS_MAX      24u
#define CANDIDATES_MAX 8u
#define NO_CANDIDATE   (-1)

const struct ht_chooser_pair ht_chooser_ssl_read = { "SSL_read", "SSL_read_ex", NULL, { "SSL_peek", "SSL_peek_ex" }, HT_SEM_SSL_READ };
const struct ht_chooser_pair ht_chooser_ssl_write = { "SSL_write", "SSL_write_ex", "SSL_write_ex2", { NULL, NULL }, HT_SEM_SSL_WRITE };

enum value_kind {
	VALUE_UNKNOWN,
	VALUE_ENTRY,   /* of a register at entry: reg */
	VALUE_ENTRY32, /* its low half, extended in either way */
	VALUE_STACK,   /* address: stack pointer at entry + imm */
	VALUE_CONST,
	VALUE_RESULT, /* bits: which of MAY_* */
};

#define MAY_BE_RESULT 0x1
#define MAY_BE_DONE   0x2
#define MAY_BE_CONST  0x4

struct value {
	uint8_t kind;
	uint8_t reg;
	uint8_t may;
	int64_t imm;
};

struct slot {
	int64_t off;   /* from the stack pointer at entry */
	uint8_t width; /* 0: free */
	struct value value;
};

struct path {
	uint64_t at;
	int candidate;
	struct value regs[HT_REGS_MAX];
	struct slot slots[SLOTS_MAX];
};

struct candidate {
	uint64_t target;
	unsigned int done_arg;
	bool is_refuted;
	unsigned int returned; /* MAY_*, over all paths */
};

struct proof {
	struct ht_chooser *chooser;
	unsigned int done_in; /* which argument of the public form is `done`; 0: none, it is the form that returns bytes */
	unsigned int step_cnt;
	struct path *paths;
	size_t path_cnt;
	struct candidate candidates[CANDIDATES_MAX];
	size_t candidate_cnt;
	const char *failure;
};

static bool fail(struct proof *proof, const char *why)
{
	if (!proof->failure)
		proof->failure = why;
	return false;
}

/* ---- Values -------------------------------------------------------------------------------------------------------------------------- */

static struct value half_of(struct value value)
{
	if (value.kind == VALUE_ENTRY)
		value.kind = VALUE_ENTRY32;
	/* Results are ints; a constant's low half is looked at for being one only. */
	if (value.kind == VALUE_STACK)
		value.kind = VALUE_UNKNOWN;
	return value;
}

static struct value either(struct value one, struct value other)
{
	struct value both = { .kind = VALUE_UNKNOWN };
	unsigned int of_one = one.kind == VALUE_RESULT ? one.may : one.kind == VALUE_CONST ? MAY_BE_CONST : 0;
	unsigned int of_other = other.kind == VALUE_RESULT ? other.may : other.kind == VALUE_CONST ? MAY_BE_CONST : 0;

	if (of_one && of_other) {
		both.kind = VALUE_RESULT;
		both.may = (uint8_t)(of_one | of_other);
	}
	return both;
}

static void forget_slots(struct path *path, int64_t off, unsigned int width)
{
	for (size_t i = 0; i < SLOTS_MAX; i++) {
		struct slot *slot = &path->slots[i];

		if (slot->width && slot->off < off + (int64_t)width && off < slot->off + slot->width)
			slot->width = 0;
	}
}

static void store(struct path *path, int64_t off, unsigned int width, struct value value)
{
	forget_slots(path, off, width);
	if (value.kind == VALUE_UNKNOWN || (width != 8 && width != 4))
		return;
	for (size_t i = 0; i < SLOTS_MAX; i++) {
		if (path->slots[i].width)
			continue;
		path->slots[i] = (struct slot){ .off = off, .width = (uint8_t)width, .value = width == 4 ? half_of(value) : value };
		return;
	}
}

static struct value load(const struct path *path, int64_t off, unsigned int width)
{
	for (size_t i = 0; i < SLOTS_MAX; i++) {
		const struct slot *slot = &path->slots[i];

		if (slot->width >= width && slot->off == off && (width == 8 || width == 4))
			return width == 4 ? half_of(slot->value) : slot->value;
	}
	return (struct value){ .kind = VALUE_UNKNOWN };
}

static bool add(struct value *value, int64_t imm)
{
	if (value->kind != VALUE_STACK || __builtin_add_overflow(value->imm, imm, &value->imm) || value->imm > INT32_MAX ||
	    value->imm < INT32_MIN)
		value->kind = VALUE_UNKNOWN;
	return value->kind == VALUE_STACK;
}

static struct value reg_value(const struct path *path, uint8_t reg)
{
	return reg < HT_REGS_MAX ? path->regs[reg] : (struct value){ .kind = VALUE_UNKNOWN };
}

static void apply(const struct ht_arch *arch, struct path *path, const struct ht_insn *insn)
{
	struct value src = reg_value(path, insn->src), own = reg_value(path, insn->dst), base = reg_value(path, insn->base),
		     sp = path->regs[arch->sp];
	struct value fp = path->regs[arch->fp], result = { .kind = VALUE_UNKNOWN };
	bool is_slot = add(&base, insn->imm);

	for (unsigned int i = 0; i < HT_REGS_MAX; i++) {
		if (insn->writes >> i & 1)
			path->regs[i].kind = VALUE_UNKNOWN;
	}
	switch (insn->flow) {
	case HT_FLOW_COPY:
		result = src;
		break;
	case HT_FLOW_ZERO32:
	case HT_FLOW_SIGN32:
		result = half_of(src);
		break;
	case HT_FLOW_ADD:
		result = src;
		add(&result, insn->imm);
		break;
	case HT_FLOW_CONST:
		result.kind = VALUE_CONST;
		result.imm = insn->imm;
		break;
	case HT_FLOW_CHOOSE:
		result = either(own, half_of(src));
		break;
	case HT_FLOW_LOAD:
	case HT_FLOW_LOAD_SIGN:
		if (is_slot)
			result = load(path, base.imm, insn->width);
		break;
	case HT_FLOW_LOAD_CHOOSE:
		if (is_slot)
			result = either(own, load(path, base.imm, insn->width));
		break;
	case HT_FLOW_STORE:
		if (is_slot)
			store(path, base.imm, insn->width, src);
		return;
	case HT_FLOW_PUSH:
		if (add(&sp, -8))
			store(path, sp.imm, 8, src);
		path->regs[arch->sp] = sp;
		return;
	case HT_FLOW_LEAVE:
		sp = fp;
		if (sp.kind == VALUE_STACK)
			path->regs[arch->fp] = load(path, sp.imm, 8);
		add(&sp, 8);
		path->regs[arch->sp] = sp;
		return;
	case HT_FLOW_POP:
		if (sp.kind == VALUE_STACK)
			result = load(path, sp.imm, 8);
		add(&sp, 8);
		path->regs[arch->sp] = sp;
		break;
	default:
		return;
	}
	if (insn->dst < HT_REGS_MAX)
		path->regs[insn->dst] = result;
}

/* ---- Candidates ---------------------------------------------------------------------------------------------------------------------- */

/* Whether a call here is given the public form's arguments. Returns which argument is `done`, or 0. */
static unsigned int done_arg_of(const struct proof *proof, const struct path *path)
{
	const uint8_t *args = proof->chooser->arch->args[HT_ABI_C];

	for (unsigned int i = 0; i < 3; i++) {
		const struct value *value = &path->regs[args[i]];

		if (value->reg != args[i] || (value->kind != VALUE_ENTRY && (i < 2 || proof->done_in || value->kind != VALUE_ENTRY32)))
			return 0;
	}
	for (unsigned int i = 3; i < 5; i++) {
		const struct value *value = &path->regs[args[i]];

		if (proof->done_in ? value->kind == VALUE_ENTRY && value->reg == args[proof->done_in]
				   : value->kind == VALUE_STACK && value->imm < 0)
			return i;
	}
	return 0;
}

/* A direct call, or a jump out of the function that stands for one. */
static bool on_call(struct proof *proof, struct path *path, uint64_t target)
{
	const struct ht_arch *arch = proof->chooser->arch;
	unsigned int done_arg = done_arg_of(proof, path), i;
	struct value done = { .kind = VALUE_UNKNOWN };

	for (i = 0; i < proof->candidate_cnt; i++) {
		if (proof->candidates[i].target == target)
			break;
	}
	if (done_arg && i == proof->candidate_cnt) {
		if (i == CANDIDATES_MAX)
			return fail(proof, "calls too many functions with its arguments");
		proof->candidates[proof->candidate_cnt++] = (struct candidate){ .target = target, .done_arg = done_arg };
	}
	if (i < proof->candidate_cnt) {
		/* Two on one path, or other arguments on another path: neither is what this function is about. */
		if (done_arg != proof->candidates[i].done_arg || path->candidate != NO_CANDIDATE)
			proof->candidates[i].is_refuted = true;
		if (path->candidate != NO_CANDIDATE)
			proof->candidates[path->candidate].is_refuted = true;
		path->candidate = (int)i;
		done = path->regs[arch->args[HT_ABI_C][proof->candidates[i].done_arg]];
	}
	for (unsigned int reg = 0; reg < HT_REGS_MAX; reg++) {
		if (arch->call_writes >> reg & 1)
			path->regs[reg].kind = VALUE_UNKNOWN;
	}
	if (i < proof->candidate_cnt) {
		path->regs[arch->result] = (struct value){ .kind = VALUE_RESULT, .may = MAY_BE_RESULT };
		if (done.kind == VALUE_STACK)
			store(path, done.imm, 8, (struct value){ .kind = VALUE_RESULT, .may = MAY_BE_DONE });
	}
	return true;
}

static void on_return(struct proof *proof, const struct path *path)
{
	struct value result = path->regs[proof->chooser->arch->result];
	struct candidate *candidate;

	if (path->candidate == NO_CANDIDATE)
		return;
	candidate = &proof->candidates[path->candidate];
	if (result.kind == VALUE_RESULT)
		candidate->returned |= result.may;
	else if (result.kind == VALUE_CONST)
		candidate->returned |= MAY_BE_CONST;
	else
		candidate->is_refuted = true;
}

/* ---- Paths --------------------------------------------------------------------------------------------------------------------------- */

static bool is_inside(const struct proof *proof, uint64_t at)
{
	return at >= proof->chooser->code_off && at - proof->chooser->code_off < proof->chooser->code_bytes;
}

/* To `to`: inside, as another path or this one; outside, as a call whose result is returned. */
static bool jump(struct proof *proof, struct path *path, uint64_t to, bool *has_ended)
{
	if (is_inside(proof, to)) {
		path->at = to;
		return true;
	}
	*has_ended = true;
	if (!on_call(proof, path, to))
		return false;
	on_return(proof, path);
	return true;
}

/* Follows one path until it ends, putting those that branch off to wait. */
static bool follow(struct proof *proof, struct path *path)
{
	struct ht_insn insn;
	bool has_ended = false;

	/* Behind the last instruction comes nothing: a call that is the last one does not return. */
	while (!has_ended && is_inside(proof, path->at)) {
		if (++proof->step_cnt > STEPS_MAX)
			return fail(proof, "has too many paths");
		if (ht_chooser_decode(proof->chooser, path->at, &insn))
			return fail(proof, "has an instruction that cannot be decoded");
		path->at += insn.bytes;
		switch (insn.kind) {
		case HT_INSN_PLAIN:
			apply(proof->chooser->arch, path, &insn);
			break;
		case HT_INSN_BRANCH: {
			struct path other = *path;
			bool has_other_ended = false;

			if (!jump(proof, &other, insn.target, &has_other_ended))
				return false;
			if (has_other_ended)
				break;
			if (proof->path_cnt == PATHS_MAX)
				return fail(proof, "has too many paths");
			proof->paths[proof->path_cnt++] = other;
			break;
		}
		case HT_INSN_JUMP:
			if (!jump(proof, path, insn.target, &has_ended))
				return false;
			break;
		case HT_INSN_CALL:
			if (!on_call(proof, path, insn.target))
				return false;
			break;
		case HT_INSN_CALL_UNKNOWN:
			on_call(proof, path, 0);
			break;
		case HT_INSN_RETURN:
			on_return(proof, path);
			return true;
		case HT_INSN_STOP:
			return true;
		default:
			return fail(proof, "has a computed jump");
		}
	}
	return true;
}

/* The one function that a public form hands its arguments to; 0 with proof->failure set: none. */
static const struct candidate *prove(struct proof *proof, const struct ht_chooser_fn *fn)
{
	const struct ht_arch *arch = proof->chooser->arch;
	const struct candidate *found = NULL;
	struct path *path;
	int err = ht_chooser_load(proof->chooser, fn->file_off, fn->size_bytes);

	if (err <= 0) {
		fail(proof, err ? "is not where its symbol says" : "cannot be read whole");
		return NULL;
	}
	path = &proof->paths[PATHS_MAX];
	memset(path, 0, sizeof(*path));
	path->at = fn->file_off;
	path->candidate = NO_CANDIDATE;
	for (uint8_t i = 0; i < HT_REGS_MAX; i++)
		path->regs[i] = (struct value){ .kind = VALUE_ENTRY, .reg = i };
	path->regs[arch->sp] = (struct value){ .kind = VALUE_STACK };
	proof->paths[proof->path_cnt++] = *path;
	while (proof->path_cnt) {
		*path = proof->paths[--proof->path_cnt];
		if (!follow(proof, path))
			return NULL;
	}
	for (size_t i = 0; i < proof->candidate_cnt; i++) {
		const struct candidate *candidate = &proof->candidates[i];
		unsigned int must = proof->done_in ? MAY_BE_RESULT : MAY_BE_RESULT | MAY_BE_DONE;

		/* Target 0 stands for all computed calls. */
		if (!candidate->target || candidate->is_refuted || (candidate->returned & must) != must ||
		    (proof->done_in && candidate->returned & MAY_BE_DONE) || !ht_chooser_is_code(proof->chooser, candidate->target))
			continue;
		if (found) {
			fail(proof, "hands its arguments to more than one function");
			return NULL;
		}
		found = candidate;
	}
	if (!found)
		fail(proof, "hands its arguments to no function whose result it returns");
	return found;
}

/* Whether a function has a direct call of, or jump to, the target. */
static bool reaches(struct ht_chooser *chooser, const struct ht_chooser_fn *fn, uint64_t target)
{
	struct ht_insn insn;
	uint64_t at = fn->file_off;

	if (ht_chooser_load(chooser, fn->file_off, fn->size_bytes) < 0)
		return false;
	for (; at - fn->file_off < chooser->code_bytes; at += insn.bytes) {
		if (ht_chooser_decode(chooser, at, &insn))
			return false;
		if ((insn.kind == HT_INSN_CALL || insn.kind == HT_INSN_JUMP) && insn.target == target)
			return true;
	}
	return false;
}

/* How the public forms come to their inner function. Returns its offset, 0 with the reason in inner->why. */
static uint64_t prove_pair(struct ht_chooser *chooser, struct path *paths, const struct ht_chooser_pair *pair,
			   const struct ht_chooser_pair_at *at, struct ht_inner *inner)
{
	struct proof of_int = { .chooser = chooser, .paths = paths }, of_ex = { .chooser = chooser, .paths = paths, .done_in = 3 };
	struct proof of_through = { .chooser = chooser, .paths = paths, .done_in = 4 };
	const struct candidate *by_int, *by_ex, *by_through;

	if (!at->int_form.file_off || !at->ex_form.file_off) {
		snprintf(inner->why, sizeof(inner->why), "%s is not there", at->int_form.file_off ? pair->ex_form : pair->int_form);
		return 0;
	}
	by_int = prove(&of_int, &at->int_form);
	if (!by_int) {
		snprintf(inner->why, sizeof(inner->why), "%s %s", pair->int_form, of_int.failure);
		return 0;
	}
	by_ex = prove(&of_ex, &at->ex_form);
	if (!by_ex) {
		snprintf(inner->why, sizeof(inner->why), "%s %s", pair->ex_form, of_ex.failure);
		return 0;
	}
	/* OpenSSL 3.3 and later: SSL_write_ex() calls the public SSL_write_ex2(), which calls the inner function. */
	if (by_ex->target != by_int->target && by_ex->done_arg == 4 && at->through.file_off &&
	    (by_ex->target == at->through.file_off || ht_chooser_is_plt_of(chooser, by_ex->target, pair->through))) {
		by_through = prove(&of_through, &at->through);
		if (!by_through) {
			snprintf(inner->why, sizeof(inner->why), "%s %s", pair->through, of_through.failure);
			return 0;
		}
		by_ex = by_through;
	}
	if (by_int->target != by_ex->target || by_int->done_arg != by_ex->done_arg) {
		snprintf(inner->why, sizeof(inner->why), "%s and %s call different functions", pair->int_form, pair->ex_form);
		return 0;
	}
	inner->done_arg = by_int->done_arg;
	return by_int->target;
}

int ht_chooser_pair_find(int fd, const struct ht_chooser_pair *pair, struct ht_chooser_pair_at *at, char *reason, size_t reason_size)
{
	const char *names[] = { pair->int_form, pair->ex_form, pair->through, pair->others[0], pair->others[1] };
	struct ht_chooser_fn *fns[] = { &at->int_form, &at->ex_form, &at->through, &at->others[0], &at->others[1] };
	struct ht_elfsym syms[sizeof(names) / sizeof(names[0])];
	size_t cnt = 0;
	int err;

	memset(at, 0, sizeof(*at));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!names[i])
			continue;
		fns[cnt] = fns[i];
		syms[cnt++].name = names[i];
	}
	err = ht_elfsym_find(fd, syms, cnt, reason, reason_size);
	for (size_t i = 0; i < cnt && err > 0; i++)
		*fns[i] = (struct ht_chooser_fn){ syms[i].file_off, syms[i].size_bytes };
	return err;
}

int ht_chooser_inner(struct ht_chooser *chooser, const struct ht_chooser_pair *pair, const struct ht_chooser_pair_at *at,
		     unsigned int flags, struct ht_inner *inner)
{
	struct ht_chooser_want want = { .abi = HT_ABI_C, .flags = flags };
	/* One more for the path that is being followed. */
	struct path *paths = calloc(PATHS_MAX + 1, sizeof(*paths));
	uint64_t target;

	memset(inner, 0, sizeof(*inner));
	if (!paths)
		return -ENOMEM;
	target = prove_pair(chooser, paths, pair, at, inner);
	free(paths);
	if (!target)
		return 0;
	for (size_t i = 0; i < sizeof(at->others) / sizeof(at->others[0]); i++) {
		if (!at->others[i].file_off || !reaches(chooser, &at->others[i], target))
			continue;
		inner->done_arg = 0;
		snprintf(inner->why, sizeof(inner->why), "what %s calls serves other functions too", pair->int_form);
		return 0;
	}
	want.args = 0x7 | 1u << inner->done_arg;
	if (ht_chooser_site(chooser, target, 0, &want, &inner->entry, &inner->ret)) {
		inner->done_arg = 0;
		snprintf(inner->why, sizeof(inner->why), "what %s and %s call is no code", pair->int_form, pair->ex_form);
		return 0;
	}
	inner->semantics = pair->semantics;
	snprintf(inner->why, sizeof(inner->why), "what %s and %s both hand their arguments to and whose result they return", pair->int_form,
		 pair->ex_form);
	return 0;
}
