# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""HTTPS requests written in all the ways in which the send inside a write is not all there is to it (clients/writes.c)."""

import pytest

from bed import nginx as nginx_bed
from bed.tracer import Tracer
from load import program

COUNT = 30
BODY_BYTES = {"post": 10000, "post-large": 100000, "nonblocking": 15000, "nonblocking-large": 300000, "partial": 300000, "signals": 15000}
WAYS = ["get", "get-ex", *BODY_BYTES, "buffered", "key-update", "threads", "bad-write"]


CASES = [(way, scope, "1.3") for way in WAYS for scope in ("pid", "system-wide")]
CASES += [(way, "pid", "1.2") for way in WAYS if way != "key-update"]  # RFC 8446, 4.6.3


@pytest.mark.parametrize("way, scope, version", CASES)
def test_every_write_is_reported(bed, way, scope, version):
    bed.nginx.lines()
    prefix = bed.unique()
    port = nginx_bed.LOAD_TLS if version == "1.3" else nginx_bed.TLS
    client = bed.start([program("writes"), "localhost", str(port), bed.certificates.ca, way, str(COUNT), prefix])
    assert client.stdout.readline() == "ready\n"
    with Tracer(bed, *(["-p", str(client.pid)] if scope == "pid" else [])) as tracer:
        client.stdin.write("go\n")
        client.stdin.close()
        assert client.wait(30) == 0
        tracer.wait_url(f"/{prefix}/{COUNT - 1}")
        trace = tracer.stop()
    ours = [record for record in trace.records if f"/{prefix}/" in (record["url"] or "") or record["pid"] == client.pid]
    assert [record["url"].rsplit("/", 2)[1:] for record in ours] == [[prefix, str(number)] for number in range(COUNT)]
    for record in ours:
        assert (record["outcome"], record["status"], record["lost"], record["pid"]) == ("ok", 200, 0, client.pid), record
        assert record["method"] == ("POST" if way in BODY_BYTES else "GET"), record
        assert record["request"]["body_bytes"] == BODY_BYTES.get(way, 0), record
        assert record["conn"]["tls"]["bound_by"] == "nested", record
    assert len({record["conn"]["id"] for record in ours}) == 1
    if version == "1.2":  # that server keeps a log
        local = int(ours[0]["conn"]["local"].rsplit(":", 1)[1])
        assert {line.port for line in bed.nginx.wait_lines(COUNT) if f"/{prefix}/" in line.uri} == {local}
