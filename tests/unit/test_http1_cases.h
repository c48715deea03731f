/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_http1_cases.h - the tables of test_http1.c, its only includer: streams, and what the parser must say of them.
 *
 * Expected events are written as text:
 *   <                                begin
 *   (GET / 1.1 none close){Host=a}   head: start line, framing, flags; fields (none: left out)
 *   +5                               body; pieces that follow each other are added up, as cuts may fall anywhere
 *   >  or  >{X=1}                    end, with trailers
 *   !bad_chunk                       error
 */
#ifndef TEST_HTTP1_CASES_H
#define TEST_HTTP1_CASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/http1.h"

struct stream_case {
	const char *why;
	enum ht_http1_side side;
	const char *methods; /* one for each response head, in order; NULL: none known */
	const char *input;
	const char *expected;
	size_t left; /* bytes that are not consumed */
	bool is_eof; /* the stream ends after input */
	size_t len;  /* of input, where it holds a NUL; else 0 */
};

#define REQ HT_HTTP1_REQUEST
#define RES HT_HTTP1_RESPONSE

static const struct stream_case well_formed[] = {
	{ "shortest request", .side = REQ, NULL, "GET / HTTP/1.1\r\n\r\n", "<(GET / 1.1 none)>" },
	{ "fields as on the wire, white space around values gone", .side = REQ, NULL,
	  "GET /a?b HTTP/1.1\r\nHost: x\r\nX-Y:\t a b \t\r\nEmpty:\r\n\r\n", "<(GET /a?b 1.1 none){Host=x,X-Y=a b,Empty=}>" },
	{ "asterisk, authority and absolute form", .side = REQ, NULL,
	  "OPTIONS * HTTP/1.1\r\n\r\nCONNECT h:443 HTTP/1.1\r\n\r\nGET http://h/ HTTP/1.0\r\n\r\n",
	  "<(OPTIONS * 1.1 none)><(CONNECT h:443 1.1 none)><(GET http://h/ 1.0 none)>" },
	{ "raw UTF-8 in the target", .side = REQ, NULL, "GET /\xc3\xa9 HTTP/1.1\r\n\r\n", "<(GET /\xc3\xa9 1.1 none)>" },
	{ "all token characters in a method", .side = REQ, NULL, "!#$%&'*+-.^_`|~09azAZ / HTTP/1.1\r\n\r\n",
	  "<(!#$%&'*+-.^_`|~09azAZ / 1.1 none)>" },
	{ "a method of the largest length", .side = REQ, NULL, "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345 / HTTP/1.1\r\n\r\n",
	  "<(ABCDEFGHIJKLMNOPQRSTUVWXYZ012345 / 1.1 none)>" },
	{ "bare LF ends lines", .side = REQ, NULL, "POST / HTTP/1.1\nA: 1\nContent-Length: 2\n\nhiGET / HTTP/1.1\n\r\n",
	  "<(POST / 1.1 length=2){A=1,Content-Length=2}+2><(GET / 1.1 none)>" },
	{ "empty lines before a request line", .side = REQ, NULL, "\r\n\n\r\nGET / HTTP/1.1\r\n\r\n\r\n\r\n", "<(GET / 1.1 none)>" },
	{ "empty lines only", .side = REQ, NULL, "\r\n\r\n", "", .is_eof = true },
	{ "obs-fold is one space", .side = REQ, NULL, "GET / HTTP/1.1\r\nA: 1 \r\n \t 2\n\t3\r\nB:\r\n x\r\n\r\n",
	  "<(GET / 1.1 none){A=1 2 3,B=x}>" },
	{ "obs-fold of nothing", .side = REQ, NULL, "GET / HTTP/1.1\r\nA: 1\r\n \r\n 2\r\nB: 3\r\n \r\n\r\n",
	  "<(GET / 1.1 none){A=1  2,B=3}>" },
	{ "obs-fold in a framing field", .side = REQ, NULL, "POST / HTTP/1.1\r\nContent-Length:\r\n 3\r\n\r\nabc",
	  "<(POST / 1.1 length=3){Content-Length=3}+3>" },
	{ "Content-Length 0", .side = REQ, NULL, "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
	  "<(POST / 1.1 length=0){Content-Length=0}>" },
	{ "the same Content-Length twice", .side = REQ, NULL, "POST / HTTP/1.1\r\nContent-Length: 3\r\ncontent-length: 3\r\n\r\nabc",
	  "<(POST / 1.1 length=3){Content-Length=3,content-length=3}+3>" },
	{ "the same Content-Length as a list", .side = REQ, NULL, "POST / HTTP/1.1\r\nContent-Length: 3, 3 ,03\r\n\r\nabc",
	  "<(POST / 1.1 length=3){Content-Length=3, 3 ,03}+3>" },
	{ "pipelining", .side = REQ, NULL, "GET /1 HTTP/1.1\r\n\r\nPOST /2 HTTP/1.1\r\nContent-Length: 1\r\n\r\nxGET /3 HTTP/1.1\r\n\r\n",
	  "<(GET /1 1.1 none)><(POST /2 1.1 length=1){Content-Length=1}+1><(GET /3 1.1 none)>" },
	{ "chunked", .side = REQ, NULL,
	  "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
	  "<(POST / 1.1 chunked){Transfer-Encoding=chunked}+13><(GET / 1.1 none)>" },
	{ "chunked, no content", .side = REQ, NULL, "POST / HTTP/1.1\r\nTRANSFER-ENCODING: ChunkeD\r\n\r\n000\r\n\r\n",
	  "<(POST / 1.1 chunked){TRANSFER-ENCODING=ChunkeD}>" },
	{ "chunk extensions, blanks, bare LF", .side = REQ, NULL,
	  "POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n1;a=\"b;\\\"\" ; c\r\nx\r\n2  \r\nyz\n3 ;e\n...\r\n0;last\n\n",
	  "<(POST / 1.1 chunked){Transfer-Encoding=chunked}+6>" },
	{ "trailers", .side = REQ, NULL,
	  "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: 1\r\nContent-Length: 9\r\n\r\nGET / HTTP/1.1\r\n\r\n",
	  "<(POST / 1.1 chunked){Transfer-Encoding=chunked}+1>{A=1,Content-Length=9}<(GET / 1.1 none)>" },
	{ "folded trailer", .side = REQ, NULL, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: 1\r\n 2\r\nB: 3\n\n",
	  "<(POST / 1.1 chunked){Transfer-Encoding=chunked}>{A=1 2,B=3}" },
	{ "another coding, then chunked, in two fields with an empty member", .side = REQ, NULL,
	  "POST / HTTP/1.1\r\nTransfer-Encoding: gzip;q=\"a,\\\"b\" ; r = 1 ,\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n",
	  "<(POST / 1.1 chunked){Transfer-Encoding=gzip;q=\"a,\\\"b\" ; r = 1 ,,Transfer-Encoding=,chunked}>" },
	{ "Connection options over several fields", .side = REQ, NULL,
	  "GET / HTTP/1.1\r\nConnection: foo, UPGRADE\r\nconnection: Keep-Alive ,\tclose\r\nUpgrade: websocket\r\n\r\n",
	  "<(GET / 1.1 none close keep-alive upgrade){Connection=foo, UPGRADE,connection=Keep-Alive ,\tclose,Upgrade=websocket}>" },
	{ "an option is a whole token", .side = REQ, NULL, "GET / HTTP/1.1\r\nConnection: closed, not-close, keep alive\r\n\r\n",
	  "<(GET / 1.1 none){Connection=closed, not-close, keep alive}>" },
	{ "Upgrade without the option", .side = REQ, NULL, "GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n", "<(GET / 1.1 none){Upgrade=h2c}>" },
	{ "the option without Upgrade", .side = REQ, NULL, "GET / HTTP/1.1\r\nConnection: upgrade\r\n\r\n",
	  "<(GET / 1.1 none){Connection=upgrade}>" },
	{ "Expect", .side = REQ, NULL, "PUT / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx",
	  "<(PUT / 1.1 length=1 expect){Expect=100-Continue,Content-Length=1}+1>" },
	{ "Expect twice, in a list", .side = REQ, NULL, "GET / HTTP/1.1\r\nExpect: a, 100-continue\r\nExpect: b\r\n\r\n",
	  "<(GET / 1.1 none expect){Expect=a, 100-continue,Expect=b}>" },
	{ "another expectation", .side = REQ, NULL, "GET / HTTP/1.1\r\nExpect: 100-continued\r\n\r\n",
	  "<(GET / 1.1 none){Expect=100-continued}>" },
	{ "Expect means nothing in a response", .side = RES, "GET", "HTTP/1.1 204 N\r\nExpect: 100-continue\r\n\r\n",
	  "<(1.1 204 N none){Expect=100-continue}>" },
	{ "a later field takes no option back", .side = REQ, NULL,
	  "GET / HTTP/1.1\r\nConnection: keep-alive,close,upgrade\r\nConnection: x\r\nUpgrade: y\r\nUpgrade:\r\n\r\n",
	  "<(GET / 1.1 none close keep-alive upgrade){Connection=keep-alive,close,upgrade,Connection=x,Upgrade=y,Upgrade=}>" },
	{ "a quoted parameter, then chunked at once", .side = REQ, NULL,
	  "POST / HTTP/1.1\r\nTransfer-Encoding: gzip;a=\"b\",chunked\r\n\r\n0\r\n\r\n",
	  "<(POST / 1.1 chunked){Transfer-Encoding=gzip;a=\"b\",chunked}>" },
	{ "a chunk of 9, one of 0x1F and one of 0x1f", .side = REQ, NULL,
	  "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n123456789\r\n1F\r\n0123456789abcdef0123456789abcde\r\n"
	  "1f\r\n0123456789abcdef0123456789abcde\r\n0\r\n\r\n",
	  "<(POST / 1.1 chunked){Transfer-Encoding=chunked}+71>" },
	{ "request names are no framing fields of a longer name", .side = REQ, NULL,
	  "GET / HTTP/1.1\r\nX-Content-Length: 5\r\nContent-Lengths: 4\r\n\r\n",
	  "<(GET / 1.1 none){X-Content-Length=5,Content-Lengths=4}>" },

	{ "response with length", .side = RES, "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
	  "<(1.1 200 OK length=5){Content-Length=5}+5>" },
	{ "no reason", .side = RES, "GET GET", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\nHTTP/1.1 404\r\nContent-Length: 0\r\n\r\n",
	  "<(1.1 200  length=0){Content-Length=0}><(1.1 404  length=0){Content-Length=0}>" },
	{ "a reason of several words, with high bytes", .side = RES, "GET", "HTTP/1.0 999 a \xe4 b\r\nContent-Length: 0\r\n\r\n",
	  "<(1.0 999 a \xe4 b length=0){Content-Length=0}>" },
	{ "close-delimited", .side = RES, "GET", "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 is content here", "<(1.1 200 OK close)+24>",
	  .is_eof = true },
	{ "close-delimited and empty", .side = RES, "GET", "HTTP/1.0 200 OK\r\n\r\n", "<(1.0 200 OK close)>", .is_eof = true },
	{ "close-delimited, not yet closed", .side = RES, "GET", "HTTP/1.0 200 OK\r\n\r\nabc", "<(1.0 200 OK close)+3" },
	{ "HTTP/1.0 with length and keep-alive", .side = RES, "GET GET",
	  "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nxHTTP/1.0 204 N\r\n\r\n",
	  "<(1.0 200 OK length=1 keep-alive){Connection=keep-alive,Content-Length=1}+1><(1.0 204 N none)>" },
	{ "chunked with trailers, then the next", .side = RES, "GET GET",
	  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nT: 1\r\n\r\nHTTP/1.1 304 NM\r\n\r\n",
	  "<(1.1 200 OK chunked){Transfer-Encoding=chunked}+5>{T=1}<(1.1 304 NM none)>" },
	{ "a coding but not chunked: until close", .side = RES, "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
	  "<(1.1 200 OK close){Transfer-Encoding=gzip}+3>", .is_eof = true },
	{ "chunked not last: until close", .side = RES, "GET",
	  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
	  "<(1.1 200 OK close){Transfer-Encoding=chunked,Transfer-Encoding=gzip}+5>", .is_eof = true },
	{ "HEAD: length told, no body", .side = RES, "HEAD GET",
	  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
	  "<(1.1 200 OK none=5){Content-Length=5}><(1.1 200 OK length=1){Content-Length=1}+1>" },
	{ "HEAD: the length in 1xx and 204 says nothing", .side = RES, "HEAD HEAD",
	  "HTTP/1.1 103 E\r\nContent-Length: 5\r\n\r\nHTTP/1.1 204 N\r\nContent-Length: 5\r\n\r\n",
	  "<(1.1 103 E none){Content-Length=5}><(1.1 204 N none){Content-Length=5}>" },
	{ "HEAD: chunked told, no body", .side = RES, "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
	  "<(1.1 200 OK none){Transfer-Encoding=chunked}>" },
	{ "methods are case-sensitive", .side = RES, "head", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nxy",
	  "<(1.1 200 OK length=2){Content-Length=2}+2>" },
	{ "unknown method: the fields decide", .side = RES, "-", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nxy",
	  "<(1.1 200 OK length=2){Content-Length=2}+2>" },
	{ "204 and 304 have no body", .side = RES, "GET GET GET",
	  "HTTP/1.1 204 N\r\nContent-Length: 5\r\n\r\nHTTP/1.1 304 M\r\nContent-Length: 7\r\n\r\n"
	  "HTTP/1.1 304 M\r\nTransfer-Encoding: chunked\r\n\r\n",
	  "<(1.1 204 N none){Content-Length=5}><(1.1 304 M none=7){Content-Length=7}><(1.1 304 M none){Transfer-Encoding=chunked}>" },
	{ "1xx are messages of their own", .side = RES, "POST POST POST",
	  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
	  "<(1.1 100 Continue none)><(1.1 103 Early Hints none){Link=</a>}><(1.1 200 OK length=1){Content-Length=1}+1>" },
	{ "101: what follows is another protocol", .side = RES, "GET", "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nrest",
	  "<(1.1 101 S tunnel upgrade){Connection=upgrade,Upgrade=x}>", .left = 4 },
	{ "2xx to CONNECT: both fields are ignored", .side = RES, "CONNECT",
	  "HTTP/1.1 200 OK\r\nContent-Length: x\r\nTransfer-Encoding: chunked\r\n\r\nrest",
	  "<(1.1 200 OK tunnel){Content-Length=x,Transfer-Encoding=chunked}>", .left = 4 },
	{ "a refused CONNECT is a response as any other", .side = RES, "CONNECT CONNECT",
	  "HTTP/1.1 407 P\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 204 N\r\n\r\nrest",
	  "<(1.1 407 P length=1){Content-Length=1}+1><(1.1 204 N tunnel)>", .left = 4 },
	{ "the largest length", .side = RES, "GET", "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\nx",
	  "<(1.1 200 OK length=9223372036854775807){Content-Length=9223372036854775807}+1" },
	{ "the largest chunk", .side = RES, "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n07fffffffffffffff\r\nx",
	  "<(1.1 200 OK chunked){Transfer-Encoding=chunked}+1" },
};

