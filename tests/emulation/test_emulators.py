"""A screen in another process is the same screen, and that process may die, hang and lie."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watchgate.emulation.emulators import Emulators
from watchgate.emulation.host import ANSWER_S, HANG_S, GoneError, Host
from watchgate.emulation.screen import KEPT
from watchgate.emulation.wire import Frame, Op, numbers
from watchgate.terminal.live.glass import Glass
from watchgate.terminal.screen import Anchor, LiveScreen, ScreenAwayError, ScreenLostError
from watchgate.terminal.screens import open_screen

FRAIL = (sys.executable, "-P", str(Path(__file__).with_name("frail_emulator.py")))

printed = st.lists(
    st.sampled_from(
        (
            b"ls -la",
            b"\r\n",
            b"\x1b[2J\x1b[H",
            b"\x1b[5;10H",
            b"\x1b[2mdim\x1b[m",
            b"\x1b[38;5;240mgray",
            b"\x1b[?1049h",
            b"\x1b[?1049l",
            "漢字".encode(),
            b"w" * 100,
            b"\xff\x00\x1b",
        )
    )
    | st.binary(max_size=20),
    max_size=30,
)


@pytest.fixture(scope="module")
def emulators() -> Iterator[Emulators]:
    made = Emulators()
    made.ready()
    yield made
    made.stop()


@pytest.fixture
def frail() -> Iterator[Emulators]:
    made = Emulators(partial(Host, FRAIL))
    made.ready()
    yield made
    made.stop()


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_open(made: Emulators) -> bool:
    try:
        made.open(80, 24)
    except ScreenAwayError:
        return False
    return True


def seen(screen: LiveScreen, anchors: list[Anchor]) -> object:
    column, row = screen.cursor
    return (
        (screen.columns, screen.rows, screen.cursor, screen.alternate, list(screen.lines())),
        [anchor.place() for anchor in anchors],
        [screen.dim(column, row), screen.dim(0, 0), screen.dim(-1, 99)],
        [
            [(run.text, run.columns, run.style.dim, run.style.foreground) for run in runs]
            for runs in screen.styled()
        ],
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(printed, st.integers(1, 5), st.sets(st.integers(0, 30)))
def test_it_shows_what_a_screen_in_the_same_process_shows(
    emulators: Emulators, pieces: list[bytes], every: int, expected: set[int]
) -> None:
    here, there = open_screen(40, 8), emulators.open(40, 8)
    anchors_here: list[Anchor] = []
    anchors_there: list[Anchor] = []
    for number, piece in enumerate(pieces):
        for screen in (here, there):
            screen.feed(piece)
        if number in expected:
            there.expect_look()
        if number % every == 0:
            anchors_here.append(here.anchor())
            anchors_there.append(there.anchor())
        if number == 10:
            for screen in (here, there):
                screen.resize(33, 9)

    assert seen(there, anchors_there) == seen(here, anchors_here)


def test_what_is_printed_waits_until_somebody_looks_or_it_is_much(
    emulators: Emulators, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = emulators.open(80, 24)
    told: list[int] = []
    tell = Host.tell

    def counted(host: Host, frames: bytes) -> None:
        told.append(len(frames))
        tell(host, frames)

    monkeypatch.setattr(Host, "tell", counted)

    screen.feed(b"x" * (KEPT - 100))
    screen.anchor()
    few = len(told)
    screen.feed(b"y" * 100)
    much = len(told)
    assert screen.lines()
    looked = len(told)
    assert screen.cursor
    assert screen.lines()

    assert (few, much, looked, len(told)) == (0, 1, 2, 2)


def test_places_and_screens_that_nobody_wants_are_given_up(emulators: Emulators) -> None:
    screen = emulators.open(80, 24)
    kept = screen.anchor()
    for _ in range(50):
        screen.anchor()
    gc.collect()
    screen.feed(b"x")
    assert kept.place() == (0, 0)

    screen.feed(b"y")
    assert set(screen._seen().places) == {1}

    number = screen._number
    del screen, kept
    gc.collect()
    assert number in emulators.open(80, 24)._host._closed or is_open(emulators)


def test_a_crash_costs_the_culprit_its_screen_and_the_others_only_the_picture(
    frail: Emulators, caplog: pytest.LogCaptureFixture
) -> None:
    innocent, culprit = frail.open(80, 24), frail.open(80, 24)
    innocent.feed(b"$ ")
    assert innocent.cursor == (2, 0)
    culprit.feed(b"DIE")

    with caplog.at_level(logging.WARNING), pytest.raises(ScreenLostError, match="SIGSEGV"):
        culprit.lines()
    with pytest.raises(ScreenAwayError):
        innocent.feed(b"x" * KEPT)
    assert not is_open(frail)
    until(lambda: is_open(frail))
    assert "the terminal emulator is lost" in caplog.text


def test_who_hangs_is_waited_for_once_and_ended(frail: Emulators) -> None:
    screen = frail.open(80, 24)
    screen.feed(b"HANG")
    begun = time.monotonic()
    with pytest.raises(ScreenAwayError, match="late"):
        screen.lines()
    waited = time.monotonic() - begun
    with pytest.raises(ScreenAwayError, match="late"):
        screen.lines()
    again = time.monotonic() - begun - waited

    assert waited < 4 * ANSWER_S
    assert again < ANSWER_S / 2
    assert not is_open(frail)
    until(lambda: is_open(frail), HANG_S + 20)


def test_who_is_late_is_asked_again_when_he_has_caught_up(frail: Emulators) -> None:
    screen = frail.open(80, 24)
    pid = screen._host.pid
    screen.feed(b"DOZE\r\n$ ")
    with pytest.raises(ScreenAwayError):
        screen.lines()
    until(lambda: is_open(frail))

    assert screen.cursor == (2, 1)
    assert screen._host.pid == pid


def test_who_answers_nonsense_is_ended(frail: Emulators) -> None:
    screen = frail.open(80, 24)
    screen.feed(b"LIE")

    with pytest.raises(ScreenLostError, match="nonsense"):
        screen.lines()
    assert screen._host.over


def test_where_there_is_none_screens_are_away(caplog: pytest.LogCaptureFixture) -> None:
    for command in ((*FRAIL, "absent"), ("/nowhere/python",)):
        made = Emulators(partial(Host, command))
        made.ready()
        with pytest.raises(ScreenAwayError):
            made.open(80, 24)
        made.stop()

    assert caplog.text.count("terminals cannot be emulated") == 2


def test_its_process_can_open_no_file_and_ends_with_the_gateway(emulators: Emulators) -> None:
    emulators.ready()
    host = Host()
    limits = Path(f"/proc/{host.pid}/limits").read_text()
    files = next(line for line in limits.splitlines() if line.startswith("Max open files"))
    environment = Path(f"/proc/{host.pid}/cmdline").read_bytes()
    assert files.split()[3:5] == ["0", "0"]
    assert b"watchgate.emulation" in environment

    host._stream.close()  # as when the gateway is killed
    assert host._process.wait(10) == 0


def test_a_host_that_was_ended_says_so() -> None:
    host = Host(FRAIL)
    os.kill(host.pid, signal.SIGTERM)
    host._process.wait(10)

    with pytest.raises(GoneError, match="SIGTERM"):
        host.tell(Frame(Op.OPEN, 1, numbers(80, 24)).packed())


def test_behind_glass_a_terminal_is_read_on_when_the_process_is_there_again(
    frail: Emulators,
) -> None:
    glass, other = Glass(80, 24, frail.open), Glass(80, 24, frail.open)
    glass.feed(1, b"hello\r\n$ ")
    view = glass.look()
    assert view is not None
    other.feed(1, b"DIE")
    assert other.look() is None
    assert glass.anchor() is None  # it was lost to the other
    assert (glass.broken, glass.cut) == (0, True)
    glass.feed(2, b"ls")

    until(lambda: glass.look() is not None)
    back = glass.look()
    assert back is not None
    assert (back.rows[0].text, back.rows[1].text) == ("hello", "$ ls")
    assert not back.faint(0, 0)


def test_behind_glass_what_killed_it_is_not_fed_to_the_next(frail: Emulators) -> None:
    glass = Glass(80, 24, frail.open)
    glass.feed(1, b"DIE")
    assert glass.look() is None
    assert (glass.broken, glass.cut) == (1, True)
    glass.feed(2, b"\r\n$ ")

    until(lambda: glass.look() is not None)
    assert (glass.broken, glass.cut) == (1, True)
    view = glass.look()
    assert view is not None
    assert view.rows[1].text == "$"
