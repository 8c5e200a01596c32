from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import asyncssh
import pytest
from identity_world import HERE, PASSWORD, CountingPasswords, World, fresh, new_key

from watchgate.catalog.thread import CatalogThread
from watchgate.errors import ConfigurationError
from watchgate.identity import locks, operators, passwords, publickeys, totp
from watchgate.identity.authentication import Attempt, Authenticator
from watchgate.identity.passwords import Cost
from watchgate.identity.throttle import Throttle
from watchgate.secret import Secret
from watchgate.session.model import Address
from watchgate.session.ports import Step

T = TypeVar("T")
DEFAULT = ("publickey", "password+totp")
WRONG = Secret("not the password")
KEY = b"12345678901234567890"
LINE, OCTETS = new_key()
CA = asyncssh.generate_private_key("ssh-ed25519")
CA_LINE = CA.export_public_key().decode()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with fresh(tmp_path) as made:
        with made.change() as change:
            operators.add(change, "Alice", in_groups=["dba"])
            operators.add(change, "keyless")
            operators.add(change, "gone")
            for name in ("alice", "gone"):
                passwords.set_password(change, made.passwords, name, PASSWORD)
                totp.enroll(change, made.vault, name, random=lambda _: KEY)
            publickeys.add(change, "alice", LINE)
            operators.disable(change, "gone")
        made.passwords.hashed = 0
        yield made


def played(
    world: World,
    work: Callable[[Authenticator], Awaitable[T]],
    combinations: Sequence[str] = DEFAULT,
) -> T:
    async def scenario() -> T:
        thread = CatalogThread(world.catalog)
        gate = Authenticator(
            thread,
            world.vault,
            world.clock,
            combinations=combinations,
            passwords=world.passwords,
            throttle=Throttle(world.clock),
            authorities=[CA_LINE],
        )
        try:
            return await work(gate)
        finally:
            gate.close()
            thread.close()

    return asyncio.run(scenario())


def code(world: World, ahead: int = 0) -> str:
    return totp.code_at(KEY, totp.step_at(world.clock.wall_us()) + ahead)


def test_a_key_logs_in(world: World) -> None:
    async def scenario(gate: Authenticator) -> tuple[bool, Step, Attempt]:
        attempt = await gate.begin("alice", HERE)
        return await attempt.knows_key(OCTETS), await attempt.public_key(OCTETS), attempt

    known, step, attempt = played(world, scenario)

    assert (known, step) == (True, Step.ACCEPTED)
    assert attempt.operator is not None
    assert attempt.operator.name == "Alice"
    assert attempt.operator.groups == {"dba"}
    event = attempt.authenticated()
    assert event.operator == "Alice"
    assert event.methods == ["publickey"]
    assert event.key == publickeys.fingerprint(OCTETS) == attempt.key
    assert attempt.open_methods() == frozenset()


def test_asking_about_a_key_proves_nothing(world: World) -> None:
    async def scenario(gate: Authenticator) -> tuple[list[bool], Attempt]:
        attempt = await gate.begin("alice", HERE)
        tried = (OCTETS, new_key()[1], b"", b"\xff" * 10)
        answers = [await attempt.knows_key(octets) for octets in tried]
        stranger = await gate.begin("nobody", HERE)
        answers.append(await stranger.knows_key(OCTETS))
        return answers, attempt

    answers, attempt = played(world, scenario)

    assert answers == [True, False, False, False, False]
    assert attempt.operator is None
    assert attempt.attempts == 0


def test_another_key_does_not_log_in(world: World) -> None:
    async def scenario(gate: Authenticator) -> tuple[Step, Attempt]:
        attempt = await gate.begin("alice", HERE)
        return await attempt.public_key(new_key()[1]), attempt

    step, attempt = played(world, scenario)

    assert step is Step.REFUSED
    assert "is not his" in attempt.refused().reason
    assert attempt.refused().attempts == 1
    with pytest.raises(RuntimeError):
        attempt.authenticated()


