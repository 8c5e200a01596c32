"""Approvals, locked accounts and listed commands, with real clients and a real sshd."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from subprocess import CompletedProcess

import pytest
from typer.testing import CliRunner

from e2e.gateway import World, wait_for, world
from watchgate.catalog import rules
from watchgate.cli.application import application
from watchgate.demo.openssh import OpenSsh
from watchgate.identity import grants, operators, publickeys
from watchgate.policy.loading import load_text
from watchgate.session.events import (
    ApprovalAnswered,
    ApprovalClosed,
    CommandDecided,
    Event,
    OperatorLocked,
    SessionClosed,
)
from watchgate.session.model import ShellKind

pytestmark = pytest.mark.real

PROMPT = re.compile(rb"[#$] ")
ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{22}|\b01[0-9a-f]{6}-[0-9a-f]{4}\S*")
APPROVE = """
version: 1
rules:
  four-eyes:
    description: Somebody else has to agree.
    action: approve
    match: {program: echo, args: APPROVED}
  once-is-too-often:
    description: Locks the account.
    action: block
    lock_account_after: 1
    match: {program: shred}
"""
LIST = """
version: 1
rules:
  looking:
    description: Looking around.
    action: force
    match: {program: [echo, pwd, id, sleep]}
"""


def make(served: World, text: str) -> None:
    with served.change() as change:
        for rule in load_text(text, "rules.yaml"):
            rules.put(change, rule, "test")


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("guarding")) as made, made.serving():
        make(made, APPROVE)
        yield made


@pytest.fixture
def bob(served: World, tmp_path_factory: pytest.TempPathFactory) -> OpenSsh:
    """An approver with a key of his own."""
    client = OpenSsh.create(tmp_path_factory.mktemp("bob"))
    public = client.new_key().with_suffix(".pub").read_text()
    with served.change() as change:
        operators.add(change, "bob")
        operators.set_roles(change, "bob", ["approver"])
        publickeys.add(change, "bob", public)
    client.known_hosts.write_text(served.alice.known_hosts.read_text())
    blocks = served.alice.config.read_text().replace(
        str(served.alice.directory), str(client.directory)
    )
    client.config.write_text(blocks)
    return client


def approvals(bob: OpenSsh, *words: str) -> CompletedProcess[bytes]:
    return bob.ssh("bob@gate", "approvals", *words)


def waiting_id(bob: OpenSsh) -> str:
    """The id of the one approval that waits."""
    found: list[bytes] = []

    def is_there() -> bool:
        found[:] = ID.findall(approvals(bob, "list").stdout)
        return bool(found)

    wait_for(is_there, "the approval in bob's list")
    return found[0].decode()


def outcomes(events: list[Event]) -> list[str]:
    return [event.outcome for event in events if isinstance(event, CommandDecided)]


def test_a_line_waits_at_its_prompt_until_somebody_else_approves_it(
    served: World, bob: OpenSsh
) -> None:
    with served.terminal() as person:
        person.expect(PROMPT)
        person.send("echo APPROV'E'D\r")
        person.expect(b"waiting for the approval of bob; Ctrl-C withdraws it")
        answer = approvals(bob, "approve", waiting_id(bob), "tonight", "only")
        person.expect(b"APPROVED\r\n")
        person.expect(PROMPT)
        person.send("exit\r")
        person.wait()

    assert answer.returncode == 0
    events = served.events(served.sealed())
    assert outcomes(events)[:2] == ["approve", "allow"]
    answered = next(event for event in events if isinstance(event, ApprovalAnswered))
    assert (answered.by, answered.approved, answered.reason) == ("bob", True, "tonight only")


def test_control_c_withdraws_what_waits(served: World, bob: OpenSsh) -> None:
    with served.terminal() as person:
        person.expect(PROMPT)
        person.send("echo APPROV'E'D\r")
        person.expect(b"Ctrl-C withdraws it")
        person.send("\x03")
        person.expect(b"not approved: withdrawn")
        person.expect(PROMPT)
        person.send("echo st'ill' here\r")
        person.expect(b"still here")
        person.send("exit\r")
        person.wait()

    events = served.events(served.sealed())
    assert outcomes(events)[:2] == ["approve", "block"]
    assert any(isinstance(event, ApprovalClosed) for event in events)


def test_a_command_without_a_terminal_waits_too(served: World, bob: OpenSsh) -> None:
    done: list[CompletedProcess[bytes]] = []
    thread = threading.Thread(target=lambda: done.append(served.run("echo APPROVED")))
    thread.start()

    refused = approvals(bob, "refuse", waiting_id(bob), "not today")
    thread.join(20)

    assert refused.returncode == 0
    assert done[0].returncode == 126
    assert b"not approved by bob: not today" in done[0].stderr
    assert done[0].stdout == b""


def test_nobody_approves_his_own_command(served: World, bob: OpenSsh) -> None:
    with served.change() as change:
        operators.set_roles(change, "alice", ["operator", "approver"])
    with served.terminal() as person:
        person.expect(PROMPT)
        person.send("echo APPROV'E'D\r")
        person.expect(b"waiting for the approval of bob")
        name = waiting_id(bob)
        own = served.alice.ssh("alice@gate", "approvals", "approve", name, "myself")
        person.send("\x03")
        person.expect(PROMPT)
        person.send("exit\r")
        person.wait()

    assert own.returncode == 255
    assert b"watchgate: " in own.stderr


def test_an_account_that_is_locked_has_no_session_until_it_is_released(served: World) -> None:
    with served.terminal() as person:
        person.expect(PROMPT)
        person.send("shred x\r")
        person.expect(b"blocked by rule once-is-too-often")
        person.wait()
    events = served.events(served.sealed())
    kept_out = served.run("echo hello")
    done = CliRunner().invoke(
        application(),
        ["--data", str(served.data), "operator", "unlock", "alice", "--reason", "talked to her"],
    )
    assert done.exit_code == 0, done.output
    let_in = served.run("echo hello")

    closed = next(event for event in events if isinstance(event, SessionClosed))
    assert closed.reason == "locked"
    assert any(isinstance(event, OperatorLocked) for event in served.journal())
    assert kept_out.returncode == 255
    assert b"your account is locked" in kept_out.stderr
    assert let_in.stdout == b"hello\n"


@pytest.fixture
def listed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """alice has the gateway's own shell, and may look around."""
    with world(tmp_path_factory.mktemp("listed")) as made, made.serving():
        make(made, LIST)
        with made.change() as change:
            for grant in grants.list_all(change.connection):
                grants.revoke(change, grant.id)
            grants.add(
                change,
                account=made.target.user,
                on="web1",
                to_operator="alice",
                terms=grants.Terms(shell=ShellKind.GATEWAY),
            )
        yield made


def test_the_gateways_own_shell_runs_what_is_listed_and_nothing_else(listed: World) -> None:
    answers = {
        "echo li'st'ed": b"listed\r\n",
        "cd /tmp": b"cd /tmp",
        "pwd": b"/tmp\r\n",
        "touch /tmp/never-made": b"not on the list of looking",
        '"$X" y': b"not on the list",
        "bash": b"not on the list",
    }
    prompt = re.compile(rb"% ")
    with listed.terminal() as person:
        for line, answer in answers.items():
            person.expect(prompt)
            person.send(f"{line}\r")
            person.expect(answer)
        person.expect(prompt)
        person.send("exit\r")
        person.wait()

    events = listed.events(listed.sealed())
    assert {event.source for event in events if isinstance(event, CommandDecided)} == {"gateway"}
    assert "force" in outcomes(events)


def test_a_command_line_is_held_to_the_same_list(listed: World) -> None:
    runs, refused, opaque = (
        listed.run(line) for line in ("echo fine", "touch /tmp/x", "echo $HOME; $X")
    )

    assert runs.stdout == b"fine\n"
    assert refused.returncode == 126
    assert opaque.returncode == 126
