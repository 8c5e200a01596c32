"""Bringing a catalog to what files say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from configuration_world import KEYS, World, fresh, said

from watchgate.catalog import journal, targets
from watchgate.configuration import applying, current, ownership
from watchgate.configuration.difference import Plan
from watchgate.configuration.ownership import Kind, Mark
from watchgate.configuration.places import FilesRefused
from watchgate.errors import ConfigurationError
from watchgate.identity import grants, operators, publickeys
from watchgate.secret import Secret
from watchgate.session.events import ConfigurationApplied
from watchgate.session.model import CredentialKind
from watchgate.vault import accounts

EVERYTHING = f"""
operators:
  alice: {{roles: [admin], groups: [ops], keys: ["{KEYS[0]} laptop"], login: [publickey+totp]}}
  bob: {{disabled: true}}
targets:
  web1:
    address: 10.0.0.5
    labels: {{env: prod}}
    settings: {{index: screen}}
    host_keys: ["{KEYS[1]}"]
    accounts: {{root: certificate, app: password}}
grants:
  ops: {{group: ops, account: root, labels: {{env: prod}}}}
  alice: {{operator: alice, account: app, target: web1, max_sessions: 2, comment: why}}
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with fresh(tmp_path) as made:
        yield made


def test_what_was_applied_is_there_and_owned(world: World) -> None:
    world.apply(EVERYTHING)
    held = world.held()

    assert world.plan(said(EVERYTHING)) == Plan()
    assert held.operators["alice"].entry.login == ("publickey+totp",)
    assert held.operators["bob"].entry.disabled is True
    assert held.targets["web1"].entry.host_keys == frozenset({KEYS[1]})
    assert held.accounts["web1", "app"].lacks_secret
    assert {one.entry.name for one in held.grants} == {"ops", "alice"}
    assert held.owners() == {"files"}


def test_each_change_has_an_entry_and_the_apply_one_with_the_digest(world: World) -> None:
    world.apply("operators: {alice: {groups: [ops]}}")
    with world.catalog.read() as connection:
        newest = journal.entries(connection)[0].event

    assert "operator.added alice" in world.actions()
    assert newest == ConfigurationApplied("test", "files", "", "", 1, 0, 0)


def test_nothing_to_do_writes_nothing(world: World) -> None:
    world.apply(EVERYTHING)
    before = len(world.actions())
    world.apply(EVERYTHING)

    assert len(world.actions()) == before


def test_what_files_leave_out_is_removed_with_the_semantics_of_the_verbs(world: World) -> None:
    world.apply(EVERYTHING)
    world.apply("operators: {alice: }")
    held = world.held()

    assert set(held.operators) == {"alice"}
    assert (held.targets, held.accounts, held.grants) == ({}, {}, ())
    assert held.operators["alice"].entry.keys == frozenset()
    assert held.operators["alice"].entry.login is None
    with world.catalog.read() as connection:
        revoked = grants.list_all(connection, revoked=True)
        marks = ownership.read(connection)
    assert [one.revoked_at_us is not None for one in revoked] == [True]
    assert marks[Kind.OPERATOR] == {held.operators["alice"].id: Mark("files", "alice")}
    assert not any(marks[kind] for kind in (Kind.KEY, Kind.TARGET, Kind.ACCOUNT, Kind.GRANT))


def test_a_change_changes_what_differs_and_nothing_else(world: World) -> None:
    world.apply(EVERYTHING)
    before = world.held()
    world.apply(
        EVERYTHING.replace("index: screen", "index: off")
        .replace("env: prod}\n    settings", "env: test, rack: a}\n    settings")
        .replace("roles: [admin], groups: [ops]", "groups: [dba]")
        .replace(KEYS[1], KEYS[2])
    )
    after = world.held()

    assert after.targets["web1"].id == before.targets["web1"].id
    assert after.targets["web1"].entry.labels == {"env": "test", "rack": "a"}
    assert after.targets["web1"].entry.host_keys == frozenset({KEYS[2]})
    assert after.operators["alice"].entry.groups == {"dba"}
    assert after.operators["alice"].entry.roles == {"operator"}
    assert [one.id for one in after.grants] == [one.id for one in before.grants]


def test_a_setting_that_is_left_out_has_its_default_again(world: World) -> None:
    world.apply("targets: {w: {address: a, settings: {idle_timeout: 60, environment: []}}}")
    plan = world.apply("targets: {w: {address: a}}")

    assert [field.name for field in plan.items[0].fields] == ["environment", "idle_timeout"]
    assert world.plan(said("targets: {w: {address: a}}")) == Plan()


def test_a_key_passes_from_one_operator_to_another(world: World) -> None:
    world.apply(f'operators: {{a: {{keys: ["{KEYS[0]} x"]}}, b: }}')
    world.apply(f'operators: {{a: {{keys: []}}, b: {{keys: ["{KEYS[0]} y"]}}}}')
    world.apply(f'operators: {{b: {{keys: []}}, c: {{keys: ["{KEYS[0]} y"]}}}}')

    assert world.held().operators["c"].entry.keys == frozenset({f"{KEYS[0]} y"})


