/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_engine_cases_http.h - scenarios of HTTP/1 on one connection: hooks.md C, rules B2 to B4, failures by phase.
 */
#ifndef HT_TEST_ENGINE_CASES_HTTP_H
#define HT_TEST_ENGINE_CASES_HTTP_H

#include "test_engine_cases.h"

static const struct engine_case http_cases[] = {
	{ "C1: cold by name, every argument, time and mark",
	  "show args time how conn bytes\n dns 1 www.test 80 = 127.0.0.1\n" UP "tx 1 'GET /x?y HTTP/1.1~Host: www.test~~'\n" OK KEEP,
	  "GET http://www.test/x?y 200 ok : GetConn{www.test:80}?@0 DNSStart{www.test}@0 DNSDone{127.0.0.1}@100 ConnectStart{127.0.0.1:80}@110 "
	  "ConnectDone{127.0.0.1:80}@120 GotConn{fresh}?@120 WroteHeaders~@130 WroteRequest@130 GotFirstResponseByte@140 GotResponseHeaders{200}@140 "
	  "GotBody{2}@140 PutIdleConn?@140 [c-1 127.0.0.1:40001>127.0.0.1:80 #1] tx=37+0 rx=38+2\n" },
	{ "C1b: by address no DNS hooks; IPv6 has brackets",
	  "show args\n connect 1 [::1]:80\n up 1\n tx 1 'GET / HTTP/1.1~Host: [::1]~~'\n" OK KEEP,
	  "GET http://[::1]/ 200 ok : GetConn{[::1]:80} ConnectStart{[::1]:80} ConnectDone{[::1]:80} GotConn{fresh}" SENT
	  " GotFirstResponseByte GotResponseHeaders{200} GotBody{2}" PUT },
	{ "user info in a Host field is in no hook", "show args\n" UP "tx 1 'GET / HTTP/1.1~Host: joe:geheim@a~~'\n" OK KEEP,
	  "GET http://joe:[redacted]@a/ 200 ok : GetConn{a:80} ConnectStart{127.0.0.1:80} ConnectDone{127.0.0.1:80} GotConn{fresh}" SENT
	  " GotFirstResponseByte GotResponseHeaders{200} GotBody{2}" PUT },
	{ "a Host field that is no host: the address", "show args\n" UP "tx 1 'GET / HTTP/1.1~Host: a?x@b~~'\n" OK KEEP,
	  "GET http://a?x@b/ 200 ok : GetConn{127.0.0.1:80} ConnectStart{127.0.0.1:80} ConnectDone{127.0.0.1:80} GotConn{fresh}" SENT
	  " GotFirstResponseByte GotResponseHeaders{200} GotBody{2}" PUT },
	{ "0a: a literal address has no DNS hooks, whoever looks it up", "dns 1 127.0.0.1 80 = 127.0.0.1\n" UP GET OK KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT PUT },
	{ "0a: so with brackets, and with a zone",
	  "dns 1 [::1] 80 = ::1\n dns 2 fe80::1%2 80 = fe80::1\n connect 1 [::1]:80\n up 1\n" GET OK KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT PUT },
	{ "C3, B2: reuse; idle time from the response's end to the begin of the send",
	  "show time\n" UP GET OK "+50ms\n tx 1 'GET /2 HTTP/1.1~Host: a~~' took=7us\n" OK KEEP,
	  "GET http://a/ 200 ok : GetConn@0 ConnectStart@0 ConnectDone@10 GotConn{fresh}@10 WroteHeaders@20 WroteRequest@20 GotFirstResponseByte@30 "
	  "GotResponseHeaders@30 GotBody@30 PutIdleConn@30\n"
	  "GET http://a/2 200 ok : GetConn@0 GotConn{reused,idle=50003}@0 WroteHeaders@7 WroteRequest@7 GotFirstResponseByte@17 GotResponseHeaders@17 "
	  "GotBody@17 PutIdleConn@17\n" },
	{ "B2: the begin of the send is not known: its end stands for it",
	  "show time\n" UP GET OK "+1ms\n tx 1 'GET /2 HTTP/1.1~Host: a~~' took=?\n" OK KEEP,
	  "GET http://a/ 200 ok : GetConn@0 ConnectStart@0 ConnectDone@10 GotConn{fresh}@10 WroteHeaders@20 WroteRequest@20 GotFirstResponseByte@30 "
	  "GotResponseHeaders@30 GotBody@30 PutIdleConn@30\n"
	  "GET http://a/2 200 ok : GetConn@0 GotConn{reused,idle=1010}@0 WroteHeaders@0 WroteRequest@0 GotFirstResponseByte@10 GotResponseHeaders@10 "
	  "GotBody@10 PutIdleConn@10\n" },
	{ "0a: the 50 us rule is dropped: reuse 6 us behind the response was idle",
	  UP GET OK "step 6us\n tx 1 'GET /2 HTTP/1.1~Host: a~~'\n step 10us\n" OK KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT PUT "GET http://a/2 200 ok : " REUSED SENT GOT PUT },
	{ "B2: a connection used long after it was made is fresh all the same", UP "+3s\n" GET OK KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT PUT },
	{ "B4: nothing is told before the 5 ms are over", UP GET OK "+4999us\n due\n +1us\n",
	  "due +1us\nGET http://a/ 200 ok : " COLD SENT GOT PUT },
	{ "B4: the next request settles the former at once", UP GET OK "+1ms\n tx 1 'GET /2 HTTP/1.1~Host: a~~'\n",
	  "GET http://a/ 200 ok : " COLD SENT GOT PUT },
	{ "0a: a read that finds nothing is PutIdleConn's time, as a proxy", "show time how\n" UP GET OK "again 1\n" KEEP,
	  "GET http://a/ 200 ok : GetConn?@0 ConnectStart@0 ConnectDone@10 GotConn{fresh}?@10 WroteHeaders~@20 WroteRequest@20 GotFirstResponseByte@30 "
	  "GotResponseHeaders@30 GotBody@30 PutIdleConn~@40\n" },
	{ "0a: the first such read counts; one in the middle of the response does not",
	  "show time\n" UP GET "again 1\n rx 1 'HTTP/1.1 200 OK~Content-Length: 2~~h'\n again 1\n rx 1 'i'\n again 1\n again 1\n" KEEP,
	  "GET http://a/ 200 ok : GetConn@0 ConnectStart@0 ConnectDone@10 GotConn{fresh}@10 WroteHeaders@20 WroteRequest@20 GotFirstResponseByte@40 "
	  "GotResponseHeaders@40 GotBody@60 PutIdleConn@70\n" },
	{ "0a: nothing for a client that reads, finds nothing, and closes within 5 ms", UP GET OK "again 1\n +4ms\n close 1\n",
	  "GET http://a/ 200 ok : " COLD SENT GOT " ConnClosed{client}\n" },
	{ "B4: the client closes within 5 ms", UP GET OK "+4900us\n close 1\n",
	  "GET http://a/ 200 ok : " COLD SENT GOT " ConnClosed{client}\n" },
	{ "B4: a close after 5 ms is no part of it", UP GET OK KEEP "close 1\n", "GET http://a/ 200 ok : " COLD SENT GOT PUT },
	{ "0a: the client exits within 5 ms: nothing for PutIdleConn", UP GET OK "exit 100\n close 1\n +1s\n",
	  "GET http://a/ 200 ok : " COLD SENT GOT " ConnClosed{client}\n" },
	{ "B4: the server's FIN comes first", UP GET OK "fin 1\n", "GET http://a/ 200 ok : " COLD SENT GOT " ConnClosed{server}\n" },
	{ "B4: it came before the response was read: closed at its end", "show time\n" UP GET "fin 1\n" OK,
	  "GET http://a/ 200 ok : GetConn@0 ConnectStart@0 ConnectDone@10 GotConn{fresh}@10 WroteHeaders@20 WroteRequest@20 GotFirstResponseByte@40 "
	  "GotResponseHeaders@40 GotBody@40 ConnClosed{server}@40\n" },
	{ "B4: the server resets within 5 ms of the response", UP GET OK "reset 1\n +1s\n",
	  "GET http://a/ 200 ok : " COLD SENT GOT " ConnClosed{reset}\n" },
	{ "B4: end of stream read behind the response, without a FIN record", UP GET OK "eof 1\n",
	  "GET http://a/ 200 ok : " COLD SENT GOT " ConnClosed{server}\n" },
	{ "C19b: Connection: close by the server", UP GET "rx 1 'HTTP/1.1 200 OK~Connection: close~Content-Length: 2~~hi'\n" KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT "\n" },
	{ "C19b: Connection: close by the client", UP "tx 1 'GET / HTTP/1.1~Host: a~Connection: close~~'\n" OK KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT "\n" },
	{ "B4: HTTP/1.0 without keep-alive", UP "tx 1 'GET / HTTP/1.0~Host: a~~'\n rx 1 'HTTP/1.0 200 OK~Content-Length: 2~~hi'\n" KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT "\n" },
	{ "B4: HTTP/1.0, both say keep-alive",
	  UP
	  "tx 1 'GET / HTTP/1.0~Host: a~Connection: keep-alive~~'\n rx 1 'HTTP/1.0 200 OK~Connection: Keep-Alive~Content-Length: 2~~hi'\n" KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT PUT },
	{ "B4: HTTP/1.0, only the client says keep-alive",
	  UP "tx 1 'GET / HTTP/1.0~Host: a~Connection: keep-alive~~'\n rx 1 'HTTP/1.0 200 OK~Content-Length: 2~~hi'\n" KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT "\n" },
	{ "B4: 1.1 asks, 1.0 answers without keep-alive", UP GET "rx 1 'HTTP/1.0 200 OK~Content-Length: 2~~hi'\n" KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT "\n" },
	{ "close-delimited: whole at the stream's end",
	  "show bytes\n" UP GET "rx 1 'HTTP/1.1 200 OK~~some'\n rx 1 'more' +100\n fin 1\n eof 1\n",
	  "GET http://a/ 200 ok : " COLD SENT GOT " ConnClosed{server} tx=27+0 rx=19+108\n" },
	{ "close-delimited, 1.0: end of stream and FIN in the other order",
	  UP GET "rx 1 'HTTP/1.0 200 OK~~body'\n eof 1\n fin 1\n close 1\n",
	  "GET http://a/ 200 ok : " COLD SENT GOT " ConnClosed{server}\n" },
	{ "close-delimited: the client closes before the end: aborted", UP GET "rx 1 'HTTP/1.1 200 OK~~some'\n close 1\n",
	  "GET http://a/ 200 aborted receive/aborted : " COLD SENT GOT " ConnClosed{client}\n" },
	{ "C19: HEAD has a length and no body", UP "tx 1 'HEAD / HTTP/1.1~Host: a~~'\n rx 1 'HTTP/1.1 200 OK~Content-Length: 99~~'\n" KEEP,
	  "HEAD http://a/ 200 ok : " COLD SENT HEAD PUT },
	{ "C19: 204", UP GET "rx 1 'HTTP/1.1 204 No Content~~'\n" KEEP, "GET http://a/ 204 ok : " COLD SENT HEAD PUT },
	{ "C19: 304 with a length", UP GET "rx 1 'HTTP/1.1 304 Not Modified~Content-Length: 99~~'\n" KEEP,
	  "GET http://a/ 304 ok : " COLD SENT HEAD PUT },
	{ "C19: HEAD, 304, GET on one connection: each framed by its own request",
	  UP "tx 1 'HEAD /1 HTTP/1.1~Host: a~~'\n rx 1 'HTTP/1.1 200 OK~Content-Length: 9~~'\n"
	     "tx 1 'GET /2 HTTP/1.1~Host: a~~'\n rx 1 'HTTP/1.1 304 X~Content-Length: 9~~'\n"
	     "tx 1 'GET /3 HTTP/1.1~Host: a~~'\n" OK KEEP,
	  "HEAD http://a/1 200 ok : " COLD SENT HEAD PUT "GET http://a/2 304 ok : " REUSED SENT HEAD PUT
	  "GET http://a/3 200 ok : " REUSED SENT GOT PUT },
	{ "C20: chunked with trailers; content without framing",
	  "show args bytes\n" UP GET "rx 1 'HTTP/1.1 200 OK~Transfer-Encoding: chunked~~3;x=y~abc~2~de~0~T: 1~'\n +1ms\n rx 1 '~'\n" KEEP,
	  "GET http://a/ 200 ok : GetConn{a:80} ConnectStart{127.0.0.1:80} ConnectDone{127.0.0.1:80} GotConn{fresh}" SENT
	  " GotFirstResponseByte GotResponseHeaders{200} GotBody{5} PutIdleConn tx=27+0 rx=47+5\n" },
	{ "redirect to the same host (C10): PutIdleConn before the next GetConn",
	  "show time\n" UP GET
	  "rx 1 'HTTP/1.1 302 Found~Location: /2~Content-Length: 0~~'\n tx 1 'GET /2 HTTP/1.1~Host: a~Referer: http://a/~~'\n" OK KEEP,
	  "GET http://a/ 302 ok : GetConn@0 ConnectStart@0 ConnectDone@10 GotConn{fresh}@10 WroteHeaders@20 WroteRequest@20 GotFirstResponseByte@30 "
	  "GotResponseHeaders@30 GotBody@30 PutIdleConn@30\n"
	  "GET http://a/2 200 ok : GetConn@0 GotConn{reused,idle=5}@0 WroteHeaders@5 WroteRequest@5 GotFirstResponseByte@15 GotResponseHeaders@15 "
	  "GotBody@15 PutIdleConn@15\n" },

	/* ---- 1xx ---- */
	{ "C8: Expect, 100, body; the order of both 100 hooks", "show time how\n" UP EXPECT GO_ON "tx 1 'hello'\n" OK KEEP,
	  "POST http://a/ 200 ok : GetConn?@0 ConnectStart@0 ConnectDone@10 GotConn{fresh}?@10 WroteHeaders~@20 Wait100Continue?@20 "
	  "GotFirstResponseByte@30 Got100Continue@30 Got1xxResponse{100}@30 WroteRequest@40 GotResponseHeaders@50 GotBody@50 PutIdleConn?@50\n" },
	{ "C8b: Expect, silent server; the client waits, then sends", "show time\n" UP EXPECT "+1s\n tx 1 'hello'\n" OK KEEP,
	  "POST http://a/ 200 ok : GetConn@0 ConnectStart@0 ConnectDone@10 GotConn{fresh}@10 WroteHeaders@20 Wait100Continue@20 WroteRequest@1000030 "
	  "GotFirstResponseByte@1000040 GotResponseHeaders@1000040 GotBody@1000040 PutIdleConn@1000040\n" },
	{ "B3: the body begins 200 us behind the head: the client was not waiting", UP EXPECT "step 205us\n tx 1 'hello'\n" OK KEEP,
	  "POST http://a/ 200 ok : " COLD SENT GOT PUT },
	{ "B3: it begins 201 us behind the head: it was", UP EXPECT "step 206us\n tx 1 'hello'\n" OK KEEP,
	  "POST http://a/ 200 ok : " COLD " WroteHeaders Wait100Continue WroteRequest" GOT PUT },
	{ "B3: head and body in one write", UP "tx 1 'POST / HTTP/1.1~Host: a~Expect: 100-continue~Content-Length: 5~~hello'\n" OK KEEP,
	  "POST http://a/ 200 ok : " COLD SENT GOT PUT },
	{ "B3: one byte of the body in the head's write",
	  UP "tx 1 'POST / HTTP/1.1~Host: a~Expect: 100-continue~Content-Length: 5~~h'\n +1s\n tx 1 'ello'\n" OK KEEP,
	  "POST http://a/ 200 ok : " COLD SENT GOT PUT },
	{ "B3: no body announced: nothing to wait for",
	  UP "tx 1 'POST / HTTP/1.1~Host: a~Expect: 100-continue~Content-Length: 0~~'\n" GO_ON OK KEEP,
	  "POST http://a/ 200 ok : " COLD SENT " GotFirstResponseByte Got1xxResponse{100} GotResponseHeaders GotBody" PUT },
	{ "B3: any case, chunked",
	  UP "tx 1 'POST / HTTP/1.1~Host: a~expect: 100-Continue~Transfer-Encoding: chunked~~'\n" GO_ON "tx 1 '1~x~0~~'\n" OK KEEP,
	  "POST http://a/ 200 ok : " COLD
	  " WroteHeaders Wait100Continue GotFirstResponseByte Got100Continue Got1xxResponse{100} WroteRequest "
	  "GotResponseHeaders GotBody" PUT },
	{ "C9: 103 then 200, fields of the 103", "show fields\n noheaders\n" UP GET "rx 1 'HTTP/1.1 103 Early Hints~Link: x~~'\n" OK KEEP,
	  "GET http://a/ 200 ok : " COLD SENT " GotFirstResponseByte Got1xxResponse{103} GotResponseHeaders GotBody" PUT },
	{ "C9: 103 twice, fields shown; the first byte once",
	  "show fields time\n" UP GET "rx 1 'HTTP/1.1 103 Early Hints~Link: x~~'\n rx 1 'HTTP/1.1 103 Early Hints~Link: y~~'\n" OK KEEP,
	  "GET http://a/ 200 ok : GetConn@0 ConnectStart@0 ConnectDone@10 GotConn{fresh}@10 WroteHeaderField{Host=a}@20 WroteHeaders@20 WroteRequest@20 "
	  "GotFirstResponseByte@30 Got1xxResponse{103,Link=x}@30 Got1xxResponse{103,Link=y}@40 GotResponseHeaders@50 GotBody@50 PutIdleConn@50\n" },
	{ "C9b: 103 then 100", UP EXPECT "rx 1 'HTTP/1.1 103 Early Hints~~'\n" GO_ON "tx 1 'hello'\n" OK KEEP,
	  "POST http://a/ 200 ok : " COLD
	  " WroteHeaders Wait100Continue GotFirstResponseByte Got1xxResponse{103} Got100Continue Got1xxResponse{100} "
	  "WroteRequest GotResponseHeaders GotBody" PUT },
	{ "C9c: a 100 that nobody asked for", UP GET GO_ON OK KEEP,
	  "GET http://a/ 200 ok : " COLD SENT " GotFirstResponseByte Got1xxResponse{100} GotResponseHeaders GotBody" PUT },
	{ "100 twice: Got100Continue once", UP EXPECT GO_ON GO_ON "tx 1 'hello'\n" OK KEEP,
	  "POST http://a/ 200 ok : " COLD
	  " WroteHeaders Wait100Continue GotFirstResponseByte Got100Continue Got1xxResponse{100} Got1xxResponse{100} "
	  "WroteRequest GotResponseHeaders GotBody" PUT },
	{ "102 and 200 in one receive", UP GET "rx 1 'HTTP/1.1 102 Processing~~HTTP/1.1 200 OK~Content-Length: 2~~hi'\n" KEEP,
	  "GET http://a/ 200 ok : " COLD SENT " GotFirstResponseByte Got1xxResponse{102} GotResponseHeaders GotBody" PUT },
	{ "C8c: 417, kept, the body is sent after all", UP EXPECT "rx 1 'HTTP/1.1 417 No~Content-Length: 0~~'\n tx 1 'hello'\n" KEEP,
	  "POST http://a/ 417 ok : " COLD
	  " WroteHeaders Wait100Continue GotFirstResponseByte GotResponseHeaders GotBody WroteRequest" PUT },
	{ "C8c: 417, kept, the body is left out and the next request follows",
	  "whole\n" UP EXPECT
	  "rx 1 'HTTP/1.1 417 No~Content-Length: 0~~'\n +1ms\n tx 1 'POST /2 HTTP/1.1~Host: a~Content-Length: 1~~x'\n" OK KEEP,
	  "POST http://a/ 417 ok : " COLD
	  " WroteHeaders Wait100Continue GotFirstResponseByte GotResponseHeaders WroteRequest{body_not_sent} GotBody PutIdleConn\n"
	  "POST http://a/2 200 ok : " REUSED SENT GOT PUT },
	{ "C8c: the next request follows a second later: still its own",
	  "whole\n" UP EXPECT
	  "rx 1 'HTTP/1.1 417 No~Content-Length: 0~~'\n +1s\n tx 1 'POST /2 HTTP/1.1~Host: a~Content-Length: 1~~x'\n" OK KEEP,
	  "POST http://a/ 417 ok : " COLD
	  " WroteHeaders Wait100Continue GotFirstResponseByte GotResponseHeaders WroteRequest{body_not_sent} GotBody\n"
	  "POST http://a/2 200 ok : " REUSED SENT GOT PUT },
	{ "C8d, 0a: 417 and close, body not sent",
	  "show time\n" UP EXPECT "rx 1 'HTTP/1.1 417 No~Connection: close~Content-Length: 0~~'\n close 1\n",
	  "POST http://a/ 417 ok : GetConn@0 ConnectStart@0 ConnectDone@10 GotConn{fresh}@10 WroteHeaders@20 Wait100Continue@20 GotFirstResponseByte@30 "
	  "GotResponseHeaders@30 GotBody@30 WroteRequest{body_not_sent}@40 ConnClosed{client}@40\n" },
	{ "C8d: the server closes first",
	  UP EXPECT "rx 1 'HTTP/1.1 417 No~Connection: close~Content-Length: 0~~'\n fin 1\n eof 1\n close 1\n",
	  "POST http://a/ 417 ok : " COLD
	  " WroteHeaders Wait100Continue GotFirstResponseByte GotResponseHeaders GotBody WroteRequest{body_not_sent} "
	  "ConnClosed{server}\n" },

	/* ---- bodies ---- */
	{ "C11: POST in one write", "show bytes\n" UP "tx 1 'POST / HTTP/1.1~Host: a~Content-Length: 5~~hello'\n" OK KEEP,
	  "POST http://a/ 200 ok : " COLD SENT GOT " PutIdleConn tx=47+5 rx=38+2\n" },
	{ "C11: POST in two writes; the second only counted",
	  "show bytes time\n" UP "tx 1 'POST / HTTP/1.1~Host: a~Content-Length: 100000~~'\n tx 1 '' +100000\n" OK KEEP,
	  "POST http://a/ 200 ok : GetConn@0 ConnectStart@0 ConnectDone@10 GotConn{fresh}@10 WroteHeaders@20 WroteRequest@30 GotFirstResponseByte@40 "
	  "GotResponseHeaders@40 GotBody@40 PutIdleConn@40 tx=52+100000 rx=38+2\n" },
	{ "C11: chunked upload, a write each",
	  "show bytes\n" UP "tx 1 'POST / HTTP/1.1~Host: a~Transfer-Encoding: chunked~~'\n tx 1 '5~hello~'\n tx 1 '0~~'\n" OK KEEP,
	  "POST http://a/ 200 ok : " COLD SENT GOT " PutIdleConn tx=56+5 rx=38+2\n" },
	{ "0a: head in two writes: WroteHeaders at the end of the one with its last byte",
	  "show time fields\n" UP "tx 1 'GET / HTTP/1.1~Ho'\n +1ms\n tx 1 'st: a~~'\n" OK KEEP,
	  "GET http://a/ 200 ok : GetConn@0 ConnectStart@0 ConnectDone@10 GotConn{fresh}@10 WroteHeaderField{Host=a}@1030 WroteHeaders@1030 "
	  "WroteRequest@1030 GotFirstResponseByte@1040 GotResponseHeaders@1040 GotBody@1040 PutIdleConn@1040\n" },
	{ "C11b: the server answers before the body ends; the body goes on",
	  "show time\n" UP "tx 1 'POST / HTTP/1.1~Host: a~Content-Length: 10~~hello'\n" OK "+1ms\n tx 1 'world'\n" KEEP,
	  "POST http://a/ 200 ok : GetConn@0 ConnectStart@0 ConnectDone@10 GotConn{fresh}@10 WroteHeaders@20 GotFirstResponseByte@30 "
	  "GotResponseHeaders@30 GotBody@30 WroteRequest@1040 PutIdleConn@1040\n" },
	{ "C11b: the body does not end within 50 ms: no PutIdleConn, no WroteRequest",
	  UP "tx 1 'POST / HTTP/1.1~Host: a~Content-Length: 10~~hello'\n" OK "+60ms\n tx 1 'world'\n" KEEP,
	  "POST http://a/ 200 ok : " COLD " WroteHeaders" GOT "\n" },
	{ "C11b: the client closes instead of ending the body",
	  UP "tx 1 'POST / HTTP/1.1~Host: a~Content-Length: 10~~hello'\n" OK "close 1\n",
	  "POST http://a/ 200 ok : " COLD " WroteHeaders" GOT " WroteRequest{aborted} ConnClosed{client}\n" },
	{ "C11b: sending the rest fails", UP "tx 1 'POST / HTTP/1.1~Host: a~Content-Length: 10~~hello'\n" OK "txfail 1 EPIPE\n close 1\n",
	  "POST http://a/ 200 ok : " COLD " WroteHeaders" GOT " WroteRequest{EPIPE} ConnClosed{client}\n" },
	{ "fields: adjacent lines of one name are one call; credentials are redacted everywhere",
	  "show fields bytes\n" UP
	  "tx 1 'GET /?token=s3cret&x=1 HTTP/1.1~Host: a~X: 1~x: 2~Y: 3~X: 4~Cookie: k=v~Authorization: Basic eDp5~~'\n"
	  "rx 1 'HTTP/1.1 204 OK~Set-Cookie: a=b~L: 1~~'\n" KEEP,
	  "GET http://a/?token=[redacted]&x=1 204 ok : " COLD
	  " WroteHeaderField{Host=a} WroteHeaderField{X=1,2} WroteHeaderField{Y=3} WroteHeaderField{X=4} "
	  "WroteHeaderField{Cookie=[redacted]} WroteHeaderField{Authorization=[redacted]}" SENT HEAD
	  " PutIdleConn tx=108+0 rx=42+0 Set-Cookie=[redacted] L=1\n" },
	{ "--no-redact",
	  "show fields\n raw\n" UP "tx 1 'GET /?token=s3cret HTTP/1.1~Host: a~Cookie: k=v~~'\n rx 1 'HTTP/1.1 204 OK~~'\n" KEEP,
	  "GET http://a/?token=s3cret 204 ok : " COLD " WroteHeaderField{Host=a} WroteHeaderField{Cookie=k=v}" SENT HEAD PUT },
	{ "credentials in the URL of a proxy's request, and in a 1xx",
	  "show fields\n" UP
	  "tx 1 'GET http://u:pw@b/?access_token=1 HTTP/1.1~Host: b~~'\n rx 1 'HTTP/1.1 103 X~Set-Cookie: a=b~~'\n rx 1 'HTTP/1.1 204 OK~~'\n" KEEP,
	  "GET http://u:[redacted]@b/?access_token=[redacted] 204 ok : " COLD " WroteHeaderField{Host=b}" SENT
	  " GotFirstResponseByte Got1xxResponse{103,Set-Cookie=[redacted]} GotResponseHeaders" PUT },
	{ "without a Host field the address names it", "show args\n" UP "tx 1 'GET / HTTP/1.0~~'\n rx 1 'HTTP/1.0 204 OK~~'\n" KEEP,
	  "GET http://127.0.0.1:80/ 204 ok : GetConn{127.0.0.1:80} ConnectStart{127.0.0.1:80} ConnectDone{127.0.0.1:80} GotConn{fresh}" SENT
	  " GotFirstResponseByte GotResponseHeaders{204}\n" },
	{ "OPTIONS * has no path", UP "tx 1 'OPTIONS * HTTP/1.1~Host: a:8080~~'\n rx 1 'HTTP/1.1 204 OK~~'\n" KEEP,
	  "OPTIONS http://a:8080 204 ok : " COLD SENT HEAD PUT },
	{ "C13d: absolute form: GetConn is of the proxy",
	  "show args\n connect 1 127.0.0.1:3128\n up 1\n tx 1 'GET http://b/x HTTP/1.1~Host: b~~'\n rx 1 'HTTP/1.1 204 OK~~'\n" KEEP,
	  "GET http://b/x 204 ok : GetConn{127.0.0.1:3128} ConnectStart{127.0.0.1:3128} ConnectDone{127.0.0.1:3128} GotConn{fresh}" SENT
	  " GotFirstResponseByte GotResponseHeaders{204}" PUT },

	/* ---- pipelining, order of records ---- */
	{ "C16: three requests in one write; PutIdleConn after the last",
	  UP "tx 1 'GET /1 HTTP/1.1~Host: a~~GET /2 HTTP/1.1~Host: a~~GET /3 HTTP/1.1~Host: a~~'\n" OK OK OK KEEP,
	  "GET http://a/1 200 ok : " COLD SENT GOT "\nGET http://a/2 200 ok : " BUSY SENT GOT
	  "\nGET http://a/3 200 ok : " BUSY SENT GOT PUT },
	{ "C16: all three answers in one receive, cut between their bytes",
	  UP
	  "tx 1 'GET /1 HTTP/1.1~Host: a~~GET /2 HTTP/1.1~Host: a~~'\n rx 1 'HTTP/1.1 200 OK~Content-Length: 2~~hiHTTP/1.1 20'\n rx 1 '4 OK~~'\n" KEEP,
	  "GET http://a/1 200 ok : " COLD SENT GOT "\nGET http://a/2 204 ok : " BUSY SENT HEAD PUT },
	{ "C16: the server closes after the first of two",
	  UP "tx 1 'GET /1 HTTP/1.1~Host: a~~GET /2 HTTP/1.1~Host: a~~'\n" OK "fin 1\n eof 1\n close 1\n",
	  "GET http://a/1 200 ok : " COLD SENT GOT "\nGET http://a/2 closed wait/closed : " BUSY SENT " ConnClosed{server}\n" },
	{ "C16: idle time is not told of a busy connection, and right afterwards",
	  "show time\n" UP "tx 1 'GET /1 HTTP/1.1~Host: a~~'\n tx 1 'GET /2 HTTP/1.1~Host: a~~'\n" OK OK
	  "+1ms\n tx 1 'GET /3 HTTP/1.1~Host: a~~'\n close 1\n",
	  "GET http://a/1 200 ok : GetConn@0 ConnectStart@0 ConnectDone@10 GotConn{fresh}@10 WroteHeaders@20 WroteRequest@20 GotFirstResponseByte@40 "
	  "GotResponseHeaders@40 GotBody@40\n"
	  "GET http://a/2 200 ok : GetConn@0 GotConn{busy}@0 WroteHeaders@5 WroteRequest@5 GotFirstResponseByte@25 GotResponseHeaders@25 GotBody@25 PutIdleConn@25\n"
	  "GET http://a/3 aborted wait/aborted : GetConn@0 GotConn{reused,idle=1005}@0 WroteHeaders@5 WroteRequest@5 ConnClosed{client}@15\n" },
	{ "0a: the response is received before the send returns in another thread",
	  "show time\n" UP OK "tx 1 'GET / HTTP/1.1~Host: a~~' took=20us\n" KEEP,
	  "GET http://a/ 200 ok : GetConn@0 ConnectStart@0 ConnectDone@10 GotConn{fresh}@10 WroteHeaders@20 WroteRequest@20 GotFirstResponseByte@20 "
	  "GotResponseHeaders@20 GotBody@20 PutIdleConn@20\n" },
	{ "0a: so where the begin of the send is not known", "show time\n" UP OK "tx 1 'GET / HTTP/1.1~Host: a~~' took=?\n" KEEP,
	  "GET http://a/ 200 ok : GetConn@0 ConnectStart@0 ConnectDone@10 GotConn{fresh}@10 WroteHeaders@20 WroteRequest@20 GotFirstResponseByte@20 "
	  "GotResponseHeaders@20 GotBody@20 PutIdleConn@20\n" },
	{ "0a: so on a reused connection: times stay in order",
	  "show time\n" UP GET OK "+1ms\n" OK "tx 1 'GET /2 HTTP/1.1~Host: a~~' took=?\n" KEEP,
	  "GET http://a/ 200 ok : GetConn@0 ConnectStart@0 ConnectDone@10 GotConn{fresh}@10 WroteHeaders@20 WroteRequest@20 GotFirstResponseByte@30 "
	  "GotResponseHeaders@30 GotBody@30 PutIdleConn@30\n"
	  "GET http://a/2 200 ok : GetConn@0 GotConn{reused,idle=1010}@0 WroteHeaders@0 WroteRequest@0 GotFirstResponseByte@0 GotResponseHeaders@0 "
	  "GotBody@0 PutIdleConn@0\n" },
	{ "0a: the send of the body's end is overtaken by the response",
	  "show time\n" UP "tx 1 'POST / HTTP/1.1~Host: a~Content-Length: 3~~'\n" OK "tx 1 'abc' took=15us\n" KEEP,
	  "POST http://a/ 200 ok : GetConn@0 ConnectStart@0 ConnectDone@10 GotConn{fresh}@10 WroteHeaders@20 WroteRequest@30 GotFirstResponseByte@30 "
	  "GotResponseHeaders@30 GotBody@30 PutIdleConn@30\n" },
	{ "what was received before the send began is no answer to it: 408 on an idle connection",
	  UP GET OK KEEP "rx 1 'HTTP/1.1 408 Timeout~Content-Length: 0~~'\n tx 1 'GET /2 HTTP/1.1~Host: a~~'\n" OK KEEP "counts\n",
	  "GET http://a/ 200 ok : " COLD SENT GOT PUT "GET http://a/2 200 ok : " REUSED SENT GOT PUT "requests=2 dials=0 unsolicited=1\n" },
	{ "an answer that nobody asked for does not stay in the way",
	  UP GET OK KEEP "rx 1 'HTTP/1.1 408 Timeout~Content-Length: 0~~'\n +1s\n" GET OK KEEP "counts\n",
	  "GET http://a/ 200 ok : " COLD SENT GOT PUT "GET http://a/ 200 ok : " REUSED SENT GOT PUT "requests=2 dials=0 unsolicited=1\n" },
	{ "behind an unsolicited answer a response may again overtake its request",
	  UP GET OK KEEP "rx 1 'HTTP/1.1 408 Timeout~Content-Length: 0~~'\n +1s\n" OK "tx 1 'GET /2 HTTP/1.1~Host: a~~' took=20us\n" KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT PUT "GET http://a/2 200 ok : " REUSED SENT GOT PUT },
	{ "told of so late that its answer was given up: the next one's is not taken for its own",
	  UP GET OK KEEP OK "+1s\n tx 1 'GET /2 HTTP/1.1~Host: a~~' late=1100ms\n" GET OK KEEP "counts\n",
	  "GET http://a/ 200 ok : " COLD SENT GOT PUT "GET http://a/2 incomplete wait/gap lost=1 : " REUSED SENT
	  "\nGET http://a/ 200 ok : " REUSED SENT GOT PUT "requests=3 dials=0 unsolicited=1\n" },
	{ "the same bytes told twice count once", UP GET "tx 1 'GET / HTTP/1.1~Host: a~~' off=0\n" OK "rx 1 'hi' off=38\n" KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT PUT },

	/* ---- failures by phase ---- */
	{ "C14c: closed with no byte", UP GET "fin 1\n eof 1\n close 1\n",
	  "GET http://a/ closed wait/closed : " COLD SENT " ConnClosed{server}\n" },
	{ "C14c: without reading the end of the stream", UP GET "fin 1\n close 1\n",
	  "GET http://a/ closed wait/closed : " COLD SENT " ConnClosed{server}\n" },
	{ "C14b: closed in the head", UP GET "rx 1 'HTTP/1.1 20'\n fin 1\n eof 1\n",
	  "GET http://a/ closed receive/closed : " COLD SENT " GotFirstResponseByte ConnClosed{server}\n" },
	{ "C14: closed in the body", "show args\n" UP GET "rx 1 'HTTP/1.1 200 OK~Content-Length: 9~~hi'\n fin 1\n eof 1\n",
	  "GET http://a/ 200 closed receive/closed : GetConn{a:80} ConnectStart{127.0.0.1:80} ConnectDone{127.0.0.1:80} GotConn{fresh}" SENT
	  " GotFirstResponseByte GotResponseHeaders{200} GotBody{2} ConnClosed{server}\n" },
	{ "C14: closed in a chunked body, whose chunk was whole",
	  UP GET "rx 1 'HTTP/1.1 200 OK~Transfer-Encoding: chunked~~2~hi~'\n eof 1\n",
	  "GET http://a/ 200 closed receive/closed : " COLD SENT GOT " ConnClosed{server}\n" },
	{ "closed between 100 and the final head", UP EXPECT GO_ON "tx 1 'hello'\n eof 1\n",
	  "POST http://a/ closed receive/closed : " COLD
	  " WroteHeaders Wait100Continue GotFirstResponseByte Got100Continue Got1xxResponse{100} WroteRequest "
	  "ConnClosed{server}\n" },
	{ "reset with no byte: told by the receive that fails", UP GET "reset 1\n rxfail 1 ECONNRESET\n",
	  "GET http://a/ reset wait/ECONNRESET : " COLD SENT " ConnClosed{reset}\n" },
	{ "reset in the body", UP GET "rx 1 'HTTP/1.1 200 OK~Content-Length: 9~~hi'\n reset 1\n rxfail 1 ECONNRESET\n",
	  "GET http://a/ 200 reset receive/ECONNRESET : " COLD SENT GOT " ConnClosed{reset}\n" },
	{ "reset behind data that had arrived: that is still read, and the response whole",
	  UP GET "reset 1\n" OK "rxfail 1 ECONNRESET\n +1s\n", "GET http://a/ 200 ok : " COLD SENT GOT " ConnClosed{reset}\n" },
	{ "reset that the client never reads: told all the same", UP GET "reset 1\n +1s\n",
	  "GET http://a/ reset wait/ECONNRESET : " COLD SENT " ConnClosed{reset}\n" },
	{ "reset while the request is sent",
	  UP "tx 1 'POST / HTTP/1.1~Host: a~Content-Length: 10~~hello'\n reset 1\n txfail 1 ECONNRESET\n +1s\n",
	  "POST http://a/ reset send/ECONNRESET : " COLD " WroteHeaders WroteRequest{ECONNRESET} ConnClosed{reset}\n" },
	{ "EPIPE while sending; the server's answer is read all the same",
	  UP "tx 1 'POST / HTTP/1.1~Host: a~Content-Length: 10~~hello'\n txfail 1 EPIPE\n"
	     "rx 1 'HTTP/1.1 413 Too Large~Connection: close~Content-Length: 2~~no'\n close 1\n",
	  "POST http://a/ 413 ok : " COLD
	  " WroteHeaders WroteRequest{EPIPE} GotFirstResponseByte GotResponseHeaders GotBody ConnClosed{client}\n" },
	{ "a send that found no room is no failure",
	  UP "tx 1 'POST / HTTP/1.1~Host: a~Content-Length: 10~~hello'\n txfail 1 EAGAIN\n tx 1 'world'\n" OK KEEP,
	  "POST http://a/ 200 ok : " COLD SENT GOT PUT },
	{ "retransmissions give up: timeout", UP GET "expire 1\n rxfail 1 ETIMEDOUT\n +1s\n",
	  "GET http://a/ timeout wait/ETIMEDOUT : " COLD SENT " ConnClosed{reset}\n" },
	{ "retransmissions give up, nobody reads", UP GET "expire 1\n +1s\n",
	  "GET http://a/ timeout wait/ETIMEDOUT : " COLD SENT " ConnClosed{reset}\n" },
	{ "C18d: the client gives up waiting", UP GET "+1s\n close 1\n",
	  "GET http://a/ aborted wait/aborted : " COLD SENT " ConnClosed{client}\n" },
	{ "C14d: the client closes early", UP GET "rx 1 'HTTP/1.1 200 OK~Content-Length: 9~~hi'\n close 1\n",
	  "GET http://a/ 200 aborted receive/aborted : " COLD SENT GOT " ConnClosed{client}\n" },
	{ "the client resets (SO_LINGER 0)", UP GET "rx 1 'HTTP/1.1 200 OK~Content-Length: 9~~hi'\n abort 1\n",
	  "GET http://a/ 200 aborted receive/aborted : " COLD SENT GOT " ConnClosed{client}\n" },
	{ "the client closes in its own body", UP "tx 1 'POST / HTTP/1.1~Host: a~Content-Length: 10~~hello'\n close 1\n",
	  "POST http://a/ aborted send/aborted : " COLD " WroteHeaders WroteRequest{aborted} ConnClosed{client}\n" },
	{ "the client closes while waiting for 100", UP EXPECT "+1s\n close 1\n",
	  "POST http://a/ aborted send/aborted : " COLD " WroteHeaders Wait100Continue WroteRequest{aborted} ConnClosed{client}\n" },
	{ "the client closes in its head: a request, as far as it is known", "whole\n" UP "tx 1 'GET / HTTP/1.1~Host'\n close 1\n",
	  "- (127.0.0.1:80) aborted send/aborted : " COLD " ConnClosed{client}\n" },
	{ "the server does not wait for the head's end: 408",
	  "whole\n" UP "tx 1 'GET / HTTP/1.1~Host'\n +10s\n rx 1 'HTTP/1.1 408 Timeout~Content-Length: 0~~'\n fin 1\n eof 1\n close 1\n",
	  "- (127.0.0.1:80) 408 ok : " COLD GOT " ConnClosed{server}\n" },
	{ "and the client goes on as if nothing had happened",
	  "whole\n" UP "tx 1 'GET / HTTP/1.1~Host'\n rx 1 'HTTP/1.1 408 Timeout~Content-Length: 0~~'\n tx 1 ': a~~'\n" KEEP,
	  "GET http://a/ 408 ok : " COLD GOT " WroteHeaders WroteRequest PutIdleConn\n" },
	{ "the process exits while waiting", UP GET "exit 100\n close 1\n +1s\n",
	  "GET http://a/ aborted wait/aborted : " COLD SENT " ConnClosed{client}\n" },
	{ "the process exits in the body", UP GET "rx 1 'HTTP/1.1 200 OK~Content-Length: 9~~hi'\n exit 100\n close 1\n",
	  "GET http://a/ 200 aborted receive/aborted : " COLD SENT GOT " ConnClosed{client}\n" },
	{ "tracing ends while waiting", UP GET "end\n", "GET http://a/ incomplete wait/incomplete open : " COLD SENT "\n" },
	{ "tracing ends in the request's body", UP "tx 1 'POST / HTTP/1.1~Host: a~Content-Length: 10~~hello'\n end\n",
	  "POST http://a/ incomplete send/incomplete : " COLD " WroteHeaders\n" },
	{ "tracing ends in the response's body", UP GET "rx 1 'HTTP/1.1 200 OK~Content-Length: 9~~hi'\n end\n",
	  "GET http://a/ 200 incomplete receive/incomplete open : " COLD SENT GOT "\n" },
	{ "tracing ends within the 5 ms: whole, but nothing is known of the connection", UP GET OK "end\n end\n",
	  "GET http://a/ 200 ok : " COLD SENT GOT "\n" },
	{ "records behind the end are nothing", UP "end\n" GET OK KEEP, "" },

	/* ---- what is no plain response ---- */
	{ "C21: 101; what follows is no request",
	  UP
	  "tx 1 'GET / HTTP/1.1~Host: a~Connection: Upgrade~Upgrade: x~~'\n"
	  "rx 1 'HTTP/1.1 101 Switching~Connection: Upgrade~Upgrade: x~~bytes'\n tx 1 'GET /no HTTP/1.1~Host: a~~'\n rx 1 'HTTP/1.1 200 OK~~'\n" KEEP
	  "close 1\n counts\n",
	  "GET http://a/ 101 ok : " COLD SENT HEAD "\nrequests=1 dials=0 upgraded=1\n" },
	{ "a response that is none", UP GET "rx 1 'garbage~~'\n +1s\n",
	  "GET http://a/ protocol_error receive/not_http : " COLD SENT " GotFirstResponseByte\n" },
	{ "smuggling: both framings", UP GET "rx 1 'HTTP/1.1 200 OK~Content-Length: 2~Transfer-Encoding: chunked~~'\n" OK KEEP,
	  "GET http://a/ protocol_error receive/length_and_chunked : " COLD SENT " GotFirstResponseByte\n" },
	{ "a chunk that is none", UP GET "rx 1 'HTTP/1.1 200 OK~Transfer-Encoding: chunked~~zz~'\n",
	  "GET http://a/ 200 protocol_error receive/bad_chunk : " COLD SENT HEAD "\n" },
	{ "a request head that is broken", UP "tx 1 'GET / HTTP/1.1~Host : a~~'\n",
	  "- (127.0.0.1:80) protocol_error send/bad_field : " COLD "\n" },

	/* ---- retries ---- */
	{ "C15: a stale connection, and the retry on a second",
	  UP GET OK KEEP "fin 1\n tx 1 'GET /2 HTTP/1.1~Host: a~~'\n eof 1\n close 1\n"
			 "connect 2 127.0.0.1:80\n up 2\n tx 2 'GET /2 HTTP/1.1~Host: a~~'\n rx 2 'HTTP/1.1 204 OK~~'\n" KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT PUT "GET http://a/2 closed wait/closed : " REUSED SENT " ConnClosed{server}\n"
	  "GET http://a/2 204 ok : " COLD SENT HEAD PUT },
	{ "C15: stale, the server answers with RST",
	  UP GET OK KEEP "tx 1 'GET /2 HTTP/1.1~Host: a~~'\n reset 1\n rxfail 1 ECONNRESET\n close 1\n"
			 "connect 2 127.0.0.1:80\n up 2\n tx 2 'GET /2 HTTP/1.1~Host: a~~'\n rx 2 'HTTP/1.1 204 OK~~'\n" KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT PUT "GET http://a/2 reset wait/ECONNRESET : " REUSED SENT " ConnClosed{reset}\n"
	  "GET http://a/2 204 ok : " COLD SENT HEAD PUT },
	{ "C15c: FIN seen in time: looks cold",
	  UP GET OK KEEP
	  "fin 1\n close 1\n connect 2 127.0.0.1:80\n up 2\n tx 2 'GET /2 HTTP/1.1~Host: a~~'\n rx 2 'HTTP/1.1 204 OK~~'\n" KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT PUT "GET http://a/2 204 ok : " COLD SENT HEAD PUT },
	{ "two connections at once do not disturb each other",
	  UP "connect 2 127.0.0.1:80\n up 2\n" GET "tx 2 'GET /2 HTTP/1.1~Host: a~~'\n rx 2 'HTTP/1.1 20'\n" OK "rx 2 '4 OK~~'\n" KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT PUT "GET http://a/2 204 ok : " COLD SENT HEAD PUT },
	{ "timings: phases from the hooks; what is not there is unknown",
	  "show times\n dns 1 www.test 80 = 127.0.0.1\n +1ms\n" UP GET
	  "+1ms\n rx 1 'HTTP/1.1 200 OK~Content-Length: 2~~'\n +1ms\n rx 1 'hi'\n" KEEP GET OK KEEP,
	  "GET http://a/ 200 ok : GetConn " DNS " " DIAL " GotConn{fresh}" SENT GOT
	  " PutIdleConn (blocked=1010 dns=100 connect=10 tls=- send=10 wait=1010 receive=1010 total=3150)\n"
	  "GET http://a/ 200 ok : " REUSED SENT GOT " PutIdleConn (blocked=- dns=- connect=- tls=- send=5 wait=10 receive=0 total=15)\n" },
	{ "who: names from /proc; exec changes them for later requests",
	  "show who\n fact 100 sh /bin/sh\n" UP GET OK KEEP "exec 100 curl /usr/bin/curl\n" GET OK KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT " PutIdleConn <100/100 sh /bin/sh>\nGET http://a/ 200 ok : " REUSED SENT GOT
	  " PutIdleConn <100/100 curl /usr/bin/curl>\n" },
	{ "reset, and the process exits before it reads", UP GET "reset 1\n exit 100\n",
	  "GET http://a/ reset wait/ECONNRESET : " COLD SENT " ConnClosed{reset}\n" },
	{ "who: names from exec, inherited by fork, the writing thread",
	  "show who\n exec 100 curl /usr/bin/curl\n fork 200 100\n pid 200 201\n" UP GET OK KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT " PutIdleConn <200/201 curl /usr/bin/curl>\n" },
};

#endif
