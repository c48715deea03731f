/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * programs.c - see programs.h.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "abi/config.h"
#include "attach/cookies.h"
#include "attach/object.h"
#include "attach/programs.h"
#include "httptrace.h"

#define SEND_RECV_SINCE "6.3"

/* BPF_CGROUP_UNIX_CONNECT of include/uapi/linux/bpf.h: missing in older headers. */
#define HT_ATTACH_CGROUP_UNIX_CONNECT 49

/* Which form of the object (kernel.bpf.h) has a use for a program: sockets are known by typed pointers, or by address. */
enum form { FORM_ANY, FORM_TYPED, FORM_UNTYPED };

/* How Unix sockets are heard of: by the kernel's functions, or by a cgroup hook without and with the task's work (bpf/unix_typed.bpf.c). */
enum way { WAY_NOT_UNIX, WAY_FUNCTIONS, WAY_CGROUP, WAY_WORK };

#define TP_BTF (1 << HT_BACKEND_TP_BTF)
#define FENTRY (1 << HT_BACKEND_FENTRY)
#define KPROBE (1 << HT_BACKEND_KPROBE)

/*
 * since: what to tell people who lack it; the kernel is asked for the tracepoint itself. backends: of which ways of hearing of sockets it is a part, 0: all.
 * Attached in this order: the begins of calls before their ends, as an end without its begin counts as a loss (bpf/calls.bpf.h).
 */
