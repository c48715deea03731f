/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * unix.bpf.h - Unix stream sockets: which of them are worth a look, their connect() and their end.
 *
 * In: what unix_*.bpf.c hear of connects and closes, sock_*.bpf.c of sends and receives. Out: HT_REC_UNIX_CONNECT, and HT_REC_SOCK_STATE for the end.
 * Most Unix sockets carry something else (D-Bus, X11, a journal): each has a small state (struct ht_unix) that says so after its first bytes, and nothing is
 * told of it. One whose first bytes are a client's, of HTTP or TLS, gets what a TCP socket has (struct ht_sock), and is told of right before them.
 * Client or server: who connects is the client. Of one older than we its first bytes tell; one that has a name is a server's, as clients do not bind.
 */
#ifndef HT_UNIX_BPF_H
#define HT_UNIX_BPF_H

#include "calls.bpf.h"
#include "filter.bpf.h"
#include "socks.bpf.h"

static __always_inline int ht_is_unix(const struct sock *sk)
{
	return HT_FIELD(sk, __sk_common.skc_family) == AF_UNIX && HT_FIELD(sk, sk_type) == SOCK_STREAM;
}

/* The verifier does not look at what comes of it where Unix sockets are not followed, and tables and types are missing. */
static __always_inline int is_unix_sock(const struct ht_sock *ss)
{
	return (ht_config.flags & HT_CFG_UNIX) && ss->is_unix;
}

/* ---- names ---- */

/* From a struct sockaddr_un in the kernel's memory, of len bytes. */
static __always_inline void unix_path(struct ht_unix *u, const void *address, __u64 len)
{
	const char *path = (const char *)address + 2; /* sun_path */
	char first = 0;
	long n = 0;

	__builtin_memset(u->path, 0, sizeof(u->path));
	asm volatile("" : "+r"(len));
	if (len > 2 && !bpf_probe_read_kernel(&first, 1, path)) {
		len -= 2;
		if (len > HT_UNIX_PATH_MAX)
			len = HT_UNIX_PATH_MAX;
		if (first) /* ends with its first NUL, or with len */
			n = bpf_probe_read_kernel_str(u->path, len + 1, path) - 1;
		else if (!bpf_probe_read_kernel(u->path, len, path))
			n = len;
	}
	u->path_len = n > 0 ? n : 0;
}

/* As the other side was bound. */
static __always_inline void unix_peer_path(const struct sock *sk, struct ht_unix *u)
{
	const struct unix_sock *peer = (const void *)BPF_CORE_READ((const struct unix_sock *)sk, peer);
	const struct unix_address *address;

	address = peer ? BPF_CORE_READ(peer, addr) : NULL;
	if (address)
		unix_path(u, address->name, BPF_CORE_READ(address, len));
}

/* ---- records ---- */

static __noinline int tell_unix(const struct sock *sk, struct ht_sock *ss, __u64 ts)
{
	struct ht_rec_unix_connect *rec;
	struct ht_unix *u = ht_unix_find(sk);

	ss->told = 1;
	if (!u)
		return 0;
	if (!u->start_ns)
		unix_peer_path(sk, u);
#ifndef HT_UNTYPED
	if (ht_config.flags & HT_CFG_UNIX_WORK) {
		struct ht_unix_call *call = bpf_map_lookup_elem(&unix_calls, &ss->cookie);

		if (call)
			u->done_ns = call->unix_sock.done_ns;
	}
	if (ht_config.flags & HT_CFG_UNIX_PEERS) {
		struct ht_unix_client client = { .cookie = ss->cookie, .owner = ss->owner };
		__u64 key = (__u64)sk;

		bpf_map_update_elem(&unix_clients, &key, &client, BPF_ANY);
	}
#endif
	rec = ht_sock_record(ss, ts, sizeof(*rec), HT_REC_UNIX_CONNECT, 0);
	if (!rec)
		return 0;
	rec->cookie = ss->cookie;
	rec->start_ns = u->start_ns;
	rec->done_ns = u->done_ns;
	rec->err = 0;
	rec->path_len = u->path_len;
	rec->pad[0] = rec->pad[1] = 0;
	__builtin_memcpy(rec->path, u->path, sizeof(rec->path));
	ht_submit(rec, ht_wake(sizeof(*rec)));
	return 0;
}

