# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""-w and -r: a capture replays to the same bytes, without root; what is cut or damaged reports what is sound and says where it stopped."""

import os
import shutil
import stat

import pytest

from bed import server
from bed.tracer import Trace, Tracer, binary, run
from conftest import Stepper

NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all")


def something_of_everything(bed):
    """A shell script whose clients succeed and fail in different ways."""
    plain, tls = f"http://www.test:{server.PLAIN}", f"https://www.test:{server.TLS}"
    upload = bed.payload(1_200_000)
    return "\n".join(
        [
            f"curl -s -o /dev/null {plain}/1 -o /dev/null {plain}/2 -o /dev/null {plain}/3",
            f"curl -s -o /dev/null '{tls}/4?chunked=1&trailers=1'",
            f"curl -s -o /dev/null --data-binary @{upload} {tls}/5",
            f"curl -s -o /dev/null '{plain}/6?n=900&abort=body'",
            f"curl -s -o /dev/null '{plain}/7?rst=0'",
            f"curl -s -o /dev/null http://gone.test:{server.PLAIN}/",
            f"curl -s -o /dev/null http://127.0.0.1:{server.REFUSED}/",
            f"curl -s -o /dev/null http://six.test:{server.PLAIN_V4}/8",
            f"curl -s -m 0.1 -o /dev/null '{plain}/9?delay=3'",
            "true",
        ]
    )


def test_untraced_script_does_what_it_says(bed):
    assert bed.run(["sh", "-c", something_of_everything(bed)]).returncode == 0
    served = bed.server.take(requests=9)["requests"]
    assert sorted(entry["target"][1] for entry in served) == list("123456789")
    assert [entry["status"] for entry in sorted(served, key=lambda entry: entry["target"])] == [200] * 6 + [None, 200, None]


def capture(bed, *options):
    """(capture file, jsonl of the live run, standard output of the live run) of everything at once."""
    file, report = bed.file("capture"), bed.file("live.jsonl")
    done = run(bed, "-w", file, "-o", f"jsonl={report}", *options, "--", "sh", "-c", something_of_everything(bed))
    assert done.returncode == 0, done.stderr
    with open(report, "rb") as live:
        return file, live.read(), done.stdout


@pytest.fixture(scope="module")
def captured(_bed):
    file, live, _ = capture(_bed)
    return file, live


def replay(bed, file, *options, **more):
    return run(bed, "-r", file, *(options or ("-o", "jsonl")), text=False, **more)


def test_live_run_was_whole(captured):
    trace = Trace(captured[1].decode().splitlines())
    trace.nothing_lost()
    assert {record["outcome"] for record in trace.records} >= {"ok", "closed", "reset", "dns_error", "connect_error", "aborted"}
    assert len(trace.records) == 11


def test_replay_gives_the_same_bytes(bed, captured):
    file, live = captured
    for _ in range(2):
        done = replay(bed, file)
        assert done.returncode == 0, done.stderr
        assert done.stdout == live


def test_replay_with_headers(bed):
    file, live, _ = capture(bed, "-H")
    assert b"WroteHeaderField" in live
    assert replay(bed, file, "-H", "-o", "jsonl").stdout == live
    assert b"WroteHeaderField" not in replay(bed, file).stdout


@pytest.mark.parametrize("sink", ["text", "hooks"])
def test_replay_for_people(bed, sink):
    stepper, file = Stepper(bed), bed.file("capture")
    with Tracer(bed, "-p", str(stepper.pid), "-w", file, "-o", sink, jsonl=False) as tracer:
        for name, host, port, tls in (("a", "127.0.0.1", server.PLAIN, False), ("b", "localhost", server.TLS, True)):
            stepper("connect", name, host, port, {"tls": tls})
            stepper.get(name, "/1", f"{host}:{port}")
            stepper.get(name, "/2?status=404", f"{host}:{port}")
        stepper.end()
        tracer.wait_exit(check=False)
        live = tracer.stdout
    done = replay(bed, file, "-o", sink)
    assert done.returncode == 0 and live.count("/2?status=404") >= 2
    assert done.stdout.decode().rstrip("\n") == live


