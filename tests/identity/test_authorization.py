from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from identity_world import HERE, World, claim, fresh

from watchgate.catalog import targets
from watchgate.catalog.thread import CatalogThread
from watchgate.errors import Refused
from watchgate.identity import grants, locks, operators
from watchgate.identity.authorization import Choice, GrantAuthorizer
from watchgate.identity.grants import Terms
from watchgate.identity.hours import Hours
from watchgate.session.model import Capability, CredentialKind, Operator, Route, ShellKind
from watchgate.vault import accounts

T = TypeVar("T")
HOUR = 3_600_000_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with fresh(tmp_path) as made:
        with made.change() as change:
            operators.add(change, "alice", in_groups=["web"])
            operators.add(change, "bob")
            targets.add(change, "web1", "web1.corp", labels={"env": "prod"})
            targets.add(change, "web2", "10.0.0.5", 2222, labels={"env": "test"})
            targets.add(change, "secret", "web1.corp", 2200)
            for on, name in (("web1", "root"), ("web1", "app"), ("web2", "root")):
                accounts.add(change, made.vault, on, name, CredentialKind.CERTIFICATE)
        yield made


def grant(world: World, account: str, on: str, to: str = "alice", **terms: object) -> str:
    with world.change() as change:
        given = grants.add(
            change,
            account=account,
            on=on,
            to_operator=to,
            terms=Terms(**terms),  # type: ignore[arg-type]
        )
    return given.id


def who(world: World, name: str = "alice") -> Operator:
    with world.catalog.read() as connection:
        return operators.get(connection, name).operator()


def asked(
    world: World, work: Callable[[GrantAuthorizer], Awaitable[T]], *, max_per_operator: int = 0
) -> T:
    async def scenario() -> T:
        thread = CatalogThread(world.catalog)
        try:
            return await work(
                GrantAuthorizer(thread, world.clock, max_per_operator=max_per_operator)
            )
        finally:
            thread.close()

    return asyncio.run(scenario())


def route(
    world: World,
    target: str | None,
    account: str | None = None,
    operator: str = "alice",
    host: str = HERE.host,
) -> Route:
    wanted = claim(target, account, operator, host)
    return asked(world, lambda gate: gate.authorize(who(world, operator), wanted))


def refusal(world: World, target: str | None, account: str | None = None, **more: str) -> str:
    with pytest.raises(Refused) as caught:
        route(world, target, account, **more)
    return str(caught.value)


def test_a_grant_opens_its_account_on_its_target(world: World) -> None:
    given = grant(world, "root", "web1")
    opened = route(world, "web1", "root")

    assert (opened.operator.name, opened.account.name, opened.target.name) == (
        "alice",
        "root",
        "web1",
    )
    assert opened.grant.id == given
    assert opened.grant.until_us is None
    assert opened.target.labels == {"env": "prod"}


def test_without_a_grant_nothing_is_told_apart(world: World) -> None:
    grant(world, "app", "web1")
    refusals = {
        refusal(world, "web1", "root").replace("web1", "T"),
        refusal(world, "web2", "root").replace("web2", "T"),
        refusal(world, "nowhere", "root").replace("nowhere", "T"),
        refusal(world, "web1.corp", "root", operator="bob").replace("web1.corp", "T"),
    }

    assert refusals == {"no grant for root@T"}
    assert refusal(world, "web1", "nobody") == "no grant for nobody@web1"
    assert refusal(world, "web2") == "no grant for web2"
    assert refusal(world, "nowhere") == "no grant for nowhere"


def test_a_target_is_reached_by_any_name_that_it_has(world: World) -> None:
    grant(world, "root", "web2")

    for name in ("WEB2", "web2:22", "10.0.0.5", "10.0.0.5:2222", "::ffff:10.0.0.5"):
        assert route(world, name, "root").target.name == "web2"


def test_an_address_of_two_targets_is_the_one_that_he_may_reach(world: World) -> None:
    grant(world, "root", "web1")
    assert route(world, "web1.corp", "root").target.name == "web1"

    with world.change() as change:
        accounts.add(change, world.vault, "secret", "root", CredentialKind.CERTIFICATE)
    grant(world, "root", "secret")
    assert refusal(world, "web1.corp", "root") == (
        "web1.corp is the address of secret, web1: use a name"
    )
    assert refusal(world, "web1.corp", "root", operator="bob") == "no grant for root@web1.corp"


def test_the_only_account_need_not_be_named(world: World) -> None:
    grant(world, "app", "web1")

    assert route(world, "web1").account.name == "app"


def test_of_several_accounts_one_must_be_named(world: World) -> None:
    grant(world, "*", "web1")

    assert refusal(world, "web1") == "name an account: app@web1, root@web1"


def test_an_account_whose_grant_does_not_hold_is_no_choice(world: World) -> None:
    grant(world, "app", "web1")
    grant(world, "root", "web1", from_us=world.clock.wall_us() + HOUR)

    assert route(world, "web1").account.name == "app"


