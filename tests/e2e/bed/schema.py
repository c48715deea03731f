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
GRPC_CODES = (
    "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED"
    " FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED"
).split()
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")
ENDPOINT = re.compile(r"\d+\.\d+\.\d+\.\d+:\d+|\[[0-9a-f:.]+\]:\d+|[/@].*")


def _headers(value):
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and (pair[1] is None or isinstance(pair[1], str))
        for pair in value
    )


def _strings(value):
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _values(value):
    """Of a header field; one that is not known is null, and the only one."""
    return _strings(value) or value == [None]


def one_of(what, *values):
    return lambda v: [] if v in values else [f"{what} {v!r}"]


TYPES = {
    "int": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "uint": lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= 0,
    "str": lambda v: isinstance(v, str),
    "bool": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "list": lambda v: isinstance(v, list),
    "strings": _strings,
    "values": _values,
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
    "ConnectStart": {"network": one_of("network", "tcp", "unix"), "addr": "str"},
    "ConnectDone": {"network": one_of("network", "tcp", "unix"), "addr": "str", "error": ("null", ERROR)},
    "TLSHandshakeStart": {},
    "TLSHandshakeDone": {
        "version": "str|null",
        "cipher": "str|null",
        "alpn": "str|null",
        "server_name": "str|null",
        "resumed": "bool|null",
        "error": ("null", ERROR),
    },
    "WroteHeaderField": {"key": "str", "values": "values"},
    "WroteHeaders": {},
    "Wait100Continue": {},
    "WroteRequest": {"error": ("null", ERROR)},
    "GotResponseHeaders": {"status": "uint|null"},
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
PROXY = {"type": one_of("type", None, "http", "https", "socks4", "socks5"), "address": "endpoint|null", "status": "uint|null"}
CONN = {
    "id": "str",
    "local": "endpoint|null",
    "remote": "str|null",
    "reused": "bool|null",
    "was_idle": "bool|null",
    "idle_ns": "uint|null",
    "request_index": "uint|null",
    "tls": ("null", TLS),
    "proxy": ("null", PROXY),
}
GRPC = {
    "service": "str|null",
    "method": "str|null",
    "status": one_of("status", None, *GRPC_CODES),
    "status_code": "uint|null",
    "message": "str|null",
    "messages_sent": "uint|null",
    "messages_received": "uint|null",
}
MESSAGE = {"headers": "headers|null", "header_bytes": "uint|null", "body_bytes": "uint|null"}
TIMINGS = {key: "uint|null" for key in ("blocked", "dns", "connect", "tls", "send", "wait", "receive", "total")}


def _hook(value):
    wrong = check(value, {"hook": "str", "mono_ns": "uint", "how": lambda v: [] if v in HOWS else [f"how {v!r}"], "args": "any"})
    if wrong:
        return wrong
    if value["hook"] not in HOOK_ARGS:
        return [f"unknown hook {value['hook']!r}"]
    wrong = check(value["args"], HOOK_ARGS[value["hook"]])
    if not wrong and value["args"].get("network") == "tcp":
        wrong = check(value["args"]["addr"], "endpoint", "addr")
    return [f"{value['hook']}: {item}" for item in wrong]


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
    "websocket": dict(
        COMMON,
        outcome=one_of("outcome", *OUTCOMES),
        url="str|null",
        http=one_of("http", None, "1.1", "2"),
        frames_sent="uint|null",
        frames_received="uint|null",
        close_code="uint|null",
        closed_by=one_of("closed_by", None, "client", "server", "reset"),
        conn=("null", CONN),
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
        "websockets": "uint",
    },
}
HAS_NOT = {
    "request": ("host_port", "frames_sent", "frames_received", "close_code", "closed_by"),
    "dial": ("method", "url", "http", "status", "request", "response", "grpc", "open", "frames_sent"),
    "websocket": ("method", "status", "request", "response", "grpc", "host_port"),
}


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


def _conn(value):
    """conn: what is there only for some."""
    conn, wrong = value["conn"], []
    if conn is None:
        return []
    # A Unix socket has no local name, and its path may be a relative one.
    if conn["remote"] is not None and conn["local"] is not None:
        wrong += check(conn["remote"], "endpoint", "conn.remote")
    stream = conn.get("stream_id")
    if "stream_id" in conn and (not TYPES["uint"](stream) or not stream):
        wrong.append(f"conn.stream_id: {stream!r} is no stream's")
    if value["type"] == "request" and (value["http"] == "2") != ("stream_id" in conn):
        wrong.append(f"http {value['http']!r} with conn.stream_id {stream!r}")
    if value["type"] == "dial" and "stream_id" in conn:
        wrong.append("a dial has no conn.stream_id")
    proxy = conn["proxy"]
    if proxy and proxy["status"] is not None and (proxy["type"] not in ("http", "https") or not 100 <= proxy["status"] <= 999):
        wrong.append(f"conn.proxy.status {proxy['status']} of {proxy['type']}")
    return wrong