static const struct {
	struct ht_program_state state;
	const char *since;
	enum ht_site_group group;
	unsigned int backends;
	enum form form;
	enum way way;
} table[] = {
#define STATES  "connections: ConnectStart, ConnectDone, ConnClosed"
#define SENDS   "bytes sent: WroteHeaders, WroteRequest and the request itself"
#define RECVS   "bytes received: GotResponseHeaders, GotBody and the response itself"
#define RESETS  "outcome reset, ConnClosed by reset"
#define ERRORS  "the error of a failed connect"
#define ENDS    "connects that fail before a packet is sent, seen when their socket goes"
#define FORKS   "following children"
#define EXECS   "names of processes that start"
#define EXITS   "the end of processes"
#define PAGES   "bytes sent by sendfile"
#define SUBMITS "fields of HTTP/2 requests on connections older than the tracer, by libnghttp2"
#define FAILS4  "connects that fail before a packet is sent (unreachable), IPv4"
#define FAILS6  "connects that fail before a packet is sent (unreachable), IPv6"
#define TP(point, needed, from, what, of, in)                                                                                              \
	{                                                                                                                                  \
		{ .name = "tp_" point, .hook_point = point, .serves = what, .kind = HT_PROGRAM_TRACEPOINT, .is_mandatory = needed }, from, \
			0, of, in, WAY_NOT_UNIX                                                                                            \
	}
	TP("inet_sock_set_state", true, "4.16", STATES, TP_BTF | FENTRY, FORM_ANY),
	TP("sock_send_length", true, SEND_RECV_SINCE, SENDS, TP_BTF, FORM_ANY),
	TP("sock_recv_length", true, SEND_RECV_SINCE, RECVS, TP_BTF, FORM_ANY),
	TP("tcp_sendmsg_locked", false, "6.16", "the begin of a send (otherwise its end is told)", TP_BTF, FORM_ANY),
	TP("tcp_receive_reset", false, "4.15", RESETS, TP_BTF | FENTRY, FORM_ANY),
	TP("inet_sk_error_report", false, "5.14", ERRORS, TP_BTF | FENTRY, FORM_ANY),
	TP("tcp_destroy_sock", false, "4.16", ENDS, TP_BTF | FENTRY, FORM_ANY),
	TP("sched_process_fork", false, "2.6", FORKS, TP_BTF | FENTRY, FORM_ANY),
	TP("sched_process_exec", false, "3.4", EXECS, TP_BTF | FENTRY, FORM_ANY),
	TP("sched_process_exit", false, "2.6", EXITS, TP_BTF | FENTRY, FORM_ANY),
	TP("fib_table_lookup", false, "4.4", FAILS4, TP_BTF | FENTRY, FORM_TYPED),
	TP("fib6_table_lookup", false, "4.15", FAILS6, TP_BTF | FENTRY, FORM_TYPED),
#undef TP
#define AT(prefix, how, point, needed, what, of, in)                                                                                 \
	{                                                                                                                            \
		{ .name = prefix point, .hook_point = point, .serves = what, .kind = how, .is_mandatory = needed }, NULL, 0, of, in, \
			WAY_NOT_UNIX                                                                                                 \
	}
	AT("fe_", HT_PROGRAM_FENTRY, "tcp_v4_connect", false, FAILS4, TP_BTF | FENTRY, FORM_UNTYPED),
	AT("fx_", HT_PROGRAM_FEXIT, "tcp_v4_connect", false, FAILS4, TP_BTF | FENTRY, FORM_UNTYPED),
	AT("fe_", HT_PROGRAM_FENTRY, "tcp_v6_connect", false, FAILS6, TP_BTF | FENTRY, FORM_UNTYPED),
	AT("fx_", HT_PROGRAM_FEXIT, "tcp_v6_connect", false, FAILS6, TP_BTF | FENTRY, FORM_UNTYPED),
	AT("fe_", HT_PROGRAM_FENTRY, "tcp_sendmsg", true, SENDS, FENTRY, FORM_ANY),
	AT("fx_", HT_PROGRAM_FEXIT, "tcp_sendmsg", true, SENDS, FENTRY, FORM_ANY),
	AT("fe_", HT_PROGRAM_FENTRY, "tcp_sendpage", false, PAGES, FENTRY, FORM_ANY),
	AT("fx_", HT_PROGRAM_FEXIT, "tcp_sendpage", false, PAGES, FENTRY, FORM_ANY),
	AT("fe_", HT_PROGRAM_FENTRY, "tcp_recvmsg", true, RECVS, FENTRY, FORM_ANY),
	AT("fx_", HT_PROGRAM_FEXIT, "tcp_recvmsg", true, RECVS, FENTRY, FORM_ANY),
	AT("rt_", HT_PROGRAM_RAW, "inet_sock_set_state", true, STATES, KPROBE, FORM_ANY),
	AT("rt_", HT_PROGRAM_RAW, "tcp_receive_reset", false, RESETS, KPROBE, FORM_ANY),
	AT("rt_", HT_PROGRAM_RAW, "inet_sk_error_report", false, ERRORS, KPROBE, FORM_ANY),
	AT("rt_", HT_PROGRAM_RAW, "tcp_destroy_sock", true, "the end of sockets, which are known by their address", KPROBE, FORM_ANY),
	AT("rt_", HT_PROGRAM_RAW, "sched_process_fork", false, FORKS, KPROBE, FORM_ANY),
	AT("rt_", HT_PROGRAM_RAW, "sched_process_exec", false, EXECS, KPROBE, FORM_ANY),
	AT("rt_", HT_PROGRAM_RAW, "sched_process_exit", false, EXITS, KPROBE, FORM_ANY),
	AT("kp_", HT_PROGRAM_KPROBE, "tcp_v4_connect", false, FAILS4, KPROBE, FORM_ANY),
	AT("kr_", HT_PROGRAM_KRETPROBE, "tcp_v4_connect", false, FAILS4, KPROBE, FORM_ANY),
	AT("kp_", HT_PROGRAM_KPROBE, "tcp_v6_connect", false, FAILS6, KPROBE, FORM_ANY),
	AT("kr_", HT_PROGRAM_KRETPROBE, "tcp_v6_connect", false, FAILS6, KPROBE, FORM_ANY),
	AT("kp_", HT_PROGRAM_KPROBE, "tcp_sendmsg", true, SENDS, KPROBE, FORM_ANY),
	AT("kr_", HT_PROGRAM_KRETPROBE, "tcp_sendmsg", true, SENDS, KPROBE, FORM_ANY),
	AT("kp_", HT_PROGRAM_KPROBE, "tcp_sendpage", false, PAGES, KPROBE, FORM_ANY),
	AT("kr_", HT_PROGRAM_KRETPROBE, "tcp_sendpage", false, PAGES, KPROBE, FORM_ANY),
	AT("kp_", HT_PROGRAM_KPROBE, "tcp_recvmsg", true, RECVS, KPROBE, FORM_ANY),
	AT("kr_", HT_PROGRAM_KRETPROBE, "tcp_recvmsg", true, RECVS, KPROBE, FORM_ANY),
#undef AT
#define UNIX_CLOSES   "Unix sockets: ConnClosed by the client"
#define UNIX_CONNECTS "Unix sockets: ConnectStart, ConnectDone, connects that fail"
#define UNIX_STARTS   "Unix sockets: ConnectStart (not when, or whether, the connect is done)"
#define UNIX_SENDS    "Unix sockets: bytes sent"
#define UNIX_RECVS    "Unix sockets: bytes received"
#define UX(prefix, how, point, what, in)                                                                                         \
	{                                                                                                                        \
		{ .name = prefix point, .hook_point = point, .serves = what, .kind = how }, NULL, 0, in, FORM_ANY, WAY_FUNCTIONS \
	}
	UX("fe_", HT_PROGRAM_FENTRY, "unix_release", UNIX_CLOSES, TP_BTF | FENTRY),
	UX("kp_", HT_PROGRAM_KPROBE, "unix_release", UNIX_CLOSES, KPROBE),
	UX("fe_", HT_PROGRAM_FENTRY, "unix_stream_connect", UNIX_CONNECTS, TP_BTF | FENTRY),
	UX("fx_", HT_PROGRAM_FEXIT, "unix_stream_connect", UNIX_CONNECTS, TP_BTF | FENTRY),
	UX("fe_", HT_PROGRAM_FENTRY, "unix_stream_sendmsg", UNIX_SENDS, FENTRY),
	UX("fx_", HT_PROGRAM_FEXIT, "unix_stream_sendmsg", UNIX_SENDS, FENTRY),
	UX("fe_", HT_PROGRAM_FENTRY, "unix_stream_sendpage", UNIX_SENDS, FENTRY),
	UX("fx_", HT_PROGRAM_FEXIT, "unix_stream_sendpage", UNIX_SENDS, FENTRY),
	UX("fe_", HT_PROGRAM_FENTRY, "unix_stream_recvmsg", UNIX_RECVS, FENTRY),
	UX("fx_", HT_PROGRAM_FEXIT, "unix_stream_recvmsg", UNIX_RECVS, FENTRY),
	UX("kp_", HT_PROGRAM_KPROBE, "unix_stream_connect", UNIX_CONNECTS, KPROBE),
	UX("kr_", HT_PROGRAM_KRETPROBE, "unix_stream_connect", UNIX_CONNECTS, KPROBE),
	UX("kp_", HT_PROGRAM_KPROBE, "unix_stream_sendmsg", UNIX_SENDS, KPROBE),
	UX("kr_", HT_PROGRAM_KRETPROBE, "unix_stream_sendmsg", UNIX_SENDS, KPROBE),
	UX("kp_", HT_PROGRAM_KPROBE, "unix_stream_sendpage", UNIX_SENDS, KPROBE),
	UX("kr_", HT_PROGRAM_KRETPROBE, "unix_stream_sendpage", UNIX_SENDS, KPROBE),
	UX("kp_", HT_PROGRAM_KPROBE, "unix_stream_recvmsg", UNIX_RECVS, KPROBE),
	UX("kr_", HT_PROGRAM_KRETPROBE, "unix_stream_recvmsg", UNIX_RECVS, KPROBE),
#undef UX
#define UC(program, what, how)                                                                                                        \
	{                                                                                                                             \
		{ .name = program, .hook_point = "cgroup/connect_unix", .serves = what, .kind = HT_PROGRAM_CGROUP }, NULL, 0, TP_BTF, \
			FORM_TYPED, how                                                                                               \
	}
	UC("cg_connect_unix_work", UNIX_CONNECTS, WAY_WORK),
	UC("cg_connect_unix", UNIX_STARTS, WAY_CGROUP),
#undef UC
#define CG(point, what)                                                                                                     \
	{                                                                                                                   \
		{ .name = "cg_" point, .hook_point = "cgroup/" point, .serves = what, .kind = HT_PROGRAM_CGROUP }, NULL, 0, \
			TP_BTF | FENTRY, FORM_TYPED, WAY_NOT_UNIX                                                           \
	}
	CG("connect4", "the begin of a connect that fails at once, IPv4"),
	CG("connect6", "the begin of a connect that fails at once, IPv6"),
#undef CG
#define UP(prog, side, of, what)                                            \
	{                                                                   \
		{ .name = prog,                                             \
		  .hook_point = of == HT_SITES_DNS       ? "dns"            \
				: of == HT_SITES_CRYPTO  ? "openssl errors" \
				: of == HT_SITES_NGHTTP2 ? "nghttp2"        \
							 : "openssl",       \
		  .serves = what,                                           \
		  .kind = side },                                           \
			NULL, of, 0, FORM_ANY, WAY_NOT_UNIX                 \
	}
	UP("up_openssl_enter", HT_PROGRAM_ENTRY, HT_SITES_OPENSSL, "HTTPS by OpenSSL: TLSHandshakeStart, requests, server name"),
	UP("up_openssl_return", HT_PROGRAM_RETURN, HT_SITES_OPENSSL, "HTTPS by OpenSSL: TLSHandshakeDone, responses, ALPN"),
	UP("up_openssl_session", HT_PROGRAM_BOTH, HT_SITES_OPENSSL, "HTTPS by OpenSSL, without a trap where a return is not needed"),
	UP("up_crypto_enter", HT_PROGRAM_ENTRY, HT_SITES_CRYPTO, "the reason of a failed handshake"),
	UP("up_dns_enter", HT_PROGRAM_ENTRY, HT_SITES_DNS, "DNSStart"),
	UP("up_dns_return", HT_PROGRAM_RETURN, HT_SITES_DNS, "DNSDone"),
	UP("up_nghttp2_enter", HT_PROGRAM_ENTRY, HT_SITES_NGHTTP2, SUBMITS),
	UP("up_nghttp2_return", HT_PROGRAM_RETURN, HT_SITES_NGHTTP2, SUBMITS),
#undef UP
};