/* A connect() has failed, in the task that called it. */
static __noinline int tell_unix_failed(struct ht_unix *u, __u64 ts, int err)
{
	__u64 who = bpf_get_current_pid_tgid(), seq;
	struct ht_rec_unix_connect *rec;

	rec = ht_reserve(sizeof(*rec), &seq, NULL);
	if (!rec)
		return 0;
	ht_hdr_init(&rec->hdr, sizeof(*rec), HT_REC_UNIX_CONNECT, 0, ts, seq, who >> 32, who);
	rec->cookie = u->cookie;
	rec->start_ns = u->start_ns;
	rec->done_ns = ts;
	rec->err = err;
	rec->path_len = u->path_len;
	rec->pad[0] = rec->pad[1] = 0;
	__builtin_memcpy(rec->path, u->path, sizeof(rec->path));
	ht_submit(rec, ht_wake(sizeof(*rec)));
	return 0;
}

/* The states as a TCP socket would have them. */
static __always_inline void unix_state(struct ht_rec_sock_state *rec, __u64 cookie, int is_server_first)
{
	rec->cookie = cookie;
	rec->tx_bytes = rec->rx_bytes = 0;
	__builtin_memset(&rec->local, 0, sizeof(rec->local));
	__builtin_memset(&rec->remote, 0, sizeof(rec->remote));
	rec->netns = 0;
	rec->err = 0;
	rec->old_state = is_server_first ? TCP_CLOSE_WAIT : TCP_ESTABLISHED;
	rec->new_state = is_server_first ? TCP_LAST_ACK : TCP_FIN_WAIT1;
	__builtin_memset(rec->pad, 0, sizeof(rec->pad));
}

static __noinline int tell_unix_end(struct ht_sock *ss, __u64 ts, int is_server_first)
{
	struct ht_rec_sock_state *rec = ht_sock_record(ss, ts, sizeof(*rec), HT_REC_SOCK_STATE, 0);

	if (!rec)
		return 0;
	unix_state(rec, ss->cookie, is_server_first);
	rec->tx_bytes = ss->flow.tx.off;
	rec->rx_bytes = ss->flow.rx.off;
	ht_submit(rec, ht_wake(sizeof(*rec)));
	return 0;
}

/* Whether the other side has been closed (unix_release_sock sets the state; a shutdown does not). */
static __always_inline int unix_peer_is_closed(const struct sock *sk)
{
	const struct sock *peer = BPF_CORE_READ((const struct unix_sock *)sk, peer);

	return peer && BPF_CORE_READ(peer, __sk_common.skc_state) == TCP_CLOSE;
}

/* ---- connect ---- */

/* A connect() on a socket begins. */
static __always_inline void unix_connect_begins(struct ht_unix *u, __u64 cookie, const void *address, __u64 len, __u64 ts)
{
	__u64 who = bpf_get_current_pid_tgid();

	u->cookie = cookie;
	u->start_ns = ts;
	u->done_ns = 0;
	u->tid = who;
	u->role = HT_ROLE_CLIENT;
	unix_path(u, address, len);
}

/* A connect() that answered ret is over without having failed: it is called again, or there was nothing to do. */
static __always_inline int unix_goes_on(int ret)
{
	return ret >= 0 || ret == -EINTR || ret == -EISCONN || ret == -EALREADY || ret == -EINPROGRESS ||
	       (ret <= -ERESTARTSYS && ret >= -ERESTART_LAST);
}

static __always_inline int on_unix_connect(const struct sock *sk, const void *address, __u64 len)
{
	__u64 ts = bpf_ktime_get_ns();
	struct ht_unix *u;

	if (!ht_is_unix(sk) || !ht_allowed(bpf_get_current_pid_tgid() >> 32) || HT_FIELD(sk, __sk_common.skc_state) == TCP_ESTABLISHED)
		return 0;
	u = ht_unix_get(sk);
	if (!u) {
		ht_count(HT_CNT_LOST_SCRATCH);
		return 0;
	}
	unix_connect_begins(u, ht_unix_name(u, sk), address, len, ts);
	return 0;
}

static __always_inline int on_unix_connected(const struct sock *sk, int ret)
{
	__u64 ts = bpf_ktime_get_ns();
	struct ht_unix *u = ht_unix_find(sk);

	if (!u || !u->start_ns || u->done_ns || u->tid != (__u32)bpf_get_current_pid_tgid())
		return 0;
	if (!ret) {
		u->done_ns = ts;
	} else if (!unix_goes_on(ret)) {
		tell_unix_failed(u, ts, -ret);
		u->start_ns = 0;
		u->role = HT_ROLE_UNKNOWN;
	}
	return 0;
}

/* ---- end ---- */

/* The program's last descriptor of a Unix socket is gone. */
static __always_inline int on_unix_release(const struct sock *sk)
{
	struct ht_sock *ss;

	if (!sk || !ht_is_unix(sk))
		return 0;
	ss = ht_sock_find(sk);
	if (ss && ss->told)
		tell_unix_end(ss, bpf_ktime_get_ns(), unix_peer_is_closed(sk));
	ht_unix_forget(sk);
	ht_sock_forget(sk);
	return 0;
}

