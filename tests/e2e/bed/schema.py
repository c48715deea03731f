# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The JSON lines of interface.md: keys, types, what may be null. Keys may be added: unknown ones pass, missing ones and wrong types do not.

A shape is a dict of key: shape, or a string of types joined by | (int uint str bool null list headers error any), or a callable that
returns complaints. Every check returns a list of complaints.
"""

import json
import re

OUTCOMES = ("ok", "dns_error", "connect_error", "tls_error", "timeout", "reset", "closed", "aborted", "protocol_error", "incomplete")
PHASES = ("dns", "connect", "tls", "send", "wait", "receive")
HOWS = ("observed", "proxy", "inferred")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")
ENDPOINT = re.compile(r"\d+\.\d+\.\d+\.\d+:\d+|\[[0-9a-f:.]+\]:\d+|[/@].*")


def _headers(value):
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and (pair[1] is None or isinstance(pair[1], str))
        for pair in value
    )


def _strings(value):
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


TYPES = {
    "int": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "uint": lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= 0,
    "str": lambda v: isinstance(v, str),
    "bool": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "list": lambda v: isinstance(v, list),
    "strings": _strings,
    "headers": _headers,
    "endpoint": lambda v: isinstance(v, str) and bool(ENDPOINT.fullmatch(v)),
    "time": lambda v: isinstance(v, str) and bool(TIME.fullmatch(v)),
    "any": lambda v: True,
}

ERROR = {"code": "str", "message": "str"}
REQUEST_ERROR = {"phase": lambda v: [] if v in PHASES else [f"phase {v!r}"], "code": "str", "message": "str"}

HOOK_ARGS = {
    "GetConn": {"host_port": "str"},
    "GotConn": {"reused": "bool|null", "was_idle": "bool|null", "idle_ns": "uint|null"},
    "PutIdleConn": {"error": ("null", ERROR)},
    "GotFirstResponseByte": {},
    "Got100Continue": {},
    "Got1xxResponse": {"code": "uint", "headers": "headers|null"},
    "DNSStart": {"host": "str"},
    "DNSDone": {"addrs": "strings", "error": ("null", ERROR), "coalesced": "bool"},
    "ConnectStart": {"network": "str", "addr": "endpoint"},
    "ConnectDone": {"network": "str", "addr": "endpoint", "error": ("null", ERROR)},
    "TLSHandshakeStart": {},
    "TLSHandshakeDone": {
        "version": "str|null",
        "cipher": "str|null",
        "alpn": "str|null",
        "server_name": "str|null",
        "resumed": "bool|null",
        "error": ("null", ERROR),
    },
    "WroteHeaderField": {"key": "str", "values": "strings"},
    "WroteHeaders": {},
    "Wait100Continue": {},
    "WroteRequest": {"error": ("null", ERROR)},
    "GotResponseHeaders": {"status": "uint"},
    "GotBody": {"bytes": "uint"},
    "ConnClosed": {"by": lambda v: [] if v in ("client", "server", "reset") else [f"by {v!r}"]},
}

TLS = {
    "library": "str|null",
    "version": "str|null",
    "cipher": "str|null",
    "alpn": "str|null",
    "server_name": "str|null",
    "resumed": "bool|null",
    "bound_by": "str|null",
}
CONN = {
    "id": "str",
    "local": "endpoint|null",
    "remote": "endpoint|null",
    "reused": "bool|null",
    "was_idle": "bool|null",
    "idle_ns": "uint|null",
    "request_index": "uint|null",
    "tls": ("null", TLS),
}
MESSAGE = {"headers": "headers|null", "header_bytes": "uint|null", "body_bytes": "uint|null"}
TIMINGS = {key: "uint|null" for key in ("blocked", "dns", "connect", "tls", "send", "wait", "receive", "total")}


def _hook(value):
    wrong = check(value, {"hook": "str", "mono_ns": "uint", "how": lambda v: [] if v in HOWS else [f"how {v!r}"], "args": "any"})
    if wrong:
        return wrong
    if value["hook"] not in HOOK_ARGS:
        return [f"unknown hook {value['hook']!r}"]
    return [f"{value['hook']}: {item}" for item in check(value["args"], HOOK_ARGS[value["hook"]])]


def _hooks(value):
    if not isinstance(value, list):
        return ["hooks is not a list"]
    return [item for hook in value for item in _hook(hook)]


COMMON = {
    "type": "str",
    "v": lambda v: [] if v == 1 else [f"version {v!r}"],
    "time": "time",
    "mono_ns": "uint",
    "pid": "uint",
    "tid": "uint",
    "comm": "str|null",
    "exe": "str|null",
    "error": ("null", REQUEST_ERROR),
    "timings_ns": TIMINGS,
    "hooks": _hooks,
    "lost": "uint",
}

SHAPES = {
    "request": dict(
        COMMON,
        outcome=lambda v: [] if v in OUTCOMES + ("grpc_error",) else [f"outcome {v!r}"],
        method="str|null",
        url="str|null",
        http=lambda v: [] if v in (None, "1.0", "1.1", "2", "3") else [f"http {v!r}"],
        status="uint|null",
        conn=("null", CONN),
        request=MESSAGE,
        response=("null", MESSAGE),
    ),
    "dial": dict(
        COMMON, outcome=lambda v: [] if v in OUTCOMES + ("unused",) else [f"outcome {v!r}"], conn=("null", CONN), host_port="str|null"
    ),
    "lost": {"type": "str", "v": "uint", "count": "uint", "where": "str"},
    "target": {"type": "str", "v": "uint"},
    "summary": {
        "type": "str",
        "v": "uint",
        "requests": "uint",
        "dials": "uint",
        "events": "uint",
        "lost": lambda v: [] if isinstance(v, dict) and all(TYPES["uint"](n) for n in v.values()) else [f"summary.lost {v!r}"],
        "duration_ns": "uint",
    },
}
DIAL_HAS_NOT = ("method", "url", "http", "status", "request", "response")


def check(value, shape, path=""):
    if callable(shape):
        return [f"{path}: {item}" for item in shape(value)]
    if isinstance(shape, str):
        if any(TYPES[name](value) for name in shape.split("|")):
            return []
        return [f"{path}: {value!r} is not {shape}"]
    if isinstance(shape, tuple):
        return [] if value is None else check(value, shape[1], path)
    if not isinstance(value, dict):
        return [f"{path}: {value!r} is not an object"]
    wrong = []
    for key, inner in shape.items():
        where = f"{path}.{key}" if path else key
        wrong += check(value[key], inner, where) if key in value else [f"{where} is missing"]
    return wrong


def _no_duplicates(pairs):
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError(f"duplicate key in {keys}")
    return dict(pairs)


def parse(line):
    """The object of one line; ValueError says what is wrong with it as JSON or as a line of ours."""
    value = json.loads(line, object_pairs_hook=_no_duplicates)
    if not isinstance(value, dict) or next(iter(value), None) != "type":
        raise ValueError(f"type does not come first: {line[:80]!r}")
    return value


def problems(value, fields=False):
    """Complaints about one parsed line. fields: -H was given."""
    shape = SHAPES.get(value.get("type"))
    if shape is None:
        return [f"unknown type {value.get('type')!r}"]
    wrong = check(value, shape)
    if value["type"] == "dial":
        wrong += [f"a dial has no {key}" for key in DIAL_HAS_NOT if key in value]
    if value["type"] in ("request", "dial") and not wrong and not fields:
        if any(hook["hook"] == "WroteHeaderField" for hook in value["hooks"]):
            wrong.append("WroteHeaderField without -H")
        if any(hook["hook"] == "Got1xxResponse" and hook["args"]["headers"] is not None for hook in value["hooks"]):
            wrong.append("Got1xxResponse headers without -H")
        for side in ("request", "response"):
            if value["type"] == "request" and value[side] and value[side]["headers"] is not None:
                wrong.append(f"{side}.headers without -H")
    return wrong
