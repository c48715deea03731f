/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * redact.c - credentials in names, URLs and field values.
 *
 * In:  strings as on the wire. Out: verdicts, and malloc'ed copies with credentials replaced. Where it is not clear what a server would
 * take a text for, the reading that hides more wins: too much hidden costs a question, too little a password.
 *
 * A URL is not parsed by a grammar that a hostile or sloppy one would escape from: it is scanned for what may begin a parameter, at every
 * depth of percent encoding, so that a URL within a parameter of a URL is covered as well.
 */
#define _GNU_SOURCE
#include "req/redact.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A name is compared without its case and its separators. Longer ones are judged by their end, where the noun stands. */
#define NAME_MAX_BYTES 256

/* Whole names. */
static const char *const secret_names[] = {
	"assertion",
	"auth",
	"authcode",
	"authorizationcode",
	"bearer",
	"clientassertion",
	"codeverifier",
	"connectsid",
	"cookie",
	"creds",
	"csrf",
	"dpop",
	"fastlykey",
	"googleaccessid",
	"hmac",
	"key",
	"mfacode",
	"oauthverifier",
	"otp",
	"otpcode",
	"passwd",
	"pin",
	"pw",
	"samlresponse",
	"sectokenbinding",
	"session",
	"sid",
	"totp",
	"xamznoidcdata",
	"xfunctionskey",
	"xsrf",
};

/* Anywhere in the name. */
static const char *const secret_parts[] = {
	"accesskey", "accesstoken",   "apikey",    "applicationkey", "authkey",    "authorization",   "authtoken", "credential",
	"csrf",      "encryptionkey", "masterkey", "passcode",       "passphrase", "passwd",          "password",  "privatekey",
	"secretkey", "sessid",        "sessionid", "sharedkey",      "signingkey", "subscriptionkey", "xsrf",
};

/* At the end of the name: clientSecret, oauth_signature, refreshToken. */
static const char *const secret_ends[] = { "jwt", "pwd", "secret", "signature", "token" };

/* A word of the name: secret_id, user[pass], token.value, X-Hub-Signature-256. */
static const char *const secret_words[] = { "jwt", "pass", "pwd", "secret", "sig", "signature", "token" };

/* Say of what kind a credential is, how many there are, or whether any may be sent. */
static const char *const harmless_names[] = {
	"accesscontrolallowcredentials", "requestedtokentype", "subjecttokentype", "tokencount", "tokentype", "tokentypehint",
};

/* Fields whose value is a URL, or its authority; and those where URLs stand in a longer text, as they do wherever there is a scheme. */
static const char *const url_fields[] = {
	":authority",       ":path",           "content-location", "destination", "host",
	"location",         "origin",          "referer",          "sourcemap",   "uri",
	"x-forwarded-host", "x-forwarded-uri", "x-forwarded-url",  "x-host",      "x-original-host",
	"x-original-uri",   "x-original-url",  "x-rewrite-url",
};
static const char *const text_fields[] = { "link", "refresh" };

#define CNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Which letters each of those words has, bit 0 for an a: a text that lacks one does not hold the word. Nearly every comparison of a name with them ends
 * there. Made at the first call, once for the process.
 */
static uint32_t secret_names_letters[CNT(secret_names)], secret_parts_letters[CNT(secret_parts)], secret_ends_letters[CNT(secret_ends)],
	secret_words_letters[CNT(secret_words)], harmless_names_letters[CNT(harmless_names)];
static pthread_once_t letters_once = PTHREAD_ONCE_INIT;

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static uint32_t letters_of(const char *text)
{
	uint32_t letters = 0;

	for (; *text; text++)
		if (*text >= 'a' && *text <= 'z')
			letters |= 1u << (*text - 'a');
	return letters;
}

static void note_letters(uint32_t *letters, const char *const *list, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		letters[i] = letters_of(list[i]);
}

static void note_all_letters(void)
{
	note_letters(secret_names_letters, secret_names, CNT(secret_names));
	note_letters(secret_parts_letters, secret_parts, CNT(secret_parts));
	note_letters(secret_ends_letters, secret_ends, CNT(secret_ends));
	note_letters(secret_words_letters, secret_words, CNT(secret_words));
	note_letters(harmless_names_letters, harmless_names, CNT(harmless_names));
}

