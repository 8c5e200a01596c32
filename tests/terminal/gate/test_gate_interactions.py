"""Real shells behind a whole gated terminal: what is dangerous does not run, and every command is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from bench.commands import REFUSED, is_exact, told
from bench.commands_drive import BLOCK, STRICT, WATCH, Driven, drive
from bench.reading_drive import Pace

from watchgate.policy.commands import Source
from watchgate.session.events import IntegrationMissing, IntegrationSet, IntegrationTampered

pytestmark = pytest.mark.real

DATA = Path(__file__).parents[1] / "data" / "interactions.jsonl"

DANGERS = [
    *("bash-backspace", "bash-up-fast", "bash-tab", "bash-wrapped-home-edit", "bash-paste-raw-20"),
    *("bash-ctrl-j", "bash-noise-while-typing", "bash-vi-mode", "zsh-push-line", "zsh-tab-menu"),
    *("fish-suggest-taken", "fish-multiline", "dash-werase", "ash-up", "cisco-up"),
]
EVASIONS = [
    *("bash-ctrl-o", "bash-key-macro", "bash-exec-dash", "bash-vim-spoof"),
    *("bash-less-escape", "zsh-accept-and-hold", "fish-abbr"),
]
BENIGN = ["bash-heredoc", "bash-comment", "fish-suggest-shown", "zsh-autosuggest-shown"]


@cache
def interactions() -> dict[str, dict[str, Any]]:
    """All of them, by their names."""
    lines = DATA.read_text("utf-8").splitlines()
    return {one["id"]: one for one in map(json.loads, lines)}


def chosen(name: str, program: Callable[[str], str]) -> dict[str, Any]:
    """The interaction of that name; the test is skipped where its shell is missing."""
    interaction = interactions()[name]
    if interaction["shell"] != "cisco":
        program(interaction["shell"])
    return interaction


def typed(shell: str, *lines: str, danger: str = "HIT", **more: Any) -> dict[str, Any]:
    """Lines that are typed at a prompt, one after the other."""
    steps: list[list[Any]] = [["prompt"]]
    for line in lines:
        steps += [["type", line], ["key", "enter"], ["wait", 400]]
    return {"id": "typed", "shell": shell, "steps": steps, "danger": danger, "expect": lines} | more


def refused(driven: Driven) -> list[str]:
    """The lines that were not let run."""
    return [one.command.text for one in driven.decisions if str(one.verdict.outcome) in REFUSED]


@pytest.mark.parametrize("integration", [True, False], ids=["hooks", "screen"])
@pytest.mark.parametrize("name", DANGERS)
def test_no_ordinary_danger_runs(
    name: str, integration: bool, program: Callable[[str], str]
) -> None:
    driven = drive(chosen(name, program), BLOCK, integration=integration)

    assert not driven.danger
    assert refused(driven)
    assert b"watchgate: blocked by rule no-hits: not here" in driven.seen
    assert b"7717" not in driven.seen


@pytest.mark.parametrize("name", EVASIONS)
def test_nothing_gets_past_a_shell_that_tells_its_commands(
    name: str, program: Callable[[str], str]
) -> None:
    driven = drive(chosen(name, program), BLOCK, integration=True)

    assert not driven.danger


@pytest.mark.parametrize("integration", [True, False], ids=["hooks", "screen"])
@pytest.mark.parametrize("name", BENIGN)
def test_nothing_harmless_is_blocked(
    name: str, integration: bool, program: Callable[[str], str]
) -> None:
    interaction = chosen(name, program)
    driven = drive(interaction, BLOCK, integration=integration)

    assert refused(driven) == []
    assert is_exact(interaction, told(driven))


@pytest.mark.parametrize("integration", [True, False], ids=["hooks", "screen"])
@pytest.mark.parametrize(
    "name", ["bash-kill-yank", "bash-for-ps2", "fish-up", "zsh-ctrl-r", "ash-tab"]
)
def test_every_command_is_known_word_for_word(
    name: str, integration: bool, program: Callable[[str], str]
) -> None:
    interaction = chosen(name, program)
    driven = drive(interaction, WATCH, integration=integration)

    assert is_exact(interaction, told(driven)), told(driven)


def test_a_shell_in_a_shell_tells_its_commands_too(program: Callable[[str], str]) -> None:
    driven = drive(chosen("bash-nested-bash", program), BLOCK, integration=True)

    assert not driven.danger
    depths = [event.depth for event in driven.events if isinstance(event, IntegrationSet)]
    assert depths == [0, 1]


@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_a_target_two_seconds_away_is_decided_all_the_same(
    shell: str, program: Callable[[str], str]
) -> None:
    program(shell)
    driven = drive(
        typed(shell, "touch HIT") | {"steps": _then_wait(typed(shell, "touch HIT"), 5000)},
        BLOCK,
        integration=True,
        pace=Pace(round_trip=2.0),
    )

    assert not driven.danger
    assert refused(driven) == ["touch HIT"]


@pytest.mark.parametrize(
    ("shell", "why"),
    [("dash", "there are no hooks"), ("busybox", "there are no hooks"), ("mksh", "there are no")],
)
def test_a_shell_without_hooks_says_so_and_is_read_off_the_screen(
    shell: str, why: str, program: Callable[[str], str]
) -> None:
    program(shell)
    driven = drive(typed(shell, "echo hi", "touch HIT"), BLOCK, integration=True)

    missing = [event.reason for event in driven.events if isinstance(event, IntegrationMissing)]
    assert len(missing) == 1
    assert why in missing[0]
    assert not driven.danger
    assert [one.command.source for one in driven.decisions] == [Source.SCREEN] * 2


def test_a_restricted_shell_takes_no_hooks_and_is_read_off_the_screen(
    program: Callable[[str], str],
) -> None:
    program("bash")
    driven = drive(typed("bash", "echo hi", "touch HIT", rc="set -r"), BLOCK, integration=True)

    missing = [event.reason for event in driven.events if isinstance(event, IntegrationMissing)]
    assert len(missing) == 1
    assert "restricted" in missing[0]
    assert not driven.danger
    assert [one.command.text for one in driven.decisions] == ["echo hi", "touch HIT"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_hooks_need_no_home_that_can_be_written(shell: str, program: Callable[[str], str]) -> None:
    program(shell)
    nowhere = {
        "bash": "export HOME=/proc; cd /proc; HISTFILE=/proc/h",
        "zsh": "export HOME=/proc; HISTFILE=/proc/h; cd /proc",
        "fish": "set -gx HOME /proc; set -gx XDG_DATA_HOME /proc; cd /proc",
    }[shell]
    home = "$OLDPWD/HIT"
    driven = drive(typed(shell, "echo hi", f"touch {home}", rc=nowhere), BLOCK, integration=True)

    assert [type(event) for event in driven.events if isinstance(event, IntegrationSet)]
    assert refused(driven) == [f"touch {home}"]
    assert not driven.danger


@pytest.mark.parametrize(
    "removal",
    [
        "PS0=; PROMPT_COMMAND=",
        "PS0=; PROMPT_COMMAND=; PS1='root@h:~# '",
        "unset PS0 PROMPT_COMMAND PS1; PS1='$ '",
    ],
)
def test_hooks_that_are_removed_are_missed_and_nothing_runs_for_it(
    removal: str, program: Callable[[str], str]
) -> None:
    program("bash")
    lines = (removal, "true", "touch HIT", "true", "touch HIT")
    driven = drive(typed("bash", *lines), BLOCK, integration=True)

    assert not driven.danger
    assert any(isinstance(e, IntegrationTampered) and e.severity == "high" for e in driven.events)


def test_a_prompt_that_imitates_the_marks_is_noticed_at_the_first_line_it_lets_pass(
    program: Callable[[str], str],
) -> None:
    program("bash")
    lines = (
        # What the operator's own shell knows, another one may say.
        "export N=$(declare -f __wg_tell | grep -o '7717;[0-9a-f]*' | head -1)",
        r"""PS1="$(printf '\033]%s;D;q; s=0 d=/\007# \033]%s;B;q;\007' "$N" "$N")" exec dash -i""",
        "touch firstHIT",
        "touch HIT",
        "touch HIT",
    )
    driven = drive(typed("bash", *lines), BLOCK, integration=True)

    noticed = [e.severity for e in driven.events if isinstance(e, IntegrationTampered)]
    assert noticed
    assert {"touch firstHIT", "touch HIT"} <= set(refused(driven))
    assert not driven.danger


@pytest.mark.parametrize(
    ("shell", "quote"),
    [("bash", "C-v"), ("bash", "C-q"), ("busybox", "C-v"), ("dash", "C-v"), ("mksh", "C-v")],
)
def test_a_quoted_enter_runs_nothing_that_is_blocked_and_leaves_nothing_behind(
    shell: str, quote: str, program: Callable[[str], str]
) -> None:
    program(shell)
    steps = [
        *(["prompt"], ["type", "touch HIT "], ["key", quote], ["key", "enter"], ["wait", 400]),
        *(["key", "enter"], ["wait", 300]),
    ]
    driven = drive(typed(shell) | {"steps": steps}, BLOCK, integration=False)

    assert not driven.danger


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_what_is_typed_before_the_prompt_behind_control_c_is_back_is_decided(
    shell: str, program: Callable[[str], str]
) -> None:
    program(shell)
    steps = [
        *(["prompt"], ["type", "abc"], ["key", "C-c"], ["burst", "touch HIT"], ["wait", 55]),
        *(["key", "enter"], ["wait", 800]),
    ]
    driven = drive(
        typed(shell) | {"steps": steps}, BLOCK, integration=False, pace=Pace(0.002, 0.03)
    )

    assert not driven.danger
    assert refused(driven)


@pytest.mark.parametrize("shell", ["bash", "dash", "zsh"])
def test_a_line_that_cannot_be_cleared_is_blocked_again(
    shell: str, program: Callable[[str], str]
) -> None:
    program(shell)
    driven = drive(typed(shell, "stty intr undef", "touch HIT", "", ""), BLOCK, integration=False)

    assert not driven.danger
    assert refused(driven)[0] == "touch HIT"


@pytest.mark.parametrize("name", ["bash-base64", "bash-fc-s"])
def test_what_is_opaque_is_blocked_where_a_rule_says_so(
    name: str, program: Callable[[str], str]
) -> None:
    driven = drive(chosen(name, program), STRICT, integration=True)

    assert not driven.danger


def _then_wait(interaction: dict[str, Any], ms: int) -> list[list[Any]]:
    steps: list[list[Any]] = interaction["steps"]
    return [*steps, ["wait", ms]]


@pytest.mark.parametrize(
    "line", ["PROMPT_COMMAND=; PS0=", "PS0=", "PS1='new# '; PROMPT_COMMAND=; PS0="]
)
def test_a_shell_whose_hooks_were_taken_away_is_asked_again(line: str) -> None:
    steps = [
        *(["prompt"], ["type", line], ["key", "enter"], ["wait", 1900]),
        *(["type", "touch HIT"], ["key", "enter"], ["wait", 400]),
        *(["type", "echo hi"], ["key", "enter"], ["wait", 400]),
    ]
    interaction = {"id": "hooks", "shell": "bash", "steps": steps, "danger": "HIT"}

    driven = drive(interaction, BLOCK, integration=True)

    assert not driven.danger
    assert driven.decisions[-1].command.text == "echo hi"
    assert driven.decisions[-1].command.exact
    assert any(isinstance(event, IntegrationTampered) for event in driven.events)
