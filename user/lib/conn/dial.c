/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * dial.c - lookups and connection attempts, joined into dials.
 */
#include "conn/dial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conn/conn.h"
#include "conn/proc.h"
#include "conn/route.h"
#include "req/hooks.h"
#include "req/request.h"
#include "util/names.h"

/* ---- lookups ---- */

static struct ht_lookup *find_lookup(struct ht_proc *proc, uint64_t call_id)
{
	struct ht_lookup *lookup, *next;

	ht_list_each(&proc->lookups, lookup, next, node)
		if (lookup->call_id == call_id)
			return lookup;
	return NULL;
}

static void drop_lookup(struct ht_proc *proc, struct ht_lookup *lookup)
{
	ht_list_remove(&lookup->node);
	proc->lookup_cnt--;
	free(lookup);
}

/* A lookup of its own for the record; NULL for literal addresses (hooks.md 0a), and when memory is out. */
static struct ht_lookup *add_lookup(struct ht_engine *engine, const struct ht_rec_dns *rec)
{
	struct ht_proc *proc;
	struct ht_lookup *lookup;

	if (!rec->host_len || ht_is_literal_addr(rec->host))
		return NULL;
	proc = ht_proc_get(engine, rec->hdr.tgid);
	lookup = proc ? calloc(1, sizeof(*lookup)) : NULL;
	if (!lookup) {
		engine->counts.out_of_memory++;
		return NULL;
	}
	if (proc->lookup_cnt >= HT_MAX_LOOKUPS) {
		struct ht_lookup *oldest = ht_container(proc->lookups.next, struct ht_lookup, node);

		/* Answers that nobody uses pile up here (a resolver's client, a health check): the old ones would serve nobody. */
		if (rec->hdr.ts_ns < oldest->start_ns + HT_LOOKUP_LIFE_NS)
			ht_engine_evicted(engine, &engine->counts.evicted_lookups);
		drop_lookup(proc, oldest);
	}
	lookup->call_id = rec->call_id;
	lookup->start_ns = rec->start_ns ? rec->start_ns : rec->hdr.ts_ns;
	lookup->tid = rec->hdr.tid;
	lookup->losses = engine->losses;
	memcpy(lookup->host, rec->host, rec->host_len);
	memcpy(lookup->service, rec->service, rec->service_len);
	ht_list_append(&proc->lookups, &lookup->node);
	proc->lookup_cnt++;
	return lookup;
}

void ht_dial_dns_start(struct ht_engine *engine, const struct ht_rec_dns *rec)
{
	add_lookup(engine, rec);
}

/* 0 where the service names no port that we know. */
static uint16_t service_port(const char *service)
{
	char *end;
	unsigned long port = strtoul(service, &end, 10);

	if (service[0] && !*end && port <= 65535)
		return (uint16_t)port;
	if (!strcmp(service, "http"))
		return 80;
	return strcmp(service, "https") ? 0 : 443;
}

/* ---- reports ---- */

static uint64_t first_ns(const struct ht_dial *dial)
{
	uint64_t first = dial->lookup ? dial->lookup->start_ns : UINT64_MAX;

	for (unsigned int i = 0; i < dial->attempt_cnt; i++)
		if (dial->attempts[i].start_ns < first)
			first = dial->attempts[i].start_ns;
	return first;
}

static const struct ht_attempt *last_attempt(const struct ht_dial *dial)
{
	return dial->attempt_cnt ? &dial->attempts[dial->attempt_cnt - 1] : NULL;
}

/* Where to: the name looked up, or set for TLS, or the address. */
static void host_port_text(const struct ht_dial *dial, const struct ht_conn *conn, char *buf, size_t len)
{
	const struct ht_attempt *attempt = last_attempt(dial);

	if (conn && conn->route)
		snprintf(buf, len, "%s", conn->route->host_port);
	else if (dial->lookup)
		snprintf(buf, len, dial->port ? "%s:%u" : "%s", dial->lookup->host, dial->port);
	else if (conn && conn->client_hello && conn->client_hello->server_name[0])
		snprintf(buf, len, "%s:%u", conn->client_hello->server_name, dial->port);
	else if (attempt && attempt->path)
		snprintf(buf, len, "%s", attempt->path);
	else if (attempt)
		ht_addr_port_text(&attempt->remote, buf, len);
	else
		buf[0] = '\0';
}

