#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A client that asks once, and then becomes something else: reborn.py HOST PORT tls|plain TARGET LIVES WHAT [ARG]...

Before it asks and at its end it prints a line and waits for one. With LIVES > 1 it executes itself with one life less, and WHAT happens in
its last life:
  end                nothing
  exec PROGRAM ...   another program takes its place
  kill               SIGKILL by its own hand, with everything open
  keep-exec          the connection, in the clear, is handed over to the next life, which asks on it: TARGET-next
TARGET gets -LIVES appended. The first line of each life is "pid PID object N", N the address of its TLS object's Python owner or 0.

Started without address space randomisation (setarch -R) every life, and every process, has its objects where the one before had them.
"""

import os
import signal
import socket
import ssl
import sys


def ask(sock, host, port, target):
    sock.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode("ascii"))
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(4096)
        if not more:
            raise ValueError("the server closed")
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    size = int(next(line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")))
    while len(body) < size:
        body += sock.recv(4096)


def pause(text):
    print(text, flush=True)
    sys.stdin.readline()


def main():
    host, port, kind, target, lives, what = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5]), sys.argv[6]
    if what == "next":
        pause(f"pid {os.getpid()} object 0")
        with socket.socket(fileno=int(sys.argv[7])) as sock:
            ask(sock, host, port, f"{target}-next")
            pause("done")
        return 0
    context = ssl.create_default_context() if kind == "tls" else None
    pause(f"pid {os.getpid()} object {id(context)}")
    sock = socket.create_connection((host, port))
    if context:
        sock = context.wrap_socket(sock, server_hostname=host)
    ask(sock, host, port, f"{target}-{lives}")
    pause("done")
    again = ["/usr/bin/python3", *sys.argv]
    if lives > 1:
        again[6] = str(lives - 1)
        os.execv(again[0], again)
    if what == "exec":
        os.execv(sys.argv[7], sys.argv[7:])
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "keep-exec":
        sock.set_inheritable(True)
        again[7:] = ["next", str(sock.fileno())]
        os.execv(again[0], again)
    return 0


if __name__ == "__main__":
    sys.exit(main())
