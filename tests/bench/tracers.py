# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The tracers that are compared: each a child process that is ready when start() returns and has ended when stop() does.

seen(way, count, run_cnt) tells what share of the requests of so many runs the tracer reported, or None where it does not count them.
"""
import os
import re
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path

from common import END_TIMEOUT_S, INTERRUPT_AGAIN_S, START_TIMEOUT_S, Failure, LineCounter, find_program, wait_for_line


class Tracer:
    process = None

    def spawn(self, command, **options):
        # A shell's background job inherits SIGINT as ignored, and the tracer must end by it.
        self.process = subprocess.Popen(command, bufsize=0, stdin=subprocess.DEVNULL,
                                        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL), **options)

    def start(self):
        """Returns the seconds from its start until it traces."""
        begin = time.monotonic()
        try:
            self.attach()
        except Failure:
            self.abandon()
            raise
        return time.monotonic() - begin

    def stop(self):
        """Returns the seconds from SIGINT to the end."""
        begin = time.monotonic()
        output = None
        while output is None:
            # Once should do, but sslsniff forgets a signal that comes within a callback, and bpftrace has been seen to stay, too.
            self.process.send_signal(signal.SIGINT)
            try:
                output = self.wait_for_end(INTERRUPT_AGAIN_S)
            except subprocess.TimeoutExpired:
                if time.monotonic() - begin > END_TIMEOUT_S:
                    self.abandon()
                    raise Failure(f"did not end within {END_TIMEOUT_S} s of SIGINT") from None
        took_s = time.monotonic() - begin
        self.ended(output)
        self.close()
        return took_s

    def wait_for_end(self, timeout_s):
        """What it wrote until its end that nobody else reads."""
        if isinstance(getattr(self, "counter", None), LineCounter):
            self.process.wait(timeout=timeout_s)
            return b""
        return b"".join(part or b"" for part in self.process.communicate(timeout=timeout_s))

    def ended(self, output):
        pass

    def abandon(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.close()

    def close(self):
        for stream in (self.process.stdout, self.process.stderr) if self.process else ():
            if stream:
                stream.close()

    def seen(self, way, count, run_cnt):
        return None


class HttptraceBpf(Tracer):
    def __init__(self, bench, has_pids, *options):
        pids = ["-p", ",".join(map(str, bench.bed.pids()))] if has_pids else []
        self.command = [str(bench.program), *pids, *options, "-o", "text"]
        self.counter, self.told = None, 0

    def attach(self):
        if not Path(self.command[0]).exists():
            raise Failure(f"{self.command[0]} is not built")
        self.spawn(self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        # Its reports are read from now on: a full pipe would make it wait.
        self.counter = LineCounter(self.process.stdout, lambda line: b"/bench" in line)
        wait_for_line(self.process.stderr, lambda line: line.startswith("httptrace-bpf: tracing"), "httptrace-bpf")

    def seen(self, way, count, run_cnt):
        if way == "work":
            return None
        before, self.told = self.told, self.counter.wait(self.told + count + run_cnt)
        return (self.told - before) / (count + run_cnt)

    def close(self):
        if self.counter:
            self.counter.join()
        super().close()


class Bpftrace(Tracer):
    """The usual one-liner: a counting probe at entry and return of SSL_read and SSL_write."""

    def __init__(self, bench, has_pid):
        self.client = bench.bed.clients["tls"]
        sites = ", ".join(f"{kind}:{bench.bed.libssl}:{fn}" for fn in ("SSL_read", "SSL_write") for kind in ("uprobe", "uretprobe"))
        # It says nothing when its probes are in place. A probe before and one behind them, on a function that we have called, do.
        mark = f"uprobe:{bench.bed.client_program}:bench_mark"
        code = f'{mark} {{ printf("first\\n"); }} {sites} {{ @[probe] = count(); }} {mark} {{ printf("last\\n"); }}'
        self.arguments = ["-B", "line", *(["-p", str(self.client.pid)] if has_pid else []), "-e", code]
        self.expected, self.said = 0, b""

    def attach(self):
        self.spawn([find_program("bpftrace"), *self.arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        give_up = time.monotonic() + START_TIMEOUT_S
        while not (b"first\n" in self.said and b"last\n" in self.said):
            if select.select([self.process.stdout], [], [], 0.02)[0]:
                got = os.read(self.process.stdout.fileno(), 4096)
                self.said += got
                if not got:
                    raise Failure(f"bpftrace: {(self.said.decode(errors='replace').strip() or 'ended').splitlines()[-1]}")
            elif time.monotonic() > give_up:
                raise Failure("bpftrace did not attach")
            else:
                self.client.ask("mark")

    def seen(self, way, count, run_cnt):
        self.expected += 4 * count
        return None

    def seen_at_the_end(self):
        """Entry and return of one write and one read for each request; the server's own calls come on top system-wide."""
        return min(1.0, sum(int(n) for n in re.findall(rb"\]: (\d+)$", self.said, re.M)) / self.expected)

    def ended(self, output):
        self.said += output


# Since 2025 its min() holds an assertion that bcc takes for a call of a function: the packaged sslsniff does not compile against it.
OLDER_MIN = """#include "{}"
#undef min
#define min(x, y) ((x) < (y) ? (x) : (y))
"""


