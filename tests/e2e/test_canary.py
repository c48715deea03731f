# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Canary credentials, a thousand requests of each kind, in the clear and over TLS: in no output of any sink, nor on standard error with -v.

A canary is a word of its own for each kind. Each run is captured as well, and the capture reported once more with --no-redact, where every canary that is
reported at all must appear: so the search can find them.
"""

import base64
import collections
import json
import os
import re
import stat
import subprocess
import sys
from dataclasses import dataclass

import pytest

from bed import nginx
from bed.tracer import Tracer, run

COUNT = 1000  # of each kind, half of them over TLS
PLAIN, TLS = 8790, 8791
SINKS = ("text", "hooks", "jsonl")


@dataclass(frozen=True)
class Kind:
    name: str
    target: str = "/@MARK@"
    fields: str = ""  # of the request, a line each
    answer: str = ""  # fields of the answer
    method: str = "GET"
    body: str = ""
    shown: bool = True  # with --no-redact
    told: bool = True  # each is a report that has its mark: not of a CONNECT, whose own fields are no request's (hooks.md C13)
    host: str = "127.0.0.1:8790"

    @property
    def canary(self):
        return "Qz" + self.name.replace("-", "").title() + "Zq7h"

    @property
    def mark(self):
        return f"mark-{self.name}."

    def fill(self, text):
        basic = base64.b64encode(f"user:{self.canary}".encode()).decode()
        return text.replace("@BASIC@", basic).replace("@C@", self.canary).replace("@MARK@", f"{self.mark}@N@")

    @property
    def needles(self):
        return [self.canary.encode(), *(base64.b64encode(text.encode()).rstrip(b"=") for text in (self.canary, f"user:{self.canary}"))]

    @property
    def request(self):
        body = self.fill(self.body)
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        fields = "".join(f"{line}\r\n" for line in self.fields.splitlines())
        return self.fill(f"{self.method} {self.target} HTTP/1.1\r\nHost: {self.host}\r\nX-Pad: @PAD@\r\nX-Mark: @MARK@\r\n{length}{fields}\r\n{body}")


def field_kinds():
    """One kind for each field that carries a credential."""
    named = {
        "basic": "Authorization: Basic @BASIC@",
        "bearer": "Authorization: Bearer @C@",
        "digest": 'Authorization: Digest username="u", response="@C@"',
        "bare-authorization": "authorization: @C@",
        "shouted": "AUTHORIZATION:@C@",
        "folded": "Authorization: Bearer\n\t@C@",
        "twice": "Authorization: Bearer x\nAuthorization: Bearer @C@",
        "proxy": "Proxy-Authorization: Basic @BASIC@",
        "cookie": "Cookie: a=b; session=@C@; c=d",
        "api-key": "X-Api-Key: @C@",
        "kong": "apikey: @C@",
        "auth-token": "X-Auth-Token: @C@",
        "amazon": "X-Amz-Security-Token: @C@",
        "vault": "X-Vault-Token: @C@",
        "private-token": "PRIVATE-TOKEN: @C@",
        "google": "X-Goog-Api-Key: @C@",
        "azure": "Ocp-Apim-Subscription-Key: @C@",
        "csrf": "X-CSRF-Token: @C@",
        "websocket": "Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.@C@",
        "referer": "Referer: https://h.test/p?token=@C@&x=1",
        "referer-user": "Referer: https://user:@C@@h.test/p",
        "host-user": "X-Forwarded-Host: user:@C@@h.test",
    }
    return [Kind(name, fields=fields) for name, fields in named.items()]


KINDS = [
    *field_kinds(),
    Kind("query", "/@MARK@?token=@C@"),
    Kind("query-middle", "/@MARK@?a=1&access_token=@C@&b=2"),
    Kind("query-case", "/@MARK@?PassWord=@C@"),
    Kind("query-encoded", "/@MARK@?%74oken=@C@"),
    Kind("query-encoded-twice", "/@MARK@?access%255Ftoken=@C@"),
    Kind("query-nested", "/@MARK@?next=https%3A%2F%2Fh.test%2F%3Fapi_key%3D@C@%26x%3D1"),
    Kind("query-nested-user", "/@MARK@?next=https%3A%2F%2Fuser%3A@C@%40h.test%2F"),
    Kind("query-semicolon", "/@MARK@?a=1;secret=@C@"),
    Kind("path-parameter", "/@MARK@;jsessionid=@C@/x"),
    Kind("signature", "/@MARK@?X-Amz-Signature=@C@&X-Amz-Date=1"),
    Kind("absolute", "http://user:@C@@h.test/@MARK@"),
    Kind("absolute-token", "http://@C@@h.test/@MARK@"),
    Kind("absolute-query", "http://h.test/@MARK@?key=@C@"),
    Kind("absolute-proxy", "http://h.test/@MARK@", fields="Proxy-Authorization: Basic @BASIC@"),
    Kind("host", host="user:@C@@127.0.0.1:8790"),
    Kind("host-query", host="127.0.0.1:8790/?token=@C@"),
    Kind("connect", "h.test:443", method="CONNECT", fields="Proxy-Authorization: Basic @BASIC@", shown=False, told=False),
    Kind("connect-user", "user:@C@@h.test:443", method="CONNECT", shown=False, told=False),
    Kind("set-cookie", answer="Set-Cookie: id=@C@; HttpOnly\r\n"),
    Kind("set-cookies", answer="Set-Cookie: a=b\r\nset-cookie: id=@C@\r\n"),
    Kind("location", answer="Location: https://h.test/cb?code=1&token=@C@\r\n"),
    Kind("location-fragment", answer="Location: https://h.test/cb#access_token=@C@&x=1\r\n"),
    Kind("location-user", answer="Location: https://user:@C@@h.test/\r\n"),
    Kind("content-location", answer="Content-Location: /x?sig=@C@\r\n"),
    Kind("link", answer="Link: </x?token=@C@>; rel=next\r\n"),
    Kind("refresh", answer="Refresh: 0; url=https://h.test/?token=@C@\r\n"),
    Kind("answer-token", answer="X-Subject-Token: @C@\r\n"),
    Kind("form", method="POST", fields="Content-Type: application/x-www-form-urlencoded", body="password=@C@", shown=False),
]


@pytest.fixture(scope="module")
def canary_server(_bed):
    answers = _bed.file("answers.json")
    with open(answers, "w", encoding="utf-8") as file:
        json.dump({kind.mark: kind.fill(kind.answer) for kind in KINDS if kind.answer}, file)
    certificates = _bed.certificates
    process = subprocess.Popen(
        [sys.executable, "-m", "bed.canary_server", certificates.cert, certificates.key, str(PLAIN), str(TLS), answers],
        cwd=os.path.dirname(os.path.abspath(__file__)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    yield process
    process.stdin.close()
    process.wait(10)
    process.stdout.close()


class Outputs:
    """Every sink into a file of its own, and one more as standard output."""

    def __init__(self, bed):
        self.files = {sink: bed.file(f"canary.{sink}") for sink in SINKS}
        self.options = [word for sink, file in self.files.items() for word in ("-o", f"{sink}={file}")] + ["-o", "hooks", "-H"]

    def read(self, more=()):
        texts = {}
        for name, file in self.files.items():
            with open(file, "rb") as opened:
                texts[name] = opened.read()
        texts.update(more)
        return texts


# A canary as it is, and as base64 begins it, alone and behind user: (each text is searched once, not once for each canary).
CANARIES = re.compile(rb"Qz[A-Za-z]+Zq7h|UXp[A-Za-z0-9+/]+|dXNlcjpRe[A-Za-z0-9+/]+")


def leaks(texts, kinds):
    """[(kind, output, the line it is in)]"""
    owners = {needle: kind.name for kind in kinds for needle in kind.needles}
    found = {}
    for name, text in texts.items():
        for match in CANARIES.finditer(text):
            owner = owners.get(match[0])
            if owner and (owner, name) not in found:
                found[owner, name] = text[text.rfind(b"\n", 0, match.start()) + 1 : text.find(b"\n", match.end())][:400].decode(errors="replace")
    return [(*key, line) for key, line in found.items()]


def told(text):
    """{mark: how many requests with it the JSON lines tell}"""
    marks = (re.search(rb"mark-[a-z-]+\.", line) for line in text.splitlines() if line.startswith(b'{"type":"request"'))
    return collections.Counter(mark[0].decode() for mark in marks if mark)


def check_run(bed, outputs, texts, capture, counts):
    """counts: {kind: how many requests were made}."""
    seen = told(texts["jsonl"])
    missing = {kind.name: seen[kind.mark] for kind, count in counts.items() if kind.told and seen[kind.mark] != count}
    assert not missing, f"not all were told: {missing}; {texts['stderr'][-2000:]}"
    found = leaks(texts, counts)
    assert not found, "\n".join(map(str, found))
    # By design the capture holds the bytes as they were, so it is its owner's only; what is reported from it is redacted.
    assert stat.S_IMODE(os.stat(capture).st_mode) == 0o600
    again = Outputs(bed)
    done = run(bed, "-r", capture, "-v", *again.options, text=False, timeout_s=120)
    assert done.returncode == 0, done.stderr
    assert leaks(again.read({"stdout": done.stdout, "stderr": done.stderr}), counts) == []
    # The control: what must not be found above can be found. Only JSON tells the fields of answers, the text only URLs.
    shown = Outputs(bed)
    done = run(bed, "-r", capture, "-v", "--no-redact", *shown.options, text=False, timeout_s=120)
    assert done.returncode == 0, done.stderr
    texts = shown.read()
    for sink, wanted in (("jsonl", lambda kind: True), ("hooks", lambda kind: not kind.answer), ("text", lambda kind: "?token" in kind.target)):
        unseen = {kind.name for kind in counts if kind.shown and wanted(kind)} - {name for name, _, _ in leaks({sink: texts[sink]}, counts)}
        assert not unseen, f"{sink} --no-redact does not show {unseen}"
    for file in (capture, *outputs.files.values(), *again.files.values(), *shown.files.values()):
        os.unlink(file)


@pytest.mark.parametrize("scope, count", [("one process", COUNT), ("the whole system", COUNT // 5)], ids=["one process", "the whole system"])
def test_canaries_of_each_kind(bed, canary_server, scope, count):
    kinds_file, capture, outputs = bed.file("kinds.json"), bed.file("canary.cap"), Outputs(bed)
    with open(kinds_file, "w", encoding="utf-8") as file:
        json.dump([[kind.request, count // 2] for kind in KINDS], file)
    client = bed.start(bed.script("volume.py", PLAIN, TLS, kinds_file))
    pid = int(client.stdout.readline())
    only = ("-p", str(pid)) if scope == "one process" else ()
    with Tracer(bed, *only, "-v", "--ring-size", "64M", "-w", capture, *outputs.options, jsonl=False) as tracer:
        client.stdin.write("go\n")
        client.stdin.flush()
        assert client.stdout.readline() == f"done {len(KINDS) * count}\n"
        stopped = tracer.stop(check=False)
    client.stdin.close()
    texts = outputs.read({"stdout": tracer.stdout.encode(), "stderr": tracer.stderr.encode()})
    assert stopped.status == 0 and b"httptrace-bpf: tracing" in texts["stderr"]
    check_run(bed, outputs, texts, capture, {kind: count for kind in KINDS})


ORIGIN, SECURE = f"http://127.0.0.1:{PLAIN}", f"https://localhost:{TLS}"
# What curl itself makes of credentials: (kind, its arguments). @MARK@ is followed by a number in each of its thousand URLs.
CURLS = [
    (Kind("curl-user"), ["-u", "user:@C@", f"{ORIGIN}/@MARK@"]),
    (Kind("curl-user-tls"), ["-u", "user:@C@", f"{SECURE}/@MARK@"]),
    (Kind("curl-url-user"), [f"http://user:@C@@127.0.0.1:{PLAIN}/@MARK@"]),
    (Kind("curl-bearer"), ["--oauth2-bearer", "@C@", f"{SECURE}/@MARK@"]),
    (Kind("curl-cookie"), ["-b", "session=@C@", f"{ORIGIN}/@MARK@"]),
    (Kind("curl-proxy"), ["-x", f"http://user:@C@@127.0.0.1:{PLAIN}", "http://h.test/@MARK@"]),
    (Kind("curl-proxy-user"), ["-x", f"http://127.0.0.1:{PLAIN}", "-U", "user:@C@", "http://h.test/@MARK@?api_key=@C@"]),
    (Kind("curl-tunnel"), ["-x", f"http://user:@C@@127.0.0.1:{PLAIN}", f"{SECURE}/@MARK@", "-H", "X-Api-Key: @C@"]),
    (Kind("curl-proxy-tls"), ["-x", f"https://user:@C@@localhost:{TLS}", "--proxy-cacert", "@CA@", "http://h.test/@MARK@"]),
]


@pytest.mark.parametrize("kind, arguments", CURLS, ids=[row[0].name for row in CURLS])
def test_canaries_that_curl_sends(bed, canary_server, kind, arguments):
    """From the command line on: the credentials are in curl's arguments, which are nobody's business either."""
    outputs, capture = Outputs(bed), bed.file("canary.cap")
    filled = [kind.fill(word).replace("@N@", f"[1-{COUNT}]").replace("@CA@", bed.certificates.ca) for word in arguments]
    errors = bed.file("curl.stderr")
    command = ["curl", "-sS", "-o", os.devnull, "--stderr", errors, *filled]
    done = run(bed, "-v", "--ring-size", "64M", "-w", capture, *outputs.options, "--", *command, text=False, timeout_s=120)
    assert done.returncode == 0, done.stderr
    texts = outputs.read({"stdout": done.stdout, "stderr": done.stderr})
    check_run(bed, outputs, texts, capture, {kind: COUNT})


# Field lines in two, and names in capitals, are HTTP/1's.
H2_KINDS = [
    *(kind for kind in field_kinds() if kind.name not in ("folded", "shouted")),
    *(kind for kind in KINDS if kind.name.startswith(("query", "path-parameter", "signature"))),
]
H2_COUNT = 200


def test_canaries_over_http2(bed):
    """Compressed, and from the second request on out of the header table: ten streams at once on a connection for each kind."""
    outputs, capture, commands = Outputs(bed), bed.file("canary.cap"), []
    assert bed.nginx.master
    for kind in H2_KINDS:
        fields = [kind.fill(line) for line in kind.fields.splitlines()]
        options = [word for name, _, value in (line.partition(":") for line in fields) for word in ("-H", f"{name.lower()}: {value.strip()}")]
        url = f"https://localhost:{nginx.LOAD_H2}{kind.fill(kind.target).replace('@N@', '1')}"
        commands.append(["h2load", "-n", str(H2_COUNT), "-c", "1", "-m", "10", *options, url])
    # System-wide: no process has to be found before its first call.
    with Tracer(bed, "-v", "--ring-size", "64M", "-w", capture, *outputs.options, jsonl=False) as tracer:
        for command in commands:
            done = bed.run(command)
            assert done.returncode == 0, done.stdout
        stopped = tracer.stop(check=False)
    assert stopped.status == 0
    texts = outputs.read({"stdout": tracer.stdout.encode(), "stderr": tracer.stderr.encode()})
    check_run(bed, outputs, texts, capture, {kind: H2_COUNT for kind in H2_KINDS})
