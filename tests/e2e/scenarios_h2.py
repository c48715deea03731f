# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Scenarios of HTTP/2: hooks.md C12 to C12d, table A's last column, and interface.md's paragraph on it. test_h2.py runs them."""

import json

from bed import h2server, hooks
from bed.daemons import NGHTTPD, NGHTTPD_CLEAR, NGHTTPX_TLS
from bed.frames import CODES
from bed.nginx import H2_TLS as NGINX_H2
from bed.wait import limit
from expect import ANY, COLD, COLD_TLS, COLD_TLS_NAME, DIAL, DNS, FIRST, REUSED, SENT, TLS, Expect
from scenario import CURL, H, H2, H2_CLEAR, H2_NAME, H2_TLS, Scenario, curl, dialled, fetch, h2steps

C = "--http2"
NOT_ANSWERED = f"GetConn {DIAL} {TLS} GotConn {SENT}"
BUSY = {"GotConn": [{"reused": True, "was_idle": False, "idle_ns": None}]}
NAME_TLS = dict(H2_TLS, server_name="www.test")
LOCAL_H2 = f"127.0.0.1:{h2server.TLS}"


def h2(hook_names, **facts):
    """An Expect of HTTP/2 over TLS by curl or h2steps."""
    return Expect(hook_names, **{"http": "2", "tls": H2_TLS, **facts})


def clear(hook_names, **facts):
    return Expect(hook_names, **{"http": "2", **facts})


def again(**facts):
    return h2(REUSED, **{"reused": True, "was_idle": True, **facts})


def scenario(name, client, served, expect, **more):
    return Scenario(name, client, served, expect, **{"server": "h2", **more})


def connect(tls=True, **options):
    return ["connect", "a", "localhost" if tls else "127.0.0.1", h2server.TLS if tls else h2server.CLEAR, {"tls": tls, **options}]


# h2steps asks the resolver for localhost
STEPS_COLD = COLD_TLS_NAME
STEPS_NOT_ANSWERED = f"GetConn {DNS} {DIAL} {TLS} GotConn {SENT}"

