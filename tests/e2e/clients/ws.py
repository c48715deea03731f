#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A WebSocket client by a Python library, websockets (asyncio) or websocket-client (blocking calls, TLS with the socket's descriptor):

ws.py websockets|websocket-client URL [--send N] [--size BYTES] [--binary] [--ping N] [--plain] [--close CODE] [--until-closed] [--drop]

Sends messages and reads the answer to each; prints one JSON line: frames each way, control frames too, and the close code.
"""

import argparse
import asyncio
import json
import os
import ssl
import sys


def message(options, number):
    text = str(number % 10) * options.size
    return text.encode() if options.binary else text


def tell(sent, received, code):
    print(json.dumps({"sent": sent, "received": received, "code": code}), flush=True)


async def talk(options):
    import websockets
    from websockets.legacy.client import WebSocketClientProtocol

    class Counting(WebSocketClientProtocol):
        frames_in = frames_out = 0

        async def read_frame(self, max_size):
            frame = await super().read_frame(max_size)
            self.frames_in += 1
            return frame

        def write_frame_sync(self, fin, opcode, data):
            self.frames_out += 1
            super().write_frame_sync(fin, opcode, data)

    compression = None if options.plain else "deflate"
    async with websockets.connect(
        options.url, create_protocol=Counting, ping_interval=None, max_size=None, compression=compression
    ) as connection:
        try:
            for number in range(options.send):
                await connection.send(message(options, number))
                await connection.recv()
            for _ in range(options.ping):
                await (await connection.ping())
            if options.until_closed:
                async for _ in connection:
                    pass
        except websockets.ConnectionClosed:
            pass
        if options.drop:
            tell(connection.frames_out, connection.frames_in, None)
            os._exit(0)
        await connection.close(options.close)
        await connection.wait_closed()
        tell(connection.frames_out, connection.frames_in, connection.close_code)


def talk_blocking(options):
    import websocket
    from websocket import ABNF

    counts = {"sent": 0, "received": 0}
    context = {"context": ssl.create_default_context()} if options.url.startswith("wss") else None
    connection = websocket.create_connection(options.url, sslopt=context, timeout=60)

    def send(payload, opcode):
        connection.send_frame(ABNF.create_frame(payload, opcode))
        counts["sent"] += 1

    def receive(opcodes):
        """The next frame of these kinds, or the Close frame."""
        while True:
            frame = connection.recv_frame()
            counts["received"] += 1
            if frame.opcode in (*opcodes, ABNF.OPCODE_CLOSE):
                return frame

    code, is_over = None, False
    messages = (ABNF.OPCODE_TEXT, ABNF.OPCODE_BINARY, ABNF.OPCODE_CONT)
    for number in range(options.send):
        send(message(options, number), ABNF.OPCODE_BINARY if options.binary else ABNF.OPCODE_TEXT)
        frame = receive(messages)
        while not frame.fin:
            frame = receive(messages)
        is_over = frame.opcode == ABNF.OPCODE_CLOSE
    for _ in range(options.ping):
        send(b"x", ABNF.OPCODE_PING)
        receive((ABNF.OPCODE_PONG,))
    if not is_over:
        send(options.close.to_bytes(2, "big"), ABNF.OPCODE_CLOSE)
        code = int.from_bytes(receive(()).data[:2], "big")
    connection.shutdown()
    tell(counts["sent"], counts["received"], code)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library", choices=("websockets", "websocket-client"))
    parser.add_argument("url")
    parser.add_argument("--send", type=int, default=1)
    parser.add_argument("--size", type=int, default=20)
    parser.add_argument("--binary", action="store_true")
    parser.add_argument("--ping", type=int, default=0)
    parser.add_argument("--plain", action="store_true", help="no compression (websocket-client has none)")
    parser.add_argument("--close", type=int, default=1000)
    parser.add_argument("--until-closed", action="store_true", help="websockets only")
    parser.add_argument("--drop", action="store_true", help="exit without a Close frame; websockets only")
    options = parser.parse_args()
    if options.library == "websockets":
        asyncio.run(talk(options))
    else:
        talk_blocking(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
