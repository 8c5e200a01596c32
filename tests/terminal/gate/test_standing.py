"""Prompts without their mark are seen where output rests and where a key comes, not in what rushes by."""

from __future__ import annotations

from watchgate.session.model import Device
from watchgate.terminal.gate.phases import LOST_US, RESTED_US
from watchgate.terminal.gate.standing import Standing
from watchgate.terminal.live.profiles import profile
from watchgate.terminal.live.reader import LiveReader
from watchgate.terminal.screen import Screen
from watchgate.terminal.screens import open_screen

PROMPT = b"anna@web1:~$ "


class There:
    """A screen, and how often it was looked at."""

    def __init__(self) -> None:
        self.reader = LiveReader(80, 24, self._open, profile(Device.UNIX))
        self.standing = Standing(self.reader)
        self.t_us = 0

    def _open(self, columns: int, rows: int) -> Screen:
        self.screen = open_screen(columns, rows)
        return self.screen

    def prints(self, octets: bytes, *, runs: bool = True) -> None:
        self.t_us += 1000
        self.reader.printed(self.t_us, octets)
        self.standing.printed(self.t_us, octets, runs=runs)


def test_a_prompt_that_stands_is_due_when_output_rested_and_overdue_once() -> None:
    there = There()
    there.prints(b"done\r\n" + PROMPT)
    printed_us = there.t_us
    assert there.standing.due == printed_us + RESTED_US

    assert not there.standing.overdue(printed_us + RESTED_US)
    assert there.standing.prompt == PROMPT.decode()
    assert there.standing.due == printed_us + LOST_US
    assert there.standing.overdue(printed_us + LOST_US)
    assert not there.standing.overdue(printed_us + 2 * LOST_US)
    assert there.standing.prompt == PROMPT.decode()


def test_a_key_sees_the_prompt_before_its_echo_hides_it() -> None:
    there = There()
    there.prints(b"\r\n" + PROMPT)
    there.standing.look()
    there.prints(b"l")
    there.standing.look()

    assert there.standing.prompt == PROMPT.decode()
    assert there.standing.due is None


def test_what_rushes_by_is_not_looked_at() -> None:
    there = There()
    looks = 0

    class Counted(Standing):
        def look(self) -> None:
            nonlocal looks
            looks += 1
            super().look()

    there.standing = Counted(there.reader)
    for number in range(500):
        there.prints(b"line %d\r\n" % number + PROMPT)
        assert not there.standing.overdue(there.t_us)

    assert looks == 0


def test_output_that_goes_on_takes_the_prompt_away() -> None:
    there = There()
    there.prints(b"\r\n" + PROMPT)
    there.standing.look()
    there.prints(b"\r\nmore")
    there.standing.look()

    assert there.standing.prompt is None
    assert not there.standing.overdue(there.t_us + 10 * LOST_US)


def test_where_no_prompt_would_lack_its_mark_none_is_looked_for() -> None:
    there = There()
    there.prints(b"\r\n" + PROMPT, runs=False)
    there.standing.look()

    assert (there.standing.prompt, there.standing.due) == (None, None)


def test_what_the_shell_said_is_the_end_of_it() -> None:
    there = There()
    there.prints(b"\r\n" + PROMPT)
    there.standing.look()
    there.standing.forget()

    assert (there.standing.prompt, there.standing.due) == (None, None)
