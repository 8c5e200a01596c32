"""Every kind of event in every format, also when an attacker chose each text of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from watchgate.session.events import KINDS
from watchgate.siem import cef, leef
from watchgate.siem.fact import Fact
from watchgate.siem.legible import lines, one_line
from watchgate.siem.meaning import MEANINGS
from watchgate.siem.severity import severity_of
from watchgate.siem.views import VIEWS, mapping_table

from . import parsers
from .facts import CONTEXT, HOST, HOSTILE, SESSION, fact, hostile_fact

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
EVERY_KIND = [*sorted(KINDS), "tomorrow.invented"]
COMMAND = fact("command.requested", command="rm -rf / | tee x=1", source="exec")


def shown(name: str, event: Fact) -> str:
    return VIEWS[name](event, HOST).decode("utf-8")


# --- what holds for all ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", EVERY_KIND)
@pytest.mark.parametrize("name", VIEWS)
def test_hostile_text_breaks_no_line_and_carries_the_id(name: str, kind: str) -> None:
    for text in (HOSTILE, HOSTILE * 20, "x" * 100_000, HOSTILE * 2_500, ""):
        message = VIEWS[name](hostile_fact(kind, text), HOST)

        assert len(message) <= HOST.limit
        assert not CONTROL.search(message.decode("utf-8"))
        assert hostile_fact(kind).uid.encode() in message


@pytest.mark.parametrize("name", VIEWS)
def test_an_unknown_event_may_hold_anything(name: str) -> None:
    data: dict[str, Any] = {
        f"{HOSTILE}{number}": {"a": [{"b": [{"c": [{"d": [HOSTILE]}]}]}]} for number in range(1000)
    }
    data |= {
        "operator": 7,
        "exit_status": "none",
        "client": ["x"],
        "big": 10**400,
        "nan": float("nan"),
    }
    odd = replace(fact("x"), kind=HOSTILE * 9, session=HOSTILE * 9, data=data, context=data)
    message = VIEWS[name](odd, replace(HOST, node=HOSTILE))

    assert len(message) <= HOST.limit
    assert not CONTROL.search(message.decode("utf-8"))
    if name in {"ecs", "ocsf", "json"}:
        json.loads(message, parse_constant=pytest.fail)


@pytest.mark.parametrize("name", VIEWS)
def test_no_byte_order_mark_stands_before_a_message(name: str) -> None:
    message = VIEWS[name](COMMAND, HOST)

    assert message[:1] in (b"C", b"L", b"{")


# --- CEF -------------------------------------------------------------------------------------------


def test_cef_of_a_command() -> None:
    header, values = parsers.cef(shown("cef", COMMAND))

    assert header == [
        "0",
        "Watchgate",
        "Watchgate",
        "0.3.0",
        "command.requested",
        "Command requested",
        "3",
    ]
    assert values["rt"] == "1780000001234"
    assert (values["suser"], values["duser"], values["dhost"]) == ("alice", "root", "web1")
    assert (values["src"], values["spt"], values["app"]) == ("192.0.2.7", "50022", "ssh")
    assert (values["cs1Label"], values["cs1"]) == ("command", "rm -rf / | tee x=1")
    assert (values["cs2Label"], values["cs2"]) == ("sessionId", SESSION)
    assert (values["cn1Label"], values["cn1"]) == ("recordingOffsetMs", "1234")
    assert (values["act"], values["outcome"]) == ("requested", "unknown")
    assert json.loads(values["cs6"]) == {
        "channel": 42,
        "source": "exec",
        "confidence": "text",
        "place": "text",
        "program": "text",
        "cwd": "text",
    }


def test_every_format_tells_both_forms_of_a_command_and_the_rules_that_it_met() -> None:
    data: dict[str, Any] = {
        "command": "rm  -rf '/'",
        "normalized": ["rm -r -f /"],
        "rules": ["no-rm"],
    }
    event = fact("command.decided", **data, outcome="block", severity="high")
    cef, leef = parsers.cef(shown("cef", event))[1], parsers.leef(shown("leef", event))[1]
    ecs, ocsf = json.loads(shown("ecs", event)), json.loads(shown("ocsf", event))

    assert (cef["cs1"], cef["flexString1"], cef["flexString2"]) == (
        "rm  -rf '/'",
        "rm -r -f /",
        "no-rm",
    )
    assert (leef["command"], leef["normalizedCommand"], leef["rules"], leef["sev"]) == (
        "rm  -rf '/'",
        "rm -r -f /",
        "no-rm",
        "8",
    )
    assert ecs["process"]["command_line"] == ocsf["process"]["cmd_line"] == "rm  -rf '/'"
    assert (ecs["watchgate"]["command"]["normalized"], ecs["rule"]["name"]) == (
        "rm -r -f /",
        "no-rm",
    )
    assert (ocsf["unmapped"]["normalized_command"], ocsf["disposition_id"]) == ("rm -r -f /", 2)


def test_a_locked_operator_is_told_as_the_user_whose_account_it_is() -> None:
    event = replace(fact("operator.locked", operator="alice", by="rule no-rm"), context={})
    ocsf = json.loads(shown("ocsf", event))

    assert (ocsf["class_uid"], ocsf["activity_name"]) == (3001, "Lock")
    assert (ocsf["user"]["name"], ocsf["actor"]["user"]["name"]) == ("alice", "rule no-rm")


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_cef_gives_hostile_fields_back(kind: str) -> None:
    header, values = parsers.cef(shown("cef", hostile_fact(kind)))
    legible = lines(HOSTILE).replace("\t", "\\x09")

    assert header[4] == kind
    assert header[6] == str(severity_of(hostile_fact(kind)))
    assert values["suser"] == legible
    assert values["dhost"] == legible
    assert values["externalId"] == hostile_fact(kind).uid


def test_cef_keeps_line_ends_and_shows_other_controls() -> None:
    event = fact("command.requested", command="a\nb\r\tc\x1b\udcff|=\\")
    line = shown("cef", event)

    assert r"cs1=a\nb\r\\x09c\\x1b\\xff|\=\\ " in line
    assert parsers.cef(line)[1]["cs1"] == "a\nb\r\\x09c\\x1b\\xff|=\\"


def test_cef_escapes_pipes_in_the_header_only() -> None:
    event = replace(fact("a|b\\c"), context={})
    line = shown("cef", event)

    assert "|a\\|b\\\\c|" in line
    assert parsers.cef(line)[0][4] == "a|b\\c"


def test_a_cef_value_is_as_long_as_its_dictionary_lets_it_be() -> None:
    values = parsers.cef(shown("cef", fact("operator.refused", "x" * 100_000)))[1]

    assert values["reason"] == "x" * 1020 + "..."
    assert values["shost"] == "x" * 1020 + "..."
    assert values["suser"] == "x" * 1020 + "..."


def test_details_of_any_length_stay_json() -> None:
    event = fact("settings.changed", detail={str(n): "y" * 5000 for n in range(50)})

    assert json.loads(parsers.cef(shown("cef", event))[1]["cs6"])["detail"]["0"].endswith("...")
    assert json.loads(parsers.leef(shown("leef", event))[1]["details"])["detail"]["0"].endswith(
        "..."
    )


def test_an_address_that_is_a_name_goes_where_names_belong() -> None:
    event = fact("target.reached", address="db.example:22", client="gw.example:1")
    values = parsers.cef(shown("cef", event))[1]

    assert (values["destinationDnsDomain"], values["dpt"]) == ("db.example", "22")
    assert "dst" not in values


def test_an_ipv6_client_keeps_its_port_apart() -> None:
    event = replace(COMMAND, context=CONTEXT | {"client": "[2001:db8::7]:50022"})
    values = parsers.cef(shown("cef", event))[1]

    assert (values["src"], values["spt"]) == ("2001:db8::7", "50022")


# --- LEEF ------------------------------------------------------------------------------------------


def test_leef_of_a_command() -> None:
    header, values = parsers.leef(shown("leef", COMMAND))

    assert header == ["Watchgate", "Watchgate", "0.3.0", "command.requested"]
    assert values["devTime"] == "1780000001234"
    assert (values["usrName"], values["accountName"], values["resource"]) == (
        "alice",
        "root",
        "web1",
    )
    assert (values["src"], values["srcPort"]) == ("192.0.2.7", "50022")
    assert values["command"] == "rm -rf / | tee x=1"
    assert (values["sev"], values["action"]) == ("3", "requested")


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_leef_gives_hostile_fields_back(kind: str) -> None:
    header, values = parsers.leef(shown("leef", hostile_fact(kind)))
    legible = one_line(HOSTILE.replace("\n", "\\n").replace("\r", "\\r")).replace("^", "\\x5e")

    assert header[3] == kind
    assert values["usrName"] == legible
    assert values["resource"] == legible
    assert values["externalId"] == hostile_fact(kind).uid


# --- the JSON formats ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_json_is_the_event_with_its_session(kind: str) -> None:
    event = fact(kind)
    document = json.loads(shown("json", event))

    assert document["uid"] == event.uid
    assert (document["kind"], document["v"]) == (kind, 1)
    assert (document["session"], document["seq"]) == (SESSION, 7)
    assert document["at"] == "2026-05-28T20:26:41.234567Z"
    assert document["data"] == event.data
    assert document["context"] == CONTEXT
    assert document["severity"] == severity_of(event)


def test_json_keeps_tabs_and_line_ends_and_shows_the_rest() -> None:
    document = json.loads(shown("json", hostile_fact("command.requested")))

    assert document["data"]["command"] == lines(HOSTILE)
    assert document["data"]["command"].startswith(
        '|=\n\r\t"]\\ \\x00\\x1b[31m\\u0085\\u202eäß漢字😀\\x80\\ud800'
    )


def test_ecs_of_a_command() -> None:
    document = json.loads(shown("ecs", COMMAND))

    assert document["@timestamp"] == "2026-05-28T20:26:41.234567Z"
    assert document["event"]["id"] == COMMAND.uid
    assert document["event"]["kind"] == "event"
    assert document["event"]["action"] == "command.requested"
    assert (document["event"]["category"], document["event"]["type"]) == (["process"], ["start"])
    assert document["user"] == {"name": "alice", "target": {"name": "root"}}
    assert document["process"]["command_line"] == "rm -rf / | tee x=1"
    assert document["source"] == {"address": "192.0.2.7", "ip": "192.0.2.7", "port": 50022}
    assert document["destination"]["domain"] == "web1"
    assert document["labels"]["session_id"] == SESSION
    assert document["related"] == {
        "user": ["alice", "root"],
        "hosts": ["web1"],
        "ip": ["192.0.2.7"],
    }
    assert document["watchgate"]["data"]["channel"] == 42


def test_ecs_makes_no_fields_of_free_keys() -> None:
    event = fact("environment.passed", passed={"LANG": "C", "LC_ALL": "C"}, withheld=["PATH"])
    document = json.loads(shown("ecs", event))

    assert document["watchgate"]["data"]["passed"] == '{"LANG":"C","LC_ALL":"C"}'
    assert document["watchgate"]["data"]["withheld"] == ["PATH"]


def test_ecs_calls_what_was_refused_an_alert() -> None:
    document = json.loads(shown("ecs", fact("session.refused")))

    assert document["event"]["kind"] == "alert"
    assert document["event"]["type"] == ["denied"]
    assert document["event"]["outcome"] == "failure"


@pytest.mark.parametrize("kind", EVERY_KIND)
@pytest.mark.parametrize("name", ["ecs", "ocsf"])
def test_a_hostile_command_comes_back_from_json(name: str, kind: str) -> None:
    document = json.loads(shown(name, hostile_fact(kind)))

    assert lines(HOSTILE) in json.dumps(document, ensure_ascii=False).replace("\\\\", "\\") or any(
        lines(HOSTILE) == value for value in _texts(document)
    )


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in items for text in _texts(item)]


# --- nothing is left out ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("name", VIEWS)
def test_each_field_of_an_event_arrives_in_each_format(name: str, kind: str) -> None:
    event = fact(kind)
    marked = {
        field: f"mark-{field}" for field, value in event.data.items() if isinstance(value, str)
    }
    message = shown(name, fact(kind, **marked))
    missing = [mark for mark in marked.values() if mark not in message]

    assert missing == []


def test_the_page_names_every_kind_and_format() -> None:
    page = "".join(mapping_table())

    assert [kind for kind in MEANINGS if f"| `{kind}` |" not in page] == []
    assert {"suser", "usrName", "user.name", "actor.user.name"} <= set(re.findall(r"[\w.]+", page))
    assert all(line.count("|") >= 5 for line in page.splitlines() if line.startswith("|"))


def test_two_roles_never_share_a_key() -> None:
    for table in (cef.TEXTS, cef.NUMBERS, leef.TEXTS, leef.NUMBERS):
        assert len(set(table.values())) == len(table)
