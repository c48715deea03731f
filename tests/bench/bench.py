#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What tracing costs, as ratios within one run: `make bench` (options: `make bench BENCH=--help`).

bed.py has what is traced, tracers.py the tracers, measure.py the rounds, costs.py the tables and the ratios that are wanted; programs.py,
startend.py, loading.py and figures.py have the other tables.

Prints Markdown to standard output and, with --write, into a file; all else to standard error. Its files are in a temporary directory. Needs
root (takes sudo). A tracer that is missing or fails has a row that says so, and no effect on the exit status. Ends only processes started here.
"""
import argparse
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from bed import Bed
from common import ROOT, Failure
from costs import cost_tables, wanted_lines
from figures import figure_lines
from loading import loading_lines
from machine import machine_lines
from measure import SLICES, WORK_FACTOR, Measurement
from programs import run_time_lines
from startend import start_and_end_lines
from tracers import ROWS

HEAD = """\
# Performance

What tracing costs the program that is traced, beside what others cost it. `make bench` measures and writes this page; figures of one machine
differ from another's, and from one day to the next, by more than a tracer's cost, so compare within one run only.
"""

METHOD = """\
## Method

A client in C and a real nginx share one CPU; the tracers have the others. In each of {rounds} rounds every tracer has its turn, in an order that
moves on from round to round: it is started; each client makes {slices} times {requests} requests, on a new connection each time (the process without
sockets does {factor} pieces of work for each of them), of which the best time counts; and it is ended. Between the turns the same is done untraced.
What a tracer adds is the difference to the mean of the two untraced runs around its turn. Told is the median of the rounds, with the least and
the most. That difference swings with whatever else the machine's host does meanwhile, by microseconds. `at least` does not: it is the least CPU
time of all rounds less the least of all untraced ones, what is added when nobody disturbs; what is wanted is judged by it.

| column | meaning |
|---|---|
| as waited | wall time for one request, seen by the client; the server's share of the cost is in it, where the server is traced, too |
| added, x untraced | that, less the untraced runs, and divided by them |
| client CPU added at least | the client's CPU time, the least of all rounds less the least untraced |
| median, min .. max, x untraced | the client's CPU time added, round by round |
| tracer CPU | CPU time of the tracer's own process for one request |
| seen | requests reported of those made (bpftrace: hits counted of those expected, at most 100 %; tcpdump: packets not dropped) |

| row | what runs |
|---|---|
| untraced | nothing; its columns tell by how much an untraced run differs from the untraced one before: the noise |
| httptrace-bpf -p | `httptrace-bpf -p PIDS -o text`, its output read from a pipe |
| httptrace-bpf -p --probe-sites entry | the same, its TLS probes at the first instructions of the public functions, where everybody else puts them |
| bpftrace -p | counting probes at entry and return of `SSL_read` and `SSL_write`. 0.17's `-p` filters, but its breakpoints are in all processes |
| sslsniff -p | bcc's `sslsniff-bpfcc -p PID`, for OpenSSL only, which prints what passes; `seen` counts its events |
| httptrace-bpf, bpftrace, sslsniff | the same for the whole system: nginx uses the same libssl, and is probed, too |
| tcpdump -i lo -w FILE | packets to a file; what is sent over TLS it sees encrypted |

bpftrace and sslsniff see nothing of the `_ex` forms, nor in the clear, and have no rows there; nor by HTTP/2, as they would tell the same calls.
HTTP/2 is compared with HTTP/1.1 in the same round: both over TLS, one request after another, with the same fields; the client of HTTP/2 uses libnghttp2,
as curl does, and is probed there where the tracer does so.
"""


class Bench:
    def __init__(self, options, directory):
        self.directory = directory
        self.program = options.build / "httptrace-bpf"
        self.bed = Bed(options.build, directory)


def report(options, bench):
    """The page, part by part."""
    yield [HEAD, *machine_lines(), ""]
    names = [name for name in ROWS if re.search(options.only, name)]
    measurement = Measurement(bench, options.rounds, options.requests, names)
    series = measurement.measure()
    yield ["## What is wanted", "", *wanted_lines(series), ""]
    if options.figures:
        yield ["## Figures of the tests", "", *figure_lines(options.figures), ""]
    yield ["## Costs", "", *cost_tables(series)]
    if options.stats:
        yield ["## Run time of the BPF programs", "",
               "For one request, without the price of the traps; from one run. Programs on sockets run for every process's, the server's",
               "too; system-wide those on library functions as well.", "",
               "With -p:", "", *run_time_lines(bench, True, options.requests), "",
               "System-wide:", "", *run_time_lines(bench, False, options.requests), ""]
    if options.starts:
        yield ["## Start and end", "", f"Beside {options.idle} idle processes, half of which map libssl; {options.starts} times.", "",
               *start_and_end_lines(bench, options.starts, options.idle, names), ""]
        yield ["## Loading the BPF programs", "", f"By each backend that this kernel has; {options.starts} times.", "",
               *loading_lines(bench, options.starts), ""]
    yield [METHOD.format(rounds=options.rounds, requests=measurement.slice_cnt("tls"), slices=SLICES, factor=WORK_FACTOR)]


def parse():
    parser = argparse.ArgumentParser(prog="bench.py", description="What tracing costs, as ratios within one run.")
    parser.add_argument("--build", default="build", help="where make built (build)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=10000, help="per round, client and tracer (10000)")
    parser.add_argument("--only", default="", metavar="REGEX", help="tracers whose row's name matches")
    parser.add_argument("--starts", type=int, default=5, help="starts and ends that are timed (5); 0: none")
    parser.add_argument("--idle", type=int, default=100, help="idle processes meanwhile (100)")
    parser.add_argument("--no-stats", dest="stats", action="store_false", help="without the run time of each BPF program")
    parser.add_argument("--figures", type=Path, metavar="FILE", help="figures that tests wrote ($HTTPTRACE_FIGURES, BUILD/figures.jsonl)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page into FILE, too")
    options = parser.parse_args()
    if not any(re.search(options.only, name) for name in ROWS):
        parser.error(f"--only {options.only}: none of {', '.join(ROWS)}")
    if options.rounds < 1 or options.requests < 1:
        parser.error("--rounds and --requests: 1 or more")
    options.build = (ROOT / options.build).resolve()
    if options.figures is None:
        options.figures = Path(os.environ.get("HTTPTRACE_FIGURES") or options.build / "figures.jsonl")
        options.figures = options.figures if options.figures.exists() else None
    elif not options.figures.exists():
        parser.error(f"--figures {options.figures}: no such file")
    return options


def main():
    options = parse()
    if os.geteuid() != 0:
        if not shutil.which("sudo"):
            sys.exit("bench: tracing needs root, and there is no sudo here: run it as root")
        os.execvp("sudo", ["sudo", f"HTTPTRACE_FIGURES={os.environ.get('HTTPTRACE_FIGURES', '')}", sys.executable, *sys.argv])
    page = []
    with tempfile.TemporaryDirectory(prefix="httptrace-bench-") as directory:
        bench = None
        try:
            bench = Bench(options, Path(directory))
            for part in report(options, bench):
                page += part
                print("\n".join(part), flush=True)
        except Failure as failure:
            sys.exit(f"bench: {failure}")
        finally:
            if bench:
                bench.bed.stop()
    if options.write:
        options.write.write_text("\n".join(page).rstrip("\n") + "\n", encoding="utf-8")
        owner = options.write.resolve().parent.stat()
        os.chown(options.write, owner.st_uid, owner.st_gid)  # not root's, where sudo was taken


if __name__ == "__main__":
    main()
