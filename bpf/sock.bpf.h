/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sock.bpf.h - TCP sockets: life (states, errors, resets); theirs and Unix sockets' sends and receives, and which TLS object they serve.
 *
 * In: what sock_*.bpf.c hear of the kernel. Out: HT_REC_SOCK_*, HT_REC_DATA, HT_REC_TLS (bindings). State lives in socket storage and is freed with
 * the socket. Client or server: a client's socket passes SYN_SENT; one older than the tracer is judged by its first bytes, or by
 * the TLS object that uses it. Servers' sockets are silent. The bodies are inline functions of (sk, ...), shared by the programs of
 * every way in.
 */
#ifndef HT_SOCK_BPF_H
#define HT_SOCK_BPF_H

#include "calls.bpf.h"
#include "filter.bpf.h"
#include "payload.bpf.h"
#include "scratch.bpf.h"
#include "syscall.bpf.h"
#include "tls.bpf.h"
#include "unix.bpf.h"

static __always_inline int is_tcp(const struct sock *sk)
{
	__u16 family = HT_FIELD(sk, __sk_common.skc_family);

	return HT_FIELD(sk, sk_protocol) == IPPROTO_TCP && (family == AF_INET || family == AF_INET6);
}

static __always_inline void set_addr(struct ht_addr *a, const struct sock *sk, int local)
{
	const struct in6_addr *v6 = local ? &sk->__sk_common.skc_v6_rcv_saddr : &sk->__sk_common.skc_v6_daddr;
	__u32 *to = (__u32 *)a->addr;
	__u32 w0, w1, w2, w3;

	a->port = local ? HT_FIELD(sk, __sk_common.skc_num) : __builtin_bswap16(HT_FIELD(sk, __sk_common.skc_dport));
	a->scope_id = 0;
	to[1] = to[2] = to[3] = 0;
	if (HT_FIELD(sk, __sk_common.skc_family) == AF_INET) {
		a->family = HT_AF_INET;
		to[0] = local ? HT_FIELD(sk, __sk_common.skc_rcv_saddr) : HT_FIELD(sk, __sk_common.skc_daddr);
		return;
	}
	w0 = HT_FIELD(v6, in6_u.u6_addr32[0]);
	w1 = HT_FIELD(v6, in6_u.u6_addr32[1]);
	w2 = HT_FIELD(v6, in6_u.u6_addr32[2]);
	w3 = HT_FIELD(v6, in6_u.u6_addr32[3]);
	if (!w0 && !w1 && w2 == __builtin_bswap32(0xffff)) {
		a->family = HT_AF_INET;
		to[0] = w3;
		return;
	}
	a->family = HT_AF_INET6;
	to[0] = w0;
	to[1] = w1;
	to[2] = w2;
	to[3] = w3;
	if ((w0 & __builtin_bswap32(0xffc00000)) == __builtin_bswap32(0xfe800000))
		a->scope_id = HT_FIELD(sk, __sk_common.skc_bound_dev_if);
}

static __noinline int tell_state(const struct sock *sk, struct ht_sock *ss, __u64 ts, int old_state, int new_state)
{
	struct ht_rec_sock_state *rec;

	ss->told = 1;
	rec = ht_sock_record(ss, ts, sizeof(*rec), HT_REC_SOCK_STATE, 0);
	if (!rec)
		return 0;
	rec->cookie = ss->cookie;
	rec->tx_bytes = ss->flow.tx.off;
	rec->rx_bytes = ss->flow.rx.off;
	set_addr(&rec->local, sk, 1);
	set_addr(&rec->remote, sk, 0);
	rec->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	rec->err = HT_FIELD(sk, sk_err);
	rec->old_state = old_state;
	rec->new_state = new_state;
	__builtin_memset(rec->pad, 0, sizeof(rec->pad));
	ht_submit(rec, ht_wake(sizeof(*rec)));
	return 0;
}

