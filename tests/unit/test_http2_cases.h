/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_http2_cases.h - the tables of test_http2.c, its only includer: streams, and what the reader must say of them.
 *
 * Input is words: M is the client's preface; TYPE+FLAGS@STREAM#LENGTH:PAYLOAD a frame, of which FLAGS (hexadecimal), #LENGTH (where it
 * lies) and PAYLOAD may be left out; =HEX bytes as they are; |, the end of a piece; skip:N, N bytes that were not captured. A payload is
 * hexadecimal digits and *N, N times x. Expected events:
 *   <1                  begin of stream 1
 *   [1 a=b,?]           headers: its fields, ? one that is not known; then $ for END_STREAM, ~ where not complete
 *   +1:5  +1:5/3        data, 3 of them captured; pieces that follow each other are added up
 *   >1                  end_stream
 *   R1:8                rst_stream
 *   S1=4096             settings
 *   G5:0                goaway
 *   P1[2 a=b]           push_promise of stream 2
 *   ~                   gap
 *   !bad_padding        error
 *   !1:malformed        stream_error
 */
#ifndef TEST_HTTP2_CASES_H
#define TEST_HTTP2_CASES_H

#include "proto/http2.h"

#define C HT_HTTP2_CLIENT
#define S HT_HTTP2_SERVER

struct frame_case {
	const char *why;
	enum ht_http2_side side;
	const char *input;
	const char *expected;
};

#define FROM_C     "M SETTINGS@0 "
#define FROM_S     "SETTINGS@0 "
/* Header blocks (RFC 7541 appendix A), and their fields. */
#define GET        "828684"
#define GET_FIELDS ":method=GET,:scheme=http,:path=/"
#define OK200      "88"
#define TRAILERS   "0001610162"
/* :authority: a, added to the table; then named. */
#define GET_ADD    "828684410161"
#define GET_AGAIN  "828684be"
#define GET_A      ":method=GET,:scheme=http,:path=/,:authority=a"
#define GOT        "<1[1 " GET_FIELDS "]$>1"
#define STREAM_1   FROM_C "HEADERS+05@1:" GET " "
#define OPEN_1     FROM_C "HEADERS+04@1:" GET " "
#define OPENED_1   "<1[1 " GET_FIELDS "]"

