/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tls.bpf.c - what passes through a TLS object, whichever program learnt of it: the probe of a call's return, or the send inside it.
 *
 * In: the object, the call. Out: HT_REC_DATA of plaintext, and HT_REC_TLS when it tells whose the object is.
 */
#include "payload.bpf.h"
#include "scratch.bpf.h"
#include "tls.bpf.h"

HT_GLOBAL __noinline int ht_tls_plaintext(struct ht_tls *o, struct ht_tls_call *call, __u64 ts, __u32 cnt, __u32 is_tx)
{
	struct task_struct *task = ht_task();
	struct ht_scratch *sc;
	struct ht_stream *st;
	int says;

	if (!o || !call)
		return 0;
	st = is_tx ? &o->flow.tx : &o->flow.rx;

	if (o->flow.quiet) {
		st->off += cnt;
		return 0;
	}
	sc = ht_scratch_take();
	if (!sc) {
		st->off += cnt;
		st->mode = HT_MODE_CLOSE;
		__sync_fetch_and_add(&o->flow.lost, 1);
		return 0;
	}
	st = ht_stream_of(sc, &o->flow, st);
	HT_FORGET(cnt, sc->memo);
	HT_FORGET(is_tx, sc->memo);
	sc->ts_ns = ts;
	sc->start_ns = is_tx ? call->start_ns : 0;
	sc->cookie = o->cookie;
	sc->tls_id = o->id;
	sc->buf = call->buf;
	sc->iov_cnt = 0;
	sc->total = cnt;
	sc->tgid = HT_FIELD(task, tgid);
	sc->tid = HT_FIELD(task, pid);
	sc->flags = HT_FIELD(task, flags) & PF_EXITING ? HT_F_EXITING : 0;
	sc->dir = is_tx ? HT_DIR_TX : HT_DIR_RX;
	sc->via = HT_VIA_TLS;
	sc->no_buf = 0;
	sc->pos = 0;
	sc->is_client = o->role == HT_ROLE_CLIENT;
	sc->strict = o->role == HT_ROLE_CLIENT && o->hs != HT_HS_NONE;
	if (o->flow.kind == HT_STREAM_UNKNOWN) {
		says = ht_decide(sc, &o->flow, st);
		/* TLS inside TLS, begun before it was looked at. */
		if (o->flow.kind == HT_STREAM_TLS && o->flow.quiet) {
			o->flow.kind = HT_STREAM_OTHER;
			o->flow.quiet = 0;
		}
		if (o->role == HT_ROLE_UNKNOWN) {
			if (says == HT_SAYS_SERVER || (says == HT_SAYS_NOTHING && o->flow.undecided >= HT_UNDECIDED_MAX))
				o->role = HT_ROLE_IGNORED;
			else if (says != HT_SAYS_NOTHING)
				ht_tls_client(o, call->object, ts);
		}
	}
	if (o->role == HT_ROLE_CLIENT) {
		if (!o->cookie && !o->unbound_counted) {
			o->unbound_counted = 1;
			ht_count(HT_CNT_TLS_UNBOUND);
		}
		ht_deliver(sc, &o->flow, st);
	} else {
		st->off += cnt;
	}
	ht_scratch_give(sc);
	return 0;
}
