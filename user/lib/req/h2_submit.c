/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * h2_submit.c - see h2_submit.h. A session's streams have ascending numbers (RFC 9113 section 5.1.1): a lower one is of a new session at the same address.
 */
#include "req/h2_submit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "conn/proc.h"

/* Heads that bind. */
#define PROOFS 2

struct session {
	struct ht_list node; /* the one not heard of for longest first */
	struct ht_list submits;
	uint64_t address;
	uint64_t cookie; /* of the connection to which it seems to write; 0: none */
	unsigned int proof_cnt;
	uint64_t proven_ns; /* when the last head that proves was sent */
	uint32_t last_id;
};

struct submit {
	struct ht_list node;  /* in its session, ascending stream ids */
	struct ht_list order; /* in the process, oldest first */
	struct session *session;
	uint64_t ts_ns;
	uint32_t tid;
	uint64_t losses; /* of the engine, when it was given */
	size_t bytes;
	bool is_whole;
	struct ht_http2_headers headers;
	struct ht_http2_field fields[];
};

struct ht_h2_submits {
	struct ht_list sessions;
	size_t session_cnt;
	struct ht_list order;
	size_t cnt;
	size_t bytes;
	struct submit *given; /* by the last take: in no list */
};

/* ---- what was given ---- */

/* Out of its lists; not freed. */
static void take_out(struct ht_h2_submits *submits, struct submit *submit)
{
	ht_list_remove(&submit->node);
	ht_list_remove(&submit->order);
	submits->cnt--;
	submits->bytes -= submit->bytes;
}

static void drop(struct ht_h2_submits *submits, struct submit *submit)
{
	take_out(submits, submit);
	free(submit);
}

static void empty_session(struct ht_h2_submits *submits, struct session *session)
{
	while (!ht_list_is_empty(&session->submits))
		drop(submits, ht_container(session->submits.next, struct submit, node));
	session->cookie = 0;
	session->proof_cnt = 0;
}

static void drop_session(struct ht_h2_submits *submits, struct session *session)
{
	empty_session(submits, session);
	ht_list_remove(&session->node);
	submits->session_cnt--;
	free(session);
}

void ht_h2_submits_free(struct ht_h2_submits *submits)
{
	if (!submits)
		return;
	while (!ht_list_is_empty(&submits->sessions))
		drop_session(submits, ht_container(submits->sessions.next, struct session, node));
	free(submits->given);
	free(submits);
}

static struct ht_h2_submits *submits_of(struct ht_proc *proc)
{
	struct ht_h2_submits *submits = proc->submits;

	if (submits)
		return submits;
	submits = proc->submits = calloc(1, sizeof(*submits));
	if (!submits)
		return NULL;
	ht_list_init(&submits->sessions);
	ht_list_init(&submits->order);
	return submits;
}

static struct session *session_at(struct ht_h2_submits *submits, uint64_t address)
{
	struct session *session, *next;

	ht_list_each(&submits->sessions, session, next, node) {
		if (session->address != address)
			continue;
		ht_list_remove(&session->node);
		ht_list_append(&submits->sessions, &session->node);
		return session;
	}
	if (submits->session_cnt >= HT_H2_SESSIONS_MAX)
		drop_session(submits, ht_container(submits->sessions.next, struct session, node));
	session = calloc(1, sizeof(*session));
	if (!session)
		return NULL;
	session->address = address;
	ht_list_init(&session->submits);
	ht_list_append(&submits->sessions, &session->node);
	submits->session_cnt++;
	return session;
}

/* libnghttp2 sends names in lower case, however they were given (nghttp2_nv_array_copy). */
static void to_lower(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] >= 'A' && text[i] <= 'Z')
			text[i] = (char)(text[i] + 'a' - 'A');
}

static struct submit *new_submit(const struct ht_rec_h2_submit *rec)
{
	size_t bytes = sizeof(struct submit) + rec->told_cnt * sizeof(struct ht_http2_field) + rec->text_len;
	struct submit *submit = calloc(1, bytes);
	char *text;

