/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * event.h - the records that travel from the BPF programs (and from the sources in user space) to the decoder; also the content of a capture file.
 *
 * Both sides include this file, so it uses fixed-width fields and explicit padding only: no bool, enum, long, pointer or bit-field. Padding is written as 0.
 * A kind grows only at its end; a changed meaning is a new kind. Not installed: nothing outside this project may rely on it.
 * Byte order is the host's (the capture file's header says which).
 */
#ifndef HT_EVENT_H
#define HT_EVENT_H

#ifndef __bpf__
#include <assert.h>
#include <linux/types.h>
#endif

#define HT_ABI_VERSION 1

/* Kinds. 1..63 come from BPF, 64..127 from user space. */
#define HT_REC_SOCK_STATE   1  /* struct ht_rec_sock_state */
#define HT_REC_CONNECT_FAIL 2  /* struct ht_rec_connect_fail */
#define HT_REC_SOCK_ERROR   3  /* struct ht_rec_sock_event: inet_sk_error_report */
#define HT_REC_SOCK_RESET   4  /* struct ht_rec_sock_event: tcp_receive_reset */
#define HT_REC_SOCK_AGAIN   5  /* struct ht_rec_sock_event: first receive that found nothing (EAGAIN) after data had been received */
#define HT_REC_DATA         6  /* struct ht_rec_data */
#define HT_REC_TLS          7  /* struct ht_rec_tls */
#define HT_REC_DNS_START    8  /* struct ht_rec_dns */
#define HT_REC_DNS_DONE     9  /* struct ht_rec_dns, with addresses */
#define HT_REC_PROC         10 /* struct ht_rec_proc; from BPF, and as facts from /proc (cpu HT_CPU_USER) */
#define HT_REC_UNIX_CONNECT 11 /* struct ht_rec_unix_connect */
#define HT_REC_H2_SUBMIT    12 /* struct ht_rec_h2_submit */

#define HT_REC_CLOCK  64 /* struct ht_rec_clock: first record of a stream, and whenever the wall clock was set or has drifted */
#define HT_REC_TICK   65 /* struct ht_rec_tick */
#define HT_REC_TARGET 66 /* struct ht_rec_target */
#define HT_REC_LOST   67 /* struct ht_rec_lost: losses that seq numbers cannot show (kretprobe misses, sideband losses) */
#define HT_REC_CONFIG 68 /* struct ht_rec_config: what decides how the rest is reported; first record of a stream, behind CLOCK */
#define HT_REC_END    69 /* struct ht_rec_tick: tracing ended in good order at ts */

#define HT_REC_COUNT 70 /* struct ht_rec_count: a counter of the source's for the summary; before END */
#define HT_REC_LOSING \
	71 /* struct ht_rec_losing: some events since ts are lost of which nothing has shown which CPU's and how many; that follows */

#define HT_CPU_USER 0xffffffffu /* hdr.cpu of a record made in user space; seq then counts such records */

/* hdr.flags, any kind */
#define HT_F_FOREIGN   0x0001 /* ran in another task than the owner's: tgid is the owner's as far as known (else 0), tid is 0 */
#define HT_F_EXITING   0x0002 /* the current task was exiting (PF_EXITING) */
#define HT_F_COMPAT    0x0004 /* 32-bit system call */
/* hdr.flags of HT_REC_DATA */
#define HT_F_NOBUF     0x0100 /* bytes were transferred but could not be read: sendfile, splice, io_uring, 32-bit, fault */
#define HT_F_EOF       0x0200 /* receive returned 0: the peer ended its side (TLS: close_notify or EOF) */
#define HT_F_FAILED    0x0400 /* the call failed with err; orig_len is 0 */
#define HT_F_FIRST     0x0800 /* first data of this direction since the socket (TLS object) was first seen */
#define HT_F_HANDSHAKE 0x1000 /* socket data that carries a ClientHello or ServerHello (captured for it) */
#define HT_F_LAST      0x2000 /* BPF sends no further data records of this socket (judged: not HTTP, or TLS past its hellos) */

struct ht_hdr {
	__u32 size; /* of the whole record, bytes, this header included */
	__u16 kind;
	__u16 flags;
	__u64 ts_ns; /* CLOCK_MONOTONIC at the event, not at submit */
	__u64 seq;   /* per cpu, from 0, +1 for each record tried: a gap is a loss */
	__u32 cpu;
	__u32 lost; /* records about the same object (socket, TLS object) lost since its previous record */
	__u32 tgid; /* process, init pid namespace; owner of the object */
	__u32 tid;  /* thread in which it happened, 0 if it was not one of tgid's */
};

