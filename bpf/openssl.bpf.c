/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * openssl.bpf.c - libssl's calls: handshakes, plaintext, names, ends.
 *
 * In: uprobes and uretprobes; the attach cookie says which function (HT_FN_*). Out: HT_REC_TLS, and HT_REC_DATA of plaintext. A
 * call in flight is a frame on its thread's stack of four (maps.bpf.h: threads); a return takes the topmost frame of its function
 * that does not lie further out in the thread's stack than the return, with all above it, so frames left by longjmp or by a switch
 * of stacks do no harm. SSL_connect calls SSL_do_handshake: both may be probed. A handshake is the object's: from the first call that began it
 * to the first success, over any number of calls.
 */
#include "filter.bpf.h"
#include "payload.bpf.h"
#include "probe.bpf.h"
#include "scratch.bpf.h"
#include "syscall.bpf.h"
#include "tls.bpf.h"

#define SSL_CTRL_SET_TLSEXT_HOSTNAME 55 /* openssl/tls1.h */
#define ERR_LIB_SSL                  20 /* openssl/err.h */

static const struct ht_tls new_object;

static __always_inline struct ht_tls *object_find(__u64 object, __u32 tgid)
{
	struct ht_tls_key key = { .object = object, .tgid = tgid };

	return bpf_map_lookup_elem(&tls_objects, &key);
}

static __noinline struct ht_tls *object_get(__u64 object, __u32 tgid)
{
	struct ht_tls_key key = { .object = object, .tgid = tgid };
	struct ht_tls *o = bpf_map_lookup_elem(&tls_objects, &key);

	if (o)
		return o;
	ht_count(bpf_map_update_elem(&tls_objects, &key, &new_object, BPF_NOEXIST) ? HT_CNT_LOST_SCRATCH : HT_CNT_TLS_MADE);
	o = bpf_map_lookup_elem(&tls_objects, &key);
	if (o && !o->id)
		o->id = ht_next_id();
	return o;
}

static __always_inline void tell(struct ht_tls *o, __u64 object, __u64 ts, __u16 op)
{
	struct ht_tls_fact fact = { .ts_ns = ts, .object = object, .op = op };

	ht_tls_tell(o, &fact);
}

/* A name, cut at HT_TLS_TEXT_MAX. len 0: up to its NUL. */
static __noinline int tell_text(struct ht_tls *o, const struct ht_tls_fact *fact, __u64 text, __u32 len)
{
	struct ht_rec_tls *rec;
	__u32 size;
	__u64 seq;
	char *to;
	long n;

	rec = ht_reserve(sizeof(*rec) + HT_TLS_TEXT_MAX, &seq, &o->flow.lost);
	if (!rec)
		return 0;
	to = (char *)(rec + 1);
	__builtin_memset(to, 0, HT_TLS_TEXT_MAX);
	if (len) {
		len = HT_BOUND(len, HT_TLS_TEXT_MAX - 1);
		n = bpf_probe_read_user(to, len, (void *)text) ? -1 : len;
	} else {
		n = bpf_probe_read_user_str(to, HT_TLS_TEXT_MAX, (void *)text);
		if (n > 0)
			n--;
	}
	if (n < 0 || n > HT_TLS_TEXT_MAX) {
		ht_count(HT_CNT_FAULT);
		n = 0;
	}
	size = sizeof(*rec) + ((n + 7) & ~7UL);
	ht_tls_fill(rec, o, fact, seq, size, n);
	ht_submit(rec, ht_wake(size));
	return 0;
}