/* Unix sockets are everywhere, and few of them speak HTTP. */
static bool is_unix(const struct ht_dial *dial)
{
	return dial->attempt_cnt && dial->attempts[0].remote.family == HT_AF_UNIX;
}

/* Did the process speak HTTP there before? target: behind a proxy, "" none. */
static bool has_spoken(const struct ht_dial *dial, const char *host_port, const char *target)
{
	if (target[0])
		return ht_proc_has_spoken(dial->proc, target);
	return is_unix(dial) ? ht_proc_has_spoken_to(dial->proc, &dial->attempts[0].remote) : ht_proc_has_spoken(dial->proc, host_port);
}

static bool is_web_port(unsigned long port)
{
	return port == 80 || port == 443 || port == 8080 || port == 8443;
}

/* target: behind a proxy, "" none. */
static bool is_wanted(const struct ht_dial *dial, const char *target)
{
	const struct ht_engine *engine = dial->engine;
	const char *colon = strrchr(target, ':');

	if (engine->opts.dials != HTTPTRACE_DIALS_AUTO)
		return engine->opts.dials == HTTPTRACE_DIALS_ALL;
	if (engine->is_filtered && !is_unix(dial))
		return true;
	if (is_web_port(dial->port) || (colon && is_web_port(strtoul(colon + 1, NULL, 10))))
		return true;
	for (unsigned int i = 0; i < dial->attempt_cnt; i++)
		if (ht_proc_any_spoke(engine, &dial->attempts[i].remote))
			return true;
	return false;
}

static void add_dial_hooks(const struct ht_dial *dial, struct httptrace_request *request)
{
	if (dial->lookup)
		ht_hook_dns(request, dial->lookup);
	for (unsigned int i = 0; i < dial->attempt_cnt; i++) {
		ht_hook_connect_start(request, &dial->attempts[i]);
		if (dial->attempts[i].state != HT_ATTEMPT_RUNNING)
			ht_hook_connect_done(request, &dial->attempts[i]);
	}
}

struct verdict {
	enum httptrace_outcome outcome;
	enum httptrace_phase phase;
	const char *code;
	const char *message;
	uint64_t end_ns;
	uint64_t lost; /* events that may have told otherwise */
};

/* Tells a dial that no request took: as a request where it failed on the way to one and HTTP is proven, else as a dial. */
static void report(struct ht_dial *dial, struct ht_conn *conn, const struct verdict *v)
{
	struct ht_engine *engine = dial->engine;
	const char *target = conn && conn->route ? conn->route->target : "";
	char host_port[HT_ROUTE_HOST_PORT_MAX];
	struct httptrace_request *request;
	bool is_http;

	host_port_text(dial, conn, host_port, sizeof(host_port));
	is_http = v->phase != HTTPTRACE_PHASE_NONE && ((conn && ht_conn_offers_http(conn)) || has_spoken(dial, host_port, target));
	if (!is_http && !is_wanted(dial, target)) {
		engine->counts.dials_hidden++;
		return;
	}
	request = ht_report_new(engine, is_http ? HTTPTRACE_REQUEST : HTTPTRACE_DIAL, dial->proc, dial->tid);
	if (!request)
		return;
	request->host_port = ht_request_strdup(request, host_port);
	/* The scheme is not known; nor, of a URL, a path. */
	if (is_http && target[0])
		request->url = ht_request_strdup(request, target);
	ht_hook_get_conn(request, first_ns(dial), request->host_port);
	add_dial_hooks(dial, request);
	if (conn) {
		struct httptrace_error *error = NULL;

		if (v->phase == HTTPTRACE_PHASE_TLS && v->code)
			error = ht_hook_error(request, v->code, v->message);
		ht_conn_describe(conn, request);
		if (conn->route)
			ht_route_add_tls_hooks(conn->route, request);
		ht_conn_add_tls_hooks(conn, request, error, v->end_ns);
		request->lost += conn->lost;
	}
	if (!request->lost)
		request->lost = v->lost;
	ht_report_outcome(request, v->outcome, v->phase, v->code, v->message, v->end_ns);
	request->is_identified = true;
	ht_report_done(engine, request);
}

