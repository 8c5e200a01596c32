"""A person at a real shell on a pseudo-terminal, recorded as the gateway records: what `bench.reading` reads.

The steps are those of an interactions file: `prompt`, `type`, `slow`, `burst`, `burst_keys`, `key`, `paste`,
`rawpaste`, `wait`, `resize`. What is typed is kept only when it was echoed, as in a recording.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchgate.terminal.echo import Decision, EchoProof, InClear

ROWS = 24
QUIET = 0.2
"""Seconds without output after which a prompt is taken for shown."""
PATIENCE = 15.0

_KEYS = {
    "enter": b"\r",
    "up": b"\x1b[A",
    "down": b"\x1b[B",
    "right": b"\x1b[C",
    "left": b"\x1b[D",
    "home": b"\x1b[H",
    "end": b"\x1b[F",
    "tab": b"\t",
    "bs": b"\x7f",
    "del": b"\x1b[3~",
    "esc": b"\x1b",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """A record of the terminal: `o` output, `i` input, `r` something redacted, `s` a new size."""

    t_us: int
    kind: str
    octets: bytes = b""
    size: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What one interaction left, and whether what it is about happened."""

    columns: int
    records: tuple[Taken, ...]
    happened: bool


def available(shell: str) -> bool:
    """Whether *shell* is installed."""
    return shell == "cisco" or shutil.which(shell) is not None


@dataclass(frozen=True, slots=True)
class Pace:
    """How somebody types, and how far away the target is."""

    between_keys: float = 0.015
    """Seconds."""
    round_trip: float = 0.0
    """Seconds from the gateway to the target and back."""


def drive(interaction: dict[str, Any], pace: Pace | None = None) -> Recorded:
    """Carry out *interaction* in an empty home of its own."""
    with tempfile.TemporaryDirectory(prefix="reading-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        for file in interaction.get("files", ()):
            (home / file).write_text("")
        command, environment = shell_of(interaction, home)
        columns = interaction.get("cols", 80)
        seat = Seat(command, environment, home, columns, pace or Pace())
        try:
            for step in interaction["steps"]:
                seat.step(step[0], step[1:])
            return Recorded(seat.columns, seat.taken(), happened(interaction, home))
        finally:
            seat.leave()
            if "tmux" in interaction["id"]:
                subprocess.run(
                    ["tmux", "-L", "gw", "kill-server"], check=False, capture_output=True
                )


def happened(interaction: dict[str, Any], home: Path) -> bool:
    danger: str | None = interaction.get("danger")
    if danger is None:
        return True
    if danger.startswith("-"):
        return not (home / danger[1:]).exists()
    return (home / danger).exists()


def shell_of(interaction: dict[str, Any], home: Path) -> tuple[list[str], dict[str, str]]:
    """The command line and the environment, with start-up lines and history where the shell wants them."""
    shell, rc = interaction["shell"], interaction.get("rc", "")
    history = interaction.get("hist", [])
    environment = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "SHELL": "/bin/sh",
    }
    place = home / ".rc"
    saved = home / ".history"
    saved.write_text("".join(f"{line}\n" for line in history))
    match shell:
        case "bash":
            place.write_text(f"PS1='root@h:~# '\nHISTFILE={saved}\n{rc}\n")
            return ["bash", "--noprofile", "--rcfile", str(place), "-i"], environment
        case "zsh":
            (home / ".zshrc").write_text(
                f"PS1='root@h:~# '\nHISTFILE={saved}\nHISTSIZE=100\nSAVEHIST=100\nbindkey -e\n{rc}\n"
            )
            return ["zsh", "-d", "-i"], environment | {"ZDOTDIR": str(home)}
        case "fish":
            config = home / ".config/fish"
            config.mkdir(parents=True)
            (config / "config.fish").write_text(f"set -g fish_greeting ''\n{rc}\n")
            kept = home / ".local/share/fish"
            kept.mkdir(parents=True)
            lines = "".join(f"- cmd: {line}\n  when: 1700000000\n" for line in history)
            (kept / "fish_history").write_text(lines)
            return ["fish", "-i"], environment
        case "cisco":
            return [sys.executable, "-m", "bench.reading_cli"], environment | {
                "PYTHONPATH": str(Path(__file__).parent.parent)
            }
        case "busybox":
            place.write_text(f"PS1='root@h:~# '\n{rc}\n")
            return ["busybox", "ash", "-i"], environment | {"ENV": str(place)}
        case _:
            place.write_text(f"PS1='root@h:~# '\n{rc}\n")
            return [shell, "-i"], environment | {"ENV": str(place)}


