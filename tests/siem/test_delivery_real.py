"""Real receivers and senders that are killed with -9: nothing is lost, and what comes twice shows it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bench.real_sshd import free_port

from watchgate.catalog import outbox
from watchgate.catalog.database import Catalog
from watchgate.settings import FILE_NAME
from watchgate.siem.fact import Fact, uid_of

from . import servers
from .delivery_world import eventually

pytestmark = pytest.mark.real

HERE = Path(__file__).parent
CHUNK = 100


class Webhook:
    """The HTTPS receiver as one more of the servers."""

    def __init__(self, directory: Path) -> None:
        self.certificates = servers.certificates(directory / "tls")
        self.output = directory / "received.jsonl"
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, scheme: str) -> str:
        return f"{scheme}://127.0.0.1:{self._port}/events"

    def start(self) -> None:
        made = self.certificates
        arguments = [str(self._port), str(made.server), str(made.server_key), str(self.output)]
        self._process = subprocess.Popen([sys.executable, HERE / "https_receiver.py", *arguments])
        eventually(lambda: servers._answers(self._port), "the webhook answers")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Receiving:
    """What arrives at one receiver, whichever it is."""

    def __init__(self, server: servers.Receiver | Webhook, scheme: str) -> None:
        self.server = server
        self.scheme = scheme

    def settings(self) -> str:
        """The sink's table."""
        made = self.server.certificates
        lines = ["[siem]", "[[siem.sinks]]", 'name = "siem"', 'format = "json"']
        lines += [f'url = "{self.server.url(self.scheme)}"']
        if self.scheme in ("tls", "relps", "https"):
            lines += [f'ca = "{made.ca}"']
        if self.scheme in ("tls", "relps"):
            lines += [f'certificate = "{made.client}"', f'key = "{made.client_key}"']
        return "\n".join(lines) + "\n"

    def uids(self) -> list[str]:
        """The ids of what arrived, in order; a line that the kill tore is none."""
        if isinstance(self.server, servers.Receiver):
            texts = [one.text for one in self.server.received()]
        elif self.server.output.exists():
            texts = self.server.output.read_text("utf-8", "replace").split("\n")
        else:
            texts = []
        return [uid for text in texts if (uid := _uid(text))]


def _uid(text: str) -> str | None:
    try:
        return str(json.loads(text)["uid"])
    except (ValueError, KeyError):
        return None


@contextmanager
def receiving(folder: Path, scheme: str, program: str) -> Iterator[Receiving]:
    folder.mkdir()
    if program == "webhook":
        webhook = Webhook(folder)
        webhook.start()
        try:
            yield Receiving(webhook, scheme)
        finally:
            webhook.kill()
    elif program == "rsyslog":
        if missing := servers.rsyslog_missing():
            pytest.skip(f"not installed: {missing} (make packages)")
        with servers.rsyslog(folder) as receiver:
            yield Receiving(receiver, scheme)
    else:
        if servers.syslog_ng_program() is None:
            pytest.skip("syslog-ng is not there (make packages)")
        with servers.syslog_ng(folder) as receiver:
            yield Receiving(receiver, scheme)


class Gateway:
    """A catalog with an outbox, and a process that delivers from it."""

    def __init__(self, data: Path, settings: str) -> None:
        self.data = data
        data.mkdir()
        (data / FILE_NAME).write_text(settings)
        self.catalog = Catalog.open(data / "catalog.db")
        with self.catalog.write() as connection:
            outbox.register(connection, ["siem"])
        self.put_so_far = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.siem.sender_process", str(self.data)]
        root = HERE.parents[1]
        paths = os.pathsep.join([str(root), str(root / "src")])
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, cwd=root, env=os.environ | {"PYTHONPATH": paths}
        )

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.communicate(timeout=20)

    def put(self, count: int = CHUNK) -> None:
        first = self.put_so_far
        self.put_so_far += count
        numbers = range(first, first + count)
        facts = [Fact(uid_of("s", n), n, "channel.opened", 1, "s", n, {"n": n}) for n in numbers]
        with self.catalog.write() as connection:
            outbox.put(connection, facts)

    def expected(self) -> set[str]:
        return {uid_of("s", n) for n in range(self.put_so_far)}

    def state(self) -> outbox.SinkState:
        with self.catalog.read() as connection:
            return outbox.states(connection)["siem"]


