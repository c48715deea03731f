/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * model.h - what the engine knows of the world: processes, lookups, dials, connections, TLS objects. Data only; each has a file that changes it.
 *
 * Ownership: the engine's maps own processes, connections and TLS objects; a process owns its lookups and dials; a connection owns its exchange, and
 * its TLS object once the program has freed that. Pointers between them are cleared by whoever frees the one pointed to.
 */
#ifndef HT_MODEL_H
#define HT_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/event.h"
#include "conn/engine.h"
#include "httptrace.h"
#include "proto/tls_hello.h"
#include "util/list.h"
#include "util/map.h"
#include "util/timer.h"

#define HT_MS 1000000ull

/*
 * Bounds. A full table evicts its oldest entry, counted in struct ht_engine_counts; of processes, connections and TLS objects the one that has not
 * been heard of for longest, since the table was a quarter full.
 */
#define HT_MAX_PROCS       32768
#define HT_MAX_CONNS       65536
#define HT_MAX_TLS_OBJECTS 65536
#define HT_MAX_DIALS       65536 /* one for each connection that has carried no request yet */
#define HT_MAX_LOOKUPS     32    /* per process, answers that no dial has used yet */
#define HT_MAX_ATTEMPTS    16    /* per dial */
#define HT_MAX_SPOKEN      256   /* host:port pairs remembered per process */
#define HT_MAX_SPOKEN_ANY  16384 /* address:port pairs remembered of all */
/* Of the dials of a process so many are looked at for one that a further attempt continues (the newest), or that has another's lookup. */
#define HT_DIALS_LOOKED_AT 1024

/* An answer older than this serves no dial any more: resolvers' and clients' caches (curl: 60 s). */
#define HT_LOOKUP_LIFE_NS (60000 * HT_MS)
/*
 * How long after its last failed attempt a dial may still get another attempt (next address, other family) before it is reported. Happy eyeballs
 * starts the second family within 200 to 300 ms (RFC 8305 section 5: 250 ms).
 */
#define HT_DIAL_WAIT_NS   (300 * HT_MS)
/*
 * A loss shows with the next record of its CPU, which may come behind the end of what it touched: who ends without an answer this soon after another
 * loss may have lost it.
 */
#define HT_LOSS_NEAR_NS   (1000 * HT_MS)
/* After a reset the program may still read what had arrived before; and records of other CPUs may come later than the close. */
#define HT_CLOSED_WAIT_NS (50 * HT_MS)

struct ht_exchange;
struct ht_route;
struct ht_h2_submits;

struct ht_lookup {
	struct ht_list node; /* in its process, newest last; in no list once a dial has it */
	uint64_t call_id;
	uint64_t start_ns;
	uint64_t done_ns; /* 0: still running */
	uint32_t tid;
	int32_t eai;
	int32_t sys_errno;
	uint64_t losses; /* of the engine, when it began */
	char host[HT_DNS_HOST_MAX + 1];
	char service[HT_DNS_SERVICE_MAX + 1];
	unsigned int addr_cnt;
	struct ht_addr addrs[HT_DNS_ADDR_MAX];
};

enum ht_attempt_state { HT_ATTEMPT_RUNNING, HT_ATTEMPT_CONNECTED, HT_ATTEMPT_FAILED };

/* One connect call of a dial. */
struct ht_attempt {
	uint64_t cookie;
	struct ht_addr remote;
	char *path; /* owned: of a Unix socket, whose remote is made of it (util/names.h); else NULL */
	uint64_t start_ns;
	uint64_t done_ns;
	bool is_done_inferred; /* by the first thing done on the connection */
	enum ht_attempt_state state;
	int err;      /* positive errno; 0 with FAILED: not known */
	bool is_told; /* its ConnectDone was handed to a request */
};

/* The way to a connection: a lookup and the attempts that followed it, until a request takes it or it is reported as it is. */
struct ht_dial {
	struct ht_list node;  /* in its process */
	struct ht_list order; /* in the engine, the first to go first */
	struct ht_engine *engine;
	struct ht_proc *proc;
	struct ht_lookup *lookup;    /* owned; NULL: none */
	struct ht_attempt *attempts; /* first, or owned */
	struct ht_attempt first;
	unsigned int attempt_cnt;
	unsigned int attempt_cap;
	uint64_t losses; /* of the engine, when it began */
	uint32_t tid;
	uint16_t port;
	unsigned int conn_cnt;             /* connections that point here */
	struct httptrace_request *request; /* that took it: a late attempt's end goes there; a reference is held */
	uint64_t winner;                   /* cookie of the connection that the request uses */
	struct ht_timer timer;
};

