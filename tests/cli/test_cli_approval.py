"""`watchgate approval`, and `operator lock` where a gateway serves: through its control socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from watchgate.api.control import ControlServer
from watchgate.catalog.database import Catalog
from watchgate.catalog.journal import CatalogJournal
from watchgate.catalog.thread import CatalogThread
from watchgate.clock import SystemClock
from watchgate.errors import Refused
from watchgate.guarding import Guarding
from watchgate.identity.authentication import Authenticator
from watchgate.identity.passwords import Cost, Passwords
from watchgate.identity.throttle import Throttle
from watchgate.session.control import Sessions
from watchgate.session.model import (
    Account,
    Address,
    CredentialKind,
    Grant,
    Operator,
    Route,
    Target,
)
from watchgate.session.ports import ApprovalAnswer, ApprovalRequest
from watchgate.settings import load
from watchgate.vault.vault import Vault

from .command_line import Cli

PASSWORD = "correct horse battery"
ROUTE = Route(
    Operator("o1", "alice"),
    Target("t1", "web1", "ssh", Address("10.0.0.5", 22)),
    Account("a1", "root", "web1", CredentialKind.CERTIFICATE),
    Grant("g1"),
)
COMMAND = "rm -rf /srv/old \x1b[2J"


@dataclass
class Serving:
    """A gateway's guard on its control socket, in a thread, with a line that waits."""

    data: Path
    asked: Future[str] = field(default_factory=Future)
    heard: Future[ApprovalAnswer] = field(default_factory=Future)
    over: threading.Event = field(default_factory=threading.Event)

    async def live(self) -> None:
        settings, clock = load(self.data, environment={}), SystemClock()
        with Catalog.open(settings.paths.catalog) as catalog:
            thread = CatalogThread(catalog)
            authenticator = Authenticator(
                thread,
                Vault(settings.paths.vault_key),
                clock,
                combinations=settings.authentication.combinations,
                passwords=Passwords(Cost(passes=1, memory_kib=64, lanes=1)),
                throttle=Throttle(clock),
            )
            note = CatalogJournal(thread, clock)
            guarding = Guarding(thread, clock, note, Sessions(), authenticator, wait=60)
            try:
                async with guarding, ControlServer(settings.paths.control_socket, _all(guarding)):
                    await self._wait(guarding)
            finally:
                authenticator.close()
                thread.close()

    async def _wait(self, guarding: Guarding) -> None:
        request = ApprovalRequest("s1", ROUTE, 0, COMMAND, (COMMAND,), (COMMAND,), ("no-rm",))

        async def seek() -> None:
            self.heard.set_result(
                await guarding.approvals.seek(request, lambda name, _: self.asked.set_result(name))
            )

        async with asyncio.TaskGroup() as group:
            line = group.create_task(seek())
            await asyncio.to_thread(self.over.wait)
            line.cancel()


def _all(guarding: Guarding) -> Any:
    async def handle(message: dict[str, Any]) -> dict[str, Any]:
        answer = await guarding.control(message)
        if answer is None:
            raise Refused("unknown")
        return answer

    return handle


@contextmanager
def serving(data: Path) -> Iterator[Serving]:
    """A gateway that serves *data* while the block runs."""
    made = Serving(data)
    thread = threading.Thread(target=lambda: asyncio.run(made.live()))
    thread.start()
    try:
        made.asked.result(30)
        yield made
    finally:
        made.over.set()
        thread.join(30)


@pytest.fixture
def people(gate: Cli, tmp_path: Path) -> Path:
    """alice asks, bob may approve with his password; the file has it."""
    secret = tmp_path / "password"
    secret.write_text(PASSWORD + "\n")
    gate.done("operator", "add", "alice")
    gate.done("operator", "add", "bob", "--role", "approver")
    gate.done("operator", "login", "bob", "--by", "publickey", "--by", "password")
    gate.done("operator", "password", "bob", "--password-file", str(secret))
    return secret


