# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""HTTP/2 and gRPC: every scenario of scenarios_h2.py and scenarios_grpc.py, untraced and then traced; header fields; streams open at the end."""

import subprocess

import pytest

from bed import h2server, hooks, nginx, server
from bed.daemons import GRPC, NGHTTPD_CLEAR, NGHTTPX
from bed.tracer import Tracer, trace_command
from bed.wait import limit, wait_until
from conftest import Stepper
from expect import COLD, SENT
from scenarios_grpc import ALL as GRPC_CALLS
from scenarios_h2 import ALL as STREAMS
from test_scenarios import keep, run_traced, run_untraced

ALL = STREAMS + GRPC_CALLS
IDS = [scenario.name for scenario in ALL]
assert len(set(IDS)) == len(IDS)


@pytest.mark.parametrize("scenario", ALL, ids=IDS)
def test_untraced(bed, scenario):
    run_untraced(bed, scenario)


@pytest.mark.parametrize("scenario", ALL, ids=IDS)
def test_traced(bed, scenario):
    run_traced(bed, scenario, *keep(scenario))


U = f"https://localhost:{h2server.TLS}"
CURL = ("curl", "-sS", "-o", "/dev/null", "--http2")
SECRET = "s3cr3t-value"


def sent_fields(record):
    return [[hook["args"]["key"], *hook["args"]["values"]] for hook in hooks.find(record, "WroteHeaderField")]


def test_header_fields(bed):
    """As on the wire, in its order; pseudo-header fields are hooks, and no header fields (interface.md). Lines of one name are calls of their own."""
    options = ("-A", "agent/1", "-H", "X-Many: 1", "-H", "X-Many: 2", "-H", "X-empty;", f"{U}/1?hdr=x-back:yes&big=2000")
    _ = bed.h2
    trace = trace_command(bed, [*CURL, *options, "-o", "/dev/null", f"{U}/2?hdr=x-back:yes"], "-H")
    for record, seen in zip(trace.records, bed.h2.take(requests=2)["requests"], strict=True):
        assert sent_fields(record) == seen["headers"][1:]
        assert record["request"]["headers"] == [pair for pair in seen["headers"][1:] if not pair[0].startswith(":")]
        assert [name for name, _ in sent_fields(record)][:4] == [":method", ":path", ":scheme", ":authority"]
        back = dict(record["response"]["headers"])
        assert (back["server"], back["x-back"], back["content-length"], "x-big" in back) == ("bed", "yes", "5", "big" in record["url"])
        assert "headers_complete" not in record["request"] and "headers_complete" not in record["response"]


def test_large_heads_where_they_are_asked_for(bed):
    """--head-bytes: blocks whole, of both sides, in as many frames as they come."""
    _ = bed.h2
    answer = trace_command(bed, [*CURL, f"{U}/1?big=40000", "-o", "/dev/null", f"{U}/2"], "-H", "--head-bytes", "65536")
    first, second = answer.records
    assert (first["status"], second["status"]) == (200, 200)
    assert len(dict(first["response"]["headers"])["x-big"]) == 40000 and "headers_complete" not in second["response"]
    asked = trace_command(bed, ["nghttp", "-n", "--continuation", f"https://www.test:{h2server.TLS}/3"], "-H", "--head-bytes", "65536")
    (record,) = asked.records
    assert record["url"] == f"https://www.test:{h2server.TLS}/3"
    assert record["request"]["headers"] == [pair for pair in bed.h2.take(3)["requests"][2]["headers"][1:] if pair[0][0] != ":"]


