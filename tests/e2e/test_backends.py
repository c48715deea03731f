# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Where a kernel offers several backends of socket events: the same client, watched by a tracer of each at the same time, is reported alike.

Collected in other kernels only (tests/vm): the one that CI runs on has one backend.
"""

import itertools

import pytest

from bed import server
from bed.tracer import Tracer, run
from bed.wait import limit

BACKENDS = ("tp_btf", "fentry", "kprobe")
# What one tracer's program adds to the time of the next one's, and the length of a send where one tells its begin and the other its end.
APART_NS = 5_000_000


@pytest.fixture(scope="module")
def backends(_bed):
    found = [name for name in BACKENDS if run(_bed, "--backend", name, "-q", "-o", "jsonl=/dev/null", "--", "true").returncode == 0]
    assert found, "this kernel has no backend at all"
    return found


def timeless(value):
    """A report without what differs from run to run: times, and the tracer's own numbers of connections."""
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key not in ("time", "mono_ns", "timings_ns", "idle_ns", "id")}
    if isinstance(value, list):
        return [timeless(item) for item in value]
    return value


def use(stepper):
    """A bit of everything: connections in the clear and with TLS, kept, refused, reset and closed by either side."""
    plain, tls = f"127.0.0.1:{server.PLAIN}", f"localhost:{server.TLS}"
    stepper("connect", "a", "127.0.0.1", server.PLAIN)
    stepper.get("a", "/first?n=2000", plain)
    stepper.get("a", "/second?n=100", plain)
    stepper.get("a", "/head?n=77", plain, method="HEAD")
    stepper.get("a", "/interim?interim=103&close=1", plain)
    stepper("close", "a")
    stepper("connect", "b", "localhost", server.TLS, {"tls": True})
    stepper.get("b", "/tls-first", tls)
    stepper.get("b", "/tls-second?n=50000", tls)
    stepper("close", "b")
    stepper("connect", "c", "127.0.0.1", server.PLAIN)
    stepper("send", "c", f"GET /early?n=100000&pieces=10&slow=1 HTTP/1.1\r\nHost: {plain}\r\n\r\n")
    stepper("read", "c", 200)
    stepper("reset", "c")
    stepper("connect", "d", "::1", server.PLAIN)
    stepper("close", "d")


def by_order(trace):
    return sorted(trace.records, key=lambda record: record["mono_ns"])


def test_every_backend_reports_the_same(bed, stepper, backends):
    tracers = [Tracer(bed, "--backend", name, "-p", str(stepper.pid)) for name in backends]
    try:
        use(stepper)
        for tracer in tracers:
            tracer.wait_for(lambda value: value["type"] in ("request", "dial"), 8)
        traces = [tracer.stop() for tracer in tracers]
    finally:
        for tracer in tracers:
            tracer.kill()
    reports = [by_order(trace) for trace in traces]
    for name, trace, records in zip(backends, traces, reports):
        trace.nothing_lost()
        assert len(records) == 8, f"{name}: {len(records)} reports\n" + "\n".join(trace.lines)
    for (one, theirs), (other, ours) in itertools.combinations(zip(backends, reports), 2):
        for left, right in zip(theirs, ours):
            assert timeless(left) == timeless(right), f"{one} and {other} differ\n{left}\n{right}"
            for a, b in zip(left["hooks"], right["hooks"]):
                apart_ns = abs(a["mono_ns"] - b["mono_ns"])
                assert apart_ns < limit(APART_NS), f"{one} and {other}: {a['hook']} of {left.get('url')} is {apart_ns} ns apart"
