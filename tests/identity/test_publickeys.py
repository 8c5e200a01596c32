from __future__ import annotations

import base64
from pathlib import Path

import asyncssh
import pytest
from identity_world import fresh, new_key

from watchgate.errors import ConfigurationError, NotFound
from watchgate.identity import operators, publickeys


def string(octets: bytes) -> bytes:
    return len(octets).to_bytes(4, "big") + octets


def security_key_line(algorithm: str) -> tuple[str, bytes]:
    """A key of a security token, put together as PROTOCOL.u2f has it."""
    if algorithm.startswith("sk-ssh-ed25519"):
        body = string(new_key()[1][-32:])
    else:
        point = asyncssh.generate_private_key("ecdsa-sha2-nistp256").public_data
        body = string(b"nistp256") + point[-(4 + 65) :]
    octets = string(algorithm.encode()) + body + string(b"ssh:")
    return f"{algorithm} {base64.b64encode(octets).decode()} token", octets


def test_a_key_is_listed_with_its_fingerprint(tmp_path: Path) -> None:
    line, octets = new_key()
    with fresh(tmp_path) as world, world.change() as change:
        operators.add(change, "alice")
        added = publickeys.add(change, "ALICE", f"  {line}\n")
        listed = publickeys.list_all(change.connection, "alice")

    assert listed == [added] == [listed[0]]
    assert added.fingerprint == publickeys.fingerprint(octets)
    assert (added.algorithm, added.comment, added.operator) == ("ssh-ed25519", "laptop", "alice")


@pytest.mark.parametrize("algorithm", [name for name in publickeys.ALGORITHMS if name[:3] == "sk-"])
def test_keys_of_security_tokens_are_taken(tmp_path: Path, algorithm: str) -> None:
    line, octets = security_key_line(algorithm)
    with fresh(tmp_path) as world, world.change() as change:
        operators.add(change, "alice")
        added = publickeys.add(change, "alice", line)

    assert added.algorithm == algorithm
    assert added.fingerprint == publickeys.fingerprint(octets)


def test_a_key_belongs_to_one_operator(tmp_path: Path) -> None:
    line, _ = new_key()
    with fresh(tmp_path) as world, world.change() as change:
        operators.add(change, "alice")
        operators.add(change, "bob")
        publickeys.add(change, "alice", line)
        for name in ("alice", "bob"):
            with pytest.raises(ConfigurationError, match="already a key of alice"):
                publickeys.add(change, name, line)


PRIVATE = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
WEAK = asyncssh.generate_private_key("ssh-rsa", key_size=1024).export_public_key().decode()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "not one OpenSSH public key line"),
        ("ssh-ed25519 AAAA", "not one OpenSSH public key line"),
        ("ssh-ed25519 " + "A" * 20_000, "not one OpenSSH public key line"),
        (new_key()[0] * 2, "not one OpenSSH public key line"),
        (PRIVATE, "this is a private key"),
        (WEAK, "1024 bits is too short"),
    ],
)
def test_what_is_no_good_key_is_refused(tmp_path: Path, line: str, message: str) -> None:
    with fresh(tmp_path) as world, world.change() as change:
        operators.add(change, "alice")
        with pytest.raises(ConfigurationError, match=message):
            publickeys.add(change, "alice", line)


@pytest.mark.parametrize("by", ["id", "fingerprint", "comment"])
def test_a_key_is_removed_by_any_of_its_names(tmp_path: Path, by: str) -> None:
    with fresh(tmp_path) as world, world.change() as change:
        operators.add(change, "alice")
        added = publickeys.add(change, "alice", new_key()[0])
        publickeys.remove(change, "alice", getattr(added, by))
        left = publickeys.list_all(change.connection)

    assert left == []


def test_a_name_of_two_keys_removes_neither(tmp_path: Path) -> None:
    with fresh(tmp_path) as world, world.change() as change:
        operators.add(change, "alice")
        for _ in range(2):
            publickeys.add(change, "alice", new_key()[0])
        with pytest.raises(ConfigurationError, match="the comment of 2 keys"):
            publickeys.remove(change, "alice", "laptop")
        with pytest.raises(NotFound, match="no key 'desktop'"):
            publickeys.remove(change, "alice", "desktop")
        left = publickeys.list_all(change.connection)

    assert len(left) == 2
