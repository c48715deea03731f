/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tls_object.c - TLS objects: handshake, binding, plaintext.
 */
#include "conn/tls_object.h"

#include <stdlib.h>
#include <string.h>

#include "conn/conn.h"
#include "conn/dial.h"
#include "conn/route.h"
#include "req/exchange.h"

const char *ht_tls_evidence_name(uint8_t evidence)
{
	switch (evidence) {
	case HT_BIND_NESTED:
		return "nested";
	case HT_BIND_FD:
		return "fd";
	case HT_BIND_BYTES:
		return "bytes";
	}
	return NULL;
}

const char *ht_tls_library_name(uint16_t library)
{
	switch (library) {
	case HT_TLS_LIB_OPENSSL:
		return "openssl";
	case HT_TLS_LIB_GNUTLS:
		return "gnutls";
	case HT_TLS_LIB_NSS:
		return "nss";
	case HT_TLS_LIB_GO:
		return "go";
	}
	return NULL;
}

static struct ht_tls_object *object_make(struct ht_engine *engine, uint64_t id, uint32_t tgid)
{
	struct ht_tls_object *object = ht_map_get(&engine->tls_objects, id);

	struct ht_proc *proc;

	if (object) {
		ht_engine_heard(engine, &engine->tls_order, &object->order, engine->tls_objects.cnt, HT_MAX_TLS_OBJECTS);
		return object;
	}
	if (engine->tls_objects.cnt >= HT_MAX_TLS_OBJECTS) {
		ht_engine_evicted(engine, &engine->counts.evicted_tls_objects);
		ht_tls_free(ht_container(engine->tls_order.next, struct ht_tls_object, order));
	}
	object = calloc(1, sizeof(*object));
	if (!object || ht_map_put(&engine->tls_objects, id, object)) {
		engine->counts.out_of_memory++;
		free(object);
		return NULL;
	}
	object->id = id;
	object->engine = engine;
	object->tgid = tgid;
	ht_list_append(&engine->tls_order, &object->order);
	ht_list_init(&object->node);
	proc = ht_map_get(&engine->procs, tgid);
	if (proc)
		ht_list_append(&proc->tls_objects, &object->node);
	return object;
}

/* Where its connection keeps it as the TLS to an HTTPS proxy, in which a tunnel runs. NULL: it is not that. */
static struct ht_tls_object **place_in_route(const struct ht_tls_object *object)
{
	struct ht_tls_object **place = object->conn && object->conn->route ? &object->conn->route->tls : NULL;

	while (place && *place != object)
		place = *place ? &(*place)->outer : NULL;
	return place;
}

static bool is_proxy_tls(const struct ht_tls_object *object)
{
	return place_in_route(object) != NULL;
}

static void leave_conn(struct ht_tls_object *object)
{
	struct ht_tls_object **place = place_in_route(object);

	if (place)
		*place = object->outer;
	else if (object->conn)
		object->conn->tls = NULL;
	object->outer = NULL;
	object->conn = NULL;
}

void ht_tls_free(struct ht_tls_object *object)
{
	leave_conn(object);
	ht_list_remove(&object->node);
	if (!object->is_freed) {
		ht_list_remove(&object->order);
		ht_map_take(&object->engine->tls_objects, object->id);
	}
	free(object);
}

void ht_tls_unbind(struct ht_tls_object *object)
{
	leave_conn(object);
	object->evidence = HT_BIND_NONE;
	if (object->is_freed)
		ht_tls_free(object);
}

/* The program has freed it: its facts stay with its connection. */
static void object_freed(struct ht_tls_object *object)
{
	ht_list_remove(&object->node);
	ht_list_remove(&object->order);
	ht_map_take(&object->engine->tls_objects, object->id);
	object->is_freed = true;
	if (!object->conn)
		ht_tls_free(object);
}

void ht_tls_exit(struct ht_proc *proc)
{
	while (!ht_list_is_empty(&proc->tls_objects))
		object_freed(ht_container(proc->tls_objects.next, struct ht_tls_object, node));
}

static void bind(struct ht_tls_object *object, uint64_t cookie, uint8_t evidence, uint64_t now_ns)
{
	struct ht_conn *conn;

	if (!cookie || (object->conn && object->conn->cookie == cookie)) {
		if (evidence > object->evidence)
			object->evidence = evidence;
		return;
	}
	if (object->conn && evidence < object->evidence)
		return;
	conn = ht_conn_make(object->engine, cookie, object->tgid);
	if (!conn)
		return;
	/* The socket's own object is better proven: this one is a guess (a file descriptor used again). */
	if (conn->tls && !conn->tls->is_freed && conn->tls->evidence > evidence)
		return;
	if (object->conn) { /* better evidence, or another socket: what was read into the old one is not to be trusted */
		struct ht_conn *former = object->conn;
		bool is_tls_proven = is_proxy_tls(object) || former->hello_ns[HT_DIR_TX] || former->hello_ns[HT_DIR_RX];

		ht_conn_drop_exchange(former, now_ns);
		leave_conn(object);
		if (!is_tls_proven)
			former->kind = HT_CONN_UNDECIDED; /* only the wrong binding said TLS */
	}
	ht_conn_drop_exchange(conn, now_ns);
	if (conn->tls)
		ht_tls_unbind(conn->tls);
	conn->kind = HT_CONN_TLS;
	conn->tls = object;
	object->conn = conn;
	object->evidence = evidence;
	object->is_ignored = false;
}

