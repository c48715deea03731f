#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What a request costs the tracer's own user space, without a kernel in the way: a capture, replayed.

Makes a capture of --requests keep-alive requests, half in the clear, half over TLS, or with --http2 of as many of HTTP/2 (the clients of bench.py
against nginx; needs root), or takes one with --capture. Then replays it --rounds times for each way to report: a counting callback (count.c), and
each sink into /dev/null. Prints the CPU time per request, the best round's and the median, and requests per second of CPU.
"""
import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bed import Client, Server
from common import ROOT, Failure, wait_for_line
from tracers import Tracer


class Recorder(Tracer):
    def __init__(self, command):
        self.command = command

    def attach(self):
        self.spawn(self.command, stderr=subprocess.PIPE)
        wait_for_line(self.process.stderr, lambda line: line.startswith("httptrace-bpf: tracing"), "httptrace-bpf")


def record(build, directory, requests, has_http2):
    """Returns the path of the capture."""
    path, client = directory / "bench.cap", build / "tests/bench/client"
    cpu = max(os.sched_getaffinity(0))
    server = Server(directory, cpu)
    if has_http2:
        clients = [Client(build / "tests/bench/client_h2", cpu, server.h2_port, server.ca_file)]
    else:
        clients = [Client(client, cpu, server.clear_port), Client(client, cpu, server.tls_port, server.ca_file)]
    recorder = Recorder([str(build / "httptrace-bpf"), "-p", ",".join(str(client.pid) for client in clients), "-w", str(path)])
    try:
        recorder.start()
        for client in clients:
            client.run(requests // len(clients))
        recorder.stop()
    finally:
        recorder.abandon()
        for part in (*clients, server):
            part.stop()
    return path


def run(command):
    """Returns its standard output and the microseconds of CPU time that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise Failure(f"{command[0]}: {done.stderr.strip()}")
    return done.stdout, (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e6


def main():
    parser = argparse.ArgumentParser(prog="replay.py", description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build", help="where make built (build)")
    parser.add_argument("--capture", help="replay this file instead of a new one")
    parser.add_argument("--http2", action="store_true", help="of HTTP/2 over TLS, by libnghttp2")
    parser.add_argument("--keep", help="leave the new capture here")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=100000, help="in the new capture (100000)")
    options = parser.parse_args()
    build = (ROOT / options.build).resolve()
    program, count = build / "httptrace-bpf", build / "tests/bench/count"
    with tempfile.TemporaryDirectory(prefix="httptrace-bench-") as directory:
        path = options.capture or record(build, Path(directory), options.requests, options.http2)
        requests = int(run([count, "-r", path])[0].split()[0])
        if not requests:
            raise Failure(f"{path}: no request in it")
        if options.keep and not options.capture:
            shutil.move(path, options.keep)
            path = options.keep
        print(f"{requests} requests replayed, {options.rounds} rounds; us of CPU per request")
        print(f"  {'':20}{'best':>8}{'median':>8}{'per second':>12}")
        for name, command in (("counting callback", [count, "-r", path]), ("the same -H", [count, "-H", "-r", path]),
                              ("text", [program, "-q", "-r", path, "-o", "text=/dev/null"]),
                              ("jsonl", [program, "-q", "-r", path, "-o", "jsonl=/dev/null"]),
                              ("jsonl -H", [program, "-q", "-r", path, "-H", "-o", "jsonl=/dev/null"])):
            took = [run(command)[1] / requests for _ in range(options.rounds)]
            print(f"  {name:20}{min(took):>8.2f}{statistics.median(took):>8.2f}{1e6 / min(took):>12.0f}")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"replay.py: {failure}")
