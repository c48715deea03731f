/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_engine_cases_tls.h - TLS: handshakes, which object is on which socket, what is in them.
 */
#ifndef HT_TEST_ENGINE_CASES_TLS_H
#define HT_TEST_ENGINE_CASES_TLS_H

#include "test_engine_cases.h"

#define BEGUN       "connect 1 127.0.0.1:443\n up 1\n tls 1 start\n tls 1 bind 1 nested\n tx 1 tls13_client handshake\n"
/* tls12_ticket_resumed offers no ALPN. */
#define BEGUN_PLAIN "connect 1 127.0.0.1:443\n up 1\n tls 1 start\n tls 1 bind 1 nested\n tx 1 tls12_ticket_resumed_client handshake\n"
#define CUT         "GetConn " DIAL " TLSHandshakeStart"

static const struct engine_case tls_cases[] = {
	{ "the server's reset is older than the handshake: the order of hooks holds",
	  "show time\n filtered\n connect 1 127.0.0.1:443\n up 1\n reset 1\n tls 1 start\n tls 1 bind 1 nested\n +1s\n",
	  "dial 127.0.0.1:443 tls_error tls/ECONNRESET : GetConn@0 ConnectStart@0 ConnectDone@10 TLSHandshakeStart@50 TLSHandshakeDone{ECONNRESET}@50\n" },
	{ "C2: cold https; every argument, time and mark", "show args time how conn times\n" TLS_UP TGET TOK KEEP,
	  "GET https://a/ 200 ok : GetConn{a:443}?@0 ConnectStart{127.0.0.1:443}@0 ConnectDone{127.0.0.1:443}@10 TLSHandshakeStart@20 "
	  "TLSHandshakeDone{TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no}@60 GotConn{fresh}?@60 WroteHeaders~@70 WroteRequest@70 "
	  "GotFirstResponseByte@80 GotResponseHeaders{200}@80 GotBody{2}@80 PutIdleConn?@80 "
	  "[c-1 127.0.0.1:40001>127.0.0.1:443 #1 tls=openssl,TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no,nested] "
	  "(blocked=10 dns=- connect=10 tls=40 send=10 wait=10 receive=0 total=80)\n" },
	{ "C3 over TLS: the handshake is told once", TLS_UP TGET TOK KEEP TGET TOK KEEP,
	  "GET https://a/ 200 ok : " COLD_TLS SENT GOT PUT "GET https://a/ 200 ok : " REUSED SENT GOT PUT },
	{ "another port stays in the URL",
	  "show args\n connect 1 127.0.0.1:8443\n up 1\n tls 1 start\n tls 1 bind 1 fd\n tls 1 done\n ttx 1 'GET / HTTP/1.1~Host: a:8443~~'\n" TOK
		  KEEP,
	  "GET https://a:8443/ 200 ok : GetConn{a:8443} ConnectStart{127.0.0.1:8443} ConnectDone{127.0.0.1:8443} TLSHandshakeStart "
	  "TLSHandshakeDone{-,-,alpn=-,sni=-,resumed=-} GotConn{fresh}" SENT
	  " GotFirstResponseByte GotResponseHeaders{200} GotBody{2}" PUT },
	{ "0a: the ALPN chosen in 1.3 only by the library's call; the name set by the program where no hello was seen",
	  "show args\n connect 1 127.0.0.1:443\n up 1\n tls 1 sni w.test\n tls 1 start\n"
	  "tls 1 bind 1 nested\n tls 1 done\n tls 1 alpn http/1.1\n" TGET TOK KEEP,
	  "GET https://a/ 200 ok : GetConn{a:443} ConnectStart{127.0.0.1:443} ConnectDone{127.0.0.1:443} TLSHandshakeStart "
	  "TLSHandshakeDone{-,-,alpn=http/1.1,sni=w.test,resumed=-} GotConn{fresh}" SENT
	  " GotFirstResponseByte GotResponseHeaders{200} GotBody{2}" PUT },
	{ "0a: in 1.2 by the ServerHello",
	  "show conn\n connect 1 127.0.0.1:443\n up 1\n tls 1 start\n tls 1 bind 1 nested\n tx 1 tls12_id_full_client handshake\n rx 1 tls12_id_full_server handshake\n"
	  "tls 1 done\n" TGET TOK KEEP,
	  "GET https://a/ 200 ok : " COLD_TLS SENT GOT " PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:443 #1 "
	  "tls=openssl,TLSv1.2,TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,alpn=http/1.1,sni=h.test,resumed=no,nested]\n" },
	{ "resumed, 1.2 by id",
	  "show conn\n connect 1 127.0.0.1:443\n up 1\n tls 1 start\n tls 1 bind 1 nested\n tx 1 tls12_id_resumed_client handshake\n rx 1 tls12_id_resumed_server handshake\n"
	  "tls 1 done\n" TGET TOK KEEP,
	  "GET https://a/ 200 ok : " COLD_TLS SENT GOT " PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:443 #1 "
	  "tls=openssl,TLSv1.2,TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,alpn=http/1.1,sni=h.test,resumed=yes,nested]\n" },
	{ "resumed, 1.3; the hello in pieces, the server's header and body apart",
	  "show conn\n connect 1 127.0.0.1:443\n up 1\n tls 1 start\n tls 1 bind 1 nested\n tx 1 tls13_resumed_client handshake\n"
	  "rx 1 tls13_resumed_server handshake +500\n tls 1 done\n" TGET TOK KEEP,
	  "GET https://a/ 200 ok : " COLD_TLS SENT GOT " PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:443 #1 "
	  "tls=openssl,TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=yes,nested]\n" },
	{ "the first call of the handshake was not seen: it began with the ClientHello at the latest",
	  "show time how\n connect 1 127.0.0.1:443\n up 1\n tx 1 tls13_client handshake\n"
	  "tls 1 bind 1 nested\n rx 1 tls13_server handshake\n tls 1 done\n" TGET TOK KEEP,
	  "GET https://a/ 200 ok : GetConn?@0 ConnectStart@0 ConnectDone@10 TLSHandshakeStart~@20 TLSHandshakeDone@50 GotConn{fresh}?@50 WroteHeaders~@60 WroteRequest@60 "
	  "GotFirstResponseByte@70 GotResponseHeaders@70 GotBody@70 PutIdleConn?@70\n" },
	{ "tickets are no first byte", "show time\n" TLS_UP TGET "rx 1 '\\x17\\x03\\x03\\x00\\x20' +32 stream=tls\n +1ms\n" TOK KEEP,
	  "GET https://a/ 200 ok : GetConn@0 ConnectStart@0 ConnectDone@10 TLSHandshakeStart@20 TLSHandshakeDone@60 GotConn{fresh}@60 WroteHeaders@70 WroteRequest@70 "
	  "GotFirstResponseByte@1090 GotResponseHeaders@1090 GotBody@1090 PutIdleConn@1090\n" },
	{ "0a: a pending read on the TLS connection's socket", "show how\n" TLS_UP TGET TOK "again 1\n" KEEP,
	  "GET https://a/ 200 ok : GetConn? ConnectStart ConnectDone TLSHandshakeStart TLSHandshakeDone GotConn{fresh}? WroteHeaders~ WroteRequest GotFirstResponseByte "
	  "GotResponseHeaders GotBody PutIdleConn~\n" },

	/* ---- failures ---- */
	{ "C7: bad certificate; the ALPN offered proves HTTP",
	  "show conn\n" BEGUN "rx 1 tls13_server handshake\n tls 1 fail 20 134 20\n alert 1 tx 48\n close 1\n +1s\n counts\n",
	  "- (h.test:443) tls_error tls/CERTIFICATE_VERIFY_FAILED : GetConn " DIAL
	  " TLSHandshakeStart TLSHandshakeDone{CERTIFICATE_VERIFY_FAILED} "
	  "[c-1 127.0.0.1:40001>127.0.0.1:443 #0 tls=openssl,TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no,nested]\nrequests=1 dials=0\n" },
	{ "C7: no ALPN, no proof: a dial", BEGUN_PLAIN "tls 1 fail 20 134 18\n close 1\n +1s\n",
	  "dial h.test:443 tls_error tls/CERTIFICATE_VERIFY_FAILED : GetConn " DIAL
	  " TLSHandshakeStart TLSHandshakeDone{CERTIFICATE_VERIFY_FAILED}\n" },
	{ "C7: no ALPN, but HTTP was spoken there",
	  "show args\n dns 1 h.test 443 = 127.0.0.1\n connect 1 127.0.0.1:443\n up 1\n tls 1 start\n tls 1 bind 1 nested\n tls 1 done\n"
	  "ttx 1 'GET / HTTP/1.1~Host: h.test~~'\n" TOK KEEP
	  "close 1\n connect 2 127.0.0.1:443\n up 2\n tls 2 start\n tls 2 bind 2 nested\n tls 2 sni h.test\n"
	  "tx 2 tls12_ticket_resumed_client handshake\n tls 2 fail 20 134 18\n close 2\n +1s\n",
	  "GET https://h.test/ 200 ok : GetConn{h.test:443} DNSStart{h.test} DNSDone{127.0.0.1} ConnectStart{127.0.0.1:443} ConnectDone{127.0.0.1:443} TLSHandshakeStart "
	  "TLSHandshakeDone{-,-,alpn=-,sni=-,resumed=-} GotConn{fresh}" SENT " GotFirstResponseByte GotResponseHeaders{200} GotBody{2}" PUT
	  "- (h.test:443) tls_error tls/CERTIFICATE_VERIFY_FAILED : GetConn{h.test:443} ConnectStart{127.0.0.1:443} ConnectDone{127.0.0.1:443} TLSHandshakeStart "
	  "TLSHandshakeDone{-,-,alpn=-,sni=h.test,resumed=-,CERTIFICATE_VERIFY_FAILED}\n" },
	{ "TLS to a server that has none", BEGUN "rx 1 'HTTP/1.1 400 Bad~~'\n tls 1 fail 20 267\n close 1\n +1s\n",
	  "- (h.test:443) tls_error tls/WRONG_VERSION_NUMBER : GetConn " DIAL
	  " TLSHandshakeStart TLSHandshakeDone{WRONG_VERSION_NUMBER}\n" },
	{ "an error without a name", BEGUN "tls 1 fail 20 9999\n close 1\n +1s\n",
	  "- (h.test:443) tls_error tls/LIB_20_REASON_9999 : GetConn " DIAL " TLSHandshakeStart TLSHandshakeDone{LIB_20_REASON_9999}\n" },
	{ "the server's alert; the library's reason is not known", "whole\n" BEGUN "alert 1 rx 70\n tls 1 fail 0 0\n close 1\n +1s\n",
	  "- (h.test:443) tls_error tls/PROTOCOL_VERSION : GetConn " DIAL " TLSHandshakeStart TLSHandshakeDone{PROTOCOL_VERSION}\n" },
	{ "an alert to a library that is not traced",
	  "whole\n"
	  "connect 1 127.0.0.1:443\n up 1\n tx 1 tls13_client handshake\n alert 1 rx 40\n close 1\n +1s\n",
	  "- (h.test:443) tls_error tls/HANDSHAKE_FAILURE : GetConn " DIAL " TLSHandshakeStart TLSHandshakeDone{HANDSHAKE_FAILURE}\n" },
	{ "the server closes in the handshake", BEGUN "fin 1\n close 1\n +1s\n",
	  "- (h.test:443) tls_error tls/closed : GetConn " DIAL " TLSHandshakeStart TLSHandshakeDone{closed}\n" },
	{ "the server resets in the handshake", BEGUN "reset 1\n +1s\n",
	  "- (h.test:443) tls_error tls/ECONNRESET : GetConn " DIAL " TLSHandshakeStart TLSHandshakeDone{ECONNRESET}\n" },
	{ "C18c: the client gives the handshake up", BEGUN "+10s\n close 1\n +1s\n",
	  "- (h.test:443) aborted tls/aborted : GetConn " DIAL " TLSHandshakeStart TLSHandshakeDone{aborted}\n" },
	{ "the process exits in the handshake", BEGUN "exit 100\n close 1\n +1s\n counts\n",
	  "- (h.test:443) aborted tls/aborted : GetConn " DIAL " TLSHandshakeStart TLSHandshakeDone{aborted}\nrequests=1 dials=0\n" },
	{ "tracing ends in the handshake: no end of it is told", BEGUN "end\n", "- (h.test:443) incomplete tls/incomplete : " CUT "\n" },
	{ "tracing ends in a handshake that proves nothing", BEGUN_PLAIN "end\n", "dial h.test:443 incomplete tls/incomplete : " CUT "\n" },
	{ "handshake well, closed unused: a dial", TLS_UP "+1s\n close 1\n", "dial h.test:443 unused : GetConn " DIAL " " TLS "\n" },
	{ "handshake well, then the process exits", TLS_UP "exit 100\n close 1\n +1s\n",
	  "dial h.test:443 unused : GetConn " DIAL " " TLS "\n" },
	{ "closed in the body: close_notify", TLS_UP TGET "trx 1 'HTTP/1.1 200 OK~Content-Length: 9~~hi'\n teof 1\n fin 1\n close 1\n",
	  "GET https://a/ 200 closed receive/closed : " COLD_TLS SENT GOT " ConnClosed{server}\n" },
	{ "closed in the body without close_notify: end of the socket's stream",
	  TLS_UP TGET "trx 1 'HTTP/1.1 200 OK~Content-Length: 9~~hi'\n fin 1\n eof 1\n close 1\n",
	  "GET https://a/ 200 closed receive/closed : " COLD_TLS SENT GOT " ConnClosed{server}\n" },
	{ "until the close, over TLS", TLS_UP TGET "trx 1 'HTTP/1.1 200 OK~~hi'\n teof 1\n fin 1\n close 1\n",
	  "GET https://a/ 200 ok : " COLD_TLS SENT GOT " ConnClosed{server}\n" },
	{ "reset in the body", TLS_UP TGET "trx 1 'HTTP/1.1 200 OK~Content-Length: 9~~hi'\n reset 1\n rxfail 1 ECONNRESET\n",
	  "GET https://a/ 200 reset receive/ECONNRESET : " COLD_TLS SENT GOT " ConnClosed{reset}\n" },
	{ "the reset came before the write's call returned: it is the request's, not an unused dial's",
	  TLS_UP "reset 1\n" TGET "trx 1 'HTTP/1.1 200 OK~Content-Length: 9~~hi'\n rxfail 1 ECONNRESET\n",
	  "GET https://a/ 200 reset receive/ECONNRESET : " COLD_TLS SENT GOT " ConnClosed{reset}\n" },
	{ "the client closes after a loss somewhere: the response may have been among the lost events",
	  TLS_UP TGET "lost 3 ringbuf\n close 1\n +1s\n",
	  "lost 3 ringbuf\nGET https://a/ incomplete wait/incomplete lost=3 : " COLD_TLS SENT " ConnClosed{client}\n" },
	{ "probes came after the request was written (a child under load): counted, no failed handshake",
	  "whole\nconnect 1 127.0.0.1:443\n up 1\n tx 1 tls13_client handshake\n rx 1 tls13_server handshake\n"
	  "tls 1 bind 1 nested\n " TOK " close 1\n +1s\n counts\n",
	  "requests=0 dials=0 unsolicited=1\n" },
	{ "probes came before the request was written, and that of reads after it was answered: not `aborted`",
	  "whole\nconnect 1 127.0.0.1:443\n up 1\n tx 1 tls13_client handshake\n rx 1 tls13_server handshake\n tls 1 bind 1 nested\n" TGET
	  "close 1\n",
	  "GET https://a/ incomplete wait/incomplete : " CUT " GotConn{fresh}" SENT " ConnClosed{client}\n" },
	{ "only the end of such a connection was seen",
	  "whole\nconnect 1 127.0.0.1:443\n up 1\n tx 1 tls13_client handshake\n rx 1 tls13_server handshake\n"
	  "tls 1 bind 1 nested\n tls 1 shutdown\n close 1\n +1s\n counts\n",
	  "requests=0 dials=0 opaque_tls=1\n" },
	{ "close_notify within 5 ms", TLS_UP TGET TOK "teof 1\n", "GET https://a/ 200 ok : " COLD_TLS SENT GOT " ConnClosed{server}\n" },
	{ "the client gives up waiting", TLS_UP TGET "+1s\n tls 1 shutdown\n tls 1 free\n close 1\n",
	  "GET https://a/ aborted wait/aborted : " COLD_TLS SENT " ConnClosed{client}\n" },
	{ "101 over TLS",
	  TLS_UP
	  "ttx 1 'GET / HTTP/1.1~Host: a~Connection: Upgrade~Upgrade: x~~'\n trx 1 'HTTP/1.1 101 X~Connection: Upgrade~Upgrade: x~~'\n" TGET
		  TOK KEEP "close 1\n counts\n",
	  "GET https://a/ 101 ok : " COLD_TLS SENT HEAD "\nrequests=1 dials=0 upgraded=1\n" },

	{ "the library's read fails", TLS_UP TGET "trxfail 1 ECONNRESET\n",
	  "GET https://a/ reset wait/ECONNRESET : " COLD_TLS SENT " ConnClosed{reset}\n" },
	{ "an error of the library that ends nothing", TLS_UP TGET "tls 1 error 20 1\n trxfail 1 0\n" TOK KEEP,
	  "GET https://a/ 200 ok : " COLD_TLS SENT GOT PUT },

	/* ---- bindings ---- */
	{ "bound by the same bytes",
	  "show conn\n connect 1 127.0.0.1:443\n up 1\n tls 1 bind 1 bytes\n tls 1 start\n tls 1 done\n" TGET TOK KEEP,
	  "GET https://a/ 200 ok : " COLD_TLS SENT GOT
	  " PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:443 #1 tls=openssl,-,-,alpn=-,sni=-,resumed=-,bytes]\n" },
	{ "the handshake's record names the socket",
	  "connect 1 127.0.0.1:443\n up 1\n tls 1 start cookie=1\n tls 1 done cookie=1\n" TGET TOK KEEP,
	  "GET https://a/ 200 ok : " COLD_TLS SENT GOT PUT },
	{ "an object that cannot be bound: counted, nothing garbled", "show log\n tls 1 start\n tls 1 done\n" TGET TOK KEEP "counts\n",
	  "log a TLS object of pid 100 has no known socket: its traffic is left alone\nrequests=0 dials=0 unbound=1\n" },
	{ "the record of the binding is lost: the data records carry the socket",
	  "show conn\n connect 1 127.0.0.1:443\n up 1\n tls 1 start\n tls 1 done\n"
	  "ttx 1 'GET / HTTP/1.1~Host: a~~' cookie=1\n trx 1 'HTTP/1.1 200 OK~Content-Length: 2~~hi' cookie=1\n" KEEP,
	  "GET https://a/ 200 ok : " COLD_TLS SENT GOT
	  " PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:443 #1 tls=openssl,-,-,alpn=-,sni=-,resumed=-,-]\n" },
	{ "by fd first, nested later: the same socket, better evidence",
	  "show conn\n connect 1 127.0.0.1:443\n up 1\n tls 1 bind 1 fd\n tls 1 start\n tls 1 bind 1 nested\n tls 1 done\n" TGET TOK KEEP,
	  "GET https://a/ 200 ok : " COLD_TLS SENT GOT
	  " PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:443 #1 tls=openssl,-,-,alpn=-,sni=-,resumed=-,nested]\n" },
	{ "by a stale fd first, nested proves another socket",
	  "connect 1 127.0.0.1:443\n up 1\n connect 2 127.0.0.2:443\n up 2\n tls 1 bind 2 fd\n tls 1 start\n tls 1 bind 1 nested\n tls 1 done\n" TGET
		  TOK KEEP "close 2\n counts\n",
	  "GET https://a/ 200 ok : " COLD_TLS SENT GOT PUT "dial 127.0.0.2:443 unused : GetConn " DIAL "\nrequests=1 dials=1\n" },
	{ "nested first, a guess afterwards changes nothing",
	  "connect 1 127.0.0.1:443\n up 1\n connect 2 127.0.0.2:443\n up 2\n tls 1 start\n tls 1 bind 1 nested\n tls 1 done\n tls 1 bind 2 fd\n"
	  "ttx 1 'GET / HTTP/1.1~Host: a~~' cookie=1\n" TOK KEEP,
	  "GET https://a/ 200 ok : " COLD_TLS SENT GOT PUT },
	{ "what was read into the wrong connection goes when the proof comes",
	  "whole\n"
	  "old 2 127.0.0.2:443\n connect 1 127.0.0.1:443\n up 1\n tls 1 start\n tls 1 bind 2 fd\n tls 1 done\n" TGET
	  "tls 1 bind 1 nested\n +1ms\n" TGET TOK KEEP,
	  "GET https://a/ incomplete wait/incomplete : " OLDER SENT "\nGET https://a/ 200 ok lost=1 : " COLD_TLS SENT GOT PUT },
	{ "another object's guess does not take a socket whose object is proven",
	  "connect 1 127.0.0.1:443\n up 1\n tls 1 start\n tls 1 bind 1 nested\n tls 1 done\n" TGET "tls 2 bind 1 fd\n" TOK KEEP,
	  "GET https://a/ 200 ok : " COLD_TLS SENT GOT PUT },
	{ "another object's proof does",
	  "connect 1 127.0.0.1:443\n up 1\n tls 1 bind 1 fd\n tls 2 start\n tls 2 bind 1 nested\n tls 2 done\n ttx 2 'GET / HTTP/1.1~Host: a~~'\n"
	  "trx 2 'HTTP/1.1 204 OK~~'\n" KEEP,
	  "GET https://a/ 204 ok : " COLD_TLS SENT HEAD PUT },
	{ "the object is freed before its connection ends: its facts stay",
	  "show conn\n" TLS_UP TGET TOK "tls 1 free\n" KEEP "close 1\n +1s\n",
	  "GET https://a/ 200 ok : " COLD_TLS SENT GOT " PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:443 #1 "
	  "tls=openssl,TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no,nested]\n" },
	{ "freed in flight, and a new object on the socket",
	  TLS_UP TGET
	  "tls 1 free\n tls 2 start\n tls 2 bind 1 nested\n tls 2 done\n +1ms\n ttx 2 'GET /2 HTTP/1.1~Host: a~~'\n trx 2 'HTTP/1.1 204 OK~~'\n" KEEP,
	  "GET https://a/ incomplete wait/incomplete : " COLD_TLS SENT "\nGET https://a/2 204 ok : " REUSED SENT HEAD PUT },
	{ "freed unbound, freed twice, freed unknown", "tls 1 start\n tls 1 free\n tls 1 free\n tls 9 free\n +1s\n counts\n",
	  "requests=0 dials=0\n" },
	{ "the connection goes first, the object later", TLS_UP TGET TOK "close 1\n +1s\n tls 1 shutdown\n tls 1 free\n +1s\n",
	  "GET https://a/ 200 ok : " COLD_TLS SENT GOT " ConnClosed{client}\n" },
	{ "a server's object is left alone",
	  "tls 1 start server\n tls 1 bind 1 nested server\n tls 1 done server\n trx 1 'GET / HTTP/1.1~Host: a~~'\n ttx 1 'HTTP/1.1 200 OK~Content-Length: 0~~'\n +1s\n"
	  "tls 1 free server\n counts\n",
	  "requests=0 dials=0\n" },

	/* ---- not HTTP/1 ---- */
	{ "another protocol inside TLS", TLS_UP "ttx 1 '\\x00\\x01\\x02'\n" TGET TOK "close 1\n +1s\n counts\n",
	  "requests=0 dials=0 not_http=1\n" },
	{ "a TLS library that is not traced",
	  "connect 1 127.0.0.1:443\n up 1\n tx 1 tls13_client handshake\n rx 1 tls13_server handshake\n tx 1 '\\x17\\x03\\x03' +99 stream=tls\n close 1\n +1s\n counts\n",
	  "requests=0 dials=0 opaque_tls=1\n" },

	/* ---- CONNECT ---- */
	{ "CONNECT succeeds, TLS on the same socket: the CONNECT is part of the dial",
	  "show how\n connect 1 127.0.0.1:3128\n up 1\n tx 1 'CONNECT a:443 HTTP/1.1~Host: a:443~~'\n rx 1 'HTTP/1.1 200 OK~~'\n"
	  "tls 1 start\n tls 1 bind 1 nested\n tx 1 tls13_client handshake\n rx 1 tls13_server handshake\n tls 1 done\n" TGET TOK KEEP
	  "counts\n",
	  "GET https://a/ 200 ok : GetConn? ConnectStart ConnectDone TLSHandshakeStart TLSHandshakeDone GotConn{fresh}? WroteHeaders~ WroteRequest GotFirstResponseByte "
	  "GotResponseHeaders GotBody PutIdleConn?\nrequests=1 dials=0 tunnels=1\n" },
	{ "CONNECT asks for credentials first",
	  "connect 1 127.0.0.1:3128\n up 1\n tx 1 'CONNECT a:443 HTTP/1.1~Host: a:443~~'\n rx 1 'HTTP/1.1 407 Auth~Content-Length: 0~~'\n"
	  "tx 1 'CONNECT a:443 HTTP/1.1~Host: a:443~Proxy-Authorization: x~~'\n rx 1 'HTTP/1.1 200 OK~~'\n"
	  "tls 1 start\n tls 1 bind 1 nested\n tx 1 tls13_client handshake\n rx 1 tls13_server handshake\n tls 1 done\n" TGET TOK KEEP TGET
		  TOK KEEP,
	  "GET https://a/ 200 ok : " COLD_TLS SENT GOT PUT "GET https://a/ 200 ok : " REUSED SENT GOT PUT },
	{ "something else than TLS in the tunnel",
	  "connect 1 127.0.0.1:3128\n up 1\n tx 1 'CONNECT a:22 HTTP/1.1~Host: a:22~~'\n rx 1 'HTTP/1.1 200 OK~~'\n"
	  "rx 1 'SSH-2.0-x~'\n tx 1 'SSH-2.0-y~'\n close 1\n +1s\n counts\n",
	  "requests=0 dials=0 not_http=1 tunnels=1\n" },
};

#endif
