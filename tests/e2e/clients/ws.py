#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A WebSocket client by the library websockets: ws.py URL [--send N] [--size BYTES] [--binary] [--ping N] [--plain] [--close CODE] [--until-closed] [--drop].

Sends messages and reads the answer to each; prints one JSON line: frames each way, control frames too, and the close code.
"""

import argparse
import asyncio
import json
import os
import ssl
import sys

import websockets
from websockets.legacy.client import WebSocketClientProtocol


class Counting(WebSocketClientProtocol):
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


async def talk(options):
    more = {"ssl": ssl.create_default_context()} if options.url.startswith("wss") else {}
    more["compression"] = None if options.plain else "deflate"
    async with websockets.connect(options.url, create_protocol=Counting, ping_interval=None, max_size=None, **more) as connection:
        try:
            for number in range(options.send):
                text = str(number % 10) * options.size
                await connection.send(text.encode() if options.binary else text)
                await connection.recv()
            for _ in range(options.ping):
                await (await connection.ping())
            if options.until_closed:
                async for _ in connection:
                    pass
        except websockets.ConnectionClosed:
            pass
        if options.drop:
            print(json.dumps({"sent": connection.frames_out, "received": connection.frames_in}), flush=True)
            os._exit(0)
        await connection.close(options.close)
        await connection.wait_closed()
        print(json.dumps({"sent": connection.frames_out, "received": connection.frames_in, "code": connection.close_code}), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--send", type=int, default=1)
    parser.add_argument("--size", type=int, default=20)
    parser.add_argument("--binary", action="store_true")
    parser.add_argument("--ping", type=int, default=0)
    parser.add_argument("--plain", action="store_true", help="no compression")
    parser.add_argument("--close", type=int, default=1000)
    parser.add_argument("--until-closed", action="store_true")
    parser.add_argument("--drop", action="store_true", help="exit without a Close frame")
    asyncio.run(talk(parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
