/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * live_losses.c - what the kernel's side lost or forgot and no record tells.
 *
 * In:  BPF's maps `counters`, `cpus` and those that forget their least recently used entry; sequence numbers as they are delivered; the queue.
 * Out: LOST and COUNT records in the queue, a line for -v. A gap in the sequence numbers of a CPU is found by the decoder when the CPU's next
 * record comes: what is missing behind the last one is counted here, when tracing ends.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "httptrace.h"
#include "source/live_impl.h"

#define LOOK_EVERY_NS 1000000000ULL
/* Keys of the tables walked: of a thread, of a TLS object. */
#define KEY_BYTES_MAX 16

/* As in bpf/maps.bpf.h, struct ht_cpu. */
struct cpu_state {
	uint64_t seq;
	uint64_t id_cnt;
	uint64_t seq_taken;
	uint64_t missed;
	uint64_t ids[4][2];
};

/* Tables that forget. They fill up with what ended processes left behind: that these are forgotten is no loss, but it is told. */
static const struct {
	const char *map;
	const char *name; /* of the counter */
	uint32_t made, gone;
} tables[] = {
	{ "tls_objects", "evicted_bpf_tls_objects", HT_CNT_TLS_MADE, HT_CNT_TLS_GONE },
	{ "dns_calls", "evicted_bpf_lookups", HT_CNT_DNS_MADE, HT_CNT_DNS_GONE },
	{ "route_notes", "evicted_bpf_routes", HT_CNT_ROUTE_MADE, HT_CNT_ROUTE_GONE },
	{ "threads", "evicted_bpf_threads", HT_CNT_THREAD_MADE, HT_CNT_THREAD_GONE },
};

int ht_live_losses_init(struct ht_live *live)
{
	int cnt = libbpf_num_possible_cpus();

	if (cnt <= 0)
		return -EINVAL;
	live->next_seq = calloc((size_t)cnt, sizeof(*live->next_seq));
	if (!live->next_seq)
		return -ENOMEM;
	live->cpu_cnt = (uint32_t)cnt;
	return 0;
}

void ht_live_losses_free(struct ht_live *live)
{
	free(live->next_seq);
	live->next_seq = NULL;
	live->cpu_cnt = 0;
}

/* The sum over the CPUs of a counter of BPF's, 0 where it cannot be read. */
static uint64_t counter(const struct ht_live *live, uint32_t which)
{
	uint64_t *values = calloc(live->cpu_cnt ? live->cpu_cnt : 1, sizeof(*values)), sum = 0;
	int fd = ht_programs_map_fd(live->programs, "counters");

	if (values && live->cpu_cnt && fd >= 0 && !bpf_map_lookup_elem(fd, &which, values)) {
		for (uint32_t cpu = 0; cpu < live->cpu_cnt; cpu++)
			sum += values[cpu];
	}
	free(values);
	return sum;
}

static void tell_growth(struct ht_live *live, const char *where, uint64_t now_cnt, uint64_t *told_cnt)
{
	if (now_cnt <= *told_cnt)
		return;
	ht_live_queue_lost(live, where, now_cnt - *told_cnt);
	*told_cnt = now_cnt;
}

static void look(struct ht_live *live)
{
	tell_growth(live, "scratch", counter(live, HT_CNT_LOST_SCRATCH), &live->scratch_told_cnt);
	tell_growth(live, "socket_calls", counter(live, HT_CNT_CALL_MISSED), &live->call_told_cnt);
	tell_growth(live, "queue", live->queue.dropped_cnt, &live->queue_told_cnt);
}

/*
 * A record that found no room shows when the next one of its CPU comes, which may be long after what it would have told has been decided without it.
 * How many found none is known at once.
 */
void ht_live_losses_drained(struct ht_live *live)
{
	uint64_t passed_cnt = 0;
	struct ht_rec_losing *rec;

	for (uint32_t cpu = 0; cpu < live->cpu_cnt; cpu++)
		passed_cnt += live->next_seq[cpu];
	if (counter(live, HT_CNT_LOST_RINGBUF) <= passed_cnt - live->event_cnt)
		return;
	rec = ht_queue_add(&live->queue, HT_REC_LOSING, sizeof(*rec), live->tick_ns, 0);
	if (rec)
		rec->until_ns = ht_live_now_ns();
}

