/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sanitizer.c - linked into every program of a sanitized build (SAN=both): what the sanitizers' run-time asks for its options.
 *
 * Built in rather than given by the environment, which the tests make up for each program anew, and which a traced COMMAND would inherit.
 * A report ends the program with a status that no test expects, and is left in HT_SANITIZER_REPORTS, where tests/run counts it.
 */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

__attribute__((visibility("default"), used)) const char *__asan_default_options(void)
{
	return "log_path=" HT_SANITIZER_REPORTS "/report:exitcode=86:detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:"
	       "check_initialization_order=1";
}

__attribute__((visibility("default"), used)) const char *__ubsan_default_options(void)
{
	return "log_path=" HT_SANITIZER_REPORTS "/report:exitcode=86:print_stacktrace=1";
}
