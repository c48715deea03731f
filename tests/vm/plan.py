# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Which tests run under which kernel: the one list, from which docs/kernels.md tells it.

A kernel is booted once. In the machine one run leaves the choice of backends to the program, and each backend that the kernel has is forced once.
All end-to-end tests would take hours under emulation: left out is what is the same on every kernel (the command line, outputs, capture files,
figures), and nearly all scenarios have one tracer between them (HTTPTRACE_SHARED), as a start of it costs more than a client does. `make test` runs
a short form under few kernels, `make test-vm` the long one under all.
"""

import typing

ANY = "any"  # the program's own choice
BACKENDS = ("kprobe", "fentry", "tp_btf")



def traced(module, *names):
    return tuple(f"{module}.py::test_traced[{name}]" for name in names)


EVERY = ("test_scenarios.py", "test_h2.py", "test_ways.py", "test_unix.py", "-k", "test_traced")

# What the programs for older kernels say they cannot do: frames behind the first 48 KiB of one call (README, What it cannot see).
EVERY_SLOW = (*EVERY[:-1], "test_traced and not streamed")

# httptrace-bpf -- CLIENT: a tracer for each.
OWN = traced("test_scenarios", "three https URLs on one connection", "cold http by name", "bad certificate", "::1 refused, then 127.0.0.1")
# Each record kind and each hook, in the clear and with TLS; names and addresses; new and kept connections; refused, reset, retried, given up; each
# protocol, and each way on which it travels.
MAIN = (
    *traced(
        "test_scenarios",
        "cold http by name",
        "cold https by name",
        "three https URLs on one connection",
        "POST with Expect: 100",
        "103 then 200",
        "::1 refused, then 127.0.0.1",
        "name not found",
        "bad certificate",
        "reset in the body, https",
    ),
    *traced(
        "test_h2",
        "h2 cold",
        "h2 reuse idle",
        "h2 reuse busy",
        "h2 103",
        "h2 Expect: 100",
        "h2 reset by the server",
        "h2 reset by the client",
        "h2 GOAWAY that covers the stream",
        "h2 POST with trailers",
        "gRPC unary",
        "gRPC error",
        "gRPC both ways",
    ),
    *traced("test_ways", "CONNECT", "CONNECT refused", "HTTPS proxy", "SOCKS5", "absolute-form", "websocket", "h2c upgrade"),
    *traced("test_unix", "unix: curl"),
)
# What a backend could make a difference to. Each way in, and each record kind: connects that succeed, are refused, fail at once; IPv4 and IPv6; sends in
# one write and several, streams across them; receives that find nothing, that end; closes by either side, resets. Unix sockets have functions of their
# own in each backend.
FORCED = (
    *traced("test_scenarios", "cold https by name", "a head in many writes", "::1 refused, then 127.0.0.1", "close in the body"),
    *traced("test_h2", "h2 fifty transfers on one connection", "h2 every write three bytes", "h2 a head of 15 KB"),
    *traced("test_ways", "CONNECT, HTTP/2 behind it", "websocket over TLS"),
    *traced("test_unix", "unix: three URLs on one connection", "unix: the client closes early"),
)
# Under PERF_UPROBES no children's TLS: emulated, these come later than a short process's first call (README, What it cannot see).
NAMES = ("test_which.py", "-k", "cgroup or name or children")
OPEN = (
    "test_pid.py::test_open_keep_alive_connection",
    "test_pid.py::test_breakpoints_only_where_asked_and_gone_at_the_end",
)


# Kernels without uprobe_multi: each probe is put on by itself, and for each process.
PERF_UPROBES = ("5.10", "6.1", "6.1-arm64")
# Kernels whose verifier follows every round of every loop (the programs for older kernels): a start takes most of a minute there, emulated.
SLOW = ("5.10",)


class Part(typing.NamedTuple):
    what: str
    tests: tuple  # for pytest, below tests/e2e
    is_forced: bool = False  # once for each backend that the kernel has, not with the program's own choice
    forms: tuple = ("short", "long")
    is_shared: bool = False  # one tracer for all of them
    perf: typing.Optional[tuple] = None  # instead of tests under PERF_UPROBES
    fewer: typing.Optional[tuple] = None  # instead of tests under SLOW kernels, in the first of its forms; (): none


PLAN = (
    Part("scenarios, a tracer for each: sequence, arguments, outcome", OWN, fewer=OWN[:1]),
    Part("the main scenarios: sequence, arguments, outcome", MAIN, forms=("short",), is_shared=True),
    Part("scenarios of each way in", FORCED, True, ("short",), is_shared=True),
    Part("every scenario: sequence, arguments, outcome", EVERY, True, ("long",), True, fewer=EVERY_SLOW),
    Part("running processes: an open connection; no breakpoint is left", OPEN, forms=("short",), fewer=OPEN[:1]),
    Part("running processes, their children, open connections, breakpoints", ("test_pid.py",), forms=("long",)),
    Part("returns that the kernel misses are counted and told", ("test_backends.py::test_missed_returns",), forms=("short",), fewer=()),
    Part("header fields", ("test_h2.py::test_header_fields",), forms=("short",)),
    Part("HTTP/2 and gRPC: header fields, joined late", ("test_h2.py", "-k", "not traced"), forms=("long",)),
    Part("proxies, upgrades, WebSockets: credentials, what is open at the end", ("test_ways.py", "-k", "not traced"), forms=("long",)),
    Part("Unix sockets: failed connects, noise", ("test_unix.py", "-k", "not traced"), forms=("long",)),
    Part("function returns under seccomp", ("test_seccomp.py",), forms=("long",)),
    # An emulated client takes longer to exit than a connection is taken for kept.
    Part("every process, servers, what is not HTTP", ("test_system_wide.py", "-k", "not put_idle"), forms=("long",)),
    Part("names, cgroups, children", NAMES, forms=("long",), perf=(*NAMES[:-1], f"({NAMES[-1]}) and not follow-TLS")),
    Part("libraries that come, go, are replaced", ("test_faults_library.py",), forms=("long",)),
    Part("exec, fork, other namespaces, pids used again", ("test_faults_process.py",), forms=("long",)),
    Part("the rights that are kept suffice", ("test_privileges.py",), forms=("long",)),
    Part("the same client by every backend at once: the same reports; returns that are missed", ("test_backends.py",), forms=("long",)),
    Part("this kernel: what README says works, other libraries; the kernel has no complaint", ("test_machine.py",)),
)


def parts(form, is_forced, kernel):
    """What is run in the machine of a kernel, by its name."""
    chosen = [part for part in PLAN if form in part.forms and part.is_forced == is_forced]
    if kernel in PERF_UPROBES:
        chosen = [part if part.perf is None else part._replace(tests=part.perf) for part in chosen]
    if kernel in SLOW:
        chosen = [part if part.fewer is None or form != part.forms[0] else part._replace(tests=part.fewer) for part in chosen]
    return [part for part in chosen if part.tests]
