/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * maps.bpf.h - every map, with its bound and what happens at the bound. Declared here, defined in base.bpf.c, so that the concerns
 * link into one object.
 *
 * The types are named because the static linker wants the extern declaration and the definition to have the same BTF.
 */
#ifndef HT_MAPS_BPF_H
#define HT_MAPS_BPF_H

#include "types.bpf.h"

/* Records to user space. Full: the record is dropped and counted, its seq is spent. User space sets the size. */
struct ht_map_events {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
};

/* Filter: tgid -> HT_TRACED_*. Full: a child is not followed (HT_CNT_LOST_SCRATCH). */
struct ht_map_traced {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, HT_PROBE_MAP_FLAGS);
	__type(key, __u32);
	__type(value, __u32);
};

struct ht_map_counters {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HT_CNT_MAX);
	__type(key, __u32);
	__type(value, __u64);
};

/* How many may be taking an identity at once on a CPU: task, soft and hard interrupt, and one that was preempted. */
#define HT_DEPTHS 4

struct ht_cpu_ids {
	__u64 taken;
	__u64 cnt;
};

struct ht_cpu {
	__u64 seq;
	__u64 id_cnt; /* identities handed out on this CPU */
	/* HT_OLD (emit.bpf.h): whether a number is being taken; numbers not given for that; identities. */
	__u64 seq_taken;
	__u64 missed;
	struct ht_cpu_ids ids[HT_DEPTHS];
};

struct ht_map_cpus {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ht_cpu);
};

/*
 * Slots per CPU. Probes of user code can be preempted, by one another and by tracepoints: a slot is taken and given back, not assumed free.
 * All taken: the call's bytes are told by length only (HT_CNT_LOST_SCRATCH).
 */
#define HT_SCRATCH_CNT 3
struct ht_map_scratch {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HT_SCRATCH_CNT);
	__type(key, __u32);
	__type(value, struct ht_scratch);
};

/* Sockets: freed with the socket. */
struct ht_map_socks {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct ht_sock);
};

/*
 * The same by address (socks.bpf.h): taken out when the socket is destroyed. Full: sockets are not followed (HT_CNT_LOST_SCRATCH). Allocated at once:
 * probes may run where memory cannot be had.
 */
struct ht_map_socks_by_address {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct ht_sock);
};

/* Unix stream sockets, of all kinds: freed with the socket. */
struct ht_map_unix_socks {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct ht_unix);
};

/* The same by address: taken out when the socket is closed. Full: further ones are not followed (HT_CNT_LOST_SCRATCH). */
struct ht_map_unix_by_address {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct ht_unix);
};

#ifndef HT_OLD
/*
 * connect() calls on Unix sockets, by cookie, until their socket's first bytes. Most never carry HTTP, and nothing takes them out: the oldest go, and the
 * end of a connect() that is asked for later is not known.
 */
struct ht_map_unix_calls {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct ht_unix_call);
};

/* Clients' Unix sockets that are told of, by address. Forgotten, the end of the one not heard of for longest is not told. */
struct ht_map_unix_clients {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct ht_unix_client);
};
#endif

/*
 * Sends and receives in flight: pid_tgid -> call (calls.bpf.h). One whose end is missed is found, and taken over, at the thread's next. Full: the call's
 * bytes are missed (HT_CNT_CALL_MISSED). Key 0, which is no caller: when tracing began.
 */
struct ht_map_calls {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct ht_call);
};

/*
 * TLS objects: removed when freed; a process that ends leaves its behind. Full: the one not used for longest is forgotten (HT_CNT_TLS_MADE,
 * HT_CNT_TLS_GONE), and counts as never seen when it comes back. Room for 10,000 connections and the dead.
 */
struct ht_map_tls_objects {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct ht_tls_key);
	__type(value, struct ht_tls);
};

#ifdef HT_OLD
/*
 * Calls in flight per thread, pid_tgid: taken out when the thread ends. Full: of the thread that has made no TLS call for longest the calls in flight are
 * forgotten (HT_CNT_THREAD_MADE, HT_CNT_THREAD_GONE).
 */
struct ht_map_threads {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct ht_thread);
};

/*
 * Which function a thread's probe is on: said by a small program for each, taken out by the program that it jumps to (user/lib/attach/cookies.h). Entries
 * last as long as that takes: there are not more than probes running.
 */
struct ht_map_cookies {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u64);
};
#else
/* Calls in flight per thread: freed with the thread. */
struct ht_map_threads {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct ht_thread);
};
#endif

/* Lookups in flight: pid_tgid -> call. A thread killed inside one leaves its entry behind: the oldest are forgotten (HT_CNT_DNS_*). */
struct ht_map_dns_calls {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct ht_dns_call);
};

/* Requests being given to libnghttp2: pid_tgid -> call. Taken out at the return; the oldest are forgotten, and what they would tell stays unknown. */
struct ht_map_h2_calls {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct ht_h2_call);
};

/*
 * connect() calls that have not got as far as SYN_SENT: pid_tgid -> what routing said. One that has leaves its entry to the thread's next; the
 * oldest are forgotten (HT_CNT_ROUTE_*), and a failure at once then has no errno.
 */
struct ht_map_route_notes {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct ht_route_note);
};

extern const volatile struct ht_bpf_config ht_config;
/* 0, as the verifier knows: it leaves out what depends on it (probe.bpf.h). */
extern const volatile __u32 ht_never;

extern struct ht_map_events events SEC(".maps");
extern struct ht_map_traced traced SEC(".maps");
extern struct ht_map_counters counters SEC(".maps");
extern struct ht_map_cpus cpus SEC(".maps");
extern struct ht_map_scratch scratch SEC(".maps");
extern struct ht_map_socks socks SEC(".maps");
extern struct ht_map_socks_by_address socks_by_address SEC(".maps");
extern struct ht_map_unix_socks unix_socks SEC(".maps");
extern struct ht_map_unix_by_address unix_by_address SEC(".maps");
#ifndef HT_OLD
extern struct ht_map_unix_calls unix_calls SEC(".maps");
extern struct ht_map_unix_clients unix_clients SEC(".maps");
#endif
extern struct ht_map_calls calls SEC(".maps");
extern struct ht_map_tls_objects tls_objects SEC(".maps");
extern struct ht_map_threads threads SEC(".maps");
#ifdef HT_OLD
extern struct ht_map_cookies cookies SEC(".maps");
#endif
extern struct ht_map_dns_calls dns_calls SEC(".maps");
#ifndef HT_OLD
extern struct ht_map_h2_calls h2_calls SEC(".maps");
#endif
extern struct ht_map_route_notes route_notes SEC(".maps");

#endif
