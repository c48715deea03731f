# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A SOCKS4 proxy that knows the 4a form (a name instead of an address): none of Debian's does. Ports above 9000 are refused with code 91."""

import json
import os
import socket
import struct
import sys
import threading

PORT = 9185
HIGHEST = 9000


def string(sock):
    found = b""
    while not found.endswith(b"\0"):
        byte = sock.recv(1)
        if not byte:
            raise OSError("end of stream")
        found += byte
    return found[:-1].decode("ascii")


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(sock):
    with sock:
        version, command, port, address = struct.unpack(">BBH4s", sock.recv(8, socket.MSG_WAITALL))
        string(sock)  # the user
        host = string(sock) if address[:3] == b"\0\0\0" and address[3] else socket.inet_ntoa(address)
        if (version, command) != (4, 1) or port > HIGHEST:
            sock.sendall(struct.pack(">BBH4s", 0, 91, 0, b"\0" * 4))
            return
        with socket.create_connection((host, port), 10) as other:
            other.settimeout(None)
            sock.sendall(struct.pack(">BBH4s", 0, 90, 0, b"\0" * 4))
            back = threading.Thread(target=pump, args=(other, sock), daemon=True)
            back.start()
            pump(sock, other)
            back.join()


def accept(listener):
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=serve, args=(sock,), daemon=True).start()


def main():
    listener = socket.create_server(("127.0.0.1", PORT))
    threading.Thread(target=accept, args=(listener,), daemon=True).start()
    print(json.dumps({"ready": os.getpid()}), flush=True)
    for _ in sys.stdin:
        print(json.dumps({"requests": [], "connections": []}), flush=True)


if __name__ == "__main__":
    main()
