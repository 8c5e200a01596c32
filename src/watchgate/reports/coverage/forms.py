"""The forms in which a log of logins comes: a line of it, to what was said when, where and by whom.

Files of syslog (`Nov 21 02:30:00 host sshd[1]: …`, or an ISO 8601 stamp), what goes over the wire
(`<86>…`, RFC 3164 and RFC 5424), and `journalctl -o json`. Only what sshd itself says is a message: a line
must bear its name and a process id and, where the form tells them, a facility that it can have and root as
its author. Patterns are anchored and cannot backtrack: their quantifiers are possessive or bounded.
"""

from __future__ import annotations

import json
import re
from typing import Any

from watchgate.reports.coverage.model import Line
from watchgate.reports.coverage.sshd import PROGRAMS
from watchgate.reports.coverage.stamps import Stamps

FACILITIES = frozenset({3, 4, 10, *range(16, 24)})
"""daemon, auth, authpriv and the local ones: what `SyslogFacility` may say, without that of users."""

BOM = b"\xef\xbb\xbf"

_PRIORITY = re.compile(rb"(?:\d{1,6}+ )?<(\d{1,3})>")
_SYSLOG = re.compile(
    rb"(?:([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)|(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.,:Z+-]{0,20}+))"
    rb" ([\w.:%-]{1,255}+) "
)
_TAG = re.compile(rb"(sshd(?:-session|-auth)?)\[\d{1,10}\]: ")
_WITHOUT_HOST = re.compile(rb"([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) (?=sshd(?:-session|-auth)?\[)")
_RFC5424 = re.compile(
    rb"1 (\S{1,64}+) (\S{1,255}+) (\S{1,48}+) (\S{1,128}+) \S{1,32}+ "
    rb'(?:-|(?:\[(?:[^\]"\\]|\\.|"(?:[^"\\]|\\.)*+")*+\])++)(?: |\Z)',
    re.DOTALL,
)


class Forms:
    """Reads lines of any form, also mixed."""

    def __init__(self, stamps: Stamps) -> None:
        self._stamps = stamps
        self._hosts: dict[bytes, str] = {}

    def read(self, octets: bytes) -> Line | None:
        """The line that *octets* are; None when it has no form that is known. Never raises."""
        first = octets[:1]
        if first == b"{":
            return self._journald(octets)
        priority = _PRIORITY.match(octets) if first == b"<" or first.isdigit() else None
        if priority is not None:
            ours = int(priority[1]) >> 3 in FACILITIES
            rest = octets[priority.end() :]
            if rest.startswith(b"1 "):
                return self._rfc5424(rest, ours)
            return self._syslog(rest, ours) or self._local(rest, ours)
        return self._syslog(octets, True)

    def _syslog(self, octets: bytes, ours: bool) -> Line | None:
        head = _SYSLOG.match(octets)
        if head is None:
            return None
        at = self._stamps.yearless(head[1]) if head[1] else self._stamps.iso(head[2])
        if at is None:
            return None
        return Line(at, self._host(head[3]), _said(octets, head.end()) if ours else None)

    def _local(self, octets: bytes, ours: bool) -> Line | None:
        """As a program writes it to /dev/log: without the host."""
        head = _WITHOUT_HOST.match(octets)
        at = self._stamps.yearless(head[1]) if head else None
        if head is None or at is None:
            return None
        return Line(at, "", _said(octets, head.end()) if ours else None)

    def _rfc5424(self, octets: bytes, ours: bool) -> Line | None:
        head = _RFC5424.match(octets)
        at = self._stamps.iso(head[1]) if head else None
        if head is None or at is None:
            return None
        host = "" if head[2] == b"-" else self._host(head[2])
        if not ours or not head[4].isdigit() or _text(head[3]) not in PROGRAMS:
            return Line(at, host, None)
        return Line(at, host, _text(octets[head.end() :].removeprefix(BOM)))

    def _journald(self, octets: bytes) -> Line | None:
        try:
            entry = json.loads(octets)
            at = int(entry["__REALTIME_TIMESTAMP"])
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None
        moment = self._stamps.microseconds(at)
        if moment is None:
            return None
        return Line(moment, _field(entry, "_HOSTNAME") or "", _journald_said(entry))

    def _host(self, octets: bytes) -> str:
        """One text for each host, not one for each line."""
        host = self._hosts.get(octets)
        if host is None:
            host = _text(octets)
            if len(self._hosts) < 10_000:
                self._hosts[octets] = host
        return host


def _said(octets: bytes, start: int) -> str | None:
    tag = _TAG.match(octets, start)
    return None if tag is None else _text(octets[tag.end() :])


def _text(octets: bytes) -> str:
    """Text that a catalog takes as it is; what is not UTF-8 is written with backslashes."""
    return octets.decode("utf-8", "backslashreplace").replace("\0", r"\x00")


# --- the journal of systemd ----------------------------------------------------------------------


def _journald_said(entry: dict[str, Any]) -> str | None:
    """The message, when sshd wrote it: names with `_` in front are the journal's own knowledge."""
    if _field(entry, "SYSLOG_IDENTIFIER") not in PROGRAMS:
        return None
    if (_field(entry, "_COMM") or "sshd") not in PROGRAMS or (_field(entry, "_UID") or "0") != "0":
        return None
    return _field(entry, "MESSAGE")


def _field(entry: dict[str, Any], name: str) -> str | None:
    """A field's text; what is not UTF-8 comes as an array of octets."""
    value = entry.get(name)
    if isinstance(value, list):
        try:
            return _text(bytes(value))
        except (TypeError, ValueError):
            return None
    return _text(value.encode("utf-8", "backslashreplace")) if isinstance(value, str) else None
