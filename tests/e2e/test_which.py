# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Which processes (-n, --cgroup, --no-follow) and which requests (--host, --method, --path, --status, --slower-than, --errors): those, and nothing else."""

import os
import shutil
import subprocess
import uuid

import pytest

from bed import server
from bed.tracer import Trace, Tracer, run, trace_command
from bed.wait import wait_until
from conftest import Stepper

H = f"http://127.0.0.1:{server.PLAIN}"
S = f"https://localhost:{server.TLS}"
CURL = ["-sS", "-m", "20", "-o", os.devnull]


def named(bed, program, name):
    """A path by which the program runs under another name: the kernel takes it from the path."""
    folder = bed.file("bin")
    os.mkdir(folder)
    path = os.path.join(folder, name)
    os.symlink(shutil.which(program, path="/usr/bin:/bin"), path)
    return path


class NamedStepper(Stepper):
    def __init__(self, bed, name, **more):
        script = bed.script("steps.py", "-")
        script[0] = named(bed, "python3", name)
        bed_start, bed.start = bed.start, lambda arguments, **options: bed_start(script, **{**options, **more})
        try:
            super().__init__(bed)
        finally:
            bed.start = bed_start


def curl(bed, url, name="curl", prefix=(), **more):
    done = bed.run([*prefix, named(bed, "curl", name), *CURL, url], **more)
    assert done.returncode == 0, done.stderr


def last(bed, tracer, stepper, name):
    """The last request, of a process that is traced: when it has been told, so has all before it."""
    stepper.get("a", f"/{name}-last")
    tracer.wait_url(f"/{name}-last")
    return tracer.stop()


def paths(trace, name):
    """What was told of this test's requests: the paths behind its name."""
    assert trace.summary["requests"] == len(trace.requests) and trace.summary["dials"] == len(trace.dials)
    return sorted(record["url"].partition(f"/{name}-")[2] for record in trace.matching(f"/{name}-"))


# -- by name


def test_by_name(bed):
    name = bed.unique()
    old, refused = NamedStepper(bed, f"{name}want-old"), NamedStepper(bed, f"{name}other-old")
    for stepper in (old, refused):
        stepper("connect", "a", "127.0.0.1", server.PLAIN)
    with Tracer(bed, "-n", f"{name}want*") as tracer:
        for stepper, what in ((old, "old"), (refused, "other-old")):
            stepper.get("a", f"/{name}-{what}")
        curl(bed, f"{S}/{name}-new", f"{name}want-new")
        curl(bed, f"{S}/{name}-other-new", f"{name}other")
        curl(bed, f"{H}/{name}-almost", f"x{name}want")
        for shell, what in (("want-sh", "child"), ("other-sh", "other-child")):
            bed.run([named(bed, "sh", name + shell), "-c", f"curl -sS -o /dev/null {S}/{name}-{what}; true"])
        inner = named(bed, "curl", f"{name}want-in")
        bed.run([named(bed, "sh", f"{name}other-sh"), "-c", f"{inner} -sS -o /dev/null {H}/{name}-inner; true"])
        trace = last(bed, tracer, old, name)
    assert paths(trace, name) == ["child", "inner", "last", "new", "old"]
    assert len(trace.requests) == 5 and {record["comm"] for record in trace.requests} == {
        "curl",
        f"{name}want-in",
        f"{name}want-new",
        f"{name}want-old",
    }


def test_by_name_without_children(bed):
    name = bed.unique()
    old = NamedStepper(bed, f"{name}want-old")
    old("connect", "a", "127.0.0.1", server.PLAIN)
    with Tracer(bed, "-n", f"{name}want*", "--no-follow") as tracer:
        inner = named(bed, "curl", f"{name}want-in")
        bed.run([named(bed, "sh", f"{name}want-sh"), "-c", f"curl -sS -o /dev/null {H}/{name}-child; {inner} -sS -o /dev/null {S}/{name}-inner; true"])
        trace = last(bed, tracer, old, name)
    assert paths(trace, name) == ["inner", "last"]  # the inner one matches itself


