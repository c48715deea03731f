/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * check.c - validates records kind by kind.
 *
 * In:  one record, from the kernel, from a file, or from somebody who wants us to crash. Out: sound, malformed or unknown; and a copy that
 * the layers above can read by its struct without looking at a length first. Newer writers may append to a fixed-size kind: more bytes
 * than we know are no fault.
 */
#include "decode/check.h"

#include <stdint.h>
#include <string.h>

/* MAX_ERRNO of include/linux/err.h */
#define ERRNO_MAX     4095
/* TCP_BOUND_INACTIVE, the last of include/net/tcp_states.h. */
#define TCP_STATE_MAX 13
/* A stream that long is not to be met; sums of an offset and a length cannot overflow. */
#define OFFSET_MAX    ((__u64)1 << 62)

bool ht_check_header(const struct ht_hdr *hdr)
{
	return hdr->size >= sizeof(*hdr) && hdr->size <= HT_CHECK_RECORD_MAX_BYTES &&
	       (hdr->cpu < HT_CHECK_CPU_MAX || hdr->cpu == HT_CPU_USER) && hdr->ts_ns < HT_CHECK_TIME_MAX_NS;
}

static bool is_errno(__s32 err)
{
	return err >= 0 && err <= ERRNO_MAX;
}

static bool is_addr(const struct ht_addr *addr)
{
	return addr->family == 0 || addr->family == HT_AF_INET || addr->family == HT_AF_INET6;
}

static bool is_tcp_state(__u8 state)
{
	return state >= HT_TCP_ESTABLISHED && state <= TCP_STATE_MAX;
}

static bool check_sock_state(const struct ht_hdr *hdr)
{
	const struct ht_rec_sock_state *rec = (const struct ht_rec_sock_state *)hdr;

	return rec->cookie && is_addr(&rec->local) && is_addr(&rec->remote) && is_errno(rec->err) && is_tcp_state(rec->old_state) &&
	       is_tcp_state(rec->new_state);
}

static bool check_connect_fail(const struct ht_hdr *hdr)
{
	const struct ht_rec_connect_fail *rec = (const struct ht_rec_connect_fail *)hdr;

	return is_addr(&rec->remote) && is_errno(rec->err);
}

static bool check_unix_connect(const struct ht_hdr *hdr)
{
	const struct ht_rec_unix_connect *rec = (const struct ht_rec_unix_connect *)hdr;

	return rec->cookie && is_errno(rec->err) && rec->start_ns < HT_CHECK_TIME_MAX_NS && rec->done_ns < HT_CHECK_TIME_MAX_NS &&
	       rec->path_len <= HT_UNIX_PATH_MAX && rec->path_len <= rec->hdr.size - offsetof(struct ht_rec_unix_connect, path);
}

static bool check_sock_event(const struct ht_hdr *hdr)
{
	const struct ht_rec_sock_event *rec = (const struct ht_rec_sock_event *)hdr;

	return rec->cookie && is_errno(rec->err);
}

static bool check_data(const struct ht_hdr *hdr)
{
	const struct ht_rec_data *rec = (const struct ht_rec_data *)hdr;

	if (!rec->cookie && !rec->tls_id)
		return false;
	if (rec->captured_len > rec->orig_len || rec->captured_len > rec->hdr.size - sizeof(*rec))
		return false;
	if (rec->hdr.flags & HT_F_FAILED && rec->orig_len)
		return false;
	return rec->off < OFFSET_MAX && (rec->tls_id || is_errno(rec->err)) && rec->dir <= HT_DIR_RX && rec->via <= HT_VIA_TLS &&
	       rec->stream <= HT_STREAM_SOCKS;
}

static bool check_tls(const struct ht_hdr *hdr)
{
	const struct ht_rec_tls *rec = (const struct ht_rec_tls *)hdr;

	return rec->tls_id && rec->op >= HT_TLS_HANDSHAKE_START && rec->op <= HT_TLS_ERROR && rec->library <= HT_TLS_LIB_GO &&
	       rec->evidence <= HT_BIND_NESTED && rec->is_server <= 1 && rec->text_len <= HT_TLS_TEXT_MAX &&
	       rec->text_len <= rec->hdr.size - sizeof(*rec) && (rec->op != HT_TLS_BIND || rec->cookie);
}

static bool check_dns(const struct ht_hdr *hdr)
{
	const struct ht_rec_dns *rec = (const struct ht_rec_dns *)hdr;

	if (rec->host_len > HT_DNS_HOST_MAX || rec->service_len > HT_DNS_SERVICE_MAX)
		return false;
	if (rec->addr_cnt > HT_DNS_ADDR_MAX || rec->addr_cnt > rec->addr_total)
		return false;
	if (rec->addr_cnt * sizeof(rec->addrs[0]) > rec->hdr.size - offsetof(struct ht_rec_dns, addrs))
		return false;
	if (rec->hdr.kind == HT_REC_DNS_START && (rec->addr_cnt || rec->eai))
		return false;
	for (int i = 0; i < rec->addr_cnt; i++)
		if (!is_addr(&rec->addrs[i]) || !rec->addrs[i].family)
			return false;
	return is_errno(rec->sys_errno);
}

