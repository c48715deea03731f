/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_engine.c - from records to reports: every scenario of the tables (test_engine_cases_*.h), whole and cut; conversations cut at every byte; bounds
 * of the tables.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conn/conn.h"
#include "conn/model.h"
#include "req/h1_private.h"
#include "script.h"
#include "test_engine_cases_dial.h"
#include "test_engine_cases_gap.h"
#include "test_engine_cases_h2.h"
#include "test_engine_cases_http.h"
#include "test_engine_cases_late.h"
#include "test_engine_cases_tls.h"
#include "test_engine_cases_ways.h"
#include "test_engine_cases_unix.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
/* Longer than most start lines and some heads: the two records meet in every part of a message. */
#define CUT_MAX       48

static void run_case(const struct engine_case *c, size_t cut, unsigned int *failed_cnt)
{
	char *got = script_run(c->script, cut);

	if (strcmp(got, c->expected)) {
		/* Not print_error(): it cuts at 1 KiB. */
		fprintf(stderr, "%s\ncut at %zu, script:\n%s\nexpected:\n%s\ngot:\n%s\n", c->why, cut, c->script, c->expected, got);
		(*failed_cnt)++;
	}
	free(got);
}

static void run_cases(const struct engine_case *cases, size_t cnt)
{
	unsigned int failed_cnt = 0;

	for (size_t i = 0; i < cnt; i++)
		for (size_t cut = 0; cut <= CUT_MAX; cut++)
			run_case(&cases[i], cut, &failed_cnt);
	assert_int_equal(failed_cnt, 0);
}

static void test_http(void **state)
{
	(void)state;
	run_cases(http_cases, ARRAY_SIZE(http_cases));
}

static void test_dials(void **state)
{
	(void)state;
	run_cases(dial_cases, ARRAY_SIZE(dial_cases));
}

static void test_tls(void **state)
{
	(void)state;
	run_cases(tls_cases, ARRAY_SIZE(tls_cases));
}

static void test_unix(void **state)
{
	(void)state;
	run_cases(unix_cases, ARRAY_SIZE(unix_cases));
}

static void test_gaps(void **state)
{
	(void)state;
	run_cases(gap_cases, ARRAY_SIZE(gap_cases));
}

static void test_h2(void **state)
{
	(void)state;
	run_cases(h2_cases, ARRAY_SIZE(h2_cases));
}

static void test_ways(void **state)
{
	(void)state;
	run_cases(ways_cases, ARRAY_SIZE(ways_cases));
}

static void test_late(void **state)
{
	(void)state;
	run_cases(late_cases, ARRAY_SIZE(late_cases));
}

/* ---- a conversation in all pieces ---- */

struct message {
	bool is_sent;
	const char *bytes;
};

