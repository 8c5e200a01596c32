"""What the gateway and its emulating process say to each other: frames, and a picture of a screen as JSON.

Neither side believes the other: what the process answers may come from a target that has taken it over.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from watchgate.terminal.screen import Line, Run, Style

LONGEST = 4 << 20
"""Octets of one frame's payload."""

_HEAD = struct.Struct("!IBI")
_MOST_ROWS = 1000
_MOST_COLUMNS = 4000
_MOST_PLACES = 4096


class Op(IntEnum):
    """What a frame asks, or that it answers."""

    OPEN = 1
    """A screen of this size begins."""
    CLOSE = 2
    FEED = 3
    """The target printed this."""
    RESIZE = 4
    ANCHOR = 5
    """The cursor's place is to be followed under this number."""
    RELEASE = 6
    """These places no longer are."""
    LOOK = 7
    """Answer with a picture."""
    FAINT = 8
    """Answer whether a cell is drawn dim."""
    STYLED = 9
    """Answer with the runs of every row."""
    ANSWER = 10
    """To the question of that number; the first one, numbered 0, says that the process is there."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message; *screen* is the number of a screen, in answers that of the question."""

    op: Op
    screen: int
    payload: bytes = b""

    def packed(self) -> bytes:
        """As it is sent."""
        return _HEAD.pack(len(self.payload), self.op, self.screen) + self.payload


class Frames:
    """Cuts what arrives into frames."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, octets: bytes) -> Iterator[Frame]:
        """The frames that *octets* complete; raises ValueError when they are none."""
        self._held += octets
        while len(self._held) >= _HEAD.size:
            length, op, screen = _HEAD.unpack_from(self._held)
            if length > LONGEST:
                raise ValueError(f"a frame of {length} octets is too long")
            end = _HEAD.size + length
            if len(self._held) < end:
                return
            payload = bytes(self._held[_HEAD.size : end])
            del self._held[:end]
            yield Frame(Op(op), screen, payload)


def numbers(*values: int) -> bytes:
    """Numbers as a payload."""
    return struct.pack(f"!{len(values)}i", *values)


def read_numbers(payload: bytes) -> tuple[int, ...]:
    """The inverse of `numbers`; raises ValueError."""
    if len(payload) % 4:
        raise ValueError("not whole numbers")
    return struct.unpack(f"!{len(payload) // 4}i", payload)


@dataclass(frozen=True, slots=True)
class Picture:
    """What a screen shows at one moment; *places* are those of the anchors, None: gone."""

    columns: int
    rows: int
    cursor: tuple[int, int]
    alternate: bool
    lines: tuple[Line, ...]
    places: Mapping[int, tuple[int, int] | None]

    def packed(self) -> bytes:
        """As it is sent."""
        said = {
            "size": [self.columns, self.rows],
            "cursor": self.cursor,
            "alternate": self.alternate,
            "lines": [line.text for line in self.lines],
            "wrapped": [at for at, line in enumerate(self.lines) if line.wrapped],
            "places": [[at, *(place or ())] for at, place in self.places.items()],
        }
        return json.dumps(said, ensure_ascii=True, separators=(",", ":")).encode()

    @classmethod
    def parse(cls, payload: bytes) -> Picture:
        """The inverse; raises ValueError for what is no picture."""
        said = _object(payload)
        columns, rows = _pair(said.get("size"))
        texts = _strings(said.get("lines"))
        wrapped = frozenset(_integers(said.get("wrapped")))
        places = said.get("places")
        if not (0 < columns <= _MOST_COLUMNS and 0 < rows <= _MOST_ROWS and len(texts) == rows):
            raise ValueError("a screen of an impossible size")
        if not isinstance(places, list) or len(places) > _MOST_PLACES:
            raise ValueError("no places")
        column, row = _pair(said.get("cursor"))
        if not (0 <= column <= columns and 0 <= row < rows):
            raise ValueError("a cursor beside the screen")
        return cls(
            columns,
            rows,
            (column, row),
            said.get("alternate") is True,
            tuple(Line(text, at in wrapped) for at, text in enumerate(texts)),
            dict(_place(place) for place in places),
        )


def pack_styled(rows: Sequence[Sequence[Run]]) -> bytes:
    """The runs of every row, as far as a reader of lines asks about them: text, width, dim, foreground."""
    said = [
        [[run.text, run.columns, run.style.dim, run.style.foreground] for run in row]
        for row in rows
    ]
    return json.dumps({"rows": said}, separators=(",", ":")).encode()


def parse_styled(payload: bytes) -> tuple[tuple[Run, ...], ...]:
    """The inverse; raises ValueError."""
    rows = _object(payload).get("rows")
    if not isinstance(rows, list) or len(rows) > _MOST_ROWS:
        raise ValueError("no rows")
    return tuple(tuple(_run(run) for run in _list(row)) for row in rows)


def _run(said: Any) -> Run:
    text, columns, dim, color = _list(said, 4)
    if isinstance(color, list):
        red, green, blue = _integers(_list(color, 3))
        color = (red, green, blue)
    elif color is not None and type(color) is not int:
        raise ValueError("no color")
    if not isinstance(text, str) or type(columns) is not int:
        raise ValueError("no run")
    return Run(text, columns, Style(foreground=color, dim=dim is True))


def _object(payload: bytes) -> dict[str, Any]:
    try:
        said = json.loads(payload)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if not isinstance(said, dict):
        raise ValueError("no object")
    return said


def _list(said: Any, length: int | None = None) -> list[Any]:
    if not isinstance(said, list) or (length is not None and len(said) != length):
        raise ValueError("no list of that length")
    return said


def _integers(said: Any) -> list[int]:
    if not all(type(one) is int for one in _list(said)):
        raise ValueError("no integers")
    return list(said)


def _strings(said: Any) -> list[str]:
    if not all(isinstance(one, str) for one in _list(said)):
        raise ValueError("no strings")
    return list(said)


def _pair(said: Any) -> tuple[int, int]:
    one, other = _integers(_list(said, 2))
    return one, other


def _place(said: Any) -> tuple[int, tuple[int, int] | None]:
    found = _integers(said)
    if len(found) == 1:
        return found[0], None
    number, column, row = _integers(_list(found, 3))
    return number, (column, row)
