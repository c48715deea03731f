# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""One tracer for the clients of many tests, by cgroup: where a start of the tracer costs more than a client does (an emulated processor).

It runs as a daemon of an operator's would: started once, it meets processes, connections and libraries as they come and go. What a client made is
all that is reported between its start and a marker, a request that another process of the cgroup makes once the client has ended.
"""

import os
import subprocess
import threading
import uuid

from . import schema
from .tracer import Trace, Tracer
from .wait import limit

# A failed connect is told once no other follows it within 300 ms (HT_DIAL_WAIT_NS); then there may be a marker that nothing comes behind.
SETTLED_S = 0.5


def cgroup_mount():
    """Where the cgroup2 file system is mounted, writable; AssertionError where it is not."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        rows = [line.split() for line in file]
    found = [row[4] for row in rows if row[row.index("-") + 1] == "cgroup2" and os.access(row[4], os.W_OK)]
    assert found, "no writable cgroup2 file system is mounted"
    return found[0]


def join(cgroup):
    """This process, into the cgroup: for preexec_fn."""
    with open(os.path.join(cgroup, "cgroup.procs"), "w", encoding="ascii") as file:
        file.write("0")


class SharedTracer:
    def __init__(self, bed, stepper, port, *options):
        """stepper: conftest.py's Stepper. port: of a server on loopback for markers, which keeps no ledger."""
        self._bed, self._port, self._numbers = bed, port, 0
        self.mount = cgroup_mount()
        self.cgroup = os.path.join(self.mount, f"httptrace-e2e-{uuid.uuid4().hex[:8]}")
        os.mkdir(self.cgroup)
        self._marker = stepper(bed, is_kept=True, preexec_fn=lambda: join(self.cgroup))
        self.tracer = Tracer(bed, "--cgroup", self.cgroup, *options)

    def _mark(self):
        """Returns once the tracer has reported a request that was made now."""
        self._numbers += 1
        path, connection = f"/marker-{self._numbers}", str(self._numbers)
        self._marker("connect", connection, "127.0.0.1", self._port)
        self._marker.get(connection, path, f"127.0.0.1:{self._port}")
        self._marker("close", connection)
        self.tracer.wait_url(path, timeout_s=20)

    def trace(self, arguments, env=None, timeout_s=60):
        """The client, to its end: the Trace of what it did, without a summary."""
        self._mark()
        begin = len(self.tracer.lines)
        done = subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env=env or self._bed.env,
            timeout=limit(timeout_s),
            check=False,
            preexec_fn=lambda: join(self.cgroup),
        )
        self._mark()
        threading.Event().wait(SETTLED_S)
        self._mark()
        lines = [line for line in self.tracer.lines[begin:] if not self._is_marker(line)]
        return Trace(lines, done.returncode, self.tracer.stderr, done.stdout, is_part=True)

    def _is_marker(self, line):
        return schema.parse(line).get("pid") == self._marker.pid

    def stop(self):
        """Ends it: nothing was lost."""
        trace = self.tracer.stop()
        with open(os.path.join(self.cgroup, "cgroup.procs"), encoding="ascii") as procs:
            left = procs.read().split()
        for pid in left:
            with open(os.path.join(self.mount, "cgroup.procs"), "w", encoding="ascii") as root:
                root.write(pid)
        os.rmdir(self.cgroup)
        trace.nothing_lost()
