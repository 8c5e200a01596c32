"""The event as it is, as JSON: what the recording and the journal hold, with the session around it."""

from __future__ import annotations

from watchgate.clock import iso
from watchgate.siem.fact import Fact, Host
from watchgate.siem.fitting import LENGTHS, compact
from watchgate.siem.legible import clipped, one_line
from watchgate.siem.particulars import particulars


def plain(fact: Fact, host: Host) -> bytes:
    """*fact* as one line of JSON."""
    octets = b""
    for most in LENGTHS:
        octets = _line(fact, host, most).encode("utf-8", "backslashreplace")
        if len(octets) <= host.limit:
            break
    return octets


def _line(fact: Fact, host: Host, most: int) -> str:
    said = particulars(fact, most)
    return compact(
        {
            "uid": said.fact.uid,
            "at": iso(fact.at_us),
            "at_us": fact.at_us,
            "node": one_line(host.node),
            "kind": said.fact.kind,
            "v": fact.v,
            "severity": said.meaning.severity,
            "message": said.message,
            "session": said.fact.session,
            "seq": fact.seq,
            "context": clipped(dict(fact.context), most),
            "data": clipped(dict(fact.data), most),
        }
    )
