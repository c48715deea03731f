# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The grammar of hook sequences, the happens-before edges that hold for every request, and the timings that follow from hooks.

Every function returns a list of complaints, empty if all is well: a test shows them all at once.
"""

import itertools
import re

GO_HOOKS = (
    "GetConn",
    "DNSStart",
    "DNSDone",
    "ConnectStart",
    "ConnectDone",
    "TLSHandshakeStart",
    "TLSHandshakeDone",
    "GotConn",
    "WroteHeaderField",
    "WroteHeaders",
    "Wait100Continue",
    "WroteRequest",
    "GotFirstResponseByte",
    "Got100Continue",
    "Got1xxResponse",
    "PutIdleConn",
)
EXT_HOOKS = ("GotResponseHeaders", "GotBody", "ConnClosed")


def names(record, ext=False, fields=False):
    """Hook names in the order reported; without our own hooks unless ext, without WroteHeaderField unless fields."""
    return [hook["hook"] for hook in record["hooks"] if (ext or not hook.get("ext")) and (fields or hook["hook"] != "WroteHeaderField")]


def find(record, name):
    return [hook for hook in record["hooks"] if hook["hook"] == name]


def one(record, name):
    found = find(record, name)
    assert len(found) == 1, f"{name} is there {len(found)} times in {names(record, ext=True)}"
    return found[0]


def sequence_regex(pattern):
    """A B: in this order. {A B}: in any order. A?: may be missing. A+: once or more."""
    out = []
    for token in re.findall(r"\{[^}]*\}|\S+", pattern):
        if token.startswith("{"):
            members = token[1:-1].split()
            out.append("(?:" + "|".join("".join(f"{name} " for name in order) for order in itertools.permutations(members)) + ")")
        elif token[-1] in "?+":
            out.append(f"(?:{token[:-1]} ){token[-1]}")
        else:
            out.append(f"{token} ")
    return re.compile("".join(out))


def sequence(record, pattern, **which):
    got = names(record, **which)
    if sequence_regex(pattern).fullmatch("".join(f"{name} " for name in got)):
        return []
    return [f"hooks: expected  {pattern}\n       got       {' '.join(got)}"]


# hooks.md A2: pairs that are ordered in time within one attempt, given by name. ConnectStart and ConnectDone pair by address: below.
EDGES = (
    ("GetConn", "GotConn"),
    ("GetConn", "DNSStart"),
    ("GetConn", "ConnectStart"),
    ("DNSStart", "DNSDone"),
    ("DNSDone", "ConnectStart"),
    ("TLSHandshakeDone", "GotConn"),
    ("GotConn", "WroteHeaderField"),
    ("GotConn", "WroteHeaders"),
    ("WroteHeaderField", "WroteHeaders"),
    ("WroteHeaders", "Wait100Continue"),
    ("WroteHeaders", "WroteRequest"),
    ("Wait100Continue", "WroteRequest"),
    ("GotFirstResponseByte", "Got100Continue"),
    ("GotFirstResponseByte", "Got1xxResponse"),
    ("GotFirstResponseByte", "PutIdleConn"),
    ("Got1xxResponse", "PutIdleConn"),
    ("Got100Continue", "PutIdleConn"),
    ("WroteRequest", "PutIdleConn"),
    ("GotFirstResponseByte", "GotResponseHeaders"),
    ("GotResponseHeaders", "GotBody"),
)


def attempts(record):
    """The hooks of each attempt: a retry starts with GetConn again."""
    parts = []
    for hook in record["hooks"]:
        if not parts or (hook["hook"] == "GetConn" and any(earlier["hook"] == "GetConn" for earlier in parts[-1])):
            parts.append([])
        parts[-1].append(hook)
    return parts


def winner(hooks):
    """The successful ConnectDone that the request went on with: the first."""
    return next((hook for hook in hooks if hook["hook"] == "ConnectDone" and hook["args"]["error"] is None), None)


def inversions(record):
    """Pairs of A2's happens-before set that are the wrong way round, in time or in the list."""
    wrong = []

    def ordered(first, second, what):
        if first["mono_ns"] > second["mono_ns"]:
            wrong.append(f"inversion: {what}: {first['hook']} is {first['mono_ns'] - second['mono_ns']} ns later than {second['hook']}")

    for hooks in attempts(record):
        by_name = {}
        for index, hook in enumerate(hooks):
            by_name.setdefault(hook["hook"], []).append((index, hook))
        for before, after in EDGES:
            # 8d: a body that was deliberately not sent; the hooks of waiting are unordered then
            if (before, after) == ("Wait100Continue", "WroteRequest") and any(h["args"]["error"] for _, h in by_name.get(after, [])):
                continue
            if before in by_name and after in by_name:
                last, first = max(by_name[before], key=lambda at: at[1]["mono_ns"]), min(by_name[after], key=lambda at: at[1]["mono_ns"])
                ordered(last[1], first[1], "A2")
                if by_name[before][-1][0] > by_name[after][0][0]:
                    wrong.append(f"inversion: {before} is listed after {after}")
        starts = [hook for hook in hooks if hook["hook"] == "ConnectStart"]
        for done in (hook for hook in hooks if hook["hook"] == "ConnectDone"):
            own = [start for start in starts if start["args"]["addr"] == done["args"]["addr"]]
            if not own:
                wrong.append(f"ConnectDone {done['args']['addr']} without its ConnectStart")
            else:
                ordered(own[0], done, done["args"]["addr"])
        # An HTTPS proxy has a handshake of its own, and the target another one behind it.
        shakes = [hook for hook in hooks if hook["hook"].startswith("TLSHandshake")]
        for before, after in zip(shakes, shakes[1:]):
            ordered(before, after, "handshakes")
        if [hook["hook"] for hook in shakes] != ["TLSHandshakeStart", "TLSHandshakeDone"] * (len(shakes) // 2) + ["TLSHandshakeStart"] * (
            len(shakes) % 2
        ):
            wrong.append(f"inversion: handshakes {[hook['hook'] for hook in shakes]}")
        won = winner(hooks)
        if won:
            for name in ("TLSHandshakeStart", "GotConn"):
                if name in by_name:
                    ordered(won, by_name[name][0][1], "winner")
    return wrong


