/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * socks.c - two small state machines, one a direction. They meet where the proxy's choices have to agree with the client's, and at the end.
 */
#include "proto/socks.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define V4               4
#define V5               5
#define V4_REPLY         0 /* the first byte of SOCKS4's reply */
#define V4_GRANTED       90
#define V5_GRANTED       0
#define AUTH_VERSION     1    /* RFC 1929 section 2 */
#define METHOD_NONE      0x00 /* RFC 1928 section 3 */
#define METHOD_USER      0x02
#define METHOD_REFUSED   0xff
#define COMMAND_CONNECT  1
#define COMMAND_BIND     2
#define TYPE_IPV4        1
#define TYPE_NAME        3
#define TYPE_IPV6        4
#define V4_REQUEST_BYTES 8
#define V4_REPLY_BYTES   8
#define V5_FIXED_BYTES   4 /* version, command or reply, reserved, address type */
#define PORT_BYTES       2
#define MAX_KNOWN_METHOD 9 /* IANA's registry; private ones from 0x80 on */
#define MIN_PRIVATE      0x80

enum step {
	ST_FIRST,
	ST_THROUGH,
	/* The client's. */
	ST_V4_REQUEST,
	ST_V4_USER,
	ST_V4_NAME,
	ST_METHOD_CNT,
	ST_METHODS,
	ST_NEXT, /* RFC 1929's message, or the request: the first byte says which */
	ST_USER_LEN,
	ST_USER,
	ST_PASSWORD_LEN,
	ST_PASSWORD,
	ST_AUTH_LOST, /* of the message it is known only that there was one */
	/* The proxy's. */
	ST_V4_REPLY,
	ST_METHOD,
	ST_AUTH_STATUS,
	/* Both: version 5's request and reply. */
	ST_FIXED,
	ST_NAME_LEN,
	ST_ADDRESS,
	ST_PORT,
};

void ht_socks_init(struct ht_socks *socks)
{
	*socks = (struct ht_socks){ .method = -1, .auth_status = -1, .reply = -1, .only_method = -1 };
}

static void fail(struct ht_socks *socks, enum ht_socks_error error)
{
	socks->state = HT_SOCKS_FAILED;
	socks->error = error;
}

static void refuse(struct ht_socks *socks)
{
	socks->state = HT_SOCKS_REFUSED;
}

static void enter(struct ht_socks_flow *flow, enum step step)
{
	flow->step = (uint8_t)step;
	flow->byte_cnt = 0;
}

static void through(struct ht_socks *socks, struct ht_socks_flow *flow)
{
	enter(flow, ST_THROUGH);
	if (socks->flow[HT_SOCKS_CLIENT].step == ST_THROUGH && socks->flow[HT_SOCKS_PROXY].step == ST_THROUGH)
		socks->state = HT_SOCKS_DONE;
}

/* What one side says of the version has to be what the other does. */
static void check_version(struct ht_socks *socks)
{
	if (socks->version && socks->proxy_version && socks->version != socks->proxy_version)
		fail(socks, HT_SOCKS_BAD_REPLY);
}

/* ---- addresses ---- */

static bool is_name_char(uint8_t c)
{
	return c > ' ' && c != 0x7f;
}

static void add_name_char(struct ht_socks *socks, uint8_t c)
{
	if (!is_name_char(c))
		fail(socks, HT_SOCKS_BAD_ADDRESS);
	else if (socks->host_len == HT_SOCKS_HOST_MAX)
		fail(socks, HT_SOCKS_TOO_LONG);
	else
		socks->host[socks->host_len++] = (char)c;
}

/* Type and length of version 5's address are known: what follows them. */
static void begin_address(struct ht_socks *socks, struct ht_socks_flow *flow, uint32_t len)
{
	enter(flow, len ? ST_ADDRESS : ST_PORT);
	flow->left = len;
	/* Of the proxy's own address nothing is wanted: some send an empty name. */
	if (!len && flow == &socks->flow[HT_SOCKS_CLIENT])
		fail(socks, HT_SOCKS_BAD_ADDRESS);
}

