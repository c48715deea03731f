#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# demo.sh [OPTION...]: what `make run` does once everything is built. With options: httptrace-bpf with them. Without: starts an HTTPS
# server of its own on a free loopback port, with a throw-away certificate, and shows a traced curl that asks it twice on one connection.
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


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps the connection open
    wbufsize = -1  # head and body in one write, at once: small writes would wait for each other (Nagle, delayed ACK)
    disable_nagle_algorithm = True

    def do_GET(self):
        body = f"hello from {self.path}\n".encode()
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

command=(curl -s --cacert "$dir/ca.pem" "https://localhost:$port/" "https://localhost:$port/again")
echo "\$ httptrace-bpf -H -o hooks -- ${command[*]}"
"${as_root[@]}" "$tracer" -H -o hooks -- "${command[@]}"
