# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Real servers and proxies, as Debian packages them, each with a configuration of the tests' own. Daemons.NAME starts one at first use.

nghttpd, nghttpd_clear: HTTP/2; nghttpx in front of server.py: it answers Upgrade: h2c
tinyproxy: an HTTP proxy that lets CONNECT through to the bed's ports only, 403 for others; squid: the same, over TLS too (an HTTPS proxy), and
at one port for those only who name themselves (407)
microsocks: SOCKS5, microsocks_password: with RFC 1929's user and password; danted: SOCKS4 and 5; socks4a: socks4server.py
grpc, websocket: grpcserver.py, wsserver.py; podman: the service of that name at a Unix socket
"""

import os
import shutil
import signal
import socket
import subprocess

from . import h2server, nginx, server
from .wait import limit, wait_until

NGHTTPD, NGHTTPD_CLEAR = 9543, 9581
NGHTTPX, NGHTTPX_TLS = 9580, 9544
TINYPROXY, SQUID, SQUID_TLS, SQUID_ASKING = 9888, 9128, 9129, 9130
MICROSOCKS, MICROSOCKS_PASSWORD, DANTED, SOCKS4A = 9180, 9181, 9184, 9185
GRPC, WEBSOCKET, WEBSOCKET_TLS = 9051, 9300, 9343

ALLOWED = (server.TLS, server.PLAIN, h2server.TLS, h2server.CLEAR, nginx.TLS, WEBSOCKET_TLS)  # what CONNECT may reach
USER, PASSWORD = "sockster", "s3cret-of-rfc1929"

TINYPROXY_CONF = """\
Port {port}
Listen 127.0.0.1
Timeout 60
LogFile "{folder}/tinyproxy.log"
PidFile "{folder}/tinyproxy.pid"
MaxClients 50
Allow 127.0.0.1
DisableViaHeader Yes
{connect}
"""

SQUID_CONF = """\
http_port 127.0.0.1:{port}
http_port 127.0.0.1:{asking}
https_port 127.0.0.1:{tls} tls-cert={cert} tls-key={key}
auth_param basic program /usr/lib/squid/basic_fake_auth
acl asking localport {asking}
acl known proxy_auth REQUIRED
acl allowed port {allowed}
acl CONNECT method CONNECT
http_access deny CONNECT !allowed
http_access deny asking !known
http_access allow all
cache deny all
access_log none
cache_log {folder}/squid/cache.log
cache_store_log none
pid_filename {folder}/squid/squid.pid
coredump_dir {folder}/squid
cache_effective_user {user}
shutdown_lifetime 0 seconds
via off
forwarded_for delete
pinger_enable off
netdb_filename none
max_filedescriptors 1024
"""

DANTED_CONF = """\
logoutput: {folder}/danted.log
internal: 127.0.0.1 port = {port}
external: 127.0.0.1
clientmethod: none
socksmethod: none
user.privileged: root
user.unprivileged: nobody
client pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 }}
socks pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 }}
"""


def find(name):
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    assert path, f"{name} is not installed (packaging/install-deps.sh test)"
    return path


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


class Daemon:
    """A process in a session of its own, ready when its ports answer."""

    def __init__(self, folder, name, arguments, *ports):
        self.name, self.log = name, os.path.join(folder, f"{name}.out")
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True, cwd=folder
            )
        wait_until(lambda: self.process.poll() is not None or all(map(answers, ports)), 20, f"{name} to answer")
        assert self.process.poll() is None, f"{name} did not start: {self.output()}"

    @property
    def pid(self):
        return self.process.pid

    def output(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self):
        """Its children too: the session's process group is its own."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(limit(3))
                return
            except subprocess.TimeoutExpired:
                continue
            except ProcessLookupError:
                self.process.wait()
                return


class Grpc(server.Server):
    MODULE = "bed.grpcserver"


class WebSocket(server.Server):
    MODULE = "bed.wsserver"


class Socks4(server.Server):
    MODULE = "bed.socks4server"


