# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What a scenario expects of the reports, and the comparison with what the server saw."""

import re
from dataclasses import dataclass, field

from bed import hooks
from bed.wait import SLOWER, limit

DNS = "DNSStart DNSDone"
DIAL = "ConnectStart ConnectDone"
TLS = "TLSHandshakeStart TLSHandshakeDone"
SENT = "WroteHeaders WroteRequest"
FIRST = "GotFirstResponseByte"
# hooks.md 0a: nothing is told of a client that closes or exits within 5 ms of the response's end. A client that exits may take longer
# than that on a busy machine, so one run cannot tell; test_exit_is_no_put_idle does.
LAST = "PutIdleConn?"
KEPT = "PutIdleConn"
# The same of a client that closes at once: less than 5 ms on hardware, not where everything is emulated.
GONE = LAST if SLOWER > 1 else ""

COLD = f"GetConn {DIAL} GotConn {SENT} {FIRST}"
COLD_NAME = f"GetConn {DNS} {DIAL} GotConn {SENT} {FIRST}"
COLD_TLS = f"GetConn {DIAL} {TLS} GotConn {SENT} {FIRST}"
COLD_TLS_NAME = f"GetConn {DNS} {DIAL} {TLS} GotConn {SENT} {FIRST}"
REUSED = f"GetConn GotConn {SENT} {FIRST}"


@dataclass
class Expect:
    """One report. What is None is not looked at; ANY accepts everything including null."""

    hooks: object  # a pattern, or a tuple of patterns of which one holds
    type: str = "request"
    outcome: str = "ok"  # or several, by |
    phase: str = ""  # of error; regular expression
    code: str = ""  # of error; regular expression
    status: object = 200
    method: str = "GET"
    http: str = "1.1"
    reused: object = False
    was_idle: object = False
    tls: dict = None  # facts of conn.tls that must be so; {} for: there is TLS
    args: dict = field(default_factory=dict)  # hook: list of what each of that name must carry; "error" by its code
    at_least_ms: dict = field(default_factory=dict)  # timings_ns
    at_most_ms: dict = field(default_factory=dict)
    closed_by: str = ""  # ConnClosed
    host_port: str = ""  # of GetConn
    url: str = ""
    proxy: object = None  # conn.proxy
    grpc: object = None
    is_open: bool = False
    stream_id: object = None  # ANY where the client chooses


class Any:
    def __eq__(self, other):
        return True

    def __repr__(self):
        return "anything"


class OneOf:
    def __init__(self, *values):
        self.values = values

    def __eq__(self, other):
        return other in self.values

    def __repr__(self):
        return f"one of {self.values}"


ANY = Any()


def error_code(error):
    return None if error is None else error["code"]


def _carries(name, wanted, got):
    wrong = []
    for key, value in wanted.items():
        actual = error_code(got[key]) if key == "error" else got[key]
        same = bool(re.fullmatch(value, actual)) if key == "error" and value is not None and actual is not None else value == actual
        if not same:
            wrong.append(f"{name}.{key} is {actual!r}, expected {value!r}")
    return wrong


