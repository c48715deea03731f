/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_bounds.c - long captures through the public API: an hour of ticks, a million connections, of processes and of TLS objects. Memory
 * stays within its bound, and what was forgotten is counted.
 *
 * The capture is written by a thread into a FIFO while it is read: nothing is kept. Figures go to the file that HTTPTRACE_FIGURES names.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "conn/model.h"
#include "source/file.h"

#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

/* Under a sanitizer each takes many times as long, and memory is the sanitizer's. */
#define MILLION       (IS_SANITIZED ? 100000u : 1000000u)
#define TICK_EVERY_NS (5 * HT_MS)
#define HOUR_TICKS    (IS_SANITIZED ? 72000u : 720000u)
/* Room for what grows with the number of objects that are known, whatever came before. */
#define GROWTH_MAX_KB 2048

/* ---- the writer ---------------------------------------------------------------------------------------------------------------------- */

static struct writer {
	struct ht_recorder *recorder;
	uint64_t now_ns;
	uint64_t seq;
	void (*scene)(struct writer *w);
} writer;

static void put(struct writer *w, void *rec, size_t size, uint16_t kind, uint32_t tgid)
{
	struct ht_hdr *hdr = rec;

	hdr->size = (uint32_t)size;
	hdr->kind = kind;
	hdr->ts_ns = w->now_ns += 100;
	hdr->cpu = kind >= HT_REC_CLOCK ? HT_CPU_USER : 0;
	hdr->seq = kind >= HT_REC_CLOCK ? 0 : w->seq++;
	hdr->tgid = hdr->tid = tgid;
	ht_recorder_add(w->recorder, hdr);
}

static void tick(struct writer *w)
{
	struct ht_rec_tick rec = { 0 };

	put(w, &rec, sizeof(rec), HT_REC_TICK, 0);
}

static struct ht_addr addr_of(uint32_t n, uint16_t port)
{
	struct ht_addr addr = { .family = HT_AF_INET, .port = port };

	memcpy(addr.addr, (uint8_t[]){ 10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n }, 4);
	return addr;
}

static void state(struct writer *w, uint64_t cookie, uint32_t tgid, uint8_t old_state, uint8_t new_state)
{
	struct ht_rec_sock_state rec = { .cookie = cookie, .old_state = old_state, .new_state = new_state };

	rec.remote = addr_of((uint32_t)cookie, 80);
	if (new_state != HT_TCP_SYN_SENT)
		rec.local = addr_of(0xffffff, (uint16_t)(1024 + cookie % 60000));
	put(w, &rec, sizeof(rec), HT_REC_SOCK_STATE, tgid);
}

static void data(struct writer *w, uint64_t cookie, uint64_t tls_id, uint32_t tgid, uint8_t dir, const char *text)
{
	struct {
		struct ht_rec_data rec;
		char text[160];
	} all = { .rec = { .cookie = cookie,
			   .tls_id = tls_id,
			   .dir = dir,
			   .via = tls_id ? HT_VIA_TLS : HT_VIA_SYSCALL,
			   .stream = HT_STREAM_HTTP1 } };
	size_t len = strlen(text);

	memcpy(all.text, text, len);
	all.rec.orig_len = all.rec.captured_len = (uint32_t)len;
	put(w, &all.rec, sizeof(all.rec) + ((len + 7) & ~(size_t)7), HT_REC_DATA, tgid);
}

static void exchange(struct writer *w, uint64_t cookie, uint64_t tls_id, uint32_t tgid)
{
	data(w, cookie, tls_id, tgid, HT_DIR_TX, "GET /index.html HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: bounds\r\n\r\n");
	data(w, cookie, tls_id, tgid, HT_DIR_RX, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: bounds\r\n\r\nhello");
}

static void open_conn(struct writer *w, uint64_t cookie, uint32_t tgid)
{
	state(w, cookie, tgid, HT_TCP_CLOSE, HT_TCP_SYN_SENT);
	state(w, cookie, tgid, HT_TCP_SYN_SENT, HT_TCP_ESTABLISHED);
	if (cookie % 500 == 0)
		tick(w);
}

static void proc(struct writer *w, uint32_t tgid, uint16_t op)
{
	struct ht_rec_proc rec = { .op = op, .comm = "bounds", .exe = "/usr/bin/bounds", .exe_len = 15 };

	put(w, &rec, sizeof(rec), HT_REC_PROC, tgid);
	if (tgid % 500 == 0)
		tick(w);
}

static void *write_capture(void *ctx)
{
	struct ht_rec_clock clock = { .mono_ns = 1000, .realtime_ns = 1767323045000000000ull };
	struct ht_rec_config config = { .head_bytes = 16384 };
	struct ht_rec_tick end = { 0 };
	int fd = open(ctx, O_WRONLY | O_CLOEXEC);

	writer.recorder = ht_recorder_new(fd);
	put(&writer, &clock, sizeof(clock), HT_REC_CLOCK, 0);
	put(&writer, &config, sizeof(config), HT_REC_CONFIG, 0);
	writer.scene(&writer);
	put(&writer, &end, sizeof(end), HT_REC_END, 0);
	ht_recorder_finish(writer.recorder);
	ht_recorder_free(writer.recorder);
	close(fd);
	return NULL;
}

/* ---- the reader ---------------------------------------------------------------------------------------------------------------------- */

static struct told {
	uint64_t requests, dials, ok, events;
	uint64_t evicted, evicted_conns, evicted_procs, evicted_tls, lost;
	uint64_t peak_kb, early_kb; /* RssAnon: the highest, and what it was when a third had been read */
} told;

static uint64_t rss_anon_kb(void)
{
	unsigned long long kb = 0;
	char line[256];
	FILE *file = fopen("/proc/self/status", "r");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "RssAnon: %llu", &kb) == 1)
			break;
	if (file)
		fclose(file);
	return kb;
}

