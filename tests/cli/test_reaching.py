"""`watchgate target check` against a real sshd."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bench.real_sshd import Sshd, sshd

from .command_line import Cli

pytestmark = pytest.mark.real


@pytest.fixture
def server(program: Callable[[str], str], tmp_path: Path) -> Iterator[Sshd]:
    program("sshd")
    with sshd(tmp_path / "sshd") as running:
        yield running


@pytest.fixture
def web1(gate: Cli, server: Sshd) -> Cli:
    gate.done("target", "add", "web1", "--host", "127.0.0.1", "--port", str(server.port))
    server.add_ca((gate.data / "keys/ca_ed25519.pub").read_text().strip())
    gate.done("account", "add", f"{server.user}@web1", "--certificate")
    return gate


def test_a_new_host_key_is_shown_and_pinned_only_on_demand(web1: Cli) -> None:
    first = web1.json("target", "check", "web1")
    pinned = web1.done("target", "check", "web1", "--trust")

    assert first["host_key"]["trust"] == "new"
    assert first["logins"][0]["problem"] is None
    assert first["target"]["host_keys"] == []
    assert f"{first['host_key']['fingerprint']}, pinned now" in pinned
    assert web1.json("target", "check", "web1")["host_key"]["trust"] == "known"


def test_a_changed_host_key_is_an_alarm_and_no_login(
    web1: Cli, public_key: Callable[[str], Path]
) -> None:
    web1.done("target", "set", "web1", "--host-key", str(public_key("old@web1")))
    answer = web1("target", "check", "web1")

    assert answer.status == 1
    assert "NOT the one that is known" in answer.out
    assert "its host key has changed" in answer.out


def test_an_account_that_is_refused_is_named_and_the_others_are_tried(
    web1: Cli, public_key: Callable[[str], Path], server: Sshd
) -> None:
    private = public_key("stranger@nowhere").with_suffix("")
    web1.done("account", "add", "stranger@web1", "--key", str(private))
    answer = web1("target", "check", "web1", "--json")
    problems = {one["account"]: one["problem"] for one in answer.value["logins"]}

    assert answer.status == 1
    assert problems[server.user] is None
    assert "refused the login" in problems["stranger"]
