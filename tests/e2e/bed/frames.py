# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""HTTP/2 frames of one direction, counted: how many bytes of header block and of content each stream's frames carry (RFC 9113, 4 and 6).

A counter of the tests' own, so that what is held against the tracer comes neither from it nor from the library that makes the frames.
"""

import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 5, 6, 7, 8, 9
END_STREAM, END_HEADERS, PADDED, PRIORITY = 0x1, 0x4, 0x8, 0x20
CODES = (
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
)


def frame(kind, flags, stream_id, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream_id) + payload


def rst_stream(stream_id, code):
    return frame(RST_STREAM, 0, stream_id, struct.pack(">I", CODES.index(code)))


def goaway(last_stream_id, code="NO_ERROR"):
    return frame(GOAWAY, 0, 0, struct.pack(">II", last_stream_id, CODES.index(code)))


class Frames:
    """feed() it one direction's bytes. blocks: stream id -> [bytes of each header block in turn]; content: stream id -> bytes, unpadded."""

    def __init__(self, has_preface):
        self.buffer = b""
        self.skip = len(PREFACE) if has_preface else 0
        self.blocks, self.content, self.kinds = {}, {}, {}

    def feed(self, data):
        self.buffer += data
        if self.skip:
            if len(self.buffer) < self.skip:
                return
            self.buffer, self.skip = self.buffer[self.skip :], 0
        at = 0
        while len(self.buffer) - at >= 9:
            size = int.from_bytes(self.buffer[at : at + 3], "big")
            if len(self.buffer) - at < 9 + size:
                break
            kind, flags = self.buffer[at + 3], self.buffer[at + 4]
            stream_id = int.from_bytes(self.buffer[at + 5 : at + 9], "big") & 0x7FFFFFFF
            self._count(kind, flags, stream_id, self.buffer[at + 9 : at + 9 + size])
            at += 9 + size
        self.buffer = self.buffer[at:]

    def _count(self, kind, flags, stream_id, payload):
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        size = len(payload)
        if kind in (DATA, HEADERS) and flags & PADDED:
            size -= 1 + payload[0]
        if kind == HEADERS:
            self.blocks.setdefault(stream_id, []).append(size - (5 if flags & PRIORITY else 0))
        elif kind == CONTINUATION:
            self.blocks[stream_id][-1] += size
        elif kind == DATA:
            self.content[stream_id] = self.content.get(stream_id, 0) + size
