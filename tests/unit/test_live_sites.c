/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_live_sites.c - calls of a library that reads and writes like OpenSSL's are each seen once, with their bytes and their end, whichever functions took
 * the probes, and by both ways to put one.
 *
 * Needs root and a C compiler (cc): the library is made here, in the shapes that OpenSSL has had, and one that it never had. Its functions run in this
 * process.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <cmocka.h>

#include "abi/event.h"
#include "attach/probes.h"
#include "attach/programs.h"
#include "source/live_ring.h"

#define RING_BYTES (1 << 16)

/*
 * struct ssl: what the next read gives; a call with again set is one that has to be made again. SHAPE 0: OpenSSL 1.1.1 to 3.2; 3: from 3.3 on;
 * 9: the two forms have nothing in common.
 */
static const char library[] =
	"#include <stddef.h>\n"
	"#include <stdint.h>\n"
	"#include <string.h>\n"
	"typedef struct ssl { const char *reply; size_t len; int again; int is_up; } SSL;\n"
	"void SSL_clear(SSL *s) { s->len = 0; }\n"
	"int SSL_do_handshake(SSL *s) { volatile int up = 1; s->is_up = up; SSL_clear(s); return 1; }\n"
	"int SSL_connect(SSL *s) { if (!s->reply) s->len = 0; return SSL_do_handshake(s); }\n"
	"#if SHAPE == 3\n"
	"#define FLAGS uint64_t flags,\n"
	"#define NO_FLAGS 0,\n"
	"#define USE_FLAGS if (flags > 1) return -1;\n"
	"#else\n"
	"#define FLAGS\n"
	"#define NO_FLAGS\n"
	"#define USE_FLAGS\n"
	"#endif\n"
	"#define INNER(n, room) \\\n"
	"static __attribute__((noinline)) int write_##n(SSL *s, const void *b, size_t n, FLAGS size_t *done) { volatile char head[room]; \\\n"
	"	if (s->again) { s->again = 0; return -1; } USE_FLAGS \\\n"
	"	for (size_t i = 0; i < n && i < room; i++) head[i] = ((const char *)b)[i]; (void)head; \\\n"
	"	s->reply = \"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello\"; s->len = strlen(s->reply); *done = n; return 1; } \\\n"
	"static __attribute__((noinline)) int read_##n(SSL *s, void *b, size_t n, size_t *done) { volatile char none[room]; none[0] = 0; (void)none; \\\n"
	"	if (s->again) { s->again = 0; return -1; } \\\n"
	"	if (!s->len) return 0; if (n > s->len) n = s->len; \\\n"
	"	memcpy(b, s->reply, n); s->reply += n; s->len -= n; *done = n; return 1; }\n"
	"INNER(one, 32)\n"
	"#if SHAPE == 9\n"
	"INNER(two, 48)\n"
	"#else\n"
	"#define write_two write_one\n"
	"#define read_two read_one\n"
	"#endif\n"
	"int SSL_write(SSL *s, const void *b, int n) { size_t d; int r; if (n < 0) return -1; r = write_one(s, b, (size_t)n, NO_FLAGS &d);\n"
	"	if (r > 0) r = (int)d; return r; }\n"
	"#if SHAPE == 3\n"
	"int SSL_write_ex2(SSL *s, const void *b, size_t n, uint64_t f, size_t *d) { int r = write_two(s, b, n, f, d); if (r < 0) r = 0; return r; }\n"
	"int SSL_write_ex(SSL *s, const void *b, size_t n, size_t *d) { return SSL_write_ex2(s, b, n, 0, d); }\n"
	"#else\n"
	"int SSL_write_ex(SSL *s, const void *b, size_t n, size_t *d) { int r = write_two(s, b, n, d); if (r < 0) r = 0; return r; }\n"
	"#endif\n"
	"int SSL_read(SSL *s, void *b, int n) { size_t d; int r; if (n < 0) return -1; r = read_one(s, b, (size_t)n, &d);\n"
	"	if (r > 0) r = (int)d; return r; }\n"
	"int SSL_read_ex(SSL *s, void *b, size_t n, size_t *d) { int r = read_two(s, b, n, d); if (r < 0) r = 0; return r; }\n";

struct ssl {
	const char *reply;
	size_t len;
	int again;
	int is_up;
};

struct calls {
	int (*connect)(struct ssl *ssl);
	int (*write)(struct ssl *ssl, const void *buf, int len);
	int (*write_ex)(struct ssl *ssl, const void *buf, size_t len, size_t *done);
	int (*read)(struct ssl *ssl, void *buf, int len);
	int (*read_ex)(struct ssl *ssl, void *buf, size_t len, size_t *done);
};

static char dir[] = "/tmp/test_live_sites.XXXXXX";
static struct ht_programs *programs;

static int fd_of_program(void *ctx, enum ht_site_group group, enum ht_uprobe_side side)
{
	(void)ctx;
	return ht_programs_uprobe_fd(programs, group, side);
}

