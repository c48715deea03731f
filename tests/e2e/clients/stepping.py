# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Takes steps one by one and answers each: what steps.py and h2steps.py do besides their own steps.

Argument of the program: a JSON list of steps, or - to take one JSON step a line from standard input. The first line printed has its pid; after each
step one JSON line is printed, with the step's begin and end on CLOCK_MONOTONIC. Steps of every client:
  ["idle", seconds]               stay idle on purpose
  ["hold"]                        until a line comes on standard input
"""

import json
import os
import sys
import time


def take(step, do, connections):
    if step[0] == "idle":
        time.sleep(step[1])
        return {}
    if step[0] == "hold":
        sys.stdin.readline()
        return {}
    return do(step, connections)


def main(do):
    """do(step, connections) takes any other step, keeps its connections by name, and returns the answer."""
    steps = (json.loads(line) for line in sys.stdin) if sys.argv[1] == "-" else json.loads(sys.argv[1])
    print(json.dumps({"pid": os.getpid()}), flush=True)
    connections = {}
    for step in steps:
        begin_ns = time.monotonic_ns()
        try:
            result = take(step, do, connections)
        except OSError as error:
            result = {"error": type(error).__name__}
        print(json.dumps({"step": step[0], "begin_ns": begin_ns, "end_ns": time.monotonic_ns(), **result}), flush=True)
