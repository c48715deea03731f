/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_options.c - the command line: what it means, what is refused and in which words.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The command line's room is in no library. */
#include "../../user/cli/options.c"

#include "../../user/cli/filter.c"
#include "sample.h"

#define CNT(array) (sizeof(array) / sizeof((array)[0]))

static struct ht_options options;
static char err[HT_OPTIONS_ERR_LEN];

static bool sink_exists(const char *name)
{
	return !strcmp(name, "text") || !strcmp(name, "hooks") || !strcmp(name, "jsonl");
}

/* Splits at blanks; words must outlive options. */
static int parse(const char *line)
{
	static char words[512], *argv[64];
	int argc = 0;
	char *word, *save = NULL;

	strcpy(words, line);
	for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	return ht_options_parse(&options, argc, argv, sink_exists, err);
}

static const struct {
	const char *line;
	const char *expected; /* the beginning of the sentence */
} refused[] = {
	{ "x curl http://a/", "curl: not an option; to start a command put -- before it" },
	{ "x --", "a COMMAND is missing behind --" },
	{ "x -p", "-p: its value is missing" },
	{ "x --pid", "--pid: its value is missing" },
	{ "x -p 0", "-p 0: not a list of process ids" },
	{ "x -p 12,", "-p 12,: not a list of process ids" },
	{ "x -p -5", "-p -5: not a list" },
	{ "x -p 1x", "-p 1x: not a list" },
	{ "x -p 99999999999", "-p 99999999999: not a list" },
	{ "x -o xml", "-o xml: no such output" },
	{ "x -o jsonl=", "-o jsonl=: a file name is missing" },
	{ "x -o jsonl=f -o text=f", "-o: f is given twice" },
	{ "x -o averyveryverylongname", "-o averyveryverylongname: no such output" },
	{ "x -o har=f", "-o har: not in this version" },
	{ "x -o otlp=http://a", "-o otlp: not in this version" },
	{ "x -n", "-n: its value is missing" },
	{ "x -n a -n b", "--comm is given twice" },
	{ "x --comm=", "--comm: its value is missing" },
	{ "x --cgroup a --cgroup b", "--cgroup is given twice" },
	{ "x --host a --host b", "--host is given twice" },
	{ "x --method=", "--method: its value is missing" },
	{ "x --path", "--path: its value is missing" },
	{ "x --status 4xx,", "--status 4xx,: not a list of statuses" },
	{ "x --status 40", "--status 40: not a list of statuses" },
	{ "x --status 4x4", "--status 4x4: not a list of statuses" },
	{ "x --status ok", "--status ok: not a list" },
	{ "x --status 099", "--status 099: not a list" },
	{ "x --status 1000", "--status 1000: not a list" },
	{ "x --status 300-200", "--status 300-200: not a list" },
	{ "x --status 404;5xx", "--status 404;5xx: not a list" },
	{ "x --slower-than 5", "--slower-than 5: not a time with its unit" },
	{ "x --errors=yes", "--errors takes no value" },
	{ "x -r a -n curl", "-r does not go with -n" },
	{ "x -r a --cgroup b", "-r does not go with --cgroup" },
	{ "x --nonsense", "--nonsense: no such option" },
	{ "x -Z", "-Z: no such option" },
	{ "x --quiet=1", "--quiet takes no value" },
	{ "x -c 0", "-c 0: not a number of requests" },
	{ "x -c many", "-c many: not a number" },
	{ "x -d 10", "-d 10: not a time with its unit" },
	{ "x -d 0s", "-d 0s: not a time" },
	{ "x --dials some", "--dials some: one of auto, all, none" },
	{ "x --backend lsm", "--backend lsm: one of tp_btf, fentry, kprobe" },
	{ "x --probe-sites inner", "--probe-sites inner: one of cheap, entry" },
	{ "x --ring-size 12", "--ring-size 12: not a size" },
	{ "x --head-bytes 1M", "--head-bytes 1M: not a size from 256 to 65536" },
	{ "x -r a -p 1", "-r does not go with -p" },
	{ "x -r a -w b", "-r does not go with -w" },
	{ "x -r a -d 1s", "-r does not go with -d" },
	{ "x -r a -- curl", "-r does not go with a COMMAND" },
	{ "x -w a -w b", "--write is given twice" },
	{ "x --targets -o jsonl", "--targets goes with -p, -n, --cgroup and --btf only" },
	{ "x --no-follow", "--no-follow goes with" },
};

