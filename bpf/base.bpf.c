/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * base.bpf.c - the one definition of each map and of the configuration, and the licence that lets the programs call GPL-only
 * helpers.
 *
 * The static linker must meet this object first: where it has seen a map's extern declaration before, it keeps offset 0 in .maps
 * for it and the map cannot be found (libbpf 1.1, linker.c). Objects are linked in the order of their names, hence this one's.
 */
#include "maps.bpf.h"

const volatile struct ht_bpf_config ht_config = {
	.flags = HT_CFG_PROCS,
	.head_bytes = HT_HEAD_BYTES_DEFAULT,
	.wakeup_bytes = 1 << 20,
};

const volatile __u32 ht_never = 0;

struct ht_map_events events SEC(".maps");
struct ht_map_traced traced SEC(".maps");
struct ht_map_counters counters SEC(".maps");
struct ht_map_cpus cpus SEC(".maps");
struct ht_map_scratch scratch SEC(".maps");
struct ht_map_socks socks SEC(".maps");
struct ht_map_socks_by_address socks_by_address SEC(".maps");
struct ht_map_unix_socks unix_socks SEC(".maps");
struct ht_map_unix_by_address unix_by_address SEC(".maps");
#ifndef HT_OLD
struct ht_map_unix_calls unix_calls SEC(".maps");
struct ht_map_unix_clients unix_clients SEC(".maps");
#endif
struct ht_map_calls calls SEC(".maps");
struct ht_map_tls_objects tls_objects SEC(".maps");
struct ht_map_threads threads SEC(".maps");
#ifdef HT_OLD
struct ht_map_cookies cookies SEC(".maps");
#endif
struct ht_map_dns_calls dns_calls SEC(".maps");
#ifndef HT_OLD
struct ht_map_h2_calls h2_calls SEC(".maps");
#endif
struct ht_map_route_notes route_notes SEC(".maps");

char LICENSE[] SEC("license") = "Dual BSD/GPL";
