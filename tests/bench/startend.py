# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""How long tracers take to start and to end, beside idle processes half of which map libssl, and what of theirs is left in the kernel."""
import statistics
import subprocess
import time

from common import Failure
from programs import alive, held_ids
from report import table
from tracers import ROWS

NAMES = ("httptrace-bpf -p", "httptrace-bpf", "bpftrace", "sslsniff")
GONE_TIMEOUT_S = 2


def left_of(ids):
    """The kernel frees a program a moment after its last reference is gone, and tells nobody: asked until it has."""
    give_up = time.monotonic() + GONE_TIMEOUT_S
    while (left := alive(ids)) and time.monotonic() < give_up:
        pass  # bpftool, which lists them, takes its time
    return len(left)


def row_of(bench, name, starts):
    ready_ms, end_ms, left = [], [], 0
    tracer = None
    try:
        for _ in range(starts):
            tracer = ROWS[name][1](bench)
            ready_ms.append(tracer.start() * 1000)
            ids = held_ids(tracer.process.pid)
            end_ms.append(tracer.stop() * 1000)
            left += left_of(ids)
    except Failure as failure:
        return [name, f"not measured: {failure}", "-", "-"]
    finally:
        if tracer:
            tracer.abandon()
    return [name, *(f"{statistics.median(values):.0f} ({max(values):.0f})" for values in (ready_ms, end_ms)), left]


def start_and_end_lines(bench, starts, idle_cnt, names):
    idle = []
    try:
        for number in range(idle_cnt):
            if number % 2:
                idle.append(subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL))
            else:  # maps the library that is probed
                idle.append(subprocess.Popen([str(bench.bed.client_program), "--idle"], stdin=subprocess.PIPE, stdout=subprocess.PIPE))
                idle[-1].stdout.readline()
        return table(["ms: median (worst)", "until it traces", "from SIGINT to its end", "links and programs left"],
                     [row_of(bench, name, starts) for name in NAMES if name in names])
    finally:
        for process in idle:
            process.stdin.close()
        for process in idle:
            process.wait()