#define PROGRAM_CNT (sizeof(table) / sizeof(table[0]))

struct ht_programs {
	struct ht_programs_opts opts;
	struct ht_object *object;
	struct ht_cookies *cookies;               /* NULL: not asked for yet */
	struct ht_backend_choice backend;         /* how sockets are heard of */
	bool is_old;                              /* the object is the one for older kernels */
	size_t refused_cnt;                       /* programs that the verifier refused, and nothing does their work */
	char refused[HT_PROGRAM_REASON_MAX + 64]; /* the first of them, and why */
	struct bpf_link *links[PROGRAM_CNT];
	struct ht_program_state states[PROGRAM_CNT];
	bool is_refused[PROGRAM_CNT]; /* by the verifier */
};

/* What libbpf says while one object loads. It has one print function for the whole process: ours is in place during a load only. */
struct listener {
	const struct ht_programs_opts *opts;
	char program[64];                      /* the one that was refused */
	char last_line[HT_PROGRAM_REASON_MAX]; /* of the verifier's report, or what libbpf said */
};

static __thread struct listener *listening;

static void say(const struct ht_programs_opts *opts, int level, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void say(const struct ht_programs_opts *opts, int level, const char *format, ...)
{
	char text[512];
	va_list args;

	if (!opts->log)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	opts->log(opts->log_ctx, level, text);
}

/* The verifier's report ends with "processed N insns ..."; the line before says why. */
static void keep_reason(struct listener *listener, const char *line)
{
	if (!line[0] || !strncmp(line, "processed ", 10) || !strncmp(line, "-- ", 3) || strstr(line, "failed to load"))
		return;
	snprintf(listener->last_line, sizeof(listener->last_line), "%.*s", HT_PROGRAM_REASON_MAX - 1, line);
}

static int hear(enum libbpf_print_level level, const char *format, va_list args)
{
	static const char mark[] = "libbpf: prog '";
	struct listener *listener = listening;
	char *text = NULL, *line, *rest;

	if (!listener || level == LIBBPF_DEBUG || vasprintf(&text, format, args) < 0)
		return 0;
	for (rest = text; (line = strsep(&rest, "\n"));) {
		const char *name = line + sizeof(mark) - 1, *end;

		if (!line[0])
			continue;
		say(listener->opts, HTTPTRACE_LOG_DEBUG, "%s", line);
		if (strncmp(line, mark, sizeof(mark) - 1) || !(end = strchr(name, '\''))) {
			keep_reason(listener, line);
			continue;
		}
		if (level == LIBBPF_WARN)
			snprintf(listener->program, sizeof(listener->program), "%.*s", (int)(end - name), name);
		keep_reason(listener, end[1] ? end + 3 : "");
	}
	free(text);
	return 0;
}

static size_t index_of(const char *name)
{
	size_t i;

	for (i = 0; i < PROGRAM_CNT; i++) {
		if (!strcmp(table[i].state.name, name))
			break;
	}
	return i;
}

static void turn_off(struct ht_programs *programs, size_t n, const char *reason)
{
	programs->states[n].is_on = false;
	snprintf(programs->states[n].reason, sizeof(programs->states[n].reason), "%s", reason);
}

size_t ht_programs_cnt(void)
{
	return PROGRAM_CNT;
}

/* Which of the ways to hear of Unix sockets beside the typed tracepoints. */
static enum way way_of(const struct ht_backend_choice *choice)
{
	if (choice->backend != HT_BACKEND_TP_BTF || choice->has_functions)
		return WAY_FUNCTIONS;
	return choice->kfuncs.task_work ? WAY_WORK : WAY_CGROUP;
}

struct ht_program_state ht_programs_plan(size_t n, const struct ht_features *features, const struct ht_backend_choice *choice)
{
	struct ht_program_state state = table[n].state;
	bool is_untyped = ht_features_are_old(features) || choice->backend == HT_BACKEND_KPROBE;

	if ((table[n].backends && !(table[n].backends >> choice->backend & 1)) ||
	    (table[n].form != FORM_ANY && (table[n].form == FORM_UNTYPED) != is_untyped))
		state.is_unused = true;
	else if (table[n].way != WAY_NOT_UNIX && table[n].way != way_of(choice))
		state.is_unused = true;
	else if ((table[n].way == WAY_CGROUP || table[n].way == WAY_WORK) &&
		 (!choice->kfuncs.cast_to_kern_ctx || !ht_kernel_btf_has_name(features->btf, "BPF_CGROUP_UNIX_CONNECT")))
		snprintf(state.reason, sizeof(state.reason), "kernel %s lacks this hook (6.7 or later)", features->release);
	else if ((state.kind == HT_PROGRAM_TRACEPOINT || state.kind == HT_PROGRAM_RAW) && features->btf &&
		 !ht_kernel_btf_has_tracepoint(features->btf, state.hook_point))
		snprintf(state.reason, sizeof(state.reason), "kernel %s lacks the tracepoint %s%s%s%s", features->release, state.hook_point,
			 table[n].since ? " (" : "", table[n].since ? table[n].since : "", table[n].since ? " or later)" : "");
	else if (choice->is_described && !choice->has_sendpage && strstr(state.hook_point, "_sendpage"))
		state.is_unused = true;
	else if ((state.kind == HT_PROGRAM_FENTRY || state.kind == HT_PROGRAM_FEXIT) && !ht_features_has(features, HT_FEATURE_FENTRY))
		snprintf(state.reason, sizeof(state.reason), "no fentry");
	else if (state.kind >= HT_PROGRAM_ENTRY && table[n].group == HT_SITES_NGHTTP2 && ht_features_are_old(features))
		snprintf(state.reason, sizeof(state.reason), "not among the BPF programs for older kernels");
	else if (state.kind == HT_PROGRAM_CGROUP && !features->has_cap_net_admin)
		snprintf(state.reason, sizeof(state.reason), "needs CAP_NET_ADMIN");
	else if (state.kind == HT_PROGRAM_CGROUP && !features->cgroup_root[0])
		snprintf(state.reason, sizeof(state.reason), "no cgroup2 file system is mounted");
	state.is_on = !state.is_unused && !state.reason[0];
	return state;
}

/* A group that has a program for both sides uses that one, or those for one side. reason: why not that one. */
static void share_out(struct ht_programs *programs, bool has_sessions, const char *reason)
{
	for (size_t i = 0; i < PROGRAM_CNT; i++) {
		if (table[i].state.kind != HT_PROGRAM_BOTH || programs->opts.backend == HT_UPROBE_NONE)
			continue;
		for (size_t j = 0; j < PROGRAM_CNT; j++) {
			struct ht_program_state *state = &programs->states[j];
			bool is_both = j == i;

			if (table[j].state.kind < HT_PROGRAM_ENTRY || table[j].group != table[i].group)
				continue;
			state->is_on = state->is_on || is_both == has_sessions;
			state->is_replaced = is_both != has_sessions;
			if (state->is_replaced)
				turn_off(programs, j, is_both ? reason : "one program serves both sides");
		}
	}
}

/* Before a load is tried: what can be known to fail. */
static void rule_out(struct ht_programs *programs, const struct ht_features *features)
{
	for (size_t i = 0; i < PROGRAM_CNT; i++) {
		programs->states[i] = ht_programs_plan(i, features, &programs->backend);
		programs->is_refused[i] = false;
		if (programs->states[i].kind >= HT_PROGRAM_ENTRY && programs->opts.backend == HT_UPROBE_NONE)
			turn_off(programs, i, "this kernel takes no uprobes from us");
	}
	share_out(programs, programs->opts.backend == HT_UPROBE_SESSION && !programs->opts.returns_refused,
		  programs->opts.returns_refused ? programs->opts.returns_refused : "this kernel has no uprobe sessions (6.13 or later)");
	for (size_t i = 0; programs->opts.returns_refused && i < PROGRAM_CNT; i++) {
		if (programs->states[i].kind == HT_PROGRAM_RETURN && programs->states[i].is_on)
			turn_off(programs, i, programs->opts.returns_refused);
	}
}

static int first_missing(const struct ht_programs *programs)
{
	for (size_t i = 0; i < PROGRAM_CNT; i++) {
		if (programs->states[i].is_mandatory && !programs->states[i].is_on && !programs->states[i].is_unused)
			return (int)i;
	}
	return -1;
}

static enum bpf_attach_type attach_type(const struct ht_programs *programs, size_t n)
{
	int type = programs->opts.backend < HT_UPROBE_MULTI      ? 0
		   : programs->states[n].kind == HT_PROGRAM_BOTH ? HT_ATTACH_UPROBE_SESSION
								 : HT_ATTACH_UPROBE_MULTI;

	return (enum bpf_attach_type)type;
}

/* Tables that are not used are not made. */
static int leave_out_maps(const struct ht_programs *programs, struct bpf_object *obj)
{
	const __u32 flags = programs->opts.config.flags;
	const struct {
		const char *name;
		bool is_used;
	} maps[] = {
		{ "socks", !(flags & HT_CFG_UNTYPED) },
		{ "socks_by_address", flags & HT_CFG_UNTYPED },
		{ "calls", flags & HT_CFG_CALLS },
		{ "unix_socks", !(flags & HT_CFG_UNTYPED) && flags & HT_CFG_UNIX },
		{ "unix_by_address", flags & HT_CFG_UNTYPED && flags & HT_CFG_UNIX },
		{ "unix_calls", flags & HT_CFG_UNIX_WORK },
		{ "unix_clients", flags & HT_CFG_UNIX_PEERS },
	};
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(maps) / sizeof(maps[0]); i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(obj, maps[i].name);

		if (map && !maps[i].is_used)
			err = bpf_map__set_autocreate(map, false);
	}
	return err;
}

