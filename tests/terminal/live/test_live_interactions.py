"""The live reader in front of real shells: nothing dangerous that stands in a line runs, nothing benign is stopped."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from bench.reading_drive import available
from live_driver import is_dangerous, play

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(sys.platform != "linux", reason="drives shells on Linux pseudo-terminals"),
]

_DATA = Path(__file__).parents[1] / "data"
INTERACTIONS: dict[str, dict[str, Any]] = {
    found["id"]: found
    for name in ("interactions.jsonl", "interactions_live.jsonl")
    for line in (_DATA / name).read_text().splitlines()
    if (found := json.loads(line))
}

# Each of these is stopped, or read, in another way; both files hold many more.
STOPPED = (
    *("bash-up-fast", "bash-ctrl-r-burst", "bash-tab-list", "bash-wrapped-home-edit"),
    *("bash-bang-bang", "bash-backslash", "bash-ctrl-o", "bash-vi-mode", "bash-vim-spoof"),
    *("bash-dim-spoof", "bash-vim-escape", "bash-less-escape", "bash-sqlite", "bash-nested-up"),
    *("zsh-autosuggest-taken", "zsh-push-line", "zsh-accept-and-hold", "fish-suggest-taken"),
    *("dash-echo-off", "ash-tab", "cisco-help", "cisco-scrolled-up"),
    *("plain-bash-slow-tab", "plain-mksh-long-up", "plain-fish-ctrl-r"),
    *("evasive-dash-ctrl-d-d", "evasive-bash-paste-open", "evasive-zsh-print-z"),
    *("evasive-bash-fake-alt-2", "evasive-dash-empty-prompt-cat"),
)
LET_THROUGH = (
    *("bash-heredoc", "bash-comment", "bash-nano", "bash-prompt-like-output"),
    *("benign-bash-vim-text", "benign-bash-cat-data", "benign-bash-output-no-newline-up"),
    *("zsh-autosuggest-shown", "fish-suggest-shown"),
)
READ = (
    *("bash-arrows-insert", "bash-multiline-recall", "bash-paste-edit", "bash-prompt-unicode"),
    *("bash-noise-while-typing", "zsh-multiline", "fish-multiline", "ash-up", "cisco-up"),
)


def _ready(name: str) -> dict[str, Any]:
    interaction = INTERACTIONS[name]
    needed = [
        interaction["shell"],
        *(p for p in ("nano", "vim", "sqlite3", "less") if _starts(interaction, p)),
    ]
    missing = [program for program in needed if not available(program)]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    return interaction


def _starts(interaction: dict[str, Any], program: str) -> bool:
    return any(step[0] == "type" and step[1].startswith(program) for step in interaction["steps"])


@pytest.mark.parametrize("name", STOPPED)
def test_a_dangerous_line_does_not_run(name: str) -> None:
    played = play(_ready(name), blocking=True)

    assert not played.happened, [line.candidates for line in played.lines]


@pytest.mark.parametrize("name", LET_THROUGH)
def test_a_line_that_only_looks_dangerous_runs(name: str) -> None:
    played = play(_ready(name), blocking=True)

    assert played.stopped == []


@pytest.mark.parametrize("name", READ)
def test_a_line_is_read_as_the_shell_runs_it(name: str) -> None:
    interaction = _ready(name)
    played = play(interaction, blocking=False)
    wanted = [interaction["expect"], interaction.get("alt_full")]

    assert played.happened
    assert any(_same(found, w) for w in wanted if w for found in (played.commands, played.whole))


def _same(found: list[str], wanted: list[Any]) -> bool:
    choices = [[w] if isinstance(w, str) else w for w in wanted]
    return len(found) == len(choices) and all(
        text in right for text, right in zip(found, choices, strict=True)
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("touch HIT", True),
        ("echo a; rm -f HITx", True),
        ("for i in 1; do\ntouch HIT$i", True),
        ("echo touch HIT", False),
        ("cat <<EOF\ntouch HIT\nEOF", False),
        ("cat <<EOF\ntouch HIT\nEOF\ntouch HIT", True),
        ("echo ok # touch HIT", False),
    ],
)
def test_the_rule_of_these_interactions_is_what_it_says(text: str, *, expected: bool) -> None:
    assert is_dangerous(text) is expected
