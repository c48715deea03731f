# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What is traced: a real nginx, and the clients (client.c), all on one CPU.

In: a directory for files. Out: processes that stand ready. They end with stop(); nothing but the directory is left.
"""
import os
import socket
import subprocess
from pathlib import Path

from common import Failure, find_program, pinned, wait_for_line

NGINX_CONF = """
daemon off;
master_process off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log stderr notice;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    server {{
        listen 127.0.0.1:{clear};
        listen 127.0.0.1:{tls} ssl;
        listen 127.0.0.1:{h2} ssl http2;
        ssl_certificate {dir}/cert.pem;
        ssl_certificate_key {dir}/key.pem;
        location / {{ default_type text/plain; return 200 "hello from the benchmark's server\\n"; }}
    }}
}}
"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Server:
    """nginx with a configuration of its own; listens when the constructor returns."""

    def __init__(self, directory, cpu):
        self.clear_port, self.tls_port, self.h2_port = free_ports(3)
        self.ca_file = directory / "cert.pem"
        made = subprocess.run([find_program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                               "-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                               "-keyout", str(directory / "key.pem"), "-out", str(self.ca_file)], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise Failure(f"openssl: {made.stderr.strip().splitlines()[-1]}")
        conf = directory / "nginx.conf"
        conf.write_text(NGINX_CONF.format(dir=directory, clear=self.clear_port, tls=self.tls_port, h2=self.h2_port))
        self.process = subprocess.Popen([find_program("nginx"), "-p", str(directory), "-c", str(conf), "-e", "stderr"], bufsize=0,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=pinned(cpu))
        # It names the operating system once its ports are bound.
        wait_for_line(self.process.stderr, lambda line: " OS: " in line, "nginx")

    def stop(self):
        self.process.terminate()
        self.process.communicate()


class Client:
    def __init__(self, program, cpu, *arguments):
        self.process = subprocess.Popen([str(program), *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        bufsize=1, preexec_fn=pinned(cpu))
        self.pid = self.process.pid

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        answer = self.process.stdout.readline()
        if not answer:
            raise Failure("the client ended")
        return answer.split()

    def run(self, count):
        """Returns (wall us, CPU us) per request."""
        done, wall_ns, cpu_ns = map(int, self.ask(f"run {count}"))
        return wall_ns / done / 1000, cpu_ns / done / 1000

    def libssl(self):
        for line in Path(f"/proc/{self.pid}/maps").read_text().splitlines():
            if "/libssl.so" in line:
                return line.split()[-1]
        raise Failure("the client does not map libssl")

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


class Bed:
    """The server and a client of each kind, by its name: WAYS."""

    WAYS = {
        "clear": "in the clear",
        "tls": "over TLS, by SSL_write and SSL_read",
        "tls_ex": "over TLS, by SSL_write_ex and SSL_read_ex",
        "tls_h2": "HTTP/2 over TLS",
        "work": "a process without sockets",
    }

    def __init__(self, build, directory):
        self.client_program = build / "tests/bench/client"
        # The bench and the tracers, its children, have the other CPUs, if there are any.
        cpus = os.sched_getaffinity(0)
        cpu = max(cpus)
        os.sched_setaffinity(0, cpus - {cpu} or cpus)
        self.server = Server(directory, cpu)
        self.clients = {
            "clear": Client(self.client_program, cpu, self.server.clear_port),
            "tls": Client(self.client_program, cpu, self.server.tls_port, self.server.ca_file),
            "tls_ex": Client(self.client_program, cpu, self.server.tls_port, self.server.ca_file, "ex"),
            "tls_h2": Client(build / "tests/bench/client_h2", cpu, self.server.h2_port, self.server.ca_file),
            "work": Client(self.client_program, cpu, "--work"),
        }
        # Known to be mapped from now on.
        self.libssl = self.clients["tls"].libssl()

    def pids(self):
        return [client.pid for client in self.clients.values()]

    def stop(self):
        for client in self.clients.values():
            client.stop()
        self.server.stop()
