# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What the parts of the benchmark share: failures that are told in place of a figure, lines that arrive in a pipe, processes on a CPU."""
import os
import select
import shutil
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
START_TIMEOUT_S = 60
END_TIMEOUT_S = 30
INTERRUPT_AGAIN_S = 3
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


class Failure(Exception):
    """What is told in place of a figure."""


def find_program(name):
    found = shutil.which(name, path=PATH)
    if not found:
        raise Failure(f"{name} is missing")
    return found


def pinned(cpu):
    return lambda: os.sched_setaffinity(0, {cpu})


def cpu_us(pid):
    """Time on a CPU of all threads that the process has now."""
    total_ns = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total_ns += int((task / "schedstat").read_text().split()[0])
        except (OSError, IndexError):
            pass
    return total_ns / 1000


def wait_for_line(stream, is_wanted, what):
    """Reads lines of an unbuffered binary stream until one is wanted, which is returned. Failure with the last line if none comes."""
    said, line = "", b""
    give_up = time.monotonic() + START_TIMEOUT_S
    while select.select([stream], [], [], max(0, give_up - time.monotonic()))[0]:
        byte = os.read(stream.fileno(), 1)
        line += byte
        if byte and byte != b"\n":
            continue
        text = line.decode(errors="replace").strip()
        said, line = text or said, b""
        if is_wanted(text):
            return text
        if not byte:
            break
    raise Failure(f"{what}: {said or 'did not say that it is ready'}")


class LineCounter:
    """Reads a pipe to its end in a thread of its own, and counts the lines that are wanted."""

    def __init__(self, stream, is_wanted):
        self.count = 0
        self._stream, self._is_wanted = stream, is_wanted
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        rest = b""
        while True:
            block = os.read(self._stream.fileno(), 1 << 16)
            if not block:
                return
            *lines, rest = (rest + block).split(b"\n")
            count = sum(map(self._is_wanted, lines))
            if count:
                with self._changed:
                    self.count += count
                    self._changed.notify_all()

    def wait(self, expected, idle_s=1):
        """The count, once it is what is expected or nothing has come for so long."""
        with self._changed:
            while self.count < expected:
                before = self.count
                self._changed.wait(idle_s)
                if self.count == before:
                    break
            return self.count

    def join(self):
        self._thread.join(END_TIMEOUT_S)
