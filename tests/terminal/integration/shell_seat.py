"""Somebody at a real shell on a pseudo-terminal, with hooks or without: what the tests of the hooks drive."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from watchgate.terminal.integration.installing import Installer, Step
from watchgate.terminal.integration.mark_kinds import (
    Asked,
    Foreign,
    Line,
    Prompt,
    Ready,
    Taken,
    Tampered,
    TypedAhead,
)
from watchgate.terminal.integration.marks import Marked, MarkFilter
from watchgate.terminal.integration.verdicts import WAIT_S, answer, echoed

PATIENCE_S = 10.0
NONCE = b"5ca1ab1e0ddba11f"
RTT_US = 1_000

PROMPT = "root@h:~# "


def nothing_denied(line: Line) -> bool:
    return True


def hits_denied(line: Line) -> bool:
    """What the interactions call dangerous."""
    return line.unreadable is None and not any("HIT" in text for text in line.texts)


@dataclass
class Seat:
    """A terminal with a shell; `seen` is what the operator sees."""

    command: Sequence[str]
    environment: dict[str, str]
    home: Path
    permits: Callable[[Line], bool] = nothing_denied
    columns: int = 80
    token: bytes | None = None
    answers: bool = True
    seen: bytearray = field(default_factory=bytearray)
    raw: bytearray = field(default_factory=bytearray)
    lines: list[Line] = field(default_factory=list)
    tampered: list[str] = field(default_factory=list)
    asked: list[bytes] = field(default_factory=list)
    foreign: list[bytes] = field(default_factory=list)
    prompts: list[Prompt] = field(default_factory=list)
    levels: list[int] = field(default_factory=list)
    taken: int = 0
    stood: int = 0
    """How often the primary prompt came behind a line."""
    standing: bool = False
    """A prompt stands: nothing was accepted since."""
    closed: bool = False

    def __post_init__(self) -> None:
        self.marks = MarkFilter()
        self._waiting: list[bytes] = []
        self.verdict_out = False
        self._again = b""
        self._printed = b""
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            try:
                size = struct.pack("4H", 24, self.columns, 0, 0)
                fcntl.ioctl(0, termios.TIOCSWINSZ, size)
                os.chdir(self.home)
                os.execvpe(self.command[0], list(self.command), self.environment)  # noqa: S606
            finally:
                os._exit(127)

    def install(
        self,
        *,
        nonce: bytes = NONCE,
        old: bool = False,
        nested: bool = False,
        wait_s: int = WAIT_S,
    ) -> Step:
        """Set the hooks; gives the last step."""
        if nonce not in self.marks._nonces:
            self.marks.trust(nonce)
        installer = Installer(
            nonce, nested=nested, rtt_us=RTT_US, level=self.marks.depth - 1, old=old, wait_s=wait_s
        )
        end = time.monotonic() + PATIENCE_S
        if nested or self.raw:
            self._act(installer.printed(_now(), [bytes(self.seen[-200:])]), show=False)
        while time.monotonic() < end:
            due = installer.due
            wait = 0.2 if due is None else max(0.0, (due - _now()) / 1e6)
            octets = self._read(min(wait, 0.2))
            step = installer.printed(_now(), self.marks.feed(octets)) if octets else Step()
            self._act(step)
            if installer.due is not None and _now() >= installer.due:
                step = installer.expire(_now())
                self._act(step)
            if step.installed is not None or step.failed is not None or self.closed:
                if step.failed:
                    self.marks.leave(self.marks.depth - 2)
                self.standing = True
                return step
        raise AssertionError(f"the installer never ended: {bytes(self.raw[-2000:])!r}")

    def _act(self, step: Step, *, show: bool = True) -> None:
        if step.type:
            self._write(step.type)
        if show:
            self.seen += step.show
        for marked in step.others:
            self._heard(marked)

    def type(self, octets: bytes) -> None:
        """Type; what is typed while a verdict is out waits for it."""
        if self.verdict_out:
            self._waiting.append(octets)
            return
        if b"\r" in octets or b"\n" in octets or b"\x0f" in octets:
            self.standing = False
        self._write(octets)

    def run(self, line: str, accept: bytes = b"\r") -> str:
        """Type a line and wait for the prompt behind it; gives what was shown."""
        before, prompts = len(self.seen), len(self.prompts)
        self.type(line.encode() + accept)
        self.until(lambda: len(self.prompts) > prompts and self.quiet())
        return self.seen[before:].decode("utf-8", "replace")

    def until_stood(self, times: int) -> None:
        """Until the primary prompt came *times* times behind lines."""
        self.until(lambda: self.stood >= times and self.quiet())

    def until_told(self, lines: int, stood: int) -> None:
        """Until so many lines were told in all, and the primary prompt came behind so many.

        An interrupt may find the shell at its prompt already, which then comes twice.
        """
        self.until(lambda: len(self.lines) >= lines and self.stood >= stood and self.quiet())

    def until_prompts(self, count: int) -> None:
        """Until so many prompts came, those between a command's lines too."""
        self.until(lambda: len(self.prompts) >= count)

    def quiet(self) -> bool:
        return not self.verdict_out and not self._waiting

    def until(self, reached: Callable[[], bool], patience: float = PATIENCE_S) -> None:
        end = time.monotonic() + patience
        while not reached():
            if time.monotonic() > end or self.closed:
                raise AssertionError(f"it never came to that; shown: {bytes(self.raw[-6000:])!r}")
            self.watch(0.05)

    def settle(self, quiet: float = 0.25, patience: float = PATIENCE_S) -> None:
        """Until nothing has been printed for a while."""
        end = time.monotonic() + patience
        while self.watch(quiet) and time.monotonic() < end:
            pass

    def watch(self, wait: float) -> bool:
        """Take what is printed, for at most *wait* seconds; whether anything was."""
        octets = self._read(wait)
        if not octets:
            self.seen += self.marks.flush()
            return False
        for piece in self.marks.feed(octets):
            if isinstance(piece, bytes):
                self.seen += piece
            else:
                self._heard(piece)
        return True

    def _heard(self, marked: Marked) -> None:
        match marked.mark:
            case Line() as line:
                self.lines.append(line)
                self.levels.append(marked.level)
                self.standing = False
                self.verdict_out = True
                if self.answers:
                    self.answer(self.permits(line), marked.level)
            case Taken():
                self.taken += 1
                self.verdict_out = False
                again, self._again = self._again, b""
                waiting, self._waiting = self._waiting, []
                for octets in (again, *waiting):
                    if octets:
                        self._write(octets)
            case TypedAhead(octets):
                self._again += octets
            case Prompt() as prompt:
                self.prompts.append(prompt)
                if not prompt.continuation:
                    self.standing = True
                    self.stood += prompt.status is not None
                self.marks.leave(max(marked.level, 0))
            case Tampered(what):
                self.tampered.append(what)
            case Asked(token):
                self.asked.append(token)
            case Foreign(said):
                self.foreign.append(said)
            case _:
                assert isinstance(marked.mark, Ready) or marked.mark is not None

    def answer(self, permitted: bool, level: int = 0) -> None:
        nonce = self.marks._nonces[level]
        verdict = answer(nonce, permitted=permitted, token=self.token)
        self.marks.expect_echo(echoed(verdict))
        self._write(verdict)

    def _write(self, octets: bytes) -> None:
        """Write all; what is printed meanwhile is kept for the next `_read`."""
        end = time.monotonic() + PATIENCE_S
        while octets:
            readable, writable, _ = select.select([self._terminal], [self._terminal], [], 1)
            if readable:
                self._printed += self._take()
            if writable:
                octets = octets[os.write(self._terminal, octets[:1024]) :]
            assert time.monotonic() < end, "the terminal takes nothing more"

    def _read(self, wait: float) -> bytes:
        printed, self._printed = self._printed, b""
        if printed:
            return printed
        readable, _, _ = select.select([self._terminal], [], [], wait)
        return self._take() if readable else b""

    def _take(self) -> bytes:
        try:
            octets = os.read(self._terminal, 65536)
        except OSError:
            octets = b""
        if not octets:
            self.closed = True
        self.raw += octets
        return octets

    def leave(self) -> None:
        """End the shell and all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        os.close(self._terminal)
        os.waitpid(self._pid, 0)


def _now() -> int:
    return time.monotonic_ns() // 1000


def environment(home: Path, **more: str) -> dict[str, str]:
    return {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "SHELL": "/bin/sh",
        **more,
    }


def bash(home: Path, rc: str = "", *options: str, **more: str) -> tuple[list[str], dict[str, str]]:
    (home / ".rc").write_text(f"PS1='{PROMPT}'\nHISTFILE={home}/.history\n{rc}\n")
    command = ["bash", "--noprofile", "--rcfile", str(home / ".rc"), *options, "-i"]
    return command, environment(home, **more)


def zsh(home: Path, rc: str = "", **more: str) -> tuple[list[str], dict[str, str]]:
    (home / ".zshrc").write_text(
        f"PS1='{PROMPT}'\nHISTFILE={home}/.history\nHISTSIZE=100\nSAVEHIST=100\nbindkey -e\n{rc}\n"
    )
    return ["zsh", "-d", "-i"], environment(home, ZDOTDIR=str(home), **more)


def fish(home: Path, rc: str = "", **more: str) -> tuple[list[str], dict[str, str]]:
    config = home / ".config/fish"
    config.mkdir(parents=True, exist_ok=True)
    (config / "config.fish").write_text(f"set -g fish_greeting ''\n{rc}\n")
    return ["fish", "-i"], environment(home, **more)


def seat(
    shell: str, home: Path, rc: str = "", permits: Callable[[Line], bool] = nothing_denied
) -> Seat:
    """Somebody at *shell*, one of `bash`, `bash_old`, `zsh`, `fish`."""
    command, given = {"bash": bash, "bash_old": bash, "zsh": zsh, "fish": fish}[shell](home, rc)
    return Seat(command, given, home, permits)
