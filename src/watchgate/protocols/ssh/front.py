"""A client's SSH connection: its login, what it names, and the sessions that begin on it.

Four ways lead to a session (design: addressing): the user name carries the target; a listener is bound
to one; the menu offers those that are granted; or a jump (`ssh -J`) asks for one, and then a second
SSH connection, to which this same class is the server, ends inside the first. That inner connection
needs no login of its own: the outer one is the proof.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import asyncssh
from asyncssh.public_key import SSHOpenSSHCertificate

from watchgate.errors import Refused
from watchgate.protocols.ssh.address import Destination, parse, parse_jump
from watchgate.protocols.ssh.choosing import Choosing
from watchgate.protocols.ssh.engine import SshEngine
from watchgate.protocols.ssh.forwarding import End
from watchgate.protocols.ssh.login import Login
from watchgate.protocols.ssh.seams import GateServerConnection
from watchgate.protocols.ssh.sides import ClientSide
from watchgate.session.lifecycle import Proof, run_session
from watchgate.session.model import Address, Claim

if TYPE_CHECKING:
    from watchgate.protocols.ssh.gate import SshGate

log = logging.getLogger(__name__)

MENU_CHANNELS = 16
JUMPS = 256
"""Channels of one connection that may show the menu at once, and jumps that may begin on it."""


@dataclass(frozen=True, slots=True)
class Jump:
    """What an inner connection knows from the outer one."""

    proof: Proof
    outer: Destination
    target: str
    client: Address
    carrier: Front
    """The outer connection."""


class Front(asyncssh.SSHServer):
    """asyncssh's callbacks for one client connection."""

    connection: GateServerConnection

    def __init__(self, gate: SshGate, bound: str | None = None, jump: Jump | None = None) -> None:
        self._gate = gate
        self._bound = bound
        self._jump = jump
        self._destination = Destination("")
        self._engine: SshEngine | None = None
        self._early: list[ClientSide] = []
        self._menus = 0
        self.jumps: set[Front] = set()
        """The inner connections that are open."""
        self._group: asyncio.TaskGroup | None = None
        self._source = Address("", 0)
        self._login: Login | None = None
        self._entered = asyncio.Event()
        self._settled = asyncio.Event()
        self.lost = asyncio.Event()

    # --- the connection ------------------------------------------------------------------------

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        assert isinstance(conn, GateServerConnection)
        self.connection = conn
        if self._jump is not None:
            self._source = self._jump.client
            self._jump.carrier.jumps.add(self)
        else:
            self._source = _address(conn.get_extra_info("peername"))
            self._login = Login(self._gate.ssh.authenticator, self._source)
        if not self._gate.arrived(self, self._source.host):
            self.lost.set()
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()
        if self._jump is not None:
            self._jump.carrier.jumps.discard(self)
        self._entered.set()
        self._settled.set()
        self._gate.authenticated(self)
        if self._login is not None:
            self._gate.left(self._login)

    def disconnect(self, reason: str) -> None:
        """Close the connection with a reason that the client shows."""
        self.connection.disconnect(asyncssh.DISC_BY_APPLICATION, f"watchgate: {reason}"[:250])

    @property
    def is_inner(self) -> bool:
        """Whether it came through a jump: the outer connection was counted and proven."""
        return self._jump is not None

    async def live(self) -> None:
        """The connection's life, from its login to the end of its last session."""
        try:
            proof = await self._proven()
        except Refused:
            return
        if self._claim_target() is not None:
            await self._one_session(proof)
        else:
            await self._many_sessions(proof)

    async def _proven(self) -> Proof:
        if self._login is not None:
            return await self._login.proof
        assert self._jump is not None
        await self._entered.wait()
        if self.lost.is_set():
            raise Refused("the client left before its inner connection was made")
        return self._jump.proof

    # --- login ---------------------------------------------------------------------------------

    async def begin_auth(self, username: str) -> bool:
        if self._jump is not None:
            self._destination = parse_jump(username, self._jump.outer)
            return False
        self._destination = parse(username)
        assert self._login is not None
        await self._login.begin(self._destination.operator)
        if self._gate.ssh.settings.banner:
            self.connection.send_auth_banner(self._gate.ssh.settings.banner.rstrip("\n") + "\n")
        return True

    def auth_completed(self) -> None:
        self._gate.authenticated(self)
        self._entered.set()

    async def method_proven(self, method: str) -> bool | None:
        """asyncssh verified a method's proof (see seams): done, more to come, or refused."""
        assert self._login is not None
        verdict = await self._login.proven(method)
        self._stop_guessing()
        return verdict

    def public_key_auth_supported(self) -> bool:
        return self._login is not None and self._login.offers("publickey")

    def password_auth_supported(self) -> bool:
        return self._login is not None and self._login.offers("password")

    def kbdint_auth_supported(self) -> bool:
        return self._login is not None and self._login.offers("keyboard-interactive")

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        assert self._login is not None
        known = await self._login.key_offered(key)
        self._stop_guessing()
        return known

    def validate_ca_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return self._login is not None and self._login.authority_offered(key)

    def certificate_offered(self, certificate: SSHOpenSSHCertificate) -> str | None:
        """A certificate is looked at (see seams): the principal that it must name; None refuses it."""
        if self._login is None or not self._login.certificate_offered(certificate):
            return None
        return self._destination.operator

    async def validate_password(self, username: str, password: str) -> bool:
        assert self._login is not None
        right = await self._login.password(password)
        self._stop_guessing()
        return right

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> Any:
        assert self._login is not None
        return self._login.challenge()

    async def validate_kbdint_response(self, username: str, responses: Sequence[str]) -> Any:
        assert self._login is not None
        challenge = await self._login.respond(list(responses))
        self._stop_guessing()
        return challenge

    def _stop_guessing(self) -> None:
        if self._login is not None and self._login.exhausted:
            self.connection.disconnect(
                asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, "too many authentication failures"
            )

    # --- sessions ------------------------------------------------------------------------------

    def _claim_target(self) -> str | None:
        if self._jump is not None:
            return self._jump.target
        return self._destination.target or self._bound

    def _claim(self, account: str | None, target: str | None, via: str) -> Claim:
        return Claim(
            protocol="ssh",
            operator=self._destination.operator,
            account=account,
            target=target,
            client=self._source,
            gateway=_address(self.connection.get_extra_info("sockname")),
            via=via,
        )

    async def _one_session(self, proof: Proof) -> None:
        via = "jump" if self._jump else "name" if self._destination.target else "listener"
        claim = self._claim(self._destination.account, self._claim_target(), via)
        self._engine = SshEngine(self, claim, proof, self._gate.ssh, self._gate.services.clock)
        self._settled.set()
        for client in self._early:
            self._engine.adopt(client)
        self._early.clear()
        await run_session(self._engine, self._gate.services, self._gate.sessions)

    async def _many_sessions(self, proof: Proof) -> None:
        """Every channel shows the menu; every jump is a connection of its own."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._settled.set()
            for client in self._early:
                self._choose(client)
            self._early.clear()
            await self.lost.wait()
            self._group = None

    def _choose(self, client: ClientSide) -> None:
        assert self._group is not None
        self._group.create_task(self._chosen(client))

    async def _chosen(self, client: ClientSide) -> None:
        proof = await self._proven()
        claim = self._claim(None, None, "menu")
        choosing = Choosing(client, proof.operator, self._gate.ssh.directory, claim)
        self._menus += 1
        try:
            choice = await choosing.run()
        finally:
            self._menus -= 1
        if choice is None:
            return
        claim = replace(claim, account=choice.account, target=choice.target)
        engine = SshEngine(
            self,
            claim,
            proof,
            self._gate.ssh,
            self._gate.services.clock,
            only=client,
            said=choosing.said,
        )
        await run_session(engine, self._gate.services, self._gate.sessions)

    # --- channels ------------------------------------------------------------------------------

    def session_requested(self) -> ClientSide | bool:
        full = (
            self._engine.full if self._engine else len(self._early) + self._menus >= MENU_CHANNELS
        )
        return False if full else ClientSide(self._arrived)

    def _arrived(self, client: ClientSide) -> None:
        if self._engine is not None:
            self._engine.adopt(client)
        elif self._group is not None:
            self._choose(client)
        else:
            self._early.append(client)

    def connection_requested(
        self, dest_host: str, dest_port: int, orig_host: str, orig_port: int
    ) -> Any:
        return self._connect(dest_host, dest_port, str(Address(orig_host, orig_port)))

    async def _connect(self, host: str, port: int, origin: str) -> End | GateServerConnection:
        """A connection that the client asks for: a forwarding in a session, or a jump to begin one."""
        await self._settled.wait()
        if self._engine is not None:
            return await self._engine.forwards.local(host, port, origin)
        if len(self.jumps) >= JUMPS:
            raise _refused(f"more than {JUMPS} jumps at once")
        proof = await self._proven()
        target = await self._gate.ssh.directory.find(host, port)
        # An unknown or ambiguous destination keeps the name that it was asked by: the inner login
        # refuses it with the same words as a target that is not granted, so nobody learns what there is.
        return await self._gate.inner(
            Jump(proof, self._destination, target or host, self._source, self), host
        )

    async def server_requested(self, listen_host: str, listen_port: int) -> Any:
        await self._settled.wait()
        if self._engine is None:
            return False
        try:
            return await self._engine.forwards.remote(listen_host, listen_port)
        except (asyncssh.Error, OSError) as error:
            log.info("a remote forwarding was refused: %s", error)
            return False

    def unix_connection_requested(self, dest_path: str) -> Any:
        raise _refused("forwarding to socket files is refused")


def _refused(reason: str) -> asyncssh.ChannelOpenError:
    return asyncssh.ChannelOpenError(
        asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, f"watchgate: {reason}"
    )


def _address(name: Any) -> Address:
    return Address(str(name[0]), int(name[1])) if name else Address("unknown", 0)