static void copy_text(char *to, size_t len, const struct ht_rec_tls *rec)
{
	size_t n = rec->text_len < len ? rec->text_len : len - 1;

	memcpy(to, rec + 1, n);
	to[n] = '\0';
}

void ht_tls_record(struct ht_engine *engine, const struct ht_rec_tls *rec)
{
	struct ht_tls_object *object;
	uint64_t now_ns = rec->hdr.ts_ns;

	object = rec->op == HT_TLS_FREE ? ht_map_get(&engine->tls_objects, rec->tls_id) : object_make(engine, rec->tls_id, rec->hdr.tgid);
	if (!object)
		return;
	if (rec->is_server) { /* not ours, nor is its plaintext */
		object->is_ignored = true;
		if (rec->op == HT_TLS_FREE)
			object_freed(object);
		return;
	}
	object->library = rec->library;
	if (rec->cookie && rec->op != HT_TLS_BIND && !object->conn)
		bind(object, rec->cookie, rec->evidence, now_ns);
	if (object->conn)
		ht_conn_lost(object->conn, rec->hdr.lost);
	switch (rec->op) {
	case HT_TLS_HANDSHAKE_START:
		object->handshake = HT_HANDSHAKE_RUNNING;
		object->start_ns = rec->start_ns ? rec->start_ns : now_ns;
		break;
	case HT_TLS_HANDSHAKE_DONE:
		object->handshake = HT_HANDSHAKE_DONE;
		if (rec->start_ns)
			object->start_ns = rec->start_ns;
		object->done_ns = now_ns;
		break;
	case HT_TLS_HANDSHAKE_FAIL:
		object->handshake = HT_HANDSHAKE_FAILED;
		if (rec->start_ns)
			object->start_ns = rec->start_ns;
		object->done_ns = now_ns;
		object->err_lib = rec->err_lib;
		object->err_reason = rec->err_reason;
		object->verify_result = rec->verify_result;
		if (object->conn && object->conn->dial)
			ht_dial_end(object->conn->dial, object->conn, HT_DIAL_TLS_FAILED, now_ns);
		break;
	case HT_TLS_BIND:
		bind(object, rec->cookie, rec->evidence, now_ns);
		break;
	case HT_TLS_SERVER_NAME:
		copy_text(object->server_name, sizeof(object->server_name), rec);
		break;
	case HT_TLS_ALPN:
		copy_text(object->alpn, sizeof(object->alpn), rec);
		break;
	case HT_TLS_ERROR:
		object->err_lib = rec->err_lib;
		object->err_reason = rec->err_reason;
		break;
	case HT_TLS_FREE:
		object_freed(object);
		break;
	}
}

void ht_tls_data(struct ht_engine *engine, const struct ht_rec_data *rec)
{
	struct ht_tls_object *object = object_make(engine, rec->tls_id, rec->hdr.tgid);

	if (!object || object->is_ignored)
		return;
	/* The record of the binding itself may be lost: the evidence is then not known, the socket is. */
	if (rec->cookie && !object->conn)
		bind(object, rec->cookie, HT_BIND_NONE, rec->hdr.ts_ns);
	if (!object->conn) {
		if (!object->is_unbound_told) {
			object->is_unbound_told = true;
			engine->counts.unbound++;
			ht_engine_log(engine, "a TLS object of pid %u has no known socket: its traffic is left alone", object->tgid);
		}
		return;
	}
	if (rec->hdr.flags & (HT_F_EOF | HT_F_FAILED)) {
		struct ht_rec_data at = *rec;

		if (is_proxy_tls(object) && object->conn->tls)
			at.off = 0; /* not the offset of the target's plaintext */
		if (object->conn->exchange && rec->hdr.flags & HT_F_EOF)
			ht_exchange_eof(object->conn->exchange, &at);
		else if (object->conn->exchange && rec->err)
			ht_exchange_io_failed(object->conn->exchange, rec->hdr.ts_ns, rec->dir, rec->err);
		return;
	}
	if (is_proxy_tls(object))
		ht_conn_carried(object->conn, rec);
	else if (!ht_conn_plaintext(object->conn, rec))
		object->is_ignored = true;
}
