/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * list.h - a doubly linked list whose nodes live inside their objects. Owns nothing.
 */
#ifndef HT_LIST_H
#define HT_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct ht_list {
	struct ht_list *next, *prev;
};

#define ht_container(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static inline void ht_list_init(struct ht_list *list)
{
	list->next = list->prev = list;
}

static inline bool ht_list_is_empty(const struct ht_list *list)
{
	return list->next == list;
}

static inline void ht_list_append(struct ht_list *list, struct ht_list *node)
{
	node->prev = list->prev;
	node->next = list;
	list->prev->next = node;
	list->prev = node;
}

/* Leaves the node as an empty list: removing it again does no harm. */
static inline void ht_list_remove(struct ht_list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	ht_list_init(node);
}

/* Walks objects; the current one may be removed and freed. pos and following are pointers to the object's type. */
#define ht_list_each(list, pos, following, member)                                \
	for (pos = ht_container((list)->next, __typeof__(*pos), member),          \
	    following = ht_container(pos->member.next, __typeof__(*pos), member); \
	     &pos->member != (list); pos = following, following = ht_container(pos->member.next, __typeof__(*pos), member))

#endif
