"""Events as lines of a transcript."""

from __future__ import annotations

from dataclasses import fields

import pytest

from watchgate.recording.export.sentences import sentence
from watchgate.session.events import (
    KINDS,
    ApprovalAnswered,
    ChannelClosed,
    ChannelOpened,
    CommandDecided,
    CommandFinished,
    CommandRequested,
    Event,
    IntegrationTampered,
    RulesFrozen,
    TargetTrusted,
    UnknownEvent,
    text,
)

CASES: list[tuple[Event, str]] = [
    (ChannelOpened(1, "exec"), "channel 1 opened: exec, no terminal"),
    (ChannelClosed(1, None, "KILL", 0, 0), "channel 1 closed, killed by signal KILL"),
    (ChannelClosed(1, None, None, 0, 0), "channel 1 closed"),
    (CommandFinished(1, 9, 2, None, 1_500_000), "command ended after 1.500 s, exit status 2"),
    (TargetTrusted("web1", "a\nb"), "target.trusted target=web1 host_key=a\\x0ab"),
    (
        CommandDecided(
            *(1, 9, "rm", ["rm -r -f /"], [], "block", ["no-rm"], ["later"], "high", 25, 25, 39),
            *("exact", "exec", "ab" * 32, "", 2),
        ),
        "verdict: BLOCKED by no-rm, severity high, 2 tries left (shadow: later): rm -r -f /",
    ),
    (RulesFrozen("ab" * 32, [{"name": "no-rm"}, {}]), "rules of this session: no-rm, ?"),
    (
        CommandRequested(1, "\\! id", "screen", "inferred", "escape", "psql"),
        "command in psql, inferred: \\! id",
    ),
    (
        ApprovalAnswered("a", "alice", "bob", False, "not today", "reboot"),
        "refused by bob (not today): reboot",
    ),
    (
        IntegrationTampered(1, "the hook is gone", "high", True),
        "TAMPERING (high): the hook is gone; the session is ended",
    ),
    (UnknownEvent("new.kind", 7, {"x": text(b"\xff\x1b")}), "new.kind x=\\xff\\x1b"),
]


@pytest.mark.parametrize(("event", "expected"), CASES)
def test_an_event_is_one_safe_line(event: Event, expected: str) -> None:
    assert sentence(event) == expected


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_can_be_said_whatever_stands_in_it(name: str) -> None:
    for value in ("\x1b", None, 7):
        event = KINDS[name](*(value for _ in fields(KINDS[name])))

        assert sentence(event).isprintable()
