"""To whom and what a rule applies.

All parts of a scope must hold; of each part one entry is enough. Several rules about the same thing add
up: a scope never takes away what another rule says. Operators, groups, targets and labels are found
whatever their case, accounts exactly, as everywhere (`watchgate.catalog.names`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any

from watchgate.policy.conditions import globs_of, said
from watchgate.policy.globs import Glob, any_matches
from watchgate.policy.subject import Subject


@dataclass(frozen=True, slots=True)
class Parts:
    """What is asked of a session; what is not asked holds."""

    operators: tuple[Glob, ...] = ()
    groups: tuple[Glob, ...] = ()
    targets: tuple[Glob, ...] = ()
    labels: tuple[tuple[str, tuple[Glob, ...]], ...] = ()
    accounts: tuple[Glob, ...] = ()
    protocols: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self != EVERYTHING

    def all_hold(self, subject: Subject) -> bool:
        """Whether every part holds."""
        return (
            (not self.operators or any_matches(self.operators, subject.operator.lower()))
            and (not self.groups or self._in_group(subject))
            and (not self.targets or any_matches(self.targets, subject.target.lower()))
            and (not self.accounts or any_matches(self.accounts, subject.account))
            and (not self.protocols or subject.protocol in self.protocols)
            and all(self._labeled(subject, name, globs) for name, globs in self.labels)
        )

    def _in_group(self, subject: Subject) -> bool:
        return any(any_matches(self.groups, group.lower()) for group in subject.groups)

    @staticmethod
    def _labeled(subject: Subject, name: str, globs: tuple[Glob, ...]) -> bool:
        value = subject.labels.get(name)
        return value is not None and any_matches(globs, value.lower())

    def of(self, words: Collection[str]) -> Parts:
        """Only what is asked under these words."""
        return Parts(
            **{one.name: getattr(self, one.name) for one in fields(self) if one.name in words}
        )

    def described(self) -> dict[str, Any]:
        """As a file has it."""
        made: dict[str, Any] = {}
        for word in ("operators", "groups", "targets", "accounts"):
            globs: tuple[Glob, ...] = getattr(self, word)
            if globs:
                made[word] = [one.text for one in globs]
        if self.labels:
            made["labels"] = {name: said(one.text for one in globs) for name, globs in self.labels}
        if self.protocols:
            made["protocols"] = list(self.protocols)
        return made


EVERYTHING = Parts()


@dataclass(frozen=True, slots=True)
class Scope:
    """The sessions that a rule is for, and those of them that it is not for."""

    parts: Parts = EVERYTHING
    excepted: Parts = EVERYTHING

    def holds(self, subject: Subject) -> bool:
        """Whether the session of *subject* is in it."""
        if not self.parts.all_hold(subject):
            return False
        return not (self.excepted and self.excepted.all_hold(subject))

    def may_hold(self, subject: Subject, asked: Collection[str]) -> bool:
        """Whether it may hold where of *subject* only the parts in *asked* are known (`operators`, …)."""
        if not self.parts.of(asked).all_hold(subject):
            return False
        # An exception counts where all of it is known.
        excepted = self.excepted
        return not excepted or excepted.of(asked) != excepted or not excepted.all_hold(subject)

    def described(self) -> dict[str, Any]:
        """As a file has it; empty when it is every session."""
        made = self.parts.described()
        return made | ({"except": self.excepted.described()} if self.excepted else {})


EVERYWHERE = Scope()


def parts_of(found: dict[str, Any]) -> Parts:
    """Parts of what a file says: lists of text, labels as a mapping to lists of text."""
    folded = {
        word: globs_of(text.lower() for text in found.get(word, ()))
        for word in ("operators", "groups", "targets")
    }
    labels = found.get("labels", {})
    return Parts(
        **folded,
        labels=tuple(
            (name, globs_of(text.lower() for text in labels[name])) for name in sorted(labels)
        ),
        accounts=globs_of(found.get("accounts", ())),
        protocols=tuple(sorted(set(found.get("protocols", ())))),
    )
