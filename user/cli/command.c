/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * command.c - see command.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "say.h"

/* As a shell's (POSIX XCU 2.8.2). */
#define EXIT_NOT_FOUND      127
#define EXIT_NOT_EXECUTABLE 126

/* Whom to become; name NULL: stay who we are. */
struct user {
	bool is_other;
	uid_t uid;
	gid_t gid;
	char *name;
	char *home;
	char *shell;
};

/* -1: not there, or no number. */
static long long id_from_env(const char *name)
{
	const char *text = getenv(name);
	long long value;
	char *end;

	if (!text || text[0] < '0' || text[0] > '9')
		return -1;
	errno = 0;
	value = strtoll(text, &end, 10);
	/* (uid_t)-1 means "no change" to the kernel. */
	return errno || *end || value >= UINT_MAX ? -1 : value;
}

static void find_user(struct user *user)
{
	long long uid = id_from_env("SUDO_UID"), gid = id_from_env("SUDO_GID");
	struct passwd *passwd;

	*user = (struct user){ 0 };
	if (geteuid() != 0 || uid <= 0 || gid < 0)
		return;
	user->is_other = true;
	user->uid = (uid_t)uid;
	user->gid = (gid_t)gid;
	passwd = getpwuid(user->uid);
	if (!passwd)
		return;
	user->name = strdup(passwd->pw_name);
	user->home = strdup(passwd->pw_dir);
	user->shell = strdup(passwd->pw_shell);
}

/* In the child. sudo has set these to root's. */
static int become(const struct user *user)
{
	if (!user->is_other)
		return 0;
	if (user->name ? initgroups(user->name, user->gid) : setgroups(1, &user->gid))
		return -errno;
	if (setresgid(user->gid, user->gid, user->gid) || setresuid(user->uid, user->uid, user->uid))
		return -errno;
	if (user->name) {
		setenv("USER", user->name, 1);
		setenv("LOGNAME", user->name, 1);
	}
	if (user->home)
		setenv("HOME", user->home, 1);
	if (user->shell && user->shell[0])
		setenv("SHELL", user->shell, 1);
	return 0;
}

static void __attribute__((noreturn)) run_child(char **argv, const struct user *user, int wait_fd, const sigset_t *mask)
{
	char go;
	ssize_t n;
	int err;

	err = become(user);
	if (err) {
		ht_say("%s: it cannot be run as user %ld, who called sudo: %s", argv[0], (long)user->uid, strerror(-err));
		_exit(EXIT_NOT_EXECUTABLE);
	}
	sigprocmask(SIG_SETMASK, mask, NULL);
	do
		n = read(wait_fd, &go, 1);
	while (n < 0 && errno == EINTR);
	/* The tracer could not be opened, and has said so; or it is gone. */
	if (n != 1)
		_exit(1);
	execvp(argv[0], argv);
	err = errno;
	if (err == ENOENT && !strchr(argv[0], '/'))
		ht_say("%s: command not found", argv[0]);
	else
		ht_say("%s: %s", argv[0], strerror(err));
	_exit(err == ENOENT || err == ENOTDIR ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

int ht_command_start(struct ht_command *command, char **argv, const sigset_t *mask)
{
	struct user user;
	int fds[2], err = 0;
	pid_t pid;

	*command = (struct ht_command){ .release_fd = -1 };
	if (pipe2(fds, O_CLOEXEC)) {
		err = -errno;
		ht_say("%s: cannot be started: %s", argv[0], strerror(-err));
		return err;
	}
	find_user(&user);
	pid = fork();
	if (pid == 0) {
		close(fds[1]);
		run_child(argv, &user, fds[0], mask);
	}
	if (pid < 0) {
		err = -errno;
		ht_say("%s: cannot be started: %s", argv[0], strerror(-err));
		close(fds[1]);
	} else {
		command->pid = pid;
		command->release_fd = fds[1];
	}
	close(fds[0]);
	free(user.name);
	free(user.home);
	free(user.shell);
	return err;
}

static void end_waiting(struct ht_command *command, bool is_released)
{
	if (command->release_fd < 0)
		return;
	/* It may have been killed already: SIGPIPE is ignored by now, and its end is noticed as any other. */
	if (is_released)
		while (write(command->release_fd, "g", 1) < 0 && errno == EINTR)
			continue;
	close(command->release_fd);
	command->release_fd = -1;
}

void ht_command_release(struct ht_command *command)
{
	end_waiting(command, true);
}

void ht_command_signal(const struct ht_command *command, int sig)
{
	if (command->pid && !command->has_ended)
		kill(command->pid, sig);
}

bool ht_command_has_ended(struct ht_command *command)
{
	siginfo_t info = { 0 };

	if (!command->has_ended && !waitid(P_PID, (id_t)command->pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid)
		command->has_ended = true;
	return command->has_ended;
}

int ht_command_status(struct ht_command *command)
{
	int status;

	end_waiting(command, false);
	while (waitpid(command->pid, &status, 0) < 0) {
		if (errno != EINTR)
			return 1;
	}
	command->has_ended = true;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