static __noinline int tell_event(struct ht_sock *ss, __u64 ts, __u16 kind, __s32 err)
{
	struct ht_rec_sock_event *rec;

	rec = ht_sock_record(ss, ts, sizeof(*rec), kind, 0);
	if (!rec)
		return 0;
	rec->cookie = ss->cookie;
	rec->err = err;
	rec->pad = 0;
	ht_submit(rec, ht_wake(sizeof(*rec)));
	return 0;
}

/* A call that moved no bytes: end of the peer's stream, or failure. */
static __noinline int tell_end(struct ht_sock *ss, __u64 ts, __u8 dir, __s32 err)
{
	struct ht_rec_data *rec;

	rec = ht_sock_record(ss, ts, sizeof(*rec), HT_REC_DATA, err ? HT_F_FAILED : HT_F_EOF);
	if (!rec)
		return 0;
	rec->cookie = ss->cookie;
	rec->tls_id = 0;
	rec->off = dir == HT_DIR_TX ? ss->flow.tx.off : ss->flow.rx.off;
	rec->start_ns = dir == HT_DIR_TX ? ss->send_start_ns : 0;
	rec->arrival_ns = 0;
	rec->orig_len = 0;
	rec->captured_len = 0;
	rec->err = err;
	rec->dir = dir;
	rec->via = HT_VIA_SYSCALL;
	rec->stream = ss->flow.kind;
	rec->pad = 0;
	ht_submit(rec, ht_wake(sizeof(*rec)));
	return 0;
}

/* A client's socket that user space has not heard of. */
static __always_inline void tell_client(const struct sock *sk, struct ht_sock *ss, __u64 ts)
{
	if (is_unix_sock(ss))
		tell_unix(sk, ss, ts);
	else
		tell_state(sk, ss, ts, TCP_ESTABLISHED, TCP_ESTABLISHED);
}

/* ---- life ---- */

static __always_inline int on_state(const struct sock *sk, int old_state, int new_state)
{
	struct task_struct *task;
	struct ht_sock *ss;
	__u64 ts;

	if (!is_tcp(sk))
		return 0;
	ts = bpf_ktime_get_ns();
	if (old_state == TCP_CLOSE && new_state == TCP_SYN_SENT) {
		/* Runs in connect(), in the client's task; the same socket may come here again after a failure. */
		task = ht_task();
		if ((HT_FIELD(task, flags) & PF_KTHREAD) || !ht_allowed(HT_FIELD(task, tgid)))
			return 0;
		ss = ht_sock_get(sk);
		if (!ss) {
			ht_count(HT_CNT_LOST_SCRATCH);
			return 0;
		}
		__builtin_memset(&ss->flow, 0, sizeof(ss->flow));
		ht_sock_name(ss, sk);
		ss->owner = HT_FIELD(task, tgid);
		ss->file = (__u64)BPF_CORE_READ(sk, sk_socket, file);
		ss->role = HT_ROLE_CLIENT;
		ss->connect_ns = 0;
		ss->send_start_ns = 0;
		ss->again_ok = 0;
		ss->old = 0;
		ht_call_begin_seqs(ss);
		tell_state(sk, ss, ts, old_state, new_state);
		return 0;
	}
	if (old_state == TCP_SYN_RECV && new_state == TCP_ESTABLISHED) {
		/* An accepted socket. With a filter not worth the storage: most belong to others. */
		if (ht_config.flags & HT_CFG_FILTERED)
			return 0;
		ss = ht_sock_get(sk);
		if (ss) {
			ss->role = HT_ROLE_IGNORED;
			ht_count(HT_CNT_SOCK_SERVER);
		}
		return 0;
	}
	ss = ht_sock_find(sk);
	if (!ss || !ss->told || ss->role != HT_ROLE_CLIENT)
		return 0;
	if (new_state == TCP_FIN_WAIT2 || new_state == TCP_TIME_WAIT || new_state == TCP_CLOSING)
		return 0;
	ht_call_check_state(sk, ss, new_state);
	tell_state(sk, ss, ts, old_state, new_state);
	return 0;
}

