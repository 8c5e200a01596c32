"""Locks and approvals as the gateway has them: over its control socket, with proven approvers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from watchgate.catalog import journal
from watchgate.catalog.change import changing
from watchgate.catalog.database import Catalog
from watchgate.catalog.journal import CatalogJournal
from watchgate.catalog.thread import CatalogThread
from watchgate.clock import ManualClock
from watchgate.errors import NotFound, Refused, WatchgateError
from watchgate.guarding import Guarding
from watchgate.identity import operators, passwords, totp
from watchgate.identity.authentication import Authenticator
from watchgate.identity.passwords import Cost, Passwords
from watchgate.identity.throttle import Throttle
from watchgate.secret import Secret
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
from watchgate.vault.vault import Vault

T = TypeVar("T")
HOUR = 3_600_000_000
PASSWORD = "correct horse battery"
KEY = b"12345678901234567890"
ROUTE = Route(
    Operator("o1", "alice"),
    Target("t1", "web1", "ssh", Address("10.0.0.5", 22)),
    Account("a1", "root", "web1", CredentialKind.CERTIFICATE),
    Grant("g1"),
)
REQUEST = ApprovalRequest("s1", ROUTE, 0, "reboot", ("reboot",), ("reboot",), ("no-reboot",))


@dataclass
class Gate:
    """A gateway's guard, and a line that waits."""

    catalog: Catalog
    clock: ManualClock
    vault: Vault
    cheap: Passwords

    def played(self, work: Callable[[Guarding, str], Awaitable[T]]) -> tuple[T, ApprovalAnswer]:
        """What *work* gave, told the id of a request; and what the line heard."""

        async def scenario() -> tuple[T, ApprovalAnswer]:
            thread = CatalogThread(self.catalog)
            authenticator = Authenticator(
                thread,
                self.vault,
                self.clock,
                combinations=["publickey", "password+totp"],
                passwords=self.cheap,
                throttle=Throttle(self.clock),
            )
            note = CatalogJournal(thread, self.clock)
            try:
                async with Guarding(
                    thread, self.clock, note, Sessions(), authenticator, wait=60
                ) as guarding:
                    return await _with_a_line(guarding, work)
            finally:
                authenticator.close()
                thread.close()

        return asyncio.run(scenario())

    def code(self) -> str:
        return totp.code_at(KEY, totp.step_at(self.clock.wall))


async def _with_a_line(
    guarding: Guarding, work: Callable[[Guarding, str], Awaitable[T]]
) -> tuple[T, ApprovalAnswer]:
    asked: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        line = group.create_task(
            guarding.approvals.seek(REQUEST, lambda name, _: asked.set_result(name))
        )
        done = await work(guarding, await asked)
        waiting = await guarding.control({"do": "approvals"})
        if waiting is not None and waiting["approvals"]:
            line.cancel()
        await asyncio.wait([line])
    return done, (ApprovalAnswer("", False, "") if line.cancelled() else line.result())


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    clock, cheap = ManualClock(), Passwords(Cost(passes=1, memory_kib=64, lanes=1))
    with Catalog.open(tmp_path / "catalog.db") as catalog:
        with changing(catalog, clock, "test") as change:
            vault = Vault.create(tmp_path / "vault.key", change)
            operators.add(change, "alice", roles=["operator", "approver"])
            operators.add(change, "bob", roles=["approver"])
            operators.add(change, "carol")
            for name in ("alice", "bob", "carol"):
                passwords.set_password(change, cheap, name, Secret(PASSWORD))
                totp.enroll(change, vault, name, random=lambda _: KEY)
        yield Gate(catalog, clock, vault, cheap)


def approve(gate: Gate, name: str, by: str = "bob", **more: Any) -> dict[str, Any]:
    proof = {"as": by, "password": PASSWORD, "code": gate.code()}
    return {"do": "approve", "approval": name, "reason": "ticket 7", **proof, **more}


def refused(gate: Gate, message: Callable[[str], dict[str, Any]]) -> WatchgateError:
    """Why the control socket does not do it."""

    async def work(guarding: Guarding, name: str) -> WatchgateError:
        try:
            answer = await guarding.control(message(name))
        except WatchgateError as error:
            return error
        pytest.fail(f"it was done: {answer}")

    found, heard = gate.played(work)

    assert not heard.approved
    return found


def test_a_proven_approver_lets_a_line_run(gate: Gate) -> None:
    async def work(guarding: Guarding, name: str) -> dict[str, Any] | None:
        waiting = await guarding.control({"do": "approvals"})
        assert waiting is not None
        assert [one["id"] for one in waiting["approvals"]] == [name]
        return await guarding.control(approve(gate, name))

    answer, heard = gate.played(work)

    assert answer is not None
    assert (answer["state"], answer["answered_by"]) == ("approved", "bob")
    assert (heard.approved, heard.by, heard.reason) == (True, "bob", "ticket 7")


