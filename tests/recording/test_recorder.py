"""The session's side: times, numbers, back-pressure, the end."""

from __future__ import annotations

import asyncio

import pytest
from recording_world import ENDING, INPUT, OUTPUT, World

from watchgate.recording.verify import State
from watchgate.session.events import InputRedacted, SessionClosed


def test_times_strictly_increase_while_the_clock_stands_still(world: World) -> None:
    async def session() -> list[int]:
        recorder = await world.open()
        for number in range(100):
            recorder.octets(INPUT if number % 3 else OUTPUT, 1, b"x")
        path = await world.sealed(recorder)
        with world.read(path) as recording:
            return [record.t_us for record in recording.records()]

    times = asyncio.run(session())

    assert times == sorted(set(times))
    assert times[0] == 0


def test_events_are_numbered_without_gaps(world: World) -> None:
    async def session() -> list[int]:
        recorder = await world.open()
        numbers = [recorder.event(InputRedacted(n)) for n in range(5)]
        path = await world.sealed(recorder)
        with world.read(path) as recording:
            assert [envelope.seq for envelope in recording.events()] == [1, 2, 3, 4, 5, 6]
            assert {envelope.session for envelope in recording.events()} == {
                recording.header.session
            }
        return numbers

    assert asyncio.run(session()) == [1, 2, 3, 4, 5]


def test_a_sealed_recording_refuses_more(world: World, caplog: pytest.LogCaptureFixture) -> None:
    async def session() -> None:
        recorder = await world.open()
        recorder.octets(OUTPUT, 1, b"in")
        path = await world.sealed(recorder)
        octets = path.read_bytes()
        recorder.octets(OUTPUT, 1, b"out")
        assert recorder.event(InputRedacted(1)) == 0
        await recorder.commit()
        await recorder.seal(ENDING)
        await world.turn(100)
        assert path.read_bytes() == octets

    asyncio.run(session())

    assert "is sealed" in caplog.text


def test_the_end_says_what_was_moved(world: World) -> None:
    async def session() -> SessionClosed:
        recorder = await world.open()
        recorder.octets(INPUT, 1, b"12345")
        recorder.octets(OUTPUT, 1, b"123")
        path = await world.sealed(recorder)
        closed = world.events(path)[-1]
        assert isinstance(closed, SessionClosed)
        return closed

    assert asyncio.run(session()) == SessionClosed("client", "exit", None, 5, 3)


def test_too_much_waiting_is_congestion_until_half_is_written(world: World) -> None:
    async def session() -> None:
        recorder = await world.open()
        await recorder.relieved()
        for _ in range(5):
            assert not recorder.congested
            recorder.octets(OUTPUT, 1, bytes(1_000_000))
        assert recorder.congested
        await world.drive(recorder.relieved())
        assert recorder.waiting <= world.limits.waiting // 2
        await world.sealed(recorder)

    asyncio.run(session())


def test_many_may_wait_for_relief(world: World) -> None:
    async def session() -> None:
        recorder = await world.open()
        recorder.octets(OUTPUT, 1, bytes(6_000_000))
        async with asyncio.TaskGroup() as group:
            waiting = [group.create_task(recorder.relieved()) for _ in range(10)]
            await asyncio.sleep(0)
            assert not any(task.done() for task in waiting)
            waiting[0].cancel()
            await world.turn()
        assert not recorder.congested
        await world.sealed(recorder)

    asyncio.run(session())


def test_a_commit_is_reached_when_all_before_it_is_in_the_file(world: World) -> None:
    async def session() -> None:
        recorder = await world.open()
        path = world.path(recorder)
        for number in range(5):
            recorder.octets(OUTPUT, 1, b"%d" % number)
            await world.drive(recorder.commit())
            assert world.octets(path) == b"01234"[: number + 1]
        await world.sealed(recorder)

    asyncio.run(session())


def test_a_commit_that_is_cancelled_disturbs_nothing(world: World) -> None:
    async def session() -> None:
        recorder = await world.open()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(recorder.commit())
            await asyncio.sleep(0)
            task.cancel()
        path = await world.sealed(recorder)
        assert world.verify(path).state is State.INTACT

    asyncio.run(session())


def test_sealing_goes_on_when_the_session_is_cancelled_meanwhile(world: World) -> None:
    async def session() -> None:
        recorder = await world.open()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(recorder.seal(ENDING))
            await asyncio.sleep(0)
            task.cancel()
        await world.turn()
        assert world.verify(world.path(recorder)).state is State.INTACT

    asyncio.run(session())


def test_nothing_of_a_recording_is_shown_by_its_repr(world: World) -> None:
    async def session() -> None:
        recorder = await world.open()
        recorder.octets(INPUT, 1, b"hunter2")
        assert repr(recorder) == f"LiveRecorder({recorder.recording})"
        await world.sealed(recorder)

    asyncio.run(session())
