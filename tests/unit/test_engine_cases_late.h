/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_engine_cases_late.h - HTTP/2 on connections older than we, of which the header table is not known: what the program gave to libnghttp2
 * (req/h2_submit.h), and when that must not be used.
 */
#ifndef HT_TEST_ENGINE_CASES_LATE_H
#define HT_TEST_ENGINE_CASES_LATE_H

#include "test_engine_cases.h"

#define PAST                         " past,:authority=a,x-k=v "
#define ASK(id, path)                "H" id ".,:method=GET,:scheme=http,:authority=a,:path=" path ",x-k=v "
#define BACK(id)                     "H" id ".,:status=204 "
#define GIVE(s, id, path, authority) "submit " s " " id " :method=GET,:scheme=http,:authority=" authority ",:path=" path ",x-k=v\n"
#define GIVEN(s, id, path)           GIVE(s, id, path, "a")
/* The probes are in place, for long enough. */
#define LONG_PROBED                  "probed\n +200ms\n"
#define LATE                         "whole\n show bytes\n" LONG_PROBED OLD
#define ATTACHED                     "target attached\n"
#define TX8                          " tx=8+0 rx=1+0\n"

static const struct engine_case late_cases[] = {
	{ "without it: what the table holds is not known", LATE "h2 1 tx" PAST ASK("7", "/7") "\n h2 1 rx " BACK("7") "\n" KEEP,
	  ATTACHED "GET (127.0.0.1:80) 204 ok : " OLDER SENT HEAD TX8 },
	{ "every field is known, and told as such; a name is sent in lower case",
	  "show fields args\n" LATE
	  "submit 1 7 :method=GET,:scheme=http,:authority=a,:path=/7,X-K=v\n h2 1 tx" PAST ASK("7", "/7") "\n h2 1 rx " BACK("7") "\n" KEEP,
	  ATTACHED
	  "GET http://a/7 204 ok from=nghttp2 : GetConn{a:80} GotConn{unknown} WroteHeaderField{:method=GET} WroteHeaderField{:scheme=http} WroteHeaderField{:authority=a} WroteHeaderField{:path=/7} WroteHeaderField{x-k=v}" SENT
		  HEAD "{204} tx=8+0 rx=1+0\n" },
	{ "credentials are redacted",
	  "show fields\n" LATE "submit 1 7 :method=GET,:scheme=http,:authority=a,:path=/7?token=xyz,cookie=c\n"
	  "h2 1 tx past,cookie=c,:authority=a H7.,:method=GET,:scheme=http,:authority=a,:path=/7?token=xyz,cookie=c\n h2 1 rx " BACK(
		  "7") "\n" KEEP,
	  ATTACHED
	  "GET http://a/7?token=[redacted] 204 ok from=nghttp2 : GetConn GotConn{unknown} WroteHeaderField{:method=GET} WroteHeaderField{:scheme=http} WroteHeaderField{:authority=a} WroteHeaderField{:path=/7?token=[redacted]} WroteHeaderField{cookie=[redacted]}" SENT
		  HEAD " tx=19+0 rx=1+0\n" },
	{ "what is known from the bytes is told by them",
	  LATE GIVEN("1", "7", "/7") "h2 1 tx " ASK("7", "/7") "\n h2 1 rx " BACK("7") "\n" KEEP,
	  ATTACHED "GET http://a/7 204 ok : " OLDER SENT HEAD " tx=16+0 rx=1+0\n" },
	{ "another path, another number of fields: not this one",
	  LATE GIVEN("1", "7", "/8") "submit 2 7 :method=GET,:scheme=http,:authority=a,:path=/7\n h2 1 tx" PAST ASK(
		  "7", "/7") "\n h2 1 rx " BACK("7") "\n" KEEP,
	  ATTACHED "GET (127.0.0.1:80) 204 ok : " OLDER SENT HEAD TX8 },
	{ "another stream, another thread, another process: not this one",
	  LATE GIVEN("1", "9", "/7") "pid 100 101\n" GIVEN("2", "7", "/7") "pid 200\n" GIVEN("1", "7", "/7") "pid 100\n h2 1 tx" PAST ASK(
		  "7", "/7") "\n h2 1 rx " BACK("7") "\n" KEEP,
	  ATTACHED "GET (127.0.0.1:80) 204 ok : " OLDER SENT HEAD TX8 },
	{ "given later than it was sent, or long before: not this one",
	  LATE GIVEN("1", "7", "/7") "+1001ms\n h2 1 tx" PAST ASK("7", "/7") "\n h2 1 rx " BACK("7") "\n" GIVEN("2", "7", "/7") KEEP,
	  ATTACHED "GET (127.0.0.1:80) 204 ok : " OLDER SENT HEAD TX8 },
	{ "two sessions, of which each may have sent it: nobody knows",
	  LATE GIVEN("1", "7", "/7") GIVE("2", "7", "/7", "b") "h2 1 tx" PAST ASK("7", "/7") "\n h2 1 rx " BACK("7") "\n" KEEP,
	  ATTACHED "GET (127.0.0.1:80) 204 ok : " OLDER SENT HEAD TX8 },
	{ "two sessions with the same request: it is this one, whoever sent it",
	  LATE GIVEN("1", "7", "/7") GIVEN("2", "7", "/7") "h2 1 tx" PAST ASK("7", "/7") "\n h2 1 rx " BACK("7") "\n" KEEP,
	  ATTACHED "GET http://a/7 204 ok from=nghttp2 : " OLDER SENT HEAD TX8 },
	{ "... unless a third one may have been given before the probes were there",
	  "whole\n show bytes\n probed\n" OLD GIVEN("1", "7", "/7")
		  GIVEN("2", "7", "/7") "h2 1 tx" PAST ASK("7", "/7") "\n h2 1 rx " BACK("7") "\n" KEEP,
	  ATTACHED "GET (127.0.0.1:80) 204 ok : " OLDER SENT HEAD TX8 },
	{ "given before the probes were there for long: the second head tells it",
	  "whole\n show bytes\n probed\n" OLD GIVEN("1", "7", "/7") "h2 1 tx" PAST ASK("7", "/7") "\n h2 1 rx " BACK(
		  "7") "\n" GIVEN("1", "9", "/9") "h2 1 tx " ASK("9", "/9") "\n h2 1 rx " BACK("9") "\n" KEEP,
	  ATTACHED "GET (127.0.0.1:80) 204 ok : " OLDER SENT HEAD TX8 "GET http://a/9 204 ok from=nghttp2 : " REUSED SENT HEAD TX8 },
	{ "... but one that was given together with the first is no further evidence",
	  "whole\n show bytes\n probed\n" OLD GIVEN("1", "7", "/7") GIVEN("1", "9", "/9") "h2 1 tx" PAST ASK("7", "/7")
		  ASK("9", "/9") "\n h2 1 rx " BACK("7") BACK("9") "\n" KEEP,
	  ATTACHED "GET (127.0.0.1:80) 204 ok : " OLDER SENT HEAD TX8 "GET (127.0.0.1:80) 204 ok : " BUSY SENT HEAD TX8 },
	{ "nobody says when the probes came",
	  "whole\n show bytes\n" OLD GIVEN("1", "7", "/7") "h2 1 tx" PAST ASK("7", "/7") "\n h2 1 rx " BACK("7") "\n" KEEP,
	  "GET (127.0.0.1:80) 204 ok : " OLDER SENT HEAD TX8 },
	{ "events were lost, maybe the one that would have shown the doubt",
	  LATE GIVEN("1", "7", "/7") "lost 1 ringbuf\n h2 1 tx" PAST ASK("7", "/7") "\n h2 1 rx " BACK("7") "\n" KEEP,
	  ATTACHED "lost 1 ringbuf\n"
		   "GET (127.0.0.1:80) 204 ok : " OLDER SENT HEAD TX8 },
	{ "a session that is another connection's has not sent it",
	  LATE "old 2 127.0.0.1:80\n" GIVEN("1", "7", "/7") "h2 1 tx" PAST ASK("7", "/7") "\n h2 1 rx " BACK(
		  "7") "\n" GIVEN("1", "9", "/9") "h2 2 tx" PAST ASK("9", "/9") "\n h2 2 rx " BACK("9") "\n" KEEP,
	  ATTACHED "GET http://a/7 204 ok from=nghttp2 : " OLDER SENT HEAD TX8 "GET (127.0.0.1:80) 204 ok : " OLDER SENT HEAD TX8 },
	{ "wrong at first (the true one was given before we came): the second head shows it",
	  "whole\n show bytes\n probed\n" OLD
	  "old 2 127.0.0.2:80\n" GIVE("2", "7", "/", "b") "h2 1 tx" PAST ASK("7", "/") "\n h2 1 rx " BACK("7") "\n" GIVEN("1", "9", "/")
		  GIVE("2", "9", "/", "b") "h2 1 tx " ASK("9", "/") "\n h2 1 rx " BACK("9") "\n" GIVEN("1", "11", "/x")
			  GIVE("2", "11", "/", "b") "h2 1 tx " ASK("11", "/x") "\n h2 1 rx " BACK(
				  "11") "\n" GIVEN("1", "13", "/x") "h2 1 tx " ASK("13", "/x") "\n h2 1 rx " BACK("13") "\n" KEEP,
	  ATTACHED "GET (127.0.0.1:80) 204 ok : " OLDER SENT HEAD " tx=5+0 rx=1+0\n"
		   "GET (127.0.0.1:80) 204 ok : " REUSED SENT HEAD " tx=5+0 rx=1+0\n"
		   "GET (127.0.0.1:80) 204 ok : " REUSED SENT HEAD TX8 "GET http://a/x 204 ok from=nghttp2 : " REUSED SENT HEAD TX8 },
	{ "a session whose request contradicts what was sent is let go",
	  LATE GIVEN("1", "7", "/7") "h2 1 tx" PAST ASK("7", "/7") "\n h2 1 rx " BACK("7") "\n" GIVEN("1", "9", "/no") "h2 1 tx " ASK(
		  "9", "/9") "\n h2 1 rx " BACK("9") "\n" GIVEN("2", "11", "/11") "h2 1 tx " ASK("11",
												 "/11") "\n h2 1 rx " BACK("11") "\n" KEEP,
	  ATTACHED "GET http://a/7 204 ok from=nghttp2 : " OLDER SENT HEAD TX8 "GET (127.0.0.1:80) 204 ok : " REUSED SENT HEAD TX8
		   "GET http://a/11 204 ok from=nghttp2 : " REUSED SENT HEAD TX8 },
	{ "a new session at the same address: another connection's",
	  LATE "old 2 127.0.0.1:80\n" GIVEN("1", "7", "/7") GIVEN("1", "9", "/9") "h2 1 tx" PAST
		  ASK("7", "/7") "\n h2 1 rx " BACK("7") "\n" GIVE("1", "3", "/3", "b") "h2 1 tx " ASK("9", "/9") "\n h2 1 rx " BACK(
			  "9") "\n h2 2 tx past,:authority=b H3.,:method=GET,:scheme=http,:authority=b,:path=/3,x-k=v\n h2 2 rx " BACK("3") "\n" KEEP,
	  ATTACHED "GET http://a/7 204 ok from=nghttp2 : " OLDER SENT HEAD TX8 "GET (127.0.0.1:80) 204 ok : " REUSED SENT HEAD TX8
		   "GET http://b/3 204 ok from=nghttp2 : " OLDER SENT HEAD " tx=14+0 rx=1+0\n" },
	{ "one that was not told whole is not used",
	  LATE
	  "submit 1 7 :method=GET,:scheme=http,:authority=a,:path=/7 cut\n h2 1 tx" PAST ASK("7", "/7") "\n h2 1 rx " BACK("7") "\n" KEEP,
	  ATTACHED "GET (127.0.0.1:80) 204 ok : " OLDER SENT HEAD TX8 },
	{ "another program has no part in it",
	  LATE GIVEN("1", "7", "/7") "exec 100 x /x\n h2 1 tx" PAST ASK("7", "/7") "\n h2 1 rx " BACK("7") "\n" KEEP,
	  ATTACHED "GET (127.0.0.1:80) 204 ok : " OLDER SENT HEAD TX8 },
	{ "a call of gRPC is known as one",
	  LATE "submit 1 7 :method=POST,:scheme=http,:authority=a,:path=/p.S/M,content-type=application/grpc\n"
	       "h2 1 tx past,content-type=application/grpc,:authority=a "
	       "H7,:method=POST,:scheme=http,:authority=a,:path=/p.S/M,content-type=application/grpc M7.:3\n"
	       "h2 1 rx H7,:status=200,content-type=application/grpc M7:4 H7.,grpc-status=0\n" KEEP,
	  ATTACHED "POST http://a/p.S/M 200 ok from=nghttp2 grpc(p.S M OK 0 '' 1/1) : " OLDER SENT GOT " tx=11+8 rx=14+9\n" },
};

#endif
