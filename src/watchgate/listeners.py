"""Addresses that always mean one target: `[[ssh.listeners]]`."""

from __future__ import annotations

from dataclasses import dataclass

from watchgate import quantities as q
from watchgate.session.model import Address


@dataclass(frozen=True, slots=True)
class Listener:
    """An address that always means one target, so that DNS can point a server's name at us."""

    address: Address
    target: str


def _read_listeners(value: object) -> tuple[Listener, ...]:
    if not isinstance(value, list):
        raise ValueError("not tables")
    found = []
    for table in value:
        if not isinstance(table, dict) or set(table) != {"address", "target"}:
            raise ValueError("not a table of address and target")
        found.append(Listener(q.parse_address(table["address"]), str(table["target"])))
    return tuple(found)


LISTENERS: q.Quantity[tuple[Listener, ...]] = q.Quantity(
    "tables",
    'tables [[ssh.listeners]] with address = "host:port" and target = "name"',
    _read_listeners,
    lambda values: ", ".join(f"{value.address} -> {value.target}" for value in values),
)
