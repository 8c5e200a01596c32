"""The register of open sessions."""

from __future__ import annotations

import asyncio

import pytest
from fakes import ALICE, FakeRecorder, World, decider

from watchgate.errors import NotFound
from watchgate.session.control import Session, Sessions
from watchgate.session.model import Ending, EndReason


async def opened(sessions: Sessions, *names: str) -> list[Session]:
    world = World()
    route = await world.authorize(ALICE, None)  # type: ignore[arg-type]
    made = [
        Session(name, route, "192.0.2.7:1", at, FakeRecorder([]), decider(world), world.services())
        for at, name in enumerate(names)
    ]
    for session in reversed(made):
        sessions.add(session)
    return made


def test_a_session_is_found_by_a_unique_beginning_of_its_id() -> None:
    async def run() -> None:
        sessions = Sessions()
        first, second = await opened(sessions, "abc1", "abd2")

        assert sessions.find("abc") is first
        assert sessions.all() == [first, second]
        with pytest.raises(NotFound, match="2 open sessions"):
            sessions.find("ab")
        with pytest.raises(NotFound, match="no open session"):
            sessions.find("x")

    asyncio.run(run())


def test_the_register_knows_when_it_is_empty() -> None:
    async def run() -> None:
        sessions = Sessions()
        await sessions.over()
        (session,) = await opened(sessions, "a")
        waiting = asyncio.Task(sessions.over())
        await asyncio.sleep(0)
        assert not waiting.done()
        sessions.remove(session)
        sessions.remove(session)
        await waiting

    asyncio.run(run())


def test_all_sessions_end_at_once() -> None:
    async def run() -> list[Ending]:
        sessions = Sessions()
        made = await opened(sessions, "a", "b")
        sessions.end_all(Ending(EndReason.SHUTDOWN, "stop"))
        return [await session.ended() for session in made]

    assert asyncio.run(run()) == [Ending(EndReason.SHUTDOWN, "stop")] * 2