SINGLE = [
    scenario(
        "h2 cold",
        curl(C, H2),
        ["GET 200"],
        [h2(COLD_TLS, host_port=f"localhost:{h2server.TLS}", stream_id=1, args=dialled(LOCAL_H2))],
        why="hooks.md 12: no PutIdleConn",
    ),
    scenario(
        "h2 cold by name",
        curl(C, f"{H2_NAME}/a/b?c=d"),
        ["GET 200"],
        [h2(COLD_TLS_NAME, tls=NAME_TLS, args=dialled(LOCAL_H2, "www.test"), host_port=f"www.test:{h2server.TLS}")],
    ),
    scenario("h2 prior knowledge", curl("--http2-prior-knowledge", H2_CLEAR), ["GET 200"], [clear(COLD, stream_id=1)]),
    scenario(
        "h2 prior knowledge, reused",
        h2steps(
            connect(False),
            ["request", "a", "1", "/1"],
            ["response", "a", "1"],
            ["request", "a", "2", "/2"],
            ["response", "a", "2"],
            ["close", "a"],
        ),
        ["GET 200"] * 2,
        [clear(COLD), clear(REUSED, reused=True, was_idle=True)],
        same_connection=[0, 1],
        why='not by curl: 7.88 fails at the second ("Error in the HTTP2 framing layer")',
    ),
    scenario(
        "h2 reuse idle",
        curl(C, f"{H2}/1", "-o", "/dev/null", f"{H2}/2", "-o", "/dev/null", f"{H2}/3"),
        ["GET 200"] * 3,
        [h2(COLD_TLS, stream_id=1), again(stream_id=3), again(stream_id=5)],
        same_connection=[0, 1, 2],
        why="hooks.md 12b: no other stream is open",
    ),
    scenario(
        "h2 over TLS without ALPN",
        h2steps(connect(alpn=False), ["request", "a", "1", "/1"], ["response", "a", "1"], ["close", "a"]),
        ["GET 200"],
        [h2(STEPS_COLD, tls=dict(H2_TLS, alpn=ANY))],
        why="the preface decides",
    ),
    Scenario(
        "h2 prior knowledge, wrongly",
        curl("--http2-prior-knowledge", H),
        ["PRI 200"],
        [clear(f"GetConn {DIAL} GotConn {SENT}", outcome="protocol_error|closed|aborted", phase="wait", status=None)],
        exit=ANY,
        through="unseen",
        why="the server speaks HTTP/1.1, and answers the preface",
    ),
    scenario("h2 HEAD", curl(C, "-I", f"{H2}/?n=1000"), ["HEAD 200"], [h2(COLD_TLS, method="HEAD")]),
    scenario("h2 204", curl(C, f"{H2}/?status=204"), ["GET 204"], [h2(COLD_TLS, status=204)], why="END_STREAM with the head"),
    scenario("h2 304", curl(C, f"{H2}/?status=304&n=50"), ["GET 304"], [h2(COLD_TLS, status=304)]),
    scenario("h2 404", curl(C, f"{H2}/?status=404"), ["GET 404"], [h2(COLD_TLS, status=404)]),
    scenario(
        "h2 large answer", curl(C, f"{H2}/?n=3000000"), ["GET 200"], [h2(COLD_TLS)], why="frames across reads, windows opened on the way"
    ),
    scenario("h2 POST", curl(C, "-d", "hello", H2), ["POST 200"], [h2(COLD_TLS, method="POST")]),
    scenario(
        "h2 large POST",
        lambda bed: [*CURL, C, "--data-binary", f"@{bed.payload(1_200_000)}", H2],
        ["POST 200"],
        [h2(COLD_TLS, method="POST")],
        why="curl sends no Expect over HTTP/2",
    ),
    scenario(
        "h2 slow body",
        curl(C, f"{H2}/?n=100&pieces=5&slow=0.08"),
        ["GET 200"],
        [h2(COLD_TLS, at_least_ms={"receive": 250}, at_most_ms={"wait": 200})],
    ),
    scenario("h2 slow server", curl(C, f"{H2}/?delay=0.15"), ["GET 200"], [h2(COLD_TLS, at_least_ms={"wait": 145, "total": 145})]),
    scenario("h2 answer with trailers", curl(C, f"{H2}/?n=3000&trailers=1"), ["GET 200"], [h2(COLD_TLS)]),
    scenario("h2 padded DATA", curl(C, f"{H2}/?n=3000&pad=200&pieces=7"), ["GET 200"], [h2(COLD_TLS)], why="padding is no content"),
    scenario("h2 a head of 15 KB", curl(C, f"{H2}/?big=20000"), ["GET 200"], [h2(COLD_TLS)], why="CONTINUATION"),
    scenario(
        "h2 a head of 30 KB",
        curl(C, f"{H2}/1?big=40000", "-o", "/dev/null", f"{H2}/2", "-o", "/dev/null", f"{H2}/3"),
        ["GET 200"] * 3,
        [h2(COLD_TLS), again(), again()],
        same_connection=[0, 1, 2],
        through="unseen",
        why="more than --head-bytes: a header block is captured whole up to 64 KiB, as its place in the table cannot be had back",
    ),
    scenario(
        "h2 a head in four frames, seven bytes at a time", curl(C, f"{H2}/?big=10000&frame=2000&split=7"), ["GET 200"], [h2(COLD_TLS)]
    ),
    scenario(
        "h2 the server's table is switched off",
        curl(C, f"{H2}/1?table=0", "-o", "/dev/null", f"{H2}/2", "-o", "/dev/null", f"{H2}/3"),
        ["GET 200"] * 3,
        [h2(COLD_TLS), again(), again()],
        same_connection=[0, 1, 2],
        why="SETTINGS_HEADER_TABLE_SIZE between two requests: the second begins with a size update",
    ),
    scenario(
        "h2 the server has no table",
        curl(C, f"https://localhost:{h2server.TLS_SMALL}/1", "-o", "/dev/null", f"https://localhost:{h2server.TLS_SMALL}/2"),
        ["GET 200"] * 2,
        [h2(COLD_TLS), again()],
        same_connection=[0, 1],
    ),
]

