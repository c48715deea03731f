/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_glob.c - patterns, and what a filter of requests makes of them.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "req/filter.h"
#include "req/request.h"
#include "util/glob.h"

#define CNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *glob;
	const char *text;
	bool ignores_case;
	bool matches;
} globs[] = {
	{ "", "", false, true },
	{ "", "a", false, false },
	{ "*", "", false, true },
	{ "a*", "", false, false },
	{ "*", "a/b/c", false, true },
	{ "/api/*", "/api/v1/users", false, true },
	{ "/api/*", "/api", false, false },
	{ "*.example.com", "www.example.com", false, true },
	{ "*.example.com", "example.com", false, false },
	{ "*.Example.COM", "www.eXample.com", true, true },
	{ "*.Example.COM", "www.example.com", false, false },
	{ "a*b*c", "aXbXbYc", false, true },
	{ "a*b*c", "aXbXbYcd", false, false },
	{ "*a*", "bab", false, true },
	{ "**", "x", false, true },
	{ "?", "x", false, true },
	{ "?", "", false, false },
	{ "a?c", "abc", false, true },
	{ "[a-c]x", "bx", false, true },
	{ "[a-c]x", "dx", false, false },
	{ "[!a-c]x", "dx", false, true },
	{ "[^a-c]x", "ax", false, false },
	{ "[A-C]x", "bX", true, true },
	{ "[]]", "]", false, true },
	{ "[!]]", "]", false, false },
	{ "[a-]", "-", false, true },
	{ "[\\]]", "]", false, true },
	{ "[abc", "[abc", false, true },
	{ "a[", "a[", false, true },
	{ "\\*", "*", false, true },
	{ "\\*", "x", false, false },
	{ "\\[a]", "[a]", false, true },
	{ "a\\", "a\\", false, true },
	{ "[\xc3]", "\xc3", false, true },
	{ "*[0-9]", "worker12", false, true },
	{ "*[0-9]x", "worker12", false, false },
};

static void shell_patterns(void **state)
{
	(void)state;
	for (size_t i = 0; i < CNT(globs); i++) {
		bool matches = ht_glob_match(globs[i].glob, globs[i].text, strlen(globs[i].text), globs[i].ignores_case);

		if (matches != globs[i].matches)
			print_error("'%s' '%s'\n", globs[i].glob, globs[i].text);
		assert_int_equal(matches, globs[i].matches);
	}
}

/* Backtracking over every star would take longer than the sun lasts. */
static void many_stars_are_no_trap(void **state)
{
	static char text[4096];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_false(ht_glob_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text, sizeof(text), false));
	/* Not beyond the text, which has no NUL. */
	assert_true(ht_glob_match("*a", text, sizeof(text), false));
}

static void hosts(void **state)
{
	static const struct {
		const char *text;
		const char *host;
	} cases[] = {
		{ "localhost:80", "localhost" },
		{ "localhost", "localhost" },
		{ "127.0.0.1:8080", "127.0.0.1" },
		{ "[::1]:80", "::1" },
		{ "[::1]", "::1" },
		{ "fe80::1", "fe80::1" },
		{ "user@host:1", "host" },
		{ "u:[redacted]@[::1]:2", "::1" },
		{ "", "" },
		{ ":80", "" },
		{ "[::1", "[::1" },
	};

	(void)state;
	for (size_t i = 0; i < CNT(cases); i++) {
		size_t len;
		const char *host = ht_host_of(cases[i].text, strlen(cases[i].text), &len);

		if (len != strlen(cases[i].host) || memcmp(host, cases[i].host, len))
			print_error("'%s': '%.*s'\n", cases[i].text, (int)len, host);
		assert_int_equal(len, strlen(cases[i].host));
		assert_memory_equal(host, cases[i].host, len);
	}
}

#define FILTER(...)                                                \
	{                                                          \
		.sz = sizeof(struct httptrace_filter), __VA_ARGS__ \
	}
#define GET(u, h)                                                                       \
	{                                                                               \
		.pid = 7, .comm = "curl", .method = "GET", .url = (u), .host_port = (h) \
	}

