# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The kernels: a name, the Debian suite it is of, its series, its architecture.

Pinned by suite and series, not by version: the archive drops versions, a series it keeps. An empty series is whatever is newest in the suite.
"""

import typing


class Kernel(typing.NamedTuple):
    name: str
    suite: str
    series: str
    arch: str = "amd64"
    programs: tuple = ()  # packages of the suite that a test runs there, with the libraries they need
    possible_cpus: int = 2  # two of them are there


KERNELS = {
    kernel.name: kernel
    for kernel in (
        # Before 6.0.17 and 6.1.3 a kretprobe had room for as many callers as there could be CPUs: two are less than any machine in use has. Ten: as later.
        Kernel("5.10", "bullseye", "5.10.", programs=("curl", "libssl1.1"), possible_cpus=10),
        Kernel("6.1", "bookworm", "6.1."),
        Kernel("6.12", "trixie", "6.12."),
        Kernel("newest", "trixie-backports", ""),
        Kernel("6.1-arm64", "bookworm", "6.1.", "arm64"),
        Kernel("6.12-arm64", "trixie", "6.12.", "arm64"),
    )
}
