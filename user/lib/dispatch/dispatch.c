/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * dispatch.c - see dispatch.h.
 *
 * In:  registrations, and requests with hooks not yet fired. Out: callbacks, newest registration first for each hook.
 * Memory: one node a registration, freed when it is taken back (from inside a callback: when the outermost call is through). Which ones
 * apply to a request is a list of ids in the request's own memory: ids are never used again, so that one taken back is simply not found.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "dispatch/compose.h"
#include "dispatch/dispatch.h"
#include "req/filter.h"
#include "req/request.h"

struct registration {
	struct registration *next; /* older */
	int id;
	bool is_gone;
	struct ht_req_filter *filter; /* NULL: all requests */
	unsigned int cgroup;          /* number of the filter's, if it has one */
	void *ctx;
	struct httptrace_client_trace trace;
};

struct ht_dispatch {
	struct registration *newest;
	int last_id;
	unsigned int depth; /* of calls that walk the registrations */
	uint32_t wanted;    /* bit n: some registration has a function for hook n; HTTPTRACE_HOOK_CNT: for the end */
	bool has_gone;
	bool (*in_cgroup)(void *ctx, pid_t pid, unsigned int n);
	void *in_cgroup_ctx;
};

/* What a request's member `dispatch` points to, from its first hook to the end of request_done. */
struct applying {
	struct ht_dispatch *dispatch;
	struct httptrace_client_trace *composed; /* made when it is asked for */
	size_t cnt;
	int ids[]; /* newest first */
};

/* Of requests for which memory is out: nothing applies. */
static struct applying nothing;

struct ht_dispatch *ht_dispatch_new(void)
{
	return calloc(1, sizeof(struct ht_dispatch));
}

static void free_registration(struct registration *reg)
{
	ht_req_filter_free(reg->filter);
	free(reg);
}

void ht_dispatch_free(struct ht_dispatch *dispatch)
{
	struct registration *reg, *next;

	if (!dispatch)
		return;
	for (reg = dispatch->newest; reg; reg = next) {
		next = reg->next;
		free_registration(reg);
	}
	free(dispatch);
}

void ht_dispatch_set_in_cgroup(struct ht_dispatch *dispatch, bool (*in_cgroup)(void *ctx, pid_t pid, unsigned int n), void *ctx)
{
	dispatch->in_cgroup = in_cgroup;
	dispatch->in_cgroup_ctx = ctx;
}

/* A struct of a later header than this library's is taken if what it has on top is not used. */
static int copy_trace(struct httptrace_client_trace *to, const struct httptrace_client_trace *from)
{
	const char *tail = (const char *)from;
	size_t i;

	if (!from || from->sz < sizeof(from->sz))
		return -EINVAL;
	for (i = sizeof(*to); i < from->sz; i++)
		if (tail[i])
			return -EINVAL;
	memset(to, 0, sizeof(*to));
	memcpy(to, from, from->sz < sizeof(*to) ? from->sz : sizeof(*to));
	return 0;
}

#define WANT(hook_id, member, type) (reg->trace.member ? 1u << HTTPTRACE_##hook_id : 0u) |

static_assert(HTTPTRACE_HOOK_CNT < 32, "a bit for each hook");

static uint32_t wanted_by(const struct registration *reg)
{
	return HT_HOOKS(WANT)(reg->trace.got_1xx_response ? 1u << HTTPTRACE_GOT_1XX_RESPONSE : 0u) |
	       (reg->trace.request_done ? 1u << HTTPTRACE_HOOK_CNT : 0u);
}

int ht_dispatch_register(struct ht_dispatch *dispatch, const struct httptrace_client_trace *trace, const struct httptrace_filter *filter,
			 unsigned int cgroup, void *ctx)
{
	struct registration *reg;
	int err;

	if (dispatch->last_id == INT_MAX)
		return -ENOMEM;
	reg = calloc(1, sizeof(*reg));
	if (!reg)
		return -ENOMEM;
	err = copy_trace(&reg->trace, trace);
	if (!err && filter) {
		reg->filter = ht_req_filter_new(filter);
		err = reg->filter ? 0 : -errno;
	}
	if (err) {
		free_registration(reg);
		return err;
	}
	reg->cgroup = cgroup;
	reg->ctx = ctx;
	reg->id = ++dispatch->last_id;
	reg->next = dispatch->newest;
	dispatch->newest = reg;
	dispatch->wanted |= wanted_by(reg);
	return reg->id;
}

static void reap(struct ht_dispatch *dispatch)
{
	struct registration **link = &dispatch->newest, *reg;

	dispatch->wanted = 0;
	while ((reg = *link)) {
		if (reg->is_gone) {
			*link = reg->next;
			free_registration(reg);
		} else {
			dispatch->wanted |= wanted_by(reg);
			link = &reg->next;
		}
	}
	dispatch->has_gone = false;
}

static void enter(struct ht_dispatch *dispatch)
{
	dispatch->depth++;
}

static void leave(struct ht_dispatch *dispatch)
{
	if (--dispatch->depth == 0 && dispatch->has_gone)
		reap(dispatch);
}

int ht_dispatch_unregister(struct ht_dispatch *dispatch, int id, int *cgroup)
{
	struct registration *reg;

	for (reg = dispatch->newest; reg; reg = reg->next)
		if (reg->id == id && !reg->is_gone)
			break;
	if (!reg)
		return -ENOENT;
	if (cgroup)
		*cgroup = reg->filter && ht_req_filter_cgroup(reg->filter) ? (int)reg->cgroup : -1;
	reg->is_gone = true;
	dispatch->has_gone = true;
	if (!dispatch->depth)
		reap(dispatch);
	return 0;
}

