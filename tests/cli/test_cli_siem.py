"""`watchgate siem`: how sinks stand, a try of each, and what events look like."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from watchgate.catalog import outbox
from watchgate.catalog.database import Catalog
from watchgate.cli.checks import Finding, Verdict
from watchgate.cli.checks_siem import check_sinks
from watchgate.session.events import KINDS
from watchgate.settings import load
from watchgate.siem.fact import UNTOLD, Fact

from .command_line import Cli

TOLD = set(KINDS) - UNTOLD


def add_sink(data: Path, *lines: str) -> None:
    with (data / "watchgate.toml").open("a") as file:
        file.write("\n".join(["", "[[siem.sinks]]", *lines]) + "\n")


@contextmanager
def state(data: Path, *names: str) -> Iterator[Catalog]:
    """The catalog of a gateway that served with these sinks."""
    with Catalog.open(data / "catalog.db") as catalog:
        with catalog.write() as connection:
            outbox.register(connection, names)
        yield catalog


@dataclass
class Listener:
    """A TCP port that keeps what it hears."""

    port: int = 0
    heard: bytearray = field(default_factory=bytearray)


@contextmanager
def listening() -> Iterator[Listener]:
    made = Listener()
    with socket.create_server(("127.0.0.1", 0)) as server:
        made.port = server.getsockname()[1]
        server.settimeout(20)

        def take() -> None:
            connection, _ = server.accept()
            with connection:
                while octets := connection.recv(65536):
                    made.heard += octets

        thread = threading.Thread(target=take)
        thread.start()
        yield made
        thread.join(20)


def test_without_a_sink_status_says_what_to_write(gate: Cli) -> None:
    assert "write a [[siem.sinks]] table" in gate.done("siem", "status")
    assert gate.json("siem", "status") == []


def test_status_says_how_each_sink_stands(gate: Cli) -> None:
    add_sink(gate.data, 'name = "old"', 'url = "relp://192.0.2.9:2514"')
    add_sink(gate.data, 'name = "bad"', 'url = "tls://192.0.2.9:6514"', 'format = "ecs"')
    add_sink(gate.data, 'name = "fresh"', 'url = "udp://192.0.2.9:514"')
    with state(gate.data, "old", "bad") as catalog, catalog.write() as connection:
        facts = [Fact(str(n), 1_780_000_000_000_000 + n, "x.y", 1, "", n, {}) for n in range(9)]
        outbox.put(connection, facts)
        outbox.advance(connection, "old", 9, delivered=9, at_us=1_780_000_001_000_000)
        outbox.drop(connection, "bad", 4, 3)
        outbox.failing(connection, "bad", 1_780_000_002_000_000, "nobody \x1b[2Jlistens")
    shown = gate.done("siem", "status", "--utc")
    old, bad, fresh = gate.json("siem", "status")

    assert "old: at least once: the receiver acknowledges each event" in shown
    assert "bad: at least once as far as resending goes" in shown
    assert "bad: fails since 2026-05-28 " in shown
    assert "bad: 3 events were never sent to it" in shown
    assert "fresh: best effort" in shown
    assert "fresh: nothing is kept for it yet" in shown
    assert "\x1b" not in shown
    assert (old["waiting"], old["delivered"], old["registered"]) == (0, 9, True)
    assert (bad["waiting"], bad["dropped"], bad["guarantee"]) == (5, 3, "resent")
    assert (fresh["registered"], fresh["guarantee"]) == (False, "best effort")


def test_a_try_sends_one_of_each_kind_and_is_in_the_journal(gate: Cli) -> None:
    with listening() as listener:
        url = f'url = "tcp://127.0.0.1:{listener.port}"'
        add_sink(gate.data, 'name = "siem"', url, 'kinds = ["none.such"]')
        said = gate.done("siem", "test", "siem")
    tested = gate.json("journal", "list")[0]

    assert all(f" {kind} [".encode() in listener.heard for kind in TOLD)
    assert listener.heard.count(b'"test":true') == len(TOLD)
    assert f"{len(TOLD)} events, one of each kind, sent, but not acknowledged, to siem" in said
    assert tested["kind"] == "sink.tested"
    assert f'"events": {len(TOLD)}' in json.dumps(tested)


def test_a_try_that_fails_says_how_far_it_came(gate: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    add_sink(gate.data, 'name = "siem"', f'url = "tcp://127.0.0.1:{port}"')
    answer = gate("siem", "test", "siem")

    assert answer.status == 1
    assert f"0 of {len(TOLD)} events reached siem, then: nobody listens on" in answer.err


def test_a_sink_that_is_not_there_names_those_that_are(gate: Cli) -> None:
    before = gate("siem", "test", "siem")
    add_sink(gate.data, 'name = "other"', 'url = "udp://192.0.2.9:514"')
    after = gate("siem", "test", "siem")

    assert "none is configured" in before.err
    assert "there are other" in after.err
    assert before.status == after.status == 3


@pytest.mark.parametrize(
    ("form", "begins"),
    [("cef", "CEF:0|"), ("leef", "LEEF:"), ("ecs", "{"), ("ocsf", "{"), ("json", "{")],
)
def test_an_event_is_shown_in_each_format(gate: Cli, form: str, begins: str) -> None:
    shown = gate.done("siem", "show", "command.requested", "--format", form)
    told = gate.json("siem", "show", "command.requested", "--format", form)

    assert shown.startswith(begins)
    assert "uname -a" in shown
    assert told["format"] == form
    assert json.loads(shown) if begins == "{" else "\n" not in shown.rstrip("\n")


def test_an_event_is_shown_as_a_sink_gets_it(gate: Cli) -> None:
    add_sink(gate.data, 'name = "siem"', 'url = "udp://192.0.2.9:514"', 'format = "leef"')

    assert gate.done("siem", "show", "session.opened", "--sink", "siem").startswith("LEEF:")
    assert "did you mean session.opened" in gate("siem", "show", "session.opend").err
    assert "there are cef" in gate("siem", "show", "session.opened", "--format", "x").err


# --- doctor ------------------------------------------------------------------------------------


def findings(data: Path) -> list[Finding]:
    return list(check_sinks(load(data, environment={})))


def test_the_doctor_looks_at_sinks_and_at_what_they_need(gate: Cli, tmp_path: Path) -> None:
    add_sink(gate.data, 'name = "good"', 'url = "relp://192.0.2.9:2514"')
    add_sink(gate.data, 'name = "bad"', 'url = "tcp://192.0.2.9:514"')
    add_sink(
        gate.data,
        *('name = "new"', 'url = "https://192.0.2.9/x"', 'token = "file:none"', 'ca = "none.pem"'),
    )
    with state(gate.data, "good", "bad") as catalog, catalog.write() as connection:
        outbox.failing(connection, "bad", 1_780_000_002_000_000, "nobody listens")
    found = findings(gate.data)

    assert [one.verdict for one in found] == [
        *(Verdict.GOOD, Verdict.BAD, Verdict.WARNING),
        *(Verdict.BAD, Verdict.BAD),
    ]
    assert found[0].detail == "good (at least once), 0 wait"
    assert "fails since 2026-05-28" in found[1].detail
    assert "the secret file:none cannot be read" in found[3].detail
    assert "none.pem" in found[4].detail


def test_the_doctor_says_when_much_waits(gate: Cli) -> None:
    (gate.data / "watchgate.toml").write_text("[siem]\nbacklog = 1000\n")
    add_sink(gate.data, 'name = "slow"', 'url = "relp://192.0.2.9:2514"')
    with state(gate.data, "slow") as catalog, catalog.write() as connection:
        facts = [Fact(str(n), n, "x.y", 1, "", n, {}) for n in range(501)]
        outbox.put(connection, facts)
    (found,) = findings(gate.data)

    assert found.verdict is Verdict.WARNING
    assert "501 events wait for slow; beyond 1000 the oldest go" in found.detail


def test_the_doctor_has_nothing_to_say_without_sinks(gate: Cli) -> None:
    assert findings(gate.data) == []
