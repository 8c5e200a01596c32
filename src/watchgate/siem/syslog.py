"""RFC 5424: the header before a view's message, and how messages follow each other on a stream.

No BOM stands before the message, although RFC 5424 §6.4 asks for one before UTF-8: receivers keep it, and
parsers that look for `CEF:` at the beginning then find nothing.
"""

from __future__ import annotations

import re

from watchgate.clock import iso
from watchgate.siem.fact import Fact
from watchgate.siem.legible import MORE, one_line
from watchgate.siem.severity import severity_of, syslog_severity

FACILITIES: dict[str, int] = {
    "kern": 0,
    "user": 1,
    "mail": 2,
    "daemon": 3,
    "auth": 4,
    "syslog": 5,
    "lpr": 6,
    "news": 7,
    "uucp": 8,
    "cron": 9,
    "authpriv": 10,
    "ftp": 11,
    "ntp": 12,
    "audit": 13,
    "alert": 14,
    **{f"local{number}": 16 + number for number in range(8)},
}
"""By name, as RFC 5424 §6.2.1 numbers them; a sink's `facility` is one of these."""

STRUCTURED_DATA = "watchgate@32473"
"""The id of our element. 32473 is the number that RFC 5612 keeps for those who have none of their own."""

HEADER = 512
"""Octets that a header needs at most."""

_NOT_PRINTABLE = re.compile(r"[^\x21-\x7e]")
_IN_PARAMETER = re.compile(r'(["\\\]])')


def message(
    fact: Fact, text: bytes, *, node: str, app_name: str, facility: str, limit: int
) -> bytes:
    """One syslog message; *text* is cut at the end if it is longer than *limit*, which no view's is."""
    priority = FACILITIES[facility] * 8 + syslog_severity(severity_of(fact))
    header = (
        f"<{priority}>1 {iso(fact.at_us)} {_name(node, 255)} {_name(app_name, 48)} - "
        f"{_name(fact.kind, 32)} {_structured(fact)} "
    )
    return header.encode() + bounded(text, limit)


def _name(text: str, most: int) -> str:
    """A field of the header: printable ASCII without spaces (RFC 5424 §6)."""
    return _NOT_PRINTABLE.sub("?", text[:most]) or "-"


def _structured(fact: Fact) -> str:
    values = {"uid": fact.uid, "session": fact.session, "seq": str(fact.seq)}
    parameters = " ".join(
        f'{name}="{_IN_PARAMETER.sub(_escaped, one_line(value[:64]))}"'
        for name, value in values.items()
        if value
    )
    return f"[{STRUCTURED_DATA} {parameters}]"


def _escaped(match: re.Match[str]) -> str:
    return "\\" + match[0]


def bounded(text: bytes, most: int) -> bytes:
    """At most *most* octets of UTF-8 *text*, cut between two characters."""
    if len(text) <= most:
        return text
    kept = text[: max(0, most - len(MORE))].decode("utf-8", "ignore")
    return kept.encode() + MORE.encode()


def framed(octets: bytes) -> bytes:
    """A message on a stream: its length before it (RFC 6587 §3.4.1, RFC 5425 §4.3)."""
    return b"%d %b" % (len(octets), octets)
