/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * map.c - open addressing with linear probing, at most 3/4 full; deletion moves followers back, so there are no tombstones.
 */
#include "util/map.h"

#include <errno.h>
#include <stdlib.h>

#define MAP_MIN_CAP 64

/* Finaliser of MurmurHash3: identities are often small consecutive numbers. */
static size_t home_of(const struct ht_map *map, uint64_t key)
{
	key ^= key >> 33;
	key *= 0xff51afd7ed558ccdull;
	key ^= key >> 33;
	return (size_t)key & (map->cap - 1);
}

void ht_map_free(struct ht_map *map)
{
	free(map->slots);
	map->slots = NULL;
	map->cap = map->cnt = 0;
}

static size_t find(const struct ht_map *map, uint64_t key)
{
	size_t i = home_of(map, key);

	while (map->slots[i].value && map->slots[i].key != key)
		i = (i + 1) & (map->cap - 1);
	return i;
}

void *ht_map_get(const struct ht_map *map, uint64_t key)
{
	return map->cap ? map->slots[find(map, key)].value : NULL;
}

static int grow(struct ht_map *map)
{
	struct ht_map bigger = { .cap = map->cap ? map->cap * 2 : MAP_MIN_CAP, .cnt = map->cnt };

	bigger.slots = calloc(bigger.cap, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < map->cap; i++)
		if (map->slots[i].value)
			bigger.slots[find(&bigger, map->slots[i].key)] = map->slots[i];
	free(map->slots);
	*map = bigger;
	return 0;
}

int ht_map_put(struct ht_map *map, uint64_t key, void *value)
{
	size_t i;

	if ((map->cnt + 1) * 4 > map->cap * 3) {
		int err = grow(map);

		if (err)
			return err;
	}
	i = find(map, key);
	if (!map->slots[i].value)
		map->cnt++;
	map->slots[i] = (struct ht_map_slot){ .key = key, .value = value };
	return 0;
}

void *ht_map_take(struct ht_map *map, uint64_t key)
{
	size_t i, j;
	void *value;

	if (!map->cap)
		return NULL;
	i = find(map, key);
	value = map->slots[i].value;
	if (!value)
		return NULL;
	map->slots[i].value = NULL;
	map->cnt--;
	for (j = (i + 1) & (map->cap - 1); map->slots[j].value; j = (j + 1) & (map->cap - 1)) {
		size_t home = home_of(map, map->slots[j].key);

		/* A follower may move into the hole unless its home lies cyclically behind the hole. */
		if (((j - home) & (map->cap - 1)) >= ((j - i) & (map->cap - 1))) {
			map->slots[i] = map->slots[j];
			map->slots[j].value = NULL;
			i = j;
		}
	}
	return value;
}
