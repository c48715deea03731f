# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""BPF programs of a tracer: which it holds, which are left after it, and how long each runs for one request."""
import ctypes
import json
import os
import re
import subprocess
from contextlib import contextmanager
from pathlib import Path

from bed import Bed
from common import Failure, find_program
from report import table
from tracers import HttptraceBpf

BPF_ENABLE_STATS = 32
BPF_NUMBER = {"x86_64": 321, "aarch64": 280}


def held_ids(pid):
    """The ids of the BPF links and programs that a process holds."""
    ids = set()
    for info in Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            ids |= {(kind, int(n)) for kind, n in re.findall(r"^(link|prog)_id:\s*(\d+)$", info.read_text(), re.M)}
        except OSError:
            pass
    return ids


def listed(kind):
    done = subprocess.run([find_program("bpftool"), "-j", kind, "list"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout or "[]")


def alive(ids):
    return ids & {(kind, entry["id"]) for kind in ("link", "prog") for entry in listed(kind)}


@contextmanager
def run_time_counted():
    """As kernel.bpf_stats_enabled=1, but the kernel ends it with this process at the latest, and the setting stays what it was."""
    number = BPF_NUMBER.get(os.uname().machine)
    libc = ctypes.CDLL(None, use_errno=True)
    attr = (ctypes.c_char * 4)()  # BPF_STATS_RUN_TIME
    fd = libc.syscall(number, BPF_ENABLE_STATS, attr, ctypes.sizeof(attr)) if number else -1
    if fd < 0:
        raise Failure(f"run times are not counted: {os.strerror(ctypes.get_errno()) if number else 'no number of bpf(2) for this machine'}")
    try:
        yield
    finally:
        os.close(fd)


def snapshot(ids):
    return {entry["id"]: entry for entry in listed("prog") if ("prog", entry["id"]) in ids}


def run_time_lines(bench, has_pids, requests):
    """Runs and us for one request of each of our programs, by way; traced with -p or system-wide."""
    ways = [way for way in Bed.WAYS if way != "work"]
    tracer, per_way, names = HttptraceBpf(bench, has_pids), {}, {}
    try:
        with run_time_counted():
            tracer.start()
            ids = held_ids(tracer.process.pid)
            for way in ways:
                before = snapshot(ids)
                bench.bed.clients[way].run(requests)
                tracer.seen(way, requests, 1)
                after = snapshot(ids)
                per_way[way] = {key: ((entry.get("run_cnt", 0) - before[key].get("run_cnt", 0)) / requests,
                                      (entry.get("run_time_ns", 0) - before[key].get("run_time_ns", 0)) / requests / 1000)
                                for key, entry in after.items() if key in before}
                names |= {key: entry.get("name", "?") for key, entry in after.items()}
            tracer.stop()
    except (Failure, subprocess.CalledProcessError) as failure:
        return [f"Not measured: {failure}"]
    finally:
        tracer.abandon()
    rows = []
    for key, name in names.items():
        runs, times = zip(*(per_way[way].get(key, (0, 0)) for way in ways))
        if max(runs) >= 0.01:
            cells = [cell for count, us in zip(runs, times) for cell in (f"{count:.2f}", f"{us:.3f}")]
            rows.append((max(times), [f"`{name}`", *cells]))
    rows = [cells for _, cells in sorted(rows, key=lambda row: -row[0])]
    total = [sum(us for _, us in per_way[way].values()) for way in ways]
    rows.append(["all", *[cell for us in total for cell in ("", f"{us:.3f}")]])
    return table(["program", *[cell for way in ways for cell in (f"{way}: runs", "us")]], rows)