static void report_lookup(struct ht_proc *proc, struct ht_lookup *lookup, const struct verdict *v)
{
	struct ht_dial dial = {
		.engine = proc->engine,
		.proc = proc,
		.lookup = lookup,
		.tid = lookup->tid,
		.port = service_port(lookup->service),
	};

	report(&dial, NULL, v);
}

void ht_dial_dns_done(struct ht_engine *engine, const struct ht_rec_dns *rec)
{
	struct ht_proc *proc = ht_proc_get(engine, rec->hdr.tgid);
	struct ht_lookup *lookup = proc ? find_lookup(proc, rec->call_id) : NULL;
	char name[32];

	if (!lookup)
		lookup = add_lookup(engine, rec);
	if (!lookup)
		return;
	lookup->done_ns = rec->hdr.ts_ns;
	lookup->eai = rec->eai;
	lookup->sys_errno = rec->sys_errno;
	lookup->addr_cnt = rec->addr_cnt;
	memcpy(lookup->addrs, rec->addrs, rec->addr_cnt * sizeof(rec->addrs[0]));
	if (rec->eai) {
		struct verdict v = {
			.outcome = HTTPTRACE_DNS_ERROR,
			.phase = HTTPTRACE_PHASE_DNS,
			.code = ht_eai_name(rec->eai, name, sizeof(name)),
			.message = ht_eai_text(rec->eai),
			.end_ns = rec->hdr.ts_ns,
		};

		report_lookup(proc, lookup, &v);
		drop_lookup(proc, lookup);
	}
}

/* ---- dials ---- */

static void dial_free(struct ht_dial *dial)
{
	/* By cookie: a connection may have passed to another process meanwhile. */
	for (unsigned int i = 0; dial->conn_cnt && i < dial->attempt_cnt; i++) {
		struct ht_conn *conn = ht_map_get(&dial->engine->conns, dial->attempts[i].cookie);

		if (conn && conn->dial == dial) {
			conn->dial = NULL;
			dial->conn_cnt--;
		}
	}
	ht_timer_cancel(&dial->engine->timers, &dial->timer);
	ht_list_remove(&dial->node);
	ht_list_remove(&dial->order);
	dial->engine->dial_cnt--;
	if (dial->request)
		httptrace_request__unref(dial->request);
	for (unsigned int i = 0; i < dial->attempt_cnt; i++)
		free(dial->attempts[i].path);
	if (dial->attempts != &dial->first)
		free(dial->attempts);
	free(dial->lookup);
	free(dial);
}

/* No further attempt joins it: it is out of the way of those that look for theirs. */
static void close_dial(struct ht_dial *dial)
{
	ht_list_remove(&dial->node);
	ht_list_append(&dial->proc->closed_dials, &dial->node);
}

static bool has_attempt_in(const struct ht_dial *dial, enum ht_attempt_state state)
{
	for (unsigned int i = 0; i < dial->attempt_cnt; i++)
		if (dial->attempts[i].state == state)
			return true;
	return false;
}

static bool has_address(const struct ht_lookup *lookup, const struct ht_addr *remote)
{
	for (unsigned int i = 0; i < lookup->addr_cnt; i++)
		if (ht_addr_is_same_host(&lookup->addrs[i], remote))
			return true;
	return false;
}

static bool has_tried(const struct ht_dial *dial, const struct ht_addr *remote)
{
	for (unsigned int i = 0; i < dial->attempt_cnt; i++)
		if (ht_addr_is_same_host(&dial->attempts[i].remote, remote))
			return true;
	return false;
}

