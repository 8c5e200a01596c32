"""An oddity of a rule, as the linter names it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Gravity(StrEnum):
    """How much it matters."""

    ERROR = "error"
    """The rule cannot do what it is for."""
    WARNING = "warning"
    """It probably does not do what was meant."""
    NOTE = "note"
    """Worth knowing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One oddity of one rule."""

    rule: str
    code: str
    """Stable, for programs: `never-matches`."""
    gravity: Gravity
    message: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.gravity}: {self.message}"


Found = Iterator[tuple[str, Gravity, str]]
"""Codes, gravities and messages of what is odd about one rule."""
