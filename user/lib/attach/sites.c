/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sites.c - see sites.h. A function is probed at its first instruction, which is always right; what that costs: shared facts on probe sites
 * (an instruction that the kernel emulates is some ten times cheaper than one that it has to single-step).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "abi/config.h"
#include "attach/elfsym.h"
#include "attach/sites.h"

#define ENTRY  0x1
#define RETURN 0x2
#define BOTH   (ENTRY | RETURN)

struct wanted_fn {
	const char *name;
	uint32_t id;
	unsigned int where;
};

static const struct wanted_fn openssl_fns[] = {
	{ "SSL_connect", HT_FN_SSL_CONNECT, BOTH },   { "SSL_do_handshake", HT_FN_SSL_DO_HANDSHAKE, BOTH },
	{ "SSL_accept", HT_FN_SSL_ACCEPT, ENTRY },    { "SSL_write", HT_FN_SSL_WRITE, BOTH },
	{ "SSL_write_ex", HT_FN_SSL_WRITE_EX, BOTH }, { "SSL_read", HT_FN_SSL_READ, BOTH },
	{ "SSL_read_ex", HT_FN_SSL_READ_EX, BOTH },   { "SSL_peek", HT_FN_SSL_PEEK, BOTH },
	{ "SSL_peek_ex", HT_FN_SSL_PEEK_EX, BOTH },   { "SSL_shutdown", HT_FN_SSL_SHUTDOWN, ENTRY },
	{ "SSL_free", HT_FN_SSL_FREE, ENTRY },        { "SSL_set_fd", HT_FN_SSL_SET_FD, ENTRY },
	{ "SSL_ctrl", HT_FN_SSL_CTRL, ENTRY },        { "SSL_get0_alpn_selected", HT_FN_SSL_GET0_ALPN_SELECTED, BOTH },
	{ "SSL_clear", HT_FN_SSL_CLEAR, ENTRY },
};

static const struct wanted_fn crypto_fns[] = {
	{ "ERR_vset_error", HT_FN_ERR_VSET_ERROR, ENTRY },
};

static const struct wanted_fn dns_fns[] = {
	{ "getaddrinfo", HT_FN_GETADDRINFO, BOTH },
};

static const struct {
	const char *name;
	const struct wanted_fn *fns;
	size_t fn_cnt;
} groups[HT_SITES_GROUP_CNT] = {
	[HT_SITES_OPENSSL] = { "openssl", openssl_fns, sizeof(openssl_fns) / sizeof(openssl_fns[0]) },
	[HT_SITES_CRYPTO] = { "openssl errors", crypto_fns, sizeof(crypto_fns) / sizeof(crypto_fns[0]) },
	[HT_SITES_DNS] = { "dns", dns_fns, sizeof(dns_fns) / sizeof(dns_fns[0]) },
};

/*
 * Names of files, not sonames: mappings show the file a link points to (ld-musl for libc.musl, libc-2.31.so for libc.so.6). The forms with '-' are what
 * Python wheels bundle. libssl.so.4x (LibreSSL) and libssl3.so (NSS) are other libraries.
 */
static const struct {
	const char *glob;
	enum ht_site_group group;
} patterns[] = {
	{ "libssl.so.3*", HT_SITES_OPENSSL },   { "libssl.so.1.1*", HT_SITES_OPENSSL },
	{ "libssl-*.so.3*", HT_SITES_OPENSSL }, { "libssl-*.so.1.1*", HT_SITES_OPENSSL },
	{ "libcrypto.so.3*", HT_SITES_CRYPTO }, { "libcrypto-*.so.3*", HT_SITES_CRYPTO },
	{ "libc.so.6", HT_SITES_DNS },          { "libc-2.[0-9]*.so", HT_SITES_DNS },
	{ "libc.musl-*.so.1", HT_SITES_DNS },   { "ld-musl-*.so.1", HT_SITES_DNS },
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

	return !group_of(name, &group);
}

const char *ht_sites_group_name(enum ht_site_group group)
{
	return groups[group].name;
}

/* The decision. Both probes sit on the first instruction. */
static void choose(struct ht_site_fn *fn, const struct ht_elfsym *sym)
{
	fn->entry_off = sym->file_off;
	fn->return_off = sym->file_off;
}

int ht_sites_plan(int fd, const char *name, struct ht_site_plan *plan, char *reason, size_t reason_size)
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
		if (plan->fns[i].is_found)
			choose(&plan->fns[i], &syms[i]);
	}
	plan->found_cnt = (size_t)err;
	if (plan->found_cnt)
		return 0;
	snprintf(reason, reason_size, "has none of the functions that are probed");
	return -ESRCH;
}
