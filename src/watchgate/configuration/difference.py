"""From what the catalog has to what the files say: the changes, decided without doing anything.

A plan is a value: made again from the same two sides it is equal, so what was shown to somebody can be
compared with what would be done now. Files own what an apply of theirs made or took over. What they
own and do not say any more is removed; what was made by hand is taken over when it is the same, is a
conflict when it differs, and is otherwise left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from watchgate.catalog import names
from watchgate.configuration import facts, keys
from watchgate.configuration.current import Current, Held, HeldAccount
from watchgate.configuration.entries import Documents, GrantEntry, OperatorEntry, TargetEntry
from watchgate.configuration.facts import Field
from watchgate.configuration.ownership import Kind
from watchgate.configuration.places import Problem, Problems
from watchgate.session.model import CredentialKind


class Action(StrEnum):
    """What is done to one thing."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"
    ADOPT = "adopt"
    """It is already as the files say; from now on it is theirs."""


@dataclass(frozen=True, slots=True)
class Item:
    """One change."""

    action: Action
    kind: Kind
    name: str
    fields: tuple[Field, ...] = ()
    notes: tuple[str, ...] = ()
    row_id: str | None = None
    """Of what is there already."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that an apply would do, in the order in which it is shown."""

    items: tuple[Item, ...] = ()
    conflicts: tuple[Problem, ...] = ()
    """While there are any, nothing is done."""
    warnings: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether anything would be other than it is; to own what is the same is no difference."""
        return any(item.action is not Action.ADOPT for item in self.items)

    def count(self, action: Action) -> int:
        """How many things this is done to."""
        return sum(item.action is action for item in self.items)


def plan(documents: Documents, current: Current, now_us: int, *, adopt: bool = False) -> Plan:
    """The changes that make *current* what *documents* say; *adopt* takes over what differs too."""
    return _Planner(documents, current, now_us, adopt).plan()


class _Planner:
    """Compares one kind after the other."""

    def __init__(self, documents: Documents, current: Current, now_us: int, adopt: bool) -> None:
        self._documents = documents
        self._current = current
        self._now_us = now_us
        self._adopt = adopt
        self._conflicts = Problems()
        self._warnings: list[str] = []
        self._operators = {names.fold(one.name): one for one in documents.operators}
        self._targets = {names.fold(one.name): one for one in documents.targets}

    def plan(self) -> Plan:
        grants = list(self._wanted_grants())
        self._check_references(grants)
        self._check_keys()
        items = [*self._plan_operators(), *self._plan_targets(), *self._plan_grants(grants)]
        self._warn_of_empty_groups(grants)
        return Plan(tuple(items), self._conflicts.found, tuple(self._warnings))

    def _mine(self, owner: str | None) -> bool:
        return owner == self._documents.owner

    def _may_touch(
        self, owner: str | None, path: tuple[str, ...], said: str, changes: Iterable[Field]
    ) -> bool:
        """Whether this apply may make it what the files say; else a conflict is added."""
        if self._mine(owner) or self._adopt:
            return True
        if owner is not None:
            why = f"{said} belongs to the files of {owner!r}"
        elif differing := [one.name for one in changes]:
            why = f"{said} was made by hand and differs in {', '.join(differing)}"
        else:
            return True
        self._conflicts.add(
            self._documents.place(*path), ".".join(path), f"{why}; --adopt takes it over"
        )
        return False

    def _existing(
        self, kind: Kind, held: Held[Any], path: tuple[str, ...], fields: tuple[Field, ...]
    ) -> Iterator[Item]:
        """The change of something that is there, or that it changes hands."""
        name = held.entry.name
        if not self._may_touch(held.owner, path, f"the {kind} {name}", fields):
            return
        mine = self._mine(held.owner)
        notes: tuple[str, ...] = () if mine else (_taken_over(held.owner),)
        if fields:
            yield Item(Action.CHANGE, kind, name, fields, notes, held.id)
        elif not mine:
            yield Item(Action.ADOPT, kind, name, (), notes, held.id)

    # --- operators -------------------------------------------------------------------------------

    def _plan_operators(self) -> Iterator[Item]:
        for folded, wanted in self._operators.items():
            held = self._current.operators.get(folded)
            if held is None:
                fields = facts.changed(
                    facts.of_operator(OperatorEntry("", frozenset())), facts.of_operator(wanted)
                )
                yield Item(Action.ADD, Kind.OPERATOR, wanted.name, fields)
                continue
            after = self._operator_after(folded, wanted, held.entry)
            fields = facts.changed(facts.of_operator(held.entry), facts.of_operator(after))
            path = ("operators", wanted.name)
            items = list(self._existing(Kind.OPERATOR, held, path, fields))
            yield from items
            if not items and self._mine(held.owner) and self._foreign_keys(folded, wanted):
                why = "a key was entered by hand"
                yield Item(Action.ADOPT, Kind.OPERATOR, wanted.name, (), (why,), held.id)
        for folded, held in self._current.operators.items():
            if self._mine(held.owner) and folded not in self._operators:
                lost = tuple(self._lost_with_operator(folded))
                yield Item(Action.REMOVE, Kind.OPERATOR, held.entry.name, (), lost, held.id)

    def _operator_after(
        self, folded: str, wanted: OperatorEntry, held: OperatorEntry
    ) -> OperatorEntry:
        """What he will be: where the files are silent, what he is."""
        kept = wanted.keys
        if kept is None:
            given = self._current.keys.get(folded, ())
            kept = frozenset(key.line for key in given if not self._mine(key.owner))
        disabled = held.disabled if wanted.disabled is None else wanted.disabled
        return replace(wanted, keys=kept, disabled=disabled)

    def _foreign_keys(self, folded: str, wanted: OperatorEntry) -> bool:
        """Whether he already has a key that the files now say and do not own."""
        held = self._current.keys.get(folded, ())
        return any(key.line in (wanted.keys or ()) and not self._mine(key.owner) for key in held)

    def _lost_with_operator(self, folded: str) -> Iterator[str]:
        given = [
            one
            for one in self._current.grants
            if names.fold(one.entry.operator or "") == folded and not self._mine(one.owner)
        ]
        if given:
            yield f"{_counted(len(given), 'grant')} that these files did not give him go with him"

    # --- targets and accounts --------------------------------------------------------------------

    def _plan_targets(self) -> Iterator[Item]:
        for folded, wanted in self._targets.items():
            held = self._current.targets.get(folded)
            if held is None:
                fields = facts.changed({}, facts.of_target(wanted))
                yield Item(Action.ADD, Kind.TARGET, wanted.name, fields)
            else:
                kept = held.entry.host_keys if wanted.host_keys is None else wanted.host_keys
                after = replace(wanted, host_keys=kept)
                fields = facts.changed(facts.of_target(held.entry), facts.of_target(after))
                path = ("targets", wanted.name)
                yield from self._existing(Kind.TARGET, held, path, fields)
            yield from self._plan_accounts(folded, wanted)
        for folded, held in self._current.targets.items():
            if self._mine(held.owner) and folded not in self._targets:
                notes = tuple(self._lost_with_target(folded))
                yield Item(Action.REMOVE, Kind.TARGET, held.entry.name, (), notes, held.id)

    def _plan_accounts(self, folded: str, wanted: TargetEntry) -> Iterator[Item]:
        for name, credential in sorted(wanted.accounts.items()):
            where = f"{name}@{wanted.name}"
            account = self._current.accounts.get((folded, name))
            if account is None:
                yield Item(
                    Action.ADD,
                    Kind.ACCOUNT,
                    where,
                    (Field("credential", None, str(credential)),),
                    _secret_needed(where, credential),
                )
            else:
                yield from self._plan_account(account, wanted, credential)
        for (of, name), account in self._current.accounts.items():
            if of == folded and self._mine(account.owner) and name not in wanted.accounts:
                notes = ("its secret is destroyed",) if account.has_secret else ()
                where = f"{name}@{wanted.name}"
                yield Item(Action.REMOVE, Kind.ACCOUNT, where, (), notes, account.id)

    def _plan_account(
        self, account: HeldAccount, wanted: TargetEntry, credential: CredentialKind
    ) -> Iterator[Item]:
        where = f"{account.name}@{account.target}"
        fields: tuple[Field, ...] = ()
        if account.credential is not credential:
            fields = (Field("credential", str(account.credential), str(credential)),)
        path = ("targets", wanted.name, "accounts", account.name)
        if not self._may_touch(account.owner, path, f"the account {where}", fields):
            return
        notes: tuple[str, ...] = () if self._mine(account.owner) else (_taken_over(account.owner),)
        if fields:
            lost = ("its secret is destroyed",) if account.has_secret else ()
            notes = (*notes, *lost, *_secret_needed(where, credential))
            yield Item(Action.CHANGE, Kind.ACCOUNT, where, fields, notes, account.id)
        elif notes:
            yield Item(Action.ADOPT, Kind.ACCOUNT, where, (), notes, account.id)

    def _lost_with_target(self, folded: str) -> Iterator[str]:
        on = [one for (of, _), one in self._current.accounts.items() if of == folded]
        if on:
            yield f"with {', '.join(one.name for one in on)}, and their secrets"
        given = [
            one
            for one in self._current.grants
            if names.fold(one.entry.where) == folded and not self._mine(one.owner)
        ]
        if given:
            yield f"{_counted(len(given), 'grant')} on it that these files did not give go with it"

    # --- grants ----------------------------------------------------------------------------------

    def _wanted_grants(self) -> Iterator[GrantEntry]:
        """Without those that are over: they cannot be given any more, and need not be."""
        held = {one.entry.name: one.entry for one in self._current.grants if self._mine(one.owner)}
        for wanted in self._documents.grants:
            until = wanted.terms.until_us
            over = until is not None and until <= self._now_us
            if over and not _same_grant(wanted, held.get(wanted.name)):
                self._warnings.append(
                    f"the grant {wanted.name} is over and is not given; take it out of the files"
                )
            else:
                yield wanted

    def _plan_grants(self, wanted: list[GrantEntry]) -> Iterator[Item]:
        mine = {one.entry.name: one for one in self._current.grants if self._mine(one.owner)}
        by_hand = [one for one in self._current.grants if one.owner is None]
        for entry in wanted:
            held = mine.pop(entry.name, None)
            if held is None:
                yield self._new_grant(entry, by_hand)
            elif not _same_grant(entry, held.entry):
                fields = facts.changed(facts.of_grant(held.entry), facts.of_grant(entry))
                note = "the old one is revoked; sessions that it opened go on"
                yield Item(Action.CHANGE, Kind.GRANT, entry.name, fields, (note,), held.id)
        for name, held in sorted(mine.items()):
            fields = facts.changed(facts.of_grant(held.entry), {})
            note = "revoked; sessions that it opened go on"
            yield Item(Action.REMOVE, Kind.GRANT, name, fields, (note,), held.id)

    def _new_grant(self, entry: GrantEntry, by_hand: list[Held[GrantEntry]]) -> Item:
        """A grant that nobody gave yet, or the same that somebody gave by hand."""
        for candidate in by_hand:
            if _same_grant(entry, candidate.entry):
                by_hand.remove(candidate)
                notes = (_taken_over(None),)
                return Item(Action.ADOPT, Kind.GRANT, entry.name, (), notes, candidate.id)
        return Item(Action.ADD, Kind.GRANT, entry.name, facts.changed({}, facts.of_grant(entry)))

    # --- what names something else ---------------------------------------------------------------

    def _check_references(self, grants: list[GrantEntry]) -> None:
        for grant in grants:
            if grant.operator is not None:
                self._check_reference(grant, "operator", grant.operator, self._staying_operators())
            if not grant.by_labels:
                self._check_reference(grant, "target", grant.where, self._staying_targets())

    def _check_reference(
        self, grant: GrantEntry, noun: str, name: str, staying: dict[str, str]
    ) -> None:
        if names.fold(name) in staying:
            return
        path = ("grants", grant.name, noun)
        unknown = names.unknown(noun, name, staying.values())
        self._conflicts.add(self._documents.place(*path), ".".join(path), str(unknown))

    def _staying_operators(self) -> dict[str, str]:
        return _staying(self._operators.values(), self._current.operators, self._mine)

    def _staying_targets(self) -> dict[str, str]:
        return _staying(self._targets.values(), self._current.targets, self._mine)

    def _check_keys(self) -> None:
        """A key that stays with an operator cannot become another's."""
        staying: dict[str, str] = {}
        for folded, held in self._current.keys.items():
            owner = self._current.operators[folded]
            if folded not in self._operators and not self._mine(owner.owner):
                staying |= {keys.without_comment(key.line): owner.entry.name for key in held}
            elif folded in self._operators and self._operators[folded].keys is None:
                kept = [key for key in held if not self._mine(key.owner)]
                staying |= {keys.without_comment(key.line): owner.entry.name for key in kept}
        for wanted in self._operators.values():
            for line in sorted(wanted.keys or ()):
                other = staying.get(keys.without_comment(line))
                if other is not None and names.fold(other) != names.fold(wanted.name):
                    path = ("operators", wanted.name, "keys")
                    self._conflicts.add(
                        self._documents.place(*path),
                        ".".join(path),
                        f"the key {keys.fingerprint(line)} is already a key of {other}; "
                        "a key proves one operator only",
                    )

    def _warn_of_empty_groups(self, grants: list[GrantEntry]) -> None:
        there = {group for one in self._operators.values() for group in one.groups}
        for folded, held in self._current.operators.items():
            if folded not in self._operators and not self._mine(held.owner):
                there |= held.entry.groups
        for grant in grants:
            if grant.group is not None and names.fold(grant.group) not in there:
                self._warnings.append(
                    f"nobody is in the group {grant.group}, to which the grant {grant.name} is given"
                )


