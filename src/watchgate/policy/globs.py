"""Patterns of names: `*`, `?` and `[...]`, as shells write them, matched in linear time.

A `*` stands for any characters, `/` among them: these are patterns of words. Patterns of paths are
another thing (`watchgate.policy.shell.paths`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from watchgate.policy.regexes import Regex, encoded, regex
from watchgate.policy.truth import MAY, NO, Truth, known

LONGEST_COMPARED = 256
"""Of two patterns, one of which is longer, it is not worked out whether they can mean the same."""

_SPECIAL = frozenset("*?[")
_TOKEN = re.compile(r"\\(.)|(\*+)|(\?|\[[!^]?+\]?+[^\]]*\])|(.)", re.DOTALL)
_UNKNOWN = re.compile(r"[$`]")

_Token = tuple[str, bool]
"""A character, or (True) a wildcard."""

_STAR: _Token = ("*", True)


@dataclass(frozen=True, slots=True)
class Glob:
    """One pattern, ready to match."""

    text: str
    literal: str | None = field(compare=False)
    """The one name for which it stands, when it has no wildcard."""
    prefix: str = field(compare=False)
    """What stands before its first wildcard."""
    _regex: Regex | None = field(compare=False, repr=False)

    def matches(self, name: str) -> bool:
        """Whether it stands for *name*."""
        if self._regex is None:
            return self.literal == name
        return self._regex.found(encoded(name))

    def may_match(self, pattern: str) -> bool:
        """Whether a name for which *pattern* stands may be one for which this stands."""
        return meet(self.text, pattern)

    def truth(self, text: str, *, complete: bool, pattern: bool) -> Truth:
        """Of a word: one that is not *complete* is known up to its first `$` or backtick."""
        if not complete:
            before = _UNKNOWN.split(text, maxsplit=1)[0]
            return MAY if _agree(before, self.prefix, self.literal) else NO
        if pattern:
            return MAY if self.may_match(text) else NO
        return known(self.matches(text))


def _agree(before: str, prefix: str, literal: str | None) -> bool:
    """Whether a word that begins with *before* may be one that begins with *prefix*."""
    if literal is not None:
        return literal.startswith(before)
    return prefix.startswith(before) or before.startswith(prefix)


@lru_cache(maxsize=16_384)
def glob(text: str) -> Glob:
    """The pattern that *text* is; a character after `\\` stands for itself."""
    tokens = list(_tokens(text))
    wild = next((i for i, (_, special) in enumerate(tokens) if special), len(tokens))
    prefix = "".join(token for token, _ in tokens[:wild])
    if wild == len(tokens):
        return Glob(text, prefix, prefix, None)
    source = "".join(_source(token) if special else _quoted(token) for token, special in tokens)
    return Glob(text, None, prefix, regex(rf"\A(?:{source})\z"))


def is_pattern(text: str) -> bool:
    """Whether *text* stands for more than one name."""
    return not _SPECIAL.isdisjoint(text)


def any_matches(globs: Iterable[Glob], name: str) -> bool:
    """Whether one of *globs* stands for *name*."""
    return any(one.matches(name) for one in globs)


def _tokens(text: str) -> Iterable[_Token]:
    """Characters, and wildcards (marked True)."""
    for escaped, stars, one, plain in _TOKEN.findall(text):
        if stars or one:
            yield ("*" if stars else one), True
        else:
            yield (escaped or plain), False


def _source(token: str) -> str:
    match token[0]:
        case "*":
            return ".*"
        case "?":
            return "."
        case _:
            negation = "^" if token[1] in "!^" else ""
            inside = token[1 + bool(negation) : -1]
            return f"[{negation}{_in_class(inside)}]"


def _in_class(inside: str) -> str:
    return "".join(f"\\{one}" if one in "\\[]^&~|" else one for one in inside)


def _quoted(character: str) -> str:
    return character if character.isalnum() or ord(character) > 127 else f"\\x{ord(character):02x}"


def meet(first: str, second: str) -> bool:
    """Whether some name is meant by both patterns; a class of characters counts as any character.

    Bounded: of patterns that are too long to compare it says that they may.
    """
    if max(len(first), len(second)) > LONGEST_COMPARED:
        return True
    left, right = list(_tokens(first)), list(_tokens(second))
    reached = _past_stars({0}, right)
    for one in left:
        if one == _STAR:
            reached = set(range(min(reached), len(right) + 1))
        else:
            reached = _past_stars(_stepped(reached, one, right), right)
        if not reached:
            return False
    return len(right) in reached


def _past_stars(reached: set[int], right: list[_Token]) -> set[int]:
    """A star may stand for nothing."""
    found = set(reached)
    for at in sorted(reached):
        while at < len(right) and right[at] == _STAR:
            at += 1
            found.add(at)
    return found


def _stepped(reached: set[int], one: _Token, right: list[_Token]) -> set[int]:
    """Where one character of the left pattern leads in the right one."""
    found = set()
    for at in reached:
        if at == len(right):
            continue
        other = right[at]
        if other == _STAR:
            found.add(at)
        elif one[1] or other[1] or one[0] == other[0]:
            found.add(at + 1)
    return found
