"""The catalog's tables as SQLAlchemy Core describes them.

Three families: *configuration* (operators, targets, accounts, grants, sealed secrets), which exists
nowhere else; *projections* (sessions, commands, transfers, forwards), which `watchgate reindex` rebuilds
from recordings; and the *journal*. Ids are UUIDv7 as text, times are microseconds since 1970 in UTC.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class WireText(TypeDecorator[str]):
    """Text that came off a wire: what no database takes is written with backslashes.

    Lone surrogates (octets that were not UTF-8, see `session.events.text`) become `\\udc80`; NUL, which
    PostgreSQL refuses, becomes `\\x00`. The exact octets are in the recording.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)


class Word(TypeDecorator[str]):
    """A short text, which may also be compared with text off the wire or a command line."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)


def storable(value: str) -> str:
    """*value* as any database takes it."""
    return value.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def _id() -> Column[Any]:
    return Column("id", Word(36), primary_key=True)


def _owner(column: str, of: str, **options: Any) -> Column[Any]:
    return Column(column, Word(36), ForeignKey(f"{of}.id", ondelete="CASCADE"), **options)


# --- configuration -------------------------------------------------------------------------------

operator = Table(
    "operator",
    METADATA,
    _id(),
    Column("name", Word(64), nullable=False),
    Column("folded", Word(64), nullable=False, unique=True),
    Column("roles", JSON, nullable=False),
    Column("password_hash", Text),
    Column("combinations", JSON(none_as_null=True)),
    Column("totp_last_step", BigInteger, nullable=False, default=0),
    Column("disabled_at_us", BigInteger),
    Column("created_at_us", BigInteger, nullable=False),
    Column("locked_at_us", BigInteger),
    Column("locked_by", WireText),
    Column("locked_reason", WireText),
)

operator_group = Table(
    "operator_group",
    METADATA,
    _owner("operator_id", "operator", primary_key=True),
    Column("name", Word(64), primary_key=True, index=True),
)

operator_key = Table(
    "operator_key",
    METADATA,
    _id(),
    _owner("operator_id", "operator", nullable=False, index=True),
    Column("algorithm", Word(64), nullable=False),
    Column("fingerprint", Word(64), nullable=False, unique=True),
    Column("line", Text, nullable=False),
    Column("comment", WireText, nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
)

target = Table(
    "target",
    METADATA,
    _id(),
    Column("name", Word(64), nullable=False),
    Column("folded", Word(64), nullable=False, unique=True),
    Column("protocol", Word(16), nullable=False),
    Column("host", Word(255), nullable=False, index=True),
    Column("port", Integer, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
)

target_label = Table(
    "target_label",
    METADATA,
    _owner("target_id", "target", primary_key=True),
    Column("key", Word(64), primary_key=True),
    Column("value", Word(255), nullable=False),
    Index(None, "key", "value"),
)

target_host_key = Table(
    "target_host_key",
    METADATA,
    _owner("target_id", "target", primary_key=True),
    Column("fingerprint", Word(64), primary_key=True),
    Column("line", Text, nullable=False),
    Column("pinned_at_us", BigInteger, nullable=False),
)

account = Table(
    "account",
    METADATA,
    _id(),
    _owner("target_id", "target", nullable=False),
    Column("name", Word(64), nullable=False),
    Column("credential", Word(16), nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
    UniqueConstraint("target_id", "name"),
)

grant = Table(
    "access_grant",  # GRANT is a word of SQL
    METADATA,
    _id(),
    _owner("operator_id", "operator"),
    Column("group_name", Word(64)),
    Column("account", Word(64), nullable=False),
    _owner("target_id", "target"),
    Column("selector", Text),
    Column("capabilities", JSON, nullable=False),
    Column("from_us", BigInteger),
    Column("until_us", BigInteger),
    Column("hours", JSON(none_as_null=True)),
    Column("networks", JSON, nullable=False),
    Column("max_sessions", Integer, nullable=False),
    Column("comment", WireText, nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
    Column("revoked_at_us", BigInteger),
    Column("shell", Word(16)),
    Column("elevation", Word(64)),
    Index(None, "operator_id", "target_id"),
    Index(None, "group_name", "target_id"),
    Index(None, "target_id"),
)

rule = Table(
    "rule",
    METADATA,
    Column("name", Word(64), primary_key=True),
    Column("document", Text, nullable=False),
    Column("digest", Word(64), nullable=False),
    Column("origin", WireText, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
    Column("changed_at_us", BigInteger, nullable=False),
)

approval = Table(
    "approval",
    METADATA,
    _id(),
    Column("session", Word(36), nullable=False),
    Column("operator", WireText, nullable=False, index=True),
    Column("account", WireText, nullable=False),
    Column("target", WireText, nullable=False),
    Column("channel", Integer, nullable=False),
    Column("command", WireText, nullable=False),
    Column("normalized", JSON, nullable=False),
    Column("key_digest", Word(64), nullable=False),
    Column("rules", JSON, nullable=False),
    Column("state", Word(16), nullable=False, index=True),
    Column("asked_at_us", BigInteger, nullable=False),
    Column("expires_at_us", BigInteger, nullable=False),
    Column("answered_at_us", BigInteger),
    Column("answered_by", WireText),
    Column("reason", WireText),
    Column("until_us", BigInteger),
    Column("uses_left", Integer),
)

secret = Table(
    "secret",
    METADATA,
    _id(),
    Column("purpose", Word(16), nullable=False),
    Column("owner", Word(36), nullable=False),
    Column("key_id", Word(32), nullable=False),
    Column("nonce", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
    UniqueConstraint("purpose", "owner"),
)

vault_key = Table(
    "vault_key",
    METADATA,
    Column("id", Word(32), primary_key=True),
    Column("nonce", LargeBinary, nullable=False),
    Column("check", LargeBinary, nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
)

# --- projections ---------------------------------------------------------------------------------

session = Table(
    "session",
    METADATA,
    _id(),
    Column("recording", Word(36), nullable=False, unique=True),
    Column("protocol", Word(16), nullable=False),
    Column("operator", WireText, nullable=False),
    Column("account", WireText, nullable=False),
    Column("target", WireText, nullable=False),
    Column("client", WireText, nullable=False),
    Column("grant", Word(36), nullable=False),
    Column("policy_digest", Word(64), nullable=False),
    Column("started_at_us", BigInteger, nullable=False, index=True),
    Column("last_at_us", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("ended_at_us", BigInteger),
    Column("state", Word(16), nullable=False, index=True),
    Column("reason", Word(32)),
    Column("detail", WireText),
    Column("ended_by", WireText),
    Column("input_octets", BigInteger),
    Column("output_octets", BigInteger),
    Column("key_id", WireText),
    Column("target_address", WireText),
    Column("gateway_address", WireText),
    Column("points", BigInteger),
    Column("risk", Integer),
    Index(None, "operator", "started_at_us"),
    Index(None, "target", "started_at_us"),
)


def _of_session() -> Column[Any]:
    return Column(
        "session_id", Word(36), ForeignKey("session.id", ondelete="CASCADE"), primary_key=True
    )


command = Table(
    "command",
    METADATA,
    _of_session(),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger),
    Column("offset_us", BigInteger),
    Column("channel", Integer),
    Column("text", WireText),
    Column("source", Word(32)),
    Column("confidence", Word(16)),
    Column("exit_status", BigInteger),
    Column("exit_signal", WireText),
    Column("duration_us", BigInteger),
    Column("place", Word(16)),
    Column("program", WireText),
    Column("cwd", WireText),
)

verdict = Table(
    "verdict",
    METADATA,
    _of_session(),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("decided_seq", BigInteger, nullable=False),
    Column("at_us", BigInteger, nullable=False, index=True),
    Column("offset_us", BigInteger, nullable=False),
    Column("outcome", Word(16), nullable=False, index=True),
    Column("severity", Word(16)),
    Column("points", Integer, nullable=False),
    Column("normalized", JSON, nullable=False),
    Column("opaque", JSON, nullable=False),
    Column("message", WireText, nullable=False),
    Column("tries_left", Integer),
    Column("approval", Word(36)),
)
"""One row for each decided command; *seq* is that of its `command.requested`."""

rule_hit = Table(
    "rule_hit",
    METADATA,
    _of_session(),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("rule", Word(64), primary_key=True),
    Column("operator", WireText, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("shadow", Boolean, nullable=False),
    Index(None, "operator", "rule", "at_us"),
    Index(None, "rule", "at_us"),
)

file_transfer = Table(
    "file_transfer",
    METADATA,
    _of_session(),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, nullable=False),
    Column("offset_us", BigInteger, nullable=False),
    Column("channel", Integer, nullable=False),
    Column("protocol", Word(16), nullable=False),
    Column("operation", Word(32), nullable=False),
    Column("path", WireText, nullable=False),
    Column("destination", WireText),
    Column("size", BigInteger),
    Column("digest", Word(64)),
    Column("complete", Boolean, nullable=False),
    Column("note", WireText, nullable=False),
)

forward = Table(
    "forward",
    METADATA,
    _of_session(),
    Column("item", BigInteger, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger),
    Column("offset_us", BigInteger),
    Column("direction", Word(16)),
    Column("destination", WireText),
    Column("origin", WireText),
    Column("carries", Word(16)),
    Column("refused", WireText),
    Column("sent_octets", BigInteger),
    Column("received_octets", BigInteger),
)

PROJECTIONS = (forward, file_transfer, rule_hit, verdict, command, session)
"""In the order in which they are emptied."""

# --- what leaves for SIEMs -------------------------------------------------------------------------

outbox = Table(
    "outbox",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("uid", Word(36), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("kind", Word(64), nullable=False),
    Column("entry", Text, nullable=False),
    sqlite_autoincrement=True,
)

sink = Table(
    "sink",
    METADATA,
    Column("name", Word(64), primary_key=True),
    Column("cursor", BigInteger, nullable=False),
    Column("delivered", BigInteger, nullable=False),
    Column("dropped", BigInteger, nullable=False),
    Column("delivered_at_us", BigInteger),
    Column("failing_since_us", BigInteger),
    Column("failure", WireText),
)

handed_over = Table(
    "handed_over",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
)
"""One row: up to which line the hand-over log (`catalog.handover`) is in the projections and the outbox."""

# --- what came from files ------------------------------------------------------------------------

managed = Table(
    "managed",
    METADATA,
    Column("kind", Word(16), primary_key=True),
    Column("row_id", Word(36), primary_key=True),
    Column("owner", Word(64), nullable=False, index=True),
    Column("name", WireText, nullable=False),
)

# --- the targets' own logs -----------------------------------------------------------------------

target_login = Table(
    "target_login",
    METADATA,
    Column("uid", Word(64), primary_key=True),
    Column("target", WireText, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("account", WireText, nullable=False),
    Column("method", Word(64), nullable=False),
    Column("source", Word(64), nullable=False),
    Column("port", Integer, nullable=False),
    Column("key_id", WireText),
    Column("fingerprint", WireText),
    Column("authority", WireText),
    Column("imported_at_us", BigInteger, nullable=False),
    Column("told_at_us", BigInteger),
    Index(None, "target", "at_us"),
)

target_log = Table(
    "target_log",
    METADATA,
    Column("target", WireText, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("hours", Integer, nullable=False),
    Column("first_at_us", BigInteger, nullable=False),
    Column("last_at_us", BigInteger, nullable=False),
    Column("imported_at_us", BigInteger, nullable=False),
)

coverage_exception = Table(
    "coverage_exception",
    METADATA,
    Column("id", Word(36), primary_key=True),
    Column("target", WireText),
    Column("account", WireText),
    Column("source", Word(64)),
    Column("from_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Column("reason", WireText, nullable=False),
    Column("created_by", WireText, nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
)

# --- the journal ---------------------------------------------------------------------------------

journal = Table(
    "journal",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, nullable=False, index=True),
    Column("kind", Word(64), nullable=False, index=True),
    Column("session", Word(36), nullable=False),
    Column("entry", Text, nullable=False),
    Column("prev_hash", Word(64), nullable=False),
    Column("hash", Word(64), nullable=False),
)

journal_head = Table(
    "journal_head",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Word(64), nullable=False),
)
