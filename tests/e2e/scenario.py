# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A scenario: a client, what its server must see, what must be reported; and the clients to make one with."""

from dataclasses import dataclass, field

from bed import h2server, server
from expect import ANY

H = f"http://127.0.0.1:{server.PLAIN}"
H6 = f"http://[::1]:{server.PLAIN}"
N = f"http://www.test:{server.PLAIN}"
S = f"https://localhost:{server.TLS}"
SN = f"https://www.test:{server.TLS}"
H2 = f"https://localhost:{h2server.TLS}"
H2_NAME = f"https://www.test:{h2server.TLS}"
H2_CLEAR = f"http://127.0.0.1:{h2server.CLEAR}"
UPLOAD = 1_200_000  # curl sends Expect from 1 MiB on
CURL = ("curl", "-sS", "-m", "20", "-o", "/dev/null")


def curl(*arguments):
    return lambda bed: [*CURL, *arguments]


def fetch(library, *arguments):
    return lambda bed: bed.script("fetch.py", library, *arguments)


def lwp(*arguments):
    return lambda bed: bed.script("lwp.pl", *arguments)


def steps(*script):
    return lambda bed: bed.steps(*script)


def h2steps(*script):
    return lambda bed: bed.h2steps(*script)


def script(name, *arguments):
    return lambda bed: bed.script(name, *arguments)


def get(target="/", host=f"127.0.0.1:{server.PLAIN}", method="GET", extra=""):
    return f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{extra}\r\n"


@dataclass
class Scenario:
    name: str
    client: object  # bed -> argv
    served: list  # "METHOD status" for each request that reached the server, in order; None: cut before a whole head
    expect: list  # Expect for each report, by the time of its first hook
    exit: object = 0
    trusting: bool = True  # knows our certificate authority
    same_connection: list = field(default_factory=list)  # indexes of reports that share one connection
    check: object = None  # (records, served, run) -> complaints
    why: str = ""
    server: str = "server"  # which server of the bed serves: server, h2, or a daemon's name
    needs: tuple = ()  # daemons on the way there
    # What is in between: tunnel (the same bytes from another address), proxy (other bytes); "" nothing. unseen: no server of ours keeps a ledger.
    through: str = ""
    websockets: list = field(default_factory=list)  # keys that each websocket report must have, by time


def post(bed_arguments):
    return lambda bed: [*CURL, "--data-binary", f"@{bed.payload(UPLOAD)}", *bed_arguments]


TLS13 = {"library": "openssl", "version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "resumed": False, "bound_by": ANY}
H2_TLS = dict(TLS13, alpn="h2", server_name="localhost")
CURL_TLS = dict(TLS13, alpn="http/1.1", server_name="localhost", bound_by="nested")
OWN = {"GotConn": [{"reused": False, "was_idle": False, "idle_ns": None}]}


def dialled(address, name=None, addrs=None):
    """Arguments of the hooks of a dial that succeeds at once."""
    args = {
        "ConnectStart": [{"network": "tcp", "addr": address}],
        "ConnectDone": [{"network": "tcp", "addr": address, "error": None}],
        **OWN,
    }
    if name:
        args["DNSStart"] = [{"host": name}]
        args["DNSDone"] = [{"addrs": addrs or ["127.0.0.1"], "error": None, "coalesced": False}]
    return args


LOCAL = f"127.0.0.1:{server.PLAIN}"
LOCAL_TLS = f"127.0.0.1:{server.TLS}"
