/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_engine_cases_gap.h - what is missing: bytes, records, the connection's past; and what is no HTTP at all.
 */
#ifndef HT_TEST_ENGINE_CASES_GAP_H
#define HT_TEST_ENGINE_CASES_GAP_H

#include "test_engine_cases.h"

static const struct engine_case gap_cases[] = {
	/* ---- bytes ---- */
	{ "a gap in the response's body: whole, and says so",
	  "show bytes\n" UP GET "rx 1 'HTTP/1.1 200 OK~Content-Length: 9~~hi'\n gap 1 rx 4\n rx 1 'abc'\n" KEEP,
	  "GET http://a/ 200 ok lost=1 : " COLD SENT GOT " PutIdleConn tx=27+0 rx=38+9\n" },
	{ "a gap in the request's body", UP "tx 1 'POST / HTTP/1.1~Host: a~Content-Length: 9~~hi'\n gap 1 tx 4\n tx 1 'abc'\n" OK KEEP,
	  "POST http://a/ 200 ok lost=1 : " COLD SENT GOT PUT },
	{ "a gap within a chunk", UP GET "rx 1 'HTTP/1.1 200 OK~Transfer-Encoding: chunked~~6~ab'\n gap 1 rx 2\n rx 1 'ef~0~~'\n" KEEP,
	  "GET http://a/ 200 ok lost=1 : " COLD SENT GOT PUT },
	{ "bytes not captured in a body are no loss",
	  "show bytes\n" UP GET "rx 1 'HTTP/1.1 200 OK~Content-Length: 9~~hi' +4\n rx 1 '' +3\n" KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT " PutIdleConn tx=27+0 rx=38+9\n" },
	{ "sendfile's bytes are not seen",
	  "show bytes\n" UP "tx 1 'POST / HTTP/1.1~Host: a~Content-Length: 5~~'\n tx 1 'hello' nobuf\n" OK KEEP,
	  "POST http://a/ 200 ok : " COLD SENT GOT " PutIdleConn tx=47+5 rx=38+2\n" },
	{ "a gap in the request's head: no guess; the next request is seen",
	  "whole\n" UP "tx 1 'GET / HTTP/1.1~Ho'\n gap 1 tx 5\n tx 1 '~~'\n" OK "+1ms\n" GET OK KEEP,
	  "- (127.0.0.1:80) incomplete send/gap lost=1 : " COLD "\nGET http://a/ 200 ok : " REUSED SENT GOT PUT },
	{ "a head that was not captured whole", "whole\n" UP "tx 1 'GET / HTTP/1.1~Ho' +5000\n" OK "+1ms\n" GET OK KEEP,
	  "- (127.0.0.1:80) incomplete send/gap : " COLD "\nGET http://a/ 200 ok : " REUSED SENT GOT PUT },
	{ "a gap in the response's head; the next request is seen",
	  "whole\n" UP GET "rx 1 'HTTP/1.1 2'\n gap 1 rx 5\n rx 1 'th: 2~~hi'\n +1ms\n" GET OK KEEP,
	  "GET http://a/ incomplete receive/gap lost=1 : " COLD SENT " GotFirstResponseByte\nGET http://a/ 200 ok : " REUSED SENT GOT PUT },
	{ "a gap that hides the response's begin", "whole\n" UP GET "gap 1 rx 36\n rx 1 'hi'\n +1ms\n" GET OK KEEP,
	  "GET http://a/ incomplete wait/gap lost=1 : " COLD SENT "\nGET http://a/ 200 ok : " REUSED SENT GOT PUT },
	{ "behind a gap a response is found whose first bytes come one by one",
	  "whole\n" UP GET "gap 1 rx 38\n rx 1 'more'\n" GET
	  "rx 1 'H'\n rx 1 'TTP'\n rx 1 '/1'\n rx 1 '.1 200 OK~Content-Length: 2~~hi'\n" KEEP,
	  "GET http://a/ incomplete wait/gap lost=1 : " COLD SENT "\nGET http://a/ 200 ok : " REUSED SENT GOT PUT },
	{ "behind a gap a text that names the protocol is no response",
	  "whole\n" UP GET "gap 1 rx 38\n rx 1 'more'\n" GET
	  "rx 1 'to '\n rx 1 'HTTP'\n rx 1 '/1.1 404 No~Content-Length: 0~~'\n close 1\n",
	  "GET http://a/ incomplete wait/gap lost=1 : " COLD SENT "\nGET http://a/ incomplete wait/gap lost=1 : " REUSED SENT
	  " ConnClosed{client}\n" },
	{ "behind a gap what comes may be the answer: that there was none is not known",
	  "whole\n" UP GET "gap 1 rx 38\n rx 1 'more'\n" GET "rx 1 'HTT'\n rx 1 'more'\n close 1\n",
	  "GET http://a/ incomplete wait/gap lost=1 : " COLD SENT "\nGET http://a/ incomplete wait/gap lost=1 : " REUSED SENT
	  " ConnClosed{client}\n" },
	{ "a gap in a chunk's size",
	  "whole\n" UP GET "rx 1 'HTTP/1.1 200 OK~Transfer-Encoding: chunked~~2~hi~'\n gap 1 rx 1\n rx 1 '~hi~0~~'\n +1ms\n" GET OK KEEP,
	  "GET http://a/ 200 incomplete receive/gap lost=1 : " COLD SENT GOT "\nGET http://a/ 200 ok : " REUSED SENT GOT PUT },
	{ "a gap that hides a whole exchange, and nothing else", "whole\n" UP GET OK KEEP "gap 1 tx 27\n gap 1 rx 40\n" GET OK KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT PUT "GET http://a/ 200 ok lost=1 : " REUSED SENT GOT PUT },
	{ "a gap that hides a request, and shows its response", "whole\n" UP GET OK KEEP "gap 1 tx 27\n" OK "+1s\n" GET OK KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT PUT "GET http://a/ 200 ok lost=1 : " REUSED SENT GOT PUT },
	{ "the response's record is lost, the end of the stream tells: not `closed`",
	  UP GET "gap 1 rx 38\n fin 1\n eof 1 lost=1\n close 1\n", "GET http://a/ incomplete wait/gap lost=1 : " COLD SENT "\n" },
	{ "the rest of the body is lost, the end of the stream tells how much passed",
	  "show bytes\n" UP GET "rx 1 'HTTP/1.1 200 OK~Content-Length: 9~~hi'\n gap 1 rx 7\n fin 1\n eof 1 lost=1\n",
	  "GET http://a/ 200 ok lost=1 : " COLD SENT GOT " ConnClosed{server} tx=27+0 rx=38+9\n" },
	{ "over TLS: a gap in the body", TLS_UP TGET "trx 1 'HTTP/1.1 200 OK~Content-Length: 9~~hi'\n gap t1 rx 4\n trx 1 'abc'\n" KEEP,
	  "GET https://a/ 200 ok lost=1 : " COLD_TLS SENT GOT PUT },

	/* ---- records ---- */
	{ "losses told by the record are the running request's, once",
	  UP GET "rx 1 'HTTP/1.1 200 OK~Content-Length: 9~~hi'\n gap 1 rx 4\n rx 1 'abc' lost=3\n" KEEP,
	  "GET http://a/ 200 ok lost=3 : " COLD SENT GOT PUT },
	{ "losses between two requests are the next one's", UP GET OK KEEP "tx 1 'GET / HTTP/1.1~Host: a~~' lost=2\n" OK KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT PUT "GET http://a/ 200 ok lost=2 : " REUSED SENT GOT PUT },
	{ "losses before the connection was used", "connect 1 127.0.0.1:80 lost=1\n up 1 lost=1\n" GET OK KEEP GET OK KEEP,
	  "GET http://a/ 200 ok lost=2 : " COLD SENT GOT PUT "GET http://a/ 200 ok : " REUSED SENT GOT PUT },
	{ "losses of a TLS object", TLS_UP TGET "trx 1 'HTTP/1.1 200 OK~Content-Length: 2~~hi' lost=1\n" KEEP,
	  "GET https://a/ 200 ok lost=1 : " COLD_TLS SENT GOT PUT },
	{ "losses elsewhere are told, and laid to what stays open", UP GET "lost 7 ringbuf\n end\n",
	  "lost 7 ringbuf\nGET http://a/ incomplete wait/incomplete lost=7 : " COLD SENT "\n" },
	{ "losses elsewhere touch nothing that is whole", UP GET "lost 7 ringbuf\n" OK KEEP,
	  "lost 7 ringbuf\nGET http://a/ 200 ok : " COLD SENT GOT PUT },
	{ "the connect's end is lost: the connection was there when the request began",
	  "show time\n connect 1 127.0.0.1:80\n +1ms\n tx 1 'GET / HTTP/1.1~Host: a~~' lost=1\n" OK KEEP,
	  "GET http://a/ 200 ok lost=1 : GetConn@0 ConnectStart@0 GotConn{fresh}@1005 WroteHeaders@1010 WroteRequest@1010 GotFirstResponseByte@1020 "
	  "GotResponseHeaders@1020 GotBody@1020 PutIdleConn@1020\n" },
	{ "the connect's begin is lost, a SOCKS handshake was seen: the way to the target begins with that",
	  "show time\n whole\n tx 1 '\\x05\\x01\\x00' stream=socks lost=2\n rx 1 '\\x05\\x00' stream=socks\n"
	  "tx 1 '\\x05\\x01\\x00\\x03\\x01h\\x00\\x50' stream=socks\n rx 1 '\\x05\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00' stream=socks\n" GET
		  OK KEEP,
	  "GET http://a/ 200 ok lost=2 : GetConn@0 GotConn{fresh}@35 WroteHeaders@45 WroteRequest@45 GotFirstResponseByte@55 GotResponseHeaders@55 "
	  "GotBody@55 PutIdleConn@55\n" },
	{ "the connect's begin is lost: as a connection older than the tracer", "up 1\n" GET OK KEEP GET OK KEEP,
	  "GET http://a/ 200 ok : " OLDER SENT GOT PUT "GET http://a/ 200 ok : " REUSED SENT GOT PUT },
	{ "states of sockets that nobody knows are nothing",
	  "fin 1\n close 1\n down 2 ECONNREFUSED\n reset 3\n again 4\n eof 5\n rxfail 6 ECONNRESET\n +1s\n end\n", "" },
	{ "records that contradict each other: what was begun ends all the same", "up 1\n" GET "down 1 ECONNREFUSED\n",
	  "GET http://a/ incomplete wait/incomplete : " OLDER SENT "\n" },
	{ "a socket handed to a child; the parent exits in the handshake, and takes the dial along",
	  "show who\n connect 1 127.0.0.1:443\n up 1\n fork 200 100\n pid 200\n tls 1 start\n"
	  "tls 1 bind 1 nested\n tx 1 tls13_client handshake\n exit 100\n rx 1 tls13_server handshake\n tls 1 done\n" TGET TOK KEEP,
	  "GET https://a/ 200 ok : GetConn " TLS " GotConn{fresh}" SENT GOT " PutIdleConn <200/200 - ->\n" },
	{ "a process's end is lost, and its pid used again: nothing of the old one is the new one's",
	  "show who\n exec 100 old /bin/old\n dns 1 www.test 80 = 127.0.0.1\n fork 100 50\n" UP GET OK KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT " PutIdleConn <100/100 forked ->\n" },
	{ "likewise, with a request under way",
	  UP GET "fork 100 50\n connect 2 127.0.0.1:80\n up 2\n tx 2 'GET /2 HTTP/1.1~Host: a~~'\n"
		 "rx 2 'HTTP/1.1 204 OK~~'\n" KEEP,
	  "GET http://a/ incomplete wait/incomplete : " COLD SENT "\nGET http://a/2 204 ok : " COLD SENT HEAD PUT },
	{ "likewise, and the new one's begin is lost, too: when it began tells them apart",
	  "show who\n exec 100 old /bin/old 7\n dns 1 www.test 80 = 127.0.0.1\n exec 100 new /bin/new 8\n" UP GET OK KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT " PutIdleConn <100/100 new /bin/new>\n" },
	{ "exec is no other process",
	  "show who\n exec 100 old /bin/old 7\n dns 1 www.test 80 = 127.0.0.1\n exec 100 new /bin/new 7\n" UP GET OK KEEP,
	  "GET http://a/ 200 ok : GetConn " DNS " " DIAL " GotConn{fresh}" SENT GOT " PutIdleConn <100/100 new /bin/new>\n" },
	{ "a record comes late", "show time\n" UP GET OK "+4ms\n tx 1 'GET /2 HTTP/1.1~Host: a~~' late=3ms\n" OK KEEP,
	  "GET http://a/ 200 ok : GetConn@0 ConnectStart@0 ConnectDone@10 GotConn{fresh}@10 WroteHeaders@20 WroteRequest@20 GotFirstResponseByte@30 GotResponseHeaders@30 "
	  "GotBody@30 PutIdleConn@30\n"
	  "GET http://a/2 200 ok : GetConn@0 GotConn{reused,idle=1005}@0 WroteHeaders@5 WroteRequest@5 GotFirstResponseByte@3015 GotResponseHeaders@3015 GotBody@3015 PutIdleConn@3015\n" },

	{ "a loss told while nothing runs behind a response may have touched both",
	  UP GET OK "tx 1 'GET /2 HTTP/1.1~Host: a~~' lost=2\n" OK KEEP,
	  "GET http://a/ 200 ok lost=2 : " COLD SENT GOT PUT "GET http://a/2 200 ok lost=2 : " REUSED SENT GOT PUT },
	{ "a loss told by the socket's state is the running request's alone", UP GET "again 1\n fin 1 lost=1\n" OK KEEP,
	  "GET http://a/ 200 ok lost=1 : " COLD SENT GOT " ConnClosed{server}\n" },
	{ "a loss told by a receive that fails", UP GET "rxfail 1 ECONNRESET lost=1\n",
	  "GET http://a/ reset wait/ECONNRESET lost=1 : " COLD SENT " ConnClosed{reset}\n" },
	{ "a loss told by a TLS object's record", TLS_UP TGET "tls 1 alpn http/1.1 lost=1\n" TOK KEEP TGET TOK KEEP,
	  "GET https://a/ 200 ok lost=1 : " COLD_TLS SENT GOT PUT "GET https://a/ 200 ok : " REUSED SENT GOT PUT },
	{ "the response's record is lost, the client's close tells how much passed: not `aborted`", UP GET "gap 1 rx 40\n close 1 lost=1\n",
	  "GET http://a/ incomplete wait/gap lost=1 : " COLD SENT "\n" },
	{ "the end of the body is lost, the close tells",
	  UP GET "rx 1 'HTTP/1.1 200 OK~Content-Length: 9~~hi'\n gap 1 rx 7\n close 1 lost=1\n",
	  "GET http://a/ 200 ok lost=1 : " COLD SENT GOT " ConnClosed{client}\n" },
	{ "over TLS, closed without an answer soon after a loss that was told before it began: the next may not be told yet",
	  TLS_UP "lost 3 ringbuf\n +900ms\n" TGET "close 1\n +1s\n",
	  "lost 3 ringbuf\nGET https://a/ incomplete wait/incomplete lost=1 : " COLD_TLS SENT " ConnClosed{client}\n" },
	{ "long after it: given up by the client", TLS_UP "lost 3 ringbuf\n +1100ms\n" TGET "close 1\n +1s\n",
	  "lost 3 ringbuf\nGET https://a/ aborted wait/aborted : " COLD_TLS SENT " ConnClosed{client}\n" },
	{ "bytes told before come again in part",
	  "show bytes\n" UP GET "rx 1 'HTTP/1.1 200 OK~Content-Length: 2~~'\n rx 1 '~~hi' off=34\n" KEEP,
	  "GET http://a/ 200 ok : " COLD SENT GOT " PutIdleConn tx=27+0 rx=38+2\n" },

	/* ---- connections older than the tracer ---- */
	{ "0a: nothing is known of the first, then all", "show args conn time\n" OLD GET OK "+10ms\n" GET OK KEEP,
	  "GET http://a/ 200 ok : GetConn{a:80}@0 GotConn{unknown}@0 WroteHeaders@5 WroteRequest@5 GotFirstResponseByte@15 GotResponseHeaders{200}@15 GotBody{2}@15 "
	  "PutIdleConn@15 [c-1 127.0.0.1:39999>127.0.0.1:80 #1]\n"
	  "GET http://a/ 200 ok : GetConn{a:80}@0 GotConn{reused,idle=10005}@0 WroteHeaders@5 WroteRequest@5 GotFirstResponseByte@15 GotResponseHeaders{200}@15 GotBody{2}@15 "
	  "PutIdleConn@15 [c-1 127.0.0.1:39999>127.0.0.1:80 #2]\n" },
	{ "its first record is data", GET OK KEEP, "GET http://a/ 200 ok : " OLDER SENT GOT PUT },
	{ "joined in the middle of a response's body", "whole\n" OLD "rx 1 'the rest of something'\n +1ms\n" GET OK KEEP,
	  "GET http://a/ 200 ok : " OLDER SENT GOT PUT },
	{ "and it lasts: the next request is seen all the same",
	  "whole\n" OLD "rx 1 'the rest of'\n +1s\n rx 1 'something'\n +1s\n" GET OK KEEP, "GET http://a/ 200 ok : " OLDER SENT GOT PUT },
	{ "joined before a response: it answers nobody, the next is seen",
	  OLD "rx 1 'HTTP/1.1 200 OK~Content-Length: 2~~hi'\n +1s\n" GET OK KEEP, "GET http://a/ 200 ok : " OLDER SENT GOT PUT },
	{ "joined in the middle of a request's body", "whole\n" OLD "tx 1 '{the rest}'\n +1ms\n" OK "+1ms\n" GET OK KEEP,
	  "GET http://a/ 200 ok : " OLDER SENT GOT PUT },
	{ "an old server's connection is no client's",
	  OLD "rx 1 'GET / HTTP/1.1~Host: a~~'\n tx 1 'HTTP/1.1 200 OK~Content-Length: 2~~hi'\n +1s\n"
	      "rx 1 'GET / HTTP/1.1~Host: a~~'\n tx 1 'HTTP/1.1 200 OK~Content-Length: 2~~hi'\n +1s\n end\n",
	  "" },
	{ "an old TLS connection: no handshake is told", "show conn\n" OLD "tls 1 bind 1 nested\n" TGET TOK KEEP,
	  "GET https://a/ 200 ok : " OLDER SENT GOT
	  " PutIdleConn [c-1 127.0.0.1:39999>127.0.0.1:80 #1 tls=openssl,-,-,alpn=-,sni=-,resumed=-,nested]\n" },
	{ "an old TLS connection whose bytes come first", OLD "tx 1 'xxxx' stream=tls off=500\n tls 1 bind 1 nested\n" TGET TOK KEEP,
	  "GET https://a/ 200 ok : " OLDER SENT GOT PUT },
	{ "an old connection is closed unused: nothing", OLD "close 1\n +1s\n", "" },

	{ "the response's record is lost, an empty receive tells it, then the client closes: not `aborted`",
	  UP GET "gap 1 rx 38\n again 1 lost=1\n close 1\n", "GET http://a/ incomplete wait/gap lost=1 : " COLD SENT "\n" },

	{ "a record of the handshake's bytes is lost: the request of that connection says so",
	  "connect 1 127.0.0.1:443\n up 1\n tls 1 start\n tx 1 tls13_client handshake lost=1\n tls 1 bind 1 nested\n"
	  "rx 1 tls13_server handshake\n tls 1 done\n" TGET TOK KEEP,
	  "GET https://a/ 200 ok lost=1 : " COLD_TLS SENT GOT PUT },

	/* ---- ends that may be among what was lost ---- */
	{ "no loss: a process that exits has aborted its request", UP GET "exit 100\n",
	  "GET http://a/ aborted wait/aborted : " COLD SENT " ConnClosed{client}\n" },
	{ "events are being lost as the process exits: nobody knows", UP GET "losing 9ms\n +1ms\n exit 100\n",
	  "GET http://a/ incomplete wait/incomplete lost=1 : " COLD SENT " ConnClosed{client}\n" },
	{ "they were lost before the request began", UP "losing 1ms\n +2ms\n lost 3 ringbuf\n +2s\n" GET "exit 100\n",
	  "lost 3 ringbuf\nGET http://a/ aborted wait/aborted : " COLD SENT " ConnClosed{client}\n" },
	{ "the socket's end says that nothing of it was lost", UP GET "losing 9ms\n +1ms\n close 1\n",
	  "GET http://a/ aborted wait/aborted : " COLD SENT " ConnClosed{client}\n" },
	{ "refused, and another address was left: that attempt may be among the lost",
	  "dns 1 www.test 80 = 10.0.0.1,10.0.0.2\n losing 9s\n connect 1 10.0.0.1:80\n down 1 ECONNREFUSED\n +2s\n",
	  "dial www.test:80 incomplete connect/incomplete lost=1 : GetConn DNSStart DNSDone ConnectStart ConnectDone{ECONNREFUSED}\n" },
	{ "refused, and none was left: that is certain",
	  "dns 1 www.test 80 = 10.0.0.1\n losing 9s\n connect 1 10.0.0.1:80\n down 1 ECONNREFUSED\n +2s\n",
	  "dial www.test:80 connect_error connect/ECONNREFUSED : GetConn DNSStart DNSDone ConnectStart ConnectDone{ECONNREFUSED}\n" },
	{ "a connect's end is lost, then its process exits", "losing 9s\n connect 1 10.0.0.1:80\n +2s\n exit 100\n",
	  "dial 10.0.0.1:80 incomplete connect/incomplete lost=1 : GetConn ConnectStart\n" },
	{ "a lookup's end is lost, then its process exits", "losing 9s\n dnsstart 1 www.test 80\n +1s\n exit 100\n",
	  "dial www.test:80 incomplete dns/incomplete lost=1 : GetConn DNSStart\n" },
	{ "not used as far as was seen, and events were lost: over TLS nobody knows", TLS_UP "lost 3 ringbuf\n close 1\n +1s\n",
	  "lost 3 ringbuf\ndial h.test:443 incomplete none/incomplete lost=3 : GetConn ConnectStart ConnectDone TLSHandshakeStart TLSHandshakeDone\n" },
	{ "in the clear its socket knows that nothing was sent", UP "lost 3 ringbuf\n close 1\n +1s\n",
	  "lost 3 ringbuf\ndial 127.0.0.1:80 unused : GetConn ConnectStart ConnectDone\n" },
	{ "or that something was", UP "gap 1 tx 27\n close 1 lost=1\n +1s\n",
	  "dial 127.0.0.1:80 incomplete none/incomplete lost=1 : GetConn ConnectStart ConnectDone\n" },
	{ "or tells nothing, as the process exits first", UP "lost 3 ringbuf\n exit 100\n +1s\n",
	  "lost 3 ringbuf\ndial 127.0.0.1:80 incomplete none/incomplete lost=3 : GetConn ConnectStart ConnectDone\n" },

	/* ---- not HTTP ---- */
	{ "SSH: the server speaks first",
	  UP
	  "rx 1 'SSH-2.0-OpenSSH_9.2p1 Debian-2~'\n tx 1 'SSH-2.0-OpenSSH_9.2p1 Debian-2~'\n rx 1 '\\x00\\x01'\n close 1\n +1s\n counts\n",
	  "requests=0 dials=0 not_http=1\n" },
	{ "a banner, and the client goes", UP "rx 1 '220 mail~'\n +1s\n close 1\n +1s\n end\n", "" },
	{ "SMTP, FTP, Redis, binary",
	  "step 1us\n" UP
	  "tx 1 'EHLO a~'\n close 1\n connect 2 10.0.0.1:80\n up 2\n tx 2 'USER x y~'\n close 2\n connect 3 10.0.0.1:80\n up 3\n tx 3 '*1~$4~PING~'\n close 3\n"
	  "connect 4 10.0.0.1:80\n up 4\n tx 4 '\\x00\\x00'\n close 4\n +1s\n end\n",
	  "" },
	{ "a word, and the client goes: it might have become anything", UP "tx 1 'hello'\n close 1\n +1s\n end\n", "" },
	{ "a word, answered by a web server that waited long enough",
	  UP "tx 1 'hello'\n +10s\n rx 1 'HTTP/1.1 408 Timeout~Content-Length: 0~~'\n fin 1\n eof 1\n close 1\n +1s\n end\n", "" },
	{ "a word, and tracing ends", UP "tx 1 'GET'\n end\n", "" },
	{ "raw TCP to port 80, answered", UP "tx 1 'hello there~'\n rx 1 'HTTP/1.1 400 Bad~Content-Length: 0~~'\n close 1\n +1s\n end\n",
	  "" },
	{ "another protocol that BPF has recognised", UP "tx 1 '' +99 stream=other\n" GET OK "close 1\n +1s\n counts\n",
	  "requests=0 dials=0 not_http=1\n" },
	{ "HTTP/0.9", UP "tx 1 'GET /~'\n rx 1 'hi'\n eof 1\n close 1\n +1s\n end\n", "" },
};

#endif
