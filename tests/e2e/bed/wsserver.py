# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A WebSocket server by the library websockets, in clear and over TLS. The handle and the ledger are server.py's: an entry a connection, when it has ended.

/echo sends each message back · /push?n=5&size=10 sends so many and closes · /close?code=4001 closes after the first message · /drop ends the
connection without a Close frame after the first message
"""

import asyncio
import json
import os
import ssl
import sys
import threading
from urllib.parse import parse_qsl, urlsplit

import websockets
from websockets.legacy.server import WebSocketServerProtocol

from .server import Ledger, content

PLAIN, TLS = 9300, 9343


class Counting(WebSocketServerProtocol):
    """Counts frames, control frames too."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.frames_in = self.frames_out = 0

    async def read_frame(self, max_size):
        frame = await super().read_frame(max_size)
        self.frames_in += 1
        return frame

    def write_frame_sync(self, fin, opcode, data):
        self.frames_out += 1
        super().write_frame_sync(fin, opcode, data)


def handler(ledger):
    async def handle(connection):
        parts, peer = urlsplit(connection.path), list(connection.remote_address[:2])
        asked = dict(parse_qsl(parts.query))
        try:
            if parts.path == "/push":
                for _ in range(int(asked.get("n", 5))):
                    await connection.send(content(int(asked.get("size", 10))))
                await connection.close()
            else:
                async for message in connection:
                    if parts.path == "/close":
                        await connection.close(int(asked.get("code", 1000)), "as asked")
                    elif parts.path == "/drop":
                        connection.transport.abort()
                    else:
                        await connection.send(message)
        except websockets.ConnectionClosed:
            pass
        finally:
            await connection.wait_closed()
            entry = {"target": connection.path, "peer": peer, "index": 0, "head_ns": 0}
            counts = {"received": connection.frames_in, "sent": connection.frames_out, "code": connection.close_code}
            ledger.add("requests", {**entry, **counts})

    return handle


async def serve(ledger, cert, key, is_ready):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    options = {"create_protocol": Counting, "ping_interval": None, "max_size": None}
    async with websockets.serve(handler(ledger), "127.0.0.1", PLAIN, **options):
        async with websockets.serve(handler(ledger), "127.0.0.1", TLS, ssl=context, **options):
            is_ready.set()
            await asyncio.Future()


def main():
    ledger, is_ready = Ledger(), threading.Event()
    threading.Thread(target=lambda: asyncio.run(serve(ledger, sys.argv[1], sys.argv[2], is_ready)), daemon=True).start()
    if not is_ready.wait(20):
        return 1
    print(json.dumps({"ready": os.getpid()}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        print(json.dumps(ledger.take(command["requests"], command["connections"], command["timeout_s"])), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