/* Is an attempt at remote the next one of this dial, rather than a dial of its own? */
static bool continues(const struct ht_dial *dial, const struct ht_addr *remote, uint32_t tid)
{
	if (dial->request || dial->port != remote->port || dial->attempt_cnt == HT_MAX_ATTEMPTS ||
	    has_attempt_in(dial, HT_ATTEMPT_CONNECTED) || has_tried(dial, remote))
		return false;
	if (dial->lookup)
		return has_address(dial->lookup, remote);
	/* curl answers "localhost" itself: both loopback addresses, no lookup (clients.md). */
	return dial->tid == tid && dial->attempt_cnt && ht_addr_is_loopback(remote) && ht_addr_is_loopback(&dial->attempts[0].remote);
}

/* The answer that an attempt at remote follows: of the same thread first, then the newest. */
static struct ht_lookup *answer_for(struct ht_proc *proc, const struct ht_addr *remote, uint64_t start_ns, uint32_t tid)
{
	struct ht_lookup *lookup, *next, *best = NULL;

	ht_list_each(&proc->lookups, lookup, next, node) {
		uint16_t port = service_port(lookup->service);

		if (!lookup->done_ns || lookup->done_ns > start_ns || start_ns - lookup->done_ns > HT_LOOKUP_LIFE_NS ||
		    !has_address(lookup, remote))
			continue;
		if (port && port != remote->port)
			continue;
		if (!best || lookup->tid == tid || best->tid != tid)
			best = lookup;
	}
	return best;
}

static struct ht_dial *dial_new(struct ht_proc *proc, struct ht_lookup *lookup, uint16_t port, uint32_t tid)
{
	struct ht_engine *engine = proc->engine;
	struct ht_dial *dial;

	if (engine->dial_cnt >= HT_MAX_DIALS) {
		ht_engine_evicted(engine, &engine->counts.evicted_dials);
		dial_free(ht_container(engine->dial_order.next, struct ht_dial, order));
	}
	dial = calloc(1, sizeof(*dial));
	if (!dial) {
		engine->counts.out_of_memory++;
		return NULL;
	}
	dial->engine = engine;
	dial->proc = proc;
	dial->attempts = &dial->first;
	dial->attempt_cap = 1;
	dial->port = port;
	dial->tid = tid;
	dial->losses = lookup ? lookup->losses : engine->losses;
	if (lookup) {
		ht_list_remove(&lookup->node);
		proc->lookup_cnt--;
		dial->lookup = lookup;
	}
	ht_list_append(&proc->dials, &dial->node);
	ht_list_append(&engine->dial_order, &dial->order);
	engine->dial_cnt++;
	return dial;
}

/* 0 or -ENOMEM. */
static int make_attempt_room(struct ht_dial *dial)
{
	unsigned int cap = 4 * dial->attempt_cap;
	struct ht_attempt *attempts;

	if (dial->attempt_cnt < dial->attempt_cap)
		return 0;
	attempts = calloc(cap, sizeof(*attempts));
	if (!attempts)
		return -ENOMEM;
	memcpy(attempts, dial->attempts, dial->attempt_cnt * sizeof(*attempts));
	if (dial->attempts != &dial->first)
		free(dial->attempts);
	dial->attempts = attempts;
	dial->attempt_cap = cap;
	return 0;
}

/* The dial that an attempt at remote continues: of the same thread the newest, else the oldest. NULL: none. */
static struct ht_dial *dial_for(struct ht_proc *proc, const struct ht_addr *remote, uint32_t tid)
{
	struct ht_list *node = proc->dials.prev;
	struct ht_dial *found = NULL;

	for (unsigned int n = 0; node != &proc->dials && n < HT_DIALS_LOOKED_AT; node = node->prev, n++) {
		struct ht_dial *dial = ht_container(node, struct ht_dial, node);

		if (!continues(dial, remote, tid))
			continue;
		found = dial;
		if (dial->tid == tid)
			break;
	}
	return found;
}

struct ht_dial *ht_dial_attempt(struct ht_proc *proc, uint64_t cookie, const struct ht_addr *remote, uint64_t start_ns, uint32_t tid)
{
	struct ht_dial *found = dial_for(proc, remote, tid);

