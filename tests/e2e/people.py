"""Operators with secrets, and what their clients need to prove them."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import asyncssh
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from e2e.gateway import World
from watchgate.clock import SystemClock
from watchgate.demo.openssh import environment
from watchgate.identity import grants, operators, totp
from watchgate.identity.passwords import Passwords, set_password
from watchgate.secret import Secret
from watchgate.vault.vault import Vault

PASSWORD = "staple battery horse"
USER_PRESENT = 1


@dataclass(frozen=True, slots=True)
class Person:
    """An operator who may reach web1, with the secrets that he was given."""

    name: str
    code_key: bytes

    def code(self, steps: int = 0) -> str:
        """His one-time code, now or some steps from now."""
        return totp.code_at(self.code_key, totp.step_at(SystemClock().wall_us()) + steps)


def add_person(world: World, name: str, *combinations: str) -> Person:
    """An operator with a password, with codes and with a grant; *combinations* are his own."""
    code_key = hashlib.sha256(name.encode()).digest()[: totp.SECRET_OCTETS]
    with world.change() as change:
        operators.add(change, name)
        set_password(change, Passwords(), name, Secret(PASSWORD.encode()))
        vault = Vault(world.data / "keys/vault.key")
        totp.enroll(change, vault, name, random=lambda size: code_key[:size])
        if combinations:
            operators.set_combinations(change, name, combinations)
        grants.add(change, account=world.target.user, on="web1", to_operator=name)
    return Person(name, code_key)


def typing(
    world: World,
    name: str,
    *arguments: str,
    password: str = PASSWORD,
    code: str = "",
    command: str = "echo in",
) -> subprocess.CompletedProcess[bytes]:
    """`ssh` in the name of *name*, which types *password* or *code* where it is asked for one."""
    asked = world.directory / f"askpass-{os.urandom(4).hex()}"
    asked.write_text(
        f'#!/bin/sh\ncase "$1" in *ode:*) printf %s {code!r} ;; *) printf %s {password!r} ;; esac\n'
    )
    asked.chmod(0o700)
    variables = {"SSH_ASKPASS": str(asked), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":none"}
    options = ["-o", "BatchMode=no", *arguments]
    return subprocess.run(
        world.alice.argv("ssh", *options, destination(world, name), command),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
        env=environment(variables),
    )


def destination(world: World, name: str) -> str:
    """Where *name* gets a session on web1."""
    return f"{name}+{world.target.user}@web1@gate"


class SecurityKey(asyncssh.SSHKeyPair):
    """A FIDO security key in software (OpenSSH's PROTOCOL.u2f); *flags* say whether it was touched."""

    def __init__(self, flags: int = USER_PRESENT) -> None:
        name = b"sk-ssh-ed25519@openssh.com"
        self._flags = flags
        self._key = Ed25519PrivateKey.generate()
        point = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        data = b"".join(map(_string, (name, point, b"ssh:")))
        super().__init__(name, name, (name,), (name,), data, None)

    def line(self) -> str:
        """The public key as OpenSSH writes it."""
        key = asyncssh.public_key.decode_ssh_public_key(self.public_data)
        return key.export_public_key("openssh").decode()

    def sign(self, data: bytes) -> bytes:
        state = bytes((self._flags,)) + (7).to_bytes(4, "big")
        application, message = hashlib.sha256(b"ssh:").digest(), hashlib.sha256(data).digest()
        signature = self._key.sign(application + state + message)
        return _string(self.sig_algorithm) + _string(signature) + state


def _string(octets: bytes) -> bytes:
    return len(octets).to_bytes(4, "big") + octets


def certify(authority: Path, key: Path, *arguments: str) -> None:
    """Sign *key* as a user certificate with `ssh-keygen -s`, beside the key where ssh finds it."""
    command = ["ssh-keygen", "-q", "-s", str(authority), *arguments, str(key.with_suffix(".pub"))]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)
