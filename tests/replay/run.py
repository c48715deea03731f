#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Replays every capture in tests/replay/captures and compares the reports with the expected ones, byte by byte.

usage: run.py BUILD_DIR [--update]     (--update writes the expected files anew: look at the difference before committing it)

A capture NAME.cap has its expected reports in NAME.jsonl (-o jsonl -H --dials all) and NAME.txt (-o hooks -H --dials all). Needs no root and no BPF.
Prints TAP.
"""
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def replay(binary, capture, sink):
    done = subprocess.run([binary, "-r", capture, "-q", "-H", "--dials", "all", "-o", sink], capture_output=True, timeout=60, env={"TZ": "UTC", "LC_ALL": "C.UTF-8"})
    return done.returncode, done.stdout, done.stderr


def main():
    args = [a for a in sys.argv[1:] if a != "--update"]
    update = len(args) != len(sys.argv) - 1
    binary = str(pathlib.Path(args[0]) / "httptrace-bpf")
    cases = [(c, sink, c.with_suffix(ending)) for c in sorted((HERE / "captures").glob("*.cap")) for sink, ending in (("jsonl", ".jsonl"), ("hooks", ".txt"))]
    print(f"1..{len(cases)}")
    failed = 0
    for number, (capture, sink, expected) in enumerate(cases, 1):
        status, out, err = replay(binary, str(capture), sink)
        name = f"{capture.stem} as {sink}"
        if update:
            expected.write_bytes(out)
        wanted = expected.read_bytes() if expected.exists() else b""
        if status == 0 and out == wanted and out:
            print(f"ok {number} - {name}")
            continue
        failed += 1
        print(f"not ok {number} - {name}")
        print(f"# exit status {status}; {err.decode(errors='replace').strip()}")
        got, want = out.decode(errors="replace").splitlines(), wanted.decode(errors="replace").splitlines()
        for line in range(max(len(got), len(want))):
            a = want[line] if line < len(want) else "(nothing)"
            b = got[line] if line < len(got) else "(nothing)"
            if a != b:
                print(f"# line {line + 1} expected: {a}\n# line {line + 1} but got:  {b}")
                break
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
