"""The conditions of a match: what is asked of one thing in a line (`candidates.Candidate`).

Each says how surely it holds, and gives itself back as plain JSON values in one normal form. What several
paths, operands or redirections must fulfil depends on what the rule is for: where it forbids, one of them
is enough; where it permits, every one must; beneath `not` it is the other way round. *every* says which.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from watchgate.policy.candidates import Candidate, Kind
from watchgate.policy.commands import Place, Source
from watchgate.policy.globs import Glob, any_matches, glob
from watchgate.policy.pathmatch import path_truth
from watchgate.policy.reading import Reason, Redirect, SimpleCommand, Word
from watchgate.policy.regexes import Regex, encoded
from watchgate.policy.truth import DOUBT, MAY, NO, YES, Truth, known, one_or_each

NOTHING: frozenset[Kind] = frozenset()

WRITING = frozenset({">", ">>", ">|", "<>", "&>", "&>>", ">&"})
"""Redirections by which a file may be changed."""

_TO_A_DESCRIPTOR = re.compile(r"[<>]&\s*(?:\d+-?|-)")
"""`2>&1` and `>&-`: they name a descriptor and no file."""


class Condition(Protocol):
    """One condition, or several together."""

    key: ClassVar[str]
    """The word by which files say it."""
    marks: ClassVar[frozenset[Kind]]
    """Kinds that a rule sees only where it says this word."""

    def truth(self, one: Candidate, every: bool) -> Truth:
        """How surely it holds for *one*."""

    def described(self) -> Any:
        """What a file says behind the word."""


def said(texts: Iterable[str]) -> list[str] | str:
    """One text alone, several as a list."""
    listed = list(texts)
    return listed[0] if len(listed) == 1 else listed


def _globs(globs: Iterable[Glob]) -> list[str] | str:
    return said(one.text for one in globs)


def _wholly_unknown(word: Word) -> bool:
    """It may become several words, flags among them: nothing of it is known, and it is not quoted."""
    return not word.known and word.raw[:1] in ("$", "`", "")


def _unclear(simple: SimpleCommand) -> bool:
    """A word of it is not known, or stands for several."""
    return any(not word.known or word.pattern for word in simple.words)


@dataclass(frozen=True, slots=True)
class Program:
    """The program, by its name; a pattern with a `/` is about the path as it was written."""

    key: ClassVar[str] = "program"
    marks: ClassVar[frozenset[Kind]] = NOTHING
    globs: tuple[Glob, ...]

    def truth(self, one: Candidate, every: bool) -> Truth:
        simple = one.simple
        if simple is None:
            return self._of_opaque(one)
        if not simple.program:
            # `> FILE` alone runs nothing; else which program it is, is not known.
            return NO if simple.redirects and not simple.words else MAY
        return known(any(_is_called(simple, one) for one in self.globs))

    def _of_opaque(self, one: Candidate) -> Truth:
        if one.opaque is None or not one.opaque.program:
            return one.without_command()
        return known(any_matches(self.globs, one.opaque.program))

    def described(self) -> Any:
        return _globs(self.globs)


def _is_called(simple: SimpleCommand, by: Glob) -> bool:
    if "/" in by.text:
        return simple.path is not None and by.matches(simple.path)
    return by.matches(simple.program)


@dataclass(frozen=True, slots=True)
class Flags:
    """Flags by their names: all of some, one of some, none but some."""

    key: ClassVar[str] = "flags"
    marks: ClassVar[frozenset[Kind]] = NOTHING
    every_of: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    only: frozenset[str] | None = None

    def truth(self, one: Candidate, every: bool) -> Truth:
        simple = one.simple
        if simple is None:
            return one.without_command()
        unseen = _unseen(simple)
        found = [YES if flag in simple.flags else unseen for flag in self.every_of]
        if self.one_of:
            found.append(YES if not simple.flags.isdisjoint(self.one_of) else unseen)
        if self.only is not None:
            found.append(NO if simple.flags - self.only else YES if unseen is NO else MAY)
        return min(found)

    def described(self) -> Any:
        if not self.one_of and self.only is None:
            return said(self.every_of)
        parts = {"all": self.every_of, "any": self.one_of}
        made: dict[str, Any] = {word: list(flags) for word, flags in parts.items() if flags}
        return made | ({"only": sorted(self.only)} if self.only is not None else {})


def _unseen(simple: SimpleCommand) -> Truth:
    """How surely it has a flag that is not seen."""
    if any(map(_wholly_unknown, simple.words)):
        return MAY
    return NO if all(word.known for word in simple.words) else DOUBT


@dataclass(frozen=True, slots=True)
class Args:
    """Words: where a rule forbids, one of all words; where it permits, every operand."""

    key: ClassVar[str] = "args"
    marks: ClassVar[frozenset[Kind]] = NOTHING
    globs: tuple[Glob, ...]

    def truth(self, one: Candidate, every: bool) -> Truth:
        simple = one.simple
        if simple is None:
            return one.without_command()
        words = simple.operands if every else simple.words
        return one_or_each((self._of(word) for word in words), every)

    def _of(self, word: Word) -> Truth:
        return max(
            one.truth(word.text, complete=word.known, pattern=word.pattern) for one in self.globs
        )

    def described(self) -> Any:
        return _globs(self.globs)


@dataclass(frozen=True, slots=True)
class PathIs:
    """Paths among the operands and the values of flags."""

    key: ClassVar[str] = "path"
    marks: ClassVar[frozenset[Kind]] = NOTHING
    patterns: tuple[str, ...]

    def truth(self, one: Candidate, every: bool) -> Truth:
        simple = one.simple
        if simple is None:
            return one.without_command()
        found = one_or_each(map(self._of, simple.paths), every)
        if every and not all(word.known for word in simple.operands):
            return min(found, MAY)
        return found

    def _of(self, path: str) -> Truth:
        return max(path_truth(path, pattern) for pattern in self.patterns)

    def described(self) -> Any:
        return said(self.patterns)


@dataclass(frozen=True, slots=True)
class RedirectTo:
    """Files that are written by a redirection."""

    key: ClassVar[str] = "redirect"
    marks: ClassVar[frozenset[Kind]] = NOTHING
    patterns: tuple[str, ...]

    def truth(self, one: Candidate, every: bool) -> Truth:
        simple = one.simple
        if simple is None:
            return one.without_command()
        return one_or_each((self._of(redirect) for redirect in written(simple)), every)

    def _of(self, redirect: Redirect) -> Truth:
        path = redirect.path
        if path is None:
            return MAY
        return max(path_truth(path, pattern) for pattern in self.patterns)

    def described(self) -> Any:
        return said(self.patterns)


def written(simple: SimpleCommand) -> list[Redirect]:
    """The redirections by which it may change a file."""
    return [one for one in simple.redirects if _writes(one)]


def _writes(one: Redirect) -> bool:
    if one.operator.lstrip("0123456789") not in WRITING:
        return False
    # Of a file whose name is not known there is no path either.
    return one.path is not None or _TO_A_DESCRIPTOR.search(one.raw) is None


@dataclass(frozen=True, slots=True)
class Wrapped:
    """What the command was taken out of: `sudo`, `xargs`, `find`."""

    key: ClassVar[str] = "wrapper"
    marks: ClassVar[frozenset[Kind]] = NOTHING
    globs: tuple[Glob, ...]

    def truth(self, one: Candidate, every: bool) -> Truth:
        if one.simple is None:
            return one.without_command()
        return known(any(any_matches(self.globs, name) for name in one.simple.wrappers))

    def described(self) -> Any:
        return _globs(self.globs)


@dataclass(frozen=True, slots=True)
class RunsAs:
    """As whom it runs: as a wrapper says, else as the session's account."""

    key: ClassVar[str] = "user"
    marks: ClassVar[frozenset[Kind]] = NOTHING
    globs: tuple[Glob, ...]

    def truth(self, one: Candidate, every: bool) -> Truth:
        if one.simple is None:
            return one.without_command()
        user = one.simple.user or one.account
        return MAY if user is None else known(any_matches(self.globs, user))

    def described(self) -> Any:
        return _globs(self.globs)


