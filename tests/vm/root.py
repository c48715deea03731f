#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A root directory of another architecture: tests/vm/root.py NAME makes it if it must and prints where it is.

Debian packages with all that they depend on, of the suite of this machine's own Debian, unpacked and not installed: no maintainer script
runs. `arm64-build` is the sysroot that `make ARCH=arm64` compiles and links against; `arm64` is what the guests of arm64 kernels run on,
the same packages among it. Cached beside the images; made anew when absent or when the list below changes.

Links that lead to an absolute path are made relative: a linker would take them for this machine's.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import typing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

import image  # noqa: E402

# As packaging/install-deps.sh has them for this machine.
BUILD = "libc6-dev libbpf-dev libelf-dev zlib1g-dev libcapstone-dev libnghttp2-dev libssl-dev libcmocka-dev"
GUEST = (
    "base-passwd bash coreutils dash debianutils diffutils findutils grep gzip hostname iproute2 libc-bin login mawk mount passwd procps sed tar "
    "util-linux ca-certificates curl openssl nginx wget perl libwww-perl libio-socket-ssl-perl python3 python3-pytest python3-requests "
    "nghttp2-client nghttp2-server nghttp2-proxy python3-httpx python3-h2 python3-grpcio python3-websockets python3-websocket tinyproxy squid-openssl microsocks "
    "dante-server"
)
MERGED = ("bin", "lib", "sbin")  # links into usr, as on every Debian since 12


class Root(typing.NamedTuple):
    name: str
    arch: str
    packages: str


ROOTS = {root.name: root for root in (Root("arm64-build", "arm64", BUILD), Root("arm64", "arm64", f"{BUILD} {GUEST}"))}


def suite():
    named = re.search(r"^VERSION_CODENAME=\"?(\w+)", Path("/etc/os-release").read_text(encoding="utf-8"), re.M)
    return named[1] if named else "stable"


def recipe(root):
    text = Path(__file__).read_bytes() + repr((root, suite())).encode()
    return hashlib.sha256(text).hexdigest()


def is_whole(root, place):
    """The stamp is written last. The files are not summed up: that would take seconds at every make."""
    try:
        return json.loads((place / "stamp").read_text(encoding="utf-8"))["recipe"] == recipe(root)
    except (OSError, ValueError, KeyError):
        return False


def download(archive, packages):
    """Paths of the .deb files of these packages and of all that they depend on."""
    image.tool(
        "apt-get", "-qq", "-y", *archive.options, "--no-install-recommends", "--download-only", "install", *packages, timeout_s=image.APT_TIMEOUT_S
    )  # fmt: skip
    return sorted(archive.folder.glob("cache/archives/*.deb"))


def unpack(package, folder):
    """--keep-directory-symlink: what a package has in /lib goes where that link leads."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as data:
        image.tool("tar", "-x", "-p", "--keep-directory-symlink", "-C", folder, stdin=data.stdout)
    if data.returncode:
        raise image.ImageError(f"{package.name} is no package that dpkg-deb can unpack")


def relative_links(folder):
    for path in folder.rglob("*"):
        if not path.is_symlink():
            continue
        target = os.readlink(path)
        if target.startswith("/") and not target.startswith(("/proc/", "/dev/", "/run/")):
            path.unlink()
            path.symlink_to(os.path.relpath(folder / target.lstrip("/"), path.parent))


def settle(folder):
    """What maintainer scripts would have done and programs cannot do without."""
    masters = folder / "usr/share/base-passwd"
    if masters.is_dir():
        for name in ("passwd", "group"):
            (folder / "etc" / name).write_bytes((masters / f"{name}.master").read_bytes())
        (folder / "etc/nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n", encoding="ascii")
        (folder / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost ip6-localhost\n", encoding="ascii")
        (folder / "etc/resolv.conf").touch()
    for link, to in (("usr/bin/awk", "mawk"), ("usr/bin/sh", "dash")):
        if (folder / "usr/bin" / to).exists() and not (folder / link).exists():
            (folder / link).symlink_to(to)
    authorities = sorted((folder / "usr/share/ca-certificates").rglob("*.crt"))
    if authorities:
        (folder / "etc/ssl/certs/ca-certificates.crt").write_bytes(b"".join(path.read_bytes() for path in authorities))
    for name in ("dev", "proc", "sys", "run", "tmp", "root", "mnt", "var/log/nginx", "var/lib/nginx", "var/tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "tmp").chmod(0o1777)
    # Emulated, compiling Python's library takes half a minute. The file's name carries the version it is for.
    if (folder / "usr/lib/python3").is_dir():
        library = [str(path) for path in (folder / "usr/lib").glob("python3*") if path.is_dir()]
        subprocess.run(
            ["/usr/bin/python3", "-m", "compileall", "-q", "-j", "0", "-s", str(folder), "-p", "/", *library],
            capture_output=True, check=False, timeout=image.TOOL_TIMEOUT_S,
        )  # fmt: skip


def make(root, work):
    folder = work / "root"
    folder.mkdir()
    for name in MERGED:
        (folder / "usr" / name).mkdir(parents=True)
        (folder / name).symlink_to(f"usr/{name}")
    archive = image.Archive(work / "apt", suite(), root.arch)
    for package in download(archive, root.packages.split()):
        unpack(package, folder)
    relative_links(folder)
    settle(folder)
    (folder / "stamp").write_text(json.dumps({"recipe": recipe(root), "packages": root.packages}) + "\n", encoding="ascii")


def root(name, say=lambda text: None):
    """The directory, made if it must be. Raises ImageError."""
    wanted = ROOTS[name]
    place = image.cache_directory() / f"root-{name}"
    if is_whole(wanted, place):  # without the lock: every make asks
        return place
    what = f"root {name} ({suite()}, {wanted.arch})"
    return image.made(f"root-{name}", "root", lambda there: is_whole(wanted, there), say, what, lambda work: make(wanted, work))


def main():
    parser = argparse.ArgumentParser(description="Makes a root directory of another architecture if it must, and prints where it is.")
    parser.add_argument("name", choices=ROOTS)
    try:
        print(root(parser.parse_args().name, lambda text: print(f"root: {text}", file=sys.stderr, flush=True)))
    except image.ImageError as error:
        print(f"root: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
