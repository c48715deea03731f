# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A scriptable HTTP/1 server that misbehaves on purpose, and the handle that tests hold on it.

It runs as a process of its own (python3 -m bed.server), one thread a connection, raw sockets, Python's ssl over the same libssl as the
clients. What it does with a request is said by the request's query (Plan below); what it served it records, byte counts and CLOCK_MONOTONIC
times included, for comparison with what the tracer says.

Standard input takes one JSON command a line, standard output answers one JSON line each: the first one says that all ports are open.
"""

import json
import os
import select
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from . import netns
from .wait import limit

PLAIN, PLAIN_V4 = 8080, 8081  # the latter on 127.0.0.1 only: ::1 refuses
PLAIN_OTHER = 8082  # on 10.99.0.2 only
TLS, TLS_V4, TLS12 = 8443, 8444, 8445  # TLS12 speaks no TLS 1.3
LINES, LINES_TLS = 7000, 7443  # not HTTP: greets, then echoes lines
REFUSED = 9  # nobody listens
UNIX, UNIX_TLS, UNIX_LINES = "server.sock", "server-tls.sock", "server-lines.sock"  # in the bed's folder
UNIX_ABSTRACT = "@httptrace.test"  # of our network namespace

PATIENCE_S = limit(15)  # a client that neither speaks nor goes away

REASONS = {
    100: "Continue",
    102: "Processing",
    103: "Early Hints",
    101: "Switching Protocols",
    200: "OK",
    201: "Created",
    204: "No Content",
    301: "Moved Permanently",
    302: "Found",
    303: "See Other",
    304: "Not Modified",
    307: "Temporary Redirect",
    400: "Bad Request",
    404: "Not Found",
    417: "Expectation Failed",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


def content(size):
    """Deterministic body of size bytes."""
    return (b"0123456789abcde\n" * (size // 16 + 1))[:size]


@dataclass
class Plan:
    """What to do with a request: one field a query key, /path?n=5&delay=0.1. Other keys are ignored (id=... tells requests apart)."""

    n: int = 5  # bytes of content
    status: int = 200
    delay: float = 0.0  # seconds before the final head
    close: int = 0  # say Connection: close, and do
    http: str = "1.1"  # version of the status line; 1.0 closes
    chunked: int = 0
    trailers: int = 0  # with chunked
    nolen: int = 0  # neither Content-Length nor chunked: the end is the close
    pieces: int = 1  # the content in so many sends ...
    slow: float = 0.0  # ... so many seconds apart
    split: int = 0  # everything in sends of so many bytes
    interim: str = ""  # 103 or 100,103: sent before the final head (before the delay)
    expect: str = "100"  # what Expect: 100-continue gets: 100, 417, 417close, silent
    abort: str = ""  # end (FIN) after so many bytes of the response; or head, body: in the middle of it
    rst: str = ""  # likewise with RST
    after: str = ""  # close: end the connection after the answer without having said so
    next: str = ""  # close, rst: do that on the connection's next request, once it is read, with no byte
    to: str = ""  # Location (status 302 unless given)
    upgrade: str = ""  # 101, then an echo
    hdr: list = field(default_factory=list)  # hdr=Name:value, any number

    @classmethod
    def of(cls, target):
        plan = cls()
        for key, value in parse_qsl(urlsplit(target).query):
            if key == "hdr":
                plan.hdr.append(value)
            elif key in cls.__dataclass_fields__:
                setattr(plan, key, type(getattr(plan, key))(value))
        if plan.to and plan.status == 200:
            plan.status = 302
        return plan


class Ledger:
    """What was served, shared by the connection threads."""

    def __init__(self):
        self.changed = threading.Condition()
        self.requests = []
        self.connections = []

    def add(self, kind, entry):
        with self.changed:
            getattr(self, kind).append(entry)
            self.changed.notify_all()

    def take(self, requests, connections, timeout_s):
        """Wait for so many of each, then hand over and forget all."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.requests) >= requests and len(self.connections) >= connections, timeout_s)
            taken = {"requests": self.requests, "connections": self.connections}
            self.requests, self.connections = [], []
        return taken


class Gone(Exception):
    """The peer went away."""


