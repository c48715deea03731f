# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Scenarios of what HTTP travels over and through: proxies, upgrades, WebSockets; hooks.md C13 to C13d and C21. test_ways.py runs them."""

import json
import os
import shutil

from bed import h2server, hooks, server
from bed.daemons import (
    DANTED,
    MICROSOCKS,
    MICROSOCKS_PASSWORD,
    NGHTTPX,
    PASSWORD,
    SOCKS4A,
    SQUID_ASKING,
    SQUID_TLS,
    TINYPROXY,
    USER,
    WEBSOCKET,
    WEBSOCKET_TLS,
)
from expect import ANY, COLD, COLD_TLS, COLD_TLS_NAME, DIAL, DNS, FIRST, KEPT, LAST, REUSED, SENT, TLS, Expect, OneOf
from scenario import CURL, CURL_TLS, H2, H2_TLS, TLS13, H, N, S, SN, Scenario, curl, dialled, fetch, script

HTTP_PROXY = f"127.0.0.1:{TINYPROXY}"
HTTPS_PROXY = f"www.test:{SQUID_TLS}"


def proxy(kind, port, status=None):
    return {"type": kind, "address": f"127.0.0.1:{port}", "status": status}


CONNECTED = proxy("http", TINYPROXY, 200)
FORWARDED = proxy("http", TINYPROXY)
REFUSED = f"GetConn {DIAL}"
TWICE = f"GetConn {DNS} {DIAL} {TLS} {TLS} GotConn {SENT} {FIRST}"


def proxied(name, needs, client, served, expect, through="tunnel", **more):
    return Scenario(name, client, served, expect, needs=(needs,), through=through, **more)


def turned_down(code, by, **more):
    """The report of a tunnel that its proxy refused."""
    facts = {"outcome": "connect_error", "phase": "connect", "code": code, "method": None, "status": None, "http": ANY, "proxy": by}
    return Expect(REFUSED, **facts, **more)


