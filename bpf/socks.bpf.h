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

/* Its state is of no use any more. */
static __always_inline void ht_sock_drop(const struct sock *sk)
{
	ht_sock_forget(sk);
}

static const struct ht_unix ht_new_unix;

static __always_inline struct ht_unix *ht_unix_find(const struct sock *sk)
{
	__u64 key = (__u64)sk;

	return bpf_map_lookup_elem(&unix_by_address, &key);
}

/* NULL: no room. */
static __always_inline struct ht_unix *ht_unix_get(const struct sock *sk)
{
	__u64 key = (__u64)sk;
	struct ht_unix *u = bpf_map_lookup_elem(&unix_by_address, &key);

	if (u)
		return u;
	bpf_map_update_elem(&unix_by_address, &key, &ht_new_unix, BPF_NOEXIST);
	return bpf_map_lookup_elem(&unix_by_address, &key);
}

static __always_inline __u64 ht_unix_name(struct ht_unix *u, const struct sock *sk)
{
	return u->cookie ? u->cookie : ht_next_id();
}

static __always_inline void ht_unix_forget(const struct sock *sk)
{
	__u64 key = (__u64)sk;

	bpf_map_delete_elem(&unix_by_address, &key);
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

static __always_inline void ht_sock_drop(const struct sock *sk)
{
	bpf_sk_storage_delete(&socks, (void *)sk);
}

static __always_inline struct ht_unix *ht_unix_find(const struct sock *sk)
{
	return bpf_sk_storage_get(&unix_socks, (void *)sk, NULL, 0);
}

static __always_inline struct ht_unix *ht_unix_get(const struct sock *sk)
{
	return bpf_sk_storage_get(&unix_socks, (void *)sk, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

static __always_inline __u64 ht_unix_name(struct ht_unix *u, const struct sock *sk)
{
	return bpf_get_socket_cookie((void *)sk);
}

static __always_inline void ht_unix_forget(const struct sock *sk)
{
}

#endif

/* A record of a socket, begun: its header is filled. NULL: it is lost, and counted. */
static __always_inline void *ht_sock_record(struct ht_sock *ss, __u64 ts, __u64 size, __u16 kind, __u16 flags)
{
	struct ht_who who = ht_who(ss->owner);
	struct ht_hdr *hdr;
	__u64 seq;

	hdr = ht_reserve(size, &seq, &ss->flow.lost);
	if (!hdr)
		return NULL;
	ht_hdr_init(hdr, size, kind, who.flags | flags, ts, seq, who.tgid, who.tid);
	hdr->lost = ht_take_lost(&ss->flow.lost);
	return hdr;
}

#endif
