/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * open_live.c - a tracer of the live system. The only file outside source/ and attach/ that needs libbpf: what links without it can still
 * replay.
 *
 * In:  options. Out: a tracer with a live source; the reports of what would be probed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "attach/features.h"
#include "attach/rights.h"
#include "dispatch/tracer.h"
#include "source/live.h"

#define TEXT_LEN 512

/* 0, or -EINVAL, and says why. */
static int to_live(const struct httptrace_open_opts *opts, struct ht_live_opts *live)
{
	const char *unknown;

	*live = (struct ht_live_opts){
		.pids = opts->pids,
		.pid_cnt = opts->pid_cnt,
		.is_following = !opts->no_follow,
		.comm = opts->comm,
		.cgroup = opts->cgroup,
		.ring_bytes = opts->ring_bytes,
		.head_bytes = opts->head_bytes,
		.has_entry_sites = opts->probe_sites == HTTPTRACE_PROBE_SITES_ENTRY,
		.btf_path = opts->btf,
	};
	if (ht_backend_parse(opts->backend, &live->backend)) {
		ht_open_error_set("backend %s: there is none of that name, but tp_btf, fentry and kprobe", opts->backend);
		return -EINVAL;
	}
	if (!ht_features_parse(opts->without, &live->without, &unknown))
		return 0;
	ht_open_error_set("without %s: there is no such feature", unknown);
	return -EINVAL;
}

/* The log of a report that has no tracer. */
static void log_plain(void *ctx, int level, const char *text)
{
	const struct httptrace_open_opts *opts = ctx;

	if (opts->log)
		opts->log((enum httptrace_log_level)level, text, opts->log_ctx);
}

/* What a report needs of the options of one, checked; live points into checked. 0 or -errno, and says why. */
static int report_opts(const struct httptrace_open_opts *opts, struct httptrace_open_opts *checked, struct ht_live_opts *live)
{
	int err = ht_tracer_opts(checked, opts);

	if (err)
		return err;
	err = to_live(checked, live);
	live->log = log_plain;
	live->log_ctx = checked;
	return err;
}

struct httptrace *httptrace__open(const struct httptrace_open_opts *opts)
{
	struct httptrace_open_opts checked;
	struct httptrace *tracer = NULL;
	struct ht_live_opts live;
	struct ht_source *source;
	char text[TEXT_LEN] = "";
	int err;

	err = ht_tracer_opts(&checked, opts);
	if (err)
		goto fail;
	tracer = ht_tracer_new(&checked);
	if (!tracer) {
		err = -errno;
		goto fail;
	}
	err = to_live(&checked, &live);
	if (err)
		goto fail;
	live.log = ht_tracer_log;
	live.log_ctx = tracer;
	live.attached = checked.attached;
	live.attached_ctx = checked.attached_ctx;
	source = ht_live_open(&live, text, sizeof(text));
	if (!source) {
		err = -errno;
		ht_open_error_set("%s", text[0] ? text : strerror(-err));
		goto fail;
	}
	err = ht_tracer_start(tracer, source, true);
	if (err)
		goto fail;
	return tracer;
fail:
	httptrace__close(tracer);
	errno = -err;
	return NULL;
}

int httptrace__targets(const struct httptrace_open_opts *opts, httptrace_line_fn fn, void *ctx)
{
	struct httptrace_open_opts checked;
	struct ht_live_opts live;
	int err;

	if (!fn)
		return -EINVAL;
	err = report_opts(opts, &checked, &live);
	if (err)
		return err;
	err = ht_live_targets(&live, fn, ctx);
	if (err == -ENOENT && live.cgroup)
		ht_open_error_set("cgroup %s: there is none of this name; name one below a cgroup mount (systemd-cgls shows them)",
				  live.cgroup);
	else if (err < 0)
		ht_open_error_set("targets cannot be told: %s", strerror(-err));
	return err;
}

int httptrace__features_with(const struct httptrace_open_opts *opts, httptrace_line_fn fn, void *ctx)
{
	struct httptrace_open_opts checked;
	struct ht_live_opts live;
	int err;

	if (!fn)
		return -EINVAL;
	err = report_opts(opts, &checked, &live);
	return err ? err : ht_live_features(&live, fn, ctx);
}

int httptrace__features(httptrace_line_fn fn, void *ctx)
{
	return httptrace__features_with(NULL, fn, ctx);
}

struct capabilities {
	httptrace_capability_fn fn;
	void *ctx;
};

static void tell_capability(void *ctx, unsigned int number, const char *name, const char *why)
{
	const struct capabilities *to = ctx;

	to->fn(number, name, why, to->ctx);
}

int httptrace__capabilities(const struct httptrace_open_opts *opts, httptrace_capability_fn fn, void *ctx)
{
	struct capabilities to = { fn, ctx };
	struct httptrace_open_opts checked;
	struct ht_live_opts live;
	int err;

	if (!fn)
		return -EINVAL;
	err = report_opts(opts, &checked, &live);
	return err ? err : ht_rights_needed(live.btf_path, live.without, tell_capability, &to);
}
