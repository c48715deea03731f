/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * redact.h - keeps credentials out of everything that is reported.
 *
 * Pure functions on strings; nothing is kept.
 */
#ifndef HT_REDACT_H
#define HT_REDACT_H

#include <stdbool.h>
#include <stddef.h>

#define HT_REDACTED "[redacted]"

/* Is the value of a field of this name a credential (authorization, cookie, set-cookie, x-api-key, ... any case)? */
bool ht_redact_is_secret_field(const char *name, size_t len);
/* Is the value of a query parameter of this name a credential (token, access_token, password, api_key, sig, ...)? */
bool ht_redact_is_secret_param(const char *name, size_t len);
/*
 * Copies a URL or a request-target or a field value that is a URL (Location, Referer): user info's password and the values of credential-like query
 * (and fragment) parameters become [redacted]. Returns a malloc'ed string; NULL and errno ENOMEM.
 */
char *ht_redact_url(const char *url, size_t len);
/* May ht_redact_url() make something else of it? False is certain, and quick to know. */
bool ht_redact_may_change(const char *url, size_t len);
/* A copy of a field's value, redacted as its name demands (URL-carrying fields by ht_redact_url). malloc'ed; NULL and ENOMEM. */
char *ht_redact_field_value(const char *name, size_t name_len, const char *value, size_t value_len);
/* As ht_redact_may_change(). */
bool ht_redact_field_may_change(const char *name, size_t name_len, const char *value, size_t value_len);

#endif
