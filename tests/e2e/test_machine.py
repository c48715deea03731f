# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What holds of a whole machine under another kernel. Collected there only: tests/vm/run.py names it by HTTPTRACE_VM."""

import glob
import os
import platform
import re
import subprocess

import pytest

from bed import server
from bed.tracer import repository, run, trace_command
from bed.wait import limit
from expect import COLD_TLS_NAME, KEPT, LAST, REUSED, Expect, compare

IMAGE = os.environ.get("HTTPTRACE_VM_IMAGE")  # not there where the root is not that of the machine that builds
PROGRAMS = os.path.join(IMAGE or "/nowhere", "programs")


def test_this_is_the_kernel():
    assert platform.release() == os.environ["HTTPTRACE_VM_RELEASE"]


def test_make_run():
    """README's two commands, on a tree that is built, with no network. Where the root has no compiler, what `make run` does when it has built."""
    command = ["make", "--no-print-directory", "run", "B=" + os.environ["HTTPTRACE_BUILD"]] if IMAGE else ["packaging/demo.sh"]
    done = subprocess.run(command, cwd=repository(), capture_output=True, text=True, check=False, timeout=limit(60))
    assert done.returncode == 0, f"exit status {done.returncode}: {done.stdout[-1500:]}{done.stderr[-1500:]}"
    hooks = ("ConnectStart", "ConnectDone", "TLSHandshakeDone", "WroteHeaders", "GotFirstResponseByte", "GotBody")
    for shown in (*hooks, "http=2 stream=1", "reused http=2 stream=3", ":path: /again", " reused\n"):
        assert shown in done.stdout, f"make run shows no {shown!r}: {done.stdout[-3000:]}{done.stderr[-1500:]}"


def test_no_program_is_refused(bed):
    """The verifier takes each program that this kernel has the features for, by its own choice of backend: not some of them, nor those for older kernels."""
    done = run(bed, "-v", "-q", "--", "true")
    assert done.returncode == 0 and "attached process" in done.stderr and "refuses the BPF program" not in done.stderr, done.stderr


@pytest.fixture
def old_curl(bed):
    """The curl of the kernel's own suite, with that suite's libraries, but for libc: (argv, environment)."""
    folders = [path for name in ("usr/lib", "lib") for path in glob.glob(os.path.join(PROGRAMS, name, "*-linux-gnu"))]
    return [os.path.join(PROGRAMS, "usr/bin/curl"), "-sS", "-o", "/dev/null"], {**bed.env, "LD_LIBRARY_PATH": ":".join(folders)}


if os.path.isdir(PROGRAMS):

    def meanwhile():
        """A transfer in the clear, as long as the library takes to be read and probed under emulation: none of it is known beforehand."""
        return [f"http://127.0.0.1:{server.PLAIN}/meanwhile?delay={limit(0.3):.1f}", "-o", "/dev/null"]

    def test_libssl_1_1(bed, old_curl):
        command, env = old_curl
        told = bed.run([*command, "--version"], env=env).stdout
        assert "OpenSSL/1.1." in told, told
        url = f"https://www.test:{server.TLS}"
        trace = trace_command(bed, [*command, *meanwhile(), f"{url}/1?n=3000", "-o", "/dev/null", f"{url}/2"], env=env)
        assert trace.status == 0, trace.stderr
        assert any("libssl.so.1.1" in (target["path"] or "") for target in trace.of_type("target") if target["action"] == "attached")
        facts = {"library": "openssl", "version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "alpn": "http/1.1", "server_name": "www.test"}
        expected = [
            Expect(f"{COLD_TLS_NAME} {KEPT}", tls=facts),
            Expect(f"{REUSED} {LAST}", reused=True, was_idle=True, tls=facts),
        ]
        records = [record for record in trace.records if "/meanwhile" not in record["url"]]
        assert len(records) == len(expected), trace.lines
        wrong = [item for expect, record in zip(expected, records) for item in compare(expect, record)]
        assert not wrong, "\n".join([*wrong, trace.stderr[-1500:], *trace.lines])
        assert records[0]["response"]["body_bytes"] == 3000

    def test_libssl_1_1_bad_certificate(bed, old_curl):
        command, env = old_curl
        env = {**bed.distrusting, "LD_LIBRARY_PATH": env["LD_LIBRARY_PATH"]}
        trace = trace_command(bed, [*command, *meanwhile(), f"https://127.0.0.1:{server.TLS}"], env=env)
        assert trace.status == 60, trace.stderr
        (record,) = trace.of_type("dial") or trace.requests[1:]
        # Without the reason: libcrypto 1.1 has no function for it that libcrypto 3 has as well.
        assert record["outcome"] == "tls_error" and record["error"]["phase"] == "tls", record


def test_the_kernel_has_no_complaint():
    """Last: of all that was run in this machine."""
    told = subprocess.run(["/run/busybox", "dmesg"], capture_output=True, text=True, errors="replace", check=True).stdout
    complaint = re.compile(r"BUG:|WARNING:|Oops|rcu.*stall|general protection|refcount_t|Call Trace")
    complaints = [line for line in told.splitlines() if complaint.search(line)]
    assert not complaints, "\n".join([*complaints, told[-3000:]])
