/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sites.c - see sites.h. What libssl's reading and writing functions have inside takes their probes where it can be proven: it is a cheap
 * site, and one pair serves both forms.
 *
 * Frames of calls in flight are told apart by the stack pointer (bpf/openssl.bpf.c: push, pop), and SSL_connect jumps to SSL_do_handshake with the
 * one it was called with. So a function with a return probe has its entry probe where the stack pointer is as at the first instruction.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/config.h"
#include "attach/elfsym.h"
#include "attach/native.h"
#include "attach/sites.h"

#define ENTRY  0x1
#define RETURN 0x2
#define BOTH   (ENTRY | RETURN)
/* The entry's program compares the stack pointer with those of calls in flight. */
#define LEVEL  0x4

struct wanted_fn {
	const char *name;
	uint32_t id;
	unsigned int where;
	unsigned int args; /* that its probe reads; bit n: the n-th */
};

/* Those that begin a handshake are first here, and so the last to be probed (probes.c: side_sites). */
static const struct wanted_fn openssl_fns[] = {
	{ "SSL_connect", HT_FN_SSL_CONNECT, BOTH, 0x1 },      { "SSL_do_handshake", HT_FN_SSL_DO_HANDSHAKE, BOTH, 0x1 },
	{ "SSL_accept", HT_FN_SSL_ACCEPT, ENTRY, 0x1 },       { "SSL_write", HT_FN_SSL_WRITE, BOTH, 0x7 },
	{ "SSL_write_ex", HT_FN_SSL_WRITE_EX, BOTH, 0xf },    { "SSL_read", HT_FN_SSL_READ, BOTH, 0x7 },
	{ "SSL_read_ex", HT_FN_SSL_READ_EX, BOTH, 0xf },      { "SSL_peek", HT_FN_SSL_PEEK, BOTH, 0x7 },
	{ "SSL_peek_ex", HT_FN_SSL_PEEK_EX, BOTH, 0xf },      { "SSL_shutdown", HT_FN_SSL_SHUTDOWN, ENTRY, 0x1 },
	{ "SSL_free", HT_FN_SSL_FREE, ENTRY, 0x1 },           { "SSL_set_fd", HT_FN_SSL_SET_FD, ENTRY, 0x3 },
	{ "SSL_ctrl", HT_FN_SSL_CTRL, ENTRY, 0xb },           { "SSL_get0_alpn_selected", HT_FN_SSL_GET0_ALPN_SELECTED, BOTH, 0x7 },
	{ "SSL_clear", HT_FN_SSL_CLEAR, ENTRY | LEVEL, 0x1 },
};

static const struct wanted_fn crypto_fns[] = {
	{ "ERR_vset_error", HT_FN_ERR_VSET_ERROR, ENTRY | LEVEL, 0x3 },
};

static const struct wanted_fn dns_fns[] = {
	{ "getaddrinfo", HT_FN_GETADDRINFO, BOTH, 0xf },
};

static const struct wanted_fn nghttp2_fns[] = {
	{ "nghttp2_submit_request", HT_FN_H2_SUBMIT_REQUEST, BOTH, 0xd },
	{ "nghttp2_submit_request2", HT_FN_H2_SUBMIT_REQUEST2, BOTH, 0xd },
};

/* Functions that have no name: whose coats they are, and their ids by the argument that says how many bytes passed. */
static const struct {
	const char *name;
	const struct ht_chooser_pair *pair;
	uint32_t id_fourth;
	uint32_t id_fifth; /* 0: not known to exist */
} inner_fns[] = {
	{ "inside SSL_read[_ex]", &ht_chooser_ssl_read, HT_FN_SSL_READ_INNER, 0 },
	{ "inside SSL_write[_ex]", &ht_chooser_ssl_write, HT_FN_SSL_WRITE_INNER, HT_FN_SSL_WRITE_INNER5 },
};

_Static_assert(sizeof(openssl_fns) / sizeof(openssl_fns[0]) + sizeof(inner_fns) / sizeof(inner_fns[0]) <= HT_SITES_MAX, "a plan holds all");

static const struct {
	const char *name;
	const struct wanted_fn *fns;
	size_t fn_cnt;
} groups[HT_SITES_GROUP_CNT] = {
	[HT_SITES_OPENSSL] = { "openssl", openssl_fns, sizeof(openssl_fns) / sizeof(openssl_fns[0]) },
	[HT_SITES_CRYPTO] = { "openssl errors", crypto_fns, sizeof(crypto_fns) / sizeof(crypto_fns[0]) },
	[HT_SITES_DNS] = { "dns", dns_fns, sizeof(dns_fns) / sizeof(dns_fns[0]) },
	[HT_SITES_NGHTTP2] = { "nghttp2", nghttp2_fns, sizeof(nghttp2_fns) / sizeof(nghttp2_fns[0]) },
};