def compare(expect, record):
    """Complaints about one report."""
    wrong = []

    def same(what, wanted, got):
        if not wanted == got:
            wrong.append(f"{what} is {got!r}, expected {wanted!r}")

    same("type", expect.type, record["type"])
    patterns = expect.hooks if isinstance(expect.hooks, tuple) else (expect.hooks,)
    if all(hooks.sequence(record, pattern) for pattern in patterns):
        wrong += [item for pattern in patterns for item in hooks.sequence(record, pattern)]
    if record["outcome"] not in expect.outcome.split("|"):
        wrong.append(f"outcome is {record['outcome']!r} ({record['error']}), expected {expect.outcome!r}")
    if record["error"]:
        for key, pattern in (("phase", expect.phase), ("code", expect.code)):
            if pattern and not re.fullmatch(pattern, record["error"][key]):
                wrong.append(f"error.{key} is {record['error'][key]!r}, expected {pattern!r}")
    if record["type"] == "request":
        same("status", expect.status, record["status"])
        same("method", expect.method, record["method"])
        same("http", expect.http, record["http"])
        same("grpc", expect.grpc, record.get("grpc"))
        same("open", expect.is_open, bool(record.get("open")))
        if expect.url:
            same("url", expect.url, record["url"])
    if record["conn"]:
        same("conn.proxy", expect.proxy, record["conn"].get("proxy"))
        if expect.stream_id is not None:
            same("conn.stream_id", expect.stream_id, record["conn"].get("stream_id"))
        if hooks.find(record, "GotConn"):  # else it was never handed out: nothing to be reused or idle
            same("conn.reused", expect.reused, record["conn"]["reused"])
            same("conn.was_idle", expect.was_idle, record["conn"]["was_idle"])
        if expect.tls is not None:
            if record["conn"]["tls"] is None:
                wrong.append("conn.tls is null")
            else:
                wrong += _carries("conn.tls", expect.tls, record["conn"]["tls"])
        else:
            same("conn.tls", None, record["conn"]["tls"])
    for name, wanted in expect.args.items():
        found = hooks.find(record, name)
        if len(found) != len(wanted):
            wrong.append(f"{name}: {len(found)} times, expected {len(wanted)}")
        for want, hook in zip(wanted, found):
            wrong += _carries(name, want, hook["args"])
    # A client that comes late to a read finds less left to wait for.
    least = 1 if SLOWER == 1 else 0.5
    for bounds, holds, word in (
        (expect.at_least_ms, lambda a, b: a >= b * least, "at least"),
        (expect.at_most_ms, lambda a, b: a <= limit(b), "at most"),
    ):
        for key, value in bounds.items():
            got = record["timings_ns"][key]
            if got is None or not holds(got / 1e6, value):
                wrong.append(f"timings_ns.{key} is {got}, expected {word} {value} ms")
    closed = [hook["args"]["by"] for hook in hooks.find(record, "ConnClosed")]
    if expect.closed_by:
        same("ConnClosed by", [expect.closed_by], closed)
    if expect.host_port:
        same(
            "GetConn host_port",
            expect.host_port,
            hooks.find(record, "GetConn")[0]["args"]["host_port"] if hooks.find(record, "GetConn") else None,
        )
    return wrong


def url_of(served):
    """The URL that the client asked for, by what the server read."""
    host = next((value for name, value in served["headers"] if name.lower() == "host"), "")
    return f"{'https' if served['tls'] else 'http'}://{host}{served['target']}"


def port_of(endpoint):
    return int(endpoint.rsplit(":", 1)[1])


def compare_websocket(wanted, record):
    """Complaints about one websocket report."""
    return [f"{key} is {record.get(key)!r}, expected {value!r}" for key, value in wanted.items() if not value == record.get(key)]


def compare_with_server(requests, served, through=""):
    """Complaints where the reports and what the server saw differ: who, what, how many bytes, which connection, when at the earliest."""
    if through == "unseen":
        return []
    if through:
        return _compare_in_order(requests, served, through)
    wrong, ids = [], {}
    ours, theirs = {}, {}
    for record in requests:
        if record["method"] is not None:
            ours.setdefault(port_of(record["conn"]["local"]), []).append(record)
    for entry in served:
        theirs.setdefault(entry["peer"][1], []).append(entry)
    for port in sorted(set(ours) | set(theirs)):
        here = sorted(ours.get(port, []), key=_turn)
        there = sorted(theirs.get(port, []), key=lambda entry: entry["index"])
        if len(here) != len(there):
            wrong.append(
                f"client port {port}: {len(here)} reports {[r['url'] for r in here]}, the server saw {len(there)} requests "
                f"{[e['target'] for e in there]}"
            )
            continue
        if len({record["conn"]["id"] for record in here}) != 1:
            wrong.append(f"client port {port}: several conn.id {[record['conn']['id'] for record in here]}")
        ids.setdefault(here[0]["conn"]["id"], []).append(port)
        for record, entry in zip(here, there):
            wrong += [f"{entry['target']}: {item}" for item in _compare_one(record, entry)]
    wrong += [f"conn.id {name} stands for several connections: client ports {ports}" for name, ports in ids.items() if len(ports) > 1]
    return wrong


