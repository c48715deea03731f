/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * types.bpf.h - what the programs remember: per socket (socket storage), per TLS object and per thread (maps.bpf.h), per call
 * (scratch).
 *
 * A flow is a connection's two streams, of a plain socket or of a TLS object's plaintext; payload.bpf.c decides on it what is
 * copied to user space. None of this leaves the kernel.
 */
#ifndef HT_TYPES_BPF_H
#define HT_TYPES_BPF_H

/* BPF_PROG and bpf_loop callbacks fix parameters that most bodies have no use for. */
#pragma clang diagnostic ignored "-Wunused-parameter"

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "abi/event.h"
#include "abi/config.h"
#include "kernel.bpf.h"

#define AF_UNIX  1
#define AF_INET  2
#define AF_INET6 10

#define IPPROTO_TCP 6
#define SOCK_STREAM 1

/* include/net/tcp_states.h */
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT    2
#define TCP_SYN_RECV    3
#define TCP_FIN_WAIT1   4
#define TCP_FIN_WAIT2   5
#define TCP_TIME_WAIT   6
#define TCP_CLOSE       7
#define TCP_CLOSE_WAIT  8
#define TCP_LAST_ACK    9
#define TCP_CLOSING     11

/* include/uapi/asm-generic/errno*.h, include/linux/errno.h */
#define EAGAIN        11
#define EACCES        13
#define EINTR         4
#define EINVAL        22
#define EPIPE         32
#define ENETUNREACH   101
#define EHOSTUNREACH  113
#define ECONNRESET    104
#define EISCONN       106
#define ENOTCONN      107
#define EALREADY      114
#define EINPROGRESS   115
#define ERESTARTSYS   512
#define ERESTART_LAST 516

#define MSG_OOB      0x1
#define MSG_PEEK     0x2
#define MSG_TRUNC    0x20
#define MSG_ERRQUEUE 0x2000

/* include/linux/sched.h */
#define PF_EXITING     0x00000004
#define PF_IO_WORKER   0x00000010
#define PF_USER_WORKER 0x00004000
#define PF_KTHREAD     0x00200000

#define HT_ROLE_UNKNOWN 0 /* older than the tracer and not recognised yet */
#define HT_ROLE_CLIENT  1
#define HT_ROLE_IGNORED 2 /* server side, or given up: nothing is told of it */

/* Sends (receives) of a socket older than the tracer after which it is given up. */
#define HT_UNDECIDED_MAX 16

/* Where a stream stands. */
#define HT_MODE_HEAD   0 /* in a message head, or before one */
#define HT_MODE_LENGTH 1 /* skip body bytes are left */
#define HT_MODE_CHUNK  2 /* chunked coding: see cphase */
#define HT_MODE_CLOSE  3 /* no end is known: lengths only, until the direction turns and a head is recognised, HTTP/2 frames are */

#define HT_MODE_RAW 4 /* HT_OLD: CLOSE, but everything is copied: framing could not be followed in the rounds there are */

/* Longest start of an unfinished line that is kept from one call to the next. The lines that matter are shorter. */
#define HT_CARRY_MAX 64

struct ht_stream {
	__u64 off;      /* bytes passed since first seen */
	__u64 skip;     /* LENGTH: body left. CHUNK: data of this chunk left. TLS hello: rest of the TLS record. Frames: frames.bpf.h */
	__u64 cl;       /* content-length of the head being read. CHUNK: size being read. Frames: frames.bpf.h */
	__u32 head_cnt; /* bytes captured of the current head (TLS: of the hellos; HTTP/2: of the block of fields; SOCKS: of the handshake) */
	__u16 status;   /* of the response head being read */
	__u8 mode;
	__u8 cphase;   /* HT_CHUNK_*; SOCKS: the client's HT_SOCKS_*, the method that the server has chosen */
	__u8 begun;    /* the start line is complete (TLS hello: the record's first bytes have been looked at; WebSocket: a frame was) */
	__u8 mid_line; /* the line begun is longer than the carry: its start has been judged or does not matter */
	__u8 has_cl;
	__u8 chunked;
	__u8 is_head;    /* request head being read: method HEAD */
	__u8 is_connect; /* method CONNECT */
	__u8 seen;       /* a data record was sent */
	__u8 carry_len;
	__u8 carry[HT_CARRY_MAX];
};

struct ht_flow {
	struct ht_stream tx;
	struct ht_stream rx;
	__u32 lost;    /* records about this object that did not get through since the last that did */
	__u32 req_cnt; /* request heads sent, final response heads received: bit n % 32 below belongs to request n */
	__u32 resp_cnt;
	__u32 head_bits;    /* the request's method is HEAD */
	__u32 connect_bits; /* ... CONNECT */
	__u8 kind;          /* HT_STREAM_* */
	__u8 quiet;         /* no more data records: HT_F_LAST was sent */
	__u8 last_dir;      /* of the last bytes: HT_DIR_* + 1, 0 none */
	__u8 undecided;     /* calls of a stream of unknown role that told nothing */
};

