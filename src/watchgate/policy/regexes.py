"""Regular expressions of rules, run by RE2: time linear in the text, memory bounded, no backtracking.

`.` matches every character, a line break too; `^` and `$` are the ends of the text; case counts unless
`(?i)` says otherwise. Many regexes are asked at once: in groups, and only in a group that matches one by
one. RE2's own sets are not used, because they answer "nothing" when their memory runs out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import re2

from watchgate.errors import ConfigurationError

LONGEST = 4096
"""Characters of a regex."""

MEMORY = 2 << 20
"""Octets that one regex may use, compiled and while it runs."""

GROUP = 64
GROUP_MEMORY = 16 << 20


def encoded(text: str) -> bytes:
    """*text* as regexes see it; what stood for an octet that is no text is one `?`."""
    return text.encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Regex:
    """One regex, ready to search."""

    pattern: str
    _compiled: Any = field(compare=False, repr=False)

    def found(self, text: bytes) -> bool:
        """Whether it matches anywhere in *text*."""
        return self._compiled.search(text) is not None


@lru_cache(maxsize=32_768)
def regex(pattern: str) -> Regex:
    """The regex that *pattern* is; raises ConfigurationError with the reason when RE2 refuses it."""
    if len(pattern) > LONGEST:
        raise ConfigurationError(
            f"this regex has {len(pattern):,} characters; {LONGEST:,} are allowed",
            code="rule.illegal-regex",
        )
    try:
        return Regex(pattern, re2.compile(pattern, _options(MEMORY)))
    except (re2.error, UnicodeEncodeError) as error:
        raise ConfigurationError(_refusal(pattern, error), code="rule.illegal-regex") from error


def _options(memory: int) -> Any:
    options = re2.Options()
    options.max_mem = memory
    options.dot_nl = True
    options.never_capture = True
    options.log_errors = False
    return options


_LOOKING = "looking ahead or behind is not possible in linear time; say it with `not`"
_WHY = {
    "invalid perl operator: (?=": _LOOKING,
    "invalid perl operator: (?!": _LOOKING,
    "invalid perl operator: (?<": _LOOKING,
    "invalid perl operator": "this kind of group or flag is not known; there are (?i), (?m), (?s), (?U)",
    "invalid escape sequence": "this escape is not known (a back reference is not possible in linear time); "
    "for a plain backslash write \\\\",
    "pattern too large": "it is too large once its repetitions are written out; repeat less",
    "invalid repetition size": "a repetition of more than 1,000 is not possible; repeat less",
    "bad repetition operator": "two repetitions follow each other; put the first in ( )",
    "no argument for repetition operator": "there is nothing to repeat; for the character itself write \\ before it",
    "missing ]": "a [ is not closed; for the character itself write \\[",
    "missing )": "a ( is not closed; for the character itself write \\(",
    "unexpected )": "a ) has no (; for the character itself write \\)",
    "invalid character class": "this class of characters is not known",
    "trailing": "a backslash at the end stands for nothing",
}


def _refusal(pattern: str, error: Exception) -> str:
    """What is wrong with *pattern*, and where in it."""
    reason = error.args[0] if error.args else str(error)
    said = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    kind, _, fragment = said.partition(": ")
    why = next((why for start, why in _WHY.items() if said.startswith(start)), kind)
    at = pattern.find(fragment) if fragment else -1
    where = f" at its character {at + 1}, {fragment[:40]!r}" if at >= 0 else ""
    return f"this regex is refused{where}: {why}"


class Bank:
    """Many regexes, asked at once."""

    def __init__(self, regexes: Iterable[Regex]) -> None:
        distinct = list(dict.fromkeys(regexes))
        self._groups = list(_grouped(distinct))

    def found(self, text: bytes) -> Iterator[Regex]:
        """Those that match anywhere in *text*."""
        for joined, members in self._groups:
            if joined is None or joined.search(text) is not None:
                yield from (one for one in members if one.found(text))


def _grouped(regexes: list[Regex]) -> Iterator[tuple[Any, list[Regex]]]:
    # What `\Q` begins may go on to the end of a regex, so it would swallow what is joined to it.
    quoting = [one for one in regexes if r"\Q" in one.pattern]
    plain = [one for one in regexes if r"\Q" not in one.pattern]
    if quoting:
        yield None, quoting
    for start in range(0, len(plain), GROUP):
        members = plain[start : start + GROUP]
        yield (_joined(members), members) if len(members) > 1 else (None, members)


def _joined(members: list[Regex]) -> Any:
    """One regex that matches where any of *members* does; None when they cannot be joined.

    They cannot when two name the same group, or when together they are too large.
    """
    pattern = "|".join(f"(?:{one.pattern})" for one in members)
    try:
        return re2.compile(pattern, _options(GROUP_MEMORY))
    except re2.error:
        return None
