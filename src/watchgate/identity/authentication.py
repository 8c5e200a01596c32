"""How an operator proves who he is, whatever protocol carries it.

An `Attempt` is one connection's way through a combination of methods. Names that nobody bears, disabled
operators and operators without a password get an attempt that offers the same methods, costs the same
argon2 verification and never succeeds. So that an operator's own combinations do not give his name away,
everybody is first offered whatever anybody may begin with.

A key can be asked about before it proves anything (RFC 4252 §7); `knows_key` answers that and changes
nothing. The tables of the throttle belong to the event loop; argon2 runs in two threads, which bounds its
memory. What waits for them is bounded by the ceiling on connections that are not authenticated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import asyncssh
from sqlalchemy import Connection, select, update

from watchgate.catalog import names
from watchgate.catalog.schema import operator, operator_group, operator_key
from watchgate.catalog.thread import CatalogThread
from watchgate.clock import Clock
from watchgate.errors import ConfigurationError
from watchgate.identity import totp
from watchgate.identity.combinations import Combinations, Method
from watchgate.identity.passwords import Passwords
from watchgate.identity.publickeys import fingerprint
from watchgate.identity.throttle import Throttle
from watchgate.secret import Secret
from watchgate.session.events import OperatorAuthenticated, OperatorRefused
from watchgate.session.model import Address, Operator
from watchgate.session.ports import Step
from watchgate.vault.vault import TOTP, Vault

T = TypeVar("T")

ARGON2_AT_ONCE = 2
LONGEST_NAME = 256
"""A name from the wire that is longer is cut before it is looked up, kept or counted."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What the catalog says of a name, read once for an attempt."""

    operator: Operator
    fingerprints: frozenset[str]
    password_hash: str | None
    totp_last_step: int
    combinations: Combinations | None


class Authenticator:
    """Begins attempts; one for a process."""

    def __init__(
        self,
        catalog: CatalogThread,
        vault: Vault,
        clock: Clock,
        *,
        combinations: Sequence[str],
        passwords: Passwords,
        throttle: Throttle,
        authorities: Sequence[str] = (),
    ) -> None:
        """*authorities* are the OpenSSH lines of the CAs whose user certificates are trusted."""
        self.clock = clock
        self.throttle = throttle
        self._catalog = catalog
        self._vault = vault
        self._passwords = passwords
        self._combinations = Combinations.parse(combinations)
        self._authorities = frozenset(_authority(line) for line in authorities)
        self._argon2 = ThreadPoolExecutor(ARGON2_AT_ONCE, "argon2")

    def source_may_connect(self, source: Address) -> bool:
        """Count a connection; False when its network makes too many."""
        return self.throttle.source_may_connect(source.host)

    def trusts_authority(self, public_key: bytes) -> bool:
        """Whether certificates signed by this key (wire form) are trusted."""
        return fingerprint(public_key) in self._authorities

    async def begin(self, name: str, source: Address) -> Attempt:
        """A fresh attempt in that name, which need not be anybody's."""
        name = name[:LONGEST_NAME]
        known, refusal, beginnings = await self._catalog.read(_look_up, name)
        offered = self._combinations.next(())
        for combinations in beginnings:
            offered |= combinations.next(())
        return Attempt(self, name, source, known, refusal, offered, self._combinations)

    async def verify_password(self, stored: str | None, password: Secret) -> bool:
        """Verify in one of the two threads; None costs as much as a hash."""
        return await self._threaded(lambda: self._passwords.verify(stored, password))

    async def renew_hash(self, operator_id: str, stored: str, password: Secret) -> None:
        """Hash a password anew when the cost has changed since."""
        if not self._passwords.outdated(stored):
            return
        renewed = await self._threaded(lambda: self._passwords.hash(password))
        # Only over the hash that was verified: an administrator may have set another password.
        await self._catalog.write(_replace_hash, operator_id, stored, renewed)

    async def use_code(self, known_id: str | None, code: str, used: int) -> bool:
        """Whether this is a code of the operator, right now, for the first time."""
        # Asked for nobody too: a name must not be told by the time of a question.
        key = await self._catalog.read(self._vault.fetch, TOTP, known_id or "")
        octets = bytes(totp.SECRET_OCTETS) if key is None else key.reveal()
        step = totp.matching_step(octets, code, self.clock.wall_us(), used)
        if known_id is None or key is None or step is None:
            return False
        return await self._catalog.write(totp.use_step, known_id, step)

    async def _threaded(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._argon2, work)

    def close(self) -> None:
        """Stop the threads."""
        self._argon2.shutdown()


