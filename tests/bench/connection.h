/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * connection.h - what the benchmark's clients share: a connection on loopback, in the clear or over OpenSSL with an fd BIO, and a stopwatch.
 * A failure is one line on standard error and exit status 1. Each client is a program of one file, so this is all static.
 */
#ifndef HT_TESTS_BENCH_CONNECTION_H
#define HT_TESTS_BENCH_CONNECTION_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

struct connection {
	int fd;
	SSL *ssl; /* NULL: in the clear */
};

__attribute__((format(printf, 1, 2))) static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("bench client: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A context that trusts ca_file, and offers the protocol alpn (of so many bytes, length-prefixed) if there is one. */
static SSL_CTX *new_context(const char *ca_file, const unsigned char *alpn, unsigned int alpn_len)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx || SSL_CTX_load_verify_locations(ctx, ca_file, NULL) != 1 || (alpn && SSL_CTX_set_alpn_protos(ctx, alpn, alpn_len) != 0))
		die("%s: %s", ca_file, ERR_error_string(ERR_get_error(), NULL));
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	return ctx;
}

static void open_connection(struct connection *conn, uint16_t port, SSL_CTX *ctx)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int one = 1;

	conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (conn->fd < 0 || connect(conn->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		die("connect to 127.0.0.1:%u: %s", port, strerror(errno));
	setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	conn->ssl = NULL;
	if (!ctx)
		return;
	conn->ssl = SSL_new(ctx);
	if (!conn->ssl || SSL_set_fd(conn->ssl, conn->fd) != 1 || SSL_set1_host(conn->ssl, "localhost") != 1 || SSL_connect(conn->ssl) != 1)
		die("TLS handshake: %s", ERR_error_string(ERR_get_error(), NULL));
}

static void close_connection(struct connection *conn)
{
	if (conn->ssl) {
		SSL_shutdown(conn->ssl);
		SSL_free(conn->ssl);
	}
	close(conn->fd);
}

struct stopwatch {
	uint64_t wall_ns;
	uint64_t cpu_ns;
};

static struct stopwatch begin(void)
{
	return (struct stopwatch){ clock_ns(CLOCK_MONOTONIC), clock_ns(CLOCK_PROCESS_CPUTIME_ID) };
}

static void end(const struct stopwatch *watch, unsigned long cnt)
{
	uint64_t cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - watch->cpu_ns, wall_ns = clock_ns(CLOCK_MONOTONIC) - watch->wall_ns;

	printf("%lu %llu %llu\n", cnt, (unsigned long long)wall_ns, (unsigned long long)cpu_ns);
}

#endif
