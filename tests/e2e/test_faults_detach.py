# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Faults: the tracer is killed, or comes and goes 200 times, while its targets work: they get their answers, and nothing of it is left."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import faults
from bed import nginx, server
from bed.tracer import Trace, Tracer, binary
from bed.wait import wait_until

KILLS, CYCLES, AT_ONCE = 5, 200, 4


def test_killed_under_load(bed):
    """kill -9: no probe, program, map or pin is left, and every target goes on."""
    load, pinned = faults.Load(bed).go(), faults.pinned()
    gone_ms, held = [], 0
    for turn in range(KILLS):
        options = ("-p", load.pid_list) if turn % 2 == 0 else ("--path", f"/{load.names[1]}/*")
        with Tracer(bed, *options) as tracer:
            tracer.wait_url(f"/{load.names[1]}/", count=20)
            ids = faults.bpf_ids(tracer.pid)
            kinds = {kind for kind, _ in ids}
            assert kinds == set(faults.BPF_KINDS), f"the tracer holds {kinds} only: this test would prove nothing"
            assert faults.bpf_ids_alive(ids) == ids
            held += len(ids)
            begun = time.monotonic()
            tracer.kill()
        wait_until(lambda: not faults.bpf_ids_alive(ids), 20, "the kernel to free what a killed tracer held")  # noqa: B023
        gone_ms.append((time.monotonic() - begun) * 1000)
        load.more(50)
    assert faults.pinned() == pinned
    told = load.end()
    assert len(load.truth()) == sum(each["sent"] for each in told)
    faults.figure("faults: BPF objects left after kill -9 under load", 0, f"of {held}", "0")
    faults.figure("faults: freed by the kernel after kill -9, worst", round(max(gone_ms)), "ms", "all gone")


def cycle(bed, load):
    """Attach, report something, detach: (Trace, BPF ids that were held, seconds to detach)."""
    path = bed.file("cycle.jsonl")
    with Tracer(bed, "-p", load.pid_list, "-o", f"jsonl={path}", jsonl=False) as tracer:
        ids = faults.bpf_ids(tracer.pid)
        assert {kind for kind, _ in ids} == set(faults.BPF_KINDS)
        wait_until(lambda: faults.has(path, b'"outcome":"ok"'), 10, "a report")
        ended = tracer.stop()
    with open(path, encoding="utf-8") as file:
        trace = Trace(file.read().splitlines(), ended.status, ended.stderr)
    os.unlink(path)
    return trace, ids, tracer.stop_s


def test_200_cycles_under_load(bed):
    """Attached and detached 200 times, up to four at once: every answer right, the clients' memory and descriptors as before, nothing left."""
    load = faults.Load(bed, clients=2, rate=100).go()
    load.more(50)
    before = load.tell()
    begun = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        cycles = list(pool.map(lambda _: cycle(bed, load), range(CYCLES)))
    seconds = time.monotonic() - begun
    held = set.union(*(ids for _, ids, _ in cycles))
    wait_until(lambda: not faults.bpf_ids_alive(held), 20, "the kernel to free what 200 tracers held")
    after = load.end()
    truth = load.truth()
    for trace, _, _ in cycles:
        trace.nothing_lost()
    wrong = [item for trace, _, _ in cycles for item in faults.wrong_credits(trace, load, truth)]
    assert not wrong, f"{len(wrong)} wrong: {wrong[:10]}"
    for old, new in zip(before, after):
        assert new["fds"] == old["fds"], (old, new)
        assert new["rss_kb"] <= old["rss_kb"] + 1024, (old, new)
    requests = sum(new["sent"] - old["sent"] for old, new in zip(before, after))
    faults.figure("faults: attach/detach cycles under load without an error", CYCLES, f"cycles, {requests} requests", "200")
    faults.figure("faults: BPF objects left after 200 cycles", 0, f"of {len(held)}", "0")
    growth_kb = max(new["rss_kb"] - old["rss_kb"] for old, new in zip(before, after))
    faults.figure("faults: growth of a client in 200 cycles", growth_kb, "kB", "<= 1024")
    faults.figure("faults: seconds for 200 cycles, four at once", round(seconds, 1), "s", "told")
    faults.figure("faults: slowest detach of 200, four at once", round(max(stop_s for _, _, stop_s in cycles) * 1000), "ms", "told")


def begin(stepper, *step):
    """A step whose answer is read later."""
    stepper.process.stdin.write(json.dumps(step) + "\n")
    stepper.process.stdin.flush()


@pytest.mark.parametrize("how", ["killed", "ended"])
def test_gone_while_a_target_is_inside_a_probed_call(bed, stepper, how):
    """The target waits in SSL_read, then in getaddrinfo, when the tracer goes: both return to where they were called."""
    host = f"localhost:{server.TLS}"
    stepper("connect", "a", "localhost", server.TLS, {"tls": True})
    for turn in range(2):
        with Tracer(bed, "-p", str(stepper.pid)) as tracer:
            ids = faults.bpf_ids(tracer.pid)
            stepper("send", "a", f"GET /late-{turn}?delay=1 HTTP/1.1\r\nHost: {host}\r\n\r\n")
            begin(stepper, "response", "a")
            wait_until(lambda: is_reading(stepper.pid), 10, "the target to wait for its answer")
            tracer.kill() if how == "killed" else tracer.stop()
        wait_until(lambda: not faults.bpf_ids_alive(ids), 20, "the kernel to free what the tracer held")  # noqa: B023
        answer = json.loads(stepper.process.stdout.readline())
        assert (answer.get("status"), answer.get("bytes")) == (200, 5), answer
        with Tracer(bed, "-p", str(stepper.pid)) as tracer:
            begin(stepper, "connect", f"s{turn}", "slow.test", server.PLAIN, {})  # answered 120 ms late
            tracer.kill() if how == "killed" else tracer.stop()
        assert "error" not in json.loads(stepper.process.stdout.readline())
        stepper.get("a", f"/after-{turn}", host)
    assert stepper.end() == 0


def is_reading(pid):
    """Whether a process waits in a system call whose first argument is a socket: read or recv."""
    with open(f"/proc/{pid}/syscall", encoding="ascii") as file:
        fields = file.read().split()
    fd = f"/proc/{pid}/fd/{int(fields[1], 16)}" if len(fields) > 1 else ""
    return os.path.islink(fd) and os.readlink(fd).startswith("socket:")


def test_killed_while_it_has_a_command(bed):
    """COMMAND goes on without the tracer that started it."""
    load, path = faults.Load(bed, clients=0), bed.file("command.jsonl")
    name = bed.unique()
    client = bed.script("steady.py", "localhost", nginx.TLS, "tls", name, 100)
    command = bed.start([binary(), "-q", "-o", f"jsonl={path}", "--", *client])
    assert command.stdout.readline() == "ready\n"
    command.stdin.write("go\n")
    command.stdin.flush()
    assert command.stdout.readline() == "going\n"
    wait_until(lambda: faults.has(path, b'"outcome":"ok"'), 10, "a report")
    ids = faults.bpf_ids(command.pid)
    command.kill()
    command.wait(10)
    wait_until(lambda: not faults.bpf_ids_alive(ids), 20, "the kernel to free what the tracer held")
    load.more(50)
    command.stdin.write("end\n")
    command.stdin.flush()
    assert json.loads(command.stdout.readline())["sent"] > 50
