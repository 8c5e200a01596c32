"""What `watchgate doctor` looks at; each check answers with findings and raises nothing."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from watchgate.api.control import request
from watchgate.catalog import journal, targets
from watchgate.catalog.database import Catalog
from watchgate.catalog.search.index import SqliteIndex
from watchgate.clock import Clock, iso
from watchgate.errors import WatchgateError
from watchgate.identity.authority import Authority, load_key
from watchgate.indexing.catchup import unfinished
from watchgate.recording.auditors import load_recipients
from watchgate.recording.keys import EvidenceKey, EvidencePublicKey
from watchgate.session.model import Address
from watchgate.settings import Settings
from watchgate.vault.keyfile import read_private
from watchgate.vault.vault import Vault

# Nothing that this program wrote can be older.
_EARLIEST_US = 1_760_000_000_000_000
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronized
_LOW = 10
_INDEXED_DAYS = 30


class Verdict(StrEnum):
    """How bad a finding is."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    verdict: Verdict
    detail: str


Findings = Iterator[Finding]


def examine(settings: Settings, clock: Clock) -> list[Finding]:
    """Look at everything."""
    from watchgate.cli.checks_siem import (
        check_sinks,
    )  # it says its findings in words of this module

    checks: tuple[tuple[str, Callable[[], Findings]], ...] = (
        ("clock", lambda: _clock(settings, clock)),
        ("permissions", lambda: _permissions(settings)),
        ("disk", lambda: _disk(settings)),
        ("keys", lambda: _keys(settings, clock)),
        ("auditors", lambda: _auditors(settings)),
        ("catalog", lambda: _catalog(settings)),
        ("listeners", lambda: _listeners(settings)),
        ("recordings", lambda: _recordings(settings)),
        ("index", lambda: _index(settings, clock)),
        ("siem", lambda: check_sinks(settings)),
    )
    return [finding for name, check in checks for finding in _guarded(name, check)]


def _guarded(name: str, check: Callable[[], Findings]) -> list[Finding]:
    """The findings of a check; what stops it is a finding too."""
    found: list[Finding] = []
    try:
        found.extend(check())
    except WatchgateError as error:
        found.append(Finding(name, Verdict.BAD, str(error)))
    except OSError as error:
        what = error.filename or name
        found.append(Finding(name, Verdict.BAD, f"{what}: {error.strerror}"))
    return found


def _clock(settings: Settings, clock: Clock) -> Findings:
    now = clock.wall_us()
    if now < _EARLIEST_US:
        yield Finding("clock", Verdict.BAD, f"it shows {iso(now)}, which is past; set it")
        return
    with Catalog.open(settings.paths.catalog) as catalog, catalog.read() as connection:
        last = journal.entries(connection, limit=1)
    if last and last[0].at_us > now + 1_000_000:
        detail = f"it shows {iso(now)}, but the journal's last entry is of {iso(last[0].at_us)}"
        yield Finding("clock", Verdict.BAD, f"{detail}: it went back; set it")
    elif not _synchronized():
        detail = f"it shows {iso(now)}, and nothing synchronizes it; run chrony or timesyncd"
        yield Finding("clock", Verdict.WARNING, detail)
    else:
        yield Finding("clock", Verdict.GOOD, f"{iso(now)}, synchronized")


def _synchronized() -> bool:
    # With no mode set the call only reads; 208 octets is struct timex on 64-bit Linux.
    buffer = ctypes.create_string_buffer(1024)
    return bool(ctypes.CDLL(None, use_errno=True).adjtimex(buffer) != _TIME_ERROR)


def _permissions(settings: Settings) -> Findings:
    for directory in settings.paths.directories:
        state = directory.stat()
        if state.st_mode & 0o077:
            detail = f"{directory} is open to others (mode {state.st_mode & 0o777:04o})"
            yield Finding("permissions", Verdict.BAD, f"{detail}; run: chmod 700 {directory}")
        elif not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
            yield Finding("permissions", Verdict.BAD, f"{directory} is not ours to write")
        else:
            yield Finding("permissions", Verdict.GOOD, str(directory))


def _disk(settings: Settings) -> Findings:
    minimum = settings.recording.minimum_free
    for directory in dict.fromkeys((settings.paths.recordings, settings.paths.spool)):
        free = shutil.disk_usage(directory).free
        detail = f"{free >> 20} MiB free for {directory}"
        if free < minimum:
            need = f"; sessions are refused below {minimum >> 20} MiB: make room"
            yield Finding("disk", Verdict.BAD, detail + need)
        elif free < minimum * _LOW:
            yield Finding("disk", Verdict.WARNING, f"{detail}; make room soon")
        else:
            yield Finding("disk", Verdict.GOOD, detail)


def _keys(settings: Settings, clock: Clock) -> Findings:
    paths = settings.paths
    for what, path in (("the host key", paths.host_key), ("the CA key", paths.authority_key)):
        yield from _guarded(what, lambda p=path, w=what: _ssh_key(p, w))  # type: ignore[misc]
    yield from _guarded("the evidence key", lambda: _evidence_key(settings))
    yield from _guarded("the vault key", lambda: _vault_key(settings))
    Authority.open(paths.authority_key, clock)


def _ssh_key(path: Path, what: str) -> Findings:
    key = load_key(path, what)
    public = path.with_name(path.name + ".pub")
    written = public.read_bytes().split()[:2] if public.exists() else None
    if written is not None and written != key.export_public_key("openssh").split()[:2]:
        yield Finding(what, Verdict.BAD, f"{public} is not the public half of {path}")
    else:
        yield Finding(what, Verdict.GOOD, f"{path} {key.get_fingerprint()}")


