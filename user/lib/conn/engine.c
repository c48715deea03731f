/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * engine.c - gives each record to the file that knows its kind; timers between them, in the order of time; notices and counters.
 */
#include "conn/engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn/conn.h"
#include "conn/dial.h"
#include "conn/proc.h"
#include "conn/tls_object.h"
#include "req/h2_submit.h"

struct ht_engine *ht_engine_new(const struct ht_engine_opts *opts, const struct ht_engine_ops *ops, void *ctx)
{
	struct ht_engine *engine = calloc(1, sizeof(*engine));

	if (!engine)
		return NULL;
	if (opts)
		engine->opts = *opts;
	engine->ops = ops;
	engine->ctx = ctx;
	engine->next_request = 1;
	ht_list_init(&engine->proc_order);
	ht_list_init(&engine->conn_order);
	ht_list_init(&engine->tls_order);
	ht_list_init(&engine->dial_order);
	return engine;
}

void ht_engine_free(struct ht_engine *engine)
{
	if (!engine)
		return;
	while (!ht_list_is_empty(&engine->conn_order))
		ht_conn_free(ht_container(engine->conn_order.next, struct ht_conn, order));
	while (!ht_list_is_empty(&engine->tls_order))
		ht_tls_free(ht_container(engine->tls_order.next, struct ht_tls_object, order));
	while (!ht_list_is_empty(&engine->proc_order))
		ht_proc_free(ht_container(engine->proc_order.next, struct ht_proc, order));
	ht_map_free(&engine->procs);
	ht_map_free(&engine->conns);
	ht_map_free(&engine->tls_objects);
	ht_map_free(&engine->spoken);
	free(engine->spoken_ring);
	ht_timers_free(&engine->timers);
	free(engine);
}

void ht_engine_log(struct ht_engine *engine, const char *format, ...)
{
	char text[512];
	va_list args;

	if (!engine->ops->log)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	engine->ops->log(engine->ctx, HTTPTRACE_LOG_INFO, text);
}

static void notice(struct ht_engine *engine, struct httptrace_notice *n)
{
	n->sz = sizeof(*n);
	if (engine->ops->notice)
		engine->ops->notice(engine->ctx, n);
}

/* From now on calls of libraries are told, of a process or of all. */
static void probed(struct ht_engine *engine, uint32_t tgid, uint64_t ts_ns)
{
	struct ht_proc *proc = tgid ? ht_map_get(&engine->procs, tgid) : NULL;

	if (!tgid)
		engine->probed_ns = ts_ns;
	else if (proc)
		proc->probed_ns = ts_ns;
}

static void target_notice(struct ht_engine *engine, const struct ht_rec_target *rec)
{
	static const char *const actions[] = {
		[HT_TARGET_ATTACHED] = "attached", [HT_TARGET_REFUSED] = "refused", [HT_TARGET_DETACHED] = "detached"
	};
	const char *part[3] = { "", "", "" };
	const char *text = (const char *)(rec + 1), *end = text + rec->text_len;
	struct httptrace_notice n = { .kind = HTTPTRACE_NOTICE_TARGET, .mono_ns = (int64_t)rec->hdr.ts_ns };

	for (size_t i = 0; i < 3 && text < end && memchr(text, '\0', (size_t)(end - text)); i++) {
		part[i] = text;
		text += strlen(text) + 1;
	}
	n.action = rec->action <= HT_TARGET_DETACHED && actions[rec->action] ? actions[rec->action] : "unknown";
	n.target = part[0];
	n.path = part[1][0] ? part[1] : NULL;
	n.reason = part[2][0] ? part[2] : NULL;
	n.pid = (pid_t)rec->hdr.tgid;
	n.probe_cnt = rec->probe_cnt;
	if (rec->action == HT_TARGET_ATTACHED)
		probed(engine, rec->hdr.tgid, rec->hdr.ts_ns);
	notice(engine, &n);
}

static void source_count(struct ht_engine *engine, const struct ht_rec_count *rec)
{
	/* It becomes a key. */
	if (!rec->name[0] || rec->name[strspn(rec->name, "abcdefghijklmnopqrstuvwxyz0123456789_")])
		return;
	for (size_t i = 0; i < engine->source_count_cnt; i++)
		if (!strcmp(engine->source_counts[i].name, rec->name)) {
			engine->source_counts[i].count += rec->count;
			return;
		}
	if (engine->source_count_cnt < HT_SOURCE_COUNTS_MAX)
		engine->source_counts[engine->source_count_cnt++] = *rec;
}

