/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * load.c - a client for load: many keep-alive connections, or many processes, at a rate or as fast as it goes, in the clear or over OpenSSL.
 *
 * load OPTION=VALUE...
 *     port, name, ca (a file: over TLS), conns, rate (requests/s, 0: flat out), seconds, count, processes, auto (1: open, go, end)
 *
 * In:  commands, a line each, on standard input:
 *          open    makes the connections (or with processes=N the N processes, each with its own): "open"
 *          go      requests at the rate for the seconds, or count of them, round robin over the connections
 *          some N  one request on each of N connections, evenly spread
 *          end     closes and exits; so does the end of the input
 * Out: "ready"; then the answers. To go and some it is what this process knows of itself, so that a wrong credit shows:
 *          {"pid":1,"name":"a","elapsed_s":1.0,"sent":5,"conns":[["127.0.0.1:40000",5],...]}
 *      sent and the numbers behind the local addresses count since open. With processes=N there are N such lines.
 *
 * Request n (from 0) on connection c asks for /NAME/c/n, and the answer must repeat that. A failure is a line on standard error and exit status
 * 1.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#define NSEC_PER_SEC 1000000000ull
#define RESPONSE_MAX 512
#define BATCH        64

struct conn {
	int fd;
	SSL *ssl; /* NULL: in the clear */
	char local[32];
	uint64_t sent;
	size_t have;
	char response[RESPONSE_MAX];
};

static struct {
	unsigned long port, conns, count, processes, is_auto;
	double rate, seconds;
	const char *ca, *name;
} opts = { .conns = 1, .name = "load" };

static char name[64];
static SSL_CTX *tls;
static struct conn *conns;
static uint32_t *idle; /* connections that wait for nothing, first in first out: a ring of opts.conns */
static size_t idle_at, idle_cnt;
static uint64_t sent;
static int epoll_fd = -1;

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "load %s: ", name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

/* ---- connections ---- */

static void put_idle(uint32_t i)
{
	idle[(idle_at + idle_cnt++) % opts.conns] = i;
}

static uint32_t take_idle(void)
{
	uint32_t i = idle[idle_at];

	idle_at = (idle_at + 1) % opts.conns;
	idle_cnt--;
	return i;
}

static void open_conn(uint32_t i)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t)opts.port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };
	struct conn *conn = &conns[i];
	char text[INET_ADDRSTRLEN];
	socklen_t len = sizeof(addr);
	int one = 1;

	conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (conn->fd < 0 || connect(conn->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		die("connection %u to port %lu: %s", i, opts.port, strerror(errno));
	setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (tls) {
		conn->ssl = SSL_new(tls);
		if (!conn->ssl || SSL_set_fd(conn->ssl, conn->fd) != 1 || SSL_set1_host(conn->ssl, "localhost") != 1 ||
		    SSL_connect(conn->ssl) != 1)
			die("connection %u: TLS handshake: %s", i, ERR_error_string(ERR_get_error(), NULL));
	}
	if (getsockname(conn->fd, (struct sockaddr *)&addr, &len) < 0 || fcntl(conn->fd, F_SETFL, O_NONBLOCK) < 0 ||
	    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, conn->fd, &event) < 0)
		die("connection %u: %s", i, strerror(errno));
	snprintf(conn->local, sizeof(conn->local), "%s:%u", inet_ntop(AF_INET, &addr.sin_addr, text, sizeof(text)), ntohs(addr.sin_port));
	put_idle(i);
}

static void open_all(void)
{
	struct rlimit files = { .rlim_cur = opts.conns + 64, .rlim_max = opts.conns + 64 }, have;

	getrlimit(RLIMIT_NOFILE, &have);
	if (have.rlim_cur < files.rlim_cur) {
		if (have.rlim_max > files.rlim_max)
			files.rlim_max = have.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &files) < 0)
			die("%lu connections need more file descriptors: %s", opts.conns, strerror(errno));
	}
	if (opts.ca) {
		tls = SSL_CTX_new(TLS_client_method());
		if (!tls || SSL_CTX_load_verify_locations(tls, opts.ca, NULL) != 1)
			die("%s: %s", opts.ca, ERR_error_string(ERR_get_error(), NULL));
		SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
	}
	conns = calloc(opts.conns, sizeof(*conns));
	idle = calloc(opts.conns, sizeof(*idle));
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!conns || !idle || epoll_fd < 0)
		die("%s", strerror(errno));
	for (uint32_t i = 0; i < opts.conns; i++)
		open_conn(i);
}

static void close_all(void)
{
	for (uint32_t i = 0; conns && i < opts.conns; i++) {
		if (conns[i].ssl) {
			SSL_shutdown(conns[i].ssl);
			SSL_free(conns[i].ssl);
		}
		close(conns[i].fd);
	}
}

/* ---- requests ---- */

