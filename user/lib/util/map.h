/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * map.h - a hash table from a 64-bit identity (socket cookie, TLS id, pid) to an object. Owns its slots, not the objects. Key 0 is allowed.
 */
#ifndef HT_MAP_H
#define HT_MAP_H

#include <stddef.h>
#include <stdint.h>

struct ht_map_slot {
	uint64_t key;
	void *value; /* NULL: free */
};

struct ht_map {
	struct ht_map_slot *slots;
	size_t cap; /* power of two, or 0 */
	size_t cnt;
};

void ht_map_free(struct ht_map *map);
void *ht_map_get(const struct ht_map *map, uint64_t key);
/* value must not be NULL; replaces. 0 or -ENOMEM. */
int ht_map_put(struct ht_map *map, uint64_t key, void *value);
/* The value taken out, NULL if there was none. */
void *ht_map_take(struct ht_map *map, uint64_t key);

#endif
