"""Rules at work: real clients, a real sshd, real shells behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.gateway import World, wait_for, world
from watchgate.catalog import rules
from watchgate.policy.loading import load_text
from watchgate.session.events import (
    CommandDecided,
    CommandFinished,
    CommandRequested,
    Event,
    IntegrationSet,
    PolicyFrozen,
    RulesFrozen,
    SessionClosed,
)
from watchgate.session.ports import RecordKind

pytestmark = pytest.mark.real

PROMPT = re.compile(b"[#$] ")
RULES = """
version: 1
rules:
  no-hits:
    description: What must not happen here.
    action: block
    severity: high
    message: Ask the storage team.
    match: {program: [touch, rm], args: "*HIT*"}
  two-tries:
    description: Ends the session.
    action: interrupt
    severity: high
    attempts: 2
    match: {program: reboot}
"""


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("commands")) as made, made.serving():
        with made.change() as change:
            for rule in load_text(RULES, "rules.yaml"):
                rules.put(change, rule, "test")
        yield made


def decided(events: list[Event]) -> list[tuple[str, str]]:
    return [(e.outcome, e.command) for e in events if isinstance(e, CommandDecided)]


def test_a_line_that_a_rule_blocks_does_not_run_and_its_operator_reads_why(served: World) -> None:
    with served.terminal() as person:
        person.expect(PROMPT)
        person.send("cd; echo st'art'ed\r")
        person.expect(b"started")
        person.expect(PROMPT)
        person.send("touch HIT\r")
        person.expect(b"watchgate: blocked by rule no-hits: Ask the storage team.")
        person.expect(PROMPT)
        person.send("ls HIT || echo not'hing'\r")
        person.expect(b"nothing")
        person.send("exit 4\r")
        status = person.wait()

    events = served.events(served.sealed())
    assert status == 4
    assert decided(events) == [
        ("allow", "cd; echo st'art'ed"),
        ("block", "touch HIT"),
        ("allow", "ls HIT || echo not'hing'"),
        ("allow", "exit 4"),
    ]
    assert any(isinstance(event, IntegrationSet) and event.shell == "bash" for event in events)


def test_the_verdict_is_recorded_before_the_output_and_its_end_with_status_and_place(
    served: World,
) -> None:
    with served.terminal() as person:
        person.expect(PROMPT)
        person.send("cd /tmp && false\r")
        person.expect(PROMPT)
        person.send("exit\r")
        person.wait()

    events = served.events(served.sealed())
    requested = next(e for e in events if isinstance(e, CommandRequested))
    assert (requested.source, requested.confidence) == ("integration", "exact")
    finished = next(e for e in events if isinstance(e, CommandFinished))
    assert (finished.exit_status, finished.cwd) == (1, "/tmp")
    frozen = next(e for e in events if isinstance(e, PolicyFrozen))
    verdict = next(e for e in events if isinstance(e, CommandDecided))
    assert verdict.policy == frozen.digest
    listed = [rule["name"] for e in events if isinstance(e, RulesFrozen) for rule in e.rules]
    assert sorted(listed) == ["no-hits", "two-tries"]


def test_what_shells_and_gateway_say_to_each_other_is_in_no_recording(served: World) -> None:
    with served.terminal() as person:
        person.expect(PROMPT)
        person.send("echo seen\r")
        shown = person.expect(PROMPT)
        person.send("exit\r")
        person.wait()

    path = served.sealed()
    for octets in (
        shown,
        served.octets(RecordKind.OUTPUT, path),
        served.octets(RecordKind.INPUT, path),
    ):
        assert b"7717" not in octets
        assert b"__wg" not in octets


def test_a_rule_that_interrupts_counts_down_and_ends_the_session(served: World) -> None:
    with served.terminal() as person:
        person.expect(PROMPT)
        person.send("reboot\r")
        person.expect(b"blocked by rule two-tries; 1 try left")
        person.expect(PROMPT)
        person.send("sudo reboot\r")
        person.expect(b"the session is ended")
        person.wait()

    events = served.events(served.sealed())
    closed = next(e for e in events if isinstance(e, SessionClosed))
    assert closed.reason == "interrupted"
    assert "two-tries" in closed.detail


def test_an_exec_request_is_decided_before_the_target_hears_of_it(served: World) -> None:
    refused = served.run("touch /tmp/HIT-by-exec")
    permitted = served.run("echo fine")

    assert refused.returncode == 126
    assert b"blocked by rule no-hits" in refused.stderr
    assert permitted.stdout == b"fine\n"
    first, second = (served.events(path) for path in sorted(served.recordings()))
    assert decided(first) == [("block", "touch /tmp/HIT-by-exec")]
    assert decided(second) == [("allow", "echo fine")]


def test_a_paste_is_decided_line_by_line_and_ends_at_the_blocked_one(served: World) -> None:
    with served.terminal() as person:
        person.expect(PROMPT)
        person.send("echo one\recho two\rtouch HIT\recho three\recho four\r")
        person.expect(b"blocked by rule no-hits")
        person.expect(b"2 more lines of what was pasted behind it did not run either")
        person.send("echo aft'er'\r")
        person.expect(b"after")
        person.send("exit\r")
        person.wait()

    assert decided(served.events(served.sealed()))[:3] == [
        ("allow", "echo one"),
        ("allow", "echo two"),
        ("block", "touch HIT"),
    ]


def test_the_catalog_knows_verdicts_and_risk(served: World) -> None:
    served.run("touch HIT")
    served.sealed()

    wait_for(lambda: any(row.risk for row in served.sessions()), "the verdict in the catalog")
    (row,) = served.sessions()
    assert row.risk == 39


def test_a_script_on_standard_input_is_decided_command_by_command(served: World) -> None:
    script = b"echo one\nfor i in 1 2; do\n  echo $i\ndone\ntouch HIT\necho after\n"

    done = served.run("bash -s", data=script)

    assert done.returncode == 126
    assert done.stdout == b"one\n1\n2\n"
    assert b"blocked by rule no-hits" in done.stderr
    outcomes = [outcome for outcome, _ in decided(served.events(served.sealed()))]
    assert outcomes[:4] == ["allow", "allow", "allow", "block"]


def test_the_sftp_subsystem_and_scp_go_on_under_rules(served: World, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"content")
    landed = tmp_path / "landed"

    copied = served.alice.run("scp", "-q", str(file), f"{served.name}:{landed}")

    assert copied.returncode == 0
    assert landed.read_bytes() == b"content"
    assert decided(served.events(served.sealed())) == [("allow", "sftp")]
