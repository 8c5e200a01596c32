"""Which capture a program gets, and whether the grant permits it at all.

What a command line says is only a claim (it *claims* to be scp); the capture holds it to its claim.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchgate.clock import Clock
from watchgate.policy.commands import KnownCommand, Place, Source
from watchgate.protocols.ssh.capture import (
    Capture,
    SftpCapture,
    StreamCapture,
    TerminalCapture,
    TransferCapture,
)
from watchgate.protocols.ssh.gated import GatedTerminal
from watchgate.protocols.ssh.ground import Ground
from watchgate.protocols.ssh.wire import Terminal
from watchgate.session.events import text
from watchgate.session.model import Capability, Device, IntegrationPolicy, Policy, ShellKind
from watchgate.transfers import rsync_claim, scp_claim
from watchgate.transfers.manifest import TransferReader
from watchgate.transfers.rsync import RsyncReader
from watchgate.transfers.scp import ScpReader
from watchgate.transfers.sftp_filter import SftpFilter

NO_INTEGRATION = (
    "this target's shells must tell their commands (integration = required), and its kind of command line "
    "cannot: ask the administrator"
)


@dataclass(frozen=True, slots=True)
class Request:
    """The program that a client asks for."""

    number: int
    kind: str
    """`shell`, `exec` or `subsystem`."""
    command: bytes | None
    terminal: Terminal | None

    def known(self) -> KnownCommand | None:
        """What the rules can read of it before it is started; None of a shell: its commands come later."""
        if self.kind == "shell":
            return None
        if self.command is None:
            return KnownCommand(self.number, "sftp", Source.EXEC, True, Place.TRANSFER, "sftp")
        line = text(self.command)
        moves = _transfer(self.number, line) is not None
        return KnownCommand(
            self.number, line, Source.EXEC, True, Place.TRANSFER if moves else Place.SHELL
        )


def capture_of(request: Request, policy: Policy, clock: Clock, ground: Ground) -> Capture | str:
    """The capture of the program that is asked for, or the reason why it may not run."""
    granted = policy.capabilities
    number, command, kind = request.number, request.command, request.kind
    if kind == "subsystem":
        return _sftp(number, policy)
    if kind == "shell" and Capability.SHELL not in granted:
        return "your grant does not permit a shell"
    if policy.shell is ShellKind.GATEWAY and not policy.rules.lists:
        return (
            "your grant permits listed commands only, and no rule lists any: ask the administrator"
        )
    if request.terminal is not None:
        if kind == "exec" and Capability.EXEC not in granted:
            return "your grant does not permit commands"
        if ground.judge.active and _cannot_tell(policy):
            return NO_INTEGRATION
        if ground.judge.active:
            line = None if command is None else text(command)
            return GatedTerminal(number, request.terminal, line, policy, clock, ground)
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


def _cannot_tell(policy: Policy) -> bool:
    """Whether shells there must tell their commands, and none can."""
    settings = policy.settings
    required = settings.integration is IntegrationPolicy.REQUIRED
    return required and settings.device is not Device.UNIX


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
