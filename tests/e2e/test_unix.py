# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Unix sockets: every scenario of scenarios_unix.py, untraced and then traced; connects that fail; what is no HTTP, which is nearly all of them."""

import json
import os
import shutil
import socket
import sys

import pytest

from bed import hooks, server
from bed.tracer import Tracer, trace_command
from expect import COLD, KEPT, LAST, REUSED
from scenarios_unix import HOST, UNIX, EndsWith, unix_curl
from test_scenarios import keep, run_traced, run_untraced

IDS = [scenario.name for scenario in UNIX]
assert len(set(IDS)) == len(IDS)


@pytest.mark.parametrize("scenario", UNIX, ids=IDS)
def test_untraced(bed, scenario):
    run_untraced(bed, scenario)


@pytest.mark.parametrize("scenario", UNIX, ids=IDS)
def test_traced(bed, scenario):
    run_traced(bed, scenario, *keep(scenario))


# ---- clients of podman's and docker's API

DOCKER_PY = "import docker, sys; client = docker.DockerClient(base_url='unix://' + sys.argv[1], version='1.41'); print(client.version()['ApiVersion'])"


@pytest.mark.parametrize("client, path", [("podman", "/v4.3.1/libpod/version"), ("docker.py", "/v1.41/version")])
def test_api_client(bed, client, path):
    """Go's net/http (podman --remote), and requests with an adapter of its own (docker's library): both make up a host."""
    if not shutil.which("podman"):
        pytest.skip("podman is not installed (packaging/install-deps.sh test; there is none for a guest of another architecture)")
    at = bed.daemons.podman.socket
    remote = [shutil.which("podman"), "--url", f"unix://{at}", "--remote", "version"]
    trace = trace_command(bed, remote if client == "podman" else ["/usr/bin/python3", "-c", DOCKER_PY, at])
    assert trace.status == 0, trace.stderr
    trace.nothing_lost()
    assert trace.requests and not trace.dials
    for record in trace.requests:
        assert (record["method"], record["status"], record["outcome"], record["http"]) == ("GET", 200, "ok", "1.1")
        names = " ".join(hook["hook"] for hook in record["hooks"])  # what follows the answer is the client's affair
        assert names.startswith(REUSED if record["conn"]["reused"] else COLD), names
        if not record["conn"]["reused"]:
            assert [hook["args"] for hook in hooks.find(record, "ConnectStart")] == [{"network": "unix", "addr": at}]
    assert trace.requests[-1]["url"].partition("://")[2].partition("/")[::2] in (("d", path[1:]), ("localhost", path[1:]))


# ---- connects that fail


def missing(bed):
    return bed.file("missing.sock")


def refused(bed):
    path = bed.file("refused.sock")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
    return path


def full(bed):
    """Its backlog is full, and nobody accepts."""
    path = bed.file("full.sock")
    script = (
        "import socket, sys, time\n"
        "one = socket.socket(socket.AF_UNIX); one.bind(sys.argv[1]); one.listen(0)\n"
        "two = socket.socket(socket.AF_UNIX); two.connect(sys.argv[1]); print('full', flush=True); sys.stdin.read()\n"
    )
    assert bed.start([sys.executable, "-c", script, path]).stdout.readline() == "full\n"
    return path


CONNECT = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.setblocking(False); sys.exit(s.connect_ex(sys.argv[1]))"


@pytest.mark.parametrize("how, code", [(missing, "ENOENT"), (refused, "ECONNREFUSED"), (full, "EAGAIN")])
def test_failed_connect(bed, how, code):
    path = how(bed)
    client = [sys.executable, "-S", "-c", CONNECT, path]
    trace = trace_command(bed, client, "--dials", "all")
    (record,) = [record for record in trace.dials if record["host_port"] == path]
    assert (record["outcome"], record["error"]["phase"], record["error"]["code"]) == ("connect_error", "connect", code)
    assert not hooks.sequence(record, "GetConn ConnectStart ConnectDone"), record["hooks"]
    for name in ("ConnectStart", "ConnectDone"):
        (hook,) = hooks.find(record, name)
        assert (hook["args"]["network"], hook["args"]["addr"], hook["how"]) == ("unix", path, "observed")
    assert not trace_command(bed, client).records, "told although nothing says that it was to be HTTP"