CONNECT = [
    proxied(
        "CONNECT",
        "tinyproxy",
        curl("-x", f"http://{HTTP_PROXY}", f"{S}/a?b"),
        ["GET 200"],
        [Expect(f"{COLD_TLS} {LAST}", tls=CURL_TLS, proxy=CONNECTED, host_port=HTTP_PROXY, url=f"{S}/a?b", args=dialled(HTTP_PROXY))],
        why="hooks.md 13: no hooks of its own; GetConn and ConnectStart are the proxy's, the URL the target's",
    ),
    proxied(
        "CONNECT to a name",
        "tinyproxy",
        curl("-x", f"http://{HTTP_PROXY}", SN),
        ["GET 200"],
        [Expect(f"{COLD_TLS} {LAST}", tls=dict(CURL_TLS, server_name="www.test"), proxy=CONNECTED, url=f"{SN}/")],
        why="nobody here looks the target up",
    ),
    proxied(
        "CONNECT by a proxy with a name",
        "tinyproxy",
        curl("-x", f"http://www.test:{TINYPROXY}", S),
        ["GET 200"],
        [
            Expect(
                f"{COLD_TLS_NAME} {LAST}",
                tls=CURL_TLS,
                proxy=CONNECTED,
                host_port=f"www.test:{TINYPROXY}",
                args=dialled(HTTP_PROXY, "www.test"),
            )
        ],
    ),
    proxied(
        "CONNECT, two requests",
        "tinyproxy",
        curl("-x", f"http://{HTTP_PROXY}", f"{S}/1", "-o", "/dev/null", f"{S}/2"),
        ["GET 200"] * 2,
        [
            Expect(f"{COLD_TLS} {KEPT}", tls=CURL_TLS, proxy=CONNECTED),
            Expect(f"{REUSED} {LAST}", tls=CURL_TLS, proxy=CONNECTED, reused=True, was_idle=True, host_port=HTTP_PROXY),
        ],
        same_connection=[0, 1],
        why="the tunnel is the connection's, not the request's",
    ),
    proxied(
        "CONNECT without TLS behind it",
        "tinyproxy",
        curl("-p", "-x", f"http://{HTTP_PROXY}", f"{H}/1", "-o", "/dev/null", f"{H}/2"),
        ["GET 200"] * 2,
        [
            Expect(f"{COLD} {KEPT}", proxy=CONNECTED, url=f"{H}/1"),
            Expect(f"{REUSED} {LAST}", proxy=CONNECTED, url=f"{H}/2", reused=True, was_idle=True),
        ],
        same_connection=[0, 1],
    ),
    proxied(
        "CONNECT, HTTP/2 behind it",
        "tinyproxy",
        curl("--http2", "-x", f"http://{HTTP_PROXY}", f"{H2}/1", "-o", "/dev/null", f"{H2}/2"),
        ["GET 200"] * 2,
        [
            Expect(COLD_TLS, tls=H2_TLS, http="2", proxy=CONNECTED),
            Expect(REUSED, tls=H2_TLS, http="2", proxy=CONNECTED, reused=True, was_idle=True),
        ],
        same_connection=[0, 1],
        server="h2",
    ),
    proxied(
        "CONNECT by requests",
        "tinyproxy",
        lambda bed: ["env", f"https_proxy=http://{HTTP_PROXY}", *fetch("requests", SN)(bed)],
        ["GET 200"],
        [Expect(f"{COLD_TLS} {LAST}", tls=dict(TLS13, alpn=ANY, server_name="www.test"), proxy=CONNECTED, url=f"{SN}/")],
    ),
    proxied(
        "CONNECT refused",
        "tinyproxy",
        curl("-x", f"http://{HTTP_PROXY}", f"https://localhost:{server.TLS_V4}/"),
        [],
        [
            turned_down(
                "PROXY_403", proxy("http", TINYPROXY, 403), url=f"localhost:{server.TLS_V4}", args={"ConnectDone": [{"error": None}]}
            )
        ],
        exit=56,
        why="hooks.md 13c: the dial ends there",
    ),
    proxied(
        "CONNECT, once more with credentials",
        "squid",
        curl("-x", f"http://{USER}:{PASSWORD}@127.0.0.1:{SQUID_ASKING}", "--proxy-anyauth", S),
        ["GET 200"],
        [Expect(f"{COLD_TLS} {LAST}", tls=CURL_TLS, proxy=proxy("http", SQUID_ASKING, 200), url=f"{S}/", args=dialled(f"127.0.0.1:{SQUID_ASKING}"))],
        why="a 407 that is followed by the same with credentials on the same connection is no failure",
    ),
    proxied(
        "CONNECT without the credentials that are asked for",
        "squid",
        curl("-x", f"http://127.0.0.1:{SQUID_ASKING}", S),
        [],
        [turned_down("PROXY_407", proxy("http", SQUID_ASKING, 407), url=f"localhost:{server.TLS}")],
        exit=56,
    ),
    proxied(
        "CONNECT that the proxy cannot make",
        "tinyproxy",
        curl("-x", f"http://{HTTP_PROXY}", f"https://nobody.test:{server.TLS}/"),
        [],
        [turned_down("PROXY_500", proxy("http", TINYPROXY, 500), url=f"nobody.test:{server.TLS}")],
        exit=56,
    ),
    Scenario(
        "a proxy that refuses the connection",
        curl("-x", "http://127.0.0.1:9", S),
        [],
        [Expect(REFUSED, type="dial", outcome="connect_error", phase="connect", code="ECONNREFUSED", proxy=None)],
        exit=7,
    ),
    proxied(
        "HTTPS proxy",
        "squid",
        lambda bed: [*CURL, "--proxy-cacert", bed.certificates.ca, "-x", f"https://{HTTPS_PROXY}", f"{S}/a"],
        ["GET 200"],
        [
            Expect(
                f"{TWICE} {LAST}",
                tls=dict(CURL_TLS, bound_by=ANY),
                proxy=proxy("https", SQUID_TLS, 200),
                host_port=HTTPS_PROXY,
                url=f"{S}/a",
            )
        ],
        why="hooks.md 13b: the proxy's handshake, then the target's",
    ),
    proxied(
        "HTTPS proxy, two requests, HTTP/2",
        "squid",
        lambda bed: [
            *CURL,
            "--http2",
            "--proxy-cacert",
            bed.certificates.ca,
            "-x",
            f"https://{HTTPS_PROXY}",
            f"{H2}/1",
            "-o",
            "/dev/null",
            f"{H2}/2",
        ],
        ["GET 200"] * 2,
        [
            Expect(
                TWICE,
                http="2",
                tls=dict(H2_TLS, bound_by=ANY),
                proxy=proxy("https", SQUID_TLS, 200),
            ),
            Expect(REUSED, http="2", tls=dict(H2_TLS, bound_by=ANY), proxy=proxy("https", SQUID_TLS, 200), reused=True, was_idle=True),
        ],
        same_connection=[0, 1],
        server="h2",
    ),
    proxied(
        "HTTPS proxy that refuses",
        "squid",
        lambda bed: [*CURL, "--proxy-cacert", bed.certificates.ca, "-x", f"https://{HTTPS_PROXY}", f"https://localhost:{server.TLS_V4}/"],
        [],
        [
            Expect(
                f"GetConn {DNS} {DIAL} {TLS}",
                outcome="connect_error",
                phase="connect",
                code="PROXY_403",
                method=None,
                status=None,
                http=ANY,
                tls={},
                proxy=proxy("https", SQUID_TLS, 403),
                url=f"localhost:{server.TLS_V4}",
            )
        ],
        exit=56,
    ),
]

