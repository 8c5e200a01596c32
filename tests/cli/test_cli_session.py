"""Sessions, as they are listed, played, exported and verified."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from watchgate.recording.auditors import generate_identity

from .command_line import Cli


def recording_of(gate: Cli) -> Path:
    (path,) = (gate.data / "recordings").rglob("*.wgr")
    return path


def test_a_session_is_listed_and_shown(gate: Cli, session: str) -> None:
    listed = gate.done("session", "list", "--operator", "alice", "--since", "1h")
    shown = gate.json("session", "show", session[:13])

    assert session[:13] in listed
    assert "root@web1" in listed
    assert "closed" in listed
    assert shown["session"]["id"] == session
    assert [one["exit_status"] for one in shown["commands"]] == [0]
    assert gate.json("session", "list", "--operator", "bob") == []
    assert gate.json("session", "list", "--until", "1h") == []


def test_what_came_over_the_wire_is_never_obeyed_by_the_terminal(gate: Cli, session: str) -> None:
    shown = gate.done("session", "show", session)

    assert "\x1b" not in shown
    assert r"uptime \x1b]0;evil\x07" in shown
    assert r"/tmp/a\nb" in shown
    assert "INCOMPLETE" in shown


def test_a_session_is_played_into_a_pipe_at_once(gate: Cli, session: str) -> None:
    played = gate.done("session", "play", session)

    assert " up 3 days" in played


def test_who_played_a_session_is_in_the_journal(gate: Cli, session: str) -> None:
    gate.done("session", "play", session)
    (entry,) = gate.json("journal", "list", "--kind", "recording.*")

    assert entry["data"]["what"] == "play"
    assert entry["session"] == session


def test_a_session_says_what_would_be_played(gate: Cli, session: str) -> None:
    about = gate.json("session", "play", session)

    assert about["sealed"]
    assert about["channel"]["what"] == "shell"


@pytest.mark.parametrize("words", [("--at", "1:xx"), ("--idle", "soon"), ("--channel", "9")])
def test_a_wrong_place_to_play_is_refused(gate: Cli, session: str, words: tuple[str, str]) -> None:
    assert gate("session", "play", session, *words).status in (2, 3)


@pytest.mark.parametrize("name", ["asciicast2", "asciicast3", "ttyrec", "text"])
def test_a_session_is_exported_for_its_owner_alone(
    gate: Cli, session: str, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "out"
    answer = gate.json("session", "export", session, "--format", name, "--output", str(file))

    assert answer["files"] == [str(file)]
    assert b"up 3 days" in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_typescript_is_two_files(gate: Cli, session: str, tmp_path: Path) -> None:
    main = tmp_path / "out.typescript"
    gate.done("session", "export", session, "--format", "typescript", "--output", str(main))

    assert (tmp_path / "out.timing").exists()
    assert gate("session", "export", session, "--format", "typescript").status == 2


def test_an_export_overwrites_only_when_told_to(gate: Cli, session: str, tmp_path: Path) -> None:
    file = tmp_path / "out.txt"
    file.write_text("mine")
    answer = gate("session", "export", session, "--output", str(file))

    assert answer.status == 2
    assert file.read_text() == "mine"
    gate.done("session", "export", session, "--output", str(file), "--force")
    assert "up 3 days" in file.read_text()


def test_an_export_that_fails_leaves_no_file(gate: Cli, session: str, tmp_path: Path) -> None:
    file = tmp_path / "out.txt"
    answer = gate("session", "export", session, "--channel", "9", "--output", str(file))

    assert answer.status == 3
    assert not file.exists()


def test_an_export_without_a_file_goes_to_standard_output(gate: Cli, session: str) -> None:
    assert "up 3 days" in gate.done("session", "export", session)


def test_an_unknown_format_names_those_that_there_are(gate: Cli, session: str) -> None:
    answer = gate("session", "export", session, "--format", "mp4")

    assert answer.status == 3
    assert "asciicast3" in answer.err


def test_without_the_auditors_key_it_says_how_to_name_one(
    gate: Cli, session: str, tmp_path: Path
) -> None:
    moved = tmp_path / "auditor.key"
    shutil.move(gate.data / "keys/auditor.key", moved)
    answer = gate("session", "play", session)

    assert answer.status == 2
    assert "--identity FILE" in answer.err
    assert "up 3 days" in gate.done("session", "play", session, "--identity", str(moved))


def test_another_auditor_opens_nothing(gate: Cli, session: str, tmp_path: Path) -> None:
    other = tmp_path / "other.key"
    other.write_text(generate_identity()[0])
    answer = gate("session", "play", session, "--identity", str(other))

    assert answer.status == 1
    assert "was not wrapped to this auditor" in answer.err


def test_recordings_are_verified_by_session_file_directory_or_all(gate: Cli, session: str) -> None:
    path = recording_of(gate)

    assert gate.done("session", "verify", session).startswith("intact")
    assert gate.done("session", "verify", str(path)).startswith("intact")
    assert gate.done("session", "verify", str(path.parent)).startswith("intact")
    assert gate.json("session", "verify")["verified"] == 1


def test_verification_works_elsewhere_with_the_public_key_alone(
    gate: Cli, session: str, tmp_path: Path
) -> None:
    copy = tmp_path / "elsewhere" / "copy.wgr"
    copy.parent.mkdir()
    shutil.copy(recording_of(gate), copy)
    key = tmp_path / "elsewhere/evidence.pub"
    shutil.copy(gate.data / "keys/evidence.pub", key)
    shutil.rmtree(gate.data)

    assert gate.done("session", "verify", str(copy), "--key", str(key)).startswith("intact")
    assert gate("session", "verify", str(copy)).status == 2


def test_an_altered_recording_is_named_and_fails(gate: Cli, session: str) -> None:
    path = recording_of(gate)
    octets = bytearray(path.read_bytes())
    octets[len(octets) // 2] ^= 1
    path.write_bytes(octets)
    answer = gate("session", "verify", session, "--json")

    assert answer.status == 1
    assert answer.value["not_intact"] == 1
    assert answer.value["recordings"][0]["result"]["state"] == "altered"


def test_there_must_be_something_to_verify(gate: Cli, tmp_path: Path) -> None:
    assert gate("session", "verify").status == 3
    assert gate("session", "verify", str(tmp_path / "no.wgr")).status == 3


def test_terminating_needs_a_gateway_that_serves(gate: Cli, session: str) -> None:
    answer = gate("session", "terminate", session)

    assert answer.status == 3
    assert "no gateway serves this data directory" in answer.err
