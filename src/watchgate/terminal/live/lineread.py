"""One line as it was read before its Enter was passed on."""

from __future__ import annotations

from dataclasses import dataclass, field

from watchgate.policy.commands import Place, Source


@dataclass(frozen=True, slots=True)
class LineRead:
    """What a held key would run."""

    text: str
    """The whole command so far: lines that it continues are joined by newlines. Empty: the key runs nothing."""
    source: Source = Source.SCREEN
    exact: bool = False
    """Always false: without the shell's own word a line is inferred."""
    certain: bool = False
    """Keys and screen agree, and nothing else is possible as far as both tell."""
    place: Place = Place.SHELL
    program: str | None = None
    others: tuple[str, ...] = ()
    """What else it may be: every one is to be decided."""
    unreadable: str | None = None
    """Why it could not be read; *text* is then the best guess."""
    secret: bool = False
    """It was typed without an echo: it may be decided in memory and must not be written anywhere."""
    continuation: bool = False
    """It goes on with lines that were passed before."""
    last: str = field(default="")
    """The last line of *text* alone: what was typed since the Enter before."""
    tentative: bool = False
    """A list of choices is open: the key may only choose from it, and then runs nothing."""
    again: bool = False
    """It is the line that was read before, which its Enter did not end, or which ended as this: that did not run."""

    def __repr__(self) -> str:
        shown = "***" if self.secret else repr(self.text)
        others = f", {len(self.others)} others" if self.others else ""
        why = f", unreadable: {self.unreadable}" if self.unreadable else ""
        return f"LineRead({shown}, {self.source}, {self.place}{others}{why})"

    @property
    def candidates(self) -> tuple[str, ...]:
        """Everything that is to be decided."""
        return (self.text, *self.others)


NOTHING = LineRead("")
"""The key runs nothing."""
