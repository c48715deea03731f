/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * connect.bpf.h - connect() calls that fail before SYN_SENT, however their begin is heard of. Out: HT_REC_CONNECT_FAIL.
 */
#ifndef HT_CONNECT_BPF_H
#define HT_CONNECT_BPF_H

#include "filter.bpf.h"
#include "socks.bpf.h"

/* The socket's open connect() has failed. */
static __noinline int ht_connect_failed(struct ht_sock *ss, __u64 ts)
{
	__u64 thread = (__u64)ss->owner << 32 | ss->connect_tid, who = bpf_get_current_pid_tgid(), seq;
	struct ht_route_note *note = bpf_map_lookup_elem(&route_notes, &thread);
	struct ht_rec_connect_fail *rec;
	int own = who >> 32 == ss->owner;
	__u64 start = ss->connect_ns;
	__s32 err = 0;

	ss->connect_ns = 0;
	if (note && note->cookie == ss->cookie) {
		err = note->err;
		if (!bpf_map_delete_elem(&route_notes, &thread))
			ht_count(HT_CNT_ROUTE_GONE);
	}
	rec = ht_reserve(sizeof(*rec), &seq, NULL);
	if (!rec)
		return 0;
	ht_hdr_init(&rec->hdr, sizeof(*rec), HT_REC_CONNECT_FAIL, own ? 0 : HT_F_FOREIGN, ts, seq, ss->owner, own ? (__u32)who : 0);
	rec->cookie = ss->cookie;
	rec->start_ns = start;
	rec->remote = ss->connect_to;
	rec->err = err;
	rec->pad = 0;
	ht_submit(rec, ht_wake(sizeof(*rec)));
	return 0;
}

static __always_inline void ht_connect_to(struct ht_sock *ss, __u16 family, __u32 a0, __u32 a1, __u32 a2, __u32 a3)
{
	__u32 *to = (__u32 *)ss->connect_to.addr;

	ss->connect_to.family = family;
	to[0] = a0;
	to[1] = a1;
	to[2] = a2;
	to[3] = a3;
}

/* Every TCP socket ends here, whichever way. */
static __always_inline int ht_connect_end(const struct sock *sk)
{
	struct ht_sock *ss = ht_sock_find(sk);

	if (!ss)
		return 0;
	if (ss->connect_ns)
		ht_connect_failed(ss, bpf_ktime_get_ns());
	ht_sock_forget(sk);
	return 0;
}

#endif
