/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_engine_cases_ways.h - what HTTP travels through and turns into: proxies (hooks.md C13 to C13d), 101 and WebSocket (C21), responses without end.
 */
#ifndef HT_TEST_ENGINE_CASES_WAYS_H
#define HT_TEST_ENGINE_CASES_WAYS_H

#include "test_engine_cases.h"

#define PROXY_UP  "connect 1 127.0.0.1:3128\n up 1\n"
#define CONNECT   "tx 1 'CONNECT a:443 HTTP/1.1~Host: a:443~~'\n"
#define GRANTED   "rx 1 'HTTP/1.1 200 OK~~'\n"
#define DENIED    "rx 1 'HTTP/1.1 403 No~Content-Length: 2~~no'\n"
#define AUTH      "rx 1 'HTTP/1.1 407 Auth~Content-Length: 0~~'\n"
#define IN_TLS    "tls 1 start\n tls 1 bind 1 nested\n tx 1 tls13_client handshake\n rx 1 tls13_server handshake\n tls 1 done\n"
#define COLD_DIAL "GetConn " DIAL
/* TLS with an HTTPS proxy (object 1), in it that with the target (object 2). */
#define SAFE_UP                                                                         \
	"connect 1 127.0.0.1:3130\n up 1\n tls 1 start\n tx 1 tls13_client handshake\n" \
	"tls 1 bind 1 nested\n rx 1 tls13_server handshake\n tls 1 done\n"
#define TCONNECT  "ttx 1 'CONNECT a:443 HTTP/1.1~Host: a:443~~'\n"
#define TGRANTED  "trx 1 'HTTP/1.1 200 OK~~'\n"
#define INNER     "tls 2 start\n tls 2 bind 1 nested\n tls 2 done\n"
#define INNER_GET "ttx 2 'GET / HTTP/1.1~Host: a~~'\n"
#define INNER_OK  "trx 2 'HTTP/1.1 200 OK~Content-Length: 2~~hi'\n"

#define SOCKS_UP  "connect 1 127.0.0.1:1080\n up 1\n"
#define SOCKS5    "tx 1 '\\x05\\x01\\x00' stream=socks\n rx 1 '\\x05\\x00' stream=socks\n"
#define SOCKS_ASK "tx 1 '\\x05\\x01\\x00\\x03\\x06h.test\\x00\\x50' stream=socks\n"
#define SOCKS_443 "tx 1 '\\x05\\x01\\x00\\x03\\x06h.test\\x01\\xbb' stream=socks\n"
#define SOCKS_OK  "rx 1 '\\x05\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00' stream=socks\n"
#define SOCKS_NO  "rx 1 '\\x05\\x05\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00' stream=socks\n"
#define HGET      "tx 1 'GET / HTTP/1.1~Host: h.test~~'\n"

#define WS_ASK "tx 1 'GET /ws HTTP/1.1~Host: a~Connection: Upgrade~Upgrade: websocket~~'\n"
#define WS_YES "rx 1 'HTTP/1.1 101 Switching~Connection: Upgrade~Upgrade: websocket~~"
#define WS_UP  UP WS_ASK WS_YES "'\n"
#define WS_REQ "GET http://a/ws 101 ok : " COLD SENT HEAD "\n"
/* A client's text frame with one byte; its close frame with code 1000. */
#define WS_SAY "\\x81\\x81\\x00\\x00\\x00\\x00x"
#define WS_BYE "\\x88\\x82\\x01\\x02\\x03\\x04\\x02\\xea"