static __always_inline int on_error(const struct sock *sk, __u16 kind)
{
	struct ht_sock *ss;
	__s32 err;
	__u64 ts;

	if (!is_tcp(sk))
		return 0;
	ss = ht_sock_find(sk);
	if (!ss || !ss->told || ss->role != HT_ROLE_CLIENT)
		return 0;
	ts = bpf_ktime_get_ns();
	err = kind == HT_REC_SOCK_ERROR ? HT_FIELD(sk, sk_err) : 0;
	/* Errors are reported once more after they have been fetched, as 0. */
	if (err || kind != HT_REC_SOCK_ERROR)
		tell_event(ss, ts, kind, err);
	return 0;
}

/* ---- when a send began ---- */

static __always_inline int on_send_begin(const struct sock *sk)
{
	struct ht_sock *ss = ht_sock_find(sk);

	/* Once per segment that is allocated: the first counts. Of a stream that is not told nobody asks. */
	if (ss && ss->role != HT_ROLE_IGNORED && !ss->flow.quiet && !ss->send_start_ns)
		ss->send_start_ns = bpf_ktime_get_ns();
	return 0;
}

/* ---- sends and receives ---- */

/* The TLS call on whose behalf this socket call runs: bind its object to the socket, and tell each the other's role. */
static __noinline int bind_nested(const struct sock *sk, struct ht_sock *ss, struct ht_tls_call *call, __u64 ts, int is_hello)
{
	struct ht_tls_key key = { .object = call->object, .tgid = bpf_get_current_pid_tgid() >> 32 };
	struct ht_tls *o = bpf_map_lookup_elem(&tls_objects, &key);

	if (!o)
		return 0;
	if (ss->role == HT_ROLE_IGNORED)
		o->role = HT_ROLE_IGNORED;
	if (o->role == HT_ROLE_IGNORED) {
		call->ignored = 1;
		return 0;
	}
	if (o->role == HT_ROLE_CLIENT && ss->role == HT_ROLE_UNKNOWN) {
		ss->role = HT_ROLE_CLIENT;
		ss->flow.kind = HT_STREAM_TLS;
		ss->flow.quiet = 1;
	}
	if (ss->role != HT_ROLE_CLIENT)
		return 0; /* neither knows */
	if (!ss->told)
		tell_client(sk, ss, ts);
	if (is_hello && o->hs >= HT_HS_DONE && o->cookie != ss->cookie) {
		/* A new connection on an address that had one before: its end went unseen. */
		__builtin_memset(o, 0, sizeof(*o));
		o->id = ht_next_id();
	}
	if (o->cookie != ss->cookie || o->evidence < HT_BIND_NESTED) {
		o->cookie = ss->cookie;
		o->evidence = HT_BIND_NESTED;
		o->bind_told = HT_BIND_NONE;
	}
	if (is_hello && o->hs == HT_HS_NONE) {
		o->hs = HT_HS_STARTED;
		o->hs_start_ns = call->start_ns;
	}
	ht_tls_client(o, call->object, ts);
	call->cookie = ss->cookie;
	return 0;
}

