"""Operators name targets in user names and jumps."""

from __future__ import annotations

import pytest

from watchgate.protocols.ssh.address import NAME_LIMIT, Destination, parse, parse_jump


@pytest.mark.parametrize(
    ("user", "destination"),
    [
        ("alice", Destination("alice")),
        ("alice+root@web1", Destination("alice", "root", "web1")),
        ("alice+root", Destination("alice", "root")),
        ("alice@web1", Destination("alice", None, "web1")),
        ("alice+svc@corp@web1", Destination("alice", "svc@corp", "web1")),
        ("alice+a+b@web1", Destination("alice", "a+b", "web1")),
        ("alice+@web1", Destination("alice", None, "web1")),
        ("alice@", Destination("alice")),
        ("", Destination("")),
        ("+root@web1", Destination("", "root", "web1")),
        ("@web1", Destination("", None, "web1")),
    ],
)
def test_a_user_name_carries_operator_account_and_target(
    user: str, destination: Destination
) -> None:
    assert parse(user) == destination


def test_an_oversized_user_name_is_nobody() -> None:
    destination = parse("a" * 10_000 + "+root@web1")

    assert destination.account is None
    assert destination.target is None
    assert len(destination.operator) == NAME_LIMIT


@pytest.mark.parametrize(
    ("user", "account"),
    [("root", "root"), ("alice+root", "root"), ("bob+root", "bob+root"), ("alice", "alice")],
)
def test_behind_a_jump_the_user_name_is_the_account(user: str, account: str) -> None:
    inner = parse_jump(user, Destination("alice"))

    assert inner == Destination("alice", account)
