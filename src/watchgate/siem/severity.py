"""How grave an event is: on CEF's scale of 0 to 10, and as syslog has it."""

from __future__ import annotations

from watchgate.siem.fact import Fact
from watchgate.siem.meaning import meaning_of

SYSLOG = {10: 1, 9: 2, 8: 3, 7: 3, 6: 4, 5: 4, 4: 5}
"""Alert, critical, error, warning, notice; all below is informational (RFC 5424 §6.2.1)."""
INFORMATIONAL = 6


def severity_of(fact: Fact) -> int:
    """1 (normal) to 10 (the gateway was bypassed), by the table in `meaning`."""
    return meaning_of(fact.kind, fact.data).severity


def syslog_severity(severity: int) -> int:
    """The syslog severity of one of ours."""
    return SYSLOG.get(severity, INFORMATIONAL)
