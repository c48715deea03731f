# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What the tests of faults share: a load whose every answer is checked, and what a tracer holds in the kernel."""

import json
import os
import re
import subprocess

from bed import nginx as nginx_bed
from bed.wait import wait_until
from load import figure  # noqa: F401  (for the tests)

BPF_KINDS = ("link", "prog", "map")


class Load:
    """Keep-alive clients of nginx, half of them over TLS, that end with an error at the first answer that is not theirs: so harm shows."""

    def __init__(self, bed, clients=4, rate=50):
        self.nginx = bed.nginx
        self.nginx.lines()
        prefix = bed.unique()
        self.names = [f"{prefix}s{index}" for index in range(clients)]
        self.processes = []
        for index, name in enumerate(self.names):
            kind, port, host = ("tls", nginx_bed.TLS, "localhost") if index % 2 else ("plain", nginx_bed.PLAIN, "127.0.0.1")
            self.processes.append(bed.start(bed.script("steady.py", host, port, kind, name, rate)))
        self._answers("ready\n")
        self.sent = 0

    def _answers(self, wanted):
        for process in self.processes:
            assert process.stdout.readline() == wanted, f"a client failed: exit status {process.wait(10)}"

    def _ask(self, line):
        for process in self.processes:
            process.stdin.write(line)
            process.stdin.flush()
        told = []
        for process in self.processes:
            answer = process.stdout.readline()
            assert answer, f"a client was harmed: exit status {process.wait(10)}"
            told.append(json.loads(answer))
        self.sent = sum(each["sent"] for each in told)
        return told

    def go(self):
        for process in self.processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        self._answers("going\n")
        return self

    def tell(self):
        """What each client says of itself; all of them are alive and have had right answers only."""
        return self._ask("tell\n")

    def more(self, count, timeout_s=20):
        """Wait until the server has answered so many more requests, all clients counted."""
        size = os.path.getsize(self.nginx.log_path)
        wait_until(lambda: os.path.getsize(self.nginx.log_path) > size + 60 * count, timeout_s, f"{count} more requests")

    def end(self):
        told = self._ask("end\n")
        for process in self.processes:
            assert process.wait(10) == 0
        return told

    @property
    def pids(self):
        return [process.pid for process in self.processes]

    @property
    def pid_list(self):
        return ",".join(map(str, self.pids))

    def truth(self):
        """url: (pid, client port, index on the connection from 1), by the server's log. After end()."""
        by_name = dict(zip(self.names, self.pids))
        hosts = {False: f"http://127.0.0.1:{nginx_bed.PLAIN}", True: f"https://localhost:{nginx_bed.TLS}"}
        lines = [line for line in self.nginx.wait_lines(self.sent, timeout_s=20) if line.uri.split("/")[1] in by_name]
        return {hosts[line.https] + line.uri: (by_name[line.uri.split("/")[1]], line.port, line.connection_requests) for line in lines}


def bpf_ids(pid):
    """(kind, id) of every BPF link, program and map that a process holds."""
    ids = set()
    for name in os.listdir(f"/proc/{pid}/fdinfo"):
        try:
            with open(f"/proc/{pid}/fdinfo/{name}", encoding="ascii") as file:
                ids |= {(kind, int(number)) for kind, number in re.findall(r"^(link|prog|map)_id:\s*(\d+)$", file.read(), re.M)}
        except OSError:
            pass
    return ids


def bpf_ids_alive(ids):
    """Those of them that bpftool still lists."""
    alive = set()
    for kind in BPF_KINDS:
        done = subprocess.run(
            ["bpftool", "-j", kind, "list"], capture_output=True, text=True, check=True, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        )
        alive |= {(kind, entry["id"]) for entry in json.loads(done.stdout or "[]")}
    return ids & alive


def has(path, text):
    """Whether a file, which need not be there, contains these bytes."""
    try:
        with open(path, "rb") as file:
            return text in file.read()
    except FileNotFoundError:
        return False


def pinned():
    """Every file in a BPF file system that is mounted here."""
    with open("/proc/self/mounts", encoding="utf-8") as file:
        mounts = {line.split()[1] for line in file if line.split()[2] == "bpf"}
    return {os.path.join(folder, name) for mount in mounts for folder, _, names in os.walk(mount) for name in names}


def wrong_credits(trace, load, truth, allow_loss=False):
    """
    Reports about the load that the server does not confirm: another process, another connection, another answer, twice, out of order. A
    request during which tracing began or ended, or that a loss touched, may know less, but nothing else.
    """
    wrong, seen, offsets = [], set(), {}
    for record in sorted(trace.requests, key=lambda value: value["mono_ns"]):
        ours = record["pid"] in load.pids
        if record["url"] is None and ours:
            if record["outcome"] == "ok" and not record["lost"]:
                wrong.append(f"no URL, yet ok and nothing lost: {record}")
            continue
        if record["url"] not in truth:
            if ours or any(f"/{name}/" in record["url"] for name in load.names if record["url"]):
                wrong.append(f"nobody asked for {record['url']!r}")
            continue
        pid, port, index = truth[record["url"]]
        local, is_cut = record["conn"]["local"], record["outcome"] == "incomplete" or (allow_loss and record["lost"] > 0)
        if record["pid"] != pid:
            wrong.append(f"{record['url']}: process {record['pid']}, really {pid}")
        if record["url"] in seen:
            wrong.append(f"{record['url']}: reported twice")
        seen.add(record["url"])
        if local is None and not is_cut or local is not None and not local.endswith(f":{port}"):
            wrong.append(f"{record['url']}: local {local}, really port {port}")
        if (record["status"], record["outcome"]) != (200, "ok") and not is_cut:
            wrong.append(f"{record['url']}: {record['outcome']} {record['status']} {record['error']} lost {record['lost']}")
        # The index counts what was seen of a connection: its distance to the truth is the same all along.
        unseen = index - record["conn"]["request_index"]
        if not trace.lost and offsets.setdefault(record["conn"]["id"], unseen) != unseen:
            wrong.append(f"{record['url']}: {unseen} unseen requests before it on its connection, {offsets[record['conn']['id']]} earlier")
    return wrong
