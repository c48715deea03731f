/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tls_hello.c - reads ClientHello and ServerHello from a socket's bytes.
 *
 * In:  one direction's bytes from its first on, in pieces of any size. Out: the facts of the hello that counts. Strict: a length that does
 * not add up makes the hello BROKEN, as it would for the peer; nothing is taken from a hello that is not sound as a whole.
 *
 * Three layers: bytes -> TLS records (RFC 8446 section 5.1) -> handshake messages, which may be spread over several records -> the hello.
 * Memory: the struct, and one message of at most HT_HELLO_MAX_BYTES until it is whole.
 */
#include "proto/tls_hello.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_HEADER_BYTES 5
/* RFC 8446 section 5.1: plaintext fragments; longer ones are encrypted ones. */
#define RECORD_MAX_BYTES    16384
#define TYPE_CHANGE_CIPHER  20
#define TYPE_ALERT          21
#define TYPE_HANDSHAKE      22

#define MESSAGE_HEADER_BYTES 4
#define MESSAGE_CLIENT_HELLO 1
#define MESSAGE_SERVER_HELLO 2
/* A peer may send change_cipher_spec for the sake of middle boxes, once (RFC 8446 appendix D.4); more say that this is no handshake. */
#define CHANGE_CIPHER_MAX    2

#define EXT_SERVER_NAME        0
#define EXT_ALPN               16
#define EXT_SESSION_TICKET     35
#define EXT_PRE_SHARED_KEY     41
#define EXT_SUPPORTED_VERSIONS 43

struct ht_hello {
	enum ht_hello_side side;
	enum ht_hello_state state;
	bool is_tls; /* a hello has begun: what is wrong from here on is BROKEN, not NOT_TLS */
	uint8_t record_header[RECORD_HEADER_BYTES];
	uint8_t record_header_cnt;
	uint8_t record_type;
	uint8_t change_cipher_cnt;
	uint16_t record_left; /* bytes of the record that have not come yet */
	uint8_t message_header[MESSAGE_HEADER_BYTES];
	uint8_t message_header_cnt;
	bool has_retried; /* a HelloRetryRequest was passed over */
	uint8_t *message; /* its body */
	size_t message_bytes;
	size_t message_cnt; /* have come */
	union {
		struct ht_client_hello client;
		struct ht_server_hello server;
	};
};

/* What is left of a message; reading past it makes is_short true, and every read after that gives nothing. */
struct reader {
	const uint8_t *at;
	size_t left;
	bool is_short;
};

static const uint8_t *take(struct reader *reader, size_t len)
{
	const uint8_t *at = reader->at;

	if (reader->is_short || len > reader->left) {
		reader->is_short = true;
		reader->left = 0;
		return NULL;
	}
	reader->at += len;
	reader->left -= len;
	return at;
}

static unsigned int take_u8(struct reader *reader)
{
	const uint8_t *at = take(reader, 1);

	return at ? at[0] : 0;
}

static unsigned int take_u16(struct reader *reader)
{
	const uint8_t *at = take(reader, 2);

	return at ? (unsigned int)at[0] << 8 | at[1] : 0;
}

/* A vector with its length in front, as a reader of its own. */
static struct reader take_vector(struct reader *reader, unsigned int length_bytes)
{
	size_t len = length_bytes == 1 ? take_u8(reader) : take_u16(reader);
	struct reader vector = { .at = take(reader, len), .left = len, .is_short = reader->is_short };

	if (vector.is_short)
		vector.left = 0;
	return vector;
}

static bool is_printable(const uint8_t *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] <= 0x20 || text[i] >= 0x7f)
			return false;
	return true;
}