	if (!submit)
		return NULL;
	text = (char *)&submit->fields[rec->told_cnt];
	memcpy(text, rec->text, rec->text_len);
	submit->ts_ns = rec->hdr.ts_ns;
	submit->tid = rec->hdr.tid;
	submit->bytes = bytes;
	submit->is_whole = rec->told_cnt == rec->field_cnt;
	submit->headers = (struct ht_http2_headers){
		.stream_id = rec->stream_id, .fields = submit->fields, .field_cnt = rec->field_cnt, .is_complete = true
	};
	for (size_t i = 0; i < rec->told_cnt; i++) {
		struct ht_http2_field *field = &submit->fields[i];

		to_lower(text, rec->lens[i].name);
		field->name = (struct ht_span){ text, rec->lens[i].name };
		field->value = (struct ht_span){ text + rec->lens[i].name, rec->lens[i].value };
		field->is_known = true;
		text += rec->lens[i].name + rec->lens[i].value;
	}
	return submit;
}

void ht_h2_submit_record(struct ht_engine *engine, const struct ht_rec_h2_submit *rec)
{
	struct ht_proc *proc = ht_proc_get(engine, rec->hdr.tgid);
	struct ht_h2_submits *submits = proc ? submits_of(proc) : NULL;
	struct session *session = submits ? session_at(submits, rec->session) : NULL;
	struct submit *submit = session ? new_submit(rec) : NULL, *next;

	if (!submit) {
		engine->counts.out_of_memory++;
		return;
	}
	if (rec->stream_id <= session->last_id)
		empty_session(submits, session);
	session->last_id = rec->stream_id;
	submit->session = session;
	submit->losses = engine->losses;
	ht_list_append(&session->submits, &submit->node);
	ht_list_append(&submits->order, &submit->order);
	submits->cnt++;
	submits->bytes += submit->bytes;
	ht_list_each(&submits->order, submit, next, order) {
		if (submits->cnt <= HT_H2_SUBMITS_MAX && submits->bytes <= HT_H2_SUBMITS_BYTES_MAX &&
		    rec->hdr.ts_ns - submit->ts_ns <= HT_H2_SUBMIT_LIFE_NS)
			break;
		drop(submits, submit);
	}
}

/* ---- which head it was ---- */

static bool is_same(struct ht_span a, struct ht_span b)
{
	return a.len == b.len && (!a.len || !memcmp(a.ptr, b.ptr, a.len));
}

/* Whether the head can be this one. *has_path: its path was decoded. */
static bool fits(const struct submit *submit, const struct ht_http2_headers *headers, bool *has_path)
{
	static const struct ht_span path = { ":path", 5 };

	*has_path = false;
	if (!submit->is_whole || headers->field_cnt != submit->headers.field_cnt)
		return false;
	for (size_t i = 0; i < headers->field_cnt; i++) {
		const struct ht_http2_field *sent = &headers->fields[i], *given = &submit->fields[i];

		if (!sent->is_known)
			continue;
		if (!is_same(sent->name, given->name) || !is_same(sent->value, given->value))
			return false;
		*has_path |= is_same(sent->name, path);
	}
	return true;
}

static struct submit *find(const struct session *session, uint32_t stream_id)
{
	struct submit *submit, *next;

	ht_list_each(&session->submits, submit, next, node) {
		if (submit->headers.stream_id >= stream_id)
			return submit->headers.stream_id == stream_id ? submit : NULL;
	}
	return NULL;
}

static bool is_bound(const struct session *session)
{
	return session->cookie && session->proof_cnt >= PROOFS;
}

static struct session *session_of(const struct ht_h2_submits *submits, uint64_t cookie)
{
	struct session *session, *next;

	ht_list_each(&submits->sessions, session, next, node) {
		if (session->cookie == cookie)
			return session;
	}
	return NULL;
}

static void unbind(struct session *session)
{
	session->cookie = 0;
	session->proof_cnt = 0;
}

static const struct ht_http2_headers *give(struct ht_h2_submits *submits, struct submit *submit, const struct ht_http2_headers *headers)
{
	take_out(submits, submit);
	submits->given = submit;
	submit->headers.block_bytes = headers->block_bytes;
	submit->headers.is_end_stream = headers->is_end_stream;
	return &submit->headers;
}

