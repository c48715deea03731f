/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * say.h - what the program tells people on standard error: one line, in one write(2), as COMMAND may write there, too.
 */
#ifndef HT_SAY_H
#define HT_SAY_H

#define HT_PROGRAM "httptrace-bpf"

/* "httptrace-bpf: text". Control characters and what is no UTF-8 are written as \xNN: names of others' files and
 * processes cannot take over a terminal. */
void ht_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line that the next one overwrites. Only for a terminal. */
void ht_say_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Wipes it. */
void ht_say_progress_end(void);

#endif
