# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A gRPC server by grpcio, without TLS and without protoc: messages are raw bytes. The handle and the ledger are server.py's.

/bed.Echo/Unary one for one · /bed.Echo/Fail the status that the message names, as "NOT_FOUND some text" · /bed.Echo/List as many messages as the
request says, as "COUNT BYTES" · /bed.Echo/Collect their number for many · /bed.Echo/Chat each one back at once · /bed.Echo/Slow after the seconds
that the message says · /bed.Echo/Half one message, then the status DATA_LOSS
"""

import json
import os
import sys
import threading
import time
from concurrent import futures

import grpc

from .server import Ledger, content

PORT = 9051
UNIX = "bed-grpc"  # an abstract name
SERVICE = "bed.Echo"
DETAILS = "no such thing: 100 % of \u00fc"  # grpc-message is percent-encoded


class Handlers(grpc.GenericRpcHandler):
    def __init__(self, ledger):
        self.ledger = ledger
        self.methods = {
            "Unary": grpc.unary_unary_rpc_method_handler(self.one("Unary", lambda data, context: data)),
            "Fail": grpc.unary_unary_rpc_method_handler(self.one("Fail", self.fail)),
            "Slow": grpc.unary_unary_rpc_method_handler(self.one("Slow", self.slow)),
            "List": grpc.unary_stream_rpc_method_handler(self.many("List", self.list)),
            "Half": grpc.unary_stream_rpc_method_handler(self.many("Half", self.half)),
            "Collect": grpc.stream_unary_rpc_method_handler(self.one("Collect", self.collect)),
            "Chat": grpc.stream_stream_rpc_method_handler(self.many("Chat", lambda messages, context: messages)),
        }

    def service(self, details):
        service, _, method = details.method.lstrip("/").partition("/")
        return self.methods.get(method) if service == SERVICE else None

    def _begin(self, name, given, context):
        entry = {"method": name, "peer": context.peer(), "head_ns": time.monotonic_ns(), "received": 0, "sent": 0, "code": None, "index": 0}
        context.add_callback(lambda: self.ledger.add("requests", dict(entry, code=entry["code"] or "OK")))
        if isinstance(given, bytes):
            entry["received"] = 1
            return entry, given
        return entry, self._counted(given, entry, "received")

    @staticmethod
    def _counted(messages, entry, key):
        for message in messages:
            entry[key] += 1
            yield message

    def one(self, name, answer):
        def handler(given, context):
            entry, given = self._begin(name, given, context)
            context.entry = entry
            result = answer(given, context)
            entry["sent"] += 1
            return result

        return handler

    def many(self, name, answer):
        def handler(given, context):
            entry, given = self._begin(name, given, context)
            context.entry = entry
            yield from self._counted(answer(given, context), entry, "sent")

        return handler

    @staticmethod
    def fail(data, context):
        code, _, details = data.decode().partition(" ")
        context.entry["code"] = code
        context.abort(getattr(grpc.StatusCode, code), details or DETAILS)

    @staticmethod
    def slow(data, context):
        gone = threading.Event()
        context.add_callback(gone.set)
        gone.wait(float(data))
        return data

    @staticmethod
    def list(data, _context):
        count, size = map(int, data.split())
        for _ in range(count):
            yield content(size)

    @staticmethod
    def half(data, context):
        yield data
        context.entry["code"] = "DATA_LOSS"
        context.abort(grpc.StatusCode.DATA_LOSS, "half")

    @staticmethod
    def collect(messages, _context):
        return b"%d" % sum(1 for _ in messages)


def main():
    ledger = Ledger()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8), handlers=[Handlers(ledger)])
    assert server.add_insecure_port(f"127.0.0.1:{PORT}") == PORT
    server.add_insecure_port(f"unix-abstract:{UNIX}")
    server.start()
    print(json.dumps({"ready": os.getpid()}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        print(json.dumps(ledger.take(command["requests"], command["connections"], command["timeout_s"])), flush=True)
    server.stop(None)


if __name__ == "__main__":
    main()