	if (!found)
		found = dial_new(proc, answer_for(proc, remote, start_ns, tid), remote->port, tid);
	if (!found)
		return NULL;
	if (make_attempt_room(found)) {
		found->engine->counts.out_of_memory++;
		return NULL;
	}
	ht_timer_cancel(&found->engine->timers, &found->timer);
	found->attempts[found->attempt_cnt++] = (struct ht_attempt){ .cookie = cookie, .remote = *remote, .start_ns = start_ns };
	return found;
}

struct ht_dial *ht_dial_unix(struct ht_proc *proc, uint64_t cookie, const struct ht_addr *remote, const char *path, uint64_t start_ns,
			     uint32_t tid)
{
	struct ht_dial *dial = ht_dial_attempt(proc, cookie, remote, start_ns, tid);
	struct ht_attempt *attempt = dial ? ht_dial_find(dial, cookie) : NULL;

	if (!attempt)
		return NULL;
	attempt->path = path ? strdup(path) : NULL;
	if (path && !attempt->path)
		dial->engine->counts.out_of_memory++;
	return dial;
}

struct ht_attempt *ht_dial_find(struct ht_dial *dial, uint64_t cookie)
{
	/* A socket may be connected again after a failure: its newest attempt. */
	for (unsigned int i = dial->attempt_cnt; i-- > 0;)
		if (dial->attempts[i].cookie == cookie)
			return &dial->attempts[i];
	return NULL;
}

static bool has_untried(const struct ht_dial *dial)
{
	/* Without an answer nothing tells what else the client may try; a literal address has no alternative, but for curl's two loopbacks. */
	if (!dial->lookup)
		return ht_addr_is_loopback(&dial->attempts[0].remote);
	for (unsigned int i = 0; i < dial->lookup->addr_cnt; i++)
		if (!has_tried(dial, &dial->lookup->addrs[i]))
			return true;
	return false;
}

/* Every attempt has failed and no other will follow: the failure of the last one that was not called off counts. */
static void report_failed(struct ht_dial *dial, uint64_t now_ns)
{
	struct verdict v = { .outcome = HTTPTRACE_CONNECT_ERROR, .phase = HTTPTRACE_PHASE_CONNECT, .code = "unknown", .end_ns = now_ns };
	const struct ht_attempt *decisive = NULL;
	char name[32];

	for (unsigned int i = 0; i < dial->attempt_cnt; i++) {
		const struct ht_attempt *a = &dial->attempts[i];

		if (a->state == HT_ATTEMPT_FAILED && (!decisive || decisive->err == ECANCELED || a->err != ECANCELED))
			decisive = a;
	}
	/* A connect that was refused may have been followed by one to another address, of which nothing was seen. */
	if (!decisive || has_untried(dial))
		v.lost = ht_engine_missed(dial->engine, first_ns(dial), dial->losses);
	if (v.lost || (!decisive && dial->engine->is_ended)) {
		v.outcome = HTTPTRACE_INCOMPLETE;
		v.code = "incomplete";
		v.message = v.lost ? "its end may be among the events that were lost" : "tracing ended while the connect was under way";
	} else if (!decisive) {
		v.outcome = HTTPTRACE_ABORTED;
		v.code = "aborted";
		v.message = "the process ended while the connect was under way";
	} else {
		v.end_ns = decisive->done_ns;
		if (decisive->err) {
			v.code = ht_errno_name(decisive->err, name, sizeof(name));
			v.message = ht_errno_text(decisive->err);
		} else {
			v.message = "connect failed; its error was not seen";
		}
		if (decisive->err == ETIMEDOUT)
			v.outcome = HTTPTRACE_TIMEOUT;
		else if (decisive->err == ECANCELED)
			v.outcome = HTTPTRACE_ABORTED;
	}
	report(dial, NULL, &v);
}

static void give_up(void *object, uint64_t at_ns)
{
	struct ht_dial *dial = object;

	report_failed(dial, at_ns);
	dial_free(dial);
}

