# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Faults of where reports go: a full disk, a slow reader, a reader or the tracer itself stopped, a trace that does not begin."""

import os
import signal
import stat
import subprocess
import threading

import pytest

import faults
from bed import netns, server
from bed.tracer import READY, Trace, Tracer, binary, run, trace_command
from bed.wait import wait_until


def said(trace):
    return [line for line in trace.stderr.splitlines() if line and not line.startswith(READY)]


@pytest.fixture
def small(bed):
    """A file system of 256 KiB, in the tests' own mount namespace."""
    folder = bed.file("small")
    os.mkdir(folder)
    netns._check(netns._libc.mount(b"none", folder.encode(), b"tmpfs", 0, b"size=256k"), "mount a small tmpfs")
    yield folder
    netns._check(netns._libc.umount2(folder.encode(), 2), "umount")  # MNT_DETACH


def free_bytes(folder):
    return os.statvfs(folder).f_bavail * os.statvfs(folder).f_bsize


def lines_of(path):
    """(whole lines, whether something is left behind the last of them)."""
    with open(path, "rb") as file:
        whole, _, rest = file.read().rpartition(b"\n")
    return whole.decode("utf-8").splitlines(), bool(rest)


def test_disk_fills_up_with_reports(bed, small):
    """The targets go on; one line says it; what is there is right, and ends with a whole line."""
    load, path = faults.Load(bed, clients=2, rate=200).go(), os.path.join(small, "reports.jsonl")
    with Tracer(bed, "-p", load.pid_list, "-o", f"jsonl={path}", jsonl=False) as tracer:
        ended = tracer.wait_exit(timeout_s=60)
    load.more(50)
    load.end()
    assert ended.status == 1 and free_bytes(small) < 8192
    assert len(said(ended)) == 1 and all(part in said(ended)[0] for part in (path, "No space left")), ended.stderr
    lines, is_cut = lines_of(path)
    assert not is_cut
    trace = Trace(lines, ended.status, ended.stderr)
    assert len(trace.requests) >= 50
    assert faults.wrong_credits(trace, load, load.truth()) == []


def test_disk_fills_up_with_the_capture(bed, small):
    """Likewise; what was captured replays up to the cut."""
    load, path = faults.Load(bed, clients=2, rate=200).go(), os.path.join(small, "trace.cap")
    with Tracer(bed, "-p", load.pid_list, "-w", path, jsonl=False) as tracer:
        ended = tracer.wait_exit(timeout_s=60)
    load.more(50)
    load.end()
    assert ended.status == 1 and free_bytes(small) < 256 * 1024
    assert len(said(ended)) == 1 and all(part in said(ended)[0] for part in (path, "No space left")), ended.stderr
    done = run(bed, "-r", path, "-o", "jsonl")
    trace = Trace(done.stdout.splitlines(), done.returncode, done.stderr)
    assert len(trace.requests) >= 50
    assert faults.wrong_credits(trace, load, load.truth()) == []


def test_disk_is_full_from_the_beginning(bed, small):
    """COMMAND runs to its end all the same, and has all its answers."""
    with open(os.path.join(small, "filler"), "wb") as file, pytest.raises(OSError):
        while True:
            os.write(file.fileno(), bytes(4096))
    name = bed.unique()
    commands = [f"curl -sS -o /dev/null http://127.0.0.1:{server.PLAIN}/{name}-{number}" for number in range(3)]
    for options in (["-o", f"jsonl={small}/a.jsonl"], ["-w", f"{small}/a.cap"]):
        done = run(bed, *options, "--", "sh", "-c", " && ".join(commands))
        assert done.returncode == 1 and "No space left" in done.stderr, done.stderr
        if options[0] == "-o":
            assert len(bed.server.take(requests=3)["requests"]) == 3


class Pipe:
    """The tracer's standard output, read by this process as slowly as it likes."""

    def __init__(self, bed, *options):
        self.out, inlet = os.pipe()
        self.err = bed.file("stderr")
        with open(self.err, "wb") as err:
            self.process = bed.start([binary(), "-o", "jsonl", *options], stdin=subprocess.DEVNULL, stdout=inlet, stderr=err, text=False)
        os.close(inlet)
        self.data = b""
        wait_until(lambda: faults.has(self.err, READY.encode()) or self.process.poll() is not None, 20, "the tracer")
        assert self.process.poll() is None, self.stderr

    @property
    def stderr(self):
        with open(self.err, encoding="utf-8") as file:
            return file.read()

    def read(self, size=1 << 20):
        data = os.read(self.out, size)
        self.data += data
        return data

    def finish(self, number=signal.SIGINT):
        self.process.send_signal(number)
        while self.read():
            pass
        os.close(self.out)
        status = self.process.wait(20)
        assert self.data.endswith(b"\n") or not self.data, f"the last line is cut: {self.data[-100:]!r}"
        return Trace(self.data.decode("utf-8").splitlines(), status, self.stderr)


def losses_are_told(trace, load, truth):
    assert trace.lost == sum(trace.summary["lost"].values()), f"told {trace.lost}, summary {trace.summary['lost']}"
    wrong = faults.wrong_credits(trace, load, truth, allow_loss=True)
    assert not wrong, f"{len(wrong)} wrong: {wrong[:10]}"


