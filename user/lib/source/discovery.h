/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * discovery.h - where libraries lie that a program may load: the linker's cache, or the standard directories where there is none (musl).
 *
 * In:  files. Out: calls of the caller's function with paths as the root in question sees them. The cache of a container is its owner's to
 * write: it is read into memory of bounded size and every offset in it is checked.
 */
#ifndef HT_DISCOVERY_H
#define HT_DISCOVERY_H

#include <stddef.h>

#define HT_DISCOVERY_CACHE_MAX (16u << 20)

/* 0, or not 0 to stop. path is absolute. */
typedef int (*ht_discovery_fn)(void *ctx, const char *path);
/* Whether a file of this name (no directory) is wanted. */
typedef int (*ht_discovery_match_fn)(const char *name);

/* The parser alone: data holds the cache, bytes long. 0, -EBADMSG when it is no cache or damaged (what was sound has been told), or what fn returned. */
int ht_discovery_cache(const void *data, size_t bytes, ht_discovery_match_fn match, ht_discovery_fn fn, void *ctx);

/* Tells the libraries below root_fd, a root directory: by its /etc/ld.so.cache, else by its standard directories. 0, -errno or what fn returned. */
int ht_discovery_root(int root_fd, ht_discovery_match_fn match, ht_discovery_fn fn, void *ctx);

#endif
