/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * dns.bpf.c - lookups by the C library's getaddrinfo, on any thread.
 *
 * In: its entry and return. Out: HT_REC_DNS_START, HT_REC_DNS_DONE with the answers. The call in flight is kept by thread
 * (maps.bpf.h: dns_calls); a lookup inside a lookup (a name service module may make one) belongs to the outer one and is not told.
 */
#include "arch.bpf.h"
#include "emit.bpf.h"
#include "filter.bpf.h"
#include "probe.bpf.h"

/* Nodes of the result list looked at: 16 addresses times three socket types, and some. */
#define ADDRINFO_MAX 64

/* struct addrinfo of glibc and musl on 64-bit machines: the same. */
#define AI_FAMILY 4
#define AI_ADDR   24
#define AI_NEXT   40

struct dns_walk {
	struct ht_rec_dns *rec;
	__u64 node;
	__u64 last[2]; /* address before, to leave out its other socket types */
	__u32 last_family;
	__u32 pad;
};

static long walk_step(__u32 i, struct dns_walk *walk)
{
	struct ht_rec_dns *rec = walk->rec;
	__u64 node[6], addr[2] = {};
	struct ht_addr *to;
	__u32 family, cnt, sa[7];

	if (!walk->node || bpf_probe_read_user(node, sizeof(node), (void *)walk->node))
		return 1;
	walk->node = node[AI_NEXT / 8];
	if (!node[AI_ADDR / 8])
		return 0;
	family = node[0] >> 32;
	if (family == AF_INET) {
		/* struct sockaddr_in: family, port, address */
		if (bpf_probe_read_user(sa, 8, (void *)node[AI_ADDR / 8]))
			return 0;
		addr[0] = sa[1];
		sa[6] = 0;
	} else if (family == AF_INET6) {
		/* struct sockaddr_in6: family, port, flow, address, scope */
		if (bpf_probe_read_user(sa, 28, (void *)node[AI_ADDR / 8]))
			return 0;
		addr[0] = (__u64)sa[3] << 32 | sa[2];
		addr[1] = (__u64)sa[5] << 32 | sa[4];
	} else {
		return 0;
	}
	if (family == walk->last_family && addr[0] == walk->last[0] && addr[1] == walk->last[1])
		return 0;
	walk->last_family = HT_ONCE(node[0]) >> 32; /* not `family`, of which the verifier knows what it was compared with */
	walk->last[0] = addr[0];
	walk->last[1] = addr[1];
	rec->addr_total++;
	cnt = rec->addr_cnt;
	if (cnt >= HT_DNS_ADDR_MAX)
		return 0;
	to = &rec->addrs[cnt & (HT_DNS_ADDR_MAX - 1)];
	to->family = family;
	to->port = __builtin_bswap16(sa[0] >> 16);
	to->scope_id = sa[6];
	*(__u64 *)to->addr = addr[0];
	*(__u64 *)(to->addr + 8) = addr[1];
	if (family == AF_INET6 && !addr[0] && (__u32)addr[1] == __builtin_bswap32(0xffff)) {
		to->family = HT_AF_INET;
		*(__u64 *)to->addr = addr[1] >> 32;
		*(__u64 *)(to->addr + 8) = 0;
	}
	rec->addr_cnt = cnt + 1;
	return 0;
}

static __always_inline void dns_fill(struct ht_rec_dns *rec, const struct ht_dns_call *call)
{
	rec->call_id = call->call_id;
	rec->start_ns = call->start_ns;
	rec->sys_errno = 0;
	rec->host_len = call->host_len;
	rec->service_len = call->service_len;
	rec->addr_cnt = 0;
	rec->addr_total = 0;
	rec->ai_flags = call->ai_flags;
	rec->pad = 0;
	__builtin_memcpy(rec->host, call->host, sizeof(rec->host));
	__builtin_memcpy(rec->service, call->service, sizeof(rec->service));
}

static __always_inline __u16 text_of(char *to, __u32 room, __u64 from)
{
	long n = from ? bpf_probe_read_user_str(to, room, (void *)from) : 0;

	if (n < 0)
		ht_count(HT_CNT_FAULT);
	return n > 0 ? n - 1 : 0;
}

