"""Which files of a directory are read, and which never are."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from watchgate.configuration import folder
from watchgate.configuration.places import Problems
from watchgate.errors import ConfigurationError, NotFound


def names(directory: Path) -> tuple[list[str], list[str]]:
    """The files that are read, and the problems."""
    problems = Problems()
    found = folder.read(directory, problems)
    return [file.name for file in found.files], [str(one) for one in problems.found]


def test_every_yaml_file_is_read_but_for_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", "sub/c.yaml", ".git/d.yaml", ".e.yaml", "f.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x-a: 1")

    assert names(tmp_path) == (["a.yml", "b.yaml", "sub/c.yaml"], [])


def test_the_digest_is_what_sha256sum_makes_of_the_files(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_bytes(b"two")
    (tmp_path / "a.yaml").write_bytes(b"one")
    lines = "".join(
        f"{hashlib.sha256(octets).hexdigest()}  {name}\n"
        for name, octets in (("a.yaml", b"one"), ("b.yaml", b"two"))
    )

    found = folder.read(tmp_path, Problems())
    assert found.digest == hashlib.sha256(lines.encode()).hexdigest()


def test_links_are_followed_inside_the_directory_alone(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret.yaml").write_text("x-a: 1")
    (inside / "..data").mkdir()
    (inside / "..data" / "real.yaml").write_text("x-a: 1")
    (inside / "good.yaml").symlink_to("..data/real.yaml")
    (inside / "bad.yaml").symlink_to(outside / "secret.yaml")
    (inside / "sub").symlink_to(outside)
    (inside / "loop.yaml").symlink_to("loop.yaml")
    (inside / "gone.yaml").symlink_to("nowhere.yaml")
    read, problems = names(inside)

    assert read == ["good.yaml"]
    assert sorted(line.partition(":")[0] for line in problems) == [
        "bad.yaml",
        "gone.yaml",
        "loop.yaml",
        "sub",
    ]
    assert all("link to outside of the directory" in line for line in problems)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.yaml")

    assert names(tmp_path) == ([], ["a.yaml: this is not an ordinary file"])


def test_a_file_that_is_too_large_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"#" * (folder.LARGEST_FILE + 1))

    assert names(tmp_path) == ([], ["a.yaml: the file is larger than 1 MiB; split it into several"])


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "MOST_FILES", 3)
    for number in range(4):
        (tmp_path / f"{number}.yaml").touch()

    with pytest.raises(ConfigurationError, match=r"more than 3 \.yaml files"):
        names(tmp_path)


def test_too_much_altogether_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "LARGEST_TOTAL", 10)
    (tmp_path / "a.yaml").write_text("x-a: 12345")
    (tmp_path / "b.yaml").write_text("x-a: 12345")

    with pytest.raises(ConfigurationError, match="hold more than"):
        names(tmp_path)


def test_an_empty_directory_does_not_mean_that_everything_goes(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no \.yaml file"):
        names(tmp_path)


def test_a_directory_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(NotFound, match="there is no directory"):
        names(tmp_path / "nowhere")
    with pytest.raises(ConfigurationError, match="is not a directory"):
        names(tmp_path / "file")