static const struct {
	const char *why;
	struct httptrace_filter filter;
	struct httptrace_request request;
	bool applies;
} filters[] = {
	{ "nothing asked for", FILTER(.pid = 0), { .pid = 1 }, true },
	{ "pid", FILTER(.pid = 7), GET("http://a/", "a:80"), true },
	{ "another pid", FILTER(.pid = 8), GET("http://a/", "a:80"), false },
	{ "name", FILTER(.comm = "cu*"), GET("http://a/", "a:80"), true },
	{ "names are told apart by case", FILTER(.comm = "CURL"), GET("http://a/", "a:80"), false },
	{ "name not known", FILTER(.comm = "*"), { .pid = 1 }, false },
	{ "host", FILTER(.host = "A.test"), GET("http://a.TEST:81/", "a.TEST:81"), true },
	{ "host with port", FILTER(.host = "a.test:81"), GET("http://a.test:81/", "a.test:81"), true },
	{ "any host of a port", FILTER(.host = "*:81"), GET("http://a.test:81/", "a.test:81"), true },
	{ "another port", FILTER(.host = "a.test:82"), GET("http://a.test:81/", "a.test:81"), false },
	{ "port left out of the URL", FILTER(.host = "a:80"), GET("http://a/", "a:80"), true },
	{ "behind a proxy: the target", FILTER(.host = "target"), GET("http://target/x", "proxy:3128"), true },
	{ "behind a proxy: the proxy", FILTER(.host = "proxy"), GET("http://target/x", "proxy:3128"), true },
	{ "a host in the path is none", FILTER(.host = "evil"), GET("http://a/@evil", "a:80"), false },
	{ "a host in the query is none", FILTER(.host = "evil"), GET("http://a?@evil", "a:80"), false },
	{ "IPv6", FILTER(.host = "::1"), GET("http://[::1]:80/", "[::1]:80"), true },
	{ "a dial", FILTER(.host = "a"), { .kind = HTTPTRACE_DIAL, .host_port = "a:80" }, true },
	{ "a WebSocket",
	  FILTER(.host = "a", .path = "/x"),
	  { .kind = HTTPTRACE_WEBSOCKET, .url = "http://a/x", .host_port = "a:80" },
	  true },
	{ "a WebSocket has no method",
	  FILTER(.method = "*"),
	  { .kind = HTTPTRACE_WEBSOCKET, .url = "http://a/x", .host_port = "a:80" },
	  false },
	{ "a refused CONNECT has no method", FILTER(.method = "*"), { .url = "https://a/", .host_port = "proxy:3128" }, false },
	{ "a refused CONNECT: the proxy", FILTER(.host = "proxy"), { .url = "https://a/", .host_port = "proxy:3128" }, true },
	{ "a refused CONNECT: the target", FILTER(.host = "a"), { .url = "https://a/", .host_port = "proxy:3128" }, true },
	{ "a lookup without port", FILTER(.host = "a"), { .kind = HTTPTRACE_DIAL, .host_port = "a" }, true },
	{ "host not known", FILTER(.host = "*"), { .pid = 1 }, false },
	{ "method", FILTER(.method = "POST,get"), GET("http://a/", "a:80"), true },
	{ "another", FILTER(.method = "POST,GE"), GET("http://a/", "a:80"), false },
	{ "a glob among methods", FILTER(.method = "PATCH,G*"), GET("http://a/", "a:80"), true },
	{ "method not known", FILTER(.method = "*"), { .kind = HTTPTRACE_DIAL, .host_port = "a:80" }, false },
	{ "path", FILTER(.path = "/x/*"), GET("http://a/x/y/z?q", "a:80"), true },
	{ "the query is no part", FILTER(.path = "*q*"), GET("http://a/x?q", "a:80"), false },
	{ "no path is the root", FILTER(.path = "/"), GET("http://a", "a:80"), true },
	{ "no path but a query", FILTER(.path = "/"), GET("http://a?q", "a:80"), true },
	{ "paths are told apart by case", FILTER(.path = "/X"), GET("http://a/x", "a:80"), false },
	{ "CONNECT", FILTER(.path = "*"), GET("a:443", "a:443"), false },
	{ "URL not known", FILTER(.path = "*"), { .host_port = "a:80" }, false },
	{ "all", FILTER(.pid = 7, .comm = "curl", .host = "a", .method = "GET", .path = "/"), GET("http://a/", "a:80"), true },
	{ "all but one", FILTER(.pid = 7, .comm = "curl", .host = "a", .method = "GET", .path = "/b"), GET("http://a/", "a:80"), false },
};

static void filters_of_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < CNT(filters); i++) {
		struct ht_req_filter *filter = ht_req_filter_new(&filters[i].filter);
		bool applies;

		assert_non_null(filter);
		applies = ht_req_filter_applies(filter, &filters[i].request);
		if (applies != filters[i].applies)
			print_error("%s\n", filters[i].why);
		assert_int_equal(applies, filters[i].applies);
		ht_req_filter_free(filter);
	}
}

static void filters_of_other_versions(void **state)
{
	struct {
		struct httptrace_filter filter;
		const char *later;
	} large = { .filter = { .sz = sizeof(large), .host = "a" } };
	struct httptrace_filter small = { .sz = offsetof(struct httptrace_filter, host), .host = "not there" };
	const struct httptrace_request request = GET("http://a/", "a:80");
	struct ht_req_filter *filter;

	(void)state;
	assert_null(ht_req_filter_new(NULL));
	assert_int_equal(errno, EINVAL);
	assert_null(ht_req_filter_new(&(struct httptrace_filter){ .sz = 0 }));
	assert_int_equal(errno, EINVAL);
	filter = ht_req_filter_new(&large.filter);
	assert_true(ht_req_filter_applies(filter, &request));
	ht_req_filter_free(filter);
	large.later = "x";
	assert_null(ht_req_filter_new(&large.filter));
	assert_int_equal(errno, EINVAL);
	filter = ht_req_filter_new(&small);
	assert_true(ht_req_filter_applies(filter, &request));
	ht_req_filter_free(filter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shell_patterns),      cmocka_unit_test(many_stars_are_no_trap),    cmocka_unit_test(hosts),
		cmocka_unit_test(filters_of_requests), cmocka_unit_test(filters_of_other_versions),
	};

	return cmocka_run_group_tests_name("glob", tests, NULL, NULL);
}
