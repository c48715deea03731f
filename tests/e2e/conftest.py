# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Session fixtures: the namespaces, DNS, the servers. A test takes `bed`."""

import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from bed import certs, daemons, dns, h2server, netns, nginx, server, shared, tracer  # noqa: E402  (the path comes first)
from bed.wait import limit  # noqa: E402


# What needs another kernel is collected under one only (tests/vm).
collect_ignore = [] if "HTTPTRACE_VM" in os.environ else ["test_backends.py", "test_machine.py"]


class Bed:
    """Everything a test needs: where things run and how to run a client there."""

    def __init__(self, folder):
        self.folder = folder
        os.chmod(folder, 0o755)
        self.namespaces = netns.enter(folder)
        self.certificates = certs.Certificates(folder)
        self.clients = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clients")
        home = os.path.join(folder, "home")
        os.mkdir(home)
        # Nothing of the person who runs the tests: no proxies, no .curlrc, no locale.
        self.env = {
            "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
            "HOME": home,
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONDONTWRITEBYTECODE": "1",
            "SSL_CERT_FILE": self.certificates.ca,
            "CURL_CA_BUNDLE": self.certificates.ca,
            "REQUESTS_CA_BUNDLE": self.certificates.ca,
            "PERL_LWP_SSL_CA_FILE": self.certificates.ca,
        }
        self.distrusting = {
            key: value for key, value in self.env.items() if value != self.certificates.ca
        }  # knows nothing of our CA: every certificate is bad
        self.dns = dns.DnsServer()
        self.server = server.Server(self.certificates)
        self._nginx = self._h2 = None
        self.daemons = daemons.Daemons(folder, self.certificates)
        self._numbers = itertools.count(1)
        self._running, self._kept = [], []
        self._shared = None

    @property
    def nginx(self):
        if self._nginx is None:
            self._nginx = nginx.Nginx(self.folder, self.certificates)
        return self._nginx

    @property
    def h2(self):
        if self._h2 is None:
            self._h2 = h2server.H2Server(self.certificates)
        return self._h2

    @property
    def shared(self):
        """The tracer that tests share, where HTTPTRACE_SHARED asks for one (1, or options for it), else None."""
        wanted = os.environ.get("HTTPTRACE_SHARED", "")
        if self._shared is None and wanted:
            options = wanted.split() if wanted.startswith("-") else ()
            self._shared = shared.SharedTracer(self, Stepper, self.nginx and nginx.LOAD_PLAIN, *options)
        return self._shared

    def forget(self):
        """What was served so far."""
        self.server.forget()
        if self._h2:
            self._h2.forget()
        self.daemons.forget()

    def unique(self):
        return f"u{next(self._numbers)}"

    def file(self, name):
        """A path that nobody has used yet."""
        return os.path.join(self.folder, f"{next(self._numbers)}-{name}")

    def socket(self, name):
        """Path of a Unix socket of the server's."""
        return name if name.startswith("@") else os.path.join(self.folder, name)

    def payload(self, size):
        path = self.file("payload")
        with open(path, "wb") as file:
            file.write(server.content(size))
        return path

    def script(self, name, *arguments):
        """argv of one of clients/*."""
        interpreter = shutil.which("perl") if name.endswith(".pl") else "/usr/bin/python3"
        return [interpreter, os.path.join(self.clients, name), *map(str, arguments)]

    def steps(self, *steps):
        return self.script("steps.py", json.dumps(steps))

    def h2steps(self, *steps):
        return self.script("h2steps.py", json.dumps(steps))

    def run(self, arguments, timeout_s=60, env=None, **more):
        return subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env=env or self.env,
            timeout=limit(timeout_s),
            check=False,
            **more,
        )

    def start(self, arguments, env=None, is_kept=False, **more):
        """A background client, ended with the test at the latest, or with the session where it is kept."""
        options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": env or self.env, **more}
        process = subprocess.Popen(arguments, **options)
        (self._kept if is_kept else self._running).append(process)
        return process

    def end_all(self, is_kept=False):
        ended = self._running + (self._kept if is_kept else [])
        for process in ended:
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    try:
                        stream.close()
                    except BrokenPipeError:
                        pass
        self._running.clear()
        if is_kept:
            self._kept.clear()

    def stop_shared(self):
        if self._shared is not None:
            self._shared.stop()

    def stop(self):
        self.end_all(is_kept=True)
        for part in (self._nginx, self._h2, self.daemons):
            if part:
                part.stop()
        self.server.stop()
        self.dns.stop()


class Stepper:
    """clients/steps.py on a string, or h2steps.py: one step, one answer."""

    def __init__(self, bed, env=None, script="steps.py", **more):
        self.process = bed.start(bed.script(script, "-"), env=env, **more)
        self.pid = json.loads(self.process.stdout.readline())["pid"]

    def __call__(self, *step):
        self.process.stdin.write(json.dumps(step) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the stepping client ended at {step}: {self.process.poll()}"
        answer = json.loads(line)
        assert "error" not in answer, f"{step}: {answer}"
        return answer

    def get(self, connection, target, host="127.0.0.1:8080", method="GET", extra=""):
        self("send", connection, f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{extra}\r\n")
        return self("response", connection, {"head": method == "HEAD"})

    def end(self):
        self.process.stdin.close()
        return self.process.wait(limit(10))


def pytest_configure(config):
    config.addinivalue_line("markers", "bed: needs no tracer: the bed, the checkers, the scenarios' clients by themselves")
    config.addinivalue_line("markers", "plain_build(why): cannot hold in a build with sanitizers (HTTPTRACE_SANITIZED), and why not")


def pytest_collection_modifyitems(config, items):
    for item in items:
        if item.module.__name__ in ("test_bed", "test_checkers") or "untraced" in item.name:
            item.add_marker(pytest.mark.bed)
    if not os.environ.get("HTTPTRACE_SANITIZED"):
        return
    # The sanitizers are in the tracer: what does not start it has been tested already.
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("bed")])
    items[:] = [item for item in items if not item.get_closest_marker("bed")]
    for item in items:
        plain = item.get_closest_marker("plain_build")
        if plain:
            item.add_marker(pytest.mark.skip(reason=f"sanitized build: {plain.args[0]}"))


# -- which hooks the tests that passed have seen, and how: into the file that HTTPTRACE_SEEN names

_seen = {}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when == "call":
        while tracer.seen:
            hook, how = tracer.seen.pop()
            if report.passed:
                _seen.setdefault(hook, {}).setdefault(how, item.nodeid)


def pytest_sessionfinish():
    path = os.environ.get("HTTPTRACE_SEEN")
    if path:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(_seen, file, indent=1, sort_keys=True)


@pytest.fixture(scope="session")
def _bed():
    # Not pytest's own temporary folder, which only its owner may enter: traced commands run as another user too.
    folder = tempfile.mkdtemp(prefix="httptrace-bpf-e2e-")
    bed = Bed(folder)
    yield bed
    try:
        bed.stop_shared()
    finally:
        bed.stop()
    shutil.rmtree(folder)


@pytest.fixture
def bed(_bed):
    _bed.forget()
    yield _bed
    _bed.end_all()


@pytest.fixture
def stepper(bed):
    return Stepper(bed)
