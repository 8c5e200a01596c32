"""Public keys of operators: what may be entered, and how a key is known again."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

import asyncssh
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from watchgate.catalog import names
from watchgate.catalog.change import Change
from watchgate.catalog.schema import operator, operator_key
from watchgate.errors import ConfigurationError
from watchgate.identity import operators

ALGORITHMS = (
    "ssh-ed25519",
    "ssh-ed448",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
)
SMALLEST_RSA = 2048
LONGEST_LINE = 16 * 1024


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that proves an operator."""

    id: str
    operator: str
    algorithm: str
    fingerprint: str
    """`SHA256:…`, as `ssh-keygen -l` shows it."""
    comment: str
    created_at_us: int


def fingerprint(octets: bytes) -> str:
    """The SHA-256 fingerprint of a public key in its wire form (RFC 4253 §6.6)."""
    digest = base64.b64encode(hashlib.sha256(octets).digest()).decode().rstrip("=")
    return f"SHA256:{digest}"


def add(change: Change, of_operator: str, line: str) -> PublicKey:
    """Enter a key by its OpenSSH line (`ssh-ed25519 AAAA… comment`).

    A key belongs to one operator: two people with one key could not be told apart in the evidence.
    """
    owner = operators.get(change.connection, of_operator)
    key = read(line)
    comment = key.get_comment() or ""
    mark = key.get_fingerprint()
    identifier, algorithm = change.fresh_id(), key.get_algorithm()
    plain = b" ".join(key.export_public_key("openssh").split()[:2]).decode()
    row = {
        "id": identifier,
        "operator_id": owner.id,
        "algorithm": algorithm,
        "fingerprint": mark,
        "line": plain,
        "comment": comment,
        "created_at_us": change.at_us,
    }
    try:
        change.connection.execute(insert(operator_key).values(row))
    except IntegrityError as error:
        raise _taken(change.connection, mark) from error
    change.note("operator.key-added", owner.name, fingerprint=mark, algorithm=algorithm)
    return PublicKey(identifier, owner.name, algorithm, mark, comment, change.at_us)


def list_all(connection: Connection, of_operator: str | None = None) -> list[PublicKey]:
    """The keys of one operator, or of all."""
    query = select(operator_key, operator.c.name.label("owner")).join(
        operator, operator.c.id == operator_key.c.operator_id
    )
    if of_operator is not None:
        owner = operators.get(connection, of_operator)
        query = query.where(operator_key.c.operator_id == owner.id)
    rows = connection.execute(query.order_by(operator.c.folded, operator_key.c.created_at_us))
    return [
        PublicKey(row.id, row.owner, row.algorithm, row.fingerprint, row.comment, row.created_at_us)
        for row in rows
    ]


def remove(change: Change, of_operator: str, which: str) -> PublicKey:
    """Remove a key by its fingerprint, its id, or its comment when only one key has it."""
    keys = list_all(change.connection, of_operator)
    found = [
        key
        for key in keys
        if which in (key.id, key.fingerprint, key.fingerprint.removeprefix("SHA256:"), key.comment)
    ]
    if not found:
        raise names.unknown("key", which, [key.fingerprint for key in keys], "operator key")
    if len(found) > 1:
        raise ConfigurationError(
            f"{which!r} is the comment of {len(found)} keys; name one by its fingerprint",
            code="key.ambiguous",
        )
    change.connection.execute(delete(operator_key).where(operator_key.c.id == found[0].id))
    change.note("operator.key-removed", found[0].operator, fingerprint=found[0].fingerprint)
    return found[0]


def read(line: str) -> asyncssh.SSHKey:
    """The key in *line*, if it is one that an operator may have; raises ConfigurationError."""
    text = line.strip()
    if "PRIVATE KEY" in text:
        raise ConfigurationError(
            "this is a private key; give the line of the .pub file, and treat the private key as "
            "known to others if it was shown to anybody",
            code="key.private",
        )
    if len(text) > LONGEST_LINE or "\n" in text:
        raise _unreadable()
    try:
        key = asyncssh.import_public_key(text)
    except (asyncssh.KeyImportError, ValueError) as error:
        raise _unreadable() from error
    algorithm = key.get_algorithm()
    if algorithm not in ALGORITHMS:
        raise ConfigurationError(
            f"keys of the kind {algorithm} are not accepted; make one with ssh-keygen -t ed25519",
            code="key.unsupported",
        )
    if isinstance(key.pyca_key, rsa.RSAPublicKey) and key.pyca_key.key_size < SMALLEST_RSA:
        raise ConfigurationError(
            f"an RSA key of {key.pyca_key.key_size} bits is too short; "
            "make one with ssh-keygen -t ed25519",
            code="key.weak",
        )
    return key


def _unreadable() -> ConfigurationError:
    return ConfigurationError(
        "this is not one OpenSSH public key line (`ssh-ed25519 AAAA… comment`)",
        code="key.unreadable",
    )


def _taken(connection: Connection, mark: str) -> ConfigurationError:
    owner = connection.scalar(
        select(operator.c.name)
        .join(operator_key, operator_key.c.operator_id == operator.c.id)
        .where(operator_key.c.fingerprint == mark)
    )
    return ConfigurationError(
        f"the key {mark} is already a key of {owner}; a key proves one operator only",
        code="key.exists",
    )
