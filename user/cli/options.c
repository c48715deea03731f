/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * options.c - see options.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

/* What the BPF programs can keep of a head. */
#define HEAD_BYTES_MIN 256
#define HEAD_BYTES_MAX 65536
#define RING_BYTES_MIN 4096
#define RING_BYTES_MAX (1ll << 30)

enum {
	OPT_CGROUP = 256,
	OPT_HOST,
	OPT_METHOD,
	OPT_PATH,
	OPT_STATUS,
	OPT_SLOWER_THAN,
	OPT_ERRORS,
	OPT_NO_FOLLOW,
	OPT_NO_REDACT,
	OPT_DIALS,
	OPT_TARGETS,
	OPT_FEATURES,
	OPT_RING_SIZE,
	OPT_HEAD_BYTES,
	OPT_PROBE_SITES,
	OPT_BTF,
	OPT_WITHOUT,
	OPT_BACKEND,
};

static const struct option long_options[] = {
	{ "pid", required_argument, NULL, 'p' },
	{ "no-follow", no_argument, NULL, OPT_NO_FOLLOW },
	{ "output", required_argument, NULL, 'o' },
	{ "headers", no_argument, NULL, 'H' },
	{ "no-redact", no_argument, NULL, OPT_NO_REDACT },
	{ "dials", required_argument, NULL, OPT_DIALS },
	{ "write", required_argument, NULL, 'w' },
	{ "read", required_argument, NULL, 'r' },
	{ "count", required_argument, NULL, 'c' },
	{ "duration", required_argument, NULL, 'd' },
	{ "targets", no_argument, NULL, OPT_TARGETS },
	{ "features", no_argument, NULL, OPT_FEATURES },
	{ "ring-size", required_argument, NULL, OPT_RING_SIZE },
	{ "head-bytes", required_argument, NULL, OPT_HEAD_BYTES },
	{ "probe-sites", required_argument, NULL, OPT_PROBE_SITES },
	{ "btf", required_argument, NULL, OPT_BTF },
	/* For tests, and not in --help: takes features of the kernel as missing. */
	{ "without", required_argument, NULL, OPT_WITHOUT },
	{ "backend", required_argument, NULL, OPT_BACKEND },
	{ "verbose", no_argument, NULL, 'v' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ "comm", required_argument, NULL, 'n' },
	{ "cgroup", required_argument, NULL, OPT_CGROUP },
	{ "host", required_argument, NULL, OPT_HOST },
	{ "method", required_argument, NULL, OPT_METHOD },
	{ "path", required_argument, NULL, OPT_PATH },
	{ "status", required_argument, NULL, OPT_STATUS },
	{ "slower-than", required_argument, NULL, OPT_SLOWER_THAN },
	{ "errors", no_argument, NULL, OPT_ERRORS },
	{ 0 },
};

/* '+': what follows the first operand is not ours. ':': we word the errors. */
static const char short_options[] = "+:p:n:o:Hw:r:c:d:vqhV";

static const char *const later_sinks[] = { "har", "otlp", "journald", "syslog", "prometheus", "html" };

const char ht_options_help[] =
	"Usage: httptrace-bpf [OPTION]... [-- COMMAND [ARG]...]\n"
	"Shows the HTTP client requests of running programs as Go's net/http/httptrace would, without touching the programs.\n"
	"\n"
	"What to trace (the whole system, if nothing of this is given; needs root):\n"
	"  -p, --pid PID[,PID...]   these processes and the children they start later\n"
	"  -n, --comm GLOB          processes whose name matches, now or later, and the children they start\n"
	"      --cgroup PATH        processes in this cgroup or below (a container, a systemd unit), and their children;\n"
	"                           with -n: those that match both\n"
	"      --no-follow          without their children\n"
	"  -- COMMAND [ARG]...      start COMMAND, trace it and its children, end with its status\n"
	"  -r, --read FILE          a capture written by -w; needs no root\n"
	"\n"
	"Which requests to report (all, if nothing of this is given; else those that match all that is given):\n"
	"      --host GLOB          to this host ('*.example.com', 'localhost:8080'); also failed dials to it\n"
	"      --method LIST        GET,POST\n"
	"      --path GLOB          path of the URL, without the query ('/api/*')\n"
	"      --status LIST        404,5xx,200-299\n"
	"      --slower-than TIME   that took longer in all: 500ms, 2s\n"
	"      --errors             that failed; also failed dials. A 404 is no failure: --status 4xx,5xx\n"
	"\n"
	"How to report:\n"
	"  -o, --output SINK[=FILE] text   a line per request (the default)\n"
	"                           hooks  each request with all its hooks\n"
	"                           jsonl  a JSON object per line\n"
	"                           on standard output, or into FILE; may be given more than once\n"
	"  -H, --headers            report header fields, credentials redacted\n"
	"      --no-redact          do not redact credentials (in fields and in URLs)\n"
	"      --dials auto|all|none  report failed or unused connection attempts that nothing proves to be HTTP:\n"
	"                           auto: all, but of the whole system only those to HTTP's usual ports\n"
	"  -w, --write FILE         capture the raw event stream into FILE (mode 0600: it holds credentials);\n"
	"                           without -o nothing else is reported\n"
	"\n"
	"When to stop (Ctrl-C does, too):\n"
	"  -c, --count N            after N requests\n"
	"  -d, --duration TIME      after TIME: 500ms, 10s, 2m\n"
	"\n"
	"What would be done, and how:\n"
	"      --targets            print what would be probed, and why something is not\n"
	"      --features           print what the kernel offers, and which hooks that gives\n"
	"      --ring-size BYTES    buffer between kernel and us (64K, 16M; a power of two), when events are lost\n"
	"      --head-bytes BYTES   largest request or response head captured whole, 256 to 65536 (16384)\n"
	"      --probe-sites cheap|entry  probes in libraries on instructions that cost some ten times less, where that is\n"
	"                           proven to be right (cheap), or on the first ones of public functions only\n"
	"      --backend tp_btf|fentry|kprobe  by what the kernel is asked for socket events (the first that it takes)\n"
	"      --btf FILE           the kernel's type information, where the kernel has none of its own\n"
	"  -v, --verbose            say what is attached, and what is left alone and why (-vv: more)\n"
	"  -q, --quiet              say nothing but errors on standard error\n"
	"  -h, --help\n"
	"  -V, --version\n"
	"\n"
	"Exit status: 0 done, 1 failure, 2 wrong usage; with COMMAND its own (128+N if signal N ended it).\n";

