/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_live_match.c - who is traced by name, by cgroup and by pid, against the real kernel: processes that run already, that begin later,
 * their children.
 *
 * Each process looks a literal address up, which shows it and needs no network, and stays. Those in question go first, one that every
 * filter takes goes last: when that is told, what the others did has been, too. Needs root; the cgroups are made below version 2's mount
 * and below one of version 1's, if there are.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <netdb.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "dispatch/cgroups.h"
#include "source/live.h"

#define WAIT_MAX_MS 20000
#define LOOK_UP     "--look-up"
#define RUN_OTHER   "--run-other"

static char dir[64];

/* ---- processes ----------------------------------------------------------------------------------------------------------------------- */

/* Also of a program that was executed. */
#define DONE_FD 100
#define STAY_FD 101

static int look_up(const char *address)
{
	struct addrinfo *list = NULL;
	char copy[64], byte;

	/* In a child that was forked, what it has not touched is not there to be read by others, either. */
	snprintf(copy, sizeof(copy), "%s", address);
	if (getaddrinfo(copy, "80", NULL, &list))
		return 1;
	freeaddrinfo(list);
	if (write(DONE_FD, "d", 1) != 1)
		return 2;
	return read(STAY_FD, &byte, 1) ? 2 : 0;
}

/* The program itself, by a link of the name wanted. */
static const char *program(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

struct runner {
	pid_t pid;
	int go_fd;   /* a byte lets it go on */
	int done_fd; /* a byte says that it has */
	int stay_fd; /* it ends when this is closed */
};

/* What it does once it is let go. */
struct plan {
	const char *cgroup;  /* is entered first; NULL: none */
	const char *name;    /* is executed; NULL: it goes on as it is */
	const char *address; /* is looked up */
	bool in_child;       /* by a child that was forked and executes nothing */
	const char *other;   /* is executed by a child of what was executed, which looks the address up; NULL: none */
};

static int enter(const char *cgroup)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	file = fopen(path, "we");
	if (!file)
		return -1;
	fprintf(file, "%d\n", (int)getpid());
	return fclose(file);
}

static int carry_out(const struct plan *plan)
{
	char path[128];
	int status;

	if (plan->cgroup && enter(plan->cgroup))
		return 2;
	if (plan->in_child) {
		pid_t pid = fork();

		if (!pid)
			_exit(look_up(plan->address));
		return waitpid(pid, &status, 0) == pid ? status : 2;
	}
	if (!plan->name)
		return look_up(plan->address);
	snprintf(path, sizeof(path), "%s", program(plan->name));
	if (plan->other)
		execl(path, path, RUN_OTHER, program(plan->other), plan->address, NULL);
	else
		execl(path, path, LOOK_UP, plan->address, NULL);
	return 127;
}

static struct runner start(const struct plan *plan)
{
	struct runner runner;
	int go[2], done[2], stay[2];
	char byte;

	assert_int_equal(pipe2(go, O_CLOEXEC) | pipe2(done, O_CLOEXEC) | pipe2(stay, O_CLOEXEC), 0);
	fflush(NULL);
	runner.pid = fork();
	assert_true(runner.pid >= 0);
	if (!runner.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* Links' names are names of files; a process that executes nothing takes its own here. */
		if (!plan->name)
			prctl(PR_SET_NAME, "ht-running");
		close(go[1]);
		close(stay[1]);
		if (dup2(done[1], DONE_FD) < 0 || dup2(stay[0], STAY_FD) < 0)
			_exit(4);
		_exit(read(go[0], &byte, 1) == 1 ? carry_out(plan) : 3);
	}
	close(go[0]);
	close(done[1]);
	close(stay[0]);
	runner.go_fd = go[1];
	runner.done_fd = done[0];
	runner.stay_fd = stay[1];
	return runner;
}

/* Until it has looked its address up. */
static void go_on(const struct runner *runner)
{
	char byte;

	assert_int_equal(write(runner->go_fd, "g", 1), 1);
	assert_int_equal(read(runner->done_fd, &byte, 1), 1);
}

static void finish(const struct runner *runner)
{
	int status = -1;

	close(runner->go_fd);
	close(runner->stay_fd);
	close(runner->done_fd);
	assert_int_equal(waitpid(runner->pid, &status, 0), runner->pid);
	assert_int_equal(status, 0);
}

/* ---- what is told -------------------------------------------------------------------------------------------------------------------- */

struct heard {
	char hosts[512]; /* "127.0.0.1 " */
	unsigned int lost_cnt;
	uint64_t next_seq[64];
};

