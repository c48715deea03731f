/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_engine_cases_dial.h - lookups, attempts, which belongs to which, and what is told of dials that no request took.
 */
#ifndef HT_TEST_ENGINE_CASES_DIAL_H
#define HT_TEST_ENGINE_CASES_DIAL_H

#include "test_engine_cases.h"

#define TWO  "dns 1 www.test 80 = ::1,127.0.0.1\n"
#define GET2 "tx 2 'GET / HTTP/1.1~Host: www.test~~'\n"
#define OK2  "rx 2 'HTTP/1.1 204 OK~~'\n"
#define WGET "tx 1 'GET / HTTP/1.1~Host: www.test~~'\n"

static const struct engine_case dial_cases[] = {
	/* ---- attempts ---- */
	{ "C4: refused; the other loopback might be tried, for 300 ms",
	  "show args\n connect 1 127.0.0.1:81\n down 1 ECONNREFUSED\n +299ms\n due\n +1ms\n",
	  "due +1000us\ndial 127.0.0.1:81 connect_error connect/ECONNREFUSED : GetConn{127.0.0.1:81} ConnectStart{127.0.0.1:81} "
	  "ConnectDone{127.0.0.1:81,ECONNREFUSED}\n" },
	{ "C4: no other address is known: told at once", "connect 1 10.0.0.1:81\n down 1 ECONNREFUSED\n +1us\n",
	  "dial 10.0.0.1:81 connect_error connect/ECONNREFUSED : GetConn ConnectStart ConnectDone{ECONNREFUSED}\n" },
	{ "C4 by name: the only address of the answer",
	  "show args\n dns 1 www.test 80 = 10.0.0.1\n connect 1 10.0.0.1:80\n down 1 ECONNREFUSED\n +1us\n",
	  "dial www.test:80 connect_error connect/ECONNREFUSED : GetConn{www.test:80} DNSStart{www.test} DNSDone{10.0.0.1} ConnectStart{10.0.0.1:80} "
	  "ConnectDone{10.0.0.1:80,ECONNREFUSED}\n" },
	{ "C6: the first family refused, the other follows",
	  "show args\n" TWO "connect 1 [::1]:80\n down 1 ECONNREFUSED\n connect 2 127.0.0.1:80\n up 2\n" GET2 OK2 KEEP,
	  "GET http://www.test/ 204 ok : GetConn{www.test:80} DNSStart{www.test} DNSDone{::1,127.0.0.1} ConnectStart{[::1]:80} ConnectDone{[::1]:80,ECONNREFUSED} "
	  "ConnectStart{127.0.0.1:80} ConnectDone{127.0.0.1:80} GotConn{fresh}" SENT " GotFirstResponseByte GotResponseHeaders{204}" PUT },
	{ "C6: both refused: one report",
	  TWO "connect 1 [::1]:80\n down 1 ECONNREFUSED\n +200ms\n connect 2 127.0.0.1:80\n down 2 ECONNREFUSED\n +1us\n",
	  "dial www.test:80 connect_error connect/ECONNREFUSED : GetConn " DNS
	  " ConnectStart ConnectDone{ECONNREFUSED} ConnectStart ConnectDone{ECONNREFUSED}\n" },
	{ "C6: refused, and the client gives the second up: the refusal decides",
	  TWO "connect 1 [::1]:80\n down 1 ECONNREFUSED\n connect 2 127.0.0.1:80\n down 2 0\n +1us\n",
	  "dial www.test:80 connect_error connect/ECONNREFUSED : GetConn " DNS
	  " ConnectStart ConnectDone{ECONNREFUSED} ConnectStart ConnectDone{ECANCELED}\n" },
	{ "C6: the second attempt is not made within 300 ms: told without it",
	  TWO "connect 1 [::1]:80\n down 1 ECONNREFUSED\n +300ms\n connect 2 127.0.0.1:80\n up 2\n" GET2 OK2 KEEP,
	  "dial www.test:80 connect_error connect/ECONNREFUSED : GetConn " DNS " ConnectStart ConnectDone{ECONNREFUSED}\n"
	  "GET http://www.test/ 204 ok : " COLD SENT HEAD PUT },
	{ "C6b: the first family swallowed; its attempt is called off behind GotConn",
	  "show time\n" TWO "connect 1 [::1]:80\n +200ms\n connect 2 127.0.0.1:80\n up 2\n" GET2 "down 1 0\n" OK2 KEEP,
	  "GET http://www.test/ 204 ok : GetConn@0 DNSStart@0 DNSDone@100 ConnectStart@110 ConnectStart@200120 ConnectDone@200130 GotConn{fresh}@200130 "
	  "WroteHeaders@200140 WroteRequest@200140 ConnectDone{ECANCELED}@200150 GotFirstResponseByte@200160 GotResponseHeaders@200160 PutIdleConn@200160\n" },
	{ "C6b: called off before the request: behind GotConn, whose time is the winner's",
	  TWO "connect 1 [::1]:80\n +200ms\n connect 2 127.0.0.1:80\n up 2\n down 1 0\n" GET2 OK2 KEEP,
	  "GET http://www.test/ 204 ok : GetConn " DNS
	  " ConnectStart ConnectStart ConnectDone GotConn{fresh} ConnectDone{ECANCELED}" SENT HEAD PUT },
	{ "C6b: the loser is refused late",
	  TWO "connect 1 [::1]:80\n +200ms\n connect 2 127.0.0.1:80\n up 2\n" GET2 OK2 "down 1 ECONNREFUSED\n" KEEP,
	  "GET http://www.test/ 204 ok : GetConn " DNS " ConnectStart ConnectStart ConnectDone GotConn{fresh}" SENT HEAD
	  " PutIdleConn ConnectDone{ECONNREFUSED}\n" },
	{ "C6b: the loser ends behind the request's end: no part of it, and no dial",
	  TWO "connect 1 [::1]:80\n +200ms\n connect 2 127.0.0.1:80\n up 2\n" GET2 OK2 KEEP "down 1 ETIMEDOUT\n +1s\n counts\n",
	  "GET http://www.test/ 204 ok : GetConn " DNS " ConnectStart ConnectStart ConnectDone GotConn{fresh}" SENT HEAD PUT
	  "requests=1 dials=0\n" },
	{ "C6b: both connect, the loser closes unused before the request",
	  TWO "connect 1 [::1]:80\n connect 2 127.0.0.1:80\n up 2\n up 1\n close 1\n" GET2 OK2 KEEP "+1s\n counts\n",
	  "GET http://www.test/ 204 ok : GetConn " DNS " ConnectStart ConnectStart ConnectDone GotConn{fresh} ConnectDone" SENT HEAD PUT
	  "requests=1 dials=0\n" },
	{ "C6b: both connect, the loser later than the request's begin, and closes",
	  TWO "connect 1 [::1]:80\n connect 2 127.0.0.1:80\n up 2\n" GET2 "up 1\n close 1\n" OK2 KEEP "+1s\n counts\n",
	  "GET http://www.test/ 204 ok : GetConn " DNS " ConnectStart ConnectStart ConnectDone GotConn{fresh}" SENT " ConnectDone" HEAD PUT
	  "requests=1 dials=0\n" },
	{ "C6b: both connect, both are closed unused: one dial",
	  TWO "connect 1 [::1]:80\n connect 2 127.0.0.1:80\n up 2\n up 1\n close 1\n close 2\n +1s\n counts\n",
	  "dial www.test:80 unused : GetConn " DNS " ConnectStart ConnectStart ConnectDone ConnectDone\nrequests=0 dials=1\n" },
	{ "both connect, and both are used: the lookup is the first one's",
	  TWO "connect 1 [::1]:80\n connect 2 127.0.0.1:80\n up 2\n up 1\n" GET2 WGET OK OK2 KEEP,
	  "GET http://www.test/ 200 ok : " COLD SENT GOT PUT "GET http://www.test/ 204 ok : GetConn " DNS
	  " ConnectStart ConnectStart ConnectDone GotConn{fresh} ConnectDone" SENT HEAD PUT },
	{ "C6c: several addresses of one family, in turn",
	  "dns 1 www.test 80 = 10.0.0.1,10.0.0.2,127.0.0.1\n connect 1 10.0.0.1:80\n down 1 ECONNREFUSED\n"
	  "connect 1 10.0.0.2:80\n down 1 EHOSTUNREACH\n connect 2 127.0.0.1:80\n up 2\n" GET2 OK2 KEEP,
	  "GET http://www.test/ 204 ok : GetConn " DNS
	  " ConnectStart ConnectDone{ECONNREFUSED} ConnectStart ConnectDone{EHOSTUNREACH} ConnectStart ConnectDone "
	  "GotConn{fresh}" SENT HEAD PUT },
	{ "unreachable: fails before SYN_SENT", "show args time\n nosyn 1 10.9.9.9:80 ENETUNREACH\n +1us\n",
	  "dial 10.9.9.9:80 connect_error connect/ENETUNREACH : GetConn{10.9.9.9:80}@0 ConnectStart{10.9.9.9:80}@0 ConnectDone{10.9.9.9:80,ENETUNREACH}@5\n" },
	{ "unreachable, the begin of the call not known", "show time\n nosyn 1 10.9.9.9:80 ENETUNREACH took=?\n +1us\n",
	  "dial 10.9.9.9:80 connect_error connect/ENETUNREACH : GetConn@0 ConnectStart@0 ConnectDone{ENETUNREACH}@0\n" },
	{ "unreachable, the other family works",
	  "dns 1 www.test 80 = 2001:db8::1,127.0.0.1\n nosyn 1 [2001:db8::1]:80 ENETUNREACH\n connect 2 127.0.0.1:80\n up 2\n" GET2 OK2
		  KEEP,
	  "GET http://www.test/ 204 ok : GetConn " DNS
	  " ConnectStart ConnectDone{ENETUNREACH} ConnectStart ConnectDone GotConn{fresh}" SENT HEAD PUT },
	{ "C18: ETIMEDOUT is a timeout", "connect 1 10.0.0.1:80\n +127s\n down 1 ETIMEDOUT\n +1us\n",
	  "dial 10.0.0.1:80 timeout connect/ETIMEDOUT : GetConn ConnectStart ConnectDone{ETIMEDOUT}\n" },
	{ "C18: the client gives up connecting", "connect 1 10.0.0.1:80\n +1s\n down 1 0\n +1us\n",
	  "dial 10.0.0.1:80 aborted connect/ECANCELED : GetConn ConnectStart ConnectDone{ECANCELED}\n" },
	{ "the error comes by its own record", "connect 1 10.0.0.1:80\n error 1 EHOSTUNREACH\n down 1 0\n +1us\n",
	  "dial 10.0.0.1:80 connect_error connect/EHOSTUNREACH : GetConn ConnectStart ConnectDone{EHOSTUNREACH}\n" },
	{ "an error that nobody saw is not guessed", "connect 1 10.0.0.1:80\n down 1 0 foreign\n +1us\n",
	  "dial 10.0.0.1:80 connect_error connect/unknown : GetConn ConnectStart ConnectDone{unknown}\n" },
	{ "the process exits while connecting", "connect 1 10.0.0.1:80\n exit 100\n down 1 0\n +1s\n",
	  "dial 10.0.0.1:80 aborted connect/aborted : GetConn ConnectStart\n" },
	{ "the process exits before the next address is tried: the failure counts",
	  TWO "connect 1 [::1]:80\n down 1 ECONNREFUSED\n exit 100\n",
	  "dial www.test:80 connect_error connect/ECONNREFUSED : GetConn " DNS " ConnectStart ConnectDone{ECONNREFUSED}\n" },
	{ "tracing ends while connecting", "connect 1 10.0.0.1:80\n end\n",
	  "dial 10.0.0.1:80 incomplete connect/incomplete : GetConn ConnectStart\n" },
	{ "tracing ends before the next address is tried", TWO "connect 1 [::1]:80\n down 1 ECONNREFUSED\n end\n",
	  "dial www.test:80 connect_error connect/ECONNREFUSED : GetConn " DNS " ConnectStart ConnectDone{ECONNREFUSED}\n" },
	{ "curl's localhost: both loopbacks, no lookup (0a)",
	  "connect 1 [::1]:80\n down 1 ECONNREFUSED\n connect 2 127.0.0.1:80\n up 2\n" GET2 OK2 KEEP,
	  "GET http://www.test/ 204 ok : GetConn ConnectStart ConnectDone{ECONNREFUSED} ConnectStart ConnectDone GotConn{fresh}" SENT HEAD
		  PUT },
	{ "both loopbacks of two threads are two dials",
	  "connect 1 [::1]:80\n down 1 ECONNREFUSED\n pid 100 101\n connect 2 127.0.0.1:80\n up 2\n" GET2 OK2 "+1s\n",
	  "GET http://www.test/ 204 ok : " COLD SENT HEAD PUT
	  "dial [::1]:80 connect_error connect/ECONNREFUSED : GetConn ConnectStart ConnectDone{ECONNREFUSED}\n" },
	{ "the same address again is another dial",
	  "connect 1 127.0.0.1:81\n down 1 ECONNREFUSED\n connect 1 127.0.0.1:81\n down 1 ECONNREFUSED\n +1s\n",
	  "dial 127.0.0.1:81 connect_error connect/ECONNREFUSED : GetConn ConnectStart ConnectDone{ECONNREFUSED}\n"
	  "dial 127.0.0.1:81 connect_error connect/ECONNREFUSED : GetConn ConnectStart ConnectDone{ECONNREFUSED}\n" },
	{ "a socket dissolved (AF_UNSPEC) and connected again ends its request", UP GET "connect 1 127.0.0.1:80\n up 1\n" OK GET OK KEEP,
	  "GET http://a/ incomplete wait/incomplete : " COLD SENT "\nGET http://a/ 200 ok : " COLD SENT GOT PUT },

	/* ---- lookups ---- */
	{ "C5: name not found; the service names the port", "show args\n dns 1 gone.test 80 = -2\n",
	  "dial gone.test:80 dns_error dns/EAI_NONAME : GetConn{gone.test:80} DNSStart{gone.test} DNSDone{EAI_NONAME}\n" },
	{ "C5: http is a service", "dns 1 gone.test http = -4\n",
	  "dial gone.test:80 dns_error dns/EAI_FAIL : GetConn DNSStart DNSDone{EAI_FAIL}\n" },
	{ "C5: https is a service too", "dns 1 gone.test https = -3\n",
	  "dial gone.test:443 dns_error dns/EAI_AGAIN : GetConn DNSStart DNSDone{EAI_AGAIN}\n" },
	{ "C5: no port is known: the bare host", "show args\n dns 1 gone.test = -2\n",
	  "dial gone.test dns_error dns/EAI_NONAME : GetConn{gone.test} DNSStart{gone.test} DNSDone{EAI_NONAME}\n" },
	{ "C5: a code without a name", "dns 1 gone.test 80 = -99\n",
	  "dial gone.test:80 dns_error dns/EAI_-99 : GetConn DNSStart DNSDone{EAI_-99}\n" },
	{ "C5: the lookup's start was lost", "show time\n dnsdone 1 gone.test 80 = -2 took=100us\n",
	  "dial gone.test:80 dns_error dns/EAI_NONAME : GetConn@0 DNSStart@0 DNSDone{EAI_NONAME}@100\n" },
	{ "C5: and its time is not known", "show time\n dnsdone 1 gone.test 80 = -2 took=?\n",
	  "dial gone.test:80 dns_error dns/EAI_NONAME : GetConn@0 DNSStart@0 DNSDone{EAI_NONAME}@0\n" },
	{ "C5: HTTP was spoken to that host and port before: a request",
	  "dns 1 www.test 80 = 127.0.0.1\n" UP WGET "rx 1 'HTTP/1.1 204 OK~~'\n" KEEP "dns 2 www.test 80 = -3\n",
	  "GET http://www.test/ 204 ok : GetConn " DNS " " DIAL " GotConn{fresh}" SENT HEAD PUT
	  "- (www.test:80) dns_error dns/EAI_AGAIN : GetConn DNSStart DNSDone{EAI_AGAIN}\n" },
	{ "by another process: a dial",
	  "dns 1 www.test 80 = 127.0.0.1\n" UP WGET "rx 1 'HTTP/1.1 204 OK~~'\n" KEEP "pid 200\n dns 2 www.test 80 = -3\n",
	  "GET http://www.test/ 204 ok : GetConn " DNS " " DIAL " GotConn{fresh}" SENT HEAD PUT
	  "dial www.test:80 dns_error dns/EAI_AGAIN : GetConn DNSStart DNSDone{EAI_AGAIN}\n" },
	{ "refused where HTTP was spoken before: a request",
	  "connect 1 10.0.0.1:80\n up 1\n tx 1 'GET / HTTP/1.1~Host: 10.0.0.1~~'\n rx 1 'HTTP/1.1 204 OK~~'\n" KEEP
	  "close 1\n connect 2 10.0.0.1:80\n down 2 ECONNREFUSED\n +1us\n",
	  "GET http://10.0.0.1/ 204 ok : " COLD SENT HEAD PUT
	  "- (10.0.0.1:80) connect_error connect/ECONNREFUSED : GetConn ConnectStart ConnectDone{ECONNREFUSED}\n" },
	{ "the process exits during the lookup", "dnsstart 1 www.test 80\n exit 100\n",
	  "dial www.test:80 aborted dns/aborted : GetConn DNSStart\n" },
	{ "tracing ends during the lookup", "dnsstart 1 www.test 80\n end\n",
	  "dial www.test:80 incomplete dns/incomplete : GetConn DNSStart\n" },
	{ "an answer that nobody used is nothing", "dns 1 www.test 80 = 127.0.0.1\n +1s\n exit 100\n", "" },
	{ "curl: the lookup is another thread's", "pid 100 101\n dns 1 www.test 80 = 127.0.0.1\n pid 100 100\n" UP WGET OK KEEP,
	  "GET http://www.test/ 200 ok : GetConn " DNS " " DIAL " GotConn{fresh}" SENT GOT PUT },
	{ "an answer is used once", "dns 1 www.test 80 = 127.0.0.1\n" UP WGET OK KEEP "connect 2 127.0.0.1:80\n up 2\n" GET2 OK2 KEEP,
	  "GET http://www.test/ 200 ok : GetConn " DNS " " DIAL " GotConn{fresh}" SENT GOT PUT
	  "GET http://www.test/ 204 ok : " COLD SENT HEAD PUT },
	{ "an answer of another process is not", "dns 1 www.test 80 = 127.0.0.1\n pid 200\n" UP WGET OK KEEP,
	  "GET http://www.test/ 200 ok : " COLD SENT GOT PUT },
	{ "an answer older than a minute is not", "dns 1 www.test 80 = 127.0.0.1\n +61s\n" UP WGET OK KEEP,
	  "GET http://www.test/ 200 ok : " COLD SENT GOT PUT },
	{ "an answer for another port is not", "dns 1 www.test 443 = 127.0.0.1\n" UP WGET OK KEEP,
	  "GET http://www.test/ 200 ok : " COLD SENT GOT PUT },
	{ "a lookup that runs while the connect starts is not",
	  "dnsstart 1 www.test 80\n connect 1 127.0.0.1:80\n dnsdone 1 www.test 80 = 127.0.0.1\n up 1\n" WGET OK KEEP,
	  "GET http://www.test/ 200 ok : " COLD SENT GOT PUT },
	{ "an answer that lacks the address is not", "dns 1 www.test 80 = 127.0.0.2\n" UP WGET OK KEEP,
	  "GET http://www.test/ 200 ok : " COLD SENT GOT PUT },
	{ "two names of one address: the connecting thread's own lookup",
	  "show args\n pid 100 101\n dns 1 a.test 80 = 127.0.0.1\n pid 100 102\n dns 2 b.test 80 = 127.0.0.1\n pid 100 101\n"
	  "connect 1 127.0.0.1:80\n up 1\n tx 1 'GET / HTTP/1.1~Host: a.test~~'\n rx 1 'HTTP/1.1 204 OK~~'\n" KEEP,
	  "GET http://a.test/ 204 ok : GetConn{a.test:80} DNSStart{a.test} DNSDone{127.0.0.1} ConnectStart{127.0.0.1:80} ConnectDone{127.0.0.1:80} GotConn{fresh}" SENT
	  " GotFirstResponseByte GotResponseHeaders{204}" PUT },
	{ "B0: two names of one address, looked up by helper threads: the Host field tells whose",
	  "show args\n"
	  "pid 100 201\n dns 1 a.test 80 = 127.0.0.1\n pid 100 202\n dns 2 b.test 80 = 127.0.0.1\n pid 100 100\n"
	  "connect 1 127.0.0.1:80\n connect 2 127.0.0.1:80\n up 1\n up 2\n tx 1 'GET / HTTP/1.1~Host: a.test~~'\n tx 2 'GET / HTTP/1.1~Host: B.test~~'\n"
	  "rx 1 'HTTP/1.1 204 OK~~'\n rx 2 'HTTP/1.1 204 OK~~'\n" KEEP,
	  "GET http://a.test/ 204 ok : GetConn{a.test:80} DNSStart{a.test} DNSDone{127.0.0.1} ConnectStart{127.0.0.1:80} ConnectDone{127.0.0.1:80} GotConn{fresh}" SENT
	  " GotFirstResponseByte GotResponseHeaders{204}" PUT
	  "GET http://B.test/ 204 ok : GetConn{B.test:80} DNSStart{b.test} DNSDone{127.0.0.1} ConnectStart{127.0.0.1:80} ConnectDone{127.0.0.1:80} GotConn{fresh}" SENT
	  " GotFirstResponseByte GotResponseHeaders{204}" PUT },
	{ "B0: the right answer still waits for its dial",
	  "show args\n dns 1 a.test 80 = 127.0.0.1\n dns 2 b.test 80 = 127.0.0.1\n"
	  "connect 1 127.0.0.1:80\n up 1\n tx 1 'GET / HTTP/1.1~Host: a.test~~'\n rx 1 'HTTP/1.1 204 OK~~'\n" KEEP,
	  "GET http://a.test/ 204 ok : GetConn{a.test:80} DNSStart{a.test} DNSDone{127.0.0.1} ConnectStart{127.0.0.1:80} ConnectDone{127.0.0.1:80} GotConn{fresh}" SENT
	  " GotFirstResponseByte GotResponseHeaders{204}" PUT },
	{ "a Host field of the user's own does not take the lookup away",
	  "show args\n dns 1 a.test 80 = 127.0.0.1\n connect 1 127.0.0.1:80\n up 1\n tx 1 'GET / HTTP/1.1~Host: other~~'\n"
	  "rx 1 'HTTP/1.1 204 OK~~'\n" KEEP,
	  "GET http://other/ 204 ok : GetConn{other:80} DNSStart{a.test} DNSDone{127.0.0.1} ConnectStart{127.0.0.1:80} ConnectDone{127.0.0.1:80} GotConn{fresh}" SENT
	  " GotFirstResponseByte GotResponseHeaders{204}" PUT },
	{ "a redirect to another name on the same address",
	  "dns 1 www.test 80 = 127.0.0.1\n" UP WGET OK "dns 2 two.test 80 = 127.0.0.1\n"
	  "connect 2 127.0.0.1:80\n up 2\n tx 2 'GET / HTTP/1.1~Host: two.test~~'\n" OK2 KEEP,
	  "GET http://www.test/ 200 ok : GetConn " DNS " " DIAL " GotConn{fresh}" SENT GOT PUT "GET http://two.test/ 204 ok : GetConn " DNS
	  " " DIAL " GotConn{fresh}" SENT HEAD PUT },

	/* ---- what is told of dials ---- */
	{ "closed unused", "show args conn\n" UP "+1s\n close 1\n",
	  "dial 127.0.0.1:80 unused : GetConn{127.0.0.1:80} ConnectStart{127.0.0.1:80} ConnectDone{127.0.0.1:80} "
	  "[c-1 127.0.0.1:40001>127.0.0.1:80 #0]\n" },
	{ "closed unused by the server", UP "fin 1\n close 1\n", "dial 127.0.0.1:80 unused : GetConn " DIAL "\n" },
	{ "the process exits and closes it so", UP "exit 100\n close 1\n +1s\n counts\n",
	  "dial 127.0.0.1:80 unused : GetConn " DIAL "\nrequests=0 dials=1\n" },
	{ "not closed when tracing ends: nothing to tell", UP "end\n", "" },
	{ "--dials none",
	  "dials none\n filtered\n connect 1 10.0.0.1:80\n down 1 ECONNREFUSED\n +1us\n" UP "close 1\n dns 1 gone.test 80 = -2\n counts\n",
	  "requests=0 dials=0 dials_hidden=3\n" },
	{ "--dials none does not hide what is proven to be HTTP",
	  "dials none\n connect 1 10.0.0.1:80\n up 1\n tx 1 'GET / HTTP/1.1~Host: 10.0.0.1~~'\n rx 1 'HTTP/1.1 204 OK~~'\n" KEEP
	  "close 1\n connect 2 10.0.0.1:80\n down 2 ECONNREFUSED\n +1us\n",
	  "GET http://10.0.0.1/ 204 ok : " COLD SENT HEAD PUT
	  "- (10.0.0.1:80) connect_error connect/ECONNREFUSED : GetConn ConnectStart ConnectDone{ECONNREFUSED}\n" },
	{ "--dials auto, system-wide: by port",
	  "dials auto\n connect 1 10.0.0.1:22\n down 1 ECONNREFUSED\n +1us\n connect 1 10.0.0.1:8443\n down 1 ECONNREFUSED\n +1us\n counts\n",
	  "dial 10.0.0.1:8443 connect_error connect/ECONNREFUSED : GetConn ConnectStart ConnectDone{ECONNREFUSED}\nrequests=0 dials=1 dials_hidden=1\n" },
	{ "--dials auto, system-wide: where anybody spoke HTTP",
	  "dials auto\n connect 1 10.0.0.1:99\n up 1\n tx 1 'GET / HTTP/1.1~Host: 10.0.0.1:99~~'\n rx 1 'HTTP/1.1 204 OK~~'\n" KEEP
	  "pid 200\n connect 2 10.0.0.1:99\n down 2 ECONNREFUSED\n +1us\n",
	  "GET http://10.0.0.1:99/ 204 ok : " COLD SENT HEAD PUT
	  "dial 10.0.0.1:99 connect_error connect/ECONNREFUSED : GetConn ConnectStart ConnectDone{ECONNREFUSED}\n" },
	{ "--dials auto, system-wide: no lookups without a port", "dials auto\n dns 1 gone.test = -2\n dns 2 gone.test 80 = -2\n",
	  "dial gone.test:80 dns_error dns/EAI_NONAME : GetConn DNSStart DNSDone{EAI_NONAME}\n" },
	{ "--dials auto with a filter: all",
	  "dials auto\n filtered\n dns 1 gone.test = -2\n connect 1 10.0.0.1:22\n down 1 ECONNREFUSED\n +1us\n",
	  "dial gone.test dns_error dns/EAI_NONAME : GetConn DNSStart DNSDone{EAI_NONAME}\n"
	  "dial 10.0.0.1:22 connect_error connect/ECONNREFUSED : GetConn ConnectStart ConnectDone{ECONNREFUSED}\n" },
	{ "a connection that carried another protocol is no dial", UP "tx 1 'EHLO a~'\n rx 1 '250 a~'\n close 1\n +1s\n counts\n",
	  "requests=0 dials=0 not_http=1\n" },
};

#endif
