"""Which login is which session's: the log of a target laid beside the sessions that the gateway knows.

The best witness is the certificate: its key id is the session's id, and the CA that signed it is the
gateway's. Where an account has a password or a plain key, the address and port from which the gateway
came are compared. Everything here is computed from what is known now, so a session that reaches the
catalog late, or a log that does, is judged rightly the next time.
"""

from __future__ import annotations

import ipaddress
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from watchgate.reports.coverage.model import (
    SECOND_US,
    UNKNOWN_SOURCE,
    Accepted,
    Judged,
    Login,
    State,
)

TOLERANCE_US = 10 * SECOND_US
"""How far the clocks of gateway and target may be apart, and how coarse a log's stamps may be."""

LATE_US = 10 * SECOND_US
"""How long the catalog may take to hear of a session."""

CERTIFICATE_US = 1200 * SECOND_US
"""Longer than any certificate of a session can log in."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What of a session a target's log can be compared with."""

    id: str
    target: str
    account: str
    started_at_us: int
    ended_at_us: int | None
    """None while it goes on."""
    key_id: str | None
    """The key id of the certificate with which it logged in; None when it had none."""
    host: str
    """Where the gateway came from, as its own end of the connection says."""
    port: int

    def held(self, at_us: int) -> bool:
        """Whether it was going on at that moment, as far as clocks agree."""
        ended = self.ended_at_us
        return self.started_at_us - TOLERANCE_US <= at_us and (
            ended is None or at_us <= ended + TOLERANCE_US
        )


@dataclass(frozen=True, slots=True)
class Exemption:
    """Logins that need not come through the gateway; what is None may be anything."""

    target: str | None
    account: str | None
    source: Network | None
    from_us: int
    until_us: int
    reason: str

    def covers(self, login: Login) -> bool:
        """Whether *login* is one of them."""
        return (
            self.target in (None, login.target)
            and self.account in (None, login.accepted.account)
            and self.from_us <= login.at_us < self.until_us
            and (self.source is None or _within(login.accepted.source, self.source))
        )


@dataclass(frozen=True, slots=True)
class Horizon:
    """What the gateway can know: from its first record to a moment ago."""

    from_us: int
    until_us: int


@dataclass(frozen=True)
class Known:
    """What the logins of one target are laid beside."""

    horizon: Horizon
    here: Sequence[SessionFacts]
    """The sessions that reached this target about that time."""
    named: Mapping[str, SessionFacts] = field(default_factory=dict)
    """The sessions, on any target, that the key ids name."""
    exemptions: Sequence[Exemption] = ()
    authorities: frozenset[str] = frozenset()
    """The fingerprints of the gateway's CA, now and before; none: they are not compared."""

    @cached_property
    def by_end(self) -> dict[tuple[str, int], list[SessionFacts]]:
        """The sessions by the gateway's end of their connections."""
        found: dict[tuple[str, int], list[SessionFacts]] = {}
        for session in self.here:
            found.setdefault((session.host, session.port), []).append(session)
        return found

    @cached_property
    def plain(self) -> dict[str, list[SessionFacts]]:
        """The sessions without a certificate by their account, in the order in which they began."""
        found: dict[str, list[SessionFacts]] = {}
        for session in sorted(self.here, key=lambda one: one.started_at_us):
            if session.key_id is None:
                found.setdefault(session.account, []).append(session)
        return found

    @cached_property
    def gateways(self) -> frozenset[str]:
        """The addresses that the gateway comes from."""
        return frozenset(session.host for session in self.here)


def judge(logins: Iterable[Login], known: Known) -> list[Judged]:
    """What is thought of each of *logins*, which are all of one target, those before them included."""
    judgement = _Judgement(known)
    ordered = sorted(logins, key=lambda login: (login.at_us, login.uid))
    judgement.claim(ordered)
    return [judgement.of(login) for login in ordered]


