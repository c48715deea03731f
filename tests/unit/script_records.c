/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * script_records.c - from a command's words to the records that the kernel side would send.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hello_samples.h"
#include "script_private.h"

struct script_stream *script_stream_of(struct script *s, uint64_t key)
{
	struct script_stream *stream =
		&s->streams[(key & ~SCRIPT_TLS_KEY) % (SCRIPT_STREAM_MAX / 2) + (key & SCRIPT_TLS_KEY ? SCRIPT_STREAM_MAX / 2 : 0)];

	if (stream->key != key)
		*stream = (struct script_stream){ .key = key };
	return stream;
}

/* The header, at the time of now; options that every record may have. */
struct ht_hdr script_header(struct script *s, uint16_t kind, size_t size)
{
	struct ht_hdr hdr = { .size = (uint32_t)size, .kind = kind, .seq = s->seq++, .tgid = s->pid, .tid = s->tid };

	s->now_ns += s->step_ns;
	hdr.ts_ns = s->now_ns;
	for (unsigned int i = 1; i < s->word_cnt; i++) {
		if (!strncmp(s->words[i], "lost=", 5))
			hdr.lost = (uint32_t)script_number_of(s, s->words[i] + 5);
		else if (!strncmp(s->words[i], "late=", 5))
			hdr.ts_ns -= script_time_of(s, s->words[i] + 5);
		else if (script_is_word(s, i, "foreign"))
			hdr.flags |= HT_F_FOREIGN;
	}
	if (hdr.flags & HT_F_FOREIGN)
		hdr.tid = 0;
	return hdr;
}

/* When the call that ends at ts_ns began: `took=`, else usual_ns before. */
uint64_t script_begin_of(const struct script *s, uint64_t ts_ns, uint64_t usual_ns)
{
	for (unsigned int i = 1; i < s->word_cnt; i++) {
		if (script_is_word(s, i, "took=?"))
			return 0;
		if (!strncmp(s->words[i], "took=", 5))
			return ts_ns - script_time_of(s, s->words[i] + 5);
	}
	return ts_ns - usual_ns;
}

void script_state(struct script *s, uint64_t c, uint8_t from, uint8_t to, int err, bool is_foreign)
{
	struct script_stream *stream = script_stream_of(s, c);
	struct ht_rec_sock_state rec = { .hdr = script_header(s, HT_REC_SOCK_STATE, sizeof(rec)) };

	if (is_foreign) {
		rec.hdr.flags |= HT_F_FOREIGN;
		rec.hdr.tid = 0;
	}
	rec.cookie = c;
	rec.tx_bytes = stream->off[HT_DIR_TX];
	rec.rx_bytes = stream->off[HT_DIR_RX];
	rec.remote = stream->remote;
	rec.local = stream->local;
	if (from == HT_TCP_CLOSE)
		rec.local.port = 0;
	rec.err = err;
	rec.old_state = from;
	rec.new_state = to;
	ht_engine_record(script_engine(s), &rec.hdr);
}

void script_sock_event(struct script *s, uint64_t c, uint16_t kind, int err)
{
	struct ht_rec_sock_event rec = { .hdr = script_header(s, kind, sizeof(rec)) };

	rec.cookie = c;
	rec.err = err;
	ht_engine_record(script_engine(s), &rec.hdr);
}

static const struct {
	const char *name;
	const unsigned char *bytes;
	size_t len;
} samples[] = {
#define SAMPLE(name)                                        \
	{                                                   \
#name, sample_##name, sizeof(sample_##name) \
	}
	SAMPLE(tls12_client),
	SAMPLE(tls12_server),
	SAMPLE(tls12_id_full_client),
	SAMPLE(tls12_id_full_server),
	SAMPLE(tls12_id_resumed_client),
	SAMPLE(tls12_id_resumed_server),
	SAMPLE(tls12_ticket_resumed_client),
	SAMPLE(tls12_ticket_resumed_server),
	SAMPLE(tls13_client),
	SAMPLE(tls13_server),
	SAMPLE(tls13_resumed_client),
	SAMPLE(tls13_resumed_server),
	SAMPLE(tls13_retry_client),
	SAMPLE(tls13_retry_server),
	SAMPLE(curl_client),
	SAMPLE(curl_server),
	SAMPLE(alert_version_client),
	SAMPLE(alert_version_server),
#undef SAMPLE
};

static void take_sample(struct script *s, const char *name)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if (!strcmp(samples[i].name, name)) {
			memcpy(s->data, samples[i].bytes, samples[i].len);
			s->data_len = samples[i].len;
			return;
		}
	script_wrong(s, "no such sample");
}

