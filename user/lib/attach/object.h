/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * object.h - the BPF object, in the two forms that it is compiled in (bpf/kernel.bpf.h): opened here, so that nobody else knows which it is.
 *
 * In:  the skeletons. Out: libbpf's object, owned here.
 */
#ifndef HT_OBJECT_H
#define HT_OBJECT_H

#include <stdbool.h>

#include "abi/config.h"

struct bpf_object;
struct ht_object;

/* Opens the one for older kernels, or the other one. btf_path: types in place of the kernel's own; NULL: that. NULL and errno. */
struct ht_object *ht_object_open(bool is_old, const struct ht_bpf_config *config, const char *btf_path);
struct bpf_object *ht_object_bpf(const struct ht_object *object);
/* 0 or -errno. */
int ht_object_load(struct ht_object *object);
/* Unloads, frees. NULL is allowed. */
void ht_object_close(struct ht_object *object);

#endif