static int __attribute__((format(printf, 2, 3))) usage(char *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err, HT_OPTIONS_ERR_LEN, format, args);
	va_end(args);
	return -EINVAL;
}

int64_t ht_options_time_ns(const char *text)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = { { "ms", 1e6 }, { "s", 1e9 }, { "m", 60e9 }, { "h", 3600e9 } };
	double value;
	char *end;
	size_t i;

	if (text[0] < '0' || text[0] > '9' || text[1] == 'x' || text[1] == 'X')
		return -EINVAL;
	value = strtod(text, &end);
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit))
			continue;
		value *= units[i].ns;
		/* A century; more is a slip of the finger, and does not fit. */
		return value >= 1 && value < 3e18 ? (int64_t)value : -EINVAL;
	}
	return -EINVAL;
}

/* Digits only: strtoull() would take signs and spaces. -EINVAL. */
static int64_t number(const char *text, char **end)
{
	unsigned long long value;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	value = strtoull(text, end, 10);
	return errno || value > INT64_MAX ? -EINVAL : (int64_t)value;
}

int64_t ht_options_bytes(const char *text)
{
	char *end;
	int64_t value = number(text, &end);
	unsigned int shift = 0;

	if (value < 0)
		return -EINVAL;
	if (*end == 'K' || *end == 'k')
		shift = 10;
	else if (*end == 'M' || *end == 'm')
		shift = 20;
	else if (*end == 'G' || *end == 'g')
		shift = 30;
	if (shift)
		end++;
	if (*end || value > INT64_MAX >> shift)
		return -EINVAL;
	return value << shift;
}

static int add_pids(struct ht_options *options, const char *text, char *err)
{
	const char *at = text;
	int64_t pid;
	char *end;
	size_t i;

	for (;;) {
		pid = number(at, &end);
		if (pid <= 0 || pid > INT_MAX || (*end && *end != ','))
			return usage(err, "-p %s: not a list of process ids, such as 1234 or 1234,5678", text);
		for (i = 0; i < options->pid_cnt; i++)
			if (options->pids[i] == pid)
				break;
		if (i == options->pid_cnt) {
			if (i == HT_OPTIONS_MAX_PIDS)
				return usage(err, "-p: more than %d processes; trace the whole system instead", HT_OPTIONS_MAX_PIDS);
			options->pids[options->pid_cnt++] = (pid_t)pid;
		}
		if (!*end)
			return 0;
		at = end + 1;
	}
}

