"""Shells in shells that tell their commands: which of them is in front, and what runs in it."""

from __future__ import annotations

from dataclasses import dataclass, field

from watchgate.terminal.programs import changes_prompt, started_by
from watchgate.terminal.prompts import Prompts

_OF_THE_SHELL = frozenset(
    (
        "bind",
        "declare",
        "disable",
        "enable",
        "export",
        "history",
        "readonly",
        "set",
        "setopt",
        "shopt",
        "trap",
        "typeset",
        "unset",
    )
)
"""What a line may begin with that leaves nothing in front but its shell."""


@dataclass(slots=True)
class Level:
    """One shell that tells its commands."""

    nonce: bytes
    shell: str
    at_prompt: bool = True
    running: int | None = None
    """The number of the command that it runs."""
    lost: bool = False
    """It no longer tells."""
    doubted: bool = False
    """It let a line pass without a word that it should have asked about."""

    renewed: int = 0
    """How often its hooks were set anew."""
    prompts: Prompts = field(default_factory=Prompts)
    """What it showed as its prompt."""
    ran: str = ""
    """The line that it was last permitted."""

    def shows(self, prompt: str) -> bool:
        """Whether *prompt*, which came without its mark, is this shell's: nothing else can have the terminal, or it is known."""
        program = started_by(self.ran)
        if program is None or program in _OF_THE_SHELL or changes_prompt(self.ran):
            return True
        return self.prompts.knows(prompt)

    @property
    def tells(self) -> bool:
        """It tells its commands, as far as is known."""
        return not self.lost and not self.doubted

    def believed(self) -> None:
        """It tells them again."""
        self.lost = self.doubted = False


class Levels:
    """The stack of them, the outermost first."""

    def __init__(self) -> None:
        self._levels: list[Level] = []

    def __len__(self) -> int:
        return len(self._levels)

    @property
    def top(self) -> Level | None:
        """The one that was hooked last."""
        return self._levels[-1] if self._levels else None

    @property
    def front(self) -> Level | None:
        """The one at whose prompt the operator is, if he is at one."""
        top = self.top
        return top if top is not None and top.at_prompt and top.tells else None

    def push(self, level: Level) -> None:
        """A shell inside the one in front."""
        self._levels.append(level)

    def at(self, number: int) -> Level:
        """The one of that number, from the outermost."""
        return self._levels[number]

    def return_to(self, number: int) -> list[int]:
        """That level is at its prompt; the commands that ended by that, the innermost first."""
        ended = []
        while len(self._levels) > number:
            level = self._levels[-1]
            if level.running is not None:
                ended.append(level.running)
                level.running = None
            if len(self._levels) == number + 1:
                level.at_prompt = True
                break
            self._levels.pop()
        return ended
