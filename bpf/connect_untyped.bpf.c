/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * connect_untyped.bpf.c - connect() calls that fail before SYN_SENT, by the kernel's functions: what they answer is the error.
 *
 * In: begin and end of tcp_v4_connect and tcp_v6_connect, the socket's end. Out: HT_REC_CONNECT_FAIL. A connect() is open from its begin until SYN_SENT
 * (sock.bpf.h clears connect_ns). A kretprobe knows nothing but the thread: route_notes tells which socket its connect() is on.
 */
#define HT_UNTYPED
#include "connect.bpf.h"

static __always_inline int on_connect(const struct sock *sk, const void *address, const int v6)
{
	__u64 ts = bpf_ktime_get_ns(), thread = bpf_get_current_pid_tgid();
	int is_v6_sock = BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET6;
	struct ht_route_note *note, fresh = {};
	struct ht_sockaddr to = {};
	struct ht_sock *ss;

	/* tcp_v6_connect calls tcp_v4_connect for an IPv4 address. */
	if (!ht_allowed(thread >> 32) || is_v6_sock != v6)
		return 0;
	ss = ht_sock_get(sk);
	if (!ss) {
		ht_count(HT_CNT_LOST_SCRATCH);
		return 0;
	}
	if (ss->connect_ns)
		ht_connect_failed(ss, ts);
	ht_sock_name(ss, sk);
	ss->owner = thread >> 32;
	ss->connect_tid = thread;
	ss->connect_ns = ts;
	ss->role = HT_ROLE_CLIENT;
	/* As much as the kernel has checked to be there: 16 bytes, 24 for IPv6 (SIN6_LEN_RFC2133). */
	bpf_probe_read_kernel(&to, v6 ? 24 : 16, address);
	ss->connect_to.scope_id = 0;
	ss->connect_to.port = __builtin_bswap16(to.port);
	if (v6 && (to.word[1] || to.word[2] || to.word[3] != __builtin_bswap32(0xffff)))
		ht_connect_to(ss, HT_AF_INET6, to.word[1], to.word[2], to.word[3], to.word[4]);
	else
		ht_connect_to(ss, HT_AF_INET, v6 ? to.word[4] : to.word[0], 0, 0, 0);
	note = bpf_map_lookup_elem(&route_notes, &thread);
	fresh.cookie = ss->cookie;
	fresh.sock = (__u64)sk;
	if (!bpf_map_update_elem(&route_notes, &thread, &fresh, BPF_ANY) && !note)
		ht_count(HT_CNT_ROUTE_MADE);
	return 0;
}

/* Of the inner of two nested calls that fail, the error is the outer's, too. */
static __always_inline int on_connect_end(int ret)
{
	__u64 ts = bpf_ktime_get_ns(), thread = bpf_get_current_pid_tgid();
	struct ht_route_note *note = bpf_map_lookup_elem(&route_notes, &thread);
	struct ht_sock *ss;

	if (!note || ret >= 0)
		return 0;
	ss = ht_sock_find((const struct sock *)note->sock);
	if (!ss || !ss->connect_ns || ss->cookie != note->cookie)
		return 0;
	note->err = -ret;
	ht_connect_failed(ss, ts);
	return 0;
}

SEC("kprobe/tcp_v4_connect")
int kp_tcp_v4_connect(struct pt_regs *ctx)
{
	return on_connect((const struct sock *)PT_REGS_PARM1(ctx), (const void *)PT_REGS_PARM2(ctx), 0);
}

SEC("kretprobe/tcp_v4_connect")
int kr_tcp_v4_connect(struct pt_regs *ctx)
{
	return on_connect_end(PT_REGS_RC(ctx));
}

SEC("kprobe/tcp_v6_connect")
int kp_tcp_v6_connect(struct pt_regs *ctx)
{
	return on_connect((const struct sock *)PT_REGS_PARM1(ctx), (const void *)PT_REGS_PARM2(ctx), 1);
}

SEC("kretprobe/tcp_v6_connect")
int kr_tcp_v6_connect(struct pt_regs *ctx)
{
	return on_connect_end(PT_REGS_RC(ctx));
}

SEC("fentry/tcp_v4_connect")
int BPF_PROG(fe_tcp_v4_connect, const struct sock *sk, const void *address)
{
	return on_connect(sk, address, 0);
}

SEC("fexit/tcp_v4_connect")
int BPF_PROG(fx_tcp_v4_connect, const struct sock *sk, const void *address, int len, int ret)
{
	return on_connect_end(ret);
}

SEC("fentry/tcp_v6_connect")
int BPF_PROG(fe_tcp_v6_connect, const struct sock *sk, const void *address)
{
	return on_connect(sk, address, 1);
}

SEC("fexit/tcp_v6_connect")
int BPF_PROG(fx_tcp_v6_connect, const struct sock *sk, const void *address, int len, int ret)
{
	return on_connect_end(ret);
}

SEC("raw_tp/tcp_destroy_sock")
int BPF_PROG(rt_tcp_destroy_sock, const struct sock *sk)
{
	return ht_connect_end(sk);
}