static void take_address_byte(struct ht_socks *socks, struct ht_socks_flow *flow, uint8_t byte)
{
	bool is_client = flow == &socks->flow[HT_SOCKS_CLIENT];

	if (is_client && socks->is_name)
		add_name_char(socks, byte);
	else if (is_client)
		flow->bytes[flow->byte_cnt++] = byte;
	if (--flow->left)
		return;
	if (is_client && !socks->is_name)
		inet_ntop(flow->byte_cnt == 4 ? AF_INET : AF_INET6, flow->bytes, socks->host, sizeof(socks->host));
	enter(flow, ST_PORT);
}

static void finish_port(struct ht_socks *socks, struct ht_socks_flow *flow)
{
	if (flow == &socks->flow[HT_SOCKS_CLIENT]) {
		socks->port = (uint16_t)(flow->bytes[0] << 8 | flow->bytes[1]);
		socks->has_target = true;
	}
	through(socks, flow);
}

/* ---- version 4 ---- */

static void finish_v4_request(struct ht_socks *socks, struct ht_socks_flow *flow)
{
	const uint8_t *ip = flow->bytes + 4;

	if (flow->bytes[1] != COMMAND_CONNECT) {
		fail(socks, HT_SOCKS_UNSUPPORTED_COMMAND);
		return;
	}
	socks->port = (uint16_t)(flow->bytes[2] << 8 | flow->bytes[3]);
	/* 4a: 0.0.0.x with x not 0 stands for a name behind the user. */
	socks->is_name = !ip[0] && !ip[1] && !ip[2] && ip[3];
	if (!socks->is_name)
		inet_ntop(AF_INET, ip, socks->host, sizeof(socks->host));
	enter(flow, ST_V4_USER);
}

static void take_v4_user_byte(struct ht_socks *socks, struct ht_socks_flow *flow, uint8_t byte)
{
	if (byte && ++socks->user_len > HT_SOCKS_USER_MAX) {
		fail(socks, HT_SOCKS_TOO_LONG);
	} else if (!byte && socks->is_name) {
		enter(flow, ST_V4_NAME);
	} else if (!byte) {
		socks->has_target = true;
		through(socks, flow);
	}
}

static void take_v4_name_byte(struct ht_socks *socks, struct ht_socks_flow *flow, uint8_t byte)
{
	if (byte) {
		add_name_char(socks, byte);
	} else if (!socks->host_len) {
		fail(socks, HT_SOCKS_BAD_ADDRESS);
	} else {
		socks->has_target = true;
		through(socks, flow);
	}
}

/* ---- version 5 ---- */

static void finish_fixed(struct ht_socks *socks, struct ht_socks_flow *flow)
{
	bool is_client = flow == &socks->flow[HT_SOCKS_CLIENT];

	if (is_client && flow->bytes[1] != COMMAND_CONNECT) {
		fail(socks, HT_SOCKS_UNSUPPORTED_COMMAND);
		return;
	}
	switch (flow->bytes[3]) {
	case TYPE_IPV4:
		begin_address(socks, flow, sizeof(struct in_addr));
		break;
	case TYPE_IPV6:
		begin_address(socks, flow, sizeof(struct in6_addr));
		break;
	case TYPE_NAME:
		if (is_client)
			socks->is_name = true;
		enter(flow, ST_NAME_LEN);
		break;
	default:
		fail(socks, HT_SOCKS_BAD_ADDRESS);
	}
}

