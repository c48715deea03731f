# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A real nginx with a configuration of the tests' own: plain and TLS, a log that counts, and a proxy (a server that is a client too)."""

import os
import shutil
import socket
import subprocess
from dataclasses import dataclass

from . import server
from .wait import wait_until

PLAIN, TLS = 8180, 8543  # beside the scheme's own ports, 80 and 443
LOAD_PLAIN, LOAD_TLS = 8280, 8643  # nothing is logged; the answer is the request's target
H2_TLS, H2_CLEAR = 9443, 9280  # HTTP/2, as PLAIN and TLS otherwise
LOAD_H2, LOAD_H2_CLEAR = 9643, 9681  # HTTP/2; the answer is the request's target, its status the first word of that; a log of its own
LOAD_STATUSES = (200, 201, 404, 410, 503)
LOAD_LOG_FORMAT = "$remote_port|$connection_requests|$request_uri|$status|$body_bytes_sent|$msec|$request_time"
LOG_FORMAT = "$connection|$connection_requests|$remote_port|$request_method|$request_uri|$status|$body_bytes_sent|$https"

CONF = """\
daemon off;
master_process on;
worker_processes 2;
worker_rlimit_nofile 20000;
pid {folder}/nginx.pid;
error_log {folder}/error.log notice;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    log_format counted '{log_format}';
    log_format load '{load_log_format}';
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000;
    keepalive_timeout 60s;
    default_type text/plain;
    server {{
        listen 80; listen [::]:80;
        listen {plain}; listen [::]:{plain};
        listen 443 ssl; listen [::]:443 ssl;
        listen {tls} ssl; listen [::]:{tls} ssl;
        ssl_protocols TLSv1.2 TLSv1.3;
        listen {h2_tls} ssl http2; listen [::]:{h2_tls} ssl http2;
        listen {h2_clear} http2;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        access_log {folder}/access.log counted;
        root {folder}/www;
        location / {{ return 200 "hello $arg_id\\n"; }}
        location /file/ {{ alias {folder}/www/; }}
        location /gzip/ {{ alias {folder}/www/; gzip on; gzip_types *; gzip_min_length 0; }}
        location /proxy/ {{ proxy_pass http://127.0.0.1:{upstream}/; proxy_http_version 1.1; }}
    }}
    server {{
        listen 127.0.0.1:{load_plain} backlog=4096;
        listen 127.0.0.1:{load_tls} ssl backlog=4096;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        keepalive_requests 100000000;
        keepalive_timeout 600s;
        location / {{ return 200 "$request_uri\n"; }}
    }}
    server {{
        ssl_protocols TLSv1.2 TLSv1.3;
        listen 127.0.0.1:{load_h2} ssl http2;
        listen 127.0.0.1:{load_h2_clear} http2;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        access_log {folder}/load.log load buffer=64k flush=200ms;
        http2_max_concurrent_streams 200;
        keepalive_requests 100000000;
        keepalive_timeout 600s;
        location / {{ return 200 "$request_uri\n"; }}
{statuses}
    }}
}}
"""


@dataclass(frozen=True)
class Line:
    connection: int
    connection_requests: int
    port: int
    method: str
    uri: str
    status: int
    body_bytes: int
    https: bool


class Nginx:
    def __init__(self, folder, certificates):
        self.folder = os.path.join(folder, "nginx")
        os.makedirs(os.path.join(self.folder, "www"))
        self.log_path = os.path.join(self.folder, "access.log")
        with open(os.path.join(self.folder, "www", "one-megabyte"), "wb") as file:
            file.write(server.content(1 << 20))
        conf = os.path.join(self.folder, "nginx.conf")
        with open(conf, "w", encoding="ascii") as file:
            file.write(
                CONF.format(
                    folder=self.folder,
                    log_format=LOG_FORMAT,
                    load_log_format=LOAD_LOG_FORMAT,
                    h2_tls=H2_TLS,
                    h2_clear=H2_CLEAR,
                    load_h2=LOAD_H2,
                    load_h2_clear=LOAD_H2_CLEAR,
                    statuses="\n".join(f'        location /{n}/ {{ return {n} "$request_uri\\n"; }}' for n in LOAD_STATUSES),
                    plain=PLAIN,
                    tls=TLS,
                    load_plain=LOAD_PLAIN,
                    load_tls=LOAD_TLS,
                    upstream=server.PLAIN,
                    cert=certificates.cert,
                    key=certificates.key,
                )
            )
        os.chmod(folder, 0o755)
        os.chmod(self.folder, 0o755)
        binary = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen(
            [binary, "-p", self.folder, "-c", conf, "-e", os.path.join(self.folder, "error.log")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(lambda: self.process.poll() is not None or self._answers(), 10, "nginx to answer")
        if self.process.poll() is not None:
            raise RuntimeError(f"nginx did not start: {self.process.stderr.read()}")
        self._offset = 0
        self.lines()

    @staticmethod
    def _answers():
        for port in (80, PLAIN, 443, TLS, LOAD_PLAIN, LOAD_TLS, H2_TLS, LOAD_H2):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                return False
        return True

    @property
    def master(self):
        return self.process.pid

    @property
    def workers(self):
        with open(f"/proc/{self.master}/task/{self.master}/children", encoding="ascii") as file:
            return [int(pid) for pid in file.read().split()]

    def lines(self):
        """Access log lines since the last call. nginx writes a line when its response was sent: see wait_lines()."""
        found = []
        with open(self.log_path, "rb") as file:
            file.seek(self._offset)
            for raw in file:
                if not raw.endswith(b"\n"):
                    break
                self._offset += len(raw)
                parts = raw.decode("ascii").rstrip("\n").split("|")
                found.append(
                    Line(int(parts[0]), int(parts[1]), int(parts[2]), parts[3], parts[4], int(parts[5]), int(parts[6]), parts[7] == "on")
                )
        return found

    def wait_lines(self, count, timeout_s=10):
        found = []

        def enough():
            found.extend(self.lines())
            return len(found) >= count

        wait_until(enough, timeout_s, f"{count} lines in nginx's access log")
        return found

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()