/*
 * Names of files, not sonames: mappings show the file a link points to (ld-musl for libc.musl, libc-2.31.so for libc.so.6). The forms with '-' are what
 * Python wheels bundle. libssl.so.4x (LibreSSL) and libssl3.so (NSS) are other libraries.
 */
static const struct {
	const char *glob;
	enum ht_site_group group;
} patterns[] = {
	{ "libssl.so.3*", HT_SITES_OPENSSL },
	{ "libssl.so.1.1*", HT_SITES_OPENSSL },
	{ "libssl-*.so.3*", HT_SITES_OPENSSL },
	{ "libssl-*.so.1.1*", HT_SITES_OPENSSL },
	{ "libcrypto.so.3*", HT_SITES_CRYPTO },
	{ "libcrypto-*.so.3*", HT_SITES_CRYPTO },
	{ "libc.so.6", HT_SITES_DNS },
	{ "libc-2.[0-9]*.so", HT_SITES_DNS },
	{ "libc.musl-*.so.1", HT_SITES_DNS },
	{ "ld-musl-*.so.1", HT_SITES_DNS },
	{ "libnghttp2.so.14*", HT_SITES_NGHTTP2 },
	{ "libnghttp2-*.so.14*", HT_SITES_NGHTTP2 },
};

static int group_of(const char *name, enum ht_site_group *group)
{
	/* Nearly every mapped file fails here, and cheaply. */
	if (name[0] != 'l')
		return -ENOENT;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		if (fnmatch(patterns[i].glob, name, 0))
			continue;
		*group = patterns[i].group;
		return 0;
	}
	return -ENOENT;
}

int ht_sites_match(const char *name)
{
	enum ht_site_group group;

	return !group_of(name, &group) && group != HT_SITES_NGHTTP2;
}

int ht_sites_match_joined(const char *name)
{
	enum ht_site_group group;

	return !group_of(name, &group) && group == HT_SITES_NGHTTP2;
}

const char *ht_sites_group_name(enum ht_site_group group)
{
	return groups[group].name;
}

/*
 * Whether the processor, with the kernel, has user shadow stacks (chooser.h, HT_CHOOSE_CALL). All processors have the same flags (or the
 * kernel hides what one lacks), so the first one's line tells; where none does, they may be there.
 */
static bool may_have_shadow_stacks(void)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	bool may_have = true;
	char *line = NULL;
	size_t room = 0;

	while (file && getline(&line, &room, file) > 0) {
		if (strncmp(line, HT_NATIVE_CPU_LINE, strlen(HT_NATIVE_CPU_LINE)))
			continue;
		may_have = strstr(line, HT_NATIVE_SHADOW_STACK) != NULL;
		break;
	}
	free(line);
	if (file)
		fclose(file);
	return may_have;
}

static void use(struct ht_site_fn *fn, uint64_t entry_off, uint64_t return_off, const struct ht_choice *shown)
{
	fn->entry_off = entry_off;
	fn->return_off = return_off;
	fn->moved_bytes = shown->moved_bytes;
	fn->site_class = shown->site_class;
	snprintf(fn->insn, sizeof(fn->insn), "%s", shown->insn);
	snprintf(fn->why, sizeof(fn->why), "%s", shown->why);
}

/* The decision on a public function that was found. */
static void choose(struct ht_chooser *chooser, unsigned int flags, const struct wanted_fn *wanted, const struct ht_elfsym *sym,
		   struct ht_site_fn *fn)
{
	struct ht_chooser_want want = { .abi = HT_ABI_C, .args = wanted->args, .flags = flags };
	struct ht_choice entry, ret;

	if (ht_chooser_site(chooser, sym->file_off, sym->size_bytes, &want, fn->wants_entry ? &entry : NULL,
			    fn->wants_return ? &ret : NULL)) {
		snprintf(fn->why, sizeof(fn->why), "first instruction: it could not be decoded");
		return;
	}
	if (!fn->wants_return)
		ret = entry;
	if (!fn->wants_entry)
		entry = ret;
	/* A single step's price is better than a frame that is taken for another's. */
	if (entry.sp_delta_bytes && (fn->wants_return || wanted->where & LEVEL))
		snprintf(fn->why, sizeof(fn->why), "first instruction: the stack pointer is compared, and moves before %.48s", entry.insn);
	else
		use(fn, entry.file_off, fn->wants_return ? ret.file_off : sym->file_off, &entry);
}

static struct ht_site_fn *find_fn(struct ht_site_plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->fn_cnt; i++) {
		if (!strcmp(plan->fns[i].name, name))
			return &plan->fns[i];
	}
	return NULL;
}

