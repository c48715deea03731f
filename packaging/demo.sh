#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# demo.sh [OPTION...]: what `make run` does once everything is built. With options: httptrace-bpf with them. Without: starts an HTTPS
# server of its own on a free loopback port, with a throw-away certificate, and shows a traced curl that asks it twice on one connection:
# over HTTP/2 with all hooks, then over HTTP/1.1 with a line for each request.
# Uses sudo when not root. Exit status: httptrace-bpf's. Leaves nothing behind: its files are in a temporary directory.
set -uo pipefail

unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY
tracer=$(realpath -- "${HTTPTRACE_BPF:-build/httptrace-bpf}")
as_root=()
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || {
		echo "demo: tracing needs root, and there is no sudo here: run it as root" >&2
		exit 1
	}
	as_root=(sudo)
fi

[ $# -eq 0 ] || exec "${as_root[@]}" "$tracer" "$@"

dir=$(mktemp -d) || exit 1
server=
cleanup() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# A CA for this one run, and what it signs: curl then verifies the server as it would any other.
if ! {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj '/CN=httptrace-bpf demo CA' \
		-keyout "$dir/ca.key" -out "$dir/ca.pem" &&
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=localhost' -keyout "$dir/key.pem" -out "$dir/csr.pem" &&
		printf 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\n' >"$dir/san" &&
		openssl x509 -req -in "$dir/csr.pem" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days 1 -extfile "$dir/san" \
			-out "$dir/cert.pem"
} >"$dir/openssl.log" 2>&1; then
	echo "demo: openssl could not make a certificate: $(tail -n 1 "$dir/openssl.log")" >&2
	exit 1
fi

cat >"$dir/server.py" <<'PYTHON'
import http.server
import ssl
import sys

import h2.config
import h2.connection
import h2.events


def hello(path):
    return f"hello from {path}\n".encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps the connection open
    wbufsize = -1  # head and body in one write, at once: small writes would wait for each other (Nagle, delayed ACK)
    disable_nagle_algorithm = True

    def handle(self):
        if self.connection.selected_alpn_protocol() == "h2":
            self.handle_h2()
        else:
            super().handle()

    def handle_h2(self):
        h2c = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        h2c.initiate_connection()
        data = b""
        while True:
            for event in h2c.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    body = hello(dict(event.headers)[":path"])
                    fields = [(":status", "200"), ("content-type", "text/plain"), ("content-length", str(len(body)))]
                    h2c.send_headers(event.stream_id, fields)
                    h2c.send_data(event.stream_id, body, end_stream=True)
            self.connection.sendall(h2c.data_to_send())
            data = self.connection.recv(65536)
            if not data:
                break

    def do_GET(self):
        body = hello(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1] + "/cert.pem", sys.argv[1] + "/key.pem")
context.set_alpn_protocols(["h2", "http/1.1"])
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)  # it listens
server.serve_forever()
PYTHON

mkfifo "$dir/port" || exit 1
/usr/bin/python3 "$dir/server.py" "$dir" >"$dir/port" 2>"$dir/server.log" </dev/null &
server=$!
read -r port <"$dir/port"
if [ -z "$port" ]; then
	echo "demo: the server did not start: $(tail -n 1 "$dir/server.log")" >&2
	exit 1
fi

# show OPTION...: a traced curl, given its own options and the two URLs.
show() {
	echo "\$ httptrace-bpf $*"
	"${as_root[@]}" "$tracer" "$@"
}
urls=("https://localhost:$port/" "https://localhost:$port/again")
show -H -o hooks -- curl -s --http2 --cacert "$dir/ca.pem" "${urls[@]}" && echo &&
	show -- curl -s --http1.1 --cacert "$dir/ca.pem" "${urls[@]}"
