"""Targets from plain lists: `/etc/hosts`, one `host:port` a line, columns with commas.

A line is one machine. Its form is read off itself: an address first is a line of hosts(5); one word is
a host, with a port or without, perhaps `user@` before it; columns are `name,address,port,user`, or as a
first line names them.
"""

from __future__ import annotations

import csv
import ipaddress
from collections.abc import Sequence

from watchgate.catalog.hosts import address_of, split
from watchgate.configuration.imports.proposals import Gathered, text_of
from watchgate.configuration.places import Place

LONGEST_LINE = 4096
_COLUMNS = {
    "name": ("name", "hostname", "target", "server"),
    "address": ("address", "ip", "host", "ip address", "ip_address", "fqdn"),
    "port": ("port", "ssh port", "ssh_port"),
    "user": ("user", "account", "username", "login"),
}
_IN_ORDER = ("name", "address", "port", "user")


def read(octets: bytes, file: str, gathered: Gathered) -> None:
    """Add the machines of the list."""
    columns: dict[str, int] | None = None
    for number, raw in enumerate(text_of(octets, file).splitlines(), 1):
        line, place = raw.partition("#")[0].strip(), Place(file, number, 1)
        if not line:
            continue
        if len(line) > LONGEST_LINE:
            gathered.remark(place, line, "left out: the line is too long to be a machine")
        elif (delimiter := next((one for one in ",;" if one in line), None)) is not None:
            cells = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
            if columns is None and (columns := _heading(cells)) is not None:
                continue
            _columns(cells, columns, place, gathered)
        else:
            _words(line.split(), place, gathered)


def _heading(cells: Sequence[str]) -> dict[str, int] | None:
    """Which column is which, when *cells* are a heading."""
    found: dict[str, int] = {}
    for index, cell in enumerate(cells):
        for column, words in _COLUMNS.items():
            if cell.lower() in words and column not in found:
                found[column] = index
                break
    return found if len(found) >= 2 or (found and len(cells) == 1) else None


def _columns(
    cells: list[str], columns: dict[str, int] | None, place: Place, gathered: Gathered
) -> None:
    if columns is None and len(cells) > 1 and address_of(cells[0]) and not address_of(cells[1]):
        cells = [cells[1], cells[0], *cells[2:]]
    order = columns or {column: index for index, column in enumerate(_IN_ORDER)}
    said = {column: cells[index] for column, index in order.items() if index < len(cells)}
    host, port = split(said.get("address") or said.get("name", ""))
    name = said.get("name") or host
    if not host:
        gathered.remark(place, ",".join(cells), "left out: it says neither a name nor an address")
        return
    _add(name, host, said.get("port") or port, place, gathered, said.get("user") or None)


def _words(words: list[str], place: Place, gathered: Gathered) -> None:
    account, at, first = words[0].rpartition("@")
    host, port = split(first)
    user = account if at else None
    if address_of(host) is not None:
        # hosts(5): the first name is the canonical one.
        name = words[1] if len(words) > 1 else host.strip("[]")
        if len(words) > 2:
            gathered.remark(
                place, name, f"has other names, which are left out: {' '.join(words[2:])}"
            )
        _add(name, host, port, place, gathered, user)
    elif len(words) == 1:
        _add(host, host, port, place, gathered, user)
    elif len(words) == 2:
        host, port = split(words[1])
        _add(first, host, port, place, gathered, user)
    else:
        why = "left out: a line is `address name`, `name address`, or `host:port`"
        gathered.remark(place, " ".join(words), why)


def _add(
    name: str,
    host: str,
    port: int | str | None,
    place: Place,
    gathered: Gathered,
    account: str | None,
) -> None:
    address = address_of(host)
    if address is not None and _no_machine(address):
        gathered.remark(place, name, f"left out: {address} is no other machine")
        return
    gathered.add(name, host, port, place, account=account)


def _no_machine(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    everybody = ipaddress.IPv4Address("255.255.255.255")
    return (
        address.is_loopback
        or address.is_multicast
        or address.is_unspecified
        or address == everybody
    ) or (address.version == 6 and address == ipaddress.IPv6Address("fe00::"))
