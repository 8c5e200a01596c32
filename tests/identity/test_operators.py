from __future__ import annotations

from pathlib import Path

import pytest
from identity_world import PASSWORD, fresh, new_key
from sqlalchemy import select

from watchgate.catalog import journal
from watchgate.catalog.schema import secret as secret_table
from watchgate.errors import ConfigurationError, NotFound
from watchgate.identity import grants, operators, passwords, publickeys, totp
from watchgate.identity.operators import Role


def test_an_operator_is_what_was_added(tmp_path: Path) -> None:
    with fresh(tmp_path) as world, world.change() as change:
        added = operators.add(
            change, "Alice", roles=["admin", "operator"], in_groups=["DBA", "ops"]
        )
        found = operators.get(change.connection, "ALICE")

    assert added == found
    assert found.name == "Alice"
    assert found.roles == {Role.ADMIN, Role.OPERATOR}
    assert found.groups == {"dba", "ops"}
    assert (found.has_password, found.has_totp, found.keys, found.disabled) == (
        False,
        False,
        0,
        False,
    )
    assert found.operator().roles == found.roles


def test_a_name_is_taken_whatever_its_case(tmp_path: Path) -> None:
    with fresh(tmp_path) as world, world.change() as change:
        operators.add(change, "alice")
        with pytest.raises(ConfigurationError, match="already an operator"):
            operators.add(change, "ALICE")


def test_an_unknown_operator_names_the_nearest(tmp_path: Path) -> None:
    with fresh(tmp_path) as world, world.change() as change:
        operators.add(change, "alice")
        with pytest.raises(NotFound, match=r"did you mean alice\?"):
            operators.disable(change, "alise")


@pytest.mark.parametrize("roles", [[], ["root"], ["admin", "boss"]])
def test_roles_that_do_not_exist_are_refused(tmp_path: Path, roles: list[str]) -> None:
    with (
        fresh(tmp_path) as world,
        world.change() as change,
        pytest.raises(ConfigurationError, match="the roles are admin, auditor"),
    ):
        operators.add(change, "alice", roles=roles)


def test_operators_are_disabled_and_enabled_again(tmp_path: Path) -> None:
    with fresh(tmp_path) as world, world.change() as change:
        operators.add(change, "alice")
        first = operators.disable(change, "alice")
        world.clock.advance(60)
        second = operators.disable(change, "alice")
        enabled = operators.enable(change, "alice")

    assert first.disabled_at_us == second.disabled_at_us is not None
    assert not enabled.disabled


def test_groups_are_joined_and_left(tmp_path: Path) -> None:
    with fresh(tmp_path) as world, world.change() as change:
        operators.add(change, "alice")
        operators.add(change, "bob", in_groups=["dba"])
        operators.join(change, "alice", "DBA")
        operators.join(change, "alice", "dba")
        members = [one.name for one in operators.list_all(change.connection, group="dba")]
        counted = operators.groups(change.connection)
        left = operators.leave(change, "alice", "dba")
        with pytest.raises(NotFound, match="no group 'dba'"):
            operators.leave(change, "alice", "dba")

    assert members == ["alice", "bob"]
    assert counted == {"dba": 2}
    assert left.groups == set()


def test_the_list_is_complete_and_by_name(tmp_path: Path) -> None:
    with fresh(tmp_path) as world, world.change() as change:
        for name in ("carol", "Bob", "alice"):
            operators.add(change, name, in_groups=[f"of-{name}"])
        passwords.set_password(change, world.passwords, "bob", PASSWORD)
        totp.enroll(change, world.vault, "carol")
        publickeys.add(change, "alice", new_key()[0])
        listed = operators.list_all(change.connection)

    assert [one.name for one in listed] == ["alice", "Bob", "carol"]
    assert [one.groups for one in listed] == [{"of-alice"}, {"of-bob"}, {"of-carol"}]
    assert [one.has_password for one in listed] == [False, True, False]
    assert [one.has_totp for one in listed] == [False, False, True]
    assert [one.keys for one in listed] == [1, 0, 0]


def test_a_removed_operator_leaves_nothing_that_opens_a_door(tmp_path: Path) -> None:
    with fresh(tmp_path) as world, world.change() as change:
        line, _ = new_key()
        operators.add(change, "alice", in_groups=["dba"])
        publickeys.add(change, "alice", line)
        totp.enroll(change, world.vault, "alice")
        grants.add(change, account="*", on="*", to_operator="alice")
        operators.remove(change, "alice")
        operators.add(change, "alice")
        again = operators.get(change.connection, "alice")
        secrets = change.connection.execute(select(secret_table)).all()
        left = grants.list_all(change.connection)

    assert (again.keys, again.has_totp) == (0, False)
    assert again.groups == set()
    assert (secrets, left) == ([], [])


def test_own_combinations_are_kept_and_taken_back(tmp_path: Path) -> None:
    with fresh(tmp_path) as world, world.change() as change:
        operators.add(change, "alice")
        own = operators.set_combinations(change, "alice", ["publickey + totp"])
        back = operators.set_combinations(change, "alice", None)
        with pytest.raises(ConfigurationError, match=r"did you mean password\?"):
            operators.set_combinations(change, "alice", ["pasword"])

    assert own.combinations == ("publickey+totp",)
    assert back.combinations is None


def test_what_an_administrator_did_is_in_the_journal_without_secrets(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        with world.change() as change:
            operators.add(change, "alice")
            passwords.set_password(change, world.passwords, "alice", PASSWORD)
            enrolled = totp.enroll(change, world.vault, "alice")
            operators.set_roles(change, "alice", ["auditor"])
            operators.disable(change, "alice")
        with world.catalog.read() as connection:
            listed = journal.entries(connection)
            chain = journal.verify(connection)
    text = repr(listed)

    assert [entry.event.data()["action"] for entry in listed][:5] == [
        "operator.disabled",
        "operator.roles-set",
        "operator.totp-enrolled",
        "operator.password-set",
        "operator.added",
    ]
    assert {entry.event.data()["actor"] for entry in listed} == {"test"}
    assert chain.intact
    assert PASSWORD.reveal_text() not in text
    assert enrolled.secret.reveal_text() not in text