def test_a_key_that_is_given_by_hand_is_taken_over_when_files_list_it(world: World) -> None:
    world.apply("operators: {a: }")
    with world.change() as change:
        publickeys.add(change, "a", f"{KEYS[0]} x")
    text = f'operators: {{a: {{keys: ["{KEYS[0]} x"]}}}}'

    assert world.plan(said("operators: {a: }")) == Plan()
    world.apply(text)
    assert world.plan(said(text)) == Plan()
    world.apply("operators: {a: }")
    assert world.held().operators["a"].entry.keys == frozenset()


def test_a_secret_survives_an_apply_and_goes_with_another_kind(world: World) -> None:
    text = "targets: {w: {address: a, accounts: {app: password}}}"
    world.apply(text)
    with world.change() as change:
        accounts.set_secret(
            change, world.vault, "w", "app", CredentialKind.PASSWORD, Secret(b"correct horse")
        )
    world.apply(text.replace("w:", "w: &w"))

    assert world.held().accounts["w", "app"].has_secret
    world.apply(text.replace("password", "private-key"))
    assert world.held().accounts["w", "app"].lacks_secret


def test_a_removed_account_takes_its_secret_along(world: World) -> None:
    world.apply("targets: {w: {address: a, accounts: {app: password}}}")
    with world.change() as change:
        accounts.set_secret(
            change, world.vault, "w", "app", CredentialKind.PASSWORD, Secret(b"correct horse")
        )
    plan = world.apply("targets: {w: {address: a}}")

    assert plan.items[0].notes == ("its secret is destroyed",)
    assert world.held().accounts == {}


def test_what_was_made_by_hand_is_adopted_changed_and_then_owned(world: World) -> None:
    with world.change() as change:
        web1 = targets.add(change, "web1", "10.0.0.9")
        operators.add(change, "alice")
        accounts.declare(change, web1, "app", CredentialKind.PASSWORD)
        accounts.declare(change, web1, "kept", CredentialKind.PASSWORD)
    text = (
        "operators: {alice: }\ntargets: {web1: {address: 10.0.0.5, accounts: {app: certificate}}}"
    )
    with pytest.raises(FilesRefused, match="made by hand and differs in address"):
        world.apply(text)
    world.apply(text, adopt=True)

    assert {"operator.adopted alice", "target.adopted web1"} <= set(world.actions())
    assert world.held().accounts["web1", "kept"].owner is None
    assert world.held().accounts["web1", "app"].owner == "files"
    assert world.plan(said(text)) == Plan()


def test_a_grant_that_was_given_by_hand_is_taken_over(world: World) -> None:
    world.apply("operators: {alice: }\ntargets: {w: {address: a}}")
    with world.change() as change:
        given = grants.add(change, account="root", on="w", to_operator="alice")
    text = """
    operators: {alice: }
    targets: {w: {address: a}}
    grants: {g: {operator: alice, account: root, target: w}}
    """
    world.apply(text)

    assert [(one.id, one.owner, one.entry.name) for one in world.held().grants] == [
        (given.id, "files", "g")
    ]


def test_a_grant_that_was_revoked_by_hand_is_given_again(world: World) -> None:
    world.apply(EVERYTHING)
    gone = world.held().grants[0].id
    with world.change() as change:
        grants.revoke(change, gone)
    plan = world.apply(EVERYTHING)

    assert [str(item.action) for item in plan.items] == ["add"]
    assert gone not in {one.id for one in world.held().grants}


def test_what_changed_since_it_was_shown_is_not_applied(world: World) -> None:
    documents = said(EVERYTHING)
    shown = world.plan(documents)
    with world.change() as change:
        operators.add(change, "carol")
        targets.add(change, "web1", "10.0.0.5")

    with (
        pytest.raises(ConfigurationError, match="was changed meanwhile") as refused,
        world.change() as change,
    ):
        applying.apply(change, world.vault, documents, shown)
    assert refused.value.code == "configuration.changed-meanwhile"
    assert set(world.held().operators) == {"carol"}


def test_more_changes_than_may_keep_others_waiting_are_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "MOST_CHANGES", 3)

    with pytest.raises(ConfigurationError, match="7 changes are too many at once; 3 are allowed"):
        world.apply(EVERYTHING)
    assert world.held() == current.Current()


def test_when_one_change_is_refused_none_is_made(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConfigurationError("no more grants today", code="grant.refused")

    monkeypatch.setattr(grants, "add", refuse)
    with pytest.raises(ConfigurationError, match=r"a\.yaml:14:3: the grant alice: no more grants"):
        world.apply(EVERYTHING)

    assert world.held() == current.Current()


def test_two_owners_do_not_prune_each_other(world: World) -> None:
    mine = said("operators: {alice: }")
    world.apply_documents(mine)
    theirs = type(mine)(owner="others", operators=said("operators: {bob: }").operators)
    world.apply_documents(theirs)
    world.apply_documents(mine)

    assert {one.owner for one in world.held().operators.values()} == {"files", "others"}


def test_an_account_that_is_there_is_not_declared_twice(world: World) -> None:
    world.apply("targets: {w: {address: a, accounts: {app: password}}}")

    with pytest.raises(ConfigurationError, match="already an account 'app@w'"), world.change() as c:
        accounts.declare(c, targets.get(c.connection, "w"), "app", CredentialKind.PASSWORD)
