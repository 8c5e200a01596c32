"""`watchgate init` and what it leaves."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest

from watchgate import initialize
from watchgate.errors import ConfigurationError
from watchgate.recording.auditors import generate_identity, load_identities
from watchgate.settings import TABLE, TABLES, load

from .command_line import Cli


def modes(directory: Path) -> dict[str, int]:
    """The permissions of everything below *directory*."""
    return {
        str(p.relative_to(directory)): stat.S_IMODE(p.stat().st_mode) for p in directory.rglob("*")
    }


def test_init_makes_keys_that_nobody_else_can_read(gate: Cli) -> None:
    public = {"keys/host_ed25519.pub", "keys/ca_ed25519.pub", "keys/evidence.pub"}
    found = modes(gate.data)
    private = {name: mode for name, mode in found.items() if name not in public}

    assert {"keys/host_ed25519", "keys/vault.key", "catalog.db", "run"} <= set(found)
    assert {name: mode for name, mode in private.items() if mode & 0o077} == {}


def test_init_says_where_the_private_auditor_key_lies_and_to_move_it(cli: Cli) -> None:
    said = cli.done("init")

    assert "ATTENTION" in said
    assert f"{cli.data}/keys/auditor.key" in said
    assert "@cert-authority * ssh-ed25519 " in said
    assert "TrustedUserCAKeys" in said
    assert "watchgate-evidence-v1 " in said


def test_init_with_auditors_makes_no_private_auditor_key(cli: Cli) -> None:
    _, recipient = generate_identity()
    made = cli.json("init", "--auditor", recipient)

    assert made["auditors"] == [recipient]
    assert made["auditor_key"] is None
    assert not (cli.data / "keys/auditor.key").exists()


def test_the_private_auditor_key_belongs_to_the_listed_recipient(gate: Cli) -> None:
    (identity,) = load_identities(gate.data / "keys/auditor.key")

    assert identity.recipient in (gate.data / "keys/auditors.txt").read_text()


def test_init_overwrites_nothing(gate: Cli) -> None:
    before = {p: p.read_bytes() for p in gate.data.rglob("*") if p.is_file()}
    answer = gate("init")

    assert answer.status == 2
    assert "is initialized already" in answer.err
    assert {p: p.read_bytes() for p in gate.data.rglob("*") if p.is_file()} == before


def test_init_keeps_settings_and_auditors_that_are_there(cli: Cli) -> None:
    (cli.data / "keys").mkdir(parents=True)
    _, recipient = generate_identity()
    (cli.data / "keys/auditors.txt").write_text(f"{recipient}\n")
    (cli.data / "watchgate.toml").write_text('[recording]\ndirectory = "evidence"\n')
    made = cli.json("init")

    assert made["auditors"] == [recipient]
    assert (cli.data / "evidence").is_dir()
    assert "evidence" in (cli.data / "watchgate.toml").read_text()


def test_a_wrong_auditor_leaves_nothing_behind(cli: Cli) -> None:
    answer = cli("init", "--auditor", "age1nonsense")

    assert answer.status == 2
    assert "is not an age recipient" in answer.err
    assert not cli.data.exists()


def test_an_init_that_fails_takes_away_what_it_made(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise ConfigurationError("the disk is full")

    cli.data.mkdir()
    (cli.data / "keys").mkdir()
    (cli.data / "keys/auditors.txt").write_text(f"{generate_identity()[1]}\n")
    monkeypatch.setattr("watchgate.initialize.Vault.create", full)
    answer = cli("init")

    assert answer.status == 2
    assert [p.name for p in cli.data.rglob("*")] == ["keys", "auditors.txt"]


def test_init_where_one_may_not_write_says_so(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.data.parent.joinpath("file").write_text("")
    answer = cli("init", "--data", str(cli.data.parent / "file/below"))

    assert answer.status == 2
    assert "file/below" in answer.err


def test_the_settings_file_that_init_writes_changes_nothing_and_is_right_uncommented(
    gate: Cli, tmp_path: Path
) -> None:
    file = gate.data / "watchgate.toml"
    assert load(gate.data, environment={}).origins == {}
    text = file.read_text()
    said = "\n".join(
        line[1:] if line.startswith("#") and not line.startswith("# ") else line
        for line in text.splitlines()
    )
    # A table ends its section, and what it shows is only an example.
    for example in TABLES.values():
        assert example in said
        said = said.replace(example, "")
    (tmp_path / "watchgate.toml").write_text(said)
    loaded = load(tmp_path, environment={})

    assert set(loaded.origins) == {name for name, row in TABLE.items() if not row.only_in_file}
    assert tomllib.loads(said)
    assert loaded.ssh == load(gate.data, environment={}).ssh


def test_the_template_names_every_setting() -> None:
    template = initialize.settings_template()

    assert [row.key for row in TABLE.values() if row.key not in template] == []
