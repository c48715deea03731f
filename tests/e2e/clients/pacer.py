#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A paced keep-alive client: pacer.py HOST PORT tls|plain NAME RATE SECONDS. Request i goes out at its own time, i / RATE after the start.

Every URL is unique, /NAME/i?id=NAME-i, and the answer must repeat the id. Plain sockets and a hand-written request: some 50 us of CPU a
request, so that eight of these reach 2,000 requests/s with room for the server on two cores. It connects and starts at the first line on
standard input, and then prints {"sent": ..., "elapsed_s": ..., "local": port}. The next line ends it. RATE 0: as fast as it goes.
"""

import json
import socket
import ssl
import sys
import time


def main():
    host, port, kind, name = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    rate, seconds = float(sys.argv[5]), float(sys.argv[6])
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

    start, sent = time.monotonic(), 0
    total = int(rate * seconds) if rate else None
    while sent != total:
        now = time.monotonic() - start
        if total is None and now >= seconds:
            break
        early = sent / rate - now if rate else 0
        if early > 0:
            time.sleep(early)
        exchange(sent)
        sent += 1
    print(json.dumps({"sent": sent, "elapsed_s": time.monotonic() - start, "local": sock.getsockname()[1]}), flush=True)
    sys.stdin.readline()
    return 0


if __name__ == "__main__":
    sys.exit(main())
