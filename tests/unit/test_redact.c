/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_redact.c - which names are credentials, and what is left of URLs and field values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "req/redact.h"

#define R HT_REDACTED

static const struct {
	const char *name;
	bool expected;
} fields[] = {
	{ "Authorization", true },
	{ "authorization", true },
	{ "AUTHORIZATION", true },
	{ "Proxy-Authorization", true },
	{ "X-Forwarded-Authorization", true },
	{ "Cookie", true },
	{ "Cookie2", true },
	{ "Set-Cookie", true },
	{ "set-cookie2", true },
	{ "X-Api-Key", true },
	{ "x-apikey", true },
	{ "API-Key", true },
	{ "DD-API-KEY", true },
	{ "DD-APPLICATION-KEY", true },
	{ "X-RapidAPI-Key", true },
	{ "Ocp-Apim-Subscription-Key", true },
	{ "X-Functions-Key", true },
	{ "Fastly-Key", true },
	{ "X-Auth-Token", true },
	{ "X-Auth-Key", true },
	{ "X-Access-Token", true },
	{ "Private-Token", true },
	{ "JOB-TOKEN", true },
	{ "X-Vault-Token", true },
	{ "X-Amz-Security-Token", true },
	{ "X-CSRF-Token", true },
	{ "X-XSRF-TOKEN", true },
	{ "X-CSRFToken", true },
	{ "X-Session-Id", true },
	{ "X-Password", true },
	{ "CF-Access-Client-Secret", true },
	{ "CF-Access-Jwt-Assertion", true },
	{ "X-Goog-Iap-Jwt-Assertion", true },
	{ "X-Amzn-Oidc-Data", true },
	{ "X-Hub-Signature-256", true },
	{ "Sec-Token-Binding", true },
	{ "DPoP", true },
	{ "", false },
	{ "Host", false },
	{ "User-Agent", false },
	{ "Accept", false },
	{ "Content-Length", false },
	{ "Location", false },
	{ "ETag", false },
	{ "WWW-Authenticate", false },
	{ "Proxy-Authenticate", false },
	{ ":authority", false },
	{ "X-Author", false },
	{ "Sec-WebSocket-Key", false },
	{ "Idempotency-Key", false },
	{ "Keep-Alive", false },
	{ "Access-Control-Allow-Credentials", false },
	{ "X-RateLimit-Remaining-Tokens", false },
	{ "X-Compass", false },
};

static void fields_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (ht_redact_is_secret_field(fields[i].name, strlen(fields[i].name)) != fields[i].expected)
			fail_msg("field %s: expected %d", fields[i].name, fields[i].expected);
	/* The length counts, not a NUL. */
	assert_true(ht_redact_is_secret_field("Cookie: a", 6));
	assert_false(ht_redact_is_secret_field("Cookie", 5));
}

static const struct {
	const char *name;
	bool expected;
} params[] = {
	{ "token", true },
	{ "TOKEN", true },
	{ "access_token", true },
	{ "accessToken", true },
	{ "refresh-token", true },
	{ "id_token", true },
	{ "auth", true },
	{ "authToken", true },
	{ "password", true },
	{ "passwd", true },
	{ "user_password", true },
	{ "newPassword2", true },
	{ "user[password]", true },
	{ "user%5Bpassword%5D", true },
	{ "user[pass]", true },
	{ "pwd", true },
	{ "api_key", true },
	{ "apikey", true },
	{ "api-key", true },
	{ "api.key", true },
	{ "key", true },
	{ "client_secret", true },
	{ "clientSecret", true },
	{ "client_assertion", true },
	{ "code_verifier", true },
	{ "sig", true },
	{ "signature", true },
	{ "oauth_signature", true },
	{ "X-Amz-Signature", true },
	{ "X-Amz-Credential", true },
	{ "X-Amz-Security-Token", true },
	{ "X-Goog-Signature", true },
	{ "AWSAccessKeyId", true },
	{ "GoogleAccessId", true },
	{ "sessionid", true },
	{ "PHPSESSID", true },
	{ "jsessionid", true },
	{ "sid", true },
	{ "csrf", true },
	{ "csrfmiddlewaretoken", true },
	{ "_csrf", true },
	{ "jwt", true },
	{ "SAMLResponse", true },
	{ "otp", true },
	{ "%74oken", true },
	{ "%2574oken", true },
	{ "to%6ben", true },
	{ "%54%4F%4B%45%4E", true },
	{ "", false },
	{ "a", false },
	{ "q", false },
	{ "id", false },
	{ "page", false },
	{ "max_tokens", false },
	{ "tokenize", false },
	{ "token_type", false },
	{ "author", false },
	{ "authority", false },
	{ "authenticate", false },
	{ "passenger", false },
	{ "keyword", false },
	{ "monkey", false },
	{ "design", false },
	{ "sigma", false },
	{ "response_type", false },
	{ "client_id", false },
	{ "state", false },
	{ "to%6", false },
	{ "%", false },
	{ "%zz", false },
};