static void usage_errors(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < CNT(refused); i++) {
		int ret = parse(refused[i].line);

		if (ret != -EINVAL || strncmp(err, refused[i].expected, strlen(refused[i].expected)))
			print_error("%s: %d, %s\n", refused[i].line, ret, err);
		assert_int_equal(ret, -EINVAL);
		assert_memory_equal(err, refused[i].expected, strlen(refused[i].expected));
		assert_null(strchr(err, '\n'));
	}
}

static void the_whole_system(void **state)
{
	(void)state;
	assert_int_equal(parse("x"), 0);
	assert_int_equal(options.mode, HT_MODE_TRACE);
	assert_int_equal(options.pid_cnt, 0);
	assert_null(options.command);
	assert_int_equal(options.output_cnt, 0);
	assert_int_equal(options.dials, HTTPTRACE_DIALS_AUTO);
	assert_false(options.with_headers);
}

static void pids(void **state)
{
	(void)state;
	assert_int_equal(parse("x -p 1,2 --pid=3,2 --no-follow"), 0);
	assert_int_equal(options.pid_cnt, 3);
	assert_int_equal(options.pids[0], 1);
	assert_int_equal(options.pids[1], 2);
	assert_int_equal(options.pids[2], 3);
	assert_true(options.no_follow);
}

static void command(void **state)
{
	(void)state;
	assert_int_equal(parse("x -o jsonl -- curl -s -o /dev/null http://a/"), 0);
	assert_non_null(options.command);
	assert_string_equal(options.command[0], "curl");
	assert_string_equal(options.command[2], "-o");
	assert_string_equal(options.command[4], "http://a/");
	assert_null(options.command[5]);
	assert_int_equal(options.output_cnt, 1);
	assert_int_equal(parse("x -- env -- ls"), 0);
	assert_string_equal(options.command[1], "--");
}

static void outputs(void **state)
{
	(void)state;
	assert_int_equal(parse("x -o text -o jsonl=/tmp/a=b -o hooks=- -H --no-redact"), 0);
	assert_int_equal(options.output_cnt, 3);
	assert_string_equal(options.outputs[0].sink, "text");
	assert_null(options.outputs[0].path);
	assert_string_equal(options.outputs[1].sink, "jsonl");
	assert_string_equal(options.outputs[1].path, "/tmp/a=b");
	assert_null(options.outputs[2].path);
	assert_true(options.with_headers && options.no_redact);
}

static void the_rest(void **state)
{
	(void)state;
	assert_int_equal(parse("x -w f -c 3 -d 500ms --dials none --ring-size 64K --head-bytes 1024 --probe-sites entry -vvq"), 0);
	assert_string_equal(options.write_path, "f");
	assert_int_equal(options.max_requests, 3);
	assert_int_equal(options.duration_ns, 500000000);
	assert_int_equal(options.dials, HTTPTRACE_DIALS_NONE);
	assert_int_equal(options.ring_bytes, 65536);
	assert_int_equal(options.head_bytes, 1024);
	assert_int_equal(options.probe_sites, HTTPTRACE_PROBE_SITES_ENTRY);
	assert_int_equal(options.verbose, 2);
	assert_true(options.is_quiet);
	assert_int_equal(parse("x -r f -o hooks -c 1"), 0);
	assert_string_equal(options.read_path, "f");
	assert_int_equal(parse("x --targets -p 5"), 0);
	assert_int_equal(options.mode, HT_MODE_TARGETS);
	assert_int_equal(options.probe_sites, HTTPTRACE_PROBE_SITES_CHEAP);
	assert_int_equal(parse("x --probe-sites=cheap"), 0);
	assert_int_equal(options.probe_sites, HTTPTRACE_PROBE_SITES_CHEAP);
	assert_null(options.backend);
	assert_int_equal(parse("x --backend kprobe"), 0);
	assert_string_equal(options.backend, "kprobe");
	assert_int_equal(parse("x --features"), 0);
	assert_int_equal(options.mode, HT_MODE_FEATURES);
	assert_int_equal(parse("x -h --nonsense"), 0);
	assert_int_equal(options.mode, HT_MODE_HELP);
	assert_int_equal(parse("x --version"), 0);
	assert_int_equal(options.mode, HT_MODE_VERSION);
}

