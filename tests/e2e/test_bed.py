# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The bed itself: the namespace isolates, DNS answers, the servers misbehave as asked. No tracer needed."""

import os
import socket
import struct

import pytest

from bed import dns, netns, server
from bed.nginx import PLAIN, TLS
from conftest import Stepper

H = f"http://127.0.0.1:{server.PLAIN}"
S = f"https://localhost:{server.TLS}"


def test_network_is_our_own(bed):
    assert os.readlink("/proc/self/ns/net") != f"net:[{os.fstat(bed.namespaces.host_net).st_ino}]"
    assert [name for _, name in socket.if_nameindex()][0] == "lo"
    assert open("/etc/resolv.conf", encoding="ascii").read().startswith("nameserver 127.0.0.1\n")
    theirs = bed.run(["cat", "/etc/resolv.conf"], preexec_fn=bed.namespaces.join_host).stdout
    assert not theirs.startswith("nameserver 127.0.0.1\nsearch .\n")


def test_tracer_would_find_what_it_needs():
    assert os.path.exists("/sys/kernel/btf/vmlinux")
    assert os.path.exists("/sys/fs/cgroup")
    assert os.readlink("/proc/self/exe")


@pytest.mark.parametrize("address, error", [(netns.UNREACHABLE, "Couldn't connect"), ("2600::1", "Couldn't connect")])
def test_no_way_out(bed, address, error):
    url = f"http://[{address}]/" if ":" in address else f"http://{address}/"
    done = bed.run(["curl", "-sS", "-m", "5", url])
    assert done.returncode == 7 and error in done.stderr


@pytest.mark.parametrize("address", [netns.BLACK_HOLE, netns.BLACK_HOLE6])
def test_black_holes_swallow(bed, address):
    host = f"[{address}]" if ":" in address else address
    assert bed.run(["curl", "-sS", "--connect-timeout", "0.2", f"http://{host}/"]).returncode == 28


NAMES = [
    ("www.test", [("127.0.0.1", socket.AF_INET)]),
    ("six.test", [("::1", socket.AF_INET6), ("127.0.0.1", socket.AF_INET)]),
    ("only6.test", [("::1", socket.AF_INET6)]),
    ("eyes.test", [(netns.BLACK_HOLE6, socket.AF_INET6), ("127.0.0.1", socket.AF_INET)]),
    ("many.test", [(address, socket.AF_INET) for address in netns.OTHERS4]),
]


@pytest.mark.parametrize("name, expected", NAMES, ids=[name for name, _ in NAMES])
def test_names_in_the_order_that_clients_get(bed, name, expected):
    found = socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)
    assert [(entry[4][0], entry[0]) for entry in found] == expected
    assert set(bed.dns.queries(name)) == {dns.A, dns.AAAA}


@pytest.mark.parametrize(
    "name, code", [("gone.test", socket.EAI_NONAME), ("broken.test", socket.EAI_AGAIN), ("mute.test", socket.EAI_AGAIN)]
)
def test_names_that_fail(bed, name, code):
    with pytest.raises(socket.gaierror) as caught:
        socket.getaddrinfo(name, 80)
    assert caught.value.errno == code


def test_dns_parser():
    packet = b"\1\2" + struct.pack("!HHHHH", 0x100, 1, 0, 0, 0) + b"\3www\4test\0" + struct.pack("!HH", dns.A, 1)
    reply, name, kind, delay_s = dns.answer(packet, dns.TABLE)
    assert (name, kind, delay_s) == ("www.test", dns.A, 0)
    assert reply[:2] == b"\1\2" and reply.endswith(bytes([127, 0, 0, 1]))
    assert dns.answer(packet, {})[0][3] & 15 == dns.NXDOMAIN


# why, path, curl's options, curl's exit status, its output, what the server says it did
BEHAVIOURS = [
    ("fixed length", "/?n=20", [], 0, "200 20", {"status": 200, "response_body_bytes": 20}),
    ("chunked with trailers", "/?n=2000&pieces=3&chunked=1&trailers=1", [], 0, "200 2000", {"response_body_bytes": 2000}),
    ("one byte a send", "/?n=9&split=1", [], 0, "200 9", {"response_body_bytes": 9}),
    ("no content", "/?status=204", [], 0, "204 0", {"response_body_bytes": 0}),
    ("not modified", "/?status=304", [], 0, "304 0", {"response_body_bytes": 0}),
    ("the end is the close", "/?n=30&nolen=1", [], 0, "200 30", {"response_body_bytes": 30}),
    ("HTTP/1.0", "/?n=3&http=1.0", [], 0, "200 3", {"status": 200}),
    ("close without a byte", "/?abort=0", [], 52, "000 0", {"status": None, "cut": 0}),
    ("close in the head", "/?abort=head", [], 0, "200 0", {"status": None}),  # curl takes half a head for a whole one
    ("close in the body", "/?n=1000&abort=body", [], 18, "200 500", {"status": 200}),
    ("reset without a byte", "/?rst=0", [], 56, "000 0", {"cut": 0}),
    ("reset in the body", "/?n=1000&rst=body", [], 56, "200 500", {"status": 200}),
    ("early hints", "/?interim=103", [], 0, "200 5", {"interim": [103]}),
    ("redirect", "/?to=/?n%3D7", ["-L"], 0, "200 7", {"status": 302}),
    ("a header of one's own", "/?hdr=X-A:b", [], 0, "200 5", {"status": 200}),
    ("slow body", "/?n=40&pieces=4&slow=0.02", [], 0, "200 40", {"response_body_bytes": 40}),
]