def test_slow_reader(bed):
    """A reader slower than the load: its lines are whole, what it misses is told, the targets wait for nobody."""
    load = faults.Load(bed, clients=4, rate=150).go()
    pipe = Pipe(bed, "--ring-size", "65536", "-p", load.pid_list)
    size, pace = os.path.getsize(load.nginx.log_path), threading.Event()
    while os.path.getsize(load.nginx.log_path) < size + 60 * 2000:
        pipe.read(2048)
        pace.wait(0.02)  # 100 kB/s: the slowness is what is tested
    trace = pipe.finish()
    slowest_ms = max(told["slowest_ms"] for told in load.tell())
    load.end()
    assert trace.status == 0 and trace.lost > 0, "nothing was lost: this test proved nothing"
    losses_are_told(trace, load, load.truth())
    assert slowest_ms < 2000
    faults.figure("faults: slow reader: events lost, all told", trace.lost, f"of {trace.summary['events']}", "told")


def test_reader_and_tracer_stopped_for_ten_seconds(bed):
    """SIGSTOP of who reads the reports, and of another tracer itself, while the targets go on: then both go on as if nothing had been."""
    load, out, file = faults.Load(bed, clients=2, rate=100).go(), bed.file("stopped-reader.jsonl"), bed.file("stopped-tracer.jsonl")
    inlet, outlet = os.pipe()
    with open(out, "wb") as sink:
        reader = bed.start(["cat"], stdin=inlet, stdout=sink, text=False)
    piped = bed.start([binary(), "-p", load.pid_list, "-o", "jsonl"], stdin=subprocess.DEVNULL, stdout=outlet, stderr=subprocess.PIPE)
    os.close(inlet), os.close(outlet)
    with Tracer(bed, "-p", load.pid_list, "-o", f"jsonl={file}", jsonl=False) as tracer:
        for path in (out, file):
            wait_until(lambda: faults.has(path, b'"outcome":"ok"'), 20, "reports")  # noqa: B023
        load.tell()
        reader.send_signal(signal.SIGSTOP)
        tracer.process.send_signal(signal.SIGSTOP)
        load.more(2000, timeout_s=60)  # ten seconds of theirs
        slowest_ms = max(told["slowest_ms"] for told in load.tell())
        reader.send_signal(signal.SIGCONT)
        tracer.process.send_signal(signal.SIGCONT)
        marks = [f"/{name}/{told['sent']}?".encode() for name, told in zip(load.names, load.tell())]
        for path in (out, file):
            wait_until(lambda: all(faults.has(path, mark) for mark in marks), 20, "reports of what came after")  # noqa: B023
        piped.send_signal(signal.SIGINT)
        assert piped.wait(10) == 0 and reader.wait(10) == 0
        tracer.stop()
    load.end()
    truth = load.truth()
    for path in (out, file):
        lines, rest = lines_of(path)
        trace = Trace(lines)
        assert not rest
        losses_are_told(trace, load, truth)
        seen = {record["url"] for record in trace.requests}
        ordered = sorted(truth, key=lambda url: truth[url][1:])
        missing = [url for url in ordered if url not in seen]
        # Before it was attached and after its end it sees nothing; between, only what it says it lost.
        bounds = {pid: [truth[url][2] for url in seen if url in truth and truth[url][0] == pid] for pid in load.pids}
        inside = [url for url in missing if min(bounds[truth[url][0]]) < truth[url][2] < max(bounds[truth[url][0]])]
        assert len(inside) <= trace.lost, f"{len(inside)} missing, {trace.lost} lost: {inside[:5]}"
        name = os.path.basename(path).split("-", 1)[1].split(".")[0].replace("-", " ")
        faults.figure(f"faults: {name} for 10 s: requests missing", len(inside), f"of {len(seen)}; lost {trace.summary['lost']}", "0 or told")
    assert slowest_ms < 2000, "a target waited for a stopped tracer"


def test_ends_though_nobody_reads(bed):
    """SIGTERM with a reader that has stopped: it ends, and says what was left unwritten."""
    load = faults.Load(bed, clients=2, rate=200).go()
    pipe = Pipe(bed, "-p", load.pid_list)
    load.more(400)  # far more than a pipe holds
    pipe.process.send_signal(signal.SIGTERM)
    status = pipe.process.wait(10)
    while pipe.read():
        pass
    os.close(pipe.out)
    load.end()
    lines = pipe.data.decode("utf-8").split("\n")
    trace = Trace(lines[:-1], status, pipe.stderr)
    assert lines[-1] == "", f"the last line is cut: {lines[-1][-100:]!r}"
    assert status == 1 and "standard output: cannot be written" in trace.stderr, (status, trace.stderr)
    assert faults.wrong_credits(trace, load, load.truth()) == []


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_no_capture_of_a_trace_that_does_not_begin(bed):
    """A file that was there stays as it was; one that was not is not made."""
    new, old = bed.file("new.cap"), bed.file("old.cap")
    with open(old, "wb") as file:
        file.write(b"somebody's")
    os.chmod(old, 0o644)
    for path in (new, old):
        done = run(bed, "-w", path, "-p", "4194303")
        assert done.returncode == 1 and "4194303" in done.stderr
    assert not os.path.exists(new)
    with open(old, "rb") as file:
        assert file.read() == b"somebody's" and mode(old) == 0o644
    # And once it does begin, the older file is replaced as a whole, and made private.
    with open(old, "wb") as file:
        file.write(bytes(1 << 20))
    done = trace_command(bed, ["true"], "-w", old)
    assert done.status == 0 and mode(old) == 0o600 and os.path.getsize(old) < 1 << 20
    replayed = run(bed, "-r", old, "-o", "jsonl")
    assert replayed.returncode == 0 and not replayed.stderr, replayed.stderr