void ht_live_losses_look(struct ht_live *live, uint64_t now_ns)
{
	if (now_ns - live->looked_ns < LOOK_EVERY_NS)
		return;
	live->looked_ns = now_ns;
	look(live);
}

/* Records behind the last one of each CPU that found no room. */
static void tell_tail(struct ht_live *live)
{
	struct cpu_state *cpus = calloc(live->cpu_cnt, sizeof(*cpus));
	int fd = ht_programs_map_fd(live->programs, "cpus");
	uint64_t missing = 0;
	uint32_t zero = 0;

	/* Without a failure a number that has not come is of a record that is being made this moment. */
	if (cpus && fd >= 0 && counter(live, HT_CNT_LOST_RINGBUF) && !bpf_map_lookup_elem(fd, &zero, cpus)) {
		for (uint32_t i = 0; i < live->cpu_cnt; i++)
			missing += cpus[i].seq > live->next_seq[i] ? cpus[i].seq - live->next_seq[i] : 0;
	}
	free(cpus);
	if (missing)
		ht_live_queue_lost(live, "ringbuf", missing);
}

static uint64_t entries_of(int fd)
{
	uint8_t key[KEY_BYTES_MAX], *previous = NULL;
	uint64_t cnt = 0;

	while (!bpf_map_get_next_key(fd, previous, key)) {
		previous = key;
		cnt++;
	}
	return cnt;
}

static void tell_evicted(struct ht_live *live, size_t i)
{
	uint64_t made = counter(live, tables[i].made), gone = counter(live, tables[i].gone), there;
	int fd = ht_programs_map_fd(live->programs, tables[i].map);
	struct ht_rec_count *rec;

	if (fd < 0 || made <= gone)
		return;
	there = entries_of(fd);
	if (made - gone <= there)
		return;
	rec = ht_queue_add(&live->queue, HT_REC_COUNT, sizeof(*rec), ht_live_now_ns(), 0);
	if (!rec)
		return;
	rec->count = made - gone - there;
	snprintf(rec->name, sizeof(rec->name), "%s", tables[i].name);
}

static void say_counters(const struct ht_live *live)
{
	static const char *const names[HT_CNT_MAX] = {
		[HT_CNT_RECORDS] = "records",
		[HT_CNT_LOST_RINGBUF] = "lost (ring full)",
		[HT_CNT_LOST_SCRATCH] = "lost (no scratch or map room)",
		[HT_CNT_FAULT] = "user memory not readable",
		[HT_CNT_SOCK_OTHER] = "sockets not HTTP",
		[HT_CNT_SOCK_SERVER] = "server sockets",
		[HT_CNT_TLS_UNBOUND] = "TLS calls without a socket",
		[HT_CNT_CALL_MISSED] = "socket calls missed",
		[HT_CNT_RETURN_UNMATCHED] = "returns without entry",
	};
	char text[400] = "";
	size_t len = 0;

	for (uint32_t i = 0; i < HT_CNT_MAX; i++) {
		uint64_t sum = names[i] ? counter(live, i) : 0;

		if (sum && len < sizeof(text))
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %llu", len ? ", " : "", names[i],
						(unsigned long long)sum);
	}
	ht_live_say(live, HTTPTRACE_LOG_DEBUG, "BPF counters: %s", len ? text : "all zero");
	if (live->ring.malformed_cnt || live->queue.dropped_cnt)
		ht_live_say(live, HTTPTRACE_LOG_WARN, "%llu malformed records in the ring, %llu records of our own dropped",
			    (unsigned long long)live->ring.malformed_cnt, (unsigned long long)live->queue.dropped_cnt);
}

void ht_live_losses_end(struct ht_live *live)
{
	look(live);
	tell_tail(live);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		tell_evicted(live, i);
	say_counters(live);
}
