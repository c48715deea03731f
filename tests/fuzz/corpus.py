#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Makes tests/fuzz/corpus/NAME/ anew, of as few files as reach what all of them reach: tests/fuzz/corpus.py [NAME ...]

In:  what is there already; what runs of `make fuzz` found (build-fuzz/corpus/NAME/); real data, cut into each target's form (seeds_* below):
     the captures of tests/replay, the hellos of tests/unit/hello_samples.h, functions of the libraries of this machine, a small library
     that the C compiler makes. Out: at most MAX_FILES files and MAX_BYTES bytes a target, of all sizes;
     and found-*: inputs that once failed, which stay as they are.
Needs the fuzz targets (make fuzz-targets).
"""
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build-fuzz"
CORPUS = ROOT / "tests/fuzz/corpus"
MAX_FILES = 200
MAX_BYTES = 200_000
MAX_FILE_BYTES = 8192
LIBRARIES = ("libssl.so.3", "libcrypto.so.3", "libc.so.6")
HTTP2_TYPES = "DATA HEADERS PRIORITY RST_STREAM SETTINGS PUSH_PROMISE PING GOAWAY WINDOW_UPDATE CONTINUATION".split()
REC_DATA = 6  # include/abi/event.h: kind; dir, captured bytes


def captures():
    return sorted(ROOT.glob("tests/replay/captures/*.cap"))


def records(path):
    """The records of a capture file (docs/capture-format.md), whole."""
    data = path.read_bytes()
    at = struct.unpack_from("=I", data, 20)[0]
    while at + 32 <= len(data) and data[at : at + 4] == b"HBLK":
        size, count = struct.unpack_from("=I", data, at + 4)[0], struct.unpack_from("=I", data, at + 12)[0]
        record = at + 32
        for _ in range(count):
            record_bytes = struct.unpack_from("=I", data, record)[0]
            yield data[record : record + record_bytes]
            record += (record_bytes + 7) & ~7
        at += size


def plaintext(path):
    """{(connection, TLS object, direction): captured bytes, joined} of a capture's HTTP/1 streams."""
    streams = {}
    for record in records(path):
        if struct.unpack_from("=H", record, 4)[0] == REC_DATA:
            cookie, tls_id = struct.unpack_from("=QQ", record, 40)
            captured, direction, stream = struct.unpack_from("=I", record, 84)[0], record[92], record[94]
            streams.setdefault((cookie, tls_id, direction, stream), bytearray()).extend(record[96 : 96 + captured])
    return streams


def seeds_fuzz_http1():
    for path in captures():
        for (_, _, direction, _), data in plaintext(path).items():
            yield bytes([direction | 0x50]) + data
            yield bytes([direction | 0xA0 | (2 if b"HEAD" in data else 0)]) + data


def http2_cases():
    """(is a server's, bytes) of the streams of tests/unit/test_http2_cases.h, whose head tells the language they are written in."""
    text = (ROOT / "tests/unit/test_http2_cases.h").read_text()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    string, word = r'"(?:[^"\\]|\\.)*"', r"[A-Z_][A-Z0-9_]*"
    macros = {}

    def value(expression):
        return "".join(macros[part] if part in macros else part.strip('"') for part in re.findall(f"{string}|{word}", expression))

    for name, expression in re.findall(rf"^#define ({word})[ \t]+((?:{string}|{word}|[ \t])+)$", text, re.M):
        macros[name] = value(expression)
    for side, expression in re.findall(rf"\{{\s*{string},\s*([CS]),\s*((?:{string}|{word}|\s)+),", text):
        yield side == "S", b"".join(map(http2_bytes, value(expression).split()))


