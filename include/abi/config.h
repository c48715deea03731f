/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * config.h - what user space sets in the BPF programs before they load, the function ids that uprobes carry as attach cookies, and the counters that BPF keeps.
 *
 * The BPF side defines: `const volatile struct ht_bpf_config ht_config` (rodata); maps `events` (ring buffer; size set by user space before load),
 * `traced` (hash: __u32 tgid -> __u32 HT_TRACED_*), `counters` (per-CPU array of __u64, index enum ht_counter).
 */
#ifndef HT_CONFIG_H
#define HT_CONFIG_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define HT_CFG_FILTERED   0x1  /* only processes in `traced`; otherwise all but self_tgid */
#define HT_CFG_FOLLOW     0x2  /* with FILTERED: a traced process's child is put into `traced` at fork */
#define HT_CFG_PROCS      0x4  /* emit HT_REC_PROC for traced (unfiltered: all) processes */
#define HT_CFG_JUDGE      0x8  /* with FILTERED: who executes a program is put into `traced`; user space takes out whom it does not want */
#define HT_CFG_CALLS      0x10 /* sends and receives are heard of by their functions' begins and ends, not by tracepoints */
#define HT_CFG_UNTYPED    0x20 /* sockets are known by address, not by typed pointers */
#define HT_CFG_UNIX       0x40 /* Unix sockets are followed */
/* Where no program can be put on the functions of Unix sockets (bpf/unix.bpf.h): */
#define HT_CFG_UNIX_PEERS 0x80  /* that a client has closed is told by its server's next call */
#define HT_CFG_UNIX_WORK  0x100 /* that connect() has returned is told by the task's work before it returns */

/* In place of the numbers of helpers in a program's calls: functions of the kernel, put in before the load (user/lib/attach/kfuncs.h). */
#define HT_KFUNC_CAST_TO_KERN_CTX 0x7f000000
#define HT_KFUNC_TASK_WORK        0x7f000001

struct ht_bpf_config {
	__u32 flags;
	__u32 head_bytes;     /* largest head captured whole, 256..65536, default HT_HEAD_BYTES_DEFAULT */
	__u32 self_tgid;      /* the tracer's own process, never traced */
	__u32 wakeup_bytes;   /* wake the reader when this much is pending; below it only records marked urgent (fork) wake it */
	__u32 recvmsg_params; /* with HT_CFG_CALLS: how many parameters the kernel's tcp_recvmsg has, 4 to 6 */
};

#define HT_HEAD_BYTES_DEFAULT 16384

#define HT_TRACED_ON 1

/*
 * Functions that are probed. The attach cookie of an entry or return probe is the id; of a session's site it says as well which sides are
 * wanted there.
 */
#define HT_SITE_FN                   0xffff
#define HT_SITE_ENTRY                0x10000
#define HT_SITE_RETURN               0x20000
#define HT_FN_GETADDRINFO            1
#define HT_FN_SSL_CONNECT            16
#define HT_FN_SSL_DO_HANDSHAKE       17
#define HT_FN_SSL_ACCEPT             18
#define HT_FN_SSL_WRITE              19
#define HT_FN_SSL_WRITE_EX           20
#define HT_FN_SSL_READ               21
#define HT_FN_SSL_READ_EX            22
#define HT_FN_SSL_PEEK               23
#define HT_FN_SSL_SHUTDOWN           24
#define HT_FN_SSL_FREE               25
#define HT_FN_SSL_SET_FD             26
#define HT_FN_SSL_CTRL               27
#define HT_FN_SSL_GET0_ALPN_SELECTED 28
#define HT_FN_ERR_VSET_ERROR         29
#define HT_FN_SSL_PEEK_EX            30
#define HT_FN_SSL_CLEAR              31
#define HT_FN_SSL_GET_VERIFY_RESULT  32
/* What SSL_read and SSL_read_ex, SSL_write and SSL_write_ex hand their arguments to: (ssl, buf, len, [flags,] done); flags: the last one. */
#define HT_FN_SSL_READ_INNER         33
#define HT_FN_SSL_WRITE_INNER        34
#define HT_FN_SSL_WRITE_INNER5       35
#define HT_FN_H2_SUBMIT_REQUEST      48
#define HT_FN_H2_SUBMIT_REQUEST2     49

enum ht_counter {
	HT_CNT_RECORDS,          /* records submitted */
	HT_CNT_LOST_RINGBUF,     /* reservations that failed: ring full */
	HT_CNT_LOST_SCRATCH,     /* no scratch buffer or no map entry free */
	HT_CNT_FAULT,            /* user memory that could not be read */
	HT_CNT_SOCK_OTHER,       /* sockets judged not HTTP */
	HT_CNT_SOCK_SERVER,      /* sockets judged server side */
	HT_CNT_TLS_UNBOUND,      /* TLS calls whose object has no socket */
	HT_CNT_RETURN_UNMATCHED, /* returns without their entry */
	/* Entries made and taken out again of tables that forget the least recently used one: what is neither there nor taken out was forgotten. */
	HT_CNT_TLS_MADE,
	HT_CNT_TLS_GONE,
	HT_CNT_DNS_MADE,
	HT_CNT_DNS_GONE,
	HT_CNT_ROUTE_MADE,
	HT_CNT_ROUTE_GONE,
	HT_CNT_THREAD_MADE,
	HT_CNT_THREAD_GONE,
	HT_CNT_CALL_MISSED, /* sends and receives of which the begin or the end was not seen */
	HT_CNT_MAX = 24,
};

#endif
