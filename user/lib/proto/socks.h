/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * socks.h - a SOCKS4, SOCKS4a or SOCKS5 handshake, as seen on both directions of the client's connection to the proxy (RFC 1928, RFC 1929;
 * SOCKS4 and 4a have no RFC: openssh.com/txt/socks4.protocol, socks4a.protocol).
 *
 * In:  the bytes of both directions from the first on, in pieces of any size; lengths of bytes that were not captured. Neither direction waits for the
 *      other: a client may send ahead. Of RFC 1929's user and password only lengths are expected; where they come as bytes nothing of them is kept.
 * Out: who the client wants to reach, and what the proxy said. No I/O, no clock, no memory but the struct itself.
 *
 * Only the command CONNECT is followed; BIND, UDP ASSOCIATE, GSSAPI and private methods end it as failed.
 */
#ifndef HT_SOCKS_H
#define HT_SOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A name in SOCKS5 has 255 bytes at most; SOCKS4a has no limit, and DNS ends at 255. */
#define HT_SOCKS_HOST_MAX 255
/* Longest user name of SOCKS4, of which nothing is kept; no limit is set anywhere. */
#define HT_SOCKS_USER_MAX 512
/* What ht_socks_code() needs. */
#define HT_SOCKS_CODE_MAX 32

enum ht_socks_side { HT_SOCKS_CLIENT, HT_SOCKS_PROXY };

enum ht_socks_state {
	HT_SOCKS_RUNNING,
	HT_SOCKS_DONE,    /* granted: what follows on either direction is the tunnel's */
	HT_SOCKS_REFUSED, /* by the proxy, see ht_socks_code() */
	HT_SOCKS_FAILED,  /* see error: nothing more is known */
};

enum ht_socks_error {
	HT_SOCKS_OK = 0,
	HT_SOCKS_NOT_SOCKS,           /* the first byte is no version */
	HT_SOCKS_BAD_VERSION,         /* of a later message */
	HT_SOCKS_BAD_REPLY,           /* the proxy's answer is none of the protocol's */
	HT_SOCKS_BAD_ADDRESS,         /* unknown type, an empty name, or a name with a space or a control character */
	HT_SOCKS_TOO_LONG,            /* a user or a name of SOCKS4 */
	HT_SOCKS_UNSUPPORTED_COMMAND, /* not CONNECT */
	HT_SOCKS_UNSUPPORTED_METHOD,  /* the proxy chose GSSAPI or a private method */
	HT_SOCKS_GAP,                 /* bytes missing where they are needed */
};

struct ht_socks {
	enum ht_socks_state state;
	enum ht_socks_error error;
	int version;                      /* 4, 5; 0 not known yet */
	bool has_target;                  /* the client's request is whole: host and port are known */
	bool is_name;                     /* host is a name for the proxy to look up (SOCKS4a, SOCKS5 type 3), else an address */
	char host[HT_SOCKS_HOST_MAX + 1]; /* an IPv6 address without brackets */
	uint16_t port;
	int method;      /* SOCKS5: what the proxy chose, -1 not yet */
	int auth_status; /* RFC 1929: 0 accepted, -1 none yet */
	int reply;       /* the proxy's REP or CD, -1 none yet */

	/* The reader's own. */
	struct ht_socks_flow {
		uint8_t step;
		uint8_t byte_cnt;  /* of bytes */
		uint8_t bytes[16]; /* the message under way: its fixed part, or an address and port */
		uint32_t left;     /* bytes of the part under way */
	} flow[2];
	int proxy_version; /* as version, by the proxy's first byte */
	int only_method;   /* where one alone was offered, else -1 */
	uint32_t host_len;
	uint32_t user_len;
};

void ht_socks_init(struct ht_socks *socks);

/*
 * Takes bytes that a side sent. Returns how many belong to the handshake: fewer than len where that side's part of it ends inside (the rest is the
 * tunnel's; a client may send it before the proxy has answered). Where state is REFUSED or FAILED all are taken, and nothing is looked at.
 */
size_t ht_socks_feed(struct ht_socks *socks, enum ht_socks_side side, const void *data, size_t len);

/* n bytes passed that are not known: user and password, else HT_SOCKS_GAP. Returns how many belong to the handshake, as feed. */
uint64_t ht_socks_skip(struct ht_socks *socks, enum ht_socks_side side, uint64_t n);

/* Has that side sent its last byte of the handshake? */
bool ht_socks_is_through(const struct ht_socks *socks, enum ht_socks_side side);

/* Why it was refused: "CONNECTION_REFUSED", "AUTH_FAILED", "REJECTED" ..., "REPLY_77" where the number has no name. NULL unless REFUSED. */
const char *ht_socks_code(const struct ht_socks *socks, char buf[HT_SOCKS_CODE_MAX]);

/* "bad_reply" and the like: lower case, stable. Never NULL. */
const char *ht_socks_error_name(enum ht_socks_error error);

/* Do these first bytes of a client look like SOCKS4 or SOCKS5? 1 yes, 0 no, -1 more bytes needed. */
int ht_socks_probe(const void *data, size_t len);

#endif
