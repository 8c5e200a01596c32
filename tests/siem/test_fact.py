"""Facts: what the outbox keeps, and the ids by which duplicates show."""

from __future__ import annotations

import uuid

import pytest

from watchgate.session.events import CommandRequested, Envelope, UnknownEvent
from watchgate.siem.fact import Fact, uid_of, uid_of_entry

from .facts import CONTEXT, HOSTILE, SESSION, hostile_fact


def test_a_fact_comes_back_from_json_with_every_character() -> None:
    kept = hostile_fact("command.requested").to_json()

    assert kept.isascii()
    assert "\n" not in kept
    assert Fact.from_json(kept) == hostile_fact("command.requested")
    assert Fact.from_json(kept).data["command"] == HOSTILE


@pytest.mark.parametrize("line", ["{}", "[]", "1", '{"uid":"u"}', "", "{"])
def test_what_is_no_fact_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"not a fact|Expecting"):
        Fact.from_json(line)


def test_an_event_has_the_same_id_each_time() -> None:
    envelope = Envelope(1, SESSION, 7, CommandRequested(1, "id"))
    first, again = Fact.of(envelope, CONTEXT), Fact.of(envelope, {})

    assert first.uid == again.uid == uid_of(SESSION, 7)
    assert first.data["command"] == "id"
    assert str(uuid.UUID(first.uid)) == first.uid


def test_ids_of_different_events_differ() -> None:
    ids = {uid_of(SESSION, 1), uid_of(SESSION, 11), uid_of(SESSION + "1", 1), uid_of("", 1)}

    assert len(ids | {uid_of_entry(SESSION), uid_of_entry("ab")}) == 6


def test_an_unknown_event_keeps_its_name_and_version() -> None:
    made = Fact.of(Envelope(1, SESSION, 7, UnknownEvent("tomorrow.invented", 3, {"a": 1})), {})

    assert (made.kind, made.v, made.data) == ("tomorrow.invented", 3, {"a": 1})
