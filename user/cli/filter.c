/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * filter.c - see filter.h.
 */
#include "filter.h"

#include <errno.h>

#define STATUS_MIN 100
#define STATUS_MAX 999

/* Three digits (RFC 9110 section 15), or one and two x. What is behind, or NULL. */
static const char *status(const char *text, uint16_t *first, uint16_t *last)
{
	if (text[0] < '1' || text[0] > '9')
		return NULL;
	*first = (uint16_t)((text[0] - '0') * 100);
	*last = *first;
	if ((text[1] == 'x' || text[1] == 'X') && (text[2] == 'x' || text[2] == 'X')) {
		*last += 99;
		return text + 3;
	}
	if (text[1] < '0' || text[1] > '9' || text[2] < '0' || text[2] > '9')
		return NULL;
	*first += (uint16_t)((text[1] - '0') * 10 + text[2] - '0');
	*last = *first;
	return text + 3;
}

int ht_filter_add_statuses(struct ht_filter *filter, const char *list)
{
	uint16_t first, last, low;

	for (;;) {
		list = status(list, &first, &last);
		if (list && *list == '-') {
			low = first;
			list = status(list + 1, &first, &last);
			first = low;
		}
		if (!list || (*list && *list != ',') || first < STATUS_MIN || last > STATUS_MAX || first > last)
			return -EINVAL;
		if (filter->status_cnt == HT_FILTER_STATUSES_MAX)
			return -ENOSPC;
		filter->statuses[filter->status_cnt].first = first;
		filter->statuses[filter->status_cnt++].last = last;
		if (!*list)
			return 0;
		list++;
	}
}

static bool has_status(const struct ht_filter *filter, int value)
{
	size_t i;

	for (i = 0; i < filter->status_cnt; i++)
		if (value >= filter->statuses[i].first && value <= filter->statuses[i].last)
			return true;
	return false;
}

static bool is_slow(const struct ht_filter *filter, const struct httptrace_request *request)
{
	struct httptrace_timings timings = { .sz = sizeof(timings) };

	return !httptrace_request__timings(request, &timings) && timings.total_ns != HTTPTRACE_UNKNOWN_NS &&
	       timings.total_ns > filter->slower_ns;
}

bool ht_filter_passes(const struct ht_filter *filter, const struct httptrace_request *request)
{
	bool is_request = httptrace_request__kind(request) == HTTPTRACE_REQUEST;

	if (filter->is_errors_only && !httptrace_request__error(request))
		return false;
	if (filter->status_cnt && (!is_request || !has_status(filter, httptrace_request__status(request))))
		return false;
	return !filter->slower_ns || (is_request && is_slow(filter, request));
}
