"""The frame: help, errors, exit statuses, and what is imported for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from watchgate import __version__
from watchgate.cli.application import NOUNS, fail
from watchgate.errors import ConfigurationError

from .command_line import Cli

WATCHGATE = [sys.executable, "-m", "watchgate"]


def imported_by(*words: str) -> set[str]:
    """The modules that `watchgate WORDS` imports, as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "watchgate", *words],
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "|" in line}


def test_help_names_every_noun(cli: Cli) -> None:
    shown = cli.done("--help")

    assert [noun for noun in NOUNS if f"  {noun} " not in shown] == []


def test_help_imports_neither_the_catalog_nor_the_ssh_library() -> None:
    heavy = {"sqlalchemy", "asyncssh", "cryptography", "rich", "alembic", "uvloop"}

    assert imported_by("--help") & heavy == set()


@pytest.mark.parametrize("noun", NOUNS)
def test_every_noun_has_help_with_the_options_of_all(cli: Cli, noun: str) -> None:
    shown = cli.done(noun, "--help")

    assert shown.startswith(f"Usage: watchgate {noun}")


def test_it_says_its_version(cli: Cli) -> None:
    assert cli.done("--version") == f"watchgate {__version__}\n"


def test_a_misspelled_verb_names_the_nearest(gate: Cli) -> None:
    answer = gate("operator", "ad")

    assert answer.status == 2
    assert "Did you mean 'add'?" in answer.err


def test_an_error_is_one_line_that_says_what_to_do(cli: Cli) -> None:
    answer = cli("operator", "list")

    assert answer.status == 2
    assert answer.out == ""
    assert answer.err.startswith(f"watchgate: there is no gateway in {cli.data}; make one with ")
    assert answer.err.count("\n") == 1


def test_an_error_is_json_when_that_was_asked_for(cli: Cli) -> None:
    answer = cli("operator", "list", "--json")

    assert json.loads(answer.err)["error"]["code"] == "data.not-initialized"


def test_what_is_not_found_has_a_status_of_its_own(gate: Cli) -> None:
    assert gate("operator", "show", "nobody").status == 3


def test_a_traceback_is_only_shown_on_demand(gate: Cli) -> None:
    quiet, loud = gate("operator", "show", "bob"), gate("operator", "show", "bob", "--debug")

    assert "Traceback" not in quiet.err
    assert "Traceback" in loud.err
    assert quiet.err.splitlines()[-1] == loud.err.splitlines()[-1]


def test_a_defect_is_one_line_too(gate: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a\nb")

    monkeypatch.setattr("watchgate.identity.operators.list_all", broken)
    answer = gate("operator", "list")

    assert answer.status == 1
    assert answer.err.startswith("watchgate: unexpected RuntimeError: a b; this is a defect")
    assert answer.err.count("\n") == 1


def test_a_message_never_breaks_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        fail(ConfigurationError("first\n  second"), 2, debug=False, as_json=False)

    assert ended.value.code == 2
    assert capsys.readouterr().err == "watchgate: first second\n"


def test_options_may_stand_before_the_noun_or_after_the_verb(gate: Cli) -> None:
    before, after = gate.done("--json", "operator", "list"), gate.done("operator", "list", "--json")

    assert before == after == "[]\n"


def test_data_on_the_command_line_beats_the_environment(gate: Cli, tmp_path: Path) -> None:
    answer = gate("operator", "list", "--data", str(tmp_path / "other"))

    assert f"there is no gateway in {tmp_path / 'other'}" in answer.err


def test_a_shell_can_complete_verbs() -> None:
    environment = os.environ | {
        "_WATCHGATE_COMPLETE": "complete_bash",
        "COMP_WORDS": "watchgate operator ",
        "COMP_CWORD": "2",
    }
    done = subprocess.run(WATCHGATE, env=environment, capture_output=True, text=True, check=False)

    assert {"add", "list", "disable"} <= set(done.stdout.split())


def test_a_reader_that_leaves_early_is_no_failure_to_speak_of(gate: Cli) -> None:
    process = subprocess.Popen(
        [*WATCHGATE, "settings", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    process.wait(30)

    assert b"Traceback" not in said
