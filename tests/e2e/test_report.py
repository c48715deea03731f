# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What is reported and how: header fields, redaction, text for people, all sinks."""

import os
import pty
import re
import select
import subprocess

import pytest

from bed import hooks, schema, server
from bed.tracer import binary, repository, run, trace_command
from expect import COLD

H = f"http://127.0.0.1:{server.PLAIN}"
S = f"https://localhost:{server.TLS}"
CURL = ("curl", "-sS", "-o", "/dev/null")


@pytest.mark.parametrize("base", [H, S], ids=["plain", "tls"])
def test_header_fields(bed, base):
    trace = trace_command(
        bed,
        [*CURL, "-A", "agent/1", "-H", "X-Many: 1", "-H", "X-Many: 2", "-H", "X-empty;", "-H", "x-LAST: a  b", f"{base}/?hdr=X-Back:yes"],
        "-H",
    )
    record, seen = trace.requests[0], bed.server.take(requests=1)["requests"][0]
    assert record["request"]["headers"] == seen["headers"]
    assert record["response"]["headers"] == [["Server", "bed"], ["X-Back", "yes"], ["Content-Length", "5"]]
    fields = [(hook["args"]["key"], hook["args"]["values"]) for hook in hooks.find(record, "WroteHeaderField")]
    host = base.split("/")[2]
    # in wire order; adjacent lines of one name in one call (hooks.md B1)
    assert fields == [
        ("Host", [host]),
        ("User-Agent", ["agent/1"]),
        ("Accept", ["*/*"]),
        ("X-Many", ["1", "2"]),
        ("X-empty", [""]),
        ("x-LAST", ["a  b"]),
    ]
    assert hooks.names(record, fields=True).index("WroteHeaderField") > hooks.names(record).index("GotConn")


def test_header_fields_of_early_hints(bed):
    record = trace_command(bed, [*CURL, f"{H}/?interim=103"], "-H").requests[0]
    assert hooks.one(record, "Got1xxResponse")["args"] == {"code": 103, "headers": [["Link", "</style.css>; rel=preload"]]}


SECRET = "s3cr3t-value"
CREDENTIALS = [
    ("basic", ["-u", f"user:{SECRET}"], "Authorization", None),
    ("bearer", ["-H", f"Authorization: Bearer {SECRET}"], "Authorization", None),
    ("any case", ["-H", f"authorization: {SECRET}"], "authorization", None),
    ("proxy", ["-H", f"Proxy-Authorization: {SECRET}"], "Proxy-Authorization", None),
    ("cookie", ["-b", f"session={SECRET}"], "Cookie", None),
    ("set-cookie", [], None, "Set-Cookie"),
]


@pytest.mark.parametrize("options, sent, got", [row[1:] for row in CREDENTIALS], ids=[row[0] for row in CREDENTIALS])
def test_credentials_are_redacted(bed, options, sent, got):
    url = f"{H}/?hdr=Set-Cookie:session%3D{SECRET}" if got else f"{H}/"
    # The secret in that URL is a header to be, in a key that no credential goes by: it is looked for in the header fields only.
    trace = trace_command(bed, [*CURL, *options, url], "-H")
    record = trace.requests[0]
    for side, name in (("request", sent), ("response", got)):
        if name:
            assert [value for key, value in record[side]["headers"] if key == name] == ["[redacted]"]
    without_url = "\n".join(trace.lines).replace(record["url"], "")
    assert SECRET not in without_url and "dXNlcjpz" not in without_url  # neither as it is nor as curl's -u encodes it
    if sent:
        assert [h["args"]["values"] for h in hooks.find(record, "WroteHeaderField") if h["args"]["key"] == sent] == [["[redacted]"]]
    plain = trace_command(bed, [*CURL, *options, url], "-H", "--no-redact").requests[0]
    for side, name in (("request", sent), ("response", got)):
        if name:
            value = [value for key, value in plain[side]["headers"] if key == name][0]
            assert "redacted" not in value and (SECRET in value or value.startswith("Basic "))


