"""Reading a log once, from its first line to its last: the logins in it, and when it was alive."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from watchgate.reports.coverage.forms import Forms
from watchgate.reports.coverage.model import DAY_US, HOUR_US, Line, Login
from watchgate.reports.coverage.sshd import begins_login, read_message

_MOST_HOSTS = 1000
"""Of hosts that no target has, and of hosts in one log, so many are told apart."""


@dataclass(slots=True)
class Tally:
    """What was in a log."""

    lines: int = 0
    unreadable: int = 0
    """Lines in no form that is known, or with a stamp that cannot be."""
    overlong: int = 0
    logins: int = 0
    unreadable_logins: int = 0
    """sshd let somebody in, in words that were not understood; worth a look by a person."""
    of_others: int = 0
    """Lines of hosts that no target has."""
    hosts: set[str] = field(default_factory=set)
    unknown_hosts: dict[str, int] = field(default_factory=dict)
    """Logins on hosts that no target has: by host."""


@dataclass(slots=True)
class Seen:
    """That a target's log was alive on a day."""

    hours: int
    """A bit for each hour of the day in UTC."""
    first_at_us: int
    last_at_us: int

    def add(self, at_us: int) -> None:
        """A line was logged then."""
        self.hours |= 1 << at_us % DAY_US // HOUR_US
        self.first_at_us = min(self.first_at_us, at_us)
        self.last_at_us = max(self.last_at_us, at_us)


Day = tuple[str, int]
"""A target and a day, counted in UTC from 1970."""

Resolve = Callable[[str], str | None]
"""The target that a host in a log is; None for one that is not ours."""


class Intake:
    """One reading of one log."""

    def __init__(self, forms: Forms, resolve: Resolve) -> None:
        self._forms = forms
        self._resolve = resolve
        self._targets: dict[str, str | None] = {}
        self.tally = Tally()
        self.seen: dict[Day, Seen] = {}

    def logins(self, lines: Iterable[bytes | None]) -> Iterator[Login]:
        """The logins in *lines*, in their order; everything else is counted."""
        tally, read = self.tally, self._forms.read
        for octets in lines:
            if octets == b"":
                continue
            tally.lines += 1
            if octets is None:
                tally.overlong += 1
                continue
            line = read(octets)
            if line is None:
                tally.unreadable += 1
                continue
            login = self._line(line)
            if login is not None:
                yield login

    def _line(self, line: Line) -> Login | None:
        target = self._target(line.host)
        if target is None:
            self._of_another(line)
            return None
        self._alive(target, line.at_us)
        if line.message is None:
            return None
        accepted = read_message(line.message)
        if accepted is None:
            self.tally.unreadable_logins += begins_login(line.message)
            return None
        self.tally.logins += 1
        return Login(target, line.at_us, accepted)

    def _alive(self, target: str, at_us: int) -> None:
        day = (target, at_us // DAY_US)
        seen = self.seen.get(day)
        if seen is None:
            seen = self.seen[day] = Seen(0, at_us, at_us)
        seen.add(at_us)

    def _target(self, host: str) -> str | None:
        if host in self._targets:
            return self._targets[host]
        target = self._resolve(host)
        if len(self._targets) < _MOST_HOSTS:
            self._targets[host] = target
            self.tally.hosts.add(host)
        return target

    def _of_another(self, line: Line) -> None:
        tally = self.tally
        tally.of_others += 1
        if line.message is None or not begins_login(line.message):
            return
        known = tally.unknown_hosts
        host = line.host if line.host in known or len(known) < _MOST_HOSTS else "(others)"
        known[host] = known.get(host, 0) + 1