/* At every split. */
static const struct frame_case well_formed[] = {
	{ "the shortest connection", C, "M SETTINGS@0", "" },
	{ "a server's", S, "SETTINGS@0 SETTINGS+01@0", "" },
	{ "settings, known and unknown", C, "M SETTINGS@0:000100001000000200000000000300000064abcd12345678",
	  "S1=4096S2=0S3=100S43981=305419896" },
	{ "the largest values", C, "M SETTINGS@0:00020000000100047fffffff000500ffffff000500004000",
	  "S2=1S4=2147483647S5=16777215S5=16384" },
	{ "a server says that it does not push", S, "SETTINGS@0:000200000000", "S2=0" },
	{ "a request without content", C, STREAM_1, GOT },
	{ "two requests, one block names the other's entry", C, FROM_C "HEADERS+05@1:" GET_ADD " HEADERS+05@3:" GET_AGAIN,
	  "<1[1 " GET_A "]$>1<3[3 " GET_A "]$>3" },
	{ "a request with content and trailers", C, OPEN_1 "DATA@1:*300 DATA@1:*5 HEADERS+05@1:" TRAILERS,
	  OPENED_1 "+1:305/305<1[1 a=b]$>1" },
	{ "END_STREAM on the last DATA", C, OPEN_1 "DATA@1:*3 DATA+01@1:*5", OPENED_1 "+1:8/8>1" },
	{ "an empty DATA with END_STREAM", C, OPEN_1 "DATA+01@1", OPENED_1 ">1" },
	{ "an empty DATA without", C, OPEN_1 "DATA@1 DATA+01@1:*1", OPENED_1 "+1:1/1>1" },
	{ "streams take turns", C, FROM_C "HEADERS+04@1:" GET " HEADERS+04@3:" GET " DATA@1:*2 DATA@3:*4 DATA+01@1:*1 DATA+01@3:*6",
	  "<1[1 " GET_FIELDS "]<3[3 " GET_FIELDS "]+1:2/2+3:4/4+1:1/1>1+3:6/6>3" },
	{ "a block in three frames", C, FROM_C "HEADERS+01@1:82 CONTINUATION@1:86 CONTINUATION+04@1:84", GOT },
	{ "empty CONTINUATION", C, FROM_C "HEADERS+01@1 CONTINUATION@1 CONTINUATION@1:828684 CONTINUATION+04@1", GOT },
	{ "a field cut in two", C, FROM_C "HEADERS+01@1:8286844103 CONTINUATION@1:6162 CONTINUATION+04@1:63",
	  "<1[1 " GET_FIELDS ",:authority=abc]$>1" },
	{ "padding is no content", C, OPEN_1 "DATA+08@1:02*7 DATA+09@1:00*3", OPENED_1 "+1:8/8>1" },
	{ "DATA of padding only", C, OPEN_1 "DATA+08@1:03*3 DATA+08@1:00 DATA+09@1:ff*255", OPENED_1 ">1" },
	{ "HEADERS with padding", C, FROM_C "HEADERS+0d@1:05" GET "*5", GOT },
	{ "HEADERS with priority", C, FROM_C "HEADERS+25@1:80000003ff" GET, GOT },
	{ "HEADERS with both", C, FROM_C "HEADERS+2d@1:010000000000" GET "00", GOT },
	{ "padding behind the first frame of a block", C, FROM_C "HEADERS+09@1:02" GET "*2 CONTINUATION+04@1:410161",
	  "<1[1 " GET_A "]$>1" },
	{ "PRIORITY, of an idle stream and of an ended one", C, FROM_C "PRIORITY@7:0000000010 HEADERS+05@1:" GET " PRIORITY@1:0000000010",
	  GOT },
	{ "RST_STREAM", C, OPEN_1 "RST_STREAM@1:00000008", OPENED_1 "R1:8" },
	{ "RST_STREAM after END_STREAM", C, STREAM_1 "RST_STREAM@1:00000000", GOT "R1:0" },
	{ "RST_STREAM of the other side's stream", C, FROM_C "RST_STREAM@2:00000007", "R2:7" },
	{ "GOAWAY", S, FROM_S "GOAWAY@0:0000000500000000", "G5:0" },
	{ "GOAWAY with debug data, the reserved bit set", S, FROM_S "GOAWAY@0:ffffffff0000000b*40 PING@0:*8", "G2147483647:11" },
	{ "PING and its answer", C, FROM_C "PING@0:*8 PING+01@0:*8", "" },
	{ "WINDOW_UPDATE", C, STREAM_1 "WINDOW_UPDATE@0:00000001 WINDOW_UPDATE@1:7fffffff WINDOW_UPDATE@2:00000001", GOT },
	{ "an upgraded request's stream was opened by HTTP/1.1", C, FROM_C "WINDOW_UPDATE@1:00000001 RST_STREAM@1:00000008", "R1:8" },
	{ "frames of unknown types", C, FROM_C "ALTSVC+ff@0:*40 ORIGIN@1 X10@0:0000000075", "" },
	{ "undefined flags", C, "M SETTINGS+fe@0 HEADERS+d5@1:" GET " PING+fe@0:*8", GOT },
	{ "the reserved bit of a stream identifier", C, FROM_C "HEADERS+05@2147483649:" GET, GOT },
	{ "responses: 100, 103, 200, trailers", S,
	  FROM_S "HEADERS+04@1:0803313030 HEADERS+04@1:0803313033 HEADERS+04@1:88 DATA@1:*9 HEADERS+05@1:" TRAILERS,
	  "<1[1 :status=100]<1[1 :status=103]<1[1 :status=200]+1:9/9<1[1 a=b]$>1" },
	{ "responses in any order", S, FROM_S "HEADERS+05@5:88 HEADERS+05@1:88 HEADERS+05@3:8d",
	  "<5[5 :status=200]$>5<1[1 :status=200]$>1<3[3 :status=404]$>3" },
	{ "a response before the request's end, then a reset without error", S, FROM_S "HEADERS+05@1:88 RST_STREAM@1:00000000",
	  "<1[1 :status=200]$>1R1:0" },
	{ "PUSH_PROMISE, then the pushed response", S,
	  FROM_S "PUSH_PROMISE+04@1:00000002" GET " HEADERS+05@1:88 HEADERS+04@2:88 DATA+01@2:*4",
	  "P1[2 " GET_FIELDS "]<1[1 :status=200]$>1<2[2 :status=200]+2:4/4>2" },
	{ "PUSH_PROMISE with padding and CONTINUATION", S, FROM_S "PUSH_PROMISE+08@1:010000000482*1 CONTINUATION+04@1:8684",
	  "P1[4 " GET_FIELDS "]" },
	{ "CONNECT", C, FROM_C "HEADERS+04@1:0207434f4e4e4543540103613a31 DATA@1:*7", "<1[1 :method=CONNECT,:authority=a:1]+1:7/7" },
	{ "extended CONNECT (RFC 8441)", C,
	  FROM_C "HEADERS+04@1:0207434f4e4e4543540103613a318684"
		 "00093a70726f746f636f6c09776562736f636b6574",
	  "<1[1 :method=CONNECT,:authority=a:1,:scheme=http,:path=/,:protocol=websocket]" },
	{ "te: trailers", C, FROM_C "HEADERS+05@1:" GET "0002746508747261696c657273", "<1[1 " GET_FIELDS ",te=trailers]$>1" },
	{ "an empty value", C, FROM_C "HEADERS+05@1:" GET "00016100", "<1[1 " GET_FIELDS ",a=]$>1" },
	{ "a field that must not be indexed, a huffman-coded one", C, FROM_C "HEADERS+05@1:" GET "418cf1e3c2e5f23a6ba0ab90f4ff1f2e03666f6f",
	  "<1[1 " GET_FIELDS ",:authority=www.example.com,www-authenticate=foo]$>1" },
	{ "the table is emptied and enlarged", C,
	  FROM_C "HEADERS+05@1:" GET_ADD " HEADERS+05@3:203fe1ff03" GET_ADD " HEADERS+05@5:" GET_AGAIN,
	  "<1[1 " GET_A "]$>1<3[3 " GET_A "]$>3<5[5 " GET_A "]$>5" },
	{ "a table larger than what is kept: unknown from there on, but for what is static or new", C,
	  FROM_C "HEADERS+05@1:" GET_ADD " HEADERS+05@3:3fe2ff03" GET_ADD " HEADERS+05@5:" GET_AGAIN " HEADERS+05@7:" GET_ADD
		 " HEADERS+05@9:" GET_AGAIN,
	  "<1[1 " GET_A "]$>1<3[3 ]$~>3<5[5 " GET_FIELDS ",?]$~>5<7[7 " GET_A "]$>7<9[9 " GET_A "]$>9" },
};

