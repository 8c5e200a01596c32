"""Audited commands: rules, verdicts, approvals, locks, and what grants say of shells and elevation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_TEXT = sa.Text
_MOMENT = sa.BigInteger


def _of_session() -> sa.Column[str]:
    return sa.Column("session_id", sa.String(36), nullable=False)


def _session_key(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["session_id"],
        ["session.id"],
        name=f"fk_{table}_session_id",
        ondelete="CASCADE",
    )


def upgrade() -> None:
    """Make the columns and the tables."""
    _add("operator", ("locked_at_us", _MOMENT), ("locked_by", _TEXT), ("locked_reason", _TEXT))
    _add("access_grant", ("shell", sa.String(16)), ("elevation", sa.String(64)))
    _add("session", ("points", _MOMENT), ("risk", sa.Integer))
    _add("command", ("place", sa.String(16)), ("program", _TEXT), ("cwd", _TEXT))
    _rules()
    _approvals()
    _verdicts()


def _add(table: str, *columns: tuple[str, object]) -> None:
    for name, kind in columns:
        op.add_column(table, sa.Column(name, kind))  # type: ignore[arg-type]


def _rules() -> None:
    op.create_table(
        "rule",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("document", _TEXT, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("origin", _TEXT, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("created_at_us", _MOMENT, nullable=False),
        sa.Column("changed_at_us", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_rule"),
    )


def _approvals() -> None:
    op.create_table(
        "approval",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("session", sa.String(36), nullable=False),
        sa.Column("operator", _TEXT, nullable=False),
        sa.Column("account", _TEXT, nullable=False),
        sa.Column("target", _TEXT, nullable=False),
        sa.Column("channel", sa.Integer, nullable=False),
        sa.Column("command", _TEXT, nullable=False),
        sa.Column("normalized", sa.JSON, nullable=False),
        sa.Column("key_digest", sa.String(64), nullable=False),
        sa.Column("rules", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("asked_at_us", _MOMENT, nullable=False),
        sa.Column("expires_at_us", _MOMENT, nullable=False),
        sa.Column("answered_at_us", _MOMENT),
        sa.Column("answered_by", _TEXT),
        sa.Column("reason", _TEXT),
        sa.Column("until_us", _MOMENT),
        sa.Column("uses_left", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_approval"),
    )
    op.create_index("ix_approval_operator", "approval", ["operator"])
    op.create_index("ix_approval_state", "approval", ["state"])


def _verdicts() -> None:
    op.create_table(
        "verdict",
        _of_session(),
        sa.Column("seq", _MOMENT, nullable=False),
        sa.Column("decided_seq", _MOMENT, nullable=False),
        sa.Column("at_us", _MOMENT, nullable=False),
        sa.Column("offset_us", _MOMENT, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("severity", sa.String(16)),
        sa.Column("points", sa.Integer, nullable=False),
        sa.Column("normalized", sa.JSON, nullable=False),
        sa.Column("opaque", sa.JSON, nullable=False),
        sa.Column("message", _TEXT, nullable=False),
        sa.Column("tries_left", sa.Integer),
        sa.Column("approval", sa.String(36)),
        sa.PrimaryKeyConstraint("session_id", "seq", name="pk_verdict"),
        _session_key("verdict"),
    )
    op.create_index("ix_verdict_at_us", "verdict", ["at_us"])
    op.create_index("ix_verdict_outcome", "verdict", ["outcome"])
    op.create_table(
        "rule_hit",
        _of_session(),
        sa.Column("seq", _MOMENT, nullable=False),
        sa.Column("rule", sa.String(64), nullable=False),
        sa.Column("operator", _TEXT, nullable=False),
        sa.Column("at_us", _MOMENT, nullable=False),
        sa.Column("shadow", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("session_id", "seq", "rule", name="pk_rule_hit"),
        _session_key("rule_hit"),
    )
    op.create_index("ix_rule_hit_operator_rule_at_us", "rule_hit", ["operator", "rule", "at_us"])
    op.create_index("ix_rule_hit_rule_at_us", "rule_hit", ["rule", "at_us"])