def kernel_headers(directory):
    """One tree of kernel headers for bcc, made of the two that Debian installs; of the running kernel or else the newest."""
    here = Path("/lib/modules") / os.uname().release
    installed = sorted(Path("/usr/src").glob("linux-headers-*-common"), key=lambda path: path.stat().st_mtime)
    if (here / "build").exists():
        parts = [(here / "build").resolve(), (here / "source" if (here / "source").exists() else here / "build").resolve()]
    elif installed:
        common = installed[-1]
        own = sorted(path for path in common.parent.glob(common.name.replace("-common", "-*")) if path != common)
        parts = [*own[-1:], common]
    else:
        raise Failure("kernel headers are missing (sslsniff is compiled when it starts): install linux-headers")
    tree, arch = directory / "headers", {"x86_64": "x86", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    if tree.exists():
        return tree
    for below in ("include", f"arch/{arch}/include", "include/linux"):
        folder = tree / below
        if folder.is_symlink():
            folder.unlink()
        folder.mkdir(parents=True)
        for part in parts:
            for path in (part / below).iterdir() if (part / below).is_dir() else ():
                if not (folder / path.name).exists():
                    (folder / path.name).symlink_to(path)
    minmax = tree / "include/linux/minmax.h"
    if minmax.exists():
        original = minmax.resolve()
        minmax.unlink()
        minmax.write_text(OLDER_MIN.format(original))
    return tree


class Sslsniff(Tracer):
    """bcc's sslsniff, which prints what passes; its probes on other libraries than OpenSSL off, as one that is not installed ends it."""

    def __init__(self, bench, has_pid):
        self.client = bench.bed.clients["tls"]
        self.directory = bench.directory
        self.arguments = ["--no-gnutls", "--no-nss", *(["-p", str(self.client.pid)] if has_pid else [])]
        self.counter, self.told = None, 0

    def attach(self):
        program = shutil.which("sslsniff-bpfcc", path="/usr/sbin:/sbin") or find_program("sslsniff-bpfcc")
        # Unbuffered: its head line comes when its probes are in place, and must not wait for more.
        env = {**os.environ, "PYTHONUNBUFFERED": "1", "BCC_KERNEL_SOURCE": str(kernel_headers(self.directory))}
        with open(self.directory / "sslsniff.err", "w+b") as err:
            self.spawn([program, *self.arguments], stdout=subprocess.PIPE, stderr=err, env=env)
            try:
                wait_for_line(self.process.stdout, lambda line: line.startswith("FUNC"), "sslsniff")
            except Failure:
                err.seek(0)
                said = re.findall(r"^.*(?:rror|xception).*$", err.read().decode(errors="replace"), re.M)
                raise Failure(f"sslsniff: {said[-1].strip() if said else 'ended'}") from None
        pid = str(self.client.pid).encode()

        def is_ours(line):
            words = line.split()
            return len(words) > 3 and words[0] in (b"READ/RECV", b"WRITE/SEND") and words[3] == pid

        self.counter = LineCounter(self.process.stdout, is_ours)

    def seen(self, way, count, run_cnt):
        # One write and one read for each request, and for the first one of each run, which is not timed.
        expected = 2 * (count + run_cnt)
        before, self.told = self.told, self.counter.wait(self.told + expected)
        return (self.told - before) / expected

    def close(self):
        if self.counter:
            self.counter.join()
        super().close()


class Tcpdump(Tracer):
    def __init__(self, bench):
        self.file = bench.directory / "packets.pcap"

    def attach(self):
        # As the user it would change to it might not write there.
        self.spawn([find_program("tcpdump"), "-i", "lo", "-Z", "root", "-w", str(self.file)], stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE)
        wait_for_line(self.process.stderr, lambda line: "listening on lo" in line, "tcpdump")

    def ended(self, output):
        numbers = re.findall(rb"^(\d+) packets (captured|dropped by kernel)", output, re.M)
        self.counts = {what: int(number) for number, what in numbers}
        self.file.unlink()

    def seen_at_the_end(self):
        captured, dropped = self.counts.get(b"captured", 0), self.counts.get(b"dropped by kernel", 0)
        return captured / (captured + dropped) if captured else 0.0


# What a row is called: what it runs, and what it is good for, in the order of the tables. All the ways of bed.Bed.WAYS that it is measured in.
ROWS = {
    "httptrace-bpf -p": (("clear", "tls", "tls_ex", "tls_h2", "work"), lambda bench: HttptraceBpf(bench, True)),
    "httptrace-bpf -p --probe-sites entry": (("tls",), lambda bench: HttptraceBpf(bench, True, "--probe-sites", "entry")),
    "bpftrace -p": (("tls",), lambda bench: Bpftrace(bench, True)),
    "sslsniff -p": (("tls",), lambda bench: Sslsniff(bench, True)),
    "httptrace-bpf": (("clear", "tls", "tls_ex", "tls_h2", "work"), lambda bench: HttptraceBpf(bench, False)),
    "bpftrace": (("tls",), lambda bench: Bpftrace(bench, False)),
    "sslsniff": (("tls",), lambda bench: Sslsniff(bench, False)),
    "tcpdump -i lo -w FILE": (("clear", "tls"), Tcpdump),
}
