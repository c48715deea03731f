/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * backend.c - see backend.h.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach/backend.h"

#define KPROBE_PMU "/sys/bus/event_source/devices/kprobe/type"
#define TRIED_ON   "tcp_recvmsg"
#define CLOSED_BY  "unix_release"
#define SPLICED    "bytes that splice takes out of a socket: they count as lost"

/* Those that the programs know (bpf/sock.bpf.h). */
#define RECVMSG_PARAMS_MIN 4
#define RECVMSG_PARAMS_MAX 6

static const struct {
	const char *name;
	const char *lacks;
} backends[] = {
	[HT_BACKEND_AUTO] = { "auto", NULL },
	[HT_BACKEND_TP_BTF] = { "tp_btf", SPLICED },
	[HT_BACKEND_FENTRY] = { "fentry", SPLICED },
	[HT_BACKEND_KPROBE] = { "kprobe",
				"calls that end while more are under way, of all processes, than the kernel has room for (kretprobes: twice the CPUs, 10 at "
				"least; before 6.0.17 and 6.1.3 one for each CPU): they are counted; and " SPLICED },
};

const char *ht_backend_name(enum ht_backend backend)
{
	return backends[backend].name;
}

const char *ht_backend_lacks(enum ht_backend backend)
{
	return backends[backend].lacks;
}

int ht_backend_parse(const char *name, enum ht_backend *backend)
{
	*backend = HT_BACKEND_AUTO;
	if (!name)
		return 0;
	for (int i = HT_BACKEND_TP_BTF; i < HT_BACKEND_CNT; i++) {
		if (!strcmp(name, backends[i].name)) {
			*backend = (enum ht_backend)i;
			return 0;
		}
	}
	return -EINVAL;
}

static void refuse(struct ht_backend_choice *choice, enum ht_backend backend, const char *why, int err)
{
	snprintf(choice->why[backend], sizeof(choice->why[backend]), "%s%s%s", why, err ? ": " : "", err ? strerror(err) : "");
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

/* What the kernel says of the functions. 0, or -errno and the reason. */
static int describe(struct ht_backend_choice *choice, const struct btf *btf, enum ht_backend backend)
{
	const struct btf_type *proto;
	int id = btf ? btf__find_by_name_kind(btf, TRIED_ON, BTF_KIND_FUNC) : -ENOENT;

	if (id < 0) {
		refuse(choice, backend, btf ? "the kernel does not describe the function " TRIED_ON : "the kernel's types cannot be read",
		       0);
		return -ENOENT;
	}
	proto = btf__type_by_id(btf, btf__type_by_id(btf, (__u32)id)->type);
	if (btf_vlen(proto) < RECVMSG_PARAMS_MIN || btf_vlen(proto) > RECVMSG_PARAMS_MAX) {
		refuse(choice, backend, "the kernel's " TRIED_ON " has other parameters than those known", 0);
		return -EOPNOTSUPP;
	}
	choice->recvmsg_params = btf_vlen(proto);
	choice->has_sendpage = btf__find_by_name_kind(btf, "tcp_sendpage", BTF_KIND_FUNC) > 0;
	choice->is_described = true;
	return id;
}

/* Whether a program can be put on the entry of a function: 0, or -errno and *is_refused: not even loaded. */
static int attach_entry(int id, bool *is_refused)
{
	const struct bpf_insn answer_zero[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K }, { .code = BPF_JMP | BPF_EXIT } };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY, .attach_btf_id = (__u32)id);
	int prog_fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, NULL, "GPL", answer_zero, 2, &opts), link_fd, err;

	*is_refused = prog_fd < 0;
	if (prog_fd < 0)
		return prog_fd;
	link_fd = bpf_raw_tracepoint_open(NULL, prog_fd);
	err = link_fd < 0 ? link_fd : 0;
	close(prog_fd);
	if (link_fd >= 0)
		close(link_fd);
	return err;
}

static int try_fentry(struct ht_backend_choice *choice, int id)
{
	bool is_refused;
	int err = attach_entry(id, &is_refused);

	if (is_refused)
		refuse(choice, HT_BACKEND_FENTRY, "a program for a function's entry is refused", -err);
	/* ENOTSUPP, the kernel's own, has no text: arm64 before 6.4. */
	else if (err == -524)
		refuse(choice, HT_BACKEND_FENTRY, "this kernel attaches no program to a function's entry", 0);
	else if (err)
		refuse(choice, HT_BACKEND_FENTRY, "no program can be attached to a function's entry", -err);
	return err;
}