/* text has these letters. */
static bool is_one_of(const char *text, uint32_t letters, const char *const *list, const uint32_t *list_letters, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		if (letters == list_letters[i] && strcmp(text, list[i]) == 0)
			return true;
	return false;
}

#define IS_ONE_OF(text, letters, list) is_one_of(text, letters, list, list##_letters, CNT(list))

static bool is_secret_name(const char *name, size_t len)
{
	char whole[NAME_MAX_BYTES + 1], word[NAME_MAX_BYTES + 1];
	size_t whole_len = 0, word_len = 0;
	bool has_secret_word = false;
	uint32_t letters;

	pthread_once(&letters_once, note_all_letters);
	if (len > NAME_MAX_BYTES) {
		name += len - NAME_MAX_BYTES;
		len = NAME_MAX_BYTES;
	}
	for (size_t i = 0; i <= len; i++) {
		if (i < len && is_alnum(name[i])) {
			whole[whole_len++] = lower(name[i]);
			word[word_len++] = lower(name[i]);
			continue;
		}
		word[word_len] = '\0';
		word_len = 0;
		has_secret_word = has_secret_word || IS_ONE_OF(word, letters_of(word), secret_words);
	}
	whole[whole_len] = '\0';
	letters = letters_of(whole);
	if (IS_ONE_OF(whole, letters, harmless_names))
		return false;
	if (has_secret_word || IS_ONE_OF(whole, letters, secret_names))
		return true;
	for (size_t i = 0; i < CNT(secret_parts); i++)
		if (!(secret_parts_letters[i] & ~letters) && strstr(whole, secret_parts[i]))
			return true;
	for (size_t i = 0; i < CNT(secret_ends); i++) {
		size_t end_len = strlen(secret_ends[i]);

		if (secret_ends_letters[i] & ~letters)
			continue;
		if (whole_len >= end_len && strcmp(whole + whole_len - end_len, secret_ends[i]) == 0)
			return true;
	}
	return false;
}

