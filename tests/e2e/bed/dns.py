# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A small authoritative DNS server over UDP (RFC 1035): A and AAAA from a table, everything else NXDOMAIN. A thread, with a log."""

import socket
import struct
import threading
from dataclasses import dataclass

from . import netns

A, AAAA = 1, 28
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3


@dataclass(frozen=True)
class Name:
    a: tuple = ()
    aaaa: tuple = ()
    delay_s: float = 0  # before each answer
    rcode: int = NOERROR
    mute: bool = False  # never answers


TABLE = {
    "www.test": Name(a=("127.0.0.1",)),
    "two.test": Name(a=("127.0.0.1",)),
    "six.test": Name(a=("127.0.0.1",), aaaa=("::1",)),
    "only6.test": Name(aaaa=("::1",)),
    "many.test": Name(a=netns.OTHERS4),  # of one scope: glibc keeps their order (RFC 6724 section 6, rule 10)
    "slow.test": Name(a=("127.0.0.1",), delay_s=0.12),
    "eyes.test": Name(a=("127.0.0.1",), aaaa=(netns.BLACK_HOLE6,)),
    "hole.test": Name(a=(netns.BLACK_HOLE,)),
    "broken.test": Name(rcode=SERVFAIL),
    "mute.test": Name(mute=True),
    # gone.test is not here: NXDOMAIN
}


def parse_question(packet):
    """(name, type, end of the question) of the first question."""
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1 : at + 1 + packet[at]].decode("ascii"))
        at += 1 + packet[at]
    return ".".join(labels).lower(), struct.unpack_from("!H", packet, at + 1)[0], at + 5


def answer(packet, table):
    """(reply or None for silence, name, type, delay)."""
    name, kind, end = parse_question(packet)
    entry = table.get(name)
    if entry is not None and entry.mute:
        return None, name, kind, 0
    rcode = NXDOMAIN if entry is None else entry.rcode
    addresses = ()
    if rcode == NOERROR and kind in (A, AAAA):
        addresses = entry.a if kind == A else entry.aaaa
    family = socket.AF_INET if kind == A else socket.AF_INET6
    flags = 0x8580 | rcode  # response, authoritative, recursion desired and available
    reply = packet[:2] + struct.pack("!HHHHH", flags, 1, len(addresses), 0, 0) + packet[12:end]
    for address in addresses:
        raw = socket.inet_pton(family, address)
        reply += struct.pack("!HHHIH", 0xC00C, kind, 1, 0, len(raw)) + raw
    return reply, name, kind, entry.delay_s if entry else 0


class DnsServer:
    def __init__(self, address=("127.0.0.1", 53), table=None):
        self.table = dict(TABLE if table is None else table)
        self.log = []  # (name, type) in the order of arrival
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(address)
        self._thread = threading.Thread(target=self._serve, daemon=True, name="dns")
        self._thread.start()

    def _serve(self):
        while True:
            try:
                packet, peer = self._sock.recvfrom(4096)
            except OSError:
                return
            if len(packet) < 17:
                return  # stop() wakes us with an empty datagram
            reply, name, kind, delay_s = answer(packet, self.table)
            self.log.append((name, kind))
            if reply is None:
                continue
            if delay_s:
                threading.Timer(delay_s, self._sock.sendto, (reply, peer)).start()
            else:
                self._sock.sendto(reply, peer)

    def queries(self, name):
        return [kind for asked, kind in self.log if asked == name]

    def stop(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"", self._sock.getsockname())
        self._thread.join(5)
        self._sock.close()