def test_capture_alone_reports_nothing_else(bed):
    file = bed.file("capture")
    done = run(bed, "-w", file, "--", "curl", "-sS", "-o", "/dev/null", f"http://127.0.0.1:{server.PLAIN}/alone")
    assert (done.returncode, done.stdout) == (0, "")
    assert b"/alone" in replay(bed, file).stdout


def test_capture_is_for_its_owner_only(captured):
    assert stat.S_IMODE(os.stat(captured[0]).st_mode) == 0o600


def test_replay_needs_no_root(bed, captured):
    file, live = captured
    copy, program = bed.file("capture-of-nobody"), bed.file("httptrace-bpf")
    shutil.copy(file, copy)
    os.chown(copy, 65534, 65534)
    shutil.copy(binary(), program)
    os.chmod(program, 0o755)
    done = replay(bed, copy, path=program, prefix=NOBODY)
    assert done.returncode == 0, done.stderr
    assert done.stdout == live


def sound_part(done, live, file):
    """What a replay of a spoilt file may say: whole lines, of the live run, and in one line on standard error where it stopped."""
    assert done.returncode in (0, 1), f"exit status {done.returncode}: {done.stderr}"
    text = done.stderr.decode()
    assert os.path.basename(file) in text and any(
        char.isdigit() for char in text.split(os.path.basename(file), 1)[1]
    ), f"does not say where it stopped: {text!r}"
    trace = Trace(done.stdout.decode().splitlines())
    whole = Trace(live.decode().splitlines())
    cut_behind = 0
    for line, value in zip(trace.lines, trace.objects):
        # what was under way at the cut is incomplete; what had ended before is as it was
        if value["type"] in ("request", "dial") and value["outcome"] != "incomplete" and not value["lost"] and line not in whole.lines:
            # but for what became of the connection, where the cut is right behind the response's end
            assert without_fate(value) in map(without_fate, whole.objects), f"not in the live run: {line}"
            assert not {"PutIdleConn", "ConnClosed"} & {hook["hook"] for hook in value["hooks"]}, line
            cut_behind += 1
    assert cut_behind <= 1, "only one request can have ended right before the cut"
    return trace


def without_fate(value):
    """A report without what is known of its connection up to 5 ms later."""
    if "hooks" not in value:
        return value
    return {**value, "hooks": [hook for hook in value["hooks"] if hook["hook"] not in ("PutIdleConn", "ConnClosed")]}


@pytest.mark.parametrize("share", [0.999, 0.9, 0.7, 0.5, 0.3, 0.1])
def test_truncated_capture(bed, captured, share):
    file, live = captured
    size = int(os.path.getsize(file) * share)
    cut = bed.file("cut")
    with open(file, "rb") as source, open(cut, "wb") as target:
        target.write(source.read(size))
    trace = sound_part(replay(bed, cut), live, cut)
    assert share < 0.9 or trace.requests, "hardly anything is missing, and yet nothing is reported"


@pytest.mark.parametrize("size", [0, 1, 7, 20])
def test_capture_with_no_whole_header(bed, captured, size):
    cut = bed.file("cut")
    with open(captured[0], "rb") as source, open(cut, "wb") as target:
        target.write(source.read(size))
    done = replay(bed, cut)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1 and os.path.basename(cut).encode() in done.stderr


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_damaged_capture(bed, captured, share):
    file, live = captured
    bad = bed.file("bad")
    with open(file, "rb") as source:
        data = bytearray(source.read())
    data[int(len(data) * share)] ^= 0xFF
    with open(bad, "wb") as target:
        target.write(data)
    sound_part(replay(bed, bad), live, bad)


@pytest.mark.parametrize("path", ["/nowhere/at-all", "/etc/passwd", "/dev/null", "/"])
def test_not_a_capture(bed, path):
    done = replay(bed, path)
    assert done.returncode == 1 and not done.stdout
    assert len(done.stderr.splitlines()) == 1 and path.encode() in done.stderr


def test_capture_that_cannot_be_written(bed):
    done = run(bed, "-w", "/nowhere/at-all", "--", "true")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1 and "/nowhere/at-all" in done.stderr
