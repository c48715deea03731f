/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * names.h - error numbers and addresses as text. Pure functions; results are static or written to the caller's buffer.
 */
#ifndef HT_NAMES_H
#define HT_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/event.h"

/* "[" INET6_ADDRSTRLEN "%4294967295]:65535" and more. */
#define HT_ADDR_TEXT_MAX 80
/* Digits of a uint64_t. */
#define HT_DECIMAL_MAX   20

/* "ECONNREFUSED" and "Connection refused" of a positive errno; "ERRNO_517" is written to buf where it has no name. Never NULL. */
const char *ht_errno_name(int err, char *buf, size_t len);
const char *ht_errno_text(int err);
/* "EAI_NONAME" and its text, of glibc's negative EAI codes. */
const char *ht_eai_name(int eai, char *buf, size_t len);
const char *ht_eai_text(int eai);

/* "127.0.0.1", "::1", "fe80::1%2"; "127.0.0.1:80", "[::1]:80". Empty for an unknown family. Return buf. */
const char *ht_addr_text(const struct ht_addr *addr, char *buf, size_t len);
const char *ht_addr_port_text(const struct ht_addr *addr, char *buf, size_t len);
/* Writes a number's digits, at most HT_DECIMAL_MAX, without a NUL. Returns where they end. */
char *ht_decimal(char *at, uint64_t value);
/* A literal address of len bytes, IPv6 without brackets and zone. False: it is none. */
bool ht_addr_of_text(const char *text, size_t len, struct ht_addr *addr);
bool ht_addr_is_same_host(const struct ht_addr *a, const struct ht_addr *b);
bool ht_addr_is_loopback(const struct ht_addr *addr);
/*
 * What stands for a Unix socket's path where addresses are compared: 128 bits of hash. path NULL: not known, which ht_addr_is_unix_unknown() finds out.
 */
struct ht_addr ht_addr_of_path(const char *path);
bool ht_addr_is_unix_unknown(const struct ht_addr *addr);
/* Is this host name a literal address (RFC 3986: also in brackets, also with a zone)? */
bool ht_is_literal_addr(const char *host);

#endif
