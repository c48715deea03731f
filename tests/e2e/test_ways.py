# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Proxies, upgrades, WebSockets: every scenario of scenarios_ways.py, untraced and then traced."""

import pytest

from scenarios_ways import ALL
from test_scenarios import keep, run_traced, run_untraced

IDS = [scenario.name for scenario in ALL]
assert len(set(IDS)) == len(IDS)


@pytest.mark.parametrize("scenario", ALL, ids=IDS)
def test_untraced(bed, scenario):
    run_untraced(bed, scenario)


@pytest.mark.parametrize("scenario", ALL, ids=IDS)
def test_traced(bed, scenario):
    run_traced(bed, scenario, *keep(scenario))
