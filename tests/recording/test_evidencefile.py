"""The file being written: all of a batch or nothing of it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from watchgate.recording.evidencefile import create, lock, make_directory, recording_path

RECORDING = "01a1fc73-57e9-77f7-8f1c-548de135718b"


def test_a_file_gets_its_name_when_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.wgr"
    seen: list[list[str]] = []

    def noting(_: int) -> None:
        seen.append(os.listdir(tmp_path))

    monkeypatch.setattr(os, "fsync", noting)

    create(path, b"header").close()

    assert seen[0] == ["a.wgr.new"]
    assert seen[-1] == ["a.wgr"]
    assert path.read_bytes() == b"header"


def test_a_name_is_never_taken_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.wgr"
    create(path, b"first").close()

    with pytest.raises(FileExistsError):
        create(path, b"second")

    assert path.read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["a.wgr"]


def test_a_file_is_locked_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.wgr"
    file = create(path, b"header")
    with open(path, "rb") as other:
        assert not lock(other.fileno(), shared=True)
        file.close()
        assert lock(other.fileno())


def test_a_batch_that_breaks_off_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = create(tmp_path / "a.wgr", b"header")
    pwrite = os.pwrite

    def breaking(descriptor: int, octets: bytes, offset: int) -> int:
        if offset > 6:
            raise OSError(errno.EIO, "Input/output error")
        return pwrite(descriptor, octets[:3], offset)

    with monkeypatch.context() as patch:
        patch.setattr("watchgate.recording.evidencefile.os.pwrite", breaking)
        with pytest.raises(OSError, match="Input/output"):
            file.append(b"batch of frames")
    file.append(b" next")
    file.finish()

    assert file.path.read_bytes() == b"header next"


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pwrite = os.pwrite
    monkeypatch.setattr(
        "watchgate.recording.evidencefile.os.pwrite",
        lambda descriptor, octets, offset: pwrite(descriptor, octets[:2], offset),
    )
    file = create(tmp_path / "a.wgr", b"header")
    file.append(b"more than two octets")
    file.finish()
    file.finish()

    assert file.path.read_bytes() == b"headermore than two octets"
    assert file.closed


def test_a_recording_lies_under_the_day_it_began(tmp_path: Path) -> None:
    path = recording_path(tmp_path, RECORDING, 1_795_236_780_000_000)

    assert path == tmp_path / "2026/11/21" / f"{RECORDING}.wgr"


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "x"])
def test_what_is_no_id_is_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="UUID"):
        recording_path(tmp_path, name, 0)


def test_directories_are_made_down_from_the_root(tmp_path: Path) -> None:
    root = tmp_path / "not" / "yet"
    make_directory(root / "2026" / "11", root)
    make_directory(root / "2026" / "11", root)

    assert (root / "2026" / "11").is_dir()
