# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Waiting for a condition that announces itself to nobody (a file, /proc): ask often, up to a deadline."""

import threading
import time

_nobody = threading.Event()
INTERVAL_S = 0.005


def wait_until(condition, timeout_s, what):
    """condition()'s first true value; AssertionError that says what after timeout_s."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {timeout_s} s in vain for {what}"
        _nobody.wait(INTERVAL_S)
