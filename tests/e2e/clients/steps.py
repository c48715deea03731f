#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A client that does what it is told, byte by byte, over sockets of its own.

Argument and answers are as in stepping.py. Steps, id being any name for a connection:
  ["connect", id, host, port, {"tls": true, "alpn": [...], "verify": false}]   host: "/PATH" or "@NAME" of a Unix socket
  ["send", id, text, ...]         each text one send call
  ["response", id]                read one response (Content-Length, or none for HEAD: {"head": true})
  ["spliced", id]                 read one response, its body by splice
  ["read", id, size]              at least so many bytes
  ["nothing", id]                 wait until there is something to receive, and receive into no room
  ["eof", id]                     until the end of the stream
  ["close", id]  ["reset", id]
  ["idle", seconds]  ["hold"]     as in stepping.py
"""

import os
import re
import socket
import ssl
import struct

import stepping


class Connection:
    def __init__(self, host, port, options):
        if host[0] in "/@":
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(30)
            self.sock.connect("\0" + host[1:] if host[0] == "@" else host)
        else:
            self.sock = socket.create_connection((host, port), 30)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.settimeout(None)
        self.buffer = b""
        if options.get("tls"):
            context = ssl.create_default_context()
            if options.get("verify") is False:
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            if options.get("alpn"):
                context.set_alpn_protocols(options["alpn"])
            self.sock = context.wrap_socket(self.sock, server_hostname=host if host[0] not in "/@" else "localhost")

    def fill(self):
        data = self.sock.recv(65536)
        self.buffer += data
        return len(data)

    def read(self, size):
        while len(self.buffer) < size and self.fill():
            pass
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def response(self, is_head=False):
        while b"\r\n\r\n" not in self.buffer:
            if not self.fill():
                return {"status": None, "bytes": 0}
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        size = 0 if is_head else int(fields.get("content-length", 0))
        return {"status": int(lines[0].split()[1]), "bytes": len(self.read(size))}

    def spliced(self):
        head = b""
        while b"\r\n\r\n" not in head:
            head = self.sock.recv(4096, socket.MSG_PEEK)
        head = self.sock.recv(head.index(b"\r\n\r\n") + 4)
        size = left = int(re.search(rb"(?i)\ncontent-length: *(\d+)", head).group(1))
        into, out = os.pipe()
        while left:
            left -= len(os.read(into, os.splice(self.sock.fileno(), out, left)))
        os.close(into)
        os.close(out)
        return {"status": int(head.split()[1]), "bytes": size}


def do(step, connections):
    verb, rest = step[0], step[1:]
    if verb == "connect":
        options = rest[3] if len(rest) > 3 else {}
        connections[rest[0]] = connection = Connection(rest[1], rest[2], options)
        name = connection.sock.getsockname()
        return {"local": name[1] if name else None}
    connection = connections[rest[0]]
    if verb == "send":
        for text in rest[1:]:
            connection.sock.sendall(text.encode("latin-1"))
        return {}
    if verb == "response":
        return connection.response(len(rest) > 1 and rest[1].get("head", False))
    if verb == "spliced":
        return connection.spliced()
    if verb == "read":
        return {"text": connection.read(rest[1]).decode("latin-1")}
    if verb == "nothing":
        return {"bytes": connection.sock.recvmsg_into([])[0]}
    if verb == "eof":
        size = len(connection.buffer)
        connection.buffer = b""
        while True:
            data = connection.sock.recv(65536)
            if not data:
                return {"bytes": size}
            size += len(data)
    if verb == "reset":
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif verb != "close":
        raise ValueError(f"unknown step {verb}")
    connections.pop(rest[0]).sock.close()
    return {}


if __name__ == "__main__":
    stepping.main(do)