#define P             "POST / HTTP/1.1\r\n"
#define OK200         "HTTP/1.1 200 OK\r\n"
#define CHUNKED       P "Transfer-Encoding: chunked\r\n\r\n"
#define CHUNKED_TRACE "<(POST / 1.1 chunked){Transfer-Encoding=chunked}"

static const struct stream_case malformed[] = {
	/* Not HTTP/1: told at the first byte that shows it. */
	{ "TLS record", .side = REQ, NULL, "\x16\x03\x01", "<!not_http", .left = 2 },
	{ "a NUL", .side = REQ, NULL, "\0GET", "<!not_http", .left = 3, .len = 4 },
	{ "a space first", .side = REQ, NULL, " GET / HTTP/1.1\r\n", "<!not_http", .left = 16 },
	{ "method without a space", .side = REQ, NULL, "QUIT\r\n", "<!not_http", .left = 1 },
	{ "separator in the method", .side = REQ, NULL, "G@T / HTTP/1.1\r\n", "<!not_http", .left = 14 },
	{ "tab behind the method", .side = REQ, NULL, "GET\t/ HTTP/1.1\r\n", "<!not_http", .left = 12 },
	{ "method too long", .side = REQ, NULL, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456 / HTTP/1.1\r\n", "<!not_http", .left = 13 },
	{ "CR before a request, but no empty line", .side = REQ, NULL, "\rGET / HTTP/1.1\r\n", "<!not_http", .left = 15 },
	{ "HTTP/0.9", .side = REQ, NULL, "GET /\r\n\r\n", "<!not_http", .left = 2 },
	{ "SMTP", .side = REQ, NULL, "EHLO a\r\nMAIL", "<!not_http", .left = 4 },
	{ "HTTP/2 preface", .side = REQ, NULL, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "<!not_http", .left = 8 },
	{ "lower-case version", .side = REQ, NULL, "GET / http/1.1\r\n", "<!not_http" },
	{ "another protocol in a response", .side = RES, "GET", "ICY 200 OK\r\n", "<!not_http", .left = 11 },
	{ "HTTP/2 status line", .side = RES, "GET", "HTTP/2 200\r\n", "<!not_http", .left = 6 },
	{ "HTTP/2 frame", .side = RES, "GET", "\0\0\x12\x04", "<!not_http", .left = 3, .len = 4 },
	{ "an empty line before a status line", .side = RES, "GET", "\r\nHTTP/1.1 200 OK\r\n", "<!not_http", .left = 18 },
	{ "bytes behind a response", .side = RES, "GET", OK200 "Content-Length: 1\r\n\r\nxyz",
	  "<(1.1 200 OK length=1){Content-Length=1}+1><!not_http", .left = 1 },

	{ "two spaces before the target", .side = REQ, NULL, "GET  / HTTP/1.1\r\n", "<!bad_start_line" },
	{ "no target", .side = REQ, NULL, "GET HTTP/1.1\r\n", "<!bad_start_line" },
	{ "an empty target", .side = REQ, NULL, "GET  HTTP/1.1\r\n", "<!bad_start_line" },
	{ "a space in the target", .side = REQ, NULL, "GET /a b HTTP/1.1\r\n", "<!bad_start_line" },
	{ "a tab in the target", .side = REQ, NULL, "GET /a\tb HTTP/1.1\r\n", "<!bad_start_line" },
	{ "a NUL in the target", .side = REQ, NULL, "GET /\0 HTTP/1.1\r\n", "<!bad_start_line", .len = 17 },
	{ "DEL in the target", .side = REQ, NULL, "GET /\x7f HTTP/1.1\r\n", "<!bad_start_line" },
	{ "bare CR in the target", .side = REQ, NULL, "GET /\ra HTTP/1.1\r\n", "<!bad_start_line" },
	{ "two CR", .side = REQ, NULL, "GET / HTTP/1.1\r\r\n", "<!bad_start_line" },
	{ "HTTP/1.2", .side = REQ, NULL, "GET / HTTP/1.2\r\n", "<!bad_start_line" },
	{ "HTTP/1.10", .side = REQ, NULL, "GET / HTTP/1.10\r\n", "<!bad_start_line" },
	{ "version without a minor number", .side = REQ, NULL, "GET / HTTP/1.\r\n", "<!bad_start_line" },
	{ "status of two digits", .side = RES, "GET", "HTTP/1.1 20\r\n", "<!bad_start_line" },
	{ "status of four digits", .side = RES, "GET", "HTTP/1.1 2000\r\n", "<!bad_start_line" },
	{ "status below 100", .side = RES, "GET", "HTTP/1.1 099 X\r\n", "<!bad_start_line" },
	{ "status with a letter", .side = RES, "GET", "HTTP/1.1 2x0 X\r\n", "<!bad_start_line" },
	{ "two spaces before the status", .side = RES, "GET", "HTTP/1.1  200 OK\r\n", "<!bad_start_line" },
	{ "status line of version 1.2", .side = RES, "GET", "HTTP/1.2 200 OK\r\n", "<!bad_start_line" },
	{ "bare CR in the reason", .side = RES, "GET", "HTTP/1.1 200 O\rK\r\n", "<!bad_start_line" },
	{ "NUL in the reason", .side = RES, "GET", "HTTP/1.1 200 O\0K\r\n", "<!bad_start_line", .len = 18 },

	{ "no colon", .side = REQ, NULL, P "Host\r\n\r\n", "<!bad_field" },
	{ "space before the colon", .side = REQ, NULL, P "Content-Length : 1\r\n\r\n", "<!bad_field" },
	{ "tab before the colon", .side = REQ, NULL, P "A\t: 1\r\n\r\n", "<!bad_field" },
	{ "empty name", .side = REQ, NULL, P ": 1\r\n\r\n", "<!bad_field" },
	{ "separator in a name", .side = REQ, NULL, P "A(b): 1\r\n\r\n", "<!bad_field" },
	{ "high byte in a name", .side = REQ, NULL, P "\xc3\xa9: 1\r\n\r\n", "<!bad_field" },
	{ "NUL in a name", .side = REQ, NULL, P "A\0: 1\r\n\r\n", "<!bad_field", .len = 17 + 9 },
	{ "NUL in a value", .side = REQ, NULL, P "A: \0\r\n\r\n", "<!bad_field", .len = 17 + 8 },
	{ "bare CR in a value", .side = REQ, NULL, P "A: 1\rB: 2\r\n\r\n", "<!bad_field" },
	{ "bare CR in a name", .side = REQ, NULL, P "A\rB: 2\r\n\r\n", "<!bad_field" },
	{ "CR CR LF behind a value", .side = REQ, NULL, P "A: 1\r\r\n\r\n", "<!bad_field" },
	{ "a line of CR CR LF is not empty", .side = REQ, NULL, P "\r\r\n\r\n", "<!bad_field" },
	{ "a line that begins with CR", .side = REQ, NULL, P "\rA: 1\r\n\r\n", "<!bad_field" },
	{ "white space before the first field", .side = REQ, NULL, P " A: 1\r\n\r\n", "<!bad_field" },
	{ "blank line before the first field", .side = REQ, NULL, P " \r\n B: 1\r\nA: 1\r\n\r\n", "<!bad_field" },
	{ "a fold inside a name", .side = REQ, NULL, P "A\r\n b: 1\r\n\r\n", "<!bad_field" },
	{ "a fold before the colon", .side = REQ, NULL, P "A\r\n : 1\r\n\r\n", "<!bad_field" },
	{ "bare CR beside a fold", .side = REQ, NULL, P "A: 1\r\r\n 2\r\n\r\n", "<!bad_field" },
	{ "bad field in a response", .side = RES, "GET", OK200 "A\r\n\r\n", "<!bad_field" },
	{ "bad trailer", .side = REQ, NULL, CHUNKED "0\r\nA b: 1\r\n\r\n", CHUNKED_TRACE "!bad_field" },
	{ "white space before the first trailer", .side = REQ, NULL, CHUNKED "0\r\n A: 1\r\n\r\n", CHUNKED_TRACE "!bad_field" },

	{ "differing lengths in two fields", .side = REQ, NULL, P "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
	  "<!bad_content_length" },
	{ "differing lengths in a list", .side = REQ, NULL, P "Content-Length: 1, 2\r\n\r\n", "<!bad_content_length" },
	{ "length with a plus", .side = REQ, NULL, P "Content-Length: +1\r\n\r\n", "<!bad_content_length" },
	{ "negative length", .side = REQ, NULL, P "Content-Length: -1\r\n\r\n", "<!bad_content_length" },
	{ "hexadecimal length", .side = REQ, NULL, P "Content-Length: 0x1\r\n\r\n", "<!bad_content_length" },
	{ "no length in the field", .side = REQ, NULL, P "Content-Length:\r\n\r\n", "<!bad_content_length" },
	{ "empty list member", .side = REQ, NULL, P "Content-Length: 1,\r\n\r\n", "<!bad_content_length" },
	{ "two numbers", .side = REQ, NULL, P "Content-Length: 1 1\r\n\r\n", "<!bad_content_length" },
	{ "folded number", .side = REQ, NULL, P "Content-Length: 1\r\n 1\r\n\r\n", "<!bad_content_length" },
	{ "vertical tab before the number", .side = REQ, NULL, P "Content-Length: \v1\r\n\r\n", "<!bad_content_length" },
	{ "length above INT64_MAX", .side = REQ, NULL, P "Content-Length: 9223372036854775808\r\n\r\n", "<!bad_content_length" },
	{ "length that wraps 64 bits", .side = REQ, NULL, P "Content-Length: 18446744073709551617\r\n\r\n", "<!bad_content_length" },
	{ "differing lengths in a response", .side = RES, "GET", OK200 "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
	  "<!bad_content_length" },
	{ "bad length in a response to HEAD", .side = RES, "HEAD", OK200 "Content-Length: 1;\r\n\r\n", "<!bad_content_length" },

	{ "both fields in a request", .side = REQ, NULL, P "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
	  "<!length_and_chunked" },
	{ "both fields in a response", .side = RES, "GET", OK200 "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
	  "<!length_and_chunked" },
	{ "both, with another coding", .side = RES, "GET", OK200 "Transfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\n",
	  "<!length_and_chunked" },
	{ "both, method unknown", .side = RES, "-", OK200 "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
	  "<!length_and_chunked" },
	{ "chunked not last in a request", .side = REQ, NULL, P "Transfer-Encoding: chunked, gzip\r\n\r\n", "<!bad_transfer_encoding" },
	{ "no chunked in a request", .side = REQ, NULL, P "Transfer-Encoding: identity\r\n\r\n", "<!bad_transfer_encoding" },
	{ "something like chunked", .side = REQ, NULL, P "Transfer-Encoding: xchunked\r\n\r\n", "<!bad_transfer_encoding" },
	{ "chunked twice", .side = REQ, NULL, P "Transfer-Encoding: chunked, chunked\r\n\r\n", "<!bad_transfer_encoding" },
	{ "chunked twice in a response", .side = RES, "GET", OK200 "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
	  "<!bad_transfer_encoding" },
	{ "chunked with a parameter", .side = REQ, NULL, P "Transfer-Encoding: chunked;a=b\r\n\r\n", "<!bad_transfer_encoding" },
	{ "no coding in the field", .side = REQ, NULL, P "Transfer-Encoding: ,\r\n\r\n", "<!bad_transfer_encoding" },
	{ "an empty field beside a length", .side = REQ, NULL, P "Transfer-Encoding:\r\nContent-Length: 1\r\n\r\n",
	  "<!bad_transfer_encoding" },
	{ "two words", .side = REQ, NULL, P "Transfer-Encoding: gzip chunked\r\n\r\n", "<!bad_transfer_encoding" },
	{ "control before chunked", .side = REQ, NULL, P "Transfer-Encoding: \vchunked\r\n\r\n", "<!bad_transfer_encoding" },
	{ "open quote hides chunked", .side = REQ, NULL, P "Transfer-Encoding: gzip;a=\"b, chunked\r\n\r\n", "<!bad_transfer_encoding" },
	{ "quote open behind a backslash", .side = REQ, NULL, P "Transfer-Encoding: gzip;a=\"\\\r\n\r\n", "<!bad_transfer_encoding" },
	{ "parameter without a value", .side = REQ, NULL, P "Transfer-Encoding: gzip;a, chunked\r\n\r\n", "<!bad_transfer_encoding" },
	{ "parameter name alone at the end", .side = REQ, NULL, P "Transfer-Encoding: gzip;a\r\n\r\n", "<!bad_transfer_encoding" },
	{ "parameter with a colon", .side = REQ, NULL, P "Transfer-Encoding: gzip;a:b, chunked\r\n\r\n", "<!bad_transfer_encoding" },
	{ "parameter without a name", .side = REQ, NULL, P "Transfer-Encoding: gzip;=b, chunked\r\n\r\n", "<!bad_transfer_encoding" },
	{ "HTTP/1.0 request", .side = REQ, NULL, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "<!bad_transfer_encoding" },
	{ "HTTP/1.0 response", .side = RES, "GET", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "<!bad_transfer_encoding" },

	{ "no chunk size", .side = REQ, NULL, CHUNKED "\r\n", CHUNKED_TRACE "!bad_chunk", .left = 1 },
	{ "extension without a size", .side = REQ, NULL, CHUNKED ";a\r\n", CHUNKED_TRACE "!bad_chunk", .left = 3 },
	{ "space before the size", .side = REQ, NULL, CHUNKED " 1\r\n", CHUNKED_TRACE "!bad_chunk", .left = 3 },
	{ "negative size", .side = REQ, NULL, CHUNKED "-1\r\n", CHUNKED_TRACE "!bad_chunk", .left = 3 },
	{ "0x before the size", .side = REQ, NULL, CHUNKED "0x1\r\n", CHUNKED_TRACE "!bad_chunk", .left = 3 },
	{ "no hexadecimal digit", .side = REQ, NULL, CHUNKED "1g\r\n", CHUNKED_TRACE "!bad_chunk", .left = 2 },
	{ "two sizes", .side = REQ, NULL, CHUNKED "1 2\r\n", CHUNKED_TRACE "!bad_chunk", .left = 2 },
	{ "size above INT64_MAX", .side = REQ, NULL, CHUNKED "8000000000000000\r\n", CHUNKED_TRACE "!bad_chunk", .left = 2 },
	{ "size that wraps 64 bits", .side = REQ, NULL, CHUNKED "10000000000000001\r\n", CHUNKED_TRACE "!bad_chunk", .left = 2 },
	{ "bare CR behind the size", .side = REQ, NULL, CHUNKED "1\rx\r\n", CHUNKED_TRACE "!bad_chunk", .left = 2 },
	{ "bare CR in an extension", .side = REQ, NULL, CHUNKED "1;a\rb\r\nx", CHUNKED_TRACE "!bad_chunk", .left = 3 },
	{ "NUL in an extension", .side = REQ, NULL, CHUNKED "1;\0\r\n", CHUNKED_TRACE "!bad_chunk", .left = 2,
	  .len = sizeof(CHUNKED) - 1 + 5 },
	{ "more data than the size says", .side = REQ, NULL, CHUNKED "1\r\nxy\r\n", CHUNKED_TRACE "+1!bad_chunk", .left = 2 },
	{ "bare CR behind the data", .side = REQ, NULL, CHUNKED "1\r\nx\r0\r\n", CHUNKED_TRACE "+1!bad_chunk", .left = 2 },

	{ "end before the method's space", .side = REQ, NULL, "GE", "<!unexpected_eof", .is_eof = true },
	{ "end in the start line", .side = RES, "GET", "HTTP/1.1 2", "<!unexpected_eof", .is_eof = true },
	{ "end in the fields", .side = RES, "GET", OK200 "A: 1\r\n", "<!unexpected_eof", .is_eof = true },
	{ "end before the LF of the last line", .side = RES, "GET", OK200 "\r", "<!unexpected_eof", .is_eof = true },
	{ "end before any content", .side = RES, "GET", OK200 "Content-Length: 3\r\n\r\n",
	  "<(1.1 200 OK length=3){Content-Length=3}!unexpected_eof", .is_eof = true },
	{ "end in the content", .side = RES, "GET", OK200 "Content-Length: 3\r\n\r\nab",
	  "<(1.1 200 OK length=3){Content-Length=3}+2!unexpected_eof", .is_eof = true },
	{ "end before a chunk", .side = REQ, NULL, CHUNKED, CHUNKED_TRACE "!unexpected_eof", .is_eof = true },
	{ "end in a chunk", .side = REQ, NULL, CHUNKED "3\r\nab", CHUNKED_TRACE "+2!unexpected_eof", .is_eof = true },
	{ "end behind a chunk", .side = REQ, NULL, CHUNKED "3\r\nabc", CHUNKED_TRACE "+3!unexpected_eof", .is_eof = true },
	{ "end before the trailers' end", .side = REQ, NULL, CHUNKED "0\r\n", CHUNKED_TRACE "!unexpected_eof", .is_eof = true },
	{ "end in a second message", .side = REQ, NULL, "GET / HTTP/1.1\r\n\r\nG", "<(GET / 1.1 none)><!unexpected_eof", .is_eof = true },
};

/* A script: feed text, skip n bytes, end. The parser's answers are part of the trace: "[n]" where a skip took n bytes of what was asked. */
struct step {
	const char *feed;
	uint64_t skip_bytes;
	bool is_eof;
	bool is_reset;
};

#define FEED(text)             \
	{                      \
		.feed = (text) \
	}
#define SKIP(n)                   \
	{                         \
		.skip_bytes = (n) \
	}
#define END                    \
	{                      \
		.is_eof = true \
	}
#define RESET                    \
	{                        \
		.is_reset = true \
	}
#define LEN5       OK200 "Content-Length: 5\r\n\r\n"
#define LEN5_TRACE "<(1.1 200 OK length=5){Content-Length=5}"
#define GET        "GET / HTTP/1.1\r\n\r\n"
#define GET_TRACE  "<(GET / 1.1 none)>"

static const struct skip_case {
	const char *why;
	enum ht_http1_side side;
	struct step steps[8];
	const char *expected;
} skips[] = {
	{ "skip of nothing between messages", REQ, { SKIP(0), FEED(GET), SKIP(0), END }, GET_TRACE },
	{ "whole content", RES, { FEED(LEN5), SKIP(5), FEED(LEN5) }, LEN5_TRACE "+5>[5]" LEN5_TRACE },
	{ "middle of the content", RES, { FEED(LEN5 "a"), SKIP(3), FEED("b"), END }, LEN5_TRACE "[3]+5>" },
	{ "content and beyond", RES, { FEED(LEN5 "a"), SKIP(6) }, LEN5_TRACE "+5>!gap[4]" },
	{ "content and far beyond", RES, { FEED(LEN5 "a"), SKIP(UINT64_MAX) }, LEN5_TRACE "+5>!gap[4]" },
	{ "between messages", REQ, { FEED(GET), SKIP(1) }, GET_TRACE "!gap[0]" },
	{ "before anything", REQ, { SKIP(100), FEED(GET) }, "!gap[0]" },
	{ "in an empty line", REQ, { FEED("\r"), SKIP(1) }, "!gap[0]" },
	{ "in the method", REQ, { FEED("GE"), SKIP(1) }, "<!gap[0]" },
	{ "in the start line", REQ, { FEED("GET /"), SKIP(1) }, "<!gap[0]" },
	{ "in the fields", REQ, { FEED("GET / HTTP/1.1\r\nA"), SKIP(1) }, "<!gap[0]" },
	{ "until close",
	  RES,
	  { FEED(OK200 "\r\nab"), SKIP(1000000000000), FEED("c"), END },
	  "<(1.1 200 OK close)[1000000000000]+1000000000003>" },
	{ "inside a chunk", REQ, { FEED(CHUNKED "5\r\na"), SKIP(3), FEED("b\r\n0\r\n\r\n" GET) }, CHUNKED_TRACE "[3]+5>" GET_TRACE },
	{ "all of a chunk's data", REQ, { FEED(CHUNKED "5\r\n"), SKIP(5), FEED("\r\n0\r\n\r\n") }, CHUNKED_TRACE "[5]+5>" },
	{ "chunk data and its line end", REQ, { FEED(CHUNKED "5\r\n"), SKIP(6) }, CHUNKED_TRACE "+5!gap[5]" },
	{ "across chunks", REQ, { FEED(CHUNKED "5\r\na"), SKIP(20) }, CHUNKED_TRACE "+5!gap[4]" },
	{ "before a chunk size", REQ, { FEED(CHUNKED), SKIP(1) }, CHUNKED_TRACE "!gap[0]" },
	{ "in a chunk size", REQ, { FEED(CHUNKED "5"), SKIP(1) }, CHUNKED_TRACE "!gap[0]" },
	{ "in a chunk extension", REQ, { FEED(CHUNKED "5;a"), SKIP(1) }, CHUNKED_TRACE "!gap[0]" },
	{ "behind chunk data", REQ, { FEED(CHUNKED "1\r\na"), SKIP(1) }, CHUNKED_TRACE "+1!gap[0]" },
	{ "in the trailers", REQ, { FEED(CHUNKED "0\r\nA"), SKIP(1) }, CHUNKED_TRACE "!gap[0]" },
	{ "reset after a gap", REQ, { FEED("GET / HT"), SKIP(9), RESET, FEED(GET) }, "<!gap[0]" GET_TRACE },
	{ "reset in a body", RES, { FEED(LEN5 "a"), RESET, FEED(LEN5) }, LEN5_TRACE "+1~" LEN5_TRACE },
	{ "reset inside a head", REQ, { FEED("GET /long HTTP/1.1\r\nA: b\r\n c"), RESET, FEED(GET) }, "<~" GET_TRACE },
	{ "reset of a tunnel",
	  RES,
	  { FEED("HTTP/1.1 101 S\r\n\r\n"), FEED("x"), SKIP(3), END, RESET, FEED(LEN5) },
	  "<(1.1 101 S tunnel)>[3]" LEN5_TRACE },
	{ "end twice", RES, { FEED(OK200 "\r\nab"), END, END }, "<(1.1 200 OK close)+2>" },
	{ "end before anything", RES, { END }, "" },
	{ "end in an empty line", REQ, { FEED("\r"), END }, "" },
};

#endif