def _first(hooks, name):
    return next((hook["mono_ns"] for hook in hooks if hook["hook"] == name), None)


def _minus(later, earlier):
    return None if later is None or earlier is None else later - earlier


def timings(record):
    """interface.md, timings_ns: each value is the difference of two hooks, or null if one of them did not happen."""
    wrong, got, hooks = [], record["timings_ns"], attempts(record)[-1] if record["hooks"] else []
    won = winner(hooks)
    get_conn, got_conn = _first(hooks, "GetConn"), _first(hooks, "GotConn")
    wrote, first_byte = _first(hooks, "WroteRequest"), _first(hooks, "GotFirstResponseByte")
    wait = _minus(first_byte, wrote)
    expected = {
        "dns": _minus(_first(hooks, "DNSDone"), _first(hooks, "DNSStart")),
        "connect": _minus(won["mono_ns"] if won else None, _first(hooks, "ConnectStart")),
        "tls": _minus(_first(hooks, "TLSHandshakeDone"), _first(hooks, "TLSHandshakeStart")),
        "send": _minus(wrote, got_conn),
        "wait": None if wait is None else max(0, wait),
    }
    # Two handshakes, a proxy's and the target's: the time that they took, without the CONNECT between them.
    shakes = [hook["mono_ns"] for hook in hooks if hook["hook"].startswith("TLSHandshake")]
    if len(shakes) == 4:
        expected["tls"] = shakes[1] - shakes[0] + shakes[3] - shakes[2]
    ok = record["outcome"] == "ok"
    for key, value in expected.items():
        # A phase that failed in the middle has an end that no hook names: null or the time up to the failure, both are true.
        if got[key] != value and (ok or (got[key] is not None and value is not None)):
            wrong.append(f"timings_ns.{key} is {got[key]}, by the hooks {value}")
    between = _minus(got_conn, get_conn)
    if between is not None:
        rest = between - sum(expected[key] or 0 for key in ("dns", "connect", "tls"))
        if got["blocked"] != (rest or None) and not (won is None and expected["dns"] is None):
            wrong.append(f"timings_ns.blocked is {got['blocked']}, between GetConn and GotConn is {rest} beside dns, connect and tls")
    if ok:
        last = get_conn + got["total"] if got["total"] is not None and get_conn is not None else None
        if last is None:
            wrong.append("timings_ns.total is missing in a request that is ok")
        elif first_byte is not None and got["receive"] is not None and first_byte + got["receive"] != last:
            wrong.append(f"timings_ns: first byte + receive is {first_byte + got['receive'] - last} ns off GetConn + total")
        for idle in (hook for hook in hooks if hook["hook"] == "PutIdleConn" and hook["how"] == "inferred"):
            if last is not None and idle["mono_ns"] != last:
                wrong.append(f"inferred PutIdleConn is {idle['mono_ns'] - last} ns off the response's end")
        if got["receive"] is None:
            wrong.append("timings_ns.receive is missing in a request that is ok")
    for key, value in got.items():
        if value is not None and value < 0:
            wrong.append(f"timings_ns.{key} is negative: {value}")
    return wrong


def agreement(record):
    """The arguments of hooks agree with the record's own keys and with each other."""
    wrong = []

    def same(what, left, right):
        if left != right:
            wrong.append(f"{what}: {left!r} is not {right!r}")

    if record["hooks"]:
        same("mono_ns and the first hook's", record["mono_ns"], min(hook["mono_ns"] for hook in record["hooks"]))
    conn = record.get("conn")
    shaken = next((hook for hook in reversed(record["hooks"]) if hook["hook"] == "TLSHandshakeDone"), None)  # before it: the proxy's
    for hook in record["hooks"]:
        args, name = hook["args"], hook["hook"]
        if bool(hook.get("ext")) != (name in EXT_HOOKS):
            wrong.append(f"{name}: ext is {hook.get('ext')}")
        if name in ("GetConn", "GotConn") and hook["how"] == "observed":
            wrong.append(f"{name} is marked observed; from outside it is inferred")
        if name == "GotConn" and conn:
            for key in ("reused", "was_idle", "idle_ns"):
                same(f"GotConn {key} and conn.{key}", args[key], conn[key])
        if name == "TLSHandshakeDone" and hook is shaken and conn and conn["tls"] and args["error"] is None:
            for key in ("version", "cipher", "alpn", "server_name", "resumed"):
                same(f"TLSHandshakeDone {key} and conn.tls.{key}", args[key], conn["tls"][key])
        if name == "GotResponseHeaders":
            same("GotResponseHeaders and status", args["status"], record.get("status"))
    if conn and record["outcome"] == "ok":
        won = winner(attempts(record)[-1])
        if won:
            same("the winner's address and conn.remote", won["args"]["addr"], conn["remote"])
            same("conn.reused of an own dial", conn["reused"], False)
        elif conn["reused"] is False:
            wrong.append("conn.reused is false and no ConnectDone says who connected")
        if conn["reused"] is False and (conn["was_idle"] or conn["idle_ns"] is not None):
            wrong.append("a fresh connection was idle")
    if (record["outcome"] in ("ok", "unused")) != (record["error"] is None):
        wrong.append(f"outcome {record['outcome']} with error {record['error']}")
    return wrong


def problems(record):
    return inversions(record) + timings(record) + agreement(record)
