# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""On what was measured: lines for the report's head."""
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from common import PATH, ROOT


def first_match(command, pattern):
    """What a program says of itself; "-" where it is missing."""
    program = shutil.which(command[0], path=PATH)
    if not program:
        return "-"
    done = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False, cwd=ROOT)
    match = re.search(pattern, done.stdout + done.stderr)
    return match[1] if match else "-"


def machine_lines():
    cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = re.search(r"^model name\s*:\s*(.*)$", cpuinfo, re.M)
    is_virtual = re.search(r"^flags\s*:.*\bhypervisor\b", cpuinfo, re.M)
    uname = os.uname()
    versions = {
        "nginx": first_match(["nginx", "-v"], r"nginx/([\d.]+)"),
        "OpenSSL": first_match(["openssl", "version"], r"OpenSSL ([\w.]+)"),
        "bpftrace": first_match(["bpftrace", "--version"], r"v?([\d.]+)"),
        "bcc": first_match(["dpkg-query", "-W", "-f", "${Version}", "bpfcc-tools"], r"^([\d.]+)"),
        "tcpdump": first_match(["tcpdump", "--version"], r"tcpdump version ([\d.]+)"),
    }
    return [
        f"* {time.strftime('%Y-%m-%d', time.gmtime())}, httptrace-bpf at commit {first_match(['git', 'describe', '--always', '--dirty'], r'^(.+)')}",
        f"* {model[1] if model else uname.machine}, {os.cpu_count()} CPUs{', a virtual machine' if is_virtual else ''}; "
        f"{uname.sysname} {uname.release}",
        "* " + ", ".join(f"{name} {version}" for name, version in versions.items()),
    ]
