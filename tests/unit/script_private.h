/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * script_private.h - what the files of the scenario language share: script_words.c reads a line's words, script_records.c makes records of them, script.c
 * has the commands and takes the engine's calls.
 */
#ifndef HT_SCRIPT_PRIVATE_H
#define HT_SCRIPT_PRIVATE_H

#include "abi/event.h"
#include "script.h"
#include "script_report.h"

#define SCRIPT_TOOK_NS    5000ull
#define SCRIPT_LINE_MAX   8192
#define SCRIPT_WORD_MAX   48
#define SCRIPT_STREAM_MAX 64 /* connections and TLS objects whose offsets are kept */
#define SCRIPT_TLS_KEY    (1ull << 63)

struct script_stream {
	uint64_t key; /* connection C: C; TLS object T: T | SCRIPT_TLS_KEY */
	uint64_t off[2];
	uint64_t cookie; /* of a TLS object: last bound */
	struct ht_addr local, remote;
	bool has_fin;
	struct nghttp2_hd_deflater *deflater[2]; /* of HTTP/2, by direction */
};

struct script {
	struct ht_engine *engine;
	struct ht_engine_opts opts;
	bool is_filtered, is_logging;
	struct script_view view;
	struct script_text text;
	size_t told; /* of text */
	uint64_t now_ns, step_ns, seq;
	uint32_t pid, tid;
	uint64_t proc_start_ns; /* of the next process record; 0 not known */
	struct script_stream streams[SCRIPT_STREAM_MAX];
	uint64_t dns_start_ns[SCRIPT_STREAM_MAX];
	size_t cut; /* each transfer comes as two records, cut there; 0: as one */
	/* By request id: begun and done. */
	uint8_t *state;
	size_t state_cnt;
	/* The command being run. */
	char line[SCRIPT_LINE_MAX];
	char *words[SCRIPT_WORD_MAX];
	unsigned int word_cnt;
	char data[SCRIPT_LINE_MAX]; /* its quoted text */
	size_t data_len;
};

/* ---- script_words.c: word i of the line; those that do not find what they want end the program ---- */

void script_wrong(const struct script *s, const char *what) __attribute__((noreturn));
/* Splits s->line; a quoted text goes to s->data and counts as the word "'". */
void script_split(struct script *s);
bool script_is_word(const struct script *s, unsigned int i, const char *word);
const char *script_word(const struct script *s, unsigned int i);
uint64_t script_number_of(const struct script *s, const char *text);
uint64_t script_number(const struct script *s, unsigned int i);
/* "10us" in ns */
uint64_t script_time_of(const struct script *s, const char *text);
/* "ECONNREFUSED", or a number */
int script_errno_of(const struct script *s, const char *name);
struct ht_addr script_addr_of(const struct script *s, const char *text, bool has_port);

/* ---- script_records.c ---- */

struct script_transfer {
	uint64_t key;
	uint8_t dir;
	uint16_t flags;
	int err;
};

struct script_stream *script_stream_of(struct script *s, uint64_t key);
/* A record's header, at the time of now, with the options that every record may have. */
struct ht_hdr script_header(struct script *s, uint16_t kind, size_t size);
/* When the call that ends at ts_ns began: `took=`, else usual_ns before. */
uint64_t script_begin_of(const struct script *s, uint64_t ts_ns, uint64_t usual_ns);
void script_state(struct script *s, uint64_t c, uint8_t from, uint8_t to, int err, bool is_foreign);
void script_sock_event(struct script *s, uint64_t c, uint16_t kind, int err);
void script_transfer(struct script *s, const struct script_transfer *t);
void script_proc(struct script *s, uint16_t op, uint32_t pid, uint32_t ppid, const char *comm, const char *exe);

/* ---- script_h2.c ---- */

/* The command h2 (of a TLS object: th2). */
void script_h2(struct script *s, bool is_tls);
/* The command submit. */
void script_submit(struct script *s);
/* The stream of bytes is another one's from now on. */
void script_h2_forget(struct script_stream *stream);
void script_h2_free(struct script *s);

#endif