def test_credentials_are_redacted(bed):
    _ = bed.h2
    options = ("-u", f"user:{SECRET}", "-b", f"session={SECRET}", "-H", f"proxy-authorization: {SECRET}", f"{U}/x?token={SECRET}&a=b")
    command = [*CURL, *options, "-o", "/dev/null", f"{U}/again?hdr=set-cookie:x"]
    trace = trace_command(bed, command, "-H")
    whole = "\n".join(trace.lines)
    assert SECRET not in whole and "dXNlcjpz" not in whole, "a credential was told"
    first, second = trace.records
    assert first["url"] == f"{U}/x?token=[redacted]&a=b"
    fields = dict(sent_fields(first))
    assert fields[":path"] == "/x?token=[redacted]&a=b"
    for name in ("authorization", "cookie", "proxy-authorization"):
        assert fields[name] == dict(first["request"]["headers"])[name] == "[redacted]"
        assert dict(second["request"]["headers"])[name] == "[redacted]"  # from the header table
    assert dict(second["response"]["headers"])["set-cookie"] == "[redacted]"
    plain = trace_command(bed, command, "-H", "--no-redact").records[0]
    assert SECRET in plain["url"] and SECRET in dict(plain["request"]["headers"])["cookie"]


def test_joined_late(bed):
    """A client without libnghttp2, its header tables filled before the tracer came: what was indexed is null, and said to be."""
    _, stepper = bed.h2, Stepper(bed, script="h2steps.py")
    extra = [["user-agent", "late/1"], ["x-known", "before"], ["cookie", "a=b"]]
    stepper("connect", "a", "127.0.0.1", h2server.CLEAR, {"preface": True})
    for name in ("0", "1"):
        stepper("request", "a", name, "/before?hdr=x-back:one", {"headers": extra})
        stepper("response", "a", name)
    with Tracer(bed, "-p", str(stepper.pid), "-H") as tracer:
        for name, fields in (("2", extra), ("3", [*extra, ["x-new", "since"]]), ("4", [*extra, ["x-new", "since"]])):
            stepper("request", "a", name, f"/after-{name}?hdr=x-back:one&hdr=x-new:{name}", {"headers": fields})
            stepper("response", "a", name)
        tracer.wait_for(lambda value: value["type"] == "request", 3, timeout_s=5)
        stepper("close", "a")
        trace = tracer.stop()
    assert len(trace.requests) == 3 and not trace.dials
    first_stream = 5
    for number, record in enumerate(sorted(trace.requests, key=lambda record: record["conn"]["stream_id"])):
        assert record["conn"]["stream_id"] == first_stream + 2 * number
        assert (record["outcome"], record["http"], record["conn"]["reused"]) == ("ok", "2", None if number == 0 else True)
        assert record["status"] in (200, None) and record["method"] in ("GET", None)
        assert record["url"] in (None, f"http://127.0.0.1:{h2server.CLEAR}/after-{number + 2}?hdr=x-back:one&hdr=x-new:{number + 2}")
        told = dict(sent_fields(record))
        truth = {"user-agent": "late/1", "x-known": "before", "cookie": "[redacted]", "x-new": "since", ":scheme": "http", ":method": "GET"}
        wrong = {name: value for name, value in told.items() if name in truth and value not in (None, truth[name])}
        assert not wrong, f"stream {record['conn']['stream_id']}: {wrong}"
        # Nothing of what the tables held is known: it would have to be a guess.
        assert record["request"]["headers_complete"] is False and record["response"]["headers_complete"] is False
        assert told.get("x-known") is None and told.get("user-agent") is None and "source" not in record["request"]
        assert record["response"]["body_bytes"] == 5
    # What was said since is known: literally in the second, from the table in the third.
    assert [dict(sent_fields(record)).get("x-new") for record in trace.requests] == [None, "since", "since"]


