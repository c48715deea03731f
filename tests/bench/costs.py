# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What the measured series say: the tables of costs, and the ratios that are wanted, each with whether it holds."""
import statistics

from measure import NOT_ASKED_FOR, Measurement
from report import median, spread, table
from tracers import ROWS

UNTRACED = Measurement.UNTRACED
TITLES = {
    "clear": "A keep-alive request in the clear",
    "tls": "A keep-alive request over TLS: OpenSSL with an fd BIO, `SSL_write` and `SSL_read`",
    "tls_ex": "The same by `SSL_write_ex` and `SSL_read_ex`, as Python calls them",
    "tls_h2": "The same by HTTP/2: one stream after another, by libnghttp2",
    "work": "A process without sockets: a file and a pipe read and written, and something to compute",
}


def floor(series, name, way):
    """Client CPU that a row added, us: the least of all rounds less the least of all untraced ones. Neighbours on a shared machine only ever add."""
    return min(series[name, way].cpu) - min(series[UNTRACED, way].cpu)


def cost_row(series, name, way):
    row = series[name, way]
    if not row.wall:
        return [name, "not measured", *["-"] * 8]
    return [name, median(row.wall), median(row.added_wall, "{:+.2f}"), median(row.ratio), f"{floor(series, name, way):+.2f}",
            median(row.added_cpu, "{:+.2f}"), spread(row.added_cpu), median(row.cpu_ratio, "{:.3f}"), median(row.tracer_cpu), median(row.seen, "{:.1%}")]


def cost_tables(series):
    lines = []
    for way, title in TITLES.items():
        rows = [cost_row(series, name, way) for name in (UNTRACED, *ROWS)
                if (name, way) in series and series[name, way].failure != NOT_ASKED_FOR]
        head = ["us" if way == "work" else "us a request", "as waited", "added", "x untraced", "client CPU added at least", "median", "min .. max",
                "x untraced", "tracer CPU", "seen"]
        lines += [f"### {title}", "", *table(head, rows), ""]
        for name in ROWS:
            row = series.get((name, way))
            if row and row.failure and row.failure != NOT_ASKED_FOR:
                lines += [f"{name}: {row.failures if row.wall else 'all'} rounds not measured: {row.failure}", ""]
    return lines


class Wanted:
    """One line of what is wanted: a figure of all rounds, which is judged, and one for each round."""

    def __init__(self, what, bound, figure, figures, holds, form="{:.2f}", reason=None):
        self.what, self.bound, self.figure, self.figures, self.holds, self.form, self.reason = what, bound, figure, figures, holds, form, reason

    def row(self):
        if not self.figures:
            return [self.what, self.bound, "-", "-", "-", f"not measured: {self.reason}"]
        verdict = "" if self.holds is None else "holds" if self.holds(self.figure) else "does not hold"
        return [self.what, self.bound, self.form.format(self.figure), median(self.figures, self.form), spread(self.figures, self.form), verdict]


def pairs(one, other):
    """The client CPU that two rows added in the same rounds."""
    of_other = dict(zip(other.rounds, other.added_cpu))
    return [(added, of_other[number]) for number, added in zip(one.rounds, one.added_cpu) if number in of_other]


