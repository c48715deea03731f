/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * backend.h - by which of the kernel's mechanisms socket events are heard of: the choice, by trying.
 *
 * In:  the kernel's type information, test attaches. Out: a choice by value. The typed tracepoints are not attached for the test: that their names are there
 * is known at once, and they are the programs that are loaded next. The others are tried by a program that does nothing, on a function that they need.
 */
#ifndef HT_BACKEND_H
#define HT_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attach/features.h"
#include "attach/kfuncs.h"

/* In the order in which they are tried. AUTO: the first that the kernel takes. */
enum ht_backend { HT_BACKEND_AUTO, HT_BACKEND_TP_BTF, HT_BACKEND_FENTRY, HT_BACKEND_KPROBE, HT_BACKEND_CNT };

#define HT_BACKEND_WHY_MAX 160

struct ht_backend_choice {
	enum ht_backend backend;                      /* AUTO: none is possible */
	unsigned int recvmsg_params;                  /* how many tcp_recvmsg has */
	bool has_sendpage;                            /* there is a function tcp_sendpage */
	bool is_described;                            /* the two above are known */
	bool has_functions;                           /* with typed tracepoints: programs can be put on functions as well (fentry) */
	struct ht_kfuncs kfuncs;                      /* with typed tracepoints, and not that */
	char why[HT_BACKEND_CNT][HT_BACKEND_WHY_MAX]; /* of each one that was tried: why not; "" */
};

/* wanted: that one and no other, or AUTO. btf_path: as in features.h. refused: bits 1 << HT_BACKEND_* that are not tried (again). */
void ht_backend_choose(struct ht_backend_choice *choice, enum ht_backend wanted, uint32_t refused, const struct ht_features *features,
		       const char *btf_path);
/* "tp_btf", "fentry", "kprobe"; "auto". */
const char *ht_backend_name(enum ht_backend backend);
/* 0; -EINVAL: there is none of this name. NULL is AUTO. */
int ht_backend_parse(const char *name, enum ht_backend *backend);
/* What is not seen by it, for --features; NULL: nothing. */
const char *ht_backend_lacks(enum ht_backend backend);

#endif
