/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * script_h2.c - HTTP/2 frames from words (script.h: h2, th2). Header blocks are made by libnghttp2's deflater, one for each direction of a stream of bytes,
 * as a peer has it.
 */
#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

#include "script_private.h"

enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE };

#define END_STREAM  0x1
#define ACK         0x1
#define END_HEADERS 0x4

#define FIELD_MAX 32

static void put(struct script *s, const void *bytes, size_t len)
{
	if (s->data_len + len > sizeof(s->data))
		script_wrong(s, "too many bytes");
	memcpy(s->data + s->data_len, bytes, len);
	s->data_len += len;
}

static void put_u32(struct script *s, uint32_t n)
{
	put(s, (unsigned char[]){ (unsigned char)(n >> 24), (unsigned char)(n >> 16), (unsigned char)(n >> 8), (unsigned char)n }, 4);
}

static void frame(struct script *s, size_t len, uint8_t type, uint8_t flags, uint32_t stream_id)
{
	put(s, (unsigned char[]){ (unsigned char)(len >> 16), (unsigned char)(len >> 8), (unsigned char)len, type, flags }, 5);
	put_u32(s, stream_id);
}

/* "7.": the number, and whether a dot says END_STREAM. */
static uint32_t stream_id_of(const struct script *s, char *text, bool *is_end)
{
	size_t len = strlen(text);

	*is_end = len && text[len - 1] == '.';
	if (*is_end)
		text[len - 1] = '\0';
	return (uint32_t)script_number_of(s, text);
}

/* fields: name=value,name=value */
static void headers(struct script *s, nghttp2_hd_deflater **deflater, uint32_t stream_id, bool is_end, char *fields)
{
	nghttp2_nv nv[FIELD_MAX];
	uint8_t block[4096];
	size_t cnt = 0;
	char *save = NULL;
	ssize_t len;

	if (!*deflater && nghttp2_hd_deflate_new(deflater, 4096))
		abort();
	for (char *field = strtok_r(fields, ",", &save); field && cnt < FIELD_MAX; field = strtok_r(NULL, ",", &save)) {
		char *value = strchr(field, '=');

		if (!value)
			script_wrong(s, field);
		*value++ = '\0';
		nv[cnt++] = (nghttp2_nv){ .name = (uint8_t *)field,
					  .namelen = strlen(field),
					  .value = (uint8_t *)value,
					  .valuelen = strlen(value),
					  .flags = NGHTTP2_NV_FLAG_NONE };
	}
	len = nghttp2_hd_deflate_hd(*deflater, block, sizeof(block), nv, cnt);
	if (len < 0)
		abort();
	frame(s, (size_t)len, HEADERS, END_HEADERS | (is_end ? END_STREAM : 0), stream_id);
	put(s, block, (size_t)len);
}

/* text: PROMISED,name=value,... */
static void push_promise(struct script *s, nghttp2_hd_deflater **deflater, uint32_t stream_id, char *text)
{
	size_t at = s->data_len;
	char *fields = strchr(text, ',');
	uint32_t len;

	*fields++ = '\0';
	headers(s, deflater, stream_id, false, fields);
	if (s->data_len + 4 > sizeof(s->data))
		script_wrong(s, "too many bytes");
	memmove(s->data + at + 13, s->data + at + 9, s->data_len - at - 9);
	s->data_len += 4;
	len = (uint32_t)(s->data_len - at - 9);
	s->data[at + 1] = (char)(len >> 8);
	s->data[at + 2] = (char)len;
	s->data[at + 3] = PUSH_PROMISE;
	len = (uint32_t)script_number_of(s, text);
	for (int i = 0; i < 4; i++)
		s->data[at + 9 + i] = (char)(len >> (24 - 8 * i));
}

