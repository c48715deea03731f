# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Scenarios of gRPC calls: interface.md's paragraph on them. test_h2.py runs them."""

from bed.daemons import GRPC as GRPC_PORT
from bed.grpcserver import DETAILS
from bed.wait import limit
from expect import ANY, COLD, DIAL, FIRST, REUSED, SENT, Expect, OneOf
from scenario import Scenario, script

NOTHING = OneOf(None, "")
AT_ONCE = f"GetConn {DIAL} GotConn WroteHeaders {{WroteRequest {FIRST}}}"
GRPC_AT = f"127.0.0.1:{GRPC_PORT}"


def grpc(name, calls, expects, **more):
    return Scenario(
        name,
        script("grpc_call.py", GRPC_AT, *calls),
        [],
        expects,
        needs=("grpc",),
        through="unseen",
        why="interface.md: messages are counted, bytes include their prefixes",
        **more,
    )


def call(method, name="OK", message=NOTHING, sent=1, received=1, cold=False, sequence=None, **facts):
    """The report of a gRPC call; name is its status's."""
    told = {
        "service": "bed.Echo",
        "method": method,
        "status": name,
        "status_code": None if name is None else GRPC_CODES[name],
        "message": message,
        "messages_sent": sent,
        "messages_received": received,
    }
    base = {
        "method": "POST",
        "http": "2",
        "grpc": told,
        "reused": not cold,
        "was_idle": not cold,
        "url": f"http://{GRPC_AT}/bed.Echo/{method}",
    }
    return Expect(sequence or (COLD if cold else REUSED), **{**base, "outcome": "ok" if name == "OK" else "grpc_error", **facts})


GRPC_CODES = {"OK": 0, "DEADLINE_EXCEEDED": 4, "NOT_FOUND": 5, "DATA_LOSS": 15, "UNAVAILABLE": 14, "UNIMPLEMENTED": 12}


def bytes_are(*pairs):
    def check(records, _entries, _run):
        got = [(record["request"]["body_bytes"], record["response"]["body_bytes"]) for record in records]
        return [] if got == list(pairs) else [f"body_bytes {got}, expected {list(pairs)}"]

    return check


def deadline_ends_it(records, _entries, _run):
    """Both sides know the deadline: the client resets the stream, or the server's answer is there first."""
    (record,) = records
    told = (record["outcome"], record["error"]["phase"], record["error"]["code"], record["status"], record["grpc"]["status"])
    by_client = ("aborted", "wait", "CANCEL", None, None)
    by_server = ("grpc_error", "receive", "DEADLINE_EXCEEDED", 200, "DEADLINE_EXCEEDED")
    wrong = [] if told in (by_client, by_server) else [f"the deadline is told as {told}"]
    counts = (record["grpc"]["messages_sent"], record["grpc"]["messages_received"])
    return wrong if counts == (1, 0) else [*wrong, f"messages {counts}"]


ALL = [
    grpc("gRPC unary", ["Unary:hello"], [call("Unary", cold=True)], check=bytes_are((10, 10))),
    grpc("gRPC two calls on a channel", ["Unary:hello", "Unary:you"], [call("Unary", cold=True), call("Unary")], same_connection=[0, 1]),
    grpc(
        "gRPC error",
        ["Fail:NOT_FOUND"],
        [call("Fail", "NOT_FOUND", DETAILS, received=0, cold=True, code="NOT_FOUND", phase="receive|wait")],
        check=bytes_are((14, 0)),
    ),
    grpc("gRPC large message", ["Unary:" + "x" * 60000], [call("Unary", cold=True)], check=bytes_are((60005, 60005))),
    grpc("gRPC server streaming", ["List:7 100"], [call("List", sent=1, received=7, cold=True)], check=bytes_are((10, 7 * 105))),
    grpc("gRPC large messages streamed", ["List:5 40000"], [call("List", sent=1, received=5, cold=True)], check=bytes_are((12, 5 * 40005))),
    grpc("gRPC client streaming", ["Collect:abc:9"], [call("Collect", sent=9, received=1, cold=True)], check=bytes_are((72, 6))),
    grpc(
        "gRPC both ways", ["Chat:abcd:12"], [call("Chat", sent=12, received=12, cold=True, sequence=AT_ONCE)], check=bytes_are((108, 108))
    ),
    grpc(
        "gRPC error after a message",
        ["Half:xy"],
        [call("Half", "DATA_LOSS", "half", received=1, cold=True, code="DATA_LOSS", phase="receive")],
    ),
    grpc(
        "gRPC unknown method",
        ["Nothing:x"],
        [call("Nothing", "UNIMPLEMENTED", ANY, received=0, sent=ANY, cold=True, code="UNIMPLEMENTED")],
    ),
    grpc(
        "gRPC deadline",
        [f"Slow:60:1:{limit(1.5)}"],
        [
            Expect(
                (f"GetConn {DIAL} GotConn {SENT}", COLD),
                method="POST",
                http="2",
                reused=False,
                url=f"http://{GRPC_AT}/bed.Echo/Slow",
                outcome="aborted|grpc_error",
                phase="wait|receive",
                code="CANCEL|DEADLINE_EXCEEDED",
                status=OneOf(None, 200),
                grpc=ANY,
            )
        ],
        check=deadline_ends_it,
    ),
]
