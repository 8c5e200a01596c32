"""Runs sftp-server behind a filter; where `sftp -D` expects its server. `GRANTED` names what is granted."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

from watchgate.transfers.sftp_filter import SftpFilter

SFTP_SERVER = "/usr/lib/openssh/sftp-server"


def main() -> None:
    """Pass both directions through one filter until the server ends."""
    granted = os.environ["GRANTED"].split()
    sifter = SftpFilter(7, upload="upload" in granted, download="download" in granted)
    turn = threading.Lock()
    server = subprocess.Popen([SFTP_SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if server.stdin is None or server.stdout is None:
        raise SystemExit(1)
    up, down = server.stdin.fileno(), server.stdout.fileno()

    def upward() -> None:
        while data := os.read(0, 65536):
            with turn:
                sifted = sifter.sent(data)
                os.write(1, sifted.answer)
            os.write(up, sifted.forward)
        os.close(up)

    threading.Thread(target=upward, daemon=True).start()
    while data := os.read(down, 65536):
        with turn:
            os.write(1, sifter.received(data).forward)
    sys.stdout.flush()
    os._exit(server.wait())


if __name__ == "__main__":
    main()
