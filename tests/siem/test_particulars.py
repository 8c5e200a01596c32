"""What an event says, under the names that all views share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from watchgate.siem.particulars import EXCEPTIONS, ROLES, Peer, Role, particulars, peer

from .facts import CONTEXT, SESSION, fact


@pytest.mark.parametrize(
    ("text", "host", "port", "ip"),
    [
        ("192.0.2.7:22", "192.0.2.7", 22, "192.0.2.7"),
        ("[2001:db8::7]:22", "2001:db8::7", 22, "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7", None, "2001:db8::7"),
        ("[fe80::1%eth0]:22", "fe80::1%eth0", 22, "fe80::1"),
        ("db.example:5432", "db.example", 5432, None),
        ("db.example", "db.example", None, None),
        ("192.0.2.7:99999", "192.0.2.7:99999", None, None),
        ("192.0.2.7:²", "192.0.2.7:²", None, None),
        (":22", ":22", None, None),
        ("a:b:22", "a:b:22", None, None),
    ],
)
def test_an_end_of_a_connection_is_read_as_far_as_it_can_be(
    text: str, host: str, port: int | None, ip: str | None
) -> None:
    assert peer(text) == Peer(host, port)
    assert peer(text).ip == ip


def test_what_an_event_says_counts_more_than_its_session_unless_it_says_nothing() -> None:
    said = particulars(fact("target.reached", target="web2", account=""), 4000)

    assert said.texts[Role.TARGET] == "web2"
    assert said.texts[Role.ACCOUNT] == "root"


def test_the_protocol_of_a_transfer_is_not_that_of_the_session() -> None:
    said = particulars(fact("file.moved", protocol="sftp"), 4000)

    assert said.texts[Role.PROTOCOL] == "ssh"
    assert said.details["protocol"] == "sftp"


def test_an_administrator_who_acts_is_who_is_told() -> None:
    journal = replace(fact("settings.changed", actor="carol"), session="", context={})

    assert particulars(journal, 4000).texts[Role.OPERATOR] == "carol"


def test_a_message_is_a_sentence() -> None:
    command = particulars(fact("command.requested", command="id -u"), 4000)
    unknown = particulars(replace(fact("tomorrow.invented"), context={}), 4000)

    assert command.message == "Command requested: alice as root on web1: id -u"
    assert unknown.message == "Event tomorrow.invented"


def test_both_forms_of_a_command_and_its_rules_are_told_as_texts() -> None:
    data: dict[str, Any] = {
        "command": "rm  -rf '/'",
        "normalized": ["rm -r -f /", "id"],
        "rules": ["a", "b"],
    }
    said = particulars(fact("command.decided", **data, message="ask first"), 4000)

    assert said.texts[Role.COMMAND] == "rm  -rf '/'"
    assert said.texts[Role.NORMALIZED] == "rm -r -f /; id"
    assert said.texts[Role.RULES] == "a, b"
    assert said.texts[Role.REASON] == "ask first"


def test_a_list_that_holds_no_texts_goes_with_the_details() -> None:
    said = particulars(fact("command.decided", rules=[1, "a"], normalized=[]), 4000)

    assert said.details["rules"] == [1, "a"]
    assert Role.NORMALIZED not in said.texts


def test_values_of_the_wrong_kind_go_with_the_details() -> None:
    said = particulars(fact("command.finished", exit_status="zero", duration_us=True), 4000)

    assert said.details["exit_status"] == "zero"
    assert said.details["duration_us"] is True
    assert Role.EXIT_STATUS not in said.numbers


@pytest.mark.parametrize("started", [None, "soon", True])
def test_there_is_no_offset_without_a_beginning(started: object) -> None:
    event = replace(fact("session.opened"), context=CONTEXT | {"started_at_us": started})

    assert particulars(event, 4000).offset_ms is None


def test_an_event_before_the_beginning_has_the_offset_zero() -> None:
    event = replace(fact("session.opened"), at_us=0)

    assert particulars(event, 4000).offset_ms == 0
    assert particulars(event, 4000).fact.session == SESSION


def test_every_role_can_be_said() -> None:
    assert {*ROLES.values(), *EXCEPTIONS.values()} - {None} == set(Role)
