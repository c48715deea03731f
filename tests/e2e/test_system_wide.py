# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Without a filter: every process on the machine, however short; never a server; never what is not HTTP."""

import subprocess

import pytest

from bed import hooks, server
from bed.nginx import PLAIN, TLS
from bed.tracer import Tracer
from conftest import Stepper
from expect import COLD_TLS_NAME, REUSED

CURLS = 100


def start_curl(bed, url):
    return subprocess.Popen(
        ["curl", "-sS", "-m", "20", "-o", "/dev/null", url],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=bed.env,
    )


def in_batches(bed, urls, width):
    """Runs a curl for each URL, width at a time; [(url, pid)]."""
    waiting, running, done = list(urls), [], []
    while waiting or running:
        while waiting and len(running) < width:
            url = waiting.pop(0)
            running.append((url, start_curl(bed, url)))
        url, process = running.pop(0)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 0, f"{url}: {errors}"
        done.append((url, process.pid))
    return done


@pytest.mark.parametrize("width", [1, 8], ids=["one after another", "eight at a time"])
def test_every_short_https_curl_is_seen(bed, width):
    nginx, name = bed.nginx, bed.unique()
    with Tracer(bed) as tracer:
        done = in_batches(bed, [f"https://www.test:{TLS}/{name}-{number}?id={number}" for number in range(CURLS)], width)
        tracer.wait_url(f"/{name}-", count=CURLS)
        trace = tracer.stop()
    lines = nginx.wait_lines(CURLS)
    assert len([line for line in lines if line.uri.startswith(f"/{name}-")]) == CURLS
    wrong = []
    for url, pid in done:
        record = trace.one(url)
        if (record["pid"], record["comm"], record["outcome"], record["status"]) != (pid, "curl", "ok", 200):
            wrong.append(f"{url}: {record['pid']} (really {pid}) {record['comm']} {record['outcome']} {record['status']} {record['error']}")
        wrong += [f"{url}: {item}" for item in hooks.sequence(record, f"{COLD_TLS_NAME} PutIdleConn?")]
    assert not wrong, "\n".join(wrong)
    assert len(trace.matching(f"/{name}-")) == CURLS
    assert not [record for record in trace.records if record["pid"] in (nginx.master, *nginx.workers)], "nginx was reported as a client"


def test_no_server_is_reported_as_a_client(bed):
    """nginx and the Python server use the same libssl as the clients, and speak both schemes."""
    nginx, name = bed.nginx, bed.unique()
    servers = (nginx.master, *nginx.workers, bed.server.pid)
    urls = [
        f"{base}/{name}"
        for base in (
            f"http://127.0.0.1:{PLAIN}",
            f"https://localhost:{TLS}",
            f"http://127.0.0.1:{server.PLAIN}",
            f"https://localhost:{server.TLS}",
            f"http://[::1]:{server.PLAIN}",
        )
    ]
    with Tracer(bed) as tracer:
        in_batches(bed, urls * 3, 2)
        tracer.wait_url(f"/{name}", count=3 * len(urls))
        trace = tracer.stop()
    assert len(trace.matching(f"/{name}")) == 3 * len(urls)
    assert trace.of_pid(*servers) == []


def test_a_named_server_is_not_reported_either(bed):
    """-p on the servers themselves: nothing to tell."""
    nginx, name = bed.nginx, bed.unique()
    with Tracer(bed, "-p", ",".join(map(str, (nginx.master, *nginx.workers, bed.server.pid)))) as tracer:
        in_batches(
            bed, [f"https://localhost:{TLS}/{name}", f"https://localhost:{server.TLS}/{name}", f"http://127.0.0.1:{PLAIN}/{name}"] * 5, 2
        )
        bed.server.take(requests=5)
        trace = tracer.stop()
    assert trace.records == []


def test_a_proxy_is_a_client_of_its_upstream(bed):
    """nginx's accepted sockets are a server's, its own connection upstream is a client's: one request each."""
    nginx, name = bed.nginx, bed.unique()
    with Tracer(bed) as tracer:
        in_batches(bed, [f"http://127.0.0.1:{PLAIN}/proxy/{name}-{number}" for number in range(5)], 1)
        tracer.wait_url(f"{name}-", count=10)
        trace = tracer.stop()
    assert len(trace.matching(f":{PLAIN}/proxy/{name}-")) == 5
    upstream = [record for record in trace.matching(f"/{name}-") if "/proxy/" not in record["url"]]
    assert len(upstream) == 5
    assert {record["pid"] for record in upstream} <= set(nginx.workers) and {record["comm"] for record in upstream} == {"nginx"}
    assert {entry["target"] for entry in bed.server.take(requests=5)["requests"]} == {f"/{name}-{number}" for number in range(5)}


