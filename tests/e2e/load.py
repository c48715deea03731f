# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Load: the C clients, what they know of themselves, and what a tracer's memory and CPU time are."""

import json
import os
import signal
import subprocess
import threading

from bed import nginx as nginx_bed
from bed.tracer import repository


# What sanitizers cost is in rates and memory.
IS_SANITIZED = bool(os.environ.get("HTTPTRACE_SANITIZED"))


def program(name):
    """A C program of clients/; AssertionError if it has not been built."""
    build = os.environ.get("HTTPTRACE_BUILD") or os.path.join(repository(), "build")
    path = os.path.join(os.path.abspath(build), "tests", "e2e", "clients", name)
    assert os.access(path, os.X_OK), f"{path} is not there: build it (make tools)"
    return path


def figure(name, value, unit, wanted):
    """Prints a measured figure, and appends it to the file that HTTPTRACE_FIGURES names."""
    line = json.dumps({"name": name, "value": value, "unit": unit, "wanted": wanted})
    print(line)
    path = os.environ.get("HTTPTRACE_FIGURES")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(line + "\n")


def rss_anon_kb(pid):
    """Memory of its own that a process holds: RssAnon of /proc/PID/status."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon:"))


def cpu_s(pid):
    """User and system time of a process."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Load:
    """One clients/load.c."""

    def __init__(self, bed, name, tls=False, **options):
        self.tls, self.name = tls, name
        self.host = f"https://localhost:{nginx_bed.LOAD_TLS}" if tls else f"http://127.0.0.1:{nginx_bed.LOAD_PLAIN}"
        self.processes = options.get("processes", 0)
        options.update(name=name, port=nginx_bed.LOAD_TLS if tls else nginx_bed.LOAD_PLAIN)
        if tls:
            options["ca"] = bed.certificates.ca
        self.process = bed.start([program("load"), *(f"{key}={value}" for key, value in options.items())])
        self._expect("ready\n")
        self.told = []

    @property
    def pid(self):
        return self.process.pid

    def _expect(self, text):
        line = self.process.stdout.readline()
        assert line == text, f"client {self.name} said {line!r}, exit status {self.process.poll()}"

    def say(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def opened(self):
        self._expect("open\n")

    def results(self):
        """Its answers to go or some: one for each process."""
        self.told = []
        for _ in range(self.processes or 1):
            line = self.process.stdout.readline()
            assert line, f"client {self.name} failed: exit status {self.process.wait(10)}"
            self.told.append(json.loads(line))
        return self.told

    def end(self):
        self.say("end")
        assert self.process.wait(60) == 0, f"client {self.name}"


class Loads:
    """Several clients, of which every second one uses TLS."""

    def __init__(self, bed, count, /, tls=lambda index: index % 2, **options):
        _ = bed.nginx
        self.prefix = bed.unique()
        self.clients = [Load(bed, f"{self.prefix}-{index}", tls=bool(tls(index)), **options) for index in range(count)]

    def all(self, command):
        for client in self.clients:
            client.say(command)

    def open(self):
        self.all("open")
        for client in self.clients:
            client.opened()
        return self

    def run(self, command="go"):
        self.all(command)
        return self.results()

    def results(self):
        return [told for client in self.clients for told in client.results()]

    def end(self):
        for client in self.clients:
            client.say("end")
        for client in self.clients:
            assert client.process.wait(60) == 0, f"client {client.name}"

    @property
    def pids(self):
        return [client.pid for client in self.clients]

    @property
    def sent(self):
        return sum(told["sent"] for client in self.clients for told in client.told)

    @property
    def elapsed_s(self):
        return max(told["elapsed_s"] for client in self.clients for told in client.told)

    def conns(self):
        """{(pid, local address, "name/connection"): requests made on it}, for those on which any was made."""
        return {
            (told["pid"], local, f"{told['name']}/{index}"): sent
            for client in self.clients
            for told in client.told
            for index, (local, sent) in enumerate(told["conns"])
            if sent
        }

    def truth(self):
        """url: (pid, local address, index on the connection from 1)."""
        hosts = {told["name"]: client.host for client in self.clients for told in client.told}
        return {
            f"{hosts[path.partition('/')[0]]}/{path}/{number}": (pid, local, number + 1)
            for (pid, local, path), sent in self.conns().items()
            for number in range(sent)
        }


def machine_rate(bed, clients, wanted, **options):
    """What this machine can be asked for: wanted, or half of what the clients reach untraced and flat out where that is less.

    A tracer with sanitizers is asked for a twentieth.
    """
    wanted = wanted // 20 if IS_SANITIZED else wanted
    loads = Loads(bed, clients, seconds=1, **options).open()
    loads.run()
    loads.end()
    flat_out = loads.sent / loads.elapsed_s
    return min(wanted, int(flat_out / 2)), flat_out


class Counter:
    """clients/count.c, tracing when the constructor returns."""

    def __init__(self, bed, *pids):
        env = {**bed.env, "HTTPTRACE_SANITIZED": "1"} if IS_SANITIZED else bed.env
        self.process = bed.start([program("count"), *map(str, pids)], env=env, stderr=subprocess.PIPE)
        line = self.process.stdout.readline()
        assert line == "ready\n", f"no tracing: {self.process.communicate()[1]}"
        self._line = None
        # Read all the time: with many connections the answer is longer than a pipe holds.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        self._line = self.process.stdout.readline()

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.wait()

    def wait(self):
        assert self.process.wait(60) == 0, self.process.stderr.read()
        self._reader.join(10)
        return json.loads(self._line)


def count_problems(counted, loads):
    """What a count that lost nothing says otherwise than the clients do: a list of sentences."""
    problems = []
    conns = loads.conns()
    rows = {(pid, local, path): (requests, missing, late) for pid, local, path, requests, missing, late in counted["rows"]}
    ours = {key: row for key, row in rows.items() if key[2].startswith(loads.prefix + "-")}
    for key, (requests, missing, late) in ours.items():
        if key not in conns:
            problems.append(f"nobody made {requests} requests as {key}")
        elif (requests, missing, late) != (conns[key], 0, 0):
            problems.append(f"{key}: {requests} requests, {missing} missing, {late} late or twice, really {conns[key]}")
    problems += [f"{key}: none of {sent} requests is reported" for key, sent in conns.items() if key not in ours]
    problems += [f"{name}: {count} events lost" for name, count in counted["lost"].items() if count]
    problems += [f"{counted[name]} requests {name}" for name in ("not_ok", "touched", "unknown") if counted[name]]
    problems += [f"{name} {counted['skipped'].get(name)}" for name in ("evicted", "out_of_memory") if counted["skipped"].get(name)]
    return problems


def wrong_credits(requests, truth, is_lossy=False):
    """Reports that name a process, connection, place or answer other than the client does: a list of sentences."""
    wrong, seen = [], set()
    for record in requests:
        url, conn = record["url"], record["conn"]
        if url is None and is_lossy and record["lost"]:
            continue
        if url not in truth:
            wrong.append(f"nobody asked for {url!r}")
            continue
        if url in seen:
            wrong.append(f"{url} is reported twice")
        seen.add(url)
        pid, local, index = truth[url]
        if record["pid"] != pid:
            wrong.append(f"{url}: process {record['pid']}, really {pid}")
        if conn["local"] != local and not (is_lossy and conn["local"] is None):
            wrong.append(f"{url}: local {conn['local']}, really {local}")
        if conn["request_index"] != index if not is_lossy else conn["request_index"] > index:
            wrong.append(f"{url}: index {conn['request_index']}, really {index}")
        if (record["status"], record["outcome"]) != (200, "ok") and not (is_lossy and record["lost"]):
            wrong.append(f"{url}: {record['outcome']} {record['status']} {record['error']} lost {record['lost']}")
    return wrong
