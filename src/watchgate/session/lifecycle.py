"""The life of every session of every protocol: `run_session`.

The steps stand in the order in which they happen, and each leaves its event. Nothing of a session
happens before its recording is open; the target is reached only after that. A protocol is an `Engine`:
it talks to the client and to the target, and knows nothing of grants, vaults or stores.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from watchgate.clock import Clock
from watchgate.errors import RecordingLost, Refused, TargetUnreachable, WatchgateError
from watchgate.identifiers import uuid7
from watchgate.policy.rules import Rule
from watchgate.session.control import Session, Sessions
from watchgate.session.deciding import Decider
from watchgate.session.events import (
    OperatorAuthenticated,
    PolicyFrozen,
    RulesFrozen,
    SessionAuthorized,
    SessionClaimed,
    SessionOpened,
    SessionRefused,
    TargetFailed,
    TargetReached,
)
from watchgate.session.model import (
    Claim,
    Credential,
    Ending,
    EndReason,
    Operator,
    Policy,
    Route,
)
from watchgate.session.ports import Recorder, RecordingRequest, Services

log = logging.getLogger(__name__)

SEAL_SECONDS = 10.0
"""How long a recording may take to seal before the sweep of the next start has to do it."""


RULES_AN_EVENT = 50
"""Rules that one event lists, so that no event is large."""

LOOK_AGAIN_SECONDS = 30.0
"""How long it may take until a wall clock that was set counts for the end of a grant."""


@dataclass(frozen=True, slots=True)
class Proof:
    """An operator who proved who he is, and how."""

    operator: Operator
    methods: tuple[str, ...]
    key: str | None = None


class Engine(Protocol):
    """One protocol's part in a session; each method is one step, called once, in this order."""

    @property
    def claim(self) -> Claim:
        """Who the client says it is and what it wants."""

    @property
    def client_version(self) -> str:
        """What the client calls itself, for the record."""

    async def authenticate(self) -> Proof:
        """Wait for the operator's proof; raises Refused."""

    async def reach(
        self, route: Route, policy: Policy, credential: Credential, session: Session
    ) -> TargetReached:
        """Log in to the target; raises TargetUnreachable."""

    async def relay(self, policy: Policy, session: Session) -> Ending:
        """Carry octets and requests both ways until either side ends."""

    async def refuse(self, error: WatchgateError) -> None:
        """Tell the client, in its own protocol, why there is no session or no longer one."""

    async def close(self, ending: Ending) -> None:
        """End both sides; returns when nothing of the session is left."""


async def run_session(engine: Engine, services: Services, sessions: Sessions) -> Ending | None:
    """Live one session from its claim to its seal; None when there never was one.

    What the operator can act on is told to the client and recorded; all else is logged, told as an
    internal error, and ends this session only.
    """
    try:
        return await _authorized(engine, services, sessions)
    except Exception as error:  # noqa: BLE001 - whatever it is: it is told, logged, and ends this session only
        await engine.refuse(_told(error))
    finally:
        await engine.close(Ending(EndReason.REFUSED))
    return None


def _told(error: Exception) -> WatchgateError:
    """What the client may hear of *error*; all else goes to the log."""
    match error:
        case Refused() | TargetUnreachable():
            return error
        case RecordingLost():
            log.error("no session: %s", error)
            return WatchgateError("this session cannot be recorded, so it is not opened")
        case WatchgateError():
            log.error("a session failed: %s", error)
        case _:
            log.error("a session failed for a reason of ours", exc_info=error)
    return WatchgateError("internal error; the administrator finds it in the gateway's log")


async def _authorized(engine: Engine, services: Services, sessions: Sessions) -> Ending | None:
    claim = engine.claim
    proof = await engine.authenticate()
    identifier = uuid7(services.clock, services.random)
    try:
        route = await services.authorizer.authorize(proof.operator, claim)
        async with services.authorizer.admit(route, identifier):
            return await _recorded(engine, services, sessions, proof, route, identifier)
    except (Refused, RecordingLost) as error:
        refused = SessionRefused(
            operator=proof.operator.name,
            account=claim.account,
            target=claim.target,
            code=error.code,
            reason=str(error),
            client=str(claim.client),
        )
        await services.journal.note(refused, identifier)
        raise


async def _recorded(
    engine: Engine,
    services: Services,
    sessions: Sessions,
    proof: Proof,
    route: Route,
    identifier: str,
) -> Ending:
    policy = Policy.freeze(route, await services.rules.current())
    await services.locks.warm(route.operator.name, policy.rules.rules)
    request = _request(engine.claim, route, policy, services, identifier)
    recorder = await services.recordings.open(request)
    decider = Decider(
        route.operator.name,
        policy,
        services.clock,
        services.read,
        services.locks,
        services.approvals.of(route),
    )
    session = Session(
        identifier,
        route,
        str(engine.claim.client),
        request.started_at_us,
        recorder,
        decider,
        services,
    )
    sessions.add(session)
    if (locked := services.locks.held(route.operator.name)) is not None:
        session.end(locked)
    ending = Ending(EndReason.FAILED, "the session failed for a reason of the gateway's")
    try:
        _record_opening(recorder, engine, proof, route, policy, request, services.version)
        ending = await _relayed(engine, services, session, route, policy)
        return ending
    except asyncio.CancelledError:
        ending = Ending(EndReason.SHUTDOWN, "the gateway stopped")
        raise
    except Exception as error:
        await engine.refuse(_told(error))  # while there still are channels to tell it on
        raise
    finally:
        sessions.remove(session)
        await _finish(engine, recorder, ending)


