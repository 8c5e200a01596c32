"""The marks that hooks in a shell print, taken out of its output.

A mark is `ESC ] 7717 ; nonce ; kind ; form ; words BEL`. The nonce is a secret of the session: without it a
file that somebody lets a terminal show cannot speak for the shell. The operator's own shell knows it, so
it stops accidents and other people, not the operator: that is why a mark that is missing counts too.
No octet below blank stands in a mark, so one that breaks off is noticed at the next line's end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from watchgate.terminal.integration.mark_kinds import (
    Asked,
    Foreign,
    Mark,
    Returned,
    Tampered,
    read_mark,
)

MARK = b"\x1b]7717;"
END = b"\a"
LONGEST = 64 * 1024
"""Octets of a mark that has not ended; then it is none."""

_MOST_ECHOES = 4
_CONTROL = re.compile(rb"[\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class Marked:
    """A mark, and in which shell: 0 is the session's own, 1 one that was started in it."""

    level: int
    mark: Mark


class MarkFilter:
    """Tells marks from output; its memory is one unfinished mark."""

    def __init__(self) -> None:
        self._nonces: list[bytes] = []
        self._echoes: list[bytes] = []
        self._returned: dict[int, Returned] = {}
        self._held = b""
        self._searched = 0

    @property
    def holds(self) -> bool:
        """Whether output is held back because it may begin a mark; `flush` gives it when nothing follows soon."""
        return bool(self._held)

    @property
    def depth(self) -> int:
        """How many shells are trusted."""
        return len(self._nonces)

    def trust(self, nonce: bytes) -> None:
        """Take marks with *nonce* for those of one more shell, started in the last."""
        self._nonces.append(nonce)

    def leave(self, level: int) -> None:
        """The shells above *level* are gone: their marks are strangers again."""
        del self._nonces[level + 1 :]
        for gone in [one for one in self._returned if one > level]:
            del self._returned[gone]

    def expect_echo(self, octets: bytes) -> None:
        """Take *octets* out once where they appear before the hook says that it has its verdict."""
        self._echoes = [*self._echoes, octets][-_MOST_ECHOES:]

    def feed(self, octets: bytes) -> list[bytes | Marked]:
        """What *octets* complete, in their order."""
        pieces: list[bytes | Marked] = []
        if not self._held and not self._echoes and MARK[:1] not in octets:
            # One octet is found ten times as fast as several: most of what floods a terminal has none.
            return [octets] if octets else pieces
        data = self._held + octets
        self._held = b""
        position = self._take(data, pieces)
        self._held = data[position:]
        return pieces

    def flush(self) -> bytes:
        """What was held, as output after all."""
        held, self._held, self._searched = self._held, b"", 0
        return held

    def _take(self, data: bytes, pieces: list[bytes | Marked]) -> int:
        """Append what is complete; gives from where on octets are held."""
        position = 0
        while True:
            start = data.find(MARK, position)
            if start < 0:
                safe = len(data) - self._may_begin(data, position)
                self._show(data[position:safe], pieces)
                return safe
            self._show(data[position:start], pieces)
            end = self._end(data, start)
            if end is None:
                return start
            body = data[start + len(MARK) : end]
            if data[end : end + 1] != END:
                self._broken(body, pieces)
                position = self._give(data, start, end, pieces)
            elif self._marked(body, pieces):
                position = end + 1
            else:
                position = self._give(data, start, end + 1, pieces)

    def _end(self, data: bytes, start: int) -> int | None:
        """Where the mark at *start* ends, with or without its BEL; None while it may go on."""
        self._searched = max(self._searched, len(MARK))
        found = _CONTROL.search(data, start + self._searched)
        if found is not None:
            self._searched = 0
            return found.start()
        if len(data) - start > LONGEST:
            self._searched = 0
            return len(data)
        self._searched = len(data) - start
        return None

    def _give(self, data: bytes, start: int, end: int, pieces: list[bytes | Marked]) -> int:
        pieces.append(data[start:end])
        return end

    def _broken(self, body: bytes, pieces: list[bytes | Marked]) -> None:
        level = self._level(body.partition(b";")[0])
        if level is not None:
            pieces.append(Marked(level, Tampered("a mark broke off")))

    def _level(self, nonce: bytes) -> int | None:
        for level, trusted in enumerate(self._nonces):
            if nonce == trusted:
                return level
        return None

    def _marked(self, body: bytes, pieces: list[bytes | Marked]) -> bool:
        """Append the mark in *body*; whether it is one of ours, so that nobody sees it."""
        nonce, _, said = body.partition(b";")
        level = self._level(nonce)
        if level is None:
            pieces.append(Marked(-1, Foreign(said[:64])))
            return False
        mark = read_mark(said, self._returned.pop(level, None) if said[:1] == b"B" else None)
        if isinstance(mark, Returned):
            self._returned[level] = mark
        else:
            if said[:1] == b"K":
                self._echoes.clear()
            pieces.append(Marked(level, mark))
        return True

    def _show(self, octets: bytes, pieces: list[bytes | Marked]) -> None:
        for echo in list(self._echoes):
            if echo in octets:
                octets = octets.replace(echo, b"", 1)
                self._echoes.remove(echo)
        if octets:
            pieces.append(octets)

    def _may_begin(self, data: bytes, position: int) -> int:
        """How many octets at the end of *data* may go on as a mark, or as an echo that is expected."""
        longest = 0
        for wanted in (MARK, *self._echoes):
            for size in range(min(len(wanted) - 1, len(data) - position), longest, -1):
                if data.endswith(wanted[:size]):
                    longest = size
                    break
        return longest


__all__ = ["END", "LONGEST", "MARK", "Asked", "Mark", "MarkFilter", "Marked"]