static void make_library(int shape, char *path, size_t path_size)
{
	char source[128], command[512];
	FILE *file;

	snprintf(source, sizeof(source), "%s/library.c", dir);
	snprintf(path, path_size, "%s/libssl.so.3.%d", dir, shape);
	file = fopen(source, "we");
	assert_non_null(file);
	assert_true(fputs(library, file) >= 0);
	assert_int_equal(fclose(file), 0);
	snprintf(command, sizeof(command), "cc -O2 -w -shared -fPIC -DSHAPE=%d -o %s %s", shape, path, source);
	assert_int_equal(system(command), 0);
}

static void *open_library(const char *path, struct calls *calls)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		fail_msg("%s", dlerror());
	*(void **)&calls->connect = dlsym(handle, "SSL_connect");
	*(void **)&calls->write = dlsym(handle, "SSL_write");
	*(void **)&calls->write_ex = dlsym(handle, "SSL_write_ex");
	*(void **)&calls->read = dlsym(handle, "SSL_read");
	*(void **)&calls->read_ex = dlsym(handle, "SSL_read_ex");
	return handle;
}

struct heard {
	uint64_t sent_bytes; /* as told, each direction from its beginning without a gap */
	uint64_t received_bytes;
	int request_cnt;
	int start_cnt;
	int done_cnt;
	int eof_cnt;
	int other_cnt;
};

static int hear(void *ctx, const struct ht_hdr *rec)
{
	const struct ht_rec_data *data = (const void *)rec;
	const struct ht_rec_tls *tls = (const void *)rec;
	struct heard *heard = ctx;
	uint64_t *bytes;

	if (rec->kind == HT_REC_TLS) {
		heard->start_cnt += tls->op == HT_TLS_HANDSHAKE_START;
		heard->done_cnt += tls->op == HT_TLS_HANDSHAKE_DONE;
		heard->other_cnt += tls->op != HT_TLS_HANDSHAKE_START && tls->op != HT_TLS_HANDSHAKE_DONE;
	}
	if (rec->kind != HT_REC_DATA || !data->tls_id)
		return 0;
	bytes = data->dir == HT_DIR_TX ? &heard->sent_bytes : &heard->received_bytes;
	assert_int_equal(data->off, *bytes);
	*bytes += data->orig_len;
	heard->eof_cnt += (rec->flags & HT_F_EOF) != 0;
	if (data->dir == HT_DIR_TX && data->captured_len >= 4 && !memcmp(data + 1, "GET ", 4)) {
		assert_true(data->start_ns && data->start_ns <= rec->ts_ns);
		heard->request_cnt++;
	}
	return 0;
}

/* Two requests in each form, each call of it made again once; the second response of each in two reads; then the end. */
static void speak(const struct calls *calls, uint64_t *sent_bytes, uint64_t *received_bytes)
{
	static const char request[] = "GET /path HTTP/1.1\r\nHost: localhost\r\n\r\n";
	const size_t len = sizeof(request) - 1;
	struct ssl ssl = { NULL, 0, 0, 0 };
	char buf[256];
	size_t done;

	assert_int_equal(calls->connect(&ssl), 1);
	for (int i = 0; i < 2; i++) {
		ssl.again = 1;
		assert_int_equal(calls->write(&ssl, request, (int)len), -1);
		assert_int_equal(calls->write(&ssl, request, (int)len), len);
		*sent_bytes += len;
		*received_bytes += ssl.len;
		ssl.again = 1;
		assert_int_equal(calls->read(&ssl, buf, sizeof(buf)), -1);
		assert_true(calls->read(&ssl, buf, i ? 10 : (int)sizeof(buf)) > 0);
		while (ssl.len)
			assert_true(calls->read(&ssl, buf, sizeof(buf)) > 0);
	}
	for (int i = 0; i < 2; i++) {
		ssl.again = 1;
		assert_int_equal(calls->write_ex(&ssl, request, len, &done), 0);
		assert_int_equal(calls->write_ex(&ssl, request, len, &done), 1);
		*sent_bytes += done;
		*received_bytes += ssl.len;
		assert_int_equal(calls->read_ex(&ssl, buf, i ? 10 : sizeof(buf), &done), 1);
		while (ssl.len)
			assert_int_equal(calls->read_ex(&ssl, buf, sizeof(buf), &done), 1);
	}
	assert_int_equal(calls->read(&ssl, buf, -1), -1);
	assert_int_equal(calls->read(&ssl, buf, sizeof(buf)), 0);
	assert_int_equal(calls->read(&ssl, buf, sizeof(buf)), 0);
}

static uint64_t counter(uint32_t which)
{
	int fd = ht_programs_map_fd(programs, "counters");
	uint64_t values[1024] = { 0 }, sum = 0;

	assert_true(sysconf(_SC_NPROCESSORS_CONF) <= 1024);
	assert_int_equal(bpf_map_lookup_elem(fd, &which, values), 0);
	for (size_t i = 0; i < 1024; i++)
		sum += values[i];
	return sum;
}

