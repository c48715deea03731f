/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_engine_cases_h2.h - HTTP/2: streams, how they end, what is known of a connection joined late (hooks.md C12 to C12d; interface.md).
 */
#ifndef HT_TEST_ENGINE_CASES_H2_H
#define HT_TEST_ENGINE_CASES_H2_H

#include "test_engine_cases.h"

#define H2_UP     UP "h2 1 tx preface settings\n h2 1 rx settings ack\n h2 1 tx ack\n"
#define Q(id)     "H" id ".,:method=GET,:scheme=http,:authority=a,:path=/" id " "
#define POST(id)  "H" id ",:method=POST,:scheme=http,:authority=a,:path=/" id " "
#define A(id)     "H" id ",:status=200 D" id ".:2 "
#define CALL(id)  "H" id ",:method=POST,:scheme=http,:authority=a,:path=/p.S/M,content-type=application/grpc,te=trailers "
#define REPLY(id) "H" id ",:status=200,content-type=application/grpc "

static const struct engine_case h2_cases[] = {
	{ "C12: cold, prior knowledge; no PutIdleConn; every argument, time and mark",
	  "show args time how conn times bytes\n" H2_UP "h2 1 tx " Q("1") "\n h2 1 rx " A("1") "\n" KEEP,
	  "GET http://a/1 200 ok : GetConn{a:80}?@0 ConnectStart{127.0.0.1:80}@0 ConnectDone{127.0.0.1:80}@10 GotConn{fresh}?@10 WroteHeaders~@50 "
	  "WroteRequest@50 GotFirstResponseByte@60 GotResponseHeaders{200}@60 GotBody{2}@60 "
	  "[c-1 127.0.0.1:40001>127.0.0.1:80 #1 http=2 stream=1] tx=9+0 rx=1+2 (blocked=- dns=- connect=10 tls=- send=40 wait=10 receive=0 total=60)\n" },
	{ "over TLS", TLS_UP "th2 1 tx preface settings " Q("1") "\n th2 1 rx settings " A("1") "\n" KEEP,
	  "GET http://a/1 200 ok : " COLD_TLS SENT GOT "\n" },
	{ "fields: pseudo-header fields are hooks, and no headers; one call a field; secrets are redacted",
	  "show fields args\n" H2_UP
	  "h2 1 tx H1.,:method=GET,:scheme=http,:authority=a,:path=/?token=xyz,cookie=s=1,cookie=t=2,accept=*/*\n h2 1 rx " A(
		  "1") "\n" KEEP,
	  "GET http://a/?token=[redacted] 200 ok : GetConn{a:80} ConnectStart{127.0.0.1:80} ConnectDone{127.0.0.1:80} GotConn{fresh} "
	  "WroteHeaderField{:method=GET} WroteHeaderField{:scheme=http} WroteHeaderField{:authority=a} WroteHeaderField{:path=/?token=[redacted]} "
	  "WroteHeaderField{cookie=[redacted]} WroteHeaderField{cookie=[redacted]} WroteHeaderField{accept=*/*} WroteHeaders WroteRequest "
	  "GotFirstResponseByte GotResponseHeaders{200} GotBody{2}\n" },
	{ "C12b: the next, when nothing is under way: idle since the last response",
	  "show time\n" H2_UP "h2 1 tx " Q("1") "\n h2 1 rx " A("1") "\n h2 1 tx " Q("3") "\n h2 1 rx " A("3") "\n" KEEP,
	  "GET http://a/1 200 ok : GetConn@0 ConnectStart@0 ConnectDone@10 GotConn{fresh}@10 WroteHeaders@50 WroteRequest@50 GotFirstResponseByte@60 "
	  "GotResponseHeaders@60 GotBody@60\n"
	  "GET http://a/3 200 ok : GetConn@0 GotConn{reused,idle=5}@0 WroteHeaders@5 WroteRequest@5 GotFirstResponseByte@15 GotResponseHeaders@15 GotBody@15\n" },
	{ "C12b: while another is under way; answers in another order",
	  H2_UP "h2 1 tx " Q("1") "\n h2 1 tx " Q("3") Q("5") "\n h2 1 rx " A("5") "\n h2 1 rx " A("3") A("1") "\n" KEEP,
	  "GET http://a/5 200 ok : " BUSY SENT GOT "\n"
	  "GET http://a/3 200 ok : " BUSY SENT GOT "\n"
	  "GET http://a/1 200 ok : " COLD SENT GOT "\n" },
	{ "the client closes within 5 ms", H2_UP "h2 1 tx " Q("1") "\n h2 1 rx " A("1") "\n close 1\n +1s\n",
	  "GET http://a/1 200 ok : " COLD SENT GOT " ConnClosed{client}\n" },
	{ "a body in frames, between others' frames; END_STREAM on an empty one",
	  "show bytes\n" H2_UP
	  "h2 1 tx " POST("1") "\n h2 1 tx D1:3 " Q("3") "D1:4 D1.\n h2 1 rx H1,:status=200 D1:10 H3,:status=200 D3.:1 D1:20 D1.\n" KEEP,
	  "GET http://a/3 200 ok : " BUSY SENT GOT " tx=7+0 rx=1+1\n"
	  "POST http://a/1 200 ok : " COLD SENT GOT " tx=9+7 rx=1+30\n" },
	{ "no content: END_STREAM on the head", H2_UP "h2 1 tx " Q("1") "\n h2 1 rx H1.,:status=204\n" KEEP,
	  "GET http://a/1 204 ok : " COLD SENT HEAD "\n" },
	{ "trailers, of both sides", H2_UP "h2 1 tx " POST("1") "D1:3 H1.,x=y\n h2 1 rx H1,:status=200 D1:1 H1.,z=u\n" KEEP,
	  "POST http://a/1 200 ok : " COLD SENT GOT "\n" },
	{ "C9: interim responses", H2_UP "h2 1 tx " Q("1") "\n h2 1 rx H1,:status=103,link=x\n h2 1 rx " A("1") "\n" KEEP,
	  "GET http://a/1 200 ok : " COLD SENT " GotFirstResponseByte Got1xxResponse{103} GotResponseHeaders GotBody\n" },
	{ "C12d: Expect, 100: Got1xxResponse before Got100Continue",
	  H2_UP
	  "h2 1 tx H1,:method=POST,:scheme=http,:authority=a,:path=/1,expect=100-continue\n h2 1 rx H1,:status=100\n h2 1 tx D1.:5\n h2 1 rx " A(
		  "1") "\n" KEEP,
	  "POST http://a/1 200 ok : " COLD
	  " WroteHeaders Wait100Continue GotFirstResponseByte Got1xxResponse{100} Got100Continue WroteRequest "
	  "GotResponseHeaders GotBody\n" },
	{ "a 100 that nobody expected has both hooks", H2_UP "h2 1 tx " Q("1") "\n h2 1 rx H1,:status=100 " A("1") "\n" KEEP,
	  "GET http://a/1 200 ok : " COLD SENT " GotFirstResponseByte Got1xxResponse{100} Got100Continue GotResponseHeaders GotBody\n" },

	{ "CONNECT: the target is its URL; extended (RFC 8441: a WebSocket) it has one as other methods",
	  "show args\n" H2_UP
	  "h2 1 tx H1,:method=CONNECT,:protocol=websocket,:scheme=http,:authority=a,:path=/chat H1.,x=y\n h2 1 rx H1.,:status=200\n" KEEP
	  "h2 1 tx H3,:method=CONNECT,:authority=b:443 D3.:2\n h2 1 rx H3.,:status=200\n" KEEP,
	  "CONNECT http://a/chat 200 ok : GetConn{a:80} ConnectStart{127.0.0.1:80} ConnectDone{127.0.0.1:80} GotConn{fresh}" SENT HEAD
	  "{200}\n"
	  "CONNECT b:443 200 ok : GetConn{127.0.0.1:80} GotConn{reused}" SENT HEAD "{200}\n" },
	{ "a CONNECT has its dial as others",
	  "dns 1 a 80 = ::1,127.0.0.1\n connect 2 [::1]:80\n connect 1 127.0.0.1:80\n up 1\n"
	  "h2 1 tx preface settings H1,:method=CONNECT,:authority=b:443\n down 2 ECONNREFUSED\n h2 1 rx settings H1.,:status=403\n h2 1 tx R1:8\n" KEEP,
	  "CONNECT b:443 403 ok : GetConn " DNS
	  " ConnectStart ConnectStart ConnectDone GotConn{fresh} WroteHeaders ConnectDone{ECONNREFUSED}" HEAD " WroteRequest{CANCEL}\n" },

	/* ---- how streams end ---- */
	{ "reset by the server", H2_UP "h2 1 tx " Q("1") Q("3") "\n h2 1 rx R1:8\n h2 1 rx " A("3") "\n" KEEP,
	  "GET http://a/1 reset wait/CANCEL : " COLD SENT "\n"
	  "GET http://a/3 200 ok : " BUSY SENT GOT "\n" },
	{ "refused, and tried again on another connection",
	  H2_UP "h2 1 tx " Q("1") "\n h2 1 rx R1:7\n connect 2 127.0.0.1:80\n up 2\n h2 2 tx preface settings " Q(
		  "1") "\n h2 2 rx settings " A("1") "\n" KEEP,
	  "GET http://a/1 reset wait/REFUSED_STREAM : " COLD SENT "\n"
	  "GET http://a/1 200 ok : " COLD SENT GOT "\n" },
	{ "the connection is idle since its last stream was reset",
	  "show time\n" H2_UP "h2 1 tx " Q("1") "\n h2 1 rx R1:8\n +1s\n h2 1 tx " Q("3") "\n h2 1 rx H3.,:status=204\n h2 1 tx " Q(
		  "5") "\n +1s\n h2 1 tx R5:8\n h2 1 tx " Q("7") "\n h2 1 rx H7.,:status=204\n" KEEP,
	  "GET http://a/1 reset wait/CANCEL : GetConn@0 ConnectStart@0 ConnectDone@10 GotConn{fresh}@10 WroteHeaders@50 WroteRequest@50\n"
	  "GET http://a/3 204 ok : GetConn@0 GotConn{reused,idle=1000005}@0 WroteHeaders@5 WroteRequest@5 GotFirstResponseByte@15 GotResponseHeaders@15\n"
	  "GET http://a/5 aborted wait/CANCEL : GetConn@0 GotConn{reused,idle=5}@0 WroteHeaders@5 WroteRequest@5\n"
	  "GET http://a/7 204 ok : GetConn@0 GotConn{reused,idle=5}@0 WroteHeaders@5 WroteRequest@5 GotFirstResponseByte@15 GotResponseHeaders@15\n" },
	{ "reset by the server in the body", H2_UP "h2 1 tx " Q("1") "\n h2 1 rx H1,:status=200 D1:5\n h2 1 rx R1:2\n" KEEP,
	  "GET http://a/1 200 reset receive/INTERNAL_ERROR : " COLD SENT GOT "\n" },
	{ "reset by the client", H2_UP "h2 1 tx " Q("1") "\n h2 1 rx H1,:status=200 D1:5\n h2 1 tx R1:8\n h2 1 rx D1.:3\n" KEEP,
	  "GET http://a/1 200 aborted receive/CANCEL : " COLD SENT GOT "\n" },
	{ "a malformed response, which the client takes all the same",
	  H2_UP "h2 1 tx " Q("1") "\n h2 1 rx H1,:status=200,connection=close D1.:2\n" KEEP,
	  "GET http://a/1 200 ok : " COLD SENT GOT "\n" },
	{ "a malformed response, which the client refuses",
	  H2_UP "h2 1 tx " Q("1") "\n h2 1 rx H1,:status=200,connection=close D1:2\n h2 1 tx R1:1\n" KEEP,
	  "GET http://a/1 200 aborted receive/PROTOCOL_ERROR : " COLD SENT GOT "\n" },
	{ "the stream ends without a final head: that is no response",
	  H2_UP "h2 1 tx " Q("1") "\n h2 1 rx H1.,:status=103\n" KEEP
				  "h2 1 tx " Q("3") "\n h2 1 rx D3.:5\n" KEEP "h2 1 tx " CALL("5") "M5.:1\n h2 1 rx H5.,:status=100\n" KEEP,
	  "GET http://a/1 protocol_error receive/malformed : " COLD SENT " GotFirstResponseByte Got1xxResponse{103}\n"
	  "GET http://a/3 protocol_error receive/malformed : " REUSED SENT "\n"
	  "POST http://a/p.S/M protocol_error receive/malformed grpc(p.S M - -1 '' 1/0) : " REUSED SENT
	  " GotFirstResponseByte Got1xxResponse{100} Got100Continue\n" },
	{ "a code without a name", H2_UP "h2 1 tx " Q("1") "\n h2 1 rx R1:4919\n" KEEP,
	  "GET http://a/1 reset wait/0x1337 : " COLD SENT "\n" },
	{ "answered before the body was sent: the rest is not wanted",
	  H2_UP "h2 1 tx " POST("1") "D1:3\n h2 1 rx H1.,:status=413\n h2 1 rx R1:0\n" KEEP,
	  "POST http://a/1 413 ok : " COLD " WroteHeaders" HEAD " WroteRequest{NO_ERROR}\n" },
	{ "answered, and the body goes on", H2_UP "h2 1 tx " POST("1") "D1:3\n h2 1 rx H1.,:status=413\n +10ms\n h2 1 tx D1.:3\n" KEEP,
	  "POST http://a/1 413 ok : " COLD " WroteHeaders" HEAD " WroteRequest\n" },
	{ "answered, and the body goes on for long: without us",
	  H2_UP "h2 1 tx " POST("1") "D1:3\n h2 1 rx H1.,:status=413\n +60ms\n h2 1 tx D1.:3\n" KEEP,
	  "POST http://a/1 413 ok : " COLD " WroteHeaders" HEAD "\n" },
	{ "GOAWAY: what it does not cover was not processed",
	  H2_UP "h2 1 tx " Q("1") Q("3") Q("5") "\n h2 1 rx G3:0\n h2 1 rx " A("1") A("3") "\n fin 1\n close 1\n +1s\n",
	  "GET http://a/5 closed wait/GOAWAY : " BUSY SENT "\n"
	  "GET http://a/1 200 ok : " COLD SENT GOT "\n"
	  "GET http://a/3 200 ok : " BUSY SENT GOT " ConnClosed{server}\n" },
	{ "GOAWAY is told before a request that it does not cover: another thread reads",
	  H2_UP "h2 1 tx " Q("1") "\n h2 1 rx " A("1") "G1:0\n h2 1 tx " Q("3") " took=30us\n h2 1 tx " POST("5") "\n" KEEP
														  "close 1\n +1s\n",
	  "GET http://a/1 200 ok : " COLD SENT GOT "\n"
	  "GET http://a/3 closed wait/GOAWAY : " REUSED SENT "\n"
	  "POST http://a/5 closed send/GOAWAY : " REUSED " WroteHeaders WroteRequest{GOAWAY}\n" },
	{ "RST_STREAM is told before the request: another thread reads",
	  H2_UP "h2 1 rx R1:7\n h2 1 tx " Q("1") " took=20us\n h2 1 rx R3:7\n h2 1 tx " POST("3") " took=20us\n" KEEP "h2 1 tx " Q(
		  "5") "\n h2 1 rx " A("5") "\n" KEEP,
	  "GET http://a/1 reset wait/REFUSED_STREAM : " COLD SENT "\n"
	  "POST http://a/3 reset send/REFUSED_STREAM : " REUSED " WroteHeaders WroteRequest{REFUSED_STREAM}\n"
	  "GET http://a/5 200 ok : " REUSED SENT GOT "\n" },
	{ "a head and RST_STREAM are told before the request",
	  H2_UP "h2 1 rx H1,:status=200 D1:2 R1:2\n h2 1 tx " Q("1") " took=20us\n" KEEP,
	  "GET http://a/1 200 reset receive/INTERNAL_ERROR : " COLD SENT GOT "\n" },
	{ "older than we: RST_STREAM of a request that was sent before", "whole\n" OLD "h2 1 rx settings R1:8\n +60ms\n counts\n",
	  "requests=0 dials=0 unsolicited=1 http2=1\n" },
	{ "the server closes with streams open: each ends",
	  H2_UP "h2 1 tx " Q("1") Q("3") "\n h2 1 rx H1,:status=200 D1:1\n fin 1\n eof 1\n close 1\n +1s\n",
	  "GET http://a/1 200 closed receive/closed : " COLD SENT GOT " ConnClosed{server}\n"
	  "GET http://a/3 closed wait/closed : " BUSY SENT " ConnClosed{server}\n" },
	{ "the connection is reset with streams open", H2_UP "h2 1 tx " Q("1") Q("3") "\n reset 1\n rxfail 1 ECONNRESET\n +1s\n",
	  "GET http://a/1 reset wait/ECONNRESET : " COLD SENT " ConnClosed{reset}\n"
	  "GET http://a/3 reset wait/ECONNRESET : " BUSY SENT " ConnClosed{reset}\n" },
	{ "the client closes with streams open", H2_UP "h2 1 tx " Q("1") POST("3") "\n close 1\n +1s\n",
	  "GET http://a/1 aborted wait/aborted : " COLD SENT " ConnClosed{client}\n"
	  "POST http://a/3 aborted send/aborted : " BUSY " WroteHeaders WroteRequest{aborted} ConnClosed{client}\n" },
	{ "tracing ends while a response runs", H2_UP "h2 1 tx " Q("1") "\n h2 1 rx H1,:status=200 D1:7\n end\n",
	  "GET http://a/1 200 incomplete receive/incomplete open : " COLD SENT GOT "\n" },
	{ "a pushed stream is nobody's request",
	  H2_UP "h2 1 tx " Q("1") "\n h2 1 rx P1:2,:method=GET,:scheme=http,:authority=a,:path=/p H2,:status=200 D2.:5 " A("1") "\n" KEEP,
	  "GET http://a/1 200 ok : " COLD SENT GOT "\n" },

	/* ---- what is lost, late, or older than we ---- */
	{ "the response is told before its request: another thread reads",
	  "show time\n" H2_UP "h2 1 rx " A("1") "\n h2 1 tx " Q("1") " took=20us\n" KEEP,
	  "GET http://a/1 200 ok : GetConn@0 ConnectStart@0 ConnectDone@10 GotConn{fresh}@10 WroteHeaders@50 WroteRequest@50 GotFirstResponseByte@50 "
	  "GotResponseHeaders@50 GotBody@50\n" },
	{ "the response comes before its request is begun: the order of hooks holds",
	  "show time\n" H2_UP "h2 1 tx " Q("1") "\n h2 1 rx H1.,:status=204\n h2 1 rx " A("3") "\n h2 1 tx " Q("3") "\n" KEEP,
	  "GET http://a/1 204 ok : GetConn@0 ConnectStart@0 ConnectDone@10 GotConn{fresh}@10 WroteHeaders@50 WroteRequest@50 GotFirstResponseByte@60 "
	  "GotResponseHeaders@60\n"
	  "GET http://a/3 200 ok : GetConn@0 GotConn{reused,idle=0}@0 GotFirstResponseByte@0 GotResponseHeaders@0 GotBody@0 WroteHeaders@10 "
	  "WroteRequest@10\n" },
	{ "reset while the head is being written: the order of hooks holds",
	  "show time\n" H2_UP "reset 1\n h2 1 tx " POST("1") " took=50us\n +1s\n",
	  "POST http://a/1 reset send/ECONNRESET : GetConn@0 ConnectStart@0 ConnectDone@10 GotConn{fresh}@10 WroteHeaders@80 "
	  "WroteRequest{ECONNRESET}@80 ConnClosed{reset}@80\n" },
	{ "the response is whole, and the request's head cannot be decoded",
	  "whole\n" H2_UP "h2 1 rx " A("1") "\n tx 1 '\\x00\\x00\\x01\\x01\\x05\\x00\\x00\\x00\\x01\\xff' took=30us\n" KEEP,
	  "- (-) 200 incomplete receive/incomplete lost=1 :" GOT "\n" },
	{ "older than we: a response whose request was sent before", "whole\n" OLD "h2 1 rx " A("1") "\n +60ms\n counts\n",
	  "requests=0 dials=0 unsolicited=1 http2=1\n" },
	{ "a response whose request was lost, which shows later",
	  "whole\n" H2_UP "h2 1 tx " Q("1") "\n h2 1 rx " A("1") "\n gap 1 tx 100\n h2 1 rx " A("3") "\n +60ms\n h2 1 tx " Q(
		  "5") " lost=1\n h2 1 rx " A("5") "\n" KEEP,
	  "GET http://a/1 200 ok : " COLD SENT GOT "\n"
	  "- (-) 200 incomplete receive/incomplete lost=1 :" GOT "\n"
	  "GET (127.0.0.1:80) 200 ok lost=1 : " REUSED SENT GOT "\n" },
	{ "older than we: what the header table holds is not known; nothing is guessed",
	  "show args\n whole\n" OLD "h2 1 tx H7.,:method=GET,:scheme=http,:authority=a,:path=/7\n h2 1 rx " A("7") "\n" KEEP,
	  "GET http://a/7 200 ok : GetConn{a:80} GotConn{unknown} WroteHeaders WroteRequest GotFirstResponseByte GotResponseHeaders{200} GotBody{2}\n" },

	{ "older than we: trailers are no request, where they are known for trailers",
	  "whole\n" OLD "h2 1 tx past,x=u settings W7:9 D7:9 D9:9\n h2 1 tx H7.,z=y\n h2 1 rx settings " A("7") "\n h2 1 tx H9.,x=u " Q(
		  "11") "\n h2 1 rx " A("9") A("11") "\n" KEEP "counts\n",
	  "- (127.0.0.1:80) 200 ok : " OLDER SENT GOT "\n"
	  "GET http://a/11 200 ok : " BUSY SENT GOT "\n"
	  "requests=2 dials=0 http2=1\n" },

	/* ---- gRPC ---- */
	{ "a unary call", H2_UP "h2 1 tx " CALL("1") "M1.:3\n h2 1 rx " REPLY("1") "M1:4 H1.,grpc-status=0\n" KEEP,
	  "POST http://a/p.S/M 200 ok grpc(p.S M OK 0 '' 1/1) : " COLD SENT GOT "\n" },
	{ "an error in the trailers",
	  H2_UP "h2 1 tx " CALL("1") "M1.:3\n h2 1 rx " REPLY("1") "H1.,grpc-status=5,grpc-message=no%20such\n" KEEP,
	  "POST http://a/p.S/M 200 grpc_error receive/NOT_FOUND grpc(p.S M NOT_FOUND 5 'no such' 1/0) : " COLD SENT GOT "\n" },
	{ "an error is all there is (Trailers-Only)",
	  H2_UP "h2 1 tx " CALL("1") "M1.:3\n h2 1 rx H1.,:status=200,content-type=application/grpc,grpc-status=12\n" KEEP,
	  "POST http://a/p.S/M 200 grpc_error receive/UNIMPLEMENTED grpc(p.S M UNIMPLEMENTED 12 '' 1/0) : " COLD SENT HEAD "\n" },
	{ "messages both ways",
	  H2_UP
	  "h2 1 tx " CALL("1") "M1:3\n h2 1 rx " REPLY("1") "M1:4 M1:1\n h2 1 tx M1:0 M1.:9\n h2 1 rx M1:300 H1.,grpc-status=0\n" KEEP,
	  "POST http://a/p.S/M 200 ok grpc(p.S M OK 0 '' 3/3) : " COLD " WroteHeaders" HEAD " WroteRequest GotBody\n" },
	{ "bytes of one side are lost: how many messages it sent is not known",
	  "whole\n" H2_UP "h2 1 tx " CALL("1") "M1.:3 " CALL("3") "M3:3\n h2 1 rx " REPLY("1") "M1:4 " REPLY(
		  "3") "M3:4\n gap 1 tx 9\n h2 1 tx W0:9\n"
		       "gap 1 rx 100\n h2 1 rx H1.,grpc-status=0\n" KEEP,
	  "POST http://a/p.S/M 200 incomplete receive/gap lost=1 grpc(p.S M - -1 '' ?/1) : " BUSY " WroteHeaders" GOT "\n"
	  "POST http://a/p.S/M 200 incomplete receive/gap lost=2 grpc(p.S M - -1 '' 1/?) : " COLD SENT GOT "\n" },
	{ "a deadline that the client enforces", H2_UP "h2 1 tx " CALL("1") "M1.:3\n h2 1 tx R1:8\n" KEEP,
	  "POST http://a/p.S/M aborted wait/CANCEL grpc(p.S M - -1 '' 1/0) : " COLD SENT "\n" },
	{ "a response without a status", H2_UP "h2 1 tx " CALL("1") "M1.:3\n h2 1 rx " REPLY("1") "D1.\n" KEEP,
	  "POST http://a/p.S/M 200 grpc_error receive/no_grpc_status grpc(p.S M - -1 '' 1/0) : " COLD SENT GOT "\n" },
};

#endif
