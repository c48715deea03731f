/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * writes.c - an HTTPS client that writes its requests in all the ways in which a write may end otherwise than by one send inside it.
 *
 *     writes HOST PORT CA_FILE WAY COUNT PREFIX
 *
 * Asks for /PREFIX/0, /PREFIX/1, ... on one connection, one after another, each with a body of body_bytes(), and checks that each is answered by
 * 200. "ready" is printed behind the handshake; a line on standard input starts the requests. Ends with 0 when all were answered.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define HEAD_ROOM 512

struct way {
	const char *name;
	int body_bytes;      /* 0: GET */
	bool is_small;       /* the socket's buffer: a write fills it */
	bool is_nonblocking; /* so that a write has to be made in several calls */
	bool has_signals;    /* a timer's, that come while it waits for room, too */
	bool is_partial;     /* SSL_MODE_ENABLE_PARTIAL_WRITE */
	bool is_buffered;    /* from the second request on the records go through a BIO that is flushed behind the write */
	bool has_key_update; /* before each third request: a record more in its write's send */
	bool has_threads;    /* every request by a thread of its own */
	bool is_ex;
	bool has_bad_write; /* before each third request a write that fails without a send */
};

static const struct way ways[] = {
	{ .name = "get" },
	{ .name = "get-ex", .is_ex = true },
	{ .name = "post", .body_bytes = 10000 },
	{ .name = "post-large", .body_bytes = 100000 },
	{ .name = "nonblocking", .body_bytes = 15000, .is_small = true, .is_nonblocking = true },
	{ .name = "nonblocking-large", .body_bytes = 300000, .is_small = true, .is_nonblocking = true },
	{ .name = "partial", .body_bytes = 300000, .is_small = true, .is_nonblocking = true, .is_partial = true },
	{ .name = "signals", .body_bytes = 15000, .is_small = true, .has_signals = true },
	{ .name = "buffered", .is_buffered = true },
	{ .name = "key-update", .has_key_update = true },
	{ .name = "threads", .has_threads = true },
	{ .name = "bad-write", .has_bad_write = true },
};

struct client {
	const struct way *way;
	const char *prefix;
	int fd;
	SSL *ssl;
	BIO *buffer;
	int number;
	char *request;
	int failed;
};

static int fail(const char *what)
{
	fprintf(stderr, "writes: %s: %s\n", what, strerror(errno));
	ERR_print_errors_fp(stderr);
	return 1;
}

static int wait_for(struct client *client, int ret)
{
	int err = SSL_get_error(client->ssl, ret);
	struct pollfd poll_fd = { .fd = client->fd, .events = err == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN };

	if (err != SSL_ERROR_WANT_READ && err != SSL_ERROR_WANT_WRITE)
		return -1;
	return poll(&poll_fd, 1, 10000) == 1 ? 0 : -1;
}

static int write_some(struct client *client, const char *text, int len)
{
	size_t done = 0;

	if (!client->way->is_ex)
		return SSL_write(client->ssl, text, len);
	return SSL_write_ex(client->ssl, text, (size_t)len, &done) ? (int)done : 0;
}

static int write_request(struct client *client)
{
	const struct way *way = client->way;
	int len, at = 0;

	len = snprintf(client->request, HEAD_ROOM, "%s /%s/%d HTTP/1.1\r\nHost: localhost\r\n", way->body_bytes ? "POST" : "GET",
		       client->prefix, client->number);
	if (way->body_bytes)
		len += snprintf(client->request + len, HEAD_ROOM - (size_t)len, "Content-Length: %d\r\n", way->body_bytes);
	len += snprintf(client->request + len, HEAD_ROOM - (size_t)len, "\r\n");
	memset(client->request + len, 'b', (size_t)way->body_bytes);
	len += way->body_bytes;
	while (at < len) {
		int n = write_some(client, client->request + at, len - at);

		if (n > 0)
			at += n;
		else if (wait_for(client, n))
			return fail("write");
	}
	if (client->buffer && BIO_flush(client->buffer) <= 0)
		return fail("flush");
	return 0;
}