THE_PROXYS = dict(CURL_TLS, alpn=ANY, server_name="www.test")
ABSOLUTE = [
    proxied(
        "absolute-form",
        "tinyproxy",
        curl("-x", f"http://{HTTP_PROXY}", f"{H}/a?b"),
        ["GET 200"],
        [Expect(f"{COLD} {LAST}", proxy=FORWARDED, host_port=HTTP_PROXY, url=f"{H}/a?b", args=dialled(HTTP_PROXY))],
        through="proxy",
        why="hooks.md 13d",
    ),
    proxied(
        "absolute-form, two targets on one connection",
        "tinyproxy",
        lambda bed: bed.steps(
            ["connect", "a", "127.0.0.1", TINYPROXY],
            ["send", "a", f"GET {H}/1 HTTP/1.1\r\nHost: 127.0.0.1:{server.PLAIN}\r\n\r\n"],
            ["response", "a"],
            ["close", "a"],
            ["connect", "a", "127.0.0.1", TINYPROXY],
            ["send", "a", f"GET {N}/2 HTTP/1.1\r\nHost: www.test:{server.PLAIN}\r\n\r\n"],
            ["response", "a"],
            ["close", "a"],
        ),
        ["GET 200"] * 2,
        [Expect(f"{COLD} {LAST}", proxy=FORWARDED, url=f"{H}/1"), Expect(f"{COLD} {LAST}", proxy=FORWARDED, url=f"{N}/2")],
        through="proxy",
    ),
    proxied(
        "absolute-form over TLS",
        "squid",
        lambda bed: [*CURL, "--proxy-cacert", bed.certificates.ca, "-x", f"https://{HTTPS_PROXY}", f"{H}/a", "-o", "/dev/null", f"{N}/b"],
        ["GET 200"] * 2,
        [
            Expect(f"{COLD_TLS_NAME} {KEPT}", tls=THE_PROXYS, proxy=proxy("https", SQUID_TLS), host_port=HTTPS_PROXY, url=f"{H}/a"),
            Expect(f"{REUSED} {LAST}", tls=THE_PROXYS, proxy=proxy("https", SQUID_TLS), url=f"{N}/b", reused=True, was_idle=True),
        ],
        same_connection=[0, 1],
        through="proxy",
        why="two targets on one connection",
    ),
    proxied(
        "absolute-form by urllib",
        "tinyproxy",
        lambda bed: ["env", f"http_proxy=http://{HTTP_PROXY}", *fetch("urllib", f"{N}/a")(bed)],
        ["GET 200"],
        [Expect(f"{COLD} {LAST}", proxy=FORWARDED, url=f"{N}/a", host_port=HTTP_PROXY)],
        through="proxy",
    ),
]


