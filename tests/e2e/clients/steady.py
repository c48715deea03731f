#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A keep-alive client that asks at a steady pace until it is told to end: steady.py HOST PORT tls|plain NAME RATE.

Every URL is unique, /NAME/i?id=NAME-i, and every answer must repeat the id: the first that does not ends it with exit status 1. It prints
"ready", connects at the first line on standard input, and answers each line with a JSON line: {"sent": ..., "rss_kb": ..., "fds": ...,
"slowest_ms": ... (since the line before), "local": port}. The line "end" is answered last.
"""

import json
import os
import select
import socket
import ssl
import sys
import time


def resident_kb():
    with open("/proc/self/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmRSS")).split()[1])


def main():
    host, port, kind, name, rate = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], float(sys.argv[5])
    context = ssl.create_default_context() if kind == "tls" else None
    print("ready", flush=True)
    sys.stdin.readline()
    sock = socket.create_connection((host, port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if context:
        sock = context.wrap_socket(sock, server_hostname=host)
    fixed = f" HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n"

    def exchange(index):
        sock.sendall(f"GET /{name}/{index}?id={name}-{index}{fixed}".encode("ascii"))
        expected = f"\r\n\r\nhello {name}-{index}\n".encode("ascii")
        data = sock.recv(4096)
        while not data.endswith(expected):
            more = sock.recv(4096)
            if not more or len(data) > 4096:
                raise ValueError(f"not the answer to {name}-{index}: {data[-60:]!r}")
            data += more

    print("going", flush=True)
    start, sent, slowest_s = time.monotonic(), 0, 0.0
    while True:
        early_s = start + sent / rate - time.monotonic()
        if early_s < -1:  # stopped or held up: not made up for
            start -= early_s
        if select.select([sys.stdin], [], [], max(early_s, 0))[0]:
            line = sys.stdin.readline()
            told = {"sent": sent, "rss_kb": resident_kb(), "fds": len(os.listdir("/proc/self/fd")), "slowest_ms": slowest_s * 1000}
            print(json.dumps({**told, "local": sock.getsockname()[1]}), flush=True)
            slowest_s = 0.0
            if line in ("end\n", ""):
                return 0
            continue
        before = time.monotonic()
        exchange(sent)
        slowest_s = max(slowest_s, time.monotonic() - before)
        sent += 1


if __name__ == "__main__":
    sys.exit(main())