static const struct ht_site_fn *find_fn(const struct ht_site_plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->fn_cnt; i++) {
		if (!strcmp(plan->fns[i].name, name))
			return &plan->fns[i];
	}
	fail_msg("no row of %s", name);
	return NULL;
}

static void trace_and_speak(const char *why, enum ht_uprobe_backend backend, const char *path, bool has_entry_sites, uint32_t write_id)
{
	struct ht_programs_opts opts = { .backend = backend, .ring_bytes = RING_BYTES, .config.head_bytes = 256 };
	struct ht_probes_opts probes_opts = {
		.backend = backend, .is_filtered = true, .has_entry_sites = has_entry_sites, .program_fd = fd_of_program
	};
	struct heard heard = { 0 };
	uint64_t sent_bytes = 0, received_bytes = 0;
	const struct ht_probes_file *files;
	const struct ht_site_fn *inner;
	struct ht_features features;
	struct ht_probes *probes;
	struct calls calls;
	struct ht_ring ring;
	char err[512] = "";
	size_t file_cnt;
	void *handle = open_library(path, &calls);

	ht_features_read(&features, NULL, 0);
	programs = ht_programs_load(&opts, &features, err, sizeof(err));
	if (!programs)
		fail_msg("%s: %s", ht_uprobe_backend_name(backend), err);
	assert_int_equal(ht_ring_open(&ring, ht_programs_map_fd(programs, "events"), RING_BYTES), 0);
	probes_opts.reaper = ht_reaper_new();
	probes = ht_probes_new(&probes_opts);
	assert_non_null(probes);
	assert_int_equal(ht_probes_add_file(probes, open(path, O_PATH | O_CLOEXEC), "libssl.so.3", path, true), 1);
	files = ht_probes_files(probes, &file_cnt);
	if (!has_entry_sites) {
		inner = find_fn(&files[0].plan, "inside SSL_write[_ex]");
		if (inner->is_found != (write_id != 0) || (write_id && inner->id != write_id))
			fail_msg("%s: %s, id %u: %s", why, inner->name, inner->id, inner->why);
	}
	assert_int_equal(find_fn(&files[0].plan, "SSL_write")->wants_entry, !write_id);
	assert_int_equal(ht_probes_add_process(probes, getpid(), ""), 0);

	speak(&calls, &sent_bytes, &received_bytes);
	ht_ring_scan(&ring, hear, &(struct heard){ 0 });
	ht_ring_drain(&ring, ht_ring_end(&ring), 1000, hear, &heard);
	if (heard.sent_bytes != sent_bytes || heard.received_bytes != received_bytes || heard.request_cnt != 4 || heard.start_cnt != 1 ||
	    heard.done_cnt != 1 || heard.eof_cnt != 1 || heard.other_cnt)
		fail_msg(
			"%s, %s: sent %lu of %lu, received %lu of %lu bytes, %d requests, handshakes: %d begun, %d done, %d ends, %d others",
			why, ht_uprobe_backend_name(backend), heard.sent_bytes, sent_bytes, heard.received_bytes, received_bytes,
			heard.request_cnt, heard.start_cnt, heard.done_cnt, heard.eof_cnt, heard.other_cnt);
	assert_int_equal(counter(HT_CNT_RETURN_UNMATCHED), 0);
	assert_int_equal(counter(HT_CNT_FAULT), 0);

	ht_probes_free(probes);
	ht_ring_close(&ring);
	ht_programs_free(programs);
	ht_features_free(&features);
	ht_reaper_free(probes_opts.reaper);
	dlclose(handle);
}

static void each_call_is_seen_once(void **state)
{
	static const struct {
		const char *why;
		int shape;
		bool has_entry_sites;
		uint32_t write_id; /* 0: no function is inside both forms */
	} table[] = {
		{ "as OpenSSL 1.1.1 to 3.2", 0, false, HT_FN_SSL_WRITE_INNER },
		{ "as OpenSSL from 3.3 on: flags, and another public form", 3, false, HT_FN_SSL_WRITE_INNER5 },
		{ "two forms that have nothing in common", 9, false, 0 },
		{ "as OpenSSL 1.1.1 to 3.2, at the public entries", 0, true, 0 },
		{ "as OpenSSL from 3.3 on, at the public entries", 3, true, 0 },
	};
	static const enum ht_uprobe_backend backends[] = { HT_UPROBE_SESSION, HT_UPROBE_MULTI, HT_UPROBE_PERF };
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		make_library(table[i].shape, path, sizeof(path));
		for (size_t j = 0; j < sizeof(backends) / sizeof(backends[0]); j++)
			trace_and_speak(table[i].why, backends[j], path, table[i].has_entry_sites, table[i].write_id);
	}
}

static void needs_root(void **state)
{
	(void)state;
	print_message("skipped: attaching to the kernel needs root\n");
	skip();
}

int main(void)
{
	struct CMUnitTest tests[] = { cmocka_unit_test(each_call_is_seen_once) };
	char command[128];
	int failed;

	if (geteuid() != 0)
		tests[0].test_func = needs_root;
	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command) || failed;
}
