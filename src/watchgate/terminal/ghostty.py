"""A terminal of libghostty-vt, through the C functions that pyghostty declares.

pyghostty's own getters allocate for each call; here the buffers are kept, which makes reading the cursor
twenty times as fast. Nothing here is loaded before a terminal is opened: loading takes a fifth of a second.
The library answers nobody: no callback is set. Pictures, which it could hold, are switched off.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from enum import IntEnum
from typing import Any

from watchgate.errors import WatchgateError

_CONTINUATION = 4096
_CELL_OCTETS = 12
_ROW_OCTETS = 16
"""What a cell takes in the library's scrollback, and what a row takes beyond its cells, rounded up."""
_ANY_NUMBER = 1 << 40
_LETTERS = 64
"""Marks on one letter that are read; more is not writing."""


class Area(IntEnum):
    """Where rows are counted from: the screen's first row, or the oldest row that is kept."""

    ACTIVE = 0
    KEPT = 2


@functools.cache
def library() -> tuple[Any, Any, dict[str, Any]]:
    """The library: its types, its functions, and those functions that take a place in the text.

    Raises ImportError when it is not installed, or is one for another machine.
    """
    try:
        import pyghostty
    except OSError as error:
        raise ImportError(f"libghostty-vt cannot be loaded: {error}") from error
    ffi, lib = pyghostty.ffi, pyghostty.lib
    # A union passed by value is out of reach for cffi; a struct of the same size and passing is not.
    ref = "GhosttyResult(*)(GhosttyTerminal, GhosttyPointS, GhosttyGridRef*)"
    track = "GhosttyResult(*)(GhosttyTerminal, GhosttyPointS, GhosttyTrackedGridRef*)"
    move = "GhosttyResult(*)(GhosttyTrackedGridRef, GhosttyTerminal, GhosttyPointS)"
    taking_a_point = {
        "ref": ffi.cast(ref, ffi.addressof(lib, "ghostty_terminal_grid_ref")),
        "track": ffi.cast(track, ffi.addressof(lib, "ghostty_terminal_grid_ref_track")),
        "move": ffi.cast(move, ffi.addressof(lib, "ghostty_tracked_grid_ref_set")),
    }
    return ffi, lib, taking_a_point


class Place:
    """A cell that is followed while its text moves."""

    __slots__ = ("__weakref__", "_at", "_lib", "_ref", "_terminal")

    def __init__(self, terminal: Terminal, ref: Any, at: Any, lib: Any) -> None:
        self._terminal = terminal  # what it points into must outlive it
        self._ref = ref
        self._at = at
        self._lib = lib
        weakref.finalize(self, lib.ghostty_tracked_grid_ref_free, ref)

    def now(self) -> tuple[int, int] | None:
        """Its column and its row, counted from the oldest row kept; None when it is gone."""
        if self._lib.ghostty_tracked_grid_ref_point(self._ref, Area.KEPT, self._at):
            return None
        return self._at.x, self._at.y

    def move(self, column: int, row: int) -> None:
        """Follow the cell at *column* of *row*, counted from the oldest row kept, instead."""
        self._terminal.move(self._ref, column, row)