@pytest.mark.parametrize("base", [H, S], ids=["plain", "tls"])
@pytest.mark.parametrize("path, options, status, output, entry", [row[1:] for row in BEHAVIOURS], ids=[row[0] for row in BEHAVIOURS])
def test_server_behaves(bed, base, path, options, status, output, entry):
    done = bed.run(["curl", "-s", "-m", "10", "-o", "/dev/null", "-w", "%{http_code} %{size_download}", *options, base + path])
    served = bed.server.take(requests=1)["requests"][0]
    assert (done.stdout, done.returncode) == (output, status)
    assert {key: served[key] for key in entry} == entry
    assert served["tls"] == base.startswith("https")


def test_server_counts_bytes_as_on_the_wire(bed):
    stepper = Stepper(bed)
    stepper("connect", "a", "127.0.0.1", server.PLAIN)
    stepper("send", "a", "POST /?n=3 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n")
    assert stepper("response", "a")["status"] == 200
    entry = bed.server.take(requests=1)["requests"][0]
    assert (entry["head_bytes"], entry["body_bytes"], entry["wire_body_bytes"]) == (60, 3, 13)
    assert stepper.end() == 0


def test_server_upgrades_and_echoes(bed):
    stepper = Stepper(bed)
    stepper("connect", "a", "::1", server.PLAIN)
    assert stepper.get("a", "/?upgrade=echo", extra="Connection: Upgrade\r\nUpgrade: echo\r\n")["status"] == 101
    stepper("send", "a", "GET /not-a-request HTTP/1.1\r\n\r\n")
    assert stepper("read", "a", 31)["text"] == "GET /not-a-request HTTP/1.1\r\n\r\n"
    stepper("close", "a")
    taken = bed.server.take(connections=1)
    assert [entry["status"] for entry in taken["requests"]] == [101]


@pytest.mark.parametrize("how, error", [("close", None), ("rst", "ConnectionResetError")])
def test_server_ends_on_the_next_request(bed, how, error):
    process = bed.run(
        bed.steps(
            ["connect", "a", "127.0.0.1", server.PLAIN],
            ["send", "a", f"GET /?next={how} HTTP/1.1\r\n\r\n"],
            ["response", "a"],
            ["send", "a", "GET / HTTP/1.1\r\n\r\n"],
            ["response", "a"],
        )
    )
    last = process.stdout.splitlines()[-1]
    assert ("ConnectionResetError" in last) == bool(error) and ('"status": null' in last) == (error is None)
    assert [entry["cut"] for entry in bed.server.take(requests=2)["requests"]] == [None, 0]


def test_lines_are_not_http(bed, stepper):
    stepper("connect", "a", "127.0.0.1", server.LINES)
    stepper("send", "a", "GET key\r\nQUIT\r\n")
    assert "250 GET key\r\n221 bye" in stepper("read", "a", 15 + 13 + 9)["text"]


def test_nginx_serves_and_counts(bed):
    bed.nginx.lines()
    name = bed.unique()
    for url in (
        f"http://127.0.0.1:{PLAIN}/?id={name}",
        f"https://localhost:{TLS}/?id={name}",
        f"http://www.test/?id={name}",
        f"https://www.test/?id={name}",
        f"http://127.0.0.1:{PLAIN}/proxy/?n=4",
    ):
        done = bed.run(["curl", "-sS", "-m", "10", url])
        assert done.returncode == 0, done.stderr
    lines = bed.nginx.wait_lines(5)
    assert [line.https for line in lines] == [False, True, False, True, False]
    assert [line.uri for line in lines][:4] == [f"/?id={name}"] * 4
    assert len(bed.nginx.workers) == 2
    assert bed.server.take(requests=1)["requests"][0]["target"] == "/?n=4"


CLIENTS = [
    ("curl", lambda bed, url: ["curl", "-sS", url]),
    ("wget", lambda bed, url: ["wget", "-q", "-O", "-", url]),
    ("lwp", lambda bed, url: bed.script("lwp.pl", url)),
    *[
        (library, lambda bed, url, library=library: bed.script("fetch.py", library, url))
        for library in ("http.client", "urllib", "requests")
    ],
]


@pytest.mark.parametrize("base", [H, S], ids=["plain", "tls"])
@pytest.mark.parametrize("argv", [row[1] for row in CLIENTS], ids=[row[0] for row in CLIENTS])
def test_clients_reach_the_server(bed, argv, base):
    arguments = argv(bed, base + "/?n=11")
    if arguments[0] == "wget":
        arguments[1:1] = ["--ca-certificate", bed.certificates.ca]
    done = bed.run(arguments)
    assert done.returncode == 0, done.stderr
    assert bed.server.take(requests=1)["requests"][0]["target"] == "/?n=11"


def test_bad_certificate_is_bad_without_our_authority(bed):
    assert bed.run(["curl", "-sS", S], env=bed.distrusting).returncode == 60
