"""One event on its way to a SIEM, and what a view makes of it.

A fact is an event as the outbox keeps it: with the id by which a receiver knows a duplicate, and with what
the event itself does not repeat of its session (who, as whom, on what, from where).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from watchgate.session.events import Envelope, UnknownEvent

NAMESPACE = uuid.UUID("7a0c7d4e-5b0e-5c1c-9d3a-3f3d6f0c2a11")
"""Ids of facts are UUIDv5 (RFC 9562 §5.5) in this namespace: who has the event can compute its id."""

CONTEXT = (
    *("protocol", "operator", "account", "target", "client"),
    *("recording", "grant", "started_at_us"),
)
"""What a fact says of its session besides the event."""

UNTOLD = frozenset({"rules.frozen"})
"""Kinds that do not leave: every session's rules word by word, where `policy.frozen` says their digest."""


def uid_of(session: str, seq: int) -> str:
    """The id of a session's event number *seq*; the same each time, so that duplicates show."""
    return str(uuid.uuid5(NAMESPACE, f"session/{session}/{seq}"))


def uid_of_entry(digest: str) -> str:
    """The id of the journal's entry with that hash.

    An entry may name a session and has the journal's own number: it must not meet that session's event.
    """
    return str(uuid.uuid5(NAMESPACE, f"journal/{digest}"))


@dataclass(frozen=True, slots=True)
class Fact:
    """One event that leaves; *context* is empty for the gateway's own journal."""

    uid: str
    at_us: int
    kind: str
    v: int
    session: str
    seq: int
    data: Mapping[str, Any]
    context: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, envelope: Envelope, context: Mapping[str, Any]) -> Fact:
        """The fact of a session's event."""
        event = envelope.event
        return cls(
            uid=uid_of(envelope.session, envelope.seq),
            at_us=envelope.at,
            kind=event.name if isinstance(event, UnknownEvent) else event.kind,
            v=event.version if isinstance(event, UnknownEvent) else event.v,
            session=envelope.session,
            seq=envelope.seq,
            data=event.data(),
            context=dict(context),
        )

    def to_json(self) -> str:
        """One line of ASCII JSON, as the outbox keeps it."""
        return json.dumps(
            {
                "uid": self.uid,
                "at_us": self.at_us,
                "kind": self.kind,
                "v": self.v,
                "session": self.session,
                "seq": self.seq,
                "data": self.data,
                "context": self.context,
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, line: str | bytes) -> Fact:
        """The inverse of `to_json`; raises ValueError for what is not a fact."""
        raw = json.loads(line)
        try:
            return cls(
                uid=str(raw["uid"]),
                at_us=int(raw["at_us"]),
                kind=str(raw["kind"]),
                v=int(raw["v"]),
                session=str(raw["session"]),
                seq=int(raw["seq"]),
                data=dict(raw["data"]),
                context=dict(raw["context"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a fact: {error}") from error


@dataclass(frozen=True, slots=True)
class Host:
    """Who reports: the gateway's node name, its version; and how large one message may be."""

    node: str
    version: str
    vendor: str = "Watchgate"
    product: str = "Watchgate"
    limit: int = 7680
    """Octets of one message, so that with its syslog header it stays below 8 KiB."""


class View(Protocol):
    """How one format shows a fact."""

    def __call__(self, fact: Fact, host: Host) -> bytes:
        """One message in UTF-8, without control characters, at most `host.limit` octets."""