def test_password_and_code_log_in_in_their_order(world: World) -> None:
    async def scenario(gate: Authenticator) -> list[object]:
        attempt = await gate.begin("ALICE", HERE)
        heard: list[object] = [attempt.open_methods(), await attempt.totp(code(world))]
        heard += [await attempt.password(PASSWORD), attempt.open_methods()]
        heard += [await attempt.public_key(OCTETS), await attempt.password(PASSWORD)]
        heard += [await attempt.totp(code(world)), attempt.methods]
        return heard

    assert played(world, scenario) == [
        {"publickey", "password"},
        Step.REFUSED,
        Step.PARTIAL,
        {"totp"},
        Step.REFUSED,
        Step.REFUSED,
        Step.ACCEPTED,
        ("password", "totp"),
    ]


def test_a_code_is_good_once_for_all_connections(world: World) -> None:
    async def scenario(gate: Authenticator) -> list[Step]:
        first, second = await gate.begin("alice", HERE), await gate.begin("alice", HERE)
        third = await gate.begin("alice", HERE)
        for attempt in (first, second, third):
            assert await attempt.password(PASSWORD) is Step.PARTIAL
        return [
            await first.totp(code(world)),
            await second.totp(code(world)),
            await second.totp(code(world, -1)),
            await third.totp(code(world, 1)),
        ]

    assert played(world, scenario) == [Step.ACCEPTED, Step.REFUSED, Step.REFUSED, Step.ACCEPTED]


def test_an_operator_without_a_code_cannot_pass_where_one_is_asked(world: World) -> None:
    with world.change() as change:
        passwords.set_password(change, world.passwords, "keyless", PASSWORD)

    async def scenario(gate: Authenticator) -> list[Step]:
        attempt = await gate.begin("keyless", HERE)
        zero = totp.code_at(bytes(20), totp.step_at(world.clock.wall_us()))
        return [await attempt.password(PASSWORD), await attempt.totp(zero)]

    assert played(world, scenario) == [Step.PARTIAL, Step.REFUSED]


@pytest.mark.parametrize("name", ["nobody", "gone", "keyless", "", "x" * 10_000, "\udcff\0"])
@pytest.mark.parametrize("password", [PASSWORD, WRONG])
def test_a_name_cannot_be_told_by_what_a_password_costs(
    world: World, name: str, password: Secret
) -> None:
    async def scenario(gate: Authenticator) -> tuple[object, ...]:
        known, stranger = await gate.begin("alice", HERE), await gate.begin(name, HERE)
        costs = []
        for attempt, secret in ((known, WRONG), (stranger, password)):
            before = world.passwords.verified
            assert await attempt.password(secret) is Step.REFUSED
            costs.append(world.passwords.verified - before)
        return known.open_methods(), stranger.open_methods(), costs, stranger

    known, stranger, costs, attempt = played(world, scenario)

    assert known == stranger
    assert costs == [1, 1]
    assert world.passwords.hashed == 0
    assert isinstance(attempt, Attempt)
    assert attempt.operator is None
    assert len(attempt.refused().operator) <= 256


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nobody", "there is no such operator"),
        ("gone", "the operator is disabled"),
        ("keyless", "the password is wrong"),
    ],
)
def test_the_auditor_learns_what_the_client_does_not(world: World, name: str, reason: str) -> None:
    async def scenario(gate: Authenticator) -> Attempt:
        attempt = await gate.begin(name, HERE)
        await attempt.password(WRONG)
        return attempt

    event = played(world, scenario).refused()

    assert (event.operator, event.reason, event.client) == (name, reason, str(HERE))