static void params_by_name(void **state)
{
	char longer[5000];

	(void)state;
	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++)
		if (ht_redact_is_secret_param(params[i].name, strlen(params[i].name)) != params[i].expected)
			fail_msg("parameter %s: expected %d", params[i].name, params[i].expected);
	/* A name is judged by its end, however long it is. */
	memset(longer, 'x', sizeof(longer));
	assert_false(ht_redact_is_secret_param(longer, sizeof(longer)));
	memcpy(longer + sizeof(longer) - 6, "_token", 6);
	assert_true(ht_redact_is_secret_param(longer, sizeof(longer)));
	assert_true(ht_redact_is_secret_field(longer, sizeof(longer)));
}

static const struct {
	const char *why;
	const char *url;
	const char *expected; /* NULL: unchanged */
} urls[] = {
	{ "nothing", "", NULL },
	{ "nothing to hide", "https://example.com/a/b?c=d&e=f#g", NULL },
	{ "one parameter", "/?token=abc", "/?token=" R },
	{ "the first of two", "/?token=abc&a=1", "/?token=" R "&a=1" },
	{ "the last of two", "/a?a=1&token=abc", "/a?a=1&token=" R },
	{ "case of the name", "/?ACCESS_Token=abc", "/?ACCESS_Token=" R },
	{ "name in percent encoding, kept as it was", "/?%74oken=abc", "/?%74oken=" R },
	{ "several of them, the same twice", "/?sig=1&sig=2&password=3", "/?sig=" R "&sig=" R "&password=" R },
	{ "no value", "/?a=1&token", NULL },
	{ "no value and more behind it", "/?token&a=1", NULL },
	{ "empty value", "/?token=&a=1", NULL },
	{ "empty value at the end", "/?token=", NULL },
	{ "= in the value", "/?token=YWJj==&a=1", "/?token=" R "&a=1" },
	{ "encoded separator in the value", "/?token=ab%26cd&a=1", "/?token=" R "&a=1" },
	{ "encoded separators deeper still", "/?token=ab%2526cd%3D&a=1", "/?token=" R "&a=1" },
	{ "? in the value", "/?token=a?b&c=1", "/?token=" R "&c=1" },
	{ "/ in the value", "/?token=a/b/c", "/?token=" R },
	{ "quote in the value", "/?token=a\"b<c>d&e=f", "/?token=" R "&e=f" },
	{ "; separates: a parameter behind it is seen", "/?a=1;token=x", "/?a=1;token=" R },
	{ "; may also be part of the value", "/?token=abc;def&c=3", "/?token=" R "&c=3" },
	{ "empty parameters", "/?&&token=x&&", "/?&&token=" R "&&" },
	{ "fragment of an OAuth answer", "https://h/cb#access_token=abc&token_type=bearer&expires_in=3600",
	  "https://h/cb#access_token=" R "&token_type=bearer&expires_in=3600" },
	{ "value ends where the fragment begins", "/?token=abc#top", "/?token=" R "#top" },
	{ "fragment with a route and a query", "/#/login?token=abc", "/#/login?token=" R },
	{ "matrix parameter in a path", "/a;jsessionid=0F1E/b?c=d", "/a;jsessionid=" R "/b?c=d" },
	{ "matrix parameter at the end of the path", "/a;jsessionid=0F1E?c=d", "/a;jsessionid=" R "?c=d" },
	{ "two matrix parameters", "/a;sid=1;b=2/c", "/a;sid=" R ";b=2/c" },
	{ "= in a path", "/token=abc/", NULL },
	{ "@ and : in a path", "/users/joe:admin@example.com", NULL },
	{ "password", "https://joe:geheim@h/", "https://joe:" R "@h/" },
	{ "password and port", "https://joe:geheim@h:8443/a?b", "https://joe:" R "@h:8443/a?b" },
	{ "password with @", "https://joe:a@b@h/", "https://joe:" R "@h/" },
	{ "password with :", "https://joe:a:b@h/", "https://joe:" R "@h/" },
	{ "password in percent encoding", "https://joe:a%40b%3A@h/", "https://joe:" R "@h/" },
	{ "user alone: a token is given this way", "https://ghp_abc@github.com/x", "https://" R "@github.com/x" },
	{ "user and empty password", "https://sk_live_1:@h/", "https://" R ":@h/" },
	{ "empty user", "https://:geheim@h/", "https://:" R "@h/" },
	{ "empty user info", "https://@h/", NULL },
	{ "no user info but an @ behind the path", "https://h:80/a@b", NULL },
	{ "@ in the query", "https://h?mail=a:b@c", NULL },
	{ "other schemes", "redis://:geheim@h:6379/0", "redis://:" R "@h:6379/0" },
	{ "without a scheme", "//joe:geheim@h/", "//joe:" R "@h/" },
	{ "empty parts of a path are no authority", "https://h/a//joe:x@y", NULL },
	{ "authority form", "joe:geheim@h:443", "joe:" R "@h:443" },
	{ "authority form as it should be", "h:443", NULL },
	{ "asterisk form", "*", NULL },
	{ "IPv6", "http://[::1]:80/?key=1", "http://[::1]:80/?key=" R },
	{ "IPv6 and password", "http://u:p@[::1]:80/", "http://u:" R "@[::1]:80/" },
	{ "a URL in a parameter", "/?next=http://h/?token=x&a=1", "/?next=http://h/?token=" R "&a=1" },
	{ "an encoded URL in a parameter", "/?next=https%3A%2F%2Fh%2F%3Ftoken%3Dabc%26b%3D1&c=2",
	  "/?next=https%3A%2F%2Fh%2F%3Ftoken%3D" R "%26b%3D1&c=2" },
	{ "encoded twice", "/?n=%252F%253Ftoken%253Dabc%2526b%253D1&c=2", "/?n=%252F%253Ftoken%253D" R "%2526b%253D1&c=2" },
	{ "encoded password", "/?next=https%3A%2F%2Fjoe%3Ageheim%40h%2F&a=1", "/?next=https%3A%2F%2Fjoe%3A" R "%40h%2F&a=1" },
	{ "password of a URL in a path", "/fetch/http://joe:geheim@h/", "/fetch/http://joe:" R "@h/" },
	{ "URL without a scheme in a parameter", "/?u=//joe:geheim@h/", "/?u=//joe:" R "@h/" },
	{ "both", "https://joe:x@h/?token=y#key=z", "https://joe:" R "@h/?token=" R "#key=" R },
	{ "broken percent encoding", "/?to%ken=x&%=y&%2=z&token=%", "/?to%ken=" R "&%=y&%2=z&token=" R },
	{ "redacted already", "/?token=[redacted]&a=1", NULL },
	{ "name is of PHP's kind", "/?u%5Bpassword%5D=x&u[name]=joe", "/?u%5Bpassword%5D=" R "&u[name]=joe" },
	{ "signed URL of S3",
	  "https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2Fb&X-Amz-Expires=60&X-Amz-Signature=ff",
	  "https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" R "&X-Amz-Expires=60&X-Amz-Signature=" R },
	{ "signed URL of Azure", "https://a.blob.core.windows.net/c?sv=2022-11-02&se=2024&sr=b&sp=r&sig=aa%3D",
	  "https://a.blob.core.windows.net/c?sv=2022-11-02&se=2024&sr=b&sp=r&sig=" R },
	{ "bytes over 127", "/\xc3\xa4?token=\xff&a=\xfe", "/\xc3\xa4?token=" R "&a=\xfe" },
};

