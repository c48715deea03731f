/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * proc.h - the processes that records speak of: names, and where they have spoken HTTP.
 */
#ifndef HT_PROC_H
#define HT_PROC_H

#include "conn/model.h"

/* The process, made if need be. NULL when memory is out. */
struct ht_proc *ht_proc_get(struct ht_engine *engine, uint32_t tgid);
/* Takes a PROC record. EXIT ends its connections and dials and frees it. */
void ht_proc_record(struct ht_engine *engine, const struct ht_rec_proc *rec, uint64_t now_ns);
void ht_proc_free(struct ht_proc *proc);

/* Remembers that the process spoke HTTP to host_port ("name:port") on a connection to remote. */
void ht_proc_spoke(struct ht_proc *proc, const char *host_port, const struct ht_addr *remote);
/* The same of what a request on the connection named: where that leads through a proxy, also of its target. */
void ht_conn_spoke(const struct ht_conn *conn, const char *host_port);
bool ht_proc_has_spoken(const struct ht_proc *proc, const char *host_port);
/* The same of a Unix socket's path. */
bool ht_proc_has_spoken_to(const struct ht_proc *proc, const struct ht_addr *remote);
/* Has any process spoken HTTP to this address and port? */
bool ht_proc_any_spoke(const struct ht_engine *engine, const struct ht_addr *remote);

#endif