static int hear(void *ctx, const struct ht_hdr *rec)
{
	struct heard *heard = ctx;
	const struct ht_rec_dns *dns = (const void *)rec;

	if (rec->cpu < 64) {
		heard->lost_cnt += rec->seq > heard->next_seq[rec->cpu];
		heard->next_seq[rec->cpu] = rec->seq + 1;
	}
	if (rec->kind == HT_REC_DNS_DONE) {
		size_t len = strlen(heard->hosts);

		snprintf(heard->hosts + len, sizeof(heard->hosts) - len, "%s ", dns->host);
	}
	return 0;
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void wait_for(struct ht_source *source, struct heard *heard, const char *address)
{
	double end_ms = now_ms() + WAIT_MAX_MS;

	while (!strstr(heard->hosts, address)) {
		if (now_ms() > end_ms)
			fail_msg("%s was not told; told: %s", address, heard->hosts);
		assert_true(source->ops->poll(source, 100, hear, heard) >= 0);
	}
}

static struct ht_source *open_or_fail(const struct ht_live_opts *opts)
{
	char err[512] = "";
	struct ht_source *source = ht_live_open(opts, err, sizeof(err));

	if (!source)
		fail_msg("open: %s", err);
	return source;
}

/* Runs the plans one after another under opts; what is told of 127.0.0.* must be expected, in order. The last plan must be told. */
static void check(const char *why, const struct ht_live_opts *opts, const struct plan *plans, size_t cnt, const char *expected)
{
	struct heard heard = { 0 };
	struct runner runners[8];
	struct ht_source *source;

	assert_true(cnt <= 8);
	for (size_t i = 0; i < cnt; i++)
		runners[i] = start(&plans[i]);
	source = open_or_fail(opts);
	for (size_t i = 0; i < cnt; i++)
		go_on(&runners[i]);
	wait_for(source, &heard, plans[cnt - 1].address);
	source->ops->close(source);
	/* The last first: its child holds what the earlier ones' ends wait for. */
	for (size_t i = cnt; i-- > 0;)
		finish(&runners[i]);
	if (strcmp(heard.hosts, expected))
		print_error("%s\n", why);
	assert_string_equal(heard.hosts, expected);
	/* What is dropped of others leaves no gap that a decoder takes for a loss. */
	assert_int_equal(heard.lost_cnt, 0);
}

/* ---- by name ------------------------------------------------------------------------------------------------------------------------- */

static void by_name(void **state)
{
	static const struct plan plans[] = {
		{ .name = "other", .address = "127.0.0.2" },
		{ .address = "127.0.0.3" },
		{ .address = "127.0.0.4", .in_child = true },
		{ .name = "ht-one", .address = "127.0.0.5" },
		{ .name = "ht-two", .address = "127.0.0.6", .other = "other" },
		{ .name = "ht-last", .address = "127.0.0.9" },
	};
	struct ht_live_opts opts = { .comm = "ht-*", .is_following = true };

	(void)state;
	check("followed", &opts, plans, 6, "127.0.0.3 127.0.0.4 127.0.0.5 127.0.0.6 127.0.0.9 ");
	opts.is_following = false;
	check("not followed", &opts, plans, 6, "127.0.0.3 127.0.0.5 127.0.0.9 ");
	opts.comm = "ht-[lo]*";
	check("fewer", &opts, plans, 6, "127.0.0.5 127.0.0.9 ");
}

static void by_name_and_pid(void **state)
{
	static const struct plan plans[] = {
		{ .name = "other", .address = "127.0.0.2" },
		{ .name = "other", .address = "127.0.0.3" },
		{ .name = "ht-last", .address = "127.0.0.9" },
	};
	struct ht_live_opts opts = { .comm = "ht-last", .pid_cnt = 1, .is_following = true };
	struct heard heard = { 0 };
	struct runner runners[3];
	struct ht_source *source;

	(void)state;
	for (int i = 0; i < 3; i++)
		runners[i] = start(&plans[i]);
	opts.pids = &runners[1].pid;
	source = open_or_fail(&opts);
	for (int i = 0; i < 3; i++)
		go_on(&runners[i]);
	wait_for(source, &heard, "127.0.0.9");
	for (int i = 2; i >= 0; i--)
		finish(&runners[i]);
	assert_string_equal(heard.hosts, "127.0.0.3 127.0.0.9 ");
	/* Whom to trace may begin at any time: it is not over. */
	assert_true(source->ops->poll(source, 50, hear, &heard) >= 0);
	source->ops->close(source);
}

/* A pid alone, and its child. */
static void without_children(void **state)
{
	static const struct plan plans[] = {
		{ .name = "one", .address = "127.0.0.2", .other = "two" },
		{ .name = "three", .address = "127.0.0.9" },
	};
	pid_t pids[2];
	struct ht_live_opts opts = { .pids = pids, .pid_cnt = 2 };
	struct heard heard = { 0 };
	struct runner runners[2];
	struct ht_source *source;

	(void)state;
	for (int i = 0; i < 2; i++) {
		runners[i] = start(&plans[i]);
		pids[i] = runners[i].pid;
	}
	source = open_or_fail(&opts);
	go_on(&runners[0]);
	go_on(&runners[1]);
	wait_for(source, &heard, "127.0.0.9");
	source->ops->close(source);
	finish(&runners[1]);
	finish(&runners[0]);
	assert_string_equal(heard.hosts, "127.0.0.9 ");
}

/* ---- by cgroup ----------------------------------------------------------------------------------------------------------------------- */

/* The mount of a hierarchy, of version 2 or 1. */
static bool find_mount(const char *type, char *path, size_t size)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;
	bool is_found = false;

	while (!is_found && mounts && (entry = getmntent(mounts))) {
		/* cpuset wants to be set up before anybody may enter. */
		if (strcmp(entry->mnt_type, type) || hasmntopt(entry, "cpuset") || hasmntopt(entry, "ro"))
			continue;
		snprintf(path, size, "%s", entry->mnt_dir);
		is_found = true;
	}
	if (mounts)
		endmntent(mounts);
	return is_found;
}

