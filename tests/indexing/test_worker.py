"""The worker's turns: what is new gets into the index, nobody waits for a bulk session, nothing stops all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from indexing_world import INPUT, OUTPUT, PROMPT, Desk, MemoryIndex, Shell, executed, worked

from watchgate.catalog.search.model import About, Document, Kind, Progress
from watchgate.errors import ConfigurationError
from watchgate.indexing.following import Following
from watchgate.indexing.wire import Done, Order, Reading, Resting, Said, SetAside, Stuck
from watchgate.indexing.worker import MOST_HELD, QUIET_US, Worker
from watchgate.recording.auditors import unwrap
from watchgate.recording.format import Record
from watchgate.recording.recorder import LiveRecorder
from watchgate.recording.tail import Tail
from watchgate.session.events import ChannelClosed, ChannelOpened
from watchgate.terminal.screens import open_screen


class Bench:
    """A worker, its index, and what it said."""

    def __init__(self, desk: Desk, **options: int) -> None:
        self.desk = desk
        self.index = MemoryIndex()
        self.said: list[Said] = []
        self.worker = Worker(self.index, open_screen, desk.clock, self.said.append, **options)

    def follow(self, path: Path, *, whole: bool = False) -> Order:
        """Order the recording at *path*, with what opens it."""
        (order,) = (one for one in self.desk.opened if one.recording == path.stem)
        order = Order(order.about, path, order.spool, order.keys, whole)
        self.worker.follow(order)
        return order

    def settle(self) -> None:
        """Let it work until there is nothing to do."""
        self.desk.clock.advance(1.5)
        while self.worker.step():
            pass

    def done(self) -> list[Done]:
        return [said for said in self.said if isinstance(said, Done)]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.at(tmp_path)


@pytest.fixture
def bench(desk: Desk) -> Bench:
    return Bench(desk)


def quick(desk: Desk, *commands: str, index: str = "screen") -> Path:
    """A sealed session of executed commands."""

    async def session() -> Path:
        recorder = await desk.open(index)
        for channel, command in enumerate(commands):
            executed(recorder, channel, command, command.encode() + b" was run\n")
            await desk.turn()
        return await desk.seal(recorder)

    return asyncio.run(session())


def live(desk: Desk, work: Callable[[LiveRecorder, Path], None], index: str = "commands") -> None:
    """Run *work* beside a recording that is being written."""

    async def session() -> None:
        recorder = await desk.open(index)
        await desk.turn()
        work(recorder, desk.path(recorder))

    asyncio.run(session())


def turn(desk: Desk) -> None:
    desk.clock.advance(0.5)
    desk.store.scribe.turn()


# --- following -----------------------------------------------------------------------------------


def test_a_sealed_recording_is_indexed_and_done(desk: Desk, bench: Bench) -> None:
    path = quick(desk, "uptime", "id")
    bench.follow(path)
    bench.settle()

    assert bench.index.texts() == ["uptime", "id"]
    assert bench.index.texts(Kind.SCREEN) == ["uptime was run", "id was run"]
    assert bench.done() == [Done(path.stem, complete=True, documents=4)]
    progress = bench.index.known[path.stem]
    assert (progress.complete, progress.policy) == (True, "screen")
    assert progress.octets == path.stat().st_size


def test_a_recording_is_indexed_while_it_is_written(desk: Desk, bench: Bench) -> None:
    def work(recorder: LiveRecorder, path: Path) -> None:
        bench.follow(path)
        bench.settle()
        assert bench.index.texts() == []
        executed(recorder, 0, "id", b"")
        turn(desk)
        bench.settle()

        assert bench.index.texts() == ["id"]
        assert bench.done() == []
        assert bench.index.known[path.stem].complete is False

    live(desk, work)


def test_what_is_read_live_is_what_is_read_at_once(desk: Desk) -> None:
    stepwise, whole = Bench(desk, turn=1), Bench(desk)
    path = asyncio.run(worked(desk))
    for bench in (stepwise, whole):
        bench.follow(path)
        bench.settle()

    assert stepwise.index.kept == whole.index.kept
    assert whole.index.kept
    assert stepwise.index.puts > whole.index.puts


def test_a_recording_that_does_not_grow_costs_no_reading(
    desk: Desk, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(_: LiveRecorder, path: Path) -> None:
        bench.follow(path)
        bench.settle()
        monkeypatch.setattr(Tail, "more", lambda *_: pytest.fail("it was read"))
        bench.said.clear()
        for _turn in range(5):
            bench.settle()

        assert bench.said == []

    live(desk, work)


def test_a_target_that_wants_nothing_indexed_is_done_at_once_and_its_keys_go(
    desk: Desk, bench: Bench
) -> None:
    def work(recorder: LiveRecorder, path: Path) -> None:
        executed(recorder, 0, "id", b"")
        turn(desk)
        bench.follow(path)
        bench.settle()

        assert bench.index.kept == {}
        assert bench.done() == [Done(path.stem, complete=True)]
        assert bench.index.known[path.stem].policy == "off"

    live(desk, work, index="off")


def test_what_the_index_has_already_is_not_read_again(desk: Desk, bench: Bench) -> None:
    path = quick(desk, "id")
    bench.follow(path)
    bench.settle()
    puts = bench.index.puts
    bench.follow(path)
    bench.settle()

    assert bench.index.puts == puts
    assert [done.complete for done in bench.done()] == [True, True]


def test_a_bulk_session_delays_nobody(desk: Desk) -> None:
    bench = Bench(desk, turn=1000)

    async def bulk() -> Path:
        recorder = await desk.open("commands")
        for _ in range(50):
            recorder.octets(OUTPUT, 0, b"x" * 5000)
            await desk.turn(1)
        return await desk.seal(recorder)

    big, small = asyncio.run(bulk()), quick(desk, "id")
    bench.follow(big)
    bench.follow(small)
    bench.settle()
    turns = [said.recording for said in bench.said if isinstance(said, Reading)]

    assert [done.recording for done in bench.done()] == [small.stem, big.stem]
    assert turns.count(big.stem) >= 50
    assert turns.index(small.stem) == 1


def test_it_says_what_it_reads_and_when_it_rests(desk: Desk, bench: Bench) -> None:
    path = quick(desk, "id")
    bench.follow(path)
    bench.settle()
    bench.settle()

    assert bench.said[0] == Reading(path.stem)
    assert bench.said[-1] == Resting()
    assert bench.said.count(Resting()) == 1


def test_the_same_recording_is_not_followed_twice(desk: Desk, bench: Bench) -> None:
    path = quick(desk, "id")
    bench.follow(path)
    bench.follow(path)
    bench.settle()

    assert len(bench.done()) == 1


# --- quiet recordings ----------------------------------------------------------------------------


def look(bench: Bench, seconds: float) -> float:
    """Let time pass, and the worker look."""
    bench.desk.clock.advance(seconds)
    while bench.worker.step():
        pass
    return seconds


def typed_once(desk: Desk, recorder: LiveRecorder) -> None:
    Shell(recorder, 0, lambda: desk.clock.advance(0.05)).open().run(b"whoami", b"root\r\n")
    turn(desk)


def test_a_command_is_indexed_within_seconds_with_nothing_else_happening(
    desk: Desk, bench: Bench
) -> None:
    def work(recorder: LiveRecorder, path: Path) -> None:
        bench.follow(path)
        look(bench, 0)
        typed_once(desk, recorder)
        look(bench, 0)
        waited = 0.0
        while not bench.index.texts() and waited < 10:
            waited += look(bench, bench.worker.wait_us / 1e6)

        assert bench.index.texts() == ["whoami"]
        assert waited < 3
        look(bench, 2)
        assert "root@web1:~# whoami\nroot" in bench.index.texts(Kind.SCREEN)

    live(desk, work, index="screen")


def test_a_quiet_terminal_is_read_while_another_is_busy(desk: Desk, bench: Bench) -> None:
    def work(recorder: LiveRecorder, path: Path) -> None:
        bench.follow(path)
        typed_once(desk, recorder)
        recorder.event(ChannelOpened(1, "shell", "xterm", 80, 24))
        for number in range(8):
            recorder.octets(OUTPUT, 1, b"%d " % number)
            turn(desk)
            look(bench, 0)

        assert bench.index.texts() == ["whoami"]

    live(desk, work)


def test_a_quiet_recording_costs_nothing_once_it_told_all(
    desk: Desk, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(recorder: LiveRecorder, path: Path) -> None:
        bench.follow(path)
        typed_once(desk, recorder)
        for _ in range(5):
            look(bench, 1)
        bench.said.clear()
        monkeypatch.setattr(Tail, "more", lambda *_: pytest.fail("it was read"))
        for _ in range(5):
            look(bench, 1)

        assert bench.said == []

    live(desk, work)


def test_what_was_found_in_the_silence_is_what_the_sealed_recording_gives(desk: Desk) -> None:
    followed, whole = Bench(desk), Bench(desk)

    async def session() -> Path:
        recorder = await desk.open("screen")
        await desk.turn()
        followed.follow(desk.path(recorder))
        shell = Shell(recorder, 0, lambda: desk.clock.advance(0.05)).open()
        for command in (b"ls", b"id", b"uptime"):
            shell.run(command, b"answer\r\n")
            for _ in range(6):
                await desk.turn(1)
                look(followed, 0)
        assert followed.index.texts() == ["ls", "id", "uptime"]
        shell.close()
        return await desk.seal(recorder)

    whole.follow(asyncio.run(session()))
    for bench in (followed, whole):
        look(bench, 2)

    assert followed.index.kept == whole.index.kept


def test_records_that_a_standing_disk_held_back_are_read_as_if_they_had_come_in_time(
    desk: Desk,
) -> None:
    followed, whole = Bench(desk), Bench(desk)

    async def session() -> Path:
        recorder = await desk.open("screen")
        recorder.event(ChannelOpened(0, "shell", "xterm", 80, 24))
        recorder.octets(OUTPUT, 0, PROMPT)
        await desk.turn()
        followed.follow(desk.path(recorder))
        look(followed, 0)
        recorder.octets(OUTPUT, 0, b"for i in 1 2")
        recorder.octets(INPUT, 0, b"for i in 1 2\r")
        recorder.octets(OUTPUT, 0, b"\r\n")
        await desk.turn(0.1)
        look(followed, 0)
        desk.clock.advance(0.1)
        recorder.octets(OUTPUT, 0, b"> ")  # written ten seconds later
        for _ in range(10):
            look(followed, 1)
        assert followed.index.texts() == ["for i in 1 2"]
        await desk.turn()
        recorder.octets(OUTPUT, 0, b"do id; done")
        recorder.octets(INPUT, 0, b"do id; done\r")
        recorder.octets(OUTPUT, 0, b"\r\n" + PROMPT)
        await desk.turn()
        for _ in range(3):
            look(followed, 1)
        recorder.event(ChannelClosed(0, 0, None, 1, 1))
        return await desk.seal(recorder)

    whole.follow(asyncio.run(session()))
    for _ in range(3):
        look(followed, 2)
    look(whole, 2)

    assert whole.index.texts() == ["for i in 1 2\ndo id; done"]
    assert followed.index.kept == whole.index.kept
    assert [done.complete for done in followed.done()] == [True]


# --- what does not go well -----------------------------------------------------------------------


def test_a_recording_that_was_changed_is_told_and_the_others_go_on(
    desk: Desk, bench: Bench
) -> None:
    damaged, good = quick(desk, "id", *"abcdefgh"), quick(desk, "uptime")
    octets = bytearray(damaged.read_bytes())
    octets[-900] ^= 1
    damaged.write_bytes(octets)
    bench.follow(damaged)
    bench.follow(good)
    bench.settle()
    problems = {done.recording: done.problem for done in bench.done()}

    assert problems[good.stem] == ""
    assert damaged.name in problems[damaged.stem]
    assert "id" in bench.index.texts()
    assert bench.index.known[damaged.stem].problem == problems[damaged.stem]
    assert not bench.index.known[damaged.stem].complete


def test_a_reader_that_fails_ends_its_own_recording_only(desk: Desk) -> None:
    path, other = asyncio.run(worked(desk)), quick(desk, "id")

    def broken(columns: int, rows: int) -> object:
        raise MemoryError("too large")

    bench = Bench(desk)
    bench.worker = Worker(bench.index, broken, desk.clock, bench.said.append)  # type: ignore[arg-type]
    bench.follow(path)
    bench.follow(other)
    bench.settle()

    assert [bool(done.problem) for done in bench.done()] == [True, False]
    assert bench.done()[0].problem == "MemoryError: too large"


def test_a_recording_that_nobody_writes_any_more_is_let_go(desk: Desk, bench: Bench) -> None:
    path = quick(desk, "id", index="commands")
    path.write_bytes(path.read_bytes()[:-150])
    bench.follow(path)
    bench.settle()
    assert bench.done() == []
    desk.clock.advance(QUIET_US / 1e6)
    bench.settle()

    assert bench.done() == [Done(path.stem, complete=False, documents=1)]
    assert not bench.index.known[path.stem].complete


def test_a_quiet_recording_that_is_still_written_is_kept(desk: Desk, bench: Bench) -> None:
    def work(recorder: LiveRecorder, path: Path) -> None:
        bench.follow(path)
        for _ in range(3):
            desk.clock.advance(QUIET_US / 1e6)
            bench.settle()
        assert bench.done() == []
        executed(recorder, 0, "id", b"")
        turn(desk)
        bench.settle()

        assert bench.index.texts() == ["id"]

    live(desk, work)


def test_an_index_that_cannot_be_written_loses_nothing(desk: Desk, bench: Bench) -> None:
    paths = [quick(desk, f"command {number}") for number in range(3)]
    bench.index.broken = "the disk is full"
    for path in paths:
        bench.follow(path)
    bench.settle()
    assert bench.said.count(Stuck("the disk is full")) == 3
    assert not bench.worker.settled
    bench.index.broken = ""
    bench.desk.clock.advance(5)
    bench.settle()

    assert sorted(bench.index.texts()) == ["command 0", "command 1", "command 2"]
    assert sorted(done.recording for done in bench.done()) == sorted(path.stem for path in paths)
    assert bench.worker.settled


def test_little_is_held_in_memory_while_the_index_cannot_be_written(
    desk: Desk, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [quick(desk, "id") for _ in range(MOST_HELD + 20)]
    reads: list[Tail] = []
    more = Tail.more

    def counted(tail: Tail, octets: int, spooled: int) -> list[Record]:
        reads.append(tail)
        return more(tail, octets, spooled)

    monkeypatch.setattr(Tail, "more", counted)
    bench.index.broken = "the disk is full"
    for path in paths:
        bench.follow(path)
    bench.settle()
    assert len(reads) <= MOST_HELD
    bench.index.broken = ""
    for _ in range(4):
        bench.desk.clock.advance(5)
        bench.settle()

    assert len(bench.done()) == len(paths)


def test_what_was_in_a_lost_file_of_the_index_is_put_once_more(desk: Desk, bench: Bench) -> None:
    def work(recorder: LiveRecorder, path: Path) -> None:
        executed(recorder, 0, "before", b"")
        turn(desk)
        bench.follow(path)
        bench.settle()
        put, lost = bench.index.put, [True]

        def losing(about: About, documents: Iterable[Document]) -> int:
            if lost:
                lost.clear()
                bench.index.kept.clear()
                raise ConfigurationError("a file was damaged", code="index.damaged")
            return put(about, documents)

        bench.index.put = losing  # type: ignore[method-assign]
        executed(recorder, 1, "after", b"")
        turn(desk)
        bench.settle()
        desk.clock.advance(5)
        for _turn in range(3):
            bench.settle()

        assert Stuck("a file was damaged", lost=True) in bench.said
        assert bench.index.texts() == ["before", "after"]

    live(desk, work)


def test_a_recording_that_is_set_aside_is_written_down_with_the_reason(
    desk: Desk, bench: Bench
) -> None:
    bench.worker.set_aside(SetAside("r1", "s1", "it ended the worker twice"))
    path = quick(desk, "id")
    bench.follow(path)
    bench.settle()
    bench.worker.set_aside(SetAside(path.stem, "s2", "it hangs"))

    assert bench.index.known["r1"] == Progress(
        "r1", "s1", 0, False, "", "it ended the worker twice"
    )
    known = bench.index.known[path.stem]
    assert (known.complete, known.policy, known.problem) == (False, "screen", "it hangs")


def test_that_it_is_set_aside_is_written_down_when_the_index_can_be_written_again(
    desk: Desk, bench: Bench
) -> None:
    bench.index.broken = "the disk is full"
    bench.worker.set_aside(SetAside("r1", "s1", "it hangs"))
    assert Stuck("the disk is full") in bench.said
    assert not bench.worker.settled
    bench.index.broken = ""
    bench.settle()

    assert bench.index.known["r1"].problem == "it hangs"
    assert bench.worker.settled


# --- reading as a whole --------------------------------------------------------------------------


def test_a_whole_reading_of_a_live_recording_does_not_wait_for_its_end(
    desk: Desk, bench: Bench
) -> None:
    def work(recorder: LiveRecorder, path: Path) -> None:
        executed(recorder, 0, "id", b"")
        turn(desk)
        bench.follow(path, whole=True)
        bench.settle()

        assert bench.index.texts() == ["id"]
        assert bench.done() == [Done(path.stem, complete=False, documents=1)]

    live(desk, work)


def test_a_whole_reading_removes_what_the_recording_does_not_say(desk: Desk, bench: Bench) -> None:
    path = quick(desk, "id")
    order = bench.follow(path, whole=True)
    about: About = order.about
    stray = Document(Kind.COMMAND, 77, about.started_at_us, 0, 0, "never typed")
    bench.index.put(about, [stray])
    bench.index.advance(Progress(path.stem, about.session, 1, True, "screen"))
    bench.settle()

    assert bench.index.texts() == ["id"]
    assert bench.index.texts(Kind.SCREEN) == ["id was run"]
    assert bench.done()[0].complete
    assert bench.index.known[path.stem].complete


def test_a_following_shows_no_keys_and_no_text(desk: Desk) -> None:
    path = quick(desk, "mysql -psecret")
    keys = unwrap(path.with_suffix(".key"), desk.identities, path.stem)
    about = About("s", path.stem, "alice", "root", "web1", "ssh", 0)
    following = Following(Order(about, path, None, keys), open_screen)
    following.read(1 << 20, 0)

    assert "secret" not in repr(following)
    assert keys.main is not None
    assert repr(keys.main.reveal()) not in repr(following)