/* A hook that libbpf does not know the name of (1.1), and functions of the kernel that it must not look for. */
static int prepare(const struct ht_programs *programs, struct bpf_program *prog, size_t n)
{
	if (table[n].way != WAY_CGROUP && table[n].way != WAY_WORK)
		return 0;
	bpf_program__set_expected_attach_type(prog, (enum bpf_attach_type)HT_ATTACH_CGROUP_UNIX_CONNECT);
	return ht_kfuncs_put(&programs->backend.kfuncs, prog);
}

static int try_load(struct ht_programs *programs, struct listener *listener)
{
	struct bpf_object *obj;
	struct bpf_program *prog;
	int err;

	programs->object = ht_object_open(programs->is_old, &programs->opts.config, programs->opts.btf_path);
	if (!programs->object)
		return -errno;
	obj = ht_object_bpf(programs->object);
	err = bpf_map__set_max_entries(bpf_object__find_map_by_name(obj, "events"), (__u32)programs->opts.ring_bytes);
	if (!err)
		err = leave_out_maps(programs, obj);
	if (err)
		return err;
	bpf_object__for_each_program(prog, obj) {
		size_t n = index_of(bpf_program__name(prog));

		if (n == PROGRAM_CNT || !programs->states[n].is_on)
			bpf_program__set_autoload(prog, false);
		else if (programs->states[n].kind >= HT_PROGRAM_ENTRY)
			bpf_program__set_expected_attach_type(prog, attach_type(programs, n));
		else
			err = prepare(programs, prog, n);
		if (err)
			return err;
	}
	listener->program[0] = listener->last_line[0] = '\0';
	return ht_object_load(programs->object);
}