/* Connection errors (section 5.4.1), at every split. */
static const struct frame_case broken[] = {
	{ "HTTP/1 instead of a preface", C, "=474554202f20485454502f312e310d0a0d0a", "!bad_preface" },
	{ "a preface that is wrong at its end", C, "=505249202a20485454502f322e300d0a0d0a534d0d0a0d00", "!bad_preface" },
	{ "no SETTINGS behind it", C, "M HEADERS+05@1:" GET, "!bad_preface" },
	{ "an acknowledgement is not a first SETTINGS", C, "M SETTINGS+01@0", "!bad_preface" },
	{ "a server's first frame", S, "PING@0:*8", "!bad_preface" },
	{ "an unknown type is no first frame either", S, "ALTSVC@0:*8", "!bad_preface" },
	{ "DATA on stream 0", C, FROM_C "DATA@0:*5", "!bad_stream_id" },
	{ "DATA on an idle stream", C, STREAM_1 "DATA@3:*5", GOT "!idle_stream" },
	{ "DATA by a client on a pushed stream", C, FROM_C "DATA@2:*5", "!bad_stream_id" },
	{ "DATA by a server on a stream that it never promised", S, FROM_S "DATA@2:*5", "!idle_stream" },
	{ "padding as long as the payload", C, OPEN_1 "DATA+08@1:06*5", OPENED_1 "!bad_padding" },
	{ "padding of a payload that is its length only", C, OPEN_1 "DATA+08@1:01", OPENED_1 "!bad_padding" },
	{ "HEADERS on stream 0", C, FROM_C "HEADERS+05@0:" GET, "!bad_stream_id" },
	{ "HEADERS of an even stream by a client", C, FROM_C "HEADERS+05@2:" GET, "!bad_stream_id" },
	{ "HEADERS of an even stream that was not promised", S, FROM_S "HEADERS+05@2:" OK200, "!idle_stream" },
	{ "HEADERS with more padding than there is", C, FROM_C "HEADERS+0d@1:04" GET, "<1!bad_padding" },
	{ "HEADERS too short for the pad length", C, FROM_C "HEADERS+0d@1", "!bad_frame_size" },
	{ "HEADERS too short for priority", C, FROM_C "HEADERS+25@1:00000000", "!bad_frame_size" },
	{ "HEADERS too short for both", C, FROM_C "HEADERS+2d@1:0000000000", "!bad_frame_size" },
	{ "another frame inside a block", C, FROM_C "HEADERS+01@1:82 PING@0:*8", "<1!bad_continuation" },
	{ "an unknown frame inside a block", C, FROM_C "HEADERS+01@1:82 ALTSVC@0", "<1!bad_continuation" },
	{ "DATA inside a block", C, FROM_C "HEADERS+01@1:82 DATA@1:*3", "<1!bad_continuation" },
	{ "HEADERS inside a block", C, FROM_C "HEADERS+01@1:82 HEADERS+04@1:86", "<1!bad_continuation" },
	{ "CONTINUATION of another stream", C, FROM_C "HEADERS+01@1:82 CONTINUATION+04@3:86", "<1!bad_continuation" },
	{ "CONTINUATION of nothing", C, FROM_C "CONTINUATION+04@1:86", "!bad_continuation" },
	{ "CONTINUATION after END_HEADERS", C, STREAM_1 "CONTINUATION+04@1:86", GOT "!bad_continuation" },
	{ "CONTINUATION on stream 0", C, FROM_C "HEADERS+01@1:82 CONTINUATION+04@0:86", "<1!bad_stream_id" },
	{ "PRIORITY on stream 0", C, FROM_C "PRIORITY@0:0000000010", "!bad_stream_id" },
	{ "RST_STREAM on stream 0", C, FROM_C "RST_STREAM@0:00000008", "!bad_stream_id" },
	{ "RST_STREAM of an idle stream", C, FROM_C "RST_STREAM@3:00000008", "!idle_stream" },
	{ "RST_STREAM of a stream that was not promised", S, FROM_S "RST_STREAM@2:00000008", "!idle_stream" },
	{ "RST_STREAM too short", C, OPEN_1 "RST_STREAM@1:000000", OPENED_1 "!bad_frame_size" },
	{ "RST_STREAM too long", C, OPEN_1 "RST_STREAM@1:0000000000", OPENED_1 "!bad_frame_size" },
	{ "SETTINGS of a stream", C, FROM_C "SETTINGS@1", "!bad_stream_id" },
	{ "SETTINGS of five bytes", C, FROM_C "SETTINGS@0:0001000010", "!bad_frame_size" },
	{ "an acknowledgement with settings", C, FROM_C "SETTINGS+01@0:000100001000", "!bad_frame_size" },
	{ "ENABLE_PUSH 2", C, "M SETTINGS@0:000100001000000200000002", "S1=4096!bad_setting" },
	{ "ENABLE_PUSH 1 by a server", S, "SETTINGS@0:000200000001", "!bad_setting" },
	{ "INITIAL_WINDOW_SIZE 2^31", C, "M SETTINGS@0:000480000000", "!bad_window" },
	{ "MAX_FRAME_SIZE below 2^14", C, "M SETTINGS@0:000500003fff", "!bad_setting" },
	{ "MAX_FRAME_SIZE 2^24", C, "M SETTINGS@0:000501000000", "!bad_setting" },
	{ "PUSH_PROMISE by a client", C, OPEN_1 "PUSH_PROMISE+04@1:00000002" GET, OPENED_1 "!bad_push" },
	{ "PUSH_PROMISE on stream 0", S, FROM_S "PUSH_PROMISE+04@0:00000002" GET, "!bad_stream_id" },
	{ "PUSH_PROMISE on the server's own stream", S, FROM_S "PUSH_PROMISE+04@2:00000004" GET, "!bad_stream_id" },
	{ "PUSH_PROMISE of a client's stream", S, FROM_S "PUSH_PROMISE+04@1:00000003" GET, "!bad_stream_id" },
	{ "PUSH_PROMISE of stream 0", S, FROM_S "PUSH_PROMISE+04@1:00000000" GET, "!bad_stream_id" },
	{ "PUSH_PROMISE of a lower stream than the last", S, FROM_S "PUSH_PROMISE+04@1:00000004" GET " PUSH_PROMISE+04@1:00000002" GET,
	  "P1[4 " GET_FIELDS "]!bad_stream_id" },
	{ "PUSH_PROMISE after END_STREAM", S, FROM_S "HEADERS+05@1:88 PUSH_PROMISE+04@1:00000002" GET, "<1[1 :status=200]$>1!bad_push" },
	{ "PUSH_PROMISE too short", S, FROM_S "PUSH_PROMISE+04@1:000000", "!bad_frame_size" },
	{ "PUSH_PROMISE too short for the pad length", S, FROM_S "PUSH_PROMISE+0c@1:00000002", "!bad_frame_size" },
	{ "PUSH_PROMISE with more padding than there is", S, FROM_S "PUSH_PROMISE+0c@1:040000000282*2", "!bad_padding" },
	{ "PING of a stream", C, FROM_C "PING@1:*8", "!bad_stream_id" },
	{ "PING too short", C, FROM_C "PING@0:*7", "!bad_frame_size" },
	{ "PING too long", C, FROM_C "PING@0:*9", "!bad_frame_size" },
	{ "GOAWAY of a stream", S, FROM_S "GOAWAY@1:0000000000000000", "!bad_stream_id" },
	{ "GOAWAY too short", S, FROM_S "GOAWAY@0:00000000000000", "!bad_frame_size" },
	{ "WINDOW_UPDATE too short", C, FROM_C "WINDOW_UPDATE@0:000001", "!bad_frame_size" },
	{ "WINDOW_UPDATE of a stream, too long", C, STREAM_1 "WINDOW_UPDATE@1:0000000100", GOT "!bad_frame_size" },
	{ "WINDOW_UPDATE of an idle stream", C, FROM_C "WINDOW_UPDATE@3:00000001", "!idle_stream" },
	{ "WINDOW_UPDATE of the connection by 0", C, FROM_C "WINDOW_UPDATE@0:80000000", "!bad_increment" },
	{ "an index that the table does not have", C, FROM_C "HEADERS+05@1:" GET_AGAIN, "<1!bad_compression" },
	{ "index 0", C, FROM_C "HEADERS+05@1:80", "<1!bad_compression" },
	{ "a block that ends in the middle of a field", C, FROM_C "HEADERS+05@1:828684410261", "<1!bad_compression" },
	{ "a size update behind a field", C, FROM_C "HEADERS+05@1:8220", "<1!bad_compression" },
	{ "huffman code that ends in the middle", C, FROM_C "HEADERS+05@1:4181ff", "<1!bad_compression" },
	{ "a number without end", C, FROM_C "HEADERS+05@1:3fffffffffffffffffffffff", "<1!bad_compression" },
};

