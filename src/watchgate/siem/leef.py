"""IBM's Log Event Extended Format 2.0: `LEEF:2.0|vendor|product|version|id|^|key=value^key=value…`.

LEEF knows no escapes. So the delimiter is written visibly in values (`\\x5e`), as are line ends (`\\n`).
"""

from __future__ import annotations

from collections.abc import Iterator

from watchgate.siem.fact import Fact, Host
from watchgate.siem.fitting import compact_within, fitted
from watchgate.siem.legible import one_line
from watchgate.siem.particulars import Particulars, Role

DELIMITER = "^"

LONG = 4000
"""How long the details may be."""

TEXTS: dict[Role, str] = {
    Role.OPERATOR: "usrName",
    Role.ACCOUNT: "accountName",
    Role.TARGET: "resource",
    Role.PROTOCOL: "proto",
    Role.COMMAND: "command",
    Role.PATH: "filePath",
    Role.DIGEST: "fileHash",
    Role.REASON: "reason",
    Role.DESTINATION: "destination",
    Role.RECORDING: "recording",
    Role.GRANT: "grant",
    Role.NORMALIZED: "normalizedCommand",
    Role.RULES: "rules",
}
NUMBERS: dict[Role, str] = {
    Role.SIZE: "fileSize",
    Role.OCTETS_IN: "srcBytes",
    Role.OCTETS_OUT: "dstBytes",
    Role.EXIT_STATUS: "exitStatus",
    Role.DURATION: "durationUs",
}
PEERS: dict[Role, tuple[str, str, str]] = {
    Role.CLIENT: ("src", "srcPort", "srcHost"),
    Role.ADDRESS: ("dst", "dstPort", "dstHost"),
}
"""An address, its port, and where a name goes that is no address."""


def leef(fact: Fact, host: Host) -> bytes:
    """*fact* as one LEEF line."""
    return fitted(_shape, fact, host)


def _shape(said: Particulars, host: Host) -> str:
    head = (host.vendor, host.product, host.version, said.fact.kind)
    header = "|".join(one_line(text).replace("|", "\\x7c") for text in head)
    pairs = (f"{key}={_value(value)}" for key, value in _pairs(said, host) if value)
    return f"LEEF:2.0|{header}|{DELIMITER}|{DELIMITER.join(pairs)}"


def _pairs(said: Particulars, host: Host) -> Iterator[tuple[str, str]]:
    fact, meaning = said.fact, said.meaning
    yield "devTime", str(fact.at_us // 1000)
    yield "sev", str(meaning.severity)
    yield "cat", meaning.category
    yield "action", meaning.action
    yield "outcome", meaning.outcome
    yield "externalId", fact.uid
    yield "identHostName", host.node
    yield "sessionId", fact.session
    for role, key in TEXTS.items():
        yield key, said.texts.get(role, "")
    for role, (address, port, name) in PEERS.items():
        if (peer := said.peers.get(role)) is not None:
            yield (name, peer.host) if peer.ip is None else (address, peer.ip)
            yield port, "" if peer.port is None else str(peer.port)
    for role, key in NUMBERS.items():
        yield key, str(said.numbers.get(role, ""))
    yield "recordingOffsetMs", "" if said.offset_ms is None else str(said.offset_ms)
    if said.details:
        yield "details", compact_within(said.details, LONG)
    yield "msg", said.message


def _value(text: str) -> str:
    visible = one_line(text.replace("\n", "\\n").replace("\r", "\\r"))
    return visible.replace(DELIMITER, "\\x5e")
