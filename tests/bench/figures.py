# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Figures that tests measured, for the report: a file of JSON lines, which tests append to where $HTTPTRACE_FIGURES names one.

    {"name": "requests/s without loss", "value": 21500, "unit": "requests/s", "wanted": ">= 20000"}

wanted: "<= N", ">= N", "< N", "> N" or "N", which is judged; anything else is only shown. The last line of a name counts.
"""
import json
import operator
import re

from common import Failure
from report import table

RELATIONS = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "": operator.eq}


def verdict(value, wanted):
    match = re.fullmatch(r"(<=|>=|<|>|)\s*([-+]?[\d,_]*\.?\d+)(?:\s.*)?", str(wanted).strip())
    if not match or not isinstance(value, (int, float)):
        return ""
    return "holds" if RELATIONS[match[1]](value, float(re.sub("[,_]", "", match[2]))) else "does not hold"


def shown(value):
    if isinstance(value, int) or not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def figure_lines(path):
    figures = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            figure = json.loads(line)
            figures.pop(figure["name"], None)
            figures[figure["name"]] = figure
            figure["value"]
        except (ValueError, KeyError, TypeError) as error:
            raise Failure(f"{path}, line {number}: not a figure: {error}") from None
    return table(["figure", "value", "unit", "wanted", ""],
                 [[name, shown(f["value"]), f.get("unit", ""), f.get("wanted", ""), verdict(f["value"], f.get("wanted", ""))]
                  for name, f in figures.items()])