static void times_and_sizes(void **state)
{
	static const struct {
		const char *text;
		int64_t time_ns;
		int64_t bytes;
	} cases[] = {
		{ "500ms", 500000000, -EINVAL }, { "10s", 10000000000, -EINVAL },  { "1.5s", 1500000000, -EINVAL },
		{ "2m", 120000000000, 2 << 20 }, { "1h", 3600000000000, -EINVAL }, { "", -EINVAL, -EINVAL },
		{ "-1s", -EINVAL, -EINVAL },     { "s", -EINVAL, -EINVAL },        { "0x1s", -EINVAL, -EINVAL },
		{ "1e300s", -EINVAL, -EINVAL },  { "64K", -EINVAL, 65536 },        { "7", -EINVAL, 7 },
		{ "1G", -EINVAL, 1 << 30 },      { "1Kb", -EINVAL, -EINVAL },      { "99999999999G", -EINVAL, -EINVAL },
		{ "nans", -EINVAL, -EINVAL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < CNT(cases); i++) {
		if (ht_options_time_ns(cases[i].text) != cases[i].time_ns || ht_options_bytes(cases[i].text) != cases[i].bytes)
			print_error("'%s'\n", cases[i].text);
		assert_true(ht_options_time_ns(cases[i].text) == cases[i].time_ns);
		assert_true(ht_options_bytes(cases[i].text) == cases[i].bytes);
	}
}

static void by_name_and_cgroup(void **state)
{
	(void)state;
	assert_int_equal(parse("x -n curl* --cgroup system.slice -p 7 --no-follow -- ls"), 0);
	assert_string_equal(options.comm, "curl*");
	assert_string_equal(options.cgroup, "system.slice");
	assert_int_equal(options.pid_cnt, 1);
	assert_true(options.no_follow);
	assert_int_equal(parse("x --targets -n curl"), 0);
	assert_int_equal(parse("x --no-follow --cgroup /a"), 0);
}

static void filters(void **state)
{
	(void)state;
	assert_int_equal(
		parse("x --host *.example.com --method GET,post --path /a/* --status 404 --status 5xx,200-299 --slower-than 1.5s --errors"),
		0);
	assert_string_equal(options.filter.host, "*.example.com");
	assert_string_equal(options.filter.method, "GET,post");
	assert_string_equal(options.filter.path, "/a/*");
	assert_int_equal(options.filter.status_cnt, 3);
	assert_int_equal(options.filter.slower_ns, 1500000000);
	assert_true(options.filter.is_errors_only);
	assert_int_equal(parse("x -r f --errors -c 1"), 0);
}

static void statuses(void **state)
{
	static const struct {
		const char *list;
		int status;
		bool is_in;
	} cases[] = {
		{ "404", 404, true },      { "404", 403, false },    { "4xx", 400, true },     { "4XX", 499, true },
		{ "4xx", 500, false },     { "404,5xx", 503, true }, { "200-299", 200, true }, { "200-299", 299, true },
		{ "200-299", 300, false }, { "2xx-3xx", 399, true }, { "404,404", 404, true }, { "999", 999, true },
		{ "9xx", 999, true },      { "5xx", 0, false },      { "100", 100, true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < CNT(cases); i++) {
		struct ht_filter filter = { 0 };

		assert_int_equal(ht_filter_add_statuses(&filter, cases[i].list), 0);
		if (has_status(&filter, cases[i].status) != cases[i].is_in)
			print_error("%s %d\n", cases[i].list, cases[i].status);
		assert_int_equal(has_status(&filter, cases[i].status), cases[i].is_in);
	}
}

static void too_many_statuses(void **state)
{
	struct ht_filter filter = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < HT_FILTER_STATUSES_MAX; i++)
		assert_int_equal(ht_filter_add_statuses(&filter, "404"), 0);
	assert_int_equal(ht_filter_add_statuses(&filter, "404"), -ENOSPC);
}

/* ---- what is written about the options ----------------------------------------------------------------------------------------------- */

#define MAN_PAGE   "../../docs/httptrace-bpf.1"
#define COMPLETION "../../packaging/httptrace-bpf.bash-completion"
#define README     "../../README.md"

/* A file of the source tree, found by this file's place in it; roff's escapes for a hyphen are undone. The caller frees. */
static char *text_of(const char *name)
{
	static const char here[] = __FILE__;
	char path[512], *text = calloc(1, 1 << 18), *from, *to;
	FILE *file;

	snprintf(path, sizeof(path), "%.*s%s", (int)(strrchr(here, '/') + 1 - here), here, name);
	file = fopen(path, "re");
	if (!file)
		fail_msg("%s: %s (run from the source tree's root)", path, strerror(errno));
	assert_true(fread(text, 1, (1 << 18) - 1, file) > 0);
	fclose(file);
	for (from = to = text; *from; from++)
		if (!(from[0] == '\\' && from[1] == '-'))
			*to++ = *from;
	*to = 0;
	return text;
}

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || c == '-';
}

/* The next --word in text, into name; what is behind it, or NULL. */
static const char *next_long(const char *text, char *name, size_t size)
{
	size_t len;

	while ((text = strstr(text, "--"))) {
		for (len = 0; is_word_char(text[2 + len]); len++)
			continue;
		if (len && text[2] != '-' && len < size) {
			memcpy(name, text + 2, len);
			name[len] = 0;
			return text + 2 + len;
		}
		text += 2 + len;
	}
	return NULL;
}

