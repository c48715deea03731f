# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""HTTP/2 under load: h2load with 50 streams at once on each connection, every client with a list of paths of its own.

A path says which status the server answers, so the length of the answer and the status tell whose it is; nginx's log tells when, and as
which of its connection's requests. A client goes through its list in order: a stream's number tells its path, also to a tracer that comes late.
"""

import json
import os
from dataclasses import dataclass

import pytest

from bed import nginx as nginx_bed
from bed.tracer import Trace, Tracer, clock_offset_ns
from bed.wait import limit, wait_until
from load import IS_SANITIZED, figure, rss_anon_kb

CLIENTS, STREAMS = 4, 50
PATHS = 500 if IS_SANITIZED else 5000
HOST = f"https://localhost:{nginx_bed.LOAD_H2}"
# nginx keeps the time of its event loop's last turn, in milliseconds: never ahead, and behind by as long as a busy machine keeps it from running.
AHEAD_NS, BEHIND_NS = 5_000_000, limit(50_000_000)
BEHIND_MAX = 0.01  # of all requests
STATUSES = nginx_bed.LOAD_STATUSES


@dataclass(frozen=True)
class Line:
    port: int
    index: int
    uri: str
    status: int
    size: int
    end_ns: int
    begin_ns: int


class Log:
    """nginx's log of the load server, from now on."""

    def __init__(self, bed):
        self.path = os.path.join(bed.nginx.folder, "load.log")
        self.offset = os.path.getsize(self.path)

    def lines(self):
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            whole = file.read()
        whole = whole[: whole.rfind(b"\n") + 1]
        found = []
        for raw in whole.decode("ascii").splitlines():
            port, index, uri, status, size, end, took = raw.split("|")
            end_ns = int(end.replace(".", "")) * 1_000_000
            begin_ns = end_ns - int(took.replace(".", "")) * 1_000_000
            found.append(Line(int(port), int(index), uri, int(status), int(size), end_ns, begin_ns))
        return found

    def wait(self, count, timeout_s=30):
        wait_until(lambda: self.size() >= count, timeout_s, f"{count} lines in the load server's log")
        return self.lines()

    def size(self):
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            return file.read().count(b"\n")


