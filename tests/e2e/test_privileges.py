# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What the tracer gives up once it is attached: every capability but those it says it keeps, in every thread; and that these suffice for what comes later."""

import os
import re
import shutil
import signal
import ssl
import subprocess

import pytest

from bed import server
from bed.tracer import Trace, Tracer, binary, run, trace_command
from bed.wait import wait_until

NOBODY = 65534
AS_NOBODY = ("setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups")
# capabilities(7)
NUMBERS = {"CAP_DAC_READ_SEARCH": 2, "CAP_KILL": 5, "CAP_SYS_PTRACE": 19, "CAP_SYS_ADMIN": 21, "CAP_PERFMON": 38, "CAP_BPF": 39, "CAP_CHECKPOINT_RESTORE": 40}
KEPT = {"CAP_BPF", "CAP_PERFMON", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH", "CAP_CHECKPOINT_RESTORE"}
with open("/proc/sys/kernel/perf_event_paranoid", encoding="ascii") as _file:
    # Debian's own value: nobody else may open perf events, which probes are before uprobe_multi (6.6).
    if int(_file.read()) > 2 and tuple(map(int, os.uname().release.split(".")[:2])) < (6, 6):
        KEPT.add("CAP_SYS_ADMIN")


def said(stderr):
    """The capabilities that the tracer says it keeps, each with a reason."""
    lines = [line for line in stderr.splitlines() if line.startswith("httptrace-bpf: keeps ")]
    assert len(lines) == 1 and lines[0].endswith("; no other capability"), stderr
    found = re.findall(r"(CAP_[A-Z_]+) \(([^)]+)\)", lines[0])
    assert all(why for _, why in found)
    return {name for name, _ in found}


def threads(pid):
    """The capability sets and the like of every thread."""
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="ascii", errors="replace") as file:
            found.append(dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line))
    return found


def check_threads(pid, names):
    mask = sum(1 << NUMBERS[name] for name in names)
    for status in threads(pid):
        sets = {name: int(status[name], 16) for name in ("CapPrm", "CapEff", "CapInh", "CapAmb")}
        assert sets == {"CapPrm": mask, "CapEff": mask, "CapInh": 0, "CapAmb": 0}, f"thread {status['Pid']}: {sets}, expected {mask:x}"
        assert status["NoNewPrivs"] == "1"


MODES = {
    "one process": lambda pid: ["-p", str(pid)],
    "one process without children": lambda pid: ["-p", str(pid), "--no-follow"],
    "by name": lambda pid: ["-n", "no-such-name-*"],
    "the whole system": lambda pid: [],
}


@pytest.mark.parametrize("mode", MODES)
def test_every_thread_has_what_is_said(bed, stepper, mode):
    with Tracer(bed, "-v", *MODES[mode](stepper.pid)) as tracer:
        assert said(tracer.stderr) == KEPT
        check_threads(tracer.pid, KEPT)
        stepper("connect", "a", "localhost", server.TLS, {"tls": True})
        stepper.get("a", "/1")
        # Threads that were started since then have no more.
        check_threads(tracer.pid, KEPT)
        trace = tracer.stop()
    assert len(trace.matching("/1")) == (mode != "by name")


def test_nothing_is_kept_that_was_not_there(bed):
    """With two capabilities only, these are kept; nobody's own processes are traced all the same."""
    program, given = bed.file("httptrace-bpf"), "-all,+bpf,+perfmon"
    shutil.copy(binary(), program)
    os.chmod(program, 0o755)
    client = bed.start([*AS_NOBODY, *bed.script("steps.py", '[["hold"]]')])
    client.stdout.readline()
    prefix = (*AS_NOBODY, f"--inh-caps={given}", f"--ambient-caps={given}")
    with Tracer(bed, "-v", "-p", str(client.pid), path=program, prefix=prefix) as tracer:
        assert said(tracer.stderr) == {"CAP_BPF", "CAP_PERFMON"}
        check_threads(tracer.pid, {"CAP_BPF", "CAP_PERFMON"})
        tracer.stop()


# As nobody, from a folder that only nobody may enter, a copy of libssl that is deleted as soon as it is mapped.
LATER = """
import ctypes, os, subprocess, sys
url, libraries = sys.argv[1:]
print(os.getpid(), flush=True)
sys.stdin.readline()
subprocess.run(["curl", "-sS", "-o", os.devnull, url + "-child"], check=True)
print("child", flush=True)
sys.stdin.readline()
for name in ("libcrypto.so.3", "libssl.so.3"):
    ctypes.CDLL(os.path.join(libraries, name), mode=ctypes.RTLD_GLOBAL)
print("loaded", flush=True)
sys.stdin.readline()
import urllib.request
urllib.request.urlopen(url + "-library").read()
print("done", flush=True)
sys.stdin.readline()
"""


def openssl_of(pid):
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        return {line.split()[5] for line in maps if re.search(r"/lib(ssl|crypto)\.so\.3( |$)", line)}


def copy_of_openssl(bed):
    folder = bed.file("private")
    os.mkdir(folder)
    assert ssl.OPENSSL_VERSION  # which has loaded it
    for path in openssl_of("self"):
        shutil.copy(path, folder)
    for root, _, files in os.walk(folder):
        for name in files:
            os.chown(os.path.join(root, name), NOBODY, NOBODY)
            os.chmod(os.path.join(root, name), 0o500)
    os.chown(folder, NOBODY, NOBODY)
    os.chmod(folder, 0o700)
    return folder


