#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Runs a command under another kernel: tests/vm/run.py [options] KERNEL -- COMMAND...

The command runs as root in a virtual machine whose root is this machine's, read-only, with a tmpfs over it: every tool and file of the host is
there, nothing written reaches the host but what is written below $HTTPTRACE_VM_SHARE (--share DIR). A kernel of another architecture has a root of
its own (root.py), with this repository at its place. It has lo, tracefs, debugfs, bpffs, cgroup2,
securityfs, /dev/shm and no network. The processor is emulated (no KVM is needed): everything takes 10 to 20 times as long.

Its output and error output are ours, its exit status is ours. 124: out of time; 125: there was no virtual machine, or it died.
A boot that hangs is given up after --boot-timeout and tried again, three times in all, which is said; never once the command has begun.
"""

import argparse
import os
import secrets
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import image  # noqa: E402
import root  # noqa: E402
from kernels import KERNELS  # noqa: E402

OUT_OF_TIME, NO_MACHINE = 124, 125
BOOTS = 3


def say(text):
    print(f"vm: {text}", file=sys.stderr, flush=True)


def command_script(options):
    """What the guest's shell runs."""
    env = {"PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), "HOME": "/root", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    env["HTTPTRACE_VM"] = options.kernel
    env["HTTPTRACE_VM_RELEASE"] = image.release(image.cache_directory() / options.kernel)
    if options.root == "/":
        env["HTTPTRACE_VM_IMAGE"] = str(image.cache_directory() / options.kernel)
    if options.share:
        env["HTTPTRACE_VM_SHARE"] = "/run/httptrace-share"
    env.update(item.split("=", 1) for item in options.env)
    lines = [f"export {name}={shlex.quote(value)}" for name, value in env.items()]
    if options.share:
        lines += [
            "/run/busybox mkdir -p $HTTPTRACE_VM_SHARE",
            "/run/busybox mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=none results $HTTPTRACE_VM_SHARE || exit 125",
        ]
    for number, path in enumerate(options.mount):
        at = shlex.quote(path)
        lines += [
            f"/run/busybox mkdir -p {at}",
            f"/run/busybox mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro mount{number} {at} || exit 125",
        ]
    lines += [f"cd {shlex.quote(options.directory)} || exit 125", f"exec {shlex.join(options.command)}"]
    return "\n".join(lines) + "\n"


def share_options(name, path, read_only=False):
    more = ",readonly=on" if read_only else ""
    return [
        *("-fsdev", f"local,id={name},path={path},security_model=none,multidevs=remap{more}"),
        *("-device", f"virtio-9p-pci,fsdev={name},mount_tag={name}"),
    ]


def qemu(options, kernel, place, work, ports):
    """Command line of the machine. ports: {name: file descriptor to write to}."""
    if kernel.arch == "arm64":
        machine = ["qemu-system-aarch64", "-M", "virt", "-cpu", "max,pauth-impdef=on"]
        console = "ttyAMA0"
    else:
        machine = ["qemu-system-x86_64", "-M", "q35", "-cpu", "max"]
        console = "ttyS0"
    arguments = [
        *machine,
        # With thread=multi and two CPUs the guest panics when kernel text is patched, which every attach of a probe does.
        *("-accel", "tcg,thread=single", "-smp", f"2,maxcpus={kernel.possible_cpus}", "-m", str(options.memory)),
        *("-nodefaults", "-nographic", "-no-reboot", "-nic", "none"),
        *("-kernel", str(place / "vmlinux"), "-initrd", str(place / "initrd")),
        *("-append", f"console={console} panic=-1 quiet {options.append}".strip()),
        *("-serial", f"file:{work / 'console'}"),
        *("-device", "virtio-rng-pci", "-device", "virtio-serial-pci"),
        *share_options("root", options.root, read_only=True),
        *share_options("share", work),
    ]
    if options.share:
        arguments += share_options("results", os.path.abspath(options.share))
    for number, path in enumerate(options.mount):
        arguments += share_options(f"mount{number}", path, read_only=True)
    for name, descriptor in ports.items():
        arguments += ["-chardev", f"file,id={name},path=/dev/fd/{descriptor}", "-device", f"virtserialport,chardev={name},name={name}"]
    return arguments


def pass_on(data, stream):
    try:
        stream.write(data)
        stream.flush()
    except BrokenPipeError:
        pass  # nobody reads: the command goes on, as it would into /dev/null


def pump(descriptor, stream, end):
    """What the guest writes, to our own output, as it comes, up to the mark `end`. The descriptor is the caller's."""
    kept = b""
    while data := os.read(descriptor, 65536):
        kept += data
        at = kept.find(end)
        if at < 0:
            # The end of what came may be the begin of the mark.
            at = len(kept) - next((n for n in range(min(len(end) - 1, len(kept)), 0, -1) if kept.endswith(end[:n])), 0)
        pass_on(kept[:at], stream)
        kept = kept[at:]
        if kept.startswith(end):
            return
    pass_on(kept, stream)


def tail(path, lines=25):
    try:
        text = path.read_bytes().decode(errors="replace").replace("\r", "")
    except OSError:
        return ""
    return "\n".join(f"    | {line}" for line in text.splitlines()[-lines:])


def once(options, kernel, place, work):
    """One boot. The command's exit status, OUT_OF_TIME or NO_MACHINE; None when the machine never came up."""
    (work / "command").write_text(command_script(options), encoding="utf-8")
    shutil.copy(Path(__file__).parent / "guest.sh", work / "guest.sh")
    end = b"\0end " + secrets.token_bytes(16)
    (work / "end").write_bytes(end)
    ends = {name: os.pipe() for name in ("control", "out", "err")}
    command = qemu(options, kernel, place, work, {name: pair[1] for name, pair in ends.items()})
    begun = time.monotonic()
    machine = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=open(work / "qemu", "wb"),
        pass_fds=[pair[1] for pair in ends.values()],
        start_new_session=True,
    )
    for pair in ends.values():
        os.close(pair[1])
    pumps = [
        threading.Thread(target=pump, args=(ends[name][0], stream, end), daemon=True)
        for name, stream in (("out", sys.stdout.buffer), ("err", sys.stderr.buffer))
    ]
    for thread in pumps:
        thread.start()
    try:
        ready, _, _ = select.select([ends["control"][0]], [], [], options.boot_timeout)
        if not ready:
            return None
        if not os.read(ends["control"][0], 64):  # QEMU ended
            machine.wait()
            say(f"the machine ended while it booted (status {machine.returncode})\n{tail(work / 'qemu')}\n{tail(work / 'console')}")
            return NO_MACHINE
        if options.verbose:
            say(f"{kernel.name} ({image.release(place)}) is up after {time.monotonic() - begun:.1f} s")
        begun = time.monotonic()
        for thread in pumps:
            thread.join(max(0, begun + options.timeout - time.monotonic()))
        if any(thread.is_alive() for thread in pumps):
            say(f"the command did not end within {options.timeout} s\n{tail(work / 'console')}")
            return OUT_OF_TIME
        status = work / "status"
        if not status.exists():
            say(f"the machine died before the command ended\n{tail(work / 'console', 60)}")
            return NO_MACHINE
        if options.verbose:
            say(f"the command took {time.monotonic() - begun:.1f} s")
        return int(status.read_text(encoding="ascii"))
    finally:
        if machine.poll() is None:
            machine.kill()
        machine.wait()
        for thread in pumps:
            thread.join(10)
        for pair in ends.values():
            os.close(pair[0])
        if options.console:
            shutil.copy(work / "console", options.console)


