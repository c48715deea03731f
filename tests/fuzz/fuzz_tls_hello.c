/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fuzz_tls_hello.c - any bytes as a hello: the facts are the same whether they come at once or in pieces, and their strings end.
 *
 * Input: a byte of side and size of the pieces, then the stream.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/tls_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define REQUIRE(claim)           \
	do {                     \
		if (!(claim))    \
			abort(); \
	} while (0)

static void check_facts(const struct ht_hello *one, const struct ht_hello *other)
{
	const struct ht_client_hello *client = ht_hello_client(one);
	const struct ht_server_hello *server = ht_hello_server(one);

	REQUIRE(!client == !ht_hello_client(other) && !server == !ht_hello_server(other));
	if (client) {
		REQUIRE(memcmp(client, ht_hello_client(other), sizeof(*client)) == 0);
		REQUIRE(strlen(client->server_name) < HT_HELLO_NAME_MAX && client->alpn_cnt <= HT_HELLO_ALPN_MAX &&
			client->session_id_len <= 32);
		for (unsigned int i = 0; i < client->alpn_cnt; i++)
			REQUIRE(strlen(client->alpn[i]) > 0 && strlen(client->alpn[i]) < sizeof(client->alpn[i]));
	}
	if (server) {
		REQUIRE(memcmp(server, ht_hello_server(other), sizeof(*server)) == 0);
		REQUIRE(strlen(server->alpn) < sizeof(server->alpn) && server->session_id_len <= 32);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	enum ht_hello_side side;
	enum ht_hello_state whole_state, state = HT_HELLO_MORE;
	struct ht_hello *whole, *pieces;
	uint8_t level, description;
	size_t piece_bytes;

	if (len < 1)
		return 0;
	side = data[0] & 1 ? HT_HELLO_SERVER : HT_HELLO_CLIENT;
	piece_bytes = 1 + (data[0] >> 1);
	data++;
	len--;
	whole = ht_hello_new(side);
	pieces = ht_hello_new(side);
	REQUIRE(whole && pieces);
	whole_state = ht_hello_feed(whole, data, len);
	for (size_t at = 0; at < len; at += piece_bytes)
		state = ht_hello_feed(pieces, data + at, len - at < piece_bytes ? len - at : piece_bytes);
	REQUIRE(state == whole_state);
	REQUIRE((state == HT_HELLO_DONE) == (ht_hello_client(whole) || ht_hello_server(whole)));
	check_facts(whole, pieces);
	REQUIRE(ht_hello_skip(whole, 1) == (state == HT_HELLO_MORE ? HT_HELLO_BROKEN : state));
	ht_tls_alert(data, len, &level, &description);
	ht_hello_free(whole);
	ht_hello_free(pieces);
	return 0;
}