class Terminal:
    """One terminal; sizes must be within bounds."""

    def __init__(self, columns: int, rows: int, handle: Any = None) -> None:
        self._ffi, self._lib, self._taking_a_point = library()
        ffi = self._ffi
        if handle is None:
            made = ffi.new("GhosttyTerminal*")
            check(self._lib.ghostty_terminal_new(ffi.NULL, made, columns, rows))
            handle = made[0]
        self._handle = handle
        weakref.finalize(self, self._lib.ghostty_terminal_free, handle)
        self._u16 = ffi.new("uint16_t*")
        self._bool = ffi.new("bool*")
        self._size = ffi.new("size_t*")
        self._int = ffi.new("int*")
        self._mode = ffi.new("GhosttyTerminalModeConfig*")
        self._point = ffi.new("GhosttyPointS*")
        self._coordinate = ffi.new("GhosttyPointCoordinate*")
        self._ref = sized(ffi, "GhosttyGridRef")
        self._style = sized(ffi, "GhosttyStyle")
        self._row = ffi.new("GhosttyRow*")
        self._set("KITTY_IMAGE_STORAGE_LIMIT", ffi.new("uint64_t*", 0))
        self._set("CONTINUATION_MAX_BYTES", ffi.new("size_t*", _CONTINUATION))
        # What left the screen must not come back when the window grows: it would be given out twice.
        self._set("RESIZE_PULL_SCROLLBACK", ffi.new("bool*", False))
        self._set("SCROLLBACK_MAX_LINES", ffi.new("size_t*", _ANY_NUMBER))

    def keep(self, rows: int, columns: int) -> None:
        """Keep about *rows* of those that leave the screen at its top; whole pages of them are dropped."""
        # Bounded by octets: with a bound on the number of lines the library prints at a sixth of the speed.
        room = rows * (columns + _ROW_OCTETS) * _CELL_OCTETS
        self._set("SCROLLBACK_MAX_BYTES", self._ffi.new("size_t*", room))

    def octets(self, octets: bytes) -> Any:
        """*octets* as `write` takes them, without a copy."""
        return self._ffi.from_buffer("uint8_t[]", octets)

    def write(self, octets: Any, start: int, end: int) -> None:
        """Print a part of what `octets` gave."""
        self._lib.ghostty_terminal_vt_write(self._handle, octets + start, end - start)

    def resize(self, columns: int, rows: int) -> None:
        """Take another size."""
        check(self._lib.ghostty_terminal_resize(self._handle, columns, rows, 8, 16))

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row."""
        u16 = self._u16
        self._get(3, u16)
        column = u16[0]
        self._get(4, u16)
        return column, u16[0]

    @property
    def wrap_pending(self) -> bool:
        """Whether the cursor stands past the last column, to wrap with the next character."""
        self._get(self._lib.GHOSTTY_TERMINAL_DATA_CURSOR_PENDING_WRAP, self._bool)
        return bool(self._bool[0])

    @property
    def alternate(self) -> bool:
        """Whether the alternate screen is shown."""
        self._get(6, self._int)
        return bool(self._int[0])

    @property
    def left(self) -> int:
        """How many rows are kept above the screen."""
        self._get(15, self._size)
        return int(self._size[0])

    def mode(self, number: int, *, private: bool = True) -> bool:
        """Whether a mode is set."""
        self._mode.mode = number if private else number | 0x8000
        self._get(self._lib.GHOSTTY_TERMINAL_DATA_MODE, self._mode)
        return bool(self._mode.value)

    def place(self, column: int, row: int, area: Area) -> Place:
        """Follow the cell at *column* of *row*."""
        made = self._ffi.new("GhosttyTrackedGridRef*")
        check(self._taking_a_point["track"](self._handle, self._at(column, row, area), made))
        return Place(self, made[0], self._coordinate, self._lib)

    def move(self, ref: Any, column: int, row: int) -> None:
        """See `Place.move`."""
        at = self._at(column, row, Area.KEPT)
        check(self._taking_a_point["move"](ref, self._handle, at))

    def wrapped(self, row: int, area: Area) -> bool:
        """Whether *row* goes on in the next."""
        self._refer(0, row, area)
        check(self._lib.ghostty_grid_ref_row(self._ref, self._row))
        check(self._lib.ghostty_row_get(self._row[0], 1, self._bool))
        return bool(self._bool[0])

    def style(self, column: int, row: int) -> Any:
        """The style of a cell of the screen; valid until the next one is asked for."""
        self._refer(column, row, Area.ACTIVE)
        check(self._lib.ghostty_grid_ref_style(self._ref, self._style))
        return self._style

    def text(
        self, first: int, last: int, columns: int, area: Area, *, from_column: int = 0
    ) -> list[str]:
        """The rows from *first* to *last*, with blanks at their ends; blank rows at the end may be missing."""
        chosen = self._selection((from_column, first), (columns - 1, last), area)
        text = self._formatted(chosen, self._options(self._lib.GHOSTTY_FORMATTER_FORMAT_PLAIN))
        return text.decode("utf-8", "replace").split("\n")

    def margins(self) -> bytes:
        """Octets that set the margins as they are here; they move the cursor."""
        before, after = self._with(lambda extra: setattr(extra, "scrolling_region", True))
        return after[len(before) :]

    def pen(self) -> bytes:
        """Octets that make what is printed next look as it would here."""

        def choose(extra: Any) -> None:
            extra.screen.style = extra.screen.charsets = extra.screen.protection = True

        before, after = self._with(choose)
        return after[len(before) :]

    def tab_stops(self) -> bytes:
        """Octets that set the tab stops as they are here; they move the cursor."""
        before, after = self._with(lambda extra: setattr(extra, "tabstops", True))
        return after.removesuffix(before)

    def unfinished(self) -> bytes:
        """The octets so far of a sequence or character that is not whole yet."""
        buffer = self._ffi.new("uint8_t[]", _CONTINUATION)
        if self._lib.ghostty_terminal_continuation_buf(
            self._handle, buffer, _CONTINUATION, self._size
        ):
            return b""
        return bytes(self._ffi.buffer(buffer, self._size[0]))

    def copy(self) -> Terminal:
        """Another terminal in the same state; raises WatchgateError when the library cannot."""
        ffi, lib = self._ffi, self._lib
        octets = ffi.new("uint8_t**")
        check(lib.ghostty_snapshot_encode_alloc(self._handle, ffi.NULL, octets, self._size))
        length = self._size[0]
        try:
            decoder = ffi.new("GhosttySnapshotDecoder*")
            check(lib.ghostty_snapshot_decoder_new_buf(ffi.NULL, decoder, octets[0], length))
            try:
                made = ffi.new("GhosttyTerminal*")
                check(lib.ghostty_snapshot_decoder_decode(decoder[0], made))
            finally:
                lib.ghostty_snapshot_decoder_free(decoder[0])
        finally:
            lib.ghostty_free(ffi.NULL, octets[0], length)
        return Terminal(0, 0, made[0])

    @property
    def handle(self) -> Any:
        """The library's own name for it."""
        return self._handle

    def letters(self, column: int, row: int) -> str:
        """What stands in a cell of the screen, combining marks and all."""
        self._refer(column, row, Area.ACTIVE)
        ffi, lib = self._ffi, self._lib
        buffer = ffi.new("uint32_t[]", _LETTERS)
        if lib.ghostty_grid_ref_graphemes(self._ref, buffer, _LETTERS, self._size):
            return ""
        return "".join(character(buffer[index]) for index in range(self._size[0]))

    def _get(self, key: int, into: Any) -> None:
        check(self._lib.ghostty_terminal_get(self._handle, key, into))

    def _set(self, option: str, value: Any) -> None:
        key = getattr(self._lib, f"GHOSTTY_TERMINAL_OPT_{option}")
        check(self._lib.ghostty_terminal_set(self._handle, key, value))

    def _at(self, column: int, row: int, area: Area) -> Any:
        point = self._point
        point.tag = int(area)
        point.value.x = column
        point.value.y = row
        return point[0]

    def _refer(self, column: int, row: int, area: Area) -> None:
        at = self._at(column, row, area)
        check(self._taking_a_point["ref"](self._handle, at, self._ref))

    def _selection(self, start: tuple[int, int], end: tuple[int, int], area: Area) -> Any:
        chosen = sized(self._ffi, "GhosttySelection")
        self._refer(*start, area)
        chosen.start = self._ref[0]
        self._refer(*end, area)
        chosen.end = self._ref[0]
        return chosen

    def _options(self, emit: int) -> Any:
        options = sized(self._ffi, "GhosttyFormatterTerminalOptions")
        options.emit = emit
        return options

    def _with(self, choose: Callable[[Any], None]) -> tuple[bytes, bytes]:
        """The screen's first cell, alone, and together with what *choose* asks for."""
        chosen = self._selection((0, 0), (0, 0), Area.ACTIVE)
        options = self._options(self._lib.GHOSTTY_FORMATTER_FORMAT_VT)
        before = self._formatted(chosen, options)
        choose(options.extra)
        return before, self._formatted(chosen, options)

    def _formatted(self, chosen: Any, options: Any) -> bytes:
        ffi, lib = self._ffi, self._lib
        options.selection = chosen
        made = ffi.new("GhosttyFormatter*")
        check(lib.ghostty_formatter_terminal_new(ffi.NULL, made, self._handle, options[0]))
        try:
            octets = ffi.new("uint8_t**")
            check(lib.ghostty_formatter_format_alloc(made[0], ffi.NULL, octets, self._size))
            length = self._size[0]
            result = bytes(ffi.buffer(octets[0], length)) if length else b""
            lib.ghostty_free(ffi.NULL, octets[0], length)
        finally:
            lib.ghostty_formatter_free(made[0])
        return result


def character(number: int) -> str:
    """The character of that number; what Unicode has no character for is shown as one that says so."""
    if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        return "\ufffd"
    return chr(number)


def sized(ffi: Any, name: str) -> Any:
    """A new structure with the sizes by which the library knows its version."""
    made = ffi.new(f"{name}*")
    _set_sizes(ffi, made)
    return made


def _set_sizes(ffi: Any, made: Any) -> None:
    kind = ffi.typeof(made).item
    for name, part in kind.fields:
        if name == "size":
            made.size = ffi.sizeof(kind)
        elif part.type.kind == "struct":
            _set_sizes(ffi, ffi.addressof(made[0], name))


def check(result: int) -> None:
    """Raise WatchgateError unless the library says that it succeeded."""
    if result:
        raise WatchgateError(
            f"the terminal emulator failed (libghostty-vt: {result})", code="terminal.emulator"
        )