static __always_inline void read_texts(struct ht_dns_call *call)
{
	if (!call->host_len)
		call->host_len = text_of(call->host, sizeof(call->host), call->host_at);
	if (!call->service_len)
		call->service_len = text_of(call->service, sizeof(call->service), call->service_at);
}

static const struct ht_dns_call new_call;

static __always_inline void forget(const __u64 *who)
{
	if (!bpf_map_delete_elem(&dns_calls, who))
		ht_count(HT_CNT_DNS_GONE);
}

static __always_inline int on_lookup(struct pt_regs *ctx)
{
	__u64 ts = bpf_ktime_get_ns(), who = bpf_get_current_pid_tgid(), sp = PT_REGS_SP(ctx), seq, hints;
	struct ht_dns_call *call;
	struct ht_rec_dns *rec;

	if (!ht_allowed(who >> 32))
		return 0;
	call = bpf_map_lookup_elem(&dns_calls, &who);
	/* One in flight further out on the stack: this one is its own. Otherwise that one never returned. */
	if (call && call->sp > sp)
		return 0;
	if (bpf_map_update_elem(&dns_calls, &who, &new_call, BPF_ANY)) {
		ht_count(HT_CNT_LOST_SCRATCH);
		return 0;
	}
	if (!call)
		ht_count(HT_CNT_DNS_MADE);
	call = bpf_map_lookup_elem(&dns_calls, &who);
	if (!call)
		return 0;
	call->sp = sp;
	call->res = PT_REGS_PARM4(ctx);
	call->call_id = ht_next_id();
	call->start_ns = ts;
	call->host_at = PT_REGS_PARM1(ctx);
	call->service_at = PT_REGS_PARM2(ctx);
	read_texts(call);
	hints = PT_REGS_PARM3(ctx);
	if (hints)
		bpf_probe_read_user(&call->ai_flags, sizeof(call->ai_flags), (void *)hints);

	rec = ht_reserve(__builtin_offsetof(struct ht_rec_dns, addrs), &seq, NULL);
	if (!rec)
		return 0;
	ht_hdr_init(&rec->hdr, __builtin_offsetof(struct ht_rec_dns, addrs), HT_REC_DNS_START, 0, ts, seq, who >> 32, who);
	dns_fill(rec, call);
	rec->eai = 0;
	ht_submit(rec, ht_wake(sizeof(*rec)));
	return 0;
}

static __always_inline int on_lookup_done(struct pt_regs *ctx)
{
	__u64 ts = bpf_ktime_get_ns(), who = bpf_get_current_pid_tgid(), seq;
	struct ht_dns_call *call;
	struct dns_walk walk = {};
	struct ht_rec_dns *rec;
	__s32 eai = PT_REGS_RC(ctx);

	if (!ht_allowed(who >> 32))
		return 0;
	call = bpf_map_lookup_elem(&dns_calls, &who);
	if (!call) {
		ht_count(HT_CNT_RETURN_UNMATCHED);
		return 0;
	}
	/* Deeper in the stack than the outer call: an inner one's return. */
	if (PT_REGS_SP(ctx) - HT_RETURN_POPS < call->sp)
		return 0;
	read_texts(call);
	rec = ht_reserve(sizeof(*rec), &seq, NULL);
	if (!rec) {
		forget(&who);
		return 0;
	}
	ht_hdr_init(&rec->hdr, 0, HT_REC_DNS_DONE, 0, ts, seq, who >> 32, who);
	dns_fill(rec, call);
	rec->eai = eai;
	if (!eai && !bpf_probe_read_user(&walk.node, sizeof(walk.node), (void *)call->res)) {
		walk.rec = rec;
		HT_LOOP(ADDRINFO_MAX, ADDRINFO_MAX, walk_step, &walk);
	}
	rec->hdr.size = __builtin_offsetof(struct ht_rec_dns, addrs) + rec->addr_cnt * sizeof(struct ht_addr);
	ht_submit(rec, ht_wake(sizeof(*rec)));
	forget(&who);
	return 0;
}

SEC("uprobe")
int up_dns_enter(struct pt_regs *ctx)
{
	ht_keep_own_stack(ctx);
	return on_lookup(ctx);
}

SEC("uretprobe")
int up_dns_return(struct pt_regs *ctx)
{
	ht_keep_own_stack(ctx);
	return on_lookup_done(ctx);
}
