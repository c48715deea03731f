/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * proc.c - the process table.
 */
#include "conn/proc.h"

#include <stdlib.h>
#include <string.h>

#include "conn/conn.h"
#include "conn/dial.h"
#include "conn/route.h"
#include "conn/tls_object.h"
#include "req/h2_submit.h"
#include "util/names.h"

/* FNV-1a, 64 bit. */
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len--)
		hash = (hash ^ *p++) * 0x100000001b3ull;
	return hash;
}

#define HASH_START 0xcbf29ce484222325ull

static uint64_t addr_hash(const struct ht_addr *addr)
{
	uint64_t hash = hash_bytes(HASH_START, &addr->family, sizeof(addr->family));

	hash = hash_bytes(hash, &addr->port, sizeof(addr->port));
	return hash_bytes(hash, addr->addr, addr->family == HT_AF_INET ? 4 : 16);
}

struct ht_proc *ht_proc_get(struct ht_engine *engine, uint32_t tgid)
{
	struct ht_proc *proc = ht_map_get(&engine->procs, tgid);

	if (proc) {
		ht_engine_heard(engine, &engine->proc_order, &proc->order, engine->procs.cnt, HT_MAX_PROCS);
		return proc;
	}
	if (engine->procs.cnt >= HT_MAX_PROCS) {
		ht_engine_evicted(engine, &engine->counts.evicted_procs);
		ht_proc_free(ht_container(engine->proc_order.next, struct ht_proc, order));
	}
	proc = calloc(1, sizeof(*proc));
	if (!proc || ht_map_put(&engine->procs, tgid, proc)) {
		engine->counts.out_of_memory++;
		free(proc);
		return NULL;
	}
	proc->tgid = tgid;
	proc->engine = engine;
	ht_list_init(&proc->lookups);
	ht_list_init(&proc->dials);
	ht_list_init(&proc->closed_dials);
	ht_list_init(&proc->conns);
	ht_list_init(&proc->tls_objects);
	ht_list_append(&engine->proc_order, &proc->order);
	return proc;
}

void ht_proc_free(struct ht_proc *proc)
{
	struct ht_conn *conn, *next;

	/* Connections outlive it without a process: they are freed by their own end. */
	ht_list_each(&proc->conns, conn, next, node) {
		ht_list_remove(&conn->node);
		conn->proc = NULL;
	}
	while (!ht_list_is_empty(&proc->tls_objects))
		ht_list_remove(proc->tls_objects.next);
	ht_dial_free_all(proc);
	ht_list_remove(&proc->order);
	ht_map_take(&proc->engine->procs, proc->tgid);
	ht_h2_submits_free(proc->submits);
	free(proc->spoken);
	free(proc->exe);
	free(proc);
}

static void set_names(struct ht_proc *proc, const char *comm, const char *exe, size_t exe_len)
{
	memcpy(proc->comm, comm, 16);
	proc->comm[16] = '\0';
	if (exe_len) {
		char *copy = strndup(exe, exe_len);

		free(proc->exe);
		proc->exe = copy;
	}
}

static void proc_exit(struct ht_proc *proc, uint64_t now_ns)
{
	struct ht_conn *conn, *next;

	ht_list_each(&proc->conns, conn, next, node)
		ht_conn_exit(conn, now_ns);
	ht_dial_flush(proc, now_ns);
	ht_tls_exit(proc);
	ht_proc_free(proc);
}

/* Its end was lost: what was under way is not known to have been given up. */
static void proc_vanished(struct ht_proc *proc, uint64_t now_ns)
{
	struct ht_conn *conn, *next;

	ht_list_each(&proc->conns, conn, next, node)
		ht_conn_cut(conn, now_ns);
	ht_dial_flush(proc, now_ns);
	ht_tls_exit(proc);
	ht_proc_free(proc);
}

/*
 * Whether what we know of a pid is about an older process, whose end was lost. Nobody is told of before the fork that made it; when it began is what it
 * keeps through exec.
 */
static bool is_another(const struct ht_proc *proc, const struct ht_rec_proc *rec)
{
	return rec->op == HT_PROC_FORK || (proc->start_ns && rec->start_ns && proc->start_ns != rec->start_ns);
}

