"""One example of every kind of event, for trying out a sink and for seeing a format.

They come from the kinds themselves, so that a new kind has one at once. Each says of itself that it is a test.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, get_type_hints

from watchgate.clock import Clock
from watchgate.errors import NotFound
from watchgate.identifiers import uuid7
from watchgate.session.events import KINDS
from watchgate.siem.fact import UNTOLD, Fact

SESSION = "00000000-0000-7000-8000-000000000001"
RECORDING = "00000000-0000-7000-8000-000000000002"
GRANT = "00000000-0000-7000-8000-000000000003"
MARK = "test"
"""The field of an example's data that says what it is."""

_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

_TEXTS: Mapping[str, str] = {
    "account": "root",
    "action": "target.add",
    "approval": "00000000-0000-7000-8000-000000000004",
    "actor": "cli:root",
    "address": "192.0.2.20:22",
    "by": "bob",
    "carries": "ssh",
    "client": "192.0.2.7:50022",
    "client_version": "SSH-2.0-OpenSSH_9.7",
    "code": "session.no-grant",
    "command": "uname -a",
    "confidence": "exact",
    "credential": "certificate",
    "destination": "192.0.2.30:443",
    "detail": "logged out",
    "digest": _HASH,
    "direction": "upload",
    "directory": "/etc/watchgate/configuration",
    "fingerprint": "SHA256:oXbNpMyPhnBVdHVb8WaRnB9lQOU9yUX6MVYBgvJP5ks",
    "format": "html",
    "gateway": "192.0.2.2:2222",
    "grant": GRANT,
    "host_key": "SHA256:oXbNpMyPhnBVdHVb8WaRnB9lQOU9yUX6MVYBgvJP5ks",
    "key": "SHA256:oXbNpMyPhnBVdHVb8WaRnB9lQOU9yUX6MVYBgvJP5ks",
    "key_id": f"watchgate session {SESSION}",
    "method": "publickey",
    "message": "blocked by rule recursive-rm-near-root",
    "mode": "literal",
    "normalized": "uname -a",
    "operation": "remove",
    "operator": "alice",
    "origin": "192.0.2.7:50023",
    "outcome": "block",
    "owner": "configuration",
    "path": "/srv/data.csv",
    "place": "shell",
    "policy": "spool",
    "program": "sudo",
    "proof": "integration",
    "protocol": "ssh",
    "reason": "this is a test",
    "recording": RECORDING,
    "rule": "recursive-rm-near-root",
    "rules": "recursive-rm-near-root",
    "severity": "high",
    "shadows": "no-uname",
    "shell": "bash",
    "signal": "INT",
    "sink": "siem",
    "source": "192.0.2.66",
    "subject": "web1",
    "target": "web1",
    "terminal": "xterm-256color",
    "text": "uname",
    "to": "/srv/old.csv",
    "version": "1.0",
    "via": "direct",
    "what": "exec",
}
"""What a field of that name says, where any text would do."""

_EXCEPTIONS: Mapping[tuple[str, str], str] = {
    ("command.requested", "source"): "exec",
    ("command.decided", "source"): "exec",
    ("command.decided", "policy"): _HASH,
    ("approval.closed", "why"): "expired",
    ("integration.tampered", "what"): "the hook was removed",
    ("file.moved", "protocol"): "sftp",
    ("file.changed", "protocol"): "sftp",
    ("transfer.unreadable", "protocol"): "scp",
    ("forward.opened", "direction"): "local",
    ("forward.refused", "direction"): "local",
    ("session.closed", "reason"): "client",
    ("recording.accessed", "what"): "play",
    ("report.written", "about"): "target",
}


def example(kind: str, clock: Clock) -> Fact:
    """A fact of that kind, as of now, with an id of its own; raises NotFound for an unknown kind."""
    if kind not in KINDS:
        near = get_close_matches(kind, KINDS, n=1, cutoff=0.4)
        advice = f"did you mean {near[0]}?" if near else "docs/reference/events.md has all of them"
        raise NotFound(f"there is no kind of event {kind!r}; {advice}", code="event.not-found")
    hints = get_type_hints(KINDS[kind])
    now = clock.wall_us()
    data = {
        field.name: _value(kind, field.name, hints[field.name], now)
        for field in fields(KINDS[kind])
    }
    return Fact(
        uid=uuid7(clock),
        at_us=now,
        kind=kind,
        v=KINDS[kind].v,
        session=SESSION,
        seq=1,
        data=data | {MARK: True},
        context=_context(now),
    )


def examples(clock: Clock) -> Iterator[Fact]:
    """One of each kind that leaves, by name."""
    return (example(kind, clock) for kind in sorted(KINDS) if kind not in UNTOLD)


def _context(now: int) -> dict[str, Any]:
    names = ("protocol", "operator", "account", "target", "client", "recording", "grant")
    return {name: _TEXTS[name] for name in names} | {"started_at_us": now - 1_500_000}


def _value(kind: str, name: str, hint: Any, now: int) -> Any:
    if isinstance(hint, types.UnionType):
        hint = next(one for one in hint.__args__ if one is not types.NoneType)
    if hint is str:
        return _EXCEPTIONS.get((kind, name)) or _TEXTS.get(name, "test")
    if hint is bool:
        return True
    if hint is int:
        return now if name.endswith("_us") and not name.startswith("duration") else 1
    if getattr(hint, "__origin__", None) is list:
        of_text = hint.__args__[0] is str
        return [_TEXTS.get(name, "test") if of_text else {MARK: "test"}]
    return {MARK: "test"}
