"""What is odd about one match: it contradicts itself, asks nothing, or waits for what is never there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from watchgate.policy.combining import All, Any_, Beside, Not, within
from watchgate.policy.commands import Place
from watchgate.policy.conditions import (
    Condition,
    Confidence,
    Flags,
    Inside,
    IsOpaque,
    LineMatching,
    Matching,
    PathIs,
    PlaceIs,
    Program,
    SourceIs,
)
from watchgate.policy.findings import Found, Gravity
from watchgate.policy.regexes import Regex
from watchgate.policy.rules import Rule
from watchgate.policy.verdicts import Action


def of_match(rule: Rule) -> Found:
    """All that is odd about the match of *rule*."""
    for check in (_contradictions, _everything, _regexes, _unseen):
        yield from check(rule)


# --- matches that contradict themselves, or ask nothing ------------------------------------------


def _contradictions(rule: Rule) -> Found:
    for part in together(rule.match):
        for why in _impossible(part):
            yield "never-matches", Gravity.ERROR, f"{why}: this can never match"


def together(condition: Condition) -> Iterator[tuple[Condition, ...]]:
    """The conditions that must hold together, at each depth."""
    match condition:
        case All(parts):
            yield parts
            for part in parts:
                yield from together(part)
        case Any_(parts):
            for part in parts:
                yield from together(part)
        case Beside(part):
            yield from together(part)
        case _:
            yield (condition,)


def _impossible(parts: tuple[Condition, ...]) -> Iterator[str]:
    """Why *parts* cannot hold together."""
    negated = [part.part for part in parts if isinstance(part, Not)]
    if any(part in negated for part in parts):
        yield "it asks for a condition and for its opposite"
    yield from _no_common_program([part for part in parts if isinstance(part, Program)])
    exact = {part.exact for part in parts if isinstance(part, Confidence)}
    if len(exact) > 1:
        yield "nothing is known exactly and inferred"
    for kind in (PlaceIs, SourceIs):
        sets = [set(_words(part)) for part in parts if isinstance(part, kind)]
        if len(sets) > 1 and not set.intersection(*sets):
            yield f"no {kind.key} is in all of its lists"
    for flags in (part for part in parts if isinstance(part, Flags)):
        if flags.only is not None and not set(flags.every_of) <= flags.only:
            yield "it asks for a flag that `only` rules out"
    places = [part for part in parts if isinstance(part, PlaceIs)]
    if any(isinstance(part, Inside) for part in parts) and any(
        not {Place.PROGRAM, Place.ESCAPE} & set(part.places) for part in places
    ):
        yield "nothing is typed into a program in these places"


def _words(part: PlaceIs | SourceIs) -> Iterable[str]:
    return part.places if isinstance(part, PlaceIs) else part.sources


def _no_common_program(programs: list[Program]) -> Iterator[str]:
    for at, one in enumerate(programs):
        for other in programs[at + 1 :]:
            if not any(a.may_match(b.text) for a in one.globs for b in other.globs):
                yield (
                    "one simple command has one program, and these have none in common "
                    "(for another command in the same line, say beside)"
                )


def _everything(rule: Rule) -> Found:
    """Matches that hold for whatever is typed."""
    if rule.shadow or not _always(rule.match):
        return
    if rule.action in (Action.BLOCK, Action.INTERRUPT):
        message = "it matches every command, so nothing can be done in its scope; is that meant?"
    elif rule.action is Action.FORCE:
        message = "its list has every command, so it restricts nothing but what cannot be read"
    else:
        message = f"it matches every command; {rule.action} then says the same of all"
    yield "matches-everything", Gravity.WARNING, message


def _always(condition: Condition) -> bool:
    match condition:
        case All(parts):
            return all(map(_always, parts))
        case Any_(parts):
            return any(map(_always, parts))
        case Program(globs):
            return any(set(one.text) == {"*"} for one in globs)
        case PathIs(patterns):
            return "/**" in patterns
        case Matching(regex) | LineMatching(regex):
            return _matches_all(regex)
        case PlaceIs(places):
            return set(places) >= {Place.SHELL, Place.ESCAPE, Place.TRANSFER}
        case SourceIs() | Confidence() | Not() | Inside() | IsOpaque():
            return False
        case _:
            return False


_SAMPLES = (b"", b"ls", b"rm -rf /tmp/x", b"\xc3\xa4 $(x)")


def _matches_all(regex: Regex) -> bool:
    return all(map(regex.found, _SAMPLES))


# --- regexes -------------------------------------------------------------------------------------


def _regexes(rule: Rule) -> Found:
    for part in within(rule.match):
        if isinstance(part, Matching | LineMatching):
            if _matches_all(part.regex):
                yield (
                    "regex-everything",
                    Gravity.WARNING,
                    f"the regex {_short(part)} matches everything",
                )
            if part.regex.pattern.startswith("/") and part.regex.pattern.endswith("/"):
                yield (
                    "regex-slashes",
                    Gravity.WARNING,
                    f"the slashes around {_short(part)} are part of the regex; leave them out",
                )
        if isinstance(part, Matching):
            yield from _abnormal(part)


def _abnormal(part: Matching) -> Found:
    """What a normal form never holds, so that the regex may wait for it in vain."""
    pattern = part.regex.pattern
    for characters, what in (
        ('"', "double quotes"),
        (";", "`;` between commands"),
        ("&&", "`&&`"),
        ("|", None),
    ):
        if what is None:
            if "\\|" in pattern or "[|]" in pattern:
                yield _never_there(part, "`|` between commands")
        elif characters in pattern:
            yield _never_there(part, what)
    if "  " in pattern:
        yield _never_there(part, "two spaces in a row")


def _never_there(part: Matching, what: str) -> tuple[str, Gravity, str]:
    return (
        "regex-not-normal",
        Gravity.WARNING,
        f"the regex {_short(part)} waits for {what}, which the normal form of a command has only inside of "
        "quotes; say it with `line`, or structurally",
    )


def _short(part: Matching | LineMatching) -> str:
    return repr(part.regex.pattern[:60])


# --- what a rule does not see --------------------------------------------------------------------


def _unseen(rule: Rule) -> Found:
    if _opaque_with_structure(rule.match):
        if rule.permits or rule.certain:
            yield (
                "never-matches",
                Gravity.ERROR,
                "of a part that cannot be read only its program and its text are known, so flags, paths, "
                "arguments and redirections beside `opaque` are never certain: this can never match",
            )
        else:
            yield (
                "opaque-rules-nothing-out",
                Gravity.WARNING,
                "of a part that cannot be read only its program and its text are known: flags, paths, "
                "arguments and redirections beside `opaque` may always match",
            )
    for part in within(rule.match):
        if isinstance(part, Inside) and any(set(one.text) == {"*"} for one in part.globs):
            yield (
                "inside-everything",
                Gravity.NOTE,
                "it sees whatever is typed into any program, the text in editors too",
            )


_STRUCTURE = ("flags", "path", "redirect", "value", "args", "wrapper", "user")


def _opaque_with_structure(condition: Condition) -> bool:
    """Whether somewhere `opaque` stands with what only a simple command has."""
    return any(
        any(isinstance(part, IsOpaque) for part in parts)
        and any(part.key in _STRUCTURE for part in parts)
        for parts in together(condition)
    )