static void send_request(uint32_t i)
{
	struct conn *conn = &conns[i];
	char text[256];
	int len, ret;

	len = snprintf(text, sizeof(text), "GET /%s/%u/%llu HTTP/1.1\r\nHost: %s:%lu\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n", name, i,
		       (unsigned long long)conn->sent, tls ? "localhost" : "127.0.0.1", opts.port);
	ret = conn->ssl ? SSL_write(conn->ssl, text, len) : (int)send(conn->fd, text, (size_t)len, MSG_NOSIGNAL);
	if (ret != len)
		die("connection %u: send: %s", i, conn->ssl ? ERR_error_string(ERR_get_error(), NULL) : strerror(errno));
	conn->have = 0;
	conn->sent++;
	sent++;
}

/* The whole answer to the connection's last request? */
static bool is_answered(uint32_t i)
{
	const struct conn *conn = &conns[i];
	char end[128];
	size_t len = (size_t)snprintf(end, sizeof(end), "\r\n\r\n/%s/%u/%llu\n", name, i, (unsigned long long)conn->sent - 1);

	if (conn->have < len || memcmp(conn->response + conn->have - len, end, len) != 0)
		return false;
	if (memcmp(conn->response, "HTTP/1.1 200 ", 13) != 0)
		die("connection %u: not the answer that was expected: %.60s", i, conn->response);
	return true;
}

static void receive(uint32_t i)
{
	struct conn *conn = &conns[i];

	for (;;) {
		size_t room = sizeof(conn->response) - conn->have;
		int ret;

		if (!room)
			die("connection %u: an answer longer than expected: %.60s", i, conn->response);
		ret = conn->ssl ? SSL_read(conn->ssl, conn->response + conn->have, (int)room)
				: (int)recv(conn->fd, conn->response + conn->have, room, 0);
		if (ret <= 0) {
			if (conn->ssl ? SSL_get_error(conn->ssl, ret) == SSL_ERROR_WANT_READ : ret < 0 && errno == EAGAIN)
				return;
			die("connection %u ended within an answer", i);
		}
		conn->have += (size_t)ret;
		if (is_answered(i)) {
			put_idle(i);
			return;
		}
	}
}

/* Receives what is there; waits for it until until_ns (0: not at all, UINT64_MAX: for ever). */
static void wait_answers(uint64_t until_ns)
{
	struct epoll_event events[BATCH];
	struct timespec left = { 0 };
	int cnt;

	if (until_ns != UINT64_MAX) {
		uint64_t now = now_ns(), ns = until_ns > now ? until_ns - now : 0;

		left = (struct timespec){ .tv_sec = (time_t)(ns / NSEC_PER_SEC), .tv_nsec = (long)(ns % NSEC_PER_SEC) };
	}
	cnt = epoll_pwait2(epoll_fd, events, BATCH, until_ns == UINT64_MAX ? NULL : &left, NULL);
	if (cnt < 0 && errno != EINTR)
		die("epoll: %s", strerror(errno));
	for (int n = 0; n < cnt; n++)
		receive(events[n].data.u32);
}

static void wait_all_answered(void)
{
	while (idle_cnt < opts.conns)
		wait_answers(UINT64_MAX);
}

static void go(void)
{
	uint64_t start_ns = now_ns(), end_ns = start_ns + (uint64_t)(opts.seconds * 1e9), begun = sent, total = UINT64_MAX;

	if (opts.count)
		total = opts.count;
	else if (opts.rate > 0)
		total = (uint64_t)(opts.rate * opts.seconds);
	while (sent - begun < total && (opts.count || opts.rate > 0 || now_ns() < end_ns)) {
		uint64_t due_ns = opts.rate > 0 ? start_ns + (uint64_t)((double)(sent - begun) * 1e9 / opts.rate) : 0;

		if (!idle_cnt)
			wait_answers(UINT64_MAX);
		else if (due_ns > now_ns())
			wait_answers(due_ns);
		else
			send_request(take_idle());
	}
	wait_all_answered();
}

static void some(unsigned long cnt)
{
	if (cnt > opts.conns)
		cnt = opts.conns;
	for (unsigned long n = 0; n < cnt; n++)
		send_request((uint32_t)(n * opts.conns / cnt));
	/* What was sent is not idle, and what was not is: begin the ring anew. */
	for (idle_at = idle_cnt = 0; idle_cnt < cnt;)
		wait_answers(UINT64_MAX);
	idle_at = idle_cnt = 0;
	for (uint32_t i = 0; i < opts.conns; i++)
		put_idle(i);
}

static void tell(FILE *to, uint64_t begin_ns)
{
	fprintf(to, "{\"pid\":%d,\"name\":\"%s\",\"elapsed_s\":%.6f,\"sent\":%llu,\"conns\":[", (int)getpid(), name,
		(double)(now_ns() - begin_ns) / 1e9, (unsigned long long)sent);
	for (uint32_t i = 0; i < opts.conns; i++)
		fprintf(to, "%s[\"%s\",%llu]", i ? "," : "", conns[i].local, (unsigned long long)conns[i].sent);
	fprintf(to, "]}\n");
	fflush(to);
}

