/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * names.c - error numbers and addresses as text.
 */
#include "util/names.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

const char *ht_errno_name(int err, char *buf, size_t len)
{
	const char *name = strerrorname_np(err);

	if (name)
		return name;
	snprintf(buf, len, "ERRNO_%d", err);
	return buf;
}

const char *ht_errno_text(int err)
{
	const char *text = strerrordesc_np(err);

	return text ? text : "unknown error";
}

/* glibc's netdb.h; -5 (EAI_NODATA) is declared only with _GNU_SOURCE. */
static const struct {
	int eai;
	const char *name, *text;
} eai_names[] = {
	{ -1, "EAI_BADFLAGS", "invalid flags" },
	{ -2, "EAI_NONAME", "name or service not known" },
	{ -3, "EAI_AGAIN", "temporary failure in name resolution" },
	{ -4, "EAI_FAIL", "non-recoverable failure in name resolution" },
	{ -5, "EAI_NODATA", "no address associated with the name" },
	{ -6, "EAI_FAMILY", "address family not supported" },
	{ -7, "EAI_SOCKTYPE", "socket type not supported" },
	{ -8, "EAI_SERVICE", "service not supported for the socket type" },
	{ -9, "EAI_ADDRFAMILY", "no address of that family for the name" },
	{ -10, "EAI_MEMORY", "out of memory" },
	{ -11, "EAI_SYSTEM", "system error" },
	{ -12, "EAI_OVERFLOW", "argument buffer overflow" },
};

const char *ht_eai_name(int eai, char *buf, size_t len)
{
	for (size_t i = 0; i < sizeof(eai_names) / sizeof(eai_names[0]); i++)
		if (eai_names[i].eai == eai)
			return eai_names[i].name;
	snprintf(buf, len, "EAI_%d", eai);
	return buf;
}

const char *ht_eai_text(int eai)
{
	for (size_t i = 0; i < sizeof(eai_names) / sizeof(eai_names[0]); i++)
		if (eai_names[i].eai == eai)
			return eai_names[i].text;
	return "unknown resolver error";
}

char *ht_decimal(char *at, uint64_t value)
{
	char text[HT_DECIMAL_MAX], *from = text + sizeof(text);

	do
		*--from = (char)('0' + value % 10);
	while (value /= 10);
	memcpy(at, from, (size_t)(text + sizeof(text) - from));
	return at + (text + sizeof(text) - from);
}

/* Where it ends. inet_ntop() and snprintf() take ten times as long, and addresses are told with every request. */
static char *addr_to(const struct ht_addr *addr, char *at)
{
	if (addr->family == HT_AF_INET) {
		for (int i = 0; i < 4; i++) {
			at = ht_decimal(at, addr->addr[i]);
			*at++ = '.';
		}
		at--;
	} else if (addr->family == HT_AF_INET6) {
		inet_ntop(AF_INET6, addr->addr, at, INET6_ADDRSTRLEN);
		at += strlen(at);
		if (addr->scope_id) {
			*at++ = '%';
			at = ht_decimal(at, addr->scope_id);
		}
	}
	return at;
}

static const char *copy_text(char *buf, size_t len, const char *text, size_t text_len)
{
	if (text_len >= len)
		text_len = len - 1;
	memcpy(buf, text, text_len);
	buf[text_len] = '\0';
	return buf;
}

const char *ht_addr_text(const struct ht_addr *addr, char *buf, size_t len)
{
	char text[HT_ADDR_TEXT_MAX];

	return copy_text(buf, len, text, (size_t)(addr_to(addr, text) - text));
}

const char *ht_addr_port_text(const struct ht_addr *addr, char *buf, size_t len)
{
	bool is_ipv6 = addr->family == HT_AF_INET6;
	char text[HT_ADDR_TEXT_MAX], *at = text;

	if (addr->family == HT_AF_INET || is_ipv6) {
		if (is_ipv6)
			*at++ = '[';
		at = addr_to(addr, at);
		if (is_ipv6)
			*at++ = ']';
		*at++ = ':';
		at = ht_decimal(at, addr->port);
	}
	return copy_text(buf, len, text, (size_t)(at - text));
}

bool ht_addr_of_text(const char *text, size_t len, struct ht_addr *addr)
{
	char copy[INET6_ADDRSTRLEN];

	*addr = (struct ht_addr){ .family = HT_AF_INET };
	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET, copy, addr->addr) == 1)
		return true;
	addr->family = HT_AF_INET6;
	return inet_pton(AF_INET6, copy, addr->addr) == 1;
}

bool ht_addr_is_same_host(const struct ht_addr *a, const struct ht_addr *b)
{
	return a->family == b->family && a->family && !memcmp(a->addr, b->addr, a->family == HT_AF_INET ? 4 : 16);
}

bool ht_addr_is_loopback(const struct ht_addr *addr)
{
	static const uint8_t loopback6[16] = { [15] = 1 };

	if (addr->family == HT_AF_INET)
		return addr->addr[0] == 127;
	return addr->family == HT_AF_INET6 && !memcmp(addr->addr, loopback6, 16);
}

struct ht_addr ht_addr_of_path(const char *path)
{
	struct ht_addr addr = { .family = HT_AF_UNIX };
	uint64_t half[2] = { 0xcbf29ce484222325ull, 0x84222325cbf29ce4ull }; /* FNV-1a, from two beginnings */

	if (!path)
		return addr;
	for (; *path; path++)
		for (int i = 0; i < 2; i++)
			half[i] = (half[i] ^ (unsigned char)*path) * 0x100000001b3ull;
	half[0] |= 1;
	memcpy(addr.addr, half, sizeof(addr.addr));
	return addr;
}

bool ht_addr_is_unix_unknown(const struct ht_addr *addr)
{
	static const uint8_t none[16];

	return !memcmp(addr->addr, none, sizeof(none));
}

bool ht_is_literal_addr(const char *host)
{
	unsigned char addr[16];
	char bare[INET6_ADDRSTRLEN + 1];
	size_t len = strcspn(host, "%");

	if (host[0] == '[') {
		host++;
		len = strcspn(host, "%]");
	}
	if (!len || len >= sizeof(bare))
		return false;
	memcpy(bare, host, len);
	bare[len] = '\0';
	/* inet_aton: getaddrinfo takes "127.1" for an address as well. */
	return inet_pton(AF_INET6, bare, addr) == 1 || inet_aton(bare, (struct in_addr *)addr) != 0;
}
