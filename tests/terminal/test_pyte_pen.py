"""What colors and attributes make of a pen."""

from __future__ import annotations

import pytest

from watchgate.terminal.pyte_cells import BLANK, Cell
from watchgate.terminal.pyte_pen import changed

LOUD = Cell(" ", fg=1, bg=2, bold=True, dim=True, underscore=True)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (b"", BLANK),
        (b"0", BLANK),
        (b"0;31", Cell(" ", fg=1)),
        (b"22", LOUD._replace(bold=False, dim=False)),
        (b"39;49", LOUD._replace(fg=None, bg=None)),
        (b"97;103", LOUD._replace(fg=15, bg=11)),
        (b"38;5;300", LOUD._replace(fg=44)),
        (b"38;2;1;2;3;24", LOUD._replace(fg=(1, 2, 3), underscore=False)),
        (b"48:2::1:2:3", LOUD._replace(bg=(1, 2, 3))),
        (b"38:5:9;9", LOUD._replace(fg=9, strikethrough=True)),
        (b"4:0", LOUD._replace(underscore=False)),
        (b"4:3", LOUD),
        (b"38", LOUD),
        (b"38;7;1", LOUD._replace(bold=True)),
        (b"99999999999999999999;1000", LOUD),
        (b";".join([b"3"] * 100), LOUD._replace(italics=True)),
    ],
)
def test_the_pen_changes(parameters: bytes, expected: Cell) -> None:
    assert changed(LOUD, parameters) == expected