@pytest.mark.parametrize("name", ["\udcff", "a\0b", "", "%", "x" * 100_000, "[::1", "a:b:c", "1e9"])
def test_any_text_may_be_asked_for(world: World, name: str) -> None:
    grant(world, "*", "*")

    assert refusal(world, name, "root") == f"no grant for root@{name}"
    assert refusal(world, "web1", name) == f"no grant for {name}@web1"


def test_no_target_is_said(world: World) -> None:
    assert refusal(world, None) == "no target was named"


def test_a_group_and_labels_open_what_they_cover(world: World) -> None:
    with world.change() as change:
        grants.add(change, account="root", on="env=prod", to_group="WEB")

    assert route(world, "web1", "root").target.name == "web1"
    assert refusal(world, "web2", "root") == "no grant for root@web2"
    assert refusal(world, "web1", "root", operator="bob") == "no grant for root@web1"


def test_a_change_counts_from_the_next_question(world: World) -> None:
    with world.change() as change:
        given = grants.add(change, account="root", on="*", to_group="web")
    asking = who(world)
    wanted = claim("web1", "root")

    async def twice(gate: GrantAuthorizer) -> list[str]:
        heard = [(await gate.authorize(asking, wanted)).grant.id]
        for undo in (
            lambda change: operators.leave(change, "alice", "web"),
            lambda change: operators.join(change, "alice", "web"),
            lambda change: operators.disable(change, "alice"),
            lambda change: operators.enable(change, "alice"),
            lambda change: grants.revoke(change, given.id),
            lambda change: operators.remove(change, "alice"),
        ):
            with world.change() as change:
                undo(change)
            try:
                heard.append((await gate.authorize(asking, wanted)).grant.id)
            except Refused as error:
                heard.append(str(error))
        return heard

    assert asked(world, twice) == [
        given.id,
        "no grant for root@web1",
        given.id,
        "your account is disabled",
        given.id,
        "no grant for root@web1",
        "your account is disabled",
    ]


def test_a_grant_that_does_not_hold_says_why(world: World) -> None:
    now = world.clock.wall_us()  # Thursday 2026-05-28 20:26 UTC
    grant(world, "root", "web1", hours=Hours.parse("Mon-Fri", "08:00-18:00", "Europe/Berlin"))
    assert refusal(world, "web1", "root") == (
        "your grant for root@web1 holds Mon-Fri 08:00-18:00 Europe/Berlin"
    )
    assert refusal(world, "web1") == (
        "your grant for root@web1 holds Mon-Fri 08:00-18:00 Europe/Berlin"
    )

    grant(world, "app", "web1", networks=grants.parse_networks(["10.0.0.0/8"]))
    assert refusal(world, "web1", "app") == (
        "your grant for app@web1 does not hold from your network"
    )
    assert route(world, "web1", "app", host="::ffff:10.9.9.9").account.name == "app"

    grant(world, "root", "web2", until_us=now + HOUR)
    world.clock.advance(3600)
    assert refusal(world, "web2", "root") == (
        "your grant for root@web2 ended at 2026-05-28 21:26 UTC"
    )


def test_shell_and_elevation_of_the_grant_are_the_sessions(world: World) -> None:
    grant(world, "root", "web1", shell=ShellKind.GATEWAY, elevation="")
    grant(world, "app", "web1")
    one, other = (route(world, "web1", account).grant for account in ("root", "app"))

    assert (one.shell, one.elevation) == (ShellKind.GATEWAY, "")
    assert (other.shell, other.elevation) == (ShellKind.TARGET, None)


def test_of_grants_with_the_same_capabilities_the_freer_one_holds(world: World) -> None:
    strict = grant(world, "root", "web1", shell=ShellKind.GATEWAY, elevation="")
    assert route(world, "web1", "root").grant.id == strict
    free = grant(world, "root", "web1", until_us=world.clock.wall_us() + HOUR)
    assert route(world, "web1", "root").grant.id == free
    elevated = grant(world, "root", "web1", elevation="app", until_us=world.clock.wall_us() + HOUR)

    assert route(world, "web1", "root").grant.id == elevated


def test_the_best_grant_that_holds_is_the_one(world: World) -> None:
    now = world.clock.wall_us()
    narrow = frozenset({Capability.SHELL})
    short = grant(world, "root", "web1", until_us=now + HOUR)
    long = grant(world, "root", "*", until_us=now + 2 * HOUR)
    grant(world, "root", "web1", capabilities=narrow)
    grant(world, "root", "env=prod", capabilities=frozenset(Capability), from_us=now + HOUR)
    best = route(world, "web1", "root")
    with world.change() as change:
        grants.revoke(change, long)
    second = route(world, "web1", "root")

    assert (best.grant.id, best.grant.until_us) == (long, now + 2 * HOUR)
    assert (second.grant.id, second.grant.until_us) == (short, now + HOUR)
    assert Capability.FORWARD_LOCAL not in best.grant.capabilities


def test_a_session_ends_with_the_hours_of_its_grant(world: World) -> None:
    hours = Hours.parse("Thu", "20:00-21:00")
    grant(world, "root", "web1", hours=hours)

    assert route(world, "web1", "root").grant.until_us == hours.ends_us(world.clock.wall_us())