/* After an attempt has ended without success. */
static void settle(struct ht_dial *dial, uint64_t now_ns)
{
	if (dial->request) {
		ht_dial_leave(dial);
		return;
	}
	if (has_attempt_in(dial, HT_ATTEMPT_RUNNING) || has_attempt_in(dial, HT_ATTEMPT_CONNECTED))
		return;
	if (has_untried(dial))
		ht_timer_set(&dial->engine->timers, &dial->timer, now_ns + HT_DIAL_WAIT_NS, give_up, dial);
	else
		ht_timer_set(&dial->engine->timers, &dial->timer, now_ns + 1, give_up, dial);
}

void ht_dial_attempt_done(struct ht_dial *dial, uint64_t cookie, uint64_t now_ns, bool is_connected, int err)
{
	struct ht_attempt *attempt = ht_dial_find(dial, cookie);

	if (!attempt || attempt->state != HT_ATTEMPT_RUNNING)
		return;
	attempt->state = is_connected ? HT_ATTEMPT_CONNECTED : HT_ATTEMPT_FAILED;
	attempt->done_ns = now_ns;
	attempt->err = err;
	if (is_connected)
		close_dial(dial);
	if (dial->request && !dial->request->is_done) {
		ht_hook_connect_done(dial->request, attempt);
		ht_report_progress(dial->engine, dial->request);
	}
	if (!is_connected)
		settle(dial, now_ns);
}

void ht_dial_failed_call(struct ht_engine *engine, const struct ht_rec_connect_fail *rec)
{
	struct ht_proc *proc = ht_proc_get(engine, rec->hdr.tgid);
	uint64_t start_ns = rec->start_ns ? rec->start_ns : rec->hdr.ts_ns;
	struct ht_dial *dial = proc ? ht_dial_attempt(proc, rec->cookie, &rec->remote, start_ns, rec->hdr.tid) : NULL;

	if (dial)
		ht_dial_attempt_done(dial, rec->cookie, rec->hdr.ts_ns, false, rec->err);
}

static bool is_host(const struct ht_lookup *lookup, const char *host_port)
{
	size_t len = strlen(lookup->host);

	/* RFC 1035 section 2.3.3: names compare in any case. */
	return !strncasecmp(lookup->host, host_port, len) && (!host_port[len] || host_port[len] == ':');
}

/* Another dial has the lookup of that host, which may have been this one's: they are exchanged. */
static bool swap_lookup(struct ht_dial *dial, struct ht_list *dials, const struct ht_conn *winner, const char *host_port)
{
	struct ht_lookup *former = dial->lookup;
	struct ht_dial *other, *next;
	unsigned int n = 0;

	ht_list_each(dials, other, next, node) {
		if (n++ == HT_DIALS_LOOKED_AT)
			return false;
		if (other == dial || other->request || !other->lookup || other->port != dial->port || !is_host(other->lookup, host_port) ||
		    !has_address(other->lookup, &winner->remote) || other->lookup->done_ns > dial->attempts[0].start_ns)
			continue;
		dial->lookup = other->lookup;
		other->lookup = former->done_ns <= other->attempts[0].start_ns ? former : NULL;
		if (!other->lookup)
			free(former);
		return true;
	}
	return false;
}

/*
 * Two names of one address may be looked up at once, by helper threads: then the request's Host tells which answer was the dial's (hooks.md B0). Where no
 * other answer fits, the one that is there stays: a Host field may say what it likes.
 */
static void correct_lookup(struct ht_dial *dial, const struct ht_conn *winner, const char *host_port)
{
	struct ht_lookup *lookup, *next_lookup, *former = dial->lookup;

	if (!former || !host_port || is_host(former, host_port))
		return;
	if (swap_lookup(dial, &dial->proc->closed_dials, winner, host_port) || swap_lookup(dial, &dial->proc->dials, winner, host_port))
		return;
	ht_list_each(&dial->proc->lookups, lookup, next_lookup, node) {
		if (!lookup->done_ns || lookup->done_ns > dial->attempts[0].start_ns || !is_host(lookup, host_port) ||
		    !has_address(lookup, &winner->remote))
			continue;
		ht_list_remove(&lookup->node);
		dial->lookup = lookup;
		ht_list_append(&dial->proc->lookups, &former->node);
		return;
	}
}