static bool check_h2_submit(const struct ht_hdr *hdr)
{
	const struct ht_rec_h2_submit *rec = (const struct ht_rec_h2_submit *)hdr;
	__u32 text_len = 0;

	if (!rec->stream_id || rec->stream_id > INT32_MAX || rec->told_cnt > HT_H2_FIELD_MAX || rec->told_cnt > rec->field_cnt)
		return false;
	for (__u16 i = 0; i < rec->told_cnt; i++)
		text_len += (__u32)rec->lens[i].name + rec->lens[i].value;
	return text_len == rec->text_len && text_len < HT_H2_TEXT_MAX &&
	       text_len <= rec->hdr.size - offsetof(struct ht_rec_h2_submit, text);
}

static bool check_proc(const struct ht_hdr *hdr)
{
	const struct ht_rec_proc *rec = (const struct ht_rec_proc *)hdr;

	return rec->op >= HT_PROC_FORK && rec->op <= HT_PROC_FACT && rec->exe_len <= HT_PROC_EXE_MAX &&
	       rec->exe_len <= rec->hdr.size - offsetof(struct ht_rec_proc, exe);
}

static bool check_target(const struct ht_hdr *hdr)
{
	const struct ht_rec_target *rec = (const struct ht_rec_target *)hdr;
	const char *text = (const char *)(rec + 1);
	unsigned int end_cnt = 0;

	if (rec->action < HT_TARGET_ATTACHED || rec->action > HT_TARGET_DETACHED || rec->text_len > HT_TARGET_TEXT_MAX ||
	    rec->text_len > rec->hdr.size - sizeof(*rec))
		return false;
	/* kind\0path\0reason\0; the copy ends the third in any case. */
	for (__u32 i = 0; i < rec->text_len; i++)
		end_cnt += text[i] == '\0';
	return end_cnt >= 2;
}

/* Offset of the text in the record, 0 if the kind has none; *len its length. */
static size_t text_of(const struct ht_hdr *rec, size_t *len)
{
	if (rec->kind == HT_REC_TLS) {
		*len = ((const struct ht_rec_tls *)rec)->text_len;
		return sizeof(struct ht_rec_tls);
	}
	if (rec->kind == HT_REC_TARGET) {
		*len = ((const struct ht_rec_target *)rec)->text_len;
		return sizeof(struct ht_rec_target);
	}
	*len = 0;
	return 0;
}

static bool check_clock(const struct ht_hdr *hdr)
{
	const struct ht_rec_clock *rec = (const struct ht_rec_clock *)hdr;

	return rec->mono_ns < HT_CHECK_TIME_MAX_NS && rec->realtime_ns < HT_CHECK_TIME_MAX_NS;
}

/* need_bytes must have come; the copy has full_bytes. They differ where the tail of a struct is not sent. */
static const struct kind {
	size_t need_bytes;
	size_t full_bytes;
	bool (*check)(const struct ht_hdr *hdr);
} kinds[] = {
	[HT_REC_SOCK_STATE] = { sizeof(struct ht_rec_sock_state), sizeof(struct ht_rec_sock_state), check_sock_state },
	[HT_REC_CONNECT_FAIL] = { sizeof(struct ht_rec_connect_fail), sizeof(struct ht_rec_connect_fail), check_connect_fail },
	[HT_REC_UNIX_CONNECT] = { offsetof(struct ht_rec_unix_connect, path), sizeof(struct ht_rec_unix_connect), check_unix_connect },
	[HT_REC_SOCK_ERROR] = { sizeof(struct ht_rec_sock_event), sizeof(struct ht_rec_sock_event), check_sock_event },
	[HT_REC_SOCK_RESET] = { sizeof(struct ht_rec_sock_event), sizeof(struct ht_rec_sock_event), check_sock_event },
	[HT_REC_SOCK_AGAIN] = { sizeof(struct ht_rec_sock_event), sizeof(struct ht_rec_sock_event), check_sock_event },
	[HT_REC_DATA] = { sizeof(struct ht_rec_data), sizeof(struct ht_rec_data), check_data },
	[HT_REC_TLS] = { sizeof(struct ht_rec_tls), sizeof(struct ht_rec_tls), check_tls },
	[HT_REC_DNS_START] = { offsetof(struct ht_rec_dns, addrs), sizeof(struct ht_rec_dns), check_dns },
	[HT_REC_DNS_DONE] = { offsetof(struct ht_rec_dns, addrs), sizeof(struct ht_rec_dns), check_dns },
	[HT_REC_H2_SUBMIT] = { offsetof(struct ht_rec_h2_submit, text), offsetof(struct ht_rec_h2_submit, text), check_h2_submit },
	[HT_REC_PROC] = { offsetof(struct ht_rec_proc, exe), sizeof(struct ht_rec_proc), check_proc },
	[HT_REC_CLOCK] = { sizeof(struct ht_rec_clock), sizeof(struct ht_rec_clock), check_clock },
	[HT_REC_TICK] = { sizeof(struct ht_rec_tick), sizeof(struct ht_rec_tick), NULL },
	[HT_REC_TARGET] = { sizeof(struct ht_rec_target), sizeof(struct ht_rec_target), check_target },
	[HT_REC_LOST] = { sizeof(struct ht_rec_lost), sizeof(struct ht_rec_lost), NULL },
	[HT_REC_CONFIG] = { sizeof(struct ht_rec_config), sizeof(struct ht_rec_config), NULL },
	[HT_REC_COUNT] = { sizeof(struct ht_rec_count), sizeof(struct ht_rec_count), NULL },
	[HT_REC_LOSING] = { sizeof(struct ht_rec_losing), sizeof(struct ht_rec_losing), NULL },
	[HT_REC_END] = { sizeof(struct ht_rec_tick), sizeof(struct ht_rec_tick), NULL },
};

