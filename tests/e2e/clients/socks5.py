#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A GET through a SOCKS5 proxy, the client's part of the handshake cut into writes as it is told. The proxy is a thread, and the target as well.

Argument: a JSON list: a text (Latin-1) is one write, a number so many bytes to be read.
"""

import json
import socket
import sys
import threading

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"


def read(sock, size):
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def serve(listener):
    sock, _ = listener.accept()
    methods = read(sock, read(sock, 2)[1])
    sock.sendall(b"\5" + methods[:1])
    if methods[0] == 2:
        read(sock, read(sock, 2)[1])
        read(sock, read(sock, 1)[0])
        sock.sendall(b"\1\0")
    read(sock, read(sock, 5)[4] + 2)
    sock.sendall(b"\5\0\0\1\0\0\0\0\0\0")
    while not read(sock, 1) == b"\n" or not read(sock, 2) == b"\r\n":
        pass
    sock.sendall(ANSWER)
    sock.close()


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    proxy = threading.Thread(target=serve, args=(listener,))
    proxy.start()
    sock = socket.create_connection(listener.getsockname())
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for step in json.loads(sys.argv[1]):
        if isinstance(step, int):
            read(sock, step)
        else:
            sock.sendall(step.encode("latin-1"))
    sock.sendall(b"GET /through HTTP/1.1\r\nHost: h.test\r\n\r\n")
    assert read(sock, len(ANSWER)) == ANSWER
    sock.close()
    proxy.join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
