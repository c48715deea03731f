#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Many threads that wait in recv(2) at the same time: readers.py HOST PORT COUNT NAME, a kept connection each.

At the first line on standard input it connects, and each thread begins to read; at the second one the request /NAME-first-N goes out on
all connections. A thread that has its answer waits for the others, then sends and reads /NAME-second-N itself. Prints its pid, "reading", and
{"ports": {port: N}} at the end; ends at the next line.
"""

import json
import os
import re
import socket
import sys
import threading


def answer(sock):
    data = b""
    while b"\r\n\r\n" not in data or len(data.partition(b"\r\n\r\n")[2]) < int(re.search(rb"Content-Length: (\d+)", data)[1]):
        more = sock.recv(4096)
        if not more:
            raise ValueError(f"no answer: {data[-60:]!r}")
        data += more


def main():
    host, port, count, name = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    answered = []
    together = threading.Barrier(count)

    def send(sock, what):
        sock.sendall(f"GET /{what} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode("ascii"))

    def read(number, sock):
        answer(sock)
        together.wait()
        send(sock, f"{name}-second-{number}")
        answer(sock)
        answered.append(number)

    print(os.getpid(), flush=True)
    sys.stdin.readline()
    socks = [socket.create_connection((host, port)) for _ in range(count)]
    threads = [threading.Thread(target=read, args=pair) for pair in enumerate(socks)]
    for thread in threads:
        thread.start()
    print("reading", flush=True)
    sys.stdin.readline()
    for number, sock in enumerate(socks):
        send(sock, f"{name}-first-{number}")
    for thread in threads:
        thread.join()
    print(json.dumps({"ports": {sock.getsockname()[1]: number for number, sock in enumerate(socks)}}), flush=True)
    sys.stdin.readline()
    return 0 if len(answered) == count else 1


if __name__ == "__main__":
    sys.exit(main())