static void request_done(struct httptrace_request *request, void *ctx)
{
	(void)ctx;
	told.ok += httptrace_request__outcome(request) == HTTPTRACE_OK;
}

static void on_notice(const struct httptrace_notice *notice, void *ctx)
{
	static const struct {
		const char *name;
		uint64_t *to;
	} wanted[] = {
		{ "evicted", &told.evicted },
		{ "evicted_connections", &told.evicted_conns },
		{ "evicted_processes", &told.evicted_procs },
		{ "evicted_tls_objects", &told.evicted_tls },
	};

	(void)ctx;
	if (notice->kind != HTTPTRACE_NOTICE_SUMMARY)
		return;
	told.requests = notice->requests;
	told.dials = notice->dials;
	told.events = notice->events;
	for (size_t i = 0; i < notice->lost_cnt; i++)
		told.lost += notice->lost[i].count;
	for (size_t i = 0; i < notice->skipped_cnt; i++)
		for (size_t j = 0; j < sizeof(wanted) / sizeof(wanted[0]); j++)
			if (!strcmp(notice->skipped[i].name, wanted[j].name))
				*wanted[j].to = notice->skipped[i].count;
}

static void figure(const char *name, uint64_t value, const char *unit, const char *wanted)
{
	const char *path = getenv("HTTPTRACE_FIGURES");
	FILE *file = path ? fopen(path, "a") : NULL;

	if (!file)
		return;
	fprintf(file, "{\"name\": \"replay of %s\", \"value\": %llu, \"unit\": \"%s\", \"wanted\": \"%s\"}\n", name,
		(unsigned long long)value, unit, wanted);
	fclose(file);
}