def _staying(
    wanted: Iterable[OperatorEntry] | Iterable[TargetEntry],
    held: dict[str, Held[Any]],
    mine: Callable[[str | None], bool],
) -> dict[str, str]:
    """The names that there will be, by their folded forms."""
    kept = {folded: one.entry.name for folded, one in held.items() if not mine(one.owner)}
    return kept | {names.fold(one.name): one.name for one in wanted}


def _same_grant(one: GrantEntry, other: GrantEntry | None) -> bool:
    return other is not None and _grant_key(one) == _grant_key(other)


def _grant_key(one: GrantEntry) -> tuple[object, ...]:
    """All of a grant but its name, with names in the form in which they are found."""
    return (
        None if one.operator is None else names.fold(one.operator),
        None if one.group is None else names.fold(one.group),
        one.account,
        one.where if one.by_labels else names.fold(one.where),
        one.terms,
    )


def _taken_over(owner: str | None) -> str:
    return "was made by hand" if owner is None else f"belonged to the files of {owner!r}"


def _secret_needed(where: str, credential: CredentialKind) -> tuple[str, ...]:
    match credential:
        case CredentialKind.CERTIFICATE:
            return ()
        case CredentialKind.PASSWORD:
            return (f"has no secret yet: watchgate account set {where}",)
        case CredentialKind.PRIVATE_KEY:
            return (f"has no secret yet: watchgate account set {where} --key FILE",)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
