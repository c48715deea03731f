/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_engine_cases_unix.h - HTTP over Unix sockets (hooks.md C 17): one record before the first bytes stands for connect(); the ends that are seen.
 */
#ifndef HT_TEST_ENGINE_CASES_UNIX_H
#define HT_TEST_ENGINE_CASES_UNIX_H

#include "test_engine_cases.h"

#define SOCK      "unix 1 /run/a.sock\n"
#define DOCKER    "tx 1 'GET /v1/info HTTP/1.1~Host: docker~~'\n"
#define UNIX_DIAL "ConnectStart{unix,/run/a.sock} ConnectDone{unix,/run/a.sock}"

static const struct engine_case unix_cases[] = {
	{ "C17: network, path; no lookup", "show args conn\n" SOCK GET OK KEEP,
	  "GET http://a/ 200 ok : GetConn{a:80} " UNIX_DIAL " GotConn{fresh}" SENT
	  " GotFirstResponseByte GotResponseHeaders{200} GotBody{2} PutIdleConn "
	  "[c-1 ->/run/a.sock #1]\n" },
	{ "an abstract name; NUL in it", "show args\n unix 1 @a@b\n" GET OK KEEP,
	  "GET http://a/ 200 ok : GetConn{a:80} ConnectStart{unix,@a@b} ConnectDone{unix,@a@b} GotConn{fresh}" SENT
	  " GotFirstResponseByte GotResponseHeaders{200} "
	  "GotBody{2} PutIdleConn\n" },
	{ "times: of connect(), which may be long ago", "show time\n +1s\n unix 1 /run/a.sock took=500ms\n" GET OK KEEP,
	  "GET http://a/ 200 ok : GetConn@0 ConnectStart@0 ConnectDone@1 GotConn{fresh}@1 WroteHeaders@500010 WroteRequest@500010 "
	  "GotFirstResponseByte@500020 GotResponseHeaders@500020 GotBody@500020 PutIdleConn@500020\n" },
	{ "the end of connect() is not seen: no later than the first bytes, and no duration",
	  "show how times\n unix 1 /run/a.sock undone took=500us\n" GET OK KEEP,
	  "GET http://a/ 200 ok : GetConn? ConnectStart ConnectDone? GotConn{fresh}? WroteHeaders~ WroteRequest GotFirstResponseByte GotResponseHeaders GotBody "
	  "PutIdleConn? (blocked=- dns=- connect=- tls=- send=10 wait=10 receive=0 total=520)\n" },
	{ "older than we, but its server's path is known", "show conn\n unix 1 /run/a.sock took=?\n" GET OK KEEP,
	  "GET http://a/ 200 ok : " OLDER SENT GOT " PutIdleConn [c-1 ->/run/a.sock #1]\n" },
	{ "older than we, of a socketpair: no path", "show conn\n unix 1 - took=?\n" GET OK KEEP,
	  "GET http://a/ 200 ok : " OLDER SENT GOT " PutIdleConn [c-1 ->- #1]\n" },
	{ "reused: the second request, and its idle time", "show conn\n" SOCK GET OK KEEP DOCKER OK KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT " PutIdleConn [c-1 ->/run/a.sock #1]\n"
	  "GET http://docker/v1/info 200 ok : " REUSED SENT GOT " PutIdleConn [c-1 ->/run/a.sock #2]\n" },
	{ "no Host: where to is the path, the URL is not known",
	  "show args\n" SOCK "tx 1 'GET / HTTP/1.0~~'\n rx 1 'HTTP/1.0 204 OK~~'\n gone 1\n",
	  "GET (/run/a.sock) 204 ok : GetConn{/run/a.sock} " UNIX_DIAL " GotConn{fresh}" SENT
	  " GotFirstResponseByte GotResponseHeaders{204} ConnClosed{client}\n" },
	{ "the client closes", SOCK GET OK "close 1\n", "GET http://a/ 200 ok : " COLD SENT GOT " ConnClosed{client}\n" },
	{ "the client closes, as its server's read tells", SOCK GET OK "gone 1\n",
	  "GET http://a/ 200 ok : " COLD SENT GOT " ConnClosed{client}\n" },
	{ "the client closes before the response", SOCK GET "gone 1\n +60ms\n",
	  "GET http://a/ aborted wait/aborted : " COLD SENT " ConnClosed{client}\n" },
	{ "no close is seen but the process's end", SOCK GET OK "exit 100\n",
	  "GET http://a/ 200 ok : " COLD SENT GOT " ConnClosed{client}\n" },
	{ "the server closes behind the response", SOCK GET "rx 1 'HTTP/1.1 200 OK~Connection: close~~hi'\n eof 1\n close 1\n",
	  "GET http://a/ 200 ok : " COLD SENT GOT " ConnClosed{server}\n" },
	{ "the server closes an idle connection, and the client reads that", SOCK GET OK "+1ms\n eof 1\n" KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT " ConnClosed{server}\n" },
	{ "the server closes without a response", SOCK GET "eof 1\n close 1\n",
	  "GET http://a/ closed wait/closed : " COLD SENT " ConnClosed{server}\n" },
	{ "the server dies with the request unread", SOCK GET "rxfail 1 ECONNRESET\n",
	  "GET http://a/ reset wait/ECONNRESET : " COLD SENT " ConnClosed{reset}\n" },
	{ "a lookup of another host is not the socket's, and its dial not another's attempt",
	  "dns 1 a 80 = 127.0.0.1\n" SOCK GET OK KEEP
	  "connect 2 127.0.0.1:80\n up 2\n tx 2 'GET / HTTP/1.1~Host: a~~'\n rx 2 'HTTP/1.1 204 OK~~'\n" KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT PUT "GET http://a/ 204 ok : GetConn " DNS " " DIAL " GotConn{fresh}" SENT HEAD PUT },
	{ "TLS",
	  "show args\n unix 1 /run/a.sock\n tls 1 start\n tx 1 tls13_client handshake\n tls 1 bind 1 nested\n rx 1 tls13_server handshake\n tls 1 done\n" TGET
		  TOK KEEP,
	  "GET https://a/ 200 ok : GetConn{a:443} " UNIX_DIAL
	  " TLSHandshakeStart TLSHandshakeDone{TLSv1.3,TLS_AES_256_GCM_SHA384,alpn=-,sni=h.test,resumed=no} "
	  "GotConn{fresh}" SENT " GotFirstResponseByte GotResponseHeaders{200} GotBody{2} PutIdleConn\n" },
	/* ---- connects that fail ---- */
	{ "nothing proves HTTP (nscd's socket is tried by every program that looks a user up): not told",
	  "dials auto\n filtered\n unix 1 /var/run/nscd/socket ENOENT\n +1s\n counts\n", "requests=0 dials=0 dials_hidden=1\n" },
	{ "all are wanted", "show args\n dials all\n unix 1 /run/a.sock ENOENT\n +1s\n",
	  "dial /run/a.sock connect_error connect/ENOENT : GetConn{/run/a.sock} ConnectStart{unix,/run/a.sock} ConnectDone{unix,/run/a.sock,ENOENT}\n" },
	{ "the backlog is full", "dials all\n unix 1 /run/a.sock EAGAIN\n +1us\n",
	  "dial /run/a.sock connect_error connect/EAGAIN : GetConn ConnectStart ConnectDone{EAGAIN}\n" },
	{ "the process has spoken HTTP there: a request",
	  "dials auto\n filtered\n" SOCK GET OK KEEP "unix 2 /run/a.sock ECONNREFUSED\n +1us\n",
	  "GET http://a/ 200 ok : " COLD SENT GOT PUT
	  "- (/run/a.sock) connect_error connect/ECONNREFUSED : GetConn ConnectStart ConnectDone{ECONNREFUSED}\n" },
	{ "... elsewhere: nothing", "dials auto\n filtered\n" SOCK GET OK KEEP "unix 2 /run/b.sock ECONNREFUSED\n +1us\n",
	  "GET http://a/ 200 ok : " COLD SENT GOT PUT },
	{ "another process has spoken HTTP there: a dial",
	  "dials auto\n" SOCK GET OK KEEP "pid 200\n unix 2 /run/a.sock ECONNREFUSED\n +1us\n",
	  "GET http://a/ 200 ok : " COLD SENT GOT PUT
	  "dial /run/a.sock connect_error connect/ECONNREFUSED : GetConn ConnectStart ConnectDone{ECONNREFUSED}\n" },
	{ "what a Host field said on a Unix socket proves nothing of that host by TCP",
	  "show args\n" SOCK "tx 1 'GET / HTTP/1.1~Host: 10.0.0.1:81~~'\n" OK KEEP "connect 2 10.0.0.1:81\n down 2 ECONNREFUSED\n +1us\n",
	  "GET http://10.0.0.1:81/ 200 ok : GetConn{10.0.0.1:81} " UNIX_DIAL " GotConn{fresh}" SENT
	  " GotFirstResponseByte GotResponseHeaders{200} GotBody{2} PutIdleConn\n"
	  "dial 10.0.0.1:81 connect_error connect/ECONNREFUSED : GetConn{10.0.0.1:81} ConnectStart{10.0.0.1:81} ConnectDone{10.0.0.1:81,ECONNREFUSED}\n" },
};

#endif
