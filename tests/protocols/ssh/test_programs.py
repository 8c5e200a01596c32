"""Which capture a program gets, by what is granted and what it claims to be."""

from __future__ import annotations

import pytest
from judged import NO_RULES, ground, policy

from watchgate.clock import ManualClock
from watchgate.protocols.ssh.capture import (
    SftpCapture,
    StreamCapture,
    TerminalCapture,
    TransferCapture,
)
from watchgate.protocols.ssh.programs import Request, capture_of
from watchgate.protocols.ssh.wire import Terminal
from watchgate.session.model import Capability, TargetSettings

SHELL, EXEC = Capability.SHELL, Capability.EXEC
UPLOAD, DOWNLOAD = Capability.UPLOAD, Capability.DOWNLOAD
ALL = (SHELL, EXEC, UPLOAD, DOWNLOAD)
RSYNC_UP = b"rsync --server -logDtpre.iLsfxCIvu . /tmp"
RSYNC_DOWN = b"rsync --server --sender -logDtpre.iLsfxCIvu . /tmp"


def capture(kind: str, command: bytes | None, terminal: bool, *granted: Capability) -> object:
    held = policy(NO_RULES, TargetSettings(), frozenset(granted))
    request = Request(1, kind, command, Terminal(b"xterm", 80, 24) if terminal else None)
    return capture_of(request, held, ManualClock(), ground(held))


@pytest.mark.parametrize(
    ("kind", "command", "terminal", "expected"),
    [
        ("shell", None, True, TerminalCapture),
        ("shell", None, False, StreamCapture),
        ("exec", b"top", True, TerminalCapture),
        ("exec", b"scp -t /tmp", True, TerminalCapture),
        ("exec", b"uname", False, StreamCapture),
        ("exec", b"scp -t /tmp; bash", False, StreamCapture),
        ("exec", b"scp -t /tmp", False, TransferCapture),
        ("exec", b"scp -f /tmp", False, TransferCapture),
        ("exec", RSYNC_UP, False, TransferCapture),
        ("exec", b"printf '\xff'", False, StreamCapture),
        ("subsystem", None, False, SftpCapture),
    ],
)
def test_a_program_is_captured_as_what_it_is(
    kind: str, command: bytes | None, terminal: bool, expected: type
) -> None:
    assert type(capture(kind, command, terminal, *ALL)) is expected


@pytest.mark.parametrize(
    ("kind", "command", "terminal", "granted"),
    [
        ("shell", None, True, (EXEC, UPLOAD, DOWNLOAD)),
        ("exec", b"id", False, (SHELL, UPLOAD, DOWNLOAD)),
        ("exec", b"id", True, (SHELL, UPLOAD, DOWNLOAD)),
        ("exec", b"scp -t /tmp", False, (SHELL, EXEC, DOWNLOAD)),
        ("exec", b"scp -f /tmp", False, (SHELL, EXEC, UPLOAD)),
        ("exec", b"scp -t /tmp; id", False, (UPLOAD,)),
        ("exec", RSYNC_UP, False, (DOWNLOAD,)),
        ("exec", RSYNC_DOWN, False, (UPLOAD,)),
        ("subsystem", None, False, (SHELL, EXEC)),
    ],
)
def test_what_is_not_granted_is_refused_with_the_reason(
    kind: str, command: bytes | None, terminal: bool, granted: tuple[Capability, ...]
) -> None:
    refused = capture(kind, command, terminal, *granted)

    assert isinstance(refused, str)
    assert refused.startswith("your grant does not permit ")


@pytest.mark.parametrize("command", [b"scp -t /tmp", RSYNC_UP])
def test_a_transfer_alone_is_granted_without_commands(command: bytes) -> None:
    assert isinstance(capture("exec", command, False, UPLOAD), TransferCapture)