/* Stream errors (section 5.4.2, 8.1.1), at every split. */
static const struct frame_case stream_errors[] = {
	{ "PRIORITY of four bytes", C, STREAM_1 "PRIORITY@1:00000000 PING@0:*8", GOT "!1:bad_frame_size" },
	{ "DATA too short for the pad length", C, OPEN_1 "DATA+09@1 RST_STREAM@1:00000008", OPENED_1 "!1:bad_frame_sizeR1:8" },
	{ "WINDOW_UPDATE by 0", C, STREAM_1 "WINDOW_UPDATE@1:00000000 PING@0:*8", GOT "!1:bad_increment" },
	{ "DATA after END_STREAM", C, STREAM_1 "DATA@1:*5 DATA+01@1:*5", GOT "!1:stream_closed!1:stream_closed" },
	{ "HEADERS after END_STREAM: nothing else is told, the table is kept", C,
	  STREAM_1 "HEADERS+05@1:" GET_ADD " HEADERS+05@3:" GET_AGAIN, GOT "!1:stream_closed<3[3 " GET_A "]$>3" },
	{ "HEADERS and DATA after RST_STREAM", C, OPEN_1 "RST_STREAM@1:00000008 DATA@1:*5 HEADERS+05@1:" TRAILERS,
	  OPENED_1 "R1:8!1:stream_closed!1:stream_closed" },
	{ "a server's DATA after END_STREAM", S, FROM_S "HEADERS+05@1:88 DATA+01@1:*2", "<1[1 :status=200]$>1!1:stream_closed" },
	{ "an upper case name", C, FROM_C "HEADERS+05@1:" GET "0001410162", "<1[1 " GET_FIELDS ",A=b]$!1:malformed>1" },
	{ "an empty name", C, FROM_C "HEADERS+05@1:" GET "00000162", "<1[1 " GET_FIELDS ",=b]$!1:malformed>1" },
	{ "a blank in a name", C, FROM_C "HEADERS+05@1:" GET "00036120610162", "<1[1 " GET_FIELDS ",a a=b]$!1:malformed>1" },
	{ "a colon in a name", C, FROM_C "HEADERS+05@1:" GET "0003613a610162", "<1[1 " GET_FIELDS ",a:a=b]$!1:malformed>1" },
	{ "a byte above 0x7e in a name", C, FROM_C "HEADERS+05@1:" GET "00017f0162", "<1[1 " GET_FIELDS ",\x7f=b]$!1:malformed>1" },
	{ "a line end in a value", C, FROM_C "HEADERS+05@1:" GET "00016103620a62", "<1[1 " GET_FIELDS ",a=b\nb]$!1:malformed>1" },
	{ "a value that begins with a blank", C, FROM_C "HEADERS+05@1:" GET "000161022062", "<1[1 " GET_FIELDS ",a= b]$!1:malformed>1" },
	{ "a value that ends with a tab", C, FROM_C "HEADERS+05@1:" GET "000161026209", "<1[1 " GET_FIELDS ",a=b\t]$!1:malformed>1" },
	{ "connection-specific", C, FROM_C "HEADERS+05@1:" GET "0007757067726164650162", "<1[1 " GET_FIELDS ",upgrade=b]$!1:malformed>1" },
	{ "te of something else", C, FROM_C "HEADERS+05@1:" GET "000274650162", "<1[1 " GET_FIELDS ",te=b]$!1:malformed>1" },
	{ "transfer-encoding", S, FROM_S "HEADERS+05@1:880f2a0162", "<1[1 :status=200,transfer-encoding=b]$!1:malformed>1" },
	{ "a pseudo-header behind a field", C, FROM_C "HEADERS+05@1:8286" TRAILERS "84",
	  "<1[1 :method=GET,:scheme=http,a=b,:path=/]$!1:malformed>1" },
	{ "a pseudo-header twice", C, FROM_C "HEADERS+05@1:" GET "82", "<1[1 " GET_FIELDS ",:method=GET]$!1:malformed>1" },
	{ "a pseudo-header that there is not", C, FROM_C "HEADERS+05@1:" GET "00023a610162", "<1[1 " GET_FIELDS ",:a=b]$!1:malformed>1" },
	{ "a response's in a request", C, FROM_C "HEADERS+05@1:" GET "88", "<1[1 " GET_FIELDS ",:status=200]$!1:malformed>1" },
	{ "a request's in a response", S, FROM_S "HEADERS+05@1:8882", "<1[1 :status=200,:method=GET]$!1:malformed>1" },
	{ "no path", C, FROM_C "HEADERS+05@1:8286", "<1[1 :method=GET,:scheme=http]$!1:malformed>1" },
	{ "an empty path", C, FROM_C "HEADERS+05@1:82860400", "<1[1 :method=GET,:scheme=http,:path=]$!1:malformed>1" },
	{ "no pseudo-headers at all", C, FROM_C "HEADERS+05@1:" TRAILERS, "<1[1 a=b]$!1:malformed>1" },
	{ "an empty block", C, FROM_C "HEADERS+05@1", "<1[1 ]$!1:malformed>1" },
	{ "CONNECT with a path", C, FROM_C "HEADERS+05@1:0207434f4e4e45435401016184",
	  "<1[1 :method=CONNECT,:authority=a,:path=/]$!1:malformed>1" },
	{ "CONNECT without authority", C, FROM_C "HEADERS+05@1:0207434f4e4e454354", "<1[1 :method=CONNECT]$!1:malformed>1" },
	{ ":protocol of another method", C, FROM_C "HEADERS+05@1:" GET "00093a70726f746f636f6c0161",
	  "<1[1 " GET_FIELDS ",:protocol=a]$!1:malformed>1" },
	{ "a status of two digits", S, FROM_S "HEADERS+05@1:08023939", "<1[1 :status=99]$!1:malformed>1" },
	{ "a status that is no number", S, FROM_S "HEADERS+05@1:0803327831", "<1[1 :status=2x1]$!1:malformed>1" },
	{ "a status below 100", S, FROM_S "HEADERS+05@1:0803303939", "<1[1 :status=099]$!1:malformed>1" },
	{ "1xx with END_STREAM", S, FROM_S "HEADERS+05@1:0803313030", "<1[1 :status=100]$!1:malformed>1" },
	{ "request trailers with pseudo-headers", C, OPEN_1 "HEADERS+05@1:" GET, OPENED_1 "<1[1 " GET_FIELDS "]$!1:malformed>1" },
	{ "request trailers without END_STREAM", C, OPEN_1 "HEADERS+04@1:" TRAILERS, OPENED_1 "<1[1 a=b]!1:malformed" },
	{ "a server's block with neither status nor END_STREAM", S, FROM_S "HEADERS+04@1:" TRAILERS, "<1[1 a=b]!1:malformed" },
	{ "a promise that is no request", S, FROM_S "PUSH_PROMISE+04@1:0000000282", "P1[2 :method=GET]!2:malformed" },
};

