"""Doing what a plan says: in one transaction, each change with its entry in the journal.

Order matters for what may not be twice: what goes, goes first, so that a key or a name is free for
whoever has it next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

from watchgate.catalog import journal, names, settings, targets
from watchgate.catalog.change import Change
from watchgate.catalog.schema import operator_key
from watchgate.configuration import current, difference, keys, ownership
from watchgate.configuration.current import Current
from watchgate.configuration.difference import Action, Item, Plan
from watchgate.configuration.entries import Documents, GrantEntry, OperatorEntry, TargetEntry
from watchgate.configuration.ownership import Kind
from watchgate.configuration.places import FilesRefused
from watchgate.errors import ConfigurationError, WatchgateError
from watchgate.identity import grants, operators, publickeys
from watchgate.session.events import ConfigurationApplied
from watchgate.session.model import CredentialKind, Target
from watchgate.vault import accounts
from watchgate.vault.vault import Vault

MOST_CHANGES = 5_000
"""A change takes about 2 ms, and while they are made nobody else writes to the catalog: a login that
waits for it gives up after 10 s."""


def apply(
    change: Change, vault: Vault, documents: Documents, shown: Plan, *, adopt: bool = False
) -> Plan:
    """Do what was *shown*, in the transaction of *change*; what was done.

    Raises FilesRefused while there are conflicts, and ConfigurationError when somebody changed the
    configuration since it was shown: what is done is what was agreed to, or nothing.
    """
    held = current.load(change.connection)
    plan = difference.plan(documents, held, change.at_us, adopt=adopt)
    if plan != shown:
        raise ConfigurationError(
            "the configuration was changed meanwhile, and nothing was applied; apply again to see "
            "what differs now",
            code="configuration.changed-meanwhile",
        )
    if plan.conflicts:
        raise FilesRefused(plan.conflicts)
    if len(plan.items) > MOST_CHANGES:
        raise ConfigurationError(
            f"{len(plan.items)} changes are too many at once; {MOST_CHANGES} are allowed: leave files "
            "with things to add out of the directory, apply, put them back, and apply again",
            code="configuration.too-many-changes",
        )
    if plan.items:
        _Applier(change, vault, documents, held).apply(plan)
    return plan


@dataclass(frozen=True, slots=True)
class _Step:
    """What is done for one kind of item."""

    action: Action
    kind: Kind
    do: Callable[[Item], None]


class _Applier:
    """Does one item after the other."""

    def __init__(self, change: Change, vault: Vault, documents: Documents, held: Current) -> None:
        self._change = change
        self._vault = vault
        self._documents = documents
        self._held = held
        self._operators = {names.fold(one.name): one for one in documents.operators}
        self._targets = {names.fold(one.name): one for one in documents.targets}
        self._grants = {one.name: one for one in documents.grants}
        self._there: dict[str, Target] = {}
        """Targets by folded name, as far as they were asked for."""
        self._before = ownership.read(change.connection)
        self._marks: dict[tuple[Kind, str], str] = {}

    def apply(self, plan: Plan) -> None:
        for step in self._steps():
            for item in plan.items:
                if (item.action, item.kind) == (step.action, step.kind):
                    self._do(step, item)
        ownership.mark(self._change, self._documents.owner, self._marks)
        ownership.drop_stale(self._change)
        journal.append(
            self._change.connection,
            self._change.clock,
            ConfigurationApplied(
                actor=self._change.actor,
                owner=self._documents.owner,
                directory=self._documents.directory,
                digest=self._documents.digest,
                added=plan.count(Action.ADD),
                changed=plan.count(Action.CHANGE) + plan.count(Action.ADOPT),
                removed=plan.count(Action.REMOVE),
            ),
        )

    def _do(self, step: _Step, item: Item) -> None:
        """One step; what a verb refuses is said with the name of what it is about."""
        try:
            step.do(item)
        except WatchgateError as error:
            place = self._documents.place(f"{item.kind}s", item.name)
            raise ConfigurationError(
                f"{place}: the {item.kind} {item.name}: {error}; nothing was applied",
                code=error.code,
            ) from error

    def _steps(self) -> Iterable[_Step]:
        return (
            _Step(Action.REMOVE, Kind.GRANT, self._revoke),
            _Step(Action.CHANGE, Kind.GRANT, self._revoke),
            _Step(Action.REMOVE, Kind.ACCOUNT, self._remove_account),
            _Step(Action.REMOVE, Kind.OPERATOR, self._remove_operator),
            _Step(Action.REMOVE, Kind.TARGET, self._remove_target),
            _Step(Action.CHANGE, Kind.OPERATOR, self._take_keys),
            _Step(Action.ADD, Kind.OPERATOR, self._add_operator),
            _Step(Action.CHANGE, Kind.OPERATOR, self._change_operator),
            _Step(Action.ADOPT, Kind.OPERATOR, self._adopt_operator),
            _Step(Action.ADD, Kind.TARGET, self._add_target),
            _Step(Action.CHANGE, Kind.TARGET, self._change_target),
            _Step(Action.ADOPT, Kind.TARGET, self._adopt_target),
            _Step(Action.ADD, Kind.ACCOUNT, self._add_account),
            _Step(Action.CHANGE, Kind.ACCOUNT, self._change_account),
            _Step(Action.ADOPT, Kind.ACCOUNT, self._adopt_account),
            _Step(Action.ADD, Kind.GRANT, self._give),
            _Step(Action.CHANGE, Kind.GRANT, self._give),
            _Step(Action.ADOPT, Kind.GRANT, self._adopt_grant),
        )

    def _mark(self, kind: Kind, row_id: str, name: str) -> None:
        self._marks[kind, row_id] = name

    def _adopted(self, item: Item) -> None:
        """The journal's entry that something has another owner now."""
        self._mark(item.kind, _row_id(item), item.name)
        self._change.note(f"{item.kind}.adopted", item.name, owner=self._documents.owner)

    # --- operators -------------------------------------------------------------------------------

    def _remove_operator(self, item: Item) -> None:
        operators.remove(self._change, item.name)

    def _add_operator(self, item: Item) -> None:
        wanted = self._operators[names.fold(item.name)]
        added = operators.add(
            self._change, wanted.name, roles=wanted.roles, in_groups=wanted.groups
        )
        self._mark(Kind.OPERATOR, added.id, wanted.name)
        if wanted.login is not None:
            operators.set_combinations(self._change, wanted.name, wanted.login)
        if wanted.disabled:
            operators.disable(self._change, wanted.name)
        self._give_keys(wanted)

    def _take_keys(self, item: Item) -> None:
        wanted = self._operators[names.fold(item.name)]
        for key in self._held.keys.get(names.fold(item.name), ()):
            given_by_us = key.owner == self._documents.owner
            goes = given_by_us if wanted.keys is None else key.line not in wanted.keys
            if goes:
                publickeys.remove(self._change, item.name, key.id)

    def _change_operator(self, item: Item) -> None:
        wanted = self._operators[names.fold(item.name)]
        held = self._held.operators[names.fold(item.name)].entry
        if wanted.roles != held.roles:
            operators.set_roles(self._change, item.name, wanted.roles)
        for group in sorted(wanted.groups - held.groups):
            operators.join(self._change, item.name, group)
        for group in sorted(held.groups - wanted.groups):
            operators.leave(self._change, item.name, group)
        if wanted.login != held.login:
            operators.set_combinations(self._change, item.name, wanted.login)
        if wanted.disabled is True:
            operators.disable(self._change, item.name)
        elif wanted.disabled is False:
            operators.enable(self._change, item.name)
        self._give_keys(wanted)
        self._own(item)

    def _adopt_operator(self, item: Item) -> None:
        self._adopted(item)
        self._give_keys(self._operators[names.fold(item.name)])

    def _own(self, item: Item) -> None:
        """Mark a changed thing; when it was another's, the journal says that too."""
        before = self._before[item.kind].get(_row_id(item))
        if before is None or before.owner != self._documents.owner:
            self._adopted(item)
        else:
            self._mark(item.kind, _row_id(item), item.name)

    def _give_keys(self, wanted: OperatorEntry) -> None:
        """Enter the keys that he lacks, and own all that the files say."""
        if not wanted.keys:
            return
        given = self._change.connection.execute(
            operator_key.select().where(
                operator_key.c.operator_id == operators.get(self._change.connection, wanted.name).id
            )
        )
        there = {keys.joined(row.line, row.comment): row.id for row in given}
        for line in sorted(wanted.keys):
            row_id = there.get(line) or publickeys.add(self._change, wanted.name, line).id
            self._mark(Kind.KEY, row_id, keys.fingerprint(line))

    # --- targets and accounts --------------------------------------------------------------------

    def _remove_target(self, item: Item) -> None:
        targets.remove(self._change, item.name)

    def _add_target(self, item: Item) -> None:
        wanted = self._targets[names.fold(item.name)]
        added = targets.add(
            self._change,
            wanted.name,
            wanted.host,
            wanted.port,
            protocol=wanted.protocol,
            labels=wanted.labels,
            values=settings.write(wanted.settings),
            host_keys=sorted(wanted.host_keys or ()),
        )
        self._there[names.fold(wanted.name)] = added
        self._mark(Kind.TARGET, added.id, wanted.name)

    def _change_target(self, item: Item) -> None:
        wanted = self._targets[names.fold(item.name)]
        held = self._held.targets[names.fold(item.name)].entry
        if wanted.host_keys is not None and wanted.host_keys != held.host_keys:
            self._set_host_keys(wanted, held)
        gone: dict[str, str | None] = dict.fromkeys(set(held.labels) - set(wanted.labels))
        labels = gone | dict(wanted.labels)
        changed = {
            name: value for name, value in _values(wanted).items() if value != _values(held)[name]
        }
        if (wanted.address, wanted.labels, changed) != (held.address, held.labels, {}):
            targets.configure(
                self._change,
                item.name,
                host=wanted.host,
                port=wanted.port,
                labels=labels,
                values=changed,
            )
        self._own(item)

    def _set_host_keys(self, wanted: TargetEntry, held: TargetEntry) -> None:
        wanted_keys, held_keys = wanted.host_keys or frozenset(), held.host_keys or frozenset()
        if held_keys - wanted_keys:
            targets.unpin(self._change, wanted.name)
            held_keys = frozenset()
        for line in sorted(wanted_keys - held_keys):
            targets.pin(self._change, wanted.name, line)

    def _adopt_target(self, item: Item) -> None:
        self._adopted(item)

    def _remove_account(self, item: Item) -> None:
        accounts.discard(self._change, self._vault, _row_id(item), item.name)

    def _add_account(self, item: Item) -> None:
        name, wanted, credential = self._account(item)
        row_id = accounts.declare(self._change, self._target(wanted.name), name, credential)
        self._mark(Kind.ACCOUNT, row_id, item.name)

    def _target(self, name: str) -> Target:
        folded = names.fold(name)
        if folded not in self._there:
            self._there[folded] = targets.get(self._change.connection, name)
        return self._there[folded]

    def _change_account(self, item: Item) -> None:
        _, _, credential = self._account(item)
        accounts.turn(self._change, self._vault, _row_id(item), item.name, credential)
        self._own(item)

    def _adopt_account(self, item: Item) -> None:
        self._adopted(item)

    def _account(self, item: Item) -> tuple[str, TargetEntry, CredentialKind]:
        name, _, on = item.name.rpartition("@")
        wanted = self._targets[names.fold(on)]
        return name, wanted, wanted.accounts[name]

    # --- grants ----------------------------------------------------------------------------------

    def _revoke(self, item: Item) -> None:
        grants.revoke(self._change, _row_id(item))

    def _give(self, item: Item) -> None:
        wanted: GrantEntry = self._grants[item.name]
        given = grants.add(
            self._change,
            account=wanted.account,
            on=wanted.where,
            to_operator=wanted.operator,
            to_group=wanted.group,
            terms=wanted.terms,
        )
        self._mark(Kind.GRANT, given.id, wanted.name)

    def _adopt_grant(self, item: Item) -> None:
        self._adopted(item)


def _row_id(item: Item) -> str:
    assert item.row_id is not None, "what is there has an id"
    return item.row_id


def _values(entry: TargetEntry) -> dict[str, object]:
    """Every setting with its value, as `targets` takes them."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(entry.settings).items()
    }