def test_a_proven_approver_refuses(gate: Gate) -> None:
    async def work(guarding: Guarding, name: str) -> dict[str, Any] | None:
        return await guarding.control(approve(gate, name) | {"do": "refuse", "for_us": HOUR})

    answer, heard = gate.played(work)

    assert answer is not None
    assert (answer["state"], answer["until_us"]) == ("refused", None)
    assert (heard.approved, heard.by) == (False, "bob")


@pytest.mark.parametrize(
    ("proof", "code"),
    [
        ({"password": "wrong, all of it"}, "not-proven"),
        ({"password": "wrong \udcff"}, "not-proven"),
        ({"code": "000000"}, "not-proven"),
        ({"code": None}, "not-proven"),
        ({"as": "nobody"}, "not-proven"),
        ({"as": "carol"}, "not-approver"),
        ({"as": "alice"}, "own"),
        ({"password": None}, "usage"),
        ({"password": "\ud800"}, "usage"),
        ({"for_us": "2h"}, "usage"),
        ({"for_us": True}, "usage"),
        ({"for_us": -1}, "illegal-time"),
        ({"reason": " "}, "no-reason"),
    ],
)
def test_nobody_answers_who_is_not_proven_or_may_not(
    gate: Gate, proof: dict[str, Any], code: str
) -> None:
    error = refused(gate, lambda name: approve(gate, name) | proof)

    assert error.code == f"approval.{code}"
    assert PASSWORD not in str(error)


def test_a_failed_proof_is_in_the_journal_without_the_password(gate: Gate) -> None:
    refused(gate, lambda name: approve(gate, name, password="wrong, all of it"))

    with gate.catalog.read() as connection:
        (entry,) = journal.entries(connection, kind="operator.refused")
    data = entry.event.data()
    assert (data["operator"], data["client"]) == ("bob", "control-socket:0")
    assert "all of it" not in str(data)


def test_guessing_is_throttled(gate: Gate) -> None:
    async def work(guarding: Guarding, name: str) -> str:
        for _ in range(8):
            with pytest.raises(Refused):
                await guarding.control(approve(gate, name, password="wrong, all of it"))
        with pytest.raises(Refused) as caught:
            await guarding.control(approve(gate, name))
        return caught.value.code

    code, heard = gate.played(work)

    assert code == "approval.not-proven"
    assert not heard.approved


def test_an_approval_for_a_time_is_revoked_by_who_administers(gate: Gate) -> None:
    async def work(guarding: Guarding, name: str) -> list[object]:
        await guarding.control(approve(gate, name, for_us=HOUR))
        standing = guarding.approvals.of(ROUTE)
        before = standing.take("alice", ("reboot",), gate.clock.wall)
        revoked = await guarding.control(
            {"do": "revoke", "approval": name, "by": "cli:root", "reason": "a mistake"}
        )
        assert revoked is not None
        return [
            before == name,
            revoked["state"],
            standing.take("alice", ("reboot",), gate.clock.wall),
        ]

    done, heard = gate.played(work)

    assert done == [True, "revoked", None]
    assert heard.approved


def test_an_account_is_locked_and_released(gate: Gate) -> None:
    async def work(guarding: Guarding, name: str) -> list[Any]:
        words = {"operator": "ALICE", "by": "cli:root", "reason": "left"}
        return [
            await guarding.control({"do": "lock", **words}),
            await guarding.control({"do": "unlock", **words}),
            await guarding.control({"do": "unlock", **words}),
        ]

    (locked, released, again), _ = gate.played(work)

    assert locked == {"operator": "alice", "at_us": gate.clock.wall, "sessions": 0}
    assert released == {"operator": "alice", "was_locked": True}
    assert again["was_locked"] is False


def test_an_unknown_operator_is_not_locked(gate: Gate) -> None:
    words = {"operator": "alicia", "by": "cli:root", "reason": "left"}
    error = refused(gate, lambda _: {"do": "lock", **words})

    assert isinstance(error, NotFound)


@pytest.mark.parametrize(
    "message", [{}, {"do": "status"}, {"do": "lock"}, {"do": "approve", "approval": 7}]
)
def test_other_questions_are_not_for_it(gate: Gate, message: dict[str, Any]) -> None:
    async def work(guarding: Guarding, name: str) -> object:
        return await guarding.control(message)

    answer, _ = gate.played(work)

    assert answer is None


def test_an_approver_answers_over_ssh(gate: Gate) -> None:
    async def work(guarding: Guarding, name: str) -> list[str] | None:
        bob = Operator("o2", "bob")
        return await guarding.answer_over_ssh(bob, f"approvals approve {name} because")

    lines, heard = gate.played(work)

    assert lines == ["approved: alice, reboot"]
    assert heard.approved
