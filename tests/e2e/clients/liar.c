/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * liar.c - a program that is probed as a library, and lies to the probes: liar SCENARIO PORT
 *
 * It has functions of libssl and libc of its own; the test runs a copy of it whose file is named as one of them, so that the mapping of the program itself is
 * taken for the library. Each scenario is a table or loop of calls with arguments, results and memory that no honest program has. Says its pid, waits for a
 * line on standard input, lies, says "done".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define PROBED        __attribute__((noinline, used, visibility("default")))
#define KERNEL        ((void *)0xffffffff81000000ul)
#define NON_CANONICAL ((void *)0x8000000000000000ul)

/* More than BPF's table of TLS objects holds. */
#define OBJECTS 40000

/* What the functions below answer next. */
static long answer;
static size_t answer_cnt;
static int nesting;
static jmp_buf way_out;

typedef struct ssl_st SSL;
int SSL_write(SSL *ssl, const void *buf, int len);
int SSL_read(SSL *ssl, void *buf, int len);
int SSL_write_ex(SSL *ssl, const void *buf, size_t len, size_t *written);
int SSL_read_ex(SSL *ssl, void *buf, size_t len, size_t *got);
int SSL_do_handshake(SSL *ssl);
int SSL_connect(SSL *ssl);
int SSL_set_fd(SSL *ssl, int fd);
void SSL_free(SSL *ssl);
long SSL_ctrl(SSL *ssl, int cmd, long larg, void *parg);
void SSL_get0_alpn_selected(const SSL *ssl, const unsigned char **data, unsigned int *len);

/* Not optimised away, and long enough to hold probes. */
#define STAY() __asm__ volatile("" ::: "memory")

PROBED int SSL_write(SSL *ssl, const void *buf, int len)
{
	STAY();
	if (nesting > 0) {
		nesting--;
		SSL_read(ssl, (void *)(uintptr_t)buf, len);
	}
	if (nesting < 0)
		longjmp(way_out, 1);
	STAY();
	return (int)answer;
}

PROBED int SSL_read(SSL *ssl, void *buf, int len)
{
	STAY();
	if (nesting > 0) {
		nesting--;
		SSL_write(ssl, buf, len);
	}
	if (nesting < 0)
		longjmp(way_out, 1);
	STAY();
	return (int)answer;
}

PROBED int SSL_write_ex(SSL *ssl, const void *buf, size_t len, size_t *written)
{
	(void)ssl;
	(void)buf;
	(void)len;
	STAY();
	(void)written;
	return (int)answer;
}

PROBED int SSL_read_ex(SSL *ssl, void *buf, size_t len, size_t *got)
{
	(void)ssl;
	(void)buf;
	(void)len;
	STAY();
	(void)got;
	return (int)answer;
}

PROBED int SSL_do_handshake(SSL *ssl)
{
	(void)ssl;
	STAY();
	return (int)answer;
}

PROBED int SSL_connect(SSL *ssl)
{
	(void)ssl;
	STAY();
	return (int)answer;
}

PROBED int SSL_set_fd(SSL *ssl, int fd)
{
	(void)ssl;
	(void)fd;
	STAY();
	return 1;
}

PROBED void SSL_free(SSL *ssl)
{
	(void)ssl;
	STAY();
}

PROBED long SSL_ctrl(SSL *ssl, int cmd, long larg, void *parg)
{
	(void)ssl;
	(void)cmd;
	(void)larg;
	(void)parg;
	STAY();
	return 1;
}

PROBED void SSL_get0_alpn_selected(const SSL *ssl, const unsigned char **data, unsigned int *len)
{
	(void)ssl;
	(void)data;
	(void)len;
	STAY();
}

static struct addrinfo *answer_list, *answer_to;

