/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * connect_typed.bpf.c - connect() calls that fail before SYN_SENT: no route, mostly. No state change tells of them.
 *
 * In: cgroup hooks (a connect() begins), routing tracepoints (what the tables said), the socket's end. Out: HT_REC_CONNECT_FAIL. A
 * connect() is open from its hook until SYN_SENT (sock.bpf.h clears connect_ns). It has failed when the socket is connected anew or
 * destroyed with the mark still on it; several tables are asked for one route and one refusal proves nothing.
 */
#include "connect.bpf.h"

/* Route types and flags: include/uapi/linux/rtnetlink.h, ipv6_route.h. */
#define RTN_BLACKHOLE   6
#define RTN_UNREACHABLE 7
#define RTN_PROHIBIT    8
#define RTF_REJECT      0x0200

static __always_inline int on_connect(struct bpf_sock_addr *ctx, int v6)
{
	__u64 ts = bpf_ktime_get_ns(), thread = bpf_get_current_pid_tgid();
	struct ht_route_note *note, fresh = {};
	struct ht_sock *ss;
	__u32 a0, a1, a2, a3;

	if (!ht_allowed(thread >> 32))
		return 1;
	note = bpf_map_lookup_elem(&route_notes, &thread);
	if (ctx->protocol != IPPROTO_TCP) {
		/* Its routes are not the open connect()'s. */
		if (note)
			note->closed = 1;
		return 1;
	}
	ss = bpf_sk_storage_get(&socks, ctx->sk, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!ss) {
		ht_count(HT_CNT_LOST_SCRATCH);
		return 1;
	}
	if (ss->connect_ns)
		ht_connect_failed(ss, ts);
	ss->cookie = bpf_get_socket_cookie(ctx);
	ss->owner = thread >> 32;
	ss->connect_tid = thread;
	ss->connect_ns = ts;
	ss->role = HT_ROLE_CLIENT;
	ss->connect_to.scope_id = 0;
	ss->connect_to.port = __builtin_bswap16(ctx->user_port);
	if (v6) {
		a0 = ctx->user_ip6[0];
		a1 = ctx->user_ip6[1];
		a2 = ctx->user_ip6[2];
		a3 = ctx->user_ip6[3];
	}
	if (v6 && (a0 || a1 || a2 != __builtin_bswap32(0xffff)))
		ht_connect_to(ss, HT_AF_INET6, a0, a1, a2, a3);
	else
		ht_connect_to(ss, HT_AF_INET, v6 ? a3 : ctx->user_ip4, 0, 0, 0);
	fresh.cookie = ss->cookie;
	if (!bpf_map_update_elem(&route_notes, &thread, &fresh, BPF_ANY) && !note)
		ht_count(HT_CNT_ROUTE_MADE);
	return 1;
}

/* Both allow every connect(): 1. */
SEC("cgroup/connect4")
int cg_connect4(struct bpf_sock_addr *ctx)
{
	return on_connect(ctx, 0);
}

SEC("cgroup/connect6")
int cg_connect6(struct bpf_sock_addr *ctx)
{
	return on_connect(ctx, 1);
}

/* The current thread's open connect(), or NULL. */
static __always_inline struct ht_route_note *note_open(void)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct ht_route_note *note = bpf_map_lookup_elem(&route_notes, &thread);

	return note && !note->closed ? note : NULL;
}

SEC("tp_btf/fib_table_lookup")
int BPF_PROG(tp_fib_table_lookup, __u32 table, const struct flowi4 *flow, const struct fib_nh_common *nhc, int err)
{
	struct ht_route_note *note = note_open();

	/* The last lookup counts. "Try the next table", and there is none: include/net/ip_fib.h, fib_lookup, makes it ENETUNREACH. */
	if (note)
		note->err = err == -EAGAIN ? ENETUNREACH : -err;
	return 0;
}

SEC("tp_btf/fib6_table_lookup")
int BPF_PROG(tp_fib6_table_lookup, const struct net *net, const struct fib6_result *res)
{
	struct ht_route_note *note = note_open();

	if (!note)
		return 0;
	if (!(res->fib6_flags & RTF_REJECT)) {
		note->err = 0;
	} else if (BPF_CORE_READ(res, f6i) == BPF_CORE_READ(net, ipv6.fib6_null_entry)) {
		note->err = ENETUNREACH; /* nothing matched */
	} else {
		/* net/ipv6/route.c, ip6_rt_type_to_error */
		switch (res->fib6_type) {
		case RTN_BLACKHOLE:
			note->err = EINVAL;
			break;
		case RTN_PROHIBIT:
			note->err = EACCES;
			break;
		case RTN_UNREACHABLE:
			note->err = EHOSTUNREACH;
			break;
		default:
			note->err = ENETUNREACH;
		}
	}
	return 0;
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(tp_tcp_destroy_sock, struct sock *sk)
{
	return ht_connect_end(sk);
}
