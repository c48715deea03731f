# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Faults: the wall clock is set while tracing. By 20 ms, back and forth: announced like any other step, and nobody else is disturbed."""

import calendar
import ctypes
import os
import struct
import time

import faults
from bed import server
from bed.tracer import Trace, Tracer, clock_offset_ns, run

STEP_NS = 20_000_000
ADJ_SETOFFSET, ADJ_NANO = 0x0100, 0x2000
# On the steps' way there and back: what is left between two clocks that are read one after the other, on a busy machine.
TOLERANCE_NS = 5_000_000


def step(by_ns):
    """Adds to CLOCK_REALTIME (adjtimex(2)): struct timex with modes and time filled in."""
    timex = bytearray(208)
    struct.pack_into("=I", timex, 0, ADJ_SETOFFSET | ADJ_NANO)
    struct.pack_into("=qq", timex, 72, by_ns // 10**9, by_ns % 10**9)
    if ctypes.CDLL(None, use_errno=True).adjtimex((ctypes.c_char * 208).from_buffer(timex)) < 0:
        raise OSError(ctypes.get_errno(), "adjtimex")


def wall_ns(record):
    whole, _, fraction = record["time"].rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 10**9 + int(fraction)


def test_clock_is_set(bed, stepper):
    """`time` is what the wall clock showed; mono_ns and durations know nothing of it; a replay says the same."""
    capture, host = bed.file("clock.cap"), f"127.0.0.1:{server.PLAIN}"
    asked, errors_ns, stepped_ns = {}, [], 0
    stepper("connect", "a", "127.0.0.1", server.PLAIN, {})
    try:
        with Tracer(bed, "-p", str(stepper.pid), "-w", capture) as tracer:
            for turn, by_ns in enumerate((0, STEP_NS, -STEP_NS, -STEP_NS, STEP_NS)):
                before_ns = clock_offset_ns()
                if by_ns:
                    step(by_ns)
                    stepped_ns += by_ns
                    changed_ns = clock_offset_ns() - before_ns
                    assert abs(changed_ns - by_ns) < TOLERANCE_NS, f"the clock changed by {changed_ns} ns: this test would prove nothing"
                # Once this one has been reported, the tracer has looked at what came before it.
                stepper.get("a", f"/settle-{turn}", host)
                tracer.wait_url(f"/settle-{turn}")
                begin_ns = time.monotonic_ns()
                stepper.get("a", f"/clock-{turn}", host)
                asked[f"/clock-{turn}"] = (begin_ns, time.monotonic_ns(), clock_offset_ns())
                tracer.wait_url(f"/clock-{turn}")
            trace = tracer.stop()
    finally:
        if stepped_ns:
            step(-stepped_ns)
    for target, (begin_ns, end_ns, offset_ns) in asked.items():
        record = trace.one(target)
        assert begin_ns <= record["mono_ns"] <= end_ns and record["outcome"] == "ok"
        assert 0 < record["timings_ns"]["total"] <= end_ns - begin_ns
        errors_ns.append(abs(wall_ns(record) - record["mono_ns"] - offset_ns))
    assert max(errors_ns) < TOLERANCE_NS, errors_ns
    done = run(bed, "-r", capture, "-o", "jsonl")
    replayed = Trace(done.stdout.splitlines(), done.returncode, done.stderr)
    assert replayed.requests == trace.requests and done.returncode == 0
    assert os.path.getsize(capture) < 100_000
    faults.figure("faults: clock set by 20 ms: `time` off by at most", round(max(errors_ns) / 1000), "us", "< 5000")