/* As they stand: bytes that are missing. */
static const struct frame_case gaps[] = {
	{ "inside DATA", C, OPEN_1 "DATA+01@1#10:*4 skip:6 PING@0:*8", OPENED_1 "+1:10/4>1" },
	{ "the whole payload of DATA", C, OPEN_1 "DATA+01@1#100000: skip:100000 PING@0:*8", OPENED_1 "+1:100000/0>1" },
	{ "DATA, then bytes that are here again", C, OPEN_1 "DATA+01@1#10:*2 skip:3 =7878787878", OPENED_1 "+1:10/7>1" },
	{ "content and padding", C, OPEN_1 "DATA+09@1#10:04*2 skip:7 PING@0:*8", OPENED_1 "+1:5/2>1" },
	{ "DATA whose pad length is missing: how much is content is not known", C, OPEN_1 "DATA+09@1#10: skip:10 HEADERS+05@3:" GET,
	  OPENED_1 "~>1<3[3 " GET_FIELDS "]$>3" },
	{ "beyond DATA", C, OPEN_1 "DATA+01@1#10:*2 skip:9", OPENED_1 "+1:10/2>1~" },
	{ "a whole frame", C, OPEN_1 "skip:13 | HEADERS+05@3:" GET, OPENED_1 "~<3[3 " GET_FIELDS "]$>3" },
	{ "part of a frame's header", C, OPEN_1 "=0000 skip:7 | HEADERS+05@3:" GET, OPENED_1 "~<3[3 " GET_FIELDS "]$>3" },
	{ "inside a block: given up, and what it added to the table is unknown", C,
	  FROM_C "HEADERS+05@1#6:8286 skip:4 HEADERS+05@3:" GET_AGAIN " HEADERS+05@5:" GET_ADD " HEADERS+05@7:" GET_AGAIN,
	  "<1[1 ]$~>1<3[3 " GET_FIELDS ",?]$~>3<5[5 " GET_A "]$>5<7[7 " GET_A "]$>7" },
	{ "the begin of a block", C, FROM_C "HEADERS+05@1#6: skip:3 =410161 HEADERS+05@3:" GET, "<1[1 ]$~>1<3[3 " GET_FIELDS "]$>3" },
	{ "a CONTINUATION's payload", C, FROM_C "HEADERS+01@1:82 CONTINUATION+04@1#2: skip:2 HEADERS+05@3:" GET,
	  "<1[1 ]$~>1<3[3 " GET_FIELDS "]$>3" },
	{ "from within a block into the next frame", C, FROM_C "HEADERS+01@1:82 CONTINUATION+04@1#2: skip:3", "<1[1 ]$~>1~" },
	{ "a CONTINUATION: the block began, its END_STREAM is known", C, FROM_C "HEADERS+01@1:82 skip:20", "<1[1 ]$~>1~" },
	{ "the padding of HEADERS", C, FROM_C "HEADERS+0d@1#9:05" GET " skip:5 PING@0:*8", GOT },
	{ "the pad length of HEADERS", C, FROM_C "HEADERS+0d@1#9: skip:1 =" GET "7878787878 HEADERS+05@3:" GET_AGAIN,
	  "<1[1 ]$~>1<3[3 " GET_FIELDS ",?]$~>3" },
	{ "the priority of HEADERS", C, FROM_C "HEADERS+25@1#8: skip:5 =" GET " PING@0:*8", GOT },
	{ "the payload of PING, of an unknown frame, of WINDOW_UPDATE", C,
	  FROM_C "PING@0#8: skip:8 ALTSVC@0#100: skip:100 WINDOW_UPDATE@0#4: skip:4 HEADERS+05@1:" GET, GOT },
	{ "a setting: the next one is read", C, "M SETTINGS@0#12:0001 skip:4 =000400001000 PING@0:*8", "S4=4096" },
	{ "RST_STREAM's code: some stream may have been reset", C, OPEN_1 "RST_STREAM@1#4: skip:4 HEADERS+05@3:" GET,
	  OPENED_1 "~<3[3 " GET_FIELDS "]$>3" },
	{ "GOAWAY's", S, FROM_S "GOAWAY@0#8:000000 skip:5 HEADERS+05@1:88", "~<1[1 :status=200]$>1" },
	{ "GOAWAY's debug data", S, FROM_S "GOAWAY@0#100:0000000500000000 skip:92 HEADERS+05@1:88", "G5:0<1[1 :status=200]$>1" },
	{ "the promised stream", S, FROM_S "PUSH_PROMISE+04@1#7: skip:4 =" GET " HEADERS+05@1:88 HEADERS+05@6:88",
	  "~<1[1 :status=200]$>1<6[6 :status=200]$>6" },
	{ "the preface", C, "skip:24 | SETTINGS@0 HEADERS+05@1:" GET, "~" GOT },
	{ "after a gap streams may have been opened unseen", C,
	  STREAM_1 "skip:20 | PING@0:*8 DATA@7:*5 | HEADERS+05@3:" TRAILERS " | RST_STREAM@9:00000008", GOT "~+7:5/5<3[3 a=b]$>3R9:8" },
	{ "a gap of a gap", C, STREAM_1 "skip:20 skip:7 | PING@0:*8 skip:1", GOT "~~" },
	{ "no frame where the bytes come back: nothing until there is", C, STREAM_1 "skip:20 | =616263646566676869 | HEADERS+05@3:" GET,
	  GOT "~<3[3 " GET_FIELDS "]$>3" },
};

