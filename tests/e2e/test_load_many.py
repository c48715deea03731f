# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Many of them: 10,000 open connections, 1,000 processes, 2,000 short processes a minute; and what the tracer's memory is."""

import json
import subprocess
import time

import pytest

from bed import nginx as nginx_bed
from bed.tracer import Tracer
from bed.wait import wait_until
from load import IS_SANITIZED, Counter, Loads, count_problems, figure, program, rss_anon_kb, wrong_credits

MB = 1024  # in kB
IDLE_MB, MANY_MB = 20, 64


def check_memory(name, pid, limit_mb):
    kilobytes = rss_anon_kb(pid)
    figure(name, round(kilobytes / MB, 1), "MB RssAnon", f"<= {limit_mb}")
    assert kilobytes <= limit_mb * MB or IS_SANITIZED


@pytest.mark.plain_build("what sanitizers cost is in the memory measured")
@pytest.mark.parametrize("is_named", [True, False], ids=["by pid", "system-wide"])
def test_idle_memory(bed, stepper, is_named):
    """Idle, but in place and having reported."""
    _ = bed.nginx
    with Tracer(bed, *(("-p", str(stepper.pid)) if is_named else ())) as tracer:
        stepper("connect", "a", "127.0.0.1", nginx_bed.LOAD_PLAIN)
        stepper.get("a", "/once", host=f"127.0.0.1:{nginx_bed.LOAD_PLAIN}")
        tracer.wait_url("/once")
        check_memory(f"idle, {'by pid' if is_named else 'system-wide'}", tracer.pid, IDLE_MB)
        tracer.stop()


def finish(loads, counter):
    """Ends both: nothing lost, nothing evicted, and each request counted where it belongs."""
    loads.end()
    counted = counter.stop()
    problems = count_problems(counted, loads)
    assert not problems, f"{len(problems)} problems: {problems[:10]}"
    return counted


def test_10000_connections(bed):
    """Opened and left alone, 1,000 of them over TLS; then requests over a sample, and over them all."""
    loads = Loads(bed, 10, tls=lambda index: index == 0, conns=1000)
    counter = Counter(bed)
    loads.open()
    loads.run("some 100")
    check_memory("10,000 connections, 1,000 in use", counter.pid, MANY_MB)
    loads.run("some 1000")
    loads.run("some 1000")
    check_memory("10,000 connections, all in use", counter.pid, MANY_MB)
    counted = finish(loads, counter)
    assert counted["requests"] >= 10 * (100 + 2 * 1000)
    figure("10,000 connections: requests without loss", loads.sent, "", "all")


def test_10000_connections_are_described(bed):
    """The first request of a connection that waited among 10,000 has the connection's dial, handshake and all."""
    path = bed.file("connections.jsonl")
    loads = Loads(bed, 10, tls=lambda index: index == 0, conns=1000)
    with Tracer(bed, "-p", ",".join(map(str, loads.pids)), "-o", f"jsonl={path}", jsonl=False) as tracer:
        loads.open()
        loads.run("some 50")
        check_memory("10,000 connections, jsonl", tracer.pid, MANY_MB)
        loads.end()
        tracer.wait_exit()
    with open(path, encoding="utf-8") as file:
        objects = [json.loads(line) for line in file]
    requests, summary = [value for value in objects if value["type"] == "request"], objects[-1]
    assert not any(summary["lost"].values()) and not summary["evicted"], summary
    assert len(requests) == 500
    wrong = wrong_credits(requests, loads.truth())
    assert not wrong, f"{len(wrong)} wrong: {wrong[:10]}"
    for value in requests:
        assert value["conn"]["reused"] is False and value["timings_ns"]["connect"] > 0, value
        assert (value["timings_ns"]["tls"] is not None) == value["url"].startswith("https:"), value
    # The others were opened and not used.
    assert len([value for value in objects if value["type"] == "dial" and value["outcome"] == "unused"]) == 10 * 1000 - 500


@pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "tls"])
def test_1000_processes(bed, is_tls):
    loads = Loads(bed, 1, tls=lambda _: is_tls, processes=1000, conns=1, count=5)
    counter = Counter(bed)
    loads.open()
    loads.run()
    check_memory(f"1,000 processes, {'TLS' if is_tls else 'plain'}", counter.pid, MANY_MB)
    loads.run()
    assert len({pid for pid, _, _ in loads.conns()}) == 1000 and loads.sent == 10000
    finish(loads, counter)


def test_1000_children(bed):
    """Forked from the traced process, all at once: BPF follows them. Their calls into libraries are another matter (README)."""
    loads = Loads(bed, 1, tls=lambda _: False, processes=1000, conns=1, count=5)
    counter = Counter(bed, *loads.pids)
    loads.open()
    loads.run()
    check_memory("1,000 followed children", counter.pid, MANY_MB)
    finish(loads, counter)


SHORT_A_MINUTE, SHORT_SECONDS = 2000, 15


class Short:
    """Processes of one request each, at a rate; every third one a curl, half of them over TLS."""

    def __init__(self, bed, prefix):
        self.bed, self.prefix, self.running, self.truth = bed, prefix, [], {}

    def start(self, number):
        is_tls = number % 2
        port = nginx_bed.LOAD_TLS if is_tls else nginx_bed.LOAD_PLAIN
        host = f"https://localhost:{port}" if is_tls else f"http://127.0.0.1:{port}"
        name = f"{self.prefix}-{number}"
        if number % 3:
            arguments = [program("load"), f"port={port}", f"name={name}", "count=1", "auto=1"]
            arguments += [f"ca={self.bed.certificates.ca}"] if is_tls else []
        else:
            told = '{"pid":0,"name":"","conns":[["%{local_ip}:%{local_port}",1]]}\n'
            arguments = ["curl", "-s", "-S", "-o", "/dev/null", "-4", "-w", told, f"{host}/{name}/0/0"]
        process = self.bed.start(arguments, stdin=subprocess.DEVNULL)
        self.running.append((process, f"{host}/{name}/0/0"))

    def collect(self):
        """Those that have ended."""
        rest = []
        for process, url in self.running:
            if process.poll() is None:
                rest.append((process, url))
                continue
            assert process.returncode == 0, f"{url}: exit status {process.returncode}"
            told = [line for line in process.stdout.read().splitlines() if line.startswith("{")]
            process.stdout.close()
            self.truth[url] = (process.pid, json.loads(told[-1])["conns"][0][0], 1)
        self.running = rest
        return not rest


@pytest.mark.parametrize("options", [(), ("-n", "[lc][ou][ar][dl]")], ids=["system-wide", "by name"])
def test_2000_short_processes_a_minute(bed, options):
    _, path = bed.nginx, bed.file("short.jsonl")
    short, total = Short(bed, bed.unique()), SHORT_A_MINUTE * SHORT_SECONDS // 60
    with Tracer(bed, *options, "-o", f"jsonl={path}", jsonl=False) as tracer:
        begun = time.monotonic()
        for number in range(total):
            due = begun + number * 60 / SHORT_A_MINUTE
            wait_until(lambda at=due: time.monotonic() >= at, 60, "the next process's time")
            short.start(number)
            short.collect()
        wait_until(short.collect, 60, "the last processes to end")
        elapsed_s = time.monotonic() - begun
        check_memory(f"short processes, {'by name' if options else 'system-wide'}", tracer.pid, MANY_MB)
        tracer.stop()
    with open(path, encoding="utf-8") as file:
        objects = [json.loads(line) for line in file]
    ours = [value for value in objects if value["type"] == "request" and f"/{short.prefix}-" in (value["url"] or "")]
    figure(f"short processes, {'by name' if options else 'system-wide'}: reported", len(ours), f"of {total}", "all")
    figure(f"short processes, {'by name' if options else 'system-wide'}: rate", round(total / elapsed_s * 60), "1/min", f">= {SHORT_A_MINUTE}")
    assert not any(objects[-1]["lost"].values()), objects[-1]["lost"]
    wrong = wrong_credits(ours, short.truth)
    assert not wrong, f"{len(wrong)} wrong: {wrong[:10]}"
    missing = set(short.truth) - {value["url"] for value in ours}
    assert not missing, f"{len(missing)} of {total} are not reported: {sorted(missing)[:10]}"