static int add_output(struct ht_options *options, char *text, bool (*sink_exists)(const char *name), char *err)
{
	char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : strlen(text), i;
	struct ht_output *output;

	if (options->output_cnt == HT_OPTIONS_MAX_OUTPUTS)
		return usage(err, "-o: more than %d outputs", HT_OPTIONS_MAX_OUTPUTS);
	output = &options->outputs[options->output_cnt];
	if (len < sizeof(output->sink)) {
		memcpy(output->sink, text, len);
		output->sink[len] = 0;
		for (i = 0; i < sizeof(later_sinks) / sizeof(later_sinks[0]); i++)
			if (!strcmp(output->sink, later_sinks[i]))
				return usage(err, "-o %s: not in this version", later_sinks[i]);
	}
	if (len >= sizeof(output->sink) || !sink_exists(output->sink))
		return usage(err, "-o %.*s: no such output; there are text, hooks and jsonl", (int)len, text);
	if (equals && !equals[1])
		return usage(err, "-o %s: a file name is missing behind the =", text);
	output->path = equals && strcmp(equals + 1, "-") ? equals + 1 : NULL;
	for (i = 0; i < options->output_cnt; i++)
		if (output->path && options->outputs[i].path && !strcmp(output->path, options->outputs[i].path))
			return usage(err, "-o: %s is given twice; give each output a file of its own", output->path);
	options->output_cnt++;
	return 0;
}

static int set_dials(struct ht_options *options, const char *text, char *err)
{
	static const struct {
		const char *name;
		enum httptrace_dials dials;
	} names[] = { { "auto", HTTPTRACE_DIALS_AUTO }, { "all", HTTPTRACE_DIALS_ALL }, { "none", HTTPTRACE_DIALS_NONE } };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(text, names[i].name)) {
			options->dials = names[i].dials;
			return 0;
		}
	}
	return usage(err, "--dials %s: one of auto, all, none", text);
}

static int set_probe_sites(struct ht_options *options, const char *text, char *err)
{
	if (!strcmp(text, "cheap"))
		options->probe_sites = HTTPTRACE_PROBE_SITES_CHEAP;
	else if (!strcmp(text, "entry"))
		options->probe_sites = HTTPTRACE_PROBE_SITES_ENTRY;
	else
		return usage(err, "--probe-sites %s: one of cheap, entry", text);
	return 0;
}

static int set_count(struct ht_options *options, const char *text, char *err)
{
	char *end;
	int64_t value = number(text, &end);

	if (value <= 0 || *end)
		return usage(err, "-c %s: not a number of requests, 1 or more", text);
	options->max_requests = (uint64_t)value;
	return 0;
}

static int set_duration(struct ht_options *options, const char *text, char *err)
{
	options->duration_ns = ht_options_time_ns(text);
	if (options->duration_ns < 0)
		return usage(err, "-d %s: not a time with its unit, such as 500ms, 10s or 2m", text);
	return 0;
}

static int set_ring(struct ht_options *options, const char *text, char *err)
{
	int64_t bytes = ht_options_bytes(text);

	if (bytes < RING_BYTES_MIN || bytes > RING_BYTES_MAX)
		return usage(err, "--ring-size %s: not a size from 4K to 1G", text);
	options->ring_bytes = (size_t)bytes;
	return 0;
}

static int set_head(struct ht_options *options, const char *text, char *err)
{
	int64_t bytes = ht_options_bytes(text);

	if (bytes < HEAD_BYTES_MIN || bytes > HEAD_BYTES_MAX)
		return usage(err, "--head-bytes %s: not a size from %d to %d", text, HEAD_BYTES_MIN, HEAD_BYTES_MAX);
	options->head_bytes = (unsigned int)bytes;
	return 0;
}

static const char *long_name(int code)
{
	size_t i;

	for (i = 0; long_options[i].name; i++)
		if (long_options[i].val == code)
			return long_options[i].name;
	return "?";
}

static int set_once(const char **to, char *value, int code, char *err)
{
	if (*to)
		return usage(err, "--%s is given twice", long_name(code));
	if (!value[0])
		return usage(err, "--%s: its value is missing", long_name(code));
	*to = value;
	return 0;
}

static int add_statuses(struct ht_options *options, const char *text, char *err)
{
	int ret = ht_filter_add_statuses(&options->filter, text);

	if (ret == -ENOSPC)
		return usage(err, "--status %s: more than %d", text, HT_FILTER_STATUSES_MAX);
	if (ret)
		return usage(err, "--status %s: not a list of statuses, such as 404,5xx or 200-299", text);
	return 0;
}

static int set_slower(struct ht_options *options, const char *text, char *err)
{
	options->filter.slower_ns = ht_options_time_ns(text);
	if (options->filter.slower_ns < 0)
		return usage(err, "--slower-than %s: not a time with its unit, such as 500ms or 2s", text);
	return 0;
}

static int set_backend(struct ht_options *options, const char *text, char *err)
{
	if (strcmp(text, "tp_btf") && strcmp(text, "fentry") && strcmp(text, "kprobe"))
		return usage(err, "--backend %s: one of tp_btf, fentry, kprobe", text);
	options->backend = text;
	return 0;
}

