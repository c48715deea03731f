/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * programs.h - the BPF programs that choose what is copied, compiled for user space against tests/fuzz/shim/; stand-ins for the helpers that
 * they call; how a connection is cut into calls, and where these have their bytes.
 *
 * In: settings_of(), the first bytes of a fuzzer. begin_calls() makes a connection's struct caller the one that the helpers know.
 * bpf_ringbuf_output(), which gets the records, is the includer's.
 */
#ifndef HT_PROGRAMS_H
#define HT_PROGRAMS_H

/* Words are read at any address: BPF may. */
#pragma clang attribute push(__attribute__((no_sanitize("alignment"))), apply_to = function)
#include "../../bpf/load.bpf.c"
#include "../../bpf/payload.bpf.c"
#include "../../bpf/http1.bpf.c"
#include "../../bpf/http2.bpf.c"
#include "../../bpf/websocket.bpf.c"
#include "../../bpf/proxy.bpf.c"
#pragma clang attribute pop

#include "conversation.h"
#include "require.h"

/* What steers the fuzzer is the programs, not the code that watches them. */
#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)

#define MAX_PIECES 40

struct settings {
	uint32_t head_bytes;
	uint32_t cut;      /* seed of the cuts */
	uint32_t fault_at; /* this reading of user memory fails, 0 none */
	uint32_t lose_at;  /* this record finds no room, 0 none */
	bool is_late;      /* the caller does not know from the start that this is a client */
	bool has_pieces;   /* some calls have their bytes in an iovec */
	bool has_holes;    /* some calls' bytes cannot be found at all */
};

/* Of one connection. */
struct caller {
	const struct settings *how;
	uint64_t random;
	uint64_t seq; /* of the next record */
	uint32_t read_cnt;
	bool has_faulted;  /* a reading of user memory failed */
	bool is_exhausted; /* a loop ran to its bound */
	/* What the call being made may read. */
	struct {
		const uint8_t *at;
		size_t len;
	} memory[MAX_PIECES + 1];
	uint32_t memory_cnt;
};

static struct caller *now; /* for the helpers */

/* --- the helpers ------------------------------------------------------------------------------------------------------------------- */

static struct ht_bpf_config config;
extern const volatile struct ht_bpf_config ht_config __attribute__((alias("config")));
struct ht_map_events events;
struct ht_map_counters counters;
struct ht_map_cpus cpus;

void *bpf_map_lookup_elem(void *map, const void *key)
{
	static __u64 counter[HT_CNT_MAX];
	static struct ht_cpu cpu;

	if (map != &counters) {
		cpu.seq = now->seq++;
		return &cpu;
	}
	require(*(const __u32 *)key < HT_CNT_MAX);
	return &counter[*(const __u32 *)key];
}

/* Of calls that are known from their begin: not done here. */
long bpf_probe_read_kernel(void *dst, __u32 size, const void *unsafe_ptr)
{
	(void)dst;
	(void)size;
	(void)unsafe_ptr;
	return -1;
}

long bpf_probe_read_user(void *dst, __u32 size, const void *unsafe_ptr)
{
	const uint8_t *at = unsafe_ptr;
	uint32_t i;

	if (++now->read_cnt == now->how->fault_at) {
		now->has_faulted = true;
		memset(dst, 0, size);
		return -14; /* EFAULT */
	}
	for (i = 0; i < now->memory_cnt; i++)
		if (at >= now->memory[i].at && at + size <= now->memory[i].at + now->memory[i].len)
			break;
	require(i < now->memory_cnt || !size);
	memcpy(dst, at, size);
	return 0;
}

__u64 bpf_ringbuf_query(void *ringbuf, __u64 flags)
{
	(void)ringbuf;
	(void)flags;
	return 0;
}

void *bpf_ringbuf_reserve(void *ringbuf, __u64 size, __u64 flags)
{
	(void)ringbuf;
	(void)size;
	(void)flags;
	return NULL;
}

void bpf_ringbuf_submit(void *data, __u64 flags)
{
	(void)data;
	(void)flags;
}

__u32 bpf_get_smp_processor_id(void)
{
	return 0;
}

struct task_struct *bpf_get_current_task_btf(void)
{
	static struct task_struct task;

	return &task;
}

long ht_shim_loop(__u32 nr_loops, ht_loop_step step, void *ctx, __u64 flags)
{
	__u32 i;

	require(nr_loops <= 1U << 23 && !flags);
	for (i = 0; i < nr_loops; i++)
		if (step(i, ctx))
			return i + 1;
	now->is_exhausted = true;
	return nr_loops;
}

/* --- calls ------------------------------------------------------------------------------------------------------------------------- */

/* Of four bytes. What is left of the first one's bits, and what comes of them, is the includer's: head_bytes, is_late. */
static struct settings settings_of(struct ht_fuzz_input *in, uint32_t *bits)
{
	struct settings how = { 0 };
	uint32_t fault, lose;

	*bits = next8(in);
	how.has_pieces = *bits & 32;
	how.has_holes = (*bits & 192) == 192;
	how.cut = next8(in);
	fault = next8(in);
	lose = next8(in);
	how.fault_at = fault & 1 ? fault >> 1 : 0;
	how.lose_at = lose & 1 ? lose >> 1 : 0;
	return how;
}

static void begin_calls(struct caller *caller, const struct settings *how)
{
	*caller = (struct caller){ .how = how, .random = how->cut + 1 };
	config.head_bytes = how->head_bytes;
	config.wakeup_bytes = 1 << 20;
	now = caller;
}

static uint32_t random_below(struct caller *caller, uint32_t n)
{
	caller->random = caller->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(caller->random >> 33) % n;
}

static void may_read(struct caller *caller, const void *at, size_t len)
{
	caller->memory[caller->memory_cnt].at = at;
	caller->memory[caller->memory_cnt++].len = len;
}

/* Where the call has its bytes: iov has room for MAX_PIECES. */
static void place(struct caller *caller, struct ht_scratch *sc, const uint8_t *data, uint32_t len, __u64 *iov)
{
	uint32_t cnt = 0, off = 0, n;

	caller->memory_cnt = 0;
	if (sc->no_buf)
		return;
	if (!caller->how->has_pieces || random_below(caller, 2)) {
		sc->buf = (__u64)data;
		may_read(caller, data, len);
		return;
	}
	while (off < len) {
		n = cnt == MAX_PIECES - 1 ? len - off : random_below(caller, random_below(caller, 8) ? 40 : 30000);
		if (n > len - off)
			n = len - off;
		iov[2 * cnt] = (__u64)(data + off);
		iov[2 * cnt++ + 1] = n;
		may_read(caller, data + off, n);
		off += n;
	}
	may_read(caller, iov, cnt * 2 * sizeof(*iov));
	sc->buf = (__u64)iov;
	sc->iov_cnt = cnt;
}

enum cut { CUT_TURNS, CUT_EVEN, CUT_RANDOM, CUT_BYTES, CUT_CNT };

/* How many of the left bytes of a turn are the next call's. */
static uint32_t piece_of(struct caller *caller, enum cut cut, uint32_t left)
{
	static const uint32_t most[] = { 3, 40, 1500, 17000 };
	uint32_t n;

	switch (cut) {
	case CUT_TURNS:
		return left;
	case CUT_EVEN:
		n = 16 + caller->how->cut * 7;
		break;
	case CUT_RANDOM:
		n = 1 + random_below(caller, most[random_below(caller, 4)]);
		break;
	default:
		n = 1;
		break;
	}
	return n < left ? n : left;
}

#pragma clang attribute pop

#endif
