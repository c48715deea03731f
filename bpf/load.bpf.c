/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * load.bpf.c - bytes of a call, from the program's memory into the window: from a buffer, or gathered from an iovec.
 *
 * Kernels that unroll loops (HT_OLD) have few rounds at each place where bytes are loaded: what a call begins with is gathered once, into the stage.
 */
#include "stream.bpf.h"

/* HT_OLD: rounds of each loop. Buffers that a call begins with (HT_STAGE_MAX); buffers behind these, of one load. */
#define OLD_STAGE  64
#define OLD_GATHER 5

HT_STEP long gather_step(__u32 i, struct ht_feed *f)
{
	struct ht_scratch *sc = f->sc;
	__u32 cnt, dst = sc->iov_dst;
	__u64 one[2]; /* struct iovec */
	__u64 left;

	if (!sc->iov_left || sc->iov_at >= sc->iov_cnt)
		return 1;
	/* That of a call which is known from its begin has been copied by the kernel already. */
	if (ht_config.flags & HT_CFG_CALLS ? bpf_probe_read_kernel(one, sizeof(one), (void *)(sc->buf + sc->iov_at * 16ULL))
					   : bpf_probe_read_user(one, sizeof(one), (void *)(sc->buf + sc->iov_at * 16ULL)))
		return 1;
	if (one[1] <= sc->iov_skip) {
		sc->iov_skip -= one[1];
		sc->iov_at++;
		return 0;
	}
	left = one[1] - sc->iov_skip;
	cnt = sc->iov_left;
	if (left < cnt)
		cnt = left;
	if (cnt > HT_GATHER_MAX)
		cnt = HT_GATHER_MAX;
	if (bpf_probe_read_user(sc->win + (dst & (HT_WIN - 1)), HT_BOUND(cnt, HT_GATHER_MAX), (void *)(one[0] + sc->iov_skip)))
		return 1;
	sc->iov_skip += cnt;
	sc->iov_dst = dst + cnt;
	sc->iov_left -= cnt;
	return 0;
}

#ifdef HT_OLD
/* The i-th buffer of a call, behind those before it; sc->iov_left is what there is room for. */
HT_STEP long stage_step(__u32 i, struct ht_scratch *sc)
{
	const __u64 *one = (const __u64 *)(sc->stage + HT_STAGE_MAX) + 2ULL * (i & (OLD_STAGE - 1)); /* struct iovec */
	__u32 cnt = one[1] < sc->iov_left ? one[1] : sc->iov_left;

	HT_FORGET(cnt, sc->memo);
	if (i >= sc->iov_cnt || !sc->iov_left)
		return 1;
	if (bpf_probe_read_user(sc->win + (sc->iov_dst & (HT_STAGE_MAX - 1)), HT_BOUND(cnt, 2 * HT_STAGE_MAX - 1), (void *)one[0]))
		return 1;
	sc->iov_dst += cnt;
	sc->iov_left -= cnt;
	sc->staged_at = i;
	sc->staged_skip = cnt;
	return 0;
}

/*
 * Gathers what the call begins with, once for all loads: libraries that make frames of many small buffers (gRPC's: two for each field) need more rounds
 * than each load can have.
 */
__noinline int ht_stage(__u32 slot)
{
	struct ht_scratch *sc = bpf_map_lookup_elem(&scratch, &slot);
	__u32 room, bytes;
	void *iov;
	long err;

	if (!sc)
		return 0;
	iov = sc->stage + HT_STAGE_MAX;
	room = ht_least(sc->total, HT_STAGE_MAX);
	bytes = ht_least(sc->iov_cnt, OLD_STAGE) * 16;
	sc->iov_dst = 0;
	sc->iov_left = room;
	sc->staged_at = 0;
	sc->staged_skip = 0;
	HT_FORGET(bytes, sc->memo);
	/* That of a call which is known from its begin has been copied by the kernel already. */
	if (ht_config.flags & HT_CFG_CALLS)
		err = bpf_probe_read_kernel(iov, HT_BOUND(bytes, HT_STAGE_MAX - 1), (void *)sc->buf);
	else
		err = bpf_probe_read_user(iov, HT_BOUND(bytes, HT_STAGE_MAX - 1), (void *)sc->buf);
	if (!err)
		HT_LOOP(0, OLD_STAGE, stage_step, sc);
	sc->staged = room - sc->iov_left;
	bpf_probe_read_kernel(sc->stage, HT_STAGE_MAX, sc->win);
	return 0;
}

/* What is asked for (sc->iov_*), as far as it is in the stage: 1 if that is all of it. The rest is set up to be gathered. */
static __noinline int load_staged(struct ht_scratch *sc, __u32 from)
{
	__u32 cnt;

	if (from < sc->staged) {
		cnt = ht_least(sc->staged - from, sc->iov_left);
		bpf_probe_read_kernel(sc->win + (sc->iov_dst & 2047), HT_BOUND(cnt - 1, HT_STAGE_MAX - 1) + 1,
				      sc->stage + (from & (HT_STAGE_MAX - 1)));
		sc->iov_dst += cnt;
		sc->iov_left -= cnt;
		from += cnt;
	}
	sc->iov_at = sc->staged_at;
	sc->iov_skip = sc->staged_skip + from - sc->staged;
	return !sc->iov_left;
}
#endif

/*
 * Copies cnt (at most HT_LOAD_MAX) bytes of the call from its byte `from` to the window's `dst` (below 2048). 0, or -1 when memory
 * cannot be read.
 */
HT_GLOBAL __noinline int ht_load(struct ht_scratch *sc, __u32 from, __u32 dst, __u32 cnt)
{
	struct ht_feed f = { .sc = sc };

	if (!sc)
		return -1;
	HT_FORGET(from, sc->memo);
	HT_FORGET(dst, sc->memo);
	HT_FORGET(cnt, sc->memo);
	if (sc->no_buf)
		return -1;
	if (!sc->iov_cnt) {
		if (!bpf_probe_read_user(sc->win + (dst & 2047), HT_BOUND(cnt, HT_WIN - 1), (void *)(sc->buf + from)))
			return 0;
		goto fault;
	}
	sc->iov_at = 0;
	sc->iov_skip = from;
	sc->iov_dst = dst & 2047;
	sc->iov_left = cnt;
#ifdef HT_OLD
	if (load_staged(sc, from))
		return 0;
#endif
	HT_LOOP(1024 + HT_LOAD_MAX / HT_GATHER_MAX + 1, OLD_GATHER, gather_step, &f);
	if (!sc->iov_left)
		return 0;
fault:
	sc->no_buf = 1;
	ht_count(HT_CNT_FAULT);
	return -1;
}
