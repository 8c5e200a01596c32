"""Rules at work in the other shells, through a whole gateway: each tells its commands, or is read off the screen."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e.gateway import World, wait_for, world
from watchgate.catalog import rules
from watchgate.policy.loading import load_text
from watchgate.session.events import (
    CommandDecided,
    CommandFinished,
    CommandRequested,
    IntegrationMissing,
    IntegrationSet,
)
from watchgate.session.ports import RecordKind

pytestmark = pytest.mark.real

PROMPT = b"root@h:~# "
RULES = """
version: 1
rules:
  no-hits:
    description: What must not happen here.
    action: block
    severity: high
    message: Ask the storage team.
    match: {program: [touch, rm], args: "*HIT*"}
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """A shell, and how it is started so that it shows the same prompt everywhere."""

    name: str
    files: dict[str, str]
    command: str
    tells: bool

    def __str__(self) -> str:
        return self.name


KINDS = (
    Kind("zsh", {".zshrc": "PS1='root@h:~# '\n"}, "ZDOTDIR={home} zsh -d -i", tells=True),
    Kind(
        "fish",
        {
            ".config/fish/config.fish": (
                "set -g fish_greeting ''\nfunction fish_prompt; printf 'root@h:~# '; end\n"
            )
        },
        "fish -i",
        tells=True,
    ),
    Kind("dash", {}, "PS1='root@h:~# ' dash -i", tells=False),
    Kind("busybox", {}, "PS1='root@h:~# ' busybox ash -i", tells=False),
)


@contextmanager
def served(folder: Path, kind: Kind) -> Iterator[World]:
    """A gateway before a target whose accounts have that shell."""
    home = folder / "home"
    for name, text in kind.files.items():
        file = home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    home.mkdir(exist_ok=True)
    start = kind.command.format(home=shlex.quote(str(home)))
    login = folder / "login"
    login.write_text(
        f"#!/bin/sh\ncd {shlex.quote(str(home))} || exit\nHOME=$PWD; export HOME\n{start}\n"
    )
    login.chmod(0o755)
    with world(folder, f"ForceCommand {login}") as made, made.serving():
        with made.change() as change:
            for rule in load_text(RULES, "rules.yaml"):
                rules.put(change, rule, "test")
        yield made


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_blocked_line_does_not_run_and_the_others_do(
    kind: Kind, tmp_path: Path, program: Callable[[str], str]
) -> None:
    program(kind.name)
    with served(tmp_path, kind) as gateway, gateway.terminal() as person:
        person.expect(PROMPT, 20)
        for line in ("touch HIT", "touch fine", "cd /tmp"):
            person.send(line + "\r")
            if line == "touch HIT":
                person.expect(b"watchgate: blocked by rule no-hits: Ask the storage team.")
            person.expect(PROMPT)
        person.send("exit\r")
        person.wait()

        home = tmp_path / "home"
        assert not (home / "HIT").exists()
        assert (home / "fine").exists()
        path = gateway.sealed()
        events = gateway.events(path)
        verdicts = [(e.outcome, e.command) for e in events if isinstance(e, CommandDecided)]
        assert verdicts == [
            ("block", "touch HIT"),
            ("allow", "touch fine"),
            ("allow", "cd /tmp"),
            ("allow", "exit"),
        ]
        sources = {e.source for e in events if isinstance(e, CommandRequested)}
        told = [e.shell for e in events if isinstance(e, IntegrationSet)]
        if kind.tells:
            assert (sources, told) == ({"integration"}, [kind.name])
            finished = [e for e in events if isinstance(e, CommandFinished)]
            assert [(e.exit_status, e.cwd) for e in finished[-1:]] == [(0, "/tmp")]
        else:
            assert (sources, told) == ({"screen"}, [])
            assert [e.refused for e in events if isinstance(e, IntegrationMissing)] == [False]
        for track in (RecordKind.OUTPUT, RecordKind.INPUT):
            octets = gateway.octets(track, path)
            assert re.search(rb"7717|__wg", octets) is None


@pytest.mark.parametrize("kind", [KINDS[2]], ids=str)
def test_where_integration_is_required_another_shell_is_refused(
    kind: Kind, tmp_path: Path, program: Callable[[str], str]
) -> None:
    program(kind.name)
    with served(tmp_path, kind) as gateway:
        gateway.configure_target(integration="required")
        with gateway.terminal() as person:
            person.expect(b"this shell cannot tell its commands, and this target requires it", 20)
            person.wait()

        events = gateway.events()
        assert [e.refused for e in events if isinstance(e, IntegrationMissing)] == [True]
        assert not [e for e in events if isinstance(e, CommandDecided)]


def emulators() -> list[int]:
    """The processes of ours in which terminals are emulated."""
    found = []
    for task in Path("/proc/self/task").glob("*/children"):
        for pid in task.read_text().split():
            with contextlib.suppress(OSError):
                if b"watchgate.emulation" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(int(pid))
    return found


def test_a_session_goes_on_when_the_emulator_of_its_terminal_dies(
    tmp_path: Path, program: Callable[[str], str]
) -> None:
    program("dash")
    before = set(emulators())
    with served(tmp_path, KINDS[2]) as gateway, gateway.terminal() as person:
        person.expect(PROMPT, 20)
        person.send("touch first\r")
        person.expect(PROMPT)
        (pid,) = set(emulators()) - before
        os.kill(pid, signal.SIGSEGV)
        person.send("touch HIT\r")
        person.expect(b"watchgate: blocked")
        person.expect(PROMPT)
        wait_for(lambda: bool(set(emulators()) - {pid} - before), "another emulator")

        def runs() -> bool:
            person.send("touch fine\r")
            person.expect(PROMPT)
            return (tmp_path / "home" / "fine").exists()

        wait_for(runs, "lines are read again")
        person.send("touch HIT\r")
        person.expect(b"blocked by rule no-hits")
        person.expect(PROMPT)
        person.send("exit\r")
        person.wait()

        assert not (tmp_path / "home" / "HIT").exists()
    assert set(emulators()) <= before
