# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Waiting for a condition that announces itself to nobody (a file, /proc): ask often, up to a deadline.

HTTPTRACE_SLOWER=10 tells that everything takes ten times as long here (an emulated processor): limits are stretched, never shortened.
"""

import os
import threading
import time

SLOWER = max(1.0, float(os.environ.get("HTTPTRACE_SLOWER") or 1))

_nobody = threading.Event()
INTERVAL_S = 0.005


def limit(seconds):
    """How long to wait at most for what takes less than seconds on hardware."""
    return seconds * SLOWER


def wait_until(condition, timeout_s, what):
    """condition()'s first true value; AssertionError that says what after timeout_s."""
    timeout_s = limit(timeout_s)
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {timeout_s} s in vain for {what}"
        _nobody.wait(INTERVAL_S)
