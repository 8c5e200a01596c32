"""Events keep every octet, survive their JSON form, and tolerate what they do not know."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.session.events import (
    KINDS,
    CommandRequested,
    Envelope,
    UnknownEvent,
    octets,
    revive,
    text,
)


@given(st.binary(max_size=200))
def test_text_keeps_every_octet(data: bytes) -> None:
    envelope = Envelope(1_780_000_000_000_001, "s", 4, CommandRequested(1, text(data)))

    line = envelope.to_json()

    assert line.isascii()
    assert "\n" not in line
    back = Envelope.from_json(line)
    assert back == envelope
    assert isinstance(back.event, CommandRequested)
    assert octets(back.event.command) == data


def test_an_unknown_kind_is_kept_as_it_was_read() -> None:
    line = '{"at_us":1,"session":"s","seq":2,"kind":"moon.rose","v":3,"data":{"over":"sea"}}'

    envelope = Envelope.from_json(line)

    assert envelope.event == UnknownEvent("moon.rose", 3, {"over": "sea"})
    assert json.loads(envelope.to_json())["data"] == {"over": "sea"}
    assert json.loads(envelope.to_json())["kind"] == "moon.rose"


def test_unknown_fields_are_skipped_and_missing_ones_make_it_unknown() -> None:
    extra = {"channel": 1, "command": "ls", "mood": "good"}

    assert revive("command.requested", 1, extra) == CommandRequested(1, "ls")
    assert isinstance(revive("command.requested", 1, {"channel": 1}), UnknownEvent)
    assert isinstance(revive("command.requested", 2, extra), UnknownEvent)


@pytest.mark.parametrize("line", ["{}", "[]", "", "nope", '{"at_us":"x"}', '{"at_us":1}'])
def test_what_is_no_event_is_an_error_of_value(line: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any of json's or ours, all ValueErrors
        Envelope.from_json(line)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_kind_says_what_it_means(name: str) -> None:
    event = KINDS[name]
    noun, _, verb = name.partition(".")

    assert noun
    assert verb
    assert (event.__doc__ or "").rstrip().endswith(".")
    assert not (event.__doc__ or "").startswith(event.__name__ + "(")
    assert all(field.name.islower() for field in fields(event))
