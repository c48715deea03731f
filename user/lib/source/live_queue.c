/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * live_queue.c - see live_queue.h.
 */
#include <stdlib.h>
#include <string.h>

#include "source/live_queue.h"

void *ht_queue_add(struct ht_queue *queue, uint16_t kind, size_t size, uint64_t ts_ns, uint32_t tgid)
{
	struct ht_hdr *hdr;

	size = (size + 7) & ~(size_t)7;
	if (queue->bytes + size > queue->room) {
		size_t room = queue->room ? 2 * queue->room : 4096;
		uint8_t *grown;

		while (room < queue->bytes + size)
			room *= 2;
		grown = room > HT_QUEUE_BYTES_MAX ? NULL : realloc(queue->data, room);
		if (!grown) {
			queue->dropped_cnt++;
			queue->seq++;
			return NULL;
		}
		queue->data = grown;
		queue->room = room;
	}
	hdr = (void *)(queue->data + queue->bytes);
	memset(hdr, 0, size);
	queue->bytes += size;
	hdr->size = (uint32_t)size;
	hdr->kind = kind;
	hdr->ts_ns = ts_ns;
	hdr->seq = queue->seq++;
	hdr->cpu = HT_CPU_USER;
	hdr->tgid = tgid;
	return hdr;
}

void ht_queue_take(struct ht_queue *queue, struct ht_queue *taken)
{
	*taken = (struct ht_queue){ .data = queue->data, .bytes = queue->bytes, .room = queue->room };
	queue->data = NULL;
	queue->bytes = queue->room = 0;
}

int ht_queue_drain(struct ht_queue *queue, ht_record_fn fn, void *ctx)
{
	size_t done = 0;
	int cnt = 0, err = 0;

	while (done < queue->bytes && err >= 0) {
		const struct ht_hdr *hdr = (const void *)(queue->data + done);

		err = fn(ctx, hdr);
		done += hdr->size;
		cnt++;
	}
	ht_queue_free(queue);
	return err < 0 ? err : cnt;
}

void ht_queue_free(struct ht_queue *queue)
{
	free(queue->data);
	queue->data = NULL;
	queue->bytes = queue->room = 0;
}
