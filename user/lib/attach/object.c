/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * object.c - see object.h.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attach/object.h"

#include "httptrace.skel.h"
#include "httptrace_old.skel.h"

/* One of the two is set. */
struct ht_object {
	struct httptrace_bpf *recent;
	struct httptrace_old_bpf *old;
};

struct ht_object *ht_object_open(bool is_old, const struct ht_bpf_config *config, const char *btf_path)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = btf_path);
	struct ht_object *object = calloc(1, sizeof(*object));
	int err;

	if (!object)
		return NULL;
	if (is_old)
		object->old = httptrace_old_bpf__open_opts(&opts);
	else
		object->recent = httptrace_bpf__open_opts(&opts);
	if (object->old || object->recent) {
		memcpy(is_old ? (void *)&object->old->rodata->ht_config : (void *)&object->recent->rodata->ht_config, config,
		       sizeof(*config));
		return object;
	}
	err = errno;
	free(object);
	errno = err;
	return NULL;
}

struct bpf_object *ht_object_bpf(const struct ht_object *object)
{
	return object->old ? object->old->obj : object->recent->obj;
}

int ht_object_load(struct ht_object *object)
{
	return object->old ? httptrace_old_bpf__load(object->old) : httptrace_bpf__load(object->recent);
}

void ht_object_close(struct ht_object *object)
{
	if (!object)
		return;
	httptrace_old_bpf__destroy(object->old);
	httptrace_bpf__destroy(object->recent);
	free(object);
}