def run(options):
    """The exit status."""
    kernel = KERNELS[options.kernel]
    try:
        place = image.image(kernel, say)
        if kernel.arch != image.host_arch() and options.root == "/":
            options.root = str(root.root(kernel.arch, say))
            options.mount.append(str(HERE.parent.parent))
    except image.ImageError as error:
        say(error)
        return NO_MACHINE
    if not options.command:
        say(f"{kernel.name}: {image.release(place)} in {place}")
        return 0
    for number in range(1, BOOTS + 1):
        with tempfile.TemporaryDirectory(prefix="httptrace-bpf-vm-") as work:
            status = once(options, kernel, place, Path(work))
            if status is not None:
                return status
            said = tail(Path(work) / "console")
            say(f"boot {number} of {BOOTS} of {kernel.name} hung: not up after {options.boot_timeout} s\n{said}".rstrip())
    return NO_MACHINE


def main():
    parser = argparse.ArgumentParser(description="Runs a command under another kernel.", usage="%(prog)s [options] KERNEL -- COMMAND...")
    parser.add_argument("--memory", type=int, default=2048, metavar="MB", help="of the machine (2048)")
    parser.add_argument("--append", default="", metavar="TEXT", help="more for the kernel's command line")
    parser.add_argument("--share", metavar="DIR", help="read and written there as $HTTPTRACE_VM_SHARE")
    parser.add_argument("--mount", action="append", default=[], metavar="DIR", help="read there at the same path, where --root is another")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="in the command's environment")
    parser.add_argument("--directory", default=os.getcwd(), metavar="DIR", help="where the command runs (here)")
    parser.add_argument("--root", default="/", metavar="DIR", help="the machine's root, instead of this machine's")
    parser.add_argument("--timeout", type=float, default=900, metavar="S", help="for the command (900)")
    parser.add_argument("--boot-timeout", type=float, default=90, metavar="S", help="for a boot (90)")
    parser.add_argument("--console", metavar="FILE", help="what the kernel said is copied there")
    parser.add_argument("-v", "--verbose", action="store_true", help="tell how long it took")
    parser.add_argument("kernel", metavar="KERNEL", choices=KERNELS, help=", ".join(KERNELS))
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="without one the image is made, no more")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(NO_MACHINE))  # the machine ends with us
    return run(options)


if __name__ == "__main__":
    sys.exit(main())
