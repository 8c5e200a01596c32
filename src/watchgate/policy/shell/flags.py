"""Telling flags, their values and operands apart, as a program of that name would (getopt_long(3)).

A table row is a string: `-r,-R,--recursive` is one flag with three spellings, the first of which is used
in the normal form; its name is its first long spelling without dashes, else its letter. `=` behind it:
it takes a value; `=?` only in the same word; `=@` and `=?@`: the value is a path. `name:` in front gives
another name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from watchgate.policy.shell.fields import Field, literal

_NAMED = re.compile(r"([a-z][a-z-]*):(-.*)")
_LETTERS = re.compile(r"-[A-Za-z]{2,8}")


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag of a program."""

    name: str
    spelling: str
    takes: bool = False
    attached: bool = False
    """Its value stands in the same word, or there is none."""
    path: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """The flags of a program, by their spellings."""

    short: dict[str, Flag] = field(default_factory=dict)
    long: dict[str, Flag] = field(default_factory=dict)
    single: dict[str, Flag] = field(default_factory=dict)
    """Words behind one dash: `-name`."""
    known: bool = True


@dataclass(slots=True)
class Split:
    """The arguments of one command, told apart."""

    flags: list[str] = field(default_factory=list)
    """Names."""
    spelled: list[tuple[str, Field | None]] = field(default_factory=list)
    """Normal spellings with their values, in order."""
    values: dict[str, list[Field]] = field(default_factory=dict)
    paths: list[Field] = field(default_factory=list)
    """Values that are paths."""
    operands: list[Field] = field(default_factory=list)
    rest: int = 0
    """Where the operands begin, where flags end at the first of them."""

    def add(self, flag: Flag, value: Field | None = None) -> None:
        """One flag."""
        self.flags.append(flag.name)
        self.spelled.append((flag.spelling, value))
        if value is not None:
            self.values.setdefault(flag.name, []).append(value)
            if flag.path:
                self.paths.append(value)

    def value(self, name: str) -> Field | None:
        """The last value of a flag."""
        found = self.values.get(name)
        return found[-1] if found else None


@lru_cache(maxsize=1024)
def options(row: str) -> Options:
    """The flags of a table row."""
    made = Options()
    for entry in row.split():
        flag, spellings = _flag(entry)
        for spelling in spellings:
            if spelling.startswith("--"):
                made.long[spelling[2:]] = flag
            elif len(spelling) == 2:
                made.short[spelling[1]] = flag
            else:
                made.single[spelling[1:]] = flag
    return made


NO_OPTIONS = Options(known=False)
"""Of a program that is not in the tables."""


def _flag(entry: str) -> tuple[Flag, list[str]]:
    path = entry.endswith("@")
    entry = entry.removesuffix("@")
    attached = entry.endswith("=?")
    takes = entry.endswith(("=", "=?"))
    entry = entry.rstrip("=?")
    named = _NAMED.fullmatch(entry)
    spellings = (named[2] if named else entry).split(",")
    long = next((s for s in spellings if s.startswith("--")), spellings[0])
    name = named[1] if named else long.lstrip("-")
    return Flag(name, spellings[0], takes, attached, path), spellings


def split(arguments: list[Field], known: Options, *, first: bool = False) -> Split:
    """Tell *arguments* apart; with *first*, flags end at the first operand."""
    done = Split()
    at, end = 0, len(arguments)
    while at < end:
        argument = arguments[at]
        text = argument.text
        at += 1
        if len(text) < 2 or text[0] != "-" or (not argument.known and text[1] in "$`"):
            if first:
                at -= 1
                break
            done.operands.append(argument)
        elif text == "--":
            break
        elif text.startswith("--"):
            at = _long(done, argument, arguments, at, known)
        else:
            at = _short(done, argument, arguments, at, known)
    done.rest = at
    done.operands += arguments[at:]
    return done


def _part(whole: Field, text: str) -> Field:
    """The end of a word as a value of its own."""
    if whole.plain:
        return literal(text)
    return whole._replace(text=text, where=whole.where[-len(text) :] if whole.known else "**")


def _long(done: Split, argument: Field, arguments: list[Field], at: int, known: Options) -> int:
    name, sign, value = argument.text[2:].partition("=")
    flag = known.long.get(name)
    if flag is None and known.known:
        # GNU programs take any beginning that only one of their flags has.
        found = {known.long[full] for full in known.long if full.startswith(name)}
        flag = found.pop() if len(found) == 1 else None
    if flag is None:
        done.add(Flag("--" + name, "--" + name), _part(argument, value) if sign else None)
        return at
    if sign:
        done.add(flag, _part(argument, value))
    elif flag.takes and not flag.attached and at < len(arguments):
        done.add(flag, arguments[at])
        return at + 1
    else:
        done.add(flag)
    return at


def _short(done: Split, argument: Field, arguments: list[Field], at: int, known: Options) -> int:
    text = argument.text
    if known.single:
        name, sign, value = text[1:].partition("=")
        flag = known.single.get(name)
        if flag is not None:
            if sign or not flag.takes or at >= len(arguments):
                done.add(flag, _part(argument, value) if sign else None)
                return at
            done.add(flag, arguments[at])
            return at + 1
    if not known.known:
        done.add(Flag(text.partition("=")[0], text))
        if _LETTERS.fullmatch(text):
            done.flags += ["-" + letter for letter in text[1:]]
        return at
    for place, letter in enumerate(text[1:], 2):
        flag = known.short.get(letter)
        if flag is None:
            done.add(Flag("-" + letter, "-" + letter))
        elif not flag.takes:
            done.add(flag)
        elif place < len(text):
            done.add(flag, _part(argument, text[place:]))
            return at
        elif flag.attached or at >= len(arguments):
            done.add(flag)
        else:
            done.add(flag, arguments[at])
            return at + 1
    return at
