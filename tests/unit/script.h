/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * script.h - scenarios for the engine as text: each line becomes the records that the kernel side would send; the engine's reports come back as text.
 *
 * One command a line (or between ';'); '#' begins a comment. The clock stands at 1 s; before each record it moves on by `step`, 10 us at first. A send
 * begins 5 us before its record's time. C is a connection's number (its cookie), T a TLS object's, D a lookup's.
 *
 *   show WORD...          what reports tell beside hook names: args time how fields conn bytes times who; log: the engine's lines for -v
 *   dials all|none|auto, filtered, raw, noheaders      options; before the first record
 *   whole                 what this is about depends on where records begin: it is not cut (see script_run())
 *   step TIME; +TIME      the clock's step; time passes (10us, 5ms, 1s, 7ns), told to the engine
 *   pid P [TID]           whose the following records are (100, thread 100)
 *   exec P COMM EXE [START] (when P began); fork CHILD PARENT; exit P; fact P COMM EXE
 *   dnsstart D HOST [SERVICE]; dnsdone D HOST [SERVICE] = ADDR,ADDR...|EAI       (dns D ...: both, 100 us apart)
 *   connect C ADDR:PORT; up C; down C ERRNO|0 (SYN_SENT to CLOSE); nosyn C ADDR:PORT ERRNO (fails before SYN_SENT); old C ADDR:PORT (older than we)
 *   fin C (server's FIN); close C (client); abort C (client, SO_LINGER 0); reset C; expire C (retransmissions gave up); again C (EAGAIN); error C ERRNO
 *   unix C PATH [undone] (client of a Unix socket, right before its first bytes; path "-": not known; took=?: connect() not seen, undone: its end)
 *   unix C PATH ERRNO; gone C (what is read of the server tells that the client has closed)
 *   tx|rx C 'TEXT' [OPTION]...; eof C; txfail|rxfail C ERRNO
 *   ttx|trx T 'TEXT' [OPTION]...; teof T; ttxfail|trxfail T ERRNO                   plaintext of a TLS object
 *      '~' in TEXT is CR LF, '\n' LF, '\xHH' a byte, '\~' and '\'' themselves; NAME instead of 'TEXT' is a sample hello (hello_samples.h)
 *      +N        N more bytes passed that were not captured
 *      off=N     stream offset; else the bytes follow those before
 *      took=TIME the call began that long before its end; took=? unknown
 *      lost=N    hdr.lost; late=TIME the record's time is that long ago; also of other records
 *      stream=tls|http1|http2|websocket|socks|other  handshake  nobuf  cookie=C (of T's records; else the last bound one)  foreign
 *   h2 C tx|rx FRAME... [OPTION]...; th2 T tx|rx FRAME...     one call that carries HTTP/2 frames:
 *      preface  settings  settings:ID=VALUE  ack  HID,NAME=VALUE,...  DID:BYTES  MID:BYTES (DATA with one gRPC message)  RID:CODE (RST_STREAM)
 *      PID:PROMISED,NAME=VALUE,... (PUSH_PROMISE)
 *      GLAST:CODE (GOAWAY)  WID:N (WINDOW_UPDATE); a dot behind ID: END_STREAM
 *      past,NAME=VALUE,... (a header block of which nothing is told: it was sent before we came)
 *   submit S ID NAME=VALUE,... [cut]     a request is given to session S of libnghttp2, which makes it stream ID; cut: the last field is not told
 *   probed [P]            the libraries of process P, or one of all, have probes now
 *   gap C|tT tx|rx N      N bytes pass unseen
 *   alert C tx|rx NUMBER  a fatal alert in clear
 *   tls T start|done|fail LIB REASON [VERIFY]|bind C nested|fd|bytes|none|sni NAME|alpn NAME|shutdown|error LIB REASON|free [server] [cookie=C]
 *   lost N WHERE; losing TIME (events are lost from now on, which a `lost` that much later tells); clock MONO REAL; end; due; counts
 *
 * A report is one line: METHOD URL STATUS OUTCOME[ PHASE/CODE][ lost=N][ open][ from=SOURCE][ PARTICULAR] : HOOK..., `dial HOST:PORT` for method and URL of a dial,
 * `websocket URL` of a WebSocket. PARTICULAR: grpc(SERVICE METHOD STATUS CODE 'MESSAGE' SENT/RECEIVED); frames SENT/RECEIVED[ close=CODE][ by=WHO]; a
 * count that is not known is ?. `show conn` tells http and stream of HTTP/2, and proxy=TYPE,ADDRESS,STATUS. Names of hooks are Go's; in braces what is always told: an error's code, GotConn{fresh|reused|busy|unknown} (busy: reused, was not idle), Got1xxResponse{code},
 * ConnClosed{by}. With `show time` each hook has its distance from the first in us; with `show how` a proxy ends in ~, an inferred one in ?.
 *
 * The runner itself checks of each report: calls only before done, done once; times in order; the order that holds in any trace (hooks.md A2); an error
 * exactly where the outcome is none of ok and unused; no hook added in front of one already handed over. What it finds stands in the text as `BROKEN ...`.
 */
#ifndef HT_SCRIPT_H
#define HT_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "conn/engine.h"

struct script;

/* Never NULL: a test that has no memory aborts. */
struct script *script_new(void);
/* Runs commands. A command that is none aborts: the script is wrong. */
void script_do(struct script *script, const char *text);
void script_dof(struct script *script, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What was reported since the last call; valid until the next. */
const char *script_text(struct script *script);
/* The engine, made with the options given so far. */
struct ht_engine *script_engine(struct script *script);
/* Frees all. Requests that were begun and not told as done by then: their number. */
unsigned int script_free(struct script *script);

/*
 * A whole scenario: its reports, malloc'ed. cut: each transfer comes as two records of one call, the first of cut bytes (modulo its length); 0: as one.
 * What is open at the end of the script and not told after the engine's end is BROKEN.
 */
char *script_run(const char *text, size_t cut);

#endif
