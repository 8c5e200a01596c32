"""Logins that may go round the gateway: named, with a reason and an end."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from sqlalchemy import Connection, Row, delete, insert, select

from watchgate.catalog import names, targets
from watchgate.catalog.change import Change
from watchgate.catalog.schema import coverage_exception as table
from watchgate.clock import iso
from watchgate.errors import ConfigurationError, NotFound
from watchgate.reports.coverage.join import Exemption, Network

_SHORTEST_PREFIX = 4


@dataclass(frozen=True, slots=True)
class CoverageException:
    """An exception as it was made."""

    id: str
    target: str | None
    account: str | None
    source: str | None
    from_us: int
    until_us: int
    reason: str
    created_by: str
    created_at_us: int

    def exemption(self) -> Exemption:
        """What it permits."""
        network = None if self.source is None else ipaddress.ip_network(self.source)
        return Exemption(
            *(self.target, self.account, network),
            *(self.from_us, self.until_us, self.reason),
        )


def add(
    change: Change,
    *,
    target: str | None,
    account: str | None,
    source: str | None,
    from_us: int | None,
    until_us: int,
    reason: str,
) -> CoverageException:
    """Let logins as *account*, or from the network *source*, go round the gateway until then."""
    begins = change.at_us if from_us is None else from_us
    if account is None and source is None:
        raise ConfigurationError(
            "an exception says for whom it is: give --account, --source, or both",
            code="coverage.too-wide",
        )
    if until_us <= begins:
        raise ConfigurationError(
            f"the exception would end at {iso(until_us)}, before it begins",
            code="coverage.illegal-time",
        )
    if not reason.strip():
        raise ConfigurationError("say why, with --reason", code="coverage.no-reason")
    made = CoverageException(
        id=change.fresh_id(),
        target=None if target is None else targets.get(change.connection, target).name,
        account=None if account is None else names.checked_account(account),
        source=None if source is None else str(_network(source)),
        from_us=begins,
        until_us=until_us,
        reason=reason.strip(),
        created_by=change.actor,
        created_at_us=change.at_us,
    )
    values = {column.name: getattr(made, column.name) for column in table.c}
    change.connection.execute(insert(table).values(values))
    change.note("coverage.exception.added", made.id, **_described(made))
    return made


def remove(change: Change, which: str) -> CoverageException:
    """Take an exception away, also for logins that it covered so far."""
    found = get(change.connection, which)
    change.connection.execute(delete(table).where(table.c.id == found.id))
    change.note("coverage.exception.removed", found.id, **_described(found))
    return found


def get(connection: Connection, which: str) -> CoverageException:
    """The exception with this id, or a unique beginning of it; else NotFound."""
    begins = table.c.id.startswith(which.lower(), autoescape=True)
    rows = connection.execute(select(table).where(begins)).all()
    if len(which) < _SHORTEST_PREFIX or len(rows) != 1:
        raise NotFound(
            f"there is no one exception {which!r}; see `watchgate coverage except list`",
            code="coverage.exception-not-found",
        )
    return _exception(rows[0])


def list_all(connection: Connection) -> list[CoverageException]:
    """All exceptions by age, those that are over included."""
    return [_exception(row) for row in connection.execute(select(table).order_by(table.c.id))]


def _exception(row: Row[tuple[object, ...]]) -> CoverageException:
    return CoverageException(**row._mapping)  # noqa: SLF001 - public, in spite of its name


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text.strip())
    except ValueError as error:
        raise ConfigurationError(
            f"{text!r} is not a network: {error}; write 10.0.0.0/8 or an address",
            code="coverage.illegal-network",
        ) from error


def _described(made: CoverageException) -> dict[str, object]:
    return {
        "target": made.target,
        "account": made.account,
        "source": made.source,
        "from": iso(made.from_us),
        "until": iso(made.until_us),
        "reason": made.reason,
    }