@contextmanager
def gateway(data: Path, settings: str) -> Iterator[Gateway]:
    made = Gateway(data, settings)
    try:
        yield made
    finally:
        made.stop()
        made.catalog.close()


def all_arrived(made: Gateway, at: Receiving) -> Callable[[], bool]:
    return lambda: made.expected() <= set(at.uids())


def twice(uids: list[str]) -> int:
    return sum(count - 1 for count in Counter(uids).values())


WAYS = [
    ("relp", "rsyslog"),
    ("relps", "rsyslog"),
    ("tcp", "rsyslog"),
    ("tls", "rsyslog"),
    ("tcp", "syslog-ng"),
    ("tls", "syslog-ng"),
    ("https", "webhook"),
]


def receiver_killed(folder: Path, scheme: str, program: str, kills: int, chunks: int) -> int:
    """Kill the receiver that often while events flow; how many came twice."""
    with (
        receiving(folder / "siem", scheme, program) as at,
        gateway(folder / "data", at.settings()) as made,
    ):
        made.start()
        made.put()
        eventually(lambda: len(at.uids()) > 0, "the first arrives", 20)
        for _ in range(kills):
            for number in range(chunks):
                made.put()
                if number == chunks // 2:
                    at.server.kill()
            at.server.start()
        made.put()
        eventually(all_arrived(made, at), "all arrive", 60)
        uids = at.uids()

        assert set(uids) == made.expected()
        return twice(uids)


@pytest.mark.parametrize(("scheme", "program"), WAYS)
def test_a_receiver_that_is_killed_loses_nothing(tmp_path: Path, scheme: str, program: str) -> None:
    again = receiver_killed(tmp_path, scheme, program, kills=1, chunks=12)

    # A stream's receiver acknowledges nothing: all that had not settled comes again.
    assert again <= (200 if scheme in ("relp", "relps", "https") else 1400)


@pytest.mark.soak
@pytest.mark.parametrize(("scheme", "program"), WAYS)
def test_a_receiver_that_is_killed_again_and_again_loses_nothing(
    tmp_path: Path, scheme: str, program: str
) -> None:
    receiver_killed(tmp_path, scheme, program, kills=5, chunks=100)


def sender_killed(folder: Path, scheme: str, program: str, kills: int, chunks: int) -> int:
    """Kill the sender that often while events flow; how many came twice."""
    with (
        receiving(folder / "siem", scheme, program) as at,
        gateway(folder / "data", at.settings()) as made,
    ):
        for _ in range(kills):
            made.start()
            made.put(chunks * CHUNK)
            seen = len(at.uids())
            eventually(lambda seen=seen: len(at.uids()) > seen + CHUNK, "some arrive", 20)  # type: ignore[misc]
            made.kill()
        made.start()
        made.put()
        eventually(all_arrived(made, at), "all arrive", 60)
        made.stop()
        uids = at.uids()

        assert set(uids) == made.expected()
        return twice(uids)


@pytest.mark.parametrize(("scheme", "program"), [("relp", "rsyslog"), ("tcp", "rsyslog")])
def test_a_sender_that_is_killed_three_times_loses_nothing(
    tmp_path: Path, scheme: str, program: str
) -> None:
    again = sender_killed(tmp_path, scheme, program, kills=3, chunks=10)

    assert again < 3 * 10 * CHUNK


@pytest.mark.soak
@pytest.mark.parametrize(("scheme", "program"), WAYS)
def test_a_sender_that_is_killed_again_and_again_loses_nothing(
    tmp_path: Path, scheme: str, program: str
) -> None:
    sender_killed(tmp_path, scheme, program, kills=8, chunks=50)


def test_datagrams_are_sent_and_nothing_is_promised(tmp_path: Path) -> None:
    with (
        receiving(tmp_path / "siem", "udp", "rsyslog") as at,
        gateway(tmp_path / "data", at.settings()) as made,
    ):
        made.start()
        made.put()
        eventually(lambda: made.state().cursor == CHUNK, "all are sent", 20)
        eventually(all_arrived(made, at), "on the loopback all arrive", 20)

        assert made.state().delivered == CHUNK
