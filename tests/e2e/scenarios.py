# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The scenarios of a request's life that end well; ALL is these and the failing ones.

test_scenarios.py runs every one twice: untraced (the bed does what the table says) and traced. URLs carry no names of their own: a run has
its own report file. Expected sequences are those of hooks.md C with the settlements of its section 0a.
"""

import json

from bed import server
from bed.wait import limit
from expect import ANY, COLD, COLD_NAME, COLD_TLS, COLD_TLS_NAME, DIAL, DNS, FIRST, GONE, KEPT, LAST, REUSED, SENT, TLS, Expect
from scenario import CURL, CURL_TLS, LOCAL, LOCAL_TLS, TLS13, Scenario, H, H6, N, S, SN, curl, dialled, fetch, get, lwp, post, steps
from scenarios_failing import FAILURES, STALE

COLD_AND_REUSED = [
    Scenario("cold http by address", curl(H), ["GET 200"], [Expect(f"{COLD} {LAST}", args=dialled(LOCAL), host_port=LOCAL)]),
    Scenario(
        "cold http by IPv6 address",
        curl(H6),
        ["GET 200"],
        [Expect(f"{COLD} {LAST}", args=dialled(f"[::1]:{server.PLAIN}"), host_port=f"[::1]:{server.PLAIN}")],
    ),
    Scenario(
        "cold http by name",
        curl(N),
        ["GET 200"],
        [Expect(f"{COLD_NAME} {LAST}", args=dialled(LOCAL, "www.test"), host_port=f"www.test:{server.PLAIN}")],
    ),
    Scenario(
        "slow name server",
        curl(f"http://slow.test:{server.PLAIN}"),
        ["GET 200"],
        [Expect(f"{COLD_NAME} {LAST}", at_least_ms={"dns": 115, "total": 115}, at_most_ms={"connect": 50})],
    ),
    Scenario(
        "localhost by curl",
        curl(f"http://localhost:{server.PLAIN_V4}"),
        ["GET 200"],
        [Expect(f"{COLD} {LAST}", host_port=f"localhost:{server.PLAIN_V4}", args=dialled(f"127.0.0.1:{server.PLAIN_V4}"))],
        why="curl answers the name itself: no lookup is told",
    ),
    Scenario(
        "localhost by Python",
        fetch("http.client", f"http://localhost:{server.PLAIN}"),
        ["GET 200"],
        [Expect(f"{COLD_NAME} {LAST}", args={"DNSStart": [{"host": "localhost"}]})],
        why="here getaddrinfo is called",
    ),
    Scenario(
        "address by getaddrinfo",
        fetch("http.client", H),
        ["GET 200"],
        [Expect(f"{COLD} {LAST}", args=dialled(LOCAL))],
        why="hooks.md 0a: a literal address has no DNS hooks, whoever calls getaddrinfo for it",
    ),
    Scenario("IPv4-mapped", curl(f"http://[::ffff:127.0.0.1]:{server.PLAIN}"), ["GET 200"], [Expect(f"{COLD} {LAST}")]),
    Scenario("cold https", curl(S), ["GET 200"], [Expect(f"{COLD_TLS} {LAST}", tls=CURL_TLS, host_port=f"localhost:{server.TLS}")]),
    Scenario(
        "cold https by name",
        curl(SN),
        ["GET 200"],
        [Expect(f"{COLD_TLS_NAME} {LAST}", tls=dict(CURL_TLS, server_name="www.test"), args=dialled(LOCAL_TLS, "www.test"))],
    ),
    Scenario(
        "cold https by address",
        curl(f"https://127.0.0.1:{server.TLS}"),
        ["GET 200"],
        [Expect(f"{COLD_TLS} {LAST}", tls=dict(CURL_TLS, server_name=None), args=dialled(LOCAL_TLS))],
        why="no server name for an address (RFC 6066)",
    ),
    Scenario(
        "cold https, TLS 1.2",
        curl(f"https://www.test:{server.TLS12}"),
        ["GET 200"],
        [
            Expect(
                f"{COLD_TLS_NAME} {LAST}",
                tls={"version": "TLSv1.2", "cipher": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "alpn": "http/1.1", "resumed": False},
            )
        ],
    ),
    Scenario(
        "three URLs on one connection",
        curl(f"{H}/1", "-o", "/dev/null", f"{H}/2", "-o", "/dev/null", f"{H}/3"),
        ["GET 200"] * 3,
        [
            Expect(f"{COLD} {KEPT}"),
            Expect(f"{REUSED} {KEPT}", reused=True, was_idle=True),
            Expect(f"{REUSED} {LAST}", reused=True, was_idle=True),
        ],
        same_connection=[0, 1, 2],
    ),
    Scenario(
        "three https URLs on one connection",
        curl(f"{SN}/1", "-o", "/dev/null", f"{SN}/2", "-o", "/dev/null", f"{SN}/3"),
        ["GET 200"] * 3,
        [
            Expect(f"{COLD_TLS_NAME} {KEPT}", tls={}),
            Expect(f"{REUSED} {KEPT}", reused=True, was_idle=True, tls={}),
            Expect(f"{REUSED} {LAST}", reused=True, was_idle=True, tls={}),
        ],
        same_connection=[0, 1, 2],
    ),
    Scenario(
        "TLS session resumed",
        curl(f"{SN}/1?close=1", "-o", "/dev/null", f"{SN}/2?close=1"),
        ["GET 200"] * 2,
        [Expect(COLD_TLS_NAME, tls={"resumed": False}), Expect((COLD_TLS, COLD_TLS_NAME), tls={"resumed": True, "version": "TLSv1.3"})],
        why="curl's own cache answers the name the second time: no lookup",
    ),
]


def idle_as_the_client_says(records, _served, run):
    """idle_ns within 2 ms of the client's own reckoning: from the end of reading one response to the start of the next request's send."""
    told = [json.loads(line) for line in run.stdout.splitlines()]
    reads = [step for step in told if step.get("step") == "response"]
    sends = [step for step in told if step.get("step") == "send"]
    idle_ns = records[1]["conn"]["idle_ns"]
    truth_ns = sends[1]["begin_ns"] - reads[0]["end_ns"]
    is_near = idle_ns is not None and abs(idle_ns - truth_ns) <= limit(2_000_000)
    return [] if is_near else [f"idle_ns is {idle_ns}, the client says {truth_ns}"]


def idle_steps(tls):
    port, host = (server.TLS, "localhost") if tls else (server.PLAIN, "127.0.0.1")
    request = get(host=f"{host}:{port}")
    return steps(
        ["connect", "a", host if not tls else "localhost", port, {"tls": tls}],
        ["send", "a", request],
        ["response", "a"],
        ["idle", 0.05],
        ["send", "a", request],
        ["response", "a"],
        ["close", "a"],
    )


IDLE = [
    Scenario(
        "idle 50 ms between, https",
        idle_steps(True),
        ["GET 200"] * 2,
        [Expect(f"{COLD_TLS_NAME} {KEPT}", tls={}), Expect(f"{REUSED} {GONE}", reused=True, was_idle=True, tls={})],
        same_connection=[0, 1],
        check=idle_as_the_client_says,
    ),
    Scenario(
        "idle 50 ms between",
        idle_steps(False),
        ["GET 200"] * 2,
        [Expect(f"{COLD} {KEPT}"), Expect(f"{REUSED} {GONE}", reused=True, was_idle=True, closed_by="client")],
        same_connection=[0, 1],
        check=idle_as_the_client_says,
        why="the second is closed at once: nothing for PutIdleConn",
    ),
]

REFUSED_BODY = f"GetConn {DIAL} GotConn WroteHeaders {{Wait100Continue {FIRST}}} WroteRequest"
NOT_SENT = {"WroteRequest": [{"error": "body_not_sent"}]}

BODIES = [
    Scenario("POST in one write", curl("-d", "hello", H), ["POST 200"], [Expect(f"{COLD} {LAST}", method="POST")]),
    Scenario("POST in two writes", fetch("http.client", "--data", "100", H), ["POST 200"], [Expect(f"{COLD} {LAST}", method="POST")]),
    Scenario(
        "POST in two writes, https",
        fetch("http.client", "--data", "100", SN),
        ["POST 200"],
        [Expect(f"{COLD_TLS_NAME} {LAST}", method="POST", tls=dict(TLS13, alpn=ANY, server_name="www.test"))],
    ),
    Scenario(
        "POST with Expect: 100",
        post([H]),
        ["POST 200"],
        [
            Expect(
                f"GetConn {DIAL} GotConn WroteHeaders Wait100Continue {FIRST} Got100Continue Got1xxResponse WroteRequest {LAST}",
                method="POST",
                args={"Got1xxResponse": [{"code": 100}], "WroteRequest": [{"error": None}]},
            )
        ],
    ),
    Scenario(
        "POST with Expect: 100, https",
        post([S]),
        ["POST 200"],
        [
            Expect(
                f"GetConn {DIAL} {TLS} GotConn WroteHeaders Wait100Continue {FIRST} Got100Continue Got1xxResponse WroteRequest {LAST}",
                method="POST",
                tls={},
            )
        ],
    ),
    Scenario(
        "POST with Expect: silent server",
        post([f"{H}/?expect=silent"]),
        ["POST 200"],
        [
            Expect(
                f"GetConn {DIAL} GotConn WroteHeaders Wait100Continue WroteRequest {FIRST} {LAST}",
                method="POST",
                args={"WroteRequest": [{"error": None}]},
                at_least_ms={"send": 900},
            )
        ],
        why="curl waits a second, then sends",
    ),
    Scenario(
        "POST with Expect: 417",
        post([f"{H}/?expect=417"]),
        ["POST 417", "POST 200"],
        [
            Expect(REFUSED_BODY + f" {LAST}", method="POST", status=417, args=NOT_SENT),
            Expect(f"{REUSED} {LAST}", method="POST", reused=True, was_idle=ANY),
        ],
        same_connection=[0, 1],
        why="curl 7.88.1 sends no body, and the next request on the same connection (hooks.md 8c)",
    ),
    Scenario(
        "POST with Expect: 417, https",
        post([f"{S}/?expect=417"]),
        ["POST 417", "POST 200"],
        [
            Expect(REFUSED_BODY.replace(DIAL, f"{DIAL} {TLS}") + f" {LAST}", method="POST", status=417, args=NOT_SENT, tls={}),
            Expect(f"{REUSED} {LAST}", method="POST", reused=True, was_idle=ANY, tls={}),
        ],
        same_connection=[0, 1],
    ),
    Scenario(
        "POST with Expect: 417 and close",
        post([f"{H}/?expect=417close"]),
        ["POST 417"],
        [Expect(REFUSED_BODY, method="POST", status=417, args=NOT_SENT)],
        why="hooks.md 8d with the error of its section 0a",
    ),
    Scenario("POST over 1 MB without Expect", post(["-H", "Expect:", H]), ["POST 200"], [Expect(f"{COLD} {LAST}", method="POST")]),
    Scenario(
        "chunked upload",
        fetch("http.client", "--chunks", "20", "--data", "500", H),
        ["POST 200"],
        [Expect(f"{COLD} {LAST}", method="POST")],
        why="every fragment is a write of its own",
    ),
    Scenario(
        "chunked upload by curl",
        lambda bed: ["sh", "-c", f"exec {' '.join(CURL)} -T - -H Expect: -X POST {H}/ < {bed.payload(300_000)}"],
        ["POST 200"],
        [Expect(f"{COLD} {LAST}", method="POST")],
    ),
    Scenario(
        "103 then 200",
        curl(f"{H}/?interim=103"),
        ["GET 200"],
        [Expect(f"{COLD} Got1xxResponse {LAST}", args={"Got1xxResponse": [{"code": 103}]})],
    ),
    Scenario(
        "103, then 200 later",
        curl(f"{H}/?interim=103&delay=0.1"),
        ["GET 200"],
        [
            Expect(
                f"{COLD} Got1xxResponse {LAST}",
                args={"Got1xxResponse": [{"code": 103}]},
                at_least_ms={"receive": 95},
                at_most_ms={"wait": 90},
            )
        ],
        why="the first byte of any head counts, once (hooks.md finding 5)",
    ),
    Scenario(
        "100 that nobody asked for", curl(f"{H}/?interim=100"), ["GET 200"], [Expect(f"{COLD} Got1xxResponse {LAST}")], why="hooks.md 9c"
    ),
    Scenario("HEAD", curl("-I", f"{H}/?n=1000"), ["HEAD 200"], [Expect(f"{COLD} {LAST}", method="HEAD")]),
    Scenario("204", curl(f"{H}/?status=204"), ["GET 204"], [Expect(f"{COLD} {LAST}", status=204)]),
    Scenario(
        "304", curl(f"{H}/?status=304&n=77"), ["GET 304"], [Expect(f"{COLD} {LAST}", status=304)], why="a Content-Length, and yet no body"
    ),
    Scenario(
        "HEAD, 204, 304 on one connection",
        steps(
            ["connect", "a", "127.0.0.1", server.PLAIN],
            ["send", "a", get("/?n=50", method="HEAD")],
            ["response", "a", {"head": True}],
            ["send", "a", get("/?status=204")],
            ["response", "a"],
            ["send", "a", get("/?status=304&n=9")],
            ["response", "a", {"head": True}],
            ["send", "a", get("/")],
            ["response", "a"],
            ["close", "a"],
        ),
        ["HEAD 200", "GET 204", "GET 304", "GET 200"],
        [
            Expect(f"{COLD} {KEPT}", method="HEAD"),
            Expect(f"{REUSED} {KEPT}", status=204, reused=True, was_idle=True),
            Expect(f"{REUSED} {KEPT}", status=304, reused=True, was_idle=True),
            Expect(f"{REUSED} {GONE}", reused=True, was_idle=True),
        ],
        same_connection=[0, 1, 2, 3],
    ),
    Scenario("Connection: close by the server", curl(f"{H}/?close=1"), ["GET 200"], [Expect(COLD)], why="hooks.md 19b: no PutIdleConn"),
    Scenario("Connection: close by the client", curl("-H", "Connection: close", H), ["GET 200"], [Expect(COLD)]),
    Scenario("Connection: close, https", curl(f"{S}/?close=1"), ["GET 200"], [Expect(COLD_TLS, tls={})]),
    Scenario("HTTP/1.0", curl("-0", H), ["GET 200"], [Expect(COLD, http="1.0")]),
    Scenario("until the close", curl(f"{H}/?nolen=1&n=5000"), ["GET 200"], [Expect(COLD)]),
    Scenario("chunked answer with trailers", curl(f"{H}/?chunked=1&trailers=1&n=3000&pieces=7"), ["GET 200"], [Expect(f"{COLD} {LAST}")]),
    Scenario(
        "chunked answer with trailers, https",
        curl(f"{S}/?chunked=1&trailers=1&n=30000&pieces=7"),
        ["GET 200"],
        [Expect(f"{COLD_TLS} {LAST}", tls={})],
    ),
    Scenario("a byte at a time", curl(f"{H}/?n=20&split=1"), ["GET 200"], [Expect(f"{COLD} {LAST}")]),
    Scenario("slow server", curl(f"{H}/?delay=0.15"), ["GET 200"], [Expect(f"{COLD} {LAST}", at_least_ms={"wait": 145, "total": 145})]),
    Scenario(
        "slow body",
        curl(f"{H}/?n=100&pieces=5&slow=0.04"),
        ["GET 200"],
        [Expect(f"{COLD} {LAST}", at_least_ms={"receive": 155}, at_most_ms={"wait": 120})],
    ),
    Scenario("large body, https", curl(f"{S}/?n=3000000"), ["GET 200"], [Expect(f"{COLD_TLS} {LAST}", tls={})]),
]

REDIRECTS = [
    Scenario(
        "redirect to the same host",
        curl("-L", f"{H}/1?to=/2"),
        ["GET 302", "GET 200"],
        [Expect(f"{COLD} {KEPT}", status=302), Expect(f"{REUSED} {LAST}", reused=True, was_idle=True)],
        same_connection=[0, 1],
    ),
    Scenario(
        "redirect to another host",
        curl("-L", f"{N}/1?to=http://two.test:{server.PLAIN}/2"),
        ["GET 302", "GET 200"],
        [
            Expect(f"{COLD_NAME} {LAST}", status=302, host_port=f"www.test:{server.PLAIN}"),
            Expect(f"{COLD_NAME} {LAST}", host_port=f"two.test:{server.PLAIN}", args=dialled(LOCAL, "two.test")),
        ],
        why="curl keeps the first connection, but may exit within 5 ms",
    ),
    Scenario(
        "redirect to https",
        curl("-L", f"{H}/1?to={S}/2"),
        ["GET 302", "GET 200"],
        [Expect(f"{COLD} {LAST}", status=302), Expect(f"{COLD_TLS} {LAST}", tls={})],
    ),
]

UPGRADE = get("/?upgrade=echo", extra="Connection: Upgrade\r\nUpgrade: echo\r\n")
TUNNELLED = "GET /not-a-request HTTP/1.1\r\nHost: x\r\n\r\n"
THREE = [get(f"/{number}") for number in (1, 2, 3)]
PIPELINED = "".join(THREE)

PROTOCOL = [
    Scenario(
        "101",
        steps(
            ["connect", "a", "127.0.0.1", server.PLAIN],
            ["send", "a", UPGRADE],
            ["response", "a"],
            ["send", "a", TUNNELLED],
            ["read", "a", len(TUNNELLED)],
            ["close", "a"],
        ),
        ["GET 101"],
        [Expect(COLD, status=101)],
        why="no Got1xxResponse, no PutIdleConn, and what goes through the tunnel is no request (hooks.md 21)",
    ),
    Scenario(
        "101, https",
        steps(
            ["connect", "a", "localhost", server.TLS, {"tls": True}],
            ["send", "a", UPGRADE],
            ["response", "a"],
            ["send", "a", TUNNELLED],
            ["read", "a", len(TUNNELLED)],
            ["close", "a"],
        ),
        ["GET 101"],
        [Expect(f"GetConn {DNS} ConnectStart ConnectDone {TLS} GotConn {SENT} {FIRST}", status=101, tls={})],
    ),
    Scenario(
        "pipelining",
        steps(
            ["connect", "a", "127.0.0.1", server.PLAIN],
            ["send", "a", PIPELINED],
            ["response", "a"],
            ["response", "a"],
            ["response", "a"],
            ["idle", 0.02],
            ["close", "a"],
        ),
        ["GET 200"] * 3,
        [Expect(COLD), Expect(REUSED, reused=True, was_idle=False), Expect(f"{REUSED} {KEPT}", reused=True, was_idle=False)],
        same_connection=[0, 1, 2],
        why="answers match first in, first out; PutIdleConn after the last outstanding (hooks.md 16)",
    ),
    Scenario(
        "pipelining, each its own write",
        steps(
            ["connect", "a", "127.0.0.1", server.PLAIN],
            ["send", "a", get("/1?delay=0.05"), *THREE[1:]],
            ["response", "a"],
            ["response", "a"],
            ["response", "a"],
            ["idle", 0.02],
            ["close", "a"],
        ),
        ["GET 200"] * 3,
        [Expect(COLD), Expect(REUSED, reused=True, was_idle=False), Expect(f"{REUSED} {KEPT}", reused=True, was_idle=False)],
        same_connection=[0, 1, 2],
    ),
    Scenario(
        "a receive into no room",
        steps(
            ["connect", "a", "127.0.0.1", server.PLAIN],
            ["send", "a", get("/1")],
            ["nothing", "a"],
            ["response", "a"],
            ["send", "a", get("/2?n=5000&close=1")],
            ["read", "a", 10],
            ["nothing", "a"],
            ["eof", "a"],
            ["close", "a"],
        ),
        ["GET 200"] * 2,
        [Expect(f"{COLD} {KEPT}"), Expect(f"{REUSED} {LAST}", reused=True, was_idle=True)],
        same_connection=[0, 1],
        why="it answers 0, as the end of the stream does",
    ),
    Scenario(
        "a head in many writes",
        steps(
            ["connect", "a", "127.0.0.1", server.PLAIN],
            ["send", "a", *get("/one-byte-a-write")],
            ["response", "a"],
            ["idle", 0.02],
            ["close", "a"],
        ),
        ["GET 200"],
        [Expect(f"{COLD} {KEPT}")],
    ),
]
LIBRARIES = [
    Scenario(
        f"{name} {kind}",
        client(url),
        ["GET 200"],
        [
            Expect(
                f"{COLD_TLS_NAME if kind == 'https' else COLD_NAME} {LAST}",
                tls=dict(TLS13, alpn=ANY, server_name="www.test") if kind == "https" else None,
                args=dialled(LOCAL_TLS if kind == "https" else LOCAL, "www.test"),
            )
        ],
    )
    for name, client in (
        ("http.client", lambda url: fetch("http.client", url)),
        ("urllib", lambda url: fetch("urllib", url)),
        ("requests", lambda url: fetch("requests", url)),
        ("lwp", lwp),
        ("wget", lambda url: lambda bed: ["wget", "-q", "-O", "/dev/null", url]),
    )
    for kind, url in (("http", f"{N}/?n=3000"), ("https", f"{SN}/?n=3000"))
    if (name, kind) != ("wget", "https")  # wget's TLS is GnuTLS: a later issue
]
LIBRARIES += [
    Scenario(
        "requests keeps its connection",
        fetch("requests", f"{SN}/1", f"{SN}/2"),
        ["GET 200"] * 2,
        [Expect(f"{COLD_TLS_NAME} {KEPT}", tls={}), Expect(f"{REUSED} {LAST}", reused=True, was_idle=True, tls={})],
        same_connection=[0, 1],
    ),
    Scenario(
        "lwp keeps its connection",
        lwp(f"{SN}/1", f"{SN}/2"),
        ["GET 200"] * 2,
        [Expect(f"{COLD_TLS_NAME} {KEPT}", tls={}), Expect(f"{REUSED} {LAST}", reused=True, was_idle=True, tls={})],
        same_connection=[0, 1],
    ),
    Scenario("lwp posts", lwp("--post", "5000", H), ["POST 200"], [Expect(f"{COLD} {LAST}", method="POST")]),
    Scenario(
        "wget posts",
        lambda bed: ["wget", "-q", "-O", "/dev/null", "--post-data=hello", H],
        ["POST 200"],
        [Expect(f"{COLD} {LAST}", method="POST")],
        why="head and body in two writes; the answer is peeked at first",
    ),
]

ALL = COLD_AND_REUSED + IDLE + BODIES + REDIRECTS + PROTOCOL + FAILURES + STALE + LIBRARIES
