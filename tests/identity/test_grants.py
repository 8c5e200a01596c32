from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from identity_world import World, fresh

from watchgate.catalog import targets
from watchgate.clock import ManualClock
from watchgate.errors import ConfigurationError, NotFound
from watchgate.identity import grants, operators
from watchgate.identity.grants import GrantRecord, Terms
from watchgate.identity.hours import Hours
from watchgate.session.model import DEFAULT_CAPABILITIES, Capability, ShellKind

NOW = ManualClock().wall_us()
HOUR = 3_600_000_000


def populate(world: World) -> None:
    with world.change() as change:
        operators.add(change, "alice", in_groups=["dba"])
        operators.add(change, "bob")
        targets.add(change, "web1", "h1", labels={"env": "prod", "role": "web"})
        targets.add(change, "db1", "h2", labels={"env": "prod", "role": "db"})


def test_a_grant_is_what_was_given(tmp_path: Path) -> None:
    terms = Terms(
        capabilities=frozenset({Capability.SHELL, Capability.FORWARD_LOCAL}),
        from_us=NOW,
        until_us=NOW + HOUR,
        hours=Hours.parse("Mon-Fri", "08:00-18:00", "Europe/Berlin"),
        networks=grants.parse_networks(["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"]),
        max_sessions=3,
        comment="ticket 4711",
    )
    with fresh(tmp_path) as world:
        populate(world)
        with world.change() as change:
            added = grants.add(change, account="root", on="WEB1", to_operator="Alice", terms=terms)
            found = grants.get(change.connection, added.id)

    assert added == found
    assert (found.subject, found.account, found.where) == ("alice", "root", "web1")
    assert (found.capabilities, found.hours, found.networks) == (
        terms.capabilities,
        terms.hours,
        terms.networks,
    )
    assert (found.from_us, found.until_us, found.max_sessions, found.comment) == (
        NOW,
        NOW + HOUR,
        3,
        "ticket 4711",
    )


