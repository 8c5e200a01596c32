"""OCSF events hold to the classes of the schema."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from watchgate.session.events import KINDS
from watchgate.siem.fact import Fact
from watchgate.siem.ocsf import ocsf

from .facts import CONTEXT, HOST, SESSION, fact, hostile_fact
from .ocsf_classes import complaints


def event_of(made: Fact) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(ocsf(made, HOST))
    return document


@pytest.mark.parametrize("kind", [*sorted(KINDS), "tomorrow.invented"])
def test_every_kind_holds_to_its_class(kind: str) -> None:
    bare = Fact(fact(kind).uid, 1, kind, 1, "", 0, {}, {})

    assert complaints(event_of(fact(kind))) == []
    assert complaints(event_of(fact(kind, ""))) == []
    assert complaints(event_of(hostile_fact(kind))) == []
    assert complaints(event_of(replace(fact(kind), context={}))) == []
    assert complaints(event_of(bare)) == []


def test_a_command_is_a_launched_process() -> None:
    event = event_of(fact("command.requested", command="id"))

    assert (event["class_uid"], event["activity_id"], event["type_uid"]) == (1007, 1, 100701)
    assert event["process"]["cmd_line"] == "id"
    assert event["process"]["user"] == {"name": "root"}
    assert event["actor"] == {"user": {"name": "alice"}, "session": {"uid": SESSION}}
    assert event["device"]["name"] == "web1"
    assert event["metadata"]["correlation_uid"] == SESSION
    assert event["unmapped"]["recording"] == CONTEXT["recording"]
    assert event["time"] == 1780000001234


def test_a_command_and_its_end_are_the_same_process() -> None:
    started = event_of(fact("command.requested"))
    finished = event_of(fact("command.finished", exit_status=3, duration_us=5_000_000))

    assert started["process"]["uid"] == finished["process"]["uid"]
    assert (finished["exit_code"], finished["duration"]) == (3, 5000)


def test_what_was_refused_says_so_by_the_security_control_profile() -> None:
    event = event_of(fact("forward.refused"))

    assert event["metadata"]["profiles"] == ["host", "network_proxy", "security_control"]
    assert (event["action_id"], event["disposition_id"], event["is_alert"]) == (2, 2, True)


def test_a_file_that_moved_has_direction_and_digest() -> None:
    event = event_of(
        fact("file.moved", direction="download", path="/var/lib/a b", size=9, digest="ab" * 32)
    )

    assert (event["class_uid"], event["activity_name"]) == (6006, "Download")
    assert event["file"]["name"] == "a b"
    assert event["file"]["path"] == "/var/lib/a b"
    assert event["file"]["size"] == 9
    assert event["file"]["hashes"] == [
        {"algorithm_id": 3, "algorithm": "SHA-256", "value": "ab" * 32}
    ]


@pytest.mark.parametrize(
    ("action", "activity", "kind"),
    [
        ("operator.added", 1, "operator"),
        ("grant.revoked", 4, "grant"),
        ("operator.key-removed", 4, "operator"),
        ("operator.password-set", 3, "operator"),
        ("odd", 3, "odd"),
    ],
)
def test_a_change_of_settings_is_the_change_of_an_entity(
    action: str, activity: int, kind: str
) -> None:
    event = event_of(fact("settings.changed", action=action, subject="bob", actor="carol"))

    assert event["activity_id"] == activity
    assert event["entity"] == {"name": "bob", "type": kind}
    assert event["actor"]["user"] == {"name": "carol"}


def test_a_login_past_the_gateway_is_a_finding() -> None:
    event = event_of(fact("coverage.bypassed", source="203.0.113.9", target="web1"))

    assert (event["class_uid"], event["severity_id"], event["is_alert"]) == (2004, 6, True)
    assert event["finding_info"]["title"] == "Login past the gateway"
    assert event["evidences"][0]["src_endpoint"] == {"ip": "203.0.113.9"}
    assert event["resources"] == [{"name": "web1"}]


def test_a_login_with_two_methods_is_multi_factor() -> None:
    event = event_of(fact("operator.authenticated", methods=["publickey", "totp"]))

    assert (event["class_uid"], event["is_mfa"]) == (3002, True)
    assert event["src_endpoint"] == {"ip": "192.0.2.7", "port": 50022}
