"""What keeps a gateway from serving is said in one line with what to do; what stops it stops in order."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from e2e.gateway import World, wait_for, world
from e2e.peers import serving_again
from e2e.servers import free_port
from watchgate.recording.verify import State
from watchgate.session.events import GatewayStopped, SessionClosed
from watchgate.vault import masterkey

pytestmark = pytest.mark.real

CONFIGURATION = 2


@pytest.fixture
def made(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as created:
        yield created


def watchgate(made: World, *words: str, timeout: float = 30) -> subprocess.CompletedProcess[bytes]:
    """`watchgate WORDS --data …` run to its end."""
    command = [sys.executable, "-m", "watchgate", *words, "--data", str(made.data)]
    return subprocess.run(command, capture_output=True, timeout=timeout, check=False)


def refusal(made: World, *flags: str) -> str:
    """Why `watchgate serve` does not begin: its only line."""
    values = [f"ssh.listen=127.0.0.1:{free_port()}", *flags]
    answer = watchgate(made, "serve", *[word for value in values for word in ("--set", value)])
    lines = answer.stderr.decode().splitlines()

    assert answer.returncode == CONFIGURATION, answer.stderr
    assert answer.stdout == b""
    assert len(lines) == 1, lines
    assert lines[0].startswith("watchgate: ")
    return lines[0]


# --- one gateway a directory -------------------------------------------------------------------


def test_a_second_gateway_names_the_first_and_leaves_it_alone(made: World) -> None:
    process = made.spawn(free_port())
    with made.terminal(made.name, "exec sh") as terminal:
        terminal.send("echo rea''dy\r")
        terminal.expect("ready")
        said = refusal(made)
        terminal.send("echo un''touched\r")
        terminal.expect("untouched")
    status = watchgate(made, "session", "list")

    assert f"another gateway (pid {process.pid}) serves {made.data}; stop it first" in said
    assert process.poll() is None
    assert status.returncode == 0


def test_a_port_in_use_is_named(made: World) -> None:
    port = made.target.port
    said = refusal(made, f"ssh.listen=127.0.0.1:{port}")

    assert f"cannot listen on 127.0.0.1:{port}" in said
    assert "ssh.listen" in said
    assert not (made.data / "run/control.sock").exists()


def test_a_directory_without_a_gateway_is_told_how_to_make_one(made: World) -> None:
    made.made.data.joinpath("catalog.db").unlink()
    said = refusal(made)

    assert "watchgate init" in said


# --- keys, auditors, catalog -------------------------------------------------------------------

Harm = Callable[[Path], None]


def _absent(path: Path) -> None:
    path.unlink()


def _damaged(path: Path) -> None:
    path.write_bytes(b"\0\xff not a key\n" * 10)


def _a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _empty(path: Path) -> None:
    path.write_bytes(b"")


KEYS = ["host_ed25519", "ca_ed25519", "evidence_ed25519.pem", "vault.key", "auditors.txt"]
HARMS = [
    *[(name, harm) for name in KEYS for harm in (_absent, _damaged)],
    ("vault.key", _a_directory),
    ("host_ed25519", _a_directory),
    ("auditors.txt", _empty),
]


@pytest.mark.parametrize(
    ("name", "harm"), HARMS, ids=[f"{name}{harm.__name__}" for name, harm in HARMS]
)
def test_a_key_that_cannot_be_read_is_named(made: World, name: str, harm: Harm) -> None:
    path = made.data / "keys" / name
    harm(path)
    said = refusal(made)

    assert str(path) in said
    assert "Traceback" not in said


def test_the_key_of_another_vault_is_not_taken(made: World) -> None:
    path = made.data / "keys/vault.key"
    masterkey.save(path, masterkey.generate(os.urandom), replace=True)
    said = refusal(made)

    assert str(path) in said


def test_a_damaged_catalog_is_named(made: World) -> None:
    catalog = made.data / "catalog.db"
    catalog.write_bytes(os.urandom(catalog.stat().st_size))
    said = refusal(made)

    assert str(catalog) in said


def test_a_torn_catalog_is_named(made: World) -> None:
    catalog = made.data / "catalog.db"
    for name in ("catalog.db-wal", "catalog.db-shm"):
        (made.data / name).unlink(missing_ok=True)
    octets = bytearray(catalog.read_bytes())
    octets[4096:] = os.urandom(len(octets) - 4096)
    catalog.write_bytes(octets)
    said = refusal(made)

    assert str(catalog) in said


def test_a_newer_catalog_is_not_touched(made: World) -> None:
    catalog = made.data / "catalog.db"
    with sqlite3.connect(catalog) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    said = refusal(made)

    assert "newer Watchgate (revision 9999" in said


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("recording.sync_interval=soon", "recording.sync_interval"),
        ("ssh.lisen=127.0.0.1:1", "ssh.listen"),
        ("authentication.combinations=publickey+magic", "authentication.combinations"),
        ("authentication.trusted_user_cas=/nonexistent", "/nonexistent"),
    ],
)
def test_a_setting_that_is_wrong_is_named(made: World, flag: str, words: str) -> None:
    assert words in refusal(made, flag)


# --- the vault ---------------------------------------------------------------------------------


def test_a_vault_is_rotated_while_the_gateway_serves(made: World) -> None:
    made.spawn(free_port())
    before = made.run("echo before")
    rotated = watchgate(made, "vault", "rotate")
    after = made.run("echo after")
    checked = watchgate(made, "vault", "check")

    assert rotated.returncode == 0, rotated.stderr
    assert (before.stdout, after.stdout) == (b"before\n", b"after\n")
    assert checked.returncode == 0


def test_a_vault_key_that_goes_away_is_missed_at_the_next_start_only(made: World) -> None:
    key = made.data / "keys/vault.key"
    process = made.spawn(free_port())
    made.run("true")
    key.rename(key.with_suffix(".aside"))
    answer = made.run("echo goes on")
    process.send_signal(signal.SIGTERM)
    status = process.wait(15)
    said = refusal(made)

    assert (answer.stdout, status) == (b"goes on\n", 0)
    assert str(key) in said


# --- stopping ----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_gateway_that_is_stopped_tells_its_operators_and_seals(
    made: World, number: signal.Signals
) -> None:
    process = made.spawn(free_port())
    with (
        made.terminal(made.name, "exec sh") as first,
        made.terminal(made.name, "exec sh") as second,
    ):
        for terminal in (first, second):
            terminal.send("echo rea''dy\r")
            terminal.expect("ready")
        begun = time.monotonic()
        process.send_signal(number)
        for terminal in (first, second):
            terminal.expect("watchgate: session ended: the gateway is stopping")
        status = process.wait(15)
        took = time.monotonic() - begun
        operators = [terminal.wait() for terminal in (first, second)]
    recordings = made.recordings()
    endings = [made.events(path)[-1] for path in recordings]

    assert status == 0
    assert took < 10
    assert operators == [255, 255]
    assert [made.verdict(path).state for path in recordings] == [State.INTACT] * 2
    assert [end.reason for end in endings if isinstance(end, SessionClosed)] == ["shutdown"] * 2
    assert not list((made.data / "recordings/open").glob("*"))
    assert [row.state for row in made.sessions()] == ["closed", "closed"]
    assert isinstance(made.journal()[-1], GatewayStopped)
    assert not (made.data / "run/control.sock").exists()


def test_a_crash_leaves_nothing_in_the_way_of_a_new_start(made: World) -> None:
    process = made.spawn(free_port())
    process.kill()
    process.wait()
    left = [path.name for path in (made.data / "run").iterdir()]
    serving_again(made)
    answer = made.run("echo back")

    assert sorted(left) == ["control.sock", "lock"]
    assert answer.stdout == b"back\n"
    wait_for(lambda: made.sessions()[0].state == "closed", "the catalog has it")
