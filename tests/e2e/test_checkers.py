# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The checkers can fail: a good report passes, and each way of spoiling it is found. Needs neither root nor the tracer."""

import copy
import json
import os
import stat
import time
from types import SimpleNamespace

import pytest

from bed import hooks, schema
from bed.tracer import Trace, Tracer, clock_offset_ns, trace_command
from expect import COLD_TLS_NAME, Expect, compare, compare_with_server

T0 = 1_000_000_000


def hook(name, offset, how="observed", **args):
    ext = {"ext": True} if name in hooks.EXT_HOOKS else {}
    return {"hook": name, "mono_ns": T0 + offset, "how": how, "args": args, **ext}


def good():
    tls = {"version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "alpn": "http/1.1", "server_name": "www.test", "resumed": False}
    return {
        "type": "request",
        "v": 1,
        "time": "2026-01-02T03:04:05.123456789Z",
        "mono_ns": T0,
        "pid": 7,
        "tid": 7,
        "comm": "curl",
        "exe": "/usr/bin/curl",
        "method": "GET",
        "url": "https://www.test:8443/a",
        "http": "1.1",
        "status": 200,
        "outcome": "ok",
        "error": None,
        "conn": {
            "id": "c-1",
            "local": "127.0.0.1:40000",
            "remote": "127.0.0.1:8443",
            "reused": False,
            "was_idle": False,
            "idle_ns": None,
            "request_index": 1,
            "tls": {"library": "openssl", "bound_by": "nested", **tls},
            "proxy": None,
        },
        "request": {"headers": None, "header_bytes": 60, "body_bytes": 0},
        "response": {"headers": None, "header_bytes": 50, "body_bytes": 5},
        "timings_ns": {"blocked": 15, "dns": 10, "connect": 20, "tls": 30, "send": 25, "wait": 100, "receive": 40, "total": 240},
        "hooks": [
            hook("GetConn", 0, "inferred", host_port="www.test:8443"),
            hook("DNSStart", 0, host="www.test"),
            hook("DNSDone", 10, addrs=["127.0.0.1"], error=None, coalesced=False),
            hook("ConnectStart", 15, network="tcp", addr="127.0.0.1:8443"),
            hook("ConnectDone", 35, network="tcp", addr="127.0.0.1:8443", error=None),
            hook("TLSHandshakeStart", 45),
            hook("TLSHandshakeDone", 75, error=None, **tls),
            hook("GotConn", 75, "inferred", reused=False, was_idle=False, idle_ns=None),
            hook("WroteHeaders", 100),
            hook("WroteRequest", 100, error=None),
            hook("GotFirstResponseByte", 200),
            hook("GotResponseHeaders", 200, status=200),
            hook("GotBody", 240, bytes=5),
            hook("PutIdleConn", 240, "inferred", error=None),
        ],
        "lost": 0,
    }


def set_hook(name, **changes):
    def spoil(record):
        hook_there = hooks.find(record, name)[0]
        hook_there["args"].update({key: value for key, value in changes.items() if key not in ("mono_ns", "how", "ext")})
        hook_there.update({key: value for key, value in changes.items() if key in ("mono_ns", "how", "ext")})

    return spoil


def put(path, value):
    def spoil(record):
        *way, last = path.split(".")
        for key in way:
            record = record[key]
        record[last] = value

    return spoil


def drop(path):
    def spoil(record):
        *way, last = path.split(".")
        for key in way:
            record = record[key]
        del record[last]

    return spoil


def without(name):
    def spoil(record):
        record["hooks"] = [item for item in record["hooks"] if item["hook"] != name]

    return spoil


SPOILT = [
    ("a key missing", drop("conn.id"), "conn.id is missing"),
    ("a number as text", put("pid", "7"), "pid"),
    ("true as a number", put("status", True), "status"),
    ("no such outcome", put("outcome", "fine"), "outcome"),
    ("an error in a good request", put("error", {"phase": "wait", "code": "X", "message": "x"}), "with error"),
    ("no error in a bad one", put("outcome", "closed"), "with error"),
    ("headers unasked", put("request.headers", []), "without -H"),
    ("time not to the nanosecond", put("time", "2026-01-02T03:04:05Z"), "time"),
    ("an address without a port", put("conn.remote", "127.0.0.1"), "conn.remote"),
    ("negative", put("timings_ns.wait", -1), "timings_ns.wait"),
    ("a hook that Go has not", put("hooks", [hook("GotConnection", 0)]), "unknown hook"),
    ("an argument missing", put("hooks", [hook("GetConn", 0)]), "host_port is missing"),
    ("a field unasked", lambda r: r["hooks"].insert(8, hook("WroteHeaderField", 90, "proxy", key="Host", values=["x"])), "without -H"),
    ("connected before it began", set_hook("ConnectDone", mono_ns=T0 + 14), "inversion"),
    ("first byte after the end", set_hook("PutIdleConn", mono_ns=T0 + 199), "inversion"),
    ("list out of order", lambda r: r["hooks"].insert(0, r["hooks"].pop(8)), "listed after"),
    ("another's ConnectDone", set_hook("ConnectDone", addr="127.0.0.1:1"), "without its ConnectStart"),
    ("dns of another length", put("timings_ns.dns", 11), "timings_ns.dns"),
    ("wait of another length", put("timings_ns.wait", 99), "timings_ns.wait"),
    ("a phase that did not happen as 0", lambda r: (r["hooks"].__delitem__(slice(1, 3)), put("timings_ns.dns", 0)(r)), "timings_ns.dns"),
    ("total of another length", put("timings_ns.total", 241), "off GetConn + total"),
    ("blocked forgotten", put("timings_ns.blocked", None), "timings_ns.blocked"),
    ("begins elsewhere", put("mono_ns", T0 + 1), "mono_ns"),
    ("two truths about reuse", set_hook("GotConn", reused=True), "GotConn reused"),
    ("two truths about the cipher", put("conn.tls.cipher", "X"), "conn.tls.cipher"),
    ("inferred, marked observed", set_hook("GetConn", how="observed"), "marked observed"),
    ("Go's hook marked as ours", set_hook("GotConn", ext=True), "ext"),
    (
        "nobody connected",
        lambda r: (without("ConnectStart")(r), without("ConnectDone")(r), put("timings_ns.connect", None)(r)),
        "no ConnectDone says",
    ),
]


def complaints(record):
    return schema.problems(record) or hooks.problems(record)


def test_a_good_report_passes():
    assert complaints(good()) == []
    assert hooks.sequence(good(), f"{COLD_TLS_NAME} PutIdleConn") == []


@pytest.mark.parametrize("spoil, text", [row[1:] for row in SPOILT], ids=[row[0] for row in SPOILT])
def test_a_spoilt_report_is_found(spoil, text):
    record = good()
    spoil(record)
    found = schema.problems(record) + (hooks.problems(record) if not schema.problems(record) else [])
    assert any(text in item for item in found), found


GRPC = {
    "service": "pkg.Svc",
    "method": "M",
    "status": "NOT_FOUND",
    "status_code": 5,
    "message": None,
    "messages_sent": 1,
    "messages_received": 0,
}


def good_stream():
    """A gRPC call that failed, on a stream through a proxy, with fields that are not known."""
    record = good()
    record.update(http="2", method="POST", outcome="grpc_error", grpc=dict(GRPC))
    record["error"] = {"phase": "receive", "code": "NOT_FOUND", "message": "no"}
    record["conn"].update(stream_id=1, proxy={"type": "https", "address": "[::1]:3128", "status": 200})
    record["request"].update(headers=[["te", None]], headers_complete=False)
    record["response"].update(headers=[["content-type", "application/grpc"]])
    record["hooks"].insert(8, hook("WroteHeaderField", 90, "proxy", key="te", values=[None]))
    return record


SPOILT_STREAM = [
    ("a stream of HTTP/1", put("http", "1.1"), "with conn.stream_id"),
    ("no stream of HTTP/2", drop("conn.stream_id"), "with conn.stream_id"),
    ("stream 0", put("conn.stream_id", 0), "no stream's"),
    ("no word of a proxy", drop("conn.proxy"), "conn.proxy is missing"),
    ("a proxy of no known kind", put("conn.proxy.type", "ftp"), "conn.proxy.type"),
    ("a proxy's address without port", put("conn.proxy.address", "::1"), "conn.proxy.address"),
    ("a status of SOCKS", put("conn.proxy.type", "socks5"), "conn.proxy.status"),
    ("a value not known in a complete list", drop("request.headers_complete"), "headers_complete is not false"),
    ("complete, and said so", put("request.headers_complete", True), "headers_complete"),
    ("a pseudo-header among the fields", put("response.headers", [[":status", "200"]]), "pseudo-header"),
    ("half a field", set_hook("WroteHeaderField", values=["x", None]), "values"),
    ("grpc null", put("grpc", None), "no such key"),
    ("no grpc", drop("grpc"), "grpc_error without grpc"),
    ("no service", drop("grpc.service"), "grpc.service is missing"),
    ("a code's name that is another's", put("grpc.status", "OK"), "grpc.status OK of code 5"),
    ("a name that gRPC has not", put("grpc.status", "Missing"), "grpc.status"),
    ("failed with code 0", lambda r: r["grpc"].update(status="OK", status_code=0), "grpc_error with status 0"),
    ("ok with code 5", lambda r: r.update(outcome="ok", error=None), "ok with grpc status 5"),
    ("another error than gRPC's", put("error.code", "UNKNOWN"), "error.code"),
    ("messages below 0", put("grpc.messages_sent", -1), "grpc.messages_sent"),
    ("open though ended", put("open", True), "open"),
    ("not open, and said so", lambda r: r.update(outcome="incomplete", open=False), "open"),
    ("a refused CONNECT with another status", put("error", {"phase": "connect", "code": "PROXY_403", "message": "x"}), "PROXY_403"),
    ("a network that is none", set_hook("ConnectStart", network="udp"), "network"),
    ("a path as an address of TCP", set_hook("ConnectStart", addr="sock"), "addr"),
    ("a request with frames", put("frames_sent", 1), "has no frames_sent"),
]


def good_websocket():
    record = good()
    for key in ("method", "status", "request", "response"):
        del record[key]
    record.update(type="websocket", frames_sent=2, frames_received=None, close_code=1000, closed_by="server", hooks=[])
    return record


SPOILT_WEBSOCKET = [
    ("a method", put("method", "GET"), "has no method"),
    ("no count", drop("frames_sent"), "frames_sent is missing"),
    ("a count below 0", put("frames_received", -1), "frames_received"),
    ("closed by nobody", put("closed_by", "nobody"), "closed_by"),
    ("HTTP/1.0", put("http", "1.0"), "http"),
    ("an error in a good one", put("error", {"phase": "receive", "code": "X", "message": "x"}), "with error"),
    ("unused", put("outcome", "unused"), "outcome"),
]


@pytest.mark.parametrize("record", (good_stream(), good_websocket()), ids=lambda record: record["type"])
def test_what_travels_over_or_through_something_passes(record):
    assert schema.problems(record, fields=True) == []


def test_a_refused_connect_passes():
    record = good()
    record.update(method=None, status=None, outcome="connect_error", error={"phase": "connect", "code": "PROXY_403", "message": "x"})
    record["conn"]["proxy"] = {"type": "http", "address": "127.0.0.1:3128", "status": 403}
    assert schema.problems(record) == []


@pytest.mark.parametrize("spoil, text", [row[1:] for row in SPOILT_STREAM], ids=[row[0] for row in SPOILT_STREAM])
def test_a_spoilt_stream_is_found(spoil, text):
    record = good_stream()
    spoil(record)
    found = schema.problems(record, fields=True)
    assert any(text in item for item in found), found


@pytest.mark.parametrize("spoil, text", [row[1:] for row in SPOILT_WEBSOCKET], ids=[row[0] for row in SPOILT_WEBSOCKET])
def test_a_spoilt_websocket_is_found(spoil, text):
    record = good_websocket()
    spoil(record)
    found = schema.problems(record, fields=True)
    assert any(text in item for item in found), found


PATTERNS = [
    ("A B", "A B", True),
    ("A B", "A C", False),
    ("A B?", "A", True),
    ("A B?", "A B", True),
    ("A B?", "A B B", False),
    ("A {B C} D", "A C B D", True),
    ("A {B C} D", "A B C D", True),
    ("A {B C} D", "A B D", False),
    ("A+ B", "A A B", True),
    ("A", "A B", False),
    ("AB", "A B", False),
]


@pytest.mark.parametrize("pattern, got, holds", PATTERNS)
def test_sequence_patterns(pattern, got, holds):
    record = {"hooks": [{"hook": name, "mono_ns": 0} for name in got.split()]}
    assert (hooks.sequence(record, pattern) == []) == holds


DIFFERENT = [
    ({}, None),
    ({"status": 404}, "status"),
    ({"outcome": "closed"}, "outcome"),
    ({"reused": True}, "conn.reused"),
    ({"tls": None}, "conn.tls"),
    ({"tls": {"version": "TLSv1.2"}}, "version"),
    ({"args": {"ConnectDone": [{"error": "ECONNREFUSED"}]}}, "ConnectDone.error"),
    ({"args": {"DNSStart": []}}, "DNSStart: 1 times"),
    ({"at_least_ms": {"wait": 1}}, "at least"),
    ({"at_most_ms": {"wait": 0}}, "at most"),
    ({"closed_by": "client"}, "ConnClosed"),
    ({"host_port": "x:1"}, "host_port"),
    ({"hooks": "GetConn"}, "expected"),
    ({"type": "dial"}, "type"),
]


@pytest.mark.parametrize("change, text", DIFFERENT)
def test_expectations_bite(change, text):
    expect = Expect(**{"hooks": f"{COLD_TLS_NAME} PutIdleConn", "tls": {"version": "TLSv1.3"}, **change})
    found = compare(expect, good())
    assert (not found) if text is None else any(text in item for item in found), found


def seen_by_server():
    return {
        "connection": 1,
        "index": 0,
        "peer": ["127.0.0.1", 40000],
        "port": 8443,
        "tls": True,
        "method": "GET",
        "target": "/a",
        "version": "HTTP/1.1",
        "headers": [["Host", "www.test:8443"]],
        "head_bytes": 60,
        "head_ns": T0 + 150,
        "body_bytes": 0,
        "body_came": True,
        "interim": [],
        "status": 200,
        "response_head_bytes": 50,
        "response_body_bytes": 5,
        "cut": None,
        "gone": False,
        "sent_ns": T0 + 160,
    }


@pytest.mark.parametrize(
    "change, text",
    [
        ({}, None),
        ({"target": "/b"}, "url"),
        ({"peer": ["127.0.0.1", 1]}, "client port"),
        ({"head_bytes": 61}, "header_bytes"),
        ({"response_body_bytes": 6}, "body_bytes"),
        ({"status": 201}, "status"),
        ({"index": 1}, "request_index"),
        ({"interim": [103]}, "Got1xx"),
        ({"head_ns": T0 - 1}, "begins"),
        ({"sent_ns": T0 + 201}, "before the server sent"),
        ({"tls": False}, "tls"),
    ],
)
def test_the_server_is_believed(change, text):
    found = compare_with_server([good()], [dict(seen_by_server(), **change)])
    assert (not found) if text is None else any(text in item for item in found), found
    assert compare_with_server([good(), good()], [seen_by_server()]) and compare_with_server([], [seen_by_server()])


FAKE = """#!/usr/bin/python3
import json, signal, subprocess, sys
arguments = sys.argv[1:]
record = json.loads({record!r})
summary = dict(type="summary", v=1, requests=1, dials=0, events=9, lost=dict(ringbuf=0), duration_ns=5, websockets=0)
out, status = sys.stdout, 0
target = [a for a in arguments if a.startswith("jsonl=")]
if target:
    out = open(target[0][6:], "w")
print("httptrace-bpf: tracing everything", file=sys.stderr, flush=True)
print(json.dumps(record), file=out, flush=True)
if "--" in arguments:
    status = subprocess.run(arguments[arguments.index("--") + 1:]).returncode
else:
    signal.sigwait([signal.SIGINT])
print(json.dumps(summary), file=out, flush=True)
sys.exit(status)
"""


@pytest.fixture
def fake(tmp_path):
    """A tracer that reports one good request, whatever happens; and as much of a bed as the handle needs."""
    record = good()
    record["mono_ns"] = record["mono_ns"] = time.monotonic_ns()
    shift = record["mono_ns"] - T0
    for item in record["hooks"]:
        item["mono_ns"] += shift
    wall_ns = record["mono_ns"] + clock_offset_ns()
    record["time"] = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(wall_ns // 10**9)) + f".{wall_ns % 10**9:09}Z"
    path = tmp_path / "fake"
    path.write_text(FAKE.format(record=json.dumps(record)), encoding="utf-8")
    os.chmod(path, stat.S_IRWXU)
    bed = SimpleNamespace(env=dict(os.environ), file=lambda name: str(tmp_path / name))
    return bed, str(path), record


def test_handle_on_a_running_tracer(fake):
    bed, path, record = fake
    with Tracer(bed, path=path) as tracer:
        assert tracer.wait_url("/a")[0] == record
        with pytest.raises(AssertionError, match="0 of 1 reports"):
            tracer.wait_url("/b", timeout_s=0.05)
        trace = tracer.stop()
    assert trace.one("/a") == record and trace.summary["events"] == 9 and tracer.ready_s > 0
    trace.nothing_lost()


def test_handle_on_a_command(fake):
    bed, path, _ = fake
    trace = trace_command(bed, ["sh", "-c", "echo out; exit 5"], path=path)
    assert (trace.status, trace.stdout, len(trace.requests)) == (5, "out\n", 1)


def test_handle_says_why_it_did_not_start(fake):
    bed, _, _ = fake
    with pytest.raises(AssertionError, match="exit status 1"):
        Tracer(bed, path="/bin/false")


@pytest.mark.parametrize(
    "line, text",
    [
        ("{}", "type does not come first"),
        ('{"v":1,"type":"lost"}', "type does not come first"),
        ('{"type":"x","v":1}', "unknown type"),
        ('{"type":"lost","v":1,"count":1,"count":1,"where":"x"}', "duplicate"),
        ('{"type":"requ', "line 1"),
        ('{"type":"lost","v":1,"count":-1,"where":"ringbuf"}', "count"),
    ],
)
def test_bad_lines_are_found(line, text):
    assert any(text in item for item in Trace([line], check=False).problems)


def test_wrong_wall_clock_is_found():
    assert any("off mono_ns" in item for item in Trace([json.dumps(copy.deepcopy(good()))], check=False).problems)
