# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Scenarios in which something fails or is retried: names, addresses, certificates, servers that go away, clients that give up."""

from bed import hooks, netns, server
from expect import ANY, COLD, COLD_TLS, DIAL, DNS, FIRST, KEPT, LAST, SENT, TLS, Expect
from scenario import Scenario, H, S, SN, curl, fetch, get, lwp, steps


def no_clean_write(records, _served, _run):
    return (
        ["WroteRequest without an error, though the body was cut"]
        if any(hook["args"]["error"] is None for hook in hooks.find(records[0], "WroteRequest"))
        else []
    )


REQUEST_ONLY = f"GetConn GotConn {SENT}"

FAILURES = [
    Scenario(
        "::1 refused, then 127.0.0.1",
        curl(f"http://six.test:{server.PLAIN_V4}"),
        ["GET 200"],
        [
            Expect(
                f"GetConn {DNS} {DIAL} {DIAL} GotConn {SENT} {FIRST} {LAST}",
                args={
                    "DNSDone": [{"addrs": ["::1", "127.0.0.1"], "error": None}],
                    "ConnectStart": [{"addr": f"[::1]:{server.PLAIN_V4}"}, {"addr": f"127.0.0.1:{server.PLAIN_V4}"}],
                    "ConnectDone": [
                        {"addr": f"[::1]:{server.PLAIN_V4}", "error": "ECONNREFUSED"},
                        {"addr": f"127.0.0.1:{server.PLAIN_V4}", "error": None},
                    ],
                },
            )
        ],
    ),
    Scenario(
        "::1 refused, then 127.0.0.1, by Python",
        fetch("http.client", f"https://six.test:{server.TLS_V4}"),
        ["GET 200"],
        [Expect(f"GetConn {DNS} {DIAL} {DIAL} {TLS} GotConn {SENT} {FIRST} {LAST}", tls={})],
    ),
    Scenario(
        "first address refused, same family",
        curl(f"http://many.test:{server.PLAIN_OTHER}"),
        ["GET 200"],
        [
            Expect(
                f"GetConn {DNS} {DIAL} {DIAL} GotConn {SENT} {FIRST} {LAST}",
                args={
                    "ConnectDone": [
                        {"addr": f"{netns.OTHERS4[0]}:{server.PLAIN_OTHER}", "error": "ECONNREFUSED"},
                        {"addr": f"{netns.OTHERS4[1]}:{server.PLAIN_OTHER}", "error": None},
                    ]
                },
            )
        ],
        why="hooks.md 6c",
    ),
    Scenario(
        "first family swallowed",
        curl(f"http://eyes.test:{server.PLAIN}"),
        ["GET 200"],
        [
            Expect(
                (
                    f"GetConn {DNS} ConnectStart ConnectStart ConnectDone GotConn {SENT} {FIRST} {LAST}",
                    f"GetConn {DNS} ConnectStart ConnectStart ConnectDone ConnectDone GotConn {SENT} {FIRST} {LAST}",
                    f"GetConn {DNS} ConnectStart ConnectDone ConnectStart ConnectDone GotConn {SENT} {FIRST} {LAST}",
                    f"GetConn {DNS} ConnectStart ConnectStart ConnectDone GotConn {SENT} {FIRST} ConnectDone {LAST}",
                    f"GetConn {DNS} ConnectStart ConnectStart ConnectDone GotConn ConnectDone {SENT} {FIRST} {LAST}",
                ),
                at_least_ms={"connect": 150},
            )
        ],
        why="hooks.md 6b: the loser's ConnectDone has no fixed place; curl starts the other family after 200 ms",
    ),
    Scenario(
        "refused",
        curl(f"http://127.0.0.1:{server.REFUSED}"),
        [],
        [
            Expect(
                f"GetConn {DIAL}",
                type="dial",
                outcome="connect_error",
                phase="connect",
                code="ECONNREFUSED",
                reused=ANY,
                was_idle=ANY,
                args={"ConnectDone": [{"addr": f"127.0.0.1:{server.REFUSED}", "error": "ECONNREFUSED"}]},
            )
        ],
        exit=7,
    ),
    Scenario(
        "refused, by Python",
        fetch("http.client", f"http://127.0.0.1:{server.REFUSED}"),
        [],
        [Expect(f"GetConn {DIAL}", type="dial", outcome="connect_error", phase="connect", code="ECONNREFUSED", reused=ANY, was_idle=ANY)],
        exit=1,
    ),
    Scenario(
        "unreachable",
        curl(f"http://{netns.UNREACHABLE}:{server.PLAIN}"),
        [],
        [
            Expect(
                f"GetConn {DIAL}",
                type="dial",
                outcome="connect_error",
                phase="connect",
                code="ENETUNREACH",
                reused=ANY,
                was_idle=ANY,
                args={"ConnectDone": [{"addr": f"{netns.UNREACHABLE}:{server.PLAIN}", "error": "ENETUNREACH"}]},
            )
        ],
        exit=7,
        why="fails before SYN_SENT",
    ),
    Scenario(
        "swallowed",
        curl("--connect-timeout", "0.3", f"http://{netns.BLACK_HOLE}:{server.PLAIN}"),
        [],
        [
            Expect(
                (f"GetConn {DIAL}", "GetConn ConnectStart"),
                type="dial",
                outcome="aborted|connect_error|timeout",
                phase="connect",
                reused=ANY,
                was_idle=ANY,
            )
        ],
        exit=28,
        why="the client gives up connecting",
    ),
    Scenario(
        "name not found",
        curl(f"http://gone.test:{server.PLAIN}"),
        [],
        [
            Expect(
                f"GetConn {DNS}",
                type="dial",
                outcome="dns_error",
                phase="dns",
                code="EAI_NONAME",
                reused=ANY,
                was_idle=ANY,
                args={"DNSStart": [{"host": "gone.test"}], "DNSDone": [{"addrs": [], "error": "EAI_NONAME"}]},
            )
        ],
        exit=6,
    ),
    Scenario(
        "name not found, by Python",
        fetch("urllib", f"http://gone.test:{server.PLAIN}"),
        [],
        [Expect(f"GetConn {DNS}", type="dial", outcome="dns_error", phase="dns", code="EAI_NONAME", reused=ANY, was_idle=ANY)],
        exit=1,
    ),
    Scenario(
        "name server broken",
        curl(f"http://broken.test:{server.PLAIN}"),
        [],
        [Expect(f"GetConn {DNS}", type="dial", outcome="dns_error", phase="dns", code="EAI_AGAIN", reused=ANY, was_idle=ANY)],
        exit=6,
    ),
    Scenario(
        "name server mute",
        curl(f"http://mute.test:{server.PLAIN}"),
        [],
        [
            Expect(
                f"GetConn {DNS}",
                type="dial",
                outcome="dns_error",
                phase="dns",
                code="EAI_AGAIN",
                reused=ANY,
                was_idle=ANY,
                at_least_ms={"dns": 900},
            )
        ],
        exit=6,
    ),
    Scenario(
        "bad certificate",
        curl(f"https://127.0.0.1:{server.TLS}"),
        [],
        [
            Expect(
                f"GetConn {DIAL} {TLS}",
                outcome="tls_error",
                phase="tls",
                code=".*(CERT|VERIFY|X509).*",
                status=None,
                method=None,
                http=ANY,
                tls={},
                args={"TLSHandshakeDone": [{"error": ".*(CERT|VERIFY|X509).*"}]},
            )
        ],
        exit=60,
        trusting=False,
        why="the ALPN that curl offers proves HTTP: a request, with what is known",
    ),
    Scenario(
        "bad certificate, by Python",
        fetch("urllib", f"https://127.0.0.1:{server.TLS}"),
        [],
        [
            Expect(
                f"GetConn {DIAL} {TLS}",
                outcome="tls_error",
                phase="tls",
                code=".*(CERT|VERIFY|X509).*",
                status=None,
                method=None,
                http=ANY,
                tls={},
            )
        ],
        exit=1,
        trusting=False,
    ),
    Scenario(
        "bad certificate, by LWP",
        lwp(f"https://127.0.0.1:{server.TLS}"),
        [],
        [Expect(f"GetConn {DIAL} {TLS}", type="dial", outcome="tls_error", phase="tls", code=".*(CERT|VERIFY|X509).*", tls={})],
        exit=1,
        trusting=False,
        why="LWP offers no ALPN: nothing proves HTTP",
    ),
    Scenario(
        "TLS to a server that has none",
        curl(f"https://127.0.0.1:{server.LINES}"),
        [],
        [Expect((f"GetConn {DIAL} {TLS}",), outcome="tls_error", phase="tls", status=None, method=None, http=ANY, tls={})],
        exit=35,
    ),
    Scenario(
        "close with no byte",
        curl(f"{H}/?abort=0"),
        [None],
        [Expect(f"GetConn {DIAL} GotConn {SENT}", outcome="closed", phase="wait", status=None, closed_by="server")],
        exit=52,
    ),
    Scenario(
        "close with no byte, https",
        curl(f"{S}/?abort=0"),
        [None],
        [Expect(f"GetConn {DIAL} {TLS} GotConn {SENT}", outcome="closed", phase="wait", status=None, tls={})],
        exit={52, 56},
    ),
    Scenario(
        "close in the head",
        curl(f"{H}/?abort=20"),
        [None],
        [Expect(COLD, outcome="closed", phase="receive", status=ANY, closed_by="server")],
        exit=ANY,
    ),
    Scenario(
        "close in the body",
        curl(f"{H}/?n=1000&abort=body"),
        ["GET 200"],
        [Expect(COLD, outcome="closed", phase="receive", closed_by="server")],
        exit=18,
    ),
    Scenario(
        "close in the body, https",
        curl(f"{S}/?n=1000&abort=body"),
        ["GET 200"],
        [Expect(COLD_TLS, outcome="closed", phase="receive", tls={})],
        exit={18, 56},
    ),
    Scenario(
        "close in a chunked body",
        curl(f"{H}/?n=1000&chunked=1&pieces=4&abort=body"),
        ["GET 200"],
        [Expect(COLD, outcome="closed", phase="receive")],
        exit=18,
    ),
    Scenario(
        "reset with no byte",
        curl(f"{H}/?rst=0"),
        [None],
        [Expect(f"GetConn {DIAL} GotConn {SENT}", outcome="reset", phase="wait", code="ECONNRESET", status=None, closed_by="reset")],
        exit=56,
    ),
    Scenario(
        "reset in the body",
        curl(f"{H}/?n=1000&rst=body"),
        ["GET 200"],
        [Expect(COLD, outcome="reset", phase="receive", code="ECONNRESET", closed_by="reset")],
        exit=56,
    ),
    Scenario(
        "reset in the body, https",
        curl(f"{S}/?n=1000&rst=body"),
        ["GET 200"],
        [Expect(COLD_TLS, outcome="reset", phase="receive", code="ECONNRESET", tls={})],
        exit=56,
    ),
    Scenario(
        "client gives up waiting",
        curl("-m", "0.3", f"{H}/?delay=5"),
        [None],
        [Expect(f"GetConn {DIAL} GotConn {SENT}", outcome="aborted", phase="wait", status=None, closed_by="client")],
        exit=28,
    ),
    Scenario(
        "client gives up waiting, Python, https",
        fetch("http.client", "--timeout", "0.3", f"{SN}/?delay=5"),
        [None],
        [Expect(f"GetConn {DNS} {DIAL} {TLS} GotConn {SENT}", outcome="aborted", phase="wait", status=None, tls={})],
        exit=1,
    ),
    Scenario(
        "client closes early",
        steps(
            ["connect", "a", "127.0.0.1", server.PLAIN],
            ["send", "a", get("/?n=100000&pieces=10&slow=1")],
            ["read", "a", 200],
            ["close", "a"],
        ),
        ["GET 200"],
        [Expect(COLD, outcome="aborted", phase="receive", closed_by="client")],
    ),
    Scenario(
        "client resets early",
        steps(
            ["connect", "a", "127.0.0.1", server.PLAIN],
            ["send", "a", get("/?n=100000&pieces=10&slow=1")],
            ["read", "a", 200],
            ["reset", "a"],
        ),
        ["GET 200"],
        [Expect(COLD, outcome="aborted", phase="receive", closed_by="client")],
    ),
    Scenario(
        "client stops in its own body",
        steps(
            ["connect", "a", "127.0.0.1", server.PLAIN],
            ["send", "a", get(method="POST", extra="Content-Length: 100\r\n"), "x" * 40],
            ["close", "a"],
        ),
        [None],
        [
            Expect(
                f"GetConn {DIAL} GotConn WroteHeaders WroteRequest?",
                outcome="aborted",
                phase="send",
                status=None,
                method="POST",
                closed_by="client",
            )
        ],
        check=no_clean_write,
    ),
    Scenario(
        "dialled, never used",
        steps(["connect", "a", "127.0.0.1", server.PLAIN], ["close", "a"]),
        [],
        [Expect(f"GetConn? {DIAL}", type="dial", outcome="unused", reused=ANY, was_idle=ANY)],
    ),
]