class Connection:
    def __init__(self, server, number, sock, peer, listener):
        if sock.family == socket.AF_UNIX:
            peer = ("unix", number)
        self.ledger, self.number, self.sock, self.peer, self.listener = server.ledger, number, sock, peer, listener
        self.context = server.contexts.get(listener.tls)
        self.buffer = b""
        self.count = 0
        self.pending = ""  # Plan.next of the last request
        self.end = "peer"  # who ended it, how

    # -- bytes

    def fill(self):
        try:
            data = self.sock.recv(65536)
        except (OSError, ssl.SSLError) as error:
            raise Gone(str(error)) from error
        if not data:
            raise Gone("end of stream")
        self.buffer += data

    def take(self, size):
        while len(self.buffer) < size:
            self.fill()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def line(self):
        while b"\n" not in self.buffer:
            self.fill()
        return self.take(self.buffer.index(b"\n") + 1)

    def send(self, data, piece=0):
        try:
            for at in range(0, len(data), piece or len(data) or 1):
                self.sock.sendall(data[at : at + piece] if piece else data)
        except (OSError, ssl.SSLError) as error:
            raise Gone(str(error)) from error

    def raw(self):
        """The TCP socket under the TLS layer, which then knows nothing of what follows."""
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock = socket.socket(fileno=self.sock.detach())
        return self.sock

    def finish(self):
        """FIN, then wait for the client's: a close with bytes unread would send RST instead."""
        try:
            sock = self.raw()
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass
        except OSError:
            pass

    def reset(self):
        """RST: SO_LINGER with no time (socket(7))."""
        sock = self.raw()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()

    # -- one request

    def head(self):
        """(method, target, version, fields, bytes)."""
        start = self.line()
        size, fields = len(start), []
        while True:
            line = self.line()
            size += len(line)
            if line in (b"\r\n", b"\n"):
                break
            name, _, value = line.decode("latin-1").partition(":")
            fields.append([name, value.strip()])
        words = start.decode("latin-1").split()
        if len(words) != 3:
            raise Gone("no request line")
        return words[0], words[1], words[2], fields, size

    def body(self, fields):
        """(content bytes, bytes on the wire)."""
        known = {name.lower(): value for name, value in fields}
        if known.get("transfer-encoding", "").lower() == "chunked":
            received = wire = 0
            while True:
                line = self.line()
                size = int(line.split(b";")[0], 16)
                wire += len(line)
                if not size:
                    break
                self.take(size + 2)
                received += size
                wire += size + 2
            while True:
                line = self.line()
                wire += len(line)
                if line in (b"\r\n", b"\n"):
                    return received, wire
        size = int(known.get("content-length", 0))
        left = size
        while left:
            if not self.buffer:
                self.fill()
            step = min(left, len(self.buffer))
            self.buffer = self.buffer[step:]
            left -= step
        return size, size

    def next_is_request(self):
        """After a final answer to Expect: is what comes next a request line, or the body after all?"""
        while len(self.buffer) < 4:
            self.fill()
        return self.buffer[:4] in (b"GET ", b"POST", b"PUT ", b"HEAD")

    def response(self, plan, method):
        """(head, the content in pieces as framed, bytes of content)."""
        bodiless = plan.status in (204, 304) or 100 <= plan.status < 200
        size = 0 if bodiless else plan.n
        lines = [f"HTTP/{plan.http} {plan.status} {REASONS.get(plan.status, 'Status')}", "Server: bed"]
        if plan.to:
            lines.append(f"Location: {plan.to}")
        lines += [header.replace(":", ": ", 1) for header in plan.hdr]
        if plan.close:
            lines.append("Connection: close")
        if plan.chunked and not bodiless:
            lines.append("Transfer-Encoding: chunked")
            if plan.trailers:
                lines.append("Trailer: X-Sum, X-Count")
        elif not plan.nolen and plan.status != 204:
            lines.append(f"Content-Length: {plan.n}")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        if bodiless or method == "HEAD":
            return head, [], 0
        data, parts = content(size), []
        step = max(1, -(-size // plan.pieces))
        for at in range(0, size, step):
            part = data[at : at + step]
            parts.append(b"%x\r\n%s\r\n" % (len(part), part) if plan.chunked else part)
        if plan.chunked:
            trailers = b"X-Sum: 7\r\nX-Count: %d\r\n" % size if plan.trailers else b""
            parts.append(b"0\r\n" + trailers + b"\r\n")
        return head, parts, size

    def wait(self, seconds):
        """Stay silent for so long, or until the client goes away."""
        end, watched = time.monotonic() + seconds, [self.sock]
        while (left := end - time.monotonic()) > 0:
            if select.select(watched, [], [], left)[0]:
                with socket.socket(fileno=os.dup(self.sock.fileno())) as under:  # below TLS, where MSG_PEEK works
                    try:
                        gone = not under.recv(1, socket.MSG_PEEK)
                    except OSError:
                        gone = True
                if gone:
                    raise Gone("while it waited")
                watched = []  # it has sent more: that can wait

    def answer(self, plan, method, entry):
        """Sends the response or what the plan leaves of it. False: the connection is over."""
        for status in filter(None, plan.interim.split(",")):
            extra = "Link: </style.css>; rel=preload\r\n" if status == "103" else ""
            self.send(f"HTTP/1.1 {status} {REASONS[int(status)]}\r\n{extra}\r\n".encode("ascii"), plan.split)
            entry["interim"].append(int(status))
        self.wait(plan.delay)
        head, parts, size = self.response(plan, method)
        cut = plan.abort or plan.rst
        if cut:
            whole = head + b"".join(parts)
            keep = {"head": len(head) // 2, "body": len(head) + (len(whole) - len(head)) // 2}.get(cut)
            keep = int(cut) if keep is None else keep
            entry.update(status=plan.status if keep >= len(head) else None, cut=keep, sent_ns=time.monotonic_ns())
            self.send(whole[:keep], plan.split)
            self.ledger.add("requests", entry)
            self.end = "abort" if plan.abort else "rst"
            self.finish() if plan.abort else self.reset()
            return False
        entry.update(status=plan.status, response_head_bytes=len(head), response_body_bytes=size, sent_ns=time.monotonic_ns())
        if plan.slow or plan.pieces > 1:
            self.send(head, plan.split)
            for index, part in enumerate(parts):
                if index:
                    self.wait(plan.slow)
                self.send(part, plan.split)
        else:
            self.send(head + b"".join(parts), plan.split)
        self.ledger.add("requests", entry)
        return True

    def request(self):
        """One request and its answer. False: no more on this connection."""
        method, target, version, fields, head_bytes = self.head()
        first_ns = time.monotonic_ns()
        plan = Plan.of(target)
        known = {name.lower(): value.lower() for name, value in fields}
        if version == "HTTP/1.0":
            plan.http = "1.0"
        entry = {
            "connection": self.number,
            "index": self.count,
            "peer": list(self.peer[:2]),
            "port": self.listener.port,
            "tls": bool(self.listener.tls),
            "method": method,
            "target": target,
            "version": version,
            "headers": fields,
            "head_bytes": head_bytes,
            "head_ns": first_ns,
            "body_bytes": 0,
            "wire_body_bytes": 0,
            "body_came": True,
            "interim": [],
            "status": None,
            "response_head_bytes": None,
            "response_body_bytes": None,
            "cut": None,
            "gone": False,
            "sent_ns": None,
        }
        self.count += 1
        if "100-continue" in known.get("expect", "") and self.pending == "":
            if plan.expect == "100":
                self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
                entry["interim"].append(100)
            elif plan.expect.startswith("417"):
                refusal = Plan(status=417, n=plan.n, close=int(plan.expect == "417close"))
                entry["body_came"] = False
                self.answer(refusal, method, entry)
                if refusal.close:
                    self.finish()
                    return False
                entry["body_came"] = not self.next_is_request()
                if entry["body_came"]:
                    self.body(fields)
                return True
        try:
            entry["body_bytes"], entry["wire_body_bytes"] = self.body(fields)
        except Gone:
            self.ledger.add("requests", dict(entry, gone=True))
            raise
        if self.pending:
            self.end, how = f"next={self.pending}", self.pending
            self.ledger.add("requests", dict(entry, cut=0))
            self.finish() if how == "close" else self.reset()
            return False
        self.pending = plan.next
        if plan.upgrade:
            entry.update(status=101, sent_ns=time.monotonic_ns())
            self.ledger.add("requests", entry)
            self.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
            self.echo()
            return False
        try:
            if not self.answer(plan, method, entry):
                return False
        except Gone:
            self.ledger.add("requests", dict(entry, gone=True))
            raise
        over = plan.close or plan.nolen or plan.after == "close" or plan.http == "1.0" or known.get("connection") == "close"
        if over:
            self.end = "server"
            self.close_politely(plan)
        return not over

    def close_politely(self, plan):
        """TLS: close_notify first, except where the plan is to go without a word."""
        if isinstance(self.sock, ssl.SSLSocket) and not plan.after:
            try:
                self.sock.settimeout(0)
                self.sock.unwrap()
            except (OSError, ssl.SSLError, ValueError):
                pass  # sent; the peer's own comes later or never
            self.sock.settimeout(PATIENCE_S)
        self.finish()

    def echo(self):
        while True:
            if self.buffer:
                self.send(self.buffer)
                self.buffer = b""
            self.fill()

    def lines(self):
        self.send(b"220 bed ready\r\n")
        while True:
            line = self.line()
            if line.strip() == b"QUIT":
                self.send(b"221 bye\r\n")
                self.end = "server"
                self.finish()
                return
            self.send(b"250 " + line)

    def run(self):
        try:
            self.sock.settimeout(PATIENCE_S)
            if self.sock.family != socket.AF_UNIX:
                self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context:
                self.sock = self.context.wrap_socket(self.sock, server_side=True)
            if self.listener.lines:
                self.lines()
            else:
                while self.request():
                    pass
        except Gone as gone:
            self.end = f"peer: {gone}"
        except (OSError, ssl.SSLError) as error:
            self.end = f"handshake: {error}"
        except (ValueError, IndexError) as error:
            self.end = f"not understood: {error!r}"
        finally:
            self.ledger.add(
                "connections",
                {
                    "connection": self.number,
                    "peer": list(self.peer[:2]),
                    "port": self.listener.port,
                    "tls": bool(self.listener.tls),
                    "requests": self.count,
                    "end": self.end,
                },
            )
            self.sock.close()


@dataclass
class Listener:
    host: str  # "NAME.sock": a Unix socket in the bed's folder, "@NAME": an abstract one
    port: int
    tls: str = ""
    lines: bool = False

    def open(self, folder):
        if self.host.startswith("@") or self.host.endswith(".sock"):
            sock = socket.socket(socket.AF_UNIX)
            sock.bind("\0" + self.host[1:] if self.host[0] == "@" else os.path.join(folder, self.host))
            if self.host[0] != "@":
                os.chmod(os.path.join(folder, self.host), 0o666)
            return sock
        sock = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((self.host, self.port))
        return sock


LISTENERS = [
    Listener("0.0.0.0", PLAIN),
    Listener("::", PLAIN),
    Listener("127.0.0.1", PLAIN_V4),
    Listener(netns.OTHERS4[1], PLAIN_OTHER),
    Listener("0.0.0.0", TLS, tls="any"),
    Listener("::", TLS, tls="any"),
    Listener("127.0.0.1", TLS_V4, tls="any"),
    Listener("0.0.0.0", TLS12, tls="1.2"),
    Listener("0.0.0.0", LINES, lines=True),
    Listener("0.0.0.0", LINES_TLS, tls="bare", lines=True),
    Listener(UNIX, 0),
    Listener(UNIX_ABSTRACT, 0),
    Listener(UNIX_TLS, 0, tls="any"),
    Listener(UNIX_LINES, 0, lines=True),
]


class ServerProcess:
    """The other side of Server: what runs in the process of its own."""

    LISTENERS, CONNECTION = LISTENERS, Connection

    def __init__(self, cert, key):
        self.ledger = Ledger()
        self.folder = os.path.dirname(cert)
        self.contexts = {"any": self._context(cert, key), "1.2": self._context(cert, key), "bare": self._context(cert, key, ())}
        self.contexts["1.2"].maximum_version = ssl.TLSVersion.TLSv1_2
        self._lock = threading.Lock()
        self._connections = 0

    @staticmethod
    def _context(cert, key, alpn=("http/1.1",)):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        if alpn:
            context.set_alpn_protocols(list(alpn))
        return context

    def _accept(self, sock, listener):
        while True:
            peer_sock, peer = sock.accept()
            with self._lock:
                self._connections += 1
                number = self._connections
            threading.Thread(target=self.CONNECTION(self, number, peer_sock, peer, listener).run, daemon=True).start()

    def run(self):
        for listener in self.LISTENERS:
            sock = listener.open(self.folder)
            sock.listen(256)
            threading.Thread(target=self._accept, args=(sock, listener), daemon=True).start()
        print(json.dumps({"ready": os.getpid()}), flush=True)
        for line in sys.stdin:
            command = json.loads(line)
            print(json.dumps(self.ledger.take(command["requests"], command["connections"], command["timeout_s"])), flush=True)


class Server:
    """What a test holds: starts the process, takes what it served."""

    MODULE = "bed.server"

    def __init__(self, certificates):
        here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        self.process = subprocess.Popen(
            [sys.executable, "-m", self.MODULE, certificates.cert, certificates.key],
            cwd=here,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        ready = json.loads(self.process.stdout.readline() or "null")
        if not ready:
            raise RuntimeError(f"the test server did not start: exit status {self.process.wait()}")
        self.pid = ready["ready"]

    def _take(self, requests, connections, timeout_s):
        self.process.stdin.write(json.dumps({"requests": requests, "connections": connections, "timeout_s": timeout_s}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def take(self, requests=0, connections=0, timeout_s=10):
        """What was served since the last take(), once there are at least so many requests and ended connections (or the time is over)."""
        taken = self._take(requests, connections, limit(timeout_s))
        assert len(taken["requests"]) >= requests, f"served {len(taken['requests'])} requests, expected {requests}: {taken}"
        assert len(taken["connections"]) >= connections, f"{len(taken['connections'])} connections ended, expected {connections}: {taken}"
        return taken

    def forget(self):
        self._take(0, 0, 0)

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(limit(5))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


if __name__ == "__main__":
    ServerProcess(sys.argv[1], sys.argv[2]).run()
