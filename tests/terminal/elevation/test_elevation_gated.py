"""Real sudo in a real shell behind the gate of a session: hooks, verdict, vault, evidence together."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bench.commands_drive import WATCH, GatedSeat
from bench.reading_drive import Pace
from elevated_host import PASSWORD, READY, SCRIPT, UID, USER, _files

from watchgate.secret import Secret
from watchgate.session.events import SecretInjected, SecretRejected
from watchgate.session.model import IntegrationPolicy, TargetSettings

pytestmark = [pytest.mark.real, pytest.mark.root]

ASKS = f"{USER} ALL=(ALL) ALL\nDefaults timestamp_timeout=0"


@contextmanager
def seated(folder: Path, *, integration: bool, secret: str = PASSWORD) -> Iterator[GatedSeat]:
    """Somebody at a shell of an ordinary account, whose password the vault has."""
    _files(folder, ASKS, None)
    set_to = (f"PS1=me@host:~{READY.decode()}", "TERM=dumb", "PATH=/usr/bin:/bin", "HOME=/tmp")
    inside = ("env", "-i", *set_to, "bash", "--norc", "--noprofile")
    command = ("unshare", "--mount", "--propagation", "private", "sh", "-c", SCRIPT, "sh")
    settings = TargetSettings(
        integration=IntegrationPolicy.AUTO if integration else IntegrationPolicy.OFF
    )
    seat = GatedSeat(
        [*command, str(folder), UID, *inside],
        {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        folder,
        120,
        Pace(),
        WATCH,
        settings,
        account=USER,
        secret=Secret(secret),
    )
    try:
        yield seat
    finally:
        seat.leave()


def until(seat: GatedSeat, shown: bytes, seconds: float = 20.0) -> None:
    """Let time pass until the operator has seen that."""
    end = time.monotonic() + seconds
    while shown not in seat.driven.seen:
        assert time.monotonic() < end, bytes(seat.driven.seen)
        seat.step("wait", [20])


@pytest.mark.parametrize("integration", [True, False])
def test_sudo_is_answered_from_the_vault_and_nobody_sees_the_password(
    tmp_path: Path, integration: bool
) -> None:
    with seated(tmp_path, integration=integration) as seat:
        until(seat, READY)
        seat.step("wait", [700])
        seat.step("type", ["sudo id -un"])
        seat.step("key", ["enter"])
        until(seat, b"root\r\n")

        (injected,) = [e for e in seat.driven.events if isinstance(e, SecretInjected)]
        assert injected.program == "sudo"
        assert injected.proof == ("integration" if integration else "pattern")
        assert PASSWORD.encode() not in seat.driven.seen
        assert PASSWORD not in repr(seat.driven.events)
        assert b"7717" not in seat.driven.seen


def test_a_wrong_password_is_tried_once_and_never_again(tmp_path: Path) -> None:
    with seated(tmp_path, integration=True, secret="wrong-one") as seat:
        until(seat, READY)
        seat.step("wait", [700])
        seat.step("type", ["sudo id -un"])
        seat.step("key", ["enter"])
        until(seat, b"try again")
        seat.step("key", ["C-c"])
        seat.step("wait", [500])
        seat.step("type", ["sudo id -un"])
        seat.step("key", ["enter"])
        seat.step("wait", [1500])

        events = seat.driven.events
        assert len([e for e in events if isinstance(e, SecretInjected)]) == 1
        assert any(isinstance(e, SecretRejected) for e in events)
        assert b"wrong-one" not in seat.driven.seen


def test_a_program_that_imitates_the_prompt_gets_nothing(tmp_path: Path) -> None:
    with seated(tmp_path, integration=True) as seat:
        until(seat, READY)
        seat.step("wait", [700])
        seat.step("type", [f"read -rsp '[sudo] password for {USER}: ' x"])
        seat.step("key", ["enter"])
        until(seat, b"password for")
        seat.step("wait", [1500])

        assert not [e for e in seat.driven.events if isinstance(e, SecretInjected)]
