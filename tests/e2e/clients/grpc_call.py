#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Calls of a gRPC server by grpcio, one after another on one channel: grpc_call.py HOST:PORT CALL...

A call is METHOD:MESSAGE[:COUNT[:DEADLINE]], METHOD one of grpcserver.py's; COUNT messages are sent where it takes many. A JSON line for each:
its status code's name, how many messages came.
"""

import json
import sys

import grpc

KINDS = {"List": "unary_stream", "Half": "unary_stream", "Collect": "stream_unary", "Chat": "stream_stream"}


def call(channel, name, message, count, deadline_s):
    kind = KINDS.get(name, "unary_unary")
    method = getattr(channel, kind)(f"/bed.Echo/{name}")
    data = message.encode()
    given = iter([data] * count) if kind.startswith("stream") else data
    received = 0
    try:
        answer = method(given, timeout=deadline_s)
        if kind.endswith("stream"):
            for _ in answer:
                received += 1
        else:
            received = 1
        code = "OK"
    except grpc.RpcError as error:
        code = error.code().name
    return {"method": name, "code": code, "received": received}


def main():
    with grpc.insecure_channel(sys.argv[1], options=[("grpc.enable_http_proxy", 0)]) as channel:
        for asked in sys.argv[2:]:
            name, message, count, deadline_s = (asked.split(":") + ["", "", ""])[:4]
            told = call(channel, name, message, int(count or 1), float(deadline_s) if deadline_s else None)
            print(json.dumps(told), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
