"""The composition root: one gateway out of its parts, from its settings to its listeners.

Everything is built here and passed down; nothing below asks for a global. What must hold before a
gateway may serve (one process per data directory, the right vault key, readable keys) is checked here,
and each check that fails says what to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import secrets
import signal
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import uvloop

from watchgate import __version__
from watchgate.api.control import ControlServer
from watchgate.catalog import targets
from watchgate.catalog.change import changing
from watchgate.catalog.database import Catalog
from watchgate.catalog.feed import ProjectionFeed
from watchgate.catalog.journal import CatalogJournal
from watchgate.catalog.projection import Status
from watchgate.catalog.rules import CatalogRules
from watchgate.catalog.thread import CatalogThread
from watchgate.clock import Clock, SystemClock
from watchgate.confinement import keep_secrets
from watchgate.emulation.emulators import Emulators
from watchgate.errors import ConfigurationError, NotFound, Refused, TargetUnreachable
from watchgate.guarding import Guarding
from watchgate.identity.authentication import Authenticator
from watchgate.identity.authority import Authority, load_key
from watchgate.identity.authorization import Choice, GrantAuthorizer
from watchgate.identity.passwords import Passwords
from watchgate.identity.throttle import Throttle
from watchgate.policy.readings import readings
from watchgate.protocols.ssh.gate import Listener, SshGate
from watchgate.protocols.ssh.services import SshServices, SshSettings
from watchgate.recording.auditors import load_recipients
from watchgate.recording.format import RecordingHeader
from watchgate.recording.keys import EvidenceKey
from watchgate.recording.limits import Limits
from watchgate.recording.scan import LogicalFile, read_preamble
from watchgate.recording.store import RecordingStore
from watchgate.recording.sweep import Outcome, sweep
from watchgate.session.control import Sessions
from watchgate.session.events import Event, GatewayStarted, GatewayStopped
from watchgate.session.model import Address, Claim, Ending, EndReason, Operator, Target
from watchgate.session.ports import Services
from watchgate.settings import Settings
from watchgate.spectators import Alarm, Spectators
from watchgate.vault.vault import CatalogVault, Vault

log = logging.getLogger(__name__)


class Gateway:
    """A serving gateway; an async context manager. `ports` are those that the listeners got."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.sessions = Sessions()
        self._clock = clock or SystemClock()
        self._stack = AsyncExitStack()
        self._gate: SshGate | None = None

    @property
    def ports(self) -> list[int]:
        """The ports of the SSH listeners, in the order of the settings."""
        return self._gate.ports if self._gate else []

    async def __aenter__(self) -> Gateway:
        await self._stack.__aenter__()
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.drain()
        await self._stack.aclose()

    async def drain(self) -> None:
        """Accept no more, and end what is open in order, within `sessions.shutdown_grace`."""
        if self._gate is None:
            return
        self._gate.stop_listening()
        self.sessions.end_all(Ending(EndReason.SHUTDOWN, "the gateway is stopping"))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.settings.sessions.shutdown_grace):
                await self.sessions.over()

    async def _start(self) -> None:
        paths = self.settings.paths
        if not paths.catalog.exists():
            raise ConfigurationError(
                f"{paths.root} is not a data directory of Watchgate; make one with 'watchgate init'",
                code="data.missing",
            )
        self._stack.enter_context(_locked(paths.lock))
        catalog = self._stack.enter_context(contextlib.closing(Catalog.open(paths.catalog)))
        thread = self._stack.enter_context(contextlib.closing(CatalogThread(catalog)))
        vault = Vault(paths.vault_key)
        await thread.read(vault.check)
        journal = CatalogJournal(thread, self._clock)
        evidence = EvidenceKey.load(paths.evidence_key)
        spectators = Spectators(self.settings, catalog, self._clock, _alarm(journal))
        # What follows may wait for a disk or a SIEM, so it is begun and ended beside the loop.
        self._stack.push_async_callback(asyncio.to_thread, spectators.__exit__)
        await asyncio.to_thread(spectators.start_feeding)
        await self._recover(evidence, spectators.feed, journal)
        await asyncio.to_thread(spectators.start_indexing)
        store = self._store(evidence, spectators, journal)
        store.start()
        self._stack.push_async_callback(asyncio.to_thread, store.stop)
        authenticator = self._authenticator(thread, vault)
        self._stack.callback(authenticator.close)
        self._guarding = await self._stack.enter_async_context(
            Guarding(
                thread,
                self._clock,
                journal,
                self.sessions,
                authenticator,
                wait=self.settings.approvals.wait,
            )
        )
        services = self._services(thread, vault, journal, store)
        emulators = Emulators()
        self._stack.push_async_callback(asyncio.to_thread, emulators.stop)
        ssh = self._ssh(thread, catalog, authenticator, emulators)
        gate = SshGate(services, ssh, self.sessions, self._listeners())
        self._gate = await self._stack.enter_async_context(gate)
        await self._stack.enter_async_context(ControlServer(paths.control_socket, self._control))
        await journal.note(
            GatewayStarted(__version__, [str(one.address) for one in self._listeners()])
        )
        self._stack.push_async_callback(journal.note, GatewayStopped("stopped in order"))

    # --- evidence ------------------------------------------------------------------------------

    async def _recover(
        self, evidence: EvidenceKey, feed: ProjectionFeed, journal: CatalogJournal
    ) -> None:
        """Seal what a crash left open, before anything new is recorded."""
        paths = self.settings.paths
        swept = await asyncio.to_thread(sweep, paths.recordings, paths.spool, evidence, self._clock)
        for found in swept:
            if found.outcome is not Outcome.SEALED:
                continue
            header = await asyncio.to_thread(_header, found.path)
            feed.put(header.request(), (), Status.RECOVERED)
            await journal.note(found.event(), found.session)

    def _store(
        self, evidence: EvidenceKey, spectators: Spectators, journal: CatalogJournal
    ) -> RecordingStore:
        settings = self.settings
        recording = settings.recording
        alarm = _alarm(journal)
        return RecordingStore(
            recording.directory,
            recording.spool_directory,
            evidence=evidence,
            recipients=load_recipients(settings.evidence.auditors),
            clock=self._clock,
            random=secrets.token_bytes,
            node=settings.server.node,
            limits=Limits(
                interval=recording.sync_interval,
                waiting=recording.waiting_limit,
                minimum_free=recording.minimum_free,
                spool=recording.spool_limit,
            ),
            on_events=spectators.feed.put,
            on_alarm=lambda event, request: alarm(event, request.session),
            on_open=spectators.on_open,
            handover=spectators.handover,
        )

    # --- services ------------------------------------------------------------------------------

    def _services(
        self,
        thread: CatalogThread,
        vault: Vault,
        journal: CatalogJournal,
        store: RecordingStore,
    ) -> Services:
        self._authorizer = GrantAuthorizer(
            thread, self._clock, max_per_operator=self.settings.sessions.max_per_operator
        )
        return Services(
            clock=self._clock,
            random=secrets.token_bytes,
            authorizer=self._authorizer,
            recordings=store,
            vault=CatalogVault(vault, thread),
            journal=journal,
            version=__version__,
            rules=CatalogRules(thread),
            approvals=self._guarding.approvals,
            locks=self._guarding.locks,
            read=readings,
        )

    def _authenticator(self, thread: CatalogThread, vault: Vault) -> Authenticator:
        settings = self.settings.authentication
        return Authenticator(
            thread,
            vault,
            self._clock,
            combinations=settings.combinations,
            passwords=Passwords(),
            throttle=Throttle(self._clock),
            authorities=_authorities(settings.trusted_user_cas),
        )

    def _ssh(
        self,
        thread: CatalogThread,
        catalog: Catalog,
        authenticator: Authenticator,
        emulators: Emulators,
    ) -> SshServices:
        paths, settings = self.settings.paths, self.settings

        async def pin(target: Target, line: str) -> None:
            def work() -> None:
                with changing(catalog, self._clock, "gateway") as change:
                    if targets.trust_first(change, target.id, line):
                        return
                    pinned = targets.get(change.connection, target.name).host_keys
                if all(known.split()[:2] != line.split()[:2] for known in pinned):
                    raise TargetUnreachable(
                        f"{target.name} cannot be reached: it showed two different host keys "
                        "to two first sessions at once; ask the administrator",
                        code="target.host-key",
                    )

            await asyncio.to_thread(work)

        return SshServices(
            authenticator=authenticator,
            authority=Authority.open(paths.authority_key, self._clock),
            directory=_Directory(thread, self._authorizer, self._guarding),
            pin=pin,
            host_keys=(load_key(paths.host_key, "the host key"),),
            settings=SshSettings(
                login_timeout=settings.ssh.login_timeout,
                max_unauthenticated=settings.ssh.max_unauthenticated,
                max_unauthenticated_per_source=settings.ssh.max_unauthenticated_per_source,
                keepalive_interval=settings.ssh.keepalive_interval,
                keepalive_count=settings.ssh.keepalive_count,
                rekey_octets=settings.ssh.rekey_octets,
                window=settings.ssh.window,
                banner=settings.ssh.banner,
            ),
            emulators=emulators,
        )

    def _listeners(self) -> list[Listener]:
        ssh = self.settings.ssh
        return [
            *(Listener(address) for address in ssh.listen),
            *(Listener(bound.address, bound.target) for bound in ssh.listeners),
        ]

    # --- control -------------------------------------------------------------------------------

    async def _control(self, message: dict[str, Any]) -> dict[str, Any]:
        """Answer a question of another process (see api.control)."""
        answer = await self._guarding.control(message)
        if answer is not None:
            return answer
        match message:
            case {"do": "status"}:
                return {
                    "pid": os.getpid(),
                    "version": __version__,
                    "ports": self.ports,
                    "sessions": [_described(session) for session in self.sessions.all()],
                }
            case {"do": "terminate", "session": str(name), "by": str(by), "reason": str(reason)}:
                session = self.sessions.find(name)
                session.terminate(by, reason)
                return {"session": session.id}
            case _:
                raise Refused(f"the gateway does not know how to do {message.get('do')!r}")


