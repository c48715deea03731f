#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A client by libcurl, and so by the shared libnghttp2, that does what it is told: one JSON step a line from standard input, one JSON answer each.

Steps, c being any name for a handle of libcurl, which keeps its own connections:
  ["get", c, url, [header lines]]    over HTTP/2 and TLS: {"status", "version"}
  ["close", c]
"""

import ctypes
import json
import os
import sys

URL, HTTP_VERSION, VERIFY_PEER, VERIFY_HOST, HEADERS, WRITE_FUNCTION, NO_SIGNAL = 10002, 84, 64, 81, 10023, 20011, 99
HTTP_2TLS = 4
RESPONSE_CODE, USED_VERSION = 0x200002, 0x20002E

curl = ctypes.CDLL("libcurl.so.4")
curl.curl_easy_init.restype = curl.curl_slist_append.restype = ctypes.c_void_p
curl.curl_slist_append.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
curl.curl_easy_strerror.restype = ctypes.c_char_p
swallow = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p)(
    lambda _data, size, count, _ctx: size * count
)
handles = {}


def setopt(handle, option, value):
    code = curl.curl_easy_setopt(ctypes.c_void_p(handle), option, value)
    assert code == 0, (option, code)


def info(handle, which):
    value = ctypes.c_long()
    curl.curl_easy_getinfo(ctypes.c_void_p(handle), which, ctypes.byref(value))
    return value.value


def get(name, url, lines):
    if name not in handles:
        handles[name] = curl.curl_easy_init()
    handle, fields = handles[name], None
    for line in lines:
        fields = curl.curl_slist_append(fields, line.encode())
    setopt(handle, URL, ctypes.c_char_p(url.encode()))
    setopt(handle, HTTP_VERSION, ctypes.c_long(HTTP_2TLS))
    setopt(handle, VERIFY_PEER, ctypes.c_long(0))
    setopt(handle, VERIFY_HOST, ctypes.c_long(0))
    setopt(handle, NO_SIGNAL, ctypes.c_long(1))
    setopt(handle, WRITE_FUNCTION, swallow)
    setopt(handle, HEADERS, ctypes.c_void_p(fields))
    code = curl.curl_easy_perform(ctypes.c_void_p(handle))
    setopt(handle, HEADERS, ctypes.c_void_p(None))
    curl.curl_slist_free_all(ctypes.c_void_p(fields))
    if code:
        return {"error": curl.curl_easy_strerror(code).decode()}
    return {"status": info(handle, RESPONSE_CODE), "version": info(handle, USED_VERSION)}


def main():
    print(json.dumps({"pid": os.getpid()}), flush=True)
    for line in sys.stdin:
        step, *rest = json.loads(line)
        if step == "get":
            answer = get(*rest)
        elif step == "close":
            curl.curl_easy_cleanup(ctypes.c_void_p(handles.pop(rest[0])))
            answer = {}
        else:
            answer = {"error": f"no step {step}"}
        print(json.dumps(answer), flush=True)


main()