void ht_engine_record(void *ctx, const struct ht_hdr *rec)
{
	struct ht_engine *engine = ctx;

	if (engine->is_ended)
		return;
	ht_timers_run(&engine->timers, rec->ts_ns);
	if (rec->kind < HT_REC_CLOCK && rec->cpu != HT_CPU_USER)
		engine->counts.events++;
	switch (rec->kind) {
	case HT_REC_SOCK_STATE:
		ht_conn_state(engine, (const struct ht_rec_sock_state *)rec);
		break;
	case HT_REC_UNIX_CONNECT:
		ht_conn_unix(engine, (const struct ht_rec_unix_connect *)rec);
		break;
	case HT_REC_CONNECT_FAIL:
		ht_dial_failed_call(engine, (const struct ht_rec_connect_fail *)rec);
		break;
	case HT_REC_SOCK_ERROR:
	case HT_REC_SOCK_RESET:
	case HT_REC_SOCK_AGAIN:
		ht_conn_event(engine, (const struct ht_rec_sock_event *)rec);
		break;
	case HT_REC_DATA: {
		const struct ht_rec_data *data = (const struct ht_rec_data *)rec;

		if (data->tls_id)
			ht_tls_data(engine, data);
		else
			ht_conn_data(engine, data);
		break;
	}
	case HT_REC_TLS:
		ht_tls_record(engine, (const struct ht_rec_tls *)rec);
		break;
	case HT_REC_DNS_START:
		ht_dial_dns_start(engine, (const struct ht_rec_dns *)rec);
		break;
	case HT_REC_DNS_DONE:
		ht_dial_dns_done(engine, (const struct ht_rec_dns *)rec);
		break;
	case HT_REC_H2_SUBMIT:
		ht_h2_submit_record(engine, (const struct ht_rec_h2_submit *)rec);
		break;
	case HT_REC_PROC:
		ht_proc_record(engine, (const struct ht_rec_proc *)rec, rec->ts_ns);
		break;
	case HT_REC_CLOCK: {
		const struct ht_rec_clock *clock = (const struct ht_rec_clock *)rec;

		engine->realtime_offset_ns = (int64_t)(clock->realtime_ns - clock->mono_ns);
		break;
	}
	case HT_REC_CONFIG:
		engine->is_filtered = ((const struct ht_rec_config *)rec)->flags & HT_CONFIG_FILTERED;
		break;
	case HT_REC_COUNT:
		source_count(engine, (const struct ht_rec_count *)rec);
		break;
	case HT_REC_TARGET:
		target_notice(engine, (const struct ht_rec_target *)rec);
		break;
	}
}

void ht_engine_lost(void *ctx, uint64_t ts_ns, uint64_t count, const char *where)
{
	struct ht_engine *engine = ctx;
	struct httptrace_notice n = { .kind = HTTPTRACE_NOTICE_LOST, .mono_ns = (int64_t)ts_ns, .count = count, .where = where };

	engine->losses += count;
	engine->loss_ns = ts_ns;
	notice(engine, &n);
}

void ht_engine_loss_begins(void *ctx, uint64_t from_ns, uint64_t until_ns)
{
	struct ht_engine *engine = ctx;

	(void)from_ns;
	if (until_ns > engine->loss_until_ns)
		engine->loss_until_ns = until_ns;
}

void ht_engine_time(void *ctx, uint64_t now_ns)
{
	struct ht_engine *engine = ctx;

	if (!engine->is_ended)
		ht_timers_run(&engine->timers, now_ns);
}

void ht_engine_end(void *ctx, uint64_t now_ns)
{
	struct ht_engine *engine = ctx;
	struct ht_conn *conn, *next_conn;
	struct ht_proc *proc, *next_proc;

	if (engine->is_ended)
		return;
	ht_timers_run(&engine->timers, now_ns);
	engine->is_ended = true;
	ht_list_each(&engine->conn_order, conn, next_conn, order)
		ht_conn_cut(conn, now_ns);
	ht_list_each(&engine->proc_order, proc, next_proc, order)
		ht_dial_flush(proc, now_ns);
}

uint64_t ht_engine_deadline_ns(const struct ht_engine *engine)
{
	return ht_timers_next_ns(&engine->timers);
}

void ht_engine_summary(struct ht_engine *engine, struct httptrace_notice *n)
{
	const struct ht_engine_counts *c = &engine->counts;
	const struct httptrace_counter counters[] = {
		{ "unbound", c->unbound },         { "http2_skipped", c->http2_skipped },
		{ "not_http", c->not_http },       { "opaque_tls", c->opaque_tls },
		{ "tunnels", c->tunnels },         { "upgraded", c->upgraded },
		{ "unsolicited", c->unsolicited }, { "dials_hidden", c->dials_hidden },
		{ "evicted", c->evicted },         { "out_of_memory", c->out_of_memory },
	};
	/* Told only where there is something to tell. */
	const struct httptrace_counter rare[] = {
		{ "http2", c->http2 },
		{ "evicted_processes", c->evicted_procs },
		{ "evicted_connections", c->evicted_conns },
		{ "evicted_tls_objects", c->evicted_tls_objects },
		{ "evicted_dials", c->evicted_dials },
		{ "evicted_lookups", c->evicted_lookups },
		{ "evicted_spoken", c->evicted_spoken },
		{ "evicted_pipelines", c->evicted_pipelines },
		{ "evicted_held", c->evicted_held },
		{ "hooks_dropped", c->hooks_dropped },
	};
	size_t cnt = sizeof(counters) / sizeof(counters[0]);

	static_assert((sizeof(counters) + sizeof(rare)) / sizeof(rare[0]) + HT_SOURCE_COUNTS_MAX <= HT_SUMMARY_MAX,
		      "room for every counter");
	memcpy(engine->summary, counters, sizeof(counters));
	for (size_t i = 0; i < sizeof(rare) / sizeof(rare[0]); i++)
		if (rare[i].count)
			engine->summary[cnt++] = rare[i];
	for (size_t i = 0; i < engine->source_count_cnt; i++)
		engine->summary[cnt++] = (struct httptrace_counter){ engine->source_counts[i].name, engine->source_counts[i].count };
	n->sz = sizeof(*n);
	n->kind = HTTPTRACE_NOTICE_SUMMARY;
	n->requests = c->requests;
	n->dials = c->dials;
	n->websockets = c->websockets;
	n->events = c->events;
	n->skipped = engine->summary;
	n->skipped_cnt = cnt;
}
