"""Looking ahead in a recording, in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from watchgate.terminal.escapes import Tokenizer, TokenKind


class Seen(Protocol):
    """A frame, as far as a search looks at it."""

    @property
    def output(self) -> bytes: ...
    @property
    def command(self) -> str | None: ...


class Search:
    """Goes through the frames from *start* on until one is what is looked for."""

    in_vain = "not found"
    pauses = False
    """Whether the play holds still where it was found."""

    def __init__(self, frames: Iterator[Seen], start: int) -> None:
        self._frames = enumerate(frames)
        self._start = start
        self.found: int | None = None
        """The frame that was looked for."""

    def go_on(self, frames: int, octets: int) -> bool:
        """Look at a few more; true when the search is over."""
        for _ in range(frames):
            index, frame = next(self._frames, (0, None))
            if frame is None:
                return True
            if index < self._start:
                continue
            if self._matches(frame):
                self.found = index
                return True
            octets -= len(frame.output)
            if octets <= 0:
                break
        return False

    def _matches(self, frame: Seen) -> bool:
        raise NotImplementedError


class CommandSearch(Search):
    """The *count*-th command from *start* on."""

    in_vain = "there is no such command"

    def __init__(self, frames: Iterator[Seen], start: int, count: int) -> None:
        super().__init__(frames, start)
        self._left = count

    def _matches(self, frame: Seen) -> bool:
        if frame.command is not None:
            self._left -= 1
        return frame.command is not None and self._left == 0


class TextSearch(Search):
    """Text in the output, colors and other sequences aside; letters in either case unless one is a capital."""

    pauses = True

    def __init__(self, frames: Iterator[Seen], start: int, needle: str) -> None:
        super().__init__(frames, start)
        self._any_case = needle == needle.lower()
        self._needle = needle.encode()
        self._tokens = Tokenizer()
        self._tail = b""
        self.in_vain = f"{needle!r} does not come any more"

    def _matches(self, frame: Seen) -> bool:
        pieces = [self._tail]
        for kind, octets in self._tokens.feed(frame.output):
            if kind is TokenKind.TEXT:
                pieces.append(octets)
            elif kind is TokenKind.CONTROL and octets in (b"\r", b"\n"):
                pieces.append(b"\n")
        text = b"".join(pieces)
        if self._any_case:
            text = text.decode("utf-8", "replace").lower().encode()
        self._tail = text[-len(self._needle) + 1 :] if len(self._needle) > 1 else b""
        return self._needle in text