INTERIM = [
    scenario(
        "h2 103", curl(C, f"{H2}/?interim=103"), ["GET 200"], [h2(f"{COLD_TLS} Got1xxResponse", args={"Got1xxResponse": [{"code": 103}]})]
    ),
    scenario(
        "h2 103 twice, then 200 later",
        curl(C, f"{H2}/?interim=103,103&delay=0.1"),
        ["GET 200"],
        [
            h2(
                f"{COLD_TLS} Got1xxResponse Got1xxResponse",
                args={"Got1xxResponse": [{"code": 103}, {"code": 103}]},
                at_least_ms={"receive": 95},
                at_most_ms={"wait": 90},
            )
        ],
    ),
    scenario(
        "h2 100 that nobody asked for",
        curl(C, f"{H2}/?interim=100"),
        ["GET 200"],
        [h2(f"{COLD_TLS} Got1xxResponse Got100Continue")],
        why="hooks.md 9c: HTTP/2 fires both",
    ),
    scenario(
        "h2 Expect: 100",
        curl(C, "-d", "hello", "-H", "Expect: 100-continue", H2),
        ["POST 200"],
        [
            h2(
                f"GetConn {DIAL} {TLS} GotConn WroteHeaders Wait100Continue {FIRST} Got1xxResponse Got100Continue WroteRequest",
                method="POST",
                args={"Got1xxResponse": [{"code": 100}], "WroteRequest": [{"error": None}]},
            )
        ],
        why="hooks.md 12d: the other way round than HTTP/1",
    ),
    scenario(
        "h2 Expect: 417",
        h2steps(
            connect(),
            [
                "request",
                "a",
                "1",
                "/?expect=417",
                {"method": "POST", "end": False, "headers": [["expect", "100-continue"], ["content-length", "9"]]},
            ],
            ["response", "a", "1"],
            ["reset", "a", "1", "CANCEL"],
            ["request", "a", "2", "/2"],
            ["response", "a", "2"],
            ["close", "a"],
        ),
        ["POST 417", "GET 200"],
        [
            h2(
                f"GetConn {DNS} {DIAL} {TLS} GotConn WroteHeaders {{Wait100Continue {FIRST}}} WroteRequest",
                method="POST",
                status=417,
                args={"WroteRequest": [{"error": "body_not_sent"}]},
            ),
            again(was_idle=ANY),
        ],
        same_connection=[0, 1],
        why="hooks.md 8d: the whole answer came, the body was not sent",
    ),
    scenario(
        "h2 answered before the body's end",
        h2steps(
            connect(),
            ["request", "a", "1", "/?early=1", {"method": "POST", "body": 20000, "end": False}],
            ["response", "a", "1"],
            ["close", "a"],
        ),
        ["POST 200"],
        [
            h2(
                f"GetConn {DNS} {DIAL} {TLS} GotConn WroteHeaders {{{FIRST} WroteRequest}}",
                method="POST",
                args={"WroteRequest": [{"error": "NO_ERROR|body_not_sent"}]},
            )
        ],
        why="RFC 9113 8.1: the whole answer, then RST_STREAM with NO_ERROR",
    ),
]


