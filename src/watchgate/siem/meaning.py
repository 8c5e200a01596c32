"""What each kind of event means to a SIEM: one row a kind, from which every format takes its words.

The severities: 1-3 for what is normal, 4 for what somebody may want to know, 5-6 for what is worth a look,
7-8 for what was refused or went wrong, 9-10 for evidence that is missing or a gateway that was bypassed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

SSH = 4007
NETWORK = 4001
PROCESS = 1007
FILE = 6006
LIFECYCLE = 6002
AUTHENTICATION = 3002
ACCOUNT = 3001
AUTHORIZE = 3003
ENTITY = 3004
FINDING = 2004
BASE = 0
"""OCSF's classes, by the names that they have there."""

OTHER = 99
"""An activity that the class has no number for; its name says it."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """How one kind of event is told."""

    title: str
    severity: int
    action: str
    """CEF's `act`: parsers know `allow`, `block`, `fail` at its beginning."""
    outcome: str
    """`success`, `failure` or `unknown`, as ECS has them."""
    category: str
    """ECS: `event.category`."""
    type: str
    """ECS: `event.type`, one that the category expects: a refusal is one of the network's."""
    ocsf: tuple[int, int]
    """OCSF: the class and the activity in it."""

    @property
    def refused(self) -> bool:
        """Whether the gateway did not let it happen."""
        return self.action == "blocked"

    @property
    def alert(self) -> bool:
        """Whether somebody should look now."""
        return self.severity >= 7


_OK, _NO, _OPEN = "success", "failure", "unknown"