/* As they stand: joined late. */
static const struct frame_case late[] = {
	{ "one frame that ends where the piece ends", C, "HEADERS+05@7:" GET, "<7[7 " GET_FIELDS "]$>7" },
	{ "entries from before are unknown, those added since are not", C,
	  "HEADERS+05@7:" GET_AGAIN " HEADERS+05@9:" GET_ADD " HEADERS+05@11:" GET_AGAIN " HEADERS+05@13:828684bf",
	  "<7[7 " GET_FIELDS ",?]$~>7<9[9 " GET_A "]$>9<11[11 " GET_A "]$>11<13[13 " GET_FIELDS ",?]$~>13" },
	{ "a value with an unknown name is unknown", C, "HEADERS+05@7:8286847e0162 HEADERS+05@9:" GET_AGAIN,
	  "<7[7 " GET_FIELDS ",?]$~>7<9[9 " GET_FIELDS ",?]$~>9" },
	{ "the encoder empties its table: all is known", C,
	  "HEADERS+05@7:203fe11f" GET_ADD " HEADERS+05@9:" GET_AGAIN " HEADERS+05@11:828684bf",
	  "<7[7 " GET_A "]$>7<9[9 " GET_A "]$>9<11!bad_compression" },
	{ "the whole connection after all", C, "M SETTINGS@0 HEADERS+05@1:" GET_AGAIN, "<1!bad_compression" },
	{ "a server's SETTINGS", S, "SETTINGS@0:000300000064 SETTINGS+01@0 HEADERS+05@1:88", "S3=100<1[1 :status=200]$>1" },
	{ "two frames, the second cut", C, "WINDOW_UPDATE@0:00000100 HEADERS+05@7#300:" GET, "<7" },
	{ "one frame that is cut is no proof; the next two are", C, "DATA@7#300:*50 | skip:250 HEADERS+05@9:" GET " PING@0:*8",
	  "<9[9 " GET_FIELDS "]$>9" },
	{ "a frame's header, its payload as length, the next header", C,
	  "DATA@7#300: skip:300 DATA@7#300: skip:300 HEADERS+05@9:" GET " DATA+01@7#300: skip:300", "<9[9 " GET_FIELDS "]$>9+7:300/0>7" },
	{ "headers that are cut", C, "DATA@7#300: skip:300 =0000 | =03010500000009" GET, "<9[9 " GET_FIELDS "]$>9" },
	{ "a candidate that was none", C, "DATA@7#300:*50 | skip:250 =616263646566676869 | HEADERS+05@9:" GET, "<9[9 " GET_FIELDS "]$>9" },
	{ "DATA whose length leads to a frame by chance: not its, but the frame's own", C, "DATA@9#70:*70 PING@0:*8 HEADERS+05@7:" GET,
	  "<7[7 " GET_FIELDS "]$>7" },
	{ "the middle of a frame", C, "=8684 | HEADERS+05@9:" GET, "<9[9 " GET_FIELDS "]$>9" },
	{ "a piece inside content that looks like the end of one", C, "=78787878 skip:1000 | =7878780000050001 | HEADERS+05@9:" GET,
	  "<9[9 " GET_FIELDS "]$>9" },
	{ "a CONTINUATION is no place to begin", C, "CONTINUATION+04@7:" GET " | HEADERS+05@9:" GET, "<9[9 " GET_FIELDS "]$>9" },
	{ "nor is one that follows a header that was not proven", C,
	  "PING@0#8: skip:8 HEADERS+01@7:8286 | CONTINUATION+04@7:84 HEADERS+05@9:" GET, "<9[9 " GET_FIELDS "]$>9" },
	{ "a block of which END_HEADERS is still to come", C, "PING@0:*8 HEADERS+01@7:8286 CONTINUATION+04@7:84",
	  "<7[7 " GET_FIELDS "]$>7" },
	{ "an unknown type proves nothing", C, "ALTSVC@0:*5 | HEADERS+05@9:" GET, "<9[9 " GET_FIELDS "]$>9" },
	{ "a stream of the wrong parity", C, "HEADERS+05@8:" GET " HEADERS+05@10:" GET, "" },
	{ "the middle of a WINDOW_UPDATE and an empty DATA: small numbers", C, "=000000000100003151000000000115686e79687964", "" },
	{ "zeros", S, "=000000000000000000000000000000000000", "" },
	{ "text", C, "=474554202f20485454502f312e310d0a0d0a", "" },
	{ "a reset code that there is not", C, "RST_STREAM@7:000000ff", "" },
	{ "trailers of a stream that was opened before", C, "HEADERS+05@7:" TRAILERS, "<7[7 a=b]$>7" },
	{ "an error of the peer is one here too", C, "HEADERS+05@7:" GET " | PING@1:*8", "<7[7 " GET_FIELDS "]$>7!bad_stream_id" },
};

#undef C
#undef S

#endif
