/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * loads.c - what the verifier says of each program that a traced command loads: preloaded (LD_PRELOAD) into the real httptrace-bpf.
 *
 * In:  every bpf(BPF_PROG_LOAD) of libbpf, which calls syscall(3). One that asks for no log of its own gets one with the verifier's statistics
 *      (BPF_LOG_STATS of kernel/bpf/verifier.c: level 4, since 5.2). prog_info.verified_insns would do from 5.16 on only.
 * Out: a JSON object a line and program, appended to the file that HTTPTRACE_LOADS names:
 *      {"program": name, "instructions": of the program, "verified": by the verifier, or null, "load_ns": of the call,
 *      "cpu_ns": of it on a CPU}
 * HTTPTRACE_REFUSE=N: a program that calls the helper of that number is refused (bpf_loop: 181), as by a verifier that does not take it: the first line of
 * its report says so.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LOG_STATS 4
#define LOG_BYTES 4096

static long (*next)(long number, ...);

static unsigned long long now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (unsigned long long)now.tv_sec * 1000000000ULL + (unsigned long long)now.tv_nsec;
}

static void tell(const union bpf_attr *attr, const char *log, unsigned long long load_ns, unsigned long long cpu_ns)
{
	const char *path = getenv("HTTPTRACE_LOADS"), *at = strstr(log, "processed ");
	FILE *file = path ? fopen(path, "a") : NULL;

	if (!file)
		return;
	fprintf(file, "{\"program\": \"%.*s\", \"instructions\": %u, ", BPF_OBJ_NAME_LEN, attr->prog_name, attr->insn_cnt);
	if (at)
		fprintf(file, "\"verified\": %lu, ", strtoul(at + strlen("processed "), NULL, 10));
	else
		fprintf(file, "\"verified\": null, ");
	fprintf(file, "\"load_ns\": %llu, \"cpu_ns\": %llu}\n", load_ns, cpu_ns);
	fclose(file);
}

static long load(unsigned int command, const union bpf_attr *given, unsigned int size)
{
	union bpf_attr attr;
	char log[LOG_BYTES] = "";
	unsigned long long begun_ns = now_ns(CLOCK_MONOTONIC), begun_cpu_ns = now_ns(CLOCK_THREAD_CPUTIME_ID);
	int err;
	long fd;

	memset(&attr, 0, sizeof(attr));
	memcpy(&attr, given, size < sizeof(attr) ? size : sizeof(attr));
	attr.log_level = LOG_STATS;
	attr.log_size = sizeof(log);
	attr.log_buf = (unsigned long)log;
	fd = next(SYS_bpf, command, &attr, size);
	if (fd < 0)
		return next(SYS_bpf, command, given, size); /* as if we were not here: libbpf asks for the reason itself */
	err = errno;
	tell(&attr, log, now_ns(CLOCK_MONOTONIC) - begun_ns, now_ns(CLOCK_THREAD_CPUTIME_ID) - begun_cpu_ns);
	errno = err;
	return fd;
}

static bool is_refused(const union bpf_attr *attr)
{
	const char *helper = getenv("HTTPTRACE_REFUSE");
	const struct bpf_insn *insns = (const struct bpf_insn *)(unsigned long)attr->insns;

	for (unsigned int i = 0; helper && i < attr->insn_cnt; i++) {
		if (insns[i].code == (BPF_JMP | BPF_CALL) && !insns[i].src_reg && insns[i].imm == atoi(helper)) {
			if (attr->log_buf && attr->log_size)
				snprintf((char *)(unsigned long)attr->log_buf, attr->log_size, "helper %s is refused by a test\n", helper);
			return true;
		}
	}
	return false;
}

__attribute__((visibility("default"))) long syscall(long number, ...)
{
	long arg[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		arg[i] = va_arg(args, long);
	va_end(args);
	if (!next)
		next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	if (number == SYS_bpf && arg[0] == BPF_PROG_LOAD &&
	    (unsigned long)arg[2] >= offsetof(union bpf_attr, prog_name) + BPF_OBJ_NAME_LEN) {
		const union bpf_attr *attr = (const union bpf_attr *)arg[1];

		if (is_refused(attr)) {
			errno = EINVAL;
			return -1;
		}
		if (!attr->log_level && attr->prog_name[0])
			return load((unsigned int)arg[0], attr, (unsigned int)arg[2]);
	}
	return next(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}
