# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Features of the kernel taken as missing (--without): what stands in for them gives the same reports, and what cannot be done without is named."""

import os
import time

import pytest

from bed import hooks, server, tracer
from expect import COLD_NAME, COLD_TLS_NAME
from scenarios import ALL
from scenarios_grpc import ALL as GRPC_CALLS
from test_scenarios import run_traced

# Each way that a kernel can lack something: the programs for older kernels, with and without links of probes; the usual ones with perf uprobes, and without sessions.
WITHOUT = ["loop", "cookie,perf_link", "uprobe_multi", "uprobe_session"]
# Every kind of record: a lookup with several addresses, TLS, a body in chunks, a failed handshake, a refused connect, reuse.
WORDS = ["https", "chunked", "refused", "name", "keep", "certificate"]


def chosen():
    picked = []
    for word in WORDS:
        found = [scenario for scenario in ALL if word in scenario.name.lower() and scenario not in picked]
        picked += found[:1]
    assert len(picked) >= 5, [scenario.name for scenario in ALL]
    return picked


@pytest.mark.parametrize("without", WITHOUT)
@pytest.mark.parametrize("scenario", chosen(), ids=lambda scenario: scenario.name)
def test_same_reports(bed, scenario, without):
    run_traced(bed, scenario, "--without", without)


@pytest.mark.parametrize(
    "without, named",
    [
        ("ringbuf", "ring buffer"),
        ("btf", "--btf"),
        # As 5.4 is: nothing that could be used.
        ("ringbuf,btf,tp_btf,fentry,kprobe,sk_storage,task_storage,task_pt_regs,loop,cookie,uprobe,uprobe_multi", "--btf"),
    ],
)
def test_nothing_usable(bed, without, named):
    done = tracer.run(bed, "--without", without)
    lines = done.stderr.splitlines()
    assert done.returncode == 1 and len(lines) == 1 and named in lines[0], done.stderr


def test_types_from_a_file(bed):
    """The kernel's own types by another way: the same programs."""
    done = tracer.run(bed, "--btf", "/sys/kernel/btf/vmlinux", "--features")
    assert "type information (BTF): yes (of --btf FILE)" in done.stdout, done.stdout
    assert "BPF programs, ring buffer: loaded" in done.stdout, done.stdout
    missing = tracer.run(bed, "--btf", bed.file("none"))
    assert missing.returncode == 1 and "--btf" in missing.stderr, missing.stderr


def test_features_name_what_stands_in(bed):
    done = tracer.run(bed, "--without", "loop,uprobe_multi", "--features")
    for text in ("lacks loop (5.17 or later); instead:", "lacks uprobe_multi (6.6 or later); instead:", "BPF programs: those for older kernels"):
        assert text in done.stdout, done.stdout


@pytest.mark.plain_build("tests/vm/loads.so is not built for it")
def test_refused_by_a_kernel_that_has_it_all(bed):
    """A verifier that refuses what calls bpf_loop, though the kernel has it: the programs for older kernels are used, which is said, and nothing is lost."""
    build = os.environ.get("HTTPTRACE_BUILD") or os.path.dirname(tracer.binary())
    env = {**bed.env, "LD_PRELOAD": os.path.join(build, "tests/vm/loads.so"), "HTTPTRACE_REFUSE": "181"}
    said = tracer.run(bed, "--features", env=env).stdout
    assert "BPF programs: those for older kernels: this one refuses the others" in said and "BPF programs, ring buffer: loaded" in said, said
    name = bed.unique()
    url = f"https://www.test:{server.TLS}/{name}"
    trace = tracer.trace_command(bed, ["curl", "-sS", "-o", "/dev/null", url, "-o", "/dev/null", f"http://www.test:{server.PLAIN}/{name}"], "-v", env=env)
    assert "refuses the BPF program" in trace.stderr and "those for older kernels are used" in trace.stderr, trace.stderr
    trace.nothing_lost()
    sequences = [COLD_TLS_NAME, COLD_NAME]
    assert len(trace.requests) == len(sequences), trace.lines
    wrong = [item for record, wanted in zip(trace.records, sequences) for item in hooks.sequence(record, f"{wanted} PutIdleConn?")]
    assert not wrong, "\n".join([*wrong, *trace.lines])


@pytest.mark.parametrize("without", ["uprobe_multi", "loop,perf_link"])
def test_ends_within_a_second(bed, without):
    """Perf uprobes take 99 ms each to take off: nobody waits for that."""
    with tracer.Tracer(bed, "--without", without) as trace:
        begin = time.monotonic()
        done = trace.stop()
        took_s = time.monotonic() - begin
    assert done.status == 0
    assert took_s < 1, f"{took_s:.2f} s"


@pytest.mark.parametrize("name", ["gRPC unary", "gRPC two calls on a channel", "gRPC both ways"])
def test_many_small_buffers_without_loops(bed, name):
    """gRPC's sends are of dozens of small buffers: more than the programs for older kernels could follow at each place."""
    (scenario,) = [scenario for scenario in GRPC_CALLS if scenario.name == name]
    run_traced(bed, scenario, "--without", "loop", "--backend", "tp_btf")
