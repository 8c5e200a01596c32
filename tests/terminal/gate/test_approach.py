"""When a shell is asked to tell its commands: at rest behind a prompt, and never in the middle of a line."""

from __future__ import annotations

import pytest

from watchgate.session.model import Device as Kind
from watchgate.terminal.gate.approach import Approach
from watchgate.terminal.gate.phases import NOTHING_US, QUIET_US, SILENT_US, Phase
from watchgate.terminal.keys import Key, KeyKind
from watchgate.terminal.live.profiles import profile
from watchgate.terminal.live.reader import LiveReader
from watchgate.terminal.screens import open_screen

PROMPT = b"root@h:~# "


class Terminal:
    """A terminal that is watched."""

    def __init__(self, *, integrate: bool = True, started: str | None = None) -> None:
        self.reader = LiveReader(80, 24, open_screen, profile(Kind.UNIX))
        self.approach = Approach(self.reader, integrate=integrate, started=started, t_us=0)

    def prints(self, t_us: int, octets: bytes) -> None:
        self.reader.printed(t_us, octets)
        self.approach.printed(t_us, octets)


def test_the_first_prompt_is_at_rest_soon_and_anything_else_later() -> None:
    silent, greeted, ready = Terminal(), Terminal(), Terminal()
    greeted.prints(1000, b"Welcome\r\nplease wait")
    ready.prints(1000, b"Welcome\r\n" + PROMPT)

    assert silent.approach.due(Phase.OPENING) == NOTHING_US
    assert greeted.approach.due(Phase.OPENING) == 1000 + SILENT_US
    assert ready.approach.due(Phase.OPENING) == 1000 + QUIET_US


def test_a_prompt_is_left_alone_once_a_line_was_begun_at_it() -> None:
    there = Terminal(started="bash")
    there.prints(0, PROMPT)
    before = there.approach.due(Phase.OPEN)
    there.approach.pressed(Key(KeyKind.TEXT, b"l"))
    there.prints(10, b"l")
    during = there.approach.due(Phase.OPEN)
    there.prints(20, b"\r\n" + PROMPT)

    assert before == QUIET_US
    assert during is None
    assert there.approach.due(Phase.OPEN) == 20 + QUIET_US


def test_the_terminals_own_reports_begin_no_line() -> None:
    there = Terminal(started="bash")
    there.prints(0, PROMPT)
    there.approach.pressed(Key(KeyKind.REPORT, b"\x1b[1;1R"))

    assert there.approach.due(Phase.OPEN) == QUIET_US


@pytest.mark.parametrize("phase", [Phase.ASKING, Phase.SETTLING, Phase.TAKING, Phase.MARKING])
def test_nothing_is_asked_while_something_else_waits(phase: Phase) -> None:
    there = Terminal(started="bash")
    there.prints(0, PROMPT)

    assert there.approach.due(phase) is None


@pytest.mark.parametrize(
    ("command", "armed"), [("bash", True), ("sudo -i", True), ("ls", False), ("vim x", False)]
)
def test_a_command_that_starts_a_shell_arms_and_its_end_disarms(command: str, armed: bool) -> None:
    there = Terminal(started="true")
    there.approach.started(command)

    assert (there.approach.armed, there.approach.inside) == (armed, armed)

    there.approach.returned()

    assert (there.approach.armed, there.approach.inside) == (False, False)


def test_without_integration_a_shell_is_known_to_be_in_front_and_not_asked() -> None:
    there = Terminal(integrate=False, started="bash")
    there.prints(0, PROMPT)

    assert there.approach.inside
    assert not there.approach.armed
    assert there.approach.due(Phase.OPEN) is None
