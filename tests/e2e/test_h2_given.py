# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""HTTP/2 connections older than the tracer, of a program that has the shared libnghttp2: fields as they were given to it."""

import pytest

from bed import h2server, hooks
from bed.tracer import Tracer, run, trace_command
from bed.wait import wait_until
from conftest import Stepper
from test_pid import breakpoints

HOST = f"https://localhost:{h2server.TLS}"
SECRET = "s3cr3t-value"
OLD_OBJECT = ("--without", "loop")


class Client:
    """Two connections, each with header fields of its own, which are in its header table before the tracer comes."""

    def __init__(self, bed):
        _ = bed.h2
        self.stepper, self.told = Stepper(bed, script="curlsteps.py"), []
        for _ in range(2):
            for name in "ab":
                self.get(name, "/before")
        self.told = []

    @property
    def pid(self):
        return self.stepper.pid

    def get(self, name, target):
        answer = self.stepper("get", name, f"{HOST}{target}", [f"X-Of: {name}", "X-Long: " + "y" * 40, f"authorization: {SECRET}"])
        assert answer == {"status": 200, "version": 3}
        self.told.append((name, target))


def fields(record):
    return [[hook["args"]["key"], *hook["args"]["values"]] for hook in hooks.find(record, "WroteHeaderField")]


def ours(trace, client):
    return [record for record in trace.records if record["pid"] == client.pid]


def check_known(record, name, url):
    assert (record["url"], record["method"], record["outcome"]) == (url, "GET", "ok")
    assert record["request"]["source"] == "nghttp2" and "source" not in record["response"]
    expected = [["accept", "*/*"], ["x-of", name], ["x-long", "y" * 40], ["authorization", "[redacted]"]]
    assert record["request"]["headers"] == expected
    host, _, path = url.partition("://")[2].partition("/")
    scheme = url.partition(":")[0]
    pseudo = [[":method", "GET"], [":path", f"/{path}"], [":scheme", scheme], [":authority", host]]
    assert fields(record) == [*pseudo, *expected]


@pytest.mark.parametrize("options", [["-p"], []], ids=["pid", "system"])
def test_every_field_is_known(bed, options):
    """From the second request of a connection at the latest; the one before lacks what it lacks, and says so."""
    client = Client(bed)
    with Tracer(bed, *(["-p", str(client.pid)] if options else []), "-H") as tracer:
        for number in range(4):
            for name in "ab":
                client.get(name, f"/{name}-{number}")
        tracer.wait_for(lambda value: value["type"] == "request" and value["pid"] == client.pid, 8)
        trace = tracer.stop()
    assert SECRET not in "\n".join(trace.lines)
    records = ours(trace, client)
    assert len(records) == 8
    for record, (name, target) in zip(records, client.told, strict=True):
        if target.endswith("-0") and "source" not in record["request"]:
            assert record["request"]["headers_complete"] is False and record["url"] is None
            assert dict(record["request"]["headers"]).get("x-of") is None
        else:
            check_known(record, name, HOST + target)


def test_requests_that_are_alike(bed):
    """Only a field that the header table hides tells them apart: it is right, or not told."""
    client = Client(bed)
    with Tracer(bed, "-p", str(client.pid), "-H") as tracer:
        for name in "abbaababba":
            client.get(name, "/")
        tracer.wait_for(lambda value: value["type"] == "request", 10)
        trace = tracer.stop()
    known = 0
    for record, (name, _) in zip(ours(trace, client), client.told, strict=True):
        if "source" in record["request"]:
            check_known(record, name, HOST + "/")
            known += 1
        else:
            assert dict(record["request"]["headers"]).get("x-of") is None
    assert known >= 6


def test_connections_since_then_need_it_not(bed):
    client = Client(bed)
    with Tracer(bed, "-p", str(client.pid), "-H") as tracer:
        for _ in range(2):
            client.get("new", "/new")
        tracer.wait_for(lambda value: value["type"] == "request", 2)
        trace = tracer.stop()
    for record in ours(trace, client):
        assert record["url"] == HOST + "/new" and "source" not in record["request"]
        assert dict(record["request"]["headers"])["x-of"] == "new"


def test_only_who_runs_already_is_probed(bed):
    """A COMMAND has no older connections, and bears no cost for them."""
    trace = trace_command(bed, ["curl", "-sS", "-o", "/dev/null", "--http2", f"{HOST}/"], "-v")
    assert trace.one("/")["http"] == "2" and "libnghttp2" not in trace.stderr
    client = Client(bed)
    with Tracer(bed, "-p", str(client.pid), "-v") as tracer:
        trace = tracer.stop()
    assert trace.stderr.count("libnghttp2") == 1, trace.stderr


def test_probes_are_gone_at_the_end(bed):
    named, other = Client(bed), Client(bed)
    with Tracer(bed, "-p", str(named.pid)) as tracer:
        assert breakpoints(named.pid, "libnghttp2.so") > 0, "no breakpoint in the traced process: this test would prove nothing"
        assert breakpoints(other.pid, "libnghttp2.so") == 0
        tracer.stop()
    wait_until(lambda: breakpoints(named.pid, "libnghttp2.so") == 0, 20, "the breakpoints to be taken away")
    named.get("a", "/after")


def test_plan_and_features(bed):
    client = Client(bed)
    plan = run(bed, "--targets", "-p", str(client.pid)).stdout
    assert "nghttp2_submit_request " in plan and "processes that run already" in plan
    assert "libnghttp2" not in run(bed, "--targets", "-p", str(Stepper(bed).pid)).stdout
    rows = [line for line in run(bed, "--features").stdout.splitlines() if "nghttp2" in line]
    assert len(rows) == 3 and not any("lost:" in row or "unavailable" in row for row in rows)


def test_on_older_kernels_fields_stay_unknown(bed):
    client = Client(bed)
    rows = [line for line in run(bed, "--features", *OLD_OBJECT).stdout.splitlines() if "nghttp2" in line]
    assert len(rows) == 2 and all("lost:" in row for row in rows), rows
    with Tracer(bed, "-p", str(client.pid), "-H", *OLD_OBJECT) as tracer:
        for number in range(3):
            client.get("a", f"/{number}")
        tracer.wait_for(lambda value: value["type"] == "request", 3)
        trace = tracer.stop()
    for record in ours(trace, client):
        assert record["url"] is None and "source" not in record["request"] and record["request"]["headers_complete"] is False
