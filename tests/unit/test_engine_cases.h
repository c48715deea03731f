/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_engine_cases.h - what the tables of scenarios share: a row, and the words that most of them use. The language is script.h's.
 */
#ifndef HT_TEST_ENGINE_CASES_H
#define HT_TEST_ENGINE_CASES_H

struct engine_case {
	const char *why; /* why this scenario is special */
	const char *script;
	const char *expected;
};

/* Scripts */
#define UP     "connect 1 127.0.0.1:80\n up 1\n"
#define OLD    "old 1 127.0.0.1:80\n"
#define GET    "tx 1 'GET / HTTP/1.1~Host: a~~'\n"
#define OK     "rx 1 'HTTP/1.1 200 OK~Content-Length: 2~~hi'\n"
#define KEEP   "+5ms\n"
#define EXPECT "tx 1 'POST / HTTP/1.1~Host: a~Expect: 100-continue~Content-Length: 5~~'\n"
#define GO_ON  "rx 1 'HTTP/1.1 100 Continue~~'\n"
/* A TLS handshake of object 1 on connection 1, by curl's hellos. */
#define TLS_UP                                                                         \
	"connect 1 127.0.0.1:443\n up 1\n tls 1 start\n tx 1 tls13_client handshake\n" \
	"tls 1 bind 1 nested\n rx 1 tls13_server handshake\n tls 1 done\n"
#define TGET "ttx 1 'GET / HTTP/1.1~Host: a~~'\n"
#define TOK  "trx 1 'HTTP/1.1 200 OK~Content-Length: 2~~hi'\n"

/* Reports */
#define DIAL     "ConnectStart ConnectDone"
#define DNS      "DNSStart DNSDone"
#define TLS      "TLSHandshakeStart TLSHandshakeDone"
#define COLD     "GetConn " DIAL " GotConn{fresh}"
#define COLD_TLS "GetConn " DIAL " " TLS " GotConn{fresh}"
#define REUSED   "GetConn GotConn{reused}"
#define BUSY     "GetConn GotConn{busy}"
#define OLDER    "GetConn GotConn{unknown}"
#define SENT     " WroteHeaders WroteRequest"
#define HEAD     " GotFirstResponseByte GotResponseHeaders"
#define GOT      HEAD " GotBody"
#define PUT      " PutIdleConn\n"

#endif
