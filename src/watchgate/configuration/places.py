"""Where something stands in a file, and what is wrong with it.

All problems of all files are gathered before anybody is told, because who corrects one line at a time
corrects all day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from watchgate.errors import ConfigurationError

MOST_PROBLEMS = 50
"""So many are said; of more, only how many there are."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A file, and the line and column in it, both from 1; line 0 is the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and with which key."""

    place: Place
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.path}: {self.message}" if self.path else self.text

    @property
    def text(self) -> str:
        """The place and the message."""
        return f"{self.place}: {self.message}"


class FilesRefused(ConfigurationError):  # noqa: N818 - named as in errors.py: what happened
    """Files cannot be applied as they are; *problems* says why, each with its place."""

    code = "configuration.refused"

    def __init__(self, problems: Iterable[Problem], count: int | None = None) -> None:
        self.problems = tuple(problems)
        self.count = len(self.problems) if count is None else count
        """Of all, also of those that are not among *problems*."""
        said = "; ".join(map(str, self.problems))
        more = self.count - len(self.problems)
        super().__init__(f"{said}; and {more} more" if more else said)


class Problems:
    """Gathers problems, and refuses when there are any."""

    def __init__(self) -> None:
        self._found: list[Problem] = []
        self._count = 0

    def add(self, place: Place, path: str, message: str) -> None:
        """Remember one; of too many only the number."""
        self._count += 1
        if len(self._found) < MOST_PROBLEMS:
            self._found.append(Problem(place, path, message))

    @property
    def found(self) -> tuple[Problem, ...]:
        """What was gathered, as far as it is kept."""
        return tuple(self._found)

    @property
    def count(self) -> int:
        """How many there are."""
        return self._count

    def check(self) -> None:
        """Raise FilesRefused when anything was added."""
        if self._count:
            raise FilesRefused(sorted(self._found, key=lambda one: one.place), self._count)
