"""How a session ends from outside: an admin, the grant's time, silence; and what the operator reads of it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest

from e2e.gateway import World, world
from e2e.peers import add_target, ssh_server
from e2e.servers import Terminal
from watchgate.api.control import request
from watchgate.clock import SystemClock
from watchgate.errors import NotFound
from watchgate.identity import grants
from watchgate.recording.verify import State
from watchgate.session.events import (
    ChannelClosed,
    CommandFinished,
    ControlTerminated,
    SessionClosed,
)
from watchgate.session.ports import RecordKind

pytestmark = pytest.mark.real

PROMPT = re.compile(rb"[#$] ")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("endings")) as made, made.serving():
        yield made


def test_an_admin_ends_a_session_and_the_operator_reads_why_at_once(served: World) -> None:
    with served.terminal() as person:
        person.expect(PROMPT)
        (session,) = _control(served, {"do": "status"})["sessions"]
        started = time.monotonic()
        _control(served, _terminate(session["id"], "the change window is over"))
        person.expect(b"watchgate: session ended by carol: the change window is over", 1.0)
        took = time.monotonic() - started
        status = person.wait()

    assert took < 1
    assert status == 255
    path = served.sealed()
    events = served.events(path)
    (ended,) = [event for event in events if isinstance(event, ChannelClosed)]
    assert ended.exit_status is None
    assert ControlTerminated(by="carol", reason="the change window is over") in events
    closed = _closed(served, path)
    assert (closed.reason, closed.by) == ("terminated", "carol")
    assert served.verdict(path).state is State.INTACT


def test_a_running_command_is_ended_too(served: World) -> None:
    with Terminal(served.alice.argv("ssh", "-T", served.name, "echo runs; exec sleep 5")) as person:
        person.expect(b"runs")
        (session,) = _control(served, {"do": "status"})["sessions"]
        _control(served, _terminate(session["id"], "enough"))
        person.expect(b"watchgate: session ended by carol: enough")
        status = person.wait()

    assert status == 255
    assert CommandFinished.kind in {event.kind for event in served.events()}


def test_a_session_that_is_not_open_cannot_be_ended(served: World) -> None:
    with pytest.raises(NotFound, match="no open session"):
        _control(served, _terminate("0123", "enough"))


def test_a_session_ends_when_its_grant_does(served: World) -> None:
    _grant_until(served, SystemClock().wall_us() + 3_500_000)
    try:
        with served.terminal() as person:
            person.expect(PROMPT)
            person.expect(b"watchgate: session ended: the grant's time is over")
            person.wait()
        path = served.sealed()
        later = served.run("id")
    finally:
        served.allow()

    assert _closed(served, path).reason == "expired"
    assert later.returncode == 255
    assert b"watchgate: " in later.stderr


def test_a_revoked_grant_opens_no_more_sessions_and_leaves_the_open_one(served: World) -> None:
    with served.terminal() as person:
        person.expect(PROMPT)
        with served.change() as change:
            for grant in grants.list_all(change.connection):
                grants.revoke(change, grant.id)
        refused = served.run("id")
        person.send("echo still-$((40+2))\r")
        person.expect(b"still-42")
        person.send("exit\r")
        status = person.wait()
    served.allow()

    assert refused.returncode == 255
    assert b"no grant" in refused.stderr
    assert status == 0


def test_a_silent_session_ends_and_a_busy_one_goes_on(served: World) -> None:
    served.configure_target(idle_timeout=1.0)
    try:
        busy = served.run("for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.25; done")
        with served.terminal() as person:
            person.expect(PROMPT)
            person.expect(b"watchgate: session ended: nothing happened for 1 seconds")
            person.wait()
        path = served.sealed()
    finally:
        served.configure_target(idle_timeout=0.0)

    assert busy.returncode == 0
    assert busy.stdout.split()[-1] == b"8"
    assert _closed(served, path).reason == "expired"


def test_a_target_that_goes_away_ends_the_session_with_its_last_words(served: World) -> None:
    words = b"so far so good " * 20

    async def program(process: asyncssh.SSHServerProcess[bytes]) -> None:
        process.stdout.write(words)
        await process.stdout.drain()
        await process.stdin.readline()
        process.channel.get_connection().abort()

    with ssh_server(program) as port:
        name = add_target(served, "fading", port)
        with Terminal(served.alice.argv("ssh", "-T", name, "speak")) as person:
            person.expect(words)
            person.send("enough\n")
            person.expect(b"watchgate: the target closed the connection")
            status = person.wait()

    assert status == 255
    path = served.sealed()
    assert _closed(served, path).reason == "target"
    assert served.octets(RecordKind.OUTPUT, path) == words
    assert [e for e in served.events(path) if isinstance(e, CommandFinished)]


def _control(served: World, message: dict[str, object]) -> dict[str, list[dict[str, str]]]:
    return request(served.data / "run/control.sock", message)


def _terminate(session: str, reason: str) -> dict[str, object]:
    return {"do": "terminate", "session": session, "by": "carol", "reason": reason}


def _grant_until(served: World, until_us: int) -> None:
    with served.change() as change:
        for grant in grants.list_all(change.connection):
            grants.revoke(change, grant.id)
        terms = grants.Terms(until_us=until_us)
        grants.add(change, account=served.target.user, on="web1", to_operator="alice", terms=terms)


def _closed(served: World, path: Path) -> SessionClosed:
    (closed,) = [event for event in served.events(path) if isinstance(event, SessionClosed)]
    return closed