static int read_response(struct client *client)
{
	char text[4096];
	int len = 0;
	char *end;

	for (;;) {
		int n = SSL_read(client->ssl, text + len, (int)sizeof(text) - 1 - len);

		if (n <= 0) {
			if (wait_for(client, n))
				return fail("read");
			continue;
		}
		len += n;
		text[len] = '\0';
		end = strstr(text, "\r\n\r\n");
		if (end) {
			const char *length = strcasestr(text, "content-length:");

			if (!length || strncmp(text, "HTTP/1.1 200 ", 13))
				return fail(text);
			if (end + 4 + atoi(length + 15) == text + len)
				return 0;
		}
		if (len == (int)sizeof(text) - 1)
			return fail("a response that is too long");
	}
}

static void *one_request(void *arg)
{
	struct client *client = arg;
	const struct way *way = client->way;

	if (way->has_key_update && client->number % 3 == 2 && !SSL_key_update(client->ssl, SSL_KEY_UPDATE_NOT_REQUESTED))
		client->failed = fail("key update");
	if (way->has_bad_write && client->number % 3 == 2) {
		SSL_set_shutdown(client->ssl, SSL_SENT_SHUTDOWN);
		if (SSL_write(client->ssl, "GET /never HTTP/1.1\r\n\r\n", 23) > 0)
			client->failed = fail("a write behind a shutdown");
		SSL_set_shutdown(client->ssl, 0);
		ERR_clear_error();
	}
	if (way->is_buffered && client->number == 1) {
		client->buffer = BIO_new(BIO_f_buffer());
		BIO_set_write_buffer_size(client->buffer, 65536);
		BIO_push(client->buffer, SSL_get_wbio(client->ssl));
		BIO_up_ref(SSL_get_rbio(client->ssl));
		SSL_set0_wbio(client->ssl, client->buffer);
	}
	if (!client->failed)
		client->failed = write_request(client) || read_response(client);
	return NULL;
}

static int all_requests(struct client *client, int count)
{
	for (; client->number < count && !client->failed; client->number++) {
		pthread_t thread;

		if (!client->way->has_threads) {
			one_request(client);
			continue;
		}
		if (pthread_create(&thread, NULL, one_request, client))
			return fail("thread");
		pthread_join(thread, NULL);
	}
	return client->failed;
}

static void on_alarm(int number)
{
	(void)number;
}

static int dial(struct client *client, const char *host, int port, const char *ca_file)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int small = 4608;

	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	client->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (client->way->is_small)
		setsockopt(client->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	if (!ctx || connect(client->fd, (struct sockaddr *)&to, sizeof(to)))
		return fail("connect");
	if (SSL_CTX_load_verify_locations(ctx, ca_file, NULL) != 1)
		return fail(ca_file);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	client->ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	SSL_set_tlsext_host_name(client->ssl, host);
	SSL_set_fd(client->ssl, client->fd);
	if (client->way->is_partial)
		SSL_set_mode(client->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (SSL_connect(client->ssl) != 1)
		return fail("handshake");
	if (client->way->is_nonblocking)
		fcntl(client->fd, F_SETFL, fcntl(client->fd, F_GETFL) | O_NONBLOCK);
	return 0;
}

int main(int argc, char **argv)
{
	struct client client = { 0 };
	int err;

	for (size_t i = 0; argc == 7 && i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (!strcmp(ways[i].name, argv[4]))
			client.way = &ways[i];
	}
	if (!client.way) {
		fprintf(stderr, "usage: writes HOST PORT CA_FILE WAY COUNT PREFIX\n");
		return 2;
	}
	client.prefix = argv[6];
	client.request = malloc(HEAD_ROOM + (size_t)client.way->body_bytes);
	if (!client.request || dial(&client, argv[1], atoi(argv[2]), argv[3]))
		return 1;
	printf("ready\n");
	fflush(stdout);
	if (getchar() == EOF)
		return 1;
	if (client.way->has_signals) {
		signal(SIGALRM, on_alarm); /* with SA_RESTART */
		setitimer(ITIMER_REAL, &(struct itimerval){ .it_interval.tv_usec = 200, .it_value.tv_usec = 200 }, NULL);
	}
	err = all_requests(&client, atoi(argv[5]));
	SSL_free(client.ssl);
	close(client.fd);
	free(client.request);
	return err;
}
