/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_options.c - the command line: what it means, what is refused and in which words.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The command line's room is in no library. */
#include "../../user/cli/options.c"

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
	{ "x -n curl", "--comm: not in this version" },
	{ "x --cgroup /a", "--cgroup: not in this version" },
	{ "x --host a", "--host: not in this version" },
	{ "x --method GET", "--method: not in this version" },
	{ "x --path /a", "--path: not in this version" },
	{ "x --status 5xx", "--status: not in this version" },
	{ "x --slower-than 1s", "--slower-than: not in this version" },
	{ "x --errors", "--errors: not in this version" },
	{ "x --nonsense", "--nonsense: no such option" },
	{ "x -Z", "-Z: no such option" },
	{ "x --quiet=1", "--quiet takes no value" },
	{ "x -c 0", "-c 0: not a number of requests" },
	{ "x -c many", "-c many: not a number" },
	{ "x -d 10", "-d 10: not a time with its unit" },
	{ "x -d 0s", "-d 0s: not a time" },
	{ "x --dials some", "--dials some: one of auto, all, none" },
	{ "x --ring-size 12", "--ring-size 12: not a size" },
	{ "x --head-bytes 1M", "--head-bytes 1M: not a size from 256 to 65536" },
	{ "x -r a -p 1", "-r does not go with -p" },
	{ "x -r a -w b", "-r does not go with -w" },
	{ "x -r a -d 1s", "-r does not go with -d" },
	{ "x -r a -- curl", "-r does not go with a COMMAND" },
	{ "x -w a -w b", "--write is given twice" },
	{ "x --targets -o jsonl", "--targets goes with -p only" },
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
	assert_int_equal(parse("x -w f -c 3 -d 500ms --dials none --ring-size 64K --head-bytes 1024 -vvq"), 0);
	assert_string_equal(options.write_path, "f");
	assert_int_equal(options.max_requests, 3);
	assert_int_equal(options.duration_ns, 500000000);
	assert_int_equal(options.dials, HTTPTRACE_DIALS_NONE);
	assert_int_equal(options.ring_bytes, 65536);
	assert_int_equal(options.head_bytes, 1024);
	assert_int_equal(options.verbose, 2);
	assert_true(options.is_quiet);
	assert_int_equal(parse("x -r f -o hooks -c 1"), 0);
	assert_string_equal(options.read_path, "f");
	assert_int_equal(parse("x --targets -p 5"), 0);
	assert_int_equal(options.mode, HT_MODE_TARGETS);
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

/* What is refused is not advertised, what is taken is. */
static void help_tells_what_there_is(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; long_options[i].name; i++) {
		int code = long_options[i].val;
		bool is_later = code == 'n' || (code >= OPT_CGROUP && code <= OPT_ERRORS);
		char name[64];

		snprintf(name, sizeof(name), "--%s", long_options[i].name);
		if (!strstr(ht_options_help, name) != is_later)
			print_error("%s\n", name);
		assert_int_equal(!strstr(ht_options_help, name), is_later);
	}
	for (i = 0; i < CNT(later_sinks); i++)
		assert_null(strstr(ht_options_help, later_sinks[i]));
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
		cmocka_unit_test(help_tells_what_there_is),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