def socks(name, needs, port, options, url, tls=True, kind="socks5", **facts):
    return proxied(
        name,
        needs,
        curl(*options, url),
        ["GET 200"],
        [
            Expect(
                f"{COLD_TLS if tls else COLD} {LAST}",
                tls=dict(CURL_TLS, server_name=ANY) if tls else None,
                proxy=proxy(kind, port),
                url=f"{url}/",
                host_port=f"127.0.0.1:{port}",
                **facts,
            )
        ],
    )


SOCKS5 = f"127.0.0.1:{MICROSOCKS}"
SOCKS = [
    socks("SOCKS5", "microsocks", MICROSOCKS, ("--socks5", SOCKS5), S),
    # curl looks the target up when the proxy is connected: that is no part of the dial.
    socks("SOCKS5, the client looks the target up", "microsocks", MICROSOCKS, ("--socks5", SOCKS5), SN),
    socks("SOCKS5, the proxy looks the target up", "microsocks", MICROSOCKS, ("--socks5-hostname", SOCKS5), SN),
    socks("SOCKS5 without TLS", "microsocks", MICROSOCKS, ("--socks5-hostname", SOCKS5), N, tls=False),
    socks(
        "SOCKS5 with a password",
        "microsocks_password",
        MICROSOCKS_PASSWORD,
        ("--socks5-hostname", f"{USER}:{PASSWORD}@127.0.0.1:{MICROSOCKS_PASSWORD}"),
        SN,
    ),
    socks("SOCKS4", "danted", DANTED, ("--socks4", f"127.0.0.1:{DANTED}"), S, kind="socks4"),
    socks("SOCKS4 without TLS", "danted", DANTED, ("--socks4", f"127.0.0.1:{DANTED}"), H, kind="socks4", tls=False),
    socks("SOCKS4a", "socks4a", SOCKS4A, ("--socks4a", f"127.0.0.1:{SOCKS4A}"), SN, kind="socks4"),
    proxied(
        "SOCKS5, two requests, HTTP/2",
        "microsocks",
        curl("--http2", "--socks5-hostname", SOCKS5, f"{H2}/1", "-o", "/dev/null", f"{H2}/2"),
        ["GET 200"] * 2,
        [
            Expect(COLD_TLS, tls=H2_TLS, http="2", proxy=proxy("socks5", MICROSOCKS)),
            Expect(REUSED, tls=H2_TLS, http="2", proxy=proxy("socks5", MICROSOCKS), reused=True, was_idle=True),
        ],
        same_connection=[0, 1],
        server="h2",
    ),
    proxied(
        "SOCKS5 that refuses",
        "danted",
        curl("--socks5-hostname", f"127.0.0.1:{DANTED}", f"http://127.0.0.1:{server.REFUSED}/"),
        [],
        [turned_down("SOCKS_CONNECTION_REFUSED", proxy("socks5", DANTED), type="dial")],
        exit=97,
    ),
    proxied(
        "SOCKS4 that refuses",
        "socks4a",
        curl("--socks4a", f"127.0.0.1:{SOCKS4A}", f"https://www.test:{h2server.TLS}/"),
        [],
        [turned_down("SOCKS_REJECTED", proxy("socks4", SOCKS4A), type="dial")],
        exit=97,
    ),
]

WS = f"ws://localhost:{WEBSOCKET}"
WSS = f"wss://localhost:{WEBSOCKET_TLS}"
WS_DIAL = f"GetConn {DNS} ConnectStart ConnectDone? ConnectStart? ConnectDone GotConn {SENT} {FIRST}"
WS_DIAL_TLS = WS_DIAL.replace("GotConn", f"{TLS} GotConn")


