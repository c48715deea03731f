# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The stage `vm` of tests/run: boots kernels, two at a time as there are two CPUs, and runs plan.py in each (inside.py)."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import typing
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import image
import root
from kernels import KERNELS
from plan import ANY, BACKENDS, parts

HERE = Path(__file__).resolve().parent
FEW = ("5.10", "6.1")  # what `make test` runs
TIMEOUT_S = {"short": 2400, "long": 4 * 3600}
SLOWER = 20  # an emulated processor beside another one


def tell(text):
    print(f"vm      {text}", flush=True)


class Result(typing.NamedTuple):
    kernel: str
    release: str
    folder: Path  # what inside.py left
    status: int  # of run.py
    seconds: float
    log: str


def names(wanted):
    """Names of kernels, of what a user gave: `all`, or names with blanks between."""
    chosen = list(KERNELS) if wanted == "all" else wanted.split()
    unknown = [name for name in chosen if name not in KERNELS]
    if unknown:
        raise ValueError(f"no kernel {', '.join(unknown)}: choose from {', '.join(KERNELS)}")
    return chosen


def build_of(kernel, build):
    """Where what runs under it was built: build/, or build-arm64/ beside it."""
    arch = KERNELS[kernel].arch
    return build if arch == image.host_arch() else build.with_name(f"build-{arch}")


def why_not(kernel, build):
    """What is missing to run it at all, or None."""
    if not (build_of(kernel, build) / "httptrace-bpf").exists():
        return f"{build_of(kernel, build)} holds no program (make ARCH={KERNELS[kernel].arch})"
    qemu = {"amd64": "qemu-system-x86_64", "arm64": "qemu-system-aarch64"}[KERNELS[kernel].arch]
    if not shutil.which(qemu):
        return f"{qemu} is missing (packaging/install-deps.sh vm)"
    try:
        image.image(KERNELS[kernel], tell)
        if KERNELS[kernel].arch != image.host_arch():
            root.root(KERNELS[kernel].arch, tell)
    except image.ImageError as error:
        return f"no image: {error}"
    return None


def run_one(kernel, form, build):
    folder = build / "vm" / kernel
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    begun = time.monotonic()
    command = [
        *(sys.executable, HERE / "run.py", "-v", "--share", folder, "--timeout", str(TIMEOUT_S[form])),
        *("--env", f"HTTPTRACE_SLOWER={SLOWER}", "--console", folder / "console", "--directory", HERE.parent.parent),
        *(kernel, "--", "/usr/bin/python3", HERE / "inside.py", form, build_of(kernel, build)),
    ]
    with open(folder / "log", "w+", encoding="utf-8", errors="replace") as log:
        status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False).returncode
        log.seek(0)
        text = log.read()
    return Result(kernel, image.release(image.cache_directory() / kernel), folder, status, time.monotonic() - begun, text)


def run(kernels, form, build):
    """Result of each, as they end."""
    with ThreadPoolExecutor(max(1, min(2, os.cpu_count() or 1))) as pool:
        running = [pool.submit(run_one, kernel, form, build) for kernel in kernels]
        for done in as_completed(running):
            yield done.result()


def refused(result):
    try:
        return json.loads((result.folder / "refused.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {backend: "not known" for backend in BACKENDS}


def files(result, form):
    """(backend, part, path of its results) of everything that should have been run."""
    lacking = refused(result)
    for backend in (ANY, *(name for name in BACKENDS if name not in lacking)):
        for number, part in enumerate(parts(form, backend != ANY, result.kernel)):
            yield backend, part, result.folder / f"{backend}-{number}.xml"


def uncounted(result):
    """Backends of which it is not known what the verifier said."""
    lacking = refused(result)
    paths = {backend: result.folder / f"{backend}.loads" for backend in (ANY, *BACKENDS) if backend not in lacking}
    return [backend for backend, path in paths.items() if not path.exists() or not re.search(r'"verified": \d', path.read_text(encoding="utf-8"))]
