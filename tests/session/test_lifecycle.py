"""The life of a session, step by step, and each way in which it can end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from fakes import Stage

from watchgate.session import lifecycle
from watchgate.session.events import SessionRefused, TargetFailed
from watchgate.session.lifecycle import run_session
from watchgate.session.model import Ending, EndReason, Grant


def live(stage: Stage, then: Callable[[Stage], None] | None = None) -> Ending | None:
    """Run a session; when it relays, do *then* (which ends it)."""

    async def run() -> Ending | None:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(
                run_session(stage.engine, stage.world.services(), stage.sessions)
            )
            if then is not None:
                await stage.engine.relaying.wait()
                await asyncio.sleep(0)
                then(stage)
        return running.result()

    return asyncio.run(run())


def test_the_steps_happen_in_their_order_and_leave_their_events() -> None:
    stage = Stage()

    ending = live(stage, lambda stage: stage.engine.over.set())

    assert ending == Ending(EndReason.CLIENT, "bye")
    assert stage.world.trail[:13] == [
        "authorize",
        "warm",
        "session.claimed",
        "operator.authenticated",
        "session.authorized",
        "policy.frozen",
        "session.opened",
        "commit",
        "credential",
        "reach",
        "target.reached",
        "close",
        "seal client",
    ]
    assert stage.engine.told == []
    assert stage.world.admitted == 0
    assert len(stage.sessions) == 0


def test_without_a_grant_there_is_no_recording_but_a_journal_entry() -> None:
    stage = Stage()
    stage.world.refuse = "no grant for root on web1"

    ending = live(stage)

    assert ending is None
    assert stage.world.recorder is None
    assert stage.engine.told == ["no grant for root on web1"]
    assert stage.engine.closed
    (refused,) = stage.world.journal
    assert isinstance(refused, SessionRefused)
    assert (refused.operator, refused.target, refused.code) == ("alice", "web1", "grant.missing")


def test_what_cannot_be_recorded_does_not_begin() -> None:
    stage = Stage()
    stage.world.unrecordable = True

    ending = live(stage)

    assert ending is None
    assert "reach" not in stage.world.trail
    assert stage.engine.told == ["this session cannot be recorded, so it is not opened"]
    assert isinstance(stage.world.journal[0], SessionRefused)


def test_an_unreachable_target_is_told_recorded_and_sealed() -> None:
    stage = Stage()
    stage.engine.unreachable = True

    ending = live(stage)

    assert ending is not None
    assert ending.reason is EndReason.UNREACHABLE
    assert stage.engine.told == ["web1 cannot be reached: refused"]
    assert isinstance(stage.world.evidence.events[-1], TargetFailed)
    assert stage.world.evidence.sealed == ending


def test_an_admin_ends_a_session_and_the_operator_reads_why() -> None:
    stage = Stage()

    def terminate(stage: Stage) -> None:
        session = stage.sessions.find("")
        session.terminate("bob", "maintenance")
        session.terminate("eve", "too late")

    ending = live(stage, terminate)

    assert ending == Ending(EndReason.TERMINATED, "maintenance", "bob")
    assert stage.engine.told == ["session ended by bob: maintenance"]
    assert [e.kind for e in stage.world.evidence.events].count("control.terminated") == 1


def test_a_lost_recording_ends_the_session() -> None:
    stage = Stage()

    ending = live(stage, lambda stage: stage.world.evidence.lose())

    assert ending is not None
    assert ending.reason is EndReason.RECORDING_LOST
    assert stage.engine.told == ["session ended: it cannot be recorded any more"]


def test_the_end_of_the_grant_ends_the_session() -> None:
    stage = Stage()
    stage.world.grant = Grant("g1", until_us=stage.world.clock.wall_us() + 20_000)

    ending = live(stage, lambda stage: stage.world.clock.advance(0.02))

    assert ending is not None
    assert ending.reason is EndReason.EXPIRED


def test_a_clock_that_is_set_forward_ends_the_session_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "LOOK_AGAIN_SECONDS", 0.01)
    stage = Stage()
    clock = stage.world.clock
    stage.world.grant = Grant("g1", until_us=clock.wall_us() + 3_600_000_000)

    ending = live(stage, lambda _: clock.jump(3601))

    assert ending is not None
    assert ending.reason is EndReason.EXPIRED


def test_a_clock_that_is_set_back_does_not_end_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "LOOK_AGAIN_SECONDS", 0.01)
    stage = Stage()
    clock = stage.world.clock
    stage.world.grant = Grant("g1", until_us=clock.wall_us() + 60_000)

    def set_back(stage: Stage) -> None:
        clock.jump(-3600)
        asyncio.get_running_loop().call_later(0.2, stage.engine.over.set)

    ending = live(stage, set_back)

    assert ending == Ending(EndReason.CLIENT, "bye")


def test_a_mistake_of_ours_is_told_as_such_and_the_recording_is_sealed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = Stage()
    stage.engine.broken = True

    ending = live(stage)

    assert ending is None
    assert "internal error" in stage.engine.told[0]
    assert "a mistake" not in stage.engine.told[0]
    assert stage.world.evidence.sealed is not None
    assert stage.world.evidence.sealed.reason is EndReason.FAILED
    assert "a mistake of ours" in caplog.text


def test_a_cancelled_session_is_closed_and_sealed() -> None:
    stage = Stage()

    async def run() -> None:
        task = asyncio.Task(run_session(stage.engine, stage.world.services(), stage.sessions))
        await stage.engine.relaying.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())

    assert stage.world.trail.index("close") < stage.world.trail.index("seal shutdown")
    assert len(stage.sessions) == 0


def test_an_operator_who_is_locked_while_his_session_opens_does_not_stay() -> None:
    stage = Stage()
    stage.world.locked = Ending(EndReason.LOCKED, "the account alice is locked by rule no-rm: met")

    ending = live(stage)

    assert ending == stage.world.locked
    assert stage.engine.told == [
        "session ended: the account alice is locked by rule no-rm: met",
    ]
    assert stage.world.evidence.sealed == ending
