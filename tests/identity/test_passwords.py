from __future__ import annotations

from pathlib import Path

import pytest
from identity_world import CHEAP, PASSWORD, fresh

from watchgate.errors import ConfigurationError
from watchgate.identity import operators, passwords
from watchgate.identity.passwords import Cost, Passwords
from watchgate.secret import Secret


def test_a_password_is_verified_by_its_hash() -> None:
    hasher = Passwords(CHEAP)
    stored = hasher.hash(PASSWORD)

    assert stored.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert hasher.hash(PASSWORD) != stored
    assert hasher.verify(stored, PASSWORD)
    assert not hasher.verify(stored, Secret("another"))


def test_the_cost_is_the_one_that_the_rfc_recommends() -> None:
    assert Passwords().hash(PASSWORD).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@pytest.mark.parametrize("stored", [None, "", "garbage", "$argon2id$v=19$m=64,t=1,p=1$x"])
def test_no_hash_is_never_right(stored: str | None) -> None:
    hasher = Passwords(CHEAP)

    assert not hasher.verify(stored, PASSWORD)
    assert not hasher.verify(stored, Secret("nobody has this password"))


def test_an_endless_password_is_wrong_and_cut_before_it_is_hashed() -> None:
    hasher = Passwords(CHEAP)
    cut = hasher.hash(Secret("x" * passwords.LONGEST))

    assert hasher.verify(cut, Secret("x" * passwords.LONGEST))
    assert not hasher.verify(cut, Secret("x" * (passwords.LONGEST + 1)))
    assert not hasher.verify(cut, Secret("x" * 1_000_000))


def test_another_cost_makes_a_hash_outdated() -> None:
    stored = Passwords(CHEAP).hash(PASSWORD)

    assert not Passwords(CHEAP).outdated(stored)
    assert Passwords(Cost(2, 64, 1)).outdated(stored)


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("", "12 to 1024 octets"),
        ("elevenchars", "12 to 1024 octets; this one has 11"),
        ("x" * 1025, "12 to 1024 octets"),
        ("aaaaaaaaaaaa", "guessed first"),
        ("ALICE-SMITHSON", "guessed first"),
    ],
)
def test_a_password_that_would_be_guessed_is_refused(
    tmp_path: Path, password: str, message: str
) -> None:
    with fresh(tmp_path) as world, world.change() as change:
        operators.add(change, "alice-smithson")
        with pytest.raises(ConfigurationError, match=message) as caught:
            passwords.set_password(change, world.passwords, "alice-smithson", Secret(password))

    assert not password or password not in str(caught.value)


def test_a_password_is_taken_away(tmp_path: Path) -> None:
    with fresh(tmp_path) as world, world.change() as change:
        operators.add(change, "alice")
        passwords.set_password(change, world.passwords, "alice", PASSWORD)
        had = operators.get(change.connection, "alice").has_password
        cleared = passwords.clear_password(change, "alice")
        again = passwords.clear_password(change, "alice")

    assert (had, cleared, again) == (True, True, False)
