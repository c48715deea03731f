/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * live_report.c - the bodies of --targets and --features: lines of text for people.
 *
 * In:  options; /proc, the linker's cache, library files; for --features a real load and attach of every program that hangs on the kernel.
 * Out: lines, valid during the call. Nothing stays attached, and --targets attaches nothing but what is tried on a process of our own (trial.h).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "httptrace.h"
#include "source/live_impl.h"
#include "source/procfs.h"

struct printer {
	ht_line_fn fn;
	void *ctx;
};

static void line(const struct printer *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void line(const struct printer *to, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	to->fn(text, to->ctx);
}

/* ---- --targets ------------------------------------------------------------------------------------------------------------------------------------ */

/* "push rbx, emulated: the first instruction is emulated"; what was not decoded has its reason only. */
static void print_site(const struct printer *to, const struct ht_site_fn *fn, const char *where)
{
	static const char *const classes[] = { [HT_SITE_SINGLE_STEP] = "single-stepped", [HT_SITE_EMULATED] = "emulated" };
	char moved[16] = "";

	if (fn->moved_bytes)
		snprintf(moved, sizeof(moved), " (+%u)", fn->moved_bytes);
	if (fn->insn[0])
		line(to, "  %-24s %s%s: %s, %s: %s", fn->name, where, moved, fn->insn, classes[fn->site_class], fn->why);
	else
		line(to, "  %-24s %s: %s", fn->name, where, fn->why);
}

static void print_fn(const struct printer *to, const struct ht_site_fn *fn)
{
	unsigned long long entry_off = fn->entry_off, return_off = fn->return_off;
	char where[64];

	if (!fn->is_found && !fn->why[0])
		line(to, "  %-24s not probed: the library has no such function", fn->name);
	else if (!fn->is_found || (!fn->wants_entry && !fn->wants_return))
		line(to, "  %-24s not probed: %s", fn->name, fn->why);
	else {
		if (!fn->wants_entry)
			snprintf(where, sizeof(where), "return of 0x%llx", return_off);
		else if (!fn->wants_return)
			snprintf(where, sizeof(where), "entry 0x%llx", entry_off);
		else
			snprintf(where, sizeof(where), "entry 0x%llx, return of 0x%llx", entry_off, return_off);
		print_site(to, fn, where);
	}
}

static void print_file(const struct printer *to, const struct ht_probes_file *file)
{
	if (!file->is_usable) {
		line(to, "library %s: not probed: %s", file->path, file->reason);
		return;
	}
	line(to, "library %s: %s, %u sites%s", file->path, ht_sites_group_name(file->plan.group), ht_probes_site_cnt(&file->plan),
	     file->plan.group == HT_SITES_NGHTTP2 ? " (in processes that run already only)"
	     : file->is_cached                    ? ""
						  : " (mapped by a process; not in the linker's cache)");
	for (size_t i = 0; i < file->plan.fn_cnt; i++)
		print_fn(to, &file->plan.fns[i]);
}

struct process_libs {
	char names[512];
	size_t len;
};

static int add_lib(void *ctx, const struct ht_proc_map *map)
{
	const char *slash = strrchr(map->path, '/');
	const char *name = slash ? slash + 1 : map->path;
	struct process_libs *libs = ctx;

	/* A library may have several executable mappings, which follow one another. */
	if ((!ht_sites_match(name) && !ht_sites_match_joined(name)) || strstr(libs->names, name) ||
	    libs->len + strlen(name) + 3 > sizeof(libs->names))
		return 0;
	libs->len += (size_t)snprintf(libs->names + libs->len, sizeof(libs->names) - libs->len, "%s%s", libs->len ? ", " : "", name);
	return 0;
}

static void print_process(const struct printer *to, pid_t pid)
{
	struct process_libs libs = { .len = 0 };
	struct ht_proc_info info;
	const char *exe, *why;
	int err;

	if (ht_procfs_info(pid, &info) || info.is_kernel || info.is_dead || pid == getpid())
		return;
	exe = info.exe[0] ? info.exe : "executable not readable";
	err = ht_procfs_exec_maps(pid, add_lib, &libs);
	why = err ? strerror(-err) : "no library mapped that is known here";
	if (libs.len)
		line(to, "process %d %s (%s): sockets; %s", (int)pid, info.comm, exe, libs.names);
	else
		line(to, "process %d %s (%s): sockets only: %s", (int)pid, info.comm, exe, why);
}

struct matching {
	const struct printer *to;
	const struct ht_live_match *match; /* NULL: all */
	size_t cnt;
};

static int print_any_process(void *ctx, pid_t pid)
{
	struct matching *matching = ctx;
	struct ht_proc_info info;

	if (matching->match && (pid == getpid() || ht_procfs_info(pid, &info) || info.is_kernel || info.is_dead ||
				!ht_live_match_fits(matching->match, pid, info.comm, 0)))
		return 0;
	matching->cnt++;
	print_process(matching->to, pid);
	return 0;
}

/* "socket events: fentry (tp_btf: kernel 6.1 lacks ...); lost: ..." */
static void print_backend(const struct printer *to, const struct ht_backend_choice *choice)
{
	const char *lacks = ht_backend_lacks(choice->backend);
	char refused[512] = "";
	size_t len = 0;

	for (int i = HT_BACKEND_TP_BTF; i < HT_BACKEND_CNT && len < sizeof(refused); i++) {
		if (choice->why[i][0])
			len += (size_t)snprintf(refused + len, sizeof(refused) - len, "%s%s: %s", len ? "; " : " (",
						ht_backend_name((enum ht_backend)i), choice->why[i]);
	}
	line(to, "socket events: %s%s%s%s%s", choice->backend == HT_BACKEND_AUTO ? "none" : ht_backend_name(choice->backend), refused,
	     len ? ")" : "", lacks ? "; lost: " : "", lacks ? lacks : "");
}

static void print_programs_plan(const struct printer *to, const struct ht_live_opts *opts, const struct ht_features *features)
{
	struct ht_backend_choice choice = { .backend = HT_BACKEND_AUTO };
	size_t cnt;

	ht_backend_choose(&choice, opts->backend, 0, features, opts->btf_path);
	print_backend(to, &choice);
	for (size_t i = 0; i < (cnt = ht_programs_cnt()); i++) {
		struct ht_program_state state = ht_programs_plan(i, features, &choice);

		if (state.kind >= HT_PROGRAM_ENTRY || state.is_unused)
			continue;
		if (state.is_on)
			line(to, "kernel %s: %s", state.hook_point, state.serves);
		else
			line(to, "kernel %s: not probed: %s; lost: %s", state.hook_point, state.reason, state.serves);
	}
}

int ht_live_targets(const struct ht_live_opts *opts, ht_line_fn fn, void *ctx)
{
	struct ht_probes_opts probes_opts = { .is_plan = true, .has_entry_sites = opts->has_entry_sites };
	const struct printer to = { fn, ctx };
	const struct ht_probes_file *files;
	struct ht_probes *probes;
	struct matching matching = { .to = &to };
	struct ht_live_match *match;
	struct ht_features features;
	size_t file_cnt;
	char why[256];
	int err;

	err = ht_live_match_new(opts, &match);
	if (err)
		return err;
	matching.match = match;
	probes_opts.is_filtered = opts->pid_cnt && !match;
	probes = ht_probes_new(&probes_opts);
	if (!probes) {
		err = -errno;
		ht_live_match_free(match);
		return err;
	}
	ht_features_read(&features, opts->btf_path, opts->without);
	print_programs_plan(&to, opts, &features);
	if (ht_trial_end(ht_trial_start(ht_uprobe_probe(&features, why, sizeof(why))), NULL) == HT_TRIAL_KILLED)
		line(&to, "returns of functions: not probed: %s; lost: what is known only then (--features)", ht_trial_refusal);
	ht_live_add_cached(probes);
	for (size_t i = 0; i < opts->pid_cnt; i++) {
		ht_live_add_mapped(probes, opts->pids[i]);
		ht_live_add_other_root(probes, opts->pids[i]);
		ht_live_join(probes, opts->pids[i]);
	}
	if (!probes_opts.is_filtered) {
		ht_live_add_all_mapped(probes);
		ht_live_join_all(probes);
	}
	files = ht_probes_files(probes, &file_cnt);
	for (size_t i = 0; i < file_cnt; i++)
		print_file(&to, &files[i]);
	for (size_t i = 0; i < opts->pid_cnt; i++) {
		pid_t tgid = opts->pids[i] > 0 ? ht_procfs_tgid(opts->pids[i]) : -ESRCH;

		if (tgid > 0)
			print_process(&to, tgid);
		else
			line(&to, "process %d: not traced: no process with this pid", (int)opts->pids[i]);
	}
	if (match || !opts->pid_cnt)
		ht_procfs_each(print_any_process, &matching);
	if (match && !matching.cnt)
		line(&to, "process: none matches now; later ones are traced as they begin");
	ht_live_match_free(match);
	ht_probes_free(probes);
	ht_features_free(&features);
	return 0;
}

/* ---- --features ----------------------------------------------------------------------------------------------------------------------------------- */

static const char *yes_no(bool is_there)
{
	return is_there ? "yes" : "no";
}

static const char *const lockdowns[] = {
	[HT_LOCKDOWN_UNKNOWN] = "not known: /sys/kernel/security is not mounted, or the kernel has none",
	[HT_LOCKDOWN_NONE] = "none",
	[HT_LOCKDOWN_INTEGRITY] = "integrity: forbids nothing that is used here",
	[HT_LOCKDOWN_CONFIDENTIALITY] = "confidentiality: forbids BPF to read kernel memory, and kprobes: nothing can be traced",
};

/* What the kernel lacks, and what is done about it. */
static void print_missing(const struct printer *to, const struct ht_features *features)
{
	for (int i = 0; i < HT_FEATURE_CNT; i++) {
		if (!ht_features_has(features, (enum ht_feature)i))
			line(to, "lacks %s (%s or later); instead: %s", ht_feature_name((enum ht_feature)i),
			     ht_feature_since((enum ht_feature)i), ht_feature_instead((enum ht_feature)i));
	}
}

static void print_rights(const struct printer *to, const struct ht_features *features)
{
	line(to, "kernel: %s", features->release);
	line(to, "type information (BTF): %s%s", yes_no(features->has_btf),
	     features->is_custom_btf ? " (of --btf FILE)"
	     : features->has_btf     ? ""
				     : ": /sys/kernel/btf/vmlinux is missing; name a file with the kernel's types, --btf FILE");
	line(to, "lockdown: %s", lockdowns[features->lockdown]);
	line(to, "CAP_BPF: %s (needed)", yes_no(features->has_cap_bpf));
	line(to, "CAP_PERFMON: %s (needed)", yes_no(features->has_cap_perfmon));
	line(to, "CAP_NET_ADMIN: %s (for connects that fail at once)", yes_no(features->has_cap_net_admin));
	line(to, "CAP_SYS_PTRACE: %s (names and libraries of other users' processes)", yes_no(features->has_cap_ptrace));
	line(to, "CAP_DAC_READ_SEARCH: %s (libraries that only their owners may read)", yes_no(features->has_cap_dac_read));
	line(to, "CAP_CHECKPOINT_RESTORE: %s (deleted libraries)", yes_no(features->has_cap_map_files));
	line(to, "cgroup2: %s", features->cgroup_root[0] ? features->cgroup_root : "not mounted");
}

static void print_uprobes(const struct printer *to, enum ht_uprobe_backend backend, const char *why)
{
	line(to, "library functions: %s%s%s%s", ht_uprobe_backend_name(backend), why[0] ? " (" : "", why, why[0] ? ")" : "");
}

static void print_trial(const struct printer *to, enum ht_trial_verdict verdict)
{
	static const char *const verdicts[] = {
		[HT_TRIAL_UNKNOWN] = "not known: it could not be tried",
		[HT_TRIAL_SURVIVES] = "yes: tried in a process of our own, which survived",
		[HT_TRIAL_KILLED] = "no: tried in a process of our own, which was killed",
	};

	line(to, "function returns under a strict seccomp filter: %s", verdicts[verdict]);
}

static void print_sideband(const struct printer *to)
{
	struct ht_sideband *sideband = ht_sideband_open();

	if (sideband)
		line(to, "announcement of mapped libraries (perf): yes");
	else
		line(to,
		     "announcement of mapped libraries (perf): no: %s; lost: libraries outside the linker's cache that are loaded while tracing",
		     strerror(errno));
	ht_sideband_close(sideband);
}

static const char *const kinds[] = {
	[HT_PROGRAM_TRACEPOINT] = "tp_btf",      [HT_PROGRAM_RAW] = "raw_tp",
	[HT_PROGRAM_FENTRY] = "fentry",          [HT_PROGRAM_FEXIT] = "fexit",
	[HT_PROGRAM_KPROBE] = "kprobe",          [HT_PROGRAM_KRETPROBE] = "kretprobe",
	[HT_PROGRAM_CGROUP] = "cgroup",          [HT_PROGRAM_ENTRY] = "function entry",
	[HT_PROGRAM_RETURN] = "function return", [HT_PROGRAM_BOTH] = "function entry and return",
};

static void print_program(const struct printer *to, const struct ht_program_state *state)
{
	const char *point = state->kind == HT_PROGRAM_CGROUP ? strchr(state->hook_point, '/') + 1 : state->hook_point;

	if (state->is_unused)
		return;
	if (state->is_on)
		line(to, "%s %s: yes: %s", kinds[state->kind], point, state->serves);
	else if (state->is_replaced)
		line(to, "%s %s: %s: %s", kinds[state->kind], point,
		     state->kind == HT_PROGRAM_BOTH ? "no, but entry and return apart" : "not needed", state->reason);
	else
		line(to, "%s %s: no: %s; lost: %s", kinds[state->kind], point, state->reason, state->serves);
}

/*
 * Which probes each hook of the public interface stands on. A hook that is inferred stands on what it is inferred from. backend NULL: its program says.
 * Those of sockets are named as with typed tracepoints.
 */
static const struct {
	const char *hooks;
	const char *backend;
	const char *programs[4]; /* all needed */
} hook_table[] = {
	{ "DNSStart, DNSDone", "uprobes on getaddrinfo", { "up_dns_enter", "up_dns_return" } },
	{ "ConnectStart, ConnectDone", NULL, { "tp_inet_sock_set_state" } },
	{ "TLSHandshakeStart, TLSHandshakeDone", "uprobes on OpenSSL", { "up_openssl_enter", "up_openssl_return" } },
	{ "GetConn, GotConn, PutIdleConn (inferred)",
	  "the connection's events",
	  { "tp_inet_sock_set_state", "tp_sock_send_length", "tp_sock_recv_length" } },
	{ "WroteHeaderField, WroteHeaders, Wait100Continue, WroteRequest: http", NULL, { "tp_sock_send_length" } },
	{ "WroteHeaderField, WroteHeaders, Wait100Continue, WroteRequest: https",
	  "uprobes on OpenSSL",
	  { "up_openssl_enter", "up_openssl_return" } },
	{ "GotFirstResponseByte", NULL, { "tp_sock_recv_length" } },
	{ "Got100Continue, Got1xxResponse, GotResponseHeaders, GotBody: http", NULL, { "tp_sock_recv_length" } },
	{ "Got100Continue, Got1xxResponse, GotResponseHeaders, GotBody: https",
	  "uprobes on OpenSSL",
	  { "up_openssl_enter", "up_openssl_return" } },
	{ "ConnClosed", NULL, { "tp_inet_sock_set_state" } },
	{ "WroteHeaderField of HTTP/2, where the connection is older than the tracer: all fields",
	  "uprobes on libnghttp2",
	  { "up_nghttp2_enter", "up_nghttp2_return" } },
};

static const struct ht_program_state *find_state(const struct ht_program_state *states, size_t cnt, const char *name)
{
	for (size_t i = 0; i < cnt; i++) {
		if (!strcmp(states[i].name, name))
			return &states[i];
	}
	return NULL;
}

/* What a program of the typed tracepoints does, another one does with another backend. */
static const char *program_of(const char *name, enum ht_backend backend)
{
	static const char *const others[][HT_BACKEND_CNT] = {
		{ [HT_BACKEND_TP_BTF] = "tp_inet_sock_set_state", "tp_inet_sock_set_state", "rt_inet_sock_set_state" },
		{ [HT_BACKEND_TP_BTF] = "tp_sock_send_length", "fx_tcp_sendmsg", "kr_tcp_sendmsg" },
		{ [HT_BACKEND_TP_BTF] = "tp_sock_recv_length", "fx_tcp_recvmsg", "kr_tcp_recvmsg" },
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (!strcmp(others[i][HT_BACKEND_TP_BTF], name))
			return others[i][backend];
	}
	return name;
}

static void print_hooks(const struct printer *to, const struct ht_program_state *states, size_t cnt, enum ht_backend backend)
{
	for (size_t i = 0; i < sizeof(hook_table) / sizeof(hook_table[0]); i++) {
		const struct ht_program_state *missing = NULL, *state = NULL;

		for (size_t j = 0; !missing && j < 4 && hook_table[i].programs[j]; j++) {
			state = find_state(states, cnt, program_of(hook_table[i].programs[j], backend));
			if (state && !state->is_on && !state->is_replaced && !state->is_unused)
				missing = state;
		}
		if (missing)
			line(to, "hook %s: unavailable: %s", hook_table[i].hooks, missing->reason);
		else if (!hook_table[i].backend && state)
			line(to, "hook %s: by %s %s", hook_table[i].hooks, kinds[state->kind], state->hook_point);
		else
			line(to, "hook %s: by %s", hook_table[i].hooks, hook_table[i].backend);
	}
}

int ht_live_features(const struct ht_live_opts *live_opts, ht_line_fn fn, void *ctx)
{
	struct ht_programs_opts opts = { .btf_path = live_opts->btf_path,
					 .socket_backend = live_opts->backend,
					 .ring_bytes = (size_t)sysconf(_SC_PAGESIZE) };
	const struct printer to = { fn, ctx };
	const struct ht_program_state *states;
	struct ht_programs *programs;
	enum ht_trial_verdict verdict;
	struct ht_features features;
	char text[512];
	bool is_old;
	size_t cnt;

	ht_features_read(&features, live_opts->btf_path, live_opts->without);
	print_rights(&to, &features);
	print_missing(&to, &features);
	opts.backend = ht_uprobe_probe(&features, text, sizeof(text));
	print_uprobes(&to, opts.backend, text);
	verdict = ht_trial_end(ht_trial_start(opts.backend), NULL);
	print_trial(&to, verdict);
	print_sideband(&to);
	/* Nothing is reported: no process is in `traced`. */
	opts.config.flags = HT_CFG_FILTERED;
	opts.config.head_bytes = HT_HEAD_BYTES_DEFAULT;
	opts.config.self_tgid = (__u32)getpid();
	opts.returns_refused = verdict == HT_TRIAL_KILLED ? ht_trial_refusal : NULL;
	is_old = ht_features_are_old(&features);
	programs = ht_programs_load(&opts, &features, text, sizeof(text));
	if (!programs) {
		line(&to, "BPF programs: no: %s", text);
		ht_features_free(&features);
		return 0;
	}
	print_backend(&to, ht_programs_backend(programs));
	if (ht_features_are_old(&features))
		line(&to, "BPF programs: those for older kernels%s",
		     is_old ? "" : ": this one refuses the others, though it has all that they use (-v of a trace tells more)");
	line(&to, "BPF programs, ring buffer: loaded");
	if (ht_programs_attach(programs, &features, text, sizeof(text)))
		line(&to, "%s", text);
	states = ht_programs_states(programs, &cnt);
	for (size_t i = 0; i < cnt; i++)
		print_program(&to, &states[i]);
	print_hooks(&to, states, cnt, ht_programs_backend(programs)->backend);
	line(&to, "Unix sockets: %s", ht_programs_unix_closes(programs));
	ht_programs_free(programs);
	ht_features_free(&features);
	return 0;
}
