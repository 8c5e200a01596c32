"""The settings: one table, read once, passed down frozen.

Each section is a dataclass, and each field names its kind and its sentence; file, environment,
flags, `watchgate settings` and docs/reference/settings.md all follow from these classes. A value comes
from the defaults, then `watchgate.toml`, then `WATCHGATE_SECTION_KEY`, then `--set section.key=value`.
There is no secret in here.
"""

# ruff: noqa: RUF009 - `setting` is a field, not a value that instances would share

from __future__ import annotations

import difflib
import os
import re
import socket
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from watchgate import quantities as q
from watchgate.errors import ConfigurationError
from watchgate.identity.combinations import Combinations
from watchgate.layout import Paths
from watchgate.listeners import LISTENERS, Listener
from watchgate.session.model import Address
from watchgate.siem.sinks import SINKS, Misfit, Sink

T = TypeVar("T")

FILE_NAME = "watchgate.toml"
PREFIX = "WATCHGATE_"
_OTHER_VARIABLES = {"WATCHGATE_DATA"}
# Kubernetes sets these for a service that is called watchgate; they are not ours.
_OF_KUBERNETES = re.compile(r"WATCHGATE_(SERVICE|PORT)(_.*)?|WATCHGATE_.*_SERVICE_(HOST|PORT).*")


def setting(default: T, quantity: q.Quantity[Any], sentence: str) -> T:
    """A field of a section; typed as its value so that a section reads as what it is."""
    return field(default=default, metadata={"quantity": quantity, "sentence": sentence})


def _read_combination(value: object) -> str:
    try:
        return Combinations.parse([str(value)]).describe()[0]
    except ConfigurationError as error:
        raise ValueError(str(error)) from error


COMBINATION = q.Quantity(
    "combination", "methods joined by +, out of publickey, password, totp", _read_combination
)


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """The gateway itself."""

    node: str = setting(
        "", q.TEXT, "The name of this gateway in its recordings; empty is the machine's host name."
    )


@dataclass(frozen=True, slots=True)
class SshSettings:
    """How the gateway speaks SSH."""

    listen: tuple[Address, ...] = setting(
        (Address("0.0.0.0", 2222),),  # noqa: S104 - operators come from other machines
        q.listing(q.ADDRESS),
        "Where operators connect.",
    )
    listeners: tuple[Listener, ...] = setting(
        (), LISTENERS, "Further addresses, each of which always means one target."
    )
    login_timeout: float = setting(
        60.0, q.duration(1), "How long a client may take to prove who it is."
    )
    max_unauthenticated: int = setting(
        200, q.integer(1), "How many connections may be unproven at one time."
    )
    max_unauthenticated_per_source: int = setting(
        20, q.integer(1), "The same, from one address (IPv6: one /64)."
    )
    keepalive_interval: float = setting(
        30.0,
        q.duration(),
        "After so long without a packet the peer is asked for a sign; 0 is never.",
    )
    keepalive_count: int = setting(
        3, q.integer(1), "After so many questions without an answer the connection ends."
    )
    rekey_octets: int = setting(
        1 << 30, q.size(1 << 20), "New session keys are made after so many octets."
    )
    window: int = setting(
        2 << 20, q.size(32 << 10), "How much a peer may send of one channel before we read on."
    )
    banner: str = setting("", q.TEXT, "Text shown before the login; empty is none.")


@dataclass(frozen=True, slots=True)
class AuthenticationSettings:
    """How operators prove who they are."""

    combinations: tuple[str, ...] = setting(
        ("publickey", "password+totp"),
        q.listing(COMBINATION),
        "The ways to log in, any one of which is enough; the methods of one way come in their order.",
    )
    trusted_user_cas: Path | None = setting(
        None,
        q.optional(q.PATH),
        "A file of CA public keys, one a line, whose OpenSSH user certificates count as public keys.",
    )


@dataclass(frozen=True, slots=True)
class RecordingSettings:
    """Where evidence is written, and within which bounds."""

    directory: Path = setting(Path("recordings"), q.PATH, "Where recordings lie.")
    spool_directory: Path = setting(
        Path("spool"),
        q.PATH,
        "Where recordings go on when the directory fails (failure policy spool).",
    )
    spool_limit: int = setting(4 << 30, q.size(), "The most that the spool may hold.")
    minimum_free: int = setting(
        64 << 20, q.size(), "No new recording begins with less free space than this."
    )
    waiting_limit: int = setting(
        4 << 20,
        q.size(64 << 10),
        "When so much of one session waits to be written, the session waits too.",
    )
    sync_interval: float = setting(
        0.4, q.duration(0.05, 0.5), "How often what was recorded is written and synced."
    )