class _Directory:
    """What SSH asks of the catalog (see protocols.ssh.services.Directory)."""

    def __init__(
        self, thread: CatalogThread, authorizer: GrantAuthorizer, guarding: Guarding
    ) -> None:
        self._thread = thread
        self._authorizer = authorizer
        self._guarding = guarding

    async def find(self, host: str, port: int | None) -> str | None:
        try:
            return (await self._thread.read(targets.find_target, host, port)).name
        except (NotFound, Refused, ConfigurationError):
            return None

    async def manages(self, host: str, port: int) -> bool:
        return bool(await self._thread.read(targets.candidates, str(Address(host, port))))

    async def choices(self, operator: Operator, claim: Claim) -> Sequence[Choice]:
        return await self._authorizer.choices(operator, claim)

    async def answer(self, operator: Operator, line: str) -> Sequence[str] | None:
        return await self._guarding.answer_over_ssh(operator, line)


def _header(path: Path) -> RecordingHeader:
    with LogicalFile(path, None) as file:
        return read_preamble(file).header


def _described(session: Any) -> dict[str, Any]:
    route = session.route
    return {
        "id": session.id,
        "operator": route.operator.name,
        "account": route.account.name,
        "target": route.target.name,
        "client": session.client,
        "started_at_us": session.started_at_us,
    }


