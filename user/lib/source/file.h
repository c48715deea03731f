/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * file.h - capture files: the recorder that writes the raw records of a live source, and the source that replays them.
 *
 * In:  records / a file. Out: a file / the same records in the same order. Format: docs/capture-format.md.
 */
#ifndef HT_FILE_H
#define HT_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "source/source.h"

struct ht_recorder;

/*
 * Starts a capture on fd (owned by the caller, position at its start, written only by write(2)): header first. NULL and errno.
 * Blocks of records are buffered; ht_recorder_flush() (called about once a second and at the end) writes what is there.
 */
struct ht_recorder *ht_recorder_new(int fd);
/* Copies one record. 0, or -errno of the write that failed (ENOSPC ...): the recorder then takes nothing more and what was written stays sound. */
int ht_recorder_add(struct ht_recorder *recorder, const struct ht_hdr *rec);
int ht_recorder_flush(struct ht_recorder *recorder);
/* Writes the last block and the trailer. 0 or -errno. */
int ht_recorder_finish(struct ht_recorder *recorder);
void ht_recorder_free(struct ht_recorder *recorder);
uint64_t ht_recorder_bytes(const struct ht_recorder *recorder);

/*
 * Opens a capture. On failure NULL, errno (EBADMSG: no capture, or of another version or byte order), and one sentence in err.
 * poll() delivers up to a block a call; at the end -ENODATA. A file cut or damaged delivers what is sound, then -ENODATA, and
 * ht_replay_problem() tells the sentence that says where it stopped ("block at byte N: checksum does not match ...").
 */
struct ht_source *ht_replay_open(const char *path, char *err, size_t err_len);
/* NULL when the file was whole. */
const char *ht_replay_problem(const struct ht_source *source);

/* A source over records in memory (tests, fuzzing): the bytes of records one after another; kept by the caller. */
struct ht_source *ht_memory_open(const void *records, size_t bytes);

#endif