def test_places_are_limited_and_given_back(world: World) -> None:
    grant(world, "root", "web1", max_sessions=2)
    grant(world, "root", "web1", "bob", max_sessions=1)

    async def scenario(gate: GrantAuthorizer) -> list[str]:
        heard = []
        alice = await gate.authorize(who(world), claim("web1", "root"))
        bob = await gate.authorize(who(world, "bob"), claim("web1", "root"))
        async with gate.admit(alice, "s1"), gate.admit(alice, "s2"), gate.admit(bob, "s3"):
            try:
                async with gate.admit(alice, "s4"):
                    heard.append("in")
            except Refused as error:
                heard.append(str(error))
            try:
                await gate.authorize(who(world), claim("web1", "root"))
            except Refused as error:
                heard.append(str(error))
        async with gate.admit(alice, "s5"):
            heard.append("in again")
        heard.append(f"{len(gate._by_grant)} {len(gate._by_operator)}")
        return heard

    assert asked(world, scenario) == [
        "your grant for root@web1 allows 2 sessions at once",
        "your grant for root@web1 allows 2 sessions at once",
        "in again",
        "0 0",
    ]


def test_a_full_grant_gives_way_to_another(world: World) -> None:
    first = grant(world, "root", "web1", max_sessions=1)
    second = grant(world, "root", "web1", capabilities=frozenset({Capability.SHELL}))

    async def scenario(gate: GrantAuthorizer) -> list[str]:
        one = await gate.authorize(who(world), claim("web1", "root"))
        async with gate.admit(one, "s1"):
            two = await gate.authorize(who(world), claim("web1", "root"))
        return [one.grant.id, two.grant.id]

    assert asked(world, scenario) == [first, second]


def test_an_operator_has_a_limit_over_all_grants(world: World) -> None:
    grant(world, "*", "*")

    async def scenario(gate: GrantAuthorizer) -> str:
        one = await gate.authorize(who(world), claim("web1", "root"))
        async with gate.admit(one, "s1"):
            with pytest.raises(Refused) as caught:
                async with gate.admit(one, "s2"):
                    pass
        return str(caught.value)

    assert asked(world, scenario, max_per_operator=1) == (
        "you have 1 session open, which is the limit; end one first"
    )


def test_a_session_that_fails_gives_its_place_back(world: World) -> None:
    grant(world, "root", "web1", max_sessions=1)

    async def scenario(gate: GrantAuthorizer) -> int:
        one = await gate.authorize(who(world), claim("web1", "root"))
        with pytest.raises(RuntimeError):
            async with gate.admit(one, "s1"):
                raise RuntimeError
        return len(gate._by_grant)

    assert asked(world, scenario) == 0


def test_the_menu_shows_what_is_open_now(world: World) -> None:
    grant(world, "app", "web1")
    grant(world, "root", "env=test")
    grant(world, "root", "web1", from_us=world.clock.wall_us() + HOUR)
    listed = asked(world, lambda gate: gate.choices(who(world), claim(None)))
    world.clock.advance(3600)
    afterwards = asked(world, lambda gate: gate.choices(who(world), claim(None)))

    assert listed == [
        Choice("web1", "app", "web1.corp:22", (("env", "prod"),)),
        Choice("web2", "root", "10.0.0.5:2222", (("env", "test"),)),
    ]
    assert [(one.target, one.account) for one in afterwards] == [
        ("web1", "app"),
        ("web1", "root"),
        ("web2", "root"),
    ]


def test_the_menu_of_nobody_is_empty(world: World) -> None:
    assert asked(world, lambda gate: gate.choices(who(world, "bob"), claim(None))) == []


def test_every_choice_of_the_menu_can_be_taken(world: World) -> None:
    grant(world, "*", "env=prod")
    grant(world, "root", "web2")
    for choice in asked(world, lambda gate: gate.choices(who(world), claim(None))):
        taken = route(world, choice.target, choice.account)

        assert (taken.target.name, taken.account.name) == (choice.target, choice.account)


def test_a_locked_operator_hears_it_wherever_he_wants_to_go(world: World) -> None:
    grant(world, "root", "web1")
    with world.catalog.write() as connection:
        locks.lock(connection, world.clock, "alice", by="gateway", reason="met", rule="no-rm")

    for wanted in ("web1", "nowhere"):
        assert refusal(world, wanted, "root").endswith("by rule no-rm: ask an administrator")
    with pytest.raises(Refused) as caught:
        asked(world, lambda gate: gate.choices(who(world), claim(None)))
    assert caught.value.code == "operator.locked"


def test_a_released_operator_goes_where_he_went(world: World) -> None:
    grant(world, "root", "web1")
    with world.catalog.write() as connection:
        locks.lock(connection, world.clock, "alice", by="cli:root", reason="holiday")
        locks.unlock(connection, world.clock, "alice", by="cli:root", reason="back")

    assert route(world, "web1", "root").account.name == "root"
