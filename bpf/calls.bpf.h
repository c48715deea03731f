/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * calls.bpf.h - sends and receives heard of by the begin and the end of the kernel's functions, where it has no tracepoints for them.
 *
 * At the begin it is noted where the bytes are: the iterator of the call's msghdr, which is used up at the end. What the kernel's return probes miss
 * (a kretprobe has room for as many callers as max(10, twice the CPUs), before 6.0.17 and 6.1.3 as CPUs, and a reader that waits takes one of them; no
 * program runs inside another one on its CPU) is found out, and told: a thread that begins a call and has another one begun; and a stream whose next
 * byte, by TCP's own numbers, is not the one that comes behind all that was seen.
 */
#ifndef HT_CALLS_BPF_H
#define HT_CALLS_BPF_H

#include "filter.bpf.h"
#include "socks.bpf.h"

/* The kernel's constant (kernel versions differ), or -1. */
#define HT_ITER(name) (bpf_core_enum_value_exists(enum iter_type, name) ? (int)bpf_core_enum_value(enum iter_type, name) : -1)

static __always_inline int ht_iter_type(const struct iov_iter *iter)
{
	const struct iov_iter___type *old = (const void *)iter;

	if (bpf_core_field_exists(iter->iter_type))
		return BPF_CORE_READ(iter, iter_type);
	return BPF_CORE_READ(old, type) & ~1U;
}

static __always_inline __u64 ht_iter_iov(const struct iov_iter *iter)
{
	const struct iov_iter___iov *old = (const void *)iter;

	if (bpf_core_field_exists(iter->__iov))
		return (__u64)BPF_CORE_READ(iter, __iov);
	return (__u64)BPF_CORE_READ(old, iov);
}

/* Sets buf, iov_cnt, via, no_buf. Memory that is not the program's (pages of a file, the kernel's own) is not looked at. */
static __always_inline void ht_call_iter(struct ht_call *call, const struct iov_iter *iter)
{
	__u64 one[2], iov, off = BPF_CORE_READ(iter, iov_offset); /* struct iovec */
	int type = ht_iter_type(iter);
	__u64 cnt;

	call->via = HT_VIA_SYSCALL;
	if (bpf_core_field_exists(iter->ubuf) && type == HT_ITER(ITER_UBUF)) {
		call->buf = (__u64)BPF_CORE_READ(iter, ubuf) + off;
		return;
	}
	if (type != HT_ITER(ITER_IOVEC)) {
		call->via = type == HT_ITER(ITER_BVEC) ? HT_VIA_SENDFILE : HT_VIA_OTHER;
		call->no_buf = 1;
		return;
	}
	iov = ht_iter_iov(iter);
	cnt = BPF_CORE_READ(iter, nr_segs);
	if (cnt == 1 && !bpf_probe_read_kernel(one, sizeof(one), (void *)iov)) {
		call->buf = one[0] + off;
		return;
	}
	call->buf = iov;
	call->iov_cnt = cnt > 1024 ? 1024 : cnt; /* UIO_MAXIOV */
	/* Begun somewhere inside its first part: a call taken up again, by io_uring. */
	call->no_buf = off || !cnt;
}

static __always_inline void ht_call_bytes(struct ht_scratch *sc, const struct ht_call *begun, struct task_struct *task)
{
	sc->buf = begun->buf;
	sc->iov_cnt = begun->iov_cnt;
	sc->no_buf = begun->no_buf;
	sc->via = HT_FIELD(task, flags) & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER) ? HT_VIA_IO_URING : begun->via;
}

/*
 * The number of the next byte to be written, read. Not by HT_FIELD: a typed pointer to a socket is none to a TCP socket. has_fin: the peer has ended its
 * stream; that has a number, which is no byte's, and is the last one received: who has read it (tcp_recvmsg_locked, found_fin_ok) is behind it.
 */
static __always_inline __u32 ht_tcp_seq(const struct sock *sk, const int dir, int has_fin)
{
	const struct tcp_sock *tcp = (const void *)sk;
	__u32 seq;

	if (dir == HT_DIR_TX)
		return BPF_CORE_READ(tcp, write_seq);
	seq = BPF_CORE_READ(tcp, copied_seq);
	if (has_fin && seq == BPF_CORE_READ(tcp, rcv_nxt))
		seq--;
	return seq;
}

/* Bytes of the stream were missed if seq is the number of what comes next: they are counted as passed, and their loss is told. */
static __always_inline void ht_call_gap(struct ht_sock *ss, __u32 seq, const int dir)
{
	struct ht_stream *st = dir == HT_DIR_TX ? &ss->flow.tx : &ss->flow.rx;
	__u32 begin = dir == HT_DIR_TX ? ss->tx_seq : ss->rx_seq;
	__s32 missed = seq - begin - (__u32)st->off;

	if (missed <= 0)
		return;
	st->off += missed;
	if (ss->flow.quiet)
		return; /* nothing of it would have been told */
	st->mode = HT_MODE_CLOSE;
	__sync_fetch_and_add(&ss->flow.lost, 1);
}

/* A new connection on the socket. */
static __always_inline void ht_call_begin_seqs(struct ht_sock *ss)
{
	ss->has_tx_seq = 0;
	ss->has_rx_seq = 0;
}

/* At the end of a call: whether anything was missed before it. */
static __always_inline void ht_call_check(const struct ht_call *begun, struct ht_sock *ss, const int dir)
{
	if (!begun->has_seq)
		return;
	if (dir == HT_DIR_TX) {
		if (ss->has_tx_seq) {
			ht_call_gap(ss, begun->seq, dir);
		} else {
			ss->tx_seq = begun->seq - (__u32)ss->flow.tx.off;
			ss->has_tx_seq = 1;
		}
	} else if (ss->has_rx_seq) {
		ht_call_gap(ss, begun->seq, dir);
	} else {
		ss->rx_seq = begun->seq - (__u32)ss->flow.rx.off;
		ss->has_rx_seq = 1;
	}
}