def _alarm(journal: CatalogJournal) -> Alarm:
    """Lets any thread put an event into the journal, without waiting for it."""
    loop = asyncio.get_running_loop()

    def alarm(event: Event, session: str) -> None:
        asyncio.run_coroutine_threadsafe(journal.note(event, session), loop)

    return alarm


def _authorities(path: Path | None) -> list[str]:
    """The CA lines of `authentication.trusted_user_cas`; comments and blank lines are skipped."""
    if path is None:
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path} (authentication.trusted_user_cas) cannot be read: {error}"
        ) from error
    return [line for line in map(str.strip, lines) if line and not line.startswith("#")]


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the data directory for this process alone."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 20).decode("ascii", "replace").strip() or "unknown"
            raise ConfigurationError(
                f"another gateway (pid {holder}) serves {path.parent.parent}; stop it first",
                code="data.locked",
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)


async def _until_told(gateway: Gateway) -> None:
    """Wait for SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    try:
        await told.wait()
        log.info("stopping: %d sessions are open", len(gateway.sessions))
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _serve(settings: Settings) -> None:
    async with Gateway(settings) as gateway:
        for listener, port in zip(settings.ssh.listen, gateway.ports, strict=False):
            log.info("serving SSH on %s port %d", listener.host or "all addresses", port)
        await _until_told(gateway)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; raises WatchgateError when it cannot begin."""
    keep_secrets()
    uvloop.run(_serve(settings))
