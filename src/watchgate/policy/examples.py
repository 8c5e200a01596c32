"""An example in a rule: a line that it must match, or must not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from watchgate.clock import iso
from watchgate.policy.commands import Place


@dataclass(frozen=True, slots=True)
class Example:
    """One line, in what is known around it; of what is not said, it does not matter."""

    line: str
    matches: bool
    operator: str | None = None
    target: str | None = None
    account: str | None = None
    cwd: str | None = None
    inside: str | None = None
    """The program into which it is typed."""
    place: Place | None = None
    """What takes it; without it, a shell, or the program into which it is typed."""
    at_us: int | None = None

    def described(self) -> dict[str, Any]:
        """As a file has it."""
        made: dict[str, Any] = {"line": self.line, "matches": self.matches}
        for word in ("operator", "target", "account", "cwd", "inside"):
            value = getattr(self, word)
            if value is not None:
                made[word] = value
        if self.place is not None:
            made["place"] = str(self.place)
        return made | ({} if self.at_us is None else {"at": iso(self.at_us)})