static int try_kprobe(struct ht_backend_choice *choice)
{
	struct perf_event_attr attr = { .size = sizeof(attr), .sample_period = 1, .wakeup_events = 1 };
	FILE *file = fopen(KPROBE_PMU, "re");
	unsigned int type = 0;
	int fd;

	if (!file || fscanf(file, "%u", &type) != 1) {
		refuse(choice, HT_BACKEND_KPROBE, "this kernel has no kprobes (CONFIG_KPROBES, 4.17 or later)", 0);
		if (file)
			fclose(file);
		return -EOPNOTSUPP;
	}
	fclose(file);
	attr.type = type;
	attr.config1 = (__u64)(unsigned long)TRIED_ON;
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0) {
		int err = errno;

		refuse(choice, HT_BACKEND_KPROBE, "no kprobe can be put on " TRIED_ON, err);
		return -err;
	}
	close(fd);
	return 0;
}

static int try_tp_btf(struct ht_backend_choice *choice, const struct ht_features *features)
{
	static const char *const needed[] = { "inet_sock_set_state", "sock_send_length", "sock_recv_length" };

	if (!ht_features_has(features, HT_FEATURE_TP_BTF)) {
		refuse(choice, HT_BACKEND_TP_BTF, "no typed tracepoints (5.5 or later, and the kernel's own BTF)", 0);
		return -EOPNOTSUPP;
	}
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (features->btf && ht_kernel_btf_has_tracepoint(features->btf, needed[i]))
			continue;
		snprintf(choice->why[HT_BACKEND_TP_BTF], HT_BACKEND_WHY_MAX, "kernel %s lacks the tracepoint %s (%s or later)",
			 features->release, needed[i], i ? "6.3" : "4.16");
		return -EOPNOTSUPP;
	}
	return 0;
}

/* What there is beside the typed tracepoints for Unix sockets, which have few of these. */
static void look_beside(struct ht_backend_choice *choice, const struct ht_features *features, const struct btf *btf)
{
	int id = btf ? btf__find_by_name_kind(btf, CLOSED_BY, BTF_KIND_FUNC) : -ENOENT;
	bool is_refused;

	choice->has_functions = id > 0 && ht_features_has(features, HT_FEATURE_FENTRY) && !attach_entry(id, &is_refused);
	if (btf && !choice->has_functions)
		choice->kfuncs = ht_kfuncs_find(btf);
}

static int try_one(struct ht_backend_choice *choice, enum ht_backend backend, const struct ht_features *features, const struct btf *btf)
{
	int id;

	if (backend == HT_BACKEND_TP_BTF) {
		id = try_tp_btf(choice, features);
		if (!id)
			look_beside(choice, features, btf);
		return id;
	}
	if (!ht_features_has(features, backend == HT_BACKEND_FENTRY ? HT_FEATURE_FENTRY : HT_FEATURE_KPROBE)) {
		refuse(choice, backend, backend == HT_BACKEND_FENTRY ? "no fentry (5.5 or later, and the kernel's own BTF)" : "no kprobes",
		       0);
		return -EOPNOTSUPP;
	}
	id = describe(choice, btf, backend);
	if (id < 0)
		return id;
	return backend == HT_BACKEND_FENTRY ? try_fentry(choice, id) : try_kprobe(choice);
}

void ht_backend_choose(struct ht_backend_choice *choice, enum ht_backend wanted, uint32_t refused, const struct ht_features *features,
		       const char *btf_path)
{
	libbpf_print_fn_t old_print = libbpf_set_print(quiet);
	struct btf *btf = NULL;

	choice->backend = HT_BACKEND_AUTO;
	for (int i = HT_BACKEND_TP_BTF; i < HT_BACKEND_CNT; i++) {
		enum ht_backend backend = (enum ht_backend)i;

		if ((wanted != HT_BACKEND_AUTO && wanted != backend) || refused >> i & 1)
			continue;
		if (!btf)
			btf = btf_path ? btf__parse(btf_path, NULL) : btf__load_vmlinux_btf();
		if (libbpf_get_error(btf))
			btf = NULL;
		choice->why[i][0] = '\0';
		if (try_one(choice, backend, features, btf))
			continue;
		choice->backend = backend;
		break;
	}
	btf__free(btf);
	libbpf_set_print(old_print);
}
