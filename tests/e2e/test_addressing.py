"""The four ways in which an operator names a target, and what he hears when it is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.gateway import World, world
from e2e.servers import free_port
from watchgate.session.events import SessionClaimed

pytestmark = pytest.mark.real

PROMPT = re.compile(rb"[#$] ")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("addressing")) as made:
        made.flags = [f"ssh.listen=127.0.0.1:0,127.0.0.1:{free_port()}"]
        with made.serving():
            yield made


def test_the_user_name_carries_operator_account_and_target(served: World) -> None:
    answer = served.run("echo hello")

    assert (answer.returncode, answer.stdout, answer.stderr) == (0, b"hello\n", b"")
    claimed = served.events()[0]
    assert isinstance(claimed, SessionClaimed)
    assert (claimed.operator, claimed.target, claimed.via) == ("alice", "web1", "name")


def test_without_an_account_the_granted_one_is_taken(served: World) -> None:
    answer = served.ssh("alice@web1@gate", "id -un")

    assert answer.stdout.decode().strip() == served.target.user


def test_a_jump_ends_in_the_gateway_with_a_host_key_for_the_target(served: World) -> None:
    answer = served.ssh("-J", "alice@gate", f"{served.target.user}@web1", "echo through")

    assert (answer.returncode, answer.stdout) == (0, b"through\n")
    claimed = served.events()[0]
    assert isinstance(claimed, SessionClaimed)
    assert claimed.via == "jump"
    assert claimed.client.startswith("127.0.0.1:")


def test_a_jump_finds_the_target_by_its_address_too(served: World) -> None:
    address = f"{served.target.user}@127.0.0.1:{served.target.port}"

    answer = served.ssh("-J", "alice@gate", f"ssh://{address}", "echo through")

    assert (answer.returncode, answer.stdout) == (0, b"through\n"), answer.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["alice+root@nowhere@gate", "id"],
        ["alice+nobody@web1@gate", "id"],
        ["-J", "alice@gate", "root@nowhere", "id"],
    ],
)
def test_what_is_not_granted_is_refused_with_words_that_tell_nothing(
    served: World, words: list[str]
) -> None:
    answer = served.ssh(*words)

    assert answer.returncode == 255
    assert answer.stderr.startswith(b"watchgate: no grant for ")
    assert answer.stdout == b""


def test_a_command_without_a_target_is_told_how_to_name_one(served: World) -> None:
    answer = served.ssh("alice@gate", "id")

    assert answer.returncode == 255
    assert b"name a target" in answer.stderr


def test_the_menu_leads_to_a_session(served: World) -> None:
    with served.terminal("alice@gate") as terminal:
        terminal.expect(b"web1")
        terminal.send(b"web1\r")
        terminal.expect(PROMPT)
        terminal.send(b"echo from-$((40+2))\r")
        terminal.expect(b"from-42")
        terminal.send(b"exit 7\r")
        status = terminal.wait()

    assert status == 7
    claimed = served.events()[0]
    assert isinstance(claimed, SessionClaimed)
    assert claimed.via == "menu"


def test_the_menu_can_be_left(served: World) -> None:
    before = len(served.recordings())
    with served.terminal("alice@gate") as terminal:
        terminal.expect(b"web1")
        terminal.send(b"\x03")
        status = terminal.wait()

    assert status == 0
    assert len(served.recordings()) == before


def test_a_listener_can_be_bound_to_a_target(tmp_path: Path) -> None:
    port = free_port()
    with world(tmp_path) as made:
        (made.data / "watchgate.toml").write_text(
            f'[[ssh.listeners]]\naddress = "127.0.0.1:{port}"\ntarget = "web1"\n'
        )
        with made.serving():
            made.port = port
            made.trust()
            answer = made.ssh(f"alice+{made.target.user}@gate", "echo bound")
            claimed = made.events()[0]

    assert answer.stdout == b"bound\n"
    assert isinstance(claimed, SessionClaimed)
    assert claimed.via == "listener"
