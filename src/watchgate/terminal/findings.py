"""What is found in a terminal's records: the commands that were given, and the text that was shown."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

LONGEST_COMMAND: Final = 64 * 1024
"""Characters of a command that are kept."""

Source: TypeAlias = Literal["screen", "keys"]


@dataclass(frozen=True, slots=True)
class Command:
    """A line that somebody gave to a shell, or to a program that a shell started."""

    t_us: int
    """When its last line was accepted."""
    text: str
    """Continuation lines are joined by newlines."""
    prompt: str
    """What stood before its first line; empty when nothing did, or it is not known."""
    program: str | None = None
    """The program that it was typed into; None: a shell."""
    source: Source = "screen"
    """Whether the screen showed it, or only the keys tell it."""
    confidence: Literal["inferred"] = "inferred"


@dataclass(frozen=True, slots=True)
class ScreenText:
    """Lines that could be read on the screen, joined by newlines; each is given once."""

    t_us: int
    """When its first line was printed."""
    text: str
    alternate: bool = False
    """Sampled from a full-screen program."""


Finding: TypeAlias = Command | ScreenText

_UNSEEN = re.compile(r"[^\x20-\x7e\xa0-\xac\xae-\u02ff\u0370-\u05ff\u0900-\u167f\u3000-\ud7ff]")


def readable(text: str) -> str:
    """*text* as it is searched: without characters that show nothing, so that none can split a word.

    Format characters (zero-width ones, marks of direction, tags, variation selectors) and controls are left
    out; what is no character is U+FFFD. Combining marks stay: they are part of what is seen.
    """
    return _UNSEEN.sub(_seen, text) if not text.isascii() or not text.isprintable() else text


def _seen(match: re.Match[str]) -> str:
    character = match[0]
    category = unicodedata.category(character)
    if category == "Cs":
        return "\ufffd"
    if category in ("Cc", "Cf") or 0xFE00 <= ord(character) <= 0xFE0F or character == "\u034f":
        return ""
    return character


def width(character: str) -> int:
    """The columns that *character* takes on a terminal."""
    if character < "\u0300":
        return 1
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
