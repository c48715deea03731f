/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * hooks.c - from what the layers know to a request's hooks.
 */
#include "req/hooks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "req/redact.h"
#include "req/request.h"
#include "util/names.h"

struct httptrace_request *ht_report_new(struct ht_engine *engine, enum httptrace_kind kind, const struct ht_proc *proc, uint32_t tid)
{
	struct httptrace_request *request = ht_request_new(kind, engine->next_request);

	if (!request) {
		engine->counts.out_of_memory++;
		return NULL;
	}
	engine->next_request++;
	request->realtime_offset_ns = engine->realtime_offset_ns;
	request->tid = (pid_t)tid;
	if (proc) {
		request->pid = (pid_t)proc->tgid;
		request->comm = proc->comm[0] ? ht_request_strdup(request, proc->comm) : NULL;
		request->exe = ht_request_strdup(request, proc->exe);
	}
	return request;
}

void ht_report_outcome(struct httptrace_request *request, enum httptrace_outcome outcome, enum httptrace_phase phase, const char *code,
		       const char *message, uint64_t end_ns)
{
	if (request->outcome != HTTPTRACE_PENDING)
		return;
	request->outcome = outcome;
	request->end_ns = (int64_t)end_ns;
	if (outcome == HTTPTRACE_OK || outcome == HTTPTRACE_UNUSED)
		return;
	request->error_phase = phase;
	request->error.code = ht_request_strdup(request, code ? code : httptrace_outcome__name(outcome));
	request->error.message = ht_request_strdup(request, message ? message : request->error.code);
}

void ht_report_progress(struct ht_engine *engine, struct httptrace_request *request)
{
	if (request->is_identified && request->hook_cnt)
		engine->ops->hooks(engine->ctx, request);
}

void ht_report_done(struct ht_engine *engine, struct httptrace_request *request)
{
	if (request->kind == HTTPTRACE_REQUEST)
		engine->counts.requests++;
	else if (request->kind == HTTPTRACE_WEBSOCKET)
		engine->counts.websockets++;
	else
		engine->counts.dials++;
	engine->counts.hooks_dropped += request->hooks_dropped;
	request->is_done = true;
	engine->ops->done(engine->ctx, request);
	httptrace_request__unref(request);
}

struct httptrace_error *ht_hook_error(struct httptrace_request *request, const char *code, const char *message)
{
	struct httptrace_error *error = ht_request_alloc(request, sizeof(*error));

	if (error) {
		error->code = ht_request_strdup(request, code);
		error->message = ht_request_strdup(request, message ? message : code);
	}
	return error;
}

struct httptrace_error *ht_hook_errno(struct httptrace_request *request, int err)
{
	char name[32];

	return ht_hook_error(request, ht_errno_name(err, name, sizeof(name)), ht_errno_text(err));
}

void ht_hook_plain(struct httptrace_request *request, enum httptrace_hook_id id, uint64_t ts_ns, enum httptrace_how how)
{
	ht_request_add_hook(request, id, (int64_t)ts_ns, how, NULL);
}

void ht_hook_get_conn(struct httptrace_request *request, uint64_t ts_ns, const char *host_port)
{
	struct httptrace_get_conn_info info = { .host_port = host_port };

	ht_request_add_hook(request, HTTPTRACE_GET_CONN, (int64_t)ts_ns, HTTPTRACE_INFERRED, &info);
}

void ht_hook_got_conn(struct httptrace_request *request, uint64_t ts_ns, enum httptrace_tristate reused, enum httptrace_tristate was_idle,
		      int64_t idle_ns)
{
	struct httptrace_got_conn_info info = { .reused = reused, .was_idle = was_idle, .idle_ns = idle_ns };

	ht_request_add_hook(request, HTTPTRACE_GOT_CONN, (int64_t)ts_ns, HTTPTRACE_INFERRED, &info);
}

void ht_hook_dns(struct httptrace_request *request, const struct ht_lookup *lookup)
{
	struct httptrace_dns_start_info start = { .host = ht_request_strdup(request, lookup->host) };
	struct httptrace_dns_done_info done = { .addr_cnt = 0 };
	char text[HT_ADDR_TEXT_MAX];

	ht_request_add_hook(request, HTTPTRACE_DNS_START, (int64_t)lookup->start_ns, HTTPTRACE_OBSERVED, &start);
	if (!lookup->done_ns)
		return;
	if (lookup->eai) {
		done.error = ht_hook_error(request, ht_eai_name(lookup->eai, text, sizeof(text)), ht_eai_text(lookup->eai));
	} else if (lookup->addr_cnt) {
		const char **addrs = ht_request_alloc(request, lookup->addr_cnt * sizeof(*addrs));

		for (unsigned int i = 0; addrs && i < lookup->addr_cnt; i++) {
			addrs[i] = ht_request_strdup(request, ht_addr_text(&lookup->addrs[i], text, sizeof(text)));
			if (addrs[i])
				done.addr_cnt++;
		}
		done.addrs = addrs;
	}
	ht_request_add_hook(request, HTTPTRACE_DNS_DONE, (int64_t)lookup->done_ns, HTTPTRACE_OBSERVED, &done);
}

static const char *network_of(const struct ht_attempt *attempt)
{
	return attempt->remote.family == HT_AF_UNIX ? "unix" : "tcp";
}

