"""The errors of Watchgate, sorted by who must act.

    WatchgateError
    ├── Refused               the operator: what was asked is not permitted, and why
    ├── PeerProtocolError     the peer: it broke its protocol
    ├── TargetUnreachable     whoever owns the target: it did not answer as it must
    ├── RecordingLost         us: evidence cannot be written
    ├── RecordingUnreadable   the auditor: a recording is damaged, altered, or its key is another
    ├── SinkError             the administrator of a SIEM: it does not take events; they wait
    ├── NotFound              the administrator: no such operator, target, account, grant, session
    └── ConfigurationError    the administrator: settings, keys, permissions, ports

Each carries a stable *code* (`noun.problem`) for programs and a sentence for people: what happened,
to what, and what to do. Built-in exceptions stay inside a module; foreign ones are translated at the
border with `from`. Nothing in a message is a secret, and nothing internal crosses the wire: a client
hears `str()` of `Refused` and `TargetUnreachable` only.
"""

from __future__ import annotations


class WatchgateError(Exception):
    """Anything that Watchgate says went wrong; *code* is stable, the message is for people."""

    code = "watchgate.error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class Refused(WatchgateError):
    """What the operator asked for is not permitted; the message may be shown to him."""

    code = "session.refused"


class PeerProtocolError(WatchgateError):
    """The peer sent what its protocol does not allow."""

    code = "peer.protocol"


class TargetUnreachable(WatchgateError):
    """The target cannot be reached, or did not answer as it must (a changed host key, a refused login)."""

    code = "target.unreachable"


class RecordingLost(WatchgateError):
    """Evidence cannot be written: a full disk, a dead store."""

    code = "recording.lost"


class RecordingUnreadable(WatchgateError):
    """A recording is damaged, altered, unfinished beyond reading, or sealed for another key."""

    code = "recording.unreadable"


class SinkError(WatchgateError):
    """A SIEM cannot be reached, does not take events, or answers what nobody understands.

    *retry_after* is what it asked for in seconds; *event* the id of the one event that it refuses by itself.
    """

    code = "sink.failed"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        retry_after: float | None = None,
        event: str | None = None,
    ) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after
        self.event = event


class NotFound(WatchgateError):
    """A name or id that nothing has."""

    code = "not-found"


class ConfigurationError(WatchgateError):
    """Something that the administrator must set right before Watchgate can go on."""

    code = "configuration.error"