/* The socket behind a file descriptor of this process: its cookie, 0 if it is none or has none yet. */
static __always_inline __u64 fd_cookie(__u32 fd)
{
	struct file *file = ht_fd_file(ht_files(ht_task()), fd);
	struct socket *sock;

	if (!file)
		return 0;
	sock = BPF_CORE_READ(file, private_data);
	/* Any file has private data; only a socket's points back (net/socket.c, sock_alloc_file). */
	if (!sock || BPF_CORE_READ(sock, file) != file || BPF_CORE_READ(sock, sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	if (ht_config.flags & HT_CFG_UNTYPED) {
		__u64 address = (__u64)BPF_CORE_READ(sock, sk);
		struct ht_sock *ss = bpf_map_lookup_elem(&socks_by_address, &address);

		return ss ? ss->cookie : 0;
	}
	return BPF_CORE_READ(sock, sk, __sk_common.skc_cookie.counter);
}

/* An object that was not seen from its beginning: what it is about to send tells whether it is a client's, before its socket calls ask. */
static __noinline int role_by_send(struct ht_tls *o, __u64 object, __u64 ts, __u64 buf, __u32 len)
{
	struct ht_scratch *sc = ht_scratch_take();
	int says;

	if (!sc)
		return 0;
	sc->buf = buf;
	sc->iov_cnt = 0;
	sc->total = len;
	sc->no_buf = 0;
	sc->dir = HT_DIR_TX;
	says = ht_sender(sc, &o->flow, &o->flow.tx);
	ht_scratch_give(sc);
	if (says == HT_SAYS_CLIENT)
		ht_tls_client(o, object, ts);
	else if (says == HT_SAYS_SERVER)
		o->role = HT_ROLE_IGNORED;
	return 0;
}

/* What a function is. */
#define KIND_RETURN    0x1 /* its return is probed */
#define KIND_HANDSHAKE 0x2
#define KIND_WRITE     0x4
#define KIND_READ      0x8
#define KIND_EX        0x10 /* result above 0: how many bytes, an argument points to */

#define FN_MAX 64

/* A table, not comparisons: the verifier would follow each function's path by itself, to the end of the program. */
static const __u8 kinds[FN_MAX] = {
	[HT_FN_SSL_CONNECT] = KIND_RETURN | KIND_HANDSHAKE,
	[HT_FN_SSL_DO_HANDSHAKE] = KIND_RETURN | KIND_HANDSHAKE,
	[HT_FN_SSL_WRITE] = KIND_RETURN | KIND_WRITE,
	[HT_FN_SSL_WRITE_EX] = KIND_RETURN | KIND_WRITE | KIND_EX,
	[HT_FN_SSL_READ] = KIND_RETURN | KIND_READ,
	[HT_FN_SSL_READ_EX] = KIND_RETURN | KIND_READ | KIND_EX,
	[HT_FN_SSL_PEEK] = KIND_RETURN,
	[HT_FN_SSL_PEEK_EX] = KIND_RETURN | KIND_EX,
	[HT_FN_SSL_GET0_ALPN_SELECTED] = KIND_RETURN,
	[HT_FN_SSL_GET_VERIFY_RESULT] = KIND_RETURN,
	[HT_FN_SSL_READ_INNER] = KIND_RETURN | KIND_READ | KIND_EX,
	[HT_FN_SSL_WRITE_INNER] = KIND_RETURN | KIND_WRITE | KIND_EX,
	[HT_FN_SSL_WRITE_INNER5] = KIND_RETURN | KIND_WRITE | KIND_EX,
};

static __always_inline __u8 kind_of(__u32 fn)
{
	return kinds[HT_BOUND(fn, FN_MAX - 1)];
}

/*
 * Whether a frame is left over, as seen from a call of fn that begins at sp. Equal pointers: SSL_connect jumps to SSL_do_handshake,
 * it does not call.
 */
static __always_inline int is_stale(const struct ht_tls_call *call, __u64 sp, __u32 fn)
{
	return call->sp < sp || (call->sp == sp && (call->fn == fn || HT_IS_QUICK(call)));
}

/*
 * Whether a write needs no probe at its return, which costs as much as the one at its entry: the send inside it tells that it was
 * done (sock.bpf.h: quick_sent). Only one that makes one TLS record, of an object whose writes have been seen to do so, on a socket
 * that is known by evidence.
 */
static __always_inline int can_be_quick(const struct ht_tls *o, const struct ht_tls_call *call)
{
	return o->quick == HT_QUICK_OK && o->role == HT_ROLE_CLIENT && o->hs == HT_HS_DONE && call->cookie &&
	       (o->flow.kind == HT_STREAM_HTTP1 || o->flow.kind == HT_STREAM_HTTP2) && !o->flow.quiet && call->len - 1 < HT_QUICK_MAX;
}

/* The write was watched to its end: all of it was sent, meanwhile, as one record. */
static __always_inline void learn_quick(struct ht_tls *o, const struct ht_tls_call *call, __u64 cnt)
{
	__u32 added = call->sent_bytes - (__u32)cnt;

	if (o->quick == HT_QUICK_UNKNOWN && cnt == call->len && call->cookie && call->cookie == o->cookie &&
	    added - HT_QUICK_ADDED_MIN <= HT_QUICK_ADDED_MAX - HT_QUICK_ADDED_MIN)
		o->quick = HT_QUICK_OK;
}

/*
 * TLS inside TLS, through a proxy that is spoken to by TLS: the object whose bytes are the plaintext of another one's calls travels on that one's socket.
 * Its call runs right outside such a call, of an object that has been seen to carry TLS. Frames far apart are on different stacks.
 */
#define CARRIED_WITHIN 16384

static __noinline int bind_carried(const struct ht_tls *o, struct ht_tls_call *outer, __u64 sp, __u64 ts)
{
	struct ht_tls *inner;

	if (o->flow.kind != HT_STREAM_TLS || o->evidence != HT_BIND_NESTED || outer->ignored || outer->sp - sp > CARRIED_WITHIN)
		return 0;
	inner = object_find(outer->object, bpf_get_current_pid_tgid() >> 32);
	if (!inner || inner->role != HT_ROLE_CLIENT)
		return 0;
	outer->cookie = o->cookie;
	if (inner->cookie == o->cookie && inner->evidence == HT_BIND_NESTED)
		return 0;
	inner->cookie = o->cookie;
	inner->evidence = HT_BIND_NESTED;
	inner->bind_told = HT_BIND_NONE;
	ht_tls_client(inner, outer->object, ts);
	return 0;
}

/* Pushes a frame, over up to two stale ones. With the stack full the outermost is given up. *outer: the call that it runs in, or NULL. */
static __always_inline struct ht_tls_call *push(struct task_struct *task, __u64 sp, __u32 fn, struct ht_tls_call **outer)
{
	struct ht_thread *th = ht_thread_find(task, 1);
	__u32 depth;

	if (!th) {
		ht_count(HT_CNT_LOST_SCRATCH);
		return NULL;
	}
	depth = th->depth;
	if (depth && depth <= HT_TLS_DEPTH && is_stale(ht_frame(th, depth - 1), sp, fn))
		depth--;
	if (depth && depth <= HT_TLS_DEPTH && is_stale(ht_frame(th, depth - 1), sp, fn))
		depth--;
	if (depth >= HT_TLS_DEPTH) {
		__builtin_memcpy(&th->call[0], &th->call[1], sizeof(th->call[0]));
		__builtin_memcpy(&th->call[1], &th->call[2], sizeof(th->call[0]));
		__builtin_memcpy(&th->call[2], &th->call[3], sizeof(th->call[0]));
		depth = HT_TLS_DEPTH - 1;
	}
	th->depth = depth + 1;
	*outer = depth ? ht_frame(th, depth - 1) : NULL;
	return ht_frame(th, depth);
}

/*
 * Arguments, each read from the context by itself: the compiler would choose between two addresses in the context, which the
 * verifier refuses.
 */
#define ARG(value)                           \
	({                                   \
		__u64 a_ = (value);          \
		asm volatile("" : "+r"(a_)); \
		a_;                          \
	})

/* Which function (HT_FN_*) the probe is on. */
static __always_inline __u64 attach_cookie(struct pt_regs *ctx)
{
#ifdef HT_OLD
	__u64 who = bpf_get_current_pid_tgid(), cookie;
	__u64 *said = bpf_map_lookup_elem(&cookies, &who);

	if (!said)
		return 0;
	cookie = *said;
	bpf_map_delete_elem(&cookies, &who);
	return cookie;
#else
	return bpf_get_attach_cookie(ctx);
#endif
}

/* Answers whether the call's return is wanted. has_choice: the answer is heeded. */
static __always_inline int on_enter(struct pt_regs *ctx, __u32 fn, const int has_choice)
{
	__u64 object, ts = bpf_ktime_get_ns();
	__u64 second = ARG(PT_REGS_PARM2(ctx)), third = ARG(PT_REGS_PARM3(ctx)), fourth = ARG(PT_REGS_PARM4(ctx)),
	      fifth = ARG(PT_REGS_PARM5(ctx)), sp = ARG(PT_REGS_SP(ctx));
	struct task_struct *task = ht_task();
	__u32 tgid = HT_FIELD(task, tgid);
	struct ht_tls_fact fact = { .ts_ns = ts };
	__u8 kind = kind_of(fn);
	struct ht_tls_call *call, *outer;
	__u8 pending = HT_PENDING_NONE;
	struct ht_tls *o = NULL;

	if (!ht_allowed(tgid))
		return 0;
	object = PT_REGS_PARM1(ctx);
	fact.object = object;

	switch (fn) {
	case HT_FN_SSL_CLEAR:
		/* A handshake begins with clearing its own object (ssl/statem/statem.c, state_machine). */
		call = ht_tls_running(task, sp);
		if (call && call->object == object && !HT_IS_QUICK(call))
			return 0;
		/* fallthrough */
	case HT_FN_SSL_FREE:
		o = object_find(object, tgid);
		if (o) {
			struct ht_tls_key key = { .object = object, .tgid = tgid };

			if (o->role == HT_ROLE_CLIENT)
				tell(o, object, ts, HT_TLS_FREE);
			if (!bpf_map_delete_elem(&tls_objects, &key))
				ht_count(HT_CNT_TLS_GONE);
		}
		return 0;
	case HT_FN_SSL_SHUTDOWN:
		o = object_find(object, tgid);
		if (o && o->role == HT_ROLE_CLIENT && !o->shutdown_told) {
			o->shutdown_told = 1;
			tell(o, object, ts, HT_TLS_SHUTDOWN);
		}
		return 0;
	case HT_FN_SSL_ACCEPT:
		o = object_get(object, tgid);
		if (o)
			o->role = HT_ROLE_IGNORED;
		return 0;
	case HT_FN_SSL_SET_FD:
		o = object_get(object, tgid);
		if (o && o->evidence < HT_BIND_NESTED) {
			__u64 cookie = fd_cookie(second);

			if (cookie) {
				o->cookie = cookie;
				o->evidence = HT_BIND_FD;
				o->bind_told = HT_BIND_NONE;
				if (o->role == HT_ROLE_CLIENT)
					ht_tls_client(o, object, ts);
			}
		}
		return 0;
	case HT_FN_SSL_CTRL:
		/* Only a client sets the name it wants. */
		if ((__u32)second != SSL_CTRL_SET_TLSEXT_HOSTNAME || !fourth)
			return 0;
		o = object_get(object, tgid);
		if (!o || o->role == HT_ROLE_IGNORED)
			return 0;
		ht_tls_client(o, object, ts);
		fact.op = HT_TLS_SERVER_NAME;
		tell_text(o, &fact, fourth, 0);
		return 0;
	}
	if (!(kind & KIND_RETURN))
		return 0;

	if (fn != HT_FN_SSL_GET0_ALPN_SELECTED && fn != HT_FN_SSL_GET_VERIFY_RESULT) {
		o = object_get(object, tgid);
		if (!o || (has_choice && o->role == HT_ROLE_IGNORED))
			return 0;
	}
	call = push(task, sp, fn, &outer);
	if (!call)
		return 0;
	call->start_ns = ts;
	call->object = object;
	call->sp = sp;
	call->buf = second;
	call->len = third;
	call->out = fn == HT_FN_SSL_WRITE_INNER5 ? fifth : (kind & KIND_EX) ? fourth : third;
	call->cookie = 0;
	call->err_lib = 0;
	call->err_reason = 0;
	call->sent_bytes = 0;
	call->fn = fn;
	call->nest = HT_NEST_NONE;
	call->ignored = 0;
	call->is_quick = 0;
	if (!o)
		return 1;
	if (o->role == HT_ROLE_IGNORED) {
		call->ignored = 1;
		return 1;
	}
	if (outer && outer->object != object)
		bind_carried(o, outer, sp, ts);
	if ((kind & KIND_WRITE) && o->pending) {
		pending = o->pending;
		if (pending == HT_PENDING_BEGUN)
			ht_tls_pending_lost(o);
		o->pending = HT_PENDING_NONE;
	}
	if (kind & KIND_HANDSHAKE) {
		if (o->hs == HT_HS_NONE) {
			o->hs = HT_HS_STARTED;
			o->hs_start_ns = ts;
		}
		if (fn == HT_FN_SSL_CONNECT || o->role == HT_ROLE_CLIENT)
			ht_tls_client(o, object, ts);
	} else if ((kind & KIND_WRITE) && o->role == HT_ROLE_UNKNOWN) {
		role_by_send(o, object, ts, call->buf, call->len);
		call->ignored = o->role == HT_ROLE_IGNORED;
	}
	/* Settled: nested socket calls on that socket have nothing to find out. */
	if (o->role == HT_ROLE_CLIENT && o->bind_told == HT_BIND_NESTED && o->hs != HT_HS_NONE)
		call->cookie = o->cookie;
	if (has_choice && (kind & KIND_WRITE) && !pending && can_be_quick(o, call)) {
		o->pending = HT_PENDING_BEGUN;
		o->pending_len = call->len;
		call->is_quick = 1;
		return 0;
	}
	return 1;
}

SEC("uprobe")
int up_openssl_enter(struct pt_regs *ctx)
{
	ht_keep_own_stack(ctx);
	on_enter(ctx, attach_cookie(ctx), 0);
	return 0;
}

/* A read that ended the stream. */
static __noinline int tell_eof(struct ht_tls *o, __u64 ts)
{
	__u64 who = bpf_get_current_pid_tgid();
	struct ht_rec_data *rec;
	__u64 seq;

	o->eof_told = 1;
	rec = ht_reserve(sizeof(*rec), &seq, &o->flow.lost);
	if (!rec)
		return 0;
	__builtin_memset(rec, 0, sizeof(*rec));
	ht_hdr_init(&rec->hdr, sizeof(*rec), HT_REC_DATA, HT_F_EOF, ts, seq, who >> 32, who);
	rec->hdr.lost = ht_take_lost(&o->flow.lost);
	rec->cookie = o->cookie;
	rec->tls_id = o->id;
	rec->off = o->flow.rx.off;
	rec->dir = HT_DIR_RX;
	rec->via = HT_VIA_TLS;
	rec->stream = o->flow.kind;
	ht_submit(rec, ht_wake(sizeof(*rec)));
	return 0;
}

static __always_inline void on_alpn(struct ht_tls *o, struct ht_tls_call *call, __u64 ts)
{
	struct ht_tls_fact fact = { .ts_ns = ts, .object = call->object, .op = HT_TLS_ALPN };
	__u64 text = 0;
	__u32 len = 0;

	if (o->role == HT_ROLE_IGNORED || o->alpn_told)
		return;
	bpf_probe_read_user(&text, sizeof(text), (void *)call->buf);
	bpf_probe_read_user(&len, sizeof(len), (void *)call->out);
	if (!text || !len || len > 255 || o->role != HT_ROLE_CLIENT)
		return;
	o->alpn_told = 1;
	tell_text(o, &fact, text, len);
}

static __always_inline void tell_failure(struct ht_tls *o, struct ht_tls_call *call, __u64 ts, __u16 op, __s32 ret, __u32 verify_result)
{
	struct ht_tls_fact fact = {
		.ts_ns = ts,
		.object = call->object,
		.ret = ret,
		.err_lib = call->err_lib,
		.err_reason = call->err_reason,
		.verify_result = verify_result,
		.op = op,
	};

	ht_tls_tell(o, &fact);
}

/* Outcome of a call that can drive the handshake. ok: it succeeded. */
static __always_inline void on_handshake(struct ht_tls *o, struct ht_tls_call *call, __u64 ts, __s32 ret, int ok)
{
	if (o->hs != HT_HS_STARTED)
		return;
	if (ok) {
		o->hs = HT_HS_DONE;
		o->hs_end_ns = ts;
		if (o->role == HT_ROLE_CLIENT)
			ht_tls_tell_done(o, call->object);
	} else if (call->err_lib || ((kind_of(call->fn) & KIND_HANDSHAKE) && ret == 0)) {
		o->hs = HT_HS_FAILED;
		if (o->role == HT_ROLE_CLIENT)
			tell_failure(o, call, ts, HT_TLS_HANDSHAKE_FAIL, ret, 0);
	}
}

/* Takes the frame that this return ends, into *call. 0, or -1: its entry was not seen. */
static __always_inline int pop(struct task_struct *task, __u32 fn, __u64 sp, struct ht_tls_call *call)
{
	struct ht_thread *th = ht_thread_find(task, 0);
	struct ht_tls_call *top;
	__u32 depth, i;

	if (!th)
		return -1;
	depth = th->depth;
	for (i = 0; i < HT_TLS_DEPTH; i++) {
		if (!depth || depth > HT_TLS_DEPTH)
			return -1;
		depth--;
		top = ht_frame(th, depth);
		if (top->fn == fn && top->sp <= sp - HT_RETURN_POPS) {
			*call = *top;
			th->depth = depth;
			if (depth) {
				struct ht_tls_call *outer = ht_frame(th, depth - 1);

				if (outer->object != call->object) {
					/* TLS inside TLS: what its socket call said. */
					outer->nest = call->nest;
				} else if (call->err_lib && !outer->err_lib) {
					/* SSL_connect fails with what failed inside SSL_do_handshake. */
					outer->err_lib = call->err_lib;
					outer->err_reason = call->err_reason;
				}
			}
			return 0;
		}
	}
	return -1;
}

static __always_inline int on_return(struct pt_regs *ctx, __u32 fn)
{
	__u64 ts = bpf_ktime_get_ns();
	struct task_struct *task = ht_task();
	__u32 tgid = HT_FIELD(task, tgid);
	__u8 kind = kind_of(fn);
	struct ht_tls_call call;
	__s32 ret = PT_REGS_RC(ctx);
	struct ht_tls *o;
	__u64 cnt = 0;
	int ok;

	if (!(kind & KIND_RETURN))
		return 0;
	if (pop(task, fn, PT_REGS_SP(ctx), &call)) {
		ht_count(HT_CNT_RETURN_UNMATCHED);
		return 0;
	}
	if (call.ignored)
		return 0;
	o = object_find(call.object, tgid);
	if (!o || o->role == HT_ROLE_IGNORED)
		return 0;
	if (fn == HT_FN_SSL_GET0_ALPN_SELECTED) {
		on_alpn(o, &call, ts);
		return 0;
	}
	if (fn == HT_FN_SSL_GET_VERIFY_RESULT) {
		/* The reason comes when the program asks for it, behind the failure. */
		if (ret && o->hs == HT_HS_FAILED && o->role == HT_ROLE_CLIENT)
			tell_failure(o, &call, ts, HT_TLS_HANDSHAKE_FAIL, 0, ret);
		return 0;
	}
	if (kind & KIND_HANDSHAKE) {
		on_handshake(o, &call, ts, ret, ret == 1);
		return 0;
	}

	ok = ret > 0;
	if (kind & KIND_EX) {
		if (ok && bpf_probe_read_user(&cnt, sizeof(cnt), (void *)call.out)) {
			ht_count(HT_CNT_FAULT);
			return 0;
		}
	} else if (ok) {
		cnt = ret;
	}
	on_handshake(o, &call, ts, ret, ok);
	if (fn == HT_FN_SSL_PEEK || fn == HT_FN_SSL_PEEK_EX)
		return 0;
	if (ok) {
		if (kind & KIND_WRITE)
			learn_quick(o, &call, cnt);
		else if (o->pending == HT_PENDING_BEGUN)
			ht_tls_pending_lost(o); /* the answer to a request that was not seen to be sent */
		if (cnt && cnt <= 0x7fffffff)
			ht_tls_plaintext(o, &call, ts, cnt, (kind & KIND_WRITE));
		return 0;
	}
	if (o->role != HT_ROLE_CLIENT || o->hs == HT_HS_FAILED || o->eof_told)
		return 0;
	if (kind & KIND_READ) {
		/*
		 * 0 of SSL_read, and of the function inside both forms, is the stream's end. SSL_read_ex returns 0 for "try again" as
		 * well: then its socket call said so, or, with a socket that we do not see, nobody knows.
		 */
		if (call.err_lib) {
			o->eof_told = 1;
			tell_failure(o, &call, ts, HT_TLS_ERROR, ret, 0);
		} else if (fn == HT_FN_SSL_READ || fn == HT_FN_SSL_READ_INNER
				   ? ret == 0
				   : call.nest != HT_NEST_AGAIN && o->evidence == HT_BIND_NESTED) {
			tell_eof(o, ts);
		}
	} else if (call.err_lib) {
		o->eof_told = 1;
		tell_failure(o, &call, ts, HT_TLS_ERROR, ret, 0);
	}
	return 0;
}

SEC("uretprobe")
int up_openssl_return(struct pt_regs *ctx)
{
	ht_keep_own_stack(ctx);
	on_return(ctx, attach_cookie(ctx));
	return 0;
}

#ifndef HT_OLD

/*
 * What bpf_session_is_return() answers. It has a parameter from 7.0 on: whichever is declared, libbpf refuses the object on the other kernels. Nor is any
 * other function of the kernel's called: for one that it has not, libbpf looks into its modules, which takes CAP_SYS_ADMIN.
 */
static __always_inline bool is_session_return(void)
{
	struct bpf_session_run_ctx *run = (struct bpf_session_run_ctx *)ht_task()->bpf_ctx;

	return BPF_CORE_READ(run, is_return);
}

/* Both sides of a function in one program (uprobe sessions, Linux 6.13): the entry says whether the return is wanted, whose trap is saved else. */
SEC("uprobe")
int up_openssl_session(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	__u32 fn = cookie & HT_SITE_FN;

	ht_keep_own_stack(ctx);
	if (is_session_return()) {
		on_return(ctx, fn);
		return 0;
	}
	if (!(cookie & HT_SITE_ENTRY))
		return 0;
	return on_enter(ctx, fn, 1) && (cookie & HT_SITE_RETURN) ? 0 : 1;
}

#endif

/*
 * ERR_vset_error(lib, reason, ...): libssl's first error inside a TLS call is the cause, later ones come from cleaning up. Other
 * libraries' errors do not count: some are raised and taken back in calls that merely want to be called again (EVP while algorithms
 * are fetched, ASN1 while certificates are decoded), and every fatal error of a connection is one of libssl as well
 * (ssl/statem/statem.c, ossl_statem_fatal).
 */
static __always_inline int on_library_error(struct pt_regs *ctx)
{
	struct ht_tls_call *call;
	struct ht_tls *o;

	if ((__u32)PT_REGS_PARM1(ctx) != ERR_LIB_SSL)
		return 0;
	call = ht_tls_running(ht_task(), PT_REGS_SP(ctx));
	if (!call || call->err_lib)
		return 0;
	call->err_lib = ERR_LIB_SSL;
	call->err_reason = PT_REGS_PARM2(ctx);
	if (!HT_IS_QUICK(call))
		return 0;
	/* Nobody waits for its return. */
	o = object_find(call->object, bpf_get_current_pid_tgid() >> 32);
	if (!o || o->pending != HT_PENDING_BEGUN)
		return 0;
	call->sp = 0;
	o->pending = HT_PENDING_NONE;
	o->quick = HT_QUICK_NEVER;
	if (!o->eof_told) {
		o->eof_told = 1;
		tell_failure(o, call, bpf_ktime_get_ns(), HT_TLS_ERROR, -1, 0);
	}
	return 0;
}

SEC("uprobe")
int up_crypto_enter(struct pt_regs *ctx)
{
	ht_keep_own_stack(ctx);
	return on_library_error(ctx);
}