static void expect_text(const char *why, char *is, const char *expected)
{
	assert_non_null(is);
	if (strcmp(is, expected) != 0)
		fail_msg("%s: %s, expected %s", why, is, expected);
	free(is);
}

static void urls_without_credentials(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		const char *expected = urls[i].expected ? urls[i].expected : urls[i].url;
		size_t len = strlen(urls[i].url);
		/* Of exactly its length, for a sanitizer to see what is read beyond. */
		char *exact = malloc(len ? len : 1);

		assert_non_null(exact);
		memcpy(exact, urls[i].url, len);
		expect_text(urls[i].why, ht_redact_url(exact, len), expected);
		if (strcmp(expected, urls[i].url) && !ht_redact_may_change(exact, len))
			fail_msg("%s: said to stay as it is", urls[i].why);
		free(exact);
		/* What has been redacted stays as it is. */
		expect_text(urls[i].why, ht_redact_url(expected, strlen(expected)), expected);
		expect_text(urls[i].why, ht_redact_field_value("location", 8, urls[i].url, len), expected);
	}
}

static void url_cut_anywhere(void **state)
{
	static const char url[] =
		"https://joe:geheim@h/a;sid=geheim/?next=https%3A%2F%2Fjoe%3Ageheim%40h%2F%3Ftoken%3Dgeheim&token=geheim#key=geheim";

	(void)state;
	for (size_t len = 0; len < sizeof(url); len++) {
		char *is = ht_redact_url(url, len);

		assert_non_null(is);
		/* Until its @ has come, a password looks like a port. */
		if (len > strlen("https://joe:geheim") &&
		    len != strlen("https://joe:geheim@h/a;sid=geheim/?next=https%3A%2F%2Fjoe%3Ageheim") &&
		    len != strlen("https://joe:geheim@h/a;sid=geheim/?next=https%3A%2F%2Fjoe%3Ageheim%") &&
		    len != strlen("https://joe:geheim@h/a;sid=geheim/?next=https%3A%2F%2Fjoe%3Ageheim%4"))
			assert_null(strstr(is, "geheim"));
		free(is);
	}
}