def wanted_lines(series):
    def ready(*keys):
        failed = [key for key in keys if not series[key].wall]
        return None if not failed else failed[0][0]

    def fraction(what, ours, theirs, way, parts):
        reason = ready((ours, way), (theirs, way))
        figures = [] if reason else [a / b for a, b in pairs(series[ours, way], series[theirs, way]) if b > 0]
        bound = f"<= 1/{parts} = {1 / parts:.3f}" if parts > 1 else "<= 1"
        figure = floor(series, ours, way) / floor(series, theirs, way) if figures else 0
        return Wanted(what, bound, figure, figures, lambda value: value <= 1 / parts, "{:.3f}", reason or "nothing was added that could be compared")

    def same_by_ex(name):
        reason = ready((name, "tls"), (name, "tls_ex"))
        plain, by_ex = series[name, "tls"], series[name, "tls_ex"]
        figures = [] if reason else [b - a for a, b in pairs(plain, by_ex)]
        figure = floor(series, name, "tls_ex") - floor(series, name, "tls") if figures else 0
        # Rounds that disagree about the sign, or a difference that is a tenth of what is added, and at least 0.1 us.
        noise = max(0.1, abs(statistics.median(plain.added_cpu)) / 10) if figures else 0
        return Wanted(f"`_ex` forms less plain ones, {name}, us", f"0 within the rounds, or +-{noise:.2f}", figure, figures,
                      lambda value: min(figures) <= 0 <= max(figures) or abs(value) <= noise, "{:+.2f}", reason)

    def no_slower(name):
        reason = ready((name, "work"))
        figures = [] if reason else series[name, "work"].cpu_ratio
        figure = 1 + floor(series, name, "work") / min(series[UNTRACED, "work"].cpu) if figures else 0
        return Wanted(f"no sockets: x untraced, {name}", "1.00 +- 0.01", figure, figures, lambda value: abs(value - 1) <= 0.01, "{:.3f}", reason)

    def of_http1(name):
        """The tracer's CPU for a request of HTTP/2, in parts of HTTP/1.1's, both over TLS."""
        reason = ready((name, "tls"), (name, "tls_h2"))
        one, two = series[name, "tls"], series[name, "tls_h2"]
        of_one = dict(zip(one.rounds, one.tracer_cpu))
        figures = [] if reason else [cpu / of_one[number] for number, cpu in zip(two.rounds, two.tracer_cpu) if number in of_one]
        figure = min(two.tracer_cpu) / min(one.tracer_cpu) if figures else 0
        return Wanted(f"HTTP/2: the tracer's CPU of HTTP/1.1's, {name}", "<= 2", figure, figures, lambda value: value <= 2, "{:.2f}", reason)

    def added_to_http1(name):
        """Client CPU that a request of HTTP/2 has added, in parts of what one of HTTP/1.1 has."""
        reason = ready((name, "tls"), (name, "tls_h2"))
        one, two = series[name, "tls"], series[name, "tls_h2"]
        of_one = dict(zip(one.rounds, one.added_cpu))
        figures = [] if reason else [b / of_one[number] for number, b in zip(two.rounds, two.added_cpu) if of_one.get(number, 0) > 0]
        figure = floor(series, name, "tls_h2") / floor(series, name, "tls") if figures else 0
        return Wanted(f"HTTP/2: added, of what HTTP/1.1 has added, {name}", "told", figure, figures, None, "{:.2f}", reason)

    ours, all_ours = "httptrace-bpf -p", "httptrace-bpf"
    clear_reason = ready((ours, "clear"))
    lines = [
        fraction("TLS, -p: of the same at the public entries", ours, "httptrace-bpf -p --probe-sites entry", "tls", 10),
        fraction("TLS, -p: of bpftrace", ours, "bpftrace -p", "tls", 12),
        fraction("TLS, -p: of sslsniff", ours, "sslsniff -p", "tls", 12),
        fraction("TLS, system-wide: of bpftrace", all_ours, "bpftrace", "tls", 12),
        fraction("TLS, system-wide: of sslsniff", all_ours, "sslsniff", "tls", 12),
        Wanted("in the clear, -p, us", "<= 1.00", 0 if clear_reason else floor(series, ours, "clear"),
               [] if clear_reason else series[ours, "clear"].added_cpu, lambda value: value <= 1, "{:+.2f}", clear_reason),
        fraction("in the clear, -p: of tcpdump", ours, "tcpdump -i lo -w FILE", "clear", 1),
        same_by_ex(ours),
        same_by_ex(all_ours),
        *(line(name) for name in (ours, all_ours) for line in (of_http1, added_to_http1)),
        no_slower(ours),
        no_slower(all_ours),
    ]
    return table(["client CPU added", "wanted", "at least", "median", "min .. max", ""], [line.row() for line in lines])