@dataclass(frozen=True, slots=True)
class Values:
    """Values of flags; every flag that is named must have one that matches."""

    key: ClassVar[str] = "value"
    marks: ClassVar[frozenset[Kind]] = NOTHING
    flags: tuple[tuple[str, tuple[Glob, ...]], ...]

    def truth(self, one: Candidate, every: bool) -> Truth:
        simple = one.simple
        if simple is None:
            return one.without_command()
        return min(self._of(simple, flag, globs, every) for flag, globs in self.flags)

    def _of(self, simple: SimpleCommand, flag: str, globs: tuple[Glob, ...], every: bool) -> Truth:
        values = simple.values.get(flag)
        if not values:
            return _unseen(simple)
        doubtful = _unclear(simple)
        found = (_value_truth(globs, value, doubtful) for value in values)
        return one_or_each(found, every)

    def described(self) -> Any:
        return {flag: _globs(globs) for flag, globs in self.flags}


def _value_truth(globs: tuple[Glob, ...], value: str, doubtful: bool) -> Truth:
    """A value does not say by itself whether it is known; a `$` in it where some word is not says that."""
    complete = not (doubtful and ("$" in value or "`" in value))
    pattern = doubtful and any(character in value for character in "*?[")
    return max(one.truth(value, complete=complete, pattern=pattern) for one in globs)


