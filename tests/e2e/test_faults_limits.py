# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Faults: few file descriptors, the tracer's or a target's."""

import json
import os

import pytest

import faults
from bed import hooks, server
from bed.tracer import READY, Trace, Tracer, run
from bed.wait import wait_until
from expect import COLD_TLS_NAME, compare_with_server


def limited(count):
    return ("prlimit", f"--nofile={count}:{count}")


@pytest.mark.parametrize("count", [5, 12, 24, 32, 48, 64, 80, 96])
def test_tracer_without_descriptors(bed, stepper, count):
    """It does not begin by halves: one line that says what is short, and by how much."""
    done = run(bed, "-d", "1s", "-p", str(stepper.pid), prefix=limited(count), timeout_s=20)
    lines = [line for line in done.stderr.splitlines() if line]
    if done.returncode == 0:  # enough after all: then nothing is missing
        assert len(lines) == 1 and lines[0].startswith(READY), done.stderr
    else:
        assert done.returncode == 1 and len(lines) == 1, done.stderr
        assert "file descriptors" in lines[0] or "Too many open files" in lines[0], done.stderr
    assert done.returncode == 1 or count > 64, f"{count} descriptors sufficed: this test proves nothing"


def test_tracer_runs_out_of_descriptors(bed):
    """More children than it can probe: those it cannot are told, nothing else suffers, and later ones are traced again."""
    name, children = bed.unique(), 30
    shell = bed.start(["bash"])
    url = f"https://www.test:{server.TLS}/{name}"
    with Tracer(bed, "-p", str(shell.pid), prefix=limited(200)) as tracer:

        def said(action):
            return lambda value: value["type"] == "target" and value["target"] == "process" and value["action"] == action

        links = lambda: len([kind for kind, _ in faults.bpf_ids(tracer.pid) if kind == "link"])  # noqa: E731
        links_before = links()
        shell.stdin.write(f"for i in $(seq {children}); do sleep 1000 & done; echo started\n")
        shell.stdin.flush()
        assert shell.stdout.readline() == "started\n"
        refused = tracer.wait_for(said("refused"), count=1, timeout_s=20)
        assert "file descriptors" in refused[0]["reason"], refused
        assert links() > links_before + 24, "few children were probed: this test would prove nothing"
        # The shell's own probes are whole, and the tracer still sees who is alive: it goes on.
        shell.stdin.write("kill $(jobs -p); wait; echo ended\n")
        shell.stdin.flush()
        assert shell.stdout.readline() == "ended\n"
        # What keeps the kernel ready for the next child (attach/ready.h) comes and goes meanwhile.
        wait_until(lambda: links() <= links_before + 12, 20, "the links of the children to be closed")
        # Its probes may come later than the first call of a child that does not wait for them.
        shell.stdin.write(f"sh -c 'echo $$; read line; exec curl -sS -o /dev/null {url}'; echo done\n")
        shell.stdin.flush()
        pid = int(shell.stdout.readline())
        tracer.wait_for(lambda value: said("attached")(value) and value["pid"] == pid)
        shell.stdin.write("go\n")
        shell.stdin.flush()
        assert shell.stdout.readline() == "done\n"
        record = tracer.wait_url(f"/{name}")[0]
        trace = tracer.stop()
    assert hooks.sequence(record, f"{COLD_TLS_NAME} PutIdleConn?") == []
    assert compare_with_server(trace.requests, bed.server.take(requests=1)["requests"]) == []
    told = [value for value in trace.of_type("target") if value.get("target") == "process" and value["action"] == "refused"]
    assert all(value["pid"] and value["reason"] for value in told) and len(told) < children
    faults.figure("faults: children refused for want of descriptors, all told", len(told), f"of {children}", "told")


TARGET = """
import json, os, socket, ssl, sys
held = [socket.create_connection(("127.0.0.1", int(sys.argv[1])))]
tls = ssl.create_default_context().wrap_socket(socket.create_connection(("localhost", int(sys.argv[2]))), server_hostname="localhost")
full = []
try:
    while True:
        full.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error:
    print(error.errno, flush=True)
for line in sys.stdin:
    path, answers = line.strip(), []
    for sock, port in ((held[0], sys.argv[1]), (tls, sys.argv[2])):
        host = "127.0.0.1" if sock is held[0] else "localhost"
        sock.sendall(f"GET {path} HTTP/1.1\\r\\nHost: {host}:{port}\\r\\n\\r\\n".encode())
        data = b""
        while b"\\r\\n\\r\\n" not in data or not data.endswith(b"01234"):
            data += sock.recv(4096)
        answers.append(int(data.split()[1]))
    try:
        socket.socket()
        answers.append(0)
    except OSError as error:
        answers.append(error.errno)
    print(json.dumps(answers), flush=True)
"""


def test_target_without_descriptors(bed):
    """A target that cannot open another file is traced, and notices nothing: the probes take none of its descriptors."""
    name = bed.unique()
    target = bed.start([*limited(12), "/usr/bin/python3", "-c", TARGET, str(server.PLAIN), str(server.TLS)])
    assert target.stdout.readline() == "24\n"  # EMFILE

    def ask(path):
        target.stdin.write(path + "\n")
        target.stdin.flush()
        return json.loads(target.stdout.readline())

    before = sorted(os.listdir(f"/proc/{target.pid}/fd"))
    assert ask(f"/{name}-before") == [200, 200, 24]
    with Tracer(bed, "-p", str(target.pid)) as tracer:
        for turn in range(5):
            assert ask(f"/{name}-{turn}") == [200, 200, 24]
        assert sorted(os.listdir(f"/proc/{target.pid}/fd")) == before
        tracer.wait_url(f"/{name}-", count=10)
        trace = tracer.stop()
    assert ask(f"/{name}-after") == [200, 200, 24]
    assert sorted(record["url"].rsplit("-", 1)[1] for record in trace.requests) == sorted(2 * [str(turn) for turn in range(5)])
    assert all((record["outcome"], record["status"], record["pid"]) == ("ok", 200, target.pid) for record in trace.requests)
    assert isinstance(trace, Trace) and trace.lost == 0
