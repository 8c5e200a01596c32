"""The header of RFC 5424 and the framing of RFC 6587."""

from __future__ import annotations

from dataclasses import replace

import pytest

from watchgate.siem.syslog import FACILITIES, HEADER, bounded, framed, message

from . import parsers
from .facts import HOSTILE, SESSION, fact


def sent(
    text: bytes = b"CEF:0|...", node: str = "gate1", limit: int = 7680, **of: str | int
) -> bytes:
    event = replace(fact("session.refused"), **of)  # type: ignore[arg-type]
    return message(event, text, node=node, app_name="watchgate", facility="authpriv", limit=limit)


def test_a_message_as_the_grammar_has_it() -> None:
    parts = parsers.syslog(sent())

    assert parts["priority"] == str(10 * 8 + 3)
    assert parts["at"] == "2026-05-28T20:26:41.234567Z"
    assert (parts["host"], parts["app"], parts["process"]) == ("gate1", "watchgate", "-")
    assert parts["message_id"] == "session.refused"
    assert parts["structured"] == (
        f'[watchgate@32473 uid="{fact("x").uid}" session="{SESSION}" seq="7"]'
    )
    assert parts["text"] == "CEF:0|..."


def test_an_event_of_the_gateway_has_no_session_in_its_structured_data() -> None:
    assert "session=" not in parsers.syslog(sent(session=""))["structured"]


def test_hostile_names_stay_within_their_fields() -> None:
    octets = sent(node=HOSTILE, kind=HOSTILE, session=HOSTILE, uid=HOSTILE)
    parts = parsers.syslog(octets)

    assert parts["host"].startswith('|=???"]')
    assert '\\"\\]\\\\' in parts["structured"]


def test_the_longest_header_is_within_what_is_kept_for_it() -> None:
    octets = sent(text=b"", node="n" * 999, kind="k" * 999, seq=2**63)

    assert len(octets) <= HEADER


def test_nothing_stands_where_a_name_is_empty() -> None:
    assert parsers.syslog(sent(node="", kind=""))["host"] == "-"


@pytest.mark.parametrize("most", range(3, 12))
def test_a_long_message_is_cut_between_characters(most: int) -> None:
    text = bounded("ä漢😀ß".encode(), most)

    assert len(text) <= most
    assert text.decode().endswith("...") or text.decode() == "ä漢😀ß"


def test_a_frame_says_how_many_octets_follow() -> None:
    assert framed("ä\n".encode()) == b"3 \xc3\xa4\n"


def test_facilities_are_those_of_the_rfc() -> None:
    assert (FACILITIES["auth"], FACILITIES["authpriv"], FACILITIES["local0"]) == (4, 10, 16)
    assert sorted(FACILITIES.values()) == sorted({*range(15), *range(16, 24)})