static void take_fixed_byte(struct ht_socks *socks, struct ht_socks_flow *flow, uint8_t byte)
{
	flow->bytes[flow->byte_cnt++] = byte;
	if (flow->byte_cnt == 1 && byte != V5)
		fail(socks, HT_SOCKS_BAD_VERSION);
	if (flow->byte_cnt == 2 && flow == &socks->flow[HT_SOCKS_PROXY]) {
		socks->reply = byte;
		/* Before the rest, which some proxies leave out where they refuse. */
		if (byte != V5_GRANTED)
			refuse(socks);
	}
	if (flow->byte_cnt == V5_FIXED_BYTES && socks->state == HT_SOCKS_RUNNING)
		finish_fixed(socks, flow);
}

static void take_method(struct ht_socks *socks, struct ht_socks_flow *flow, uint8_t method)
{
	socks->method = method;
	if (method == METHOD_REFUSED)
		refuse(socks);
	else if (socks->only_method >= 0 && socks->only_method != method)
		fail(socks, HT_SOCKS_BAD_REPLY);
	else if (method == METHOD_USER)
		enter(flow, ST_AUTH_STATUS);
	else if (method == METHOD_NONE)
		enter(flow, ST_FIXED);
	else
		fail(socks, HT_SOCKS_UNSUPPORTED_METHOD);
}

static void take_auth_status_byte(struct ht_socks *socks, struct ht_socks_flow *flow, uint8_t byte)
{
	/* The version is not looked at: some proxies answer with SOCKS's own, and clients take it. */
	if (++flow->byte_cnt < 2)
		return;
	socks->auth_status = byte;
	enter(flow, ST_FIXED);
	if (byte)
		refuse(socks);
}

static void finish_methods(struct ht_socks *socks, struct ht_socks_flow *flow)
{
	enter(flow, ST_NEXT);
	if (socks->only_method >= 0 && socks->method >= 0 && socks->method != socks->only_method)
		fail(socks, HT_SOCKS_BAD_REPLY);
}

/* ---- bytes ---- */

static void take_first_byte(struct ht_socks *socks, struct ht_socks_flow *flow, uint8_t byte)
{
	bool is_client = flow == &socks->flow[HT_SOCKS_CLIENT];

	if (byte == V5) {
		enter(flow, is_client ? ST_METHOD_CNT : ST_METHOD);
	} else if (byte == (is_client ? V4 : V4_REPLY)) {
		enter(flow, is_client ? ST_V4_REQUEST : ST_V4_REPLY);
		flow->bytes[flow->byte_cnt++] = byte;
	} else {
		fail(socks, is_client ? HT_SOCKS_NOT_SOCKS : HT_SOCKS_BAD_REPLY);
		return;
	}
	*(is_client ? &socks->version : &socks->proxy_version) = byte == V5 ? V5 : V4;
	check_version(socks);
}

static void take_next_byte(struct ht_socks *socks, struct ht_socks_flow *flow, uint8_t byte)
{
	if (byte == AUTH_VERSION && flow->step == ST_NEXT) {
		enter(flow, ST_USER_LEN);
		return;
	}
	enter(flow, ST_FIXED);
	take_fixed_byte(socks, flow, byte);
}

/* Fixed messages of version 4. */
static void take_v4_byte(struct ht_socks *socks, struct ht_socks_flow *flow, uint8_t byte)
{
	flow->bytes[flow->byte_cnt++] = byte;
	if (flow->step == ST_V4_REQUEST) {
		if (flow->byte_cnt == V4_REQUEST_BYTES)
			finish_v4_request(socks, flow);
		return;
	}
	if (flow->byte_cnt == 2) {
		socks->reply = byte;
		if (byte != V4_GRANTED)
			refuse(socks);
	} else if (flow->byte_cnt == V4_REPLY_BYTES) {
		through(socks, flow);
	}
}