struct ht_sock {
	struct ht_flow flow;
	__u64 cookie;
	__u64 send_start_ns; /* first tcp_sendmsg_locked of the running send, 0 none */
	__u64 connect_ns;    /* connect() called and SYN_SENT not seen yet, 0 none */
	__u64 file;          /* address of its struct file, to know a descriptor by */
	__u32 tx_seq;        /* TCP's sequence number of the stream's offset 0, if has_tx_seq (calls.bpf.h) */
	__u32 rx_seq;
	struct ht_addr connect_to;
	__u32 owner; /* tgid */
	__u32 connect_tid;
	__u8 role;
	__u8 told;     /* user space knows the socket (SOCK_STATE was sent) */
	__u8 again_ok; /* data came since the last HT_REC_SOCK_AGAIN */
	__u8 old;      /* older than the tracer */
	__u8 has_tx_seq;
	__u8 has_rx_seq;
	__u8 is_unix;
	__u8 pad[1];
};

/* A Unix stream socket (unix.bpf.h): what is known before its first bytes have told whether it is worth a struct ht_sock; and that it is not. */
struct ht_unix {
	__u64 cookie;
	__u64 start_ns; /* connect() called, 0: not seen */
	__u64 done_ns;  /* connect() returned, 0: not seen */
	__u32 tid;      /* in which thread */
	__u8 role;
	__u8 path_len;
	__u8 pad[2];
	char path[HT_UNIX_PATH_MAX + 4]; /* 0 behind path_len */
};

/* The kernel's own, found in a map's values by its name. */
struct bpf_task_work {
	__u64 opaque;
} __attribute__((aligned(8)));

/* A connect() whose end is told by work that the task does before it returns to the program (unix_typed.bpf.c). */
struct ht_unix_call {
	struct bpf_task_work work;
	__u64 sock; /* address */
	struct ht_unix unix_sock;
};

/* A client's Unix socket that is told of, where its close is not heard of. */
struct ht_unix_client {
	__u64 cookie;
	__u32 owner;
	__u32 pad;
};

/* Result of the last socket call inside a TLS call. */
#define HT_NEST_NONE  0
#define HT_NEST_DATA  1
#define HT_NEST_AGAIN 2
#define HT_NEST_EOF   3

/*
 * Writes whose return is not probed (openssl.bpf.c: can_be_quick). Whether an object's writes are fit for it is learnt from one that is
 * watched to its end.
 */
#define HT_QUICK_UNKNOWN 0
#define HT_QUICK_OK      1
#define HT_QUICK_NEVER   2

/* A quick write of an object that was begun and not told. */
#define HT_PENDING_NONE   0
#define HT_PENDING_BEGUN  1 /* nothing is known of its end */
#define HT_PENDING_AGAIN  2 /* the socket did not take it (all): the program calls again, and that call's return is watched */
#define HT_PENDING_SIGNAL 3 /* a signal came: the kernel sends again, or the program calls again */

/* One TLS record holds this much plaintext (RFC 8446, 5.1); a longer write may succeed in part. */
#define HT_QUICK_MAX       16384
/* What a record adds to its plaintext: header, nonce, tag or MAC and padding; and a key update in front (RFC 8446, 5.2 and 4.6.3). */
#define HT_QUICK_ADDED_MIN 17
#define HT_QUICK_ADDED_MAX 128

/* TLS handshake of an object. */
#define HT_HS_NONE    0
#define HT_HS_STARTED 1
#define HT_HS_DONE    2
#define HT_HS_FAILED  3

struct ht_tls_key {
	__u64 object;
	__u32 tgid;
	__u32 pad;
};

struct ht_tls {
	struct ht_flow flow;
	__u64 id;
	__u64 cookie;
	__u64 hs_start_ns;
	__u64 hs_end_ns;
	__u8 role;
	__u8 evidence;
	__u8 hs;
	__u8 hs_start_told;
	__u8 hs_end_told;
	__u8 bind_told; /* evidence with which user space knows cookie */
	__u8 alpn_told;
	__u8 shutdown_told;
	__u8 eof_told;
	__u8 unbound_counted;
	__u8 quick;   /* HT_QUICK_* */
	__u8 pending; /* HT_PENDING_* */
	__u32 pending_len;
};

