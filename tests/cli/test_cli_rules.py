"""`watchgate rules`: from files into the catalog, and what they would do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from watchgate.catalog.database import Catalog
from watchgate.catalog.projection import apply
from watchgate.clock import SystemClock
from watchgate.session.events import CommandDecided, CommandRequested, Envelope, Event
from watchgate.session.model import FailurePolicy
from watchgate.session.ports import RecordingRequest

from .command_line import Cli

RULES = """\
version: 1
rules:
  no-rm-root:
    description: Nothing is removed near the root.
    action: block
    severity: high
    message: Ask the storage team first.
    match:
      program: rm
      path: ["/", "/etc/**"]
    expect:
      - matches: ["rm -rf /", "rm /etc/passwd"]
      - misses: ["rm x", "echo rm -rf /"]
  no-reboot:
    description: Machines stay up.
    action: interrupt
    attempts: 3
    match: {program: [reboot, halt]}
    scope: {operators: [alice], targets: [web1]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "rules"
    made.mkdir()
    (made / "base.yaml").write_text(RULES)
    return made


def record(gate: Cli, *events: Event, operator: str = "alice", number: int = 1) -> str:
    """A session in the catalog, as a gateway without rules left it a minute ago."""
    now = SystemClock().wall_us() - 60_000_000
    request = RecordingRequest(
        recording=f"0190aaaa-0000-7000-8000-{number:012}",
        session=f"0190bbbb-0000-7000-8000-{number:012}",
        protocol="ssh",
        operator=operator,
        account="root",
        target="web1",
        client="192.0.2.7:50000",
        grant="g",
        started_at_us=now,
        policy_digest="0" * 64,
        on_failure=FailurePolicy.CLOSE,
    )
    envelopes = [
        Envelope(now + seq, request.session, seq, event) for seq, event in enumerate(events)
    ]
    with Catalog.open(gate.data / "catalog.db") as catalog, catalog.write() as connection:
        apply(connection, request, envelopes)
    return request.session


def names(gate: Cli) -> list[str]:
    return [one["name"] for one in gate.json("rules", "list")]


# --- keeping ---------------------------------------------------------------------------------------


def test_files_become_rules_and_what_changes_is_shown(gate: Cli, folder: Path) -> None:
    planned = gate("rules", "apply", str(folder), "--check")
    added = gate.done("rules", "apply", str(folder), "--yes")
    again = gate.done("rules", "apply", str(folder), "--yes")
    (folder / "base.yaml").write_text(RULES.replace("attempts: 3", "attempts: 2"))
    changed = gate.done("rules", "apply", str(folder), "--yes")

    assert planned.status == 1
    assert "+ rule no-rm-root (block, high)" in added
    assert "2 to add" in added
    assert "Nothing to change" in again
    assert "attempts" in changed
    assert "3 -> 2" in changed
    assert names(gate) == ["no-reboot", "no-rm-root"]
    assert [one["data"]["action"] for one in gate.json("journal", "list", "--kind", "settings.*")][
        :3
    ] == ["rule.changed", "rule.added", "rule.added"]


def test_nothing_is_applied_of_files_that_are_wrong(gate: Cli, folder: Path) -> None:
    (folder / "more.yaml").write_text(
        RULES.replace("no-r", "other-r").replace("action: block", "action: explode")
    )
    answer = gate("rules", "apply", str(folder), "--yes")

    assert answer.status == 2
    assert "more.yaml:5:" in answer.err
    assert names(gate) == []


def test_an_example_that_fails_is_named_with_its_line(gate: Cli, folder: Path) -> None:
    (folder / "base.yaml").write_text(RULES.replace('"rm x"', '"rm /etc/x"'))
    tested = gate("rules", "test", str(folder))
    applied = gate("rules", "apply", str(folder), "--yes")

    assert tested.status == 1
    assert "base.yaml:13:" in tested.err
    assert "rm /etc/x" in tested.err
    assert "1 failed" in tested.out
    assert applied.status == 2


def test_examples_that_hold_are_counted(gate: Cli, folder: Path) -> None:
    told = gate.json("rules", "test", str(folder))
    gate.done("rules", "apply", str(folder), "--yes")
    kept = gate.json("rules", "test")

    assert told == {"rules": 2, "examples": 4, "failed": 0, "failures": []}
    assert kept == told


def test_a_rule_that_left_its_file_goes_when_it_is_said(gate: Cli, folder: Path) -> None:
    gate.done("rules", "apply", str(folder), "--yes")
    (folder / "base.yaml").write_text(RULES.partition("  no-reboot")[0])
    left = gate("rules", "apply", str(folder), "--yes")
    stayed = names(gate)
    gone = gate.done("rules", "apply", str(folder), "--yes", "--prune")

    assert "--prune" in left.err
    assert stayed == ["no-reboot", "no-rm-root"]
    assert "- rule no-reboot" in gone
    assert names(gate) == ["no-rm-root"]


def test_a_rule_of_another_file_is_taken_over_only_when_it_is_said(
    gate: Cli, folder: Path, tmp_path: Path
) -> None:
    gate.done("rules", "apply", str(folder), "--yes")
    other = tmp_path / "mine.yaml"
    other.write_text(RULES)
    refused = gate("rules", "apply", str(other), "--yes")
    gate.done("rules", "apply", str(other), "--yes", "--adopt")

    assert refused.status == 2
    assert "no-reboot" in refused.err
    assert {one["origin"] for one in gate.json("rules", "list")} == {f"file:{other}"}


def test_a_rule_is_shown_as_its_file_has_it(gate: Cli, folder: Path) -> None:
    gate.done("rules", "apply", str(folder), "--yes")
    shown = gate.done("rules", "show", "no-reboot")
    listed = gate.done("rules", "list")

    assert "attempts: 3" in shown
    assert "operators alice; targets web1" in listed
    assert gate("rules", "show", "no-rebot").status == 3
    assert gate.json("rules", "show", "no-reboot")["rule"]["action"] == "interrupt"


def test_a_rule_is_disabled_enabled_and_removed(gate: Cli, folder: Path) -> None:
    gate.done("rules", "apply", str(folder), "--yes")
    gate.done("rules", "disable", "no-reboot")
    disabled = gate.json("rules", "show", "no-reboot")["enabled"]
    gate.done("rules", "enable", "no-reboot")
    enabled = gate.json("rules", "show", "no-reboot")["enabled"]
    asked = gate("rules", "remove", "no-reboot")
    gate.done("rules", "remove", "no-reboot", "--yes")

    assert (disabled, enabled) == (False, True)
    assert asked.status == 2
    assert names(gate) == ["no-rm-root"]


def test_ready_rules_are_listed_and_used(gate: Cli) -> None:
    ready = gate.json("rules", "library")
    gate.done("rules", "use", "all", "--shadow")
    held = gate.json("rules", "list")
    unknown = gate("rules", "use", "history-erasedd")
    gate.done("rules", "use", "history-erased")

    assert "history-erased" in [one["name"] for one in ready]
    assert len(held) == len(ready)
    assert all(one["rule"]["shadow"] for one in held)
    assert (unknown.status, "history-erased" in unknown.err) == (3, True)
    assert "shadow" not in gate.json("rules", "show", "history-erased")["rule"]


def test_how_often_a_rule_was_met_is_listed(gate: Cli, folder: Path) -> None:
    gate.done("rules", "apply", str(folder), "--yes")
    met = CommandDecided(
        *(0, 0, "rm -rf /", ["rm -r -f /"], [], "block", ["no-rm-root"], ["no-reboot"], "high"),
        *(25, 25, 39, "exact", "exec", "0" * 64),
    )
    session = record(gate, CommandRequested(0, "rm -rf /"), met)
    found = {one["name"]: (one["hits"], one["shadow_hits"]) for one in gate.json("rules", "list")}
    shown = gate.done("session", "show", session)

    assert found == {"no-rm-root": (1, 0), "no-reboot": (0, 1)}
    assert "BLOCKED" in shown
    assert "blocked by no-rm-root, high severity" in shown
    assert "shadow rules: no-reboot" in shown
    assert "39 of 100, 25 points" in shown


# --- trying ----------------------------------------------------------------------------------------


def test_scopes_that_name_nothing_are_found(gate: Cli, folder: Path) -> None:
    gate.done("operator", "add", "alice")
    answer = gate("rules", "lint", str(folder))
    codes = [one["code"] for one in gate.json("rules", "lint", str(folder))]

    assert answer.status == 0
    assert "the target 'web1', which the gateway does not have" in answer.out
    assert "'alice'" not in answer.out
    assert codes.count("unknown-in-scope") == 1


def test_a_line_is_explained_as_a_tree(gate: Cli, folder: Path) -> None:
    told = gate.done("rules", "explain", "sudo rm -rf /", "--rules", str(folder))
    value = gate.json("rules", "explain", "sudo rm -rf /", "--rules", str(folder))
    other = gate.json("rules", "explain", "reboot", "--rules", str(folder), "--account", "app")

    assert "rule no-rm-root (block) matches" in told
    assert "program: rm" in told
    assert (value["outcome"], value["severity"]) == ("block", "high")
    assert other["outcome"] == "interrupt"


def test_rules_for_other_sessions_are_left_out_of_an_explanation(gate: Cli, folder: Path) -> None:
    for name in ("alice", "bob"):
        gate.done("operator", "add", name)
    outcomes = {
        name: gate.json(
            *("rules", "explain", "reboot", "--rules", str(folder), "--operator", name)
        )["outcome"]
        for name in ("alice", "bob")
    }

    assert outcomes == {"alice": "interrupt", "bob": "allow"}


# --- backtest --------------------------------------------------------------------------------------


def backtested(gate: Cli, *words: str) -> Any:
    return gate.json("rules", "backtest", *words)


def test_recorded_commands_are_decided_anew(gate: Cli, folder: Path) -> None:
    record(gate, *(CommandRequested(0, text) for text in ("rm -rf /", "ls", "rm -rf /", "reboot")))
    record(gate, CommandRequested(0, "reboot"), operator="bob", number=2)
    found = backtested(gate, str(folder))
    told = gate.done("rules", "backtest", str(folder))
    rules = {one["rule"]: one for one in found["rules"]}

    assert (found["commands"], found["held_up"], found["newly_held_up"]) == (5, 3, 3)
    assert (rules["no-rm-root"]["hits"], rules["no-rm-root"]["operators"]) == (2, {"alice": 2})
    assert rules["no-reboot"]["operators"] == {"alice": 1}
    assert rules["no-rm-root"]["examples"][0]["text"] == "rm -rf /"
    assert found["outcomes"] == [
        {"happened": "not decided", "would": "allow", "commands": 2},
        {"happened": "not decided", "would": "block", "commands": 2},
        {"happened": "not decided", "would": "interrupt", "commands": 1},
    ]
    assert "5 commands: 5 out of the catalog" in told
    assert "rule no-rm-root (block, high): met 2 times, decided 2" in told


def test_commands_that_the_index_read_off_screens_are_decided_too(gate: Cli, session: str) -> None:
    gate.done("reindex")
    rules = gate.data / "all.yaml"
    rules.write_text(
        "version: 1\nrules:\n  up:\n    description: x\n    action: block\n"
        "    match: {program: uptime}\n"
    )
    found = backtested(gate, str(rules))

    assert found["index"]
    assert found["from_catalog"] + found["from_index"] == found["commands"]
    assert found["rules"][0]["hits"] >= 1


def test_a_backtest_is_journaled_and_changes_nothing(gate: Cli, folder: Path) -> None:
    record(gate, CommandRequested(0, "rm -rf /"))
    backtested(gate, str(folder))
    (entry,) = gate.json("journal", "list", "--kind", "index.searched")

    assert entry["data"]["mode"] == "backtest"
    assert entry["data"]["filters"]["rules"] == ["no-reboot", "no-rm-root"]
    assert names(gate) == []


def test_old_commands_count_only_when_all_are_asked_for(gate: Cli, folder: Path) -> None:
    session = record(gate, CommandRequested(0, "rm -rf /"))
    with Catalog.open(gate.data / "catalog.db") as catalog, catalog.write() as connection:
        connection.exec_driver_sql("UPDATE command SET at_us = 1000")

    assert session
    assert backtested(gate, str(folder))["commands"] == 0
    assert backtested(gate, str(folder), "--all")["commands"] == 1


def test_shadow_rules_are_counted_and_hold_nothing_up_unless_live(gate: Cli, folder: Path) -> None:
    (folder / "base.yaml").write_text(
        RULES.replace("severity: high", "severity: high\n    shadow: true")
    )
    record(gate, CommandRequested(0, "rm -rf /"))
    shadow, live = (backtested(gate, str(folder), *words) for words in ((), ("--live",)))

    assert [(one["held_up"], one["rules"][1]["hits"]) for one in (shadow, live)] == [(0, 1), (1, 1)]
    assert json.dumps(shadow)