def _evidence_key(settings: Settings) -> Findings:
    paths = settings.paths
    read_private(paths.evidence_key, "the evidence key")
    key = EvidenceKey.load(paths.evidence_key)
    if key.public not in EvidencePublicKey.load(paths.evidence_public):
        detail = f"{paths.evidence_public} is not the public half of {paths.evidence_key}"
        yield Finding("the evidence key", Verdict.BAD, detail)
    else:
        yield Finding("the evidence key", Verdict.GOOD, key.public.fingerprint)


def _vault_key(settings: Settings) -> Findings:
    with Catalog.open(settings.paths.catalog) as catalog, catalog.read() as connection:
        name = Vault(settings.paths.vault_key).check(connection)
    yield Finding("the vault key", Verdict.GOOD, f"{name} opens the catalog")


def _auditors(settings: Settings) -> Findings:
    paths = settings.paths
    count = len(load_recipients(paths.auditors))
    yield Finding("auditors", Verdict.GOOD, f"{count} can open recordings ({paths.auditors})")
    if paths.auditor_key.exists():
        detail = f"the private key {paths.auditor_key} lies beside the data: whoever takes this "
        detail += "machine can read every recording; move it away"
        yield Finding("auditors", Verdict.WARNING, detail)


def _catalog(settings: Settings) -> Findings:
    with Catalog.open(settings.paths.catalog) as catalog, catalog.read() as connection:
        chain = journal.verify(connection)
        known = {one.name for one in targets.list_all(connection)}
    yield Finding("catalog", Verdict.GOOD, str(settings.paths.catalog))
    if chain.intact:
        yield Finding("journal", Verdict.GOOD, f"{chain.entries} entries, intact")
    else:
        yield Finding("journal", Verdict.BAD, f"it was altered: {chain.detail}")
    for listener in settings.ssh.listeners:
        if listener.target not in known:
            detail = f"{listener.address} is bound to the target {listener.target}, which is not"
            yield Finding("listeners", Verdict.BAD, f"{detail} there; add it")


def _listeners(settings: Settings) -> Findings:
    serving = _serving(settings)
    addresses = [*settings.ssh.listen, *(bound.address for bound in settings.ssh.listeners)]
    for address in addresses:
        problem = _cannot_bind(address)
        if problem is None:
            state = "free; the gateway is not serving" if serving is None else "free"
            yield Finding("listeners", Verdict.GOOD, f"{address} is {state}")
        elif problem == errno.EADDRINUSE and serving is not None:
            yield Finding("listeners", Verdict.GOOD, f"{address} is served by pid {serving}")
        elif problem == errno.EADDRINUSE:
            detail = f"{address} is taken by another program (ss -ltnp shows which)"
            yield Finding("listeners", Verdict.BAD, detail)
        elif problem == errno.EACCES:
            detail = f"{address} needs root or the capability CAP_NET_BIND_SERVICE"
            yield Finding("listeners", Verdict.BAD, detail)
        else:
            yield Finding("listeners", Verdict.BAD, f"{address}: {os.strerror(problem)}")


def _serving(settings: Settings) -> int | None:
    """The process that serves this data directory, if one does."""
    try:
        return int(request(settings.paths.control_socket, {"do": "status"})["pid"])
    except (WatchgateError, KeyError, ValueError):
        return None


def _cannot_bind(address: Address) -> int | None:
    """The errno of why nobody could listen on *address* now; None when one could."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
            probe.listen(1)
        except socket.gaierror:
            return errno.EADDRNOTAVAIL
        except OSError as error:
            return error.errno or errno.EIO
    return None


def _recordings(settings: Settings) -> Findings:
    marks = settings.paths.recordings / "open"
    count = len(list(marks.iterdir())) if marks.exists() else 0
    if count and _serving(settings) is None:
        detail = f"{count} were left open by a crash; the next start of the gateway seals them"
        yield Finding("recordings", Verdict.WARNING, detail)
    else:
        yield Finding("recordings", Verdict.GOOD, f"{count} being written")


def _index(settings: Settings, clock: Clock) -> Findings:
    directory = settings.index.directory
    if not settings.index.enabled:
        yield Finding("index", Verdict.GOOD, "sessions are not indexed (index.enabled is false)")
        return
    with closing(SqliteIndex(directory, clock)) as index:
        files = index.files()
        since_us = clock.wall_us() - _INDEXED_DAYS * 86_400_000_000
        paths = settings.paths
        left = list(unfinished(paths.recordings, paths.spool, index, since_us=since_us))
    for file in files:
        if file.problem:
            yield Finding("index", Verdict.BAD, file.problem)
    if not left:
        octets = sum(file.octets for file in files)
        detail = f"all of the last {_INDEXED_DAYS} days, {octets >> 20} MiB in {directory}"
        yield Finding("index", Verdict.GOOD, detail)
        return
    detail = f"{len(left)} recordings of the last {_INDEXED_DAYS} days are not completely indexed"
    if broken := sum(1 for _, progress in left if progress is not None and progress.problem):
        detail += f" ({broken} of them cannot be read: run `watchgate session verify` on them)"
    advice = "; run `watchgate reindex --only index` with an auditor's key"
    yield Finding("index", Verdict.WARNING, detail + advice)
