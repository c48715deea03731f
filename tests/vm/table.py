#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""docs/kernels.md out of what the stage vm left: tests/vm/table.py FOLDER [PAGE], FOLDER being build/vm.

What is between the two marks of PAGE is replaced; without PAGE it is printed. Nothing here is written by hand but the headings.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

from kernels import KERNELS  # noqa: E402
from plan import ANY, BACKENDS, PLAN  # noqa: E402

BEGIN, END = "<!-- generated: begin -->", "<!-- generated: end -->"
# In the order of a request's life (include/httptrace.h).
HOOKS = (
    *("GetConn", "DNSStart", "DNSDone", "ConnectStart", "ConnectDone", "TLSHandshakeStart", "TLSHandshakeDone", "GotConn"),
    *("WroteHeaderField", "WroteHeaders", "Wait100Continue", "WroteRequest", "GotFirstResponseByte", "Got100Continue", "Got1xxResponse"),
    *("GotResponseHeaders", "GotBody", "PutIdleConn", "ConnClosed"),
)
NAME_BYTES = 15  # of a program, in the kernel


def row(*cells):
    return f"| {' | '.join(str(cell) for cell in cells)} |\n"


def table(head, rows):
    return row(*head) + row(*("---" for _ in head)) + "".join(row(*cells) for cells in rows) + "\n"


class Kernel:
    """What one machine left."""

    def __init__(self, folder):
        self.name, self.folder = folder.name, folder
        self.refused = json.loads((folder / "refused.json").read_text(encoding="utf-8"))
        self.backends = [ANY, *(name for name in BACKENDS if name not in self.refused)]
        self.features = {name: (folder / f"{name}.features").read_text(encoding="utf-8").splitlines() for name in self.backends}

    def told(self, backend, begin):
        """What --features says behind begin."""
        return next((line[len(begin) :].strip() for line in self.features[backend] if line.startswith(begin)), "")

    def seen(self, backend):
        """{hook: how, how}, by the tests that passed."""
        found = {}
        for path in sorted(self.folder.glob(f"{backend}-*.seen")):
            for hook, ways in json.loads(path.read_text(encoding="utf-8")).items():
                found.setdefault(hook, set()).update(ways)
        return found

    def loads(self, backend):
        """{program: (its instructions, the verifier's, ms)}; names that the kernel cuts to the same text are told by their greatest."""
        found = {}
        path = self.folder / f"{backend}.loads"
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            load = json.loads(line)
            name = load["program"]
            if not name.startswith(("libbpf_", "ht_")):
                found[name] = max(found.get(name, (0, 0, 0)), (load["verified"] or 0, load["instructions"], load["load_ns"] / 1e6))
        return found


def hooks_table(kernels):
    """Rows hook, columns kernel and backend: how tests that passed saw it."""
    columns = [(kernel, backend) for kernel in kernels for backend in kernel.backends]
    seen = [kernel.seen(backend) for kernel, backend in columns]
    short = {"observed": "yes", "inferred": "inferred", "proxy": "proxy"}
    rows = [
        [hook, *(", ".join(sorted(short.get(way, way) for way in found.get(hook, ()))) or "–" for found in seen)]
        for hook in HOOKS
        if any(hook in found for found in seen)
    ]
    return table(["hook", *(f"{kernel.name} {backend}" for kernel, backend in columns)], rows)


def mechanisms_table(kernels):
    """Which mechanism --features says each hook is had by."""
    lines = {}
    columns = [(kernel, backend) for kernel in kernels for backend in kernel.backends]
    for kernel, backend in columns:
        for line in kernel.features[backend]:
            if line.startswith("hook "):
                what, _, by = line[len("hook ") :].rpartition(": ")
                lines.setdefault(what, {})[(kernel.name, backend)] = by.removeprefix("by ")
    rows = [[what, *(found.get((kernel.name, backend), "–") for kernel, backend in columns)] for what, found in lines.items()]
    return table(["hooks", *(f"{kernel.name} {backend}" for kernel, backend in columns)], rows)


def verifier_table(kernels):
    columns = [(kernel, backend) for kernel in kernels for backend in kernel.backends]
    loads = [kernel.loads(backend) for kernel, backend in columns]
    names = sorted({name for found in loads for name in found})
    rows = [[f"`{name}`", *(f"{found[name][0]:,}" if name in found else "" for found in loads)] for name in names]
    rows.append(["all", *(f"{sum(load[0] for load in found.values()):,}" for found in loads)])
    rows.append(["time to load, emulated, ms", *(f"{sum(load[2] for load in found.values()):,.0f}" for found in loads)])
    return table(["program", *(f"{kernel.name} {backend}" for kernel, backend in columns)], rows)


def text(folder, names=tuple(KERNELS)):
    kernels = [Kernel(folder / name) for name in KERNELS if name in names and (folder / name / "refused.json").exists()]
    out = "## Kernels and backends\n\n"
    out += table(
        ["kernel", "suite", "release", *BACKENDS],
        [
            [kernel.name, KERNELS[kernel.name].suite, kernel.told(ANY, "kernel:"), *(kernel.refused.get(name, "yes") for name in BACKENDS)]
            for kernel in kernels
        ],
    )
    out += "## Hooks that tests saw\n\nBy backend; `any` is the program's own choice. *yes*: observed.\n\n" + hooks_table(kernels)
    out += "## By what\n\nWhat `--features` says there.\n\n" + mechanisms_table(kernels)
    out += "## The verifier\n\nInstructions it processed (a kernel's limit is 1,000,000), of each program that was loaded.\n\n"
    out += verifier_table(kernels)
    out += "## What was run\n\n`make test` runs the short form under 5.10 and 6.1, `make test-vm` the long one under all.\n\n"
    out += table(
        ["tests", "backend", "short", "long"],
        [
            [f"{part.what}: `{' '.join(part.tests) if len(part.tests) < 6 else f'{len(part.tests)} of them'}`",
             "each, forced" if part.is_forced else "any", *("yes" if form in part.forms else "" for form in ("short", "long"))]
            for part in PLAN
        ],
    )
    return out


def write(folder, page):
    old = page.read_text(encoding="utf-8")
    begin, end = old.index(BEGIN) + len(BEGIN), old.index(END)
    page.write_text(f"{old[:begin]}\n{text(folder).rstrip()}\n{old[end:]}", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        write(Path(sys.argv[1]), Path(sys.argv[2]))
    else:
        print(text(Path(sys.argv[1])), end="")
