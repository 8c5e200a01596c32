"""Real processes killed at random moments: nothing that was acknowledged is lost."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from recording_world import INPUT, OUTPUT, World

from watchgate.recording.sweep import Outcome
from watchgate.recording.verify import State

WRITER = Path(__file__).with_name("writer_process.py")


def killed_after(directory: Path, acknowledgements: int, extra: float) -> int:
    """Run a writer, kill -9 it, and return how much it acknowledged."""
    command = [sys.executable, str(WRITER), str(directory), "close"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        line = b""
        for _ in range(acknowledgements):
            line = process.stdout.readline()
            assert line
        try:
            process.wait(extra)
        except subprocess.TimeoutExpired:
            process.kill()
        rest = process.stdout.read()
        return int((line + rest).split()[-1] if rest.endswith(b"\n") or not rest else line)


def check(tmp_path: Path, seed: int) -> None:
    world = World.at(tmp_path, minimum_free=0)
    world.evidence.save(tmp_path / "evidence.pem")
    (tmp_path / "auditors.txt").write_text(world.recipient)
    chance = random.Random(seed)

    acknowledged = killed_after(tmp_path, chance.randrange(1, 400), chance.random() / 20)

    (swept,) = world.sweep()
    assert swept.outcome is Outcome.SEALED
    assert world.verify(swept.path).state is State.INCOMPLETE
    for kind in (OUTPUT, INPUT):
        numbers = [int(number) for number in world.octets(swept.path, kind).split()]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) >= acknowledged


@pytest.mark.real
@pytest.mark.parametrize("seed", range(6))
def test_a_killed_writer_loses_nothing_acknowledged(tmp_path: Path, seed: int) -> None:
    check(tmp_path, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(6, 60))
def test_a_writer_killed_many_times_loses_nothing_acknowledged(tmp_path: Path, seed: int) -> None:
    check(tmp_path, seed)
