/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * nghttp2.bpf.c - requests as programs give them to libnghttp2, before their fields are compressed: what a connection that was joined late has no other
 * source for.
 *
 * In: entry and return of nghttp2_submit_request and nghttp2_submit_request2, whose first four arguments are the same. Out: HT_REC_H2_SUBMIT. All is read at
 * the return, where the stream's number is known; the call in flight is kept by thread (maps.bpf.h: h2_calls).
 *
 * Not for older kernels (HT_OLD): without bpf_loop no loop over so many fields is accepted.
 */
#include "arch.bpf.h"
#include "emit.bpf.h"
#include "filter.bpf.h"
#include "probe.bpf.h"
#include "scratch.bpf.h"

#ifndef HT_OLD

/* struct nghttp2_nv (nghttp2.h) on 64-bit machines: name, value, their lengths, flags. */
struct nv {
	__u64 name;
	__u64 value;
	__u64 name_len;
	__u64 value_len;
	__u64 flags;
};

struct nv_walk {
	struct ht_rec_h2_submit *rec; /* in the window of sc */
	__u64 nva;
	__u32 text_len;
	__u32 cnt;
};

static long nv_step(__u32 i, struct nv_walk *walk)
{
	struct ht_rec_h2_submit *rec = walk->rec;
	__u32 at = walk->text_len, name_len, value_len;
	struct nv nv;

	if (bpf_probe_read_user(&nv, sizeof(nv), (void *)(walk->nva + i * sizeof(nv))))
		return 1;
	if (nv.name_len >= HT_H2_TEXT_MAX || nv.value_len >= HT_H2_TEXT_MAX || at + nv.name_len + nv.value_len >= HT_H2_TEXT_MAX)
		return 1;
	name_len = HT_BOUND(nv.name_len, HT_H2_TEXT_MAX - 1);
	value_len = HT_BOUND(nv.value_len, HT_H2_TEXT_MAX - 1);
	if (bpf_probe_read_user(rec->text + HT_BOUND(at, HT_H2_TEXT_MAX - 1), name_len, (void *)nv.name))
		return 1;
	at += name_len;
	if (bpf_probe_read_user(rec->text + HT_BOUND(at, HT_H2_TEXT_MAX - 1), value_len, (void *)nv.value))
		return 1;
	walk->text_len = at + value_len;
	i = HT_BOUND(i, HT_H2_FIELD_MAX - 1);
	rec->lens[i].name = name_len;
	rec->lens[i].value = value_len;
	walk->cnt = i + 1;
	return 0;
}

static __always_inline int on_submit(struct pt_regs *ctx)
{
	__u64 who = bpf_get_current_pid_tgid();
	struct ht_h2_call call = {
		.sp = PT_REGS_SP(ctx),
		.session = PT_REGS_PARM1(ctx),
		.nva = PT_REGS_PARM3(ctx),
		.nv_cnt = PT_REGS_PARM4(ctx),
	};

	if (ht_allowed(who >> 32) && bpf_map_update_elem(&h2_calls, &who, &call, BPF_ANY))
		ht_count(HT_CNT_LOST_SCRATCH);
	return 0;
}

static __always_inline void tell(struct ht_scratch *sc, const struct ht_h2_call *call, __u32 stream_id, __u64 ts, __u64 who)
{
	struct ht_rec_h2_submit *rec = (struct ht_rec_h2_submit *)sc->win;
	struct nv_walk walk = { .rec = rec, .nva = call->nva };
	__u32 size;

	__builtin_memset(rec->lens, 0, sizeof(rec->lens));
	HT_LOOP(call->nv_cnt < HT_H2_FIELD_MAX ? call->nv_cnt : HT_H2_FIELD_MAX, 0, nv_step, &walk);
	size = HT_BOUND(walk.text_len, HT_H2_TEXT_MAX - 1);
	*(__u64 *)(rec->text + size) = 0;
	size = __builtin_offsetof(struct ht_rec_h2_submit, text) + ((size + 7) & ~7U);
	ht_hdr_init(&rec->hdr, size, HT_REC_H2_SUBMIT, 0, ts, ht_next_seq(), who >> 32, who);
	rec->session = call->session;
	rec->stream_id = stream_id;
	rec->field_cnt = call->nv_cnt < 0xffff ? call->nv_cnt : 0xffff;
	rec->told_cnt = walk.cnt;
	rec->text_len = walk.text_len;
	rec->pad = 0;
	if (bpf_ringbuf_output(&events, rec, size, ht_wake(size)))
		ht_lose(NULL);
	else
		ht_count(HT_CNT_RECORDS);
}

static __always_inline int on_submit_done(struct pt_regs *ctx)
{
	__u64 ts = bpf_ktime_get_ns(), who = bpf_get_current_pid_tgid();
	__s32 stream_id = PT_REGS_RC(ctx);
	struct ht_scratch *sc;
	struct ht_h2_call *call;

	if (!ht_allowed(who >> 32))
		return 0;
	call = bpf_map_lookup_elem(&h2_calls, &who);
	/* The other frame's: one that was never left. */
	if (!call || PT_REGS_SP(ctx) - HT_RETURN_POPS != call->sp) {
		ht_count(HT_CNT_RETURN_UNMATCHED);
		return 0;
	}
	sc = stream_id > 0 ? ht_scratch_take() : NULL;
	if (sc) {
		tell(sc, call, stream_id, ts, who);
		ht_scratch_give(sc);
	}
	bpf_map_delete_elem(&h2_calls, &who);
	return 0;
}

SEC("uprobe")
int up_nghttp2_enter(struct pt_regs *ctx)
{
	ht_keep_own_stack(ctx);
	return on_submit(ctx);
}

SEC("uretprobe")
int up_nghttp2_return(struct pt_regs *ctx)
{
	ht_keep_own_stack(ctx);
	return on_submit_done(ctx);
}

#endif