def _turn(record):
    """What orders the requests of a connection: HTTP/2's streams by number, others by their responses."""
    return (
        record["conn"].get("stream_id") or 0,
        (hooks.find(record, "GotFirstResponseByte") or record["hooks"])[0]["mono_ns"],
    )


def _compare_in_order(requests, served, through):
    """Behind a proxy the server sees the proxy's connections: what is left is the order."""
    here = [record for record in sorted(requests, key=lambda record: record["mono_ns"]) if record["method"] is not None]
    if len(here) != len(served):
        return [f"{len(here)} reports {[r['url'] for r in here]}, the server saw {[entry['target'] for entry in served]}"]
    return [f"{entry['target']}: {item}" for record, entry in zip(here, served) for item in _compare_one(record, entry, through)]


def _compare_one(record, entry, through=""):
    """through: the scenario's."""
    wrong = []

    def same(what, got, seen):
        if got != seen:
            wrong.append(f"{what} is {got!r}, the server saw {seen!r}")

    same("method", record["method"], entry["method"])
    if through == "proxy":  # which may speak TLS on one side only
        same("url", record["url"].partition("://")[2], url_of(entry).partition("://")[2])
    else:
        same("url", record["url"], url_of(entry))
    if not through:
        same("conn.remote's port", port_of(record["conn"]["remote"]), entry["port"])
    if through != "proxy":
        same("conn.tls", record["conn"]["tls"] is not None, entry["tls"])
        same("conn.request_index", record["conn"]["request_index"], entry["index"] + 1)
        same("request.header_bytes", record["request"]["header_bytes"], entry["head_bytes"])
        same("conn.stream_id", record["conn"].get("stream_id"), entry.get("stream"))
    if record["outcome"] == "ok" and not entry["gone"] and entry["cut"] is None:
        same("status", record["status"], entry["status"])
        if entry["body_came"]:
            same("request.body_bytes", record["request"]["body_bytes"], entry["body_bytes"])
        if entry["status"] != 101 and through != "proxy":
            same("response.header_bytes", record["response"]["header_bytes"], entry["response_head_bytes"])
        if entry["status"] != 101:
            same("response.body_bytes", record["response"]["body_bytes"], entry["response_body_bytes"])
            bodies = [hook["args"]["bytes"] for hook in hooks.find(record, "GotBody")]
            if bodies:
                same("GotBody bytes", bodies, [entry["response_body_bytes"]])
        interim = [hook["args"]["code"] for hook in hooks.find(record, "Got1xxResponse")]
        same("Got1xxResponse codes", interim, [code for code in entry["interim"] if code != 101])
    if record["mono_ns"] > entry["head_ns"]:
        wrong.append(f"begins {record['mono_ns'] - entry['head_ns']} ns after the server had read the request's head")
    first = hooks.find(record, "GotFirstResponseByte")
    if first and entry["sent_ns"] and not entry["interim"] and through != "proxy" and first[0]["mono_ns"] < entry["sent_ns"]:
        wrong.append(f"GotFirstResponseByte is {entry['sent_ns'] - first[0]['mono_ns']} ns before the server sent anything")
    wrote = hooks.find(record, "WroteRequest")
    if first and wrote and entry["body_came"] and not entry["interim"] and wrote[-1]["mono_ns"] > first[-1]["mono_ns"]:
        wrong.append("WroteRequest is later than the first byte of a response that was sent after the whole request")
    return wrong