/* Replays the scene, of which the first third may fill the tables. */
static void replay(const char *name, void (*scene)(struct writer *w), uint64_t end_estimate_ns)
{
	struct httptrace_open_opts opts = { .sz = sizeof(opts), .notice = on_notice };
	struct httptrace_client_trace trace = { .sz = sizeof(trace), .request_done = request_done };
	char folder[] = "/tmp/httptrace-bounds-XXXXXX", path[64];
	struct timespec begin, end;
	struct httptrace *tracer;
	uint64_t polls = 0;
	pthread_t thread;
	int ret;

	memset(&told, 0, sizeof(told));
	writer = (struct writer){ .now_ns = 1000, .scene = scene };
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/capture", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(pthread_create(&thread, NULL, write_capture, path), 0);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	tracer = httptrace__open_file(path, &opts);
	assert_non_null(tracer);
	assert_true(httptrace__register(tracer, &trace, NULL) > 0);
	while ((ret = httptrace__poll(tracer, 0)) >= 0) {
		uint64_t kb = polls++ % 64 ? 0 : rss_anon_kb();

		if (kb > told.peak_kb)
			told.peak_kb = kb;
		if (kb && __atomic_load_n(&writer.now_ns, __ATOMIC_RELAXED) < end_estimate_ns / 3)
			told.early_kb = told.peak_kb;
	}
	assert_int_equal(ret, -ENODATA);
	assert_string_equal(httptrace__error(tracer), "");
	clock_gettime(CLOCK_MONOTONIC, &end);
	httptrace__close(tracer);
	pthread_join(thread, NULL);
	unlink(path);
	rmdir(folder);
	assert_int_equal(told.lost, 0);
	figure(name, told.peak_kb, "kB RssAnon at the most", "bounded");
	figure(name, (uint64_t)((end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000), "ms", "");
}

/* After the first third nothing grows any more. */
static void check_memory(uint64_t max_kb)
{
	if (IS_SANITIZED)
		return;
	assert_true(told.early_kb > 0);
	if (told.peak_kb > told.early_kb + GROWTH_MAX_KB || told.peak_kb > max_kb)
		fail_msg("RssAnon: %llu kB after a third, at the most %llu kB, allowed %llu kB", (unsigned long long)told.early_kb,
			 (unsigned long long)told.peak_kb, (unsigned long long)max_kb);
}

/* ---- scenes -------------------------------------------------------------------------------------------------------------------------- */

static void an_hour_of_ticks(struct writer *w)
{
	open_conn(w, 1, 7);
	exchange(w, 1, 0, 7);
	for (uint32_t i = 0; i < HOUR_TICKS; i++) {
		__atomic_store_n(&w->now_ns, w->now_ns + TICK_EVERY_NS, __ATOMIC_RELAXED);
		tick(w);
	}
	open_conn(w, 2, 7);
	exchange(w, 2, 0, 7);
}

static void test_an_hour_of_ticks(void **unused)
{
	(void)unused;
	replay("an hour of ticks", an_hour_of_ticks, HOUR_TICKS * TICK_EVERY_NS);
	assert_int_equal(told.requests, 2);
	assert_int_equal(told.ok, 2);
	assert_int_equal(told.evicted, 0);
	check_memory(20 * 1024);
}

static void closed_connections(struct writer *w)
{
	for (uint32_t i = 1; i <= MILLION; i++) {
		open_conn(w, i, 7 + i % 50);
		if (i % 4 == 0)
			exchange(w, i, 0, 7 + i % 50);
		state(w, i, 7 + i % 50, HT_TCP_ESTABLISHED, HT_TCP_FIN_WAIT1);
		__atomic_store_n(&w->now_ns, w->now_ns + 20000, __ATOMIC_RELAXED);
	}
}

/* Each is kept a while after its end: at 50,000 a second some thousands of them. */
static void test_closed_connections(void **unused)
{
	(void)unused;
	replay("a million connections, opened and closed", closed_connections, MILLION * 20400ull);
	assert_int_equal(told.requests, MILLION / 4);
	assert_int_equal(told.ok, MILLION / 4);
	assert_int_equal(told.evicted_conns, 0);
	check_memory(64 * 1024);
}

static void open_connections(struct writer *w)
{
	for (uint32_t i = 1; i <= MILLION; i++)
		open_conn(w, i, 7 + i % 50);
}

static void test_open_connections(void **unused)
{
	(void)unused;
	replay("a million connections, never closed", open_connections, MILLION * 200ull);
	assert_int_equal(told.requests, 0);
	assert_int_equal(told.evicted_conns, MILLION - HT_MAX_CONNS);
	assert_int_equal(told.evicted, MILLION - HT_MAX_CONNS);
	check_memory(96 * 1024);
}

static void used_connections(struct writer *w)
{
	for (uint32_t i = 1; i <= MILLION; i++) {
		open_conn(w, i, 7 + i % 50);
		exchange(w, i, 0, 7 + i % 50);
		__atomic_store_n(&w->now_ns, w->now_ns + 20000, __ATOMIC_RELAXED);
	}
}

/* Each has answered a request: none of them is lost with its connection. */
static void test_used_connections(void **unused)
{
	(void)unused;
	replay("a million connections, each used once and never closed", used_connections, MILLION * 20400ull);
	assert_int_equal(told.requests, MILLION);
	assert_int_equal(told.ok, MILLION);
	assert_int_equal(told.evicted_conns, MILLION - HT_MAX_CONNS);
	check_memory(160 * 1024);
}

static void processes(struct writer *w)
{
	for (uint32_t i = 1; i <= MILLION; i++)
		proc(w, i, HT_PROC_EXEC);
}

static void test_processes(void **unused)
{
	(void)unused;
	replay("a million processes whose end is not told", processes, MILLION * 100ull);
	assert_int_equal(told.evicted_procs, MILLION - HT_MAX_PROCS);
	check_memory(48 * 1024);
}

static void tls_objects(struct writer *w)
{
	for (uint32_t i = 1; i <= MILLION; i++) {
		struct ht_rec_tls rec = { .tls_id = i, .op = HT_TLS_HANDSHAKE_DONE, .library = HT_TLS_LIB_OPENSSL };

		put(w, &rec, sizeof(rec), HT_REC_TLS, 7 + i % 50);
		if (i % 500 == 0)
			tick(w);
	}
}

static void test_tls_objects(void **unused)
{
	(void)unused;
	replay("a million TLS objects, never freed", tls_objects, MILLION * 100ull);
	assert_int_equal(told.evicted_tls, MILLION - HT_MAX_TLS_OBJECTS);
	check_memory(64 * 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_hour_of_ticks), cmocka_unit_test(test_closed_connections), cmocka_unit_test(test_processes),
		cmocka_unit_test(test_tls_objects),      cmocka_unit_test(test_open_connections),   cmocka_unit_test(test_used_connections),
	};

	return cmocka_run_group_tests_name("bounds", tests, NULL, NULL);
}
