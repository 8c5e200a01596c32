"""SSH's authentication methods in front of an attempt that decides."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import asyncssh
import pytest

from watchgate.errors import Refused
from watchgate.protocols.ssh.login import CODE, PASSWORD, SECRET_LIMIT, TRIES, Login
from watchgate.secret import Secret
from watchgate.session.events import OperatorRefused
from watchgate.session.model import Address, Operator
from watchgate.session.ports import Attempt, Step

ALICE = Operator("o1", "alice")
KEY = asyncssh.generate_private_key("ssh-ed25519")
OTHER = asyncssh.generate_private_key("ssh-ed25519")


class FakeAttempt:
    """Asks for the methods of *order*, one after the other; knows one key, password and code."""

    def __init__(self, order: tuple[str, ...]) -> None:
        self._order = order
        self._done: list[str] = []
        self.asked: list[str] = []
        self.operator: Operator | None = None
        self.key: str | None = None

    @property
    def methods(self) -> tuple[str, ...]:
        return tuple(self._done)

    def open_methods(self) -> frozenset[str]:
        return frozenset(self._order[len(self._done) :][:1])

    def _step(self, method: str, right: bool) -> Step:
        self.asked.append(method)
        if not right or method not in self.open_methods():
            return Step.REFUSED
        self._done.append(method)
        if self.open_methods():
            return Step.PARTIAL
        self.operator = ALICE
        return Step.ACCEPTED

    async def knows_key(self, public_key: bytes) -> bool:
        return public_key == KEY.public_data

    async def public_key(self, public_key: bytes) -> Step:
        return self._step("publickey", public_key == KEY.public_data)

    async def certificate(
        self, key_id: str, principals: Sequence[str], authority: bytes, public_key: bytes
    ) -> Step:
        self.asked.append(f"certificate {key_id} {','.join(principals)}")
        return self._step("publickey", authority == OTHER.public_data)

    async def password(self, password: Secret) -> Step:
        return self._step("password", password == Secret("right"))

    async def totp(self, code: str) -> Step:
        return self._step("totp", code == "123456")

    def refused(self) -> OperatorRefused:
        return OperatorRefused("alice", "192.0.2.7:1", "wrong", len(self.asked))


class FakeAuthenticator:
    def __init__(self, *order: str) -> None:
        self.attempt = FakeAttempt(order)

    async def begin(self, name: str, source: Address) -> Attempt:
        return self.attempt

    def trusts_authority(self, public_key: bytes) -> bool:
        return public_key == OTHER.public_data

    def source_may_connect(self, source: Address) -> bool:
        return True


def login(*order: str, then: Callable[[Login], Awaitable[None]]) -> FakeAttempt:
    """Begin a login that asks for *order*, and do *then* with it."""

    async def run() -> FakeAttempt:
        authenticator = FakeAuthenticator(*order)
        tried = Login(authenticator, Address("192.0.2.7", 1))
        await tried.begin("alice")
        await then(tried)
        return authenticator.attempt

    return asyncio.run(run())


def test_a_known_key_is_proven_once_it_is_signed_for() -> None:
    async def then(tried: Login) -> None:
        assert await tried.key_offered(KEY)
        assert not tried.proof.done()
        assert await tried.proven("publickey") is True
        proof = await tried.proof
        assert (proof.operator, proof.methods) == (ALICE, ("publickey",))
        assert tried.abandon() is None

    login("publickey", then=then)


def test_an_unknown_key_counts_as_a_try_and_proves_nothing() -> None:
    async def then(tried: Login) -> None:
        assert not await tried.key_offered(OTHER)
        assert await tried.proven("publickey") is False

    attempt = login("publickey", then=then)

    assert attempt.operator is None


def test_a_second_factor_is_partial_success() -> None:
    async def then(tried: Login) -> None:
        assert tried.offers("publickey")
        assert not tried.offers("keyboard-interactive")
        await tried.key_offered(KEY)
        assert await tried.proven("publickey") is None
        assert tried.offers("keyboard-interactive")
        assert not tried.offers("password")
        assert tried.challenge() == CODE
        assert await tried.respond(["123456"]) is True
        assert await tried.proven("keyboard-interactive") is True
        assert (await tried.proof).methods == ("publickey", "totp")

    login("publickey", "totp", then=then)


def test_password_and_code_are_asked_for_one_after_the_other() -> None:
    async def then(tried: Login) -> None:
        assert tried.challenge() == PASSWORD
        assert await tried.respond(["right"]) == CODE
        assert await tried.respond(["123456"]) is True
        assert await tried.proven("keyboard-interactive") is True

    login("password", "totp", then=then)


@pytest.mark.parametrize("answer", [[], ["a", "b"], ["x" * (SECRET_LIMIT + 1)]])
def test_a_malformed_answer_never_reaches_the_attempt(answer: list[str]) -> None:
    async def then(tried: Login) -> None:
        assert await tried.respond(answer) is False
        assert await tried.proven("keyboard-interactive") is False

    attempt = login("password", then=then)

    assert attempt.asked == []


def test_an_oversized_password_is_wrong_without_being_looked_at() -> None:
    async def then(tried: Login) -> None:
        assert not await tried.password("x" * (SECRET_LIMIT + 1))
        assert await tried.password("right")
        assert await tried.proven("password") is True

    attempt = login("password", then=then)

    assert attempt.asked == ["password"]


def test_a_proof_of_one_method_is_none_of_another() -> None:
    async def then(tried: Login) -> None:
        assert not await tried.password("wrong")
        assert await tried.proven("password") is False
        assert await tried.proven("publickey") is False

    attempt = login("password", then=then)

    assert attempt.operator is None


def test_a_certificate_is_told_to_the_attempt_with_its_names() -> None:
    certificate = OTHER.generate_user_certificate(KEY, "who", principals=["alice", "admin"])

    async def then(tried: Login) -> None:
        assert tried.authority_offered(OTHER)
        assert not tried.authority_offered(KEY)
        assert tried.certificate_offered(certificate)
        assert await tried.proven("publickey") is True

    attempt = login("publickey", then=then)

    assert attempt.asked[0] == "certificate who alice,admin"


def test_a_certificate_for_one_command_is_refused() -> None:
    certificate = OTHER.generate_user_certificate(
        KEY, "who", principals=["alice"], force_command="id"
    )

    async def then(tried: Login) -> None:
        assert tried.authority_offered(OTHER)
        assert not tried.certificate_offered(certificate)
        assert await tried.proven("publickey") is False

    attempt = login("publickey", then=then)

    assert attempt.operator is None


def test_guessing_exhausts_a_connection_and_one_event_sums_it_up() -> None:
    async def then(tried: Login) -> None:
        for _ in range(TRIES):
            assert not tried.exhausted
            await tried.password("wrong")
        assert tried.exhausted
        refused = tried.abandon()
        assert refused is not None
        assert refused.attempts == TRIES
        assert tried.abandon() is None
        with pytest.raises(Refused):
            await tried.proof

    login("password", then=then)


def test_a_client_that_only_looked_in_leaves_no_event() -> None:
    async def then(tried: Login) -> None:
        assert tried.abandon() is None

    login("publickey", then=then)
