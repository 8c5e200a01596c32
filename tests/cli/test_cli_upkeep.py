"""Settings, doctor, vault, journal, recipients: keeping a gateway well."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from watchgate.cli import checks
from watchgate.clock import ManualClock
from watchgate.recording.auditors import generate_identity
from watchgate.settings import load

from .command_line import Cli


@pytest.fixture
def quiet_gate(gate: Cli) -> Cli:
    """A gateway that listens on a port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (gate.data / "watchgate.toml").write_text(f'[ssh]\nlisten = ["127.0.0.1:{port}"]\n')
    return gate


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which another program listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        yield other.getsockname()[1]


# --- settings ------------------------------------------------------------------------------------


def test_settings_say_where_each_value_came_from(
    gate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHGATE_LOG_LEVEL", "debug")
    rows = {row["name"]: row for row in gate.json("settings", "--set", "ssh.window=1MiB")}

    assert (rows["log.level"]["value"], rows["log.level"]["origin"]) == (
        "debug",
        "WATCHGATE_LOG_LEVEL",
    )
    assert (rows["ssh.window"]["value"], rows["ssh.window"]["origin"]) == ("1MiB", "--set")
    assert rows["ssh.listen"]["origin"] == "default"
    assert "--set" in gate.done("settings", "--set", "ssh.window=1MiB")


def test_a_wrong_setting_stops_every_verb_with_its_name(gate: Cli) -> None:
    (gate.data / "watchgate.toml").write_text("[ssh]\nlisen = 1\n")
    answer = gate("operator", "list")

    assert answer.status == 2
    assert "did you mean ssh.listen?" in answer.err


# --- doctor --------------------------------------------------------------------------------------


def subjects(findings: list[checks.Finding], verdict: checks.Verdict) -> dict[str, str]:
    return {one.subject: one.detail for one in findings if one.verdict is verdict}


def test_doctor_finds_nothing_bad_in_a_fresh_gateway(quiet_gate: Cli) -> None:
    answer = quiet_gate("doctor", "--json")

    assert answer.status == 0, answer.out
    assert answer.value["bad"] == 0
    assert "lies beside the data" in answer.out
    assert " ok " in quiet_gate.done("doctor")


def test_doctor_sees_a_key_that_others_can_read(quiet_gate: Cli) -> None:
    (quiet_gate.data / "keys/vault.key").chmod(0o644)
    answer = quiet_gate("doctor")

    assert answer.status == 1
    assert "chmod 600" in answer.out


def test_doctor_sees_a_missing_key_and_goes_on(quiet_gate: Cli) -> None:
    (quiet_gate.data / "keys/host_ed25519").unlink()
    findings = checks.examine(load(quiet_gate.data, environment={}), ManualClock(2**52))

    assert "is missing" in subjects(findings, checks.Verdict.BAD)["the host key"]
    assert "catalog" in subjects(findings, checks.Verdict.GOOD)


def test_doctor_sees_a_public_half_of_another_key(quiet_gate: Cli) -> None:
    keys = quiet_gate.data / "keys"
    os.replace(keys / "host_ed25519.pub", keys / "ca_ed25519.pub")
    answer = quiet_gate("doctor")

    assert answer.status == 1
    assert "is not the public half of" in answer.out


def test_doctor_sees_a_directory_that_is_open_to_others(quiet_gate: Cli) -> None:
    (quiet_gate.data / "recordings").chmod(0o755)

    assert "chmod 700" in quiet_gate("doctor").out


def test_doctor_sees_a_port_that_another_program_has(gate: Cli, taken_port: int) -> None:
    (gate.data / "watchgate.toml").write_text(f'[ssh]\nlisten = ["127.0.0.1:{taken_port}"]\n')
    answer = gate("doctor")

    assert answer.status == 1
    assert f"127.0.0.1:{taken_port} is taken by another program" in answer.out


def test_doctor_sees_a_clock_that_went_back(quiet_gate: Cli) -> None:
    settings = load(quiet_gate.data, environment={})
    yesterday = ManualClock(checks._EARLIEST_US + 1)
    past = ManualClock(0)

    assert "went back" in subjects(checks.examine(settings, yesterday), checks.Verdict.BAD)["clock"]
    assert "is past" in subjects(checks.examine(settings, past), checks.Verdict.BAD)["clock"]


def test_doctor_sees_that_the_disk_is_nearly_full(
    quiet_gate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHGATE_RECORDING_MINIMUM_FREE", "1000TiB")
    answer = quiet_gate("doctor")

    assert answer.status == 1
    assert "make room" in answer.out


def test_doctor_sees_recordings_that_a_crash_left_open(quiet_gate: Cli) -> None:
    marks = quiet_gate.data / "recordings/open"
    marks.mkdir()
    (marks / "one").symlink_to("nowhere")

    assert "1 were left open by a crash" in quiet_gate.done("doctor")


def test_doctor_sees_a_listener_without_its_target(quiet_gate: Cli) -> None:
    with (quiet_gate.data / "watchgate.toml").open("a") as file:
        file.write('[[ssh.listeners]]\naddress = "127.0.0.1:0"\ntarget = "web9"\n')

    assert "the target web9" in quiet_gate("doctor").out


# --- vault, journal, recipients ------------------------------------------------------------------


def test_the_vault_is_rotated_and_still_opens(gate: Cli) -> None:
    before = gate.json("vault", "check")["key"]
    done = gate.json("vault", "rotate")

    assert done["old"] == before
    assert gate.json("vault", "check")["key"] == done["new"]


def test_a_vault_key_of_another_gateway_is_named(gate: Cli, tmp_path: Path) -> None:
    gate.done("init", "--data", str(tmp_path / "other"))
    os.replace(tmp_path / "other/keys/vault.key", gate.data / "keys/vault.key")
    answer = gate("vault", "check")

    assert answer.status == 2
    assert "is not the key of this catalog" in answer.err


def test_every_change_is_in_the_journal_with_its_author(
    gate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "carol")
    gate.done("operator", "add", "alice")
    newest = gate.json("journal", "list", "--limit", "1")[0]

    assert newest["kind"] == "settings.changed"
    assert newest["data"]["action"] == "operator.added"
    assert newest["data"]["actor"].startswith("cli:carol as ")
    assert "operator.added" in gate.done("journal", "list", "--since", "1h")
    assert gate.json("journal", "verify")["state"] == "intact"


def test_an_altered_journal_is_found(gate: Cli) -> None:
    import sqlite3

    gate.done("operator", "add", "alice")
    with sqlite3.connect(gate.data / "catalog.db") as connection:
        connection.execute("UPDATE journal SET entry = replace(entry, 'alice', 'bobby')")
    connection.close()
    answer = gate("journal", "verify")

    assert answer.status == 1
    assert "the journal is not as it was written" in answer.err


def test_recipients_are_added_and_removed_but_never_the_last(gate: Cli) -> None:
    (first,) = gate.json("recipient", "list")
    _, second = generate_identity()
    gate.done("recipient", "add", second)

    assert len(gate.json("recipient", "list")) == 2
    assert gate("recipient", "add", second).status == 2
    gate.done("recipient", "remove", first["recipient"])
    assert gate.json("recipient", "list") == [{"recipient": second}]
    assert gate("recipient", "remove", second).status == 2
    assert gate("recipient", "remove", first["recipient"]).status == 3
    assert gate("recipient", "add", "age1no").status == 2