PROBED int getaddrinfo(const char *restrict node, const char *restrict service, const struct addrinfo *restrict hints,
		       struct addrinfo **restrict res)
{
	(void)service;
	(void)hints;
	STAY();
	if (nesting > 0) {
		nesting--;
		getaddrinfo(node, service, hints, res);
	}
	if (nesting < 0)
		longjmp(way_out, 1);
	if (res == &answer_to)
		*res = answer_list;
	return (int)answer;
}

static int open_connection(int port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		puts("cannot connect");
		exit(1);
	}
	return fd;
}

/* A page before one that is not there. */
static char *at_the_edge(void)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(pages + 4096, 4096, PROT_NONE);
	memset(pages, 'A', 4096);
	return pages + 4096;
}

static void lie_about_tls(int port)
{
	static char request[] = "GET /lie HTTP/1.1\r\nHost: liar\r\n\r\n";
	char *edge = at_the_edge();
	SSL *objects[] = { NULL, (SSL *)1, (SSL *)KERNEL, (SSL *)NON_CANONICAL, (SSL *)-1l, (SSL *)request };
	void *bufs[] = { NULL, (void *)1, KERNEL, NON_CANONICAL, (void *)-1l, edge, edge - 1, edge - 10, request };
	int lens[] = { 0, 1, -1, INT32_MAX, INT32_MIN, 65536, (int)sizeof(request) - 1 };
	long results[] = { 0, 1, -1, INT32_MAX, INT32_MIN, 65536, sizeof(request) - 1 };
	size_t counts[] = { 0, 1, SIZE_MAX, SIZE_MAX / 2, 1ul << 32, 1ul << 31, sizeof(request) - 1 };
	int fd = open_connection(port);

	for (size_t o = 0; o < sizeof(objects) / sizeof(objects[0]); o++) {
		SSL_set_fd(objects[o], (int[]){ fd, -1, INT32_MAX, 1 << 20, 0, INT32_MIN }[o]);
		answer = 1;
		SSL_connect(objects[o]);
		SSL_do_handshake(objects[o]);
		for (size_t b = 0; b < sizeof(bufs) / sizeof(bufs[0]); b++) {
			SSL_ctrl(objects[o], 55, 0, bufs[b]);
			SSL_get0_alpn_selected(objects[o], (const unsigned char **)bufs[b], (unsigned int *)bufs[b]);
			for (size_t l = 0; l < sizeof(lens) / sizeof(lens[0]); l++) {
				for (size_t r = 0; r < sizeof(results) / sizeof(results[0]); r++) {
					answer = results[r];
					answer_cnt = counts[r];
					SSL_write(objects[o], bufs[b], lens[l]);
					SSL_read(objects[o], bufs[b], lens[l]);
					SSL_write_ex(objects[o], bufs[b], counts[l], &answer_cnt);
					SSL_read_ex(objects[o], bufs[b], counts[l], &answer_cnt);
					answer = 1;
					SSL_read_ex(objects[o], bufs[b], counts[l], bufs[b]);
				}
			}
		}
	}
	/* The same socket for many objects, freed in use, again and again; more objects than any table holds. */
	answer = sizeof(request) - 1;
	for (uintptr_t n = 0; n < OBJECTS; n++) {
		SSL *ssl = (SSL *)(0x10000 + 64 * n);

		SSL_set_fd(ssl, fd);
		SSL_write(ssl, request, (int)answer);
		if (n % 10 == 0)
			SSL_free(ssl);
		SSL_read(ssl, request, (int)answer);
	}
	/* Deeper than any stack of calls that is kept; and ways out that no return sees. */
	for (int n = 0; n < 20; n++) {
		nesting = 200;
		SSL_write((SSL *)request, request, (int)answer);
		nesting = -1;
		if (!setjmp(way_out))
			SSL_read((SSL *)request, request, (int)answer);
		nesting = 0;
	}
	close(fd);
}