static void note_refused(struct ht_programs *programs, const struct listener *listener)
{
	if (!programs->refused_cnt++)
		snprintf(programs->refused, sizeof(programs->refused), "%s: %s", listener->program, listener->last_line);
}

/* Loads, each time without what was refused the last time. -EOPNOTSUPP: what cannot be done without was refused. */
static int load_what_goes(struct ht_programs *programs, char *err_text, size_t err_size)
{
	struct listener listener = { .opts = &programs->opts };
	libbpf_print_fn_t old_print;
	int err = 0;

	listening = &listener;
	old_print = libbpf_set_print(hear);
	for (size_t tries = 0; tries <= PROGRAM_CNT; tries++) {
		size_t n;

		err = try_load(programs, &listener);
		if (!err)
			break;
		ht_object_close(programs->object);
		programs->object = NULL;
		n = index_of(listener.program);
		if (n == PROGRAM_CNT) {
			snprintf(err_text, err_size, "cannot load the BPF programs: %s%s%s", strerror(-err),
				 listener.last_line[0] ? ": " : "", listener.last_line);
			break;
		}
		if (programs->states[n].is_mandatory) {
			snprintf(err_text, err_size, "the kernel refuses the BPF program %s, which cannot be done without: %s%s%s",
				 listener.program, strerror(-err), listener.last_line[0] ? ": " : "", listener.last_line);
			note_refused(programs, &listener);
			err = -EOPNOTSUPP;
			break;
		}
		if (programs->states[n].kind == HT_PROGRAM_BOTH) {
			share_out(programs, false, listener.last_line[0] ? listener.last_line : strerror(-err));
			say(&programs->opts, HTTPTRACE_LOG_INFO, "the kernel refuses the BPF program %s: %s: others do its work",
			    listener.program, programs->states[n].reason);
			continue;
		}
		turn_off(programs, n, listener.last_line[0] ? listener.last_line : strerror(-err));
		programs->is_refused[n] = true;
		note_refused(programs, &listener);
	}
	libbpf_set_print(old_print);
	listening = NULL;
	return err;
}