/* RFC 6066 section 3. False: malformed. */
static bool read_server_name(struct reader *ext, char *name)
{
	struct reader list = take_vector(ext, 2);

	while (list.left) {
		unsigned int type = take_u8(&list);
		struct reader host = take_vector(&list, 2);

		if (list.is_short || type != 0 || name[0])
			return false;
		if (!host.left || host.left >= HT_HELLO_NAME_MAX || !is_printable(host.at, host.left))
			return false;
		memcpy(name, host.at, host.left);
		name[host.left] = '\0';
	}
	return name[0] && !ext->is_short && !ext->left;
}

/* RFC 7301 section 3.1. Names of control bytes are left out (GREASE, RFC 8701), so are those that do not fit. False: malformed. */
static bool read_alpn(struct reader *ext, char (*names)[32], unsigned int name_max, unsigned int *name_cnt)
{
	struct reader list = take_vector(ext, 2);

	if (!list.left)
		return false;
	while (list.left) {
		struct reader name = take_vector(&list, 1);

		if (list.is_short || !name.left)
			return false;
		if (*name_cnt == name_max || name.left >= sizeof(*names) || !is_printable(name.at, name.left))
			continue;
		memcpy(names[*name_cnt], name.at, name.left);
		names[*name_cnt][name.left] = '\0';
		++*name_cnt;
	}
	return !ext->left;
}

/* Walks the extensions. read() gets each; false from it, a length that does not add up, or one that we know twice: malformed. */
static bool read_extensions(struct reader *reader, bool (*read)(struct ht_hello *hello, unsigned int type, struct reader *ext),
			    struct ht_hello *hello)
{
	uint64_t seen = 0;
	struct reader list;

	/* Absent altogether in hellos of TLS 1.0 times. */
	if (!reader->left)
		return !reader->is_short;
	list = take_vector(reader, 2);
	if (reader->is_short || reader->left)
		return false;
	while (list.left) {
		unsigned int type = take_u16(&list);
		struct reader ext = take_vector(&list, 2);

		if (list.is_short)
			return false;
		if (type < 64) {
			if (seen >> type & 1)
				return false;
			seen |= (uint64_t)1 << type;
		}
		if (!read(hello, type, &ext))
			return false;
	}
	return true;
}

static bool read_client_extension(struct ht_hello *hello, unsigned int type, struct reader *ext)
{
	switch (type) {
	case EXT_SERVER_NAME:
		return read_server_name(ext, hello->client.server_name);
	case EXT_ALPN:
		return read_alpn(ext, hello->client.alpn, HT_HELLO_ALPN_MAX, &hello->client.alpn_cnt);
	case EXT_SESSION_TICKET:
		hello->client.has_ticket = ext->left > 0;
		return true;
	case EXT_PRE_SHARED_KEY:
		hello->client.has_psk = true;
		return ext->left > 0;
	default:
		return true;
	}
}

static bool read_server_extension(struct ht_hello *hello, unsigned int type, struct reader *ext)
{
	unsigned int alpn_cnt = 0;

	switch (type) {
	case EXT_ALPN:
		return read_alpn(ext, &hello->server.alpn, 1, &alpn_cnt);
	case EXT_PRE_SHARED_KEY:
		hello->server.is_psk = true;
		take_u16(ext);
		return !ext->is_short && !ext->left;
	case EXT_SUPPORTED_VERSIONS:
		hello->server.version = (uint16_t)take_u16(ext);
		return !ext->is_short && !ext->left;
	default:
		return true;
	}
}

static bool read_session_id(struct reader *reader, uint8_t *id, uint8_t *id_len)
{
	struct reader vector = take_vector(reader, 1);

	if (reader->is_short || vector.left > 32)
		return false;
	if (vector.left)
		memcpy(id, vector.at, vector.left);
	*id_len = (uint8_t)vector.left;
	return true;
}

