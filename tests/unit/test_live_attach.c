/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_live_attach.c - the live source against the real kernel: what is attached is gone afterwards, children and libraries are followed, refusals are told.
 *
 * Needs root, curl and openssl. Times are printed; the tests allow five times what is aimed at.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "attach/probes.h"
#include "attach/programs.h"
#include "source/live.h"
#include "source/live_ring.h"

#define OPEN_MAX_MS  (5 * 500)
#define CLOSE_MAX_MS (5 * 1000)
#define WAIT_MAX_MS  20000
#define CYCLES       20
#define IDLERS       100

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* ---- Processes to trace --------------------------------------------------------------------------------------------------------------------------- */

struct child {
	pid_t pid;
	int go_fd;   /* write end: a byte lets it go on */
	int done_fd; /* read end: a byte says it has */
};

/* Runs body in a child, after a byte has come; body's return value is its exit status. */
static struct child start(int (*body)(struct child *own, void *arg), void *arg)
{
	struct child child, own;
	int go[2], done[2];

	assert_int_equal(pipe2(go, 0), 0);
	assert_int_equal(pipe2(done, 0), 0);
	fflush(stdout);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (!child.pid) {
		char byte;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(go[1]);
		close(done[0]);
		own = (struct child){ .pid = getpid(), .go_fd = go[0], .done_fd = done[1] };
		_exit(read(own.go_fd, &byte, 1) == 1 ? body(&own, arg) : 1);
	}
	close(go[0]);
	close(done[1]);
	child.go_fd = go[1];
	child.done_fd = done[0];
	return child;
}

static void go_on(const struct child *child)
{
	assert_int_equal(write(child->go_fd, "g", 1), 1);
}

static void wait_done(const struct child *child)
{
	char byte;

	assert_int_equal(read(child->done_fd, &byte, 1), 1);
}

/* Ends it if it still waits. */
static void finish(struct child *child)
{
	kill(child->pid, SIGKILL);
	close(child->go_fd);
	close(child->done_fd);
	waitpid(child->pid, NULL, 0);
}

static int do_nothing(struct child *own, void *arg)
{
	(void)own;
	(void)arg;
	return 0;
}

/* ---- What the source tells ------------------------------------------------------------------------------------------------------------------------ */

#define PIDS_MAX 64

struct heard {
	const char *wanted_path; /* in: of a target */
	bool has_wanted;
	unsigned int wanted_action;
	int kind_cnt[128];
	pid_t handshakes[PIDS_MAX];
	int handshake_cnt;
	int first_kind;
	int last_kind;
	uint64_t tick_ns;
	bool is_time_inverted;
};

static int hear(void *ctx, const struct ht_hdr *rec)
{
	const struct ht_rec_tls *tls = (const void *)rec;
	struct heard *heard = ctx;

	assert_true(rec->kind < 128);
	heard->kind_cnt[rec->kind]++;
	if (!heard->first_kind)
		heard->first_kind = rec->kind;
	heard->last_kind = rec->kind;
	if (rec->kind == HT_REC_TICK) {
		heard->is_time_inverted |= rec->ts_ns < heard->tick_ns;
		heard->tick_ns = rec->ts_ns;
	}
	if (rec->kind == HT_REC_TLS && tls->op == HT_TLS_HANDSHAKE_START && heard->handshake_cnt < PIDS_MAX)
		heard->handshakes[heard->handshake_cnt++] = (pid_t)rec->tgid;
	if (rec->kind == HT_REC_TARGET && heard->wanted_path) {
		const char *kind = (const char *)((const struct ht_rec_target *)rec + 1), *path = kind + strlen(kind) + 1;

		if (!strcmp(path, heard->wanted_path)) {
			heard->has_wanted = true;
			heard->wanted_action = ((const struct ht_rec_target *)rec)->action;
		}
	}
	return 0;
}

static struct ht_source *open_or_fail(const struct ht_live_opts *opts)
{
	char err[512] = "";
	struct ht_source *source = ht_live_open(opts, err, sizeof(err));

	if (!source)
		fail_msg("open: %s", err);
	return source;
}

static int count_dir(const char *path)
{
	DIR *dir = opendir(path);
	int cnt = 0;

	assert_non_null(dir);
	while (readdir(dir))
		cnt++;
	closedir(dir);
	return cnt;
}

/* Whether this process is back to cnt threads: one that was joined may be in /proc for a moment yet (the kernel wakes who joins it first). */
static bool is_back_to_threads(int cnt)
{
	struct timespec nap = { .tv_nsec = 1000000 };

	for (double end_ms = now_ms() + WAIT_MAX_MS; now_ms() < end_ms; nanosleep(&nap, NULL)) {
		if (count_dir("/proc/self/task") == cnt)
			return true;
	}
	return false;
}