static void take_byte(struct ht_socks *socks, struct ht_socks_flow *flow, uint8_t byte)
{
	switch ((enum step)flow->step) {
	case ST_FIRST:
		take_first_byte(socks, flow, byte);
		break;
	case ST_V4_REQUEST:
	case ST_V4_REPLY:
		take_v4_byte(socks, flow, byte);
		break;
	case ST_V4_USER:
		take_v4_user_byte(socks, flow, byte);
		break;
	case ST_V4_NAME:
		take_v4_name_byte(socks, flow, byte);
		break;
	case ST_METHOD_CNT:
		enter(flow, byte ? ST_METHODS : ST_NEXT);
		flow->left = byte;
		break;
	case ST_METHODS:
		socks->only_method = flow->left == 1 && !flow->byte_cnt ? byte : -1;
		flow->byte_cnt = 1;
		if (!--flow->left)
			finish_methods(socks, flow);
		break;
	case ST_NEXT:
	case ST_AUTH_LOST:
		take_next_byte(socks, flow, byte);
		break;
	case ST_USER_LEN:
	case ST_PASSWORD_LEN:
		flow->left = byte;
		if (flow->step == ST_USER_LEN)
			enter(flow, byte ? ST_USER : ST_PASSWORD_LEN);
		else
			enter(flow, byte ? ST_PASSWORD : ST_NEXT);
		break;
	case ST_USER:
	case ST_PASSWORD:
		if (!--flow->left)
			enter(flow, flow->step == ST_USER ? ST_PASSWORD_LEN : ST_NEXT);
		break;
	case ST_METHOD:
		take_method(socks, flow, byte);
		break;
	case ST_AUTH_STATUS:
		take_auth_status_byte(socks, flow, byte);
		break;
	case ST_FIXED:
		take_fixed_byte(socks, flow, byte);
		break;
	case ST_NAME_LEN:
		begin_address(socks, flow, byte);
		break;
	case ST_ADDRESS:
		take_address_byte(socks, flow, byte);
		break;
	case ST_PORT:
		flow->bytes[flow->byte_cnt++] = byte;
		if (flow->byte_cnt == PORT_BYTES)
			finish_port(socks, flow);
		break;
	case ST_THROUGH:
		break;
	}
}

static bool is_over(const struct ht_socks *socks)
{
	return socks->state == HT_SOCKS_REFUSED || socks->state == HT_SOCKS_FAILED;
}

size_t ht_socks_feed(struct ht_socks *socks, enum ht_socks_side side, const void *data, size_t len)
{
	struct ht_socks_flow *flow = &socks->flow[side];
	const uint8_t *bytes = data;
	size_t off = 0;

	while (off < len && flow->step != ST_THROUGH) {
		if (is_over(socks))
			return len;
		take_byte(socks, flow, bytes[off++]);
	}
	return is_over(socks) ? len : off;
}

/* Part of RFC 1929's message, or more than it: then nothing is known but that it ends where bytes are told again. */
static void skip_auth(struct ht_socks_flow *flow, uint64_t n)
{
	if ((flow->step == ST_USER || flow->step == ST_PASSWORD) && n < flow->left)
		flow->left -= (uint32_t)n;
	else if (flow->step == ST_USER && n == flow->left)
		enter(flow, ST_PASSWORD_LEN);
	else if (flow->step == ST_PASSWORD && n == flow->left)
		enter(flow, ST_NEXT);
	else
		enter(flow, ST_AUTH_LOST);
}

uint64_t ht_socks_skip(struct ht_socks *socks, enum ht_socks_side side, uint64_t n)
{
	struct ht_socks_flow *flow = &socks->flow[side];

	if (is_over(socks) || !n)
		return n;
	if (flow->step == ST_THROUGH)
		return 0;
	if (flow->step >= ST_NEXT && flow->step <= ST_AUTH_LOST)
		skip_auth(flow, n);
	else
		fail(socks, HT_SOCKS_GAP);
	return n;
}

bool ht_socks_is_through(const struct ht_socks *socks, enum ht_socks_side side)
{
	return socks->flow[side].step == ST_THROUGH;
}

