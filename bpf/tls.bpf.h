/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tls.bpf.h - TLS objects and the calls on them that are in flight: what the probes of the libraries and the socket tracepoints
 * share.
 *
 * Nothing is told of an object before it is known to be a client's: by SSL_connect, by a server name set, by the socket under it,
 * or by its first plaintext. What happened before is told then, with the times at which it happened.
 */
#ifndef HT_TLS_BPF_H
#define HT_TLS_BPF_H

#include "emit.bpf.h"

/* Facts of one record that are not the object's. */
struct ht_tls_fact {
	__u64 ts_ns;
	__u64 object;
	__s32 ret;
	__u32 err_lib;
	__u32 err_reason;
	__u32 verify_result;
	__u16 op;
	__u8 evidence;
};

static __always_inline void ht_tls_fill(struct ht_rec_tls *rec, struct ht_tls *o, const struct ht_tls_fact *fact, __u64 seq, __u32 size,
					__u16 text_len)
{
	__u64 who = bpf_get_current_pid_tgid();

	ht_hdr_init(&rec->hdr, size, HT_REC_TLS, 0, fact->ts_ns, seq, who >> 32, who);
	rec->hdr.lost = ht_take_lost(&o->flow.lost);
	rec->tls_id = o->id;
	rec->cookie = o->cookie;
	rec->start_ns = o->hs_start_ns;
	rec->object = fact->object;
	rec->err_lib = fact->err_lib;
	rec->err_reason = fact->err_reason;
	rec->ret = fact->ret;
	rec->op = fact->op;
	rec->library = HT_TLS_LIB_OPENSSL;
	rec->evidence = fact->evidence;
	rec->is_server = 0;
	rec->text_len = text_len;
	rec->verify_result = fact->verify_result;
}

static __noinline int ht_tls_tell(struct ht_tls *o, const struct ht_tls_fact *fact)
{
	struct ht_rec_tls *rec;
	__u64 seq;

	rec = ht_reserve(sizeof(*rec), &seq, &o->flow.lost);
	if (!rec)
		return 0;
	ht_tls_fill(rec, o, fact, seq, sizeof(*rec), 0);
	ht_submit(rec, ht_wake(sizeof(*rec)));
	return 0;
}

static __always_inline void ht_tls_tell_bind(struct ht_tls *o, __u64 object, __u64 ts_ns)
{
	struct ht_tls_fact fact = { .ts_ns = ts_ns, .object = object, .op = HT_TLS_BIND, .evidence = o->evidence };

	o->bind_told = o->evidence;
	ht_tls_tell(o, &fact);
}

static __always_inline void ht_tls_tell_start(struct ht_tls *o, __u64 object)
{
	struct ht_tls_fact fact = { .ts_ns = o->hs_start_ns, .object = object, .op = HT_TLS_HANDSHAKE_START };

	o->hs_start_told = 1;
	ht_tls_tell(o, &fact);
}

static __always_inline void ht_tls_tell_done(struct ht_tls *o, __u64 object)
{
	struct ht_tls_fact fact = { .ts_ns = o->hs_end_ns, .object = object, .op = HT_TLS_HANDSHAKE_DONE, .ret = 1 };

	o->hs_end_told = 1;
	ht_tls_tell(o, &fact);
}

/* The object is a client's: tell what has been kept back. */
static __noinline int ht_tls_client(struct ht_tls *o, __u64 object, __u64 ts_ns)
{
	o->role = HT_ROLE_CLIENT;
	if (o->evidence > o->bind_told)
		ht_tls_tell_bind(o, object, ts_ns);
	if (o->hs >= HT_HS_STARTED && !o->hs_start_told)
		ht_tls_tell_start(o, object);
	if (o->hs == HT_HS_DONE && !o->hs_end_told)
		ht_tls_tell_done(o, object);
	return 0;
}

#ifdef HT_OLD
static const struct ht_thread ht_new_thread;

/* The calls in flight of the running thread, which task is; NULL: none, or no room. */
static __always_inline struct ht_thread *ht_thread_find(struct task_struct *task, const int is_made)
{
	__u64 who = bpf_get_current_pid_tgid();
	struct ht_thread *th = bpf_map_lookup_elem(&threads, &who);

	if (th || !is_made)
		return th;
	if (!bpf_map_update_elem(&threads, &who, &ht_new_thread, BPF_NOEXIST))
		ht_count(HT_CNT_THREAD_MADE);
	return bpf_map_lookup_elem(&threads, &who);
}
#else
static __always_inline struct ht_thread *ht_thread_find(struct task_struct *task, const int is_made)
{
	return bpf_task_storage_get(&threads, ht_trusted(task), NULL, is_made ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
}
#endif

static __always_inline struct ht_tls_call *ht_frame(struct ht_thread *th, __u32 depth)
{
	return &th->call[HT_BOUND(depth, HT_TLS_DEPTH - 1)];
}

/* Plaintext of the object that passed in a call, which has ended at ts: cnt bytes from call->buf. tls.bpf.c */
HT_GLOBAL int ht_tls_plaintext(struct ht_tls *o, struct ht_tls_call *call, __u64 ts, __u32 cnt, __u32 is_tx);

/* A quick write was begun, and what became of it cannot be known: its bytes count as lost, and there will be no other. */
static __always_inline void ht_tls_pending_lost(struct ht_tls *o)
{
	o->flow.tx.off += o->pending_len;
	o->flow.tx.mode = HT_MODE_CLOSE;
	__sync_fetch_and_add(&o->flow.lost, 1);
	ht_count(HT_CNT_RETURN_UNMATCHED);
	o->pending = HT_PENDING_NONE;
	o->quick = HT_QUICK_NEVER;
}

/*
 * The innermost TLS call that runs on the thread, or NULL. sp: the thread's user stack pointer now, which is not above that of any
 * call still running; frames that it has risen above were left by longjmp or by the thread's cancellation.
 */
static __always_inline struct ht_tls_call *ht_tls_running(struct task_struct *task, __u64 sp)
{
	struct ht_thread *th = ht_thread_find(task, 0);
	struct ht_tls_call *call;
	__u32 depth, i;

	if (!th)
		return NULL;
	depth = th->depth;
	for (i = 0; i < HT_TLS_DEPTH; i++) {
		if (!depth || depth > HT_TLS_DEPTH)
			return NULL;
		depth--;
		call = ht_frame(th, depth);
		if (call->sp >= sp)
			return call;
	}
	return NULL;
}

#endif
