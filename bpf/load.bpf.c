/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * load.bpf.c - bytes of a call, from the program's memory into the window: from a buffer, or gathered from an iovec.
 */
#include "stream.bpf.h"

/* HT_OLD: buffers, or pieces of HT_GATHER_MAX, that a load can go through from the call's first on. */
#define OLD_GATHER 64

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
/*
 * Verified once, by itself, and not at every load, as a number is all that it is given: before 5.12 such a function can have no pointer. So it can have rounds
 * enough for libraries that make a send of many small buffers (gRPC's: two for each field).
 */
__noinline int ht_gather(__u32 slot)
{
	struct ht_scratch *sc = bpf_map_lookup_elem(&scratch, &slot);
	struct ht_feed f = { .sc = sc };

	if (sc)
		HT_LOOP(0, OLD_GATHER, gather_step, &f);
	return 0;
}
#else
static __always_inline void gather(struct ht_scratch *sc)
{
	struct ht_feed f = { .sc = sc };

	bpf_loop(1024 + HT_LOAD_MAX / HT_GATHER_MAX + 1, gather_step, &f, 0); /* UIO_MAXIOV, and pieces */
}
#endif

HT_GLOBAL __noinline int ht_load(struct ht_scratch *sc, __u32 from, __u32 dst, __u32 cnt)
{
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
	ht_gather(sc->slot);
#else
	gather(sc);
#endif
	if (!sc->iov_left)
		return 0;
fault:
	sc->no_buf = 1;
	ht_count(HT_CNT_FAULT);
	return -1;
}
