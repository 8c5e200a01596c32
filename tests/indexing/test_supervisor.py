"""The supervisor with real processes that die, hang and babble: no recording is lost, none stops the others."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from indexing_world import OUTPUT, Desk, executed

from watchgate.clock import SystemClock
from watchgate.indexing.supervisor import IndexSupervisor, Patience
from watchgate.indexing.wire import Done, Order
from watchgate.recording.recorder import LiveRecorder
from watchgate.session.events import IndexStopped

pytestmark = pytest.mark.real

FRAIL = (sys.executable, "-P", str(Path(__file__).parent / "frail_worker.py"))
QUICK = Patience(first=0.01, longest=0.05, hang=3.0)


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not in {seconds} s: {what}")
        time.sleep(0.02)


class House:
    """A supervisor, and all that it told."""

    def __init__(
        self, directory: Path, patience: Patience = QUICK, command: tuple[str, ...] = FRAIL
    ) -> None:
        self.index = directory / "index"
        self.index.mkdir()
        self.desk = Desk.at(directory)
        self.stopped: list[tuple[IndexStopped, str]] = []
        self.done: list[Done] = []
        self.lost: list[bool] = []
        self.supervisor = IndexSupervisor(
            self.index,
            self.desk.spool,
            SystemClock(),
            on_stopped=lambda event, session: self.stopped.append((event, session)),
            on_done=lambda _, done: self.done.append(done),
            on_lost=lambda: self.lost.append(True),
            patience=patience,
            command=command,
        )

    def sealed(self, *commands: str) -> Order:
        """The order for a sealed session of these commands."""
        return asyncio.run(self._sealed(commands))

    async def _sealed(self, commands: tuple[str, ...]) -> Order:
        recorder = await self.desk.open("commands")
        for channel, command in enumerate(commands):
            executed(recorder, channel, command, b"")
            await self.desk.turn()
        await self.desk.seal(recorder)
        return self.desk.opened[-1]

    def texts(self) -> list[str]:
        file = self.index / "texts"
        return file.read_text().split("\n")[:-1] if file.exists() else []

    def progress(self) -> str:
        file = self.index / "progress"
        return file.read_text() if file.exists() else ""

    def complete(self) -> set[str]:
        return {done.recording for done in self.done if done.complete}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    made.supervisor.start()
    yield made
    made.supervisor.stop(5)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_recordings_are_indexed_by_a_process_of_its_own(house: House) -> None:
    orders = [house.sealed(f"command {number}") for number in range(20)]
    for order in orders:
        assert house.supervisor.follow(order)
    assert house.supervisor.drain(20)

    assert sorted(house.texts()) == sorted(f"command {number}" for number in range(20))
    assert house.complete() == {order.recording for order in orders}
    assert house.stopped == []


def test_the_worker_has_few_rights_and_no_secrets_of_ours(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHGATE_VAULT_PASSPHRASE", "hunter2")
    with (house.index / "open file").open("w") as ours:
        os.set_inheritable(ours.fileno(), True)
        house.supervisor.follow(house.sealed("id"))
        house.supervisor.drain(20)
        process = Path("/proc") / str(house.supervisor.pid)
        status = (process / "status").read_text()
        limits = (process / "limits").read_text()
        nice = (process / "stat").read_text().rsplit(")", 1)[1].split()[16]

        assert "NoNewPrivs:\t1" in status
        assert "Max core file size        0  " in limits
        assert f"Max data size             {2 << 30}" in limits
        assert int(nice) >= 10
        if os.geteuid() == 0:
            opened = {os.readlink(link) for link in (process / "fd").iterdir()}
            assert b"hunter2" not in (process / "environ").read_bytes()
            assert ours.name not in opened
            assert b"follow" not in (process / "cmdline").read_bytes()


def test_a_worker_that_dies_gets_everything_again(house: House) -> None:
    orders = [house.sealed("one"), house.sealed("stumble"), house.sealed("two")]
    for order in orders:
        house.supervisor.follow(order)
    assert house.supervisor.drain(20)

    assert {"one", "stumble", "two"} == set(house.texts())
    assert house.complete() == {order.recording for order in orders}
    assert house.stopped == []


def test_a_worker_that_is_killed_gets_a_successor(house: House) -> None:
    house.supervisor.follow(house.sealed("one"))
    assert house.supervisor.drain(20)
    first = house.supervisor.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    order = house.sealed("two")
    house.supervisor.follow(order)
    assert house.supervisor.drain(20)

    assert house.supervisor.pid != first
    assert order.recording in house.complete()


def test_a_recording_that_kills_the_worker_twice_is_set_aside_and_the_others_go_on(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    first, poison, last = house.sealed("one"), house.sealed("poison"), house.sealed("two")
    for order in (first, poison, last):
        house.supervisor.follow(order)
    assert house.supervisor.drain(20)
    ((event, session),) = house.stopped

    assert house.complete() == {first.recording, last.recording}
    assert event.recording == poison.recording
    assert session == poison.about.session
    assert "twice (it was ended by SIGSEGV)" in event.reason
    assert poison.recording in caplog.text


def test_that_a_recording_is_set_aside_is_remembered_by_the_index(house: House) -> None:
    poison = house.sealed("poison")
    house.supervisor.follow(poison)
    assert house.supervisor.drain(20)
    house.supervisor.stop(20)

    assert f"{poison.recording} reading it ended the index worker twice" in house.progress()


def test_its_owner_hears_when_the_index_lost_something(house: House) -> None:
    house.supervisor.follow(house.sealed("lose"))
    assert house.supervisor.drain(20)

    assert house.lost == [True]
    assert house.texts() == ["lose"]
    ((event, _),) = house.stopped
    assert event.reason == "a part of the index was lost: a file was damaged"


def test_a_worker_that_hangs_is_ended(tmp_path: Path) -> None:
    house = House(tmp_path, Patience(first=0.01, longest=0.05, hang=0.5))
    house.supervisor.start()
    stuck, good = house.sealed("hang"), house.sealed("one")
    house.supervisor.follow(stuck)
    house.supervisor.follow(good)
    assert house.supervisor.drain(20)
    house.supervisor.stop(5)

    assert house.complete() == {good.recording}
    assert "did not come to the end of one turn" in house.stopped[0][0].reason


def test_a_worker_that_babbles_is_ended(house: House) -> None:
    babbling, good = house.sealed("babble"), house.sealed("one")
    house.supervisor.follow(babbling)
    house.supervisor.follow(good)
    assert house.supervisor.drain(20)

    assert good.recording in house.complete()
    assert house.stopped


def test_a_worker_that_cannot_even_start_is_told_once(tmp_path: Path) -> None:
    house = House(tmp_path, command=("/nonexistent/python",))
    house.supervisor.start()
    house.supervisor.follow(house.sealed("one"))
    wait_for(lambda: bool(house.stopped), "the journal is told")
    time.sleep(0.3)  # for what must not come
    house.supervisor.stop(0)

    assert len(house.stopped) == 1
    assert "3 times in a row: it cannot be started" in house.stopped[0][0].reason


def test_stopping_lets_it_read_what_was_sealed(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.supervisor.start()
    orders = [house.sealed(f"command {number}") for number in range(30)]
    for order in orders:
        house.supervisor.follow(order)
    house.supervisor.stop(20)

    assert house.complete() == {order.recording for order in orders}
    assert (house.index / "closed").exists()
    assert house.supervisor.pid is None


def test_stopping_does_not_wait_for_what_hangs(tmp_path: Path) -> None:
    house = House(tmp_path, Patience())
    house.supervisor.start()
    house.supervisor.follow(house.sealed("hang"))
    wait_for(lambda: house.supervisor.pid is not None, "a worker")
    pid = house.supervisor.pid
    assert pid is not None
    began = time.monotonic()
    house.supervisor.stop(0.3)

    assert time.monotonic() - began < 5
    assert gone(pid)


def test_stopping_leaves_a_live_recording_incomplete(house: House) -> None:
    async def session() -> LiveRecorder:
        recorder = await house.desk.open("commands")
        executed(recorder, 0, "id", b"")
        await house.desk.turn()
        return recorder

    asyncio.run(session())
    house.supervisor.follow(house.desk.opened[-1])
    wait_for(lambda: house.texts() == ["id"], "the command is found while the session goes on")
    house.supervisor.stop(20)

    assert house.done == []
    assert (house.index / "progress").read_text().endswith("False\n")


def test_it_dies_with_its_gateway(tmp_path: Path) -> None:
    house = House(tmp_path)
    program = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from watchgate.indexing.child import Child\n"
        "from watchgate.indexing.wire import Begin\n"
        f"child = Child({FRAIL!r})\n"
        f"child.tell(Begin(Path({str(house.index)!r})))\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(100)\n"
    )
    read, write = os.pipe()
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-c", program],
        {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        file_actions=[(os.POSIX_SPAWN_DUP2, write, 1)],
    )
    os.close(write)
    worker = int(os.read(read, 20))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(read)

    wait_for(lambda: gone(worker), "the worker is gone")


def test_more_than_may_wait_are_left_and_it_is_said_once(tmp_path: Path) -> None:
    house = House(tmp_path, Patience(waiting=1))
    order = house.sealed("one")
    request = house.desk.store  # nothing runs yet: the first waits, the others are too many
    assert request is not None
    assert house.supervisor.follow(order)
    assert not house.supervisor.follow(order)
    asyncio.run(_opened_twice(house))
    house.supervisor.start()
    house.supervisor.stop(10)

    assert len(house.stopped) == 1
    assert "too many recordings wait" in house.stopped[0][0].reason


async def _opened_twice(house: House) -> None:
    for _ in range(2):
        recorder = await house.desk.open()
        house.supervisor.opened(
            recorder.request, house.desk.path(recorder), house.desk.opened[-1].keys
        )


def test_keys_are_forgotten_when_it_is_done_and_never_shown(house: House) -> None:
    order = house.sealed("one")
    house.supervisor.follow(order)
    assert house.supervisor.drain(20)

    assert len(house.supervisor._roster) == 0
    assert house.supervisor._roster._given == {}
    assert "Secret" not in repr(house.supervisor)


def test_opening_a_recording_never_waits_for_the_worker(tmp_path: Path) -> None:
    house = House(tmp_path, Patience(hang=100))
    house.supervisor.start()
    house.supervisor.follow(house.sealed("hang"))
    wait_for(lambda: house.supervisor.pid is not None, "a worker")

    async def sessions() -> float:
        began = time.monotonic()
        for _ in range(50):
            recorder = await house.desk.open()
            recorder.octets(OUTPUT, 0, b"x")
            house.supervisor.opened(
                recorder.request, house.desk.path(recorder), house.desk.opened[-1].keys
            )
        return time.monotonic() - began

    took = asyncio.run(sessions())
    threads = threading.active_count()
    house.supervisor.stop(0)

    assert took < 5
    assert threading.active_count() < threads
