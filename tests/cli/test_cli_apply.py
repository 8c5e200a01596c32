"""`watchgate apply` and `watchgate export-config`, as their user has them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .command_line import Cli

PublicKey = Callable[[str], Path]

EVERYTHING = """\
operators:
  alice: {{groups: [ops], keys: ["{key}"]}}
targets:
  web1: {{address: 10.0.0.5, accounts: {{root: certificate, app: password}}}}
grants:
  ops: {{group: ops, account: root, target: web1}}
"""


@pytest.fixture
def files(tmp_path: Path, public_key: PublicKey) -> Path:
    """A directory with an operator, a target and a grant."""
    directory = tmp_path / "files"
    directory.mkdir()
    key = public_key("alice@laptop").read_text().strip()
    (directory / "all.yaml").write_text(EVERYTHING.format(key=key))
    return directory


def test_an_apply_shows_what_it_does_and_does_it_once(gate: Cli, files: Path) -> None:
    first = gate.done("apply", str(files), "--yes")
    second = gate.done("apply", str(files))

    assert first.splitlines()[0] == "+ operator alice"
    assert "    (has no secret yet: watchgate account set app@web1)" in first
    assert first.endswith(
        "5 to add\nApplied. New sessions use it; open sessions keep what they began with.\n"
    )
    assert second == "Nothing to change: everything is as the files say.\n"
    assert gate.json("operator", "show", "alice")["operator"]["groups"] == ["ops"]


def test_without_a_terminal_nothing_is_done_unasked(gate: Cli, files: Path) -> None:
    answer = gate("apply", str(files))

    assert answer.status == 2
    assert "there is no terminal to ask at, and nothing was changed" in answer.err
    assert gate.json("operator", "list") == []


def test_a_no_changes_nothing(gate: Cli, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchgate.cli.asking._answers", lambda: True)
    answer = gate("apply", str(files), stdin=b"n\n")

    assert answer.status == 3
    assert "nothing was changed" in answer.err
    assert gate.json("operator", "list") == []


def test_a_yes_at_a_terminal_applies(
    gate: Cli, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchgate.cli.asking._answers", lambda: True)
    gate.done("apply", str(files), stdin=b"y\n")

    assert [one["name"] for one in gate.json("target", "list")] == ["web1"]


def test_a_check_says_by_its_status_whether_there_is_a_difference(gate: Cli, files: Path) -> None:
    before = gate("apply", str(files), "--check")
    gate.done("apply", str(files), "--yes")
    after = gate("apply", str(files), "--check")

    assert before.status == 1
    assert after.status == 0
    assert [one["name"] for one in gate.json("target", "list")] == ["web1"]


def test_a_change_and_a_removal_are_shown_with_their_signs(gate: Cli, files: Path) -> None:
    gate.done("apply", str(files), "--yes")
    (files / "all.yaml").write_text("targets:\n  web1: {address: 10.0.0.6}\n")
    shown = gate.done("apply", str(files), "--yes")

    assert "- operator alice\n" in shown
    assert "~ target web1\n    address  10.0.0.5:22 -> 10.0.0.6:22\n" in shown
    assert "- grant ops\n" in shown
    assert "1 to change, 4 to remove" in shown


def test_the_answer_for_programs_says_the_same(gate: Cli, files: Path) -> None:
    made = gate.json("apply", str(files), "--yes")

    assert made["applied"] is True
    assert made["owner"] == "files"
    assert len(made["digest"]) == 64
    assert made["items"][0]["action"] == "add"
    assert gate.json("apply", str(files), "--check")["items"] == []


def test_the_journal_says_what_was_applied(gate: Cli, files: Path) -> None:
    digest = gate.json("apply", str(files), "--yes")["digest"]
    newest = gate.json("journal", "list", "--kind", "configuration.applied")[0]

    assert digest in json.dumps(newest)
    assert str(files) in json.dumps(newest)


def test_every_problem_has_a_line_with_its_place(gate: Cli, files: Path) -> None:
    (files / "b.yaml").write_text("operators: {no: }\ntargets: {w: {adress: x}}\n")
    answer = gate("apply", str(files))

    assert answer.status == 2
    assert answer.err.splitlines() == [
        'b.yaml:1:13: operators.no: YAML reads no as true or false; quote it: "no"',
        "b.yaml:2:14: targets.w: the key address is missing; it must be host, or host:port",
        "b.yaml:2:15: targets.w.adress: a target has no key 'adress'; did you mean address?",
        "watchgate: 3 problems; nothing was changed",
    ]


def test_problems_are_json_when_that_was_asked_for(gate: Cli, files: Path) -> None:
    (files / "b.yaml").write_text("operatorz: {}\n")
    answer = gate("apply", str(files), "--json")
    error = json.loads(answer.err)["error"]

    assert answer.status == 2
    assert error["code"] == "configuration.refused"
    assert error["problems"][0]["file"] == "b.yaml"
    assert error["problems"][0]["line"] == 1


def test_what_was_made_by_hand_is_taken_over_on_demand(gate: Cli, files: Path) -> None:
    gate.done("target", "add", "web1", "--host", "10.0.0.9")
    refused = gate("apply", str(files), "--yes")
    gate.done("apply", str(files), "--yes", "--adopt")

    assert refused.status == 2
    assert (
        "all.yaml:4:3: targets.web1: the target web1 was made by hand and differs in address"
        in (refused.err)
    )
    assert gate.json("target", "show", "web1")["address"] == "10.0.0.5:22"


def test_the_schema_needs_no_gateway(cli: Cli) -> None:
    assert json.loads(cli.done("apply", "--schema"))["title"] == "Watchgate configuration"


def test_a_directory_has_to_be_named(gate: Cli, tmp_path: Path) -> None:
    assert "name the directory" in gate("apply").err
    assert gate("apply", str(tmp_path / "nowhere")).status == 3


def test_an_export_applies_without_a_difference(gate: Cli, files: Path, tmp_path: Path) -> None:
    gate.done("operator", "add", "byhand")
    gate.done("apply", str(files), "--yes")
    to = tmp_path / "exported"
    written = gate.done("export-config", "--to", str(to))

    assert f"{to}/operators.yaml" in written
    assert gate("apply", str(to), "--check").status == 0
    assert "byhand:" in gate.done("export-config")


def test_an_export_overwrites_only_what_it_is_told_to(gate: Cli, tmp_path: Path) -> None:
    (tmp_path / "grants.yaml").write_text("mine")
    refused = gate("export-config", "--to", str(tmp_path))
    (tmp_path / "targets.yaml").symlink_to(tmp_path / "elsewhere")
    linked = gate("export-config", "--to", str(tmp_path), "--force")
    (tmp_path / "targets.yaml").unlink()
    gate.done("export-config", "--to", str(tmp_path), "--force")

    assert refused.status == linked.status == 2
    assert "already has grants.yaml" in refused.err
    assert "is a link" in linked.err
    assert not (tmp_path / "elsewhere").exists()
    assert "grants:" in (tmp_path / "grants.yaml").read_text()


def test_a_name_of_hostile_characters_is_shown_and_not_obeyed(gate: Cli, files: Path) -> None:
    (files / "b.yaml").write_text('operators: {"a\\x1b[31m": }\n')
    answer = gate("apply", str(files))

    assert "\x1b" not in answer.err
    assert "operators.a\\x1b[31m" in answer.err


def test_other_verbs_do_not_wait_for_the_reader_of_yaml(gate: Cli) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "watchgate", "target", "list"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"WATCHGATE_DATA": str(gate.data)},
    )

    assert "yaml" not in {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