class Seat:
    """A terminal with somebody in front of it."""

    def __init__(
        self,
        command: Sequence[str],
        environment: dict[str, str],
        home: Path,
        columns: int,
        pace: Pace,
    ) -> None:
        self.columns = columns
        self._pace = pace
        self._under_way: deque[tuple[float, bytes]] = deque()
        self._begun = time.monotonic_ns()
        self._proof = EchoProof()
        self._records: list[Taken] = []
        self._shown = 0
        self._last_output = time.monotonic()
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", ROWS, columns, 0, 0))
                os.chdir(home)
                os.execvpe(command[0], list(command), environment)  # noqa: S606 - shells are what is measured
            finally:
                os._exit(127)

    def step(self, name: str, given: Sequence[Any]) -> None:
        match name:
            case "prompt":
                self._until_prompt()
            case "type" | "slow":
                between = given[1] / 1000 if name == "slow" else self._pace.between_keys
                for character in given[0]:
                    self._press(character.encode())
                    self._watch(between)
            case "burst":
                self._press(given[0].encode())
            case "rawpaste":
                self._press(given[0].replace("\n", "\r").encode())
            case "burst_keys":
                self._press(b"".join(_key(key) for key in given[0]))
            case "key":
                self._press(_key(given[0]))
                self._watch(self._pace.between_keys)
            case "paste":
                self._press(b"\x1b[200~" + given[0].encode() + b"\x1b[201~")
            case "wait":
                self._watch(given[0] / 1000)
            case "resize":
                size = (given[0], given[1])
                self._resize(size)
                packed = struct.pack("4H", size[1], size[0], 0, 0)
                fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, packed)
            case _:
                raise ValueError(f"no such step: {name}")

    def taken(self) -> tuple[Taken, ...]:
        """All records, decided to the end."""
        self._watch(0.05 + self._pace.round_trip)
        self._keep(self._proof.close(self._now()))
        return tuple(self._records)

    def leave(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.close(self._terminal)
        os.waitpid(self._pid, 0)

    def _now(self) -> int:
        return (time.monotonic_ns() - self._begun) // 1000

    def _press(self, octets: bytes) -> None:
        """The operator types."""
        self._keep(self._proof.typed(self._now(), octets))
        self._send(octets)

    def _send(self, octets: bytes) -> None:
        """Octets are on their way to the target."""
        self._under_way.append((time.monotonic() + self._pace.round_trip, octets))
        self._arrive()

    def _show(self, octets: bytes) -> None:
        """The target printed."""
        self._keep(self._proof.shown(self._now(), octets))
        self._records.append(Taken(self._now(), "o", octets))

    def _tick(self) -> None:
        """Time passes."""
        self._keep(self._proof.expire(self._now()))

    def _until_tick(self) -> float:
        """Seconds until a tick has something to do, if nothing happens before."""
        return math.inf

    def _resize(self, size: tuple[int, int]) -> None:
        """The window changed its size."""
        self._records.append(Taken(self._now(), "s", size=size))

    def _is_idle(self) -> bool:
        """Nothing waits between the operator and the target."""
        return not self._under_way

    def _arrive(self) -> None:
        """What was pressed a round trip ago comes to the target; its echo comes at once."""
        while self._under_way and self._under_way[0][0] <= time.monotonic():
            os.write(self._terminal, self._under_way.popleft()[1])

    def _keep(self, decisions: Sequence[Decision]) -> None:
        for decision in decisions:
            if isinstance(decision, InClear):
                self._records.append(Taken(self._now(), "i", decision.octets))
            else:
                self._records.append(Taken(self._now(), "r"))

    def _watch(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._read(min(left, 0.02))

    def _read(self, patience: float) -> None:
        if self._under_way:
            patience = min(patience, 0.002)
        patience = min(patience, max(0.0, self._until_tick()))
        ready, _, _ = select.select([self._terminal], [], [], patience)
        self._arrive()
        self._tick()
        if not ready:
            return
        try:
            octets = os.read(self._terminal, 32768)
        except OSError:
            time.sleep(patience)  # the shell has ended
            return
        self._show(octets)
        self._last_output = time.monotonic()
        self._shown += 1

    def _until_prompt(self) -> None:
        begun = time.monotonic()
        while time.monotonic() - begun < PATIENCE:
            self._read(0.02)
            quiet = time.monotonic() - max(self._last_output, begun)
            is_idle = quiet > QUIET + self._pace.round_trip and self._is_idle()
            if self._shown and is_idle and self._is_in_front():
                return

    def _is_in_front(self) -> bool:
        try:
            packed = fcntl.ioctl(self._terminal, termios.TIOCGPGRP, b"\0" * 4)
        except OSError:
            return True
        return bool(struct.unpack("i", packed)[0] == self._pid)


def _key(name: str) -> bytes:
    if name in _KEYS:
        return _KEYS[name]
    if name.startswith("C-"):
        return bytes((ord(name[2:].upper()) & 0x1F,))
    if name.startswith("M-"):
        return b"\x1b" + _key(name[2:])
    return name.encode()


def written(recorded: Recorded, commands: Sequence[Sequence[str | None]]) -> str:
    """*recorded* as text, a record a line; the first says what was found in it: program and text of each command."""
    head = {"columns": recorded.columns, "rows": ROWS, "commands": commands}
    lines = [json.dumps(head, ensure_ascii=False)]
    for record in recorded.records:
        what: object = record.size if record.kind == "s" else record.octets.decode("latin-1")
        lines.append(json.dumps([record.t_us, record.kind, what]))
    return "\n".join(lines) + "\n"