static uint8_t stream_kind(const struct script *s, const char *name)
{
	static const char *const kinds[] = { "unknown", "http1", "http2", "tls", "other", "websocket", "socks" };

	for (uint8_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i], name))
			return i;
	script_wrong(s, name);
	return 0;
}

static void send_part(struct script *s, const struct ht_rec_data *rec, size_t from, size_t to)
{
	/* Exactly as long as it is but for decode's padding to 8, so that a read behind it is found. */
	size_t size = sizeof(*rec) + ((to - from + 7) & ~(size_t)7);
	struct ht_rec_data *part = calloc(1, size);

	if (!part)
		abort();
	*part = *rec;
	part->hdr.size = (uint32_t)size;
	part->off += from;
	part->captured_len = (uint32_t)(to - from);
	part->orig_len = to == rec->captured_len ? rec->orig_len - (uint32_t)from : part->captured_len;
	if (from)
		part->hdr.lost = 0;
	memcpy(part + 1, (const char *)(rec + 1) + from, to - from);
	ht_engine_record(script_engine(s), &part->hdr);
	free(part);
}

/* One call may make several records: of one time, with consecutive offsets. */
static void send_data(struct script *s, const struct ht_rec_data *rec)
{
	size_t at = s->cut && rec->captured_len ? s->cut % rec->captured_len : 0;

	if (at)
		send_part(s, rec, 0, at);
	send_part(s, rec, at, rec->captured_len);
}

void script_transfer(struct script *s, const struct script_transfer *t)
{
	struct script_stream *stream = script_stream_of(s, t->key);
	struct ht_rec_data *rec;
	uint64_t more = 0;
	bool is_tls = t->key & SCRIPT_TLS_KEY;

	if (t->flags == 0 && s->word_cnt > 2 && !script_is_word(s, 2, "'"))
		take_sample(s, s->words[2]);
	rec = calloc(1, sizeof(*rec) + ((s->data_len + 7) & ~(size_t)7));
	if (!rec)
		abort();
	rec->hdr = script_header(s, HT_REC_DATA, sizeof(*rec) + ((s->data_len + 7) & ~(size_t)7));
	rec->hdr.flags |= t->flags;
	rec->dir = t->dir;
	rec->via = is_tls ? HT_VIA_TLS : HT_VIA_SYSCALL;
	rec->err = t->err;
	rec->cookie = is_tls ? stream->cookie : t->key;
	rec->tls_id = is_tls ? t->key & ~SCRIPT_TLS_KEY : 0;
	rec->off = stream->off[t->dir];
	for (unsigned int i = 2; i < s->word_cnt; i++) {
		const char *w = s->words[i];

		if (w[0] == '+')
			more = script_number_of(s, w + 1);
		else if (!strncmp(w, "off=", 4))
			rec->off = script_number_of(s, w + 4);
		else if (!strncmp(w, "stream=", 7))
			rec->stream = stream_kind(s, w + 7);
		else if (!strncmp(w, "cookie=", 7))
			rec->cookie = script_number_of(s, w + 7);
		else if (!strcmp(w, "handshake"))
			rec->hdr.flags |= HT_F_HANDSHAKE;
		else if (!strcmp(w, "nobuf"))
			rec->hdr.flags |= HT_F_NOBUF;
	}
	if (t->dir == HT_DIR_TX)
		rec->start_ns = script_begin_of(s, rec->hdr.ts_ns, SCRIPT_TOOK_NS);
	rec->captured_len = rec->hdr.flags & HT_F_NOBUF ? 0 : (uint32_t)s->data_len;
	rec->orig_len = (uint32_t)(s->data_len + more);
	memcpy(rec + 1, s->data, s->data_len);
	stream->off[t->dir] = rec->off + rec->orig_len;
	send_data(s, rec);
	free(rec);
}

void script_proc(struct script *s, uint16_t op, uint32_t pid, uint32_t ppid, const char *comm, const char *exe)
{
	struct ht_rec_proc rec = {
		.hdr = script_header(s, HT_REC_PROC, sizeof(rec)), .start_ns = s->proc_start_ns, .op = op, .ppid = ppid
	};

	rec.hdr.tgid = pid;
	rec.hdr.tid = pid;
	snprintf(rec.comm, sizeof(rec.comm), "%s", comm);
	rec.exe_len = (uint16_t)snprintf(rec.exe, sizeof(rec.exe), "%s", exe);
	ht_engine_record(script_engine(s), &rec.hdr);
}
