# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""An image of a kernel: what QEMU boots. Debian packages in, a directory in the cache out.

The directory holds `vmlinux` (x86-64: the uncompressed ELF file, which boots in 2 s where vmlinuz takes 5; arm64: the flat Image), `initrd`
(a static busybox, tests/vm/init, and the modules it needs to reach the host's root) and `stamp` (what it was made by, and the sums of all files); `programs` holds
unpacked packages for the tests of that kernel, where it names any.
It is made anew when it is absent, damaged, or when this directory's code has changed. Made beside its place and renamed, under a lock:
several runs may ask for one at once.

Packages come by the machine's own Debian mirror, as /etc/apt names it, through a private apt directory: the system's apt is only read.
"""

import contextlib
import fcntl
import gzip
import hashlib
import json
import lzma
import os
import platform
import re
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULES = ("virtio_pci", "virtio_mmio", "virtio_console", "9pnet_virtio", "9p", "overlay", "virtio_rng")
APT_TIMEOUT_S = 600
TOOL_TIMEOUT_S = 300


class ImageError(Exception):
    """Why there is no image, in one line, with what to do."""


def cache_directory():
    named = os.environ.get("HTTPTRACE_VM_CACHE")
    if named:
        return Path(named).resolve()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").resolve() / "httptrace-bpf" / "vm"


def host_arch():
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def tool(*command, timeout_s=TOOL_TIMEOUT_S, **more):
    """Output of a tool that must succeed. sbin is where an ordinary user's PATH does not look."""
    path = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
    try:
        done = subprocess.run(
            command, env={**os.environ, "PATH": path, "LC_ALL": "C.UTF-8"}, capture_output=True, check=False, timeout=timeout_s, **more
        )
    except FileNotFoundError:
        raise ImageError(f"{command[0]} is missing: packaging/install-deps.sh vm installs it") from None
    except subprocess.TimeoutExpired:
        raise ImageError(f"{command[0]} did not end within {timeout_s} s") from None
    if done.returncode:
        raise ImageError(f"{' '.join(map(str, command[:3]))}: exit status {done.returncode}: {done.stderr.decode(errors='replace').strip()[-600:]}")
    return done.stdout


# -- the archive

def mirror():
    """Address of the Debian archive that this machine's apt is configured with."""
    codename = re.search(r"^VERSION_CODENAME=\"?(\w+)", Path("/etc/os-release").read_text(encoding="utf-8"), re.M)
    listed = tool("apt-get", "indextargets", "--format", "$(IDENTIFIER) $(COMPONENT) $(RELEASE) $(REPO_URI)").decode().split("\n")
    targets = [line.split() for line in listed if line.startswith("Packages main ")]
    for release in (codename and codename[1], "stable", "testing", "sid", "unstable"):
        for _, _, name, address in targets:
            if name == release:
                return address
    raise ImageError("apt's sources name no Debian archive with a component main: kernels come from there")


class Archive:
    """One suite for one architecture, seen through an apt of our own."""

    def __init__(self, folder, suite, arch):
        self.folder, self.arch = Path(folder), arch
        for name in ("state/lists/partial", "cache/archives/partial", "download"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
        signed = f"[signed-by={keys}] " if os.path.exists(keys) else ""
        (self.folder / "sources.list").write_text(f"deb {signed}{mirror()} {suite} main\n", encoding="utf-8")
        options = {
            "Dir::Etc::SourceList": self.folder / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "Dir::State": self.folder / "state",
            "Dir::State::status": self.folder / "status",
            "Dir::Cache": self.folder / "cache",
            "APT::Architecture": arch,
            "APT::Architectures": arch,
            "APT::Sandbox::User": "",
            "APT::Get::List-Cleanup": "false",
            # Old suites' Release files are past their date.
            "Acquire::Check-Valid-Until": "false",
            "Acquire::Retries": "3",
            "Acquire::Languages": "none",
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
        }
        self.options = [item for name, value in options.items() for item in ("-o", f"{name}={value}")]
        tool("apt-get", "-qq", *self.options, "update", timeout_s=APT_TIMEOUT_S)

    def show(self, package):
        """[{field: value}], newest first."""
        text = tool("apt-cache", *self.options, "show", package).decode()
        return [dict(re.findall(r"^([\w-]+): (.*)$", part, re.M)) for part in text.split("\n\n") if part.strip()]

    def needed(self, packages):
        """What installing the packages on an empty system would install."""
        listed = tool("apt-get", "-qq", *self.options, "--simulate", "--no-install-recommends", "install", *packages).decode()
        return re.findall(r"^Inst (\S+)", listed, re.M)

    def download(self, packages):
        """Paths of the .deb files, by package name."""
        place = self.folder / "download"
        tool("apt-get", "-qq", *self.options, "download", *packages, cwd=place, timeout_s=APT_TIMEOUT_S)
        found = {path.name.split("_")[0]: path for path in place.glob("*.deb")}
        lacking = [name for name in packages if name.split("=")[0] not in found]
        if lacking:
            raise ImageError(f"apt-get downloaded no {', '.join(lacking)}")
        return found


def depends(fields):
    """Names of a package's first choices."""
    return [re.split(r"[ :(|]", item.strip())[0] for item in fields.get("Depends", "").split(",") if item.strip()]


def kernel_packages(archive, kernel):
    """The packages that hold the kernel and its modules: from 6.19 or so they are several."""
    meta = [fields for fields in archive.show(f"linux-image-{kernel.arch}") if fields["Version"].startswith(kernel.series)]
    if not meta:
        raise ImageError(f"{kernel.suite} has no kernel {kernel.series or 'at all'} for {kernel.arch}")
    found, ask = [], depends(meta[0])
    while ask:
        name = ask.pop()
        if name not in found and re.match(r"linux-(image|binary|modules)-", name):
            found.append(name)
            ask += depends(archive.show(name)[0])
    return found


# -- the kernel

def elf_of(vmlinuz):
    """The uncompressed ELF file inside a bzImage: what scripts/extract-vmlinux of the kernel does."""
    def unzstd(data):
        # What follows in the file is no zstd: it says so, after all has been written.
        return subprocess.run(["zstd", "-dcq"], input=data, capture_output=True, check=False, timeout=TOOL_TIMEOUT_S).stdout

    ways = (
        (b"\xfd7zXZ\0", lambda data: lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(data)),
        (b"\x28\xb5\x2f\xfd", unzstd),
        (b"\x1f\x8b\x08", lambda data: gzip.zlib.decompressobj(31).decompress(data)),
        (b"\x5d\0\0\0", lambda data: lzma.LZMADecompressor(lzma.FORMAT_ALONE).decompress(data)),
    )
    for magic, decompress in ways:
        at = vmlinuz.find(magic)
        while at >= 0:
            try:
                data = decompress(vmlinuz[at:])
            except (lzma.LZMAError, gzip.zlib.error, EOFError):
                data = b""
            if data.startswith(b"\x7fELF"):
                return data
            at = vmlinuz.find(magic, at + 1)
    raise ImageError("no ELF file in vmlinuz, compressed in a way known here")


def flat_of(vmlinuz):
    """arm64's Image (Documentation/arch/arm64/booting.rst), out of the EFI program that holds it compressed where it is one."""
    if vmlinuz[4:8] == b"zimg":  # drivers/firmware/efi/libstub/zboot-header.S
        offset, size = struct.unpack_from("<II", vmlinuz, 8)
        vmlinuz = vmlinuz[offset : offset + size]
    if vmlinuz.startswith(b"\x1f\x8b"):
        vmlinuz = gzip.zlib.decompressobj(31).decompress(vmlinuz)
    elif vmlinuz.startswith(b"\x28\xb5\x2f\xfd"):
        vmlinuz = subprocess.run(["zstd", "-dcq"], input=vmlinuz, capture_output=True, check=False, timeout=TOOL_TIMEOUT_S).stdout
    if vmlinuz[56:60] != b"ARM\x64":
        raise ImageError("vmlinuz holds no Image of arm64")
    return vmlinuz


def modules(root, release):
    """Files of the modules that the guest loads, in that order. The package brings no modules.dep."""
    base = root if (root / "lib/modules").is_dir() else root / "usr"
    tool("depmod", "-b", base, release)
    found = []
    for name in MODULES:
        try:
            listed = tool("modprobe", "-d", base, "-S", release, "-C", "/dev/null", "--show-depends", name).decode()
        except ImageError:
            continue  # this architecture has not got it: init tells what is missing when it cannot go on
        for path in re.findall(r"^insmod (\S+)", listed, re.M):
            if path not in found:
                found.append(path)
    if not any("/9p.ko" in path for path in found):
        raise ImageError(f"the modules of {release} hold no 9p")
    return [Path(path) for path in found]


def unpacked(path):
    data = path.read_bytes()
    if path.suffix == ".xz":
        return lzma.decompress(data)
    if path.suffix == ".zst":
        return tool("zstd", "-dcq", path)
    if path.suffix == ".gz":
        return gzip.decompress(data)
    return data


def initramfs(folder, busybox, module_files):
    """A cpio archive; the order to load the modules in is in their names."""
    for name in ("bin", "modules", "dev", "proc", "sys", "lower", "upper", "newroot"):
        (folder / name).mkdir(parents=True)
    shutil.copy(busybox, folder / "bin/busybox")
    shutil.copy(HERE / "init", folder / "init")
    (folder / "init").chmod(0o755)
    for number, path in enumerate(module_files):
        (folder / "modules" / f"{number:02}-{path.name.split('.')[0]}.ko").write_bytes(unpacked(path))
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
    return tool("cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0", cwd=folder, input="\n".join(names).encode())


# -- the cache

def recipe(kernel):
    """Changes when what makes an image does."""
    digest = hashlib.sha256(repr(kernel).encode())
    for name in ("image.py", "init"):
        digest.update((HERE / name).read_bytes())
    return digest.hexdigest()


def sums(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink() and path.name != "stamp")
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def is_whole(folder, kernel):
    try:
        stamp = json.loads((folder / "stamp").read_text(encoding="utf-8"))
        return stamp["recipe"] == recipe(kernel) and stamp["sums"] == sums(folder)
    except (OSError, ValueError, KeyError):
        return False


@contextlib.contextmanager
def locked(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def made(name, product, is_whole, say, what, make_in):
    """The directory of that name in the cache. Where is_whole(it) does not hold make_in(work) makes it anew as work/product, and it replaces what was there.
    Several may ask for one at once: one of them makes it."""
    place = cache_directory() / name
    try:
        with locked(cache_directory() / f"{name}.lock"):
            if is_whole(place):
                return place
            say(f"{'making anew' if place.exists() else 'making'} the {what} in {place}")
            with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=cache_directory()) as work:
                make_in(Path(work))
                if place.exists():
                    place.rename(Path(work) / "old")
                (Path(work) / product).rename(place)
            return place
    except OSError as error:
        raise ImageError(f"no {what}: {error}") from error


def busybox_for(archive, kernel, work):
    if kernel.arch == host_arch():
        found = shutil.which("busybox")
        if found:
            return Path(found)
        raise ImageError("busybox is missing: packaging/install-deps.sh vm installs it")
    package = archive.download(["busybox-static"])["busybox-static"]
    tool("dpkg-deb", "-x", package, work / "busybox")
    return next(path for path in (work / "busybox/bin/busybox", work / "busybox/usr/bin/busybox") if path.exists())


def make(kernel, work):
    """Into work/image. The packages and what they unpack to are left beside it, for the caller to remove."""
    archive = Archive(work / "apt", kernel.suite, kernel.arch)
    names = kernel_packages(archive, kernel)
    for name, path in archive.download(names).items():
        if name in names:
            tool("dpkg-deb", "-x", path, work / "root")
    # Beside its modules, instead of in /boot, from 6.19 or so.
    found = [*work.glob("root/boot/vmlinuz-*"), *work.glob("root/usr/lib/modules/*/vmlinuz")]
    if not found:
        raise ImageError(f"{', '.join(names)} of {kernel.suite} hold no vmlinuz")
    vmlinuz = found[0]
    release = vmlinuz.name.partition("-")[2] or vmlinuz.parent.name
    image = work / "image"
    image.mkdir()
    (image / "vmlinux").write_bytes((flat_of if kernel.arch == "arm64" else elf_of)(vmlinuz.read_bytes()))
    busybox = busybox_for(archive, kernel, work)
    (image / "initrd").write_bytes(initramfs(work / "initramfs", busybox, modules(work / "root", release)))
    if kernel.programs:
        # libc is the machine's own: a program's libraries may be older than it, not newer.
        names = [name for name in archive.needed(kernel.programs) if name not in ("libc6", "libgcc-s1", "libcrypt1")]
        names = [name for name in names if name.startswith("lib") or name in (*kernel.programs, "zlib1g")]
        for name, path in archive.download(names).items():
            if name in names:
                tool("dpkg-deb", "-x", path, image / "programs")
    stamp = {"recipe": recipe(kernel), "release": release, "sums": sums(image)}
    (image / "stamp").write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")


def image(kernel, say=lambda text: None):
    """Directory of the kernel's image, made if it must be. Raises ImageError."""
    what = f"image of {kernel.name} ({kernel.suite}, {kernel.arch})"
    return made(kernel.name, "image", lambda place: is_whole(place, kernel), say, what, lambda work: make(kernel, work))


def release(place):
    return json.loads((place / "stamp").read_text(encoding="utf-8"))["release"]
