"""`watchgate target import`, as its user has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .command_line import Cli

CONFIG = """\
Host web1
  HostName 10.0.0.5
  User root
Host old
  HostName 10.0.0.9
Host *.corp
  User x
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration of ssh with two machines."""
    path = tmp_path / "config"
    path.write_text(CONFIG)
    return path


def test_an_import_shows_what_is_new_what_differs_and_what_was_left_out(
    gate: Cli, config: Path
) -> None:
    gate.done("target", "add", "old", "--host", "10.0.0.8")
    answer = gate(
        "target", "import", "ssh-config", str(config), "--label", "a=b", "--accounts", "--yes"
    )

    assert answer.status == 0
    assert answer.out.splitlines() == [
        "+ target web1  10.0.0.5:22  a=b  with root (certificate)",
        "! target old  is 10.0.0.8:22 here and 10.0.0.9:22 in the file; left as it is",
        "1 target added; next: watchgate target check TARGET",
    ]
    assert answer.err == f"{config}:6:1: *.corp: left out: a pattern is no machine\n"
    assert gate.json("account", "list")[0]["credential"] == "certificate"
    assert gate.json("target", "show", "web1")["labels"] == {"a": "b"}


def test_a_second_import_has_nothing_to_add(gate: Cli, config: Path) -> None:
    gate.done("target", "import", "ssh-config", str(config), "--yes")
    again = gate.done("target", "import", "ssh-config", str(config))

    assert "= target web1  10.0.0.5:22  is there already" in again
    assert again.endswith("There is nothing to add.\n")


def test_without_a_terminal_nothing_is_imported_unasked(gate: Cli, config: Path) -> None:
    answer = gate("target", "import", "ssh-config", str(config))

    assert answer.status == 2
    assert "--yes answers beforehand" in answer.err
    assert gate.json("target", "list") == []


def test_an_import_can_be_files_for_apply(gate: Cli, config: Path, tmp_path: Path) -> None:
    options = ("--accounts", "--credential", "password", "--prefix", "dc1-", "--only", "web*")
    text = gate.done("target", "import", "ssh-config", str(config), "--yaml", *options)
    (tmp_path / "files").mkdir()
    (tmp_path / "files/targets.yaml").write_text(text)
    gate.done("apply", str(tmp_path / "files"), "--yes")

    assert [one["name"] for one in gate.json("target", "list")] == ["dc1-web1"]
    assert gate.json("account", "list")[0]["credential"] == "password"


@pytest.mark.parametrize(
    ("form", "text"),
    [("hosts", b"10.0.0.5 web1\n"), ("ansible", b"[web]\nweb1 ansible_host=10.0.0.5\n")],
)
def test_lists_come_from_standard_input(gate: Cli, form: str, text: bytes) -> None:
    made = gate.json("target", "import", form, "-", "--yes", stdin=text)

    assert [one["name"] for one in made["added"]] == ["web1"]
    assert gate.json("target", "show", "web1")["address"] == "10.0.0.5:22"


def test_files_that_cannot_be_read_are_said(gate: Cli, tmp_path: Path) -> None:
    missing = gate("target", "import", "hosts", str(tmp_path / "nowhere"))
    directory = gate("target", "import", "ansible", str(tmp_path))
    broken = gate("target", "import", "ansible", "-", "--yes", stdin=b"all: {hosts: [\n")
    nul = gate("target", "import", "hosts", "-", "--yes", stdin=b"\0")

    assert (missing.status, directory.status, broken.status, nul.status) == (3, 2, 2, 2)
    assert "is a directory; name one file" in directory.err
    assert "standard input:2:1: this is not YAML" in broken.err
    assert "there is a NUL" in nul.err


def test_a_wrong_label_is_said(gate: Cli, config: Path) -> None:
    answer = gate("target", "import", "ssh-config", str(config), "--label", "a")

    assert "write --label name=value" in answer.err


def test_hostile_names_are_shown_and_not_obeyed(gate: Cli) -> None:
    answer = gate("target", "import", "hosts", "-", "--yes", stdin=b"10.0.0.5 a\x1b[31mb\n")

    assert "\x1b" not in answer.out + answer.err
    assert [one["name"] for one in gate.json("target", "list")] == ["a-31mb"]