/* By a session that is bound to the connection. */
static const struct ht_http2_headers *take_bound(struct ht_h2_submits *submits, struct session *session,
						 const struct ht_http2_headers *headers)
{
	struct submit *submit, *next;
	bool has_path;

	/* What the library was given and has not sent by now it does not send any more. */
	ht_list_each(&session->submits, submit, next, node) {
		if (submit->headers.stream_id >= headers->stream_id)
			break;
		drop(submits, submit);
	}
	submit = find(session, headers->stream_id);
	if (!submit)
		return NULL;
	if (fits(submit, headers, &has_path))
		return give(submits, submit, headers);
	/* Of one that was not told whole nothing can be said. */
	if (submit->is_whole && headers->field_cnt)
		unbind(session);
	drop(submits, submit);
	return NULL;
}

static bool is_equal(const struct submit *a, const struct submit *b)
{
	if (a->headers.field_cnt != b->headers.field_cnt)
		return false;
	for (size_t i = 0; i < a->headers.field_cnt; i++)
		if (!is_same(a->fields[i].name, b->fields[i].name) || !is_same(a->fields[i].value, b->fields[i].value))
			return false;
	return true;
}

/* What the head can be; NULL: nothing that is there, or different requests. *is_shared: requests of several sessions, which are equal in every field. */
static struct submit *find_any(const struct ht_conn *conn, uint32_t tid, const struct ht_http2_headers *headers, uint64_t ts_ns,
			       bool *is_shared)
{
	const struct ht_h2_submits *submits = conn->proc->submits;
	struct session *session, *next;
	struct submit *found = NULL;
	bool has_path;

	*is_shared = false;
	ht_list_each(&submits->sessions, session, next, node) {
		struct submit *submit = find(session, headers->stream_id);

		if (!submit || submit->tid != tid || submit->ts_ns > ts_ns || ts_ns - submit->ts_ns > HT_H2_SUBMIT_SENT_NS)
			continue;
		if (!fits(submit, headers, &has_path) || !has_path)
			continue;
		if (is_bound(session) && ht_map_get(&conn->engine->conns, session->cookie))
			continue;
		if (found && !is_equal(found, submit))
			return NULL;
		*is_shared = found != NULL;
		if (!found)
			found = submit;
	}
	return found;
}

/* Whether nothing given that was sent just now can be unknown. */
static bool is_all_told(const struct ht_conn *conn, const struct submit *submit, uint64_t ts_ns)
{
	const struct ht_engine *engine = conn->engine;
	uint64_t probed_ns = conn->proc->probed_ns > engine->probed_ns ? conn->proc->probed_ns : engine->probed_ns;

	if (!probed_ns || submit->ts_ns < probed_ns + HT_H2_SUBMIT_SEEN_NS)
		return false;
	if (engine->loss_ns && ts_ns < engine->loss_ns + HT_LOSS_NEAR_NS)
		return false;
	return !ht_engine_missed(engine, submit->ts_ns, submit->losses);
}

const struct ht_http2_headers *ht_h2_submit_take(struct ht_conn *conn, uint32_t tid, const struct ht_http2_headers *headers, uint64_t ts_ns)
{
	struct ht_h2_submits *submits = conn->proc ? conn->proc->submits : NULL;
	struct session *former, *session;
	struct submit *submit;
	bool is_shared;

	if (!submits)
		return NULL;
	free(submits->given);
	submits->given = NULL;
	former = session_of(submits, conn->cookie);
	if (former && is_bound(former))
		return take_bound(submits, former, headers);
	submit = find_any(conn, tid, headers, ts_ns, &is_shared);
	if (submit && is_shared)
		return is_all_told(conn, submit, ts_ns) ? give(submits, submit, headers) : NULL;
	session = submit ? submit->session : NULL;
	if (former && former != session)
		unbind(former);
	if (!session)
		return NULL;
	if (session->cookie != conn->cookie) {
		unbind(session);
		session->cookie = conn->cookie;
	}
	if (is_all_told(conn, submit, ts_ns))
		session->proof_cnt = PROOFS;
	if (!session->proof_cnt || submit->ts_ns > session->proven_ns) {
		session->proof_cnt++;
		session->proven_ns = ts_ns;
	}
	if (is_bound(session)) {
		ht_engine_log(conn->engine, "connection %" PRIu64 " of process %" PRIu32 ": its requests are told by libnghttp2, too",
			      conn->number, conn->proc->tgid);
		return give(submits, submit, headers);
	}
	drop(submits, submit);
	return NULL;
}
