# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Faults: traced processes that are killed, become another program, move to other namespaces, or get the pid of one that has ended."""

import json
import os
import signal

import pytest

import faults
from bed import hooks, server
from bed.tracer import Tracer
from expect import COLD, COLD_TLS_NAME, compare_with_server

KINDS = {"plain": ("127.0.0.1", server.PLAIN), "tls": ("localhost", server.TLS)}


class Reborn:
    """clients/reborn.py on a string, without address space randomisation."""

    def __init__(self, bed, kind, target, lives, *what, start=None):
        host, port = KINDS[kind]
        arguments = ["setarch", "-R", *bed.script("reborn.py", host, port, kind, target, lives, *what)]
        self.process = (start or bed.start)(arguments)
        self.pid = self.process.pid

    def hear(self):
        line = self.process.stdout.readline()
        assert line, f"the client ended: {self.process.wait(10)}"
        return line.split()

    def go(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()


def live(client, lives):
    """Let it live so many lives; the addresses of its objects in each."""
    addresses = []
    for _ in range(lives):
        word, pid, _, address = client.hear()
        assert word == "pid" and int(pid) == client.pid
        addresses.append(int(address))
        client.go()
        assert client.hear() == ["done"]
        client.go()
    return addresses


@pytest.mark.parametrize("named", [True, False], ids=["by pid", "system-wide"])
@pytest.mark.parametrize("kind", KINDS)
def test_executes_itself_with_objects_at_the_same_address(bed, kind, named):
    """What was known of a TLS object does not outlive its program, though the next one's is at the same address and descriptor."""
    lives, name = 4, bed.unique()
    client = Reborn(bed, kind, f"/{name}", lives, "end")
    with Tracer(bed, *(("-p", str(client.pid)) if named else ("--path", f"/{name}-*"))) as tracer:
        addresses = live(client, lives)
        assert client.process.wait(10) == 0
        tracer.wait_url(f"/{name}-", count=lives)
        trace = tracer.wait_exit(timeout_s=10) if named else tracer.stop()
    if kind == "tls":
        assert len(set(addresses)) == 1, "the objects are at different addresses: this test proves nothing"
    records = [record for record in trace.requests if record["pid"] == client.pid]
    assert compare_with_server(records, bed.server.take(requests=lives)["requests"]) == []
    assert len({record["conn"]["id"] for record in records}) == lives
    wrong = [item for record in records for item in hooks.sequence(record, f"{COLD_TLS_NAME if kind == 'tls' else COLD} PutIdleConn?")]
    assert not wrong, wrong
    told = [(record["comm"], record["outcome"], record["conn"]["reused"], record["conn"]["request_index"]) for record in records]
    assert told == [("python3", "ok", False, 1)] * lives


def test_becomes_another_program(bed):
    """Executed by the traced process itself, with a connection of its old life closed by the kernel: two programs, one pid."""
    name = bed.unique()
    curl = ["/usr/bin/curl", "-sS", "-o", "/dev/null", f"https://www.test:{server.TLS}/{name}-curl"]
    client = Reborn(bed, "tls", f"/{name}", 1, "exec", *curl)
    with Tracer(bed, "-p", str(client.pid)) as tracer:
        live(client, 1)
        assert client.process.wait(10) == 0
        trace = tracer.wait_exit(timeout_s=10)
    assert [(record["url"].rsplit("/", 1)[1], record["comm"], record["pid"]) for record in trace.records] == [
        (f"{name}-1", "python3", client.pid),
        (f"{name}-curl", "curl", client.pid),
    ]
    assert compare_with_server(trace.requests, bed.server.take(requests=2)["requests"]) == []
    assert hooks.sequence(trace.records[1], f"{COLD_TLS_NAME} PutIdleConn?") == []


def test_hands_its_connection_to_the_next_program(bed):
    """A descriptor that survives exec: one connection, requests of two programs."""
    name = bed.unique()
    client = Reborn(bed, "plain", f"/{name}", 1, "keep-exec")
    with Tracer(bed, "-p", str(client.pid)) as tracer:
        live(client, 2)
        assert client.process.wait(10) == 0
        trace = tracer.wait_exit(timeout_s=10)
    assert [(record["url"].rsplit("/", 1)[1], record["conn"]["reused"], record["outcome"]) for record in trace.records] == [
        (f"{name}-1", False, "ok"),
        (f"{name}-next", True, "ok"),
    ]
    assert compare_with_server(trace.requests, bed.server.take(requests=2)["requests"]) == []


@pytest.mark.parametrize("kind", KINDS)
def test_killed_in_the_middle_of_an_answer(bed, stepper, kind):
    """The tracer ends with its target, and says how far it got."""
    host, port = KINDS[kind]
    with Tracer(bed, "-p", str(stepper.pid)) as tracer:
        stepper("connect", "a", host, port, {"tls": kind == "tls"})
        stepper.get("a", "/whole", f"{host}:{port}")
        stepper("send", "a", f"GET /half?n=40000&pieces=2&slow=60 HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n")
        stepper("read", "a", 10000)
        stepper.process.kill()
        trace = tracer.wait_exit(timeout_s=10)
    assert trace.status == 0 and [record["url"].rsplit("/", 1)[1][:5] for record in trace.records] == ["whole", "half?"]
    whole, half = trace.records
    assert (whole["outcome"], whole["status"]) == ("ok", 200)
    assert (half["outcome"], half["status"], half["error"]["phase"]) == ("aborted", 200, "receive"), half
    assert half["conn"]["id"] == whole["conn"]["id"] and hooks.find(half, "ConnClosed")[0]["args"]["by"] == "client"


def test_moves_to_other_namespaces(bed):
    """Mount, network and pid namespaces of its own: an old connection, a server that only it can reach, a library that only it can see."""
    name, folder, port = bed.unique(), bed.file("covered"), 9443
    os.mkdir(folder)
    client = bed.start(bed.script("unsharer.py", server.PLAIN, name, folder, bed.certificates.cert, bed.certificates.key, port))
    assert client.stdout.readline() == "ready\n"
    with Tracer(bed, "-p", str(client.pid)) as tracer:
        pids = []

        def go():
            client.stdin.write("go\n")
            client.stdin.flush()
            return client.stdout.readline().strip()

        while (line := go()) != "done":
            pids.append(int(line))
            tracer.wait_for(lambda value: is_attached(value) and value["pid"] == pids[-1])
        tracer.wait_url(f"/{name}-inside-2")
        client.stdin.write("end\n")
        client.stdin.flush()
        assert client.wait(10) == 0
        trace = tracer.wait_exit(timeout_s=10)
    assert not os.listdir(folder), "the library could be seen from here: this test proves nothing"
    own = [record for record in trace.records if record["pid"] == client.pid]
    assert [(record["url"], record["outcome"], record["conn"]["request_index"]) for record in own] == [
        (f"http://127.0.0.1:{server.PLAIN}/{name}-before", "ok", 1),
        (f"http://127.0.0.1:{server.PLAIN}/{name}-kept", "ok", 2),
    ]
    assert own[0]["conn"]["id"] == own[1]["conn"]["id"]
    inside = {record["url"]: record for record in trace.requests if record["pid"] in pids and record["url"]}
    # The first one may call the library before it is known. Whatever is told is right.
    assert len(pids) == 3
    for number, pid in enumerate(pids):
        record = inside.get(f"https://localhost:{port}/{name}-inside-{number}")
        assert record is not None or number == 0, f"request {number} is missing"
        if record:
            assert (record["pid"], record["comm"], record["outcome"], record["status"]) == (pid, "curl", "ok", 200)
        if number:
            begin = "GetConn DNSStart? DNSDone? ConnectStart ConnectDone TLSHandshakeStart TLSHandshakeDone GotConn"
            assert hooks.sequence(record, f"{begin} WroteHeaders WroteRequest GotFirstResponseByte PutIdleConn?") == []


class SamePid:
    """clients/same_pid.py on a string: programs that all have one pid, one after another."""

    def __init__(self, bed):
        # One that nobody is given for a while: pids are handed out in rising order.
        spare = bed.start(["true"])
        spare.wait(10)
        self.wanted = spare.pid
        self.process = bed.start(bed.script("same_pid.py", self.wanted))
        self.pid = self.process.pid
        assert self.process.stdout.readline() == "ready\n"

    def fork(self, argv):
        self.process.stdin.write(json.dumps(argv) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "forked\n", "no process could be given the pid that is to be used again"

    def begin(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def run(self, argv):
        self.fork(argv)
        self.begin()
        return int(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        return self.process.wait(10)


def successors(bed, name):
    """argv, exit status, what it asks for, its name: some are killed with all they had open, some know no OpenSSL, some speak no HTTP."""
    plain, tls, named = f"http://127.0.0.1:{server.PLAIN}", f"https://localhost:{server.TLS}", f"https://www.test:{server.TLS}"

    def reborn(kind, number, what):
        host, port = KINDS[kind]
        return ["setarch", "-R", *bed.script("reborn.py", host, port, kind, f"/{name}-{number}", 1, what)]

    return [
        (reborn("tls", 0, "kill"), -signal.SIGKILL, f"{tls}/{name}-0-1", "python3"),
        (reborn("tls", 1, "kill"), -signal.SIGKILL, f"{tls}/{name}-1-1", "python3"),
        (["curl", "-sS", "-o", "/dev/null", f"{named}/{name}-2"], 0, f"{named}/{name}-2", "curl"),
        (["true"], 0, None, None),
        (reborn("plain", 3, "kill"), -signal.SIGKILL, f"{plain}/{name}-3-1", "python3"),
        (["wget", "-q", "-O", "/dev/null", f"{plain}/{name}-4"], 0, f"{plain}/{name}-4", "wget"),
        (reborn("tls", 5, "end"), 0, f"{tls}/{name}-5-1", "python3"),
        (["curl", "-sS", "-o", "/dev/null", f"{plain}/{name}-6"], 0, f"{plain}/{name}-6", "curl"),
    ]


def is_attached(value):
    return value["type"] == "target" and value["action"] == "attached" and value["target"] == "process"


@pytest.mark.parametrize("followed", [True, False], ids=["children of a traced process", "system-wide"])
def test_pid_used_again(bed, followed):
    """Each request is its own process's: name, program, connection, though all have one pid."""
    name, same = bed.unique(), SamePid(bed)
    table = successors(bed, name)
    expected = [(url, comm) for _, _, url, comm in table if url]
    with Tracer(bed, *(("-p", str(same.pid)) if followed else ("--path", f"/{name}-*"))) as tracer:
        for count, (argv, status, _, _) in enumerate(table, 1):
            same.fork(argv)
            if followed:  # its probes may come later than the first call of a child that does not wait for them
                tracer.wait_for(lambda value: is_attached(value) and value["pid"] == same.wanted, count)
            same.begin()
            assert int(same.process.stdout.readline()) == status, argv
        tracer.wait_url(f"/{name}-", count=len(expected))
        assert same.end() == 0
        trace = tracer.wait_exit(timeout_s=10) if followed else tracer.stop()
    records = [record for record in trace.records if record["pid"] == same.wanted]
    assert [(record["url"], record["comm"], os.path.basename(record["exe"]).startswith(record["comm"])) for record in records] == [
        (url, comm, True) for url, comm in expected
    ]
    assert compare_with_server(records, bed.server.take(requests=len(expected))["requests"]) == []
    assert len({record["conn"]["id"] for record in records}) == len(records)
    for record in records:
        assert (record["outcome"], record["conn"]["reused"], record["conn"]["request_index"], record["lost"]) == ("ok", False, 1, 0), record
        begin = COLD_TLS_NAME if record["conn"]["tls"] else COLD
        assert hooks.sequence(record, f"{begin} PutIdleConn? ConnClosed?") == [], record
    faults.figure("faults: requests under one pid, seven programs, wrongly credited", 0, f"of {len(records)}", "0")


def test_pid_used_again_by_one_that_is_not_traced(bed, stepper):
    """With -p a pid means the process that had it: its successor is nobody we were asked to trace."""
    name, same = bed.unique(), SamePid(bed)
    fifo, url = bed.file("fifo"), f"http://127.0.0.1:{server.PLAIN}/{name}-traced"
    os.mkfifo(fifo)
    first = ["/usr/bin/python3", "-c", f"import urllib.request as u; open({fifo!r}).read(); u.urlopen({url!r}).read()"]
    same.fork(first)
    same.begin()
    with Tracer(bed, "-p", f"{same.wanted},{stepper.pid}") as tracer:
        with open(fifo, "w", encoding="ascii") as file:
            file.write("go")
        assert same.process.stdout.readline() == "0\n"
        for number in range(3):
            assert same.run(["curl", "-sS", "-o", "/dev/null", f"https://localhost:{server.TLS}/{name}-not-{number}"]) == 0
        host, port = KINDS["tls"]
        stepper("connect", "a", host, port, {"tls": True})
        stepper.get("a", f"/{name}-stepper", f"{host}:{port}")
        tracer.wait_url(f"/{name}-stepper")
        trace = tracer.stop()
    assert [(record["url"].rsplit("/", 1)[1], record["pid"]) for record in trace.records] == [
        (f"{name}-traced", same.wanted),
        (f"{name}-stepper", stepper.pid),
    ]
