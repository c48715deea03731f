# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Load: eight paced clients for 20 s with nothing lost and everything credited rightly; a ring too small with every loss counted."""

import json
import os
import signal
from collections import Counter

import pytest

from bed import nginx as nginx_bed
from bed.tracer import Trace, Tracer
from bed.wait import wait_until

CLIENTS, RATE_ALL = 8, 2000
SECONDS = 20


class Pacers:
    """Half of them plain, half over TLS."""

    def __init__(self, bed, rate, seconds):
        self.nginx = bed.nginx
        self.nginx.lines()
        self.prefix = bed.unique()
        self.names = [f"{self.prefix}w{index}" for index in range(CLIENTS)]
        self.processes = []
        for index, name in enumerate(self.names):
            kind, port = ("tls", nginx_bed.TLS) if index % 2 else ("plain", nginx_bed.PLAIN)
            host = "localhost" if index % 2 else "127.0.0.1"
            self.processes.append(bed.start(bed.script("pacer.py", host, port, kind, name, rate, seconds)))
        for process in self.processes:
            assert process.stdout.readline() == "ready\n"
        self.told = []

    def _say(self, text):
        for process in self.processes:
            process.stdin.write(text)
            process.stdin.flush()

    def go(self):
        self._say("go\n")

    def results(self):
        """What each says at its end; the processes stay, with their connections, until end()."""
        for process in self.processes:
            line = process.stdout.readline()
            assert line, f"a client failed: exit status {process.wait(10)}"
            self.told.append(json.loads(line))
        return self.told

    def end(self):
        self._say("end\n")
        for process in self.processes:
            assert process.wait(10) == 0

    @property
    def pids(self):
        return [process.pid for process in self.processes]

    def served(self):
        """nginx's log lines for these clients."""
        return self.nginx.wait_lines(sum(result["sent"] for result in self.told), timeout_s=20)

    def truth(self):
        """url: (pid, client port, index on the connection from 1), by the server's log."""
        by_name = dict(zip(self.names, self.pids))
        hosts = {False: f"http://127.0.0.1:{nginx_bed.PLAIN}", True: f"https://localhost:{nginx_bed.TLS}"}
        lines = self.served()
        found = {hosts[line.https] + line.uri: (by_name[line.uri.split("/")[1]], line.port, line.connection_requests) for line in lines}
        assert len(found) == len(lines), "the server saw a URL twice"
        return found


def pace_is_kept(pacers, seconds):
    for result in pacers.told:
        assert result["sent"] == RATE_ALL // CLIENTS * seconds
        assert result["elapsed_s"] < seconds * 1.05 + 0.2, f"the pace was not kept: {result}"


def test_pace_is_reached_untraced(bed):
    pacers = Pacers(bed, RATE_ALL / CLIENTS, 3)
    pacers.go()
    pacers.results()
    pace_is_kept(pacers, 3)
    assert len(pacers.truth()) == RATE_ALL * 3
    pacers.end()


def read(path, tracer):
    with open(path, encoding="utf-8") as file:
        return Trace(file.read().splitlines(), tracer.status, tracer.stderr)


def wrong_credits(trace, truth, allow_loss=False):
    """Reports that name a process, connection, place or answer that the server does not confirm."""
    wrong, any_lost = [], trace.lost > 0
    for record in trace.requests:
        if record["url"] is None and allow_loss and record["lost"]:
            continue
        if record["url"] not in truth:
            wrong.append(f"nobody asked for {record['url']!r}")
            continue
        pid, port, index = truth[record["url"]]
        if record["pid"] != pid:
            wrong.append(f"{record['url']}: process {record['pid']}, really {pid}")
        local = record["conn"]["local"]
        if (local is None or not local.endswith(f":{port}")) and not (allow_loss and local is None):
            wrong.append(f"{record['url']}: local {local}, really port {port}")
        if not (allow_loss and any_lost) and record["conn"]["request_index"] != index:
            wrong.append(f"{record['url']}: index {record['conn']['request_index']}, really {index}")
        if (record["status"], record["outcome"]) != (200, "ok") and not (allow_loss and record["lost"]):
            wrong.append(f"{record['url']}: {record['outcome']} {record['status']} {record['error']} lost {record['lost']}")
    return wrong


