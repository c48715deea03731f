/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * conn_tls.h - what is known of a connection's TLS: hellos and alerts from the socket's bytes, the handshake from the library's calls.
 */
#ifndef HT_CONN_TLS_H
#define HT_CONN_TLS_H

#include "conn/model.h"

/* Socket bytes of a TLS connection. */
void ht_conn_tls_bytes(struct ht_conn *conn, const struct ht_rec_data *rec);
void ht_conn_tls_clear(struct ht_conn *conn);

/* What is known of the handshake: version NULL, cipher 0, where it is not. */
void ht_conn_tls_facts(const struct ht_conn *conn, const char **version, uint16_t *cipher, enum httptrace_tristate *resumed);
/* Never NULL, empty where there is none. */
const char *ht_conn_tls_alpn(const struct ht_conn *conn);
const char *ht_conn_tls_server_name(const struct ht_conn *conn);
/* Static, or in the request's arena. */
const char *ht_conn_tls_cipher_text(struct httptrace_request *request, uint16_t cipher);

#endif