/* The kernel's ids of all links that this process holds. */
static size_t own_links(uint32_t *ids, size_t room)
{
	DIR *dir = opendir("/proc/self/fdinfo");
	struct dirent *entry;
	char path[300], text[1024];
	size_t cnt = 0;

	while ((entry = readdir(dir))) {
		char *found;
		FILE *file;
		size_t len;

		snprintf(path, sizeof(path), "/proc/self/fdinfo/%s", entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		len = fread(text, 1, sizeof(text) - 1, file);
		text[len] = '\0';
		fclose(file);
		found = strstr(text, "link_id:");
		if (found && cnt < room)
			ids[cnt++] = (uint32_t)strtoul(found + 8, NULL, 10);
	}
	closedir(dir);
	return cnt;
}

static bool link_exists(uint32_t id)
{
	int fd = bpf_link_get_fd_by_id(id);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* ---- Tests ---------------------------------------------------------------------------------------------------------------------------------------- */

static void cycles_leave_nothing(void **state)
{
	double open_worst_ms = 0, close_worst_ms = 0;
	int fd_cnt, thread_cnt = count_dir("/proc/self/task");
	struct ht_live_opts opts = { .is_following = true };
	struct child idlers[IDLERS];
	uint32_t links[64];

	(void)state;
	for (int i = 0; i < IDLERS; i++)
		idlers[i] = start(do_nothing, NULL);
	fd_cnt = count_dir("/proc/self/fd");
	for (int i = 0; i < CYCLES; i++) {
		struct heard heard = { 0 };
		double t0 = now_ms(), t1, t2;
		struct ht_source *source = open_or_fail(&opts);
		size_t link_cnt;

		t1 = now_ms();
		link_cnt = own_links(links, 64);
		assert_true(link_cnt > 10);
		assert_true(source->ops->poll(source, 0, hear, &heard) > 0);
		assert_int_equal(heard.first_kind, HT_REC_CLOCK);
		assert_int_equal(heard.kind_cnt[HT_REC_CONFIG], 1);
		assert_true(heard.kind_cnt[HT_REC_PROC] >= IDLERS);
		assert_true(source->ops->stop(source, hear, &heard) > 0);
		assert_int_equal(heard.last_kind, HT_REC_END);
		assert_false(heard.is_time_inverted);
		assert_int_equal(source->ops->poll(source, 0, hear, &heard), -ENODATA);
		t2 = now_ms();
		source->ops->close(source);
		open_worst_ms = t1 - t0 > open_worst_ms ? t1 - t0 : open_worst_ms;
		close_worst_ms = now_ms() - t2 > close_worst_ms ? now_ms() - t2 : close_worst_ms;
		for (size_t j = 0; j < link_cnt; j++)
			assert_false(link_exists(links[j]));
		assert_int_equal(count_dir("/proc/self/fd"), fd_cnt);
		assert_true(is_back_to_threads(thread_cnt));
	}
	for (int i = 0; i < IDLERS; i++)
		finish(&idlers[i]);
	print_message("system-wide, %d idle processes, worst of %d: open %.0f ms, close %.0f ms\n", IDLERS, CYCLES, open_worst_ms,
		      close_worst_ms);
	assert_true(open_worst_ms < OPEN_MAX_MS);
	assert_true(close_worst_ms < CLOSE_MAX_MS);
}

static void many_pids_close_quickly(void **state)
{
	struct ht_live_opts opts = { .is_following = true };
	struct child idlers[IDLERS];
	struct heard heard = { 0 };
	struct ht_source *source;
	pid_t pids[IDLERS];
	double t0, t1, t2;

	(void)state;
	for (int i = 0; i < IDLERS; i++) {
		idlers[i] = start(do_nothing, NULL);
		pids[i] = idlers[i].pid;
	}
	opts.pids = pids;
	opts.pid_cnt = IDLERS;
	t0 = now_ms();
	source = open_or_fail(&opts);
	t1 = now_ms();
	assert_true(source->ops->poll(source, 0, hear, &heard) > 0);
	assert_true(heard.kind_cnt[HT_REC_PROC] >= IDLERS);
	t2 = now_ms();
	source->ops->close(source);
	print_message("%d pids: open %.0f ms, close %.0f ms\n", IDLERS, t1 - t0, now_ms() - t2);
	assert_true(now_ms() - t2 < CLOSE_MAX_MS);
	for (int i = 0; i < IDLERS; i++)
		finish(&idlers[i]);
}

static void refusals_are_told(void **state)
{
	struct child ended = start(do_nothing, NULL);
	struct ht_live_opts opts = { .pid_cnt = 1 };
	char err[512] = "";
	siginfo_t info;
	pid_t pid;

	(void)state;
	/* Ended, and not waited for. */
	go_on(&ended);
	assert_int_equal(waitid(P_PID, (id_t)ended.pid, &info, WEXITED | WNOWAIT), 0);
	opts.pids = &ended.pid;
	assert_null(ht_live_open(&opts, err, sizeof(err)));
	assert_int_equal(errno, ESRCH);
	assert_non_null(strstr(err, "has ended"));
	pid = ended.pid;
	finish(&ended);
	opts.pids = &pid;
	assert_null(ht_live_open(&opts, err, sizeof(err)));
	assert_int_equal(errno, ESRCH);
	assert_non_null(strstr(err, "no process with pid"));
}

/* Polls until cond or the end of tracing. */
#define POLL_UNTIL(source, heard, cond)                                         \
	do {                                                                    \
		double end_ms = now_ms() + WAIT_MAX_MS;                         \
		int n = 0;                                                      \
		while (!(cond) && n != -ENODATA) {                              \
			assert_true(now_ms() < end_ms);                         \
			n = (source)->ops->poll((source), 1000, hear, (heard)); \
			assert_true(n >= 0 || n == -ENODATA);                   \
		}                                                               \
	} while (0)

static void tracing_ends_with_the_last_process(void **state)
{
	struct child child = start(do_nothing, NULL);
	struct ht_live_opts opts = { .pids = &child.pid, .pid_cnt = 1, .is_following = true };
	struct ht_source *source = open_or_fail(&opts);
	struct heard heard = { 0 };

	(void)state;
	go_on(&child);
	POLL_UNTIL(source, &heard, false);
	assert_int_equal(source->ops->poll(source, 0, hear, &heard), -ENODATA);
	assert_true(source->ops->stop(source, hear, &heard) > 0);
	assert_int_equal(heard.last_kind, HT_REC_END);
	source->ops->close(source);
	finish(&child);
}

static char dir[64];

static void run(const char *command)
{
	assert_int_equal(system(command), 0);
}

static int run_shell(struct child *own, void *command)
{
	(void)own;
	execl("/bin/sh", "sh", "-c", command, NULL);
	return 127;
}

static pid_t start_server(int *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char command[400];
	pid_t pid;

	/* A port that is free now. */
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	close(fd);
	*port = ntohs(addr.sin_port);
	snprintf(command, sizeof(command),
		 "cd %s && openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -days 2 -subj /CN=localhost 2>req.log", dir);
	run(command);
	pid = fork();
	if (!pid) {
		char at[32];

		/* A test that fails leaves none behind. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		snprintf(at, sizeof(at), "127.0.0.1:%d", *port);
		if (chdir(dir) || !freopen("server.log", "w", stdout) || !freopen("server.log", "w", stderr))
			_exit(126);
		execlp("openssl", "openssl", "s_server", "-accept", at, "-key", "k.pem", "-cert", "c.pem", "-www", "-quiet", NULL);
		_exit(127);
	}
	/* It listens when a connect is taken. */
	for (double end_ms = now_ms() + WAIT_MAX_MS; now_ms() < end_ms;) {
		bool is_up;

		fd = socket(AF_INET, SOCK_STREAM, 0);
		is_up = !connect(fd, (struct sockaddr *)&addr, sizeof(addr));
		close(fd);
		if (is_up)
			return pid;
		usleep(1000);
	}
	fail_msg("openssl s_server does not listen");
	return 0;
}

/* Each of the shell's curls, in its turn, in a subshell, and from a vfork of another program, shows its handshake. */
static void children_are_followed(void **state)
{
	int port;
	pid_t server = start_server(&port);
	struct ht_live_opts opts = { .pid_cnt = 1, .is_following = true };
	struct heard heard = { 0 };
	struct ht_source *source;
	struct child shell;
	char command[600];

	(void)state;
	snprintf(
		command, sizeof(command),
		"u=https://127.0.0.1:%d/; c='curl -sk -o /dev/null'; $c $u; $c $u; ($c $u); env $c $u; timeout 9 $c $u; echo $u | xargs $c; true",
		port);
	shell = start(run_shell, command);
	opts.pids = &shell.pid;
	source = open_or_fail(&opts);
	go_on(&shell);
	POLL_UNTIL(source, &heard, false);
	source->ops->close(source);
	assert_int_equal(heard.handshake_cnt, 6);
	for (int i = 1; i < 6; i++)
		assert_int_not_equal(heard.handshakes[i], heard.handshakes[i - 1]);
	finish(&shell);
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
}

static void *exec_shell(void *command)
{
	execl("/bin/sh", "sh", "-c", command, NULL);
	_exit(127);
}

static int run_shell_from_thread(struct child *own, void *command)
{
	pthread_t thread;

	(void)own;
	if (pthread_create(&thread, NULL, exec_shell, command))
		return 1;
	pthread_join(thread, NULL);
	return 1;
}

/* The task that the process's links were made for is gone then. */
static void an_exec_by_another_thread_is_followed(void **state)
{
	int port;
	pid_t server = start_server(&port);
	struct ht_live_opts opts = { .pid_cnt = 1, .is_following = true };
	struct heard heard = { 0 };
	struct ht_source *source;
	struct child shell;
	char command[200];

	(void)state;
	snprintf(command, sizeof(command), "exec curl -sk -o /dev/null https://127.0.0.1:%d/", port);
	shell = start(run_shell_from_thread, command);
	opts.pids = &shell.pid;
	source = open_or_fail(&opts);
	go_on(&shell);
	POLL_UNTIL(source, &heard, false);
	source->ops->close(source);
	assert_int_equal(heard.handshake_cnt, 1);
	assert_int_equal(heard.handshakes[0], shell.pid);
	finish(&shell);
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
}

static int load_library(struct child *own, void *path)
{
	void *library = dlopen(path, RTLD_NOW);
	char byte;

	if (!library || write(own->done_fd, "d", 1) != 1)
		return 1;
	return read(own->go_fd, &byte, 1) >= 0 ? 0 : 1;
}

/* name: of the copy, below dir. */
static void copy_libssl(const char *name, char *path, size_t size)
{
	char command[512];

	snprintf(path, size, "%s/%s", dir, name);
	snprintf(command, sizeof(command), "cp \"$(ldconfig -p | sed -n 's/.*libssl.so.3 .*x86-64.*=> //p' | head -n 1)\" %s", path);
	run(command);
}

static void libraries_loaded_later_are_probed(void **state)
{
	static const bool filters[] = { false, true };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct ht_live_opts opts = { .is_following = true };
		struct heard heard = { 0 };
		struct ht_source *source;
		struct child child;
		char path[256];

		copy_libssl(filters[i] ? "libssl-0123abcd.so.3" : "libssl.so.3", path, sizeof(path));
		child = start(load_library, path);
		opts.pids = &child.pid;
		opts.pid_cnt = filters[i];
		source = open_or_fail(&opts);
		heard.wanted_path = path;
		assert_true(source->ops->poll(source, 0, hear, &heard) > 0);
		assert_false(heard.has_wanted);
		go_on(&child);
		wait_done(&child);
		POLL_UNTIL(source, &heard, heard.has_wanted);
		assert_int_equal(heard.wanted_action, HT_TARGET_ATTACHED);
		source->ops->close(source);
		finish(&child);
	}
}

static void a_deleted_library_is_probed(void **state)
{
	struct ht_live_opts opts = { .pid_cnt = 1 };
	struct heard heard = { 0 };
	struct ht_source *source;
	struct child child;
	char path[256];

	(void)state;
	copy_libssl("libssl.so.3.deleted", path, sizeof(path));
	child = start(load_library, path);
	go_on(&child);
	wait_done(&child);
	assert_int_equal(unlink(path), 0);
	opts.pids = &child.pid;
	source = open_or_fail(&opts);
	heard.wanted_path = path;
	assert_true(source->ops->poll(source, 0, hear, &heard) > 0);
	assert_true(heard.has_wanted);
	assert_int_equal(heard.wanted_action, HT_TARGET_ATTACHED);
	source->ops->close(source);
	finish(&child);
}

struct dns_heard {
	int start_cnt;
	int done_cnt;
};

static int hear_dns(void *ctx, const struct ht_hdr *rec)
{
	struct dns_heard *heard = ctx;

	heard->start_cnt += rec->kind == HT_REC_DNS_START;
	heard->done_cnt += rec->kind == HT_REC_DNS_DONE;
	return 0;
}

static struct ht_programs *programs;

static int fd_of_program(void *ctx, enum ht_site_group group, enum ht_uprobe_side side)
{
	(void)ctx;
	return ht_programs_uprobe_fd(programs, group, side);
}

/* Both ways to put a probe deliver the same, in a thread that is not the first, too. */
static void *look_up(void *arg)
{
	struct addrinfo *list = NULL;

	(void)arg;
	if (!getaddrinfo("127.0.0.1", "80", NULL, &list))
		freeaddrinfo(list);
	return NULL;
}

/* Of what ht_probes_renew_process() goes by. */
static void links_say_whose_they_are(void)
{
	uint32_t ids[64];
	size_t cnt = own_links(ids, 64);
	int own_cnt = 0;

	for (size_t i = 0; i < cnt; i++) {
		int fd = bpf_link_get_fd_by_id(ids[i]);

		own_cnt += ht_uprobe_link_pid(fd) == getpid();
		close(fd);
	}
	assert_int_equal(own_cnt, 2);
}

static void both_backends_fire(void **state)
{
	static const enum ht_uprobe_backend backends[] = { HT_UPROBE_SESSION, HT_UPROBE_MULTI, HT_UPROBE_PERF };

	(void)state;
	for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++) {
		struct ht_programs_opts opts = { .backend = backends[i], .ring_bytes = 1 << 16, .config.head_bytes = 256 };
		struct ht_probes_opts probes_opts = { .backend = backends[i], .is_filtered = true, .program_fd = fd_of_program };
		struct ht_reaper *reaper = ht_reaper_new();
		struct dns_heard heard = { 0 };
		struct ht_features features;
		struct ht_probes *probes;
		struct ht_ring ring;
		char err[512] = "";
		pthread_t thread;
		Dl_info info;

		ht_features_read(&features, NULL, 0);
		programs = ht_programs_load(&opts, &features, err, sizeof(err));
		if (!programs)
			fail_msg("%s: %s", ht_uprobe_backend_name(backends[i]), err);
		assert_int_equal(ht_ring_open(&ring, ht_programs_map_fd(programs, "events"), 1 << 16), 0);
		probes_opts.reaper = reaper;
		probes = ht_probes_new(&probes_opts);
		assert_non_null(probes);
		assert_true(dladdr((void *)getaddrinfo, &info));
		assert_int_equal(ht_probes_add_file(probes, open(info.dli_fname, O_PATH | O_CLOEXEC), "libc.so.6", info.dli_fname, true),
				 1);
		assert_int_equal(ht_probes_add_process(probes, getpid(), ""), 0);
		if (backends[i] >= HT_UPROBE_MULTI)
			links_say_whose_they_are();
		look_up(NULL);
		assert_int_equal(pthread_create(&thread, NULL, look_up, NULL), 0);
		pthread_join(thread, NULL);
		ht_ring_scan(&ring, hear_dns, &(struct dns_heard){ 0 });
		assert_true(ht_ring_drain(&ring, ht_ring_end(&ring), 1000, hear_dns, &heard) >= 4);
		assert_int_equal(heard.start_cnt, 2);
		assert_int_equal(heard.done_cnt, 2);
		ht_probes_free(probes);
		ht_ring_close(&ring);
		ht_programs_free(programs);
		ht_features_free(&features);
		ht_reaper_free(reaper);
	}
}

static void take_line(const char *text, void *ctx)
{
	*(int *)ctx += text[0] != '\0';
}

static void reports_name_targets_and_features(void **state)
{
	struct ht_live_opts opts = { 0 };
	int target_cnt = 0, feature_cnt = 0;

	(void)state;
	assert_int_equal(ht_live_targets(&opts, take_line, &target_cnt), 0);
	assert_int_equal(ht_live_features(&opts, take_line, &feature_cnt), 0);
	assert_true(target_cnt > 30);
	assert_true(feature_cnt > 30);
}

static void needs_root(void **state)
{
	(void)state;
	print_message("skipped: attaching to the kernel needs root\n");
	skip();
}

int main(void)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(cycles_leave_nothing),
		cmocka_unit_test(many_pids_close_quickly),
		cmocka_unit_test(refusals_are_told),
		cmocka_unit_test(tracing_ends_with_the_last_process),
		cmocka_unit_test(children_are_followed),
		cmocka_unit_test(an_exec_by_another_thread_is_followed),
		cmocka_unit_test(libraries_loaded_later_are_probed),
		cmocka_unit_test(a_deleted_library_is_probed),
		cmocka_unit_test(both_backends_fire),
		cmocka_unit_test(reports_name_targets_and_features),
	};
	char command[128];
	int failed;

	for (size_t i = 0; geteuid() != 0 && i < sizeof(tests) / sizeof(tests[0]); i++)
		tests[i].test_func = needs_root;
	snprintf(dir, sizeof(dir), "/tmp/test_live_attach.XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command) || failed;
}
