"""ArcSight Common Event Format, revision 26: `CEF:0|vendor|product|version|class|name|severity|key=value …`.

In the header `\\` and `|` are escaped, in values `\\` and `=`, and a line end is written `\\n` or `\\r`.
"""

from __future__ import annotations

from collections.abc import Iterator

from watchgate.siem.fact import Fact, Host
from watchgate.siem.fitting import compact_within, fitted
from watchgate.siem.legible import cut, one_line
from watchgate.siem.particulars import Particulars, Peer, Role

TEXTS: dict[Role, str] = {
    Role.OPERATOR: "suser",
    Role.ACCOUNT: "duser",
    Role.TARGET: "dhost",
    Role.PROTOCOL: "app",
    Role.PATH: "filePath",
    Role.DIGEST: "fileHash",
    Role.REASON: "reason",
}
NUMBERS: dict[Role, str] = {
    Role.SIZE: "fsize",
    Role.OCTETS_IN: "in",
    Role.OCTETS_OUT: "out",
}
PEERS: dict[Role, tuple[str, str, str]] = {
    Role.CLIENT: ("src", "spt", "shost"),
    Role.ADDRESS: ("dst", "dpt", "destinationDnsDomain"),
}
"""An address, its port, and where a name goes that is no address."""
LABELED_TEXTS: dict[Role, tuple[str, str]] = {
    Role.COMMAND: ("cs1", "command"),
    Role.DESTINATION: ("cs3", "destination"),
    Role.RECORDING: ("cs4", "recording"),
    Role.GRANT: ("cs5", "grant"),
    Role.NORMALIZED: ("flexString1", "normalizedCommand"),
    Role.RULES: ("flexString2", "rules"),
}
LABELED_NUMBERS: dict[Role, tuple[str, str]] = {
    Role.EXIT_STATUS: ("cn2", "exitStatus"),
    Role.DURATION: ("cn3", "durationUs"),
}
LENGTHS = {"app": 31, "externalId": 40, "dvchost": 100, "dhost": 255, "fileHash": 255}
LONG = 4000
USUAL = 1023
"""How long the dictionary lets a value be: the custom strings are long."""


def cef(fact: Fact, host: Host) -> bytes:
    """*fact* as one CEF line."""
    return fitted(_shape, fact, host)


def _shape(said: Particulars, host: Host) -> str:
    head = (host.vendor, host.product, host.version, said.fact.kind, said.meaning.title)
    header = "|".join(map(_in_header, head))
    values = " ".join(
        f"{key}={_in_value(cut(value, _most(key)))}" for key, value in _pairs(said, host) if value
    )
    return f"CEF:0|{header}|{said.meaning.severity}|{values}"


def _most(key: str) -> int:
    return LONG if key.startswith("cs") else LENGTHS.get(key, USUAL)


def _pairs(said: Particulars, host: Host) -> Iterator[tuple[str, str]]:
    fact, meaning = said.fact, said.meaning
    yield "rt", str(fact.at_us // 1000)
    yield "act", meaning.action
    yield "outcome", meaning.outcome
    yield "externalId", fact.uid
    yield "cat", "privileged-session" if fact.session else "gateway"
    yield "dvchost", one_line(host.node)
    for role, key in TEXTS.items():
        yield key, said.texts.get(role, "")
    for role, keys in PEERS.items():
        yield from _peer(said.peers.get(role), keys)
    if Role.CLIENT in said.peers:
        yield "proto", "TCP"
    for role, key in NUMBERS.items():
        yield key, str(said.numbers.get(role, ""))
    yield from _labeled(said)
    yield "msg", said.message


def _peer(peer: Peer | None, keys: tuple[str, str, str]) -> Iterator[tuple[str, str]]:
    if peer is not None:
        address, port, name = keys
        yield (name, peer.host) if peer.ip is None else (address, peer.ip)
        yield port, "" if peer.port is None else str(peer.port)


def _labeled(said: Particulars) -> Iterator[tuple[str, str]]:
    """Fields that CEF has no name for, each behind its label; the rest in one JSON object."""
    texts = {key: (label, said.texts.get(role)) for role, (key, label) in LABELED_TEXTS.items()}
    texts["cs2"] = ("sessionId", said.fact.session)
    numbers = {
        key: (label, said.numbers.get(role)) for role, (key, label) in LABELED_NUMBERS.items()
    }
    numbers["cn1"] = ("recordingOffsetMs", said.offset_ms)
    if said.details:
        texts["cs6"] = ("details", compact_within(said.details, LONG))
    for key, (label, value) in sorted(texts.items()) + sorted(numbers.items()):
        if value is not None and value != "":
            yield f"{key}Label", label
            yield key, str(value)


def _in_header(text: str) -> str:
    return one_line(text).replace("\\", "\\\\").replace("|", "\\|")


def _in_value(text: str) -> str:
    """Escaped; a tab, which receivers replace, is written visibly."""
    escaped = text.replace("\t", "\\x09").replace("\\", "\\\\").replace("=", "\\=")
    return escaped.replace("\n", "\\n").replace("\r", "\\r")
