"""What happens at the gateway reaches the SIEM: from sessions, from the journal, and through kill -9."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from e2e.gateway import World, wait_for, world
from e2e.peers import serving_again
from e2e.servers import free_port
from siem import servers
from watchgate.catalog import journal, schema
from watchgate.cli.application import run
from watchgate.settings import FILE_NAME
from watchgate.siem.fact import uid_of, uid_of_entry

pytestmark = pytest.mark.real


@contextmanager
def relp(folder: Path) -> Iterator[servers.Receiver]:
    if missing := servers.rsyslog_missing():
        pytest.skip(f"not installed: {missing} (make packages)")
    with servers.rsyslog(folder) as receiver:
        yield receiver


def add_sink(made: World, name: str, url: str, *lines: str) -> None:
    with (made.data / FILE_NAME).open("a") as file:
        table = ["[[siem.sinks]]", f'name = "{name}"', f'url = "{url}"', 'format = "json"', *lines]
        file.write("\n" + "\n".join(table) + "\n")


def uids(receiver: servers.Receiver) -> list[str]:
    return [str(json.loads(one.text)["uid"]) for one in receiver.received()]


def recorded(made: World) -> set[str]:
    """The ids of all events in all recordings."""
    found = set()
    for path in made.recordings():
        with made.open(path) as recording:
            found |= {uid_of(one.session, one.seq) for one in recording.events()}
    return found


def journaled(made: World, since: int = 0) -> set[str]:
    with made.catalog() as catalog, catalog.read() as connection:
        found = journal.entries(connection, limit=1000)
    return {uid_of_entry(entry.hash) for entry in found if entry.seq > since}


def last_entry(made: World) -> int:
    with made.catalog() as catalog, catalog.read() as connection:
        return journal.head(connection)[0]


def rows(made: World) -> dict[str, list[tuple[object, ...]]]:
    with made.catalog() as catalog, catalog.read() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in schema.PROJECTIONS
        }


def command(made: World, *words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        run([*words, "--data", str(made.data)])
    return int(ended.value.code or 0)


def has(receiver: servers.Receiver, wanted: Callable[[], set[str]]) -> Callable[[], bool]:
    return lambda: wanted() <= set(uids(receiver))


def test_everything_that_happens_arrives_once(tmp_path: Path) -> None:
    with relp(tmp_path / "siem") as receiver, world(tmp_path) as made:
        add_sink(made, "siem", receiver.url("relp"))
        before = last_entry(made)
        with made.serving():
            made.run("echo one; exit 3")
            with made.terminal() as terminal:
                terminal.send(b"exit 4\r")
                terminal.wait()
            # The command line writes for itself; nobody wakes the gateway for it.
            assert command(made, "operator", "add", "bob") == 0
            made.sealed(2)
            wait_for(has(receiver, lambda: recorded(made)), "all events of sessions arrive")
            wait_for(has(receiver, lambda: journaled(made, before)), "the journal arrives")
        wait_for(has(receiver, lambda: journaled(made, before)), "and that the gateway stopped")
        found = uids(receiver)
        texts = [json.loads(one.text) for one in receiver.received()]

    assert len(found) == len(set(found))
    assert set(found) == recorded(made) | journaled(made, before)
    opened = next(one for one in texts if one["kind"] == "session.opened")
    assert opened["context"]["operator"] == "alice"
    assert {"gateway.started", "gateway.stopped", "settings.changed"} <= {
        one["kind"] for one in texts
    }


@contextmanager
def busy(made: World) -> Iterator[None]:
    """Two clients that do something all the time, also while nobody serves."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            made.run("i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo $i; done")
            over.wait(0.02)

    clients = [threading.Thread(target=work) for _ in range(2)]
    for client in clients:
        client.start()
    try:
        yield
    finally:
        over.set()
        for client in clients:
            client.join(60)


def killed(tmp_path: Path, times: int) -> None:
    with relp(tmp_path / "siem") as receiver, world(tmp_path) as made:
        add_sink(made, "siem", receiver.url("relp"))
        before = last_entry(made)
        port = free_port()
        made.spawn(port)
        with busy(made):
            for _ in range(times):
                seen = len(made.recordings())
                wait_for(lambda seen=seen: len(made.recordings()) > seen + 2, "sessions come", 20)  # type: ignore[misc]
                assert made.process is not None
                made.process.kill()
                made.process.wait()
                serving_again(made)
        made.sealed(len(made.recordings()))
        wait_for(has(receiver, lambda: recorded(made)), "all events of sessions arrive", 20)
        wait_for(has(receiver, lambda: journaled(made, before)), "the journal arrives")
        found = uids(receiver)
        live = rows(made)

        assert set(found) == recorded(made) | journaled(made, before)
        assert command(made, "reindex") == 0
        assert rows(made) == live


def test_a_gateway_that_is_killed_loses_no_event_and_no_row(tmp_path: Path) -> None:
    killed(tmp_path, 2)


@pytest.mark.soak
def test_a_gateway_that_is_killed_again_and_again_loses_no_event_and_no_row(
    tmp_path: Path,
) -> None:
    killed(tmp_path, 20)


def test_a_siem_that_is_gone_is_said_and_holds_up_nobody(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with relp(tmp_path / "siem") as receiver, world(tmp_path) as made:
        add_sink(made, "there", receiver.url("relp"))
        add_sink(made, "gone", f"tcp://127.0.0.1:{free_port()}")
        with made.serving():
            done = made.run("echo on it goes")
            made.sealed()
            wait_for(has(receiver, lambda: recorded(made)), "the other has all")
            wait_for(
                lambda: "sink.failed" in {event.kind for event in made.journal()},
                "it is said that it fails",
                20,
            )
            capfd.readouterr()
            status = command(made, "siem", "status")
            shown = capfd.readouterr().out

    assert done.stdout == b"on it goes\n"
    assert status == 0
    assert "gone: fails since" in shown
    assert "nobody listens" in shown
    assert "there: at least once: the receiver acknowledges each event" in shown
