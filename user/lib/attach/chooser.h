/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * chooser.h - at which instruction of a function a probe is cheap, and still sees what it would see at the function's first one.
 *
 * In:  an ELF file that anybody may have written, and where its functions lie (elfsym.h). Out: file offsets, by value, each with the
 * reason for it. The kernel emulates some instructions at a uprobe and single-steps all others, which costs some ten times as much in a
 * virtual machine (two to three times on bare metal). Nothing is assumed of a library's version: instructions are decoded, and what is
 * not proven falls back to the function's first instruction, which is always right.
 * Bounds: HT_CHOOSER_CODE_MAX bytes of a function are read, HT_CHOOSER_BLOCK_MAX of its beginning looked at, some thousand steps followed.
 */
#ifndef HT_CHOOSER_H
#define HT_CHOOSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HT_CHOOSER_CODE_MAX  (256u << 10) /* net/http's largest functions have some 10 KiB, OpenSSL's 30 */
#define HT_CHOOSER_BLOCK_MAX 256u

enum ht_abi { HT_ABI_C, HT_ABI_GO };

enum ht_site_class {
	HT_SITE_SINGLE_STEP,
	HT_SITE_EMULATED, /* by every kernel from 5.10 on */
};

/*
 * HT_CHOOSE_CALL: a call may be chosen. Kernels with user shadow stacks (6.6) emulated a call without pushing to that stack until
 * branch_emulate_op() got its shstk_push() (arch/x86/kernel/uprobes.c, there in 6.18): a process that has one would die. So by leave
 * only: /proc/cpuinfo without user_shstk, or a kernel that is known.
 * HT_CHOOSE_RETURN_MOVED: a return probe needs the return address at the top of the stack (arch_uretprobe_hijack_return_addr()), which
 * is true of the first instruction, and of those behind it until the stack pointer moves: behind an endbr64, say. Without this: the
 * first one only.
 */
#define HT_CHOOSE_CALL         0x1
#define HT_CHOOSE_RETURN_MOVED 0x2

struct ht_choice {
	uint64_t file_off;
	uint32_t moved_bytes;   /* from the function's first instruction */
	int32_t sp_delta_bytes; /* stack pointer there, less what it is at the first instruction */
	enum ht_site_class site_class;
	uint8_t insn_bytes;
	bool is_call;
	bool args_are_intact; /* in the registers asked for; always so in what ht_chooser_site() and ht_chooser_inner() choose */
	char insn[48];
	char why[128];
};

struct ht_chooser_want {
	enum ht_abi abi;
	unsigned int args;  /* bit n: the n-th integer argument's register must still hold it */
	unsigned int flags; /* HT_CHOOSE_* */
};

/* What a function does that is not public: its arguments and result, whatever its name was. */
enum ht_semantics {
	HT_SEM_NONE,
	HT_SEM_SSL_READ,  /* int (SSL *, void *buf, size_t len, size_t *done): result above 0: *done bytes came; 0 and below: none */
	HT_SEM_SSL_WRITE, /* int (SSL *, const void *buf, size_t len, [uint64_t flags,] size_t *done): the same of bytes that went */
};

/* Two public functions that are coats of one inner one, by their names. */
struct ht_chooser_pair {
	const char *int_form; /* int (object, buf, int len): result below 1 as inner's, else bytes */
	const char *ex_form;  /* int (object, buf, size_t len, size_t *done) */
	/* int (object, buf, size_t len, uint64_t flags, size_t *done): what ex_form may call instead of the inner one; or NULL */
	const char *through;
	const char *others[2]; /* functions that must not reach the inner one; or NULL */
	enum ht_semantics semantics;
};

struct ht_inner {
	enum ht_semantics semantics; /* HT_SEM_NONE: not found, why says what is missing */
	unsigned int done_arg;       /* which argument is `done`, from 0: 3, or 4 where flags come before it (OpenSSL 3.3) */
	struct ht_choice entry;
	struct ht_choice ret;
	char why[160];
};

extern const struct ht_chooser_pair ht_chooser_ssl_read;
extern const struct ht_chooser_pair ht_chooser_ssl_write;

struct ht_chooser;

/* NULL and errno, with a reason: ENOEXEC no ELF file, ENOTSUP a machine without a table, EBADMSG damaged, ENOMEM. The fd is not kept. */
struct ht_chooser *ht_chooser_new(int fd, char *reason, size_t reason_size);
/* The same for code in memory, whose offsets begin at base. It is not copied. machine: EM_*. */
struct ht_chooser *ht_chooser_new_memory(uint16_t machine, const void *code, size_t code_bytes, uint64_t base);
/* NULL is allowed. */
void ht_chooser_free(struct ht_chooser *chooser);

/*
 * Where to probe the function at file_off. size_bytes 0: unknown, then little but its first instruction is sure. Either of entry and ret
 * may be NULL: not wanted. Two probes on one instruction share its trap, so an entry joins a return probe that has to be single-stepped
 * anyway. A Go function has no return site (its stack moves): file_off 0.
 * 0, or -ERANGE: file_off lies in no executable segment; -EBADMSG: no instruction is there; -errno of reading.
 */
int ht_chooser_site(struct ht_chooser *chooser, uint64_t file_off, uint64_t size_bytes, const struct ht_chooser_want *want,
		    struct ht_choice *entry, struct ht_choice *ret);

struct ht_chooser_fn {
	uint64_t file_off; /* 0: the file has no such function */
	uint64_t size_bytes;
};

struct ht_chooser_pair_at {
	struct ht_chooser_fn int_form;
	struct ht_chooser_fn ex_form;
	struct ht_chooser_fn through;
	struct ht_chooser_fn others[2];
};

/* Looks a pair's functions up. As ht_elfsym_find(). */
int ht_chooser_pair_find(int fd, const struct ht_chooser_pair *pair, struct ht_chooser_pair_at *at, char *reason, size_t reason_size);
/*
 * The one internal function that both public forms pass their arguments on to, and whose result they return. Proven along every path
 * through both; else semantics is HT_SEM_NONE. Every public function that reaches it is served by its probes then, the one in `through`
 * too. flags: HT_CHOOSE_*.
 * 0, or -ENOMEM.
 */
int ht_chooser_inner(struct ht_chooser *chooser, const struct ht_chooser_pair *pair, const struct ht_chooser_pair_at *at,
		     unsigned int flags, struct ht_inner *inner);

#endif
