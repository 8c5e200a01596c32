"""Passwords of operators: argon2id with the second recommended parameters of RFC 9106 §4.

3 passes over 64 MiB with 4 lanes. A verification costs that memory for some tens of milliseconds, so
whoever verifies for the network does at most two at once (`watchgate.identity.authentication`); 1,000
logins then use 128 MiB and wait their turn.
"""

from __future__ import annotations

from dataclasses import dataclass

import argon2
from sqlalchemy import update

from watchgate.catalog.change import Change
from watchgate.catalog.schema import operator
from watchgate.errors import ConfigurationError
from watchgate.identity import operators
from watchgate.secret import Secret

SHORTEST = 12
"""NIST SP 800-63B asks for 8 where another factor is used and 15 where none is."""

LONGEST = 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """What a verification costs: whoever stole the hashes pays it for each guess."""

    passes: int = 3
    memory_kib: int = 64 * 1024
    lanes: int = 4


class Passwords:
    """Hashes and verifies; blocks for as long as its cost says."""

    def __init__(self, cost: Cost | None = None) -> None:
        chosen = cost or Cost()
        self._hasher = argon2.PasswordHasher(
            time_cost=chosen.passes,
            memory_cost=chosen.memory_kib,
            parallelism=chosen.lanes,
            type=argon2.Type.ID,
        )
        # Verified in the place of a hash that is not there, so that an unknown name costs the same.
        self._nobody = self._hasher.hash(b"nobody has this password")

    def hash(self, password: Secret) -> str:
        """The hash in PHC form, with a fresh salt."""
        return self._hasher.hash(password.reveal())

    def verify(self, stored: str | None, password: Secret) -> bool:
        """Whether *password* is the one behind *stored*; None costs the same and is never right."""
        octets = password.reveal()
        if len(octets) > LONGEST:
            octets = octets[:LONGEST]
            stored = None
        try:
            self._hasher.verify(self._nobody if stored is None else stored, octets)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False
        return stored is not None

    def outdated(self, stored: str) -> bool:
        """Whether *stored* was made at another cost and should be made anew at the next login."""
        return self._hasher.check_needs_rehash(stored)


def set_password(change: Change, passwords: Passwords, name: str, password: Secret) -> None:
    """Give an operator this password; raises ConfigurationError when it is too short to be one."""
    found = operators.get(change.connection, name)
    octets = password.reveal()
    if not SHORTEST <= len(octets) <= LONGEST:
        raise ConfigurationError(
            f"a password has {SHORTEST} to {LONGEST} octets; this one has {len(octets)}",
            code="operator.illegal-password",
        )
    if len(set(octets)) < 4 or found.name.encode().lower() == octets.lower():
        raise ConfigurationError(
            "this password would be guessed first; take several words",
            code="operator.weak-password",
        )
    change.connection.execute(
        update(operator)
        .where(operator.c.id == found.id)
        .values(password_hash=passwords.hash(password))
    )
    change.note("operator.password-set", found.name)


def clear_password(change: Change, name: str) -> bool:
    """Take an operator's password away; whether he had one."""
    found = operators.get(change.connection, name)
    if found.has_password:
        change.connection.execute(
            update(operator).where(operator.c.id == found.id).values(password_hash=None)
        )
        change.note("operator.password-cleared", found.name)
    return found.has_password