# -- without children

PARENT = """
import os, subprocess, sys, urllib.request
base, name = sys.argv[1:]
get = lambda what: urllib.request.urlopen(f"{base}/{name}-{what}").read()
print(os.getpid(), flush=True)
sys.stdin.readline()
get("before")
subprocess.run(["curl", "-sS", "-o", os.devnull, f"{base}/{name}-child"], check=True)
if not os.fork():
    get("forked")
    os._exit(0)
os.wait()
get("after")
"""


@pytest.mark.parametrize("base", [H, S], ids=["in the clear", "TLS"])
@pytest.mark.parametrize("options, told", [([], ["after", "before", "child", "forked"]), (["--no-follow"], ["after", "before"])], ids=["follow", "no-follow"])
def test_children_of_a_pid(bed, base, options, told):
    name = bed.unique()
    process = bed.start(["/usr/bin/python3", "-c", PARENT, base, name])
    with Tracer(bed, "-p", process.stdout.readline().strip(), *options) as tracer:
        process.stdin.write("go\n")
        process.stdin.flush()
        trace = tracer.wait_exit()
    assert process.wait(10) == 0 and trace.status == 0
    assert paths(trace, name) == told


@pytest.mark.parametrize("options, told", [([], ["child", "self"]), (["--no-follow"], ["self"])], ids=["follow", "no-follow"])
def test_children_of_a_command(bed, options, told):
    name = bed.unique()
    script = f"curl -sS -o /dev/null {S}/{name}-child; exec curl -sS -o /dev/null {S}/{name}-self"
    trace = trace_command(bed, ["sh", "-c", script], *options)
    assert trace.status == 0 and paths(trace, name) == told


# -- by cgroup


def mounts(kind):
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        rows = [line.split() for line in file]
    return [row[4] for row in rows if row[row.index("-") + 1] == kind]


@pytest.fixture(params=["cgroup2", "cgroup"], ids=["version 2", "version 1"])
def cgroups(request):
    """A cgroup, one below it, and one beside it; removed at the end, when nobody is left in them."""
    found = [path for path in mounts(request.param) if os.access(path, os.W_OK) and "cpuset" not in path]
    if not found:
        pytest.skip(f"no writable {request.param} file system is mounted")
    top = os.path.join(found[0], f"httptrace-e2e-{uuid.uuid4().hex[:8]}")
    every = (top, os.path.join(top, "below"), f"{top}-beside")
    for path in every:
        os.mkdir(path)
    yield every
    for path in reversed(sorted(every, key=len)):
        with open(os.path.join(path, "cgroup.procs"), encoding="ascii") as procs:
            left = procs.read().split()
        for pid in left:  # the fixture `bed` ends what it started only afterwards
            with open(os.path.join(found[0], "cgroup.procs"), "w", encoding="ascii") as root:
                root.write(pid)
        os.rmdir(path)


def move(cgroup, pid=0):
    with open(os.path.join(cgroup, "cgroup.procs"), "w", encoding="ascii") as file:
        file.write(str(pid or os.getpid()))


