#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What tracing costs, as ratios within one run: `make bench` (options: `make bench BENCH=--help`).

A keep-alive client (client.c) asks a real nginx on loopback, both on one CPU, in the clear and over TLS. In each round the same number of
requests is made untraced, under httptrace-bpf and under a bpftrace one-liner on the same library functions, one after another; what is told
is the median over the rounds of each one's difference to the untraced run of its own round. Then: the time to the line
`httptrace-bpf: tracing` beside --idle idle processes, the time from SIGINT to the end, and the probes that are left then.

Prints tables to standard output; its files are in a temporary directory. Needs root (takes sudo). Ends only processes started here.
"""
import argparse
import json
import os
import re
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
START_TIMEOUT_S = 30
READY = "httptrace-bpf: tracing"

NGINX_CONF = """
daemon off;
master_process off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    server {{
        listen 127.0.0.1:{clear};
        listen 127.0.0.1:{tls} ssl;
        ssl_certificate {dir}/cert.pem;
        ssl_certificate_key {dir}/key.pem;
        location / {{ default_type text/plain; return 200 "hello from the benchmark's server\\n"; }}
    }}
}}
"""


class Failure(Exception):
    """What is told in place of a figure."""


def free_ports(count):
    import socket
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def pinned(cpu):
    return lambda: os.sched_setaffinity(0, {cpu})


class Server:
    """nginx with a configuration of its own; listens when the constructor returns."""

    def __init__(self, directory, cpu):
        self.clear_port, self.tls_port = free_ports(2)
        self.ca_file = directory / "cert.pem"
        made = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                               "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", str(directory / "key.pem"),
                               "-out", str(self.ca_file)], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise Failure(f"openssl: {made.stderr.strip().splitlines()[-1]}")
        conf = directory / "nginx.conf"
        conf.write_text(NGINX_CONF.format(dir=directory, clear=self.clear_port, tls=self.tls_port))
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen([nginx, "-p", str(directory), "-c", str(conf), "-e", str(directory / "error.log")],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=pinned(cpu))
        # nginx writes its pid file once it has bound its ports.
        give_up = time.monotonic() + START_TIMEOUT_S
        while not (directory / "nginx.pid").exists():
            if self.process.poll() is not None or time.monotonic() > give_up:
                raise Failure(f"nginx did not start: {(directory / 'error.log').read_text().strip()}")
            time.sleep(0.01)

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Client:
    def __init__(self, program, port, cpu, ca_file=None):
        self.process = subprocess.Popen([str(program), str(port), *([str(ca_file)] if ca_file else [])], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1, preexec_fn=pinned(cpu))
        self.pid = self.process.pid

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        answer = self.process.stdout.readline()
        if not answer:
            raise Failure("the client ended")
        return answer.split()

    def run(self, requests):
        """Returns (wall us, CPU us) per request."""
        count, wall_ns, cpu_ns = map(int, self.ask(f"run {requests}"))
        return wall_ns / count / 1000, cpu_ns / count / 1000

    def libssl(self):
        for line in Path(f"/proc/{self.pid}/maps").read_text().splitlines():
            if "/libssl.so" in line:
                return line.split()[-1]
        raise Failure("the client does not map libssl")

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def cpu_us(pid):
    """Time on a CPU of all threads that the process has now."""
    total_ns = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total_ns += int((task / "schedstat").read_text().split()[0])
        except (OSError, IndexError):
            pass
    return total_ns / 1000


def bpf_ids(pid):
    """The ids of the BPF links and programs that a process holds."""
    ids = set()
    for info in Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            ids |= {(kind, int(n)) for kind, n in re.findall(r"^(link|prog)_id:\s*(\d+)$", info.read_text(), re.M)}
        except OSError:
            pass
    return ids


def bpf_ids_alive(ids):
    bpftool = shutil.which("bpftool", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not bpftool:
        raise Failure("bpftool is missing")
    alive = set()
    for kind in ("link", "prog"):
        listed = json.loads(subprocess.run([bpftool, "-j", kind, "list"], capture_output=True, text=True, check=True).stdout or "[]")
        alive |= {(kind, entry["id"]) for entry in listed}
    return ids & alive


class Tracer:
    """Base: a child process that is ready when start() returns."""
    process = None

    def spawn(self, command, **files):
        # A shell's background job inherits SIGINT as ignored, and the tracer must end by it.
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, text=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
                                **files)

    def stop(self):
        """Returns the seconds from SIGINT to the end."""
        begin = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.communicate(timeout=START_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failure(f"did not end within {START_TIMEOUT_S} s of SIGINT") from None
        return time.monotonic() - begin


    def abandon(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class HttptraceBpf(Tracer):
    def __init__(self, program, directory, pids=()):
        self.command = [str(program), *(["-p", ",".join(map(str, pids))] if pids else []), "-o", "text"]
        self.reports = directory / "reports.txt"

    def start(self):
        begin = time.monotonic()
        with open(self.reports, "wb") as out:
            self.process = self.spawn(self.command, stdout=out, stderr=subprocess.PIPE)
        said = ""
        while select.select([self.process.stderr], [], [], START_TIMEOUT_S)[0]:
            line = self.process.stderr.readline()
            if line.startswith(READY):
                return time.monotonic() - begin
            if not line:
                break
            said = line.strip()
        self.process.kill()
        self.process.wait()
        raise Failure(said or "never said that it is tracing")

    def reported(self, expected):
        """Requests reported, once all are or none has come for a second."""
        count, since = 0, time.monotonic()
        while count < expected and time.monotonic() - since < 1:
            time.sleep(0.02)
            now = self.reports.read_bytes().count(b"/bench")
            if now != count:
                count, since = now, time.monotonic()
        return count


class Bpftrace(Tracer):
    """The usual one-liner: a counting probe at entry and return of SSL_read and SSL_write."""

    def __init__(self, program, client, pid=None):
        self.client = client
        lib = client.libssl()
        sites = ", ".join(f"{kind}:{lib}:{function}" for function in ("SSL_read", "SSL_write") for kind in ("uprobe", "uretprobe"))
        # It says nothing when its probes are in place. A probe before and one behind them, on a function that we have called, do.
        mark = f"uprobe:{program}:bench_mark"
        code = f'{mark} {{ printf("first\\n"); }} {sites} {{ @[probe] = count(); }} {mark} {{ printf("last\\n"); }}'
        self.command = ["bpftrace", "-B", "line", *(["-p", str(pid)] if pid else []), "-e", code]

    def start(self):
        if not shutil.which("bpftrace"):
            raise Failure("bpftrace is missing")
        begin = time.monotonic()
        self.process = self.spawn(self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = ""
        while not ("first\n" in said and "last\n" in said):
            if select.select([self.process.stdout], [], [], 0.02)[0]:
                got = os.read(self.process.stdout.fileno(), 4096).decode()
                said += got
                if not got:
                    self.process.wait()
                    raise Failure(f"bpftrace: {said.strip().splitlines()[-1] if said.strip() else 'ended'}")
            elif time.monotonic() - begin > START_TIMEOUT_S:
                self.process.kill()
                self.process.wait()
                raise Failure("bpftrace did not attach")
            else:
                self.client.ask("mark")
        return time.monotonic() - begin

    def stop(self):
        begin = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        output, _ = self.process.communicate(timeout=60)
        self.hits = sum(int(n) for n in re.findall(r"\]: (\d+)$", output, re.M))
        return time.monotonic() - begin


class Series:
    """One row of a table: what each round gave."""

    def __init__(self):
        self.wall_us, self.added_us, self.added_cpu_us, self.ratio, self.tracer_us, self.seen = [], [], [], [], [], []
        self.failure = None


def measure(options, bench):
    names = {"untraced": ("clear", "tls"), "httptrace-bpf -p": ("clear", "tls"), "bpftrace -p": ("tls",), "httptrace-bpf": ("clear", "tls"),
             "bpftrace": ("tls",)}
    table = {(name, way): Series() for name, ways in names.items() for way in ways}
    clients = {"clear": bench.clear, "tls": bench.tls}
    for number in range(options.rounds):
        base = {}
        for name, ways in names.items():
            tracer = None
            try:
                tracer = bench.tracer(name)
                if tracer:
                    tracer.start()
                seen = 0
                for way in ways:
                    row, client = table[name, way], clients[way]
                    before_us = cpu_us(tracer.process.pid) if tracer else 0
                    wall_us, client_us = client.run(options.requests)
                    base.setdefault(way, (wall_us, client_us))
                    row.wall_us.append(wall_us)
                    row.added_us.append(wall_us - base[way][0])
                    row.added_cpu_us.append(client_us - base[way][1])
                    row.ratio.append(wall_us / base[way][0])
                    if isinstance(tracer, HttptraceBpf):
                        total = tracer.reported(seen + options.requests + 1)
                        row.seen.append((total - seen) / (options.requests + 1))
                        seen = total
                    if tracer:
                        row.tracer_us.append((cpu_us(tracer.process.pid) - before_us) / options.requests)
                if tracer:
                    tracer.stop()
                if isinstance(tracer, Bpftrace):
                    # Entry and return of one write and one read for each request; the server's own calls come on top system-wide.
                    table[name, "tls"].seen.append(min(1.0, tracer.hits / (4 * options.requests)))
            except Failure as failure:
                for way in ways:
                    table[name, way].failure = str(failure)
            finally:
                if tracer:
                    tracer.abandon()
        print(f"\rround {number + 1} of {options.rounds}", end="", file=sys.stderr, flush=True)
    print("\r" + " " * 30 + "\r", end="", file=sys.stderr)
    return table


def cell(values, form="{:.2f}"):
    return form.format(statistics.median(values)) if values else "-"


def print_costs(table, options):
    for way, title in (("clear", "Keep-alive request in the clear"), ("tls", "Keep-alive request over TLS (OpenSSL)")):
        print(f"{title}: median of {options.rounds} rounds of {options.requests} requests; us per request")
        print(f"  {'':20}{'as waited':>11}{'added':>9}{'min..max':>16}{'x untraced':>12}{'client CPU':>12}{'tracer CPU':>12}{'seen':>8}")
        for (name, row_way), row in table.items():
            if row_way != way:
                continue
            if row.failure or not row.wall_us:
                print(f"  {name:20}  not measured: {row.failure}")
                continue
            traced = name != "untraced"
            spread = f"{min(row.added_us):.2f}..{max(row.added_us):.2f}" if traced else "-"
            print(f"  {name:20}{cell(row.wall_us):>11}{cell(row.added_us, '{:+.2f}') if traced else '-':>9}{spread:>16}{cell(row.ratio):>12}"
                  f"{cell(row.added_cpu_us, '{:+.2f}') if traced else '-':>12}{cell(row.tracer_us):>12}{cell(row.seen, '{:.1%}'):>8}")
        print()
    for ours, theirs in (("httptrace-bpf -p", "bpftrace -p"), ("httptrace-bpf", "bpftrace")):
        a, b = table[ours, "tls"], table[theirs, "tls"]
        if a.wall_us and b.wall_us and not (a.failure or b.failure):
            ratio = statistics.median(a.added_us) / statistics.median(b.added_us)
            print(f"Added over TLS, {ours} to {theirs}: {ratio:.2f}")
    print()


def print_start_and_end(options, bench):
    idle = []
    try:
        for number in range(options.idle):
            if number % 2:
                idle.append(subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL))
            else:  # maps the library that is probed
                idle.append(subprocess.Popen([str(bench.client_program), "--idle"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
                idle[-1].stdout.readline()
        print(f"Start and end beside {len(idle)} idle processes, half of which map libssl: median (worst) of {options.starts}; ms")
        print(f"  {'':20}{'ready':>18}{'end after SIGINT':>20}{'probes left':>14}")
        for name in ("httptrace-bpf -p", "httptrace-bpf", "bpftrace"):
            ready_ms, end_ms, left = [], [], 0
            tracer = None
            try:
                for _ in range(options.starts):
                    tracer = bench.tracer(name)
                    ready_ms.append(tracer.start() * 1000)
                    ids = bpf_ids(tracer.process.pid)
                    end_ms.append(tracer.stop() * 1000)
                    # The kernel frees a program a moment after its last reference is gone.
                    give_up = time.monotonic() + 2
                    while bpf_ids_alive(ids) and time.monotonic() < give_up:
                        time.sleep(0.02)
                    left += len(bpf_ids_alive(ids))
                print(f"  {name:20}{f'{statistics.median(ready_ms):.0f} ({max(ready_ms):.0f})':>18}"
                      f"{f'{statistics.median(end_ms):.0f} ({max(end_ms):.0f})':>20}{f'{left}':>14}")
            except Failure as failure:
                print(f"  {name:20}  not measured: {failure}")
            finally:
                if tracer:
                    tracer.abandon()
    finally:
        for process in idle:
            process.stdin.close()
        for process in idle:
            process.wait()


class Bench:
    def __init__(self, options, directory):
        self.directory = directory
        self.program = options.build / "httptrace-bpf"
        self.client_program = options.build / "tests/bench/client"
        cpu = max(os.sched_getaffinity(0))
        self.server = Server(directory, cpu)
        self.clear = Client(self.client_program, self.server.clear_port, cpu)
        self.tls = Client(self.client_program, self.server.tls_port, cpu, self.server.ca_file)

    def tracer(self, name):
        if name.startswith("httptrace-bpf"):
            if not self.program.exists():
                raise Failure(f"{self.program} is not built")
            return HttptraceBpf(self.program, self.directory, (self.clear.pid, self.tls.pid) if name.endswith("-p") else ())
        if name.startswith("bpftrace"):
            return Bpftrace(self.client_program, self.tls, self.tls.pid if name.endswith("-p") else None)
        return None

    def stop(self):
        for part in (self.clear, self.tls, self.server):
            part.stop()


def main():
    parser = argparse.ArgumentParser(prog="bench.py", description="What tracing costs, as ratios within one run.")
    parser.add_argument("--build", default="build", help="where make built (build)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=20000, help="per round, way and tracer (20000)")
    parser.add_argument("--starts", type=int, default=5, help="starts and ends that are timed (5)")
    parser.add_argument("--idle", type=int, default=100, help="idle processes meanwhile (100)")
    options = parser.parse_args()
    options.build = (ROOT / options.build).resolve()
    if os.geteuid() != 0:
        if not shutil.which("sudo"):
            sys.exit("bench: tracing needs root, and there is no sudo here: run it as root")
        os.execvp("sudo", ["sudo", sys.executable, *sys.argv])
    with tempfile.TemporaryDirectory(prefix="httptrace-bench-") as directory:
        try:
            bench = Bench(options, Path(directory))
        except Failure as failure:
            sys.exit(f"bench: {failure}")
        try:
            print_costs(measure(options, bench), options)
            print_start_and_end(options, bench)
        finally:
            bench.stop()


if __name__ == "__main__":
    main()
