/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * request.h - the request object: what has become known of one request (or dial), and its hooks; the library's getters read it.
 *
 * In:  the layers of conn/ and req/ fill it. Out: dispatch and the public getters. All its strings and arrays live in its own arena and are freed
 * with its last reference. Limits: HT_REQUEST_MAX_HOOKS hooks (further ones are counted, not kept).
 */
#ifndef HT_REQUEST_H
#define HT_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "httptrace.h"

#define HT_REQUEST_MAX_HOOKS     2048
/* A request of this size keeps no fields of further interim responses, of which a server may send any number. */
#define HT_REQUEST_INTERIM_BYTES (1u << 20)

struct ht_hook {
	enum httptrace_hook_id id;
	uint32_t order;              /* of adding: breaks ties of time behind the hooks' canonical rank */
	bool is_fired;               /* callbacks were called */
	struct httptrace_hook *info; /* the hook's own struct, in the arena */
};

struct ht_arena_block;

struct httptrace_request {
	unsigned int ref_cnt;
	enum httptrace_kind kind;
	uint64_t id;
	pid_t pid;
	pid_t tid;
	const char *comm;
	const char *exe;
	const char *method;
	const char *url;
	const char *host_port;
	const char *http;
	int status;
	enum httptrace_outcome outcome;
	enum httptrace_phase error_phase;
	struct httptrace_error error; /* code NULL: none */
	uint64_t lost;
	int64_t realtime_offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC */
	int64_t first_ns;           /* of a request without any hook; else the first hook's time counts */
	int64_t end_ns;             /* last byte, or the failure; HTTPTRACE_UNKNOWN_NS while not known */
	bool is_identified;         /* enough is known to dispatch its hooks */
	bool has_conn;
	bool has_tls;
	bool has_proxy;
	bool has_grpc;
	bool is_open;               /* still ran when tracing ended */
	struct httptrace_conn conn; /* conn.tls points to tls where has_tls, conn.proxy to proxy where has_proxy */
	struct httptrace_tls tls;
	struct httptrace_proxy proxy;
	struct httptrace_grpc grpc;           /* status_code and counts are -1 to begin with */
	struct httptrace_websocket websocket; /* of kind HTTPTRACE_WEBSOCKET; counts are 0 to begin with */
	struct httptrace_message sent;
	struct httptrace_message received;
	struct ht_hook *hooks; /* in canonical order */
	size_t hook_cnt;
	size_t hook_cap;
	uint64_t hooks_dropped;
	struct ht_arena_block *arena; /* the blocks behind the first, newest first */
	char *arena_at;               /* free from here */
	size_t arena_room_bytes;
	size_t arena_bytes; /* of all those blocks */
	void *dispatch;     /* dispatch's, in the arena: which registrations apply; NULL before the first hook is fired and after done */
	bool is_done;       /* the engine has told its end: nothing is added any more */
};

/* With one reference. Messages start unknown (header_bytes, body_bytes -1; headers_complete false). NULL and ENOMEM. */
struct httptrace_request *ht_request_new(enum httptrace_kind kind, uint64_t id);

/* Has it room for an interim response's fields? */
static inline bool ht_request_has_interim_room(const struct httptrace_request *request)
{
	return request->arena_bytes < HT_REQUEST_INTERIM_BYTES && request->hook_cnt < HT_REQUEST_MAX_HOOKS;
}

/* Zeroed memory of the request's arena; NULL and ENOMEM. */
void *ht_request_alloc(struct httptrace_request *request, size_t bytes);
/* A NUL-terminated copy in the arena; NULL where ptr is NULL or memory is out. */
const char *ht_request_strndup(struct httptrace_request *request, const char *ptr, size_t len);
const char *ht_request_strdup(struct httptrace_request *request, const char *text);
/* The same of several pieces, one behind the other. */
struct ht_request_piece {
	const char *ptr;
	size_t len;
};
const char *ht_request_join(struct httptrace_request *request, const struct ht_request_piece *pieces, size_t cnt);
const char *ht_request_printf(struct httptrace_request *request, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Adds a hook at its place in the canonical order: by time, then by rank (order of enum httptrace_hook_id), then by order of adding.
 * info: the hook's own struct whose pointers already point into the arena or to static memory; it is copied, its `hook` member filled here.
 * NULL: a struct httptrace_plain_info. 0, -ENOMEM, -ENOSPC past the limit.
 */
int ht_request_add_hook(struct httptrace_request *request, enum httptrace_hook_id id, int64_t mono_ns, enum httptrace_how how,
			const void *info);
/* The n-th hook (from 0) of that id, NULL if there is none. */
struct httptrace_hook *ht_request_find_hook(const struct httptrace_request *request, enum httptrace_hook_id id, size_t n);
/* Takes a hook back (a rule found it wrong); must not have been fired. */
void ht_request_remove_hook(struct httptrace_request *request, struct httptrace_hook *info);
/* Size of the info struct of a hook. */
size_t ht_hook_info_size(enum httptrace_hook_id id);

#endif
