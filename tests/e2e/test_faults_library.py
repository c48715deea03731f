# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Faults: libssl's file is replaced while it is in use, as by a package upgrade: who has the old one, and who loads the new one."""

import os
import shutil

import pytest

from bed import hooks, server
from bed.tracer import Tracer
from conftest import Stepper
from expect import COLD_TLS_NAME, REUSED, compare_with_server

HOST = f"localhost:{server.TLS}"
LIBRARIES = ("libssl.so.3", "libcrypto.so.3")


class Installed:
    """A copy of OpenSSL that clients load by LD_LIBRARY_PATH."""

    def __init__(self, bed, pid):
        self.folder = bed.file("lib")
        os.mkdir(self.folder)
        with open(f"/proc/{pid}/maps", encoding="ascii") as maps:
            self.origin = os.path.dirname(next(line.split()[-1] for line in maps if "/libssl.so.3" in line))
        self.env = {**bed.env, "LD_LIBRARY_PATH": self.folder}
        self.upgrade()

    def path(self, library):
        return os.path.join(self.folder, library)

    def upgrade(self):
        """dpkg's way: the new file beside the old one, then renamed over it."""
        for library in LIBRARIES:
            shutil.copy(os.path.join(self.origin, library), self.path(library) + ".dpkg-new")
            os.rename(self.path(library) + ".dpkg-new", self.path(library))


def library_of(pid, library=LIBRARIES[0]):
    """(path, inode, whether it is deleted) of what a process has mapped."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps:
        fields = next(line.split() for line in maps if f"/{library}" in line and "x" in line.split()[1])
    return fields[5], int(fields[4]), len(fields) > 6


def ask(stepper, name, cold):
    if cold:
        stepper("connect", "a", "localhost", server.TLS, {"tls": True})
    stepper.get("a", name, HOST)


def is_new_file(path):
    return lambda value: value["type"] == "target" and value["action"] == "attached" and value.get("path") == path


def is_attached_process(value):
    return value["type"] == "target" and value["action"] == "attached" and value["target"] == "process"


@pytest.mark.parametrize("mode", ["system-wide", "by pid", "begun after the upgrade"])
def test_library_is_replaced(bed, mode):
    """The old process goes on being traced, on its old connection and on new ones; a new process loads the new file and is traced likewise."""
    name, reference = bed.unique(), Stepper(bed)
    ask(reference, "/loads-openssl", True)
    installed = Installed(bed, reference.pid)
    old, new, expected = Stepper(bed, env=installed.env), None, []
    path = installed.path(LIBRARIES[0])

    def request(stepper, text, cold):
        ask(stepper, f"/{name}-{text}", cold)
        if tracer:
            expected.append((f"https://{HOST}/{name}-{text}", stepper.pid, cold))

    tracer = None
    request(old, "untraced", True)
    assert library_of(old.pid)[0] == path, "the client does not use the copy: this test proves nothing"
    if mode == "begun after the upgrade":
        installed.upgrade()
        new = Stepper(bed, env=installed.env)
        ask(new, f"/{name}-loads", True)
    options = {"system-wide": ("--path", f"/{name}-*"), "by pid": ("-p", str(old.pid))}.get(mode, ("-p", f"{old.pid},{new.pid if new else 0}"))
    with Tracer(bed, *options) as tracer:
        request(old, "old-before", False)
        if not new:
            installed.upgrade()
        assert library_of(old.pid)[2], "the old file is still there: this test proves nothing"
        request(old, "old-kept", False)
        if not new and mode == "system-wide":
            new = Stepper(bed, env=installed.env)
            # Python's ssl loads the library at its start; once it is known and probed, everything of the process is seen.
            tracer.wait_for(is_new_file(path), count=2)
        if new:
            assert library_of(new.pid)[1] == os.stat(path).st_ino != library_of(old.pid)[1]
            request(new, "new-cold", True)
            request(new, "new-kept", False)
        request(old, "old-cold", True)
        tracer.wait_url(f"/{name}-", count=len(expected))
        trace = tracer.stop()
    ours = {record["url"]: record for record in trace.requests if f"/{name}-" in (record["url"] or "")}
    assert len(ours) == len(expected) == (3 if mode == "by pid" else 5)
    for url, pid, cold in expected:
        record = ours[url]
        assert (record["pid"], record["outcome"], record["status"], record["conn"]["tls"]["library"]) == (pid, "ok", 200, "openssl"), record
        assert hooks.sequence(record, f"{COLD_TLS_NAME if cold else REUSED} PutIdleConn? ConnClosed?") == [], record
    for record in ours.values():
        record["conn"]["request_index"] = None  # of connections older than the tracer only what was seen is counted
    seen = [entry for entry in bed.server.take(requests=1)["requests"] if entry["target"] in {url.split(HOST)[1] for url in ours}]
    assert [item for item in compare_with_server(list(ours.values()), seen) if "request_index" not in item] == []


def test_children_after_an_upgrade(bed):
    """A traced shell's children load first the old, then the new file: each in turn from its first instruction, once the file has been met."""
    name, reference = bed.unique(), Stepper(bed)
    ask(reference, "/loads-openssl", True)
    installed = Installed(bed, reference.pid)
    bed.server.take(requests=1)
    shell = bed.start(["bash"], env=installed.env)

    children = []

    def curl(text):
        """A child that has its probes before it becomes curl: on a busy machine they may come later than its first call."""
        url = f"https://www.test:{server.TLS}/{name}-{text}"
        shell.stdin.write(f"sh -c 'read line; exec curl -sS -o /dev/null {url}'; echo done\n")
        shell.stdin.flush()
        children.append(url)
        tracer.wait_for(is_attached_process, count=1 + len(children))
        shell.stdin.write("go\n")
        shell.stdin.flush()
        assert shell.stdout.readline() == "done\n"

    with Tracer(bed, "-p", str(shell.pid)) as tracer:
        for version in ("old", "new"):
            curl(f"{version}-first")
            tracer.wait_for(is_new_file(installed.path(LIBRARIES[0])), count=1 if version == "old" else 2)
            curl(f"{version}-second")
            curl(f"{version}-third")
            tracer.wait_url(f"/{name}-{version}-third")
            if version == "old":
                installed.upgrade()
        trace = tracer.stop()
    seen = bed.server.take(requests=6)["requests"]
    found = {record["url"].rsplit("-", 2)[-2] + "-" + record["url"].rsplit("-", 1)[1]: record for record in trace.requests if record["url"]}
    assert {f"{version}-{turn}" for version in ("old", "new") for turn in ("second", "third")} <= set(found)
    wrong = [item for key, record in found.items() if "first" not in key for item in hooks.sequence(record, f"{COLD_TLS_NAME} PutIdleConn?")]
    assert not wrong, wrong
    known = {record["url"].split(f":{server.TLS}")[1] for record in trace.requests if record["url"]}
    assert compare_with_server([r for r in trace.requests if r["url"]], [entry for entry in seen if entry["target"] in known]) == []