bool ht_redact_is_secret_field(const char *name, size_t len)
{
	/* Set-Cookie, Cookie2, X-Cookie, Set-Cookie2. */
	for (size_t i = 0; i + 6 <= len; i++)
		if (lower(name[i]) == 'c' && strncasecmp(name + i, "cookie", 6) == 0)
			return true;
	return is_secret_name(name, len);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One character of a URL, percent-decoded as often as it is encoded. */
struct unit {
	char c;
	uint8_t depth; /* 0: it stands there itself; %3D: 1; %253D: 2 */
	size_t len;    /* bytes in the URL */
};

static struct unit unit_at(const char *url, size_t len)
{
	struct unit unit = { .c = url[0], .len = 1 };
	size_t at = 1;
	unsigned int depth = 1;

	if (url[0] != '%')
		return unit;
	/* %25 is %, so each "25" between the % and the digits is one encoding more. */
	while (at + 4 <= len && url[at] == '2' && url[at + 1] == '5' && hex_value(url[at + 2]) >= 0 && hex_value(url[at + 3]) >= 0 &&
	       depth < UINT8_MAX) {
		at += 2;
		depth++;
	}
	if (at + 2 > len || hex_value(url[at]) < 0 || hex_value(url[at + 1]) < 0)
		return unit;
	unit.c = (char)(hex_value(url[at]) << 4 | hex_value(url[at + 1]));
	unit.depth = (uint8_t)depth;
	unit.len = at + 2;
	return unit;
}

bool ht_redact_is_secret_param(const char *name, size_t len)
{
	char plain[4 * NAME_MAX_BYTES];
	size_t plain_len = 0;

	if (len > sizeof(plain)) {
		name += len - sizeof(plain);
		len = sizeof(plain);
	}
	for (size_t at = 0; at < len;) {
		struct unit unit = unit_at(name + at, len - at);

		plain[plain_len++] = unit.c;
		at += unit.len;
	}
	return is_secret_name(plain, plain_len);
}

struct output {
	char *text;
	size_t len;
	size_t cap;
	bool has_failed;
};

static void put(struct output *output, const char *text, size_t len)
{
	if (output->has_failed)
		return;
	if (output->len + len + 1 > output->cap) {
		size_t cap = (output->len + len + 1) * 2;
		char *larger = realloc(output->text, cap);

		if (!larger) {
			output->has_failed = true;
			return;
		}
		output->text = larger;
		output->cap = cap;
	}
	if (len)
		memcpy(output->text + output->len, text, len);
	output->len += len;
	output->text[output->len] = '\0';
}

/* A URL that is being scanned. */
struct scan {
	const char *url;
	size_t len;
	bool is_text; /* URLs within a longer text: Link: <...>, Refresh: 0; url="..." Only what follows // can be an authority */
};

/* Ends a URL within a text. In a URL alone these are only sloppy. */
static bool is_url_end(const struct scan *scan, const struct unit *unit)
{
	return scan->is_text && unit->depth == 0 && (unit->c == '<' || unit->c == '>' || unit->c == '"');
}

static bool begins_param(char c)
{
	return c == '?' || c == '&' || c == ';' || c == '#';
}

/*
 * Where the value that begins at `at` ends. Within a path at / and ; too (RFC 3986 section 3.3: matrix parameters); in a query a server
 * may take what follows a ; for part of the value. Separators that are encoded more deeply than the = belong to the value.
 */
static size_t value_end(const struct scan *scan, size_t at, uint8_t depth, bool is_in_path)
{
	while (at < scan->len) {
		struct unit unit = unit_at(scan->url + at, scan->len - at);

		if (is_url_end(scan, &unit))
			break;
		if (unit.depth <= depth) {
			if (unit.c == '&' || unit.c == '#')
				break;
			if (is_in_path && (unit.c == '/' || unit.c == ';' || unit.c == '?'))
				break;
		}
		at += unit.len;
	}
	return at;
}

/*
 * The secret [*from, *to) in the user info of the authority that begins at `at`, empty if there is none. That is the password; without one
 * it is the user name, as a token alone is given that way.
 */
static void find_user_info(const struct scan *scan, size_t at, uint8_t depth, size_t *from, size_t *to)
{
	size_t begin = at, colon = SIZE_MAX, password = SIZE_MAX, end = SIZE_MAX;

	while (at < scan->len) {
		struct unit unit = unit_at(scan->url + at, scan->len - at);

		if (is_url_end(scan, &unit))
			break;
		if (unit.depth <= depth) {
			if (unit.c == '/' || unit.c == '?' || unit.c == '#' || unit.c == '\\')
				break;
			if (unit.c == ':' && colon == SIZE_MAX) {
				colon = at;
				password = at + unit.len;
			}
			/* The last one: browsers and curl take an @ before it for part of the password. */
			if (unit.c == '@')
				end = at;
		}
		at += unit.len;
	}
	*from = *to = begin;
	if (end == SIZE_MAX)
		return;
	if (password < end) {
		*from = password;
		*to = end;
	} else {
		*to = colon < end ? colon : end;
	}
}

/* Copies a user info up to the end of its secret, which is replaced. Where to go on; `at` if there is none. */
static size_t put_user_info(struct output *output, const struct scan *scan, size_t at, uint8_t depth)
{
	size_t from, to;

	find_user_info(scan, at, depth, &from, &to);
	if (from == to)
		return at;
	put(output, scan->url + at, from - at);
	put(output, HT_REDACTED, strlen(HT_REDACTED));
	return to;
}

static char *redact(const struct scan *scan)
{
	struct output output = { .cap = scan->len + 32 };
	size_t name_at = SIZE_MAX; /* of the parameter that is being read; SIZE_MAX: none */
	char last = '\0', last_but_one = '\0';
	bool is_in_path = true;
	size_t at = 0;

	output.text = malloc(output.cap);
	if (!output.text)
		return NULL;
	output.text[0] = '\0';
	/* user:password@host without a scheme, as in a CONNECT. */
	if (scan->len && scan->url[0] != '/' && !scan->is_text)
		at = put_user_info(&output, scan, 0, 0);
	while (at < scan->len) {
		struct unit unit = unit_at(scan->url + at, scan->len - at);
		/* Behind scheme: or where a URL without a scheme begins; elsewhere // is an empty part of a path. */
		bool is_authority = unit.c == '/' && last == '/' && (!last_but_one || strchr(":=<\"' ", last_but_one));

		put(&output, scan->url + at, unit.len);
		at += unit.len;
		last_but_one = last;
		last = unit.c;
		if (is_authority) {
			at = put_user_info(&output, scan, at, unit.depth);
		} else if (is_url_end(scan, &unit)) {
			name_at = SIZE_MAX;
			is_in_path = true;
		} else if (begins_param(unit.c)) {
			name_at = at;
			if (unit.c != ';' && unit.depth == 0)
				is_in_path = false;
		} else if (unit.c == '=' && name_at != SIZE_MAX) {
			size_t end = value_end(scan, at, unit.depth, is_in_path);

			if (end > at && ht_redact_is_secret_param(scan->url + name_at, at - unit.len - name_at)) {
				put(&output, HT_REDACTED, strlen(HT_REDACTED));
				at = end;
			}
			name_at = SIZE_MAX;
		}
	}
	if (output.has_failed) {
		free(output.text);
		errno = ENOMEM;
		return NULL;
	}
	return output.text;
}

bool ht_redact_may_change(const char *url, size_t len)
{
	/* A user info ends with an @, a name with a =, as they stand there or percent-encoded. */
	for (size_t i = 0; i < len; i++)
		if (url[i] == '@' || url[i] == '=' || url[i] == '%')
			return true;
	return false;
}

char *ht_redact_url(const char *url, size_t len)
{
	struct scan scan = { .url = url, .len = len };

	return redact(&scan);
}

static bool is_field_of(const char *name, size_t len, const char *const *list, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		if (len && lower(name[0]) == list[i][0] && strlen(list[i]) == len && strncasecmp(name, list[i], len) == 0)
			return true;
	return false;
}

static bool holds_bearer(const char *value, size_t len)
{
	for (size_t i = 0; i + 6 <= len; i++)
		if (strncasecmp(value + i, "bearer", 6) == 0)
			return true;
	return false;
}

/* What the field's name and value make of it. */
enum verdict { KEPT, IS_URL, HOLDS_URLS, IS_SECRET };

static enum verdict judge(const char *name, size_t name_len, const char *value, size_t value_len)
{
	static const char *const protocol_field[] = { "sec-websocket-protocol" };

	if (is_field_of(name, name_len, url_fields, CNT(url_fields)))
		return IS_URL;
	if (ht_redact_is_secret_field(name, name_len))
		return IS_SECRET;
	if (is_field_of(name, name_len, text_fields, CNT(text_fields)) || memmem(value, value_len, "://", 3))
		return HOLDS_URLS;
	/* Browsers cannot set other fields for a WebSocket, so tokens travel here: base64url.bearer.authorization.k8s.io.<token>. */
	if (is_field_of(name, name_len, protocol_field, 1) && holds_bearer(value, value_len))
		return IS_SECRET;
	return KEPT;
}

bool ht_redact_field_may_change(const char *name, size_t name_len, const char *value, size_t value_len)
{
	enum verdict verdict = judge(name, name_len, value, value_len);

	return verdict == IS_SECRET || (verdict != KEPT && ht_redact_may_change(value, value_len));
}

char *ht_redact_field_value(const char *name, size_t name_len, const char *value, size_t value_len)
{
	enum verdict verdict = judge(name, name_len, value, value_len);
	struct scan scan = { .url = value, .len = value_len, .is_text = verdict == HOLDS_URLS };
	char *copy;

	if (verdict == IS_SECRET)
		return strdup(HT_REDACTED);
	if (verdict != KEPT)
		return redact(&scan);
	copy = malloc(value_len + 1);
	if (!copy)
		return NULL;
	if (value_len)
		memcpy(copy, value, value_len);
	copy[value_len] = '\0';
	return copy;
}
