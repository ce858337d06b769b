"""A time stamping authority of the tests' own: `openssl ts` behind a loopback HTTP server."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CONFIG = """
[req]
distinguished_name = dn
[dn]
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[signer]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[tsa]
default_tsa = stamp
[stamp]
dir = .
serial = ./serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = yes
ess_cert_id_alg = sha256
"""


class Authority:
    """One authority in one folder: a root, and a certificate for time stamping under it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        (folder / "openssl.cnf").write_text(CONFIG)
        (folder / "serial").write_text("01")
        self.root = folder / "root.pem"
        self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "root.key")
        self._openssl("req", "-x509", "-new", "-key", "root.key", "-subj", "/CN=Test root",
                      "-days", "3650", "-extensions", "root", "-config", "openssl.cnf",
                      "-out", "root.pem")  # fmt: skip
        self._certificate("tsa", "signer")

    def stamp(self, query: bytes) -> bytes:
        """The answer to a request, both in DER."""
        (self._folder / "query.tsq").write_bytes(query)
        self._openssl("ts", "-reply", "-queryfile", "query.tsq", "-inkey", "tsa.key",
                      "-signer", "tsa.pem", "-config", "openssl.cnf",
                      "-section", "stamp", "-out", "answer.tsr")  # fmt: skip
        return (self._folder / "answer.tsr").read_bytes()

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Its URL on the loopback, while the block lasts."""
        stamp = self.stamp

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                good = self.headers["Content-Type"] == "application/timestamp-query"
                query = self.rfile.read(int(self.headers["Content-Length"]))
                answer = stamp(query) if good else b""
                self.send_response(200 if good else 415)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/tsr"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def _certificate(self, name: str, extensions: str) -> None:
        self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")
        self._openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/CN=Test {name}",
                      "-config", "openssl.cnf", "-out", f"{name}.csr")  # fmt: skip
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "root.pem", "-CAkey", "root.key",
                      "-CAcreateserial", "-days", "3650", "-extfile", "openssl.cnf",
                      "-extensions", extensions, "-out", f"{name}.pem")  # fmt: skip

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self._folder, check=True, capture_output=True)