/* Fills the call's part of a slot and sends the bytes. 1: the socket is given up, ss is not to be used any more. */
static __always_inline int on_bytes(const struct sock *sk, struct ht_sock *ss, struct task_struct *task, struct files_struct *files,
				    const struct ht_call *begun, struct ht_tls_call *call, __u64 ts, __u32 cnt, const int dir, int no_buf,
				    const int has_memory)
{
	struct ht_stream *st = dir == HT_DIR_TX ? &ss->flow.tx : &ss->flow.rx;
	int says = HT_SAYS_NOTHING;
	struct ht_scratch *sc;

	sc = ht_scratch_take();
	if (!sc) {
		st->off += cnt;
		st->mode = HT_MODE_CLOSE;
		__sync_fetch_and_add(&ss->flow.lost, 1);
		return 0;
	}
	sc->ts_ns = ts;
	sc->start_ns = dir == HT_DIR_TX ? ss->send_start_ns : 0;
	sc->cookie = ss->cookie;
	sc->tls_id = 0;
	sc->total = cnt;
	sc->tgid = ss->owner;
	sc->tid = 0;
	sc->flags = HT_F_FOREIGN;
	if ((__u32)HT_FIELD(task, tgid) == ss->owner) {
		sc->tid = HT_FIELD(task, pid);
		sc->flags = HT_FIELD(task, flags) & PF_EXITING ? HT_F_EXITING : 0;
	}
	sc->dir = dir;
	sc->strict = ss->role == HT_ROLE_CLIENT;
	sc->is_client = sc->strict;
	sc->pos = 0;
	if (begun)
		ht_call_bytes(sc, begun, task);
	else
		ht_find_bytes(sc, task, files, ss->file);
	if (no_buf)
		sc->no_buf = 1;
	if (has_memory && ht_is_undecided(&ss->flow)) {
		says = ht_decide(sc, &ss->flow, st);
		if (!sc->strict) {
			if (says == HT_SAYS_SERVER || (says == HT_SAYS_NOTHING && ss->flow.undecided >= HT_UNDECIDED_MAX)) {
				ss->role = HT_ROLE_IGNORED;
				ht_count(says == HT_SAYS_SERVER ? HT_CNT_SOCK_SERVER : HT_CNT_SOCK_OTHER);
			} else if (says != HT_SAYS_NOTHING) {
				ss->role = HT_ROLE_CLIENT;
				tell_client(sk, ss, ts);
			}
		}
	}
	if (call && !call->ignored)
		bind_nested(sk, ss, call, ts, says == HT_SAYS_HELLO);
	if (is_unix_sock(ss) && !ss->told) {
		if (ss->role == HT_ROLE_IGNORED || ss->flow.kind == HT_STREAM_OTHER ||
		    (ss->role == HT_ROLE_CLIENT && ss->flow.kind == HT_STREAM_UNKNOWN && sc->no_buf)) {
			ht_scratch_give(sc);
			unix_ignore(sk);
			return 1;
		}
		if (ss->role == HT_ROLE_CLIENT)
			tell_unix(sk, ss, ts);
	}
	if (ss->role == HT_ROLE_CLIENT && has_memory)
		ht_deliver(sc, &ss->flow, st);
	else if (ss->role == HT_ROLE_CLIENT)
		ht_deliver_unread(sc, &ss->flow, st);
	else
		st->off += cnt;
	ht_scratch_give(sc);
	return 0;
}

/* What becomes either EINTR or another try of the same call (include/linux/errno.h). */
static __always_inline int is_restart(int ret)
{
	return ret <= -ERESTARTSYS && ret >= -ERESTART_LAST;
}

/* The end of a write whose return is not probed (openssl.bpf.c: can_be_quick), as its send tells. */
static __noinline int quick_sent(struct ht_tls_call *call, __u64 ts, int ret)
{
	struct ht_tls_key key = { .object = call->object, .tgid = bpf_get_current_pid_tgid() >> 32 };
	struct ht_tls *o;

	if (ret > 0 && call->sent_bytes < call->len + HT_QUICK_ADDED_MIN)
		return 0; /* a part, or a key update before it: more is to come */
	o = bpf_map_lookup_elem(&tls_objects, &key);
	if (o && is_restart(ret)) {
		o->pending = HT_PENDING_SIGNAL;
		return 0;
	}
	call->sp = 0;
	if (!o || (o->pending != HT_PENDING_BEGUN && o->pending != HT_PENDING_SIGNAL))
		return 0;
	if (ret > 0 && call->sent_bytes <= call->len + HT_QUICK_ADDED_MAX) {
		o->pending = HT_PENDING_NONE;
		ht_tls_plaintext(o, call, ts, call->len, 1);
	} else if (ret > 0) {
		ht_tls_pending_lost(o);
	} else {
		o->pending = HT_PENDING_AGAIN;
	}
	return 0;
}