class Daemons:
    def __init__(self, folder, certificates):
        self.folder, self.certificates = os.path.join(folder, "daemons"), certificates
        os.mkdir(self.folder)
        os.chmod(self.folder, 0o755)
        self._running = {}

    def _once(self, name, start):
        if name not in self._running:
            self._running[name] = start()
        return self._running[name]

    def _file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        return path

    def _daemon(self, name, arguments, *ports):
        return self._once(name, lambda: Daemon(self.folder, name, arguments(), *ports))

    def _nghttpd(self, *arguments):
        www = os.path.join(self.folder, "www")
        os.makedirs(www, exist_ok=True)
        for name, size in (("index.html", 100), ("one-megabyte", 1 << 20), ("style.css", 700)):
            with open(os.path.join(www, name), "wb") as file:
                file.write(server.content(size))
        common = [
            "-a",
            "127.0.0.1",
            "-d",
            www,
            "--trailer",
            "x-sum: 7",
            "--padding",
            "100",
            "--echo-upload",
            "-p",
            "/index.html=/style.css",
        ]
        return [find("nghttpd"), *common, *arguments]

    @property
    def nghttpd(self):
        keys = (self.certificates.key, self.certificates.cert)
        return self._daemon("nghttpd", lambda: self._nghttpd(str(NGHTTPD), *keys), NGHTTPD)

    @property
    def nghttpd_clear(self):
        return self._daemon("nghttpd_clear", lambda: self._nghttpd("--no-tls", str(NGHTTPD_CLEAR)), NGHTTPD_CLEAR)

    @property
    def nghttpx(self):
        return self._daemon(
            "nghttpx",
            lambda: [
                find("nghttpx"),
                "--conf=/dev/null",
                "--no-ocsp",
                "--workers=1",
                f"--frontend=127.0.0.1,{NGHTTPX};no-tls",
                f"--frontend=127.0.0.1,{NGHTTPX_TLS}",
                f"--backend=127.0.0.1,{server.PLAIN}",
                self.certificates.key,
                self.certificates.cert,
            ],
            NGHTTPX,
            NGHTTPX_TLS,
        )

    @property
    def tinyproxy(self):
        def arguments():
            connect = "\n".join(f"ConnectPort {port}" for port in ALLOWED)
            conf = self._file("tinyproxy.conf", TINYPROXY_CONF.format(port=TINYPROXY, folder=self.folder, connect=connect))
            return [find("tinyproxy"), "-d", "-c", conf]

        return self._daemon("tinyproxy", arguments, TINYPROXY)

    @property
    def squid(self):
        def arguments():
            user = "proxy"
            os.mkdir(os.path.join(self.folder, "squid"))
            shutil.chown(os.path.join(self.folder, "squid"), user)
            conf = SQUID_CONF.format(
                port=SQUID,
                tls=SQUID_TLS,
                asking=SQUID_ASKING,
                cert=self.certificates.cert,
                key=self.certificates.key,
                allowed=" ".join(map(str, ALLOWED)),
                folder=self.folder,
                user=user,
            )
            return [find("squid"), "--foreground", "-f", self._file("squid.conf", conf)]

        return self._daemon("squid", arguments, SQUID, SQUID_TLS, SQUID_ASKING)

    @property
    def podman(self):
        """Podman's service, which speaks docker's API, too; .socket is where."""
        folder = os.path.join(self.folder, "podman")
        path = f"{folder}.sock"

        def start():
            storage = ["--root", f"{folder}/root", "--runroot", f"{folder}/run", "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs"]
            daemon = Daemon(self.folder, "podman", [find("podman"), *storage, "system", "service", "-t", "0", f"unix://{path}"])
            wait_until(lambda: daemon.process.poll() is not None or os.path.exists(path), 20, "podman's socket")
            daemon.socket = path
            return daemon

        return self._once("podman", start)

    @property
    def microsocks(self):
        return self._daemon("microsocks", lambda: [find("microsocks"), "-i", "127.0.0.1", "-p", str(MICROSOCKS)], MICROSOCKS)

    @property
    def microsocks_password(self):
        return self._daemon(
            "microsocks_password",
            lambda: [find("microsocks"), "-i", "127.0.0.1", "-p", str(MICROSOCKS_PASSWORD), "-u", USER, "-P", PASSWORD],
            MICROSOCKS_PASSWORD,
        )

    @property
    def danted(self):
        return self._daemon(
            "danted",
            lambda: [
                find("danted"),
                "-f",
                self._file("danted.conf", DANTED_CONF.format(folder=self.folder, port=DANTED)),
                "-p",
                os.path.join(self.folder, "danted.pid"),
            ],
            DANTED,
        )

    @property
    def socks4a(self):
        return self._once("socks4a", lambda: Socks4(self.certificates))

    @property
    def grpc(self):
        return self._once("grpc", lambda: Grpc(self.certificates))

    @property
    def websocket(self):
        return self._once("websocket", lambda: WebSocket(self.certificates))

    def forget(self):
        for part in self._running.values():
            if isinstance(part, server.Server):
                part.forget()

    def stop(self):
        for part in self._running.values():
            part.stop()
