/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * httptrace.h - libhttptrace: the hooks of Go's net/http/httptrace for the HTTP client requests of any process on this machine.
 *
 * A tracer is opened on the live system (root or CAP_BPF + CAP_PERFMON) or on a capture file (no privilege). Callbacks are registered with
 * it and are called from inside httptrace__poll() and httptrace__stop() only, in the thread that calls these. A tracer belongs to one
 * thread at a time; two tracers are independent.
 *
 * Errors: functions return 0 or more, or a negative errno; those that return a pointer return NULL and set errno. httptrace__error() has
 * the sentence. Nothing here prints, exits, or blocks, but for httptrace__poll() (which has a time-out) and httptrace__open() (which loads
 * and attaches, below a second).
 *
 * Structs whose first member is `sz` cross the library's edge both ways: set sz to sizeof(struct ...); they only ever grow at their end.
 * Strings are UTF-8 or the bytes seen on the wire, NUL-terminated; they, and every pointer reached from a callback's arguments, live until
 * that callback returns, or as long as a reference to their request is held (httptrace_request__ref()).
 *
 * Times: nanoseconds of CLOCK_MONOTONIC. HTTPTRACE_UNKNOWN_NS where a time or duration is not known or did not happen.
 * Credentials are redacted in every string that comes out of here, unless httptrace_open_opts.no_redact.
 *
 * Patterns (globs) are those of a shell, for the whole text: `*` any bytes, also '/', `?` one, `[a-z]`, `[!a-z]`; `\` makes the next an
 * ordinary one.
 *
 * Pointers given to a function must not be NULL where nothing else is said. Every function here is there since version 0.1, but for those
 * that say otherwise.
 *
 * The hooks mean what Go's documentation says (https://pkg.go.dev/net/http/httptrace#ClientTrace), seen from outside the process.
 */
#ifndef HTTPTRACE_H
#define HTTPTRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef HTTPTRACE_API
#define HTTPTRACE_API __attribute__((visibility("default")))
#endif

#define HTTPTRACE_VERSION    "0.1.0"
#define HTTPTRACE_UNKNOWN_NS INT64_MIN

struct httptrace;         /* a tracer */
struct httptrace_request; /* a request, or a dial that became none */

/* Yes, no, or not known (the tracer joined too late to see). */
enum httptrace_tristate { HTTPTRACE_NO = 0, HTTPTRACE_YES = 1, HTTPTRACE_NOT_KNOWN = -1 };

/* How a hook is known. */
enum httptrace_how {
	HTTPTRACE_OBSERVED, /* a probe on the event itself */
	HTTPTRACE_PROXY,    /* an event that always comes just before or after it */
	HTTPTRACE_INFERRED, /* by rule, from other events */
};

/* Why something failed. NULL pointers to it mean: it did not. */
struct httptrace_error {
	const char *code;    /* errno's, EAI's or the TLS library's name, "body_not_sent", "timeout", ...; never NULL */
	const char *message; /* a sentence for people; never NULL */
};

/* Name and value as on the wire; value is "[redacted]" for credentials. value NULL: not known. */
struct httptrace_header {
	const char *name;
	const char *value;
};

/* ---- The hooks' arguments ------------------------------------------------------------------------------------------------------------ */

/* Every info begins with this. */
struct httptrace_hook {
	size_t sz;       /* of the info struct, as the library was built */
	int64_t mono_ns; /* when it happened */
	enum httptrace_how how;
};

struct httptrace_get_conn_info {
	struct httptrace_hook hook;
	const char *host_port; /* "host:port"; the proxy's where there is one */
};

struct httptrace_got_conn_info {
	struct httptrace_hook hook;
	enum httptrace_tristate reused;
	enum httptrace_tristate was_idle;
	int64_t idle_ns; /* HTTPTRACE_UNKNOWN_NS unless reused and known */
};

struct httptrace_put_idle_conn_info {
	struct httptrace_hook hook;
	const struct httptrace_error *error;
};

/* GotFirstResponseByte, Got100Continue, TLSHandshakeStart, WroteHeaders, Wait100Continue: no argument */
struct httptrace_plain_info {
	struct httptrace_hook hook;
};

struct httptrace_got_1xx_info {
	struct httptrace_hook hook;
	int code;
	const struct httptrace_header *headers;
	size_t header_cnt;
};

struct httptrace_dns_start_info {
	struct httptrace_hook hook;
	const char *host;
};

struct httptrace_dns_done_info {
	struct httptrace_hook hook;
	const char *const *addrs; /* numeric, in the resolver's order */
	size_t addr_cnt;
	const struct httptrace_error *error;
	bool coalesced;
};

struct httptrace_connect_start_info {
	struct httptrace_hook hook;
	const char *network; /* "tcp", "unix" */
	const char *addr;    /* "127.0.0.1:80", "[::1]:80", "/run/app.sock", "@abstract"; through a proxy it is the proxy's */
};

struct httptrace_connect_done_info {
	struct httptrace_hook hook;
	const char *network;
	const char *addr;
	const struct httptrace_error *error;
};

struct httptrace_tls_handshake_done_info {
	struct httptrace_hook hook;
	const char *version;     /* "TLSv1.3", NULL not known */
	const char *cipher;      /* IANA name, NULL not known */
	const char *alpn;        /* chosen, NULL none or not known */
	const char *server_name; /* SNI, NULL none */
	enum httptrace_tristate resumed;
	const struct httptrace_error *error;
};

struct httptrace_wrote_header_field_info {
	struct httptrace_hook hook;
	const char *key;           /* HTTP/2: also ":method" and its like */
	const char *const *values; /* one that is not known is NULL, and the only one */
	size_t value_cnt;
};

struct httptrace_wrote_request_info {
	struct httptrace_hook hook;
	const struct httptrace_error *error;
};

/* The next three are ours: Go has no such hooks. */
struct httptrace_got_response_headers_info {
	struct httptrace_hook hook;
	int status; /* 0: not known */
};

struct httptrace_got_body_info {
	struct httptrace_hook hook;
	uint64_t bytes; /* of content, without framing, before content decoding */
};

enum httptrace_closer { HTTPTRACE_BY_CLIENT, HTTPTRACE_BY_SERVER, HTTPTRACE_BY_RESET };

struct httptrace_conn_closed_info {
	struct httptrace_hook hook;
	enum httptrace_closer by;
};

/*
 * One function pointer per hook, NULL where not wanted. request: whose hook it is; never NULL. ctx: as registered.
 * A request's hooks are called in canonical order as soon as it is known that they belong to an HTTP request, hence some time after the
 * fact: use hook.mono_ns, not a clock of your own. request_done is the last call for a request, a dial or a WebSocket
 * (httptrace_request__kind() tells them apart).
 */
struct httptrace_client_trace {
	size_t sz;
	void (*get_conn)(struct httptrace_request *request, const struct httptrace_get_conn_info *info, void *ctx);
	void (*got_conn)(struct httptrace_request *request, const struct httptrace_got_conn_info *info, void *ctx);
	void (*put_idle_conn)(struct httptrace_request *request, const struct httptrace_put_idle_conn_info *info, void *ctx);
	void (*got_first_response_byte)(struct httptrace_request *request, const struct httptrace_plain_info *info, void *ctx);
	void (*got_100_continue)(struct httptrace_request *request, const struct httptrace_plain_info *info, void *ctx);
	/*
	 * As in Go's compose every registered function is called; the value is advisory, as a tracer cannot abort the request: it is
	 * ignored.
	 */
	int (*got_1xx_response)(struct httptrace_request *request, const struct httptrace_got_1xx_info *info, void *ctx);
	void (*dns_start)(struct httptrace_request *request, const struct httptrace_dns_start_info *info, void *ctx);
	void (*dns_done)(struct httptrace_request *request, const struct httptrace_dns_done_info *info, void *ctx);
	void (*connect_start)(struct httptrace_request *request, const struct httptrace_connect_start_info *info, void *ctx);
	void (*connect_done)(struct httptrace_request *request, const struct httptrace_connect_done_info *info, void *ctx);
	void (*tls_handshake_start)(struct httptrace_request *request, const struct httptrace_plain_info *info, void *ctx);
	void (*tls_handshake_done)(struct httptrace_request *request, const struct httptrace_tls_handshake_done_info *info, void *ctx);
	void (*wrote_header_field)(struct httptrace_request *request, const struct httptrace_wrote_header_field_info *info, void *ctx);
	void (*wrote_headers)(struct httptrace_request *request, const struct httptrace_plain_info *info, void *ctx);
	void (*wait_100_continue)(struct httptrace_request *request, const struct httptrace_plain_info *info, void *ctx);
	void (*wrote_request)(struct httptrace_request *request, const struct httptrace_wrote_request_info *info, void *ctx);
	void (*got_response_headers)(struct httptrace_request *request, const struct httptrace_got_response_headers_info *info, void *ctx);
	void (*got_body)(struct httptrace_request *request, const struct httptrace_got_body_info *info, void *ctx);
	void (*conn_closed)(struct httptrace_request *request, const struct httptrace_conn_closed_info *info, void *ctx);
	void (*request_done)(struct httptrace_request *request, void *ctx);
};

/* ---- A request, by getters ----------------------------------------------------------------------------------------------------------- */

enum httptrace_kind {
	HTTPTRACE_REQUEST,
	HTTPTRACE_DIAL,      /* a lookup, connect or handshake that failed or was not used, where nothing proves HTTP */
	HTTPTRACE_WEBSOCKET, /* what a connection became behind a request that ended with 101; has no method and no status; its own report */
};

enum httptrace_outcome {
	HTTPTRACE_PENDING, /* not ended yet */
	HTTPTRACE_OK,
	HTTPTRACE_DNS_ERROR,
	HTTPTRACE_CONNECT_ERROR,
	HTTPTRACE_TLS_ERROR,
	HTTPTRACE_TIMEOUT,
	HTTPTRACE_RESET,
	HTTPTRACE_CLOSED,
	HTTPTRACE_ABORTED,
	HTTPTRACE_PROTOCOL_ERROR,
	HTTPTRACE_INCOMPLETE,
	HTTPTRACE_UNUSED,     /* dial only */
	HTTPTRACE_GRPC_ERROR, /* the response is whole, and its grpc-status is another than OK */
};

enum httptrace_phase {
	HTTPTRACE_PHASE_NONE,
	HTTPTRACE_PHASE_DNS,
	HTTPTRACE_PHASE_CONNECT,
	HTTPTRACE_PHASE_TLS,
	HTTPTRACE_PHASE_SEND,
	HTTPTRACE_PHASE_WAIT,
	HTTPTRACE_PHASE_RECEIVE,
};

/*
 * Names as in JSON: "ok", "dns_error", ...; "dns", "connect", ..., "none" for PHASE_NONE; "observed", ...; "request", "dial",
 * "websocket"; "client", "server", "reset". Static strings, never NULL: "unknown" for a value that this version does not have.
 */
HTTPTRACE_API const char *httptrace_outcome__name(enum httptrace_outcome outcome);
HTTPTRACE_API const char *httptrace_phase__name(enum httptrace_phase phase);
HTTPTRACE_API const char *httptrace_how__name(enum httptrace_how how);
HTTPTRACE_API const char *httptrace_kind__name(enum httptrace_kind kind);
HTTPTRACE_API const char *httptrace_closer__name(enum httptrace_closer by);

/*
 * Keeps a request (all its strings) alive beyond the callback, also beyond the tracer. Returns request. Each ref needs its unref; both from
 * the tracer's thread; NULL is allowed. The last unref frees it.
 */
HTTPTRACE_API struct httptrace_request *httptrace_request__ref(struct httptrace_request *request);
HTTPTRACE_API void httptrace_request__unref(struct httptrace_request *request);

/*
 * The getters tell what is known so far; all is there in request_done. Strings, arrays and structs that they return belong to the request
 * and live as long as it does. None of them fails but where that is said.
 */
HTTPTRACE_API enum httptrace_kind httptrace_request__kind(const struct httptrace_request *request);
/* A number that no other request of this tracer has, from 1. */
HTTPTRACE_API uint64_t httptrace_request__id(const struct httptrace_request *request);
/* The process, by its number in the initial pid namespace; 0 not known. */
HTTPTRACE_API pid_t httptrace_request__pid(const struct httptrace_request *request);
/* The thread that wrote the request, or dialled; 0 not known. */
HTTPTRACE_API pid_t httptrace_request__tid(const struct httptrace_request *request);
/* Process name and executable, NULL not known. */
HTTPTRACE_API const char *httptrace_request__comm(const struct httptrace_request *request);
HTTPTRACE_API const char *httptrace_request__exe(const struct httptrace_request *request);
/*
 * First hook's time in nanoseconds of CLOCK_MONOTONIC, and the same instant in nanoseconds since the Unix epoch (UTC); HTTPTRACE_UNKNOWN_NS
 * if there is no hook yet.
 */
HTTPTRACE_API int64_t httptrace_request__mono_ns(const struct httptrace_request *request);
HTTPTRACE_API int64_t httptrace_request__realtime_ns(const struct httptrace_request *request);
/* NULL where not known. url is absolute, with its query redacted. host_port: of dials and requests: where to. */
HTTPTRACE_API const char *httptrace_request__method(const struct httptrace_request *request);
HTTPTRACE_API const char *httptrace_request__url(const struct httptrace_request *request);
HTTPTRACE_API const char *httptrace_request__host_port(const struct httptrace_request *request);
/* "1.0", "1.1", "2"; NULL not known. Of a WebSocket: of the request that asked for it. */
HTTPTRACE_API const char *httptrace_request__http(const struct httptrace_request *request);
/* Final status, 0 not known. */
HTTPTRACE_API int httptrace_request__status(const struct httptrace_request *request);
HTTPTRACE_API enum httptrace_outcome httptrace_request__outcome(const struct httptrace_request *request);
/* NULL if and only if the outcome is OK (or UNUSED, or still PENDING); phase says where. */
HTTPTRACE_API const struct httptrace_error *httptrace_request__error(const struct httptrace_request *request);
HTTPTRACE_API enum httptrace_phase httptrace_request__error_phase(const struct httptrace_request *request);
/* Did tracing end while it still ran: a response, or a WebSocket, that had not ended? Its outcome is INCOMPLETE then. */
HTTPTRACE_API bool httptrace_request__is_open(const struct httptrace_request *request);
/* How many lost events this request may have been touched by. */
HTTPTRACE_API uint64_t httptrace_request__lost(const struct httptrace_request *request);

/* Where the time went; each HTTPTRACE_UNKNOWN_NS where it did not happen or is not known. */
struct httptrace_timings {
	size_t sz;
	int64_t blocked_ns;
	int64_t dns_ns;
	int64_t connect_ns;
	int64_t tls_ns; /* the handshake; with an https proxy both, without the CONNECT between them */
	int64_t send_ns;
	int64_t wait_ns;
	int64_t receive_ns;
	int64_t total_ns;
};
/* Fills timings, as much of it as its sz, set by the caller, says. 0; -EINVAL where sz is not set or timings NULL. */
HTTPTRACE_API int httptrace_request__timings(const struct httptrace_request *request, struct httptrace_timings *timings);

struct httptrace_tls {
	size_t sz;
	const char *library; /* "openssl", NULL not known */
	const char *version; /* "TLSv1.3", NULL not known */
	const char *cipher;
	const char *alpn;
	const char *server_name;
	enum httptrace_tristate resumed;
	const char *bound_by; /* "nested", "fd", "bytes": the evidence that joins TLS object and socket; NULL not bound */
};

/* What the connection was made through; GetConn's host_port and ConnectStart's addr are its. */
struct httptrace_proxy {
	size_t sz;
	const char *type;    /* "http", "https" (TLS to the proxy itself), "socks4", "socks5"; NULL not known */
	const char *address; /* "127.0.0.1:3128", NULL not known */
	int status;          /* of the answer to CONNECT; 0: not known, or there is none (SOCKS, a target in absolute-form) */
};

struct httptrace_conn {
	size_t sz;
	const char *id;     /* "c-17" */
	const char *local;  /* "127.0.0.1:40000"; NULL not known, and of a Unix socket */
	const char *remote; /* also "/run/app.sock", "@abstract" */
	enum httptrace_tristate reused;
	enum httptrace_tristate was_idle;
	int64_t idle_ns;
	uint64_t request_index;              /* this request is the connection's n-th that was seen, from 1; 0: none */
	const struct httptrace_tls *tls;     /* NULL: in clear */
	uint64_t stream_id;                  /* of HTTP/2; 0: none */
	const struct httptrace_proxy *proxy; /* NULL: none that is known */
};
/* The connection, NULL if there was none (a lookup that failed). */
HTTPTRACE_API const struct httptrace_conn *httptrace_request__conn(const struct httptrace_request *request);

/*
 * What was sent and received. is_known false: nothing of it is. headers_complete false: some are missing, or their values are not known.
 * header_bytes as on the wire (HTTP/2: of the head's block, compressed), body_bytes without framing; -1: not known. HTTP/2's pseudo-header
 * fields are not among the headers: method, URL and status tell them.
 */
struct httptrace_message {
	size_t sz;
	bool is_known;
	bool headers_complete;
	const struct httptrace_header *headers;
	size_t header_cnt;
	int64_t header_bytes;
	int64_t body_bytes;
	/*
	 * From where the header fields are known. NULL: from the bytes of the connection. "nghttp2": as the program gave them to libnghttp2, since what they
	 * were compressed with had passed before tracing began.
	 */
	const char *source;
};
HTTPTRACE_API const struct httptrace_message *httptrace_request__sent(const struct httptrace_request *request);
HTTPTRACE_API const struct httptrace_message *httptrace_request__received(const struct httptrace_request *request);

/* A gRPC call, as its path, its messages and its trailers tell. Strings NULL, numbers -1, where not known. */
struct httptrace_grpc {
	size_t sz;
	const char *service; /* "package.Service" */
	const char *method;  /* "Method" */
	const char *status;  /* "OK", "NOT_FOUND", ...; NULL also for a code that has no name */
	int status_code;
	const char *message; /* grpc-message, decoded */
	int64_t messages_sent;
	int64_t messages_received;
};
/* NULL: not gRPC. */
HTTPTRACE_API const struct httptrace_grpc *httptrace_request__grpc(const struct httptrace_request *request);

/* What went over a WebSocket (RFC 6455). */
struct httptrace_websocket {
	size_t sz;
	int64_t frames_sent; /* by the client; all of them: text, binary, continuation, control. -1 not known */
	int64_t frames_received;
	int close_code;                  /* of the first Close frame; 1005: it has none; 0: not known, or no such frame was seen */
	bool is_closed;                  /* the connection was closed, or either side sent Close, while it was traced */
	enum httptrace_closer closed_by; /* who was first; where is_closed */
};
/* NULL but for reports of kind HTTPTRACE_WEBSOCKET. */
HTTPTRACE_API const struct httptrace_websocket *httptrace_request__websocket(const struct httptrace_request *request);

enum httptrace_hook_id {
	HTTPTRACE_GET_CONN,
	HTTPTRACE_DNS_START,
	HTTPTRACE_DNS_DONE,
	HTTPTRACE_CONNECT_START,
	HTTPTRACE_CONNECT_DONE,
	HTTPTRACE_TLS_HANDSHAKE_START,
	HTTPTRACE_TLS_HANDSHAKE_DONE,
	HTTPTRACE_GOT_CONN,
	HTTPTRACE_WROTE_HEADER_FIELD,
	HTTPTRACE_WROTE_HEADERS,
	HTTPTRACE_WAIT_100_CONTINUE,
	HTTPTRACE_WROTE_REQUEST,
	HTTPTRACE_GOT_FIRST_RESPONSE_BYTE,
	HTTPTRACE_GOT_100_CONTINUE,
	HTTPTRACE_GOT_1XX_RESPONSE,
	HTTPTRACE_GOT_RESPONSE_HEADERS,
	HTTPTRACE_GOT_BODY,
	HTTPTRACE_PUT_IDLE_CONN,
	HTTPTRACE_CONN_CLOSED,
	HTTPTRACE_HOOK_CNT,
};
/*
 * Go's name of the hook ("GetConn"), a static string, "unknown" for an id that this version does not have; and whether it is one of ours
 * that Go lacks.
 */
HTTPTRACE_API const char *httptrace_hook__name(enum httptrace_hook_id id);
HTTPTRACE_API bool httptrace_hook__is_ext(enum httptrace_hook_id id);

/*
 * The request's hooks so far, in canonical order: how many, and the n-th from 0. What is returned is the hook's own info struct, to be cast
 * by *id (id may be NULL); NULL and errno ENOENT past the end.
 */
HTTPTRACE_API size_t httptrace_request__hook_cnt(const struct httptrace_request *request);
HTTPTRACE_API const struct httptrace_hook *httptrace_request__hook(const struct httptrace_request *request, size_t n,
								   enum httptrace_hook_id *id);

/*
 * The composed trace that applies to the request, as Go's ContextClientTrace() gives it: each member calls that member of every
 * registration that applies, newest first (its ctx is not looked at: each gets its own), and is NULL where none has it. got_1xx_response
 * returns what the first to return not 0 did.
 * Inside a callback it includes that callback: one that calls the member it was itself called by does so without end.
 *
 * NULL and errno ENOENT where nothing applies, before the first hook was called, and when the last request_done has returned; ENOMEM. The
 * struct lives as long as the request; once the last request_done has returned its members do nothing. A registration taken back in the
 * meantime is not called.
 *
 * It may be registered like any other: its pointers are copied, and what it calls, which is called by its own registration, is not called
 * twice.
 */
HTTPTRACE_API const struct httptrace_client_trace *httptrace_request__trace(struct httptrace_request *request);

/* ---- Notices: what a tracer tells besides requests ----------------------------------------------------------------------------------- */

enum httptrace_notice_kind {
	HTTPTRACE_NOTICE_LOST,    /* count events were lost at `where` */
	HTTPTRACE_NOTICE_TARGET,  /* a process or library was attached, detached, or refused and why */
	HTTPTRACE_NOTICE_SUMMARY, /* the last one: counters */
};

struct httptrace_counter {
	const char *name;
	uint64_t count;
};

struct httptrace_notice {
	size_t sz;
	enum httptrace_notice_kind kind;
	int64_t mono_ns;
	/* LOST */
	uint64_t count;
	const char *where;
	/* TARGET */
	const char *action; /* "attached", "detached", "refused" */
	const char *target; /* "process", "library", "kernel" */
	pid_t pid;          /* 0: all */
	const char *path;   /* NULL none */
	const char *reason; /* NULL none */
	unsigned int probe_cnt;
	/* SUMMARY */
	uint64_t requests;
	uint64_t dials;
	uint64_t events;
	int64_t duration_ns;
	const struct httptrace_counter *lost; /* by place */
	size_t lost_cnt;
	const struct httptrace_counter *skipped; /* "unbound", "not_http", "opaque_tls", ... */
	size_t skipped_cnt;
	uint64_t websockets; /* SUMMARY, too */
};
typedef void (*httptrace_notice_fn)(const struct httptrace_notice *notice, void *ctx);

/* ---- The tracer ---------------------------------------------------------------------------------------------------------------------- */

enum httptrace_log_level { HTTPTRACE_LOG_WARN, HTTPTRACE_LOG_INFO, HTTPTRACE_LOG_DEBUG };
typedef void (*httptrace_log_fn)(enum httptrace_log_level level, const char *text, void *ctx);

enum httptrace_dials { HTTPTRACE_DIALS_AUTO, HTTPTRACE_DIALS_ALL, HTTPTRACE_DIALS_NONE };

/*
 * Where probes in libraries sit. CHEAP: on instructions that cost the process some ten times less, wherever it is proven that the probe sees
 * the same there. ENTRY: on the first instructions of the public functions only.
 */
enum httptrace_probe_sites { HTTPTRACE_PROBE_SITES_CHEAP, HTTPTRACE_PROBE_SITES_ENTRY };

struct httptrace_open_opts {
	size_t sz;
	const pid_t *pids; /* trace these processes; pid_cnt 0: the whole system. Live only. */
	size_t pid_cnt;
	bool no_follow;  /* without their later children */
	bool no_redact;  /* show credentials */
	bool no_headers; /* leave out WroteHeaderField and the lists of fields: cheaper */
	enum httptrace_dials dials;
	size_t ring_bytes;       /* power of two, 0 = default */
	unsigned int head_bytes; /* largest head captured whole, 0 = 16 KiB */
	int write_fd;            /* capture the raw event stream into this fd (kept by the caller); 0 or less: no. */
	httptrace_log_fn log;    /* NULL: silent */
	void *log_ctx;
	httptrace_notice_fn notice; /* NULL: not wanted */
	void *notice_ctx;
	/*
	 * Live only: trace the processes that match, now or later, beside pids and their children; those that match both where both are
	 * given. Who has matched once stays traced. comm: a glob for the process name (at most 15 bytes, as the kernel has it). cgroup: a
	 * path below a cgroup mount ("system.slice/cron.service") or the whole of it ("/sys/fs/cgroup/..."): the processes in it and in
	 * those below. NULL: not asked for.
	 */
	const char *comm;
	const char *cgroup;
	enum httptrace_probe_sites probe_sites; /* live only */
	unsigned int reserved;                  /* 0; the place of a later option */
	/*
	 * Live only: called once, in the caller's thread, when all that runs now is attached and before the library has a thread of its own:
	 * capabilities that are given up here are given up in its threads, too. From then on it needs CAP_BPF and CAP_PERFMON for probes in
	 * processes and libraries that come later, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH and CAP_CHECKPOINT_RESTORE for those of other users and
	 * for deleted files. It does not give up any by itself. Calls nothing of the library. NULL: not wanted.
	 */
	void (*attached)(void *ctx);
	void *attached_ctx;
	/* Live only: a file with the kernel's type information (BTF), for kernels that have none of their own. NULL: the kernel's. */
	const char *btf;
	/* Live only, for tests: names of features, comma-separated, to be taken as missing in the kernel. NULL: none. */
	const char *without;
	/*
	 * Live only: by what the kernel is asked for socket events: "tp_btf" (typed tracepoints), "fentry" (programs at functions' entry and exit),
	 * "kprobe". NULL: the first of them that it takes.
	 */
	const char *backend;
};

/* The version of the library that is in use, as HTTPTRACE_VERSION is that of the header. A static string. */
HTTPTRACE_API const char *httptrace__version(void);

/*
 * Loads and attaches. opts may be NULL: the whole system. What opts points to may go when it returns, but for the contexts and write_fd.
 * Caller closes. On failure NULL, httptrace__open_error() has the sentence, and errno: EINVAL (opts), EPERM (a capability is missing, and
 * named), ESRCH (no such process), ENOENT (no such cgroup), ENOMEM, or what the kernel said.
 */
HTTPTRACE_API struct httptrace *httptrace__open(const struct httptrace_open_opts *opts);
/* Reads a capture file instead; needs no privilege. The same of errno: EBADMSG (not a capture), or as open(2) says. */
HTTPTRACE_API struct httptrace *httptrace__open_file(const char *path, const struct httptrace_open_opts *opts);
/*
 * One line: what failed, on what, why, what to do next; of the calling thread's last failed open. Never NULL; valid until that thread's
 * next.
 */
HTTPTRACE_API const char *httptrace__open_error(void);
/* The same, of this tracer's last failed call, "" if the last call did not fail. Never NULL; valid until the next call. */
HTTPTRACE_API const char *httptrace__error(const struct httptrace *tracer);

/*
 * Registers a set of hooks: the pointers are copied, the newest registration is called first, as by Go's WithClientTrace(); each is called
 * with its own ctx. The same set may be registered more than once, and is called as often. Returns its id (from 1); -EINVAL (trace is NULL,
 * or its sz is not set, or what is beyond this version's struct is not zero), -ENOMEM.
 * It applies to requests whose first hook is delivered after the call. May be called from inside a callback.
 */
HTTPTRACE_API int httptrace__register(struct httptrace *tracer, const struct httptrace_client_trace *trace, void *ctx);

/*
 * Which requests a registration is for: those that have all that is given. 0 or NULL: any. What is not known of a request is had by none.
 * Whether it applies is decided once, when the request is identified, that is before its first hook is delivered: by what a request's head
 * says, too.
 */
struct httptrace_filter {
	size_t sz;
	pid_t pid;
	const char *comm; /* glob: the process's name */
	const char *
		cgroup; /* as httptrace_open_opts.cgroup: the process was in it when it began, or last executed a program. Live tracers only. */
	const char *
		host; /* glob, of any case: the host of the URL or of host_port, without or with its port: "*.example.com", "localhost:8080" */
	const char *method; /* a list of globs, of any case: "GET,P*". No dial and no WebSocket has one. */
	const char *path;   /* glob: the URL's path without its query: "/api/" and so on. No dial has one. */
};
/*
 * Registers for requests that pass the filter, which is copied; NULL: all. As httptrace__register(), and: -ENOENT (there is no such
 * cgroup), -EOPNOTSUPP (a capture does not tell cgroups), -ENOSPC (more than 32 registrations name a cgroup).
 */
HTTPTRACE_API int httptrace__register_filtered(struct httptrace *tracer, const struct httptrace_client_trace *trace,
					       const struct httptrace_filter *filter, void *ctx);
/*
 * Takes a registration back, also from inside a callback, its own or another's: when it returns none of its functions is called any more,
 * not even for requests that it was called for. 0, -ENOENT (there is none of this id, or it was taken back), -EINVAL (tracer is NULL).
 */
HTTPTRACE_API int httptrace__unregister(struct httptrace *tracer, int id);

/*
 * Handles events for up to timeout_ms (-1: until something was reported). Returns requests, dials and WebSockets that ended during the call,
 * 0 at time-out, -ENODATA when there will be no more (end of file; every traced process has ended), -EINTR (a signal; nothing is lost),
 * -EBUSY (called from inside a callback), -EINVAL (tracer is NULL), or another -errno: events cannot be read, or the capture not be written.
 */
HTTPTRACE_API int httptrace__poll(struct httptrace *tracer, int timeout_ms);
/* An fd, the tracer's, for poll(2) and the like: readable when httptrace__poll() has work; -1 for files. -EINVAL where tracer is NULL. */
HTTPTRACE_API int httptrace__fd(const struct httptrace *tracer);
/*
 * Ends tracing: what is pending is delivered, open requests end as incomplete, the summary is told. Idempotent. Returns as poll, but not
 * -ENODATA.
 */
HTTPTRACE_API int httptrace__stop(struct httptrace *tracer);
/* Stops if need be, detaches, frees; not from inside a callback, where it does nothing. NULL is allowed. */
HTTPTRACE_API void httptrace__close(struct httptrace *tracer);

/* ---- Reports that need no tracer ----------------------------------------------------------------------------------------------------- */

typedef void (*httptrace_line_fn)(const char *line, void *ctx);
/*
 * What would be probed with these options (NULL: the whole system), and why something would not; line by line, attaching nothing. line is
 * valid during the call. 0; -EINVAL (fn is NULL, opts; then httptrace__open_error() has the sentence), -ENOENT (no such cgroup), -ENOMEM.
 */
HTTPTRACE_API int httptrace__targets(const struct httptrace_open_opts *opts, httptrace_line_fn fn, void *ctx);
/* What the kernel offers, which backend each hook uses, which hooks are unavailable and why; as above. 0; -EINVAL (fn is NULL). */
HTTPTRACE_API int httptrace__features(httptrace_line_fn fn, void *ctx);
/* The same with options that change it; opts may be NULL. */
HTTPTRACE_API int httptrace__features_with(const struct httptrace_open_opts *opts, httptrace_line_fn fn, void *ctx);

/* number: CAP_*, of capabilities(7); name: of what is needed, which CAP_SYS_ADMIN may stand for; why: what for. Valid during the call. */
typedef void (*httptrace_capability_fn)(unsigned int number, const char *name, const char *why, void *ctx);
/*
 * Those of the calling thread's capabilities that a live trace with these options (NULL: as above) uses once all that runs is attached: who gives
 * up the others, best from `attached`, keeps these. Its effective ones are others for a moment: what perf events need is tried. 0; -EINVAL (fn is NULL,
 * opts), or another -errno.
 */
HTTPTRACE_API int httptrace__capabilities(const struct httptrace_open_opts *opts, httptrace_capability_fn fn, void *ctx);

#ifdef __cplusplus
}
#endif

#endif