def retried(records, _served, _run):
    """hooks.md 15: two attempts, whether they are reported as one request or as two."""
    pattern = f"{COLD} {KEPT} {REQUEST_ONLY} {COLD} {LAST}"
    got = [name for record in records for name in hooks.names(record)]
    wrong = (
        []
        if hooks.sequence_regex(pattern).fullmatch("".join(f"{name} " for name in got))
        else [f"hooks: expected {pattern}\ngot {' '.join(got)}"]
    )
    if not all(hook["args"]["error"] is None for record in records for hook in hooks.find(record, "WroteRequest")):
        wrong.append("a WroteRequest carries an error, though the kernel took the bytes")
    if records[-1]["outcome"] != "ok" or records[-1]["status"] != 200:
        wrong.append(f"the last attempt is {records[-1]['outcome']} {records[-1]['status']}")
    if len(records) == 3 and (records[1]["outcome"] not in ("closed", "reset") or records[1]["error"]["phase"] != "wait"):
        wrong.append(f"the stale attempt is {records[1]['outcome']} {records[1]['error']}")
    return wrong


STALE = [
    Scenario(
        "stale connection retried", curl(f"{H}/1?next=close", "-o", "/dev/null", f"{H}/2"), ["GET 200", None, "GET 200"], [], check=retried
    ),
    Scenario(
        "stale connection retried after a reset",
        curl(f"{H}/1?next=rst", "-o", "/dev/null", f"{H}/2"),
        ["GET 200", None, "GET 200"],
        [],
        check=retried,
    ),
    Scenario(
        "end of connection noticed in time",
        curl(f"{H}/1?after=close", "-o", "/dev/null", f"http://127.0.0.1:{server.PLAIN_V4}/2?delay=0.1", "-o", "/dev/null", f"{H}/3"),
        ["GET 200"] * 3,
        [Expect((COLD, f"{COLD} {KEPT}")), Expect(f"{COLD} {LAST}"), Expect(f"{COLD} {LAST}")],
        why="hooks.md 15c: the pool discards silently; the next use looks cold",
    ),
]
