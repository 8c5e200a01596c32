"""What comes of watching an elevation: a secret is asked for, withheld, or was wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Proof(StrEnum):
    """How a prompt was known to be the elevation's own."""

    INTEGRATION = "integration"
    PATTERN = "pattern"


@dataclass(frozen=True, slots=True)
class Ask:
    """An elevation asks for a password that the gateway may give."""

    program: str
    account: str
    """Whose password it asks for, as far as that is known; `""` where it is not."""
    prompt: str
    proof: Proof


@dataclass(frozen=True, slots=True)
class Withheld:
    """A prompt that looks like an elevation's is not answered."""

    program: str
    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """What was answered is wrong; nothing else is answered in this session."""

    program: str
    account: str


Outcome = Ask | Withheld | Rejected