static const char *addr_of(struct httptrace_request *request, const struct ht_attempt *attempt)
{
	char text[HT_ADDR_TEXT_MAX];

	return ht_request_strdup(request, attempt->path ? attempt->path : ht_addr_port_text(&attempt->remote, text, sizeof(text)));
}

void ht_hook_connect_start(struct httptrace_request *request, const struct ht_attempt *attempt)
{
	struct httptrace_connect_start_info info = { .network = network_of(attempt), .addr = addr_of(request, attempt) };

	ht_request_add_hook(request, HTTPTRACE_CONNECT_START, (int64_t)attempt->start_ns, HTTPTRACE_OBSERVED, &info);
}

void ht_hook_connect_done(struct httptrace_request *request, const struct ht_attempt *attempt)
{
	struct httptrace_connect_done_info info = { .network = network_of(attempt), .addr = addr_of(request, attempt) };

	if (attempt->state == HT_ATTEMPT_FAILED)
		info.error = attempt->err ? ht_hook_errno(request, attempt->err)
					  : ht_hook_error(request, "unknown", "connect failed; its error was not seen");
	ht_request_add_hook(request, HTTPTRACE_CONNECT_DONE, (int64_t)attempt->done_ns,
			    attempt->is_done_inferred ? HTTPTRACE_INFERRED : HTTPTRACE_OBSERVED, &info);
}

void ht_hook_1xx(struct httptrace_request *request, uint64_t ts_ns, int code, const struct httptrace_header *headers, size_t header_cnt)
{
	struct httptrace_got_1xx_info info = { .code = code, .headers = headers, .header_cnt = header_cnt };

	ht_request_add_hook(request, HTTPTRACE_GOT_1XX_RESPONSE, (int64_t)ts_ns, HTTPTRACE_OBSERVED, &info);
}

void ht_hook_wrote_fields(struct httptrace_request *request, uint64_t ts_ns, const struct httptrace_header *headers, size_t header_cnt,
			  bool is_joined)
{
	for (size_t i = 0, n; i < header_cnt; i += n) {
		struct httptrace_wrote_header_field_info info = { .key = headers[i].name };
		const char **values;

		for (n = 1; is_joined && i + n < header_cnt && !strcasecmp(headers[i].name, headers[i + n].name); n++)
			;
		values = ht_request_alloc(request, n * sizeof(*values));
		if (!values)
			return;
		for (size_t k = 0; k < n; k++)
			values[k] = headers[i + k].value;
		info.values = values;
		info.value_cnt = n;
		ht_request_add_hook(request, HTTPTRACE_WROTE_HEADER_FIELD, (int64_t)ts_ns, HTTPTRACE_PROXY, &info);
	}
}

void ht_hook_wrote_request(struct httptrace_request *request, uint64_t ts_ns, const struct httptrace_error *error)
{
	struct httptrace_wrote_request_info info = { .error = error };
	/* No event says that a body will not be sent: only what came instead. */
	enum httptrace_how how = error && !strcmp(error->code, "body_not_sent") ? HTTPTRACE_INFERRED : HTTPTRACE_OBSERVED;

	ht_request_add_hook(request, HTTPTRACE_WROTE_REQUEST, (int64_t)ts_ns, how, &info);
}

void ht_hook_put_idle(struct httptrace_request *request, uint64_t ts_ns, enum httptrace_how how)
{
	struct httptrace_put_idle_conn_info info = { .error = NULL };

	ht_request_add_hook(request, HTTPTRACE_PUT_IDLE_CONN, (int64_t)ts_ns, how, &info);
}

void ht_hook_response_headers(struct httptrace_request *request, uint64_t ts_ns, int status)
{
	struct httptrace_got_response_headers_info info = { .status = status };

	ht_request_add_hook(request, HTTPTRACE_GOT_RESPONSE_HEADERS, (int64_t)ts_ns, HTTPTRACE_OBSERVED, &info);
}

void ht_hook_body(struct httptrace_request *request, uint64_t ts_ns, uint64_t bytes)
{
	struct httptrace_got_body_info info = { .bytes = bytes };

	ht_request_add_hook(request, HTTPTRACE_GOT_BODY, (int64_t)ts_ns, HTTPTRACE_OBSERVED, &info);
}

void ht_hook_conn_closed(struct httptrace_request *request, uint64_t ts_ns, enum httptrace_closer by)
{
	struct httptrace_conn_closed_info info = { .by = by };

	ht_request_add_hook(request, HTTPTRACE_CONN_CLOSED, (int64_t)ts_ns, HTTPTRACE_OBSERVED, &info);
}

struct httptrace_header *ht_hook_headers(struct httptrace_request *request, const struct ht_http1_field *fields, size_t cnt, bool no_redact)
{
	struct httptrace_header *headers = ht_request_alloc(request, (cnt ? cnt : 1) * sizeof(*headers));

	for (size_t i = 0; headers && i < cnt; i++) {
		const struct ht_http1_field *f = &fields[i];

		headers[i].name = ht_request_strndup(request, f->name.ptr, f->name.len);
		if (no_redact || !ht_redact_field_may_change(f->name.ptr, f->name.len, f->value.ptr, f->value.len)) {
			headers[i].value = ht_request_strndup(request, f->value.ptr, f->value.len);
		} else {
			char *value = ht_redact_field_value(f->name.ptr, f->name.len, f->value.ptr, f->value.len);

			headers[i].value = ht_request_strdup(request, value);
			free(value);
		}
	}
	return headers;
}
