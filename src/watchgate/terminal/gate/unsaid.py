"""Lines that were accepted at the prompt of a shell that tells its commands, and of which it said nothing.

Mostly they are no commands: a comment, a syntax error. But a shell whose hooks are imitated says nothing either,
so such a line is looked at after all, as the keys tell it.
"""

from __future__ import annotations

from watchgate.terminal.live.continuing import goes_on

LONGEST = 64 * 1024
"""Characters of one command; of a longer one nothing is known."""


class Unsaid:
    """What was accepted since the shell last said anything of it."""

    def __init__(self) -> None:
        self._lines: list[str] | None = []
        self._length = 0

    def __bool__(self) -> bool:
        """A line waits for its word, and the keys tell which."""
        return bool(self._lines)

    def accepted(self, line: str | None) -> None:
        """A line is accepted; None: the keys do not tell it, and with it all of its command."""
        self._length += len(line or "") + 1
        if line is None or self._length > LONGEST:
            self._lines = None
        elif self._lines is not None:
            self._lines.append(line)

    def told(self) -> None:
        """The shell asks about it by itself."""
        self._lines = []
        self._length = 0

    def prompted(self, *, continuation: bool) -> str | None:
        """A prompt stands, for the next line of the same command or for a new one: what came back unsaid."""
        text = "\n".join(self._lines or ()).strip()
        is_whole = bool(text) and goes_on(text) is None
        if is_whole or not continuation:
            self.told()
        return text if is_whole else None