/* TCP states as the kernel numbers them (include/net/tcp_states.h). */
#define HT_TCP_ESTABLISHED 1
#define HT_TCP_SYN_SENT    2
#define HT_TCP_FIN_WAIT1   4
#define HT_TCP_CLOSE       7
#define HT_TCP_CLOSE_WAIT  8
#define HT_TCP_LAST_ACK    9

#define HT_AF_UNIX  1 /* in user space only: no record has such an address */
#define HT_AF_INET  2
#define HT_AF_INET6 10

/* An endpoint. family 0 = unknown. IPv4 in the first 4 bytes of addr; IPv4-mapped IPv6 addresses are told as IPv4. */
struct ht_addr {
	__u16 family;
	__u16 port; /* host order */
	__u32 scope_id;
	__u8 addr[16];
};

/*
 * A client socket changed state (inet_sock_set_state): CLOSE->SYN_SENT (connect started; local port 0), SYN_SENT->ESTABLISHED, SYN_SENT->CLOSE (failed: err),
 * ESTABLISHED->FIN_WAIT1 (client closed or shut down), ->CLOSE_WAIT (server's FIN), CLOSE_WAIT->LAST_ACK (client closed too), any->CLOSE.
 * old_state == new_state == ESTABLISHED: a socket older than the tracer was seen for the first time (role by its first bytes).
 */
struct ht_rec_sock_state {
	struct ht_hdr hdr;
	__u64 cookie;   /* socket cookie: the connection's identity, never reused */
	__u64 tx_bytes; /* sent and received since the socket was first seen, by calls */
	__u64 rx_bytes;
	struct ht_addr local;
	struct ht_addr remote;
	__u32 netns; /* inode number, 0 unknown */
	__s32 err;   /* sk_err, positive errno, 0 none */
	__u8 old_state;
	__u8 new_state;
	__u8 pad[6];
};

/* connect() of a TCP socket failed before SYN_SENT. ts_ns: when the failure was seen. */
struct ht_rec_connect_fail {
	struct ht_hdr hdr;
	__u64 cookie;
	__u64 start_ns; /* connect called */
	struct ht_addr remote;
	__s32 err; /* positive errno, 0 not known */
	__u32 pad;
};

/* sizeof(sun_path) */
#define HT_UNIX_PATH_MAX 108

/*
 * err 0: a Unix stream socket is a client's, and HTTP or TLS by its first bytes. Told right before these, as nearly all Unix sockets carry something else;
 * what follows is told as of TCP sockets. Its end is a SOCK_STATE without addresses: ESTABLISHED->FIN_WAIT1 the client closed it, CLOSE_WAIT->LAST_ACK the
 * server had closed it before; where no program hears of the client's close itself, told in another task (HT_F_FOREIGN) and without numbers of bytes.
 * err not 0: a connect() on a Unix stream socket failed, whatever it was for.
 */
struct ht_rec_unix_connect {
	struct ht_hdr hdr;
	__u64 cookie;
	__u64 start_ns; /* connect called; 0: not seen (as of a socket older than the tracer) */
	__u64 done_ns;  /* connect returned; 0: not seen */
	__s32 err;      /* positive errno */
	__u16 path_len; /* 0: not known */
	__u8 pad[2];
	/* As given to connect(), else as the server was bound; an abstract name begins with NUL. The record's tail beyond path_len is not sent. */
	char path[HT_UNIX_PATH_MAX + 4];
};

struct ht_rec_sock_event {
	struct ht_hdr hdr;
	__u64 cookie;
	__s32 err; /* SOCK_ERROR: positive errno */
	__u32 pad;
};

#define HT_DIR_TX 0
#define HT_DIR_RX 1

/* How the bytes travelled. */
#define HT_VIA_OTHER    0
#define HT_VIA_SYSCALL  1 /* read, write, send*, recv*, readv, writev, sendmsg, recvmsg */
#define HT_VIA_SENDFILE 2 /* sendfile, splice */
#define HT_VIA_IO_URING 3
#define HT_VIA_TLS      4 /* a TLS library's call: plaintext */

/* What BPF took the stream for when it sent the record (a hint; user space decides by the bytes). */
#define HT_STREAM_UNKNOWN   0
#define HT_STREAM_HTTP1     1
#define HT_STREAM_HTTP2     2
#define HT_STREAM_TLS       3
#define HT_STREAM_OTHER     4
#define HT_STREAM_WEBSOCKET 5 /* behind a 101: frames of RFC 6455 */
#define HT_STREAM_SOCKS     6 /* the handshake with a SOCKS proxy: RFC 1928, 1929, SOCKS4 and 4a */

/*
 * Bytes [off, off + orig_len) of one direction of a socket (tls_id 0) or of a TLS object's plaintext (tls_id not 0) passed; the first captured_len of them
 * follow. One call may make several records (consecutive off, same ts_ns). ts_ns: end of the call. MSG_PEEK makes none.
 */
