/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * output.h - whole lines onto a file descriptor, whoever reads it and however slowly.
 *
 * In:  bytes that end with a line's end. Out: write(2) on the caller's fd, or on a second, non-blocking opening of the pipe behind it
 * (O_NONBLOCK is a property of the opening, which a shell and COMMAND share with us: it is not ours to set). Memory: none.
 */
#ifndef HT_OUTPUT_H
#define HT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

struct ht_output {
	int fd;      /* the caller's */
	int pipe_fd; /* ours, -1: none */
	bool is_file;
	bool is_shared;
	bool is_torn;       /* after a failure: a part of a line stands at the end of what was written */
	size_t batch_bytes; /* of lines that go well into one write; more only where one report is longer */
	bool (*is_urgent)(void *ctx);
	void *ctx;
};

/*
 * is_shared: somebody else writes there too, between our writes. is_urgent (NULL: never) tells whether we are asked to end: a reader that
 * takes nothing is then waited for no longer than half a second.
 */
void ht_output_open(struct ht_output *output, int fd, bool is_shared, bool (*is_urgent)(void *ctx), void *ctx);
/*
 * All of it, or -errno: -ETIMEDOUT where a reader was given up. Of a batch that failed, whole lines stay in a regular file: the part of a
 * line behind them is cut off again, unless the file is shared.
 */
int ht_output_write(struct ht_output *output, const char *data, size_t len);
void ht_output_close(struct ht_output *output);

#endif
