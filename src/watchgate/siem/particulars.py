"""What an event says, under names that all views share.

An event's fields and what is known of its session become *particulars*: who, as whom, on what, from where,
which command, which file. Each view has one table from these to its own names; what has no such name goes
along as details, so nothing that an event says is left out of a view.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from watchgate.siem.fact import CONTEXT, Fact
from watchgate.siem.legible import clipped, cut, one_line
from watchgate.siem.meaning import GENERIC, Meaning, meaning_of


class Role(StrEnum):
    """What a field says, whatever its name is in an event or in a format."""

    OPERATOR = "operator"
    ACCOUNT = "account"
    TARGET = "target"
    CLIENT = "client"
    ADDRESS = "address"
    DESTINATION = "destination"
    PROTOCOL = "protocol"
    COMMAND = "command"
    EXIT_STATUS = "exit status"
    PATH = "path"
    SIZE = "size"
    DIGEST = "digest"
    REASON = "reason"
    RECORDING = "recording"
    GRANT = "grant"
    OCTETS_IN = "octets in"
    OCTETS_OUT = "octets out"
    DURATION = "duration"
    RULES = "rules"
    NORMALIZED = "normalized command"


PEERS = frozenset({Role.CLIENT, Role.ADDRESS, Role.DESTINATION})
"""One end of a connection: `host:port`."""

JOINED: Mapping[Role, str] = {Role.RULES: ", ", Role.NORMALIZED: "; "}
"""Lists of texts that are told as one, and what stands between them."""

NUMBERS = frozenset({Role.EXIT_STATUS, Role.SIZE, Role.OCTETS_IN, Role.OCTETS_OUT, Role.DURATION})

ROLES: dict[str, Role] = {
    "operator": Role.OPERATOR,
    "actor": Role.OPERATOR,
    "account": Role.ACCOUNT,
    "target": Role.TARGET,
    "client": Role.CLIENT,
    "address": Role.ADDRESS,
    "destination": Role.DESTINATION,
    "command": Role.COMMAND,
    "exit_status": Role.EXIT_STATUS,
    "path": Role.PATH,
    "reason": Role.REASON,
    "recording": Role.RECORDING,
    "grant": Role.GRANT,
    "input_octets": Role.OCTETS_IN,
    "output_octets": Role.OCTETS_OUT,
    "sent_octets": Role.OCTETS_IN,
    "received_octets": Role.OCTETS_OUT,
    "duration_us": Role.DURATION,
    "rule": Role.RULES,
    "rules": Role.RULES,
    "normalized": Role.NORMALIZED,
}
"""By the name of the field."""

EXCEPTIONS: dict[tuple[str, str], Role | None] = {
    ("session.claimed", "protocol"): Role.PROTOCOL,
    ("session.opened", "protocol"): Role.PROTOCOL,
    ("file.moved", "digest"): Role.DIGEST,
    ("file.moved", "size"): Role.SIZE,
    ("coverage.bypassed", "source"): Role.CLIENT,
    ("command.decided", "message"): Role.REASON,
    ("approval.closed", "why"): Role.REASON,
    ("forward.listening", "address"): None,  # where the target listens, not where it is
}
"""Where a field of that name means something else in one kind; None: it goes with the details."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One end of a connection, as far as it can be read; *host* is an IP address or a name."""

    host: str
    port: int | None = None

    @property
    def ip(self) -> str | None:
        """The host, if it is an IP address: formats have a field for nothing else."""
        try:
            return str(ipaddress.ip_address(self.host.partition("%")[0]))
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Particulars:
    """A fact, read: its meaning, what has a name in the formats, and the rest."""

    fact: Fact
    meaning: Meaning
    texts: Mapping[Role, str]
    numbers: Mapping[Role, int]
    peers: Mapping[Role, Peer]
    details: Mapping[str, Any]
    message: str

    @property
    def offset_ms(self) -> int | None:
        """Where in the recording it is, in milliseconds."""
        started = self.fact.context.get("started_at_us")
        if not isinstance(started, int) or isinstance(started, bool):
            return None
        return max(0, self.fact.at_us - started) // 1000


def particulars(fact: Fact, most: int) -> Particulars:
    """What *fact* says, each text legible and at most *most* characters long."""
    texts: dict[Role, str] = {}
    numbers: dict[Role, int] = {}
    peers: dict[Role, Peer] = {}
    details: dict[str, Any] = {}
    for role, name, said in _said(fact):
        value = _joined(role, said)
        if role in NUMBERS and isinstance(value, int) and not isinstance(value, bool):
            numbers[role] = value
        elif role is not None and role not in NUMBERS and isinstance(value, str):
            texts[role] = clipped(value, most)
            if role in PEERS:
                peers[role] = peer(texts[role])
        else:
            details[name] = value
    meaning = meaning_of(fact.kind, fact.data)
    return Particulars(
        fact=_named_legibly(fact),
        meaning=meaning,
        texts=texts,
        numbers=numbers,
        peers=peers,
        details=clipped(details, most),
        message=_message(fact.kind, meaning, texts, most),
    )


def _joined(role: Role | None, value: Any) -> Any:
    """A list of texts as one text, where a role wants it."""
    between = None if role is None else JOINED.get(role)
    if between is None or not isinstance(value, list):
        return value
    return between.join(value) if all(isinstance(one, str) for one in value) else value


def _named_legibly(fact: Fact) -> Fact:
    """*fact* with ids and a kind that can stand anywhere: those of an unknown event may be anything."""
    return replace(
        fact,
        uid=one_line(fact.uid[:64]),
        kind=one_line(fact.kind[:64]),
        session=one_line(fact.session[:64]),
    )


def _said(fact: Fact) -> Iterator[tuple[Role | None, str, Any]]:
    """All that is said and not empty: the context first, so that what the event itself says counts."""
    for name in CONTEXT:
        if name != "started_at_us" and fact.context.get(name) not in (None, ""):
            yield Role(name), name, fact.context[name]
    for name, value in fact.data.items():
        if value is not None and value not in ("", []):
            yield EXCEPTIONS.get((fact.kind, name), ROLES.get(name)), name, value


def peer(text: str) -> Peer:
    """`host:port`, `[v6]:port`, or a host alone."""
    host, colon, port = text.rpartition(":")
    if colon and port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535:
        if host.startswith("[") and host.endswith("]"):
            return Peer(host[1:-1], int(port))
        if ":" not in host and host:
            return Peer(host, int(port))
    return Peer(text)


def _message(kind: str, meaning: Meaning, texts: Mapping[Role, str], most: int) -> str:
    """One sentence for people: `Command requested: alice as root on web1: id`."""
    title = f"Event {one_line(kind[:64])}" if meaning is GENERIC else meaning.title
    who = " as ".join(texts[role] for role in (Role.OPERATOR, Role.ACCOUNT) if texts.get(role))
    where = f" on {texts[Role.TARGET]}" if texts.get(Role.TARGET) else ""
    told = (Role.COMMAND, Role.PATH, Role.DESTINATION, Role.REASON)
    what = next((texts[role] for role in told if texts.get(role)), "")
    return cut(": ".join(part for part in (title, (who + where).strip(), what) if part), most)