# fmt: off
MEANINGS: dict[str, Meaning] = {
    "session.claimed": Meaning(
        "Session requested", 2, "requested", _OPEN, "session", "info", (SSH, OTHER)
    ),
    "session.authorized": Meaning(
        "Session authorized", 2, "allowed", _OK, "network", "allowed", (AUTHORIZE, 1)
    ),
    "session.refused": Meaning("Session refused", 7, "blocked", _NO, "network", "denied", (SSH, 5)),
    "policy.frozen": Meaning(
        "Session policy fixed", 1, "noted", _OK, "configuration", "info", (ENTITY, OTHER)
    ),
    "session.opened": Meaning("Session opened", 3, "allowed", _OK, "session", "start", (SSH, 1)),
    "session.closed": Meaning("Session closed", 3, "closed", _OK, "session", "end", (SSH, 2)),
    "operator.authenticated": Meaning(
        "Operator authenticated", 3, "success", _OK, "authentication", "start", (AUTHENTICATION, 1)
    ),
    "operator.refused": Meaning(
        "Operator login failed", 6, "failed", _NO, "authentication", "start", (AUTHENTICATION, 1)
    ),
    "target.reached": Meaning(
        "Logged in to target", 3, "success", _OK, "network", "connection", (SSH, 1)
    ),
    "target.failed": Meaning(
        "Target not reached", 5, "failed", _NO, "network", "connection", (SSH, 4)
    ),
    "target.trusted": Meaning(
        "Target's host key trusted on first use",
        6,
        "noted",
        _OK,
        "configuration",
        "change",
        (ENTITY, 1),
    ),
    "channel.opened": Meaning("Channel opened", 2, "allowed", _OK, "session", "info", (SSH, OTHER)),
    # Not 7: a client whose user forwards his agent everywhere asks for it in each session.
    "channel.refused": Meaning(
        "Channel request refused", 6, "blocked", _NO, "network", "denied", (SSH, 5)
    ),
    "channel.closed": Meaning("Channel closed", 1, "closed", _OK, "session", "info", (SSH, OTHER)),
    "channel.signaled": Meaning(
        "Signal sent to program", 2, "noted", _OK, "process", "info", (PROCESS, OTHER)
    ),
    "environment.passed": Meaning(
        "Environment passed", 2, "allowed", _OK, "process", "info", (PROCESS, OTHER)
    ),
    # Whether it ran is said by command.decided, and by command.finished where that is known.
    "command.requested": Meaning(
        "Command requested", 3, "requested", _OPEN, "process", "start", (PROCESS, 1)
    ),
    "command.decided": Meaning(
        "Command decided", 3, "allowed", _OK, "process", "start", (PROCESS, 1)
    ),
    "rules.frozen": Meaning(
        "Session rules fixed", 1, "noted", _OK, "configuration", "info", (ENTITY, OTHER)
    ),
    "input.dropped": Meaning(
        "Input behind a refused line dropped", 5, "noted", _OK, "session", "info", (SSH, OTHER)
    ),
    "integration.set": Meaning(
        "Shell tells its commands", 2, "noted", _OK, "session", "info", (SSH, OTHER)
    ),
    "integration.missing": Meaning(
        "Shell does not tell its commands", 5, "noted", _OPEN, "session", "info", (SSH, OTHER)
    ),
    "integration.tampered": Meaning(
        "Shell integration tampered with",
        7,
        "noted",
        _NO,
        "intrusion_detection",
        "info",
        (FINDING, 1),
    ),
    "reader.failed": Meaning(
        "Terminal cannot be read", 6, "failed", _NO, "session", "info", (SSH, OTHER)
    ),
    "secret.injected": Meaning(
        "Elevation answered from the vault", 4, "success", _OK, "authentication", "info",
        (AUTHENTICATION, OTHER),
    ),
    "secret.withheld": Meaning(
        "Password prompt not answered", 6, "noted", _NO, "authentication", "info",
        (AUTHENTICATION, OTHER),
    ),
    "secret.rejected": Meaning(
        "Password from the vault wrong", 7, "failed", _NO, "authentication", "info",
        (AUTHENTICATION, OTHER),
    ),
    "approval.asked": Meaning(
        "Approval requested", 5, "requested", _OPEN, "process", "info", (PROCESS, OTHER)
    ),
    "approval.answered": Meaning(
        "Approval given", 5, "allowed", _OK, "process", "info", (PROCESS, OTHER)
    ),
    "approval.closed": Meaning(
        "Approval not given in time", 4, "closed", _NO, "process", "info", (PROCESS, OTHER)
    ),
    "operator.locked": Meaning(
        "Operator locked", 8, "locked", _OK, "iam", "change", (ACCOUNT, 9)
    ),
    "operator.unlocked": Meaning(
        "Operator released", 5, "changed", _OK, "iam", "change", (ACCOUNT, OTHER)
    ),
    "command.finished": Meaning(
        "Command finished", 2, "closed", _OK, "process", "end", (PROCESS, 2)
    ),
    "input.redacted": Meaning(
        "Hidden input redacted", 2, "noted", _OK, "session", "info", (SSH, OTHER)
    ),
    "file.moved": Meaning("File moved", 4, "allowed", _OK, "file", "access", (FILE, OTHER)),
    "file.changed": Meaning("File changed", 4, "allowed", _OK, "file", "change", (FILE, OTHER)),
    "transfer.unreadable": Meaning(
        "File transfer not readable", 6, "noted", _OPEN, "file", "info", (FILE, OTHER)
    ),
    "forward.opened": Meaning(
        "Forwarding opened", 5, "allowed", _OK, "network", "connection", (NETWORK, 1)
    ),
    "forward.noted": Meaning(
        "Forwarded protocol seen", 5, "noted", _OK, "network", "info", (NETWORK, OTHER)
    ),
    "forward.refused": Meaning(
        "Forwarding refused", 7, "blocked", _NO, "network", "denied", (NETWORK, 5)
    ),
    "forward.closed": Meaning(
        "Forwarding closed", 2, "closed", _OK, "network", "end", (NETWORK, 2)
    ),
    "forward.listening": Meaning(
        "Remote forwarding listens", 6, "allowed", _OK, "network", "start", (NETWORK, 7)
    ),
    "control.terminated": Meaning(
        "Session terminated by an administrator", 6, "terminated", _OK, "session", "end", (SSH, 3)
    ),
    "recording.gap": Meaning(
        "Evidence missing in recording",
        9,
        "noted",
        _NO,
        "intrusion_detection",
        "info",
        (FINDING, 1),
    ),
    "recording.degraded": Meaning(
        "Recording left its store", 8, "noted", _NO, "intrusion_detection", "info", (FINDING, 1)
    ),
    "gateway.started": Meaning(
        "Gateway started", 3, "started", _OK, "process", "start", (LIFECYCLE, 3)
    ),
    "gateway.stopped": Meaning(
        "Gateway stopped", 5, "stopped", _OK, "process", "end", (LIFECYCLE, 4)
    ),
    "settings.changed": Meaning(
        "Configuration changed", 5, "changed", _OK, "configuration", "change", (ENTITY, 3)
    ),
    "recording.accessed": Meaning(
        "Recording accessed", 4, "allowed", _OK, "file", "access", (ENTITY, 2)
    ),
    "recording.recovered": Meaning(
        "Recording recovered after a crash",
        8,
        "noted",
        _OK,
        "intrusion_detection",
        "info",
        (FINDING, 1),
    ),
    "index.searched": Meaning(
        "Sessions searched", 4, "allowed", _OK, "database", "access", (ENTITY, 2)
    ),
    "index.stopped": Meaning(
        "Index worker stopped", 5, "failed", _NO, "process", "info", (LIFECYCLE, OTHER)
    ),
    "sink.failed": Meaning(
        "SIEM not reached", 7, "failed", _NO, "network", "info", (LIFECYCLE, OTHER)
    ),
    "sink.recovered": Meaning(
        "SIEM reached again", 3, "success", _OK, "network", "info", (LIFECYCLE, OTHER)
    ),
    "sink.dropped": Meaning(
        "Events dropped for a SIEM", 9, "noted", _NO, "intrusion_detection", "info", (FINDING, 1)
    ),
    "sink.tested": Meaning("SIEM tested", 3, "noted", _OK, "network", "info", (LIFECYCLE, OTHER)),
    "configuration.applied": Meaning(
        "Configuration applied from files",
        5,
        "changed",
        _OK,
        "configuration",
        "change",
        (ENTITY, 3),
    ),
    "coverage.imported": Meaning(
        "Target's login log read", 3, "noted", _OK, "configuration", "info", (ENTITY, OTHER)
    ),
    "coverage.bypassed": Meaning(
        "Login past the gateway", 10, "noted", _OPEN, "intrusion_detection", "info", (FINDING, 1)
    ),
    "report.written": Meaning("Report written", 3, "allowed", _OK, "file", "creation", (ENTITY, 2)),
}
# fmt: on