static int take(struct ht_options *options, int code, char **argv, bool (*sink_exists)(const char *name), char *err)
{
	switch (code) {
	case 'p':
		return add_pids(options, optarg, err);
	case 'o':
		return add_output(options, optarg, sink_exists, err);
	case 'w':
		return set_once(&options->write_path, optarg, code, err);
	case 'r':
		return set_once(&options->read_path, optarg, code, err);
	case 'c':
		return set_count(options, optarg, err);
	case 'd':
		return set_duration(options, optarg, err);
	case OPT_DIALS:
		return set_dials(options, optarg, err);
	case OPT_RING_SIZE:
		return set_ring(options, optarg, err);
	case OPT_HEAD_BYTES:
		return set_head(options, optarg, err);
	case OPT_PROBE_SITES:
		return set_probe_sites(options, optarg, err);
	case OPT_BTF:
		return set_once(&options->btf, optarg, code, err);
	case OPT_BACKEND:
		return set_backend(options, optarg, err);
	case OPT_WITHOUT:
		return set_once(&options->without, optarg, code, err);
	case 'n':
		return set_once(&options->comm, optarg, code, err);
	case OPT_CGROUP:
		return set_once(&options->cgroup, optarg, code, err);
	case OPT_HOST:
		return set_once(&options->filter.host, optarg, code, err);
	case OPT_METHOD:
		return set_once(&options->filter.method, optarg, code, err);
	case OPT_PATH:
		return set_once(&options->filter.path, optarg, code, err);
	case OPT_STATUS:
		return add_statuses(options, optarg, err);
	case OPT_SLOWER_THAN:
		return set_slower(options, optarg, err);
	case OPT_ERRORS:
		options->filter.is_errors_only = true;
		return 0;
	case 'H':
		options->with_headers = true;
		return 0;
	case OPT_NO_REDACT:
		options->no_redact = true;
		return 0;
	case OPT_NO_FOLLOW:
		options->no_follow = true;
		return 0;
	case OPT_TARGETS:
		options->mode = HT_MODE_TARGETS;
		return 0;
	case OPT_FEATURES:
		options->mode = HT_MODE_FEATURES;
		return 0;
	case 'v':
		options->verbose++;
		return 0;
	case 'q':
		options->is_quiet = true;
		return 0;
	case ':':
		return usage(err, "%s: its value is missing", argv[optind - 1]);
	default:
		/* optopt: the unknown letter, or the code of a long option that takes no value. */
		if (optopt && !strncmp(argv[optind - 1], "--", 2))
			return usage(err, "--%s takes no value", long_name(optopt));
		if (optopt)
			return usage(err, "-%c: no such option", optopt);
		return usage(err, "%s: no such option", argv[optind - 1]);
	}
}

/* What does not go together. */
static int check(const struct ht_options *options, char *err)
{
	bool is_report = options->mode == HT_MODE_TARGETS || options->mode == HT_MODE_FEATURES;

	if (options->read_path && options->pid_cnt)
		return usage(err, "-r does not go with -p: a capture holds what was traced when it was written");
	if (options->read_path && (options->comm || options->cgroup))
		return usage(err, "-r does not go with %s: a capture holds what was traced when it was written",
			     options->comm ? "-n" : "--cgroup");
	if (options->read_path && options->command)
		return usage(err, "-r does not go with a COMMAND: it reports from a file");
	if (options->read_path && options->write_path)
		return usage(err, "-r does not go with -w: copy the file instead");
	if (options->read_path && options->duration_ns)
		return usage(err, "-r does not go with -d: a file is read as fast as it can be");
	if (is_report && (options->read_path || options->write_path || options->output_cnt || options->command))
		return usage(err, "--%s goes with -p, -n, --cgroup and --btf only",
			     options->mode == HT_MODE_TARGETS ? "targets" : "features");
	if (options->no_follow && !options->pid_cnt && !options->command && !options->comm && !options->cgroup)
		return usage(err, "--no-follow goes with -p, -n, --cgroup or a COMMAND: the whole system is traced without it");
	return 0;
}

int ht_options_parse(struct ht_options *options, int argc, char **argv, bool (*sink_exists)(const char *name), char *err)
{
	int code, ret;

	memset(options, 0, sizeof(*options));
	err[0] = 0;
	/* 0, not 1: glibc's getopt forgets an earlier scan (unit tests make many). */
	optind = 0;
	opterr = 0;
	while ((code = getopt_long(argc, argv, short_options, long_options, NULL)) != -1) {
		if (code == 'h' || code == 'V') {
			options->mode = code == 'h' ? HT_MODE_HELP : HT_MODE_VERSION;
			return 0;
		}
		ret = take(options, code, argv, sink_exists, err);
		if (ret)
			return ret;
	}
	if (optind < argc) {
		if (strcmp(argv[optind - 1], "--"))
			return usage(err, "%s: not an option; to start a command put -- before it", argv[optind]);
		options->command = &argv[optind];
	} else if (argc > 1 && !strcmp(argv[argc - 1], "--")) {
		return usage(err, "a COMMAND is missing behind --");
	}
	return check(options, err);
}