static void longest_growth(void **state)
{
	/* Each value of one byte becomes [redacted]: the copy is several times longer. */
	enum { PARAM_CNT = 5000 };
	static char url[1 + PARAM_CNT * 6 + 1];
	size_t len = 0;
	char *is;

	(void)state;
	url[len++] = '?';
	for (int i = 0; i < PARAM_CNT; i++) {
		memcpy(url + len, "key=x&", 6);
		len += 6;
	}
	is = ht_redact_url(url, len);
	assert_non_null(is);
	assert_int_equal(strlen(is), len + PARAM_CNT * (strlen(R) - 1));
	assert_null(strchr(is, 'x'));
	free(is);
}

static const struct {
	const char *why;
	const char *name;
	const char *value;
	const char *expected;
} values[] = {
	{ "credential", "Authorization", "Bearer abc", R },
	{ "credential without a value", "Cookie", "", R },
	{ "harmless", "Accept", "text/html;q=0.8, token=x", "text/html;q=0.8, token=x" },
	{ "empty", "Accept", "", "" },
	{ "where to", "Location", "https://h/?token=x", "https://h/?token=" R },
	{ "where from, any case", "REFERER", "https://h/?a=1&sig=x", "https://h/?a=1&sig=" R },
	{ "HTTP/2's path", ":path", "/?token=x", "/?token=" R },
	{ "several URLs in a text", "Link", "<https://h/?token=x>; rel=\"next\", <https://h/?page=2&key=y>; rel=\"last\"",
	  "<https://h/?token=" R ">; rel=\"next\", <https://h/?page=2&key=" R ">; rel=\"last\"" },
	{ "password in a text", "Link", "<https://u:p@h/>; rel=next", "<https://u:" R "@h/>; rel=next" },
	{ "URL behind a number", "Refresh", "5; url=https://h/?token=x", "5; url=https://h/?token=" R },
	{ "URL behind a number, in quotes", "Refresh", "5; url=\"https://u:p@h/?token=x\"", "5; url=\"https://u:" R "@h/?token=" R "\"" },
	{ "a token in place of a protocol", "Sec-WebSocket-Protocol", "base64url.bearer.authorization.k8s.io.abc, v4.channel.k8s.io", R },
	{ "protocols", "Sec-WebSocket-Protocol", "chat, superchat", "chat, superchat" },
	{ "user info in front of a host", "Host", "joe:geheim@h:80", "joe:" R "@h:80" },
	{ "a host", "Host", "[::1]:80", "[::1]:80" },
	{ "a query behind a host", "Host", "h/?token=x", "h/?token=" R },
	{ "hosts that a proxy tells", "X-Forwarded-Host", "a, joe:geheim@h", "a, joe:" R "@h" },
	{ "a URL in any field", "X-Callback", "https://joe:geheim@h/?token=x", "https://joe:" R "@h/?token=" R },
	{ "no URL, and no user info", "From", "joe@h", "joe@h" },
	{ "sources in a policy", "Content-Security-Policy", "default-src 'self' https://h; img-src *",
	  "default-src 'self' https://h; img-src *" },
	{ "which credentials are allowed is none", "Access-Control-Allow-Credentials", "true", "true" },
};

static void field_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		size_t name_len = strlen(values[i].name), len = strlen(values[i].value);

		expect_text(values[i].why, ht_redact_field_value(values[i].name, name_len, values[i].value, len), values[i].expected);
		if (strcmp(values[i].value, values[i].expected) &&
		    !ht_redact_field_may_change(values[i].name, name_len, values[i].value, len))
			fail_msg("%s: said to stay as it is", values[i].why);
	}
}

static void most_is_known_to_stay(void **state)
{
	(void)state;
	assert_false(ht_redact_may_change("http://localhost/a;b?c#d&e", 26));
	assert_false(ht_redact_may_change("", 0));
	assert_false(ht_redact_field_may_change("Host", 4, "localhost:80", 12));
	assert_false(ht_redact_field_may_change("Accept", 6, "text/html;q=0.9", 15));
	assert_false(ht_redact_field_may_change("Location", 8, "/there", 6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_by_name),        cmocka_unit_test(params_by_name), cmocka_unit_test(urls_without_credentials),
		cmocka_unit_test(url_cut_anywhere),      cmocka_unit_test(longest_growth), cmocka_unit_test(field_values),
		cmocka_unit_test(most_is_known_to_stay),
	};

	return cmocka_run_group_tests_name("redact", tests, NULL, NULL);
}