async def _finish(engine: Engine, recorder: Recorder, ending: Ending) -> None:
    """Close both sides first, so that what they still said is inside the seal."""
    try:
        await engine.close(ending)
    finally:
        async with asyncio.timeout(SEAL_SECONDS):
            await recorder.seal(ending)


async def _relayed(
    engine: Engine, services: Services, session: Session, route: Route, policy: Policy
) -> Ending:
    await session.recorder.commit()
    try:
        credential = await services.vault.credential(route)
        reached = await engine.reach(route, policy, credential, session)
    except TargetUnreachable as error:
        session.recorder.event(
            TargetFailed(
                target=route.target.name,
                address=str(route.target.address),
                code=error.code,
                reason=str(error),
            )
        )
        await engine.refuse(error)
        return Ending(EndReason.UNREACHABLE, str(error))
    session.recorder.event(reached)
    return await _first_end(engine, session, route, policy, services.clock)


async def _first_end(
    engine: Engine, session: Session, route: Route, policy: Policy, clock: Clock
) -> Ending:
    """Relay until the first of: either side, an admin, the grant's end, the loss of the recording."""

    async def lost() -> Ending:
        error = await session.recorder.failed()
        return Ending(EndReason.RECORDING_LOST, str(error))

    async def expired() -> Ending:
        if route.grant.until_us is None:
            await asyncio.Event().wait()
        while True:
            left = (route.grant.until_us or 0) - clock.wall_us()
            if left <= 0:
                return Ending(EndReason.EXPIRED, "the grant's time is over")
            await asyncio.sleep(min(left / 1e6, LOOK_AGAIN_SECONDS))

    async with asyncio.TaskGroup() as group:
        waits = [
            group.create_task(wait)
            for wait in (engine.relay(policy, session), session.ended(), lost(), expired())
        ]
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        ending = next(task for task in waits if task in done).result()
        if ending.reason not in (EndReason.CLIENT, EndReason.TARGET):
            await engine.refuse(WatchgateError(_farewell(ending)))
        for task in waits:
            task.cancel()
    return ending


def _farewell(ending: Ending) -> str:
    """What the operator reads when the session is ended from outside."""
    match ending.reason:
        case EndReason.TERMINATED:
            return f"session ended by {ending.by}: {ending.detail or 'no reason given'}"
        case EndReason.RECORDING_LOST:
            return "session ended: it cannot be recorded any more"
        case EndReason.SHUTDOWN:
            return "session ended: the gateway is stopping"
        case _:
            return f"session ended: {ending.detail}"


def _batches(rules: Sequence[Rule]) -> Iterator[Sequence[Rule]]:
    for start in range(0, len(rules), RULES_AN_EVENT):
        yield rules[start : start + RULES_AN_EVENT]


def _request(
    claim: Claim, route: Route, policy: Policy, services: Services, identifier: str
) -> RecordingRequest:
    return RecordingRequest(
        recording=uuid7(services.clock, services.random),
        session=identifier,
        protocol=claim.protocol,
        operator=route.operator.name,
        account=route.account.name,
        target=route.target.name,
        client=str(claim.client),
        grant=route.grant.id,
        started_at_us=services.clock.wall_us(),
        policy_digest=policy.digest(),
        on_failure=policy.settings.on_recording_failure,
    )


def _record_opening(
    recorder: Recorder,
    engine: Engine,
    proof: Proof,
    route: Route,
    policy: Policy,
    request: RecordingRequest,
    version: str,
) -> None:
    """What happened before there was a recording, as its first events."""
    claim = engine.claim
    recorder.event(
        SessionClaimed(
            protocol=claim.protocol,
            operator=claim.operator,
            account=claim.account,
            target=claim.target,
            client=str(claim.client),
            gateway=str(claim.gateway),
            via=claim.via,
            client_version=engine.client_version,
        )
    )
    recorder.event(OperatorAuthenticated(proof.operator.name, list(proof.methods), proof.key))
    recorder.event(
        SessionAuthorized(
            operator=proof.operator.name,
            account=route.account.name,
            target=route.target.name,
            grant=route.grant.id,
            capabilities=sorted(map(str, route.grant.capabilities)),
        )
    )
    recorder.event(PolicyFrozen(policy.digest(), policy.describe()))
    for some in _batches(policy.rules.rules):
        recorder.event(RulesFrozen(policy.digest(), [rule.described() for rule in some]))
    recorder.event(
        SessionOpened(
            recording=request.recording,
            operator=request.operator,
            account=request.account,
            target=request.target,
            protocol=request.protocol,
            client=request.client,
            grant=request.grant,
            version=version,
        )
    )