class Attempt:
    """One connection's attempt to log in; its methods are called one after the other."""

    def __init__(
        self,
        authenticator: Authenticator,
        name: str,
        source: Address,
        known: _Known | None,
        refusal: str,
        offered: frozenset[Method],
        combinations: Combinations,
    ) -> None:
        self.name = name
        self.source = source
        self.operator: Operator | None = None
        """Who it is, once a step was ACCEPTED."""
        self.key: str | None = None
        """The fingerprint of the key that proved it, where one did."""
        self.attempts = 0
        """How many proofs were refused."""
        self.reason = refusal or "nothing was proven"
        """Why the last proof was refused, for the auditor; the client hears none of it."""
        self._gate = authenticator
        self._known = known
        self._refusal = refusal
        self._offered = offered
        self._combinations = combinations
        if known is not None and known.combinations is not None:
            self._combinations = known.combinations
        self._done: tuple[Method, ...] = ()

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that were right so far, in their order."""
        return tuple(str(method) for method in self._done)

    def open_methods(self) -> frozenset[str]:
        """What may come next; before the first right proof the same for every name."""
        if self.operator is not None:
            return frozenset()
        following = self._combinations.next(self._done) if self._done else self._offered
        return frozenset(str(method) for method in following)

    async def knows_key(self, public_key: bytes) -> bool:
        """Whether this key (wire form) would count now; proves and changes nothing."""
        return self._may(Method.PUBLICKEY) and self._holds(public_key)

    async def public_key(self, public_key: bytes) -> Step:
        """The client has proven that it holds this key."""
        mark = fingerprint(public_key)
        if self._known is None or not self._may(Method.PUBLICKEY):
            return self._refuse(self._refusal or "publickey is not asked for now")
        if not self._holds(public_key):
            return self._refuse(f"the key {mark} is not his")
        self.key = mark
        return self._right(Method.PUBLICKEY)

    async def certificate(
        self, key_id: str, principals: Sequence[str], authority: bytes, public_key: bytes
    ) -> Step:
        """The client has proven a certificate whose signature, time and addresses were checked.

        *authority* and *public_key* are the CA's key and the certified key in wire form. A certificate
        must name the operator: one without principals, which OpenSSH takes for everybody's, is refused.
        """
        if self._known is None or not self._may(Method.PUBLICKEY):
            return self._refuse(self._refusal or "publickey is not asked for now")
        if not self._gate.trusts_authority(authority):
            return self._refuse(f"the CA {fingerprint(authority)} is not trusted")
        if self._known.operator.name not in principals:
            return self._refuse(f"the certificate {key_id!r} does not name him")
        self.key = fingerprint(public_key)
        return self._right(Method.PUBLICKEY)

    async def password(self, password: Secret) -> Step:
        """The client sent a password."""
        if not self._admitted(Method.PASSWORD):
            return Step.REFUSED
        stored = None
        if self._known is not None and self._may(Method.PASSWORD):
            stored = self._known.password_hash
        right = await self._gate.verify_password(stored, password)
        if not right or stored is None or self._known is None:
            return self._refuse(self._refusal or "the password is wrong")
        await self._gate.renew_hash(self._known.operator.id, stored, password)
        self._gate.throttle.right(self._folded, self.source.host)
        return self._right(Method.PASSWORD)

    async def totp(self, code: str) -> Step:
        """The client sent a one-time code."""
        if not self._admitted(Method.TOTP):
            return Step.REFUSED
        known_id, used = None, 0
        if self._known is not None and self._may(Method.TOTP):
            known_id, used = self._known.operator.id, self._known.totp_last_step
        if not await self._gate.use_code(known_id, code, used):
            return self._refuse(self._refusal or "the code is wrong, too old, or was used")
        self._gate.throttle.right(self._folded, self.source.host)
        return self._right(Method.TOTP)

    def authenticated(self) -> OperatorAuthenticated:
        """The event of a complete login."""
        if self.operator is None:
            raise RuntimeError("authenticated() before a step was accepted")
        return OperatorAuthenticated(self.operator.name, list(self.methods), self.key)

    def refused(self) -> OperatorRefused:
        """The event of an attempt that came to nothing."""
        return OperatorRefused(self.name, str(self.source), self.reason, self.attempts)

    # --- inside ----------------------------------------------------------------------------------

    @property
    def _folded(self) -> str:
        return names.fold(self.name)

    def _may(self, method: Method) -> bool:
        return self.operator is None and method in self._combinations.next(self._done)

    def _holds(self, public_key: bytes) -> bool:
        return self._known is not None and fingerprint(public_key) in self._known.fingerprints

    def _admitted(self, method: Method) -> bool:
        """Whether a guess is looked at; decided without knowing whether the name is anybody's."""
        if str(method) not in self.open_methods():
            self._refuse(f"{method} is not asked for now")
            return False
        if not self._gate.throttle.admits(self._folded, self.source.host):
            self._refuse("too many guesses; they are not looked at for a while")
            return False
        return True

    def _right(self, method: Method) -> Step:
        self._done = (*self._done, method)
        if self._known is None or not self._combinations.complete(self._done):
            return Step.PARTIAL
        self.operator = self._known.operator
        if {Method.PASSWORD, Method.TOTP} & set(self._done):
            self._gate.throttle.logged_in(self._folded, self.source.host)
        return Step.ACCEPTED

    def _refuse(self, reason: str) -> Step:
        self.attempts += 1
        self.reason = reason
        return Step.REFUSED


