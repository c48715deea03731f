/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * script_report.h - a request as one line of text, and the checks that hold for every request.
 */
#ifndef HT_SCRIPT_REPORT_H
#define HT_SCRIPT_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "httptrace.h"

/* Growable text. */
struct script_text {
	char *bytes;
	size_t len;
	size_t cap;
};

void script_put(struct script_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct script_view {
	bool args, time, how, fields, conn, bytes, times, who;
};

void script_put_request(struct script_text *text, const struct httptrace_request *request, const struct script_view *view);
/* What is wrong with the request's hooks, NULL nothing. is_done: all of it is there. */
const char *script_check(const struct httptrace_request *request, bool is_done);

#endif