/* The same where only the end of a receive is heard of, of cnt bytes: splice takes them out as well, and is not heard of. */
static __always_inline void ht_call_check_end(const struct sock *sk, struct ht_sock *ss, __u32 cnt)
{
	__u8 state = HT_FIELD(sk, __sk_common.skc_state);
	int has_fin = state != TCP_ESTABLISHED && state != TCP_FIN_WAIT1 && state != TCP_FIN_WAIT2;
	__u32 seq = ht_tcp_seq(sk, HT_DIR_RX, has_fin) - cnt;

	if (ss->has_rx_seq) {
		ht_call_gap(ss, seq, HT_DIR_RX);
	} else {
		ss->rx_seq = seq - (__u32)ss->flow.rx.off;
		ss->has_rx_seq = 1;
	}
}

/*
 * A connection stands: its numbers are known from here on (tcp_rcv_synsent_state_process has set copied_seq). It is closed by the program: the last chance
 * to find out.
 */
static __always_inline void ht_call_check_state(const struct sock *sk, struct ht_sock *ss, int new_state)
{
	if (new_state == TCP_ESTABLISHED) {
		ss->tx_seq = ht_tcp_seq(sk, HT_DIR_TX, 0) - (__u32)ss->flow.tx.off;
		ss->rx_seq = ht_tcp_seq(sk, HT_DIR_RX, 0) - (__u32)ss->flow.rx.off;
		ss->has_tx_seq = ss->has_rx_seq = 1;
	} else if (new_state == TCP_FIN_WAIT1 || new_state == TCP_LAST_ACK) {
		if (ss->has_tx_seq)
			ht_call_gap(ss, ht_tcp_seq(sk, HT_DIR_TX, 0), HT_DIR_TX);
		if (ss->has_rx_seq)
			ht_call_gap(ss, ht_tcp_seq(sk, HT_DIR_RX, new_state == TCP_LAST_ACK), HT_DIR_RX);
	}
}

/* The thread's former call has not ended, as far as was seen. Calls begun while programs were being attached do not count. */
static __always_inline void ht_call_missed(const struct ht_call *former)
{
	__u64 zero = 0;
	struct ht_call *ready = bpf_map_lookup_elem(&calls, &zero);

	if (ready && former->start_ns >= ready->start_ns)
		ht_count(HT_CNT_CALL_MISSED);
#ifdef HT_UNTYPED
	{
		/* Nothing counts the bytes of a Unix socket but we: how many passed is not known, and so neither what the next ones are. */
		struct ht_sock *ss = ht_sock_find((const struct sock *)former->sock);

		if (ss && ss->is_unix) {
			__sync_fetch_and_add(&ss->flow.lost, 1);
			ss->flow.quiet = 1;
		}
	}
#endif
}

/* A call begins. msg: NULL where there is none. */
static __always_inline int ht_call_begin(const struct sock *sk, const struct msghdr *msg, __u32 flags, const int dir, const int is_tcp_sock)
{
	__u64 who = bpf_get_current_pid_tgid();
	struct ht_call call = { .sock = (__u64)sk, .flags = flags, .dir = dir }, *former;
	struct ht_sock *ss = ht_sock_find(sk);
	__u8 state;

	if (!ss && !ht_allowed(who >> 32))
		return 0;
	call.start_ns = bpf_ktime_get_ns();
	if (ss && ss->role == HT_ROLE_IGNORED) {
		call.no_buf = 1;
	} else {
		if (msg) {
			ht_call_iter(&call, &msg->msg_iter);
		} else {
			call.via = HT_VIA_SENDFILE;
			call.no_buf = 1;
		}
		state = is_tcp_sock ? BPF_CORE_READ(sk, __sk_common.skc_state) : TCP_CLOSE;
		if (state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT) {
			call.seq = ht_tcp_seq(sk, dir, state == TCP_CLOSE_WAIT);
			call.has_seq = 1;
		}
	}
	former = bpf_map_lookup_elem(&calls, &who);
	if (former)
		ht_call_missed(former);
	if (bpf_map_update_elem(&calls, &who, &call, BPF_ANY))
		ht_count(HT_CNT_CALL_MISSED);
	return 0;
}

/* A call ends: takes what was noted at its begin into *call. 0, or -1: nothing was, 1: something else was. */
static __always_inline int ht_call_take(struct ht_call *call, const int dir)
{
	__u64 who = bpf_get_current_pid_tgid();
	struct ht_call *begun = bpf_map_lookup_elem(&calls, &who);

	if (!begun)
		return -1;
	*call = *begun;
	bpf_map_delete_elem(&calls, &who);
	if (call->dir == dir)
		return 0;
	ht_call_missed(call);
	return 1;
}

/* The same where the begin of every call is noted: without it the end counts as missed. */
static __always_inline int ht_call_end(struct ht_call *call, const int dir)
{
	int err = ht_call_take(call, dir);

	if (err < 0 && ht_allowed(bpf_get_current_pid_tgid() >> 32))
		ht_count(HT_CNT_CALL_MISSED);
	return err;
}

/* A thread has ended. */
static __always_inline void ht_call_forget(void)
{
	__u64 who = bpf_get_current_pid_tgid();
	struct ht_call *former = bpf_map_lookup_elem(&calls, &who);

	if (!former)
		return;
	ht_call_missed(former);
	bpf_map_delete_elem(&calls, &who);
}

#endif
