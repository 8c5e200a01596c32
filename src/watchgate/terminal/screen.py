"""What is read of a terminal's screen, whatever emulates it.

A screen is fed what a target printed, which may be hostile: no back end raises for any octets, loops for
long, or grows without a bound. It never answers the target. Rows and columns count from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

Color: TypeAlias = int | tuple[int, int, int] | None
"""A number of the palette (0 to 255), red, green and blue, or the terminal's default."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a screen."""

    text: str
    """Without the blanks at its end, unless the line goes on in the next row."""
    wrapped: bool = False
    """Whether the line goes on in the next row because it was longer than the screen is wide."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a piece of text looks."""

    foreground: Color = None
    background: Color = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    inverse: bool = False
    strikethrough: bool = False
    blink: bool = False
    hidden: bool = False
    """Drawn as blanks; the text is there."""


PLAIN = Style()


@dataclass(frozen=True, slots=True)
class Run:
    """Neighboring cells of one row that look alike; *columns* is their width, wide characters count two."""

    text: str
    columns: int
    style: Style = PLAIN


class Anchor(Protocol):
    """A place in the text that stays with it when the screen scrolls or is resized."""

    def place(self) -> tuple[int, int] | None:
        """Its column and row on the screen now (a negative row: scrolled off), None when it is gone."""


class ScreenAwayError(Exception):
    """There is no picture at the moment, which is no fault of what was fed: another screen may be opened later."""


class ScreenLostError(Exception):
    """The emulator was lost, and what this screen was fed may be why."""


class LiveScreen(Protocol):
    """An emulated terminal, as far as the lines that are typed at it are read."""

    @property
    def columns(self) -> int: ...
    @property
    def rows(self) -> int: ...

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row."""

    @property
    def alternate(self) -> bool:
        """Whether a full-screen program has the screen."""

    def feed(self, octets: bytes) -> None:
        """What the target printed."""

    def resize(self, columns: int, rows: int) -> None:
        """The window changed its size; sizes beyond the bounds are brought within them."""

    def lines(self) -> Sequence[Line]:
        """Every row of the screen, from the top."""

    def styled(self) -> Sequence[Sequence[Run]]:
        """Every row as runs, blanks without a style at its end left out."""

    def dim(self, column: int, row: int) -> bool:
        """Whether the cell is drawn dim, as shells draw suggestions."""

    def anchor(self) -> Anchor:
        """The cursor's present place, to be found again."""

    def expect_look(self) -> None:
        """Somebody is going to look at what it shows now: where that takes time, it may begin."""


class Screen(LiveScreen, Protocol):
    """An emulated terminal with all that a recording of it can be asked."""

    @property
    def cursor_visible(self) -> bool: ...

    def scrolled(self) -> Sequence[Line]:
        """The rows that left the main screen at its top since the last call, the oldest first.

        They are kept within a bound; what was pushed out of it is counted by `missed`.
        """

    @property
    def missed(self) -> int:
        """How many rows left the screen without ever being given out by `scrolled`."""

    def keyframe(self) -> bytes:
        """Octets that make a reset terminal of this size show this screen."""
