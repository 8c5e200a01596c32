"""The logins of a target in a span of time, judged by what the catalog knows now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from watchgate.reports.coverage import exceptions, store
from watchgate.reports.coverage.join import (
    CERTIFICATE_US,
    LATE_US,
    Exemption,
    Horizon,
    Known,
    SessionFacts,
    judge,
)
from watchgate.reports.coverage.model import Judged, Login


@dataclass(frozen=True, slots=True)
class Bench:
    """What is the same for every target."""

    horizon: Horizon
    exemptions: Sequence[Exemption]
    authorities: frozenset[str]

    @classmethod
    def of(cls, connection: Connection, now_us: int, authorities: frozenset[str]) -> Bench:
        """What the catalog knows at *now_us*; *authorities* are the fingerprints of the gateway's CA."""
        begins = store.records_begin(connection)
        return cls(
            Horizon(now_us if begins is None else begins, now_us - LATE_US),
            [made.exemption() for made in exceptions.list_all(connection)],
            authorities,
        )


@dataclass(frozen=True, slots=True)
class Span:
    """The logins of a target in a span of time, and the sessions there."""

    judged: Sequence[Judged]
    sessions: Sequence[SessionFacts]
    """Those that began in that time."""
    claimed: frozenset[str]
    """The ids of sessions that the log shows, also a little after the span."""


def judged_span(
    connection: Connection, bench: Bench, target: str, from_us: int, until_us: int
) -> Span:
    """Judge the logins to *target* from *from_us* until before *until_us*."""
    # Logins around the span are laid beside too: a certificate may have been used before, and clocks differ.
    around = store.logins(connection, target, from_us - CERTIFICATE_US, until_us + CERTIFICATE_US)
    here = store.sessions_on(
        connection, target, from_us - CERTIFICATE_US, until_us + CERTIFICATE_US
    )
    known = Known(
        horizon=bench.horizon,
        here=here,
        named=store.sessions_named(connection, _key_ids(around)),
        exemptions=bench.exemptions,
        authorities=bench.authorities,
    )
    found = judge(around, known)
    claims = (one.session for one in found if one.state.value == "gateway")
    return Span(
        judged=[one for one in found if from_us <= one.login.at_us < until_us],
        sessions=[one for one in here if from_us <= one.started_at_us < until_us],
        claimed=frozenset(claim for claim in claims if claim is not None),
    )


def _key_ids(logins: Sequence[Login]) -> set[str]:
    return {key_id for login in logins if (key_id := login.accepted.key_id) is not None}