BROKEN = [
    scenario(
        "h2 reset by the server",
        curl(C, f"{H2}/?rst=CANCEL"),
        [None],
        [h2(NOT_ANSWERED, outcome="reset", phase="wait", code="CANCEL", status=None)],
        exit=92,
    ),
    scenario(
        "h2 reset by the server in the body",
        curl(C, f"{H2}/?n=1000&rst=INTERNAL_ERROR&at=body"),
        ["GET 200"],
        [h2(COLD_TLS, outcome="reset", phase="receive", code="INTERNAL_ERROR")],
        exit=92,
    ),
    scenario(
        "h2 reset by the client",
        h2steps(
            connect(),
            ["request", "a", "1", "/1?delay=60"],
            ["ping", "a"],
            ["reset", "a", "1", "CANCEL"],
            ["request", "a", "2", "/2"],
            ["response", "a", "2"],
            ["close", "a"],
        ),
        [None, "GET 200"],
        [h2(STEPS_NOT_ANSWERED, outcome="aborted", phase="wait", code="CANCEL", status=None), again(was_idle=True)],
        same_connection=[0, 1],
        why="the stream is over, the connection is not",
    ),
    scenario(
        "h2 reset by the client in the body",
        h2steps(
            connect(),
            ["request", "a", "1", "/1?n=1000&pieces=10&slow=60"],
            ["head", "a", "1"],
            ["reset", "a", "1", "STREAM_CLOSED"],
            ["request", "a", "2", "/2"],
            ["response", "a", "2"],
            ["close", "a"],
        ),
        ["GET 200", "GET 200"],
        [h2(STEPS_COLD, outcome="aborted", phase="receive", code="STREAM_CLOSED"), again()],
        same_connection=[0, 1],
    ),
    scenario(
        "h2 client gives up waiting",
        curl(C, "-m", f"{limit(1):.1f}", f"{H2}/?delay=60"),
        [None],
        [h2(NOT_ANSWERED, outcome="aborted", phase="wait", status=None)],
        exit=28,
    ),
    scenario(
        "h2 refused stream, retried",
        lambda bed: [*CURL, C, f"{H2}/?refuse={bed.unique()}"],
        [None, "GET 200"],
        [],
        check=lambda records, entries, run: refused_and_retried(records),
        why="REFUSED_STREAM says that nothing was done with it: curl goes to another connection",
    ),
    scenario(
        "h2 GOAWAY that covers the stream",
        curl(C, f"{H2}/?goaway=covered&delay=0.05"),
        ["GET 200"],
        [h2(COLD_TLS)],
    ),
    scenario(
        "h2 GOAWAY that covers two streams",
        h2steps(
            connect(),
            ["requests", "a", ["1", "/1?delay=0.05&n=40000"], ["2", "/2?goaway=covered"]],
            ["response", "a", "2"],
            ["response", "a", "1"],
            ["close", "a"],
        ),
        ["GET 200"] * 2,
        [h2(STEPS_COLD), h2(REUSED, reused=True, was_idle=False, args=BUSY)],
        same_connection=[0, 1],
    ),
    scenario(
        "h2 GOAWAY that does not cover the stream",
        curl(C, f"{H2}/?goaway=not&delay=0.05"),
        [None],
        [h2(NOT_ANSWERED, outcome="closed", phase="wait", code="GOAWAY", status=None)],
        exit=ANY,
    ),
    scenario(
        "h2 GOAWAY that covers one of two streams",
        h2steps(
            connect(),
            ["requests", "a", ["1", "/1?delay=0.02"], ["2", "/2?goaway=not&last=1&delay=0.1"]],
            ["goaway", "a"],
            ["response", "a", "1"],
            ["eof", "a"],
            ["close", "a"],
        ),
        ["GET 200", None],
        [h2(STEPS_COLD), h2(REUSED.replace(f" {FIRST}", ""), reused=True, was_idle=False, outcome="closed", code="GOAWAY", status=None)],
        same_connection=[0, 1],
    ),
    scenario(
        "h2 connection closed in the body",
        curl(C, f"{H2}/?n=1000&abort=close&at=body"),
        ["GET 200"],
        [h2(COLD_TLS, outcome="closed", phase="receive", closed_by="server")],
        exit=18,
    ),
    scenario(
        "h2 connection reset before the answer",
        curl(C, f"{H2}/?abort=rst"),
        [None],
        [h2(NOT_ANSWERED, outcome="reset", phase="wait", code="ECONNRESET", status=None)],
        exit={55, 56},
    ),
    scenario(
        "h2 connection lost with five streams open",
        h2steps(
            connect(tls=False),
            [
                "requests",
                "a",
                *([str(n), f"/{n}?delay=60"] for n in range(1, 4)),
                ["4", "/4?n=1000&pieces=4&slow=60"],
                ["5", "/5?abort=rst&delay=0.1"],
            ],
            ["head", "a", "4"],
            ["eof", "a"],
            ["close", "a"],
        ),
        [None, None, None, "GET 200", None],
        [
            clear(f"GetConn {DIAL} GotConn {SENT}", outcome="reset", code="ECONNRESET", phase="wait", status=None),
            *[
                clear(
                    REUSED.replace(f" {FIRST}", ""),
                    outcome="reset",
                    code="ECONNRESET",
                    phase="wait",
                    status=None,
                    reused=True,
                    was_idle=False,
                )
                for _ in range(2)
            ],
            clear(REUSED, outcome="reset", code="ECONNRESET", phase="receive", reused=True, was_idle=False),
            clear(
                REUSED.replace(f" {FIRST}", ""), outcome="reset", code="ECONNRESET", phase="wait", status=None, reused=True, was_idle=False
            ),
        ],
        same_connection=[0, 1, 2, 3, 4],
        why="each ends, and each says why",
    ),
    scenario(
        "h2 client leaves with three streams open",
        h2steps(
            connect(tls=False),
            ["requests", "a", *([str(n), f"/{n}?delay=60"] for n in range(1, 4))],
            ["ping", "a"],
            ["leave", "a"],
            ["close", "a"],
        ),
        [None] * 3,
        [
            clear(f"GetConn {DIAL} GotConn {SENT}", outcome="aborted", phase="wait", status=None),
            *[
                clear(REUSED.replace(f" {FIRST}", ""), outcome="aborted", phase="wait", status=None, reused=True, was_idle=False)
                for _ in range(2)
            ],
        ],
        same_connection=[0, 1, 2],
    ),
]


