# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A certificate authority and a server certificate of the tests' own, by the openssl command."""

import os
import subprocess

NAMES = ("localhost", "www.test", "two.test", "six.test", "only6.test", "many.test", "slow.test", "eyes.test")
ADDRESSES = ("127.0.0.1", "::1", "10.99.0.1", "10.99.0.2")


class Certificates:
    """Paths: ca (trust this), cert and key (the server's)."""

    def __init__(self, folder):
        self.ca = os.path.join(folder, "ca.pem")
        self.cert = os.path.join(folder, "server.pem")
        self.key = os.path.join(folder, "server.key")
        ca_key = os.path.join(folder, "ca.key")
        request = os.path.join(folder, "server.csr")
        extensions = os.path.join(folder, "server.ext")
        self._openssl(
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-keyout",
            ca_key,
            "-out",
            self.ca,
            "-days",
            "30",
            "-subj",
            "/CN=httptrace-bpf tests",
            "-addext",
            "basicConstraints=critical,CA:TRUE",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
        )
        self._openssl(
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-keyout",
            self.key,
            "-out",
            request,
            "-subj",
            "/CN=localhost",
        )
        with open(extensions, "w", encoding="ascii") as file:
            names = [f"DNS:{name}" for name in NAMES] + [f"IP:{address}" for address in ADDRESSES]
            file.write(f"subjectAltName={','.join(names)}\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n")
        self._openssl(
            "x509",
            "-req",
            "-in",
            request,
            "-CA",
            self.ca,
            "-CAkey",
            ca_key,
            "-set_serial",
            "1",
            "-days",
            "30",
            "-extfile",
            extensions,
            "-out",
            self.cert,
        )
        for path in (self.ca, self.cert, self.key):
            os.chmod(path, 0o644)  # throw-away keys; servers and clients may run as another user

    @staticmethod
    def _openssl(*arguments):
        done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False, timeout=60)
        if done.returncode:
            raise RuntimeError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")
