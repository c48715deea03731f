/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * client.c - the benchmark's client: one keep-alive connection on loopback, in the clear or over OpenSSL with an fd BIO, and nothing
 * between the requests but the clock; or no connection.
 *
 * client PORT [CA_FILE [ex]]: with a CA file over TLS, by SSL_write and SSL_read; with ex by SSL_write_ex and SSL_read_ex.
 * client --work: no sockets at all: computes, and reads and writes a pipe and a file.
 * Reads commands from standard input, a line each, and answers each with a line:
 *     run N  sends N requests on a fresh connection after one that is not timed (or does N pieces of work): "N wall_ns cpu_ns", user and
 *            system time of this process
 *     mark   calls bench_mark(), where a tracer may have a probe: "mark"
 * client --idle maps the same libraries, prints "idle", and waits for the end of its standard input.
 * A failure is one line on standard error and exit status 1.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <strings.h>

#include "connection.h"

static const char request[] = "GET /bench HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";

struct target {
	uint16_t port;
	SSL_CTX *ctx; /* NULL: in the clear */
	bool has_ex;  /* by the functions whose names end in _ex */
};

/* Not inlined, and not empty for the compiler: a place for a tracer's probe. */
__attribute__((noinline, used)) void bench_mark(void);
void bench_mark(void)
{
	__asm__ volatile("");
}

static int send_some(const struct connection *conn, bool has_ex, const void *data, int len)
{
	size_t done;

	if (!conn->ssl)
		return (int)send(conn->fd, data, (size_t)len, MSG_NOSIGNAL);
	if (has_ex)
		return SSL_write_ex(conn->ssl, data, (size_t)len, &done) ? (int)done : -1;
	return SSL_write(conn->ssl, data, len);
}

static int receive_some(const struct connection *conn, bool has_ex, void *buf, int room)
{
	size_t done;

	if (!conn->ssl)
		return (int)recv(conn->fd, buf, (size_t)room, 0);
	if (has_ex)
		return SSL_read_ex(conn->ssl, buf, (size_t)room, &done) ? (int)done : -1;
	return SSL_read(conn->ssl, buf, room);
}

static void one_request(const struct connection *conn, bool has_ex)
{
	const int request_len = (int)sizeof(request) - 1;
	char buf[4096 + 1];
	size_t have = 0, want = 0;
	int ret;

	ret = send_some(conn, has_ex, request, request_len);
	if (ret != request_len)
		die("send: %s", conn->ssl ? ERR_error_string(ERR_get_error(), NULL) : strerror(errno));
	do {
		const char *end, *field;
		size_t room = sizeof(buf) - 1 - have;

		ret = receive_some(conn, has_ex, buf + have, (int)room);
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

static void run(unsigned long request_cnt, const struct target *target)
{
	struct connection conn;
	struct stopwatch watch;

	open_connection(&conn, target->port, target->ctx);
	one_request(&conn, target->has_ex);
	watch = begin();
	for (unsigned long n = 0; n < request_cnt; n++)
		one_request(&conn, target->has_ex);
	end(&watch, request_cnt);
	close_connection(&conn);
}

/* The calls that a process without sockets shares with those that have some, and something to compute between them. */
static void work(unsigned long piece_cnt)
{
	static unsigned char block[4096];
	int file_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), pipe_fds[2];
	struct stopwatch watch;
	uint32_t sum = 1;

	if (file_fd < 0 || pipe2(pipe_fds, O_CLOEXEC))
		die("a file and a pipe: %s", strerror(errno));
	watch = begin();
	for (unsigned long n = 0; n < piece_cnt; n++) {
		if (pread(file_fd, block, sizeof(block), 0) != sizeof(block) || write(pipe_fds[1], &sum, sizeof(sum)) != sizeof(sum) ||
		    read(pipe_fds[0], &sum, sizeof(sum)) != sizeof(sum))
			die("a file or a pipe: %s", strerror(errno));
		for (size_t i = 0; i < sizeof(block); i++)
			sum = sum * 31 + block[i];
	}
	end(&watch, piece_cnt);
	close(file_fd);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

int main(int argc, char **argv)
{
	char line[64];
	struct target target = { .has_ex = false };
	bool is_working = argc == 2 && strcmp(argv[1], "--work") == 0;
	unsigned long port;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && strcmp(argv[1], "--idle") == 0) {
		puts("idle");
		while (fgets(line, sizeof(line), stdin))
			;
		return 0;
	}
	port = argc >= 2 ? strtoul(argv[1], NULL, 10) : 0;
	target.port = (uint16_t)port;
	target.has_ex = argc == 4 && strcmp(argv[3], "ex") == 0;
	if (!is_working && (port == 0 || port > 65535 || argc > 4 || (argc == 4 && !target.has_ex)))
		die("usage: client PORT [CA_FILE [ex]] | client --work | client --idle");
	if (argc >= 3)
		target.ctx = new_context(argv[2], NULL, 0);
	while (fgets(line, sizeof(line), stdin)) {
		if (strncmp(line, "run ", 4) == 0) {
			if (is_working)
				work(strtoul(line + 4, NULL, 10));
			else
				run(strtoul(line + 4, NULL, 10), &target);
		} else if (strcmp(line, "mark\n") == 0) {
			bench_mark();
			puts("mark");
		} else {
			die("no such command: %s", line);
		}
	}
	SSL_CTX_free(target.ctx);
	return 0;
}
