# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Which tests run under which kernel: the one list, from which docs/kernels.md tells it.

A kernel is booted once. In the machine one run leaves the choice of backends to the program, and each backend that the kernel has is forced once.
All end-to-end tests would take hours under emulation: left out is what is the same on every kernel (the command line, outputs, capture files,
figures). `make test` runs a short form under few kernels, `make test-vm` the long one under all.
"""

import typing

ANY = "any"  # the program's own choice
BACKENDS = ("kprobe", "fentry", "tp_btf")

# Each record kind and each hook, in the clear and with TLS; names and addresses; new and kept connections; refused, reset, retried, given up. A start
# of the program takes seconds under 6.1, a test ten to twenty.
MAIN = (
    "cold http by name",
    "three https URLs on one connection",
    "POST with Expect: 100",
    "103 then 200",
    "::1 refused, then 127.0.0.1",
    "name not found",
    "bad certificate",
    "reset in the body, https",
)
# HTTP/2 and what HTTP travels through: as little of it as may be.
NEWER = (
    "test_h2.py::test_traced[h2 cold]",
    "test_ways.py::test_traced[CONNECT]",
    "test_ways.py::test_traced[websocket]",
)
# Of the same what a backend could make a difference to: many streams in one write, frames across writes; what follows a handshake of a proxy's.
NEWER_FORCED = (
    "test_h2.py::test_traced[h2 fifty transfers on one connection]",
    "test_h2.py::test_traced[h2 every write three bytes]",
    "test_h2.py::test_traced[h2 a head of 15 KB]",
    "test_h2.py::test_traced[httpx]",
    "test_h2.py::test_traced[gRPC both ways]",
    "test_ways.py::test_traced[CONNECT, HTTP/2 behind it]",
    "test_ways.py::test_traced[SOCKS5]",
    "test_ways.py::test_traced[websocket over TLS]",
)
# Unix sockets have functions of their own in each backend: connect, send, receive, close.
UNIX = (
    "test_unix.py::test_traced[unix: three URLs on one connection]",
    "test_unix.py::test_traced[unix: the client closes early]",
)
# Each way in of a backend, and each record kind: connects that succeed, are refused, fail at once; IPv4 and IPv6; sends in one write and several;
# receives that find nothing, that end; closes by either side, resets.
SHORT = (
    "cold https by name",
    "a head in many writes",
    "::1 refused, then 127.0.0.1",
    "close in the body",
)
# No children: under emulation perf uprobes come later than a short process's first call (README, What it cannot see).
OPEN = (
    "test_pid.py::test_open_keep_alive_connection",
    "test_pid.py::test_breakpoints_only_where_asked_and_gone_at_the_end",
)


# Kernels whose verifier follows every round of every loop (the programs for older kernels): a start takes most of a minute there, emulated. Of each part as
# little as tells whether it works at all; the programs are the same that tests/e2e/test_without.py tests on any kernel.
SLOW = ("5.10",)
MAIN_FEWER = ("cold http by name", "three https URLs on one connection", "::1 refused, then 127.0.0.1", "bad certificate")


def traced(scenarios):
    return tuple(f"test_scenarios.py::test_traced[{name}]" for name in scenarios)


class Part(typing.NamedTuple):
    what: str
    tests: tuple  # for pytest, below tests/e2e
    is_forced: bool = False  # once for each backend that the kernel has, not with the program's own choice
    forms: tuple = ("short", "long")
    fewer: typing.Optional[tuple] = None  # instead of tests in the short form under SLOW kernels; (): none


PLAN = (
    Part("the main scenarios: sequence, arguments, outcome", traced(MAIN), forms=("short",), fewer=traced(MAIN_FEWER)),
    Part("every scenario: sequence, arguments, outcome", ("test_scenarios.py", "-k", "test_traced"), forms=("long",)),
    Part("scenarios of each way in", traced(SHORT), True, ("short",), traced(SHORT[:1])),
    Part("every scenario", ("test_scenarios.py", "-k", "test_traced"), True, ("long",)),
    Part("HTTP/2, a proxy, a WebSocket", NEWER, forms=("short",), fewer=NEWER[:1]),
    Part("HTTP/2 and gRPC: every scenario, header fields, joined late", ("test_h2.py", "-k", "not untraced"), forms=("long",)),
    Part("proxies, upgrades, WebSockets: every scenario, what is open at the end", ("test_ways.py", "-k", "not untraced"), forms=("long",)),
    Part("HTTP/2, proxies, WebSockets", NEWER_FORCED, True, ("long",)),
    Part("Unix sockets: connect, send, receive, close", UNIX, True, ("short",), UNIX[:1]),
    Part("Unix sockets: every scenario, failed connects, noise", ("test_unix.py", "-k", "not untraced"), True, ("long",)),
    Part("running processes: an open connection; no breakpoint is left", OPEN, forms=("short",), fewer=OPEN[:1]),
    Part("running processes, their children, open connections, breakpoints", ("test_pid.py",), forms=("long",)),
    Part("returns that the kernel misses are counted and told", ("test_backends.py::test_missed_returns",), forms=("short",), fewer=()),
    Part("function returns under seccomp", ("test_seccomp.py",), forms=("long",)),
    Part("every process, servers, what is not HTTP", ("test_system_wide.py",), forms=("long",)),
    Part("names, cgroups, children", ("test_which.py", "-k", "cgroup or name or children"), forms=("long",)),
    Part("libraries that come, go, are replaced", ("test_faults_library.py",), forms=("long",)),
    Part("exec, fork, other namespaces, pids used again", ("test_faults_process.py",), forms=("long",)),
    Part("the rights that are kept suffice", ("test_privileges.py",), forms=("long",)),
    Part("the same client by every backend at once: the same reports; returns that are missed", ("test_backends.py",), forms=("long",)),
    Part("this kernel: what README says works, other libraries; the kernel has no complaint", ("test_machine.py",)),
)


def parts(form, is_forced, kernel):
    """What is run in the machine of a kernel, by its name."""
    chosen = [part for part in PLAN if form in part.forms and part.is_forced == is_forced]
    if form == "short" and kernel in SLOW:
        chosen = [part if part.fewer is None else part._replace(tests=part.fewer) for part in chosen]
    return [part for part in chosen if part.tests]
