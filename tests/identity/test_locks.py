"""A locked account: what ends, what is refused, what the journal and the recordings say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from identity_world import World, fresh

from watchgate.catalog import journal
from watchgate.catalog.thread import CatalogThread
from watchgate.errors import ConfigurationError, NotFound, WatchgateError
from watchgate.identity import locks, operators
from watchgate.identity.locks import AccountLock, OperatorLocks
from watchgate.identity.repetitions import Repetitions
from watchgate.policy.rules import Rule
from watchgate.policy.verdicts import Action
from watchgate.session.control import Session, Sessions
from watchgate.session.events import Event, OperatorLocked, OperatorUnlocked
from watchgate.session.model import (
    Account,
    Address,
    CredentialKind,
    EndReason,
    Grant,
    Operator,
    Route,
    Target,
)

T = TypeVar("T")
RULE = Rule("no-rm", Action.BLOCK, lock_account_after=2)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with fresh(tmp_path) as made:
        with made.change() as change:
            operators.add(change, "Alice")
            operators.add(change, "bob")
        yield made


@dataclass
class Told:
    """A recorder that keeps its events."""

    events: list[Event] = field(default_factory=list)

    def event(self, event: Event) -> int:
        self.events.append(event)
        return len(self.events)


@dataclass
class Stage:
    """Locks at work over some open sessions."""

    world: World
    sessions: Sessions
    locks: OperatorLocks

    def open(self, identifier: str, operator: str = "Alice") -> Session:
        target = Target("t1", "web1", "ssh", Address("10.0.0.5", 22))
        account = Account("a1", "root", "web1", CredentialKind.CERTIFICATE)
        route = Route(Operator("o1", operator), target, account, Grant("g1"))
        nothing = cast(Any, None)
        made = Session(identifier, route, "c", 0, cast(Any, Told()), nothing, nothing)
        self.sessions.add(made)
        return made


def played(world: World, work: Callable[[Stage], Awaitable[T]]) -> T:
    async def scenario() -> T:
        thread, sessions = CatalogThread(world.catalog), Sessions()
        repetitions = Repetitions(thread, world.clock)
        try:
            made = OperatorLocks(thread, world.clock, sessions, repetitions)
            return await work(Stage(world, sessions, made))
        finally:
            thread.close()

    return asyncio.run(scenario())


def events(session: Session) -> list[Event]:
    return cast(Told, session.recorder).events


def noted(world: World) -> list[tuple[str, Event]]:
    with world.catalog.read() as connection:
        found = journal.entries(connection, kind="operator.*")
    return [(entry.session, entry.event) for entry in reversed(found)]


def lock_of(world: World, name: str = "alice") -> AccountLock | None:
    with world.catalog.read() as connection:
        return locks.find(connection, name)


def test_a_rule_locks_and_every_session_of_the_operator_ends(world: World) -> None:
    async def scenario(stage: Stage) -> list[Session]:
        mine = [stage.open("s1"), stage.open("s2")]
        other = stage.open("s3", "bob")
        await stage.locks.lock("Alice", "no-rm", "met rule no-rm 3 times", "s1")
        for session in mine:
            ending = await session.ended()
            assert ending.reason is EndReason.LOCKED
            assert "locked by rule no-rm: met rule no-rm 3 times" in ending.detail
        return [*mine, other]

    first, second, other = played(world, scenario)
    event = OperatorLocked("Alice", "gateway", "met rule no-rm 3 times", "no-rm")

    assert events(first) == events(second) == [event]
    assert events(other) == []
    assert noted(world)[-1] == ("s1", event)
    held = lock_of(world)
    assert held is not None
    assert (held.by, held.rule, held.at_us) == ("rule no-rm", "no-rm", world.clock.wall)


def test_two_rules_at_once_lock_once(world: World) -> None:
    async def scenario(stage: Stage) -> Session:
        session = stage.open("s1")
        async with asyncio.TaskGroup() as group:
            for rule in ("no-rm", "no-dd"):
                group.create_task(stage.locks.lock("Alice", rule, "met", "s1"))
        await stage.locks.lock("Alice", "no-rm", "met again", "s1")
        return session

    session = played(world, scenario)
    locked = [event for _, event in noted(world) if isinstance(event, OperatorLocked)]

    assert len(locked) == 1
    assert events(session) == locked


def test_the_lock_is_durable_before_a_session_ends(world: World) -> None:
    seen = []

    async def scenario(stage: Stage) -> None:
        session = stage.open("s1")

        def ended(event: Event) -> int:
            seen.append(lock_of(stage.world) is not None)
            return 1

        session.recorder.event = ended  # type: ignore[method-assign]
        await stage.locks.lock("Alice", "no-rm", "met", "s1")

    played(world, scenario)

    assert seen == [True]


def test_a_session_that_was_being_opened_meanwhile_does_not_escape(world: World) -> None:
    async def scenario(stage: Stage) -> list[object]:
        before = stage.locks.held("alice")
        await stage.locks.lock("Alice", "no-rm", "met", "")
        held = stage.locks.held("alice")
        await stage.locks.unlock("ALICE", "test", "talked to him")
        return [before, held and held.reason, stage.locks.held("Alice")]

    assert played(world, scenario) == [None, EndReason.LOCKED, None]


def test_whoever_disconnects_saves_none_of_his_other_sessions(world: World) -> None:
    async def scenario(stage: Stage) -> Session:
        other = stage.open("s2")
        async with asyncio.TaskGroup() as group:
            locking = group.create_task(stage.locks.lock("Alice", "no-rm", "met", "s1"))
            await asyncio.sleep(0)
            locking.cancel()
        assert (await other.ended()).reason is EndReason.LOCKED
        return other

    played(world, scenario)

    assert lock_of(world) is not None


def test_whom_a_rule_locks_does_not_go_on_because_a_disk_is_full(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ConfigurationError("its disk is full", code="catalog.full")

    async def scenario(stage: Stage) -> EndReason:
        session = stage.open("s1")
        monkeypatch.setattr(locks, "lock", broken)
        with pytest.raises(WatchgateError, match="disk is full"):
            await stage.locks.lock("Alice", "no-rm", "met", "s1")
        assert stage.locks.held("Alice") is not None
        return (await session.ended()).reason

    assert played(world, scenario) is EndReason.LOCKED


def test_an_administrator_locks_and_the_journal_says_who(world: World) -> None:
    async def scenario(stage: Stage) -> tuple[AccountLock, int, str | None]:
        session = stage.open("s1")
        held, ended = await stage.locks.lock_by("alice", "cli:root", "  left the\ncompany ")
        return held, ended, (await session.ended()).by

    held, ended, by = played(world, scenario)

    assert (held.by, held.reason, held.rule) == ("cli:root", "left the company", None)
    assert (ended, by) == (1, "cli:root")
    assert noted(world)[-1] == ("", OperatorLocked("Alice", "cli:root", "left the company"))


def test_an_earlier_lock_stays_as_it_is(world: World) -> None:
    async def scenario(stage: Stage) -> AccountLock:
        await stage.locks.lock("Alice", "no-rm", "met", "")
        held, _ = await stage.locks.lock_by("alice", "cli:root", "also")
        return held

    assert played(world, scenario).rule == "no-rm"


def test_a_release_is_noted_and_forgives_what_was_counted(world: World) -> None:
    async def scenario(stage: Stage) -> list[object]:
        await stage.locks.warm("Alice", [RULE])
        counts = [stage.locks.count("Alice", RULE, world.clock.wall) for _ in range(2)]
        await stage.locks.lock("Alice", "no-rm", "met", "")
        released = await stage.locks.unlock("alice", "cli:root", "talked to him")
        again = await stage.locks.unlock("alice", "cli:root", "again")
        world.clock.advance(1)
        return [
            *counts,
            released is not None,
            again,
            stage.locks.count("Alice", RULE, world.clock.wall),
        ]

    assert played(world, scenario) == [1, 2, True, None, 1]
    assert noted(world)[-1] == ("", OperatorUnlocked("Alice", "cli:root", "talked to him"))
    assert lock_of(world) is None


def test_nobody_of_that_name_is_locked_or_released(world: World) -> None:
    async def scenario(stage: Stage) -> bool:
        for work in (stage.locks.lock_by, stage.locks.unlock):
            with pytest.raises(NotFound, match="did you mean Alice"):
                await work("alic", "cli:root", "x")
        return stage.locks.held("alic") is None

    assert played(world, scenario)


@pytest.mark.parametrize("reason", ["", " \n", "x" * 1001])
def test_a_lock_without_a_reason_is_none(world: World, reason: str) -> None:
    with pytest.raises(ConfigurationError), world.catalog.write() as connection:
        locks.lock(connection, world.clock, "alice", by="cli:root", reason=reason)

    assert lock_of(world) is None


def test_the_operator_hears_since_when_and_by_what_rule(world: World) -> None:
    by_rule = AccountLock("Alice", world.clock.wall, "rule no-rm", "met").refusal()
    by_admin = AccountLock("Alice", world.clock.wall, "cli:root", "suspected").refusal()

    assert by_rule.code == by_admin.code == "operator.locked"
    assert str(by_rule) == (
        "your account is locked since 2026-05-28 20:26 UTC by rule no-rm: ask an administrator"
    )
    assert "by an administrator: ask" in str(by_admin)
    assert "suspected" not in str(by_admin)
