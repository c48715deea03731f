#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""steps.py for HTTP/2: a client that does what it is told, frame by frame, over sockets of its own.

Argument and answers are as in stepping.py. Steps, c being any name for a connection and s one for a stream:
  ["connect", c, host, port, {"tls": true, "alpn": false, "write": bytes a send, "preface": true}]
                                  the preface goes with what is sent first; true: at once, whole
  ["request", c, s, target, {"method", "headers": [[name, value]], "body": bytes, "end": false}]     body and head in one send
  ["requests", c, [s, target], ...]    all in one send
  ["data", c, s, bytes, {"end": true, "pad": bytes}]
  ["trailers", c, s, [[name, value]]]
  ["head", c, s]                  until the final response head has come
  ["interim", c, s, status]       until that interim response has come
  ["response", c, s]              until the stream has ended, one way or the other: {"status", "bytes", "reset": code or null}
  ["goaway", c]                   until GOAWAY has come: {"last"}
  ["reset", c, s, code]           RST_STREAM
  ["leave", c]                    GOAWAY
  ["ping", c]                     and its answer
  ["table", c, size]              SETTINGS_HEADER_TABLE_SIZE
  ["eof", c]                      until the end of the connection
  ["close", c]  ["abort", c]      FIN, RST
  ["idle", seconds]  ["hold"]     as in stepping.py
"""

import socket
import ssl
import struct

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings

import stepping


class Connection:
    def __init__(self, host, port, options):
        self.sock = socket.create_connection((host, port), 30)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.settimeout(30)
        self.local = self.sock.getsockname()[1]
        self.write = options.get("write", 0)
        self.scheme, self.authority = "http", f"{host}:{port}"
        if options.get("tls"):
            context = ssl.create_default_context()
            if options.get("alpn", True):
                context.set_alpn_protocols(["h2"])
            self.sock = context.wrap_socket(self.sock, server_hostname=host)
            self.scheme = "https"
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8", validate_outbound_headers=False))
        self.h2.initiate_connection()
        self.streams, self.events, self.is_over, self.last, self.pings = {}, {}, False, None, 0
        self.buffer = b""
        if options.get("preface"):
            self.sock.sendall(self.h2.data_to_send())

    def flush(self):
        data = self.h2.data_to_send()
        for at in range(0, len(data), self.write or len(data) or 1):
            self.sock.sendall(data[at : at + self.write] if self.write else data)

    def receive(self):
        """False: the connection has ended."""
        try:
            data = self.sock.recv(65536)
        except (ConnectionResetError, ssl.SSLError):
            data = b""
        if not data:
            self.is_over = True
            return False
        for event in self.h2.receive_data(self.without_goaway(data)):
            stream = self.events.get(getattr(event, "stream_id", None))
            if isinstance(event, h2.events.DataReceived):
                stream["bytes"] += len(event.data)
                if event.flow_controlled_length:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.InformationalResponseReceived):
                stream["interim"].append(int(dict(event.headers)[":status"]))
            elif isinstance(event, h2.events.ResponseReceived):
                stream["status"] = int(dict(event.headers)[":status"])
            elif isinstance(event, h2.events.StreamEnded):
                stream["over"] = True
            elif isinstance(event, h2.events.StreamReset) and stream:
                stream.update(over=True, reset=int(event.error_code))
            elif isinstance(event, h2.events.PingAckReceived):
                self.pings += 1
        self.flush()
        return True

    def without_goaway(self, data):
        """h2 neither reads nor writes once it has heard GOAWAY; RFC 9113 6.8 lets the streams that it covers go on."""
        self.buffer += data
        rest, at = b"", 0
        while len(self.buffer) - at >= 9:
            size = 9 + int.from_bytes(self.buffer[at : at + 3], "big")
            if len(self.buffer) - at < size:
                break
            if self.buffer[at + 3] == 7:
                self.last = int.from_bytes(self.buffer[at + 9 : at + 13], "big")
            else:
                rest += self.buffer[at : at + size]
            at += size
        self.buffer = self.buffer[at:]
        return rest

    def until(self, condition):
        while not condition() and self.receive():
            pass

    def open(self, name, target, options):
        stream_id = self.h2.get_next_available_stream_id()
        self.streams[name] = stream_id
        self.events[stream_id] = {"status": None, "bytes": 0, "interim": [], "over": False, "reset": None}
        size = options.get("body", 0)
        head = [(":method", options.get("method", "GET")), (":authority", self.authority), (":scheme", self.scheme), (":path", target)]
        head += [tuple(pair) for pair in options.get("headers", [["user-agent", "h2steps"]])]
        is_end = options.get("end", True)
        self.h2.send_headers(stream_id, head, end_stream=is_end and not size)
        if size:
            self.data(stream_id, size, {"end": is_end})

    def data(self, stream_id, size, options):
        while size:
            room = min(self.h2.local_flow_control_window(stream_id), self.h2.max_outbound_frame_size) - options.get("pad", 0) - 1
            if room <= 0:
                self.flush()
                self.receive()
                continue
            step = min(size, room)
            size -= step
            self.h2.send_data(stream_id, b"x" * step, end_stream=options.get("end", True) and not size, pad_length=options.get("pad"))


def do(step, connections):
    verb, rest = step[0], step[1:]
    options = rest[-1] if rest and isinstance(rest[-1], dict) else {}
    if verb == "connect":
        connections[rest[0]] = connection = Connection(rest[1], rest[2], options)
        return {"local": connection.local}
    connection = connections[rest[0]]
    if verb == "requests":
        for name, target in rest[1:]:
            connection.open(name, target, {})
        connection.flush()
    elif verb == "request":
        connection.open(rest[1], rest[2], options)
        connection.flush()
    elif verb == "ping":
        before = connection.pings
        connection.h2.ping(b"\0" * 8)
        connection.flush()
        connection.until(lambda: connection.pings > before)
    elif verb == "table":
        connection.h2.update_settings({h2.settings.SettingCodes.HEADER_TABLE_SIZE: rest[1]})
        connection.flush()
    elif verb == "leave":
        connection.h2.close_connection()
        connection.flush()
    elif verb == "goaway":
        connection.until(lambda: connection.last is not None)
        return {"last": connection.last}
    elif verb == "eof":
        connection.until(lambda: False)
    elif verb in ("close", "abort"):
        if verb == "abort":
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connections.pop(rest[0]).sock.close()
    else:
        stream_id = connection.streams[rest[1]]
        seen = connection.events[stream_id]
        if verb == "data":
            connection.data(stream_id, rest[2], options)
            connection.flush()
        elif verb == "trailers":
            connection.h2.send_headers(stream_id, [tuple(pair) for pair in rest[2]], end_stream=True)
            connection.flush()
        elif verb == "reset":
            connection.h2.reset_stream(stream_id, getattr(h2.errors.ErrorCodes, rest[2]))
            connection.flush()
        elif verb in ("head", "interim", "response"):
            wanted = {
                "head": lambda: seen["status"] is not None or seen["over"],
                "interim": lambda: rest[2] in seen["interim"] or seen["over"],
                "response": lambda: seen["over"],
            }[verb]
            connection.until(wanted)
            return {key: seen[key] for key in ("status", "bytes", "reset")}
        else:
            raise ValueError(f"unknown step {verb}")
    return {}


if __name__ == "__main__":
    stepping.main(do)