def refused_and_retried(records):
    """hooks.md 15: two attempts, whether they are reported as one request or as two, on two connections."""
    got = [name for record in records for name in hooks.names(record)]
    pattern = f"{NOT_ANSWERED} {COLD_TLS}"
    wrong = []
    if not hooks.sequence_regex(pattern).fullmatch("".join(f"{name} " for name in got)):
        wrong.append(f"hooks: expected {pattern}\ngot {' '.join(got)}")
    if records[-1]["outcome"] != "ok" or records[-1]["status"] != 200:
        wrong.append(f"the last attempt is {records[-1]['outcome']} {records[-1]['status']}")
    if len(records) == 2:
        first = records[0]
        if (first["outcome"], first["error"] and first["error"]["code"]) != ("reset", "REFUSED_STREAM"):
            wrong.append(f"the refused attempt is {first['outcome']} {first['error']}")
        if first["conn"]["id"] == records[1]["conn"]["id"]:
            wrong.append("both attempts are on one connection")
    return wrong


def all_on_one(count):
    """So many requests on one connection, the streams counted through; all but the first find others open, or at least say that they do or not."""

    def check(records, _entries, _run):
        wrong = []
        if len({record["conn"]["id"] for record in records}) != 1:
            wrong.append(f"connections {sorted({record['conn']['id'] for record in records})}")
        by_stream = sorted(records, key=lambda record: record["conn"]["stream_id"])
        if [record["conn"]["stream_id"] for record in by_stream] != list(range(1, 2 * count, 2)):
            wrong.append(f"streams {[record['conn']['stream_id'] for record in by_stream]}")
        if [record["conn"]["request_index"] for record in by_stream] != list(range(1, count + 1)):
            wrong.append(f"indexes {[record['conn']['request_index'] for record in by_stream]}")
        for index, record in enumerate(by_stream):
            wrong += hooks.sequence(record, REUSED if index else COLD_TLS)
            if (record["conn"]["reused"], record["outcome"], record["http"]) != (index > 0, "ok", "2"):
                wrong.append(f"{record['url']}: reused {record['conn']['reused']}, {record['outcome']}, HTTP {record['http']}")
        busy = sum(record["conn"]["was_idle"] is False for record in by_stream[1:])
        if busy < count - 2:
            wrong.append(f"{busy} of {count - 1} later requests found another stream open")
        return wrong

    return check