/*
 * The TLS call on whose behalf a transfer runs, or NULL. A quick write's frame stays when the write sent nothing: it speaks of sends on
 * its socket, and of nothing else.
 */
static __always_inline struct ht_tls_call *nesting_call(struct task_struct *task, const struct ht_sock *ss, int ret, const int dir)
{
	struct ht_tls_call *call;

	if (ss->flow.kind == HT_STREAM_HTTP1 || ss->flow.kind == HT_STREAM_HTTP2)
		return NULL;
	call = ht_tls_running(task, ht_user_sp(task));
	if (!call)
		return NULL;
	if (HT_IS_QUICK(call))
		return dir == HT_DIR_TX && call->cookie == ss->cookie ? call : NULL;
	if (dir == HT_DIR_RX)
		call->nest = ret > 0 ? HT_NEST_DATA : ret == 0 ? HT_NEST_EOF : ret == -EAGAIN ? HT_NEST_AGAIN : call->nest;
	return call;
}

/* Bytes of a stream of which nothing is told any more, nearly always TLS past its hellos: they count, and they are what a TLS call moved. */
static __always_inline void on_quiet(const struct sock *sk, struct ht_sock *ss, struct ht_tls_call *call, int ret, const int dir)
{
	if (dir == HT_DIR_TX) {
		ss->flow.tx.off += ret;
	} else {
		ss->flow.rx.off += ret;
		ss->again_ok = 1;
	}
	if (!call || call->ignored)
		return;
	if (call->cookie != ss->cookie) {
		bind_nested(sk, ss, call, bpf_ktime_get_ns(), 0);
	} else if (dir == HT_DIR_TX) {
		call->sent_bytes += ret;
		if (HT_IS_QUICK(call))
			quick_sent(call, bpf_ktime_get_ns(), ret);
	}
}

/* A transfer that moved nothing. A receive into no room answers 0 as the end does, but only where there is something to be received. */
static __always_inline void on_nothing(const struct sock *sk, struct ht_sock *ss, __u64 ts, int ret, const int dir)
{
	if (ss->role != HT_ROLE_CLIENT || ss->flow.kind == HT_STREAM_OTHER)
		return;
	if (ret == 0) {
		if (dir == HT_DIR_RX && !HT_FIELD(sk, sk_receive_queue.qlen))
			tell_end(ss, ts, dir, 0);
	} else if (ret == -EAGAIN) {
		if (dir == HT_DIR_RX && ss->again_ok) {
			ss->again_ok = 0;
			tell_event(ss, ts, HT_REC_SOCK_AGAIN, 0);
		}
	} else if (ret != -EINTR && ret != -EINPROGRESS && ret != -EALREADY && ret != -ENOTCONN && !is_restart(ret)) {
		tell_end(ss, ts, dir, -ret);
	}
	if (dir == HT_DIR_TX)
		ss->send_start_ns = 0;
}

/* Which sockets a program hears of. */
#define HT_TCP   1
#define HT_UNIX  2
/* ... and what is sent are files' pages, in no memory of the program. */
#define HT_PAGES 4

