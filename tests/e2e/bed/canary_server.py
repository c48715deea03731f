# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A quick keep-alive server for volume, origin and forward proxy in one: python3 -m bed.canary_server CERT KEY PLAIN_PORT TLS_PORT ANSWERS.

ANSWERS is a file: {"a word in the request line": "fields that the answer gets"}. Any other request gets a plain 200. CONNECT gets a refusal (407) that keeps
the connection, except from curl, which gets its tunnel, to this server's own TLS port. One line on standard output says that both ports are open.
"""

import json
import socket
import ssl
import sys
import threading

BODY = b"hello\n"


def relay(one, other):
    try:
        while data := one.recv(65536):
            other.sendall(data)
    except OSError:
        pass
    finally:
        try:
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Server:
    def __init__(self, cert, key, plain, tls, answers):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        self.tls_port = tls
        with open(answers, encoding="latin-1") as file:
            self.answers = [(word.encode("latin-1"), fields.encode("latin-1")) for word, fields in json.load(file).items()]
        self.listeners = []
        for port, is_tls in ((plain, False), (tls, True)):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("127.0.0.1", port))
            sock.listen(64)
            threading.Thread(target=self.accept, args=(sock, is_tls), daemon=True).start()

    def accept(self, listener, is_tls):
        while True:
            sock, _ = listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(sock, is_tls), daemon=True).start()

    def serve(self, sock, is_tls):
        try:
            if is_tls:
                sock = self.context.wrap_socket(sock, server_side=True)
            self.requests(sock)
        except OSError:
            pass
        finally:
            sock.close()

    def requests(self, sock):
        buffer = b""
        while True:
            while b"\r\n\r\n" not in buffer:
                data = sock.recv(65536)
                if not data:
                    return
                buffer += data
            head, _, buffer = buffer.partition(b"\r\n\r\n")
            line = head.partition(b"\r\n")[0]
            if line.startswith(b"CONNECT "):
                if b"\r\nUser-Agent: curl" in head:
                    self.tunnel(sock)
                    return
                sock.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n")
                continue
            length = next((int(field[15:]) for field in head.lower().split(b"\r\n") if field.startswith(b"content-length:")), 0)
            while len(buffer) < length:
                buffer += sock.recv(65536)
            buffer = buffer[length:]
            fields = next((fields for word, fields in self.answers if word in line), b"")
            sock.sendall(b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (fields, len(BODY), BODY))

    def tunnel(self, sock):
        upstream = socket.create_connection(("127.0.0.1", self.tls_port))
        sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        thread = threading.Thread(target=relay, args=(upstream, sock), daemon=True)
        thread.start()
        relay(sock, upstream)
        thread.join()


if __name__ == "__main__":
    Server(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
    print("ready", flush=True)
    sys.stdin.read()