static int check_rights(const struct ht_features *features, char *err, size_t err_size)
{
	const char *missing = !features->has_cap_bpf && !features->has_cap_perfmon ? "CAP_BPF and CAP_PERFMON are"
			      : !features->has_cap_bpf                             ? "CAP_BPF is"
			      : !features->has_cap_perfmon                         ? "CAP_PERFMON is"
										   : NULL;

	if (missing) {
		snprintf(err, err_size, "no permission to trace: %s missing; run as root, by sudo, or with these capabilities", missing);
		return -EPERM;
	}
	if (!ht_features_has(features, HT_FEATURE_RINGBUF) && features->has_btf) {
		snprintf(err, err_size, "kernel %s has no BPF ring buffer (5.8 or later): httptrace-bpf cannot trace on it",
			 features->release);
		return -EOPNOTSUPP;
	}
	if (!features->has_btf && features->is_custom_btf) {
		snprintf(err, err_size, "--btf: the file cannot be read, or is not BTF: name one with the types of kernel %s",
			 features->release);
		return -EINVAL;
	}
	if (!features->has_btf) {
		snprintf(
			err, err_size,
			"kernel %s does not describe its types (/sys/kernel/btf/vmlinux is missing, CONFIG_DEBUG_INFO_BTF): name a file with its types, --btf FILE",
			features->release);
		return -EOPNOTSUPP;
	}
	return 0;
}

/* What the programs are told of the choice. */
static void configure(struct ht_programs *programs, const struct ht_features *features)
{
	const struct ht_backend_choice *choice = &programs->backend;
	__u32 *flags = &programs->opts.config.flags;
	bool is_by_functions = way_of(choice) == WAY_FUNCTIONS;

	*flags &= ~(__u32)(HT_CFG_CALLS | HT_CFG_UNTYPED | HT_CFG_UNIX | HT_CFG_UNIX_PEERS | HT_CFG_UNIX_WORK);
	*flags |= choice->backend == HT_BACKEND_TP_BTF ? 0 : HT_CFG_CALLS;
	*flags |= programs->is_old || choice->backend == HT_BACKEND_KPROBE ? HT_CFG_UNTYPED : 0;
	/* A table by address needs to be told of each socket's end. */
	*flags |= ht_kernel_btf_has_name(features->btf, "unix_sock") && (is_by_functions || !(*flags & HT_CFG_UNTYPED)) ? HT_CFG_UNIX : 0;
	if (*flags & HT_CFG_UNIX && !is_by_functions)
		*flags |= HT_CFG_UNIX_PEERS | (way_of(choice) == WAY_WORK ? HT_CFG_UNIX_WORK : 0);
	programs->opts.config.recvmsg_params = choice->recvmsg_params;
}