struct ht_rec_data {
	struct ht_hdr hdr;
	__u64 cookie;   /* TLS: of the bound socket, 0 if not bound */
	__u64 tls_id;   /* 0: bytes of the socket itself */
	__u64 off;      /* since first seen */
	__u64 start_ns; /* tx: begin of the call, 0 unknown */
	__u64 arrival_ns; /* rx: first arrival in the kernel since the last receive that emptied the socket; 0 unknown (no program asks now) */
	__u32 orig_len;
	__u32 captured_len;
	__s32 err; /* with HT_F_FAILED: positive errno; TLS: 0 or SSL_get_error-like unknown */
	__u8 dir;
	__u8 via;
	__u8 stream;
	__u8 pad;
	/* captured bytes, padded to 8 */
};

/* TLS objects. ops of struct ht_rec_tls */
#define HT_TLS_HANDSHAKE_START 1 /* ts = start_ns: first call that began or drove the handshake */
#define HT_TLS_HANDSHAKE_DONE  2 /* first success; start_ns as above */
#define HT_TLS_HANDSHAKE_FAIL \
	3 /* the call that failed for good returned; err_lib/err_reason of the first library error inside, 0 unknown */
#define HT_TLS_BIND \
	4 /* the object's bytes travel on socket cookie; evidence says how that is known. A later record of better evidence wins. */
#define HT_TLS_SERVER_NAME 5 /* text: name set by the program (SNI) */
#define HT_TLS_ALPN        6 /* text: protocol chosen, as the library told the program */
#define HT_TLS_SHUTDOWN    7 /* the program called SSL_shutdown */
#define HT_TLS_FREE        8 /* the object is gone; its id is never used again */
#define HT_TLS_ERROR       9 /* a read or write failed for good: err_lib, err_reason */

#define HT_TLS_LIB_OPENSSL 1
#define HT_TLS_LIB_GNUTLS  2
#define HT_TLS_LIB_NSS     3
#define HT_TLS_LIB_GO      4

/* Evidence of a binding; higher is better. */
#define HT_BIND_NONE   0
#define HT_BIND_BYTES  1 /* the same bytes seen in a TLS record and on the socket */
#define HT_BIND_FD     2 /* SSL_set_fd and the like */
#define HT_BIND_NESTED 3 /* a socket call inside a TLS call, same thread */

#define HT_TLS_TEXT_MAX 256

struct ht_rec_tls {
	struct ht_hdr hdr;
	__u64 tls_id; /* identity of the TLS object: never reused, whatever its address */
	__u64 cookie; /* bound socket, 0 none */
	__u64 start_ns;
	__u64 object; /* address in the process, for -v only */
	__u32 err_lib;
	__u32 err_reason;
	__s32 ret; /* what the call returned */
	__u16 op;
	__u16 library;
	__u8 evidence;
	__u8 is_server; /* 1: the program is the TLS server (SSL_accept or bound to an accepted socket) */
	__u16 text_len;
	__u32 verify_result; /* X509_V_*, 0 unknown */

	/* text_len bytes, padded to 8 */
};

#define HT_DNS_HOST_MAX    256
#define HT_DNS_SERVICE_MAX 32
#define HT_DNS_ADDR_MAX    16

/* A lookup by getaddrinfo. START: addr_cnt 0, eai 0. The record's tail beyond addrs[addr_cnt] is not sent. */
struct ht_rec_dns {
	struct ht_hdr hdr;
	__u64 call_id;   /* joins START and DONE */
	__u64 start_ns;  /* entry */
	__s32 eai;       /* return value: 0 or EAI_* (negative in glibc) */
	__s32 sys_errno; /* with EAI_SYSTEM, else 0 */
	__u16 host_len;  /* without NUL; 0: NULL was given */
	__u16 service_len;
	__u16 addr_cnt;
	__u16 addr_total; /* in the list, may be more than addr_cnt */
	__u32 ai_flags;   /* hints, 0 none */
	__u32 pad;
	char host[HT_DNS_HOST_MAX];
	char service[HT_DNS_SERVICE_MAX];
	struct ht_addr addrs[HT_DNS_ADDR_MAX]; /* in list order, one per address (duplicates per socket type are left out) */
};

#define HT_H2_FIELD_MAX 64
#define HT_H2_TEXT_MAX  8192

/*
 * A program gave a request to libnghttp2 (nghttp2_submit_request): its header fields before they are compressed, in the order in which they will be sent. Told of
 * programs only that were running already when the tracer came. The record's tail beyond text_len is not sent.
 */