static void one(struct script *s, nghttp2_hd_deflater **deflater, char *word)
{
	char *rest = strpbrk(word, ":,");
	bool is_end = false;
	uint32_t stream_id;

	if (!strcmp(word, "preface")) {
		put(s, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
		return;
	}
	if (rest)
		*rest++ = '\0';
	if (!strcmp(word, "past")) { /* past,name=value,... */
		size_t kept = s->data_len;

		headers(s, deflater, 1, true, rest);
		s->data_len = kept;
		return;
	}
	if (!strcmp(word, "settings")) { /* settings, settings:ID=VALUE */
		char *value = rest ? strchr(rest, '=') : NULL;

		frame(s, value ? 6 : 0, SETTINGS, 0, 0);
		if (!value)
			return;
		*value++ = '\0';
		put(s, (unsigned char[]){ 0, (unsigned char)script_number_of(s, rest) }, 2);
		put_u32(s, (uint32_t)script_number_of(s, value));
		return;
	}
	if (!strcmp(word, "ack")) {
		frame(s, 0, SETTINGS, ACK, 0);
		return;
	}
	stream_id = stream_id_of(s, word + 1, &is_end);
	switch (word[0]) {
	case 'H': /* H7.,:method=GET,... */
		headers(s, deflater, stream_id, is_end, rest);
		break;
	case 'D': { /* D7.:5 */
		uint64_t n = rest ? script_number_of(s, rest) : 0;

		frame(s, n, DATA, is_end ? END_STREAM : 0, stream_id);
		while (n--)
			put(s, "", 1);
		break;
	}
	case 'M': { /* M7:5 a gRPC message */
		uint64_t n = script_number_of(s, rest);

		frame(s, n + 5, DATA, is_end ? END_STREAM : 0, stream_id);
		put(s, "", 1);
		put_u32(s, (uint32_t)n);
		while (n--)
			put(s, "", 1);
		break;
	}
	case 'P': /* P7:2,:method=GET,... */
		push_promise(s, deflater, stream_id, rest);
		break;
	case 'R': /* R7:8 */
		frame(s, 4, RST_STREAM, 0, stream_id);
		put_u32(s, (uint32_t)script_number_of(s, rest));
		break;
	case 'G': /* G7:0: last stream, code */
		frame(s, 8, GOAWAY, 0, 0);
		put_u32(s, stream_id);
		put_u32(s, (uint32_t)script_number_of(s, rest));
		break;
	case 'W': /* W7:100 */
		frame(s, 4, WINDOW_UPDATE, 0, stream_id);
		put_u32(s, (uint32_t)script_number_of(s, rest));
		break;
	default:
		script_wrong(s, "no such frame");
	}
}

void script_h2(struct script *s, bool is_tls)
{
	static char stream_word[] = "stream=http2", quote[] = "'";
	struct script_transfer t = { .key = script_number(s, 1) | (is_tls ? SCRIPT_TLS_KEY : 0),
				     .dir = script_is_word(s, 2, "rx") ? HT_DIR_RX : HT_DIR_TX };
	struct script_stream *stream = script_stream_of(s, t.key);
	unsigned int kept = 4;

	s->data_len = 0;
	for (unsigned int i = 3; i < s->word_cnt; i++) {
		if (strchr(s->words[i], '=') && (!strncmp(s->words[i], "lost=", 5) || !strncmp(s->words[i], "took=", 5)))
			s->words[kept++] = s->words[i];
		else
			one(s, &stream->deflater[t.dir], s->words[i]);
	}
	s->words[2] = quote;
	s->words[3] = stream_word;
	s->word_cnt = kept;
	script_transfer(s, &t);
}

void script_submit(struct script *s)
{
	struct ht_rec_h2_submit *rec = calloc(1, sizeof(*rec));
	char *save = NULL;

	if (!rec)
		abort();
	rec->hdr = script_header(s, HT_REC_H2_SUBMIT, sizeof(*rec));
	rec->session = script_number(s, 1);
	rec->stream_id = (uint32_t)script_number(s, 2);
	script_word(s, 3);
	for (char *field = strtok_r(s->words[3], ",", &save); field && rec->told_cnt < HT_H2_FIELD_MAX;
	     field = strtok_r(NULL, ",", &save)) {
		char *value = strchr(field, '=');
		size_t len = strlen(field) - 1;

		if (!value || rec->text_len + len >= HT_H2_TEXT_MAX)
			script_wrong(s, field);
		rec->lens[rec->told_cnt].name = (uint16_t)(value - field);
		rec->lens[rec->told_cnt++].value = (uint16_t)strlen(value + 1);
		memmove(value, value + 1, strlen(value));
		memcpy(rec->text + rec->text_len, field, len);
		rec->text_len += (uint32_t)len;
	}
	rec->field_cnt = rec->told_cnt;
	if (script_is_word(s, 4, "cut"))
		rec->field_cnt++;
	ht_engine_record(script_engine(s), &rec->hdr);
	free(rec);
}

void script_h2_forget(struct script_stream *stream)
{
	for (int dir = 0; dir < 2; dir++) {
		if (stream->deflater[dir])
			nghttp2_hd_deflate_del(stream->deflater[dir]);
		stream->deflater[dir] = NULL;
	}
}

void script_h2_free(struct script *s)
{
	for (size_t i = 0; i < SCRIPT_STREAM_MAX; i++)
		script_h2_forget(&s->streams[i]);
}