def test_a_grant_that_says_nothing_forwards_nothing(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        populate(world)
        with world.change() as change:
            added = grants.add(change, account="*", on="*", to_group="DBA")

    assert added.capabilities == DEFAULT_CAPABILITIES
    assert (added.subject, added.where, added.selector) == ("group dba", "*", {})


@pytest.mark.parametrize("elevation", [None, "", "wheel"])
@pytest.mark.parametrize("shell", ShellKind)
def test_a_grant_says_whose_shell_and_whose_password(
    tmp_path: Path, shell: ShellKind, elevation: str | None
) -> None:
    terms = Terms(shell=shell, elevation=elevation)
    with fresh(tmp_path) as world:
        populate(world)
        with world.change() as change:
            added = grants.add(change, account="app", on="web1", to_operator="bob", terms=terms)
            found = grants.get(change.connection, added.id)

    assert (found.shell, found.elevation) == (shell, elevation)


def test_the_account_of_an_elevation_is_read_as_people_write_it() -> None:
    assert [grants.parse_elevation(text) for text in ("same", "", "wheel")] == ["", "", "wheel"]
    assert [grants.describe_elevation(text) for text in ("", "wheel")] == ["same", "wheel"]
    with pytest.raises(ConfigurationError, match="cannot name the account"):
        grants.parse_elevation("a b")


def test_a_kind_of_shell_is_read_by_its_word() -> None:
    assert grants.parse_shell("gateway") is ShellKind.GATEWAY
    with pytest.raises(ConfigurationError, match="there are target, gateway"):
        grants.parse_shell("bash")


def test_grants_are_listed_for_whom_and_where_they_count(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        populate(world)
        with world.change() as change:
            one = grants.add(change, account="root", on="web1", to_operator="alice").id
            two = grants.add(change, account="app", on="role=db,env=prod", to_group="dba").id
            three = grants.add(change, account="*", on="*", to_operator="bob").id
            four = grants.add(change, account="*", on="db1", to_operator="bob").id
            grants.revoke(change, four)

            def ids(**wanted: Any) -> set[str]:
                return {found.id for found in grants.list_all(change.connection, **wanted)}

            listed = {
                "all": ids(),
                "alice": ids(of_operator="alice"),
                "dba": ids(of_group="DBA"),
                "web1": ids(on_target="web1"),
                "db1": ids(on_target="db1"),
                "revoked": ids(of_operator="bob", revoked=True),
            }

    assert listed == {
        "all": {one, two, three},
        "alice": {one, two},
        "dba": {two},
        "web1": {one, three},
        "db1": {two, three},
        "revoked": {three, four},
    }


def test_a_grant_is_revoked_once_and_stays_in_the_list(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        populate(world)
        with world.change() as change:
            added = grants.add(change, account="root", on="web1", to_operator="alice")
            first = grants.revoke(change, added.id[:35])
            world.clock.advance(60)
            again = grants.revoke(change, added.id)
            listed = grants.list_all(change.connection, revoked=True)

    assert first.revoked_at_us == again.revoked_at_us == NOW
    assert listed == [again]


def test_a_beginning_of_several_grants_is_not_one(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        populate(world)
        with world.change() as change:
            ids = [
                grants.add(change, account="root", on="web1", to_operator="alice").id
                for _ in range(2)
            ]
            with pytest.raises(ConfigurationError, match="begins several grants"):
                grants.revoke(change, ids[0][:8])
            for wrong in ("", "0", "%%%%", "ffffffff"):
                with pytest.raises(NotFound, match="no grant"):
                    grants.get(change.connection, wrong)


WRONG: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "no subject": (dict, "one operator or to one group"),
    "two subjects": (
        lambda: {"to_operator": "alice", "to_group": "dba"},
        "one operator or to one group",
    ),
    "an unknown operator": (lambda: {"to_operator": "alic"}, "did you mean alice?"),
    "an unknown target": (lambda: {"to_operator": "alice", "on": "web2"}, "did you mean web1?"),
    "a bad account": (
        lambda: {"to_operator": "alice", "account": "a b"},
        "cannot name the account",
    ),
    "a bad selector": (lambda: {"to_operator": "alice", "on": "env=prod,x"}, "does not select"),
    "no capability": (
        lambda: {"to_operator": "alice", "terms": Terms(capabilities=frozenset())},
        "permits nothing",
    ),
    "an end in the past": (
        lambda: {"to_operator": "alice", "terms": Terms(until_us=NOW)},
        "before it begins",
    ),
    "an end before the start": (
        lambda: {"to_operator": "alice", "terms": Terms(from_us=NOW + HOUR, until_us=NOW + HOUR)},
        "before it begins",
    ),
    "an elevation as nobody": (
        lambda: {"to_operator": "alice", "terms": Terms(elevation="a@b")},
        "cannot name the account",
    ),
    "a negative limit": (
        lambda: {"to_operator": "alice", "terms": Terms(max_sessions=-1)},
        "not a number of sessions",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_grant_is_refused(tmp_path: Path, name: str) -> None:
    make, message = WRONG[name]
    with fresh(tmp_path) as world:
        populate(world)
        with (
            world.change() as change,
            pytest.raises((ConfigurationError, NotFound), match=message),
        ):
            grants.add(change, **({"account": "root", "on": "web1"} | make()))


def test_capabilities_are_read_by_name() -> None:
    assert grants.parse_capabilities(["shell", "upload"]) == {Capability.SHELL, Capability.UPLOAD}
    with pytest.raises(ConfigurationError, match=r"did you mean forward-local\?"):
        grants.parse_capabilities(["forward-locla"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10.0.0.5/8", "did you mean 10.0.0.0/8?"),
        ("office", "write it as 10.0.0.0/8"),
        ("10.0.0.0/33", "write it as"),
        ("", "write it as"),
    ],
)
def test_what_is_no_network_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        grants.parse_networks([text])


@pytest.mark.parametrize(
    ("host", "inside"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("11.0.0.1", False),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("not-an-address", False),
        ("", False),
    ],
)
def test_a_source_is_in_a_network_whatever_its_clothes(host: str, inside: bool) -> None:
    networks = grants.parse_networks(["10.0.0.0/8", "2001:db8::/32"])

    assert grants.in_networks(host, networks) is inside


def record(**given: Any) -> GrantRecord:
    values: dict[str, Any] = {
        "id": "g",
        "operator": "alice",
        "group": None,
        "account": "root",
        "target": "web1",
        "selector": None,
        "capabilities": DEFAULT_CAPABILITIES,
        "from_us": None,
        "until_us": None,
        "hours": None,
        "networks": (),
        "max_sessions": 0,
        "comment": "",
        "created_at_us": 0,
        "revoked_at_us": None,
        "target_id": "t",
    }
    return GrantRecord(**(values | given))


@pytest.mark.parametrize(
    ("given", "obstacle"),
    [
        ({}, None),
        ({"from_us": NOW}, None),
        ({"from_us": NOW + 1}, "begins at 2026-05-28 20:26 UTC"),
        ({"until_us": NOW + 1}, None),
        ({"until_us": NOW}, "ended at 2026-05-28 20:26 UTC"),
        ({"hours": Hours.parse("Thu", "20:00-21:00")}, None),
        ({"hours": Hours.parse("Fri", "20:00-21:00")}, "holds Fri 20:00-21:00 UTC"),
        ({"networks": grants.parse_networks(["192.0.2.0/24"])}, None),
        (
            {"networks": grants.parse_networks(["10.0.0.0/8"])},
            "does not hold from your network",
        ),
    ],
)
def test_a_grant_says_why_it_does_not_hold(given: dict[str, Any], obstacle: str | None) -> None:
    assert record(**given).obstacle(NOW, "192.0.2.7") == obstacle


def test_a_grant_ends_with_the_first_of_its_ends() -> None:
    hours = Hours.parse("Thu", "20:00-21:00")
    end_of_hours = hours.ends_us(NOW)
    assert end_of_hours is not None

    assert record().ends_us(NOW) is None
    assert record(hours=hours).ends_us(NOW) == end_of_hours
    assert record(hours=hours, until_us=NOW + 1).ends_us(NOW) == NOW + 1
    assert record(hours=hours, until_us=end_of_hours + 1).ends_us(NOW) == end_of_hours


def test_labels_must_all_be_borne() -> None:
    by_labels = record(selector={"env": "prod", "role": "db"}, target_id=None)

    assert by_labels.covers_target("any", {"env": "prod", "role": "db", "x": "y"})
    assert not by_labels.covers_target("any", {"env": "prod"})
    assert not by_labels.covers_target("any", {"env": "prod", "role": "web"})
    assert record(selector={}, target_id=None).covers_target("any", {})
    assert record().covers_target("t", {})
    assert not record().covers_target("u", {})