@dataclass(frozen=True, slots=True)
class Matching:
    """A regex over the normal form of a command, the text of a part that cannot be read, or a raw line."""

    key: ClassVar[str] = "regex"
    marks: ClassVar[frozenset[Kind]] = frozenset({Kind.LINE})
    regex: Regex

    def truth(self, one: Candidate, every: bool) -> Truth:
        found = any(map(self.regex.found, one.texts))
        if one.simple is not None and _unclear(one.simple):
            return MAY if found else DOUBT
        return known(found)

    def described(self) -> Any:
        return self.regex.pattern


@dataclass(frozen=True, slots=True)
class LineMatching:
    """A regex over the line as it was given."""

    key: ClassVar[str] = "line"
    marks: ClassVar[frozenset[Kind]] = frozenset({Kind.LINE})
    regex: Regex

    def truth(self, one: Candidate, every: bool) -> Truth:
        found: bool | None = one.memo.get(self.regex)
        if found is None:
            found = one.memo[self.regex] = self.regex.found(encoded(one.reading.line))
        return known(found)

    def described(self) -> Any:
        return self.regex.pattern


@dataclass(frozen=True, slots=True)
class IsOpaque:
    """It cannot be read, for one of these reasons; for any when none is named."""

    key: ClassVar[str] = "opaque"
    marks: ClassVar[frozenset[Kind]] = frozenset({Kind.OPAQUE})
    reasons: tuple[Reason, ...] = ()

    def truth(self, one: Candidate, every: bool) -> Truth:
        if one.opaque is None:
            return NO
        return known(not self.reasons or one.opaque.reason in self.reasons)

    def described(self) -> Any:
        return said(map(str, self.reasons)) if self.reasons else True


@dataclass(frozen=True, slots=True)
class Inside:
    """It was typed into one of these programs."""

    key: ClassVar[str] = "inside"
    marks: ClassVar[frozenset[Kind]] = frozenset({Kind.INPUT})
    globs: tuple[Glob, ...]

    def truth(self, one: Candidate, every: bool) -> Truth:
        return known(self.takes(one.known.place, one.known.program))

    def takes(self, place: Place, program: str | None) -> bool:
        """Whether what is typed there, into that program, is meant."""
        if place not in (Place.PROGRAM, Place.ESCAPE) or program is None:
            return False
        return any_matches(self.globs, program)

    def described(self) -> Any:
        return _globs(self.globs)


@dataclass(frozen=True, slots=True)
class PlaceIs:
    """What takes the line."""

    key: ClassVar[str] = "place"
    marks: ClassVar[frozenset[Kind]] = NOTHING
    places: tuple[Place, ...]

    def truth(self, one: Candidate, every: bool) -> Truth:
        return known(one.known.place in self.places)

    def described(self) -> Any:
        return said(map(str, self.places))


@dataclass(frozen=True, slots=True)
class SourceIs:
    """How the command is known."""

    key: ClassVar[str] = "source"
    marks: ClassVar[frozenset[Kind]] = NOTHING
    sources: tuple[Source, ...]

    def truth(self, one: Candidate, every: bool) -> Truth:
        return known(one.known.source in self.sources)

    def described(self) -> Any:
        return said(map(str, self.sources))


@dataclass(frozen=True, slots=True)
class Confidence:
    """Whether it is known exactly, or was inferred."""

    key: ClassVar[str] = "confidence"
    marks: ClassVar[frozenset[Kind]] = NOTHING
    exact: bool

    def truth(self, one: Candidate, every: bool) -> Truth:
        return known(one.known.exact is self.exact)

    def described(self) -> Any:
        return "exact" if self.exact else "inferred"


def globs_of(texts: Iterable[str]) -> tuple[Glob, ...]:
    """Patterns in one order, each once."""
    return tuple(glob(text) for text in sorted(set(texts)))
