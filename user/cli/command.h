/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * command.h - the COMMAND that is traced from its first instruction.
 *
 * In:  argv. Out: a process that waits for ht_command_release() and then becomes COMMAND; its exit status. Standard input, output and
 * error, the terminal and the process group are ours, so that it behaves as if it had been started without us.
 */
#ifndef HT_COMMAND_H
#define HT_COMMAND_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct ht_command {
	pid_t pid;      /* 0: none */
	int release_fd; /* -1: released */
	bool has_ended;
};

/*
 * Starts it waiting. As the user who called sudo (SUDO_UID, SUDO_GID) if that is how we are root, else as we are. mask: the signal mask it
 * gets. 0; -errno, having said why.
 */
int ht_command_start(struct ht_command *command, char **argv, const sigset_t *mask);
/* Lets it run. */
void ht_command_release(struct ht_command *command);
/* Passes a signal on. */
void ht_command_signal(const struct ht_command *command, int sig);
/* Has it ended? It stays a zombie, so that its pid means no other process, until ht_command_status(). */
bool ht_command_has_ended(struct ht_command *command);
/* Waits for its end, which is near or has come (one that was never released ends now). Its exit status, 128+N for signal N. */
int ht_command_status(struct ht_command *command);

#endif
