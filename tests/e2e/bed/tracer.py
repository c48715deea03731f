# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A handle on the tracer: start it, wait for what it says, stop it, read and check its reports."""

import calendar
import os
import signal
import subprocess
import threading
import time

from . import hooks, schema
from .wait import limit

READY = "httptrace-bpf: tracing"
seen = set()  # (hook, how) of what was reported since somebody emptied it: conftest.py, after each test
START_TIMEOUT_S = 20
STOP_TIMEOUT_S = 20


def repository():
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def binary():
    """Path of the tracer; AssertionError if it has not been built."""
    path = os.path.abspath(os.environ.get("HTTPTRACE_BPF") or os.path.join(repository(), "build", "httptrace-bpf"))
    assert os.access(path, os.X_OK), f"{path} is not there: build it (make), or name it by HTTPTRACE_BPF"
    return path


def backend():
    """Options that force the backend which HTTPTRACE_BACKEND names: kprobe, fentry or tp_btf."""
    name = os.environ.get("HTTPTRACE_BACKEND")
    return ("--backend", name) if name else ()


def clock_offset_ns():
    """CLOCK_REALTIME minus CLOCK_MONOTONIC, from the closest of a few pairs of readings."""
    best = None
    for _ in range(5):
        before, wall, after = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        if best is None or after - before < best[0]:
            best = (after - before, wall - (before + after) // 2)
    return best[1]


class Trace:
    """What the tracer reported, parsed, checked line by line."""

    def __init__(self, lines, status=None, stderr="", stdout="", fields=False, check=True, is_part=False):
        """is_part: the tracer goes on, and there is no summary."""
        self.lines, self.status, self.stderr, self.stdout, self.fields = list(lines), status, stderr, stdout, fields
        self.is_part = is_part
        self.objects, self.problems = [], []
        for number, line in enumerate(self.lines, 1):
            try:
                value = schema.parse(line)
            except ValueError as error:
                self.problems.append(f"line {number}: {error}: {line[:200]!r}")
                continue
            wrong = schema.problems(value, fields)
            if not wrong and value["type"] in ("request", "dial"):
                wrong = hooks.problems(value) if not value["lost"] and value["outcome"] != "incomplete" else []
                wrong += self._wall_clock(value)
            self.problems += [
                f"line {number} ({value.get('url') or value.get('host_port') or value.get('type')}): {item}" for item in wrong
            ]
            self.objects.append(value)
            seen.update((hook["hook"], hook["how"]) for hook in value.get("hooks", ()))
        if check:
            self.check()

    @staticmethod
    def _wall_clock(value):
        whole, _, fraction = value["time"].rstrip("Z").partition(".")
        wall_ns = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 10**9 + int(fraction)
        off_ns = wall_ns - value["mono_ns"] - clock_offset_ns()
        # The clocks drift apart by NTP's slewing, at most 500 ppm: far below this within a test.
        return [] if abs(off_ns) < 50_000_000 else [f"time is {off_ns} ns off mono_ns"]

    def check(self):
        assert not self.problems, "\n".join(self.problems[:40]) + f"\n({len(self.problems)} problems)\n" + self.stderr[-2000:]
        for value in self.objects:
            assert value["type"] != "summary" or value is self.objects[-1], "the summary is not the last line"

    def of_type(self, name):
        return [value for value in self.objects if value["type"] == name]

    @property
    def requests(self):
        return self.of_type("request")

    @property
    def dials(self):
        return self.of_type("dial")

    @property
    def records(self):
        """Requests and dials by the time of their first hook; HTTP/2's that went in one send by stream."""
        return sorted(self.requests + self.dials, key=lambda value: (value["mono_ns"], (value["conn"] or {}).get("stream_id") or 0))

    @property
    def summary(self):
        found = self.of_type("summary")
        assert len(found) == 1, f"{len(found)} summaries; status {self.status}, stderr: {self.stderr[-2000:]}"
        return found[0]

    @property
    def lost(self):
        return sum(value["count"] for value in self.of_type("lost"))

    def of_pid(self, *pids):
        return [value for value in self.records if value["pid"] in pids]

    def matching(self, text):
        """Requests whose URL contains text."""
        return [value for value in self.requests if value["url"] and text in value["url"]]

    def one(self, text):
        found = self.matching(text)
        assert (
            len(found) == 1
        ), f"{len(found)} requests whose URL contains {text!r}: {[value['url'] for value in self.requests]}\n{self.stderr[-2000:]}"
        return found[0]

    def nothing_lost(self):
        totals = {} if self.is_part else self.summary["lost"]
        assert self.lost == 0 and not any(totals.values()), f"lost: {self.lost}, {totals}"
        assert not any(value["lost"] for value in self.records), "a request is marked as touched by a loss"


class Tracer:
    """A running tracer with -o jsonl on its standard output (or the sinks given in options), ready when the constructor returns.

    with Tracer(bed, "-p", str(pid)) as tracer: ...; trace = tracer.stop()
    """

    def __init__(self, bed, *options, jsonl=True, wait_ready=True, host_namespaces=False, env=None, prefix=(), path=None):
        self.options, self.fields = options, "-H" in options
        arguments = [*prefix, path or binary(), *backend(), *(("-o", "jsonl") if jsonl else ()), *options]
        self._changed = threading.Condition()
        self._lines, self._err_lines, self._ended = [], [], 0
        self.ready_s = self.stop_s = None
        self._started = time.monotonic()
        self.process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=env or bed.env,
            preexec_fn=bed.namespaces.join_host if host_namespaces else None,
        )
        self._threads = [
            threading.Thread(target=self._read, args=pair, daemon=True)
            for pair in ((self.process.stdout, self._lines), (self.process.stderr, self._err_lines))
        ]
        for thread in self._threads:
            thread.start()
        if wait_ready:
            self.wait_ready()

    def _read(self, stream, into):
        for line in stream:
            with self._changed:
                into.append(line.rstrip("\n"))
                if self.ready_s is None and stream is self.process.stderr and line.startswith(READY):
                    self.ready_s = time.monotonic() - self._started
                self._changed.notify_all()
        with self._changed:
            self._ended += 1
            self._changed.notify_all()

    @property
    def lines(self):
        """What standard output had so far."""
        return list(self._lines)

    @property
    def stdout(self):
        return "\n".join(self._lines)

    @property
    def stderr(self):
        return "\n".join(self._err_lines)

    @property
    def pid(self):
        return self.process.pid

    def wait_ready(self, timeout_s=START_TIMEOUT_S):
        with self._changed:
            self._changed.wait_for(lambda: self.ready_s is not None or self._ended == 2, limit(timeout_s))
        if self.ready_s is None:
            self.kill()
            raise AssertionError(f"no line '{READY} ...' (exit status {self.process.returncode}); stderr: {self.stderr}")

    def wait_for(self, wanted, count=1, timeout_s=10):
        """The parsed lines for which wanted(line) holds, once there are so many. Event driven: wakes at each line."""
        found = []

        def enough():
            found[:] = [value for value in (schema.parse(line) for line in self._lines) if wanted(value)]
            return len(found) >= count or self._ended == 2

        with self._changed:
            self._changed.wait_for(enough, limit(timeout_s))
        assert (
            len(found) >= count
        ), f"{len(found)} of {count} reports came within {timeout_s} s; {len(self._lines)} lines; stderr: {self.stderr[-2000:]}"
        return found

    def wait_url(self, text, count=1, timeout_s=10):
        return self.wait_for(lambda value: value["type"] == "request" and value["url"] and text in value["url"], count, timeout_s)

    def wait_exit(self, timeout_s=STOP_TIMEOUT_S, check=True):
        """Wait until it ends by itself; the Trace."""
        begun = time.monotonic()
        try:
            status = self.process.wait(limit(timeout_s))
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"did not end within {timeout_s} s; stderr: {self.stderr[-2000:]}") from None
        self.stop_s = time.monotonic() - begun
        for thread in self._threads:
            thread.join(limit(5))
        self.process.stdout.close()
        self.process.stderr.close()
        return Trace(self._lines, status, self.stderr, fields=self.fields, check=check)

    def stop(self, number=signal.SIGINT, check=True):
        """SIGINT, as a person would; the Trace. Asserts exit status 0."""
        self.process.send_signal(number)
        trace = self.wait_exit(check=check)
        assert trace.status == 0, f"exit status {trace.status} after signal {number}; stderr: {trace.stderr[-2000:]}"
        return trace

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


def trace_command(bed, arguments, *options, timeout_s=60, env=None, stdin=subprocess.DEVNULL, check=True, path=None):
    """httptrace-bpf -o jsonl=FILE OPTIONS -- ARGUMENTS, to its end. Trace.stdout is the command's, Trace.status its exit status."""
    report = bed.file("trace.jsonl")
    done = subprocess.run(
        [path or binary(), *backend(), "-o", f"jsonl={report}", *options, "--", *arguments],
        stdin=stdin,
        capture_output=True,
        text=True,
        env=env or bed.env,
        timeout=limit(timeout_s),
        check=False,
        errors="replace",
    )
    lines = []
    if os.path.exists(report):
        with open(report, encoding="utf-8") as file:
            lines = file.read().splitlines()
    return Trace(lines, done.returncode, done.stderr, done.stdout, fields="-H" in options, check=check)


def run(bed, *arguments, timeout_s=60, env=None, path=None, prefix=(), text=True):
    """The tracer with these arguments, to its end: CompletedProcess."""
    return subprocess.run(
        [*prefix, path or binary(), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=text,
        env=env or bed.env,
        timeout=limit(timeout_s),
        check=False,
    )
