/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * filter.c - see filter.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "req/filter.h"
#include "util/glob.h"

struct ht_req_filter {
	pid_t pid;
	char *comm;
	char *cgroup;
	char *host;
	char *method;
	char *path;
};

void ht_req_filter_free(struct ht_req_filter *filter)
{
	if (!filter)
		return;
	free(filter->comm);
	free(filter->cgroup);
	free(filter->host);
	free(filter->method);
	free(filter->path);
	free(filter);
}

static bool copy(char **to, const char *from)
{
	if (!from)
		return true;
	*to = strdup(from);
	return *to;
}

struct ht_req_filter *ht_req_filter_new(const struct httptrace_filter *from)
{
	const char *tail = (const char *)from;
	struct httptrace_filter given = { 0 };
	struct ht_req_filter *filter;

	if (!from || from->sz < sizeof(from->sz)) {
		errno = EINVAL;
		return NULL;
	}
	for (size_t i = sizeof(given); i < from->sz; i++) {
		if (tail[i]) {
			errno = EINVAL;
			return NULL;
		}
	}
	memcpy(&given, from, from->sz < sizeof(given) ? from->sz : sizeof(given));
	filter = calloc(1, sizeof(*filter));
	if (!filter)
		return NULL;
	filter->pid = given.pid;
	if (copy(&filter->comm, given.comm) && copy(&filter->cgroup, given.cgroup) && copy(&filter->host, given.host) &&
	    copy(&filter->method, given.method) && copy(&filter->path, given.path))
		return filter;
	ht_req_filter_free(filter);
	errno = ENOMEM;
	return NULL;
}

const char *ht_req_filter_cgroup(const struct ht_req_filter *filter)
{
	return filter->cgroup;
}

const char *ht_host_of(const char *text, size_t len, size_t *host_len)
{
	const char *at = memrchr(text, '@', len), *end = text + len, *close_bracket, *colon;

	if (at)
		text = at + 1;
	*host_len = (size_t)(end - text);
	if (*host_len && text[0] == '[') {
		close_bracket = memchr(text, ']', *host_len);
		if (close_bracket) {
			*host_len = (size_t)(close_bracket - text - 1);
			return text + 1;
		}
	}
	colon = memchr(text, ':', *host_len);
	/* More than one colon: an IPv6 address without brackets, which has no port. */
	if (colon && !memchr(colon + 1, ':', (size_t)(end - colon - 1)))
		*host_len = (size_t)(colon - text);
	return text;
}

/* Of an absolute URL, or of CONNECT's host:port. */
static const char *authority_of(const char *url, size_t *len)
{
	const char *scheme_end = strstr(url, "://");

	if (scheme_end)
		url = scheme_end + 3;
	*len = strcspn(url, "/?#");
	return url;
}

static bool is_host(const char *glob, const char *text, size_t len)
{
	size_t host_len;
	const char *host = ht_host_of(text, len, &host_len);

	return ht_glob_match(glob, host, host_len, true) || ht_glob_match(glob, text, len, true);
}

static bool has_host(const char *glob, const struct httptrace_request *request)
{
	const char *url = httptrace_request__url(request), *host_port = httptrace_request__host_port(request), *authority;
	size_t len;

	/* A request through a proxy has two. */
	if (url) {
		authority = authority_of(url, &len);
		if (is_host(glob, authority, len))
			return true;
	}
	return host_port && is_host(glob, host_port, strlen(host_port));
}

static bool has_method(const char *list, const struct httptrace_request *request)
{
	const char *method = httptrace_request__method(request);
	char one[64];
	size_t len;

	for (; method; list += len + 1) {
		len = strcspn(list, ",");
		if (len < sizeof(one)) {
			memcpy(one, list, len);
			one[len] = '\0';
			/* RFC 9110 section 9.1 tells cases apart; nobody who asks for `get` means another method than GET. */
			if (ht_glob_match(one, method, strlen(method), true))
				return true;
		}
		if (!list[len])
			break;
	}
	return false;
}

static bool has_path(const char *glob, const struct httptrace_request *request)
{
	const char *url = httptrace_request__url(request), *path;
	size_t len;

	/* CONNECT's target has none. */
	if (!url || !strstr(url, "://"))
		return false;
	path = authority_of(url, &len) + len;
	len = strcspn(path, "?#");
	return len ? ht_glob_match(glob, path, len, false) : ht_glob_match(glob, "/", 1, false);
}

bool ht_req_filter_applies(const struct ht_req_filter *filter, const struct httptrace_request *request)
{
	const char *comm = httptrace_request__comm(request);

	if (filter->pid && filter->pid != httptrace_request__pid(request))
		return false;
	if (filter->comm && (!comm || !ht_glob_match(filter->comm, comm, strlen(comm), false)))
		return false;
	if (filter->host && !has_host(filter->host, request))
		return false;
	if (filter->method && !has_method(filter->method, request))
		return false;
	return !filter->path || has_path(filter->path, request);
}
