# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Processes made to hurt whoever traces them: what they lie ends in a counter; the tracer goes on, sees honest ones as before, and stays small."""

import os
import pty
import re
import shutil
import signal
import subprocess

import pytest

from bed import server
from bed.tracer import Trace, Tracer, binary, repository, run
from bed.wait import wait_until
from conftest import Stepper

# Private memory, the ring's shared pages not counted; the bound of a tracer with 10,000 connections.
MEMORY_MAX_KB = 64 * 1024


def build():
    return os.environ.get("HTTPTRACE_BUILD") or os.path.join(repository(), "build")


def check_memory(pid):
    if os.environ.get("HTTPTRACE_SANITIZED"):
        return  # the sanitizers' own
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        used_kb = int(re.search(r"RssAnon:\s+(\d+) kB", file.read())[1])
    assert used_kb <= MEMORY_MAX_KB


class Liar:
    """A copy of clients/liar whose file is named as a library."""

    def __init__(self, bed, scenario, library):
        folder = bed.file("liar")
        os.mkdir(folder)
        self.path = os.path.join(folder, library)
        shutil.copy(os.path.join(build(), "tests", "e2e", "clients", "liar"), self.path)
        self.process = bed.start([self.path, scenario, str(server.PLAIN)])
        self.pid = int(self.process.stdout.readline())

    def lie(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer == "done\n", f"{answer!r}: the liar has ended: {self.process.wait(10)}"

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(10) == 0


SCENARIOS = [("tls", "libssl.so.3"), ("names", "libc.so.6"), ("memory", "libc.so.6")]


@pytest.mark.parametrize("scenario, library", SCENARIOS, ids=[row[0] for row in SCENARIOS])
def test_untraced_liar_lies_to_its_end(bed, scenario, library):
    liar = Liar(bed, scenario, library)
    liar.lie()
    liar.end()


@pytest.mark.parametrize("scope", ["one process", "the whole system"])
@pytest.mark.parametrize("scenario, library", SCENARIOS, ids=[row[0] for row in SCENARIOS])
def test_lies_end_in_a_counter(bed, scenario, library, scope):
    name, liar, honest = bed.unique(), Liar(bed, scenario, library), Stepper(bed)
    only = ("-p", f"{liar.pid},{honest.pid}") if scope == "one process" else ()
    report = bed.file("report")

    def is_told(what):
        with open(report, encoding="utf-8") as file:
            return f"/{name}-{what}" in file.read()

    def has_caught_up():
        honest("connect", "c", "127.0.0.1", server.PLAIN)
        honest.get("c", f"/{name}-behind")
        return is_told("behind")

    # Into a file: nobody who reads slowly holds the tracer up.
    with Tracer(bed, *only, "-vv", "-H", "--dials", "all", "-o", f"jsonl={report}", jsonl=False) as tracer:
        attached = [line for line in tracer.stderr.splitlines() if liar.path in line]
        honest("connect", "a", "localhost", server.TLS, {"tls": True})
        honest.get("a", f"/{name}-before")
        liar.lie()
        # Lies by the ten thousand fill the ring of a tracer that is slow at the moment: what finds no room then is counted, whoever it is from.
        wait_until(has_caught_up, 30, "any request of the honest process")
        honest.get("a", f"/{name}-after")
        honest("connect", "b", "127.0.0.1", server.PLAIN)
        honest.get("b", f"/{name}-clear")
        wait_until(lambda: is_told("clear"), 30, "the honest process's request")
        check_memory(tracer.pid)
        liar.end()
        stopped = tracer.stop()
    with open(report, encoding="utf-8") as file:
        trace = Trace(file.read().split("\n")[:-1], stopped.status, stopped.stderr, fields=True)
    # Its functions were probed, or it would have lied to nobody.
    found = [value for value in trace.of_type("target") if value["path"] == liar.path and value["action"] == "attached"]
    assert found and found[0]["probes"] >= (8 if scenario == "tls" else 1), (attached, trace.stderr[-2000:])
    for what in ("before", "after", "clear"):
        record = trace.one(f"/{name}-{what}")
        assert (record["pid"], record["outcome"], record["status"]) == (honest.pid, "ok", 200)
    if scenario == "tls":
        assert trace.summary["evicted_bpf_tls_objects"] > 0
    counters = re.search(r"BPF counters: (.*)", trace.stderr)
    assert counters, trace.stderr[-2000:]
    # What is taken away while it is sent may be gone before the probe reads it, or not: on a busy machine it never was.
    assert scenario == "memory" or re.search(r"user memory not readable [1-9]", counters[1]), trace.stderr[-2000:]


# What a terminal would obey: C0, DEL, C1 in UTF-8, and the characters that turn the direction of writing.
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp.exe\r\nhttptrace-bpf: fake line\t\x7f\x08"


def check_harmless(data, what):
    """Valid UTF-8, nothing that a terminal obeys, no line that somebody else has written."""
    text = data.decode("utf-8", "strict")
    found = OBEYED.search(text)
    assert not found, f"{what}: {text[max(0, found.start() - 100) : found.start() + 100]!r}"
    for line in text.split("\n"):
        assert not line.startswith("httptrace-bpf: fake line"), f"{what}: {line!r}"


EVIL_BYTES = EVIL.encode() + b"\xff\xc3\x28\xed\xa0\x80"

NAMED = """
import ctypes, os, socket, sys
port, evil, marks = int(sys.argv[1]), os.fsencode(sys.argv[2]), sys.argv[3]
ctypes.CDLL(None).prctl(15, evil[:15], 0, 0, 0)
print(os.getpid(), flush=True)
sys.stdin.readline()
try:
    socket.getaddrinfo(evil.replace(b"\\0", b"")[:60], 80)
except OSError:
    pass
for head in (
    b"GET /%s-target%s HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n" % (marks.encode(), evil.translate(None, b"\\r\\n\\t ") ),
    b"GET /%s-host HTTP/1.1\\r\\nHost: h%s\\r\\n\\r\\n" % (marks.encode(), evil.translate(None, b"\\r\\n\\0")),
    b"GET /%s-field HTTP/1.1\\r\\nHost: h\\r\\nX-Evil: %s\\r\\n\\r\\n" % (marks.encode(), evil.translate(None, b"\\r\\n\\0")),
    b"GET /%s-utf8\\xc2\\x9b31m\\xe2\\x80\\xae HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n" % marks.encode(),
    b"G\\x1b[2JET /%s-method HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n" % marks.encode(),
):
    sock = socket.create_connection(("127.0.0.1", port))
    sock.sendall(head)
    sock.recv(65536)
    sock.close()
print("done", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
def test_names_that_a_terminal_would_obey(bed, terminal):
    """Process names, paths of programs and libraries, host names, targets, fields: in every sink, on standard error, in --targets."""
    name = bed.unique()
    folder = os.path.join(os.fsencode(bed.file("evil")), EVIL_BYTES.replace(b"/", b"").replace(b"\0", b""))
    os.makedirs(folder)
    program, library = os.path.join(folder, b"python3" + EVIL_BYTES[:20]), os.path.join(folder, b"libssl.so.3")
    shutil.copy(os.path.realpath("/usr/bin/python3"), program)
    shutil.copy(os.path.join(build(), "tests", "e2e", "clients", "liar"), library)
    fake = bed.start([library, "tls", "1"])
    fake.stdout.readline()
    client = bed.start([program, "-c", NAMED, str(server.PLAIN), EVIL_BYTES, name])
    pid = client.stdout.readline().strip()
    files = {sink: bed.file(sink) for sink in ("text", "hooks", "jsonl")}
    options = [word for sink, file in files.items() for word in ("-o", f"{sink}={file}")]
    arguments = ["-vv", "-H", "-p", f"{pid},{fake.pid}", *options]
    shown = b""
    if terminal:
        leader, follower = pty.openpty()
        process = subprocess.Popen([binary(), *arguments, "-o", "text"], stdin=subprocess.DEVNULL, stdout=follower, stderr=follower, env=bed.env)
        os.close(follower)
        while b"httptrace-bpf: tracing" not in shown:
            shown += os.read(leader, 65536)
    else:
        process = bed.start([binary(), *arguments, "-o", "text"], text=False, stderr=subprocess.PIPE)
        while b"httptrace-bpf: tracing" not in shown:
            shown += process.stderr.readline()
    client.stdin.write("go\n")
    client.stdin.flush()
    assert client.stdout.readline() == "done\n"
    targets = run(bed, "--targets", "-p", f"{pid},{fake.pid}", text=False)
    assert targets.returncode == 0 and pid.encode() in targets.stdout
    process.send_signal(signal.SIGINT)
    if terminal:
        try:
            while data := os.read(leader, 65536):
                shown += data
        except OSError:
            pass  # EIO: nobody has it open any more
        os.close(leader)
        # The terminal's own line ends; colours are ours.
        shown = re.sub(rb"\x1b\[[0-9;]*m", b"", shown.replace(b"\r\n", b"\n"))
    else:
        shown += process.stderr.read()
        check_harmless(process.stdout.read(), "standard output")
    assert process.wait(20) == 0
    check_harmless(shown, "standard error")
    check_harmless(targets.stdout + targets.stderr, "--targets")
    told = {}
    for sink, file in files.items():
        with open(file, "rb") as opened:
            told[sink] = opened.read()
        check_harmless(told[sink], sink)
    trace = Trace(told["jsonl"].decode().split("\n")[:-1], fields=True)
    assert {"host", "field", "utf"} <= {match[1] for value in trace.requests if (match := re.search(rf"/{name}-([a-z]+)", value["url"] or ""))}
    assert all(value["comm"] for value in trace.requests)
    assert any("owned" in value["path"] for value in trace.of_type("target") if value["path"])
    assert told["text"].count(b"\n") == len(trace.records)  # a line each, and no more


def test_libraries_that_are_none(bed):
    """Files mapped under a library's name that are no libraries: refused with a reason, and honest processes are traced as before."""
    folder = bed.file("fakes")
    os.mkdir(folder)
    kinds = {"garbage": os.urandom(100_000), "empty": b"", "cut": open("/proc/self/exe", "rb").read(5000), "text": b"#!/bin/sh\n" * 1000}
    paths = {}
    for kind, data in kinds.items():
        os.mkdir(os.path.join(folder, kind))
        paths[kind] = os.path.join(folder, kind, "libssl.so.3")
        with open(paths[kind], "wb") as file:
            file.write(data)
        os.truncate(paths[kind], max(len(data), 8192))
    os.mkdir(os.path.join(folder, "sparse"))
    paths["sparse"] = os.path.join(folder, "sparse", "libssl.so.3")
    shutil.copy("/proc/self/exe", paths["sparse"])
    os.truncate(paths["sparse"], 100 << 30)
    script = (
        "import mmap, os, sys\nprint(os.getpid(), flush=True)\nsys.stdin.readline()\nmaps = []\n"
        "for path in sys.argv[1:]:\n    with open(path, 'rb') as file:\n"
        "        maps.append(mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC, flags=mmap.MAP_PRIVATE))\n"
        "    os.truncate(path, 0)\n"  # gone under whoever examines it
        "print('mapped', flush=True)\nsys.stdin.readline()\n"
    )
    mapper, honest, name = bed.start(["/usr/bin/python3", "-c", script, *paths.values()]), Stepper(bed), bed.unique()
    mapper.stdout.readline()
    with Tracer(bed, "-v") as tracer:
        mapper.stdin.write("go\n")
        mapper.stdin.flush()
        assert mapper.stdout.readline() == "mapped\n"
        for path in paths.values():
            told = tracer.wait_for(lambda value, path=path: value["type"] == "target" and value["path"] == path)
            assert told[0]["action"] == "refused" and told[0]["reason"]
        honest("connect", "a", "localhost", server.TLS, {"tls": True})
        honest.get("a", f"/{name}")
        tracer.wait_url(f"/{name}")
        check_memory(tracer.pid)
        assert tracer.stop().one(f"/{name}")["outcome"] == "ok"