enum ht_check ht_check_record(const struct ht_hdr *rec, size_t *copy_bytes)
{
	size_t text_off, text_len, bytes;
	const struct kind *kind;

	if (rec->kind >= sizeof(kinds) / sizeof(kinds[0]) || !kinds[rec->kind].need_bytes)
		return HT_CHECK_UNKNOWN;
	kind = &kinds[rec->kind];
	if (rec->size < kind->need_bytes || (kind->check && !kind->check(rec)))
		return HT_CHECK_MALFORMED;
	bytes = rec->size > kind->full_bytes ? rec->size : kind->full_bytes;
	text_off = text_of(rec, &text_len);
	if (text_off && text_off + text_len + 1 > bytes)
		bytes = text_off + text_len + 1;
	*copy_bytes = (bytes + 7) & ~(size_t)7;
	return HT_CHECK_SOUND;
}

/* 0 where it is later than the record: it was read on another CPU after the record's time was taken, or is not true. */
static void settle_start(const struct ht_hdr *hdr, __u64 *start_ns)
{
	if (*start_ns > hdr->ts_ns)
		*start_ns = 0;
}

/* Ends the string within its array and makes its length agree. */
static void settle_text(char *text, size_t room, __u16 *len)
{
	if (*len >= room)
		*len = (__u16)(room - 1);
	text[*len] = '\0';
	*len = (__u16)strlen(text);
}

void ht_check_copy(const struct ht_hdr *rec, struct ht_hdr *to, size_t copy_bytes)
{
	size_t text_off, text_len;

	memcpy(to, rec, rec->size);
	memset((char *)to + rec->size, 0, copy_bytes - rec->size);
	to->size = (__u32)copy_bytes;
	switch (to->kind) {
	case HT_REC_CONNECT_FAIL:
		settle_start(to, &((struct ht_rec_connect_fail *)to)->start_ns);
		break;
	case HT_REC_DATA:
		settle_start(to, &((struct ht_rec_data *)to)->start_ns);
		settle_start(to, &((struct ht_rec_data *)to)->arrival_ns);
		break;
	case HT_REC_TLS:
		settle_start(to, &((struct ht_rec_tls *)to)->start_ns);
		break;
	case HT_REC_DNS_START:
	case HT_REC_DNS_DONE: {
		struct ht_rec_dns *dns = (struct ht_rec_dns *)to;

		settle_start(to, &dns->start_ns);
		settle_text(dns->host, sizeof(dns->host), &dns->host_len);
		settle_text(dns->service, sizeof(dns->service), &dns->service_len);
		/* The array may be followed by bytes of a record that is larger than its counts say. */
		memset(&dns->addrs[dns->addr_cnt], 0, (HT_DNS_ADDR_MAX - dns->addr_cnt) * sizeof(dns->addrs[0]));
		break;
	}
	case HT_REC_PROC: {
		struct ht_rec_proc *proc = (struct ht_rec_proc *)to;

		proc->comm[sizeof(proc->comm) - 1] = '\0';
		settle_text(proc->exe, sizeof(proc->exe), &proc->exe_len);
		break;
	}
	case HT_REC_LOST: {
		struct ht_rec_lost *lost = (struct ht_rec_lost *)to;

		lost->where[sizeof(lost->where) - 1] = '\0';
		break;
	}
	case HT_REC_COUNT: {
		struct ht_rec_count *count = (struct ht_rec_count *)to;

		count->name[sizeof(count->name) - 1] = '\0';
		break;
	}
	default:
		break;
	}
	text_off = text_of(to, &text_len);
	if (text_off)
		((char *)to)[text_off + text_len] = '\0';
}
