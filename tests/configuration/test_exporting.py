"""From the catalog to files and back: nothing is lost, nothing differs."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from configuration_world import KEYS, World, fresh, said
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watchgate.catalog import targets
from watchgate.configuration import emitting, exporting, schema, yamltree
from watchgate.configuration.difference import Plan
from watchgate.configuration.entries import Documents, GrantEntry, OperatorEntry, TargetEntry
from watchgate.configuration.places import Problems
from watchgate.errors import ConfigurationError
from watchgate.identity import grants, operators, publickeys
from watchgate.identity.grants import Terms
from watchgate.identity.hours import Hours
from watchgate.identity.operators import Role
from watchgate.session.model import (
    Capability,
    CredentialKind,
    Device,
    FailurePolicy,
    HostKeyPolicy,
    IndexPolicy,
    IntegrationPolicy,
    ShellKind,
    Tampering,
    TargetSettings,
    Unreadable,
)


class _UndoneError(Exception):
    """Ends a transaction that is not kept."""


# --- text ----------------------------------------------------------------------------------------


@given(st.text(max_size=60))
def test_any_text_is_written_so_that_it_is_read_back(text: str) -> None:
    written = emitting.emit({"key": text, "list": [text, text]})
    node = yamltree.parse(written.encode(), "f", problems := Problems())

    assert problems.found == ()
    assert isinstance(node, yamltree.Mapping)
    value = node.entries[0][1]
    assert isinstance(value, yamltree.Scalar)
    assert (value.text, value.kind) == (text, yamltree.TEXT)
    assert yaml.safe_load(written) == {"key": text, "list": [text, text]}


@pytest.mark.parametrize("word", ["no", "1e3", "0123", "null", "-", "a: b", "", "*", "2026-11-21"])
def test_a_word_that_yaml_would_take_for_something_else_is_quoted(word: str) -> None:
    assert emitting.scalar(word).startswith('"')


def test_simple_words_have_no_quotes() -> None:
    assert [emitting.scalar(w) for w in ("web1", "a b", "Europe/Berlin", True, 2.5, 60.0)] == [
        "web1",
        "a b",
        "Europe/Berlin",
        "true",
        "2.5",
        "60",
    ]


# --- what there is -------------------------------------------------------------------------------


def test_what_was_made_by_hand_is_exported_and_applies_without_a_difference(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        with world.change() as change:
            operators.add(change, "alice", roles=["admin"], in_groups=["ops"])
            publickeys.add(change, "alice", f'{KEYS[0]} "odd": \x1b comment')
            operators.disable(change, operators.add(change, "bob").name)
            targets.add(change, "web1", "2001:db8::1", 22, labels={"env": "prod"})
            targets.add(change, "web2", "web2.corp", 2222, values={"index": "off"})
            for where in ("web1", "env=prod", "*"):
                grants.add(change, account="root", on=where, to_operator="alice")
            grants.add(change, account="*", on="*", to_group="ops", terms=Terms(comment="a\nb\0"))
            for elevation, shell in (("", ShellKind.GATEWAY), ("root", ShellKind.TARGET)):
                terms = Terms(shell=shell, elevation=elevation)
                grants.add(change, account="app", on="web1", to_operator="alice", terms=terms)
        text = world.exported()
        plan = world.plan(said(text))

        assert "\n  alice-root-web1:\n    operator: alice\n" in text
        assert "\n    shell: gateway\n    elevation: same\n" in text
        assert "\n    elevation: root\n" in text
        assert not plan.differs
        assert plan.conflicts == ()
        world.apply(text)
        assert world.plan(said(world.exported())) == Plan()


def test_an_export_says_what_is_not_in_it(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        texts = exporting.files(exporting.documents(world.held()))

    assert set(texts) == {"watchgate.yaml", "operators.yaml", "targets.yaml", "grants.yaml"}
    assert "# Passwords and one-time codes are not here" in texts["operators.yaml"]
    assert "# Passwords and private keys of accounts are not here" in texts["targets.yaml"]
    assert replace(said(*texts.values()), places={}) == Documents()


def test_with_several_owners_one_has_to_be_named(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        for owner in ("one", "two"):
            entry = OperatorEntry(owner)
            world.apply_documents(Documents(owner=owner, operators=(entry,)))
        held = world.held()

    with pytest.raises(ConfigurationError, match="several owners"):
        exporting.documents(held)
    assert [one.name for one in exporting.documents(held, "two").operators] == ["two"]


def test_two_grants_that_would_have_one_name_have_two(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        with world.change() as change:
            operators.add(change, "alice")
            for _ in range(3):
                grants.add(change, account="*", on="*", to_operator="alice")
        names = [one.name for one in exporting.documents(world.held()).grants]

    assert names == ["alice-all-all", "alice-all-all-2", "alice-all-all-3"]


# --- properties ----------------------------------------------------------------------------------

NAMES = st.sampled_from(["alice", "bob", "no", "0123", "1e3", "x.y-z_1", "Carol"])
TARGETS = st.sampled_from(["web1", "web2", "off", "007"])
GROUPS = st.sets(st.sampled_from(["ops", "dba", "yes"]), max_size=3).map(frozenset)
LABELS = st.dictionaries(
    st.sampled_from(["env", "role", "a/b", "true"]),
    st.text("abAB01._/@ -", max_size=6),
    max_size=3,
)
SETTINGS = st.builds(
    TargetSettings,
    on_recording_failure=st.sampled_from(FailurePolicy),
    host_keys=st.sampled_from(HostKeyPolicy),
    legacy_algorithms=st.booleans(),
    connect_timeout=st.floats(0.1, 600),
    environment=st.lists(st.sampled_from(["LANG", "LC_*", "NO"]), max_size=3).map(tuple),
    record_input=st.booleans(),
    idle_timeout=st.floats(0, 30 * 86_400),
    index=st.sampled_from(IndexPolicy),
    integration=st.sampled_from(IntegrationPolicy),
    device=st.sampled_from(Device),
    on_unreadable=st.sampled_from(Unreadable),
    on_tampering=st.sampled_from(Tampering),
)
MOMENTS = st.none() | st.integers(1_790_000_000, 1_800_000_000).map(lambda s: s * 1_000_000)
HOURS = st.builds(
    Hours,
    weekdays=st.sets(st.integers(0, 6), min_size=1).map(frozenset),
    start=st.integers(0, 700),
    end=st.integers(701, 1440),
    zone=st.sampled_from(["UTC", "Europe/Berlin"]),
)
TERMS = st.builds(
    Terms,
    capabilities=st.sets(st.sampled_from(Capability), min_size=1).map(frozenset),
    from_us=MOMENTS,
    until_us=st.none() | st.integers(1_800_000_001, 1_900_000_000).map(lambda s: s * 1_000_000),
    hours=st.none() | HOURS,
    networks=st.sampled_from([(), grants.parse_networks(["10.0.0.0/8", "2001:db8::/32"])]),
    max_sessions=st.integers(0, 9),
    comment=st.text(max_size=12),
    shell=st.sampled_from(ShellKind),
    elevation=st.sampled_from([None, "", "wheel", "no"]),
)
OPERATORS = st.builds(
    OperatorEntry,
    NAMES,
    roles=st.sets(st.sampled_from(Role), min_size=1).map(frozenset),
    groups=GROUPS,
    login=st.sampled_from([None, ("publickey",), ("publickey+totp", "password+totp")]),
    disabled=st.sampled_from([None, True, False]),
)
MACHINES = st.builds(
    TargetEntry,
    TARGETS,
    st.sampled_from(["10.0.0.5", "web.corp", "2001:db8::1", "no"]),
    st.sampled_from([22, 2222]),
    labels=LABELS,
    settings=SETTINGS,
    host_keys=st.none() | st.sets(st.sampled_from(KEYS)).map(frozenset),
    accounts=st.dictionaries(
        st.sampled_from(["root", "no", "svc$", "CORP\\x"]),
        st.sampled_from(CredentialKind),
        max_size=3,
    ),
)


def once(items: list[Any]) -> list[Any]:
    return list({item.name.lower(): item for item in items}.values())


@st.composite
def configurations(draw: st.DrawFn) -> Documents:
    people = once(draw(st.lists(OPERATORS, max_size=4)))
    lines = list(KEYS)
    people = [
        replace(one, keys=frozenset({f"{lines.pop()} of {one.name}"}) if lines else None)
        if draw(st.booleans())
        else one
        for one in people
    ]
    machines = once(draw(st.lists(MACHINES, max_size=3)))
    given_grants = []
    for number in range(draw(st.integers(0, 4))):
        where = draw(st.sampled_from(["*", "env=prod", *(one.name for one in machines)]))
        who = draw(st.sampled_from([None, *(one.name for one in people)]))
        given_grants.append(
            GrantEntry(
                f"grant-{number}",
                who,
                None if who else "ops",
                draw(st.sampled_from(["*", "root", "no"])),
                where,
                draw(TERMS),
            )
        )
    return Documents(operators=tuple(people), targets=tuple(machines), grants=tuple(given_grants))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with fresh(tmp_path_factory.mktemp("world")) as world:
        yield world


def undone(world: World, work: Callable[[], None]) -> None:
    """Do *work* with a catalog whose every transaction is part of one that is not kept."""
    with suppress(_UndoneError), world.catalog.write() as connection:
        one = _OneTransaction(connection)
        kept, world.catalog = world.catalog, one  # type: ignore[assignment]
        try:
            work()
        finally:
            world.catalog = kept
        raise _UndoneError


class _OneTransaction:
    """A catalog whose every transaction is the same one."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def read(self) -> _OneTransaction:
        return self

    write = read

    def __enter__(self) -> Any:
        return self._connection

    def __exit__(self, *exc: object) -> None:
        """The one transaction goes on."""