void ht_dial_show(const struct ht_dial *dial, struct httptrace_request *request, const char *host_port)
{
	ht_hook_get_conn(request, first_ns(dial), host_port);
	add_dial_hooks(dial, request);
}

void ht_dial_give(struct ht_dial *dial, struct ht_conn *winner, struct httptrace_request *request, const char *host_port)
{
	struct ht_attempt *attempt = ht_dial_find(dial, winner->cookie);

	ht_timer_cancel(&dial->engine->timers, &dial->timer);
	if (!dial->request) {
		correct_lookup(dial, winner, host_port);
		ht_dial_show(dial, request, host_port);
		dial->request = httptrace_request__ref(request);
		dial->winner = winner->cookie;
		close_dial(dial);
	} else if (attempt) {
		/* Two attempts succeeded and both are used: the lookup is the first request's, this attempt the second's own. */
		ht_hook_get_conn(request, attempt->start_ns, host_port);
		ht_hook_connect_start(request, attempt);
		if (attempt->state != HT_ATTEMPT_RUNNING)
			ht_hook_connect_done(request, attempt);
	}
	winner->dial = NULL;
	dial->conn_cnt--;
	ht_dial_leave(dial);
}

void ht_dial_forget(struct ht_dial *dial, uint64_t cookie)
{
	struct ht_attempt *attempt = ht_dial_find(dial, cookie);

	if (attempt && attempt->state == HT_ATTEMPT_RUNNING)
		attempt->state = HT_ATTEMPT_FAILED;
}

void ht_dial_leave(struct ht_dial *dial)
{
	if (dial->conn_cnt || ht_timer_is_set(&dial->timer) || has_attempt_in(dial, HT_ATTEMPT_RUNNING))
		return;
	dial_free(dial);
}

static void tls_verdict(const struct ht_conn *conn, struct verdict *v, char *buf, size_t len)
{
	const struct ht_tls_object *tls = conn->tls;
	const char *name;

	v->outcome = HTTPTRACE_TLS_ERROR;
	v->phase = HTTPTRACE_PHASE_TLS;
	if (tls && tls->err_reason) {
		name = ht_openssl_reason_name(tls->err_lib, tls->err_reason);
		snprintf(buf, len, "LIB_%u_REASON_%u", tls->err_lib, tls->err_reason);
		v->code = name ? name : buf;
		v->message = ht_x509_verify_text(tls->verify_result);
		if (!v->message)
			v->message = "the TLS library refused the handshake";
	} else if (conn->alert_by) {
		name = ht_tls_alert_name(conn->alert);
		snprintf(buf, len, "ALERT_%u", conn->alert);
		v->code = name ? name : buf;
		v->message = conn->alert_by == 2 ? "the server sent a fatal TLS alert" : "the client sent a fatal TLS alert";
	} else if (conn->reset_ns) {
		v->code = "ECONNRESET";
		v->message = "the server reset the connection during the TLS handshake";
	} else if (conn->fin_ns) {
		v->code = "closed";
		v->message = "the server closed the connection during the TLS handshake";
	} else {
		v->outcome = HTTPTRACE_ABORTED;
		v->code = "aborted";
		v->message = "the client gave the TLS handshake up";
	}
}

/* The connection ended within the handshake with a SOCKS proxy, or that refused. */
static void proxy_verdict(const struct ht_conn *conn, struct verdict *v, char *code, size_t code_len, char *message, size_t message_len)
{
	const struct ht_route *route = conn->route;
	char reply[HT_SOCKS_CODE_MAX];
	const char *why = ht_socks_code(route->socks, reply);

	v->outcome = HTTPTRACE_CONNECT_ERROR;
	v->phase = HTTPTRACE_PHASE_CONNECT;
	v->code = code;
	v->message = message;
	if (why) {
		snprintf(code, code_len, "SOCKS_%s", why);
		snprintf(message, message_len, "the proxy refused a connection to %s", route->target[0] ? route->target : "anywhere");
	} else if (conn->reset_ns) {
		v->code = "ECONNRESET";
		v->message = "the proxy reset the connection during the SOCKS handshake";
	} else if (conn->fin_ns) {
		v->code = "closed";
		v->message = "the proxy closed the connection during the SOCKS handshake";
	} else {
		v->outcome = HTTPTRACE_ABORTED;
		v->code = "aborted";
		v->message = "the client gave the SOCKS handshake up";
	}
}

