"""What a crash left unindexed: found, opened by the escrow key, or said in the log."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

import pytest
from indexing_world import Desk, MemoryIndex, executed

from watchgate.catalog.search.model import Progress
from watchgate.clock import SystemClock
from watchgate.errors import ConfigurationError, RecordingUnreadable
from watchgate.indexing.catchup import CatchUp, key_file, order, unfinished
from watchgate.indexing.supervisor import IndexSupervisor
from watchgate.indexing.wire import Order
from watchgate.recording.auditors import Identity, generate_identity, load_identities


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.at(tmp_path)


def session(desk: Desk, *, sealed: bool = True) -> Path:
    async def record() -> Path:
        recorder = await desk.open("commands")
        executed(recorder, 0, "id", b"")
        await desk.turn()
        return await desk.seal(recorder) if sealed else desk.path(recorder)

    return asyncio.run(record())


def progress(path: Path, *, complete: bool, problem: str = "") -> Progress:
    return Progress(path.stem, "s", 1, complete, "commands", problem)


def left(desk: Desk, index: MemoryIndex, since_us: int = 0) -> list[Path]:
    return [path for path, _ in unfinished(desk.root, desk.spool, index, since_us=since_us)]


class Taker(IndexSupervisor):
    """A supervisor that only takes orders."""

    def __init__(self) -> None:
        super().__init__(Path("/none"), None, SystemClock(), on_stopped=lambda *_: None)
        self.orders: list[Order] = []

    def submit(self, order: Order, together: int = 16) -> bool:
        self.orders.append(order)
        return True


def caught_up(
    desk: Desk, index: MemoryIndex, identities: list[Identity], caplog: pytest.LogCaptureFixture
) -> list[str]:
    taker = Taker()
    caught = CatchUp(taker, index, desk.root, desk.spool, identities)
    with caplog.at_level(logging.INFO, "watchgate"):
        caught._look()
    return [one.recording for one in taker.orders]


def test_what_the_index_does_not_have_to_its_end_is_unfinished_newest_first(desk: Desk) -> None:
    first, second, third = session(desk), session(desk), session(desk)
    desk.clock.advance(3 * 86_400)
    later = session(desk)
    index = MemoryIndex()
    index.advance(progress(second, complete=True))
    index.advance(progress(third, complete=False))

    assert left(desk, index) == [later, third, first]


def test_days_before_a_moment_are_not_looked_at(desk: Desk) -> None:
    session(desk)
    desk.clock.advance(10 * 86_400)
    later = session(desk)

    assert left(desk, MemoryIndex(), desk.clock.wall_us() - 5 * 86_400_000_000) == [later]


def test_what_is_being_written_and_what_was_erased_is_not_unfinished(desk: Desk) -> None:
    session(desk, sealed=False)
    erased = session(desk)
    erased.with_suffix(".key").unlink()

    assert key_file(erased, desk.spool) is None
    assert left(desk, MemoryIndex()) == []


def test_the_escrow_key_opens_what_is_left(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    path = session(desk)
    made = order(path, desk.spool, desk.identities)

    assert made.whole
    assert made.keys == desk.opened[0].keys
    assert made.about == desk.opened[0].about
    assert caught_up(desk, MemoryIndex(), desk.identities, caplog) == [path.stem]


def test_without_one_the_log_says_how_many_and_what_to_do(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    session(desk), session(desk)

    assert caught_up(desk, MemoryIndex(), [], caplog) == []
    assert "2 recordings are not completely indexed; run `watchgate reindex" in caplog.text


def test_a_recording_for_another_auditor_is_said_and_the_others_go_on(
    desk: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    session(desk)
    text, _ = generate_identity()
    (tmp_path / "other.key").write_text(text)
    strangers = load_identities(tmp_path / "other.key")

    with pytest.raises(RecordingUnreadable, match="not wrapped"):
        order(session(desk), desk.spool, strangers)
    assert caught_up(desk, MemoryIndex(), strangers, caplog) == []
    assert "2 cannot be opened" in caplog.text


def test_what_could_not_be_read_once_is_left_to_reindex(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    path = session(desk)
    index = MemoryIndex()
    index.advance(progress(path, complete=False, problem="it was changed"))

    assert caught_up(desk, index, desk.identities, caplog) == []


def test_it_looks_again_when_the_index_lost_something(desk: Desk) -> None:
    path = session(desk)
    index = MemoryIndex()
    index.advance(progress(path, complete=True))
    taker = Taker()
    caught = CatchUp(taker, index, desk.root, desk.spool, desk.identities)
    caught.start()
    del index.known[path.stem]
    caught.again()
    deadline = time.monotonic() + 10
    while not taker.orders and time.monotonic() < deadline:
        time.sleep(0.01)
    caught.stop()

    assert {one.recording for one in taker.orders} == {path.stem}
    assert not caught._thread.is_alive()


def test_an_index_that_cannot_be_read_is_tried_again(
    desk: Desk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchgate.indexing.catchup._AGAIN", 0.01)
    path = session(desk)
    index = MemoryIndex()
    answers = [ConfigurationError("it is just being made")] * 2
    known = index.progress

    def once_broken(recording: str) -> Progress | None:
        if answers:
            raise answers.pop()
        return known(recording)

    monkeypatch.setattr(index, "progress", once_broken)

    assert caught_up(desk, index, desk.identities, caplog) == [path.stem]