@dataclass(frozen=True, slots=True)
class EvidenceSettings:
    """Who can open recordings."""

    auditors: Path = setting(
        Path("keys/auditors.txt"),
        q.PATH,
        "A file of age recipients, one a line, who can open them.",
    )


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """Searching for what was done in sessions."""

    enabled: bool = setting(
        True, q.FLAG, "Whether sessions are indexed at all; each target says what of them."
    )
    directory: Path = setting(
        Path("index"),
        q.PATH,
        "Where the index lies. It holds in clear what recordings encrypt: keep it on an encrypted disk.",
    )
    escrow_identity: Path | None = setting(
        None,
        q.optional(q.PATH),
        "An age identity that opens what a crash left unindexed; without one an auditor runs reindex.",
    )


@dataclass(frozen=True, slots=True)
class SiemSettings:
    """Where events go besides the recordings and the journal."""

    backlog: int = setting(
        2_000_000,
        q.integer(1000),
        "How many events may wait for sinks that fail; beyond it the oldest go, which is said.",
    )
    sinks: tuple[Sink, ...] = setting((), SINKS, "The SIEMs and other receivers of events.")


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Bounds of sessions."""

    max_per_operator: int = setting(
        0, q.integer(), "How many sessions one operator may have at one time; 0 is no limit."
    )
    shutdown_grace: float = setting(
        10.0, q.duration(), "How long sessions may go on when the gateway is told to stop."
    )


@dataclass(frozen=True, slots=True)
class ApprovalSettings:
    """Commands that wait for somebody else's word."""

    wait: float = setting(
        300.0,
        q.duration(1, 86_400),
        "How long a command waits for an approval before it is refused.",
    )


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What the administrator reads; events are apart from it."""

    level: str = setting(
        "info", q.choice("debug", "info", "warning", "error"), "The least that is logged."
    )
    format: str = setting("text", q.choice("text", "json"), "Lines for people or for programs.")


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one gateway, and where each came from."""

    data: Path
    server: ServerSettings = ServerSettings()
    ssh: SshSettings = SshSettings()
    authentication: AuthenticationSettings = AuthenticationSettings()
    recording: RecordingSettings = RecordingSettings()
    evidence: EvidenceSettings = EvidenceSettings()
    index: IndexSettings = IndexSettings()
    siem: SiemSettings = SiemSettings()
    sessions: SessionSettings = SessionSettings()
    approvals: ApprovalSettings = ApprovalSettings()
    log: LogSettings = LogSettings()
    origins: Mapping[str, str] = field(default_factory=dict, hash=False, compare=False)
    """By name, where a value came from; what is not in here has its default."""

    @property
    def paths(self) -> Paths:
        """Where this gateway's files lie."""
        return Paths(
            root=self.data,
            recordings=self.recording.directory,
            spool=self.recording.spool_directory,
            auditors=self.evidence.auditors,
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table of settings."""

    section: str
    key: str
    quantity: q.Quantity[Any]
    default: Any
    sentence: str

    @property
    def name(self) -> str:
        return f"{self.section}.{self.key}"

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"{PREFIX}{self.section}_{self.key}".upper()

    @property
    def only_in_file(self) -> bool:
        """Tables do not fit into a variable or a flag."""
        return self.name in TABLES


TABLES: dict[str, str] = {
    "ssh.listeners": '[[ssh.listeners]]\naddress = "10.0.0.7:22"\ntarget = "web1"',
    "siem.sinks": '[[siem.sinks]]\nname = "siem"\nurl = "relp://10.0.0.9:2514"\nformat = "cef"',
}
"""An example of each setting that is tables."""


def _sections() -> dict[str, Any]:
    return {f.name: f.default for f in fields(Settings) if f.name not in ("data", "origins")}


def _row(section: str, item: Field[Any]) -> Row:
    assert item.default is not MISSING
    return Row(
        section, item.name, item.metadata["quantity"], item.default, item.metadata["sentence"]
    )


SECTIONS: dict[str, str] = {name: (kind.__doc__ or "") for name, kind in _sections().items()}
TABLE: dict[str, Row] = {
    row.name: row
    for section, values in _sections().items()
    for row in (_row(section, item) for item in fields(values))
}
"""Every setting by its name, `section.key`, in the order of the reference."""


def load(
    data: Path,
    *,
    environment: Mapping[str, str] = os.environ,
    flags: Sequence[str] = (),
) -> Settings:
    """The settings of the gateway in *data*; *flags* are texts such as `ssh.listen=[::]:22`.

    Raises ConfigurationError with the place, the key, the value and what was expected.
    """
    data = Path(os.path.abspath(data.expanduser()))
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for origin, name, raw in _said(data / FILE_NAME, environment, flags):
        values[name] = _read(TABLE[name], raw, origin)
        origins[name] = origin
    return _build(data, values, origins)


def _said(
    file: Path, environment: Mapping[str, str], flags: Sequence[str]
) -> Iterator[tuple[str, str, object]]:
    """Everything that is said anywhere, the weakest first: where, which setting, what."""
    yield from _in_file(file)
    yield from _in_environment(environment)
    yield from _in_flags(flags)


def _in_file(file: Path) -> Iterator[tuple[str, str, object]]:
    for section, table in _parse(file).items():
        if section not in SECTIONS:
            raise _unknown(f"{file}: there is no section [{section}]", section, SECTIONS)
        if not isinstance(table, dict):
            raise ConfigurationError(
                f"{file}: {section} is a section; write [{section}] and its keys below it",
                code="settings.wrong-type",
            )
        for key, raw in table.items():
            name = f"{section}.{key}"
            if name not in TABLE:
                raise _unknown(f"{file}: there is no setting {name}", name, TABLE)
            yield str(file), name, raw


def _parse(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file} is not TOML: {error}", code="settings.syntax") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{file} is not UTF-8 text (octet {error.start})", code="settings.syntax"
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be read: {error.strerror}; run as the user who owns the data directory",
            code="settings.unreadable",
        ) from error


def _in_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, str, object]]:
    by_variable = {row.variable: row for row in TABLE.values() if not row.only_in_file}
    for variable, raw in sorted(environment.items()):
        if not variable.startswith(PREFIX) or variable in _OTHER_VARIABLES:
            continue
        if row := by_variable.get(variable):
            yield variable, row.name, raw
        elif not _OF_KUBERNETES.fullmatch(variable):
            raise _unknown(
                f"environment: {variable} sets nothing", variable, [*by_variable, *_OTHER_VARIABLES]
            )


def _in_flags(flags: Sequence[str]) -> Iterator[tuple[str, str, object]]:
    names = [name for name, row in TABLE.items() if not row.only_in_file]
    for flag in flags:
        name, equals, raw = flag.partition("=")
        if not equals:
            raise ConfigurationError(
                f"--set {flag}: write --set section.key=value", code="settings.syntax"
            )
        if name not in names:
            raise _unknown(f"--set {name}: there is no such setting", name, names)
        yield "--set", name, raw


def _unknown(what: str, name: str, known: Mapping[str, Any] | Sequence[str]) -> ConfigurationError:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.4)
    advice = f"did you mean {near[0]}?" if near else "`watchgate settings` lists what there is"
    return ConfigurationError(f"{what}; {advice}", code="settings.unknown")


def _read(row: Row, raw: object, origin: str) -> Any:
    try:
        return row.quantity.read(raw)
    except Misfit as error:
        raise ConfigurationError(
            f"{origin}: {row.name}: {error}", code="settings.wrong-type"
        ) from error
    except (ValueError, OverflowError) as error:
        raise ConfigurationError(
            f"{origin}: {row.name} cannot be {raw!r}; it must be {row.quantity.expected}",
            code="settings.wrong-type",
        ) from error


def _build(data: Path, values: Mapping[str, Any], origins: Mapping[str, str]) -> Settings:
    sections = {}
    for section, default in _sections().items():
        said = {
            row.key: values.get(row.name, row.default)
            for row in TABLE.values()
            if row.section == section
        }
        anchored = {key: _anchored(data, value) for key, value in said.items()}
        sections[section] = replace(default, **anchored)
    settings = Settings(data=data, origins=origins, **sections)
    if settings.server.node:
        return settings
    return replace(settings, server=replace(settings.server, node=socket.gethostname()))


def _anchored(data: Path, value: Any) -> Any:
    """*value* with relative paths counted from the data directory."""
    match value:
        case Path():
            return data / value
        case (Sink(), *_):
            return tuple(sink.anchored(data) for sink in value)
        case _:
            return value