# What is said to a server of lines that greets first, over TCP and over TLS: nothing of it is an HTTP request.
NOT_HTTP = [
    ("mail", ["EHLO x\r\n", "MAIL FROM:<a@b>\r\n"]),
    ("a command that looks like HTTP", ["GET key\r\n"]),
    ("memcached", ["get key\r\n", "set a 0 0 5\r\nhello\r\n"]),
    ("redis", ["*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n"]),
    ("binary", ["\x00\x01\x02\xff\xfe\r\n"]),
    ("nearly HTTP", ["GET / HTTP/1.\r\n", "POST\r\n"]),
    ("another protocol's request line", ["OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"]),
]


@pytest.mark.parametrize("tls", [False, True], ids=["TCP", "TLS"])
@pytest.mark.parametrize("texts", [row[1] for row in NOT_HTTP], ids=[row[0] for row in NOT_HTTP])
def test_what_is_not_http_yields_no_request(bed, texts, tls):
    stepper, name = Stepper(bed), bed.unique()
    with Tracer(bed, "-p", str(stepper.pid)) as tracer:
        stepper("connect", "a", "localhost" if tls else "127.0.0.1", server.LINES_TLS if tls else server.LINES, {"tls": tls})
        stepper("read", "a", 15)
        for text in texts:
            stepper("send", "a", text)
            stepper("read", "a", 4 + len(text.split("\n", maxsplit=1)[0]) + 1)
        stepper("send", "a", "QUIT\r\n")
        stepper("eof", "a")
        stepper("close", "a")
        # Proof that the tracer was watching: a real request by the same process afterwards is seen.
        stepper("connect", "b", "127.0.0.1", server.PLAIN)
        stepper.get("b", f"/{name}")
        tracer.wait_url(f"/{name}")
        trace = tracer.stop()
    assert [record["url"] for record in trace.requests] == [f"http://127.0.0.1:8080/{name}"]


def test_openssl_command_is_no_http_client(bed):
    name = bed.unique()
    with Tracer(bed) as tracer:
        done = subprocess.run(
            ["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{server.LINES_TLS}"],
            input="GET x\nQUIT\n",
            text=True,
            capture_output=True,
            env=bed.env,
            timeout=20,
            check=False,
        )
        assert "221 bye" in done.stdout
        in_batches(bed, [f"http://127.0.0.1:{server.PLAIN}/{name}"], 1)
        tracer.wait_url(f"/{name}")
        trace = tracer.stop()
    assert not [record for record in trace.requests if record["comm"] == "openssl"]


def test_tracer_on_the_host_sees_into_the_namespaces(bed):
    """The tracer stays outside, clients and servers are in namespaces of their own, as with containers."""
    name = bed.unique()
    with Tracer(bed, host_namespaces=True) as tracer:
        done = in_batches(bed, [f"https://www.test:{server.TLS}/{name}"], 1)
        record = tracer.wait_url(f"/{name}")[0]
        tracer.stop()
    assert record["pid"] == done[0][1] and record["outcome"] == "ok"
    assert hooks.sequence(record, f"{COLD_TLS_NAME} PutIdleConn?") == []


def test_exit_is_no_put_idle(bed):
    """hooks.md 0a: a client that exits within 5 ms of its response puts nothing back. A busy machine delays some exits: most must hold."""
    name = bed.unique()
    with Tracer(bed) as tracer:
        in_batches(bed, [f"http://127.0.0.1:{server.PLAIN}/{name}-{number}" for number in range(20)], 1)
        tracer.wait_url(f"/{name}-", count=20)
        trace = tracer.stop()
    idle = [record["url"] for record in trace.matching(f"/{name}-") if hooks.find(record, "PutIdleConn")]
    assert len(idle) <= 5, f"PutIdleConn for {len(idle)} of 20 clients that exited"


def test_keep_alive_client_puts_idle(bed, stepper):
    """The other way round: a client that stays, does."""
    name = bed.unique()
    with Tracer(bed) as tracer:
        stepper("connect", "a", "127.0.0.1", server.PLAIN)
        for number in range(10):
            stepper.get("a", f"/{name}-{number}")
            tracer.wait_url(f"/{name}-{number}", timeout_s=3)
        trace = tracer.stop()
    assert all(hooks.find(record, "PutIdleConn") for record in trace.matching(f"/{name}-"))
    assert all(hooks.sequence(trace.one(f"/{name}-{number}"), f"{REUSED} PutIdleConn") == [] for number in range(1, 10))