FIFTY = [word for n in range(50) for word in ("-o", "/dev/null", f"{H2}/p{n}?delay=0.05&n={n * 10}")][2:]
PARALLEL = [
    scenario(
        "h2 reuse busy",
        h2steps(
            connect(),
            ["request", "a", "1", "/1?delay=0.1"],
            ["ping", "a"],
            ["request", "a", "2", "/2"],
            ["response", "a", "2"],
            ["response", "a", "1"],
            ["idle", 0.1],
            ["request", "a", "3", "/3"],
            ["response", "a", "3"],
            ["close", "a"],
        ),
        ["GET 200"] * 3,
        [
            h2(STEPS_COLD, stream_id=1, at_least_ms={"wait": 95}),
            h2(REUSED, reused=True, was_idle=False, stream_id=3, args=BUSY),
            again(stream_id=5),
        ],
        same_connection=[0, 1, 2],
        check=lambda records, entries, run: idle_since_the_last_stream(records, run),
        why="hooks.md 12b: was_idle if and only if no other stream is open",
    ),
    scenario(
        "h2 fifty transfers on one connection",
        curl("-Z", "--parallel-max", "50", C, *FIFTY),
        ["GET 200"] * 50,
        [],
        check=all_on_one(50),
    ),
    scenario(
        "h2 answers in pieces, in turns",
        h2steps(
            connect(),
            ["requests", "a", *([str(n), f"/{n}?n={n * 700}&pieces=7&slow=0.002"] for n in range(1, 21))],
            *(["response", "a", str(n)] for n in range(20, 0, -1)),
            ["close", "a"],
        ),
        ["GET 200"] * 20,
        [],
        check=lambda records, entries, run: []
        if len(records) == 20 and len({r["conn"]["id"] for r in records}) == 1
        else ["not twenty on one"],
    ),
    scenario(
        "h2 every write three bytes",
        h2steps(
            connect(tls=False, write=3),
            ["requests", "a", ["1", "/1?n=2000&split=5"], ["2", "/2?n=100"]],
            ["response", "a", "1"],
            ["response", "a", "2"],
            ["request", "a", "3", "/3", {"method": "POST", "body": 300}],
            ["response", "a", "3"],
            ["close", "a"],
        ),
        ["GET 200", "GET 200", "POST 200"],
        [clear(COLD), clear(REUSED, reused=True, was_idle=False), clear(REUSED, method="POST", reused=True, was_idle=True)],
        same_connection=[0, 1, 2],
        why="frame headers across writes and reads",
    ),
    scenario(
        "h2 a byte at a time over TLS",
        h2steps(connect(write=1, preface=True), ["request", "a", "1", "/1?n=30&split=1"], ["response", "a", "1"], ["close", "a"]),
        ["GET 200"],
        [h2(STEPS_COLD)],
    ),
    scenario(
        "h2 POST with trailers",
        h2steps(
            connect(),
            ["request", "a", "1", "/1", {"method": "POST", "body": 500, "end": False}],
            ["trailers", "a", "1", [["x-sum", "7"], ["x-more", "y"]]],
            ["response", "a", "1"],
            ["close", "a"],
        ),
        ["POST 200"],
        [h2(STEPS_COLD, method="POST", args={"WroteRequest": [{"error": None}]})],
        why="END_STREAM is the trailers'",
    ),
    scenario(
        "h2 a body in padded frames",
        h2steps(
            connect(),
            ["request", "a", "1", "/1", {"method": "PUT", "end": False}],
            *(["data", "a", "1", 300, {"pad": 100, "end": False}] for _ in range(3)),
            ["data", "a", "1", 20000, {"pad": 3}],
            ["response", "a", "1"],
            ["close", "a"],
        ),
        ["PUT 200"],
        [h2(f"GetConn {DNS} {DIAL} {TLS} GotConn WroteHeaders WroteRequest {FIRST}", method="PUT")],
    ),
    scenario(
        "h2 the client's table shrinks",
        h2steps(
            connect(),
            ["request", "a", "1", "/1?hdr=x-a:1"],
            ["response", "a", "1"],
            ["table", "a", 60],
            ["ping", "a"],
            ["request", "a", "2", "/2?hdr=x-a:1&hdr=x-b:2"],
            ["response", "a", "2"],
            ["table", "a", 4096],
            ["ping", "a"],
            ["request", "a", "3", "/3?hdr=x-a:1&hdr=x-b:2"],
            ["response", "a", "3"],
            ["request", "a", "4", "/4?hdr=x-a:1&hdr=x-b:2&status=201"],
            ["response", "a", "4"],
            ["close", "a"],
        ),
        ["GET 200"] * 3 + ["GET 201"],
        [h2(STEPS_COLD), again(), again(), again(status=201)],
        same_connection=[0, 1, 2, 3],
    ),
]


