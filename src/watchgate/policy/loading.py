"""Rules out of files and out of the API: everything that is wrong is said at once, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from watchgate.configuration import yamltree
from watchgate.configuration.places import Place, Problems
from watchgate.configuration.shapes import WRONG, Spot
from watchgate.policy import plain
from watchgate.policy.expectations import Failure, check
from watchgate.policy.rule_shapes import NAMED_RULE, RULE_FILE
from watchgate.policy.rules import Rule

LARGEST_FILE = 32 << 20
"""Octets of one file: 10,000 rules with their examples have a third of that."""

MOST_RULES = 20_000
MOST_FILES = 1_000
SUFFIXES = (".yaml", ".yml")

Placed = tuple[Rule, Mapping[tuple[str | int, ...], Place], Place]


def load_text(
    text: str | bytes, file: str = "rules.yaml", *, examples: bool = True
) -> tuple[Rule, ...]:
    """The rules that *text* says, by name; raises FilesRefused. *examples*: whether they are checked."""
    return load(
        {file: text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text},
        examples=examples,
    )


def load_files(paths: Iterable[Path], *, examples: bool = True) -> tuple[Rule, ...]:
    """The rules in files, and in all `.yaml` and `.yml` files below directories; raises FilesRefused."""
    problems = Problems()
    found = {str(path): _octets(path, problems) for path in _files(paths, problems)}
    return load(
        {name: octets for name, octets in found.items() if octets is not None},
        examples=examples,
        problems=problems,
    )


def from_document(document: Mapping[str, Any], *, examples: bool = True) -> Rule:
    """The rule that plain JSON values say, its name among them; raises FilesRefused.

    What `Rule.described` gives is read back as the same rule.
    """
    name = document.get("name")
    place = Place(f"rule {name}" if isinstance(name, str) and name else "rule")
    problems = Problems()
    node = plain.tree(dict(document), place, problems)
    problems.check()
    rule = NAMED_RULE.read(node, Spot(problems))
    problems.check()
    if examples:
        for failure in check(rule):
            problems.add(place, f"expect[{failure.example}]", str(failure))
        problems.check()
    assert isinstance(rule, Rule)
    return rule


def load(
    files: Mapping[str, bytes], *, examples: bool = True, problems: Problems | None = None
) -> tuple[Rule, ...]:
    """The rules that files say together, by name; no two have one name."""
    gathered = _Gathered(Problems() if problems is None else problems)
    for name, octets in files.items():
        gathered.take(name, octets)
    rules = gathered.finished(examples)
    return tuple(sorted(rules, key=lambda rule: rule.name))


class _Gathered:
    """What was read so far."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._found: dict[str, Placed] = {}

    def take(self, file: str, octets: bytes) -> None:
        """Add what one file says."""
        if len(octets) > LARGEST_FILE:
            self._problems.add(Place(file), "", f"it has more than {LARGEST_FILE >> 20} MiB")
            return
        tree = yamltree.parse(octets, file, self._problems)
        if tree is None:
            return
        spot = Spot(self._problems)
        said = RULE_FILE.read(tree, spot)
        if said is WRONG:
            return
        for rule in said["rules"]:
            self._put(rule, spot.places)

    def _put(self, rule: Rule, places: Mapping[tuple[str | int, ...], Place]) -> None:
        place = places[("rules", rule.name)]
        known = self._found.get(rule.name)
        if known is not None:
            self._problems.add(
                place,
                f"rules.{rule.name}",
                f"there is a rule of this name at {known[2]}; rename one",
            )
            return
        self._found[rule.name] = (rule, places, place)
        if len(self._found) == MOST_RULES + 1:
            self._problems.add(place, "", f"these are more than {MOST_RULES:,} rules")

    def finished(self, examples: bool) -> list[Rule]:
        """The rules, when nothing is wrong with them."""
        self._problems.check()
        if examples:
            for rule, places, place in self._found.values():
                for failure in check(rule):
                    self._failed(rule, failure, places, place)
            self._problems.check()
        return [rule for rule, _, _ in self._found.values()]

    def _failed(
        self,
        rule: Rule,
        failure: Failure,
        places: Mapping[tuple[str | int, ...], Place],
        place: Place,
    ) -> None:
        expect = ("rules", rule.name, "expect")
        at = places.get((*expect, failure.line)) or places.get(expect, place)
        self._problems.add(at, f"rules.{rule.name}.expect", str(failure))


def _files(paths: Iterable[Path], problems: Problems) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(
                one for one in path.rglob("*") if one.suffix in SUFFIXES and one.is_file()
            )
            visible = [
                one
                for one in inside
                if not any(part.startswith(".") for part in one.relative_to(path).parts)
            ]
            if not visible:
                problems.add(Place(str(path)), "", "there is no .yaml file in this directory")
            found += visible
        else:
            found.append(path)
    if len(found) > MOST_FILES:
        problems.add(Place(str(found[0])), "", f"these are more than {MOST_FILES:,} files")
        return []
    return list(dict.fromkeys(found))


def _octets(path: Path, problems: Problems) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_FILE + 1)
    except OSError as error:
        problems.add(Place(str(path)), "", f"this cannot be read: {error.strerror or error}")
        return None
