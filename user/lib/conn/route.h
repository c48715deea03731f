/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * route.h - how a connection leads through a proxy: a CONNECT that succeeded, a SOCKS handshake, or a target in absolute-form (hooks.md C13, 13b, 13d).
 *
 * Where one proxy is reached through another, type, status and host_port are the first one's, target the last one's.
 *
 * Ownership: the connection owns its route, and the route the TLS object of an HTTPS proxy once the program has freed that. What is in here outlives the
 * dial, as every request of a kept connection tells its proxy.
 */
#ifndef HT_ROUTE_H
#define HT_ROUTE_H

#include "conn/model.h"
#include "proto/socks.h"

/* A name, a colon, a port. */
#define HT_ROUTE_HOST_PORT_MAX (HT_DNS_HOST_MAX + 16)

enum ht_proxy_type { HT_PROXY_HTTP, HT_PROXY_HTTPS, HT_PROXY_SOCKS4, HT_PROXY_SOCKS5 };

/* The handshake with an HTTPS proxy, as far as it is known. */
struct ht_proxy_tls {
	uint64_t start_ns; /* 0: not seen */
	uint64_t done_ns;
	enum httptrace_how how; /* start_ns */
	const char *version;    /* static, NULL not known */
	uint16_t cipher;        /* 0 not known */
	enum httptrace_tristate resumed;
	char alpn[32];
	char server_name[HT_HELLO_NAME_MAX];
};

struct ht_route {
	enum ht_proxy_type type;
	int status;                             /* of the answer to CONNECT, 0 none */
	bool is_tunnel;                         /* all that passes now is between the client and the target */
	bool is_wrapped;                        /* inside the proxy's TLS: the socket's bytes tell nothing of the tunnel */
	uint64_t begin_ns;                      /* of CONNECT or SOCKS, where it has no dial of its own to begin with; else 0 */
	uint64_t open_ns;                       /* the tunnel was granted */
	char host_port[HT_ROUTE_HOST_PORT_MAX]; /* the proxy, as GetConn has it */
	char target[HT_ROUTE_HOST_PORT_MAX];    /* "host:port", empty not known */
	struct ht_tls_object *tls;              /* the (last) proxy's, while it is there; its plaintext is what the tunnel carries */
	struct ht_proxy_tls proxy_tls;
	struct ht_socks *socks; /* while the handshake is under way */
	uint64_t off[2];        /* how far it has been read, by direction */
};

/* The connection's, made if there is none; type: of the proxy, where that is the first. NULL when memory is out. */
struct ht_route *ht_route_make(struct ht_conn *conn, enum ht_proxy_type type);
void ht_route_free(struct ht_conn *conn);

/* A CONNECT to target ("host:port"), begun at begin_ns, has succeeded: ht_route_enter() follows. False when memory is out. */
bool ht_route_connected(struct ht_conn *conn, const char *target, uint64_t begin_ns, int status);
/* The tunnel begins: off, by direction, where its streams do. TLS so far was the proxy's. The connection has a route and no exchange. */
void ht_route_enter(struct ht_conn *conn, uint64_t now_ns, const uint64_t off[2]);

/* Bytes of a SOCKS handshake, and what follows it in the record that ends it. */
void ht_route_socks(struct ht_conn *conn, const struct ht_rec_data *rec);

/* The host and port that GetConn names where the connection leads to a proxy: as it was looked up, else its address. */
void ht_route_proxy_text(const struct ht_conn *conn, char buf[HT_ROUTE_HOST_PORT_MAX]);
/* conn.proxy of a request: the connection has a route, and the request goes through it. */
void ht_route_describe(const struct ht_conn *conn, struct httptrace_request *request);
/* TLSHandshakeStart and TLSHandshakeDone of an HTTPS proxy. */
void ht_route_add_tls_hooks(const struct ht_route *route, struct httptrace_request *request);

#endif
