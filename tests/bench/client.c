/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * client.c - the benchmark's client: one keep-alive connection on loopback, in the clear or over OpenSSL with an fd BIO, and nothing
 * between the requests but the clock.
 *
 * client PORT [CA_FILE]: with a CA file over TLS. Reads commands from standard input, a line each, and answers each with a line:
 *     run N  sends N requests on a fresh connection after one that is not timed: "N wall_ns cpu_ns", user and system time of this process
 *     mark   calls bench_mark(), where a tracer may have a probe: "mark"
 * client --idle maps the same libraries, prints "idle", and waits for the end of its standard input.
 * A failure is one line on standard error and exit status 1.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

static const char request[] = "GET /bench HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";

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

/* Not inlined, and not empty for the compiler: a place for a tracer's probe. */
__attribute__((noinline, used)) void bench_mark(void);
void bench_mark(void)
{
	__asm__ volatile("");
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
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

static void one_request(const struct connection *conn)
{
	const int request_len = (int)sizeof(request) - 1;
	char buf[4096 + 1];
	size_t have = 0, want = 0;
	int ret;

	ret = conn->ssl ? SSL_write(conn->ssl, request, request_len) : (int)send(conn->fd, request, (size_t)request_len, MSG_NOSIGNAL);
	if (ret != request_len)
		die("send: %s", conn->ssl ? ERR_error_string(ERR_get_error(), NULL) : strerror(errno));
	do {
		const char *end, *field;
		size_t room = sizeof(buf) - 1 - have;

		ret = conn->ssl ? SSL_read(conn->ssl, buf + have, (int)room) : (int)recv(conn->fd, buf + have, room, 0);
		if (ret <= 0)
			die("the connection ended within a response");
		have += (size_t)ret;
		buf[have] = '\0';
		end = strstr(buf, "\r\n\r\n");
		if (!end)
			continue;
		field = strcasestr(buf, "\r\nContent-Length:");
		if (strncmp(buf, "HTTP/1.1 200 ", 13) != 0 || !field)
			die("not the response that was expected: %.60s", buf);
		want = (size_t)(end + 4 - buf) + strtoul(field + 17, NULL, 10);
	} while (want == 0 || have < want);
}

static void run(unsigned long request_cnt, uint16_t port, SSL_CTX *ctx)
{
	struct connection conn;
	uint64_t wall_ns, cpu_ns;

	open_connection(&conn, port, ctx);
	one_request(&conn);
	wall_ns = clock_ns(CLOCK_MONOTONIC);
	cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (unsigned long n = 0; n < request_cnt; n++)
		one_request(&conn);
	cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns;
	wall_ns = clock_ns(CLOCK_MONOTONIC) - wall_ns;
	close_connection(&conn);
	printf("%lu %llu %llu\n", request_cnt, (unsigned long long)wall_ns, (unsigned long long)cpu_ns);
}

int main(int argc, char **argv)
{
	char line[64];
	SSL_CTX *ctx = NULL;
	unsigned long port;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && strcmp(argv[1], "--idle") == 0) {
		puts("idle");
		while (fgets(line, sizeof(line), stdin))
			;
		return 0;
	}
	port = argc >= 2 ? strtoul(argv[1], NULL, 10) : 0;
	if (port == 0 || port > 65535 || argc > 3)
		die("usage: client PORT [CA_FILE] | client --idle");
	if (argc == 3) {
		ctx = SSL_CTX_new(TLS_client_method());
		if (!ctx || SSL_CTX_load_verify_locations(ctx, argv[2], NULL) != 1)
			die("%s: %s", argv[2], ERR_error_string(ERR_get_error(), NULL));
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	}
	while (fgets(line, sizeof(line), stdin)) {
		if (strncmp(line, "run ", 4) == 0) {
			run(strtoul(line + 4, NULL, 10), (uint16_t)port, ctx);
		} else if (strcmp(line, "mark\n") == 0) {
			bench_mark();
			puts("mark");
		} else {
			die("no such command: %s", line);
		}
	}
	SSL_CTX_free(ctx);
	return 0;
}