static const struct
	engine_case
		ways_cases
			[] = {
				/* ---- CONNECT ---- */
				{ "C13: every argument, time and mark: the first hop is the proxy, the URL the target's; TLS follows the CONNECT",
				  "show args time how conn times bytes\n dns 1 proxy.test 3128 = 127.0.0.1\n" PROXY_UP CONNECT GRANTED
					  IN_TLS TGET TOK KEEP "counts\n",
				  "GET https://a/ 200 ok : GetConn{proxy.test:3128}?@0 DNSStart{proxy.test}@0 DNSDone{127.0.0.1}@100 ConnectStart{127.0.0.1:3128}@110 ConnectDone{127.0.0.1:3128}@120 TLSHandshakeStart@150 TLSHandshakeDone{TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no}@190 GotConn{fresh}?@190 WroteHeaders~@200 WroteRequest@200 GotFirstResponseByte@210 GotResponseHeaders{200}@210 GotBody{2}@210 PutIdleConn?@210 [c-1 127.0.0.1:40001>127.0.0.1:3128 #1 tls=openssl,TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no,nested proxy=http,127.0.0.1:3128,200] tx=27+0 rx=38+2 (blocked=40 dns=100 connect=10 tls=40 send=10 wait=10 receive=0 total=210)\n"
				  "requests=1 dials=0 tunnels=1\n" },
				{ "requests count from the tunnel's first",
				  "show conn\n" PROXY_UP CONNECT GRANTED IN_TLS TGET TOK KEEP TGET TOK KEEP,
				  "GET https://a/ 200 ok : " COLD_TLS SENT GOT
				  " PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:3128 #1 tls=openssl,TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no,nested proxy=http,127.0.0.1:3128,200]\n"
				  "GET https://a/ 200 ok : " REUSED SENT GOT
				  " PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:3128 #2 tls=openssl,TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no,nested proxy=http,127.0.0.1:3128,200]\n" },
				{ "in clear: HTTP in the tunnel, as curl -p has it",
				  "show args time conn\n" PROXY_UP
				  "tx 1 'CONNECT b:80 HTTP/1.1~Host: b:80~~'\n" GRANTED GET OK KEEP GET OK KEEP,
				  "GET http://a/ 200 ok : GetConn{127.0.0.1:3128}@0 ConnectStart{127.0.0.1:3128}@0 ConnectDone{127.0.0.1:3128}@10 GotConn{fresh}@30 WroteHeaders@40 WroteRequest@40 GotFirstResponseByte@50 GotResponseHeaders{200}@50 GotBody{2}@50 PutIdleConn@50 [c-1 127.0.0.1:40001>127.0.0.1:3128 #1 proxy=http,127.0.0.1:3128,200]\n"
				  "GET http://a/ 200 ok : GetConn{127.0.0.1:3128}@0 GotConn{reused,idle=5005}@0 WroteHeaders@5 WroteRequest@5 GotFirstResponseByte@15 GotResponseHeaders{200}@15 GotBody{2}@15 PutIdleConn@15 [c-1 127.0.0.1:40001>127.0.0.1:3128 #2 proxy=http,127.0.0.1:3128,200]\n" },
				{ "in clear, HTTP/1.0 without Host: the target is CONNECT's, not the proxy",
				  PROXY_UP "tx 1 'CONNECT b:8080 HTTP/1.1~Host: b:8080~~'\n" GRANTED
					   "tx 1 'GET /x HTTP/1.0~~'\n rx 1 'HTTP/1.0 200 OK~~hi'\n fin 1\n eof 1\n",
				  "GET http://b:8080/x 200 ok : " COLD SENT GOT " ConnClosed{server}\n" },
				{ "in clear: the server speaks in the piece that grants the tunnel",
				  PROXY_UP CONNECT "rx 1 'HTTP/1.1 200 OK~~220 smtp~'\n tx 1 'EHLO x~'\n close 1\n +1s\n counts\n",
				  "requests=0 dials=0 not_http=1 tunnels=1\n" },
				{ "HTTP/2 in clear in the tunnel",
				  PROXY_UP CONNECT GRANTED
				  "h2 1 tx preface settings H1.,:method=GET,:scheme=http,:authority=a,:path=/1\n h2 1 rx settings ack H1.,:status=204\n" KEEP
				  "counts\n",
				  "GET http://a/1 204 ok : " COLD SENT HEAD "\n"
				  "requests=1 dials=0 tunnels=1 http2=1\n" },
				{ "HTTP/2 over TLS in the tunnel",
				  "whole\n show conn\n" PROXY_UP CONNECT GRANTED IN_TLS
				  "th2 1 tx preface settings H1.,:method=GET,:scheme=https,:authority=a,:path=/1\n th2 1 rx settings ack H1.,:status=204\n" KEEP,
				  "GET https://a/1 204 ok : " COLD_TLS SENT HEAD
				  " [c-1 127.0.0.1:40001>127.0.0.1:3128 #1 tls=openssl,TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=h2,sni=h.test,resumed=no,nested http=2 stream=1 proxy=http,127.0.0.1:3128,200]\n" },
				{ "bytes behind the CONNECT are lost: the next request says so",
				  "whole\n" PROXY_UP CONNECT GRANTED "gap 1 tx 40\n" GET OK KEEP,
				  "GET http://a/ 200 ok lost=1 : " COLD SENT GOT PUT },
				{ "a CONNECT on a connection older than we: the tunnel is new",
				  "show conn\n old 1 127.0.0.1:3128\n" CONNECT GRANTED IN_TLS TGET TOK KEEP,
				  "GET https://a/ 200 ok : GetConn " TLS " GotConn{fresh}" SENT GOT
				  " PutIdleConn [c-1 127.0.0.1:39999>127.0.0.1:3128 #1 tls=openssl,TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no,nested proxy=http,127.0.0.1:3128,200]\n" },
				{ "C13c: refused: the dial ends there; who asked what is told, no request",
				  "show args conn bytes\n" PROXY_UP CONNECT DENIED KEEP "counts\n",
				  "- a:443 connect_error connect/PROXY_403 : GetConn{127.0.0.1:3128} ConnectStart{127.0.0.1:3128} ConnectDone{127.0.0.1:3128} [c-1 127.0.0.1:40001>127.0.0.1:3128 #1 proxy=http,127.0.0.1:3128,403] tx=-1+-1 rx=-1+-1\n"
				  "requests=1 dials=0\n" },
				{ "refused, another port", PROXY_UP "tx 1 'CONNECT a:8443 HTTP/1.1~Host: a:8443~~'\n" DENIED KEEP,
				  "- a:8443 connect_error connect/PROXY_403 : " COLD_DIAL "\n" },
				{ "refused, port 80", PROXY_UP "tx 1 'CONNECT a:80 HTTP/1.1~Host: a:80~~'\n" DENIED KEEP,
				  "- a:80 connect_error connect/PROXY_403 : " COLD_DIAL "\n" },
				{ "refused, and the proxy closes: until then its words are read",
				  PROXY_UP CONNECT "rx 1 'HTTP/1.1 502 Bad~Connection: close~~no'\n fin 1\n eof 1\n close 1\n +1s\n",
				  "- a:443 connect_error connect/PROXY_502 : " COLD_DIAL "\n" },
				{ "refused, and the client does not read on",
				  PROXY_UP CONNECT "rx 1 'HTTP/1.1 403 No~Connection: close~~'\n close 1\n +1s\n",
				  "- a:443 connect_error connect/PROXY_403 : " COLD_DIAL "\n" },
				{ "407, then the same with credentials: no failure, and no hooks",
				  "show args conn\n" PROXY_UP CONNECT AUTH
				  "tx 1 'CONNECT a:443 HTTP/1.1~Host: a:443~Proxy-Authorization: x~~'\n" GRANTED IN_TLS TGET TOK KEEP
				  "counts\n",
				  "GET https://a/ 200 ok : GetConn{127.0.0.1:3128} ConnectStart{127.0.0.1:3128} ConnectDone{127.0.0.1:3128} " TLS
				  "{TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no} GotConn{fresh}" SENT HEAD
				  "{200} GotBody{2} PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:3128 #1 tls=openssl,TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no,nested proxy=http,127.0.0.1:3128,200]\n"
				  "requests=1 dials=0 tunnels=1\n" },
				{ "407, and nothing follows for 300 ms", PROXY_UP CONNECT AUTH "+299ms\n due\n +1ms\n",
				  "due +1000us\n"
				  "- a:443 connect_error connect/PROXY_407 : " COLD_DIAL "\n" },
				{ "407, and the client gives up", PROXY_UP CONNECT AUTH "close 1\n +1s\n counts\n",
				  "- a:443 connect_error connect/PROXY_407 : " COLD_DIAL "\n"
				  "requests=1 dials=0\n" },
				{ "407, and tracing ends", PROXY_UP CONNECT AUTH "end\n",
				  "- a:443 connect_error connect/PROXY_407 : " COLD_DIAL "\n" },
				{ "407, and tracing ends in the next head",
				  PROXY_UP CONNECT AUTH "tx 1 'CONNECT a:443 HTTP/1.1~Ho'\n end\n",
				  "- a:443 connect_error connect/PROXY_407 : " COLD_DIAL "\n"
				  "- (127.0.0.1:3128) incomplete send/incomplete : " REUSED "\n" },
				{ "407 on a connection that is not kept",
				  PROXY_UP CONNECT "rx 1 'HTTP/1.1 407 Auth~Content-Length: 0~Connection: close~~'\n",
				  "- a:443 connect_error connect/PROXY_407 : " COLD_DIAL "\n" },
				{ "407, then another request: the tunnel was refused",
				  PROXY_UP CONNECT AUTH "tx 1 'GET http://b/ HTTP/1.1~Host: b~~'\n" OK KEEP,
				  "- a:443 connect_error connect/PROXY_407 : " COLD_DIAL "\n"
				  "GET http://b/ 200 ok : " REUSED SENT GOT PUT },
				{ "407 twice: the second is the failure",
				  PROXY_UP CONNECT AUTH CONNECT "rx 1 'HTTP/1.1 407 Auth~Connection: close~Content-Length: 0~~'\n" KEEP,
				  "- a:443 connect_error connect/PROXY_407 : " COLD_DIAL "\n" },
				{ "refused, then granted on the same connection: its dial is told with the refused",
				  "show time conn\n" PROXY_UP CONNECT DENIED KEEP CONNECT GRANTED IN_TLS TGET TOK KEEP,
				  "- a:443 connect_error connect/PROXY_403 : GetConn@0 ConnectStart@0 ConnectDone@10 [c-1 127.0.0.1:40001>127.0.0.1:3128 #1 proxy=http,127.0.0.1:3128,403]\n"
				  "GET https://a/ 200 ok : GetConn@0 TLSHandshakeStart@25 TLSHandshakeDone@65 GotConn{fresh}@65 WroteHeaders@75 WroteRequest@75 GotFirstResponseByte@85 GotResponseHeaders@85 GotBody@85 PutIdleConn@85 [c-1 127.0.0.1:40001>127.0.0.1:3128 #1 tls=openssl,TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no,nested proxy=http,127.0.0.1:3128,200]\n" },
				{ "an interim response in front",
				  PROXY_UP CONNECT "rx 1 'HTTP/1.1 100 Continue~~'\n" GRANTED IN_TLS TGET TOK KEEP,
				  "GET https://a/ 200 ok : " COLD_TLS SENT GOT PUT },
				{ "the proxy closes without an answer", PROXY_UP CONNECT "fin 1\n eof 1\n close 1\n +1s\n",
				  "- a:443 connect_error connect/closed : " COLD_DIAL "\n" },
				{ "the proxy resets", PROXY_UP CONNECT "reset 1\n rxfail 1 ECONNRESET\n +1s\n",
				  "- a:443 connect_error connect/ECONNRESET : " COLD_DIAL "\n" },
				{ "the client gives up", PROXY_UP CONNECT "close 1\n +1s\n",
				  "- a:443 aborted connect/aborted : " COLD_DIAL "\n" },
				{ "tracing ends", PROXY_UP CONNECT "end\n", "- a:443 incomplete connect/incomplete : " COLD_DIAL "\n" },
				{ "the answer is no HTTP", PROXY_UP CONNECT "rx 1 'garbage~~'\n +1s\n",
				  "- a:443 protocol_error connect/not_http : " COLD_DIAL "\n" },
				{ "TLS fails in the tunnel: HTTP is proven by ALPN",
				  "show args conn\n" PROXY_UP CONNECT GRANTED
				  "tls 1 start\n tls 1 bind 1 nested\n tx 1 tls13_client handshake\n rx 1 tls13_server handshake\n tls 1 fail 20 134 18\n close 1\n +1s\n",
				  "- a:443 tls_error tls/CERTIFICATE_VERIFY_FAILED : GetConn{127.0.0.1:3128} ConnectStart{127.0.0.1:3128} ConnectDone{127.0.0.1:3128} " TLS
				  "{-,-,alpn=-,sni=h.test,resumed=-,CERTIFICATE_VERIFY_FAILED} [c-1 127.0.0.1:40001>127.0.0.1:3128 #0 tls=openssl,TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no,nested proxy=http,127.0.0.1:3128,200]\n" },
				{ "a tunnel that nobody uses", PROXY_UP CONNECT GRANTED "close 1\n +1s\n counts\n",
				  "dial 127.0.0.1:3128 unused : " COLD_DIAL "\n"
				  "requests=0 dials=1 tunnels=1\n" },
				{ "TLS in the tunnel by a library that is not traced",
				  PROXY_UP CONNECT GRANTED
				  "tx 1 tls13_client handshake\n rx 1 tls13_server handshake\n tx 1 '\\x17\\x03\\x03' +99 stream=tls\n close 1\n +1s\n counts\n",
				  "requests=0 dials=0 opaque_tls=1 tunnels=1\n" },

				/* ---- HTTPS proxies ---- */
				{ "C13b: two handshakes; conn.tls is the target's",
				  "show args time how conn times\n" SAFE_UP TCONNECT TGRANTED "ttx 1 tls12_client stream=tls\n trx 1 tls12_server stream=tls\n" INNER INNER_GET INNER_OK KEEP INNER_GET INNER_OK KEEP "counts\n",
				  "GET https://a/ 200 ok : GetConn{h.test:3130}?@0 ConnectStart{127.0.0.1:3130}@0 ConnectDone{127.0.0.1:3130}@10 TLSHandshakeStart@20 TLSHandshakeDone{TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no}@60 TLSHandshakeStart@110 TLSHandshakeDone{TLSv1.2,TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no}@130 GotConn{fresh}?@130 WroteHeaders~@140 WroteRequest@140 GotFirstResponseByte@150 GotResponseHeaders{200}@150 GotBody{2}@150 PutIdleConn?@150 [c-1 127.0.0.1:40001>127.0.0.1:3130 #1 tls=openssl,TLSv1.2,TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no,nested proxy=https,127.0.0.1:3130,200] (blocked=60 dns=- connect=10 tls=60 send=10 wait=10 receive=0 total=150)\n"
				  "GET https://a/ 200 ok : GetConn{h.test:3130}?@0 GotConn{reused,idle=5005}?@0 WroteHeaders~@5 WroteRequest@5 GotFirstResponseByte@15 GotResponseHeaders{200}@15 GotBody{2}@15 PutIdleConn?@15 [c-1 127.0.0.1:40001>127.0.0.1:3130 #2 tls=openssl,TLSv1.2,TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no,nested proxy=https,127.0.0.1:3130,200] (blocked=- dns=- connect=- tls=- send=5 wait=10 receive=0 total=15)\n"
				  "requests=2 dials=0 tunnels=1\n" },
				{ "the target's handshake is not copied: its facts are not known, and not the proxy's",
				  "show conn\n" SAFE_UP TCONNECT TGRANTED
				  "ttx 1 '' +500 stream=tls\n trx 1 '' +900 stream=tls\n" INNER INNER_GET INNER_OK KEEP,
				  "GET https://a/ 200 ok : " COLD_DIAL " " TLS " " TLS " GotConn{fresh}" SENT GOT
				  " PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:3130 #1 tls=openssl,-,-,alpn=-,sni=-,resumed=-,nested proxy=https,127.0.0.1:3130,200]\n" },
				{ "BPF took it for another protocol",
				  SAFE_UP TCONNECT TGRANTED "ttx 1 tls12_client stream=other\n" INNER INNER_GET INNER_OK KEEP,
				  "GET https://a/ 200 ok : " COLD_DIAL " " TLS " " TLS " GotConn{fresh}" SENT GOT PUT },
				{ "the target's object is bound before a byte passed",
				  SAFE_UP TCONNECT TGRANTED
				  "tls 2 start\n tls 2 bind 1 nested\n ttx 1 tls12_client stream=tls\n trx 1 tls12_server stream=tls\n tls 2 done\n" INNER_GET
					  INNER_OK KEEP,
				  "GET https://a/ 200 ok : " COLD_DIAL " " TLS " " TLS " GotConn{fresh}" SENT GOT PUT },
				{ "what the proxy's object still tells changes nothing",
				  SAFE_UP TCONNECT TGRANTED INNER "tls 1 bind 1 nested\n tx 1 '' +99\n ttx 1 '' +99\n" INNER_GET
								  "trx 1 '' +99\n rx 1 '' +99\n" INNER_OK KEEP INNER_GET INNER_OK
								  "tls 2 free\n tls 1 free\n close 1\n +1s\n",
				  "GET https://a/ 200 ok : " COLD_DIAL " " TLS " " TLS " GotConn{fresh}" SENT GOT PUT
				  "GET https://a/ 200 ok : " REUSED SENT GOT " ConnClosed{client}\n" },
				{ "the proxy's object goes first",
				  SAFE_UP TCONNECT TGRANTED INNER INNER_GET "tls 1 free\n" INNER_OK KEEP "close 1\n +1s\n",
				  "GET https://a/ 200 ok : " COLD_DIAL " " TLS " " TLS " GotConn{fresh}" SENT GOT PUT },
				{ "the connection ends in the middle: the plaintext's offsets are not the socket's",
				  SAFE_UP TCONNECT TGRANTED INNER INNER_GET
				  "trx 2 'HTTP/1.1 200 OK~Content-Length: 9~~hi'\n teof 1\n fin 1\n eof 1\n close 1\n +1s\n",
				  "GET https://a/ 200 closed receive/closed : " COLD_DIAL " " TLS " " TLS " GotConn{fresh}" SENT GOT
				  " ConnClosed{server}\n" },
				{ "in clear inside the proxy's TLS",
				  "show args conn\n" SAFE_UP
				  "ttx 1 'CONNECT b:80 HTTP/1.1~Host: b:80~~'\n" TGRANTED TGET TOK KEEP TGET TOK KEEP,
				  "GET http://a/ 200 ok : GetConn{h.test:3130} ConnectStart{127.0.0.1:3130} ConnectDone{127.0.0.1:3130} " TLS
				  "{TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no} GotConn{fresh}" SENT HEAD
				  "{200} GotBody{2} PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:3130 #1 proxy=https,127.0.0.1:3130,200]\n"
				  "GET http://a/ 200 ok : GetConn{h.test:3130} GotConn{reused}" SENT HEAD
				  "{200} GotBody{2} PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:3130 #2 proxy=https,127.0.0.1:3130,200]\n" },
				{ "an HTTPS proxy refuses",
				  "show conn\n" SAFE_UP TCONNECT "trx 1 'HTTP/1.1 403 No~Content-Length: 0~~'\n" KEEP,
				  "- a:443 connect_error connect/PROXY_403 : " COLD_DIAL " " TLS
				  " [c-1 127.0.0.1:40001>127.0.0.1:3130 #1 tls=openssl,TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no,nested proxy=https,127.0.0.1:3130,403]\n" },
				{ "one HTTPS proxy through another: each object stays the connection's until either goes",
				  SAFE_UP TCONNECT TGRANTED INNER
				  "ttx 2 'CONNECT b:443 HTTP/1.1~Host: b:443~~'\n trx 2 'HTTP/1.1 200 OK~~'\n ttx 1 '' +99\n tls 3 start\n tls 3 bind 1 nested\n tls 3 done\n"
				  "ttx 3 'GET / HTTP/1.1~Host: b~~'\n ttx 1 '' +99\n trx 3 'HTTP/1.1 204 OK~~'\n tls 2 free\n trx 1 'x'\n" KEEP
				  "ttx 3 'GET / HTTP/1.1~Host: b~~'\n trx 3 'HTTP/1.1 204 OK~~'\n" KEEP
				  "close 1\n +1s\n tls 1 free\n tls 3 free\n",
				  "GET https://b/ 204 ok : " COLD_DIAL " " TLS " " TLS " GotConn{fresh}" SENT HEAD PUT
				  "GET https://b/ 204 ok : " REUSED SENT HEAD PUT },
				{ "the target's object is never bound",
				  SAFE_UP TCONNECT TGRANTED
				  "ttx 1 tls12_client stream=tls\n trx 1 '' +900 stream=tls\n close 1\n +1s\n counts\n",
				  "requests=0 dials=0 tunnels=1\n" },

				/* ---- absolute-form ---- */
				{ "C13d: another port than the connection's",
				  "show args conn\n" PROXY_UP "tx 1 'GET http://b/x?y HTTP/1.1~Host: b~~'\n" OK KEEP
				  "tx 1 'GET http://c/z HTTP/1.1~Host: c~~'\n" OK KEEP,
				  "GET http://b/x?y 200 ok : GetConn{127.0.0.1:3128} ConnectStart{127.0.0.1:3128} ConnectDone{127.0.0.1:3128} GotConn{fresh}" SENT
					  HEAD
				  "{200} GotBody{2} PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:3128 #1 proxy=http,127.0.0.1:3128,0]\n"
				  "GET http://c/z 200 ok : GetConn{127.0.0.1:3128} GotConn{reused}" SENT HEAD
				  "{200} GotBody{2} PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:3128 #2 proxy=http,127.0.0.1:3128,0]\n" },
				{ "another name than the one looked up",
				  "show conn\n dns 1 proxy.test 80 = 127.0.0.1\n" UP "tx 1 'GET http://b/ HTTP/1.1~Host: b~~'\n" OK KEEP,
				  "GET http://b/ 200 ok : GetConn " DNS " ConnectStart ConnectDone GotConn{fresh}" SENT GOT
				  " PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:80 #1 proxy=http,127.0.0.1:80,0]\n" },
				{ "another address", "show conn\n" UP "tx 1 'GET http://10.0.0.1/ HTTP/1.1~Host: 10.0.0.1~~'\n" OK KEEP,
				  "GET http://10.0.0.1/ 200 ok : " COLD SENT GOT
				  " PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:80 #1 proxy=http,127.0.0.1:80,0]\n" },
				{ "another address, IPv6",
				  "show conn\n connect 1 [::1]:80\n up 1\n tx 1 'GET http://[::2]/ HTTP/1.1~Host: x~~'\n" OK KEEP,
				  "GET http://[::2]/ 200 ok : " COLD SENT GOT
				  " PutIdleConn [c-1 [::1]:40001>[::1]:80 #1 proxy=http,[::1]:80,0]\n" },
				{ "to the origin itself, by name",
				  "show conn args\n dns 1 B.test 80 = 127.0.0.1\n" UP
				  "tx 1 'GET http://b.test/ HTTP/1.1~Host: b.test~~'\n" OK KEEP,
				  "GET http://b.test/ 200 ok : GetConn{B.test:80} DNSStart{B.test} DNSDone{127.0.0.1} ConnectStart{127.0.0.1:80} ConnectDone{127.0.0.1:80} GotConn{fresh}" SENT
					  HEAD "{200} GotBody{2} PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:80 #1]\n" },
				{ "to the origin itself, by address",
				  "show conn\n" UP "tx 1 'GET http://127.0.0.1/ HTTP/1.1~Host: x~~'\n" OK KEEP,
				  "GET http://127.0.0.1/ 200 ok : " COLD SENT GOT " PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:80 #1]\n" },
				{ "to the origin itself, by another spelling of its address",
				  "show conn\n connect 1 [::1]:80\n up 1\n tx 1 'GET http://[0:0:0:0:0:0:0:1]:80/ HTTP/1.1~Host: x~~'\n" OK
					  KEEP,
				  "GET http://[0:0:0:0:0:0:0:1]:80/ 200 ok : " COLD SENT GOT
				  " PutIdleConn [c-1 [::1]:40001>[::1]:80 #1]\n" },
				{ "a name, and nothing was looked up: not known",
				  "show conn\n" UP "tx 1 'GET http://b/ HTTP/1.1~Host: b~~'\n" OK KEEP,
				  "GET http://b/ 200 ok : " COLD SENT GOT " PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:80 #1]\n" },
				{ "a connection older than we: the port tells, a name does not",
				  "show conn\n old 1 127.0.0.1:3128\n tx 1 'GET http://b/ HTTP/1.1~Host: b~~'\n" OK KEEP
				  "old 2 127.0.0.1:80\n tx 2 'GET http://b/ HTTP/1.1~Host: b~~'\n rx 2 'HTTP/1.1 204 OK~~'\n" KEEP,
				  "GET http://b/ 200 ok : GetConn GotConn{unknown}" SENT GOT
				  " PutIdleConn [c-1 127.0.0.1:39999>127.0.0.1:3128 #1 proxy=http,127.0.0.1:3128,0]\n"
				  "GET http://b/ 204 ok : GetConn GotConn{unknown}" SENT HEAD
				  " PutIdleConn [c-2 127.0.0.1:39999>127.0.0.1:80 #1]\n" },
				{ "http over TLS", "show conn\n" SAFE_UP "ttx 1 'GET http://b/ HTTP/1.1~Host: b~~'\n" TOK KEEP,
				  "GET http://b/ 200 ok : " COLD_TLS SENT GOT
				  " PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:3130 #1 tls=openssl,TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no,nested proxy=https,127.0.0.1:3130,0]\n" },

				/* ---- SOCKS ---- */
				{ "SOCKS5, by name, in clear",
				  "show args time conn\n" SOCKS_UP SOCKS5 SOCKS_ASK SOCKS_OK HGET OK KEEP HGET OK KEEP "counts\n",
				  "GET http://h.test/ 200 ok : GetConn{127.0.0.1:1080}@0 ConnectStart{127.0.0.1:1080}@0 ConnectDone{127.0.0.1:1080}@10 GotConn{fresh}@50 WroteHeaders@60 WroteRequest@60 GotFirstResponseByte@70 GotResponseHeaders{200}@70 GotBody{2}@70 PutIdleConn@70 [c-1 127.0.0.1:40001>127.0.0.1:1080 #1 proxy=socks5,127.0.0.1:1080,0]\n"
				  "GET http://h.test/ 200 ok : GetConn{127.0.0.1:1080}@0 GotConn{reused,idle=5005}@0 WroteHeaders@5 WroteRequest@5 GotFirstResponseByte@15 GotResponseHeaders{200}@15 GotBody{2}@15 PutIdleConn@15 [c-1 127.0.0.1:40001>127.0.0.1:1080 #2 proxy=socks5,127.0.0.1:1080,0]\n"
				  "requests=2 dials=0 tunnels=1\n" },
				{ "SOCKS5, TLS behind it", "show args conn\n" SOCKS_UP SOCKS5 SOCKS_443 SOCKS_OK IN_TLS TGET TOK KEEP,
				  "GET https://a/ 200 ok : GetConn{127.0.0.1:1080} ConnectStart{127.0.0.1:1080} ConnectDone{127.0.0.1:1080} " TLS
				  "{TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no} GotConn{fresh}" SENT HEAD
				  "{200} GotBody{2} PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:1080 #1 tls=openssl,TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no,nested proxy=socks5,127.0.0.1:1080,0]\n" },
				{ "SOCKS5 with a password: only its length is told",
				  "show conn\n" SOCKS_UP
				  "tx 1 '\\x05\\x01\\x02' stream=socks\n rx 1 '\\x05\\x02' stream=socks\n tx 1 '' +11 stream=socks\n rx 1 '\\x01\\x00' stream=socks\n" SOCKS_ASK
					  SOCKS_OK HGET OK KEEP,
				  "GET http://h.test/ 200 ok : " COLD SENT GOT
				  " PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:1080 #1 proxy=socks5,127.0.0.1:1080,0]\n" },
				{ "SOCKS4a",
				  "show conn\n" SOCKS_UP
				  "tx 1 '\\x04\\x01\\x00\\x50\\x00\\x00\\x00\\x01me\\x00h.test\\x00' stream=socks\n rx 1 '\\x00\\x5a\\x00\\x00\\x00\\x00\\x00\\x00' stream=socks\n" HGET
					  OK KEEP,
				  "GET http://h.test/ 200 ok : " COLD SENT GOT
				  " PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:1080 #1 proxy=socks4,127.0.0.1:1080,0]\n" },
				{ "SOCKS4",
				  "show conn\n" SOCKS_UP
				  "tx 1 '\\x04\\x01\\x00\\x50\\x0a\\x00\\x00\\x01\\x00' stream=socks\n rx 1 '\\x00\\x5a\\x00\\x00\\x00\\x00\\x00\\x00' stream=socks\n tx 1 'GET /x HTTP/1.0~~'\n rx 1 'HTTP/1.0 204 OK~~'\n" KEEP,
				  "GET http://10.0.0.1:80/x 204 ok : " COLD SENT HEAD
				  " [c-1 127.0.0.1:40001>127.0.0.1:1080 #1 proxy=socks4,127.0.0.1:1080,0]\n" },
				{ "the proxy was looked up",
				  "show args conn\n dns 1 proxy.test 1080 = 127.0.0.1\n" SOCKS_UP SOCKS5 SOCKS_ASK SOCKS_OK HGET OK KEEP,
				  "GET http://h.test/ 200 ok : GetConn{proxy.test:1080} DNSStart{proxy.test} DNSDone{127.0.0.1} ConnectStart{127.0.0.1:1080} ConnectDone{127.0.0.1:1080} GotConn{fresh}" SENT
					  HEAD
				  "{200} GotBody{2} PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:1080 #1 proxy=socks5,127.0.0.1:1080,0]\n" },
				{ "an HTTP proxy behind it (curl --preproxy): conn.proxy is the first",
				  "show conn\n" SOCKS_UP SOCKS5 SOCKS_ASK SOCKS_OK CONNECT GRANTED IN_TLS TGET TOK KEEP,
				  "GET https://a/ 200 ok : " COLD_TLS SENT GOT
				  " PutIdleConn [c-1 127.0.0.1:40001>127.0.0.1:1080 #1 tls=openssl,TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no,nested proxy=socks5,127.0.0.1:1080,0]\n" },
				{ "an HTTP proxy behind it refuses", "show conn\n" SOCKS_UP SOCKS5 SOCKS_ASK SOCKS_OK CONNECT DENIED KEEP,
				  "- a:443 connect_error connect/PROXY_403 : " COLD_DIAL
				  " [c-1 127.0.0.1:40001>127.0.0.1:1080 #1 proxy=socks5,127.0.0.1:1080,0]\n" },
				{ "the proxy refuses: a dial, as nothing proves HTTP",
				  "show args conn\n filtered\n" SOCKS_UP SOCKS5 SOCKS_ASK SOCKS_NO "close 1\n +1s\n counts\n",
				  "dial 127.0.0.1:1080 connect_error connect/SOCKS_CONNECTION_REFUSED : GetConn{127.0.0.1:1080} ConnectStart{127.0.0.1:1080} ConnectDone{127.0.0.1:1080} [c-1 127.0.0.1:40001>127.0.0.1:1080 #0 proxy=socks5,127.0.0.1:1080,0]\n"
				  "requests=0 dials=1\n" },
				{ "system-wide the target's port tells whether it is wanted",
				  "dials auto\n" SOCKS_UP SOCKS5 SOCKS_443 SOCKS_NO "close 1\n +1s\n counts\n",
				  "dial 127.0.0.1:1080 connect_error connect/SOCKS_CONNECTION_REFUSED : " COLD_DIAL "\n"
				  "requests=0 dials=1\n" },
				{ "system-wide, another port",
				  "dials auto\n" SOCKS_UP SOCKS5 "tx 1 '\\x05\\x01\\x00\\x03\\x06h.test\\x00\\x16' stream=socks\n" SOCKS_NO
				  "close 1\n +1s\n counts\n",
				  "requests=0 dials=0 dials_hidden=1\n" },
				{ "the proxy refuses, where HTTP was spoken before: a request",
				  SOCKS_UP SOCKS5 SOCKS_443 SOCKS_OK IN_TLS
				  "ttx 1 'GET / HTTP/1.1~Host: h.test~~'\n" TOK KEEP
				  "close 1\n +1s\n connect 1 127.0.0.1:1080\n up 1\n" SOCKS5 SOCKS_443 SOCKS_NO "close 1\n +1s\n",
				  "GET https://h.test/ 200 ok : " COLD_TLS SENT GOT PUT
				  "- h.test:443 connect_error connect/SOCKS_CONNECTION_REFUSED : " COLD_DIAL "\n" },
				{ "the password is wrong",
				  "show conn\n filtered\n" SOCKS_UP
				  "tx 1 '\\x05\\x01\\x02' stream=socks\n rx 1 '\\x05\\x02' stream=socks\n tx 1 '' +11 stream=socks\n rx 1 '\\x01\\x01' stream=socks\n close 1\n +1s\n counts\n",
				  "dial 127.0.0.1:1080 connect_error connect/SOCKS_AUTH_FAILED : " COLD_DIAL
				  " [c-1 127.0.0.1:40001>127.0.0.1:1080 #0 proxy=socks5,127.0.0.1:1080,0]\n"
				  "requests=0 dials=1\n" },
				{ "the proxy closes in the handshake",
				  "filtered\n" SOCKS_UP SOCKS5 SOCKS_ASK "fin 1\n eof 1\n close 1\n +1s\n",
				  "dial 127.0.0.1:1080 connect_error connect/closed : " COLD_DIAL "\n" },
				{ "the client closes in the handshake", "filtered\n" SOCKS_UP SOCKS5 SOCKS_ASK "close 1\n +1s\n",
				  "dial 127.0.0.1:1080 aborted connect/aborted : " COLD_DIAL "\n" },
				{ "tracing ends in the handshake", "filtered\n" SOCKS_UP SOCKS5 SOCKS_ASK "end\n",
				  "dial 127.0.0.1:1080 incomplete connect/incomplete : " COLD_DIAL "\n" },
				{ "a record of the handshake was lost: nothing is guessed",
				  SOCKS_UP SOCKS5 "gap 1 tx 15\n" SOCKS_OK HGET OK "close 1\n +1s\n counts\n",
				  "dial 127.0.0.1:1080 incomplete connect/incomplete lost=1 : " COLD_DIAL "\n"
				  "requests=0 dials=1\n" },
				{ "BIND is not HTTP's",
				  SOCKS_UP SOCKS5
				  "tx 1 '\\x05\\x02\\x00\\x01\\x7f\\x00\\x00\\x01\\x00\\x50' stream=socks\n close 1\n +1s\n counts\n",
				  "requests=0 dials=0 not_http=1\n" },
				{ "BPF's word alone makes no SOCKS", UP "tx 1 'GET / HTTP/1.1~Host: a~~' stream=socks\n" OK KEEP,
				  "GET http://a/ 200 ok : " COLD SENT GOT PUT },
				{ "the server's first bytes come with the reply",
				  SOCKS_UP SOCKS5 SOCKS_ASK
				  "rx 1 '\\x05\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00SSH-2.0-x~' stream=socks\n tx 1 'SSH-2.0-y~'\n close 1\n +1s\n counts\n",
				  "requests=0 dials=0 not_http=1 tunnels=1\n" },

				/* ---- 101 ---- */
				{ "WebSocket: the request ends with its 101; frames are counted, and who closed, how",
				  "show args conn\n" WS_UP "tx 1 '" WS_SAY WS_SAY "'\n rx 1 '\\x81\\x01y'\n tx 1 '" WS_BYE
				  "'\n rx 1 '\\x88\\x02\\x03\\xe8'\n fin 1\n close 1\n +1s\n counts\n",
				  "GET http://a/ws 101 ok : GetConn{a:80} ConnectStart{127.0.0.1:80} ConnectDone{127.0.0.1:80} GotConn{fresh}" SENT
					  HEAD "{101} [c-1 127.0.0.1:40001>127.0.0.1:80 #1]\n"
				  "websocket http://a/ws ok frames 3/2 close=1000 by=client : [c-1 127.0.0.1:40001>127.0.0.1:80 #1]\n"
				  "requests=1 dials=0 websockets=1 upgraded=1\n" },
				{ "frames in the piece that has the 101",
				  UP WS_ASK WS_YES "\\x81\\x01y\\x89\\x00'\n tx 1 '" WS_SAY
						   "'\n rx 1 '\\x88\\x02\\x0f\\xa1'\n tx 1 '" WS_BYE "'\n close 1\n +1s\n",
				  "GET http://a/ws 101 ok : " COLD SENT HEAD "\n"
				  "websocket http://a/ws ok frames 2/3 close=4001 by=server :\n" },
				{ "payload that was not copied",
				  WS_UP
				  "tx 1 '\\x82\\xfe\\x10\\x00\\x00\\x00\\x00\\x00' +4096 stream=websocket\n rx 1 '\\x82\\x7e\\x10\\x00' +4096 stream=websocket\n tx 1 '" WS_BYE
				  "'\n close 1\n +1s\n",
				  "GET http://a/ws 101 ok : " COLD SENT HEAD "\n"
				  "websocket http://a/ws ok frames 2/1 close=1000 by=client :\n" },
				{ "over TLS",
				  "show conn\n" TLS_UP
				  "ttx 1 'GET /ws HTTP/1.1~Host: a~Connection: Upgrade~Upgrade: websocket~~'\n trx 1 'HTTP/1.1 101 X~Connection: Upgrade~Upgrade: WebSocket~~\\x81\\x01y'\n ttx 1 '" WS_SAY
				  "'\n ttx 1 '" WS_BYE "'\n teof 1\n fin 1\n eof 1\n close 1\n +1s\n",
				  "GET https://a/ws 101 ok : " COLD_TLS SENT HEAD
				  " [c-1 127.0.0.1:40001>127.0.0.1:443 #1 tls=openssl,TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no,nested]\n"
				  "websocket https://a/ws ok frames 2/1 close=1000 by=client : [c-1 127.0.0.1:40001>127.0.0.1:443 #1 tls=openssl,TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no,nested]\n" },
				{ "through a proxy",
				  "show conn\n" PROXY_UP "tx 1 'CONNECT a:80 HTTP/1.1~Host: a:80~~'\n" GRANTED WS_ASK WS_YES
				  "'\n tx 1 '" WS_SAY "'\n close 1\n +1s\n",
				  "GET http://a/ws 101 ok : " COLD SENT HEAD
				  " [c-1 127.0.0.1:40001>127.0.0.1:3128 #1 proxy=http,127.0.0.1:3128,200]\n"
				  "websocket http://a/ws aborted receive/aborted frames 1/0 by=client : [c-1 127.0.0.1:40001>127.0.0.1:3128 #1 proxy=http,127.0.0.1:3128,200]\n" },
				{ "closed without a word by the client", WS_UP "tx 1 '" WS_SAY "'\n close 1\n +1s\n",
				  "GET http://a/ws 101 ok : " COLD SENT HEAD "\n"
				  "websocket http://a/ws aborted receive/aborted frames 1/0 by=client :\n" },
				{ "closed without a word by the server", WS_UP "rx 1 '\\x81\\x01y'\n fin 1\n eof 1\n close 1\n +1s\n",
				  "GET http://a/ws 101 ok : " COLD SENT HEAD "\n"
				  "websocket http://a/ws closed receive/closed frames 0/1 by=server :\n" },
				{ "the server's end is read late: what came before counts",
				  WS_UP "fin 1\n rx 1 '\\x81\\x01y'\n eof 1\n close 1\n +1s\n",
				  "GET http://a/ws 101 ok : " COLD SENT HEAD "\n"
				  "websocket http://a/ws closed receive/closed frames 0/1 by=server :\n" },
				{ "reset", WS_UP "reset 1\n rxfail 1 ECONNRESET\n +1s\n",
				  "GET http://a/ws 101 ok : " COLD SENT HEAD "\n"
				  "websocket http://a/ws reset receive/ECONNRESET frames 0/0 by=reset :\n" },
				{ "reset, and nobody reads", WS_UP "reset 1\n +1s\n",
				  "GET http://a/ws 101 ok : " COLD SENT HEAD "\n"
				  "websocket http://a/ws reset receive/ECONNRESET frames 0/0 by=reset :\n" },
				{ "the process exits", WS_UP "exit 100\n +1s\n",
				  "GET http://a/ws 101 ok : " COLD SENT HEAD "\n"
				  "websocket http://a/ws aborted receive/aborted frames 0/0 by=client :\n" },
				{ "Close without a code",
				  WS_UP "rx 1 '\\x88\\x00'\n tx 1 '\\x88\\x80\\x00\\x00\\x00\\x00'\n close 1\n +1s\n",
				  "GET http://a/ws 101 ok : " COLD SENT HEAD "\n"
				  "websocket http://a/ws ok frames 1/1 close=1005 by=server :\n" },
				{ "the first Close counts: the other only repeats it",
				  WS_UP "rx 1 '\\x88\\x00'\n tx 1 '" WS_BYE "'\n close 1\n +1s\n",
				  "GET http://a/ws 101 ok : " COLD SENT HEAD "\n"
				  "websocket http://a/ws ok frames 1/1 close=1005 by=server :\n" },
				{ "tracing ends: open", WS_UP "tx 1 '" WS_SAY "'\n end\n",
				  "GET http://a/ws 101 ok : " COLD SENT HEAD "\n"
				  "websocket http://a/ws incomplete receive/incomplete open frames 1/0 :\n" },
				{ "tracing ends behind a Close: it was closed", WS_UP "tx 1 '" WS_BYE "'\n end\n",
				  "GET http://a/ws 101 ok : " COLD SENT HEAD "\n"
				  "websocket http://a/ws ok frames 1/0 close=1000 by=client :\n" },
				{ "tracing ends behind what is no frame: that is its outcome", WS_UP "tx 1 '\\x81\\x01x'\n end\n",
				  WS_REQ "websocket http://a/ws protocol_error send/bad_mask frames 0/0 :\n" },
				{ "tracing ends behind a gap: whether it is open is not known",
				  WS_UP "gap 1 rx 9\n rx 1 '\\x81\\x01y'\n end\n",
				  WS_REQ "websocket http://a/ws incomplete receive/gap lost=1 frames 0/? :\n" },
				{ "no frame: the client does not mask", WS_UP "tx 1 '\\x81\\x01x'\n rx 1 '\\x81\\x01y'\n close 1\n +1s\n",
				  "GET http://a/ws 101 ok : " COLD SENT HEAD "\n"
				  "websocket http://a/ws protocol_error send/bad_mask frames 0/1 by=client :\n" },
				{ "no frame: the server masks",
				  WS_UP "tx 1 '" WS_SAY "'\n rx 1 '\\x81\\x81\\x00\\x00\\x00\\x00y'\n close 1\n +1s\n",
				  "GET http://a/ws 101 ok : " COLD SENT HEAD "\n"
				  "websocket http://a/ws protocol_error receive/bad_mask frames 1/0 by=client :\n" },
				{ "compressed, as agreed",
				  UP WS_ASK
				  "rx 1 'HTTP/1.1 101 S~Upgrade: websocket~Connection: Upgrade~Sec-WebSocket-Extensions: permessage-deflate~~'\n rx 1 '\\xc1\\x01y'\n tx 1 '" WS_BYE
				  "'\n close 1\n +1s\n",
				  "GET http://a/ws 101 ok : " COLD SENT HEAD "\n"
				  "websocket http://a/ws ok frames 1/1 close=1000 by=client :\n" },
				{ "a lost frame: that direction's number is not known",
				  WS_UP "rx 1 '\\x81\\x01y'\n gap 1 rx 9\n rx 1 '\\x81\\x01y'\n tx 1 '" WS_SAY "'\n close 1\n +1s\n",
				  "GET http://a/ws 101 ok : " COLD SENT HEAD "\n"
				  "websocket http://a/ws incomplete receive/gap lost=1 frames 1/? by=client :\n" },
				{ "lost inside a payload: the frame is whole",
				  WS_UP "rx 1 '\\x82\\x09y'\n gap 1 rx 4\n rx 1 'yyyy' lost=1\n tx 1 '" WS_BYE "'\n close 1\n +1s\n",
				  "GET http://a/ws 101 ok : " COLD SENT HEAD "\n"
				  "websocket http://a/ws ok lost=1 frames 1/1 close=1000 by=client :\n" },
				{ "a record told twice counts once",
				  WS_UP "rx 1 '\\x81\\x01y\\x81\\x01y' off=67\n rx 1 '\\x81\\x01y\\x81\\x01y' off=67\n tx 1 '" WS_BYE
					"'\n close 1\n +1s\n",
				  "GET http://a/ws 101 ok : " COLD SENT HEAD "\n"
				  "websocket http://a/ws ok frames 1/2 close=1000 by=client :\n" },
				{ "records of lost bytes at the end", WS_UP "rx 1 '\\x81\\x01y' lost=1\n gap 1 rx 3\n close 1\n +1s\n",
				  "GET http://a/ws 101 ok : " COLD SENT HEAD "\n"
				  "websocket http://a/ws incomplete receive/gap lost=1 frames 0/? by=client :\n" },
				{ "another protocol: opaque, never HTTP again",
				  UP
				  "tx 1 'GET / HTTP/1.1~Host: a~Connection: Upgrade~Upgrade: x~~'\n rx 1 'HTTP/1.1 101 S~Connection: Upgrade~Upgrade: x~~HTTP/1.1 200 OK~~'\n tx 1 'GET /no HTTP/1.1~Host: a~~'\n rx 1 'HTTP/1.1 200 OK~Content-Length: 0~~'\n close 1\n +1s\n counts\n",
				  "GET http://a/ 101 ok : " COLD SENT HEAD " ConnClosed{client}\n"
				  "requests=1 dials=0 upgraded=1\n" },
				{ "the 101 is told before the request",
				  "whole\n" UP WS_YES
				  "\\x81\\x01y'\n rx 1 '\\x81\\x01y'\n tx 1 'GET /ws HTTP/1.1~Host: a~Connection: Upgrade~Upgrade: websocket~~' took=50us\n rx 1 '\\x81\\x01y'\n tx 1 '" WS_BYE
				  "'\n close 1\n +1s\n",
				  "GET http://a/ws 101 ok : " COLD SENT HEAD "\n"
				  "websocket http://a/ws ok frames 1/3 close=1000 by=client :\n" },

				/* ---- h2c ---- */
				{
					"h2c: the request is stream 1, its first byte the 101's",
					"show args time conn bytes\n" UP
					"tx 1 'GET /1 HTTP/1.1~Host: a~Connection: Upgrade, HTTP2-Settings~Upgrade: h2c~HTTP2-Settings: AAAA~~'\n rx 1 'HTTP/1.1 101 S~Connection: Upgrade~Upgrade: h2c~~'\n h2 1 rx settings\n h2 1 tx preface settings ack\n h2 1 rx ack H1,:status=200 D1.:5\n" KEEP "h2 1 tx H3.,:method=GET,:scheme=http,:authority=a,:path=/3\n h2 1 rx H3.,:status=204\n" KEEP
					"counts\n",
					"GET http://a/1 200 ok : GetConn{a:80}@0 ConnectStart{127.0.0.1:80}@0 ConnectDone{127.0.0.1:80}@10 GotConn{fresh}@10 WroteHeaders@20 WroteRequest@20 GotFirstResponseByte@30 GotResponseHeaders{200}@60 GotBody{5}@60 [c-1 127.0.0.1:40001>127.0.0.1:80 #1 http=2 stream=1] tx=101+0 rx=1+5\n"
					"GET http://a/3 204 ok : GetConn{a:80}@0 GotConn{reused,idle=5005}@0 WroteHeaders@5 WroteRequest@5 GotFirstResponseByte@15 GotResponseHeaders{204}@15 [c-1 127.0.0.1:40001>127.0.0.1:80 #2 http=2 stream=3] tx=9+0 rx=1+0\n"
					"requests=2 dials=0 upgraded=1 http2=1\n" },
				{ "h2c: the connection ends before the response",
				  UP
				  "tx 1 'GET /1 HTTP/1.1~Host: a~Connection: Upgrade, HTTP2-Settings~Upgrade: h2c~HTTP2-Settings: AAAA~~'\n rx 1 'HTTP/1.1 101 S~Connection: Upgrade~Upgrade: h2c~~'\n h2 1 tx preface settings\n fin 1\n eof 1\n close 1\n +1s\n",
				  "GET http://a/1 closed receive/closed : " COLD SENT " GotFirstResponseByte ConnClosed{server}\n" },

				/* ---- responses without end ---- */
				{ "server-sent events, and tracing ends: open, with the bytes so far",
				  "show args bytes\n" UP GET
				  "rx 1 'HTTP/1.1 200 OK~Content-Type: text/event-stream~Transfer-Encoding: chunked~~'\n rx 1 '9~data: 1\\n\\n~'\n +1s\n rx 1 '9~data: 2\\n\\n~'\n +1s\n end\n",
				  "GET http://a/ 200 incomplete receive/incomplete open : GetConn{a:80} ConnectStart{127.0.0.1:80} ConnectDone{127.0.0.1:80} GotConn{fresh}" SENT
					  HEAD "{200} GotBody{18} tx=27+0 rx=80+18\n" },
				{ "until the connection's end",
				  "show args bytes\n" UP GET "rx 1 'HTTP/1.1 200 OK~~data'\n +1s\n rx 1 '' +100\n +1s\n end\n",
				  "GET http://a/ 200 incomplete receive/incomplete open : GetConn{a:80} ConnectStart{127.0.0.1:80} ConnectDone{127.0.0.1:80} GotConn{fresh}" SENT
					  HEAD "{200} GotBody{104} tx=27+0 rx=19+104\n" },
				{ "a long poll: not a byte yet", UP GET "+10s\n end\n",
				  "GET http://a/ incomplete wait/incomplete open : " COLD SENT "\n" },
				{ "server-sent events end with the connection",
				  UP GET "rx 1 'HTTP/1.1 200 OK~Transfer-Encoding: chunked~~2~hi~'\n close 1\n +1s\n end\n",
				  "GET http://a/ 200 aborted receive/aborted : " COLD SENT GOT " ConnClosed{client}\n" },
				{ "a request not yet sent is not open", UP "tx 1 'POST / HTTP/1.1~Host: a~Content-Length: 9~~x'\n end\n",
				  "POST http://a/ incomplete send/incomplete : " COLD " WroteHeaders\n" },
				{ "its end may be among what was lost: not open", UP GET "lost 3 ringbuf\n end\n",
				  "lost 3 ringbuf\n"
				  "GET http://a/ incomplete wait/incomplete lost=3 : " COLD SENT "\n" },

				/* ---- content as it is on the wire ---- */
				{ "gzip with a length",
				  "show args bytes\n" UP GET
				  "rx 1 'HTTP/1.1 200 OK~Content-Encoding: gzip~Content-Length: 30~~\\x1f\\x8b\\x08' +27\n" KEEP,
				  "GET http://a/ 200 ok : GetConn{a:80} ConnectStart{127.0.0.1:80} ConnectDone{127.0.0.1:80} GotConn{fresh}" SENT
					  HEAD "{200} GotBody{30} PutIdleConn tx=27+0 rx=63+30\n" },
				{ "gzip in chunks, with trailers: neither framing nor trailers count",
				  "show args bytes\n" UP GET
				  "rx 1 'HTTP/1.1 200 OK~Content-Encoding: gzip~Transfer-Encoding: chunked~Trailer: X~~3;a=b~\\x1f\\x8b\\x08~'\n rx 1 '1b~' +27\n rx 1 '~0~X: y~~'\n" KEEP,
				  "GET http://a/ 200 ok : GetConn{a:80} ConnectStart{127.0.0.1:80} ConnectDone{127.0.0.1:80} GotConn{fresh}" SENT
					  HEAD "{200} GotBody{30} PutIdleConn tx=27+0 rx=83+30\n" },
				{ "Transfer-Encoding gzip under chunked",
				  "show args bytes\n" UP GET
				  "rx 1 'HTTP/1.1 200 OK~Transfer-Encoding: gzip, chunked~~3~\\x1f\\x8b\\x08~0~~'\n" KEEP,
				  "GET http://a/ 200 ok : GetConn{a:80} ConnectStart{127.0.0.1:80} ConnectDone{127.0.0.1:80} GotConn{fresh}" SENT
					  HEAD "{200} GotBody{3} PutIdleConn tx=27+0 rx=53+3\n" },
				{ "gzip until the connection's end",
				  "show args bytes\n" UP GET
				  "rx 1 'HTTP/1.0 200 OK~Content-Encoding: gzip~~\\x1f\\x8b' +50\n fin 1\n eof 1\n",
				  "GET http://a/ 200 ok : GetConn{a:80} ConnectStart{127.0.0.1:80} ConnectDone{127.0.0.1:80} GotConn{fresh}" SENT
					  HEAD "{200} GotBody{52} ConnClosed{server} tx=27+0 rx=43+52\n" },
				{ "a chunked upload with trailers",
				  "show args bytes\n" UP
				  "tx 1 'POST / HTTP/1.1~Host: a~Transfer-Encoding: chunked~Content-Encoding: gzip~~5~\\x1f\\x8b\\x08xx~'\n tx 1 '400~' +1024\n tx 1 '~0~X: y~~'\n rx 1 'HTTP/1.1 204 OK~~'\n" KEEP,
				  "POST http://a/ 204 ok : GetConn{a:80} ConnectStart{127.0.0.1:80} ConnectDone{127.0.0.1:80} GotConn{fresh}" SENT
					  HEAD "{204} PutIdleConn tx=80+1029 rx=19+0\n" },
				{ "multipart and ranges: bytes as they are",
				  "show args bytes\n" UP
				  "tx 1 'POST / HTTP/1.1~Host: a~Content-Type: multipart/form-data; boundary=b~Content-Length: 2000~~--b~' +1995\n rx 1 'HTTP/1.1 206 P~Content-Range: bytes 0-9/99~Content-Length: 10~~' +10\n" KEEP,
				  "POST http://a/ 206 ok : GetConn{a:80} ConnectStart{127.0.0.1:80} ConnectDone{127.0.0.1:80} GotConn{fresh}" SENT
					  HEAD "{206} GotBody{10} PutIdleConn tx=97+2000 rx=67+10\n" },
			};

#endif
