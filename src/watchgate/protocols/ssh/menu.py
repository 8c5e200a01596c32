"""The menu of `ssh alice@gate`: which target, as which account, in the operator's own terminal.

No IO and no clock: octets from the client go in, octets for it come out. A terminal that can address
its cursor gets a screen (`menu_screen`), a dumb one or none gets a numbered list (`menu_lines`).
"""

from __future__ import annotations

from collections.abc import Sequence

from watchgate.protocols.ssh.menu_choices import LEFT, Choice, Listing, Outcome
from watchgate.protocols.ssh.menu_lines import Lines
from watchgate.protocols.ssh.menu_screen import Screen

__all__ = ["LEFT", "Choice", "Menu", "Outcome"]

DUMB = frozenset({"", "dumb", "unknown", "network", "emacs"})
"""Terminal types whose cursor cannot be moved."""


class Menu:
    """A menu of *choices* for a window of *columns* × *rows*.

    *terminal* is the client's terminal type, None when it asked for none: then its own side echoes what is
    typed and sends whole lines.

    What is typed after the choice in the same chunk is dropped: it was not meant for a target that the one
    who typed had not seen yet.
    """

    def __init__(
        self,
        choices: Sequence[Choice],
        columns: int,
        rows: int,
        *,
        title: str,
        terminal: str | None,
    ) -> None:
        listing = Listing(choices)
        self._form: Screen | Lines
        if terminal is None or terminal in DUMB or not choices:
            self._form = Lines(listing, title, echoes=terminal is not None)
        else:
            self._form = Screen(listing, title, columns, rows)
        self.outcome: Outcome | None = None if choices else LEFT
        """How it ended; with nothing to choose it is over when it has started."""

    @property
    def waiting(self) -> bool:
        """Whether an ESC was heard that is a key unless more follows; then call `expire` after 50 ms."""
        return self.outcome is None and self._form.waiting

    def start(self) -> bytes:
        """The first octets for the client."""
        return self._form.start()

    def feed(self, data: bytes) -> tuple[bytes, Outcome | None]:
        """What to show after *data* was typed, and how the menu ended once it has."""
        if self.outcome is not None:
            return b"", self.outcome
        shown, self.outcome = self._form.feed(data)
        return shown, self.outcome

    def expire(self) -> tuple[bytes, Outcome | None]:
        """Nothing followed the ESC: it was the key."""
        if self.outcome is not None:
            return b"", self.outcome
        shown, self.outcome = self._form.expire()
        return shown, self.outcome

    def resize(self, columns: int, rows: int) -> bytes:
        """The menu anew in a window of another size."""
        return b"" if self.outcome is not None else self._form.resize(columns, rows)
