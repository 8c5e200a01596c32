"""A play on a real pseudo-terminal, and into a pipe."""

from __future__ import annotations

import os
import pty
import signal
import sys
import termios
import threading
from collections.abc import Iterator

import pytest

from watchgate.clock import SystemClock
from watchgate.errors import NotFound
from watchgate.terminal.defuse import RESET
from watchgate.terminal.playback import _fitted, play
from watchgate.terminal.player import Frame, Player, PlayOptions

TAPE = [Frame(0, b"hello "), Frame(1000, b"\x1b[6nworld"), Frame(60_000_000, b" late")]


def player(frames: list[Frame], **options: object) -> Player:
    return Player(lambda: iter(frames), PlayOptions(**options))  # type: ignore[arg-type]


class Watcher:
    """A terminal that somebody reads, and types keys into when something is shown."""

    def __init__(self, answers: dict[bytes, bytes]) -> None:
        self.far, self.near = pty.openpty()
        self.before = termios.tcgetattr(self.near)
        self.answers = answers
        self.seen = b""
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self) -> None:
        while not self.seen.endswith(RESET + b"\r\n"):
            self.seen += os.read(self.far, 65536)
            for expected in [e for e in self.answers if e in self.seen]:
                os.write(self.far, self.answers.pop(expected))

    def close(self) -> None:
        self.thread.join(10)
        os.close(self.near)
        os.close(self.far)


@pytest.fixture
def watchers() -> Iterator[list[Watcher]]:
    """Closes what a test opens."""
    opened: list[Watcher] = []
    yield opened
    for watcher in opened:
        watcher.close()


def test_a_reader_pauses_and_quits_and_gets_his_terminal_back(watchers: list[Watcher]) -> None:
    watcher = Watcher({b"world": b" ", b"? help": b"q"})
    watchers.append(watcher)
    termios.tcsetwinsize(watcher.near, (24, 80))
    play(player(TAPE), SystemClock(), watcher.near, watcher.near)
    watcher.thread.join(10)

    assert watcher.seen.startswith(b"hello world")
    assert b"\x1b[24;1H\x1b[0m\x1b[7mpaused" in watcher.seen
    assert b"late" not in watcher.seen
    assert termios.tcgetattr(watcher.near) == watcher.before


def test_a_far_moment_is_painted_on_a_terminal(watchers: list[Watcher]) -> None:
    frames = [Frame(number, b"line %06d\r\n" % number * 100) for number in range(3000)]
    watcher = Watcher({b"2999 us": b"q"})
    watchers.append(watcher)
    termios.tcsetwinsize(watcher.near, (24, 80))
    begun = player(
        [*frames, Frame(60_000_000, b"2999 us"), Frame(90_000_000, b"late")], at_us=60_000_000
    )
    play(begun, SystemClock(), watcher.near, watcher.near)
    watcher.thread.join(10)

    assert watcher.seen.count(b"line 002999") == 23
    assert len(watcher.seen) < 5000


def test_without_an_emulator_all_that_leads_there_is_written(
    watchers: list[Watcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("screen_ghostty", "screen_pyte"):
        monkeypatch.setitem(sys.modules, f"watchgate.terminal.{name}", None)
    frames = [Frame(number, b"line %06d\r\n" % number * 100) for number in range(100)]
    watcher = Watcher({b"line 000099": b"q"})
    watchers.append(watcher)
    termios.tcsetwinsize(watcher.near, (24, 80))
    begun = player([*frames, Frame(90_000_000, b"late")], at_us=60_000_000)
    play(begun, SystemClock(), watcher.near, watcher.near)
    watcher.thread.join(10)

    assert watcher.seen.count(b"line ") == 100 * 100


def test_a_terminal_without_a_size_gets_no_status(watchers: list[Watcher]) -> None:
    watcher = Watcher({b"world": b" \x03"})
    watchers.append(watcher)
    termios.tcsetwinsize(watcher.near, (0, 0))
    play(player(TAPE), SystemClock(), watcher.near, watcher.near)
    watcher.thread.join(10)

    assert watcher.seen == b"hello world" + RESET + b"\r\n"


def test_a_failure_gives_the_terminal_back_too(watchers: list[Watcher]) -> None:
    def broken() -> Iterator[Frame]:
        yield TAPE[0]
        raise ValueError("damaged")

    watcher = Watcher({})
    watchers.append(watcher)
    with pytest.raises(ValueError, match="damaged"):
        play(Player(broken, PlayOptions()), SystemClock(), watcher.near, watcher.near)

    assert termios.tcgetattr(watcher.near) == watcher.before


def test_a_termination_gives_the_terminal_back_too(watchers: list[Watcher]) -> None:
    def terminated() -> Iterator[Frame]:
        yield TAPE[0]
        signal.raise_signal(signal.SIGTERM)
        yield TAPE[1]

    handler = signal.getsignal(signal.SIGTERM)
    watcher = Watcher({})
    watchers.append(watcher)
    with pytest.raises(SystemExit):
        play(Player(terminated, PlayOptions()), SystemClock(), watcher.near, watcher.near)

    assert termios.tcgetattr(watcher.near) == watcher.before
    assert signal.getsignal(signal.SIGTERM) is handler


def test_a_pipe_gets_the_octets_and_nothing_else() -> None:
    reader, writer = os.pipe()
    play(player(TAPE, idle_us=0), SystemClock(), None, writer)
    os.close(writer)
    octets = os.read(reader, 4096)
    os.close(reader)

    assert octets == b"hello world late"


def test_a_command_that_is_not_there_is_said_where_nobody_can_press_keys() -> None:
    reader, writer = os.pipe()
    with pytest.raises(NotFound, match="no such command"):
        play(player(TAPE, at_command=3), SystemClock(), None, writer)
    os.close(writer)
    os.close(reader)


def test_nobody_reads_the_pipe_any_more() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    play(player([Frame(0, b"x" * 100_000)]), SystemClock(), None, writer)

    with pytest.raises(BrokenPipeError):
        os.write(writer, b"x")
    os.close(writer)


def test_wide_characters_take_two_columns_of_the_status() -> None:
    assert _fitted("ab漢字", 5) == "ab漢"
    assert _fitted("ab", 5) == "ab"
