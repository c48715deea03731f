# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Proxies, upgrades, WebSockets: every scenario of scenarios_ways.py, untraced and then traced."""

import json

import pytest

from bed import hooks, server
from bed.daemons import PASSWORD, USER, WEBSOCKET
from bed.tracer import Tracer, trace_command
from bed.wait import limit
from expect import COLD
from scenarios_ways import ALL, SOCKS
from test_scenarios import keep, run_traced, run_untraced

IDS = [scenario.name for scenario in ALL]
assert len(set(IDS)) == len(IDS)


@pytest.mark.parametrize("scenario", ALL, ids=IDS)
def test_untraced(bed, scenario):
    run_untraced(bed, scenario)


@pytest.mark.parametrize("scenario", ALL, ids=IDS)
def test_traced(bed, scenario):
    run_traced(bed, scenario, *keep(scenario))


def test_a_password_of_socks_goes_nowhere(bed):
    """RFC 1929: not into a report, not into a capture, which holds the raw bytes of all else."""
    (scenario,) = [scenario for scenario in SOCKS if scenario.name == "SOCKS5 with a password"]
    assert bed.daemons.microsocks_password.pid
    capture = bed.file("socks.cap")
    trace = trace_command(bed, scenario.client(bed), "-H", "--no-redact", "-w", capture)
    with open(capture, "rb") as file:
        raw = file.read()
    assert b"GET / HTTP/1.1" in raw and trace.requests[0]["status"] == 200, "this test would prove nothing"
    told = "\n".join(trace.lines)
    # The command line is in no report either.
    for secret in (PASSWORD, USER):
        assert secret.encode() not in raw and secret not in told, f"{secret} is in the capture or in a report"


GREETING, ASKING, SECRET, REQUEST = "\5\1\0", "\5\1\2", "\1\4user\6SECRET", "\5\1\0\3\6h.test\0\120"
HANDSHAKES = {
    "all of it ahead": [GREETING + REQUEST, 12],
    "the request in two": [GREETING, 2, REQUEST[:1], REQUEST[1:], 10],
    "the request byte by byte": [GREETING, 2, *REQUEST, 10],
    "the password in two": [ASKING, 2, SECRET[:1], SECRET[1:], 2, REQUEST, 10],
    "the password ahead": [ASKING, SECRET, 4, REQUEST, 10],
    "the password ahead, in two": [ASKING, SECRET[:1], SECRET[1:], 4, REQUEST, 10],
    "the password with the greeting": [ASKING + SECRET, 4, REQUEST, 10],
    "the password with the greeting, the request in two": [ASKING + SECRET, 4, REQUEST[:5], REQUEST[5:], 10],
}


@pytest.mark.parametrize("how", HANDSHAKES)
def test_a_client_of_socks5_in_its_own_way(bed, how):
    """Which messages it sends without waiting, and in how many writes: the handshake is followed, and the password goes nowhere."""
    capture = bed.file("socks.cap")
    trace = trace_command(bed, bed.script("socks5.py", json.dumps(HANDSHAKES[how])), "-w", capture)
    with open(capture, "rb") as file:
        assert b"SECRET" not in file.read()
    (record,) = trace.requests
    assert (record["url"], record["status"], record["conn"]["proxy"]["type"]) == ("http://h.test/through", 200, "socks5")
    assert not trace.dials


@pytest.mark.parametrize("how", ["events", "long poll"])
def test_open_at_the_end(bed, stepper, how):
    """Server-sent events, and a long poll without an answer yet, when tracing ends."""
    host = f"127.0.0.1:{server.PLAIN}"
    target = "/events?nolen=1&n=1000&pieces=10&slow=60&hdr=Content-Type:text/event-stream" if how == "events" else "/poll?delay=60"
    with Tracer(bed, "-p", str(stepper.pid)) as tracer:
        stepper("connect", "a", "127.0.0.1", server.PLAIN)
        stepper("send", "a", f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n")
        if how == "events":
            text = stepper("read", "a", 150)["text"]
            size = len(text.partition("\r\n\r\n")[2])
            size += len(stepper("read", "a", 100 - size)["text"]) if size < 100 else 0
        stepper("connect", "b", "127.0.0.1", server.PLAIN)
        stepper.get("b", "/done", host)
        tracer.wait_url("/done")
        trace = tracer.stop()
    record = trace.one(target.partition("?")[0])
    assert record["outcome"] == "incomplete"
    if how == "events":
        assert (record["status"], record.get("open"), record["response"]["body_bytes"]) == (200, True, size)
        assert hooks.sequence(record, COLD) == []
    else:
        assert record["status"] is None and not hooks.find(record, "GotFirstResponseByte")


def test_a_websocket_open_at_the_end(bed):
    """What was counted until then; no close code is made up."""
    assert bed.daemons.websocket.pid
    script = (
        "import asyncio, sys, websockets\n"
        "async def main():\n"
        f"    async with websockets.connect('ws://127.0.0.1:{WEBSOCKET}/echo', ping_interval=None) as ws:\n"
        "        print('open', flush=True)\n"
        "        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)\n"
        "        for n in range(3): await ws.send('x' * 30); await ws.recv()\n"
        "        print('sent', flush=True)\n"
        "        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)\n"
        "asyncio.run(main())\n"
    )
    with Tracer(bed, "-n", "python3") as tracer:
        client = bed.start(["/usr/bin/python3", "-c", script])
        assert client.stdout.readline() == "open\n"
        client.stdin.write("go\n")
        client.stdin.flush()
        assert client.stdout.readline() == "sent\n"
        tracer.wait_for(lambda value: value["type"] == "request" and value["pid"] == client.pid, timeout_s=limit(5))
        trace = tracer.stop()
    (report,) = [value for value in trace.of_type("websocket") if value["pid"] == client.pid]
    assert (report["frames_sent"], report["frames_received"], report["close_code"], report["closed_by"]) == (3, 3, None, None)
    assert report["outcome"] == "incomplete" and report.get("open") is True