static void by_cgroup(const char *type)
{
	char mount[128], name[64], top[256], below[300];
	struct ht_live_opts opts = { .is_following = true };
	struct plan plans[] = {
		{ .name = "other", .address = "127.0.0.2" },
		{ .name = "other", .cgroup = below, .address = "127.0.0.3" },
		{ .name = "other", .cgroup = top, .address = "127.0.0.4", .other = "another" },
		{ .name = "last", .cgroup = top, .address = "127.0.0.9" },
	};

	if (!find_mount(type, mount, sizeof(mount))) {
		print_message("no hierarchy of type %s is mounted here\n", type);
		skip();
	}
	snprintf(name, sizeof(name), "ht-test-%d", (int)getpid());
	snprintf(top, sizeof(top), "%s/%s", mount, name);
	snprintf(below, sizeof(below), "%s/below", top);
	assert_int_equal(mkdir(top, 0755), 0);
	assert_int_equal(mkdir(below, 0755), 0);
	opts.cgroup = name;
	check("by its name", &opts, plans, 4, "127.0.0.3 127.0.0.4 127.0.0.9 ");
	opts.cgroup = top;
	opts.comm = "last";
	check("and by that of the process", &opts, plans, 4, "127.0.0.9 ");

	/* It goes in and executes nothing: found by who is in it. */
	opts.comm = NULL;
	plans[3] = (struct plan){ .cgroup = top, .address = "127.0.0.9" };
	{
		struct runner runner = start(&plans[3]);
		struct ht_source *source = open_or_fail(&opts);
		struct heard heard = { 0 };
		FILE *file;
		char procs[300];
		double end_ms = now_ms() + 1500;

		snprintf(procs, sizeof(procs), "%s/cgroup.procs", top);
		file = fopen(procs, "we");
		assert_non_null(file);
		fprintf(file, "%d\n", (int)runner.pid);
		assert_int_equal(fclose(file), 0);
		/* Looked at once a second. */
		while (now_ms() < end_ms)
			assert_true(source->ops->poll(source, 100, hear, &heard) >= 0);
		go_on(&runner);
		wait_for(source, &heard, "127.0.0.9");
		source->ops->close(source);
		finish(&runner);
	}
	assert_int_equal(rmdir(below), 0);
	assert_int_equal(rmdir(top), 0);
}

static void by_cgroup_2(void **state)
{
	(void)state;
	by_cgroup("cgroup2");
}

static void by_cgroup_1(void **state)
{
	(void)state;
	by_cgroup("cgroup");
}