/* "no way to hear of sockets: tp_btf: ...; fentry: ..." */
static void tell_none(const struct ht_backend_choice *choice, const struct ht_features *features, char *text, size_t size)
{
	bool is_locked = features->lockdown == HT_LOCKDOWN_CONFIDENTIALITY;
	size_t len = (size_t)snprintf(text, size, "no way to hear of sockets on this kernel%s",
				      is_locked ? ", which is locked down (confidentiality), and lets no BPF program read its memory" : "");

	for (int i = HT_BACKEND_TP_BTF; i < HT_BACKEND_CNT && len < size; i++) {
		if (choice->why[i][0])
			len += (size_t)snprintf(text + len, size - len, "%s %s: %s", strchr(text, ':') ? ";" : ":",
						ht_backend_name((enum ht_backend)i), choice->why[i]);
	}
}

/* The first backend that the kernel takes, all the way to the load of its programs. */
static int load_a_backend(struct ht_programs *programs, const struct ht_features *features, char *err_text, size_t err_size)
{
	struct ht_backend_choice *choice = &programs->backend;
	uint32_t refused = 0;

	for (;;) {
		int err, missing;

		ht_backend_choose(choice, programs->opts.socket_backend, refused, features, programs->opts.btf_path);
		if (choice->backend == HT_BACKEND_AUTO) {
			tell_none(choice, features, err_text, err_size);
			return -EOPNOTSUPP;
		}
		configure(programs, features);
		rule_out(programs, features);
		missing = first_missing(programs);
		if (missing >= 0) {
			snprintf(err_text, err_size, "%s", programs->states[missing].reason);
			err = -EOPNOTSUPP;
		} else {
			err = load_what_goes(programs, err_text, err_size);
		}
		if (err != -EOPNOTSUPP)
			return err;
		snprintf(choice->why[choice->backend], sizeof(choice->why[0]), "%.*s", HT_BACKEND_WHY_MAX - 1, err_text);
		refused |= 1u << choice->backend;
	}
}

/* One of the two objects, as features say. In *refused_cnt how many of its programs were refused, in why the first of them and why. */
static struct ht_programs *load_object(const struct ht_programs_opts *opts, const struct ht_features *features, size_t *refused_cnt,
				       char *why, size_t why_size, char *err_text, size_t err_size)
{
	struct ht_programs *programs = calloc(1, sizeof(*programs));
	int err;

	*refused_cnt = 0;
	if (!programs) {
		snprintf(err_text, err_size, "out of memory");
		return NULL;
	}
	programs->opts = *opts;
	programs->is_old = ht_features_are_old(features);
	err = load_a_backend(programs, features, err_text, err_size);
	*refused_cnt = programs->refused_cnt;
	snprintf(why, why_size, "%s", programs->refused);
	if (!err)
		return programs;
	ht_programs_free(programs);
	errno = -err;
	return NULL;
}

static void say_refused(const struct ht_programs *programs)
{
	for (size_t i = 0; i < PROGRAM_CNT; i++) {
		if (programs->is_refused[i])
			say(&programs->opts, HTTPTRACE_LOG_WARN, "the kernel refuses the BPF program %s: %s: lost: %s",
			    programs->states[i].name, programs->states[i].reason, programs->states[i].serves);
	}
}

struct ht_programs *ht_programs_load(struct ht_programs_opts *opts, struct ht_features *features, char *err_text, size_t err_size)
{
	char why[HT_PROGRAM_REASON_MAX + 64], old_why[sizeof(why)], old_err[512], uprobe_why[256];
	struct ht_features old_features = *features;
	struct ht_programs_opts old_opts = *opts;
	struct ht_programs *programs, *old;
	size_t refused_cnt, old_refused_cnt;
	int err = check_rights(features, err_text, err_size);

	if (err) {
		errno = -err;
		return NULL;
	}
	programs = load_object(opts, features, &refused_cnt, why, sizeof(why), err_text, err_size);
	if (!refused_cnt || ht_features_are_old(features))
		goto out;
	err = errno;
	old_features.without |= 1u << HT_FEATURE_PROGRAMS;
	old_opts.backend = ht_uprobe_probe(&old_features, uprobe_why, sizeof(uprobe_why));
	old = load_object(&old_opts, &old_features, &old_refused_cnt, old_why, sizeof(old_why), old_err, sizeof(old_err));
	errno = err;
	if (!old || (programs && old_refused_cnt >= refused_cnt)) {
		ht_programs_free(old);
		goto out;
	}
	say(opts, HTTPTRACE_LOG_INFO, "the kernel refuses the BPF program %s: those for older kernels are used", why);
	ht_programs_free(programs);
	programs = old;
	*features = old_features;
	*opts = old_opts;
out:
	if (programs)
		say_refused(programs);
	return programs;
}

const struct ht_backend_choice *ht_programs_backend(const struct ht_programs *programs)
{
	return &programs->backend;
}

const char *ht_programs_unix_closes(const struct ht_programs *programs)
{
	const __u32 flags = programs->opts.config.flags;

	if (!(flags & HT_CFG_UNIX))
		return "not followed: their closes cannot be heard of";
	return flags & HT_CFG_UNIX_PEERS ? "a client's close is told by its server's next receive, or by the process's end"
					 : "a client's close is told";
}

