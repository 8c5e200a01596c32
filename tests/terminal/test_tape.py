"""A play whose long ways are painted: what is written to the terminal, and what it then shows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchgate.terminal.keyframes import Keyframes
from watchgate.terminal.player import Effect, Frame, Player, PlayOptions, Quit, Show, Status
from watchgate.terminal.screen import Screen
from watchgate.terminal.screens import open_screen
from watchgate.terminal.tape import AS_IT_IS, CLEAR

SECOND = 1_000_000
SIZE = (60, 10)

LONG = [
    Frame(
        number * SECOND // 10,
        b"\x1b[3%dmline %05d\x1b[0m " % (number % 8, number) + b"x" * 3000 + b"\r\n",
        command=f"command {number}" if number % 500 == 0 else None,
    )
    for number in range(2000)
]
"""Two hundred seconds, six megabytes."""

VARIED = [
    Frame(number * SECOND, octets)
    for number, octets in enumerate(
        [
            b"shell$ ",
            b"vim\r\n\x1b[?1049h\x1b[2J\x1b[H",
            b"\x1b[7mtext\x1b[0m in vim\r\n" * 5,
            b"\x1b[5;5H\x1b[4mhere\x1b[0m",
            b"y" * (AS_IT_IS + 1),
            b"\x1b[?1049",  # a sequence that two records share
            b"l",
            b"shell$ \x1b[31mred",
            b"still red\x1b[0m\r\n\xe6\x97",
            b"\xa5\r\n" + b"log line\r\n" * 20_000,
            b"progress 1%\r",
            b"progress 99%\r",
            b"\x1b[2;4r\x1b[2;1Hscrolling\r\n\n\n",
            b"\x1b[r\x1b[10;1Hend",
        ]
    )
]


class Desk:
    """A player on an emulated terminal of its own."""

    def __init__(self, frames: list[Frame], *, emulated: bool = True, **options: object) -> None:
        self.frames = frames
        self.player = Player(lambda: self.source(), PlayOptions(**options))  # type: ignore[arg-type]
        if emulated:
            self.player.emulate(Keyframes(partial(open_screen, history=0), *SIZE))
        self.terminal = open_screen(*SIZE)
        self.now = 7
        self.written = 0
        self.status = ""
        self.over = False
        self.take(self.player.start(self.now))
        self.wait(0)

    def source(self) -> Iterator[Frame]:
        return iter(self.frames)

    def take(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Show(octets):
                    self.written += len(octets)
                    self.terminal.feed(octets)
                case Status(text):
                    self.status = text
                case Quit():
                    self.over = True

    def wait(self, seconds: float) -> Desk:
        end = self.now + round(seconds * SECOND)
        while not self.over:
            due = self.player.due()
            if due is None or due > end:
                break
            self.now = max(self.now, due)
            self.take(self.player.tick(self.now))
        self.now = end
        return self

    def press(self, keys: bytes) -> Desk:
        self.written = 0
        self.take(self.player.typed(self.now, keys))
        return self.wait(0)


def look(screen: Screen) -> tuple[object, ...]:
    return (list(map(list, screen.styled())), screen.cursor, screen.alternate)


def look_after(frames: list[Frame]) -> tuple[object, ...]:
    screen = open_screen(*SIZE)
    screen.feed(b"".join(frame.output for frame in frames))
    return look(screen)


def test_a_far_moment_is_painted_not_written() -> None:
    desk = Desk(LONG).press(b" g150\r")

    assert look(desk.terminal) == look_after(LONG[:1501])
    assert desk.written < 20_000
    assert Desk(LONG, emulated=False).press(b" g150\r").written > 4_000_000


def test_a_play_that_begins_far_in_is_painted() -> None:
    desk = Desk(LONG, at_us=150 * SECOND)

    assert look(desk.terminal) == look_after(LONG[:1501])
    assert desk.written < 20_000


def test_going_back_writes_a_picture_and_a_short_way() -> None:
    desk = Desk(LONG, at_us=190 * SECOND).press(b" ").press(b"\x1b[D")

    assert look(desk.terminal) == look_after(LONG[:1851])
    assert desk.written < AS_IT_IS + 20_000
    assert desk.press(b"g0\r").written < 10_000
    assert look(desk.terminal) == look_after(LONG[:1])


def test_after_going_back_the_play_goes_on_from_there() -> None:
    desk = Desk(LONG, at_us=190 * SECOND).press(b"\x1b[D").wait(3)

    assert look(desk.terminal) == look_after(LONG[:1881])


def test_commands_are_counted_on_painted_ways_too() -> None:
    desk = Desk(LONG).press(b" g190\r")

    assert "command 4: command 1500" in desk.status
    assert "command 4: command 1500" in desk.press(b"N").status
    assert "command 3: command 1000" in desk.press(b"N").status
    assert look(desk.terminal) == look_after(LONG[:1001])
    assert "command 4: command 1500" in desk.press(b"n").status


def test_text_that_is_found_far_away_is_painted() -> None:
    desk = Desk(LONG).press(b"/line 01234\r")

    assert look(desk.terminal) == look_after(LONG[:1235])
    assert desk.written < 20_000


def test_the_next_five_seconds_are_written_as_they_are() -> None:
    frames = [Frame(number * SECOND, b"%d\r\n" % number) for number in range(20)]
    desk = Desk(frames).press(b"\x1b[C")

    assert desk.written == len(b"1\r\n2\r\n3\r\n4\r\n5\r\n")


def test_what_a_status_line_covered_is_painted_again() -> None:
    desk = Desk(LONG, at_us=100 * SECOND).press(b" ")
    desk.terminal.feed(b"\x1b7\x1b[10;1Hpaused\x1b[K\x1b8")
    desk.press(b" ")

    assert look(desk.terminal) == look_after(LONG[:1001])
    assert desk.written < 20_000


def test_a_raw_play_writes_every_octet() -> None:
    frames = [Frame(0, b"a\x1b[6n"), Frame(SECOND, b"x" * 200_000), Frame(9 * SECOND, b"b")]
    desk = Desk(frames, raw=True).press(b"\x1b[C")

    assert desk.written == 200_000
    assert desk.press(b"g1\r").written == len(CLEAR) + 200_005


def test_what_makes_a_terminal_answer_is_not_in_a_picture() -> None:
    frames = [
        Frame(0, b"\x1b[?1000h\x1b[>1u\x1b[6n" + b"x" * 200_000),
        Frame(9 * SECOND, b"\x1b[?2004h"),
    ]
    shown: list[bytes] = []
    player = Player(lambda: iter(frames), PlayOptions(at_us=10 * SECOND))
    player.emulate(Keyframes(partial(open_screen, history=0), *SIZE))
    effects = player.start(0)
    while player.due() == 0:
        effects += player.tick(0)
    shown = [effect.octets for effect in effects if isinstance(effect, Show)]

    assert shown
    assert not any(
        mode in octets for octets in shown for mode in (b"?1000h", b"?2004h", b"[>", b"[6n")
    )


def test_another_size_of_the_terminal_is_painted_for() -> None:
    desk = Desk(LONG, at_us=150 * SECOND)
    desk.player.resized(30, 5)
    desk.terminal.resize(30, 5)
    desk.press(b" g20\r")
    expected = open_screen(30, 5)
    expected.feed(b"".join(frame.output for frame in LONG[:201]))

    assert look(desk.terminal) == look(expected)


KEYS = st.sampled_from(
    [
        b" ",
        b".",
        b"\x1b[C",
        b"\x1b[D",
        b"g0\r",
        b"g4\r",
        b"g7\r",
        b"g9\r",
        b"g99\r",
        b"/red\r",
        b"/log\r",
    ]
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(KEYS, st.floats(0, 4)), max_size=8))
def test_whatever_is_pressed_the_terminal_shows_some_moment(
    steps: list[tuple[bytes, float]],
) -> None:
    moments = [look_after(VARIED[:number]) for number in range(len(VARIED) + 1)]
    desk = Desk(VARIED)
    for keys, seconds in steps:
        desk.press(keys).wait(seconds)

        assert look(desk.terminal) in moments


@pytest.mark.parametrize("number", range(len(VARIED)))
def test_every_moment_is_shown_as_it_was_from_either_side(number: int) -> None:
    there = f"g{number}\r".encode()
    expected = look_after(VARIED[: number + 1])

    assert look(Desk(VARIED).press(b" ").press(there).terminal) == expected
    assert look(Desk(VARIED).press(b" g99\r").press(there).terminal) == expected
