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
#include <unistd.h>

#include "abi/config.h"
#include "attach/cookies.h"
#include "attach/object.h"
#include "attach/programs.h"
#include "httptrace.h"

#define SEND_RECV_SINCE "6.3"

/* since: what to tell people who lack it; the kernel is asked for the tracepoint itself. */
static const struct {
	struct ht_program_state state;
	const char *since;
	enum ht_site_group group;
} table[] = {
#define TP(point, needed, from, what)                                                                                                      \
	{                                                                                                                                  \
		{ .name = "tp_" point, .hook_point = point, .serves = what, .kind = HT_PROGRAM_TRACEPOINT, .is_mandatory = needed }, from, \
			0                                                                                                                  \
	}
	TP("inet_sock_set_state", true, "4.16", "connections: ConnectStart, ConnectDone, ConnClosed"),
	TP("sock_send_length", true, SEND_RECV_SINCE, "bytes sent: WroteHeaders, WroteRequest and the request itself"),
	TP("sock_recv_length", true, SEND_RECV_SINCE, "bytes received: GotResponseHeaders, GotBody and the response itself"),
	TP("tcp_sendmsg_locked", false, "6.16", "the begin of a send (otherwise its end is told)"),
	TP("tcp_receive_reset", false, "4.15", "outcome reset, ConnClosed by reset"),
	TP("inet_sk_error_report", false, "5.14", "the error of a failed connect"),
	TP("tcp_destroy_sock", false, "4.16", "connects that fail before a packet is sent, seen when their socket goes"),
	TP("sched_process_fork", false, "2.6", "following children"),
	TP("sched_process_exec", false, "3.4", "names of processes that start"),
	TP("sched_process_exit", false, "2.6", "the end of processes"),
	TP("fib_table_lookup", false, "4.4", "connects that fail before a packet is sent (unreachable), IPv4"),
	TP("fib6_table_lookup", false, "4.15", "connects that fail before a packet is sent (unreachable), IPv6"),
#undef TP
#define CG(point, what)                                                                                                    \
	{                                                                                                                  \
		{ .name = "cg_" point, .hook_point = "cgroup/" point, .serves = what, .kind = HT_PROGRAM_CGROUP }, NULL, 0 \
	}
	CG("connect4", "the begin of a connect that fails at once, IPv4"),
	CG("connect6", "the begin of a connect that fails at once, IPv6"),
#undef CG
#define UP(prog, side, of, what)                                           \
	{                                                                  \
		{ .name = prog,                                            \
		  .hook_point = of == HT_SITES_DNS      ? "dns"            \
				: of == HT_SITES_CRYPTO ? "openssl errors" \
							: "openssl",       \
		  .serves = what,                                          \
		  .kind = side },                                          \
			NULL, of                                           \
	}
	UP("up_openssl_enter", HT_PROGRAM_ENTRY, HT_SITES_OPENSSL, "HTTPS by OpenSSL: TLSHandshakeStart, requests, server name"),
	UP("up_openssl_return", HT_PROGRAM_RETURN, HT_SITES_OPENSSL, "HTTPS by OpenSSL: TLSHandshakeDone, responses, ALPN"),
	UP("up_openssl_session", HT_PROGRAM_BOTH, HT_SITES_OPENSSL, "HTTPS by OpenSSL, without a trap where a return is not needed"),
	UP("up_crypto_enter", HT_PROGRAM_ENTRY, HT_SITES_CRYPTO, "the reason of a failed handshake"),
	UP("up_dns_enter", HT_PROGRAM_ENTRY, HT_SITES_DNS, "DNSStart"),
	UP("up_dns_return", HT_PROGRAM_RETURN, HT_SITES_DNS, "DNSDone"),
#undef UP
};

#define PROGRAM_CNT (sizeof(table) / sizeof(table[0]))

struct ht_programs {
	struct ht_programs_opts opts;
	struct ht_object *object;
	struct ht_cookies *cookies; /* NULL: not asked for yet */
	bool is_old;                /* the object is the one for older kernels */
	struct bpf_link *links[PROGRAM_CNT];
	struct ht_program_state states[PROGRAM_CNT];
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

struct ht_program_state ht_programs_plan(size_t n, const struct ht_features *features)
{
	struct ht_program_state state = table[n].state;