static void lie_about_names(int port)
{
	enum { LONG = 300000 };
	static struct addrinfo ring[2], one, many[LONG];
	static struct sockaddr_in addr = { .sin_family = AF_INET };
	static char host[100000];
	struct addrinfo wild = { .ai_family = AF_INET, .ai_addrlen = UINT32_MAX, .ai_addr = KERNEL, .ai_next = NON_CANONICAL };
	char *edge = at_the_edge();
	struct addrinfo *lists[] = { NULL, (struct addrinfo *)1, KERNEL, NON_CANONICAL, (struct addrinfo *)(edge - 8), ring, &wild, &one,
				     many };
	const char *hosts[] = { NULL, (char *)1,           (char *)KERNEL,      edge,     edge - 5, "",
				host, "a\nb\033[31m.test", "\xff\xfe\x80.test", "\"},{\"" };

	(void)port;
	memset(host, 'h', sizeof(host) - 1);
	ring[0] = (struct addrinfo){ .ai_family = AF_INET, .ai_addr = (struct sockaddr *)&addr, .ai_next = &ring[1] };
	ring[1] = (struct addrinfo){ .ai_family = AF_INET6, .ai_addr = (struct sockaddr *)(edge - 4), .ai_next = &ring[0] };
	one = (struct addrinfo){ .ai_family = 12345, .ai_addr = (struct sockaddr *)&addr, .ai_next = &one };
	for (int n = 0; n < LONG; n++)
		many[n] = (struct addrinfo){ .ai_family = AF_INET,
					     .ai_addrlen = (socklen_t)n,
					     .ai_addr = (struct sockaddr *)&many[n],
					     .ai_next = &many[(n + 1) % LONG] };
	for (size_t l = 0; l < sizeof(lists) / sizeof(lists[0]); l++) {
		answer_list = lists[l];
		for (size_t h = 0; h < sizeof(hosts) / sizeof(hosts[0]); h++) {
			for (answer = -12; answer < 3; answer++) {
				getaddrinfo(hosts[h], hosts[(h + l) % 8], lists[h % 9], &answer_to);
				getaddrinfo(hosts[h], NULL, NULL, (struct addrinfo **)lists[l % 4]);
			}
			answer = INT32_MIN;
			getaddrinfo(hosts[h], NULL, NULL, &answer_to);
			answer = 0;
		}
	}
	for (int n = 0; n < 1000; n++) {
		nesting = 100;
		getaddrinfo("deep.test", NULL, NULL, &answer_to);
		nesting = -1;
		if (!setjmp(way_out))
			getaddrinfo("gone.test", NULL, NULL, &answer_to);
		nesting = 0;
	}
}

static struct iovec shared[1024];
static volatile int is_over;

/* The array changes while the kernel, and then the probes, walk it. */
static void *scramble(void *arg)
{
	unsigned int n = 0;

	while (!is_over) {
		shared[n % 1024].iov_base = n % 3 ? arg : KERNEL;
		shared[n % 1024].iov_len = n % 5 ? n % 64 : SIZE_MAX;
		n++;
	}
	return NULL;
}

/* Takes a page away again and again: after the kernel has copied from it, and before the probes do. */
static void *take_away(void *page)
{
	while (!is_over)
		madvise(page, 4096, MADV_DONTNEED);
	return NULL;
}

static void lie_about_pages(int port, const char *request, size_t len)
{
	int file_fd = memfd_create("liar", 0);
	char room[4096], *page;
	pthread_t thread;

	if (file_fd < 0 || write(file_fd, request, len) != (ssize_t)len || ftruncate(file_fd, 4096))
		exit(1);
	page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file_fd, 0);
	is_over = 0;
	pthread_create(&thread, NULL, take_away, page);
	for (int n = 0; n < 1000; n++) {
		int fd = open_connection(port);

		if (send(fd, page, len, 0) != (ssize_t)len || recv(fd, room, sizeof(room), 0) <= 0)
			exit(1);
		close(fd);
	}
	is_over = 1;
	pthread_join(thread, NULL);
}

