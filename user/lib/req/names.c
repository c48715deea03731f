/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * names.c - the names of outcomes, phases, certainties and hooks, as JSON and Go spell them.
 *
 * In:  a value of a public enum, also one out of range. Out: a static string, never NULL.
 */
#include "httptrace.h"

#define NAME_OF(names, value) ((size_t)(value) < sizeof(names) / sizeof((names)[0]) && (names)[value] ? (names)[value] : "unknown")

const char *httptrace_outcome__name(enum httptrace_outcome outcome)
{
	static const char *const names[] = {
		[HTTPTRACE_PENDING] = "pending",       [HTTPTRACE_OK] = "ok",
		[HTTPTRACE_DNS_ERROR] = "dns_error",   [HTTPTRACE_CONNECT_ERROR] = "connect_error",
		[HTTPTRACE_TLS_ERROR] = "tls_error",   [HTTPTRACE_TIMEOUT] = "timeout",
		[HTTPTRACE_RESET] = "reset",           [HTTPTRACE_CLOSED] = "closed",
		[HTTPTRACE_ABORTED] = "aborted",       [HTTPTRACE_PROTOCOL_ERROR] = "protocol_error",
		[HTTPTRACE_INCOMPLETE] = "incomplete", [HTTPTRACE_UNUSED] = "unused",
		[HTTPTRACE_GRPC_ERROR] = "grpc_error",
	};

	return NAME_OF(names, outcome);
}

const char *httptrace_phase__name(enum httptrace_phase phase)
{
	static const char *const names[] = {
		[HTTPTRACE_PHASE_NONE] = "none",       [HTTPTRACE_PHASE_DNS] = "dns",   [HTTPTRACE_PHASE_CONNECT] = "connect",
		[HTTPTRACE_PHASE_TLS] = "tls",         [HTTPTRACE_PHASE_SEND] = "send", [HTTPTRACE_PHASE_WAIT] = "wait",
		[HTTPTRACE_PHASE_RECEIVE] = "receive",
	};

	return NAME_OF(names, phase);
}

const char *httptrace_how__name(enum httptrace_how how)
{
	static const char *const names[] = {
		[HTTPTRACE_OBSERVED] = "observed",
		[HTTPTRACE_PROXY] = "proxy",
		[HTTPTRACE_INFERRED] = "inferred",
	};

	return NAME_OF(names, how);
}

const char *httptrace_kind__name(enum httptrace_kind kind)
{
	static const char *const names[] = {
		[HTTPTRACE_REQUEST] = "request",
		[HTTPTRACE_DIAL] = "dial",
		[HTTPTRACE_WEBSOCKET] = "websocket",
	};

	return NAME_OF(names, kind);
}

const char *httptrace_closer__name(enum httptrace_closer by)
{
	static const char *const names[] = {
		[HTTPTRACE_BY_CLIENT] = "client",
		[HTTPTRACE_BY_SERVER] = "server",
		[HTTPTRACE_BY_RESET] = "reset",
	};

	return NAME_OF(names, by);
}

const char *httptrace_hook__name(enum httptrace_hook_id id)
{
	static const char *const names[] = {
		[HTTPTRACE_GET_CONN] = "GetConn",
		[HTTPTRACE_DNS_START] = "DNSStart",
		[HTTPTRACE_DNS_DONE] = "DNSDone",
		[HTTPTRACE_CONNECT_START] = "ConnectStart",
		[HTTPTRACE_CONNECT_DONE] = "ConnectDone",
		[HTTPTRACE_TLS_HANDSHAKE_START] = "TLSHandshakeStart",
		[HTTPTRACE_TLS_HANDSHAKE_DONE] = "TLSHandshakeDone",
		[HTTPTRACE_GOT_CONN] = "GotConn",
		[HTTPTRACE_WROTE_HEADER_FIELD] = "WroteHeaderField",
		[HTTPTRACE_WROTE_HEADERS] = "WroteHeaders",
		[HTTPTRACE_WAIT_100_CONTINUE] = "Wait100Continue",
		[HTTPTRACE_WROTE_REQUEST] = "WroteRequest",
		[HTTPTRACE_GOT_FIRST_RESPONSE_BYTE] = "GotFirstResponseByte",
		[HTTPTRACE_GOT_100_CONTINUE] = "Got100Continue",
		[HTTPTRACE_GOT_1XX_RESPONSE] = "Got1xxResponse",
		[HTTPTRACE_GOT_RESPONSE_HEADERS] = "GotResponseHeaders",
		[HTTPTRACE_GOT_BODY] = "GotBody",
		[HTTPTRACE_PUT_IDLE_CONN] = "PutIdleConn",
		[HTTPTRACE_CONN_CLOSED] = "ConnClosed",
	};

	return NAME_OF(names, id);
}

bool httptrace_hook__is_ext(enum httptrace_hook_id id)
{
	return id == HTTPTRACE_GOT_RESPONSE_HEADERS || id == HTTPTRACE_GOT_BODY || id == HTTPTRACE_CONN_CLOSED;
}
