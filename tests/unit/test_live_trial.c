/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_live_trial.c - the trial of return probes in a sealed process, against the real kernel: it can tell life from death; and what follows from it. Needs
 * root.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "abi/event.h"
#include "attach/programs.h"
#include "attach/trial.h"

#define CNT(array) (sizeof(array) / sizeof((array)[0]))

/* 0.4 ms, and what the kernel makes the first probe after a pause wait (ready.h): 20 ms. Noisy machines are allowed five times that. */
#define TRIAL_MAX_MS 100.0

static volatile sig_atomic_t child_signals;

static void on_child(int number)
{
	(void)number;
	child_signals++;
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static const struct {
	const char *why;
	unsigned int numbers[2];
	size_t cnt;
	bool is_killed; /* else what this kernel does */
} trials[] = {
	{ "it may exit", { SYS_exit, SYS_exit_group }, 2, false },
	{ "it may not even exit: the trial sees that it is killed", { 0 }, 0, true },
	{ "it may read only", { SYS_read }, 1, true },
};

static void life_is_told_from_death(void **state)
{
	static const enum ht_uprobe_backend backends[] = { HT_UPROBE_SESSION, HT_UPROBE_MULTI, HT_UPROBE_PERF };
	struct sigaction action = { .sa_handler = on_child }, old;

	(void)state;
	sigaction(SIGCHLD, &action, &old);
	for (size_t b = 0; b < CNT(backends); b++) {
		for (size_t i = 0; i < CNT(trials); i++) {
			double begun_ms = now_ms();
			int link_fd;
			enum ht_trial_verdict verdict = ht_trial_run(backends[b], trials[i].numbers, trials[i].cnt, &link_fd);
			double took_ms = now_ms() - begun_ms;

			if (verdict == HT_TRIAL_UNKNOWN || (trials[i].is_killed && verdict != HT_TRIAL_KILLED))
				fail_msg("%s, by %s: verdict %d", trials[i].why, ht_uprobe_backend_name(backends[b]), verdict);
			print_message("# %s, by %s: %s, %.1f ms\n", trials[i].why, ht_uprobe_backend_name(backends[b]),
				      verdict == HT_TRIAL_SURVIVES ? "survives" : "killed", took_ms);
			assert_true(link_fd >= 0);
			close(link_fd);
			assert_true(took_ms < TRIAL_MAX_MS);
		}
	}
	sigaction(SIGCHLD, &old, NULL);
	/* Nobody who waits for children of his own has heard of it. */
	assert_int_equal(child_signals, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
	assert_int_equal(errno, ECHILD);
}

static void nothing_is_tried_without_uprobes(void **state)
{
	int link_fd;

	(void)state;
	assert_int_equal(ht_trial_run(HT_UPROBE_NONE, NULL, 0, &link_fd), HT_TRIAL_UNKNOWN);
	assert_int_equal(link_fd, -1);
	assert_int_equal(ht_trial_end(NULL, NULL), HT_TRIAL_UNKNOWN);
	assert_int_equal(ht_trial_end(ht_trial_start(HT_UPROBE_NONE), NULL), HT_TRIAL_UNKNOWN);
}

/* By each backend: with sessions a program for both sides must not be used, but one for entries. */
static void refused_returns_are_none(void **state)
{
	static const enum ht_uprobe_backend backends[] = { HT_UPROBE_PERF, HT_UPROBE_MULTI, HT_UPROBE_SESSION };
	struct ht_features features;

	(void)state;
	ht_features_read(&features, NULL, 0);
	for (size_t b = 0; b < CNT(backends); b++) {
		struct ht_programs_opts opts = { .ring_bytes = 65536, .backend = backends[b], .returns_refused = ht_trial_refusal };
		const struct ht_program_state *states;
		struct ht_programs *programs;
		size_t cnt, refused_cnt = 0;
		char err[256];

		opts.config.flags = HT_CFG_FILTERED;
		opts.config.head_bytes = HT_HEAD_BYTES_DEFAULT;
		programs = ht_programs_load(&opts, &features, err, sizeof(err));
		if (!programs)
			fail_msg("%s: %s", ht_uprobe_backend_name(backends[b]), err);
		for (int group = 0; group < HT_SITES_GROUP_CNT; group++) {
			assert_int_equal(ht_programs_uprobe_fd(programs, (enum ht_site_group)group, HT_UPROBE_RETURN), -ENOENT);
			assert_int_equal(ht_programs_uprobe_fd(programs, (enum ht_site_group)group, HT_UPROBE_BOTH), -ENOENT);
			assert_true(ht_programs_uprobe_fd(programs, (enum ht_site_group)group, HT_UPROBE_ENTRY) >= 0);
		}
		states = ht_programs_states(programs, &cnt);
		for (size_t i = 0; i < cnt; i++) {
			if (states[i].kind != HT_PROGRAM_RETURN)
				continue;
			refused_cnt++;
			assert_false(states[i].is_on);
			assert_false(states[i].is_replaced);
			assert_string_equal(states[i].reason, ht_trial_refusal);
		}
		assert_int_equal(refused_cnt, 3);
		ht_programs_free(programs);
	}
	ht_features_free(&features);
}

static void skipped(void **state)
{
	(void)state;
	print_message("# needs root\n");
	skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(life_is_told_from_death),
		cmocka_unit_test(nothing_is_tried_without_uprobes),
		cmocka_unit_test(refused_returns_are_none),
	};
	const struct CMUnitTest without_root[] = { cmocka_unit_test(skipped) };

	if (geteuid())
		return cmocka_run_group_tests_name("trial", without_root, NULL, NULL);
	return cmocka_run_group_tests_name("trial", tests, NULL, NULL);
}
