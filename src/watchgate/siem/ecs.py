"""Elastic Common Schema 9, as one line of JSON.

What ECS has no field for is under `watchgate.data`, one level deep: an object whose keys are free (the
variables of an environment, say) becomes text, else each key would become a field of the index.
"""

from __future__ import annotations

from typing import Any

from watchgate.clock import iso
from watchgate.siem.fact import Fact, Host
from watchgate.siem.fitting import compact, fitted, nested
from watchgate.siem.legible import one_line
from watchgate.siem.particulars import Particulars, Role

VERSION = "9.0.0"

TEXTS: dict[Role, str] = {
    Role.OPERATOR: "user.name",
    Role.ACCOUNT: "user.target.name",
    Role.TARGET: "destination.domain",
    Role.PROTOCOL: "network.protocol",
    Role.COMMAND: "process.command_line",
    Role.PATH: "file.path",
    Role.DIGEST: "file.hash.sha256",
    Role.REASON: "event.reason",
    Role.DESTINATION: "watchgate.forward.destination",
    Role.RECORDING: "labels.recording_id",
    Role.GRANT: "labels.grant_id",
    Role.NORMALIZED: "watchgate.command.normalized",
    Role.RULES: "rule.name",
}
NUMBERS: dict[Role, str] = {
    Role.SIZE: "file.size",
    Role.OCTETS_IN: "source.bytes",
    Role.OCTETS_OUT: "destination.bytes",
    Role.EXIT_STATUS: "process.exit_code",
}
PEERS: dict[Role, str] = {Role.CLIENT: "source", Role.ADDRESS: "destination"}
"""`address` holds what was said, `ip` and `port` what of it is one."""
DURATION = "event.duration"
"""In nanoseconds, from our microseconds."""


def ecs(fact: Fact, host: Host) -> bytes:
    """*fact* as one ECS document."""
    return fitted(_shape, fact, host)


def _shape(said: Particulars, host: Host) -> str:
    flat: dict[str, Any] = {"@timestamp": iso(said.fact.at_us), "message": said.message}
    flat |= _event(said) | _observer(host)
    flat |= {key: said.texts.get(role) for role, key in TEXTS.items()}
    flat |= {key: said.numbers.get(role) for role, key in NUMBERS.items()}
    for role, place in PEERS.items():
        if (peer := said.peers.get(role)) is not None:
            flat[f"{place}.address"] = peer.host
            flat[f"{place}.ip"] = peer.ip
            flat[f"{place}.port"] = peer.port
    if (duration := said.numbers.get(Role.DURATION)) is not None:
        flat[DURATION] = duration * 1000
    flat |= _related(said)
    flat["watchgate.data"] = {key: _flat(value) for key, value in said.details.items()}
    return compact(nested(flat))


def _event(said: Particulars) -> dict[str, Any]:
    fact, meaning = said.fact, said.meaning
    return {
        "ecs.version": VERSION,
        "event.id": fact.uid,
        "event.kind": "alert" if meaning.alert else "event",
        "event.category": [meaning.category],
        "event.type": [meaning.type],
        "event.action": fact.kind,
        "event.outcome": meaning.outcome,
        "event.severity": meaning.severity,
        "event.sequence": fact.seq,
        "event.module": "watchgate",
        "event.dataset": "watchgate.session" if fact.session else "watchgate.gateway",
        "labels.session_id": fact.session,
        "labels.action": meaning.action,
        "watchgate.recording.offset_ms": said.offset_ms,
    }


def _observer(host: Host) -> dict[str, Any]:
    return {
        "observer.vendor": host.vendor,
        "observer.product": host.product,
        "observer.version": host.version,
        "observer.hostname": one_line(host.node),
        "observer.type": "proxy",
    }


def _related(said: Particulars) -> dict[str, Any]:
    """All people, machines and addresses in one place each, by which one searches."""
    names = (said.texts.get(Role.OPERATOR), said.texts.get(Role.ACCOUNT))
    peers = [said.peers[role] for role in PEERS if role in said.peers]
    hosts = [said.texts.get(Role.TARGET), *(peer.host for peer in peers if peer.ip is None)]
    return {
        "related.user": _each(*names),
        "related.hosts": _each(*hosts),
        "related.ip": _each(*(peer.ip for peer in peers)),
    }


def _each(*values: str | None) -> list[str]:
    return list(dict.fromkeys(value for value in values if value))


def _flat(value: Any) -> Any:
    """Text, numbers and lists of them as they are; all else as JSON text."""
    if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        return value
    return compact(value) if isinstance(value, dict | list) else value
