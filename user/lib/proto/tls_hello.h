/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tls_hello.h - what a TLS connection's first bytes tell: ClientHello and ServerHello, incremental (RFC 8446 section 4.1, RFC 5246 section 7.4.1).
 *
 * In:  the bytes of one direction of a socket from its first byte on, in pieces. Out: the facts, once the hello is whole. No I/O; memory at most
 * HT_HELLO_MAX_BYTES per direction, freed as soon as the answer is known.
 */
#ifndef HT_TLS_HELLO_H
#define HT_TLS_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HT_HELLO_MAX_BYTES 16384
#define HT_HELLO_NAME_MAX  256
#define HT_HELLO_ALPN_MAX  8

enum ht_hello_state {
	HT_HELLO_MORE,    /* more bytes needed */
	HT_HELLO_DONE,    /* known */
	HT_HELLO_NOT_TLS, /* these are no TLS records, or no hello */
	HT_HELLO_BROKEN,  /* TLS, but malformed, too large, or with a gap */
};

struct ht_client_hello {
	char server_name[HT_HELLO_NAME_MAX]; /* empty: none */
	char alpn[HT_HELLO_ALPN_MAX][32];    /* offered, in order; longer or further ones are left out */
	unsigned int alpn_cnt;
	bool has_session_id; /* a non-empty legacy session id (TLS 1.2 resumption offer or 1.3 compatibility) */
	bool has_ticket;     /* non-empty session_ticket extension */
	bool has_psk;        /* pre_shared_key: offers TLS 1.3 resumption */
	uint8_t session_id[32];
	uint8_t session_id_len;
	uint8_t random[32];
};

struct ht_server_hello {
	uint16_t version; /* negotiated: 0x0304 = TLS 1.3, from supported_versions where present */
	uint16_t cipher;  /* IANA number */
	bool is_psk;      /* pre_shared_key chosen: resumed, in TLS 1.3 */
	char alpn[32];    /* TLS 1.2 only: chosen protocol, empty: none told */
	uint8_t session_id[32];
	uint8_t session_id_len;
};

struct ht_hello; /* one direction */

enum ht_hello_side { HT_HELLO_CLIENT, HT_HELLO_SERVER };

/* NULL and errno. A HelloRetryRequest is passed over: the second ServerHello counts (the first ClientHello counts). */
struct ht_hello *ht_hello_new(enum ht_hello_side side);
void ht_hello_free(struct ht_hello *hello);
enum ht_hello_state ht_hello_feed(struct ht_hello *hello, const void *data, size_t len);
/* Bytes that were not captured: BROKEN unless already DONE. */
enum ht_hello_state ht_hello_skip(struct ht_hello *hello, uint64_t n);
/* NULL unless DONE and of that side. */
const struct ht_client_hello *ht_hello_client(const struct ht_hello *hello);
const struct ht_server_hello *ht_hello_server(const struct ht_hello *hello);

/* A TLS alert in clear at the start of data (record type 21, length 2): 1 and its level and description, else 0. */
int ht_tls_alert(const void *data, size_t len, uint8_t *level, uint8_t *description);

/* Names: "TLSv1.3"; "TLS_AES_256_GCM_SHA384"; "UNKNOWN_CA" style alert names (RFC 8446 section 6, upper case). NULL not known. */
const char *ht_tls_version_name(uint16_t version);
const char *ht_tls_cipher_name(uint16_t cipher);
const char *ht_tls_alert_name(uint8_t description);
/* OpenSSL 3 library error: library 20 (SSL) and others, by reason: "CERTIFICATE_VERIFY_FAILED", "WRONG_VERSION_NUMBER"; NULL not known. */
const char *ht_openssl_reason_name(uint32_t library, uint32_t reason);
/* X509_V_ERR_*: "self-signed certificate in certificate chain" and the like in our own words; NULL not known or OK. */
const char *ht_x509_verify_text(uint32_t verify_result);

#endif
