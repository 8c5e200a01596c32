"""The SSH listeners: accepted connections, their limits, and their lives in one task group."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from dataclasses import dataclass

import asyncssh

from watchgate.errors import ConfigurationError
from watchgate.protocols.ssh.bounds import PACKET_OCTETS
from watchgate.protocols.ssh.front import Front, Jump
from watchgate.protocols.ssh.login import Login
from watchgate.protocols.ssh.reach import CIPHERS
from watchgate.protocols.ssh.seams import GateServerConnection
from watchgate.protocols.ssh.services import SshServices
from watchgate.session.control import Sessions
from watchgate.session.model import Address
from watchgate.session.ports import Services

log = logging.getLogger(__name__)

BACKLOG = 512
CERTIFIED_NAMES = 1024
"""Host certificates that are kept made; the oldest is dropped."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Where SSH is served; *target* binds every connection to one target."""

    address: Address
    target: str | None = None


class SshGate:
    """Serves SSH until it is left; an async context manager."""

    def __init__(
        self, services: Services, ssh: SshServices, sessions: Sessions, listeners: list[Listener]
    ) -> None:
        self.services = services
        self.ssh = ssh
        self.sessions = sessions
        self.ports: list[int] = []
        self._listeners = listeners
        self._servers: list[asyncio.AbstractServer] = []
        self._group = asyncio.TaskGroup()
        self._fronts: set[Front] = set()
        self._strangers: dict[Front, str] = {}
        self._per_source: Counter[str] = Counter()
        self._options: dict[str, asyncssh.SSHServerConnectionOptions] = {}

    async def __aenter__(self) -> SshGate:
        self._options[""] = await self._make_options(list(self.ssh.host_keys))
        await self._group.__aenter__()
        try:
            for listener in self._listeners:
                await self._listen(listener)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.stop_listening()
        for front in list(self._fronts):
            front.connection.abort()
        await self._group.__aexit__(None, None, None)

    def stop_listening(self) -> None:
        """Accept no more connections; those that are there go on."""
        for server in self._servers:
            server.close()
        self._servers.clear()

    async def _listen(self, listener: Listener) -> None:
        loop = asyncio.get_running_loop()
        host, port = listener.address.host, listener.address.port
        try:
            server = await loop.create_server(
                lambda: self._connection(self._options[""], Front(self, listener.target)),
                host or None,
                port,
                backlog=BACKLOG,
            )
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen on {listener.address}: {error.strerror}; "
                "is another server there, or does the port need more rights? (setting ssh.listen)"
            ) from error
        self._servers.append(server)
        self.ports.append(server.sockets[0].getsockname()[1])

    def _connection(
        self, options: asyncssh.SSHServerConnectionOptions, front: Front
    ) -> GateServerConnection:
        return GateServerConnection(asyncio.get_running_loop(), options, lambda: front)

    async def inner(self, jump: Jump, host: str) -> GateServerConnection:
        """The server side of a jump's inner connection, with a host key for *host*."""
        names = sorted({host, jump.target})
        options = self._options.get("\n".join(names))
        if options is None:
            options = await self._make_options(
                [(key, self._certificate(key, names)) for key in self.ssh.host_keys]
            )
            if len(self._options) > CERTIFIED_NAMES:
                del self._options[next(name for name in self._options if name)]
            self._options["\n".join(names)] = options
        return self._connection(options, Front(self, jump=jump))

    def _certificate(self, key: asyncssh.SSHKey, names: list[str]) -> asyncssh.SSHCertificate:
        return self.ssh.authority.host_certificate(key, names).certificate

    async def _make_options(self, host_keys: list[object]) -> asyncssh.SSHServerConnectionOptions:
        settings = self.ssh.settings
        options: asyncssh.SSHServerConnectionOptions = (
            await asyncssh.SSHServerConnectionOptions.construct(
                config=None,
                server_host_keys=host_keys,
                server_version="Watchgate",
                encryption_algs=list(CIPHERS),
                compression_algs=["none"],
                login_timeout=settings.login_timeout,
                keepalive_interval=settings.keepalive_interval,
                keepalive_count_max=settings.keepalive_count,
                gss_host=None,
                gss_auth=False,
                gss_kex=False,
                x11_forwarding=False,
                agent_forwarding=False,
                line_editor=False,
                encoding=None,
                rekey_bytes=settings.rekey_octets,
                window=settings.window,
                max_pktsize=PACKET_OCTETS,
            )
        )
        return options

    # --- connections ---------------------------------------------------------------------------

    def arrived(self, front: Front, source: str) -> bool:
        """A connection was made: whether it may stay."""
        settings = self.ssh.settings
        if front.is_inner:
            self._begin(front)
            return True
        if (
            len(self._strangers) >= settings.max_unauthenticated
            or self._per_source[source] >= settings.max_unauthenticated_per_source
            or not self.ssh.authenticator.source_may_connect(Address(source, 0))
        ):
            log.info("a connection from %s was closed: too many that are not authenticated", source)
            return False
        self._strangers[front] = source
        self._per_source[source] += 1
        self._begin(front)
        return True

    def _begin(self, front: Front) -> None:
        self._fronts.add(front)
        self._group.create_task(self._live(front))

    def authenticated(self, front: Front) -> None:
        """A connection's login is over, one way or the other."""
        source = self._strangers.pop(front, None)
        if source is not None:
            self._per_source[source] -= 1
            if not self._per_source[source]:
                del self._per_source[source]

    def left(self, login: Login) -> None:
        """A connection is gone: a login that failed is noted in the journal."""
        refused = login.abandon()
        if refused is not None:
            with contextlib.suppress(RuntimeError):  # the group is closing: the gateway stops
                self._group.create_task(self.services.journal.note(refused))

    async def _live(self, front: Front) -> None:
        try:
            await front.live()
        except Exception:
            log.exception("a connection failed for a reason of ours")
        finally:
            self._fronts.discard(front)
            if not front.lost.is_set():
                front.connection.close()
