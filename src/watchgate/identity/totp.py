"""One-time codes by the clock (RFC 6238): six digits, thirty seconds, HMAC-SHA-1.

Those parameters, because every authenticator app has them and many have no others. A code is right in
its own step and one step before and after; it is right once: the last step that was used is kept in the
catalog, so a code that was looked at over a shoulder, or sent to two gateways, opens nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from sqlalchemy import Connection, update

from watchgate.catalog.change import Change
from watchgate.catalog.schema import operator
from watchgate.identity import operators
from watchgate.secret import Secret
from watchgate.vault.vault import TOTP, Vault

DIGITS = 6
STEP_SECONDS = 30
WINDOW = 1
"""Steps before and after the present one that are right too: clocks differ, people type slowly."""

SECRET_OCTETS = 20
"""RFC 4226 §4 asks for 128 bits and recommends 160."""


@dataclass(frozen=True, slots=True)
class Enrollment:
    """What the operator's authenticator needs; shown once, kept nowhere but in the vault."""

    operator: str
    secret: Secret
    """In base32, for typing."""
    url: Secret
    """The otpauth:// address, for a QR code."""


def code_at(key: bytes, step: int) -> str:
    """The code of one step (RFC 4226 §5.3)."""
    digest = hmac.new(key, step.to_bytes(8, "big"), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_at(wall_us: int) -> int:
    """The number of the step at that moment."""
    return wall_us // 1_000_000 // STEP_SECONDS


def matching_step(key: bytes, code: str, wall_us: int, used: int) -> int | None:
    """The step after *used* whose code this is, of those that are right now; else None."""
    typed = "".join(code.split()).encode("utf-8", "replace")
    now, found = step_at(wall_us), None
    for step in range(now - WINDOW, now + WINDOW + 1):
        same = hmac.compare_digest(code_at(key, step).encode(), typed)
        if same and step > used:
            found = step
    return found


def enroll(
    change: Change,
    vault: Vault,
    name: str,
    *,
    issuer: str = "Watchgate",
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> Enrollment:
    """Give an operator a fresh secret for codes, in the place of one that he had."""
    found = operators.get(change.connection, name)
    key = random(SECRET_OCTETS)
    vault.store(change, TOTP, found.id, Secret(key))
    change.connection.execute(
        update(operator).where(operator.c.id == found.id).values(totp_last_step=0)
    )
    change.note("operator.totp-enrolled", found.name)
    encoded = base64.b32encode(key).decode().rstrip("=")
    label = quote(f"{issuer}:{found.name}")
    query = urlencode(
        {
            "secret": encoded,
            "issuer": issuer,
            "algorithm": "SHA1",
            "digits": DIGITS,
            "period": STEP_SECONDS,
        },
        quote_via=quote,
    )
    return Enrollment(found.name, Secret(encoded), Secret(f"otpauth://totp/{label}?{query}"))


def disable(change: Change, vault: Vault, name: str) -> bool:
    """Take an operator's codes away; whether he had any."""
    found = operators.get(change.connection, name)
    had = vault.forget(change, TOTP, found.id)
    if had:
        change.note("operator.totp-disabled", found.name)
    return had


def use_step(connection: Connection, operator_id: str, step: int) -> bool:
    """Mark *step* as used; False when it, or a later one, was used meanwhile."""
    return (
        connection.execute(
            update(operator)
            .where(operator.c.id == operator_id, operator.c.totp_last_step < step)
            .values(totp_last_step=step)
        ).rowcount
        == 1
    )