/* RFC 8446 section 4.1.2 */
static bool read_client_hello(struct ht_hello *hello, struct reader reader)
{
	struct ht_client_hello *facts = &hello->client;
	const uint8_t *random;
	struct reader vector;

	memset(facts, 0, sizeof(*facts));
	if (take_u16(&reader) >> 8 != 3)
		return false;
	random = take(&reader, sizeof(facts->random));
	if (!random)
		return false;
	memcpy(facts->random, random, sizeof(facts->random));
	if (!read_session_id(&reader, facts->session_id, &facts->session_id_len))
		return false;
	facts->has_session_id = facts->session_id_len > 0;
	vector = take_vector(&reader, 2);
	if (vector.left < 2 || vector.left % 2)
		return false;
	vector = take_vector(&reader, 1);
	if (vector.left < 1)
		return false;
	return read_extensions(&reader, read_client_extension, hello);
}

/* RFC 8446 section 4.1.3: the random of a ServerHello that is a HelloRetryRequest, SHA-256 of that word. */
static const uint8_t retry_random[32] = {
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
	0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

static bool read_server_hello(struct ht_hello *hello, struct reader reader, bool *is_retry)
{
	struct ht_server_hello *facts = &hello->server;
	const uint8_t *random;

	memset(facts, 0, sizeof(*facts));
	facts->version = (uint16_t)take_u16(&reader);
	if (facts->version >> 8 != 3)
		return false;
	random = take(&reader, sizeof(retry_random));
	if (!random)
		return false;
	*is_retry = memcmp(random, retry_random, sizeof(retry_random)) == 0;
	if (!read_session_id(&reader, facts->session_id, &facts->session_id_len))
		return false;
	facts->cipher = (uint16_t)take_u16(&reader);
	take_u8(&reader); /* compression */
	return read_extensions(&reader, read_server_extension, hello);
}

static void settle(struct ht_hello *hello, enum ht_hello_state state)
{
	hello->state = state;
	free(hello->message);
	hello->message = NULL;
}

/* A handshake message is whole. */
static void take_message(struct ht_hello *hello)
{
	struct reader reader = { .at = hello->message, .left = hello->message_bytes };
	bool is_retry = false;
	bool is_sound = hello->side == HT_HELLO_CLIENT ? read_client_hello(hello, reader) : read_server_hello(hello, reader, &is_retry);

	if (!is_sound || (is_retry && hello->has_retried)) {
		settle(hello, HT_HELLO_BROKEN);
	} else if (is_retry) {
		hello->has_retried = true;
		hello->message_header_cnt = 0;
		settle(hello, HT_HELLO_MORE);
	} else {
		settle(hello, HT_HELLO_DONE);
	}
}

/* The four bytes in front of a message have begun to come, or are whole. */
static void check_message_header(struct ht_hello *hello)
{
	const uint8_t *header = hello->message_header;

	if (header[0] != (hello->side == HT_HELLO_CLIENT ? MESSAGE_CLIENT_HELLO : MESSAGE_SERVER_HELLO)) {
		settle(hello, hello->is_tls ? HT_HELLO_BROKEN : HT_HELLO_NOT_TLS);
		return;
	}
	hello->is_tls = true;
	if (hello->message_header_cnt < MESSAGE_HEADER_BYTES)
		return;
	hello->message_bytes = (size_t)header[1] << 16 | (size_t)header[2] << 8 | header[3];
	hello->message_cnt = 0;
	if (hello->message_bytes == 0 || hello->message_bytes > HT_HELLO_MAX_BYTES) {
		settle(hello, HT_HELLO_BROKEN);
		return;
	}
	hello->message = malloc(hello->message_bytes);
	/* No memory for what might be learnt: as if its bytes had not been captured. */
	if (!hello->message)
		settle(hello, HT_HELLO_BROKEN);
}

/* Bytes of handshake messages. How many of them were used. */
static size_t feed_message(struct ht_hello *hello, const uint8_t *data, size_t len)
{
	size_t n;

	if (hello->message_header_cnt < MESSAGE_HEADER_BYTES) {
		hello->message_header[hello->message_header_cnt++] = data[0];
		check_message_header(hello);
		return 1;
	}
	n = hello->message_bytes - hello->message_cnt;
	if (n > len)
		n = len;
	memcpy(hello->message + hello->message_cnt, data, n);
	hello->message_cnt += n;
	if (hello->message_cnt == hello->message_bytes)
		take_message(hello);
	return n;
}

/* One more byte of a record's header has come. */
static void check_record_header(struct ht_hello *hello)
{
	const uint8_t *header = hello->record_header;
	enum ht_hello_state wrong = hello->is_tls ? HT_HELLO_BROKEN : HT_HELLO_NOT_TLS;
	/* Between the two ServerHellos a change_cipher_spec may stand; in front of the first, nothing. */
	bool is_change_cipher = header[0] == TYPE_CHANGE_CIPHER && hello->has_retried && hello->message_header_cnt == 0;
	unsigned int length;

	if (header[0] != TYPE_HANDSHAKE && !is_change_cipher) {
		settle(hello, wrong);
		return;
	}
	if (hello->record_header_cnt >= 2 && header[1] != 3) {
		settle(hello, wrong);
		return;
	}
	if (hello->record_header_cnt < RECORD_HEADER_BYTES)
		return;
	length = (unsigned int)header[3] << 8 | header[4];
	if (length == 0 || length > RECORD_MAX_BYTES ||
	    (is_change_cipher && (length != 1 || ++hello->change_cipher_cnt > CHANGE_CIPHER_MAX))) {
		settle(hello, wrong);
		return;
	}
	hello->record_type = header[0];
	hello->record_left = (uint16_t)length;
	hello->record_header_cnt = 0;
}

struct ht_hello *ht_hello_new(enum ht_hello_side side)
{
	struct ht_hello *hello = calloc(1, sizeof(*hello));

	if (!hello)
		return NULL;
	hello->side = side;
	hello->state = HT_HELLO_MORE;
	return hello;
}

void ht_hello_free(struct ht_hello *hello)
{
	if (!hello)
		return;
	free(hello->message);
	free(hello);
}

enum ht_hello_state ht_hello_feed(struct ht_hello *hello, const void *data, size_t len)
{
	const uint8_t *at = data;

	while (len && hello->state == HT_HELLO_MORE) {
		size_t n = 1;

		if (!hello->record_left) {
			hello->record_header[hello->record_header_cnt++] = *at;
			check_record_header(hello);
		} else {
			if (hello->record_type == TYPE_HANDSHAKE)
				n = feed_message(hello, at, len < hello->record_left ? len : hello->record_left);
			hello->record_left -= (uint16_t)n;
		}
		at += n;
		len -= n;
	}
	return hello->state;
}

enum ht_hello_state ht_hello_skip(struct ht_hello *hello, uint64_t n)
{
	if (n && hello->state == HT_HELLO_MORE)
		settle(hello, HT_HELLO_BROKEN);
	return hello->state;
}

const struct ht_client_hello *ht_hello_client(const struct ht_hello *hello)
{
	return hello->state == HT_HELLO_DONE && hello->side == HT_HELLO_CLIENT ? &hello->client : NULL;
}

const struct ht_server_hello *ht_hello_server(const struct ht_hello *hello)
{
	return hello->state == HT_HELLO_DONE && hello->side == HT_HELLO_SERVER ? &hello->server : NULL;
}

int ht_tls_alert(const void *data, size_t len, uint8_t *level, uint8_t *description)
{
	const uint8_t *at = data;

	if (len < RECORD_HEADER_BYTES + 2 || at[0] != TYPE_ALERT || at[1] != 3 || at[3] != 0 || at[4] != 2)
		return 0;
	/* RFC 8446 section 6: warning and fatal. Two bytes of anything else are not an alert in clear. */
	if (at[5] != 1 && at[5] != 2)
		return 0;
	*level = at[5];
	*description = at[6];
	return 1;
}