/* What a filter of a registration asks: also of a process that has ended. */
static void cgroups_of_filters(void **state)
{
	char mount[128], top[256];
	struct plan plan = { .cgroup = top, .address = "127.0.0.9" };
	struct ht_rec_proc rec = { .op = HT_PROC_FORK };
	struct ht_cgroups *cgroups = ht_cgroups_new();
	struct runner in, out;
	int all, own;

	(void)state;
	assert_non_null(cgroups);
	if (!find_mount("cgroup2", mount, sizeof(mount)) && !find_mount("cgroup", mount, sizeof(mount)))
		skip();
	snprintf(top, sizeof(top), "%s/ht-test-%d", mount, (int)getpid());
	assert_int_equal(mkdir(top, 0755), 0);
	assert_int_equal(ht_cgroups_add(cgroups, "no/such"), -ENOENT);
	all = ht_cgroups_add(cgroups, mount);
	own = ht_cgroups_add(cgroups, top);
	assert_true(all >= 0 && own >= 0 && all != own);
	in = start(&plan);
	plan.cgroup = NULL;
	out = start(&plan);
	assert_true(ht_cgroups_has(cgroups, out.pid, (unsigned int)all));
	assert_false(ht_cgroups_has(cgroups, out.pid, (unsigned int)own));
	/* It goes in; a record says that it did something. */
	{
		char procs[300];
		FILE *file;

		snprintf(procs, sizeof(procs), "%s/cgroup.procs", top);
		file = fopen(procs, "we");
		assert_non_null(file);
		fprintf(file, "%d\n", (int)in.pid);
		assert_int_equal(fclose(file), 0);
	}
	rec.hdr.tgid = (uint32_t)in.pid;
	ht_cgroups_record(cgroups, &rec, false);
	go_on(&in);
	go_on(&out);
	finish(&out);
	finish(&in);
	assert_true(ht_cgroups_has(cgroups, in.pid, (unsigned int)own));
	/* A child of which no more can be asked is where its parent was. */
	rec.ppid = (uint32_t)in.pid;
	rec.hdr.tgid = (uint32_t)out.pid;
	ht_cgroups_record(cgroups, &rec, false);
	assert_true(ht_cgroups_has(cgroups, out.pid, (unsigned int)own));
	rec.op = HT_PROC_EXIT;
	ht_cgroups_record(cgroups, &rec, false);
	assert_true(ht_cgroups_has(cgroups, out.pid, (unsigned int)own));
	ht_cgroups_record(cgroups, &rec, true);
	assert_false(ht_cgroups_has(cgroups, out.pid, (unsigned int)own));
	ht_cgroups_remove(cgroups, (unsigned int)own);
	assert_int_equal(ht_cgroups_add(cgroups, top), own);
	for (int i = 2; i < HT_CGROUPS_MAX; i++)
		assert_true(ht_cgroups_add(cgroups, mount) >= 0);
	assert_int_equal(ht_cgroups_add(cgroups, mount), -ENOSPC);
	ht_cgroups_free(cgroups);
	assert_int_equal(rmdir(top), 0);
}

static void no_such_cgroup(void **state)
{
	struct ht_live_opts opts = { .cgroup = "/no/such/cgroup" };
	char err[512] = "";

	(void)state;
	assert_null(ht_live_open(&opts, err, sizeof(err)));
	assert_int_equal(errno, ENOENT);
	assert_non_null(strstr(err, "/no/such/cgroup"));
}

static void needs_root(void **state)
{
	(void)state;
	print_message("skipped: tracing needs root\n");
	skip();
}

static void make_links(void)
{
	static const char *const names[] = { "other", "another", "one", "two", "three", "last", "ht-one", "ht-two", "ht-last" };
	char self[256];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (len <= 0)
		abort();
	self[len] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (symlink(self, program(names[i])))
			abort();
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(by_name),        cmocka_unit_test(by_name_and_pid), cmocka_unit_test(without_children),
		cmocka_unit_test(by_cgroup_2),    cmocka_unit_test(by_cgroup_1),     cmocka_unit_test(cgroups_of_filters),
		cmocka_unit_test(no_such_cgroup),
	};
	char command[128];
	int failed;

	if (argc == 3 && !strcmp(argv[1], LOOK_UP))
		return look_up(argv[2]);
	if (argc == 4 && !strcmp(argv[1], RUN_OTHER)) {
		pid_t pid = fork();
		int status;

		if (!pid)
			execl(argv[2], argv[2], LOOK_UP, argv[3], NULL);
		return waitpid(pid, &status, 0) == pid ? status : 2;
	}
	for (size_t i = 0; geteuid() != 0 && i < sizeof(tests) / sizeof(tests[0]); i++)
		tests[i].test_func = needs_root;
	snprintf(dir, sizeof(dir), "/tmp/test_live_match.XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	make_links();
	failed = cmocka_run_group_tests_name("live_match", tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command) || failed;
}
