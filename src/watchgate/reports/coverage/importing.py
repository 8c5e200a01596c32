"""Importing a target's log: its logins into the catalog, its bypasses into the journal, each once.

A log may be read again, overlap with another or be cut off: the same login is kept once. What was read is
written in batches, so a log of any size is imported in the same memory, and an import that dies is simply
begun again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

from sqlalchemy import Connection

from watchgate.catalog import hosts, journal, names, targets
from watchgate.catalog.database import Catalog
from watchgate.clock import Clock
from watchgate.reports.coverage import store
from watchgate.reports.coverage.forms import Forms
from watchgate.reports.coverage.intake import Intake, Resolve, Tally
from watchgate.reports.coverage.judging import Bench, judged_span
from watchgate.reports.coverage.model import DAY_US, Judged, Login, State
from watchgate.reports.coverage.stamps import Stamps
from watchgate.session.events import CoverageBypassed, CoverageImported

_BATCH = 2000
_LOOK_AGAIN_US = DAY_US
"""So far back, logins that were too new to be judged are looked at again."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a log comes from."""

    zone: tzinfo
    """Of stamps without one."""
    written_us: int
    """When it was last written: the year of stamps without one is reckoned from here."""
    resolve: Resolve
    target: str | None
    """The one target that it is of; None when its hosts decide."""


@dataclass(slots=True)
class Imported:
    """What an import did, and what is thought now of the logins in the time that the log spans."""

    tally: Tally
    new: int = 0
    told: int = 0
    """Bypasses that the journal did not have."""
    states: Counter[State] = field(default_factory=Counter)
    reasons: Counter[tuple[State, str]] = field(default_factory=Counter)


def one_target(name: str) -> Resolve:
    """Every line is of that target."""
    return lambda _: name


def by_host(connection: Connection) -> Resolve:
    """The host in a line decides: a target's name or address, or the first label of either.

    `web1` in a log is the target at `web1.corp.example`, and `web1.corp.example` is the target `web1`
    where nothing says that it lies in another domain. A name that two targets could have is nobody's: a
    wrong guess would accuse.
    """
    exact: dict[str, set[str]] = {}
    labels: dict[str, set[str]] = {}
    anywhere: dict[str, set[str]] = {}
    for target in targets.list_all(connection):
        known = {names.fold(target.name), target.address.host}
        words = {name for name in known if hosts.address_of(name) is None}
        for name in known:
            exact.setdefault(name, set()).add(target.name)
        for name in words:
            labels.setdefault(name.partition(".")[0], set()).add(target.name)
        if not any("." in name for name in words):
            for name in words:
                anywhere.setdefault(name, set()).add(target.name)

    def resolve(host: str) -> str | None:
        name = hosts.normal(host)
        label, dot, _ = name.partition(".")
        found = exact.get(name) or (anywhere if dot else labels).get(label, set())
        return next(iter(found)) if len(found) == 1 else None

    return resolve


def import_log(
    catalog: Catalog,
    clock: Clock,
    actor: str,
    lines: Iterable[bytes | None],
    origin: Origin,
    authorities: frozenset[str],
) -> Imported:
    """Read *lines* of a log to their end, and lay its logins beside the sessions."""
    now_us = clock.wall_us()
    intake = Intake(Forms(Stamps(origin.zone, origin.written_us, now_us)), origin.resolve)
    done = Imported(intake.tally)
    spans: dict[str, tuple[int, int]] = {}
    for batch in store.batches(intake.logins(lines), _BATCH):
        _widen(spans, batch)
        with catalog.write() as connection:
            done.new += store.add_logins(connection, batch, now_us)
    with catalog.write() as connection:
        store.add_seen(connection, intake.seen, now_us)
    for target in sorted({target for target, _ in intake.seen}):
        _settle(catalog, clock, authorities, done, target, spans.get(target))
    with catalog.write() as connection:
        event = CoverageImported(actor, origin.target, done.tally.lines, done.new, done.told)
        journal.append(connection, clock, event)
    return done


def _widen(spans: dict[str, tuple[int, int]], batch: Sequence[Login]) -> None:
    for login in batch:
        first, last = spans.get(login.target, (login.at_us, login.at_us))
        spans[login.target] = min(first, login.at_us), max(last, login.at_us)


def _settle(
    catalog: Catalog,
    clock: Clock,
    authorities: frozenset[str],
    done: Imported,
    target: str,
    span: tuple[int, int] | None,
) -> None:
    """Judge the logins in the time that a log spans, a day at a time, and tell the journal of bypasses."""
    now_us = clock.wall_us()
    again = now_us - _LOOK_AGAIN_US
    begin, end = span or (again, again)
    days = {
        *range(begin // DAY_US, end // DAY_US + 1),
        *range(again // DAY_US, now_us // DAY_US + 1),
    }
    for day in sorted(days):
        with catalog.read() as connection:
            bench = Bench.of(connection, now_us, authorities)
            judged = judged_span(connection, bench, target, day * DAY_US, (day + 1) * DAY_US).judged
        counted = [one for one in judged if span and begin <= one.login.at_us <= end]
        done.states.update(one.state for one in counted)
        done.reasons.update((one.state, one.reason) for one in counted)
        done.told += _tell(catalog, clock, [one for one in judged if one.state is State.BYPASSED])


def _tell(catalog: Catalog, clock: Clock, bypasses: Sequence[Judged]) -> int:
    """Put those of *bypasses* into the journal that it does not have; how many."""
    told = 0
    for batch in store.batches(bypasses, _BATCH):
        with catalog.write() as connection:
            fresh = store.untold(connection, [one.login.uid for one in batch])
            new = [one for one in batch if one.login.uid in fresh]
            for one in new:
                journal.append(connection, clock, _event(one), one.session or "")
            store.mark_told(connection, [one.login for one in new], clock.wall_us())
        told += len(new)
    return told


def _event(one: Judged) -> CoverageBypassed:
    login, said = one.login, one.login.accepted
    return CoverageBypassed(
        target=login.target,
        account=said.account,
        source=said.source,
        method=said.method,
        at_us=login.at_us,
        fingerprint=said.fingerprint,
        key_id=said.key_id,
        reason=one.reason,
    )


def reasons(done: Imported) -> Mapping[State, Mapping[str, int]]:
    """Why, in the order of states, the most frequent first."""
    return {
        state: {why: n for (of, why), n in done.reasons.most_common() if of is state}
        for state in State
        if done.states[state]
    }
