/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sock_typed.bpf.c - TCP sockets (and sends and receives of Unix sockets) by typed tracepoints, and where those of sends and receives are missing (before 6e6eda44b939, 6.3), by the begin and the
 * end of the kernel's functions (fentry, fexit). The bodies are in sock.bpf.h.
 */
#include "sock.bpf.h"

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(tp_inet_sock_set_state, const struct sock *sk, const int oldstate, const int newstate)
{
	return on_state(sk, oldstate, newstate);
}

SEC("tp_btf/inet_sk_error_report")
int BPF_PROG(tp_inet_sk_error_report, const struct sock *sk)
{
	return on_error(sk, HT_REC_SOCK_ERROR);
}

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(tp_tcp_receive_reset, struct sock *sk)
{
	return on_error(sk, HT_REC_SOCK_RESET);
}

SEC("tp_btf/tcp_sendmsg_locked")
int BPF_PROG(tp_tcp_sendmsg_locked, const struct sock *sk)
{
	return on_send_begin(sk);
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(tp_sock_send_length, struct sock *sk, int ret, int flags)
{
	return on_transfer(sk, ret, flags, HT_DIR_TX, NULL, HT_TCP | HT_UNIX);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(tp_sock_recv_length, struct sock *sk, int ret, int flags)
{
	return on_transfer(sk, ret, flags, HT_DIR_RX, NULL, HT_TCP | HT_UNIX);
}

SEC("fentry/tcp_sendmsg")
int BPF_PROG(fe_tcp_sendmsg, const struct sock *sk, const struct msghdr *msg)
{
	return ht_call_begin(sk, msg, 0, HT_DIR_TX, 1);
}

SEC("fexit/tcp_sendmsg")
int BPF_PROG(fx_tcp_sendmsg, const struct sock *sk, const struct msghdr *msg, size_t size, int ret)
{
	return on_call_end(sk, ret, HT_DIR_TX, HT_TCP);
}

/* Files' pages sent; until dc97391e6610 (6.5), which made it a message. */
SEC("fentry/tcp_sendpage")
int BPF_PROG(fe_tcp_sendpage, const struct sock *sk)
{
	return ht_call_begin(sk, NULL, 0, HT_DIR_TX, 1);
}

SEC("fexit/tcp_sendpage")
int BPF_PROG(fx_tcp_sendpage, const struct sock *sk, const void *page, int off, size_t size, int flags, int ret)
{
	return on_call_end(sk, ret, HT_DIR_TX, HT_TCP | HT_PAGES);
}

SEC("fentry/tcp_recvmsg")
int BPF_PROG(fe_tcp_recvmsg, const struct sock *sk, const struct msghdr *msg)
{
	return ht_call_begin(sk, msg, HT_RECVMSG_FLAGS(ctx[3], ctx[4]), HT_DIR_RX, 1);
}

SEC("fexit/tcp_recvmsg")
int BPF_PROG(fx_tcp_recvmsg, const struct sock *sk)
{
	int ret = ht_config.recvmsg_params == 6 ? ARG(ctx[6]) : ht_config.recvmsg_params == 5 ? ARG(ctx[5]) : ARG(ctx[4]);

	return on_call_end(sk, ret, HT_DIR_RX, HT_TCP);
}
