#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Runs in the machine: tests/vm/inside.py FORM BUILD, the parts of plan.py that are of FORM, with what is in BUILD.

Out, in $HTTPTRACE_VM_SHARE, for each BACKEND (any: the program's own choice):
    BACKEND.features, BACKEND.loads    `--features`, and what the verifier said then of each program
    BACKEND-N.xml, BACKEND-N.seen      pytest's results of each part; which hooks its passed tests saw, and how
    BACKEND-N.again                    names of tests that failed first and then passed (see tests_again)
    form.json                          FORM
    refused.json                       {backend: why it cannot be had}
    ended                              when all of it was run
Exit status 0, whatever the tests say: stage.py counts.
"""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

from plan import ANY, BACKENDS, parts  # noqa: E402

E2E = Path(__file__).resolve().parent.parent / "e2e"
TIMEOUT_S = 600  # of what is no test
AGAIN_MAX = 3  # tests of a part
FAILURES = ("failure", "error")


class Inside:
    def __init__(self, form, build):
        self.form, self.build = form, build
        self.program = build / "httptrace-bpf"
        self.share = Path(os.environ["HTTPTRACE_VM_SHARE"])
        self.env = {**os.environ, "HTTPTRACE_BPF": str(self.program), "HTTPTRACE_BUILD": str(build)}

    def run_program(self, *arguments, **env):
        return subprocess.run(
            [self.program, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
            env={**self.env, **env},
        )

    def features(self, backend):
        """Leaves what --features says, and what the verifier did. None, or why this kernel has not got the backend."""
        option = () if backend == ANY else ("--backend", backend)
        preload = str(self.build / "tests/vm/loads.so")
        done = self.run_program(*option, "--features", LD_PRELOAD=preload, HTTPTRACE_LOADS=str(self.share / f"{backend}.loads"))
        told = done.stdout + done.stderr
        (self.share / f"{backend}.features").write_text(told, encoding="utf-8")
        for line in told.splitlines():
            if line.startswith("BPF programs: no: ") or "which cannot be done without" in line:
                return line.removeprefix("BPF programs: no: ")
        return None if "BPF programs, ring buffer: loaded" in told else f"exit status {done.returncode}"

    def tests(self, backend):
        env = dict(self.env) if backend == ANY else {**self.env, "HTTPTRACE_BACKEND": backend}
        for number, part in enumerate(parts(self.form, backend != ANY, os.environ["HTTPTRACE_VM"])):
            print(f"-- {backend}: {part.what}", flush=True)
            results = self.share / f"{backend}-{number}"
            env["HTTPTRACE_SEEN"], env["HTTPTRACE_SHARED"] = f"{results}.seen", "1" if part.is_shared else ""
            # Started for each part: -k is for one part only.
            command = [sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", "-q", "--color=no", f"--junitxml={results}.xml"]
            subprocess.run([*command, *part.tests], cwd=E2E, env=env, stdin=subprocess.DEVNULL, check=False)
            self.tests_again(command[:-1], results, env)

    def tests_again(self, command, results, env):
        """The emulated machine stands still now and then, for longer than servers and clients wait: a few that failed are run once more, which is told."""
        path, second, passed = Path(f"{results}.xml"), Path(f"{results}.second"), []
        try:
            tree = ElementTree.parse(path)
        except (OSError, ElementTree.ParseError):
            return
        failed = [case for case in tree.iter("testcase") if any(child.tag in FAILURES for child in case)]
        if len(failed) > AGAIN_MAX:
            return
        for case in failed:
            test = f"{case.get('classname').replace('.', '/')}.py::{case.get('name')}"
            print(f"-- once more: {test}", flush=True)
            seen = {"HTTPTRACE_SEEN": f"{results}.{len(passed)}.seen"}
            done = subprocess.run([*command, f"--junitxml={second}", test], cwd=E2E, env={**env, **seen}, stdin=subprocess.DEVNULL, check=False)
            if done.returncode != 0:
                continue
            passed.append(f"{case.get('classname')}.{case.get('name')}")
            for child in list(case):
                case.remove(child)
        if passed:
            tree.write(path)
            Path(f"{results}.again").write_text(json.dumps(passed), encoding="utf-8")

    def run(self):
        (self.share / "form.json").write_text(json.dumps(self.form), encoding="utf-8")
        self.features(ANY)
        refused = {backend: why for backend in BACKENDS if (why := self.features(backend))}
        (self.share / "refused.json").write_text(json.dumps(refused), encoding="utf-8")
        for backend in (*(name for name in BACKENDS if name not in refused), ANY):
            self.tests(backend)
        (self.share / "ended").touch()


if __name__ == "__main__":
    Inside(sys.argv[1], Path(sys.argv[2])).run()
