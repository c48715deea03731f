# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What loading the BPF programs takes, by each way of hearing of sockets that this kernel has, and by the programs for older kernels."""
import json
import os
import statistics
import subprocess

from report import table

WANTED_MS = 1000
TIMEOUT_S = 60
BACKENDS = ("tp_btf", "fentry", "kprobe")
FORMS = {"": (), ", for older kernels": ("--without", "loop")}


def load(bench, options):
    """What tests/vm/loads.c tells of each program that --features loads with these options."""
    path = bench.directory / "loads"
    path.unlink(missing_ok=True)
    env = {**os.environ, "LD_PRELOAD": str(bench.program.parent / "tests/vm/loads.so"), "HTTPTRACE_LOADS": str(path)}
    subprocess.run([bench.program, "--features", *options], env=env, stdout=subprocess.DEVNULL, check=True, timeout=TIMEOUT_S)
    loads = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    return [one for one in loads if not one["program"].startswith(("libbpf_", "ht_"))]


def row_of(bench, name, options, times):
    try:
        runs = [load(bench, options) for _ in range(times)]
    except (OSError, subprocess.SubprocessError) as error:
        return [name, f"not measured: {error}", "-", "-", "-", "-"]
    if not all(runs):
        return None  # this kernel has not got it
    cpu_ms, waited_ms = ([sum(one[what] for one in loads) / 1e6 for loads in runs] for what in ("cpu_ns", "load_ns"))
    counts = [f"{sum(one[what] or 0 for one in runs[0]):,}" for what in ("instructions", "verified")]
    median = statistics.median(cpu_ms)
    told = f"{statistics.median(waited_ms):.0f} ({max(waited_ms):.0f})"
    return [name, len(runs[0]), *counts, told, f"{median:.0f} ({max(cpu_ms):.0f}), {'yes' if median <= WANTED_MS else 'NO'}"]


def loading_lines(bench, times):
    if not (bench.program.parent / "tests/vm/loads.so").exists():
        return ["Not measured: tests/vm/loads.so was not built (make tests)."]
    rows = [row_of(bench, backend + form, ("--backend", backend, *more), times) for form, more in FORMS.items() for backend in BACKENDS]
    return table(["ms: median (worst)", "programs", "their instructions", "the verifier's", "waited", f"CPU, wanted <= {WANTED_MS}"], [row for row in rows if row])