/* ---- commands ---- */

/* False: the end. */
static bool obey(const char *command, FILE *to)
{
	uint64_t begin_ns = now_ns();

	if (!strcmp(command, "open\n")) {
		open_all();
		fputs("open\n", to);
		fflush(to);
	} else if (!strcmp(command, "go\n")) {
		go();
		tell(to, begin_ns);
	} else if (!strncmp(command, "some ", 5)) {
		some(strtoul(command + 5, NULL, 10));
		tell(to, begin_ns);
	} else if (!strcmp(command, "end\n")) {
		return false;
	} else {
		die("no such command: %s", command);
	}
	return true;
}

static int serve(FILE *from, FILE *to)
{
	char line[64];

	while (fgets(line, sizeof(line), from) && obey(line, to))
		;
	close_all();
	return 0;
}

/* ---- many processes: each obeys the commands that the first one passes on ---- */

static FILE *start_process(unsigned long i, FILE *const *others)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		die("socketpair: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid) {
		close(pair[0]);
		return fdopen(pair[1], "r+");
	}
	close(pair[1]);
	for (unsigned long n = 0; n < i; n++)
		close(fileno(others[n]));
	snprintf(name, sizeof(name), "%.40s-%lu", opts.name, i);
	_exit(serve(fdopen(pair[0], "r"), fdopen(dup(pair[0]), "w")));
}

/* Passes a command on; the answers are told in the order of the processes, an opening as one. */
static void pass_on(FILE **processes, const char *command)
{
	bool is_open = !strcmp(command, "open\n");
	size_t room = 4096;
	char *line = malloc(room);

	for (unsigned long i = 0; i < opts.processes; i++) {
		fputs(command, processes[i]);
		fflush(processes[i]);
	}
	for (unsigned long i = 0; i < opts.processes; i++) {
		if (getline(&line, &room, processes[i]) <= 0)
			die("process %lu of %lu failed", i, opts.processes);
		if (!is_open)
			fputs(line, stdout);
	}
	if (is_open)
		puts("open");
	free(line);
}

static int serve_processes(void)
{
	struct rlimit files = { .rlim_cur = opts.processes + 64, .rlim_max = opts.processes + 64 }, have;
	FILE **processes = calloc(opts.processes, sizeof(FILE *));
	int failed = 0, status;
	char command[64];

	if (!processes)
		die("%s", strerror(errno));
	getrlimit(RLIMIT_NOFILE, &have);
	if (have.rlim_max > files.rlim_max)
		files.rlim_max = have.rlim_max;
	if (have.rlim_cur < files.rlim_cur && setrlimit(RLIMIT_NOFILE, &files) < 0)
		die("%lu processes need more file descriptors: %s", opts.processes, strerror(errno));
	while (fgets(command, sizeof(command), stdin) && strcmp(command, "end\n") != 0) {
		if (!strcmp(command, "open\n"))
			for (unsigned long i = 0; i < opts.processes; i++)
				processes[i] = start_process(i, processes);
		pass_on(processes, command);
	}
	for (unsigned long i = 0; i < opts.processes; i++)
		if (processes[i])
			fclose(processes[i]);
	free(processes);
	while (wait(&status) > 0)
		failed |= status;
	return failed ? 1 : 0;
}

static void read_option(const char *option)
{
	static const struct {
		const char *name;
		unsigned long *number;
		double *real;
		const char **text;
	} known[] = {
		{ "port", &opts.port, NULL, NULL }, { "conns", &opts.conns, NULL, NULL },         { "count", &opts.count, NULL, NULL },
		{ "rate", NULL, &opts.rate, NULL }, { "processes", &opts.processes, NULL, NULL }, { "auto", &opts.is_auto, NULL, NULL },
		{ "ca", NULL, NULL, &opts.ca },     { "seconds", NULL, &opts.seconds, NULL },     { "name", NULL, NULL, &opts.name },
	};
	const char *value = strchr(option, '=');

	for (size_t i = 0; value && i < sizeof(known) / sizeof(known[0]); i++) {
		if (strncmp(option, known[i].name, (size_t)(value - option)) != 0 || known[i].name[value - option])
			continue;
		if (known[i].number)
			*known[i].number = strtoul(value + 1, NULL, 10);
		else if (known[i].real)
			*known[i].real = strtod(value + 1, NULL);
		else
			*known[i].text = value + 1;
		return;
	}
	die("no such option: %s", option);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 1 << 16);
	signal(SIGPIPE, SIG_IGN);
	for (int i = 1; i < argc; i++)
		read_option(argv[i]);
	if (!opts.port || opts.port > 65535 || !opts.conns)
		die("a port and a connection at least are needed");
	snprintf(name, sizeof(name), "%.40s", opts.name);
	if (opts.is_auto)
		return !(obey("open\n", stdout) && obey("go\n", stdout)) || (close_all(), 0);
	puts("ready");
	return opts.processes ? serve_processes() : serve(stdin, stdout);
}
