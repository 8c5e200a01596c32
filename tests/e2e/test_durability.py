"""Evidence that outlives the gateway: kill -9, a full disk, a directory that is gone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from e2e.gateway import World, wait_for, world
from e2e.peers import serving_again
from e2e.servers import Terminal, free_port
from watchgate.demo.openssh import environment
from watchgate.recording.verify import State
from watchgate.session.events import (
    RecordingDegraded,
    RecordingGap,
    RecordingRecovered,
    SessionClosed,
    SessionRefused,
)
from watchgate.session.ports import RecordKind

pytestmark = pytest.mark.real

ACKNOWLEDGED_SECONDS = 1.0


# --- kill -9 -----------------------------------------------------------------------------------


@dataclass
class Reader:
    """What a client has seen, and when."""

    process: subprocess.Popen[bytes]
    seen: bytearray = field(default_factory=bytearray)
    moments: list[tuple[float, int]] = field(default_factory=list)

    def run(self) -> None:
        assert self.process.stdout is not None
        while data := os.read(self.process.stdout.fileno(), 65536):
            self.seen += data
            self.moments.append((time.monotonic(), len(self.seen)))

    def until(self, moment: float) -> bytes:
        """What had been seen at that moment."""
        size = max((count for at, count in self.moments if at <= moment), default=0)
        return bytes(self.seen[:size])


@contextmanager
def reading(made: World, command: str) -> Iterator[Reader]:
    process = subprocess.Popen(
        made.alice.argv("ssh", made.name, command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
    )
    reader = Reader(process)
    thread = threading.Thread(target=reader.run)
    thread.start()
    with process:
        yield reader
        thread.join(20)


COUNTING = "i=0; while :; do i=$((i+1)); echo line $i of a long output; done"


def test_kill_loses_nothing_that_was_seen_a_second_before(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        process = made.spawn(free_port())
        with reading(made, COUNTING) as bulk, made.terminal(made.name, "exec sh") as typing:
            typing.send("echo typ''ed\r")
            typing.expect("typed")
            typed_at = time.monotonic()
            wait_for(lambda: time.monotonic() > typed_at + 2.5, "some seconds of both")
            process.send_signal(signal.SIGKILL)
            killed_at = time.monotonic()
            process.wait()
        acknowledged = bulk.until(killed_at - ACKNOWLEDGED_SECONDS)
        serving_again(made)
        recordings = made.recordings()
        outputs = {path: made.octets(RecordKind.OUTPUT, path) for path in recordings}
        verdicts = [made.verdict(path) for path in recordings]
        recovered = [event for event in made.journal() if isinstance(event, RecordingRecovered)]
        wait_for(lambda: {row.state for row in made.sessions()} == {"recovered"}, "catalog")
        after = made.run("echo and on it goes")

    (bulky,) = [path for path, output in outputs.items() if output.startswith(b"line 1 of")]
    (typed,) = [path for path in recordings if path != bulky]
    assert len(acknowledged) > 100_000
    assert outputs[bulky].startswith(acknowledged)
    assert bytes(bulk.seen).startswith(outputs[bulky][: len(bulk.seen)])
    assert b"typed\r\n" in outputs[typed]
    assert [verdict.state for verdict in verdicts] == [State.INCOMPLETE] * 2
    assert {event.recording for event in recovered} == {path.stem for path in recordings}
    assert after.stdout == b"and on it goes\n"


@pytest.mark.soak
@pytest.mark.parametrize("moment", [0.05, 0.1, 0.2, 0.4, 0.8])
def test_kill_at_any_moment_leaves_recordings_that_can_be_read(
    tmp_path: Path, moment: float
) -> None:
    with world(tmp_path) as made:
        process = made.spawn(free_port())
        with reading(made, COUNTING) as bulk:
            begun = time.monotonic()
            wait_for(lambda: time.monotonic() > begun + moment, "that moment")
            process.kill()
            process.wait()
        serving_again(made)
        recordings = made.recordings()
        states = [made.verdict(path).state for path in recordings]
        outputs = [made.octets(RecordKind.OUTPUT, path) for path in recordings]

    assert all(state is State.INCOMPLETE for state in states)
    assert all(bytes(bulk.seen).startswith(output[: len(bulk.seen)]) for output in outputs)
    assert recordings or not bulk.seen


# --- a full disk -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Disk:
    """A small file system for recordings."""

    point: Path

    def fill(self) -> None:
        """Leave no room at all."""
        with (self.point / "ballast").open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                while True:
                    try:
                        file.write(bytes(size))
                    except OSError:
                        break

    def free(self) -> None:
        (self.point / "ballast").unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    point = tmp_path / "small"
    point.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(point)], check=True)
    try:
        yield Disk(point)
    finally:
        subprocess.run(["umount", "-l", str(point)], check=True)


@contextmanager
def on_disk(tmp_path: Path, disk: Disk, policy: str) -> Iterator[World]:
    """A gateway that records on a small disk."""
    with world(tmp_path / "world") as made:
        made.flags = ["recording.minimum_free=1MiB"]
        (made.data / "recordings").rmdir()
        (made.data / "recordings").symlink_to(disk.point)
        made.configure_target(on_recording_failure=policy)
        with made.serving():
            yield made


@contextmanager
def shell(made: World) -> Iterator[Terminal]:
    with made.terminal(made.name, "exec sh") as terminal:
        terminal.send("echo rea''dy\r")
        terminal.expect("ready")
        yield terminal


def works(terminal: Terminal, word: str) -> None:
    """The session in *terminal* goes on."""
    terminal.send(f"echo {word[:2]}''{word[2:]}\r")
    terminal.expect(word)


NOISE = "head -c 3000000 /dev/urandom | od -x | tail -c 3000000 >&2; echo fi''n\r"


@pytest.mark.root
def test_no_evidence_no_session_when_the_disk_is_full(tmp_path: Path, disk: Disk) -> None:
    with on_disk(tmp_path, disk, "close") as made:
        with shell(made) as first, shell(made) as second:
            disk.fill()
            for terminal in (first, second):
                terminal.send(NOISE)
                terminal.expect("watchgate: session ended: it cannot be recorded any more", 15)
            statuses = [terminal.wait() for terminal in (first, second)]
        refused = made.run("echo never")
        disk.free()
        path = made.sealed(2)
        verdicts = [made.verdict(each) for each in made.recordings()]
        ends = [made.events(each)[-1] for each in made.recordings()]
        again = made.run("echo again")
        refusals = [event for event in made.journal() if isinstance(event, SessionRefused)]

    assert statuses == [255, 255]
    assert refused.returncode == 255
    assert refused.stdout == b""
    assert b"watchgate: this session cannot be recorded, so it is not opened" in refused.stderr
    assert [event.code for event in refusals] == ["recording.lost"]
    assert all(verdict.state is not State.ALTERED for verdict in verdicts), verdicts
    assert {end.reason for end in ends if isinstance(end, SessionClosed)} == {"recording-lost"}
    assert again.stdout == b"again\n"
    assert path.exists()


@pytest.mark.root
def test_a_session_goes_on_in_the_spool_and_its_tail_comes_home(tmp_path: Path, disk: Disk) -> None:
    with on_disk(tmp_path, disk, "spool") as made:
        with shell(made) as terminal:
            disk.fill()
            terminal.send(NOISE)
            terminal.expect("fin\r", 20)
            works(terminal, "inthespool")
            away = list((made.data / "spool").glob("*"))
            fresh = made.run("echo begun in the spool")
            disk.free()
            works(terminal, "afterwards")
            terminal.send("exit\r")
            terminal.wait()
        path = made.sealed(2)
        wait_for(lambda: not list((made.data / "spool").glob("*")), "the spool is empty", 30)
        recordings = made.recordings()
        outputs = [made.octets(RecordKind.OUTPUT, each) for each in recordings]
        events = [event for each in recordings for event in made.events(each)]
        verdicts = [made.verdict(each).state for each in recordings]

    assert away
    assert fresh.stdout == b"begun in the spool\n"
    assert path in recordings
    assert b"inthespool" in outputs[0]
    assert b"afterwards" in outputs[0]
    assert len(outputs[0]) > 3_000_000
    assert outputs[1] == b"begun in the spool\n"
    assert [event.policy for event in events if isinstance(event, RecordingDegraded)] == [
        "spool",
        "spool",
    ]
    assert verdicts == [State.INTACT] * 2


@pytest.mark.root
def test_an_open_session_goes_on_and_its_gap_is_named(tmp_path: Path, disk: Disk) -> None:
    with on_disk(tmp_path, disk, "open") as made:
        with shell(made) as terminal:
            disk.fill()
            terminal.send(NOISE)
            terminal.expect("fin\r", 20)
            works(terminal, "unrecorded")
            blind = made.run("echo not recorded at all")
            disk.free()
            wait_for(lambda: alarmed(made, 1_000_000), "the gap is in the journal", 20)
            works(terminal, "afterwards")
            terminal.send("exit\r")
            terminal.wait()
        path = made.sealed(1)
        output = made.octets(RecordKind.OUTPUT, path)
        gaps = [event for event in made.events(path) if isinstance(event, RecordingGap)]
        verdict = made.verdict(path)
        degraded = [event for event in made.journal() if isinstance(event, RecordingDegraded)]

    assert blind.stdout == b"not recorded at all\n"
    assert b"ready" in output
    assert b"afterwards" in output
    assert len(gaps) == 1
    assert gaps[0].octets > 1_000_000
    assert gaps[0].duration_us > 0
    assert "No space left" in gaps[0].reason
    assert [note["note"] for note in verdict.notes] == ["gap"]
    assert verdict.state is State.INTACT
    assert {event.policy for event in degraded} == {"open"}
    assert len(degraded) == 2


def alarmed(made: World, octets: int) -> bool:
    """Whether the journal has a gap of so many octets; it is told when the recording goes on."""
    gaps = [event for event in made.journal() if isinstance(event, RecordingGap)]
    return any(gap.octets >= octets for gap in gaps)


# --- a directory that is gone ------------------------------------------------------------------


def test_a_recording_directory_that_is_removed_is_told_or_made_again(tmp_path: Path) -> None:
    with world(tmp_path) as made, made.serving():
        with shell(made) as terminal:
            shutil.rmtree(made.data / "recordings")
            works(terminal, "goeson")
            answer = made.run("echo fresh")
            terminal.send("exit\r")
            terminal.wait()
        path = made.sealed(1)
        output = made.octets(RecordKind.OUTPUT, path)
        verdict = made.verdict(path)

    assert answer.stdout == b"fresh\n"
    assert output == b"fresh\n"
    assert verdict.state is State.INTACT