/* ---- who applies --------------------------------------------------------------------------------------------------------------------- */

static bool applies(const struct ht_dispatch *dispatch, const struct registration *reg, const struct httptrace_request *request)
{
	if (reg->is_gone)
		return false;
	if (!reg->filter)
		return true;
	if (!ht_req_filter_applies(reg->filter, request))
		return false;
	if (!ht_req_filter_cgroup(reg->filter))
		return true;
	return dispatch->in_cgroup && dispatch->in_cgroup(dispatch->in_cgroup_ctx, request->pid, reg->cgroup);
}

/* Fixed when the first of its hooks is fired. */
static struct applying *applying_to(struct ht_dispatch *dispatch, struct httptrace_request *request)
{
	const struct registration *reg;
	struct applying *applying = request->dispatch;
	size_t cnt = 0;

	if (applying)
		return applying;
	for (reg = dispatch->newest; reg; reg = reg->next)
		cnt++;
	applying = ht_request_alloc(request, sizeof(*applying) + cnt * sizeof(applying->ids[0]));
	request->dispatch = applying ? applying : &nothing;
	if (!applying)
		return &nothing;
	applying->dispatch = dispatch;
	for (reg = dispatch->newest; reg; reg = reg->next)
		if (applies(dispatch, reg, request))
			applying->ids[applying->cnt++] = reg->id;
	return applying;
}

/*
 * The next registration that applies, newest first: both lists fall by id. *reg: where to begin looking; it is moved behind the one
 * returned, which stays where it is until the outermost call is through.
 */
static const struct registration *next_applying(const struct applying *applying, size_t *n, const struct registration **reg)
{
	for (; *n < applying->cnt; ++*n) {
		while (*reg && (*reg)->id > applying->ids[*n])
			*reg = (*reg)->next;
		if (*reg && (*reg)->id == applying->ids[*n] && !(*reg)->is_gone) {
			const struct registration *found = *reg;

			*reg = found->next;
			++*n;
			return found;
		}
	}
	return NULL;
}

/* ---- calls --------------------------------------------------------------------------------------------------------------------------- */

#define CALL(hook_id, member, type)                                                                                   \
	case HTTPTRACE_##hook_id:                                                                                     \
		if (trace->member && trace->member != ht_compose_all.member)                                          \
			trace->member(request, (const struct httptrace_##type##_info *)(const void *)info, reg->ctx); \
		return 0;

static int call(const struct registration *reg, struct httptrace_request *request, enum httptrace_hook_id id,
		const struct httptrace_hook *info)
{
	const struct httptrace_client_trace *trace = &reg->trace;

	switch (id) {
		HT_HOOKS(CALL)
	case HTTPTRACE_GOT_1XX_RESPONSE:
		if (trace->got_1xx_response && trace->got_1xx_response != ht_compose_all.got_1xx_response)
			return trace->got_1xx_response(request, (const struct httptrace_got_1xx_info *)(const void *)info, reg->ctx);
		return 0;
	case HTTPTRACE_HOOK_CNT:
		if (trace->request_done && trace->request_done != ht_compose_all.request_done)
			trace->request_done(request, reg->ctx);
		return 0;
	}
	return 0;
}

int ht_compose_call(struct httptrace_request *request, enum httptrace_hook_id id, const struct httptrace_hook *info)
{
	struct applying *applying = request->dispatch;
	const struct registration *start, *reg;
	int first = 0, ret;
	size_t n = 0;

	if (!applying || !applying->dispatch)
		return 0;
	enter(applying->dispatch);
	start = applying->dispatch->newest;
	while ((reg = next_applying(applying, &n, &start))) {
		ret = call(reg, request, id, info);
		if (!first)
			first = ret;
	}
	leave(applying->dispatch);
	return first;
}

void ht_dispatch_hooks(struct ht_dispatch *dispatch, struct httptrace_request *request)
{
	size_t i;

	applying_to(dispatch, request);
	enter(dispatch);
	for (i = 0; i < request->hook_cnt; i++) {
		if (request->hooks[i].is_fired)
			continue;
		request->hooks[i].is_fired = true;
		if (dispatch->wanted >> request->hooks[i].id & 1)
			ht_compose_call(request, request->hooks[i].id, request->hooks[i].info);
	}
	leave(dispatch);
}

void ht_dispatch_done(struct ht_dispatch *dispatch, struct httptrace_request *request)
{
	enter(dispatch);
	ht_dispatch_hooks(dispatch, request);
	ht_compose_call(request, HTTPTRACE_HOOK_CNT, NULL);
	leave(dispatch);
	request->dispatch = NULL;
}

/* ---- the composed trace -------------------------------------------------------------------------------------------------------------- */

#define COMPOSE(hook_id, member, type) \
	if (reg->trace.member)         \
		to->member = ht_compose_all.member;

const struct httptrace_client_trace *httptrace_request__trace(struct httptrace_request *request)
{
	struct applying *applying = request->dispatch;
	const struct registration *start, *reg;
	struct httptrace_client_trace *to;
	size_t n = 0;

	if (!applying || !applying->cnt) {
		errno = ENOENT;
		return NULL;
	}
	if (applying->composed)
		return applying->composed;
	to = ht_request_alloc(request, sizeof(*to));
	if (!to)
		return NULL;
	to->sz = sizeof(*to);
	start = applying->dispatch->newest;
	while ((reg = next_applying(applying, &n, &start))) {
		HT_HOOKS(COMPOSE)
		COMPOSE(, got_1xx_response, )
		COMPOSE(, request_done, )
	}
	applying->composed = to;
	return to;
}