def frames_are_the_clients(records, _served, run):
    told = json.loads(run.stdout.splitlines()[-1])
    report = run.of_type("websocket")[0]
    got = {"sent": report["frames_sent"], "received": report["frames_received"]}
    wrong = [f"{key} is {got[key]}, the client says {told[key]}" for key in got if got[key] != told[key]]
    if report["conn"]["id"] != records[0]["conn"]["id"]:
        wrong.append(f"connections {report['conn']['id']} and {records[0]['conn']['id']}")
    if [hook["args"]["status"] for hook in hooks.find(records[0], "GotResponseHeaders")] != [101]:
        wrong.append("no GotResponseHeaders with 101")
    return wrong


def websocket(name, path, options, tls=False, library="websockets", **facts):
    url = (WSS if tls else WS) + path
    told_url = url.replace("ws", "http", 1)  # as of the request that opened it
    told = {
        "url": told_url,
        "outcome": "ok",
        "closed_by": "client",
        "close_code": 1000,
        "http": "1.1",
        **facts,
    }
    return Scenario(
        name,
        script("ws.py", library, url, *options),
        [],
        [
            Expect(
                WS_DIAL_TLS if tls else WS_DIAL,
                status=101,
                tls={} if tls else None,
                url=told_url,
            )
        ],
        needs=("websocket",),
        through="unseen",
        websockets=[told],
        check=frames_are_the_clients,
    )


WEBSOCKETS = [
    websocket("websocket", "/echo", ["--send", "3"], close_code=1000),
    websocket("websocket over TLS", "/echo", ["--send", "3", "--ping", "2"], tls=True, library="websocket-client"),
    websocket(
        "websocket, pings, large messages",
        "/echo",
        ["--send", "5", "--ping", "3", "--size", "70000", "--plain", "--binary"],
        close_code=1000,
    ),
    websocket(
        "websocket, large messages over TLS", "/echo", ["--send", "4", "--size", "200000", "--plain"], tls=True, library="websocket-client"
    ),
    websocket("websocket, messages of 60 bytes", "/echo", ["--send", "40", "--size", "60", "--plain"]),
    websocket("websocket, a close code of the client's", "/echo", ["--send", "1", "--close", "4000"], close_code=4000),
    websocket(
        "websocket, closed by the server", "/close?code=4001", ["--send", "1", "--until-closed"], close_code=4001, closed_by="server"
    ),
    websocket("websocket, the server pushes", "/push?n=30&size=300", ["--send", "0", "--until-closed"], closed_by="server"),
    websocket(
        "websocket, the client goes without a word",
        "/echo",
        ["--send", "2", "--drop"],
        close_code=None,
        closed_by="client",
        outcome=OneOf("ok", "aborted"),
    ),
    websocket(
        "websocket, the server goes without a word",
        "/drop",
        ["--send", "1", "--until-closed"],
        close_code=None,
        closed_by=OneOf("server", "reset"),
        outcome=OneOf("closed", "reset"),
    ),
]

X = f"http://127.0.0.1:{NGHTTPX}"


def upgraded(**facts):
    return Expect(COLD, **{"http": "2", "stream_id": 1, **facts})


JAVA = """\
import java.net.URI;
import java.net.http.*;
public class Upgrading {
    public static void main(String[] urls) throws Exception {
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
        for (String url : urls) {
            HttpResponse<String> answer = client.send(HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString());
            System.out.println(answer.version() + " " + answer.statusCode());
        }
        System.exit(0);
    }
}
"""


def java(*urls):
    def client(bed):
        path = os.path.join(bed.folder, "Upgrading.java")
        with open(path, "w", encoding="ascii") as file:
            file.write(JAVA)
        return [shutil.which("java"), path, *urls]

    return client


