# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Every scenario of scenarios.py: untraced, so that a failure with the tracer is the tracer's; then traced, as httptrace-bpf -- CLIENT.

HTTPTRACE_KEEP=FOLDER keeps a capture of each traced one there: tests/replay/captures was made so. HTTPTRACE_SHARED=1 has one tracer for all of
them (bed/shared.py), instead of one for each.
"""

import os
import re

import pytest

from bed.tracer import trace_command
from expect import compare, compare_websocket, compare_with_server
from scenarios import ALL

IDS = [scenario.name for scenario in ALL]
assert len(set(IDS)) == len(IDS)


def prepare(bed, scenario):
    """Starts what the scenario needs; its server."""
    for name in scenario.needs:
        getattr(bed if name == "nginx" else bed.daemons, name)
    return getattr(bed if scenario.server in ("server", "h2") else bed.daemons, scenario.server)


def served(server, scenario):
    taken = server.take(requests=len(scenario.served))["requests"]
    return sorted(taken, key=lambda entry: (entry["head_ns"], entry["index"]))


def in_short(entries):
    return [None if entry.get("status") is None else f"{entry['method']} {entry['status']}" for entry in entries]


def exit_is_right(scenario, status):
    return status in scenario.exit if isinstance(scenario.exit, set) else scenario.exit == status


def keep(scenario):
    folder = os.environ.get("HTTPTRACE_KEEP")
    if not folder:
        return ()
    name = re.sub(r"[^A-Za-z0-9.]+", "-", scenario.name).strip("-").lower()
    return ("-w", os.path.join(folder, f"{name}.cap"))


def run_untraced(bed, scenario):
    server = prepare(bed, scenario)
    done = bed.run(scenario.client(bed), env=bed.env if scenario.trusting else bed.distrusting)
    assert exit_is_right(scenario, done.returncode), f"exit status {done.returncode}: {done.stdout} {done.stderr}"
    assert in_short(served(server, scenario)) == scenario.served


def run_traced(bed, scenario, *options):
    server = prepare(bed, scenario)
    env = bed.env if scenario.trusting else bed.distrusting
    if bed.shared:
        trace = bed.shared.trace(scenario.client(bed), env=env)
    else:
        trace = trace_command(bed, scenario.client(bed), *options, env=env)
    assert exit_is_right(scenario, trace.status), f"exit status {trace.status}: {trace.stdout} {trace.stderr}"
    entries = served(server, scenario)
    assert in_short(entries) == scenario.served
    records, wrong = trace.records, []
    if scenario.expect:
        if len(records) != len(scenario.expect):
            wrong.append(f"{len(records)} reports, expected {len(scenario.expect)}")
        for index, (expect, record) in enumerate(zip(scenario.expect, records)):
            wrong += [f"report {index} {record.get('url')}: {item}" for item in compare(expect, record)]
    if scenario.same_connection:
        ids = {records[index]["conn"]["id"] for index in scenario.same_connection if index < len(records)}
        if len(ids) != 1:
            wrong.append(f"reports {scenario.same_connection} are on connections {sorted(ids)}")
    websockets = sorted(trace.of_type("websocket"), key=lambda record: record["mono_ns"])
    if len(websockets) != len(scenario.websockets):
        wrong.append(f"{len(websockets)} websocket reports, expected {len(scenario.websockets)}")
    for wanted, record in zip(scenario.websockets, websockets):
        wrong += [f"websocket {record.get('url')}: {item}" for item in compare_websocket(wanted, record)]
    wrong += compare_with_server(trace.requests, entries, scenario.through)
    if scenario.check and not (scenario.expect and wrong):
        wrong += scenario.check(records, entries, trace)
    assert not wrong, "\n".join([scenario.why, *wrong, trace.stderr[-1500:], *trace.lines])
    trace.nothing_lost()
    if not bed.shared:
        assert trace.summary["requests"] == len(trace.requests) and trace.summary["dials"] == len(trace.dials)


@pytest.mark.parametrize("scenario", ALL, ids=IDS)
def test_untraced(bed, scenario):
    run_untraced(bed, scenario)


@pytest.mark.parametrize("scenario", ALL, ids=IDS)
def test_traced(bed, scenario):
    run_traced(bed, scenario, *keep(scenario))
