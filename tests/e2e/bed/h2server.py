# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A scriptable HTTP/2 server that does on purpose what real ones do seldom; the counterpart of server.py, with the same handle and ledger.

One thread a connection, raw sockets, the library h2 for the protocol, and frames of our own making where h2 would not do such a thing.
A request's query says what happens to it (Plan). The ledger has server.py's keys, byte counts by frames.py, and "stream".
"""

import heapq
import select
import socket
import ssl
import struct
import sys
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

from . import server
from .frames import CODES, Frames, goaway, rst_stream

CLEAR, TLS, TLS_SMALL = 9081, 9444, 9445  # TLS_SMALL: SETTINGS_HEADER_TABLE_SIZE 0 from the start
PATIENCE_S = server.PATIENCE_S


@dataclass
class Plan:
    """What to do with a request: one field a query key. Other keys are ignored."""

    n: int = 5  # bytes of content
    status: int = 200
    delay: float = 0.0  # seconds before the final head
    interim: str = ""  # 103 or 100,103: sent before the delay
    expect: str = "100"  # what Expect: 100-continue gets: 100, 417, silent
    early: int = 0  # answer once the head is there, without waiting for the body
    pieces: int = 1  # the content in so many DATA frames, at least ...
    slow: float = 0.0  # ... so many seconds apart
    pad: int = 0  # bytes of padding in each DATA frame
    trailers: int = 0
    big: int = 0  # a response field of so many bytes: CONTINUATION
    frame: int = 0  # frames of so many bytes at most
    split: int = 0  # this connection's bytes from now on in sends of so many
    table: int = -1  # SETTINGS_HEADER_TABLE_SIZE, told before the answer
    rst: str = ""  # RST_STREAM with this code ...
    at: str = "head"  # ... or abort, when: head (instead of the answer), body (in the middle of it)
    abort: str = ""  # close, rst: that is what happens to the whole connection
    refuse: str = ""  # REFUSED_STREAM for the first request with this word
    goaway: str = ""  # covered: GOAWAY that covers this stream, then the answer; not: one that does not, then the end
    last: int = 0  # with goaway=not: the last stream covered
    hdr: list = field(default_factory=list)

    @classmethod
    def of(cls, target):
        plan = cls()
        for key, value in parse_qsl(urlsplit(target).query):
            if key == "hdr":
                plan.hdr.append(value)
            elif key in cls.__dataclass_fields__:
                setattr(plan, key, type(getattr(plan, key))(value))
        return plan


class Over(Exception):
    """The connection is over: what its message says."""


WINDOW = object()  # yielded by an answer that waits for the peer's WINDOW_UPDATE


class Stream:
    def __init__(self, plan, entry):
        self.plan, self.entry = plan, entry
        self.is_answered = self.is_over = False
        self.is_waiting = False  # for a window
        self.answer = None


class Connection:
    def __init__(self, process, number, sock, peer, listener):
        self.process, self.ledger, self.number, self.sock, self.peer, self.listener = process, process.ledger, number, sock, peer, listener
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.received, self.sent = Frames(True), Frames(False)
        self.streams, self.timers, self.count, self.turn = {}, [], 0, 0
        self.split = 0
        self.end = "peer"

    # -- bytes

    def flush(self, extra=b""):
        data = self.h2.data_to_send() + extra
        self.sent.feed(data)
        try:
            for at in range(0, len(data), self.split or len(data) or 1):
                self.sock.sendall(data[at : at + self.split] if self.split else data)
        except (OSError, ssl.SSLError) as error:
            raise Over(f"peer: {error}") from error

    def readable(self, timeout_s):
        if isinstance(self.sock, ssl.SSLSocket) and self.sock.pending():
            return True
        return bool(select.select([self.sock], [], [], timeout_s)[0])

    def receive(self):
        try:
            data = self.sock.recv(65536)
        except (OSError, ssl.SSLError) as error:
            raise Over(f"peer: {error}") from error
        if not data:
            raise Over("peer: end of stream")
        self.received.feed(data)
        return self.h2.receive_data(data)

    def drop(self, how):
        """The end of the connection, with whatever streams are open."""
        self.flush()
        sock = self.sock
        if isinstance(sock, ssl.SSLSocket):
            sock = self.sock = socket.socket(fileno=sock.detach())
        if how == "rst":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
        else:
            try:
                sock.shutdown(socket.SHUT_WR)
                sock.settimeout(PATIENCE_S)
                while sock.recv(65536):
                    pass
            except OSError:
                pass
        raise Over(how)

    # -- streams

    def begin(self, event):
        fields = [[name, value] for name, value in event.headers]
        pseudo = {name: value for name, value in fields if name.startswith(":")}
        target, known = pseudo.get(":path", ""), dict(map(tuple, fields))
        plan = Plan.of(target)
        entry = {
            "connection": self.number,
            "index": self.count,
            "stream": event.stream_id,
            "peer": list(self.peer[:2]),
            "port": self.listener.port,
            "tls": bool(self.listener.tls),
            "method": pseudo.get(":method"),
            "target": target,
            "version": "HTTP/2",
            "headers": [["host", pseudo.get(":authority", known.get("host", ""))], *fields],
            "head_bytes": self.received.blocks[event.stream_id][0],
            "head_ns": time.monotonic_ns(),
            "body_bytes": 0,
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
        stream = self.streams[event.stream_id] = Stream(plan, entry)
        self.split = plan.split or self.split
        if plan.frame:
            self.h2.max_outbound_frame_size = self.h2.streams[event.stream_id].max_outbound_frame_size = plan.frame
        expects = "100-continue" in known.get("expect", "").lower() and event.stream_ended is None
        if plan.refuse and self.process.is_first(plan.refuse):
            self.reset(event.stream_id, "REFUSED_STREAM")
        elif expects and plan.expect == "417":
            plan.status, entry["body_came"] = 417, False
            self.start(event.stream_id)
        elif plan.early:
            entry["body_came"] = event.stream_ended is not None
            self.start(event.stream_id)
        elif expects and plan.expect == "100":
            self.interim(event.stream_id, 100)
            self.flush()

    def interim(self, stream_id, status):
        extra = [("link", "</style.css>; rel=preload")] if status == 103 else []
        self.streams[stream_id].entry["interim"].append(status)
        self.h2.send_headers(stream_id, [(":status", str(status)), *extra])

    def finish(self, stream_id, **facts):
        stream = self.streams[stream_id]
        if stream.is_over:
            return
        stream.is_over = True
        entry = stream.entry
        blocks = self.sent.blocks.get(stream_id, [])
        if len(blocks) > len(entry["interim"]):
            entry["response_head_bytes"] = blocks[len(entry["interim"])]
        entry["response_body_bytes"] = self.sent.content.get(stream_id, 0)
        entry["body_bytes"] = self.received.content.get(stream_id, 0)
        entry.update(facts)
        self.ledger.add("requests", entry)

    def reset(self, stream_id, code):
        """RST_STREAM of ours."""
        self.h2.reset_stream(stream_id, error_code=CODES.index(code))
        self.flush()
        self.finish(stream_id, cut=code)

    def start(self, stream_id):
        stream = self.streams[stream_id]
        if not stream.is_answered and not stream.is_over:
            stream.is_answered = True
            stream.answer = self.respond(stream_id, stream)
            self.later(0, stream_id)

    def later(self, seconds, stream_id):
        self.turn += 1
        heapq.heappush(self.timers, (time.monotonic() + seconds, self.turn, stream_id))

    def respond(self, stream_id, stream):
        """A generator: yields the seconds until it is to go on, or WINDOW."""
        plan, entry = stream.plan, stream.entry
        if plan.table >= 0:
            self.h2.update_settings({h2.settings.SettingCodes.HEADER_TABLE_SIZE: plan.table})
        for status in filter(None, plan.interim.split(",")):
            self.interim(stream_id, int(status))
        if plan.goaway:
            # h2 sends nothing more once it has sent GOAWAY: a frame of our own.
            self.flush(goaway(stream_id if plan.goaway == "covered" else plan.last))
        if plan.goaway == "not":
            self.finish(stream_id, cut="GOAWAY")
            if plan.delay:
                yield plan.delay
            self.drop(plan.abort or "close")
        if plan.delay:
            yield plan.delay
        if stream.is_over:
            return
        if plan.at == "head" and (plan.rst or plan.abort):
            entry["sent_ns"] = time.monotonic_ns()
            if plan.rst:
                self.reset(stream_id, plan.rst)
                return
            self.drop(plan.abort)
        bodiless = plan.status in (204, 304) or entry["method"] == "HEAD"
        fields = [(":status", str(plan.status)), ("server", "bed")]
        fields += [tuple(item.split(":", 1)) for item in plan.hdr]
        if plan.big:
            fields.append(("x-big", "".join(chr(97 + (at * 7 + at // 26) % 26) for at in range(plan.big))))
        if plan.status != 204:
            fields.append(("content-length", str(plan.n)))
        whole = not bodiless and plan.n > 0
        entry.update(status=plan.status, sent_ns=time.monotonic_ns())
        self.h2.send_headers(stream_id, fields, end_stream=not whole and not plan.trailers)
        if whole:
            if plan.pieces > 1 or plan.slow:
                self.flush()
            yield from self.content(stream_id, plan)
        if stream.is_over:
            return
        if plan.trailers and not bodiless:
            self.h2.send_headers(stream_id, [("x-sum", "7"), ("x-count", str(plan.n))], end_stream=True)
        if plan.early and not entry["body_came"]:
            self.flush(rst_stream(stream_id, "NO_ERROR"))  # RFC 9113, 8.1: enough has been heard
        self.flush()
        self.finish(stream_id)

    def content(self, stream_id, plan):
        data, at = server.content(plan.n), 0
        step = max(1, -(-plan.n // plan.pieces))
        half = plan.n // 2
        while at < plan.n:
            room = min(self.h2.local_flow_control_window(stream_id), self.h2.max_outbound_frame_size) - (plan.pad + 1 if plan.pad else 0)
            size = min(step, plan.n - at, room)
            if size <= 0:
                self.flush()
                yield WINDOW
                if self.streams[stream_id].is_over:
                    return
                continue
            if (plan.rst or plan.abort) and at + size >= half and plan.at == "body":
                self.h2.send_data(stream_id, data[at : max(half, at + 1)])
                self.flush()
                if plan.rst:
                    self.reset(stream_id, plan.rst)
                    return
                self.drop(plan.abort)
            at += size
            end = at >= plan.n and not plan.trailers
            self.h2.send_data(stream_id, data[at - size : at], end_stream=end, pad_length=plan.pad or None)
            if at < plan.n and (plan.slow or plan.pieces > 1):
                self.flush()
                yield plan.slow
            if self.streams[stream_id].is_over:
                return

    # -- the loop

    def handle(self, event):
        if isinstance(event, h2.events.RequestReceived):
            self.begin(event)
        elif isinstance(event, h2.events.DataReceived):
            if event.flow_controlled_length:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            self.start(event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            if event.stream_id in self.streams:
                self.finish(event.stream_id, gone=True)
        elif isinstance(event, h2.events.WindowUpdated):
            for stream_id, stream in self.streams.items():
                if stream.is_waiting and event.stream_id in (0, stream_id):
                    stream.is_waiting = False
                    self.later(0, stream_id)

    def step(self, stream_id):
        stream = self.streams[stream_id]
        try:
            asked = next(stream.answer)
        except StopIteration:
            return
        except h2.exceptions.StreamClosedError:
            self.finish(stream_id, gone=True)
            return
        if asked is WINDOW:
            stream.is_waiting = True
        else:
            self.later(asked, stream_id)

    def serve(self):
        self.h2.initiate_connection()
        if self.listener.small:
            self.h2.update_settings({h2.settings.SettingCodes.HEADER_TABLE_SIZE: 0})
        self.flush()
        quiet_since = time.monotonic()
        while True:
            timeout_s = self.timers[0][0] - time.monotonic() if self.timers else PATIENCE_S
            if self.readable(max(0.0, timeout_s)):
                quiet_since = time.monotonic()
                for event in self.receive():
                    self.handle(event)
                self.flush()
            elif not self.timers and time.monotonic() - quiet_since >= PATIENCE_S:
                raise Over("server: nothing came")
            while self.timers and self.timers[0][0] <= time.monotonic():
                self.step(heapq.heappop(self.timers)[2])
                self.flush()

    def run(self):
        try:
            self.sock.settimeout(PATIENCE_S)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.listener.tls:
                self.sock = self.process.contexts[self.listener.tls].wrap_socket(self.sock, server_side=True)
            self.serve()
        except Over as over:
            self.end = str(over)
        except (OSError, ssl.SSLError) as error:
            self.end = f"handshake: {error}"
        except h2.exceptions.ProtocolError as error:
            self.end = f"not understood: {error!r}"
        finally:
            for stream_id, stream in self.streams.items():
                if not stream.is_over:
                    self.finish(stream_id, gone=True)
            facts = {"connection": self.number, "peer": list(self.peer[:2]), "port": self.listener.port, "requests": self.count}
            self.ledger.add("connections", dict(facts, tls=bool(self.listener.tls), end=self.end, frames=self.received.kinds))
            self.sock.close()


@dataclass
class Listener(server.Listener):
    small: bool = False


LISTENERS = [
    Listener("0.0.0.0", CLEAR),
    Listener("0.0.0.0", TLS, tls="h2"),
    Listener("::", TLS, tls="h2"),
    Listener("0.0.0.0", TLS_SMALL, tls="h2", small=True),
]


class ServerProcess(server.ServerProcess):
    """What runs in the process of its own."""

    LISTENERS, CONNECTION = LISTENERS, Connection

    def __init__(self, cert, key):
        super().__init__(cert, key)
        self.contexts = {"h2": self._context(cert, key, ["h2"])}
        self._refused, self._refusing = set(), threading.Lock()

    def is_first(self, word):
        with self._refusing:
            is_new = word not in self._refused
            self._refused.add(word)
            return is_new


class H2Server(server.Server):
    """What a test holds."""

    MODULE = "bed.h2server"


if __name__ == "__main__":
    ServerProcess(sys.argv[1], sys.argv[2]).run()