@pytest.mark.parametrize("is_short", [False, True], ids=["whole path", "below the mount"])
def test_by_cgroup(bed, cgroups, is_short):
    name, (top, below, beside) = bed.unique(), cgroups
    old, other, moved = Stepper(bed), Stepper(bed), Stepper(bed)
    for stepper, cgroup in ((old, top), (other, beside)):
        stepper("connect", "a", "127.0.0.1", server.PLAIN)
        move(cgroup, stepper.pid)
    moved("connect", "a", "127.0.0.1", server.PLAIN)
    with Tracer(bed, "--cgroup", os.path.basename(top) if is_short else top) as tracer:
        for stepper, what in ((old, "old"), (other, "beside"), (moved, "too-early")):
            stepper.get("a", f"/{name}-{what}")
        for cgroup, what in ((top, "new"), (below, "below"), (beside, "new-beside")):
            curl(bed, f"{S}/{name}-{what}", preexec_fn=lambda to=cgroup: move(to))
        curl(bed, f"{S}/{name}-outside")
        bed.run(["sh", "-c", f"curl -sS -o /dev/null {S}/{name}-child; true"], preexec_fn=lambda: move(below))
        # Moved there while it runs: noticed within a second.
        move(top, moved.pid)

        def is_noticed():
            moved.get("a", f"/{name}-moved")
            return any(f"/{name}-moved" in line for line in tracer.stdout.splitlines())

        wait_until(is_noticed, 10, "a process that was moved into the cgroup")
        trace = last(bed, tracer, old, name)
    told = paths(trace, name)
    assert [path for path in told if path != "moved"] == ["below", "child", "last", "new", "old"]
    assert len(trace.requests) == len(told)


def test_by_cgroup_and_name(bed, cgroups):
    name, (top, _, beside) = bed.unique(), cgroups
    both = NamedStepper(bed, f"{name}want")
    both("connect", "a", "127.0.0.1", server.PLAIN)
    move(top, both.pid)
    with Tracer(bed, "--cgroup", top, "-n", f"{name}want*") as tracer:
        curl(bed, f"{H}/{name}-both", f"{name}want-new", preexec_fn=lambda: move(top))
        curl(bed, f"{H}/{name}-name-only", f"{name}want-new", preexec_fn=lambda: move(beside))
        curl(bed, f"{H}/{name}-cgroup-only", preexec_fn=lambda: move(top))
        trace = last(bed, tracer, both, name)
    assert paths(trace, name) == ["both", "last"] and len(trace.requests) == 2


def test_a_cgroup_that_is_not_there(bed):
    done = run(bed, "--cgroup", "no/such/cgroup", "-d", "1s")
    assert done.returncode == 1 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and "no/such/cgroup" in done.stderr


# -- requests

W = f"http://www.test:{server.PLAIN}"
REQUESTS = [
    [f"{W}/api/users"],
    [f"http://two.test:{server.PLAIN}/api/none?status=404"],
    ["-d", "x=1", f"{W}/api/users?status=201"],
    ["-I", f"{W}/api/head"],
    [f"{S}/slow?delay=1"],
    [f"{S}/broken?status=503"],
    [f"{W}/cut?n=900&abort=body"],
    [f"http://127.0.0.1:{server.REFUSED}/refused"],
    ["http://gone.test/unknown"],
]
ALL = ["GET /api/users", "GET /api/none", "POST /api/users", "HEAD /api/head", "GET /slow", "GET /broken", "GET /cut", "dial 127.0.0.1:9", "dial gone.test:80"]
GETS = [line for line in ALL if line.startswith("GET")]
DIALS = [line for line in ALL if line.startswith("dial")]

