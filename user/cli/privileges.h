/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * privileges.h - gives up what root, or file capabilities, gave us and tracing needs no more.
 *
 * Capabilities belong to threads: called when there is only one, later threads have what it has left (clone(2)).
 */
#ifndef HT_PRIVILEGES_H
#define HT_PRIVILEGES_H

#include <stdbool.h>

#include "run.h"

/*
 * Drops every capability of the calling thread, in all its sets but the bounding one, but for those that a live trace needs from now on; none is needed to
 * read a capture. No execve() of ours gains any again. COMMAND, which has been started before, keeps its own. With -v says what is kept, and why.
 */
void ht_privileges_drop(const struct ht_run *run);

/*
 * The library's threads that give children their probes want the lowest real-time priority, which takes CAP_SYS_NICE unless who starts them has it:
 * from before the drop until they have been started, the calling thread does. No condition: a failure is passed over.
 */
void ht_privileges_begin_rt(void);
void ht_privileges_end_rt(void);

#endif
