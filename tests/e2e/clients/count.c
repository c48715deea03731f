/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * count.c - the lightest user of the library: a callback that counts requests by process, local address and what they asked for.
 *
 * count [PID...]: these processes, or the whole system. In: SIGINT ends it. Out: "ready" when tracing has begun; at the end one line of
 * JSON:
 *     requests, dials; rows: [pid, local address, "name/connection" of the path /name/connection/number, requests, numbers missing
 *     between them, numbers that came again or too late]; not_ok, touched (by a loss), unknown (without URL or local address), other
 *     (another path); lost and skipped: the summary's counters.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <httptrace.h>

#define ROW_MAX  65536
#define PIDS_MAX 4096

struct row {
	pid_t pid; /* 0: free */
	char local[24];
	char path[48];
	uint64_t requests, missing, late, next;
};

static struct row rows[ROW_MAX];
static size_t row_cnt;
static uint64_t requests, dials, not_ok, touched, unknown, other;
static volatile sig_atomic_t is_over;

static uint64_t hash(uint64_t seed, const char *text, size_t len)
{
	while (len--)
		seed = (seed ^ (unsigned char)*text++) * 0x100000001b3ull;
	return seed;
}

/* NULL: no room. */
static struct row *row_of(pid_t pid, const char *local, const char *path, size_t path_len)
{
	uint64_t at = hash(hash(0xcbf29ce484222325ull + (uint64_t)pid, local, strlen(local)), path, path_len);
	struct row *row;

	for (;; at++) {
		row = &rows[(at ^ at >> 32) % ROW_MAX];
		if (!row->pid)
			break;
		if (row->pid == pid && !strcmp(row->local, local) && !strncmp(row->path, path, path_len) && !row->path[path_len])
			return row;
	}
	if (row_cnt++ >= ROW_MAX / 2)
		return NULL;
	row->pid = pid;
	snprintf(row->local, sizeof(row->local), "%s", local);
	snprintf(row->path, sizeof(row->path), "%.*s", (int)path_len, path);
	return row;
}

/* "name/connection" and the number behind it; false: another path. */
static bool read_path(const char *url, const char **path, size_t *path_len, uint64_t *number)
{
	const char *at = strstr(url, "://"), *last;
	char *end;

	at = at ? strchr(at + 3, '/') : NULL;
	last = at ? strrchr(at, '/') : NULL;
	if (!at || last <= at + 1 || (size_t)(last - at - 1) >= sizeof(rows[0].path) || !memchr(at + 1, '/', (size_t)(last - at - 1)))
		return false;
	*path = at + 1;
	*path_len = (size_t)(last - at - 1);
	*number = strtoull(last + 1, &end, 10);
	return last[1] && !*end;
}

static void request_done(struct httptrace_request *request, void *ctx)
{
	const struct httptrace_conn *conn = httptrace_request__conn(request);
	const char *url = httptrace_request__url(request), *path;
	uint64_t number;
	struct row *row;
	size_t path_len;

	(void)ctx;
	if (httptrace_request__kind(request) == HTTPTRACE_DIAL) {
		dials++;
		return;
	}
	requests++;
	touched += httptrace_request__lost(request) > 0;
	if (httptrace_request__status(request) != 200 || httptrace_request__outcome(request) != HTTPTRACE_OK)
		not_ok++;
	if (!url || !conn || !conn->local || !httptrace_request__pid(request)) {
		unknown++;
		return;
	}
	row = read_path(url, &path, &path_len, &number) ? row_of(httptrace_request__pid(request), conn->local, path, path_len) : NULL;
	if (!row) {
		other++;
		return;
	}
	row->requests++;
	if (number < row->next) {
		row->late++;
		return;
	}
	row->missing += number - row->next;
	row->next = number + 1;
}

static void print_counters(const char *name, const struct httptrace_counter *counters, size_t cnt)
{
	printf(",\"%s\":{", name);
	for (size_t i = 0; i < cnt; i++)
		printf("%s\"%s\":%" PRIu64, i ? "," : "", counters[i].name, counters[i].count);
	printf("}");
}

static void on_notice(const struct httptrace_notice *notice, void *ctx)
{
	bool is_first = true;

	(void)ctx;
	if (notice->kind != HTTPTRACE_NOTICE_SUMMARY)
		return;
	printf("{\"requests\":%" PRIu64 ",\"dials\":%" PRIu64 ",\"not_ok\":%" PRIu64 ",\"touched\":%" PRIu64 ",\"unknown\":%" PRIu64
	       ",\"other\":%" PRIu64 ",\"rows\":[",
	       requests, dials, not_ok, touched, unknown, other);
	for (size_t i = 0; i < ROW_MAX; i++) {
		const struct row *row = &rows[i];

		if (!row->pid)
			continue;
		printf("%s[%d,\"%s\",\"%s\",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]", is_first ? "" : ",", (int)row->pid, row->local,
		       row->path, row->requests, row->missing, row->late);
		is_first = false;
	}
	printf("]");
	print_counters("lost", notice->lost, notice->lost_cnt);
	print_counters("skipped", notice->skipped, notice->skipped_cnt);
	printf("}\n");
}

static void on_signal(int number)
{
	(void)number;
	is_over = 1;
}

int main(int argc, char **argv)
{
	struct httptrace_client_trace trace = { .sz = sizeof(trace), .request_done = request_done };
	struct httptrace_open_opts opts = { .sz = sizeof(opts), .notice = on_notice, .no_headers = true };
	struct sigaction action = { .sa_handler = on_signal };
	static pid_t pids[PIDS_MAX];
	struct httptrace *tracer;
	int ret;

	/* So many events at once are more than a sanitized build takes in at its pace. */
	if (getenv("HTTPTRACE_SANITIZED"))
		opts.ring_bytes = 128 << 20;
	for (int i = 1; i < argc && opts.pid_cnt < PIDS_MAX; i++)
		pids[opts.pid_cnt++] = (pid_t)strtol(argv[i], NULL, 10);
	opts.pids = pids;
	sigaction(SIGINT, &action, NULL);
	tracer = httptrace__open(&opts);
	if (!tracer) {
		fprintf(stderr, "count: %s\n", httptrace__open_error());
		return 1;
	}
	ret = httptrace__register(tracer, &trace, NULL);
	puts("ready");
	fflush(stdout);
	/* A signal may come just before the wait: none is for ever. */
	while (!is_over && (ret >= 0 || ret == -EINTR))
		ret = httptrace__poll(tracer, 100);
	if (ret >= 0 || ret == -EINTR)
		ret = httptrace__stop(tracer);
	if (ret < 0 && ret != -ENODATA)
		fprintf(stderr, "count: %s\n", httptrace__error(tracer));
	httptrace__close(tracer);
	return ret < 0 && ret != -ENODATA;
}
