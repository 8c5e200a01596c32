"""A screen whose emulator may fail."""

from __future__ import annotations

from live_world import PROMPT, Sitting

from watchgate.terminal.live.glass import Glass
from watchgate.terminal.screen import Screen
from watchgate.terminal.screens import open_screen


class _Failing:
    """Opens emulators that cannot bear an octet, so many times."""

    def __init__(self, times: int = 1 << 30) -> None:
        self.left = times
        self.opened = 0

    def __call__(self, columns: int, rows: int) -> Screen:
        self.opened += 1
        screen = open_screen(columns, rows)
        feed = screen.feed

        def fail(octets: bytes) -> None:
            if b"\x01" in octets and self.left > 0:
                self.left -= 1
                raise RuntimeError("an emulator's own error")
            feed(octets)

        screen.feed = fail  # type: ignore[method-assign]
        return screen


def test_an_emulator_that_fails_is_replaced_by_one_that_is_given_the_tail() -> None:
    glass = Glass(80, 24, _Failing(1))
    glass.feed(0, b"before\r\n")
    glass.feed(1, b"\x01after")
    view = glass.look()

    assert view is not None
    assert [line.text for line in view.rows[:2]] == ["before", "after"]
    assert (glass.broken, glass.cut) == (1, True)


def test_emulators_that_always_fail_are_given_up() -> None:
    failing = _Failing()
    glass = Glass(80, 24, failing)
    for at in range(100):
        glass.feed(at, b"\x01")

    assert glass.look() is None
    assert glass.anchor() is None
    assert failing.opened <= 9


def test_without_an_emulator_a_typed_line_is_told_by_its_keys() -> None:
    failing = _Failing()
    sitting = Sitting(emulator=failing)
    sitting.shows(*([b"\x01"] * 20), PROMPT)
    sitting.types(b"touch HIT")

    line = sitting.holds()

    assert line.text == "touch HIT"
    assert not line.certain
    assert not line.secret


def test_without_an_emulator_a_recalled_line_is_unreadable() -> None:
    sitting = Sitting(emulator=_Failing())
    sitting.shows(*([b"\x01"] * 20), PROMPT)
    sitting.types(b"\x1b[A", echo=b"touch HIT")

    assert sitting.holds().unreadable is not None


def test_a_size_that_no_emulator_bears_costs_nothing() -> None:
    glass = Glass(0, 0, open_screen)
    glass.resize(-1, 1 << 30)
    glass.feed(0, b"x")

    assert glass.look() is not None
