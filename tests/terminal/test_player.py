"""The player: keys and moments in, effects out."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from watchgate.terminal.player import (
    HELP,
    Effect,
    Frame,
    Player,
    PlayOptions,
    Quit,
    Show,
    Status,
)

SECOND = 1_000_000
TAPE = [
    Frame(0, b"zero "),
    Frame(1 * SECOND, command="ls"),
    Frame(1 * SECOND, b"one "),
    Frame(20 * SECOND, b"twenty "),
    Frame(21 * SECOND, command="rm x"),
    Frame(21 * SECOND, b"\x1b[31mNee\x1b[0mdle "),
    Frame(30 * SECOND, b"thirty"),
]


class Desk:
    """A player with a clock, and what its terminal got."""

    def __init__(self, frames: list[Frame] | None = None, **options: object) -> None:
        self.frames = TAPE if frames is None else frames
        self.player = Player(self.source, PlayOptions(**options))  # type: ignore[arg-type]
        self.now = 5
        self.shown = b""
        self.status = ""
        self.over = False
        self.rewinds = 0
        self.take(self.player.start(self.now))

    def source(self) -> Iterator[Frame]:
        return iter(self.frames)

    def take(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Show(octets):
                    _, cleared, after = octets.rpartition(b"\x1b[2J\x1b[3J\x1b[H")
                    self.rewinds += bool(cleared)
                    self.shown = after if cleared else self.shown + octets
                case Status(text):
                    self.status = text
                case Quit():
                    self.over = True

    def wait(self, seconds: float) -> Desk:
        """Let time pass; every due moment is met."""
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
        self.take(self.player.typed(self.now, keys))
        return self.wait(0)


def test_it_plays_at_the_speed_of_life_and_ends() -> None:
    desk = Desk().wait(0.5)

    assert desk.shown == b"zero "
    assert desk.wait(1).shown == b"zero one "
    assert desk.wait(28).over is False
    assert desk.wait(1).over
    assert desk.shown.endswith(b"thirty")
    assert desk.status == ""


def test_twice_the_speed_and_short_pauses() -> None:
    desk = Desk(speed=2, idle_us=2 * SECOND).wait(2.6)

    assert desk.shown.endswith(b"\x1b[31mNee\x1b[0mdle ")
    assert desk.wait(0.3).over is False
    assert desk.wait(0.2).over


def test_space_holds_still_and_shows_where() -> None:
    desk = Desk(duration_us=30 * SECOND).wait(1.5).press(b" ").wait(100)

    assert desk.shown == b"zero one "
    assert desk.status == "paused  0:01.5 / 0:30.0  1x  command 1: ls  ? help"
    desk.press(b" ").wait(18)
    assert desk.status == ""
    assert desk.shown == b"zero one "
    assert desk.wait(1).shown == b"zero one twenty "


def test_a_point_steps_one_record() -> None:
    desk = Desk().wait(1.5).press(b" ").press(b".")

    assert desk.shown == b"zero one twenty "
    assert desk.status.startswith("paused  0:20.0")


def test_a_point_while_playing_holds_still() -> None:
    desk = Desk().wait(1.5).press(b".").wait(60)

    assert desk.shown == b"zero one "


def test_arrows_seek_five_seconds_each_way() -> None:
    desk = Desk().wait(1.5).press(b"\x1b[C" * 4)

    assert desk.shown == b"zero one twenty \x1b[31mNee\x1b[0mdle "
    assert desk.rewinds == 0
    desk.press(b"\x1b[D")
    assert desk.rewinds == 1
    assert desk.shown == b"zero one "
    assert desk.wait(4).shown == b"zero one twenty "


def test_go_to_a_typed_moment() -> None:
    desk = Desk().press(b"g").press(b"0:2").press(b"\x7f").press(b"20")

    assert desk.status == "go to: 0:20"
    desk.press(b"\r")
    assert desk.shown == b"zero one twenty "
    assert desk.press(b"gsoon\r").status == "'soon' is no moment; write seconds or 1:23"
    assert desk.press(b"g1").press(b"\x1b").shown == b"zero one twenty "


def test_n_and_capital_n_go_from_command_to_command() -> None:
    desk = Desk().press(b" n")

    assert desk.status.startswith("paused  0:01.0  1x  command 1: ls")
    assert desk.press(b"n").status.startswith("paused  0:21.0  1x  command 2: rm x")
    assert desk.press(b"n").status == "there is no such command"
    assert desk.press(b"N").status.startswith("paused  0:01.0  1x  command 1: ls")
    assert desk.press(b"N").status == "there is no command before this"


def test_the_next_command_does_not_stop_the_play() -> None:
    desk = Desk().press(b"n")

    assert desk.status == ""
    assert desk.wait(0).shown == b"zero one "
    assert desk.wait(19).shown == b"zero one twenty "


def test_search_finds_text_through_colors_and_chunks() -> None:
    desk = Desk().press(b"/needle\r")

    assert desk.shown.endswith(b"dle ")
    assert desk.status.startswith("paused  0:21.0")
    assert desk.press(b"/\r").status == "'needle' does not come any more"
    assert desk.press(b"gx\r").press(b"/Zero\r").status == "'Zero' does not come any more"
    assert Desk([Frame(0, b"ab"), Frame(9, b"cd")]).press(b"/bc\r").shown == b"abcd"


def test_moments_are_said_and_asked_for_as_the_reader_counts() -> None:
    desk = Desk(origin_us=100 * SECOND, duration_us=30 * SECOND).wait(0.5).press(b" ")

    assert "1:40.5 / 2:10.0" in desk.status
    assert desk.press(b"g2:00\r").wait(0.1).shown.endswith(b"twenty ")


def test_it_begins_at_a_moment_or_a_command() -> None:
    assert Desk(at_us=20 * SECOND).wait(0).shown == b"zero one twenty "
    desk = Desk(at_command=2).wait(0)
    assert desk.shown.endswith(b"dle ")
    assert desk.wait(9).over
    assert Desk(at_command=7).wait(0).player.in_vain == "there is no such command"


def test_help_and_quit() -> None:
    assert Desk().press(b"?").status == HELP
    assert Desk().press(b"q").over
    assert Desk().press(b"\x03").over
    assert Desk().press(b"/\x03").over


def test_speed_keys_change_the_speed() -> None:
    desk = Desk().press(b" ]]>[")

    assert "  4x  " in desk.status


def test_an_empty_recording_ends_at_once() -> None:
    assert Desk([]).wait(0).over


def test_after_the_end_one_can_go_back() -> None:
    desk = Desk().press(b" ").press(b"g99\r")

    assert desk.status.startswith("end  0:30.0")
    assert desk.press(b"\x1b[D").shown.endswith(b"dle ")
    assert desk.press(b" ").wait(60).over


def test_dangerous_octets_are_held_back_unless_raw_is_asked() -> None:
    frames = [Frame(0, b"a\x1b]52;c;"), Frame(0, b"AAAA\x07b\x1b[6n")]

    assert Desk(frames).wait(1).shown == b"ab"
    assert Desk(frames, raw=True).wait(1).shown == b"a\x1b]52;c;AAAA\x07b\x1b[6n"


def test_a_long_way_is_gone_in_pieces() -> None:
    frames = [Frame(number, b"x" * 65536) for number in range(100)]
    desk = Desk(frames)
    desk.take(desk.player.typed(desk.now, b"g9\r"))
    largest = 0
    while desk.player.due() == 0:
        effects = desk.player.tick(desk.now)
        largest = max([largest, *(len(e.octets) for e in effects if isinstance(e, Show))])

    assert 0 < largest <= 5 * 65536


KEYS = st.sampled_from(
    [
        b" ",
        b".",
        b"]",
        b"[",
        b"\x1b[C",
        b"\x1b[D",
        b"n",
        b"N",
        b"g7\r",
        b"g0\r",
        b"g99\r",
        b"/e\r",
        b"?",
        b"\x1b",
        b"\x7f",
    ]
)


@given(st.lists(st.tuples(KEYS, st.floats(0, 8)), max_size=15))
def test_whatever_is_pressed_the_screen_is_that_of_some_moment(
    steps: list[tuple[bytes, float]],
) -> None:
    whole = b"".join(frame.output for frame in TAPE)
    desk = Desk().wait(0.1)
    for keys, seconds in steps:
        desk.press(keys).wait(seconds)

        assert whole.startswith(desk.shown)