@pytest.mark.parametrize(
    "query, shown",
    [
        (f"token={SECRET}", "token=[redacted]"),
        (f"a=1&access_token={SECRET}&b=2", "a=1&access_token=[redacted]&b=2"),
        (f"password={SECRET}", "password=[redacted]"),
        (f"api_key={SECRET}&x", "api_key=[redacted]&x"),
        ("n=5&page=2", "n=5&page=2"),
    ],
)
def test_query_credentials_are_redacted(bed, query, shown):
    trace = trace_command(bed, [*CURL, f"{H}/path?{query}"], "-o", "hooks", "-H")
    assert trace.requests[0]["url"] == f"{H}/path?{shown}"
    assert SECRET not in "\n".join(trace.lines) and SECRET not in trace.stdout and SECRET not in trace.stderr
    assert trace_command(bed, [*CURL, f"{H}/path?{query}"], "--no-redact").requests[0]["url"] == f"{H}/path?{query}"


def test_userinfo_is_not_in_the_url(bed):
    trace = trace_command(bed, [*CURL, f"http://user:{SECRET}@127.0.0.1:{server.PLAIN}/"])
    assert trace.requests[0]["url"] == f"{H}/" and SECRET not in "\n".join(trace.lines)


def text_of(bed, sink, *client):
    done = run(bed, *(("-o", sink) if sink else ()), "--", *client)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("sink", [None, "text"], ids=["default", "text"])
def test_text_is_a_line_a_request(bed, sink):
    out = text_of(bed, sink, *CURL, f"{H}/one", "-o", "/dev/null", f"{H}/two?status=404")
    lines = [line for line in out.splitlines() if "/one" in line or "/two" in line]
    assert len(lines) == 2 and "\x1b" not in out
    for line, url, parts in zip(lines, (f"{H}/one", f"{H}/two?status=404"), (["curl", "GET", "200"], ["curl", "GET", "404", "reused"])):
        assert url in line and all(part in line.replace(url, "") for part in parts), line
    assert "reused" not in lines[0]


def test_text_says_where_and_why_it_failed(bed):
    done = run(bed, "--", *CURL, f"{H}/cut?n=100&abort=body")
    line = next(line for line in done.stdout.splitlines() if "/cut" in line)
    assert done.returncode == 18 and "receive" in line and "closed" in line
    done = run(bed, "--", *CURL, f"http://127.0.0.1:{server.REFUSED}/")
    assert done.returncode == 7 and re.search(r"(?m)^.* - .*ECONNREFUSED|^.* - .*refused", done.stdout), done.stdout


def test_hooks_are_listed_one_a_line(bed):
    out = text_of(bed, "hooks", *CURL, f"{H}/listed")
    at = [out.index(name) for name in COLD.split()]
    assert at == sorted(at) and out.index("/listed") < at[0]
    lines = {name: next(line for line in out.splitlines() if re.search(rf"\b{name}\b", line)) for name in COLD.split()}
    assert len(set(lines.values())) == len(lines), "several hooks on a line"
    assert "\x1b" not in out
    # What is inferred is marked, by the same mark on each, which no other bears.
    marks = [set(re.findall(r"\binferred\b|[~*?≈]", lines[name])) for name in ("GetConn", "GotConn")]
    assert marks[0] & marks[1] and not (marks[0] & set(re.findall(r"\binferred\b|[~*?≈]", lines["ConnectStart"])))


def test_colour_only_on_a_terminal(bed):
    main, other = pty.openpty()
    process = subprocess.Popen(
        [binary(), "--", *CURL, f"{H}/colour"],
        stdin=subprocess.DEVNULL,
        stdout=other,
        stderr=subprocess.DEVNULL,
        env=dict(bed.env, TERM="xterm-256color"),
    )
    os.close(other)
    out = b""
    while select.select([main], [], [], 20)[0]:
        try:
            out += os.read(main, 65536)
        except OSError:  # the other side is closed
            break
    os.close(main)
    assert process.wait(10) == 0
    assert b"/colour" in re.sub(rb"\x1b\[[0-9;]*m", b"", out) and b"\x1b[" in out