	if (state.kind == HT_PROGRAM_TRACEPOINT && !ht_features_has(features, HT_FEATURE_TP_BTF))
		snprintf(state.reason, sizeof(state.reason), "no typed tracepoints (5.5 or later, and the kernel's own BTF)");
	else if (state.kind == HT_PROGRAM_TRACEPOINT && features->btf && !ht_kernel_btf_has_tracepoint(features->btf, state.hook_point))
		snprintf(state.reason, sizeof(state.reason), "kernel %s lacks the tracepoint %s (%s or later)", features->release,
			 state.hook_point, table[n].since);
	else if (state.kind == HT_PROGRAM_CGROUP && !features->has_cap_net_admin)
		snprintf(state.reason, sizeof(state.reason), "needs CAP_NET_ADMIN");
	else if (state.kind == HT_PROGRAM_CGROUP && !features->cgroup_root[0])
		snprintf(state.reason, sizeof(state.reason), "no cgroup2 file system is mounted");
	state.is_on = !state.reason[0];
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
		programs->states[i] = ht_programs_plan(i, features);
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
		if (programs->states[i].is_mandatory && !programs->states[i].is_on)
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
	if (err)
		return err;
	bpf_object__for_each_program(prog, obj) {
		size_t n = index_of(bpf_program__name(prog));

		if (n == PROGRAM_CNT || !programs->states[n].is_on)
			bpf_program__set_autoload(prog, false);
		else if (programs->states[n].kind >= HT_PROGRAM_ENTRY)
			bpf_program__set_expected_attach_type(prog, attach_type(programs, n));
	}
	listener->program[0] = listener->last_line[0] = '\0';
	return ht_object_load(programs->object);
}

/* Loads, each time without what was refused the last time. */
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
			break;
		}
		if (programs->states[n].kind == HT_PROGRAM_BOTH) {
			share_out(programs, false, listener.last_line[0] ? listener.last_line : strerror(-err));
			say(&programs->opts, HTTPTRACE_LOG_INFO, "the kernel refuses the BPF program %s: %s: others do its work",
			    listener.program, programs->states[n].reason);
			continue;
		}
		turn_off(programs, n, listener.last_line[0] ? listener.last_line : strerror(-err));
		say(&programs->opts, HTTPTRACE_LOG_WARN, "the kernel refuses the BPF program %s: %s: lost: %s", listener.program,
		    programs->states[n].reason, programs->states[n].serves);
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
	if (!features->has_btf) {
		snprintf(
			err, err_size,
			"kernel %s does not describe its types (/sys/kernel/btf/vmlinux is missing, CONFIG_DEBUG_INFO_BTF): name a file with its types, --btf FILE",
			features->release);
		return -EOPNOTSUPP;
	}
	return 0;
}

struct ht_programs *ht_programs_load(const struct ht_programs_opts *opts, const struct ht_features *features, char *err_text,
				     size_t err_size)
{
	struct ht_programs *programs;
	int err = check_rights(features, err_text, err_size), missing;

	if (err) {
		errno = -err;
		return NULL;
	}
	programs = calloc(1, sizeof(*programs));
	if (!programs) {
		snprintf(err_text, err_size, "out of memory");
		return NULL;
	}
	programs->opts = *opts;
	programs->is_old = ht_features_are_old(features);
	rule_out(programs, features);
	missing = first_missing(programs);
	if (missing >= 0) {
		snprintf(err_text, err_size, "%s; older kernels are not supported yet", programs->states[missing].reason);
		err = -EOPNOTSUPP;
	} else {
		err = load_what_goes(programs, err_text, err_size);
	}
	if (!err)
		return programs;
	ht_programs_free(programs);
	errno = -err;
	return NULL;
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

int ht_programs_attach(struct ht_programs *programs, const struct ht_features *features, char *err_text, size_t err_size)
{
	int cgroup_fd = features->cgroup_root[0] ? open(features->cgroup_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1, err = 0;
	struct listener listener = { .opts = &programs->opts };
	libbpf_print_fn_t old_print;

	listening = &listener;
	old_print = libbpf_set_print(hear);
	for (size_t i = 0; i < PROGRAM_CNT; i++) {
		struct ht_program_state *state = &programs->states[i];

		if (!state->is_on || state->kind >= HT_PROGRAM_ENTRY)
			continue;
		err = attach_one(programs, i, cgroup_fd);
		if (!err)
			continue;
		turn_off(programs, i, err == -ENOENT ? "is not part of this build" : strerror(-err));
		if (state->is_mandatory) {
			snprintf(err_text, err_size, "cannot attach to the tracepoint %s, which cannot be done without: %s",
				 state->hook_point, state->reason);
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
