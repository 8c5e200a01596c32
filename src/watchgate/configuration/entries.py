"""What files say, as nouns: one operator, one target, one grant, each as it should be.

None in a field means that the files do not say: what is there stays. Everything else that is left out
has its default, so that a line that is taken out of a file has an effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from watchgate.catalog.hosts import SSH_PORT
from watchgate.configuration.places import Place
from watchgate.identity.grants import Terms
from watchgate.identity.operators import DEFAULT_ROLES
from watchgate.session.model import Address, CredentialKind, TargetSettings

OWNER = "files"
"""Who owns what is applied when the files name nobody else."""


@dataclass(frozen=True, slots=True)
class OperatorEntry:
    """An operator as he should be."""

    name: str
    roles: frozenset[str] = DEFAULT_ROLES
    groups: frozenset[str] = frozenset()
    keys: frozenset[str] | None = None
    """OpenSSH lines with their comments. When None, keys that were given by files are taken away and
    those that were entered by hand stay."""
    login: tuple[str, ...] | None = None
    """Combinations of methods; here None is the gateway's, as with the verb."""
    disabled: bool | None = None


@dataclass(frozen=True, slots=True)
class TargetEntry:
    """A target as it should be."""

    name: str
    host: str
    port: int = SSH_PORT
    protocol: str = "ssh"
    labels: Mapping[str, str] = field(default_factory=dict)
    settings: TargetSettings = field(default_factory=TargetSettings)
    host_keys: frozenset[str] | None = None
    accounts: Mapping[str, CredentialKind] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Host and port, as people write them."""
        return str(Address(self.host, self.port))


@dataclass(frozen=True, slots=True)
class GrantEntry:
    """A grant as it should be; *where* is a target's name, labels (`env=prod`), or `*`."""

    name: str
    operator: str | None
    group: str | None
    account: str
    where: str
    terms: Terms = field(default_factory=Terms)

    @property
    def by_labels(self) -> bool:
        """Whether *where* selects targets and names none."""
        return self.where == "*" or "=" in self.where


@dataclass(frozen=True, slots=True)
class Documents:
    """Everything that the files of one owner say, and where they say it."""

    owner: str = OWNER
    operators: tuple[OperatorEntry, ...] = ()
    targets: tuple[TargetEntry, ...] = ()
    grants: tuple[GrantEntry, ...] = ()
    places: Mapping[tuple[str | int, ...], Place] = field(default_factory=dict)
    directory: str = ""
    digest: str = ""

    def place(self, *path: str | int) -> Place:
        """Where *path* is said, or the nearest of what it is in."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.places:
                return self.places[path[:end]]
        return Place(self.directory or "the files")
