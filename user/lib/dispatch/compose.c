/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * compose.c - see compose.h.
 */
#include "dispatch/compose.h"

#define DEFINE(id, member, type)                                                                                     \
	static void member(struct httptrace_request *request, const struct httptrace_##type##_info *info, void *ctx) \
	{                                                                                                            \
		(void)ctx;                                                                                           \
		ht_compose_call(request, HTTPTRACE_##id, &info->hook);                                               \
	}
HT_HOOKS(DEFINE)

static int got_1xx_response(struct httptrace_request *request, const struct httptrace_got_1xx_info *info, void *ctx)
{
	(void)ctx;
	return ht_compose_call(request, HTTPTRACE_GOT_1XX_RESPONSE, &info->hook);
}

static void request_done(struct httptrace_request *request, void *ctx)
{
	(void)ctx;
	ht_compose_call(request, HTTPTRACE_HOOK_CNT, NULL);
}

#define MEMBER(id, member, type) .member = member,
const struct httptrace_client_trace ht_compose_all = {
	.sz = sizeof(struct httptrace_client_trace),
	HT_HOOKS(MEMBER).got_1xx_response = got_1xx_response,
	.request_done = request_done,
};