static bool has_long(const char *text, const char *wanted)
{
	char name[64];

	while ((text = next_long(text, name, sizeof(name))))
		if (!strcmp(name, wanted))
			return true;
	return false;
}

/* Every option is in each of the texts, and each of the texts has no other. */
static void texts_tell_what_there_is(void **state)
{
	static const struct {
		const char *name; /* NULL: --help */
	} texts[] = { { NULL }, { MAN_PAGE }, { COMPLETION }, { README } };
	size_t i, n;

	(void)state;
	for (n = 0; n < CNT(texts); n++) {
		char *text = texts[n].name ? text_of(texts[n].name) : strdup(ht_options_help), name[64], letter[8];
		const char *at = text;

		/* Of the README, its list. */
		if (texts[n].name && !strcmp(texts[n].name, README)) {
			char *end;

			at = strstr(text, "\n## Options\n");
			assert_non_null(at);
			end = strstr(at + 1, "\n## ");
			if (end)
				*end = 0;
		}
		for (i = 0; long_options[i].name; i++) {
			/* For tests, and hidden. */
			if (!strcmp(long_options[i].name, "without"))
				continue;
			if (!has_long(at, long_options[i].name))
				fail_msg("--%s is not in %s", long_options[i].name, texts[n].name ? texts[n].name : "--help");
			snprintf(letter, sizeof(letter), "-%c", long_options[i].val);
			if (long_options[i].val < 256 && !strstr(at, letter))
				fail_msg("%s is not in %s", letter, texts[n].name ? texts[n].name : "--help");
		}
		while ((at = next_long(at, name, sizeof(name)))) {
			for (i = 0; long_options[i].name && strcmp(long_options[i].name, name); i++)
				continue;
			if (!long_options[i].name)
				fail_msg("--%s is in %s, but there is no such option", name, texts[n].name ? texts[n].name : "--help");
		}
		free(text);
	}
}

static void help_tells_no_later_sinks(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < CNT(later_sinks); i++)
		assert_null(strstr(ht_options_help, later_sinks[i]));
}

static void help_fits_a_terminal(void **state)
{
	const char *line = ht_options_help;

	(void)state;
	for (; *line; line += strcspn(line, "\n") + 1)
		if (strcspn(line, "\n") > 120)
			fail_msg("%.*s", (int)strcspn(line, "\n"), line);
}

/* What is decided when a report has ended. */
static void what_passes(void **state)
{
	static const struct {
		const char *why;
		struct httptrace_request *(*sample)(void);
		bool errors, ok_status, long_ago; /* passes --errors, --status 200, --slower-than 1us */
	} cases[] = {
		{ "a request", sample_https, false, true, true },
		{ "one that failed", sample_cut, true, false, true },
		{ "a gRPC call that failed", sample_grpc, true, true, true },
		{ "a WebSocket", sample_websocket, false, false, false },
		{ "a dial that failed", sample_refused, true, false, false },
		{ "one that was not used", sample_unused, false, false, false },
	};
	struct ht_filter any = { 0 }, errors = { .is_errors_only = true }, status = { 0 }, slow = { .slower_ns = 1000 };

	(void)state;
	assert_int_equal(ht_filter_add_statuses(&status, "200"), 0);
	for (size_t i = 0; i < CNT(cases); i++) {
		struct httptrace_request *request = cases[i].sample();

		print_message("%s\n", cases[i].why);
		assert_true(ht_filter_passes(&any, request));
		assert_int_equal(ht_filter_passes(&errors, request), cases[i].errors);
		assert_int_equal(ht_filter_passes(&status, request), cases[i].ok_status);
		assert_int_equal(ht_filter_passes(&slow, request), cases[i].long_ago);
		httptrace_request__unref(request);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usage_errors),
		cmocka_unit_test(the_whole_system),
		cmocka_unit_test(pids),
		cmocka_unit_test(command),
		cmocka_unit_test(outputs),
		cmocka_unit_test(the_rest),
		cmocka_unit_test(times_and_sizes),
		cmocka_unit_test(by_name_and_cgroup),
		cmocka_unit_test(filters),
		cmocka_unit_test(statuses),
		cmocka_unit_test(too_many_statuses),
		cmocka_unit_test(what_passes),
		cmocka_unit_test(texts_tell_what_there_is),
		cmocka_unit_test(help_tells_no_later_sinks),
		cmocka_unit_test(help_fits_a_terminal),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
