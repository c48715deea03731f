#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""docs/kernels.md out of what the stage vm left: tests/vm/table.py FOLDER [PAGE], FOLDER being build/vm.

What is between the two marks of PAGE is replaced; without PAGE it is printed. Nothing here is written by hand but the headings.
"""

import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

from kernels import KERNELS  # noqa: E402
from plan import ANY, BACKENDS, PERF_UPROBES, PLAN, SLOW  # noqa: E402

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

    @property
    def form(self):
        return json.loads((self.folder / "form.json").read_text(encoding="utf-8"))

    def passed(self):
        """How many tests passed, of those that were run; how many of them when they were run once more."""
        cases = [case for path in self.folder.glob("*.xml") for case in ElementTree.parse(path).iter("testcase")]
        good = [case for case in cases if not any(child.tag in ("failure", "error", "skipped") for child in case)]
        again = sum(len(json.loads(path.read_text(encoding="utf-8"))) for path in self.folder.glob("*.again"))
        return f"{len(good)}{f' of {len(cases)}' if len(good) < len(cases) else ''}{f' ({again} at the second try)' if again else ''}"

    def has(self, backend):
        """yes, or why not: the last of what was said, which names the cause."""
        return self.refused[backend].rpartition(f"{backend}: ")[2] if backend in self.refused else "yes"

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
        """[(program, the verifier's instructions, its own, ms)]; the kernel cuts names, so that several may be one."""
        found = []
        path = self.folder / f"{backend}.loads"
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            load = json.loads(line)
            name = load["program"]
            if not name.startswith(("libbpf_", "ht_")):
                found.append((name, load["verified"] or 0, load["instructions"], load["load_ns"] / 1e6))
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
    """Which mechanism --features says each hook is had by. Columns that say the same are one."""
    columns = {}
    for kernel in kernels:
        for backend in kernel.backends:
            lines = [line[len("hook ") :].rpartition(": ") for line in kernel.features[backend] if line.startswith("hook ")]
            columns.setdefault(tuple((what, by.removeprefix("by ")) for what, _, by in lines), []).append(f"{kernel.name} {backend}")
    whats = list(dict.fromkeys(what for lines in columns for what, _ in lines))
    return table(["hooks", *("; ".join(names) for names in columns.values())], [[what, *(dict(lines).get(what, "–") for lines in columns)] for what in whats])


def verifier_table(kernels):
    """Of programs with one name, cut as it is, and of those that several backends load, the greatest number counts."""
    columns = []
    for kernel in kernels:
        found = {}
        for backend in kernel.backends:
            for name, verified, _, _ in kernel.loads(backend):
                found[name] = max(found.get(name, 0), verified)
        columns.append(found)
    names = sorted({name for found in columns for name in found})
    return table(
        ["program", *(kernel.name for kernel in kernels)],
        [[f"`{name}`", *(f"{found[name]:,}" if name in found else "" for found in columns)] for name in names],
    )


def loads_table(kernels):
    rows = []
    for kernel in kernels:
        for backend in kernel.backends:
            loads = kernel.loads(backend)
            verified, own, ms = (sum(load[at] for load in loads) for at in (1, 2, 3))
            if loads:
                rows.append([f"{kernel.name} {backend}", len(loads), f"{own:,}", f"{verified:,}", f"{ms:,.0f}"])
    return table(["kernel and backend", "programs", "their instructions", "the verifier's", "time to load, emulated, ms"], rows)


def listed(tests):
    """Whole modules as pytest has them; of others the names, by module."""
    if not all("::" in test for test in tests):
        return f"`{' '.join(tests)}`"
    modules = {}
    for test in tests:
        module, _, name = test.partition("::")
        modules.setdefault(module, []).append(name.removeprefix("test_traced[").rstrip("]"))
    return ". ".join(f"`{module}`: {'; '.join(names)}" for module, names in modules.items())


def fewer(part):
    if part.perf is not None:
        return f". Under {', '.join(PERF_UPROBES)}: {listed(part.perf)}"
    if part.fewer is None:
        return ""
    return f". In the {part.forms[0]} form under {', '.join(SLOW)}: {listed(part.fewer) if part.fewer else 'none'}"


def text(folder, names=tuple(KERNELS)):
    kernels = [Kernel(folder / name) for name in KERNELS if name in names and (folder / name / "refused.json").exists()]
    out = "## Kernels and backends\n\n"
    out += table(
        ["kernel", "suite", "release", "form", "tests passed", *BACKENDS],
        [
            [kernel.name, KERNELS[kernel.name].suite, kernel.told(ANY, "kernel:"), kernel.form, kernel.passed(), *map(kernel.has, BACKENDS)]
            for kernel in kernels
        ],
    )
    out += "## Hooks that tests saw\n\nBy backend; `any` is the program's own choice. *yes*: observed.\n\n" + hooks_table(kernels)
    out += "## By what\n\nWhat `--features` says there.\n\n" + mechanisms_table(kernels)
    out += "## The verifier\n\nInstructions it processed (a kernel's limit is 1,000,000), of each program that was loaded.\n\n"
    out += verifier_table(kernels)
    out += "All programs of a backend together, with what was refused and loaded once more:\n\n" + loads_table(kernels)
    out += "## What was run\n\n`make test` runs the short form under 5.10 and 6.1, `make test-vm` the long one under all.\n\n"
    out += table(
        ["tests", "backend", "tracer", "short", "long"],
        [
            [f"{part.what}. {listed(part.tests)}{fewer(part)}",
             "each, forced" if part.is_forced else "any", "one" if part.is_shared else "each its own", *("yes" if form in part.forms else "" for form in ("short", "long"))]
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
