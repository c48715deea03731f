#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Many requests of many kinds over keep-alive connections: volume.py PLAIN_PORT TLS_PORT FILE.

FILE: JSON, a list of [request as text, how often]. @N@ in a request becomes its number, @PAD@ a filler whose length varies with it, so that what follows
lies at another place each time. All kinds are sent in the clear, then all over TLS, one connection a kind. Prints its pid, waits for a line on standard
input, sends, prints "done" and how many answers came, waits for the end of standard input.
"""

import json
import os
import socket
import ssl
import sys


def response(sock, buffer):
    while b"\r\n\r\n" not in buffer:
        data = sock.recv(65536)
        if not data:
            raise EOFError("the server ended the connection")
        buffer += data
    head, _, buffer = buffer.partition(b"\r\n\r\n")
    size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(buffer) < size:
        buffer += sock.recv(65536)
    return buffer[size:]


def main():
    plain, tls = int(sys.argv[1]), int(sys.argv[2])
    with open(sys.argv[3], encoding="utf-8") as file:
        kinds = json.load(file)
    context = ssl.create_default_context()
    print(os.getpid(), flush=True)
    sys.stdin.readline()
    done = 0
    for port in (plain, tls):
        for text, count in kinds:
            sock = socket.create_connection(("127.0.0.1", port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if port == tls:
                sock = context.wrap_socket(sock, server_hostname="localhost")
            buffer = b""
            for number in range(count):
                sock.sendall(text.replace("@N@", str(number)).replace("@PAD@", "p" * (number % 97 * 13)).encode("latin-1"))
                buffer = response(sock, buffer)
                done += 1
            sock.close()
    print("done", done, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
