# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Rates: 20,000 requests/s into a callback that counts, 5,000/s into jsonl, both without a loss; flat out every loss is told."""

import json
from collections import Counter as Tally

import pytest

from bed.tracer import Trace, Tracer
from load import Counter, Loads, count_problems, cpu_s, figure, machine_rate, wrong_credits

CLIENTS = 8
SECONDS = 8
# A client that is late makes up for it; what the last requests may be late by is a busy machine's, not the tracer's.
LATE_S = 2


def note(name, loads, wanted, rate, flat_out, tracer_s):
    scaled = "" if rate == wanted else f" (scaled to half of what this machine reaches untraced, {flat_out:.0f}/s)"
    figure(f"{name}: requests/s without loss", round(loads.sent / loads.elapsed_s), "1/s", f">= {wanted * 0.99:.0f}{scaled}")
    figure(f"{name}: CPU of the tracer", round(tracer_s / loads.sent * 1e6, 2), "us/request", "")


@pytest.mark.parametrize("is_named", [True, False], ids=["by pid", "system-wide"])
def test_20000_a_second_are_counted(bed, is_named):
    wanted = 20000
    rate, flat_out = machine_rate(bed, CLIENTS, wanted)
    loads = Loads(bed, CLIENTS, rate=rate / CLIENTS, seconds=SECONDS)
    counter = Counter(bed, *(loads.pids if is_named else ()))
    loads.open()
    loads.run()
    used_s = cpu_s(counter.pid)
    loads.end()
    counted = counter.wait() if is_named else counter.stop()
    note(f"counting, {'by pid' if is_named else 'system-wide'}", loads, wanted, rate, flat_out, used_s)
    problems = count_problems(counted, loads)
    assert not problems, f"{len(problems)} problems: {problems[:10]}"
    assert loads.sent == int(rate / CLIENTS * SECONDS) * CLIENTS
    assert loads.elapsed_s < SECONDS + LATE_S, f"the pace was not kept: {loads.elapsed_s} s for {SECONDS}"


def read(path):
    """Every line parsed, which is what shows a garbled one; the checks of Trace, which cost a millisecond a line, on some."""
    objects = []
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    for line in lines:
        value = json.loads(line)
        assert value["v"] == 1 and value["type"] in ("request", "dial", "lost", "target", "summary"), line[:200]
        objects.append(value)
    return lines, objects


def check_some(lines, ended, every):
    Trace([*lines[:-1:every], lines[-1]], ended.status, ended.stderr)


def test_5000_a_second_into_jsonl(bed):
    wanted, path = 5000, bed.file("load.jsonl")
    rate, flat_out = machine_rate(bed, CLIENTS, wanted)
    loads = Loads(bed, CLIENTS, rate=rate / CLIENTS, seconds=SECONDS)
    with Tracer(bed, "-p", ",".join(map(str, loads.pids)), "-o", f"jsonl={path}", jsonl=False) as tracer:
        loads.open()
        loads.run()
        used_s = cpu_s(tracer.pid)
        loads.end()
        ended = tracer.wait_exit()
    note("jsonl", loads, wanted, rate, flat_out, used_s)
    lines, objects = read(path)
    requests, summary = [value for value in objects if value["type"] == "request"], objects[-1]
    assert not any(summary["lost"].values()), summary["lost"]
    assert len(requests) == loads.sent
    wrong = wrong_credits(requests, loads.truth())
    assert not wrong, f"{len(wrong)} wrong: {wrong[:10]}"
    assert not [value for value in requests if value["lost"]]
    assert Tally(value["conn"]["reused"] for value in requests) == {False: CLIENTS, True: len(requests) - CLIENTS}
    assert loads.elapsed_s < SECONDS + LATE_S, f"the pace was not kept: {loads.elapsed_s} s for {SECONDS}"
    check_some(lines, ended, 100)


@pytest.mark.parametrize("ring_bytes, seconds", [(None, 4), (16384, 2)], ids=["usual ring", "16 KiB ring"])
def test_flat_out_into_jsonl_tells_its_losses(bed, ring_bytes, seconds):
    """Perhaps more than can be written, or surely: what is reported is right, what is missing is told, and who was touched says so."""
    path = bed.file("flat-out.jsonl")
    loads = Loads(bed, CLIENTS, seconds=seconds, conns=4)
    options = ("--ring-size", str(ring_bytes)) if ring_bytes else ()
    with Tracer(bed, *options, "-o", f"jsonl={path}", jsonl=False) as tracer:
        loads.open()
        loads.run()
        loads.end()
        ended = tracer.stop()
    lines, objects = read(path)
    truth = loads.truth()
    ours = [value for value in objects if value["type"] == "request" and f"/{loads.prefix}-" in (value["url"] or f"/{loads.prefix}-")]
    summary, lost_cnt = objects[-1], sum(value["count"] for value in objects if value["type"] == "lost")
    assert lost_cnt == sum(summary["lost"].values()), f"told {lost_cnt}, summary {summary['lost']}"
    urls = {value["url"] for value in ours if value["url"] is not None}
    missing = len(truth) - len(urls)
    name = "jsonl flat out" + (f", ring of {ring_bytes} bytes" if ring_bytes else "")
    figure(f"{name}: requests/s made", round(loads.sent / loads.elapsed_s), "1/s", "")
    figure(f"{name}: reported", round(100 * len(urls) / len(truth), 2), "%", "")
    figure(f"{name}: events lost, and told", lost_cnt, "", "all")
    assert lost_cnt or not ring_bytes, "nothing was lost: this test proved nothing"
    assert 0 <= missing <= lost_cnt, f"{missing} requests are missing, {lost_cnt} events were lost"
    wrong = wrong_credits(ours, truth, is_lossy=lost_cnt > 0)
    assert not wrong, f"{len(wrong)} wrong: {wrong[:10]}"
    assert not missing or any(value["lost"] for value in ours) or not ours, "no request says that a loss touched it"
    check_some(lines, ended, 500)


def test_flat_out_counting_tells_its_losses(bed):
    loads = Loads(bed, CLIENTS, seconds=4, conns=4)
    counter = Counter(bed, *loads.pids)
    loads.open()
    loads.run()
    used_s = cpu_s(counter.pid)
    loads.end()
    counted = counter.wait()
    conns, lost_cnt = loads.conns(), sum(counted["lost"].values())
    rows = {(pid, local, path): (requests, missing, late) for pid, local, path, requests, missing, late in counted["rows"]}
    reported = sum(requests for requests, _, _ in rows.values())
    figure("counting flat out: requests/s made", round(loads.sent / loads.elapsed_s), "1/s", "")
    figure("counting flat out: reported", round(100 * reported / loads.sent, 2), "%", "")
    figure("counting flat out: events lost, and told", lost_cnt, "", "all")
    figure("counting flat out: CPU of the tracer", round(used_s / loads.sent * 1e6, 2), "us/request", "")
    assert set(rows) <= set(conns), f"nobody made requests as {list(set(rows) - set(conns))[:10]}"
    wrong = [(key, row, conns[key]) for key, row in rows.items() if row[0] > conns[key] or row[2]]
    assert not wrong, f"more requests than were made, or out of order: {wrong[:10]}"
    missing = loads.sent - reported
    assert 0 <= missing <= lost_cnt, f"{missing} requests are missing, {lost_cnt} events were lost"
    assert not missing or counted["touched"], "no request says that a loss touched it"
    if not lost_cnt:
        problems = count_problems(counted, loads)
        assert not problems, f"{len(problems)} problems: {problems[:10]}"