class Client:
    """One h2load with a list of its own."""

    def __init__(self, bed, name, requests=PATHS):
        self.paths = [f"/{STATUSES[(n * 7 + len(name)) % len(STATUSES)]}/{name}/{n}{'x' * (n * 13 % 83)}" for n in range(PATHS)]
        path = bed.file(f"{name}.txt")
        with open(path, "w", encoding="ascii") as file:
            file.writelines(f"{HOST}{target}\n" for target in self.paths)
        self.command = ["h2load", "-c", "1", "-m", str(STREAMS), "-n", str(requests), "-i", path]
        self.bed, self.process = bed, None

    def start(self):
        self.process = self.bed.start(self.command)
        return self

    @property
    def pid(self):
        return self.process.pid

    def end(self):
        output = self.process.communicate(timeout=limit(120))[0]
        assert self.process.returncode == 0 and f"{PATHS} done" in output, output

    def of_stream(self, stream_id):
        """The path of a stream: the list in order, again and again."""
        return self.paths[(stream_id - 1) // 2 % PATHS]


def status_of(path):
    return int(path.split("/")[1])


def wrong_records(requests, clients, lines, is_lossy):
    """Reports with another's path, process, connection, place, status, length or time: a list of sentences."""
    truth = {line.uri: line for line in lines}
    assert len(truth) == len(lines), "the server saw a path twice"
    owners = {path: client for client in clients for path in client.paths}
    ports = {}
    for line in lines:
        ports.setdefault(owners[line.uri].pid, set()).add(line.port)
    assert all(len(found) == 1 for found in ports.values()), "a client used more than one connection"
    wrong, seen, offset_ns, behind = [], set(), clock_offset_ns(), 0
    for record in requests:
        url, conn = record["url"], record["conn"]
        if url is None and is_lossy and record["lost"]:
            continue
        path = url[len(HOST) :] if url and url.startswith(HOST) else None
        if path not in owners:
            wrong.append(f"nobody asked for {url!r}")
            continue
        if path in seen:
            wrong.append(f"{path} is reported twice")
        seen.add(path)
        line, client = truth[path], owners[path]
        if record["pid"] != client.pid:
            wrong.append(f"{path}: process {record['pid']}, really {client.pid}")
        if conn["local"] is not None and not conn["local"].endswith(f":{line.port}"):
            wrong.append(f"{path}: local {conn['local']}, really port {line.port}")
        if conn["stream_id"] != 2 * line.index - 1:
            wrong.append(f"{path}: stream {conn['stream_id']}, really {2 * line.index - 1}")
        if conn["request_index"] != line.index and not is_lossy:
            wrong.append(f"{path}: index {conn['request_index']}, really {line.index}")
        if record["outcome"] != "ok":
            if not (is_lossy and record["lost"]):
                wrong.append(f"{path}: {record['outcome']} {record['error']}")
            continue
        if record["status"] != line.status and not (is_lossy and record["lost"] and record["status"] is None):
            wrong.append(f"{path}: status {record['status']}, really {line.status}")
        size = record["response"]["body_bytes"]
        if size != line.size and not (is_lossy and record["lost"]):
            wrong.append(f"{path}: {size} bytes, really {line.size}")
        begin_ns = record["mono_ns"] + offset_ns
        end_ns = begin_ns + (record["timings_ns"]["total"] or 0)
        behind += begin_ns > line.begin_ns + BEHIND_NS
        if end_ns < line.end_ns - AHEAD_NS:
            wrong.append(f"{path}: {begin_ns} to {end_ns}, the server had it from {line.begin_ns} to {line.end_ns}")
    if behind > BEHIND_MAX * len(requests):
        wrong.append(f"{behind} of {len(requests)} requests begin after the server had them")
    return wrong + out_of_turn(requests)


def out_of_turn(requests):
    """A client sends its streams in order: so are the times at which they were written, by one clock."""
    by_conn, wrong = {}, []
    for record in requests:
        wrote = [hook["mono_ns"] for hook in record["hooks"] if hook["hook"] == "WroteHeaders"]
        if wrote and record["conn"]["stream_id"]:
            by_conn.setdefault(record["conn"]["id"], []).append((record["conn"]["stream_id"], wrote[0]))
    for name, streams in by_conn.items():
        streams.sort()
        wrong += [
            f"{name}: stream {after[0]} was written before stream {before[0]}"
            for before, after in zip(streams, streams[1:])
            if after[1] < before[1]
        ]
    return wrong


def one_round(bed, name):
    clients = [Client(bed, f"{name}c{index}") for index in range(CLIENTS)]
    log = Log(bed)
    for client in clients:
        client.start()
    for client in clients:
        client.end()
    return clients, log.wait(CLIENTS * PATHS)


def read(path, ended):
    """Every request, and a Trace of all else and of each fourth request: checking every hook of 40,000 takes half a minute."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    is_request = [line.startswith('{"type":"request"') for line in lines]
    requests = [json.loads(line) for line, wanted in zip(lines, is_request) if wanted]
    some = [line for number, (line, wanted) in enumerate(zip(lines, is_request)) if number % 4 == 0 or not wanted]
    return requests, Trace(some, ended.status, ended.stderr)


def test_untraced(bed):
    """The server echoes the path with the status that it asks for, once for each, in the list's order of streams."""
    clients, lines = one_round(bed, bed.unique())
    assert {line.uri for line in lines} == {path for client in clients for path in client.paths}
    assert all(line.status == status_of(line.uri) and line.size == len(line.uri) + 1 for line in lines)
    owners = {path: client for client in clients for path in client.paths}
    assert all(owners[line.uri].of_stream(2 * line.index - 1) == line.uri for line in lines)


def test_four_connections_of_fifty_streams(bed):
    """20,000 requests: each is reported, or told as lost; none with what is another's. The tracer's memory is for open streams only."""
    path, _ = bed.file("load-h2.jsonl"), bed.nginx
    with Tracer(bed, "-n", "h2load", "-o", f"jsonl={path}", jsonl=False) as tracer:
        before_kb = rss_anon_kb(tracer.pid)
        clients, lines = one_round(bed, bed.unique())
        first_kb = rss_anon_kb(tracer.pid)
        more_clients, more_lines = one_round(bed, bed.unique())
        second_kb = rss_anon_kb(tracer.pid)
        ended = tracer.stop()
    requests, trace = read(path, ended)
    assert len(requests) == trace.summary["requests"]
    both = clients + more_clients
    ours = [record for record in requests if record["pid"] in {client.pid for client in both}]
    wrong = wrong_records(ours, both, lines + more_lines, trace.lost > 0)
    assert not wrong, f"{len(wrong)} wrong: " + "\n".join(wrong[:10])
    known = sum(record["url"] is not None for record in ours)
    missing = len(lines) + len(more_lines) - known
    figure("HTTP/2: requests of 40,000 that are missing", missing, "requests", f"<= {trace.lost}")
    figure(
        "HTTP/2: memory of the tracer before, after 20,000 requests and after 20,000 more",
        f"{before_kb}, {first_kb}, {second_kb}",
        "kB",
        "",
    )
    assert 0 <= missing <= trace.lost, f"{missing} requests are missing, {trace.lost} events were lost"
    assert {record["http"] for record in ours} == {"2"}
    connections = {record["conn"]["id"] for record in ours if record["conn"]["id"]}
    assert len(connections) == 2 * CLIENTS or trace.lost, f"{len(connections)} connections"
    if not trace.lost:
        fresh = [record for record in ours if record["conn"]["reused"] is False]
        assert len(fresh) == 2 * CLIENTS and {record["conn"]["stream_id"] for record in fresh} == {1}
    if not IS_SANITIZED:
        # What is kept of each would be more; what a burst waits in is kept, too, and grows with the longest.
        assert second_kb - first_kb < CLIENTS * PATHS * 256 / 1024, f"{second_kb - first_kb} kB for 20,000 more requests"
        assert first_kb - before_kb < 24 * 1024, f"{first_kb - before_kb} kB for {CLIENTS * STREAMS} open streams"


def falsehoods(requests, client, other):
    """What a report of a connection joined late says that is not so. The stream's number tells the truth."""
    wrong, seen = [], set()
    for record in requests:
        stream_id = record["conn"]["stream_id"]
        path = client.of_stream(stream_id)
        if record["pid"] != client.pid:
            wrong.append(f"stream {stream_id}: process {record['pid']}, really {client.pid} (the other is {other.pid})")
        if stream_id in seen:
            wrong.append(f"stream {stream_id} is reported twice")
        seen.add(stream_id)
        for key, got, truth in (
            ("url", record["url"], HOST + path),
            ("method", record["method"], "GET"),
            ("status", record["status"], status_of(path)),
        ):
            if got is not None and got != truth:
                wrong.append(f"stream {stream_id}: {key} {got!r}, really {truth!r}")
        size = record["response"] and record["response"]["body_bytes"]
        if record["outcome"] == "ok" and size not in (None, len(path) + 1):
            wrong.append(f"stream {stream_id}: {size} bytes, really {len(path) + 1}")
        fields = {name: value for name, value in record["request"]["headers"] or [] if value is not None}
        if not fields.get("user-agent", "h2load nghttp2/").startswith("h2load nghttp2/"):
            wrong.append(f"stream {stream_id}: user-agent {fields['user-agent']!r}")
        answer = {name: value for name, value in (record["response"] or {}).get("headers") or [] if value is not None}
        if not answer.get("server", "nginx/").startswith("nginx/"):
            wrong.append(f"stream {stream_id}: server {answer['server']!r}")
        if answer.get("content-length", str(len(path) + 1)) != str(len(path) + 1):
            wrong.append(f"stream {stream_id}: content-length {answer['content-length']!r}, really {len(path) + 1}")
        for part in ("path", "method", "scheme", "authority"):
            values = [hook["args"]["values"] for hook in record["hooks"] if hook["args"].get("key") == f":{part}"]
            truth = {"path": path, "method": "GET", "scheme": "https", "authority": HOST[len("https://") :]}[part]
            wrong += [f"stream {stream_id}: :{part} {got}, really {truth}" for got in values if got not in ([truth], [None])]
    return wrong


def is_complete(record):
    sides = [record["request"], record["response"]]
    return record["url"] is not None and record["status"] is not None and not any(side and "headers_complete" in side for side in sides)


@pytest.mark.parametrize("wanted", [3000])
def test_attached_in_the_middle(bed, wanted):
    """-p while 50 streams are open: header tables are unknown, frames begin anywhere. What is told is true."""
    log, path = Log(bed), bed.file("late.jsonl")
    client, other = (Client(bed, f"{bed.unique()}m{index}", requests=50_000_000).start() for index in range(2))
    log.wait(2000)
    with Tracer(bed, "-p", str(client.pid), "-H", "-c", str(wanted), "-o", f"jsonl={path}", jsonl=False) as tracer:
        ended = tracer.wait_exit(timeout_s=30)
    with open(path, encoding="utf-8") as file:
        trace = Trace(file.read().splitlines(), ended.status, ended.stderr, fields=True)
    for process in (client.process, other.process):
        process.kill()
    requests = trace.requests
    assert len(requests) >= wanted
    assert not trace.dials, trace.dials[:3]
    wrong = falsehoods(requests, client, other)
    assert not wrong, f"{len(wrong)} false: " + "\n".join(wrong[:10])
    complete = sum(map(is_complete, requests)) / len(requests)
    urls = sum(record["url"] is not None for record in requests) / len(requests)
    statuses = sum(record["status"] is not None for record in requests) / len(requests)
    figure("HTTP/2, attached in the middle: requests with complete fields", round(100 * complete, 1), "%", "")
    figure("HTTP/2, attached in the middle: requests with URL, with status", f"{100 * urls:.1f}, {100 * statuses:.1f}", "%", "")
    figure("HTTP/2, attached in the middle: events lost, all told", trace.lost, f"of {trace.summary['events']}", "told")
    incomplete = [record for record in requests if not is_complete(record)]
    silent = [
        record for record in incomplete if record["url"] is None and "headers_complete" not in record["request"] and not record["lost"]
    ]
    assert not silent, f"{len(silent)} requests do not say that they lack something: {silent[0]}"
