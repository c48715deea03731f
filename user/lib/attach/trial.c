/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * trial.c - see trial.h. Between clone and exit the child makes system calls only: another thread may have held any lock.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/native.h"
#include "attach/trial.h"

#define FILE_BYTES  4096
#define NUMBERS_MAX 8
#define CHILD_MS    1000
#define CALLS       3

/* Exit statuses of the child. */
enum { CHILD_LIVES, CHILD_CANNOT };

static const uint8_t function[] = { HT_NATIVE_FUNCTION };

const char ht_trial_refusal[] = "on this kernel a return probe kills processes under a strict seccomp filter (tried)";

struct ht_trial {
	pthread_t thread;
	enum ht_uprobe_backend backend;
	enum ht_trial_verdict result;
	int link_fd;
};

static struct sock_filter jump_if(uint32_t value, uint8_t if_equal, uint8_t if_not)
{
	return (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, if_equal, if_not);
}

static struct sock_filter load(size_t off)
{
	return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)off);
}

static struct sock_filter verdict(uint32_t value)
{
	return (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, value);
}

static int seal(const unsigned int *numbers, size_t cnt)
{
	struct sock_filter code[5 + 2 * NUMBERS_MAX];
	struct sock_fprog program = { .filter = code };
	size_t len = 0;

	code[len++] = load(offsetof(struct seccomp_data, arch));
	code[len++] = jump_if(HT_NATIVE_AUDIT, 1, 0);
	code[len++] = verdict(SECCOMP_RET_KILL_PROCESS);
	code[len++] = load(offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < cnt; i++) {
		code[len++] = jump_if(numbers[i], 0, 1);
		code[len++] = verdict(SECCOMP_RET_ALLOW);
	}
	code[len++] = verdict(SECCOMP_RET_KILL_PROCESS);
	program.len = (unsigned short)len;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void __attribute__((noreturn)) child(int file_fd, const unsigned int *numbers, size_t cnt)
{
	const struct rlimit none = { 0, 0 };
	const volatile uint8_t *bytes;
	void (*call)(void);
	void *mapped;

	setrlimit(RLIMIT_CORE, &none);
	/* A core would else go to the program that core_pattern names, whatever the limit. */
	prctl(PR_SET_DUMPABLE, 0);
	mapped = mmap(NULL, FILE_BYTES, PROT_READ | PROT_EXEC, MAP_PRIVATE, file_fd, 0);
	if (mapped == MAP_FAILED)
		_exit(CHILD_CANNOT);
	/* Without a breakpoint in its place nothing would be proven. */
	bytes = mapped;
	if (bytes[0] == function[0] || seal(numbers, cnt))
		_exit(CHILD_CANNOT);
	memcpy(&call, &mapped, sizeof(call));
	for (int i = 0; i < CALLS; i++)
		call();
	syscall(SYS_exit_group, CHILD_LIVES);
	__builtin_unreachable();
}

/* Its status as waitid() has it; -errno. */
static int wait_child(pid_t pid, int pid_fd, siginfo_t *info)
{
	struct pollfd pollfd = { .fd = pid_fd, .events = POLLIN };
	int err;

	if (poll(&pollfd, 1, CHILD_MS) <= 0)
		kill(pid, SIGKILL);
	do
		err = waitid(P_PID, (id_t)pid, info, WEXITED | __WALL);
	while (err && errno == EINTR);
	return err ? -errno : pollfd.revents ? 0 : -ETIME;
}

static enum ht_trial_verdict try_in_child(int file_fd, const unsigned int *numbers, size_t cnt)
{
	int pid_fd = -1, err;
	struct clone_args args = { .flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&pid_fd };
	siginfo_t info = { 0 };
	/* exit_signal 0: neither SIGCHLD nor wait() for any child tells the program of one that it has not started. */
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		child(file_fd, numbers, cnt);
	if (pid < 0)
		return HT_TRIAL_UNKNOWN;
	err = wait_child((pid_t)pid, pid_fd, &info);
	close(pid_fd);
	if (!err && info.si_code == CLD_EXITED && info.si_status == CHILD_LIVES)
		return HT_TRIAL_SURVIVES;
	/* The system call itself is answered with SIGILL where no trampoline is thought to have made it. */
	return !err && (info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED) ? HT_TRIAL_KILLED : HT_TRIAL_UNKNOWN;
}

static int make_file(void)
{
	uint8_t bytes[FILE_BYTES] = { 0 };
	int fd = memfd_create("httptrace-bpf", MFD_CLOEXEC);

	memcpy(bytes, function, sizeof(function));
	if (fd >= 0 && write(fd, bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

enum ht_trial_verdict ht_trial_run(enum ht_uprobe_backend backend, const unsigned int *numbers, size_t cnt, int *link_fd)
{
	int prog_fd = ht_uprobe_load_empty(backend), file_fd = make_file();
	const uint64_t off = 0, cookie = 0;
	struct ht_uprobe_sites sites = { .offs = &off, .cookies = &cookie, .cnt = 1, .side = HT_UPROBE_RETURN };
	enum ht_trial_verdict result = HT_TRIAL_UNKNOWN;
	char path[32];

	*link_fd = -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file_fd);
	sites.path = path;
	if (prog_fd >= 0 && file_fd >= 0 && cnt <= NUMBERS_MAX && ht_uprobe_attach(backend, prog_fd, &sites, link_fd) == 1)
		result = try_in_child(file_fd, numbers, cnt);
	if (prog_fd >= 0)
		close(prog_fd);
	if (file_fd >= 0)
		close(file_fd);
	return result;
}

static void *run(void *arg)
{
	static const unsigned int numbers[] = { SYS_exit, SYS_exit_group };
	struct ht_trial *trial = arg;

	trial->result = ht_trial_run(trial->backend, numbers, sizeof(numbers) / sizeof(numbers[0]), &trial->link_fd);
	return NULL;
}

struct ht_trial *ht_trial_start(enum ht_uprobe_backend backend)
{
	struct ht_trial *trial = calloc(1, sizeof(*trial));
	sigset_t all, old;
	int err;

	if (!trial)
		return NULL;
	trial->backend = backend;
	/* The program's signal handlers expect its own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&trial->thread, NULL, run, trial);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err)
		return trial;
	free(trial);
	errno = err;
	return NULL;
}

enum ht_trial_verdict ht_trial_end(struct ht_trial *trial, struct ht_reaper *reaper)
{
	enum ht_trial_verdict result;

	if (!trial)
		return HT_TRIAL_UNKNOWN;
	pthread_join(trial->thread, NULL);
	result = trial->result;
	if (trial->link_fd >= 0 && reaper)
		ht_reaper_take(reaper, &trial->link_fd, 1);
	else if (trial->link_fd >= 0)
		close(trial->link_fd);
	free(trial);
	return result;
}
