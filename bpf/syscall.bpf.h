/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * syscall.bpf.h - where the bytes of the running send or receive are in user memory.
 *
 * The tracepoints of socket calls carry no buffer, but the user's registers of the running system call are at hand
 * (kernel.bpf.h). They are believed only if their first argument is a file descriptor of this very socket: io_uring's
 * task work runs at the end of any system call.
 */
#ifndef HT_SYSCALL_BPF_H
#define HT_SYSCALL_BPF_H

#include "arch.bpf.h"

/*
 * The task's descriptors. To be called once, early: for each pointer loaded through a trusted one (the task) the verifier searches
 * all type names of the kernel (btf_nested_type_is_trusted), a millisecond a time, again on every path that leads to the load.
 * Hence the barrier, which keeps it where it is written.
 */
static __always_inline struct files_struct *ht_files(struct task_struct *task)
{
	struct files_struct *files = HT_FIELD(task, files);

	asm volatile("" : "+r"(files));
	return files;
}

/* The file behind a descriptor, as an address to compare; NULL if there is none. */
static __always_inline struct file *ht_fd_file(struct files_struct *files, __u32 fd)
{
	struct fdtable *fdt = HT_FIELD(files, fdt);
	struct file *file = NULL;

	if (fd < HT_FIELD(fdt, max_fds))
		bpf_probe_read_kernel(&file, sizeof(file), HT_FIELD(fdt, fd) + fd);
	return file;
}

/* An iovec array of one is the usual case, and as good as a buffer. */
static __always_inline void ht_set_iov(struct ht_scratch *sc, __u64 iov, __u64 cnt)
{
	__u64 one[2]; /* struct iovec */

	if (cnt == 1 && !bpf_probe_read_user(one, sizeof(one), (void *)iov)) {
		sc->buf = one[0];
		return;
	}
	sc->buf = iov;
	sc->iov_cnt = cnt > 1024 ? 1024 : cnt; /* UIO_MAXIOV */
}

/* Sets buf, iov_cnt, via, no_buf and adds HT_F_COMPAT to flags. file: the socket's, an address to compare. */
static __always_inline void ht_find_bytes(struct ht_scratch *sc, struct task_struct *task, struct files_struct *files, __u64 file)
{
	struct pt_regs *regs;
	__u64 msg[2]; /* msg_iov, msg_iovlen of struct user_msghdr */
	int kind;

	sc->buf = 0;
	sc->iov_cnt = 0;
	sc->via = HT_VIA_OTHER;
	sc->no_buf = 1;
	if (HT_FIELD(task, flags) & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER)) {
		sc->via = HT_VIA_IO_URING;
		return;
	}
	if (ht_is_compat(task)) {
		sc->via = HT_VIA_SYSCALL;
		sc->flags |= HT_F_COMPAT;
		return;
	}
	regs = ht_user_regs(task);
	kind = ht_call_kind(HT_SYSCALL_NR(regs));
	if (kind == HT_CALL_FILE) {
		sc->via = HT_VIA_SENDFILE;
		return;
	}
	if (kind == HT_CALL_RING) {
		sc->via = HT_VIA_IO_URING;
		return;
	}
	if (kind == HT_CALL_NONE || !file || (__u64)ht_fd_file(files, HT_SYSCALL_ARG1(regs)) != file)
		return;
	sc->via = HT_VIA_SYSCALL;
	sc->no_buf = 0;
	if (kind == HT_CALL_BUF) {
		sc->buf = HT_SYSCALL_ARG2(regs);
	} else if (kind == HT_CALL_IOV) {
		ht_set_iov(sc, HT_SYSCALL_ARG2(regs), HT_SYSCALL_ARG3(regs));
	} else if (!bpf_probe_read_user(msg, sizeof(msg), (void *)(HT_SYSCALL_ARG2(regs) + 16))) {
		ht_set_iov(sc, msg[0], msg[1]);
	} else {
		sc->no_buf = 1;
	}
}

#endif
