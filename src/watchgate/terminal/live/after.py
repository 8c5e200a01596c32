"""Which Enter ended which line: line editors that mark pastes say when they have ended one.

A line that ends though no Enter was passed on for it was run by something else: a key that is bound to a whole
command, an editor that the shell started to edit the line. Keys that were typed ahead end lines later.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from watchgate.terminal.live.entry import Entry
from watchgate.terminal.live.lineread import LineRead
from watchgate.terminal.screen import Anchor

_TYPED_AHEAD_US = 300_000
_MOST = 256


@dataclass(frozen=True, slots=True)
class Judged:
    """A line whose Enter was passed on."""

    entry: Entry
    began: str
    """What stood before the cursor when its first key came."""
    line: LineRead
    place: Anchor | None
    """Where the cursor stood when it was read."""
    plain: bool
    """What it has become can be compared with what it was."""


class Enters:
    """The Enters that were passed on and have not ended a line yet."""

    def __init__(self) -> None:
        self._due: deque[Judged] = deque(maxlen=_MOST)  # a line editor had the terminal
        self._ahead: deque[Judged] = deque(
            maxlen=_MOST
        )  # none had it: typed ahead, or to a program
        self._editing = False
        self.ended = True
        """The line of the last Enter has been left."""

    def passed(self, judged: Judged, *, editing: bool, at_shell: bool) -> None:
        """An Enter was passed on; *editing*: to a line editor, *at_shell*: for a line of a shell."""
        self._editing, self.ended = editing, not at_shell
        (self._due if editing else self._ahead).append(judged)

    def begun(self, quiet_us: int, *, editing: bool) -> None:
        """The first key of a line comes after *quiet_us* without output."""
        if editing and quiet_us > _TYPED_AHEAD_US:
            self._due.clear()
            self._ahead.clear()

    def line_feed(self) -> None:
        """The output went on to a new line."""
        self.ended = self.ended or not self._editing

    def editor_ended(self) -> Judged | None:
        """A line editor has ended its line: by which Enter; None: by none."""
        self.ended = True
        for waiting in (self._due, self._ahead):
            if waiting:
                return waiting.popleft()
        return None
