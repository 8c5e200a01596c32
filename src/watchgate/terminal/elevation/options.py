"""Options of a program as `getopt` reads them, where each word is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from watchgate.terminal.elevation.plain import Word


@dataclass(frozen=True, slots=True)
class Options:
    """What a program takes; each option with the meaning under which it is kept, or `""`."""

    valued: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, str] = field(default_factory=dict)
    long_valued: Mapping[str, str] = field(default_factory=dict)
    long_flags: Mapping[str, str] = field(default_factory=dict)
    anywhere: bool = False
    """Options may stand behind operands too."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a line gives."""

    said: tuple[tuple[str, str], ...]
    """Meanings with their values."""
    rest: tuple[Word, ...]

    def has(self, meaning: str) -> bool:
        """Whether an option of that meaning is there."""
        return any(name == meaning for name, _ in self.said)

    def value(self, meaning: str) -> str | None:
        """The value of the last option of that meaning."""
        return next((value for name, value in reversed(self.said) if name == meaning), None)


class _UncertainError(Exception):
    """It cannot be said what the options are."""


def read(words: Sequence[Word], options: Options) -> Given | None:
    """The options and operands of *words*; None where one is unknown or not certain.

    An operand of which only a part is known is fine; where an option could stand it is not.
    """
    try:
        said: list[tuple[str, str]] = []
        rest: list[Word] = []
        left = iter(words)
        for word in left:
            if word.known and word.text == "--":
                rest.extend(left)
            elif word.known and word.text.startswith("-") and word.text != "-":
                said.extend(_option(word.text, left, options))
            elif not word.known and (options.anywhere or not rest):
                raise _UncertainError
            else:
                rest.append(word)
                if not options.anywhere:
                    rest.extend(left)
    except _UncertainError:
        return None
    return Given(tuple(said), tuple(rest))


def _option(text: str, left: Iterator[Word], options: Options) -> Iterator[tuple[str, str]]:
    if text.startswith("--"):
        yield _long(text[2:], left, options)
        return
    for at, letter in enumerate(text[1:], 2):
        if letter in options.flags:
            yield options.flags[letter], ""
        elif letter in options.valued:
            yield options.valued[letter], text[at:] or _next(left)
            return
        else:
            raise _UncertainError


def _long(text: str, left: Iterator[Word], options: Options) -> tuple[str, str]:
    name, has_value, value = text.partition("=")
    if name in options.long_valued:
        return options.long_valued[name], value if has_value else _next(left)
    if name in options.long_flags:
        return options.long_flags[name], value
    raise _UncertainError


def _next(left: Iterator[Word]) -> str:
    word = next(left, None)
    if word is None or not word.known:
        raise _UncertainError
    return word.text
