"""An operator's login over SSH: asyncssh's callbacks on one side, an authentication attempt on the other.

Which methods there are, in which combination, and what is right, is decided by `identity`; here they
get their SSH names: `totp` is asked by keyboard-interactive, and a password may come by either method.
A client that guesses too often is disconnected, and one event sums up a login that failed.
"""

from __future__ import annotations

import asyncio
import logging

import asyncssh
from asyncssh.public_key import SSHOpenSSHCertificate

from watchgate.errors import Refused
from watchgate.protocols.ssh.seams import key_id
from watchgate.secret import Secret
from watchgate.session.events import OperatorRefused
from watchgate.session.lifecycle import Proof
from watchgate.session.model import Address
from watchgate.session.ports import Attempt, Authenticator, Step

log = logging.getLogger(__name__)

TRIES = 10
"""Keys offered and secrets told in one connection before it is closed."""

SECRET_LIMIT = 1024
"""Characters of a password or code; longer ones are wrong without being looked at."""

FORCED = "force-command"
"""The critical option of a certificate that may be used for one command only."""

PASSWORD = ("", "", "", (("Password: ", False),))
CODE = ("", "", "", (("Verification code: ", False),))


class Login:
    """The login of one connection; `proof` is settled once."""

    def __init__(self, authenticator: Authenticator, source: Address) -> None:
        self._authenticator = authenticator
        self._source = source
        self._attempt: Attempt | None = None
        self._offered: bytes | None = None
        self._certificate: SSHOpenSSHCertificate | None = None
        self._step = Step.REFUSED
        self._tries = 0
        self.proof: asyncio.Future[Proof] = asyncio.get_running_loop().create_future()

    async def begin(self, operator: str) -> None:
        """The client named an operator; another name begins anew."""
        self._attempt = await self._authenticator.begin(operator, self._source)

    def offers(self, method: str) -> bool:
        """Whether an SSH method may come next."""
        opened = self._attempt.open_methods() if self._attempt else frozenset()
        if method == "keyboard-interactive":
            return bool(opened & {"password", "totp"})
        return method in opened

    @property
    def exhausted(self) -> bool:
        """Whether the client has guessed often enough."""
        return self._tries >= TRIES

    # --- public keys and certificates ----------------------------------------------------------

    async def key_offered(self, key: asyncssh.SSHKey) -> bool:
        """A key was offered or is being proven; asyncssh verifies the signature after this."""
        assert self._attempt is not None
        self._offered, self._certificate = key.public_data, None
        known = await self._attempt.knows_key(self._offered)
        self._tries += not known
        return known

    def authority_offered(self, key: asyncssh.SSHKey) -> bool:
        """A certificate of this CA was offered."""
        trusted = self._authenticator.trusts_authority(key.public_data)
        self._tries += not trusted
        return trusted

    def certificate_offered(self, certificate: SSHOpenSSHCertificate) -> bool:
        """A certificate is being looked at; False when it asks for what nobody here enforces."""
        if FORCED in certificate.options:
            log.info(
                "the certificate %r was refused: it is for one command only (%s); grants say what "
                "an operator may run, so have it signed without that option",
                key_id(certificate),
                FORCED,
            )
            self._tries += 1
            return False
        self._certificate = certificate
        return True

    async def proven(self, method: str) -> bool | None:
        """A method's proof was right for asyncssh: True is all done, None is more to come."""
        if method == "publickey":
            self._step = await self._key_proven()
        attempt = self._attempt
        if self._step is Step.ACCEPTED and attempt is not None and attempt.operator is not None:
            if not self.proof.done():
                self.proof.set_result(Proof(attempt.operator, attempt.methods, attempt.key))
            return True
        return None if self._step is Step.PARTIAL else False

    async def _key_proven(self) -> Step:
        assert self._attempt is not None
        if self._certificate is not None:
            certificate = self._certificate
            step = await self._attempt.certificate(
                key_id(certificate),
                list(certificate.principals),
                certificate.signing_key.public_data,
                certificate.key.public_data,
            )
        elif self._offered is not None:
            step = await self._attempt.public_key(self._offered)
        else:
            step = Step.REFUSED
        return self._counted(step)

    # --- secrets -------------------------------------------------------------------------------

    async def password(self, password: str) -> bool:
        """A password came; right or partly right is True."""
        assert self._attempt is not None
        if len(password) > SECRET_LIMIT:
            self._step = Step.REFUSED
        else:
            self._step = await self._attempt.password(Secret(password.encode("utf-8", "replace")))
        return self._counted(self._step) is not Step.REFUSED

    def challenge(self) -> tuple[str, str, str, tuple[tuple[str, bool], ...]] | bool:
        """What keyboard-interactive asks next."""
        opened = self._attempt.open_methods() if self._attempt else frozenset()
        if "password" in opened:
            return PASSWORD
        return CODE if "totp" in opened else False

    async def respond(
        self, responses: list[str]
    ) -> tuple[str, str, str, tuple[tuple[str, bool], ...]] | bool:
        """An answer to the challenge: the next one, or whether it was right."""
        assert self._attempt is not None
        if len(responses) != 1 or len(responses[0]) > SECRET_LIMIT:
            self._tries += 1
            return False
        if "password" in self._attempt.open_methods():
            right = await self.password(responses[0])
            more = self._step is Step.PARTIAL and "totp" in self._attempt.open_methods()
            return CODE if more else right
        self._step = await self._attempt.totp(responses[0])
        return self._counted(self._step) is not Step.REFUSED

    # --- failure -------------------------------------------------------------------------------

    def _counted(self, step: Step) -> Step:
        self._tries += step is Step.REFUSED
        return step

    def abandon(self) -> OperatorRefused | None:
        """The connection ended: without a proof, what the journal should say."""
        if self.proof.done():
            return None
        self.proof.set_exception(Refused("the client left before it was authenticated"))
        self.proof.exception()  # nobody may be waiting for it
        return self._attempt.refused() if self._attempt is not None and self._tries else None