def through_text(found: Documents) -> Documents:
    """What files say that say *found*."""
    return said(exporting.one_file(found))


PATIENT = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@given(configuration=configurations())
@PATIENT
def test_apply_export_apply_is_no_difference(shared: World, configuration: Documents) -> None:
    def work() -> None:
        # The texts of terms (WireText, networks in order) are those that files have.
        wanted = through_text(configuration)
        shared.apply_documents(wanted)
        again = said(shared.exported())

        assert shared.plan(wanted) == Plan(warnings=shared.plan(wanted).warnings)
        assert shared.plan(again).items == ()
        assert through_text(again) == again

    undone(shared, work)


@given(first=configurations(), second=configurations())
@PATIENT
def test_what_was_there_before_leaves_nothing_behind(
    shared: World, first: Documents, second: Documents
) -> None:
    def alone() -> None:
        shared.apply_documents(wanted)
        expected.append(shared.exported())

    def after_another() -> None:
        shared.apply_documents(through_text(first))
        shared.apply_documents(wanted)
        found.append(shared.exported())

    # What files leave open (host keys, a state) stays as it was: here they leave nothing open.
    closed = tuple(replace(one, disabled=bool(one.disabled)) for one in second.operators)
    machines = tuple(replace(one, host_keys=one.host_keys or frozenset()) for one in second.targets)
    wanted = through_text(replace(second, operators=closed, targets=machines))
    wanted = replace(
        wanted,
        operators=tuple(replace(one, disabled=bool(one.disabled)) for one in wanted.operators),
        targets=tuple(replace(o, host_keys=o.host_keys or frozenset()) for o in wanted.targets),
    )
    expected: list[str] = []
    found: list[str] = []
    undone(shared, alone)
    undone(shared, after_another)

    assert found == expected


@given(configuration=configurations())
@settings(max_examples=30, deadline=None)
def test_what_is_exported_is_what_the_schema_permits(configuration: Documents) -> None:
    written = yaml.safe_load(exporting.one_file(configuration))

    jsonschema.validate(written, json.loads(schema.schema_text()))