def test_several_sinks_at_once(bed):
    one, two = bed.file("one.jsonl"), bed.file("two.jsonl")
    done = run(bed, "-o", f"jsonl={one}", "-o", "text", "-o", f"jsonl={two}", "--", *CURL, f"{H}/several")
    assert done.returncode == 0 and "/several" in done.stdout
    with open(one, "rb") as first, open(two, "rb") as second:
        assert (text := first.read()) == second.read() and b"/several" in text


def test_every_body_is_measured_in_content(bed):
    """body_bytes: without chunk framing, before content decoding; heads as on the wire. The server's count is the truth."""
    trace = trace_command(
        bed, bed.script("fetch.py", "http.client", "--chunks", "7", "--data", "1000", f"{H}/?chunked=1&trailers=1&n=12345&pieces=9")
    )
    seen = bed.server.take(requests=1)["requests"][0]
    record = trace.requests[0]
    assert (
        (record["request"]["body_bytes"], record["response"]["body_bytes"])
        == (7000, 12345)
        == (seen["body_bytes"], seen["response_body_bytes"])
    )
    assert (record["request"]["header_bytes"], record["response"]["header_bytes"]) == (seen["head_bytes"], seen["response_head_bytes"])


def test_bodies_taken_out_by_splice(bed):
    """No event tells of them, but TCP counts them: the answers behind them are found, and something is said to be lost."""
    host = f"127.0.0.1:{server.PLAIN}"
    steps = [["send", "a", f"GET /?n=5000 HTTP/1.1\r\nHost: {host}\r\n\r\n"], ["spliced", "a"]] * 3
    trace = trace_command(bed, bed.steps(["connect", "a", "127.0.0.1", server.PLAIN], *steps, ["close", "a"]))
    bed.server.take(requests=3)
    seen = [(record["status"], record["outcome"], record["response"]["body_bytes"], record["lost"] > 0) for record in trace.requests]
    assert seen == [(200, "ok", 5000, True)] * 3, trace.lines


def test_default_ports_are_not_in_the_url(bed):
    bed.nginx.lines()
    trace = trace_command(bed, [*CURL, "http://www.test/a", "-o", "/dev/null", "https://www.test/b"])
    assert [record["url"] for record in trace.records] == ["http://www.test/a", "https://www.test/b"]
    assert [hooks.one(record, "GetConn")["args"]["host_port"] for record in trace.records] == ["www.test:80", "www.test:443"]


# What passes which filter: kinds, from captures of what travels over or through something.
FILTERED = [
    ("grpc-error", ("--errors",), ["request"]),
    ("grpc-error", ("--status", "200"), ["request"]),
    ("grpc-unary", ("--errors",), []),
    ("connect-refused", ("--errors", "--host", "localhost"), ["request"]),
    ("connect-refused", ("--host", "*:9888"), ["request"]),
    ("connect-refused", ("--method", "GET"), []),
    ("websocket-closed-by-the-server", ("--path", "/close"), ["request", "websocket"]),
    ("websocket-closed-by-the-server", ("--method", "GET"), ["request"]),
    ("websocket-closed-by-the-server", ("--status", "101"), ["request"]),
    ("websocket-closed-by-the-server", ("--slower-than", "1ms"), ["request"]),
    ("unix-an-abstract-name", ("--host", "docker"), ["request"]),
]


@pytest.mark.parametrize("capture, options, kinds", FILTERED, ids=[" ".join((row[0], *row[1])) for row in FILTERED])
def test_filters_of_each_kind(capture, options, kinds):
    file = os.path.join(repository(), "tests/replay/captures", f"{capture}.cap")
    done = subprocess.run([binary(), "-q", "-r", file, "-o", "jsonl", *options], capture_output=True, text=True, check=True, timeout=30)
    values = [schema.parse(line) for line in done.stdout.splitlines()]
    assert [value["type"] for value in values if value["type"] in ("request", "websocket", "dial")] == kinds
    counted = {kind: values[-1][f"{kind}s"] for kind in ("request", "dial", "websocket")}
    assert counted == {kind: kinds.count(kind) for kind in counted}
