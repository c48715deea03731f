/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * options.h - the command line, taken apart and checked.
 *
 * In:  argv. Out: struct ht_options, whose strings point into argv. No file is opened and nothing is printed here.
 */
#ifndef HT_OPTIONS_H
#define HT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "filter.h"
#include "httptrace.h"

#define HT_OPTIONS_MAX_PIDS    1024
#define HT_OPTIONS_MAX_OUTPUTS 8

enum ht_mode {
	HT_MODE_TRACE, /* live, or from a file */
	HT_MODE_TARGETS,
	HT_MODE_FEATURES,
	HT_MODE_HELP,
	HT_MODE_VERSION,
};

struct ht_output {
	char sink[16];
	const char *path; /* NULL: standard output */
};

struct ht_options {
	enum ht_mode mode;
	pid_t pids[HT_OPTIONS_MAX_PIDS];
	size_t pid_cnt;
	const char *comm;   /* glob; NULL: none */
	const char *cgroup; /* NULL: none */
	bool no_follow;
	char **command;                                   /* NULL-ended; NULL: none */
	struct ht_output outputs[HT_OPTIONS_MAX_OUTPUTS]; /* none: text, unless write_path */
	size_t output_cnt;
	struct ht_filter filter;
	bool with_headers;
	bool no_redact;
	enum httptrace_dials dials;
	const char *write_path;
	const char *read_path;
	uint64_t max_requests; /* 0: no limit */
	int64_t duration_ns;   /* 0: no limit */
	size_t ring_bytes;     /* 0: the library's default */
	unsigned int head_bytes;
	enum httptrace_probe_sites probe_sites;
	const char *btf;      /* NULL: the kernel's own */
	const char *backend;  /* NULL: the first that goes */
	const char *without;  /* hidden, for tests; NULL: nothing */
	unsigned int verbose; /* how often -v */
	bool is_quiet;
};

#define HT_OPTIONS_ERR_LEN 256

/* sink_exists says which sinks there are. 0; -EINVAL and the sentence in err (HT_OPTIONS_ERR_LEN bytes) on wrong usage. */
int ht_options_parse(struct ht_options *options, int argc, char **argv, bool (*sink_exists)(const char *name), char *err);

/* The text of --help. */
extern const char ht_options_help[];

/* "500ms", "10s", "2m", "1h", "1.5s" as nanoseconds; -EINVAL. */
int64_t ht_options_time_ns(const char *text);
/* "65536", "64K", "1M" as bytes; -EINVAL. */
int64_t ht_options_bytes(const char *text);

#endif