UPGRADES = [
    proxied(
        "h2c upgrade",
        "nghttpx",
        curl("--http2", f"{X}/1?n=20"),
        ["GET 200"],
        [upgraded(url=f"{X}/1?n=20")],
        through="proxy",
        why="interface.md: GotFirstResponseByte at the 101, and the answer is stream 1's",
    ),
    proxied(
        "h2c upgrade, a second request",
        "nghttpx",
        curl("--http2", f"{X}/1", "-o", "/dev/null", f"{X}/2?n=3000"),
        ["GET 200"] * 2,
        [upgraded(), Expect(REUSED, http="2", reused=True, was_idle=True, stream_id=3)],
        same_connection=[0, 1],
        through="proxy",
    ),
    proxied(
        "h2c upgrade, slow answer",
        "nghttpx",
        curl("--http2", f"{X}/1?delay=0.15"),
        ["GET 200"],
        [upgraded(at_least_ms={"receive": 140}, at_most_ms={"wait": 100})],
        through="proxy",
    ),
    proxied("h2c upgrade by nghttp", "nghttpx", lambda bed: ["nghttp", "-nu", f"{X}/1"], ["GET 200"], [upgraded()], through="proxy"),
    Scenario(
        "h2c upgrade that the server ignores",
        curl("--http2", f"{H}/1", "-o", "/dev/null", f"{H}/2"),
        ["GET 200"] * 2,
        [Expect(f"{COLD} {KEPT}"), Expect(f"{REUSED} {LAST}", reused=True, was_idle=True)],
        same_connection=[0, 1],
        why="it stays HTTP/1.1",
    ),
]
if shutil.which("java"):
    UPGRADES.append(
        proxied(
            "h2c upgrade by Java",
            "nghttpx",
            java(f"{X}/1", f"{X}/2"),
            ["GET 200"] * 2,
            [upgraded(), Expect(REUSED, http="2", reused=True, was_idle=True, stream_id=3)],
            same_connection=[0, 1],
            through="proxy",
        )
    )


def wire_bytes(records, _served, run):
    got, told = [record["response"]["body_bytes"] for record in records], [int(line) for line in run.stdout.split()]
    return [] if got == told else [f"body_bytes {got}, curl says {told}"]


SIZES = ("-w", "%{size_download}\\n")
BODIES = [
    Scenario(
        "gzip over HTTP/1.1 and HTTP/2",
        curl(
            *SIZES,
            "-H",
            "Accept-Encoding: gzip",
            "--http1.1",
            "https://localhost:8543/gzip/one-megabyte",
            "--next",
            "-sS",
            "-o",
            "/dev/null",
            *SIZES,
            "-H",
            "Accept-Encoding: gzip",
            "--http2",
            "https://localhost:9443/gzip/one-megabyte",
        ),
        [],
        [Expect(f"{COLD_TLS} {LAST}", tls={}), Expect(COLD_TLS, http="2", tls={})],
        needs=("nginx",),
        through="unseen",
        check=wire_bytes,
        why="body_bytes are those before decoding; chunked framing is none of them",
    ),
    Scenario(
        "ranges",
        curl(
            *SIZES,
            "-r",
            "100-299",
            "http://127.0.0.1:8180/file/one-megabyte",
            "-r",
            "0-4,10-19",
            "-o",
            "/dev/null",
            "http://127.0.0.1:8180/file/one-megabyte",
        ),
        [],
        [Expect(f"{COLD} {KEPT}", status=206), Expect(f"{REUSED} {LAST}", status=206, reused=True, was_idle=True)],
        needs=("nginx",),
        through="unseen",
        check=wire_bytes,
    ),
    Scenario(
        "multipart",
        lambda bed: [*CURL, "-F", f"file=@{bed.payload(200_000)}", "-F", "x=y", H],
        ["POST 200"],
        [Expect(f"{COLD} {LAST}", method="POST")],
    ),
]

ALL = CONNECT + ABSOLUTE + SOCKS + WEBSOCKETS + UPGRADES + BODIES