void ht_proc_record(struct ht_engine *engine, const struct ht_rec_proc *rec, uint64_t now_ns)
{
	struct ht_proc *proc, *parent;

	if (rec->op == HT_PROC_EXIT) {
		proc = ht_map_get(&engine->procs, rec->hdr.tgid);
		if (proc)
			proc_exit(proc, now_ns);
		return;
	}
	proc = ht_map_get(&engine->procs, rec->hdr.tgid);
	if (proc && is_another(proc, rec))
		proc_vanished(proc, now_ns);
	proc = ht_proc_get(engine, rec->hdr.tgid);
	if (!proc)
		return;
	if (rec->start_ns)
		proc->start_ns = rec->start_ns;
	switch (rec->op) {
	case HT_PROC_FORK:
		parent = ht_map_get(&engine->procs, rec->ppid);
		if (parent)
			set_names(proc, parent->comm, parent->exe, parent->exe ? strlen(parent->exe) : 0);
		else
			set_names(proc, rec->comm, rec->exe, rec->exe_len);
		break;
	case HT_PROC_EXEC:
		ht_h2_submits_free(proc->submits);
		proc->submits = NULL;
		set_names(proc, rec->comm, rec->exe, rec->exe_len);
		break;
	case HT_PROC_FACT:
		set_names(proc, rec->comm, rec->exe, rec->exe_len);
		break;
	}
}

static bool remembers(const struct ht_proc *proc, uint64_t hash)
{
	unsigned int known = proc->spoken_cnt < HT_MAX_SPOKEN ? proc->spoken_cnt : HT_MAX_SPOKEN;

	for (unsigned int i = 0; i < known; i++)
		if (proc->spoken[i] == hash)
			return true;
	return false;
}

static void remember(struct ht_proc *proc, uint64_t hash)
{
	if (remembers(proc, hash))
		return;
	if (proc->spoken_cnt == proc->spoken_cap && proc->spoken_cap < HT_MAX_SPOKEN) {
		unsigned int cap = proc->spoken_cap ? 4 * proc->spoken_cap : 4;
		uint64_t *grown = realloc(proc->spoken, cap * sizeof(*grown));

		if (!grown) {
			proc->engine->counts.out_of_memory++;
			return;
		}
		proc->spoken = grown;
		proc->spoken_cap = cap;
	}
	if (proc->spoken_cnt >= HT_MAX_SPOKEN)
		ht_engine_evicted(proc->engine, &proc->engine->counts.evicted_spoken);
	proc->spoken[proc->spoken_cnt++ % HT_MAX_SPOKEN] = hash;
}

static void remember_any(struct ht_engine *engine, uint64_t hash)
{
	static int present;

	if (ht_map_get(&engine->spoken, hash))
		return;
	if (!engine->spoken_ring)
		engine->spoken_ring = calloc(HT_MAX_SPOKEN_ANY, sizeof(*engine->spoken_ring));
	if (engine->spoken_ring && engine->spoken.cnt >= HT_MAX_SPOKEN_ANY) {
		ht_engine_evicted(engine, &engine->counts.evicted_spoken);
		ht_map_take(&engine->spoken, engine->spoken_ring[engine->spoken_at]);
	}
	if (!engine->spoken_ring || ht_map_put(&engine->spoken, hash, &present)) {
		engine->counts.out_of_memory++;
		return;
	}
	engine->spoken_ring[engine->spoken_at] = hash;
	engine->spoken_at = (engine->spoken_at + 1) % HT_MAX_SPOKEN_ANY;
}

void ht_proc_spoke(struct ht_proc *proc, const char *host_port, const struct ht_addr *remote)
{
	/* The Host field of what goes to a Unix socket may say anything. */
	if (remote->family == HT_AF_UNIX && ht_addr_is_unix_unknown(remote))
		return;
	if (remote->family == HT_AF_UNIX)
		remember(proc, addr_hash(remote));
	else if (host_port)
		remember(proc, hash_bytes(HASH_START, host_port, strlen(host_port)));
	if (remote->family)
		remember_any(proc->engine, addr_hash(remote));
}

void ht_conn_spoke(const struct ht_conn *conn, const char *host_port)
{
	if (!conn->proc)
		return;
	ht_proc_spoke(conn->proc, host_port, &conn->remote);
	if (conn->route && conn->route->target[0])
		ht_proc_spoke(conn->proc, conn->route->target, &conn->remote);
}

bool ht_proc_has_spoken(const struct ht_proc *proc, const char *host_port)
{
	return remembers(proc, hash_bytes(HASH_START, host_port, strlen(host_port)));
}

bool ht_proc_has_spoken_to(const struct ht_proc *proc, const struct ht_addr *remote)
{
	return remembers(proc, addr_hash(remote));
}

bool ht_proc_any_spoke(const struct ht_engine *engine, const struct ht_addr *remote)
{
	return ht_map_get(&engine->spoken, addr_hash(remote)) != NULL;
}
