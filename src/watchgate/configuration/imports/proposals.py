"""What an import proposes: which targets, from which line, and what was left out and why.

Nothing that is read here is run, looked up or reached. Whoever wrote the file may be mistaken or worse,
so everything has a bound, and each line that is not taken is said.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from watchgate.catalog import hosts, names, targets
from watchgate.configuration.places import Place
from watchgate.errors import ConfigurationError

LARGEST = 8 << 20
MOST_TARGETS = 5_000
"""They are added in one transaction, and nobody else writes to the catalog meanwhile."""
MOST_SAID = 1_000
"""So many remarks are kept; more are only counted."""

_ILLEGAL = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Machine:
    """A target as a file has it."""

    name: str
    host: str
    port: int
    place: Place
    labels: Mapping[str, str] = field(default_factory=dict)
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that was left out, or that somebody should know."""

    place: Place
    what: str
    why: str

    def __str__(self) -> str:
        return (
            f"{self.place}: {self.what}: {self.why}" if self.what else f"{self.place}: {self.why}"
        )


class Gathered:
    """The machines and remarks of one import, within bounds."""

    def __init__(self) -> None:
        self.machines: list[Machine] = []
        self.remarks: list[Remark] = []
        self.unsaid = 0
        """Remarks beyond those that are kept."""

    def remark(self, place: Place, what: str, why: str) -> None:
        """Say something about a line."""
        if len(self.remarks) < MOST_SAID:
            self.remarks.append(Remark(place, what[:100], why))
        else:
            self.unsaid += 1

    def add(
        self,
        name: str,
        host: str,
        port: int | str | None,
        place: Place,
        labels: Mapping[str, str] | None = None,
        account: str | None = None,
    ) -> None:
        """Take a machine, if its host and port are such and its name can be made one."""
        if len(self.machines) >= MOST_TARGETS:
            raise ConfigurationError(
                f"{place}: these are more than {MOST_TARGETS} machines; import a part of them",
                code="import.too-many",
            )
        try:
            checked, number = hosts.checked(host), _port(port)
            legal = legal_name(name)
            kept = targets.checked_labels((labels or {}).items())
        except ConfigurationError as error:
            self.remark(place, name, f"left out: {error}")
            return
        if legal != name:
            self.remark(
                place, name, f"is named {legal} here, where names hold letters, digits, . _ -"
            )
        accounts = self._account(account, name, place)
        self.machines.append(Machine(legal, checked, number, place, kept, accounts))

    def _account(self, account: str | None, name: str, place: Place) -> tuple[str, ...]:
        if account is None:
            return ()
        try:
            return (names.checked_account(account),)
        except ConfigurationError as error:
            self.remark(place, name, f"its account is left out: {error}")
            return ()


def _port(port: int | str | None) -> int:
    if port is None:
        return hosts.SSH_PORT
    text = str(port)
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        raise ConfigurationError(f"{text[:20]!r} is not a port", code="target.illegal-port")
    return hosts.checked_port(int(text))


def legal_name(name: str) -> str:
    """*name*, or the nearest that a target may bear; ConfigurationError when nothing is left of it."""
    made = _ILLEGAL.sub("-", name).strip("-._" if _ILLEGAL.search(name) else "")
    made = re.sub(r"^[^A-Za-z0-9]+", "", made)[: names.LONGEST]
    if not made:
        raise ConfigurationError(
            f"{name[:60]!r} holds nothing that could be a name", code="target.illegal-name"
        )
    return names.checked("target", made)


def text_of(octets: bytes, file: str) -> str:
    """The text of a file to import; ConfigurationError when it is none, or too much."""
    if len(octets) > LARGEST:
        raise ConfigurationError(
            f"{file} holds more than {LARGEST >> 20} MiB; import a part of it",
            code="import.too-large",
        )
    if b"\0" in octets:
        line = octets[: octets.index(b"\0")].count(b"\n") + 1
        raise ConfigurationError(
            f"{file}:{line}: there is a NUL, so this is no text file", code="import.no-text"
        )
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = octets[: error.start].count(b"\n") + 1
        raise ConfigurationError(
            f"{file}:{line}: this is not UTF-8; save the file as UTF-8", code="import.no-text"
        ) from error


# --- choosing, and comparing with what is there --------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """A target that is there already, and how the file has it."""

    machine: Machine
    there: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an import would do."""

    added: tuple[Machine, ...]
    present: tuple[Machine, ...]
    """There already, at the same address."""
    differing: tuple[Difference, ...]
    """There already, at another address; they are not touched."""
    remarks: tuple[Remark, ...]
    unsaid: int = 0


def chosen(
    machines: Iterable[Machine],
    *,
    only: Iterable[str] = (),
    prefix: str = "",
    labels: Mapping[str, str] | None = None,
) -> list[Machine]:
    """Those whose names or hosts match one of the patterns *only*, with *prefix* and *labels*."""
    patterns = [pattern.lower() for pattern in only]
    found = []
    for machine in machines:
        words = (machine.name.lower(), machine.host)
        if patterns and not any(fnmatch.fnmatchcase(w, p) for w in words for p in patterns):
            continue
        merged = targets.checked_labels((dict(machine.labels) | dict(labels or {})).items())
        name = names.checked("target", prefix + machine.name)
        found.append(replace(machine, name=name, labels=merged))
    return found


def compare(
    gathered: Gathered, machines: Iterable[Machine], there: Mapping[str, tuple[str, int]]
) -> Proposal:
    """What *machines* mean where the targets *there* are, by name: host and port.

    One machine is one target: further names of the same host and port are said, and their accounts
    join the first.
    """
    folded = {names.fold(name): (name, address) for name, address in there.items()}
    by_address = {address: name for name, address in reversed(list(there.items()))}
    added: dict[str, Machine] = {}
    present, differing = [], []
    for machine in machines:
        address, key = (machine.host, machine.port), names.fold(machine.name)
        known = folded.get(key)
        if known is not None and known[1] == address:
            present.append(machine)
        elif known is not None:
            differing.append(Difference(machine, _written(known[1])))
        elif address in by_address:
            gathered.remark(machine.place, machine.name, f"is {by_address[address]} already")
            _join(added, names.fold(by_address[address]), machine)
        elif key in added:
            other = added[key].place
            gathered.remark(
                machine.place, machine.name, f"left out: another of that name is at {other}"
            )
        else:
            added[key] = machine
            by_address[address] = machine.name
    return Proposal(
        tuple(added.values()),
        tuple(present),
        tuple(differing),
        tuple(gathered.remarks),
        gathered.unsaid,
    )


def _join(added: dict[str, Machine], key: str, machine: Machine) -> None:
    if (first := added.get(key)) is not None:
        accounts = tuple(dict.fromkeys((*first.accounts, *machine.accounts)))
        added[key] = replace(first, accounts=accounts)


def _written(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