def http2_bytes(word):
    if word == "M":
        return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    if word == "|":
        return b""
    if word.startswith("skip:"):
        return b"x" * min(int(word[5:]), 1000)
    payload = b""
    for part in re.findall(r"\*\d+|[0-9a-f]{2}", word.partition("=" if word[0] == "=" else ":")[2]):
        payload += b"x" * int(part[1:]) if part[0] == "*" else bytes.fromhex(part)
    if word[0] == "=":
        return payload
    name, flags, stream, length = re.match(r"(\w+)(?:\+(\w\w))?@(\d+)(?:#(\d+))?", word).groups()
    kind = HTTP2_TYPES.index(name) if name in HTTP2_TYPES else int(name[1:], 16) if name[0] == "X" else 10
    return struct.pack(">I", int(length or len(payload)))[1:] + bytes([kind, int(flags or "0", 16)]) + struct.pack(">I", int(stream)) + payload


def seeds_fuzz_http2():
    for number, (is_server, data) in enumerate(http2_cases()):
        yield bytes([is_server | number % 16 << 4, number % 30]) + data
        yield bytes([is_server | 2 | number % 16 << 4, 0]) + data


def seeds_fuzz_tls_hello():
    text = (ROOT / "tests/unit/hello_samples.h").read_text()
    for name, numbers in re.findall(r"sample_(\w+)\[\] = \{([^}]*)\}", text):
        data = bytes(int(number, 16) for number in re.findall(r"0x[0-9a-f]{2}", numbers))
        for piece in (0, 14, 126):
            yield bytes([name.endswith("server") | piece << 1]) + data


def seeds_fuzz_decode():
    for path in captures():
        yield b"\xff\x0c" + b"".join(records(path))


def seeds_fuzz_engine():
    for number, path in enumerate(captures()):
        yield bytes([32 | number % 3 | number % 5 << 2 & 12]) + b"".join(records(path))


def seeds_fuzz_capture():
    for path in captures():
        data = path.read_bytes()
        yield b"\0" + data
        yield b"\1" + data


def functions(library):
    """(address, size) of a library's functions, and its file's bytes: addresses are offsets there in the libraries of Debian."""
    paths = [Path(line.split(" => ")[1]) for line in subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=True).stdout.splitlines()
             if line.strip().startswith(f"{library} ") and "x86-64" in line]
    if not paths:
        return [], b""
    table = subprocess.run(["readelf", "-W", "--dyn-syms", str(paths[0])], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^ *\d+: ([0-9a-f]+) +(\d+) FUNC +GLOBAL +DEFAULT +\d+ (?:SSL_|BIO_|EVP_P|get)", table, re.M)
    return sorted({(int(address, 16), int(size)) for address, size in found}), paths[0].read_bytes()


def seeds_fuzz_chooser():
    choice = random.Random(1)
    for library in LIBRARIES:
        found, data = functions(library)
        for address, size in choice.sample(found, min(150, len(found))):
            for mode in (0, 2, 4, 12):
                yield bytes([mode, choice.randrange(8)]) + data[address : address + min(size, 1024)]
        # Three in a row, as a pair of public functions and what both call.
        for address, size in choice.sample(found, min(40, len(found))):
            yield bytes([0x84, 7]) + data[address : address + 3 * min(size, 300)]


TINY_LIBRARY = """
extern int helper(void *, void *, int); __attribute__((noinline)) static int inner(void *s, void *b, long n, long *done) { *done = n; return s != b; }
int SSL_read(void *s, void *b, int n) { long done; return inner(s, b, n, &done) > 0 ? (int)done : -1; }
int SSL_read_ex(void *s, void *b, long n, long *done) { return inner(s, b, n, done) > 0; }
int SSL_write(void *s, void *b, int n) { return helper(s, b, n); } int getaddrinfo(void) { return helper(0, 0, 0); } int ERR_vset_error(void) { return 1; }
int f(void) { return 2; }
"""


def seeds_fuzz_elf():
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "tiny.c"), Path(folder, "tiny.so")
        source.write_text(TINY_LIBRARY)
        for flags in (["-O1", "-fPIC"], ["-O2", "-fno-plt", "-fPIC"], ["-Os", "-fPIC", "-Wl,-z,now", "-g0"]):
            for strip in ([], ["-s"]):
                subprocess.run(["cc", *flags, *strip, "-shared", "-nostdlib", "-fno-asynchronous-unwind-tables", "-Wl,--build-id=none,-z,noseparate-code",
                                "-Wl,-z,max-page-size=64,--hash-style=sysv,-z,norelro", "-o", library, source], check=True, stderr=subprocess.DEVNULL)
                data = library.read_bytes()
                for mode in range(8):
                    yield bytes([mode]) + struct.pack("=Q", len(data) & ~7) + data