/*
 * Where closes are not heard of: what a client's socket has closed the other side is told by its next call, which comes at once as somebody waits for it.
 * By address, as a pointer out of another object is none to a socket; an address in use again has another cookie.
 */
static __noinline int unix_peer_ended(const struct sock *sk)
{
#ifndef HT_UNTYPED
	const struct sock *peer = BPF_CORE_READ((const struct unix_sock *)sk, peer);
	struct ht_rec_sock_state *rec;
	struct ht_unix_client *client;
	__u64 key = (__u64)peer, seq;

	client = bpf_map_lookup_elem(&unix_clients, &key);
	if (!client || BPF_CORE_READ(peer, __sk_common.skc_state) != TCP_CLOSE)
		return 0;
	if ((__u64)BPF_CORE_READ(peer, __sk_common.skc_cookie.counter) == client->cookie) {
		rec = ht_reserve(sizeof(*rec), &seq, NULL);
		if (rec) {
			ht_hdr_init(&rec->hdr, sizeof(*rec), HT_REC_SOCK_STATE, HT_F_FOREIGN, bpf_ktime_get_ns(), seq, client->owner, 0);
			unix_state(rec, client->cookie, 0);
			ht_submit(rec, ht_wake(sizeof(*rec)));
		}
	}
	bpf_map_delete_elem(&unix_clients, &key);
#endif
	return 0;
}

/* The same of a client whose server has closed: it is over, whatever the client does with its socket. */
static __always_inline void unix_server_ended(const struct sock *sk, struct ht_sock *ss, __u64 ts)
{
#ifndef HT_UNTYPED
	__u64 key = (__u64)sk;

	if (!(ht_config.flags & HT_CFG_UNIX_PEERS) || !unix_peer_is_closed(sk))
		return;
	if (!bpf_map_delete_elem(&unix_clients, &key))
		tell_unix_end(ss, ts, 1);
#endif
}

/* ---- sends and receives ---- */

/* Nothing is told of it from now on. ss is not to be used any more. */
static __always_inline void unix_ignore(const struct sock *sk)
{
	struct ht_unix *u = ht_unix_find(sk);

	if (u)
		u->role = HT_ROLE_IGNORED;
	ht_sock_drop(sk);
}

/* A transfer on a socket that is not TCP: whether there is anything to be done. Then there is a struct ht_sock. */
static __noinline int unix_wants(const struct sock *sk, int ret)
{
	struct task_struct *task;
	struct ht_unix *u;
	struct ht_sock *ss;

	if (!(ht_config.flags & HT_CFG_UNIX) || !ht_is_unix(sk))
		return 0;
	if (ht_config.flags & HT_CFG_UNIX_PEERS && (!ret || ret == -EPIPE || ret == -ECONNRESET))
		unix_peer_ended(sk);
	u = ht_unix_find(sk);
	if (u && u->role == HT_ROLE_IGNORED)
		return 0;
	if (ht_sock_find(sk))
		return 1;
	task = ht_task();
	if (ret <= 0 || (HT_FIELD(task, flags) & PF_KTHREAD) || !ht_allowed(HT_FIELD(task, tgid)))
		return 0;
	if (!u) {
		u = ht_unix_get(sk);
		if (u && BPF_CORE_READ((const struct unix_sock *)sk, addr)) {
			u->role = HT_ROLE_IGNORED;
			return 0;
		}
	}
	ss = u ? ht_sock_get(sk) : NULL;
	if (!ss) {
		ht_count(HT_CNT_LOST_SCRATCH);
		return 0;
	}
	ss->is_unix = 1;
	ss->cookie = ht_unix_name(u, sk);
	ss->owner = HT_FIELD(task, tgid);
	ss->file = (__u64)BPF_CORE_READ(sk, sk_socket, file);
	ss->role = u->start_ns ? HT_ROLE_CLIENT : HT_ROLE_UNKNOWN;
	ss->old = !u->start_ns;
	return 1;
}

/* A call begins. Nothing is noted of one on a socket that is of no interest, so that an end without a begin is no loss (calls.bpf.h). */
static __always_inline int on_unix_call(const struct sock *sk, const struct msghdr *msg, __u32 flags, const int dir)
{
	struct ht_unix *u;

	if (!ht_is_unix(sk))
		return 0;
	u = ht_unix_find(sk);
	if (u && u->role == HT_ROLE_IGNORED)
		return 0;
	return ht_call_begin(sk, msg, flags, dir, 0);
}

#endif