/* A TLS call in flight. */
struct ht_tls_call {
	__u64 start_ns;
	__u64 object;
	__u64 sp;     /* stack pointer at entry: an outer frame's is higher; 0: the call has ended */
	__u64 buf;    /* plaintext; ALPN: where the pointer is written */
	__u64 out;    /* where the length is written (_ex, ALPN) */
	__u64 cookie; /* nested sends and receives on this socket need no further look */
	__u32 len;
	__u32 err_lib; /* first library error inside, 0 none */
	__u32 err_reason;
	__u32 sent_bytes; /* by nested sends on that socket */
	__u16 fn;
	__u8 nest;
	__u8 ignored;
	__u8 is_quick; /* its return is not probed: what it sends ends it */
	__u8 pad[7];
};

#define HT_TLS_DEPTH 4

struct ht_thread {
	__u32 depth;
	__u32 pad;
	struct ht_tls_call call[HT_TLS_DEPTH];
};

/* A lookup in flight; rec is what START said. */
struct ht_dns_call {
	__u64 sp;
	__u64 host_at; /* where the texts are: a page not touched since fork cannot be read at entry, but at return */
	__u64 service_at;
	__u64 res;
	__u64 call_id;
	__u64 start_ns;
	__u32 ai_flags;
	__u16 host_len;
	__u16 service_len;
	char host[HT_DNS_HOST_MAX];
	char service[HT_DNS_SERVICE_MAX];
};

/* A request being given to libnghttp2. */
struct ht_h2_call {
	__u64 sp;
	__u64 session; /* address */
	__u64 nva;
	__u64 nv_cnt;
};

/* What routing last said inside a thread's connect(). */
struct ht_route_note {
	__u64 cookie;
	__u64 sock; /* its address; only where the end of the call is seen (connect_untyped.bpf.h) */
	__s32 err;
	__u32 closed; /* the thread has connected something else since */
};

/* A send or receive in flight, as it was when it began. */
struct ht_call {
	__u64 sock; /* address */
	__u64 start_ns;
	__u64 buf; /* as in ht_scratch, but an array of iovecs is the kernel's */
	__u32 iov_cnt;
	__u32 flags; /* MSG_* */
	__u32 seq;   /* TCP's sequence number of the first byte, if has_seq */
	__u8 dir;
	__u8 via;
	__u8 no_buf;
	__u8 has_seq;
};

/* Keeps the compiler from dropping a mask as redundant, which the verifier needs to see. x is below mask + 1 anyway. */
#define HT_BOUND(x, mask)                    \
	({                                   \
		__u64 x_ = (x);              \
		asm volatile("" : "+r"(x_)); \
		x_ &(mask);                  \
	})

/* Bytes of one call that one record can carry, and what a read may overrun. Indexes are masked with HT_WIN - 1. */
#define HT_WIN        16384
#define HT_WIN_SLACK  4224
/* New bytes loaded at once behind a carry; the rest keeps carry, padding and word reads inside HT_WIN. */
#define HT_LOAD_MAX   (HT_WIN - HT_CARRY_MAX - 64)
/* Gathering writes at most this much a step, within HT_WIN_SLACK behind the last masked index. */
#define HT_GATHER_MAX 4095
/* First load of a head: most heads are shorter, and what follows them is not wanted. */
#define HT_LOAD_FIRST 1024

/* One call's data on their way, in a per-CPU slot (maps.bpf.h). The caller fills the first part, payload.bpf.c uses the rest. */
struct ht_scratch {
	__u64 busy;
	__u64 ts_ns;
	__u64 start_ns;
	__u64 cookie;
	__u64 tls_id;
	__u64 buf; /* user address of the bytes, or of the iovec when iov_cnt is not 0 */
	__u32 iov_cnt;
	__u32 total; /* bytes of the call */
	__u32 tgid;
	__u32 tid;
	__u16 flags; /* HT_F_* for every record of the call */
	__u8 dir;
	__u8 via;
	__u8 no_buf;
	__u8 strict;    /* the stream is known from its first byte: what is not recognised is HT_STREAM_OTHER */
	__u8 is_client; /* the program is known to be the connection's client */
	__u8 pad0;
	__u32 pos; /* of the call, done so far: 0 */

	__u32 carry; /* bytes in front of pos in the window */
	__u32 end;   /* of the window */
	__u32 at;    /* scanning position */
	__u32 line;  /* start of the line at `at` */
	__u32 found;
	__u32 iov_at;
	__u32 turns; /* behind this head the connection turns to another protocol: its HT_STREAM_* + 1 */
	__u64 iov_skip;
	__u32 iov_dst;
	__u32 iov_left;
	/* HT_OLD: values of two fields of the head; end 0: there is none. */
	__u32 memo; /* HT_FORGET */
	__u32 length_at;
	__u32 length_end;
	__u32 coding_at;
	__u32 coding_end;
	__u32 slot; /* HT_OLD: this one's number */

	__u8 rec[sizeof(struct ht_rec_data)]; /* room for the header in front of the bytes */
	__u8 win[HT_WIN + HT_WIN_SLACK];
};

#endif