def test_path_that_may_not_be_used(bed):
    path = bed.file("private.sock")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
        sock.listen(1)
        os.chmod(path, 0o600)
        trace = trace_command(bed, ["setpriv", "--reuid", "nobody", "--clear-groups", "curl", "-sS", "--unix-socket", path, "http://a/"], "--dials", "all")
    assert trace.status == 7, trace.stderr
    (record,) = [record for record in trace.dials if record["host_port"] == path]
    assert record["error"]["code"] == "EACCES"


def test_failed_connect_where_http_was_spoken(bed, stepper):
    """What was HTTP a moment ago is a request."""
    path = bed.file("link.sock")
    os.symlink(bed.socket(server.UNIX), path)
    with Tracer(bed, "-p", str(stepper.pid)) as tracer:
        stepper("connect", "a", path, 0)
        stepper.get("a", "/there", HOST)
        stepper("close", "a")
        os.unlink(path)
        stepper.process.stdin.write(json.dumps(["connect", "b", path, 0]) + "\n")
        stepper.process.stdin.flush()
        assert "error" in json.loads(stepper.process.stdout.readline())
        tracer.wait_for(lambda value: value["type"] == "request", 2)
        trace = tracer.stop()
    record = [record for record in trace.requests if record["outcome"] != "ok"][0]
    assert (record["outcome"], record["error"]["code"], record["method"], record["url"]) == ("connect_error", "ENOENT", None, None)
    assert hooks.find(record, "ConnectDone")[0]["args"]["addr"] == path


def test_name_service_is_no_failed_dial(bed):
    """glibc asks for nscd, which hardly anybody has, wherever a user is looked up."""
    done = trace_command(bed, ["sh", "-c", "id nobody >/dev/null; curl -sS -o /dev/null $0", f"http://127.0.0.1:{server.PLAIN}/"])
    assert [record["type"] for record in done.records] == ["request"]


# ---- what is no HTTP

NOISE = """
import os, socket, sys, threading
def serve(sock):
    while True:
        one, _ = sock.accept()
        def echo(one=one):
            while (data := one.recv(4096)):
                one.sendall(data)
            one.close()
        threading.Thread(target=echo, daemon=True).start()
stream = socket.socket(socket.AF_UNIX); stream.bind(sys.argv[1]); stream.listen(64)
packet = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); packet.bind("\\0" + sys.argv[1]); packet.listen(64)
threading.Thread(target=serve, args=(stream,), daemon=True).start()
threading.Thread(target=serve, args=(packet,), daemon=True).start()
for number in range(200):
    one = socket.socket(socket.AF_UNIX); one.connect(sys.argv[1])
    for text in (b"\\0AUTH EXTERNAL 30\\r\\n", b"BEGIN\\r\\n", b"GET is what a file of this name holds\\n", os.urandom(100)):
        one.sendall(text); one.recv(4096)
    one.close()
    two = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); two.connect("\\0" + sys.argv[1])
    two.sendall(b"GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n"); two.recv(4096); two.close()
    left, right = socket.socketpair()
    left.sendall(b"HELLO\\n"); right.recv(10); left.close(); right.close()
    three = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        three.connect("/dev/log.none")
    except OSError:
        pass
    three.close()
    four = socket.socket(socket.AF_UNIX)
    try:
        four.connect(sys.argv[1] + ".none")
    except OSError:
        pass
"""


def test_system_wide_noise_is_silent(bed):
    """Everybody's sockets are watched: of 800 that are no HTTP nothing is told, of the curls between them everything, of their server nothing."""
    bed.server.forget()
    name = bed.unique()
    with Tracer(bed) as tracer:
        noise = bed.start([sys.executable, "-c", NOISE, bed.file("noise.sock")])
        curls = [bed.run(unix_curl(server.UNIX, f"http://{HOST}/{name}-{number}")(bed)) for number in range(10)]
        assert noise.wait(60) == 0
        tracer.wait_url(f"/{name}-", count=10)
        trace = tracer.stop()
    assert [done.returncode for done in curls] == [0] * 10
    assert len(trace.matching(f"/{name}-")) == 10
    for record in trace.matching(f"/{name}-"):
        assert not hooks.sequence(record, f"{COLD} {LAST}"), record["hooks"]
        assert record["conn"]["remote"] == EndsWith("/" + server.UNIX)
    assert not trace.of_pid(noise.pid, bed.server.pid)
    trace.nothing_lost()