def test_what_waits_is_listed_shown_and_approved(gate: Cli, people: Path) -> None:
    with serving(gate.data) as served:
        listed = gate.done("approval", "list")
        shown = gate.done("approval", "show", served.asked.result()[:13])
        said = gate.done(
            *("approval", "approve", served.asked.result()[:13], "--as", "bob"),
            *("--reason", "ticket 7", "--password-file", str(people)),
        )
        heard = served.heard.result(30)

    assert "root@web1" in listed
    assert "waiting, " in listed
    assert "\x1b" not in listed + shown + said
    assert "no-rm" in shown
    assert said.startswith("approved, once: alice may run rm -rf /srv/old")
    assert (heard.approved, heard.by, heard.reason) == (True, "bob", "ticket 7")
    assert "approved once, used" in gate.done("approval", "list", "--all", "--operator", "ALICE")
    assert gate.done("approval", "list").startswith("No command waits")


def test_an_approval_for_a_time_stands_until_it_is_revoked(gate: Cli, people: Path) -> None:
    with serving(gate.data) as served:
        name = served.asked.result()
        answer = gate.json(
            *("approval", "approve", name, "--as", "bob", "--reason", "x", "--for", "2h"),
            *("--password-stdin",),
            stdin=PASSWORD.encode(),
        )
        listed = gate.done("approval", "list")
        revoked = gate.done("approval", "revoke", name, "--reason", "a mistake")

    assert answer["state"] == "approved"
    assert "approved until 2" in listed
    assert revoked.startswith("revoked: alice may no longer run")
    assert "a mistake" in gate.done("approval", "show", name)


def test_a_refusal_reaches_the_line(gate: Cli, people: Path) -> None:
    with serving(gate.data) as served:
        said = gate.done(
            *("approval", "refuse", served.asked.result(), "--as", "bob", "--reason", "no"),
            *("--password-file", str(people)),
        )
        heard = served.heard.result(30)

    assert said.startswith("refused: alice may not run")
    assert (heard.approved, heard.reason) == (False, "no")


def test_a_wrong_password_answers_nothing(gate: Cli, people: Path) -> None:
    people.write_text("wrong, all of it")
    with serving(gate.data) as served:
        answer = gate(
            *("approval", "approve", served.asked.result(), "--as", "bob", "--reason", "x"),
            *("--password-file", str(people)),
        )

    assert answer.status != 0
    assert "not proven" in answer.err
    assert "wrong, all of it" not in answer.err


def test_who_logs_in_by_key_only_is_told_to_answer_over_ssh(gate: Cli, people: Path) -> None:
    gate.done("operator", "login", "bob", "--by", "publickey")
    with serving(gate.data) as served:
        answer = gate(
            *("approval", "approve", served.asked.result(), "--as", "bob", "--reason", "x"),
        )

    assert answer.status == 2
    assert "bob@GATEWAY approvals" in answer.err


def test_the_code_is_asked_for_where_the_login_has_one(gate: Cli, people: Path) -> None:
    gate.done("operator", "login", "bob", "--by", "password+totp")
    words = ("--as", "bob", "--reason", "x", "--password-file", str(people))
    with serving(gate.data) as served:
        answer = gate("approval", "approve", served.asked.result(), *words)
        people.with_suffix(".code").write_text("000000")
        wrong = gate(
            *("approval", "approve", served.asked.result(), *words),
            *("--code-file", str(people.with_suffix(".code"))),
        )

    assert "one-time code of bob is needed" in answer.err
    assert "not proven" in wrong.err


def test_without_a_gateway_nothing_can_be_answered(gate: Cli, people: Path) -> None:
    with serving(gate.data) as served:
        name = served.asked.result()
    answer = gate(
        *("approval", "approve", name, "--as", "bob", "--reason", "x"),
        *("--password-file", str(people)),
    )

    assert answer.status == 3
    assert "watchgate serve" in answer.err
    assert gate.json("approval", "show", name)["state"] == "withdrawn"


def test_an_operator_is_locked_and_released_through_the_gateway(gate: Cli, people: Path) -> None:
    with serving(gate.data):
        said = gate.done("operator", "lock", "ALICE", "--reason", "left the company")
        shown = gate.done("operator", "show", "alice")
        released = gate.done("operator", "unlock", "alice", "--reason", "came back")
        unknown = gate("operator", "lock", "alicia", "--reason", "x")

    assert said.startswith("operator alice is locked; he had no open session")
    assert "left the company" in shown
    assert released == "operator alice is released\n"
    assert unknown.status == 3
    assert "did you mean alice" in unknown.err
