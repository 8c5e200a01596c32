"""Performs a play on a real terminal: reads keys, writes octets, and leaves the terminal as it was."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import tty
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import NoReturn

from watchgate.clock import Clock
from watchgate.errors import ConfigurationError, NotFound
from watchgate.terminal.defuse import RESET
from watchgate.terminal.keyframes import Keyframes
from watchgate.terminal.player import Effect, Player, Quit, Show, Status
from watchgate.terminal.screens import open_screen

_LONGEST_WAIT = 3600.0


def play(player: Player, clock: Clock, keys: int | None, out: int) -> None:
    """Play to the descriptor *out* until the end, or until the reader quits.

    *keys* is where keys come from: a terminal, or None when there is none; then it plays through. Where
    *out* is no terminal, octets are written as they come and nothing else is. Returns when nobody reads *out*
    any more. Raises NotFound when there is no one to tell that what to begin with is not there.
    """
    _emulate(player, out)
    try:
        with _terminal(keys, out):
            _run(player, clock, keys, out)
    except BrokenPipeError:
        return


def _emulate(player: Player, out: int) -> None:
    """Let *player* paint what is far away, where that is a terminal and there is an emulator for it."""
    size = _size(out)
    if size is None:
        return
    with suppress(ConfigurationError):
        player.emulate(Keyframes(partial(open_screen, history=0), *size))


def _run(player: Player, clock: Clock, keys: int | None, out: int) -> None:
    size = _size(out)
    over = _perform(player.start(clock.monotonic_us()), out)
    while not over:
        if size is not None and (now_size := _size(out)) not in (size, None):
            size = now_size
            player.resized(*size)
        due = player.due()
        if due is None and keys is None:
            if player.in_vain is not None:
                raise NotFound(player.in_vain, code="recording.position")
            return
        if _key_within(_seconds(player, clock, due), keys):
            data = os.read(keys, 4096) if keys is not None else b""
            if not data:
                keys = None  # the terminal is gone: play through
                continue
            over = _perform(player.typed(clock.monotonic_us(), data), out)
            continue
        now = clock.monotonic_us()
        sequence = player.waits_for_key()
        if sequence is not None and sequence <= now:
            over = _perform(player.settle_keys(now), out)
        if not over and due is not None and due <= now:
            over = _perform(player.tick(now), out)


def _seconds(player: Player, clock: Clock, due: int | None) -> float:
    """How long to wait for a key."""
    moments = [at for at in (due, player.waits_for_key()) if at is not None]
    if not moments:
        return _LONGEST_WAIT
    return min(_LONGEST_WAIT, max(0, min(moments) - clock.monotonic_us()) / 1e6)


def _key_within(seconds: float, keys: int | None) -> bool:
    readable, _, _ = select.select([] if keys is None else [keys], [], [], seconds)
    return bool(readable)


def _perform(effects: list[Effect], out: int) -> bool:
    """Perform *effects*; true when the play is over."""
    for effect in effects:
        match effect:
            case Show(octets):
                _write(out, octets)
            case Status(text):
                _write(out, _status(text, out))
            case Quit():
                return True
    return False


def _write(out: int, octets: bytes) -> None:
    rest = memoryview(octets)
    while rest:
        rest = rest[os.write(out, rest) :]


def _status(text: str, out: int) -> bytes:
    """*text* over the last row, in reverse; nothing where there is no room for it."""
    columns, rows = _size(out) or (0, 0)
    if columns < 10 or rows < 2:
        return b""
    row = b"\x1b[%d;1H\x1b[0m" % rows
    shown = b"\x1b[7m" + _fitted(text, columns - 1).encode() + b"\x1b[0m" if text else b""
    return b"\x1b7" + row + shown + b"\x1b[K\x1b8"


def _size(out: int) -> tuple[int, int] | None:
    """Columns and rows of a terminal that says them."""
    if not os.isatty(out):
        return None
    columns, rows = os.get_terminal_size(out)
    return (columns, rows) if columns > 0 and rows > 0 else None


def _fitted(text: str, columns: int) -> str:
    """The start of *text* that fits; wide characters take two columns."""
    left = columns
    for index, character in enumerate(text):
        left -= 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if left < 0:
            return text[:index]
    return text


@contextmanager
def _terminal(keys: int | None, out: int) -> Iterator[None]:
    """Keys one by one and octets as they are; all as before afterwards, whatever ended the play."""
    source = keys if keys is not None and os.isatty(keys) else None
    before = termios.tcgetattr(source) if source is not None else None
    handlers = {number: signal.signal(number, _end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        if source is not None:
            tty.setraw(source)
        yield
    finally:
        try:
            if os.isatty(out):
                _write(out, RESET + b"\r\n")
        finally:
            # Keys typed too many go with the play; they are not for the shell.
            if source is not None and before is not None:
                termios.tcsetattr(source, termios.TCSAFLUSH, before)
            for number, handler in handlers.items():
                signal.signal(number, handler)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)
