# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The benchmark runs, and its page tells what it should; the figures themselves are no matter of a test."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "tests" / "bench"
sys.path.append(str(BENCH))  # at the end: its bed is another one
import figures  # noqa: E402


def cells(page, row, nth=0):
    """Of the nth table row of that name."""
    rows = [line for line in page.splitlines() if re.match(rf"\| {re.escape(row)} +\|", line)]
    assert len(rows) > nth, f"no row {nth} of {row}: {page}"
    return [cell.strip() for cell in rows[nth].split("|")[1:-1]]


@pytest.fixture
def build():
    return os.environ.get("HTTPTRACE_BUILD", str(ROOT / "build"))


def test_page(build, tmp_path):
    """Our own rows are measured and all requests seen; a peer that is missing is told, and fails nothing."""
    told = tmp_path / "figures.jsonl"
    told.write_text('{"name": "load", "value": 20001, "unit": "requests/s", "wanted": ">= 20000"}\n', encoding="ascii")
    # Programs in sbin are found whatever PATH is, so the one that is missing is bpftrace.
    path = tmp_path / "bin"
    path.mkdir()
    for name in ("bpftool", "cat", "git", "dpkg-query"):
        for folder in ("/usr/sbin", "/usr/bin"):
            if Path(folder, name).exists():
                (path / name).symlink_to(Path(folder, name))
                break
    (path / "openssl").symlink_to("/usr/bin/openssl")
    command = [sys.executable, "-B", BENCH / "bench.py", "--build", build, "--rounds", "1", "--requests", "200", "--starts", "1", "--idle", "2"]
    done = subprocess.run([*command, "--only", "^(httptrace-bpf|bpftrace -p)", "--figures", told, "--write", tmp_path / "page.md"],
                          capture_output=True, text=True, check=False, timeout=120, env={**os.environ, "PATH": str(path)})
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert page.strip() == done.stdout.strip()
    for name, tables in (("httptrace-bpf -p", 4), ("httptrace-bpf", 4), ("httptrace-bpf -p --probe-sites entry", 1)):
        for nth in range(tables):
            row = cells(page, name, nth)
            assert float(row[1]) > 0 and row[-1] == "100.0%", row
    assert cells(page, "bpftrace -p")[1] == "not measured"
    assert "bpftrace -p: all rounds not measured: bpftrace is missing" in page.splitlines()
    assert cells(page, "TLS, -p: of bpftrace")[-1] == "not measured: bpftrace -p"
    assert cells(page, "in the clear, -p, us")[-1] in ("holds", "does not hold")
    assert cells(page, "load") == ["load", "20001", "requests/s", ">= 20000", "holds"]
    runs = cells(page, "`tp_sock_send_length`")
    assert float(runs[1]) > 0.9, runs


@pytest.mark.parametrize(
    "value, wanted, verdict",
    [
        (1, "<= 1", "holds"),
        (1.01, "<= 1", "does not hold"),
        (20000, ">= 20,000 requests/s", "holds"),
        (0, "0", "holds"),
        (1, "0", "does not hold"),
        (5, "< 5.0 us", "does not hold"),
        (-1, "> -2", "holds"),
        (5, "as little as can be", ""),
        (5, None, ""),
        ("many", "<= 1", ""),
    ],
)
def test_figures_are_judged(value, wanted, verdict):
    assert figures.verdict(value, wanted) == verdict


def test_the_last_line_of_a_name_counts(tmp_path):
    path = tmp_path / "figures.jsonl"
    path.write_text('{"name": "a", "value": 1, "wanted": "0"}\n\n{"name": "b", "value": 2.5}\n{"name": "a", "value": 0, "wanted": "0"}\n')
    lines = figures.figure_lines(path)
    assert len(lines) == 4 and "2.5" in lines[2] and "holds" in lines[3] and "not" not in lines[3]
    path.write_text('{"name": "a"}\n')
    with pytest.raises(figures.Failure, match="line 1: not a figure"):
        figures.figure_lines(path)


def test_replay(build):
    """What a request costs our own user space is measured for each way to report; what cannot be replayed is told."""
    ran = subprocess.run([sys.executable, "-B", str(BENCH / "replay.py"), "--build", build, "--requests", "200", "--rounds", "1"],
                         capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    # Each of the two clients makes one request that is not timed.
    head, _, *rows = ran.stdout.splitlines()
    assert head.startswith("202 requests replayed")
    assert [row[:20].strip() for row in rows] == ["counting callback", "the same -H", "text", "jsonl", "jsonl -H"]
    assert all(float(row[20:28]) > 0 for row in rows)
    ran = subprocess.run([sys.executable, "-B", str(BENCH / "replay.py"), "--build", build, "--capture", "/dev/null"],
                         capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 1 and "/dev/null is not a capture" in ran.stderr
