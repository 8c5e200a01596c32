"""The words with which shells open and close compound commands, one table for each family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a family of shells groups lines into commands."""

    name: str
    openers: Mapping[str, str] = field(default_factory=dict)
    """A word that opens a compound command, and the one that closes it."""
    leads: frozenset[str] = frozenset()
    """Words behind which a command begins."""
    lines: bool = False
    """Every line is a command of its own, whatever stands in it."""
    splices: bool = True
    """A backslash at the end of a line joins the next one to it."""
    bourne: bool = False
    """Here-documents, backticks, arithmetic, `[[`, `name()`."""

    @property
    def words(self) -> frozenset[str]:
        """All words that are the shell's own, where a command begins."""
        return frozenset(self.openers) | frozenset(self.openers.values()) | self.leads


BOURNE = Dialect(
    "bash",
    openers={
        "if": "fi",
        "for": "done",
        "select": "done",
        "while": "done",
        "until": "done",
        "case": "esac",
        "{": "}",
        "[[": "]]",
    },
    leads=frozenset({"then", "do", "else", "elif", "!", "time", "coproc", "function"}),
    bourne=True,
)
FISH = Dialect(
    "fish",
    openers=dict.fromkeys(("if", "for", "while", "function", "switch", "begin"), "end"),
    leads=frozenset({"else", "and", "or", "not", "!", "time"}),
)
CSH = Dialect("csh", lines=True)
DEVICE = Dialect("device", lines=True, splices=False)

_FAMILIES = {"fish": FISH, "csh": CSH, "tcsh": CSH}


def dialect_of(shell: str) -> Dialect:
    """The family of a shell by its name; one that is not known is taken for a Bourne shell."""
    return _FAMILIES.get(shell, BOURNE)
