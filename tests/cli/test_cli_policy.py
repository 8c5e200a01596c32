"""`watchgate policy show`: what held, out of the recording and nothing else."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from watchgate.clock import SystemClock
from watchgate.identifiers import uuid7
from watchgate.policy.loading import load_text
from watchgate.policy.ruleset import RuleSet
from watchgate.recording.auditors import load_recipients
from watchgate.recording.evidencefile import recording_path
from watchgate.recording.keys import EvidenceKey
from watchgate.recording.store import RecordingStore
from watchgate.session.events import PolicyFrozen, RulesFrozen
from watchgate.session.model import (
    Capability,
    Ending,
    EndReason,
    FailurePolicy,
    Policy,
    TargetSettings,
)
from watchgate.session.ports import RecordingRequest
from watchgate.settings import load

from .command_line import Cli

RULES = load_text(
    """
version: 1
rules:
  no-rm: {description: Nichts löschen., action: block, match: {program: rm}}
  no-reboot: {description: x, action: block, match: {program: reboot}}
""",
    examples=False,
)


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a session's recording is to say of its policy."""

    digest: str
    policy: dict[str, Any]
    rules: tuple[dict[str, Any], ...]
    header: str


def frozen(*rules: Any) -> Frozen:
    policy = Policy(frozenset({Capability.SHELL}), TargetSettings(), RuleSet(tuple(rules)))
    described = [rule.described() for rule in policy.rules.rules]
    return Frozen(policy.digest(), policy.describe(), tuple(described), policy.digest())


def recorded(gate: Cli, said: Frozen | None) -> str:
    """The file of a recording that says so."""
    settings, clock = load(gate.data, environment={}), SystemClock()
    request = RecordingRequest(
        recording=uuid7(clock),
        session=uuid7(clock),
        protocol="ssh",
        operator="alice",
        account="root",
        target="web1",
        client="192.0.2.7:50022",
        grant="g",
        started_at_us=clock.wall_us(),
        policy_digest=said.header if said else "0" * 64,
        on_failure=FailurePolicy.CLOSE,
    )
    store = RecordingStore(
        settings.paths.recordings,
        settings.paths.spool,
        evidence=EvidenceKey.load(settings.paths.evidence_key),
        recipients=load_recipients(settings.paths.auditors),
        clock=clock,
        node="test",
    )

    async def play() -> None:
        recorder = await store.open(request)
        if said is not None:
            recorder.event(PolicyFrozen(said.digest, said.policy))
            for rule in said.rules:
                recorder.event(RulesFrozen(said.digest, [rule]))
        await recorder.seal(Ending(EndReason.CLIENT))

    store.start()
    try:
        asyncio.run(play())
    finally:
        store.stop()
    return str(recording_path(settings.paths.recordings, request.recording, request.started_at_us))


def test_what_held_is_shown_word_by_word(gate: Cli) -> None:
    file = recorded(gate, frozen(*RULES))
    shown = gate.done("policy", "show", "--session", file)
    value = gate.json("policy", "show", "--session", file)

    assert "no-rm:" in shown
    assert "action: block" in shown
    assert [rule["name"] for rule in value["rules"]] == ["no-reboot", "no-rm"]
    assert value["intact"]
    assert value["policy"]["rules_count"] == 2


def test_a_session_without_rules_says_so(gate: Cli) -> None:
    shown = gate.done("policy", "show", "--session", recorded(gate, frozen()))

    assert "no rules" in shown


def test_who_looked_is_in_the_journal(gate: Cli) -> None:
    gate.done("policy", "show", "--session", recorded(gate, frozen()))
    (entry,) = gate.json("journal", "list", "--kind", "recording.*")

    assert entry["data"]["what"] == "policy"


def altered(said: Frozen, what: str) -> Frozen:
    """*said* with one thing in it that is not as it was."""
    policy = said.policy | {"record_input": not said.policy["record_input"]}
    text = json.dumps(policy, sort_keys=True, separators=(",", ":"))
    return {
        "policy": replace(said, policy=policy),
        "policy and digest": replace(
            said, policy=policy, digest=hashlib.sha256(text.encode()).hexdigest()
        ),
        "rule": replace(said, rules=(said.rules[0] | {"action": "allow"}, *said.rules[1:])),
        "rule left out": replace(said, rules=said.rules[1:]),
    }[what]


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("policy", "not the one that its digest is of"),
        ("policy and digest", "not the one in the recording's header"),
        ("rule", "are not those of the policy"),
        ("rule left out", "are not those of the policy"),
    ],
)
def test_a_recording_that_contradicts_itself_is_said_to(gate: Cli, what: str, message: str) -> None:
    answer = gate("policy", "show", "--session", recorded(gate, altered(frozen(*RULES), what)))

    assert answer.status == 1
    assert message in answer.err


def test_a_recording_without_a_policy_is_not_found(gate: Cli, tmp_path: Path) -> None:
    answer = gate("policy", "show", "--session", recorded(gate, None))

    assert answer.status == 3
    assert "says of no policy" in answer.err