/* begun: the call when it began, where that is known; NULL: it is not, and the bytes are found by the system call. */
static __always_inline int on_transfer(const struct sock *sk, int ret, int flags, const int dir, const struct ht_call *begun,
				       const int families)
{
	struct files_struct *files = NULL;
	struct ht_tls_call *call;
	struct task_struct *task;
	struct ht_sock *ss;
	__u32 tgid;
	__u64 ts;

	if (flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE))
		return 0;
	if (!(families & HT_TCP) || !is_tcp(sk)) {
		if (!(families & HT_UNIX) || !unix_wants(sk, ret))
			return 0;
	}
	task = ht_task();
	tgid = HT_FIELD(task, tgid);
	ss = ht_sock_find(sk);
	if (begun && ss)
		ht_call_check(begun, ss, dir);
	if (ss && ss->role == HT_ROLE_IGNORED) {
		call = nesting_call(task, ss, ret, dir);
		if (call && !call->ignored)
			bind_nested(sk, ss, call, bpf_ktime_get_ns(), 0);
		return 0;
	}
	if (ss && ret > 0 && ss->flow.quiet && ss->owner == tgid) {
		on_quiet(sk, ss, nesting_call(task, ss, ret, dir), ret, dir);
		return 0;
	}
	ts = bpf_ktime_get_ns();
	if (!begun)
		files = ht_files(task);
	if (!ss) {
		if (ret <= 0 || (HT_FIELD(task, flags) & PF_KTHREAD) || !ht_allowed(tgid))
			return 0;
		ss = ht_sock_get(sk);
		if (!ss) {
			ht_count(HT_CNT_LOST_SCRATCH);
			return 0;
		}
		ht_sock_name(ss, sk);
		ss->owner = tgid;
		ss->file = (__u64)BPF_CORE_READ(sk, sk_socket, file);
		ss->old = 1;
	}
	if (begun && dir == HT_DIR_TX)
		ss->send_start_ns = begun->start_ns;
	call = nesting_call(task, ss, ret, dir);
	if (ss->owner != tgid && dir == HT_DIR_TX && ht_allowed(tgid))
		ss->owner = tgid; /* handed on by fork or over a socket */
	if (ret <= 0) {
		if (call && HT_IS_QUICK(call))
			quick_sent(call, ts, ret);
		on_nothing(sk, ss, ts, ret, dir);
		if (families & HT_UNIX && is_unix_sock(ss) && (!ret || ret == -EPIPE || ret == -ECONNRESET))
			unix_server_ended(sk, ss, ts);
	} else if (ss->flow.quiet) {
		on_quiet(sk, ss, call, ret, dir);
	} else {
		if (dir == HT_DIR_RX) {
			ss->again_ok = 1;
			if (families & HT_TCP && !begun && !is_unix_sock(ss))
				ht_call_check_end(sk, ss, ret);
		}
		if (on_bytes(sk, ss, task, files, begun, call, ts, ret, dir, flags & MSG_TRUNC || ss->owner != tgid,
			     !(families & HT_PAGES)))
			return 0;
		if (dir == HT_DIR_TX)
			ss->send_start_ns = 0;
	}
	return 0;
}

/*
 * Each argument read from the context by itself: the compiler would choose between two addresses in the context, which the verifier refuses.
 */
#define ARG(value)                           \
	({                                   \
		__u64 a_ = (value);          \
		asm volatile("" : "+r"(a_)); \
		a_;                          \
	})

/*
 * tcp_recvmsg(sk, msg, len, flags, addr_len): with `nonblock` before the flags until ec095263a965 (5.19); the newest have no addr_len.
 */
#define HT_RECVMSG_FLAGS(fourth, fifth) (ht_config.recvmsg_params == 6 ? ARG(fifth) : ARG(fourth))

/* A call heard of at its begin ends. */
static __always_inline int on_call_end(const struct sock *sk, int ret, const int dir, const int families)
{
	struct ht_call call;

	return ht_call_end(&call, dir) ? 0 : on_transfer(sk, ret, call.flags, dir, &call, families);
}

/* Where the end does not tell which socket it is. */
static __always_inline int on_call_return(int ret, const int dir, const int families)
{
	struct ht_call call;

	return ht_call_end(&call, dir) ? 0 : on_transfer((const struct sock *)call.sock, ret, call.flags, dir, &call, families);
}

/* The same of a Unix socket. */
static __always_inline int on_unix_call_end(const struct sock *sk, int ret, const int dir, const int families)
{
	struct ht_call call;

	return ht_call_take(&call, dir) || (const struct sock *)call.sock != sk ? 0
										: on_transfer(sk, ret, call.flags, dir, &call, families);
}

static __always_inline int on_unix_call_return(int ret, const int dir, const int families)
{
	struct ht_call call;

	return ht_call_take(&call, dir) ? 0 : on_transfer((const struct sock *)call.sock, ret, call.flags, dir, &call, families);
}

#endif