FILTERS = [
    ("nothing", [], ALL),
    ("one host", ["--host", "two.test"], ["GET /api/none"]),
    ("hosts by a pattern, dials as well", ["--host", "*.test"], [*ALL[:4], "GET /cut", "dial gone.test:80"]),
    ("with the port", ["--host", f"*:{server.TLS}"], ["GET /slow", "GET /broken"]),
    ("any case", ["--host", "LOCALHOST"], ["GET /slow", "GET /broken"]),
    ("no such host", ["--host", "test"], []),
    ("a method", ["--method", "POST"], ["POST /api/users"]),
    ("methods, any case", ["--method", "head,post"], ["POST /api/users", "HEAD /api/head"]),
    ("a path", ["--path", "/api/users"], ["GET /api/users", "POST /api/users"]),
    ("paths", ["--path", "/api/*"], ALL[:4]),
    ("one character", ["--path", "/cu?"], ["GET /cut"]),
    ("a path is no prefix", ["--path", "/api"], []),
    ("a status", ["--status", "404"], ["GET /api/none"]),
    ("statuses by class and range", ["--status", "5xx,400-404"], ["GET /api/none", "GET /broken"]),
    ("given twice", ["--status", "404", "--status", "201"], ["GET /api/none", "POST /api/users"]),
    ("slow ones", ["--slower-than", "900ms"], ["GET /slow"]),
    ("failed ones", ["--errors"], ["GET /cut", *DIALS]),
    ("a status is no failure", ["--errors", "--status", "503"], []),
    ("host, method and path", ["--host", "www.test", "--method", "GET", "--path", "/api/*"], ["GET /api/users"]),
    ("path and status", ["--path", "/api/*", "--status", "2xx"], ["GET /api/users", "POST /api/users", "HEAD /api/head"]),
    ("host and failure", ["--host", "*.test", "--errors"], ["GET /cut", "dial gone.test:80"]),
    ("method and failure: no dials", ["--method", "GET", "--errors"], ["GET /cut"]),
    ("all at once", ["--host", "localhost", "--method", "GET", "--path", "/s*", "--status", "200", "--slower-than", "0.9s"], ["GET /slow"]),
    ("all at once but for one", ["--host", "localhost", "--method", "GET", "--path", "/b*", "--status", "200", "--slower-than", "0.9s"], []),
    ("no dials, said twice", ["--dials", "none", "--errors"], ["GET /cut"]),
]
LIVE = ("nothing", "hosts by a pattern, dials as well", "path and status", "method and failure: no dials", "all at once")


def several(bed):
    """A shell script of curls: one after another, each to its end, whatever that is."""
    return "\n".join(" ".join(["curl -s -m 20 -o /dev/null", *(f"'{word}'" for word in words)]) for words in REQUESTS) + "\ntrue\n"


def label(record):
    if record["type"] == "dial":
        return f"dial {record['host_port']}"
    return f"{record['method']} /{record['url'].partition('://')[2].partition('/')[2].partition('?')[0]}"


def check_filtered(trace, expected):
    odd = [record for record in trace.records if label(record) not in expected]
    assert sorted(map(label, trace.records)) == sorted(expected), odd
    assert trace.summary["requests"] == len([line for line in expected if not line.startswith("dial")])
    assert trace.summary["dials"] == len([line for line in expected if line.startswith("dial")])
    assert not any(trace.summary["lost"].values())


@pytest.fixture(scope="module")
def captured(_bed):
    file = _bed.file("several.cap")
    done = run(_bed, "-q", "-w", file, "--", "sh", "-c", several(_bed))
    assert done.returncode == 0, done.stderr
    return file


@pytest.mark.parametrize("options, expected", [row[1:] for row in FILTERS], ids=[row[0] for row in FILTERS])
def test_requests_of_a_capture(bed, captured, options, expected):
    done = run(bed, "-r", captured, "-o", "jsonl", *options)
    assert done.returncode == 0, done.stderr
    check_filtered(Trace(done.stdout.splitlines()), expected)


@pytest.mark.parametrize("options, expected", [row[1:] for row in FILTERS if row[0] in LIVE], ids=LIVE)
def test_requests_as_they_are_made(bed, options, expected):
    check_filtered(trace_command(bed, ["sh", "-c", several(bed)], *options), expected)


def test_count_counts_what_is_reported(bed, stepper):
    with Tracer(bed, "-p", str(stepper.pid), "--path", "/yes*", "-c", "2") as tracer:
        stepper("connect", "a", "127.0.0.1", server.PLAIN)
        for path in ("/no", "/yes-1", "/no", "/no", "/yes-2", "/yes-3"):
            stepper.get("a", path)
        trace = tracer.wait_exit()
    assert [record["url"] for record in trace.records] == [f"{H}/yes-1", f"{H}/yes-2"]
