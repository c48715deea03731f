/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * conn_unix.c - connections by Unix sockets, and connects that failed: from one record, which comes when their first bytes have shown what they are.
 *
 * In:  struct ht_rec_unix_connect. Out: a connection with its dial, as TCP's states would have made them; or a dial that failed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn/conn.h"
#include "conn/dial.h"
#include "conn/proc.h"
#include "util/names.h"

const char *ht_conn_remote_text(const struct ht_conn *conn, char *buf, size_t len)
{
	if (!ht_conn_is_unix(conn))
		return ht_addr_port_text(&conn->remote, buf, len);
	snprintf(buf, len, "%s", conn->path ? conn->path : "");
	return buf;
}

/* As interface.md has it: the path, or "@name" of an abstract one, in which NUL is a character like others (here "@", as in /proc/net/unix). */
static void path_text(const struct ht_rec_unix_connect *rec, char text[HT_UNIX_PATH_MAX + 1])
{
	size_t len = rec->path_len;

	memcpy(text, rec->path, len);
	text[len] = '\0';
	if (text[0])
		return;
	for (size_t i = 0; i < len; i++)
		if (!text[i])
			text[i] = '@';
}

static void failed(struct ht_engine *engine, const struct ht_rec_unix_connect *rec, const char *path, const struct ht_addr *remote)
{
	struct ht_proc *proc = ht_proc_get(engine, rec->hdr.tgid);
	uint64_t start_ns = rec->start_ns ? rec->start_ns : rec->hdr.ts_ns;
	struct ht_dial *dial = proc ? ht_dial_unix(proc, rec->cookie, remote, path[0] ? path : NULL, start_ns, rec->hdr.tid) : NULL;

	if (dial)
		ht_dial_attempt_done(dial, rec->cookie, rec->done_ns ? rec->done_ns : rec->hdr.ts_ns, false, rec->err);
}

/* Its connect() was seen: the way to it becomes a dial. */
static void dialled(struct ht_conn *conn, const struct ht_rec_unix_connect *rec)
{
	conn->is_whole = true;
	conn->start_ns = rec->start_ns;
	/* It had returned when the first bytes passed. */
	conn->connected_ns = rec->done_ns ? rec->done_ns : rec->hdr.ts_ns;
	if (conn->proc)
		conn->dial = ht_dial_unix(conn->proc, conn->cookie, &conn->remote, conn->path, conn->start_ns, conn->tid);
	if (!conn->dial)
		return;
	conn->dial->conn_cnt++;
	ht_dial_find(conn->dial, conn->cookie)->is_done_inferred = !rec->done_ns;
	ht_dial_attempt_done(conn->dial, conn->cookie, conn->connected_ns, true, 0);
}

void ht_conn_unix(struct ht_engine *engine, const struct ht_rec_unix_connect *rec)
{
	struct ht_conn *conn = ht_conn_get(engine, rec->cookie);
	char path[HT_UNIX_PATH_MAX + 1];
	struct ht_addr remote;

	path_text(rec, path);
	remote = ht_addr_of_path(path[0] ? path : NULL);
	if (rec->err) {
		failed(engine, rec, path, &remote);
		return;
	}
	if (conn) { /* records that contradict each other */
		ht_conn_abandon(conn, rec->hdr.ts_ns);
		ht_conn_free(conn);
	}
	conn = ht_conn_make(engine, rec->cookie, rec->hdr.tgid);
	if (!conn)
		return;
	conn->tid = rec->hdr.tid;
	conn->start_ns = rec->hdr.ts_ns;
	conn->remote = remote;
	conn->path = path[0] ? strdup(path) : NULL;
	conn->lost += rec->hdr.lost;
	if (rec->start_ns)
		dialled(conn, rec);
}
