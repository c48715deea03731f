#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Runs one program after another under one and the same pid: same_pid.py PID.

A line on standard input is a JSON list, the argv of a program: it is answered with "forked", and the next line lets the program begin; its
exit status is told once it has ended. Its standard output is dropped. The kernel gives a child the pid that is asked for if it is free
(clone3(2), set_tid): so a pid is used again at once.
"""

import ctypes
import json
import os
import struct
import sys

SYS_CLONE3 = 435
SIGCHLD = 17


def fork_as(pid):
    """As os.fork(), but the child has this pid. This process has one thread."""
    wanted = (ctypes.c_int * 1)(pid)
    # struct clone_args: flags pidfd child_tid parent_tid exit_signal stack stack_size tls set_tid set_tid_size cgroup
    arguments = ctypes.create_string_buffer(struct.pack("=11Q", 0, 0, 0, 0, SIGCHLD, 0, 0, 0, ctypes.addressof(wanted), 1, 0), 88)
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(SYS_CLONE3, arguments, ctypes.c_size_t(88))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"clone3 with pid {pid}: {os.strerror(number)}")
    return result


def main():
    pid = int(sys.argv[1])
    print("ready", flush=True)
    null = os.open(os.devnull, os.O_RDWR)
    for line in sys.stdin:
        argv = json.loads(line)
        held, release = os.pipe()
        if fork_as(pid) == 0:
            try:
                os.close(release)
                os.read(held, 1)
                os.dup2(null, 0)
                os.dup2(null, 1)
                os.execvp(argv[0], argv)
            finally:
                os._exit(127)
        print("forked", flush=True)
        sys.stdin.readline()
        os.close(held)
        os.close(release)
        status = os.waitpid(pid, 0)[1]
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
