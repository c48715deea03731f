#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Fetches URLs one after another with a Python HTTP library, as programs do it: fetch.py http.client|urllib|requests|httpx [OPTION]... URL...

One JSON line a URL: status, bytes, or the error's class. Connections are kept where the library does. --hold waits for standard input's end
before the process exits, so that connections stay open.
"""

import argparse
import http.client
import json
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit


def chunks(count, size):
    for index in range(count):
        yield bytes([97 + index % 26]) * size


class HttpClient:
    def __init__(self):
        self.connections = {}

    def fetch(self, method, url, body, headers, timeout_s):
        parts = urlsplit(url)
        key = (parts.scheme, parts.netloc)
        if key not in self.connections:
            kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
            self.connections[key] = kind(parts.hostname, parts.port, timeout=timeout_s)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = self.connections[key]
        connection.request(method, target, body=body, headers=headers, encode_chunked=body is not None and not isinstance(body, bytes))
        response = connection.getresponse()
        return response.status, len(response.read())


class Urllib:
    def fetch(self, method, url, body, headers, timeout_s):
        request = urllib.request.Request(url, data=body, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as response:
                return response.status, len(response.read())
        except urllib.error.HTTPError as error:
            return error.code, len(error.read())


class Requests:
    def __init__(self):
        import requests  # a slow import that only this library's users pay

        self.session = requests.Session()

    def fetch(self, method, url, body, headers, timeout_s):
        response = self.session.request(method, url, data=body, headers=headers, timeout=timeout_s)
        return response.status_code, len(response.content)


class Httpx:
    """HTTP/2 where the server has it."""

    def __init__(self):
        import httpx

        self.client = httpx.Client(http2=True)

    def fetch(self, method, url, body, headers, timeout_s):
        response = self.client.request(method, url, content=body, headers=headers, timeout=timeout_s)
        return response.status_code, len(response.content)


LIBRARIES = {"http.client": HttpClient, "urllib": Urllib, "requests": Requests, "httpx": Httpx}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library", choices=LIBRARIES)
    parser.add_argument("--method")
    parser.add_argument("--data", type=int, help="a body of so many bytes")
    parser.add_argument("--chunks", type=int, help="a chunked body of so many chunks of --data bytes")
    parser.add_argument("--header", action="append", default=[])
    parser.add_argument("--timeout", type=float)
    parser.add_argument("--hold", action="store_true")
    parser.add_argument("urls", nargs="+")
    options = parser.parse_args()
    client = LIBRARIES[options.library]()
    headers = dict(header.split(":", 1) for header in options.header)
    failed = 0
    for url in options.urls:
        body = None
        if options.chunks:
            body = chunks(options.chunks, options.data or 100)
            if options.library == "http.client":
                headers["Transfer-Encoding"] = "chunked"
        elif options.data is not None:
            body = b"x" * options.data
        begin_ns = time.monotonic_ns()
        try:
            status, size = client.fetch(options.method or ("GET" if body is None else "POST"), url, body, headers, options.timeout)
            result = {"status": status, "bytes": size}
        except (OSError, http.client.HTTPException) as error:
            result, failed = {"error": type(error).__name__}, 1
        print(json.dumps({"url": url, "begin_ns": begin_ns, "end_ns": time.monotonic_ns(), **result}), flush=True)
    if options.hold:
        sys.stdin.read()
    return failed


if __name__ == "__main__":
    sys.exit(main())
