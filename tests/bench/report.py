# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Tables in Markdown whose columns are aligned, so that they read well in a terminal, too; and the numbers in them."""
import statistics


def median(values, form="{:.2f}"):
    return form.format(statistics.median(values)) if values else "-"


def spread(values, form="{:+.2f}"):
    return f"{form.format(min(values))} .. {form.format(max(values))}" if values else "-"


def table(head, rows):
    """Lines; the first column to the left, all others to the right."""
    widths = [max(len(str(row[n])) for row in [head, *rows]) for n in range(len(head))]

    def line(cells):
        cells = [str(cell).ljust(width) if n == 0 else str(cell).rjust(width) for n, (cell, width) in enumerate(zip(cells, widths))]
        return "| " + " | ".join(cells) + " |"

    rule = "|" + "|".join("-" * (width + 2) if n == 0 else "-" * (width + 1) + ":" for n, width in enumerate(widths)) + "|"
    return [line(head), rule, *map(line, rows)]
