"""The commands of the gateway's shell itself: they reach no shell on the target."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from watchgate.policy.reading import Reading

_EXIT = re.compile(r"(?:exit|logout)(?:\s+(\d{1,3}))?")
_SHOWS = frozenset({"help", "pwd", "history", "clear"})


@dataclass(frozen=True, slots=True)
class Leave:
    """`exit`, `logout`."""

    status: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """`cd`: where to, `-` for where one was before, None for where one began."""

    directory: str | None


@dataclass(frozen=True, slots=True)
class Show:
    """A command that only shows something."""

    what: str


OwnCommand = Leave | Change | Show


def own_command(line: str, readings: Sequence[Reading]) -> OwnCommand | None:
    """What *line* is when it is the shell's own; None when it is the target's."""
    text = line.strip()
    found = _EXIT.fullmatch(text)
    if found is not None:
        return Leave(int(found[1]) & 0xFF if found[1] else None)
    if text in _SHOWS:
        return Show(text)
    if len(readings) == 1 and re.match(r"cd(\s|$)", text):
        return _change(readings[0])
    return None


def _change(reading: Reading) -> Change | None:
    """A lone `cd` with at most one directory, all of which is known."""
    if len(reading.commands) != 1 or reading.opaque:
        return None
    command = reading.commands[0]
    words = [word for word in command.words if word.text != "--"]
    plain = all(word.known and not word.pattern for word in words)
    if command.program != "cd" or len(words) > 1 or not plain or command.redirects:
        return None
    if not words or words[0].text == "~":
        return Change(None)
    return Change(words[0].text)