struct ht_proc {
	uint32_t tgid;
	struct ht_engine *engine;
	struct ht_list order; /* in the engine, the first to go first */
	uint64_t start_ns;    /* when it began, by the kernel; 0 not known */
	uint64_t probed_ns;   /* when its libraries were attached, 0 not told */
	char comm[17];
	char *exe; /* NULL: not known */
	struct ht_list lookups;
	unsigned int lookup_cnt;
	struct ht_list dials;        /* under way: a further attempt may join */
	struct ht_list closed_dials; /* connected, or a request's */
	struct ht_list conns;
	struct ht_list tls_objects;
	struct ht_h2_submits *submits; /* owned; NULL: none was told (req/h2_submit.h) */
	/* Hashes of "host:port" to which it has spoken HTTP. A ring, once it has grown to HT_MAX_SPOKEN. */
	uint64_t *spoken;
	unsigned int spoken_cnt;
	unsigned int spoken_cap;
};

enum ht_conn_kind {
	HT_CONN_UNDECIDED, /* no byte seen yet */
	HT_CONN_HTTP1,
	HT_CONN_TLS,
	HT_CONN_HTTP2,  /* in clear */
	HT_CONN_SOCKS,  /* the handshake with a SOCKS proxy */
	HT_CONN_TUNNEL, /* behind a CONNECT or a SOCKS handshake: what follows decides again */
	HT_CONN_OTHER,  /* not HTTP */
};

struct ht_conn {
	uint64_t cookie;
	uint64_t number; /* of its id */
	struct ht_engine *engine;
	struct ht_proc *proc;
	struct ht_list node;  /* in its process */
	struct ht_list order; /* in the engine, the first to go first */
	struct ht_dial *dial; /* until its first request took it, or NULL */
	struct ht_addr local;
	struct ht_addr remote;
	char *path; /* owned: of a Unix socket, where it is known; else NULL */
	enum ht_conn_kind kind;
	bool is_whole; /* its SYN_SENT was seen: nothing is missing before */
	bool is_closed;
	uint32_t tid;
	uint64_t start_ns;
	uint64_t connected_ns;
	uint64_t fin_ns;   /* server's FIN arrived, 0 none */
	uint64_t reset_ns; /* server's RST arrived, 0 none */
	uint64_t losses;   /* of the engine, when it began */
	bool is_end_seen;  /* its socket told its end, with what it had lost until then */
	bool has_sent;     /* by what its end told */
	bool has_lost;     /* records of its socket were lost */
	uint64_t lost;     /* events about it that are missing and not yet laid to a request */
	int sock_err;
	uint64_t requests;         /* seen on it */
	uint64_t last_end_ns;      /* of the last response, 0 none or not known */
	struct ht_hello *hello[2]; /* by direction */
	uint64_t hello_off[2];
	uint64_t hello_ns[2];                 /* first byte of each */
	struct ht_client_hello *client_hello; /* owned, NULL not known */
	struct ht_server_hello *server_hello;
	uint8_t alert_by; /* 1 client's, 2 server's: a fatal alert in clear; 0 none */
	uint8_t alert;
	bool is_alert_next[2]; /* the piece before was the bare header of an alert record */
	struct ht_tls_object *tls;
	struct ht_route *route;       /* owned; NULL: no proxy is known */
	uint64_t begin_off[2];        /* by direction: where what it carries now begins in the stream that carries it (not in TLS) */
	struct ht_exchange *exchange; /* owned; in clear, or in TLS where tls is set */
	struct ht_timer timer;        /* after its end: until the program has read what had arrived, and late records have come */
};

enum ht_handshake { HT_HANDSHAKE_UNSEEN, HT_HANDSHAKE_RUNNING, HT_HANDSHAKE_DONE, HT_HANDSHAKE_FAILED };