def seeds_fuzz_payload():
    """Conversations (conversation.h), most commands being whole exchanges."""
    choice = random.Random(1)
    for number in range(600):
        settings = [choice.choice((0, 1, 2, 4, 7, 24, 32, 34, 192)), choice.randrange(256), 0, 0]
        if number % 7 == 0:
            settings[2 + choice.randrange(2)] = choice.randrange(256)
        commands = bytearray()
        for _ in range(choice.choice((2, 8, 25))):
            command = choice.randrange(32) if number % 2 else choice.choice((0, 0, 0, 0, 30, 31, 27))
            commands.append(command | choice.randrange(8) << 5)
            commands += bytes(choice.randrange(256) for _ in range(choice.randrange(3, 12)))
        yield bytes(settings) + commands


def seeds_fuzz_frames():
    """Connections of every beginning (fuzz_frames.c), frames of every kind."""
    choice = random.Random(1)
    for number in range(480):
        settings = [choice.choice((0, 0, 32, 6, 38, 192, 224)), choice.randrange(256), 0, 0]
        if number % 7 == 0:
            settings[2 + choice.randrange(2)] = choice.randrange(256)
        commands = bytearray([number % 8 | choice.randrange(4) << 3])
        for _ in range(choice.choice((2, 8, 25))):
            commands += bytes([choice.randrange(256), choice.randrange(256), choice.randrange(256), choice.choice((0, 20, 125, 200, 255)), 64])
        yield bytes(settings) + commands


def make(name):
    program, kept = BUILD / "tests/fuzz" / name, CORPUS / name
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        fresh, merged = Path(folder, "seeds"), Path(folder, "merged")
        fresh.mkdir()
        merged.mkdir()
        for number, data in enumerate(globals()[f"seeds_{name}"]()):
            (fresh / str(number)).write_bytes(data[:MAX_FILE_BYTES])
        sources = [path for path in (kept, fresh, BUILD / "corpus" / name) if path.is_dir()]
        found = BUILD / "found" / name
        found.mkdir(parents=True, exist_ok=True)
        before = set(found.iterdir())
        done = subprocess.run([program, "-set_cover_merge=1", f"-max_len={MAX_FILE_BYTES}", "-timeout=25", "-rss_limit_mb=2048",
                               f"-artifact_prefix={found}/", merged, *sources], capture_output=True, text=True, check=False)
        crashes = set(found.iterdir()) - before
        if done.returncode or crashes:  # merging passes over what crashes
            sys.exit(f"{name}: {', '.join(map(str, crashes)) or done.stderr[-2000:]}")
        kept.mkdir(parents=True, exist_ok=True)
        for path in kept.iterdir():
            if not path.name.startswith("found-"):
                path.unlink()
        reached = sorted(merged.iterdir(), key=lambda path: (path.stat().st_size, path.name))
        count = min(len(reached), MAX_FILES)
        while True:  # of all sizes: a few large ones reach what many small ones do not
            chosen = [reached[number * len(reached) // count] for number in range(count)]
            size = sum(path.stat().st_size for path in chosen)
            if size <= MAX_BYTES:
                break
            count -= 1
        for path in chosen:
            shutil.copyfile(path, kept / path.name)
        print(f"{name}: {count} files, {size} bytes, of {len(reached)}", flush=True)


def main():
    names = sys.argv[1:] or [path.stem for path in sorted(ROOT.glob("tests/fuzz/fuzz_*.c"))]
    for name in names:
        make(name)


if __name__ == "__main__":
    main()