/* Lets the function inside two public ones take their probes, if there is one. With the public ones' on as well each call would count twice. */
static void choose_inner(int fd, struct ht_chooser *chooser, unsigned int flags, size_t n, struct ht_site_plan *plan)
{
	const struct ht_chooser_pair *pair = inner_fns[n].pair;
	struct ht_site_fn *forms[] = { find_fn(plan, pair->int_form), find_fn(plan, pair->ex_form) };
	struct ht_site_fn *fn = &plan->fns[plan->fn_cnt];
	struct ht_chooser_pair_at at;
	struct ht_inner inner;
	char reason[128];
	uint32_t id;

	if (plan->fn_cnt == HT_SITES_MAX || ht_chooser_pair_find(fd, pair, &at, reason, sizeof(reason)) < 0 ||
	    ht_chooser_inner(chooser, pair, &at, flags, &inner))
		return;
	id = !inner.semantics ? 0 : inner.done_arg == 3 ? inner_fns[n].id_fourth : inner.done_arg == 4 ? inner_fns[n].id_fifth : 0;
	*fn = (struct ht_site_fn){ .name = inner_fns[n].name, .id = id };
	plan->fn_cnt++;
	if (!inner.semantics)
		snprintf(fn->why, sizeof(fn->why), "%s", inner.why);
	else if (!id)
		snprintf(fn->why, sizeof(fn->why), "its arguments are not known");
	else if (inner.entry.sp_delta_bytes)
		snprintf(fn->why, sizeof(fn->why), "the stack pointer is compared, and moves before %.48s", inner.entry.insn);
	if (fn->why[0])
		return;
	fn->is_found = fn->wants_entry = fn->wants_return = true;
	use(fn, inner.entry.file_off, inner.ret.file_off, &inner.entry);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		forms[i]->wants_entry = forms[i]->wants_return = false;
		snprintf(forms[i]->why, sizeof(forms[i]->why), "served by the function inside, at 0x%llx",
			 (unsigned long long)inner.entry.file_off);
	}
}

/* Leaves a public function's probes where they are, and says what that is. */
static void stay(struct ht_chooser *chooser, const struct ht_elfsym *sym, struct ht_site_fn *fn)
{
	struct ht_chooser_want want = { .abi = HT_ABI_C };
	struct ht_choice first;

	if (chooser && !ht_chooser_site(chooser, sym->file_off, sym->size_bytes, &want, NULL, &first))
		use(fn, sym->file_off, sym->file_off, &first);
	snprintf(fn->why, sizeof(fn->why), "first instruction, as asked for");
}

/*
 * Moves probes from the first instructions to where they are cheap, unless that is not wanted. What cannot be decoded stays where it is.
 */
static void choose_all(int fd, const struct wanted_fn *wanted, const struct ht_elfsym *syms, bool has_entry_sites,
		       struct ht_site_plan *plan)
{
	unsigned int flags = may_have_shadow_stacks() ? 0 : HT_CHOOSE_CALL;
	size_t public_cnt = plan->fn_cnt;
	char reason[128];
	struct ht_chooser *chooser = ht_chooser_new(fd, reason, sizeof(reason));

	for (size_t i = 0; i < public_cnt; i++) {
		if (!plan->fns[i].is_found)
			continue;
		if (has_entry_sites)
			stay(chooser, &syms[i], &plan->fns[i]);
		else if (chooser)
			choose(chooser, flags, &wanted[i], &syms[i], &plan->fns[i]);
		else
			snprintf(plan->fns[i].why, sizeof(plan->fns[i].why), "first instruction: the file %s", reason);
	}
	for (size_t i = 0; chooser && !has_entry_sites && plan->group == HT_SITES_OPENSSL && i < sizeof(inner_fns) / sizeof(inner_fns[0]);
	     i++)
		choose_inner(fd, chooser, flags, i, plan);
	ht_chooser_free(chooser);
}

int ht_sites_plan(int fd, const char *name, bool has_entry_sites, struct ht_site_plan *plan, char *reason, size_t reason_size)
{
	struct ht_elfsym syms[HT_SITES_MAX];
	int err;

	memset(plan, 0, sizeof(*plan));
	snprintf(reason, reason_size, "is no library that is known here");
	err = group_of(name, &plan->group);
	if (err)
		return err;
	plan->fn_cnt = groups[plan->group].fn_cnt;
	for (size_t i = 0; i < plan->fn_cnt; i++) {
		const struct wanted_fn *wanted = &groups[plan->group].fns[i];

		syms[i].name = wanted->name;
		plan->fns[i] = (struct ht_site_fn){
			.name = wanted->name, .id = wanted->id, .wants_entry = wanted->where & ENTRY, .wants_return = wanted->where & RETURN
		};
	}
	err = ht_elfsym_find(fd, syms, plan->fn_cnt, reason, reason_size);
	if (err < 0)
		return err;
	for (size_t i = 0; i < plan->fn_cnt; i++) {
		plan->fns[i].is_found = syms[i].file_off;
		/* Right in any case. */
		plan->fns[i].entry_off = plan->fns[i].return_off = syms[i].file_off;
	}
	plan->found_cnt = (size_t)err;
	if (!plan->found_cnt) {
		snprintf(reason, reason_size, "has none of the functions that are probed");
		return -ESRCH;
	}
	choose_all(fd, groups[plan->group].fns, syms, has_entry_sites, plan);
	return 0;
}
