"""What was run before: for `!!` and its like, and for a recalled line of which a row shows only a part."""

from __future__ import annotations

import re
from collections import deque

_REMEMBERED = 200
_PER_LINE = 4096
_EVENT = re.compile(
    r"(?<![\\$\[{])!(?P<event>!|-?\d{1,6}|\?[^?\n]{1,80}\??|[A-Za-z_./~][^\s;&|<>()\"'`:!]{0,80}|[$^*#:])"
)
_SUBSTITUTION = re.compile(r"^\^(?P<old>[^^\n]{1,200})\^(?P<new>[^^\n]{0,200})(?:\^|$)")
_QUOTED = re.compile(r"'[^']*'")
_HISTORY = re.compile(r"\b(?:history|fc|HIST\w*)\b|\bset\s+[-+]o\s+history")
_LEAST_SHOWN = 10


class Recall:
    """The lines that a shell took, the newest first."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_REMEMBERED)
        self._touched = False  # something was done to the shell's own history

    def add(self, line: str) -> None:
        """*line* was run."""
        if not line.strip():
            return
        self._touched = self._touched or _HISTORY.search(line) is not None
        self._lines.appendleft(line[:_PER_LINE])

    def expanded(self, line: str) -> tuple[tuple[str, ...], str | None]:
        """What *line* may become when the shell puts earlier lines into it, and why that is not known."""
        bare = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), line)
        swapped = _SUBSTITUTION.match(line)
        events = list(_EVENT.finditer(bare))
        if swapped is None and not events:
            return (), None
        named = swapped[0] if swapped is not None else events[0][0]
        unknown = f"{named[:40]} stands for an earlier line, which the gateway has not seen"
        if self._touched or not self._lines:
            return (), unknown
        if swapped is not None:
            last = self._lines[0]
            old, new = swapped["old"], swapped["new"]
            return ((last.replace(old, new, 1),), None) if old in last else ((), unknown)
        return self._with_events(line, events, unknown)

    def begun_before(self, shown: str) -> str | None:
        """The line of which a row shows *shown*, its beginning pushed out at the left."""
        if len(shown) < _LEAST_SHOWN:
            return None
        best, found = 0, None
        for line in self._lines:
            at = line.find(shown[:_LEAST_SHOWN])
            while at >= 0:
                length = _common(line, at, shown)
                if length > best and at:
                    best, found = length, line[:at] + shown
                at = line.find(shown[:_LEAST_SHOWN], at + 1)
        return found

    def _with_events(
        self, line: str, events: list[re.Match[str]], unknown: str
    ) -> tuple[tuple[str, ...], str | None]:
        # The shell may have left the last line out of its history (blanks first, the same twice).
        first = next((line for line in self._lines if line[:1] != " "), self._lines[0])
        texts = []
        for last in dict.fromkeys((self._lines[0], first)):
            text, end = "", 0
            for event in events:
                became = self._event(event["event"], last)
                if became is None:
                    return (), unknown
                text += line[end : event.start()] + became
                end = event.end()
            texts.append(text + line[end:])
        return tuple(texts), None

    def _event(self, event: str, last: str) -> str | None:
        if event in ("!", "-1"):
            return last
        if event in ("$", "^", "*"):
            words = last.split()[1:]
            if any(mark in last for mark in "'\"\\`(") or not words:
                return None
            return {"$": words[-1], "^": words[0], "*": " ".join(words)}[event]
        if event[:1] == "?":
            wanted = event.strip("?")
            return next((line for line in self._lines if wanted in line), None)
        if event[0].isdigit() or event[0] in "-#:":
            return None
        return next((line for line in self._lines if line.startswith(event)), None)


def _common(line: str, at: int, shown: str) -> int:
    """How long *shown* and *line* from *at* on are the same."""
    length = 0
    for one, other in zip(line[at:], shown, strict=False):
        if one != other:
            break
        length += 1
    return length
