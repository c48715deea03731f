/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * compose.h - functions that call what is registered: the members of the composed trace of a request. For dispatch.c only.
 */
#ifndef HT_COMPOSE_H
#define HT_COMPOSE_H

#include "httptrace.h"

/* id of the hook, member of struct httptrace_client_trace, infix of its info struct. Got1xxResponse, which returns something, is apart. */
#define HT_HOOKS(X)                                                         \
	X(GET_CONN, get_conn, get_conn)                                     \
	X(DNS_START, dns_start, dns_start)                                  \
	X(DNS_DONE, dns_done, dns_done)                                     \
	X(CONNECT_START, connect_start, connect_start)                      \
	X(CONNECT_DONE, connect_done, connect_done)                         \
	X(TLS_HANDSHAKE_START, tls_handshake_start, plain)                  \
	X(TLS_HANDSHAKE_DONE, tls_handshake_done, tls_handshake_done)       \
	X(GOT_CONN, got_conn, got_conn)                                     \
	X(WROTE_HEADER_FIELD, wrote_header_field, wrote_header_field)       \
	X(WROTE_HEADERS, wrote_headers, plain)                              \
	X(WAIT_100_CONTINUE, wait_100_continue, plain)                      \
	X(WROTE_REQUEST, wrote_request, wrote_request)                      \
	X(GOT_FIRST_RESPONSE_BYTE, got_first_response_byte, plain)          \
	X(GOT_100_CONTINUE, got_100_continue, plain)                        \
	X(GOT_RESPONSE_HEADERS, got_response_headers, got_response_headers) \
	X(GOT_BODY, got_body, got_body)                                     \
	X(PUT_IDLE_CONN, put_idle_conn, put_idle_conn)                      \
	X(CONN_CLOSED, conn_closed, conn_closed)

/* Every member set: each calls ht_compose_call() of its hook, whatever its ctx. */
extern const struct httptrace_client_trace ht_compose_all;

/*
 * In dispatch.c: calls the registrations that apply to the request, newest first; those members that are ht_compose_all's own are passed
 * over, so that a composed trace that was registered does not call itself. HTTPTRACE_HOOK_CNT stands for request_done. What the first to
 * return not 0 returned.
 */
int ht_compose_call(struct httptrace_request *request, enum httptrace_hook_id id, const struct httptrace_hook *info);

#endif
