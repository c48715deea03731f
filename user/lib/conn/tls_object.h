/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tls_object.h - TLS objects (SSL*): handshake, binding to a socket by evidence, plaintext.
 */
#ifndef HT_TLS_OBJECT_H
#define HT_TLS_OBJECT_H

#include "conn/model.h"

void ht_tls_record(struct ht_engine *engine, const struct ht_rec_tls *rec);
/* Plaintext (tls_id not 0). */
void ht_tls_data(struct ht_engine *engine, const struct ht_rec_data *rec);
/* The connection goes away: the object is unbound, and freed where the program has freed it before. */
void ht_tls_unbind(struct ht_tls_object *object);
void ht_tls_free(struct ht_tls_object *object);
/* Its process has ended: what the program has not freed is gone all the same; connections keep theirs. */
void ht_tls_exit(struct ht_proc *proc);
/* "nested", "fd", "bytes"; NULL for none. */
const char *ht_tls_evidence_name(uint8_t evidence);
/* "openssl"; NULL not known. */
const char *ht_tls_library_name(uint16_t library);

#endif
