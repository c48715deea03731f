/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * cookies.h - attach cookies where the kernel has none for uprobes (before 5.15; bpf/kernel.bpf.h).
 *
 * For each function a program of some fifteen instructions is on its probe: it notes the cookie, under the thread it runs in, in a map of the BPF object,
 * and jumps to the program that does the work, which takes the note out first. So that one is loaded, and verified, once. A thread runs one probe at a time.
 *
 * In:  the map, fds of loaded programs. Out: fds of such programs, owned here; attached probes hold them, and stop working when this is freed.
 */
#ifndef HT_COOKIES_H
#define HT_COOKIES_H

#include <stdint.h>

struct ht_cookies;

/* map_fd: hash, __u64 pid_tgid -> __u64 cookie; the caller's, which stays open. NULL and errno. */
struct ht_cookies *ht_cookies_new(int map_fd);
/* A program that tells prog_fd's program this cookie. Asked again, the same one is given. -errno; -ENOSPC: too many. */
int ht_cookies_fd(struct ht_cookies *cookies, int prog_fd, uint64_t cookie);
/* NULL is allowed. */
void ht_cookies_free(struct ht_cookies *cookies);

#endif
