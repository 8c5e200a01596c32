"""A directory of files as one configuration: each thing is said once, and what names another finds it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from watchgate.catalog import names
from watchgate.configuration import folder, keys, yamltree
from watchgate.configuration.documents import DOCUMENT
from watchgate.configuration.entries import (
    OWNER,
    Documents,
    GrantEntry,
    OperatorEntry,
    TargetEntry,
)
from watchgate.configuration.folder import File
from watchgate.configuration.places import Place, Problems
from watchgate.configuration.shapes import WRONG, Spot

OWNER_FILE = ("watchgate.yaml", "watchgate.yml")

Entry = OperatorEntry | TargetEntry | GrantEntry
E = TypeVar("E", OperatorEntry, TargetEntry, GrantEntry)
PathOf = tuple[str | int, ...]


def read(directory: Path) -> Documents:
    """What the files in *directory* say; raises FilesRefused with all that is wrong with them."""
    problems = Problems()
    found = folder.read(directory, problems)
    gathered = gather(found.files, problems)
    problems.check()
    return replace(gathered, directory=found.path, digest=found.digest)


def gather(files: Iterable[File], problems: Problems) -> Documents:
    """What *files* say together; what is wrong is added to *problems*."""
    all_said = _Gathered(problems)
    for file in files:
        all_said.take(file)
    return all_said.documents()


@dataclass(slots=True)
class _Gathered:
    """What was read so far."""

    problems: Problems
    complete: bool = True
    """Every file could be read, so that what is not there is missing."""
    owner: str = OWNER
    places: dict[PathOf, Place] = field(default_factory=dict)
    entries: dict[tuple[str, str], Entry] = field(default_factory=dict)
    members: dict[str, list[tuple[str, Place]]] = field(default_factory=dict)

    def take(self, file: File) -> None:
        """Add what one file says."""
        before = self.problems.count
        tree = yamltree.parse(file.octets, file.name, self.problems)
        self.complete = self.complete and self.problems.count == before
        if tree is None:
            return
        spot = Spot(self.problems)
        said = DOCUMENT.read(tree, spot)
        if said is WRONG:
            self.complete = False
            return
        for section in ("operators", "targets", "grants"):
            for entry in said.get(section, ()):
                self._put(section, entry, spot.places)
        for group, members in said.get("groups", {}).items():
            at = spot.places.get(("groups", group), Place(file.name))
            self.members.setdefault(group, []).extend((member, at) for member in members)
        self.places = spot.places | self.places
        if "owner" in said:
            self._own(file, said["owner"], spot.places[("owner",)])

    def _own(self, file: File, owner: str, place: Place) -> None:
        if file.name not in OWNER_FILE:
            self.problems.add(
                place, "owner", f"the owner is said in {OWNER_FILE[0]} at the top of the directory"
            )
        self.owner = owner

    def _put(self, section: str, entry: Entry, places: dict[PathOf, Place]) -> None:
        """Keep an entry; two that differ in case alone are the same name."""
        key = (section, names.fold(entry.name))
        here = places[(section, entry.name)]
        if (first := self.entries.get(key)) is not None:
            noun = section.removesuffix("s")
            article = "an" if noun[0] in "aeiou" else "a"
            where = self.places.get((section, first.name), here)
            self.problems.add(
                here,
                f"{section}.{entry.name}",
                f"there is already {article} {noun} {first.name!r} at {where}; "
                "say all of it in one place",
            )
            return
        self.entries[key] = entry
        # At once, so that the second one in a file finds the first.
        self.places.setdefault((section, entry.name), here)

    def documents(self) -> Documents:
        operators = self._with_members()
        self._refuse_shared_keys(operators)
        return Documents(
            owner=self.owner,
            operators=tuple(operators),
            targets=self._all("targets", TargetEntry),
            grants=self._all("grants", GrantEntry),
            places=self.places,
        )

    def _all(self, section: str, kind: type[E]) -> tuple[E, ...]:
        found: list[Any] = [one for (of, _), one in self.entries.items() if of == section]
        return tuple(sorted(found, key=lambda one: names.fold(one.name)))

    def _with_members(self) -> list[OperatorEntry]:
        """Operators, each also in the groups whose lists of members name him."""
        operators = {names.fold(one.name): one for one in self._all("operators", OperatorEntry)}
        for group, members in self.members.items():
            for member, place in members:
                known = operators.get(names.fold(member))
                if known is None and not self.complete:
                    continue
                if known is None:
                    self.problems.add(place, f"groups.{group}", _nobody(member, operators.values()))
                else:
                    operators[names.fold(member)] = replace(known, groups=known.groups | {group})
        return list(operators.values())

    def _refuse_shared_keys(self, operators: list[OperatorEntry]) -> None:
        """A key proves one operator: two people with one key could not be told apart."""
        owners: dict[str, str] = {}
        for operator in operators:
            for line in sorted(operator.keys or ()):
                other = owners.setdefault(keys.without_comment(line), operator.name)
                if other != operator.name:
                    path: PathOf = ("operators", operator.name, "keys")
                    self.problems.add(
                        self.places.get(path, self.places[path[:2]]),
                        f"operators.{operator.name}.keys",
                        f"the key {keys.fingerprint(line)} is already a key of {other}; "
                        "a key proves one operator only",
                    )


def _nobody(name: str, operators: Iterable[OperatorEntry]) -> str:
    near = difflib.get_close_matches(name, [one.name for one in operators], n=1)
    advice = (
        f"did you mean {near[0]}?" if near else "add him to operators, where his groups are kept"
    )
    return f"{name!r} is not among the operators of these files; {advice}"
