"""A line waits for somebody else's word: who may give it, for what, and what a crash leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest
from identity_world import World, fresh

from watchgate.catalog import approvals, journal
from watchgate.catalog.approvals import ApprovalRecord, State
from watchgate.catalog.thread import CatalogThread
from watchgate.errors import ConfigurationError, Refused, WatchgateError
from watchgate.identity import approvers, approving, locks, operators
from watchgate.identity.approving import Approving
from watchgate.session.model import (
    Account,
    Address,
    CredentialKind,
    Grant,
    Operator,
    Route,
    Target,
)
from watchgate.session.ports import ApprovalAnswer, ApprovalRequest

T = TypeVar("T")
HOUR = 3_600_000_000
KEY = ("rm -r -f /srv/old", "\0rm -rf /srv/old")


def route(account: str = "root", target: str = "web1", operator: str = "alice") -> Route:
    there = Target("t1", target, "ssh", Address("10.0.0.5", 22))
    name = Account("a1", account, target, CredentialKind.CERTIFICATE)
    return Route(Operator("o1", operator), there, name, Grant("g1"))


def request(
    session: str = "s1", channel: int = 0, *, by: Route | None = None, command: str = "rm -rf x"
) -> ApprovalRequest:
    return ApprovalRequest(
        session, by or route(), channel, command, ("rm -r -f x",), KEY, ("destructive",)
    )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with fresh(tmp_path) as made:
        with made.change() as change:
            operators.add(change, "alice", roles=["operator", "approver"])
            operators.add(change, "Bob", roles=["approver"])
            operators.add(change, "carol")
        yield made


@dataclass
class Stage:
    """Approvals at work, and lines that wait in tasks of a group."""

    world: World
    approving: Approving
    group: asyncio.TaskGroup
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    answers: list[ApprovalAnswer] = field(default_factory=list)

    async def waiting(self, of: ApprovalRequest | None = None) -> asyncio.Task[None]:
        """A line that waits, once it was asked."""
        before, heard = len(self.asked), asyncio.Event()

        def asked(identifier: str, who: tuple[str, ...]) -> None:
            self.asked.append((identifier, who))
            heard.set()

        async def seek() -> None:
            self.answers.append(await self.approving.seek(of or request(), asked))

        task = self.group.create_task(seek())
        async with asyncio.timeout(30):
            await heard.wait()
        assert len(self.asked) == before + 1
        return task

    @property
    def id(self) -> str:
        return self.asked[-1][0]

    def take(self, by: Route | None = None, key: tuple[str, ...] = KEY) -> str | None:
        chosen = by or route()
        given = self.approving.of(chosen)
        return given.take(chosen.operator.name, key, self.world.clock.wall)


def played(
    world: World, work: Callable[[Stage], Awaitable[T]], *, wait: float = 60.0, most: int = 1000
) -> T:
    async def scenario() -> T:
        thread = CatalogThread(world.catalog)
        try:
            async with (
                Approving(thread, world.clock, wait=wait, most_waiting=most) as made,
                asyncio.TaskGroup() as group,
            ):
                return await work(Stage(world, made, group))
        finally:
            thread.close()

    return asyncio.run(scenario())


def rows(world: World) -> list[ApprovalRecord]:
    with world.catalog.read() as connection:
        return approvals.list_all(connection)


def told(world: World) -> list[str]:
    with world.catalog.read() as connection:
        return [entry.kind for entry in reversed(journal.entries(connection, kind="approval.*"))]


def test_a_line_runs_when_another_says_so(world: World) -> None:
    async def scenario(stage: Stage) -> None:
        line = await stage.waiting()
        await stage.approving.answer(stage.id, "bob", approved=True, reason="ticket  7")
        await line

    async def whole(stage: Stage) -> Stage:
        await scenario(stage)
        return stage

    stage = played(world, whole)

    assert stage.asked[0][1] == ("Bob",)
    assert stage.answers == [ApprovalAnswer(stage.id, True, "Bob", "ticket 7")]
    assert told(world) == ["approval.asked", "approval.answered"]
    assert rows(world)[0].uses_left == 0


def test_what_was_approved_for_the_waiting_line_covers_no_other(world: World) -> None:
    async def scenario(stage: Stage) -> tuple[str | None, str | None]:
        line = await stage.waiting()
        await stage.approving.answer(stage.id, "bob", approved=True, reason="x")
        at_once = stage.take()
        await line
        return at_once, stage.take()

    assert played(world, scenario) == (None, None)


def test_a_refusal_comes_with_its_reason(world: World) -> None:
    async def scenario(stage: Stage) -> ApprovalAnswer:
        line = await stage.waiting()
        await stage.approving.answer(stage.id[:13], "bob", approved=False, reason="not today")
        await line
        return stage.answers[0]

    answer = played(world, scenario)

    assert (answer.approved, answer.by, answer.reason) == (False, "Bob", "not today")


def test_for_a_time_it_covers_exactly_that_command_there(world: World) -> None:
    async def scenario(stage: Stage) -> tuple[str, list[str | None], list[str | None]]:
        line = await stage.waiting()
        await stage.approving.answer(stage.id, "bob", approved=True, reason="x", for_us=2 * HOUR)
        await line
        covered = [stage.take(), stage.take()]
        others = [
            stage.take(route(account="app")),
            stage.take(route(target="web2")),
            stage.take(route(operator="carol")),
            stage.take(key=KEY[:1]),
            stage.take(key=("".join(KEY),)),
        ]
        stage.world.clock.advance(2 * 3600)
        return stage.id, covered, [*others, stage.take()]

    identifier, covered, others = played(world, scenario)

    assert covered == [identifier, identifier]
    assert others == [None] * 6


def test_nobody_answers_himself_and_not_everybody_may(world: World) -> None:
    async def scenario(stage: Stage) -> list[str]:
        line = await stage.waiting()
        codes = []
        for name in ("alice", "ALICE", "carol", "nobody"):
            with pytest.raises(Refused) as caught:
                await stage.approving.answer(stage.id, name, approved=True, reason="x")
            codes.append(caught.value.code)
        line.cancel()
        return codes

    codes = played(world, scenario)

    assert codes == ["approval.own", "approval.own", *["approval.not-approver"] * 2]


@pytest.mark.parametrize("fate", ["disabled", "locked", "demoted"])
def test_who_may_no_longer_approve_does_not(world: World, fate: str) -> None:
    async def scenario(stage: Stage) -> str:
        line = await stage.waiting()
        with stage.world.change() as change:
            match fate:
                case "disabled":
                    operators.disable(change, "bob")
                case "locked":
                    locks.lock(change.connection, change.clock, "bob", by="test", reason="x")
                case _:
                    operators.set_roles(change, "bob", ["operator"])
        with pytest.raises(Refused) as caught:
            await stage.approving.answer(stage.id, "bob", approved=True, reason="x")
        line.cancel()
        return caught.value.code

    assert played(world, scenario) == "approval.not-approver"


def test_when_nobody_may_approve_it_is_said_at_once(world: World) -> None:
    with world.change() as change:
        operators.disable(change, "bob")

    async def scenario(stage: Stage) -> ApprovalAnswer:
        return await stage.approving.seek(request(), lambda *_: pytest.fail("nobody to ask"))

    answer = played(world, scenario)

    assert (answer.approved, answer.reason) == (False, approvers.NO_APPROVER)
    assert told(world) == ["approval.asked", "approval.closed"]
    assert rows(world)[0].state is State.EXPIRED


def test_without_an_answer_in_time_it_is_no(world: World) -> None:
    async def scenario(stage: Stage) -> ApprovalAnswer:
        await (await stage.waiting())
        with pytest.raises(Refused, match="it was expired") as late:
            await stage.approving.answer(stage.id, "bob", approved=True, reason="x")
        assert late.value.code == "approval.not-waiting"
        assert stage.take() is None
        return stage.answers[0]

    answer = played(world, scenario, wait=0.05)

    assert not answer.approved
    assert answer.reason == "nobody answered within 0.05s"
    assert told(world) == ["approval.asked", "approval.closed"]


def test_whoever_cancels_withdraws(world: World) -> None:
    async def scenario(stage: Stage) -> None:
        (await stage.waiting()).cancel()

    played(world, scenario)

    assert rows(world)[0].state is State.WITHDRAWN
    assert told(world) == ["approval.asked", "approval.closed"]


@pytest.mark.parametrize("heard", [True, False])
def test_what_is_answered_while_it_is_withdrawn_stands_once(world: World, heard: bool) -> None:
    async def scenario(stage: Stage) -> list[str | None]:
        line = await stage.waiting()
        answering = stage.group.create_task(
            stage.approving.answer(stage.id, "bob", approved=True, reason="x")
        )
        # Either the line knew of its answer and did not come to run, or it left while that was written.
        await (answering if heard else asyncio.sleep(0))
        line.cancel()
        await asyncio.wait([line, answering])
        return [stage.take(), stage.take()]

    first, second = played(world, scenario)

    assert first is not None
    assert second is None
    assert rows(world)[0].uses_left == 0


def test_an_answer_in_the_moment_of_the_end_is_heard(world: World) -> None:
    """Whichever is first in the catalog: the line and the row say the same."""

    async def scenario(stage: Stage) -> tuple[bool, bool]:
        line = await stage.waiting()
        try:
            await stage.approving.answer(stage.id, "bob", approved=True, reason="x")
            answered = True
        except Refused:
            answered = False
        await line
        return answered, stage.answers[0].approved

    for wait in (0.0, 0.001, 0.002, 0.004):
        answered, approved = played(world, scenario, wait=wait)

        assert answered == approved


def test_one_line_of_a_channel_waits_at_a_time(world: World) -> None:
    async def scenario(stage: Stage) -> tuple[ApprovalAnswer, ApprovalAnswer]:
        line = await stage.waiting()
        same = await stage.approving.seek(request(), lambda *_: None)
        other = await stage.waiting(request(channel=1))
        full = await stage.approving.seek(request(channel=2), lambda *_: None)
        for one in (line, other):
            one.cancel()
        return same, full

    same, full = played(world, scenario, most=2)

    assert not same.approved
    assert "another line of this channel" in same.reason
    assert "2 commands wait" in full.reason


def test_a_channel_asks_again_after_its_answer(world: World) -> None:
    async def scenario(stage: Stage) -> list[bool]:
        for approved in (False, True):
            line = await stage.waiting()
            await stage.approving.answer(stage.id, "bob", approved=approved, reason="x")
            await line
        return [one.approved for one in stage.answers]

    assert played(world, scenario) == [False, True]


def test_what_nobody_would_read_to_its_end_is_not_asked(world: World) -> None:
    async def scenario(stage: Stage) -> ApprovalAnswer:
        long = request(command="x" * (approving.LONGEST_COMMAND + 1))
        return await stage.approving.seek(long, lambda *_: None)

    answer = played(world, scenario)

    assert "too long" in answer.reason
    assert rows(world) == []


@pytest.mark.parametrize(
    ("reason", "for_us", "code"),
    [
        (" \n", None, "approval.no-reason"),
        ("x" * 1001, None, "approval.no-reason"),
        ("x", 0, "approval.illegal-time"),
        ("x", 31 * 24 * HOUR, "approval.illegal-time"),
    ],
)
def test_an_answer_without_reason_or_end_is_none(
    world: World, reason: str, for_us: int | None, code: str
) -> None:
    async def scenario(stage: Stage) -> str:
        line = await stage.waiting()
        with pytest.raises(ConfigurationError) as caught:
            await stage.approving.answer(
                stage.id, "bob", approved=True, reason=reason, for_us=for_us
            )
        line.cancel()
        return caught.value.code

    assert played(world, scenario) == code


def test_an_approval_can_be_taken_back(world: World) -> None:
    async def scenario(stage: Stage) -> tuple[str | None, str | None, str]:
        line = await stage.waiting()
        given = await stage.approving.answer(
            stage.id, "bob", approved=True, reason="x", for_us=HOUR
        )
        await line
        before = stage.take()
        await stage.approving.revoke(given.id, by="cli:root", reason="a mistake")
        with pytest.raises(Refused) as caught:
            await stage.approving.revoke(given.id, by="cli:root", reason="again")
        return before, stage.take(), caught.value.code

    before, after, code = played(world, scenario)

    assert before is not None
    assert after is None
    assert code == "approval.not-standing"


def test_what_is_for_a_time_survives_a_restart_and_what_is_for_once_does_not(
    world: World,
) -> None:
    async def first(stage: Stage) -> str:
        line = await stage.waiting()
        await stage.approving.answer(stage.id, "bob", approved=True, reason="x", for_us=HOUR)
        await line
        return stage.id

    lasting = played(world, first)
    other = ("reboot", "\0reboot")
    with world.catalog.write() as connection:
        # As a crash leaves it: approved for once, and whether it was used nobody knows.
        left = approvals.Asked(
            "0190ffff-0000-7000-8000-000000000001",
            *("s1", "alice", "root", "web1", 0, "reboot", ("reboot",)),
            key_digest=approving.key_digest(other),
            rules=("r",),
            expires_at_us=world.clock.wall + HOUR,
        )
        approvals.ask(connection, world.clock, left)
        waiting = approvals.find(connection, left.id)
        approvals.answer(connection, world.clock, waiting, approved=True, by="Bob", reason="x")

    async def second(stage: Stage) -> tuple[str | None, str | None]:
        return stage.take(), stage.take(key=other)

    assert played(world, second) == (lasting, None)


def test_so_many_may_stand_and_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approving, "MOST_STANDING", 1)

    async def scenario(stage: Stage) -> tuple[str, bool]:
        line = await stage.waiting()
        await stage.approving.answer(stage.id, "bob", approved=True, reason="x", for_us=HOUR)
        await line
        line = await stage.waiting(request("s2"))
        with pytest.raises(Refused) as caught:
            await stage.approving.answer(stage.id, "bob", approved=True, reason="x")
        stage.world.clock.advance(3600)
        await stage.approving.answer(stage.id, "bob", approved=True, reason="x")
        await line
        return caught.value.code, stage.answers[-1].approved

    code, approved = played(world, scenario)

    assert code == "approval.too-many"
    assert approved


def test_a_catalog_that_fails_is_said_and_withdraws(world: World) -> None:
    async def scenario(stage: Stage) -> str:
        def broken(*_: object) -> None:
            raise ConfigurationError("its disk is full", code="catalog.full")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(approvers, "ask", broken)
            with pytest.raises(WatchgateError) as caught:
                await stage.approving.seek(request(), lambda *_: None)
        line = await stage.waiting()
        line.cancel()
        return caught.value.code

    assert played(world, scenario) == "catalog.full"