def test_joined_late_where_libnghttp2_is_called(bed):
    """curl's requests before compression: their fields are known although their table is not."""
    _ = bed.h2
    shell = bed.start(["curl", "-sS", "-K", "-", "--http2"], stdout=subprocess.DEVNULL)
    urls = [f"{U}/slow?delay={limit(2):.1f}", *(f"{U}/{number}?n=10" for number in range(3))]
    shell.stdin.write('header = "x-known: yes"\n' + "".join(f'url = "{url}"\noutput = "/dev/null"\n' for url in urls))
    shell.stdin.close()
    wait_until(lambda: established(shell.pid, h2server.TLS), 10, "curl's connection")
    with Tracer(bed, "-p", str(shell.pid), "-H") as tracer:
        trace = tracer.wait_exit(timeout_s=20)
    later = [record for record in trace.requests if record["conn"]["stream_id"] > 1]
    assert [record["url"] for record in sorted(later, key=lambda record: record["conn"]["stream_id"])] == urls[1:]
    for record in later:
        assert (record["method"], record["status"], record["outcome"]) == ("GET", 200, "ok")
        assert dict(record["request"]["headers"])["x-known"] == "yes" and record["request"]["source"] == "nghttp2"
    first = [record for record in trace.requests if record["conn"]["stream_id"] == 1]
    assert all(record["url"] in (None, urls[0]) for record in first)


def established(pid, port):
    """Has the process's network namespace, ours, an established connection to that port?"""
    with open(f"/proc/{pid}/net/tcp", encoding="ascii") as file:
        rows = [line.split() for line in file.readlines()[1:]]
    with open(f"/proc/{pid}/net/tcp6", encoding="ascii") as file:
        rows += [line.split() for line in file.readlines()[1:]]
    return any(row[2].endswith(f":{port:04X}") and row[3] == "01" for row in rows)


def test_open_at_the_end(bed):
    """Streams still running when tracing ends: one whose answer is under way, one without."""
    _, stepper = bed.h2, Stepper(bed, script="h2steps.py")
    with Tracer(bed, "-p", str(stepper.pid)) as tracer:
        stepper("connect", "a", "127.0.0.1", h2server.CLEAR)
        stepper("request", "a", "1", "/events?n=1000&pieces=10&slow=60")
        stepper("head", "a", "1")
        stepper("request", "a", "2", "/silent?delay=60")
        stepper("request", "a", "3", "/done")
        stepper("response", "a", "3")
        tracer.wait_url("/done")
        trace = tracer.stop()
    events, silent, done = trace.one("/events"), trace.one("/silent"), trace.one("/done")
    assert done["outcome"] == "ok" and "open" not in done
    assert (events["outcome"], events["status"], events.get("open")) == ("incomplete", 200, True)
    assert (silent["outcome"], silent["status"]) == ("incomplete", None)
    assert events["response"]["body_bytes"] == 100
    assert hooks.sequence(events, COLD) == [] and hooks.sequence(silent, f"GetConn GotConn {SENT}") == []


def test_servers_are_no_clients(bed):
    """System-wide: who accepts a connection reports nothing, whoever it is; a proxy reports what it asks itself."""
    servers = {
        bed.h2.pid,
        bed.daemons.nghttpd_clear.pid,
        bed.daemons.grpc.pid,
        bed.daemons.nghttpx.pid,
        bed.nginx.master,
        *bed.nginx.workers,
    }
    urls = [f"{U}/1", f"https://localhost:{nginx.H2_TLS}/2", f"http://127.0.0.1:{NGHTTPX}/3"]
    with Tracer(bed) as tracer:
        for url in urls:
            assert bed.run([*CURL, url]).returncode == 0
        assert bed.run(["nghttp", "-n", f"http://127.0.0.1:{NGHTTPD_CLEAR}/style.css"]).returncode == 0
        assert bed.run(bed.script("grpc_call.py", f"127.0.0.1:{GRPC}", "Unary:x")).returncode == 0
        for url in (*urls, "/style.css", "/bed.Echo/Unary"):
            tracer.wait_url(url)
        trace = tracer.stop()
    for record in trace.records:
        if record["pid"] in servers or record["comm"] in ("nghttpx", "nghttpd"):
            assert record["comm"] == "nghttpx" and record["conn"]["remote"].endswith(f":{server.PLAIN}"), record
