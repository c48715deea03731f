/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_engine.c - from records to reports: every scenario of the tables (test_engine_cases_*.h), conversations cut at every byte, bounds of the tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "script.h"
#include "test_engine_cases_dial.h"
#include "test_engine_cases_gap.h"
#include "test_engine_cases_http.h"
#include "test_engine_cases_tls.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static void run_case(const struct engine_case *c, unsigned int *failed_cnt)
{
	char *got = script_run(c->script);

	if (strcmp(got, c->expected)) {
		/* Not print_error(): it cuts at 1 KiB. */
		fprintf(stderr, "%s\nscript:\n%s\nexpected:\n%s\ngot:\n%s\n", c->why, c->script, c->expected, got);
		(*failed_cnt)++;
	}
	free(got);
}

static void run_cases(const struct engine_case *cases, size_t cnt)
{
	unsigned int failed_cnt = 0;

	for (size_t i = 0; i < cnt; i++)
		run_case(&cases[i], &failed_cnt);
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

static void test_gaps(void **state)
{
	(void)state;
	run_cases(gap_cases, ARRAY_SIZE(gap_cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http),
		cmocka_unit_test(test_dials),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_gaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