@pytest.mark.parametrize("is_deleted", [False, True], ids=["private", "private and deleted"])
@pytest.mark.parametrize("scope", ["one process", "the whole system"])
def test_what_is_kept_suffices_for_what_comes_later(bed, scope, is_deleted):
    """A child of another user, a library loaded later from where only that user may read: attached with what is left."""
    name, folder = bed.unique(), copy_of_openssl(bed)
    url = f"https://localhost:{server.TLS}/{name}"
    client = bed.start([*AS_NOBODY, "/usr/bin/python3", "-c", LATER, url, folder])

    def step(expected):
        client.stdin.write("go\n")
        client.stdin.flush()
        assert client.stdout.readline() == f"{expected}\n"

    pid = client.stdout.readline().strip()
    with Tracer(bed, "-v", *(("-p", pid) if scope == "one process" else ())) as tracer:
        check_threads(tracer.pid, said(tracer.stderr))
        step("child")
        tracer.wait_url(f"/{name}-child")
        step("loaded")
        attached = os.path.join(folder, "libssl.so.3")
        tracer.wait_for(lambda line: line["type"] == "target" and line["path"] == attached and line["action"] == "attached")
        if is_deleted:
            shutil.rmtree(folder)
        step("done")
        tracer.wait_url(f"/{name}-library")
        assert {os.path.dirname(path) for path in openssl_of(pid)} == {folder}, "not the copy was used"
        trace = tracer.stop()
    for what in ("child", "library"):
        record = trace.one(f"/{name}-{what}")
        assert (record["outcome"], record["status"]) == ("ok", 200) and record["conn"]["tls"]["version"]


STATUS = "grep -E '^(Cap|NoNewPrivs|Seccomp|Uid|Gid|Groups|SigBlk|SigIgn|SigCgt)' /proc/self/status; cat /proc/self/limits; nice; chrt -p $$ | sed 's/^pid [0-9]*//'; umask"


@pytest.mark.parametrize("who", [{}, {"SUDO_UID": str(NOBODY), "SUDO_GID": str(NOBODY)}], ids=["root", "sudo"])
def test_command_has_all_its_rights(bed, who):
    """Capabilities, limits, priority: as without us."""
    alone = bed.run([*(("setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--init-groups") if who else ()), "sh", "-c", STATUS])
    trace = trace_command(bed, ["sh", "-c", STATUS], "-v", env={**bed.env, **who})
    assert alone.returncode == 0 and trace.stdout == alone.stdout
    assert said(trace.stderr) == KEPT | {"CAP_KILL"}


def test_signals_reach_a_command_of_another_user(bed):
    script = "trap 'echo got; exit 7' TERM; echo ready; while :; do read -r line; done"
    env = {**bed.env, "SUDO_UID": str(NOBODY), "SUDO_GID": str(NOBODY)}
    process = bed.start([binary(), "-q", "-o", f"jsonl={bed.file('x')}", "--", "sh", "-c", script], env=env)
    assert process.stdout.readline() == "ready\n"
    check_threads(process.pid, KEPT | {"CAP_KILL"})
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "got\n" and process.wait(10) == 7


def test_files_of_another_user_are_written(bed):
    """Opened, and an older capture made private, before the rights to it are given up."""
    folder = bed.file("theirs")
    os.mkdir(folder)
    report, capture = os.path.join(folder, "report"), os.path.join(folder, "capture")
    for path in (report, capture):
        with open(path, "w", encoding="ascii") as file:
            file.write("old")
        os.chown(path, NOBODY, NOBODY)
        os.chmod(path, 0o644)
    os.chmod(report, 0o600)
    os.chown(folder, NOBODY, NOBODY)
    os.chmod(folder, 0o700)
    done = run(bed, "-w", capture, "-o", f"jsonl={report}", "--", "curl", "-sS", "-o", os.devnull, f"http://127.0.0.1:{server.PLAIN}/x")
    assert done.returncode == 0, done.stderr
    with open(report, encoding="utf-8") as file:
        assert Trace(file.read().splitlines()).one("/x")
    status = os.stat(capture)
    assert (status.st_mode & 0o7777, status.st_uid) == (0o600, NOBODY) and status.st_size > 100
    assert run(bed, "-r", capture, "-o", "jsonl").stdout.count('"type":"request"') == 1


def test_a_capture_is_read_with_no_rights(bed):
    capture = bed.file("capture")
    assert run(bed, "-q", "-w", capture, "--", "curl", "-sS", "-o", os.devnull, f"http://127.0.0.1:{server.PLAIN}/x").returncode == 0
    # Standard output is a pipe that nobody empties: it is still there when it is looked at.
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"\n" * 65536)
    except BlockingIOError:
        pass
    os.set_blocking(writer, True)
    process = subprocess.Popen([binary(), "-r", capture, "-o", "jsonl"], stdout=writer, env=bed.env)
    os.close(writer)
    try:
        wait_until(lambda: threads(process.pid)[0]["CapPrm"].strip("0") == "", 10, "the reader of a capture to give up its capabilities")
        check_threads(process.pid, set())
    finally:
        os.close(reader)
    assert process.wait(10) == 0