static int attach_one(struct ht_programs *programs, size_t n, int cgroup_fd)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(ht_object_bpf(programs->object), programs->states[n].name);
	struct bpf_link *link;

	if (!prog)
		return -ENOENT;
	if (programs->states[n].kind == HT_PROGRAM_CGROUP)
		link = cgroup_fd < 0 ? NULL : bpf_program__attach_cgroup(prog, cgroup_fd);
	else
		link = bpf_program__attach(prog);
	if (!link)
		return -errno;
	programs->links[n] = link;
	return 0;
}

/* From now on a call whose begin or end is not seen counts as missed (bpf/calls.bpf.h). As in bpf/types.bpf.h, struct ht_call: start_ns is second. */
static int begin_calls(struct ht_programs *programs)
{
	struct bpf_map *map = bpf_object__find_map_by_name(ht_object_bpf(programs->object), "calls");
	__u64 key = 0, *call = calloc(1, bpf_map__value_size(map));
	struct timespec now;
	int err;

	if (!call)
		return -ENOMEM;
	clock_gettime(CLOCK_MONOTONIC, &now);
	call[1] = (__u64)now.tv_sec * 1000000000 + (__u64)now.tv_nsec;
	err = bpf_map_update_elem(bpf_map__fd(map), &key, call, BPF_ANY);
	free(call);
	return err;
}

int ht_programs_attach(struct ht_programs *programs, const struct ht_features *features, char *err_text, size_t err_size)
{
	int cgroup_fd = features->cgroup_root[0] ? open(features->cgroup_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1, err = 0;
	bool is_untyped = programs->opts.config.flags & HT_CFG_UNTYPED, has_unix_release = false;
	struct listener listener = { .opts = &programs->opts };
	libbpf_print_fn_t old_print;

	listening = &listener;
	old_print = libbpf_set_print(hear);
	for (size_t i = 0; i < PROGRAM_CNT; i++) {
		struct ht_program_state *state = &programs->states[i];

		if (!state->is_on || state->kind >= HT_PROGRAM_ENTRY)
			continue;
		if (table[i].way == WAY_FUNCTIONS && is_untyped && !has_unix_release && strcmp(state->hook_point, "unix_release") != 0) {
			turn_off(programs, i, "closes of Unix sockets cannot be heard of, by which their table is kept clean");
			continue;
		}
		err = attach_one(programs, i, cgroup_fd);
		if (!err && table[i].way == WAY_FUNCTIONS && !strcmp(state->hook_point, "unix_release"))
			has_unix_release = true;
		if (!err)
			continue;
		turn_off(programs, i, err == -ENOENT ? "is not part of this build" : strerror(-err));
		if (state->is_mandatory) {
			snprintf(err_text, err_size, "cannot attach to %s, which cannot be done without: %s", state->hook_point,
				 state->reason);
			break;
		}
		say(&programs->opts, HTTPTRACE_LOG_WARN, "cannot attach to %s: %s: lost: %s", state->hook_point, state->reason,
		    state->serves);
		err = 0;
	}
	libbpf_set_print(old_print);
	listening = NULL;
	if (cgroup_fd >= 0)
		close(cgroup_fd);
	if (!err && programs->opts.config.flags & HT_CFG_CALLS)
		err = begin_calls(programs);
	return err;
}

int ht_programs_map_fd(const struct ht_programs *programs, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(ht_object_bpf(programs->object), name);

	return fd < 0 ? -ENOENT : fd;
}

int ht_programs_uprobe_fd(const struct ht_programs *programs, enum ht_site_group group, enum ht_uprobe_side side)
{
	enum ht_program_kind kind = HT_PROGRAM_ENTRY + side;

	for (size_t i = 0; i < PROGRAM_CNT; i++) {
		struct bpf_program *prog;
		int fd;

		if (table[i].state.kind != kind || table[i].group != group || !programs->states[i].is_on)
			continue;
		prog = bpf_object__find_program_by_name(ht_object_bpf(programs->object), table[i].state.name);
		fd = prog ? bpf_program__fd(prog) : -1;
		return fd < 0 ? -ENOENT : fd;
	}
	return -ENOENT;
}

bool ht_programs_lack_cookies(const struct ht_programs *programs)
{
	return programs->is_old;
}

int ht_programs_site_fd(struct ht_programs *programs, enum ht_site_group group, int prog_fd, uint64_t cookie)
{
	/* The others' programs serve one function. */
	if (group != HT_SITES_OPENSSL)
		return prog_fd;
	if (!programs->cookies)
		programs->cookies = ht_cookies_new(ht_programs_map_fd(programs, "cookies"));
	return programs->cookies ? ht_cookies_fd(programs->cookies, prog_fd, cookie) : -errno;
}

const struct ht_program_state *ht_programs_states(const struct ht_programs *programs, size_t *cnt)
{
	*cnt = PROGRAM_CNT;
	return programs->states;
}

void ht_programs_free(struct ht_programs *programs)
{
	if (!programs)
		return;
	for (size_t i = 0; i < PROGRAM_CNT; i++)
		bpf_link__destroy(programs->links[i]);
	ht_cookies_free(programs->cookies);
	ht_object_close(programs->object);
	free(programs);
}
