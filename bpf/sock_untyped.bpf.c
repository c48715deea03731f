/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sock_untyped.bpf.c - TCP sockets by raw tracepoints and kprobes. The bodies are in sock.bpf.h.
 */
#define HT_UNTYPED
#include "sock.bpf.h"

SEC("raw_tp/inet_sock_set_state")
int BPF_PROG(rt_inet_sock_set_state, const struct sock *sk, const int oldstate, const int newstate)
{
	return on_state(sk, oldstate, newstate);
}

SEC("raw_tp/inet_sk_error_report")
int BPF_PROG(rt_inet_sk_error_report, const struct sock *sk)
{
	return on_error(sk, HT_REC_SOCK_ERROR);
}

SEC("raw_tp/tcp_receive_reset")
int BPF_PROG(rt_tcp_receive_reset, const struct sock *sk)
{
	return on_error(sk, HT_REC_SOCK_RESET);
}

SEC("kprobe/tcp_sendmsg")
int kp_tcp_sendmsg(struct pt_regs *ctx)
{
	return ht_call_begin((const struct sock *)PT_REGS_PARM1(ctx), (const struct msghdr *)PT_REGS_PARM2(ctx), 0, HT_DIR_TX, 1);
}

SEC("kretprobe/tcp_sendmsg")
int kr_tcp_sendmsg(struct pt_regs *ctx)
{
	return on_call_return(PT_REGS_RC(ctx), HT_DIR_TX, HT_TCP);
}

SEC("kprobe/tcp_sendpage")
int kp_tcp_sendpage(struct pt_regs *ctx)
{
	return ht_call_begin((const struct sock *)PT_REGS_PARM1(ctx), NULL, 0, HT_DIR_TX, 1);
}

SEC("kretprobe/tcp_sendpage")
int kr_tcp_sendpage(struct pt_regs *ctx)
{
	return on_call_return(PT_REGS_RC(ctx), HT_DIR_TX, HT_TCP | HT_PAGES);
}

SEC("kprobe/tcp_recvmsg")
int kp_tcp_recvmsg(struct pt_regs *ctx)
{
	__u32 flags = HT_RECVMSG_FLAGS(PT_REGS_PARM4(ctx), PT_REGS_PARM5(ctx));

	return ht_call_begin((const struct sock *)PT_REGS_PARM1(ctx), (const struct msghdr *)PT_REGS_PARM2(ctx), flags, HT_DIR_RX, 1);
}

SEC("kretprobe/tcp_recvmsg")
int kr_tcp_recvmsg(struct pt_regs *ctx)
{
	return on_call_return(PT_REGS_RC(ctx), HT_DIR_RX, HT_TCP);
}