void ht_dial_end(struct ht_dial *dial, struct ht_conn *conn, enum ht_dial_end how, uint64_t now_ns)
{
	struct verdict v = { .outcome = HTTPTRACE_UNUSED, .phase = HTTPTRACE_PHASE_NONE, .end_ns = now_ns };
	bool has_rival = dial->conn_cnt > 1, is_unused = how == HT_DIAL_UNUSED || how == HT_DIAL_UNSEEN;
	char buf[64], message[64 + HT_ROUTE_HOST_PORT_MAX];

	if (how == HT_DIAL_UNSEEN) {
		v.outcome = HTTPTRACE_INCOMPLETE;
		v.code = "incomplete";
		v.message = "what it was used for is among the events that were lost";
	} else if (how == HT_DIAL_TLS_FAILED) {
		tls_verdict(conn, &v, buf, sizeof(buf));
	} else if (how == HT_DIAL_TLS_CUT) {
		v.outcome = HTTPTRACE_INCOMPLETE;
		v.phase = HTTPTRACE_PHASE_TLS;
		v.message = "the end of the TLS handshake was not seen";
	} else if (how == HT_DIAL_PROXY_FAILED) {
		proxy_verdict(conn, &v, buf, sizeof(buf), message, sizeof(message));
	} else if (how == HT_DIAL_PROXY_CUT) {
		v.outcome = HTTPTRACE_INCOMPLETE;
		v.phase = HTTPTRACE_PHASE_CONNECT;
		v.message = "the end of the SOCKS handshake was not seen";
	}
	/* A rival is on its way to be used: what this one did is part of the rival's request. */
	if (!dial->request && (!has_rival || !is_unused))
		report(dial, conn, &v);
	conn->dial = NULL;
	dial->conn_cnt--;
	if (!has_rival && !dial->request)
		ht_timer_cancel(&dial->engine->timers, &dial->timer);
	ht_dial_leave(dial);
}

static void free_all(struct ht_list *dials)
{
	while (!ht_list_is_empty(dials))
		dial_free(ht_container(dials->next, struct ht_dial, node));
}

void ht_dial_flush(struct ht_proc *proc, uint64_t now_ns)
{
	struct ht_lookup *lookup, *next_lookup;
	struct ht_dial *dial, *next;

	ht_list_each(&proc->dials, dial, next, node) {
		if (!dial->request && dial->attempt_cnt && !has_attempt_in(dial, HT_ATTEMPT_CONNECTED))
			report_failed(dial, now_ns);
		dial_free(dial);
	}
	free_all(&proc->closed_dials);
	ht_list_each(&proc->lookups, lookup, next_lookup, node) {
		if (!lookup->done_ns) {
			uint64_t missed = ht_engine_missed(proc->engine, lookup->start_ns, lookup->losses);
			struct verdict v = {
				.outcome = missed || proc->engine->is_ended ? HTTPTRACE_INCOMPLETE : HTTPTRACE_ABORTED,
				.phase = HTTPTRACE_PHASE_DNS,
				.message = missed                   ? "its end may be among the events that were lost"
					   : proc->engine->is_ended ? "tracing ended during the lookup"
								    : "the process ended during the lookup",
				.end_ns = now_ns,
				.lost = missed,
			};

			report_lookup(proc, lookup, &v);
		}
		drop_lookup(proc, lookup);
	}
}

void ht_dial_free_all(struct ht_proc *proc)
{
	free_all(&proc->dials);
	free_all(&proc->closed_dials);
	while (!ht_list_is_empty(&proc->lookups))
		drop_lookup(proc, ht_container(proc->lookups.next, struct ht_lookup, node));
}