def idle_since_the_last_stream(records, run):
    """idle_ns of the third request: since the connection's last stream ended."""
    told = [json.loads(line) for line in run.stdout.splitlines()]
    steps = [step for step in told if step.get("step") in ("request", "response")]
    truth_ns = steps[-2]["begin_ns"] - steps[3]["end_ns"]
    idle_ns = records[2]["conn"]["idle_ns"]
    return (
        [] if idle_ns is not None and abs(idle_ns - truth_ns) < limit(20_000_000) else [f"idle_ns is {idle_ns}, the client says {truth_ns}"]
    )


def nghttp(*arguments):
    return lambda bed: ["nghttp", "-n", *arguments]


def served_by_others(count, path=None):
    """A server that keeps no ledger: so many requests, all well."""

    def check(records, _entries, _run):
        wrong = [f"{len(records)} reports, expected {count}"] if len(records) != count else []
        for record in records:
            if (record["status"], record["outcome"], record["http"]) != (200, "ok", "2") or (path and path not in record["url"]):
                wrong.append(f"{record['url']}: {record['status']} {record['outcome']} {record['error']} HTTP {record['http']}")
        return wrong

    return check


def content(*sizes):
    def check(records, _entries, _run):
        got = [record["response"]["body_bytes"] for record in records]
        return [] if got == list(sizes) else [f"body_bytes {got}, expected {list(sizes)}"]

    return check


