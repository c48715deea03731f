# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The measurement: rounds in which every tracer has its turn, untraced runs before and behind each.

In: a bench. Out: a Series for each row and way. What a tracer adds is the difference to the mean of the two untraced runs around its turn,
so that the machine's drift between rounds, and most of that within one, is not laid to it. What the untraced row "adds" is the difference of
two neighbours: what this machine's other business makes of nothing.
"""
import sys

from common import Failure, cpu_us
from tracers import ROWS

# Pieces of work for each request: a run of them is to last some time, as little is expected to be added.
WORK_FACTOR = 4
# Of a run, each with a connection of its own. The best one counts: what else goes on in the machine only ever adds.
SLICES = 16
FAILURES_MAX = 2  # of one tracer, then it is left alone
NOT_ASKED_FOR = "not asked for"


class Series:
    """One row of a table: what each round gave, us per request."""

    def __init__(self):
        self.rounds = []  # their numbers: a turn may fail
        self.wall, self.cpu = [], []
        self.added_wall, self.added_cpu = [], []
        self.ratio, self.cpu_ratio = [], []
        self.tracer_cpu, self.seen = [], []
        self.failure, self.failures = None, 0

    def take(self, number, run, base):
        self.rounds.append(number)
        (wall_us, client_us), (base_wall_us, base_cpu_us) = run, base
        self.wall.append(wall_us)
        self.cpu.append(client_us)
        self.added_wall.append(wall_us - base_wall_us)
        self.added_cpu.append(client_us - base_cpu_us)
        self.ratio.append(wall_us / base_wall_us)
        self.cpu_ratio.append(client_us / base_cpu_us)


def mean(one, other):
    return tuple((a + b) / 2 for a, b in zip(one, other))


class Measurement:
    UNTRACED = "untraced"

    def __init__(self, bench, rounds, requests, names):
        self.bench, self.rounds, self.requests, self.names = bench, rounds, requests, names
        self.table = {(self.UNTRACED, way): Series() for way in bench.bed.WAYS}
        self.table |= {(name, way): Series() for name, (ways, _) in ROWS.items() for way in ways}

    def slice_cnt(self, way):
        return max(1, self.requests * (WORK_FACTOR if way == "work" else 1) // SLICES)

    def count(self, way):
        return SLICES * self.slice_cnt(way)

    def run(self, way):
        runs = [self.bench.bed.clients[way].run(self.slice_cnt(way)) for _ in range(SLICES)]
        return tuple(map(min, zip(*runs)))

    def untraced(self):
        return {way: self.run(way) for way in self.bench.bed.WAYS}

    def turn(self, name):
        """One tracer's turn: runs by way."""
        ways, make = ROWS[name]
        runs, tracer = {}, None
        try:
            tracer = make(self.bench)
            tracer.start()
            for way in ways:
                row = self.table[name, way]
                before_us = cpu_us(tracer.process.pid)
                runs[way] = self.run(way)
                seen = tracer.seen(way, self.count(way), SLICES)
                if seen is not None:
                    row.seen.append(seen)
                row.tracer_cpu.append((cpu_us(tracer.process.pid) - before_us) / self.count(way))
            tracer.stop()
            if hasattr(tracer, "seen_at_the_end"):
                for way in ways:
                    self.table[name, way].seen.append(tracer.seen_at_the_end())
        except Failure as failure:
            for way in ways:
                self.table[name, way].failure = str(failure)
                self.table[name, way].failures += 1
            runs = {}
        finally:
            if tracer:
                tracer.abandon()
        return runs

    def measure(self):
        names = self.names
        self.untraced()
        for (name, _), row in self.table.items():
            row.__init__()  # the first of all was to warm up
            if name != self.UNTRACED and name not in names:
                row.failure, row.failures = NOT_ASKED_FOR, FAILURES_MAX
        for number in range(self.rounds):
            # Nobody has the place behind the same neighbour every time.
            order = names[number % len(names):] + names[:number % len(names)]
            before = self.untraced()
            for name in order:
                if any(self.table[name, way].failures >= FAILURES_MAX for way in ROWS[name][0]):
                    continue
                self.progress(f"round {number + 1} of {self.rounds}: {name}")
                runs = self.turn(name)
                after = self.untraced()
                for way, run in runs.items():
                    self.table[name, way].take(number, run, mean(before[way], after[way]))
                for way, run in after.items():
                    self.table[self.UNTRACED, way].take(number, run, before[way])
                before = after
        self.progress("")
        return self.table

    @staticmethod
    def progress(text):
        if sys.stderr.isatty():
            print(f"\r{text:70}\r", end="", file=sys.stderr, flush=True)