@dataclass(slots=True)
class _Judgement:
    known: Known
    claimed: dict[str, Login] = field(default_factory=dict)
    """Each session's own login: it logs in once, so a second one is somebody else's."""

    def claim(self, ordered: Sequence[Login]) -> None:
        """Find each session's own login: by the gateway's end, else the first with its certificate."""
        for login in ordered:
            session = self._at_its_end(login)
            if session is not None:
                self.claimed.setdefault(session.id, login)
        for login in ordered:
            session = self._named(login)
            if session is not None and not self._mismatch(login, session):
                self.claimed.setdefault(session.id, login)

    def of(self, login: Login) -> Judged:
        """What is thought of one login."""
        horizon = self.known.horizon
        if login.at_us < horizon.from_us - TOLERANCE_US:
            return Judged(login, State.UNKNOWN, "before the gateway's own records begin")
        session = self._named(login)
        if session is not None:
            return self._shown(login, session)
        if (end := self._at_its_end(login)) is not None and self.claimed.get(end.id) == login:
            return Judged(login, State.GATEWAY, "from the gateway's end of the connection", end.id)
        return self._without_session(login)

    def _shown(self, login: Login, session: SessionFacts) -> Judged:
        """A certificate with the id of a session was shown."""
        if problem := self._mismatch(login, session):
            return Judged(login, State.BYPASSED, problem, session.id)
        if self.claimed.get(session.id) != login:
            reason = "the certificate of a session was shown a second time"
            return Judged(login, State.BYPASSED, reason, session.id)
        return Judged(login, State.GATEWAY, "by the session's certificate", session.id)

    def _mismatch(self, login: Login, session: SessionFacts) -> str:
        """Why a login cannot be that of the session whose id its certificate bears."""
        said = login.accepted
        if not self._is_ours(said):
            return "another CA signed a certificate with the id of a session"
        if session.target != login.target:
            return f"the certificate of a session on {session.target} was shown here"
        if session.account != said.account:
            return f"the certificate of a session as {session.account} let in {said.account}"
        if not session.held(login.at_us):
            return "the certificate of a session was shown while the session was not open"
        return ""

    def _without_session(self, login: Login) -> Judged:
        said, known = login.accepted, self.known
        if login.at_us > known.horizon.until_us:
            return Judged(login, State.UNKNOWN, "too new: its session may not be known yet")
        if said.key_id is not None and known.authorities and self._is_ours(said):
            reason = "a certificate of the gateway's CA, for no session that is known"
            return Judged(login, State.BYPASSED, reason)
        if said.source == UNKNOWN_SOURCE:
            return Judged(login, State.UNKNOWN, "the log does not say where it came from")
        for exemption in known.exemptions:
            if exemption.covers(login):
                return Judged(login, State.EXCEPTED, exemption.reason)
        if said.source in known.gateways:
            reason = "from the gateway's address, but not by a session: from the machine itself"
            return Judged(login, State.BYPASSED, reason)
        if (session := self._translated(login)) is not None:
            reason = "may be a session behind address translation: certificates would tell"
            return Judged(login, State.UNKNOWN, reason, session.id)
        return Judged(login, State.BYPASSED, "no session is like it")

    def _named(self, login: Login) -> SessionFacts | None:
        return self.known.named.get(login.accepted.key_id or "")

    def _at_its_end(self, login: Login) -> SessionFacts | None:
        said = login.accepted
        for session in self.known.by_end.get((said.source, said.port), ()):
            # A session with a certificate shows it; who comes without one is not it.
            if session.account != said.account or session.key_id != _shown_id(said, session):
                continue
            if session.held(login.at_us):
                return session
        return None

    def _translated(self, login: Login) -> SessionFacts | None:
        """A session without a certificate that logged in at that moment, and whose login is not found."""
        said = login.accepted
        sessions = self.known.plain.get(said.account, []) if said.key_id is None else []
        first = bisect_left(
            sessions, login.at_us - TOLERANCE_US, key=lambda session: session.started_at_us
        )
        for session in islice(sessions, first, None):
            if session.started_at_us > login.at_us + TOLERANCE_US:
                break
            if session.id not in self.claimed:
                return session
        return None

    def _is_ours(self, said: Accepted) -> bool:
        return not self.known.authorities or said.authority in self.known.authorities


def _shown_id(said: Accepted, session: SessionFacts) -> str | None:
    """The key id to compare with: a plain key's session may well show another CA's certificate."""
    return said.key_id if session.key_id is not None else None


def _within(source: str, network: Network) -> bool:
    try:
        return ipaddress.ip_address(source) in network
    except ValueError:
        return False
