"""Tails: their names, their bound, their way home."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from watchgate.recording.evidencefile import create
from watchgate.recording.spool import Budget, Homecoming, Tail, bring_home, tails

RECORDING = "01a1fc73-57e9-77f7-8f1c-548de135718b"


def test_a_tail_is_known_by_its_name(tmp_path: Path) -> None:
    tail = Tail.at(tmp_path, RECORDING, 4096)

    assert Tail.parse(tail.path) == tail
    assert tail.path.name == f"{RECORDING}.wgr.tail-4096"


@pytest.mark.parametrize(
    "name",
    ["x.wgr.tail-1", f"{RECORDING}.wgr.tail-", f"{RECORDING}.wgr.tail-1.new", f"{RECORDING}.wgr"],
)
def test_other_names_are_no_tails(name: str) -> None:
    assert Tail.parse(Path("/spool") / name) is None


def test_a_spool_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert tails(tmp_path / "absent") == []
    assert tails(None) == []


def test_a_budget_is_not_exceeded_and_comes_back() -> None:
    budget = Budget(100)
    budget.take(60)
    with pytest.raises(OSError, match="limit"):
        budget.take(41)
    budget.give(1000)
    budget.take(100)

    with pytest.raises(OSError, match="limit"):
        budget.take(1)


def away(directory: Path, stored: bytes, tail: bytes) -> tuple[Path, Tail]:
    primary = directory / "store" / f"{RECORDING}.wgr"
    primary.parent.mkdir()
    primary.write_bytes(stored)
    found = Tail.at(directory, RECORDING, 5)
    found.path.write_bytes(tail)
    return primary, found


@pytest.mark.parametrize("stored", [b"first", b"first torn", b"first sec", b"first second"])
def test_a_tail_is_put_where_it_belongs(tmp_path: Path, stored: bytes) -> None:
    primary, tail = away(tmp_path, stored, b" second")

    bring_home(primary.parent, primary, tail)

    assert primary.read_bytes() == b"first second"
    assert not tail.path.exists()


def test_a_tail_stays_when_its_recording_is_too_short(tmp_path: Path) -> None:
    primary, tail = away(tmp_path, b"fir", b" second")

    with pytest.raises(OSError, match="before its tail begins"):
        bring_home(primary.parent, primary, tail)

    assert tail.path.read_bytes() == b" second"


def test_a_tail_stays_when_the_store_gives_back_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    primary, tail = away(tmp_path, b"first", b" second")
    pwrite = os.pwrite
    monkeypatch.setattr(
        "watchgate.recording.spool.os.pwrite",
        lambda descriptor, view, offset: pwrite(descriptor, bytes(len(view)), offset),
    )

    with pytest.raises(OSError, match="other octets"):
        bring_home(primary.parent, primary, tail)

    assert tail.path.exists()


def test_a_live_homecoming_goes_in_steps_and_survives_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    octets = os.urandom(9_000_000)
    primary = create(tmp_path / "a.wgr", b"first")
    tail = create(tmp_path / "a.tail", octets, base=5)
    coming = Homecoming(primary, tail)
    assert not coming.step()
    with monkeypatch.context() as patch:
        patch.setattr("watchgate.recording.evidencefile.os.pwrite", _full)
        with pytest.raises(OSError, match="No space"):
            coming.step()
    assert not coming.step()
    assert coming.step()

    assert primary.path.read_bytes() == b"first" + octets
    primary.close()
    tail.close()


def _full(*_: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")
