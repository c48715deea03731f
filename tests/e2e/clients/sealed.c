/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sealed.c - an HTTPS client that lets the kernel kill it for any system call but the few that it makes: sealed PORT CA_FILE strict|filter COUNT PATH
 *
 * Connects and makes one request, PATH0. Says its pid, waits for a line, seals itself, says "sealed", waits for a line, makes COUNT requests PATH1..., says
 * "done", waits for a line: "exit" ends it, any other makes a call that is not allowed. All by read and write on descriptors; nothing is allocated anew.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "which AUDIT_ARCH is this?"
#endif

#define ALLOW(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static void say(const char *text)
{
	if (write(STDOUT_FILENO, text, strlen(text)) < 0)
		syscall(SYS_exit, 3);
}

static void die(const char *what)
{
	say(what);
	say(" failed\n");
	syscall(SYS_exit, 1);
}

static void seal(const char *mode)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(SYS_read),
		ALLOW(SYS_write),
		ALLOW(SYS_sendto),
		ALLOW(SYS_recvfrom),
		ALLOW(SYS_exit),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	static const struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	if (strcmp(mode, "strict") == 0) {
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
			die("strict mode");
		return;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		die("the filter");
}

/* The first byte of a line. */
static char line(void)
{
	char first = 0, byte;

	while (read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n')
		first = first ? first : byte;
	return first;
}

static void request(SSL *ssl, const char *path, unsigned int number)
{
	static char buf[4096];
	int len = snprintf(buf, sizeof(buf), "GET %s%u HTTP/1.1\r\nHost: localhost\r\n\r\n", path, number), have = 0;

	if (SSL_write(ssl, buf, len) != len)
		die("SSL_write");
	for (;;) {
		len = SSL_read(ssl, buf + have, (int)sizeof(buf) - 1 - have);
		if (len <= 0)
			die("SSL_read");
		have += len;
		buf[have] = '\0';
		/* The server's bodies of five bytes. */
		if (strstr(buf, "\r\n\r\n") && strlen(strstr(buf, "\r\n\r\n")) == 4 + 5)
			return;
	}
}

/* A function that has a return probe, too; for an address it makes no system call. */
static void look_up(void)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM }, *found = NULL;

	if (getaddrinfo("127.0.0.1", NULL, &hints, &found))
		die("getaddrinfo");
	freeaddrinfo(found);
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	unsigned int count;
	char pid[16];
	SSL *ssl;
	int fd;

	if (argc != 6)
		die("usage: sealed PORT CA_FILE strict|filter COUNT PATH:");
	addr.sin_port = htons((uint16_t)atoi(argv[1]));
	count = (unsigned int)atoi(argv[4]);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		die("connect");
	if (!ctx || SSL_CTX_load_verify_locations(ctx, argv[2], NULL) != 1)
		die("the CA file");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	ssl = SSL_new(ctx);
	if (!ssl || SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1)
		die("the handshake");
	request(ssl, argv[5], 0);
	look_up();
	snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	say(pid);
	line();
	seal(argv[3]);
	say("sealed\n");
	line();
	for (unsigned int i = 1; i <= count; i++)
		request(ssl, argv[5], i);
	look_up();
	say("done\n");
	if (line() != 'e')
		syscall(SYS_getppid);
	syscall(SYS_exit, 0);
}