struct ht_tls_object {
	uint64_t id;
	struct ht_engine *engine;
	uint32_t tgid;
	struct ht_list order;        /* in the engine, the first to go first */
	struct ht_list node;         /* in its process, if that is known */
	struct ht_conn *conn;        /* bound to; NULL unbound or the connection is gone */
	struct ht_tls_object *outer; /* of an HTTPS proxy that is reached through another one: that one's */
	uint8_t evidence;            /* HT_BIND_* */
	uint16_t library;
	enum ht_handshake handshake;
	uint64_t start_ns;
	uint64_t done_ns;
	uint32_t err_lib, err_reason, verify_result;
	char alpn[32];
	char server_name[HT_HELLO_NAME_MAX];
	bool is_unbound_told;
	bool is_ignored; /* its plaintext is not HTTP */
	bool is_freed;   /* the program freed it: its connection owns it now */
};

struct ht_engine_counts {
	uint64_t events;
	uint64_t requests;
	uint64_t dials;
	uint64_t websockets;
	uint64_t unbound;       /* TLS objects whose plaintext has no socket */
	uint64_t http2;         /* connections */
	uint64_t http2_skipped; /* of them: nothing could be made of what they sent */
	uint64_t not_http;      /* client connections of another protocol */
	uint64_t opaque_tls;    /* TLS connections of a library that is not traced */
	uint64_t tunnels;       /* through proxies: CONNECTs that succeeded, SOCKS requests that were granted */
	uint64_t upgraded;      /* responses 101, whatever they led to */
	uint64_t unsolicited;   /* responses without a request */
	uint64_t dials_hidden;  /* by the dials option */
	uint64_t evicted;       /* the sum of those that follow */
	uint64_t evicted_procs;
	uint64_t evicted_conns;
	uint64_t evicted_tls_objects;
	uint64_t evicted_dials;
	uint64_t evicted_lookups; /* answers young enough to be used */
	uint64_t evicted_spoken;
	uint64_t evicted_pipelines; /* connections given up for too many requests under way */
	uint64_t evicted_held;      /* receives that waited for their request, and found no room */
	uint64_t hooks_dropped;
	uint64_t out_of_memory;
};

#define HT_SUMMARY_MAX       32
/* Counters that the source tells (HT_REC_COUNT): further names are dropped. */
#define HT_SOURCE_COUNTS_MAX 8

struct ht_engine {
	struct ht_engine_opts opts;
	const struct ht_engine_ops *ops;
	void *ctx;
	struct ht_timers timers;
	struct ht_map procs;
	struct ht_map conns;
	struct ht_map tls_objects;
	struct ht_list proc_order, conn_order, tls_order, dial_order;
	size_t dial_cnt;
	struct ht_map spoken;  /* hashes of "address:port" where anybody spoke HTTP; values unused */
	uint64_t *spoken_ring; /* the same, oldest at spoken_at once it is full; HT_MAX_SPOKEN_ANY, allocated with the first */
	size_t spoken_at;
	uint64_t next_request;
	uint64_t next_conn;
	int64_t realtime_offset_ns;
	uint64_t losses;        /* events lost so far, anywhere */
	uint64_t probed_ns;     /* when a library was last attached for all; 0 not told */
	uint64_t loss_ns;       /* when the last of them was told */
	uint64_t loss_until_ns; /* until then some are known to be lost, that will be told then */
	bool is_filtered;
	bool is_ended;
	struct ht_engine_counts counts;
	struct ht_rec_count source_counts[HT_SOURCE_COUNTS_MAX];
	size_t source_count_cnt;
	struct httptrace_counter summary[HT_SUMMARY_MAX];
};

/* An entry was heard of: it is the last to go. order is one of the engine's; below a quarter of the bound there is no need to keep it. */
static inline void ht_engine_heard(struct ht_engine *engine, struct ht_list *order, struct ht_list *node, size_t cnt, size_t max)
{
	if (cnt < max / 4 || engine->is_ended)
		return;
	ht_list_remove(node);
	ht_list_append(order, node);
}

/*
 * How many events that something begun at begin_ns, when engine->losses was losses, may miss because they were lost, wherever; 0 none. A loss that is under
 * way counts as one until it has been told.
 */
static inline uint64_t ht_engine_missed(const struct ht_engine *engine, uint64_t begin_ns, uint64_t losses)
{
	if (engine->losses > losses)
		return engine->losses - losses;
	return engine->loss_until_ns && engine->loss_until_ns >= begin_ns;
}

/* Counts an eviction: which is a member of engine->counts. */
static inline void ht_engine_evicted(struct ht_engine *engine, uint64_t *which)
{
	engine->counts.evicted++;
	(*which)++;
}

/* One line for -v; formats only when somebody listens. */
void ht_engine_log(struct ht_engine *engine, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