GENERIC = Meaning("Event", 3, "noted", _OPEN, "session", "info", (BASE, OTHER))
"""A kind that this version does not know."""

_STOPPED: dict[str, Any] = {
    "title": "Command blocked",
    "severity": 7,
    "action": "blocked",
    "outcome": _NO,
    "category": "network",
    "type": "denied",
}

VARIANTS: dict[tuple[str, str, object], Mapping[str, Any]] = {
    ("command.decided", "outcome", "block"): _STOPPED,
    ("command.decided", "outcome", "force"): _STOPPED | {"title": "Command not on the list"},
    ("command.decided", "outcome", "interrupt"): _STOPPED | {"severity": 8},
    ("command.decided", "outcome", "approve"): {
        "title": "Command waits for approval",
        "severity": 5,
        "action": "held",
        "outcome": _OPEN,
        "type": "info",
        "ocsf": (PROCESS, OTHER),
    },
    ("command.decided", "severity", "medium"): {"severity": 5},
    ("command.decided", "severity", "high"): {"severity": 8},
    ("integration.missing", "refused", True): {
        "severity": 7,
        "action": "blocked",
        "outcome": _NO,
        "category": "network",
        "type": "denied",
        "ocsf": (SSH, 5),
    },
    ("integration.tampered", "severity", "high"): {"severity": 9},
    ("integration.tampered", "severity", "low"): {"severity": 5},
    ("integration.tampered", "ended", True): {"action": "blocked", "type": "denied"},
    ("approval.answered", "approved", False): {
        "title": "Approval refused",
        "action": "blocked",
        "outcome": _NO,
    },
    ("session.closed", "reason", "interrupted"): {"severity": 8},
    ("session.closed", "reason", "locked"): {"severity": 8},
    ("session.closed", "reason", "terminated"): {"severity": 5},
    ("session.closed", "reason", "expired"): {"severity": 4},
    ("session.closed", "reason", "unreachable"): {"severity": 4, "outcome": _NO},
    ("session.closed", "reason", "failed"): {"severity": 7, "outcome": _NO},
    ("session.closed", "reason", "recovered"): {"severity": 7, "outcome": _NO},
    ("session.closed", "reason", "recording-lost"): {"severity": 9, "outcome": _NO},
    ("target.failed", "code", "target.host-key"): {"severity": 9},
    ("file.moved", "direction", "upload"): {"title": "File uploaded", "ocsf": (FILE, 1)},
    ("file.moved", "direction", "download"): {"title": "File downloaded", "ocsf": (FILE, 2)},
    ("file.moved", "complete", False): {"outcome": _NO},
    ("file.changed", "operation", "remove"): {"type": "deletion", "ocsf": (FILE, 4)},
    ("file.changed", "operation", "rmdir"): {"type": "deletion", "ocsf": (FILE, 4)},
    ("file.changed", "operation", "mkdir"): {"type": "creation", "ocsf": (FILE, 3)},
    ("file.changed", "operation", "rename"): {"ocsf": (FILE, 5)},
    ("file.changed", "operation", "copy"): {"type": "creation", "ocsf": (FILE, 6)},
    ("file.changed", "succeeded", False): {"outcome": _NO, "action": "failed"},
    ("forward.noted", "refused", True): {
        "severity": 8,
        "action": "blocked",
        "outcome": _NO,
        "type": "denied",
        "ocsf": (NETWORK, 5),
    },
    ("recording.degraded", "policy", "open"): {"severity": 10},
}
"""What differs for one value of one field; where several hold, the gravest of their severities counts."""

_TOLD_BY = {kind: [name for at, name, _ in VARIANTS if at == kind] for kind, _, _ in VARIANTS}


def meaning_of(kind: str, data: Mapping[str, Any]) -> Meaning:
    """The row of an event of that *kind*, with what its *data* changes."""
    meaning = MEANINGS.get(kind, GENERIC)
    severities = []
    for name in dict.fromkeys(_TOLD_BY.get(kind, ())):
        value = data.get(name)
        if isinstance(value, str | bool) and (variant := VARIANTS.get((kind, name, value))):
            meaning = replace(meaning, **variant)
            severities += [variant["severity"]] if "severity" in variant else []
    return replace(meaning, severity=max(severities)) if severities else meaning
