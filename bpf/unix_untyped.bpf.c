/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * unix_untyped.bpf.c - Unix sockets by kprobes and kretprobes. The bodies are in unix.bpf.h and sock.bpf.h. A kretprobe knows nothing but the thread:
 * route_notes tells which socket its connect() is on.
 */
#define HT_UNTYPED
#include "sock.bpf.h"

static __always_inline const struct sock *sock_of(struct pt_regs *ctx)
{
	return BPF_CORE_READ((const struct socket *)PT_REGS_PARM1(ctx), sk);
}

SEC("kprobe/unix_stream_connect")
int kp_unix_stream_connect(struct pt_regs *ctx)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct ht_route_note fresh = { .sock = (__u64)sock_of(ctx) };

	on_unix_connect((const struct sock *)fresh.sock, (const void *)PT_REGS_PARM2(ctx), (int)PT_REGS_PARM3(ctx));
	if (!ht_allowed(thread >> 32))
		return 0;
	if (!bpf_map_lookup_elem(&route_notes, &thread))
		ht_count(HT_CNT_ROUTE_MADE);
	bpf_map_update_elem(&route_notes, &thread, &fresh, BPF_ANY);
	return 0;
}

SEC("kretprobe/unix_stream_connect")
int kr_unix_stream_connect(struct pt_regs *ctx)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct ht_route_note *note = bpf_map_lookup_elem(&route_notes, &thread);

	return note ? on_unix_connected((const struct sock *)note->sock, PT_REGS_RC(ctx)) : 0;
}

SEC("kprobe/unix_release")
int kp_unix_release(struct pt_regs *ctx)
{
	return on_unix_release(sock_of(ctx));
}

SEC("kprobe/unix_stream_sendmsg")
int kp_unix_stream_sendmsg(struct pt_regs *ctx)
{
	return on_unix_call(sock_of(ctx), (const struct msghdr *)PT_REGS_PARM2(ctx), 0, HT_DIR_TX);
}

SEC("kretprobe/unix_stream_sendmsg")
int kr_unix_stream_sendmsg(struct pt_regs *ctx)
{
	return on_unix_call_return(PT_REGS_RC(ctx), HT_DIR_TX, HT_UNIX);
}

SEC("kprobe/unix_stream_sendpage")
int kp_unix_stream_sendpage(struct pt_regs *ctx)
{
	return on_unix_call(sock_of(ctx), NULL, 0, HT_DIR_TX);
}

SEC("kretprobe/unix_stream_sendpage")
int kr_unix_stream_sendpage(struct pt_regs *ctx)
{
	return on_unix_call_return(PT_REGS_RC(ctx), HT_DIR_TX, HT_UNIX | HT_PAGES);
}

SEC("kprobe/unix_stream_recvmsg")
int kp_unix_stream_recvmsg(struct pt_regs *ctx)
{
	return on_unix_call(sock_of(ctx), (const struct msghdr *)PT_REGS_PARM2(ctx), PT_REGS_PARM4(ctx), HT_DIR_RX);
}

SEC("kretprobe/unix_stream_recvmsg")
int kr_unix_stream_recvmsg(struct pt_regs *ctx)
{
	return on_unix_call_return(PT_REGS_RC(ctx), HT_DIR_RX, HT_UNIX);
}