NGINX_NAME = f"https://www.test:{NGINX_H2}"
ANY_TLS = {"alpn": "h2", "server_name": "localhost"}
NGHTTP = f"GetConn {DNS} ConnectStart ConnectDone {TLS} GotConn {SENT} {FIRST}"
CLIENTS = [
    scenario("nghttp", nghttp(f"{H2_NAME}/1"), ["GET 200"], [h2(NGHTTP, tls=NAME_TLS, stream_id=ANY)]),
    scenario(
        "nghttp, two at once",
        nghttp("--no-dep", f"{H2_NAME}/1?delay=0.05", f"{H2_NAME}/2?delay=0.05"),
        ["GET 200"] * 2,
        [h2(NGHTTP, tls=NAME_TLS, stream_id=1), h2(REUSED, tls=NAME_TLS, reused=True, was_idle=False, stream_id=3)],
        same_connection=[0, 1],
    ),
    scenario(
        "nghttp posts, padded, with trailers and Expect",
        lambda bed: ["nghttp", "-n", "-d", bed.payload(30000), "-b", "50", "--trailer", "x-sum: 7", "--expect-continue", f"{H2_NAME}/1"],
        ["POST 200"],
        [
            h2(
                f"GetConn {DNS} {DIAL} {TLS} GotConn WroteHeaders Wait100Continue {FIRST} Got1xxResponse Got100Continue WroteRequest",
                method="POST",
                tls=NAME_TLS,
            )
        ],
    ),
    scenario(
        "nghttp, a head of 18 KB",
        nghttp("--continuation", f"{H2_NAME}/1"),
        ["GET 200"],
        [h2(NGHTTP, tls=NAME_TLS, method="GET", url=f"{H2_NAME}/1")],
        through="unseen",
        why="more than --head-bytes",
    ),
    Scenario(
        "nghttp changes its table twice",
        nghttp("--no-dep", "-c", "0", "-c", "2000", "--encoder-header-table-size=100", f"{NGINX_NAME}/1", f"{NGINX_NAME}/2"),
        [],
        [h2(NGHTTP, tls=NAME_TLS), h2(REUSED, tls=NAME_TLS, reused=True, was_idle=False)],
        needs=("nginx",),
        through="unseen",
    ),
    Scenario(
        "nghttp and nghttpd: pushed, padded, with trailers",
        nghttp("--no-dep", f"http://127.0.0.1:{NGHTTPD_CLEAR}/index.html"),
        [],
        [],
        needs=("nghttpd_clear",),
        through="unseen",
        check=lambda records, entries, run: [
            f"{r['url']}: {r['status']} {r['outcome']} {r['response']}"
            for r in records
            if (r["status"], r["outcome"], r["response"]["body_bytes"])
            != (200, "ok", {"index.html": 100, "style.css": 700}[r["url"].rsplit("/")[-1]])
        ]
        + ([] if [r["url"].rsplit("/")[-1] for r in records][:1] == ["index.html"] else ["no index.html"]),
        why="a pushed stream has a request that nobody sent: never taken for another",
    ),
    Scenario(
        "curl and nghttpd, https",
        curl(C, f"https://localhost:{NGHTTPD}/one-megabyte", "-o", "/dev/null", f"https://localhost:{NGHTTPD}/index.html"),
        [],
        [h2(COLD_TLS), again()],
        needs=("nghttpd",),
        through="unseen",
        check=content(1 << 20, 100),
    ),
    Scenario(
        "curl and nginx, https",
        curl(C, f"https://localhost:{NGINX_H2}/file/one-megabyte", "-o", "/dev/null", f"https://localhost:{NGINX_H2}/a?id=7"),
        [],
        [h2(COLD_TLS), again()],
        needs=("nginx",),
        through="unseen",
        check=content(1 << 20, len("hello 7\n")),
    ),
    Scenario(
        "curl and nghttpx, https",
        curl(C, f"https://localhost:{NGHTTPX_TLS}/1?n=70000", "-o", "/dev/null", f"https://localhost:{NGHTTPX_TLS}/2?n=7&interim=103"),
        ["GET 200"] * 2,
        [h2(COLD_TLS, tls=ANY_TLS), h2(f"{REUSED} Got1xxResponse?", tls=ANY_TLS, reused=True, was_idle=True)],
        needs=("nghttpx",),
        through="proxy",
    ),
    Scenario(
        "h2load, three connections of five streams",
        lambda bed: ["h2load", "-n", "60", "-c", "3", "-m", "5", f"http://127.0.0.1:{NGHTTPD_CLEAR}/style.css"],
        [],
        [],
        needs=("nghttpd_clear",),
        through="unseen",
        check=served_by_others(60, "/style.css"),
    ),
    scenario(
        "httpx",
        fetch("httpx", f"{H2_NAME}/1", f"{H2_NAME}/2?n=5000"),
        ["GET 200"] * 2,
        [h2(COLD_TLS_NAME, tls=dict(NAME_TLS, bound_by=ANY)), again(tls=NAME_TLS)],
        same_connection=[0, 1],
    ),
    scenario(
        "httpx posts", fetch("httpx", "--data", "40000", f"{H2_NAME}/1"), ["POST 200"], [h2(COLD_TLS_NAME, method="POST", tls=NAME_TLS)]
    ),
]

assert set(CODES) >= {"CANCEL", "INTERNAL_ERROR", "REFUSED_STREAM"}
ALL = SINGLE + INTERIM + BROKEN + PARALLEL + CLIENTS
