# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Processes that the kernel kills for any system call but the few they make: traced, and unharmed by our probes."""

import os
import signal

import pytest

from bed import server
from bed.tracer import Tracer, repository, run

COUNT = 50
# Strict mode answers with SIGKILL, the filter with SIGSYS (seccomp(2)).
MODES = {"strict": signal.SIGKILL, "filter": signal.SIGSYS}


class Sealed:
    def __init__(self, bed, mode, name):
        build = os.environ.get("HTTPTRACE_BUILD") or os.path.join(repository(), "build")
        program = os.path.join(build, "tests", "e2e", "clients", "sealed")
        self.process = bed.start([program, str(server.TLS), bed.certificates.ca, mode, str(COUNT), f"/{name}-"])
        self.pid = int(self.process.stdout.readline())

    def tell(self, word, expected=None):
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        if expected:
            assert self.process.stdout.readline() == f"{expected}\n", f"it has ended: {self.process.wait(10)}"

    def status(self):
        return self.process.wait(10)


@pytest.mark.parametrize("mode", MODES)
def test_untraced_seal_is_a_seal(bed, mode):
    client = Sealed(bed, mode, bed.unique())
    client.tell("seal", "sealed")
    client.tell("go", "done")
    client.tell("forbidden")
    assert client.status() == -MODES[mode]


@pytest.mark.parametrize("scope", ["one process", "the whole system"])
@pytest.mark.parametrize("when", ["attached before", "attached after"])
@pytest.mark.parametrize("mode", MODES)
def test_sealed_client_is_traced_and_lives(bed, mode, when, scope):
    name = bed.unique()
    client = Sealed(bed, mode, name)
    if when == "attached after":
        client.tell("seal", "sealed")
    with Tracer(bed, *(("-p", str(client.pid)) if scope == "one process" else ())) as tracer:
        if when == "attached before":
            client.tell("seal", "sealed")
        client.tell("go", "done")
        tracer.wait_url(f"/{name}-", count=COUNT)
        client.tell("exit")
        assert client.status() == 0
        trace = tracer.wait_exit() if scope == "one process" else tracer.stop()
    records = trace.of_pid(client.pid)
    told = {record["url"].rpartition("-")[2]: (record["outcome"], record["status"], record["response"]["body_bytes"]) for record in records}
    assert told == {str(number): ("ok", 200, 5) for number in range(1, COUNT + 1)} and len(records) == COUNT


def test_a_sealed_client_outlives_the_tracer(bed):
    """What is taken away while it runs, and what a killed tracer leaves behind, harms it no more."""
    client = Sealed(bed, "strict", bed.unique())
    client.tell("seal", "sealed")
    for how in (signal.SIGINT, signal.SIGKILL):
        with Tracer(bed, "-p", str(client.pid)) as tracer:
            tracer.process.send_signal(how)
            tracer.process.wait(10)
    client.tell("go", "done")
    client.tell("exit")
    assert client.status() == 0


def test_features_tell_of_the_trial(bed):
    done = run(bed, "--features")
    lines = [line for line in done.stdout.splitlines() if line.startswith("function returns under a strict seccomp filter:")]
    assert done.returncode == 0 and len(lines) == 1 and lines[0].split(": ")[1].startswith("yes"), done.stdout