static void lie_about_memory(int port)
{
	static char request[] = "GET /lie?n=3 HTTP/1.1\r\nHost: liar\r\n\r\n", room[4096];
	static struct iovec iov[1025];
	char *edge = at_the_edge();
	pthread_t thread;
	int fd = open_connection(port);
	struct msghdr bad[] = {
		{ .msg_iov = (struct iovec *)KERNEL, .msg_iovlen = 1 },
		{ .msg_iov = (struct iovec *)edge, .msg_iovlen = 2 },
		{ .msg_iov = iov, .msg_iovlen = SIZE_MAX },
		{ .msg_iov = iov, .msg_iovlen = 1024, .msg_name = KERNEL, .msg_namelen = 1 << 20 },
	};

	/* A request in pieces of a byte between empty ones, as many as there may be. */
	for (size_t n = 0; n < 1024; n++) {
		bool has_byte = n % 2 == 0 && n / 2 < sizeof(request) - 1;

		iov[n] = (struct iovec){ has_byte ? request + n / 2 : NULL, has_byte };
	}
	if (writev(fd, iov, 1024) != (ssize_t)sizeof(request) - 1)
		exit(1);
	for (int n = 0; n < 1024; n++)
		iov[n] = (struct iovec){ room + n, n % 4 == 0 };
	while (readv(fd, iov, 1024) < 256 && recv(fd, room, sizeof(room), MSG_DONTWAIT) >= 0)
		;
	/* Received into nowhere: TCP throws it away (tcp(7), MSG_TRUNC). */
	if (send(fd, request, sizeof(request) - 1, 0) != (ssize_t)sizeof(request) - 1 || recv(fd, edge, 4096, MSG_TRUNC) <= 0)
		exit(1);
	/* What the kernel refuses: sums that overflow, too many, memory that is not there. */
	for (int n = 0; n < 1025; n++)
		iov[n] = (struct iovec){ n % 2 ? (void *)KERNEL : edge, SIZE_MAX / 2 };
	writev(fd, iov, 1024);
	writev(fd, iov, 1025);
	for (size_t n = 0; n < sizeof(bad) / sizeof(bad[0]); n++) {
		sendmsg(fd, &bad[n], MSG_NOSIGNAL);
		recvmsg(fd, &bad[n], MSG_DONTWAIT);
	}
	sendmsg(fd, NON_CANONICAL, MSG_NOSIGNAL);
	/* Sent as far as it could be read. */
	send(fd, edge - 100, 200, MSG_NOSIGNAL);
	iov[0] = (struct iovec){ request, sizeof(request) - 1 };
	iov[1] = (struct iovec){ edge - 10, 4096 };
	writev(fd, iov, 2);
	close(fd);
	/* Taken away as soon as it was sent: what the probes read later is not what was sent, or not there. */
	pthread_create(&thread, NULL, scramble, request);
	for (int n = 0; n < 300; n++) {
		fd = open_connection(port);
		for (int i = 0; i < 20; i++)
			if (writev(fd, shared, 1024) < 0 && errno == EPIPE)
				break;
		close(fd);
	}
	is_over = 1;
	pthread_join(thread, NULL);
	lie_about_pages(port, request, sizeof(request) - 1);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*lie)(int port);
	} scenarios[] = { { "tls", lie_about_tls }, { "names", lie_about_names }, { "memory", lie_about_memory } };
	char line[16];

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("%d\n", (int)getpid());
	if (argc != 3 || !fgets(line, sizeof(line), stdin))
		return 2;
	for (size_t n = 0; n < sizeof(scenarios) / sizeof(scenarios[0]); n++)
		if (strcmp(scenarios[n].name, argv[1]) == 0)
			scenarios[n].lie(atoi(argv[2]));
	puts("done");
	while (fgets(line, sizeof(line), stdin))
		continue;
	return 0;
}