def test_own_combinations_hold_and_do_not_give_a_name_away(world: World) -> None:
    with world.change() as change:
        operators.set_combinations(change, "alice", ["publickey+totp"])
        operators.set_combinations(change, "keyless", ["password"])
        passwords.set_password(change, world.passwords, "keyless", PASSWORD)

    async def scenario(gate: Authenticator) -> list[object]:
        alice = await gate.begin("alice", HERE)
        nobody = await gate.begin("nobody", HERE)
        keyless = await gate.begin("keyless", HERE)
        heard: list[object] = [
            alice.open_methods() == nobody.open_methods() == keyless.open_methods()
        ]
        before = world.passwords.verified
        heard += [await alice.password(PASSWORD), world.passwords.verified - before]
        heard += [
            await alice.public_key(OCTETS),
            alice.open_methods(),
            await alice.totp(code(world)),
        ]
        heard += [await keyless.password(PASSWORD)]
        return heard

    assert played(world, scenario, ["publickey"]) == [
        True,
        Step.REFUSED,
        1,
        Step.PARTIAL,
        {"totp"},
        Step.ACCEPTED,
        Step.ACCEPTED,
    ]


def test_a_method_that_nobody_may_use_costs_nothing(world: World) -> None:
    async def scenario(gate: Authenticator) -> list[Step]:
        attempts = [await gate.begin(name, HERE) for name in ("alice", "nobody")]
        return [await attempt.password(PASSWORD) for attempt in attempts]

    assert played(world, scenario, ["publickey"]) == [Step.REFUSED, Step.REFUSED]
    assert world.passwords.verified == 0


def test_guesses_are_not_looked_at_when_there_are_too_many(world: World) -> None:
    async def scenario(gate: Authenticator) -> list[object]:
        costs = {}
        for name in ("alice", "nobody"):
            before = world.passwords.verified
            for _ in range(20):
                attempt = await gate.begin(name, HERE)
                assert await attempt.password(WRONG) is Step.REFUSED
            costs[name] = world.passwords.verified - before
        late = await gate.begin("alice", HERE)
        heard: list[object] = [costs, await late.password(PASSWORD), late.reason]
        elsewhere = await gate.begin("alice", Address("198.51.100.9", 1))
        heard += [await elsewhere.password(PASSWORD)]
        by_key = await gate.begin("alice", HERE)
        heard += [await by_key.public_key(OCTETS)]
        return heard

    assert played(world, scenario) == [
        {"alice": 6, "nobody": 6},
        Step.REFUSED,
        "too many guesses; they are not looked at for a while",
        Step.PARTIAL,
        Step.ACCEPTED,
    ]


def test_a_thousand_guesses_at_once_are_not_all_first(world: World) -> None:
    async def scenario(gate: Authenticator) -> int:
        attempts = [await gate.begin("alice", HERE) for _ in range(100)]
        async with asyncio.TaskGroup() as group:
            for attempt in attempts:
                group.create_task(attempt.password(WRONG))
        return world.passwords.verified

    assert played(world, scenario) == 6


def test_ordinary_logins_are_never_throttled(world: World) -> None:
    async def scenario(gate: Authenticator) -> set[Step]:
        steps = set()
        for _ in range(100):
            attempt = await gate.begin("alice", HERE)
            steps.add(await attempt.password(PASSWORD))
        return steps

    assert played(world, scenario, ["password"]) == {Step.ACCEPTED}


def test_a_hash_of_another_cost_is_renewed_at_a_login(world: World) -> None:
    world.passwords = CountingPasswords(Cost(2, 64, 1))

    async def scenario(gate: Authenticator) -> list[Step]:
        return [
            await (await gate.begin("alice", HERE)).password(secret)
            for secret in (WRONG, PASSWORD, PASSWORD)
        ]

    assert played(world, scenario, ["password"]) == [Step.REFUSED, Step.ACCEPTED, Step.ACCEPTED]
    assert world.passwords.hashed == 1


