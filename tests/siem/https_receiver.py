"""A webhook over HTTPS as a process: `python https_receiver.py PORT CERTIFICATE KEY OUTPUT`.

Each line of a body is written to OUTPUT before the request is answered with 200.
"""

from __future__ import annotations

import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Receiver(BaseHTTPRequestHandler):
    """Takes what is posted."""

    protocol_version = "HTTP/1.1"
    output: Path

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.output.open("ab", buffering=0) as file:
            file.write(body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Broken connections are what the test is about."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


def main(port: str, certificate: str, key: str, output: str) -> None:
    Receiver.output = Path(output)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = Server(("127.0.0.1", int(port)), Receiver)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
