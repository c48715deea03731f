/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fuzz_socks.c - any bytes as a SOCKS conversation: the result is the same whether they come at once or in pieces; the probe never takes anything back.
 *
 * Input: a byte of size of the pieces, then pieces of the conversation: a byte of side and length, and so many bytes.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/socks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define REQUIRE(claim)           \
	do {                     \
		if (!(claim))    \
			abort(); \
	} while (0)

static void check_same(const struct ht_socks *a, const struct ht_socks *b)
{
	REQUIRE(a->state == b->state && a->error == b->error && a->version == b->version && a->has_target == b->has_target);
	REQUIRE(a->is_name == b->is_name && a->port == b->port && a->method == b->method && a->reply == b->reply);
	REQUIRE(a->auth_status == b->auth_status && strcmp(a->host, b->host) == 0);
}

static void check_probe(const uint8_t *data, size_t len)
{
	int was = -1;

	for (size_t n = 0; n <= len; n++) {
		int is = ht_socks_probe(data, n);

		/* A greeting that is whole may yet be followed by what none would send. */
		REQUIRE(was == -1 || is == was || (was == 1 && is == 0 && data[0] == 5));
		was = is;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct ht_socks whole, pieces;
	char code[HT_SOCKS_CODE_MAX];
	size_t step;

	if (len < 1)
		return 0;
	step = 1 + data[0];
	check_probe(data + 1, len - 1 < 600 ? len - 1 : 600);
	ht_socks_init(&whole);
	ht_socks_init(&pieces);
	for (size_t at = 1; at + 1 < len;) {
		enum ht_socks_side side = data[at] & 1 ? HT_SOCKS_PROXY : HT_SOCKS_CLIENT;
		size_t n = data[at] >> 1, used, used_pieces = 0;

		at++;
		if (n > len - at)
			n = len - at;
		used = ht_socks_feed(&whole, side, data + at, n);
		REQUIRE(used <= n && (used == n || ht_socks_is_through(&whole, side)));
		for (size_t i = 0; i < n; i += step)
			used_pieces += ht_socks_feed(&pieces, side, data + at + i, n - i < step ? n - i : step);
		REQUIRE(used == used_pieces);
		check_same(&whole, &pieces);
		at += n;
	}
	REQUIRE(strlen(whole.host) <= HT_SOCKS_HOST_MAX);
	REQUIRE((whole.state == HT_SOCKS_REFUSED) == (ht_socks_code(&whole, code) != NULL));
	REQUIRE(whole.state != HT_SOCKS_DONE || (whole.has_target && whole.host[0] && whole.version));
	REQUIRE((whole.state == HT_SOCKS_FAILED) == (whole.error != HT_SOCKS_OK));
	return 0;
}
