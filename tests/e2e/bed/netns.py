# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A network and mount namespace of the tests' own.

enter() moves the calling (single-threaded) process, hence all its later children, into new namespaces: there is nothing to clean up, the
kernel drops them with the last process. The mount namespace is a private copy of the host's, so /sys/fs/cgroup, /sys/kernel/btf and /proc
are what they were; only resolv.conf, hosts and nsswitch.conf are covered. PID namespace and cgroup stay the host's.

Inside: lo with 127.0.0.1 and ::1, and 10.99.0.1, 10.99.0.2 and 2001:db8:99::1 (glibc's AI_ADDRCONFIG does not count loopback addresses),
two black holes (a SYN to 198.51.100.0/24 or 2001:db8::/32 is dropped without an answer), and no route to anywhere else: ENETUNREACH.
"""

import ctypes
import os
import socket
import struct

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 1 << 18

UNREACHABLE = "192.0.2.1"  # RFC 5737: no route to it
BLACK_HOLE = "198.51.100.7"  # RFC 5737
BLACK_HOLE6 = "2001:db8::7"  # RFC 3849
OTHERS4 = ("10.99.0.1", "10.99.0.2")
OTHER6 = "2001:db8:99::1"

RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE = 16, 20, 24
NLM_F_REQUEST, NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL = 1, 4, 0x400, 0x200
IFA_ADDRESS, IFA_LOCAL = 1, 2
RTA_DST, RTA_OIF = 1, 4
RT_TABLE_MAIN, RTPROT_BOOT, RTN_UNICAST = 254, 3, 1
IFF_UP = 1

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _attribute(kind, payload):
    size = 4 + len(payload)
    return struct.pack("=HH", size, kind) + payload + b"\0" * (-size % 4)


def _netlink(kind, flags, payload):
    """One rtnetlink request, acknowledged (rtnetlink(7))."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        sock.bind((0, 0))
        sock.send(struct.pack("=IHHII", 16 + len(payload), kind, NLM_F_REQUEST | NLM_F_ACK | flags, 1, 0) + payload)
        answer = sock.recv(8192)
        error = struct.unpack_from("=i", answer, 16)[0]
        if error:
            raise OSError(-error, f"rtnetlink request {kind}: {os.strerror(-error)}")


def _add_address(index, address, prefix_len):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    raw = socket.inet_pton(family, address)
    _netlink(
        RTM_NEWADDR,
        NLM_F_CREATE | NLM_F_EXCL,
        struct.pack("=BBBBI", family, prefix_len, 0, 0, index) + _attribute(IFA_LOCAL, raw) + _attribute(IFA_ADDRESS, raw),
    )


def _add_route(index, network, prefix_len):
    family = socket.AF_INET6 if ":" in network else socket.AF_INET
    raw = socket.inet_pton(family, network)
    _netlink(
        RTM_NEWROUTE,
        NLM_F_CREATE | NLM_F_EXCL,
        struct.pack("=BBBBBBBBI", family, prefix_len, 0, 0, RT_TABLE_MAIN, RTPROT_BOOT, 0, RTN_UNICAST, 0)
        + _attribute(RTA_DST, raw)
        + _attribute(RTA_OIF, struct.pack("=I", index)),
    )


def loopback_up():
    """In a new network namespace it is down. Its index."""
    index = socket.if_nametoindex("lo")
    _netlink(RTM_NEWLINK, 0, struct.pack("=BBHiII", socket.AF_UNSPEC, 0, 0, index, IFF_UP, IFF_UP))
    return index


class Namespaces:
    """File descriptors of the namespaces that were left, for what has to run on the host's side."""

    def __init__(self):
        self.host_net = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.host_mnt = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)

    def join_host(self):
        """For preexec_fn: the child runs in the host's namespaces."""
        here = os.getcwd()
        _check(_libc.setns(self.host_net, CLONE_NEWNET), "setns(net)")
        _check(_libc.setns(self.host_mnt, CLONE_NEWNS), "setns(mnt)")
        os.chdir(here)


def enter(folder):
    """Move this process into new namespaces; the files that cover /etc's are written to folder. Returns Namespaces."""
    if os.geteuid():
        raise PermissionError("the end-to-end tests make namespaces and trace: run them as root")
    left = Namespaces()
    _check(_libc.unshare(CLONE_NEWNS | CLONE_NEWNET), "unshare")
    _check(_libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "make / private")
    files = {
        # Absolute names only, one quick try: a lookup that nobody answers ends after a second.
        "/etc/resolv.conf": "nameserver 127.0.0.1\nsearch .\noptions timeout:1 attempts:1\n",
        "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
        "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
    }
    for path, text in files.items():
        source = os.path.join(folder, os.path.basename(path))
        with open(source, "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(source, 0o644)
        target = os.path.realpath(path)
        if os.path.exists(target):
            _check(_libc.mount(source.encode(), target.encode(), None, MS_BIND, None), f"bind over {target}")
        else:
            raise FileNotFoundError(f"{target}: nothing to bind the tests' own file over")
    nscd = "/run/nscd"  # a name service cache of the host's would answer past our resolv.conf
    if os.path.isdir(nscd):
        _check(_libc.mount(b"none", nscd.encode(), b"tmpfs", 0, None), f"cover {nscd}")
    index = loopback_up()
    for address in OTHERS4:
        _add_address(index, address, 32)
    _add_address(index, OTHER6, 128)
    _add_route(index, "198.51.100.0", 24)
    _add_route(index, "2001:db8::", 32)
    return left