@pytest.mark.plain_build("what it can follow is a figure of the program as it is installed")
@pytest.mark.parametrize("seconds, named", [(SECONDS, True), (4, False)], ids=["by pid, 20 s", "system-wide, 4 s"])
def test_paced_load_loses_nothing(bed, seconds, named):
    pacers, path = Pacers(bed, RATE_ALL / CLIENTS, seconds), bed.file("load.jsonl")
    options = ("-p", ",".join(map(str, pacers.pids))) if named else ()
    with Tracer(bed, *options, "-o", f"jsonl={path}", jsonl=False) as tracer:
        pacers.go()
        pacers.results()
        pacers.end()
        ended = tracer.wait_exit() if named else tracer.stop()  # by pid it ends with the last of them
    trace = read(path, ended)
    pace_is_kept(pacers, seconds)
    trace.nothing_lost()
    truth = pacers.truth()
    ours = [record for record in trace.requests if record["pid"] in pacers.pids or f"/{pacers.prefix}w" in (record["url"] or "")]
    assert len(ours) == len(truth) == RATE_ALL * seconds
    trace.objects = ours
    wrong = wrong_credits(trace, truth)
    assert not wrong, f"{len(wrong)} wrong: {wrong[:10]}"
    assert [url for url, count in Counter(record["url"] for record in ours).items() if count > 1] == []
    # Eight connections and no more; on each all but the first reused.
    assert len({record["conn"]["id"] for record in ours}) == CLIENTS
    assert Counter(record["conn"]["reused"] for record in ours) == {False: CLIENTS, True: len(ours) - CLIENTS}


def test_a_ring_too_small_counts_its_losses(bed):
    """The reader is stopped in the middle, so the ring must overflow; then it goes on and tells what it missed."""
    pacers, path = Pacers(bed, 0, 3), bed.file("small-ring.jsonl")
    with Tracer(bed, "--ring-size", "65536", "-p", ",".join(map(str, pacers.pids)), "-o", f"jsonl={path}", jsonl=False) as tracer:
        pacers.go()
        for _ in range(2):
            wait_until(lambda: os.path.getsize(path) > 0 if os.path.exists(path) else False, 10, "a first report")
            tracer.process.send_signal(signal.SIGSTOP)
            already = os.path.getsize(pacers.nginx.log_path)
            wait_until(lambda limit=already + 40_000: os.path.getsize(pacers.nginx.log_path) > limit, 10, "some 700 requests meanwhile")
            tracer.process.send_signal(signal.SIGCONT)
            size = os.path.getsize(path)
            wait_until(lambda limit=size: os.path.getsize(path) > limit, 10, "reports after the stop")
        pacers.results()
        pacers.end()
        ended = tracer.wait_exit()
    trace = read(path, ended)
    truth = pacers.truth()
    assert trace.lost > 0, "nothing was lost: this test proved nothing"
    assert trace.lost == sum(trace.summary["lost"].values()), f"told {trace.lost}, summary {trace.summary['lost']}"
    urls = Counter(record["url"] for record in trace.requests if record["url"] is not None)
    assert [url for url, count in urls.items() if count > 1] == [], "a request was reported twice"
    missing = len(truth) - len(urls)
    assert 0 <= missing <= trace.lost, f"{missing} requests are missing, {trace.lost} events were lost"
    wrong = wrong_credits(trace, truth, allow_loss=True)
    assert not wrong, f"{len(wrong)} wrong: {wrong[:10]}"
    touched = [record for record in trace.requests if record["lost"]]
    assert touched or missing, "no request says that a loss touched it, and none is missing"
    # Within the ring's last whole second nothing is missing any more: the loss did not spoil the connections for good.
    last = max(record["mono_ns"] for record in trace.requests)
    assert any(record["outcome"] == "ok" and not record["lost"] and record["mono_ns"] > last - 200_000_000 for record in trace.requests)
