"""Make a data directory: keys, the list of auditors, the settings file, the catalog.

Nothing that is there is ever overwritten. The catalog is made last and is what tells a directory that
is ready from one that is not; when a step fails, what the earlier ones made is taken away again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from watchgate.catalog.change import changing
from watchgate.catalog.database import Catalog
from watchgate.clock import Clock
from watchgate.errors import ConfigurationError
from watchgate.identity.authority import Authority, create_key
from watchgate.layout import Paths
from watchgate.recording.auditors import generate_identity, load_recipients, parse_recipient
from watchgate.recording.keys import EvidenceKey, write_new
from watchgate.settings import SECTIONS, TABLE, TABLES, Row, Settings
from watchgate.vault.vault import Vault

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Initialized:
    """What was made, and the public halves that others need."""

    data: Path
    made: tuple[Path, ...]
    host_key: str
    """The gateway's host key, as a line of known_hosts has it after the name."""
    authority: str
    """The CA's public key line."""
    evidence: str
    """All that `watchgate session verify` needs elsewhere."""
    auditors: tuple[str, ...]
    auditor_key: Path | None
    """The private key that opens recordings, when one was made here."""

    @property
    def known_hosts(self) -> str:
        """For an operator's known_hosts: trusts every target that the gateway vouches for."""
        return f"@cert-authority * {self.authority}"


def initialize(
    settings: Settings, clock: Clock, actor: str, *, auditors: Sequence[str] = ()
) -> Initialized:
    """Make the data directory of *settings*; raises ConfigurationError naming what is in the way.

    With *auditors* (age recipients) no private auditor key is made; without, and without a list of
    auditors at its place, one is, and it lies beside the data until somebody moves it.
    """
    paths = settings.paths
    _refuse_to_overwrite(paths)
    for recipient in auditors:
        parse_recipient(recipient, "--auditor")
    work = _Work(paths)
    try:
        return work.run(settings, clock, actor, auditors)
    except BaseException:
        work.undo()
        raise


def _refuse_to_overwrite(paths: Paths) -> None:
    files = (
        *(paths.host_key, paths.authority_key, paths.evidence_key, paths.evidence_public),
        *(paths.vault_key, paths.auditor_key, paths.catalog),
    )
    try:
        found = [str(file) for file in files if file.exists()]
    except OSError as error:
        raise ConfigurationError(
            f"{paths.root} cannot be read: {error.strerror}", code="data.not-permitted"
        ) from error
    if not found:
        return
    state = "is initialized already" if paths.catalog.exists() else "holds the rest of another try"
    raise ConfigurationError(
        f"{paths.root} {state}, and nothing is overwritten: there is {', '.join(found)}; "
        "choose another directory with --data, or move these away",
        code="data.exists",
    )


class _Work:
    """The steps, and what they made so far."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._made: list[Path] = []

    def run(
        self, settings: Settings, clock: Clock, actor: str, auditors: Sequence[str]
    ) -> Initialized:
        paths = self._paths
        for directory in paths.directories:
            self._directory(directory)
        node = settings.server.node
        host = self._file(
            paths.host_key, lambda path: create_key(path, "the host key", f"watchgate@{node}")
        )
        authority = self._file(
            paths.authority_key, lambda path: Authority.create(path, clock, f"watchgate-ca@{node}")
        )
        self._made += [_public(paths.host_key), _public(paths.authority_key)]
        evidence = EvidenceKey.generate()
        self._file(paths.evidence_key, evidence.save)
        self._made.append(paths.evidence_public)
        recipients = self._auditors(auditors)
        if not paths.settings.exists():
            self._file(
                paths.settings, lambda path: write_new(path, settings_template().encode(), 0o600)
            )
        self._catalog(clock, actor)
        return Initialized(
            data=paths.root,
            made=tuple(self._made),
            host_key=host.export_public_key("openssh").decode().strip(),
            authority=authority.public_line,
            evidence=evidence.public.line(),
            auditors=tuple(recipients),
            auditor_key=paths.auditor_key if paths.auditor_key in self._made else None,
        )

    def undo(self) -> None:
        """Take away what was made, the last first; directories only when nothing is in them."""
        for path in reversed(self._made):
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)

    def _directory(self, path: Path) -> None:
        try:
            missing = not path.exists()
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o700)
        except OSError as error:
            raise ConfigurationError(
                f"the directory {path} cannot be made: {error.strerror}; "
                "run as a user who may, or choose another with --data",
                code="data.not-permitted",
            ) from error
        if missing:
            self._made.append(path)

    def _file(self, path: Path, make: Callable[[Path], T]) -> T:
        if not path.exists():
            # Named before it is made, so that a half-made file is taken away too.
            self._made.append(path)
        return make(path)

    def _auditors(self, auditors: Sequence[str]) -> list[str]:
        """The recipients of recordings: those given, those listed already, or a fresh one."""
        paths = self._paths
        if paths.auditors.exists() and not auditors:
            return load_recipients(paths.auditors)
        recipients = list(dict.fromkeys(auditors))
        if not recipients:
            identity, recipient = generate_identity()
            self._file(paths.auditor_key, lambda path: write_new(path, identity.encode(), 0o600))
            recipients = [recipient]
        text = "# Who can open recordings: age recipients, one a line.\n"
        text += "".join(f"{recipient}\n" for recipient in recipients)
        self._file(paths.auditors, lambda path: write_new(path, text.encode(), 0o600))
        return recipients

    def _catalog(self, clock: Clock, actor: str) -> None:
        paths = self._paths
        # The key's file is written inside the transaction that checks it, so it is named before.
        self._made += [Path(f"{paths.catalog}{suffix}") for suffix in ("", "-wal", "-shm")]
        self._made.append(paths.vault_key)
        with Catalog.open(paths.catalog) as catalog, changing(catalog, clock, actor) as change:
            Vault.create(paths.vault_key, change)
        self._made = [path for path in self._made if path.exists()]


def _public(path: Path) -> Path:
    return path.with_name(path.name + ".pub")


def settings_template() -> str:
    """A settings file that says every default and changes none."""
    lines = [
        "# Settings of this gateway. What is commented out has the default that is shown.",
        "# `watchgate settings` shows what holds; docs/reference/settings.md explains.",
    ]
    for section, about in SECTIONS.items():
        lines += ["", f"# {about}", f"[{section}]"]
        rows = [row for row in TABLE.values() if row.section == section]
        # In TOML all that follows a table belongs to it, so tables come last in their section.
        for row in sorted(rows, key=lambda row: row.only_in_file):
            lines += [f"# {row.sentence}", f"#{_assignment(row)}"]
    return "\n".join(lines) + "\n"


def _assignment(row: Row) -> str:
    """The setting with its default as TOML has it."""
    if row.only_in_file:
        return TABLES[row.name].replace("\n", "\n#")
    shown = row.quantity.show(row.default)
    if isinstance(row.default, tuple):
        value = json.dumps([part for part in shown.split(", ") if part])
    elif isinstance(row.default, bool | int) and shown.isalnum() and not shown[-1].isalpha():
        value = shown
    else:
        value = json.dumps(shown)
    return f"{row.key} = {value}"
