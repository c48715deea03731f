/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * socks.bpf.h - the state of a socket: found, made, and what it is called.
 *
 * Typed programs keep it in socket storage, where it lives as long as the socket, whose own cookie names it. Untyped ones have neither (the helpers want
 * a typed pointer): a table by address, from which tcp_destroy_sock takes it out, and a name of ours. All programs of one load use the same of the two.
 */
#ifndef HT_SOCKS_BPF_H
#define HT_SOCKS_BPF_H

#include "emit.bpf.h"

#ifdef HT_UNTYPED

static const struct ht_sock ht_new_sock;

static __always_inline struct ht_sock *ht_sock_find(const struct sock *sk)
{
	__u64 key = (__u64)sk;

	return bpf_map_lookup_elem(&socks_by_address, &key);
}

/* NULL: no room. */
static __always_inline struct ht_sock *ht_sock_get(const struct sock *sk)
{
	__u64 key = (__u64)sk;
	struct ht_sock *ss = bpf_map_lookup_elem(&socks_by_address, &key);

	if (ss)
		return ss;
	bpf_map_update_elem(&socks_by_address, &key, &ht_new_sock, BPF_NOEXIST);
	return bpf_map_lookup_elem(&socks_by_address, &key);
}

static __always_inline void ht_sock_name(struct ht_sock *ss, const struct sock *sk)
{
	if (!ss->cookie)
		ss->cookie = ht_next_id();
}

static __always_inline void ht_sock_forget(const struct sock *sk)
{
	__u64 key = (__u64)sk;

	bpf_map_delete_elem(&socks_by_address, &key);
}

#else

static __always_inline struct ht_sock *ht_sock_find(const struct sock *sk)
{
	return bpf_sk_storage_get(&socks, (void *)sk, NULL, 0);
}

static __always_inline struct ht_sock *ht_sock_get(const struct sock *sk)
{
	return bpf_sk_storage_get(&socks, (void *)sk, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

static __always_inline void ht_sock_name(struct ht_sock *ss, const struct sock *sk)
{
	ss->cookie = bpf_get_socket_cookie((void *)sk);
}

static __always_inline void ht_sock_forget(const struct sock *sk)
{
}

#endif

#endif
