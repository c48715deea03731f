# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Scenarios of HTTP over Unix sockets: hooks.md C17. test_unix.py runs them."""

from bed import grpcserver, server
from expect import COLD, COLD_TLS, DIAL, FIRST, GONE, KEPT, LAST, REUSED, SENT, Expect
from scenario import CURL, CURL_TLS, OWN, Scenario, script
from scenarios_grpc import call

HOST = "docker"
GRPC_URL = "http://localhost/bed.Echo/Unary"  # as grpcio makes it up
GET = f"GET /%s HTTP/1.1\r\nHost: {HOST}\r\n\r\n"


class EndsWith(str):
    """A path of which only the end is known beforehand."""

    def __eq__(self, other):
        return isinstance(other, str) and other.endswith(str(self))

    __hash__ = str.__hash__


def unix_curl(name, *arguments):
    option = "--abstract-unix-socket" if name.startswith("@") else "--unix-socket"
    return lambda bed: [*CURL, option, bed.socket(name).lstrip("@"), *arguments]


def unix_steps(name, *script):
    """"connect" has no address of its own."""

    def argv(bed):
        return bed.steps(*[[*step[:2], bed.socket(name), 0, *step[2:]] if step[0] == "connect" else step for step in script])

    return argv


def dialled(name):
    addr = name if name.startswith("@") else EndsWith("/" + name)
    return {
        "ConnectStart": [{"network": "unix", "addr": addr}],
        "ConnectDone": [{"network": "unix", "addr": addr, "error": None}],
        **OWN,
    }


def has_no_name(records, _served, _run):
    """interface.md: a Unix socket has no local name."""
    return [f"conn.local is {record['conn']['local']!r}" for record in records if record["conn"]["local"] is not None]


def unix(name, client, served, expect, **more):
    return Scenario(name, client, served, expect, through=more.pop("through", "unix"), check=more.pop("check", has_no_name), **more)


UNIX = [
    unix(
        "unix: curl",
        unix_curl(server.UNIX, f"http://{HOST}/v1/info?all=1"),
        ["GET 200"],
        [Expect(f"{COLD} {LAST}", args=dialled(server.UNIX), host_port=f"{HOST}:80", url=f"http://{HOST}/v1/info?all=1")],
        why="no lookup; GetConn's host_port is the Host field's",
    ),
    unix(
        "unix: an abstract name",
        unix_curl(server.UNIX_ABSTRACT, f"http://{HOST}/"),
        ["GET 200"],
        [Expect(f"{COLD} {LAST}", args=dialled(server.UNIX_ABSTRACT), host_port=f"{HOST}:80")],
    ),
    unix(
        "unix: three URLs on one connection",
        unix_curl(server.UNIX, f"http://{HOST}/1", "-o", "/dev/null", f"http://{HOST}/2?n=70000", "-o", "/dev/null", f"http://{HOST}/3?chunked=5"),
        ["GET 200"] * 3,
        [
            Expect(f"{COLD} {KEPT}", args=dialled(server.UNIX)),
            Expect(f"{REUSED} {KEPT}", reused=True, was_idle=True),
            Expect(f"{REUSED} {LAST}", reused=True, was_idle=True),
        ],
        same_connection=[0, 1, 2],
    ),
    unix(
        "unix: a large body",
        lambda bed: [*unix_curl(server.UNIX, f"http://{HOST}/")(bed), "-H", "Expect:", "--data-binary", f"@{bed.payload(3_000_000)}"],
        ["POST 200"],
        [Expect(f"{COLD} {LAST}", method="POST", args=dialled(server.UNIX))],
        why="many sends, each of which may wait for room",
    ),
    unix(
        "unix: POST with Expect: 100",
        lambda bed: [*unix_curl(server.UNIX, f"http://{HOST}/")(bed), "--data-binary", f"@{bed.payload(1_200_000)}"],
        ["POST 200"],
        [
            Expect(
                f"GetConn ConnectStart ConnectDone GotConn WroteHeaders Wait100Continue {FIRST} Got100Continue Got1xxResponse WroteRequest {LAST}",
                method="POST",
            )
        ],
    ),
    unix(
        "unix: https",
        unix_curl(server.UNIX_TLS, "https://localhost/"),
        ["GET 200"],
        [Expect(f"{COLD_TLS} {LAST}", tls=CURL_TLS, args=dialled(server.UNIX_TLS), host_port="localhost:443", url="https://localhost/")],
    ),
    unix(
        "unix: a head in many writes",
        unix_steps(server.UNIX, ["connect", "a"], ["send", "a", *(GET % "split")], ["response", "a"], ["close", "a"]),
        ["GET 200"],
        [Expect((f"{COLD} {GONE}", f"{COLD} {KEPT}"), args=dialled(server.UNIX))],
        why="what the first byte is of is known with the second, and later",
    ),
    unix(
        "unix: a receive into no room",
        unix_steps(server.UNIX, ["connect", "a"], ["send", "a", GET % 1], ["nothing", "a"], ["response", "a"], ["close", "a"]),
        ["GET 200"],
        [Expect((f"{COLD} {GONE}", f"{COLD} {KEPT}"), args=dialled(server.UNIX))],
        why="it answers 0, as the end of the stream does",
    ),
    unix(
        "unix: the client closes a kept connection",
        unix_steps(server.UNIX, ["connect", "a"], ["send", "a", GET % 1], ["response", "a"], ["close", "a"], ["idle", 0.05]),
        ["GET 200"],
        [Expect(f"{COLD} {GONE}", closed_by="client" if not GONE else "")],
    ),
    unix(
        "unix: close with no byte",
        unix_curl(server.UNIX, f"http://{HOST}/?abort=0"),
        [None],
        [Expect(f"GetConn {DIAL} GotConn {SENT}", outcome="closed", phase="wait", status=None, closed_by="server")],
        exit=52,
    ),
    unix(
        "unix: close in the body",
        unix_curl(server.UNIX, f"http://{HOST}/?n=1000&abort=body"),
        ["GET 200"],
        [Expect(COLD, outcome="closed", phase="receive", closed_by="server")],
        exit=18,
    ),
    unix(
        "unix: the client gives up waiting",
        unix_curl(server.UNIX, "-m", "0.3", f"http://{HOST}/?delay=5"),
        [None],
        [Expect(f"GetConn {DIAL} GotConn {SENT}", outcome="aborted", phase="wait", status=None, closed_by="client")],
        exit=28,
    ),
    unix(
        "unix: the client closes early",
        unix_steps(server.UNIX, ["connect", "a"], ["send", "a", GET % "?n=100000&pieces=10&slow=1"], ["read", "a", 200], ["close", "a"]),
        ["GET 200"],
        [Expect(COLD, outcome="aborted", phase="receive", closed_by="client")],
    ),
    unix(
        "unix: gRPC",
        script("grpc_call.py", f"unix-abstract:{grpcserver.UNIX}", "Unary:hello", "Unary:you"),
        [],
        [
            call("Unary", cold=True, url=GRPC_URL, args=dialled(f"@{grpcserver.UNIX}")),
            call("Unary", url=GRPC_URL),
        ],
        same_connection=[0, 1],
        needs=("grpc",),
        through="unseen",
        why="HTTP/2 over a Unix socket",
    ),
]