def _look_up(
    connection: Connection, name: str
) -> tuple[_Known | None, str, tuple[Combinations, ...]]:
    """Who bears the name, else why nobody may use it, and the combinations of anybody's own."""
    own = connection.scalars(
        select(operator.c.combinations).where(operator.c.combinations.is_not(None)).distinct()
    )
    beginnings = tuple(Combinations.parse(texts) for texts in own)
    row = connection.execute(
        select(operator).where(operator.c.folded == names.fold(name))
    ).one_or_none()
    # The same queries for a name that nobody bears: it must not be told by its speed.
    identifier = "" if row is None else row.id
    marks = connection.scalars(
        select(operator_key.c.fingerprint).where(operator_key.c.operator_id == identifier)
    ).all()
    groups = connection.scalars(
        select(operator_group.c.name).where(operator_group.c.operator_id == identifier)
    ).all()
    if row is None:
        return None, "there is no such operator", beginnings
    if row.disabled_at_us is not None:
        return None, "the operator is disabled", beginnings
    known = _Known(
        operator=Operator(row.id, row.name, frozenset(row.roles), frozenset(groups)),
        fingerprints=frozenset(marks),
        password_hash=row.password_hash,
        totp_last_step=row.totp_last_step,
        combinations=None if row.combinations is None else Combinations.parse(row.combinations),
    )
    return known, "", beginnings


def _replace_hash(connection: Connection, operator_id: str, stored: str, renewed: str) -> None:
    connection.execute(
        update(operator)
        .where(operator.c.id == operator_id, operator.c.password_hash == stored)
        .values(password_hash=renewed)
    )


def _authority(line: str) -> str:
    try:
        key = asyncssh.import_public_key(line.strip())
    except (asyncssh.KeyImportError, ValueError) as error:
        raise ConfigurationError(
            f"{line.strip()[:40]!r}… among the trusted CAs is not an OpenSSH public key line",
            code="authentication.illegal-authority",
        ) from error
    return key.get_fingerprint()
