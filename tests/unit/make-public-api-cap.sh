#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# make-public-api-cap.sh [HTTPTRACE_BPF]: captures public_api.cap anew, for test_public_api.c, which says what is in it. Needed when the capture
# format has changed its version. Needs root, curl, openssl, python3; traffic on loopback only.
set -eu
tracer=$(realpath "${1:-build/httptrace-bpf}")
target=$(dirname "$(realpath "$0")")/public_api.cap
dir=$(mktemp -d)
cd "$dir"
openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>openssl.log

cat >server.py <<'PYTHON'
import http.server, ssl, sys, threading

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(404 if self.path == "/404" else 200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    do_POST = do_GET

    def log_message(self, *_):
        pass

servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2)]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("c.pem", "k.pem")
servers[1].socket = context.wrap_socket(servers[1].socket, server_side=True)
for server in servers:
    threading.Thread(target=server.serve_forever).start()
print(*(server.server_port for server in servers), flush=True)
PYTHON
mkfifo ports
python3 server.py >ports &
server=$!
trap 'kill $server; rm -r "$dir"' EXIT
read -r plain tls <ports

"$tracer" -q -H -w "$target" -- sh -c "
	curl -s --cacert c.pem -H 'Authorization: Bearer s3cret' -o out1 -o out2 'https://localhost:$tls/first?token=s3cret' https://localhost:$tls/again
	curl -s -o out3 -H 'Expect: 100-continue' -d hello http://127.0.0.1:$plain/post
	curl -s -o out4 http://127.0.0.1:$plain/404
	curl -s http://nosuch.invalid/
	curl -s http://127.0.0.1:1/
	true"
chmod 644 "$target"