struct ht_rec_h2_submit {
	struct ht_hdr hdr; /* ts: the call returned */
	__u64 session;     /* the nghttp2_session's address */
	__u32 stream_id;   /* that the call returned */
	__u16 field_cnt;   /* given */
	__u16 told_cnt; /* the first of them, of which name and value follow whole: fewer where some were too long or could not be read */
	__u32 text_len; /* sum of the lengths; less than HT_H2_TEXT_MAX */
	__u32 pad;
	struct {
		__u16 name;
		__u16 value;
	} lens[HT_H2_FIELD_MAX];
	char text[HT_H2_TEXT_MAX]; /* name, value, name, value, ... without separators */
};

#define HT_PROC_FORK 1 /* a followed or (system-wide) any process forked: hdr.tgid is the child, ppid the parent */
#define HT_PROC_EXEC 2 /* hdr.tgid runs exe now */
#define HT_PROC_EXIT 3 /* the last thread ended */
#define HT_PROC_FACT 4 /* read from /proc: comm and exe as they are at ts */

#define HT_PROC_EXE_MAX 256

struct ht_rec_proc {
	struct ht_hdr hdr;
	__u64 start_ns;  /* process start, CLOCK_MONOTONIC-like, 0 unknown: with tgid tells a reused pid */
	__u64 cgroup_id; /* 0 unknown */
	__u32 ppid;
	__u32 uid;
	__u16 op;
	__u16 exe_len;
	__s32 exit_code; /* EXIT: as wait(2)'s status; else 0 */
	char comm[16];
	char exe[HT_PROC_EXE_MAX]; /* the record's tail beyond exe_len is not sent */
};

struct ht_rec_clock {
	struct ht_hdr hdr;
	__u64 mono_ns;     /* CLOCK_MONOTONIC and CLOCK_REALTIME at the same instant */
	__u64 realtime_ns; /* since the Unix epoch */
};

/* Time has reached ts_ns: every record with a smaller ts_ns has been delivered (but for late ones, which are counted). */
struct ht_rec_tick {
	struct ht_hdr hdr;
};

#define HT_TARGET_ATTACHED 1
#define HT_TARGET_REFUSED  2
#define HT_TARGET_DETACHED 3

#define HT_TARGET_TEXT_MAX 1024
/* A process or library was attached, or refused and why. text: "kind\0path\0reason\0" with kind process|library|kernel; hdr.tgid the process or 0. */
struct ht_rec_target {
	struct ht_hdr hdr;
	__u32 action;
	__u32 probe_cnt;
	__u32 text_len;
	__u32 pad;
	/* text, padded to 8 */
};

struct ht_rec_lost {
	struct ht_hdr hdr;
	__u64 count;
	char where[24]; /* "ringbuf", "sideband", "kretprobe", ... NUL-terminated */
};

struct ht_rec_losing {
	struct ht_hdr hdr;
	__u64 until_ns;
};

struct ht_rec_count {
	struct ht_hdr hdr;
	__u64 count;
	char name[24]; /* as the summary has it, NUL-terminated */
};

#define HT_CONFIG_FILTERED 0x1 /* a process filter was in force (-p, --, ...) */
struct ht_rec_config {
	struct ht_hdr hdr;
	__u32 flags;
	__u32 head_bytes; /* largest head captured whole */
};

#ifndef __bpf__
static_assert(sizeof(struct ht_hdr) == 40, "ABI");
static_assert(sizeof(struct ht_addr) == 24, "ABI");
static_assert(sizeof(struct ht_rec_sock_state) == 40 + 24 + 48 + 16, "ABI");
static_assert(sizeof(struct ht_rec_connect_fail) == 40 + 16 + 24 + 8, "ABI");
static_assert(sizeof(struct ht_rec_unix_connect) == 40 + 24 + 8 + 112, "ABI");
static_assert(sizeof(struct ht_rec_sock_event) == 56, "ABI");
static_assert(sizeof(struct ht_rec_data) == 96, "ABI");
static_assert(sizeof(struct ht_rec_tls) == 40 + 32 + 24, "ABI");
static_assert(sizeof(struct ht_rec_dns) == 40 + 16 + 8 + 16 + 256 + 32 + 16 * 24, "ABI");
static_assert(sizeof(struct ht_rec_h2_submit) == 40 + 8 + 16 + 64 * 4 + 8192, "ABI");
static_assert(sizeof(struct ht_rec_proc) == 40 + 16 + 8 + 8 + 16 + 256, "ABI");
static_assert(sizeof(struct ht_rec_target) == 56, "ABI");
static_assert(sizeof(struct ht_rec_lost) == 72, "ABI");
static_assert(sizeof(struct ht_rec_losing) == 48, "ABI");
static_assert(sizeof(struct ht_rec_count) == 72, "ABI");
static_assert(sizeof(struct ht_rec_config) == 48, "ABI");
#endif

#endif
