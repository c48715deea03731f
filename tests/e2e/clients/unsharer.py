#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A client that moves to mount, network and pid namespaces of its own: unsharer.py PORT NAME FOLDER CERT KEY TLS_PORT.

It asks PORT for /NAME-before on a connection that it keeps, moves, asks for /NAME-kept on it; then it starts a TLS server in the new network, covers
FOLDER with a file system that is seen in the new mount namespace only, copies OpenSSL there, and has three curls one after another use that
copy, for /NAME-inside-N. It prints "ready" and waits for a line; then it prints each curl's pid and waits for a line, before the shell of that pid
becomes curl; at the end "done".
"""

import ctypes
import http.server
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True
from bed import netns  # noqa: E402

CLONE_NEWPID = 0x20000000
LIBRARIES = ("libssl.so.3", "libcrypto.so.3")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"01234")

    def log_message(self, *_):
        pass


def ask(sock, host, target):
    sock.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("ascii"))
    data = b""
    while not data.endswith(b"01234"):
        data += sock.recv(4096)


def library_folder():
    with open("/proc/self/maps", encoding="ascii") as maps:
        return os.path.dirname(next(line.split()[-1] for line in maps if "/libssl.so.3" in line))


def main():
    port, name, folder, cert, key, tls_port = sys.argv[1:]
    print("ready", flush=True)
    sys.stdin.readline()
    sock = socket.create_connection(("127.0.0.1", int(port)))
    ask(sock, f"127.0.0.1:{port}", f"/{name}-before")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(netns.CLONE_NEWNS | netns.CLONE_NEWNET | CLONE_NEWPID):
        raise OSError(ctypes.get_errno(), "unshare")
    netns._check(libc.mount(b"none", b"/", None, netns.MS_REC | netns.MS_PRIVATE, None), "make / private")
    netns.loopback_up()
    ask(sock, f"127.0.0.1:{port}", f"/{name}-kept")
    server = http.server.HTTPServer(("127.0.0.1", int(tls_port)), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    serving = os.fork()  # the first process of the new pid namespace
    if serving == 0:
        server.serve_forever()
    netns._check(libc.mount(b"none", folder.encode(), b"tmpfs", 0, None), "cover the folder")
    for library in LIBRARIES:
        shutil.copy(os.path.join(library_folder(), library), folder)
    environment = {**os.environ, "LD_LIBRARY_PATH": folder}
    for number in range(3):
        script = f"read line; exec curl -sS -o /dev/null https://localhost:{tls_port}/{name}-inside-{number}"
        curl = subprocess.Popen(["sh", "-c", script], env=environment, stdin=subprocess.PIPE)
        print(curl.pid, flush=True)
        sys.stdin.readline()
        curl.communicate(b"go\n")
        if curl.returncode:
            raise ValueError(f"curl ended with {curl.returncode}")
    print("done", flush=True)
    sys.stdin.readline()
    os.kill(serving, signal.SIGKILL)
    os.waitpid(serving, 0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
