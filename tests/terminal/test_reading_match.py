"""Typed lines laid beside the lines that the terminal left."""

from __future__ import annotations

from watchgate.terminal.findings import Command
from watchgate.terminal.keyline import Ending, TypedLine
from watchgate.terminal.reading_lines import LeftLine
from watchgate.terminal.reading_match import LineMatch

SECOND = 1_000_000
PROMPT = "root@h:~# "


class Beside:
    """A match, and what it has found."""

    def __init__(self) -> None:
        self.match = LineMatch()
        self.match.keys_seen = True
        self.found: list[tuple[str, str]] = []
        self.number = 0

    def left(
        self, t_us: int, text: str, *, accepted: bool = False, stop: int = len(PROMPT)
    ) -> None:
        self.number += 2
        line = LeftLine(t_us, self.number, text, (stop,), accepted=accepted)
        self._keep(list(self.match.left(line, opaque=False)))

    def typed(
        self, t_us: int, text: str, *, exact: bool = True, ending: Ending = Ending.ACCEPTED
    ) -> None:
        self._keep(list(self.match.typed(TypedLine(t_us, text, exact, ending), alternate=False)))

    def settle(self, t_us: int) -> None:
        self._keep(list(self.match.settle(t_us, opaque=False)))

    def end(self) -> list[tuple[str, str]]:
        self._keep(list(self.match.finish(opaque=False)))
        return self.found

    def _keep(self, commands: list[Command]) -> None:
        self.found += [(c.text, c.source) for c in commands]


def test_keys_may_come_before_the_line_is_left_and_after() -> None:
    beside = Beside()
    beside.left(SECOND, PROMPT + "ls")
    beside.typed(SECOND + 600_000, "ls")
    beside.typed(3 * SECOND, "id")
    beside.left(3 * SECOND + 50_000, PROMPT + "id")

    assert beside.end() == [("ls", "screen"), ("id", "screen")]


def test_a_line_that_the_keys_do_not_tell_is_read_from_the_screen() -> None:
    beside = Beside()
    beside.left(SECOND, PROMPT + "rm HITfile ")
    beside.typed(SECOND + 1000, "rm HI", exact=False)

    assert beside.end() == [("rm HITfile", "screen")]


def test_a_line_that_the_screen_never_showed_is_told_by_the_keys() -> None:
    beside = Beside()
    beside.typed(SECOND, "ls")
    beside.settle(3 * SECOND)

    assert beside.end() == [("ls", "keys")]


def test_what_was_expanded_is_read_as_it_was_run() -> None:
    beside = Beside()
    beside.left(SECOND, PROMPT + "ls")
    beside.typed(SECOND + 1000, "ls")
    beside.left(5 * SECOND, PROMPT + "git checkout main")
    beside.typed(5 * SECOND + 1000, "gco main")

    assert beside.end() == [("ls", "screen"), ("git checkout main", "screen")]


def test_noise_on_the_line_does_not_replace_what_was_typed() -> None:
    beside = Beside()
    beside.left(SECOND, PROMPT + "ls")
    beside.typed(SECOND + 1000, "ls")
    beside.left(5 * SECOND, PROMPT + "tNOISE")
    beside.left(5 * SECOND + 500_000, "ouch HIT", stop=1)
    beside.typed(5 * SECOND + 500_001, "touch HIT")

    assert beside.end() == [("ls", "screen"), ("touch HIT", "keys")]


def test_a_line_that_was_interrupted_is_no_command() -> None:
    beside = Beside()
    beside.typed(SECOND, "rm -rf /", ending=Ending.DROPPED)
    beside.left(SECOND + 1000, PROMPT + "rm -rf /^C")
    beside.left(3 * SECOND, PROMPT + "ls")
    beside.typed(3 * SECOND, "ls")

    assert beside.end() == [("ls", "screen")]


def test_a_line_that_is_drawn_again_below_a_list_was_not_accepted() -> None:
    beside = Beside()
    beside.left(SECOND, PROMPT + "rm H")
    again = beside.match.is_drawn_again(PROMPT + "rm H")
    beside.left(2 * SECOND, PROMPT + "rm HITfile")
    beside.typed(2 * SECOND, "rm H", exact=False)

    assert again is not None
    assert beside.end() == [("rm HITfile", "screen")]


def test_a_line_editor_that_ended_a_line_without_enter_has_run_it() -> None:
    beside = Beside()
    beside.left(SECOND, PROMPT + "touch HIT", accepted=True)
    beside.settle(5 * SECOND)

    assert beside.end() == [("touch HIT", "screen")]


def test_an_enter_that_showed_nothing_does_not_take_the_next_line() -> None:
    beside = Beside()
    beside.left(SECOND, PROMPT + "read -s x")
    beside.typed(SECOND + 1000, "read -s x")
    beside.typed(2 * SECOND, "", exact=False)
    beside.match.shows(2 * SECOND + 400_000, PROMPT)
    beside.left(2 * SECOND + 500_000, PROMPT + "ls")
    beside.typed(2 * SECOND + 500_100, "ls")

    assert beside.end() == [("read -s x", "screen"), ("ls", "screen")]


def test_without_keys_only_lines_behind_prompts_are_commands() -> None:
    beside = Beside()
    beside.match.keys_seen = False
    beside.left(SECOND, PROMPT + "ls")
    beside.left(2 * SECOND, "Downloading: 50%", stop=13)
    beside.left(3 * SECOND, PROMPT + "id^C")

    assert beside.end() == [("ls", "screen")]


def test_what_waits_is_bounded() -> None:
    beside = Beside()
    for number in range(5000):
        beside.typed(number, f"line {number}")

    assert len(beside.found) > 4000
    assert not list(beside.match.left(LeftLine(9, 1, PROMPT + "x", (10,)), opaque=False))
