"""Small stand-ins for the ports of a session: they remember what they were told, in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from watchgate.clock import ManualClock
from watchgate.errors import RecordingLost, Refused, TargetUnreachable, WatchgateError
from watchgate.policy.reading import Reading
from watchgate.policy.rules import Rule
from watchgate.policy.ruleset import NO_RULES, RuleSet
from watchgate.secret import Secret
from watchgate.session.control import Session, Sessions
from watchgate.session.deciding import Decider
from watchgate.session.events import Event, TargetReached
from watchgate.session.lifecycle import Proof
from watchgate.session.model import (
    Account,
    Address,
    Capability,
    Claim,
    Credential,
    CredentialKind,
    Ending,
    EndReason,
    Grant,
    Operator,
    Policy,
    Route,
    Target,
    TargetSettings,
)
from watchgate.session.ports import (
    ApprovalAnswer,
    ApprovalRequest,
    RecordingRequest,
    RecordKind,
    Services,
)

ALICE = Operator("o1", "alice")
CLAIM = Claim("ssh", "alice", "root", "web1", Address("192.0.2.7", 50000), Address("192.0.2.1", 22))


@dataclass
class FakeRecorder:
    """Evidence in a list; `lose()` makes it fail."""

    trail: list[str]
    events: list[Event] = field(default_factory=list)
    sealed: Ending | None = None
    recording: str = "r1"
    congested: bool = False
    lost: RecordingLost | None = None
    _failure: asyncio.Future[RecordingLost] | None = None

    def octets(self, kind: RecordKind, channel: int, data: bytes) -> None:
        self.trail.append(f"octets {kind.name}")

    def event(self, event: Event) -> int:
        self.events.append(event)
        self.trail.append(event.kind)
        return len(self.events)

    async def relieved(self) -> None:
        """Never congested."""

    async def commit(self) -> None:
        self.trail.append("commit")

    async def failed(self) -> RecordingLost:
        self._failure = asyncio.get_running_loop().create_future()
        return await self._failure

    def lose(self) -> None:
        assert self._failure is not None
        self._failure.set_result(RecordingLost("the disk is full"))

    async def seal(self, ending: Ending) -> None:
        self.sealed = ending
        self.trail.append(f"seal {ending.reason}")


def decider(world: World, policy: Policy | None = None) -> Decider:
    """The rules of a session of alice's in *world*."""
    held = policy or Policy(frozenset(Capability), TargetSettings(), rules=world.rules)
    return Decider("alice", held, world.clock, world.services().read, world, world)


@dataclass
class World:
    """Everything around one session, and the trail of what happened in it."""

    trail: list[str] = field(default_factory=list)
    journal: list[Event] = field(default_factory=list)
    clock: ManualClock = field(default_factory=ManualClock)
    grant: Grant = field(default_factory=lambda: Grant("g1"))
    refuse: str | None = None
    unrecordable: bool = False
    recorder: FakeRecorder | None = None
    admitted: int = 0
    rules: RuleSet = NO_RULES
    locked: Ending | None = None

    def services(self) -> Services:
        return Services(
            self.clock,
            bytes,
            self,
            self,
            self,
            self,
            "1",
            rules=self,
            approvals=self,
            locks=self,
            read=lambda command: (Reading(command.text),),
        )

    async def current(self) -> RuleSet:
        return self.rules

    async def warm(self, operator: str, rules: Sequence[Rule]) -> None:
        self.trail.append("warm")

    def held(self, operator: str) -> Ending | None:
        return self.locked

    def count(self, operator: str, rule: Rule, at_us: int) -> int:
        return 0

    async def lock(self, operator: str, rule: str | None, reason: str, session: str) -> None:
        self.trail.append(f"lock {operator}")

    def of(self, route: Route) -> World:
        return self

    def take(self, operator: str, key: tuple[str, ...], at_us: int) -> str | None:
        return None

    async def seek(
        self, request: ApprovalRequest, asked: Callable[[str, tuple[str, ...]], None]
    ) -> ApprovalAnswer:
        return ApprovalAnswer("a1", approved=False, by="nobody")

    async def password(self, route: Route, account: str) -> Secret:
        return Secret("s3cret")

    async def authorize(self, operator: Operator, claim: Claim) -> Route:
        self.trail.append("authorize")
        if self.refuse is not None:
            raise Refused(self.refuse, code="grant.missing")
        target = Target("t1", "web1", "ssh", Address("10.0.0.5", 22))
        account = Account("a1", "root", "web1", CredentialKind.PASSWORD)
        return Route(operator, target, account, self.grant)

    @asynccontextmanager
    async def admit(self, route: Route, session: str) -> AsyncIterator[None]:
        self.admitted += 1
        yield
        self.admitted -= 1

    async def open(self, request: RecordingRequest) -> FakeRecorder:
        if self.unrecordable:
            raise RecordingLost("no space left")
        self.recorder = FakeRecorder(self.trail)
        return self.recorder

    async def credential(self, route: Route) -> Credential:
        self.trail.append("credential")
        return Credential(CredentialKind.PASSWORD, "root", Secret("s3cret"))

    async def note(self, event: Event, session: str = "") -> None:
        self.journal.append(event)

    @property
    def evidence(self) -> FakeRecorder:
        assert self.recorder is not None
        return self.recorder


@dataclass
class FakeEngine:
    """A protocol of which a test moves every step."""

    trail: list[str]
    unreachable: bool = False
    broken: bool = False
    claim: Claim = CLAIM
    client_version: str = "test"
    told: list[str] = field(default_factory=list)
    relaying: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    session: Session | None = None
    closed: int = 0

    async def authenticate(self) -> Proof:
        return Proof(ALICE, ("publickey",), "SHA256:x")

    async def reach(
        self, route: Route, policy: Policy, credential: Credential, session: Session
    ) -> TargetReached:
        self.trail.append("reach")
        if self.unreachable:
            raise TargetUnreachable("web1 cannot be reached: refused")
        return TargetReached("web1", "10.0.0.5:22", "10.0.0.1:999", "root", "password", "SHA256:h")

    async def relay(self, policy: Policy, session: Session) -> Ending:
        self.session = session
        self.relaying.set()
        if self.broken:
            raise KeyError("a mistake of ours")
        await self.over.wait()
        return Ending(EndReason.CLIENT, "bye")

    async def refuse(self, error: WatchgateError) -> None:
        self.told.append(str(error))

    async def close(self, ending: Ending) -> None:
        self.closed += 1
        self.trail.append("close")


@dataclass
class Stage:
    """An engine in its world."""

    world: World = field(default_factory=World)
    sessions: Sessions = field(default_factory=Sessions)

    def __post_init__(self) -> None:
        self.engine = FakeEngine(self.world.trail)
