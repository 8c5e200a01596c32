"""How often an operator met a rule: over sessions, over restarts, and never twice for one hit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from identity_world import World, fresh
from sqlalchemy import insert

from watchgate.catalog.schema import rule_hit, session
from watchgate.catalog.thread import CatalogThread
from watchgate.identity import locks, operators
from watchgate.identity.repetitions import MOST_MOMENTS, Repetitions
from watchgate.policy.rules import Rule
from watchgate.policy.verdicts import Action

T = TypeVar("T")
SECOND = 1_000_000
HOUR = 3600 * SECOND
RULE = Rule("no-rm", Action.BLOCK, lock_account_after=3)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with fresh(tmp_path) as made:
        with made.change() as change:
            operators.add(change, "alice")
        yield made


def played(world: World, work: Callable[[CatalogThread], Awaitable[T]]) -> T:
    async def scenario() -> T:
        thread = CatalogThread(world.catalog)
        try:
            return await work(thread)
        finally:
            thread.close()

    return asyncio.run(scenario())


def project(world: World, *at_us: int, rule: str = "no-rm", **values: object) -> None:
    """Hits as the projection writes them, each of a session of its own."""
    with world.catalog.write() as connection:
        for at in at_us:
            name = f"s{at}{rule}{len(values)}"[:36]
            connection.execute(
                insert(session).values(
                    id=name,
                    recording=name,
                    protocol="ssh",
                    operator="alice",
                    account="root",
                    target="web1",
                    client="c",
                    grant="g",
                    policy_digest="d",
                    started_at_us=at,
                    last_at_us=at,
                    last_seq=1,
                    state="closed",
                )
            )
            row = {"session_id": name, "seq": 1, "rule": rule, "operator": "alice", "at_us": at}
            connection.execute(insert(rule_hit).values({**row, "shadow": False, **values}))


def test_hits_of_all_sessions_count_in_one_tally(world: World) -> None:
    async def scenario(thread: CatalogThread) -> list[int]:
        shared = Repetitions(thread, world.clock)
        await shared.warm("alice", [RULE])
        now = world.clock.wall
        first = [shared.count("alice", RULE, now), shared.count("alice", RULE, now + 1)]
        await shared.warm("alice", [RULE])  # another session begins meanwhile
        others = [
            shared.count("bob", RULE, now),
            shared.count("alice", Rule("other", Action.BLOCK, lock_account_after=9), now),
        ]
        return [*first, shared.count("alice", RULE, now + 2), *others]

    assert played(world, scenario) == [1, 2, 3, 1, 1]


def test_hits_before_a_restart_count_and_those_in_memory_are_not_counted_again(
    world: World,
) -> None:
    before = world.clock.wall - HOUR
    project(world, before)

    async def scenario(thread: CatalogThread) -> list[int]:
        tallies = Repetitions(thread, world.clock)
        await tallies.warm("alice", [RULE])
        counted = [tallies.count("alice", RULE, world.clock.wall)]
        # The projection has come to the hit that was just counted; another session begins.
        project(world, world.clock.wall + 7)
        world.clock.advance(60)
        await tallies.warm("alice", [RULE])
        return [*counted, tallies.count("alice", RULE, world.clock.wall)]

    assert played(world, scenario) == [2, 3]


def test_what_a_sweep_projects_late_counts_from_the_next_session_on(world: World) -> None:
    async def scenario(thread: CatalogThread) -> list[int]:
        tallies = Repetitions(thread, world.clock)
        await tallies.warm("alice", [RULE])
        first = tallies.count("alice", RULE, world.clock.wall)
        project(world, world.clock.wall - HOUR)
        world.clock.advance(1)
        await tallies.warm("alice", [RULE])
        return [first, tallies.count("alice", RULE, world.clock.wall)]

    assert played(world, scenario) == [1, 3]


def test_what_is_older_than_the_window_does_not_count(world: World) -> None:
    rule = Rule("no-rm", Action.BLOCK, lock_account_after=3, lock_window_us=HOUR)
    project(world, world.clock.wall - HOUR, world.clock.wall - HOUR + SECOND)

    async def scenario(thread: CatalogThread) -> list[int]:
        tallies = Repetitions(thread, world.clock)
        await tallies.warm("alice", [rule])
        counts = [tallies.count("alice", rule, world.clock.wall)]
        world.clock.advance(3600)
        return [*counts, tallies.count("alice", rule, world.clock.wall)]

    assert played(world, scenario) == [2, 1]


def test_shadows_and_other_rules_do_not_count(world: World) -> None:
    project(world, world.clock.wall - 5, shadow=True)
    project(world, world.clock.wall - 6, rule="another")
    project(world, world.clock.wall - 7, operator="bob")

    async def scenario(thread: CatalogThread) -> int:
        tallies = Repetitions(thread, world.clock)
        await tallies.warm("alice", [RULE])
        return tallies.count("alice", RULE, world.clock.wall)

    assert played(world, scenario) == 1


def test_a_release_forgives_what_was_before_it_also_after_a_restart(world: World) -> None:
    project(world, world.clock.wall - 5)
    with world.catalog.write() as connection:
        locks.lock(connection, world.clock, "alice", by="test", reason="x")
        locks.unlock(connection, world.clock, "alice", by="test", reason="x")
    world.clock.advance(1)

    async def scenario(thread: CatalogThread) -> list[int]:
        tallies = Repetitions(thread, world.clock)
        await tallies.warm("alice", [RULE])
        counts = [tallies.count("alice", RULE, world.clock.wall) for _ in range(2)]
        world.clock.advance(1)
        tallies.forgive("Alice")
        return [*counts, tallies.count("alice", RULE, world.clock.wall)]

    assert played(world, scenario) == [1, 2, 1]


def test_a_clock_that_was_set_back_counts_nothing_twice(world: World) -> None:
    old = world.clock.wall - HOUR
    project(world, old)

    async def scenario(thread: CatalogThread) -> list[int]:
        tallies = Repetitions(thread, world.clock)
        await tallies.warm("alice", [RULE])
        world.clock.jump(-7200)
        counts = [tallies.count("alice", RULE, world.clock.wall)]
        project(world, world.clock.wall + 3)
        await tallies.warm("alice", [RULE])
        return [*counts, tallies.count("alice", RULE, world.clock.wall + 5)]

    assert played(world, scenario) == [2, 3]


def test_tallies_are_bounded_and_read_again_when_they_were_dropped(world: World) -> None:
    async def scenario(thread: CatalogThread) -> tuple[int, int]:
        tallies = Repetitions(thread, world.clock, most_tallies=2)
        await tallies.warm("alice", [RULE])
        tallies.count("alice", RULE, world.clock.wall)
        for name in ("bob", "carol", "dave"):
            tallies.count(name, RULE, world.clock.wall)
        project(world, world.clock.wall)
        world.clock.advance(1)
        await tallies.warm("alice", [RULE])
        return len(tallies), tallies.count("alice", RULE, world.clock.wall)

    assert played(world, scenario) == (2, 2)


def test_a_tally_keeps_no_more_than_its_rule_needs(world: World) -> None:
    endless = Rule("no-rm", Action.BLOCK, lock_account_after=10**9)

    async def scenario(thread: CatalogThread) -> tuple[int, int]:
        tallies = Repetitions(thread, world.clock)
        few = [tallies.count("alice", RULE, world.clock.wall) for _ in range(50)]
        many = [tallies.count("bob", endless, world.clock.wall) for _ in range(MOST_MOMENTS + 5)]
        return few[-1], many[-1]

    assert played(world, scenario) == (3, MOST_MOMENTS)


def test_rules_that_lock_nobody_cost_nothing(world: World) -> None:
    async def scenario(thread: CatalogThread) -> int:
        tallies = Repetitions(thread, world.clock)
        await tallies.warm("alice", [Rule("watch", Action.ALLOW)])
        return len(tallies)

    assert played(world, scenario) == 0