def _fields(value):
    """Header fields whose values are not known, and pseudo-header fields."""
    wrong = []
    for side in ("request", "response"):
        message = value[side] or {"headers": None}
        if "headers_complete" in message and (message["headers_complete"] is not False or message["headers"] is None):
            wrong.append(f"{side}.headers_complete is {message['headers_complete']!r}")
        if "source" in message and (side != "request" or message["source"] != "nghttp2" or "headers_complete" in message or value["http"] != "2"):
            wrong.append(f"{side}.source is {message['source']!r}")
        for name, text in message["headers"] or []:
            if text is None and "headers_complete" not in message:
                wrong.append(f"{side}: {name} is not known, and headers_complete is not false")
            if name.startswith(":"):
                wrong.append(f"{side}.headers has the pseudo-header field {name}")
    if value["request"]["headers"] is not None and "headers_complete" not in value["request"]:
        for hook in value["hooks"]:
            if hook["hook"] == "WroteHeaderField" and None in hook["args"]["values"]:
                wrong.append(f"WroteHeaderField: {hook['args']['key']} is not known, and headers_complete is not false")
    return wrong


def _grpc(value):
    grpc, outcome, wrong = value.get("grpc"), value["outcome"], []
    if grpc is None:
        if "grpc" in value:
            wrong.append("grpc is null: a request that is not gRPC has no such key")
        return wrong + (["grpc_error without grpc"] if outcome == "grpc_error" else [])
    wrong += check(grpc, GRPC, "grpc")
    if wrong:
        return wrong
    code = grpc["status_code"]
    name = GRPC_CODES[code] if code is not None and code < len(GRPC_CODES) else None
    if grpc["status"] != name:
        wrong.append(f"grpc.status {grpc['status']} of code {code}")
    if outcome == "grpc_error" and not code:
        wrong.append(f"grpc_error with status {code}")
    if outcome == "grpc_error" and name and value["error"] and value["error"]["code"] != name:
        wrong.append(f"grpc_error {name} with error.code {value['error']['code']}")
    if outcome == "ok" and code:
        wrong.append(f"ok with grpc status {code}")
    return wrong


def _refused(value):
    """A CONNECT that the proxy refused is told by its status, and not as a method."""
    code = re.fullmatch(r"PROXY_(\d+)", value["error"]["code"]) if value["error"] else None
    if not code:
        return []
    proxy = value["conn"] and value["conn"]["proxy"]
    if value["outcome"] == "connect_error" and value["method"] is None and proxy and proxy["status"] == int(code[1]):
        return []
    return [f"{code[0]}: outcome {value['outcome']}, method {value['method']}, proxy {proxy}"]


def _ends(value):
    wrong = []
    if "open" in value and (value["open"] is not True or value["outcome"] != "incomplete"):
        wrong.append(f"open is {value['open']!r} with outcome {value['outcome']}")
    if (value["outcome"] in ("ok", "unused")) != (value["error"] is None):
        wrong.append(f"outcome {value['outcome']} with error {value['error']}")
    return wrong


def problems(value, fields=False):
    """Complaints about one parsed line. fields: -H was given."""
    shape = SHAPES.get(value.get("type"))
    if shape is None:
        return [f"unknown type {value.get('type')!r}"]
    wrong = check(value, shape)
    kind = value["type"]
    wrong += [f"a {kind} has no {key}" for key in HAS_NOT.get(kind, ()) if key in value]
    if kind in HAS_NOT and not wrong:
        wrong += _conn(value) + _ends(value)
    if kind == "request" and not wrong:
        wrong += _fields(value) + _grpc(value) + _refused(value)
    if kind in HAS_NOT and not wrong and not fields:
        if any(hook["hook"] == "WroteHeaderField" for hook in value["hooks"]):
            wrong.append("WroteHeaderField without -H")
        if any(hook["hook"] == "Got1xxResponse" and hook["args"]["headers"] is not None for hook in value["hooks"]):
            wrong.append("Got1xxResponse headers without -H")
        for side in ("request", "response"):
            if kind == "request" and value[side] and value[side]["headers"] is not None:
                wrong.append(f"{side}.headers without -H")
    return wrong