def test_protocol_of_lines_is_silent(bed, stepper):
    with Tracer(bed, "-p", str(stepper.pid)) as tracer:
        stepper("connect", "a", bed.socket(server.UNIX_LINES), 0)
        stepper("read", "a", 14)
        stepper("send", "a", "GET me a line\r\n")
        stepper("read", "a", 10)
        stepper("close", "a")
        stepper("connect", "b", bed.socket(server.UNIX), 0)
        stepper.get("b", "/told", HOST)
        tracer.wait_url("/told")
        trace = tracer.stop()
    assert [record["url"] for record in trace.records] == [f"http://{HOST}/told"]


# ---- sockets that are older, or go from hand to hand


def test_open_connection(bed, stepper):
    """Older than the tracer: what it did before is not known, its path is."""
    stepper("connect", "a", bed.socket(server.UNIX), 0)
    stepper.get("a", "/before", HOST)
    with Tracer(bed, "-p", str(stepper.pid)) as tracer:
        stepper.get("a", "/first", HOST)
        stepper.get("a", "/second", HOST)
        tracer.wait_url("/second")
        trace = tracer.stop()
    first, second = trace.one("/first"), trace.one("/second")
    assert not hooks.sequence(first, f"{REUSED} {KEPT}") and not hooks.sequence(second, f"{REUSED} {KEPT}")
    assert (first["conn"]["reused"], first["conn"]["was_idle"], first["conn"]["idle_ns"]) == (None, None, None)
    assert second["conn"]["reused"] is True and second["conn"]["id"] == first["conn"]["id"]
    assert first["conn"]["remote"] == second["conn"]["remote"] == bed.socket(server.UNIX)


HANDED = """
import os, socket, sys
ours, theirs = socket.socketpair()
sock = socket.socket(socket.AF_UNIX); sock.connect(sys.argv[1])
def ask(sock, what):
    sock.sendall(b"GET /%s HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n" % what)
    data = b""
    while b"01234" not in data:
        data += sock.recv(4096) or sys.exit("closed")
ask(sock, b"mine")
if sys.argv[2] == "fork":
    child = os.fork()
    if not child:
        ask(sock, b"theirs-%d" % os.getpid()); os._exit(0)
else:
    child = os.fork()
    if not child:
        ours.close(); sock.close()
        _, (fd,), _, _ = socket.recv_fds(theirs, 1, 1)
        ask(socket.socket(fileno=fd), b"theirs-%d" % os.getpid()); os._exit(0)
    socket.send_fds(ours, [b"x"], [sock.fileno()])
    sock.close()
os.waitpid(child, 0)
"""


@pytest.mark.parametrize("how", ["fork", "message"])
def test_handed_on(bed, how):
    """To a child, by fork or in a message: the request is the child's, on the same connection."""
    trace = trace_command(bed, [sys.executable, "-c", HANDED, bed.socket(server.UNIX), how])
    assert trace.status == 0, trace.stderr
    mine, theirs = trace.one("/mine"), trace.one("/theirs-")
    assert theirs["url"].endswith(f"-{theirs['pid']}") and mine["pid"] != theirs["pid"]
    assert mine["conn"]["id"] == theirs["conn"]["id"] and theirs["conn"]["reused"] is True
    assert [record["outcome"] for record in trace.records] == ["ok", "ok"]


def test_closed_while_idle(bed, stepper):
    """The client's close is told of the request that has just ended; the process lives on."""
    with Tracer(bed, "-p", str(stepper.pid)) as tracer:
        for number in range(20):
            stepper("connect", "a", bed.socket(server.UNIX), 0)
            stepper.get("a", f"/{number}", HOST)
            stepper("close", "a")
        tracer.wait_url("/19")
        trace = tracer.stop()
    closed = [record for record in trace.requests if hooks.find(record, "ConnClosed")]
    for record in closed:
        assert [hook["args"]["by"] for hook in hooks.find(record, "ConnClosed")] == ["client"]
    # 5 ms decide: that may be too little on a busy machine, but not each time.
    assert len(trace.requests) == 20 and len(closed) >= 10, f"{len(closed)} of {len(trace.requests)} closes were seen"
    trace.nothing_lost()