def test_a_change_counts_from_the_next_attempt(world: World) -> None:
    async def scenario(gate: Authenticator) -> list[Step]:
        with world.change() as change:
            operators.disable(change, "alice")
        disabled = await (await gate.begin("alice", HERE)).public_key(OCTETS)
        with world.change() as change:
            operators.enable(change, "alice")
        enabled = await (await gate.begin("alice", HERE)).public_key(OCTETS)
        with world.change() as change:
            publickeys.remove(change, "alice", "laptop")
        keyless = await (await gate.begin("alice", HERE)).public_key(OCTETS)
        return [disabled, enabled, keyless]

    assert played(world, scenario) == [Step.REFUSED, Step.ACCEPTED, Step.REFUSED]


OTHER_CA = asyncssh.generate_private_key("ssh-ed25519")


@pytest.mark.parametrize(
    ("name", "principals", "ca", "step", "reason"),
    [
        ("alice", ["bob", "Alice"], CA, Step.ACCEPTED, ""),
        ("alice", ["bob"], CA, Step.REFUSED, "does not name him"),
        ("alice", [], CA, Step.REFUSED, "does not name him"),
        ("alice", ["Alice"], OTHER_CA, Step.REFUSED, "is not trusted"),
        ("nobody", ["nobody"], CA, Step.REFUSED, "no such operator"),
        ("gone", ["gone"], CA, Step.REFUSED, "disabled"),
    ],
)
def test_a_certificate_of_a_trusted_authority_logs_in_whom_it_names(
    world: World,
    name: str,
    principals: list[str],
    ca: asyncssh.SSHKey,
    step: Step,
    reason: str,
) -> None:
    certified = new_key()[1]

    async def scenario(gate: Authenticator) -> tuple[Step, Attempt]:
        attempt = await gate.begin(name, HERE)
        return await attempt.certificate("id", principals, ca.public_data, certified), attempt

    result, attempt = played(world, scenario)

    assert result is step
    if step is Step.ACCEPTED:
        assert attempt.authenticated().key == publickeys.fingerprint(certified)
    else:
        assert reason in attempt.reason


def test_an_authority_that_is_no_key_is_named(world: World) -> None:
    with pytest.raises(ConfigurationError, match="among the trusted CAs"):
        Authenticator(
            CatalogThread(world.catalog),
            world.vault,
            world.clock,
            combinations=DEFAULT,
            passwords=world.passwords,
            throttle=Throttle(world.clock),
            authorities=["cert-authority nonsense"],
        )


def test_connections_of_one_network_are_counted(world: World) -> None:
    async def scenario(gate: Authenticator) -> int:
        return sum(gate.source_may_connect(HERE) for _ in range(500))

    assert played(world, scenario) == 200


def test_two_verifications_run_at_once_and_no_more(world: World) -> None:
    class Measured(CountingPasswords):
        running = 0
        most = 0

        def verify(self, stored: str | None, password: Secret) -> bool:
            Measured.running += 1
            Measured.most = max(Measured.most, Measured.running)
            try:
                return super().verify(stored, password)
            finally:
                Measured.running -= 1

    world.passwords = Measured(Cost(3, 8192, 1))

    async def scenario(gate: Authenticator) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(8):
                attempt = await gate.begin(f"name{number}", HERE)
                group.create_task(attempt.password(WRONG))

    played(world, scenario)

    assert world.passwords.verified == 8
    assert 1 <= Measured.most <= 2


def test_a_locked_operator_proves_who_he_is_like_anybody(world: World) -> None:
    """What he hears of it comes after the proof, so nobody else learns it."""
    with world.catalog.write() as connection:
        locks.lock(connection, world.clock, "alice", by="test", reason="x")

    async def scenario(gate: Authenticator) -> list[Step]:
        steps = [await (await gate.begin("alice", HERE)).public_key(OCTETS)]
        steps.append(await (await gate.begin("alice", HERE)).password(WRONG))
        steps.append(await (await gate.begin("nobody", HERE)).password(WRONG))
        return steps

    assert played(world, scenario) == [Step.ACCEPTED, Step.REFUSED, Step.REFUSED]
    assert world.passwords.verified == 2
