"""Which capture a program gets, and whether the grant permits it at all.

What a command line says is only a claim (it *claims* to be scp); the capture holds it to its claim.
"""

from __future__ import annotations

from watchgate.clock import Clock
from watchgate.protocols.ssh.capture import (
    Capture,
    SftpCapture,
    StreamCapture,
    TerminalCapture,
    TransferCapture,
)
from watchgate.session.events import text
from watchgate.session.model import Capability, Policy
from watchgate.transfers import rsync_claim, scp_claim
from watchgate.transfers.manifest import TransferReader
from watchgate.transfers.rsync import RsyncReader
from watchgate.transfers.scp import ScpReader
from watchgate.transfers.sftp_filter import SftpFilter


def capture_of(
    number: int, command: bytes | None, kind: str, terminal: bool, policy: Policy, clock: Clock
) -> Capture | str:
    """The capture of the program that request *kind* starts, or the reason why it may not run."""
    granted = policy.capabilities
    if kind == "subsystem":
        return _sftp(number, policy)
    if kind == "shell" and Capability.SHELL not in granted:
        return "your grant does not permit a shell"
    if terminal:
        if kind == "exec" and Capability.EXEC not in granted:
            return "your grant does not permit commands"
        return TerminalCapture(number, policy.settings.record_input, clock)
    stream = StreamCapture(policy.settings.record_input)
    if kind == "shell":
        return stream
    transfer = _transfer(number, text(command or b""))
    if transfer is None:
        return stream if Capability.EXEC in granted else "your grant does not permit commands"
    reader, direction = transfer
    if Capability(direction) not in granted:
        return f"your grant does not permit a file {direction}"
    return TransferCapture(reader, stream if Capability.EXEC in granted else None)


def _sftp(number: int, policy: Policy) -> Capture | str:
    upload = Capability.UPLOAD in policy.capabilities
    download = Capability.DOWNLOAD in policy.capabilities
    if not upload and not download:
        return "your grant does not permit file transfers"
    return SftpCapture(SftpFilter(number, upload=upload, download=download))


def _transfer(number: int, command: str) -> tuple[TransferReader, str] | None:
    """The reader of the transfer that *command* claims to be, and its direction."""
    copy = scp_claim.claims(command)
    if copy is not None:
        return ScpReader(number, copy), copy.direction
    sync = rsync_claim.claims(command)
    if sync is not None:
        return RsyncReader(sync, number), sync.direction
    return None
