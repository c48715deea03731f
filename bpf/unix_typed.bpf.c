/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * unix_typed.bpf.c - Unix sockets: connect and close by the begin and the end of the kernel's functions (fentry, fexit), and where those cannot be had by a
 * cgroup hook (859051dd165e, 6.7) and the task's work (38aa7003e369, 6.18); before the tracepoints of sends and receives (6.3) these too by the functions.
 * The bodies are in unix.bpf.h and sock.bpf.h.
 */
#include "sock.bpf.h"

SEC("fentry/unix_stream_connect")
int BPF_PROG(fe_unix_stream_connect, const struct socket *sock, const void *address, int len)
{
	return on_unix_connect(HT_FIELD(sock, sk), address, len);
}

SEC("fexit/unix_stream_connect")
int BPF_PROG(fx_unix_stream_connect, const struct socket *sock, const void *address, int len, int flags, int ret)
{
	return on_unix_connected(HT_FIELD(sock, sk), ret);
}

SEC("fentry/unix_release")
int BPF_PROG(fe_unix_release, const struct socket *sock)
{
	return on_unix_release(HT_FIELD(sock, sk));
}

SEC("fentry/unix_stream_sendmsg")
int BPF_PROG(fe_unix_stream_sendmsg, const struct socket *sock, const struct msghdr *msg)
{
	return on_unix_call(HT_FIELD(sock, sk), msg, 0, HT_DIR_TX);
}

SEC("fexit/unix_stream_sendmsg")
int BPF_PROG(fx_unix_stream_sendmsg, const struct socket *sock, const struct msghdr *msg, size_t size, int ret)
{
	return on_unix_call_end(HT_FIELD(sock, sk), ret, HT_DIR_TX, HT_UNIX);
}

/* Files' pages sent; until 57d44a354a43 (6.5), which made it a message. */
SEC("fentry/unix_stream_sendpage")
int BPF_PROG(fe_unix_stream_sendpage, const struct socket *sock)
{
	return on_unix_call(HT_FIELD(sock, sk), NULL, 0, HT_DIR_TX);
}

SEC("fexit/unix_stream_sendpage")
int BPF_PROG(fx_unix_stream_sendpage, const struct socket *sock, const void *page, int off, size_t size, int flags, int ret)
{
	return on_unix_call_end(HT_FIELD(sock, sk), ret, HT_DIR_TX, HT_UNIX | HT_PAGES);
}

SEC("fentry/unix_stream_recvmsg")
int BPF_PROG(fe_unix_stream_recvmsg, const struct socket *sock, const struct msghdr *msg, size_t size, int flags)
{
	return on_unix_call(HT_FIELD(sock, sk), msg, flags, HT_DIR_RX);
}

SEC("fexit/unix_stream_recvmsg")
int BPF_PROG(fx_unix_stream_recvmsg, const struct socket *sock, const struct msghdr *msg, size_t size, int flags, int ret)
{
	return on_unix_call_end(HT_FIELD(sock, sk), ret, HT_DIR_RX, HT_UNIX);
}

#ifndef HT_OLD

/* Functions of the kernel, whose numbers user space puts in: one that is declared as such has to be there, whichever programs are loaded. */
static struct bpf_sock_addr_kern *(*const kern_ctx_of)(void *ctx) = (void *)HT_KFUNC_CAST_TO_KERN_CTX;
static int (*const add_task_work)(struct task_struct *task, struct bpf_task_work *work, void *map, const void *callback,
				  void *unused) = (void *)HT_KFUNC_TASK_WORK;

static const struct ht_unix_call new_call;

/* The task is about to leave the kernel; its system call has answered. */
static int connect_answered(void *map, __u64 *key, struct ht_unix_call *call)
{
	const struct sock *sk = (const struct sock *)call->sock;
	struct task_struct *task = ht_task();
	struct pt_regs *regs = ht_user_regs(task);
	__u64 ts = bpf_ktime_get_ns();
	int ret;

	if (!ht_is_compat(task) && HT_SYSCALL_NR(regs) == HT_NR_CONNECT)
		ret = HT_SYSCALL_RET(regs);
	else /* by io_uring, or of a 32-bit program: why it failed is not known, nor whether it is tried again */
		ret = BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_ESTABLISHED ? 0 : -EINTR;
	if (!ret)
		call->unix_sock.done_ns = ts;
	else if (!unix_goes_on(ret))
		tell_unix_failed(&call->unix_sock, ts, -ret);
	return 0;
}

static __always_inline int on_cgroup_connect(struct bpf_sock_addr *ctx, const int has_work)
{
	__u64 ts = bpf_ktime_get_ns(), cookie;
	struct bpf_sock_addr_kern *kern;
	struct ht_unix_call *call;
	struct ht_unix *u;

	if (ctx->type != SOCK_STREAM || !ht_allowed(bpf_get_current_pid_tgid() >> 32))
		return 1;
	kern = kern_ctx_of(ctx);
	if (kern->sk->__sk_common.skc_state == TCP_ESTABLISHED)
		return 1;
	u = bpf_sk_storage_get(&unix_socks, ctx->sk, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!u) {
		ht_count(HT_CNT_LOST_SCRATCH);
		return 1;
	}
	cookie = bpf_get_socket_cookie(ctx);
	unix_connect_begins(u, cookie, kern->uaddr, kern->uaddrlen, ts);
	if (!has_work)
		return 1;
	bpf_map_update_elem(&unix_calls, &cookie, &new_call, BPF_ANY);
	call = bpf_map_lookup_elem(&unix_calls, &cookie);
	if (!call)
		return 1;
	call->sock = (__u64)kern->sk;
	call->unix_sock = *u;
	add_task_work(bpf_get_current_task_btf(), &call->work, &unix_calls, connect_answered, NULL);
	return 1;
}

/* Attached as cgroup/connect_unix, a name that libbpf 1.1 does not know. Both allow every connect(): 1. */
SEC("cgroup/connect4")
int cg_connect_unix_work(struct bpf_sock_addr *ctx)
{
	return on_cgroup_connect(ctx, 1);
}

SEC("cgroup/connect4")
int cg_connect_unix(struct bpf_sock_addr *ctx)
{
	return on_cgroup_connect(ctx, 0);
}

#endif
