"""A line, as it was given to the gateway's shell."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Did(Enum):
    """What a line came to."""

    ENTERED = "entered"
    INTERRUPTED = "interrupted"
    """^C."""
    ENDED = "ended"
    """^D on an empty line, or the end of the input."""


@dataclass(frozen=True, slots=True)
class Given:
    """One line."""

    did: Did
    text: str = ""
    whole: bool = True
    """It was not longer than a line may be."""


def count_lines(data: bytes) -> int:
    """How many lines *data* is; one that is not ended counts too."""
    text = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text.count(b"\n") + (bool(text) and not text.endswith(b"\n"))
