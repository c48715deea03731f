# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Where a kernel offers several backends of socket events: the same client, watched by a tracer of each at the same time, is reported alike. And what
return probes of the kernel miss is counted and told.

Collected in other kernels only (tests/vm): the one that CI runs on has one backend.
"""

import itertools
import json
import platform
from pathlib import Path

import pytest

from bed import server
from bed.tracer import Tracer, run
from bed.wait import limit, wait_until

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


# A kretprobe has room for so many callers at once, or for fewer: max(10, twice the CPUs), CPUs being two (kernel/kprobes.c, register_kretprobe); before
# 6.0.17 and 6.1.3 as many as CPUs are possible (tests/vm/kernels.py).
ROOM = 10
READERS = 24
RECVFROM = {"x86_64": 45, "aarch64": 207}[platform.machine()]


def waiting_cnt(pid):
    """How many threads of a process wait in recvfrom(2)."""
    return sum(path.read_text(encoding="ascii").startswith(f"{RECVFROM} ") for path in Path(f"/proc/{pid}/task").glob("*/syscall"))


def test_missed_returns(bed, backends):
    """More readers wait than a kretprobe has room for: their returns are missed. That is counted, told of each request, and nothing is made up."""
    assert "kprobe" in backends
    name = bed.unique()
    client = bed.start(bed.script("readers.py", "127.0.0.1", server.PLAIN, READERS, name))
    pid = int(client.stdout.readline())
    with Tracer(bed, "--backend", "kprobe", "-p", str(pid)) as tracer:
        client.stdin.write("connect\n")
        client.stdin.flush()
        assert client.stdout.readline() == "reading\n"
        wait_until(lambda: waiting_cnt(pid) == READERS, 10, "threads that wait for an answer")
        client.stdin.write("send\n")
        client.stdin.flush()
        ports = {int(port): number for port, number in json.loads(client.stdout.readline())["ports"].items()}
        client.stdin.write("end\n")
        client.stdin.close()
        assert client.wait(limit(10)) == 0
        trace = tracer.wait_exit()
    told = {}
    for record in trace.requests:
        number = ports[int(record["conn"]["local"].rpartition(":")[2])]
        told.setdefault(number, []).append(record)
        if record["url"] is not None:
            assert record["url"].endswith((f"/{name}-first-{number}", f"/{name}-second-{number}")), record
        assert record["lost"] or (record["status"], record["outcome"]) == (200, "ok"), record
        assert record["status"] in (200, None), record
    assert len(told) == READERS and all(len({record["url"] for record in records}) == len(records) for records in told.values()), trace.lines
    touched = {number for number, records in told.items() if any(record["lost"] for record in records)}
    assert len(touched) >= READERS - ROOM, f"{len(touched)} of {READERS} connections are marked as touched by a loss\n" + "\n".join(trace.lines)
    assert trace.summary["lost"]["socket_calls"] >= READERS - ROOM and trace.lost == sum(trace.summary["lost"].values()), trace.summary