const char *ht_socks_code(const struct ht_socks *socks, char buf[HT_SOCKS_CODE_MAX])
{
	static const char *const v5[] = {
		/* RFC 1928 section 6. */
		[1] = "GENERAL_FAILURE",    [2] = "NOT_ALLOWED", [3] = "NETWORK_UNREACHABLE",   [4] = "HOST_UNREACHABLE",
		[5] = "CONNECTION_REFUSED", [6] = "TTL_EXPIRED", [7] = "COMMAND_NOT_SUPPORTED", [8] = "ADDRESS_TYPE_NOT_SUPPORTED",
	};
	static const char *const v4[] = { "REJECTED", "IDENTD_UNREACHABLE", "IDENTD_MISMATCH" }; /* from 91 on */

	if (socks->state != HT_SOCKS_REFUSED)
		return NULL;
	if (socks->method == METHOD_REFUSED)
		return "NO_ACCEPTABLE_METHOD";
	if (socks->auth_status > 0)
		return "AUTH_FAILED";
	if (socks->proxy_version == V5 && socks->reply < (int)(sizeof(v5) / sizeof(v5[0])))
		return v5[socks->reply];
	if (socks->proxy_version == V4 && socks->reply > V4_GRANTED && socks->reply <= V4_GRANTED + 3)
		return v4[socks->reply - V4_GRANTED - 1];
	snprintf(buf, HT_SOCKS_CODE_MAX, "REPLY_%d", socks->reply);
	return buf;
}

const char *ht_socks_error_name(enum ht_socks_error error)
{
	static const char *const names[] = {
		[HT_SOCKS_OK] = "ok",
		[HT_SOCKS_NOT_SOCKS] = "not_socks",
		[HT_SOCKS_BAD_VERSION] = "bad_version",
		[HT_SOCKS_BAD_REPLY] = "bad_reply",
		[HT_SOCKS_BAD_ADDRESS] = "bad_address",
		[HT_SOCKS_TOO_LONG] = "too_long",
		[HT_SOCKS_UNSUPPORTED_COMMAND] = "unsupported_command",
		[HT_SOCKS_UNSUPPORTED_METHOD] = "unsupported_method",
		[HT_SOCKS_GAP] = "gap",
	};

	return (size_t)error < sizeof(names) / sizeof(names[0]) ? names[error] : "unknown";
}

/* Version 4: a command, a port, and a user that is printable up to its NUL. */
static int probe_v4(const uint8_t *bytes, size_t len)
{
	if (len > 1 && bytes[1] != COMMAND_CONNECT && bytes[1] != COMMAND_BIND)
		return 0;
	if (len >= V4_REQUEST_BYTES && !bytes[2] && !bytes[3])
		return 0;
	for (size_t i = V4_REQUEST_BYTES; i < len && i < V4_REQUEST_BYTES + HT_SOCKS_USER_MAX; i++) {
		if (!bytes[i])
			return 1;
		if (!is_name_char(bytes[i]))
			return 0;
	}
	return len < V4_REQUEST_BYTES + HT_SOCKS_USER_MAX ? -1 : 0;
}

/* Version 5: methods that exist, and behind them nothing, or what a client sends ahead. */
static int probe_v5(const uint8_t *bytes, size_t len)
{
	size_t end = len > 1 ? 2u + bytes[1] : 2;

	if (len > 1 && !bytes[1])
		return 0;
	for (size_t i = 2; i < len && i < end; i++)
		if (bytes[i] > MAX_KNOWN_METHOD && (bytes[i] < MIN_PRIVATE || bytes[i] == METHOD_REFUSED))
			return 0;
	if (len < end || len < 2)
		return -1;
	return len == end || bytes[end] == V5 || bytes[end] == AUTH_VERSION;
}

int ht_socks_probe(const void *data, size_t len)
{
	const uint8_t *bytes = data;

	if (!len)
		return -1;
	if (bytes[0] == V5)
		return probe_v5(bytes, len);
	return bytes[0] == V4 ? probe_v4(bytes, len) : 0;
}