static const struct message conversation[] = {
	{ true, "POST /1?token=x HTTP/1.1\r\nHost: www.test\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n" },
	{ false, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" },
	{ false, "HTTP/1.1 100 Continue\r\n\r\n" },
	{ true, "5;a=b\r\nhello\r\n0\r\nT: 1\r\n\r\n" },
	{ false, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: a\r\n b\r\n\r\n3\r\nabc\r\n0\r\n\r\n" },
	{ true, "HEAD /2 HTTP/1.1\r\nhost: www.test\r\nA: 1\r\na: 2\r\n\r\n" },
	{ false, "HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n" },
	{ true, "GET /3 HTTP/1.1\r\nHost: www.test\r\n\r\nGET /4 HTTP/1.1\r\nHost: www.test\r\n\r\n" },
	{ false, "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\n\nuntil the close" },
};

static void say(struct script *s, bool is_tls, bool is_sent, const char *bytes, size_t len)
{
	char text[4096] = "";

	if (!len)
		return;
	assert_true(4 * len < sizeof(text));
	for (size_t i = 0; i < len; i++)
		snprintf(text + 4 * i, sizeof(text) - 4 * i, "\\x%02x", (unsigned char)bytes[i]);
	script_dof(s, "%s%s 1 '%s'", is_tls ? "t" : "", is_sent ? "tx" : "rx", text);
}

/* The reports, when message number n comes in two pieces, or, with at 0, in as many as it has bytes. No time passes within a message. */
static char *converse(bool is_tls, size_t n, size_t at)
{
	struct script *s = script_new();
	char *copy;

	script_do(s, "show args fields bytes conn time how\n connect 1 127.0.0.1:80\n up 1\n");
	if (is_tls)
		script_do(s, "tls 1 bind 1 fd\n tls 1 start\n tls 1 done\n");
	script_do(s, "step 0us\n");
	for (size_t i = 0; i < ARRAY_SIZE(conversation); i++) {
		const struct message *m = &conversation[i];
		size_t len = strlen(m->bytes);

		script_do(s, "+300us\n");
		if (i != n)
			say(s, is_tls, m->is_sent, m->bytes, len);
		for (size_t k = 0; i == n && !at && k < len; k++)
			say(s, is_tls, m->is_sent, m->bytes + k, 1);
		if (i == n && at) {
			say(s, is_tls, m->is_sent, m->bytes, at);
			say(s, is_tls, m->is_sent, m->bytes + at, len - at);
		}
	}
	script_do(s, is_tls ? "teof 1\n" : "eof 1\n");
	copy = strdup(script_text(s));
	assert_non_null(copy);
	assert_int_equal(script_free(s), 0);
	return copy;
}

static void test_cut_anywhere(void **state)
{
	(void)state;
	for (int is_tls = 0; is_tls < 2; is_tls++) {
		char *whole = converse(is_tls, ARRAY_SIZE(conversation), 0);

		assert_null(strstr(whole, "BROKEN"));
		assert_non_null(strstr(whole, "POST "));
		assert_non_null(strstr(whole, "/4 200 ok"));
		for (size_t n = 0; n < ARRAY_SIZE(conversation); n++) {
			for (size_t at = 0; at < strlen(conversation[n].bytes); at++) {
				char *got = converse(is_tls, n, at);

				if (strcmp(got, whole))
					fprintf(stderr, "message %zu cut at %zu:\n%s\nwhole:\n%s\n", n, at, got, whole);
				assert_string_equal(got, whole);
				free(got);
			}
		}
		free(whole);
	}
}

/* ---- bounds ---- */

#define MANY 70000

static void test_many_connections(void **state)
{
	struct script *s = script_new();
	struct ht_engine *engine = script_engine(s);

	(void)state;
	for (unsigned int i = 1; i <= MANY; i++)
		script_dof(s, "connect %u 127.0.0.1:80\n up %u\n tx %u 'GET /%u HTTP/1.1~Host: a~~'", i, i, i, i);
	assert_int_equal(engine->conns.cnt, HT_MAX_CONNS);
	assert_int_equal(engine->counts.evicted, MANY - HT_MAX_CONNS);
	assert_int_equal(engine->counts.evicted_conns, MANY - HT_MAX_CONNS);
	assert_int_equal(engine->counts.requests, MANY - HT_MAX_CONNS);
	/* The oldest go, told as what they are. */
	assert_non_null(strstr(
		script_text(s),
		"GET http://a/1 incomplete wait/incomplete : GetConn ConnectStart ConnectDone GotConn{fresh} WroteHeaders WroteRequest\n"));
	assert_int_equal(engine->dial_cnt, 0);
	script_do(s, "end");
	assert_int_equal(engine->counts.requests, MANY);
	assert_null(strstr(script_text(s), "BROKEN"));
	assert_int_equal(script_free(s), 0);
}

/* Opened and never closed, nor used: the dials of those that are forgotten go with them, also where the connect never ended. */
static void test_many_unused(void **state)
{
	struct script *s = script_new();
	struct ht_engine *engine = script_engine(s);

	(void)state;
	for (unsigned int i = 1; i <= MANY; i++)
		script_dof(s, i % 2 ? "connect %u 127.0.0.1:80\n up %u" : "connect %u 127.0.0.1:80", i, i);
	assert_int_equal(engine->conns.cnt, HT_MAX_CONNS);
	assert_int_equal(engine->dial_cnt, HT_MAX_CONNS);
	/* Those that are still known, the oldest too, have their dials. */
	script_dof(s, "tx %u 'GET / HTTP/1.1~Host: a~~'\n tx %u 'GET / HTTP/1.1~Host: a~~'\n close %u\n close %u", MANY - 1,
		   MANY - HT_MAX_CONNS + 1, MANY - 1, MANY - HT_MAX_CONNS + 1);
	assert_string_equal(script_text(s), "GET http://a/ aborted wait/aborted : " COLD SENT " ConnClosed{client}\n"
					    "GET http://a/ aborted wait/aborted : " COLD SENT " ConnClosed{client}\n");
	script_do(s, "end");
	assert_int_equal(script_free(s), 0);
}

/* What is in use stays, though it is the oldest. */
static void test_oldest_in_use(void **state)
{
	struct script *s = script_new();
	struct ht_engine *engine = script_engine(s);

	(void)state;
	script_do(s, "exec 7 old /old\n pid 7\n connect 32 127.0.0.1:80\n up 32\n pid 100");
	for (unsigned int i = 1; i <= 2 * MANY; i++) {
		script_dof(s, "exec %u x /x\n pid %u\n connect %u 127.0.0.1:81", 1000 + i, 1000 + i,
			   32 * i + 1); /* the script keeps offsets of 32 */
		if (i % 10000 == 0)
			script_do(s, "pid 7\n tx 32 'GET / HTTP/1.1~Host: a~~'\n rx 32 'HTTP/1.1 200 OK~Content-Length: 0~~'");
	}
	assert_int_equal(engine->conns.cnt, HT_MAX_CONNS);
	assert_int_equal(engine->procs.cnt, HT_MAX_PROCS);
	assert_int_equal(engine->counts.evicted_conns, 2 * MANY + 1 - HT_MAX_CONNS);
	assert_non_null(ht_conn_get(engine, 32));
	assert_string_equal(((struct ht_proc *)ht_map_get(&engine->procs, 7))->comm, "old");
	script_do(s, "+1s");
	assert_null(strstr(script_text(s), "incomplete"));
	assert_int_equal(engine->counts.requests, 2 * MANY / 10000);
	script_do(s, "end");
	assert_int_equal(script_free(s), 0);
}

/* A process that ends without freeing its TLS objects leaves none behind. */
static void test_many_ended(void **state)
{
	struct script *s = script_new();
	struct ht_engine *engine = script_engine(s);

	(void)state;
	for (unsigned int i = 1; i <= 1000; i++)
		script_dof(
			s,
			"exec %u x /x\n pid %u\n connect %u 127.0.0.1:443\n up %u\n tls %u bind %u nested\n ttx %u 'GET / HTTP/1.1~Host: a~~'\n exit %u",
			i, i, i, i, i, i, i, i);
	script_do(s, "+1s");
	assert_int_equal(engine->counts.requests, 1000);
	assert_int_equal(engine->procs.cnt, 0);
	assert_int_equal(engine->conns.cnt, 0);
	assert_int_equal(engine->tls_objects.cnt, 0);
	assert_int_equal(engine->dial_cnt, 0);
	assert_int_equal(engine->counts.evicted, 0);
	script_do(s, "end");
	assert_int_equal(script_free(s), 0);
}

static void test_many_processes(void **state)
{
	struct script *s = script_new();
	struct ht_engine *engine = script_engine(s);

	(void)state;
	for (unsigned int i = 1; i <= MANY; i++)
		script_dof(s, "exec %u x /x\n pid %u\n dnsstart 1 a.test 80\n connect %u 10.0.0.1:80", i, i, i);
	assert_int_equal(engine->procs.cnt, HT_MAX_PROCS);
	assert_int_equal(engine->conns.cnt, HT_MAX_CONNS);
	script_do(s, "end");
	assert_int_equal(script_free(s), 0);
}

static void test_many_tls_objects(void **state)
{
	struct script *s = script_new();
	struct ht_engine *engine = script_engine(s);

	(void)state;
	for (unsigned int i = 1; i <= MANY; i++)
		script_dof(s, "tls %u bind %u nested\n ttx %u 'GET / HTTP/1.1~Host: a~~'", i, i, i);
	assert_int_equal(engine->tls_objects.cnt, HT_MAX_TLS_OBJECTS);
	assert_int_equal(engine->conns.cnt, HT_MAX_CONNS);
	script_do(s, "end");
	assert_int_equal(engine->counts.requests, MANY);
	assert_int_equal(script_free(s), 0);
}

static void test_many_of_one_process(void **state)
{
	struct script *s = script_new();
	struct ht_engine *engine = script_engine(s);
	struct ht_proc *proc;

	(void)state;
	/* Answers that nobody uses; refused attempts without end; HTTP to many places. */
	for (unsigned int i = 1; i <= 1000; i++)
		script_dof(s, "dns %u a%u.test 80 = 10.0.0.1", i, i);
	proc = ht_map_get(&engine->procs, 100);
	assert_int_equal(proc->lookup_cnt, HT_MAX_LOOKUPS);
	for (unsigned int i = 1; i <= 1000; i++)
		script_dof(s, "connect %u 127.0.0.%u:%u\n down %u ECONNREFUSED", i, 1 + i % 250, 1000 + i / 250, i);
	assert_int_equal(engine->counts.evicted_lookups, 1000 - HT_MAX_LOOKUPS);
	for (unsigned int i = 1; i <= 1000; i++)
		script_dof(s, "connect %u 127.0.0.1:80\n up %u\n tx %u 'GET / HTTP/1.1~Host: h%u~~'\n close %u", i, i, i, i, i);
	assert_int_equal(engine->counts.evicted_spoken, 1000 - HT_MAX_SPOKEN);
	/* What is forgotten of where it spoke HTTP is the oldest. */
	(void)script_text(s);
	script_do(s, "+1s\n dns 1 h1000 80 = -2\n dns 2 h1 80 = -2");
	assert_non_null(strstr(script_text(s), "- (h1000:80) dns_error"));
	script_do(s, "end");
	assert_int_equal(script_free(s), 0);
}

/* HTTP to more places than are remembered. */
static void test_many_places(void **state)
{
	struct script *s = script_new();
	struct ht_engine *engine = script_engine(s);

	(void)state;
	for (unsigned int i = 0; i < HT_MAX_SPOKEN_ANY + 100; i++)
		script_dof(s, "connect %u 10.0.%u.%u:80\n up %u\n tx %u 'GET / HTTP/1.1~Host: a~~'\n close %u", i + 1, i / 250, i % 250 + 1,
			   i + 1, i + 1, i + 1);
	assert_int_equal(engine->spoken.cnt, HT_MAX_SPOKEN_ANY);
	assert_int_equal(engine->counts.evicted_spoken, 100);
	script_do(s, "end");
	assert_int_equal(script_free(s), 0);
}

static void test_many_in_flight(void **state)
{
	struct script *s = script_new();
	struct ht_engine *engine = script_engine(s);

	(void)state;
	/* A client that pipelines without end: seen up to the bound, and nothing is wrong afterwards. */
	script_do(s, UP);
	for (unsigned int i = 0; i < HT_H1_MAX_REQUESTS + 10; i++)
		script_do(s, GET);
	assert_int_equal(((struct ht_h1 *)ht_conn_get(engine, 1)->exchange)->flight_cnt, HT_H1_MAX_REQUESTS);
	script_do(s, "close 1\n +1s");
	assert_int_equal(engine->counts.requests, HT_H1_MAX_REQUESTS);
	assert_null(strstr(script_text(s), "BROKEN"));
	assert_int_equal(script_free(s), 0);
}

static void test_many_held_bytes(void **state)
{
	struct script *s = script_new();
	struct ht_engine *engine = script_engine(s);

	(void)state;
	script_do(s, "step 1us\n" UP);
	for (unsigned int i = 0; i < 10000; i++) {
		script_do(s, "rx 1 'HTTP/1.1 200 OK~Content-Length: 1000~~xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'");
		assert_true(((struct ht_h1 *)ht_conn_get(engine, 1)->exchange)->held_bytes <= HT_H1_MAX_HELD_BYTES);
	}
	script_do(s, "+1s");
	assert_int_equal(((struct ht_h1 *)ht_conn_get(engine, 1)->exchange)->held_bytes, 0);
	assert_int_equal(script_free(s), 0);
}

/* A server that answers with interim responses without end. */
static void many_interim(const char *up, const char *interim)
{
	struct script *s = script_new();
	size_t before;

	script_do(s, up);
	before = mallinfo2().uordblks;
	for (unsigned int i = 0; i < 20000; i++)
		script_dof(s, interim, i);
	assert_true(mallinfo2().uordblks < before + 2 * HT_REQUEST_INTERIM_BYTES);
	script_do(s, "end");
	assert_int_equal(script_free(s), 0);
}

static void test_many_interim(void **state)
{
	(void)state;
	many_interim(UP GET, "rx 1 'HTTP/1.1 103 E~Link: %01000d~~'");
	many_interim(UP "h2 1 tx preface settings H1.,:method=GET,:scheme=http,:authority=a,:path=/\n h2 1 rx settings",
		     "h2 1 rx H1,:status=103,link=%01000d");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http),
		cmocka_unit_test(test_dials),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_h2),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_many_connections),
		cmocka_unit_test(test_many_unused),
		cmocka_unit_test(test_oldest_in_use),
		cmocka_unit_test(test_many_ended),
		cmocka_unit_test(test_many_processes),
		cmocka_unit_test(test_many_tls_objects),
		cmocka_unit_test(test_many_of_one_process),
		cmocka_unit_test(test_many_places),
		cmocka_unit_test(test_many_in_flight),
		cmocka_unit_test(test_many_held_bytes),
		cmocka_unit_test(test_many_interim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
