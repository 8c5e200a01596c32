"""Lines that were accepted, in order: which belong together, and whether a shell took them or a program.

What a line is, its prompt tells: one that the session's shells have shown, one that says whose it is, one that
continues a command. Without a prompt, it is what the line before was.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from watchgate.terminal.findings import LONGEST_COMMAND, Command, Source, readable
from watchgate.terminal.programs import (
    changes_prompt,
    multiplexes,
    started_by,
    starts_shell,
    takes_keys,
)
from watchgate.terminal.prompts import Prompts, continues, looks_like_one, program_of

_LONGEST_JOINED = 2000
"""Lines of one command."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A line that a shell or a program took."""

    t_us: int
    text: str
    prompt: str | None
    """None: not seen."""
    source: Source
    number: int | None = None
    """Its number on the screen; None: not seen."""
    follows: int | None = None
    """The number of the line right above it, when that was an operator's line too."""
    alternate: bool = False
    joins: bool = False
    """The line before it was ended inside a paste: this one goes on with it."""
    may_join: bool = False
    """The line before it was ended by Enter behind an ESC."""


@dataclass(slots=True)
class _Open:
    """A command that may go on."""

    t_us: int
    prompt: str
    program: str | None
    source: Source
    number: int | None
    parts: list[str] = field(default_factory=list)
    size: int = 0

    def add(self, line: Accepted, text: str) -> None:
        if self.size + len(text) < LONGEST_COMMAND and len(self.parts) < _LONGEST_JOINED:
            self.parts.append(text)
            self.size += len(text) + 1
        self.t_us, self.number = line.t_us, line.number

    def command(self) -> Command:
        text = "\n".join(self.parts).strip()
        return Command(self.t_us, text, self.prompt, self.program, self.source)


class ShellLines:
    """Joins and sorts the accepted lines of one terminal."""

    def __init__(self) -> None:
        self.prompts = Prompts()
        self._open: _Open | None = None
        self._last = ""  # the last command that a shell took
        self._started: str | None = None
        self._t_us = 0
        self._inside: str | None = None  # the program that took the line before

    @property
    def accepted_us(self) -> int | None:
        """When the last line of a command was accepted that may go on; None when there is none."""
        return self._open.t_us if self._open else None

    def accept(self, line: Accepted) -> list[Command]:
        """Take *line*; the commands that are complete before it."""
        # The screen and the keys of a recording have clocks of their own, some milliseconds apart.
        self._t_us = max(self._t_us, line.t_us)
        line = replace(line, t_us=self._t_us)
        text = readable(line.text).rstrip()
        if self._goes_on(line):
            assert self._open is not None
            self._open.add(line, text)
            return []
        done = self.flush()
        text = text.strip()
        program = self._place(line)
        if text:
            self._begin(line, text, program)
        return done

    def flush(self) -> list[Command]:
        """The command that may go on, as it is."""
        held, self._open = self._open, None
        if held is None:
            return []
        command = held.command()
        if held.program is None:
            self._last = command.text
        return [command] if command.text else []

    def returned(self) -> None:
        """A shell's prompt was shown: no program is in front."""
        self._started = self._inside = None

    def drop(self, prompt: str | None, follows: int | None) -> list[Command]:
        """^C behind *prompt*: a command that it would have continued is not run; one that is complete was."""
        held = self._open
        is_next = held is not None and prompt is not None and follows == held.number
        if is_next and self.is_continued_by(prompt or ""):
            self._open = None
        return self.flush()

    def is_continued_by(self, prompt: str) -> bool:
        """Whether *prompt*, right behind what is held, asks for more of it."""
        held = self._open
        if held is None or (self.prompts.knows(prompt) and prompt.strip()):
            return False
        if held.program is not None:
            whose = program_of(prompt, self._started)
            return whose is not None and whose[1]
        return continues(prompt)

    def _begin(self, line: Accepted, text: str, program: str | None) -> None:
        prompt = readable(line.prompt or "")
        self._open = _Open(line.t_us, prompt, program, line.source, line.number)
        self._open.add(line, text)
        if program is None:
            self._last, self._started = text, started_by(text)

    def _goes_on(self, line: Accepted) -> bool:
        held = self._open
        if held is None:
            return False
        if line.joins:
            return True
        if line.prompt is None or line.follows is None or line.follows != held.number:
            return False
        if line.may_join and not line.prompt.strip() and not self.prompts.knows(line.prompt):
            return True
        return self.is_continued_by(line.prompt)

    def _place(self, line: Accepted) -> str | None:
        """The program that took *line*; None: a shell did."""
        self._inside = self._program(line)
        prompt = line.prompt
        if self._inside is None and prompt is not None and (prompt.strip() or not self.prompts):
            self.prompts.learn(prompt)
        return self._inside

    def _program(self, line: Accepted) -> str | None:
        prompt = line.prompt
        if prompt is None:
            if line.alternate and not multiplexes(self._started):
                return self._started or "?"
            if takes_keys(self._started):
                return self._started
            return self._inside if self._inside != "?" else None
        known = self.prompts.knows(prompt)
        if known and prompt.strip():
            return None
        whose = program_of(prompt, self._started)
        if whose is not None:
            return whose[0]
        if self._is_shell(prompt, line.alternate, known):
            return None
        return self._started or "?"

    def _is_shell(self, prompt: str, alternate: bool, known: bool) -> bool:
        """Whether a shell shows *prompt*, which no line of the session stood behind yet, or which is empty."""
        if not self._last or self._started is None:
            return True
        if multiplexes(self._started) or starts_shell(self._started, self._last):
            return True
        if changes_prompt(self._last) and not alternate:
            return True
        if known:  # an empty prompt, as the session has had before
            return not alternate
        return looks_like_one(prompt) and "@" in prompt
